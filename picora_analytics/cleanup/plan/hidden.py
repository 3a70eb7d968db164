"""Decisions about hiding: what they keep from it, and the rows by which they remember it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from picora_analytics.analysis.decided import standing
from picora_analytics.cleanup.plan.matching import Images
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.decisions import add_decisions, read_decisions
from picora_analytics.errors import PlanError
from picora_analytics.times import format_instant

__all__ = ["PUBLIC_BEFORE", "kept_from_hiding", "note_hidden"]

# By this word of ours a row shows that the image was public, and that we hid it.
PUBLIC_BEFORE = "public before"

Decisions = str | os.PathLike[str]


def kept_from_hiding(plan: Plan, decisions: object) -> dict[str, str]:
    """
    Tell which planned images earlier decisions keep, and why.

    Raises
    ------
    PlanError
        If it is no path, or the file cannot be read.
    """
    if decisions is None:
        return {}
    if not isinstance(decisions, str | os.PathLike):
        raise PlanError(
            f"decisions is a {type(decisions).__name__}, and what is hidden is noted in a file: give a path such as "
            "'decisions.csv'."
        )
    if not Path(decisions).expanduser().exists():
        return {}
    said = standing(plan.images, decisions)
    known = Images(plan.images)
    return {
        image_id: reason
        for entry, reason in said.spared.items()
        for image_id in known.match([entry]).ids
    }


def note_hidden(plan: Plan, hidden_at: Mapping[str, dt.datetime | None], path: Decisions) -> None:
    """
    Note which images were hidden, each with the service's own update time right after that.

    Any other time would make the hiding look like a later edit of somebody else's.
    """
    file = Path(path).expanduser()
    known = read_decisions(file) if file.exists() else pd.DataFrame(columns=["id", "decided_at"])
    noted = set(zip(known["id"], known["decided_at"], strict=True))
    rows = []
    for image_id, moment in hidden_at.items():
        told = "" if moment is None else format_instant(moment)
        state = plan.states[image_id]
        if (image_id, told) not in noted:
            rows.append(
                {
                    "id": image_id,
                    "decision": "hidden",
                    "note": f"{PUBLIC_BEFORE}; {plan.confirmation}",
                    "decided_at": told,
                    "filename": state.filename or "",
                    "url": plan.images["url"][image_id],
                }
            )
    if rows:
        add_decisions(file, rows)
