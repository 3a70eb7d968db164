"""How each fact is written: one form of every number, wherever it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from picora_analytics.text import shorten, visible
from picora_analytics.times import day, day_and_time, parse_instant
from picora_analytics.units import format_bytes, format_share

__all__ = ["as_html", "as_markdown", "as_text", "fill", "look_up", "markdown_text", "written"]

# Strangers' names, of which a table shows no more than the start and the end.
_NAMES, _LONGEST = ("filename", "tag", "mime_type", "suggested"), 60

# The dot of what could be a host; no top-level domain is called like a kind of picture.
_DOT = re.compile(
    r"(?i:(?<=www)\.|\.(?=[^\W\d_]{2})(?!(?:avif|bmp|gif|heic|ico|jpe?g|png|svg|tiff?|webp)\b))"
)
_JOINER = "&#8288;"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": f"&#64;{_JOINER}"}


def look_up(facts: dict[str, Any], path: str) -> Any:
    """
    Give the fact at a path.

    Examples
    --------
    >>> look_up({"tags": [{"tag": "cat"}]}, "tags.0.tag")
    'cat'
    """
    value: Any = facts
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def written(path: str, value: Any) -> str:
    """
    Write a fact for people; the end of its name says what it is.

    After a colon the path may ask for a form: ``month`` of a day, ``bare`` bytes without their unit.

    Examples
    --------
    >>> written("size_bytes", 5 * 1024**3), written("used_share", 0.941), written("n_images", 3012)
    ('5.00 GiB', '94 %', '3,012')
    >>> written("library.loaded_at", "2026-11-23T14:02:00Z"), written("size_bytes", None)
    ('23 Nov 2026, 14:02 UTC', 'unknown')
    >>> written("full_early_at:month", "2027-07-14"), written("size_bytes:bare", 5 * 1024**3)
    ('Jul 2027', '5.00')
    """
    path, _, form = path.partition(":")
    name = path.rpartition(".")[2]
    if pd.isna(value):
        return "none" if name == "bytes_per_pixel" else "unknown"
    if name.endswith("net_bytes"):
        return f"{'+' if value > 0 else ''}{format_bytes(value)}".replace("-", "−")
    if name.endswith("_bytes"):
        text = format_bytes(value)
        return text.partition(" ")[0] if form == "bare" else text
    if name.endswith("_share"):
        return format_share(value, 1)
    if name.endswith(("_at", "_upload")) or name in ("at", "period"):
        return _moment(path, value, form)
    if name in _NAMES:
        return shorten(value, _LONGEST)
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, int) and name != "max_edge":
        return f"{value:,}"
    return visible(value)


def _moment(path: str, value: str, form: str) -> str:
    if form == "month":
        return f"{parse_instant(value if len(value) > 7 else f'{value}-01'):%b %Y}"
    if path.endswith("period"):
        return visible(value)
    moment = parse_instant(value)
    return day_and_time(moment) if path == "library.loaded_at" else day(moment)


def fill(sentence: str, write: Callable[[str], Any], plain: Callable[[str], Any] = str) -> str:
    """
    Put the facts into a sentence; what stands between them goes through `plain`.

    Examples
    --------
    >>> fill("{n_tags} tags", {"n_tags": "7"}.get)
    '7 tags'
    """
    parts = re.split(r"\{([\w.]+(?::\w+)?)\}", sentence)
    return "".join(
        str(write(part) if place % 2 else plain(part)) for place, part in enumerate(parts)
    )


def as_html(facts: dict[str, Any], path: str) -> Markup:
    """Write a fact as an element that names it, so that a reader can look it up in the JSON."""
    place, _, form = path.partition(":")
    value = look_up(facts, place)
    text = escape(written(path, value))
    named = Markup('data-fact="{}"{}').format(
        place, Markup(' data-form="{}"').format(form) if form else ""
    )
    if isinstance(value, str) and not place.endswith(("_at", "_upload")):
        return Markup("<bdi {}>{}</bdi>").format(named, text)
    plain = "" if value is None else value
    return Markup('<data {} value="{}">{}</data>').format(named, plain, text)


def as_text(facts: dict[str, Any], path: str) -> str:
    """Write a fact as it is."""
    return written(path, look_up(facts, path.partition(":")[0]))


def as_markdown(facts: dict[str, Any], path: str) -> str:
    """Write a fact for Markdown."""
    return markdown_text(as_text(facts, path))


def markdown_text(text: object) -> str:
    r"""
    Make a stranger's text dead in Markdown: no markup, HTML, link, mention, formula or table cell.

    Escaping does not keep GitHub from linking ``name@host``, ``@name`` and ``#1``, as it looks at the rendered text:
    an invisible word joiner parts that.

    Examples
    --------
    >>> print(markdown_text("a|b <i> `c` [d](e) $f$ @g"))
    a\|b &lt;i&gt; \`c\` \[d\]\(e\) \$f\$ &#64;&#8288;g
    >>> print(markdown_text("see www.example.com, https://example.com"))
    see www\.example\.com, https\:\/\/example\.com
    """
    seen = re.sub(r"([\\`*_{}\[\]()!|~$#]|:(?=/)|(?<=[:/])/)", r"\\\1", visible(text))
    seen = _DOT.sub(r"\\.", seen)
    seen = re.sub(r"[&<>@]", lambda found: _ENTITIES[found[0]], seen)
    return re.sub(r"(?<=\\#)|(?i:(?<=\bGH)(?=-\d))", _JOINER, seen)
