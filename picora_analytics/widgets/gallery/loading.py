"""The pictures that are looked at now, fetched in the background and handed on in batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd

from picora_analytics.client.pictures import PictureWeb
from picora_analytics.pictures.thumbnails import Thumbnail, Thumbnails

__all__ = ["Loader", "Picture", "Wanted"]

AT_ONCE = 8
IDLE = 5.0  # Seconds after which threads end and connections are closed; nothing stays behind a forgotten gallery.
BATCH, BATCH_BYTES, BATCH_SECONDS = 16, 200_000, 0.03


class Wanted(NamedTuple):
    """A picture to fetch: the place it is for, the list that place belongs to, the image, and how large."""

    revision: int
    place: int
    image_id: str
    row: pd.Series[Any]
    large: bool = False


_Key = tuple[str, bool]  # The id, and whether it is large.


class Picture(NamedTuple):
    """What became of it: the picture, or why there is none."""

    wanted: Wanted
    picture: Thumbnail | None
    why: str


class Loader:
    """
    Fetch what is wanted now, and no longer what was wanted before.

    Private pictures have one thread of their own, as each waits for a signed address.

    Parameters
    ----------
    thumbnails : Thumbnails
    deliver : callable
        Given some pictures at once, from a thread.
    idle : float
        Seconds without anything to do after which threads end.
    """

    def __init__(
        self,
        thumbnails: Thumbnails,
        deliver: Callable[[list[Picture]], None],
        *,
        idle: float = IDLE,
    ) -> None:
        self._thumbnails, self._deliver, self._idle = thumbnails, deliver, idle
        self._changed = threading.Condition()
        self._wanted: dict[_Key, Wanted] = {}
        self._fetching: set[_Key] = set()
        self._done: list[Picture] = []
        self._running = {False: 0, True: 0}  # Threads, by whether they fetch private pictures.
        self._sending = self._handing = False
        self._web: PictureWeb | None = None
        self._closed = False

    def want(self, wanted: list[Wanted], *, large: bool = False) -> None:
        """Fetch these, in their order, instead of the small (or large) ones that were wanted before."""
        with self._changed:
            if self._closed:
                return
            others = {key: one for key, one in self._wanted.items() if one.large != large}
            own = {(one.image_id, large): one for one in wanted}
            self._wanted = own | others if large else others | own
            for private in (False, True):
                n = sum(1 for one in wanted if _is_private(one.row) == private)
                for _ in range(min(n, 1 if private else AT_ONCE) - self._running[private]):
                    self._start(private)
            self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """Whether all that was wanted has been handed on."""
        with self._changed:
            return not self._wanted and not self._done

    def wait(self, seconds: float) -> None:
        """Wait until all that is wanted has been handed on, or so long."""
        with self._changed:
            self._changed.wait_for(
                lambda: not (self._wanted or self._done or self._handing), seconds
            )

    def close(self) -> None:
        """Stop fetching."""
        with self._changed:
            self._closed = True
            self._wanted.clear()
            self._changed.notify_all()

    def _start(self, private: bool) -> None:
        if self._web is None:
            self._web = self._thumbnails.web()
        self._running[private] += 1
        threading.Thread(
            target=self._work, args=(private, self._web), name="picora-pictures", daemon=True
        ).start()
        if not self._sending:
            self._sending = True
            threading.Thread(target=self._send, name="picora-pictures", daemon=True).start()

    def _work(self, private: bool, web: PictureWeb) -> None:
        try:
            while (key := self._take(private)) is not None:
                picture = self._get(web, key)
                with self._changed:
                    self._fetching.discard(key)
                    wanted = self._wanted.pop(key, None)
                    if wanted is not None:
                        why = "" if picture else self._thumbnails.why_not(wanted.image_id)
                        self._done.append(Picture(wanted, picture, why))
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._running[private] -= 1
                if not any(self._running.values()) and self._web is web:
                    self._web = None
                    web.close()

    def _get(self, web: PictureWeb, key: _Key) -> Thumbnail | None:
        wanted = self._wanted.get(key)
        if wanted is None:
            return None
        get = self._thumbnails.look if wanted.large else self._thumbnails.get
        try:
            return get(web, wanted.image_id, wanted.row, lambda: key not in self._wanted)
        except Exception:  # A picture is decoration: no failure of one may end the others.
            return None

    def _next(self, private: bool) -> _Key | None:
        for key, one in self._wanted.items():
            if key not in self._fetching and _is_private(one.row) == private:
                return key
        return None

    def _take(self, private: bool) -> _Key | None:
        """Wait for something to fetch; None after a while without."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._next(private) is not None, self._idle
            )
            key = self._next(private)
            if key is not None:
                self._fetching.add(key)
            return key

    def _send(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._done), self._idle)
                if self._closed or not (self._done or self._wanted):
                    self._sending = False
                    return
                if not self._done:
                    continue  # A slow host, or a signed address that is waited for.
                until = time.monotonic() + BATCH_SECONDS
                while not self._full() and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
                batch, self._done = _some(self._done)
                self._handing = bool(batch)
            try:
                if batch:
                    self._deliver(batch)
            finally:
                with self._changed:
                    self._handing = False
                    self._changed.notify_all()

    def _full(self) -> bool:
        if self._closed or not self._wanted:
            return True  # Nothing more to wait for.
        sizes = (len(one.picture.data) for one in self._done if one.picture is not None)
        return len(self._done) >= BATCH or sum(sizes) >= BATCH_BYTES


def _some(done: list[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Divide what is done into one batch and the rest."""
    size, n = 0, 0
    for n, one in enumerate(done[:BATCH], 1):  # noqa: B007
        size += len(one.picture.data) if one.picture is not None else 0
        if size >= BATCH_BYTES:
            break
    return done[:n], done[n:]


def _is_private(row: pd.Series[Any]) -> bool:
    return bool(pd.isna(row["is_public"]) or not row["is_public"])
