"""Snapshots: what the library was, one immutable Parquet file each, its facts inside the file."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.compute as pc

from picora_analytics.errors import SchemaError, SnapshotError
from picora_analytics.files import data_folder, reason_of, session_folder
from picora_analytics.library.frame import Facts, facts_of, frame_from_table, table_from_frame
from picora_analytics.library.scanning import ENGINES, Engine, fact_values, scan_file
from picora_analytics.library.snapshot_file import (
    FeedPosition,
    Snapshot,
    metadata_of,
    read_facts,
    read_snapshot,
    write_snapshot,
)
from picora_analytics.text import plural
from picora_analytics.times import now

if TYPE_CHECKING:  # As in the frame: no HTTP for what is read from a file.
    from picora_analytics.client.client import Client

__all__ = ["SnapshotStore"]

_VERSION = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
_NAME = "%Y%m%dT%H%M%S.%fZ"
# A month of daily loads; 100,000 images take about 4 MB each time.
KEEP = 30


class SnapshotStore:
    """
    A folder of snapshots of one or more accounts.

    Each is one Parquet file (zstd), readable by DuckDB, polars and Spark as it is, written whole or not at
    all, for its owner's eyes only. Versions are named by the instant they were read, UTC. A refresh that
    finds nothing changed makes no new version: it notes in the last one when the library was seen so again.

    Parameters
    ----------
    folder : str or path
        Made when the first snapshot is saved.
    keep : int
        How many versions stay: with each save, those that a later one of the same day replaces go first,
        then the oldest. Files that are not snapshots of this account are never touched.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = SnapshotStore(folder)
    ...     version = store.save(make_images(size_bytes=[700, 300]))
    ...     len(store.versions()), int(store.load()["size_bytes"].sum())
    (1, 1000)
    """

    def __init__(self, folder: str | os.PathLike[str], *, keep: int = KEEP) -> None:
        if type(keep) is not int or keep < 1:
            raise ValueError(f"keep={keep!r} is not a number of snapshots; at least 1 is kept.")
        if folder == "":
            raise ValueError(
                "'' names no folder for snapshots; give its path, such as 'snapshots', or '.' for the current one."
            )
        self.folder = Path(folder).expanduser()
        if self.folder.exists() and not self.folder.is_dir():
            raise SnapshotError(f"{self.folder} is a file; snapshots need a folder.")
        self.keep = keep

    @classmethod
    def of(cls, client: Client, store: str | os.PathLike[str] = "default") -> SnapshotStore:
        """
        Give the store in which the library of a client's account is remembered.

        Parameters
        ----------
        client : Client
        store : str or path
            As for :func:`load_images`: ``"default"``, or a folder.

        Raises
        ------
        SnapshotError
            If the folder holds snapshots of another account.
        """
        from picora_analytics.client.client import check_client  # Who has a client has HTTP.

        check_client(client, "SnapshotStore.of")
        account = client.account()
        if store != "default":
            chosen = cls(store)
            chosen.refuse_other_account(account)
            return chosen
        # Each demo is a library of its own under the same account, and ends with this session.
        folder = session_folder() / client.demo_session if client.demo else data_folder()
        return cls(folder / "snapshots" / account)

    def __repr__(self) -> str:
        return f"SnapshotStore({str(self.folder)!r}, {plural(len(self.versions()), 'version')})"

    def save(
        self,
        images: pd.DataFrame,
        *,
        feed: FeedPosition | None = None,
        version: str | None = None,
    ) -> str:
        """
        Save a whole library as a new version, and let go of those beyond ``keep``.

        Parameters
        ----------
        images : DataFrame
            As :func:`load_images` made it.
        feed : FeedPosition, optional
            From where the next refresh reads the change feed.
        version : str, optional
            The version this is, unchanged but for its facts; a new one otherwise.

        Returns
        -------
        str
            The version's name.

        Raises
        ------
        SchemaError
            If it is not a loaded library, is partial, repeats an id, or is a subset: a snapshot is compared
            with later ones, and what is missing would look deleted.
        """
        if not isinstance(images, pd.DataFrame):
            raise TypeError(
                f"SnapshotStore.save takes a DataFrame, as load_images makes it; this is {type(images).__name__}."
            )
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
                f"Only a whole library is saved; this frame holds {len(images):,} of "
                f"{plural(facts['n_images'], 'row')}, scope {facts['scope']!r}, status {facts['status']!r}."
            )
        name = version or self._next(facts)
        table = table_from_frame(images)
        n_ids = pc.count_distinct(table["id"]).as_py()
        if n_ids != len(images):
            raise SchemaError(
                f"This frame holds {plural(n_ids, 'different id')} in {plural(len(images), 'row')}; pass it as "
                "load_images made it, each image once."
            )
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_snapshot(table, facts, feed, self._path(name))
        self.prune(self.keep, account=facts["account"])
        return name

    def prune(self, keep: int, *, account: str) -> list[str]:
        """
        Delete versions of an account until so many are left; the latest always stays.

        Returns
        -------
        list of str
            The versions deleted.
        """
        gone = []
        for version in _superfluous(self.versions(), keep):
            try:
                ours = self.about(version)["account"] == account
            except SnapshotError:  # Damaged, or not ours: a person decides.
                continue
            if ours:
                self._path(version).unlink(missing_ok=True)
                gone.append(version)
        return gone

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
            If there is no such version, or its file is damaged.
        """
        found = self.read(version)
        return frame_from_table(found.table, found.facts)

    def read(self, version: str | dt.date = "latest") -> Snapshot:
        """Read a version as :meth:`load` does, as the Arrow table it is stored as, and with its feed position."""
        return read_snapshot(self.path(version))

    def path(self, version: str | dt.date = "latest") -> Path:
        """
        Give the Parquet file of a version, for other tools to read.

        Parameters
        ----------
        version : str or date
            As for :meth:`load`.

        Raises
        ------
        SnapshotError
            If there is no such version.
        """
        return self._path(self._find(version))

    def scan(
        self,
        version: str | dt.date = "latest",
        *,
        engine: Engine = "pandas",
        facts: bool = False,
    ) -> Any:
        """
        Give a version as another engine's frame, for libraries larger than memory.

        Parameters
        ----------
        version : str or date
            As for :meth:`load`.
        engine : {"pandas", "polars", "duckdb", "pyarrow"}
            polars and DuckDB read the file themselves, and of it what a question needs.
        facts : bool
            Add columns with what the load says of itself, ``account``, ``loaded_at`` (UTC),
            ``library_images`` and ``library_bytes``: with them summaries know ages and shares of the
            library, also of a part of it. pandas frames and Arrow tables know these without.

        Returns
        -------
        LazyFrame, DuckDBPyRelation, Table or DataFrame

        Raises
        ------
        ImportError
            If the engine is not installed.
        SnapshotError
            If there is no such version, or its file is damaged.
        ValueError
            If `engine` is not one of the four.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = SnapshotStore(folder)
        ...     _ = store.save(make_images(size_bytes=[700, 300]))
        ...     large = store.scan(engine="polars").collect()
        >>> large.shape
        (2, 13)
        """
        if engine not in ENGINES:
            raise ValueError(
                f"engine={engine!r} is unknown: choose 'pandas', 'polars', 'duckdb' or 'pyarrow'."
            )
        path = self.path(version)
        told = self.about(path.stem)
        if engine == "pandas":
            images = self.load(version)
            return images.assign(**fact_values(told)) if facts else images
        table = None
        if engine == "pyarrow":
            table = read_snapshot(path).table.replace_schema_metadata(metadata_of(told))
        return scan_file(path, table, told if facts else None, engine)

    def about(self, version: str) -> Facts:
        """
        Read the facts of a version, and none of its rows.

        Raises
        ------
        SnapshotError
            If its file is damaged or is not a snapshot.
        """
        path = self._path(version)
        if not path.exists():
            raise SnapshotError(f"There is no snapshot {version!r} in {self.folder}.")
        return read_facts(path)

    def versions(self) -> list[str]:
        """
        List the versions, oldest first.

        Returns
        -------
        list of str
        """
        return sorted(path.stem for path in self.folder.glob("*.parquet") if _is_version(path.stem))

    def totals(self) -> pd.DataFrame:
        """
        Say how large the library was in each version; no rows are read.

        Returns
        -------
        DataFrame of shape (n_versions, 4)
            ``version``, ``loaded_at`` (UTC), ``n_images`` and ``size_bytes``, oldest first.

        Raises
        ------
        SnapshotError
            If a file is damaged.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = SnapshotStore(folder)
        ...     version = store.save(make_images(size_bytes=[700, 300]))
        ...     store.totals()[["n_images", "size_bytes"]]
           n_images  size_bytes
        0         2        1000
        """
        names = self.versions()
        facts = [self.about(version) for version in names]
        days = pd.to_datetime([one["loaded_at"] for one in facts], utc=True)
        counts = {name: [one[name] for one in facts] for name in ("n_images", "size_bytes")}
        return pd.DataFrame({"version": names, "loaded_at": days, **counts})

    def refuse_other_account(self, account: str) -> None:
        """
        Check that what is remembered here is of this account.

        Raises
        ------
        SnapshotError
            If it is of another one: a comparison over time would call every image removed.
        """
        for version in self.versions()[-1:]:
            if self.about(version)["account"] != account:
                raise SnapshotError(
                    f"{self.folder} holds snapshots of another account; give each account a folder of its own."
                )

    def _next(self, facts: Facts) -> str:
        """Name a version by when it was read; where a clock that was ahead named the last one, after that."""
        name = pd.Timestamp(facts["read_at"]).strftime(_NAME)
        last = max(self.versions(), default="")
        if name >= last or last <= now().strftime(_NAME):
            return name
        with contextlib.suppress(SnapshotError):
            if self.about(last)["read_at"] == facts["read_at"]:
                return last  # The same reading, saved again.
        with contextlib.suppress(OverflowError):  # A file of somebody else's with such a name.
            after = dt.datetime.strptime(last, _NAME) + dt.timedelta(microseconds=1)
            return after.strftime(_NAME)
        return name

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


def remember(
    store: SnapshotStore,
    images: pd.DataFrame,
    *,
    feed: FeedPosition | None = None,
    version: str | None = None,
) -> None:
    """Save a library just read; a full disk is a warning, for an hour of reading is not thrown away for it."""
    try:
        store.save(images, feed=feed, version=version)
    except (OSError, ValueError) as error:
        warnings.warn(
            f"The library was read whole, but not remembered in {store.folder}: {reason_of(error)}. "
            "Choose another folder with store=, or store=None.",
            stacklevel=3,
        )


def _superfluous(versions: list[str], keep: int) -> list[str]:
    """Choose what goes: first what a later version of the same day replaces, then the oldest."""
    days = [version[:8] for version in versions]
    replaced = [
        version
        for version, day, next_day in zip(versions, days, [*days[1:], ""], strict=True)
        if day == next_day
    ]
    last = [version for version in versions if version not in replaced]
    return (replaced + last)[: max(len(versions) - max(keep, 1), 0)]


def _is_version(name: str) -> bool:
    try:
        return bool(_VERSION.fullmatch(name) and dt.datetime.strptime(name, _NAME))
    except ValueError:  # Digits that are no date: a file of somebody else's.
        return False
