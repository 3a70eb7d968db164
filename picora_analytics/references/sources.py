"""The files of a folder as texts to scan: what is read, what is skipped, and what could not be looked at."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np

from picora_analytics.references.coverage import Coverage

__all__ = ["CHUNK", "Text", "looks_binary", "shown_path", "texts_in", "texts_of"]

CHUNK = 1 << 18  # More would not fit a processor's cache.
HEAD = 4096
MAX_DEPTH = 3  # Archives in archives.
MAX_UNPACKED = 8 << 30  # Bytes that one archive may grow to.
_READ_TAIL = 1 << 20  # Of the zeros that end a tar.
IN_MEMORY = 32 << 20  # Bytes of an archive in an archive, before it goes to disk.

# First bytes of files that hold no addresses a page could use.
_SKIPPED = {
    "pictures": (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF8",
        b"BM",
        b"\0\0\1\0",
        b"\0\0\2\0",
        b"II*\0",
        b"MM\0*",
        b"8BPS",
        b"\0\0\0\x0cJXL ",
        b"\xff\x0a",
        b"icns",
    ),
    "video and sound": (
        b"\x1aE\xdf\xa3",
        b"OggS",
        b"ID3",
        b"\xff\xfb",
        b"\xff\xf3",
        b"\xff\xf1",
        b"fLaC",
        b"FLV\1",
        b"\0\0\1\xba",
        b"\0\0\1\xb3",
    ),
    "fonts": (b"wOFF", b"wOF2", b"OTTO", b"ttcf", b"true\0"),
    "a folder's view settings": (b"\0\0\0\1Bud1",),
}
_UNREADABLE = {
    "a PDF": b"%PDF",
    "an Access database": b"\0\1\0\0Standard ",
    "a 7z archive": b"7z\xbc\xaf\x27\x1c",
    "a RAR archive": b"Rar!\x1a\7",
    "an xz archive": b"\xfd7zXZ\0",
    "a bzip2 archive": b"BZh",
    "a zstd archive": b"\x28\xb5\x2f\xfd",
    "an old Office document": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "an SQLite database": b"SQLite format 3\0",
    "a Git LFS pointer; fetch it with git lfs pull": b"version https://git-lfs.github.com/spec/",
    "an encrypted file": b"-----BEGIN PGP MESSAGE",
    "an age-encrypted file": b"age-encryption.org/",
    "an OpenSSL-encrypted file": b"Salted__",
}
_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What no text holds many of.
_CONTROLS = {*range(9), *range(14, 27), *range(28, 32)}
_CONTROLS_AS_ONE = bytes(1 if code in _CONTROLS else 32 for code in range(256))
_BINARY = "a binary file of an unknown kind"
_BINARY_PART = "a binary part in a text"
# Whatever the readers of archives raise at damaged ones.
_BROKEN = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    struct.error,
    ValueError,
    IndexError,
    OverflowError,
    NotImplementedError,
)


class Text(NamedTuple):
    """
    A text to scan.

    Attributes
    ----------
    name : str
        Its path; inside an archive the path of that, ``!`` and the member's name.
    chunks : iterator of bytes
        In an encoding that writes ASCII as ASCII. To be read to its end: what breaks off is noted in the coverage.
    """

    name: str
    chunks: Iterator[bytes]


def texts_in(source: Path, coverage: Coverage) -> Iterator[Text]:
    """
    Read a file, or all files of a folder.

    Links are followed, each folder once. Git's own data is never read as files.

    Parameters
    ----------
    source : Path
    coverage : Coverage
        Which knows what to leave out, by paths from the source's folder.
    """
    if not source.is_dir():
        yield from _file(source, coverage)
        return
    entered: set[tuple[int, int]] = set()
    waiting = [(source, "")]  # Folders, and their paths from the source's.
    while waiting:
        folder, inside = waiting.pop()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as opened:
                entries = sorted(opened, key=lambda entry: entry.name)
        except OSError as error:
            coverage.fail(shown_path(folder), f"cannot be read ({error.strerror})")
            continue
        folders = []
        for entry in entries:
            path, own = folder / entry.name, f"{inside}{entry.name}"
            is_folder = _is_folder(entry)
            if coverage.excludes(f"{own}/" if is_folder else own):
                coverage.skip("excluded", 0 if is_folder else _size(path))
            elif entry.name == ".git":
                coverage.skip("git's own data", 0)
            elif is_folder:
                folders.append((path, f"{own}/"))
            else:
                yield from _file(path, coverage)
        waiting += reversed(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with contextlib.suppress(OSError):  # It may not be looked at.
        return entry.is_dir()
    return False


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0


def shown_path(path: Path) -> str:
    """Give a path as text that can be written to any file: a name need not be UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def _file(path: Path, coverage: Coverage) -> Iterator[Text]:
    name = shown_path(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            coverage.skip("not a file (a pipe, socket or device)", 0)
            return
        file = path.open("rb", buffering=0)
    except FileNotFoundError:
        coverage.fail(name, "vanished, or is a link to nowhere")
        return
    except OSError as error:
        coverage.fail(name, f"cannot be read ({error.strerror})")
        return
    with file:
        yield from texts_of(file, name, coverage)


def texts_of(file: IO[bytes], name: str, coverage: Coverage, depth: int = 0) -> Iterator[Text]:
    """Read an open file by what its first bytes say it is; archives give the texts in them."""
    try:
        head = _read_full(file, HEAD)
    except _BROKEN as error:
        coverage.fail(name, _why(error))
        return
    kind = _skipped_kind(head)
    if kind:
        coverage.skip(kind, len(head) + _drain(file))
        return
    unreadable = next((what for what, magic in _UNREADABLE.items() if head.startswith(magic)), "")
    if unreadable:
        coverage.fail(name, unreadable)
    elif head.startswith((b"PK\3\4", b"PK\5\6", b"PK\7\x08")):
        yield from _zipped(_seekable(file, head), name, coverage, depth)
    elif head.startswith(b"\x1f\x8b"):
        if depth >= MAX_DEPTH:
            coverage.fail(name, f"an archive {depth} levels deep")
            return
        whole = cast(IO[bytes], gzip.GzipFile(fileobj=_seekable(file, head)))
        yield from texts_of(whole, name, coverage, depth + 1)
    elif head[257:262] == b"ustar":
        yield from _tarred(_seekable(file, head), name, coverage, depth)
    elif b"%PDF-" in head[:1024]:  # Where its readers look for it.
        coverage.fail(name, "a PDF")
    else:
        yield Text(name, _decoded(head, file, name, coverage))


def _skipped_kind(head: bytes) -> str:
    """Tell a file that holds no addresses by its first bytes; a text may begin with the same letters."""
    if not looks_binary(head[:512]):
        return ""
    if head[34:36] == b"LP" and head[8:11] in (b"\1\0\2", b"\2\0\2", b"\0\0\2"):
        return "fonts"  # Embedded OpenType.
    if head.startswith(b"\0\1\0\0") and b"head" in _font_tables(head):
        return "fonts"  # TrueType.
    if head[4:8] == b"ftyp":
        still = head[8:12] in (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1")
        return "pictures" if still else "video and sound"
    if head.startswith(b"RIFF"):
        return "pictures" if head[8:12] == b"WEBP" else "video and sound"
    for kind, magics in _SKIPPED.items():
        for magic in magics:
            if head.startswith(magic):
                return kind
    return ""


def _font_tables(head: bytes) -> list[bytes]:
    """Name the tables of a font; of other files that begin alike, what stands there."""
    n_tables = int.from_bytes(head[4:6], "big")
    return [head[place : place + 4] for place in range(12, min(12 + 16 * n_tables, len(head)), 16)]


def _decoded(head: bytes, file: IO[bytes], name: str, coverage: Coverage) -> Iterator[bytes]:
    """Give a text piece by piece, its NUL bytes and wide characters gone."""
    encoding = _wide_encoding(head)
    decoder = codecs.getincrementaldecoder(encoding)() if encoding else None
    n_bytes, chunk = 0, head
    try:
        while chunk:
            n_bytes += len(chunk)
            if n_bytes > MAX_UNPACKED:
                coverage.fail(name, f"longer than {MAX_UNPACKED >> 30} GiB")
                break
            # Without its NUL bytes even UTF-16 inside a binary file shows its ids.
            plain = chunk.replace(b"\0", b"")
            if decoder is None:
                # Filled up from the head, lest one sign make a binary part of a short end.
                if looks_binary(chunk + head[len(chunk) :]):
                    coverage.fail(name, _BINARY if chunk is head else _BINARY_PART)
                yield plain
            else:
                if _NARROW.search(chunk):
                    coverage.fail(name, "several encodings in one file")
                try:
                    text = decoder.decode(chunk)
                except UnicodeDecodeError:
                    coverage.fail(name, _BINARY_PART)
                    decoder.errors = "replace"
                    text = decoder.decode(chunk)
                yield text.encode("utf-8", "replace")
            chunk = file.read(CHUNK)
    except _BROKEN as error:
        coverage.fail(name, _why(error))
    except RuntimeError as error:  # zipfile: a password is needed.
        coverage.fail(name, str(error))
    coverage.look(n_bytes)


# An id in a text of wide characters does not stand so.
_NARROW = re.compile(rb"[A-Za-z0-9_-]{11}")


def looks_binary(data: bytes) -> bool:
    """Whether bytes hold what no text does: a zero byte, or many control characters."""
    if b"\0" in data:
        return True
    few = 0.02 * len(data)
    # Nearly all texts have few line ends and tabs, so that these need not be told from the rest.
    if np.count_nonzero(np.frombuffer(data, np.uint8) < ord(" ")) <= few:
        return False
    return data.translate(_CONTROLS_AS_ONE).count(1) > few


def _wide_encoding(head: bytes) -> str | None:
    """Tell UTF-16 and UTF-32 by their mark, UTF-16 without one by where its NUL bytes stand."""
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 8 and not even:
        return "utf-16-le"
    if even > len(head) // 8 and not odd:
        return "utf-16-be"
    return None


def _zipped(file: IO[bytes], name: str, coverage: Coverage, depth: int) -> Iterator[Text]:
    """Read a zip, which is also what Office, OpenDocument and EPUB files are."""
    if depth >= MAX_DEPTH:
        coverage.fail(name, f"an archive {depth} levels deep")
        return
    try:
        archive = zipfile.ZipFile(file)
        members = archive.infolist()
    except _BROKEN as error:
        coverage.fail(name, _why(error))
        return
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        coverage.fail(name, f"unpacks to more than {MAX_UNPACKED >> 30} GiB")
        return
    if members and min(member.header_offset for member in members) > 0:
        coverage.fail(name, "something stands before the archive in it")
    for member in members:
        if member.filename.endswith("/") and not member.file_size:
            continue
        inside = f"{name}!{member.filename}".encode("utf-8", "replace").decode()
        if coverage.excludes(member.filename):
            coverage.skip("excluded", member.file_size)
            continue
        try:
            with archive.open(member) as opened:
                yield from texts_of(opened, inside, coverage, depth + 1)
        except _BROKEN as error:
            coverage.fail(inside, _why(error))
        except RuntimeError as error:  # Encrypted.
            coverage.fail(inside, str(error))


def _tarred(file: IO[bytes], name: str, coverage: Coverage, depth: int) -> Iterator[Text]:
    if depth >= MAX_DEPTH:
        coverage.fail(name, f"an archive {depth} levels deep")
        return
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                opened = archive.extractfile(member) if member.isreg() else None
                inside = f"{name}!{member.name}".encode("utf-8", "replace").decode()
                if opened is not None and coverage.excludes(member.name):
                    coverage.skip("excluded", member.size)
                elif opened is not None:
                    yield from texts_of(opened, inside, coverage, depth + 1)
            # tarfile takes a broken head for the end.
            file.seek(archive.offset)
            tail = file.read(_READ_TAIL)
            if len(tail) < tarfile.BLOCKSIZE or tail.strip(b"\0"):
                coverage.fail(name, "damaged, cut off, or several archives in one")
    except _BROKEN as error:
        coverage.fail(name, _why(error))


def _seekable(file: IO[bytes], head: bytes) -> IO[bytes]:
    """Give a file from its beginning that can be read in any order."""
    try:
        file.seek(0)
    except (OSError, AttributeError):
        spooled = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        spooled.write(head)
        for chunk in iter(lambda: file.read(CHUNK), b""):
            spooled.write(chunk)
            if spooled.tell() > MAX_UNPACKED:
                raise OSError(f"longer than {MAX_UNPACKED >> 30} GiB") from None
        spooled.seek(0)
        return cast(IO[bytes], spooled)
    return file


def _read_full(file: IO[bytes], size: int) -> bytes:
    """Read so many bytes, fewer only at the end."""
    parts = io.BytesIO()
    while (left := size - parts.tell()) and (part := file.read(left)):
        parts.write(part)
    return parts.getvalue()


def _drain(file: IO[bytes]) -> int:
    """Give how many bytes are left, without reading a file on disk."""
    if isinstance(file, io.FileIO):
        return max(0, os.fstat(file.fileno()).st_size - file.tell())
    return 0


def _why(error: BaseException) -> str:
    if isinstance(error, EOFError):
        return "cut off"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read ({error.strerror})"
    return f"damaged ({error})"
