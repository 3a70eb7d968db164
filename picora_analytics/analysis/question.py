"""
The one door of analysis: any engine's frame comes in, the same kind goes out.

A question is written once with narwhals. :func:`question` checks the columns it reads, gives it
everyday dtypes, and returns the answer in the caller's engine, again with everyday dtypes.
"""

from __future__ import annotations

import decimal
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import STR, Facts, facts_of

__all__ = [
    "FrameT",
    "enter",
    "explode_tags",
    "facts",
    "question",
    "read_pandas",
    "summed",
    "tag_lists",
]

FrameT = TypeVar("FrameT", bound=Any)
"""A pandas or polars frame, a DuckDB relation or an Arrow table: the answer is of the same kind."""

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

Kind = Literal["int64", "Int64", "float64", "str", "boolean", "datetime", "tags"]
"""What a column holds; ``int64`` is never missing, every other kind may be."""

# What a question reads; any other column is text.
_READS: dict[str, Kind] = {
    "size_bytes": "Int64",
    "width": "Int64",
    "height": "Int64",
    "is_public": "boolean",
    "tags": "tags",
    "created_at": "datetime",
    "updated_at": "datetime",
}
# The sizes once more, where 64 bits may be too few for their sum: whole numbers of Python, or of 128 bits.
WIDE = "wide_size_bytes"

# Instants are UTC without a zone while a question runs: DuckDB would cut a TIMESTAMPTZ into the
# months of the session's zone (under New York one image in 200 moved to another month).
_NARWHALS: dict[Kind, Any] = {
    "int64": nw.Int64(),
    "Int64": nw.Int64(),
    "float64": nw.Float64(),
    "str": nw.String(),
    "boolean": nw.Boolean(),
    "datetime": nw.Datetime("us"),
    "tags": nw.List(nw.String()),
}
_IN_WORDS: dict[Kind, str] = {
    "Int64": "whole numbers",
    "str": "text",
    "boolean": "True or False",
    "datetime": "instants, such as pd.to_datetime(..., utc=True) makes",
    "tags": "one tuple of text per image (CSV keeps no tuples, Parquet does)",
}


def question(*columns: str, answers: Mapping[str, Kind]) -> Callable[[FunctionT], FunctionT]:
    """
    Make a function of a narwhals frame a question to any engine's frame.

    Inside, the function gets a lazy narwhals frame of exactly `columns`: sizes and pixels Int64,
    instants UTC without a zone, tags as lists without repeats. Outside, the answer is of the
    caller's engine, in the order and dtypes of `answers`, also for a library without images.

    Parameters
    ----------
    *columns : str
        The columns it reads. ``id`` may be the index of a pandas frame.
    answers : mapping of str to kind
        The columns of its answer. ``"int64"`` promises that no value is missing.

    Returns
    -------
    callable
        The decorator. What it decorates raises SchemaError for a frame without these columns and
        TypeError for anything but a frame.

    Examples
    --------
    >>> @question("size_bytes", answers={"size_bytes": "Int64"})
    ... def largest_size(images):
    ...     return images.select(nw.col("size_bytes").max())
    >>> largest_size(make_images(size_bytes=[300, 700, None]))
       size_bytes
    0         700
    """

    def decorate(function: FunctionT) -> FunctionT:
        @functools.wraps(function)
        def ask(images: Any, *args: Any, **kwargs: Any) -> Any:
            frame = _enter(images, columns, function.__name__)
            answer = function(frame, *args, **kwargs)
            wide = WIDE in frame.collect_schema().names()
            return _leave(answer, images, answers, wide=wide)

        return cast(FunctionT, ask)

    return decorate


def summed(images: nw.LazyFrame[Any]) -> nw.Expr:
    """Give, inside a question, the sizes for adding up: wider than 64 bits where their sum may need it."""
    return nw.col(WIDE if WIDE in images.collect_schema().names() else "size_bytes")


def facts(images: nw.LazyFrame[Any]) -> Facts | None:
    """Give, inside a question, the facts of the load: only a pandas frame carries them."""
    native = images.to_native()
    return facts_of(native) if isinstance(native, pd.DataFrame) else None


def _check_columns(available: Sequence[str], needed: Sequence[str], caller: str) -> None:
    """Raise SchemaError, naming the columns, where some that `caller` reads are not there."""
    missing = [name for name in needed if name not in available]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise SchemaError(
            f"{caller} needs the {noun} {_and(missing)}, which this frame does not have. "
            f"Pass a frame as load_images makes it, or keep {_and(needed)} when you choose columns."
        )


def enter(images: Any, columns: Sequence[str], caller: str) -> nw.LazyFrame[Any]:
    """Give, inside a question, a second frame as the first one came: the columns in everyday dtypes."""
    return _enter(images, columns, caller)


def tag_lists(images: pd.DataFrame, caller: str) -> pa.ListArray:
    """Give the tags of a pandas frame as Arrow lists without repeats, null where not known."""
    return _one_array(read_pandas(images, ["tags"], caller)["tags"])


def _tag_lists(tags: pd.Series[Any], caller: str) -> pa.ListArray:
    """Make Arrow lists without repeats of tuples, lists or arrays, null where not known."""
    try:
        if isinstance(tags.dtype, pd.ArrowDtype):
            lists = _one_array(tags).cast(pa.list_(pa.string()))
        else:
            return _shared_lists(tags.to_numpy(dtype=object))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise _wrong_kind(caller, "tags", "tags", tags.dtype) from error
    return _without_repeats(lists)


def _shared_lists(cells: Any) -> pa.ListArray:
    """Make one list of each different row and take it as often as needed: most rows repeat."""
    try:
        codes, different = pd.factorize(cells)
    except TypeError:  # Arrays and lists have no hash.
        codes, different = None, cells
    if str in set(map(type, different)):  # Arrow would take "cat" for c, a and t
        raise TypeError("text is not a list of tags")
    lists = _without_repeats(pa.array(different, pa.list_(pa.string()), from_pandas=True))
    return lists if codes is None else lists.take(pa.array(codes, mask=codes < 0))


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


def explode_tags(images: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """
    Give, inside a question, one row per image and tag, with the number of its image's tags.

    Images without tags, or whose tags are not known, have no row. pandas takes a way of its own:
    it is five times as fast, and pandas 2.2 cannot divide an Int64 by an Arrow column.
    """
    native = images.to_native()
    if not isinstance(native, pd.DataFrame):
        n_tags = nw.col("tags").list.len()
        return images.with_columns(n_tags=n_tags).filter(nw.col("n_tags") > 0).explode("tags")
    lists = _one_array(native["tags"])
    rows = pc.list_parent_indices(lists).to_numpy(False)
    exploded = native.drop(columns="tags").take(rows).reset_index(drop=True)
    exploded["tags"] = pd.arrays.ArrowExtensionArray(pc.list_flatten(lists))  # type: ignore[attr-defined,unused-ignore]
    exploded["n_tags"] = np.bincount(rows, minlength=len(lists))[rows]
    return nw.from_native(exploded).lazy()


def _one_array(column: pd.Series[Any]) -> Any:
    return pa.table({"column": column.array})["column"].combine_chunks()


def _enter(images: Any, columns: Sequence[str], caller: str) -> nw.LazyFrame[Any]:
    if isinstance(images, pa.Table):  # narwhals cannot explode an Arrow table, nor take medians
        images = _pandas_of(images.select([n for n in columns if n in images.column_names]))
    if isinstance(images, pd.DataFrame):
        rows = read_pandas(images, columns, caller)
        if "size_bytes" in columns and _too_wide(rows["size_bytes"].max(), len(rows)):
            rows[WIDE] = rows["size_bytes"].astype(object)
        return nw.from_native(rows).lazy()
    frame: nw.DataFrame[Any] | nw.LazyFrame[Any]
    try:
        frame = nw.from_native(images)
    except TypeError:
        raise TypeError(
            f"{caller} takes a DataFrame, as load_images makes it, or a DuckDB relation, a polars "
            f"frame or an Arrow table; this is {type(images).__name__}."
        ) from None
    schema = frame.collect_schema()
    _check_columns(schema.names(), columns, caller)
    if _is_duckdb(frame):
        zoned = [n for n in columns if getattr(schema[n], "time_zone", None)]
        frame = nw.from_native(_at_utc(frame.to_native(), columns, zoned))
        schema = frame.collect_schema()
    read = frame.lazy().select(*(_read(schema[name], name, caller) for name in columns))
    return _with_wide_sizes(read) if "size_bytes" in columns else read


def _with_wide_sizes(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add the sizes in 128 bits where 64 may be too few for their sum: one look at the column says it."""
    largest, n = frame.select(largest=nw.col("size_bytes").max(), n=nw.len()).collect().row(0)
    if not _too_wide(largest, n):
        return frame
    return frame.with_columns(nw.col("size_bytes").cast(nw.Int128()).alias(WIDE))


def _too_wide(largest: Any, n: int) -> bool:
    return not pd.isna(largest) and int(largest) * n >= 2**63


def _read(dtype: Any, name: str, caller: str) -> nw.Expr:
    kind, column = _READS.get(name, "str"), nw.col(name)
    nothing = str(dtype) in ("Null", "Unknown")  # a column that never held a value
    if kind == "datetime" and not isinstance(dtype, nw.Datetime | nw.Date) and not nothing:
        raise _wrong_kind(caller, name, kind, dtype)
    if kind == "tags":
        if not isinstance(dtype, nw.List) and not nothing:
            raise _wrong_kind(caller, name, kind, dtype)
        return column.cast(_NARWHALS[kind]).list.unique()
    if isinstance(dtype, nw.Datetime) and dtype.time_zone:  # polars; DuckDB's zones are gone
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return column.cast(_NARWHALS[kind])


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
    if not isinstance(images, pd.DataFrame):
        raise TypeError(
            f"{caller} takes a pandas DataFrame, as load_images makes it; "
            f"this is {type(images).__name__}."
        )
    index_is_id = images.index.name == "id" and "id" not in images.columns
    _check_columns([*images.columns, *(["id"] if index_is_id else [])], columns, caller)
    read = {
        name: _everyday(
            images.index.to_series() if name == "id" and index_is_id else images[name], name, caller
        )
        for name in columns
    }
    frame = pd.DataFrame(read, index=pd.RangeIndex(len(images)))
    frame.attrs = images.attrs
    return frame


def _everyday(column: pd.Series[Any], name: str, caller: str) -> Any:
    """Give the values of a pandas column in the dtype that questions expect."""
    kind = _READS.get(name, "str")
    if kind == "tags":
        return pd.arrays.ArrowExtensionArray(_tag_lists(column, caller))  # type: ignore[attr-defined,unused-ignore]
    try:
        if kind == "datetime":
            return _naive_utc(column).array
        dtype: Any = STR if kind == "str" else kind
        return (column if column.dtype == dtype else column.astype(dtype)).array
    except (ValueError, TypeError) as error:
        raise _wrong_kind(caller, name, kind, column.dtype) from error


def _naive_utc(column: pd.Series[Any]) -> pd.Series[Any]:
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


def _leave(
    answer: nw.LazyFrame[Any], asked: Any, answers: Mapping[str, Kind], *, wide: bool
) -> Any:
    native = answer.to_native()
    if isinstance(native, pd.DataFrame):
        table = pd.DataFrame({n: _written(native[n], kind) for n, kind in answers.items()})
        return _arrow_of(table) if isinstance(asked, pa.Table) else table
    schema = answer.collect_schema() if wide else {}
    typed = answer.select(
        *(
            # Sums that 64 bits do not hold stay as wide as they are.
            nw.col(name)
            if isinstance(schema.get(name), nw.Int128)
            else nw.col(name).cast(_NARWHALS[kind])
            for name, kind in answers.items()
        )
    )
    instants = [name for name, kind in answers.items() if kind == "datetime"]
    if _is_duckdb(typed):
        return _at_utc(typed.to_native(), list(answers), instants)
    typed = typed.with_columns(nw.col(name).dt.replace_time_zone("UTC") for name in instants)
    lazy = isinstance(nw.from_native(asked), nw.LazyFrame)
    return typed.to_native() if lazy else typed.collect().to_native()


def _written(column: pd.Series[Any], kind: Kind) -> Any:
    if kind == "datetime":
        return _naive_utc(column).dt.tz_localize("UTC").array
    if kind == "float64":  # by way of Float64, because an object NA is no float
        return column.astype("Float64").astype("float64").array
    if kind == "Int64" and str(column.dtype) in ("object", "uint64"):
        return _whole_numbers(column)
    return column.astype(STR if kind == "str" else kind).array  # type: ignore[arg-type,unused-ignore]


def _whole_numbers(column: pd.Series[Any]) -> Any:
    """Give sums in 64 bits where that is enough, else as whole numbers of Python."""
    numbers = [pd.NA if pd.isna(cell) else int(cell) for cell in column]
    fits = all(cell is pd.NA or -(2**63) <= cell < 2**63 for cell in numbers)
    return pd.Series(numbers, dtype="Int64" if fits else object).array


def _is_duckdb(frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> bool:
    return frame.implementation is nw.Implementation.DUCKDB


def _at_utc(relation: Any, columns: Sequence[str], instants: Sequence[str]) -> Any:
    """Turn a relation's zoned instants into naive UTC ones, or back; the session has no say."""
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in columns}
    return relation.project(
        ", ".join(
            f"{column} AT TIME ZONE 'UTC' AS {column}" if name in instants else column
            for name, column in quoted.items()
        )
    )


def _pandas_of(table: pa.Table) -> pd.DataFrame:
    mapping = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype(), pa.string(): STR}
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


def _arrow_of(table: pd.DataFrame) -> pa.Table:
    for name in [str(name) for name in table if pd.api.types.is_object_dtype(table[name].dtype)]:
        # Sums that 64 bits do not hold; Arrow infers a decimal.
        cells = [None if pd.isna(cell) else decimal.Decimal(cell) for cell in table[name]]
        table[name] = pd.Series(cells, table.index, dtype=object)
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)


def _wrong_kind(caller: str, name: str, kind: Kind, dtype: Any) -> SchemaError:
    return SchemaError(
        f"{caller} reads {name!r} as {_IN_WORDS[kind]}; this frame holds {dtype} there. "
        f"Convert the column, or pass a frame as load_images makes it."
    )


def _and(names: Sequence[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"
