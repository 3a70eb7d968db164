"""A load carried out: one page after another in the calling thread, or several chains by a few threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from picora_analytics.client.shapes import Listing, decode_listing
from picora_analytics.errors import StatusError
from picora_analytics.library.load.checkpoint import SavedPage
from picora_analytics.library.load.cutting import Pace
from picora_analytics.library.load.planning import Ask, Cut
from picora_analytics.library.load.reading import HEAD, Reading

__all__ = ["Crew", "Fetched", "carry_out", "go_on_from"]

# The main thread wakes so often to see a Ctrl-C, which on Windows does not wake it by itself.
WAKE = 0.2


class Fetched(NamedTuple):
    """A page, decoded, and as it came."""

    listing: Listing
    body: bytes


Fetch = Callable[[Ask, threading.Event], Fetched]
Answered = tuple[Ask, Fetched | BaseException]


class Record(Protocol):
    """Where pages and cuts are written down before the next request."""

    def add(self, entry: SavedPage | Cut) -> None:
        """Have it on disk when this returns."""


class Fetcher(Protocol):
    """Who gets pages: :class:`Crew`, or a simulation of it."""

    def answer(self, ask: Ask) -> Answered:
        """Fetch a page, here and now."""

    def send(self, ask: Ask) -> None:
        """Have a page fetched."""

    def wait(self) -> Answered:
        """Wait for the next page sent for."""


def carry_out(
    reading: Reading,
    fetcher: Fetcher,
    pace: Callable[[], Pace],
    *,
    record: Record | None = None,
    read: Callable[[], object] = lambda: None,
) -> None:
    """
    Read until the library is read, or an error ends it.

    Parameters
    ----------
    reading : Reading
        Told of each page; stands afterwards where the load stands.
    fetcher : Fetcher
    pace : callable
        Gives what was measured last.
    record : Record, optional
    read : callable
        Called after each page but those read again at the end.

    Raises
    ------
    APIError, BrokenListing, KeyboardInterrupt
        At once, with at most a page of each chain under way and lost.
    """
    under_way = 0

    def cut(made: Cut | None) -> None:
        if made is not None:
            if record is not None:
                record.add(made)
            reading.cut(made)

    while not reading.done:
        while (wanted := reading.next_cut(pace())) is not None:
            cut(wanted)
        asks = reading.asks()
        if under_way == 0 and len(asks) == 1:
            ask, result = fetcher.answer(asks[0])
        else:
            for one in asks:
                fetcher.send(one)
            under_way += len(asks)
            ask, result = fetcher.wait()
            under_way -= 1
        if isinstance(result, StatusError):
            goes_on, made = reading.refused(ask, result.status_code)
            if not goes_on:
                raise result
            cut(made)
            continue
        if isinstance(result, BaseException):
            raise result
        if record is not None and reading.counts(ask.chain):
            record.add(SavedPage(ask.chain, result.listing.server_time, result.body))
        cut(reading.take(ask.chain, result.listing))
        if ask.chain != HEAD:
            read()


def go_on_from(entries: Iterable[SavedPage | Cut], reading: Reading) -> None:
    """
    Tell a new reading what an interrupted load had read, so that it stands where that one stood.

    Raises
    ------
    SnapshotError
        If the checkpoint is damaged.
    """
    for entry in entries:
        if isinstance(entry, Cut):
            reading.cut(entry)
            continue
        where = f"Page {reading.n_pages + 1} of the checkpoint"
        reading.take(entry.chain, decode_listing(entry.answer, server_time=entry.at, where=where))
    reading.gave_up()


class Crew:
    """A few threads, as many as chains have been under way at once; none while there is one chain."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._stop = threading.Event()
        self._asks: queue.SimpleQueue[Ask | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def answer(self, ask: Ask) -> Answered:
        """Fetch a page here and now: Ctrl-C ends it wherever it stands."""
        try:
            return ask, self._fetch(ask, self._stop)
        except StatusError as error:
            return ask, error

    def send(self, ask: Ask) -> None:
        """Have a page fetched by a thread."""
        if not self._idle.acquire(blocking=False):
            self._threads += 1
            # A daemon: an answer that takes long keeps nobody from leaving.
            threading.Thread(target=self._work, name="picora-load", daemon=True).start()
        self._asks.put(ask)

    def wait(self) -> Answered:
        """Wait for the next page, and hear a Ctrl-C meanwhile."""
        while True:
            try:
                return self._answers.get(timeout=WAKE)
            except queue.Empty:
                continue

    def stop(self) -> None:
        """End the waits of all threads, and the threads after what they have under way."""
        self._stop.set()
        for _ in range(self._threads):
            self._asks.put(None)

    def _work(self) -> None:
        while (ask := self._asks.get()) is not None:
            answer: Fetched | BaseException
            try:
                answer = self._fetch(ask, self._stop)
            except BaseException as error:  # The thread that loads raises it.
                answer = error
            self._idle.release()
            self._answers.put((ask, answer))
