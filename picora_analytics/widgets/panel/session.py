"""What a cleanup panel knows, without a widget: filters, page, selection, plan, and what must be typed."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
import pandas as pd

from picora_analytics.analysis.criteria import RULES, Criteria, literal
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.errors import ConfirmationError, PlanError, SchemaError
from picora_analytics.library.frame import Facts, facts_of, total_bytes
from picora_analytics.references.found import COULD_NOT_LOOK, References
from picora_analytics.widgets.gallery.orders import ORDERS, Ints, in_order
from picora_analytics.widgets.gallery.selection import Bools, Tally
from picora_analytics.widgets.panel.sparing import Sparing

__all__ = ["PAGE_SIZE", "CleanupSession", "Stage", "needed_text"]

PAGE_SIZE = 24
NAMED_IN_CODE = 3  # More ids than this are not spelled out in a line of Python.
LARGE_SHARE = 0.1
_UNREADABLE = {
    "days": "a number of days",
    "date": "a date; pick one, such as 2024-01-31",
    "size": "a size; write it like 5 MiB",
    "references": "known: make the panel with references=pic.find_references(...)",
    "decision": "known: make the panel with decisions=, such as decisions.csv",
    "hidden": "known: make the panel with decisions=, such as decisions.csv",
}
_KINDS = {rule.name: rule.kind for rule in RULES}


class Stage(enum.Enum):
    """How far a cleanup is."""

    CHOOSING = "choosing"
    PLANNED = "planned"
    DELETING = "deleting"


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


class CleanupSession:
    """
    The state of a cleanup, from filters to receipt.

    Not thread-safe: callers that share it between threads hold a lock.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it, or some of its rows.
    protect, decisions : optional
        As :func:`plan_deletion` takes them.
    references : References, optional
        What they found is spared.

    Raises
    ------
    PlanError
        If the frame cannot feed a plan, or protection or decisions cannot be read; the message shows the line to type.
    """

    def __init__(
        self,
        images: pd.DataFrame,
        *,
        protect: Any = None,
        decisions: Any = None,
        references: Any = None,
    ) -> None:
        self._sparing = Sparing(images, protect, decisions, references)
        self.references: References | None = references
        self.can_hide = True  # Until the service says that it cannot.
        self._references, self._decisions = references, decisions
        is_path = isinstance(decisions, str | os.PathLike)
        self.decisions_file: str | os.PathLike[str] | None = decisions if is_path else None
        self._images = images
        self._library = cast(Facts, facts_of(images))
        self._size = images["size_bytes"].fillna(0).astype("int64")
        self._selected = np.zeros(len(images), dtype=bool)
        self._gone = np.zeros(len(images), dtype=bool)
        self._answers: dict[str, tuple[Any, Bools, Bools]] = {}
        self.stage = Stage.CHOOSING
        self.plan: DeletionPlan | None = None
        self.receipt: DeletionReceipt | None = None
        self.problems: dict[str, str] = {}
        self._order = next(iter(ORDERS))
        self._orders: dict[str, Ints] = {}
        self._only_selected = False
        self.filters = {}

    # The library

    @property
    def images(self) -> pd.DataFrame:
        """What is still there, with the facts of the load less what was deleted since."""
        if not self._gone.any():
            return self._images
        left = self._images.loc[~self._gone]
        left.attrs = self._images.attrs | {"picora": dict(self.library)}
        return left

    @property
    def library(self) -> Facts:
        """The facts of the frame, less what was deleted since."""
        gone = self._tally(self._gone)
        return {
            **self._library,
            "n_images": self._library["n_images"] - gone.n_images,
            "size_bytes": self._library["size_bytes"] - gone.size_bytes,
        }

    def _tally(self, rows: Bools, unknown: int = 0) -> Tally:
        return Tally(int(rows.sum()), total_bytes(self._size[rows]), unknown)

    # Filters

    @property
    def filters(self) -> Mapping[str, Any]:
        """The rules to look by and their values, by the names in :class:`Criteria`; all must be met."""
        return self._filters

    @filters.setter
    def filters(self, filters: Mapping[str, Any]) -> None:
        sure = np.ones(len(self._images), dtype=bool)
        perhaps = sure.copy()
        self._filters, self.problems = dict(filters), {}
        for name, value in filters.items():
            try:
                surely, possibly = self._answer(name, value)
            except SchemaError as error:
                self.problems[name] = str(error)
            except ValueError:
                shown = "" if value is None else value
                self.problems[name] = (
                    f"“{shown}” is not {_UNREADABLE.get(_KINDS[name], 'a value')}."
                )
            else:
                sure &= surely
                perhaps &= possibly
        if self.problems:
            # Nobody knows what was meant: nothing matches, and nothing is planned.
            sure[:], perhaps[:] = False, False
            self.void()
        self._matching = sure
        self._unknown = int((perhaps & ~sure & ~self._gone).sum())
        self._page = 0
        self._list()

    def _answer(self, name: str, value: Any) -> tuple[Bools, Bools]:
        """Ask one rule which images it matches for sure, and which perhaps."""
        known = self._answers.get(name)
        if known is None or known[0] != value:
            criteria = Criteria(**{name: value})
            mask = criteria.mask(self._images, self._references, self._decisions)
            sure = mask.fillna(False).to_numpy(dtype=bool)
            known = self._answers[name] = value, sure, mask.fillna(True).to_numpy(dtype=bool)
        return known[1:]

    @property
    def matching(self) -> Tally:
        """What the filters match, and how many images they cannot tell of."""
        return self._tally(self._matching & ~self._gone, self._unknown)

    def count(self, name: str, value: Any) -> int | None:
        """Count what one rule matches by itself; None if it cannot read its value."""
        try:
            return int((self._answer(name, value)[0] & ~self._gone).sum())
        except ValueError:
            return None

    def tags(self) -> list[tuple[str, int]]:
        """Give each tag with its number of images, the most frequent first."""
        lists = self._images.loc[~self._gone, "tags"]
        counted = lists[[tags is not None and len(tags) > 0 for tags in lists]].map(set)
        counts = counted.explode().value_counts()
        return sorted(
            ((str(tag), int(n)) for tag, n in counts.items()), key=lambda pair: (-pair[1], pair[0])
        )

    # The list

    @property
    def order(self) -> str:
        """One of :data:`ORDERS`."""
        return self._order

    @order.setter
    def order(self, order: str) -> None:
        if order not in ORDERS:
            raise ValueError(f"order={order!r} is none of {', '.join(ORDERS)}.")
        self._order, self._page = order, 0
        self._list()

    @property
    def only_selected(self) -> bool:
        """Whether the list shows the selection, whatever the filters."""
        return self._only_selected

    @only_selected.setter
    def only_selected(self, only: bool) -> None:
        self._only_selected, self._page = only, 0
        self._list()

    def _list(self) -> None:
        """Note which rows are listed and in which order; rows deselected later stay until the next call."""
        wanted = (self._selected if self._only_selected else self._matching) & ~self._gone
        if self._order not in self._orders:
            self._orders[self._order] = in_order(self._images, self._order)
        rows = self._orders[self._order]
        self._listed = rows[wanted[rows]]
        self._page = min(self._page, self.n_pages - 1)

    @property
    def n_listed(self) -> int:
        """How many images the list has, on all pages."""
        return len(self._listed)

    @property
    def n_pages(self) -> int:
        """How many pages the list has; an empty list has one."""
        return max(-(-len(self._listed) // PAGE_SIZE), 1)

    @property
    def page(self) -> int:
        """The page shown, counted from 0; setting one beyond the end gives the last."""
        return self._page

    @page.setter
    def page(self, page: int) -> None:
        self._page = max(0, min(page, self.n_pages - 1))

    def turn(self, pages: int) -> None:
        """Go some pages on, or back."""
        self.page += pages

    def rows(self) -> pd.DataFrame:
        """Give the rows of the page shown."""
        start = self._page * PAGE_SIZE
        return self._images.iloc[self._listed[start : start + PAGE_SIZE]]

    # The selection

    @property
    def mask(self) -> pd.Series[Any]:
        """The selection, over the ids of the frame that was given."""
        return pd.Series(self._selected, self._images.index, dtype="boolean", name="selected")

    def is_selected(self, image_id: str) -> bool:
        """Tell whether an image is selected."""
        return bool(self._selected[self._images.index.get_loc(image_id)])

    def select(self, ids: str | Iterable[str], selected: bool = True) -> None:
        """
        Select images, or deselect them.

        Raises
        ------
        KeyError
            If one of them is not in the frame.
        """
        wanted = [ids] if isinstance(ids, str) else list(ids)
        places = self._images.index.get_indexer(pd.Index(wanted, dtype=object))
        if (places < 0).any():
            raise KeyError(wanted[int(np.argmin(places))])
        rows = self._selected.copy()
        rows[places] = selected
        self._choose(rows)

    def keep(self, ids: Iterable[str]) -> None:
        """Take images out of the selection."""
        self.select(ids, False)

    def select_matching(self) -> None:
        """Add all that the filters match."""
        self._choose(self._selected | self._matching)

    def select_none(self) -> None:
        """Deselect everything."""
        self._choose(np.zeros_like(self._selected))

    def _choose(self, rows: Bools) -> None:
        if self.stage is Stage.DELETING:
            raise PlanError("A deletion is running; wait for its receipt, or cancel it.")
        rows &= ~self._gone
        if not np.array_equal(rows, self._selected):
            self._selected = rows
            self.void()

    @property
    def selected(self) -> Tally:
        """What is selected."""
        return self._tally(self._selected)

    @property
    def spared(self) -> Tally:
        """What of the selection a plan would leave out."""
        return self._tally(self._sparing.of(self._selected, self._gone))

    @property
    def n_selected_elsewhere(self) -> int:
        """How many selected images the filters do not match."""
        return int((self._selected & ~self._matching).sum())

    # Lines of Python

    def filter_code(self) -> str:
        """Write the filters as the line that gives the same mask."""
        rules = "" if self.problems else Criteria(**self._filters).code()
        every = f'pd.Series({not self.problems}, images.index, dtype="boolean")'
        return f"mask = {rules or every}"

    def plan_code(self, reason: str) -> str:
        """Write the line that makes the same plan."""
        return (
            f"plan = pic.plan_deletion(images, mask, reason={literal(reason)}"
            f"{self._sparing.arguments()})"
        )

    def selection_code(self) -> str:
        """Write the selection as what must be typed after the filters."""
        there = ~self._gone
        extra = self._selected & ~self._matching
        missing = self._matching & ~self._selected & there
        if extra.sum() > NAMED_IN_CODE or missing.sum() > NAMED_IN_CODE or self._gone.any():
            return "mask = panel.mask"
        lines = [
            f"mask[[{', '.join(literal(image_id) for image_id in self._images.index[rows])}]] = {value}"
            for rows, value in ((missing, False), (extra, True))
            if rows.any()
        ]
        return "; ".join(lines) or "images[mask]"

    # Plan, confirm, delete

    def void(self) -> None:
        """Forget the plan: it is no longer what is selected."""
        if self.stage is not Stage.DELETING:
            self.plan, self.stage = None, Stage.CHOOSING

    def make_plan(self, reason: str) -> DeletionPlan:
        """
        Plan the selection; nothing is sent.

        Raises
        ------
        PlanError
            If nothing is selected, there is no reason, a filter cannot be read, or a deletion is running.
        """
        if self.stage is Stage.DELETING:
            raise PlanError("A deletion is running; wait for its receipt, or cancel it.")
        self.void()
        if self.problems:
            raise PlanError(f"A filter cannot be read: {' '.join(self.problems.values())}")
        if not self._selected.any():
            raise PlanError("Nothing is selected; tick some images first.")
        self.plan = self._sparing.plan(self.images, self.mask[~self._gone], reason)
        self.stage = Stage.PLANNED
        return self.plan

    def has_looked(self, ids: pd.Index[Any]) -> bool:
        """Tell whether someone has looked for each of these images, everywhere they meant to."""
        found = self.references
        return found is not None and not (found.status(ids) == COULD_NOT_LOOK).any()

    def kept_from(self, ids: Iterable[str]) -> dict[str, str]:
        """Tell which of some images a plan made now would spare, and why: decisions, references, protection."""
        rows = self._images.index.isin(list(ids)) & ~self._gone
        if not rows.any():
            return {}
        plan = self._sparing.plan(
            self.images, pd.Series(rows[~self._gone], self.images.index, dtype="boolean"), "left"
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
        self.stage, self.plan = Stage.CHOOSING, None
        if receipt is None:
            return
        self.receipt = receipt
        outcomes = receipt.outcomes
        gone = outcomes.loc[outcomes["outcome"].isin(["deleted", "already gone"]), "id"]
        self._gone |= self._images.index.isin(gone)
        self._selected &= ~self._gone
        self._list()
