"""The charts of a report, as pictures that stand in the page itself."""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from picora_analytics.charts import plot_ages, plot_concentration, plot_growth
from picora_analytics.charts.dimensions import plot_dimensions
from picora_analytics.charts.formats import plot_formats
from picora_analytics.charts.savings import plot_savings
from picora_analytics.charts.tags import plot_tags
from picora_analytics.text import visible

__all__ = ["Picture", "draw"]

_PLOTS: dict[str, Callable[..., Axes]] = {
    "growth": plot_growth,
    "concentration": plot_concentration,
    "formats": plot_formats,
    "dimensions": plot_dimensions,
    "ages": plot_ages,
    "tags": functools.partial(plot_tags, top=12),
    "savings": plot_savings,
}
# Inches; a page shows them at about 480 px, so that the letters are as large as its own small ones.
_DPI = 144
_WIDTH, _HEIGHT = 5.4, 3.6


class Picture(NamedTuple):
    """A chart: its data URI, what it shows in words, and its size in the pixels of the page."""

    uri: str
    alt: str
    width: int
    height: int


def draw(images: pd.DataFrame, *, dated: bool) -> dict[str, Picture]:
    """Draw every chart that can be drawn; without a moment of the load there are no ages."""
    return {
        name: _picture(plot, images)
        for name, plot in _PLOTS.items()
        if len(images) and (dated or name != "ages")
    }


def _picture(plot: Callable[..., Axes], images: pd.DataFrame) -> Picture:
    # In the style matplotlib has by itself, and a figure that no one else sees: what the caller
    # has set for dark notebooks would be unreadable on the light card of the page.
    with style.context("default", after_reset=True):
        figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained", facecolor="white")
        FigureCanvasAgg(figure)
        plot(images, ax=figure.subplots())
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=_DPI, metadata={"Software": None})
    encoded = base64.b64encode(file.getvalue()).decode("ascii")
    return Picture(
        f"data:image/png;base64,{encoded}",
        visible(figure.get_label()),
        round(_WIDTH * 100),
        round(_HEIGHT * 100),
    )
