"""Which chart stands in which chapter."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from picora_analytics.report.bars import (
    Bar,
    bar_chart,
    bars_of,
    change_bars,
    concentration_bars,
    saving_bars,
)
from picora_analytics.report.curve import growth_chart

__all__ = ["charts"]


def charts(facts: dict[str, Any]) -> dict[str, Markup]:
    """Draw every chart that there is anything to draw for, by the key of its chapter."""
    bars: dict[str, tuple[str, list[Bar]]] = {
        "changes": ("Change of storage by tag", change_bars(facts)),
        "concentration": (
            "The largest images that hold a part of the storage",
            concentration_bars(facts),
        ),
        "formats": ("Storage by type", bars_of(facts, "formats", "mime_type")),
        "dimensions": (
            "Storage by shape",
            bars_of(facts, "dimensions", "aspect"),
        ),
        "ages": ("Storage by age", bars_of(facts, "ages", "age")),
        "tags": ("Storage by tag", bars_of(facts, "tags", "tag")),
        "savings": ("What could be saved", saving_bars(facts)),
        "names": (
            "Storage by kind of name",
            bars_of(facts, "names", "name_kind"),
        ),
    }
    found = {key: bar_chart(facts, rows, label) for key, (label, rows) in bars.items()}
    found["growth"] = growth_chart(facts)
    return {key: chart for key, chart in found.items() if chart}
