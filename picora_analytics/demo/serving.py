"""Two ports served from a thread: sockets, uvicorn's connections, and their end."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

__all__ = ["Ports", "hang_up"]


class Ports:
    """
    Applications served on sockets of 127.0.0.1, from a daemon thread.

    Parameters
    ----------
    apps : sequence of ASGI applications
    ports : sequence of int
        One for each application; 0 picks a free one.

    Raises
    ------
    ValueError
        If one cannot be a port.
    """

    def __init__(self, apps: Sequence[ASGIApp], ports: Sequence[int]) -> None:
        for port in ports:
            if not 0 <= port <= 65_535:
                raise ValueError(f"port must be between 0 and 65535, but is {port}")
        self._apps, self._ports = apps, ports
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def running(self) -> bool:
        """Whether the thread serves."""
        return self._thread is not None

    def start(self) -> list[str]:
        """
        Serve; returns the address of each application when all ports answer.

        Raises
        ------
        OSError
            If a port cannot be used.
        """
        sockets: list[socket.socket] = []
        try:
            for port in self._ports:
                sockets.append(_listen(port))
        except OSError:
            for sock in sockets:
                sock.close()
            raise
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(sockets, ready)),
            name="picora-demo",
            daemon=True,
        )
        addresses = [f"http://127.0.0.1:{sock.getsockname()[1]}" for sock in sockets]
        self._thread.start()
        ready.wait()
        return addresses

    def stop(self) -> None:
        """Close all ports and connections; does nothing when stopped already."""
        if self._thread is None:
            return
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = self._loop = self._stop = None

    async def _serve(self, sockets: list[socket.socket], ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        state = ServerState()
        servers = []
        for sock, app in zip(sockets, self._apps, strict=True):
            config = uvicorn.Config(
                app,
                interface="asgi3",
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                date_header=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=60,
            )
            config.load()
            # uvicorn.Server would take 0.2 s to stop; the connection class does the same work.
            servers.append(
                await self._loop.create_server(
                    lambda config=config: _Connection(config, state, {}),  # type: ignore[misc]
                    sock=sock,
                )
            )
        ready.set()
        await self._stop.wait()
        # A connection accepted just now needs some rounds of the loop before it can be closed,
        # and would be lost if its server were closed first.
        for sock in sockets:
            self._loop.remove_reader(sock)
        for _ in range(10):
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)
        for server in servers:
            server.close()
        tasks = list(state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Connection(H11Protocol):
    """A connection that the application can hang up on."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state["transport"] = transport  # uvicorn shows it as scope["state"]


async def hang_up(request: Request) -> None:
    """Close the connection after what is written already, and wait until it is gone."""
    request.scope["state"]["transport"].close()
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _listen(port: int) -> socket.socket:
    # Without IPPROTO_TCP asyncio leaves TCP_NODELAY off: each page would take 44 ms, not 1.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        sock.listen(128)
    except OSError as error:
        sock.close()
        message = f"port {port} of 127.0.0.1 cannot be used: {error.strerror}"
        raise OSError(error.errno, message) from error
    return sock
