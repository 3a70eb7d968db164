"""What kind: pixels, tags, formats and visibility."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from picora_analytics.analysis import (
    summarize_formats,
    summarize_tags,
    summarize_visibility,
)
from picora_analytics.analysis.kinds import MAX_EDGE
from picora_analytics.analysis.question import read_pandas
from picora_analytics.charts.drawing import (
    BLUE,
    GRAY,
    ORANGE,
    axes,
    bars,
    counted,
    describe,
    listed,
    nothing,
)

__all__ = ["plot_dimensions", "plot_formats", "plot_tags", "plot_visibility"]


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
    ax = axes(images, ax, "plot_dimensions")
    ax.set_title("Width and height")
    read = read_pandas(images, ["width", "height"], "plot_dimensions")
    pixels = read.fillna(0).astype("int64")
    known = pixels[(pixels > 0).all(axis="columns")]
    if known.empty:
        return nothing(ax, "No image has known dimensions" if len(images) else "No images")
    dots = known.value_counts(["width", "height"]).rename("n").reset_index()
    over = dots[["width", "height"]].max(axis="columns") > max_edge
    smallest = min(max(4000 / len(dots), 16), 60)
    for some, marker, color in ((dots[~over], "o", BLUE), (dots[over], "^", ORANGE)):
        look = {"marker": marker, "color": color, "alpha": 0.5, "linewidth": 0, "rasterized": True}
        area = np.minimum(smallest * np.sqrt(some["n"]), 400)
        ax.scatter(some["width"], some["height"], **{"s": area} | look | kwargs)
    limits = [known.to_numpy().min() / 1.6, known.to_numpy().max() * 1.6]
    limits = [min(limits[0], max_edge / 8), max(limits[1], max_edge * 1.6)]
    ax.set(xscale="log", yscale="log", xlim=limits, ylim=limits)
    for line in (ax.axvline, ax.axhline):
        line(max_edge, color=GRAY, linestyle="--", linewidth=1)
    ax.text(limits[0] * 1.08, max_edge * 1.05, f"{max_edge:,} px", color=GRAY, va="bottom")
    ticks = FixedLocator([10.0**p * m for p in range(6) for m in (1, 3)])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(ticks)
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.grid(True, alpha=0.3)
    left_out = len(images) - len(known)
    note = f"; {left_out:,} not known" if left_out else ""
    ax.set(xlabel=f"Width (px{note})", ylabel="Height (px)")
    n_over = int(dots["n"][over].sum())
    ax.set_title(f"{n_over:,} of {counted(len(known))} over {max_edge:,} px")
    return describe(ax, f"{counted(left_out)} of unknown dimensions left out.")


def plot_tags(
    images: pd.DataFrame, *, top: int = 20, ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """
    Draw the storage of each tag.

    An image with three tags counts under each, so the bars add up to more than the library.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    top : int
        At most so many bars.
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
    >>> ax = plot_tags(make_images(tags=[("cat",), ("cat", "red")], size_bytes=[1024, 2048]))
    >>> [float(bar.get_width()) for bar in ax.patches]
    [3.0, 2.0]
    """
    ax = axes(images, ax, "plot_tags")
    tags = summarize_tags(images)
    ax.set_title("Storage by tag")
    if tags.empty:
        return nothing(ax, "No tags" if len(images) else "No images")
    shown = tags.head(top)
    bars(ax, shown["tag"].tolist(), shown["size_bytes"], shown["n_images"], **kwargs)
    ax.set_ylabel("Tag")
    if len(tags) > len(shown):
        ax.set_title(f"Storage by tag, top {len(shown)} of {len(tags):,}")
    return describe(ax, listed(shown["tag"].tolist(), shown["size_bytes"]))


def plot_formats(images: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """
    Draw the storage of each format.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
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
    >>> ax = plot_formats(make_images(mime_type=["image/png", None]))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['PNG', 'unknown']
    """
    ax = axes(images, ax, "plot_formats")
    formats = summarize_formats(images).head(12)  # more kinds than a browser knows
    ax.set_title("Storage by format")
    if formats.empty:
        return nothing(ax, "No images")
    names = [_format_name(mime_type) for mime_type in formats["mime_type"]]
    bars(ax, names, formats["size_bytes"], formats["n_images"], **kwargs)
    ax.set_ylabel("Format")
    return describe(ax, listed(names, formats["size_bytes"]))


def plot_visibility(images: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """
    Draw the storage of public and private images.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
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
    >>> ax = plot_visibility(make_images(is_public=[True, False]))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['public', 'private']
    """
    ax = axes(images, ax, "plot_visibility")
    table = summarize_visibility(images)
    ax.set_title("Storage by visibility")
    if table.empty:
        return nothing(ax, "No images")
    bars(ax, table["visibility"].tolist(), table["size_bytes"], table["n_images"], **kwargs)
    ax.set_ylabel("Visibility")
    return describe(ax, listed(table["visibility"].tolist(), table["size_bytes"]))


def _format_name(mime_type: str) -> str:
    known = {"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WebP", "avif": "AVIF"}
    known["svg+xml"] = "SVG"
    kind, _, name = mime_type.partition("/")
    return known.get(name, mime_type) if kind == "image" else mime_type
