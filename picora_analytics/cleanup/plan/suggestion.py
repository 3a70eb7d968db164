"""A suggestion as a choice: what it was made with rides along, and holds when it is planned."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.analysis.shown import Summary
from picora_analytics.cleanup.plan.columns import among
from picora_analytics.decisions import decision_table
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import STR, Facts, facts_of
from picora_analytics.references.found import References

__all__ = ["Goal", "Riding", "Unpacked", "is_suggestion", "suggestion_frame", "unpack"]

_ATTR = "picora_suggestion"
_SAME = ("account", "base_url", "loaded_at", "read_at")


class Goal(NamedTuple):
    """What was asked for: in words, in bytes, and the bytes that are missing."""

    words: str
    wanted: int
    shortfall: int


class Riding(dict[str, Any]):
    """
    What a suggestion carries in its ``attrs``: plain facts, and beside them what it was made with.

    pandas copies attrs with each step and writes them to Parquet; a copy is the same object, and what a file holds
    are the plain facts only, which no plan takes.
    """

    references: References | None
    decisions: str | os.PathLike[str] | pd.DataFrame | None
    protect: Any
    ids: pd.Index[Any]

    @classmethod
    def of(
        cls,
        facts: Facts,
        goal: Goal,
        ids: pd.Index[Any],
        references: References | None,
        decisions: Any,
        protect: Any,
    ) -> Self:
        """Put together what rides along."""
        made = cls({name: facts[name] for name in _SAME})  # type: ignore[literal-required]
        made.update(goal=goal.words, wanted_bytes=goal.wanted, shortfall_bytes=goal.shortfall)
        made.references, made.decisions, made.protect, made.ids = (
            references,
            decisions,
            protect,
            ids,
        )
        return made

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def suggestion_frame(
    rows: pd.DataFrame,
    piles: npt.NDArray[np.object_],
    reasons: npt.NDArray[np.object_],
    riding: Riding,
) -> pd.DataFrame:
    """Make the frame of a suggestion."""
    frame = Summary(
        {
            "pile": pd.Series(piles, rows.index, dtype=STR),
            "reason": pd.Series(reasons, rows.index, dtype=STR),
            "size_bytes": rows["size_bytes"],
        }
    )
    frame.attrs = {_ATTR: riding}
    return frame


def is_suggestion(choice: Any) -> bool:
    """Tell whether a choice is, or was, a suggestion."""
    return isinstance(choice, pd.DataFrame) and _ATTR in choice.attrs


class Unpacked(NamedTuple):
    """The arguments of a plan, as a suggestion fills them in."""

    choice: Mapping[str, pd.Series[Any]]
    reason: str
    protect: Any
    decisions: pd.DataFrame | str | os.PathLike[str] | None


def unpack(
    images: pd.DataFrame, suggestion: pd.DataFrame, reason: str | None, protect: Any, decisions: Any
) -> Unpacked:
    """
    Make the arguments of a plan of a suggestion and of what is said beside it.

    Raises
    ------
    PlanError
        If it is of another account or load, has rows it did not have, or lost what it was made with.
    """
    riding = suggestion.attrs[_ATTR]
    again = "Type suggestion = pic.suggest(images, ...) again, from the images you pass."
    if not isinstance(riding, Riding):
        raise PlanError(
            f"This suggestion was in a file, and lost the references and decisions it was made with. {again}"
        )
    facts: Any = facts_of(images) or {}
    for name in _SAME:
        if facts.get(name) != riding[name]:
            what = "another account" if name in _SAME[:2] else "another load"
            raise PlanError(f"This suggestion is of {what} than these images. {again}")
    added = suggestion.index[~suggestion.index.isin(riding.ids)]
    if len(added) or not suggestion.index.is_unique or "reason" not in suggestion:
        raise PlanError(
            f"This suggestion has rows that were not suggested, first {added[0]!r}; rows may be dropped, not added. "
            "Choose others with a mask of their own, {'reason': mask}."
            if len(added)
            else f"This suggestion has rows twice, or no reasons any more. {again}"
        )
    reasons = suggestion["reason"].astype(object)
    choice = {
        str(text): pd.Series(
            among(images.index, suggestion.index[(reasons == text).to_numpy(dtype=bool)]),
            images.index,
        )
        for text in reasons.drop_duplicates()
    }
    words = reason if reason is not None else f"{riding['goal']}, what would be missed least"
    if not choice:
        choice = {words: pd.Series(False, images.index)}
    return Unpacked(choice, words, _protect(riding, protect), _both(riding.decisions, decisions))


def _protect(riding: Riding, protect: Any) -> Any:
    parts: list[Any] = []
    for part in (riding.protect, protect):
        if part is not None:
            parts += part if isinstance(part, list | tuple | set | frozenset) else [part]
    if riding.references is not None:
        parts.append(riding.references)
    return parts or None


def _both(one: Any, other: Any) -> Any:
    """Put the decisions that ride along and those that are given together."""
    if one is None or other is None or one is other:
        return other if one is None else one
    return pd.concat([decision_table(one), decision_table(other)]).drop_duplicates().fillna("")
