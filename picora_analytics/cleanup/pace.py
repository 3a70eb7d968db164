"""How long a deletion takes by Picora's documented budgets, and how that is said."""

from __future__ import annotations

from picora_analytics.client.pacing import BURST, PER_HOUR, PER_MINUTE

__all__ = ["about", "plural", "seconds_needed"]


def seconds_needed(requests: int) -> float:
    """
    Give the least time so many changing requests take.

    Returns
    -------
    float
        Seconds.
    """
    hours, rest = divmod(max(requests - 1, 0), PER_HOUR)
    burst = 0 if hours else BURST["mutation"]
    return hours * 3600 + max(rest + 1 - burst, 0) * 60 / PER_MINUTE["mutation"]


def about(seconds: float) -> str:
    """Say a time roughly, for a person."""
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes // 60} h {minutes % 60} min"


def plural(n: int, noun: str) -> str:
    """Count things in words."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
