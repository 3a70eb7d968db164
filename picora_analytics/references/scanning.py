"""Look for ids and addresses in texts, many small ones or few large ones, in pieces that fit a processor's cache."""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np

from picora_analytics.references.sources import CHUNK, Text
from picora_analytics.references.tokens import ID_LENGTH, Hit, IdFinder, unescape

__all__ = ["HOSTS", "Address", "Place", "Scanner", "host_paths"]

# Where Picora serves images (API documents): the path before the id.
HOSTS = {"img.picora.com": "/", "media.picora.me": "/", "media.picora.cn": "/"}

SNIPPET = 80  # Bytes around an id.
PIECE = CHUNK
# A piece ends between words where it can; else so many bytes are looked at twice.
OVERLAP = 512
_BREAK = re.compile(rb"""[\s"'<>()]""")
_PLAIN_ID = rb"(?:[A-Za-z0-9_-]{11})"
_UNICODE = re.compile(r"\\u00([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})")


class Place(NamedTuple):
    """An id where it was found; `exact` if it stands there in its own case."""

    image_id: str
    source: str
    line: int
    text: str
    exact: bool


class Address(NamedTuple):
    """An address on Picora's hosts, or a misspelled id, that leads to no image; `like` are ids of another case."""

    address: str
    token: str
    source: str
    line: int
    like: tuple[str, ...]


class _Piece(NamedTuple):
    name: str
    data: bytes
    line: int  # Of its first byte.


class Scanner:
    """
    Look for the ids of a library, and for addresses on its hosts that lead to no image.

    Parameters
    ----------
    ids : iterable of str
        Of 11 id characters each.
    hosts : mapping of str to str
        The path before an id, by host, the latter in lower case and perhaps with a port.
    """

    def __init__(self, ids: Iterable[str], hosts: Mapping[str, str]) -> None:
        self._hosts: dict[bytes, list[_Host]] = {}
        for netloc, path in hosts.items():
            host = _Host(netloc, path)
            self._hosts.setdefault(host.name, []).append(host)
        self._finder = IdFinder(ids, self._hosts)

    def scan(self, texts: Iterable[Text]) -> Iterator[Place | Address]:
        """Find places and dangling addresses; one that stands twice in a line may come twice."""
        waiting: list[_Piece] = []
        size = 0
        for piece in _pieces(texts):
            waiting.append(piece)
            size += len(piece.data) + 1
            if size >= PIECE:
                yield from self._search(waiting)
                waiting, size = [], 0
        yield from self._search(waiting)

    def _search(self, pieces: list[_Piece]) -> Iterator[Place | Address]:
        """Search pieces, and once more those of them in which an id may be escaped."""
        data = b"\n".join(piece.data for piece in pieces)
        hits, hosts = self._finder.find(data)
        yield from _found(pieces, data, hits)
        yield from self._dangling(pieces, data, hosts, {hit.offset for hit in hits if hit.exact})
        plain = [piece._replace(data=text) for piece in pieces for text in unescape(piece.data)]
        if plain:
            data = b"\n".join(piece.data for piece in plain)
            yield from _found(plain, data, self._finder.find(data)[0])

    def _dangling(
        self,
        pieces: list[_Piece],
        data: bytes,
        hosts: list[tuple[int, bytes]],
        known: Container[int],
    ) -> Iterator[Address]:
        """Read what stands behind the hosts of images, unless a known id begins at one of the offsets there."""
        found, offsets = [], []
        for start, name in hosts:
            end = start + len(name)
            # After a slash, as it is, or escaped as in JSON or by percent.
            if end + 1 in known or end + 2 in known or end + 3 in known:
                continue
            for host in self._hosts[name]:
                address = host.read(data, start, self._finder)
                if address is not None:
                    found.append(address)
                    offsets.append(start)
        places = _places(pieces, data, offsets)
        for (shown, token), (source, line, _) in zip(found, places, strict=True):
            yield Address(shown, token, source, line, self._finder.like(token))


def _found(pieces: list[_Piece], data: bytes, hits: list[Hit]) -> Iterator[Place | Address]:
    places = _places(pieces, data, [hit.offset for hit in hits])
    for hit, (source, line, text) in zip(hits, places, strict=True):
        for image_id in hit.ids:
            yield Place(image_id, source, line, text, hit.exact)
        if not hit.exact:
            yield Address(hit.token, hit.token, source, line, hit.ids)


def _places(
    pieces: list[_Piece], data: bytes, offsets: list[int]
) -> Iterator[tuple[str, int, str]]:
    """Tell of rising offsets in joined pieces the text each lies in, its line, and what stands around it."""
    newlines = np.frombuffer(data, np.uint8) == ord("\n")
    ends = iter(accumulate(len(piece.data) + 1 for piece in pieces))
    waiting = iter(pieces)
    begin = end = line = counted = 0
    name = ""
    for offset in offsets:
        while offset >= end:
            counted = begin = end
            name, _, line = next(waiting)
            end = next(ends)
        line += int(np.count_nonzero(newlines[counted:offset]))
        counted = offset
        # Pieces are joined by newlines, so no line goes on in the next one.
        first = max(begin, offset - SNIPPET // 2)
        first = max(first, data.rfind(b"\n", first, offset) + 1)
        last = data.find(b"\n", offset, first + SNIPPET)
        text = data[first : last if last >= 0 else first + SNIPPET]
        yield name, line, text.decode("utf-8", "replace").strip()


class _Host:
    """One host of images, as it stands in texts."""

    def __init__(self, netloc: str, path: str) -> None:
        self.name = netloc.partition(":")[0].encode("ascii")
        # Most addresses are plain or escaped as in JSON, and known.
        slash = rb"(?:\\?/|%2[Ff])"
        plain = slash.join(re.escape(part.encode()) for part in path.split("/"))
        port = re.escape(netloc.encode("ascii")[len(self.name) :])
        self._quick = re.compile(port + plain + b"(" + _PLAIN_ID + rb")(?![\w-])")
        self._whole = re.compile(
            rf"(?:https?://)?(?<![\w.-]){re.escape(netloc)}{re.escape(path)}([A-Za-z0-9_-]{{{ID_LENGTH}}})"
            r"(?![A-Za-z0-9_%-])(?:\.[A-Za-z0-9]{1,5}\b)?",
            re.IGNORECASE,
        )

    def read(self, data: bytes, start: int, finder: IdFinder) -> tuple[str, str] | None:
        """Give an address and the id in it, unless an image has that id."""
        quick = self._quick.match(data, start + len(self.name))
        if quick is not None:
            token = quick[1].decode("ascii")
            if finder.like(token) == (token,):
                return None
        # The host is where it was found: a scheme belongs to it, not to an address before it.
        before = _readable(data[max(0, start - 24) : start])
        for match in self._whole.finditer(before + _readable(data[start : start + 400])):
            if match.end() > len(before):
                known = finder.like(match[1]) == (match[1],)
                return None if known else (match[0], match[1])
        return None


def _readable(data: bytes) -> str:
    """Take the escapes of JSON, HTML, Markdown and percent-encoding out of a short text."""
    text = data.decode("ascii", "replace")
    for _ in range(3):
        plain = _UNICODE.sub(lambda match: chr(int(match[1] or match[2], 16)), text)
        plain = unquote(html.unescape(plain)).replace("\\", "")
        if plain == text:
            break
        text = plain
    return text


def _pieces(texts: Iterable[Text]) -> Iterator[_Piece]:
    """Cut texts into pieces that do not end within a word."""
    for text in texts:
        rest, line = b"", 1
        for chunk in text.chunks:
            data = rest + chunk
            if len(data) < PIECE:
                rest = data
                continue
            end = _end(data)
            yield _Piece(text.name, data[: end or len(data)], line)
            cut = end or len(data) - OVERLAP
            line += data.count(b"\n", 0, cut)
            rest = data[cut:]
        yield _Piece(text.name, rest, line)


def _end(data: bytes) -> int:
    """Find where a piece may end; 0 within one endless word, or where each line may go on in the next."""
    middle = len(data) // 2
    newline = last = data.rfind(b"\n", middle, -1)
    while newline >= 0 and (
        data.endswith((b"=", b"=\r"), middle, newline)
        or data.startswith((b" ", b"\t", b'"', b"'"), newline + 1)
    ):
        newline = data.rfind(b"\n", middle, newline)
    if last >= 0:
        return newline + 1
    last = 0
    for match in _BREAK.finditer(data, len(data) - 4096):
        last = match.end()
    return last


def host_paths(urls: Iterable[str]) -> dict[str, str]:
    """Give the hosts of images, with what their paths have before the id: Picora's own, and those of a library."""
    found = dict(HOSTS)
    for url in urls:
        try:
            parts = urlsplit(url)
        except ValueError:
            continue  # No address that could stand anywhere.
        folder = parts.path.rpartition("/")[0] + "/"
        if parts.netloc.isascii() and "@" not in parts.netloc and parts.hostname:
            found.setdefault(parts.netloc.lower(), folder)
    return found
