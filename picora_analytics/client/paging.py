"""Where an answer may say that it is not all there is: in its head, beside its rows, and in parts of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from picora_analytics.errors import ResponseFormatError

__all__ = [
    "has_more",
    "head_says_more",
    "head_total",
    "next_cursor",
    "parts_of",
    "parts_say_more",
    "totals_of",
]

CURSORS = ("nextCursor", "next_cursor")
FLAGS = ("hasMore", "has_more")
TOTALS = ("total", "totalCount", "total_count", "totalItems", "total_items", "totalElements")
# How deep parts such as meta.pagination.links may lie in one another.
DEEP = 4
# Names in lower case and letters only. Parts that are about pages, and not about a quota or a user:
_PARTS = re.compile(
    "(page|pages|pagination|paging|pager|paginator|pageinfo|meta|metadata|links?|cursors?|navigation|listing|list|next)"
)
# What says that more follows, that this is the end, and where the rest is:
_MORE = re.compile(
    "(has|is|are)?(more|next|nextpage|moreresults|moreitems|morepages|moreavailable|truncated|incomplete"
    "|incompleteresults|partial|partialresults|timedout)"
)
_LAST = re.compile("(has|is|at)?(last|lastpage|end|done|finished|complete|completed|exhausted)")
_NEXT = re.compile(
    "(odata)?next(page|cursor|url|uri|link|href|token|key|marker|offset|start|after|before|id|pageurl|pagelink"
    "|pagetoken|pagecursor|request)?|continu(e|ation)(token|key|cursor)?"
)
_HEADS = ("x-next-page", "x-next-cursor", "x-next", "x-next-token", "x-has-more", "x-more")
# Bounded: a head may hold a hundred thousand digits.
_RANGE = re.compile(r"(?<!\d)(\d{1,18})\s{0,9}-\s{0,9}(\d{1,18})\s{0,9}/\s{0,9}(\d{1,18}|\*)")
_TOTAL_HEADS = ("x-total-count", "x-total")
_COUNTED = re.compile(r"\d{1,3}(?:[,. _'\u00a0\u202f]\d{3}){1,5}|\d{1,18}")
_RELATION = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;,\"']+))", re.IGNORECASE)


def head_says_more(headers: Mapping[str, str]) -> bool:
    """Whether the head of an answer, its names in lower case, says that more follows."""
    link = headers.get("link")
    if link and any("next" in "".join(names).lower().split() for names in _RELATION.findall(link)):
        return True
    if any(_says(headers.get(name)) for name in _HEADS):
        return True
    shown = _RANGE.search(headers.get("content-range", ""))
    return shown is not None and (shown[3] == "*" or int(shown[2]) + 1 < int(shown[3]))


def head_total(headers: Mapping[str, str]) -> int | None:
    """Return how many images there are by the head of an answer, its names in lower case."""
    told = [_counted(headers.get(name)) for name in _TOTAL_HEADS]
    return max((one for one in told if isinstance(one, int)), default=None)


def parts_of(answer: Any, data: Any) -> list[dict[str, Any]]:
    """Give the parts of an answer that are about its rows: beside them, around them, and within those."""
    found: list[dict[str, Any]] = []
    nearest = [data, answer] if data is not answer else [data]
    for part in nearest:
        found += [
            within for within in _within(part, DEEP) if not any(within is one for one in found)
        ]
    return found


def next_cursor(parts: list[dict[str, Any]], where: str) -> str | None:
    """
    Return the cursor of the next page; None where there is none.

    Raises
    ------
    ResponseFormatError
        If it is no text, or there are two.
    """
    # An empty string is the first page again.
    told = [part[name] for part in parts for name in CURSORS if part.get(name) not in (None, "")]
    for cursor in told:
        if not isinstance(cursor, str):
            raise ResponseFormatError(
                f"{where}: nextCursor is {type(cursor).__name__}, not text; the rest of the library cannot be "
                "asked for."
            )
    if len(set(told)) > 1:
        raise ResponseFormatError(
            f"{where} told of two different next pages; where the library goes on nobody can tell."
        )
    return told[0] if told else None


def has_more(parts: list[dict[str, Any]]) -> bool:
    """Whether any part says that more follows, as documented."""
    return any(_says(part.get(name)) for part in parts for name in FLAGS)


def parts_say_more(parts: list[dict[str, Any]]) -> bool:
    """Whether any part says that more follows, in other words than the documented ones."""
    return any(_part_says_more(part) for part in parts)


def totals_of(parts: list[dict[str, Any]]) -> list[Any]:
    """Return each thing that is said of how many images there are, as numbers where it can be read."""
    told = [part[name] for part in parts for name in TOTALS if part.get(name) is not None]
    return [_counted(one) for one in told]


def _counted(told: Any) -> Any:
    """Read a number out of an object or a text: ``{"value": 500}``, ``"1,000"``, ``"500+"``."""
    if isinstance(told, dict):
        told = next((told[name] for name in ("value", "count", *TOTALS) if name in told), told)
    text = told.strip().removesuffix("+").strip() if isinstance(told, str) else ""
    return int(re.sub(r"\D", "", text)) if _COUNTED.fullmatch(text) else told


def _within(part: Any, deep: int) -> Iterator[dict[str, Any]]:
    """Give an object, and those in it that are about pages."""
    if not isinstance(part, dict) or not deep:
        return
    yield part
    for name, value in part.items():
        if _PARTS.fullmatch(_plain(name)):
            for within in value[:20] if isinstance(value, list) else [value]:
                yield from _within(within, deep - 1)


def _plain(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


def _part_says_more(part: dict[str, Any]) -> bool:
    numbers: dict[str, Any] = {}
    for name, value in part.items():
        plain = _plain(name)
        numbers[plain] = value
        if name in CURSORS or name in FLAGS:
            continue
        if (_MORE.fullmatch(plain) or _NEXT.fullmatch(plain)) and _says(value):
            return True
        if _LAST.fullmatch(plain) and (value is False or str(value).strip().lower() == "false"):
            return True
    if str(part.get("rel", "")).lower() == "next" and _says(part.get("href", part.get("url"))):
        return True
    page = _whole(numbers, "page", "currentpage", "pagenumber", "current")
    pages = _whole(
        numbers, "pages", "totalpages", "pagecount", "pagestotal", "lastpage", "numpages"
    )
    return page is not None and pages is not None and 0 < page < pages


def _whole(numbers: dict[str, Any], *names: str) -> int | None:
    for name in names:
        text = str(numbers.get(name, ""))
        if text.isdecimal() and len(text) < 10:
            return int(text)
    return None


def _says(value: Any) -> bool:
    """Whether a value says yes, or says anything at all."""
    if isinstance(value, dict):
        return any(_says(one) for one in value.values())
    if value in (None, False, 0, -1, []):
        return False
    return str(value).strip().lower() not in ("", "false", "no", "0", "-1", "null", "none")
