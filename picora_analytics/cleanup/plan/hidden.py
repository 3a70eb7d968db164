"""Decisions about hiding: what they keep from it, how they remember it, and what they ask of a later deletion."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.analysis.decided import WAITED, Standing, Waited, standing, waited_of
from picora_analytics.cleanup.plan.columns import Bools, among
from picora_analytics.cleanup.plan.guard import shown_literal
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.decisions import change_decisions, with_decisions
from picora_analytics.errors import PlanError
from picora_analytics.references.found import COULD_NOT_LOOK, References
from picora_analytics.text import plural
from picora_analytics.times import day_and_time, format_instant

__all__ = [
    "PUBLIC_BEFORE",
    "kept_from_hiding",
    "missed",
    "note_hidden",
    "refuse_unlooked",
    "unlooked",
    "waits",
]

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
    file = Path(decisions).expanduser()
    if not file.exists():
        if not file.parent.is_dir():
            raise PlanError(
                f"decisions: there is no folder {file.parent}, and what is hidden is to be noted in it; nothing is "
                "hidden. Make the folder, or give another path."
            )
        return {}
    spared = standing(plan.images, decisions).spared
    return {image_id: reason for image_id, reason in spared.items() if image_id in plan.states}


def note_hidden(plan: Plan, hidden_at: Mapping[str, dt.datetime | None], path: Decisions) -> None:
    """
    Note which images were hidden, each with the service's own update time right after that.

    Any other time would make the hiding look like a later edit of somebody else's.
    """
    told = {
        one: "" if moment is None else format_instant(moment) for one, moment in hidden_at.items()
    }

    def noted(known: pd.DataFrame | None) -> pd.DataFrame | None:
        there = set() if known is None else {*zip(known["id"], known["decided_at"], strict=True)}
        rows = [
            {
                "id": image_id,
                "decision": "hidden",
                "note": f"{PUBLIC_BEFORE}; {plan.confirmation}",
                "decided_at": at,
                "filename": plan.states[image_id].filename or "",
                "url": plan.images["url"][image_id],
            }
            for image_id, at in told.items()
            if (image_id, at) not in there
        ]
        return with_decisions(known, rows) if rows else None

    change_decisions(path, noted)


def waits(choice: Any, said: Standing) -> Waited:
    """Give when the waiting time of hidden images ended, as the choice (of `rules.hidden_for`) or decisions tell."""
    parts = choice.values() if isinstance(choice, Mapping) else [choice]
    found = dict(waited_of(said))
    for part in parts:
        told = part.attrs.get(WAITED, {}) if isinstance(part, pd.Series) else {}
        found |= {one: max(end, found.get(one, end)) for one, end in told.items()}
    return Waited(found)


def missed(images: pd.DataFrame, said: Standing) -> dict[str, Bools]:
    """Find hidden images that somebody edited or showed meanwhile: their waiting has an answer."""
    waited = waited_of(said)
    if not waited:
        return {}
    rows = among(images.index, waited)
    since = pd.Series(
        [said.hidden_since.get(one) for one in images.index[rows]],
        images.index[rows],
        dtype="datetime64[us, UTC]",
    )
    hidden = images[rows]
    edited = (hidden["updated_at"] > since).fillna(True) | hidden["updated_at"].isna()
    answered = rows.copy()
    answered[rows] = (edited | hidden["is_public"].fillna(True)).to_numpy(dtype=bool)
    return {"hidden before, and edited or shown again since": answered}


def unlooked(images: pd.DataFrame, waited: Waited, protect: Any) -> Bools:
    """Tell which hidden images nobody looked for, completely, after their waiting time."""
    rows = among(images.index, waited)
    if not rows.any():
        return rows
    ends = pd.Series([waited[one] for one in images.index[rows]], images.index[rows])
    looked = np.zeros(len(ends), dtype=bool)
    for references in _references(protect):
        known = (references.status(ends.index) != COULD_NOT_LOOK).to_numpy(dtype=bool)
        later = (ends < references.scanned_at).to_numpy(dtype=bool)
        looked |= known & later & references.complete
    rows[rows] = ~looked
    return rows


def _references(protect: Any) -> Iterator[References]:
    if isinstance(protect, References):
        yield protect
    elif isinstance(protect, list | tuple | set | frozenset):
        for part in protect:
            yield from _references(part)


def refuse_unlooked(images: pd.DataFrame, waited: Waited, protect: Any, chosen: Bools) -> None:
    """Raise PlanError if hidden images are chosen that nobody looked for after their waiting time."""
    if not waited:
        return
    ids = images.index[unlooked(images, waited, protect) & chosen]
    if len(ids):
        end = max(waited[one] for one in ids)
        raise PlanError(
            f"The choice takes {plural(len(ids), 'image')} hidden first, such as {shown_literal(str(ids[0]))}, and "
            "nobody looked for references to them after their waiting time, which ended on "
            f"{day_and_time(end)}. Type references = pic.find_references(images, ...) with every place where they may "
            "stand, and plan with protect=references; it must be complete."
        )
