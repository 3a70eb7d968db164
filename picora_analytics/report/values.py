"""Cells and tables as plain values: what JSON can hold, with strangers' text made visible."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.text import visible

__all__ = ["a_few", "known_bytes", "plain_value", "row_of", "rows_of"]


def plain_value(value: Any) -> Any:
    """Turn a cell into a JSON value."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        moment = value.tz_convert("UTC")
        return f"{moment.year:04}-{moment:%m-%dT%H:%M:%SZ}"  # %Y writes the year 1 as one digit.
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return int(value) if isinstance(value, int | np.integer) else float(value)


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give each row by the names of its columns."""
    columns = [[plain_value(value) for value in table[name]] for name in table.columns]
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def row_of(table: pd.DataFrame) -> dict[str, Any]:
    """Give the only row."""
    return rows_of(table)[0]


def known_bytes(rows: list[dict[str, Any]], name: str = "size_bytes") -> int:
    """Add up what is known."""
    return sum(row[name] or 0 for row in rows)


def a_few(
    images: pd.DataFrame, rows: Any, most: int, *, seen_first: bool = False
) -> list[dict[str, Any]]:
    """Give the largest of some images; if asked, before them those that can be shown, which are public."""
    names = ["filename", "size_bytes", "is_public"]
    some = images[names].iloc[np.flatnonzero(rows)]
    order = {"size": some["size_bytes"].fillna(-1)}
    if seen_first:
        order = {"seen": some["is_public"].fillna(False).astype(bool)} | order
    some = some.assign(**order).sort_values([*order], ascending=False, kind="stable").head(most)
    ids = [visible(one) for one in some.index]
    return [{"id": one, **row} for one, row in zip(ids, rows_of(some[names]), strict=True)]
