"""HTTP with one deadline for each request: a timeout for each read never ends a slow drip."""

from __future__ import annotations

import math
import ssl
import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future, wait
from typing import Any

import httpcore
import httpx

__all__ = ["DeadlineTransport", "is_untrusted"]

# Seconds between looks for a Ctrl-C, which on Windows does not wake a waiting thread by itself.
WAKE = 0.2


class DeadlineTransport(httpx.HTTPTransport):
    """
    httpx's transport, with the extension ``deadline`` of a request kept to.

    The deadline, in seconds of :func:`time.monotonic`, ends whatever of the request is under way then: looking up
    the host's name, connecting, sending, or reading a head or a body that comes byte by byte.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._clock = _Clock()
        # httpcore takes a network backend, but httpx passes none on.
        if not hasattr(self._pool, "_network_backend"):
            raise RuntimeError(
                f"This httpcore {httpcore.__version__} keeps its network backend elsewhere, so no deadline could "
                "be kept; install httpcore 1.0."
            )
        self._pool._network_backend = _Backend(self._clock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request; its body is to be read by the same thread."""
        self._clock.deadline = request.extensions["deadline"]
        return super().handle_request(request)


class _Clock(threading.local):
    """The deadline of what this thread does."""

    deadline = math.inf

    def left(self, timeout: float | None, late: type[Exception]) -> float:
        """Give the seconds left, at most `timeout`; raise where there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise late("timed out")
        return left if timeout is None else min(left, timeout)


class _Backend(httpcore.NetworkBackend):
    """Connects in a thread of its own: looking up a name heeds neither a timeout nor Ctrl-C."""

    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._clock.left(timeout, httpcore.ConnectTimeout)
        connected: Future[httpcore.NetworkStream] = Future()

        def connect() -> None:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    host, port, timeout, local_address, socket_options
                )
            except Exception as error:  # The thread that waits raises it.
                connected.set_exception(error)
            else:
                connected.set_result(stream)

        threading.Thread(target=connect, name="picora-connect", daemon=True).start()
        try:
            while not connected.done():
                wait([connected], self._clock.left(WAKE, httpcore.ConnectTimeout))
        except BaseException:
            connected.add_done_callback(_close)
            raise
        return _Stream(connected.result(), self._clock)


def _close(connected: Future[httpcore.NetworkStream]) -> None:
    """Close a connection that came too late."""
    if connected.exception() is None:
        connected.result().close()


class _Stream(httpcore.NetworkStream):
    """A connection on which nothing takes longer than the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, clock: _Clock) -> None:
        self._stream, self._clock = stream, clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._clock.left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: Any,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._clock.left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._clock)

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
