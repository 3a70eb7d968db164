"""
The plan of a load: which pages to ask for. Decided here, without I/O and without a clock.

The listing is one chain of cursors, newest first, and each page must come before the next can be asked for.
Where a round trip takes longer than the service's pace allows, more chains are split off: a chain that asks with
``end_date`` starts in the middle. Everything older than its first row is its own; the chain above it reads on
until it meets that row. So nothing depends on where the service's days begin, on a count for a window, or on
a guess of how the images lie: a bad guess costs a page and loses none.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["WEST", "BrokenListing", "Chain", "PageRequest", "Planner", "Split", "midnight_after"]

# Listings that claim more yet bring nothing new, page after page, never end.
MAX_BARREN_PAGES = 3
MAX_RESTARTS = 3
# Days begin at most 14 hours before UTC's and end at most 12 after (the world's time zones).
EAST, WEST = dt.timedelta(hours=14), dt.timedelta(hours=12)
# Tell the zone only where images lie so close that the first row of a day is near its beginning.
DENSE = 96.0  # images a day, one each quarter of an hour


class PageRequest(NamedTuple):
    """A page to ask for."""

    chain: int
    cursor: str | None
    end_date: dt.date | None


class Split(NamedTuple):
    """A new chain: the unread days of `owner` up to `end_date`, or everything left of it (`restart`)."""

    chain: int
    owner: int
    end_date: dt.date | None
    restart: bool = False


class BrokenListing(Exception):  # noqa: N818  what the service did, not a mistake of the caller
    """The listing does not end properly."""


@dataclass(slots=True)
class Chain:
    """One run of cursors, from its first row down to the first row of the next older chain."""

    number: int
    end_date: dt.date | None = None
    older: Chain | None = None
    from_above: dt.datetime | None = None  # How far its owner had read when it was split off.
    restart: bool = False
    # Between this and the first row of the next older chain there are no images.
    nothing_below: dt.datetime | None = None
    misses: int = 0  # Consecutive splits of it that found nothing.
    cursor: str | None = None
    n_pages: int = 0
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    top: frozenset[str] = frozenset()
    top_last: dt.datetime | None = None
    read_above: bool = False  # Its first row was read by another chain before.
    # Its last two pages.
    lately: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
    density: float = 0.0  # images a day on the last page
    asked: bool = False
    done: bool = False
    ended: bool = False
    looked_again: bool = False
    barren: int = 0
    cursors: dict[str, int] = field(default_factory=dict)


class Planner:
    """
    Events in, requests out.

    Parameters
    ----------
    windows : bool
        Whether `end_date` may be tried.
    """

    def __init__(self, *, windows: bool = True) -> None:
        self.windows = windows
        self.newest = Chain(0)
        self.total: int | None = None
        self.n_images = 0
        self.n_pages = 0
        self.n_chains = 1
        self.restarts = 0
        self.dropped: set[int] = set()
        # How late the service's days end after UTC's, at least.
        self.zone: dt.timedelta | None = None

    @property
    def chains(self) -> list[Chain]:
        """The chains in the order of their rows, newest first."""
        found, chain = [], self.newest
        while True:
            found.append(chain)
            if chain.older is None:
                return found
            chain = chain.older

    @property
    def done(self) -> bool:
        """Whether every chain has ended."""
        return all(chain.done for chain in self.chains)

    def requests(self) -> list[PageRequest]:
        """Return the pages to request now, and mark them as requested."""
        found = []
        for chain in self.chains:
            if not (chain.done or chain.asked or self._must_wait(chain)):
                chain.asked = True
                found.append(PageRequest(chain.number, chain.cursor, chain.end_date))
        return found

    def gave_up(self) -> None:
        """Mark nothing as requested."""
        for chain in self.chains:
            chain.asked = False

    def find(self, number: int) -> Chain | None:
        """Find a chain that still counts; None if it was dropped."""
        return next((chain for chain in self.chains if chain.number == number), None)

    @staticmethod
    def _must_wait(chain: Chain) -> bool:
        """Hold an owner at its new bound until the first row of the new chain says where exactly that is."""
        older = chain.older
        if older is None or older.first is not None or older.restart or chain.last is None:
            return False
        return chain.last <= midnight_after(older.end_date)

    def took(
        self,
        number: int,
        ids: Sequence[str],
        times: Sequence[dt.datetime | None],
        cursor: str | None,
        *,
        n_new: int,
        known: bool = False,
        doubt: bool = False,
    ) -> bool:
        """
        Take in a page.

        Parameters
        ----------
        number : int
            Its chain.
        ids, times : sequences
            Of its images: id and upload time.
        cursor : str or None
            Of the next page.
        n_new : int
            How many of the images were not seen before.
        known : bool
            Whether the first of them was seen before.
        doubt : bool
            Whether an empty listing is looked at twice.

        Returns
        -------
        bool
            Whether the rows are to be kept; False where the chain no longer counts, or showed that it should not.

        Raises
        ------
        BrokenListing
            If the listing turns in circles.
        """
        chain = self.find(number)
        if chain is None:
            return False
        self.n_pages += 1
        chain.n_pages += 1
        chain.asked = False
        page_before = chain.cursor
        told = [time for time in times if time is not None]
        if len(told) < len(times) or not _newest_first(chain.last, told):
            if any(one.end_date for one in self.chains):
                self.drop_windows()
            self.windows = False
            chain = self.find(number)
            if chain is None:
                return False
        if chain.n_pages == 1:
            chain.read_above = known
            if chain.end_date is not None and not self._starts_well(chain, told):
                return False
        if told:
            self._see(chain, ids, told)
        self.n_images += n_new
        self._follow(chain, cursor, n_new, doubt=not ids and (doubt or page_before is not None))
        if self._contradicts(chain, ids, times):
            self.drop_windows()
            return self.find(number) is not None
        self._close()
        return True

    def split(self, split: Split) -> None:
        """Carry out a split: the owner's bound moves now, not when the first page of the new chain arrives."""
        owner = self.find(split.owner)
        if owner is None:
            return
        new = Chain(
            split.chain,
            split.end_date,
            owner.older,
            owner.last,
            split.restart,
            nothing_below=owner.nothing_below,
        )
        # A restart rereads what was read, and images of one instant may stand on both sides of a split.
        new.barren = -self.n_pages
        owner.older, owner.nothing_below = new, None
        self.n_chains = max(self.n_chains, split.chain + 1)
        if split.restart:
            owner.done = True
            self.restarts += 1

    def drop_windows(self) -> None:
        """Drop all windows: the newest chain reads everything."""
        self.windows = False
        self.dropped |= {chain.number for chain in self.chains[1:]}
        self.newest.older = None
        self.newest.done = self.newest.ended
        self.newest.barren = min(self.newest.barren, 0)

    def refused(self, request: PageRequest) -> Split | None:
        """
        Handle a page that the service refused as a bad request.

        Returns
        -------
        Split or None
            What to try instead (not carried out yet). None if nothing is left to try, or nothing is to be done:
            :attr:`windows` is False then if the dates were refused.
        """
        chain = self.find(request.chain)
        if chain is None:
            return None
        chain.asked = False
        if request.cursor is None:
            if request.end_date is None or (chain.restart and self.restarts >= MAX_RESTARTS):
                return None
            if chain.restart:
                return self._restart(chain, None)
            self.drop_windows()
            return None
        if self.restarts >= MAX_RESTARTS:
            return None
        # The cursor has expired. A day later than the last row's covers it in every time zone.
        dated = self.windows and chain.last is not None
        return self._restart(chain, chain.last.date() + dt.timedelta(1) if dated else None)  # type: ignore[union-attr]

    def _restart(self, chain: Chain, end_date: dt.date | None) -> Split:
        return Split(self.n_chains, chain.number, end_date, restart=True)

    def _starts_well(self, chain: Chain, times: list[dt.datetime]) -> bool:
        """Judge the first page of a window; a chain that brings nothing of its own is taken out again."""
        midnight = midnight_after(chain.end_date)
        owner = next(one for one in self.chains if one.older is chain)
        if times and times[0] >= midnight + WEST:
            self.drop_windows()  # The service does not keep to the date.
            return False
        older, above = chain.older, chain.from_above
        if chain.restart:
            if times and above is not None and times[0] >= above:
                return True
            # It leaves a gap: read all of it again.
            self.split(Split(self.n_chains, chain.number, None, restart=True))
            return False
        nothing = not times or (
            older is not None and older.first is not None and times[0] <= older.first
        )
        if nothing or (above is not None and times[0] > above):
            owner.older, owner.nothing_below = older, chain.nothing_below
            owner.misses += 1
            self.dropped.add(chain.number)
            if nothing:
                owner.nothing_below = midnight - (EAST if self.zone is None else dt.timedelta(0))
            else:
                self.zone = WEST  # The day begins among what is read already: keep farther away.
            return False
        owner.misses = 0
        return True

    def _see(self, chain: Chain, ids: Sequence[str], times: list[dt.datetime]) -> None:
        days = (times[0] - times[-1]) / dt.timedelta(1)
        density = len(times) / max(days, 1e-6)
        # Half the last page, half what came before: one batch of uploads says little.
        chain.density = 2 / (1 / density + 1 / (chain.density or density))
        if chain.first is None:
            chain.first, chain.top, chain.top_last = times[0], frozenset(ids), times[-1]
            if chain.end_date is not None and not chain.restart and chain.density >= DENSE:
                late = times[0] - midnight_after(chain.end_date)
                self.zone = max(late, self.zone or dt.timedelta(0), dt.timedelta(0))
        chain.last = times[-1]
        chain.lately = (chain.lately[1], frozenset(ids))

    def _follow(self, chain: Chain, cursor: str | None, n_new: int, *, doubt: bool) -> None:
        """Go on with the next cursor, unless it leads in a circle; an empty end is looked at twice."""
        if cursor is None:
            if doubt and not chain.looked_again:
                chain.looked_again = True
                return
            chain.cursor, chain.done, chain.ended = None, True, True
            return
        # Below 0 are pages that may be known: a chain that reads again what others have read.
        chain.barren = min(chain.barren, 0) if n_new else chain.barren + 1
        if cursor in chain.cursors:
            raise BrokenListing(
                f"The listing turns in circles: page {self.n_pages} points back to where page "
                f"{chain.cursors[cursor]} pointed."
            )
        if chain.barren >= MAX_BARREN_PAGES:
            raise BrokenListing(
                f"The listing turns in circles: pages {self.n_pages - chain.barren + 1} to {self.n_pages} "
                "brought nothing new and still claim more."
            )
        chain.cursors[cursor] = self.n_pages
        chain.cursor, chain.done = cursor, False

    def _contradicts(
        self, chain: Chain, ids: Sequence[str], times: Sequence[dt.datetime | None]
    ) -> bool:
        """Tell whether an owner saw an image that the window below it should have listed and did not."""
        older = chain.older
        if older is None or older.restart or older.first is None or older.top_last is None:
            return False
        first, last = older.first, older.top_last
        return any(
            time is not None and last < time <= first and image_id not in older.top
            for image_id, time in zip(ids, times, strict=True)
        )

    def _close(self) -> None:
        """End each chain that has met the next older one: by its times, and by rows that both have read."""
        for chain in self.chains:
            older = chain.older
            if older is None or older.first is None or chain.last is None or chain.done:
                continue
            # One wrong time at the foot of a page is no meeting. Where all the rows to meet are gone by now, a page
            # that brings nothing new is.
            met = older.read_above or chain.barren > 0
            met = met or any(not older.top.isdisjoint(page) for page in chain.lately)
            chain.done = met and chain.last <= older.first


def midnight_after(day: dt.date | None) -> dt.datetime:
    """Give the end of a day, were it UTC's."""
    return dt.datetime.combine(day or dt.date.max, dt.time(), dt.UTC) + dt.timedelta(1)


def _newest_first(last: dt.datetime | None, times: list[dt.datetime]) -> bool:
    above = last is None or not times or last >= times[0]
    return above and times == sorted(times, reverse=True)
