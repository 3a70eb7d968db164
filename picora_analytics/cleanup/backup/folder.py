"""A backup folder: files under names that are safe everywhere, and a manifest that proves them."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pandas as pd
from filelock import FileLock, Timeout

from picora_analytics.cleanup.backup.decoding import MIME_TYPES
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import BackupError, LockedError
from picora_analytics.files import write_csv
from picora_analytics.library.frame import Facts
from picora_analytics.library.media_types import picture_type
from picora_analytics.lines import LineFile, read_lines
from picora_analytics.text import visible

__all__ = [
    "LONGEST",
    "MANIFEST",
    "BackupFolder",
    "Proof",
    "as_now",
    "backup_name",
    "copied_ids",
    "decoded",
    "hash_of",
    "why_stale",
]

MANIFEST, TABLE = "copies.ndjson", "metadata.csv"
_TOLD = (
    "id",
    "filename",
    "title",
    "url",
    "mime_type",
    "size_bytes",
    "width",
    "height",
    "created_at",
)
_FORMAT = "picora-analytics copies"
_FILE = re.compile(rf"picora-[\w-]+\.(?:{'|'.join(MIME_TYPES)})")
# Bytes of a line: a record holds names and titles as they are, and an answer of the service is 64 MiB at most.
LONGEST = 65 * 1024**2
# A file proves an image for as long as a plan is valid; after that it is downloaded again.
GOOD_FOR = dt.timedelta(days=14)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """
    What proves a backed-up file.

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
        What the service reported about the image then.
    pixels : (int, int) or None
        Width and height of the file, compared with those in the listing; None for an SVG, and in older manifests.
    """

    file: str
    sha256: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0)]
    copied_at: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    image: ImageRecord
    pixels: tuple[int, int] | None = None


class _Header(msgspec.Struct, frozen=True):
    format: str
    version: int
    account: str
    base_url: str
    demo: bool


def backup_name(image_id: str, sha256: str, extension: str) -> str:
    """
    Name a backup file, whatever the image is called.

    The picture's own name stays in the manifest. Ids are case-sensitive and may begin with a dash, and some file
    systems ignore case, so a digest over id and content makes the name unique: other content never replaces a file
    that is there.

    Examples
    --------
    >>> backup_name("-aT40cZpLq8", "0" * 64, "png"), backup_name("../../x", "0" * 64, "png")
    ('picora--aT40cZpLq8-27eb4e5ed8d3.png', 'picora-x-f5089eb7fb3e.png')
    """
    readable = re.sub(r"[^A-Za-z0-9_-]", "", image_id)[:24]
    digest = hashlib.blake2b(f"{image_id}\n{sha256}".encode(), digest_size=6).hexdigest()
    return f"picora-{readable}-{digest}.{extension}"


def why_stale(
    proof: Proof, image: ImageRecord, now: dt.datetime, *, hidden: bool = False
) -> str | None:
    """
    Tell why a proof does not fit an image as it is now; None if it does.

    Of one that was hidden by us, with the content that was copied, neither the update time nor the age counts.
    """
    if proof.image.size_bytes != image.size_bytes:
        return "its size is no longer the copied one"
    if proof.image.updated_at != image.updated_at and not hidden:
        return "it was changed since it was copied"
    if picture_type(proof.image.mime_type) != picture_type(image.mime_type):
        return "its type is no longer the copied one"
    told = (image.width, image.height)
    if (proof.image.width, proof.image.height) != told:
        return "its width and height are no longer the copied ones"
    if proof.pixels is None and told != (None, None) and not proof.file.endswith(".svg"):
        return "its copy was not compared with its width and height"
    if abs(now - proof.copied_at) > GOOD_FOR and not hidden:
        return f"it was copied more than {GOOD_FOR.days} days ago"
    return None


def as_now(before: ImageRecord, now: ImageRecord, *, hidden: bool) -> ImageRecord:
    """
    Describe a copied image as it is now, for it to come back so: a file that still fits may be of an edited image.

    What is not told any more stays as it was, and so does the visibility of one that was hidden by us.
    """
    told = {name: value for name, value in msgspec.structs.asdict(now).items() if value is not None}
    if now.url.partition("?")[0] == before.url.partition("?")[0]:
        del told["url"]  # Signed anew, at most.
    told["is_public"] = before.is_public if hidden else now.is_public
    return msgspec.structs.replace(before, **told)


def hash_of(path: Path) -> str | None:
    """Give the sha256 of a file; None if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def decoded(line: bytes) -> Any:
    """Decode a line of JSON; None if invalid: one that a crash cut off."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _proof(line: bytes) -> Proof | None:
    """Read a proof; without a readable line there is none, and the image is downloaded again."""
    try:
        proof = msgspec.convert(decoded(line), Proof)
    except msgspec.ValidationError:
        return None
    # A line must not lead out of the folder.
    return proof if _FILE.fullmatch(proof.file) else None


def copied_ids(folder: Path) -> list[str]:
    """Name the images whose copies a folder says it has, whoever's they are; nothing is checked."""
    try:
        lines = list(read_lines(folder.expanduser() / MANIFEST, longest=LONGEST))
    except OSError:
        return []
    proofs = [proof for line in lines[1:] if (proof := _proof(line))]
    return list(dict.fromkeys(proof.image.id for proof in proofs))


def _version_of(path: Path) -> object:
    """Give what changes when a file is written; None if unknown."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


class BackupFolder:
    """
    One folder with backup files of one account's images.

    Parameters
    ----------
    path : Path
        A leading ``~`` is the home folder.
    account, base_url : str
    demo : bool
        Whose images; another account's folder is refused.
    """

    def __init__(self, path: Path, *, account: str, base_url: str, demo: bool) -> None:
        try:
            self.path = path.expanduser()
        except RuntimeError as error:  # "~somebody" whom this machine does not know.
            raise BackupError(f"The folder {str(path)!r} cannot be used: {error}") from None
        self._header = _Header(_FORMAT, 1, account, base_url, demo)
        self._manifest = self.path / MANIFEST
        self._lines: LineFile | None = None
        self._known: tuple[object, dict[str, Proof]] = (None, {})

    @classmethod
    def of(cls, path: Path, library: Facts) -> BackupFolder:
        """Give the folder for the backup of a library."""
        return cls(
            path, account=library["account"], base_url=library["base_url"], demo=library["demo"]
        )

    def lock(self) -> contextlib.AbstractContextManager[Any]:
        """
        Lock the folder while files are written or read; use as a context manager.

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
        try:
            if self._manifest.exists():
                self.proofs()  # Another's file is left as it is.
                self._lines = LineFile.open(self._manifest)
            else:
                self._lines = LineFile.create(self._manifest, msgspec.json.encode(self._header))
            for leftover in self.path.glob(".picora-*.part"):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def add(self, proof: Proof) -> None:
        """Append a proof to the manifest, on disk before this returns; after :meth:`begin`."""
        if self._lines is None:
            raise ValueError("The manifest was not opened.")
        self._lines.append(msgspec.json.encode(proof))

    def write_table(self) -> None:
        """
        Write ``metadata.csv``, with which other tools open the folder as one of images; nothing of ours reads it.

        The column ``file_name`` is what ImageFolder of Hugging Face's datasets asks for. What cannot be written is left
        out: the manifest proves the copies.
        """
        rows = [
            {
                "file_name": proof.file,
                **{name: getattr(proof.image, name) for name in _TOLD},
                "tags": None if proof.image.tags is None else tuple(proof.image.tags),
            }
            for proof in self.proofs().values()
            if (self.path / proof.file).exists()
        ]
        with contextlib.suppress(OSError):
            columns = ["file_name", *_TOLD, "tags"]
            table = pd.DataFrame(rows, columns=columns, dtype=object)
            write_csv(table, self.path / TABLE, encoding="utf-8")

    def proofs(self) -> dict[str, Proof]:
        """
        Read the manifest: the last proof of each image; nothing is checked against the files.

        Raises
        ------
        BackupError
            If there is none, or it is another account's.
        """
        version = _version_of(self._manifest)
        if version is not None and version == self._known[0]:
            return dict(self._known[1])  # Asked before each deleting request, and long.
        found: dict[str, Proof] = {}
        owner_checked = False
        try:
            for line in read_lines(self._manifest, longest=LONGEST):
                if not owner_checked:
                    self._check_owner(decoded(line))
                    owner_checked = True
                elif proof := _proof(line):
                    found[proof.image.id] = proof
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._unusable(error) from error
        if not owner_checked:
            self._check_owner(None)
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
                f"The folder {str(self.path)!r} holds copies of account {visible(header.account[:8])} on "
                f"{visible(header.base_url)}; these images are of account {own.account[:8]} on {own.base_url}. "
                "Give another folder."
            )

    def _unusable(self, error: OSError) -> BackupError:
        return BackupError(f"The folder {str(self.path)!r} cannot be used: {error.strerror}.")
