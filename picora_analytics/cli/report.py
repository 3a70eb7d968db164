"""The command report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from picora_analytics.cli.common import (
    THRESHOLD,
    FilePath,
    OutputPath,
    load_library,
    say,
    with_client,
)

if TYPE_CHECKING:
    from picora_analytics.client import Client
    from picora_analytics.report import StorageReport

__all__ = ["report"]


@click.command()
@click.option(
    "-o",
    "--output",
    "outputs",
    type=OutputPath(),
    multiple=True,
    default=["picora-report.html"],
    show_default=True,
    help="A .html, .md or .json file; repeatable; - is standard output, as Markdown.",
)
@click.option(
    "--quota",
    metavar="SIZE",
    help="The plan's storage, for example '5 GiB'; default: what the service says.",
)
@click.option(
    "--fail-over", metavar="PERCENT", help="Exit with 3 above this share of the quota, such as 90%."
)
@click.option(
    "--store", type=FilePath(file_okay=False), help="Remember the library in this folder."
)
@with_client
def report(
    client: Client,
    outputs: Sequence[str],
    quota: str | None,
    fail_over: str | None,
    store: str | None,
) -> None:
    """Write the storage report, for people, CI and cron."""
    limit = _percent(fail_over)
    unknown = [
        path for path in outputs if path != "-" and Path(path).suffix.lower() not in _REPORTS
    ]
    if unknown:
        raise click.UsageError(f"--output {unknown[0]!r} ends in none of {', '.join(_REPORTS)}.")
    from picora_analytics import StorageReport
    from picora_analytics.library.frame import total_bytes
    from picora_analytics.units import parse_storage

    usage = None if quota else client.usage()
    known = parse_storage(quota, "quota") if quota else usage.quota_bytes if usage else None
    if limit is not None and known is None:
        raise click.UsageError("--fail-over needs --quota: this server does not tell it.")
    images = load_library(client, store=store)
    made = StorageReport(images, quota=quota or known)
    for path in outputs:
        if path == "-":
            say(made.to_markdown())
        else:
            _write_report(made, Path(path))
            say(f"Written    {path}", err=True)
    if limit is not None and known and total_bytes(images["size_bytes"]) > limit * known:
        sys.exit(THRESHOLD)


_REPORTS = (".html", ".md", ".json")


def _write_report(made: StorageReport, path: Path) -> None:
    if path.suffix.lower() == ".html":
        made.write_html(path)
        return
    from picora_analytics.files import write_atomic

    text = made.to_markdown() if path.suffix.lower() == ".md" else made.to_json()
    write_atomic(path, lambda file: file.write_text(text, encoding="utf-8"))


def _percent(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 < share <= 10:
        raise click.UsageError(f"--fail-over {text!r} is not a share such as 90%.")
    return share
