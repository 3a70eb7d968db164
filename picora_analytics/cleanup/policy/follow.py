"""Carry out a standing order: load, plan by the policy, back up and delete, unattended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from picora_analytics import times
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import carry_out
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.policy.ci import refuse_inside_workspace
from picora_analytics.cleanup.policy.policy import (
    earlier_sightings,
    read_policy,
    standing_plan,
    used_ids,
)
from picora_analytics.client.client import Client
from picora_analytics.library.load.loading import load_images
from picora_analytics.library.snapshots import SnapshotStore
from picora_analytics.units import parse_duration

__all__ = ["follow_policy"]


def follow_policy(
    client: Client,
    policy: str | os.PathLike[str],
    *,
    store: str | os.PathLike[str] = "default",
    environ: Mapping[str, str] = os.environ,
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

    Returns
    -------
    plan : DeletionPlan
    receipt : DeletionReceipt or None
        None where there was nothing to delete.

    Raises
    ------
    PlanError
        If anything the policy asks for is missing, too old, or over its caps.
    """
    source = Path(policy)
    order = read_policy(source)
    folder = source.parent / order.backup.folder
    refuse_inside_workspace(folder, environ)
    now = times.now()
    max_age = parse_duration(order.references.max_age, "max_age")
    in_use = used_ids(source.parent / order.references.file, max_age, now)
    images = load_images(client, store=store, refresh="full")
    read_at = times.parse_instant(images.attrs["picora"]["read_at"])
    earlier = earlier_sightings(order, SnapshotStore.of(client, store), read_at)
    plan = standing_plan(order, images, earlier, in_use, now.date())
    if not len(plan.images):
        return plan, None
    journal = folder / f"{plan.confirmation}.journal.ndjson"
    return plan, carry_out(plan, client, backup=folder, journal=journal)
