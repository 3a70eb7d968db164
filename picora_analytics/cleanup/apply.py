"""Carry a plan out: exactly its images, each ending in one outcome, and when in doubt keep."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from filelock import FileLock, Timeout

from picora_analytics.cleanup.journal import Journal, Past, read_journal
from picora_analytics.cleanup.receipt import DeletionReceipt
from picora_analytics.cleanup.rehearsal import compare, refuse_other_account
from picora_analytics.client import changes
from picora_analytics.client.changes import BatchUnknownError, Result
from picora_analytics.client.client import Client
from picora_analytics.errors import (
    AuthenticationError,
    BackupError,
    ConfirmationError,
    JournalError,
    LockedError,
    NotFoundError,
    PermissionDeniedError,
    PicoraError,
    PlanError,
    UnsafePlanError,
)
from picora_analytics.files import data_folder, session_folder
from picora_analytics.library.frame import Facts, facts_of
from picora_analytics.library.loading import load_images
from picora_analytics.progress import Progress, progress_for

if TYPE_CHECKING:
    from picora_analytics.cleanup.plan import DeletionPlan

__all__ = ["carry_out", "check_phrase"]

# A lost answer is looked up; an image that is still there is tried so often in all.
MAX_TRIES = 3
NO_COPIES = "no copies were kept: these images cannot come back"


def check_phrase(plan: DeletionPlan, confirm: object) -> None:
    """
    Check that a phrase is this plan's own; blanks around it and the long form do not matter.

    Raises
    ------
    ConfirmationError
        If it is not.
    """
    given = confirm.strip() if isinstance(confirm, str) else confirm
    if given != plan.confirmation:
        raise ConfirmationError(
            f"confirm={confirm!r} is for another plan; this one is {plan.confirmation!r}. Look at the plan again "
            "before you confirm it."
        )


def carry_out(
    plan: DeletionPlan,
    client: Client,
    *,
    backup: object,
    journal: str | os.PathLike[str] = "default",
    progress: Progress | bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> DeletionReceipt:
    """
    Delete the images of a plan whose phrase was given.

    Parameters
    ----------
    plan : DeletionPlan
    client : Client
    backup : None
        Copies are not kept yet, which must be said.
    journal : str or path
        ``"default"`` is beside a saved plan, else in the user-data folder.
    progress : Progress or bool, optional
    cancelled : callable
        Asked between requests; what was not tried is kept.

    Raises
    ------
    PlanError
        If the plan is refused; nothing was sent that changes anything.
    AuthenticationError, PermissionDeniedError, JournalError
        If the run was stopped; the receipt so far is in ``.receipt``.
    """
    if backup is not None:
        raise BackupError(
            f"backup={backup!r}: copies cannot be kept yet. Say backup=None if these images may be lost for ever."
        )
    refuse_other_account(plan, client)
    path = journal_path(plan, client, journal)
    past = read_journal(path)
    if past is not None:
        return _answer_from(past, plan, path)
    with _lock(plan, client):
        now = _checked_now(plan, client)
        log = Journal(path)
        log.begin(plan.to_document())
        show = progress_for(progress, "Deleting")
        run = _Run(plan, client, now, log, show, cancelled)
        with client.reporting(show.wait):
            try:
                run.delete()
            except BaseException as error:
                receipt = run.receipt(f"not tried: the run was stopped ({type(error).__name__})")
                show.finish(f"Stopped: {_counted(receipt)}")
                if isinstance(error, PicoraError):
                    error.receipt = receipt
                raise
        log.end()
        receipt = run.receipt("not tried: cancelled")
        show.finish(_counted(receipt))
        return receipt


def journal_path(plan: DeletionPlan, client: Client, journal: str | os.PathLike[str]) -> Path:
    """Say where the journal of a plan is."""
    if journal != "default":
        return Path(journal)
    if plan.path is not None:
        return plan.path.with_suffix(".journal.ndjson")
    # Each demo is another library under the same phrases, and ends with the session.
    home = session_folder() / client.demo_session if plan.library["demo"] else data_folder()
    return home / "journals" / plan.library["account"] / f"{plan.fingerprint}.ndjson"


def _answer_from(past: Past, plan: DeletionPlan, path: Path) -> DeletionReceipt:
    if past.fingerprint != plan.fingerprint:
        raise JournalError(
            f"The journal {path} is of another plan, {past.confirmation!r}; give journal= another place."
        )
    if past.ended_at is None:
        open_ids = sorted(past.intents - set(past.outcomes))
        raise JournalError(
            f"This plan was begun on {_when(past.began_at)} and interrupted: {len(past.outcomes)} of "
            f"{len(plan.images)} images have an outcome, {len(open_ids)} were being deleted. Nothing is sent. "
            f"Load the library anew and plan again from that; the journal is {path}."
        )
    return _receipt(plan, past.outcomes, past.ended_at, done_before=True)


def _checked_now(plan: DeletionPlan, client: Client) -> pd.DataFrame:
    """List the library anew, and refuse if anything about the plan is not as it was."""
    _refuse(plan, plan.refusals)
    now = load_images(client, store=None, progress=False)
    changed = [(one, reason) for one, outcome, reason in compare(plan, now) if outcome == "kept"]
    if changed:
        shown = "; ".join(f"{one}: {reason}" for one, reason in changed[:5])
        raise PlanError(
            f"{len(changed)} of {len(plan.images)} planned images changed since the plan was made, so nothing is "
            f"deleted. {shown}. Load the library anew and plan again from that."
        )
    facts = cast(Facts, facts_of(now))
    there = plan.images.index[plan.images.index.isin(now.index)]
    size = int(plan.images.loc[there, "size_bytes"].sum())
    _refuse(plan, plan.caps.breaches(len(there), size, facts))
    return now


def _refuse(plan: DeletionPlan, reasons: Sequence[str]) -> None:
    if reasons:
        over = any("max_" in reason for reason in reasons)
        raise (UnsafePlanError if over else PlanError)(
            f"Plan {plan.confirmation!r} is refused and nothing is deleted: {'; '.join(reasons)}."
        )


def _lock(plan: DeletionPlan, client: Client) -> contextlib.AbstractContextManager[Any]:
    home = session_folder() / client.demo_session if plan.library["demo"] else data_folder()
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / f"{plan.library['account']}.lock", timeout=0)
    try:
        return lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run is deleting from account {plan.library['account'][:8]}; wait until it has ended."
        ) from None


class _Run:
    """One run over the images of a plan."""

    def __init__(
        self,
        plan: DeletionPlan,
        client: Client,
        now: pd.DataFrame,
        log: Journal,
        show: Progress,
        cancelled: Callable[[], bool],
    ) -> None:
        self._plan, self._client, self._log, self._show = plan, client, log, show
        self._cancelled = cancelled
        self._present = [str(one) for one in plan.images.index if one in now.index]
        self._outcomes: dict[str, tuple[str, str]] = {
            str(one): ("already gone", "before this run")
            for one in plan.images.index
            if one not in now.index
        }
        self._batches = True
        self._single_reads = False

    def delete(self) -> None:
        if self._outcomes:
            self._log.record(self._outcomes)
        if not self._present:
            return
        self._single_reads = self._knows_single_reads(self._present[0])
        waiting = list(self._present)
        while waiting and not self._cancelled():
            size = changes.MAX_BATCH if self._batches else 1
            ids, waiting = waiting[:size], waiting[size:]
            try:
                self._settle(ids)
            except BatchUnknownError:
                self._batches = False
                waiting = ids + waiting
            self._show.update(len(self._outcomes), len(self._plan.images))

    def _knows_single_reads(self, present: str) -> bool:
        """A 404 of this route is evidence only after it has answered 200 (it is not in the seed)."""
        try:
            self._client.get_image(present)
        except PicoraError:
            return False
        return True

    def _settle(self, ids: list[str]) -> None:
        """Send, look up what is not known, and send again what is still there, a few times."""
        reasons: dict[str, str] = {}
        for _ in range(MAX_TRIES):
            self._log.intend(ids)
            found = self._send(ids)
            settled = {
                one: ("deleted", "")
                if result.word == "deleted"
                else ("already gone", "when it was to be deleted")
                if result.word == "gone"
                else ("failed", result.reason)
                for one, result in found.items()
                if result.word in ("deleted", "gone", "failed")
            }
            self._keep(settled)
            open_ids = [one for one in ids if one not in settled]
            if not open_ids:
                return
            reasons |= {one: found[one].reason for one in open_ids}
            refused = {one for one in open_ids if found[one].word == "refused"}
            ids = self._look_up(open_ids, refused, reasons)
            if not ids:
                return
        self._keep(
            {one: ("failed", f"still there after {MAX_TRIES} tries: {reasons[one]}") for one in ids}
        )

    def _send(self, ids: list[str]) -> dict[str, Result]:
        try:
            if self._batches:
                return changes.delete_batch(self._client, ids)
            return {one: changes.delete_one(self._client, one) for one in ids}
        except (AuthenticationError, PermissionDeniedError) as error:
            self._keep({one: ("failed", str(error)) for one in ids})
            raise

    def _look_up(self, ids: list[str], refused: set[str], reasons: dict[str, str]) -> list[str]:
        """Settle what is gone or cannot be looked up; give back what may be sent again."""
        try:
            there = set(self._still_there(ids))
        except PicoraError as error:
            self._keep(
                {one: ("unknown", f"{reasons[one]} Looking it up failed: {error}") for one in ids}
            )
            return []
        settled: dict[str, tuple[str, str]] = {}
        for one in ids:
            if one not in there:
                # A refused one was gone before; an unknown one is explained by our own request.
                settled[one] = (
                    ("already gone", "when it was to be deleted")
                    if one in refused
                    else ("deleted", "the answer was lost; it is gone now")
                )
            elif one in refused:
                settled[one] = ("failed", reasons[one])
        self._keep(settled)
        return [one for one in ids if one not in settled]

    def _still_there(self, ids: list[str]) -> Iterator[str]:
        if not self._single_reads:
            yield from load_images(self._client, store=None, progress=False).index.intersection(ids)
            return
        for one in ids:
            try:
                self._client.get_image(one)
            except NotFoundError:
                continue
            yield one

    def _keep(self, outcomes: dict[str, tuple[str, str]]) -> None:
        if outcomes:
            self._outcomes |= outcomes
            self._log.record(outcomes)

    def receipt(self, untried: str) -> DeletionReceipt:
        outcomes = {
            str(one): self._outcomes.get(str(one), ("kept", untried))
            for one in self._plan.images.index
        }
        return _receipt(self._plan, outcomes, dt.datetime.now(dt.UTC))


def _receipt(
    plan: DeletionPlan,
    outcomes: dict[str, tuple[str, str]],
    finished_at: dt.datetime,
    *,
    done_before: bool = False,
) -> DeletionReceipt:
    rows = [(one, *outcomes.get(str(one), ("kept", "not tried"))) for one in plan.images.index]
    frame = pd.DataFrame(rows, columns=["id", "outcome", "reason"], dtype=object)
    gone = frame.loc[frame["outcome"] == "deleted", "id"]
    return DeletionReceipt(
        outcomes=frame,
        dry_run=False,
        confirmation=plan.confirmation,
        library=plan.library,
        size_bytes=int(plan.images.loc[gone, "size_bytes"].sum()),
        finished_at=finished_at,
        notes=(
            *(
                (f"carried out before, on {_when(finished_at)}; nothing was sent now",)
                if done_before
                else ()
            ),
            NO_COPIES,
        ),
    )


def _counted(receipt: DeletionReceipt) -> str:
    parts: list[Any] = [f"{n:,} {outcome}" for outcome, n in receipt.counts.items()]
    return ", ".join(parts) or "nothing planned"


def _when(moment: dt.datetime) -> str:
    return f"{moment:%d %b %Y at %H:%M} UTC"
