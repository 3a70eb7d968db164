"""Is this file the picture it should be? Decoded to find out, under limits: the bytes are untrusted."""

from __future__ import annotations

import functools
import threading
from pathlib import Path
from xml.parsers import expat

__all__ = ["MIME_TYPES", "DecodeError", "picture_format"]

# Pillow's names of what Picora takes (docs, upload page); MPO is a JPEG with a second picture behind it.
_KINDS = {
    "JPEG": ("jpg", "image/jpeg"),
    "MPO": ("jpg", "image/jpeg"),
    "PNG": ("png", "image/png"),
    "GIF": ("gif", "image/gif"),
    "WEBP": ("webp", "image/webp"),
    "AVIF": ("avif", "image/avif"),
}
_SVG = "image/svg+xml"
_SAME = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/apng": "image/png"}
MIME_TYPES = {**dict(_KINDS.values()), "svg": _SVG}
# A small file may unpack to gigabytes. Pillow itself warns above this many pixels.
MAX_PIXELS = 89_000_000
# An animation is decoded frame by frame up to this many pixels in all.
MAX_ANIMATED = 4 * MAX_PIXELS
# Decoding takes up to 360 MB a picture; two at once are enough to keep up with a network.
_AT_ONCE = threading.BoundedSemaphore(2)


class DecodeError(Exception):
    """The file is not the whole picture it should be; the message says why."""


def picture_format(path: Path, mime_type: str | None) -> str:
    """
    Decode a file and give the extension of its format.

    Parameters
    ----------
    path : Path
    mime_type : str or None
        What the listing calls it; a type not known here is not compared.

    Raises
    ------
    DecodeError
        If it cannot be decoded to its end, is too large to try, or is of another type.
    """
    told = _SAME.get(mime_type or "", mime_type)
    extension, found = ("svg", _SVG) if _read_svg(path, told == _SVG) else _decode(path)
    if told in MIME_TYPES.values() and told != found:
        raise DecodeError(f"the listing says {told}, the bytes are {found}")
    return extension


@functools.cache
def _formats() -> list[str]:
    """Give what this Pillow can open; MPO is opened as JPEG, and AVIF is not in every build."""
    from PIL import Image

    Image.init()
    return [name for name in _KINDS if name in Image.OPEN]


def _decode(path: Path) -> tuple[str, str]:
    from PIL import Image

    with _AT_ONCE:
        try:
            with Image.open(path, formats=_formats()) as picture:
                pixels = picture.width * picture.height
                if pixels > MAX_PIXELS:
                    raise DecodeError(f"{picture.width} x {picture.height} pixels are too many")
                kind = _KINDS[picture.format or ""]
                picture.verify()
            with Image.open(path, formats=_formats()) as picture:
                for frame in range(min(getattr(picture, "n_frames", 1), MAX_ANIMATED // pixels)):
                    picture.seek(frame)
                    picture.load()
        except DecodeError:
            raise
        except Exception as error:  # Pillow's decoders raise whatever a broken file makes them.
            raise DecodeError(f"it cannot be decoded ({type(error).__name__})") from None
    return kind


def _read_svg(path: Path, expected: bool) -> bool:
    """Tell whether a file is an SVG; whole and well-formed, or it is an error where one is expected."""
    with path.open("rb") as file:
        if not expected and not file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            return False
        file.seek(0)
        roots: list[str] = []

        def begin(name: str, attributes: dict[str, str]) -> None:
            if not roots:
                roots.append(name.rpartition(" ")[2])

        def refuse(*declaration: object) -> None:
            # Expanded, a kilobyte of them can become gigabytes, or read files of this machine.
            raise DecodeError("it declares XML entities, which are not expanded here")

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = begin
        parser.EntityDeclHandler = refuse
        try:
            parser.ParseFile(file)
        except expat.ExpatError as error:
            if expected:
                why = f"it is no whole SVG ({expat.ErrorString(error.code)})"
                raise DecodeError(why) from None
            roots = []
    if roots != ["svg"]:
        raise DecodeError("it is a page or a text, not a picture")
    return True
