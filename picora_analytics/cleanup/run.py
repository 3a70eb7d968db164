"""One run over the images of a plan: look, copy, and batch by batch write down, send, write down."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from picora_analytics.cleanup import guard
from picora_analytics.cleanup.backup import Backup, back_up
from picora_analytics.cleanup.journal import Journal, Past
from picora_analytics.cleanup.looking import Lookout, Sight
from picora_analytics.cleanup.receipt import DeletionReceipt, make_receipt
from picora_analytics.cleanup.rehearsal import today
from picora_analytics.client import changes
from picora_analytics.client.changes import BatchUnknownError, Result
from picora_analytics.client.client import Client, Usage
from picora_analytics.client.pacing import BURST, PER_HOUR, PER_MINUTE
from picora_analytics.errors import (
    AuthenticationError,
    PermissionDeniedError,
    PicoraError,
    PlanError,
    RateLimitError,
    UnsafePlanError,
)
from picora_analytics.library.loading import snapshots_of
from picora_analytics.progress import Progress
from picora_analytics.text import visible
from picora_analytics.units import format_bytes

if TYPE_CHECKING:
    from picora_analytics.cleanup.plan import DeletionPlan

__all__ = ["Run", "copies_note"]

# A lost answer is looked up; an image that is still there is tried so often in all.
MAX_TRIES = 3
# What was seen is believed for so many seconds; then it is looked at again before the next request.
FRESH_FOR = 600.0
# How long an image that was reported deleted may still be seen, in seconds between looks.
SETTLING = (0.1, 0.4, 1.5)
# Every so many seconds the time left is said.
SAY_EVERY = 10.0
LOST = ("deleted", "the answer was lost; it is gone now")
GONE = ("already gone", "when it was to be deleted")


def copies_note(backup: str | None) -> str:
    """Say for a receipt where the copies are."""
    if backup is None:
        return "no copies were kept: these images cannot come back"
    return f"copies were kept in {visible(backup)}; restore_images uploads them again, under new addresses"


class Run:
    """
    One run over the images of a plan.

    The caller holds the account's lock, and calls :meth:`look`, :meth:`begin`, :meth:`delete`, :meth:`verify` and
    :meth:`end` in this order.

    Parameters
    ----------
    plan : DeletionPlan
    client : Client
    path : Path
        Of the journal.
    past : Past or None
        What the journal says of an earlier run.
    backup : str or None
        The folder for copies.
    show : Progress
    cancelled : callable
    fresh_for : float
        Seconds that a look is believed.
    """

    def __init__(
        self,
        plan: DeletionPlan,
        client: Client,
        path: Path,
        past: Past | None,
        backup: str | None,
        show: Progress,
        cancelled: Callable[[], bool],
        *,
        fresh_for: float = FRESH_FOR,
    ) -> None:
        self._plan, self._client, self._path, self._past = plan, client, path, past
        self._backup, self._show, self._cancelled = backup, show, cancelled
        self._fresh_for = fresh_for
        self._lookout = Lookout(client, plan.library["n_images"])
        self._looked_at = 0.0
        self._log: Journal | None = None
        self._copies: Backup | None = None
        # Only what is settled for good is taken over; the rest is decided anew.
        self._outcomes = {
            one: outcome
            for one, outcome in (past.outcomes if past else {}).items()
            if outcome[0] in ("deleted", "already gone")
        }
        self._sent = set(past.intents) if past else set()
        self._in_flight = past.open_ids if past else set()
        self._lost = set(self._in_flight)
        self._waiting: list[str] = []
        self._tried: set[str] = set()
        self._batches = True
        self._ended = False
        self._usage: Usage | None = None
        self._notes: list[str] = []

    @property
    def sent(self) -> bool:
        """Whether a deleting request may have been sent, now or by an earlier run."""
        return bool(self._sent)

    def look(self) -> None:
        """
        Decide about each image by what is there now.

        Raises
        ------
        PlanError
            If the plan, or what is left of it, may not be carried out.
        """
        if self._past is None:
            self._refuse(self._plan.refusals)
        else:
            self._log = Journal.reopen(self._path, self._past, self._backup)
        self._show.wait("looking at what is there now")
        sight = self._look()
        self._keep({one: LOST for one in self._lost if one not in sight.states})
        self._in_flight.clear()
        self._decide(sight, list(self._plan.states))
        deleted = [one for one, (outcome, _) in self._outcomes.items() if outcome == "deleted"]
        gone = self._plan.amount(deleted)
        library = guard.Amount(
            sight.library.n_images + gone.n_images, sight.library.size_bytes + gone.size_bytes
        )
        taken = self._plan.amount([*self._waiting, *deleted])
        self._refuse([*self._plan.refusals, *self._plan.caps.breaches(taken, library)])

    def _look(self) -> Sight:
        open_ids = [one for one in self._plan.states if one not in self._outcomes]
        sight = self._lookout.look({*open_ids, *self._plan.copies.values()})
        self._looked_at = time.monotonic()
        return sight

    def _decide(self, sight: Sight, ids: list[str]) -> None:
        """Keep what changed or became protected, and leave the rest waiting."""
        open_ids = [one for one in ids if one not in self._outcomes]
        found = today(self._plan, sight)
        self._waiting = [one for one in open_ids if found[one].word == "delete"]
        self._keep(
            {
                one: (found[one].word, found[one].reason or "before this run")
                for one in open_ids
                if found[one].word != "delete"
            }
        )

    def _refuse(self, reasons: Iterable[str]) -> None:
        said = "; ".join(dict.fromkeys(reasons))
        if said:
            raise (UnsafePlanError if "max_" in said else PlanError)(
                f"Plan {self._plan.confirmation!r} is refused and nothing is deleted: {said}."
            )

    def begin(self) -> None:
        """Open the journal, before the first deleting request."""
        if self._log is None:
            self._log = Journal.begin(self._path, self._plan.to_document(), self._backup)
            if self._outcomes:
                self._log.record(self._outcomes)

    def copy(self, progress: Progress | bool | None) -> None:
        """Keep copies of what is waiting; what cannot be copied is kept itself."""
        if self._backup is None or not self._waiting:
            return
        self._copies = back_up(
            self._plan.images.loc[self._waiting],
            self._plan.library,
            self._client,
            self._backup,
            progress=progress,
            cancelled=self._cancelled,
        )
        failed = self._copies.failed
        self._drop(
            {
                one: f"no copy: {failed.get(one, 'it was not tried')}"
                for one in self._waiting
                if one in failed or one not in self._copies.proofs
            }
        )

    def _drop(self, reasons: dict[str, str]) -> None:
        """Keep images that were waiting."""
        self._keep({one: ("kept", reason) for one, reason in reasons.items()})
        self._waiting = [one for one in self._waiting if one not in reasons]

    def delete(self) -> None:
        """Delete what is waiting, batch by batch, until it is done, cancelled, or too much goes wrong."""
        if not self._waiting or self._cancelled():
            return
        self._usage = self._ask_usage()
        self._show.wait(self._time_needed())
        said_at = time.monotonic()
        while self._waiting and not self._cancelled():
            if time.monotonic() - self._looked_at > self._fresh_for:
                self._decide(self._look(), self._waiting)
            size = changes.MAX_BATCH if self._batches else 1
            ids = self._waiting[:size]
            if self._copies is not None:
                lost = self._copies.recheck(ids)
                self._drop({one: f"its copy does not hold: {why}" for one, why in lost.items()})
                ids = [one for one in ids if one not in lost]
            if ids and not self._send_batch(ids):
                continue
            self._show.update(len(self._outcomes), len(self._plan.images))
            if time.monotonic() - said_at > SAY_EVERY:
                said_at = time.monotonic()
                self._show.wait(self._time_needed())
            why = guard.should_stop(self._outcomes[one][0] for one in self._tried)
            if why and self._waiting:
                self._notes.append(f"stopped, because {why}; the rest was not tried")
                return

    def _time_needed(self) -> str:
        n = len(self._waiting)
        requests = -(-n // changes.MAX_BATCH) if self._batches else n
        kind = f"{requests:,} deleting request{'s' * (requests != 1)}"
        return f"{n:,} images to go by {kind}, {_about(_seconds(requests))}"

    def _send_batch(self, ids: list[str]) -> bool:
        """Settle some images; False where the server has no batches, and they wait on."""
        try:
            self._settle(ids)
        except BatchUnknownError:
            self._batches = False
            self._show.wait(f"this server knows no batches: {self._time_needed()}")
            return False
        self._waiting = [one for one in self._waiting if one not in self._outcomes]
        return True

    def _settle(self, ids: list[str]) -> None:
        """Send, look up what is not known, and send again what is still there unchanged, a few times."""
        reasons: dict[str, str] = {}
        for _ in range(MAX_TRIES):
            found = self._send(ids)
            settled = {
                one: _outcome(result, lost=one in self._lost)
                for one, result in found.items()
                if result.word in ("deleted", "gone", "failed")
            }
            self._keep(settled)
            open_ids = [one for one in ids if one not in settled]
            if not open_ids:
                return
            reasons |= {one: found[one].reason for one in open_ids}
            refused = {one for one in open_ids if found[one].word == "refused"}
            self._lost |= set(open_ids) - refused
            ids = self._look_up(open_ids, refused, reasons)
            if not ids:
                return
        self._keep(
            {one: ("failed", f"still there after {MAX_TRIES} tries: {reasons[one]}") for one in ids}
        )

    def _send(self, ids: list[str]) -> dict[str, Result]:
        log = self._journal()
        log.intend(ids)
        self._sent |= set(ids)
        self._in_flight |= set(ids)
        try:
            if self._batches:
                found = changes.delete_batch(self._client, ids)
            else:
                found = {one: changes.delete_one(self._client, one) for one in ids}
        except BatchUnknownError:
            # The server did nothing: no route took the request.
            log.record(dict.fromkeys(ids, ("kept", "not tried: no batches here")))
            self._in_flight -= set(ids)
            raise
        except (AuthenticationError, PermissionDeniedError) as error:
            self._keep({one: ("failed", str(error)) for one in ids})
            raise
        except RateLimitError as error:
            self._keep(dict.fromkeys(ids, ("kept", f"not tried: {error}")))
            raise
        self._tried |= set(ids)
        return found

    def _look_up(self, ids: list[str], refused: set[str], reasons: dict[str, str]) -> list[str]:
        """Settle what is gone, changed, or cannot be looked up; give back what may be sent again."""
        try:
            there = self._lookout.look(ids).states
        except PicoraError as error:
            self._keep(
                {one: ("unknown", f"{reasons[one]} Looking it up failed: {error}") for one in ids}
            )
            return []
        planned = {one: self._plan.states[one] for one in ids}
        found = guard.verdicts(planned, there, self._plan.protected_tags, {})
        settled: dict[str, tuple[str, str]] = {}
        for one, verdict in found.items():
            if verdict.word == "already gone":
                settled[one] = GONE if one in refused and one not in self._lost else LOST
            elif verdict.word == "kept":
                settled[one] = ("kept", verdict.reason)
            elif one in refused:
                settled[one] = ("failed", reasons[one])
        self._keep(settled)
        return [one for one in ids if one not in settled]

    def verify(self) -> None:
        """Look whether what was reported deleted is gone, and bring the newest snapshot up to date."""
        now = {one for one in self._tried if self._outcomes[one][0] == "deleted"}
        if not now:
            return
        seen = now
        try:
            sight = self._lookout.look(now)
            for pause in SETTLING:
                seen = {one for one in now if one in sight.states}
                if not seen:
                    break
                time.sleep(pause)
                sight = self._lookout.look(now)
            seen = {one for one in now if one in sight.states}
        except PicoraError as error:
            self._notes.append(f"not looked at again afterwards: {error}")
            return
        self._keep(dict.fromkeys(seen, ("unknown", "reported deleted, still visible")))
        self._notes.append(f"looked at again: {len(now) - len(seen):,} of {len(now):,} are gone")
        before, after = self._usage, self._ask_usage()
        if before and after and None not in (before.size_bytes, after.size_bytes):
            self._notes.append(
                f"the service counted {format_bytes(before.size_bytes or 0)} before and "
                f"{format_bytes(after.size_bytes or 0)} after"
            )
        self._remember(sight)

    def _remember(self, sight: Sight) -> None:
        """Bring what is remembered of the library up to date, where it is remembered at all."""
        if sight.listing is None:
            return
        try:
            store = snapshots_of(self._client)
            if store.versions():
                store.save(sight.listing)
        except (PicoraError, OSError) as error:
            self._notes.append(f"the snapshot was not brought up to date: {error}")

    def _ask_usage(self) -> Usage | None:
        try:
            return self._client.usage()
        except PicoraError:
            return None

    def _journal(self) -> Journal:
        if self._log is None:
            raise AssertionError("begin() comes before the first request")
        return self._log

    def _keep(self, outcomes: dict[str, tuple[str, str]]) -> None:
        """Hold what became of images, and write it down."""
        if outcomes:
            self._outcomes |= outcomes
            self._in_flight -= set(outcomes)
            if self._log is not None:
                self._log.record(outcomes)

    def end(self) -> DeletionReceipt:
        """Close the journal where nothing is left to do, and give the receipt."""
        unknown = any(outcome == "unknown" for outcome, _ in self._outcomes.values())
        self._ended = not unknown and all(one in self._outcomes for one in self._plan.states)
        # A plan of which nothing was ever sent was not carried out: it may be confirmed again.
        if self._ended and self._sent:
            self._journal().end()
        return self.receipt("not tried: cancelled" if self._cancelled() else "not tried")

    def receipt(self, untried: str) -> DeletionReceipt:
        """Give one outcome for each image; `untried` is the reason of those that were not reached."""
        rest = {
            one: ("unknown", "the run ended before its answer was read")
            if one in self._in_flight
            else ("kept", untried)
            for one in self._plan.states
        }
        notes = [*self._notes, copies_note(self._backup)]
        if self._sent and not self._ended:
            notes.append(f"to go on with the rest: resume_deletion(client, {str(self._path)!r})")
        return make_receipt(
            self._plan,
            rest | self._outcomes,
            notes=tuple(notes),
            journal=None if self._log is None else self._path,
            complete=self._ended,
        )


def _outcome(result: Result, *, lost: bool) -> tuple[str, str]:
    """Say what an answer means for an image; after a lost answer, gone means that we did it."""
    if result.word == "gone":
        return LOST if lost else GONE
    return result.word, result.reason if result.word == "failed" else ""


def _seconds(requests: int) -> float:
    """Give the least time so many changing requests take, by Picora's documented budgets."""
    hours, rest = divmod(max(requests - 1, 0), PER_HOUR)
    paced = max(requests - BURST["mutation"], 0) * 60 / PER_MINUTE["mutation"]
    return max(paced, hours * 3600 + rest * 60 / PER_MINUTE["mutation"] if hours else 0.0)


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes // 60} h {minutes % 60} min"
