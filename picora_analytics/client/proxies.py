"""The way out of this machine as its environment has it: proxies and certificates, refused by name where broken."""

from __future__ import annotations

import importlib.util
import os
import re
import ssl
import urllib.request
from typing import Any

import httpx

from picora_analytics.client.keys import LOOPBACK
from picora_analytics.client.transport import DeadlineTransport
from picora_analytics.errors import TransportError

__all__ = ["certificate_settings", "open_transport", "proxy_for"]

SCHEMES = ("http", "https", "socks5", "socks5h")
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def proxy_for(url: httpx.URL) -> str | None:
    """
    Return the proxy that the environment names for an address; this machine's own are reached without.

    Raises
    ------
    TransportError
        If it cannot be used. The message names the variable, never its value, which may hold a password.
    """
    problem = _problem(_address(url) or "")
    if problem:  # No variable of this function holds the value.
        raise TransportError(
            f"The proxy in {_variable(url)} cannot be used: {problem}. Mend it or unset it, or name "
            f"{url.host} in no_proxy to do without."
        )
    return _address(url)


def open_transport(url: httpx.URL, proxy: str | None, **options: Any) -> DeadlineTransport:
    """
    Open a pool of connections for an address.

    Raises
    ------
    TransportError
        If the environment's proxy or certificates cannot be used.
    """
    broken = ""
    try:
        if url.scheme == "http" and url.host in LOOPBACK:
            # No certificate is asked for there, and reading all that a machine trusts takes a while.
            options["verify"] = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return DeadlineTransport(trust_env=url.host not in LOOPBACK, proxy=proxy, **options)
    except OSError:
        broken = f"{certificate_settings() or 'Python'} names no certificates that can be read"
    except (httpx.InvalidURL, ValueError, ImportError):
        broken = f"the proxy in {_variable(url)} cannot be used"
    # Raised here, without the cause and its frames: they hold the proxy and its password.
    raise TransportError(f"No connection to {url.host}: {broken}. Mend it or unset it.")


def certificate_settings() -> str:
    """Name the variable that replaces the usual certificates; empty where none does."""
    return next((name for name in CERTIFICATES if os.environ.get(name)), "")


def _address(url: httpx.URL) -> str | None:
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or url.host in LOOPBACK or urllib.request.proxy_bypass(url.host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _variable(url: httpx.URL) -> str:
    """Name the variable that holds the proxy for an address."""
    for wanted in (f"{url.scheme}_proxy", "all_proxy"):
        for name in (wanted, wanted.upper()):
            if os.environ.get(name):
                return name
    found = (name for name in os.environ if name.lower() in (f"{url.scheme}_proxy", "all_proxy"))
    return next(found, "this system's network settings")


def _problem(address: str) -> str:
    """Say what is wrong with a proxy's address, without a part of it."""
    scheme, _, rest = address.partition("://")
    if not address:
        return ""
    if scheme.lower() not in SCHEMES:
        return "its kind is none of " + ", ".join(f"{name}://" for name in SCHEMES)
    if re.search(r"[#?\s\\]|/.", rest):
        return "a character such as # ? / in its password must be percent-encoded (# is %23)"
    try:
        url = httpx.URL(address)
        host, port = url.host, url.port
    except (httpx.InvalidURL, ValueError):  # idna raises ValueError for invalid Punycode.
        return "it is no address of the form http://host:port"
    if not host or "%" in host or (port is not None and not 0 < port < 65536):
        return "it is no address of the form http://host:port"
    if scheme.lower().startswith("socks") and importlib.util.find_spec("socksio") is None:
        return "SOCKS needs one more package, so run: pip install socksio"
    return ""
