"""From a choice to a plan: which frames may feed one, what is spared, and why."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import pandas as pd

from picora_analytics.cleanup.plan.choice import chosen_ids, protection
from picora_analytics.cleanup.plan.guard import Caps, last_duplicates, protected_by
from picora_analytics.cleanup.plan.model import Plan, spared_rows
from picora_analytics.decisions import read_decisions
from picora_analytics.errors import PlanError, SchemaError
from picora_analytics.library.frame import (
    COLUMNS,
    Facts,
    facts_of,
    frame_from_table,
    table_from_frame,
)
from picora_analytics.times import now
from picora_analytics.units import parse_bytes

__all__ = ["make_caps", "make_plan"]

# Older listings say too little about what is there now.
MAX_AGE = dt.timedelta(hours=24)
# An image touched lately is not forgotten, whenever it was uploaded.
EDITED_LATELY = dt.timedelta(days=90)


def make_plan(
    images: pd.DataFrame,
    choice: Any,
    *,
    reason: str,
    protect: Any,
    decisions: str | os.PathLike[str] | pd.DataFrame | None,
    caps: Caps,
) -> Plan:
    """Plan which images to delete; :func:`plan_deletion` documents what is spared."""
    facts = _plannable(images)
    images = _normal(images, facts)
    if not isinstance(reason, str) or not reason.strip():
        raise PlanError(f"reason={reason!r} says nothing; write why these images may go.")
    reason = reason.strip()
    choices = _choices(images, choice, reason)
    shield = protection(images, protect)
    spared = {
        **dict.fromkeys(choices.unknown, "unknown: the rule cannot tell"),
        **_edited_lately(images, choices.by_rule, facts),
        **_decided(read_decisions(decisions), facts),
        **dict.fromkeys(shield.unknown, "unknown: the protection cannot tell"),
        **dict.fromkeys(shield.ids, "protected"),
        **_protected_by_tag(images, shield.tags),
    }
    last, duplicates = _last_duplicates(images, choices, spared)
    spared |= last
    touched = images.index[images.index.isin([*choices.why, *choices.unknown])]
    out = [image_id for image_id in touched if image_id in spared]
    rows = images.loc[[image_id for image_id in touched if image_id not in spared], list(COLUMNS)]
    reasons = pd.Series(
        [choices.why[image_id] for image_id in rows.index], rows.index, dtype=object
    )
    return Plan(
        images=rows.assign(reason=reasons),
        spared=spared_rows(images.loc[out], [spared[image_id] for image_id in out]),
        reason=reason,
        library=facts,
        protected_tags=shield.tags,
        caps=caps,
        made_at=now(),
        duplicates=duplicates,
    )


def _plannable(images: pd.DataFrame) -> Facts:
    again = "Type images = load_images(client), and plan from that"
    if not isinstance(images, pd.DataFrame):
        raise PlanError(f"images is a {type(images).__name__}, not a DataFrame. {again}.")
    facts = facts_of(images)
    if facts is None or images.index.name != "id":
        raise PlanError(
            "This frame does not say which library it is (merge and read_csv drop that), so nothing can be "
            f"planned from it. {again}; keep the merged frame for choosing ids."
        )
    missing = [name for name in COLUMNS if name not in images.columns]
    if missing:
        raise PlanError(f"This frame lacks {missing}, which a plan records. {again}.")
    if facts["status"] != "complete":
        raise PlanError(
            f"This frame is {facts['status']}: the library was not read whole, and what is missing in it may "
            f"only be unread. {again}."
        )
    if facts["scope"] != "library":
        raise PlanError(
            f"This frame holds {facts['scope']} only; shares and caps need the whole library. {again} with "
            "mask = rules.tagged(images, ...)."
        )
    age = now() - pd.Timestamp(facts["read_at"])
    if abs(age) > MAX_AGE:
        raise PlanError(
            f"This frame was read {age.total_seconds() / 3600:.0f} hours ago, at {facts['read_at'][:16]} UTC; "
            f"a plan needs one of the last 24 hours. {again}."
        )
    if not images.index.is_unique or len(images) > facts["n_images"]:
        raise PlanError(
            f"This frame has {len(images)} rows of {images.index.nunique()} images (explode and concat repeat "
            f"rows). {again}."
        )
    return cast(Facts, dict(facts))


def _normal(images: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Bring a frame to its first form: plain pandas reads tags back from Parquet as arrays."""
    try:
        return frame_from_table(table_from_frame(images), facts)
    except SchemaError as error:
        raise PlanError(str(error)) from error


def make_caps(max_images: int | None, max_bytes: int | str | None, max_fraction: float) -> Caps:
    """Check the limits a person gave."""
    if max_images is not None and (
        isinstance(max_images, bool) or not isinstance(max_images, int) or max_images < 0
    ):
        raise ValueError(f"max_images={max_images!r} is not a whole number of images.")
    if (
        isinstance(max_fraction, bool)
        or not isinstance(max_fraction, int | float)
        or not 0 <= max_fraction <= 1
    ):
        raise ValueError(f"max_fraction={max_fraction!r} is not a share between 0 and 1.")
    size = None if max_bytes is None else parse_bytes(max_bytes, "max_bytes")
    return Caps(max_images, size, float(max_fraction))


class _Choices(NamedTuple):
    """The reasons of each chosen id, the unknown ids, those that only rules chose, and what each part chose."""

    why: dict[str, str]
    unknown: list[str]
    by_rule: set[str]
    parts: list[set[str]]


def _choices(images: pd.DataFrame, choice: Any, reason: str) -> _Choices:
    given = choice if isinstance(choice, Mapping) else {reason: choice}
    if not given:
        raise PlanError("choice is an empty mapping; give {'reason': mask}.")
    why: dict[str, list[str]] = {}
    unknown: dict[str, None] = {}
    named: set[str] = set()
    parts: list[set[str]] = []
    for text, part in given.items():
        if not isinstance(text, str) or not text.strip():
            raise PlanError(f"choice has the reason {text!r}; give {{'reason': mask}}.")
        chosen = chosen_ids(images, part, f"choice[{text!r}]" if given is choice else "choice")
        for image_id in chosen.yes:
            why.setdefault(image_id, []).append(text)
        unknown |= dict.fromkeys(chosen.unknown)
        if not chosen.by_rule:
            named |= set(chosen.yes)
        parts.append(set(chosen.yes))
    return _Choices(
        {image_id: "; ".join(texts) for image_id, texts in why.items()},
        [image_id for image_id in unknown if image_id not in why],
        set(why) - named,
        parts,
    )


def _last_duplicates(
    images: pd.DataFrame, choices: _Choices, spared: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Spare one image of each content that the plan would lose whole, and find which image stays for the others."""
    known = images[images["content_hash"].notna()].sort_values("created_at", kind="stable")
    later = set(known.index[known.duplicated("content_hash")])
    # Chosen for nothing but being duplicates: of these one is spared first, else the oldest of all.
    only_duplicates = choices.by_rule - set().union(
        *(part for part in choices.parts if part - later)
    )
    order = sorted(known.index, key=lambda image_id: image_id not in only_duplicates)
    contents = known["content_hash"].loc[order].astype(str)
    return last_duplicates(
        dict(zip(order, contents, strict=True)),
        taken={image_id for image_id in choices.why if image_id not in spared},
        by_rule=choices.by_rule,
    )


def _edited_lately(images: pd.DataFrame, ids: set[str], facts: Facts) -> dict[str, str]:
    loaded_at = pd.Timestamp(facts["loaded_at"])
    edited = (images["updated_at"] > images["created_at"]) & (
        images["updated_at"] > loaded_at - EDITED_LATELY
    )
    return {
        image_id: "edited in the last 90 days"
        for image_id in images.index[edited.fillna(False)]
        if image_id in ids
    }


def _decided(decisions: Mapping[str, Any], facts: Facts) -> dict[str, str]:
    today = pd.Timestamp(facts["loaded_at"]).date()
    return {
        image_id: "on your keep list"
        if decision.action == "keep"
        else f"decide later, from {decision.until}"
        for image_id, decision in decisions.items()
        if decision.action != "delete" and (decision.until is None or decision.until > today)
    }


def _protected_by_tag(images: pd.DataFrame, tags: tuple[str, ...]) -> dict[str, str]:
    kept = {str(image_id): protected_by(row, tags) for image_id, row in images["tags"].items()}
    return {image_id: why for image_id, why in kept.items() if why}
