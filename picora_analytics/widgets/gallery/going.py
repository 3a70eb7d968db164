"""Going to a place of a list by what people call it: a month, a size, the beginning of a name, or a number."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.units import parse_bytes
from picora_analytics.widgets.gallery.orders import ORDERS, Ints, numbers_of

__all__ = ["place_of"]

_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")


def place_of(images: pd.DataFrame, listed: Ints, order: str, text: str) -> int | None:
    """
    Give the first place of a list that fits a text; None if it cannot be read.

    Parameters
    ----------
    images : DataFrame
    listed : array of int
        Rows of the frame, in this order.
    order : str
        One of :data:`ORDERS`, or of a list's own, which knows places only.
    text : str
        A year, a month or a day (2023-05) in a list by date, a size (5 MiB) in one by size, the beginning of a name in
        one by name; and in each the number of a place, counted from 1, as #120.

    Examples
    --------
    >>> images = make_images(created_at=["2026-03-01", "2025-02-01", "2024-01-01"])
    >>> [place_of(images, np.arange(3), "newest first", one) for one in ("2025", "2025-01", "#3", "x")]
    [1, 2, 2, None]
    """
    text = text.strip()
    number = re.fullmatch(r"#?(\d{1,12})", text)
    column, ascending = ORDERS.get(order, (None, True))
    if number and (text.startswith("#") or column is None):
        return max(min(int(number[1]), len(listed)) - 1, 0)
    if not text or column is None or not len(listed):
        return None
    if column == "filename":
        return _by_name(images["filename"].iloc[listed], text, ascending)
    found = _period(text) if column == "created_at" else _size(text)
    if found is None:
        return None
    first, last = found
    numbers, missing = numbers_of(images[column].iloc[listed])
    known = numbers[~missing]  # What is missing stands last.
    if ascending:
        place = int(np.searchsorted(known, first, "left"))
    else:
        place = len(known) - int(np.searchsorted(known[::-1], last, "right"))
    return min(place, len(listed) - 1)


def _period(text: str) -> tuple[int, int] | None:
    """Give the first and the last microsecond of a year, a month or a day."""
    parts = _DAY.fullmatch(text)
    if parts is None:
        return None
    given = [one for one in parts.groups() if one is not None]
    try:
        iso = "-".join([given[0], *(one.zfill(2) for one in given[1:])])
        start = np.datetime64(iso)  # Of a year, a month or a day, whatever it says.
    except ValueError:
        return None
    moments = np.array([start, start + 1]).astype("datetime64[us]").view(np.int64)
    return int(moments[0]), int(moments[1]) - 1


def _size(text: str) -> tuple[int, int] | None:
    try:
        size = parse_bytes(text)
    except (ValueError, TypeError):
        return None
    return size, size


def _by_name(names: pd.Series[Any], text: str, ascending: bool) -> int:
    """Find the first name that is not before the text, by halves: the list is in order, missing names at its end."""
    wanted, low, high = text.lower(), 0, len(names)
    while low < high:
        middle = (low + high) // 2
        name: Any = names.iat[middle]
        key = None if pd.isna(name) else str(name).lower()
        if key is not None and (key < wanted if ascending else key[: len(wanted)] > wanted):
            low = middle + 1
        else:
            high = middle
    return min(low, len(names) - 1)
