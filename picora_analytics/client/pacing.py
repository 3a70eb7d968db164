"""Pacing before refusal: how long to wait so that the service never has to say no."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal

__all__ = ["Pacer", "Tier"]

Tier = Literal["read", "mutation"]

# Requests a minute and burst of each tier, and all together in an hour (OpenAPI 0.7.0 and the docs).
PER_MINUTE: dict[Tier, int] = {"read": 600, "mutation": 120}
BURST: dict[Tier, int] = {"read": 30, "mutation": 10}
PER_HOUR = 5000
# Start a little below the limit: clocks and networks jitter, and a refusal costs more than 0.2 %.
MARGIN = 0.998
# A minute's window resets within 60 seconds; the rest allows for rounding and a slow answer.
LATE = 90


class _Budget:
    """One tier's allowance: a burst, then a steady pace (the generic cell rate algorithm)."""

    def __init__(self, per_minute: float, burst: int) -> None:
        self.documented = per_minute
        self.burst = burst
        self.scale = 1.0
        self.next_free = 0.0

    @property
    def interval(self) -> float:
        return 60 / (self.documented * self.scale * MARGIN)

    @property
    def ahead(self) -> float:
        """How far requests may run ahead of the steady pace; a smaller account has a smaller burst."""
        return max(0.0, self.burst * min(self.scale, 1.0) - 2) * self.interval

    def delay(self, now: float) -> float:
        return max(0.0, self.next_free - self.ahead - now)

    def take(self, now: float) -> None:
        self.next_free = max(self.next_free, now) + self.interval

    def pause(self, until: float) -> None:
        """Start nothing before `until`, and no burst then."""
        self.next_free = max(self.next_free, until + self.ahead)


class Pacer:
    """
    Hold the budgets of one key; every request takes from it before it starts.

    The documented limits are where it starts. What the service advertises corrects them both ways:
    a larger `RateLimit-Limit` (ten-fold accounts) speeds up, a smaller one slows down, and
    an empty remainder (another program on the same key) pauses until the reset.

    Parameters
    ----------
    clock : callable
        Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._budgets = {tier: _Budget(PER_MINUTE[tier], BURST[tier]) for tier in PER_MINUTE}
        self._hour: deque[float] = deque()
        self._per_hour = PER_HOUR

    def interval(self, tier: Tier) -> float:
        """Give the seconds between two requests of a tier at its steady pace."""
        with self._lock:
            return self._budgets[tier].interval

    def delay(self, tier: Tier) -> float:
        """
        Take one request from a tier if it may start now; else give the seconds to wait before asking again.

        Returns
        -------
        float
            0 where the request was counted and may start.
        """
        with self._lock:
            now = self._clock()
            while self._hour and self._hour[0] <= now - 3600:
                self._hour.popleft()
            budget = self._budgets[tier]
            wait = budget.delay(now)
            if len(self._hour) >= self._per_hour:
                wait = max(wait, self._hour[0] + 3600 - now)
            if wait > 0:
                return wait
            budget.take(now)
            self._hour.append(now)
            return 0.0

    def correct(self, tier: Tier, headers: Mapping[str, str], wall: float) -> None:
        """
        Learn from the headers of an answer, of either family.

        Parameters
        ----------
        tier : {"read", "mutation"}
            The tier of the call that was answered.
        headers : mapping
            Case-insensitive. ``Reset`` is read as a Unix time from 10**9 up, else as seconds: the
            vendor's sources say both.
        wall : float
            The service's own time, Unix seconds.
        """
        limit, remaining, reset = (
            _number(headers, name) for name in ("Limit", "Remaining", "Reset")
        )
        if limit is None or limit <= 0:
            return
        if reset is not None and reset >= 1e9:
            reset = max(0.0, reset - wall)
        with self._lock:
            now = self._clock()
            # Which bucket is described is not documented; only the hour's resets so late, or is so
            # large without being a multiple of the minute's.
            hourly = limit >= PER_HOUR and limit % PER_MINUTE[tier] != 0
            if hourly or (reset is not None and reset > LATE):
                self._per_hour = max(1, int(limit))
            else:
                self._budgets[tier].scale = limit / PER_MINUTE[tier]
                if limit > PER_MINUTE[tier]:
                    self._per_hour = max(self._per_hour, int(PER_HOUR * limit / PER_MINUTE[tier]))
            if remaining is not None and remaining < 1 and reset:
                self._budgets[tier].pause(now + reset)

    def refuse(self, tier: Tier, seconds: float) -> None:
        """Start nothing of a tier for some seconds, after a 429."""
        with self._lock:
            self._budgets[tier].pause(self._clock() + seconds)


def _number(headers: Mapping[str, str], name: str) -> float | None:
    text = headers.get(f"RateLimit-{name}", headers.get(f"X-RateLimit-{name}", ""))
    match = re.match(r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*(?:[,;]|$)", text)  # Never "nan" or "inf".
    return float(match[1]) if match else None
