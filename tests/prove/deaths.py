"""Kill an apply at every step it takes on disk and on the wire, by kill -9 and by a power cut."""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

from killing import count_steps, kill
from mortal import Mortals

from picora_analytics.demo.server import DEMO_KEY


def main() -> None:
    """Print how many deaths there were, and stop at the first that does not end well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="only every n-th step")
    every = parser.parse_args().every
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kills-") as home, Mortals(DEMO_KEY) as mortals:
        folders = (Path(home, str(number)) for number in itertools.count())

        def new() -> Path:
            folder = next(folders)
            folder.mkdir()
            return folder

        for seed_only, power in itertools.product((False, True), repeat=2):
            options = {"seed_only": seed_only, "power": power}
            n_steps = count_steps(new(), mortals, **options)
            met: list[int] = []
            for step in range(0, n_steps, every):
                try:
                    # The resume dies as well, at a step that wanders.
                    found = kill(new(), mortals, **options, steps=(step, step * 7 % 23))
                except BaseException:
                    print(f"at step {step} of {n_steps}, {options}")
                    raise
                met += [] if found is None else [found]
            print(
                f"{'seed-only' if seed_only else 'current'} service, "
                f"{'power cut' if power else 'kill -9'}: dead at {len(met)} of {n_steps} "
                f"steps, with {min(met)} to {max(met)} requests announced; each resume ended the plan"
            )
    print(f"kills: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
