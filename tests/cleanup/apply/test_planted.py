"""The judge of the random histories is not blind: a fault planted in a copy of the package is found."""

import re

import pytest
from planted import FAULTS, find


# All of them have their turn in `make prove`; here the quickest to be found.
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("the drift check is dropped", r"I2: \S+ changed since the plan$"),
        ("the intent is not written before the request", r"I3: a request without its line"),
    ],
)
def test_a_planted_fault_is_found(name, said):
    fault = next(one for one in FAULTS if one.name == name)

    assert re.search(said, find(fault))
