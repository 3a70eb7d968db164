"""Upload backed-up files again, under new addresses, each once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from picora_analytics.cleanup.backup.backup import CANNOT_COME_BACK, records_of
from picora_analytics.cleanup.backup.decoding import MIME_TYPES
from picora_analytics.cleanup.backup.download import ArchivedError, Downloader, NoProofError
from picora_analytics.cleanup.backup.folder import BackupFolder, Proof
from picora_analytics.cleanup.backup.restore_journal import Outcome, RestoreJournal
from picora_analytics.cleanup.backup.restored import (
    differs,
    looks_like_upload,
    wanted_fields,
    what_is_lost,
)
from picora_analytics.client import changes
from picora_analytics.client.answers import is_lost
from picora_analytics.client.client import Client, check_client
from picora_analytics.client.pictures import PictureError
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import (
    APIError,
    AuthenticationError,
    BackupError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StatusError,
)
from picora_analytics.files import write_csv
from picora_analytics.library.load.loading import load_images
from picora_analytics.progress import Progress, progress_for
from picora_analytics.text import plural

__all__ = ["restore_images"]

TABLE = "restored.csv"
COLUMNS = ["old_id", "new_id", "old_url", "new_url", "outcome", "reason"]
DONE = ("restored", "already there")
MAX_LOST = 3  # Answers lost in a row; then the rest is not tried.


def restore_images(
    client: Client,
    folder: str | os.PathLike[str],
    ids: str | Iterable[str] | None = None,
    *,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """
    Upload the copies of a backup again; file name, title, tags and visibility come back with the bytes.

    The address, the upload date and the view counts cannot come back: each image gets a new id and a new URL, and
    ``restored.csv`` in the folder holds old and new for a search and replace. Images still in the library are not sent.
    Where the service has the same bytes already, it gives that image, which is left as it is. Each upload is sent once:
    after a lost answer, or a run that was killed, the library is searched for the same bytes before anything is
    sent again. The oldest is uploaded first, so the order among them stays. A second call goes on where the first
    ended; an image that was restored and is gone again is uploaded again.

    Parameters
    ----------
    client : Client
        Of the account the copies were made from, with a key that may upload.
    folder : str or path
        As :meth:`DeletionPlan.back_up` made it.
    ids : str or iterable of str, optional
        Old ids; default: all copies of the folder.
    progress : Progress or bool, optional

    Returns
    -------
    DataFrame of shape (n_copies, 6)
        ``old_id``, ``new_id``, ``old_url``, ``new_url``, ``outcome`` (restored, already there, failed or unknown) and
        ``reason``; what did not come back as it was is said there.

    Raises
    ------
    BackupError
        If the folder is no backup, holds another account's copies or not these ids, or the server takes no
        uploads; nothing was sent.
    AuthenticationError, PermissionDeniedError, RateLimitError
        If the key may not upload, the storage quota is full (code ``QUOTA_EXCEEDED``), or the wait would be too long;
        what was restored so far is in ``restored.csv``.
    """
    check_client(client, "restore_images")
    account = client.account()
    target = BackupFolder(Path(folder), account=account, base_url=client.base_url, demo=client.demo)
    wanted = _oldest_first(_wanted(target.proofs(), ids, target.path))
    show = progress_for(progress, "Uploading")
    with target.lock(), client.reporting(show.wait):
        now = load_images(client, store=None, progress=False)
        downloader = Downloader(client, target)
        run = RestoreRun(
            client, target.path, downloader, RestoreJournal(target.path, client.demo_session), now
        )
        try:
            run.restore(wanted, show)
        except (AuthenticationError, PermissionDeniedError) as error:
            raise type(error)(
                f"{error} {run.counted()} of {plural(len(wanted), 'copy')} so far, see {target.path / TABLE}; "
                "call again for the rest.",
                status_code=error.status_code,
                code=error.code,
                request_id=error.request_id,
            ) from None
        finally:
            downloader.close()
            run.write_table(target.proofs())
            show.finish(f"{run.counted() or 'nothing restored'}; {CANNOT_COME_BACK}")
    return _frame(wanted, run.outcomes)


def _wanted(
    proofs: dict[str, Proof], ids: str | Iterable[str] | None, path: Path
) -> dict[str, Proof]:
    if ids is None:
        return proofs
    names = [ids] if isinstance(ids, str) else list(ids)
    for image_id in names:
        if image_id not in proofs:
            raise BackupError(
                f"{image_id!r} is not among the {plural(len(proofs), 'copy')} in {str(path)!r}; nothing was sent."
            )
    return {image_id: proofs[image_id] for image_id in names}


def _oldest_first(proofs: dict[str, Proof]) -> dict[str, Proof]:
    """Sort by upload date, because the library lists by it; what has none comes last."""
    dates = {image_id: proof.image.created_at for image_id, proof in proofs.items()}
    dated = sorted((date, image_id) for image_id, date in dates.items() if date is not None)
    undated = [image_id for image_id, date in dates.items() if date is None]
    return {image_id: proofs[image_id] for image_id in [*(one for _, one in dated), *undated]}


class RestoreRun:
    """One run over the files of a folder."""

    def __init__(
        self,
        client: Client,
        path: Path,
        downloader: Downloader,
        log: RestoreJournal,
        now: pd.DataFrame,
    ) -> None:
        self._client, self._path, self._downloader, self._log, self._now = (
            client,
            path,
            downloader,
            log,
            now,
        )
        self._past = log.past()
        self.outcomes: dict[str, Outcome] = {}

    def restore(self, wanted: dict[str, Proof], show: Progress) -> None:
        lost = 0
        for image_id, proof in wanted.items():
            if lost >= MAX_LOST:
                why = f"not tried: {MAX_LOST} answers in a row were lost"
                self.outcomes[image_id] = Outcome("failed", reason=why)
                continue
            outcome = self._known(image_id, proof) or self._restored(image_id, proof)
            self.outcomes[image_id] = outcome
            lost = lost + 1 if outcome.status == "unknown" else 0
            show.update(len(self.outcomes), len(wanted))

    def _known(self, image_id: str, proof: Proof) -> Outcome | None:
        """Answer without an upload: still there, or restored by an earlier call and there now."""
        if self._is_there(image_id, proof):
            url = str(self._now.at[image_id, "url"])
            return Outcome("already there", image_id, url, "it is still in the library")
        past = self._past.get(image_id)
        if past is None or past.status not in DONE or past.new_id is None:
            return None
        if self._is_there(past.new_id, proof):
            return past
        try:
            # An upload of a moment ago may not be listed yet.
            there = self._client.get_image(past.new_id)
        except NotFoundError:
            return None
        except APIError as error:
            return Outcome("unknown", reason=f"Looking for {past.new_id!r} failed: {error}")
        return past if there.size_bytes in (None, proof.size_bytes) else None

    def _is_there(self, image_id: str, proof: Proof) -> bool:
        """Tell whether an image is listed, with the size of a file as far as it is told."""
        if image_id not in self._now.index:
            return False
        size: Any = self._now.at[image_id, "size_bytes"]
        return bool(pd.isna(size) or size == proof.size_bytes)

    def _restored(self, image_id: str, proof: Proof) -> Outcome:
        data = _proved_bytes(self._path / proof.file, proof)
        if data is None:
            return Outcome("failed", reason="its copy is gone or was altered")
        past = self._past.get(image_id)
        if image_id in self._past and (past is None or past.status == "unknown"):
            found = self._same_bytes(records_of(self._candidates(proof)), proof)
            if found is not None:
                return self._record(
                    image_id, self._finished(proof, found, not looks_like_upload(found, proof))
                )
        self._log.intend(image_id)
        try:
            sent = self._upload(proof, data)
        except (AuthenticationError, PermissionDeniedError, RateLimitError) as error:
            self._record(image_id, Outcome("failed", reason=str(error)))
            raise
        except APIError as error:
            lost = is_lost(error)
            failed = Outcome("failed", reason=str(error))
            outcome = self._after_lost_answer(proof, error) if lost else failed
            self._record(image_id, outcome)
            refused = isinstance(error, StatusError) and error.status_code in (404, 405, 501)
            if refused and outcome.status not in DONE:
                raise BackupError(
                    f"This server takes no uploads ({error}); upload the files in {str(self._path)!r} by hand."
                ) from error
            return outcome
        return self._record(image_id, self._finished(proof, *sent))

    def _candidates(self, proof: Proof) -> pd.DataFrame:
        """Give the images that an upload of this file may have made."""
        size, name = self._now["size_bytes"], self._now["filename"]
        alike = size.isna() & (name == (proof.image.filename or proof.file))
        return self._now[(size == proof.size_bytes).fillna(False) | alike]

    def _upload(self, proof: Proof, data: bytes) -> changes.Uploaded:
        image = proof.image
        return changes.upload(
            self._client,
            data,
            filename=image.filename or proof.file,
            mime_type=MIME_TYPES[proof.file.rpartition(".")[2]],
            tags=image.tags or (),
            is_public=image.is_public is True,  # Unknown visibility is treated as private.
        )

    def _after_lost_answer(self, proof: Proof, error: APIError) -> Outcome:
        """Search what was uploaded since this run began; what is not found may still be in flight."""
        try:
            found = self._same_bytes(self._uploaded_since(), proof)
        except APIError as failure:
            return Outcome("unknown", reason=f"{error} Looking for it failed: {failure}")
        if found is None:
            return Outcome("unknown", reason=f"{error} It is not in the library yet; call again.")
        return self._finished(proof, found, False)

    def _uploaded_since(self) -> list[ImageRecord]:
        fresh: list[ImageRecord] = []
        for page in self._client.iter_pages():
            new = [image for image in page.images if image.id not in self._now.index]
            fresh += new
            if len(new) < len(page.images):  # Newest first: what follows was there before.
                break
        return fresh

    def _is_listed(self, image_id: str) -> bool:
        """Tell whether an image is in the library by now; a listing that fails tells nothing against it."""
        try:
            return any(image.id == image_id for image in self._uploaded_since())
        except APIError:
            return True

    def _same_bytes(self, candidates: Iterable[ImageRecord], proof: Proof) -> ImageRecord | None:
        """Give the image with exactly the bytes of a file; sizes and names alone prove nothing."""
        for image in candidates:
            if image.size_bytes not in (None, proof.size_bytes):
                continue
            with tempfile.TemporaryFile() as file:
                try:
                    _, sha256, _ = self._downloader.download(image, file)
                except (NoProofError, ArchivedError, PictureError, OSError):
                    continue
            if sha256 == proof.sha256:
                return image
        return None

    def _finished(self, proof: Proof, image: ImageRecord, duplicate: bool) -> Outcome:
        """Set what an upload cannot set, read it back, and list what is not as it was."""
        if duplicate:
            why = "the library has the same bytes already; that image was left as it is"
            return Outcome("already there", image.id, image.url, why)
        wanted = {
            name: value
            for name, value in wanted_fields(proof.image).items()
            if differs(getattr(image, name), value)
        }
        reasons = []
        try:
            if wanted:
                image = changes.edit(self._client, image.id, wanted)
            image = self._client.get_image(image.id)
        except APIError as error:
            reasons.append(str(error))
            if isinstance(error, NotFoundError) and not self._is_listed(image.id):
                why = f"the service gave it the id {image.id}, and has no image of that id"
                return Outcome("unknown", reason=why)
        return Outcome(
            "restored", image.id, image.url, "; ".join(reasons + what_is_lost(proof, image))
        )

    def _record(self, image_id: str, outcome: Outcome) -> Outcome:
        self.outcomes[image_id] = outcome
        self._log.record(image_id, outcome)
        return outcome

    def counted(self) -> str:
        counts = Counter(outcome.status for outcome in self.outcomes.values())
        return ", ".join(f"{n:,} {status}" for status, n in counts.items())

    def write_table(self, proofs: dict[str, Proof]) -> None:
        """Write old and new addresses of all that any call restored and that is there, for a search and replace."""
        there = {
            image_id: outcome
            for image_id, outcome in self._past.items()
            if outcome and outcome.new_id in self._now.index
        }
        found = there | self.outcomes
        moved = {
            image_id: outcome
            for image_id, outcome in found.items()
            if image_id in proofs and outcome.status in DONE and outcome.new_id != image_id
        }
        table = _frame({image_id: proofs[image_id] for image_id in moved}, moved)
        write_csv(table[["old_url", "new_url"]], self._path / TABLE, encoding="utf-8")


def _proved_bytes(path: Path, proof: Proof) -> bytes | None:
    """Read a file; None if it is no longer what was proved."""
    try:
        with path.open("rb") as file:
            data = file.read(proof.size_bytes + 1)
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest() == proof.sha256 else None


def _frame(proofs: dict[str, Proof], outcomes: dict[str, Outcome]) -> pd.DataFrame:
    rows = [
        (
            image_id,
            outcomes[image_id].new_id,
            proof.image.url,
            outcomes[image_id].new_url,
            outcomes[image_id].status,
            outcomes[image_id].reason,
        )
        for image_id, proof in proofs.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object)
