"""HTTP to one Picora host: pacing, retries, and every failure as an error of ours."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import ssl
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx

from picora_analytics.client.answers import Answer, date_of, status_error
from picora_analytics.client.bodies import UnreadableBodyError
from picora_analytics.client.keys import (
    LOOPBACK,
    Secret,
    mask,
    proxy_for,
    read_base_url,
    strip_tracebacks,
)
from picora_analytics.client.pacing import Pacer, Tier
from picora_analytics.client.retrying import (
    MAX_TRIES,
    RetryBudget,
    StoppedError,
    backoff,
    jitter,
)
from picora_analytics.client.transport import DeadlineTransport
from picora_analytics.errors import (
    RateLimitError,
    ResponseFormatError,
    StatusError,
    TransportError,
)

__all__ = [
    "Answer",
    "Connection",
    "RetryBudget",
    "Secret",
    "StoppedError",
    "mask",
    "read_base_url",
]

T = TypeVar("T")

# What httpx would unfold, in layers without bound; only the first two are asked for.
ENCODINGS = ("gzip", "deflate", "br", "zstd")
# A page of 100 images is about 31 KB; this is far above any documented answer.
MAX_BODY = 64 * 1024 * 1024
# Ages count from the service's time; a clock farther ahead of this machine's would make every image old.
AHEAD = dt.timedelta(days=1)
# Waits are looked up from this often: the pacer may have learned, or the caller may want to stop.
SLICE = 0.2
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "picora-analytics",
}


class UntrustedError(TransportError):
    """The host's certificate was not accepted; asking again would not change it."""


class Connection:
    """
    Requests to one host under one key. Several threads may share it.

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
        self.on_wait: list[Callable[[str], None]] = []
        self.demo = False
        self.demo_session = ""
        self.server_time: dt.datetime | None = None
        self.waiting = 0.0
        self._shown_until = 0.0
        self._round_trips: deque[float] = deque(maxlen=15)
        self._origin = base_url.copy_with(raw_path=b"/")
        self._prefix = base_url.raw_path.rstrip(b"/").decode()
        self._open()

    def _open(self) -> None:
        # httpx's Client does much that one host needs not (redirects, cookies, merging), at half a page's cost.
        self._http: httpx.BaseTransport = DeadlineTransport(
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
            trust_env=self._origin.host not in LOOPBACK,
            proxy=proxy_for(self._origin),
        )
        self._process = os.getpid()

    def close(self) -> None:
        """Close the pool of connections."""
        self._http.close()

    @property
    def round_trip(self) -> float | None:
        """Seconds from request to body, the median of the last reads; None before the first."""
        trips = list(self._round_trips)
        return statistics.median(trips) if trips else None

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
        budget: RetryBudget | None = None,
        stop: threading.Event | None = None,
    ) -> T:
        """
        Read and decode; repeated on 408, 429, 5xx, transport faults and unreadable bodies, within `max_wait`.

        Parameters
        ----------
        path : str
            Already percent-encoded, beginning with ``/v1/``.
        decode : callable
            Makes the result of the answer.
        params : mapping, optional
            The query.
        budget : RetryBudget, optional
            The repeats left to all reads that share it; default: one of its own.
        stop : Event, optional
            Ends every wait at once when set.

        Raises
        ------
        TransportError, StatusError, ResponseFormatError
            When the last try failed as well.
        StoppedError
            When `stop` was set.
        """
        where = f"GET {path} at {self.host}"
        deadline = time.monotonic() + self.max_wait
        budget = RetryBudget(MAX_TRIES, self.max_wait) if budget is None else budget
        for attempt in range(1, MAX_TRIES + 1):
            self.pace("read", deadline, where, stop)
            started = time.monotonic()
            try:
                answer = self.once("GET", path, where, params=params, tier="read")
                self._round_trips.append(time.monotonic() - started)
                return decode(answer)
            except RateLimitError as error:
                self.wait_refused("read", error, deadline, attempt, budget, stop)
            except (StatusError, TransportError, UnreadableBodyError) as error:
                final, pause = isinstance(error, UntrustedError), backoff(attempt)
                if isinstance(error, StatusError):
                    final = error.status_code < 500 and error.status_code != 408
                    pause = max(pause, error.retry_after)
                late = time.monotonic() + pause > deadline
                if final or attempt == MAX_TRIES or late or not budget.spend(pause):
                    raise
                self._wait(pause, f"trying again ({type(error).__name__})", stop)
        raise AssertionError("unreachable")  # pragma: no cover

    def pace(
        self, tier: Tier, deadline: float, where: str, stop: threading.Event | None = None
    ) -> None:
        """Wait until a request of this tier may start."""
        began = time.monotonic()
        while (wait := self.pacer.delay(tier)) > 0:
            if time.monotonic() + wait > deadline:
                raise RateLimitError(
                    f"{where}: the key's allowance is used up until {_clock(wait)}, longer than "
                    f"max_wait={self.max_wait:g} seconds. Try again then, or give Client a larger max_wait.",
                    status_code=429,
                    code="RATE_LIMITED",
                    retry_after=wait,
                )
            self._show(wait, "staying within Picora's rate limit")
            _sleep(min(wait, SLICE), stop)
        self.waiting += (time.monotonic() - began - self.waiting) / 4

    def _wait(self, seconds: float, reason: str, stop: threading.Event | None) -> None:
        self._show(seconds, reason)
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            _sleep(min(left, SLICE), stop)

    def _show(self, seconds: float, reason: str) -> None:
        """Show a wait of over 2 seconds, once for all threads that wait for the same moment."""
        until = time.monotonic() + seconds
        if seconds > 2 and self.on_wait and until > self._shown_until + 1:
            self._shown_until = until
            told: list[Callable[[str], None]] = []
            for show in tuple(self.on_wait):
                if show not in told:  # One that listens twice is told once.
                    told.append(show)
                    show(f"{reason}, until {_clock(seconds)}")

    def wait_refused(
        self,
        tier: Tier,
        error: RateLimitError,
        deadline: float,
        attempt: int = 1,
        budget: RetryBudget | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Wait as long as a 429 asks, or raise where that is too long or was said too often."""
        pause = error.retry_after
        self.pacer.refuse(tier, pause)
        why, advice = "", "Try again then."
        if attempt == MAX_TRIES:
            why = f"it said so {attempt} times in a row"
        elif time.monotonic() + pause > deadline:
            why = f"max_wait={self.max_wait:g} seconds does not reach that far"
            advice = "Try again then, or give Client a larger max_wait."
        elif budget is not None and not budget.spend(pause):
            why = f"after {budget.used} repeats the patience for this load is used up"
        if why:
            raise RateLimitError(
                f"{error} It asks to wait until {_clock(pause)}; {why}. {advice}",
                status_code=429,
                code=error.code,
                request_id=error.request_id,
                retry_after=pause,
            ) from None
        self._wait(pause + jitter(), "Picora asks to slow down (429)", stop)

    def once(
        self,
        method: str,
        path: str,
        where: str,
        *,
        tier: Tier,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Answer:
        """Send one request, once; `form` is `data` and `files`, `timeout` the client's own unless given."""
        # On sockets shared after a fork, each process reads the other's answers.
        if self._process != os.getpid():
            self._open()
        patience = self.timeout if timeout is None else max(timeout, self.timeout)
        target = f"{self._prefix}{path}" + (f"?{urlencode(params)}" if params else "")
        request = httpx.Request(
            method,
            # Whatever the path is, scheme, host and port stay: the key goes to its own host only.
            self._origin.copy_with(raw_path=target.encode("ascii")),
            headers=_HEADERS,
            json=json,
            extensions={
                "timeout": httpx.Timeout(patience).as_dict(),
                "deadline": time.monotonic() + patience,
            },
            **(form or {}),
        )
        failure: str
        heard = False
        try:
            request.headers["Authorization"] = f"Bearer {self.secret.reveal()}"
            with contextlib.closing(self._http.handle_request(request)) as response:
                response.request = request
                # A body that echoes the key must not carry it into a traceback or a frame.
                body = _read(response, where).replace(self.secret.reveal().encode(), b"<key>")
            heard = response.status_code != 429
        except KeyboardInterrupt as interrupt:
            strip_tracebacks(interrupt)  # The HTTP libraries' frames hold the key.
            raise
        except httpx.RequestError as error:
            failure = f"{where} got no answer ({type(error).__name__}"
            detail = mask(str(error))
            failure += f": {detail})." if detail else ")."
            untrusted = _is_untrusted(error)
            strip_tracebacks(error)
            if untrusted:
                raise UntrustedError(
                    f"{failure} The host's certificate is not accepted, so the key was not sent; check the "
                    f"base URL {self.base_url!r}, this machine's clock, and what stands in between."
                ) from error
            raise TransportError(
                f"{failure} Check the network and the base URL {self.base_url!r}."
            ) from error
        finally:
            if not heard:
                self.pacer.lost(tier)
        wall = self._learn(tier, response)
        if response.is_success:
            duplicate = response.headers.get("x-picora-duplicate", "").strip().lower() == "true"
            now = dt.datetime.now(dt.UTC)
            if wall - now > AHEAD and not self.demo:  # The demo's clock stands still.
                wall = now
            return Answer(response.status_code, body, where, wall, duplicate)
        if response.has_redirect_location:
            target = _host_of(response.headers.get("location", "")) or self.host
            raise ResponseFormatError(
                f"{where} answered with a redirect to {mask(target)}; it was not followed, because the key "
                "belongs to this host alone. If the API has moved, set PICORA_BASE_URL."
            )
        raise status_error(response, body, where, wall)

    def _learn(self, tier: Tier, response: httpx.Response) -> dt.datetime:
        """Take from the headers what they tell of pace, server and time; give the service's own time."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw
        }
        name, _, session = headers.get("server", "").partition("/")
        self.demo = name == "picora-demo" and self.host in LOOPBACK
        self.demo_session = session if self.demo and session.isalnum() else ""
        date = date_of(headers.get("date", ""))
        self.server_time = date or self.server_time
        if response.status_code != 429:  # A refusal is not in the count that the headers tell.
            self.pacer.correct(tier, headers, date.timestamp() if date else None)
        return date or dt.datetime.now(dt.UTC)


def _read(response: httpx.Response, where: str) -> bytes:
    """Read a body up to a ceiling."""
    too_much = f"{where} sent more than {MAX_BODY // 1024**2} MiB; it was cut off."
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and len(announced) > len(str(MAX_BODY)):
        raise TransportError(too_much)
    told = response.headers.get("content-encoding", "").lower()
    layers = [one for one in map(str.strip, told.split(",")) if one in ENCODINGS]
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


def _clock(seconds: float) -> str:
    until = dt.datetime.now().astimezone() + dt.timedelta(seconds=seconds)
    return until.strftime("%H:%M:%S" if seconds < 86400 else "%Y-%m-%d %H:%M")


def _sleep(seconds: float, stop: threading.Event | None) -> None:
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise StoppedError


def _host_of(address: str) -> str:
    """Give the host of an address; empty where it is none."""
    try:
        return httpx.URL(address).host
    except (httpx.InvalidURL, ValueError):  # Punycode that is none is a ValueError of idna's.
        return ""


def _is_untrusted(error: BaseException | None) -> bool:
    """Tell whether a failure goes back to a certificate that was not accepted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
