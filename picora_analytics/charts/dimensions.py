"""Charts of shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.analysis.question import read_pandas
from picora_analytics.charts.colors import BLUE, GRAY, ORANGE, READABLE, seen
from picora_analytics.charts.drawing import (
    axes,
    describe,
    inches,
    light_grid,
    nothing,
)
from picora_analytics.charts.fitting import Inside
from picora_analytics.text import plural

__all__ = ["plot_dimensions"]


def plot_dimensions(
    images: pd.DataFrame, *, max_edge: int = MAX_EDGE, ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """
    Draw the width and height of each image; what is larger than a page shows stands out.

    Images of the same pixels are one dot, larger for more of them. Images whose pixels are not
    known, as those of SVGs, are left out and counted under the axis.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    max_edge : int
        Images whose longer edge has more pixels are drawn as orange triangles.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.scatter`.

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
    >>> ax = plot_dimensions(make_images(width=[800, 4000], height=[600, 3000]))
    >>> ax.get_title()
    '1 of 2 images over 2,560 px'
    """
    ax = axes(images, ax, "plot_dimensions", "width", "height")
    ax.set_title("Width and height")
    read = read_pandas(images, ["width", "height"], "plot_dimensions")
    pixels = read.fillna(0).astype("int64")
    known = pixels[(pixels > 0).all(axis="columns")]
    if known.empty:
        return nothing(ax, "No image has known dimensions" if len(images) else "No images")
    dots = known.value_counts(["width", "height"]).rename("n").reset_index()
    over = dots[["width", "height"]].max(axis="columns") > max_edge
    wide, high = inches(ax)
    small = min(wide * high / 18, 1)  # Of the area of a default chart.
    smallest = min(max(4000 / len(dots), 16), 60) * small
    for some, marker, color in ((dots[~over], "o", BLUE), (dots[over], "^", ORANGE)):
        look = {
            "marker": marker,
            "color": seen(ax, color, READABLE),
            "alpha": 0.8,
            "linewidth": 0,
            "rasterized": True,
        }
        area = np.minimum(smallest * np.sqrt(some["n"]), 400 * small)
        ax.scatter(some["width"], some["height"], **{"s": area} | look | kwargs)
    limits = [known.to_numpy().min() / 1.6, known.to_numpy().max() * 1.6]
    limits = [min(limits[0], max_edge / 8), max(limits[1], max_edge * 1.6)]
    ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
    for line in (ax.axvline, ax.axhline):
        line(max_edge, color=seen(ax, GRAY), linestyle="--", linewidth=1)
    note = ax.text(
        limits[0] * 1.08,
        max_edge * 1.05,
        f"{max_edge:,} px",
        color=seen(ax, GRAY, READABLE),
        va="bottom",
    )
    ticks = FixedLocator([10.0**p * m for p in range(6) for m in (1, 3)])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(ticks)
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        light_grid(axis)
    left_out = len(images) - len(known)
    unknown = f"; {left_out:,} not known" if left_out else ""
    ax.set(xlabel=f"Width (px{unknown})", ylabel="Height (px)")
    n_over = int(dots["n"][over].sum())
    ax.set_title(f"{n_over:,} of {plural(len(known), 'image')} over {max_edge:,} px")
    return describe(
        ax, f"{plural(left_out, 'image')} of unknown dimensions left out.", Inside([note])
    )
