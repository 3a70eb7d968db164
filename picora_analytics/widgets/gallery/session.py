"""What a gallery knows and answers, without a widget and without a picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from picora_analytics.text import plural, visible
from picora_analytics.units import format_bytes
from picora_analytics.widgets.gallery import messages
from picora_analytics.widgets.gallery.cells import Cells, Evidence
from picora_analytics.widgets.gallery.going import place_of
from picora_analytics.widgets.gallery.groups import Groups
from picora_analytics.widgets.gallery.orders import ORDERS, Ints, stretches
from picora_analytics.widgets.gallery.searching import having
from picora_analytics.widgets.gallery.selection import Bools, Selection

__all__ = ["Answer", "GallerySession"]

_BY_DATE, _BY_SIZE, _BY_NAME, _GO_BY_NUMBER = "2023-05", "5 MiB", "the beginning of a name", "#120"
_GO = {
    name: {"created_at": _BY_DATE, "size_bytes": _BY_SIZE, "filename": _BY_NAME}[order.column]
    for name, order in ORDERS.items()
}
FIRST = 40  # Cells that come with the widget itself, so that it paints without asking.
_LEVELS = 15


class Answer(NamedTuple):
    """What goes back to the page: a message and its buffers; and whether the list or the choice is another now."""

    content: dict[str, Any] | None = None
    buffers: tuple[bytes, ...] = ()
    listed: bool = False
    chosen: bool = False


class GallerySession:
    """
    A list of images, what is chosen of it, and the answers to a page that shows it.

    Not thread-safe: callers that share it between threads hold a lock.

    Parameters
    ----------
    images : DataFrame
        Indexed by id, with the columns of a loaded library.
    evidence : Evidence
    orders : dict of str to array of int, optional
        Orders of the frame's rows beside those that every list has; the first is the one to begin with.
    groups : Groups, optional
        Of duplicates.
    selection : Selection, optional
        Of the same images, where something else knows it too.
    """

    def __init__(
        self,
        images: pd.DataFrame,
        evidence: Evidence,
        *,
        orders: Mapping[str, Ints] | None = None,
        groups: Groups | None = None,
        selection: Selection | None = None,
    ) -> None:
        self.selection = Selection(images, orders=orders) if selection is None else selection
        self.evidence, self.groups = evidence, groups
        self.cells = Cells(images, evidence)
        self.text = ""
        self.acknowledged = 0
        self._changes = 0
        self._find_stretches()

    # What a page shows without asking

    def view(self) -> dict[str, Any]:
        """Give the facts of the list."""
        selection = self.selection
        tally = selection.tally(selection.matching)
        n, size = int(selection.there.sum()), format_bytes(tally.size_bytes)
        whole = "" if tally.n_images == n else f" of {n:,}"
        return {
            "rev": selection.revision,
            "total": len(selection.listed),
            "count": f"{tally.n_images:,}",
            "of": f"{whole} · {size}" if whole else f"{'image' if n == 1 else 'images'} · {size}",
            "order": selection.order,
            "orders": list(selection.orders),
            "text": self.text,
            "rail": [[one.start, one.label, one.name] for one in self._stretches],
            "go": _GO.get(selection.order, _GO_BY_NUMBER),
            "groups": 0 if self.groups is None else len(self.groups),
        }

    def choice(self) -> dict[str, Any]:
        """Give what is chosen, in numbers and words, and how much of each stretch of the rail."""
        self._changes += 1
        selection = self.selection
        tally = selection.tally(selection.chosen)
        spared = int(np.count_nonzero(selection.chosen & self.evidence.spared_rows))
        hidden = selection.n_hidden
        more = [f"{hidden:,} not in this list"] if hidden else []
        more += [f"{spared:,} would be spared"] if spared else []
        return {
            "seq": self._changes,
            "ack": self.acknowledged,
            "n": tally.n_images,
            "text": f"{tally.n_images:,} selected",
            "size": format_bytes(tally.size_bytes),
            "more": " · ".join(more),
            "undo": selection.undoable > 0,
            "rail": self._levels(),
        }

    def first(self) -> dict[str, Any]:
        """Give the first cells."""
        return self._block(0, FIRST)

    def _find_stretches(self) -> None:
        selection = self.selection
        known = selection.order in ORDERS
        self._stretches = (
            stretches(selection.images, selection.listed, selection.order) if known else []
        )
        self._starts = np.array([one.start for one in self._stretches], dtype=np.int64)

    def _levels(self) -> str:
        """Write for each stretch, as one hexadecimal digit, how much of it is chosen; 0 is nothing at all."""
        if not len(self._starts) or not self.selection.chosen.any():
            return ""
        chosen = self.selection.chosen[self.selection.listed]
        counts = np.add.reduceat(chosen, self._starts, dtype=np.int64)
        lengths = np.diff(self._starts, append=len(chosen))
        return "".join(f"{one:x}" for one in np.ceil(_LEVELS * counts / lengths).astype(int))

    # What happens in Python

    def relist(self) -> None:
        """Bring the rail in line after the list changed."""
        self._find_stretches()

    def find(self, text: str) -> None:
        """List what has every word of a text."""
        self.text = text.strip()
        self.selection.find(having(self.selection.images, text) if self.text else None)
        self._find_stretches()

    def sort(self, order: str) -> None:
        """List in another order."""
        self.selection.sort(order)
        self._find_stretches()

    def refresh(self, images: pd.DataFrame, evidence: Evidence) -> None:
        """Take the library as it was read anew."""
        self.selection.refresh(images)
        self.evidence, self.cells = evidence, Cells(images, evidence)
        self.find(self.text)

    def row(self, place: int) -> int | None:
        """Give the row of the frame at a place of the list; None beyond its end."""
        listed = self.selection.listed
        return int(listed[place]) if 0 <= place < len(listed) else None

    # What a page says

    def answer(self, message: messages.Message) -> Answer:
        """Answer a message; places of a list that is gone are answered by nothing, or by `stale`."""
        if isinstance(message, messages.Find):
            self.find(message.text)
            return Answer(listed=True)
        if isinstance(message, messages.Sort):
            if message.order not in self.selection.orders:
                raise messages.ProtocolError(f"There is no order {visible(message.order, 40)!r}.")
            self.sort(message.order)
            return Answer(listed=True)
        rev = getattr(message, "rev", None)
        if rev is not None and rev != self.selection.revision:
            if isinstance(message, messages.Select) and message.op in ("none", "undo"):
                return self._select(message)  # These name no place.
            return Answer({"type": "stale", "rev": self.selection.revision, "id": message.id})
        if isinstance(message, messages.Rows):
            return Answer(self._block(message.a, message.b) | {"id": message.id})
        if isinstance(message, messages.Marks):
            marks = self._chosen(message.a, message.b)
            content = {"type": "marks", "rev": rev, "a": message.a, "n": len(marks)}
            return Answer(content, (np.packbits(marks).tobytes(),))
        if isinstance(message, messages.Select):
            return self._select(message)
        if isinstance(message, messages.Open):
            return self._open(message)
        if isinstance(message, messages.Group):
            return self._group(message)
        if isinstance(message, messages.Go):
            place = place_of(
                self.selection.images, self.selection.listed, self.selection.order, message.text
            )
            if place is None:
                example = _GO.get(self.selection.order, _GO_BY_NUMBER)
                text = f"“{visible(message.text, 40)}” is no place of this list; write {example}."
                raise messages.ProtocolError(text)
            return Answer({"type": "go", "rev": rev, "place": place})
        return Answer()

    def _block(self, a: int, b: int) -> dict[str, Any]:
        rows = self.selection.listed[a:b]
        chosen = self.selection.chosen[rows].astype(int).tolist()
        head = {"type": "rows", "rev": self.selection.revision, "a": a, "chosen": chosen}
        return head | self.cells.block(rows)

    def _chosen(self, a: int, b: int) -> Bools:
        return self.selection.chosen[self.selection.listed[a:b]]

    def _select(self, message: messages.Select) -> Answer:
        selection = self.selection
        self.acknowledged = message.id
        if message.op in ("set", "clear"):
            selection.set(message.a, message.b, message.op == "set")
        elif message.op == "toggle":
            selection.toggle(message.a)
        else:
            getattr(selection, message.op)()
        return Answer(chosen=True)

    def _open(self, message: messages.Open) -> Answer:
        row = self.row(message.place)
        if row is None:
            return Answer()
        head = {"type": "detail", "rev": message.rev, "place": message.place}
        where = f"{message.place + 1:,} of {len(self.selection.listed):,}"
        chosen = bool(self.selection.chosen[row])
        return Answer(head | {"where": where, "chosen": chosen} | self.cells.detail(row))

    def _group(self, message: messages.Group) -> Answer:
        if self.groups is None or not 0 <= message.n < len(self.groups):
            return Answer()
        rows = self.groups.rows(message.n)
        places = np.full(len(self.selection.images), -1, dtype=np.int64)
        places[self.selection.listed] = np.arange(len(self.selection.listed))
        content = self.groups.describe(message.n, self.cells)
        for row, member in zip(rows.tolist(), content["members"], strict=True):
            member["place"] = int(places[row])
            member["chosen"] = bool(self.selection.chosen[row])
        return Answer({"type": "group", "rev": message.rev, "n": message.n} | content)

    def said(self) -> str:
        """Say in a sentence what is chosen, for those who cannot see it."""
        tally = self.selection.tally(self.selection.chosen)
        return f"{plural(tally.n_images, 'image')} selected, {format_bytes(tally.size_bytes)}"
