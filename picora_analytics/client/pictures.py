"""Pictures by address, fetched without the key: they live on hosts that must never see it."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Self

import httpx

from picora_analytics.client.addresses import is_inside, leads_inside
from picora_analytics.client.answers import ENCODINGS
from picora_analytics.client.bodies import decode_object
from picora_analytics.client.client import Client, connection_of, image_path
from picora_analytics.client.keys import LOOPBACK
from picora_analytics.client.masking import mask
from picora_analytics.client.proxies import open_transport, proxy_for
from picora_analytics.client.retrying import StoppedError, retry_after
from picora_analytics.client.transport import DeadlineTransport, ForbiddenAddressError
from picora_analytics.errors import ResponseFormatError, TransportError

__all__ = [
    "PictureError",
    "PictureWeb",
    "is_local",
    "picture_url",
    "picture_web",
    "sign",
    "stream_picture",
]


SIGNING = 120.0  # Seconds.


class PictureError(Exception):
    """
    A picture did not arrive; the message fits behind "not copied: ".

    Attributes
    ----------
    status : int or None
        The HTTP status, where the host answered.
    retry_after : float
        Seconds the host asks to wait; 0 where it says nothing.
    """

    def __init__(self, message: str, status: int | None = None, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after

    @property
    def passing(self) -> bool:
        """Whether asking again may help."""
        return self.status is None or self.status == 429 or self.status >= 500


def is_local(base_url: str) -> bool:
    """Tell whether a service runs on this machine, as the demo does."""
    return httpx.URL(base_url).host in LOOPBACK


def picture_url(text: str, *, local: bool) -> httpx.URL | None:
    """
    Parse the address of a picture; None for one that is never requested.

    Parameters
    ----------
    text : str
        As the service gave it.
    local : bool
        Whether the service itself runs on this machine; another's addresses must not lead here.

    Examples
    --------
    >>> picture_url("http://img.picora.com/a.png", local=False) is None
    True
    """
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, ValueError):  # idna raises ValueError for invalid Punycode.
        return None
    here = local and host in LOOPBACK
    if not host or url.userinfo or (leads_inside(url.raw_host.decode("ascii")) and not here):
        return None
    return url if url.scheme == "https" or (here and url.scheme == "http") else None


class PictureWeb:
    """
    Connections to the hosts of pictures. They know no key, and none leads to this machine or its network.

    Parameters
    ----------
    local : bool
        Whether the service itself runs on this machine, so that its own pictures may come from here.
    timeout : float
        Seconds that a host may be silent.
    """

    def __init__(self, *, local: bool, timeout: float) -> None:
        self._local, self._timeout = local, timeout
        self._ways: dict[tuple[str, str | None], DeadlineTransport] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        for way in self._ways.values():
            way.close()

    def ask(
        self, url: httpx.URL, *, deadline: float, stopped: Callable[[], bool]
    ) -> httpx.Response:
        """Ask for a picture; redirects are not followed. Close the response."""
        request = httpx.Request(
            "GET",
            url,
            # A picture compressed on the way has another length than its file.
            headers={
                "User-Agent": "picora-analytics",
                "Accept": "image/*",
                "Accept-Encoding": "identity",
            },
            extensions={
                "timeout": httpx.Timeout(self._timeout).as_dict(),
                "deadline": deadline,
                "stopped": stopped,
            },
        )
        response = self._way(url).handle_request(request)
        response.request = request
        return response

    def _way(self, url: httpx.URL) -> DeadlineTransport:
        proxy = None if self._local else proxy_for(url)
        with self._lock:
            way = (url.scheme, proxy)
            if way not in self._ways:
                # A proxy may be inside, and looks names up itself.
                allowed = self._allowed if proxy is None else _anything
                self._ways[way] = open_transport(url, proxy, allowed=allowed)
            return self._ways[way]

    def _allowed(self, host: str, address: str) -> bool:
        here = self._local and host in LOOPBACK and ip_address(address).is_loopback
        return here or not is_inside(address)


def _anything(host: str, address: str) -> bool:
    return True


def picture_web(*, local: bool, timeout: float) -> PictureWeb:
    """Give connections for pictures that know no key; close them after use."""
    return PictureWeb(local=local, timeout=timeout)


def stream_picture(
    web: PictureWeb,
    url: httpx.URL | str,
    take: Callable[[bytes], object],
    *,
    max_bytes: int,
    patience: float,
    stopped: Callable[[], bool] = lambda: False,
) -> int | None:
    """
    Ask for a picture once and hand its bytes on as they come.

    Parameters
    ----------
    web : PictureWeb
        Of :func:`picture_web`.
    url : httpx.URL or str
    take : callable
        Given each piece.
    max_bytes : int
        More than this is cut off.
    patience : float
        Seconds for the whole of it, from the lookup of the host's name to the last byte.
    stopped : callable
        Asked at each piece, and while nothing comes.

    Returns
    -------
    int or None
        The length that the host promised, in bytes.

    Raises
    ------
    PictureError
        For anything but a whole answer with the status 200. What came before it was handed on.
    """
    until, size = time.monotonic() + patience, 0
    try:
        with contextlib.closing(web.ask(httpx.URL(url), deadline=until, stopped=stopped)) as answer:
            _refuse(answer)
            for piece in answer.iter_raw():
                size += len(piece)
                if size > max_bytes:
                    raise PictureError(f"more than {max_bytes:,} bytes came", 200)
                if stopped():
                    raise StoppedError
                take(piece)
    except StoppedError:
        raise PictureError("stopped", 200) from None
    except ForbiddenAddressError as error:
        raise PictureError(f"it is not asked: {error}", 200) from None
    except httpx.HTTPError as error:
        if time.monotonic() >= until:
            raise PictureError(f"it was not there within {patience:g} seconds") from None
        detail = mask(str(error), 200)
        raise PictureError(f"no whole answer ({type(error).__name__}: {detail})") from None
    except TransportError as error:  # The environment's proxy or certificates.
        raise PictureError(str(error)) from None
    promised = answer.headers.get("content-length", "")
    return int(promised) if re.fullmatch("[0-9]{1,18}", promised) else None


def _refuse(answer: httpx.Response) -> None:
    """Let nothing but a plain 200 through; 202 is the archive's placeholder (docs, archive tier)."""
    status, host = answer.status_code, answer.request.url.host
    if answer.is_redirect:
        raise PictureError(f"{host} answered {status}, a redirect, which was not followed", status)
    if status != 200:
        pause = retry_after(answer.headers) if "retry-after" in answer.headers else 0.0
        raise PictureError(f"{host} answered {status}", status, pause)
    told = answer.headers.get("content-encoding", "").lower()
    if any(layer.strip() in ENCODINGS for layer in told.split(",")):
        raise PictureError(
            f"{host} sent it compressed, though the file as it is was asked for", 200
        )


def sign(client: Client, image_id: str, stop: threading.Event | None = None) -> str:
    """
    Ask for an address that opens a private image for an hour; nothing in the library changes.

    `stop` ends every wait when set, with a :exc:`StoppedError`.

    Raises
    ------
    APIError
        If none was granted: the key lacks the scope (403), or the server has no such route (404, 405, 501).
    """
    answer = connection_of(client).send(
        "POST", f"{image_path(image_id)}/sign", tier="upload", timeout=SIGNING, stop=stop
    )
    url = decode_object(answer.body, where=answer.where).get("signedUrl")
    if not isinstance(url, str) or not url:
        raise ResponseFormatError(f"{answer.where} answered no signedUrl.")
    return url
