"""What machines read: with --json each command prints one document on standard output, and nothing else."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import echo, keyless

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["json_option", "print_facts", "print_json", "rows_of"]

VERSION = 1

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the facts as JSON, and nothing else."
)


def print_facts(command: str, facts: Mapping[str, Any]) -> None:
    """Print what a command found or did, under its name; the schemas call it the same."""
    print_json({"format": f"picora-analytics {command}", "version": VERSION, **facts})


def print_json(document: Mapping[str, Any]) -> None:
    """Print a document: every value exact, and nothing in it that acts on a terminal."""
    # Escapes of JSON for all that is not ASCII: no code page bends it. DEL is ASCII, and no letter.
    text = json.dumps(document, indent=1, allow_nan=False)
    echo(keyless(text).replace("\x7f", "\\u007f"))


def rows_of(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the rows of a table as plain values; what is missing is None."""
    records = table.to_dict("records")
    return [{str(name): _plain(value) for name, value in row.items()} for row in records]


def _plain(value: Any) -> Any:
    from pandas import isna

    from picora_analytics.times import format_instant

    if isinstance(value, tuple | list):
        return list(value)
    if isna(value):
        return None
    return format_instant(value) if isinstance(value, dt.datetime) else value
