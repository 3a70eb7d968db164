"""Replace image ids in a text, in whatever escaping they stand; nothing else of it changes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from picora_analytics.references.moves import Move
from picora_analytics.references.sources import looks_binary
from picora_analytics.references.tokens import ID_LENGTH

__all__ = ["Place", "Rewritten", "is_binary", "rewrite"]

_LOOK_BACK = 300

# `_` and `-` as JSON, JavaScript, Markdown, addresses and HTML escape them, over again where one is in another;
# bounded, so that no text takes long.
_ESCAPE = (
    r"\\{1,16}(?:u005[fF]|u002[dD]|x5[fF]|x2[dD]|[_-])"
    r"|%(?:25){0,8}(?:5[fF]|2[dD])"
    r"|&(?:amp;){0,8}(?:#0*95|#0*45|#[xX]0*5[fF]|#[xX]0*2[dD]|lowbar);"
)
_RUN = re.compile(
    rf"(?P<run>(?:[A-Za-z0-9_-]|{_ESCAPE}){{{ID_LENGTH},}}+)"
    # Any other escape, lest its last letters be taken for the first of an id; and words too short for one.
    r"|%(?:25){0,8}[0-9A-Fa-f]{2}|\\{1,16}u[0-9A-Fa-f]{4}|\\{1,16}x[0-9A-Fa-f]{2}"
    r"|[A-Za-z0-9_-]++"
)
_UNIT = re.compile(rf"{_ESCAPE}|[A-Za-z0-9_-]")
_DOT = r"(?:\.|\\{1,16}\.|%(?:25){0,8}2[eE]|\\{1,16}u002[eE]|\\{1,16}x2[eE]|&(?:amp;){0,8}#(?:46|[xX]2[eE]);)"
_EXTENSION = re.compile(rf"({_DOT})([A-Za-z0-9]{{1,5}})(?![A-Za-z0-9_-])")
_IMAGES = ("png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "bmp", "ico", "tif", "tiff", "heic")
_LETTER_ESCAPES = "nrtbfv0"
_SLASH = re.compile(
    r"\\{1,16}/|%(?:25){0,8}2[fF]|\\{1,16}u002[fF]|\\{1,16}x2[fF]|&(?:amp;){0,8}#(?:47|[xX]2[fF]);"
)
_COLON = re.compile(
    r"%(?:25){0,8}3[aA]|\\{1,16}u003[aA]|\\{1,16}x3[aA]|&(?:amp;){0,8}#(?:58|[xX]3[aA]);"
)
_BEFORE = re.compile(r"(https?:)?//[A-Za-z0-9.:\[\]_-]+/(?:[^\s\"'<>()\\]*/)?$", re.IGNORECASE)

_WIDE = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class Place(NamedTuple):
    """A place where an old id stands: its line, the id, and why it stays as it is, or what address it will be."""

    line: int
    old: str
    left: str = ""
    address: str = ""


class Rewritten(NamedTuple):
    """The bytes of a file with new ids, and the places."""

    data: bytes
    places: list[Place]


def is_binary(data: bytes) -> bool:
    """Whether a file is no text: a picture, an archive, or anything with zero bytes but UTF-16 and UTF-32 by mark."""
    if _wide(data) is not None:
        return False
    return data.startswith(b"%PDF") or b"\0" in data or looks_binary(data[:65536])


def rewrite(data: bytes, moves: Mapping[str, Move]) -> Rewritten:
    """Replace the ids of a file; a binary one stays, and its places say so."""
    if is_binary(data):
        places = _replaced(data.replace(b"\0", b"").decode("latin-1"), moves, False)[1]
        return Rewritten(data, [Place(0, place.old, "the file is not a text") for place in places])
    text, encoding = _decoded(data)
    new, places = _replaced(text, moves, encoding == "latin-1")
    return Rewritten(new.encode(encoding, "surrogatepass") if new != text else data, places)


def _wide(data: bytes) -> str | None:
    return next((encoding for mark, encoding in _WIDE if data.startswith(mark)), None)


def _decoded(data: bytes) -> tuple[str, str]:
    """Read a text so that encoding it again gives the very same bytes."""
    for encoding in (_wide(data), "utf-8"):
        if encoding:
            try:
                text = data.decode(encoding, "surrogatepass")
                if text.encode(encoding, "surrogatepass") == data:
                    return text, encoding
            except ValueError:
                continue
    return data.decode("latin-1"), "latin-1"  # Each byte a letter, whatever it means.


def _replaced(text: str, moves: Mapping[str, Move], doubtful: bool) -> tuple[str, list[Place]]:
    """Give the new text; `doubtful` where a backslash may be the second half of a Chinese character."""
    parts: list[str] = []
    places: list[Place] = []
    done = line = counted = 0
    for match in _RUN.finditer(text):
        if match["run"] is None:
            continue
        run = match["run"]
        escaped = any(sign in run for sign in "\\%&")
        units = _UNIT.findall(run) if escaped else run
        plain = "".join(map(_meant, units)) if escaped else run
        found, skipped = _whole(text, match.start(), plain, moves)
        stuck = [] if found else _inside(plain, moves)
        if not (found or stuck):
            continue
        line += text.count("\n", counted, match.start())
        counted = match.start()
        if found is None:
            places += [Place(line + 1, old, "it is part of a longer name") for old in stuck]
            continue
        start = match.start() + sum(map(len, units[:skipped]))
        if doubtful and units[skipped][0] == "\\" and text[start - 1 : start] >= "\x80":
            places.append(
                Place(line + 1, found.old, "a backslash before it may belong to another letter")
            )
            continue
        end, extension, why = _extension(text, match.end(), found)
        if why:
            places.append(Place(line + 1, found.old, why))
            continue
        parts += [text[done:start], _styled(found.new, units[skipped:]), extension]
        places.append(Place(line + 1, found.old, "", _address(text, start, found.new, extension)))
        done = end
    return "".join([*parts, text[done:]]), places


def _meant(unit: str) -> str:
    if len(unit) == 1:
        return unit
    return "-" if unit.lower().rstrip(";").endswith(("2d", "45", "-")) else "_"


def _whole(text: str, start: int, plain: str, moves: Mapping[str, Move]) -> tuple[Move | None, int]:
    """Find the move of a run that is an id, or one after ``\\n`` as JSON writes a line end; and where it begins."""
    if plain in moves:
        return moves[plain], 0
    after = text[start - 1 : start] == "\\" and plain[0] in _LETTER_ESCAPES
    return (moves.get(plain[1:]), 1) if after else (None, 0)


def _inside(plain: str, moves: Mapping[str, Move]) -> list[str]:
    windows = (plain[i : i + ID_LENGTH] for i in range(len(plain) - ID_LENGTH + 1))
    return [window for window in windows if window in moves]


def _extension(text: str, end: int, move: Move) -> tuple[int, str, str]:
    """Give where the extension ends, how it is to be written, and why the place is better left."""
    match = _EXTENSION.match(text, end)
    old, new = move.old_extension, move.new_extension
    if not match or (match[2].lower() not in _IMAGES and match[2] != old):
        return end, "", ""
    stands = match[2]
    if not new or old == new:
        return match.end(), match[0], ""
    if stands in (old, (old or "").upper()) or (old is None and stands.lower() in _IMAGES):
        written = new.upper() if stands.isupper() and new.islower() else new
        return match.end(), match[1] + written, ""
    if old and stands.lower() == new.lower():
        return end, "", f"its extension is .{new} already, not .{old}"
    return match.end(), match[0], ""


def _styled(new: str, units: Sequence[str]) -> str:
    """Write an id as the old one stood: each ``_`` and ``-`` escaped in the same way, or not."""
    styles: dict[str, str] = {}
    for unit in units:
        if (char := _meant(unit)) in "_-":
            styles.setdefault(char, unit)
    for char, other in (("_", "-"), ("-", "_")):
        if char not in styles:
            styles[char] = _as(styles[other], char) if other in styles else char
    return "".join(styles.get(char, char) for char in new)


def _as(unit: str, char: str) -> str:
    """Escape a character in the way that the other one of the two is."""
    if len(unit) == 1 or unit.endswith("lowbar;") or (char == "-" and unit.endswith("_")):
        return char
    if unit.endswith("-"):
        return f"{unit[:-1]}_"
    hexes = {"5f": "2d", "5F": "2D", "2d": "5f", "2D": "5F", "95": "45", "45": "95"}
    body = unit.removesuffix(";")
    return body[:-2] + hexes[body[-2:]] + unit[len(body) :]


def _address(text: str, start: int, new: str, extension: str) -> str:
    """Give the address that a place will have, without its parameters; empty where none stands there."""
    before = text[max(0, start - _LOOK_BACK) : start]
    match = _BEFORE.search(_COLON.sub(":", _SLASH.sub("/", before)))
    if not match:
        return ""
    prefix = match[0] if match[1] else f"https:{match[0]}"
    dot = _EXTENSION.match(extension)
    return prefix + new + (f".{dot[2]}" if dot else "")
