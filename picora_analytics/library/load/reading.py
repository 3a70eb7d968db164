"""A load as a state machine: pages in, requests out, and at the end whether the library was read whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from picora_analytics.client.shapes import Listing
from picora_analytics.library.frame import Tags
from picora_analytics.library.load.collected import Held
from picora_analytics.library.load.cutting import Pace, next_cut
from picora_analytics.library.load.planning import Ask, BrokenListing, Cut, Planner

__all__ = ["Reading"]

# The chain that reads the newest pages again at the end, for what was uploaded meanwhile.
HEAD = -1
# Where the service says that a request is wrong: the cursor has expired, or it knows no dates.
WRONG = (400, 410, 422)


class Reading:
    """
    What has been read, what to ask for next, and whether it is whole.

    Nothing here does I/O, so a killed load goes on by being told the same pages and cuts again.

    Parameters
    ----------
    whole : bool
        Whether the listing is of the whole library, which the service may count.
    expected : callable
        Tells how many images the library had when it was last read; asked only if it seems empty.
    """

    def __init__(self, *, whole: bool = True, expected: Callable[[], int] = lambda: 0) -> None:
        self.planner = Planner()
        self.held = Held()
        self.done = False
        self.whole = whole
        self.unreadable: dict[str, int] = {}
        self.repeated = 0
        self.first_time: dt.datetime | None = None
        self._last_time: dt.datetime | None = None
        self._expected = expected
        self._totals: list[int] = []
        self._uploaded = self._conflicting = 0
        self._checked_alone = False
        self._head_cursor: str | None = None
        self._head_asked = False
        self._head_seen: set[str | None] = set()

    # Requests out

    def next_cut(self, pace: Pace) -> Cut | None:
        """Give a cut worth making; it counts when it is given to :meth:`cut`."""
        return next_cut(self.planner, pace)

    def cut(self, cut: Cut) -> None:
        """Carry out a cut: one of :meth:`next_cut` or :meth:`refused`, or one read from a checkpoint."""
        if cut.chain == 0:  # A cut of everything: the first chain does it alone from here.
            self._checked_alone = True
            self.planner.alone()
            self._forget()
        else:
            self.planner.cut(cut)

    def asks(self) -> list[Ask]:
        """Give the pages to ask for now; each is then under way."""
        if not self.planner.done:
            return self.planner.asks()
        if self.done or self._head_asked:
            return []
        self._head_asked = True
        return [Ask(HEAD, self._head_cursor, None)]

    def gave_up(self) -> None:
        """Count nothing as under way any more."""
        self.planner.gave_up()
        self._head_asked = False

    # Pages in

    def counts(self, chain: int) -> bool:
        """Tell whether a page of this chain is to be kept in a checkpoint."""
        return self.planner.find(chain) is not None

    def take(self, chain: int, listing: Listing) -> Cut | None:
        """
        Take a page.

        Returns
        -------
        Cut or None
            A cut to be made at once: too few images came by windows, so one chain reads it all.

        Raises
        ------
        BrokenListing
            If the listing cannot be followed to its end.
        """
        if chain != HEAD and not self.counts(chain):
            return None
        self.first_time = self.first_time or listing.server_time
        self._last_time = listing.server_time
        if self.whole and listing.total is not None and chain in (0, HEAD):
            self._totals.append(listing.total)
            self.planner.total = listing.total
        for name, count in listing.unreadable.items():
            self.unreadable[name] = self.unreadable.get(name, 0) + count
        if chain == HEAD:
            self._take_head(listing)
        else:
            self._take_page(chain, listing)
        if not self.done or self.missing() is None:
            return None
        if self._checked_alone or not any(one.end_date for one in self.planner.chains):
            return None
        self.done = self._head_asked = False
        return Cut(0, 0, None)

    def _take_page(self, number: int, listing: Listing) -> None:
        columns = listing.columns
        ids, times = columns["id"], columns["created_at"]
        n_new = self.held.n_new(ids)
        if n_new < len(ids):
            self.repeated += max(0, len(ids) - n_new - self._shared_rows(number, times))
        doubt = not ids and self.planner.n_pages == 0 and bool(listing.total or self._expected())
        newer = self.held.n_newer
        try:
            keep = self.planner.took(
                number,
                ids,
                times,
                listing.next_cursor,
                n_new=n_new,
                known=bool(ids) and ids[0] in self.held,
                doubt=doubt,
            )
        except BrokenListing:
            self.held.add(number, columns)
            raise
        if keep:
            self.held.add(number, columns)
        self._conflicting += self.held.n_newer - newer
        self._forget()
        if keep and listing.has_more and listing.next_cursor is None:
            raise BrokenListing(
                f"The listing breaks off: page {self.planner.n_pages} says that more follows, and gives no cursor."
            )
        # A listing of one page was true at one moment; a longer one may have changed on the way.
        self.done = self.planner.done and self.planner.n_pages == 1

    def _shared_rows(self, number: int, times: list[dt.datetime | None]) -> int:
        """Count the rows of a page that another chain has read as well: the seam of two chains."""
        chains = self.planner.chains
        at = next(i for i, chain in enumerate(chains) if chain.number == number)
        chain = chains[at]
        low = chain.older.first if chain.older else None
        high = chains[at - 1].last if at else None
        return sum(
            time is None
            or (low is not None and time <= low)
            or (high is not None and time >= high)
            or chain.rest
            for time in times
            if low is not None or high is not None
        )

    def _take_head(self, listing: Listing) -> None:
        ids, before = listing.columns["id"], len(self.held)
        known = any(one in self.held for one in ids)
        self.held.add(HEAD, listing.columns, only_new=True)
        self._uploaded += len(self.held) - before
        self._head_asked = False
        self._head_seen.add(self._head_cursor)
        self._head_cursor = listing.next_cursor
        self.done = known or listing.next_cursor is None
        if not self.done and listing.next_cursor in self._head_seen:
            raise BrokenListing(
                "The listing turns in circles: read again from the top, it did not come to a known image."
            )

    def refused(self, ask: Ask, status: int) -> tuple[bool, Cut | None]:
        """
        Tell whether the load goes on after a 4xx answer, and with which cut.

        Returns
        -------
        tuple of bool and (Cut or None)
        """
        if ask.chain == HEAD:
            again = status in WRONG and ask.cursor is not None
            self._head_asked, self._head_cursor = False, None
            return again, None
        if not self.counts(ask.chain):
            return True, None
        window = ask.cursor is None and ask.end_date is not None
        if status not in WRONG and not (window and status not in (401, 429)):
            return False, None
        cut = self.planner.refused(ask)
        if cut is None and window:
            self._forget()
            return True, None
        return cut is not None, cut

    def _forget(self) -> None:
        """Drop the rows of chains that no longer count."""
        if self.planner.dropped:
            self.held.drop(self.planner.dropped)
            self.planner.dropped = set()
            self.planner.n_images = len(self.held)

    # The verdict

    @property
    def n_images(self) -> int:
        """How many different images are held."""
        return len(self.held)

    @property
    def n_pages(self) -> int:
        """How many pages were read, the last look at the newest ones not counted."""
        return self.planner.n_pages

    @property
    def total(self) -> int | None:
        """What the service counted last."""
        return self._totals[-1] if self._totals else None

    def missing(self) -> int | None:
        """
        Tell whether images are missing that nothing explains.

        Returns
        -------
        int or None
            What the service counts, where that does not fit what was read; None where it does.
        """
        if not self._totals:
            return None
        first, last, most = self._totals[0], self._totals[-1], max(self._totals)
        # The first page was counted before any of the later uploads, and those are all on the newest pages.
        read = self.n_images - self._uploaded
        if most > first + self._uploaded or read > first:
            return most if most > first + self._uploaded else last
        if self.n_images < last or (read < first and self.repeated):
            return last
        return None

    def checks(self) -> dict[str, Any]:
        """Give what was noticed, for the facts of the frame."""
        found: dict[str, Any] = {
            "n_pages": self.n_pages,
            "repeated": self.repeated,
            "unreadable": self.unreadable,
        }
        edited = self.held.n_newer - self._conflicting
        deleted = self._totals[0] + self._uploaded - self._totals[-1] if self._totals else None
        if self._conflicting:
            found["conflicting"] = self._conflicting
        if self._uploaded or edited or deleted:
            found["changed_while_reading"] = {
                "uploaded": self._uploaded,
                "edited": edited,
                "deleted": deleted,  # None: the service does not count, so nobody knows.
                "from": _iso(self.first_time),
                "to": _iso(self._last_time),
            }
        return found

    def table(self) -> tuple[pa.Table, list[Tags]]:
        """Give the rows, newest upload first, and their different tags; the reading is over then."""
        table, tags = self.held.table([HEAD, *(chain.number for chain in self.planner.chains)])
        if self._uploaded:
            # What the newest pages showed at the end may be no upload, but a row they had left out before.
            table = table.sort_by([("created_at", "descending"), ("id", "descending")])
        return table, tags


def _iso(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
