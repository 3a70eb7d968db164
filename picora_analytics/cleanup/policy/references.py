"""The list of images in use that a policy names: read strictly, and matched against the library."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from picora_analytics.analysis.matching import Images
from picora_analytics.cleanup.plan.columns import cells
from picora_analytics.errors import PicoraError, PlanError
from picora_analytics.files import read_text, reason_of, table_rows
from picora_analytics.library.frame import Facts
from picora_analytics.references.found import References, read_references
from picora_analytics.text import folded, plural, shorten
from picora_analytics.times import day_and_time, parse_instant

__all__ = ["UsedList", "read_used_list", "refuse_doubtful", "refuse_outdated", "used_ids"]

# A spreadsheet that saved the file may have put quotes around a line of the head, and separators after it.
_HEAD = re.compile(
    r'^\s*"?#\s*(?P<key>found|account|incomplete)\b:?\s*(?P<value>.*?)[\s",;]*$', re.IGNORECASE
)
# This part of the entries may fit no image, or only nearly: pages do link to images long gone.
_NOTICEABLE = 0.05
# The clocks of two machines differ a little.
_AHEAD = dt.timedelta(minutes=5)
_ID_COLUMNS = ("id", "imageid", "image_id")


class UsedList(NamedTuple):
    """
    A list of images in use.

    Attributes
    ----------
    name : str
        Its path, for messages.
    entries : list of str
        Ids, addresses or file names, as they stand there.
    found_at : datetime
        When they were looked for.
    account : str
        The first letters of the account whose images were looked for; empty if it does not say.
    incomplete : str or None
        Why the search was not complete; None if it was.
    references : References or None
        The whole of it, where the file is one that `References.write` made.
    """

    name: str
    entries: list[str]
    found_at: dt.datetime
    account: str
    incomplete: str | None
    references: References | None = None


def read_used_list(path: Path) -> UsedList:
    """
    Read a list of images in use.

    Parameters
    ----------
    path : Path
        First a line ``# found 2026-11-24T10:00:00Z``, perhaps ``# account 1a2b3c4d`` and ``# incomplete why``; then
        an entry a line, or a table with a column ``id``. Or the JSON of ``References.write`` and the command scan.

    Raises
    ------
    PlanError
        If it cannot be read, does not say when it was made, has a row without an id, or no entry at all.
    """
    name = str(path)
    try:
        text = read_text(path)
    except (OSError, ValueError) as error:
        raise PlanError(f"The references {name!r} cannot be read: {reason_of(error)}.") from None
    if text.lstrip().startswith("{"):
        return _from_references(path)
    lines = text.splitlines(keepends=True)
    n_head = next((n for n, line in enumerate(lines) if not _is_comment(line)), len(lines))
    head: dict[str, str] = {}
    for line in lines:  # What breaks off says so at its end.
        if match := _HEAD.match(line):
            head.setdefault(match["key"].lower(), match["value"])
    entries = list(_entries("".join(lines[n_head:]), name, n_head))
    if not entries:
        raise PlanError(f"{name!r} holds no id; a scan that found nothing proves nothing.")
    account = head.get("account", "")
    return UsedList(name, entries, _found_at(head, name), account, head.get("incomplete"))


def _from_references(path: Path) -> UsedList:
    try:
        references = read_references(path)
    except PlanError:
        raise
    except PicoraError as error:
        raise PlanError(str(error)) from None
    name, entries = str(path), list(references.found["id"].unique())
    if not entries:
        raise PlanError(f"{name!r} holds no id; a scan that found nothing proves nothing.")
    if references.account is None:
        raise PlanError(
            f"{name!r} was made from bare ids and does not say of which account; look for references with the key."
        )
    incomplete = None if references.complete else "; ".join(references.problems(1))
    return UsedList(
        name, entries, references.scanned_at, references.account, incomplete, references
    )


def _is_comment(line: str) -> bool:
    return line.lstrip(' "').startswith("#") or not line.strip()


def _found_at(head: dict[str, str], name: str) -> dt.datetime:
    said = head.get("found", "")
    try:
        # Without a zone, it may be off by half a day.
        zoned = dt.datetime.fromisoformat(said).tzinfo is not None
        found_at = parse_instant(said) if zoned else None
    except ValueError:
        found_at = None
    if found_at is None:
        raise PlanError(
            f"{name!r} does not say when its ids were found; its first line must be like "
            "'# found 2026-11-24T10:00:00Z'."
        )
    return found_at


def _entries(text: str, name: str, n_head: int) -> Iterator[str]:
    """Give the entries of a table with a column of ids, else the lines as they are."""
    try:
        rows = table_rows(text)
    except ValueError as error:
        # An open quote would swallow the rows behind it.
        raise PlanError(
            f"The references {name!r} cannot be read as a table: {error}. Mend the file; what is not read protects "
            "nothing."
        ) from None
    columns = [folded(cell) for cell in rows[0]] if rows else []
    column = next((n for n, title in enumerate(columns) if title in _ID_COLUMNS), None)
    if column is None:
        lines = (line.strip() for line in text.splitlines())
        yield from (line.removeprefix("'") for line in lines if line and not line.startswith("#"))
        return
    for number, row in enumerate(rows[1:], start=n_head + 2):
        if not any(cell.strip() for cell in row):
            continue
        # A cell too many or too few is a comma in a name: the id may stand in another column.
        entry = row[column].strip().removeprefix("'") if len(row) > column else ""
        if (
            not entry
            or any(cell.strip() for cell in row[len(columns) :])
            or len(row) < len(columns)
        ):
            raise PlanError(
                f"{name!r}, row {number}: {shorten(', '.join(row), 60)!r} does not have the "
                f"{plural(len(columns), 'column')} of the table, so its id is not known. Mend the file; what is not "
                "read protects nothing."
            )
        yield entry


def refuse_outdated(used: UsedList, max_age: dt.timedelta, now: dt.datetime) -> None:
    """
    Refuse a list that does not prove what is in use now.

    Raises
    ------
    PlanError
        If it is too old, from the future, or incomplete.
    """
    if not -_AHEAD <= now - used.found_at <= max_age:
        raise PlanError(
            f"{used.name!r} was made on {day_and_time(used.found_at)}, and the policy allows an age of "
            f"{max_age}; look for references again."
        )
    if used.incomplete is not None:
        why = f": {shorten(used.incomplete, 80)}" if used.incomplete else ""
        raise PlanError(
            f"{used.name!r} says that it is incomplete{why}. What was not searched may be where an image is used; "
            "look for references again."
        )


def used_ids(path: Path, max_age: dt.timedelta, now: dt.datetime) -> list[str]:
    """Read a list of images in use that proves what is in use now; PlanError if it does not."""
    used = read_used_list(path)
    refuse_outdated(used, max_age, now)
    return used.entries


def refuse_doubtful(used: UsedList, images: pd.DataFrame, facts: Facts) -> None:
    """
    Refuse a list that does not fit the library: what is not recognized may be in use all the same.

    Raises
    ------
    PlanError
        If it is of another account, or a noticeable part of it fits no image or only nearly.
    """
    account = folded(used.account)
    if account and not (len(account) >= 8 and facts["account"].startswith(account)):
        raise PlanError(
            f"{used.name!r} is of account {shorten(used.account, 16)}, and this library of {facts['account'][:8]}; "
            "look for references to this one."
        )
    known = Images(images)
    matched = known.match(used.entries)
    n = len(set(used.entries))
    if not matched.ids:
        raise PlanError(
            f"None of the {plural(n, 'id')} in {used.name!r} is in this library; they are of another one, or the scan "
            "went wrong."
        )
    names = set(cells(images["filename"]))
    near = [entry for entry in matched.near if entry not in names]
    if len(near) + len(matched.unmatched) > _NOTICEABLE * n:
        raise PlanError(
            f"{matched._replace(near=near, n_exact=n - len(near) - len(matched.unmatched)).line(used.name, known)}. "
            "That is too much to go on unattended: what is not recognized may be in use all the same. Look where "
            "the list comes from, and write ids."
        )
