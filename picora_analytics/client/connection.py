"""HTTP to one Picora host: the key, pacing, retries, and every failure as an error of ours."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import os
import random
import re
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping
from typing import Any, NoReturn, TypeVar

import httpx
import msgspec

from picora_analytics.client.pacing import Pacer, Tier
from picora_analytics.client.shapes import UnreadableBodyError
from picora_analytics.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFormatError,
    StatusError,
    TransportError,
)

__all__ = ["Answer", "Connection"]

T = TypeVar("T")

DEFAULT_URL = "https://api.picora.com"  # The seed document's host.
DEPLOYMENTS = ("https://api.picora.com", "https://api.picora.me", "https://api.picora.cn")
# A page of 100 images is about 31 KB; this is far above any documented answer.
MAX_BODY = 64 * 1024 * 1024
MAX_TRIES = 5
MAX_PAUSE = 366 * 86400.0  # Longer ones are no pause, and overflow the calendar.
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CODES = {
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
}
_SECRETS = re.compile(r"sk_live_[\w-]*|Bearer\s+\S+", re.IGNORECASE)


class Answer(msgspec.Struct, frozen=True):
    """A 2xx answer."""

    status: int
    body: bytes
    where: str
    server_time: dt.datetime


class Secret:
    """A key that never shows itself."""

    def __init__(self, key: str) -> None:
        self.__key = key

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Picora key is not written to a file; make the Client anew from the key.")

    def reveal(self) -> str:
        """Give the key itself, for the one header it is for."""
        return self.__key

    @classmethod
    def read(cls, api_key: str | None) -> Secret:
        """
        Take the key given, else the environment's.

        Raises
        ------
        AuthenticationError
            If there is none, or it cannot be one. The message never shows it.
        """
        source = "api_key" if api_key is not None else "PICORA_API_KEY"
        key = os.environ.get("PICORA_API_KEY") if api_key is None else api_key
        if key is None:
            raise _no_key(
                "No API key: set PICORA_API_KEY, or try picora_analytics.connect(ask=True); "
                "without an account, picora_analytics.DemoServer() plays Picora on this machine."
            )
        if not isinstance(key, str):
            raise TypeError(f"api_key must be text, not {type(key).__name__}.")
        key = key.strip()
        if not key:
            raise _no_key(
                f"The API key in {source} is empty; give a key such as sk_live_ + 32 characters."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise _no_key(
                f"The API key in {source} ({len(key)} characters) holds blanks, line breaks or "
                "characters no key has; copy it anew from Picora's dashboard."
            )
        return cls(key)


def _no_key(message: str) -> AuthenticationError:
    return AuthenticationError(message, status_code=401, code="UNAUTHORIZED")


class _BearerAuth(httpx.Auth):
    """Add the key to requests for its own host and to no other."""

    def __init__(self, secret: Secret, origin: httpx.URL) -> None:
        self._secret, self._origin = secret, origin

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        if _origin(request.url) != _origin(self._origin):
            raise ValueError(f"The key is not sent to {request.url.host}.")
        request.headers["Authorization"] = f"Bearer {self._secret.reveal()}"
        yield request


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def read_base_url(base_url: str | None) -> httpx.URL:
    """
    Read a base URL, with or without a trailing slash, `/v1` or `/v1/images`.

    Raises
    ------
    ValueError
        If it is not an https URL (http only on this machine), or holds more than a host and path.
    """
    text = DEFAULT_URL if base_url is None else base_url
    if not isinstance(text, str):
        raise TypeError(f"base_url must be text, not {type(text).__name__}.")
    trimmed = re.sub(r"/+(v1(/images)?/*)?$", "", text.strip())
    try:
        url = httpx.URL(trimmed)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if (
        not url.host
        or re.search(r"[\s\x00-\x1f]", trimmed)
        or not 0 < (url.port or 443) < 65536
        or url.scheme not in ("http", "https")
        or url.userinfo
        or url.query
        or url.fragment
    ):
        shown = _SECRETS.sub("<key>", text)
        if "@" in shown:  # What stands before it may be a password.
            shown = "…@" + shown.rpartition("@")[2]
        raise ValueError(
            f"base_url={shown!r} is not the address of an API; give for example {DEFAULT_URL!r}."
        )
    if url.scheme == "http" and url.host not in _LOOPBACK:
        raise ValueError(
            f"base_url={trimmed!r} would send the key unencrypted; use https (http works on this "
            "machine only)."
        )
    return url


class Connection:
    """
    Requests to one host under one key.

    Parameters
    ----------
    secret : Secret
    base_url : httpx.URL
    timeout : float
        Seconds for one answer, from the first byte sent to the last received.
    max_wait : float
        Seconds to wait at most for one call to succeed, pauses asked by the server included.
    """

    def __init__(
        self, secret: Secret, base_url: httpx.URL, *, timeout: float, max_wait: float
    ) -> None:
        self.base_url = str(base_url).rstrip("/")
        self.host = base_url.host
        self.secret = secret
        self.timeout = timeout
        self.max_wait = max_wait
        self.pacer = Pacer()
        self.on_wait: Callable[[str], None] | None = None
        self.demo = False
        self.demo_session = ""
        self._trips: deque[float] = deque(maxlen=9)
        self._waiting = 0.0
        self._http = httpx.Client(
            auth=_BearerAuth(secret, base_url),
            follow_redirects=False,
            timeout=httpx.Timeout(timeout),
            headers={"Accept": "application/json", "User-Agent": "picora-analytics"},
            # A proxy of the environment would break the demo on this machine.
            trust_env=base_url.host not in _LOOPBACK,
        )

    def close(self) -> None:
        """Close the pool of connections."""
        self._http.close()

    @property
    def round_trip(self) -> float | None:
        """Median seconds from request to body of the last reads; None before the first."""
        return statistics.median(self._trips) if self._trips else None

    @property
    def waiting(self) -> float:
        """Seconds the last reads had to wait for the pacer, smoothed."""
        return self._waiting

    @property
    def interval(self) -> float:
        """Seconds between two reads at the pacer's steady pace."""
        return self.pacer.interval("read")

    def get(
        self,
        path: str,
        decode: Callable[[Answer], T],
        params: Mapping[str, Any] | None = None,
        *,
        stop: threading.Event | None = None,
    ) -> T:
        """
        Read and decode; repeated on 429, 5xx, transport faults and unreadable bodies, within `max_wait`.

        Parameters
        ----------
        path : str
            Already percent-encoded, beginning with ``/v1/``.
        decode : callable
            Makes the result of the answer.
        params : mapping, optional
            The query.

        Raises
        ------
        TransportError, StatusError, ResponseFormatError
            When the last try failed as well.
        """
        where = f"GET {path} at {self.host}"
        deadline = time.monotonic() + self.max_wait
        for attempt in range(1, MAX_TRIES + 1):
            last = attempt == MAX_TRIES
            before = time.monotonic()
            self.pace("read", deadline, where)
            sent = time.monotonic()
            self._waiting += 0.2 * (sent - before - self._waiting)
            try:
                answer = self.once("GET", path, where, params=params, tier="read")
                self._trips.append(time.monotonic() - sent)
                return decode(answer)
            except RateLimitError as error:
                self.wait_refused("read", error, deadline, attempt)
            except (StatusError, TransportError, UnreadableBodyError) as error:
                final = isinstance(error, StatusError) and error.status_code < 500
                pause = _backoff(attempt)
                if final or last or time.monotonic() + pause > deadline:
                    raise
                self._wait(pause, f"trying again ({type(error).__name__})")
        raise AssertionError("unreachable")  # pragma: no cover

    def pace(self, tier: Tier, deadline: float, where: str) -> None:
        """Wait until a request of this tier may start."""
        while (wait := self.pacer.delay(tier)) > 0:
            if time.monotonic() + wait > deadline:
                raise RateLimitError(
                    f"{where}: the key's allowance is used up until {_clock(wait)}, longer than "
                    f"max_wait={self.max_wait:g} seconds. Try again then, or give Client a larger max_wait.",
                    status_code=429,
                    code="RATE_LIMITED",
                    retry_after=wait,
                )
            self._wait(wait, "staying within Picora's rate limit")

    def _wait(self, seconds: float, reason: str) -> None:
        if seconds > 2 and self.on_wait is not None:
            self.on_wait(f"{reason}, until {_clock(seconds)}")
        time.sleep(seconds)

    def wait_refused(
        self, tier: Tier, error: RateLimitError, deadline: float, attempt: int = 1
    ) -> None:
        """Wait as long as a 429 asks, or raise where that is too long or was said too often."""
        pause = error.retry_after
        self.pacer.refuse(tier, pause)
        if attempt == MAX_TRIES or time.monotonic() + pause > deadline:
            raise self._refused(error, pause, attempt) from None
        self._wait(pause, "Picora asks to slow down (429)")

    def _refused(self, error: RateLimitError, pause: float, attempt: int) -> RateLimitError:
        why = f"max_wait={self.max_wait:g} seconds does not reach that far"
        advice = "Try again then, or give Client a larger max_wait."
        if attempt == MAX_TRIES:
            why, advice = f"it said so {attempt} times in a row", "Try again then."
        return RateLimitError(
            f"{error} It asks to wait until {_clock(pause)}; {why}. {advice}",
            status_code=429,
            code=error.code,
            request_id=error.request_id,
            retry_after=pause,
        )

    def once(
        self,
        method: str,
        path: str,
        where: str,
        *,
        tier: Tier,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request, once; `timeout` is the client's own unless given."""
        patience = self.timeout if timeout is None else max(timeout, self.timeout)
        deadline = time.monotonic() + patience
        failure: str
        try:
            with self._http.stream(
                method, f"{self.base_url}{path}", params=params, json=json, timeout=patience
            ) as response:
                # A body that echoes the key must not carry it into a traceback or a frame.
                body = _read(response, deadline, where).replace(
                    self.secret.reveal().encode(), b"<key>"
                )
        except KeyboardInterrupt as interrupt:
            raise interrupt.with_traceback(None)  # noqa: B904 - the HTTP libraries' frames hold the key
        except httpx.RequestError as error:
            failure = f"{where} got no answer ({type(error).__name__}"
            detail = mask(str(error))
            failure += f": {detail})." if detail else ")."
            _strip_tracebacks(error)
            raise TransportError(
                f"{failure} Check the network and the base URL {self.base_url!r}."
            ) from error
        wall = _date(response.headers)
        name, _, session = response.headers.get("server", "").partition("/")
        self.demo = name == "picora-demo" and self.host in _LOOPBACK
        self.demo_session = session if self.demo and session.isalnum() else ""
        self.pacer.correct(tier, response.headers, wall.timestamp())
        if response.is_success:
            return Answer(response.status_code, body, where, wall)
        if response.is_redirect:
            target = httpx.URL(response.headers.get("location", "")).host or self.host
            raise ResponseFormatError(
                f"{where} answered with a redirect to {mask(target)}; it was not followed, because the key "
                "belongs to this host alone. If the API has moved, set PICORA_BASE_URL."
            )
        raise _status_error(response, body, where, wall)


def _read(response: httpx.Response, deadline: float, where: str) -> bytes:
    """Read a body under a total deadline and a ceiling: a read timeout alone never ends a slow drip."""
    chunks, size = [], 0
    for chunk in response.iter_bytes():
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            raise TransportError(
                f"{where} sent more than {MAX_BODY // 1024**2} MiB; it was cut off."
            )
        if time.monotonic() > deadline:
            raise TransportError(f"{where} was not sent within the timeout; it was cut off.")
    return b"".join(chunks)


def _status_error(
    response: httpx.Response, body: bytes, where: str, wall: dt.datetime
) -> StatusError:
    status = response.status_code
    said, code = _error_body(body)
    code = code or _CODES.get(status, "INTERNAL" if status >= 500 else "BAD_REQUEST")
    facts: dict[str, Any] = {
        "status_code": status,
        "code": code,
        "request_id": response.headers.get("x-request-id"),
    }
    message = f"{where} answered {status} {code}" + (f": {said}" if said else "")
    message = message if message.endswith(".") else f"{message}."
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
        return RateLimitError(message, retry_after=_retry_after(response.headers, wall), **facts)
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


def mask(text: str) -> str:
    """Take anything that looks like a key, and what would move a terminal's cursor, out of a text."""
    return "".join(char if char.isprintable() else " " for char in _SECRETS.sub("<key>", text))


def _date(headers: httpx.Headers) -> dt.datetime:
    """Read the answer's own Date; this machine's clock only where it has none."""
    with contextlib.suppress(ValueError, TypeError):
        sent = email.utils.parsedate_to_datetime(headers["date"]) if "date" in headers else None
        if sent is not None:
            return sent if sent.tzinfo else sent.replace(tzinfo=dt.UTC)
    return dt.datetime.now(dt.UTC)


def _retry_after(headers: httpx.Headers, wall: dt.datetime) -> float:
    """Read Retry-After as seconds or as a date, by the answer's own clock; 1 s where it says nothing."""
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return min(max(float(text), 0.05), MAX_PAUSE)
    with contextlib.suppress(ValueError, TypeError):
        until = email.utils.parsedate_to_datetime(text)
        until = until if until.tzinfo else until.replace(tzinfo=dt.UTC)
        return min(max((until - wall).total_seconds(), 1.0), MAX_PAUSE)
    return 1.0


def _backoff(attempt: int) -> float:
    """Give a pause that doubles and is drawn by chance, so that many clients do not return as one."""
    return random.uniform(0.1, min(8.0, 0.25 * 2**attempt))  # noqa: S311


def _clock(seconds: float) -> str:
    until = dt.datetime.now().astimezone() + dt.timedelta(seconds=seconds)
    return until.strftime("%H:%M:%S" if seconds < 86400 else "%Y-%m-%d %H:%M")


def _strip_tracebacks(error: BaseException | None) -> None:
    """Drop the frames of the HTTP libraries: their locals hold the header with the key."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
