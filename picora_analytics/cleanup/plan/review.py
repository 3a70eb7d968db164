"""A review in a spreadsheet: the rows of a plan go out as CSV, and what was struck out is kept."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from picora_analytics.analysis.decided import standing
from picora_analytics.cleanup.plan.columns import among
from picora_analytics.cleanup.plan.document import load_plan, save_plan
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.decisions import read_rows
from picora_analytics.errors import PlanError
from picora_analytics.files import write_csv
from picora_analytics.text import shorten

__all__ = ["Review", "read_review", "write_review"]


class Review(NamedTuple):
    """What came back: the plan that is left, the rows that were struck out, and lines that do not fit their image."""

    plan: Plan
    struck: pd.DataFrame
    lines: list[str]


def write_review(plan: Plan, path: Path) -> Path:
    """Write the rows as CSV, and the plan beside them, against which they are read again."""
    write_csv(plan.images.reset_index(), path)
    save_plan(plan, _beside(path))
    return path


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.plan.json")


def read_review(path: Path) -> Review:
    """
    Read rows that were reviewed: a line that is missing is kept.

    A row whose file name or address is not that of its id, as after a column was sorted alone, chooses nothing.

    Raises
    ------
    PlanError
        If it cannot be read, the plan beside it is missing or edited, or an id was not shown.
    """
    if not _beside(path).exists():
        raise PlanError(
            f"There is no {_beside(path).name!r} beside {str(path)!r}, which says what was shown; keep the two "
            "together, or write both again."
        )
    plan = load_plan(_beside(path))
    columns, rows, _ = read_rows(path, "review")
    if "id" not in columns:
        raise PlanError(f"{str(path)!r} has the columns {columns}; it needs 'id'.")
    for number, row in rows:
        word = row.get("decision", "").strip()
        if word.casefold() not in ("", "delete"):
            raise PlanError(
                f"{str(path)!r}, row {number}: its column 'decision' says {shorten(word, 40)!r}, and here only "
                "a row that is missing is kept. Strike out the rows to keep, remove that column, and give it again."
            )
    said = [
        {"id": row.get("id", "").removeprefix("'"), "decision": "delete"}
        | {name: row.get(name, "") for name in ("filename", "url")}
        for _, row in rows
    ]
    table = pd.DataFrame(
        said,
        columns=["id", "decision", "filename", "url"],
        index=pd.Index([number for number, _ in rows], name="line", dtype="int64"),
        dtype=object,
    )
    foreign = table[~among(pd.Index(table["id"], dtype=object), plan.images.index)]
    if len(foreign):
        raise PlanError(
            f"{str(path)!r}, row {foreign.index[0]}: {shorten(foreign['id'].iloc[0], 60)!r} was not shown there; rows "
            "may be struck out, not added."
        )
    found = standing(plan.images, table)
    stays = {one for one, word in found.of.items() if word == "delete"} - set(found.spared)
    struck = plan.images[~among(plan.images.index, stays)]
    lines = [line.replace("decisions, line", f"{path.name}, line", 1) for line in found.lines]
    return Review(plan.without(list(struck.index)), struck, lines)
