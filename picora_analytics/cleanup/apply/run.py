"""One run over the images of a plan: look, copy, delete batch by batch, look again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from picora_analytics.cleanup.apply.batch import LOST, Sender
from picora_analytics.cleanup.apply.dry_run import today
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.lookup import Lookout, Sight
from picora_analytics.cleanup.backup.backup import Backup, back_up
from picora_analytics.cleanup.pace import about, plural, seconds_needed
from picora_analytics.cleanup.plan import guard
from picora_analytics.client.changes import BatchUnknownError
from picora_analytics.client.client import Client, Usage
from picora_analytics.errors import PicoraError, PlanError, UnsafePlanError
from picora_analytics.library.load.loading import snapshots_of
from picora_analytics.progress import Progress
from picora_analytics.units import format_bytes

if TYPE_CHECKING:
    from picora_analytics.cleanup.deletion import DeletionPlan

__all__ = ["Run"]

# What was seen is believed for so many seconds; then it is looked at again before the next request.
FRESH_FOR = 600.0
# How long an image that was reported deleted may still be seen, in seconds between looks.
SETTLING = (0.1, 0.4, 1.5)
# Every so many seconds the time left is said.
SAY_EVERY = 10.0


class Run:
    """
    One run over the images of a plan.

    The caller holds the account's lock, and calls :meth:`look`, :meth:`copy`, :meth:`delete` and :meth:`verify` in
    this order.

    Parameters
    ----------
    plan : DeletionPlan
    client : Client
    ledger : Ledger
    show : Progress
    cancelled : callable
    fresh_for : float
        Seconds that a look is believed.
    """

    def __init__(
        self,
        plan: DeletionPlan,
        client: Client,
        ledger: Ledger,
        show: Progress,
        cancelled: Callable[[], bool],
        *,
        fresh_for: float = FRESH_FOR,
    ) -> None:
        self._plan, self._client, self._ledger = plan, client, ledger
        self._show, self._cancelled, self._fresh_for = show, cancelled, fresh_for
        self._lookout = Lookout(client, plan.library["n_images"], plan.n_others)
        self._sender = Sender(plan, client, self._lookout, ledger)
        self._looked_at = self._said_at = time.monotonic()
        self._waiting: list[str] = []
        self._copies: Backup | None = None
        self._usage: Usage | None = None
        self.notes: list[str] = []

    def look(self) -> None:
        """
        Decide about each image by what is there now.

        Raises
        ------
        PlanError
            If the plan, or what is left of it, may not be carried out.
        """
        if self._ledger.sent:
            self._ledger.open()  # What was left unknown is settled and written down, whatever comes.
        else:
            self._refuse(self._plan.refusals)
        self._show.wait("looking at what is there now")
        sight = self._look()
        self._ledger.keep(dict.fromkeys(self._ledger.settle(sight.states), LOST))
        self._decide(sight)
        deleted = self._ledger.deleted
        gone, taken = (self._plan.amount(ids) for ids in (deleted, [*self._waiting, *deleted]))
        library = guard.Amount(
            sight.library.n_images + gone.n_images, sight.library.size_bytes + gone.size_bytes
        )
        self._refuse([*self._plan.refusals, *self._plan.caps.breaches(taken, library)])
        self._ledger.open()

    def _look(self) -> Sight:
        sight = self._lookout.look({*self._ledger.open_ids, *self._plan.copies.values()})
        self._looked_at = time.monotonic()
        return sight

    def _decide(self, sight: Sight) -> None:
        """Keep what changed or became protected, and let the rest wait."""
        found = today(self._plan, sight)
        ids = self._ledger.open_ids
        self._waiting = [one for one in ids if found[one].word == "delete"]
        self._ledger.keep(
            {
                one: (found[one].word, found[one].reason or "before this run")
                for one in ids
                if found[one].word != "delete"
            }
        )

    def _refuse(self, reasons: Iterable[str]) -> None:
        said = "; ".join(dict.fromkeys(reasons))
        if said:
            more = "more " if self._ledger.sent else ""
            raise (UnsafePlanError if "max_" in said else PlanError)(
                f"Plan {self._plan.confirmation!r} is refused and nothing {more}is deleted: {said}."
            )

    def copy(self, folder: str | None, progress: Progress | bool | None) -> None:
        """Keep copies of what is waiting; an image without a proved copy is kept itself."""
        if folder is None or not self._waiting:
            return
        self._copies = back_up(
            self._plan.images.loc[self._waiting],
            self._plan.library,
            self._client,
            folder,
            progress=progress,
            cancelled=self._cancelled,
        )
        failed = self._copies.failed
        if not self._cancelled():
            self._drop(
                {
                    one: f"no copy: {failed.get(one, 'it was not made')}"
                    for one in self._waiting
                    if one in failed or one not in self._copies.proofs
                }
            )

    def _drop(self, reasons: dict[str, str]) -> None:
        """Keep images that were waiting."""
        self._ledger.keep({one: ("kept", reason) for one, reason in reasons.items()})
        self._waiting = [one for one in self._waiting if one not in reasons]

    def delete(self) -> None:
        """Delete what is waiting, batch by batch, until it is done, cancelled, or too much goes wrong."""
        if not self._waiting or self._cancelled():
            return
        self._usage = self._ask_usage()
        self._say_time()
        while self._waiting and not self._cancelled():
            if time.monotonic() - self._looked_at > self._fresh_for:
                self._decide(self._look())
            ids = self._proved(self._waiting[: self._sender.size])
            if ids:
                try:
                    self._sender.settle(ids)
                except BatchUnknownError:
                    self._say_time("this server knows no batches: ")
            outcomes = self._ledger.outcomes
            self._waiting = [one for one in self._waiting if one not in outcomes]
            self._show.update(len(outcomes), len(self._plan.images))
            if time.monotonic() - self._said_at > SAY_EVERY:
                self._say_time()
            why = guard.should_stop(outcomes[one][0] for one in self._ledger.tried)
            if why and self._waiting:
                self.notes.append(f"stopped, because {why}; the rest was not tried")
                return

    def _proved(self, ids: list[str]) -> list[str]:
        """Look at the copies once more, right before the images go."""
        if self._copies is None:
            return ids
        lost = self._copies.recheck(ids)
        self._drop({one: f"its copy does not hold: {why}" for one, why in lost.items()})
        return [one for one in ids if one not in lost]

    def _say_time(self, why: str = "") -> None:
        self._said_at = time.monotonic()
        n = len(self._waiting)
        requests = -(-n // self._sender.size)
        self._show.wait(
            f"{why}{plural(n, 'image')} to go by {plural(requests, 'deleting request')}, "
            f"{about(seconds_needed(requests))} at Picora's documented pace"
        )

    def verify(self) -> None:
        """Look whether what was reported deleted is gone, and bring the newest snapshot up to date."""
        ids = [one for one in self._ledger.deleted if one in self._ledger.tried]
        if not ids:
            return
        try:
            sight = self._lookout.look(ids)
            for pause in SETTLING:
                if sight.states:
                    time.sleep(pause)
                    sight = self._lookout.look(ids)
        except PicoraError as error:
            self.notes.append(f"not looked at again afterwards: {error}")
            return
        seen = sight.states
        self._ledger.keep(dict.fromkeys(seen, ("unknown", "reported deleted, still visible")))
        self.notes.append(f"looked at again: {len(ids) - len(seen):,} of {len(ids):,} are gone")
        before, after = self._usage, self._ask_usage()
        if before and after and before.size_bytes is not None and after.size_bytes is not None:
            self.notes.append(
                f"the service counted {format_bytes(before.size_bytes)} before and "
                f"{format_bytes(after.size_bytes)} after"
            )
        self._remember(sight)

    def _ask_usage(self) -> Usage | None:
        try:
            return self._client.usage()
        except PicoraError:
            return None

    def _remember(self, sight: Sight) -> None:
        """Bring what is remembered of the library up to date, where it is remembered and was listed."""
        if sight.listing is None:
            return
        try:
            store = snapshots_of(self._client)
            if store.versions():
                store.save(sight.listing)
        except (PicoraError, OSError) as error:
            self.notes.append(f"the snapshot was not brought up to date: {error}")
