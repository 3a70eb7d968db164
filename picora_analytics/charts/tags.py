"""Charts of tags."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from picora_analytics.analysis.tags import summarize_tags
from picora_analytics.charts.drawing import (
    axes,
    bars,
    describe,
    listed,
    most_bars,
    nothing,
    unit_of,
)

__all__ = ["plot_tags"]


def plot_tags(
    images: pd.DataFrame, *, top: int = 20, ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """
    Draw the storage of each tag.

    An image with three tags counts under each, so the bars add up to more than the library. The mark on a bar is where
    it would end if each image gave a third of its bytes to each: the marks add up.

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
    >>> ax = plot_tags(make_images(tags=[("cat",), ("cat", "red")], size_bytes=[1024, 2048]))
    >>> [float(bar.get_width()) for bar in ax.patches]
    [3.0, 2.0]
    """
    ax = axes(images, ax, "plot_tags", "tags", "size_bytes")
    tags = summarize_tags(images)
    ax.set_title("Storage by tag")
    if tags.empty:
        return nothing(ax, "No tags" if len(images) else "No images")
    shown = tags.head(most_bars(ax, top))
    fitters = bars(ax, shown["tag"].tolist(), shown["size_bytes"], shown["n_images"], **kwargs)
    ax.set_ylabel("Tag")
    shared = shown["shared_size_bytes"].fillna(0) / unit_of(shown["size_bytes"].max())[1]
    look: dict[str, Any] = {"linestyle": "none", "markersize": 7, "markeredgewidth": 2}
    ax.plot(shared, range(len(shown)), marker="|", color=ax.xaxis.label.get_color(), **look)
    ax.set_xlabel(f"{ax.get_xlabel()}; marks: shared evenly")
    if len(tags) > len(shown):
        ax.set_title(f"Storage by tag, top {len(shown)} of {len(tags):,}")
    return describe(ax, listed(shown["tag"].tolist(), shown["size_bytes"]), *fitters)
