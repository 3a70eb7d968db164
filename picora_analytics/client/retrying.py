"""How often and how long a failing read is repeated."""

from __future__ import annotations

import random
import threading

__all__ = ["MAX_TRIES", "RetryBudget", "StoppedError", "backoff", "jitter"]

MAX_TRIES = 5


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
