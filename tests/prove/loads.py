"""`make prove`: many simulated loads, and how close to the limit's floor a load comes. Prints the figures."""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from collections import Counter
from pathlib import Path

from simulation import World, draw, simulate, times_of


def completeness(n: int, first: int) -> int:
    """Run so many loads; give how many were wrong."""
    ends: Counter[str] = Counter()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + n):
            world, options = draw(seed)
            outcome = simulate(world, Path(folder), **options)
            ends["complete" if outcome.complete else outcome.why[:40]] += 1
            ends["kills"] += outcome.n_kills
            ends["with windows"] += outcome.chains > 1
            if outcome.wrong:
                wrong += 1
                print(f"seed {seed}: {outcome.wrong}; {options}")
    print(f"{n} loads: {wrong} wrong; {dict(ends)}")
    return wrong


def walls(runs: int) -> None:
    """Print wall against the floor of 600 a minute and a burst of 30."""
    print(
        f"{'images':>8} {'shape':8} {'totals':6} {'trip':>6} {'wall/floor':>10} {'extra':>7} chains"
    )
    for n in (100_000, 10_000):
        for shape in ("even", "skewed", "growing"):
            for totals in (True, False):
                for trip in (0.05, 0.2, 0.5):
                    found = []
                    for seed in range(runs):
                        world = World(
                            times_of(shape, n, random.Random(seed)), totals=totals, seed=seed
                        )
                        found.append(simulate(world, None, seed=seed, trip=trip))
                    floor = (n / 100 - 30) / 10
                    wall = statistics.median(one.wall / floor for one in found)
                    extra = statistics.median(one.n_requests / (n / 100) - 1 for one in found)
                    chains = statistics.median(one.chains for one in found)
                    print(
                        f"{n:8,} {shape:8} {totals!s:6} {trip * 1000:4.0f}ms {wall:10.3f} {extra:7.1%} {chains:.0f}",
                        flush=True,
                    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--walls", type=int, default=3)
    chosen = parser.parse_args()
    wrong = completeness(chosen.loads, chosen.first) if chosen.loads else 0
    if chosen.walls:
        walls(chosen.walls)
    raise SystemExit(bool(wrong))
