"""What a search for references says of images, in words, where there may have been none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.library.frame import facts_of
from picora_analytics.references.found import References

__all__ = ["NOBODY_LOOKED", "last_found", "words_of"]

NOBODY_LOOKED = "nobody looked"


def words_of(images: pd.DataFrame, references: References | None) -> npt.NDArray[np.object_]:
    """
    Give the word for each row of a frame that is indexed by id, ``nobody looked`` without references.

    Raises
    ------
    PlanError
        If the references are of another account.
    """
    if references is None:
        return np.full(len(images), NOBODY_LOOKED, dtype=object)
    facts = facts_of(images)
    references.refuse_other_account(None if facts is None else facts["account"])
    words: npt.NDArray[np.object_] = references.status(images).to_numpy(dtype=object)
    return words


def last_found(images: pd.DataFrame, references: References) -> pd.Series[Any]:
    """Give, row by row, when each image was last found in history, in UTC without a zone; NaT where never."""
    rows = references.found_before
    dates = pd.to_datetime(rows["date"], utc=True).dt.tz_localize(None).groupby(rows["id"]).max()
    # A name of its own: groupers keep the index of ids as they are.
    return pd.Series(dates.reindex(images.index).to_numpy(), dtype="datetime64[ns]")
