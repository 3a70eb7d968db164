"""A Picora to play with: two ports on 127.0.0.1, served from a thread of this process."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from itertools import count
from types import TracebackType
from typing import Any, Literal

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from picora_analytics.demo import pictures
from picora_analytics.demo.answers import Problem
from picora_analytics.demo.cdn import PictureService
from picora_analytics.demo.faults import Body, Fault, FaultList
from picora_analytics.demo.image import DemoImage, moment_of
from picora_analytics.demo.library import make_library
from picora_analytics.demo.limits import RateLimits
from picora_analytics.demo.routing import Account, Call, Shape
from picora_analytics.demo.service import Service
from picora_analytics.demo.serving import Ports, hang_up
from picora_analytics.demo.site import DemoSite, write_site
from picora_analytics.demo.state import Deletion, LibraryState, quota_for

SCOPES = ("images:read", "images:write", "images:delete", "usage:read")
# The right form (docs: "sk_live_" + 32 characters), and plainly nobody's key.
DEMO_KEY = "sk_live_demo" + "0PicoraAnalytics0NoSecret000"
DEMO_USER = "demo-user-0123456789_"


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """
    One request the demo service received.

    ``status`` is 0 where the connection was dropped without an answer; ``ids`` are the
    images the call really deleted, and ``body`` is what a DELETE asked for, done or not;
    ``received_at`` is :func:`time.monotonic`.
    """

    method: str
    path: str
    query: Mapping[str, str]
    status: int
    received_at: float
    authorized: bool
    tier: str | None
    ids: tuple[str, ...]
    port: Literal["api", "pictures"]
    body: bytes = b""


class DemoServer:
    """
    A demo of the Picora API on 127.0.0.1, with an invented library.

    Its clock stands still at 2026-11-23 14:00 UTC: the ``Date`` header says so, and ages
    must be counted from it. It speaks plain HTTP and accepts one made-up key.

    Parameters
    ----------
    n_images : int
        Size of the library; 0 is an empty one.
    seed : int
        Another seed, another library. The same seed gives the same library for ever.
    shape : {"current", "seed"}
        Which of Picora's two documented answer shapes to speak.
    seed_only : bool
        Know only the two oldest calls, list (``cursor``, ``limit``, ``tag``) and single
        delete, and answer every other route like a missing image. Implies ``shape="seed"``.
    port, pictures_port : int
        0 picks free ports. A busy port is an :exc:`OSError`.
    rate_scale : float or None
        The documented limits times this (10 is an admin account); ``None`` or 0 for none.
    latency : float
        Seconds each API answer is delayed.
    api_key, user_id : str
        The account.
    scopes : collection of str
        What the key may do: ``images:read``, ``images:write``, ``images:delete``, ``usage:read``.
    total : bool
        Whether list answers in the seed's shape tell the ``total``.
    service_time_zone : float
        Hours east of UTC of the days that ``start_date`` and ``end_date`` mean.
    quota_bytes : int, optional
        Storage quota; by default the smallest of 1.5, 5, 50 and 500 GiB that holds the library.

    Examples
    --------
    >>> with DemoServer(n_images=3) as server:
    ...     len(server.images)
    3
    """

    def __init__(
        self,
        n_images: int = 1200,
        *,
        seed: int = 7,
        shape: Shape = "current",
        seed_only: bool = False,
        port: int = 0,
        pictures_port: int = 0,
        rate_scale: float | None = 1.0,
        latency: float = 0.0,
        api_key: str = DEMO_KEY,
        user_id: str = DEMO_USER,
        scopes: Collection[str] = SCOPES,
        total: bool = True,
        service_time_zone: float = 0.0,
        quota_bytes: int | None = None,
    ) -> None:
        if shape not in ("current", "seed"):
            raise ValueError(f"shape must be 'current' or 'seed', not {shape!r}")
        if n_images < 0:
            raise ValueError(f"n_images must not be negative, but is {n_images}")
        self.n_images, self.seed, self.latency = n_images, seed, latency
        self.api_key = api_key
        self._invented = n_images
        self._state = LibraryState(make_library(n_images, seed))
        self._account = Account(
            api_key=api_key,
            scopes=frozenset(scopes),
            user_id=user_id,
            shape="seed" if seed_only else shape,
            seed_only=seed_only,
            total=total,
            time_zone=dt.timedelta(hours=service_time_zone),
            quota_bytes=quota_bytes or quota_for(self._state.size_bytes),
        )
        limits = RateLimits(rate_scale) if rate_scale else None
        self._service = Service(self._state, self._account, limits)
        self._faults = FaultList()
        self._requests: list[SeenRequest] = []
        self._request_numbers = count(1)
        # A library of its own each time: what is remembered of one must not be taken for another.
        self._session = secrets.token_hex(4)
        self._pictures = PictureService(self._service)
        self._urls: tuple[str, str] | None = None
        self._ports = Ports((self._serve_api, self._serve_picture), (port, pictures_port))

    def __repr__(self) -> str:
        where, n = self._urls[0] if self._urls else "not started", len(self._state.images)
        return f"<DemoServer {where}, {n} image{'' if n == 1 else 's'}>"

    @property
    def url(self) -> str:
        """Address of the API, for example ``http://127.0.0.1:8080``."""
        return self._addresses()[0]

    @property
    def pictures_url(self) -> str:
        """Address the pictures are served from."""
        return self._addresses()[1]

    def _addresses(self) -> tuple[str, str]:
        if self._urls is None:
            raise RuntimeError("the demo server has no address yet: call start() or use `with`")
        return self._urls

    def __enter__(self) -> DemoServer:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> DemoServer:
        """Serve from a daemon thread; returns when both ports answer."""
        if self._ports.running:
            raise RuntimeError("the demo server runs already")
        api, pictures = self._ports.start()
        self._urls = (api, pictures)
        self._account.pictures_url = pictures
        return self

    def stop(self) -> None:
        """Close both ports and all connections; does nothing when stopped already."""
        self._ports.stop()

    async def _serve_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._handle("api", Request(scope, receive), send)

    async def _serve_picture(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._handle("pictures", Request(scope, receive), send)

    async def _handle(self, port: Literal["api", "pictures"], request: Request, send: Send) -> None:
        """Answer one request, with the fault scripted for it."""
        received_at = time.monotonic()
        call = Call()
        try:
            asked = await request.body() if request.method == "DELETE" else b""
            fault = self._faults.take(request.method, request.url.path)
            pause = (fault.delay if fault else 0.0) + (self.latency if port == "api" else 0.0)
            if pause:
                await asyncio.sleep(pause)
            if fault is not None and fault.meanwhile is not None:
                await asyncio.to_thread(fault.meanwhile)
            if fault is None or fault.needs_answer:
                service = self._service if port == "api" else self._pictures
                response = await service.answer(request, call)
            else:
                await request.body()
                response = Response()
            status, body = response.status_code, bytes(response.body)
            headers = dict(response.headers)
            if fault is not None:
                status, body = fault.bend(status, body, headers)
            dropped = fault is not None and fault.drop
            seen = SeenRequest(
                method=request.method,
                path=request.url.path,
                query=dict(request.query_params),
                status=0 if dropped else status,
                received_at=received_at,
                authorized=call.authorized,
                tier=call.tier,
                ids=call.ids,
                port=port,
                body=asked,
            )
            self._requests.append(seen)  # before the answer: a client that has it finds the line
            if dropped:
                await hang_up(request)
                return
            await send(self._start(status, headers, len(body)))
            cut = fault.cut if fault is not None else None
            more = cut is not None
            await send({"type": "http.response.body", "body": body[:cut], "more_body": more})
            if more:
                await hang_up(request)
        except (asyncio.CancelledError, ClientDisconnect):
            pass  # the server stops, or the client went away

    def _start(self, status: int, headers: dict[str, str], length: int) -> Message:
        headers.pop("content-length", None)
        own = {
            "date": format_datetime(moment_of(self._state.now), usegmt=True),
            "server": f"picora-demo/{self._session}",
            "x-request-id": f"demo-{next(self._request_numbers):08}",
        }
        if status not in (204, 304):
            own["content-length"] = str(length)
        raw = [(name.encode(), value.encode("latin-1")) for name, value in (own | headers).items()]
        return {"type": "http.response.start", "status": status, "headers": raw}

    @property
    def now(self) -> dt.datetime:
        """The demo's clock."""
        return moment_of(self._state.now)

    def advance(self, seconds: float) -> None:
        """Move the demo's clock forward, for example past the expiry of a signed URL."""
        if seconds < 0:
            raise ValueError("the demo's clock only moves forward")
        with self._state.lock:
            self._state.now += round(seconds * 1000)

    @property
    def images(self) -> dict[str, DemoImage]:
        """The library as it is now, by id (a copy)."""
        with self._state.lock:
            return dict(self._state.images)

    @property
    def deleted(self) -> list[Deletion]:
        """What was deleted, in order, by the API or by the other user."""
        with self._state.lock:
            return list(self._state.deleted)

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request received so far, in the order of the answers."""
        return list(self._requests)

    @property
    def quota_bytes(self) -> int:
        """The account's storage quota."""
        return self._account.quota_bytes

    def edit(self, image_id: str, **changes: Any) -> DemoImage:
        """
        Change an image as another user would: not through HTTP, not in the log.

        Parameters
        ----------
        image_id : str
        **changes
            Fields of the image, usually ``tags``, ``title`` or ``is_public``. The update
            time moves unless ``updated_at`` is given.
        """
        if "tags" in changes:
            changes["tags"] = tuple(changes["tags"])
        return self._state.edit(image_id, **changes)

    def remove(self, image_id: str) -> None:
        """Delete an image as another user would."""
        self._state.remove(image_id, by="other user")

    def upload(
        self,
        data: bytes,
        filename: str = "upload.png",
        *,
        tags: Collection[str] = (),
        is_public: bool = True,
    ) -> DemoImage:
        """Upload a file as another user would; the bytes of an image in the library give that."""
        try:
            return self._service.store(data, filename, tuple(tags), is_public)[0]
        except Problem as problem:
            raise ValueError(str(problem)) from None

    def add(self, n: int = 1, **fields: Any) -> list[DemoImage]:
        """
        Let another user upload ``n`` invented images now.

        Parameters
        ----------
        n : int
        **fields
            Fields every one of them shall have, for example ``tags=("new",)``.
        """
        fields = {"title": None, "has_dimensions": True, **fields}
        found = []
        with self._state.lock:  # Each call a seed of its own: the same one gives the same ids.
            seed = self.seed + 7_919 * (self._invented + 1)
            self._invented += n
        for image in make_library(n, seed):
            now = self._state.tick()
            times = {"created_at": now, "updated_at": now}
            found.append(self._state.add(replace(image, **{**times, **fields})))
        return found

    def picture(self, image_id: str) -> bytes:
        """Return the bytes of the picture, as its public address serves them."""
        return pictures.file_bytes(self._state.images[image_id])

    def write_site(self, folder: str | os.PathLike[str]) -> DemoSite:
        """
        Write a blog that embeds some of the library's pictures, as something to look for references in.

        It has Markdown posts, HTML pages and a gallery, and a git repository with an old branch and pages that are
        gone. Without the command git it is the pages only, and ``.note`` says so. The same seed gives the same pages
        and commits, whatever happened to the library since. A folder that holds these pages already is left alone.

        Parameters
        ----------
        folder : path
            Made where it is missing.

        Returns
        -------
        DemoSite
            ``folder``, ``n_pages``, ``n_images``, ``branches`` and ``note``.

        Raises
        ------
        FileExistsError
            If the folder holds other files.
        """
        return write_site(make_library(self.n_images, self.seed), self.seed, folder)

    def fail(
        self,
        method: str = "*",
        path_pattern: str = "*",
        *,
        times: int | None = 1,
        skip: int = 0,
        status: int | None = None,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        cut: int | None = None,
        after: bool = False,
        drop: bool = False,
        meanwhile: Callable[[], object] | None = None,
    ) -> None:
        """
        Script a fault for calls to come, on either port.

        Faults apply in the order they were scripted, one to a call. A ``status`` or a
        ready ``body`` takes the place of the call: nothing happens in the library, no key
        is asked for. A callable body, ``cut``, ``headers`` or ``delay`` alone changes the
        real answer of the real call; ``meanwhile`` alone leaves it as it is.

        Parameters
        ----------
        method : str
            ``"GET"`` and so on, or ``"*"``.
        path_pattern : str
            A path with the wildcards of :mod:`fnmatch`, for example ``"/v1/images/*"``.
        times : int or None
            For how many calls; ``None`` for all that come.
        skip : int
            How many matching calls to leave alone first.
        status : int, optional
            Answer with this status (and a plain error body unless ``body`` is given).
        body : bytes, str or callable, optional
            Answer with this body; a callable gets the real JSON and returns another.
        headers : mapping, optional
            Headers to set on the answer.
        delay : float
            Seconds to wait before anything is done.
        cut : int, optional
            Promise the whole body, send so many bytes of it, and close the connection.
        after : bool
            Really do the thing first, then show the fault.
        drop : bool
            Close the connection without an answer.
        meanwhile : callable, optional
            Called when the call has arrived and nothing is done yet, for what other users do at that
            moment: ``meanwhile=lambda: demo.edit(image_id, tags=["keep"])``.
        """
        self._faults.add(
            Fault(
                method=method.upper(),
                path=path_pattern,
                times=times,
                skip=skip,
                status=status,
                body=body,
                headers=headers or {},
                delay=delay,
                cut=cut,
                after=after,
                drop=drop,
                meanwhile=meanwhile,
            )
        )

    def clear_faults(self) -> None:
        """Forget the faults that have not happened yet."""
        self._faults.clear()
