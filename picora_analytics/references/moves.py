"""Which image takes the place of which: a mapping in any of its shapes, checked before a file is read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from picora_analytics.files import read_text, reason_of, table_rows
from picora_analytics.text import visible

__all__ = ["Move", "read_moves"]

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_LAST = re.compile(r"([A-Za-z0-9_-]{11})(?:\.([A-Za-z0-9]{1,5}))?")
# What the columns of a table may be called; restored.csv has the addresses.
_HEADS = (("old", "new"), ("old_url", "new_url"), ("old_id", "new_id"))


class Move(NamedTuple):
    """One image that takes the place of another; an extension or address is None where only an id was given."""

    old: str
    new: str
    old_extension: str | None = None
    new_extension: str | None = None
    old_address: str | None = None
    new_address: str | None = None


def read_moves(mapping: Any) -> dict[str, Move]:
    """
    Read a mapping from old to new, by old id.

    Raises
    ------
    ValueError
        If an entry is neither an id nor an address of an image, or the mapping is not one step from old to new.
    """
    moves: dict[str, Move] = {}
    for old, new in _pairs(mapping):
        move = _move(old, new)
        known = moves.setdefault(move.old, move)
        if known.new != move.new or (
            known.new_extension != move.new_extension and known.new_address and move.new_address
        ):
            raise ValueError(
                f"{move.old} is to become {known.new_address or known.new} and also "
                f"{move.new_address or move.new}; keep one of the two rows."
            )
        if move.new_address and not known.new_address:
            moves[move.old] = move
    for move in moves.values():
        if move.new in moves:
            raise ValueError(
                f"{move.old} is to become {move.new}, which is itself to become {moves[move.new].new}. "
                "Repoint in one step: give the last one for both, or make two runs."
            )
    return moves


def _pairs(mapping: Any) -> Iterable[tuple[Any, Any]]:
    if isinstance(mapping, (str, os.PathLike)):
        return _table(Path(mapping).expanduser())
    if hasattr(mapping, "columns"):
        names = [str(name) for name in mapping.columns]
        old, new = _heads(names, "the frame")
        rows = (
            mapping[mapping["outcome"].isin(["restored", "already there"])]
            if "outcome" in names
            else mapping
        )
        pairs = zip(rows[old], rows[new], strict=True)
        # What restore_images returns also lists what never left the library.
        return [pair for pair in pairs if "outcome" not in names or pair[0] != pair[1]]
    if isinstance(mapping, Mapping) or hasattr(mapping, "items"):
        return list(mapping.items())
    raise TypeError(
        f"mapping is a {type(mapping).__name__}; give a dict, a Series, a frame or the path of a CSV file."
    )


def _table(path: Path) -> list[tuple[str, str]]:
    try:
        rows = [row for row in table_rows(read_text(path)) if any(row)]
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{str(path)!r} cannot be read as a CSV file: {reason_of(error)}."
        ) from None
    if not rows:
        raise ValueError(f"{str(path)!r} is empty; its first line should be old,new.")
    names = [name.strip().lower() for name in rows[0]]
    old, new = map(names.index, _heads(names, repr(str(path))))
    short = next((n for n, row in enumerate(rows, 1) if len(row) <= max(old, new)), None)
    if short:
        raise ValueError(f"Row {short} of {str(path)!r} has too few cells.")
    return [(row[old], row[new]) for row in rows[1:]]


def _heads(names: list[str], where: str) -> tuple[str, str]:
    for old, new in _HEADS:
        if old in names and new in names:
            return old, new
    raise ValueError(
        f"{where} has the columns {visible(', '.join(names), 200)}; it needs old and new, "
        "or old_url and new_url as restored.csv has them."
    )


def _move(old: Any, new: Any) -> Move:
    (old_id, old_extension, old_address), (new_id, new_extension, new_address) = (
        _image(old),
        _image(new),
    )
    return Move(old_id, new_id, old_extension, new_extension, old_address, new_address)


def _image(value: Any) -> tuple[str, str | None, str | None]:
    """Give the id, extension and address of an entry."""
    # Spreadsheet-safe files put an apostrophe before an id that begins with a minus.
    text = value.strip().removeprefix("'") if isinstance(value, str) else ""
    if _ID.fullmatch(text):
        return text, None, None
    try:
        parts = urlsplit(text)
        last = _LAST.fullmatch(parts.path.rpartition("/")[2])
        if parts.scheme.lower() in ("http", "https") and parts.hostname and last:
            return last[1], last[2], text
    except ValueError:  # A bracket or port that no address has.
        pass
    raise ValueError(
        f"{visible(repr(value), 200)} is neither an image id (11 letters, digits, _ or -) "
        "nor an address that ends with one."
    )
