"""Facts and tables for a terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import echo, say, shown
from picora_analytics.text import plural

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.cleanup import DeletionPlan, DeletionReceipt

__all__ = ["head", "meter", "show_dry_run", "show_findings", "show_tables"]

WIDE = 110  # Columns from which three tables stand side by side.


def head(word: str, text: str = "") -> None:
    """Print a word in bold and what it is about."""
    line = f"{' ' * max(11 - len(word), 3)}{shown(text)}".rstrip(" ")
    echo(f"{click.style(word, bold=True)}{line}")


def meter(size: int, quota: int, columns: int = 30) -> str:
    """Draw how full the storage is."""
    from picora_analytics.units import format_bytes, format_share

    full = min(round(columns * size / quota), columns)
    block, blank = ("█", "░") if "utf" in (sys.stdout.encoding or "").lower() else ("#", ".")
    return f"{block * full}{blank * (columns - full)}  {format_share(size, quota)} of {format_bytes(quota)}"


def show_findings(found: pd.DataFrame) -> None:
    """Print the findings, one a line."""
    from picora_analytics.report.markdown import finding_line

    head("WHAT STANDS OUT")
    for row in found.reset_index().to_dict("records"):
        say(f" {finding_line(row, 48)}")


def show_guidance(facts: dict[str, Any]) -> None:
    """Print what could go, least missed first, and three things that stand out besides, one a line."""
    from picora_analytics.report.layout import other_findings
    from picora_analytics.report.markdown import text_line

    if facts["piles"]:
        head("WHAT COULD GO", "least missed first")
    for number, pile in enumerate(facts["piles"], start=1):
        say(f" {text_line(str(number), pile['title'], pile, 48)}")
    others = [facts["findings"][i] for i in other_findings(facts)[:3]]
    if others:
        head("WHAT STANDS OUT")
    for row in others:
        say(f" {text_line('·', row['text'], row, 48)}")


def show_dry_run(made: DeletionPlan, receipt: DeletionReceipt) -> None:
    """Print what a plan would do, in a few lines."""
    from picora_analytics.cleanup.plan.preview import preview_facts
    from picora_analytics.units import format_bytes, format_share

    head("DRY RUN", f'"{made.reason}"         nothing is deleted')
    facts = preview_facts(made)
    spared = ", ".join(f"{n} {text}" for n, text in facts["spared"])
    n = receipt.counts.get("would delete", 0)
    share = format_share(receipt.size_bytes, made.library["size_bytes"])
    say(f" {plural(n, 'image')}   {format_bytes(receipt.size_bytes)}   {share} of storage")
    if facts["n_spared"]:
        say(f" Spared      {facts['n_spared']} of {facts['n_spared'] + facts['n']}: {spared}")
    for row in facts["look_twice"][:3]:
        say(f" Look twice  {row['filename']} ({row['note']})")


def show_tables(images: pd.DataFrame) -> None:
    """Show what is where, side by side where the terminal is wide enough."""
    from picora_analytics import summarize_ages, summarize_formats, summarize_tags
    from picora_analytics.library.frame import total_bytes

    tags = summarize_tags(images)
    untagged = images[images["tags"].map(lambda row: row == ())]
    by_tag = [*tags.head(3).itertuples(index=False, name=None)]
    if len(untagged):
        by_tag.append(("(no tag)", len(untagged), total_bytes(untagged["size_bytes"])))
    tables = [
        _table("BY TAG", [row[:3] for row in by_tag]),
        _table("BY TYPE", _rows(summarize_formats(images), "mime_type")),
        _table("BY AGE", _rows(summarize_ages(images), "age")),
    ]
    columns = shutil.get_terminal_size((80, 24)).columns
    if columns >= WIDE:
        height = max(map(len, tables))
        filled = [table + [" " * len(table[0])] * (height - len(table)) for table in tables]
        lines = ["   ".join(parts) for parts in zip(*filled, strict=True)]
    else:
        lines = [line for table in tables for line in (*table, "")][:-1]
    for line in lines:
        say(f" {line}".rstrip())
    more = len(tags) - 3
    if more > 0:
        say(f" Images with several tags count under each; {plural(more, 'more tag')}.")


def _rows(summary: pd.DataFrame, key: str) -> list[tuple[Any, ...]]:
    rows = summary[summary["n_images"] > 0][[key, "n_images", "size_bytes"]]
    return [*rows.head(6).itertuples(index=False, name=None)]


def _table(head: str, rows: Sequence[tuple[Any, ...]]) -> list[str]:
    from pandas import isna

    from picora_analytics.text import pad, shorten
    from picora_analytics.units import format_bytes

    lines = [f"{head:<16}{'images':>7} {'storage':>10}"]
    for name, n, size in rows:
        label = pad(shorten(str(name).removeprefix("image/"), 15), 16)
        stored = "unknown" if isna(size) else format_bytes(int(size))
        lines.append(f"{label}{n:>7,} {stored:>10}")
    return lines
