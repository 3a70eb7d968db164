"""What a search for references says of images, in words; whoever made it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.errors import PlanError
from picora_analytics.library.frame import facts_of

__all__ = [
    "COULD_NOT_LOOK",
    "FOUND",
    "FOUND_BEFORE",
    "NOBODY_LOOKED",
    "NOT_FOUND",
    "Looked",
    "last_found",
    "words_of",
]

FOUND, FOUND_BEFORE, NOT_FOUND = "found", "found before", "not found"
COULD_NOT_LOOK = "could not look"
NOBODY_LOOKED = "nobody looked"


class Looked(Protocol):
    """The references of a search, as far as they are asked here."""

    @property
    def found_before(self) -> pd.DataFrame:
        """Where each was last found in history: ``id``, ``source``, ``commit``, ``date``."""

    @property
    def complete(self) -> bool:
        """Whether everything could be looked at."""

    @property
    def account(self) -> str | None:
        """Whose library was looked for; None when made from bare ids."""

    @property
    def scanned_at(self) -> dt.datetime:
        """When the search began."""

    def status(self, images: pd.DataFrame | pd.Index[Any]) -> pd.Series[Any]:
        """Give one of the four words for each image."""


def words_of(images: pd.DataFrame, references: Looked | None) -> npt.NDArray[np.object_]:
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
    if facts is not None and references.account not in (None, facts["account"]):
        raise PlanError(
            f"These references are of account {str(references.account)[:8]}, and this library is of "
            f"{facts['account'][:8]}; look for references to this one."
        )
    words: npt.NDArray[np.object_] = references.status(images).to_numpy(dtype=object)
    return words


def last_found(images: pd.DataFrame, references: Looked) -> pd.Series[Any]:
    """Give, row by row, when each image was last found in history, in UTC without a zone; NaT where never."""
    rows = references.found_before
    dates = pd.to_datetime(rows["date"], utc=True).dt.tz_localize(None).groupby(rows["id"]).max()
    # A name of its own: groupers keep the index of ids as they are.
    return pd.Series(dates.reindex(images.index).to_numpy(), dtype="datetime64[ns]")
