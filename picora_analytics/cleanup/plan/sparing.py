"""From a choice to a plan: which frames may feed one, what is spared, and why."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.analysis.content import of_one_size, same_hash
from picora_analytics.analysis.decided import Standing, Waited, standing
from picora_analytics.analysis.matching import Images
from picora_analytics.cleanup.plan.choice import Protection, chosen_ids, protection
from picora_analytics.cleanup.plan.columns import Bools, among, cells
from picora_analytics.cleanup.plan.guard import Caps, ProtectedTags, last_duplicates, shown_literal
from picora_analytics.cleanup.plan.handing import chosen_by, hand_on
from picora_analytics.cleanup.plan.hidden import missed, refuse_unlooked, unlooked, waits
from picora_analytics.cleanup.plan.model import AHEAD, Plan, spared_rows, staying_rows
from picora_analytics.errors import PlanError, SchemaError
from picora_analytics.library.frame import (
    COLUMNS,
    Facts,
    as_loaded,
    facts_of,
    frame_from_table,
    table_from_frame,
)
from picora_analytics.references.found import References
from picora_analytics.text import plural
from picora_analytics.times import now
from picora_analytics.units import parse_bytes

__all__ = [
    "Spared",
    "first_form",
    "make_caps",
    "make_plan",
    "plannable",
    "shielded",
    "tightened",
    "withheld",
]

# Older listings say too little about what is there now.
MAX_AGE = dt.timedelta(hours=24)
# An image touched lately is not forgotten, whenever it was uploaded.
EDITED_LATELY = dt.timedelta(days=90)
NOT_LOOKED = "could not look everywhere for references"


def make_plan(
    images: pd.DataFrame,
    choice: Any,
    *,
    reason: str | None,
    protect: Any,
    decisions: str | os.PathLike[str] | pd.DataFrame | None,
    caps: Caps,
    inherit: bool = True,
    withheld: Collection[str] = (),
) -> Plan:
    """
    Plan which images to delete; :func:`plan_deletion` documents what is spared.

    `withheld` are tags that are not handed on: by them, and by those of the choice itself, images are deleted.
    """
    facts = plannable(images, "plan_deletion")
    images = first_form(images, facts)
    if not isinstance(reason, str) or not reason.strip():
        raise PlanError(f"reason={reason!r} says nothing; write why these images may go.")
    reason = reason.strip()
    choices = _choices(images, choice, reason)
    shield = protection(images, protect)
    said = standing(images, decisions)
    spared = Spared(len(images))
    spared.add("unknown: the rule cannot tell", choices.unknown)
    waited = waits(choice, said)
    _withhold(spared, images, facts, shield, said, choices.by_rule, waited)
    # Where nobody could look, a hidden image is refused and not merely spared.
    kept = spared.rows & ~spared.having(NOT_LOOKED)
    refuse_unlooked(images, waited, protect, choices.chosen & ~kept)
    taken = choices.chosen & ~spared.rows
    last, duplicates = _last_duplicates(images, choices, taken, public_first=inherit)
    spared.update(last)
    withheld = {*withheld, *chosen_by(images, choice)}
    handed, stuck = hand_on(images, duplicates, withheld) if inherit else ({}, {})
    spared.each(images.index, stuck)
    duplicates = {goes: stays for goes, stays in duplicates.items() if goes not in stuck}
    rows = images.loc[choices.chosen & ~spared.rows, list(COLUMNS)]
    hidden = set(waited).intersection(cells(rows.index))
    left_out = (choices.chosen | choices.unknown) & spared.rows
    reasons = choices.why[choices.chosen & ~spared.rows]
    return Plan(
        images=rows.assign(reason=pd.Series(reasons, rows.index, dtype=object)),
        spared=spared_rows(images[left_out], spared.reasons(left_out)),
        reason=reason,
        library=facts,
        protected_tags=shield.tags,
        caps=caps,
        made_at=now(),
        duplicates=duplicates,
        staying=staying_rows(images[among(images.index, set(duplicates.values()))]),
        protection=(*shield.lines, *_decisions_line(images, said), *said.lines),
        searched=shield.searched,
        hidden=tuple(sorted(hidden)),
        handed=handed,
    )


def withheld(
    images: pd.DataFrame,
    facts: Facts,
    protect: Any,
    decisions: str | os.PathLike[str] | pd.DataFrame | None,
) -> Spared:
    """Tell which rows no plan would take, whatever rule chose them, and why; the frame is in its first form."""
    shield, said = protection(images, protect), standing(images, decisions)
    spared = Spared(len(images))
    every = np.ones(len(images), dtype=bool)
    _withhold(spared, images, facts, shield, said, every, waits(None, said))
    return spared


def tightened(
    plan: Plan,
    *,
    protect: Sequence[str],
    references: References | None,
    decisions: str | os.PathLike[str] | pd.DataFrame | None,
    caps: Caps,
) -> Plan:
    """
    Give what is left of a plan under more protection, and under other caps.

    A text of `protect` is a tag, or an id, an address or a file name; it may match nothing here, where the plan left
    out what it protects already.

    Raises
    ------
    PlanError
        If decisions cannot be read, references are of another account, or nobody looked for images hidden before.
    """
    images = plan.images
    said = standing(images, decisions)
    shield = protection(images, [] if references is None else [references])
    spared, waited = Spared(len(images)), waits(None, said)
    nothing = np.zeros(len(images), dtype=bool)
    _withhold(spared, images, plan.library, shield, said, nothing, waited)
    n_decided = int(among(images.index, said.spared).sum())
    lines = [f"decisions: {plural(n_decided, 'more image')} kept"] if n_decided else []
    known = Images(images)
    for text in protect:
        before = spared.rows.sum()
        spared.add("protected", among(images.index, known.match([text]).ids))
        spared.update(_protected_by_tag(images, (text,)))
        lines.append(f"{shown_literal(text)}: {plural(spared.rows.sum() - before, 'more image')}")
    new = Waited({one: end for one, end in waited.items() if one not in plan.hidden})
    refuse_unlooked(images, new, references, ~spared.rows | spared.having(NOT_LOOKED))
    gone = spared.rows
    return dataclasses.replace(
        plan.without(images.index[gone]),
        spared=pd.concat([plan.spared, spared_rows(images[gone], spared.reasons(gone))]),
        protected_tags=tuple(dict.fromkeys((*plan.protected_tags, *protect))),
        caps=caps,
        protection=(*plan.protection, *shield.lines, *lines, *said.lines),
        searched=(*plan.searched, *shield.searched),
    )


def shielded(
    images: pd.DataFrame,
    facts: Facts,
    protect: Any,
    decisions: str | os.PathLike[str] | pd.DataFrame | None,
    references: Any = None,
) -> Bools:
    """Tell which rows a plan would spare, or refuse, whatever rule chose them."""
    waited = waits(None, standing(images, decisions))
    spared = withheld(images, facts, protect, decisions).rows
    return spared | unlooked(images, waited, [references, protect])


def _withhold(
    spared: Spared,
    images: pd.DataFrame,
    facts: Facts,
    shield: Protection,
    said: Standing,
    by_rule: Bools,
    waited: Waited,
) -> None:
    """Spare what is protected or decided; where several speak for an image, the last one is named."""
    # Our own hiding is no edit; what was edited after it is found below.
    edited = _edited_lately(images, facts) & ~among(images.index, waited)
    spared.add("edited in the last 90 days", by_rule & edited)
    spared.update(_decided(images, said))
    spared.update(missed(images, said))
    spared.add("unknown: the protection cannot tell", shield.unknown)
    spared.add(NOT_LOOKED, shield.not_looked)
    spared.add("protected", shield.yes)
    spared.add("still used: found by the references", shield.used)
    spared.update(_protected_by_tag(images, shield.tags))


class Spared:
    """Which rows are spared, and why."""

    def __init__(self, n: int) -> None:
        self._codes = np.full(n, -1, dtype=np.int64)
        self._texts: list[str] = []

    def add(self, reason: str, rows: Bools) -> None:
        """Spare some rows, for a reason that stands before any other."""
        self._codes[rows] = len(self._texts)
        self._texts.append(reason)

    def update(self, reasons: Mapping[str, Bools]) -> None:
        """Spare rows by their reasons."""
        for reason, rows in reasons.items():
            self.add(reason, rows)

    def each(self, ids: pd.Index[Any], reasons: Mapping[str, str]) -> None:
        """Spare single images, by id: many have a reason of their own."""
        codes = {
            reason: code
            for code, reason in enumerate(dict.fromkeys(reasons.values()), len(self._texts))
        }
        rows = ids.get_indexer(pd.Index(list(reasons), dtype=ids.dtype))
        self._codes[rows] = [codes[one] for one in reasons.values()]
        self._texts += codes

    @property
    def rows(self) -> Bools:
        """Which rows are spared."""
        return self._codes >= 0

    def having(self, reason: str) -> Bools:
        """Tell which rows are spared for this reason."""
        return np.asarray(self._codes == self._texts.index(reason))

    def why(self, row: int) -> str:
        """Say why a row is spared; empty if it is not."""
        code = self._codes[row]
        return self._texts[code] if code >= 0 else ""

    def reasons(self, rows: Bools) -> list[str]:
        """Give the reasons of some rows that are spared."""
        return [self._texts[code] for code in self._codes[rows].tolist()]


def plannable(images: pd.DataFrame, caller: str) -> Facts:
    """Give the facts of a frame that can feed a plan; PlanError for any other, with the line to type."""
    again = "Type images = load_images(client), and plan from that"
    if not isinstance(images, pd.DataFrame):
        what = type(images).__name__
        raise PlanError(f"{caller} takes a pandas DataFrame, and images is a {what}. {again}.")
    facts = facts_of(images)
    if facts is None or images.index.name != "id":
        raise PlanError(
            f"{caller} must know which library it is, and this frame does not say so (merge and read_csv drop "
            f"that). {again}; keep the merged frame for choosing ids."
        )
    missing = [name for name in COLUMNS if name not in images.columns]
    if missing:
        raise PlanError(f"{caller} needs {missing}, which this frame lacks. {again}.")
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
            f"This frame has {plural(len(images), 'row')} of {plural(images.index.nunique(), 'image')} "
            f"(explode and concat repeat rows). {again}."
        )
    return cast(Facts, dict(facts))


def first_form(images: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Bring a frame to its first form: plain pandas reads tags back from Parquet as arrays."""
    if as_loaded(images):
        first = images[list(COLUMNS)]
        first.attrs = {"picora": dict(facts)}
        return first
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
    """Which rows are chosen and why, are unknown to the rules, chosen by rules alone, and chosen by each part."""

    chosen: Bools
    why: npt.NDArray[np.object_]
    unknown: Bools
    by_rule: Bools
    parts: list[Bools]


def _choices(images: pd.DataFrame, choice: Any, reason: str) -> _Choices:
    given = choice if isinstance(choice, Mapping) else {reason: choice}
    if not given:
        raise PlanError("choice is an empty mapping; give {'reason': mask}.")
    chosen, unknown, named = (np.zeros(len(images), dtype=bool) for _ in range(3))
    why = np.full(len(images), "", dtype=object)
    parts: list[Bools] = []
    for text, part in given.items():
        if not isinstance(text, str) or not text.strip():
            raise PlanError(f"choice has the reason {text!r}; give {{'reason': mask}}.")
        found = chosen_ids(images, part, f"choice[{text!r}]" if given is choice else "choice")
        why[found.yes & chosen] += f"; {text}"
        why[found.yes & ~chosen] = text
        chosen |= found.yes
        unknown |= found.unknown
        if not found.by_rule:
            named |= found.yes
        parts.append(found.yes)
    return _Choices(chosen, why, unknown & ~chosen, chosen & ~named, parts)


def _last_duplicates(
    images: pd.DataFrame, choices: _Choices, taken: Bools, *, public_first: bool
) -> tuple[dict[str, Bools], dict[str, str]]:
    """Spare one image of each content that the plan would lose whole, and find which image stays for the others."""
    # Whatever shares a hash may be the last of its content; only what sizes do not contradict is a duplicate.
    codes = same_hash(images["content_hash"])
    known = codes >= 0
    counts, n_taken = (
        np.bincount(codes[rows], minlength=codes.max(initial=-1) + 1)
        for rows in (known, known & taken)
    )
    # Content that is there once is no duplicate of anything; of the rest, what loses nothing is safe.
    if not (n_taken[counts > 1] > 0).any():
        return {}, {}
    oldest_first = images["created_at"].reset_index(drop=True).sort_values(kind="stable").index
    order = oldest_first.to_numpy()
    order = order[known[order]]
    later = np.zeros(len(images), dtype=bool)
    later[order] = pd.Series(codes[order]).duplicated().to_numpy()
    # Chosen for nothing but being duplicates: of these one is spared first, else the oldest of all.
    only_duplicates = choices.by_rule.copy()
    for part in choices.parts:
        if (part & ~later).any():
            only_duplicates &= ~part
    order = order[((counts > 1) & (n_taken > 0))[codes[order]]]
    order = order[np.argsort(~only_duplicates[order], kind="stable")]
    if public_first:  # The one that stays keeps its address for visitors.
        public = images["is_public"].fillna(False).to_numpy(dtype=bool)
        order = order[np.argsort(~public[order], kind="stable")]
    ids = cells(images.index[order])
    spared, duplicates = last_duplicates(
        dict(zip(ids, map(str, codes[order].tolist()), strict=True)),
        taken={one for one, goes in zip(ids, taken[order].tolist(), strict=True) if goes},
        by_rule={
            one for one, rule in zip(ids, choices.by_rule[order].tolist(), strict=True) if rule
        },
    )
    sure = set(
        cells(images.index[among(images.index, duplicates) & (of_one_size(codes, images) >= 0)])
    )
    duplicates = {goes: stays for goes, stays in duplicates.items() if goes in sure}
    reasons = {
        reason: [one for one in spared if spared[one] == reason] for reason in spared.values()
    }
    return {reason: among(images.index, own) for reason, own in reasons.items()}, duplicates


def _edited_lately(images: pd.DataFrame, facts: Facts) -> Bools:
    loaded_at = pd.Timestamp(facts["loaded_at"])
    edited = (images["updated_at"] > images["created_at"]) & (
        images["updated_at"] > loaded_at - EDITED_LATELY
    )
    return edited.fillna(False).to_numpy(dtype=bool)


def _decided(images: pd.DataFrame, said: Standing) -> dict[str, Bools]:
    """Find the images that earlier decisions keep, by why."""
    return {
        reason: among(images.index, [one for one, own in said.spared.items() if own == reason])
        for reason in dict.fromkeys(said.spared.values())
    }


def _decisions_line(images: pd.DataFrame, said: Standing) -> list[str]:
    """Count what the decisions that keep match."""
    known = Images(images)
    return [known.match(list(said.entries)).line("decisions", known)] if said.entries else []


def _protected_by_tag(images: pd.DataFrame, tags: tuple[str, ...]) -> dict[str, Bools]:
    if not tags:
        return {}
    # One answer for each different row of tags, of which there are few.
    shield = ProtectedTags(tags)
    codes, rows = pd.factorize(images["tags"].to_numpy(dtype=object), use_na_sentinel=False)
    answers = np.array(
        [shield.why(row if isinstance(row, tuple) else None) for row in rows], dtype=object
    )
    return {why: (answers == why)[codes] for why in set(answers.tolist()) - {""}}
