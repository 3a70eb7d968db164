"""Where the bytes are, as areas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from picora_analytics.analysis.formats import summarize_formats
from picora_analytics.analysis.question import read_pandas
from picora_analytics.analysis.tags import summarize_tags
from picora_analytics.charts.colors import BLUE, GREEN, ORANGE, READABLE, background, contrast, seen
from picora_analytics.charts.drawing import (
    axes,
    describe,
    inches,
    listed,
    nothing,
)
from picora_analytics.charts.fonts import families, find_fonts, readable
from picora_analytics.library.frame import total_bytes
from picora_analytics.library.media_types import format_name
from picora_analytics.text import width

__all__ = ["plot_treemap", "squarify"]

_COLORS = (BLUE, ORANGE, GREEN, "#CC79A7", "#E69F00", "#56B4E9")
_FORMATS, _TAGS = 6, 12
# Of a name, fewer say nothing.
_LEAST_COLUMNS = 4
_REST, _NO_TAG = "other tags", "no tag"


class Box(NamedTuple):
    """A rectangle: its lower left corner, width and height."""

    x: float
    y: float
    width: float
    height: float


def squarify(sizes: Sequence[float], box: Box) -> list[Box]:
    """
    Fill a rectangle with one of each size, as near to squares as it goes.

    Bruls, Huizing, van Wijk: Squarified Treemaps (2000). Sizes are above 0, the largest first.

    Examples
    --------
    >>> [(box.x, box.width, box.height) for box in squarify([2, 1, 1], Box(0, 0, 4, 1))]
    [(0, 2.0, 1.0), (2.0, 1.0, 1.0), (3.0, 1.0, 1.0)]
    """
    scale = box.width * box.height / sum(sizes)
    areas, found = [size * scale for size in sizes], []
    while areas:
        side = min(box.width, box.height)
        n = 1
        while n < len(areas) and _worst(areas[: n + 1], side) <= _worst(areas[:n], side):
            n += 1
        row, areas = areas[:n], areas[n:]
        depth = sum(row) / side
        at = 0.0
        for area in row:
            long = area / depth
            if box.width >= box.height:
                found.append(Box(box.x, box.y + at, depth, long))
            else:
                found.append(Box(box.x + at, box.y, long, depth))
            at += long
        if box.width >= box.height:
            box = Box(box.x + depth, box.y, box.width - depth, box.height)
        else:
            box = Box(box.x, box.y + depth, box.width, box.height - depth)
    return found


def _worst(row: Sequence[float], side: float) -> float:
    """Give the most oblong of a row's rectangles, as long side over short."""
    depth = sum(row) / side
    return max(max(depth * depth / area, area / (depth * depth)) for area in row)


def plot_treemap(images: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """
    Draw the storage as areas: formats, and in each its tags.

    An image with three tags gives a third of its bytes to each, so that the areas add up. Images of unknown size are
    left out.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to each :class:`matplotlib.patches.Rectangle`.

    Returns
    -------
    Axes
        What the picture says is in its label too, in words.

    Raises
    ------
    SchemaError
        If a column is missing.

    Examples
    --------
    >>> ax = plot_treemap(make_images(tags=[("cat",), ()], size_bytes=[300, 100]))
    >>> [text.get_text() for text in ax.texts]
    ['PNG cat', 'no tag']
    """
    ax = axes(images, ax, "plot_treemap", "mime_type", "size_bytes", "width", "height", "tags")
    ax.set_title("Where the storage is")
    formats = summarize_formats(images)
    formats = formats[formats["size_bytes"].fillna(0) > 0]
    if formats.empty:
        return nothing(ax, "No sizes known" if len(images) else "No images")
    for side in ax.spines.values():
        side.set_visible(False)
    ax.set(xticks=[], yticks=[], xlim=(0, 1), ylim=(0, 1))
    page_size = inches(ax)
    # Squares in inches, so that they are squares on paper.
    page = Box(0, 0, *page_size)
    groups = _groups(images, formats)
    find_fonts(tag for _, tags in groups for tag, _ in tags)
    boxes = squarify([sum(size for _, size in tags) for _, tags in groups], page)
    tiles: list[Tile] = []
    for number, ((name, tags), box) in enumerate(zip(groups, boxes, strict=True)):
        color = _COLORS[number % len(_COLORS)]
        for place, ((tag, _), inner) in enumerate(
            zip(tags, squarify([s for _, s in tags], box), strict=True)
        ):
            words = (tag, "" if place else name)
            tiles.append(_tile(ax, inner, page_size, _shade(ax, color, place), words, kwargs))
    names = [format_name(kind) for kind in formats["mime_type"]]
    ax.set_title("Where the storage is, by format and tag")
    return describe(ax, listed(names, formats["size_bytes"]), Tiles(tiles))


def _groups(
    images: pd.DataFrame, formats: pd.DataFrame
) -> list[tuple[str, list[tuple[str, float]]]]:
    """Give for each format the bytes of its tags, the largest first; the rest of formats is one."""
    read = read_pandas(images, ["mime_type", "size_bytes"], "plot_treemap")
    kinds = read["mime_type"].fillna("unknown").to_numpy(dtype=object)
    shown = formats["mime_type"].tolist()[:_FORMATS]
    masks = [(format_name(kind), kinds == kind) for kind in shown]
    masks.append(("other", ~np.isin(kinds, shown)))
    groups = []
    for name, mask in masks:
        part = images[mask]
        whole = float(total_bytes(read["size_bytes"][mask]))
        if not whole:
            continue
        tags = summarize_tags(part)
        shares = [
            (str(tag), float(size))
            for tag, size in zip(tags["tag"], tags["shared_size_bytes"], strict=True)
            if size > 0
        ]
        shares.sort(key=lambda one: -one[1])
        rest, shares = sum(size for _, size in shares[_TAGS:]), shares[:_TAGS]
        without = whole - sum(size for _, size in shares) - rest
        shares += [(_REST, rest)] * (rest > 0) + [(_NO_TAG, without)] * (without > whole * 1e-9)
        groups.append((name, sorted(shares, key=lambda one: -one[1])))
    return groups


def _shade(ax: Axes, color: str, place: int) -> str:
    """Make a color stand out from the page more and more, from tile to tile."""
    part, behind = min(0.05 * place, 0.4), background(ax)
    pole = 1.0 if contrast("white", behind) > contrast("black", behind) else 0.0
    red, green, blue = (own + (pole - own) * part for own in to_rgb(seen(ax, color)))
    return to_hex((red, green, blue))


class Tile(NamedTuple):
    """An area of the chart, its words, its tag, and of the first of a format its name."""

    text: Text
    area: Rectangle
    tag: str
    kind: str


class Tiles:
    """The words in the areas: shortened to their width, or left out of those that are too small."""

    def __init__(self, tiles: list[Tile]) -> None:
        self._tiles, self.names = tiles, [tile.tag for tile in tiles]

    def fit(self, ax: Axes) -> None:
        """Fit each; what is left out is in the words of the chart."""
        unnamed = ""
        for text, area, tag, kind in self._tiles:
            box = area.get_window_extent()
            room, height = box.width - 8 * ax.figure.dpi / 72, box.height - 4
            text.set_visible(True)
            unnamed = kind or unnamed
            # A color means a format, so its name stands in its first area that has room for it whole.
            if unnamed and _fits(text, room, height, *map(_whole, (f"{unnamed} {tag}", unnamed))):
                unnamed = ""
                continue
            columns = width(tag)
            while (
                not _fits(text, room, height, readable(tag, columns)) and columns > _LEAST_COLUMNS
            ):
                part = int(columns * room / text.get_window_extent().width)
                columns = max(min(columns - 1, part), _LEAST_COLUMNS)
            text.set_visible(_fits(text, room, height, text.get_text()))


def _whole(words: str) -> str:
    return readable(words, width(words))


def _fits(text: Text, room: float, height: float, *words: str) -> bool:
    """Write the first of some words that fit; tell whether any did."""
    for one in words:
        text.set_text(one)
        box = text.get_window_extent()
        if box.width <= room and box.height <= height:
            return True
    return False


def _tile(
    ax: Axes,
    box: Box,
    page: tuple[float, float],
    color: str,
    names: tuple[str, str],
    look: dict[str, Any],
) -> Tile:
    tag, kind = names
    x, y = box.x / page[0], 1 - (box.y + box.height) / page[1]
    own: dict[str, Any] = {"facecolor": color, "edgecolor": background(ax), "linewidth": 1}
    area = Rectangle((x, y), box.width / page[0], box.height / page[1], **own | look)
    ax.add_patch(area)
    ink = "white" if contrast("white", color) >= READABLE else "black"
    place: dict[str, Any] = {
        "xytext": (4, -4),
        "textcoords": "offset points",
        "va": "top",
        "ha": "left",
    }
    text = ax.annotate(
        readable(f"{kind} {tag}" if kind else tag),
        (x, y + box.height / page[1]),
        color=ink,
        fontsize=9,
        family=families(),
        **place,
    )
    text.set_in_layout(False)
    return Tile(text, area, tag, kind)
