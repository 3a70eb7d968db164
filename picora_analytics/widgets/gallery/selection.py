"""What lists of pictures share: rows as booleans, what they add up to, and their orders."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["ORDERS", "Bools", "Tally"]

ORDERS = {"largest first": "size_bytes", "oldest first": "created_at", "newest first": "created_at"}

Bools = npt.NDArray[np.bool_]


class Tally(NamedTuple):
    """How many images, how many bytes, and how many a rule could not tell of."""

    n_images: int
    size_bytes: int
    unknown: int = 0
