"""What a plan would spare of any selection, told at once: a plan of each click would be too slow."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.analysis.content import of_one_size, same_hash
from picora_analytics.cleanup.deletion import DeletionPlan, plan_deletion
from picora_analytics.cleanup.plan.columns import among, cells
from picora_analytics.cleanup.plan.handing import hand_on
from picora_analytics.cleanup.plan.sparing import first_form, plannable, withheld
from picora_analytics.widgets.gallery.orders import Ints, in_order
from picora_analytics.widgets.gallery.selection import Bools

__all__ = ["Sparing"]


class Sparing:
    """
    The protection that plans are made with, and which images they spare.

    Raises
    ------
    PlanError
        If the frame cannot feed a plan, or protection or decisions cannot be read; the message shows the line to type.
    """

    def __init__(
        self, images: pd.DataFrame, protect: Any, decisions: Any, references: Any = None
    ) -> None:
        self._protect, self._decisions, self._references = protect, decisions, references
        facts = plannable(images, "CleanupPanel")
        images = first_form(images, facts)
        self._images, self._ids = images, images.index
        self._spared = withheld(images, facts, self._protecting(images), decisions)
        self.always = self._spared.rows

    def plan(self, images: pd.DataFrame, choice: Any, reason: str) -> DeletionPlan:
        """Plan a selection of the images that are still there."""
        return plan_deletion(
            images,
            choice,
            reason=reason,
            protect=self._protecting(images),
            decisions=self._decisions,
        )

    def _protecting(self, images: pd.DataFrame) -> Any:
        """Give all that protects, the references too."""
        parts = self.protection(images)
        if self._references is None:
            return parts
        several = isinstance(parts, list)
        parts = [part for part in (parts if several else [parts]) if part is not None]
        return [*parts, self._references]

    def protection(self, images: pd.DataFrame) -> Any:
        """Give what protects of the images that are still there, without the references."""
        if self._protect is None:
            return None
        gone = self._ids[~np.asarray(among(self._ids, images.index))]
        if isinstance(self._protect, list | tuple | set | frozenset):
            return [_without(part, gone) for part in self._protect]
        return _without(self._protect, gone)

    def why(self, row: int) -> str:
        """Say why no plan would take the image of a row; empty if one may."""
        return self._spared.why(row)

    def arguments(self, decisions: str) -> str:
        """Write what a plan is given besides images, mask and reason; `decisions` is the name of these."""
        protect = "" if self._protect is None else "protect"
        if self._references is not None:
            protect = f"[{protect}, references]" if protect else "references"
        given = {"protect": protect, "decisions": decisions}
        return "".join(f", {name}={value}" for name, value in given.items() if value)

    @cached_property
    def _hash(self) -> Ints:
        """The hash of each row as a number, -1 where there is none."""
        return same_hash(self._images["content_hash"])

    @cached_property
    def _content(self) -> Ints:
        """The content of each row as a number, -1 where it is not known."""
        return of_one_size(self._hash, self._images)

    @cached_property
    def _order(self) -> Ints:
        """The rows as a plan chooses the image of a content that stays: a public one, and of these the oldest."""
        oldest_first = in_order(self._images, "oldest first")
        public = self._images["is_public"].fillna(False).to_numpy(dtype=bool)
        return oldest_first[np.argsort(~public[oldest_first], kind="stable")]

    def of(self, selected: Bools, gone: Bools) -> Bools:
        """Tell which of the selected images a plan would spare."""
        taken = selected & ~self.always
        # Duplicates are looked for once some are chosen: a million contents take a while.
        if not taken.any() or not self._images["content_hash"].notna().any():
            return selected & self.always
        last = self._last_of_their_hash(taken, ~gone)
        return selected & self.always | last | self._stuck(taken & ~last, ~gone)

    def _last_of_their_hash(self, taken: Bools, there: Bools) -> Bools:
        """Find the first image of each hash of which all images would be taken."""
        there = there & (self._hash >= 0)
        n_there = np.bincount(self._hash[there])
        n_taken = np.bincount(self._hash[there & taken], minlength=len(n_there))
        lost = (n_there > 1) & (n_taken == n_there)
        rows = self._order[(there & taken)[self._order]]
        rows = rows[lost[self._hash[rows]]]
        last = np.zeros_like(taken)
        last[rows[np.unique(self._hash[rows], return_index=True)[1]]] = True
        return last

    def _stuck(self, taken: Bools, there: Bools) -> Bools:
        """Find the images that could not hand on their address or tags to the duplicate that stays."""
        known = self._content >= 0
        leaving = np.flatnonzero(taken & there & known)
        staying = self._order[(there & known & ~taken)[self._order]]
        contents, first = np.unique(self._content[staying], return_index=True)
        place = np.searchsorted(contents, self._content[leaving])
        has = place < len(contents)
        has[has] = contents[place[has]] == self._content[leaving][has]
        if not has.any():
            return np.zeros_like(taken)
        leaving, stays = leaving[has], staying[first[place[has]]]
        ids = self._images.index
        duplicates = dict(zip(cells(ids[leaving]), cells(ids[stays]), strict=True))
        _, stuck = hand_on(self._images, duplicates, ())
        return np.asarray(among(ids, stuck))


def _without(part: Any, gone: pd.Index[Any]) -> Any:
    """Leave out of a protecting mask or Index what was deleted since; what was never there is for the plan to name."""
    if isinstance(part, pd.Series) and len(gone):
        return part[~np.asarray(among(part.index, gone))]
    return (
        part[~np.asarray(among(part, gone))] if isinstance(part, pd.Index) and len(gone) else part
    )
