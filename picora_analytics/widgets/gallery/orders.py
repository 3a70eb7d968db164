"""The orders of a list of pictures, and the stretches that a rail beside it shows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.units import format_bytes

__all__ = ["ORDERS", "Ints", "Order", "Stretch", "in_order", "numbers_of", "stretches"]

Ints = npt.NDArray[np.int64]

LONGEST_RAIL = 120  # More than this cannot be told apart on a screen.


class Order(NamedTuple):
    """The column that decides, and whether its smallest comes first. Missing values come last either way."""

    column: str
    ascending: bool = False


ORDERS = {
    "largest first": Order("size_bytes"),
    "oldest first": Order("created_at", ascending=True),
    "newest first": Order("created_at"),
    "smallest first": Order("size_bytes", ascending=True),
    "name, A to Z": Order("filename", ascending=True),
    "name, Z to A": Order("filename"),
}


class Stretch(NamedTuple):
    """A piece of an ordered list: where it begins, and its name on a rail and in a sentence."""

    start: int
    label: str
    name: str


def in_order(images: pd.DataFrame, order: str) -> Ints:
    """
    Give the rows of a frame in one of :data:`ORDERS`; equal values stay in the order of the frame.

    Raises
    ------
    ValueError
        If there is no such order.
    """
    if order not in ORDERS:
        raise ValueError(f"order={order!r} is none of {', '.join(ORDERS)}.")
    column, ascending = ORDERS[order]
    if column == "filename":
        keys, missing = _by_letters(images[column])
    else:
        keys, missing = numbers_of(images[column])
    keys = keys if ascending else -keys
    keys[missing] = np.iinfo("int64").max
    if len(keys) < 2 or (keys[1:] >= keys[:-1]).all():  # As the service lists them: newest first.
        return np.arange(len(keys), dtype=np.int64)
    return np.argsort(keys, kind="stable")


def numbers_of(column: pd.Series[Any]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Give a column of sizes or instants (microseconds) as numbers, 0 where it is missing, and where that is."""
    missing = column.isna().to_numpy()
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        numbers = column.to_numpy("datetime64[us]").view(np.int64)  # In UTC.
    else:
        numbers = column.to_numpy(dtype=np.int64, na_value=0)
    return np.where(missing, 0, numbers), missing


def _by_letters(column: pd.Series[Any]) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Number names by their letters, whether upper or lower case."""
    names = pc.utf8_lower(pa.array(column.array, pa.string(), from_pandas=True))
    coded = _coded(names)
    ranks = np.zeros(len(coded.dictionary) + 1, dtype=np.int64)
    ranks[pc.sort_indices(coded.dictionary).to_numpy()] = np.arange(len(coded.dictionary))
    return ranks[coded.indices.fill_null(-1).to_numpy()], column.isna().to_numpy()


def _coded(texts: Any) -> Any:
    """Number texts, equal ones alike."""
    coded = texts.dictionary_encode()
    return coded if isinstance(texts, pa.Array) else coded.combine_chunks()


def stretches(images: pd.DataFrame, listed: Ints, order: str) -> list[Stretch]:
    """
    Divide a listing by month, by size or by first letter, whatever its order follows.

    Parameters
    ----------
    images : DataFrame
    listed : array of int
        Rows of the frame, in this order.
    order : str
        One of :data:`ORDERS`.

    Returns
    -------
    list of Stretch
        At most 120; a label is empty where it would repeat the one before.
    """
    if not len(listed):
        return []
    column = images[ORDERS[order].column]
    if len(listed) != len(images) or (listed[1:] <= listed[:-1]).any():
        column = column.iloc[listed]
    if ORDERS[order].column == "filename":
        codes, name = _letters(column)
    else:
        numbers, missing = numbers_of(column)
        codes, name = (_months if ORDERS[order].column == "created_at" else _sizes)(
            numbers, missing
        )
    starts = np.flatnonzero(np.diff(codes, prepend=codes[0] - 1))
    if len(starts) > LONGEST_RAIL:
        step = -(-len(starts) // LONGEST_RAIL)
        starts = starts[::step]
    found: list[Stretch] = []
    last = ""
    for start, code in zip(starts.tolist(), codes[starts].tolist(), strict=True):
        label, whole = name(code)
        found.append(Stretch(start, "" if label == last else label, whole))
        last = label
    return found


def _months(numbers: Ints, missing: npt.NDArray[np.bool_]) -> tuple[Ints, Any]:
    # The list is in order, so that months are looked for and not counted: a million of them take a while.
    known = numbers[~missing] if missing.any() else numbers
    codes = np.full(len(numbers), _MISSING, dtype=np.int64)
    if len(known):
        first, last = np.sort(known[[0, -1]]).view("datetime64[us]").astype("datetime64[M]")
        months = np.arange(first, last + 1)
        starts = months.astype("datetime64[us]").view(np.int64)
        falling = known[0] > known[-1]
        places = np.searchsorted(known[::-1] if falling else known, starts[1:])
        lengths = np.diff(places, prepend=0, append=len(known))
        found = np.repeat(months.astype(np.int64), lengths)
        codes[: len(known)] = found[::-1] if falling else found  # What has no date stands last.

    def name(code: int) -> tuple[str, str]:
        if code == _MISSING:
            return "?", "date unknown"
        year, month = divmod(code, 12)
        text = f"{pd.Timestamp(year=1970 + year, month=month + 1, day=1):%b %Y}"
        return str(1970 + year), text

    return codes, name


def _sizes(numbers: Ints, missing: npt.NDArray[np.bool_]) -> tuple[Ints, Any]:
    powers = np.log2(np.maximum(numbers, 1)).astype(np.int64)

    def name(code: int) -> tuple[str, str]:
        if code == _MISSING:
            return "?", "size unknown"
        text = format_bytes(2**code)
        return text.replace(".0 ", " "), f"from {text}"

    return np.where(missing, _MISSING, powers), name


def _letters(column: pd.Series[Any]) -> tuple[Ints, Any]:
    firsts = pc.utf8_upper(
        pc.utf8_slice_codeunits(pa.array(column.array, pa.string(), from_pandas=True), 0, 1)
    )
    coded = _coded(pc.fill_null(firsts, ""))
    letters = coded.dictionary.to_pylist()

    def name(code: int) -> tuple[str, str]:
        letter = letters[code]
        return (letter, letter) if letter.isalnum() else ("#", "names that begin with a sign")

    return coded.indices.to_numpy().astype(np.int64), name


_MISSING = -(2**40)
