"""Run a load: one page after another in the calling thread, or several chains in a few threads."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from picora_analytics.client.shapes import Listing, decode_listing
from picora_analytics.client.waiting import check_stopped
from picora_analytics.errors import StatusError
from picora_analytics.library.load.checkpoint import SavedPage
from picora_analytics.library.load.planning import PageRequest, Split
from picora_analytics.library.load.splitting import Pace
from picora_analytics.library.load.state import RECHECK, LoadState

__all__ = ["Fetched", "Workers", "carry_out", "replay"]

# Seconds between looks for a Ctrl-C, which on Windows does not wake the main thread by itself.
WAKE = 0.2


class Fetched(NamedTuple):
    """A page, decoded, and as it came."""

    listing: Listing
    body: bytes


Fetch = Callable[[PageRequest, threading.Event], Fetched]
Answered = tuple[PageRequest, Fetched | BaseException]


class Record(Protocol):
    """Where pages and splits are recorded before the next request."""

    def add(self, entry: SavedPage | Split) -> None:
        """Write an entry; it is on disk when this returns."""


class Fetcher(Protocol):
    """Fetches pages: :class:`Workers`, or a simulation of them."""

    def answer(self, request: PageRequest) -> Answered:
        """Fetch a page, here and now."""

    def send(self, request: PageRequest) -> None:
        """Start fetching a page."""

    def wait(self) -> Answered:
        """Wait for the next page that was sent for."""


def carry_out(
    state: LoadState,
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
    state : LoadState
        Updated with each page.
    fetcher : Fetcher
    pace : callable
        Gives what was measured last.
    record : Record, optional
    read : callable
        Called after each page but those read again at the end.

    Raises
    ------
    APIError, BrokenListing, KeyboardInterrupt
        At once; at most one page of each chain is lost.
    """
    under_way = 0

    def split(made: Split | None) -> None:
        if made is not None:
            if record is not None:
                record.add(made)
            state.split(made)

    while not state.done:
        while (wanted := state.next_split(pace())) is not None:
            split(wanted)
        requests = state.requests()
        if under_way == 0 and len(requests) == 1:
            request, result = fetcher.answer(requests[0])
        else:
            for one in requests:
                fetcher.send(one)
            under_way += len(requests)
            request, result = fetcher.wait()
            under_way -= 1
        if isinstance(result, StatusError):
            goes_on, made = state.refused(request, result.status_code)
            if not goes_on:
                raise result
            split(made)
            continue
        if isinstance(result, BaseException):
            raise result
        if record is not None and state.counts(request.chain):
            record.add(SavedPage(request.chain, result.listing.server_time, result.body))
        split(state.take(request.chain, result.listing))
        if request.chain != RECHECK:
            read()


def replay(entries: Iterable[SavedPage | Split], state: LoadState) -> None:
    """
    Replay what an interrupted load had read into a new state.

    Raises
    ------
    SnapshotError
        If the checkpoint is damaged.
    """
    for entry in entries:
        if isinstance(entry, Split):
            state.split(entry)
            continue
        where = f"Page {state.n_pages + 1} of the checkpoint"
        state.take(entry.chain, decode_listing(entry.answer, server_time=entry.at, where=where))
    state.gave_up()


class Workers:
    """A few threads, as many as chains have been under way at once; none while there is one chain."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._stop = threading.Event()
        self._requests: queue.SimpleQueue[PageRequest | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[Answered] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def answer(self, request: PageRequest) -> Answered:
        """Fetch a page here and now: Ctrl-C ends it wherever it stands."""
        try:
            return request, self._fetch(request, self._stop)
        except StatusError as error:
            return request, error

    def send(self, request: PageRequest) -> None:
        """Have a page fetched by a thread."""
        if not self._idle.acquire(blocking=False):
            self._threads += 1
            # A daemon: a slow answer does not keep the process from exiting.
            threading.Thread(target=self._work, name="picora-load", daemon=True).start()
        self._requests.put(request)

    def wait(self) -> Answered:
        """Wait for the next page, and hear a Ctrl-C meanwhile."""
        while True:
            check_stopped(self._stop)
            try:
                return self._answers.get(timeout=WAKE)
            except queue.Empty:
                continue

    def stop(self) -> None:
        """End the waits of all threads, and the threads after what they have under way."""
        self._stop.set()
        for _ in range(self._threads):
            self._requests.put(None)

    def _work(self) -> None:
        while (request := self._requests.get()) is not None:
            answer: Fetched | BaseException
            try:
                answer = self._fetch(request, self._stop)
            except BaseException as error:  # Raised by the loading thread.
                answer = error
            self._idle.release()
            self._answers.put((request, answer))
