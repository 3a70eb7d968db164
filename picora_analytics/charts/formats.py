"""Charts of formats, what their pixels take, and visibility."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from picora_analytics.analysis.formats import summarize_formats, summarize_visibility
from picora_analytics.analysis.savings import BYTES_PER_PIXEL
from picora_analytics.charts.colors import GRAY, seen
from picora_analytics.charts.drawing import (
    axes,
    bars,
    describe,
    listed,
    measured_bars,
    most_bars,
    nothing,
)
from picora_analytics.library.media_types import format_name
from picora_analytics.text import plural, shorten

__all__ = ["plot_bytes_per_pixel", "plot_formats", "plot_visibility"]


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
    ax = axes(images, ax, "plot_formats", "mime_type", "size_bytes", "width", "height")
    formats = summarize_formats(images).head(most_bars(ax, 12))  # more kinds than a browser knows
    ax.set_title("Storage by format")
    if formats.empty:
        return nothing(ax, "No images")
    names = [format_name(mime_type) for mime_type in formats["mime_type"]]
    fitters = bars(ax, names, formats["size_bytes"], formats["n_images"], **kwargs)
    ax.set_ylabel("Format")
    return describe(ax, listed(names, formats["size_bytes"]), *fitters)


def plot_bytes_per_pixel(images: pd.DataFrame, *, ax: Axes | None = None, **kwargs: Any) -> Axes:
    """
    Draw how many bytes a pixel takes in each format, the most first, beside where `summarize_savings` calls it heavy.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Images without known pixels, as an SVG, are left out.
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
    >>> ax = plot_bytes_per_pixel(make_images(size_bytes=[300_000], width=[1000], height=[1000]))
    >>> float(ax.patches[0].get_width()), ax.get_label()
    (0.3, 'Bytes per pixel. PNG 0.30 bytes per pixel.')
    """
    columns = ["mime_type", "size_bytes", "width", "height"]
    ax = axes(images, ax, "plot_bytes_per_pixel", *columns)
    formats = summarize_formats(images).dropna(subset="bytes_per_pixel")
    formats = formats.sort_values("bytes_per_pixel", ascending=False).head(most_bars(ax, 12))
    ax.set_title("Bytes per pixel")
    if formats.empty:
        return nothing(ax, "No pixels are known" if len(images) else "No images")
    names = [format_name(mime_type) for mime_type in formats["mime_type"]]
    weights = formats["bytes_per_pixel"].to_numpy(dtype="float64")
    short = [f"{weight:.2f}" for weight in weights]
    full = [
        f"{weight}, {plural(n, 'image')}"
        for weight, n in zip(short, formats["n_images"], strict=True)
    ]
    fitters = measured_bars(ax, names, weights, (full, short), least=BYTES_PER_PIXEL, **kwargs)
    ax.axvline(BYTES_PER_PIXEL, color=seen(ax, GRAY), linestyle="--", linewidth=1, zorder=0.5)
    ax.set_xlabel(f"Bytes per pixel; heavy from {BYTES_PER_PIXEL:.2f} on")
    ax.set_ylabel("Format")
    words = [
        f"{shorten(name, 40)} {weight}" for name, weight in zip(names[:5], short[:5], strict=True)
    ]
    return describe(ax, f"{', '.join(words)} bytes per pixel.", *fitters)


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
    ax = axes(images, ax, "plot_visibility", "is_public", "size_bytes")
    table = summarize_visibility(images)
    ax.set_title("Storage by visibility")
    if table.empty:
        return nothing(ax, "No images")
    labels = table["visibility"].tolist()
    fitters = bars(ax, labels, table["size_bytes"], table["n_images"], **kwargs)
    ax.set_ylabel("Visibility")
    return describe(ax, listed(labels, table["size_bytes"]), *fitters)
