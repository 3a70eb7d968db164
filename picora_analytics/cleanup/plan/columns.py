"""Whole columns at a time: walking a frame cell by cell takes a hundred times as long."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["among", "cells", "iso_texts"]


def among(ids: pd.Index[Any], wanted: Collection[Any] | pd.Index[Any]) -> Any:
    """Tell of each id whether it is wanted, as a NumPy mask; pandas' own `isin` takes ten times as long."""
    values = wanted.to_numpy(dtype=object) if isinstance(wanted, pd.Index) else list(wanted)
    known = pa.array([value for value in values if isinstance(value, str)], pa.string())
    texts = pa.array(ids.array, pa.string())
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return pc.is_in(texts, value_set=known).to_numpy(zero_copy_only=False)


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
    texts: list[str | None] = [f"{text}+00:00" for text in np.datetime_as_string(seconds).tolist()]
    uneven = np.flatnonzero((naive != seconds) | np.isnat(naive))
    for place, text in zip(
        uneven.tolist(), np.datetime_as_string(naive[uneven]).tolist(), strict=True
    ):
        texts[place] = None if text == "NaT" else f"{text}+00:00"
    return texts
