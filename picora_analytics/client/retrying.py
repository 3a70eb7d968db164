"""How often and how long a failing read is repeated."""

from __future__ import annotations

import datetime as dt
import random
import re
import threading

import httpx

from picora_analytics.times import now, parse_http_date

__all__ = ["MAX_TRIES", "RetryBudget", "StoppedError", "backoff", "jitter", "retry_after"]

MAX_TRIES = 5
MAX_PAUSE = 366 * 86400.0  # Longer ones are no pause, and overflow the calendar.


class StoppedError(Exception):
    """The caller's `stop` was set while a request was waiting."""


class RetryBudget:
    """
    The repeats that all requests of one load may need together. Safe for threads.

    Parameters
    ----------
    retries : int
        How many.
    seconds : float
        How long their pauses may be in total; pacing is no repeat and is not counted.

    Attributes
    ----------
    used : int
        Repeats so far.
    """

    def __init__(self, retries: int = 60, seconds: float = 900.0) -> None:
        self.retries, self.seconds = retries, seconds
        self.used = 0
        self._lock = threading.Lock()

    def spend(self, pause: float) -> bool:
        """Take one repeat with its pause; False where it is no longer in the budget."""
        with self._lock:
            if self.used >= self.retries or pause > self.seconds:
                return False
            self.used += 1
            self.seconds -= pause
            return True


def backoff(attempt: int) -> float:
    """Give a pause that doubles and is drawn by chance, so that many clients do not return as one."""
    return random.uniform(0.1, min(8.0, 0.25 * 2**attempt))  # noqa: S311


def jitter() -> float:
    """Give what is added to a pause the service asks for, so that many threads do not return as one."""
    return random.uniform(0.0, 0.05)  # noqa: S311


def retry_after(headers: httpx.Headers, wall: dt.datetime | None = None) -> float:
    """Read Retry-After as seconds or as a date, by the answer's own clock; 1 s where it says nothing."""
    wall = wall or parse_http_date(headers.get("date", "")) or now()
    pauses = []
    # Server and proxy may each have sent one: the longest is waited.
    for text in headers.get_list("retry-after"):
        numbers = re.findall(r"(?:^|,)\s*(\d+(?:\.\d+)?)\s*(?=,|$)", text)
        pauses += [max(float(number), 0.05) for number in numbers]
        dates = map(parse_http_date, [text, *re.findall(r"[A-Za-z]{3,9},[^,]+", text)])
        pauses += [max((date - wall).total_seconds(), 1.0) for date in dates if date]
    return min(max(pauses, default=1.0), MAX_PAUSE)
