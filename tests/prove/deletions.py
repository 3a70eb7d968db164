"""Delete by the million in random histories with faults and deaths, and count what was wrongly deleted: nothing."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from pathlib import Path

from histories import history
from model import Model


def main() -> None:
    """Print the figures and the seeds, and stop at the first history that the judge finds fault with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=int, default=9_400, help="histories over the model service")
    parser.add_argument("--inside", type=int, default=300, help="over the demo service, in process")
    parser.add_argument("--sockets", type=int, default=300, help="over the demo service, real HTTP")
    given = parser.parse_args()
    memory = Path("/dev/shm")
    if memory.is_dir():  # The disk itself is not the subject here.
        tempfile.tempdir = str(memory)
    n_histories = n_deleted = 0
    steps: Counter[str] = Counter()
    for inside, count in ((True, given.inside), (False, given.sockets)):
        began = time.monotonic()
        found: Counter[str] = Counter()
        for number in range(given.seed, given.seed + count):
            with _named(f"{'inside' if inside else 'sockets'} history {number}"):
                found += history(number, inside=inside)
        n_histories, n_deleted, steps = (
            n_histories + count,
            n_deleted + found["deleted"],
            steps + found,
        )
        _say(
            "the demo, " + ("in process" if inside else "real HTTP"), count, found["deleted"], began
        )
    began, before = time.monotonic(), n_deleted
    model = Model()
    try:
        for number in range(given.seed, given.seed + given.model):
            with _named(f"model history {number}"):
                n_deleted += model.history(number)
    finally:
        model.close()
    _say("the model service", given.model, n_deleted - before, began)
    steps += model.service.steps
    print(", ".join(f"{n:,} {name}" for name, n in sorted(steps.items()) if name != "deleted"))
    print(f"{n_histories + given.model:,} histories, {n_deleted:,} deletions, 0 wrongly deleted")


class _named:  # noqa: N801
    """Say which history it was."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            error.add_note(f"found by: {self._name}")


def _say(where: str, n_histories: int, n_deleted: int, began: float) -> None:
    print(
        f"{n_histories:>6,} histories, {n_deleted:>9,} deletions over {where}: "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
