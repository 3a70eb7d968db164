"""The whole library in one figure."""

from __future__ import annotations

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from picora_analytics.analysis.dates import Instant
from picora_analytics.analysis.everyday import read_pandas
from picora_analytics.analysis.sizes import summarize_library
from picora_analytics.charts.dimensions import plot_dimensions
from picora_analytics.charts.formats import plot_formats
from picora_analytics.charts.sizes import plot_concentration
from picora_analytics.charts.tags import plot_tags
from picora_analytics.charts.uploads import plot_ages, plot_growth
from picora_analytics.library.frame import facts_of
from picora_analytics.text import plural
from picora_analytics.units import format_bytes

__all__ = ["plot_overview"]

_NEEDS = ("size_bytes", "mime_type", "width", "height", "is_public", "tags", "created_at")


def plot_overview(images: pd.DataFrame, *, now: Instant | None = None) -> Figure:
    """
    Draw a library in six charts: growth, concentration, pixels, tags, formats and ages.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    now : str, date or datetime, optional
        The instant ages count from; by default the moment of the load.

    Returns
    -------
    Figure
        Of six axes. Its label says in words what they show.

    Raises
    ------
    SchemaError
        If a column is missing, or if `now` is not given and the images do not know it.

    Examples
    --------
    >>> figure = plot_overview(make_images(size_bytes=[700, 300, 24]))
    >>> figure.get_suptitle()
    '3 images, 1.0 KiB'
    """
    read_pandas(images, _NEEDS, "plot_overview")  # Before there is a figure.
    figure, panels = plt.subplots(2, 3, figsize=(16, 9), layout="constrained")
    row = summarize_library(images).iloc[0]
    drawn = [
        plot_growth(images, ax=panels[0, 0]),
        plot_concentration(images, ax=panels[0, 1]),
        plot_dimensions(images, ax=panels[0, 2]),
        plot_tags(images, top=10, ax=panels[1, 0]),
        plot_formats(images, ax=panels[1, 1]),
        plot_ages(images, now=now, ax=panels[1, 2]),
    ]
    n = int(row["n_images"])
    size = "size unknown" if pd.isna(row["size_bytes"]) else format_bytes(int(row["size_bytes"]))
    facts = facts_of(images)
    demo = "DEMO library: " if facts is not None and facts.get("demo") else ""
    title = f"{demo}{plural(n, 'image')}, {size}"
    figure.suptitle(title, fontweight="bold")
    figure.set_label(" ".join([f"{title}.", *(str(ax.get_label()) for ax in drawn)]))
    return figure
