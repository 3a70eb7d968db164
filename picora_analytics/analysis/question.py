"""
The one door of analysis: any engine's frame comes in, the same kind goes out.

A question is written once with narwhals. :func:`question` checks the columns it reads, gives it
everyday dtypes, and returns the answer in the caller's engine, again with everyday dtypes.
"""

from __future__ import annotations

import datetime as dt
import decimal
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeVar, cast

import msgspec
import narwhals.stable.v2 as nw
import pandas as pd
import pyarrow as pa

from picora_analytics.analysis.engines import (
    distinct_tags_exploded,
    in_utc,
    widened,
    without_zone,
)
from picora_analytics.analysis.everyday import (
    READS,
    Kind,
    check_columns,
    naive_utc as naive_utc_of,
    pandas_of,
    read_pandas,
    tag_lists,
    wrong_kind,
)
from picora_analytics.analysis.shown import Summary
from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import FACT_COLUMNS, STR, Facts, facts_of, sums_dtype
from picora_analytics.library.media_types import EXTENSIONS, media_type
from picora_analytics.progress import notice

__all__ = [
    "By",
    "FrameT",
    "Kind",
    "enter",
    "entered",
    "explode_tags",
    "facts",
    "library_numbers",
    "question",
    "read_pandas",
    "summed",
    "tag_lists",
]

FrameT = TypeVar("FrameT", bound=Any)
"""A pandas, polars, PySpark or Ibis frame, a DuckDB relation or an Arrow table; the answer is of the same kind."""

By = Literal["account"]
"""What a question may be asked for each of."""

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])

# The sizes once more, where 64 bits may be too few for their sum: whole numbers of Python, or of 128 bits.
WIDE = "wide_size_bytes"
# Of sizes below this, 34 billion are needed for a sum beyond 64 bits.
_SMALL = 2**28
# Beyond so many odd media types a stranger made them up, and none is another spelling of a known one.
_MOST_TYPES = 200

_NARWHALS: dict[Kind, Any] = {
    "int64": nw.Int64(),
    "Int64": nw.Int64(),
    "float64": nw.Float64(),
    "str": nw.String(),
    "boolean": nw.Boolean(),
    "datetime": nw.Datetime("us"),
    "tags": nw.List(nw.String()),
}
_KNOWN: ContextVar[Facts | None] = ContextVar("facts of the load that is asked about", default=None)


def question(
    *columns: str, answers: Mapping[str, Kind], of_one: Sequence[str] = ()
) -> Callable[[FunctionT], FunctionT]:
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
    of_one : sequence of str
        Options whose value is of one account, so that they do not go with ``by="account"``.

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
    0      700 B
    """

    def decorate(function: FunctionT) -> FunctionT:
        @functools.wraps(function)
        def ask(images: Any, *args: Any, by: By | None = None, **kwargs: Any) -> Any:
            caller = function.__name__
            images = _streamed(images)
            if by is None:
                return _answer(images, lambda frame: function(frame, *args, **kwargs))
            if told := [name for name in of_one if kwargs.get(name) is not None]:
                raise ValueError(f"{told[0]}= is of one account: leave by={by!r} out.")
            return _by_account(images, by, caller, lambda part: ask(part, *args, **kwargs))

        def _answer(images: Any, asked: Callable[[Any], Any]) -> Any:
            frame, known = _enter(images, columns, function.__name__)
            with _knowing(known):
                if "image_share" in answers and not isinstance(images, pd.DataFrame):
                    _say_of_what()
                answer = asked(frame)
                wide = WIDE in frame.collect_schema().names()
                return _leave(answer, images, answers, wide=wide)

        return cast(FunctionT, ask)

    return decorate


def summed(images: nw.LazyFrame[Any]) -> nw.Expr:
    """Give, inside a question, the sizes for adding up: wider than 64 bits where their sum may need it."""
    return nw.col(WIDE if WIDE in images.collect_schema().names() else "size_bytes")


def facts() -> Facts | None:
    """
    Give, inside a question, what is known of the load.

    A pandas frame and an Arrow table carry it as they are, other engines in the columns that
    ``SnapshotStore.scan(facts=True)`` adds. Of several accounts it is their sum, loaded when the last was.
    """
    return _KNOWN.get()


def library_numbers() -> tuple[int, int] | None:
    """Give, inside a question, how many images and bytes the whole library had; None where nothing says it."""
    load = facts()
    if load is None or not load.get("n_images") or load.get("size_bytes") is None:
        return None
    return load["n_images"], load["size_bytes"]


@functools.cache
def _notice_once(text: str) -> None:
    notice(text)


def _say_of_what() -> None:
    """Say once that shares are of the rows given where an engine's frame does not know its library."""
    if library_numbers() is None:
        _notice_once(
            "Shares are of the rows given, for this frame does not say how large its library is: "
            "SnapshotStore.scan(engine=..., facts=True) and export_snapshots give frames that do."
        )


@contextmanager
def entered(
    images: Any, columns: Sequence[str], caller: str
) -> Iterator[tuple[nw.LazyFrame[Any], Facts | None]]:
    """Give what a question gets, and the facts of the load, for an answer that is no frame of the engine."""
    frame, known = _enter(_streamed(images), columns, caller)
    with _knowing(known):
        yield frame, known


def enter(images: Any, columns: Sequence[str], caller: str) -> nw.LazyFrame[Any]:
    """Give, inside a question, a second frame as the first one came: the columns in everyday dtypes."""
    frame, _ = _enter(_streamed(images), columns, caller)
    return frame


@contextmanager
def _knowing(known: Facts | None) -> Iterator[None]:
    token = _KNOWN.set(known)
    try:
        yield
    finally:
        _KNOWN.reset(token)


def explode_tags(images: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """
    Give, inside a question, one row per image and different tag, with the number of its image's tags.

    Images without tags, or whose tags are not known, have no row.
    """
    exploded: nw.LazyFrame[Any] = distinct_tags_exploded(images)
    return exploded


def _streamed(images: Any) -> Any:
    """Give an Arrow table for what only speaks Arrow's stream protocol; anything else as it is."""
    known = isinstance(images, pd.DataFrame | pa.Table)
    if known or not hasattr(images, "__arrow_c_stream__"):
        return images
    try:
        nw.from_native(images)
    except TypeError:
        return pa.table(images)
    return images


def _by_account(images: Any, by: str, caller: str, ask: Callable[[Any], Any]) -> Any:
    """Ask for each account, and put the answers below one another, the account in front."""
    if by != "account":
        raise ValueError(f"by={by!r} is unknown: choose 'account', or leave it out.")
    if isinstance(images, pd.DataFrame) and by not in images.columns:
        known = facts_of(images)
        if known is not None:
            images = images.assign(account=known["account"])
    frame = nw.from_native(images)
    if by not in frame.collect_schema().names():
        raise SchemaError(
            f"{caller} needs the column 'account' for by='account': SnapshotStore.scan(facts=True) and "
            "export_snapshots write it."
        )
    text = nw.col(by).cast(nw.String())
    found = frame.lazy().select(text).unique().collect()[by].to_list()
    accounts = sorted(found, key=lambda one: (one is None, one or ""))
    parts = [
        (one, frame.filter(nw.col(by).is_null() if one is None else text == one))
        for one in accounts or [""]
    ]
    written = []
    for one, part in parts:
        answer = nw.from_native(ask(part.to_native()))
        names = answer.collect_schema().names()
        label = nw.lit(one, nw.String()).alias(by)
        written.append(answer.with_columns(label).select(by, *names))
    whole = nw.concat(written)
    native = (whole if accounts else whole.head(0)).to_native()
    if isinstance(native, pd.DataFrame):
        return Summary(native.astype({by: STR}).reset_index(drop=True))
    return native


def _enter(
    images: Any, columns: Sequence[str], caller: str
) -> tuple[nw.LazyFrame[Any], Facts | None]:
    if isinstance(images, pa.Table):  # narwhals cannot explode an Arrow table, nor take medians
        images = _pandas_of_table(images, columns)
    if isinstance(images, pd.DataFrame):
        rows = read_pandas(images, columns, caller)
        if "size_bytes" in columns and _too_wide(rows["size_bytes"].max(), len(rows)):
            rows[WIDE] = rows["size_bytes"].astype(object)
        told = [name for name in FACT_COLUMNS if name in images.columns]
        known = facts_of(images)
        if known is None and _says_its_load(told):
            known = _facts_told(nw.from_native(read_pandas(images, told, caller)).lazy(), told)
        return nw.from_native(rows).lazy(), known
    frame: nw.DataFrame[Any] | nw.LazyFrame[Any]
    try:
        frame = nw.from_native(images)
    except TypeError:
        raise TypeError(
            f"{caller} takes a DataFrame, as load_images makes it, or a DuckDB relation, a polars, PySpark "
            f"or Ibis frame, or anything that gives Arrow; this is {type(images).__name__}."
        ) from None
    schema = frame.collect_schema()
    check_columns(schema.names(), columns, caller)
    told = [name for name in FACT_COLUMNS if name in schema.names()]
    told = told if _says_its_load(told) else []
    names = list(dict.fromkeys([*columns, *told]))
    zoned = [name for name in names if getattr(schema[name], "time_zone", None)]
    naive: nw.LazyFrame[Any] = without_zone(frame, names, zoned)
    schema = naive.collect_schema()
    read = naive.select(*(_read(schema[name], name, caller) for name in names))
    known = _facts_told(read, told) if told else None
    read = read.select(*columns)
    if "mime_type" in columns:
        read = _with_types_spelled_one_way(read)
    return (_with_wide_sizes(read) if "size_bytes" in columns else read), known


def _pandas_of_table(images: pa.Table, columns: Sequence[str]) -> pd.DataFrame:
    """Give the columns of an Arrow table in pandas, with the facts that its metadata holds."""
    names = [
        name for name in dict.fromkeys([*columns, *FACT_COLUMNS]) if name in images.column_names
    ]
    frame = pandas_of(images.select(names))
    if _says_its_load(names):
        return frame  # Of several tables put together, the metadata is that of the first.
    stored = images.schema.metadata or {}
    for key, read in ((b"PANDAS_ATTRS", lambda attrs: attrs.get("picora")), (b"picora", dict)):
        try:
            frame.attrs["picora"] = read(msgspec.json.decode(stored[key]))
        except (KeyError, ValueError, TypeError, AttributeError, msgspec.DecodeError):
            continue
    return frame


def _says_its_load(columns: Sequence[str]) -> bool:
    return {"account", "loaded_at"} <= set(columns)


def _facts_told(frame: nw.LazyFrame[Any], columns: Sequence[str]) -> Facts | None:
    """Read the facts of a load from the columns that tell them in each row."""
    others = [name for name in columns if name != "account"]
    told = frame.group_by("account").agg(*(nw.col(name).max() for name in others)).collect()
    values = {name: told[name].to_list() for name in others}
    loaded = [_python_instant(one) for one in values["loaded_at"] if not pd.isna(one)]
    if not loaded:
        return None
    known: dict[str, Any] = {"loaded_at": max(loaded).isoformat()}
    for name, fact in (("library_images", "n_images"), ("library_bytes", "size_bytes")):
        if name in values and not any(pd.isna(one) for one in values[name]):
            known[fact] = sum(int(one) for one in values[name])
    return cast(Facts, known)


def _python_instant(value: Any) -> dt.datetime:
    return pd.Timestamp(value).tz_localize("UTC").to_pydatetime()


def _with_wide_sizes(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """
    Add the sizes in 128 bits where 64 may be too few for their sum.

    Whether any is large is a question that Parquet's own statistics answer; only then all are looked at.
    """
    size = nw.col("size_bytes")
    if not len(frame.filter(size >= _SMALL).select(size).head(1).collect()):
        return frame
    largest, n = frame.select(largest=size.max(), n=nw.len()).collect().row(0)
    return widened(frame, "size_bytes", WIDE) if _too_wide(largest, n) else frame


def _with_types_spelled_one_way(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Spell media types as the loader does; what came through it has no other spelling, and costs one look."""
    column = nw.col("mime_type")
    others = frame.filter(~column.is_in(list(EXTENSIONS))).select(column).unique().head(_MOST_TYPES)
    spelled: nw.Expr = column
    for other in others.collect()["mime_type"].to_list():
        if (one := media_type(other)) != other:
            spelled = nw.when(column == other).then(nw.lit(one, nw.String())).otherwise(spelled)
    return frame.with_columns(mime_type=spelled)


def _too_wide(largest: Any, n: int) -> bool:
    return not pd.isna(largest) and int(largest) * n >= 2**63


def _read(dtype: Any, name: str, caller: str) -> nw.Expr:
    kind, column = READS.get(name, "str"), nw.col(name)
    nothing = str(dtype) in ("Null", "Unknown")  # a column that never held a value
    if kind == "datetime" and not isinstance(dtype, nw.Datetime | nw.Date) and not nothing:
        raise wrong_kind(caller, name, kind, dtype)
    if kind == "tags" and not isinstance(dtype, nw.List) and not nothing:
        raise wrong_kind(caller, name, kind, dtype)
    return column.cast(_NARWHALS[kind])


def _leave(
    answer: nw.LazyFrame[Any], asked: Any, answers: Mapping[str, Kind], *, wide: bool
) -> Any:
    native = answer.to_native()
    if isinstance(native, pa.Table):  # See `in_arrow`.
        native = pandas_of(native)
    if isinstance(native, pd.DataFrame):
        table = pd.DataFrame({n: _written(native[n], kind) for n, kind in answers.items()})
        return _arrow_of(table) if isinstance(asked, pa.Table) else Summary(table)
    schema = answer.collect_schema() if wide else {}
    typed = answer.select(
        *(
            # Sums that 64 bits do not hold stay as wide as they are.
            nw.col(name)
            if isinstance(schema.get(name), nw.Int128 | nw.Decimal)
            else nw.col(name).cast(_NARWHALS[kind])
            for name, kind in answers.items()
        )
    )
    instants = [name for name, kind in answers.items() if kind == "datetime"]
    utc = in_utc(typed, list(answers), instants)
    lazy = isinstance(nw.from_native(asked), nw.LazyFrame)
    return utc.to_native() if lazy or isinstance(utc, nw.DataFrame) else utc.collect().to_native()


def _written(column: pd.Series[Any], kind: Kind) -> Any:
    if kind == "datetime":
        return naive_utc_of(column).dt.tz_localize("UTC").array
    if kind == "float64":  # by way of Float64, because an object NA is no float
        return column.astype("Float64").astype("float64").array
    if kind == "Int64" and str(column.dtype) in ("object", "uint64"):
        return _whole_numbers(column)
    return column.astype(STR if kind == "str" else kind).array  # type: ignore[arg-type,unused-ignore]


def _whole_numbers(column: pd.Series[Any]) -> Any:
    """Give sums in 64 bits where that is enough, else as whole numbers of Python."""
    numbers = [pd.NA if pd.isna(cell) else int(cell) for cell in column]
    return pd.Series(numbers, dtype=sums_dtype(numbers, "Int64")).array


def _arrow_of(table: pd.DataFrame) -> pa.Table:
    for name in [str(name) for name in table if pd.api.types.is_object_dtype(table[name].dtype)]:
        # Sums that 64 bits do not hold; Arrow infers a decimal.
        cells = [None if pd.isna(cell) else decimal.Decimal(cell) for cell in table[name]]
        table[name] = pd.Series(cells, table.index, dtype=object)
    return pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
