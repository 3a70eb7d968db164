"""
What can be known without asking Picora: the snapshots that are there, and what the last one holds.

The shell completes it beside options and names of files.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from picora_analytics.files import data_folder

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["days", "files", "names_remembered", "tags", "versions"]

_VERSION = re.compile(r"\d{8}T\d{6}\.\d{6}Z")
# A tag is a stranger's text, and a shell runs what stands on its line: only what needs no quotes is offered.
_WORD = re.compile(r"\w[\w@%+./-]*")


def _snapshots(store: str | None) -> list[Path]:
    """Find the snapshots in a folder, or those that are remembered where that is of one account; oldest first."""
    folders = [Path(store)] if store else [*(data_folder() / "snapshots").glob("*")]
    if len(folders) != 1:
        return []
    return sorted(one for one in folders[0].glob("*.parquet") if _VERSION.fullmatch(one.stem))


def _known(context: click.Context) -> list[Path]:
    """Find the snapshots that a command will look at; a demo begins without any."""
    store = context.params.get("store")
    return [] if context.params.get("demo") and not store else _snapshots(store)


def _last(snapshots: list[Path], *columns: str) -> pa.Table:
    """Read some columns of the last snapshot; no row where there is none that can be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.read_table(snapshots[-1], columns=list(columns)).select(columns)
    except (IndexError, OSError, ValueError, KeyError):
        return pa.table({name: pa.array([], pa.null()) for name in columns})


def names_remembered() -> pd.DataFrame:
    """Give ids and file names as they were remembered last; none where that is of several accounts."""
    found: pd.DataFrame = _last(_snapshots(None), "id", "filename").to_pandas(ignore_metadata=True)
    return found.set_index("id")


def tags(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Give the tags of the last snapshot."""
    lists = _last(_known(context), "tags")["tags"].to_pylist()
    found = {tag for row in lists for tag in row or () if tag.startswith(begun)}
    return sorted(filter(_WORD.fullmatch, found))


def versions(context: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Give the snapshots, newest first; where none begins so, files."""
    names = ["latest", "previous", *(one.stem for one in reversed(_known(context)))]
    found = [CompletionItem(name) for name in names if name.startswith(begun)]
    return found or [CompletionItem(begun, type="file")]


def days(context: click.Context, _: click.Parameter, begun: str) -> list[str]:
    """Give the days of the snapshots, newest first."""
    dates = (f"{one.stem[:4]}-{one.stem[4:6]}-{one.stem[6:8]}" for one in reversed(_known(context)))
    return [day for day in dict.fromkeys(["latest", *dates]) if day.startswith(begun)]


def files(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem[str]]:
    """Let the shell give files and folders."""
    return [CompletionItem(begun, type="file")]
