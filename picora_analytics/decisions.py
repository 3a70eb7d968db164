"""What was decided about images before: ``decisions.csv`` in and out, whatever spreadsheet had it in between."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from picora_analytics.errors import PlanError
from picora_analytics.files import data_folder, read_text, reason_of, table_rows, write_table
from picora_analytics.text import csv_safe, shorten

__all__ = [
    "COLUMNS",
    "DECISIONS",
    "NOT_DUPLICATES",
    "add_decisions",
    "change_decisions",
    "day_of",
    "decision_table",
    "read_decisions",
    "read_rows",
    "with_decisions",
    "write_decisions",
]

COLUMNS = (
    *("id", "decision", "other_id", "until"),
    *("by", "note", "decided_at", "filename", "url"),
)
NOT_DUPLICATES = "not duplicates"
DECISIONS = ("keep", "delete", "later", "hidden", NOT_DUPLICATES)

_IDS = ("id", "other_id")
# Whoever writes a file of decisions holds it for a moment; longer than this only if it was stopped in it.
_PATIENCE = 30
_ATTR = "picora_decisions"
# What a spreadsheet may take for a number or a date: all but a letter first, and letters before digits (MAR-2027).
_TAKEN_APART = re.compile(r"[^A-Za-z]|[A-Za-z]+[-_.]?\d[\d-]*$")
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})")
_YEAR_FIRST = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})")


def read_decisions(path: str | os.PathLike[str]) -> pd.DataFrame:
    """
    Read what was decided before about images.

    The file may come from a spreadsheet: separated by commas, semicolons or tabs, in UTF-8, UTF-16 or the code page
    of Western Windows. A day that can be read in two ways, such as 1/2/2027, is the later one: it spares for longer.

    Parameters
    ----------
    path : path
        Columns ``id`` and ``decision`` (keep, delete, later, hidden or not duplicates), and perhaps ``other_id``,
        ``until`` (a day; later needs one), ``by``, ``note``, ``decided_at``, ``filename``, ``url`` and your own.

    Returns
    -------
    DataFrame of str
        A row per line, indexed by its ``line`` in the file; an empty cell is an empty text.

    Raises
    ------
    PlanError
        If the file is missing, or a row cannot be read; nothing is guessed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "decisions.csv")
    >>> decided = pd.DataFrame({"id": ["-T40cZpLq8x"], "decision": ["keep"], "note": ["the logo"]})
    >>> _ = write_decisions(decided, path)
    >>> read_decisions(path)[["id", "decision", "note"]].reset_index()
       line           id decision      note
    0     2  -T40cZpLq8x     keep  the logo
    """
    file = Path(path).expanduser()
    columns, lines, digest = read_rows(file, "decisions")
    rows, numbers = [row for _, row in lines], [number for number, _ in lines]
    found = _checked(columns, rows, numbers, f"decisions={str(file)!r}")
    found.attrs[_ATTR] = {"path": str(file.resolve()), "digest": digest}
    return found


def read_rows(file: Path, name: str) -> tuple[list[str], list[tuple[int, dict[str, str]]], str]:
    """
    Read a table that a spreadsheet may have written: its columns, its rows with their lines, and a digest of the file.

    Raises
    ------
    PlanError
        If it cannot be read whole; `name` is what the message calls it.
    """
    name = f"{name}={str(file)!r}"
    try:
        digest = _digest(file)
        table = table_rows(_text(file))
    except (OSError, ValueError) as error:
        raise PlanError(f"{name} cannot be read: {reason_of(error)}.") from error
    columns = [title.strip().lower() for title in table[0]] if table else []
    _refuse_twice(columns, name)
    lines = [(number, row) for number, row in enumerate(table[1:], 2) if any(map(str.strip, row))]
    return columns, [(n, _row(columns, row, n, name)) for n, row in lines], digest


def write_decisions(decisions: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    """
    Write decisions as a CSV file that no spreadsheet will run, or take an id of for a number.

    The file is there whole or not at all. Where one is there already, it must be the one that these decisions were
    read from, unchanged since: what a colleague wrote meanwhile is never lost.

    Parameters
    ----------
    decisions : DataFrame
        As :func:`read_decisions` gives it; columns that are missing are written empty.
    path : path

    Returns
    -------
    Path

    Raises
    ------
    PlanError
        If a row says nothing that can be read again, or the file is another one, or changed since it was read.
    """
    file = Path(path).expanduser()
    with _locked(file):
        return _write(decisions, file)


def _write(decisions: pd.DataFrame, file: Path) -> Path:
    known = decisions.attrs.get(_ATTR, {}) if isinstance(decisions, pd.DataFrame) else {}
    rows = decision_table(decisions)
    if file.exists() and known.get("path") != str(file.resolve()):
        raise PlanError(
            f"{str(file)!r} is there already, and these decisions were not read from it (concat forgets that). Type "
            f"earlier = pic.read_decisions({str(file)!r}), add your rows to it, and give them "
            "attrs = earlier.attrs."
        )
    if file.exists() and _digest(file) != known.get("digest"):
        raise PlanError(
            f"{str(file)!r} was changed since it was read; read it again and decide on that. Nothing was written."
        )
    cells = (
        [
            _safe_id(c) if name in _IDS else csv_safe(c)
            for name, c in zip(rows.columns, row, strict=True)
        ]
        for row in rows.itertuples(index=False, name=None)
    )
    # A team's file may be behind a link, and is theirs to read.
    there = file.resolve()
    like = there if there.exists() else None
    write_table([map(csv_safe, rows.columns), *cells], there, encoding="utf-8-sig", like=like)
    decisions.attrs[_ATTR] = {"path": str(file.resolve()), "digest": _digest(file)}
    return file


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Let one program of this machine change a file of decisions at a time; PlanError if another holds it for long."""
    from filelock import FileLock, Timeout  # Who only reads decisions locks nothing.

    folder = data_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = hashlib.blake2b(os.fsencode(file.resolve()), digest_size=16).hexdigest()
    try:
        with FileLock(folder / f"{name}.lock", timeout=_PATIENCE, mode=0o600):
            yield
    except Timeout:
        raise PlanError(
            f"Another program has been changing {str(file)!r} for {_PATIENCE} seconds; nothing was written."
        ) from None


def _safe_id(image_id: str) -> str:
    return f"'{image_id}" if _TAKEN_APART.match(image_id) else image_id


def decision_table(decisions: str | os.PathLike[str] | pd.DataFrame) -> pd.DataFrame:
    """Read decisions from a path, or check those of a frame; PlanError if a row cannot be read."""
    if not isinstance(decisions, pd.DataFrame):
        return read_decisions(decisions)
    frame = decisions.reset_index() if decisions.index.name == "id" else decisions
    columns = [str(name) for name in frame.columns]
    _refuse_twice(columns, "decisions")
    texts = frame.astype(object).where(frame.notna(), "")
    rows = [
        {name: str(cell).strip() for name, cell in zip(columns, row, strict=True)}
        for row in texts.itertuples(index=False, name=None)
    ]
    numbered = decisions.index.name == "line"
    found = _checked(columns, rows, list(frame.index) if numbered else range(2, len(rows) + 2))
    found.attrs = dict(decisions.attrs)
    return found


def with_decisions(
    decisions: pd.DataFrame | None, rows: Sequence[Mapping[str, str]]
) -> pd.DataFrame:
    """Add rows to decisions that were read, if any were, so that they can be written to the same file."""
    if decisions is None:
        return decision_table(pd.DataFrame(rows))
    first = int(decisions.index.max()) + 1 if len(decisions) else 2
    more = _checked(list(COLUMNS), rows, range(first, first + len(rows)))
    found = pd.concat([decisions, more]).fillna("")
    found.attrs = dict(decisions.attrs)
    return found


def add_decisions(path: str | os.PathLike[str], rows: Sequence[Mapping[str, str]]) -> Path:
    """Add rows to a file of decisions, which is made where there is none."""
    return change_decisions(path, lambda known: with_decisions(known, rows))


def change_decisions(
    path: str | os.PathLike[str], change: Callable[[pd.DataFrame | None], pd.DataFrame | None]
) -> Path:
    """
    Read a file of decisions, change what it says, and write it; nobody else writes it in between.

    `change` gets None where there is no file, and gives None where there is nothing to write.
    """
    file = Path(path).expanduser()
    with _locked(file):
        changed = change(read_decisions(file) if file.exists() else None)
        return file if changed is None else _write(changed, file)


def day_of(text: str) -> dt.date:
    """
    Read a day as people and spreadsheets write it; of two readings the later one.

    Raises
    ------
    ValueError
        If it is no day.

    Examples
    --------
    >>> print(day_of("2027-01-31"), day_of("31.1.2027"), day_of("1/2/2027"), day_of("1/31/2027"))
    2027-01-31 2027-01-31 2027-02-01 2027-01-31
    """
    text = text.removeprefix("'").partition("T")[0].partition(" ")[0]
    if found := _YEAR_FIRST.fullmatch(text):
        return dt.date(*map(int, found.groups()))
    found = _DAY_FIRST.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no day")
    one, between, two, year = found[1], found[2], found[3], int(found[4])
    readings = [(int(two), int(one))] + ([(int(one), int(two))] if between != "." else [])
    days = [dt.date(year, month, day) for month, day in readings if month <= 12]
    if not days:
        raise ValueError(f"{text!r} is no day")
    return max(days)


def _digest(file: Path) -> str:
    return hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()


def _text(file: Path) -> str:
    try:
        text = read_text(file)
    except UnicodeDecodeError:  # Excel's plain "CSV".
        text = file.read_text(encoding="cp1252")
    # The line with which Excel is told the separator.
    return re.sub(r"\A\ufeff?sep=.\r?\n", "", text)


def _row(columns: list[str], row: list[str], number: int, name: str) -> dict[str, str]:
    if any(cell.strip() for cell in row[len(columns) :]):
        raise PlanError(
            f"{name}, row {number}: it has more cells than the {len(columns)} columns; put text with a comma "
            "into quotes."
        )
    return {title: _unsafe(cell.strip()) for title, cell in zip(columns, row, strict=False)}


def _refuse_twice(columns: Sequence[str], name: str) -> None:
    """Raise PlanError if two columns have one title: which of them counts would be a guess."""
    twice = [title for number, title in enumerate(columns) if title and title in columns[:number]]
    if twice:
        raise PlanError(
            f"{name} has two columns {shorten(twice[0], 60)!r}; leave one of them, or give it another title."
        )


def _unsafe(cell: str) -> str:
    """Take off the apostrophe that keeps a spreadsheet from running a cell."""
    bare = cell.removeprefix("'")
    return bare if csv_safe(bare) == cell else cell


def _checked(
    columns: Sequence[str],
    rows: Sequence[Mapping[str, str]],
    numbers: Sequence[int],
    name: str = "decisions",
) -> pd.DataFrame:
    if not {"id", "decision"} <= set(columns):
        raise PlanError(f"{name} has the columns {list(columns)}; it needs 'id' and 'decision'.")
    names = [*COLUMNS, *(title for title in columns if title not in COLUMNS)]
    cells = [
        [*_said(row, f"{name}, row {number}"), *(row.get(title, "") for title in names[4:])]
        for number, row in zip(numbers, rows, strict=True)
    ]
    index = pd.Index(list(numbers), name="line", dtype="int64")
    return pd.DataFrame(cells, index=index, columns=names, dtype=object)


def _said(row: Mapping[str, str], where: str) -> Iterator[str]:
    """Give id, decision, other id and day of a row, each in one spelling."""
    image_id, other = (row.get(name, "").strip().removeprefix("'") for name in ("id", "other_id"))
    word = " ".join(re.split(r"[\s_-]+", row.get("decision", "").strip().lower()))
    until = row.get("until", "").strip()
    try:
        until = day_of(until).isoformat() if until else ""
    except ValueError:
        word = f"{word} until {until}"
    if word not in DECISIONS or not image_id or (word == "later" and not until):
        raise PlanError(
            f"{where}: {shorten(word, 60)!r} for id {shorten(image_id, 60)!r} cannot be read; "
            "decision is keep, delete, later, hidden or not duplicates, and later needs until=YYYY-MM-DD."
        )
    if (word == NOT_DUPLICATES) != bool(other) or other == image_id:
        raise PlanError(
            f"{where}: {word} for id {shorten(image_id, 60)!r} "
            + (
                "needs the other image in other_id."
                if word == NOT_DUPLICATES
                else f"stands for one image, yet other_id is {shorten(other, 60)!r}."
            )
        )
    yield from (image_id, word, other, until)
