"""How long a look is believed: by any clock, a machine that slept included."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from picora_analytics.client.client import Client

__all__ = ["Freshness", "StaleError"]

# Seconds without a deleting request of this run's own, after which everything is looked at again.
PAUSE = 60.0
# Seconds after which a look is too old in any case.
AGE = 600.0


Clocks: TypeAlias = dict[str, float]


class StaleError(Exception):
    """Nothing was sent: what was last seen is too old by now."""


class Look(NamedTuple):
    """Whether a look took longer than it may be believed, and whether the machine slept meanwhile."""

    slow: bool
    slept: bool


class Freshness:
    """
    Tell whether what was last looked at may still be acted upon.

    It may not once `pause` seconds passed since it or the latest :meth:`done`, or `age` seconds since it, by
    this machine's clocks or the service's. Clocks that stop while a machine sleeps are told apart from those that
    go on; a clock that is set back counts as well.

    Parameters
    ----------
    client : Client
    pause, age : float
        Seconds.
    clocks : callable, optional
        Reads all clocks, in seconds by name, ``monotonic`` among them; by default this machine's and the service's.
    """

    def __init__(
        self,
        client: Client,
        *,
        pause: float = PAUSE,
        age: float = AGE,
        clocks: Callable[[], Clocks] | None = None,
    ) -> None:
        self.pause, self._age = pause, age
        self.read_clocks = clocks or functools.partial(_clocks, client)
        self._last = self._began = self.read_clocks()
        self._stale = False

    def renew(self, began: Clocks) -> Look:
        """Start afresh after a look that began at a reading of the clocks, and tell how it went."""
        self._last, self._stale = self.read_clocks(), False
        took = _apart(began, self._last)
        worked = abs(self._last["monotonic"] - began["monotonic"])
        # No look is younger than it takes, so one that takes longer than any pause counts from its end.
        self._began = began if took <= self.pause else self._last
        return Look(slow=worked > self.pause, slept=took - worked > self.pause)

    def spoil(self) -> None:
        """Note that something showed that what was seen is not so any more."""
        self._stale = True

    def check(self) -> bool:
        """Tell whether a new look is needed; once it is, it stays so until there was one."""
        now = self.read_clocks()
        self._stale |= _apart(self._last, now) > self.pause or _apart(self._began, now) > self._age
        return self._stale

    def done(self) -> None:
        """Note that a deleting request was carried out: a refused or lost one says nothing of what lies between."""
        self.check()  # The machine may have slept meanwhile.
        self._last = self.read_clocks()

    def require(self) -> None:
        """Raise StaleError if a new look is needed."""
        if self.check():
            raise StaleError


def _clocks(client: Client) -> Clocks:
    clocks = {"monotonic": time.monotonic(), "wall": time.time()}
    if hasattr(time, "CLOCK_BOOTTIME"):  # Linux: goes on while the machine sleeps.
        clocks["boot"] = time.clock_gettime(time.CLOCK_BOOTTIME)
    if client.server_time is not None:
        clocks["service"] = client.server_time.timestamp()
    return clocks


def _apart(one: Clocks, other: Clocks) -> float:
    """Give the seconds between two readings, by the clock that says most."""
    return max(abs(other[name] - one[name]) for name in one.keys() & other.keys())
