"""Back up the planned images, each file proved before anything may be deleted."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import math
import os
import queue
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pandas as pd

from picora_analytics.cleanup.backup.download import ArchivedError, Downloader, NoProofError
from picora_analytics.cleanup.backup.folder import (
    MANIFEST,
    BackupFolder,
    Proof,
    as_now,
    hash_of,
    why_stale,
)
from picora_analytics.client.client import Client
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import BackupError
from picora_analytics.library.frame import Facts
from picora_analytics.progress import Progress, follow, progress_for
from picora_analytics.text import plural, visible
from picora_analytics.units import format_bytes

__all__ = ["CANNOT_COME_BACK", "Backup", "back_up", "backed_up_pictures", "records_of"]

AT_ONCE = 4
ROUNDS = 7  # Docs, archive tier: restored in 30 s to 5 min; asked once a minute.
LONGEST_PAUSE = 300.0
GRACE = 0.5  # Seconds that downloads have to end once cancelled; a decoder or a slow host may take longer.
PER_FILE = 8192
CANNOT_COME_BACK = "addresses, upload dates and view counts cannot come back"

_Jobs = queue.SimpleQueue[tuple[Future[Proof], Downloader, ImageRecord, str | None] | None]

_HTML = jinja2.Environment(autoescape=True).from_string(
    """<div style="max-width: 60em"><p><strong>{{ title }}</strong></p>
{% if reasons %}<ul>{% for text, n in reasons %}<li>{{ "{:,}".format(n) }}: {{ text }}</li>{% endfor %}</ul>{% endif %}
<p>{{ restore }}.</p></div>"""
)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Backup:
    """
    What is proved, and what is not.

    Attributes
    ----------
    folder : Path
    proofs : dict of str to Proof
        By image id: file, sha256, size in bytes, when it was backed up, and what the service reported.
    failed : dict of str to str
        Why an image has no proof; it must be kept.
    n_reused : int
        Proofs that were in the folder before and still hold.
    demo : bool
    """

    folder: Path
    proofs: dict[str, Proof]
    failed: dict[str, str]
    n_reused: int
    demo: bool
    _images: dict[str, ImageRecord]
    _on_disk: BackupFolder
    _hidden: dict[str, str]  # What was hidden by us, by the hash of its content.

    @property
    def size_bytes(self) -> int:
        """Bytes of the proved files."""
        return sum(proof.size_bytes for proof in self.proofs.values())

    def recheck(
        self, ids: Iterable[str], cancelled: Callable[[], bool] = lambda: False
    ) -> dict[str, str]:
        """
        Check proofs again, right before the images are deleted.

        Parameters
        ----------
        ids : iterable of str
        cancelled : callable
            Polled; what was not checked by then does not hold.

        Returns
        -------
        dict of str to str
            Why the proof of an id does not hold (any more); empty if all do.
        """
        now, found = dt.datetime.now(dt.UTC), {}
        try:
            listed = self._on_disk.proofs()
        except BackupError as error:
            return dict.fromkeys(ids, str(error))
        for image_id in ids:
            why = "not checked: stopped" if cancelled() else None
            if why := why or self._why_not(image_id, now, listed.get(image_id)):
                found[image_id] = why
        return found

    def _why_not(self, image_id: str, now: dt.datetime, listed: Proof | None) -> str | None:
        proof = self.proofs.get(image_id)
        if proof is None:
            return self.failed.get(image_id, "no copy was made")
        if listed != proof:  # Without its line nobody could restore it.
            return f"{MANIFEST} does not list its copy any more"
        sha256 = hash_of(self.folder / proof.file)
        if sha256 is None:
            return "its copy is gone or cannot be read"
        if sha256 != proof.sha256:
            return "its copy was altered"
        hidden = self._hidden.get(image_id) == proof.sha256
        return why_stale(proof, self._images[image_id], now, hidden=hidden)

    def __repr__(self) -> str:
        lines = [self._title(), *(f"  {n:>8,}: {text}" for text, n in self._reasons())]
        return "\n".join([*lines, f"  {self._restore()}"])

    def _repr_html_(self) -> str:
        return _HTML.render(title=self._title(), reasons=self._reasons(), restore=self._restore())

    def _title(self) -> str:
        stamp = "DEMO  " if self.demo else ""
        return (
            f"{stamp}COPIES in {visible(self.folder)}: {self._counted()}, "
            f"{format_bytes(self.size_bytes)}, {self.n_reused:,} of them there before; "
            f"{len(self.failed):,} not proved"
        )

    def _counted(self) -> str:
        total = len(self.proofs) + len(self.failed)
        return f"{len(self.proofs):,} of {plural(total, 'image')} proved"

    def _reasons(self) -> list[tuple[str, int]]:
        return [(visible(text), n) for text, n in Counter(self.failed.values()).most_common(8)]

    def _restore(self) -> str:
        return f"restore_images(client, folder) uploads them again; {CANNOT_COME_BACK}"


def back_up(
    images: pd.DataFrame,
    library: Facts,
    client: Client,
    folder: str | os.PathLike[str],
    *,
    progress: Progress | bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    hidden: Collection[str] = (),
) -> Backup:
    """
    Download the original files of some images, and prove each file.

    A file is proved by the status 200, the length that listing and answer give, its hash, and by decoding it.
    Proofs that are in the folder already are checked again and reused. What could not be proved is in
    ``failed`` and stops nothing else. Downloads count towards the month's image bandwidth.

    Parameters
    ----------
    images : DataFrame
        Rows of a loaded library.
    library : dict
        Whose they are: ``images.attrs["picora"]``.
    client : Client
        Of that account.
    folder : str or path
        Made, readable by its owner only, if it does not exist; a folder holds the backup of one account.
    progress : Progress or bool, optional
    cancelled : callable
        Polled; what was not proved by then has failed, and what was stays proved.
    hidden : collection of str
        Images that we hid: perhaps no address opens them any more, so a proof of before counts where the service
        tells the same content.

    Returns
    -------
    Backup

    Raises
    ------
    BackupError
        If the folder is another account's, cannot be used, or the disk lacks the room; nothing was fetched.
    LockedError
        If another run holds the folder.
    """
    target = BackupFolder.of(Path(folder), library)
    wanted = {image.id: image for image in records_of(images)}
    hashes = {str(image_id): value for image_id, value in images["content_hash"].dropna().items()}
    show = progress_for(progress, "Copying")
    with target.lock():
        target.begin()
        known = {
            image_id: proof for image_id, proof in target.proofs().items() if image_id in wanted
        }
        if known:
            show.wait(f"checking {plural(len(known), 'copy')} made before")
        same = {one: hashes[one].lower() for one in hidden if one in hashes}
        before = Backup(target.path, known, {}, len(known), library["demo"], wanted, target, same)
        lost = before.recheck(known, cancelled)
        proofs = {
            image_id: proof
            for image_id, proof in known.items()
            if image_id not in lost and hashes.get(image_id, proof.sha256).lower() == proof.sha256
        }
        for image_id, proof in proofs.items():
            told = as_now(proof.image, wanted[image_id], hidden=image_id in hidden)
            if told != proof.image:
                proofs[image_id] = msgspec.structs.replace(proof, image=told)
                target.add(proofs[image_id])
        follow(show, "backed up", proofs.keys())
        todo = [image for image_id, image in wanted.items() if image_id not in proofs]
        need = sum(image.size_bytes or 0 for image in todo)
        free = _check_room(target.path, need + PER_FILE * len(todo))
        if todo:
            unknown = sum(image.size_bytes is None for image in todo)
            more = f" and {unknown:,} of unknown size" if unknown else ""
            show.wait(
                f"downloading {format_bytes(need)}{more} (this month's image bandwidth); "
                f"{format_bytes(free)} free on disk"
            )
        run = BackupRun(client, target, hashes, show, cancelled, len(wanted))
        with client.reporting(show.wait):
            run.download(todo, len(proofs))
        proved = proofs | run.proofs
        shared = _shared_bodies(proved, target.proofs(), hashes)
        target.write_table()
    backup = dataclasses.replace(
        before,
        proofs={image_id: proof for image_id, proof in proved.items() if image_id not in shared},
        failed=run.failed | shared,
        n_reused=len(proofs.keys() - shared.keys()),
    )
    show.finish(backup._counted())
    return backup


def backed_up_pictures(
    library: Facts, folder: str | os.PathLike[str], ids: Iterable[str], most: int
) -> Iterator[tuple[str, bytes]]:
    """Read the files of a backup as far as they are there and hold no more than so many bytes, to be looked at."""
    target = BackupFolder.of(Path(folder), library)
    proofs = target.proofs()
    for image_id in ids:
        proof = proofs.get(image_id)
        if proof is not None and proof.size_bytes <= most:
            with contextlib.suppress(OSError):
                yield image_id, (target.path / proof.file).read_bytes()


def _shared_bodies(
    proofs: Mapping[str, Proof], listed: Mapping[str, Proof], hashes: Mapping[str, str]
) -> dict[str, str]:
    """
    Tell which proofs rest on bytes that came for other images as well, where neither size nor hash tells them apart.

    A host that answers every address with one placeholder is not believed; listed sizes and hashes are.
    """
    owners: dict[str, set[str]] = {}
    for image_id, proof in {**listed, **proofs}.items():
        owners.setdefault(proof.sha256, set()).add(image_id)
    return {
        image_id: f"the same bytes came for {plural(len(owners[proof.sha256]) - 1, 'other image')}, "
        "and the listing tells no size to compare them with"
        for image_id, proof in proofs.items()
        if len(owners[proof.sha256]) > 1
        and proof.image.size_bytes is None
        and image_id not in hashes
    }


def _check_room(path: Path, need: int) -> int:
    free = shutil.disk_usage(path).free
    if need > free:
        raise BackupError(
            f"The copies need {format_bytes(need)}, and the disk of {str(path)!r} has {format_bytes(free)} free; "
            "make room or give another folder. Nothing was fetched."
        )
    return free


def records_of(images: pd.DataFrame) -> list[ImageRecord]:
    """Give the rows of a frame as the records they were made from."""
    names = [name for name in ImageRecord.__struct_fields__ if name != "id"]
    columns = [_plain(images[name]) for name in names]
    return [
        ImageRecord(id=image_id, **dict(zip(names, values, strict=True)))
        for image_id, *values in zip(map(str, images.index), *columns, strict=True)
    ]


def _plain(column: pd.Series[Any]) -> list[Any]:
    """Give the cells of a column as values that JSON knows; missing is None."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = pd.Series(pd.DatetimeIndex(column).to_pydatetime(), column.index, dtype=object)
    cells = column.astype(object)
    return cells.where(column.notna(), None).tolist()


class BackupRun:
    """One run over the images that have no proof, a few at a time."""

    def __init__(
        self,
        client: Client,
        folder: BackupFolder,
        hashes: dict[str, str],
        show: Progress,
        cancelled: Callable[[], bool],
        total: int,
    ) -> None:
        self.proofs: dict[str, Proof] = {}
        self.failed: dict[str, str] = {}
        self._client, self._folder, self._hashes = client, folder, hashes
        self._show, self._total = show, total
        self._ended = threading.Event()
        self._cancelled = cancelled

    def download(self, todo: list[ImageRecord], n_before: int) -> None:
        jobs: _Jobs = queue.SimpleQueue()
        downloader = Downloader(
            self._client, self._folder, ended=self._ended, cancelled=self._cancelled
        )
        # Not a pool of concurrent.futures: Python waits for its threads at exit, however slow a host is.
        for _ in range(min(AT_ONCE, len(todo))):
            threading.Thread(target=_work, args=[jobs], name="picora-backup", daemon=True).start()
        try:
            pause, tries = 0.0, 0
            while todo and tries < ROUNDS and not self._cancelled():
                if tries:
                    self._show.wait(f"fetching {plural(len(todo), 'image')} out of the archive")
                    self._pause(pause)
                tries += 1
                futures = {}
                for image in todo:
                    future: Future[Proof] = Future()
                    futures[future] = image
                    jobs.put((future, downloader, image, self._hashes.get(image.id)))
                todo, pause = self._collect(futures, n_before)
            stopped = "not tried: stopped" if self._cancelled() else None
            for image in todo:
                why = stopped or f"still in the archive after {ROUNDS} tries"
                self.failed[image.id] = why
        finally:
            # Ctrl-C does not wait for a slow host: a thread that sees the end proves nothing more.
            downloader.close()
            for _ in range(AT_ONCE):
                jobs.put(None)

    def _collect(
        self, jobs: dict[Future[Proof], ImageRecord], n_before: int
    ) -> tuple[list[ImageRecord], float]:
        """Take results as they come; give the archived images and how long to wait for them."""
        archived: list[ImageRecord] = []
        pause, open_jobs, until = 0.0, set(jobs), math.inf
        while open_jobs and time.monotonic() < until:
            done, open_jobs = wait(open_jobs, timeout=0.2, return_when=FIRST_COMPLETED)
            if self._cancelled() and not self._ended.is_set():
                self._ended.set()
                until = time.monotonic() + GRACE
            for job in done:
                image = jobs[job]
                try:
                    self.proofs[image.id] = job.result()
                    follow(self._show, "backed up", [image.id])
                except NoProofError as error:
                    self.failed[image.id] = str(error)
                except ArchivedError as error:
                    archived.append(image)
                    pause = max(pause, error.seconds)
            n_done = n_before + len(self.proofs) + len(self.failed)
            self._show.update(n_done, self._total)
            follow(self._show, "now", [jobs[job].id for job in open_jobs if job.running()])
        for job in open_jobs:
            self.failed[jobs[job].id] = "stopped before it was proved"
        return archived, min(pause, LONGEST_PAUSE)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._cancelled():
            time.sleep(min(left, 0.2))


def _work(jobs: _Jobs) -> None:
    """Do what is asked for, until nothing more is."""
    while (job := jobs.get()) is not None:
        future, downloader, image, content_hash = job
        future.set_running_or_notify_cancel()  # Nobody cancels it: who stops lets the thread see that.
        try:
            future.set_result(downloader.back_up(image, content_hash))
        except BaseException as error:  # The thread that waits raises it.
            future.set_exception(error)
