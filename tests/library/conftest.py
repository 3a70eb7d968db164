"""A demo with a client that gives up quickly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from picora_analytics import Client, DemoServer


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[DemoServer, Client]]]:
    """Give what starts a demo without limits, and a client of it."""
    with ExitStack() as stack:

        def start(
            n_images: int = 3, *, max_wait: float = 5.0, **options: Any
        ) -> tuple[DemoServer, Client]:
            options.setdefault("rate_scale", None)
            server = stack.enter_context(DemoServer(n_images, **options))
            client = Client(server.api_key, server.url, max_wait=max_wait)
            return server, stack.enter_context(client)

        yield start
