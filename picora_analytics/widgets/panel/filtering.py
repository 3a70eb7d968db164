"""The rules that a list is looked through: their answers, their words, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.analysis.criteria import RULES, Criteria
from picora_analytics.errors import SchemaError
from picora_analytics.text import shorten
from picora_analytics.units import format_bytes, parse_bytes
from picora_analytics.widgets.gallery.selection import Bools

__all__ = ["Filtering", "words_of"]

_UNREADABLE = {
    "days": "a number of days. Write it like 730.",
    "hidden": "a number of days. Write it like 30.",
    "date": "a date. Pick one, such as 2024-01-31.",
    "size": "a size. Write it like 5 MiB.",
}
_MISSING = {
    "references": "Nobody has looked in your pages. Make the panel with references=pic.find_references(...).",
    "decision": 'There are no decisions. Make the panel with decisions="decisions.csv".',
    "hidden": 'There are no decisions. Make the panel with decisions="decisions.csv".',
}
_KINDS = {rule.name: rule.kind for rule in RULES}
_YEAR = 365


def words_of(name: str, value: Any) -> str:
    """
    Say in two or three words what a rule with its value lets through.

    Examples
    --------
    >>> words_of("older_than", 730), words_of("larger_than", "5 MiB"), words_of("tagged", ("cat",))
    ('Over 2 years', 'Over 5 MiB', 'Tag cat')
    """
    shown = "" if value is None else shorten(value, 24)
    if name in ("older_than", "hidden_for"):
        return f"{'Over' if name == 'older_than' else 'Hidden over'} {_age(value)}"
    if name == "tagged":
        return f"Tag {shorten(value[0], 24)}" if value else "Tag"
    plain = {
        "uploaded_before": f"Before {shown or '?'}",
        "larger_than": f"Over {_size(value)}",
        "oversized": "Over 2560 px",
        "duplicated": "Duplicates",
        "not_found_in": "Not in your pages",
        "decided": f"Decided: {shown}",
    }
    return plain.get(name, name.replace("_", " ").capitalize())


def _age(days: Any) -> str:
    try:
        number = float(days)
    except (TypeError, ValueError):
        return f"{shorten('?' if days is None else days, 24)} days"
    years = number / _YEAR
    if years >= 1 and years.is_integer():
        return f"{years:.0f} year{'' if years == 1 else 's'}"
    return f"{number:g} days"


def _size(size: Any) -> str:
    try:
        return format_bytes(parse_bytes(size)).replace(".0 ", " ")
    except (TypeError, ValueError):
        return shorten(size or "?", 24)


class Filtering:
    """
    The rules that must all be met, over the rows of a frame.

    A rule that cannot be read lets nothing through: nobody knows what was meant.
    """

    def __init__(self, images: pd.DataFrame, references: Any) -> None:
        self._images, self._references = images, references
        self._decisions: Any = None
        self._answers: dict[str, tuple[Any, Bools, Bools]] = {}
        self.values: Mapping[str, Any] = {}
        self.problems: dict[str, str] = {}
        self.sure = self.perhaps = np.ones(len(images), dtype=bool)

    def decide(self, decisions: Any) -> None:
        """Take other decisions."""
        self._decisions = decisions
        for name in ("decided", "hidden_for"):
            self._answers.pop(name, None)

    def set(self, values: Mapping[str, Any]) -> None:
        """Look by these rules, by the names in :class:`Criteria`."""
        sure = np.ones(len(self._images), dtype=bool)
        perhaps = sure.copy()
        self.values, self.problems = dict(values), {}
        for name, value in values.items():
            try:
                surely, possibly = self.answer(name, value)
            except ValueError as error:
                missing = self._decisions if _KINDS[name] != "references" else self._references
                self.problems[name] = _problem(name, value, error, missing is None)
            else:
                sure &= surely
                perhaps &= possibly
        if self.problems:
            sure[:], perhaps[:] = False, False
        self.sure, self.perhaps = sure, perhaps

    def answer(self, name: str, value: Any) -> tuple[Bools, Bools]:
        """
        Ask one rule which images it matches for sure, and which perhaps.

        Raises
        ------
        ValueError
            If its value cannot be read.
        """
        known = self._answers.get(name)
        if known is None or known[0] != value:
            criteria = Criteria(**{name: value})
            mask = criteria.mask(self._images, self._references, self._decisions)
            sure = mask.fillna(False).to_numpy(dtype=bool)
            known = self._answers[name] = value, sure, mask.fillna(True).to_numpy(dtype=bool)
        return known[1:]

    def known(self, name: str, value: Any) -> Bools | None:
        """Give which images one rule matches for sure, if it was asked about this value before."""
        known = self._answers.get(name)
        return known[1] if known is not None and known[0] == value else None

    def words(self) -> str:
        """Say what is looked by, such as *over 2 years, untagged*."""
        said = [words_of(name, value) for name, value in self.values.items()]
        return ", ".join(one[:1].lower() + one[1:] for one in said)

    def code(self) -> str:
        """Write the rules as the line that gives the same mask; empty where there is none."""
        if self.problems or not self.values:
            return ""
        return f"mask = {Criteria(**self.values).code()}"


def _problem(name: str, value: Any, error: ValueError, missing: bool) -> str:
    if isinstance(error, SchemaError):
        return str(error)
    if missing and _KINDS[name] in _MISSING:
        return _MISSING[_KINDS[name]]
    shown = "" if value is None else value
    return f"“{shown}” is not {_UNREADABLE.get(_KINDS[name], 'a value.')}"
