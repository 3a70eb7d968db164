"""Carry a plan out or resume it: who may, one run at a time, and what the journal says was done before."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from picora_analytics.cleanup.apply.dry_run import decide
from picora_analytics.cleanup.apply.journal import Past, read_journal
from picora_analytics.cleanup.apply.ledger import Ledger, backup_notes
from picora_analytics.cleanup.apply.lookup import Lookup
from picora_analytics.cleanup.apply.places import journals, locked, note_place
from picora_analytics.cleanup.apply.receipt import DeletionReceipt, make_receipt
from picora_analytics.cleanup.apply.run import Run
from picora_analytics.cleanup.apply.visibility import VisibilityRun
from picora_analytics.cleanup.plan.deeds import DEEDS, DELETE, HIDE, SHOW, Deed
from picora_analytics.cleanup.plan.document import plan_from
from picora_analytics.cleanup.plan.guard import shown_literal
from picora_analytics.cleanup.plan.model import (
    STANDING_ORDER,
    UNSAID,
    Plan,
    Unsaid,
    refuse_other_account,
)
from picora_analytics.client.client import Client
from picora_analytics.client.retrying import StoppedError
from picora_analytics.client.waiting import stopping
from picora_analytics.errors import ConfirmationError, JournalError, PicoraError, PlanError
from picora_analytics.progress import Progress, progress_for
from picora_analytics.text import plural

__all__ = ["carry_out", "check_phrase", "journal_path", "look_again", "resume_deletion"]

# Seconds that an answer under way may still take after Cancel.
LAST_CHANCE = 0.5


@dataclasses.dataclass(frozen=True)
class _Options:
    """How a run is carried out: where files go, who is shown its progress, and who may stop it."""

    backup: str | os.PathLike[str] | None
    progress: Progress | bool | None
    cancelled: Callable[[], bool]
    keep: Mapping[str, str] | None = None


def check_phrase(plan: Plan, confirm: object) -> None:
    """Raise ConfirmationError unless a phrase is this plan's own; blanks around it do not matter."""
    given = confirm.strip() if isinstance(confirm, str) else confirm
    if given != plan.confirmation:
        deed = _deed_of_phrase(str(given))
        if re.fullmatch(r"(?:[a-z]+-)?[0-9]+-[0-9a-f]+", str(given)) is None:
            raise ConfirmationError(
                f"confirm={confirm!r} is not a phrase: one looks like {plan.confirmation!r}, the number of images and "
                "a fingerprint, as the preview says. Look at the plan again before you confirm it."
            )
        raise ConfirmationError(
            f"confirm={confirm!r} is for {_other(deed, plan)}; this one is "
            f"{plan.confirmation!r}. Look at the plan again before you confirm it."
        )


def _deed_of_phrase(text: str) -> Deed | None:
    """Tell what a phrase is for; None where it is none."""
    found = re.fullmatch(r"([a-z]+-)?[0-9]+-[0-9a-f]+", text)
    return next((one for one in DEEDS.values() if found and one.prefix == (found[1] or "")), None)


def _as_confirmed(plan: Plan) -> Plan:
    """Work everything out again: a frame may have been changed in place since, and what is kept is of before."""
    fresh = dataclasses.replace(plan)
    if fresh.fingerprint != plan.fingerprint:
        raise PlanError(
            "The plan was changed after its phrase was read, so the phrase is not for these images, and nothing is "
            f"{plan.deed.done}. To leave images out, use plan.without(...); for others, plan again."
        )
    return fresh


def carry_out(
    plan: Plan,
    client: Client,
    *,
    backup: str | os.PathLike[str] | None,
    journal: str | os.PathLike[str] = "default",
    progress: Progress | bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    keep: Mapping[str, str] | None = None,
) -> DeletionReceipt:
    """
    Delete (hide, show again) the images of a plan whose phrase was given.

    A hiding that was interrupted is gone on with: it can be taken back, so its phrase is enough.

    Parameters
    ----------
    plan : Plan
    client : Client
    backup : path or None
        The folder to back up to; None if the images may be lost for ever.
    journal : str or path
        ``"default"`` is beside a saved plan, else in the user-data folder.
    progress : Progress or bool, optional
    cancelled : callable
        Asked between requests; what was not tried is kept, and can be resumed.
    keep : mapping of id to str, optional
        Images to keep besides, and why.

    Raises
    ------
    PlanError
        If the plan is refused; nothing was sent that changes anything.
    AuthenticationError, PermissionDeniedError, JournalError
        If the run was stopped; the receipt so far is in ``.receipt``.
    """
    plan = _as_confirmed(plan)
    refuse_other_account(plan, client)
    path = journal_path(plan, client, journal)
    with locked(plan, client, path):
        past = read_journal(path)
        if past is not None and not _is_of(past, plan):
            raise JournalError(
                f"The journal {path} is of {_other(_deed(past), plan)}, {_phrase(past)}; this one is "
                f"{plan.confirmation!r}. Give journal= another place."
            )
        begun = past is not None and past.ended_at is None and bool(past.intents)
        # A standing order goes on by itself: all that it heeds was looked at again just now.
        if (
            begun
            and past is not None
            and plan.deed is DELETE
            and STANDING_ORDER not in plan.protection
        ):
            were = "was" if len(past.open_ids) == 1 else "were"
            raise JournalError(
                f"This plan was begun on {_when(past.began_at)} and interrupted: the outcome is known of "
                f"{len(past.outcomes):,} of {plural(len(plan.images), 'image')}, {len(past.open_ids):,} {were} being "
                f"deleted. Nothing is sent now. Type resume_deletion(client, {str(path)!r}) to go on with it."
            )
        if past is not None and _was_undone(plan, client, past):
            _put_aside(path, past)
            past = None
        return _go_on(plan, client, path, past, _Options(backup, progress, cancelled, keep))


def _was_undone(plan: Plan, client: Client, past: Past) -> bool:
    """
    Tell whether a hiding that was carried out was undone since, so that its phrase stands for a new one.

    On a service whose update times say nothing of the visibility, all is as it was before.
    """
    if plan.deed is DELETE or past.ended_at is None:
        return False
    done = [one for one, (word, _) in past.outcomes.items() if word == plan.deed.done]
    if not done:
        return False
    try:
        now = Lookup(client, plan.library["n_images"], plan.n_others).look(done)
    except PicoraError:
        return False  # Nobody can look, so what the journal says is all that is known.
    return any(verdict.action == "delete" for verdict in decide(plan, now, done).values())


def _put_aside(path: Path, past: Past) -> None:
    """Give the journal of an earlier run under the same phrase another name."""
    name = path.name.removesuffix(".ndjson")
    try:
        path.rename(path.with_name(f"{name}.until-{past.last_at:%Y%m%dT%H%M%S%f}.ndjson"))
    except OSError as error:
        raise JournalError(
            f"The journal {path} of an earlier run under this phrase cannot be put aside ({error.strerror})."
        ) from error


def resume_deletion(
    client: Client,
    journal: str | os.PathLike[str] | Plan,
    *,
    backup: str | os.PathLike[str] | Unsaid | None = UNSAID,
    progress: Progress | bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    keep: Mapping[str, str] | None = None,
) -> DeletionReceipt:
    """
    Resume a deletion that was interrupted, from its journal.

    The journal holds the plan whose phrase was given, so none is asked for again. What the interruption left
    unknown is looked up first. Then everything is checked as in an apply: expiry, changes, protection, caps, backup.
    What is already gone is not sent again, and nothing beyond the plan is. A plan that was carried out to its end
    answers from its journal.

    Parameters
    ----------
    client : Client
        Of the plan's own account.
    journal : path or DeletionPlan
        The journal, as the error or the receipt names it; or the plan, whose journal is then looked for in its
        usual place.
    backup : path or None, optional
        As for :meth:`DeletionPlan.apply`; by default, what was given then.
    progress : Progress or bool, optional
    cancelled : callable
        Asked between requests; what was not tried is kept, and can be resumed again.
    keep : mapping of id to str, optional
        Images to keep besides, and why. With all that are left, the deletion is ended there.

    Returns
    -------
    DeletionReceipt
        Of the whole plan, the earlier runs included.

    Raises
    ------
    JournalError
        If there is no such journal, it is damaged, or it names images its plan does not hold.
    PlanError, UnsafePlanError, LockedError
        If the rest of the plan is refused; the receipt so far is in ``.receipt``.
    """
    path = _journal_of(journal, client) if isinstance(journal, Plan) else Path(journal).expanduser()
    plan = _resumable(path, _past(path, journal))
    refuse_other_account(plan, client)
    with locked(plan, client, path):
        past = _past(path, journal)  # Again: another run may just have ended.
        where = past.backup if isinstance(backup, Unsaid) else backup
        return _go_on(plan, client, path, past, _Options(where, progress, cancelled, keep))


def look_again(
    client: Client, journal: str | os.PathLike[str], *, keep: Mapping[str, str] | None = None
) -> DeletionReceipt:
    """
    Tell what :func:`resume_deletion` would do now: a dry run of what is left. Nothing is sent but reads.

    Raises
    ------
    JournalError, PlanError, UnsafePlanError
        As the resume would; then nothing can be resumed.
    """
    path = Path(journal).expanduser()
    past = _past(path, journal)
    plan = _resumable(path, past)
    refuse_other_account(plan, client)
    ledger = Ledger(plan, path, past, past.backup)  # Never opened: nothing is written.
    run = Run(plan, client, ledger, progress_for(False, ""), lambda: False, keep=keep)
    would = dict.fromkeys(run.rehearse(), (plan.deed.would, ""))
    return make_receipt(plan, ledger.outcomes | would, dry_run=True, journal=path, complete=False)


def _resumable(path: Path, past: Past) -> Plan:
    """Give the plan of a journal, unless a policy made it: what that heeds is looked at anew with each run."""
    plan = plan_from(past.plan, f"The plan in the journal {path}", None)
    if STANDING_ORDER in plan.protection and past.ended_at is None:
        raise PlanError(
            f"The journal {path} is of a standing order, whose lists, decisions, date and caps of the week hold anew "
            "each time. Nothing is sent. Run the policy again: it takes what is left and may still go."
        )
    return plan


def _journal_of(plan: Plan, client: Client) -> Path:
    """Give the journal of a plan; where it has none, the one in its place, to be refused by name."""
    path = journal_path(plan, client, "default")
    return path if plan.path is None or path.exists() else _beside(plan.path)


def _beside(path: Path, deed: Deed = DELETE) -> Path:
    return path.with_suffix({DELETE: ""}.get(deed, f".{deed.name}") + ".journal.ndjson")


def _past(path: Path, wanted: object) -> Past:
    """Read a journal that something was sent by, and that is of the wanted plan where one is given."""
    past = read_journal(path)
    if past is None:
        raise JournalError(
            f"There is no journal {path}; without one nothing can be resumed. If a deletion was interrupted, load "
            "the library with refresh='full' and plan again from that."
        )
    deed = _deed(past)
    if deed is not DELETE:
        on = "plan.hide with its phrase" if deed is HIDE else "unhide_images with its phrase"
        raise JournalError(
            f"The journal {path} is of {deed.of}, {_phrase(past)}, which deletes nothing; nothing is sent. To go on "
            f"with it, type {on}."
        )
    if isinstance(wanted, Plan) and not _is_of(past, wanted):
        raise JournalError(
            f"The journal {path} is of another plan, {_phrase(past)}; the one given is {wanted.confirmation!r}. "
            "Nothing is sent. To go on with the other plan, give its journal by path."
        )
    if not past.intents and past.ended_at is None:
        raise JournalError(
            f"The journal {path} of plan {_phrase(past)} says that nothing was sent, so there is nothing to resume; "
            "apply the plan with its phrase."
        )
    return past


def _is_of(past: Past, plan: Plan) -> bool:
    return bool(past.plan.get("fingerprint") == plan.fingerprint)


def _deed(past: Past) -> Deed:
    """Give the deed of a journal; those of before there were several are of deletions."""
    return DEEDS.get(str(past.plan.get("deed", DELETE.name)), DELETE)


def _other(deed: Deed | None, plan: Plan) -> str:
    """Name what a phrase or a journal is of, where it is not of this plan."""
    return "another plan" if deed is None or deed is plan.deed else deed.of


def _phrase(past: Past) -> str:
    return shown_literal(str(past.plan.get("confirmation")))


def _some_time_after(cancelled: Callable[[], bool]) -> Callable[[], bool]:
    """Tell when an answer under way had its last chance: most come in time to be known."""
    since: list[float] = []

    def is_over() -> bool:
        if not since and cancelled():
            since.append(time.monotonic())
        return bool(since) and time.monotonic() - since[0] > LAST_CHANCE

    return is_over


def _go_on(
    plan: Plan, client: Client, path: Path, past: Past | None, options: _Options
) -> DeletionReceipt:
    """Do what is left of a plan: all, some, or nothing if its journal says that it was carried out."""
    if past is not None and past.ended_at is not None:
        return _answer(plan, past, past.ended_at, path)
    show = progress_for(options.progress, plan.deed.doing)
    folder = None if options.backup is None else os.fspath(options.backup)
    note_place(path, plan.library, client)
    ledger = Ledger(plan, path, past, folder)
    kind = Run if plan.deed is DELETE else VisibilityRun
    run = kind(plan, client, ledger, show, options.cancelled, keep=options.keep)
    with client.reporting(show.wait), stopping(_some_time_after(options.cancelled)):
        try:
            # Cancelled while an answer did not come: what that was about is unknown, and can be resumed.
            with contextlib.suppress(StoppedError):
                run.look()
                run.back_up(folder, options.progress)
                run.delete()
                run.verify()
                ledger.end(run.whole)
        except BaseException as error:
            why = f"not tried: the run was stopped ({type(error).__name__})"
            receipt = ledger.receipt(why, run.notes)
            show.finish(f"Stopped: {_counted(receipt)}")
            if ledger.sent:
                error.receipt = receipt  # type: ignore[attr-defined]  # Ctrl-C has one as well.
            raise
    untried = "not tried: cancelled" if options.cancelled() else "not tried"
    receipt = ledger.receipt(untried, run.notes)
    show.finish(_counted(receipt))
    return receipt


def _answer(plan: Plan, past: Past, ended_at: dt.datetime, path: Path) -> DeletionReceipt:
    """Give the receipt of a plan that was carried out before."""
    outcomes = dict.fromkeys(plan.states, ("kept", "not tried")) | past.outcomes
    return make_receipt(
        plan,
        outcomes,
        finished_at=ended_at,
        notes=(
            f"carried out before, on {_when(ended_at)}; nothing was sent now",
            *backup_notes(plan, outcomes, past.backup),
        ),
        times=past.times,
        journal=path,
    )


def journal_path(plan: Plan, client: Client, journal: str | os.PathLike[str]) -> Path:
    """
    Choose where the journal of a plan is, its own alone.

    Beside a saved plan it has the plan's name, and the fingerprint too where that name is taken by another plan's:
    last week's, or one whose name differs after the last dot.
    """
    if journal != "default":
        return Path(journal).expanduser()
    if plan.path is not None:
        path = _beside(plan.path, plan.deed)
        past = read_journal(path)
        own = path.with_name(f"{plan.path.stem}.{plan.fingerprint[:12]}.journal.ndjson")
        return path if not own.exists() and (past is None or _is_of(past, plan)) else own
    # What is shown again has no plan of its own to be found by, only the phrase that was typed.
    name = plan.confirmation if plan.deed is SHOW else plan.fingerprint
    return journals(plan.library, client) / f"{name}.ndjson"


def _counted(receipt: DeletionReceipt) -> str:
    parts = [f"{n:,} {outcome}" for outcome, n in receipt.counts.items()]
    return ", ".join(parts) or "nothing planned"


def _when(moment: dt.datetime) -> str:
    return f"{moment:%d %b %Y at %H:%M} UTC"
