"""Choose the next split of a load from what was seen so far: where another chain is worth its pages."""

from __future__ import annotations

import datetime as dt
import math
from typing import NamedTuple

from picora_analytics.library.load.planning import WEST, Chain, Planner, Split, midnight_after

__all__ = ["Pace", "next_split"]

# With fewer images left than this, more chains cost more pages than they save time.
WORTH_CUTTING, WORTH_A_CHAIN, MANY = 2_000, 300, 20_000
# A shorter round trip, in seconds, is the work at both ends more than the way: a second chain would not hide it.
WORTH_HIDING = 0.02


class Pace(NamedTuple):
    """What was measured, in seconds: a round trip, the wait for the pacer, and the pacer's steady interval."""

    round_trip: float | None = None
    waiting: float = 0.0
    interval: float = 0.1


def next_split(planner: Planner, pace: Pace) -> Split | None:
    """
    Choose the next split worth making.

    Parameters
    ----------
    pace : Pace

    Returns
    -------
    Split or None
        To be carried out by :meth:`Planner.split`, once it is on disk.
    """
    trip = pace.round_trip
    if not planner.windows or trip is None or pace.waiting > trip / 2:
        return None
    if trip <= max(pace.interval, WORTH_HIDING):
        return None
    chains = planner.chains
    active = sum(not chain.done for chain in chains)
    left = {chain.number: _left(planner, chain) for chain in chains}
    whole = sum(left.values())
    most = math.ceil(trip / pace.interval) + (2 if whole >= MANY else 1)
    if active >= most or whole < WORTH_CUTTING:
        return None
    for chain in sorted(chains, key=lambda chain: -left[chain.number]):
        if left[chain.number] < WORTH_A_CHAIN:
            return None
        if chain.misses > 3:
            continue
        day = _day(planner, chain, left[chain.number])
        if day is not None:
            return Split(planner.n_chains, chain.number, day)
    return None


def _left(planner: Planner, chain: Chain) -> float:
    """Estimate how many images a chain still has to read."""
    if chain.done or chain.last is None or (chain.older and chain.older.first is None):
        return 0.0
    low = _lower_bound(chain)
    if low is not None:
        older = chain.older.density if chain.older else chain.density
        return (chain.last - low) / dt.timedelta(1) * (chain.density + older) / 2
    if planner.total is not None:
        rest = sum(_left(planner, one) for one in planner.chains if one is not chain)
        return max(0.0, planner.total - planner.n_images - rest)
    return math.inf


def _lower_bound(chain: Chain) -> dt.datetime | None:
    first = chain.older.first if chain.older is not None else None
    return max((low for low in (chain.nothing_below, first) if low is not None), default=None)


def _day(planner: Planner, chain: Chain, left: float) -> dt.date | None:
    """Choose the last day of the new chain: half of the unread days, or as far as is worth a look."""
    if chain.last is None or chain.first is None:
        return None
    low = _lower_bound(chain)
    if low is not None:
        # Where nothing was found the images lie near: halve, then an eighth, then nearer still.
        middle = chain.last - (chain.last - low) / 2 ** (1 + 2 * chain.misses)
    else:
        # Nobody knows how far the library goes: look three times as far back as anything read so far.
        seen = 3 * ((planner.newest.first or chain.first) - chain.last) / dt.timedelta(1)
        reach = max(WORTH_CUTTING / chain.density, seen)
        if math.isfinite(left):
            reach = min(left / 2 / chain.density, max(seen, 365.0))
        middle = chain.last - dt.timedelta(min(reach, 36_500.0))
    late = WEST if planner.zone is None else planner.zone
    day: dt.date = (min(middle, chain.last - late) - dt.timedelta(1)).date()
    if low is not None and midnight_after(day) <= low:
        # The half is less than a day: what is left of the day before, or nothing.
        day += dt.timedelta(1)
        if midnight_after(day) + late >= chain.last or midnight_after(day) <= low:
            return None
    return day
