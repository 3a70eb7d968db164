"""
A fast loopback service that lists a large invented library the way Picora does.

The demo service of the package renders each answer anew, so a measurement against it would measure it. This one slices
rendered bytes, parses just enough of HTTP, answers several thousand pages a second, and runs in a process of its own.
Latency and limits are set while it runs, by `GET /bench`, which also tells what was counted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import email.utils
import math
from urllib.parse import parse_qsl, urlsplit

from invented import Library, to_json

from picora_analytics.demo.limits import RateLimits


class Service:
    """Answers, latency, limits and counts."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.reset({})

    def reset(self, query: dict[str, str]) -> None:
        """Set latency (seconds), the limits times `scale`, and totals; count from 0."""
        self.latency = float(query.get("latency", 0))
        self.total = query.get("total") == "1"
        scale = float(query.get("scale", 1))
        self.limits = RateLimits(scale, burst_scale=1 if scale < 800 else scale)
        self.counts = {"requests": 0, "refusals": 0}

    def answer(self, target: str) -> tuple[int, bytes, bytes]:
        """Give status, body and further headers."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        if parts.path == "/bench":
            before = self.counts
            if "set" in query:
                self.reset(query)
            if "change" in query:
                self.library.change(*map(int, query["change"].split(",")))
            return 200, to_json({**before, "images": len(self.library.rows)}), b""
        self.counts["requests"] += 1
        verdict = self.limits.count("read")
        headers = b"".join(
            b"%sRateLimit-%s: %d\r\n" % (family, name, value)
            for family in (b"", b"X-")
            for name, value in (
                (b"Limit", verdict.limit),
                (b"Remaining", verdict.remaining),
                (b"Reset", math.ceil(verdict.reset)),
            )
        )
        if verdict.wait:
            self.counts["refusals"] += 1
            wait = math.ceil(verdict.wait)
            said = {"success": False, "error": "Rate limit exceeded (read)", "code": "RATE_LIMITED"}
            return (
                429,
                to_json({**said, "meta": {"retryAfterSec": wait}}),
                headers + b"Retry-After: %d\r\n" % wait,
            )
        status, body = self._call(parts.path, query)
        return status, body, headers

    def _call(self, path: str, query: dict[str, str]) -> tuple[int, bytes]:
        if path == "/v1/images":
            return 200, self.library.page(query, self.total)
        if path == "/v1/auth/verify":
            user = {
                "valid": True,
                "userId": "u_bench_0000000000000",
                "plan": "pro",
                "authType": "apiKey",
            }
            return 200, to_json({"success": True, "data": user})
        if path == "/v1/sync/state" and self.library.shape == "current":
            return 200, self.library.changes(query)
        row = self.library.rows.get(path.removeprefix("/v1/images/"))
        if row is not None:
            return 200, b'{"success":true,"data":%s}' % row
        return 404, to_json({"success": False, "error": "Not found", "code": "NOT_FOUND"})


class Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as the clients measured here use: requests without a body, one after another."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            latency = 0.0 if head.startswith(b"GET /bench") else self._service.latency
            asyncio.get_running_loop().call_later(latency, self._answer, head)

    def _answer(self, head: bytes) -> None:
        status, body, headers = self._service.answer(head.split(b" ", 2)[1].decode())
        date = email.utils.formatdate(usegmt=True).encode()
        self._transport.write(
            b"HTTP/1.1 %d \r\nDate: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"
            % (status, date, len(body), headers, body)
        )
        if b"connection: close" in head.lower():
            self._transport.close()


async def main() -> None:
    """Print the address as one line, then serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--skew", type=float, default=0.0, help="the part uploaded within one week")
    parser.add_argument("--shape", choices=("current", "seed"), default="current")
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    service = Service(Library(args.images, args.skew, args.shape))
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(service), "127.0.0.1", args.port
    )
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
