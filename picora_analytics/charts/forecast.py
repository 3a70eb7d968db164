"""When the storage is full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import dates as mdates
from matplotlib.axes import Axes

from picora_analytics.analysis.dates import Instant
from picora_analytics.analysis.forecast import forecast_storage
from picora_analytics.analysis.uploads import summarize_growth
from picora_analytics.charts.colors import BLUE, ORANGE, READABLE, seen
from picora_analytics.charts.drawing import (
    axes,
    date_ticks,
    describe,
    nothing,
    plain_numbers,
    unit_of,
)
from picora_analytics.charts.fitting import Inside
from picora_analytics.times import day
from picora_analytics.units import format_bytes

__all__ = ["plot_forecast"]


def plot_forecast(
    images: pd.DataFrame,
    *,
    quota: int | str | None = None,
    snapshots: pd.DataFrame | None = None,
    now: Instant | None = None,
    ax: Axes | None = None,
    **kwargs: Any,
) -> Axes:
    """
    Draw how the storage grew, how it may go on (dashed, in its range), and the quota.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    quota, snapshots, now
        As for :func:`forecast_storage`.
    ax : Axes, optional
        Where to draw; by default a new figure.
    **kwargs
        Passed to :meth:`matplotlib.axes.Axes.plot` for the line of the past.

    Returns
    -------
    Axes
        What the picture says is in its title, and in its label in words.

    Raises
    ------
    SchemaError
        If a column is missing, or `now` is not given and the images do not know it.
    ValueError
        If `quota` cannot be read.

    Examples
    --------
    >>> weeks = pd.date_range("2026-11-23T13:00Z", periods=60, freq="-7D")
    >>> images = make_images(created_at=list(weeks), size_bytes=[100] * 60)
    >>> plot_forecast(images, quota=6400).get_title()
    'Full around 21 Dec 2026'
    """
    ax = axes(images, ax, "plot_forecast", "created_at", "size_bytes")
    forecast = forecast_storage(images, quota=quota, snapshots=snapshots, now=now)
    said = forecast.attrs["forecast"]
    ax.set_title("Storage to come")
    if forecast.empty:
        return nothing(ax, "No upload dates known" if len(images) else "No images")
    growth = summarize_growth(images, freq="week")
    today = forecast["at"].iloc[0]
    totals = growth["total_size_bytes"].to_numpy("float64")
    # The weeks after now are no past, whatever an upload date says.
    past = (growth["period"] + pd.Timedelta(days=7)).clip(upper=today)
    known = forecast["high_bytes"].fillna(forecast["likely_bytes"]).to_numpy("float64")
    limit = said["quota_bytes"]
    unit, divisor = unit_of(max(known.max(), limit or 0))
    began = growth["period"].iloc[0]
    dates: Any = mdates  # matplotlib has no types for it
    look: dict[str, Any] = {"color": seen(ax, BLUE), "linewidth": 2, "drawstyle": "steps-post"}
    x = dates.date2num([min(began, today), *past, today])
    size = float(forecast["likely_bytes"].iloc[0])
    ax.plot(x, np.array([0.0, *totals, size]) / divisor, **look | kwargs)
    shown = _shown(forecast, limit, today - began)
    ahead = dates.date2num(list(shown["at"]))
    ax.plot(
        ahead,
        shown["likely_bytes"].to_numpy("float64") / divisor,
        color=seen(ax, BLUE),
        linestyle="--",
    )
    if said["reason"] is None:
        low, high = (
            shown[f"{name}_bytes"].to_numpy("float64") / divisor for name in ("low", "high")
        )
        ax.fill_between(ahead, low, high, color=seen(ax, BLUE), alpha=0.25, linewidth=0)
        for edge in (low, high):  # the band alone is faint
            ax.plot(ahead, edge, color=seen(ax, BLUE), linewidth=0.8)
    top = float(shown["high_bytes"].fillna(shown["likely_bytes"]).max())
    inside: list[Inside] = []
    if limit is not None:
        ax.axhline(limit / divisor, color=seen(ax, ORANGE), linewidth=1.5)
        # Above the line at the left, where the past is far below it.
        note: dict[str, Any] = {"xytext": (4, 3), "textcoords": "offset points", "va": "bottom"}
        quota_note = ax.annotate(
            f"quota {format_bytes(limit)}",
            (0, limit / divisor),
            xycoords=("axes fraction", "data"),
            color=seen(ax, ORANGE, READABLE),
            **note,
        )
        inside.append(Inside([quota_note]))
        top = max(min(top, 1.4 * limit), limit)
    ax.set_ylim(0, top * 1.12 / divisor or 1)
    ax.set_xlim(x[0], ahead[-1])
    ax.set_ylabel(f"Storage ({unit})")
    plain_numbers(ax, "y")
    date_ticks(ax)
    ax.set_title(_title(said, size))
    words = f"{format_bytes(said['weekly_bytes'])} a week over the last 13 weeks."
    if said["reason"] is not None:
        words = f"{words} No range: {said['reason']}."
    return describe(ax, words, *inside)


def _shown(forecast: pd.DataFrame, limit: int | None, past: pd.Timedelta) -> pd.DataFrame:
    """Give the weeks worth drawing: as many as the past has, or until even the low bytes are over the quota."""
    weeks = max(int(past / pd.Timedelta(days=7)), 8)
    if limit is not None:
        over = forecast["low_bytes"].fillna(forecast["likely_bytes"]) >= limit
        if over.any():
            weeks = min(weeks, max(int(over.to_numpy(dtype=bool).argmax()) + 4, 8))
    return forecast.head(weeks + 1)


def _title(said: dict[str, Any], size: float) -> str:
    limit = said["quota_bytes"]
    if limit is None:
        return "Storage to come"
    if size >= limit:
        return "The quota is used up"
    early, likely, late = (_day(said[name]) for name in ("early", "likely", "late"))
    if said["reason"] is not None:
        return (
            f"Full around {likely}, at this pace"
            if likely
            else "Not full within half a year, at this pace"
        )
    if early is None:
        return f"Not full before {_day(said['until'])}"
    if early == late:
        return f"Full around {early}"
    return (
        f"Full between {early} and {late}" if late else f"Full from {early} on, perhaps much later"
    )


def _day(text: str | None) -> str | None:
    return None if text is None else day(pd.Timestamp(text))
