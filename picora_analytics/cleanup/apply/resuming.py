"""Go on with a deletion that was interrupted."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from picora_analytics.cleanup.apply.dry_run import refuse_other_account
from picora_analytics.cleanup.apply.journal import Past, read_journal
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import go_on, journal_path, locked
from picora_analytics.cleanup.deletion import UNSAID, DeletionPlan, Unsaid
from picora_analytics.cleanup.plan.document import plan_from
from picora_analytics.client.client import Client
from picora_analytics.errors import JournalError
from picora_analytics.progress import Progress

__all__ = ["resume_deletion"]


def resume_deletion(
    client: Client,
    journal: str | os.PathLike[str] | DeletionPlan,
    *,
    backup: str | os.PathLike[str] | Unsaid | None = UNSAID,
    progress: Progress | bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> DeletionReceipt:
    """
    Go on with a deletion that was interrupted, from its journal.

    The journal holds the plan whose phrase was given, so none is asked for again. What the interruption left
    unknown is looked up first. Then everything is checked as in an apply: expiry, changes, protection, caps, copies.
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
        As for :meth:`DeletionPlan.apply`; by default, what was said then.
    progress : Progress or bool, optional
    cancelled : callable
        Asked between requests; what was not tried is kept, and can be resumed again.

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
    path = (
        journal_path(journal, client, "default")
        if isinstance(journal, DeletionPlan)
        else Path(journal)
    )
    plan = plan_from(_past(path).plan, f"The plan in the journal {path}", None)
    refuse_other_account(plan, client)
    with locked(plan.library, client):
        past = _past(path)  # Anew: another run may just have ended.
        where = past.backup if isinstance(backup, Unsaid) else backup
        return go_on(plan, client, path, past, where, progress, cancelled)


def _past(path: Path) -> Past:
    past = read_journal(path)
    if past is None:
        raise JournalError(
            f"There is no journal {path}; without one nothing can be resumed. If a deletion was interrupted, load "
            "the library with refresh='full' and plan again from that."
        )
    return past
