"""Media types in one spelling each."""

from __future__ import annotations

import functools

__all__ = ["media_type"]

# Media types under other names than their registered ones (IANA).
_REGISTERED = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/jfif": "image/jpeg",
    "image/x-jpeg": "image/jpeg",
    "image/x-png": "image/png",
    "image/x-gif": "image/gif",
    "image/x-webp": "image/webp",
    "image/svg": "image/svg+xml",
    "image/x-ms-bmp": "image/bmp",
    "image/x-bmp": "image/bmp",
    "image/tif": "image/tiff",
    "image/x-tiff": "image/tiff",
}


@functools.lru_cache(maxsize=256)
def media_type(text: str) -> str | None:
    """
    Write a media type in one way: in lower case, without parameters, and under its registered name.

    Examples
    --------
    >>> media_type("IMAGE/JPG; charset=binary")
    'image/jpeg'
    """
    kind = text.partition(";")[0].strip().lower()
    return _REGISTERED.get(kind, kind) or None
