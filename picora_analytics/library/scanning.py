"""A snapshot as the frame of another engine, and what its rows say of their load."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from picora_analytics.library.frame import FACT_COLUMNS, Facts
from picora_analytics.times import parse_instant

if TYPE_CHECKING:
    pass

__all__ = ["ENGINES", "Engine", "fact_values", "scan_file", "with_facts"]

Engine = Literal["pandas", "polars", "duckdb", "pyarrow"]
ENGINES = ("pandas", "polars", "duckdb", "pyarrow")


def scan_file(path: Path, table: pa.Table, told: Facts | None, engine: str) -> Any:
    """Give a snapshot as an engine's frame: polars and DuckDB read the file themselves, and only what they need."""
    if engine == "pyarrow":
        return table if told is None else with_facts(table, told)
    try:
        module = importlib.import_module(engine)
    except ImportError:
        raise ImportError(
            f"engine={engine!r} needs the package {engine}, which is not installed: pip install {engine}."
        ) from None
    columns = {} if told is None else fact_values(told)
    if engine == "polars":
        frame = module.scan_parquet(path, glob=False)
        kinds = {"account": module.String, "loaded_at": module.Datetime("us", "UTC")}
        return frame.with_columns(
            module.lit(value, kinds.get(name, module.Int64)).alias(name)
            for name, value in columns.items()
        )
    relation = module.read_parquet(_escaped(path))
    written = {
        "account": "{!r}::VARCHAR",
        "loaded_at": "{!r}::TIMESTAMPTZ",
        "library_images": "{}::BIGINT",
        "library_bytes": "{}::HUGEINT",
    }
    values = {n: v.isoformat() if n == "loaded_at" else v for n, v in columns.items()}
    facts = [f"{written[name].format(value)} AS {name}" for name, value in values.items()]
    return relation.project(", ".join(["*", *facts]))


def _escaped(path: Path) -> str:
    """Write a path in which DuckDB sees no pattern."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path))


def fact_values(facts: Facts) -> dict[str, Any]:
    """Give what each row says of its load."""
    loaded_at = parse_instant(facts["loaded_at"])
    values = (facts["account"], loaded_at, facts["n_images"], facts["size_bytes"])
    return dict(zip(FACT_COLUMNS, values, strict=True))


def with_facts(table: pa.Table, facts: Facts, *, account: bool = True) -> pa.Table:
    """Add to each row what it says of its load."""
    kinds = {"account": pa.string(), "loaded_at": pa.timestamp("us", tz="UTC")}
    for name, value in fact_values(facts).items():
        if name != "account" or account:
            cells = pa.repeat(pa.scalar(value, kinds.get(name, pa.int64())), len(table))
            table = table.append_column(name, cells)
    return table
