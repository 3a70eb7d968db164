"""A standing order: a policy in a file that plans by itself, under more conditions than a person needs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pandas as pd

from picora_analytics.analysis.criteria import Criteria
from picora_analytics.cleanup.deletion import DeletionPlan, plan_withholding
from picora_analytics.cleanup.plan.model import STANDING_ORDER
from picora_analytics.cleanup.plan.sparing import make_caps
from picora_analytics.cleanup.policy.wording import wrong_part
from picora_analytics.errors import PlanError
from picora_analytics.files import read_text, reason_of
from picora_analytics.library.snapshots import SnapshotStore
from picora_analytics.references.found import References as FoundReferences
from picora_analytics.times import parse_instant
from picora_analytics.units import parse_duration, parse_storage

__all__ = ["Policy", "earlier_sightings", "read_policy", "standing_plan"]

# How much too early a sighting may be, of the time that a policy asks for: 3 hours of a week.
_EARLY = 1 / 50
# A snapshot whose two dates differ by more was dated by a wrong clock.
WRONG_CLOCK = dt.timedelta(days=1)


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the policy; an unknown key in it is an error."""


class References(_Strict, frozen=True):
    """A file of ids found in use, and how old it may be."""

    file: str
    max_age: str


class PolicyCaps(_Strict, frozen=True):
    """How much may go at most; the share is small, because the run is unattended."""

    max_images: Annotated[int, msgspec.Meta(ge=0)]
    max_bytes: int | str
    max_fraction: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.02


class BackupFolder(_Strict, frozen=True):
    """Where backups go."""

    folder: str


class Policy(_Strict, frozen=True):
    """
    What may be deleted unattended; every part but ``max_fraction`` and ``decisions`` must be given.

    Attributes
    ----------
    reason : str
    expires : date
    protect : tuple of str
        Tags.
    sightings : int
        In how many complete snapshots an image must have met the rule, today's included.
    sightings_apart : str
        How far they must be from each other, such as ``"7d"``.
    rule : Criteria
    references : References
    caps : PolicyCaps
    backup : BackupFolder
    decisions : str, optional
        A file of decisions, which the rule may ask for; what it keeps is spared.
    """

    reason: str
    expires: dt.date
    protect: tuple[str, ...]
    # One listing may be a bad one.
    sightings: Annotated[int, msgspec.Meta(ge=2)]
    sightings_apart: str
    rule: Criteria
    references: References
    caps: PolicyCaps
    backup: BackupFolder
    decisions: str | None = None

    @property
    def apart(self) -> dt.timedelta:
        """How far sightings must be from each other."""
        return parse_duration(self.sightings_apart, "sightings_apart")


_TABLES: dict[str, type[msgspec.Struct]] = {
    "": Policy,
    "rule": Criteria,
    "references": References,
    "caps": PolicyCaps,
    "backup": BackupFolder,
}


def _policy(document: dict[str, Any]) -> Policy:
    """Make the policy of a document; ValueError that names the part which is wrong."""
    try:
        return msgspec.convert(document, Policy)
    except msgspec.ValidationError as error:
        keys = {name: table.__struct_fields__ for name, table in _TABLES.items()}
        raise ValueError(wrong_part(str(error), document, keys)) from None


def read_policy(path: Path) -> Policy:
    """
    Read a policy.

    Raises
    ------
    PlanError
        If it cannot be read, or a part of it is missing, unknown or wrong; that part is named.
    """
    try:
        document = tomllib.loads(read_text(path))
        policy = _policy(document)
        parse_duration(policy.sightings_apart, "sightings_apart")
        parse_duration(policy.references.max_age, "max_age")
        parse_storage(policy.caps.max_bytes, "max_bytes")
    except (OSError, RecursionError, ValueError) as error:
        raise PlanError(
            f"The policy {str(path)!r} cannot be followed: {reason_of(error)}."
        ) from None
    if not policy.rule.given():
        raise PlanError(
            f"The policy {str(path)!r} has an empty [rule]; a plan never means all images."
        )
    asking = [one.name for one in policy.rule.given() if one.kind in ("decision", "hidden")]
    if asking and policy.decisions is None:
        raise PlanError(
            f"The policy {str(path)!r} cannot be followed: {asking[0]} in its [rule] needs decisions; add a line such "
            'as decisions = "decisions.csv" before the first table.'
        )
    return policy


def earlier_sightings(
    policy: Policy, store: SnapshotStore, read_at: dt.datetime
) -> list[pd.DataFrame]:
    """
    Load the earlier snapshots that a policy asks for, each far enough from the next.

    A fiftieth less is far enough: no schedule starts its jobs to the second, and a weekly one would else miss every
    other week.

    Raises
    ------
    PlanError
        If there are too few yet.
    """
    found: list[pd.DataFrame] = []
    ill_dated: list[str] = []
    apart = policy.apart * (1 - _EARLY)
    limit = read_at - apart
    for version in reversed(store.versions()):
        moment = dt.datetime.strptime(version, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=dt.UTC)
        if moment <= limit and len(found) < policy.sightings - 1:
            # The service tells the time as well: what a wrong clock dated is no sighting of that day.
            facts = store.about(version)
            told = parse_instant(facts["checks"].get("service_time", facts["loaded_at"]))
            if abs(told - moment) > WRONG_CLOCK and not facts["demo"]:
                ill_dated.append(f"{moment:%Y-%m-%d %H:%M}, by the service {told:%Y-%m-%d %H:%M}")
                continue
            found.append(store.load(version))
            limit = moment - apart
    if len(found) < policy.sightings - 1:
        raise PlanError(
            f"The policy needs {policy.sightings} snapshots, each {policy.apart} from the next, and "
            f"{store.folder} has {len(found) + 1} of them with today's. Load regularly into the same store."
            + (
                f" Not counted, as this machine's clock was wrong: {ill_dated[0]} UTC."
                if ill_dated
                else ""
            )
        )
    return found


def standing_plan(
    policy: Policy,
    images: pd.DataFrame,
    earlier: Sequence[pd.DataFrame],
    in_use: Sequence[str],
    today: dt.date,
    references: FoundReferences | None = None,
    decisions: pd.DataFrame | None = None,
) -> DeletionPlan:
    """
    Plan what a policy allows: what met its rule in every sighting, is not in use and not protected.

    Parameters
    ----------
    policy : Policy
    images : DataFrame
        Today's, as :func:`load_images` made it.
    earlier : sequence of DataFrames
        The earlier sightings.
    in_use : sequence of str
        Ids, addresses or file names that were found in use.
    today : date
    references : References, optional
        What they found is spared too, and what they did not look for.
    decisions : DataFrame, optional
        Those that the policy names.

    Raises
    ------
    PlanError
        If the policy expired, or nothing in use is in this library.
    """
    if today > policy.expires:
        raise PlanError(f"The policy expired on {policy.expires}; look at it again, and renew it.")
    try:
        mask = policy.rule.mask(images, references, decisions)
        for frame in earlier:
            then = policy.rule.mask(frame, references, decisions)
            then = then.reindex(images.index, fill_value=False)
            then.attrs.clear()  # Of another load, as is meant here.
            mask = mask & then
    except ValueError as error:  # Such as a tag that no image has.
        raise PlanError(f"The policy's [rule] cannot be applied: {error}") from error
    plan = plan_withholding(
        images,
        mask,
        policy.rule.tagged,
        reason=policy.reason,
        protect=[
            *policy.protect,
            pd.Index(dict.fromkeys(in_use), dtype=object),
            *([] if references is None else [references]),
        ],
        decisions=decisions,
        caps=make_caps(policy.caps.max_images, policy.caps.max_bytes, policy.caps.max_fraction),
    )
    return dataclasses.replace(plan, protection=(*plan.protection, STANDING_ORDER))
