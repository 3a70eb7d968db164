"""What a cleanup panel knows, without a widget: a choice, its plan, what must be typed, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from picora_analytics.analysis.criteria import literal
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.errors import ConfirmationError, PlanError
from picora_analytics.references.found import COULD_NOT_LOOK, References
from picora_analytics.widgets.panel.choosing import RUNNING, Choosing, Stage

__all__ = ["CleanupSession", "needed_text"]

NAMED_IN_CODE = 3  # More ids than this are not spelled out in a line of Python.
LARGE_SHARE = 0.1


def needed_text(plan: Plan, *, backup: bool = False, looked: bool = False) -> str:
    """
    Give what a person must type before a plan is carried out.

    That is the count; above a tenth of the library, without a backup, or where nobody looked for each image everywhere,
    with the word delete before it.
    """
    n, library = len(plan.images), plan.library
    large = (
        n > LARGE_SHARE * library["n_images"]
        or plan.size_bytes > LARGE_SHARE * library["size_bytes"]
    )
    return f"{n}" if backup and looked and not large else f"delete {n}"


class CleanupSession(Choosing):
    """
    The state of a cleanup, from filters to receipt.

    Parameters are those of :class:`Choosing`.
    """

    _looked = ""

    def take_references(self, found: References, line: str) -> None:
        """Heed references from now on, in a plan under review too; `line` is the Python that looked for them."""
        plan = self.plan if self.stage is Stage.PLANNED else None
        self.references, self._looked = found, f"{line}\n"
        self._filtering.refer(found)
        self._spare(self._images)
        self.void()
        self.uncount()
        self._list()
        if plan is not None:
            self.make_plan(plan.reason)

    # Lines of Python

    def filter_code(self) -> str:
        """Write the filters as the line that gives the same mask."""
        every = f'mask = pd.Series({not self.problems}, images.index, dtype="boolean")'
        return self._filtering.code() or every

    def plan_code(self, reason: str) -> str:
        """Write the line that makes the same plan, after the one that looked for references here."""
        return (
            f"{self._looked}plan = pic.plan_deletion(images, mask, reason={literal(reason)}"
            f"{self._sparing.arguments(self._decided.name)})"
        )

    def selection_code(self) -> str:
        """Write the selection as the line that gives the same mask: the filters with what differs from them."""
        rules, there, chosen = self._filtering.code(), self.selection.there, self.selection.chosen
        extra, missing = chosen & ~self._filtering.sure, self._filtering.sure & ~chosen & there
        if not rules or extra.sum() > NAMED_IN_CODE or missing.sum() > NAMED_IN_CODE:
            return "mask = panel.mask"
        if not there.all():
            return "mask = panel.mask"
        ids = self._images.index
        lines = [
            f"mask[[{', '.join(literal(image_id) for image_id in ids[rows])}]] = {value}"
            for rows, value in ((missing, False), (extra, True))
            if rows.any()
        ]
        return "; ".join([rules, *lines])

    # Plan, confirm, delete

    def reason(self) -> str:
        """Say why what is selected may go, as far as the pile or the filters say it."""
        inside = [
            pile.why
            for pile in self.piles
            if pile.may_go and not (self.selection.chosen & ~pile.rows).any()
        ]
        if inside:
            return inside[0]
        if self.filters and not (self.selection.chosen & ~self._filtering.sure).any():
            return self._filtering.words()
        return "chosen by hand"

    def make_plan(self, reason: str) -> DeletionPlan:
        """
        Plan the selection; nothing is sent.

        Raises
        ------
        PlanError
            If nothing is selected, there is no reason, a filter cannot be read, or a deletion is running.
        """
        if self.stage is Stage.DELETING:
            raise PlanError(RUNNING)
        self.void()
        if self.problems:
            raise PlanError(f"A filter cannot be read: {' '.join(self.problems.values())}")
        if not self.selection.chosen.any():
            raise PlanError("Nothing is selected; choose some images first.")
        mask = self.mask[self.selection.there]
        self.plan = self._sparing.plan(self.images, mask, reason)
        self._planned, self.stage = self.selection.chosen.copy(), Stage.PLANNED
        return self.plan

    def has_looked(self, ids: pd.Index[Any]) -> bool:
        """Tell whether someone has looked for each of these images, everywhere they meant to."""
        found = self.references
        return found is not None and not (found.status(ids) == COULD_NOT_LOOK).any()

    def kept_from(self, ids: Iterable[str]) -> dict[str, str]:
        """Tell which of some images a plan made now would spare, and why: decisions, references, protection."""
        there = self.selection.there
        rows = self._images.index.isin(list(ids)) & there
        if not rows.any():
            return {}
        plan = self._sparing.plan(
            self.images, pd.Series(rows[there], self.images.index, dtype="boolean"), "left"
        )
        return {str(one): str(why) for one, why in plan.spared["reason"].items()}

    def begin(self, typed: str, backup: str | None) -> DeletionPlan:
        """
        Take the plan to delete it, once, if it was confirmed.

        Parameters
        ----------
        typed : str
            What the person typed; blanks around it do not matter.
        backup : str or None
            The folder that images are downloaded to first; None if it was said that they cannot come back.

        Raises
        ------
        PlanError
            If there is no plan, or it is refused.
        ConfirmationError
            If the text is another, or neither a folder nor the loss was given.
        """
        plan = self._waiting_plan()
        looked = self.has_looked(plan.images.index)
        self._confirm(typed, needed_text(plan, backup=backup is not None, looked=looked), "deleted")
        if backup is not None and not backup.strip():
            raise ConfirmationError(
                "Name a folder for the backup, or say that there is none: then these images cannot come back. "
                "Nothing was deleted."
            )
        self.stage = Stage.DELETING
        return plan

    def begin_hiding(self, typed: str) -> DeletionPlan:
        """Take the plan to hide its public images, once, if their number was typed; raises as :meth:`begin` does."""
        plan = self._waiting_plan()
        self._confirm(typed, f"{int(plan.images['is_public'].fillna(False).sum())}", "hidden")
        self.stage = Stage.DELETING
        return plan

    def _waiting_plan(self) -> DeletionPlan:
        if self.stage is Stage.DELETING:
            raise PlanError("This plan is being carried out already.")
        if self.plan is None:
            raise PlanError("There is no plan of this selection; press Review first.")
        if self.plan.refusals:
            raise PlanError(f"The plan is refused: {'; '.join(map(str, self.plan.refusals))}.")
        return self.plan

    def _confirm(self, typed: str, needed: str, done: str) -> None:
        if typed.strip() != needed:
            raise ConfirmationError(
                f"You typed {literal(typed.strip()) if typed.strip() else 'nothing'}; type {literal(needed)}. "
                f"Nothing was {done}."
            )

    def finish(self, receipt: DeletionReceipt | None) -> None:
        """Note the outcomes; the plan is used up, also where nothing was sent."""
        self.stage, self.plan, self._planned = Stage.CHOOSING, None, None
        if receipt is None:
            return
        self.receipt = receipt
        outcomes = receipt.outcomes
        gone = outcomes.loc[outcomes["outcome"].isin(["deleted", "already gone"]), "id"]
        self.selection.remove(gone)
        self._show_only(None if self.months is None else self.months.rows, months=self.months)
        self.uncount()
