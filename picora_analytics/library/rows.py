"""Rows on their way into the frame: columns of plain values to Arrow."""

from __future__ import annotations

import datetime as dt
import functools
import mimetypes
import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from picora_analytics.library.frame import SCHEMA

__all__ = ["Columns", "media_type", "microseconds", "table_of"]

Columns = dict[str, list[Any]]

_EPOCH, _MICROSECOND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(microseconds=1)

# The formats Picora stores (docs, upload page); the standard library knows some only on some platforms.
_MIME_TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".svg": "image/svg+xml",
}
# Names in use beside the registered ones (IANA media types; RFC 9110: parameters and case tell nothing here).
_ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/x-gif": "image/gif",
    "image/tif": "image/tiff",
    "image/x-png": "image/png",
    "image/svg": "image/svg+xml",
    "image/x-webp": "image/webp",
    "image/x-ms-bmp": "image/bmp",
}


def table_of(columns: Columns, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Make a table; a missing type falls back to the names, and the hash only the change feed tells."""
    n = len(columns["id"])
    types = [kind and media_type(kind) for kind in columns["mime_type"]]
    if None in types:
        types = [
            kind or _mime_type(url, name)
            for kind, url, name in zip(types, columns["url"], columns["filename"], strict=True)
        ]
    filled = {**columns, "mime_type": types}
    filled.setdefault("content_hash", [None] * n)
    return pa.Table.from_arrays(
        [_array(filled[field.name], field.type) for field in schema], schema=schema
    )


@functools.lru_cache(maxsize=1024)  # A library has a handful.
def media_type(text: str) -> str | None:
    """
    Spell a media type one way: lower case, no parameters, the registered name; None for an empty one.

    Examples
    --------
    >>> media_type("IMAGE/JPG; charset=binary"), media_type(" ; ")
    ('image/jpeg', None)
    """
    name = text.partition(";")[0].strip().lower()
    return _ALIASES.get(name, name) or None


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    if not pa.types.is_timestamp(kind):
        return pa.array(values, kind)
    # Arrow takes twice as long to read a datetime itself.
    known = [None if value is None else microseconds(value) for value in values]
    return pa.array(known, pa.int64()).cast(kind)


def microseconds(moment: dt.datetime) -> int:
    """Count the microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def _mime_type(url: str, filename: str | None) -> str | None:
    """Fall back to the URL's extension, then to the file name's: the URL names what is stored."""
    for name in (re.split("[?#]", url, maxsplit=1)[0], filename or ""):
        suffix = Path(name).suffix.lower()
        kind = _MIME_TYPES.get(suffix) or mimetypes.types_map.get(suffix)
        if kind is not None and kind.startswith("image/"):
            return kind
    return None
