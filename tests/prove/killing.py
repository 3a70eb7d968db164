"""Kill an apply at one of its steps, go on with it, and see that it ends as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path

from mortal import NEVER, Mortals
from world import World


def make_world(folder: Path, *, seed_only: bool) -> World:
    """Make a plan that takes three batches where the service knows batches, and nine single calls where not."""
    n_images, n_planned = (30, 9) if seed_only else (250, 250)
    world = World(folder, n_images=n_images, seed_only=seed_only)
    world.load()
    world.plan(0, n_planned, max_fraction=1)
    return world


def count_steps(folder: Path, mortals: Mortals, *, seed_only: bool, power: bool) -> int:
    """Count the steps of an apply that nobody kills."""
    world = make_world(folder, seed_only=seed_only)
    try:
        died, steps = world.apply_mortally(mortals, NEVER, power=power)
        assert not died
        return steps
    finally:
        world.close()


def kill(
    folder: Path, mortals: Mortals, *, seed_only: bool, power: bool, steps: tuple[int, ...]
) -> int | None:
    """
    Kill an apply at the first step, its resume at the second, and so on; then let a resume come to its end.

    Returns
    -------
    int or None
        How many requests to delete were announced in the journal by the time of the first death; None where it
        ended before, for an answer comes in as many pieces as the wire likes.

    Raises
    ------
    AssertionError
        If anything was deleted twice, beyond the plan or unannounced, if more than a batch was in doubt, or if the
        end is not that every planned image is gone and known to be.
    """
    world = make_world(folder, seed_only=seed_only)
    target = world.reviewed[-1]
    try:
        announced = None
        for number, step in enumerate(steps):
            died, _ = world.apply_mortally(mortals, step, power=power)
            if died and number == 0:
                announced = _announced(target.journal)
        if not target.sent:
            world.apply(0)
        world.settle()
        ended, _ = world.resume(0)
        assert ended is not None and set(ended.counts) <= {"deleted", "already gone"}, ended
        assert not target.ids & set(world.service.images)
        return announced
    finally:
        world.close()


def _announced(journal: Path) -> int:
    if not journal.exists():
        return 0
    lines = journal.read_bytes().rpartition(b"\n")[0].splitlines()
    return sum(json.loads(line)["line"] == "intent" for line in lines)
