"""Answers and questions of the API on the wire: envelopes, errors, cursors, and values read from a request."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import re
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from picora_analytics.demo.state import Key

# Codes by status where an answer names none of its own (SDK: errors).
_CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    500: "INTERNAL",
}


class Problem(Exception):  # noqa: N818  an answer on its way, not a bug
    """An error answer of the service."""

    def __init__(
        self,
        status: int,
        error: str,
        *,
        code: str | None = None,
        meta: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        body = {"success": False, "error": error, "code": code or _CODES[status]}
        self.response = answer({**body, **({"meta": meta} if meta else {})}, status, headers)


def timestamp(instant: int) -> str:
    """
    Write an instant as the API does: ISO 8601, UTC, milliseconds.

    Examples
    --------
    >>> timestamp(1795442400000)
    '2026-11-23T14:00:00.000Z'
    """
    seconds, rest = divmod(instant, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03}Z"


def answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Make a JSON answer."""
    return JSONResponse(body, status, headers)


def success(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Make a JSON answer in the envelope of a success."""
    return answer({"success": True, "data": data}, status, headers)


def not_found() -> Problem:
    """Make the answer for an image that is not there."""
    return Problem(404, "Image not found")


def write_cursor(clock: str, instant: int, image_id: str) -> str:
    """Base64 of a time and an id, as in the official examples."""
    text = json.dumps({clock: instant, "id": image_id})
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_cursor(text: str | None, clock: str, status: int) -> Key | None:
    """Read a cursor; None for the first page."""
    if not text:  # OpenAPI: the empty string is the first page
        return None
    try:
        found = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
        instant, image_id = found[clock], found["id"]
        if isinstance(instant, str):  # In the official examples; our own cursors hold milliseconds.
            moment = dt.datetime.fromisoformat(instant).replace(tzinfo=dt.UTC)
            instant = round(moment.timestamp() * 1000)
        if not (isinstance(instant, int) and isinstance(image_id, str)):
            raise ValueError(text)
    except (binascii.Error, ValueError, KeyError, TypeError, OverflowError):
        raise Problem(status, "Validation error: cursor is invalid") from None
    return instant, image_id


def read_int(
    text: str | None, name: str, low: int, high: int, *, default: int, status: int = 422
) -> int:
    """Read a whole number of the query within its bounds."""
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise Problem(status, f"Validation error: {name} must be {low} to {high}")
    return int(text)


def read_date(text: str | None, name: str, default: dt.date) -> dt.date:
    """Read a day of the query."""
    if text is None:
        return default
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise Problem(422, f"Validation error: {name} must be YYYY-MM-DD") from None


def read_tags(value: Any) -> tuple[str, ...]:
    """Read the tags of a request."""
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise Problem(422, "Validation error: tags must be a list of strings")
    return tuple(value)


async def read_object(request: Request) -> dict[str, Any]:
    """Read a body that must be a JSON object."""
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise Problem(422, "Validation error: the body must be JSON") from None
    if not isinstance(body, dict):
        raise Problem(422, "Validation error: the body must be a JSON object")
    return body
