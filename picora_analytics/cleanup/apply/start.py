"""Carry a plan out: who may, once at a time, and what a journal says was done before."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from picora_analytics.cleanup.apply.dry_run import refuse_other_account
from picora_analytics.cleanup.apply.journal import Past, read_journal
from picora_analytics.cleanup.apply.ledger import Ledger, copies_note
from picora_analytics.cleanup.apply.receipt import DeletionReceipt, make_receipt
from picora_analytics.cleanup.apply.run import Run
from picora_analytics.client.client import Client
from picora_analytics.errors import ConfirmationError, JournalError, LockedError
from picora_analytics.files import data_folder, session_folder
from picora_analytics.library.frame import Facts
from picora_analytics.progress import Progress, progress_for

if TYPE_CHECKING:
    from picora_analytics.cleanup.deletion import DeletionPlan

__all__ = ["carry_out", "check_phrase", "go_on", "journal_path", "locked"]


def check_phrase(plan: DeletionPlan, confirm: object) -> None:
    """
    Check that a phrase is this plan's own; blanks around it do not matter.

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
    backup: str | os.PathLike[str] | None,
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
    backup : path or None
        The folder for copies; None if the images may be lost for ever.
    journal : str or path
        ``"default"`` is beside a saved plan, else in the user-data folder.
    progress : Progress or bool, optional
    cancelled : callable
        Asked between requests; what was not tried is kept, and can be resumed.

    Raises
    ------
    PlanError
        If the plan is refused; nothing was sent that changes anything.
    AuthenticationError, PermissionDeniedError, JournalError
        If the run was stopped; the receipt so far is in ``.receipt``.
    """
    refuse_other_account(plan, client)
    path = journal_path(plan, client, journal)
    with locked(plan.library, client):
        past = read_journal(path)
        if past is not None and past.plan.get("fingerprint") != plan.fingerprint:
            raise JournalError(
                f"The journal {path} is of another plan, {past.plan.get('confirmation')!r}; give journal= another "
                "place."
            )
        if past is not None and past.ended_at is None and past.intents:
            raise JournalError(
                f"This plan was begun on {_when(past.began_at)} and interrupted: {len(past.outcomes):,} of "
                f"{len(plan.images):,} images have an outcome, {len(past.open_ids):,} were being deleted. Nothing is "
                f"sent now. Type resume_deletion(client, {str(path)!r}) to go on with it."
            )
        if past is not None and not past.intents:
            past = (
                None  # Nothing was sent by it; the caps and protection that count are this plan's.
            )
        return go_on(plan, client, path, past, backup, progress, cancelled)


def go_on(
    plan: DeletionPlan,
    client: Client,
    path: Path,
    past: Past | None,
    backup: str | os.PathLike[str] | None,
    progress: Progress | bool | None,
    cancelled: Callable[[], bool],
) -> DeletionReceipt:
    """Do what is left of a plan: all, some, or nothing where its journal says that it was carried out."""
    if past is not None and past.ended_at is not None:
        return _answer(plan, past, past.ended_at, path)
    show = progress_for(progress, "Deleting")
    folder = None if backup is None else os.fspath(backup)
    ledger = Ledger(plan, path, past, folder)
    run = Run(plan, client, ledger, show, cancelled)
    with client.reporting(show.wait):
        try:
            run.look()
            run.copy(folder, progress)
            run.delete()
            run.verify()
            ledger.end()
        except BaseException as error:
            why = f"not tried: the run was stopped ({type(error).__name__})"
            receipt = ledger.receipt(why, run.notes)
            show.finish(f"Stopped: {_counted(receipt)}")
            if ledger.sent:
                error.receipt = receipt  # type: ignore[attr-defined]  # Ctrl-C has one as well.
            raise
    receipt = ledger.receipt("not tried: cancelled" if cancelled() else "not tried", run.notes)
    show.finish(_counted(receipt))
    return receipt


def _answer(plan: DeletionPlan, past: Past, ended_at: dt.datetime, path: Path) -> DeletionReceipt:
    """Give the receipt of a plan that was carried out before."""
    kept = dict.fromkeys(plan.states, ("kept", "not tried"))
    return make_receipt(
        plan,
        kept | past.outcomes,
        finished_at=ended_at,
        notes=(
            f"carried out before, on {_when(ended_at)}; nothing was sent now",
            copies_note(past.backup),
        ),
        journal=path,
    )


def journal_path(plan: DeletionPlan, client: Client, journal: str | os.PathLike[str]) -> Path:
    """Say where the journal of a plan is."""
    if journal != "default":
        return Path(journal)
    if plan.path is not None:
        return plan.path.with_suffix(".journal.ndjson")
    account = plan.library["account"]
    return _home(plan.library, client) / "journals" / account / f"{plan.fingerprint}.ndjson"


def locked(library: Facts, client: Client) -> contextlib.AbstractContextManager[Any]:
    """
    Hold an account: one run at a time changes it.

    Raises
    ------
    LockedError
        If another run holds it.
    """
    folder = _home(library, client) / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = FileLock(folder / f"{library['account']}.lock", timeout=0)
    try:
        return lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run is deleting from account {library['account'][:8]}; wait until it has ended."
        ) from None


def _home(library: Facts, client: Client) -> Path:
    # Each demo is another library under the same phrases, and ends with the session.
    return session_folder() / client.demo_session if library["demo"] else data_folder()


def _counted(receipt: DeletionReceipt) -> str:
    parts = [f"{n:,} {outcome}" for outcome, n in receipt.counts.items()]
    return ", ".join(parts) or "nothing planned"


def _when(moment: dt.datetime) -> str:
    return f"{moment:%d %b %Y at %H:%M} UTC"
