"""What a report says beyond counting: how long the space lasts, and what was looked for; and every table in full."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd

from picora_analytics.analysis.dimensions import summarize_dimensions
from picora_analytics.analysis.forecast import SNAPSHOTS, forecast_storage
from picora_analytics.analysis.formats import summarize_formats, summarize_visibility
from picora_analytics.analysis.heavy import summarize_heavy
from picora_analytics.analysis.hygiene import summarize_tag_hygiene
from picora_analytics.analysis.looked import words_of
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
from picora_analytics.library.frame import facts_of
from picora_analytics.references.found import FOUND, FOUND_BEFORE, NOT_FOUND, References
from picora_analytics.report.since import tables_of_change
from picora_analytics.report.values import rows_of

__all__ = ["forecast_facts", "full_tables", "ground", "headline", "reference_facts"]

# Days between early and late, up to which the days are said and not the months.
_NEAR = 62
_TWO_YEARS = 104


def forecast_facts(
    images: pd.DataFrame, limit: int | None, snapshots: pd.DataFrame | None = None
) -> dict[str, Any]:
    """Say when the quota is reached, as far as the past tells, and how the storage goes on until then."""
    # With its unit: a bare small number is taken for a slip.
    weeks = forecast_storage(
        images, quota=None if limit is None else f"{limit} B", snapshots=snapshots
    )
    told = weeks.attrs["forecast"]
    return {
        "full_early_at": told["early"],
        "full_likely_at": told["likely"],
        "full_late_at": told["late"],
        # What benchmarks/forecasts.py measures of these ranges.
        "range_holds": "8 in 10" if told["reason"] is None else None,
        "until_at": told["until"],
        "weekly_bytes": told["weekly_bytes"],
        "basis": told["basis"],
        "no_range_because": told["reason"],
        "weeks": rows_of(_worth_drawing(weeks, limit)),
    }


def _worth_drawing(weeks: pd.DataFrame, limit: int | None) -> pd.DataFrame:
    """Give the weeks until even the low bytes are over the quota and a little on; of the rest two years."""
    n = _TWO_YEARS
    if limit is not None and len(weeks):
        over = weeks["low_bytes"].fillna(weeks["likely_bytes"]) >= limit
        if over.any():
            n = max(int(over.to_numpy(dtype=bool).argmax()) + 8, 13)
    return weeks.head(n + 1)


def headline(forecast: dict[str, Any], *, over: bool) -> str:
    """Say when the storage is full: a sentence with paths."""
    if over:
        return "The quota is used up"
    if forecast["until_at"] is None:
        return "How long the space lasts is not known: no upload dates"
    early, likely, late = (forecast[f"full_{name}_at"] for name in ("early", "likely", "late"))
    if forecast["no_range_because"] is not None:
        return (
            "Full around {forecast.full_likely_at:month}"
            if likely
            else "Not full before {forecast.until_at:month}"
        )
    if early is None:
        return "Not full before {forecast.until_at:month}"
    if late is None:
        return "Full from {forecast.full_early_at:month} on, perhaps much later"
    if (date.fromisoformat(late) - date.fromisoformat(early)).days <= _NEAR:
        if early == late:
            return "Full around {forecast.full_early_at}"
        return "Full between {forecast.full_early_at} and {forecast.full_late_at}"
    return "Full between {forecast.full_early_at:month} and {forecast.full_late_at:month}"


def ground(forecast: dict[str, Any], *, over: bool) -> str:
    """Say what the headline rests on: a sentence with paths."""
    if over or forecast["until_at"] is None:
        return ""
    pace = "so long the space lasts at {forecast.weekly_bytes} a week, as of late"
    if forecast["no_range_because"] is not None:
        return f"{pace}; no range: {{forecast.no_range_because}}"
    past = "what came and went" if forecast["basis"] == SNAPSHOTS else "its own past"
    return f"so long the space lasts at the pace of {past}; {{forecast.range_holds}} such forecasts hold"


def reference_facts(images: pd.DataFrame, references: References) -> dict[str, Any]:
    """Count the images by what a search for references says of them."""
    words = pd.Series(words_of(images, references)).value_counts()
    counts = {
        name: int(words.get(word, 0))
        for name, word in (
            ("n_found", FOUND),
            ("n_found_before", FOUND_BEFORE),
            ("n_not_found", NOT_FOUND),
        )
    }
    return {
        **counts,
        "n_not_looked": len(images) - sum(counts.values()),
        "n_files": references.n_files,
        "n_dangling": len(references.dangling),
        "complete": bool(references.complete),
    }


def full_tables(images: pd.DataFrame, previous: pd.DataFrame | None) -> dict[str, pd.DataFrame]:
    """Give every summary in full, by name; those of ages only where the load says when it was."""
    questions = {
        "library": summarize_library,
        "sizes": summarize_sizes,
        "concentration": summarize_concentration,
        "largest": summarize_largest,
        "formats": summarize_formats,
        "dimensions": summarize_dimensions,
        "growth": summarize_growth,
        "tags": summarize_tags,
        "visibility": summarize_visibility,
        "duplicates": summarize_duplicates,
        "savings": summarize_savings,
        "heavy": summarize_heavy,
        "names": summarize_names,
        "tag_hygiene": summarize_tag_hygiene,
    }
    facts = facts_of(images)
    if facts is not None and facts["loaded_at"]:
        questions["ages"] = summarize_ages
    tables: dict[str, pd.DataFrame] = {name: ask(images) for name, ask in questions.items()}
    return tables if previous is None else tables | tables_of_change(images, previous)
