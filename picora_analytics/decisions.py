"""What was decided about images before: ``decisions.csv`` in and out."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from picora_analytics.errors import PlanError
from picora_analytics.files import read_text, reason_of, table_rows

__all__ = ["Decision", "read_decisions"]

_ACTIONS = ("keep", "delete", "later")


class Decision(NamedTuple):
    """What was decided about an image before."""

    action: str
    until: dt.date | None


def read_decisions(
    decisions: str | os.PathLike[str] | pd.DataFrame | None,
) -> dict[str, Decision]:
    """
    Read what was decided before: a CSV file or frame with ``id``, ``decision`` and perhaps ``until``.

    Parameters
    ----------
    decisions : path, DataFrame or None
        ``decision`` is keep, delete or later; ``until`` a day (YYYY-MM-DD), empty for ever. An apostrophe that
        protects a spreadsheet in front of an id is taken off. Of two rows of one id the last counts.

    Raises
    ------
    PlanError
        If the file is missing, or a row cannot be read; nothing is guessed.
    """
    if decisions is None:
        return {}
    found: dict[str, Decision] = {}
    for number, row in enumerate(_decision_rows(decisions), start=2):
        action = str(row.get("decision") or "").strip().lower()
        day = str(row.get("until") or "").strip()
        image_id = str(row.get("id") or "").strip().removeprefix("'")
        try:
            until = dt.date.fromisoformat(day[:10]) if day else None
        except ValueError:
            until, action = None, f"{action} until {day}"
        if action not in _ACTIONS or not image_id or (action == "later" and until is None):
            raise PlanError(
                f"decisions, row {number}: {action!r} for id {image_id!r} cannot be read; decision is keep, delete "
                "or later, and later needs until=YYYY-MM-DD."
            )
        found[image_id] = Decision(action, until)
    return found


def _decision_rows(decisions: str | os.PathLike[str] | pd.DataFrame) -> Iterable[Mapping[str, Any]]:
    if isinstance(decisions, pd.DataFrame):
        frame = decisions.reset_index() if decisions.index.name == "id" else decisions
        columns = list(frame.columns)
        rows: list[Any] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    else:
        try:
            table = table_rows(read_text(decisions))
        except (OSError, ValueError) as error:
            raise PlanError(
                f"decisions={str(decisions)!r} cannot be read: {reason_of(error)}."
            ) from error
        columns = [title.strip().lower() for title in table[0]] if table else []
        rows = [_row(columns, row, number) for number, row in enumerate(table[1:], 2) if any(row)]
    if not {"id", "decision"} <= set(columns):
        raise PlanError(f"decisions has the columns {columns}; it needs 'id' and 'decision'.")
    return rows


def _row(columns: list[str], row: list[str], number: int) -> dict[str, str]:
    if any(cell.strip() for cell in row[len(columns) :]):
        raise PlanError(
            f"decisions, row {number}: it has more cells than the {len(columns)} columns; put text with a comma "
            "into quotes."
        )
    return dict(zip(columns, row, strict=False))
