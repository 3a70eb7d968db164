"""What is decided in a panel, beside what was decided before: in the file that was named, or held in memory."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pandas as pd

from picora_analytics.analysis.decided import Decisions
from picora_analytics.decisions import (
    add_decisions,
    change_decisions,
    decision_table,
    read_decisions,
    with_decisions,
)
from picora_analytics.times import format_instant, now

__all__ = ["LATER_DAYS", "Decided", "Word"]

LATER_DAYS = 90  # As long as an edit spares an image.

Word = Literal["keep", "delete", "later"]


class Decided:
    """
    The decisions that plans are made with.

    Parameters
    ----------
    given : path, DataFrame or None
        A path is written with each decision, unless somebody else wrote it meanwhile; a frame is copied.

    Raises
    ------
    PlanError
        If they cannot be read.
    """

    def __init__(self, given: Decisions | None) -> None:
        self._path = Path(given).expanduser() if isinstance(given, str | os.PathLike) else None
        self.table = None if given is None else decision_table(given)
        self._own: list[tuple[str, str, str]] = []

    @property
    def given(self) -> Decisions | None:
        """What a plan is given: the file, so that it is read again, or the table."""
        return self.table if self._path is None else self._path

    @property
    def name(self) -> str:
        """How a line of Python names them; empty where there are none."""
        if self._path is None and self._own:
            return "panel.decisions"
        return "" if self.table is None else "decisions"

    def own(self, image_id: str) -> str:
        """Give what was decided here of an image; empty if nothing was."""
        return next((word for one, word, _ in reversed(self._own) if one == image_id), "")

    def say(self, images: pd.DataFrame, word: Word) -> None:
        """
        Decide the same of some images.

        Raises
        ------
        PlanError, OSError
            If the file cannot be read or written; nothing was decided then.
        """
        moment = now().replace(microsecond=0)
        until = (moment.date() + dt.timedelta(days=LATER_DAYS)).isoformat()
        said = {
            "decision": word,
            "until": until if word == "later" else "",
            "decided_at": format_instant(moment),
        }
        ids = [str(one) for one in images.index]
        names = images["filename"].fillna("").astype(str)
        rows = [said | {"id": one, "filename": name} for one, name in zip(ids, names, strict=True)]
        self._add(rows)
        self._own += [(one, word, said["decided_at"]) for one in ids]

    def _add(self, rows: Sequence[dict[str, str]]) -> None:
        if self._path is not None:
            add_decisions(self._path, rows)
            self.table = read_decisions(self._path)
        else:
            self.table = with_decisions(self.table, rows)

    def take_back(self, image_id: str) -> None:
        """
        Forget what was decided here of an image; what was decided before stays.

        Raises
        ------
        PlanError, OSError
            If the file cannot be read or written.
        """
        own = {one for one in self._own if one[0] == image_id}
        if not own:
            return
        if self._path is not None:
            change_decisions(self._path, lambda table: _without(table, own))
            self.table = read_decisions(self._path)
        else:
            self.table = _without(self.table, own)
        self._own = [one for one in self._own if one[0] != image_id]


def _without(table: pd.DataFrame | None, own: set[tuple[str, str, str]]) -> pd.DataFrame | None:
    if table is None:
        return None
    said = zip(table["id"], table["decision"], table["decided_at"], strict=True)
    left: pd.DataFrame = table[[row not in own for row in said]]
    left.attrs = dict(table.attrs)
    return left
