"""What every chart shares: axes, units, bars, words for the empty library, and readable names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import dates as mdates, pyplot as plt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator

from picora_analytics.analysis.everyday import read_pandas
from picora_analytics.charts.colors import BLUE, GRAY, READABLE, seen
from picora_analytics.charts.fitting import Fitter, Inside, Names, Notes
from picora_analytics.charts.fonts import families, find_fonts, readable, undrawable
from picora_analytics.charts.layout import fit_words
from picora_analytics.text import plural, shorten, visible
from picora_analytics.units import format_bytes

__all__ = [
    "axes",
    "bars",
    "date_ticks",
    "describe",
    "inches",
    "light_grid",
    "listed",
    "measured_bars",
    "most_bars",
    "named",
    "nothing",
    "plain_numbers",
    "unit_of",
]

# Points that a bar and its name need at least.
_LEAST_ROW = 10


def axes(images: pd.DataFrame, ax: Axes | None, caller: str, *columns: str) -> Axes:
    """Give the axes to draw on, for a frame that has these columns: the caller's, else those of a new figure."""
    read_pandas(images, columns, caller)  # Or the summary would speak of itself.
    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    return ax


def bars(
    ax: Axes,
    labels: Sequence[object],
    size_bytes: pd.Series[Any],
    n_images: pd.Series[Any] | None = None,
    **kwargs: Any,
) -> list[Fitter]:
    """
    Draw one bar of bytes per label, the first on top, with the number of images at its end.

    Returns what fits these words, for :func:`describe`.
    """
    unit, divisor = unit_of(size_bytes.max())
    sizes = size_bytes.astype("float64").to_numpy()
    words = None
    if n_images is not None:
        known = list(zip(n_images, ~np.isnan(sizes), strict=True))
        words = (
            [f"{plural(n, 'image')}{'' if ok else ', size unknown'}" for n, ok in known],
            [f"{n:,}{'' if ok else ' ?'}" for n, ok in known],
        )
    ax.set_xlabel(f"Storage ({unit})")
    return measured_bars(ax, labels, np.nan_to_num(sizes) / divisor, words, **kwargs)


def measured_bars(
    ax: Axes,
    labels: Sequence[object],
    lengths: Any,
    words: tuple[list[str], list[str]] | None,
    *,
    least: float = 0.0,
    **kwargs: Any,
) -> list[Fitter]:
    """
    Draw one bar per label, the first on top, with words at its end: in full, and short where there is no room.

    The axis reaches as far as `least`. Returns what fits these words, for :func:`describe`.
    """
    drawn = ax.barh(np.arange(len(labels)), lengths, **{"color": seen(ax, BLUE)} | kwargs)
    ax.set_ylim(max(len(labels), 5) - 0.4, -0.6)  # A single bar stays a bar, not a wall.
    ax.set_xlim(0, max(*lengths, least, 0.0) * 1.05 or 1)
    fitters: list[Fitter] = [named(ax, labels)]
    if words is not None:
        notes = ax.bar_label(drawn, labels=words[0], padding=4, color=seen(ax, GRAY, READABLE))
        fitters.append(Notes(notes, lengths, words, least))
    plain_numbers(ax, "x")
    return fitters


def named(ax: Axes, names: Sequence[object]) -> Names:
    """Write strangers' names beside the bars of a chart; returns what fits them."""
    find_fonts(names)
    shown = [readable(name) for name in names]
    ax.set_yticks(np.arange(len(names)), labels=shown, family=families())
    ax.tick_params(axis="y", length=0)
    return Names(list(names), readable, 32)


def most_bars(ax: Axes, top: int) -> int:
    """Give how many bars there is room for: each needs the height of small letters."""
    return max(min(top, int(inches(ax)[1] * 72 / _LEAST_ROW)), 3)


def inches(ax: Axes) -> tuple[float, float]:
    """Give width and height of the axes, as far as they are known before the layout."""
    place = ax.get_position()
    wide, high = ax.figure.get_figure(root=True).get_size_inches()
    return float(place.width * wide), float(place.height * high)


def unit_of(largest: float) -> tuple[str, int]:
    """Choose the binary unit in which the largest value reads well."""
    for power, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if not pd.isna(largest) and largest >= 1024**power:
            return unit, 1024**power
    return "bytes", 1


def plain_numbers(ax: Axes, which: str, *, whole: bool = False) -> None:
    """Write an axis in full numbers with separators, and lay a light grid behind."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator("auto", integer=whole, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    light_grid(axis)


def light_grid(axis: Axis) -> None:
    """Lay a grid behind, as faint on black as on white: words cross it."""
    axis.grid(True, color="0.5", alpha=0.25)


def nothing(ax: Axes, sentence: str) -> Axes:
    """Say why there is nothing to draw."""
    middle: dict[str, Any] = {"ha": "center", "va": "center", "color": seen(ax, GRAY, READABLE)}
    text = ax.text(0.5, 0.5, sentence, transform=ax.transAxes, **middle)
    ax.set(xticks=[], yticks=[])
    return describe(ax, sentence, Inside([text], broken=True))


def describe(ax: Axes, sentence: str, *fitters: Fitter) -> Axes:
    """
    Keep what the chart shows in words, for people who cannot see it: the label of the axes.

    A figure that holds nothing else has it too, as ``ax.get_figure().get_label()``. From here on the words of the
    chart fit, those that `fitters` are for as well.
    """
    words = visible(f"{ax.get_title()}. {sentence}")
    names = [name for one in fitters for name in getattr(one, "names", ())]
    if lacking := [name for name in dict.fromkeys(names) if undrawable(name)]:
        words += f" No font here draws {', '.join(shorten(name, 40) for name in lacking)}."
        note = f"{plural(len(lacking), 'name')} without a font"
        ax.set_xlabel("; ".join(filter(None, [ax.get_xlabel(), note])))
    fit_words(ax, *fitters)
    ax.set_label(words)
    figure = ax.get_figure()
    if figure is not None and figure.axes[0] is ax and not figure.get_label():
        figure.set_label(words)
    return ax


def date_ticks(ax: Axes) -> None:
    """Mark as many dates as there is room for."""
    dates: Any = mdates  # matplotlib has no types for it
    most = max(4, min(8, int(inches(ax)[0] / 0.6)))
    locator = dates.AutoDateLocator(minticks=min(3, most), maxticks=most)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))


def listed(names: Sequence[object], size_bytes: pd.Series[Any], most: int = 5) -> str:
    """Write the first rows of a chart as a sentence."""
    rows = [
        f"{shorten(name, 40)} {'of unknown size' if pd.isna(size) else format_bytes(int(size))}"
        for name, size in list(zip(names, size_bytes, strict=True))[:most]
    ]
    return ", ".join(rows) + "."
