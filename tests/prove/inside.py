"""The demo service without a socket: the real client above, the real service below, a function call between."""

from __future__ import annotations

import asyncio
import threading
from typing import Any
from urllib.parse import unquote

import httpx

from picora_analytics import Client, DemoServer
from picora_analytics.client.pacing import PER_HOUR

URL = "http://127.0.0.1:1"


class Inside(httpx.BaseTransport):
    """Hand each request to a demo service that was never started."""

    def __init__(self, service: DemoServer) -> None:
        self._service = service
        self._loop = asyncio.new_event_loop()
        self._turn = threading.Lock()

    def close(self) -> None:
        self._loop.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        waiting = [
            {"type": "http.request", "body": request.read(), "more_body": False},
        ]
        sent: list[Any] = []

        async def receive() -> Any:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)

        # What stands in the request's first line; the URL holds the host alone.
        target = httpx.URL(request.extensions["target"].decode())
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": request.method,
            "path": unquote(target.path),
            "query_string": target.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "state": {"transport": _NoLine()},
        }
        with self._turn:
            self._loop.run_until_complete(self._service._serve_api(scope, receive, send))
        if not sent:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            )
        start, end = sent
        if end["more_body"]:
            raise httpx.RemoteProtocolError("peer closed connection", request=request)
        return httpx.Response(
            start["status"], headers=start["headers"], stream=httpx.ByteStream(end["body"])
        )


class _NoLine:
    def close(self) -> None:
        """There is nothing to hang up."""


def client_of(service: DemoServer) -> Client:
    """Make a client whose requests reach an unstarted demo service."""
    return client_over(Inside(service), service.api_key)


def client_over(transport: httpx.BaseTransport, key: str) -> Client:
    """Make a client whose requests go over a transport instead of a socket."""
    client = Client(key, URL, max_wait=20)
    client._connection._http.close()
    client._connection._http = transport
    return client


def hurry(client: Client, scale: float) -> None:
    """Tell a client at once how fast it may go: else its first requests keep the documented pace."""
    pacer = client._connection.waits.pacer
    # Not by an answer's headers: of those none is believed that tells of so much.
    pacer._per_hour = int(PER_HOUR * scale)
    for budget in pacer._budgets.values():
        budget.scale = scale
