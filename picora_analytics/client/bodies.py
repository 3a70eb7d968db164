"""Bodies as JSON: an answer that is none, that says it failed, or says a thing twice is never taken for data."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from picora_analytics.client.masking import mask
from picora_analytics.errors import ResponseFormatError

__all__ = [
    "CONFLICT",
    "UnreadableBodyError",
    "data_of",
    "decode_answer",
    "decode_data",
    "decode_object",
    "repeats",
]

# The keys that decide whether there is data, what is read, and whether more is.
DECIDING = frozenset(
    (
        *("success", "error", "errors", "data", "items", "images", "changes"),
        *("nextCursor", "next_cursor", "hasMore", "has_more"),
    )
)
# Stands for what an object says twice and differently.
CONFLICT = object()
# Longer numbers are no sizes; Python refuses to read those of thousands of digits.
DIGITS = 40
FAILED = ("error", "errors", "failed", "failure", "fail", "partial", "incomplete")


class UnreadableBodyError(ResponseFormatError):
    """A 2xx that cannot be believed: no JSON, cut off, a proxy's page, a failure. Asking again may help."""


def decode_data(body: bytes, *, where: str) -> Any:
    """Give the `data` of an answer, or the whole body where it has none, as the vendor's SDK does."""
    return data_of(decode_answer(body, where=where))


def decode_answer(body: bytes, *, where: str) -> Any:
    """
    Read JSON. What an object says twice and differently is `CONFLICT`; text that is not UTF-8 holds half characters.

    Raises
    ------
    UnreadableBodyError
        If it is no JSON, says that it failed, or says a deciding thing twice.
    """
    text = body.decode("utf-8-sig", "surrogateescape")
    repeated = ""
    try:
        answer = json.loads(
            text, object_pairs_hook=_object, parse_constant=_no_number, parse_int=_whole
        )
    except _RepeatedError as error:
        repeated = (
            f"{where} answered JSON that says {error.name!r} twice; nothing was taken from it."
        )
    except (ValueError, RecursionError):
        kind = "an HTML page" if text.lstrip()[:1] == "<" else "no JSON"
        raise UnreadableBodyError(
            f"{where} answered {kind} where JSON was expected; is the base URL that of Picora's API, "
            "and is no proxy or login page in between?"
        ) from None
    if repeated:
        raise UnreadableBodyError(repeated)
    failure = _failure(answer)
    if failure is not None:
        raise UnreadableBodyError(
            f"{where} answered that it failed, though with the status of a success: "
            f"{mask(failure, 200)!r}; nothing was taken from it."
        )
    return answer


def data_of(answer: Any) -> Any:
    """Give what an answer is about: its `data`, or all of it where it has none."""
    return answer["data"] if isinstance(answer, dict) and "data" in answer else answer


def repeats(body: bytes) -> bool:
    """Whether any object of a body says a thing twice and differently."""
    found = False

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        said = dict(pairs)
        if len(said) < len(pairs):
            found = found or any(said[name] != value for name, value in pairs)
        return said

    try:
        json.loads(body.decode("utf-8-sig", "surrogateescape"), object_pairs_hook=note)
    except (ValueError, RecursionError):
        return True  # To be looked at more closely.
    return found


class _RepeatedError(Exception):
    def __init__(self, name: str) -> None:
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    found = {}
    for name, value in pairs:
        if name in found and (name in DECIDING or found[name] != value):
            if name in DECIDING:
                raise _RepeatedError(name)
            value = CONFLICT
        found[name] = value
    return found


def _failure(answer: Any) -> str | None:
    """Return what an answer says of a failure, around its data or in it; None where it says none."""
    for part in (answer, data_of(answer)):
        if not isinstance(part, dict):
            continue
        for name in ("error", "errors"):
            if part.get(name) not in (None, "", False, 0, [], {}):
                return str(part[name])
        for name, value in part.items():
            if name.lower() in ("success", "ok") and value is not True:
                return str(part.get("error", f"{name} is {value}"))
    status = answer.get("status") if isinstance(answer, dict) else None
    return f"status is {status}" if str(status).lower() in FAILED else None


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= DIGITS else digits


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
