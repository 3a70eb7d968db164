"""The latest snapshot of many accounts as one relation for a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from picora_analytics.errors import SnapshotError
from picora_analytics.files import write_atomic
from picora_analytics.library.scanning import with_facts
from picora_analytics.library.snapshots import SnapshotStore

__all__ = ["export_snapshots"]


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
        table = with_facts(snapshot.table, snapshot.facts, account=False)
        table = table.replace_schema_metadata({b"picora": msgspec.json.encode(snapshot.facts)})
        write_atomic(path, lambda temporary, table=table: _write(table, temporary))  # type: ignore[misc]
        written.append(path)
    return written


def _write(table: pa.Table, path: Path) -> None:
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")
