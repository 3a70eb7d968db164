"""The rate limits of the demo service: buckets that fill up again, in real time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

# Calls a minute and burst by tier, and the ceiling of all calls in an hour
# (OpenAPI: "Rate Limiting"). Admin accounts have ten times as much: `scale`.
TIERS = {"read": (600, 30), "upload": (60, 5), "mutation": (120, 10)}
HOURLY = 5_000


@dataclass(slots=True)
class _Window:
    """A count that starts anew after so many seconds."""

    limit: int
    seconds: float
    started: float = -math.inf
    used: int = 0

    def turn(self, now: float) -> None:
        if now - self.started >= self.seconds:
            self.started, self.used = now, 0

    def remaining(self) -> int:
        return max(0, self.limit - self.used)

    def reset(self, now: float) -> float:
        return self.seconds - (now - self.started)


@dataclass(slots=True)
class _Bucket:
    """As many calls at once as the burst, refilled at the rate of the tier."""

    per_minute: float
    burst: float
    tokens: float = field(init=False)
    filled_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens, self.filled_at = self.burst, time.monotonic()

    def fill(self, now: float) -> None:
        self.tokens += (now - self.filled_at) * self.per_minute / 60
        self.tokens, self.filled_at = min(self.burst, self.tokens), now

    def wait(self) -> float:
        return max(0.0, (1 - self.tokens) * 60 / self.per_minute)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the limits say of one call; ``wait`` above zero is a refusal."""

    tier: str
    limit: int
    remaining: int
    reset: float
    wait: float = 0.0


class RateLimits:
    """
    Count calls against the documented limits.

    What "burst" means is not documented. Here a tier is a bucket of ``burst`` calls
    refilled at the tier's rate, so any 60 seconds hold at most rate + burst calls.
    The headers count the current minute, as the service's own example does.

    Parameters
    ----------
    scale : float
        All limits times this; 10 is an admin account.
    burst_scale : float, optional
        The bursts times this; as `scale` unless given. 1 is the documented service in fast motion.
    """

    def __init__(self, scale: float = 1.0, burst_scale: float | None = None) -> None:
        wider = scale if burst_scale is None else burst_scale
        self._buckets = {
            tier: _Bucket(rate * scale, max(1.0, burst * wider))
            for tier, (rate, burst) in TIERS.items()
        }
        self._minutes = {
            tier: _Window(max(1, round(rate * scale)), 60) for tier, (rate, _) in TIERS.items()
        }
        self._hour = _Window(max(1, round(HOURLY * scale)), 3_600)

    def count(self, tier: str) -> Verdict:
        """Take one call of a tier, or say how long to wait."""
        now = time.monotonic()
        bucket, minute = self._buckets[tier], self._minutes[tier]
        bucket.fill(now)
        minute.turn(now)
        self._hour.turn(now)
        if not self._hour.remaining():
            reset = self._hour.reset(now)
            return Verdict("hourly", self._hour.limit, 0, reset, wait=reset)
        if wait := bucket.wait():
            return Verdict(tier, minute.limit, 0, wait, wait=wait)
        bucket.tokens -= 1
        minute.used += 1
        self._hour.used += 1
        return Verdict(tier, minute.limit, minute.remaining(), minute.reset(now))

    def status(self) -> dict[str, Verdict]:
        """Tell what is left of each limit; nothing is counted."""
        now = time.monotonic()
        found = {}
        for tier, window in (*self._minutes.items(), ("hourly", self._hour)):
            window.turn(now)
            found[tier] = Verdict(tier, window.limit, window.remaining(), window.reset(now))
        return found
