"""What changed since an earlier load: how many came and went, the largest that came, and what grew by what."""

from __future__ import annotations

from typing import Any

import pandas as pd

from picora_analytics.analysis import rules
from picora_analytics.analysis.changes import summarize_changes
from picora_analytics.analysis.comparison import came_and_went, comparable
from picora_analytics.library.frame import total_bytes
from picora_analytics.report.values import a_few, rows_of
from picora_analytics.text import plural
from picora_analytics.times import parse_instant
from picora_analytics.units import format_bytes

__all__ = ["CHANGES", "changed_rows", "since_facts", "tables_of_change"]

CHANGES = ("changes_by_tag", "changes_by_format", "changes_by_month")
_TOP, _PICTURES = 20, 8


def since_facts(images: pd.DataFrame, previous: pd.DataFrame) -> dict[str, Any]:
    """Compare with an earlier load."""
    before, now = comparable(previous, images, ("previous", "images"))
    then, moment = parse_instant(before["loaded_at"]), parse_instant(now["loaded_at"])
    if then > moment:
        raise ValueError(
            f"previous was loaded at {before['loaded_at']}, after images at {now['loaded_at']}; "
            "give them the other way round."
        )
    came, went = came_and_went(previous, images)
    added, removed = int(came.sum()), int(went.sum())
    sizes = [total_bytes(frame["size_bytes"]) for frame in (previous, images)]
    net = sizes[1] - sizes[0]
    sign = "+" if net >= 0 else ""
    return {
        "loaded_at": f"{then:%Y-%m-%dT%H:%M:%SZ}",
        "n_days": round((moment - then).total_seconds() / 86400),
        "n_added": added,
        "n_removed": removed,
        "net_bytes": net,
        "size_bytes_before": sizes[0],
        "untagged_net_bytes": _untagged(images) - _untagged(previous),
        "newest": a_few(images, came, _PICTURES),
        "text": f"+{plural(added, 'image')}, -{removed:,}, {sign}{format_bytes(net)}",
    }


def _untagged(images: pd.DataFrame) -> int:
    """Add up what has no tag, for certain."""
    bare = rules.untagged(images).fillna(False).to_numpy(dtype=bool)
    return total_bytes(images["size_bytes"][bare])


def tables_of_change(images: pd.DataFrame, previous: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Say what grew since an earlier load, by tag, format and month of upload."""
    return {
        f"changes_by_{by}": summarize_changes(previous, images, by=by)
        for by in ("tag", "format", "month")
    }


def changed_rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Give the largest changes; a month as text."""
    if table is None:
        return []
    largest = table["net_bytes"].astype("float64").abs().sort_values(ascending=False, kind="stable")
    rows = rows_of(table.loc[largest.index[:_TOP].sort_values()])
    return [
        row | {"month": (row["month"] or "unknown")[:7]} if "month" in row else row for row in rows
    ]
