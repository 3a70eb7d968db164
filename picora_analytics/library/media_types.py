"""One vocabulary of media types: services, cameras and programs spell the same format in many ways."""

from __future__ import annotations

import functools
import mimetypes
import re
from pathlib import PurePosixPath

__all__ = ["EXTENSIONS", "format_name", "media_type", "picture_type", "type_by_name"]

# The formats that pictures are met in, and what the names of their files end in (IANA; docs, upload page).
EXTENSIONS = {
    "image/jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "image/png": ("png",),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
    "image/avif": ("avif",),
    "image/svg+xml": ("svg", "svgz"),
    "image/bmp": ("bmp", "dib"),
    "image/tiff": ("tif", "tiff"),
    "image/heic": ("heic", "heif"),
}
# Names in use beside the registered ones; an APNG is a PNG, and a sequence of AVIF is an AVIF.
_ALIASES = {
    "jpg": "jpeg",
    "jpe": "jpeg",
    "jfif": "jpeg",
    "pjpeg": "jpeg",
    "apng": "png",
    "vnd.mozilla.apng": "png",
    "avif-sequence": "avif",
    "svg": "svg+xml",
    "svg-xml": "svg+xml",
    "tif": "tiff",
    "ms-bmp": "bmp",
    "windows-bmp": "bmp",
}
_NAMES = {"webp": "WebP", "svg+xml": "SVG"}
_BY_EXTENSION = {f".{end}": kind for kind, ends in EXTENSIONS.items() for end in ends}


@functools.lru_cache(maxsize=1024)  # A library has a handful.
def media_type(text: str) -> str | None:
    """
    Spell a media type one way: lower case, no parameters, the registered name; None for an empty one.

    Case and parameters tell nothing here (RFC 9110), nor does "x-" before a name that is known without it.

    Examples
    --------
    >>> media_type("IMAGE/JPG; charset=binary"), media_type("image/x-png"), media_type(" ; ")
    ('image/jpeg', 'image/png', None)
    """
    name = text.partition(";")[0].strip().lower()
    if not name.startswith("image/"):
        return name or None
    short = name.removeprefix("image/").removeprefix("x-")
    known = f"image/{_ALIASES.get(short, short)}"
    return known if known in EXTENSIONS else name


def picture_type(text: str | None) -> str | None:
    """
    Spell the media type of a picture one way; None for one that does not say which kind of picture.

    Examples
    --------
    >>> picture_type("Image/PJPEG"), picture_type("application/octet-stream"), picture_type("image/*")
    ('image/jpeg', None, None)
    """
    kind = media_type(text or "")
    return kind if kind is not None and re.fullmatch(r"image/[^*]+", kind) else None


def type_by_name(url: str, filename: str | None) -> str | None:
    """Tell a media type by the extension of the address, which names what is stored, else of the file name."""
    for name in (re.split("[?#]", url, maxsplit=1)[0], filename or ""):
        end = PurePosixPath(name).suffix.lower()
        kind = _BY_EXTENSION.get(end) or mimetypes.types_map.get(end, "")
        if kind.startswith("image/"):
            return media_type(kind)
    return None


def format_name(text: str) -> str:
    """
    Name a format as people do; what is not known is shown as it is.

    Examples
    --------
    >>> format_name("image/webp"), format_name("image/jpg"), format_name("image/svg+xml"), format_name("video/mp4")
    ('WebP', 'JPEG', 'SVG', 'video/mp4')
    """
    kind = media_type(text)
    if kind not in EXTENSIONS:
        return text
    name = kind.removeprefix("image/")
    return _NAMES.get(name, name.upper())
