"""
All facts of a report, as one dict of plain values.

Strangers' text is made visible here and escaped by whoever shows it. Bytes are whole numbers,
shares 0 to 1, instants ISO 8601 in UTC; what is unknown is None.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import pandas as pd

from picora_analytics.analysis.decided import Decisions
from picora_analytics.analysis.dimensions import MAX_EDGE, summarize_dimensions
from picora_analytics.analysis.everyday import with_tag_lists
from picora_analytics.analysis.findings import Finding, list_findings
from picora_analytics.analysis.forecast import quota_of
from picora_analytics.analysis.formats import summarize_formats, summarize_visibility
from picora_analytics.analysis.hygiene import summarize_tag_hygiene
from picora_analytics.analysis.names import summarize_names
from picora_analytics.analysis.repeats import summarize_duplicates
from picora_analytics.analysis.savings import summarize_savings
from picora_analytics.analysis.sizes import (
    LARGEST,
    summarize_concentration,
    summarize_largest,
    summarize_library,
    summarize_sizes,
)
from picora_analytics.analysis.tags import summarize_tags
from picora_analytics.analysis.uploads import summarize_ages, summarize_growth
from picora_analytics.library.frame import Facts, facts_of
from picora_analytics.references.found import References
from picora_analytics.report.answers import forecast_facts, reference_facts
from picora_analytics.report.guidance import bar_facts, pile_facts, without_facts
from picora_analytics.report.notes import DEFINITIONS, NOT_KNOWN, caveats, data_notes
from picora_analytics.report.since import CHANGES, changed_rows, since_facts, tables_of_change
from picora_analytics.report.values import known_bytes, row_of, rows_of
from picora_analytics.text import plural, visible
from picora_analytics.times import parse_instant
from picora_analytics.units import format_bytes, parse_storage

__all__ = ["FORMAT", "READS", "VERSION", "Asked", "gather"]

FORMAT, VERSION = "picora-analytics storage report", 1

# What the questions of a report read, as a whole.
READS = tuple(dict.fromkeys([*LARGEST, "is_public", "tags", "content_hash"]))

_TOP = 20
# A plan's number with a decimal unit is usually meant binary: Picora counts its plans so.
_PLANS = {100 * 1000**2: "100 MiB", 5 * 1000**3: "5 GiB", 50 * 1000**3: "50 GiB"}

_NO_QUOTA = {
    "shell": "Give --quota to see how long the space lasts.",
    "python": "Give quota= to see how long the space lasts.",
}
# Classes of summarize_ages from which on an upload is old.
_OLD = ("2 - 5 years", "over 5 years")
# Of fewer months none stands out.
_SOME_MONTHS = 6


class Asked(NamedTuple):
    """What a report was asked for beside the images."""

    quota: int | str | None = None
    previous: pd.DataFrame | None = None
    snapshots: pd.DataFrame | None = None
    references: References | None = None
    decisions: Decisions | None = None
    code: Literal["shell", "python"] | None = None


def gather(images: pd.DataFrame, asked: Asked) -> dict[str, Any]:
    """Work out the facts of a report on these images."""
    # Wrong arguments are reported before anything is counted.
    about = facts_of(images)
    quota, previous, references = asked.quota, asked.previous, asked.references
    limit = parse_storage(quota, "quota") if quota is not None else quota_of(about, None)
    given = images  # With tags as everybody knows them.
    images = with_tag_lists(images)
    since = None if previous is None else since_facts(images, previous)
    totals = row_of(summarize_library(images))
    notes = caveats(images, about)
    quotas = None if limit is None else _quota(quota, limit, totals, whole=not notes)
    if since is not None:
        share = quotas is not None and quotas["used_share"] is not None
        since["before_share"] = since["size_bytes_before"] / limit if limit and share else None
    dated = about is not None and bool(about["loaded_at"])
    forecast = None
    if limit is not None and not notes and dated:
        forecast = forecast_facts(images, limit, asked.snapshots)
    piles = pile_facts(given, references, asked.decisions, asked.code)
    findings = list_findings(images, references=references, decisions=asked.decisions)
    return {
        "format": FORMAT,
        "version": VERSION,
        "library": _library(about, whole=not notes),
        "caveats": notes,
        "totals": totals,
        "quota": quotas,
        "quota_hint": _NO_QUOTA[asked.code or "python"] if limit is None else None,
        "forecast": forecast,
        "since": since,
        "piles": piles,
        "bar": bar_facts(quotas, totals, piles),
        "without": without_facts(quotas, totals, piles),
        "findings": [
            _finding(found, place, asked.code) for place, found in enumerate(findings, start=1)
        ],
        "not_known": NOT_KNOWN,
        **_tables(images, dated=dated),
        **_changes(images, previous),
        "references": None if references is None else reference_facts(images, references),
        "notes": data_notes(totals, about, dated=dated),
        "definitions": list(DEFINITIONS),
    }


def _tables(images: pd.DataFrame, *, dated: bool) -> dict[str, Any]:
    """Give every summary, of the long ones the first rows."""
    tags, formats = summarize_tags(images), summarize_formats(images)
    dimensions, savings = rows_of(summarize_dimensions(images)), _savings(images)
    ages = rows_of(summarize_ages(images)) if dated else []
    months = _growth(images, "month", 7)
    old = [row for row in ages if row["age"] in _OLD]
    oversized = next((row for row in savings if row["flag"] == "oversized"), None)
    return {
        "growth": {
            "by_year": _growth(images, "year", 4),
            "by_month": months,
            "fullest_month": _fullest(months),
        },
        "concentration": row_of(summarize_concentration(images)),
        "sizes": rows_of(summarize_sizes(images)),
        "largest": _largest(images),
        "formats": rows_of(formats.head(_TOP)),
        "n_formats": len(formats),
        "dimensions": dimensions,
        "oversized": {
            "n_images": sum(row["n_oversized"] for row in dimensions),
            "max_edge": MAX_EDGE,
            "could_save_bytes": oversized and oversized["high_bytes"],
        },
        "ages": ages,
        "old": {
            "n_images": sum(row["n_images"] for row in old),
            "size_bytes": known_bytes(old),
            "size_share": sum(row["size_share"] or 0 for row in old),
        },
        "tags": rows_of(tags.head(_TOP)),
        "n_tags": len(tags),
        "visibility": rows_of(summarize_visibility(images)),
        "savings": savings,
        "savings_in_all": {
            name: known_bytes(savings, name) for name in ("low_bytes", "high_bytes")
        },
        "duplicates": rows_of(summarize_duplicates(images)),
        "tag_hygiene": rows_of(summarize_tag_hygiene(images).head(_TOP)),
        "names": rows_of(summarize_names(images)),
    }


def _changes(images: pd.DataFrame, previous: pd.DataFrame | None) -> dict[str, Any]:
    tables = {} if previous is None else tables_of_change(images, previous)
    return {name: changed_rows(tables.get(name)) for name in CHANGES}


def _savings(images: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the estimates; what images of unknown size could save is unknown, not zero."""
    estimates = ("low_bytes", "high_bytes", "alone_bytes")
    return [
        row | dict.fromkeys(estimates) if row["size_bytes"] is None else row
        for row in rows_of(summarize_savings(images))
    ]


def _library(about: Facts | None, *, whole: bool) -> dict[str, Any]:
    if about is None:
        return dict.fromkeys(("demo", "account", "host", "scope", "status", "loaded_at")) | {
            "whole": False
        }
    loaded_at = parse_instant(about["loaded_at"]) if about["loaded_at"] else None
    return {
        "demo": bool(about["demo"]),
        "account": visible(about["account"])[:8],
        "host": visible(urlsplit(about["base_url"]).netloc.rpartition("@")[2]),
        "scope": visible(about["scope"]),
        "status": visible(about["status"]),
        "loaded_at": None if loaded_at is None else f"{loaded_at:%Y-%m-%dT%H:%M:%SZ}",
        "whole": whole,
    }


def _quota(
    quota: int | str | None, limit: int, totals: dict[str, Any], *, whole: bool
) -> dict[str, Any]:
    note, size = None, totals["size_bytes"]
    if limit in _PLANS:
        given = format_bytes(limit) if quota is None else visible(quota)
        note = f"The quota was given as {given}, that is {plural(limit, 'byte')}: did you mean {_PLANS[limit]}?"
    share = size / limit if whole and size is not None and limit else None
    return {
        "size_bytes": limit,
        "used_share": share,
        "free_bytes": None if share is None else max(limit - size, 0),
        "over_bytes": None if share is None else max(size - limit, 0),
        "at_least": totals["n_without_size"] > 0,
        "note": note,
    }


def _finding(found: Finding, place: int, code: str | None) -> dict[str, Any]:
    return {
        "number": place,
        "kind": found.kind,
        "group": found.group,
        "text": found.text,
        "n_images": found.n_images,
        "size_bytes": found.size_bytes,
        "could_save_low_bytes": found.could_save_low_bytes,
        "could_save_bytes": found.could_save_bytes,
        "sure": found.sure,
        "code": {"python": found.code, "shell": found.shell}.get(code or ""),
    }


def _growth(images: pd.DataFrame, freq: Any, digits: int) -> list[dict[str, Any]]:
    rows = rows_of(summarize_growth(images, freq=freq))
    return [row | {"period": row["period"][:digits]} for row in rows]


def _largest(images: pd.DataFrame) -> list[dict[str, Any]]:
    rows = rows_of(summarize_largest(images, top=_TOP))
    return [row | {"uploaded_at": row.pop("created_at")} for row in rows]


def _fullest(months: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Give the month that stands out by its uploads, if one does: five times the middle one, and a twelfth of all."""
    if len(months) < _SOME_MONTHS:
        return None
    counts = sorted(row["n_images"] for row in months)
    most = max(months, key=lambda row: row["n_images"])
    n = most["n_images"]
    if n < 5 * counts[len(counts) // 2] or 12 * n < sum(counts):
        return None
    return {name: most[name] for name in ("period", "n_images", "size_bytes", "total_size_bytes")}
