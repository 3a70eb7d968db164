"""The three-valued answer that every rule gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

__all__ = ["TAGGED", "three_valued"]

# Under this name a mask of `tagged` says in its attrs which tags it looked for.
TAGGED = "picora_tagged"


def three_valued(images: pd.DataFrame, truth: Any, unknown: Any, name: str) -> pd.Series[Any]:
    """Make the three-valued answer, by the frame's own index so that it follows the image, with its facts."""
    gaps = np.array(unknown, dtype=bool)
    answer = pd.arrays.BooleanArray(np.array(truth, dtype=bool) & ~gaps, gaps)
    mask = pd.Series(answer, index=images.index, name=name)
    if (
        "picora" in images.attrs
    ):  # As a comparison of a column does: a plan asks which load it tells of.
        mask.attrs["picora"] = images.attrs["picora"]
    return mask
