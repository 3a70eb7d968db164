"""The file of a snapshot: Parquet, with the facts of its load in its metadata."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from picora_analytics.errors import SnapshotError
from picora_analytics.files import write_atomic
from picora_analytics.library.frame import SCHEMA, Facts, frame_from_table
from picora_analytics.times import YEARS, format_instant, parse_instant

__all__ = [
    "FeedPosition",
    "Snapshot",
    "load_file",
    "metadata_of",
    "read_facts",
    "read_snapshot",
    "write_snapshot",
]

_FACTS, _FEED, _ATTRS = b"picora", b"picora_feed", b"PANDAS_ATTRS"


class FeedPosition(msgspec.Struct, frozen=True):
    """Where the change feed was left: its last cursor that was not null, and which demo run gave it."""

    cursor: str
    demo_session: str = ""


class Snapshot(NamedTuple):
    """A snapshot as it lies in its file."""

    version: str
    table: pa.Table
    facts: Facts
    feed: FeedPosition | None


def metadata_of(facts: Facts) -> dict[bytes, bytes]:
    """Give the schema metadata that holds the facts of a load."""
    return {_FACTS: msgspec.json.encode(facts)}


def write_snapshot(table: pa.Table, facts: Facts, feed: FeedPosition | None, path: Path) -> None:
    """Write a snapshot, whole or not at all."""
    # The second for plain pandas.read_parquet, which makes attrs of it.
    metadata = metadata_of(facts) | {_ATTRS: msgspec.json.encode({"picora": facts})}
    if feed is not None:
        metadata[_FEED] = msgspec.json.encode(feed)
    # pandas' own metadata would hide the lists from plain readers (pandas 3.1).
    told = table.replace_schema_metadata(metadata)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # Arrow itself opens no path that is not UTF-8.
            pq.write_table(told, file, compression="zstd")

    write_atomic(path, write)


def read_snapshot(path: Path) -> Snapshot:
    """
    Read a snapshot as it lies in its file.

    Raises
    ------
    SnapshotError
        If the file is damaged or is not a snapshot.
    """
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
        metadata = table.schema.metadata or {}
        feed = metadata.get(_FEED)
        facts = _facts_in(metadata)
        if table.num_rows != facts["n_images"]:
            raise ValueError("rows are missing")
        return Snapshot(
            path.stem,
            table.select(SCHEMA.names).cast(SCHEMA),
            facts,
            None if feed is None else msgspec.json.decode(feed, type=FeedPosition),
        )
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise _damaged(path, error) from error


def read_facts(path: Path) -> Facts:
    """
    Read the facts of a snapshot, and none of its rows.

    Raises
    ------
    SnapshotError
        If the file is damaged or is not a snapshot.
    """
    try:
        with path.open("rb") as file:
            metadata = pq.read_schema(file).metadata or {}
        return _facts_in(metadata)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise _damaged(path, error) from error


def _facts_in(metadata: Mapping[bytes, bytes]) -> Facts:
    facts = msgspec.json.decode(metadata[_FACTS], type=Facts)
    for name in ("loaded_at", "read_at"):
        moment = parse_instant(facts[name])
        if moment.year not in YEARS:
            raise ValueError(f"{name} is {moment}")
        facts[name] = format_instant(moment)
    return facts


def load_file(path: str | os.PathLike[str]) -> pd.DataFrame:
    """
    Load a snapshot from any place, or a frame as plain pandas wrote it.

    Raises
    ------
    SnapshotError
        If the file is damaged or no Parquet file.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise SnapshotError(f"There is no file {path}.")
    try:
        with path.open("rb") as file:
            if _FACTS not in (pq.read_schema(file).metadata or {}):
                return pd.read_parquet(file)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    found = read_snapshot(path)
    return frame_from_table(found.table, found.facts)


def _damaged(path: Path, error: Exception) -> SnapshotError:
    return SnapshotError(
        f"The snapshot {path} is damaged ({type(error).__name__}); delete that file, and the library is "
        "read from Picora again."
    )
