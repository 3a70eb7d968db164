"""What a list is looked through by: the rules, what is made of them, their words, and what cannot be read."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from picora_analytics.analysis import rules
from picora_analytics.analysis.criteria import RULES, Criteria, literal
from picora_analytics.analysis.masks import three_valued
from picora_analytics.errors import SchemaError
from picora_analytics.references.found import References
from picora_analytics.text import shorten
from picora_analytics.units import format_bytes, parse_bytes
from picora_analytics.widgets.gallery.selection import Bools

__all__ = ["FILTERS", "SEVERAL", "Filter", "Filtering", "kind_of", "words_of"]

SEVERAL = ("tags", "formats")
"""Kinds of filters that ask for one value or more."""
_UNREADABLE = {
    "days": "a number of days. Write it like 730.",
    "hidden": "a number of days. Write it like 30.",
    "date": "a date. Pick one, such as 2024-01-31.",
    "size": "a size. Write it like 5 MiB.",
    "pixels": "a length. Write whole pixels, like 2560.",
}
_MISSING = {
    "references": "Nobody has looked in your pages. Make the panel with references=pic.find_references(...).",
    "decision": 'There are no decisions. Make the panel with decisions="decisions.csv".',
    "hidden": 'There are no decisions. Make the panel with decisions="decisions.csv".',
}
_YEAR = 365


class Filter(NamedTuple):
    """
    A rule to look by, or what is made of one.

    Attributes
    ----------
    name : str
    kind : str
        What its value is: one of the kinds of rules, formats or pixels.
    help : str
    rule : str
        The rule in :mod:`rules`; empty for formats, for which there is none.
    turned : bool
        Whether it lets through what the rule tells not to match; what that cannot tell stays out.
    each : bool
        Whether the rule must be met for each of several values.
    """

    name: str
    kind: str
    help: str
    rule: str
    turned: bool = False
    each: bool = False

    def mask(
        self, value: Any, images: pd.DataFrame, references: Any, decisions: Any
    ) -> pd.Series[Any]:
        """Tell the images that it lets through."""
        if self.kind == "formats":
            types = images["mime_type"]
            return three_valued(images, types.isin(value), types.isna(), "format")
        if self.kind == "pixels":
            mask = rules.oversized(images, value)
        else:
            parts = [one.mask(images, references, decisions) for one in self._criteria(value)]
            mask = functools.reduce(operator.and_, parts)
        return ~mask if self.turned else mask

    def code(self, value: Any) -> str:
        """Write the Python expression of :meth:`mask`."""
        if self.kind == "formats":
            return f'images["mime_type"].isin([{", ".join(map(literal, value))}])'
        if self.kind == "pixels":
            code = f"pic.rules.oversized(images, {value})"
        else:
            code = " & ".join(one.code() for one in self._criteria(value))
        return f"~{code}" if self.turned else code

    def _criteria(self, value: Any) -> list[Criteria]:
        values: list[Any] = [(one,) for one in value] if self.each and value else [value]
        return [Criteria(**{self.rule: one}) for one in values]


def _of_rules() -> list[Filter]:
    kinds = {"oversized": "pixels"}  # Here, everybody has a limit of their own.
    return [Filter(one.name, kinds.get(one.name, one.kind), one.help, one.name) for one in RULES]


FILTERS = {
    one.name: one
    for one in (
        *_of_rules(),
        Filter("tagged_all", "tags", "Having all of these tags.", "tagged", each=True),
        Filter("not_tagged", "tags", "Known to have none of these.", "tagged", turned=True),
        Filter("formats", "formats", "Of one of these formats.", ""),
        Filter("up_to_pixels", "pixels", "No longer on any edge.", "oversized", turned=True),
        Filter(
            "uploaded_since", "date", "On this day (UTC) or later.", "uploaded_before", turned=True
        ),
        Filter("public", "flag", "Known to be public.", "private", turned=True),
    )
}
"""All that a list can be looked through by, in the order it is offered."""


def words_of(name: str, value: Any) -> str:
    """
    Say in two or three words what a filter with its value lets through.

    Examples
    --------
    >>> words_of("older_than", 730), words_of("larger_than", "5 MiB"), words_of("tagged", ("cat",))
    ('Over 2 years', 'Over 5 MiB', 'Tag cat')
    >>> words_of("not_tagged", ("cat", "red")), words_of("formats", ("image/svg+xml",))
    ('Without tag cat or red', 'Format SVG')
    """
    shown = "" if value is None else shorten(value, 24)
    if name in ("older_than", "hidden_for"):
        return f"{'Over' if name == 'older_than' else 'Hidden over'} {_age(value)}"
    several = {
        "tagged": ("Tag", "or"),
        "tagged_all": ("All tags", "and"),
        "not_tagged": ("Without tag", "or"),
        "formats": ("Format", "or"),
    }
    if name in several:
        first, word = several[name]
        texts = [kind_of(one) for one in value] if name == "formats" else value
        return f"{first} {_listed(texts, word)}".strip()
    plain = {
        "uploaded_before": f"Before {shown or '?'}",
        "uploaded_since": f"Since {shown or '?'}",
        "larger_than": f"Over {_size(value)}",
        "oversized": f"Over {shown} px",
        "up_to_pixels": f"Up to {shown} px",
        "duplicated": "Duplicates",
        "not_found_in": "Not in your pages",
        "decided": f"Decided: {shown}",
    }
    return plain.get(name, name.replace("_", " ").capitalize())


def kind_of(mime_type: str) -> str:
    """Write a type of pictures as people do: `image/svg+xml` is SVG."""
    return shorten(mime_type.removeprefix("image/").removesuffix("+xml"), 20).upper()


def _listed(texts: Sequence[str], word: str) -> str:
    """Name two texts, and count the others."""
    named = [shorten(one, 24) for one in texts[:2]]
    more = [f"{len(texts) - 2} more"] if len(texts) > 2 else []
    return f" {word} ".join([*named, *more])


def _age(days: Any) -> str:
    try:
        number = float(days)
    except (TypeError, ValueError):
        return f"{shorten('?' if days is None else days, 24)} days"
    years = number / _YEAR
    if years >= 1 and years.is_integer():
        return f"{years:.0f} year{'' if years == 1 else 's'}"
    return f"{number:g} day{'' if number == 1 else 's'}"


def _size(size: Any) -> str:
    try:
        return format_bytes(parse_bytes(size)).replace(".0 ", " ")
    except (TypeError, ValueError):
        return shorten(size or "?", 24)


class Filtering:
    """
    The filters that must all be met, over the rows of a frame.

    One that cannot be read lets nothing through: nobody knows what was meant.
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

    def refer(self, references: References) -> None:
        """Take what was found meanwhile, and look by the same filters again."""
        self._references = references
        self._answers.pop("not_found_in", None)
        self.set(self.values)

    def set(self, values: Mapping[str, Any]) -> None:
        """Look by these filters, by their names in :data:`FILTERS`."""
        sure = np.ones(len(self._images), dtype=bool)
        perhaps = sure.copy()
        self.values, self.problems = dict(values), {}
        for name, value in values.items():
            try:
                surely, possibly = self.answer(name, value)
            except ValueError as error:
                kind = FILTERS[name].kind
                missing = self._references if kind == "references" else self._decisions
                self.problems[name] = _problem(kind, value, error, missing is None)
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
            mask = FILTERS[name].mask(value, self._images, self._references, self._decisions)
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
        parts = [
            one.code(self.values[name]) for name, one in FILTERS.items() if name in self.values
        ]
        return f"mask = {' & '.join(parts)}"


def _problem(kind: str, value: Any, error: ValueError, missing: bool) -> str:
    if isinstance(error, SchemaError):
        return str(error)
    if missing and kind in _MISSING:
        return _MISSING[kind]
    shown = "" if value is None else value
    return f"“{shown}” is not {_UNREADABLE.get(kind, 'a value.')}"
