"""A demo with a client, and a server of raw bytes for answers no honest server gives."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from picora_analytics import Client, DemoServer


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[DemoServer, Client]]]:
    """Give what starts a demo without limits, and a client that gives up quickly."""
    with ExitStack() as stack:

        def start(
            n_images: int = 3, *, max_wait: float = 5.0, timeout: float = 30.0, **options: Any
        ) -> tuple[DemoServer, Client]:
            options.setdefault("rate_scale", None)
            server = stack.enter_context(DemoServer(n_images, **options))
            client = Client(server.api_key, server.url, max_wait=max_wait, timeout=timeout)
            return server, stack.enter_context(client)

        yield start


class RawServer:
    """Answers each connection with the next bytes given (the last ones again), and keeps what was asked."""

    def __init__(self, answers: list[bytes]) -> None:
        self.answers, self.asked = answers, []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self.asked.append(_request(connection))
                number = min(len(self.asked), len(self.answers)) - 1
                connection.sendall(self.answers[number])

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # Wakes accept().
        self._socket.close()
        self._thread.join()


def _request(connection: socket.socket) -> bytes:
    """Read a request whole: closing before its body came would reset the connection, and the answer with it."""
    asked = connection.recv(65536)
    head, found, body = asked.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
    missing = int(length[1]) - len(body) if found and length else 0
    while missing > 0 and (more := connection.recv(missing)):
        asked, missing = asked + more, missing - len(more)
    return asked


@pytest.fixture
def raw() -> Iterator[Callable[..., RawServer]]:
    """Give what starts a server of raw bytes."""
    with ExitStack() as stack:

        def start(*answers: bytes) -> RawServer:
            server = RawServer(list(answers))
            stack.callback(server.close)
            return server

        yield start


def _http(body: Any = b"", status: str = "200 OK", **headers: str) -> bytes:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-length": str(len(body)), "connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode("latin-1") + body


@pytest.fixture
def http() -> Callable[..., bytes]:
    """Give what writes one HTTP answer."""
    return _http


@pytest.fixture
def connect_to() -> Iterator[Callable[..., Client]]:
    """Give what makes clients that are closed at the end."""
    with ExitStack() as stack:

        def make(url: str, key: str = "sk_live_test", **options: Any) -> Client:
            return stack.enter_context(Client(key, url, **{"max_wait": 5.0, **options}))

        yield make
