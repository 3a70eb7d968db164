"""When: how old the uploads are and how the library grew."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes

from picora_analytics.analysis.dates import Instant
from picora_analytics.analysis.uploads import summarize_ages, summarize_growth
from picora_analytics.charts.colors import BLUE, seen
from picora_analytics.charts.drawing import (
    axes,
    bars,
    date_ticks,
    describe,
    listed,
    nothing,
    plain_numbers,
    unit_of,
)
from picora_analytics.text import plural
from picora_analytics.units import format_bytes

__all__ = ["plot_ages", "plot_growth"]

# matplotlib has no other years, and a wrong date may lie at either end.
_CALENDAR = np.array(["0001-01-01", "9999-12-31"], dtype="datetime64[D]")
_LENGTHS = {
    "day": pd.DateOffset(days=1),
    "week": pd.DateOffset(weeks=1),
    "month": pd.DateOffset(months=1),
    "year": pd.DateOffset(years=1),
}


def plot_ages(
    images: pd.DataFrame, *, now: Instant | None = None, ax: Axes | None = None, **kwargs: Any
) -> Axes:
    """
    Draw the storage of each class of age since the upload, youngest on top.

    Old is not unused.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    now : str, date or datetime, optional
        The instant ages count from; by default the moment of the load.
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
        If a column is missing, or if `now` is not given and the images do not know it.

    Examples
    --------
    >>> ax = plot_ages(make_images(created_at=["2026-01-01", "2020-01-01"]), now="2026-01-02")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['0 - 30 days', 'over 5 years']
    """
    ax = axes(images, ax, "plot_ages", "created_at", "size_bytes")
    ages = summarize_ages(images, now=now)
    ax.set_title("Storage by age of upload")
    if ages.empty:
        return nothing(ax, "No images")
    labels = ages["age"].tolist()
    fitters = bars(ax, labels, ages["size_bytes"], ages["n_images"], **kwargs)
    ax.set_ylabel("Age")
    return describe(ax, listed(labels, ages["size_bytes"], most=8), *fitters)


def plot_growth(
    images: pd.DataFrame,
    *,
    freq: Literal["day", "week", "month", "year"] = "month",
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """
    Draw how the storage grew (line) and what each period added (bars, on an axis of their own).

    Surviving images only: what was deleted since is in no list, so the past looks smaller than it
    was. Images without an upload date are left out.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    freq : {"day", "week", "month", "year"}
        The length of a period, in UTC.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.plot` for the line.

    Returns
    -------
    Axes
        Those of the line; the bars are on their twin. What the picture says is in the label too.

    Raises
    ------
    SchemaError
        If a column is missing.
    ValueError
        If `freq` is not one of the four.

    Examples
    --------
    >>> ax = plot_growth(make_images(created_at=["2026-01-05", "2026-02-20"]))
    >>> ax.get_title()
    'Growth, surviving images only'
    """
    ax = axes(images, ax, "plot_growth", "created_at", "size_bytes")
    growth = summarize_growth(images, freq=freq)
    ax.set_title("Growth, surviving images only")
    if growth.empty:
        return nothing(ax, "No upload dates known" if len(images) else "No images")
    unit, divisor = unit_of(growth["total_size_bytes"].iloc[-1])
    begins = growth["period"].dt.tz_localize(None)
    ends = begins + _LENGTHS[freq]
    dates: Any = mdates  # matplotlib has no types for it
    first, last = dates.date2num(_CALENDAR)
    starts = dates.date2num(begins.to_numpy())
    stops = np.minimum(dates.date2num(ends.to_numpy()), last)
    totals = growth["total_size_bytes"].astype("float64").to_numpy() / divisor
    totals = np.concatenate([[0.0], totals])

    twin = ax.twinx()
    twin.bar(
        starts, growth["n_images"], width=stops - starts, align="edge", color=seen(ax, "#B0B0B0")
    )
    twin.set_ylabel(f"Uploads per {freq} (bars)")
    twin.set_ylim(0, growth["n_images"].max() * 2.5)  # the lower part is the bars'
    twin.spines["top"].set_visible(False)
    plain_numbers(twin, "y", whole=True)
    twin.grid(False)
    ax.set_zorder(twin.get_zorder() + 1)
    ax.patch.set_visible(False)

    # The total stands level until the end of the next period that added to it.
    look: dict[str, Any] = {"color": seen(ax, BLUE), "linewidth": 2, "drawstyle": "steps-post"}
    ax.plot(np.concatenate([starts[:1], stops]), totals, **look | kwargs)
    if len(growth) < 6:  # a month alone would have its days for ticks
        earliest = (ends.iloc[-1:] - 6 * _LENGTHS[freq]).to_numpy()
        ax.set_xlim(min(starts[0], dates.date2num(earliest)[0]), stops[-1])
    left, right = ax.get_xlim()
    ax.set_xlim(max(left, first), min(right, last))
    ax.set_ylim(0, totals[-1] * 1.08 or 1)
    ax.set_ylabel(f"Storage (line, {unit})")
    plain_numbers(ax, "y")
    date_ticks(ax)
    ax.set_xlabel("Uploaded (UTC)")
    total = growth.iloc[-1]
    return describe(
        ax,
        f"{plural(int(total['total_images']), 'image')}, "
        f"{format_bytes(int(total['total_size_bytes']))}, uploaded from "
        f"{begins.iloc[0]:%Y-%m-%d} on.",
    )
