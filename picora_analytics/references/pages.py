"""What a site answered: a sitemap, the page that was asked for, or something else in its place."""

from __future__ import annotations

import contextlib
import gzip
import html
import io
import re
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.parsers import expat

import httpx
import msgspec

from picora_analytics.text import shorten

__all__ = [
    "MAX_BYTES",
    "Answer",
    "Entry",
    "PageError",
    "page_of",
    "read_address",
    "read_answer",
]

MAX_BYTES = (
    50 << 20
)  # Of one page or sitemap, unpacked; the protocol allows no larger sitemap (sitemaps.org).

# What stands before the first element, a byte order mark included.
_BEFORE = rb"[\s\xef\xbb\xbf\xff\xfe]*"
_SITEMAP = re.compile(rb"<(?:[\w.-]+:)?(?:urlset|sitemapindex)[\s>/]", re.IGNORECASE)
_FEED = re.compile(
    _BEFORE + rb"(?:(?:<[?!][^>]*>\s*)*<(?:rss|feed|rdf:RDF)[\s>]|https?://\S+\s*(?:\n|$))",
    re.IGNORECASE,
)
_NAMED_SITEMAP = re.compile(r"\.xml(?:\.gz)?$|/sitemap(?:\.\w+)?/?$", re.IGNORECASE)
_META = re.compile(rb"<meta\b[^<>]{0,4000}", re.IGNORECASE)
_REFRESH = re.compile(r"""http-equiv\s*+=[\s"']*+refresh\b""", re.IGNORECASE)
_CONTENT = re.compile(r"""\bcontent\s*=\s*("[^"]*|'[^']*|[^\s>]+)""", re.IGNORECASE)
_SECONDS_AND_PLACE = re.compile(r"""[\d.]+[;,\s]+(?:url\s*=\s*)?["']?([^"']+)""", re.IGNORECASE)
# One page under its several names: /a, /a/, /a.html and /a/index.html.
_ENDING = re.compile(r"(?:/index)?(?:\.html?)?$")


class PageError(Exception):
    """A page that could not be read; the message says why."""


class Entry(NamedTuple):
    """An address to read, and whether a sitemap must stand there."""

    url: str
    is_sitemap: bool

    @classmethod
    def typed(cls, url: str) -> Entry:
        """Give the entry of an address that a person typed."""
        return cls(url, _NAMED_SITEMAP.search(httpx.URL(url).path) is not None)


class Answer(NamedTuple):
    """What came in the end, from where, and what its Refresh header says."""

    url: httpx.URL
    status: int
    body: bytes
    refresh: str


def read_address(text: str) -> httpx.URL:
    """
    Read an address of a page.

    Raises
    ------
    ValueError
        If there is no such address: a host or port that none can have, or what no address may hold.
    """
    with contextlib.suppress(httpx.InvalidURL, ValueError):
        url = httpx.URL(text)
        url.raw_host.decode("ascii").encode("idna")  # As a name is looked up.
        if url.host and (url.port is None or 0 < url.port < 1 << 16):
            return url
    raise ValueError(f"{shorten(text, 60)!r} is not an address that can be read.")


def page_of(url: httpx.URL | str) -> tuple[str, str, bytes]:
    """
    Give the host, path and query of a page, the same for all its usual spellings.

    Examples
    --------
    >>> page_of("http://example.com/a/") == page_of("https://example.com/A/index.html")
    True
    """
    parts = httpx.URL(url)
    return parts.host, _ENDING.sub("", parts.path.rstrip("/")).lower(), parts.query


def read_answer(entry: Entry, answer: Answer) -> list[Entry] | None:
    """
    Give what a sitemap lists; None for the page that was asked for.

    Raises
    ------
    PageError
        If it is neither: what stands there says nothing about the page.
    """
    body = _unpacked(answer.body)
    head = body.replace(b"\0", b"")[: 1 << 20]
    if _SITEMAP.search(head):  # It proves itself, wherever it is kept.
        return _entries(body)
    if not body.strip() or _FEED.match(head):
        raise PageError("neither a page nor a sitemap that can be read")
    if entry.is_sitemap:
        raise PageError("no sitemap")
    for target in (answer.url, *_sent_on(answer, head)):
        if page_of(target) != page_of(entry.url):
            raise PageError(f"it leads to {shorten(target.host + target.path, 60)}")
    if _reports_failure(body):
        raise PageError("it reports an error under 200")
    return None


def _unpacked(body: bytes) -> bytes:
    if body.startswith(b"\x1f\x8b"):
        try:
            body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error):
            raise PageError("a damaged gzip file") from None
        if len(body) > MAX_BYTES:
            raise PageError(f"unpacks to more than {MAX_BYTES >> 20} MiB")
    if body.startswith(b"\x1f\x8b"):
        raise PageError("a gzip file in a gzip file")
    return body


def _sent_on(answer: Answer, head: bytes) -> Iterator[httpx.URL]:
    """Give where a page sends its readers by itself; one that only loads itself anew names no place."""
    tags = (html.unescape(tag.decode("utf-8", "replace")) for tag in _META.findall(head))
    told = [
        found[1].strip("\"'")
        for tag in tags
        if _REFRESH.search(tag)
        for found in _CONTENT.finditer(tag)
    ]
    for text in (answer.refresh, *told):
        if place := _SECONDS_AND_PLACE.match(text.strip()):
            try:
                target = read_address(str(answer.url.join(place[1].strip())))
            except (httpx.InvalidURL, ValueError):
                raise PageError("it leads to no address") from None
            yield target


def _reports_failure(body: bytes) -> bool:
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(told, dict) and (
        any(told.get(name) is False for name in ("success", "ok"))
        or any(told.get(name) for name in ("error", "errors"))
        or told.get("status") in ("error", "fail", "failed")
    )


def _entries(body: bytes) -> list[Entry]:
    """Give the addresses that a sitemap lists; elements go by their local name, in any case."""
    listed: list[list[Entry]] = []
    path: list[str] = []
    text: list[str] = []

    def start(name: str, _: object) -> None:
        path.append(name.rpartition(":")[2].lower())
        text.clear()
        if path[-1] in ("url", "sitemap"):
            listed.append([])

    def end(_: str) -> None:
        if path[-2:] in (["url", "loc"], ["sitemap", "loc"]):
            listed[-1].append(Entry("".join(text).strip(), path[-2] == "sitemap"))
        path.pop()

    def refuse(*_: Any) -> None:
        raise PageError("a sitemap with a document type of its own")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text.append
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise PageError(f"a broken sitemap ({error})") from None
    if not listed or not all(listed):
        raise PageError("a sitemap that lists nothing, or an entry without an address")
    return [entry for entries in listed for entry in entries]
