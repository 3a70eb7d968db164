"""An answer of the service: a 2xx as it came, everything else as an error of ours."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import httpx
import msgspec

from picora_analytics.client.keys import mask
from picora_analytics.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StatusError,
    TransportError,
)
from picora_analytics.times import now, parse_http_date

__all__ = ["Answer", "host_of", "read_body", "retry_after", "status_error"]

DEPLOYMENTS = ("https://api.picora.com", "https://api.picora.me", "https://api.picora.cn")
MAX_PAUSE = 366 * 86400.0  # Longer ones are no pause, and overflow the calendar.
# What httpx would decode, in any number of layers; only the first two are asked for.
ENCODINGS = ("gzip", "deflate", "br", "zstd")
# A page of 100 images is about 31 KB; this is far above any documented answer.
MAX_BODY = 64 * 1024 * 1024
_CODES = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
}


class Answer(msgspec.Struct, frozen=True):
    """A 2xx answer."""

    status: int
    body: bytes
    where: str
    server_time: dt.datetime
    duplicate: bool = False  # Of an upload: the library had these bytes already.


def status_error(
    response: httpx.Response, body: bytes, where: str, wall: dt.datetime
) -> StatusError:
    """Make an error of an answer other than 2xx; `wall` is the service's own time."""
    status = response.status_code
    said, code = _error_body(body)
    usual = "INTERNAL" if status >= 500 else "BAD_REQUEST" if status >= 400 else "UNEXPECTED"
    code = code or _CODES.get(status, usual)
    facts: dict[str, Any] = {
        "status_code": status,
        "code": code,
        "request_id": mask(response.headers.get("x-request-id", "")) or None,
    }
    message = f"{where} answered {status} {code}" + (f": {said}" if said else "")
    message = message if message.endswith(".") else f"{message}."
    if status == 429 or "retry-after" in response.headers:
        facts["retry_after"] = retry_after(response.headers, wall)
        if status != 429:  # A 429 is waited out, or its error says until when.
            message += f" It asks to wait {facts['retry_after']:g} seconds."
    if status == 401:
        host = response.request.url.host
        others = ", ".join(url for url in DEPLOYMENTS if host not in url)
        return AuthenticationError(
            f"{message} Check PICORA_API_KEY (keys are revoked within seconds, and access tokens live "
            f"15 minutes); or the account lives on another deployment: set PICORA_BASE_URL to one of {others}.",
            **facts,
        )
    if status == 403:
        return PermissionDeniedError(
            f"{message} The key may lack the scope for this call; see its scopes on Picora's key page.",
            **facts,
        )
    if status == 404:
        return NotFoundError(message, **facts)
    if status == 429:
        return RateLimitError(message, **facts)
    return StatusError(message, **facts)


def _error_body(body: bytes) -> tuple[str, str | None]:
    """Read the text and the machine code of an error, in any shape the sources know."""
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(answer, dict):
        return "", None
    error, code = answer.get("error"), answer.get("code")
    if isinstance(error, dict):
        code = error.get("code", code)
        error = error.get("message")
    said = answer.get("error_description") or error
    known = isinstance(code, str) and re.fullmatch(r"\w{1,64}", code, re.ASCII)
    return mask(str(said or ""))[:200], code if known else None


def retry_after(headers: httpx.Headers, wall: dt.datetime | None = None) -> float:
    """Read Retry-After as seconds or as a date, by the answer's own clock; 1 s where it says nothing."""
    wall = wall or parse_http_date(headers.get("date", "")) or now()
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return min(max(float(text), 0.05), MAX_PAUSE)
    until = parse_http_date(text)
    return 1.0 if until is None else min(max((until - wall).total_seconds(), 1.0), MAX_PAUSE)


def read_body(response: httpx.Response, where: str) -> bytes:
    """Read a body up to a ceiling."""
    too_much = f"{where} sent more than {MAX_BODY // 1024**2} MiB; it was cut off."
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) > len(str(MAX_BODY)):
        raise TransportError(too_much)
    told = response.headers.get("content-encoding", "").lower()
    layers = [layer for layer in map(str.strip, told.split(",")) if layer in ENCODINGS]
    if layers not in ([], ["gzip"], ["deflate"]):
        if response.status_code >= 400:
            return b""  # The status says enough.
        raise TransportError(
            f"{where} answered in the encoding {told[:40]!r}, which was not asked for; it was not read."
        )
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            raise TransportError(too_much)
    return b"".join(chunks)


def host_of(address: str) -> str:
    """Give the host of an address; empty for an invalid one."""
    try:
        return httpx.URL(address).host
    except (httpx.InvalidURL, ValueError):  # idna raises ValueError for invalid Punycode.
        return ""
