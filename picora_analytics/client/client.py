"""The reading client: what a notebook may hold, for nothing in it can change the library."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote, unquote

import msgspec

from picora_analytics.client.answers import Answer, GatewayError
from picora_analytics.client.bodies import decode_object
from picora_analytics.client.connection import AHEAD, Connection
from picora_analytics.client.keys import Secret, read_base_url, redacted
from picora_analytics.client.masking import mask
from picora_analytics.client.shapes import (
    ImageRecord,
    Page,
    decode_image,
    decode_page,
)
from picora_analytics.errors import ResponseFormatError, StatusError

__all__ = ["Client", "Credentials", "Usage", "check_client", "connection_of", "image_path"]

MAX_PAGE_SIZE = 100  # [seed]: at most 100 a page, 20 when not said.


class _Closable(Protocol):
    def stop(self) -> None: ...


class Credentials(msgspec.Struct, frozen=True):
    """
    Whose key it is.

    Attributes
    ----------
    user_id : str
    plan : str or None
        ``none``, ``trial``, ``pro`` or ``pro_plus``.
    auth_type : str or None
        ``apiKey`` or ``jwt``.
    """

    user_id: str
    plan: str | None = None
    auth_type: str | None = None


class Usage(msgspec.Struct, frozen=True):
    """
    What the service itself counts.

    Attributes
    ----------
    n_images, size_bytes, quota_bytes : int or None
        Images, bytes stored by images, and the plan's image storage in bytes; None where it does not say.
    plan : str or None
    """

    n_images: int | None = None
    size_bytes: int | None = None
    quota_bytes: int | None = None
    plan: str | None = None


class Client:
    """
    A connection to Picora that only reads.

    Requests are paced below Picora's documented limits and repeated on passing faults. The key goes to
    this one host, is never shown, and redirects are not followed.

    Parameters
    ----------
    api_key : str, optional
        Default: the environment's ``PICORA_API_KEY``.
    base_url : str, optional
        Default: the environment's ``PICORA_BASE_URL``, else ``https://api.picora.com``. A trailing slash,
        ``/v1`` or ``/v1/images`` is tolerated.
    timeout : float
        Seconds for one answer to arrive whole.
    max_wait : float
        Seconds to wait at most for one call, pauses asked by the server included.

    Raises
    ------
    AuthenticationError
        If there is no key, or it cannot be one.
    ValueError
        If the base URL is not one.

    Examples
    --------
    >>> with pic.DemoServer(n_images=3) as demo, pic.Client(demo.api_key, demo.url) as client:
    ...     sum(len(page.images) for page in client.iter_pages())
    3
    """

    def __init__(
        self,
        api_key: str | Secret | None = None,
        base_url: str | None = None,
        *,
        timeout: float = 30.0,
        max_wait: float = 900.0,
    ) -> None:
        # From here on no variable of a frame that a traceback may show holds the key.
        secret = Secret.read(api_key)
        del api_key
        base_url, timeout, max_wait = map(redacted, (base_url, timeout, max_wait))
        secret.check()
        for name, seconds in (("timeout", timeout), ("max_wait", max_wait)):
            if (
                not isinstance(seconds, int | float)
                or isinstance(seconds, bool)
                or not 0 < seconds < 1e9
            ):
                raise ValueError(f"{name}={seconds!r} is not a number of seconds above 0.")
        url = read_base_url(
            redacted(os.environ.get("PICORA_BASE_URL") or None) if base_url is None else base_url
        )
        self._connection = Connection(secret, url, timeout=timeout, max_wait=max_wait)
        self._account: str | None = None
        self._server: _Closable | None = None

    def __repr__(self) -> str:
        if not hasattr(self, "_connection"):  # A traceback may show one that could not be made.
            return "Client(…)"
        return f"Client(base_url={self.base_url!r}{', demo' if self.demo else ''})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections, and the demo service if :func:`connect` started one."""
        self._connection.close()
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def base_url(self) -> str:
        """Where requests go, without ``/v1``."""
        return self._connection.base_url

    @property
    def demo(self) -> bool:
        """Whether the demo service on this machine answered; known from the first answer on."""
        return self._connection.demo

    @property
    def server_time(self) -> dt.datetime | None:
        """The service's own time as its last answer had it, UTC; None before one."""
        return self._connection.server_time

    @property
    def wrong_clock(self) -> tuple[dt.datetime, dt.datetime] | None:
        """The service's time and this machine's at its last answer, where they differ by over a day; else None."""
        service, own = self._connection.server_time, self._connection.heard_at
        if service is None or own is None or self.demo:  # The demo's clock stands still.
            return None
        return (service, own) if abs(service - own) > AHEAD else None

    @property
    def demo_session(self) -> str:
        """Which run of the demo service answered; empty for Picora itself."""
        return self._connection.demo_session

    @contextlib.contextmanager
    def reporting(self, show: Callable[[str], None]) -> Iterator[None]:
        """Call `show` with a sentence before each wait of over 2 seconds, while the block runs."""
        self._connection.waits.listeners.append(show)
        try:
            yield
        finally:
            self._connection.waits.listeners.remove(show)

    def iter_pages(
        self, *, tag: str | None = None, cursor: str | None = None, page_size: int = MAX_PAGE_SIZE
    ) -> Iterator[Page]:
        """
        Read the listing page by page, newest upload first.

        Most people want :func:`load_images`, which also checks that nothing is missing.

        Parameters
        ----------
        tag : str, optional
            Only images having exactly this tag.
        cursor : str, optional
            Go on from a page's ``next_cursor`` under the same tag.
        page_size : int
            1 to 100 (Images API page).

        Yields
        ------
        Page

        Raises
        ------
        ResponseFormatError
            If a page is not a listing; what came before was yielded.
        APIError
            If a page could not be read in the end.
        """
        if type(page_size) is not int or not 1 <= page_size <= MAX_PAGE_SIZE:
            raise ValueError(f"page_size={page_size!r} is not between 1 and {MAX_PAGE_SIZE}.")
        if not isinstance(tag, str | None):
            raise TypeError(f"tag must be the text of one tag, not {type(tag).__name__}.")
        if tag == "":
            raise ValueError("tag='' is no tag; leave it out for the whole library.")
        if re.search("[\ud800-\udfff]", tag or ""):
            raise ValueError(
                f"tag={tag!r} holds half a character; give the tag as Picora shows it."
            )
        return self._pages(tag, cursor, page_size)

    def _pages(self, tag: str | None, cursor: str | None, page_size: int) -> Iterator[Page]:
        seen = {cursor}
        while True:
            params: dict[str, Any] = {"limit": page_size}
            if tag is not None:
                params["tag"] = tag
            if cursor is not None:
                params["cursor"] = cursor
            page = self._connection.get("/v1/images", _page, params)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return
            if cursor in seen:
                raise ResponseFormatError(
                    f"GET /v1/images at {self._connection.host}: the listing turns in circles; it was left."
                )
            seen.add(cursor)

    def get_image(self, image_id: str) -> ImageRecord:
        """
        Read one image.

        The call is newer than the two oldest ones: on a server that does not know it, a 404 says
        nothing about the image.

        Parameters
        ----------
        image_id : str
            11 characters, case-sensitive.

        Raises
        ------
        NotFoundError
            If it is not in this library, or the server has no such call.
        """
        # Dots would climb the path.
        if not isinstance(image_id, str) or image_id in ("", ".", ".."):
            raise ValueError(f"image_id={image_id!r} is not the id of an image.")
        return self._image(image_id)

    def _image(self, image_id: str, stop: threading.Event | None = None) -> ImageRecord:
        """Read one image; `stop` ends every wait when set, with a `StoppedError`."""
        return self._connection.get(
            image_path(image_id),
            lambda answer: decode_image(answer.body, where=answer.where),
            stop=stop,
        )

    def verify(self) -> Credentials | None:
        """
        Ask whose key this is.

        Returns
        -------
        Credentials or None
            None where the server does not tell (the call is newer than the two oldest ones).

        Raises
        ------
        AuthenticationError
            If the key is refused.
        """
        data = self._optional("/v1/auth/verify", refused=(403, 404, 405, 422))
        user_id = data.get("userId") if data else None
        if data is None or not isinstance(user_id, str) or not user_id:
            return None
        return Credentials(user_id, _text(data.get("plan")), _text(data.get("authType")))

    def usage(self) -> Usage | None:
        """
        Ask what the service itself counts, for a cross-check.

        Returns
        -------
        Usage or None
            None where the server does not tell this key; some sources say only a dashboard session may ask.
        """
        data = self._optional("/v1/user/me/usage", refused=(401, 403, 404, 405, 422))
        if data is None:
            return None
        images, limits = _block(data, "images"), _block(data, "planLimits")
        return Usage(
            _count(images.get("totalCount")),
            _count(images.get("storageUsed")),
            _count(limits.get("imgStorageBytes")),
            _text(data.get("plan")),
        )

    def account(self) -> str:
        """
        Give a fingerprint of the account: the same for every key of it, and no way back to a key.

        Returns
        -------
        str
            16 hexadecimal digits: a keyed BLAKE2 over host and user id, over host and key only where the
            service has no ``verify``.
        """
        if self._account is None:
            credentials = self.verify()
            connection = self._connection
            user_id = credentials.user_id if credentials else None
            self._account = connection.secret.fingerprint(connection.host, user_id)
        return self._account

    def _optional(self, path: str, *, refused: tuple[int, ...]) -> dict[str, Any] | None:
        try:
            return self._connection.get(
                path, lambda answer: decode_object(answer.body, where=answer.where)
            )
        except StatusError as error:
            # Whoever says that there is no such route: a gateway's word on the key is not taken.
            missing = error.status_code in (404, 405)
            if error.status_code in refused and (missing or not isinstance(error, GatewayError)):
                return None
            raise


def check_client(client: Any, caller: str) -> None:
    """Raise TypeError for what is no client: perhaps the key itself, which is shown nowhere."""
    if not isinstance(client, Client):
        raise TypeError(
            f"{caller} needs a Client, which pic.connect() gives; client is of the type {type(client).__name__}."
        )


def connection_of(client: Client) -> Connection:
    """Give the connection of a client: for this package alone, since it can send more than reads."""
    return client._connection


def image_path(image_id: str) -> str:
    """
    Give the path of one image.

    Raises
    ------
    ResponseFormatError
        If the id would lead to another path: servers and proxies resolve dots, percent-encoded ones too.
    """
    plain = unquote(unquote(image_id))
    if {".", ".."}.intersection(re.split(r"[/\\]", plain)) or not image_id:
        raise ResponseFormatError(
            f"The id {mask(image_id, 40)!r} cannot stand in a path: it would lead to another one. Nothing was sent."
        )
    return f"/v1/images/{quote(image_id, safe='', errors='surrogatepass')}"


def _page(answer: Answer) -> Page:
    return decode_page(
        answer.body,
        server_time=answer.server_time,
        where=answer.where,
        more=answer.more,
        total=answer.total,
    )


def _block(data: dict[str, Any], name: str) -> dict[str, Any]:
    block = data.get(name)
    # Any block may be null (vendor's client).
    return block if isinstance(block, dict) else {}


def _count(value: Any) -> int | None:
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return whole if type(whole) is int and 0 <= whole < 2**63 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
