"""Look for ids and addresses in texts, many small ones or few large ones, in pieces of about a megabyte."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import numpy as np

from picora_analytics.references.sources import Text
from picora_analytics.references.tokens import ID_LENGTH, Hit, IdFinder, unescape

__all__ = ["HOSTS", "Address", "Place", "Scanner", "host_paths"]

# Where Picora serves images (API documents): the path before the id.
HOSTS = {"img.picora.com": "/", "media.picora.me": "/", "media.picora.cn": "/"}

SNIPPET = 80  # Bytes around an id.
PIECE = 1 << 20
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
    finder : IdFinder
    hosts : mapping of str to str
        The path before an id, by host, the latter in lower case and perhaps with a port.
    """

    def __init__(self, finder: IdFinder, hosts: dict[str, str]) -> None:
        self._finder = finder
        self._hosts = [_Host(netloc, path) for netloc, path in hosts.items()]

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
        hits = self._finder.find(data)
        yield from self._found(pieces, data, hits)
        yield from self._dangling(pieces, data, {hit.offset for hit in hits if hit.exact})
        if unescape(data):
            plain = [piece._replace(data=text) for piece in pieces for text in unescape(piece.data)]
            data = b"\n".join(piece.data for piece in plain)
            yield from self._found(plain, data, self._finder.find(data))

    def _found(
        self, pieces: list[_Piece], data: bytes, hits: list[Hit]
    ) -> Iterator[Place | Address]:
        where = _Where(pieces, data, [hit.offset for hit in hits])
        for hit, source, line, text in zip(
            hits, where.names, where.lines, where.texts, strict=True
        ):
            for image_id in hit.ids:
                yield Place(image_id, source, line, text, hit.exact)
            if not hit.exact:
                yield Address(hit.token, hit.token, source, line, hit.ids)

    def _dangling(self, pieces: list[_Piece], data: bytes, known: set[int]) -> Iterator[Address]:
        """Read what stands behind the hosts of images, unless a known id begins at one of the offsets there."""
        lowered = data.lower()
        found, offsets = [], []
        for host in self._hosts:
            start = lowered.find(host.name)
            while start >= 0:
                end = start + len(host.name)
                # After a slash, as it is, or escaped as in JSON or by percent.
                usual = end + 1 in known or end + 2 in known or end + 3 in known
                address = None if usual else host.read(data, start, self._finder)
                if address is not None:
                    found.append(address)
                    offsets.append(start)
                start = lowered.find(host.name, end)
        where = _Where(pieces, data, offsets)
        for (shown, token), source, line in zip(found, where.names, where.lines, strict=True):
            yield Address(shown, token, source, line, self._finder.like(token))


class _Where:
    """Tell of offsets in joined pieces, all at once: the text each lies in, its line, and what stands around it."""

    def __init__(self, pieces: list[_Piece], data: bytes, offsets: list[int]) -> None:
        self.names: list[str] = []
        self.lines: list[int] = []
        self.texts: list[str] = []
        if not offsets:
            return
        places = np.array(offsets)
        lengths = np.array([len(piece.data) + 1 for piece in pieces])
        starts = np.cumsum(lengths) - lengths
        numbers = np.searchsorted(starts, places, side="right") - 1
        # Pieces are joined by newlines, so no line goes on in the next one.
        newlines = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
        before = np.searchsorted(newlines, places)
        first = np.array([piece.line for piece in pieces])
        self.names = [pieces[number].name for number in numbers.tolist()]
        self.lines = (first[numbers] + before - np.searchsorted(newlines, starts[numbers])).tolist()
        bounds = np.concatenate([[-1], newlines, [len(data)]])
        begins = np.maximum(bounds[before] + 1, places - SNIPPET // 2)
        ends = np.minimum(bounds[before + 1], begins + SNIPPET)
        self.texts = [
            data[begin:end].decode("utf-8", "replace").strip()
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        ]


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
