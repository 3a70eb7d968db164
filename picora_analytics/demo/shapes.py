"""Flat shapes and colours, from which the scenes are composed."""

from __future__ import annotations

import colorsys
from typing import NamedTuple

Color = tuple[int, int, int]
Points = tuple[tuple[float, float], ...]


class Shape(NamedTuple):
    """A flat shape: ``box`` and ``oval`` by two corners, ``poly`` and ``line`` by their points."""

    kind: str
    points: Points
    color: Color
    radius: float = 0.0  # of a box's corners; half the width of a line


def box(x0: float, y0: float, x1: float, y1: float, color: Color, radius: float = 0.0) -> Shape:
    """A rectangle by two corners."""
    return Shape("box", ((x0, y0), (x1, y1)), color, radius)


def disc(x: float, y: float, rx: float, color: Color, ry: float | None = None) -> Shape:
    """An ellipse, or a circle."""
    ry = rx if ry is None else ry
    return Shape("oval", ((x - rx, y - ry), (x + rx, y + ry)), color)


def poly(points: list[tuple[float, float]], color: Color) -> Shape:
    """A polygon."""
    return Shape("poly", tuple(points), color)


def mix(one: Color, other: Color, share: float) -> Color:
    """A color between two."""
    r, g, b = (round(a + (z - a) * share) for a, z in zip(one, other, strict=True))
    return r, g, b


def hsl(hue: float, lightness: float, saturation: float) -> Color:
    """A color by hue, lightness and saturation."""
    r, g, b = colorsys.hls_to_rgb(hue % 1, lightness, saturation)
    return round(r * 255), round(g * 255), round(b * 255)


def hex_color(text: str) -> Color:
    """A color by six hex digits."""
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


def gradient(
    aspect: float, top: Color, bottom: Color, y0: float = 0.0, y1: float = 1.0, steps: int = 40
) -> list[Shape]:
    """A vertical gradient, as stripes."""
    height = (y1 - y0) / steps
    return [
        box(
            0,
            y0 + i * height,
            aspect,
            y0 + (i + 1) * height + 0.01,
            mix(top, bottom, i / (steps - 1)),
        )
        for i in range(steps)
    ]


WHITE: Color = (255, 255, 255)
# Sky above, sky at the horizon, sun, far hills, near hills.
