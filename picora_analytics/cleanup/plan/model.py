"""A plan as a value: which images would go, why, what is spared, and the phrase that fits these alone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import itertools
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.cleanup.plan.columns import among, cells, iso_texts
from picora_analytics.cleanup.plan.deeds import DELETE, HIDE, SHOW, Deed
from picora_analytics.cleanup.plan.guard import (
    Amount,
    Caps,
    Refusal,
    State,
    paths_of,
    states_of,
)
from picora_analytics.cleanup.plan.handing import Handed, inherits_frame
from picora_analytics.cleanup.plan.portions import decided_in, labels, portions_of, wished
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import SCHEMA, Facts, frame_from_table, total_bytes
from picora_analytics.text import plural, visible
from picora_analytics.times import now

if TYPE_CHECKING:  # As in the frame: a plan needs no HTTP.
    from picora_analytics.client.client import Client

__all__ = [
    "AHEAD",
    "STANDING_ORDER",
    "UNSAID",
    "VALID_FOR",
    "Plan",
    "Unsaid",
    "clock_refusals",
    "refuse_other_account",
    "spared_rows",
    "staying_rows",
]

VALID_FOR = dt.timedelta(days=14)
# How far clocks may differ: a date farther ahead is not believed.
AHEAD = dt.timedelta(minutes=5)
PHRASE_DIGITS = 12
# Stands in the protection of a plan that a policy made, so that its phrase and its journal say so.
STANDING_ORDER = "a standing order, which looks at its lists, its date and its week each time"


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
    staying: pd.DataFrame = dataclasses.field(default_factory=lambda: staying_rows(None))
    protection: tuple[str, ...] = ()
    searched: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    handed: Mapping[str, Handed] = dataclasses.field(default_factory=dict)
    deed: Deed = DELETE
    path: Path | None = None

    @cached_property
    def fingerprint(self) -> str:
        """
        A digest of everything the phrase stands for.

        That is the account and host, the deed, the day the plan expires, its caps and protection, the duplicates
        that stay, and of each image what :class:`State` compares but its title. For the demo, host, port and day
        give way to the word demo, so that its phrases stay true.
        """
        demo = self.library["demo"]
        # What is shown again was hidden at a moment that each row holds; its phrase is good on any day.
        day = "demo" if demo else "" if self.deed is SHOW else self.expires_at.date().isoformat()
        head: list[Any] = [
            [self.library["account"], "demo" if demo else self.library["base_url"]],
            [DELETE.name, day],
            list(dataclasses.astuple(self.caps)),
            [sorted(self.protected_tags), list(self.protection)],
            sorted(self.duplicates.items()),
            *([["hidden", *self.hidden]] if self.hidden else []),
            *([["handed", *sorted(self.handed.items())]] if self.handed else []),
        ]
        # One list of JSON, written part by part: all rows at once keep the garbage collector busy.
        found = hashlib.blake2b(msgspec.json.encode(head)[:-1], digest_size=16)
        rows = iter(_fingerprinted(self.images, demo))
        while part := list(itertools.islice(rows, 1000)):
            found.update(b"," + msgspec.json.encode(part)[1:-1])
        found.update(b"]")
        return _for_deed(found.hexdigest(), self.deed)

    @property
    def confirmation(self) -> str:
        """
        The phrase that fits these images in this state only: their count and the fingerprint's start.

        It is there to be read and typed; code that passes it on by itself defeats the guard.
        """
        return self._phrase(self.deed, self.fingerprint)

    def _phrase(self, deed: Deed, fingerprint: str) -> str:
        return f"{deed.prefix}{len(self.images)}-{fingerprint[:PHRASE_DIGITS]}"

    @property
    def hiding_confirmation(self) -> str:
        """The phrase for hiding these images; it begins ``hide-``, and deletes nothing."""
        return self._phrase(HIDE, _for_deed(self.fingerprint, HIDE))

    def as_hiding(self) -> Self:
        """Give the same plan, to be carried out by hiding."""
        return dataclasses.replace(self, deed=HIDE)

    @property
    def inherits(self) -> pd.DataFrame:
        """
        What the duplicates that stay get from those that go, before these are deleted.

        Returns
        -------
        DataFrame
            ``id``, ``tags_added`` (a tuple) and ``title``, which is None where it stays as it is.
        """
        return inherits_frame(self.duplicates, self.handed)

    @cached_property
    def states(self) -> dict[str, State]:
        """What each image was like when it was planned, by id."""
        return states_of(self.images, demo=self.library["demo"])

    @cached_property
    def staying_states(self) -> dict[str, State]:
        """What each image that stays as a duplicate was like, by id."""
        return states_of(self.staying, demo=self.library["demo"])

    @property
    def size_bytes(self) -> int:
        """Bytes that would be freed, as far as sizes are known."""
        return total_bytes(self.images["size_bytes"])

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
        sizes = self.images["size_bytes"]
        own = Amount(len(sizes), self.size_bytes, int(sizes.isna().sum()))
        found = self.caps.breaches(own, whole)
        if not len(sizes):
            text = "the plan is empty: no image was chosen, or all were spared"
            found.insert(0, Refusal("empty", text))
        moment = now()
        if moment > self.expires_at:
            text = f"the plan expired on {self.expires_at:%Y-%m-%d %H:%M} UTC; plan again"
            found.append(Refusal("date", text))
        if self.made_at - moment > AHEAD:
            text = (
                f"the plan is dated {self.made_at:%Y-%m-%d %H:%M} UTC, which lies ahead of this machine's clock; "
                "check the clock, and plan again"
            )
            found.append(Refusal("date", text))
        return found

    def portions(
        self, by: str = "month", *, decisions: str | os.PathLike[str] | pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """
        Count the images in portions to look at one after the other.

        Parameters
        ----------
        by : {"month", "pile"}
            The month of the upload, oldest first, or the reason.
        decisions : path or DataFrame, optional
            Of what was looked at before.

        Returns
        -------
        DataFrame
            ``portion``, ``n_images``, ``size_bytes`` and ``n_decided``.
        """
        return portions_of(self.images, by, decisions)

    def portion(
        self,
        name: str,
        by: str = "month",
        *,
        decisions: str | os.PathLike[str] | pd.DataFrame | None = None,
    ) -> Self:
        """
        Give the plan of one portion, without what was decided before.

        Raises
        ------
        PlanError
            If there is no such portion.
        """
        names = labels(self.images, by)
        own = (names == name).to_numpy(dtype=bool)
        if not own.any():
            raise PlanError(f"{name!r} is no portion of this plan; look at plan.portions({by!r}).")
        return self.without(self.images.index[~own | decided_in(self.images, decisions)])

    def decided(self, decisions: str | os.PathLike[str] | pd.DataFrame) -> Self:
        """Give the plan of what was looked at and wished to be deleted; what nobody saw is kept."""
        return self.without(self.images.index[~wished(self.images, decisions)])

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
        known = among(pd.Index(out, dtype=object), self.images.index).tolist()
        foreign = [image_id for image_id, there in zip(out, known, strict=True) if not there]
        if foreign:
            raise PlanError(
                f"{foreign[0]!r} is not in this plan of {plural(len(self.images), 'image')}; look at plan.images."
            )
        leaving, removed = among(self.images.index, out), set(out)
        spared = spared_rows(self.images[leaving], "taken out by you")
        left = {key: value for key, value in self.duplicates.items() if key not in removed}
        return dataclasses.replace(
            self,
            handed={one: own for one, own in self.handed.items() if one not in removed},
            hidden=tuple(one for one in self.hidden if one not in removed),
            images=self.images[~leaving],
            spared=pd.concat([self.spared, spared]),
            duplicates=left,
            staying=self.staying[among(self.staying.index, set(left.values()))],
        )


def _for_deed(digest: str, deed: Deed) -> str:
    """Give the fingerprint of another deed on the same images; a deletion's is the digest itself."""
    if deed is DELETE:
        return digest
    return hashlib.blake2b(f"{deed.name} {digest}".encode(), digest_size=16).hexdigest()


def spared_rows(rows: pd.DataFrame, reason: str | list[str]) -> pd.DataFrame:
    """Make rows of :attr:`Plan.spared`."""
    reasons = [reason] * len(rows) if isinstance(reason, str) else reason
    return rows[["filename", "size_bytes"]].assign(
        reason=pd.Series(reasons, rows.index, dtype=object)
    )


def staying_rows(rows: pd.DataFrame | None) -> pd.DataFrame:
    """Make rows of :attr:`Plan.staying`; None makes an empty frame."""
    if rows is None:
        rows = frame_from_table(SCHEMA.empty_table())
    return rows[[name for name in rows.columns if name in State._fields and name != "title"]]


def refuse_other_account(plan: Plan, client: Client) -> None:
    """Raise PlanError unless a client belongs to the plan's library."""
    from picora_analytics.client.client import check_client  # Who has a client has HTTP.

    check_client(client, "A plan")
    library, account = plan.library, client.account()
    same_host = library["base_url"] == client.base_url or (library["demo"] and client.demo)
    if account != library["account"] or not same_host:
        raise PlanError(
            f"This plan is for account {visible(library['account'][:8])} on {visible(library['base_url'])}; the client "
            f"reads account {account[:8]} on {client.base_url}. Connect to the plan's account, or plan again."
        )


def clock_refusals(client: Client) -> list[Refusal]:
    """Tell why no date can be believed: this machine's clock is not the service's."""
    if client.wrong_clock is None:
        return []
    service, own = client.wrong_clock
    text = (
        f"this machine's clock says {own:%Y-%m-%d %H:%M} UTC and the service's {service:%Y-%m-%d %H:%M} UTC, so how "
        "old anything is cannot be told; set the clock right, load again, and plan again"
    )
    return [Refusal("date", text)]


def _fingerprinted(images: pd.DataFrame, demo: bool) -> Iterable[Sequence[Any]]:
    """Give what a fingerprint holds of each image, in the order of the ids."""
    # By the bytes of UTF-8, which are in the order of the characters.
    order = pc.sort_indices(pa.array(images.index.array, pa.string())).to_numpy()
    ordered = images.iloc[order]
    # A title tells no picture from another, and phrases that are written down stay true.
    columns = {name: ordered[name] for name in State._fields if name != "title"}
    if demo:
        columns["url"] = paths_of(columns["url"])
    values = {
        name: iso_texts(column) if isinstance(column.dtype, pd.DatetimeTZDtype) else cells(column)
        for name, column in columns.items()
    }
    codes, different = pd.factorize(columns["tags"].to_numpy(dtype=object), use_na_sentinel=False)
    rows = [sorted(tags) if isinstance(tags, tuple) else None for tags in different]
    values["tags"] = list(map(rows.__getitem__, codes.tolist()))
    return zip(cells(ordered.index), *values.values(), strict=True)
