"""Pictures to look at in a mode of the panel, marked with what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
import msgspec
import pandas as pd
import traitlets

from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.text import shorten
from picora_analytics.times import day
from picora_analytics.units import format_bytes
from picora_analytics.widgets.gallery.loading import Loader, Picture, Wanted
from picora_analytics.widgets.gallery.script import script

__all__ = ["Tiles"]

_HERE = Path(__file__).parent
# The signs, and how a picture is put into its place, are the gallery's.
_SCRIPTS = (
    *(_HERE.parent / "gallery" / name for name in ("texts.js", "picture.js")),
    _HERE / "tiles.js",
)
_NAME, _WHOLE = 44, 120


class _Want(msgspec.Struct, tag="want"):
    rev: int
    places: list[int]


class _Press(msgspec.Struct, tag="press"):
    rev: int
    place: int


class Tiles(anywidget.AnyWidget):
    """
    Pictures of some images; which ones is said by :meth:`show`.

    No picture is in a trait: they travel as messages, which a saved notebook does not keep.

    Parameters
    ----------
    thumbnails : Thumbnails
        Which the tiles of one panel share.
    kind : {"large", "rows", "small", "map", "strip"}
        Large ones and rows have a name and a note, and large ones may have a button.
    press : callable, optional
        Given the id of a large one whose button was pressed.
    """

    _esm = script(*_SCRIPTS)

    kind = traitlets.Unicode().tag(sync=True)
    tiles = traitlets.Dict().tag(sync=True)
    marks = traitlets.Unicode().tag(sync=True)
    still = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self,
        thumbnails: Thumbnails,
        kind: str,
        *,
        press: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(kind=kind, tiles=_tiles(0, [], "", "", ""))
        self._rows = pd.DataFrame()
        self._rev = 0
        self._press = press
        self._loader = Loader(thumbnails, self._deliver)
        self.on_msg(self._on_message)

    @property
    def ids(self) -> list[str]:
        """The images that are shown, in their order."""
        return [str(one) for one in self._rows.index]

    def show(
        self,
        rows: pd.DataFrame,
        *,
        notes: Mapping[str, str] | None = None,
        label: str = "Pictures",
        more: int = 0,
        press: str = "",
    ) -> None:
        """Show the rows of a frame; `more` are counted in a last tile, and `press` is the text of the buttons."""
        self._rev += 1
        self._rows = rows
        self.marks = ""
        cells = [_cell(str(one), row, notes or {}) for one, row in rows.iterrows()]
        self.tiles = _tiles(self._rev, cells, label, f"+{more:,}" if more else "", press)

    def mark(self, marks: Mapping[str, str]) -> None:
        """Mark images by id: `t` ticked, `g` gone, `x` failed, `n` being done now."""
        text = "".join(marks.get(one, " ") for one in self.ids)
        if text != self.marks:
            self.marks = text

    def _on_message(self, _: Any, content: Any, __: Any) -> None:
        try:
            message = msgspec.convert(content, _Want | _Press)
        except msgspec.ValidationError:
            return
        if message.rev != self._rev:
            return
        if isinstance(message, _Want):
            places = [one for one in message.places if 0 <= one < len(self._rows)]
            self._loader.want(
                [
                    Wanted(message.rev, one, str(self._rows.index[one]), self._rows.iloc[one])
                    for one in places
                ]
            )
        elif self._press is not None and not self.still and 0 <= message.place < len(self._rows):
            self._press(self.ids[message.place])

    def _deliver(self, batch: list[Picture]) -> None:
        found = [one.picture for one in batch]
        content = {
            "type": "thumbs",
            "rev": batch[0].wanted.revision,
            "places": [one.wanted.place for one in batch],
            "kinds": ["" if one is None else one.format for one in found],
            "sizes": [0 if one is None else len(one.data) for one in found],
            "why": [one.why for one in batch],
        }
        self.send(content, [b"".join(one.data for one in found if one is not None)])


def _tiles(rev: int, cells: list[Any], label: str, more: str, press: str) -> dict[str, Any]:
    return {"rev": rev, "cells": cells, "label": label, "more": more, "press": press}


def _cell(image_id: str, row: pd.Series[Any], notes: Mapping[str, str]) -> dict[str, Any]:
    """Give what is said of an image, as plain values."""
    name = image_id if pd.isna(row["filename"]) else row["filename"]
    size, width, height = row["size_bytes"], row["width"], row["height"]
    parts = [] if pd.isna(size) else [format_bytes(int(size))]
    parts += [] if pd.isna(row["created_at"]) else [day(row["created_at"])]
    sized = not pd.isna(width) and not pd.isna(height) and height
    return {
        "name": shorten(name, _NAME),
        "whole": shorten(name, _WHOLE),
        "meta": " · ".join(parts),
        "note": shorten(notes.get(image_id, ""), _WHOLE),
        "seen": "public" if row["is_public"] is True or row["is_public"] == True else "private",  # noqa: E712
        "ratio": float(width) / float(height) if sized else 0,
    }
