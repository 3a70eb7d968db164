"""
Words that fit: no label of a chart overlaps another one or is cut off, however small the figure is.

Each chart keeps its words as they were meant; whenever it is drawn (layout.py) they are set smaller, broken, shortened
or left out from that.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.text import Text
from matplotlib.ticker import Locator
from matplotlib.transforms import Bbox

__all__ = [
    "Fitter",
    "Heads",
    "Inside",
    "Names",
    "Notes",
    "Ticks",
    "keep_title_within",
    "labels_of",
    "twins",
]

# Letters are no smaller than this, in points.
SMALLEST = 6.0


class Fitter(Protocol):
    """One kind of words of a chart."""

    def fit(self, ax: Axes) -> None:
        """Make the words fit into the room there is, from as they were meant."""


class Kept:
    """Words as they were meant; where the caller wrote others since, those are meant."""

    def __init__(self, text: Text) -> None:
        self.text = text
        self._meant: Any = (text.get_text(), text.get_fontsize())
        self._set: Any = self._meant

    def meant(self) -> tuple[str, float]:
        """Give them back to the text, and return them."""
        now = (self.text.get_text(), self.text.get_fontsize())
        if now != self._set:
            self._meant = now
        words, size = self._meant
        self.put(words, size)
        return str(words), float(size)

    def put(self, words: str, size: float) -> None:
        """Write words of ours."""
        self.text.set_text(words)
        self.text.set_fontsize(size)
        self._set = (words, self.text.get_fontsize())


class Heads:
    """The title and the labels of the axes: smaller, then in lines, within the chart's part of the figure."""

    def __init__(self, ax: Axes) -> None:
        self._kept = [(Kept(ax.title), "title"), (Kept(ax.xaxis.label), "x")]
        self._kept += [(Kept(one.yaxis.label), "y") for one in twins(ax)]

    def fit(self, ax: Axes) -> None:
        """Fit each."""
        cell = cell_of(ax)
        for kept, which in self._kept:
            words, size = kept.meant()
            if which == "x" and (offset := _offset(ax)):
                words = f"{words}, {offset}" if words else offset
                kept.put(words, size)
            if not words.strip() or "\n" in words:
                continue
            along = (
                ax.bbox.height
                if which == "y"
                else cell.width
                if which == "title"
                else ax.bbox.width
            )
            _in_lines(kept, words, size, 0.96 * along, upright=which == "y")
        keep_title_within(ax)


class Ticks:
    """The numbers of an axis: as many as do not touch."""

    def __init__(self, axis: Any, base: Locator) -> None:
        self._axis, self._base = axis, base

    def fit(self, ax: Axes) -> None:
        """Leave out every second one until none touches."""
        for step in (1, 2, 3, 4, 6, 8, 12):
            self._axis.set_major_locator(Thinned(self._base, step) if step > 1 else self._base)
            gap = 3 * (self._axis is ax.xaxis)
            boxes = [one.get_window_extent().padded(gap, 0) for one in labels_of(self._axis)]
            if not any(one.overlaps(other) for one, other in itertools.pairwise(boxes)):
                return


class Thinned(Locator):
    """Every n-th tick of another locator."""

    def __init__(self, base: Locator, step: int) -> None:
        self.base, self._step = base, step

    def __call__(self) -> Any:
        """Give the ticks in view."""
        return self._some(self.base())

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Give the ticks between two values."""
        return self._some(self.base.tick_values(vmin, vmax))

    def set_axis(self, axis: Any) -> None:
        """Pass the axis on."""
        super().set_axis(axis)
        self.base.set_axis(axis)

    def nonsingular(self, v0: float, v1: float) -> tuple[float, float]:
        """Widen an empty range as the other does."""
        return self.base.nonsingular(v0, v1)

    def _some(self, ticks: Any) -> Any:
        low, high = (
            sorted(self.axis.get_view_interval()) if self.axis is not None else (-np.inf, np.inf)
        )
        inside = [tick for tick in np.atleast_1d(ticks) if low <= tick <= high]
        return np.asarray(inside[:: self._step])


class Names:
    """Strangers' names beside bars: smaller, then shortened, beside at most two fifths of the chart."""

    def __init__(self, names: list[Any], shortened: Callable[[Any, int], str], most: int) -> None:
        self.names, self._shortened, self._most = names, shortened, most

    def fit(self, ax: Axes) -> None:
        """Fit all alike."""
        labels = ax.get_yticklabels()
        rows = abs(ax.get_ylim()[0] - ax.get_ylim()[1])
        points = ax.bbox.height / rows * 72 / ax.figure.dpi
        size = min(10.0, max(points / 1.25, 4.0))
        room = 0.42 * cell_of(ax).width
        columns = self._most
        while True:
            for label, name in zip(labels, self.names, strict=True):
                label.set_text(self._shortened(name, columns))
                label.set_fontsize(size)
            widest = max((label.get_window_extent().width for label in labels), default=0.0)
            if widest <= room or columns <= 4:
                break
            if size > 8 and len(labels) and widest * 8 / size <= room:
                size = 8.0
            else:
                columns = max(min(columns - 1, int(columns * room / widest)), 4)
        shown = [label.get_text() for label in labels]
        ax.set_yticks(ax.get_yticks(), labels=shown, fontsize=size)


def _without_layout(texts: Sequence[Text]) -> None:
    """Spare the layout what is within the axes."""
    for text in texts:
        text.set_in_layout(False)


class Notes:
    """Words at the ends of bars: in full where there is room, else short; the axis gets as long as they need."""

    def __init__(
        self,
        texts: Sequence[Text],
        lengths: Any,
        wordings: tuple[list[str], list[str]],
        least: float,
    ) -> None:
        _without_layout(texts)
        self._texts, self._lengths = texts, np.asarray(lengths, dtype="float64")
        self._wordings, self._least = wordings, least

    def fit(self, ax: Axes) -> None:
        """Choose the wording, the size and the length of the axis."""
        names = [label.get_fontsize() for label in ax.get_yticklabels()[:1]]
        size = min([10.0, *names])
        for words in self._wordings:
            for text, own in zip(self._texts, words, strict=True):
                text.set_text(own)
                text.set_fontsize(size)
            wide = max((text.get_window_extent().width for text in self._texts), default=0.0)
            if wide <= 0.4 * ax.bbox.width:
                break
        room = max(ax.bbox.width, 1.0)
        gap = 8 * ax.figure.dpi / 72
        shares = [min((text.get_window_extent().width + gap) / room, 0.8) for text in self._texts]
        ends = [length / (1 - share) for length, share in zip(self._lengths, shares, strict=True)]
        longest = max([*ends, float(self._lengths.max(initial=self._least)) * 1.05])
        ax.set_xlim(0, longest or 1)


class Inside:
    """Words within the chart, the weightier first: smaller, broken, or left out where others are."""

    def __init__(self, texts: Sequence[Text], *, broken: bool = False) -> None:
        _without_layout(texts)
        self._kept, self._broken = [Kept(text) for text in texts], broken

    def fit(self, ax: Axes) -> None:
        """Show as many as fit."""
        taken: list[Bbox] = []
        for kept in self._kept:
            words, size = kept.meant()
            kept.text.set_visible(True)
            if self._broken:
                _in_lines(kept, words, size, 0.94 * ax.bbox.width, upright=False)
            for smaller in (size, size * 0.85, size * 0.7):
                if smaller < SMALLEST and smaller < size:
                    continue
                kept.put(kept.text.get_text(), min(smaller, float(kept.text.get_fontsize())))
                box = kept.text.get_window_extent()
                fits = box.x0 >= ax.bbox.x0 - 1 and box.x1 <= ax.bbox.x1 + 1
                fits = fits and box.y0 >= ax.bbox.y0 - 1 and box.y1 <= ax.bbox.y1 + 1
                if fits and not any(box.overlaps(other) for other in taken):
                    taken.append(box)
                    break
            else:
                kept.text.set_visible(self._broken)


def cell_of(ax: Axes) -> Bbox:
    """Give the part of the figure, in pixels, that is this chart's: its share of a grid of subplots."""
    figure = ax.get_figure(root=True)
    spec = ax.get_subplotspec()
    own = Bbox.from_extents(*ax.bbox.extents)
    if figure is None or spec is None or ax.get_figure() is not figure:
        return own
    grid: Any = spec.get_gridspec()
    if type(grid).__name__ != "GridSpec":
        return own
    page = figure.bbox
    wide, high = (
        np.cumsum([0.0, *ratios]) for ratios in (grid.get_width_ratios(), grid.get_height_ratios())
    )
    x = page.width * wide[[spec.colspan.start, spec.colspan.stop]] / wide[-1]
    y = page.height * (1 - high[[spec.rowspan.stop, spec.rowspan.start]] / high[-1])
    # Where columns are of unequal width, that share reaches into the chart beside it.
    others = [one.bbox for one in figure.axes if one.bbox is not ax.bbox]
    left = max([x[0], *(one.x1 for one in others if one.x1 <= own.x0)])
    right = min([x[1], *(one.x0 for one in others if one.x0 >= own.x1)])
    return Bbox.union([own, Bbox.from_extents(left, y[0], right, y[1])])


def twins(ax: Axes) -> list[Axes]:
    """Give the axes and those laid over them."""
    shared = ax.get_shared_x_axes().get_siblings(ax)
    over = [one for one in shared if one is not ax and one.bbox is ax.bbox]
    if not over:
        over = [
            one
            for one in shared
            if one is not ax and np.allclose(one.get_position().bounds, ax.get_position().bounds)
        ]
    return [ax, *over]


def labels_of(axis: Any) -> list[Text]:
    """Give the tick labels inside the view: matplotlib keeps others, and draws none of those."""
    axis.get_ticklabels()  # Brings the ticks up to date.
    low, high = sorted(axis.get_view_interval())
    return [
        label
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if label.get_visible() and label.get_text() and low <= tick.get_loc() <= high
    ]


def _in_lines(kept: Kept, words: str, size: float, room: float, *, upright: bool) -> None:
    """Set words smaller, then in two and three lines, until they fit."""

    def length() -> float:
        box = kept.text.get_window_extent()
        return float(box.height if upright else box.width)

    # Four lines are high, and so are of small letters in any case.
    for lines, most, least in ((1, 1.0, 0.8), (2, 1.0, 0.8), (3, 1.0, 0.7), (4, 0.7, 0.6)):
        broken = "\n".join(_even(words, lines))
        kept.put(broken, max(size * most, SMALLEST))
        found = length()
        if found <= room:
            return
        smaller = max(size * most * min(room / found, 1.0), size * least, SMALLEST)
        kept.put(broken, smaller)
        if length() <= room:
            return


def _even(words: str, lines: int) -> list[str]:
    """Break words into so many lines, as even as they go."""
    if lines == 1:
        return [words]
    width = max(-(-len(words) // lines), 4)
    while len(textwrap.wrap(words, width)) > lines:
        width += 1
    return textwrap.wrap(words, width)


def _offset(ax: Axes) -> str:
    """Take what dates have in common, such as the year, from its corner, where it would meet the label."""
    formatter = ax.xaxis.get_major_formatter()
    if not isinstance(formatter, ConciseDateFormatter):
        return ""
    ax.xaxis.get_offset_text().set_visible(False)
    return str(formatter.get_offset())  # type: ignore[no-untyped-call]


def keep_title_within(ax: Axes) -> None:
    """Move a title that is wider than the axes into the chart's part of the figure."""
    title: Any = ax.title
    title.set_x(0.5)
    if not title.get_text():
        return
    cell = cell_of(ax)
    box = title.get_window_extent()
    gap = 2 * ax.figure.dpi / 72
    shift = max(cell.x0 + gap - box.x0, 0.0) or min(cell.x1 - gap - box.x1, 0.0)
    title.set_x(0.5 + shift / max(ax.bbox.width, 1.0))
