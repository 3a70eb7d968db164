"""What could go, least missed first, and how full the storage would be without it."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd

from picora_analytics.analysis.decided import Decisions
from picora_analytics.cleanup.plan.candidates import find_candidates
from picora_analytics.library.frame import facts_of, total_bytes
from picora_analytics.references.found import References
from picora_analytics.report.values import a_few

__all__ = ["bar_facts", "pile_facts", "without_facts"]

# Piles that are shown with pictures and have a colour in the bar, and the pictures of each.
CARDS, _PICTURES = 3, 4
# Said, but proposed to nobody before somebody has looked where it is used: old is not unused.
_ONLY_OLD = "old"

# What each pile is called: on its card, and beside its colour.
_TITLES = {
    "duplicates": ("Same picture twice", "twice"),
    "never-found": ("Old, untagged or a screenshot", "old, untagged"),
    "found-before": ("Taken off your last page", "off your pages"),
    "old-not-found": ("Old, not in your pages", "old, in no page"),
    "old-untagged": ("Old, never tagged", "old, no tag"),
    _ONLY_OLD: ("Old", "old"),
}


def pile_facts(
    images: pd.DataFrame,
    references: References | None,
    decisions: Decisions | None,
    code: Literal["shell", "python"] | None,
) -> list[dict[str, Any]]:
    """Count the piles of what may go; none where the images do not say whose they are and when they were read."""
    about = facts_of(images)
    if about is None or not about["loaded_at"] or not images.index.is_unique or images.empty:
        return []
    found: list[dict[str, Any]] = []
    for one in find_candidates(images, references, decisions):
        if one.name not in _TITLES:
            continue  # For looking; a finding says it.
        sizes = images["size_bytes"][one.rows]
        title, short = _TITLES[one.name]
        card = len(found) < CARDS and one.name != _ONLY_OLD
        found.append(
            {
                "pile": one.name,
                "title": title,
                "short": short,
                "n_images": one.n_images,
                "size_bytes": total_bytes(sizes) if sizes.notna().any() else None,
                "why": one.why,
                "certainty": one.certainty,
                "code": {"python": one.python, "shell": one.shell}.get(code or ""),
                "card": card,
                "pictures": a_few(images, one.rows, _PICTURES, seen_first=True) if card else [],
            }
        )
    return found


def bar_facts(
    quota: dict[str, Any] | None, totals: dict[str, Any], piles: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """Divide the quota, or what is over it, into what stays, the first piles, and what is free."""
    if (
        quota is None
        or quota["used_share"] is None
        or not (quota["size_bytes"] or totals["size_bytes"])
    ):
        return None
    used, limit = totals["size_bytes"], quota["size_bytes"]
    whole, first = max(used, limit), [pile for pile in piles if pile["card"]]
    goes = sum(pile["size_bytes"] or 0 for pile in first)
    parts = [("stays", "stays", used - goes)]
    parts += [(pile["pile"], pile["short"], pile["size_bytes"]) for pile in first]
    parts += [("free", "free", limit - used)] if limit >= used else []
    return {
        "whole_bytes": whole,
        "quota_share": limit / whole,
        "parts": [
            {"part": part, "short": short, "size_bytes": size, "whole_share": (size or 0) / whole}
            for part, short, size in parts
        ],
    }


def without_facts(
    quota: dict[str, Any] | None, totals: dict[str, Any], piles: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """Say how full it would be without the piles on the cards."""
    freed = sum(pile["size_bytes"] or 0 for pile in piles if pile["card"])
    if not freed or quota is None or quota["used_share"] is None:
        return None
    left = (totals["size_bytes"] - freed) / quota["size_bytes"]
    return {"freed_bytes": freed, "used_share": left}
