"""Snapshots for other engines: one file as its frame, and the latest of many accounts as one relation."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from picora_analytics.errors import SnapshotError
from picora_analytics.files import write_atomic
from picora_analytics.library.frame import FACT_COLUMNS, Facts
from picora_analytics.times import parse_instant

if TYPE_CHECKING:
    from picora_analytics.library.snapshots import SnapshotStore

__all__ = ["ENGINES", "Engine", "export_snapshots", "fact_values", "scan_file"]

Engine = Literal["pandas", "polars", "duckdb", "pyarrow"]
ENGINES = ("pandas", "polars", "duckdb", "pyarrow")


def scan_file(path: Path, table: pa.Table, told: Facts | None, engine: str) -> Any:
    """Give a snapshot as an engine's frame: polars and DuckDB read the file themselves, and only what they need."""
    if engine == "pyarrow":
        return table if told is None else _with_facts(table, told)
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


def _with_facts(table: pa.Table, facts: Facts, *, account: bool = True) -> pa.Table:
    kinds = {"account": pa.string(), "loaded_at": pa.timestamp("us", tz="UTC")}
    for name, value in fact_values(facts).items():
        if name != "account" or account:
            cells = pa.repeat(pa.scalar(value, kinds.get(name, pa.int64())), len(table))
            table = table.append_column(name, cells)
    return table


def export_snapshots(
    stores: Iterable[SnapshotStore | str | os.PathLike[str]], folder: str | os.PathLike[str]
) -> list[Path]:
    """
    Write the latest snapshot of each account into one folder that a cluster reads as one relation.

    Each is ``account=<id>/images.parquet``, the layout that Spark, DuckDB, polars and Arrow read as a column
    ``account`` (Hive partitions). The rows also say ``loaded_at``, ``library_images`` and ``library_bytes``, from
    which summaries take ages and shares. A later export replaces the file of the same account; others stay.

    Parameters
    ----------
    stores : list of SnapshotStore or path
        A store of one account each; of several stores of one account the latest snapshot counts.
    folder : path
        Made if it does not exist.

    Returns
    -------
    list of Path
        The files written, by account.

    Raises
    ------
    SnapshotError
        If a store holds no snapshot, or its latest is damaged; then nothing is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = pic.SnapshotStore(f"{folder}/blog")
    ...     _ = store.save(make_images(size_bytes=[700, 300]))
    ...     written = export_snapshots([store], f"{folder}/all")
    ...     [path.parent.name for path in written]
    ['account=0123456789abcdef']
    """
    from picora_analytics.library.snapshots import SnapshotStore

    if isinstance(stores, SnapshotStore | str | os.PathLike):
        stores = [stores]
    latest: dict[str, tuple[str, SnapshotStore]] = {}
    for one in stores:
        store = one if isinstance(one, SnapshotStore) else SnapshotStore(one)
        versions = store.versions()
        if not versions:
            raise SnapshotError(
                f"There are no snapshots in {store.folder}; load_images(client, store=...) makes the first."
            )
        facts = store.about(versions[-1])
        account = facts["account"]
        if not account.isalnum():
            raise SnapshotError(
                f"The snapshots in {store.folder} are of the account {account!r}, which can name no folder."
            )
        latest[account] = max(
            latest.get(account, ("", store)), (facts["read_at"], store), key=lambda pair: pair[0]
        )
    target = Path(folder).expanduser()
    found = {account: store.read() for account, (_, store) in latest.items()}
    written = []
    for account, snapshot in sorted(found.items()):
        path = target / f"account={account}" / "images.parquet"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        table = _with_facts(snapshot.table, snapshot.facts, account=False)
        table = table.replace_schema_metadata({b"picora": msgspec.json.encode(snapshot.facts)})
        write_atomic(path, lambda temporary, table=table: _write(table, temporary))  # type: ignore[misc]
        written.append(path)
    return written


def _write(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
