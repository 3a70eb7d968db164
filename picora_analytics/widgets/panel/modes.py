"""What takes the place of choosing: review, resume, progress and receipt, and the banner above; and how they follow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import TypeVar

import ipywidgets as widgets
import pandas as pd

from picora_analytics.cleanup.apply.begun import (
    Begun,
    BegunDeletions,
    begun_deletions,
    read_begun,
)
from picora_analytics.cleanup.apply.places import Holder, holder_of
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import look_again
from picora_analytics.cleanup.backup.restore import restore_images
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.deeds import DELETE, HIDE
from picora_analytics.client.client import Client
from picora_analytics.errors import ConfirmationError, PicoraError
from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.widgets.panel.banner import Banner
from picora_analytics.widgets.panel.choosing import Stage
from picora_analytics.widgets.panel.html import Act, Do, alert, toggle
from picora_analytics.widgets.panel.jobs import (
    Said,
    deletion_job,
    hiding_job,
    job_so_far,
    recall_pictures,
    resuming_job,
)
from picora_analytics.widgets.panel.progress import ProgressStep
from picora_analytics.widgets.panel.receipt import ReceiptStep
from picora_analytics.widgets.panel.resume import GONE, ResumeStep
from picora_analytics.widgets.panel.review import ReviewStep
from picora_analytics.widgets.panel.running import Job, running
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["Modes"]

_Step = TypeVar("_Step", ReviewStep, ResumeStep, ProgressStep, ReceiptStep)

LEFT_BY_YOU = "left as it is, by you"
SHOWN_AS_STAYING = "shown as staying when the rest was confirmed"


class Modes:
    """
    The modes of a panel beside choosing.

    Parameters
    ----------
    session : CleanupSession
    client : Client
    thumbnails : Thumbnails
    do : callable
        Runs a gesture under the panel's lock, and paints.
    lock : lock
        The panel's, for what comes from other threads.
    paint : callable
        Paints the panel.
    chosen : callable
        Given the focus once choosing is in sight again.

    Attributes
    ----------
    box : VBox
        The mode in sight; hidden while it is choosing.
    banner : Banner
        Stands above everything.
    """

    def __init__(
        self,
        session: CleanupSession,
        client: Client,
        *,
        thumbnails: Thumbnails,
        do: Do,
        lock: threading.RLock,
        paint: Callable[[], None],
        chosen: Callable[[], None],
    ) -> None:
        self._session, self._client, self._thumbnails = session, client, thumbnails
        self._do, self._lock, self._paint, self._chosen = do, lock, paint, chosen
        self._job: Job | None = None
        self._ended: Job | None = None
        self._in_sight = False  # Whether the running job is shown, not merely named in the banner.
        self._receipt: DeletionReceipt | None = None
        self._carried: DeletionPlan | None = None
        self._keep: dict[str, str] = {}
        self._begun = BegunDeletions([], [])
        self._holder: Holder | None = None
        self.banner = Banner(
            show=self._gesture(self._on_show),
            look=self._gesture(lambda _: self.look_for_begun()),
            receipt=lambda one: do(lambda session: self._on_so_far(session, one)),
            leave=lambda one: do(lambda session: self._on_leave(session, one)),
            resume=lambda one: do(lambda session: self._on_resume(session, one)),
        )
        self.box = widgets.VBox()
        self.box.add_class("pm-modes")

    # Each is made shortly before it may be needed: a page takes its time to make what a panel may never show.

    @cached_property
    def review(self) -> ReviewStep:
        """The review."""
        do = self._do
        return self._added(
            ReviewStep(
                do,
                self._thumbnails,
                back=self._gesture(self._on_back),
                delete=self._gesture(self._on_delete),
                hide=self._gesture(self._on_hide),
                keep=lambda one: do(lambda session: self._on_keep(session, one)),
            )
        )

    @cached_property
    def resume(self) -> ResumeStep:
        """The review of what an interrupted deletion left."""
        step = ResumeStep(
            self._thumbnails,
            back=self._gesture(self._on_back),
            go_on=self._gesture(self._on_go_on),
            leave=self._gesture(lambda session: self._on_leave(session, step.begun)),
            receipt=self._gesture(lambda session: self._on_so_far(session, step.begun)),
        )
        return self._added(step)

    @cached_property
    def progress(self) -> ProgressStep:
        """How far a deletion is."""
        return self._added(ProgressStep(self._thumbnails, self._gesture(self._on_stop)))

    @cached_property
    def receipt(self) -> ReceiptStep:
        """What came of it."""
        return self._added(
            ReceiptStep(
                self._thumbnails,
                done=self._gesture(self._on_done),
                again=self._gesture(self._on_again),
                upload=self._gesture(self._on_upload),
            )
        )

    def _added(self, step: _Step) -> _Step:
        step.box.add_class("picora-hidden")
        self.box.children = (*self.box.children, step.box)
        return step

    def _made(self, name: str) -> bool:
        return name in vars(self)

    @property
    def mode(self) -> str:
        """One of ``choose``, ``review``, ``resume``, ``progress`` and ``receipt``."""
        if self._in_sight and self._job is not None and not self._job.ended:
            return "progress"
        if self._receipt is not None:
            return "receipt"
        if self._made("resume") and self.resume.begun is not None:
            return "resume"
        return "review" if self._session.stage is Stage.PLANNED else "choose"

    @property
    def job(self) -> Job | None:
        """The deletion that runs in this process, or that ended last."""
        return self._job

    def focus(self) -> None:
        """Focus the safe control of the mode in sight."""
        mode = self.mode
        if mode == "choose":
            self._chosen()
        else:
            getattr(self, mode).focus()

    def paint(self, session: CleanupSession) -> None:
        """Bring the modes in line with the session; one of them is in sight."""
        job = running(session.library)
        if job is not None and job is not self._job and (self._job is None or self._job.ended):
            self._job = job
            job.listen(self)
        mode = self.mode
        if self._made("progress") or self._job is not None:
            self.progress.paint(self._job if mode == "progress" else None)
        if self._made("receipt") or self._receipt is not None or self._begun.found:
            self.receipt.paint(self._receipt if mode == "receipt" else None, self._job)
        if self._made("review") or session.selected.n_images:
            self.review.paint(session)
            toggle(self.review.box, mode == "review")
        if self._made("resume"):
            toggle(self.resume.box, mode == "resume")
        self._paint_banner()

    def _paint_banner(self) -> None:
        """Name what is not in sight: a deletion shown large is none of that."""
        mode = self.mode
        shown = mode == "progress"
        begun = () if shown or mode == "resume" else self._begun.found
        self.banner.paint(
            None if shown else self._job,
            None if shown else self._holder,
            begun,
            self._begun.problems,
        )

    def _gesture(self, act: Act) -> Callable[[], None]:
        return lambda: self._do(act)

    # Review

    def begin_review(self, session: CleanupSession, reason: str) -> DeletionPlan:
        """Plan the selection, and show it."""
        plan = session.make_plan(reason)
        _ = self.progress, self.receipt
        self.review.begin(plan)
        self._paint()
        self.focus()
        return plan

    def _on_back(self, session: CleanupSession) -> None:
        self._close_resume()
        session.void()
        self._paint()
        self._chosen()

    def _close_resume(self) -> None:
        if self._made("resume"):
            self.resume.close()

    def _on_keep(self, session: CleanupSession, image_id: str) -> None:
        reason = self.review.reason.value.strip() or (session.plan.reason if session.plan else "")
        session.keep([image_id])
        if session.selected.n_images:
            session.make_plan(reason)
        self._paint()
        self.focus()

    def _on_delete(self, session: CleanupSession) -> None:
        backup = self.review.backup
        try:
            plan = session.begin(self.review.confirm.typed.value, backup)
        except ConfirmationError as error:
            self.review.confirm.say(str(error))
            return
        self._start(plan, deletion_job(plan, self._client, backup))

    def _on_hide(self, session: CleanupSession) -> None:
        try:
            plan = session.begin_hiding(self.review.confirm.typed.value)
        except ConfirmationError as error:
            self.review.confirm.say(str(error))
            return
        self._start(plan, hiding_job(plan, self._client, session.decisions_file))

    def _start(self, plan: DeletionPlan | None, job: Job) -> None:
        self._carried, self._job, self._in_sight = plan, job, True
        self._receipt = None
        if self._made("review"):
            self.review.confirm.clear()
        self._close_resume()
        self._session.stage = Stage.DELETING
        job.listen(self)
        job.start()
        self._paint()
        self.focus()

    # While it runs, and once it has ended

    def _on_show(self, session: CleanupSession) -> None:
        if self._job is not None and not self._job.ended:
            self._in_sight = True
            session.void()
            session.stage = Stage.DELETING
            self._paint()
            self.focus()

    def _on_stop(self, _: CleanupSession) -> None:
        if self._job is not None:
            self._job.cancel()

    def on_job(self, job: Job) -> None:
        """Take what a job tells, from its thread."""
        with self._lock:
            if job is not self._job or job is self._ended:
                return  # Two threads may see its end, and tell.
            if not job.ended:
                self.progress.paint(job if self.mode == "progress" else None)
                self._paint_banner()
                return
            shown, self._in_sight, self._ended = self._in_sight, False, job
            self._end(job, shown)
        self.look_for_begun()

    def _end(self, job: Job, shown: bool) -> None:
        session, failure = self._session, job.failure
        plan = self._carried if shown else None
        session.finish(job.receipt)
        self._receipt = job.receipt if shown else None
        why = "" if failure is None else _said(failure)
        if failure is not None and job.deed is HIDE and why.startswith("Not available here"):
            session.can_hide = False
        if failure is not None and job.receipt is None and plan is not None:
            # Nothing was sent: the review stands again, and says why.
            session.plan, session.stage = plan, Stage.PLANNED
            self.review.begin(plan)
        self._paint()
        if why and self._receipt is not None:
            self.receipt.say(alert(why))
        elif why and self.mode == "review":
            self.review.confirm.say(why)
        elif why and shown:
            self.banner.say(why)
        if shown:
            self.focus()

    def _on_done(self, _: CleanupSession) -> None:
        self._receipt = None
        self._paint()
        self._chosen()

    def _on_again(self, session: CleanupSession) -> None:
        receipt, plan = self._receipt, self._carried
        begun = None
        if receipt is not None and receipt.journal is not None:
            begun = read_begun(receipt.journal)
        self._receipt = None
        if begun is not None:
            self._on_resume(session, begun)
        elif plan is not None and session.selected.n_images:
            self.begin_review(session, plan.reason)
        else:
            self._on_done(session)

    def _on_upload(self, _: CleanupSession) -> None:
        folder, ids = self.receipt.backup, self.receipt.deleted
        if folder is not None:
            self.receipt.uploading("Uploading …")
            threading.Thread(
                target=self._upload, args=(folder, ids), name="picora-restore", daemon=True
            ).start()

    def _upload(self, folder: str, ids: list[str]) -> None:
        try:
            table: pd.DataFrame = restore_images(
                self._client, folder, ids, progress=Said(self.receipt.uploading)
            )
        except Exception as error:
            with self._lock:
                self.receipt.failed(_said(error))
            return
        with self._lock:
            self.receipt.uploaded(table)

    # What was interrupted

    def look_for_begun(self) -> None:
        """Look in the background what was begun and not ended, and what runs elsewhere."""
        threading.Thread(target=self._look_for_begun, name="picora-begun", daemon=True).start()

    def _look_for_begun(self) -> None:
        library = self._session.library
        try:
            holder = holder_of(library, self._client)
            begun = begun_deletions(library, self._client)
        except (PicoraError, OSError) as error:
            holder, begun = None, BegunDeletions([], [_said(error)])
        with self._lock:
            self._holder, self._begun = holder, begun
            self._paint()

    def _on_resume(self, session: CleanupSession, begun: Begun) -> None:
        session.void()
        self._receipt = None
        _ = self.resume, self.progress, self.receipt
        self.banner.say("Looking at what is there now …", problem=False)
        threading.Thread(
            target=self._look_again, args=(begun,), name="picora-look", daemon=True
        ).start()

    def _look_again(self, begun: Begun) -> None:
        looked, why = None, ""
        recall_pictures(begun, self._thumbnails, GONE)
        try:
            with self._lock:
                keep = self._session.kept_from(begun.left)
            looked = look_again(self._client, begun.path, keep=keep)
            # What is shown as staying stays, whatever becomes of it until the number is typed.
            told = zip(
                *(looked.outcomes[name] for name in ("id", "outcome", "reason")), strict=True
            )
            keep |= {
                one: why or SHOWN_AS_STAYING for one, word, why in told if word != DELETE.would
            }
        except Exception as error:
            keep, why = {}, _said(error)
        with self._lock:
            self._keep = keep
            self.banner.say("")
            self.resume.open(self._session, begun, looked, why)
            self._paint()
            self.focus()

    def _on_go_on(self, _: CleanupSession) -> None:
        begun, needed = self.resume.begun, self.resume.needed
        if begun is None or not needed:
            return
        if self.resume.confirm.typed.value.strip() != needed:
            self.resume.confirm.say(f"Type {needed}. Nothing more was deleted.")
            return
        self._resume(begun, self._keep)

    def _on_leave(self, _: CleanupSession, begun: Begun | None) -> None:
        if begun is not None:
            self._resume(begun, dict.fromkeys(begun.left, LEFT_BY_YOU))

    def _resume(self, begun: Begun, keep: dict[str, str]) -> None:
        self._start(None, resuming_job(begun, self._client, keep))

    def _on_so_far(self, _: CleanupSession, begun: Begun | None) -> None:
        if begun is None:
            return
        recall_pictures(begun, self._thumbnails, GONE)
        job, receipt = job_so_far(begun)
        self._close_resume()
        self._job, self._receipt = job, receipt
        self._paint()
        self.focus()


def _said(error: Exception) -> str:
    known = isinstance(error, PicoraError | ValueError)
    return str(error) if known else f"{type(error).__name__}: {error}"
