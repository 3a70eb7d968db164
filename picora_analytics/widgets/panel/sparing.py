"""What a plan would spare of any selection, told at once: a plan of each click would be too slow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.cleanup.deletion import DeletionPlan, plan_deletion
from picora_analytics.cleanup.plan.columns import among, cells
from picora_analytics.cleanup.plan.handing import hand_on
from picora_analytics.library.frame import spelled_one_way
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
        # A plan of everything tells what no plan would take; only which image of one content is the last depends on
        # the selection, and without hashes none is.
        trial, everything = images, None
        if isinstance(images, pd.DataFrame) and images.index.is_unique:
            everything = pd.Series(True, index=images.index, dtype="boolean")
            if "content_hash" in images:
                nothing = pd.Series(pd.NA, images.index, images["content_hash"].dtype)
                trial = images.assign(content_hash=nothing)
        self._ids = images.index if everything is not None else pd.Index([])
        spared = self.plan(trial, everything, "a trial").spared
        self.always = np.asarray(among(images.index, spared.index))
        self._why = spared["reason"]
        self._images = images
        self._content = pd.factorize(spelled_one_way(images["content_hash"]))[0]
        ages = images["created_at"].reset_index(drop=True).sort_values(kind="stable")
        oldest_first = ages.index.to_numpy()
        public = images["is_public"].fillna(False).to_numpy(dtype=bool)
        # As a plan chooses the image of a content that stays: a public one, and of these the oldest.
        self._order = oldest_first[np.argsort(~public[oldest_first], kind="stable")]

    def plan(self, images: pd.DataFrame, choice: Any, reason: str) -> DeletionPlan:
        """Plan a selection of the images that are still there."""
        parts = self.protection(images)
        if self._references is not None:
            several = isinstance(parts, list)
            parts = [part for part in (parts if several else [parts]) if part is not None]
            parts.append(self._references)
        return plan_deletion(
            images, choice, reason=reason, protect=parts, decisions=self._decisions
        )

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
        return str(self._why[self._images.index[row]]) if self.always[row] else ""

    def arguments(self, decisions: str) -> str:
        """Write what a plan is given besides images, mask and reason; `decisions` is the name of these."""
        protect = "" if self._protect is None else "protect"
        if self._references is not None:
            protect = f"[{protect}, references]" if protect else "references"
        given = {"protect": protect, "decisions": decisions}
        return "".join(f", {name}={value}" for name, value in given.items() if value)

    def of(self, selected: Bools, gone: Bools) -> Bools:
        """Tell which of the selected images a plan would spare."""
        taken = selected & ~self.always
        last = self._last_of_their_content(taken, ~gone)
        return selected & self.always | last | self._stuck(taken & ~last, ~gone)

    def _last_of_their_content(self, taken: Bools, there: Bools) -> Bools:
        """Find the first image of each content of which all images would be taken."""
        there = there & (self._content >= 0)
        n_there = np.bincount(self._content[there])
        n_taken = np.bincount(self._content[there & taken], minlength=len(n_there))
        lost = (n_there > 1) & (n_taken == n_there)
        rows = self._order[(there & taken)[self._order]]
        rows = rows[lost[self._content[rows]]]
        last = np.zeros_like(taken)
        last[rows[np.unique(self._content[rows], return_index=True)[1]]] = True
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
        _, stuck = hand_on(
            self._images, dict(zip(cells(ids[leaving]), cells(ids[stays]), strict=True)), ()
        )
        return np.asarray(among(ids, stuck))


def _without(part: Any, gone: pd.Index[Any]) -> Any:
    """Leave out of a protecting mask or Index what was deleted since; what was never there is for the plan to name."""
    if isinstance(part, pd.Series) and len(gone):
        return part[~np.asarray(among(part.index, gone))]
    return (
        part[~np.asarray(among(part, gone))] if isinstance(part, pd.Index) and len(gone) else part
    )
