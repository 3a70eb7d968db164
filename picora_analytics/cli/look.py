"""Commands that look: check, load, snapshots, diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import (
    FilePath,
    OutputPath,
    end,
    in_store,
    load_library,
    of_demo,
    quiet_option,
    refuse_suffix,
    say,
    with_client,
    write_rows,
)
from picora_analytics.cli.tables import show_tables

if TYPE_CHECKING:
    from picora_analytics.client import Client
    from picora_analytics.library import SnapshotStore

__all__ = ["check", "diff", "load", "snapshots"]


@click.command()
@with_client
def check(client: Client) -> None:
    """Test the key and the address, and say what this server answers."""
    from picora_analytics import APIError, NotFoundError, StatusError
    from picora_analytics.text import visible
    from picora_analytics.units import format_bytes

    credentials, usage = client.verify(), client.usage()
    first = next(client.iter_pages(page_size=1))
    single = "not tried, the library is empty"
    if first.images:
        try:
            client.get_image(first.images[0].id)
            single = "yes"
        except NotFoundError:
            single = "not known here"
        except StatusError as error:
            single = f"refused ({error.status_code})"
        except APIError:
            single = "not readable here"
    plan = f", plan {visible(credentials.plan)}" if credentials and credentials.plan else ""
    counted = usage.n_images if usage else first.total
    stored = usage.size_bytes if usage else None
    for label, text in (
        ("Address", client.base_url + (" (the DEMO)" if client.demo else "")),
        ("Key", f"accepted, account {client.account()[:8]}{plan}"),
        (
            "Library",
            ("not counted by the service" if counted is None else f"{counted:,} images")
            + ("" if stored is None else f", {format_bytes(stored)}")
            + " by the service's own count",
        ),
        ("Whose key", "yes" if credentials else "not told here"),
        ("Usage", "yes" if usage else "not told to this key"),
        ("One image", single),
        ("Deleting", "not tried: a missing delete scope shows only at the first deletion"),
    ):
        say(f"{label:<10} {text}")


@click.command()
@click.option("--tag", help="Only images having exactly this tag; not remembered.")
@click.option(
    "--refresh", type=click.Choice(["auto", "full", "never"]), default="auto", show_default=True
)
@click.option("--store", type=FilePath(file_okay=False), help="Remember in this folder.")
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    help="Write the rows: .csv (safe for spreadsheets) or .parquet.",
)
@click.option(
    "--public-only",
    is_flag=True,
    help="Write no private image, and of the others only id, url and is_public: for a repository or CI.",
)
@quiet_option
@with_client
def load(
    client: Client,
    quiet: bool,
    tag: str | None,
    refresh: Any,
    store: str | None,
    output: str | None,
    public_only: bool,
) -> None:
    """Load the whole library, remember it, and show what is in it."""
    if public_only and not output:
        raise click.UsageError("--public-only is about the rows that --output writes; give both.")
    refuse_suffix(output, ".csv", ".parquet")
    if tag is not None and refresh == "never":
        raise click.UsageError("--tag is not remembered, so --refresh never has nothing to give.")
    images = load_library(client, tag=tag, refresh=refresh, store=store, quiet=quiet)
    if tag is not None and images.empty:
        say(f"No image has exactly the tag {tag!r}.", err=True)
    left_out = ""
    if output:
        rows = images
        if public_only:
            known = images["is_public"].fillna(False).astype(bool)
            rows = images.loc[known, ["url", "is_public"]]
        write_rows(rows, Path(output))
        if public_only:
            left_out = f", without {len(images) - len(rows):,} that are not public"
    if not quiet:
        show_tables(images)
    if output and not quiet:
        say(f"\nWritten    {output}{left_out}")
    end()


@click.command(short_help="List what is remembered of the library.")
@in_store
@click.option("--prune", type=click.IntRange(1), metavar="N", help="Delete all but N of them.")
@of_demo
def snapshots(store: str | None, prune: int | None, demo: bool) -> None:
    """
    List what is remembered of the library: version, images, size, and when it was last seen so (UTC).

    A load that finds nothing changed makes no new version. Beyond the number kept, the older ones of a day
    go first, then the oldest.
    """
    from picora_analytics import SnapshotError, SnapshotStore
    from picora_analytics.units import format_bytes

    kept = SnapshotStore(store) if store else _default_store(demo=demo)
    versions = kept.versions()
    if prune is not None and versions:
        gone = kept.prune(prune, account=kept.about(versions[-1])["account"])
        say(f"Deleted    {len(gone)} of {len(versions)} snapshots", err=True)
    for version in kept.versions():
        try:
            facts = kept.about(version)
        except SnapshotError:
            say(f"{version}  damaged or no snapshot")
            continue
        seen = facts["read_at"][:16].replace("T", " ")
        say(
            f"{version}  {facts['n_images']:>9,} images {format_bytes(facts['size_bytes']):>11}  {seen}"
        )
    if versions:
        say(f"At most {kept.keep} are kept in {kept.folder}", err=True)
    else:
        say(
            f"Nothing is remembered yet; `picora-analytics load` makes the first snapshot.{_forgets(kept)}",
            err=True,
        )


def _forgets(kept: SnapshotStore) -> str:
    from picora_analytics.files import session_folder

    demo = session_folder() in kept.folder.parents
    return " A demo is forgotten with the command; give each --store DIR." if demo else ""


@with_client
def _default_store(client: Client) -> SnapshotStore:
    from picora_analytics.library.snapshots import SnapshotStore

    return SnapshotStore.of(client)


@click.command()
@click.argument("old", default="previous")
@click.argument("new", default="latest")
@in_store
@of_demo
def diff(old: str, new: str, store: str | None, demo: bool) -> None:
    """
    Show what changed between two snapshots.

    OLD and NEW are versions as `snapshots` lists them, days (YYYY-MM-DD), `latest`, `previous` (the one
    before the latest), or files that end in .parquet.
    """
    from picora_analytics import SnapshotStore, compare_snapshots
    from picora_analytics.library.snapshot_file import load_file

    kept: SnapshotStore | None = None
    frames = []
    for name in (old, new):
        if name.lower().endswith(".parquet"):
            frames.append(load_file(Path(name).expanduser()))
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
        frames.append(kept.load(versions[-2] if name == "previous" else name))
    say(repr(compare_snapshots(*frames)))
