"""HTTP to one Picora host: pacing, retries, and every failure as an error of ours."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import os
import statistics
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx

from picora_analytics.client.answers import TIMED_OUT, Answer, host_of, read_body, status_error
from picora_analytics.client.bodies import UnreadableBodyError
from picora_analytics.client.keys import LOOPBACK, Secret, strip_tracebacks
from picora_analytics.client.masking import mask
from picora_analytics.client.pacing import Tier
from picora_analytics.client.paging import head_says_more, head_total
from picora_analytics.client.proxies import certificate_settings, open_transport, proxy_for
from picora_analytics.client.retrying import MAX_TRIES, RetryBudget, backoff
from picora_analytics.client.transport import is_untrusted
from picora_analytics.client.waiting import Waits, is_stopped
from picora_analytics.errors import (
    RateLimitError,
    ResponseFormatError,
    StatusError,
    TransportError,
)
from picora_analytics.times import now, parse_http_date

__all__ = ["AHEAD", "Connection"]

T = TypeVar("T")

# Ages count from the service's time; a clock farther ahead of this machine's would make every image old.
AHEAD = dt.timedelta(days=1)
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    # A last look answered by a proxy's memory would be none.
    "Cache-Control": "no-cache",
    "User-Agent": "picora-analytics",
}


def _tracing(before_send: Callable[[], None] | None) -> dict[str, Any]:
    """Make the extension by which httpcore tells that it begins to send; connecting may have taken long."""
    if before_send is None:
        return {}

    def trace(name: str, info: Mapping[str, Any]) -> None:
        # A proxy is first asked to connect, which is not the request yet.
        if name.endswith(".send_request_headers.started") and info["request"].method != b"CONNECT":
            before_send()

    return {"trace": trace}


class UntrustedError(TransportError):
    """The host's certificate was not accepted; repeating would not change it."""


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
        self.waits = Waits(max_wait)
        self.demo = False
        self.demo_session = ""
        self.server_time: dt.datetime | None = None
        self.heard_at: dt.datetime | None = None  # By this machine's clock.
        self._round_trips: deque[float] = deque(maxlen=15)
        self._origin = base_url.copy_with(raw_path=b"/")
        self._prefix = base_url.raw_path.rstrip(b"/").decode()
        self._open()

    def _open(self) -> None:
        # httpx's Client does much that one host needs not (redirects, cookies, merging), at half a page's cost.
        self._http: httpx.BaseTransport = open_transport(
            self._origin,
            proxy_for(self._origin),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=32),
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
        return self.waits.pacer.interval("read")

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
        where = self._where("GET", path)
        deadline = time.monotonic() + self.waits.max_wait
        budget = RetryBudget(MAX_TRIES, self.waits.max_wait) if budget is None else budget
        for attempt in range(1, MAX_TRIES + 1):
            self.waits.pace("read", deadline, where, stop)
            started = time.monotonic()
            try:
                answer = self.once("GET", path, where, params=params, tier="read", stop=stop)
                self._round_trips.append(time.monotonic() - started)
                if (
                    answer.status != 200
                ):  # Accepted, partial, of several parts: not the whole of it.
                    raise UnreadableBodyError(
                        f"{where} answered {answer.status}, which is not a whole answer; nothing was taken from it."
                    )
                return decode(answer)
            except RateLimitError as error:
                self.waits.refused("read", error, deadline, attempt, budget, stop)
            except (StatusError, TransportError, UnreadableBodyError) as error:
                final, pause = isinstance(error, UntrustedError), backoff(attempt)
                if isinstance(error, StatusError):
                    final = error.status_code < 500 and error.status_code not in TIMED_OUT
                    pause = max(pause, error.retry_after)
                late = time.monotonic() + pause > deadline
                if final or attempt == MAX_TRIES or late or not budget.spend(pause):
                    raise
                self.waits.wait(pause, f"trying again ({type(error).__name__})", stop)
        raise AssertionError("unreachable")  # pragma: no cover

    def send(
        self,
        method: str,
        path: str,
        *,
        tier: Tier,
        timeout: float,
        stop: threading.Event | None = None,
        before_send: Callable[[], None] | None = None,
        **body: Any,
    ) -> Answer:
        """
        Send one request at the pace of its tier; a 429 did nothing, so only that is sent again.

        `before_send` is called after every wait and again once connected, right before the request's first byte; what
        it raises stops it unsent.
        """
        where = self._where(method, path)
        deadline = time.monotonic() + self.waits.max_wait
        while True:
            self.waits.pace(tier, deadline, where, stop)
            if before_send is not None:
                try:
                    before_send()
                except BaseException:
                    self.waits.pacer.lost(tier)
                    raise
            try:
                return self.once(
                    method,
                    path,
                    where,
                    tier=tier,
                    timeout=timeout,
                    stop=stop,
                    trace=_tracing(before_send),
                    **body,
                )
            except RateLimitError as error:
                self.waits.refused(tier, error, deadline, stop=stop)

    def _where(self, method: str, path: str) -> str:
        """Name a call in messages."""
        # Most paths are as short as this, and hold an id at most; a longer one may hold anything.
        return f"{method} {path if len(path) < 24 else mask(path, 200)} at {self.host}"

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
        stop: threading.Event | None = None,
        trace: dict[str, Any] | None = None,
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
            self._origin,
            headers=_HEADERS,
            json=json,
            extensions={
                "target": target.encode("ascii"),
                "timeout": httpx.Timeout(patience).as_dict(),
                "deadline": time.monotonic() + patience,
                "stopped": functools.partial(is_stopped, stop),
                **(trace or {}),
            },
            **(form or {}),
        )
        return self._read(*self._exchange(request, where, tier), where, tier)

    def _exchange(
        self, request: httpx.Request, where: str, tier: Tier
    ) -> tuple[httpx.Response, bytes]:
        """Send a request and read the body of its answer."""
        heard = False
        failure: httpx.RequestError | None = None
        try:
            request.headers["Authorization"] = f"Bearer {self.secret.reveal()}"
            with contextlib.closing(self._http.handle_request(request)) as response:
                response.request = request
                # A body that echoes the key must not carry it into a traceback or a frame.
                body = self.secret.scrub(read_body(response, where))
            heard = response.status_code != 429
        except httpx.RequestError as error:
            strip_tracebacks(error)  # The HTTP libraries' frames hold the key.
            failure = error
        except BaseException as error:
            strip_tracebacks(error)
            raise
        finally:
            request.headers.pop("Authorization", None)
            if not heard:
                self.waits.pacer.lost(tier)
        if failure is not None:
            # Their own texts may quote what came, the key in it: the cause is told without.
            told = mask(str(failure))
            cause, untrusted = type(failure)(told), is_untrusted(failure)
            del failure
            raise self._no_answer(cause, untrusted, where) from cause
        return response, body

    def _no_answer(self, error: httpx.RequestError, untrusted: bool, where: str) -> TransportError:
        detail = str(error)
        failure = f"{where} got no answer ({type(error).__name__}"
        failure += f": {detail})." if detail else ")."
        if untrusted:
            settings = certificate_settings()
            return UntrustedError(
                f"{failure} The host's certificate is not accepted, so the key was not sent; check the "
                f"base URL {self.base_url!r}, this machine's clock, and what stands in between"
                + (f", and {settings}." if settings else ".")
            )
        return TransportError(f"{failure} Check the network and the base URL {self.base_url!r}.")

    def _read(self, response: httpx.Response, body: bytes, where: str, tier: Tier) -> Answer:
        """Turn a response into an answer, or raise what it means."""
        wall, more, total = self._learn(tier, response)
        if response.is_success:
            duplicate = response.headers.get("x-picora-duplicate", "").strip().lower() == "true"
            if wall - now() > AHEAD and not self.demo:  # The demo's clock stands still.
                wall = now()
            return Answer(response.status_code, body, where, wall, duplicate, more, total)
        if response.has_redirect_location:
            target = host_of(response.headers.get("location", "")) or self.host
            raise ResponseFormatError(
                f"{where} answered with a redirect to {mask(target, 260)}; it was not followed, because the key "
                "belongs to this host alone. If the API has moved, set PICORA_BASE_URL."
            )
        refusal = status_error(response, body, where, wall)
        del body  # It may echo the key in ways that only a text to show is searched for.
        raise refusal

    def _learn(self, tier: Tier, response: httpx.Response) -> tuple[dt.datetime, bool, int | None]:
        """Take from the head what it tells of pace and server; give its time, whether more follows, and the total."""
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in response.headers.raw
        }
        name, _, session = headers.get("server", "").partition("/")
        self.demo = name == "picora-demo" and self.host in LOOPBACK
        self.demo_session = session if self.demo and session.isalnum() else ""
        date = parse_http_date(headers.get("date", ""))
        if date is not None:
            self.server_time, self.heard_at = date, now()
        if response.status_code != 429:  # A refusal is not in the count that the headers tell.
            self.waits.pacer.correct(tier, headers, date.timestamp() if date else None)
        return date or now(), head_says_more(headers), head_total(headers)
