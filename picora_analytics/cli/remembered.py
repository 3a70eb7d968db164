"""Commands about what is remembered: snapshots, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import (
    in_store,
    of_demo,
    refuse_ahead,
    refuse_missing,
    say,
    with_client,
)
from picora_analytics.cli.completing import versions
from picora_analytics.cli.documents import json_option, print_facts, rows_of
from picora_analytics.text import plural

if TYPE_CHECKING:
    from picora_analytics.analysis import SnapshotDiff
    from picora_analytics.client import Client
    from picora_analytics.library import SnapshotStore

__all__ = ["diff", "snapshots"]


@click.command(short_help="List what is remembered of the library.")
@in_store
@click.option("--prune", type=click.IntRange(1), metavar="N", help="Delete all but N of them.")
@json_option
@of_demo
def snapshots(store: str | None, prune: int | None, as_json: bool, demo: bool) -> None:
    """
    List what is remembered of the library: version, images, size, and when it was last seen so (UTC).

    A load that finds nothing changed makes no new version. Beyond the number kept, the older ones of a day
    go first, then the oldest.
    """
    from picora_analytics import SnapshotStore

    kept = SnapshotStore(store) if store else _default_store(demo=demo)
    versions = kept.versions()
    gone: list[str] = []
    if prune is not None and versions:
        gone = [str(one) for one in kept.prune(prune, account=kept.about(versions[-1])["account"])]
        say(f"Deleted    {len(gone)} of {plural(len(versions), 'snapshot')}", err=True)
    rows = [_remembered(kept, version) for version in kept.versions()]
    if as_json:
        facts = {"folder": str(kept.folder), "keep": kept.keep, "pruned": gone, "snapshots": rows}
        print_facts("snapshots", facts)
        return
    for row in rows:
        _show_snapshot(row)
    if versions:
        say(f"At most {kept.keep} are kept in {kept.folder}", err=True)
    else:
        say(
            f"Nothing is remembered yet; `picora-analytics load` makes the first snapshot.{_forgets(kept)}",
            err=True,
        )


def _remembered(kept: SnapshotStore, version: str) -> dict[str, Any]:
    """Give what is known of a snapshot; one that is damaged has no numbers."""
    from picora_analytics import SnapshotError

    names = ("n_images", "size_bytes", "read_at")
    try:
        facts: dict[str, Any] = dict(kept.about(version))
    except SnapshotError:
        facts = dict.fromkeys(names)
    return {"version": version} | {name: facts[name] for name in names}


def _show_snapshot(row: dict[str, Any]) -> None:
    from picora_analytics.units import format_bytes

    if row["read_at"] is None:
        say(f"{row['version']}  damaged or no snapshot")
        return
    seen = row["read_at"][:16].replace("T", " ")
    size = format_bytes(row["size_bytes"])
    say(f"{row['version']}  {plural(row['n_images'], 'image'):>16} {size:>11}  {seen}")


def _forgets(kept: SnapshotStore) -> str:
    from picora_analytics.files import session_folder

    demo = session_folder() in kept.folder.parents
    return " A demo is forgotten with the command; give each --store DIR." if demo else ""


@with_client
def _default_store(client: Client) -> SnapshotStore:
    from picora_analytics.library.snapshots import SnapshotStore

    return SnapshotStore.of(client)


@click.command()
@click.argument("old", default="previous", shell_complete=versions)
@click.argument("new", default="latest", shell_complete=versions)
@in_store
@json_option
@of_demo
def diff(old: str, new: str, store: str | None, as_json: bool, demo: bool) -> None:
    """
    Show what changed between two snapshots.

    OLD and NEW are versions as `snapshots` lists them, days (YYYY-MM-DD), `latest`, `previous` (the one
    before the latest), or files that end in .parquet.
    """
    from picora_analytics import SnapshotStore, compare_snapshots
    from picora_analytics.library.snapshot_file import load_file

    for position, name in (("OLD", old), ("NEW", new)):
        if name.lower().endswith(".parquet"):
            refuse_missing({position: str(Path(name).expanduser())})
        refuse_ahead(position, name)
    kept: SnapshotStore | None = None
    files = []
    for name in (old, new):
        if name.lower().endswith(".parquet"):
            files.append(Path(name).expanduser())
            continue
        kept = kept or (SnapshotStore(store) if store else _default_store(demo=demo))
        versions = kept.versions()
        if name == "previous" and len(versions) < 2:
            there = (
                "One snapshot is there, and a load that finds nothing changed makes no second."
                if versions
                else "Nothing is remembered yet."
            )
            raise click.ClickException(
                f"{there} Load again later, and compare then.{_forgets(kept)}"
            )
        files.append(kept.path(versions[-2] if name == "previous" else name))
    made = compare_snapshots(*map(load_file, files))
    if files[0].resolve() == files[1].resolve():
        say(
            f"{old} and {new} are one snapshot, {files[0].stem}: no load that came later found a change.",
            err=True,
        )
    if as_json:
        print_facts("diff", _differences(made))
    else:
        say(repr(made))


def _differences(made: SnapshotDiff) -> dict[str, Any]:
    named = ["id", "filename", "size_bytes"]
    added, removed, changed = (
        frame.reset_index() for frame in (made.added, made.removed, made.changed)
    )
    return {
        "since": made.since,
        "until": made.until,
        "net_bytes": int(made.net_bytes),
        "added": rows_of(added[named]),
        "removed": rows_of(removed[named]),
        "changed": rows_of(changed[[*named, "columns"]]),
        "replaced": rows_of(made.replaced),
        "by_tag": rows_of(made.by_tag),
        "by_format": rows_of(made.by_format),
    }
