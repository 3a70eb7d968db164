"""Do the new addresses of images answer? Each is asked for its first bytes, without the key."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx

from picora_analytics.client.keys import LOOPBACK
from picora_analytics.client.pictures import (
    PictureError,
    PictureWeb,
    picture_url,
    picture_web,
    stream_picture,
)

__all__ = ["silent_addresses"]

TIMEOUT = 10.0  # Seconds that a host may be silent.
PATIENCE = 30.0  # Seconds for one address.
ALL = 900.0  # Seconds for all of them.
WORKERS = 6


class _EnoughError(Exception):
    """The first bytes came."""


def silent_addresses(addresses: Iterable[str], typed: Iterable[str]) -> dict[str, str]:
    """
    Tell which addresses do not answer 200, and why.

    Parameters
    ----------
    addresses : iterable of str
    typed : iterable of str
        Addresses that the person gave: only their hosts may be this machine, never what a file names.
    """
    here = {_place(address) for address in typed}
    until = time.monotonic() + ALL
    wanted = sorted(set(addresses))
    with (
        picture_web(local=True, timeout=TIMEOUT) as own,
        picture_web(local=False, timeout=TIMEOUT) as web,
        ThreadPoolExecutor(WORKERS) as pool,
    ):

        def ask(address: str) -> str:
            local = _place(address) in here and _place(address)[0] in LOOPBACK
            return _ask(own if local else web, address, local, until)

        return {
            address: why for address, why in zip(wanted, pool.map(ask, wanted), strict=True) if why
        }


def _place(address: str) -> tuple[str, int | None]:
    try:
        url = httpx.URL(address)
        return url.host, url.port
    except (httpx.InvalidURL, ValueError):
        return "", None


def _ask(web: PictureWeb, address: str, local: bool, until: float) -> str:
    """Ask once, and once more where that may help; empty if it answers."""
    # Pages of old say http where the host has long had https.
    url = picture_url(address if local else address.replace("http://", "https://", 1), local=local)
    if url is None:
        return "it is not asked: it is no public https address"
    why = ""
    for _ in range(2):
        patience = min(PATIENCE, until - time.monotonic())
        if patience <= 0:
            return why or f"not asked: all took more than {ALL:g} seconds"
        try:
            stream_picture(web, url, _enough, max_bytes=1 << 40, patience=patience)
        except _EnoughError:
            return ""
        except PictureError as error:
            why = str(error)
            if not error.passing:
                break
        else:
            return ""
    return why


def _enough(piece: bytes) -> None:
    raise _EnoughError
