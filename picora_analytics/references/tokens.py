"""
Find image ids in bytes, whatever stands around them.

An id is 11 characters of ``A-Z a-z 0-9 _ -``, which no format has to escape. So an address is found by its id alone:
in Markdown, escaped JSON, percent-encoded links, ``srcset``, behind a custom domain or processing parameters.
Every window of 11 such characters is looked up, so it does not matter what an id touches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ID_LENGTH", "Hit", "IdFinder", "are_ids", "unescape"]

ID_LENGTH = 11

_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789_-"
_NO_ID = 255
_CODES = bytearray([_NO_ID]) * 256
for _code, _letter in enumerate(_LETTERS):
    _CODES[_letter] = _CODES[ord(chr(_letter).upper())] = _code
_TABLE = bytes(_CODES)

# `_` and `-` are the only characters of an id that any writer escapes. What tells that there is such an escape at all,
# beginning with a sign that is quickly searched for; then each escape with what it means, in the order to undo them.
_ESCAPES: tuple[tuple[bytes, re.Pattern[bytes], tuple[tuple[bytes, bytes], ...]], ...] = (
    (
        b"\\",
        re.compile(rb"\\(?:u00|x)?(?:5[fF]|2[dD]|[_-])"),
        (
            *((rb"\u005%c" % char, b"_") for char in b"fF"),
            *((rb"\u002%c" % char, b"-") for char in b"dD"),
            *((rb"\x5%c" % char, b"_") for char in b"fF"),
            *((rb"\x2%c" % char, b"-") for char in b"dD"),
            (rb"\_", b"_"),
            (rb"\-", b"-"),
        ),
    ),
    (
        b"%",
        re.compile(rb"%(?:25)*(?:5[fF]|2[dD])"),
        ((b"%25", b"%"), (b"%5F", b"_"), (b"%5f", b"_"), (b"%2D", b"-"), (b"%2d", b"-")),
    ),
    (
        b"&",
        re.compile(rb"&(?:amp;)?(?:#|lowbar;|hyphen;)"),
        (
            (b"&amp;#", b"&#"),
            (b"&lowbar;", b"_"),
            (b"&hyphen;", b"-"),
            (b"&#95;", b"_"),
            (b"&#45;", b"-"),
            *((b"&#%c5%c;" % (x, char), b"_") for x in b"xX" for char in b"fF"),
            *((b"&#%c2%c;" % (x, char), b"-") for x in b"xX" for char in b"dD"),
        ),
    ),
    (b"=", re.compile(rb"=(?:5F|2D)"), ((b"=5F", b"_"), (b"=2D", b"-"))),
)


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
        Image ids, each of 11 id characters (:func:`are_ids`).
    """

    def __init__(self, ids: Iterable[str]) -> None:
        known = list(ids)
        folded = "".join(known).lower()
        keys = [folded[start : start + ID_LENGTH] for start in range(0, len(folded), ID_LENGTH)]
        self._by_folded = dict(zip(keys, known, strict=True))
        # Ids that differ in the case of letters alone.
        self._twins: dict[str, tuple[str, ...]] = {}
        if len(self._by_folded) < len(known):
            for key, image_id in zip(keys, known, strict=True):
                if self._by_folded[key] != image_id:
                    self._twins[key] = (*self._twins.get(key, ()), image_id)
        joined = "".join(self._by_folded).encode("ascii").translate(_TABLE)
        codes = np.frombuffer(joined, np.uint8).reshape(-1, ID_LENGTH)
        self._heads, self._tails = np.zeros(1 << 24, bool), np.zeros(1 << 24, bool)
        if len(codes):
            self._heads[_four(codes.T[:4])] = True
            self._tails[_four(codes.T[7:])] = True

    def like(self, token: str) -> tuple[str, ...]:
        """Give the id itself, or those that differ in the case of letters alone."""
        key = token.lower()
        known = self._by_folded.get(key)
        if known is None or known == token:
            return () if known is None else (token,)
        ids = (known, *self._twins.get(key, ()))
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
            token = data[offset : offset + ID_LENGTH].decode("ascii")
            ids = self.like(token)
            if ids:
                hits.append(Hit(offset, token, ids))
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


def are_ids(values: pd.Index[Any]) -> npt.NDArray[np.bool_]:
    """Tell which values have the form of an image id."""
    matched = pc.match_substring_regex(pa.array(values, pa.string()), "^[A-Za-z0-9_-]{11}$")
    return cast(npt.NDArray[np.bool_], matched.fill_null(False).to_numpy(zero_copy_only=False))


def unescape(data: bytes) -> bytes:
    """Write the escaped ``_`` and ``-`` of a text plainly; the very same object where there are none."""
    for first, sign, escapes in _ESCAPES:
        if _stands_in(data, first, sign):
            for escaped, plain in escapes:
                while escaped in data:  # Escaped twice: JSON in JSON, a link within a link.
                    data = data.replace(escaped, plain)
    return data


def _stands_in(data: bytes, first: bytes, sign: re.Pattern[bytes]) -> bool:
    """Search for a pattern by its first byte, which is far quicker than the pattern's own search."""
    place = data.find(first)
    while place >= 0:
        if sign.match(data, place):
            return True
        place = data.find(first, place + 1)
    return False


def _four(codes: Iterable[npt.NDArray[np.uint8]]) -> npt.NDArray[np.uint32]:
    """Pack four codes into one number below 2**24."""
    first, second, third, fourth = (part.astype(np.uint32) for part in codes)
    packed = first << 18 | second << 12 | third << 6 | fourth
    return cast(npt.NDArray[np.uint32], packed)
