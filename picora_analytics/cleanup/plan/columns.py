"""Whole columns at a time: walking a frame cell by cell takes a hundred times as long."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.library.frame import among

__all__ = ["Bools", "among", "cells", "iso_texts"]

Bools: TypeAlias = npt.NDArray[np.bool_]


def cells(column: pd.Series[Any] | pd.Index[Any]) -> list[Any]:
    """Give a column as plain Python values, None where one is missing."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        values = np.asarray(pd.DatetimeIndex(column).to_pydatetime(), dtype=object)
    else:
        values = column.to_numpy(dtype=object)
    if column.hasnans:
        values = np.where(np.asarray(column.isna()), np.array(None, dtype=object), values)
    return cast(list[Any], values.tolist())


def iso_texts(instants: pd.Series[Any]) -> list[str | None]:
    """Write instants in UTC as `datetime.isoformat` does, None where one is missing."""
    naive = instants.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    seconds = naive.astype("datetime64[s]")
    texts = _written(seconds)
    uneven = np.flatnonzero((naive != seconds) & ~np.isnat(naive))
    for place, text in zip(uneven.tolist(), _written(naive[uneven]), strict=True):
        texts[place] = text
    return texts


def _written(moments: npt.NDArray[np.datetime64]) -> list[str | None]:
    """Let Arrow write instants: NumPy takes twice as long, Python eight times."""
    texts = pc.replace_substring(pa.array(moments).cast(pa.string()), " ", "T")
    joined = pc.binary_join_element_wise(texts, "+00:00", "")
    return cast(list[str | None], joined.to_numpy(zero_copy_only=False).tolist())
