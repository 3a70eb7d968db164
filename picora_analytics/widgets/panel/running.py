"""Deletions that run in this process, apart from any panel: closing a tab or running a cell again loses none."""

from __future__ import annotations

import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

import pandas as pd

from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.plan.deeds import DELETE, Deed
from picora_analytics.client.client import Usage
from picora_analytics.library.frame import Facts
from picora_analytics.progress import Progress

__all__ = ["LATEST", "STEPS", "Job", "running"]

UPDATE_EVERY = 0.2  # Seconds between two looks that panels take at a job.
LATEST = 40  # Images that were done last.
STEPS = ("backed up", "deleted", "gone")
_STAYS = ("kept", "failed", "unknown")

_JOBS: dict[tuple[str, str], Job] = {}
_LOCK = threading.Lock()


class Job:
    """
    A deletion or a hiding under way, or just ended.

    Parameters
    ----------
    library : dict
        Whose images these are.
    images : DataFrame
        What may go.
    carry_out : callable
        Given a progress and what tells whether to stop; gives the receipt.
    backup : str or None
        Where the backup goes.
    deed : Deed
    n_spared : int
        How many chosen images the plan leaves out.
    usage : callable, optional
        Asks at the end what the service counts; it must not raise.

    Attributes
    ----------
    receipt : DeletionReceipt or None
        Once it has ended; of what was done until then, where it failed.
    failure : Exception or None
    ended : bool
    now : set of str
        The images that are being downloaded or deleted.
    usage : Usage or None
        What the service counts in the end.
    """

    def __init__(
        self,
        library: Facts,
        images: pd.DataFrame,
        carry_out: Callable[[Progress, Callable[[], bool]], DeletionReceipt],
        *,
        backup: str | None = None,
        deed: Deed = DELETE,
        n_spared: int = 0,
        usage: Callable[[], Usage | None] = lambda: None,
    ) -> None:
        self.library, self.images, self.backup, self.deed = library, images, backup, deed
        self.n_spared = n_spared
        self.usage: Usage | None = None
        self._ask_usage = usage
        self.receipt: DeletionReceipt | None = None
        self.failure: Exception | None = None
        self.ended = False
        self.why = "looking at what is there now"
        self.step_of: dict[str, str] = {}
        self.latest: list[str] = []
        self.now: set[str] = set()
        self._n: Counter[str] = Counter()
        self._carry_out = carry_out
        self._cancelled = threading.Event()
        self._began: dict[str, float] = {}
        self.started = time.monotonic()
        self._listeners: weakref.WeakSet[Any] = weakref.WeakSet()
        self._changed = False
        self._over = threading.Event()

    def start(self) -> None:
        """Begin on a thread of its own: an interrupt of the kernel would not stop a handler, Cancel does."""
        with _LOCK:
            # A second one is locked out, and ends at once.
            _JOBS.setdefault(_key(self.library), self)
        for act in (self._run, self._show):
            threading.Thread(target=act, name="picora-deletion", daemon=True).start()

    def _run(self) -> None:
        try:
            self.receipt = self._carry_out(self, self._cancelled.is_set)
            if self.receipt.counts.get(DELETE.done):
                self.usage = self._ask_usage()
        except Exception as error:
            self.failure, self.receipt = error, getattr(error, "receipt", None)
        self.ended, self.now = True, set()
        with _LOCK:
            if _JOBS.get(_key(self.library)) is self:
                del _JOBS[_key(self.library)]
        self._over.set()
        self._tell()

    def listen(self, listener: Any) -> None:
        """Call ``listener.on_job(job)`` when something changed, from a thread; a forgotten listener is let go."""
        self._listeners.add(listener)

    def cancel(self) -> None:
        """Stop before the next request; what was not tried is kept."""
        self._cancelled.set()
        self._changed = True

    @property
    def cancelled(self) -> bool:
        """Whether it is to stop."""
        return self._cancelled.is_set()

    # What is going on, as told by the run

    def update(self, done: int, total: int | None) -> None:
        """Take how far it is; the steps of each image say more."""
        self._changed = True

    def wait(self, reason: str) -> None:
        """Take why nothing happens."""
        self.why = reason
        self._changed = True

    def finish(self, text: str) -> None:
        """Take the last line of a step."""
        self._changed = True

    def follow(self, step: str, ids: Collection[str]) -> None:
        """Take what became of images, or which are being dealt with."""
        self._changed = True
        if step == "now":
            self.now = set(ids)
            return
        self.now = self.now.difference(ids)
        word = "gone" if step == "already gone" else step
        self._began.setdefault(word, time.monotonic())
        for one in ids:
            self._n[self.step_of.get(one, "")] -= 1
            self._n[word] += 1
            self.step_of[one] = word
        self.latest = [*self.latest, *ids][-LATEST:]

    def counts(self) -> dict[str, int]:
        """Count the images that have passed each step, and those that stay."""
        deleted = self._n["deleted"] + self._n["gone"]
        return {
            "backed up": self._n["backed up"] + (deleted if self.backup is not None else 0),
            "deleted": deleted,
            "gone": self._n["gone"],
            "stays": sum(self._n[word] for word in _STAYS),
        }

    @property
    def current(self) -> str:
        """The step that is being taken."""
        n, total = self.counts(), len(self.images)
        if self.backup is not None and not n["deleted"] and n["backed up"] + n["stays"] < total:
            return "backed up"
        return "deleted" if n["deleted"] + n["stays"] < total else "gone"

    def seconds_left(self) -> float | None:
        """Guess from its pace how long the current step goes on; None while nobody can tell."""
        step, n = self.current, self.counts()
        since, done = self._began.get(step), n[step]
        if since is None or done < 2 or step == "gone":
            return None
        took = time.monotonic() - since
        return took / done * (len(self.images) - n["stays"] - done)

    def _show(self) -> None:
        """Let panels look when something changed, a few times a second; the deletion does not wait for them."""
        while not self._over.wait(UPDATE_EVERY):
            if self._changed:
                self._changed = False
                self._tell()

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener.on_job(self)


def running(library: Facts) -> Job | None:
    """Give what this process is doing to an account."""
    with _LOCK:
        return _JOBS.get(_key(library))


def _key(library: Facts) -> tuple[str, str]:
    return library["base_url"], library["account"]
