"""One picture of the demo library, as plain data, and the clock it is dated by."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

NOW = dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

# Picora image ids: 11 characters of the nanoid alphabet, case-sensitive (OpenAPI: Image.id).
ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
MIME_TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
    "avif": "image/avif",
}


@dataclass(frozen=True, slots=True)
class DemoImage:
    """
    One picture of the demo library: what the service says of it, and what it is drawn from.

    Times are milliseconds since 1970 (UTC), as fine as the API writes them. ``width`` and
    ``height`` are missing for SVGs and for pictures still in processing; ``pixels`` is
    what the file really has. Two images with equal ``artwork``, ``pixels``, ``extension``
    and ``size_bytes`` are the same bytes. ``data`` holds the bytes of a real upload.
    """

    id: str
    filename: str
    title: str | None
    extension: str
    size_bytes: int
    pixels: tuple[int, int]
    has_dimensions: bool
    is_public: bool
    tags: tuple[str, ...]
    created_at: int
    updated_at: int
    scene: str
    artwork: int
    data: bytes | None = None

    @property
    def width(self) -> int | None:
        """Width in pixels, where the service tells it."""
        return self.pixels[0] if self.has_dimensions else None

    @property
    def height(self) -> int | None:
        """Height in pixels, where the service tells it."""
        return self.pixels[1] if self.has_dimensions else None

    @property
    def mime_type(self) -> str:
        """The MIME type of the file."""
        return MIME_TYPES[self.extension]


def milliseconds(moment: dt.datetime) -> int:
    """
    Milliseconds since 1970 of an aware datetime.

    Examples
    --------
    >>> milliseconds(NOW)
    1795442400000
    """
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)


def moment_of(instant: int) -> dt.datetime:
    """
    Turn milliseconds since 1970 into a UTC datetime.

    Examples
    --------
    >>> moment_of(1795442400000).isoformat()
    '2026-11-23T14:00:00+00:00'
    """
    return _EPOCH + dt.timedelta(milliseconds=instant)
