"""Files of our own: where they live, and how they are written so that none is ever half there."""

from __future__ import annotations

import atexit
import codecs
import csv
import errno
import functools
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

import msgspec
import platformdirs

from picora_analytics.text import csv_safe

# Said by file systems that sync files and know no such thing for folders.
NO_FOLDERS = (errno.EINVAL, errno.EBADF, errno.ENOTSUP, errno.ENOSYS)

__all__ = [
    "data_folder",
    "expanded",
    "read_json",
    "read_text",
    "reason_of",
    "session_folder",
    "sync_folder",
    "table_rows",
    "write_atomic",
    "write_csv",
    "write_table",
]


def data_folder() -> Path:
    """Give the folder for what is remembered: `PICORA_DATA_DIR`, else the platform's user-data folder."""
    named = os.environ.get("PICORA_DATA_DIR")
    if named:
        return Path(named).expanduser()
    return platformdirs.user_data_path("picora_analytics", appauthor=False)


def expanded(path: str | os.PathLike[str]) -> Path:
    """Give a path with ``~`` as the home folder; where there is none of that name, it stays as it is."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 (Path raises where there is no such home.)


@functools.cache
def session_folder() -> Path:
    """Give a folder that ends with this Python: for what is remembered of a demo."""
    folder = tempfile.mkdtemp(prefix="picora-demo-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def reason_of(error: Exception) -> str:
    """
    Tell why a file cannot be read or written, without its path: the message around it has that already.

    Examples
    --------
    >>> reason_of(FileNotFoundError(2, "No such file or directory", "plan.json"))
    'No such file or directory'
    >>> reason_of(UnicodeDecodeError("utf-8", b"\\x90", 0, 1, "invalid start byte"))
    'it is no text in a known encoding'
    """
    if isinstance(error, UnicodeError):
        return "it is no text in a known encoding"
    return str(getattr(error, "strerror", None) or error)


# The longer mark first: that of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def read_text(path: str | os.PathLike[str]) -> str:
    """
    Read a text file as editors and shells leave it: UTF-8, with or without a mark, or UTF-16 as Windows redirects it.

    Parameters
    ----------
    path : path
        A leading ``~`` is the home folder.

    Raises
    ------
    OSError
        If the file cannot be read.
    UnicodeDecodeError
        If it is in another encoding; that is a ValueError.
    """
    data = Path(path).expanduser().read_bytes()
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return data.removeprefix(mark).decode(encoding)
    # Without a mark: what UTF-16 makes of the plain letters that every such file begins with.
    if data[1:2] == b"\0" and data[:1] != b"\0":
        return data.decode("utf-16-le")
    if data[:1] == b"\0" and data[1:2] != b"\0":
        return data.decode("utf-16-be")
    return data.decode("utf-8")


def read_json(path: str | os.PathLike[str]) -> Any:
    """
    Read a JSON file, in whatever encoding a shell left it.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is cut off or no JSON, or nested deeper than anything of ours.
    """
    try:
        return msgspec.json.decode(read_text(path))
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(f"it is no JSON of ours: {error}") from None


def table_rows(text: str) -> list[list[str]]:
    """
    Split a table as spreadsheets write it: at the commas, semicolons or tabs of its first line.

    Raises
    ------
    ValueError
        If a quote is left open, or stands where none may: rows would be lost.

    Examples
    --------
    >>> table_rows('id;decision\\n"a;b";keep\\n')
    [['id', 'decision'], ['a;b', 'keep']]
    """
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise ValueError(str(error)) from None


def write_atomic(path: Path, write: Callable[[Path], object], *, exclusive: bool = False) -> None:
    """
    Write a file so that it is there whole or not at all, for its owner's eyes only (mode 0600).

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder must exist.
    write : callable
        Gets the path of an empty temporary file in the same folder and fills it.
    exclusive : bool
        Raise FileExistsError instead of replacing a file, whoever made it and however late.
    """
    if not path.parent.is_dir():  # Said of the folder: nobody knows the temporary file.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    temporary = Path(name)
    try:
        write(temporary)
        os.fsync(descriptor)
        os.close(descriptor)
        descriptor = -1
        if exclusive:
            _link(temporary, path)
        else:
            temporary.replace(path)
    finally:
        if descriptor >= 0:
            os.close(descriptor)
        temporary.unlink(missing_ok=True)
    try:
        sync_folder(path.parent)
    except OSError:
        if exclusive:
            path.unlink(missing_ok=True)
        raise


def _link(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # Memory sticks and some network drives have no links.
        with path.open("xb") as file:
            file.write(temporary.read_bytes())
            file.flush()
            os.fsync(file.fileno())


def write_csv(frame: Any, path: Path, *, encoding: str = "utf-8-sig") -> None:
    """
    Write a DataFrame as the CSV that spreadsheets open without running a cell of it: UTF-8 with a BOM.

    Parameters
    ----------
    frame : DataFrame
        Its index is left out. Tuples (tags) are joined by a comma and a blank.
    path : Path
        Replaced if it exists.
    encoding : str
        ``"utf-8"`` leaves the BOM out: for scripts.
    """
    joined = {
        name: [", ".join(cell) if isinstance(cell, tuple) else cell for cell in frame[name]]
        for name in frame.columns
        if frame[name].dtype == object
    }
    texts = frame.assign(**joined).astype(object)
    safe = texts.where(texts.notna(), "").map(csv_safe)
    rows = safe.itertuples(index=False, name=None)
    write_table([map(csv_safe, frame.columns), *rows], path, encoding=encoding)


def write_table(
    rows: Iterable[Iterable[object]], path: Path, *, encoding: str, like: Path | None = None
) -> None:
    """
    Write cells that are safe already as CSV; each is read again as it was, whatever ends a line in it.

    Whoever may read the file `like` may read this one.
    """

    def write(temporary: Path) -> None:
        if like is not None:
            shutil.copymode(like, temporary)
        with temporary.open("w", encoding=encoding, errors="replace", newline="") as file:
            # Python before 3.13 quotes a bare CR only where lines end in one; a reader takes it for the end of a row.
            csv.writer(_Lines(file), lineterminator="\r\n").writerows(rows)

    write_atomic(path, write)


class _Lines:
    """A text file whose rows end in LF, however they are written."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, row: str) -> int:
        return self._file.write(row.removesuffix("\r\n") + "\n")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, where the platform can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in NO_FOLDERS:
                raise
        finally:
            os.close(descriptor)
