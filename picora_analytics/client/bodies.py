"""Bodies as JSON: an answer that is none, that says it failed, or says a thing twice is never taken for data."""

from __future__ import annotations

import json
from typing import Any, NoReturn

import msgspec

from picora_analytics.client.keys import mask
from picora_analytics.errors import ResponseFormatError

__all__ = [
    "UnreadableBodyError",
    "data_of",
    "decode_answer",
    "decode_data",
    "decode_object",
    "refuse_repeated",
]

# The keys that decide what is read, and whether more is.
_DECIDING = {"data", "items", "images", "changes", "nextCursor", "hasMore"}


class UnreadableBodyError(ResponseFormatError):
    """A 2xx whose body is no JSON at all: cut off, or a proxy's page. Asking again may help."""


def decode_data(body: bytes, *, where: str) -> Any:
    """Give the `data` of an answer, or the whole body where it has none, as the vendor's SDK does."""
    return data_of(decode_answer(body, where=where))


def decode_answer(body: bytes, *, where: str) -> Any:
    """Read JSON; one that says in so many words that it is no success is none, whatever its status."""
    try:
        try:
            answer = msgspec.json.decode(body)
        except msgspec.DecodeError:
            # Takes half a surrogate pair, as a name cut in an emoji has.
            answer = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        kind = "an HTML page" if body.lstrip()[:1] == b"<" else "no JSON"
        raise UnreadableBodyError(
            f"{where} answered {kind} where JSON was expected; is the base URL that of Picora's API, "
            "and is no proxy or login page in between?"
        ) from None
    if isinstance(answer, dict) and answer.get("success") is False:
        raise UnreadableBodyError(
            f"{where} answered that it failed, though with the status of a success: "
            f"{mask(str(answer.get('error')))[:200]!r}; nothing was taken from it."
        )
    return answer


def data_of(answer: Any) -> Any:
    """Give what an answer is about: its `data`, or all of it where it has none."""
    return answer["data"] if isinstance(answer, dict) and "data" in answer else answer


def refuse_repeated(body: bytes, keys: tuple[bytes, ...], *, where: str) -> None:
    """
    Refuse an answer that says one of these keys twice: the last would win, and may end a listing early.

    Raises
    ------
    UnreadableBodyError
    """
    # A text that stands twice may be somebody's tag: only then are the keys themselves read.
    if any(body.find(key, body.find(key) + len(key)) >= 0 for key in keys):
        try:
            json.loads(body, object_pairs_hook=_once)
        except RecursionError:
            return  # What lies so deep is nothing that is read.
        except ValueError as error:
            raise UnreadableBodyError(
                f"{where} answered JSON that {error}; nothing was taken from it."
            ) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found and name in _DECIDING:
            raise ValueError(f"says {name!r} twice")
        found[name] = value
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def decode_object(body: bytes, *, where: str) -> dict[str, Any]:
    """
    Give the `data` of an answer that must be a JSON object.

    Raises
    ------
    ResponseFormatError
        If it is anything else.
    """
    data = decode_data(body, where=where)
    if isinstance(data, dict):
        return data
    raise ResponseFormatError(
        f"{where} answered {type(data).__name__} where an object was expected; "
        "this may be another version of the API."
    )
