"""Charts of formats and visibility."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from picora_analytics.analysis.formats import summarize_formats, summarize_visibility
from picora_analytics.charts.drawing import (
    axes,
    bars,
    describe,
    listed,
    most_bars,
    nothing,
)
from picora_analytics.library.media_types import format_name

__all__ = ["plot_formats", "plot_visibility"]


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
