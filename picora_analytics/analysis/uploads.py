"""Uploads: how old they are, and how the library grew."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import datetime as dt
from typing import Literal

import narwhals.stable.v2 as nw

from picora_analytics.analysis.counting import (
    COUNTS,
    SHARES,
    SIZE,
    UNKNOWN,
    count,
    labelled,
    place_of,
    with_shares,
)
from picora_analytics.analysis.dates import Instant, now_of
from picora_analytics.analysis.engines import in_arrow, naive_utc, period_of
from picora_analytics.analysis.question import By, FrameT, facts, question

__all__ = [
    "AGE_RANGES",
    "summarize_ages",
    "summarize_growth",
]

# Whole days since the upload, each class to the end of its last day.
_AGE_CLASSES = [
    (30, "0 - 30 days"),
    (90, "31 - 90 days"),
    (365, "91 - 365 days"),
    (730, "1 - 2 years"),
    (1826, "2 - 5 years"),
    (None, "over 5 years"),
]
AGE_RANGES = ("in the future", *(label for _, label in _AGE_CLASSES), UNKNOWN)


@question("created_at", "size_bytes", answers={"age": "str", **COUNTS, **SHARES})
def summarize_ages(images: FrameT, *, now: Instant | None = None, by: By | None = None) -> FrameT:
    """
    Count images and bytes per class of age since the upload, youngest first.

    This is the age of the upload, not of the picture: after a move from another host everything
    is new. And old is not unused.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``created_at`` and ``size_bytes``.
    now : str, date or datetime, optional
        The instant ages count from; by default the moment of the load, which frames from ``load_images``
        and ``SnapshotStore.scan(facts=True)`` know. Without a zone it is UTC.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (n_classes, 5)
        ``age``, ``n_images``, ``size_bytes``, and ``image_share`` and ``size_share`` (0 to 1) of
        the library the images were loaded from. Classes without images are left out. Images
        without an upload date are in the row ``unknown``; uploads more than a day after `now` in
        the row ``in the future`` (a wrong clock, or an early `now`).

    Raises
    ------
    SchemaError
        If a column is missing, or if `now` is not given and the images do not know it.

    Examples
    --------
    >>> images = make_images(created_at=["2026-01-15", "2026-01-02", "2023-01-01"])
    >>> summarize_ages(images, now="2026-01-31")[["age", "n_images", "size_bytes"]]
               age  n_images size_bytes
    0  0 - 30 days         2    2.0 KiB
    1  2 - 5 years         1     1000 B
    """
    moment = now_of(facts(), now, "summarize_ages").replace(tzinfo=None)
    images = in_arrow(images)
    uploaded = nw.col("created_at")
    # The clocks of the service and of this machine may differ a little: a day ahead is still new.
    edges = [moment + dt.timedelta(days=1)] + [
        moment - dt.timedelta(days=days + 1) for days, _ in _AGE_CLASSES if days is not None
    ]
    later = [uploaded > naive_utc(images, edge) for edge in edges]
    classed = images.with_columns(place=place_of(uploaded, later))
    table = count(classed, "place").sort("place")
    return with_shares(table.with_columns(age=labelled("place", AGE_RANGES)), images)


@question(
    "created_at",
    "size_bytes",
    answers={
        "period": "datetime",
        **COUNTS,
        "total_images": "int64",
        "total_size_bytes": "Int64",
    },
)
def summarize_growth(
    images: FrameT,
    *,
    freq: Literal["day", "week", "month", "year"] = "month",
    by: By | None = None,
) -> FrameT:
    """
    Count uploads per period, and the total they led to.

    Surviving images only: what was deleted since is in no list, so the library may have been
    larger than ``total_images`` says. Periods without uploads have no row, and images without an
    upload date are left out.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``created_at`` and ``size_bytes``.
    freq : {"day", "week", "month", "year"}
        The length of a period, in UTC; weeks begin on Monday.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (n_periods, 5)
        ``period`` (its first instant, UTC), ``n_images`` and ``size_bytes`` uploaded in it,
        ``total_images`` and ``total_size_bytes`` up to its end; oldest first.

    Raises
    ------
    SchemaError
        If ``created_at`` or ``size_bytes`` is missing.
    ValueError
        If `freq` is not one of the four.

    Examples
    --------
    >>> images = make_images(created_at=["2026-01-05", "2026-01-20", "2026-03-01"])
    >>> summarize_growth(images)[["period", "n_images", "total_images", "total_size_bytes"]]
                         period  n_images  total_images total_size_bytes
    0 2026-01-01 00:00:00+00:00         2             2          2.0 KiB
    1 2026-03-01 00:00:00+00:00         1             3          2.9 KiB
    """
    if freq not in ("day", "week", "month", "year"):
        raise ValueError(f"freq={freq!r} is unknown: choose 'day', 'week', 'month' or 'year'.")
    dated = in_arrow(images).drop_nulls("created_at")
    table = count(period_of(dated, "created_at", freq), "period")
    return table.with_columns(
        total_images=nw.col("n_images").cum_sum().over(order_by="period"),
        total_size_bytes=SIZE.fill_null(0).cum_sum().over(order_by="period"),
    ).sort("period")
