"""
What each engine needs said in its own words.

Instants are UTC without a zone while a question runs, because the zone of a session, or of the process, would decide
what a month is: under New York one image in 200 moved to another month.
"""

from __future__ import annotations

import datetime as dt
import importlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.analysis.everyday import one_array, pandas_of

__all__ = [
    "distinct_tags_exploded",
    "given_to",
    "in_arrow",
    "in_utc",
    "is_duckdb",
    "is_spark",
    "naive_utc",
    "out_of_arrow",
    "period_of",
    "ranked_on_duckdb",
    "wide_kind",
    "widened",
    "with_quantiles",
    "with_totals",
    "without_zone",
]

Frame = nw.DataFrame[Any] | nw.LazyFrame[Any]

# AT TIME ZONE asks a calendar of every row: 1.5 s of 10 million, and this 0.3 s (DuckDB 2.0).
_DUCKDB_NAIVE, _DUCKDB_UTC = "make_timestamp(epoch_us({0}))", "timezone('UTC', {0})"
# A cast alone goes through the zone of the session, where in autumn an hour of it is two (Spark 4).
_SPARK_NAIVE = (
    "TIMESTAMP_NTZ'1970-01-01' + make_dt_interval(0, 0, 0,"
    " CAST(unix_micros({0}) AS DECIMAL(20, 0)) / 1000000)"
)
_SPARK_UTC = "CAST(CONCAT(CAST({0} AS STRING), 'Z') AS TIMESTAMP)"


# Whole numbers up to here are floats without loss; Arrow refuses to make others of them.
_EXACT = 2**53


def in_arrow(images: nw.LazyFrame[Any]) -> Any:
    """
    Give a frame of pandas as an Arrow table, and any other as it is.

    There narwhals' expressions take a third of the time. It has no medians, windows and lists for Arrow (2.29): what
    needs one of these is done in pandas (:func:`out_of_arrow`), and so is what holds absurdly large numbers.
    """
    native = images.to_native()
    if not isinstance(native, pd.DataFrame):
        return images
    for name in (name for name, dtype in native.dtypes.items() if dtype == "Int64"):
        least, most = native[name].min(), native[name].max()
        if not pd.isna(most) and not -_EXACT <= least <= most <= _EXACT:
            return images
    if any(pd.api.types.is_object_dtype(dtype) for dtype in native.dtypes):  # Sizes beyond 64 bits.
        return images
    return nw.from_native(pa.Table.from_pandas(native, preserve_index=False)).lazy()


def out_of_arrow(images: Any) -> Any:
    """Give back in pandas what :func:`in_arrow` gave."""
    native = images.to_native()
    return nw.from_native(pandas_of(native)).lazy() if isinstance(native, pa.Table) else images


def is_duckdb(frame: Frame) -> bool:
    """Tell a DuckDB relation."""
    return frame.implementation.is_duckdb()


def is_spark(frame: Frame) -> bool:
    """Tell a frame of PySpark."""
    return frame.implementation.is_pyspark() or frame.implementation.is_pyspark_connect()


def is_ibis(frame: Frame) -> bool:
    """Tell a table of Ibis."""
    return frame.implementation.is_ibis()


def without_zone(frame: Frame, columns: Sequence[str], zoned: Sequence[str]) -> Any:
    """Give these columns, the zoned instants among them as naive UTC ones."""
    if is_duckdb(frame):
        return _duckdb(frame, columns, dict.fromkeys(zoned, _DUCKDB_NAIVE))
    if is_spark(frame):
        return _spark(frame, columns, dict.fromkeys(zoned, _SPARK_NAIVE))
    if is_ibis(frame) and zoned:
        frame = _ibis(frame, zoned, to_utc=False)
        return frame.lazy().select(*columns)
    naive = nw.col(*zoned).dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zoned else None
    return frame.lazy().select(
        *(n for n in columns if n not in zoned), *([] if naive is None else [naive])
    )


def in_utc(frame: Frame, columns: Sequence[str], instants: Sequence[str]) -> Any:
    """Give these columns, the naive instants among them as what they are: UTC."""
    if is_duckdb(frame):
        return _duckdb(frame, columns, dict.fromkeys(instants, _DUCKDB_UTC))
    if is_spark(frame):
        return _spark(frame, columns, dict.fromkeys(instants, _SPARK_UTC))
    if is_ibis(frame):
        return _ibis(frame, instants, to_utc=True) if instants else frame
    if not instants:
        return frame
    return frame.with_columns(nw.col(*instants).dt.replace_time_zone("UTC"))


def naive_utc(images: Frame, instant: dt.datetime) -> nw.Expr:
    """
    Write, inside a question, an instant as ``created_at`` is there: naive UTC.

    Spark takes a datetime of Python's for one of the zone of the process; text has none.
    """
    if is_spark(images):
        return nw.lit(instant.isoformat(" ")).cast(nw.Datetime("us"))
    return nw.lit(instant)


def period_of(images: nw.LazyFrame[Any], column: str, freq: str) -> Any:
    """
    Add, inside a question, the first instant of each row's day, week, month or year as ``period``.

    Spark takes a way of its own: its date_trunc goes through the zone of the session, where a
    midnight may not exist, and narwhals 2.29 gives Sundays the number 0 there.
    """
    if is_spark(images):
        day = "to_date({0})"
        first = day if freq == "day" else f"trunc({day}, '{freq}')"
        copied = images.with_columns(period=nw.col(column))
        names = copied.collect_schema().names()
        return _spark(copied, names, {"period": f"CAST({first} AS TIMESTAMP_NTZ)"})
    instant = nw.col(column)
    period = instant.dt.truncate({"month": "1mo", "year": "1y"}.get(freq, "1d"))
    if freq == "week":  # narwhals 2.29 cuts no weeks
        period = period - nw.lit(dt.timedelta(days=1)) * (instant.dt.weekday() - 1)
    return images.with_columns(period=period)


def distinct_tags_exploded(images: nw.LazyFrame[Any]) -> Any:
    """
    Give one row per image and different tag, with the number of these as ``n_tags``.

    pandas and DuckDB take ways of their own, five and four times as fast as narwhals' (2.29);
    pandas 2.2 cannot divide an Int64 by an Arrow column.
    """
    native = images.to_native()
    if isinstance(native, pd.DataFrame):
        return _pandas_exploded(native)
    if is_duckdb(images):
        others = [name for name in images.collect_schema().names() if name != "tags"]
        distinct = native.project(", ".join([*map(_quoted, others), "list_distinct(tags) AS tags"]))
        exploded = [*map(_quoted, others), "len(tags) AS n_tags", "unnest(tags) AS tags"]
        return nw.from_native(distinct.project(", ".join(exploded))).lazy()
    lists = nw.col("tags").list
    different = images.with_columns(tags=lists.unique())
    known = different.with_columns(n_tags=lists.len()).filter(nw.col("n_tags") > 0)
    return known.explode("tags")


def _pandas_exploded(native: pd.DataFrame) -> Any:
    lists = one_array(native["tags"])
    rows = pc.list_parent_indices(lists).to_numpy(False)
    exploded = native.drop(columns="tags").take(rows).reset_index(drop=True)
    exploded["tags"] = pd.arrays.ArrowExtensionArray(pc.list_flatten(lists))  # type: ignore[attr-defined,unused-ignore]
    exploded["n_tags"] = np.bincount(rows, minlength=len(lists))[rows]
    return nw.from_native(exploded).lazy()


def with_quantiles(
    images: nw.LazyFrame[Any], column: str, quantiles: Mapping[str, float], **more: nw.Expr
) -> Any:
    """
    Give one row of aggregates, among them the interpolated quantiles of a column.

    DuckDB keeps the values once for all quantiles where it is asked for them together, in a third of the memory.
    """
    size = nw.col(column).cast(nw.Float64)
    if not is_duckdb(images):
        # median() warns of an empty slice in pandas 2.2 where no value is known
        each = {name: size.quantile(q, "linear") for name, q in quantiles.items()}
        return images.select(**more, **each)
    wanted = (
        f"quantile_cont(CAST({_quoted(column)} AS DOUBLE), {list(quantiles.values())}) AS found"
    )
    one_by_one = ", ".join(f"found[{n}] AS {_quoted(q)}" for n, q in enumerate(quantiles, 1))
    found = images.to_native().aggregate(wanted).project(one_by_one)
    return images.select(**more).join(nw.from_native(found).lazy(), how="cross")


def with_totals(table: nw.LazyFrame[Any], totals: Mapping[str, str]) -> Any:
    """
    Add to each row the sums of columns, by name.

    narwhals writes a window of one part, for which DuckDB makes the whole table a second time and joins the two.
    """
    if not is_duckdb(table):
        return table.with_columns(**{name: nw.col(column).sum() for name, column in totals.items()})
    sums = [f"sum({_quoted(column)}) OVER () AS {name}" for name, column in totals.items()]
    return nw.from_native(table.to_native().project(", ".join(["*", *sums]))).lazy()


def ranked_on_duckdb(
    images: Frame, n: int, total: int, parts: Mapping[str, int], tops: Mapping[str, int]
) -> Any:
    """
    Give what `summarize_concentration` adds up over ranked sizes, of `n` known ones that hold `total` bytes.

    In one window of whole numbers, in half the time of two of narwhals'.
    """
    by_size = "OVER (ORDER BY size_bytes DESC ROWS UNBOUNDED PRECEDING)"
    ranked = images.to_native().project(
        f"size_bytes AS b, row_number() {by_size} AS k, sum(size_bytes) {by_size} AS held"
    )
    sums = [
        "count(*) AS n_images, coalesce(sum(b), 0) AS size_bytes, sum(CAST(held AS DOUBLE)) AS held"
    ]
    sums += [
        f"count(*) FILTER (100 * (held - b) < {percent * total}) AS {name}"
        for name, percent in parts.items()
    ]
    sums += [
        f"sum(b) FILTER (k <= {-(-n // one_in)})::DOUBLE AS {name}" for name, one_in in tops.items()
    ]
    return nw.from_native(ranked.aggregate(", ".join(sums))).lazy()


def widened(frame: nw.LazyFrame[Any], column: str, name: str) -> Any:
    """Add a column of whole numbers once more, wide enough for a sum beyond 64 bits."""
    return frame.with_columns(nw.col(column).cast(wide_kind(frame)).alias(name))


def wide_kind(frame: Frame) -> Any:
    """Give the kind of number that holds a sum beyond 64 bits."""
    return nw.Decimal(38, 0) if is_spark(frame) or is_ibis(frame) else nw.Int128()


def given_to(images: Frame, rows: pa.Table) -> Any:
    """Give a small Arrow table as a frame of the engine, and of the session, that `images` is of."""
    native = images.to_native()
    if is_duckdb(images):  # A new connection would be another database.
        return nw.from_native(native.query("picora_question", "SELECT * FROM rows"))
    if is_spark(images):
        return nw.from_native(native.sparkSession.createDataFrame(rows)).lazy()
    if is_ibis(images):
        return nw.from_native(importlib.import_module("ibis").memtable(rows)).lazy()
    return nw.from_arrow(rows, backend=cast(Any, images.implementation)).lazy()


def _quoted(name: str, quote: str = '"') -> str:
    return quote + name.replace(quote, quote * 2) + quote


def _duckdb(frame: Frame, columns: Sequence[str], written: Mapping[str, str]) -> Any:
    quoted = {name: _quoted(name) for name in columns}
    projected = ", ".join(
        f"{written[name].format(column)} AS {column}" if name in written else column
        for name, column in quoted.items()
    )
    return nw.from_native(frame.to_native().project(projected)).lazy()


def _spark(frame: Frame, columns: Sequence[str], written: Mapping[str, str]) -> Any:
    functions = importlib.import_module("pyspark.sql.functions")
    quoted = {name: _quoted(name, "`") for name in columns}
    return nw.from_native(
        frame.to_native().select(
            *(
                functions.expr(written[name].format(column)).alias(name)
                if name in written
                else functions.col(column)
                for name, column in quoted.items()
            )
        )
    ).lazy()


def _ibis(frame: Frame, instants: Sequence[str], *, to_utc: bool) -> Any:
    """Take or give the zone of instants; on DuckDB by functions of its own, for a cast asks the session."""
    ibis, types = (importlib.import_module(f"ibis{part}") for part in ("", ".expr.datatypes"))
    table = frame.to_native()
    naive, utc = types.Timestamp(scale=6), types.Timestamp("UTC", 6)
    if table.get_backend().name != "duckdb":
        return nw.from_native(table.cast(dict.fromkeys(instants, utc if to_utc else naive))).lazy()

    def function(name: str, like: Any, takes: Any, gives: Any) -> Any:
        return ibis.udf.scalar.builtin(like, name=name, signature=(tuple(takes), gives))

    if to_utc:
        timezone = function("timezone", lambda zone, at: None, [types.string, naive], utc)
        written = {name: timezone("UTC", table[name]) for name in instants}
    else:
        epoch_us = function("epoch_us", lambda at: None, [utc], types.int64)
        make_timestamp = function("make_timestamp", lambda us: None, [types.int64], naive)
        written = {name: make_timestamp(epoch_us(table[name])) for name in instants}
    return nw.from_native(table.mutate(**written)).lazy()
