"""Is this file the picture it should be? Decoded to find out, under limits: the bytes are untrusted."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from picora_analytics.library.media_types import picture_type
from picora_analytics.text import visible

__all__ = ["MIME_TYPES", "DecodeError", "Picture", "decode_picture"]

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
MIME_TYPES = {**dict(_KINDS.values()), "svg": _SVG}
# A small file may unpack to gigabytes. Pillow itself warns above this many pixels.
MAX_PIXELS = 89_000_000
# An animation is decoded frame by frame up to this many pixels in all, and this many frames: a megabyte holds 60,000.
MAX_ANIMATED = 4 * MAX_PIXELS
MAX_FRAMES = 2_000
# Decoding takes up to 360 MB a picture; two at once are enough to keep up with a network.
_AT_ONCE = threading.BoundedSemaphore(2)
_ORIENTATION = 0x0112
_ON_ITS_SIDE = (5, 6, 7, 8)


class DecodeError(Exception):
    """The file is not the whole picture it should be; the message says why."""


class Picture(NamedTuple):
    """What a file turned out to be: its extension, and its width and height in either direction that may be listed."""

    extension: str
    pixels: tuple[int, int] | None = None  # SVGs have none.
    turned: bool = False  # Stored on its side; services list either.

    def why_not(self, width: int | None, height: int | None) -> str | None:
        """Tell why it is not a picture of the listed size; None if it is, or no size is listed."""
        if self.pixels is None or (width is None and height is None):
            return None
        for found in (self.pixels, self.pixels[::-1])[: 1 + self.turned]:
            if width in (None, found[0]) and height in (None, found[1]):
                return None
        listed = " x ".join("?" if side is None else str(side) for side in (width, height))
        return f"the listing says {listed} pixels, and {self.pixels[0]} x {self.pixels[1]} came"


def decode_picture(
    path: Path, mime_type: str | None, stopped: Callable[[], bool] = lambda: False
) -> Picture:
    """
    Decode a file and tell what it is.

    Parameters
    ----------
    path : Path
    mime_type : str or None
        What the listing calls it; one that says nothing is not compared.
    stopped : callable
        Polled between frames, and while others decode.

    Raises
    ------
    DecodeError
        If it cannot be decoded to its end, is too large to try, or is of another type.
    """
    told = picture_type(mime_type)
    if _read_svg(path, told == _SVG):
        picture = Picture("svg")
    else:
        with _turn(stopped):
            picture = _decode(path, stopped)
    found = MIME_TYPES[picture.extension]
    if told not in (None, found):
        raise DecodeError(f"the listing says {visible(told, 60)}, the bytes are {found}")
    return picture


@contextlib.contextmanager
def _turn(stopped: Callable[[], bool]) -> Iterator[None]:
    while not _AT_ONCE.acquire(timeout=0.2):
        if stopped():
            raise DecodeError("stopped before it was proved")
    try:
        yield
    finally:
        _AT_ONCE.release()


@functools.cache
def _formats() -> list[str]:
    """Give what this Pillow can open; MPO is opened as JPEG, and AVIF is not in every build."""
    from PIL import Image

    Image.init()
    return [name for name in _KINDS if name in Image.OPEN]


def _decode(path: Path, stopped: Callable[[], bool]) -> Picture:
    from PIL import Image

    try:
        with Image.open(path, formats=_formats()) as picture:
            pixels = picture.width * picture.height
            if pixels > MAX_PIXELS:
                raise DecodeError(f"{picture.width} x {picture.height} pixels are too many")
            found = Picture(_KINDS[picture.format or ""][0], picture.size, _is_on_its_side(picture))
            picture.verify()
        with Image.open(path, formats=_formats()) as picture:
            # Not `n_frames`: to count them, Pillow reads them all.
            for frame in range(min(MAX_FRAMES, MAX_ANIMATED // max(pixels, 1))):
                if stopped():
                    raise DecodeError("stopped before it was proved")
                try:
                    picture.seek(frame)
                except EOFError:
                    break
                picture.load()
    except DecodeError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them.
        raise DecodeError(f"it cannot be decoded ({type(error).__name__})") from None
    return found


def _is_on_its_side(picture: Any) -> bool:
    """Tell whether a picture is shown turned by a quarter; AVIF turns without a word in its metadata."""
    if picture.format not in ("JPEG", "MPO", "WEBP"):
        return bool(picture.format == "AVIF")
    try:
        return picture.getexif().get(_ORIENTATION) in _ON_ITS_SIDE
    except Exception:  # Broken metadata around whole pixels.
        return False


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
