"""Small answers that need Python: worked out there, and given back in the engine of the question."""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from picora_analytics.analysis.engines import given_to, wide_kind
from picora_analytics.analysis.question import Kind

__all__ = ["answered", "rows_of"]

Row = Mapping[str, Any]

_ARROW: dict[Kind, pa.DataType] = {
    "int64": pa.int64(),
    "Int64": pa.int64(),
    "float64": pa.float64(),
    "str": pa.string(),
    "boolean": pa.bool_(),
    "datetime": pa.timestamp("us"),
}
_WIDE = pa.decimal128(38, 0)


def rows_of(frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
    """Give the rows of an aggregate as plain values, None where missing."""
    collected = frame.collect()
    names = collected.columns
    return [dict(zip(names, map(_plain, row), strict=True)) for row in collected.rows()]


def _plain(cell: Any) -> Any:
    if pd.isna(cell):
        return None
    if isinstance(cell, decimal.Decimal | np.integer):
        return int(cell)
    return float(cell) if isinstance(cell, np.floating) else cell


def answered(rows: Sequence[Row], images: nw.LazyFrame[Any], answers: Mapping[str, Kind]) -> Any:
    """Give rows of plain values as a frame of the engine that `images` is of."""
    if images.implementation.is_pandas():
        return nw.from_native(pd.DataFrame(rows, columns=list(answers), dtype=object)).lazy()
    wide = [name for name, kind in answers.items() if kind == "Int64" and _too_wide(rows, name)]
    schema = pa.schema(
        [(name, _WIDE if name in wide else _ARROW[kind]) for name, kind in answers.items()]
    )
    table = pa.Table.from_pylist([_for_arrow(row, wide) for row in rows], schema=schema)
    answer: nw.LazyFrame[Any] = given_to(images, table)
    return answer.with_columns(nw.col(name).cast(wide_kind(images)) for name in wide)


def _too_wide(rows: Sequence[Row], name: str) -> bool:
    return any(row[name] is not None and row[name] >= 2**63 for row in rows)


def _for_arrow(row: Row, wide: Sequence[str]) -> dict[str, Any]:
    return {
        name: decimal.Decimal(cell) if name in wide and cell is not None else cell
        for name, cell in row.items()
    }
