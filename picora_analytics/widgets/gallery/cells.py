"""What a cell of the gallery says of an image: a name, facts, one badge, and what stands in place of its picture."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from picora_analytics.analysis.content import contents
from picora_analytics.analysis.dates import now_of
from picora_analytics.analysis.decided import Decisions, Standing, standing
from picora_analytics.analysis.looked import words_of
from picora_analytics.library.frame import facts_of
from picora_analytics.references.found import (
    COULD_NOT_LOOK,
    FOUND,
    FOUND_BEFORE,
    NOT_FOUND,
    References,
)
from picora_analytics.text import plural, shorten, visible
from picora_analytics.times import day
from picora_analytics.units import format_bytes
from picora_analytics.widgets.gallery.orders import Ints, in_order

__all__ = ["Badge", "Cells", "Evidence", "Withheld"]

NAME = 44  # Columns on two lines of a cell; longer names lose their middle.
WHOLE_NAME = 120
_SHOWN_PLACES = 5


class Badge(NamedTuple):
    """The name of its sign, and its words; both empty for none."""

    sign: str = ""
    text: str = ""


class Withheld(NamedTuple):
    """Which rows a plan would leave out, and what says why."""

    rows: Any
    why: Callable[[int], str]


class Evidence:
    """
    What is known of images beside the frame: references, decisions, equal contents, and a plan's own notes.

    Parameters
    ----------
    images : DataFrame
        Indexed by id.
    references, decisions : optional
        As :func:`plan_deletion` takes them.
    notes : dict of id to Badge, optional
        What stands before everything else, such as why to look twice.
    spared : dict of id to str, optional
        Why a plan leaves images out.

    Raises
    ------
    PlanError
        If the references are of another account, or the decisions cannot be read.
    """

    def __init__(
        self,
        images: pd.DataFrame,
        references: References | None = None,
        decisions: Decisions | None = None,
        *,
        notes: Mapping[str, Badge] | None = None,
        spared: Mapping[str, str] | None = None,
        withheld: Withheld | None = None,
    ) -> None:
        self._images, self._references, self._withheld = images, references, withheld
        self._notes, self._spared = dict(notes or {}), dict(spared or {})
        self._said: Standing = standing(images, decisions)
        self._words = None if references is None else words_of(images, references)
        facts = facts_of(images)
        self._now = None if facts is None else now_of(facts, None, "ImageGallery")

    @cached_property
    def _pages(self) -> dict[str, int]:
        """In how many places each image was found."""
        if self._references is None:
            return {}
        counted = self._references.found.groupby("id")["source"].nunique()
        return {str(one): int(n) for one, n in counted.items()}

    @cached_property
    def _first_of(self) -> Ints:
        """The row of the oldest image of the same content, -1 where there is no other."""
        first = np.full(len(self._images), -1, dtype=np.int64)
        if "content_hash" not in self._images or not self._images["content_hash"].notna().any():
            return first
        codes = contents(self._images)
        oldest = in_order(self._images, "oldest first")
        oldest = oldest[codes[oldest] >= 0]
        different, places = np.unique(codes[oldest], return_index=True)
        own = np.zeros(int(codes.max(initial=-1)) + 2, dtype=np.int64)
        own[different] = oldest[places]
        alone = np.bincount(codes[codes >= 0], minlength=len(own)) < 2
        first = np.where((codes >= 0) & ~alone[codes], own[codes], -1)
        first[first == np.arange(len(first))] = -1
        return first

    def spared(self, row: int) -> str:
        """Say why a plan with these references and decisions would leave an image out; empty if it would not."""
        image_id = str(self._images.index[row])
        why = self._spared.get(image_id) or self._said.spared.get(image_id, "")
        word = None if self._words is None else self._words[row]
        if not why and word == FOUND:
            return f"in {plural(self._pages.get(image_id, 1), 'page')}"
        if not why and word == COULD_NOT_LOOK:
            return "could not look everywhere"
        return why or ("" if self._withheld is None else self._withheld.why(row))

    @cached_property
    def spared_rows(self) -> Any:
        """Which rows a plan would leave out."""
        ids = self._images.index
        rows = ids.isin([*self._spared, *self._said.spared])
        if self._words is not None:
            rows |= np.isin(self._words.astype(str), [FOUND, COULD_NOT_LOOK])
        return rows if self._withheld is None else rows | self._withheld.rows

    def badge(self, row: int) -> Badge:
        """Give the one thing worth saying of an image that the whole view does not say already."""
        image_id = str(self._images.index[row])
        if image_id in self._notes:
            return self._notes[image_id]
        if image_id in self._spared:
            return Badge("shield", f"spared: {self._spared[image_id]}")
        said = self._said.of.get(image_id)
        if said == "keep":
            return Badge("pin", "kept")
        word = None if self._words is None else self._words[row]
        if word == FOUND:
            return Badge("link", plural(self._pages.get(image_id, 1), "page"))
        if word == FOUND_BEFORE:
            return Badge("link", "found before")
        first = int(self._first_of[row])
        if first >= 0:
            name: Any = self._images["filename"].iat[first]
            text = self._images.index[first] if pd.isna(name) else name
            return Badge("copy", f"duplicate of {shorten(text, 30)}")
        if said == "hidden":
            return Badge("eyeoff", self._hidden(image_id))
        if said in ("later", "delete"):
            return Badge("clock" if said == "later" else "trash", f"decided: {said}")
        return Badge("nolink", NOT_FOUND) if word == NOT_FOUND else Badge()

    def _hidden(self, image_id: str) -> str:
        since = self._said.hidden_since.get(image_id)
        if since is None or self._now is None:
            return "hidden"
        return f"hidden {plural(max((self._now - since).days, 0), 'day')}"

    def places(self, row: int) -> tuple[str, list[tuple[str, str]]]:
        """Say whether an image is in the pages that were searched, and give the first places: where, and the line."""
        if self._references is None or self._words is None:
            return "nobody looked in your pages", []
        image_id, found = str(self._images.index[row]), self._references.found
        rows = found[found["id"] == image_id]
        lines = [
            (f"{shorten(source, 60)}:{line}", visible(text, 160))
            for source, line, text in zip(
                rows["source"].tolist(), rows["line"].tolist(), rows["text"].tolist(), strict=True
            )
        ]
        n = self._pages.get(image_id, 0)
        words = {FOUND: f"in {plural(n, 'page')}", NOT_FOUND: "not found in your pages"}
        return words.get(self._words[row], str(self._words[row])), lines[:_SHOWN_PLACES]


class Cells:
    """
    The texts of the cells, made for the rows that are asked for.

    Parameters
    ----------
    images : DataFrame
        Indexed by id, with the columns of a loaded library.
    evidence : Evidence
    """

    def __init__(self, images: pd.DataFrame, evidence: Evidence) -> None:
        self._images, self._evidence = images, evidence

    def block(self, rows: Ints) -> dict[str, list[Any]]:
        """Give cells as columns, for rows of the frame."""
        part = self._images.iloc[rows]
        badges = [self._evidence.badge(row) for row in rows.tolist()]
        sizes = [_size(one) for one in part["size_bytes"]]
        return {
            "name": [_name(one, NAME) for one in part["filename"]],
            "whole": [_name(one, WHOLE_NAME) for one in part["filename"]],
            "size": sizes,
            "date": [_day(one) for one in part["created_at"]],
            "pixels": [_pixels(*one) for one in zip(part["width"], part["height"], strict=True)],
            "kind": [_kind(one) for one in part["mime_type"]],
            "seen": [_seen(one) for one in part["is_public"]],
            "sign": [one.sign for one in badges],
            "badge": [one.text for one in badges],
            "spared": [self._evidence.spared(row) for row in rows.tolist()],
            "ratio": [_ratio(*one) for one in zip(part["width"], part["height"], strict=True)],
        }

    def detail(self, row: int) -> dict[str, Any]:
        """Give everything that is known of one image: facts as pairs of texts, and where it is used."""
        image = self._images.iloc[row]
        status, places = self._evidence.places(row)
        title = image.get("title")
        tags = image.get("tags")
        facts = [
            ("Title", "none" if _missing(title) else visible(title, WHOLE_NAME)),
            ("Size", _size(image["size_bytes"])),
            ("Pixels", _pixels(image["width"], image["height"])),
            ("Type", _kind(image["mime_type"])),
            ("Uploaded", _day(image["created_at"])),
            ("Last edit", _day(image.get("updated_at"))),
            ("Seen by", _seen(image["is_public"])),
            ("Tags", _tags(tags)),
            ("Address", visible(image["url"], WHOLE_NAME)),
            ("Id", visible(self._images.index[row], 40)),
        ]
        return {
            "name": _name(image["filename"], WHOLE_NAME),
            "facts": facts,
            "status": status,
            "places": places,
            "id": visible(self._images.index[row], 40),
            "spared": self._evidence.spared(row),
            "badge": list(self._evidence.badge(row)),
        }


def _missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _name(value: Any, columns: int) -> str:
    return "(no name)" if _missing(value) else shorten(value, columns)


def _size(value: Any) -> str:
    return "size unknown" if _missing(value) else format_bytes(int(value))


def _day(value: dt.datetime | Any) -> str:
    return "date unknown" if _missing(value) else day(value)


def _pixels(width: Any, height: Any) -> str:
    if _missing(width) or _missing(height):
        return "no pixel size"
    return f"{int(width)} × {int(height)}"


def _ratio(width: Any, height: Any) -> float:
    if _missing(width) or _missing(height) or not int(height) or not int(width):
        return 0.0
    return round(int(width) / int(height), 3)


def _kind(value: Any) -> str:
    if _missing(value):
        return "unknown type"
    return shorten(str(value).removeprefix("image/").removesuffix("+xml"), 20).upper()


def _seen(value: Any) -> str:
    return "unknown" if _missing(value) else "public" if value else "private"


def _tags(tags: Any) -> str:
    if not isinstance(tags, tuple | list | np.ndarray):
        return "not known"
    return visible(", ".join(map(str, tags)), 300) if len(tags) else "none"
