"""`connect`: a key from the argument, the environment or a prompt; in a notebook without one, the demo."""

from __future__ import annotations

import atexit
import getpass
import os

from picora_analytics.client.client import Client
from picora_analytics.client.keys import Secret, redacted
from picora_analytics.progress import is_interactive, is_set, notice

__all__ = ["connect"]


def connect(
    api_key: str | None = None, *, base_url: str | None = None, ask: bool = False
) -> Client:
    """
    Connect to Picora, for reading.

    Without a key, where someone can type (a prompt, a notebook, marimo), this starts the demo on this machine and
    says so; ``PICORA_DEMO=1`` asks for it anywhere. In scripts, under papermill, nbconvert and where ``CI`` is set it
    is an error, and so is a key or a base URL that is empty or incomplete: a report on invented pictures must not
    pass for one's own.

    Parameters
    ----------
    api_key : str, optional
        Default: the environment's ``PICORA_API_KEY``. Better not typed into a cell: notebooks get shared.
    base_url : str, optional
        Default: the environment's ``PICORA_BASE_URL``, else ``https://api.picora.com``.
    ask : bool
        Prompt for the key, without echo, if none is set.

    Returns
    -------
    Client

    Raises
    ------
    AuthenticationError
        If there is no key and no one to show a demo to, or the key cannot be one.
    """
    no_key = api_key is None and "PICORA_API_KEY" not in os.environ
    # No variable of a frame that a traceback may show holds the key.
    secret = Secret.read(getpass.getpass("Picora API key: ") if no_key and ask else api_key)
    del api_key
    base_url = redacted(base_url)
    no_address = base_url is None and not os.environ.get("PICORA_BASE_URL")
    if no_key and not ask and no_address and (is_set("PICORA_DEMO") or is_interactive()):
        return demo_client()
    return Client(secret, base_url)


def demo_client() -> Client:
    """Start the demo and connect to it; it ends with the client, or with Python."""
    from picora_analytics.demo import DemoServer  # Late: a web server and Pillow.

    server = DemoServer()
    server.start()
    client = Client(server.api_key, server.url)
    client._server = server
    atexit.register(client.close)
    notice(
        "DEMO: no PICORA_API_KEY is set, so this is an invented library on this machine; nothing "
        "leaves it. For your own: set PICORA_API_KEY and start again, or pic.connect(ask=True)."
    )
    return client
