"""Dates as people give them, and the instant that ages count from."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import Facts
from picora_analytics.times import YEARS, in_utc, parse_instant

__all__ = ["Instant", "days_before", "instant", "now_of"]

Instant = str | dt.date | dt.datetime | pd.Timestamp


def instant(value: Any, name: str) -> dt.datetime:
    """
    Read a date or an instant; without a zone it is UTC, and a date means its midnight.

    Raises
    ------
    TypeError, ValueError
        If it is not a date.

    Examples
    --------
    >>> print(instant("2026-01-31", "date"), instant("2026-01-31T01:00+02:00", "date"))
    2026-01-31 00:00:00+00:00 2026-01-30 23:00:00+00:00
    """
    example = "give text such as '2022-01-31', a date or a datetime"
    if not isinstance(value, str | dt.date):
        raise TypeError(f"{name}={value!r} is not a date: {example}.")
    try:
        if isinstance(value, str):
            return parse_instant(value)
        if isinstance(value, dt.datetime):  # A Timestamp too; NaT cannot be read back.
            return parse_instant(value.isoformat())
        return in_utc(dt.datetime.combine(value, dt.time()))
    except (ValueError, OverflowError):
        raise ValueError(f"{name}={value!r} is not a date: {example}.") from None


def days_before(moment: dt.datetime, days: float) -> dt.datetime:
    """Count days back from a moment; ValueError if that lies before the calendar begins."""
    try:
        return moment - dt.timedelta(days=float(days))
    except OverflowError:
        raise ValueError(f"days={days!r} reaches back before the year 1: give fewer.") from None


def now_of(facts: Facts | None, now: Instant | None, caller: str) -> dt.datetime:
    """Give the instant that ages count from: what the caller says, else when the load was made."""
    if now is not None:
        moment = instant(now, "now")
        if moment.year not in YEARS:
            raise ValueError(f"now={now!r} is too near an end of the calendar to count ages from.")
        return moment
    if not facts or not facts.get("loaded_at"):
        raise SchemaError(
            f"{caller} counts ages from the moment of the load, and these images do not say when "
            f"that was. Pass it: now='2026-11-23'."
        )
    return instant(facts["loaded_at"], "loaded_at")
