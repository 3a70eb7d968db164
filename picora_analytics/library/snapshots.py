"""Snapshots: what the library was, one immutable Parquet file each, its facts inside the file."""

from __future__ import annotations

import datetime as dt
import os
import re
from pathlib import Path

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from picora_analytics.errors import SchemaError, SnapshotError
from picora_analytics.files import write_atomic
from picora_analytics.library.frame import (
    SCHEMA,
    Facts,
    facts_of,
    frame_from_table,
    table_from_frame,
)

__all__ = ["SnapshotStore"]

_FACTS = b"picora"
_VERSION = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


class SnapshotStore:
    """
    A folder of snapshots of one or more accounts.

    Each is one Parquet file (zstd), readable by DuckDB, polars and Spark as it is, written whole or not at
    all, for its owner's eyes only. Versions are named by the instant they were read, UTC.

    Parameters
    ----------
    folder : str or path
        Made when the first snapshot is saved.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = SnapshotStore(folder)
    ...     version = store.save(make_images(size_bytes=[700, 300]))
    ...     len(store.versions()), int(store.load()["size_bytes"].sum())
    (1, 1000)
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def __repr__(self) -> str:
        return f"SnapshotStore({str(self.folder)!r}, {len(self.versions())} versions)"

    def save(self, images: pd.DataFrame) -> str:
        """
        Save a whole library as a new version.

        Parameters
        ----------
        images : DataFrame
            As :func:`load_images` made it.

        Returns
        -------
        str
            The version's name.

        Raises
        ------
        SchemaError
            If it is not a loaded library, is partial, or is a subset: a snapshot is compared with later ones,
            and what is missing would look deleted.
        """
        facts = facts_of(images)
        if facts is None:
            raise SchemaError(
                "This frame does not say where it comes from; pass it as load_images made it."
            )
        if (
            facts["status"] != "complete"
            or facts["scope"] != "library"
            or len(images) != facts["n_images"]
        ):
            raise SchemaError(
                f"Only a whole library is saved; this frame holds {len(images)} of {facts['n_images']} rows, "
                f"scope {facts['scope']!r}, status {facts['status']!r}."
            )
        version = pd.Timestamp(facts["read_at"]).strftime("%Y%m%dT%H%M%S.%fZ")
        # pandas' own metadata would hide the lists from plain readers (pandas 3.1).
        table = table_from_frame(images).replace_schema_metadata(
            {_FACTS: msgspec.json.encode(facts)}
        )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(version)
        write_atomic(path, lambda temporary: pq.write_table(table, temporary, compression="zstd"))
        return version

    def load(self, version: str | dt.date = "latest") -> pd.DataFrame:
        """
        Load a version as the frame it was.

        Parameters
        ----------
        version : str or date
            ``"latest"``, a version's name, or a day (date or ``"YYYY-MM-DD"``): the last version up to the
            end of that day, UTC.

        Raises
        ------
        SnapshotError
            If there is none such, or its file is damaged.
        """
        name = self._find(version)
        path = self._path(name)
        try:
            table = pq.read_table(path)
            facts = msgspec.json.decode((table.schema.metadata or {})[_FACTS], type=Facts)
            return frame_from_table(table.select(SCHEMA.names).cast(SCHEMA), facts)
        except (pa.ArrowException, OSError, KeyError, ValueError) as error:
            raise _damaged(path, error) from error

    def versions(self) -> list[str]:
        """
        List the versions, oldest first.

        Returns
        -------
        list of str
        """
        return sorted(
            path.stem for path in self.folder.glob("*.parquet") if _VERSION.fullmatch(path.stem)
        )

    def refuse_other_account(self, account: str) -> None:
        """
        Check that what is remembered here is of this account.

        Raises
        ------
        SnapshotError
            If it is of another one: a comparison over time would call every image removed.
        """
        for version in self.versions()[-1:]:
            path = self._path(version)
            try:
                metadata = pq.read_schema(path).metadata or {}
                facts = msgspec.json.decode(metadata[_FACTS], type=Facts)
            except (pa.ArrowException, OSError, KeyError, ValueError) as error:
                raise _damaged(path, error) from error
            if facts["account"] != account:
                raise SnapshotError(
                    f"{self.folder} holds snapshots of another account; give each account a folder of its own."
                )

    def _path(self, version: str) -> Path:
        return self.folder / f"{version}.parquet"

    def _find(self, version: str | dt.date) -> str:
        versions = self.versions()
        if not versions:
            raise SnapshotError(
                f"There are no snapshots in {self.folder}; load_images(client) makes the first."
            )
        if version == "latest":
            return versions[-1]
        if version in versions:
            return str(version)
        try:
            day = version if isinstance(version, dt.date) else dt.date.fromisoformat(version)
        except (TypeError, ValueError):
            raise SnapshotError(
                f"version={version!r} is no snapshot in {self.folder}; it holds {versions[0]} to {versions[-1]}. "
                "Give one of its versions(), a day such as '2026-01-31', or 'latest'."
            ) from None
        before = [name for name in versions if name[:8] <= day.strftime("%Y%m%d")]
        if not before:
            raise SnapshotError(
                f"No snapshot in {self.folder} is as old as {day:%Y-%m-%d}; the first is {versions[0]}."
            )
        return before[-1]


def _damaged(path: Path, error: Exception) -> SnapshotError:
    return SnapshotError(
        f"The snapshot {path} is damaged ({type(error).__name__}); delete that file, and the library is "
        "read from Picora again."
    )
