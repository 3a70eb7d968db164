"""The key and where it may go: read once, shown never, sent to one host."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from typing import Any, NoReturn

import httpx

from picora_analytics.client.masking import SHOWN, hider, mask, scrubber, watch
from picora_analytics.errors import AuthenticationError

__all__ = ["DEFAULT_URL", "LOOPBACK", "Secret", "read_base_url", "redacted", "strip_tracebacks"]

DEFAULT_URL = "https://api.picora.com"  # The seed document's host.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# No address and no number looks like this; a key in the wrong place may.
_OPAQUE = re.compile(r"[\w~+=-]{16,}")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


class Secret:
    """
    A key that never shows itself: closures hold it, so that neither repr nor attributes do.

    Attributes
    ----------
    reveal : callable
        Gives the key itself, for the one header it is for.
    hide : callable
        Takes the key out of a text.
    scrub : callable
        Takes the key out of a body.
    """

    __slots__ = ("__weakref__", "_problem", "hide", "reveal", "scrub")

    def __init__(self, key: str, problem: Exception | None = None) -> None:
        self.reveal: Callable[[], str] = lambda: key
        self.hide, self.scrub = hider(key), scrubber(key)
        self._problem = problem
        if not _ADDRESS.match(
            key
        ):  # Who typed the two in the wrong order still wants to read the host's name.
            watch(self)

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Picora key is not written to a file; make the Client anew from the key.")

    @classmethod
    def read(cls, api_key: str | Secret | None) -> Secret:
        """Take the key given, else the environment's. Never raises: its callers' variables hold the key."""
        if isinstance(api_key, Secret):
            return api_key
        source = "PICORA_API_KEY" if api_key is None else "api_key"
        key = os.environ.get(source) if api_key is None else api_key
        return cls(key.strip() if isinstance(key, str) else "", _problem(key, source))

    def check(self) -> None:
        """
        Refuse what cannot be a key. Call this where no variable holds the key any more.

        Raises
        ------
        AuthenticationError, TypeError
        """
        if self._problem is not None:
            raise self._problem

    def fingerprint(self, host: str, user_id: str | None) -> str:
        """Hash host and user id, or host and key where the service names no user; no way back to the key."""
        if user_id is None:
            secret, subject = self.reveal().encode(), "key"
        else:
            secret, subject = b"picora_analytics account", user_id
        # BLAKE2 takes keys of up to 64 bytes; access tokens are longer.
        key = secret if len(secret) <= 64 else hashlib.blake2b(secret).digest()
        message = f"{host}\n{subject}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(message, key=key, digest_size=8).hexdigest()


def _problem(key: object, source: str) -> Exception | None:
    if key is None:
        text = (
            "No API key: set PICORA_API_KEY, or try picora_analytics.connect(ask=True); "
            "without an account, picora_analytics.DemoServer() plays Picora on this machine."
        )
    elif not isinstance(key, str):
        return TypeError(f"api_key must be text, not {type(key).__name__}.")
    elif not (key := key.strip()):
        text = f"The API key in {source} is empty; give a key such as sk_live_ + 32 characters."
    elif _ADDRESS.match(key):
        text = (
            f"The API key in {source} is an address; give the key first: Client(api_key, base_url)."
        )
    elif not key.isascii() or not key.isprintable() or " " in key:
        text = (
            f"The API key in {source} ({len(key)} characters) holds blanks, line breaks or "
            "characters no key has; copy it anew from Picora's dashboard."
        )
    else:
        return None
    return AuthenticationError(text, status_code=401, code="UNAUTHORIZED")


def redacted(value: Any) -> Any:
    """Give an argument that is no key, or a text that shows that one stood in its place; never raises."""
    if value is None or isinstance(value, int | float):
        return value
    if not isinstance(value, str):
        return SHOWN if _OPAQUE.search(repr(value)) else value
    shown = SHOWN if _OPAQUE.fullmatch(value.strip()) else mask(value, None)
    return shown if SHOWN in shown else value


def read_base_url(base_url: str | None) -> httpx.URL:
    """
    Read a base URL, with or without a trailing slash, `/v1` or `/v1/images`.

    Raises
    ------
    ValueError
        If it is not an https URL (http only on this machine), or holds more than a host and path.
    """
    text = DEFAULT_URL if base_url is None else base_url
    if not isinstance(text, str):
        raise TypeError(f"base_url must be text, not {type(text).__name__}.")
    trimmed = re.sub(r"/+(v1(/images)?/*)?$", "", text.strip())
    try:
        url = httpx.URL(trimmed)
        host = url.host
    except (httpx.InvalidURL, ValueError):  # idna raises ValueError for invalid Punycode.
        host = ""
    if (
        not host
        or re.search(r"[\s\x00-\x1f]", trimmed)
        or not 0 < (url.port or 443) < 65536
        or url.scheme not in ("http", "https")
        or url.userinfo
        or url.query
        or url.fragment
        or SHOWN in mask(trimmed)
    ):
        shown = mask(text, 200)
        if "@" in shown:  # What stands before it may be a password.
            shown = "…@" + shown.rpartition("@")[2]
        raise ValueError(
            f"base_url={shown!r} is not the address of an API; give for example {DEFAULT_URL!r}."
        )
    if url.scheme == "http" and host not in LOOPBACK:
        raise ValueError(
            f"base_url={mask(trimmed, 200)!r} would send the key unencrypted; use https (http works on this "
            "machine only)."
        )
    return url


def strip_tracebacks(error: BaseException | None) -> None:
    """Drop the frames of the HTTP libraries: their locals hold the header with the key."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
