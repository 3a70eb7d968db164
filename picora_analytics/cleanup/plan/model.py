"""A plan as a value: which images would go, why, what is spared, and the phrase that fits these alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import msgspec
import pandas as pd

from picora_analytics.cleanup.plan.guard import Amount, Caps, Refusal, State, states_of
from picora_analytics.client.client import Client
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import Facts
from picora_analytics.text import visible
from picora_analytics.times import now

__all__ = ["UNSAID", "VALID_FOR", "Plan", "Unsaid", "refuse_other_account", "spared_rows"]

VALID_FOR = dt.timedelta(days=14)


class Unsaid(enum.Enum):
    """An argument that was not given, where None means something."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Plan:
    """The rows to delete and everything that is decided about them; :class:`DeletionPlan` documents the fields."""

    images: pd.DataFrame
    spared: pd.DataFrame
    reason: str
    library: Facts
    protected_tags: tuple[str, ...]
    caps: Caps
    made_at: dt.datetime
    duplicates: Mapping[str, str] = dataclasses.field(default_factory=dict)
    path: Path | None = None

    @cached_property
    def fingerprint(self) -> str:
        """
        A digest of account, host and each image's id, size, update time, visibility and tags.

        For the demo, host and port give way to the word demo, so that its phrases stay true.
        """
        host = "demo" if self.library["demo"] else self.library["base_url"]
        rows = [
            [self.library["account"], host],
            *(_fingerprinted(image_id, state) for image_id, state in sorted(self.states.items())),
        ]
        return hashlib.blake2b(msgspec.json.encode(rows), digest_size=16).hexdigest()

    @property
    def confirmation(self) -> str:
        """
        The phrase that fits these images in this state only: their count and the fingerprint's start.

        It is there to be read and typed; code that passes it on by itself defeats the guard.
        """
        return f"{len(self.images)}-{self.fingerprint[:8]}"

    @cached_property
    def states(self) -> dict[str, State]:
        """What each image was like when it was planned, by id."""
        return states_of(self.images)

    @property
    def size_bytes(self) -> int:
        """Bytes that would be freed, as far as sizes are known."""
        return int(self.images["size_bytes"].sum())

    @property
    def n_others(self) -> int:
        """How many images the library held beside these."""
        return max(0, self.library["n_images"] - len(self.images))

    @property
    def expires_at(self) -> dt.datetime:
        """When the plan is too old to act on."""
        return self.made_at + VALID_FOR

    def amount(self, ids: Iterable[str]) -> Amount:
        """Count some of the planned images, and their bytes."""
        sizes = [self.states[image_id].size_bytes for image_id in ids]
        return Amount(len(sizes), sum(size or 0 for size in sizes), sizes.count(None))

    @property
    def refusals(self) -> list[Refusal]:
        """Why this plan will not be carried out as it stands; empty when nothing is against it."""
        whole = Amount(self.library["n_images"], self.library["size_bytes"])
        found = self.caps.breaches(self.amount(self.states), whole)
        if not len(self.images):
            text = "the plan is empty: no image was chosen, or all were spared"
            found.insert(0, Refusal("empty", text))
        if now() > self.expires_at:
            text = f"the plan expired on {self.expires_at:%Y-%m-%d %H:%M} UTC; plan again"
            found.append(Refusal("expired", text))
        return found

    def without(self, *ids: str | Iterable[str]) -> Self:
        """
        Give a smaller plan, with a phrase of its own.

        Parameters
        ----------
        *ids : str or iterable of str
            Ids to take out.

        Raises
        ------
        PlanError
            If one of them is not in the plan.
        """
        out = [image_id for part in ids for image_id in ([part] if isinstance(part, str) else part)]
        foreign = [image_id for image_id in out if image_id not in self.images.index]
        if foreign:
            raise PlanError(
                f"{foreign[0]!r} is not in this plan of {len(self.images)} images; look at plan.images."
            )
        leaving = self.images.index.isin(out)
        removed = spared_rows(self.images[leaving], "taken out by you")
        staying = {key: value for key, value in self.duplicates.items() if key not in out}
        return dataclasses.replace(
            self,
            images=self.images[~leaving],
            spared=pd.concat([self.spared, removed]),
            duplicates=staying,
        )


def spared_rows(rows: pd.DataFrame, reason: str | list[str]) -> pd.DataFrame:
    """Make rows of :attr:`Plan.spared`."""
    reasons = [reason] * len(rows) if isinstance(reason, str) else reason
    return rows[["filename", "size_bytes"]].assign(
        reason=pd.Series(reasons, rows.index, dtype=object)
    )


def refuse_other_account(plan: Plan, client: Client) -> None:
    """Raise PlanError unless a client belongs to the plan's library."""
    library, account = plan.library, client.account()
    same_host = library["base_url"] == client.base_url or (library["demo"] and client.demo)
    if account != library["account"] or not same_host:
        raise PlanError(
            f"This plan is for account {library['account'][:8]} on {visible(library['base_url'])}; the client "
            f"reads account {account[:8]} on {client.base_url}. Connect to the plan's account, or plan again."
        )


def _fingerprinted(image_id: str, state: State) -> list[Any]:
    updated, tags = state.updated_at, state.tags
    return [
        image_id,
        state.size_bytes,
        None if updated is None else updated.isoformat(),
        state.is_public,
        None if tags is None else sorted(tags),
    ]
