"""
Find image ids in bytes, whatever stands around them.

An id is 11 characters of ``A-Z a-z 0-9 _ -``, which no format has to escape. So an address is found by its id alone:
in Markdown, escaped JSON, percent-encoded links, ``srcset``, behind a custom domain or processing parameters.
Every window of 11 such characters is looked up, so it does not matter what an id touches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

__all__ = ["ID_LENGTH", "Hit", "IdFinder", "is_id", "line_around", "unescape"]

ID_LENGTH = 11
SNIPPET = 80

_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_NO_ID = 255
_CODES = bytearray([_NO_ID]) * 256
for _code, _letter in enumerate(_LETTERS):
    _CODES[_letter] = _CODES[ord(chr(_letter).upper())] = _code
_TABLE = bytes(_CODES)

# `_` and `-` are the only characters of an id that any writer escapes: by a sign, then how it may go on.
_ESCAPES: dict[bytes, tuple[tuple[bytes, bytes], ...]] = {
    rb"\u00": (
        *((rb"\u005%c" % char, b"_") for char in b"fF"),
        *((rb"\u002%c" % char, b"-") for char in b"dD"),
    ),
    rb"\x": (
        *((rb"\x5%c" % char, b"_") for char in b"fF"),
        *((rb"\x2%c" % char, b"-") for char in b"dD"),
    ),
    rb"\_": ((rb"\_", b"_"),),
    rb"\-": ((rb"\-", b"-"),),
    b"%": ((b"%25", b"%"), (b"%5F", b"_"), (b"%5f", b"_"), (b"%2D", b"-"), (b"%2d", b"-")),
    b"&": ((b"&amp;#", b"&#"), (b"&lowbar;", b"_"), (b"&hyphen;", b"-")),
    b"&#": (
        (b"&#95;", b"_"),
        (b"&#45;", b"-"),
        *((b"&#%c5%c;" % (x, char), b"_") for x in b"xX" for char in b"fF"),
        *((b"&#%c2%c;" % (x, char), b"-") for x in b"xX" for char in b"dD"),
    ),
    b"=": ((b"=5F", b"_"), (b"=2D", b"-")),
}


class Hit(NamedTuple):
    """
    A place in bytes where an id stands.

    Attributes
    ----------
    offset : int
    token : str
        As it stands there.
    ids : tuple of str
        The token itself if that was looked for, else the ids that differ from it in the case of letters alone.
    """

    offset: int
    token: str
    ids: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Whether the very id stands there."""
        return self.ids == (self.token,)


class IdFinder:
    """
    Look for many ids at once.

    Parameters
    ----------
    ids : iterable of str
        Image ids, each of 11 id characters (:func:`is_id`).
    """

    def __init__(self, ids: Iterable[str]) -> None:
        self._by_folded: dict[bytes, tuple[str, ...]] = {}
        for image_id in ids:
            key = image_id.encode("ascii").lower()
            self._by_folded[key] = (*self._by_folded.get(key, ()), image_id)
        joined = b"".join(self._by_folded).translate(_TABLE)
        codes = np.frombuffer(joined, np.uint8).reshape(-1, ID_LENGTH)
        self._heads, self._tails = np.zeros(1 << 24, bool), np.zeros(1 << 24, bool)
        if len(codes):
            self._heads[_four(codes.T[:4])] = True
            self._tails[_four(codes.T[7:])] = True

    def like(self, token: str) -> tuple[str, ...]:
        """Give the id itself, or those that differ in the case of letters alone."""
        ids = self._by_folded.get(token.encode("ascii", "replace").lower(), ())
        return (token,) if token in ids else ids

    def find(self, data: bytes) -> list[Hit]:
        """
        Find the ids in a text.

        Parameters
        ----------
        data : bytes
            In any encoding that writes ASCII as ASCII (UTF-8, Latin-1, GB18030).
        """
        hits = []
        for offset in self._offsets(data).tolist():
            token = data[offset : offset + ID_LENGTH]
            if token.lower() in self._by_folded:
                text = token.decode("ascii")
                hits.append(Hit(offset, text, self.like(text)))
        return hits

    def _offsets(self, data: bytes) -> npt.NDArray[np.intp]:
        """Give where a window begins that may be one of the ids."""
        if len(data) < ID_LENGTH:
            return np.empty(0, np.intp)
        codes = np.frombuffer(data.translate(_TABLE), np.uint8)
        run = codes != _NO_ID
        # Runs of 2, 4, 8 and 11 characters, by doubling.
        for step in (1, 2, 4, 3):
            run = run[:-step] & run[step:]
        starts = np.flatnonzero(run)
        if not len(starts):
            return starts
        if 4 * len(starts) > len(
            codes
        ):  # Mostly one long run: whole arrays are quicker than gathering.
            letters = codes & np.uint8(63)
            may_start = self._heads[_four(letters[i : i + len(run)] for i in range(4))]
            starts = np.flatnonzero(may_start & run)
        else:
            starts = starts[self._heads[_four([codes[starts + i] for i in range(4)])]]
        return starts[self._tails[_four([codes[starts + i] for i in range(7, 11)])]]


def is_id(text: object) -> bool:
    """Whether a value has the form of an image id."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def unescape(data: bytes) -> bytes:
    """Write the escaped ``_`` and ``-`` of a text plainly; the very same object where there are none."""
    for sign, escapes in _ESCAPES.items():
        if sign in data:
            for escaped, plain in escapes:
                while escaped in data:  # Escaped twice: JSON in JSON, a link within a link.
                    data = data.replace(escaped, plain)
    return data


def _four(codes: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint32]:
    """Pack four codes into one number below 2**24."""
    first, second, third, fourth = (part.astype(np.uint32) for part in codes)
    packed = first << 18 | second << 12 | third << 6 | fourth
    return cast(npt.NDArray[np.uint32], packed)


def line_around(data: bytes, offset: int) -> str:
    """Give the line that an offset lies in, at most 80 bytes of it."""
    half = SNIPPET // 2
    start = max(data.rfind(b"\n", max(0, offset - half), offset) + 1, offset - half, 0)
    end = data.find(b"\n", offset, start + SNIPPET)
    text = data[start : end if end >= 0 else start + SNIPPET]
    return text.decode("utf-8", "replace").strip()
