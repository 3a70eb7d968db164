"""One run over the images of a plan: look, back up, delete batch by batch, verify."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping

import pandas as pd

from picora_analytics.cleanup.apply.batch import LOST, Sender
from picora_analytics.cleanup.apply.dry_run import decide
from picora_analytics.cleanup.apply.freshness import Freshness, StaleError
from picora_analytics.cleanup.apply.inheriting import Heirs
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.lookup import Current, Lookup
from picora_analytics.cleanup.backup.backup import Backup, back_up
from picora_analytics.cleanup.plan import guard
from picora_analytics.cleanup.plan.deeds import DELETE
from picora_analytics.cleanup.plan.model import Plan, clock_refusals
from picora_analytics.client.changes import BatchUnknownError
from picora_analytics.client.client import Client, Usage
from picora_analytics.client.pacing import seconds_needed
from picora_analytics.client.pictures import sign
from picora_analytics.client.retrying import StoppedError
from picora_analytics.client.waiting import check_stopped
from picora_analytics.errors import APIError, PicoraError, PlanError, UnsafePlanError
from picora_analytics.library.snapshots import SnapshotStore
from picora_analytics.progress import Progress, follow
from picora_analytics.text import about, plural
from picora_analytics.units import format_bytes

__all__ = ["Run"]

# Seconds between looks while an image that was reported deleted may still be visible, or the usage lag behind.
SETTLING = (0.1, 0.4, 1.5)
# Seconds between reports of the time left.
REPORT_EVERY = 10.0
# How often in a row a look may be found stale: a service that makes us wait each time is left alone.
MAX_STALE = 5


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
    freshness : Freshness, optional
        How long a look is believed.
    keep : mapping of id to str, optional
        Images to keep besides, and why.

    Attributes
    ----------
    notes : list of str
        What the receipt must tell besides the outcomes.
    whole : bool
        Whether everything asked for was done: each backup made, and the end verified.
    """

    def __init__(
        self,
        plan: Plan,
        client: Client,
        ledger: Ledger,
        show: Progress,
        cancelled: Callable[[], bool],
        *,
        freshness: Freshness | None = None,
        keep: Mapping[str, str] | None = None,
    ) -> None:
        self._keep = keep
        self._plan, self._client, self._ledger = plan, client, ledger
        ledger.told = self._tell
        self._show, self._cancelled = show, cancelled
        self._freshness = freshness or Freshness(client)
        self._lookup = Lookup(client, plan.library["n_images"], plan.n_others)
        self._sender = self._make_sender()
        self._heirs = Heirs(plan, client, ledger)
        self._reported_at = time.monotonic()
        self._waiting: list[str] = []
        self._backup: Backup | None = None
        self._usage: Usage | None = None
        self._slow = False
        self._others: pd.Index[str] | None = None
        self.notes: list[str] = []
        self.whole = True

    def _make_sender(self) -> Sender:
        return Sender(self._plan, self._client, self._lookup, self._ledger, self._freshness)

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
        self._tell(self._ledger.outcomes)
        self._show.wait("looking at what is there now")
        self._waiting = self._ledger.open_ids
        self._look_at(self._waiting)
        self._ledger.open()

    def rehearse(self) -> list[str]:
        """Look as :meth:`look` does and give what would go, with a ledger that was not opened: nothing is written."""
        self._waiting = self._ledger.open_ids
        self._look_at(self._waiting)
        return self._waiting

    def _look_at(self, ids: list[str]) -> None:
        """Look at images that are waiting, keep what changed or became protected, and check the caps again."""
        current = self._look(ids)
        lost = self._settle_lost(ids, current)
        staying = self._ledger.staying(current.states)
        rest = [one for one in ids if one not in lost]
        found = decide(self._plan, current, rest, self._keep, staying)
        self._ledger.record(
            {
                image_id: self._ledger.kept(image_id, verdict.reason)
                if verdict.action == "kept"
                else (verdict.action, "before this run")
                for image_id, verdict in found.items()
                if verdict.action != "delete"
            }
        )
        self._waiting = [one for one in self._waiting if one not in self._ledger.outcomes]
        if self._ledger.sent and not self._waiting:
            return  # Nothing more is to go, so there is nothing to refuse.
        deleted = self._ledger.deleted
        gone, taken = (self._plan.amount(ids) for ids in (deleted, [*self._waiting, *deleted]))
        library = current.library
        if self._plan.deed is DELETE:
            library = guard.Amount(
                library.n_images + gone.n_images, library.size_bytes + gone.size_bytes
            )
        dated = clock_refusals(self._client)
        self._refuse([*dated, *self._plan.refusals, *self._plan.caps.breaches(taken, library)])

    def _tell(self, ids: Iterable[str]) -> None:
        """Tell whoever follows each image what became of some."""
        outcomes = self._ledger.outcomes
        told: dict[str, list[str]] = {}
        for one in ids:
            if one in outcomes:
                word = outcomes[one][0]
                told.setdefault("deleted" if word == self._plan.deed.done else word, []).append(one)
        for word, own in told.items():
            follow(self._show, word, own)

    def _settle_lost(self, ids: list[str], current: Current) -> list[str]:
        """Settle the images of lost answers to which it was done after all, and list them."""
        lost = self._ledger.settle(ids, current.states)
        self._ledger.record(dict.fromkeys(lost, LOST))
        return lost

    def _look(self, ids: list[str]) -> Current:
        """Look at images and at the duplicates that stay for them, again if the machine slept meanwhile."""
        stay = {self._plan.duplicates[one] for one in ids if one in self._plan.duplicates}
        for _ in range(MAX_STALE):
            began = self._freshness.read_clocks()
            current = self._lookup.look({*ids, *stay})
            look = self._freshness.renew(began)
            if not look.slept:
                break
        else:
            self._freshness.spoil()  # Whatever it saw first is of before.
        self._slow = look.slow
        if current.listing is not None and self._others is None:
            self._others = current.listing.index.difference(self._plan.images.index)
        return current

    def _refuse(self, refusals: Iterable[guard.Refusal]) -> None:
        reasons = list(dict.fromkeys(refusals))
        if reasons:
            error = UnsafePlanError if any(one.kind == "cap" for one in reasons) else PlanError
            more = "more " if self._ledger.sent else ""
            raise error(
                f"Plan {self._plan.confirmation!r} is refused and nothing {more}is {self._plan.deed.done}: "
                f"{'; '.join(reasons)}."
            )

    def back_up(self, folder: str | None, progress: Progress | bool | None) -> None:
        """Back up what is waiting; an image without a proved file is kept."""
        if folder is None:
            self._keep_unreachable()
        if folder is None or not self._waiting:
            return
        self._backup = back_up(
            self._plan.images.loc[self._waiting],
            self._plan.library,
            self._client,
            folder,
            progress=progress,
            cancelled=self._cancelled,
            hidden=self._plan.hidden,
        )
        # Fetching files takes long, and whoever edits images meanwhile is heard.
        self._freshness.spoil()
        failed = self._backup.failed
        if not self._cancelled():
            without = {
                image_id: f"no copy: {failed.get(image_id, 'it was not made')}"
                for image_id in self._waiting
                if image_id in failed or image_id not in self._backup.proofs
            }
            self.whole = not without
            self._drop(without)

    def _keep_unreachable(self) -> None:
        """Keep what was hidden first and has neither a backup nor a signed address: nobody could look at it again."""
        if self._plan.deed is not DELETE:
            return
        without = {}
        for one in [image_id for image_id in self._waiting if image_id in self._plan.hidden]:
            check_stopped()
            try:
                sign(self._client, one)
            except APIError as error:
                why = "hidden first, and neither a backup nor a signed address was to be had"
                without[one] = f"{why}: {error} Give backup= a folder"
        if without:
            self._drop(without)
        self._freshness.check()

    def _drop(self, reasons: dict[str, str]) -> None:
        """Keep images that were waiting."""
        self._ledger.record({one: self._ledger.kept(one, why) for one, why in reasons.items()})
        self._waiting = [image_id for image_id in self._waiting if image_id not in reasons]

    def delete(self) -> None:
        """Delete what is waiting, batch by batch, until it is done, cancelled, or too much goes wrong."""
        if not self._waiting or self._cancelled():
            return
        self._usage = self._ask_usage()
        self._hand_on()
        self._report_time()
        stale = 0
        first = True
        while self._waiting and not self._cancelled():
            ids = self._fresh(self._proved(self._waiting[: self._sender.size]))
            try:
                if ids:
                    follow(self._show, "now", ids)
                    self._sender.settle(ids)
                stale = 0
            except BatchUnknownError:
                self._report_time("this server knows no batches: ")
            except StaleError:
                stale += 1
            self._waiting = [one for one in self._waiting if one not in self._ledger.outcomes]
            self._show.update(len(self._ledger.outcomes), len(self._plan.images))
            if time.monotonic() - self._reported_at > REPORT_EVERY:
                self._report_time()
            why = guard.should_stop(self._ledger.outcomes[one][0] for one in self._ledger.tried)
            if first and self._ledger.tried and self._waiting:
                first, why = False, why or self._taken_along()
            if stale > MAX_STALE:
                why = "the service asked to wait again and again"
            if why and self._waiting:
                self.notes.append(f"stopped, because {why}; the rest was not tried")
                return

    def _taken_along(self) -> str:
        """Say after the first request if the service counts more images as gone than it deleted."""
        before, after = self._usage, self._ask_usage()
        if before is None or after is None or before.n_images is None or after.n_images is None:
            return ""
        more = before.n_images - after.n_images - len(self._ledger.tried)
        if more <= 0:
            return ""
        return (
            f"the service counts {plural(more, 'image')} fewer than this run deleted, and nobody knows whether a "
            "deletion takes others along that are not in the plan"
        )

    def _fresh(self, ids: list[str]) -> list[str]:
        """Look again if anything slow lay between; return which of these may still go."""
        if self._freshness.check():
            self._look_at(self._waiting)
        if self._slow and self._lookup.reads_singly(self._sender.size):
            # What a slow look saw first is old when it ends; reading a batch's own images is quick.
            self._look_at([one for one in ids if one in self._waiting])
            self._slow = True
        return [one for one in ids if one in self._waiting]

    def _hand_on(self) -> None:
        """Let the duplicates that stay inherit before anything goes; what cannot be handed on is kept."""
        if self._plan.deed is not DELETE or not self._plan.handed.keys() & set(self._waiting):
            return
        self._fresh(self._waiting)
        handing = [one for one in self._waiting if one in self._plan.handed]
        self._show.wait(f"handing tags and titles of {plural(len(handing), 'image')} on")
        failed = self._heirs.settle(handing)
        self.whole = self.whole and not failed
        self._drop(failed)
        # That takes long, and whoever edits images meanwhile is heard.
        self._freshness.spoil()

    def _proved(self, ids: list[str]) -> list[str]:
        """Check the backup once more, right before the images go."""
        if self._backup is None:
            return ids
        lost = self._backup.recheck(ids)
        self.whole = self.whole and not lost
        self._drop({image_id: f"its copy does not hold: {why}" for image_id, why in lost.items()})
        return [image_id for image_id in ids if image_id not in lost]

    def _report_time(self, why: str = "") -> None:
        self._reported_at = time.monotonic()
        n = len(self._waiting)
        requests = -(-n // self._sender.size)
        self._show.wait(
            f"{why}{plural(n, 'image')} to go by {plural(requests, self._sender.noun)}, "
            f"{about(seconds_needed(requests))} at Picora's documented pace"
        )

    def verify(self) -> None:
        """Look whether what was reported deleted is gone, and bring the newest snapshot up to date."""
        ids, late = self._ledger.deleted, self._ledger.late
        if not ids and not late:
            return
        reported = set(ids)
        current = self._look_again([*ids, *late], lambda seen: not seen.states.keys() & reported)
        if current is None:
            return
        gone = [one for one in late if one not in current.states]
        self._ledger.record(dict.fromkeys(gone, LOST))
        seen = [one for one in ids if one in current.states]
        ids = [*ids, *gone]
        self._ledger.record(dict.fromkeys(seen, ("unknown", "reported deleted, still visible")))
        follow(self._show, "gone", [one for one in ids if one not in current.states])
        self.notes.append(f"looked at again: {len(ids) - len(seen):,} of {len(ids):,} are gone")
        if current.listing is not None and self._others is not None:
            missing = self._others.difference(current.listing.index)
            if len(missing):
                self.notes.append(
                    f"{plural(len(missing), 'image')} that are not in the plan went meanwhile, whoever deleted them, "
                    f"such as {guard.shown_literal(str(missing[0]))}"
                )
        before, after = self._usage, self._ask_usage()
        if before and after and before.size_bytes is not None and after.size_bytes is not None:
            self.notes.append(
                f"the service counted {format_bytes(before.size_bytes)} before and "
                f"{format_bytes(after.size_bytes)} after"
            )
        self._remember(current)

    def _look_again(self, ids: list[str], settled: Callable[[Current], bool]) -> Current | None:
        """Look once all is sent, again while it is not settled; None, and a note, where that failed."""
        current, why = None, ""
        for pause in (0, *SETTLING):
            current, why = None, ""
            try:
                self._wait(pause)
                current = self._lookup.look(ids)
            except StoppedError:
                why = "cancelled"
                break
            except PicoraError as error:
                why = str(error)
            if current is not None and settled(current):
                break
        if current is None:
            self.whole = False
            self.notes.append(f"not looked at again afterwards: {why}")
        return current

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            check_stopped()
            time.sleep(0.1)

    def _ask_usage(self) -> Usage | None:
        try:
            return self._client.usage()
        except (PicoraError, StoppedError):
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
