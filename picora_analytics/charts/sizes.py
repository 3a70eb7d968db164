"""How large: file sizes, the few that hold most, and the largest files by name."""

from __future__ import annotations

import math
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator, PercentFormatter

from picora_analytics.analysis.question import read_pandas
from picora_analytics.analysis.sizes import LARGEST, summarize_concentration, summarize_largest
from picora_analytics.charts.colors import BLUE, GRAY, ORANGE, READABLE, background, seen
from picora_analytics.charts.drawing import (
    axes,
    bars,
    describe,
    light_grid,
    listed,
    most_bars,
    nothing,
    plain_numbers,
)
from picora_analytics.charts.fitting import Inside
from picora_analytics.text import plural
from picora_analytics.units import format_bytes

__all__ = ["plot_concentration", "plot_largest", "plot_sizes"]


def plot_sizes(images: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """
    Draw how many images there are of each file size, on a scale that doubles.

    Images of unknown size, and empty files, are left out and counted under the axis.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.hist`.

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
    >>> ax = plot_sizes(make_images(size_bytes=[1024, 4096, 1048576]))
    >>> ax.get_xlabel()
    'File size'
    """
    ax = axes(images, ax, "plot_sizes", "size_bytes")
    ax.set_title("Images by file size")
    known = read_pandas(images, ["size_bytes"], "plot_sizes")["size_bytes"].dropna()
    sizes = known.to_numpy("float64")
    drawn = sizes[sizes > 0]
    if not len(drawn):
        return nothing(ax, _why_nothing(len(images), len(known)))
    low, high = math.floor(math.log2(drawn.min())), math.ceil(math.log2(drawn.max() + 1))
    if high - low < 4:
        low, high = low - 2, high + 2
    look: dict[str, Any] = {"color": seen(ax, BLUE), "edgecolor": background(ax)}
    look["bins"] = 2.0 ** np.arange(low, high + 0.5, 0.5)
    ax.hist(drawn, **look | kwargs)
    ax.set_xscale("log", base=2)
    ax.set_xlim(2.0**low, 2.0**high)
    step = max(2, 2 * math.ceil((high - low) / 12))
    powers = range(step * math.ceil(low / step), high + 1, step)
    labels = [format_bytes(2**power).replace(".00", "").replace(".0", "") for power in powers]
    ax.set_xticks([2.0**power for power in powers], labels=labels)
    ax.xaxis.set_minor_locator(NullLocator())
    plain_numbers(ax, "y", whole=True)
    left_out = len(images) - len(drawn)
    ax.set_xlabel(f"File size{f' ({left_out:,} empty or unknown left out)' if left_out else ''}")
    ax.set_ylabel("Images")
    median = float(np.median(drawn))
    ax.axvline(median, color=seen(ax, ORANGE), linestyle="--")
    ax.set_title(f"Images by file size, half over {format_bytes(median)} (dashed)")
    return describe(ax, f"{plural(len(drawn), 'image')}, the largest {format_bytes(drawn.max())}.")


def plot_concentration(images: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """
    Draw how much of the storage the largest images hold.

    The further the line bends away from the dotted diagonal, the fewer files matter.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Images of unknown size are left out.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.plot` for the line.

    Returns
    -------
    Axes
        What the picture says is in its title, and in its label in words.

    Raises
    ------
    SchemaError
        If ``size_bytes`` is missing.

    Examples
    --------
    >>> plot_concentration(make_images(size_bytes=[600, 200, 100, 100])).get_title()
    '1 of 4 images holds half of the storage'
    """
    ax = axes(images, ax, "plot_concentration", "size_bytes")
    ax.set_title("Where the storage is")
    row = summarize_concentration(images).iloc[0]
    n, total = int(row["n_images"]), int(row["size_bytes"] if row["n_images"] else 0)
    if not total:
        return nothing(ax, _why_nothing(len(images), n))
    known = read_pandas(images, ["size_bytes"], "plot_concentration")["size_bytes"].dropna()
    largest_first = np.sort(known.to_numpy("float64"))[::-1]
    held = np.concatenate([[0.0], largest_first.cumsum() / total])
    share = np.arange(n + 1) / n
    # 500 points draw the same line as a million.
    some = np.unique(np.concatenate([np.linspace(0, n, 500), [row["n50"], row["n80"]]]).astype(int))
    ax.plot([0, 1], [0, 1], color=seen(ax, GRAY), linestyle=":", linewidth=1)
    look: dict[str, Any] = {"color": seen(ax, BLUE), "linewidth": 2}
    ax.plot(share[some], held[some], **look | kwargs)
    points = {int(row[f"n{percent}"]): percent for percent in (50, 80)}  # of equals the larger
    notes = []
    for (needed, percent), marker in zip(points.items(), "os", strict=False):
        at = (needed / n, held[needed])
        side = 1 if at[0] < 0.6 else -1
        ax.plot(*at, marker=marker, color=seen(ax, ORANGE), linestyle="none")
        note = ax.annotate(
            f"{needed:,} {'holds' if needed == 1 else 'hold'} {percent} %",
            at,
            xytext=(8 * side, -6 if side == 1 else 0),
            textcoords="offset points",
            ha="left" if side == 1 else "right",
            va="top" if side == 1 else "bottom",
            color=seen(ax, str(mpl.rcParams["text.color"]), READABLE),
        )
        notes.append(note)
    ax.set(xlabel="Images, largest first", ylabel="Share of storage", xlim=(0, 1), ylim=(0, 1.08))
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(1))
        light_grid(axis)
    n50 = int(row["n50"])
    verb = "holds" if n50 == 1 else "hold"
    ax.set_title(f"{n50:,} of {plural(n, 'image')} {verb} half of the storage")
    return describe(ax, f"{int(row['n80']):,} hold 80 %.", Inside(notes))


def plot_largest(
    images: pd.DataFrame, *, top: int = 15, ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """
    Draw the largest files, by name.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    top : int
        Maximum number of bars; a small chart has fewer.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.barh`.

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
    >>> ax = plot_largest(make_images(size_bytes=[2048, 1024]))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a.png', 'b.png']
    """
    ax = axes(images, ax, "plot_largest", *LARGEST)
    files = summarize_largest(images, top=most_bars(ax, top))
    ax.set_title("Largest files")
    if files.empty:
        return nothing(ax, "No sizes known" if len(images) else "No images")
    names = files["filename"].fillna(files["id"])
    fitters = bars(ax, names.tolist(), files["size_bytes"], **kwargs)
    ax.set_ylabel("File")
    ax.set_title(f"The {len(files)} largest files" if len(files) > 1 else "The largest file")
    return describe(ax, listed(names.tolist(), files["size_bytes"]), *fitters)


def _why_nothing(n_images: int, n_known: int) -> str:
    """Say why there are no bytes to draw: a size of 0 is known."""
    if not n_images:
        return "No images"
    return f"{plural(n_known, 'file')}, all empty" if n_known else "No sizes known"
