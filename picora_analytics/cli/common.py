"""What the commands share: a client, output files, exit codes. Heavy imports wait until a command needs them."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.values import FilePath
from picora_analytics.text import visible

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.client import Client

__all__ = [
    "ERROR",
    "EXIT_CODES",
    "INTERRUPTED",
    "PARTIAL",
    "THRESHOLD",
    "USAGE",
    "echo",
    "end",
    "given",
    "in_store",
    "keyless",
    "load_library",
    "of_demo",
    "parsed",
    "quiet_option",
    "refresh_option",
    "refuse_ahead",
    "refuse_missing",
    "refuse_same_file",
    "refuse_suffix",
    "refuse_unheard",
    "refuse_unknown",
    "say",
    "shown",
    "typed_demo",
    "warn_of_loss",
    "with_client",
    "write_rows",
]

ERROR, USAGE, THRESHOLD, PARTIAL, INTERRUPTED = 1, 2, 3, 4, 130
EXIT_CODES = (
    "Exit codes: 0 done, also where there was nothing to do; 1 error; 2 wrong usage or no key; 3 a threshold was "
    "crossed; 4 only in part: read, carried out or remembered; 130 stopped by Ctrl-C."
)
# What was read within this time is read again only where somebody asks for it: one reading for a job's commands.
_RECENT = dt.timedelta(hours=1)

# No line of ours is longer, and a terminal shows no more of a stranger's.
_LONGEST_LINE = 20_000
# A shorter one is none, and would take letters out of words.
_SHORTEST_KEY = 8
# So many characters of it in a row are a part of the key.
_KEY_PIECE = 12


in_store = click.option(
    "--store",
    type=FilePath(file_okay=False),
    help="The folder of snapshots; with it, no key is needed.",
)
of_demo = click.option("--demo", is_flag=True, help="Use an invented library on this machine.")


def say(text: object = "", *, err: bool = False) -> None:
    """Print lines in which nothing moves the cursor or changes the terminal, whoever wrote it."""
    echo(shown(text), err=err)


def echo(text: str, *, err: bool = False) -> None:
    """Print a text as it is, unless nobody reads any more."""
    try:
        click.echo(text, err=err)
    except (
        BrokenPipeError
    ):  # `| head` has read enough. What is saved was saved before, and the rest is done.
        os.dup2(os.open(os.devnull, os.O_WRONLY), (sys.stderr if err else sys.stdout).fileno())


def shown(text: object) -> str:
    """Return lines as `say` prints them: dead in a terminal, and without the key wherever it came from."""
    lines = keyless(str(text)).split("\n")
    return "\n".join(visible(line, _LONGEST_LINE) for line in lines)


def keyless(text: str) -> str:
    """Take the key out of a text, and what was cut off of it: a person may type it where a name belongs."""
    key = os.environ.get("PICORA_API_KEY", "").strip()
    if len(key) < _SHORTEST_KEY:
        return text
    size = min(_KEY_PIECE, len(key))
    if not any(key[at : at + size] in text for at in range(len(key) - size + 1)):
        return text
    from picora_analytics.client.masking import hider

    return hider(key)(text)


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


def typed_demo() -> bool:
    """Tell whether this command was typed with --demo: then the lines that follow it need it as well."""
    return bool(click.get_current_context().params.get("demo"))


def given(name: str) -> bool:
    """Tell whether an option of this command was typed, even if as its default."""
    source = click.get_current_context().get_parameter_source(name)
    return source is click.core.ParameterSource.COMMANDLINE


refresh_option = click.option(
    "--refresh",
    type=click.Choice(["auto", "full", "never"]),
    default="auto",
    show_default=True,
    help="auto takes what was read within the hour, else asks for changes; full lists all afresh; never reads nothing.",
)
quiet_option = click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="Print no progress and no result; what went wrong is printed.",
)


def load_library(
    client: Client, *, recent: bool = False, quiet: bool = False, **options: Any
) -> pd.DataFrame:
    """
    Load the library, remembered in the default store unless a folder is given.

    With `recent`, what was read within the hour is taken as it is. Where the store could not remember the library, the
    command ends with 4.
    """
    from picora_analytics import SnapshotError, SnapshotStore, load_images
    from picora_analytics.cli.words import in_shell_words
    from picora_analytics.times import now, parse_instant

    options["store"] = options.get("store") or "default"
    if quiet:
        options["progress"] = False
    if recent and options.get("refresh") == "auto" and options.get("tag") is None:
        with contextlib.suppress(SnapshotError, OSError):
            kept = SnapshotStore.of(client, options["store"])
            latest = kept.versions()[-1:]
            age = now() - parse_instant(kept.about(latest[0])["read_at"]) if latest else _RECENT
            if dt.timedelta(0) <= age < _RECENT:
                options["refresh"] = "never"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        images = load_images(client, **options)
    for warning in caught:
        say(f"picora-analytics: {in_shell_words(warning.message)}", err=True)
        if "not remembered" in str(warning.message):
            click.get_current_context().meta[_NOT_REMEMBERED] = True
    return images


_NOT_REMEMBERED = "picora_analytics.not_remembered"


def end(code: int = 0) -> None:
    """End with a code; where all went well but the library could not be remembered, with 4."""
    if not code and click.get_current_context().meta.get(_NOT_REMEMBERED):
        code = PARTIAL
    if code:
        sys.exit(code)


def refuse_suffix(path: str | None, *suffixes: str, option: str = "--output") -> None:
    """Refuse, as wrong usage, a file whose name promises something else than what would be in it."""
    if path is not None and Path(path).suffix.lower() not in suffixes:
        ends = " nor in ".join(suffixes)
        raise click.UsageError(
            f"{option} {path!r} {'ends neither in' if len(suffixes) > 1 else 'does not end in'} {ends}."
        )


def parsed(read: Callable[..., Any], value: Any, *names: str) -> Any:
    """Read a value of the command line; what cannot be read is wrong usage, before anything is asked for."""
    try:
        return read(value, *names)
    except (ValueError, TypeError, OverflowError) as error:
        raise click.UsageError(visible(str(error))) from None


def refuse_unknown(option: str, names: Iterable[str], known: Iterable[str], where: str) -> None:
    """Refuse, as wrong usage, a name that is not there, and give the nearest that is."""
    from picora_analytics.analysis.matching import nearest
    from picora_analytics.text import shorten

    there = sorted(known)
    for name in names:
        if name not in there:
            near = [repr(shorten(one, 60)) for one in nearest(name[:200], there, 3)]
            raise click.UsageError(
                f"{option} {shorten(name, 60)!r} is none of {where}. "
                + (f"Nearest: {', '.join(near)}." if near else "Nothing there is like it.")
            )


def refuse_unheard(names: Iterable[str], why: str) -> None:
    """Refuse, as wrong usage, options that say nothing in the form in which a command was typed."""
    for name in filter(given, names):
        raise click.UsageError(f"--{name.replace('_', '-')} {why}")


def refuse_ahead(name: str, day: str | dt.date) -> None:
    """Refuse, as wrong usage, a day to come, of which nothing can be remembered; any other word is let through."""
    from picora_analytics.times import now

    try:
        found = day if isinstance(day, dt.date) else dt.date.fromisoformat(day)
    except ValueError:
        return
    # Somewhere it is tomorrow already.
    if found > now().date() + dt.timedelta(days=1):
        raise click.UsageError(f"{name} {found} lies ahead; give a day that is past, or latest.")


def refuse_missing(paths: Mapping[str, str | None], what: str = "file") -> None:
    """Refuse, as wrong usage, to read what is not there; a pipe of the shell is no file, and there."""
    for name, path in paths.items():
        if path is not None and not Path(path).exists():
            raise click.UsageError(f"{name}: there is no {what} {path!r}.")


def refuse_same_file(output: str | None, source: str | None) -> None:
    """Refuse, as wrong usage, to write over the file that is read."""
    if (
        output is not None
        and source is not None
        and Path(output).resolve() == Path(source).resolve()
    ):
        raise click.UsageError(
            f"--output {output!r} is the file that is read; give it another name."
        )


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
