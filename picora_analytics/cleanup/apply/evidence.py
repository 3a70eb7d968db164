"""What proves that an image was hidden by us, and was public before: a receipt, a journal, or a noted decision."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from picora_analytics.cleanup.apply.journal import Past, read_journal
from picora_analytics.cleanup.apply.receipt import FORMAT, DeletionReceipt
from picora_analytics.cleanup.plan.deeds import HIDE
from picora_analytics.cleanup.plan.document import digest, plan_from
from picora_analytics.cleanup.plan.hidden import PUBLIC_BEFORE
from picora_analytics.decisions import decision_table
from picora_analytics.errors import PlanError
from picora_analytics.files import read_json, reason_of
from picora_analytics.text import shorten
from picora_analytics.times import parse_instant

__all__ = ["Hidden", "read_evidence"]

_NEEDED = (
    "give the receipt of plan.hide (itself, or the .json that it wrote), its journal, or the decisions.csv that it "
    "was noted in"
)


class Hidden(NamedTuple):
    """
    The images that we hid, and that were public before.

    Attributes
    ----------
    at : dict of id to datetime or None
        The service's update time right after that, as far as it was told.
    exact : bool
        Whether an image counts only with exactly that update time: a table may have been edited by hand.
    account : str or None
        Whose they are, where that is said.
    unproved : dict of id to str
        Images that are said to be hidden without a proof, and what is missing.
    done_at : datetime or None
        When the hiding ended, by this machine's clock, where that is said.
    """

    at: dict[str, dt.datetime | None]
    exact: bool
    account: str | None
    unproved: dict[str, str]
    done_at: dt.datetime | None = None


def read_evidence(source: Any) -> Hidden:
    """
    Read which images were hidden by us.

    Raises
    ------
    PlanError, JournalError
        If it is no evidence, cannot be read, or was edited.
    """
    if isinstance(source, DeletionReceipt):
        rows = source.outcomes.to_dict("records")
        return _of_receipt(rows, source.deed, source.library, "This receipt", source.finished_at)
    if isinstance(source, pd.DataFrame):
        return _of_decisions(source)
    if not isinstance(source, str | os.PathLike):
        raise PlanError(f"A {type(source).__name__} does not prove what was hidden; {_NEEDED}.")
    path = Path(source).expanduser()
    kind = path.suffix.lower()
    if kind == ".csv":
        return _of_decisions(path)
    if kind == ".ndjson":
        return _of_journal(path)
    return _of_file(path)


def _of_receipt(
    rows: Iterable[Mapping[Any, Any]],
    deed: str,
    library: Mapping[str, Any],
    name: str,
    done_at: dt.datetime | None,
) -> Hidden:
    if deed != HIDE.name:
        raise PlanError(f"{name} is not of a hiding, so it proves nothing of it; {_NEEDED}.")
    found = {
        str(row["id"]): None if pd.isna(row.get("hidden_at")) else row["hidden_at"]
        for row in rows
        if row["outcome"] == HIDE.done
    }
    at = {
        one: parse_instant(moment) if isinstance(moment, str) else moment
        for one, moment in found.items()
    }
    return Hidden(at, False, str(library["account"]), {}, done_at)


def _of_file(path: Path) -> Hidden:
    name = f"The receipt {str(path)!r}"
    try:
        document = read_json(path)
    except OSError as error:
        raise PlanError(f"{name} cannot be read: {reason_of(error)}.") from None
    except ValueError:
        raise PlanError(f"{name} is cut off or not JSON; {_NEEDED}.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PlanError(f"{name} is no receipt; {_NEEDED}.")
    if document.get("digest") != digest(document):
        raise PlanError(f"{name} was edited, so it proves nothing any more; give its journal.")
    try:
        done_at = parse_instant(document["finished_at"])
        return _of_receipt(
            document["outcomes"], document["deed"], document["library"], name, done_at
        )
    except PlanError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PlanError(f"{name} lacks a part ({error}); {_NEEDED}.") from error


def _of_journal(path: Path) -> Hidden:
    past = read_journal(path)
    if past is None:
        raise PlanError(f"There is no journal {str(path)!r}; {_NEEDED}.")
    return of_past(past, path)


def of_past(past: Past, path: Path) -> Hidden:
    """Read a journal that is of a hiding."""
    name = f"The journal {str(path)!r}"
    plan = plan_from(past.plan, f"The plan in {name[0].lower()}{name[1:]}", None)
    if plan.deed is not HIDE:
        raise PlanError(
            f"{name} is of {plan.deed.of}, so it proves nothing of a hiding; {_NEEDED}."
        )
    hidden = {
        one: past.times.get(one)
        for one, (outcome, _) in past.outcomes.items()
        if outcome == HIDE.done and plan.states[one].is_public
    }
    return Hidden(hidden, False, plan.library["account"], {}, past.last_at)


def _of_decisions(source: Path | pd.DataFrame) -> Hidden:
    table = decision_table(source)
    at: dict[str, dt.datetime | None] = {}
    unproved: dict[str, str] = {}
    for row in table[table["decision"] == "hidden"].to_dict("records"):
        moment = _instant(row["decided_at"])
        if PUBLIC_BEFORE not in row["note"]:
            unproved[row["id"]] = (
                f"its decision does not say {PUBLIC_BEFORE!r}, as those of plan.hide do"
            )
        elif moment is None:
            shown = shorten(row["decided_at"], 40)
            unproved[row["id"]] = (
                f"its decision does not say when it was hidden: decided_at is {shown!r}"
            )
        else:
            earlier = at.get(row["id"])
            at[row["id"]] = moment if earlier is None else max(earlier, moment)
    return Hidden(at, True, None, {one: why for one, why in unproved.items() if one not in at})


def _instant(text: str) -> dt.datetime | None:
    try:
        return parse_instant(text) if text else None
    except ValueError:
        return None
