"""Rows on their way into the frame: columns of plain values to Arrow."""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path
from typing import Any

import pyarrow as pa

from picora_analytics.library.frame import SCHEMA

__all__ = ["Columns", "table_of"]

Columns = dict[str, list[Any]]

# The formats Picora stores (docs, upload page); the standard library knows some only on some platforms.
_MIME_TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".svg": "image/svg+xml",
}


def table_of(columns: Columns, schema: pa.Schema = SCHEMA) -> pa.Table:
    """Make a table; a missing type falls back to the names, and the hash only the change feed tells."""
    n = len(columns["id"])
    types = columns["mime_type"]
    if None in types:
        types = [
            kind or _mime_type(url, name)
            for kind, url, name in zip(types, columns["url"], columns["filename"], strict=True)
        ]
    filled = {**columns, "mime_type": types}
    filled.setdefault("content_hash", [None] * n)
    return pa.Table.from_arrays(
        [pa.array(filled[field.name], field.type) for field in schema], schema=schema
    )


def _mime_type(url: str, filename: str | None) -> str | None:
    """Fall back to the URL's extension, then to the file name's: the URL names what is stored."""
    for name in (re.split("[?#]", url, maxsplit=1)[0], filename or ""):
        suffix = Path(name).suffix.lower()
        kind = _MIME_TYPES.get(suffix) or mimetypes.types_map.get(suffix)
        if kind is not None and kind.startswith("image/"):
            return kind
    return None
