"""The command report."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import (
    PARTIAL,
    THRESHOLD,
    end,
    load_library,
    parsed,
    quiet_option,
    refresh_option,
    refuse_ahead,
    say,
    with_client,
)
from picora_analytics.cli.completing import days
from picora_analytics.cli.documents import json_option, print_json
from picora_analytics.cli.values import DATE, FilePath, OutputPath

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.client import Client
    from picora_analytics.client.client import Usage
    from picora_analytics.library import SnapshotStore
    from picora_analytics.report import StorageReport

__all__ = ["report"]

_REPORTS = (".html", ".md", ".json")


@click.command()
@click.option(
    "-o",
    "--output",
    "outputs",
    type=OutputPath(dash=True),
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
    "--since",
    metavar="WHEN",
    shell_complete=days,
    help="Say what changed since then: 7d, a date, or latest for what was remembered last.",
)
@click.option(
    "--references",
    type=FilePath(dir_okay=False, exists=True),
    help="What `scan --json` saved: what is in no page may go sooner.",
)
@click.option(
    "--decisions",
    type=FilePath(dir_okay=False, exists=True),
    help="CSV of earlier decisions: what was kept is not proposed.",
)
@refresh_option
@click.option(
    "--store", type=FilePath(file_okay=False), help="Remember the library in this folder."
)
@click.option(
    "--metrics",
    type=OutputPath(dash=True),
    help="Also write the numbers as OpenMetrics, for Prometheus; replaced whole.",
)
@click.option(
    "--no-pictures", is_flag=True, help="Fetch no picture for the page; else a few public ones."
)
@json_option
@quiet_option
@with_client
def report(
    client: Client,
    outputs: Sequence[str],
    quota: str | None,
    fail_over: str | None,
    since: str | None,
    references: str | None,
    decisions: str | None,
    refresh: Any,
    store: str | None,
    metrics: str | None,
    no_pictures: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Write the storage report, for people, CI and cron."""
    from picora_analytics.units import parse_storage

    limit = _percent(fail_over)
    size = None if quota is None else parsed(parse_storage, quota, "--quota")
    if size == 0:
        raise click.UsageError("--quota 0 is no quota.")
    when = _since(since)
    _check(outputs)
    if (metrics == "-") + as_json + ("-" in outputs) > 1:
        raise click.UsageError("Only one of --json, --output - and --metrics - can be printed.")
    from picora_analytics import SnapshotStore, StorageReport, read_decisions, read_references

    if decisions is not None:
        read_decisions(decisions)  # What is wrong with it is said before anything is asked for.
    looked = None if references is None else read_references(references)
    usage = None if quota else client.usage()
    known = size if size is not None else usage.quota_bytes if usage else None
    if limit is not None and not known:
        raise click.UsageError(
            "--fail-over needs --quota: this server does not tell how large it is."
        )
    previous = _previous(client, store, when)
    images = load_library(client, store=store, refresh=refresh, recent=True, quiet=quiet or as_json)
    kept = SnapshotStore.of(client, store or "default")
    shown = None if no_pictures else client  # Asked for nothing until a page is written.
    made = StorageReport(
        images,
        quota=quota or known,
        previous=previous,
        snapshots=_totals(kept),
        references=looked,
        decisions=decisions,
        client=shown,
    )
    written = [path for path in outputs if path != "-"]
    for path in written:  # Saved before printed: whoever reads only the first lines loses nothing.
        _write_report(made, Path(path))
    if metrics == "-":
        say(made.to_metrics().rstrip("\n"))
    elif metrics is not None:
        _write_text(made.to_metrics(), Path(metrics))
        written.append(metrics)
    if as_json:
        print_json(json.loads(made.to_json()))
    elif "-" in outputs:
        say(made.to_markdown())
    elif not quiet:
        _show(made, _used(images, usage)[0], known)
    for path in written:
        if not quiet and not as_json:
            say(f"Written    {path}", err=True)
    end(_crossed(*_used(images, usage), limit, known))


def _show(made: StorageReport, size: int, quota: int | None) -> None:
    """Print the meter, what changed, what could go, and what stands out."""
    from picora_analytics.cli.tables import head, meter, show_guidance
    from picora_analytics.units import format_bytes

    head("STORAGE", meter(size, quota) if quota else format_bytes(size))
    if made.facts["since"]:
        head("SINCE", f"{made.facts['since']['loaded_at'][:10]}   {made.facts['since']['text']}")
    show_guidance(made.facts)


def _used(images: pd.DataFrame, usage: Usage | None) -> tuple[int, int]:
    """Give the bytes in use, as listed or as the service counts them, and how many images may be left out of that."""
    from picora_analytics.library.frame import facts_of, total_bytes

    facts = facts_of(images)
    counted = [
        facts["usage"]["size_bytes"] if facts and "usage" in facts else None,
        usage.size_bytes if usage else None,
    ]
    told = [size for size in counted if size is not None]
    n_unknown = 0 if told else int(images["size_bytes"].isna().sum())
    return max([total_bytes(images["size_bytes"]), *told]), n_unknown


def _crossed(size: int, n_unknown: int, limit: float | None, quota: int | None) -> int:
    """Give the exit code, and name what was crossed, with its value."""
    from picora_analytics.text import plural
    from picora_analytics.units import format_bytes, format_share

    if limit is None or not quota or (size <= limit * quota and not n_unknown):
        return 0
    crossed = size > limit * quota
    option = f"picora-analytics: --fail-over {limit:.4%}".rstrip("0%").rstrip(".")
    share = f"{format_share(size, quota)} in use, {format_bytes(size)} of {format_bytes(quota)}"
    say(
        f"{option}% was crossed: {share}. See what could go: picora-analytics plan --pile duplicates"
        if crossed
        else f"{option}% may have been crossed: {share}, without {plural(n_unknown, 'image')} of unknown size, and "
        "this server does not say what is used.",
        err=True,
    )
    return THRESHOLD if crossed else PARTIAL


def _check(outputs: Sequence[str]) -> None:
    unknown = [
        path for path in outputs if path != "-" and Path(path).suffix.lower() not in _REPORTS
    ]
    if unknown:
        raise click.UsageError(f"--output {unknown[0]!r} ends in none of {', '.join(_REPORTS)}.")


def _since(text: str | None) -> Any:
    """Read --since: the word latest, a day, or a duration before now."""
    if text is None or text == "latest":
        return text
    from picora_analytics.times import now
    from picora_analytics.units import parse_duration

    if re.fullmatch(r"\d+(\.\d+)?[dhms]", text.strip()):
        return now() - parsed(parse_duration, text.strip(), "--since")
    try:
        day = DATE.convert(text, None, None)
    except click.BadParameter:
        raise click.UsageError(
            f"--since {text!r} is none of 7d, a date such as 2026-01-31, and latest."
        ) from None
    refuse_ahead("--since", day)
    return day


def _previous(client: Client, store: str | None, when: Any) -> pd.DataFrame | None:
    """Give what was remembered at that time; a first report has nothing to compare with, and says so."""
    if when is None:
        return None
    from picora_analytics import SnapshotStore

    kept = SnapshotStore.of(client, store or "default")
    version = _version_at(kept, when)
    if version is None:
        say(
            f"Nothing is remembered {'yet' if when == 'latest' else f'from before {when:%Y-%m-%d}'}: no growth this "
            "time. --store DIR keeps it between runs.",
            err=True,
        )
        return None
    return kept.load(version)


def _totals(kept: SnapshotStore) -> pd.DataFrame | None:
    """Give how large the library was in each version; a damaged one spoils the forecast's past, not the report."""
    from picora_analytics import SnapshotError

    try:
        return kept.totals()
    except SnapshotError as error:
        say(f"{error} The forecast goes by the uploads alone.", err=True)
        return None


def _version_at(kept: SnapshotStore, when: Any) -> str | None:
    """Give the last version that was read by then, a job's few minutes of delay allowed for; else the first one."""
    versions = kept.versions()
    if when == "latest" or not versions:
        return versions[-1] if versions else None
    import datetime as dt

    by = f"{when:%Y%m%d}T999999"
    if isinstance(when, dt.datetime):
        by = (when + dt.timedelta(hours=2)).strftime("%Y%m%dT%H%M%S")
    before = [version for version in versions if version[:15] <= by]
    return before[-1] if before else None


def _write_report(made: StorageReport, path: Path) -> None:
    if path.suffix.lower() == ".html":
        made.write_html(path)
        return
    _write_text(made.to_markdown() if path.suffix.lower() == ".md" else made.to_json(), path)


def _write_text(text: str, path: Path) -> None:
    from picora_analytics.files import write_atomic

    write_atomic(path, lambda file: file.write_text(text, encoding="utf-8"))


def _percent(text: str | None) -> float | None:
    """Read a percentage; 0.9 could mean 90 % or less than one, and 900% is never reached."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(%?)\s*", text, re.ASCII)
    number = float(match[1]) if match else 0.0
    if match is None or not 1 <= number <= 100 or (not match[2] and "." in match[1]):
        raise click.UsageError(
            f"--fail-over {text!r} is no share of the quota: give 1% to 100%, such as 90%."
        )
    return number / 100
