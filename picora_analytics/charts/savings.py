"""What could be saved, and what grew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from picora_analytics.analysis.changes import By, summarize_changes
from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.analysis.question import read_pandas
from picora_analytics.analysis.repeats import REPEAT_COLUMNS
from picora_analytics.analysis.savings import summarize_savings
from picora_analytics.charts.colors import BLUE, GRAY, ORANGE, seen
from picora_analytics.charts.drawing import (
    axes,
    describe,
    most_bars,
    named,
    nothing,
    plain_numbers,
    unit_of,
)
from picora_analytics.charts.fonts import readable
from picora_analytics.library.frame import total_bytes
from picora_analytics.units import format_bytes

__all__ = ["plot_changes", "plot_savings"]

_CHANGED_BY = {"tag": "tags", "format": "mime_type", "month": "created_at"}


def plot_savings(
    images: pd.DataFrame,
    *,
    max_edge: int = MAX_EDGE,
    measured: pd.DataFrame | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """
    Draw what could be saved step by step, from the storage of today down to what would be left.

    A bar is the least a step saves; the thin line is where the storage would end after it, from low to high.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    max_edge, measured
        As for :func:`summarize_savings`.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.barh`.

    Returns
    -------
    Axes
        What the picture says is in its title, and in its label in words.

    Raises
    ------
    SchemaError
        If a column is missing.

    Examples
    --------
    >>> images = make_images(mime_type=["image/jpeg"], size_bytes=[1_048_576], width=[1000], height=[1000])
    >>> plot_savings(images).get_title()
    'Could save 378.9 KiB to 829.4 KiB'
    """
    ax = axes(images, ax, "plot_savings", *REPEAT_COLUMNS)
    ax.set_title("What could be saved")
    table = summarize_savings(images, max_edge=max_edge, measured=measured)
    steps = table[table["high_bytes"] > 0]
    if steps.empty:
        return nothing(ax, "Nothing found to save" if len(images) else "No images")
    total = total_bytes(read_pandas(images, ["size_bytes"], "plot_savings")["size_bytes"])
    low, high = (steps[name].to_numpy("float64").cumsum() for name in ("low_bytes", "high_bytes"))
    unit, divisor = unit_of(total)
    places = np.arange(len(steps) + 2)
    lefts = np.array([0.0, *(total - low), 0.0]) / divisor
    widths = np.array([total, *steps["low_bytes"].to_numpy("float64"), total - low[-1]]) / divisor
    look: dict[str, Any] = {
        "color": [seen(ax, GRAY), *[seen(ax, ORANGE)] * len(steps), seen(ax, BLUE)]
    }
    ax.barh(places, widths, left=lefts, **look | kwargs)
    for place, least, most in zip(
        [*places[1:-1], places[-1]], [*low, low[-1]], [*high, high[-1]], strict=True
    ):
        ends = [(total - most) / divisor, (total - least) / divisor]
        ax.plot(ends, [place] * 2, color=ax.xaxis.label.get_color(), marker="|", linewidth=1.5)
    names = ["Today", *steps["flag"], "Would be left"]
    ax.set_ylim(len(places) - 0.4, -0.6)
    fitter = named(ax, names)
    ax.set_xlim(0, total * 1.02 / divisor)
    ax.set_xlabel(f"Storage ({unit})")
    plain_numbers(ax, "x")
    ax.set_title(f"Could save {_range(low[-1], high[-1])}")
    saves = ", ".join(
        f"{flag} {_range(least, most)}"
        for flag, least, most in zip(
            steps["flag"], steps["low_bytes"], steps["high_bytes"], strict=True
        )
    )
    return describe(ax, f"Of {format_bytes(total)}: {saves}.", fitter)


def _range(low: float, high: float) -> str:
    one, other = format_bytes(low), format_bytes(high)
    return one if one == other else f"{one} to {other}"


def plot_changes(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    by: By = "tag",
    top: int = 12,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """
    Draw what grew (filled) and what shrank (hollow) between two loads.

    Parameters
    ----------
    old, new : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    by : {"tag", "format", "month"}
        As for :func:`summarize_changes`.
    top : int
        Maximum number of bars: the largest changes.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.barh`.

    Returns
    -------
    Axes
        What the picture says is in its title, and in its label in words.

    Raises
    ------
    SchemaError
        If a column is missing, or the two frames are not of one whole library.
    ValueError
        If `by` is not one of the three.

    Examples
    --------
    >>> old = make_images(tags=[("cat",)], size_bytes=[1024])
    >>> new = make_images(tags=[("cat",), ("cat",)], size_bytes=[1024, 2048])
    >>> plot_changes(old, new).get_title()
    '+2.0 KiB since then'
    """
    needs = (_CHANGED_BY.get(by, "tags"), "size_bytes")
    ax = axes(new, axes(old, ax, "plot_changes", *needs), "plot_changes", *needs)
    changes = summarize_changes(old, new, by=by)
    ax.set_title("What changed")
    key = str(changes.columns[0])
    if changes.empty:
        return nothing(ax, "Nothing changed")
    sizes = changes["net_bytes"].astype("float64")
    shown = changes.loc[
        sizes.abs()
        .sort_values(ascending=False, kind="stable")
        .index[: most_bars(ax, top)]
        .sort_values()
    ]
    unit, divisor = unit_of(sizes.abs().max())
    values = shown["net_bytes"].to_numpy("float64") / divisor
    edge = seen(ax, BLUE)
    fills = [edge if value >= 0 else "none" for value in values]
    places = np.arange(len(shown))
    look: dict[str, Any] = {"color": fills, "edgecolor": edge, "linewidth": 1.5}
    ax.barh(places, values, **look | kwargs)
    names = shown[key].dt.strftime("%b %Y").fillna("unknown") if by == "month" else shown[key]
    ax.set_ylim(max(len(shown), 5) - 0.4, -0.6)
    fitter = named(ax, names.tolist())
    ax.axvline(0, color=seen(ax, GRAY), linewidth=1)
    ax.margins(x=0.08)
    ax.set_xlabel(f"Change ({unit})")
    plain_numbers(ax, "x")
    net = sum(total_bytes(f["size_bytes"]) * sign for f, sign in ((new, 1), (old, -1)))
    ax.set_title(f"{'+' if net > 0 else ''}{format_bytes(net)} since then")
    words = ", ".join(
        f"{readable(name, 24)} {'+' if size > 0 else ''}{format_bytes(size)}"
        for name, size in list(zip(names, shown["net_bytes"], strict=True))[:5]
    )
    return describe(ax, f"{words}.", fitter)
