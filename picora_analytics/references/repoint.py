"""Repoint pages: put the new id of an image where the old one stands, in a person's own files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from markupsafe import Markup

from picora_analytics.errors import PicoraError
from picora_analytics.files import reason_of, write_atomic
from picora_analytics.references.answering import silent_addresses
from picora_analytics.references.moves import Move, read_moves
from picora_analytics.references.patch import file_patch
from picora_analytics.references.remaining import remaining
from picora_analytics.references.rewriting import Place, rewrite
from picora_analytics.references.scanning import Scanner
from picora_analytics.text import plural, shorten, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["Repointing", "repoint"]

MAX_BYTES = 1 << 28  # Of a file: more is no page.
_SHOWN = 10
_SHOWN_DIFF = 20_000


class _File(NamedTuple):
    path: Path
    old: bytes
    new: bytes


def repoint(
    mapping: Mapping[str, str] | pd.Series[Any] | pd.DataFrame | str | os.PathLike[str],
    *folders: str | os.PathLike[str],
    check: bool = True,
) -> Repointing:
    """
    Find old image ids in files and prepare the change to the new ones; nothing is written yet.

    The id is replaced, and the extension behind it where the addresses given differ in it; in addresses, escaped
    JSON, percent-encoded links, ``srcset`` and reference links alike. Host, parameters, escapes, encoding and line ends
    stay. An id within a longer run of letters stays as it is and is listed in ``left``.

    Parameters
    ----------
    mapping : dict, Series, DataFrame or path
        Old to new, each an id or an address. A frame or CSV file has the columns ``old`` and ``new``, or ``old_url``
        and ``new_url`` as the ``restored.csv`` of a backup has. A new id alone keeps the file's own extension.
    *folders : path
        Folders, or single files. Links in them are not followed, and ``.git`` is never entered.
    check : bool
        Ask each new address that would be written, and refuse all if one does not answer 200.

    Returns
    -------
    Repointing
        Shows the change; ``.write()`` makes it.

    Raises
    ------
    ValueError
        If the mapping is no single step from old to new, or a folder is missing.
    PicoraError
        If a file cannot be read, or with `check` a new address does not answer.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> site = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (site / "index.md").write_text("![](https://img.picora.com/aB3dE5fG7hJ.png?w=80)")
    >>> pic.repoint({"aB3dE5fG7hJ": "kL9mN1pQ3rS"}, site, check=False)
    1 place in 1 file to repoint; nothing is written before .write().
    """
    moves = read_moves(mapping)
    if not folders:
        raise ValueError("No folder was given; say which files to repoint.")
    tops = [Path(folder).expanduser().resolve() for folder in folders]
    files: list[_File] = []
    places: dict[Path, list[Place]] = {}
    scanner = Scanner(moves, {})
    for path in _paths(tops):
        data = _read(path)
        done = rewrite(data, moves)
        found = [*done.places, *remaining(done.data, scanner, done.places)]
        if found:
            places[path] = found
        if done.data != data:
            files.append(_File(path, data, done.data))
    if check:
        _refuse_silent(moves, [place for found in places.values() for place in found])
    return Repointing(tops, files, places)


class Repointing:
    """
    A change of ids in files, made by :func:`repoint`.

    Attributes
    ----------
    diff : str
        For ``git apply`` in :attr:`root`. Bytes that are no UTF-8 stand in it as Python's ``surrogateescape`` has them.
    n_files, n_places : int
        What changes.
    left : list of tuple
        (path, line, id, reason) of each place that stays as it is; look at them.
    root : Path
        Where the paths of the diff begin: the repository, if the folders lie in one.
    patch : Path or None
        The patch that :meth:`write` kept.
    """

    def __init__(
        self, tops: list[Path], files: list[_File], places: dict[Path, list[Place]]
    ) -> None:
        self._tops, self._files = tops, files
        self.root = _root(tops)
        self.n_files = len(files)
        self.n_places = sum(not place.left for found in places.values() for place in found)
        self.left = [
            (path, place.line, place.old, place.left)
            for path, found in places.items()
            for place in found
            if place.left
        ]
        self.patch: Path | None = None
        parts = (file_patch(self._name(file.path), file.old, file.new) for file in files)
        self.diff = b"".join(parts).decode("utf-8", "surrogateescape")

    def write(self) -> Path | None:
        """
        Write the files, each whole or not at all, and keep the patch next to the folder.

        Returns
        -------
        Path or None
            The patch: ``git apply -R`` takes the change back. None if there was nothing to write.

        Raises
        ------
        PicoraError
            If a file is not as it was when it was read; then none is written.
        OSError
            If a file cannot be written; those before it are, and the patch says what they were.
        """
        if not self._files:
            return None
        for file in self._files:
            _refuse_changed(file)
        self.patch = self._keep_patch()
        for file in self._files:
            _refuse_changed(file)
            write_atomic(file.path, lambda made, file=file: _fill(made, file))  # type: ignore[misc]
        return self.patch

    def __repr__(self) -> str:
        if not self.n_places:
            head = "No place to repoint."
        elif self.patch:
            head = f"{self._counted()} repointed; the patch is {visible(self.patch)}."
        else:
            head = f"{self._counted()} to repoint; nothing is written before .write()."
        return "\n".join([head, *self._left_lines()])

    def _repr_html_(self) -> str:
        lines = [visible(line) for line in self.diff[:_SHOWN_DIFF].split("\n")]
        more = "\n…" if len(self.diff) > _SHOWN_DIFF else ""
        shown = "\n".join(lines) + more
        return str(
            Markup("<p style='white-space:pre-wrap'>{}</p><pre>{}</pre>").format(repr(self), shown)
        )

    def _counted(self) -> str:
        return f"{plural(self.n_places, 'place')} in {plural(self.n_files, 'file')}"

    def _left_lines(self) -> list[str]:
        if not self.left:
            return []
        lines = [f"Not replaced: {plural(len(self.left), 'place')}."]
        for path, line, old, why in self.left[:_SHOWN]:
            where = f"{shorten(path, 80)}:{line}" if line else shorten(path, 80)
            lines.append(f"  {where}  {old}: {why}")
        return lines + (
            [f"  and {len(self.left) - _SHOWN:,} more"] if len(self.left) > _SHOWN else []
        )

    def _name(self, path: Path) -> bytes:
        return os.fsencode(path.relative_to(self.root).as_posix())

    def _keep_patch(self) -> Path:
        """Write the patch beside the first folder, outside of all, under a name that is free."""
        folder = self._tops[0].parent
        while (
            any(top.is_dir() and folder.is_relative_to(top) for top in self._tops)
            and folder != folder.parent
        ):
            folder = folder.parent
        data = self.diff.encode("utf-8", "surrogateescape")
        for n in range(1, 10_000):
            path = folder / f"{self._tops[0].name}.repoint{'' if n == 1 else f'-{n}'}.patch"
            try:
                write_atomic(path, lambda made: made.write_bytes(data), exclusive=True)
            except FileExistsError:
                continue
            return path
        raise PicoraError(f"{str(folder)!r} holds 9,999 patches already; move them away.")


def _paths(tops: list[Path]) -> Iterator[Path]:
    """Give the files to read, each once; links and git's own data are none."""
    seen: set[Path] = set()
    for top in tops:
        if ".git" in top.parts:
            raise ValueError(f"{str(top)!r} is git's own data, which is never changed.")
        if not top.exists():
            raise ValueError(f"There is no folder or file {str(top)!r}.")
        for path in _walk(top) if top.is_dir() else [top]:
            if path not in seen:
                seen.add(path)
                yield path


def _walk(top: Path) -> Iterator[Path]:
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            raise PicoraError(f"{str(folder)!r} cannot be read: {reason_of(error)}.") from None
        for entry in entries:
            if _skipped(entry):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(folder / entry.name)
            elif entry.is_file(follow_symlinks=False):
                yield folder / entry.name


def _skipped(entry: os.DirEntry[str]) -> bool:
    # On Windows a junction leads out like a link.
    junction = getattr(entry, "is_junction", lambda: False)
    return entry.name.lower() == ".git" or entry.is_symlink() or bool(junction())


def _read(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise PicoraError(
                f"{str(path)!r} has {size:,} bytes; over {MAX_BYTES:,} no file is repointed."
            )
        return path.read_bytes()
    except OSError as error:
        raise PicoraError(f"{str(path)!r} cannot be read: {reason_of(error)}.") from None


def _refuse_changed(file: _File) -> None:
    try:
        # A folder on the way may have become a link since.
        same = (
            stat.S_ISREG(file.path.lstat().st_mode)
            and file.path.resolve() == file.path
            and file.path.read_bytes() == file.old
        )
    except OSError:
        same = False
    if not same:
        raise PicoraError(f"{str(file.path)!r} has changed since it was read; call repoint again.")


def _fill(made: Path, file: _File) -> None:
    made.write_bytes(file.new)
    shutil.copymode(file.path, made)


def _root(tops: list[Path]) -> Path:
    """Give the repository that the folders lie in, else their common folder."""
    common = Path(os.path.commonpath([top if top.is_dir() else top.parent for top in tops]))
    return next((up for up in (common, *common.parents) if (up / ".git").exists()), common)


def _refuse_silent(moves: Mapping[str, Move], places: list[Place]) -> None:
    """Refuse addresses that would be written and do not answer; of an id that stands alone, the one given."""
    wanted: dict[str, set[str]] = {}
    for place in places:
        if not place.left:
            written = place.address or moves[place.old].new_address
            wanted.setdefault(place.old, set()).update(filter(None, [written]))
    unknown = sorted(moves[old].new for old, addresses in wanted.items() if not addresses)
    if unknown:
        raise PicoraError(
            f"No address is known for {', '.join(unknown[:_SHOWN])}, so it cannot be checked; "
            "give the address instead of the id, or check=False."
        )
    addresses = {address for found in wanted.values() for address in found}
    typed = [
        text for move in moves.values() for text in (move.old_address, move.new_address) if text
    ]
    silent = silent_addresses(addresses, typed)
    if silent:
        named = "; ".join(
            f"{visible(address, 200)}: {why}" for address, why in list(silent.items())[:_SHOWN]
        )
        more = f"; and {len(silent) - _SHOWN:,} more" if len(silent) > _SHOWN else ""
        raise PicoraError(
            f"Of {plural(len(addresses), 'new address')} {len(silent):,} did not answer 200, so nothing is repointed: "
            f"{named}{more}. Correct the map, or say check=False."
        )
