"""Ways to ask the same question of another engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from picora_analytics.library import frame


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
        if isinstance(answer, pl.LazyFrame):
            answer = answer.collect()
        table = (
            answer
            if isinstance(answer, pa.Table)
            else answer.to_arrow_table()
            if isinstance(answer, duckdb.DuckDBPyRelation)
            else answer.to_arrow()
        )
        kinds = {pa.int64(): pd.Int64Dtype(), pa.string(): frame.STR, pa.large_string(): frame.STR}
        read = table.to_pandas(types_mapper=kinds.get)
        for name in read.select_dtypes("datetimetz"):
            read[name] = read[name].dt.tz_convert("UTC").astype("datetime64[us, UTC]")
        return read

    return read
