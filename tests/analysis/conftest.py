"""Ways to ask the same question of another engine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

import picora_analytics as pic
from picora_analytics.library import frame

if find_spec("duckdb"):  # The lane for Spark has neither.
    import duckdb
    import polars as pl

# PySpark has a lane of its own: make test-spark.
collect_ignore = [] if find_spec("pyspark") else ["test_spark.py"]

# All questions there are, with options under which every engine can answer them.
ASKED: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ("library", "sizes", "dimensions", "tags", "formats", "visibility")),
    *(("growth", {"freq": freq}) for freq in ("day", "week", "month", "year")),
    ("ages", {"now": "2026-11-23"}),
    ("concentration", {}),
    ("largest", {"top": 7}),
]


@pytest.fixture(scope="session")
def new_york() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a DuckDB session far from UTC, where 1 January begins five hours late."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'America/New_York'")
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def engines(new_york: duckdb.DuckDBPyConnection) -> dict[str, Callable[[pd.DataFrame], Any]]:
    """Give, by name, what turns a pandas frame into another engine's."""
    as_table = frame.table_from_frame
    return {
        "DuckDB": lambda images: new_york.from_arrow(as_table(images)),
        "polars": lambda images: pl.DataFrame(pl.from_arrow(as_table(images))),
        "polars, lazy": lambda images: pl.DataFrame(pl.from_arrow(as_table(images))).lazy(),
        "Arrow": as_table,
    }


@pytest.fixture(scope="session")
def as_pandas() -> Callable[[Any], pd.DataFrame]:
    """Give what reads any engine's answer into everyday pandas."""

    def read(answer: Any) -> pd.DataFrame:
        if isinstance(answer, pd.DataFrame):
            return answer
        if hasattr(answer, "collect") and not hasattr(answer, "toArrow"):  # polars, lazy
            answer = answer.collect()
        ways = ("to_arrow_table", "to_pyarrow", "to_arrow", "toArrow")
        way = next((name for name in ways if hasattr(answer, name)), None)
        table = answer if way is None else getattr(answer, way)()
        kinds = {pa.int64(): pd.Int64Dtype(), pa.string(): frame.STR, pa.large_string(): frame.STR}
        read = table.to_pandas(types_mapper=kinds.get)
        for name in read.select_dtypes("datetimetz"):
            read[name] = read[name].dt.tz_convert("UTC").astype("datetime64[us, UTC]")
        return read

    return read


@pytest.fixture(scope="session")
def check_all(as_pandas: Callable[[Any], pd.DataFrame]) -> Callable[..., None]:
    """Give what asks all questions of another engine's frame, and compares with pandas."""

    def check(there: Any, images: pd.DataFrame, only: tuple[str, ...] = ()) -> None:
        for name, options in ASKED:
            if only and name not in only:
                continue
            summarize = getattr(pic, f"summarize_{name}")
            assert_frame_equal(
                as_pandas(summarize(there, **options)),
                summarize(images, **options),
                check_dtype=False,
                rtol=1e-9,
                obj=f"{name}{options}",
            )

    return check


@pytest.fixture(scope="session")
def messy(make_images: Callable[..., pd.DataFrame]) -> Callable[[int], pd.DataFrame]:
    """Give what makes a library with all there is to stumble over: gaps, ties, zeros, odd names, old dates."""

    def library(n: int) -> pd.DataFrame:
        random = np.random.default_rng(5)

        def some(values: list[Any]) -> list[Any]:
            drawn = [values[place] for place in random.integers(0, len(values), n)]
            gaps = random.random(n) < 0.15
            return [None if gap else value for gap, value in zip(gaps, drawn, strict=True)]

        start = dt.datetime(2019, 1, 1, tzinfo=dt.UTC)
        return make_images(
            size_bytes=some([0, 5, 5, 10240, 102400, 2**20, 2**40, 123_456_789]),
            tags=some([(), ("a",), ("a", "B"), ("ü", "a", "ü"), ("产品",), ("b", " a")]),
            width=some([1, 100, 1000, 2560, 2561, 4000]),
            height=some([1, 100, 900, 2560, 3000]),
            is_public=some([True, False]),
            mime_type=some(["image/png", "IMAGE/JPG; q=1", "image/jpeg", "image/x-png", ""]),
            created_at=some([start + dt.timedelta(hours=631 * k) for k in range(110)]),
        )

    return library


@pytest.fixture(scope="session")
def edges(make_images: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """
    Give 500 uploads at the edges of days, weeks, months, years and classes of age.

    Among them midnights that São Paulo skipped and hours that it had twice, and edges in Shanghai.
    """
    days = [dt.date(2017, 10, 15), dt.date(2018, 2, 18), dt.date(2018, 11, 4), dt.date(2019, 2, 17)]
    days += [dt.date(2026, 1, 1), dt.date(2026, 1, 4), dt.date(2026, 1, 5), dt.date(2024, 2, 29)]
    ages = (0, -1, 31, 91, 366, 731, 1827)
    days += [dt.date(2026, 11, 23) - dt.timedelta(days=n) for n in ages]
    hours = (-3, 0, 2, 3, 16)  # 16:00 is midnight in Shanghai, 3:00 (then 2:00) in São Paulo.
    second, micro = dt.timedelta(seconds=1), dt.timedelta(microseconds=1)
    found = [
        dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(hours=hour) + step
        for day in days
        for hour in hours
        for step in (-second, -micro, 0 * second, micro, second, 1800 * second, -1800 * second)
    ]
    found = found[:500]
    return make_images(created_at=found, size_bytes=[(7 * n) % 5000 for n in range(len(found))])
