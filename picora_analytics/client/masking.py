"""
Keys taken out of texts: nothing that is shown, logged or raised holds a key in use, however it is spelled.

A server may echo a key as it is, escaped, percent-encoded, in base64, twice over, or cut short. Texts to show are
searched for all of that; whole bodies, for speed, for what JSON makes of it.
"""

from __future__ import annotations

import base64
import html
import logging
import re
import threading
import unicodedata
import weakref
from collections.abc import Callable
from typing import Protocol
from urllib.parse import unquote

__all__ = ["SHOWN", "MaskingFilter", "hider", "mask", "scrubber", "watch"]

SHOWN = "<key>"
# Shorter texts are no keys, and would take ordinary words out of answers.
SHORTEST = 8
# So many characters of a key in a row are a part of it, and no coincidence.
PIECE = 12
# An echo may be encoded more than once.
LAYERS = 3
_KEYS = re.compile(
    r"sk_(?:live|test)_[\w-]*|Bearer\s+\S+|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?", re.IGNORECASE
)
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")
_ASCII_ESCAPE = re.compile(rb"\\(?:u00([2-7][0-9A-Fa-f])|.)", re.DOTALL)
_ESCAPE = re.compile(r"\\+(?:u\{?([0-9A-Fa-f]{1,6})\}?|x([0-9A-Fa-f]{2})|([0-7]{3}))")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_HEX = re.compile(r"(?:[0-9A-Fa-f][\s:,-]?){24,}")


class Hiding(Protocol):
    """A key that can take itself out of texts."""

    def hide(self, text: str) -> str:
        """Replace the key."""


_in_use: weakref.WeakSet[Hiding] = weakref.WeakSet()
_lock = threading.Lock()


def watch(secret: Hiding) -> None:
    """Have :func:`mask` hide a key for as long as it is in use."""
    with _lock:
        _in_use.add(secret)


def mask(text: str, longest: int | None = 1000) -> str:
    """
    Take every key out of a text, and what would move a terminal's cursor.

    Parameters
    ----------
    text : str
    longest : int or None
        Characters to keep at most; an answer may hold megabytes.
    """
    kept = text if longest is None else text[: longest + 1000]
    kept = _KEYS.sub(SHOWN, kept)
    with _lock:
        secrets = list(_in_use)
    for secret in secrets:
        kept = secret.hide(kept)
    if len(kept) < len(text) and longest is not None and len(text) > longest + 1000:
        kept = kept[:-PIECE]  # What was cut in the middle of a key could not be recognized.
    shown = "".join(char if char.isprintable() else " " for char in kept)
    return shown if longest is None else shown[:longest]


class MaskingFilter(logging.Filter):
    """Masks what the HTTP libraries log: at level DEBUG they log whole heads and broken answers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record, and let it pass."""
        record.msg, record.args = mask(record.getMessage(), None), None
        return True


def hider(key: str) -> Callable[[str], str]:
    """Return a function that hides a key, or twelve characters of it, in a short text."""
    if len(key) < SHORTEST:
        return lambda text: text
    low = key.translate(_LOWER)
    size = min(PIECE, len(key))
    pieces = frozenset(low[at : at + size] for at in range(len(low) - size + 1))

    def hide(text: str) -> str:
        seen = views = {text}
        for _ in range(LAYERS + 1):
            for view in sorted(views):
                hidden = _without_encoded(_without(view, pieces, size), pieces, size)
                if hidden != view:  # Shorter, so this ends.
                    return hide(hidden)
            views = {decode(view) for view in views for decode in _DECODERS} - seen
            seen = seen | views
        return text

    return hide


def scrubber(key: str) -> Callable[[bytes], bytes]:
    """Return a function that takes a key out of a body, as it is or with JSON's escapes; each page goes through it."""
    if len(key) < SHORTEST:
        return lambda body: body
    plain = key.encode()

    def scrub(body: bytes) -> bytes:
        if b"\\" in body and _ESCAPED_ASCII.search(body):
            unescaped = _ASCII_ESCAPE.sub(_unescaped_byte, body)
            body = unescaped if plain in unescaped else body
        return body.replace(plain, SHOWN.encode())

    return scrub


def _without(text: str, pieces: frozenset[str], size: int) -> str:
    """Replace each run of characters that is made of pieces of the key."""
    low = text.translate(_LOWER)
    kept, end = [], 0
    at = 0
    while at <= len(low) - size:
        if low[at : at + size] not in pieces:
            at += 1
            continue
        start = at
        while at <= len(low) - size and low[at : at + size] in pieces:
            at += 1
        kept += [text[end:start], SHOWN]
        end = at = at + size - 1
    return "".join([*kept, text[end:]])


def _without_encoded(text: str, pieces: frozenset[str], size: int) -> str:
    """Replace base64 and hexadecimal digits that hold pieces of the key."""

    def checked(found: re.Match[str]) -> str:
        readings = _from_hex(found[0]) if found.re is _HEX else _from_base64(found[0])
        shown = any(_without(reading, pieces, size) != reading for reading in readings)
        return SHOWN if shown else found[0]

    return _BASE64.sub(checked, _HEX.sub(checked, text))


def _from_base64(text: str) -> list[str]:
    """Decode base64 that may begin anywhere in a longer run of it."""
    usual = text.replace("-", "+").replace("_", "/")
    runs = (usual[offset : len(usual) - (len(usual) - offset) % 4] for offset in range(4))
    return [base64.b64decode(run).decode("latin-1") for run in runs]


def _from_hex(text: str) -> list[str]:
    """Decode hexadecimal digits that may be cut in the middle of a byte."""
    digits = re.sub("[^0-9A-Fa-f]", "", text)
    runs = (digits[offset : len(digits) - (len(digits) - offset) % 2] for offset in range(2))
    return [bytes.fromhex(run).decode("latin-1") for run in runs]


def _unescaped(text: str) -> str:
    def char(found: re.Match[str]) -> str:
        code = int(found[1] or found[2], 16) if found[1] or found[2] else int(found[3], 8)
        return chr(code) if code < 0x110000 else found[0]

    return _ESCAPE.sub(char, text)


def _unescaped_byte(found: re.Match[bytes]) -> bytes:
    code = int(found[1], 16) if found[1] else 0
    return found[0] if code in (0, 0x22, 0x5C, 0x7F) else bytes([code])


def _visible_only(text: str) -> str:
    return "".join(char for char in text if char.isprintable() and not char.isspace())


_DECODERS: tuple[Callable[[str], str], ...] = (
    unquote,
    _unescaped,
    html.unescape,
    _visible_only,
    lambda text: unicodedata.normalize("NFKC", text),
)
