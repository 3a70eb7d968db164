"""What a picture takes as a WebP of good quality: encoded to find out, under limits, for the bytes are untrusted."""

from __future__ import annotations

import io
import warnings
from typing import Any

__all__ = ["UntriedError", "reencoded_size"]

# Near the quality that WebP's own tools start from (cwebp: 75, method 4); few colors are kept as they are.
QUALITY, METHOD, FLAT_COLORS = 80, 4, 256
# A small file may unpack to gigabytes. Pillow itself warns above this many pixels.
MAX_PIXELS = 89_000_000
# An animation is encoded frame by frame, all of them in memory.
MAX_ANIMATED, MAX_FRAMES = 60_000_000, 500
_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]
_MOVING = ("PNG", "WEBP", "GIF")


class UntriedError(Exception):
    """A picture could not be tried; the message says why."""


def reencoded_size(data: bytes, max_edge: int) -> int:
    """
    Give the bytes of a picture scaled down to a longer edge and encoded as WebP of quality 80.

    Of up to 256 colors it is lossless, as drawings and pictures of the screen should be. What a picture tells of its
    camera and place goes, its colors' profile stays.

    Raises
    ------
    UntriedError
        If it cannot be decoded, or has too many pixels or frames.
    """
    from PIL import Image, ImageOps  # Takes a while to import.

    Image.init()
    try:
        with warnings.catch_warnings():
            # Of pixels, which are counted here, and of broken metadata.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
                pixels = picture.width * picture.height
                if pixels > MAX_PIXELS:
                    raise UntriedError(f"{picture.width} x {picture.height} pixels are too many")
                if picture.format in _MOVING and getattr(picture, "is_animated", False):
                    return _animated(picture, pixels, max_edge)
                return _still(ImageOps.exif_transpose(picture), max_edge)
    except UntriedError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them.
        raise UntriedError(f"it cannot be decoded ({type(error).__name__})") from None


def _still(picture: Any, max_edge: int) -> int:
    flat = picture.getcolors(FLAT_COLORS) is not None
    profile = picture.info.get("icc_profile") if picture.mode != "CMYK" else None
    out = io.BytesIO()
    kept = {"icc_profile": profile} if profile else {}
    _scaled(picture, max_edge).save(
        out, "WEBP", quality=QUALITY, method=METHOD, lossless=flat, **kept
    )
    return out.tell()


def _scaled(picture: Any, max_edge: int) -> Any:
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    scaled = picture.convert("RGBA" if transparent else "RGB")
    if max(scaled.size) > max_edge:
        scaled.thumbnail((max_edge, max_edge))
    return scaled


def _animated(picture: Any, pixels: int, max_edge: int) -> int:
    most = min(MAX_FRAMES, MAX_ANIMATED // max(pixels, 1))
    frames, pauses = [], []
    for number in range(most + 1):  # Not `n_frames`: to count them, Pillow reads them all.
        try:
            picture.seek(number)
        except EOFError:
            break
        if number == most:
            raise UntriedError(f"over {most:,} frames are too many to try")
        frames.append(_scaled(picture, max_edge))
        pauses.append(int(picture.info.get("duration") or 100))
    out = io.BytesIO()
    more = {"save_all": True, "append_images": frames[1:], "duration": pauses}
    frames[0].save(out, "WEBP", quality=QUALITY, method=METHOD, **more)
    return out.tell()
