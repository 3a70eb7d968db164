"""An answer of the service: a 2xx as it came, everything else as an error of ours."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import msgspec

from picora_analytics.client.masking import mask
from picora_analytics.client.retrying import retry_after
from picora_analytics.errors import (
    APIError,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StatusError,
    TransportError,
)

__all__ = [
    "TIMED_OUT",
    "Answer",
    "GatewayError",
    "host_of",
    "is_lost",
    "read_body",
    "status_error",
]

DEPLOYMENTS = ("https://api.picora.com", "https://api.picora.me", "https://api.picora.cn")
# Bodies that are compressed; of these only two are asked for, and one layer of them.
ENCODINGS = ("gzip", "x-gzip", "deflate", "br", "zstd", "compress")
READ = ("gzip", "x-gzip", "deflate")
# A page of 100 images is about 31 KB; this is far above any documented answer.
MAX_BODY = 64 * 1024 * 1024
# Statuses that tell of a request cut off, by the service or by a proxy that waited for it.
TIMED_OUT = (408, 425, 444, 460, 499)
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
    more: bool = False  # Its head says that this is not all,
    total: int | None = None  # and how much all is.


class GatewayError(StatusError):
    """A status that something in between may have made up: it says nothing about an image or a key."""


def is_lost(error: APIError) -> bool:
    """Whether a changing request may have been carried out although this is what came back."""
    if not isinstance(error, StatusError):
        return True
    return (
        error.status_code >= 500
        or error.status_code in TIMED_OUT
        or error.status_code < 400
        or isinstance(error, GatewayError)
    )


def status_error(
    response: httpx.Response, body: bytes, where: str, wall: dt.datetime
) -> StatusError:
    """Make an error of an answer other than 2xx; `wall` is the service's own time."""
    status = response.status_code
    said, code, ours = _error_body(body)
    usual = "INTERNAL" if status >= 500 else "BAD_REQUEST" if status >= 400 else "UNEXPECTED"
    code = code or _CODES.get(status, usual)
    facts: dict[str, Any] = {
        "status_code": status,
        "code": code,
        "request_id": mask(response.headers.get("x-request-id", ""), 128) or None,
    }
    message = f"{where} answered {status} {code}" + (f": {said}" if said else "")
    message = message if message.endswith(".") else f"{message}."
    if status == 429 or "retry-after" in response.headers:
        facts["retry_after"] = retry_after(response.headers, wall)
        if status != 429:  # A 429 is waited out, or its error says until when.
            message += f" It asks to wait {facts['retry_after']:g} seconds."
    if status == 429:
        return RateLimitError(message, **facts)
    if not ours and 400 <= status < 500:
        return GatewayError(
            f"{where} answered {status} with {_kind(body)}, which is not Picora's: a proxy, firewall or login page "
            "stands in between, or the base URL is not that of the API. It says nothing about the key or an image.",
            **facts,
        )
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
    return (NotFoundError if status == 404 else StatusError)(message, **facts)


def _error_body(body: bytes) -> tuple[str, str | None, bool]:
    """Read the text and the machine code of an error in any documented shape, and whether it has one of them."""
    try:
        answer = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return "", None, False
    if not isinstance(answer, dict):
        return "", None, False
    error, code = answer.get("error"), answer.get("code")
    ours = error is not None or answer.get("success") is False
    if isinstance(error, dict):
        code = error.get("code", code)
        error = error.get("message")
    said = answer.get("error_description") or error
    if (
        not isinstance(code, str)
        or not re.fullmatch(r"\w{1,64}", code, re.ASCII)
        or mask(code) != code
    ):
        code = None
    return mask(str(said or ""), 200), code, ours


def _kind(body: bytes) -> str:
    """Name what a body is, where it is no error of Picora's."""
    start = body.lstrip()[:1]
    if not start:
        return "no text"
    return "an HTML page" if start == b"<" else "JSON" if start in b"{[" else "other text"


def read_body(response: httpx.Response, where: str) -> bytes:
    """Read a body up to a ceiling."""
    too_much = f"{where} sent more than {MAX_BODY // 1024**2} MiB; it was cut off."
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) > len(str(MAX_BODY)):
        raise TransportError(too_much)
    # A head that server and proxy have both sent is one.
    told = ", ".join(dict.fromkeys(response.headers.get_list("content-encoding"))).lower()
    layers = [layer for layer in map(str.strip, told.split(",")) if layer in ENCODINGS]
    if layers not in ([], *([name] for name in READ)):
        if response.status_code >= 400:
            return b""  # The status says enough.
        raise TransportError(
            f"{where} answered in the encoding {mask(told, 40)!r}, which was not asked for; it was not read."
        )
    pieces = response.iter_raw()
    chunks, size = [], 0
    for chunk in _decompressed(pieces, layers[0]) if layers else pieces:
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            raise TransportError(too_much)
    return b"".join(chunks)


def _decompressed(pieces: Iterable[bytes], layer: str) -> Iterator[bytes]:
    """Decompress gzip of any number of members (RFC 1952, 2.2), or deflate with or without a zlib head."""
    gzip = layer != "deflate"
    decoder: Any = None
    members = 0
    try:
        for piece in pieces:
            while piece:
                if decoder is None:
                    if members:
                        piece = piece.lstrip(b"\0")  # Members may be padded.
                        if not piece:
                            break
                        if not gzip or piece[:1] != b"\x1f":
                            return  # What follows the last member is not read, as everywhere.
                    raw = not gzip and piece[0] & 15 != 8
                    decoder = zlib.decompressobj(31 if gzip else -15 if raw else 15)
                yield decoder.decompress(piece)
                piece = decoder.unused_data
                if decoder.eof:
                    decoder, members = None, members + 1
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from None
    if decoder is not None:
        raise httpx.DecodingError("the compressed body was cut off")


def host_of(address: str) -> str:
    """Give the host of an address; empty for an invalid one."""
    try:
        return httpx.URL(address).host
    except (httpx.InvalidURL, ValueError):  # idna raises ValueError for invalid Punycode.
        return ""
