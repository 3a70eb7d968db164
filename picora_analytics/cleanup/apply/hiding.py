"""Hide the images of a plan, and note in decisions what was hidden and when."""

from __future__ import annotations

import os
from collections.abc import Callable

from picora_analytics.cleanup.apply.dry_run import dry_run
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import carry_out, check_phrase
from picora_analytics.cleanup.plan.hidden import kept_from_hiding, note_hidden
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client.client import Client
from picora_analytics.errors import PicoraError, PlanError
from picora_analytics.files import reason_of
from picora_analytics.progress import Progress
from picora_analytics.text import plural

__all__ = ["hide"]


def hide(
    plan: Plan,
    client: Client,
    confirm: str | None,
    *,
    decisions: str | os.PathLike[str] | None = None,
    journal: str | os.PathLike[str] = "default",
    progress: Progress | bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> DeletionReceipt:
    """Hide the public images of a plan, as :meth:`DeletionPlan.hide` says; `cancelled` is asked between requests."""
    hiding = plan.as_hiding()
    kept = kept_from_hiding(hiding, decisions)
    if confirm is None:
        return dry_run(hiding, client, kept)
    check_phrase(hiding, confirm)
    try:
        made = carry_out(
            hiding,
            client,
            backup=None,
            journal=journal,
            progress=progress,
            cancelled=cancelled,
            keep=kept,
        )
    except BaseException as error:  # What was hidden until then is noted as well.
        if (stopped := getattr(error, "receipt", None)) is not None:
            try:
                _note(hiding, stopped, decisions)
            except PlanError as unnoted:
                error.add_note(str(unnoted))
        raise
    _note(hiding, made, decisions)
    return made


def _note(plan: Plan, made: DeletionReceipt, decisions: str | os.PathLike[str] | None) -> None:
    """Note what was hidden; PlanError with the receipt where that cannot be written."""
    if decisions is None:
        return
    try:
        note_hidden(plan, made.hidden_at, decisions)
    except (OSError, PicoraError) as error:
        why = reason_of(error) if isinstance(error, OSError) else str(error).removesuffix(".")
        failure = PlanError(
            f"{plural(len(made.hidden_at), 'image')} of this plan are hidden, and that could not be noted in "
            f"{os.fspath(decisions)} ({why}). Mend that and type the same again: it hides nothing twice."
        )
        failure.receipt = made
        raise failure from error
