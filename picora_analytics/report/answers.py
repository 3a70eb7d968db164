"""What a report says beyond counting: how long the space lasts, what changed, what was looked for."""

from __future__ import annotations

from typing import Any

import pandas as pd

from picora_analytics.analysis.changes import summarize_changes
from picora_analytics.analysis.dimensions import summarize_dimensions
from picora_analytics.analysis.forecast import forecast_storage
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

__all__ = [
    "forecast_facts",
    "forecast_sentence",
    "full_tables",
    "reference_facts",
    "tables_of_change",
]

_PACE = "at the pace of the last three months"


def forecast_facts(images: pd.DataFrame, limit: int | None) -> dict[str, Any]:
    """Say when the quota is reached, as far as the past tells."""
    told = forecast_storage(images, quota=limit).attrs["forecast"]
    return {
        "full_early_at": told["early"],
        "full_likely_at": told["likely"],
        "full_late_at": told["late"],
        "until_at": told["until"],
        "weekly_bytes": told["weekly_bytes"],
        "basis": told["basis"],
        "no_range_because": told["reason"],
    }


def forecast_sentence(forecast: dict[str, Any], *, over: bool) -> str:
    """Say how long the space lasts: a sentence with paths."""
    because = "; no range: {forecast.no_range_because}"
    if over:
        return "the quota is used up"
    if forecast["until_at"] is None:
        return "how long the space lasts is not known: no upload dates"
    if forecast["no_range_because"] is not None:
        if forecast["full_likely_at"] is None:
            return f"the space lasts beyond {{forecast.until_at}}, {_PACE}{because}"
        return f"full around {{forecast.full_likely_at}}, {_PACE}{because}"
    if forecast["full_early_at"] is None:
        return f"the space lasts beyond {{forecast.until_at}}, {_PACE}"
    late = (
        "{forecast.full_late_at}"
        if forecast["full_late_at"]
        else "some day after {forecast.until_at}"
    )
    return f"full between {{forecast.full_early_at}} and {late}: so long the space lasts {_PACE}"


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
        "n_files": int(references.coverage["n_files"].sum()),
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


def tables_of_change(images: pd.DataFrame, previous: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Say what grew since an earlier load, by tag, format and month of upload."""
    return {
        f"changes_by_{by}": summarize_changes(previous, images, by=by)
        for by in ("tag", "format", "month")
    }
