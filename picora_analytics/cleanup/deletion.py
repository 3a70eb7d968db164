"""What a person holds: a plan that shows itself, and what can be done with it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Self

import pandas as pd

from picora_analytics.cleanup.apply.dry_run import dry_run
from picora_analytics.cleanup.apply.hiding import hide
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import carry_out, check_phrase
from picora_analytics.cleanup.backup.backup import Backup, back_up
from picora_analytics.cleanup.plan.document import load_plan, save_plan, to_document
from picora_analytics.cleanup.plan.guard import Caps
from picora_analytics.cleanup.plan.model import UNSAID, Plan, Unsaid, refuse_other_account
from picora_analytics.cleanup.plan.preview import preview_html, preview_text
from picora_analytics.cleanup.plan.sparing import make_caps, make_plan
from picora_analytics.cleanup.plan.suggestion import is_suggestion, unpack
from picora_analytics.client.client import Client
from picora_analytics.errors import BackupError
from picora_analytics.files import write_csv
from picora_analytics.progress import Progress
from picora_analytics.text import plural

__all__ = ["DeletionPlan", "plan_deletion", "plan_withholding", "read_plan"]


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class DeletionPlan(Plan):
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
        Where the frame came from: account, host, and what was loaded when.
    protected_tags : tuple of str
        Looked up again before anything is deleted.
    caps : Caps
    made_at : datetime
        By this machine's clock; a plan is good for 14 days.
    duplicates : dict of id to id
        Which image stays as the duplicate of a planned one; looked up again before anything is deleted.
    staying : DataFrame
        Those that stay: their rows without the title, to be compared again.
    protection : tuple of str
        What each list and tag that protects has matched, and what it has not.
    inherits : DataFrame
        What those that stay get: ``id``, ``tags_added`` and ``title``.
    searched : tuple of str
        Where someone looked for references to these images, when, and what came of it; empty where nobody did.
    hidden : tuple of str
        Those that were hidden first: one is deleted only with a proved copy, or where the service grants a signed
        address to fetch it.
    path : Path or None
        The file it was read from; its journal is kept beside that.
    """

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Give deeds to a plan's value; what was worked out of it already comes along."""
        made = cls.__new__(cls)
        vars(made).update(vars(plan))
        return made

    @property
    def copies(self) -> Mapping[str, str]:
        """The former name of `duplicates`."""
        return self.duplicates

    def to_document(self) -> dict[str, Any]:
        """Give the plan as plain values, as it is saved."""
        return to_document(self)

    def __repr__(self) -> str:
        return preview_text(self)

    def _repr_html_(self) -> str:
        return preview_html(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """
        Save the plan as a readable JSON file with a digest, for review elsewhere.

        Returns
        -------
        Path
        """
        return save_plan(self, Path(path).expanduser())

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the planned rows as a CSV file that no spreadsheet will run.

        Texts that begin like a formula, ids among them, get an apostrophe in front (OWASP, CSV injection).

        Returns
        -------
        Path
        """
        target = Path(path).expanduser()
        write_csv(self.images.reset_index(), target)
        return target

    def dry_run(self, client: Client) -> DeletionReceipt:
        """
        Give the receipt as it would be now. Only reads are sent.

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
        return dry_run(self, client)

    def back_up(
        self,
        client: Client,
        folder: str | os.PathLike[str],
        *,
        progress: Progress | bool | None = None,
    ) -> Backup:
        """
        Download the original files of these images and prove each one; nothing is deleted.

        A file is proved by its length, its hash and by decoding it. Proofs already in the folder are checked again and
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
            If the folder holds another account's backup, cannot be used, or the disk lacks the room.
        """
        refuse_other_account(self, client)
        return back_up(
            self.images, self.library, client, folder, progress=progress, hidden=self.hidden
        )

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
        Delete exactly these images, for ever; without `confirm` this is a dry run.

        Each image is looked at again first: what changed since the plan, became protected or cannot be backed up is
        kept, with its reason, and the caps are checked against the library as it is now. What is about to be sent is
        on disk before it is sent, and each image ends in one outcome. A plan already carried out answers from its
        journal, and nothing is sent; one that was interrupted is for :func:`resume_deletion`.

        Parameters
        ----------
        client : Client
            Of the plan's own account.
        confirm : str, optional
            This plan's phrase, typed as a literal. Passing the plan's own attribute on defeats the guard: a run of
            all cells next week would delete whatever the plan holds then.
        backup : path or None
            Required together with `confirm`: the folder to back the images up in first, where an image whose file
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
                f"backup=None if the {plural(len(self.images), 'image')} of the plan may be lost for ever."
            )
        return carry_out(self, client, backup=backup, journal=journal, progress=progress)

    def hide(
        self,
        client: Client,
        confirm: str | None = None,
        *,
        decisions: str | os.PathLike[str] | None = None,
        journal: str | os.PathLike[str] = "default",
        progress: Progress | bool | None = None,
    ) -> DeletionReceipt:
        """
        Make the public ones of these images private, under the same addresses; without `confirm` this is a dry run.

        Visitors see a broken picture until :func:`unhide_images` shows it again; nothing is lost, and no storage is
        freed. So whoever misses a picture says so before it is deleted. Each image is looked at again first, as for
        :meth:`apply`; what is private already is kept, and never counts as hidden. A private picture can be fetched
        only through a signed address, so :meth:`back_up` is best done before. Called again after an interruption, with
        the same phrase, it goes on.

        Parameters
        ----------
        client : Client
            Of the plan's own account, with a key that may change images.
        confirm : str, optional
            This plan's phrase for hiding, typed as a literal; it begins with ``hide-``, and deletes nothing.
        decisions : path, optional
            Where to note what was hidden and when, which later plans then mind; made where there is none. What it
            says is to be kept is not hidden.
        journal : str or path
            Default: beside the plan's file, else in the user-data folder.
        progress : Progress or bool, optional
            As for :func:`load_images`.

        Returns
        -------
        DeletionReceipt
            ``would hide``; then ``hidden``, with the time at which the service says it happened.

        Raises
        ------
        ConfirmationError
            If the phrase is for another plan, or for deleting.
        PlanError, UnsafePlanError, JournalError, LockedError
            If the plan is refused; nothing was hidden.
        PicoraError
            Beginning with "Not available here" where the service does not change images.
        """
        return hide(self, client, confirm, decisions=decisions, journal=journal, progress=progress)


def plan_deletion(
    images: pd.DataFrame,
    choice: Any,
    *,
    reason: str | None = None,
    protect: Any = None,
    decisions: str | os.PathLike[str] | pd.DataFrame | None = None,
    max_images: int | None = None,
    max_bytes: int | str | None = None,
    max_fraction: float = 0.25,
    inherit: bool = True,
) -> DeletionPlan:
    """
    Plan which images to delete; nothing is sent.

    Images that were hidden first, as `decisions` or the mask of ``rules.hidden_for`` tell, are refused unless `protect`
    holds complete References made after their waiting time; those edited or shown again since are spared.
    Rows a rule cannot tell about are spared, and so are rows that a rule chose although they were edited
    within the last 90 days, and the last copy where a rule would take all images of the same content. Ids given by
    name are taken at their word. The plan shows itself even where it is too large; only carrying it out is refused
    then.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it, or some of its rows: complete, the whole library, read within 24 hours.
    choice : boolean Series, Index or list of ids, mapping of reason to one of these, or suggestion
        A Series speaks of exactly the frame's ids, in any order; NA is spared as unknown. What :func:`suggest` gave
        brings its reasons, references, decisions and protection along.
    reason : str
        Why, for the preview, the plan file and the receipt. A suggestion has one of its own.
    protect : str, boolean Series, Index of ids, References, or a list of these, optional
        Text is a tag. Images with unknown tags are spared where a tag is protected. Of the References that
        :func:`find_references` made, what was found is spared, and what not all could be looked at for.
    decisions : path or DataFrame, optional
        As :func:`read_decisions` reads it. Lines that contradict each other, or do not fit their image, are named.
    max_images : int, optional
    max_bytes : int or str, optional
        Bytes, or text such as ``"1 GiB"``.
    max_fraction : float
        Of the library's images, and of its bytes.
    inherit : bool
        Whether the one that stays of equal images gets the tags and the title of those that go, before they do
        (``plan.inherits``). Nothing is made public by it: a public image stays rather than a private one, or else
        both are spared.

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
    >>> list(plan.images.index), plan.size_bytes
    (['b'], 300)
    """
    return plan_withholding(
        images,
        choice,
        (),
        reason=reason,
        protect=protect,
        decisions=decisions,
        caps=make_caps(max_images, max_bytes, max_fraction),
        inherit=inherit,
    )


def plan_withholding(
    images: pd.DataFrame,
    choice: Any,
    withheld: Collection[str],
    *,
    reason: str | None,
    protect: Any,
    decisions: Any,
    caps: Caps,
    inherit: bool = True,
) -> DeletionPlan:
    """Plan as :func:`plan_deletion` does; the tags `withheld`, by which images are deleted, are not handed on."""
    if is_suggestion(choice):
        choice, reason, protect, decisions = unpack(images, choice, reason, protect, decisions)
    return DeletionPlan.of(
        make_plan(
            images,
            choice,
            reason=reason,
            protect=protect,
            decisions=decisions,
            caps=caps,
            inherit=inherit,
            withheld=withheld,
        )
    )


def read_plan(path: str | os.PathLike[str]) -> DeletionPlan:
    """
    Read a plan that :meth:`DeletionPlan.save` wrote.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    DeletionPlan
        With the phrase it had.

    Raises
    ------
    PlanError
        If the file is missing, not a plan, of another version, cut off or edited. To leave images out, read the
        plan and use :meth:`DeletionPlan.without`.
    """
    return DeletionPlan.of(load_plan(Path(path).expanduser()))
