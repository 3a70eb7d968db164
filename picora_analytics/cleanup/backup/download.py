"""One image, one proved file: fetched, measured, hashed, decoded, renamed, written into the manifest."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from picora_analytics.cleanup.backup.decoding import DecodeError, decode_picture
from picora_analytics.cleanup.backup.folder import BackupFolder, Proof, backup_name
from picora_analytics.client.client import Client
from picora_analytics.client.pictures import (
    PictureError,
    is_local,
    picture_url,
    picture_web,
    sign,
    stream_picture,
)
from picora_analytics.client.retrying import StoppedError
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import APIError, NotFoundError, StatusError
from picora_analytics.text import plural
from picora_analytics.times import now

__all__ = ["ArchivedError", "Downloader", "NoProofError", "why_not_the_original"]

MAX_BYTES = 64 * 1024**2  # Docs, upload page: at most 50 MB.
SLACK = 64 * 1024  # What may come beyond the listed size, to tell a longer file from a cut one.
MAX_TRIES = 4
TIMEOUT = 30.0  # Seconds for each step of one request.
PATIENCE = 900.0  # Seconds for one image, all tries together.
# What a dead address answers; None is no answer at all.
GONE = (None, 301, 302, 307, 308, 404, 410)
MAX_DOUBTS = 3  # After three, an answer about one image is taken for one about all.


class NoProofError(Exception):
    """There is no proof of this image; the message says why."""


class ArchivedError(Exception):
    """The picture is being fetched out of the archive; ask again in `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def why_not_the_original(
    size: int, sha256: str, promised: int | None, told: int | None, content_hash: str | None
) -> str | None:
    """
    Tell why bytes are not those of the image; None if they are.

    Parameters
    ----------
    size, sha256 : int, str
        Of what came.
    promised : int or None
        Length in the answer's header, in bytes.
    told : int or None
        Size in the listing, in bytes.
    content_hash : str or None
        From the change feed.
    """
    if promised is not None and size != promised:
        return f"{size:,} of {plural(promised, 'byte')} came"
    if told is not None and size != told:
        return f"the listing says {plural(told, 'byte')}, and {size:,} came"
    if promised is None and told is None:
        return "neither the listing nor the answer says how long it is"
    if content_hash is not None and sha256 != content_hash.lower():
        return "its bytes are not those of its content hash"
    return None


class Downloader:
    """
    Downloads images into one folder; its methods may be called from several threads.

    Parameters
    ----------
    client : Client
        Signs the addresses of private images; pictures themselves are fetched without its key.
    folder : BackupFolder
    ended : Event, optional
        When set, every wait ends and nothing more is proved.
    cancelled : callable
        Polled, to the same effect.
    """

    def __init__(
        self,
        client: Client,
        folder: BackupFolder,
        *,
        ended: threading.Event | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        self._client, self._folder = client, folder
        self._ended, self._cancelled = ended or threading.Event(), cancelled
        self._local = is_local(client.base_url)
        self._web = picture_web(local=self._local, timeout=TIMEOUT)
        self._manifest = threading.Lock()
        self._signing = threading.Lock()
        self._no_signing = ""
        self._signed = self._doubts = 0
        self._moved: dict[str, str] = {}
        self._stayed = 0

    def close(self) -> None:
        """Prove nothing more, and close the connections to the picture hosts."""
        with self._manifest:
            self._ended.set()
        self._web.close()

    def back_up(self, image: ImageRecord, content_hash: str | None) -> Proof:
        """
        Download one image and prove the file.

        Raises
        ------
        NoProofError
            If there is no proof in the end.
        ArchivedError
            If it is worth asking again later.
        """
        try:
            return self._proved(image, content_hash)
        except OSError as error:
            raise NoProofError(f"the copy cannot be written ({error.strerror})") from None
        except (DecodeError, PictureError) as error:
            raise NoProofError(str(error)) from None

    def _proved(self, image: ImageRecord, content_hash: str | None) -> Proof:
        if self._stopped():
            raise NoProofError("not tried: stopped")
        told = image.size_bytes
        if shutil.disk_usage(self._folder.path).free < (told or 0):
            raise NoProofError("the disk is full")
        if told is not None and told > MAX_BYTES:
            raise NoProofError(f"{told:,} bytes are more than the {MAX_BYTES:,} that are fetched")
        descriptor, name = tempfile.mkstemp(
            prefix=".picora-", suffix=".part", dir=self._folder.path
        )
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                size, sha256, promised = self.download(image, file)
                file.flush()
                os.fsync(file.fileno())
            if why := why_not_the_original(size, sha256, promised, told, content_hash):
                raise NoProofError(why)
            picture = decode_picture(temporary, image.mime_type, self._stopped)
            if why := picture.why_not(image.width, image.height):
                raise NoProofError(why)
            proof = Proof(
                file=backup_name(image.id, sha256, picture.extension),
                sha256=sha256,
                size_bytes=size,
                copied_at=now(),
                image=image,
                pixels=picture.pixels,
            )
            # Once stopped, nothing more is written: the folder may be another run's by then.
            with self._manifest:
                if self._stopped():
                    raise NoProofError("stopped before it was proved")
                temporary.replace(self._folder.path / proof.file)
                self._folder.add(proof)
        finally:
            temporary.unlink(missing_ok=True)
        return proof

    def download(self, image: ImageRecord, file: IO[bytes]) -> tuple[int, str, int | None]:
        """
        Fetch a picture into a file, with retries where they may help.

        Returns
        -------
        size : int
            Bytes.
        sha256 : str
        promised : int or None
            The length the host promised, in bytes.

        Raises
        ------
        NoProofError, PictureError
            If it did not arrive.
        ArchivedError
            If it is worth asking again later.
        """
        until = time.monotonic() + PATIENCE
        for attempt in range(1, MAX_TRIES + 1):
            file.seek(0)
            file.truncate()
            digest = hashlib.sha256()

            def take(piece: bytes, digest: hashlib._Hash = digest) -> None:
                digest.update(piece)
                file.write(piece)

            try:
                promised = self._fetch(image, take, until)
            except PictureError as error:
                if error.status == 202:  # Docs, archive tier: a placeholder, and Retry-After: 60.
                    raise ArchivedError(error.retry_after or 60.0) from None
                if attempt == 1 and self._has_moved(image, error):
                    continue
                pause = max(error.retry_after, random.uniform(0.1, 0.25 * 2**attempt))  # noqa: S311
                late = time.monotonic() + pause > until
                if not error.passing or attempt == MAX_TRIES or late:
                    raise
                self._pause(pause)
            else:
                return file.tell(), digest.hexdigest(), promised
        raise AssertionError("unreachable")  # pragma: no cover

    def _stopped(self) -> bool:
        return self._ended.is_set() or self._cancelled()

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopped():
            time.sleep(min(left, 0.2))

    def _fetch(
        self, image: ImageRecord, take: Callable[[bytes], object], until: float
    ) -> int | None:
        if image.is_public is False:
            return self._stream(self._sign(image), image, take, until)
        try:
            return self._stream(self._moved.get(image.id, image.url), image, take, until)
        except PictureError as error:
            # Private, or its owner allows it on some sites only (docs, hotlink page: signed addresses work).
            if error.status not in (401, 403):
                raise
            refused = str(error)
        try:
            signed = self._sign(image)
        except NoProofError as error:
            raise NoProofError(f"{refused}, and {error}") from None
        return self._stream(signed, image, take, until)

    def _has_moved(self, image: ImageRecord, error: PictureError) -> bool:
        """Ask for the current address when the known one fails: plans are kept for days, and hosts move."""
        if error.status not in GONE or self._stayed >= MAX_DOUBTS or self._stopped():
            return False
        try:
            address = self._client._image(image.id, self._ended).url
        except NotFoundError:
            # After the call has reported a move, a 404 is about this image alone.
            self._stayed += not self._moved
            return False
        except (APIError, StoppedError):
            address = image.url
        if address == image.url:
            self._stayed += 1
            return False
        self._moved[image.id], self._stayed = address, 0
        return True

    def _stream(
        self, address: str, image: ImageRecord, take: Callable[[bytes], object], until: float
    ) -> int | None:
        url = picture_url(address, local=self._local)
        if url is None:
            raise NoProofError("its address is not asked: it is neither https nor this machine's")
        told = image.size_bytes
        return stream_picture(
            self._web,
            url,
            take,
            max_bytes=MAX_BYTES if told is None else told + SLACK,
            patience=until - time.monotonic(),
            stopped=self._stopped,
        )

    def _sign(self, image: ImageRecord) -> str:
        """Get an address for a private image, one request at a time: the limit is one a second."""
        with self._signing:
            if self._no_signing:
                raise NoProofError(self._no_signing)
            try:
                url = sign(self._client, image.id, self._ended)
            except StoppedError:
                raise NoProofError("not tried: stopped") from None
            except StatusError as error:
                status = error.status_code
                self._doubts += status == 404
                unknown = status in (405, 501) or (self._doubts >= MAX_DOUBTS and not self._signed)
                if status in (401, 403):
                    self._no_signing = f"this key is not granted signed addresses ({status})"
                elif unknown:
                    self._no_signing = f"this server gives no signed addresses ({status})"
                elif status >= 500:
                    raise PictureError(str(error), status) from None
                raise NoProofError(
                    self._no_signing or f"no signed address was given ({status})"
                ) from None
            except APIError as error:
                raise PictureError(str(error)) from None
            self._signed += 1
            return url
