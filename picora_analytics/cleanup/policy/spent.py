"""What a standing order deleted lately: its caps hold for a week, all runs of that policy together."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from picora_analytics.cleanup.apply.journal import Past, read_journal
from picora_analytics.cleanup.plan.guard import Amount
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.errors import UnsafePlanError
from picora_analytics.text import plural
from picora_analytics.units import format_bytes

__all__ = ["refuse_over_the_week", "spent"]

# A weekly job may start a fiftieth early, as for sightings, and does not count the one before.
WEEK = dt.timedelta(days=7) * (1 - 1 / 50)


def spent(folder: Path, reason: str, account: str, now: dt.datetime) -> Amount:
    """
    Count what a policy deleted in the last week, by the journals beside its backups.

    Parameters
    ----------
    folder : Path
        The policy's backup folder.
    reason : str
        The policy's own: others may share the folder.
    account : str
    now : datetime

    Raises
    ------
    JournalError
        If a journal cannot be read: it may hold anything.
    """
    total = Amount(0, 0)
    for path in sorted(folder.glob("*.journal.ndjson")):
        past = read_journal(path)
        if past is None or now - past.last_at >= WEEK:
            continue
        if past.plan["reason"] == reason.strip() and past.plan["library"]["account"] == account:
            total = _sum(total, _taken(past))
    return total


def _taken(past: Past) -> Amount:
    """Count what a run deleted, or may have deleted."""
    taken = past.open_ids | {one for one, (word, _) in past.outcomes.items() if word == "deleted"}
    images: list[dict[str, Any]] = past.plan["images"]
    sizes = [image.get("size_bytes") for image in images if image["id"] in taken]
    return Amount(len(sizes), sum(size or 0 for size in sizes), sizes.count(None))


def refuse_over_the_week(plan: Plan, before: Amount) -> None:
    """
    Refuse a plan that would break its caps together with what went before it.

    Raises
    ------
    UnsafePlanError
        If it would.
    """
    whole = Amount(plan.library["n_images"], plan.library["size_bytes"])
    breaches = plan.caps.breaches(_sum(before, plan.amount(plan.images.index)), _sum(before, whole))
    if before.n_images and breaches:
        raise UnsafePlanError(
            f"The caps of a policy hold for a week, and {plural(before.n_images, 'image')} "
            f"({format_bytes(before.size_bytes)}) went by this one in the last seven days. With the "
            f"{len(plan.images):,} of now, {'; '.join(breaches)}. Nothing was deleted; run it again when the week is "
            "over, or look at the policy's [caps]."
        )


def _sum(one: Amount, other: Amount) -> Amount:
    return Amount(*map(sum, zip(one, other, strict=True)))
