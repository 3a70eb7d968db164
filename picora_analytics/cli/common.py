"""What the commands share: a client, output files, exit codes. Heavy imports wait until a command needs them."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.text import visible

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.client import Client

__all__ = [
    "ERROR",
    "PARTIAL",
    "THRESHOLD",
    "USAGE",
    "FilePath",
    "OutputPath",
    "in_store",
    "load_library",
    "of_demo",
    "say",
    "shown",
    "warn_of_loss",
    "with_client",
    "write_rows",
]

ERROR, USAGE, THRESHOLD, PARTIAL = 1, 2, 3, 4

# No line of ours is longer, and a terminal shows no more of a stranger's.
_LONGEST_LINE = 20_000
# A shorter one is none, and would take letters out of words.
_SHORTEST_KEY = 8


class FilePath(click.Path):
    """A path whose ``~`` is the home folder: shells leave that of ``--store=~/kept`` as it is, and cron any."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Expand the path, then check it."""
        path = os.path.expanduser(value)  # noqa: PTH111 (Path would forget a slash at the end.)
        if path.startswith("~"):
            self.fail(
                f"There is no home folder for {value!r}; for a name like that, type ./ before it.",
                param,
                ctx,
            )
        return super().convert(path, param, ctx)


class OutputPath(FilePath):
    """An output path; a missing folder is reported before anything is loaded."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Check the folder; ``-`` is standard output."""
        path = super().convert(value, param, ctx)
        folder = Path(path).parent
        if path != "-" and not folder.is_dir():
            self.fail(f"There is no folder {str(folder)!r} to write {value!r} into.", param, ctx)
        return path


in_store = click.option(
    "--store",
    type=FilePath(file_okay=False),
    help="The folder of snapshots; with it, no key is needed.",
)
of_demo = click.option("--demo", is_flag=True, help="Use an invented library on this machine.")


def say(text: object = "", *, err: bool = False) -> None:
    """Print lines in which nothing moves the cursor or changes the terminal, whoever wrote it."""
    click.echo(shown(text), err=err)


def shown(text: object) -> str:
    """Return lines as `say` prints them: dead in a terminal, and without the key wherever it came from."""
    whole = str(text)
    key = os.environ.get("PICORA_API_KEY", "").strip()
    if len(key) >= _SHORTEST_KEY:
        whole = whole.replace(key, "<key>")
    return "\n".join(visible(line, _LONGEST_LINE) for line in whole.split("\n"))


def with_client(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its client: the person's own, or with --demo an invented library."""

    @click.option("--demo", is_flag=True, help="Use an invented library on this machine.")
    @functools.wraps(command)
    def wrapper(*args: Any, demo: bool, **kwargs: Any) -> Any:
        from picora_analytics import AuthenticationError, Client, DemoServer

        if demo:
            with DemoServer() as server, Client(server.api_key, server.url) as client:
                return command(client, *args, **kwargs)
        try:
            client = Client()
        except (AuthenticationError, ValueError) as error:
            raise click.UsageError(visible(f"{error} Or try --demo.")) from error
        with client:
            return command(client, *args, **kwargs)

    return wrapper


def load_library(client: Client, **options: Any) -> pd.DataFrame:
    """Load the library, remembered in the default store unless a folder is given."""
    from picora_analytics import load_images

    options["store"] = options.get("store") or "default"
    return load_images(client, **options)


def write_rows(images: pd.DataFrame, path: Path) -> None:
    """Write the rows as Parquet, or as CSV for spreadsheets, by the suffix."""
    from picora_analytics.files import write_atomic, write_csv

    if path.suffix.lower() == ".parquet":
        write_atomic(path, images.to_parquet)
    else:
        write_csv(images.reset_index(), path)


def warn_of_loss(places: dict[str, Path]) -> None:
    """Warn of what would vanish with a CI runner."""
    from picora_analytics.cleanup.policy.ci import vanishing

    if warning := vanishing(places, os.environ):
        say(warning, err=True)
