"""The checkpoint of a running load: each page and each split on disk before the next request of its chain."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from filelock import FileLock, Timeout

from picora_analytics.errors import SnapshotError
from picora_analytics.library.load.planning import Split
from picora_analytics.lines import LineFile, LongLineError, read_lines

__all__ = ["Checkpoint", "Origin", "SavedPage"]

NAME = "checkpoint.ndjson"
LOCK = ".checkpoint.lock"
FORMAT = 1
MAX_AGE = dt.timedelta(hours=24)
# A line holds one answer, and the client takes none of more than 64 MiB.
_LONGEST = 65 * 1024**2
_CRC = b',"crc":"'
_ANSWER = b',"answer":'


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Whose load it is, and since when; the first line of the file."""

    account: str
    base_url: str
    demo_session: str
    started_at: dt.datetime
    scope: str = "library"
    format: int = FORMAT


class SavedPage(NamedTuple):
    """A page that was read: its chain, the service's time of it, and the answer as it came."""

    chain: int
    at: dt.datetime
    answer: bytes


class _Line(msgspec.Struct):
    checkpoint: Origin | None = None
    page: tuple[int, dt.datetime] | None = None
    cut: Split | None = None


class Checkpoint:
    """
    One file beside the snapshots of an account, held by one process at a time.

    NDJSON: an origin, then pages and splits in the order they came, a checksum at the end of each line.
    """

    def __init__(self, folder: Path, origin: Origin, lock: FileLock) -> None:
        self.path = folder / NAME
        self.origin = origin
        self.notes: list[str] = []
        self._lock = lock
        self._file: LineFile | None = None

    @classmethod
    def open(cls, folder: Path, origin: Origin, *, afresh: bool = False) -> Checkpoint | None:
        """
        Open a folder's checkpoint: the one that is there, or a new one.

        Parameters
        ----------
        folder : Path
            Made if it is missing.
        origin : Origin
            Of the load that begins.
        afresh : bool
            Whether one that is there is dropped unread.

        Returns
        -------
        Checkpoint or None
            None if another process is loading into this folder.

        Raises
        ------
        SnapshotError
            If what is there is of another account or host, of another format, or damaged.
        OSError
            If nothing can be written there.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / LOCK, mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return None
        found = cls(folder, origin, lock)
        try:
            if afresh:
                found.path.unlink(missing_ok=True)
            found._look()
            if not found.path.exists():
                LineFile.create(
                    found.path, _sealed(b'{"checkpoint":' + msgspec.json.encode(found.origin))
                )
        except BaseException:
            found.close()
            raise
        return found

    @staticmethod
    def discard(folder: Path) -> None:
        """Delete what an interrupted load left: a later one has read the library. A load in progress keeps its own."""
        if (folder / NAME).exists():
            with (
                contextlib.suppress(Timeout, OSError),
                FileLock(folder / LOCK, timeout=0, mode=0o600),
            ):
                (folder / NAME).unlink(missing_ok=True)

    def entries(self) -> Iterator[SavedPage | Split]:
        """
        Give what was written, in order, and stand at the end for more; a torn last line is cut off.

        Raises
        ------
        SnapshotError
            If a line before the last is damaged.
        """
        good = 0
        for line in self._lines():
            entry = _entry(line) if good else self.origin
            if entry is None:
                # A power cut may leave a last line of the right length whose content never reached the disk.
                if self.path.stat().st_size > good + len(line) + 1:
                    raise self._refusal("is damaged in the middle")
                os.truncate(self.path, good)
                break
            if not isinstance(entry, Origin):
                yield entry
            good += len(line) + 1
        self._file = LineFile.open(self.path, good)

    def add(self, entry: SavedPage | Split) -> None:
        """Append; it is on disk when this returns."""
        if self._file is None:
            raise ValueError("The checkpoint is closed.")
        self._file.append(_encode(entry))

    def close(self) -> None:
        """Release it; the file stays for the next load."""
        self._file = None
        self._lock.release()

    def remove(self) -> None:
        """Release it, and delete the file."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _lines(self) -> Iterator[bytes]:
        try:
            yield from read_lines(self.path, longest=_LONGEST)
        except LongLineError:
            raise self._refusal("is damaged, or of another version of this package") from None

    def _look(self) -> None:
        """Judge what is there: go on from it, refuse it, or drop it if it is too old."""
        if not self.path.exists():
            return
        line = next(self._lines(), None)
        if line is None:  # Killed before the first line was whole: nothing was read.
            self.path.unlink()
            return
        there = _origin(line)
        if there is None:
            raise self._refusal("is damaged, or of another version of this package")
        if there.demo_session != self.origin.demo_session:
            self.path.unlink()  # Each session of the demo invents a new library.
            return
        if there.account != self.origin.account or there.base_url != self.origin.base_url:
            raise self._refusal("is of another account or host")
        if there.scope != self.origin.scope or there.format != FORMAT:
            raise self._refusal("is of another kind")
        if self.origin.started_at - there.started_at > MAX_AGE:
            self.path.unlink()
            self.notes.append(
                f"an interrupted load of {there.started_at:%Y-%m-%d %H:%M} UTC is too old to go on from; starting over"
            )
            return
        self.origin = there

    def _refusal(self, why: str) -> SnapshotError:
        return SnapshotError(
            f"The checkpoint {self.path} {why}, so the load does not go on from it. Delete that file, or load "
            'with refresh="full", and the library is read from the beginning.'
        )


def _sealed(content: bytes) -> bytes:
    """Close a line with the checksum of all before it."""
    return b'%s%s%08x"}' % (content, _CRC, zlib.crc32(content))


def _opened(line: bytes) -> bytes | None:
    """Give the content of a line; None if its checksum does not match."""
    content, mark, seal = line.rpartition(_CRC)
    return content if mark and seal == b'%08x"}' % zlib.crc32(content) else None


def _encode(entry: SavedPage | Split) -> bytes:
    if isinstance(entry, Split):
        return _sealed(b'{"cut":' + msgspec.json.encode(entry))
    # Line breaks stand only between JSON's tokens.
    answer = entry.answer.replace(b"\n", b" ").replace(b"\r", b" ")
    page = msgspec.json.encode((entry.chain, entry.at))
    return _sealed(b'{"page":' + page + _ANSWER + answer)


def _entry(line: bytes) -> SavedPage | Split | None:
    content = _opened(line)
    if content is None:
        return None
    # Not parsed as one JSON text: an answer may hold what only the lenient decoder takes.
    head, _, answer = content.partition(_ANSWER)
    try:
        decoded = msgspec.json.decode(head + b"}", type=_Line)
    except (msgspec.DecodeError, RecursionError):
        return None
    return decoded.cut if decoded.page is None else SavedPage(*decoded.page, answer)


def _origin(line: bytes) -> Origin | None:
    content = _opened(line)
    try:
        return (
            None if content is None else msgspec.json.decode(content + b"}", type=_Line).checkpoint
        )
    except (msgspec.DecodeError, RecursionError):
        return None
