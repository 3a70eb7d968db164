"""Pictures by address, fetched without the key: they live on hosts that must never see it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import httpx

from picora_analytics.client.answers import retry_after
from picora_analytics.client.bodies import decode_object
from picora_analytics.client.client import Client, connection_of, image_path
from picora_analytics.client.keys import LOOPBACK, mask
from picora_analytics.errors import ResponseFormatError

__all__ = ["PictureError", "is_local", "picture_url", "picture_web", "sign", "stream_picture"]


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
    here = host in LOOPBACK
    if not host or url.userinfo or (here and not local):
        return None
    return url if url.scheme == "https" or (here and url.scheme == "http") else None


def picture_web(*, local: bool, timeout: float) -> httpx.Client:
    """Give a client for pictures that knows no key; close it after use."""
    return httpx.Client(
        timeout=timeout,
        follow_redirects=False,
        trust_env=not local,
        # A picture compressed on the way has another length than its file.
        headers={"User-Agent": "picora-analytics", "Accept-Encoding": "identity"},
    )


def stream_picture(
    web: httpx.Client,
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
    web : httpx.Client
        Of :func:`picture_web`.
    url : httpx.URL or str
    take : callable
        Given each piece.
    max_bytes : int
        More than this is cut off.
    patience : float
        Seconds for the whole of it: a slow drip never meets a read timeout.
    stopped : callable
        Asked at each piece.

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
        with web.stream("GET", url, headers={"Accept": "image/*"}) as answer:
            _refuse(answer)
            for piece in answer.iter_raw():
                size += len(piece)
                if size > max_bytes:
                    raise PictureError(f"more than {max_bytes:,} bytes came", 200)
                if time.monotonic() > until:
                    raise PictureError(f"it was not there within {patience:g} seconds")
                if stopped():
                    raise PictureError("stopped", 200)
                take(piece)
    except httpx.HTTPError as error:
        detail = mask(str(error))[:200]
        raise PictureError(f"no whole answer ({type(error).__name__}: {detail})") from None
    promised = answer.headers.get("content-length", "")
    return int(promised) if promised.isascii() and promised.isdigit() else None


def _refuse(answer: httpx.Response) -> None:
    """Let nothing but a plain 200 through; 202 is the archive's placeholder (docs, archive tier)."""
    status, host = answer.status_code, answer.request.url.host
    if answer.is_redirect:
        raise PictureError(f"{host} answered {status}, a redirect, which was not followed", status)
    if status != 200:
        pause = retry_after(answer.headers) if "retry-after" in answer.headers else 0.0
        raise PictureError(f"{host} answered {status}", status, pause)
    if answer.headers.get("content-encoding", "identity") != "identity":
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
