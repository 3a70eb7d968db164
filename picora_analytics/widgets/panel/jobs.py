"""The jobs that a panel begins: deletion, hiding, and what was interrupted."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping

from picora_analytics.cleanup.apply.begun import Begun
from picora_analytics.cleanup.apply.hiding import hide
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import carry_out, resume_deletion
from picora_analytics.cleanup.backup.backup import backed_up_pictures
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.deeds import HIDE
from picora_analytics.client.client import Client, Usage
from picora_analytics.errors import PicoraError
from picora_analytics.pictures.thumbnails import MAX_LARGE_BYTES, Thumbnails
from picora_analytics.progress import Progress
from picora_analytics.widgets.panel.running import Job

__all__ = ["Said", "deletion_job", "hiding_job", "job_so_far", "recall_pictures", "resuming_job"]


def deletion_job(plan: DeletionPlan, client: Client, backup: str | None) -> Job:
    """Delete the images of a plan that was confirmed."""

    def run(progress: Progress, cancelled: Callable[[], bool]) -> DeletionReceipt:
        return carry_out(plan, client, backup=backup, progress=progress, cancelled=cancelled)

    return Job(
        plan.library,
        plan.images,
        run,
        backup=backup,
        n_spared=len(plan.spared),
        usage=lambda: _usage(client),
    )


def hiding_job(plan: DeletionPlan, client: Client, decisions: str | os.PathLike[str] | None) -> Job:
    """Hide the public images of a plan whose number was typed."""

    def run(progress: Progress, cancelled: Callable[[], bool]) -> DeletionReceipt:
        phrase = plan.hiding_confirmation  # The number of what is hidden was typed for it.
        return hide(
            plan, client, phrase, decisions=decisions, progress=progress, cancelled=cancelled
        )

    images = plan.images[plan.images["is_public"].fillna(False)]
    return Job(plan.library, images, run, deed=HIDE, n_spared=len(plan.spared))


def resuming_job(begun: Begun, client: Client, keep: Mapping[str, str]) -> Job:
    """Go on with a deletion, or end it there if all that is left is to be kept."""

    def run(progress: Progress, cancelled: Callable[[], bool]) -> DeletionReceipt:
        return resume_deletion(
            client, begun.path, progress=progress, cancelled=cancelled, keep=keep
        )

    return _job_of(begun, run, lambda: _usage(client))


def job_so_far(begun: Begun) -> tuple[Job, DeletionReceipt]:
    """Give an interrupted deletion as a job that ended, and its receipt so far."""
    receipt = begun.receipt()
    job = _job_of(begun, lambda *_: receipt, lambda: None)
    job.follow("deleted", begun.done)
    job.ended = True
    return job, receipt


def _job_of(
    begun: Begun,
    run: Callable[[Progress, Callable[[], bool]], DeletionReceipt],
    usage: Callable[[], Usage | None],
) -> Job:
    plan = begun.plan
    return Job(
        plan.library,
        plan.images,
        run,
        backup=begun.past.backup,
        n_spared=len(plan.spared),
        usage=usage,
    )


def _usage(client: Client) -> Usage | None:
    try:
        return client.usage()
    except PicoraError:
        return None


def recall_pictures(begun: Begun, thumbnails: Thumbnails, most: int) -> None:
    """Take the first pictures of what is gone out of its backup, as far as they are there."""
    known = thumbnails.remembered(begun.done)
    ids = [one for one in begun.done if one not in known][:most]
    folder = begun.past.backup
    if folder is None or not ids:
        return
    with contextlib.suppress(PicoraError, OSError):  # They are for the eye alone.
        for one, data in backed_up_pictures(begun.plan.library, folder, ids, MAX_LARGE_BYTES):
            thumbnails.put(one, data)


class Said:
    """A progress in words."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def update(self, done: int, total: int | None) -> None:
        """Count."""
        self._say(f"Uploaded {done:,}" + ("" if total is None else f" of {total:,}"))

    def wait(self, reason: str) -> None:
        """Say why nothing happens."""
        self._say(reason)

    def finish(self, text: str) -> None:
        """Say the last line; the table follows."""
