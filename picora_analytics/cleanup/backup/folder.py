"""A folder of copies: files under names that are safe everywhere, and a manifest that proves them."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import BackupError, LockedError
from picora_analytics.files import append_line, write_atomic
from picora_analytics.library.frame import Facts
from picora_analytics.text import visible

__all__ = ["MANIFEST", "CopyFolder", "Proof", "copy_name", "hash_of", "lines_of", "why_stale"]

MANIFEST = "copies.ndjson"
_FORMAT = "picora-analytics copies"
# A copy proves an image for as long as a plan is good; after that it is fetched anew.
GOOD_FOR = dt.timedelta(days=14)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """
    What proves a copy.

    Attributes
    ----------
    file : str
        Its name in the folder.
    sha256 : str
        Of its bytes, in hexadecimal.
    size_bytes : int
        Bytes of the file.
    copied_at : datetime
        By this machine's clock.
    image : ImageRecord
        All that the service said of the image then.
    """

    file: str
    sha256: str
    size_bytes: int
    copied_at: dt.datetime
    image: ImageRecord


class _Header(msgspec.Struct, frozen=True):
    format: str
    version: int
    account: str
    base_url: str
    demo: bool


def copy_name(image_id: str, sha256: str, extension: str) -> str:
    """
    Name a copy, whatever the image is called.

    The picture's own name stays in the manifest. Ids are case-sensitive and may begin with a dash, and file systems may
    not tell cases apart, so a digest over id and content makes the name one of its own: another content
    never takes the place of a copy that is there.

    Examples
    --------
    >>> copy_name("-aT40cZpLq8", "0" * 64, "png"), copy_name("../../x", "0" * 64, "png")
    ('picora--aT40cZpLq8-27eb4e5ed8d3.png', 'picora-x-f5089eb7fb3e.png')
    """
    readable = re.sub(r"[^A-Za-z0-9_-]", "", image_id)[:24]
    digest = hashlib.blake2b(f"{image_id}\n{sha256}".encode(), digest_size=6).hexdigest()
    return f"picora-{readable}-{digest}.{extension}"


def why_stale(proof: Proof, image: ImageRecord, now: dt.datetime) -> str | None:
    """Say why a proof is not of an image as it is now; None where it is."""
    if proof.image.size_bytes != image.size_bytes:
        return "its size is no longer the copied one"
    if proof.image.updated_at != image.updated_at:
        return "it was changed since it was copied"
    if abs(now - proof.copied_at) > GOOD_FOR:
        return f"it was copied more than {GOOD_FOR.days} days ago"
    return None


def hash_of(path: Path) -> str | None:
    """Give the sha256 of a file; None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def lines_of(path: Path) -> Iterator[Any]:
    """Give the values of an NDJSON file; lines that a crash cut off are None, and no file has no lines."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content.splitlines():
        try:
            yield msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield None


def _version_of(path: Path) -> object:
    """Give what differs when a file was written; None where it cannot be told."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


class CopyFolder:
    """
    One folder with copies of one account's images.

    Parameters
    ----------
    path : Path
    account, base_url : str
    demo : bool
        Whose images; another account's folder is refused.
    """

    def __init__(self, path: Path, *, account: str, base_url: str, demo: bool) -> None:
        self.path = path.expanduser()
        self._header = _Header(_FORMAT, 1, account, base_url, demo)
        self._known: tuple[object, dict[str, Proof]] = (None, {})

    @classmethod
    def of(cls, path: Path, library: Facts) -> CopyFolder:
        """Give the folder for the copies of a library."""
        return cls(
            path, account=library["account"], base_url=library["base_url"], demo=library["demo"]
        )

    def lock(self) -> contextlib.AbstractContextManager[Any]:
        """
        Hold the folder while copies are made or read; use as a context manager.

        Raises
        ------
        LockedError
            If another run holds it.
        BackupError
            If the folder cannot be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            return FileLock(self.path / ".lock", timeout=0, mode=0o600).acquire()
        except Timeout:
            raise LockedError(
                f"Another run holds the folder {str(self.path)!r}; wait until it has ended."
            ) from None
        except OSError as error:
            raise self._unusable(error) from error

    def begin(self) -> None:
        """
        Make the manifest if there is none, and drop what a run that was killed left unfinished.

        Raises
        ------
        BackupError
            If the folder is another account's, or cannot be written.
        """
        manifest = self.path / MANIFEST
        try:
            if not manifest.exists():
                line = msgspec.json.encode(self._header) + b"\n"
                write_atomic(manifest, lambda file: file.write_bytes(line))
            for leftover in self.path.glob(".picora-*.part"):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        self.proofs()

    def add(self, proof: Proof) -> None:
        """Append a proof to the manifest, on disk before this returns."""
        append_line(self.path / MANIFEST, msgspec.json.encode(proof))

    def proofs(self) -> dict[str, Proof]:
        """
        Read the manifest: the last proof of each image; nothing is checked against the files.

        Raises
        ------
        BackupError
            If there is none, or it is another account's.
        """
        lines = lines_of(self.path / MANIFEST)
        version = _version_of(self.path / MANIFEST)
        if version is not None and version == self._known[0]:
            return dict(self._known[1])  # Asked before each deleting request, and long.
        try:
            first = next(lines, None)
        except OSError as error:
            raise self._unusable(error) from error
        self._check_owner(first)
        found: dict[str, Proof] = {}
        for line in lines:
            try:
                proof = msgspec.convert(line, Proof)
            except msgspec.ValidationError:
                continue  # Without a readable line there is no proof, and the image is copied anew.
            if re.fullmatch(
                r"picora-[\w.-]+", proof.file
            ):  # A line must not lead out of the folder.
                found[proof.image.id] = proof
        self._known = (version, found)
        return dict(found)

    def _check_owner(self, first: object) -> None:
        try:
            header = msgspec.convert(first, _Header)
        except msgspec.ValidationError:
            header = None
        if header is None or header.format != _FORMAT or header.version != 1:
            raise BackupError(
                f"The folder {str(self.path)!r} has no readable {MANIFEST} of version 1, which says whose copies "
                "they are; give the folder that back_up made, or a new one."
            )
        own = self._header
        same_host = header.base_url == own.base_url or (header.demo and own.demo)
        if header.account != own.account or not same_host:
            raise BackupError(
                f"The folder {str(self.path)!r} holds copies of account {header.account[:8]} on "
                f"{visible(header.base_url)}; these images are of account {own.account[:8]} on {own.base_url}. "
                "Give another folder."
            )

    def _unusable(self, error: OSError) -> BackupError:
        return BackupError(f"The folder {str(self.path)!r} cannot be used: {error.strerror}.")
