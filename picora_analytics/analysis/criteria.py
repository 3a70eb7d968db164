"""
The rules as a form to fill in: what command options, the policy's table and the panel's filters are made from.

A new rule is one function in :mod:`rules` and one field of :class:`Criteria`.
"""

from __future__ import annotations

import datetime as dt
import functools
import operator
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_args, get_type_hints

import msgspec

from picora_analytics.text import visible

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RULES", "Criteria", "Rule"]

Kind = Literal["days", "date", "size", "tags", "flag", "references", "decision", "hidden"]
# As :data:`picora_analytics.decisions.DECISIONS`, which would bring pandas.
Decision = Literal["keep", "delete", "later", "hidden", "not duplicates"]


class Rule(NamedTuple):
    """
    A rule and the value it asks for.

    Attributes
    ----------
    name : str
        As in :mod:`rules` and in :class:`Criteria`.
    kind : str
        What its value is: days (a number), date (a day, UTC), size (bytes, or text such as ``"5 MiB"``), tags (one or
        more), flag (given or not), references (given or not, and :meth:`Criteria.mask` needs them), decision (one of
        the five words) or hidden (a number of days); for the last two :meth:`Criteria.mask` needs decisions.
    help : str
        One line.
    """

    name: str
    kind: Kind
    help: str


def _asks(kind: Kind, text: str) -> Any:
    return msgspec.Meta(description=text, extra={"kind": kind})


class Criteria(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Rules by their names in :mod:`rules`, with their values; an image must meet all that are given.

    Examples
    --------
    >>> criteria = Criteria(older_than=730, untagged=True)
    >>> print(criteria.code())
    pic.rules.older_than(images, days=730) & pic.rules.untagged(images)
    """

    older_than: Annotated[float | None, _asks("days", "Uploaded more than this many days ago.")] = (
        None
    )
    uploaded_before: Annotated[
        dt.date | None, _asks("date", "Uploaded before a day, YYYY-MM-DD (UTC).")
    ] = None
    larger_than: Annotated[int | str | None, _asks("size", "For example '5 MiB'.")] = None
    untagged: Annotated[bool, _asks("flag", "Known to have no tags.")] = False
    tagged: Annotated[tuple[str, ...], _asks("tags", "Having one of these tags.")] = ()
    private: Annotated[bool, _asks("flag", "Known not to be public.")] = False
    oversized: Annotated[bool, _asks("flag", "Over 2560 px on the longer edge.")] = False
    duplicated: Annotated[bool, _asks("flag", "Uploaded earlier with the very same content.")] = (
        False
    )

    not_found_in: Annotated[
        bool, _asks("references", "Looked for in the references, and not found.")
    ] = False
    decided: Annotated[
        Decision | None, _asks("decision", "So decided, in the decisions, and it still stands.")
    ] = None
    hidden_for: Annotated[
        float | None, _asks("hidden", "Hidden this many days ago, and left alone since.")
    ] = None

    def given(self) -> dict[Rule, Any]:
        """Give the rules that are filled in, with their values."""
        values = {rule: getattr(self, rule.name) for rule in RULES}
        return {
            rule: value
            for rule, value in values.items()
            if value is not None and value != _EMPTY[rule.kind]
        }

    def mask(
        self, images: pd.DataFrame, references: Any = None, decisions: Any = None
    ) -> pd.Series[Any]:
        """
        Tell the images that meet every rule given.

        Parameters
        ----------
        images : DataFrame
            As made by ``load_images``.
        references : References, optional
            For the rule that asks where an image is used.
        decisions : path or DataFrame, optional
            For rules that ask what was decided of an image.

        Returns
        -------
        Series of boolean, aligned to ``images``
            ``<NA>`` where a rule cannot tell.

        Raises
        ------
        ValueError
            If no rule is given, which never means all images; or one that needs references or decisions without them.
        """
        if not self.given():
            raise ValueError(
                "No rule is given, and that never means all images; give at least one."
            )
        # pandas is imported with the rules: options are made from this module before anything is loaded.
        from picora_analytics.analysis import rules

        masks = [
            getattr(rules, rule.name)(images, *_arguments(rule, value, references, decisions))
            for rule, value in self.given().items()
        ]
        mask: pd.Series[Any] = functools.reduce(operator.and_, masks)
        return mask

    def code(self) -> str:
        """Give the Python expression of :meth:`mask`; texts in it are literals, whatever they hold."""
        return " & ".join(self.parts().values())

    def parts(self) -> dict[str, str]:
        """Give the Python expression of each rule given, by its name."""
        return {
            rule.name: f"pic.rules.{rule.name}({', '.join(['images', *_written(rule, value)])})"
            for rule, value in self.given().items()
        }


_EMPTY: dict[Kind, Any] = {
    "days": None,
    "date": None,
    "size": "",
    "tags": (),
    "flag": False,
    "references": False,
    "decision": None,
    "hidden": None,
}


def _rules() -> tuple[Rule, ...]:
    found = []
    for name, hint in get_type_hints(Criteria, include_extras=True).items():
        meta = get_args(hint)[1]
        found.append(Rule(name, meta.extra["kind"], meta.description))
    return tuple(found)


RULES = _rules()
"""All rules, in the order they are offered."""


def _arguments(
    rule: Rule, value: Any, references: Any = None, decisions: Any = None
) -> tuple[Any, ...]:
    if rule.kind == "flag":
        return ()
    if rule.kind in ("decision", "hidden"):
        if decisions is None:
            raise ValueError(
                f'{rule.name} needs decisions: name the file that holds them, such as "decisions.csv".'
            )
        return (decisions, value) if rule.kind == "decision" else (value, decisions)
    if rule.kind == "references":
        if references is None:
            raise ValueError(f"{rule.name} needs references: look for them with find_references.")
        return (references,)
    return tuple(value) if rule.kind == "tags" else (value,)


def _written(rule: Rule, value: Any) -> list[str]:
    """Write the arguments of a rule as Python."""
    if rule.kind == "days":
        return [f"days={value:g}"]
    if rule.kind == "references":
        return ["references"]
    if rule.kind == "decision":
        return ["decisions", literal(value)]
    if rule.kind == "hidden":
        return [f"days={value:g}", "decisions=decisions"]
    texts = [str(part) if rule.kind == "date" else part for part in _arguments(rule, value)]
    return [str(part) if isinstance(part, int) else literal(part) for part in texts]


def literal(text: str) -> str:
    r"""
    Write a text as a Python literal in double quotes, without characters that cannot be seen.

    Examples
    --------
    >>> print(literal('Müll "5"'), literal("a\u202eb\N{GRINNING FACE}"))
    "Müll \"5\"" "a\u202eb\U0001f600"
    """
    plain = text.isprintable() and visible(text, len(text)) == text
    written = (
        f"\\{char}"
        if char in '"\\'
        else char
        if plain or " " <= char <= "~"
        # Not JSON's escapes, which split what lies beyond U+FFFF in two.
        else char.encode("unicode_escape").decode()
        for char in text
    )
    return f'"{"".join(written)}"'
