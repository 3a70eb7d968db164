"""Commands for the copies of images: backup, restore."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from picora_analytics.cli.common import (
    PARTIAL,
    FilePath,
    OutputPath,
    refuse_suffix,
    say,
    with_client,
)

if TYPE_CHECKING:
    from picora_analytics.client import Client

__all__ = ["backup", "restore"]


@click.command(short_help="Copy the files of a saved plan and prove each copy.")
@click.argument("plan_file", type=FilePath(dir_okay=False), metavar="PLAN.JSON")
@click.argument("folder", type=FilePath(file_okay=False))
@with_client
def backup(client: Client, plan_file: str, folder: str) -> None:
    """
    Copy the original files of a saved plan into FOLDER and prove each copy; nothing is deleted.

    Copies already there are checked again and reused. The downloads count towards the month's image bandwidth.
    """
    from picora_analytics import read_plan

    made = read_plan(plan_file).back_up(client, folder)
    say(repr(made))
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
@with_client
def restore(client: Client, folder: str, ids: Sequence[str], output: str | None) -> None:
    """
    Upload the copies in FOLDER again, under new addresses and with a new date.

    Images still in the library are not sent. A second call goes on where the first ended.
    FOLDER/restored.csv holds old and new addresses, for a search and replace.
    """
    from picora_analytics import restore_images
    from picora_analytics.files import write_csv
    from picora_analytics.text import visible

    refuse_suffix(output, ".csv")
    rows = restore_images(client, folder, list(ids) or None)
    if output:
        write_csv(rows, Path(output))
    for row in rows[rows["reason"] != ""].itertuples(index=False):
        say(visible(f"{row.old_id}  {row.outcome}: {row.reason}", 2000))
    for outcome, n in rows["outcome"].value_counts().items():
        say(f"{n:>8,}  {outcome}")
    if output:
        say(f"\nWritten    {output}")
    if not {"failed", "unknown"}.isdisjoint(rows["outcome"]):
        sys.exit(PARTIAL)
