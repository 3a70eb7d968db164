"""Wait before a request: at the pace of the key, and as long as the service asks after a refusal."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from picora_analytics.client.pacing import Pacer, Tier
from picora_analytics.client.retrying import MAX_TRIES, RetryBudget, StoppedError, jitter
from picora_analytics.errors import RateLimitError

__all__ = ["Waits", "check_stopped", "is_stopped", "stopping"]

# Waits are looked up from this often (s): the pacer may have learned, or the caller may want to stop.
SLICE = 0.2


_STOPPED: ContextVar[Callable[[], bool]] = ContextVar("stopped", default=lambda: False)


@contextlib.contextmanager
def stopping(stopped: Callable[[], bool]) -> Iterator[None]:
    """End every wait and request of this thread with a `StoppedError` once `stopped` says so."""
    token = _STOPPED.set(stopped)
    try:
        yield
    finally:
        _STOPPED.reset(token)


def is_stopped(stop: threading.Event | None = None) -> bool:
    """Tell whether this thread is to stop: its event is set, or :func:`stopping` says so."""
    return (stop is not None and stop.is_set()) or _STOPPED.get()()


def check_stopped(stop: threading.Event | None = None) -> None:
    """Raise a `StoppedError` if this thread is to stop."""
    if is_stopped(stop):
        raise StoppedError


class Waits:
    """
    The waits of all requests under one key, shown to whoever listens.

    Parameters
    ----------
    max_wait : float
        Seconds to wait at most for one call to succeed, pauses asked by the server included.

    Attributes
    ----------
    pacer : Pacer
    listeners : list of callable
        Each gets a sentence before a wait of over 2 seconds.
    usual : float
        Seconds that requests waited for the pacer lately, on average.
    """

    def __init__(self, max_wait: float) -> None:
        self.max_wait = max_wait
        self.pacer = Pacer()
        self.listeners: list[Callable[[str], None]] = []
        self.usual = 0.0
        self._shown_until = 0.0

    def pace(
        self,
        tier: Tier,
        deadline: float,
        where: str,
        stop: threading.Event | None = None,
    ) -> None:
        """Wait until a request of this tier may start."""
        began = time.monotonic()
        while (wait := self.pacer.delay(tier)) > 0:
            if time.monotonic() + wait > deadline:
                raise RateLimitError(
                    f"{where}: the key's allowance is used up until {_clock(wait)}, longer than "
                    f"max_wait={self.max_wait:g} seconds. Try again then, or give Client a larger max_wait.",
                    status_code=429,
                    code="RATE_LIMITED",
                    retry_after=wait,
                )
            self._show(wait, "staying within Picora's rate limit")
            _sleep(min(wait, SLICE), stop)
        self.usual += (time.monotonic() - began - self.usual) / 4

    def wait(self, seconds: float, reason: str, stop: threading.Event | None) -> None:
        """Wait, unless `stop` is set meanwhile."""
        self._show(seconds, reason)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            _sleep(min(left, SLICE), stop)

    def _show(self, seconds: float, reason: str) -> None:
        """Show a wait of over 2 seconds, once for all threads that wait for the same moment."""
        until = time.monotonic() + seconds
        if seconds > 2 and self.listeners and until > self._shown_until + 1:
            self._shown_until = until
            told: list[Callable[[str], None]] = []
            for show in tuple(self.listeners):
                if show not in told:  # One that listens twice is told once.
                    told.append(show)
                    show(f"{reason}, until {_clock(seconds)}")

    def refused(
        self,
        tier: Tier,
        error: RateLimitError,
        deadline: float,
        attempt: int = 1,
        budget: RetryBudget | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Wait as long as a 429 asks, or raise where that is too long or was said too often."""
        pause = error.retry_after
        self.pacer.refuse(tier, pause)
        why, advice = "", "Try again then."
        if attempt == MAX_TRIES:
            why = f"it said so {attempt} times in a row"
        elif time.monotonic() + pause > deadline:
            why = f"max_wait={self.max_wait:g} seconds does not reach that far"
            advice = "Try again then, or give Client a larger max_wait."
        elif budget is not None and not budget.spend(pause):
            why = f"after {budget.used} repeats the patience for this load is used up"
        if why:
            raise RateLimitError(
                f"{error} It asks to wait until {_clock(pause)}; {why}. {advice}",
                status_code=429,
                code=error.code,
                request_id=error.request_id,
                retry_after=pause,
            ) from None
        self.wait(pause + jitter(), "Picora asks to slow down (429)", stop)


def _clock(seconds: float) -> str:
    until = dt.datetime.now().astimezone() + dt.timedelta(seconds=seconds)
    return until.strftime("%H:%M:%S" if seconds < 86400 else "%Y-%m-%d %H:%M")


def _sleep(seconds: float, stop: threading.Event | None) -> None:
    if stop is None:
        time.sleep(seconds)
    else:
        stop.wait(seconds)
    check_stopped(stop)
