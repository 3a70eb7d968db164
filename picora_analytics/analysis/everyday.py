"""Columns as questions read them: pandas frames with everyday dtypes, tags as Arrow lists without repeats."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import STR
from picora_analytics.library.media_types import media_type

__all__ = [
    "READS",
    "Kind",
    "check_columns",
    "check_pandas",
    "naive_utc",
    "one_array",
    "pandas_of",
    "read_pandas",
    "tag_lists",
    "with_tag_lists",
    "wrong_kind",
]

Kind = Literal["int64", "Int64", "float64", "str", "boolean", "datetime", "tags"]
"""What a column holds; ``int64`` is never missing, every other kind may be."""

# What a question reads; any other column is text.
READS: dict[str, Kind] = {
    "size_bytes": "Int64",
    "width": "Int64",
    "height": "Int64",
    "is_public": "boolean",
    "tags": "tags",
    "created_at": "datetime",
    "updated_at": "datetime",
    "loaded_at": "datetime",
    "library_images": "Int64",
    "library_bytes": "Int64",
}
_IN_WORDS: dict[Kind, str] = {
    "Int64": "whole numbers",
    "str": "text",
    "boolean": "True or False",
    "datetime": "instants, such as pd.to_datetime(..., utc=True) makes",
    "tags": "one tuple of text per image. After pd.read_csv, type images['tags'] = "
    "[tuple(filter(None, text.split(', '))) for text in images['tags'].fillna('')]",
}


def check_columns(available: Sequence[str], needed: Sequence[str], caller: str) -> None:
    """Raise SchemaError, naming the columns, where some that `caller` reads are not there."""
    missing = [name for name in needed if name not in available]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise SchemaError(
            f"{caller} needs the {noun} {_and(missing)}, which this frame does not have. "
            f"Pass a frame as load_images makes it, or keep {_and(needed)} when you choose columns."
        )


def read_pandas(images: pd.DataFrame, columns: Sequence[str], caller: str) -> pd.DataFrame:
    """
    Give the columns of a pandas frame as questions read them, row by row, without its index.

    Raises
    ------
    SchemaError
        If a column is missing or holds something else.
    TypeError
        If it is not a pandas frame.
    """
    check_pandas(images, caller)
    index_is_id = images.index.name == "id" and "id" not in images.columns
    check_columns([*images.columns, *(["id"] if index_is_id else [])], columns, caller)
    read = {
        name: _everyday(
            pd.Series(images.index.array) if name == "id" and index_is_id else images[name],
            name,
            caller,
        )
        for name in columns
    }
    # Without attrs, which pandas would copy deeply at every step.
    return pd.DataFrame(read, index=pd.RangeIndex(len(images)))


def check_pandas(images: Any, caller: str, argument: str = "") -> pd.DataFrame:
    """Give a pandas frame; for anything else raise TypeError, saying how a library comes into pandas."""
    if isinstance(images, pd.DataFrame):
        return images
    place = f" for {argument}" if argument else ""
    home = type(images).__module__.partition(".")[0].removeprefix("_")
    elsewhere = home in ("duckdb", "polars", "pyarrow", "pyspark", "ibis")
    what = f"{type(images).__name__} of {home}" if elsewhere else type(images).__name__
    hint = (
        ". Type images = SnapshotStore(folder).load(), which gives it in pandas"
        if elsewhere
        else ""
    )
    raise TypeError(
        f"{caller} takes a pandas DataFrame{place}, as load_images makes it; this is {what}{hint}."
    )


def _everyday(column: pd.Series[Any], name: str, caller: str) -> Any:
    """Give the values of a pandas column in the dtype that questions expect."""
    kind = READS.get(name, "str")
    if kind == "tags":
        return pd.arrays.ArrowExtensionArray(_tag_lists(column, caller))  # type: ignore[attr-defined,unused-ignore]
    try:
        if kind == "datetime":
            return naive_utc(column).array
        dtype: Any = STR if kind == "str" else kind
        read = column if column.dtype == dtype else column.astype(dtype)
        return (_spelled_one_way(read) if name == "mime_type" else read).array
    except (ValueError, TypeError) as error:
        raise wrong_kind(caller, name, kind, column.dtype) from error


def _spelled_one_way(types: pd.Series[Any]) -> pd.Series[Any]:
    """Give media types in one spelling each; a library has a handful."""
    codes, different = pd.factorize(types)
    spelled = [media_type(one) for one in different]
    if spelled == list(different):
        return types
    return pd.Series([*spelled, None], dtype=STR).take(codes)


def naive_utc(column: pd.Series[Any]) -> pd.Series[Any]:
    """Give instants in UTC without a zone; what has no zone is UTC, and ISO 8601 text is read."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype) or isinstance(
        column.dtype, pd.ArrowDtype
    ):
        column = column.astype(object)
        found = pd.api.types.infer_dtype(column, skipna=True)
        if found not in ("string", "datetime", "datetime64", "date", "empty"):
            raise TypeError(f"{found} values are not instants")
        column = pd.to_datetime(column, utc=True, format="ISO8601")
    zoned = isinstance(column.dtype, pd.DatetimeTZDtype)
    naive = column.dt.tz_convert("UTC").dt.tz_localize(None) if zoned else column
    return naive.astype("datetime64[us]")


def tag_lists(images: pd.DataFrame, caller: str) -> pa.ListArray:
    """Give the tags of a pandas frame as Arrow lists without repeats, null where not known."""
    return one_array(read_pandas(images, ["tags"], caller)["tags"])


def with_tag_lists(images: pd.DataFrame) -> pd.DataFrame:
    """Give the frame with its tags as Arrow lists: for asking several questions, which read those at once."""
    if "tags" not in images.columns:  # The first question says so.
        return images
    listed = images.copy(deep=False)
    listed["tags"] = pd.arrays.ArrowExtensionArray(_tag_lists(images["tags"], "StorageReport"))  # type: ignore[attr-defined,unused-ignore]
    return listed


def _tag_lists(tags: pd.Series[Any], caller: str) -> pa.ListArray:
    """Make Arrow lists without repeats of tuples, lists or arrays, null where not known."""
    try:
        if isinstance(tags.dtype, pd.ArrowDtype):
            lists = one_array(tags).cast(pa.list_(pa.string()))
        else:
            return _shared_lists(tags.to_numpy(dtype=object))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise wrong_kind(caller, "tags", "tags", tags.dtype) from error
    return _without_repeats(lists)


def _shared_lists(cells: Any) -> pa.ListArray:
    """Make one list of each different row and take it as often as needed: most rows repeat."""
    try:
        codes, different = pd.factorize(cells)
    except TypeError:  # Arrays and lists have no hash.
        codes, different = None, cells
    if str in set(map(type, different)):  # Arrow would take "cat" for c, a and t
        different = _out_of_text(different)
    lists = _without_repeats(pa.array(different, pa.list_(pa.string()), from_pandas=True))
    return lists if codes is None else lists.take(pa.array(codes, mask=codes < 0))


def _out_of_text(cells: Any) -> Any:
    """Read the tuples of a frame that pandas wrote to CSV and read back: there, each is its Python literal."""
    read = np.empty(len(cells), dtype=object)
    for place, cell in enumerate(cells):
        if isinstance(cell, str):
            try:
                cell = ast.literal_eval(cell)
            except (SyntaxError, ValueError, MemoryError, RecursionError):
                cell = None
            if not isinstance(cell, tuple | list):
                raise TypeError("text is not a list of tags")
        read[place] = cell
    return read


def _without_repeats(lists: pa.ListArray) -> pa.ListArray:
    rows = pc.list_parent_indices(lists).to_numpy(False)
    flat = pc.list_flatten(lists)
    words = flat.dictionary_encode()
    pairs = rows * (len(words.dictionary) + 1) + words.indices.fill_null(-1).to_numpy(False)
    in_order = np.sort(pairs, kind="stable")
    if not flat.null_count and (in_order[1:] != in_order[:-1]).all():
        return lists
    keep = ~pd.Series(pairs).duplicated().to_numpy() & flat.is_valid().to_numpy(False)
    lengths = np.bincount(rows[keep], minlength=len(lists))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, flat.filter(pa.array(keep)), mask=lists.is_null())


def one_array(column: pd.Series[Any]) -> Any:
    """Give a column as one Arrow array."""
    return pa.table({"column": column.array})["column"].combine_chunks()


def pandas_of(table: pa.Table) -> pd.DataFrame:
    """Give an Arrow table in pandas, its lists as they are."""
    mapping = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    mapping |= dict.fromkeys((pa.string(), pa.large_string()), STR)
    return cast(
        pd.DataFrame,
        table.to_pandas(
            types_mapper=lambda t: (
                pd.ArrowDtype(t)
                if pa.types.is_list(t) or pa.types.is_large_list(t)
                else mapping.get(t)
            ),
            ignore_metadata=True,
        ),
    )


def wrong_kind(caller: str, name: str, kind: Kind, dtype: Any) -> SchemaError:
    """Say what a question reads in a column, and what is there."""
    return SchemaError(
        f"{caller} reads {name!r} as {_IN_WORDS[kind]}; this frame holds {dtype} there. "
        f"Convert the column, or pass a frame as load_images makes it."
    )


def _and(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
