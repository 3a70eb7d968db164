"""A plan: which images would go, why, what is spared, and the phrase that is for these and no others."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import hashlib
import os
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import msgspec
import pandas as pd

from picora_analytics.cleanup.apply import carry_out, check_phrase
from picora_analytics.cleanup.backup import Backup, back_up
from picora_analytics.cleanup.choice import chosen_ids, protection, read_decisions
from picora_analytics.cleanup.preview import preview_html, preview_text
from picora_analytics.cleanup.receipt import DeletionReceipt
from picora_analytics.cleanup.rehearsal import refuse_other_account, rehearse
from picora_analytics.client.client import Client
from picora_analytics.errors import BackupError, PlanError, SchemaError
from picora_analytics.files import write_atomic
from picora_analytics.library.frame import (
    COLUMNS,
    Facts,
    facts_of,
    frame_from_table,
    table_from_frame,
)
from picora_analytics.progress import Progress
from picora_analytics.text import csv_safe
from picora_analytics.units import format_bytes, format_share, parse_bytes

__all__ = ["Caps", "DeletionPlan", "plan_deletion"]

# Older listings say too little about what is there now.
MAX_AGE = dt.timedelta(hours=24)
VALID_FOR = dt.timedelta(days=14)
# An image touched lately is not forgotten, whenever it was uploaded.
EDITED_LATELY = dt.timedelta(days=90)


class _Unsaid(enum.Enum):
    """An argument that was not given, where None means something."""

    UNSAID = "unsaid"


UNSAID = _Unsaid.UNSAID


@dataclasses.dataclass(frozen=True)
class Caps:
    """How much a plan may take at most."""

    max_images: int | None
    max_bytes: int | None
    max_fraction: float

    def breaches(self, n_images: int, size_bytes: int, facts: Facts) -> list[str]:
        """Say which caps a number of images and bytes would break in a library."""
        found = []
        if self.max_images is not None and n_images > self.max_images:
            found.append(f"{n_images:,} images are more than max_images={self.max_images:,}")
        if self.max_bytes is not None and size_bytes > self.max_bytes:
            found.append(
                f"{format_bytes(size_bytes)} are more than max_bytes={format_bytes(self.max_bytes)}"
            )
        for part, whole, what in (
            (n_images, facts["n_images"], "the images"),
            (size_bytes, facts["size_bytes"], "the bytes"),
        ):
            # A quotient: 0.29 * 100 is less than 29.
            if part and (not whole or part / whole > self.max_fraction):
                found.append(
                    f"{format_share(part, whole)} of {what} are more than "
                    f"max_fraction={self.max_fraction:g}"
                )
        return found


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class DeletionPlan:
    """
    A frozen list of images to delete; it shows itself, and changes nothing.

    Made by :func:`plan_deletion` or :func:`read_plan`.

    Attributes
    ----------
    images : DataFrame
        The rows that would go, with a ``reason`` each.
    spared : DataFrame
        Rows that were chosen, yet left out: ``filename``, ``size_bytes``, ``reason``.
    reason : str
        Why, in the planner's words.
    library : dict
        What the frame said of itself.
    protected_tags : tuple of str
        Looked up again before anything is deleted.
    caps : Caps
    made_at : datetime
        By this machine's clock; a plan is good for 14 days.
    path : Path or None
        The file it was read from; its journal is kept beside that.
    """

    images: pd.DataFrame
    spared: pd.DataFrame
    reason: str
    library: Facts
    protected_tags: tuple[str, ...]
    caps: Caps
    made_at: dt.datetime
    path: Path | None = None

    @cached_property
    def fingerprint(self) -> str:
        """
        A digest of account, host and each image's id, size, update time, visibility and tags.

        For the demo, host and port give way to the word demo, so that its phrases stay true.
        """
        host = "demo" if self.library["demo"] else self.library["base_url"]
        rows = [[self.library["account"], host], *states(self.images)]
        return hashlib.blake2b(msgspec.json.encode(rows), digest_size=16).hexdigest()

    @property
    def confirmation(self) -> str:
        """
        The phrase that is for these images in this state: their count and the fingerprint's start.

        It is there to be read and typed; code that passes it on by itself defeats the guard.
        """
        return f"{len(self.images)}-{self.fingerprint[:8]}"

    @property
    def size_bytes(self) -> int:
        """Bytes that would be freed, as far as sizes are known."""
        return int(self.images["size_bytes"].sum())

    @property
    def expires_at(self) -> dt.datetime:
        """When the plan is too old to act on."""
        return self.made_at + VALID_FOR

    @property
    def refusals(self) -> list[str]:
        """Why this plan will not be carried out as it stands; empty when nothing is against it."""
        found = self.caps.breaches(len(self.images), self.size_bytes, self.library)
        if not len(self.images):
            found.insert(0, "the plan is empty: no image was chosen, or all were spared")
        if dt.datetime.now(dt.UTC) > self.expires_at:
            found.append(f"the plan expired on {self.expires_at:%Y-%m-%d %H:%M} UTC; plan again")
        return found

    def __repr__(self) -> str:
        return preview_text(self)

    def _repr_html_(self) -> str:
        return preview_html(self)

    def without(self, *ids: str | Iterable[str]) -> DeletionPlan:
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
        out = [one for part in ids for one in ([part] if isinstance(part, str) else part)]
        foreign = [one for one in out if one not in self.images.index]
        if foreign:
            raise PlanError(
                f"{foreign[0]!r} is not in this plan of {len(self.images)} images; look at plan.images."
            )
        leaving = self.images.index.isin(out)
        removed = _spared(self.images[leaving], "taken out by you")
        return dataclasses.replace(
            self, images=self.images[~leaving], spared=pd.concat([self.spared, removed])
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Save the plan as a readable JSON file with a digest, for review elsewhere.

        Returns
        -------
        Path
        """
        text = msgspec.json.format(msgspec.json.encode(self.to_document()), indent=1)
        target = Path(path)
        write_atomic(target, lambda temporary: temporary.write_bytes(text + b"\n"))
        return target

    def to_document(self) -> dict[str, Any]:
        """Give the plan as plain values, with a digest over all of it."""
        document = {
            "format": "picora-analytics deletion plan",
            "version": 1,
            "confirmation": self.confirmation,
            "fingerprint": self.fingerprint,
            "reason": self.reason,
            "made_at": self.made_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "library": dict(self.library),
            "protected_tags": list(self.protected_tags),
            "caps": dataclasses.asdict(self.caps),
            "images": _records(self.images),
            "spared": _records(self.spared),
        }
        document["digest"] = digest(document)
        return document

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the planned rows as a CSV file that no spreadsheet will run.

        Texts that begin like a formula, ids among them, get an apostrophe in front (OWASP, CSV injection).

        Returns
        -------
        Path
        """
        rows = self.images.reset_index()
        rows["tags"] = [None if tags is None else ", ".join(tags) for tags in rows["tags"]]
        for name in rows.columns[[kind.kind == "O" for kind in rows.dtypes]]:
            rows[name] = rows[name].astype(object).map(csv_safe, na_action="ignore")
        target = Path(path)
        write_atomic(
            target, lambda temporary: rows.to_csv(temporary, index=False, encoding="utf-8-sig")
        )
        return target

    def dry_run(self, client: Client) -> DeletionReceipt:
        """
        Rehearse: give the receipt as it would be now. Only reads are sent.

        Parameters
        ----------
        client : Client
            Of the plan's own account.

        Returns
        -------
        DeletionReceipt

        Raises
        ------
        PlanError
            If the client belongs to another account or host.
        IncompleteLoadError
            If the library could not be read whole: what is missing there may only be unread.
        """
        return rehearse(self, client)

    def back_up(
        self,
        client: Client,
        folder: str | os.PathLike[str],
        *,
        progress: Progress | bool | None = None,
    ) -> Backup:
        """
        Copy the original files of these images and prove each copy; nothing is deleted.

        A copy is proved by its length, its hash and by decoding it. Proofs already in the folder are checked again and
        reused. The downloads count towards the month's image bandwidth.

        Parameters
        ----------
        client : Client
            Of the plan's own account.
        folder : str or path
            Made where it does not exist, readable by you alone.
        progress : Progress or bool, optional
            As for :func:`load_images`.

        Returns
        -------
        Backup
            ``proofs`` and ``failed`` (a reason each) by image id; it shows itself.

        Raises
        ------
        PlanError
            If the client belongs to another account or host.
        BackupError
            If the folder holds another account's copies, cannot be used, or the disk has not the room.
        """
        refuse_other_account(self, client)
        return back_up(self.images, self.library, client, folder, progress=progress)

    def apply(
        self,
        client: Client,
        confirm: str | None = None,
        *,
        backup: str | os.PathLike[str] | _Unsaid | None = UNSAID,
        journal: str | os.PathLike[str] = "default",
        progress: Progress | bool | None = None,
    ) -> DeletionReceipt:
        """
        Delete exactly these images, for ever; without `confirm` only rehearse.

        The library is listed again first; if a planned image changed, nothing is deleted. Each image ends in one
        outcome, and what was about to be sent is on disk before it is. A plan already carried out answers from its
        journal, and nothing is sent.

        Parameters
        ----------
        client : Client
            Of the plan's own account.
        confirm : str, optional
            This plan's phrase, typed as a literal. Passing the plan's own attribute on defeats the guard: a run of
            all cells next week would delete whatever the plan holds then.
        backup : None
            Must be said together with `confirm`. Copies cannot be kept yet, so only ``backup=None`` is accepted: these
            images cannot come back.
        journal : str or path
            Default: beside the plan's file, else in the user-data folder.
        progress : Progress or bool, optional
            As for :func:`load_images`.

        Returns
        -------
        DeletionReceipt

        Raises
        ------
        ConfirmationError
            If the phrase is for another plan.
        PlanError, UnsafePlanError, BackupError, JournalError, LockedError
            If the plan is refused; nothing was deleted.
        AuthenticationError, PermissionDeniedError
            If the key may not delete; the run stops at once, with a receipt in ``.receipt``.
        """
        if confirm is None:
            return self.dry_run(client)
        check_phrase(self, confirm)
        if backup is UNSAID:
            raise BackupError(
                "backup= must be said together with confirm=: copies cannot be kept yet, so say backup=None if these "
                f"{len(self.images):,} images may be lost for ever."
            )
        return carry_out(self, client, backup=backup, journal=journal, progress=progress)


def plan_deletion(
    images: pd.DataFrame,
    choice: Any,
    *,
    reason: str,
    protect: Any = None,
    decisions: str | os.PathLike[str] | pd.DataFrame | None = None,
    max_images: int | None = None,
    max_bytes: int | str | None = None,
    max_fraction: float = 0.25,
) -> DeletionPlan:
    """
    Plan which images to delete; nothing is sent.

    Rows a rule cannot tell about are spared, and so are rows that a rule chose although they were edited
    within the last 90 days. Ids given by name are taken at their word. The plan shows itself even where it is
    too large; only carrying it out is refused then.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it, or some of its rows: complete, the whole library, read within 24 hours.
    choice : boolean Series, Index or list of ids, or mapping of reason to one of these
        A Series speaks of exactly the frame's ids, in any order; NA is spared as unknown.
    reason : str
        Why, for the preview, the plan file and the receipt.
    protect : str, boolean Series, Index of ids, or a list of these, optional
        Text is a tag. Images with unknown tags are spared where a tag is protected.
    decisions : path or DataFrame, optional
        Columns ``id``, ``decision`` (keep, delete, later) and ``until``.
    max_images : int, optional
    max_bytes : int or str, optional
        Bytes, or text such as ``"1 GiB"``.
    max_fraction : float
        Of the library's images, and of its bytes.

    Returns
    -------
    DeletionPlan

    Raises
    ------
    PlanError
        If the frame cannot feed a plan, or the choice cannot be read; the message shows the line to type.

    Examples
    --------
    >>> images = make_images(size_bytes=[700, 300, 50, 50, 50])
    >>> plan = plan_deletion(images, ["b"], reason="blurred")
    >>> list(plan.images.index), plan.size_bytes, plan.confirmation
    (['b'], 300, '1-1b27e67f')
    """
    facts = _plannable(images)
    images = _normal(images, facts)
    if not isinstance(reason, str) or not reason.strip():
        raise PlanError(f"reason={reason!r} says nothing; write why these images may go.")
    reason = reason.strip()
    caps = _caps(max_images, max_bytes, max_fraction)
    why, unknown, by_rule = _chosen(images, choice, reason)
    shield = protection(images, protect)
    spared = {
        **dict.fromkeys(unknown, "unknown: the rule cannot tell"),
        **_edited_lately(images, by_rule, facts),
        **_decided(read_decisions(decisions), facts),
        **dict.fromkeys(shield.unknown, "unknown: the protection cannot tell"),
        **dict.fromkeys(shield.ids, "protected"),
        **protected_by_tag(images, shield.tags),
    }
    touched = images.index[images.index.isin([*why, *unknown])]
    out = [one for one in touched if one in spared]
    rows = images.loc[[one for one in touched if one not in spared], list(COLUMNS)]
    rows = rows.assign(reason=pd.Series([why[one] for one in rows.index], rows.index, dtype=object))
    return DeletionPlan(
        images=rows,
        spared=_spared(images.loc[out], [spared[one] for one in out]),
        reason=reason,
        library=facts,
        protected_tags=shield.tags,
        caps=caps,
        made_at=dt.datetime.now(dt.UTC),
    )


def _plannable(images: pd.DataFrame) -> Facts:
    again = "Type images = load_images(client), and plan from that"
    if not isinstance(images, pd.DataFrame):
        raise PlanError(f"images is a {type(images).__name__}, not a DataFrame. {again}.")
    facts = facts_of(images)
    if facts is None or images.index.name != "id":
        raise PlanError(
            "This frame does not say which library it is (merge and read_csv drop that), so nothing can be "
            f"planned from it. {again}; keep the merged frame for choosing ids."
        )
    missing = [name for name in COLUMNS if name not in images.columns]
    if missing:
        raise PlanError(f"This frame lacks {missing}, which a plan records. {again}.")
    if facts["status"] != "complete":
        raise PlanError(
            f"This frame is {facts['status']}: the library was not read whole, and what is missing in it may "
            f"only be unread. {again}."
        )
    if facts["scope"] != "library":
        raise PlanError(
            f"This frame holds {facts['scope']} only; shares and caps need the whole library. {again} with "
            "mask = rules.tagged(images, ...)."
        )
    age = dt.datetime.now(dt.UTC) - pd.Timestamp(facts["read_at"])
    if abs(age) > MAX_AGE:
        raise PlanError(
            f"This frame was read {age.total_seconds() / 3600:.0f} hours ago, at {facts['read_at'][:16]} UTC; "
            f"a plan needs one of the last 24 hours. {again}."
        )
    if not images.index.is_unique or len(images) > facts["n_images"]:
        raise PlanError(
            f"This frame has {len(images)} rows of {images.index.nunique()} images (explode and concat repeat "
            f"rows). {again}."
        )
    return cast(Facts, dict(facts))


def _normal(images: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Bring a frame to its first form: plain pandas reads tags back from Parquet as arrays."""
    try:
        return frame_from_table(table_from_frame(images), facts)
    except SchemaError as error:
        raise PlanError(str(error)) from error


def _caps(max_images: int | None, max_bytes: int | str | None, max_fraction: float) -> Caps:
    if max_images is not None and (
        isinstance(max_images, bool) or not isinstance(max_images, int) or max_images < 0
    ):
        raise ValueError(f"max_images={max_images!r} is not a whole number of images.")
    if (
        isinstance(max_fraction, bool)
        or not isinstance(max_fraction, int | float)
        or not 0 <= max_fraction <= 1
    ):
        raise ValueError(f"max_fraction={max_fraction!r} is not a share between 0 and 1.")
    size = None if max_bytes is None else parse_bytes(max_bytes, "max_bytes")
    return Caps(max_images, size, float(max_fraction))


def _chosen(
    images: pd.DataFrame, choice: Any, reason: str
) -> tuple[dict[str, str], list[str], set[str]]:
    """Give the reason of each chosen id, the unknown ones, and those only a rule chose."""
    parts = choice if isinstance(choice, Mapping) else {reason: choice}
    if not parts:
        raise PlanError("choice is an empty mapping; give {'reason': mask}.")
    why: dict[str, list[str]] = {}
    unknown: dict[str, None] = {}
    named: set[str] = set()
    for text, part in parts.items():
        if not isinstance(text, str) or not text.strip():
            raise PlanError(f"choice has the reason {text!r}; give {{'reason': mask}}.")
        chosen = chosen_ids(images, part, f"choice[{text!r}]" if parts is choice else "choice")
        for one in chosen.yes:
            why.setdefault(one, []).append(text)
        unknown |= dict.fromkeys(chosen.unknown)
        if not chosen.by_rule:
            named |= set(chosen.yes)
    return (
        {one: "; ".join(texts) for one, texts in why.items()},
        [one for one in unknown if one not in why],
        set(why) - named,
    )


def _edited_lately(images: pd.DataFrame, ids: set[str], facts: Facts) -> dict[str, str]:
    now = pd.Timestamp(facts["loaded_at"])
    edited = (images["updated_at"] > images["created_at"]) & (
        images["updated_at"] > now - EDITED_LATELY
    )
    return {
        one: "edited in the last 90 days"
        for one in images.index[edited.fillna(False)]
        if one in ids
    }


def _decided(decisions: Mapping[str, Any], facts: Facts) -> dict[str, str]:
    today = pd.Timestamp(facts["loaded_at"]).date()
    return {
        one: "on your keep list"
        if decision.word == "keep"
        else f"decide later, from {decision.until}"
        for one, decision in decisions.items()
        if decision.word != "delete" and (decision.until is None or decision.until > today)
    }


def protected_by_tag(images: pd.DataFrame, tags: Iterable[str]) -> dict[str, str]:
    """Give the images that protected tags keep, and those whose tags nobody knows."""
    wanted = set(tags)
    if not wanted:
        return {}
    kept: dict[str, str] = {}
    for one, row in images["tags"].items():
        if row is None:
            kept[str(one)] = "unknown: its tags, and a tag is protected"
        elif found := wanted.intersection(row):
            kept[str(one)] = f"protected by the tag {min(found)!r}"
    return kept


def _spared(rows: pd.DataFrame, reason: str | list[str]) -> pd.DataFrame:
    reasons = [reason] * len(rows) if isinstance(reason, str) else reason
    return rows[["filename", "size_bytes"]].assign(
        reason=pd.Series(reasons, rows.index, dtype=object)
    )


def states(images: pd.DataFrame) -> list[list[Any]]:
    """Give what must stay the same between a plan and its deletion, a row per image, by id."""
    rows = images.sort_index()
    return [
        [
            one,
            None if pd.isna(size) else int(size),
            None if pd.isna(updated) else updated.isoformat(),
            None if pd.isna(public) else bool(public),
            None if tags is None else sorted(tags),
        ]
        for one, size, updated, public, tags in zip(
            rows.index,
            rows["size_bytes"],
            rows["updated_at"],
            rows["is_public"],
            rows["tags"],
            strict=True,
        )
    ]


def digest(document: Mapping[str, Any]) -> str:
    """Digest a plan document, its own digest left out."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.blake2b(msgspec.json.encode(rest, order="sorted"), digest_size=16).hexdigest()


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.reset_index().astype(object)
    return [
        {
            str(name): value.isoformat() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
            if isinstance(value, tuple) or not pd.isna(value)
        }
        for row in plain.to_dict("records")
    ]
