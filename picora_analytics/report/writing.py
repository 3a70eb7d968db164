"""How each fact is written: one form of every number, wherever it is shown."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from picora_analytics.text import shorten, visible
from picora_analytics.times import day, day_and_time, parse_instant
from picora_analytics.units import format_bytes, format_share

__all__ = ["as_html", "as_markdown", "look_up", "markdown_text", "written"]

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

    Examples
    --------
    >>> written("size_bytes", 5 * 1024**3), written("used_share", 0.941), written("n_images", 3012)
    ('5.00 GiB', '94 %', '3,012')
    >>> written("library.loaded_at", "2026-11-23T14:02:00Z"), written("size_bytes", None)
    ('23 Nov 2026, 14:02 UTC', 'unknown')
    """
    name = path.rpartition(".")[2]
    if pd.isna(value):
        return "none" if name == "bytes_per_pixel" else "unknown"
    if name == "net_bytes":
        return f"{'+' if value > 0 else ''}{format_bytes(value)}"
    if name.endswith("_bytes"):
        return format_bytes(value)
    if name.endswith("_share"):
        return format_share(value, 1)
    if name.endswith(("_at", "_upload")):
        moment = parse_instant(value)
        return day_and_time(moment) if path == "library.loaded_at" else day(moment)
    if name in _NAMES:
        return shorten(value, _LONGEST)
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else visible(value)


def as_html(facts: dict[str, Any], path: str) -> Markup:
    """Write a fact as an element that names it, so that a reader can look it up in the JSON."""
    value = look_up(facts, path)
    text = escape(written(path, value))
    if isinstance(value, str) and not path.endswith(("_at", "_upload")):
        return Markup('<bdi data-fact="{}">{}</bdi>').format(path, text)
    plain = "" if value is None else value
    return Markup('<data data-fact="{}" value="{}">{}</data>').format(path, plain, text)


def as_markdown(facts: dict[str, Any], path: str) -> str:
    """Write a fact for Markdown."""
    return markdown_text(written(path, look_up(facts, path)))


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
