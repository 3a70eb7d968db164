"""
Find image ids in bytes, whatever stands around them.

An id is 11 characters of ``A-Z a-z 0-9 _ -``, so an address is found by its id alone: in Markdown, escaped JSON,
percent-encoded links, ``srcset``, behind a custom domain or processing parameters.
Every window of 11 such characters is looked up, so it does not matter what an id touches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ID_LENGTH", "Hit", "IdFinder", "are_ids", "unescape"]

ID_LENGTH = 11

# All characters of ids and of host names come after the comma in ASCII. Blanks and most of what stands between words
# come before it, and as signed numbers so do all bytes beyond ASCII.
_BELOW = ord(",")
_SMALL = np.uint64(0x2020202020202020)  # Makes small letters of capital ones.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing: 2**64 divided by the golden ratio.
_EIGHT = 8  # Bytes that are read as one number.
_SLOTS = 32  # Of a table for each id, so that few other texts share one.

# In hexadecimal, the letters and digits of ASCII.
_ALNUM = rb"(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])"


def _from_hex(found: re.Match[bytes]) -> bytes:
    return bytes.fromhex(found[1].decode())


def _from_decimal(found: re.Match[bytes]) -> bytes:
    letter = chr(int(found[1]))
    return letter.encode() if letter.isascii() and letter.isalnum() else found[0]


# Writers escape `_` and `-`, and some all: by a sign that is quickly searched for, with what makes an escape of it. In
# this order, again and again: JSON in JSON, a link within a link.
_ESCAPES: tuple[
    tuple[
        bytes,
        re.Pattern[bytes],
        tuple[tuple[re.Pattern[bytes], bytes | Callable[[re.Match[bytes]], bytes]], ...],
    ],
    ...,
] = (
    (
        b"%",
        re.compile(rb"%(?:25|u?00|5[fF]|2[dD]|26|" + _ALNUM + rb")"),
        (
            (
                re.compile(rb"%(?:25)+(?=(?:u?00)?(?:5[fF]|2[dD]|26|" + _ALNUM + rb"))"),
                b"%",
            ),
            (re.compile(rb"%(?:u00)?5[fF]"), b"_"),
            (re.compile(rb"%(?:u00)?2[dD]"), b"-"),
            (re.compile(rb"%26(?=(?:#|%23)[0-9xX])"), b"&"),
            (re.compile(rb"%(?:u00)?(" + _ALNUM + rb")"), _from_hex),
            (re.compile(rb"(?<=&)%23"), b"#"),
            (re.compile(rb"(?<=&#45)%3[bB]|(?<=&#95)%3[bB]"), b";"),
        ),
    ),
    (
        b"\\",
        re.compile(rb"\\[uUx0-9'_\\-]"),
        (
            (re.compile(rb"(?<!\\)\\{2,}(?=[uUx0-9'_-])"), b"\\\\"),
            (re.compile(rb"\\u0026(?=#)"), b"&"),
            (re.compile(rb"\\u0025(?=[0-9u])"), b"%"),
            (
                re.compile(
                    rb"\\(?:u\{0*5[fF]\}|u005[fF]|U0000005[fF]|x5[fF]|00005[fF] ?"
                    rb"|0{0,4}5[fF](?![0-9A-Fa-f]) ?|137|'5[fF]|_)"
                ),
                b"_",
            ),
            (
                re.compile(
                    rb"\\(?:u\{0*2[dD]\}|u002[dD]|U0000002[dD]|x2[dD]|00002[dD] ?"
                    rb"|0{0,4}2[dD](?![0-9A-Fa-f]) ?|055|'2[dD]|-)"
                ),
                b"-",
            ),
            (re.compile(rb"\\(?:u00|U000000|x)(" + _ALNUM + rb")"), _from_hex),
            (re.compile(rb"\\u\{0*(" + _ALNUM + rb")\}"), _from_hex),
            (
                re.compile(rb"\\(?:0000(?=..)|0{0,4}(?=..(?![0-9A-Fa-f])))(" + _ALNUM + rb") ?"),
                _from_hex,
            ),
        ),
    ),
    (
        b"&",
        re.compile(rb"&(?:#|amp;|lowbar|UnderBar|hyphen|shy)"),
        (
            (re.compile(rb"&(?:amp;)+(?=#|lowbar|UnderBar|hyphen)"), b"&"),
            (
                re.compile(
                    rb"&(?:#0*95(?![0-9])|#[xX]0*5[fF](?![0-9A-Fa-f]));?|&lowbar;|&UnderBar;"
                ),
                b"_",
            ),
            (re.compile(rb"&(?:#0*45(?![0-9])|#[xX]0*2[dD](?![0-9A-Fa-f]));?|&hyphen;"), b"-"),
            (re.compile(rb"&#[xX]0*(" + _ALNUM + rb")(?![0-9A-Fa-f]);?"), _from_hex),
            (re.compile(rb"&#0*([0-9]{2,3})(?![0-9]);?"), _from_decimal),
            (re.compile(rb"&shy;"), b""),
        ),
    ),
)
# Of quoted-printable; what stands in the query of an address looks the same.
_QUOTED = (
    (re.compile(rb"=5[fF]"), b"_"),
    (re.compile(rb"=2[dD]"), b"-"),
    (re.compile(rb"=\r?\n"), b""),
)
# Calendars and address books break long lines anywhere, and browsers read over line ends within an address.
_FOLDED = re.compile(rb"\r?\n[ \t]")
_BROKEN = re.compile(
    rb"=\"[^\"<>\n]{0,2000}\n[^\"<>]{0,2000}\"|='[^'<>\n]{0,2000}\n[^'<>]{0,2000}'"
)
# Strings side by side, or added up, are one in gettext and in programs; those matter in which a word may go on.
_QUOTED_LINE = re.compile(rb"\n[ \t+.]*+[\"']")
_SIDE_BY_SIDE = tuple(
    re.compile(both + b"(?:" + both + b")*")
    for both in (
        rb"%b(?<=[A-Za-z0-9_-]%b)[ \t\\+.]*+\r?\n[ \t+.]*+%b[A-Za-z0-9_-]++" % (quote, quote, quote)
        for quote in (b'"', b"'")
    )
)
_ROUNDS = 4


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
    Look for many ids at once, and for the names of hosts.

    Parameters
    ----------
    ids : iterable of str
        Image ids, each of 11 id characters (:func:`are_ids`).
    hosts : iterable of bytes
        Names in small letters.
    """

    def __init__(self, ids: Iterable[str], hosts: Iterable[bytes] = ()) -> None:
        known = list(ids)
        joined = "".join(known)
        folded = joined.lower()
        keys = [folded[start : start + ID_LENGTH] for start in range(0, len(folded), ID_LENGTH)]
        self._by_folded = dict(zip(keys, known, strict=True))
        # Ids that differ in the case of letters alone.
        self._twins: dict[str, tuple[str, ...]] = {}
        if len(self._by_folded) < len(known):
            for key, image_id in zip(keys, known, strict=True):
                if self._by_folded[key] != image_id:
                    self._twins[key] = (*self._twins.get(key, ()), image_id)
        self._hosts: dict[str, list[bytes]] = {}
        self._odd_hosts: list[bytes] = []
        for host in hosts:
            if len(host) >= ID_LENGTH and min(host) > _BELOW:
                self._hosts.setdefault(host[:ID_LENGTH].decode("ascii"), []).append(host)
            else:
                self._odd_hosts.append(host)
        looked_for = (joined + "".join(self._hosts)).encode("ascii")
        n_bits = (_SLOTS * (len(looked_for) // ID_LENGTH + 1)).bit_length()
        self._shift = np.uint64(64 - n_bits)
        self._heads, self._tails = np.zeros(1 << n_bits, bool), np.zeros(1 << n_bits, bool)
        if looked_for:
            numbers = _numbers(looked_for)
            self._heads[self._slots(numbers[::ID_LENGTH])] = True
            self._tails[self._slots(numbers[ID_LENGTH - _EIGHT :: ID_LENGTH])] = True

    def like(self, token: str) -> tuple[str, ...]:
        """Give the id itself, or those that differ in the case of letters alone."""
        key = token.lower()
        known = self._by_folded.get(key)
        if known is None or known == token:
            return () if known is None else (token,)
        ids = (known, *self._twins.get(key, ()))
        return (token,) if token in ids else ids

    def find(self, data: bytes) -> tuple[list[Hit], list[tuple[int, bytes]]]:
        """
        Find the ids in a text, and the hosts with their offsets, each in the order of the text.

        Parameters
        ----------
        data : bytes
            In any encoding that writes ASCII as ASCII (UTF-8, Latin-1, GB18030).
        """
        hits, hosts = [], []
        text = data.decode("latin-1")
        for offset in self._offsets(data).tolist():
            token = text[offset : offset + ID_LENGTH]
            key = token.lower()
            if key in self._by_folded:
                hits.append(Hit(offset, token, self.like(token)))
            if key in self._hosts:
                for host in self._hosts[key]:
                    if data[offset : offset + len(host)].lower() == host:
                        hosts.append((offset, host))
        if self._odd_hosts:
            lowered = data.lower()
            for host in self._odd_hosts:
                hosts += [(found.start(), host) for found in re.finditer(re.escape(host), lowered)]
            hosts.sort()
        return hits, hosts

    def _offsets(self, data: bytes) -> npt.NDArray[np.intp]:
        """Give where a window begins that may be an id or the beginning of a host."""
        if len(data) < ID_LENGTH:
            return np.empty(0, np.intp)
        run = np.frombuffer(data, np.int8) > _BELOW
        # Runs of 2, 4, 8 and 11 characters, by doubling.
        for step in (1, 2, 4, 3):
            run = run[:-step] & run[step:]
        numbers = _numbers(data)
        if 4 * np.count_nonzero(run) > len(run):  # Mostly one long run: gathering takes longer.
            starts = np.flatnonzero(self._heads[self._slots(numbers[: len(run)])] & run)
        else:
            starts = _flatnonzero(run)
            starts = starts[self._heads[self._slots(numbers[starts])]]
        return starts[self._tails[self._slots(numbers[starts + ID_LENGTH - _EIGHT])]]

    def _slots(self, numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Give the places of eight bytes in a table, the same for both cases of a letter."""
        return (((numbers | _SMALL) * _SPREAD) >> self._shift).view(np.int64)


def _numbers(data: bytes) -> npt.NDArray[np.uint64]:
    """Read the eight bytes from each offset on as one number, without a copy."""
    return np.ndarray(len(data) - _EIGHT + 1, "<u8", data, strides=(1,))


def _flatnonzero(run: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Do what np.flatnonzero does, in half the time where few are true: eight at a time first."""
    whole = len(run) // _EIGHT * _EIGHT
    rows = np.flatnonzero(run[:whole].view(np.uint64) != 0)
    inside = np.flatnonzero(run[:whole].reshape(-1, _EIGHT)[rows])
    starts = rows[inside >> 3] * _EIGHT + (inside & 7)
    return np.concatenate([starts, np.flatnonzero(run[whole:]) + whole])


def are_ids(values: pd.Index[Any]) -> npt.NDArray[np.bool_]:
    """Tell which values have the form of an image id."""
    matched = pc.match_substring_regex(pa.array(values, pa.string()), "^[A-Za-z0-9_-]{11}$")
    return cast(npt.NDArray[np.bool_], matched.fill_null(False).to_numpy(zero_copy_only=False))


def unescape(data: bytes) -> list[bytes]:
    """Write a text without its escapes and broken lines, in each way it can be read; nothing where there are none."""
    plain = data
    for _ in range(_ROUNDS):
        before = plain
        for sign, escape, escapes in _ESCAPES:
            if _stands_in(plain, sign, escape):
                for escaped, meant in escapes:
                    plain = escaped.sub(meant, plain)
        if plain == before:
            break
    quoted = whole = plain
    if b"=" in data:
        for escaped, meant in _QUOTED:
            quoted = escaped.sub(meant, quoted)
        if b'="' in data or b"='" in data:
            whole = _BROKEN.sub(lambda found: found[0].translate(None, b"\t\r\n"), plain)
    unfolded = _FOLDED.sub(b"", plain) if b"BEGIN:V" in data else plain
    joined = plain
    for strings in _SIDE_BY_SIDE if _QUOTED_LINE.search(plain) else ():
        joined = strings.sub(_joined, joined)
    readings: list[bytes] = []
    for text in (plain, quoted, unfolded, whole, joined):
        if text != data and text not in readings:
            readings.append(text)
    return readings


def _joined(found: re.Match[bytes]) -> bytes:
    """Join strings, their line ends behind the word, so that what follows keeps its line."""
    return found[0].translate(None, b"\"' \t\\+.\r\n") + b"\n" * found[0].count(b"\n")


def _stands_in(data: bytes, first: bytes, sign: re.Pattern[bytes]) -> bool:
    """Search for a pattern by its first byte, which is far quicker than the pattern's own search."""
    place = data.find(first)
    while place >= 0:
        if sign.match(data, place):
            return True
        place = data.find(first, place + 1)
    return False
