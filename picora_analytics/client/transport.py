"""HTTP with one deadline for each request: a timeout for each read never ends a slow drip."""

from __future__ import annotations

import logging
import math
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Any, TypeVar

import httpcore
import httpx

from picora_analytics.client.masking import MaskingFilter
from picora_analytics.client.retrying import StoppedError

__all__ = ["DeadlineTransport", "ForbiddenAddressError", "is_untrusted"]

# Seconds between looks for a Ctrl-C, which on Windows does not wake a waiting thread by itself, and for a stop.
WAKE = 0.2
# So long an address of a host may be silent before the next one is tried beside it (RFC 8305, 5).
HEAD_START = 0.25

T = TypeVar("T")

for _name in ("connection", "http11", "http2", "proxy", "socks"):
    logging.getLogger(f"httpcore.{_name}").addFilter(MaskingFilter())


class ForbiddenAddressError(Exception):
    """No address of a host may be connected to."""


class DeadlineTransport(httpx.HTTPTransport):
    """
    httpx's transport, with the extensions ``deadline`` and ``stopped`` of a request kept to.

    The deadline, in seconds of :func:`time.monotonic`, ends whatever of the request is under way then: looking up
    the host's name, connecting, sending, or reading a head or a body that comes byte by byte. ``stopped`` is called
    while the answer is waited for, and ends the request with a :exc:`StoppedError` within a second.

    Parameters
    ----------
    allowed : callable
        Given a host and one of its IP addresses, tells whether to connect there. A proxy is connected to anyway.
    **options
        Of :class:`httpx.HTTPTransport`.
    """

    def __init__(
        self, *, allowed: Callable[[str, str], bool] = lambda host, address: True, **options: Any
    ) -> None:
        super().__init__(**options)
        self._clock = _Clock()
        # httpcore takes a network backend, but httpx passes none on.
        if not hasattr(self._pool, "_network_backend"):
            raise RuntimeError(
                f"This httpcore {httpcore.__version__} keeps its network backend elsewhere, so no deadline could "
                "be kept; install httpcore 1.0."
            )
        self._pool._network_backend = _Backend(self._clock, allowed)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; its body is to be read by the same thread."""
        self._clock.deadline = request.extensions["deadline"]
        self._clock.stopped = request.extensions.get("stopped", _never)
        return super().handle_request(request)


def _never() -> bool:
    return False


class _Clock(threading.local):
    """The deadline of what this thread does, and who may stop it."""

    deadline = math.inf
    stopped: Callable[[], bool] = staticmethod(_never)

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        """Give the seconds left, at most `timeout`; raise where there are none, or it was stopped."""
        if self.stopped():
            raise StoppedError
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise late("timed out")
        return left if timeout is None else min(left, timeout)

    def result(
        self,
        future: Future[T],
        late: Callable[[Future[T]], object] = lambda future: None,
        end: float = math.inf,
    ) -> T:
        """Wait for what another thread does; what comes too late is handed to `late`."""
        try:
            while not future.done():
                if time.monotonic() > end:
                    raise httpcore.ConnectTimeout("timed out")
                wait([future], self.left(WAKE, httpcore.ConnectTimeout))
        except BaseException:
            future.add_done_callback(late)
            raise
        return future.result()


class _Backend(httpcore.NetworkBackend):
    """Connects in threads of its own: looking up a name heeds neither a timeout nor Ctrl-C."""

    def __init__(self, clock: _Clock, allowed: Callable[[str, str], bool]) -> None:
        self._clock, self._allowed = clock, allowed

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._clock.left(timeout, httpcore.ConnectTimeout)
        end = time.monotonic() + timeout
        found = self._clock.result(_in_thread(partial(_lookup, host, port)), end=end)
        # Checked here, where the connection is made: a name may resolve to something else each time.
        addresses = deque(address for address in found if self._allowed(host, address))
        if not addresses:
            raise ForbiddenAddressError(f"{host} is an address of this machine or its network")
        backend, options = httpcore.SyncBackend(), tuple(socket_options or ())
        under_way: set[Future[httpcore.NetworkStream]] = set()
        failure: BaseException = httpcore.ConnectError("no address")
        latest = -math.inf
        try:
            while addresses or under_way:
                left = min(end - time.monotonic(), self._clock.left(None, httpcore.ConnectTimeout))
                if left <= 0:
                    raise httpcore.ConnectTimeout("timed out")
                if addresses and (not under_way or time.monotonic() - latest >= HEAD_START):
                    place = (addresses.popleft(), port, left, local_address, options)
                    under_way.add(_in_thread(partial(backend.connect_tcp, *place)))
                    latest = time.monotonic()
                done, _ = wait(under_way, HEAD_START if addresses else WAKE, FIRST_COMPLETED)
                for future in done:
                    under_way.discard(future)
                    try:
                        return _Stream(future.result(), self._clock)
                    except Exception as error:
                        failure = error
            raise failure
        finally:
            for future in under_way:
                future.add_done_callback(_close)


def _lookup(host: str, port: int) -> list[str]:
    """Look up the addresses of a host, in the system's order of preference."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        pass
    else:
        return [host]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # A label of over 63 characters is a UnicodeError.
        raise httpcore.ConnectError(str(error)) from None
    places = (
        str(place[0]) + (f"%{place[3]}" if len(place) > 3 and place[3] else "")
        for *_, place in found
    )
    return list(dict.fromkeys(places))


def _in_thread(work: Callable[[], T]) -> Future[T]:
    """Do some work in a thread that keeps nobody from exiting."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except Exception as error:  # The thread that waits raises it.
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="picora-connect", daemon=True).start()
    return future


def _close(connected: Future[httpcore.NetworkStream]) -> None:
    """Close a connection that came too late."""
    if connected.exception() is None:
        connected.result().close()


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing takes longer than the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        end = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            left = self._clock.left(timeout, httpcore.ReadTimeout)
            try:
                return self._stream.read(max_bytes, min(left, WAKE))
            except httpcore.ReadTimeout:
                if time.monotonic() >= end:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout, httpcore.ConnectTimeout)
        shaking = _in_thread(partial(self._stream.start_tls, ssl_context, server_hostname, left))
        try:
            secured = self._clock.result(shaking, _close)
        except BaseException:
            self._stream.close()
            raise
        return _Stream(secured, self._clock)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def is_untrusted(error: BaseException | None) -> bool:
    """Whether a failure goes back to a certificate that was not accepted."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
