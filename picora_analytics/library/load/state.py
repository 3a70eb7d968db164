"""A load as a state machine: pages in, requests out, and at the end whether the library was read whole."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from picora_analytics.client.shapes import Listing
from picora_analytics.library.frame import Tags
from picora_analytics.library.load.collected import CollectedRows
from picora_analytics.library.load.planning import BrokenListing, PageRequest, Planner, Split
from picora_analytics.library.load.splitting import Pace, next_split
from picora_analytics.text import plural
from picora_analytics.times import format_instant

__all__ = ["LoadState"]

# The chain that reads the newest pages again at the end, for what was uploaded meanwhile.
RECHECK = -1
# Images uploaded since a page was counted may exceed its total; a listing that goes on beyond this never ends.
PAST_THE_COUNT = 200
# Where the service says that a request is wrong: the cursor has expired, or it knows no dates.
WRONG = (400, 410, 422)


class LoadState:
    """
    What has been read, what to ask for next, and whether it is whole.

    Nothing here does I/O, so a killed load resumes by replaying the same pages and splits.

    Parameters
    ----------
    whole : bool
        Whether the listing is of the whole library, which the service may count.
    expected : callable
        Tells how many images the library had when it was last read; asked only if it seems empty.
    """

    def __init__(self, *, whole: bool = True, expected: Callable[[], int] = lambda: 0) -> None:
        self.planner = Planner()
        self.collected = CollectedRows()
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
        self._recheck_cursor: str | None = None
        self._recheck_asked = False
        self._recheck_seen: set[str | None] = set()

    def next_split(self, pace: Pace) -> Split | None:
        """Return a split worth making; it takes effect in :meth:`split`."""
        return next_split(self.planner, pace)

    def split(self, split: Split) -> None:
        """Carry out a split: one from :meth:`next_split` or :meth:`refused`, or one read from a checkpoint."""
        if split.chain == 0:  # A split of everything: from here the first chain reads it alone.
            self._checked_alone = True
            self.planner.drop_windows()
            self._forget()
        else:
            self.planner.split(split)

    def requests(self) -> list[PageRequest]:
        """Return the pages to request now; each is under way from here on."""
        if not self.planner.done:
            return self.planner.requests()
        if self.done or self._recheck_asked:
            return []
        self._recheck_asked = True
        return [PageRequest(RECHECK, self._recheck_cursor, None)]

    def gave_up(self) -> None:
        """Mark nothing as under way."""
        self.planner.gave_up()
        self._recheck_asked = False

    def counts(self, chain: int) -> bool:
        """Whether a page of this chain belongs in a checkpoint."""
        return self.planner.find(chain) is not None

    def take(self, chain: int, listing: Listing) -> Split | None:
        """
        Take a page.

        Returns
        -------
        Split or None
            A split to make at once: windows brought too few images, so one chain reads everything.

        Raises
        ------
        BrokenListing
            If the listing cannot be followed to its end.
        """
        if chain != RECHECK and not self.counts(chain):
            return None
        self.first_time = self.first_time or listing.server_time
        self._last_time = listing.server_time
        if self.whole and listing.total is not None and chain in (0, RECHECK):
            self._totals.append(listing.total)
            self.planner.total = listing.total
        for name, count in listing.unreadable.items():
            self.unreadable[name] = self.unreadable.get(name, 0) + count
        if chain == RECHECK:
            self._take_recheck(listing)
        else:
            self._take_page(chain, listing)
        if not self.done or self.missing() is None:
            return None
        if self._checked_alone or not any(one.end_date for one in self.planner.chains):
            return None
        self.done = self._recheck_asked = False
        return Split(0, 0, None)

    def _take_page(self, number: int, listing: Listing) -> None:
        columns = listing.columns
        ids, times = columns["id"], columns["created_at"]
        n_new = self.collected.n_new(ids)
        if n_new < len(ids):
            self.repeated += max(0, len(ids) - n_new - self._shared_rows(number, times))
        doubt = not ids and self.planner.n_pages == 0 and bool(listing.total or self._expected())
        newer = self.collected.n_newer
        try:
            keep = self.planner.took(
                number,
                ids,
                times,
                listing.next_cursor,
                n_new=n_new,
                known=bool(ids) and ids[0] in self.collected,
                doubt=doubt,
            )
        except BrokenListing:
            self.collected.add(number, columns)
            raise
        if keep:
            self.collected.add(number, columns)
        if self._totals and self.n_images > max(self._totals) + PAST_THE_COUNT:
            raise BrokenListing(
                f"The listing does not end: {plural(self.n_images, 'image')} in {plural(self.planner.n_pages, 'page')}"
                f", where the service counts {max(self._totals):,}."
            )
        self._conflicting += self.collected.n_newer - newer
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
            or chain.restart
            for time in times
            if low is not None or high is not None
        )

    def _take_recheck(self, listing: Listing) -> None:
        ids, before = listing.columns["id"], len(self.collected)
        known = any(image_id in self.collected for image_id in ids)
        self.collected.add(RECHECK, listing.columns, only_new=True)
        self._uploaded += len(self.collected) - before
        self._recheck_asked = False
        self._recheck_seen.add(self._recheck_cursor)
        self._recheck_cursor = listing.next_cursor
        self.done = known or listing.next_cursor is None
        if not self.done and listing.next_cursor in self._recheck_seen:
            raise BrokenListing(
                "The listing turns in circles: read again from the top, it did not come to a known image."
            )

    def refused(self, request: PageRequest, status: int) -> tuple[bool, Split | None]:
        """
        Whether the load goes on after a 4xx answer, and with which split.

        Returns
        -------
        tuple of bool and (Split or None)
        """
        if request.chain == RECHECK:
            again = status in WRONG and request.cursor is not None
            self._recheck_asked, self._recheck_cursor = False, None
            return again, None
        if not self.counts(request.chain):
            return True, None
        window = request.cursor is None and request.end_date is not None
        if status not in WRONG and not (window and status not in (401, 429)):
            return False, None
        split = self.planner.refused(request)
        if split is None and window:
            self._forget()
            return True, None
        return split is not None, split

    def _forget(self) -> None:
        """Drop the rows of chains that no longer count."""
        if self.planner.dropped:
            self.collected.drop(self.planner.dropped)
            self.planner.dropped = set()
            self.planner.n_images = len(self.collected)

    def holds(self, image_id: str) -> bool:
        """Tell whether an image was read."""
        return image_id in self.collected

    @property
    def n_images(self) -> int:
        """How many different images are held."""
        return len(self.collected)

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
        """Give what was noticed, for the facts of the frame; call it after :meth:`table`."""
        unreadable = Counter(self.unreadable) + Counter(self.collected.contradicted)
        found: dict[str, Any] = {
            "n_pages": self.n_pages,
            "repeated": self.repeated,
            "unreadable": dict(unreadable),
        }
        if self.collected.n_contradicting:
            found["contradicting"] = self.collected.n_contradicting
        edited = self.collected.n_newer - self._conflicting
        deleted = self._totals[0] + self._uploaded - self._totals[-1] if self._totals else None
        if self._conflicting:
            found["conflicting"] = self._conflicting
        if self._uploaded or edited or deleted:
            found["changed_while_reading"] = {
                "uploaded": self._uploaded,
                "edited": edited,
                "deleted": deleted,  # None: the service does not count, so nobody knows.
                "from": self.first_time and format_instant(self.first_time),
                "to": self._last_time and format_instant(self._last_time),
            }
        return found

    def table(self) -> tuple[pa.Table, list[Tags]]:
        """Give the rows, newest upload first, and their different tags; the load is over then."""
        table, tags = self.collected.table(
            [RECHECK, *(chain.number for chain in self.planner.chains)]
        )
        if self._uploaded:
            # What the newest pages showed at the end may be no upload, but a row they had left out before.
            table = table.sort_by([("created_at", "descending"), ("id", "descending")])
        return table, tags
