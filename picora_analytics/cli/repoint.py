"""The command repoint."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from picora_analytics.cli.common import say
from picora_analytics.cli.documents import json_option, print_facts
from picora_analytics.cli.values import FilePath

if TYPE_CHECKING:
    from picora_analytics.references.repoint import Repointing

__all__ = ["repoint"]


@click.command()
@click.argument("map_file", type=FilePath(exists=True, dir_okay=False), metavar="MAP.CSV")
@click.argument("folders", type=FilePath(exists=True), metavar="FOLDER...", nargs=-1, required=True)
@click.option("--write", is_flag=True, help="Write the files. Without it: the change is shown.")
@click.option("--no-check", is_flag=True, help="Do not ask whether the new addresses answer.")
@json_option
def repoint(
    map_file: str, folders: Sequence[str], write: bool, no_check: bool, as_json: bool
) -> None:
    """
    Put new image ids where the old ones stand, in the files of FOLDER.

    MAP.CSV has the columns old and new, ids or addresses; the restored.csv of a backup is taken as it is.
    The patch is kept next to the folder.
    """
    import picora_analytics as pic
    from picora_analytics.references.moves import read_moves

    try:
        read_moves(map_file)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    try:
        made = pic.repoint(map_file, *folders, check=not no_check)
    except pic.PicoraError as error:
        raise pic.PicoraError(str(error).replace("check=False", "--no-check")) from None
    patch = made.write() if write else None
    if as_json:
        _print(made)
        return
    if not write and made.n_places:
        _show(made.diff)
    say(repr(made).replace(".write()", "--write"), err=not write)
    if patch:
        say(
            f"To take it back: cd {shlex.quote(str(made.root))} && git apply -R {shlex.quote(str(patch))}"
        )
    elif made.n_places:
        typed = [map_file, *folders, "--write", *(["--no-check"] if no_check else [])]
        say(f"To write it: picora-analytics repoint {shlex.join(typed)}", err=True)


def _print(made: Repointing) -> None:
    names = ("path", "line", "id", "reason")
    left = [dict(zip(names, (str(path), *rest), strict=True)) for path, *rest in made.left]
    print_facts(
        "repoint",
        {
            "root": str(made.root),
            "n_files": made.n_files,
            "n_places": made.n_places,
            "left": left,
            "patch": None if made.patch is None else str(made.patch),
        },
    )


def _show(diff: str) -> None:
    """Print the patch: dead text for people, the very bytes for a pipe or file."""
    if sys.stdout.isatty():
        say(diff)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(diff.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
