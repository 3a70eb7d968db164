"""The key and where it may go: read once, shown never, sent to one host."""

from __future__ import annotations

import os
import re
import urllib.request
from typing import NoReturn

import httpx

from picora_analytics.errors import AuthenticationError

__all__ = [
    "DEFAULT_URL",
    "LOOPBACK",
    "Secret",
    "mask",
    "proxy_for",
    "read_base_url",
    "strip_tracebacks",
]

DEFAULT_URL = "https://api.picora.com"  # The seed document's host.
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SECRETS = re.compile(r"sk_live_[\w-]*|Bearer\s+\S+", re.IGNORECASE)


class Secret:
    """A key that never shows itself."""

    def __init__(self, key: str) -> None:
        self.__key = key

    def __repr__(self) -> str:
        return "<key>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Picora key is not written to a file; make the Client anew from the key.")

    def reveal(self) -> str:
        """Give the key itself, for the one header it is for."""
        return self.__key

    @classmethod
    def read(cls, api_key: str | None) -> Secret:
        """
        Take the key given, else the environment's.

        Raises
        ------
        AuthenticationError
            If there is none, or it cannot be one. The message never shows it.
        """
        source = "api_key" if api_key is not None else "PICORA_API_KEY"
        key = os.environ.get("PICORA_API_KEY") if api_key is None else api_key
        if key is None:
            raise _no_key(
                "No API key: set PICORA_API_KEY, or try picora_analytics.connect(ask=True); "
                "without an account, picora_analytics.DemoServer() plays Picora on this machine."
            )
        if not isinstance(key, str):
            raise TypeError(f"api_key must be text, not {type(key).__name__}.")
        key = key.strip()
        if not key:
            raise _no_key(
                f"The API key in {source} is empty; give a key such as sk_live_ + 32 characters."
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise _no_key(
                f"The API key in {source} ({len(key)} characters) holds blanks, line breaks or "
                "characters no key has; copy it anew from Picora's dashboard."
            )
        return cls(key)


def _no_key(message: str) -> AuthenticationError:
    return AuthenticationError(message, status_code=401, code="UNAUTHORIZED")


def proxy_for(url: httpx.URL) -> str | None:
    """Give the proxy that the environment names for an address; one would break the demo on this machine."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or url.host in LOOPBACK or urllib.request.proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


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
    except (httpx.InvalidURL, ValueError):  # Punycode that is none is a ValueError of idna's.
        host = ""
    if (
        not host
        or re.search(r"[\s\x00-\x1f]", trimmed)
        or not 0 < (url.port or 443) < 65536
        or url.scheme not in ("http", "https")
        or url.userinfo
        or url.query
        or url.fragment
        or _SECRETS.search(trimmed)
    ):
        shown = _SECRETS.sub("<key>", text)
        if "@" in shown:  # What stands before it may be a password.
            shown = "…@" + shown.rpartition("@")[2]
        raise ValueError(
            f"base_url={shown!r} is not the address of an API; give for example {DEFAULT_URL!r}."
        )
    if url.scheme == "http" and host not in LOOPBACK:
        raise ValueError(
            f"base_url={trimmed!r} would send the key unencrypted; use https (http works on this "
            "machine only)."
        )
    return url


def mask(text: str) -> str:
    """Take anything that looks like a key, and what would move a terminal's cursor, out of a text."""
    return "".join(char if char.isprintable() else " " for char in _SECRETS.sub("<key>", text))


def strip_tracebacks(error: BaseException | None) -> None:
    """Drop the frames of the HTTP libraries: their locals hold the header with the key."""
    while error is not None:
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
