"""What a cleanup panel knows of a choice, without a widget: filters, piles, decisions, selection and goal."""

from __future__ import annotations

import enum
import functools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pandas as pd

from picora_analytics.analysis.counting import UNKNOWN
from picora_analytics.analysis.formats import summarize_formats
from picora_analytics.analysis.tags import summarize_tags
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.candidates import CandidatePile, Sorting
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import Facts, facts_of
from picora_analytics.references.found import References
from picora_analytics.text import plural
from picora_analytics.units import exact_bytes, format_share, parse_storage
from picora_analytics.widgets.gallery.selection import Bools, Selection, Tally
from picora_analytics.widgets.panel.deciding import Decided, Word
from picora_analytics.widgets.panel.filtering import Filtering
from picora_analytics.widgets.panel.months import Months
from picora_analytics.widgets.panel.sparing import Sparing

__all__ = ["RUNNING", "Choosing", "Goal", "Stage"]

MOST_SHARE = 0.25  # As plan_deletion has it by default.
RUNNING = "A deletion is running; wait for its receipt, or cancel it."


class Stage(enum.Enum):
    """How far a cleanup is."""

    CHOOSING = "choosing"
    PLANNED = "planned"
    DELETING = "deleting"


class Goal(NamedTuple):
    """What is to be freed: as it was written, in bytes (None for no goal), and what is wrong with it."""

    text: str
    wanted: int | None
    problem: str = ""


class Choosing:
    """
    What a person chooses in: filters, piles and decisions, and the selection with the plan that was made of it.

    Not thread-safe: callers that share it between threads hold a lock.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it, or some of its rows.
    free : int or str, optional
        The goal in bytes, or text such as ``"30 MiB"``.
    protect, decisions : optional
        As :func:`plan_deletion` takes them.
    references : References, optional
        What they found is spared.

    Attributes
    ----------
    selection : Selection
        What is listed and what is selected; a gallery shows the same one.

    Raises
    ------
    PlanError
        If the frame cannot feed a plan, or protection or decisions cannot be read; the message shows the line to type.
    """

    def __init__(
        self,
        images: pd.DataFrame,
        *,
        free: int | str | None = None,
        protect: Any = None,
        decisions: Any = None,
        references: Any = None,
    ) -> None:
        self._protect = protect
        self.references: References | None = references
        self.can_hide = True  # Until the service says that it cannot.
        is_path = isinstance(decisions, str | os.PathLike)
        self.decisions_file: str | os.PathLike[str] | None = decisions if is_path else None
        self._decided = Decided(decisions)
        self._spare(images)
        self._images = images
        self._library = cast(Facts, facts_of(images))
        self.selection = Selection(images)
        self._filtering = Filtering(images, references)
        self._filtering.decide(self.decisions)
        self.stage = Stage.CHOOSING
        self.plan: DeletionPlan | None = None
        self.receipt: DeletionReceipt | None = None
        self._planned: Bools | None = None
        self._known_spared: tuple[tuple[int, Sparing], Bools] | None = None
        self.candidates: Sorting | None = None
        self.version = 0  # Of what piles are made of.
        self.values: dict[str, list[tuple[str, int]]] = {}  # By their kind, once counted.
        self.piles: Sequence[CandidatePile] = ()
        self.pile: CandidatePile | None = None
        self._only: Bools | None = None
        self.suggested = 0
        self.months: Months | None = None
        self.shortfall = False
        self.set_goal("" if free is None else free)

    # The library

    @property
    def images(self) -> pd.DataFrame:
        """What is still there, with the facts of the load less what was deleted since."""
        there = self.selection.there
        if there.all():
            return self._images
        left = self._images.loc[there]
        left.attrs = self._images.attrs | {"picora": dict(self.library)}
        return left

    @property
    def library(self) -> Facts:
        """The facts of the frame, less what was deleted since."""
        gone = self.selection.tally(~self.selection.there)
        facts: Facts = {
            **self._library,
            "n_images": self._library["n_images"] - gone.n_images,
            "size_bytes": self._library["size_bytes"] - gone.size_bytes,
        }
        usage = facts.get("usage")
        if usage is not None and usage["size_bytes"] is not None:
            used = max(usage["size_bytes"] - gone.size_bytes, 0)
            facts["usage"] = {"size_bytes": used, "quota_bytes": usage["quota_bytes"]}
        return facts

    # Decisions

    @property
    def decisions(self) -> Any:
        """What was decided before and here, as :func:`plan_deletion` takes it."""
        return self._decided.given

    @property
    def decided(self) -> pd.DataFrame | None:
        """The rows of it."""
        return self._decided.table

    def decision_of(self, image_id: str) -> str:
        """Give what was decided here of an image; empty if nothing was."""
        return self._decided.own(image_id)

    def decide(self, ids: Sequence[str], word: Word | None) -> None:
        """
        Decide the same of some images, or take back what was decided here of one.

        Raises
        ------
        PlanError, OSError
            If the decisions cannot be written; nothing was decided then.
        """
        if self.stage is Stage.DELETING:
            raise PlanError(RUNNING)
        if word is None:
            for image_id in ids:
                self._decided.take_back(image_id)
        else:
            self._decided.say(self._images.loc[list(ids)], word)
        self._spare(self._images)
        self._filtering.decide(self.decisions)
        self.void()
        self.uncount()

    def keep(self, ids: Iterable[str]) -> None:
        """Take images out of the selection, and note that they are kept."""
        wanted = [ids] if isinstance(ids, str) else list(ids)
        self.decide(wanted, "keep")
        self.select(wanted, selected=False)

    def _spare(self, images: pd.DataFrame) -> None:
        self._sparing = Sparing(images, self._protect, self.decisions, self.references)

    def would_spare(self, row: int) -> str:
        """Say why a plan would leave out the image of a row; empty if it would not."""
        return self._sparing.why(row)

    @property
    def always_spared(self) -> Bools:
        """Which rows no plan would take, whatever else is selected."""
        return self._sparing.always

    # Filters, piles and the list

    @property
    def filters(self) -> Mapping[str, Any]:
        """The rules to look by and their values, by their names in :data:`FILTERS`; all must be met."""
        return self._filtering.values

    @filters.setter
    def filters(self, filters: Mapping[str, Any]) -> None:
        self._filtering.set(filters)
        if self.problems:
            self.void()  # Nobody knows what was meant: nothing matches, and nothing is planned.
        self._show_only(None)

    @property
    def problems(self) -> dict[str, str]:
        """What cannot be read, by the name of its rule."""
        return self._filtering.problems

    def _show_only(
        self, rows: Bools | None, *, suggested: int = 0, months: Months | None = None
    ) -> None:
        """List some rows whatever the filters, and remember why; None lists by the filters."""
        self._only, self.suggested, self.months = rows, suggested, months
        self._list()

    def _list(self) -> None:
        wanted = self._filtering.sure
        if self._only is not None:
            wanted = self._only
        elif self.pile is not None:
            wanted = wanted & self.pile.rows
        self.selection.show(None if wanted.all() else wanted)

    @property
    def matching(self) -> Tally:
        """What is listed, and how many images the filters cannot tell of."""
        tally = self.selection.tally(self.selection.matching)
        unknown = self._filtering.perhaps & ~self._filtering.sure & self.selection.there
        return tally._replace(unknown=int(unknown.sum()))

    def count(self, name: str, value: Any) -> int | None:
        """Count what one rule matches by itself; None if it cannot read its value."""
        try:
            return int((self._filtering.answer(name, value)[0] & self.selection.there).sum())
        except ValueError:
            return None

    def counted(self, name: str, value: Any) -> int | None:
        """Give what one rule matches by itself, if that was asked before."""
        known = self._filtering.known(name, value)
        return None if known is None else int((known & self.selection.there).sum())

    def count_values(self) -> dict[str, list[tuple[str, int]]]:
        """Give the tags and formats there are with their numbers of images, the most frequent first."""
        formats = summarize_formats(self.images)
        known = formats[formats["mime_type"] != UNKNOWN]
        tables = {"tags": summarize_tags(self.images), "formats": known}
        return {
            kind: sorted(
                zip(table.iloc[:, 0].tolist(), table["n_images"].tolist(), strict=True),
                key=lambda pair: (-pair[1], pair[0]),
            )
            for kind, table in tables.items()
        }

    def open_pile(self, name: str) -> None:
        """List one pile; the one that is listed is closed."""
        open_ = self.pile
        found = [pile for pile in self.piles if pile.name == name]
        self.pile = None if open_ is not None and open_.name == name else next(iter(found), None)
        self._show_only(None)

    @property
    def only(self) -> bool:
        """Whether the list shows what was selected at a moment, whatever the filters."""
        return self._only is not None

    def show_selected(self, on: bool = True) -> None:
        """List what is selected now; what is deselected later stays listed."""
        self._show_only(self.selection.chosen.copy() if on else None)

    def open_month(self) -> None:
        """Narrow what is selected to its newest month and list that; then to the next of what it was."""
        if self.months is None:
            self.months = Months(self._images, self.selection.chosen)
        else:
            self.months.next()
        rows = self.months.rows
        self._choose(rows)
        self._show_only(rows, months=self.months)

    # Piles and the goal

    def uncount(self) -> None:
        """Say that the piles are no longer right: what they were made of changed."""
        self.candidates, self.version = None, self.version + 1

    def counting(self) -> Callable[[], Sorting]:
        """Give what sorts the images that are there now into piles; it takes a while, on whichever thread."""
        return functools.partial(
            Sorting,
            self.images,
            references=self.references,
            decisions=self.decisions,
            protect=self._sparing.protection(self.images),
        )

    def take_candidates(self, candidates: Sorting) -> None:
        """Take the piles; a list that shows one goes on as it is, so that nobody loses the place."""
        there = np.flatnonzero(self.selection.there)
        self.candidates = candidates
        self.piles = [
            pile._replace(rows=self._among(there[pile.rows])) for pile in candidates.piles()
        ]

    def _among(self, rows: Any) -> Bools:
        found = np.zeros(len(self._images), dtype=bool)
        found[rows] = True
        return found

    def set_goal(self, text: int | str) -> None:
        """Take another goal; what cannot be read is none, and says so."""
        self.shortfall = False
        if isinstance(text, int):
            text = exact_bytes(text) if text >= 0 else str(text)
        text = text.strip()
        try:
            self.goal = Goal(text, parse_storage(text) if text else None)
        except ValueError:
            self.goal = Goal(text, None, f"“{text}” is not a size. Write it like 30 MiB.")

    def suggest_rest(self) -> int:
        """
        Add the least missed images until the goal is reached; give how many.

        Raises
        ------
        PlanError
            If there is no goal, or the piles are not counted yet.
        """
        if self.goal.wanted is None or self.candidates is None:
            raise PlanError(self.goal.problem or "Nothing can be suggested yet.")
        missing = max(self.goal.wanted - self.going.size_bytes, 0)
        there = self.selection.there
        rows = self.candidates.fewest(missing, self.selection.chosen[there])
        chosen = self._among(np.flatnonzero(there)[rows])
        before = self.selection.chosen
        if chosen.any():
            self.selection.choose(before | chosen)
            self.changed()
        self.shortfall = self.going.size_bytes < self.goal.wanted
        if chosen.any():
            self._show_only(chosen, suggested=int(chosen.sum()))
        return int(chosen.sum())

    # The selection

    @property
    def mask(self) -> pd.Series[Any]:
        """The selection, over the ids of the frame that was given."""
        return self.selection.mask

    def is_selected(self, image_id: str) -> bool:
        """Tell whether an image is selected."""
        return bool(self.selection.chosen[self._images.index.get_loc(image_id)])

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
        rows = self.selection.chosen.copy()
        rows[places] = selected
        self._choose(rows)

    def select_matching(self) -> None:
        """Add all that is listed."""
        self._choose(self.selection.chosen | self.selection.matching)

    def select_none(self) -> None:
        """Deselect everything."""
        self._choose(np.zeros(len(self._images), dtype=bool))

    def _choose(self, rows: Bools) -> None:
        if self.stage is Stage.DELETING:
            raise PlanError(RUNNING)
        rows = rows & self.selection.there
        if not np.array_equal(rows, self.selection.chosen):
            self.selection.choose(rows)
            self.changed()

    def changed(self) -> None:
        """Void the plan if it is no longer what is selected."""
        if self._planned is not None and not np.array_equal(self._planned, self.selection.chosen):
            self.void()

    @property
    def selected(self) -> Tally:
        """What is selected."""
        return self.selection.tally(self.selection.chosen)

    @property
    def spared_rows(self) -> Bools:
        """What of the selection a plan would leave out."""
        known, stamp = self._known_spared, (self.selection.changes, self._sparing)
        if known is None or known[0] != stamp:
            rows = self._sparing.of(self.selection.chosen, ~self.selection.there)
            known = self._known_spared = stamp, rows
        return known[1]

    @property
    def spared(self) -> Tally:
        """What of the selection a plan would leave out."""
        return self.selection.tally(self.spared_rows)

    @property
    def going(self) -> Tally:
        """What of the selection a plan would take."""
        return self.selection.tally(self.selection.chosen & ~self.spared_rows)

    @property
    def refusal(self) -> str:
        """Say why what is selected is too much for one plan; empty if it is not."""
        going, library = self.going, self.library
        for part, whole, words in (
            (going.n_images, library["n_images"], "library"),
            (going.size_bytes, library["size_bytes"], "storage"),
        ):
            if part > MOST_SHARE * whole:
                fewer = "choose fewer" if self.months else "choose fewer, or go month by month"
                return (
                    f"{plural(going.n_images, 'image')} are {format_share(part, whole)} of the {words}. "
                    f"One review takes a quarter at most: {fewer}."
                )
        return ""

    def void(self) -> None:
        """Forget the plan: it is no longer what is selected."""
        if self.stage is not Stage.DELETING:
            self.plan, self._planned, self.stage = None, None, Stage.CHOOSING
