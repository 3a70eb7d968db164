"""Commands for the copies of images: backup, restore."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from picora_analytics.cli.common import (
    PARTIAL,
    quiet_option,
    refuse_missing,
    refuse_suffix,
    refuse_unknown,
    say,
    with_client,
)
from picora_analytics.cli.documents import json_option, print_facts, rows_of
from picora_analytics.cli.values import FilePath, OutputPath
from picora_analytics.cli.words import in_shell_words
from picora_analytics.text import plural

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.client import Client

__all__ = ["backup", "restore"]


@click.command(short_help="Copy the files of a saved plan and prove each copy.")
@click.argument("plan_file", type=FilePath(dir_okay=False), metavar="PLAN.JSON")
@click.argument("folder", type=FilePath(file_okay=False))
@json_option
@quiet_option
@with_client
def backup(client: Client, plan_file: str, folder: str, as_json: bool, quiet: bool) -> None:
    """
    Copy the original files of a saved plan into FOLDER and prove each copy; nothing is deleted.

    Copies already there are checked again and reused. The downloads count towards the month's image bandwidth.
    """
    refuse_missing({"PLAN.JSON": plan_file})
    from picora_analytics import read_plan

    made = read_plan(plan_file).back_up(client, folder, progress=False if quiet else None)
    if as_json:
        print_facts(
            "backup",
            {
                "folder": str(made.folder),
                "n_proved": len(made.proofs),
                "n_reused": made.n_reused,
                "size_bytes": made.size_bytes,
                "failed": [{"id": one, "reason": why} for one, why in made.failed.items()],
            },
        )
    elif made.failed or not quiet:
        say(in_shell_words(repr(made)))
    if made.failed:
        sys.exit(PARTIAL)


@click.command(short_help="Upload copies again, under new addresses.")
@click.argument("folder", type=FilePath(file_okay=False))
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this image; repeatable.")
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    help="Write old and new ids and addresses and every outcome, as CSV.",
)
@json_option
@quiet_option
@with_client
def restore(
    client: Client,
    folder: str,
    ids: Sequence[str],
    output: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """
    Upload the copies in FOLDER again, under new addresses and with a new date.

    Images still in the library are not sent. A second call goes on where the first ended.
    FOLDER/restored.csv holds old and new addresses, for a search and replace.
    """
    refuse_suffix(output, ".csv")
    refuse_missing({"FOLDER": folder}, "folder")
    from picora_analytics import restore_images
    from picora_analytics.cleanup.backup.folder import MANIFEST, copied_ids
    from picora_analytics.files import write_csv

    if not (Path(folder) / MANIFEST).is_file():
        raise click.UsageError(
            f"FOLDER: {folder!r} holds no {MANIFEST}, so no copies; give the folder that backup made."
        )
    known = copied_ids(Path(folder)) if ids else []
    if known:
        refuse_unknown("--id", ids, known, f"the copies in {folder}")
    rows = restore_images(client, folder, list(ids) or None, progress=False if quiet else None)
    if output:
        write_csv(rows, Path(output))
    in_part = not {"failed", "unknown"}.isdisjoint(rows["outcome"])
    if as_json:
        counts = {str(name): int(n) for name, n in rows["outcome"].value_counts().items()}
        print_facts("restore", {"folder": folder, "counts": counts, "outcomes": rows_of(rows)})
    elif in_part or not quiet:
        _show(rows, output)
        if not quiet and "restored" in set(rows["outcome"]):
            moved = shlex.join(
                ["picora-analytics", "repoint", str(Path(folder) / "restored.csv"), "SITE/"]
            )
            say(f"\nNext       {moved}, to put the new addresses into your pages")
    if in_part:
        sys.exit(PARTIAL)


def _show(rows: pd.DataFrame, output: str | None) -> None:
    from picora_analytics.text import visible

    told = rows[rows["reason"] != ""]
    for (outcome, reason), alike in told.groupby(["outcome", "reason"], sort=False):
        which = alike["old_id"].iloc[0] if len(alike) == 1 else plural(len(alike), "image")
        say(visible(f"{which}  {outcome}: {reason}", 2000))
    for outcome, n in rows["outcome"].value_counts().items():
        say(f"{n:>8,}  {outcome}")
    if output:
        say(f"\nWritten    {output}")
