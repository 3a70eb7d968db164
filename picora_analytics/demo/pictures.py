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
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from picora_analytics.demo.library import DemoImage
from picora_analytics.demo.scenes import WHITE, Shape, scene

if TYPE_CHECKING:
    from PIL.Image import Image

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
    drawn = _drawn(image.scene, image.artwork, image.pixels, image.extension)
    return _PADDERS[image.extension](drawn, image.size_bytes - len(drawn))


def content_hash(image: DemoImage) -> str:
    """
    Return the sha256 of the file, in hex.

    The file is drawn for it (some milliseconds), once in a process.
    """
    if image.data is not None:
        return hashlib.sha256(image.data).hexdigest()
    return _drawn_hash(image.scene, image.artwork, image.pixels, image.extension, image.size_bytes)


@lru_cache(maxsize=200_000)
def _drawn_hash(
    name: str, artwork: int, pixels: tuple[int, int], extension: str, size_bytes: int
) -> str:
    drawn = _draw(name, artwork, pixels, extension)
    return hashlib.sha256(_PADDERS[extension](drawn, size_bytes - len(drawn))).hexdigest()


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
    body = _processed_drawing(image.scene, image.artwork, image.pixels, change, extension)
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


# Padding, each in the way its format keeps for remarks


def _pad_jpeg(data: bytes, n: int) -> bytes:
    """Comment segments after the start marker: 4 bytes each and up to 65,533 of text."""
    parts = []
    while n > 65_537:
        step = 65_537 if n - 65_537 >= 4 else 60_000
        parts.append(b"\xff\xfe" + struct.pack(">H", step - 2) + b" " * (step - 4))
        n -= step
    parts.append(b"\xff\xfe" + struct.pack(">H", n - 2) + b" " * (n - 4))
    return b"".join((data[:2], *parts, data[2:]))


def _pad_png(data: bytes, n: int) -> bytes:
    """One private ancillary chunk before IEND."""
    body = b"piPd" + bytes(n - 12)
    chunk = struct.pack(">I", n - 12) + body + struct.pack(">I", zlib.crc32(body))
    return b"".join((data[:-12], chunk, data[-12:]))


def _pad_gif(data: bytes, n: int) -> bytes:
    """One comment extension before the trailer, in blocks of at most 255."""
    full, rest = divmod(n - 3, 256)
    if rest == 1:  # a block is at least its length byte and one more
        full, rest = full - 1, 257
    blocks = (b"\xff" + b" " * 255) * full
    while rest:
        step = min(rest, 200)
        step = step - 2 if rest - step == 1 else step
        blocks += bytes([step - 1]) + b" " * (step - 1)
        rest -= step
    return b"".join((data[:-1], b"\x21\xfe", blocks, b"\0", data[-1:]))


def _pad_webp(data: bytes, n: int) -> bytes:
    """One unknown RIFF chunk at the end; WebP files are even, and so are the library's."""
    grown = data[:4] + struct.pack("<I", len(data) + n - 8) + data[8:]
    return b"".join((grown, b"PADD", struct.pack("<I", n - 8), bytes(n - 8)))


def _pad_svg(data: bytes, n: int) -> bytes:
    """One comment before the end tag."""
    return data.replace(b"</svg>", b"<!--" + b" " * (n - 7) + b"--></svg>")


_PADDERS = {"jpg": _pad_jpeg, "png": _pad_png, "gif": _pad_gif, "webp": _pad_webp, "svg": _pad_svg}
