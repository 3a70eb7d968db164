"""The dry run: what a plan would do to the library as it is now. Only reads are sent."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from picora_analytics.cleanup.receipt import DeletionReceipt
from picora_analytics.client.client import Client
from picora_analytics.errors import PlanError
from picora_analytics.library.loading import load_images
from picora_analytics.text import visible

if TYPE_CHECKING:
    from picora_analytics.cleanup.plan import DeletionPlan

__all__ = ["drift", "rehearse"]

# What is compared between the plan and now, in words for a person.
_COMPARED = {
    "size_bytes": "size",
    "updated_at": "update time",
    "is_public": "visibility",
    "tags": "tags",
}


def rehearse(plan: DeletionPlan, client: Client) -> DeletionReceipt:
    """Give the receipt as it would be now."""
    refuse_other_account(plan, client)
    now = load_images(client, store=None, progress=False)
    outcomes = compare(plan, now)
    refusals = plan.refusals
    if refusals:
        why = "the plan is refused: " + "; ".join(refusals)
        outcomes = [
            (one, "kept", why) if outcome == "would delete" else (one, outcome, reason)
            for one, outcome, reason in outcomes
        ]
    frame = pd.DataFrame(outcomes, columns=["id", "outcome", "reason"], dtype=object)
    going = frame.loc[frame["outcome"] == "would delete", "id"]
    return DeletionReceipt(
        outcomes=frame,
        dry_run=True,
        confirmation=plan.confirmation,
        library=plan.library,
        size_bytes=int(plan.images.loc[going, "size_bytes"].sum()),
        finished_at=dt.datetime.now(dt.UTC),
    )


def compare(plan: DeletionPlan, now: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Give id, outcome and reason of each planned image, by the library as it is now."""
    return [(str(one), *_outcome(plan, one, now)) for one in plan.images.index]


def refuse_other_account(plan: DeletionPlan, client: Client) -> None:
    """
    Check that a client belongs to the plan's library.

    Raises
    ------
    PlanError
        If it does not.
    """
    library, account = plan.library, client.account()
    same_host = library["base_url"] == client.base_url or (library["demo"] and client.demo)
    if account != library["account"] or not same_host:
        raise PlanError(
            f"This plan is for account {library['account'][:8]} on {visible(library['base_url'])}; the client "
            f"reads account {account[:8]} on {client.base_url}. Connect to the plan's account, or plan anew."
        )


def _outcome(plan: DeletionPlan, one: str, now: pd.DataFrame) -> tuple[str, str]:
    if one not in now.index:
        return "already gone", ""
    changes = drift(
        cast("pd.Series[Any]", plan.images.loc[one]), cast("pd.Series[Any]", now.loc[one])
    )
    if changes:
        return "kept", "changed since the plan: " + "; ".join(changes)
    return "would delete", ""


def drift(planned: pd.Series[Any], current: pd.Series[Any]) -> list[str]:
    """Say what changed in an image since it was planned, old to new."""
    changes = []
    for column, word in _COMPARED.items():
        old, new = planned[column], current[column]
        if column == "tags":
            same = (old is None) == (new is None) and (old is None or set(old) == set(new))
        else:
            same = bool(pd.isna(old) and pd.isna(new)) or bool(
                not pd.isna(old) and not pd.isna(new) and old == new
            )
        if not same:
            changes.append(f"{word} {_shown(old)} → {_shown(new)}")
    return changes


def _shown(value: Any) -> str:
    if value is None or (not isinstance(value, tuple) and pd.isna(value)):
        return "unknown"
    if isinstance(value, tuple):
        return visible(", ".join(value)) or "none"
    return value.isoformat() if isinstance(value, pd.Timestamp) else str(value)
