"""Rows on their way into the frame: columns of plain values to Arrow."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa

from picora_analytics.library.frame import SCHEMA
from picora_analytics.library.media_types import media_type, type_by_name

__all__ = ["Columns", "microseconds", "table_of"]

Columns = dict[str, list[Any]]

_EPOCH, _MICROSECOND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)


def table_of(columns: Columns, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Make a table; a missing type falls back to the names, and the hash only the change feed tells."""
    n = len(columns["id"])
    types = columns["mime_type"]
    spelled = {kind: kind and media_type(kind) for kind in set(types)}
    if any(kind != own for kind, own in spelled.items()):
        types = [spelled[kind] for kind in types]
    if None in types:
        types = [
            kind or type_by_name(url, name)
            for kind, url, name in zip(types, columns["url"], columns["filename"], strict=True)
        ]
    filled = {**columns, "mime_type": types}
    filled.setdefault("content_hash", [None] * n)
    return pa.Table.from_arrays(
        [_array(filled[field.name], field.type) for field in schema], schema=schema
    )


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_timestamp(kind):
        return pa.array(values, kind)
    # Arrow takes twice as long to read a datetime itself.
    known = [None if value is None else microseconds(value) for value in values]
    return pa.array(known, pa.int64()).cast(kind)


def microseconds(moment: dt.datetime) -> int:
    """Count the microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND
