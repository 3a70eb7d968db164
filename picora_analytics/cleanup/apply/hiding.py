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
from picora_analytics.progress import Progress

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
    made: DeletionReceipt | None = None
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
        made = getattr(error, "receipt", None)
        raise
    finally:
        if made is not None and decisions is not None:
            note_hidden(hiding, made.hidden_at, decisions)
    return made
