"""Which images are chosen, by id, and in which order they are listed: no widget, and no picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import total_bytes
from picora_analytics.widgets.gallery.orders import ORDERS, Ints, in_order

__all__ = ["Bools", "Selection", "Tally"]

Bools = npt.NDArray[np.bool_]

UNDONE = 100  # Gestures that can be undone; each takes an eighth of a byte an image.


class Tally(NamedTuple):
    """How many images, how many bytes, and how many a rule could not tell of."""

    n_images: int
    size_bytes: int
    unknown: int = 0


class Selection:
    """
    The images that are chosen, and the list in which they are looked at.

    What is chosen is chosen by id: neither an order, a filter, a search, a refresh nor a deletion changes which
    images are meant. A gesture names places in the list as it is now; what the list does not show stays as it is,
    except when everything is deselected.

    Not thread-safe: callers that share it between threads hold a lock.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        Indexed by id, each id once.
    order : str, optional
        One of :data:`ORDERS`, or of `orders`, whose first it is by default.
    orders : dict of str to array of int, optional
        Orders of the frame's rows beside :data:`ORDERS`; a refresh ends them.

    Attributes
    ----------
    images : DataFrame
    listed : array of int
        Rows of the frame, in the order of the list.
    chosen : array of bool
        By row of the frame. Read it; the methods change it.
    orders : tuple of str
        The orders there are.
    revision : int
        Counts the lists: a place belongs to one of them.
    changes : int
        Counts the gestures that may have changed what is chosen.

    Raises
    ------
    SchemaError
        If an id stands twice.
    """

    def __init__(
        self,
        images: pd.DataFrame,
        *,
        order: str | None = None,
        orders: Mapping[str, Ints] | None = None,
    ) -> None:
        self.images = _checked(images)
        self.chosen = np.zeros(len(images), dtype=bool)
        self.there = np.ones(len(images), dtype=bool)
        self._orders: dict[str, Ints] = dict(orders or {})
        self.orders = (*self._orders, *ORDERS)
        self.order, self.revision = order or next(iter(self._orders), "newest first"), 0
        self._shown: Bools | None = None
        self._found: Bools | None = None
        self._before: list[npt.NDArray[np.uint8]] = []
        self.changes = 0
        self._sizes = _sizes(images)
        self._list()

    # The list

    def _list(self) -> None:
        if self.order not in self._orders:
            self._orders[self.order] = in_order(self.images, self.order)
        rows = self._orders[self.order]
        wanted = self.matching
        self.listed = rows if wanted.all() else rows[wanted[rows]]
        self.revision += 1

    @property
    def matching(self) -> Bools:
        """Which rows the filter and the search let through."""
        wanted = self.there.copy()
        for one in (self._shown, self._found):
            if one is not None:
                wanted &= one
        return wanted

    def sort(self, order: str) -> None:
        """List in another order, one of `orders`."""
        before, self.order = self.order, order
        try:
            self._list()
        except ValueError:
            self.order = before
            raise

    def show(self, rows: Bools | None) -> None:
        """List some rows only; None lists all."""
        self._shown = None if rows is None else rows.copy()
        self._list()

    def find(self, rows: Bools | None) -> None:
        """List what a search found, of what is shown; None ends the search."""
        self._found = None if rows is None else rows.copy()
        self._list()

    # The choice

    def set(self, first: int, last: int, on: bool) -> None:
        """Choose the stretch from one place of the list to another, both included, or take it out."""
        rows = self._stretch(first, last)
        self._choose(rows, np.full(len(rows), on))

    def toggle(self, place: int) -> None:
        """Choose the image at a place, or take it out."""
        rows = self._stretch(place, place)
        self._choose(rows, ~self.chosen[rows])

    def all(self) -> None:
        """Add everything listed."""
        self._choose(self.listed, np.full(len(self.listed), True))

    def none(self) -> None:
        """Take everything out, what the list does not show included."""
        self.choose(np.zeros_like(self.chosen))

    def invert(self) -> None:
        """Swap chosen and not chosen within the list."""
        self._choose(self.listed, ~self.chosen[self.listed])

    def choose(self, rows: Bools) -> None:
        """Choose exactly these rows."""
        self._remember()
        self.chosen = rows & self.there

    def undo(self) -> bool:
        """Go back to what was chosen before the last gesture; False if there is none to undo."""
        if not self._before:
            return False
        self.chosen = _unpacked(self._before.pop(), len(self.chosen)) & self.there
        self.changes += 1
        return True

    @property
    def undoable(self) -> int:
        """How many gestures can be undone."""
        return len(self._before)

    def _stretch(self, first: int, last: int) -> Ints:
        low, high = sorted((first, last))
        return self.listed[max(low, 0) : max(high + 1, 0)]

    def _choose(self, rows: Ints, on: Bools) -> None:
        if len(rows):
            self._remember()
            self.chosen[rows] = on

    def _remember(self) -> None:
        self._before.append(np.packbits(self.chosen))
        self.changes += 1
        del self._before[:-UNDONE]

    # What becomes of the library

    def remove(self, ids: Iterable[str]) -> None:
        """Take out images that were deleted, of the list, the choice and what can be undone."""
        gone = self.images.index.isin(list(ids))
        self.there &= ~gone
        self.chosen &= self.there
        self.changes += 1
        kept = np.packbits(self.there)
        self._before = [one & kept for one in self._before]
        self._list()

    def refresh(self, images: pd.DataFrame) -> None:
        """
        Take the library as it was read anew: what was chosen stays chosen by id, and new images are not chosen.

        A filter goes on to show the images it showed; the caller searches again.
        """
        places = _checked(images).index.get_indexer(self.images.index)
        places[~self.there] = -1
        kept = np.flatnonzero(places >= 0)

        def moved(rows: Bools) -> Bools:
            fresh = np.zeros(len(images), dtype=bool)
            fresh[places[kept]] = rows[kept]
            return fresh

        before = (moved(_unpacked(one, len(self.chosen))) for one in self._before)
        self._before = [np.packbits(one) for one in before]
        self._shown = None if self._shown is None else moved(self._shown)
        self._found = None
        self.chosen = moved(self.chosen)
        self.changes += 1
        self.images, self.there = images, np.ones(len(images), dtype=bool)
        self._orders, self._sizes, self.orders = {}, _sizes(images), tuple(ORDERS)
        self.order = self.order if self.order in ORDERS else "newest first"
        self._list()

    # Counts

    def tally(self, rows: Bools) -> Tally:
        """Add up some rows."""
        return Tally(int(np.count_nonzero(rows)), total_bytes(pd.Series(self._sizes[rows])))

    @property
    def n_hidden(self) -> int:
        """How many chosen images the list does not show."""
        return int(np.count_nonzero(self.chosen)) - int(np.count_nonzero(self.chosen[self.listed]))

    @property
    def mask(self) -> pd.Series[Any]:
        """The choice as a boolean Series over the ids of the frame."""
        return pd.Series(self.chosen.copy(), self.images.index, dtype="boolean", name="selected")


def _checked(images: pd.DataFrame) -> pd.DataFrame:
    if not images.index.is_unique:
        twice = images.index[images.index.duplicated()][0]
        raise SchemaError(
            f"The id {twice!r} stands twice in this frame, so a choice of it would be ambiguous; pass the frame "
            "as load_images made it, or images[~images.index.duplicated()]."
        )
    return images


def _sizes(images: pd.DataFrame) -> Ints:
    return images["size_bytes"].to_numpy(dtype=np.int64, na_value=0)


def _unpacked(bits: npt.NDArray[np.uint8], n: int) -> Bools:
    return np.unpackbits(bits, count=n).astype(bool)
