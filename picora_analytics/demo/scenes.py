"""
What the demo's pictures show: lists of flat shapes, made from a number alone.

Heights run from 0 (top) to 1, widths from 0 to the aspect ratio, so a scene is the same
at every size. :mod:`~picora_analytics.demo.pictures` turns shapes into files.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from picora_analytics.demo.shapes import (
    WHITE,
    Color,
    Shape,
    box,
    disc,
    gradient,
    hex_color,
    hsl,
    mix,
    poly,
)


def scene(name: str, artwork: int, aspect: float) -> list[Shape]:
    """
    Compose a scene.

    Parameters
    ----------
    name : str
        One of the scenes of the demo library, such as ``"landscape"`` or ``"window"``.
    artwork : int
        Decides everything else.
    aspect : float
        Width over height.
    """
    rng = random.Random(artwork)  # noqa: S311  a picture, not a secret
    return _SCENES[name](rng, aspect)


_SKIES = tuple(
    tuple(hex_color(part) for part in text.split())
    for text in (
        "2b5876 f7cdb0 fff1d0 6c7a9c 27364d",
        "5aa9e6 dff3ff fffbe0 8fb8a8 2f6b4f",
        "f2709c ffd8a8 fff3c4 b65b84 4a2545",
        "0f2027 3c6478 f5f3ce 27475a 0b1c26",
        "8ec5fc e0c3fc ffffff 9a8fc7 4d4b82",
        "ff9a56 ffe7b8 fffbe6 c46a4a 5b2f2b",
        "4ca1af e6efe4 fffdf0 7fae9c 2c5f57",
        "355c7d f8b195 ffe9c9 8a6f8f 3b3a55",
        "a1c4fd f5fbff fffef2 a9bccb 50708a",
        "1a2a6c b8576a fdd78e 57396b 1d1b3a",
        "89d4cf fdf6d8 ffffff b7c68b 5b7b3a",
    )
)


# Coordinates read best a few to a line.
# fmt: off


def _ridge(
    rng: random.Random, aspect: float, base: float, height: float, rough: float
) -> list[tuple[float, float]]:
    """A line of hills from edge to edge: a few waves, and peaks where it is rough."""
    waves = [
        (rng.uniform(0.6, 1.6) * (i + 1), rng.uniform(0, 7), height / (i + 1.4)) for i in range(3)
    ]
    points = []
    for step in range(65):
        x = aspect * step / 64
        y = base - sum(size * math.sin(k * x * 2 + shift) for k, shift, size in waves) / 2
        points.append((x, y - rough * height * abs(math.sin(x * 9 + waves[0][1])) * rng.random()))
    return points


def _landscape(rng: random.Random, aspect: float) -> list[Shape]:
    top, low, sun, far, near = rng.choice(_SKIES)
    horizon = rng.uniform(0.55, 0.72)
    shapes = gradient(aspect, top, low, 0, horizon + 0.1)
    night = sum(top) < 170
    if night:
        for _ in range(40):
            shapes.append(disc(rng.uniform(0, aspect), rng.uniform(0, 0.5), 0.0022, WHITE))
    sun_x, sun_y, sun_r = rng.uniform(0.15, 0.85) * aspect, rng.uniform(0.16, 0.48), 0.07
    sun_r *= rng.uniform(0.7, 1.6)
    sky_there = mix(top, low, sun_y / (horizon + 0.1))
    for ring in (2.2, 1.6, 1.0):
        shapes.append(disc(sun_x, sun_y, sun_r * ring, mix(sun, sky_there, (ring - 1) * 0.68)))
    for _ in range(0 if night else rng.randrange(4)):
        x, y, size = rng.uniform(0, aspect), rng.uniform(0.08, 0.4), rng.uniform(0.03, 0.06)
        cloud = mix(WHITE, mix(top, low, y), 0.25)
        shapes += [disc(x + dx * size, y + dy * size, size * r, cloud, size * r * 0.62)
                   for dx, dy, r in ((-1.5, 0.25, 1), (0, 0, 1.5), (1.3, 0.2, 1.1), (2.4, 0.4, 0.7))]
    layers = rng.randrange(3, 6)
    sea = rng.random() < 0.4
    for layer in range(layers):
        depth = layer / (layers - 1)
        base = horizon + (0.04 if sea else 0.34) * depth
        ridge = _ridge(rng, aspect, base, 0.16 * (1 - 0.55 * depth), 0.5 * (1 - depth))
        color = mix(mix(far, low, 0.45), near, depth)
        shapes.append(poly([*ridge, (aspect, 1.1), (0.0, 1.1)], color))
        if depth == 1 and not sea:
            shapes += _trees(rng, ridge, mix(near, (0, 0, 0), 0.35))
    if sea:
        shore = horizon + 0.06
        shapes += gradient(aspect, mix(low, top, 0.35), mix(top, near, 0.5), shore, 1.0, 24)
        for step in range(11):
            y, half = shore + 0.015 + step * 0.03, sun_r * rng.uniform(0.3, 1.1)
            shapes.append(box(sun_x - half, y, sun_x + half, y + 0.007,
                               mix(sun, low, 0.3 + step * 0.05), 0.003))
    return shapes


def _trees(rng: random.Random, ridge: list[tuple[float, float]], color: Color) -> list[Shape]:
    """A few firs along the front hill."""
    shapes = []
    for x, y in rng.sample(ridge, rng.randrange(4, 15)):
        size = rng.uniform(0.05, 0.13)
        shapes.append(box(x - size * 0.04, y - 0.02, x + size * 0.04, y + 0.02, color))
        for floor in range(3):
            foot, half = y - floor * size * 0.28, size * (0.3 - floor * 0.07)
            shapes.append(poly([(x - half, foot), (x, foot - size * 0.5), (x + half, foot)], color))
    return shapes


def _still(rng: random.Random, aspect: float) -> list[Shape]:
    hue = rng.random()
    wall, table = hsl(hue, 0.86, 0.45), hsl(hue + rng.choice((0.05, 0.5)), 0.62, 0.35)
    shapes = gradient(aspect, mix(wall, WHITE, 0.4), wall, 0, 0.72)
    shapes += gradient(aspect, table, mix(table, (0, 0, 0), 0.18), 0.7, 1.0, 16)
    things = max(1, min(3, round(aspect * rng.uniform(0.9, 2.2))))
    for place in range(things):
        x = aspect * (place + 0.5) / things + rng.uniform(-0.04, 0.04)
        color = hsl(hue + rng.choice((0.08, 0.33, 0.45, 0.55, 0.92)), rng.uniform(0.4, 0.6), 0.5)
        size, foot = rng.uniform(0.17, 0.23), 0.84 + rng.uniform(-0.02, 0.03)
        dark, light = mix(color, (0, 0, 0), 0.25), mix(color, WHITE, 0.35)
        shapes.append(disc(x + 0.02, foot, size * 0.95, mix(table, (0, 0, 0), 0.3), size * 0.13))
        kind = rng.randrange(5)
        if kind == 0:  # a mug
            shapes += [
                disc(x + size * 0.75, foot - size * 0.75, size * 0.42, dark),
                disc(x + size * 0.75, foot - size * 0.75, size * 0.26, wall),
                box(x - size * 0.7, foot - size * 1.4, x + size * 0.7, foot, color, size * 0.18),
                box(x - size * 0.55, foot - size * 1.2, x - size * 0.4, foot - size * 0.2, light,
                     size * 0.07),
                disc(x, foot - size * 1.38, size * 0.7, dark, size * 0.14),
            ]
        elif kind == 1:  # a bottle
            shapes += [
                box(x - size * 0.2, foot - size * 2.8, x + size * 0.2, foot - size, dark, 0.01),
                box(x - size * 0.5, foot - size * 1.9, x + size * 0.5, foot, color, size * 0.3),
                box(x - size * 0.5, foot - size * 1.2, x + size * 0.5, foot - size * 0.5, light),
                box(x - size * 0.24, foot - size * 3, x + size * 0.24, foot - size * 2.7, light,
                     0.01),
            ]
        elif kind == 2:  # a plant in its pot
            leaf = hsl(0.33 + rng.uniform(-0.06, 0.06), 0.36, 0.4)
            for lean in (-0.9, -0.45, 0.0, 0.45, 0.9):
                tip = (x + lean * size * 1.3, foot - size * (2.7 - abs(lean)))
                shapes.append(poly([(x - size * 0.12, foot - size * 0.8),
                                     ((x + tip[0]) / 2 - size * 0.22, (foot + tip[1]) / 2), tip,
                                     ((x + tip[0]) / 2 + size * 0.22, (foot + tip[1]) / 2),
                                     (x + size * 0.12, foot - size * 0.8)],
                                    mix(leaf, WHITE, 0.12 + lean * 0.12)))
            shapes.append(poly([(x - size * 0.7, foot - size), (x + size * 0.7, foot - size),
                                 (x + size * 0.45, foot), (x - size * 0.45, foot)], color))
            shapes.append(box(x - size * 0.78, foot - size * 1.15, x + size * 0.78,
                               foot - size * 0.9, dark, 0.01))
        elif kind == 3:  # a lamp
            shapes += [
                box(x - size * 0.05, foot - size * 2, x + size * 0.05, foot, dark),
                disc(x, foot, size * 0.5, dark, size * 0.1),
                disc(x, foot - size * 1.75, size * 0.75, mix((255, 244, 196), wall, 0.3),
                      size * 0.3),
                poly([(x - size * 0.4, foot - size * 2.7), (x + size * 0.4, foot - size * 2.7),
                       (x + size * 0.85, foot - size * 1.7), (x - size * 0.85, foot - size * 1.7)],
                      color),
            ]
        else:  # a pile of books
            for book in range(rng.randrange(3, 6)):
                y, half = foot - book * size * 0.3, size * rng.uniform(0.7, 0.95)
                cover = hsl(hue + book * 0.17, 0.52, 0.45)
                shapes.append(box(x - half, y - size * 0.28, x + half, y, cover, 0.008))
                shapes.append(box(x + half * 0.72, y - size * 0.28, x + half * 0.8, y,
                                   mix(cover, WHITE, 0.6)))
    return shapes


def _text(
    rng: random.Random, x: float, y: float, width: float, lines: int, color: Color, gap: float
) -> list[Shape]:
    """Bars where lines of text would be."""
    return [
        box(x, y + i * gap, x + width * (rng.uniform(0.35, 0.6) if i == lines - 1 else
                                          rng.uniform(0.8, 1.0)), y + i * gap + gap * 0.42,
             color, gap * 0.2)
        for i in range(lines)
    ]


def _window(rng: random.Random, aspect: float) -> list[Shape]:
    hue, dark = rng.random(), rng.random() < 0.35
    accent = hsl(hue, 0.52, 0.62)
    shapes = gradient(aspect, hsl(hue, 0.62, 0.45), hsl(hue + 0.14, 0.78, 0.5))
    paper, ink, side = (
        (hex_color("1f2430"), hex_color("525b70"), hex_color("181c25")) if dark else
        (WHITE, hex_color("cdd3de"), hex_color("f1f3f7"))
    )
    m = 0.07
    x0, y0, x1, y1 = m, m, aspect - m, 1 - m
    shapes.append(box(x0 + 0.01, y0 + 0.018, x1 + 0.01, y1 + 0.018, hsl(hue, 0.42, 0.35), 0.025))
    shapes.append(box(x0, y0, x1, y1, paper, 0.022))
    shapes.append(box(x0, y0, x1, y0 + 0.08, mix(side, ink, 0.25), 0.022))
    shapes.append(box(x0, y0 + 0.05, x1, y0 + 0.085, mix(side, ink, 0.25)))
    for dot, text in enumerate(("ff5f57", "febc2e", "28c840")):
        shapes.append(disc(x0 + 0.045 + dot * 0.04, y0 + 0.042, 0.013, hex_color(text)))
    shapes.append(box(x0 + 0.25, y0 + 0.02, x1 - 0.2, y0 + 0.064, mix(paper, ink, 0.12), 0.02))
    left, top = x0 + (x1 - x0) * 0.22, y0 + 0.085
    shapes.append(box(x0, top, left, y1 - 0.02, side))
    chosen = rng.randrange(6)
    for item in range(7):
        y = top + 0.05 + item * 0.075
        if item == chosen:
            shapes.append(box(x0 + 0.015, y - 0.02, left - 0.015, y + 0.045,
                               mix(side, accent, 0.25), 0.012))
        shapes.append(disc(x0 + 0.05, y + 0.012, 0.014, accent if item == chosen else ink))
        shapes += _text(rng, x0 + 0.08, y, (left - x0) * 0.5, 1, ink, 0.055)
    cx, width = left + 0.05, x1 - left - 0.1
    shapes.append(box(cx, top + 0.045, cx + width * 0.42, top + 0.085, mix(ink, accent, 0.5), 0.01))
    body = top + 0.13
    kind = rng.randrange(4)
    if kind == 0:  # lines of code
        for row in range(13):
            x, y = cx + 0.04 * rng.randrange(0, 4), body + row * 0.047
            for _ in range(rng.randrange(1, 4)):
                word = width * rng.uniform(0.06, 0.2)
                tint = mix(hsl(hue + 0.25 * rng.randrange(4), 0.58, 0.5), paper, 0.15)
                shapes.append(box(x, y, x + word, y + 0.02, tint, 0.008))
                x += word + 0.02
    elif kind == 1:  # a dashboard
        for card in range(3):
            x = cx + width * card / 3
            shapes.append(box(x, body, x + width * 0.3, body + 0.15, mix(paper, accent, 0.14), 0.015))
            shapes.append(box(x + 0.02, body + 0.03, x + width * 0.14, body + 0.06, accent, 0.01))
            shapes += _text(rng, x + 0.02, body + 0.09, width * 0.2, 1, ink, 0.05)
        base = y1 - 0.06
        for bar in range(12):
            x = cx + width * bar / 12
            high = (base - body - 0.2) * rng.uniform(0.2, 1)
            shapes.append(box(x, base - high, x + width * 0.055, base,
                               mix(accent, paper, 0.1 + 0.4 * (bar % 2)), 0.008))
    elif kind == 2:  # a page with pictures
        for cell in range(6):
            x, y = cx + width * (cell % 3) / 3, body + 0.3 * (cell // 3)
            tint = hsl(hue + cell * 0.11, 0.66, 0.45)
            shapes.append(box(x, y, x + width * 0.3, y + 0.19, tint, 0.012))
            shapes.append(disc(x + width * 0.22, y + 0.055, 0.024, mix(tint, WHITE, 0.65)))
            shapes.append(poly([(x + 0.01, y + 0.185), (x + width * 0.1, y + 0.075),
                                 (x + width * 0.17, y + 0.14), (x + width * 0.21, y + 0.105),
                                 (x + width * 0.285, y + 0.185)], mix(tint, (0, 0, 0), 0.28)))
            shapes += _text(rng, x, y + 0.21, width * 0.26, 1, ink, 0.045)
    else:  # a text with a button
        shapes += _text(rng, cx, body, width, 5, ink, 0.05)
        shapes += _text(rng, cx, body + 0.3, width * 0.9, 4, ink, 0.05)
        shapes.append(box(cx, y1 - 0.14, cx + width * 0.26, y1 - 0.075, accent, 0.03))
        shapes += _text(rng, cx + width * 0.07, y1 - 0.117, width * 0.13, 1, WHITE, 0.05)
    return shapes


def _chart(rng: random.Random, aspect: float) -> list[Shape]:
    hue = rng.random()
    shapes = [box(0, 0, aspect, 1, hex_color("fdfdfb"))]
    ink, grid = hex_color("4a5060"), hex_color("e4e6ea")
    shapes.append(box(0.09, 0.07, 0.09 + aspect * 0.36, 0.11, ink, 0.012))
    shapes.append(box(0.09, 0.135, 0.09 + aspect * 0.22, 0.155, mix(ink, WHITE, 0.55), 0.01))
    x0, x1, y0, y1 = 0.13, aspect - 0.09, 0.24, 0.87
    kind = rng.randrange(4)
    if kind == 3:  # a ring with its legend
        cx, cy, angle = aspect * 0.36, 0.57, rng.uniform(0, 360)
        shares = [rng.uniform(0.5, 2) for _ in range(5)]
        for part, share in enumerate(shares):
            sweep = 360 * share / sum(shares)
            color = hsl(hue + part * 0.09, 0.45 + part * 0.06, 0.55)
            arc = [(cx, cy)] + [
                (cx + 0.31 * math.cos(math.radians(angle + sweep * i / 24)),
                 cy + 0.31 * math.sin(math.radians(angle + sweep * i / 24))) for i in range(25)]
            shapes.append(poly(arc, color))
            y = 0.36 + part * 0.09
            shapes.append(box(aspect * 0.66, y, aspect * 0.66 + 0.035, y + 0.035, color, 0.008))
            shapes += _text(rng, aspect * 0.66 + 0.06, y + 0.005, aspect * 0.2, 1, grid, 0.06)
            angle += sweep
        shapes.append(disc(cx, cy, 0.175, hex_color("fdfdfb")))
        return shapes
    for line in range(5):
        y = y0 + (y1 - y0) * line / 4
        shapes.append(box(x0, y, x1, y + 0.003, grid))
        shapes.append(box(x0 - 0.055, y - 0.008, x0 - 0.02, y + 0.01, grid, 0.006))
    n = rng.randrange(7, 13)
    level, levels = rng.uniform(0.2, 0.5), []
    for _ in range(n):
        level = min(0.95, max(0.08, level + rng.uniform(-0.14, 0.2)))
        levels.append(level)
    places = [x0 + (x1 - x0) * (i + 0.5) / n for i in range(n)]
    if kind == 0:
        half = (x1 - x0) / n * 0.3
        for i, (x, value) in enumerate(zip(places, levels, strict=True)):
            color = hsl(hue, 0.5, 0.55) if i != n - 2 else hsl(hue + 0.5, 0.5, 0.6)
            shapes.append(box(x - half, y1 - value * (y1 - y0), x + half, y1, color, half * 0.2))
    else:
        for series in range(kind):
            color = hsl(hue + series * 0.4, 0.5, 0.6)
            curve = [(x, y1 - value * (y1 - y0) * (1 - series * 0.45))
                     for x, value in zip(places, levels, strict=True)]
            shapes.append(poly([*curve, (places[-1], y1), (places[0], y1)],
                                mix(color, WHITE, 0.72)))
            shapes.append(Shape("line", tuple(curve), color, 0.006))
            shapes += [disc(x, y, 0.012, color) for x, y in curve]
    shapes.append(box(x0, y1, x1, y1 + 0.005, ink))
    shapes += [box(x - 0.018, y1 + 0.03, x + 0.018, y1 + 0.045, grid, 0.005) for x in places]
    return shapes


def _portrait(rng: random.Random, aspect: float) -> list[Shape]:
    hue, cx = rng.random(), aspect / 2
    shapes = gradient(aspect, hsl(hue, 0.8, 0.5), hsl(hue + 0.08, 0.62, 0.45))
    skin = hex_color(rng.choice(("f6d5bd", "eab994", "c98d64", "9a6242", "6b412b")))
    hair = hex_color(rng.choice(("2b1d16", "5a3825", "a8723d", "d9b36c", "3a3a44", "8f3b26", "b9bcc4")))
    shirt = hsl(hue + rng.choice((0.3, 0.5, 0.6)), rng.uniform(0.35, 0.6), 0.45)
    long_hair = rng.random() < 0.5
    if long_hair:
        shapes.append(box(cx - 0.235, 0.26, cx + 0.235, 0.74, hair, 0.2))
    shapes += [
        disc(cx, 1.06, 0.4, shirt, 0.34),
        box(cx - 0.075, 0.55, cx + 0.075, 0.78, mix(skin, (60, 20, 0), 0.18), 0.06),
        disc(cx, 0.46, 0.185, hair, 0.25),
        disc(cx, 0.49, 0.165, skin, 0.21),
    ]
    fringe = rng.uniform(-0.08, 0.08)
    shapes.append(poly([(cx - 0.17, 0.43), (cx - 0.15, 0.3), (cx, 0.245), (cx + 0.15, 0.3),
                         (cx + 0.17, 0.43), (cx + fringe, 0.36)], hair))
    for side in (-1, 1):
        shapes.append(disc(cx + side * 0.062, 0.49, 0.013, hex_color("2a2422"), 0.017))
        if hue > 0.66:
            shapes.append(Shape("line", tuple(
                (cx + side * 0.062 + 0.045 * math.cos(t * 0.5), 0.49 + 0.042 * math.sin(t * 0.5))
                for t in range(14)), hex_color("3c3c44"), 0.004))
    smile = [(cx + 0.055 * math.sin(t / 5), 0.565 + 0.03 * math.cos(t / 5)) for t in range(-6, 7)]
    shapes.append(Shape("line", tuple(smile), mix(skin, (120, 20, 20), 0.6), 0.006))
    return shapes


def _banner(rng: random.Random, aspect: float) -> list[Shape]:
    hue = rng.random()
    shapes = gradient(aspect, hsl(hue, 0.34, 0.5), hsl(hue + 0.1, 0.56, 0.55))
    kind = rng.randrange(3)
    if kind == 0:
        for wave in range(5):
            color = hsl(hue + 0.03 * wave, 0.4 + wave * 0.08, 0.5)
            ridge = _ridge(rng, aspect, 0.52 + wave * 0.11, 0.16, 0)
            shapes.append(poly([*ridge, (aspect, 1.1), (0.0, 1.1)], color))
    elif kind == 1:
        side = 0.25
        for row in range(4):
            for column in range(int(aspect / side) + 1):
                x, y = column * side, row * side
                color = hsl(hue + 0.12 * rng.random(), rng.uniform(0.36, 0.66), 0.5)
                corner = rng.choice(((x, y), (x + side, y + side)))
                if rng.random() < (column * side / aspect) ** 1.2:
                    shapes.append(poly([corner, (x + side, y), (x, y + side)], color))
    else:
        for _ in range(22):
            x = aspect * (1 - rng.random() ** 2 * 0.75)
            color = hsl(hue + rng.uniform(-0.05, 0.2), rng.uniform(0.45, 0.72), 0.55)
            shapes.append(disc(x, rng.uniform(-0.1, 1.1), rng.uniform(0.03, 0.24), color))
    shapes.append(box(0.14, 0.33, 0.14 + aspect * 0.34, 0.45, WHITE, 0.03))
    shapes.append(box(0.14, 0.53, 0.14 + aspect * 0.24, 0.59, hsl(hue, 0.86, 0.5), 0.03))
    return shapes


def _mark(rng: random.Random, aspect: float) -> list[Shape]:
    hue, cx = rng.random(), aspect / 2
    shapes = [
        box(0, 0, aspect, 1, hsl(hue, 0.95, 0.5)),
        box(cx - 0.36, 0.14, cx + 0.36, 0.86, hsl(hue, 0.48, 0.58), 0.16),
    ]
    light, warm = hsl(hue, 0.93, 0.6), hsl(hue + 0.45, 0.66, 0.75)
    kind = rng.randrange(4)
    if kind == 0:
        shapes.append(disc(cx + 0.12, 0.36, 0.085, warm))
        shapes.append(poly([(cx - 0.28, 0.72), (cx - 0.08, 0.4), (cx + 0.06, 0.58),
                             (cx + 0.13, 0.5), (cx + 0.28, 0.72)], light))
    elif kind == 1:
        shapes += [disc(cx, 0.5, 0.24, light), disc(cx, 0.5, 0.15, hsl(hue, 0.48, 0.58)),
                   disc(cx, 0.5, 0.07, warm)]
    elif kind == 2:
        for bar in range(4):
            x, high = cx - 0.24 + bar * 0.13, rng.uniform(0.14, 0.46)
            shapes.append(box(x, 0.74 - high, x + 0.09, 0.74, warm if bar == 2 else light, 0.02))
    else:
        star = [(cx + r * math.sin(i * math.pi / 5), 0.51 - r * math.cos(i * math.pi / 5))
                for i, r in enumerate((0.28, 0.12) * 5)]
        shapes.append(poly(star, warm))
    return shapes


# fmt: on

_SCENES: dict[str, Callable[[random.Random, float], list[Shape]]] = {
    "landscape": _landscape,
    "still": _still,
    "window": _window,
    "chart": _chart,
    "portrait": _portrait,
    "banner": _banner,
    "mark": _mark,
}
