"""Instants in and out: read from text and headers, written for machines and for people, always in UTC."""

from __future__ import annotations

import datetime as dt
import email.utils
import functools

__all__ = [
    "YEARS",
    "day",
    "day_and_time",
    "format_instant",
    "in_utc",
    "now",
    "parse_http_date",
    "parse_instant",
]

YEARS = range(100, 9900)  # From which one can count back and on for decades.


def now() -> dt.datetime:
    """Give this machine's time, in UTC."""
    return dt.datetime.now(dt.UTC)


def parse_instant(text: str) -> dt.datetime:
    """
    Parse an ISO 8601 instant; without a zone it is UTC.

    Raises
    ------
    ValueError
        If the text is not an instant, or lies outside the calendar in UTC.

    Examples
    --------
    >>> print(parse_instant("2026-01-31T01:00:00+02:00"))
    2026-01-30 23:00:00+00:00
    """
    try:
        return in_utc(dt.datetime.fromisoformat(text.strip()))
    except OverflowError:
        raise ValueError(f"{text!r} is outside the calendar") from None


def in_utc(moment: dt.datetime) -> dt.datetime:
    """Give an instant in UTC; one without a zone is taken to be UTC."""
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def format_instant(moment: dt.datetime) -> str:
    """
    Write an instant as ISO 8601 in UTC, as precise as it is.

    Examples
    --------
    >>> format_instant(parse_instant("2026-01-31T01:00:00.25+02:00"))
    '2026-01-30T23:00:00.250000Z'
    """
    return in_utc(moment).isoformat().replace("+00:00", "Z")


def day(moment: dt.datetime) -> str:
    """
    Write the day of an instant for people.

    Examples
    --------
    >>> day(parse_instant("2026-11-03T14:02:00Z"))
    '3 Nov 2026'
    """
    return f"{moment.day} {moment:%b %Y}"


def day_and_time(moment: dt.datetime) -> str:
    """
    Write an instant for people, to the minute.

    Examples
    --------
    >>> day_and_time(parse_instant("2026-11-03T14:02:31Z"))
    '3 Nov 2026, 14:02 UTC'
    """
    return f"{day(moment)}, {moment:%H:%M} UTC"


@functools.lru_cache(maxsize=64)  # Pages of one second carry one date.
def parse_http_date(text: str) -> dt.datetime | None:
    """
    Parse an HTTP date; None if invalid.

    Examples
    --------
    >>> print(parse_http_date("Tue, 03 Nov 2026 14:02:00 GMT"), parse_http_date("soon"))
    2026-11-03 14:02:00+00:00 None
    """
    try:
        return in_utc(email.utils.parsedate_to_datetime(text))
    # OverflowError: out-of-range UTC offsets and years.
    except (ValueError, TypeError, OverflowError):
        return None
