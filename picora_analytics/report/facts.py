"""
All facts of a report, as one dict of plain values.

Strangers' text is made visible here and escaped by whoever shows it. Bytes are whole numbers,
shares 0 to 1, instants ISO 8601 in UTC; what is unknown is None.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from picora_analytics.analysis.comparison import came_and_went, comparable
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
    summarize_concentration,
    summarize_largest,
    summarize_library,
    summarize_sizes,
)
from picora_analytics.analysis.tags import summarize_tags
from picora_analytics.analysis.uploads import summarize_ages, summarize_growth
from picora_analytics.library.frame import Facts, facts_of, total_bytes
from picora_analytics.references.found import References
from picora_analytics.report.answers import forecast_facts, reference_facts, tables_of_change
from picora_analytics.text import plural, visible
from picora_analytics.times import parse_instant
from picora_analytics.units import format_bytes, parse_storage

__all__ = ["FORMAT", "VERSION", "Asked", "gather"]

FORMAT, VERSION = "picora-analytics storage report", 1

_TOP = 20
# A plan's number with a decimal unit is usually meant binary: Picora counts its plans so.
_PLANS = {100 * 1000**2: "100 MiB", 5 * 1000**3: "5 GiB", 50 * 1000**3: "50 GiB"}

# Images that could go whole; an oversized one would only be made smaller.
_COULD_GO = ("copies", "likely copies", "old and untagged", "old and not found")
_CHANGES = ("changes_by_tag", "changes_by_format", "changes_by_month")

_NOT_KNOWN = "Not known: which images are viewed or embedded. The list does not say it."
_NO_QUOTA = "Give quota= to see how long the space lasts."
_DEFINITIONS = (
    "KiB, MiB and GiB are binary (1 GiB is 1024 x 1024 x 1024 bytes), as Picora counts its plans.",
    "Ages count from the moment of the load, and are of the upload, not of the picture: after a move "
    "from another host everything is new.",
    "Growth is of the images that are still there; what was deleted since is in no list.",
    "Copies: equal content where the service told its hash, the oldest upload not counted; else only "
    "equal bytes, pixels and type, which is likely and no proof.",
    f"Over {MAX_EDGE} px: there WordPress begins to scale down. What it could save is the share of "
    "pixels beyond it, at most.",
    "An image with three tags counts under each of the three, so the rows of tags add up to more "
    "than the library.",
    "Untagged means known to have no tag. Unknown visibility is treated as private.",
    "Weeks begin on Monday; weeks, months and years are UTC.",
)


class Asked(NamedTuple):
    """What a report was asked for beside the images."""

    quota: int | str | None = None
    previous: pd.DataFrame | None = None
    references: References | None = None
    decisions: Decisions | None = None
    code: Literal["shell", "python"] | None = None


def gather(images: pd.DataFrame, asked: Asked) -> dict[str, Any]:
    """Work out the facts of a report on these images."""
    # Wrong arguments are reported before anything is counted.
    about = facts_of(images)
    quota, previous, references = asked.quota, asked.previous, asked.references
    limit = parse_storage(quota, "quota") if quota is not None else quota_of(about, None)
    images = with_tag_lists(images)
    since = None if previous is None else _since(images, previous)
    totals = _row(summarize_library(images))
    caveats = _caveats(images, about)
    findings = list_findings(images, references=references, decisions=asked.decisions)
    size = totals["size_bytes"]
    given = (
        None
        if limit is None
        else _quota(
            quota if quota is not None else format_bytes(limit),
            limit,
            size,
            whole=not caveats,
            exact=not totals["n_without_size"],
        )
    )
    dated = about is not None and bool(about["loaded_at"])
    tags = summarize_tags(images)
    formats = summarize_formats(images)
    forecast = (
        forecast_facts(images, limit) if limit is not None and not caveats and dated else None
    )
    changes = {} if previous is None else tables_of_change(images, previous)
    return {
        "format": FORMAT,
        "version": VERSION,
        "library": _library(about, whole=not caveats),
        "caveats": caveats,
        "totals": totals,
        "quota": given,
        "quota_hint": _NO_QUOTA if limit is None else None,
        "forecast": forecast,
        "since": since,
        "findings": [
            _finding(found, place, asked.code) for place, found in enumerate(findings, start=1)
        ],
        "without": _without(images, findings, given),
        "not_known": _NOT_KNOWN,
        "growth": {
            "by_year": _growth(images, "year", 4),
            "by_month": _growth(images, "month", 7),
        },
        "concentration": _row(summarize_concentration(images)),
        "sizes": _rows(summarize_sizes(images)),
        "largest": _largest(images),
        "formats": _rows(formats.head(_TOP)),
        "n_formats": len(formats),
        "dimensions": _rows(summarize_dimensions(images)),
        "ages": _rows(summarize_ages(images)) if dated else [],
        "tags": _rows(tags.head(_TOP)),
        "n_tags": len(tags),
        "visibility": _rows(summarize_visibility(images)),
        "savings": _savings(images),
        "duplicates": _rows(summarize_duplicates(images)),
        "tag_hygiene": _rows(summarize_tag_hygiene(images).head(_TOP)),
        "names": _rows(summarize_names(images)),
        **{name: _changed(changes.get(name)) for name in _CHANGES},
        "references": None if references is None else reference_facts(images, references),
        "notes": _notes(totals, about, dated=dated),
        "definitions": list(_DEFINITIONS),
    }


def _plain(value: Any) -> Any:
    """Turn a cell into a JSON value."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return int(value) if isinstance(value, int | np.integer) else float(value)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    columns = [[_plain(value) for value in table[name]] for name in table.columns]
    names = [str(name) for name in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _savings(images: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the estimates; what images of unknown size could save is unknown, not zero."""
    estimates = ("low_bytes", "high_bytes", "alone_bytes")
    return [
        row | dict.fromkeys(estimates) if row["size_bytes"] is None else row
        for row in _rows(summarize_savings(images))
    ]


def _row(table: pd.DataFrame) -> dict[str, Any]:
    return _rows(table)[0]


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


def _caveats(images: pd.DataFrame, about: Facts | None) -> list[str]:
    """Say why these images are not the whole library; nothing if they are."""
    if about is None:
        return [
            "These images do not say where they come from or when they were read: no share of the "
            "quota and no ages. Pass the frame as load_images made it."
        ]
    found = []
    n, whole = len(images), about["n_images"]
    if n != whole:
        found.append(
            f"These are {n:,} of the {whole:,} images that were loaded: a part, not the library."
        )
    if about["scope"] != "library":
        found.append(
            f"Only the images of {visible(about['scope'])} were loaded: a part, not the library."
        )
    if about["status"] != "complete":
        found.append("The load ended early: images are missing here.")
    return found


def _quota(
    quota: object, limit: int, size: int | None, *, whole: bool, exact: bool
) -> dict[str, Any]:
    note = None
    if limit in _PLANS:
        meant = _PLANS[limit]
        note = f"The quota was given as {visible(quota)}, that is {limit:,} bytes: did you mean {meant}?"
    share = size / limit if whole and size is not None and limit else None
    return {
        "size_bytes": limit,
        "used_share": share,
        "free_bytes": None if share is None or size is None else max(limit - size, 0),
        "over_bytes": None if share is None or size is None else max(size - limit, 0),
        "at_least": not exact,
        "note": note,
    }


def _since(images: pd.DataFrame, previous: pd.DataFrame) -> dict[str, Any]:
    before, now = comparable(previous, images, ("previous", "images"))
    then = parse_instant(before["loaded_at"])
    if then > parse_instant(now["loaded_at"]):
        raise ValueError(
            f"previous was loaded at {before['loaded_at']}, after images at {now['loaded_at']}; "
            "give them the other way round."
        )
    came, went = came_and_went(previous, images)
    added, removed = int(came.sum()), int(went.sum())
    net = total_bytes(images["size_bytes"]) - total_bytes(previous["size_bytes"])
    sign = "+" if net >= 0 else ""
    return {
        "loaded_at": f"{then:%Y-%m-%dT%H:%M:%SZ}",
        "n_added": added,
        "n_removed": removed,
        "net_bytes": net,
        "text": f"+{plural(added, 'image')}, -{removed:,}, {sign}{format_bytes(net)}",
    }


def _changed(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Give the largest changes; a month as text."""
    if table is None:
        return []
    largest = table["net_bytes"].astype("float64").abs().sort_values(ascending=False, kind="stable")
    rows = _rows(table.loc[largest.index[:_TOP].sort_values()])
    return [
        row | {"month": (row["month"] or "unknown")[:7]} if "month" in row else row for row in rows
    ]


def _finding(found: Finding, place: int, code: str | None) -> dict[str, Any]:
    return {
        "number": place,
        "kind": found.kind,
        "group": found.group,
        "text": found.text,
        "n_images": found.n_images,
        "size_bytes": found.size_bytes,
        "could_save_bytes": found.could_save_bytes,
        "sure": found.sure,
        "code": {"python": found.code, "shell": found.shell}.get(code or ""),
    }


def _without(
    images: pd.DataFrame, findings: list[Finding], quota: dict[str, Any] | None
) -> dict[str, Any] | None:
    """Say how full it would be without what could go whole: copies and old untagged images."""
    numbers = [
        place
        for place, found in enumerate(findings, start=1)
        if found.kind in _COULD_GO and found.size_bytes
    ]
    if not numbers or quota is None or quota["used_share"] is None:
        return None
    gone = np.logical_or.reduce([findings[number - 1].rows for number in numbers])
    freed = total_bytes(images["size_bytes"][gone])
    left = total_bytes(images["size_bytes"]) - freed
    names = [str(number) for number in numbers]
    joined = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return {"numbers": joined, "freed_bytes": freed, "used_share": left / quota["size_bytes"]}


def _growth(images: pd.DataFrame, freq: Any, digits: int) -> list[dict[str, Any]]:
    rows = _rows(summarize_growth(images, freq=freq))
    return [row | {"period": row["period"][:digits]} for row in rows]


def _largest(images: pd.DataFrame) -> list[dict[str, Any]]:
    rows = _rows(summarize_largest(images, top=_TOP))
    return [row | {"uploaded_at": row.pop("created_at")} for row in rows]


def _notes(totals: dict[str, Any], about: Facts | None, *, dated: bool) -> list[str]:
    """Say what is unknown for how many images, and what that means for the numbers."""
    n_images = totals["n_images"]

    def of(name: str) -> str:
        n = totals[name]
        return "" if not n else f"{n:,} of {n_images:,} images" if n != n_images else "All images"

    found = [
        f"{who} {what}"
        for who, what in (
            (of("n_without_size"), "have no known size and are left out of every sum of bytes."),
            (of("n_without_dimensions"), "have no known width and height, as SVGs have none."),
            (
                of("n_tags_unknown"),
                "have tags that the service did not say; none counts as untagged.",
            ),
            (of("n_visibility_unknown"), "have an unknown visibility."),
            (of("n_without_upload_date"), "have no upload date and are left out of growth."),
        )
        if who
    ]
    if about is not None:
        unreadable = about["checks"].get("unreadable") or {}
        if isinstance(unreadable, dict):
            for field, n in sorted(unreadable.items()):
                found.append(
                    f"{visible(field)} could not be read of {n:,} rows and is missing there."
                )
        if about["checks"].get("repeated"):
            found.append(f"{about['checks']['repeated']:,} rows came twice and count once.")
    if not dated:
        found.append("The moment of the load is not known, so nothing is said about ages.")
    return found
