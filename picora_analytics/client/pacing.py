"""
Pacing before refusal: how long to wait so that the service never has to say no.

Each tier is a bucket of requests that refills at the tier's rate, kept as the service keeps it: our own
requests are taken out when they start, those of other programs on the same key when an answer tells of them
(``Remaining`` has fallen by more than we sent). Alone, all but two of the burst are used at once and the
limit's own pace after it. In company the pace is the limit times how full the bucket is: two programs settle
at half each with the bucket half full, three at a third, and whoever is left alone is back at the whole.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Literal

__all__ = ["Pacer", "Tier", "seconds_needed"]

Tier = Literal["read", "mutation", "upload"]

# Requests a minute and burst of each tier, and all together in an hour (OpenAPI 0.7.0 and the docs).
PER_MINUTE: dict[Tier, int] = {"read": 600, "mutation": 120, "upload": 60}
BURST: dict[Tier, int] = {"read": 30, "mutation": 10, "upload": 5}
PER_HOUR = 5000
# The longest window there is, in seconds.
HOUR = 3600.0
# No account is said to have more than ten times the documented limits.
LARGEST = 100
# Start a little below the limit: clocks and networks jitter, and a refusal costs more than 0.2 %.
MARGIN = 0.998
# A minute's window resets within 60 seconds; the rest allows for rounding and a slow answer.
LATE = 90
# A reset that moves by more than this is another window's; rounding and slow answers move it by less.
NEW_WINDOW = 5.0
# Others are reckoned with for so long after they last were noticed, in seconds.
COMPANY = 10.0
# After a refusal half the pace, back to the whole within two minutes; never below a tenth.
SLOWER, RECOVERY, SLOWEST = 0.5, 1 / 120, 0.1


def seconds_needed(requests: int) -> float:
    """Give the least number of seconds that this many changing requests take."""
    hours, rest = divmod(max(requests - 1, 0), PER_HOUR)
    burst = 0 if hours else BURST["mutation"]
    return hours * 3600 + max(rest + 1 - burst, 0) * 60 / PER_MINUTE["mutation"]


class _Budget:
    """One tier's bucket, and what the last answer said of its window."""

    def __init__(self, per_minute: float, burst: int) -> None:
        self.documented, self.burst = per_minute, burst
        self.scale = 1.0
        self.held, self.at = float(burst), -math.inf  # What the bucket held, and when.
        self.last = -math.inf  # When our last request started.
        self.closed_until = -math.inf
        self.ease, self.eased_at = 1.0, 0.0
        self.started = self.ended = 0
        self.ended_before = 0  # Those that had ended when an answer last told something.
        # Nothing is known to be left before an answer tells: another program may have emptied the bucket.
        self.left, self.window_end = 0.0, -math.inf
        self.before_window = self.others = 0
        self.company_until = -math.inf

    @property
    def size(self) -> float:
        """Requests the full bucket holds; a smaller account has a smaller one, a larger one is not sure."""
        return self.burst * min(self.scale, 1.0)

    @property
    def under_way(self) -> int:
        return self.started - self.ended

    def pace(self, now: float) -> float:
        """Give the part of the limit that is used: less for a while after a refusal."""
        return min(1.0, self.ease + max(0.0, now - self.eased_at) * RECOVERY)

    def refill(self, now: float) -> float:
        """Let the bucket fill up to now; give the seconds that one request takes."""
        interval = 60 / (self.documented * self.scale * MARGIN * self.pace(now))
        self.held = min(self.size, self.held + max(0.0, now - self.at) / interval)
        self.at = max(self.at, now)
        return interval

    def delay(self, now: float) -> float:
        interval = self.refill(now)
        # Two stay in the bucket: one for clocks that differ, one for another program's first request, which
        # nothing foretells. A third for requests of ours that may overtake each other on the way.
        needed = min(self.size, 3 + min(1, self.under_way))
        start = max(self.closed_until, self.at + (needed - self.held) * interval)
        spare = 0.0
        if now < self.company_until:
            spare = self.size / 4
            start = max(start, self.last + self._gap(now, interval) * interval)
        if self.left - self.under_way < 1 + spare:
            # When the window has ended, one request goes to see what the next one holds.
            start = max(start, self.window_end, now + interval if self.under_way else now)
        return max(0.0, start - now)

    def _gap(self, now: float, interval: float) -> float:
        """
        Solve gap x fullness = 1, in intervals since our last request; the bucket held `then` just after it.

        The fullness is (then + gap) / size, so an emptier bucket makes the gaps longer, but never endless.
        """
        if self.last == -math.inf:
            return 0.0
        then = self.held - (now - self.last) / interval
        return (math.sqrt(then * then + 4 * self.size) - then) / 2

    def take(self, now: float) -> None:
        self.held -= 1
        self.last = now
        self.started += 1

    def end(self) -> None:
        self.ended = min(self.ended + 1, self.started)

    def slow_down(self, now: float, until: float) -> None:
        """Start nothing before `until`, and no burst then."""
        self.refill(now)
        # Requests that were under way when the first was refused say nothing new.
        if now >= self.closed_until:
            self.ease = max(SLOWEST, self.pace(now) * SLOWER)
        self.eased_at = self.closed_until = self.at = max(self.closed_until, until)
        self.held = min(self.held, 3)

    def see(self, now: float, used: float | None, left: float, reset: float) -> None:
        """Learn from one answer: requests of the window used by all, left in it, and when it ends."""
        self.refill(now)
        if now + reset > self.window_end + NEW_WINDOW or now > self.window_end:
            # Of our own only those that were under way, or came later, can count for the new window.
            self.before_window, self.others = self.ended_before, 0
        self.left, self.window_end, self.ended_before = left, now + reset, self.ended
        if used is None:
            return
        others = int(used) - (self.started - self.before_window)
        if others > self.others:
            # An empty bucket is as empty as it can be.
            self.held = max(0.0, self.held - (others - self.others))
            self.others = others
            # Who used a window up comes back in the next one, and must not find everybody's burst there.
            self.company_until = COMPANY + (self.window_end if left <= self.size / 4 else now)


class Pacer:
    """
    Hold the budgets of one key; every request takes from it before it starts.

    The documented limits are where it starts. What the service advertises corrects them both ways:
    a larger `RateLimit-Limit` (ten-fold accounts) speeds up, a smaller one slows down, other programs on
    the same key are made room for, and an empty remainder waits for the reset. Safe for threads.

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
        self._hour_advertised = False
        self._hour_closed_until = -math.inf

    def interval(self, tier: Tier) -> float:
        """Give the seconds between two requests of a tier at its steady pace."""
        with self._lock:
            return self._budgets[tier].refill(self._clock())

    def delay(self, tier: Tier) -> float:
        """
        Take one request from a tier if it may start now; else give the seconds to wait before asking again.

        Whoever takes one calls :meth:`correct` or :meth:`lost` when it has ended.

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
            wait = max(budget.delay(now), self._hour_closed_until - now)
            if len(self._hour) >= self._per_hour:
                wait = max(wait, self._hour[-self._per_hour] + 3600 - now)
            if wait > 0:
                return wait
            budget.take(now)
            self._hour.append(now)
            return 0.0

    def correct(self, tier: Tier, headers: Mapping[str, str], wall: float | None) -> None:
        """
        Learn from the headers of an answer, of either family.

        Parameters
        ----------
        tier : {"read", "mutation", "upload"}
            The tier of the call that was answered.
        headers : mapping
            Names in lower case. ``Reset`` is read as a Unix time from 10**9 up, else as seconds: the
            vendor's sources say both.
        wall : float or None
            The service's own time, Unix seconds; None where the answer has no date.
        """
        limit, remaining, reset = (
            _number(headers, name) for name in ("limit", "remaining", "reset")
        )
        if reset is not None and reset >= 1e9:
            reset = None if wall is None else max(0.0, reset - wall)
        if reset is not None and reset > HOUR + LATE:
            reset = remaining = (
                None  # No window is so long: one odd head must not close the client for years.
            )
        if limit is not None and not 1 <= limit <= LARGEST * PER_HOUR:
            limit = None
        with self._lock:
            now, budget = self._clock(), self._budgets[tier]
            budget.end()
            budget.left = math.inf  # Unless it says more.
            # Which bucket is described is not documented; only the hour's resets so late, or is so
            # large without being a multiple of the minute's.
            large = limit is not None and limit >= PER_HOUR and limit % PER_MINUTE[tier] != 0
            if large or (reset is not None and reset > LATE):
                if limit:
                    self._per_hour, self._hour_advertised = max(1, int(limit)), True
                if remaining is not None and remaining < 1 and reset:
                    self._hour_closed_until = max(self._hour_closed_until, now + reset)
                return
            if limit:
                budget.scale = min(limit / PER_MINUTE[tier], LARGEST)
                if not self._hour_advertised:
                    self._per_hour = int(PER_HOUR * max(1.0, budget.scale))
            if remaining is not None and reset:
                budget.see(now, limit - remaining if limit else None, remaining, reset)

    def lost(self, tier: Tier) -> None:
        """Note that a request ended without an answer that tells what is left."""
        with self._lock:
            self._budgets[tier].end()

    def refuse(self, tier: Tier, seconds: float) -> None:
        """Start nothing of a tier for some seconds after a 429, and go on more slowly then."""
        with self._lock:
            now = self._clock()
            # Longer ones are the caller's to report; a later call may ask again after an hour.
            self._budgets[tier].slow_down(now, now + min(seconds, HOUR))


def _number(headers: Mapping[str, str], name: str) -> float | None:
    for family in ("ratelimit-", "x-ratelimit-"):
        # Never "nan" or "inf".
        match = re.match(
            r"\s*(\d{1,12}(?:\.\d{1,6})?)\s*(?:[,;]|$)", headers.get(family + name, "")
        )
        if match:
            return float(match[1])
    return None
