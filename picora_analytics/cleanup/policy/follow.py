"""Carry out a standing order: load, plan by the policy, copy and delete, with nobody watching."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

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
    path: str | os.PathLike[str],
    *,
    store: str | os.PathLike[str] = "default",
    environ: Mapping[str, str] = os.environ,
) -> tuple[DeletionPlan, DeletionReceipt | None]:
    """
    Delete what a policy allows, and nothing else.

    Parameters
    ----------
    client : Client
    path : path
        The policy (TOML); paths in it are relative to its folder.
    store : str or path
        Where earlier snapshots are, and today's goes.
    environ : mapping
        Where the runner says what it is.

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
    source = Path(path)
    policy = read_policy(source)
    folder = source.parent / policy.backup.folder
    refuse_inside_workspace(folder, environ)
    now = dt.datetime.now(dt.UTC)
    max_age = parse_duration(policy.references.max_age, "max_age")
    in_use = used_ids(source.parent / policy.references.file, max_age, now)
    images = load_images(client, store=store, refresh="full")
    read_at = pd.Timestamp(images.attrs["picora"]["read_at"]).to_pydatetime()
    earlier = earlier_sightings(policy, SnapshotStore.of(client, store), read_at)
    plan = standing_plan(policy, images, earlier, in_use, now.date())
    if not len(plan.images):
        return plan, None
    journal = folder / f"{plan.confirmation}.journal.ndjson"
    return plan, carry_out(plan, client, backup=folder, journal=journal)
