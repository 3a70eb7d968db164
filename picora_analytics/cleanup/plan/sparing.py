"""From a choice to a plan: which frames may feed one, what is spared, and why."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from picora_analytics.cleanup.plan.choice import chosen_ids, protection
from picora_analytics.cleanup.plan.columns import among, cells
from picora_analytics.cleanup.plan.guard import Caps, ProtectedTags, last_duplicates
from picora_analytics.cleanup.plan.matching import Images
from picora_analytics.cleanup.plan.model import AHEAD, Plan, spared_rows, staying_rows
from picora_analytics.decisions import Decision, read_decisions
from picora_analytics.errors import PlanError, SchemaError
from picora_analytics.library.frame import (
    COLUMNS,
    Facts,
    facts_of,
    frame_from_table,
    spelled_one_way,
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
    decided, lines = _decided(images, read_decisions(decisions), facts)
    spared = {
        **dict.fromkeys(choices.unknown, "unknown: the rule cannot tell"),
        **_edited_lately(images, choices.by_rule, facts),
        **decided,
        **dict.fromkeys(shield.unknown, "unknown: the protection cannot tell"),
        **dict.fromkeys(shield.ids, "protected"),
        **_protected_by_tag(images, shield.tags),
    }
    last, duplicates = _last_duplicates(images, choices, spared)
    spared |= last
    touched = among(images.index, [*choices.why, *choices.unknown])
    left_out = touched & among(images.index, spared)
    rows, out = images.loc[touched & ~left_out, list(COLUMNS)], images[left_out]
    reasons = [choices.why[image_id] for image_id in cells(rows.index)]
    return Plan(
        images=rows.assign(reason=pd.Series(reasons, rows.index, dtype=object)),
        spared=spared_rows(out, [spared[image_id] for image_id in cells(out.index)]),
        reason=reason,
        library=facts,
        protected_tags=shield.tags,
        caps=caps,
        made_at=now(),
        duplicates=duplicates,
        staying=staying_rows(images[among(images.index, set(duplicates.values()))]),
        protection=(*shield.lines, *lines),
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
    if age < -AHEAD:
        raise PlanError(
            f"This frame says that it was read at {facts['read_at'][:16]} UTC, which lies ahead of this machine's "
            f"clock; check the clock. {again}."
        )
    if age > MAX_AGE:
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
    why: dict[str, str] = {}
    unknown: dict[str, None] = {}
    named: set[str] = set()
    parts: list[set[str]] = []
    for text, part in given.items():
        if not isinstance(text, str) or not text.strip():
            raise PlanError(f"choice has the reason {text!r}; give {{'reason': mask}}.")
        chosen = chosen_ids(images, part, f"choice[{text!r}]" if given is choice else "choice")
        yes = cells(chosen.yes)
        again = why.keys() & yes
        why |= dict.fromkeys(yes, text) | {key: f"{why[key]}; {text}" for key in again}
        unknown |= dict.fromkeys(cells(chosen.unknown))
        if not chosen.by_rule:
            named.update(yes)
        parts.append(set(yes))
    return _Choices(
        why,
        [image_id for image_id in unknown if image_id not in why],
        why.keys() - named,
        parts,
    )


def _last_duplicates(
    images: pd.DataFrame, choices: _Choices, spared: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Spare one image of each content that the plan would lose whole, and find which image stays for the others."""
    # Content that is there once is no duplicate of anything.
    images = images.assign(content_hash=spelled_one_way(images["content_hash"]))
    twice = images["content_hash"].notna() & images.duplicated("content_hash", keep=False)
    known = images.loc[twice, ["content_hash", "created_at"]]
    if known.empty:
        return {}, {}
    known = known.sort_values("created_at", kind="stable")
    later = set(cells(known.index[known.duplicated("content_hash")]))
    # Chosen for nothing but being duplicates: of these one is spared first, else the oldest of all.
    only_duplicates = choices.by_rule.difference(*(part for part in choices.parts if part - later))
    contents = dict(zip(cells(known.index), cells(known["content_hash"]), strict=True))
    order = sorted(contents, key=lambda image_id: image_id not in only_duplicates)
    return last_duplicates(
        {image_id: contents[image_id] for image_id in order},
        taken=choices.why.keys() - spared.keys(),
        by_rule=choices.by_rule,
    )


def _edited_lately(images: pd.DataFrame, ids: set[str], facts: Facts) -> dict[str, str]:
    loaded_at = pd.Timestamp(facts["loaded_at"])
    edited = (images["updated_at"] > images["created_at"]) & (
        images["updated_at"] > loaded_at - EDITED_LATELY
    )
    touched = images.index[edited.fillna(False).to_numpy(dtype=bool)]
    return dict.fromkeys(ids.intersection(cells(touched)), "edited in the last 90 days")


def _decided(
    images: pd.DataFrame, decisions: Mapping[str, Decision], facts: Facts
) -> tuple[dict[str, str], list[str]]:
    """Find the images that earlier decisions keep, and count what they match."""
    today = pd.Timestamp(facts["loaded_at"]).date()
    reasons = {
        entry: "on your keep list"
        if decision.action == "keep"
        else f"decide later, from {decision.until}"
        for entry, decision in decisions.items()
        if decision.action != "delete" and (decision.until is None or decision.until > today)
    }
    if not reasons:
        return {}, []
    known = Images(images)
    kept: dict[str, str] = {}
    for reason in dict.fromkeys(reasons.values()):
        entries = [entry for entry, own in reasons.items() if own == reason]
        kept |= dict.fromkeys(known.match(entries).ids, reason)
    return kept, [known.match(list(reasons)).line("decisions", known)]


def _protected_by_tag(images: pd.DataFrame, tags: tuple[str, ...]) -> dict[str, str]:
    if not tags:
        return {}
    # One answer for each different row of tags, of which there are few.
    shield = ProtectedTags(tags)
    codes, rows = pd.factorize(images["tags"].to_numpy(dtype=object), use_na_sentinel=False)
    answers = np.array(
        [shield.why(row if isinstance(row, tuple) else None) for row in rows], dtype=object
    )
    kept = (answers != "")[codes]
    return dict(zip(cells(images.index[kept]), answers[codes[kept]].tolist(), strict=True))
