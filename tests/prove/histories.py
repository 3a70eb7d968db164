"""Random histories without Hypothesis: many, from one seed, each judged as in tests/cleanup/test_machine.py."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from mortal import Mortals
from world import COPY_FAULTS, EDITS, FAULTS, MEANWHILE, World

Step = Callable[[World, random.Random], None]

# What happens, and how often.
STEPS: dict[Step, int] = {
    lambda world, rng: world.edit(rng.randrange(999), rng.choice(EDITS)): 6,
    lambda world, rng: world.remove(rng.randrange(999)): 3,
    lambda world, rng: world.upload(rng.randint(1, 3)): 2,
    lambda world, rng: world.load(): 4,
    lambda world, rng: _plan(world, rng): 6,
    lambda world, rng: world.review(rng.randrange(99), through_a_file=rng.random() < 0.3): 2,
    lambda world, rng: world.dry_run(rng.randrange(99)): 1,
    lambda world, rng: world.apply_unapproved(rng.randrange(99), rng.choice(WRONG)): 1,
    lambda world, rng: world.apply(rng.randrange(99)): 5,
    lambda world, rng: _under_a_fault(world, rng, world.apply): 6,
    lambda world, rng: world.apply(rng.randrange(99), dies_at=rng.randrange(25)): 4,
    lambda world, rng: _with_copies(world, rng): 3,
    lambda world, rng: world.resume(rng.randrange(99)): 2,
    lambda world, rng: _under_a_fault(world, rng, world.resume): 2,
    lambda world, rng: world.resume(rng.randrange(99), dies_at=rng.randrange(12)): 2,
    lambda world, rng: _meanwhile(world, rng): 4,
    lambda world, rng: world.replan(rng.randrange(999), rng.randint(1, 9)): 2,
}
# From so many images on, a few are looked at one by one instead of by listing all.
FEW_AMONG_MANY = 600
WRONG = ["", "y", "another plan's", "8-00000000"]


def _plan(world: World, rng: random.Random) -> None:
    n = len(world.service.images)
    world.plan(
        rng.randrange(999),
        rng.randint(1, max(1, n // 2)) if n < FEW_AMONG_MANY else rng.randint(1, 3),
        stale=rng.random() < 0.3,
        by=rng.choice(["ids", "mask", "reasons"]),
        protect=rng.choice([None, None, "tag", "ids"]),
    )


def _under_a_fault(world: World, rng: random.Random, act: Callable[[int], None]) -> None:
    world.fault(rng.choice(FAULTS), rng.choice([0, 0, 0, 1, 2, 3]))
    act(rng.randrange(99))


def _with_copies(world: World, rng: random.Random) -> None:
    """Pictures come over a socket of their own, which a service in process does not have."""
    if not world.inside:
        world.fault(rng.choice(COPY_FAULTS), rng.choice([0, 0, 1, 2]))
        world.apply(rng.randrange(99), copies=True, dies_at=rng.choice([None, None, 8, 20]))


def _meanwhile(world: World, rng: random.Random) -> None:
    """Another machine and the pictures need a socket; a machine is started only now and then."""
    what = rng.choice(["the machine sleeps", "the disk fills"] if world.inside else MEANWHILE)
    if what == "another machine":
        with Mortals(world.service.api_key) as mortals:
            world.apply_meanwhile(what, rng.randrange(999), mortals)
    else:
        world.apply_meanwhile(what, rng.randrange(999))


def history(number: int, *, inside: bool, n_steps: int = 14) -> Counter[str]:
    """
    Live through one history.

    Returns
    -------
    Counter
        How often each step came, and ``deleted``.

    Raises
    ------
    AssertionError
        If the judge finds something.
    """
    rng = random.Random(number)
    random.seed(number)
    with tempfile.TemporaryDirectory(prefix="history-") as folder:
        world = World(
            Path(folder),
            n_images=rng.choice([30] * 6 + [FEW_AMONG_MANY + 100]),
            seed=rng.randint(1, 3),
            seed_only=rng.random() < 0.3,
            shape=rng.choice(["current", "seed"]),
            single_reads=rng.random() < 0.7,
            inside=inside,
        )
        try:
            for which in rng.sample(range(999), rng.choice([0, 3])):
                world.edit(which, "protect")
            world.load()
            _plan(world, rng)
            for step in rng.choices(list(STEPS), list(STEPS.values()), k=n_steps):
                step(world, rng)
            world.settle()
        finally:
            world.close()
        deleted = sum(gone.by == "api" for gone in world.service.deleted)
        return world.steps + Counter(deleted=deleted)
