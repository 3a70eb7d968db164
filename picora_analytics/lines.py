"""An append-only file of lines, each on disk before the next step is taken: journals, manifest, checkpoint."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from picora_analytics.files import write_atomic

__all__ = ["ForeignWriteError", "LineFile", "LongLineError", "read_lines"]

# Enough of the end of a file to know it again: a digest or a checksum stands there.
_TAIL = 64
_BLOCK = 64 * 1024


class ForeignWriteError(OSError):
    """The file is not as this process left it."""

    def __init__(self) -> None:
        super().__init__(errno.ESTALE, "another program wrote to it meanwhile")


class LongLineError(OSError):
    """A line is longer than any that was ever written."""

    def __init__(self, longest: int) -> None:
        super().__init__(errno.EFBIG, f"a line of it is longer than {longest:,} bytes")


def read_lines(path: Path, *, longest: int) -> Iterator[bytes]:
    """
    Read the whole lines of a file, without their ends; a last line that was cut off is left out.

    Raises
    ------
    LongLineError
        If a line is longer than `longest`, in bytes; no more than that is read of it.
    OSError
        If the file cannot be read.
    """
    with path.open("rb") as file:
        while line := file.readline(longest + 2):
            if len(line) > longest + 1:
                raise LongLineError(longest)
            if line.endswith(b"\n"):
                yield line[:-1]


class LineFile:
    """
    A file that this process appends lines to; each is on disk when :meth:`append` returns.

    Made by :meth:`create` or :meth:`open`. Nothing is held open in between, so there is nothing to close.
    """

    def __init__(self, path: Path, size: int, tail: bytes = b"") -> None:
        self.path = path
        self._size, self._tail = size, tail

    @classmethod
    def create(cls, path: Path, first: bytes) -> LineFile:
        """
        Make a file (mode 0600) that is there with its first line or not at all.

        Raises
        ------
        FileExistsError
            If there is one, whoever made it and however late.
        """
        line = first + b"\n"
        write_atomic(path, lambda temporary: temporary.write_bytes(line), exclusive=True)
        return cls(path, len(line), line[-_TAIL:])

    @classmethod
    def open(cls, path: Path, size: int | None = None) -> LineFile:
        """
        Go on with a file; a last line that was cut off is dropped.

        Parameters
        ----------
        path : Path
        size : int, optional
            Up to the end of the last line that was read; ForeignWriteError if more lines follow by now.
        """
        with path.open("rb") as file:
            whole = _whole(file)
            if size not in (None, whole):
                raise ForeignWriteError
            file.seek(max(whole - _TAIL, 0))
            tail = file.read(min(whole, _TAIL))
            torn = file.seek(0, os.SEEK_END) > whole
        if torn:
            os.truncate(path, whole)
        return cls(path, whole, tail)

    def append(self, line: bytes) -> None:
        """
        Append a line, whole; what comes of a full disk is taken back.

        Raises
        ------
        ForeignWriteError
            If the file is not as this process left it.
        OSError
            If the line is not on disk, whole.
        """
        written = line + b"\n"
        with open(self.path, "a+b", buffering=0, opener=_open_existing) as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - len(self._tail), 0))
            if end != self._size or file.read(len(self._tail)) != self._tail:
                raise ForeignWriteError
            try:
                _write(file, written)
                os.fsync(file.fileno())
            except BaseException:
                self._take_back(file, written)
                raise
            # Whoever wrote at the same moment, or put another file in its place, is noticed before anything is sent.
            now = os.fstat(file.fileno())
            if now.st_size != end + len(written) or not os.path.samestat(now, self.path.stat()):
                raise ForeignWriteError
        self._size += len(written)
        self._tail = (self._tail + written)[-_TAIL:]

    def _take_back(self, file: BinaryIO, written: bytes) -> None:
        """Leave no half line, if the disk lets us; a reader leaves out one that stays."""
        with contextlib.suppress(OSError):
            file.seek(self._size)
            if written.startswith(file.read(len(written) + 1)):
                file.truncate(self._size)
                os.fsync(file.fileno())


def _open_existing(path: str, flags: int) -> int:
    """Open a file for appending, and never make one: a lost journal is not begun again unseen."""
    return os.open(path, flags & ~os.O_CREAT)


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of it: on a nearly full disk a single call writes a part and reports no error."""
    rest = memoryview(content)
    while rest:
        written = file.write(rest)
        if not written:
            raise OSError(errno.EIO, "nothing more is written")
        rest = rest[written:]


def _whole(file: BinaryIO) -> int:
    """Give the size up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(end - _BLOCK, 0)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
