"""One run over the images of a plan: look, back up, delete batch by batch, verify."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from picora_analytics.cleanup.apply.batch import LOST, Sender
from picora_analytics.cleanup.apply.dry_run import decide
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.lookup import Current, Lookup
from picora_analytics.cleanup.backup.backup import Backup, back_up
from picora_analytics.cleanup.plan import guard
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client.changes import BatchUnknownError
from picora_analytics.client.client import Client, Usage
from picora_analytics.client.pacing import seconds_needed
from picora_analytics.errors import PicoraError, PlanError, UnsafePlanError
from picora_analytics.library.snapshots import SnapshotStore
from picora_analytics.progress import Progress
from picora_analytics.text import about, plural
from picora_analytics.units import format_bytes

__all__ = ["Run"]

# Seconds that a look is believed; then everything is looked at again before the next request.
FRESH_FOR = 600.0
# Seconds between looks while an image that was reported deleted may still be visible.
SETTLING = (0.1, 0.4, 1.5)
# Seconds between reports of the time left.
REPORT_EVERY = 10.0


class Run:
    """
    One run over the images of a plan.

    The caller holds the account's lock, and calls :meth:`look`, :meth:`back_up`, :meth:`delete` and :meth:`verify`
    in this order.

    Parameters
    ----------
    plan : Plan
    client : Client
    ledger : Ledger
    show : Progress
    cancelled : callable
    fresh_for : float
        Seconds that a look is believed.
    """

    def __init__(
        self,
        plan: Plan,
        client: Client,
        ledger: Ledger,
        show: Progress,
        cancelled: Callable[[], bool],
        *,
        fresh_for: float = FRESH_FOR,
    ) -> None:
        self._plan, self._client, self._ledger = plan, client, ledger
        self._show, self._cancelled, self._fresh_for = show, cancelled, fresh_for
        self._lookup = Lookup(client, plan.library["n_images"], plan.n_others)
        self._sender = Sender(plan, client, self._lookup, ledger)
        self._looked_at = self._reported_at = time.monotonic()
        self._waiting: list[str] = []
        self._backup: Backup | None = None
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
            # What was left unknown is settled and written down, whatever comes.
            self._ledger.open()
        else:
            self._refuse(self._plan.refusals)
        self._show.wait("looking at what is there now")
        current = self._look()
        self._ledger.record(dict.fromkeys(self._ledger.settle(current.states), LOST))
        self._decide(current)
        deleted = self._ledger.deleted
        gone, taken = (self._plan.amount(ids) for ids in (deleted, [*self._waiting, *deleted]))
        library = guard.Amount(
            current.library.n_images + gone.n_images, current.library.size_bytes + gone.size_bytes
        )
        self._refuse([*self._plan.refusals, *self._plan.caps.breaches(taken, library)])
        self._ledger.open()

    def _look(self) -> Current:
        current = self._lookup.look({*self._ledger.open_ids, *self._plan.duplicates.values()})
        self._looked_at = time.monotonic()
        return current

    def _decide(self, current: Current) -> None:
        """Keep what changed or became protected, and let the rest wait."""
        found = decide(self._plan, current)
        ids = self._ledger.open_ids
        self._waiting = [image_id for image_id in ids if found[image_id].action == "delete"]
        self._ledger.record(
            {
                image_id: (found[image_id].action, found[image_id].reason or "before this run")
                for image_id in ids
                if found[image_id].action != "delete"
            }
        )

    def _refuse(self, refusals: Iterable[guard.Refusal]) -> None:
        reasons = list(dict.fromkeys(refusals))
        if reasons:
            error = UnsafePlanError if any(one.kind == "cap" for one in reasons) else PlanError
            more = "more " if self._ledger.sent else ""
            raise error(
                f"Plan {self._plan.confirmation!r} is refused and nothing {more}is deleted: "
                f"{'; '.join(map(str, reasons))}."
            )

    def back_up(self, folder: str | None, progress: Progress | bool | None) -> None:
        """Back up what is waiting; an image without a proved file is kept."""
        if folder is None or not self._waiting:
            return
        self._backup = back_up(
            self._plan.images.loc[self._waiting],
            self._plan.library,
            self._client,
            folder,
            progress=progress,
            cancelled=self._cancelled,
        )
        failed = self._backup.failed
        if not self._cancelled():
            self._drop(
                {
                    image_id: f"no copy: {failed.get(image_id, 'it was not made')}"
                    for image_id in self._waiting
                    if image_id in failed or image_id not in self._backup.proofs
                }
            )

    def _drop(self, reasons: dict[str, str]) -> None:
        """Keep images that were waiting."""
        self._ledger.record({image_id: ("kept", reason) for image_id, reason in reasons.items()})
        self._waiting = [image_id for image_id in self._waiting if image_id not in reasons]

    def delete(self) -> None:
        """Delete what is waiting, batch by batch, until it is done, cancelled, or too much goes wrong."""
        if not self._waiting or self._cancelled():
            return
        self._usage = self._ask_usage()
        self._report_time()
        while self._waiting and not self._cancelled():
            if time.monotonic() - self._looked_at > self._fresh_for:
                self._decide(self._look())
            ids = self._proved(self._waiting[: self._sender.size])
            if ids:
                try:
                    self._sender.settle(ids)
                except BatchUnknownError:
                    self._report_time("this server knows no batches: ")
            outcomes = self._ledger.outcomes
            self._waiting = [image_id for image_id in self._waiting if image_id not in outcomes]
            self._show.update(len(outcomes), len(self._plan.images))
            if time.monotonic() - self._reported_at > REPORT_EVERY:
                self._report_time()
            why = guard.should_stop(outcomes[image_id][0] for image_id in self._ledger.tried)
            if why and self._waiting:
                self.notes.append(f"stopped, because {why}; the rest was not tried")
                return

    def _proved(self, ids: list[str]) -> list[str]:
        """Check the backup once more, right before the images go."""
        if self._backup is None:
            return ids
        lost = self._backup.recheck(ids)
        self._drop({image_id: f"its copy does not hold: {why}" for image_id, why in lost.items()})
        return [image_id for image_id in ids if image_id not in lost]

    def _report_time(self, why: str = "") -> None:
        self._reported_at = time.monotonic()
        n = len(self._waiting)
        requests = -(-n // self._sender.size)
        self._show.wait(
            f"{why}{plural(n, 'image')} to go by {plural(requests, 'deleting request')}, "
            f"{about(seconds_needed(requests))} at Picora's documented pace"
        )

    def verify(self) -> None:
        """Look whether what was reported deleted is gone, and bring the newest snapshot up to date."""
        ids = [image_id for image_id in self._ledger.deleted if image_id in self._ledger.tried]
        if not ids:
            return
        try:
            current = self._lookup.look(ids)
            for pause in SETTLING:
                if current.states:
                    time.sleep(pause)
                    current = self._lookup.look(ids)
        except PicoraError as error:
            self.notes.append(f"not looked at again afterwards: {error}")
            return
        seen = current.states
        self._ledger.record(dict.fromkeys(seen, ("unknown", "reported deleted, still visible")))
        self.notes.append(f"looked at again: {len(ids) - len(seen):,} of {len(ids):,} are gone")
        before, after = self._usage, self._ask_usage()
        if before and after and before.size_bytes is not None and after.size_bytes is not None:
            self.notes.append(
                f"the service counted {format_bytes(before.size_bytes)} before and "
                f"{format_bytes(after.size_bytes)} after"
            )
        self._remember(current)

    def _ask_usage(self) -> Usage | None:
        try:
            return self._client.usage()
        except PicoraError:
            return None

    def _remember(self, current: Current) -> None:
        """Bring what is remembered of the library up to date, where it is remembered and was listed."""
        if current.listing is None:
            return
        try:
            store = SnapshotStore.of(self._client)
            if store.versions():
                store.save(current.listing)
        except (PicoraError, OSError) as error:
            self.notes.append(f"the snapshot was not brought up to date: {error}")
