from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from picora_analytics.demo import DemoServer


class Caller(httpx.Client):
    """An HTTP client that carries the demo's key, and nothing of ours."""

    def __init__(self, server: DemoServer, **options: Any) -> None:
        headers = {"Authorization": f"Bearer {server.api_key}"}
        super().__init__(
            base_url=server.url,
            headers=headers,
            timeout=60,
            verify=False,
            trust_env=False,
            **options,
        )

    def list_ids(self, **query: Any) -> list[str]:
        """Ids of all pages, in order."""
        ids: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = self.get("/v1/images", params={"limit": 100, **query, "cursor": cursor})
            assert answer.status_code == 200, answer.text
            data = answer.json()["data"]
            ids += [record["id"] for record in data.get("images", data.get("items"))]
            cursor = data["nextCursor"]
        return ids

    def delete_json(self, path: str, body: Any) -> httpx.Response:
        return self.request("DELETE", path, json=body)


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[DemoServer, Caller]]]:
    with ExitStack() as stack:

        def start(n_images: int = 30, **options: Any) -> tuple[DemoServer, Caller]:
            options.setdefault("rate_scale", None)
            server = stack.enter_context(DemoServer(n_images, **options))
            return server, stack.enter_context(Caller(server))

        yield start
