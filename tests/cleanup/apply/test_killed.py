"""An apply that is killed (kill -9) on the way is ended by a resume, with no more than a batch ever in doubt."""

import os

import pytest
from killing import count_steps, kill
from mortal import Mortals

from picora_analytics.demo.server import DEMO_KEY

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kill -9 needs POSIX")


@pytest.fixture(scope="module")
def mortals():
    with Mortals(DEMO_KEY) as started:
        yield started


# Every step has its turn in `make prove`; here a few, in the first, the middle and the last batch.
@pytest.mark.parametrize(
    ("seed_only", "power", "parts"),
    [
        pytest.param(False, False, (0.25, 0.5, 0.75), id="current, killed", marks=pytest.mark.slow),
        pytest.param(False, True, (0.2, 0.48), id="current, power cut", marks=pytest.mark.slow),
        pytest.param(True, False, (0.2, 0.87), id="seed-only, killed"),
        pytest.param(True, True, (0.19, 0.54), id="seed-only, power cut", marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_anywhere_is_ended_by_a_resume(mortals, tmp_path, seed_only, power, parts):
    options = {"seed_only": seed_only, "power": power}
    for name in ["whole", *map(str, parts)]:
        (tmp_path / name).mkdir()
    n_steps = count_steps(tmp_path / "whole", mortals, **options)

    announced = [
        kill(tmp_path / str(part), mortals, **options, steps=(round(part * n_steps), 9))
        for part in parts
    ]

    assert announced == sorted(announced)
    assert announced[-1] > announced[0]
