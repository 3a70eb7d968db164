"""What is wrong with a policy, in words of the policy: its tables, its keys, its values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, get_args

from picora_analytics.analysis.criteria import RULES, Decision
from picora_analytics.analysis.matching import nearest
from picora_analytics.text import shorten

__all__ = ["wrong_part"]

_TEXT, _TAGS, _AGE = "text in quotes", 'a list of tags, such as ["keep"]', 'text such as "7d"'
_DAY, _SIZE = "a day, such as 2027-01-31", 'a size, such as "5 GiB"'
_BY_KIND = {
    "days": "a number of days, such as 730",
    "hidden": "a number of days, such as 30",
    "date": _DAY,
    "size": _SIZE,
    "tags": _TAGS,
    "flag": "true or false",
    "references": "true or false",
    "decision": f"one of {', '.join(map(repr, get_args(Decision)))}",
}
_WANTED = {
    "reason": _TEXT,
    "expires": _DAY,
    "protect": _TAGS,
    "sightings": "a whole number from 2 on",
    "sightings_apart": _AGE,
    "decisions": "the name of a file, in quotes",
    "file": "the name of a file, in quotes",
    "max_age": _AGE,
    "max_images": "a whole number from 0 on",
    "max_bytes": _SIZE,
    "max_fraction": "a number from 0 to 1, such as 0.02",
    "folder": "the name of a folder, in quotes",
} | {rule.name: _BY_KIND[rule.kind] for rule in RULES}


def wrong_part(said: str, document: Mapping[str, Any], keys: Mapping[str, Collection[str]]) -> str:
    """
    Say what is wrong with a policy.

    Parameters
    ----------
    said : str
        What msgspec says of it.
    document : mapping
        The policy as it was read.
    keys : mapping of str to str
        The keys of each table; those before the first table under "".

    Examples
    --------
    >>> wrong_part("Expected `float`, got `str` - at `$.rule.private`", {"rule": {"private": "yes"}}, {})
    "private in [rule] is 'yes'; give true or false"
    """
    whole, _, place = said.partition(" - at ")
    path = re.findall(r"\w+", place.partition("[")[0])
    if found := re.search(r"field `(.*)`$", whole):
        table, key = (path or [""])[0], found[1]
        if "missing" not in whole:
            return _unknown(key, table, keys)
        path = [*path, key]
        return f"{_named(path, keys)} is missing{_give(path)}"
    value: Any = document
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return f"{_named(path, keys)} is {shorten(repr(value), 60)}{_give(path)}"


def _named(path: list[str], keys: Mapping[str, Collection[str]]) -> str:
    name = path[-1] if path else "the policy"
    if len(path) > 1:
        return f"{name} in [{path[0]}]"
    return f"the table [{name}]" if name in keys else name


def _give(path: list[str]) -> str:
    wanted = _WANTED.get(path[-1] if path else "")
    return f"; give {wanted}" if wanted else ""


def _unknown(key: str, table: str, keys: Mapping[str, Collection[str]]) -> str:
    where = f"[{table}]" if table else "the policy"
    said = f"{shorten(key, 60)!r} is no key of {where}"
    if table and key in keys[""]:
        return f"{said}; it stands before the first table"
    known = keys.get(table, ())  # A key may be written as if it were a place in the document.
    near = nearest(key, sorted(known))
    return (
        f"{said}; did you mean {near[0]!r}?"
        if near
        else f"{said}, whose keys are {', '.join(known)}"
    )
