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
from typing import Any

import msgspec
import pandas as pd

from picora_analytics.cleanup.apply.dry_run import refuse_other_account, rehearse
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import carry_out, check_phrase
from picora_analytics.cleanup.backup.backup import Backup, back_up
from picora_analytics.cleanup.plan.guard import Amount, Caps, State, states_of
from picora_analytics.cleanup.plan.preview import preview_html, preview_text
from picora_analytics.client.client import Client
from picora_analytics.errors import BackupError, PlanError
from picora_analytics.files import write_atomic, write_csv
from picora_analytics.library.frame import Facts
from picora_analytics.progress import Progress

__all__ = ["DeletionPlan", "Unsaid"]

VALID_FOR = dt.timedelta(days=14)


class Unsaid(enum.Enum):
    """An argument that was not given, where None means something."""

    UNSAID = "unsaid"


UNSAID = Unsaid.UNSAID


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
    copies : dict of id to id
        Which image stays as the copy of a planned one; looked for again before anything is deleted.
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
    copies: Mapping[str, str] = dataclasses.field(default_factory=dict)
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
            *(_fingerprinted(one, state) for one, state in sorted(self.states.items())),
        ]
        return hashlib.blake2b(msgspec.json.encode(rows), digest_size=16).hexdigest()

    @property
    def confirmation(self) -> str:
        """
        The phrase that is for these images in this state: their count and the fingerprint's start.

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
        sizes = [self.states[one].size_bytes for one in ids]
        return Amount(len(sizes), sum(size or 0 for size in sizes), sizes.count(None))

    @property
    def refusals(self) -> list[str]:
        """Why this plan will not be carried out as it stands; empty when nothing is against it."""
        whole = Amount(self.library["n_images"], self.library["size_bytes"])
        found = self.caps.breaches(self.amount(self.states), whole)
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
        removed = spared_rows(self.images[leaving], "taken out by you")
        return dataclasses.replace(
            self,
            images=self.images[~leaving],
            spared=pd.concat([self.spared, removed]),
            copies={one: stays for one, stays in self.copies.items() if one not in out},
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
            "copies": dict(self.copies),
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
        target = Path(path)
        write_csv(self.images.reset_index(), target)
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
        backup: str | os.PathLike[str] | Unsaid | None = UNSAID,
        journal: str | os.PathLike[str] = "default",
        progress: Progress | bool | None = None,
    ) -> DeletionReceipt:
        """
        Delete exactly these images, for ever; without `confirm` only rehearse.

        Each image is looked at again first: what changed since the plan, became protected or cannot be copied is
        kept, with its reason, and the caps are held against the library as it is now. What is about to be sent is on
        disk before it is, and each image ends in one outcome. A plan already carried out answers from its journal,
        and nothing is sent; one that was interrupted is for :func:`resume_deletion`.

        Parameters
        ----------
        client : Client
            Of the plan's own account.
        confirm : str, optional
            This plan's phrase, typed as a literal. Passing the plan's own attribute on defeats the guard: a run of
            all cells next week would delete whatever the plan holds then.
        backup : path or None
            Must be said together with `confirm`: the folder that copies are kept in first, and an image whose copy
            cannot be proved is kept; or None, and these images cannot come back.
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
            If the key may not delete; the run stops at once.

        After the first deleting request, every error holds the receipt so far in ``.receipt``.
        """
        if confirm is None:
            return self.dry_run(client)
        check_phrase(self, confirm)
        if backup is UNSAID:
            raise BackupError(
                'backup= must be said together with confirm=: give a folder for copies, such as backup="kept/", or '
                f"backup=None if these {len(self.images):,} images may be lost for ever."
            )
        return carry_out(self, client, backup=backup, journal=journal, progress=progress)


def spared_rows(rows: pd.DataFrame, reason: str | list[str]) -> pd.DataFrame:
    """Make rows of :attr:`DeletionPlan.spared`."""
    reasons = [reason] * len(rows) if isinstance(reason, str) else reason
    return rows[["filename", "size_bytes"]].assign(
        reason=pd.Series(reasons, rows.index, dtype=object)
    )


def _fingerprinted(one: str, state: State) -> list[Any]:
    updated, tags = state.updated_at, state.tags
    return [
        one,
        state.size_bytes,
        None if updated is None else updated.isoformat(),
        state.is_public,
        None if tags is None else sorted(tags),
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
