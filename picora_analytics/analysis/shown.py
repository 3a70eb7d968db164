"""Answers as people read them: bytes in KiB, MiB and GiB where a table is shown, numbers in its columns."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from picora_analytics.units import format_bytes

__all__ = ["Summary"]

_BYTES = re.compile(r"_bytes(_|$)")


class Summary(pd.DataFrame):
    """
    A DataFrame that shows its columns of bytes in KiB, MiB and GiB; what they hold are numbers.

    Some of its rows or columns, chosen by ``[]``, `head` or `tail`, show the same. Whatever else pandas makes of it
    is a plain DataFrame: a count or a quotient must not be shown as bytes.

    Examples
    --------
    >>> tags = Summary({"tag": ["cat", "red"], "size_bytes": [471_859_200, 700]})
    >>> tags
       tag size_bytes
    0  cat  450.0 MiB
    1  red      700 B
    >>> int(tags["size_bytes"].sum())
    471859900
    """

    @property
    def _constructor(self) -> Any:
        return pd.DataFrame

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        return _shown_as(self, found) if isinstance(found, pd.DataFrame) else found

    def head(self, n: int = 5) -> Summary:  # type: ignore[misc]
        """Give the first rows."""
        return _shown_as(self, super().head(n))

    def tail(self, n: int = 5) -> Summary:  # type: ignore[misc]
        """Give the last rows."""
        return _shown_as(self, super().tail(n))

    def __repr__(self) -> str:
        return repr(_in_units(self))

    def _repr_html_(self) -> Any:
        return _in_units(self)._repr_html_()


def _shown_as(summary: Summary, some: pd.DataFrame) -> Summary:
    found = Summary(some)
    found.attrs = summary.attrs
    return found


def _in_units(table: pd.DataFrame) -> Any:
    """Write the bytes that may be shown as text; of a long table pandas shows the two ends."""
    most = pd.get_option("display.max_rows") or len(table)
    rows = range(len(table))
    ends = {*rows[:most], *rows[max(len(table) - most, 0) :]}
    shown = table.copy(deep=False)
    for place, name in enumerate(table.columns):
        column = table.iloc[:, place]
        if not _BYTES.search(str(name)) or pd.api.types.is_bool_dtype(column.dtype):
            continue
        cells = column.to_numpy(dtype=object).copy()
        for row in ends:
            if not pd.isna(cells[row]):
                cells[row] = format_bytes(cells[row])
        # A Series of objects, for pandas would make text of an array, and NaN of what is missing.
        shown.isetitem(place, pd.Series(cells, table.index, dtype=object))  # type: ignore[arg-type]
    return shown
