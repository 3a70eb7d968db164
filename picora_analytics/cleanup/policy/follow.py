"""Carry out a standing order: load, plan by the policy, back up and delete, unattended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from picora_analytics import times
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import carry_out
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.policy.ci import refuse_inside_workspace, refuse_unmounted
from picora_analytics.cleanup.policy.policy import earlier_sightings, read_policy, standing_plan
from picora_analytics.cleanup.policy.references import (
    read_used_list,
    refuse_doubtful,
    refuse_outdated,
)
from picora_analytics.cleanup.policy.spent import refuse_over_the_week, spent
from picora_analytics.client.client import Client
from picora_analytics.decisions import read_decisions
from picora_analytics.library.load.loading import load_images
from picora_analytics.library.snapshots import SnapshotStore
from picora_analytics.progress import Progress
from picora_analytics.units import parse_duration

__all__ = ["follow_policy"]


def follow_policy(
    client: Client,
    policy: str | os.PathLike[str],
    *,
    store: str | os.PathLike[str] = "default",
    environ: Mapping[str, str] = os.environ,
    progress: Progress | bool | None = None,
) -> tuple[DeletionPlan, DeletionReceipt | None]:
    """
    Delete what a policy allows, and nothing else.

    Parameters
    ----------
    client : Client
    policy : path
        A TOML file; paths in it are relative to its folder.
    store : str or path
        Where earlier snapshots are, and today's goes.
    environ : mapping
        The variables by which a CI runner names its workspace.
    progress : Progress or bool, optional
        As for :func:`load_images`.

    Returns
    -------
    plan : DeletionPlan
    receipt : DeletionReceipt or None
        None where there was nothing to delete.

    Raises
    ------
    PlanError
        If anything the policy asks for is missing, too old, or over its caps, which count what earlier runs of this
        policy deleted in the last week as well.
    """
    source = Path(policy).expanduser()
    order = read_policy(source)
    folder = source.parent / Path(order.backup.folder).expanduser()
    refuse_inside_workspace(folder, environ)
    refuse_unmounted(folder)
    now = times.now()
    used = read_used_list(source.parent / Path(order.references.file).expanduser())
    refuse_outdated(used, parse_duration(order.references.max_age, "max_age"), now)
    decisions = None
    if order.decisions is not None:
        decisions = read_decisions(source.parent / Path(order.decisions).expanduser())
    images = load_images(client, store=store, refresh="full", progress=progress)
    facts = images.attrs["picora"]
    refuse_doubtful(used, images, facts)
    store_of_client = SnapshotStore.of(client, store)
    earlier = earlier_sightings(order, store_of_client, times.parse_instant(facts["read_at"]))
    plan = standing_plan(
        order, images, earlier, used.entries, now.date(), used.references, decisions
    )
    if not len(plan.images):
        return plan, None
    refuse_over_the_week(plan, spent(folder, order.reason, facts["account"], now))
    journal = folder / f"{plan.confirmation}.journal.ndjson"
    return plan, carry_out(plan, client, backup=folder, journal=journal, progress=progress)
