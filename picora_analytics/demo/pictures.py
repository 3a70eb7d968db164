"""
The files behind the demo library: drawn when asked for, padded to the promised size.

A file is a real picture in its format, with exactly the pixels and the bytes the listing
gives; what the drawing does not need is filled with the format's own comment or private
chunks. Pillow is imported when the first picture is drawn, not with the package.
"""

from __future__ import annotations

import hashlib
import io
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from picora_analytics.demo.image import DemoImage
from picora_analytics.demo.scenes import scene
from picora_analytics.demo.shapes import WHITE, Shape

if TYPE_CHECKING:
    from PIL.Image import Image

# So many drawings of each scene, shape and format, and padding in pieces of so many bytes: hashes are quick then.
DRAWINGS, PIECE = 4, 16 * 1024
_FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "avif": "AVIF"}


@dataclass(frozen=True, slots=True)
class Change:
    """A processing of a picture on its way out, as asked for in the query."""

    width: int | None
    height: int | None
    fit: str
    extension: str | None
    quality: int


def file_bytes(image: DemoImage) -> bytes:
    """Return the file of an image: its pixels, its type, and exactly its ``size_bytes``."""
    if image.data is not None:
        return image.data
    drawn = _drawn(*_drawing(image))
    head, tail = _parted(drawn, image.extension)
    return b"".join((head, *_filling(image.extension, image.size_bytes - len(drawn)), tail))


def content_hash(image: DemoImage) -> str:
    """
    Return the sha256 of the file, in hex.

    A drawing serves many files, which differ in their padding, so the hash goes on from where the padding of an
    earlier one ended: nothing is drawn for it but the few hundred drawings of a library, once each.
    """
    if image.data is not None:
        return hashlib.sha256(image.data).hexdigest()
    return _started(*_drawing(image)).hash(image.size_bytes)


def _drawing(image: DemoImage) -> tuple[str, int, tuple[int, int], str]:
    """Tell what to draw; images of many artworks share a few drawings."""
    return image.scene, image.artwork % DRAWINGS, image.pixels, image.extension


class _Started:
    """The hashes of a drawing with no, one, two pieces of padding, as far as they were needed."""

    def __init__(self, drawn: bytes, extension: str) -> None:
        self._length, self._extension = len(drawn), extension
        head, self._tail = _parted(drawn, extension)
        self._hashes = [hashlib.sha256(head)]
        self._lock = threading.Lock()

    def hash(self, size_bytes: int) -> str:
        """Give the hash of the file of a size."""
        *pieces, rest = _filling(self._extension, size_bytes - self._length)
        with self._lock:
            while len(self._hashes) <= len(pieces):
                more = self._hashes[-1].copy()
                more.update(pieces[0])
                self._hashes.append(more)
            whole = self._hashes[len(pieces)].copy()
        whole.update(rest + self._tail)
        return whole.hexdigest()


@lru_cache(maxsize=8_192)
def _started(name: str, artwork: int, pixels: tuple[int, int], extension: str) -> _Started:
    return _Started(_draw(name, artwork, pixels, extension), extension)


def processed(image: DemoImage, change: Change) -> tuple[bytes, str]:
    """
    Return the picture processed, and the extension of its format.

    ``inside`` never enlarges; one side alone keeps the proportions. Where the docs are
    silent (an SVG without ``fmt``), the file comes as it is.
    """
    extension = change.extension or image.extension
    if extension == "svg":
        return file_bytes(image), "svg"
    if image.data is not None:
        if image.extension == "svg":
            return image.data, "svg"
        return _processed_upload(image.data, image.pixels, change, extension), extension
    body = _processed_drawing(*_drawing(image)[:3], change, extension)
    return body, extension


@lru_cache(maxsize=512)
def _processed_drawing(
    name: str, artwork: int, pixels: tuple[int, int], change: Change, extension: str
) -> bytes:
    inner, outer = _sizes(pixels, change)
    # Twice the pixels and then halved looks smooth; large ones are drawn as they are.
    finer = 2 if inner[0] * inner[1] < 400_000 else 1
    drawing = _paint(scene(name, artwork, pixels[0] / pixels[1]), inner, finer).convert("RGB")
    return _encode(_framed(drawing.reduce(finer), outer), extension, change.quality)


def _processed_upload(
    data: bytes, pixels: tuple[int, int], change: Change, extension: str
) -> bytes:
    from PIL import Image

    inner, outer = _sizes(pixels, change)
    with Image.open(io.BytesIO(data)) as opened:
        resized = opened.convert("RGB").resize(inner)
    return _encode(_framed(resized, outer), extension, change.quality)


def _sizes(pixels: tuple[int, int], change: Change) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pixels of the scaled picture, and of the frame it is cropped or centred in."""
    wide, high = pixels
    if change.width is None and change.height is None:
        return pixels, pixels
    by_width = change.width / wide if change.width else None
    by_height = change.height / high if change.height else None
    if by_width is None or by_height is None:
        scale = min(by_width or by_height or 1.0, 1.0 if change.fit == "inside" else 1e9)
        inner = (max(1, round(wide * scale)), max(1, round(high * scale)))
        return inner, inner
    asked = (change.width or wide, change.height or high)
    if change.fit == "fill":
        return asked, asked
    choose = min if change.fit in ("inside", "contain") else max
    scale = choose(by_width, by_height)
    if change.fit == "inside":
        scale = min(scale, 1.0)
    inner = (max(1, round(wide * scale)), max(1, round(high * scale)))
    return inner, asked if change.fit in ("cover", "contain") else inner


def _framed(picture: Image, size: tuple[int, int]) -> Image:
    """Crop or centre a picture to a size."""
    if picture.size == size:
        return picture
    from PIL import Image

    frame = Image.new("RGB", size, WHITE)
    frame.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    return frame


def identify(data: bytes) -> tuple[str, tuple[int, int]] | None:
    """Return the extension and the pixels of an uploaded file, or None if it is no picture."""
    start = data[:512].lstrip().lower()
    if start.startswith((b"<svg", b"<?xml", b"<!--")) and b"<svg" in data[:4096].lower():
        return "svg", (480, 480)
    from PIL import Image

    extensions = {name: extension for extension, name in _FORMATS.items()}
    try:
        with Image.open(io.BytesIO(data), formats=list(extensions)) as opened:
            opened.load()
            return extensions[opened.format or ""], opened.size
    except Exception:  # Pillow's decoders raise whatever a broken file makes them raise
        return None


def knows_avif() -> bool:
    """Whether this Pillow can write AVIF."""
    from PIL import features

    return bool(features.check("avif"))


# Drawing


def _draw(name: str, artwork: int, pixels: tuple[int, int], extension: str) -> bytes:
    """Draw a picture and write it as small as is quick; padding follows."""
    shapes = scene(name, artwork, pixels[0] / pixels[1])
    if extension == "svg":
        return _svg(shapes, pixels)
    picture = _paint(shapes, pixels, 1)
    return _encode(picture, extension, quality=50)


_drawn = lru_cache(maxsize=64)(_draw)


def _paint(shapes: list[Shape], size: tuple[int, int], finer: int) -> Image:
    """Paint shapes in palette colours: a byte a pixel is a quarter of the work of RGB."""
    from PIL import Image, ImageDraw

    width, height = size[0] * finer, size[1] * finer
    paper = Image.new("L", (width, height))
    draw = ImageDraw.Draw(paper)
    inks: dict[tuple[int, int, int], int] = {}
    aspect = max((point[0] for shape in shapes[:1] for point in shape.points), default=1.0)
    across, down = width / aspect, height
    for shape in shapes:
        ink = inks.setdefault(shape.color, min(len(inks), 255))
        points = [(x * across, y * down) for x, y in shape.points]
        if shape.kind == "poly":
            draw.polygon(points, fill=ink)
        elif shape.kind == "line":
            draw.line(points, fill=ink, width=max(1, round(shape.radius * 2 * down)), joint="curve")
        else:
            (x0, y0), (x1, y1) = points
            corners = (x0, y0, max(x0, x1 - 1), max(y0, y1 - 1))
            if shape.kind == "oval":
                draw.ellipse(corners, fill=ink)
            elif shape.radius * down > 1:
                draw.rounded_rectangle(corners, shape.radius * down, fill=ink)
            else:
                draw.rectangle(corners, fill=ink)
    paper.putpalette([part for color in inks for part in color][:768])
    return paper


def _encode(picture: Image, extension: str, quality: int) -> bytes:
    by_format: dict[str, dict[str, Any]] = {
        "jpg": {"quality": quality},
        "png": {"compress_level": 1},
        "webp": {"quality": quality, "method": 0, "exif": b"Exif\0\0"},
        "gif": {"optimize": False},
        "avif": {"quality": quality, "speed": 10},
    }
    if extension not in ("png", "gif"):
        picture = picture.convert("RGB")
    buffer = io.BytesIO()
    picture.save(buffer, _FORMATS[extension], **by_format[extension])
    return buffer.getvalue()


def _svg(shapes: list[Shape], pixels: tuple[int, int]) -> bytes:
    width, height = pixels
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">']
    for shape in shapes:
        points = [(round(x * height, 1), round(y * height, 1)) for x, y in shape.points]
        fill = "#{:02x}{:02x}{:02x}".format(*shape.color)
        (x0, y0), (x1, y1) = points[0], points[1]
        if shape.kind == "oval":
            center = f'cx="{(x0 + x1) / 2:g}" cy="{(y0 + y1) / 2:g}"'
            radii = f'rx="{(x1 - x0) / 2:g}" ry="{(y1 - y0) / 2:g}"'
            parts.append(f'<ellipse {center} {radii} fill="{fill}"/>')
        elif shape.kind == "box":
            size = f'width="{x1 - x0:g}" height="{y1 - y0:g}" rx="{shape.radius * height:g}"'
            parts.append(f'<rect x="{x0:g}" y="{y0:g}" {size} fill="{fill}"/>')
        else:
            path = " ".join(f"{x:g},{y:g}" for x, y in points)
            parts.append(f'<polygon points="{path}" fill="{fill}"/>')
    return "\n".join([*parts, "</svg>\n"]).encode()


# Padding, each in the way its format keeps for remarks: equal pieces before the end of the file, and a rest.


def _parted(drawn: bytes, extension: str) -> tuple[bytes, bytes]:
    """Part a drawing where remarks may stand."""
    # WebP tells its length at its beginning; what follows it is no part of the picture (RIFF).
    tails = {"jpg": 2, "png": 12, "gif": 1, "svg": len("</svg>\n"), "webp": 0}
    end = len(drawn) - tails[extension]
    return drawn[:end], drawn[end:]


def _filling(extension: str, n: int) -> list[bytes]:
    """Give padding of exactly so many bytes: equal pieces, then a rest."""
    n_pieces = max(n // PIECE - 1, 0)
    rest = _REMARKS[extension](n - n_pieces * PIECE)
    return [_piece(extension)] * n_pieces + [rest]


@lru_cache
def _piece(extension: str) -> bytes:
    return _REMARKS[extension](PIECE)


def _jpeg_comment(n: int) -> bytes:
    """One comment segment: 4 bytes and up to 65,533 of text."""
    return b"\xff\xfe" + struct.pack(">H", n - 2) + b" " * (n - 4)


def _png_chunk(n: int) -> bytes:
    """One private ancillary chunk."""
    body = b"piPd" + bytes(n - 12)
    return struct.pack(">I", n - 12) + body + struct.pack(">I", zlib.crc32(body))


def _gif_comment(n: int) -> bytes:
    """One comment extension, in blocks of at most 255."""
    full, rest = divmod(n - 3, 256)
    if rest == 1:  # a block is at least its length byte and one more
        full, rest = full - 1, 257
    blocks = (b"\xff" + b" " * 255) * full
    while rest:
        step = min(rest, 200)
        step = step - 2 if rest - step == 1 else step
        blocks += bytes([step - 1]) + b" " * (step - 1)
        rest -= step
    return b"\x21\xfe" + blocks + b"\0"


def _svg_comment(n: int) -> bytes:
    return b"<!--" + b" " * (n - 7) + b"-->"


_REMARKS: dict[str, Callable[[int], bytes]] = {
    "jpg": _jpeg_comment,
    "png": _png_chunk,
    "gif": _gif_comment,
    "svg": _svg_comment,
    "webp": bytes,
}
