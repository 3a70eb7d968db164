"""A Git repository as texts to scan: its index, stash, all refs and their whole history, each distinct file once."""

from __future__ import annotations

import datetime as dt
import io
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, NamedTuple, cast

from picora_analytics.errors import PicoraError
from picora_analytics.references.coverage import Coverage
from picora_analytics.references.sources import Text, texts_of

__all__ = ["Last", "Repository"]

_SUBMODULE, _FOLDER = "160000", "40000"
_NO_OBJECT = set("0")
# Nothing of a stranger's repository is run, nothing is fetched, and nobody is asked for a password.
_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-pager")
_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_GRAFT_FILE": os.devnull,
    "LC_ALL": "C",
}


_ELSEWHERE = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX",
)  # fmt: skip
_LAST_MOMENT = 253_402_300_799  # Of the year 9999.
_IN_MEMORY = 8 << 20  # Bytes of one file.


class Last(NamedTuple):
    """Where a file was last there: its path, and the newest commit that holds it so."""

    path: str
    commit: str
    date: dt.datetime


class Repository:
    """
    Read a repository with the ``git`` command.

    Parameters
    ----------
    folder : Path
        A working tree, or a bare repository.

    Raises
    ------
    PicoraError
        If there is no ``git``, or no repository.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.odd: list[str] = []
        if shutil.which("git") is None:
            raise PicoraError(
                "git= needs the command git, and there is none on this machine; install Git, or leave git= out."
            )
        self._inside = str(folder)
        self.bare = self._ask("rev-parse", "--is-bare-repository").strip() == "true"
        if not self.bare:
            self.folder = Path(self._ask("rev-parse", "--show-toplevel").rstrip("\n"))
            self._inside = str(self.folder)

    def problems(self) -> Iterator[str]:
        """Tell why the history is not all here."""
        if self._ask("rev-parse", "--is-shallow-repository").strip() == "true":
            yield "a shallow clone: its history is cut off; run git fetch --unshallow"
        if self._ask("config", "--get-regexp", r"^remote\..*\.promisor$", check=False).strip():
            yield "a partial clone: not all files are here; clone it whole"
        done = subprocess.run(  # noqa: S603
            self._command("for-each-ref"), capture_output=True, env=_environment()
        )
        if done.stderr.strip():
            yield f"a broken branch or tag: {done.stderr.decode('utf-8', 'replace').strip()}"

    def tips(self) -> dict[str, str]:
        """
        Give the commits that are not history, by the name a person knows them by.

        Those are, in this order: the one checked out, branches, branches of remotes, tags and stashes.
        """
        found: dict[str, str] = {}
        for row in self._ask("worktree", "list", "--porcelain", check=False).splitlines():
            if row.startswith("HEAD ") and not set(row[5:]) <= _NO_OBJECT:
                found.setdefault(f"worktree {row[5:17]}", row[5:])
        head = self._ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False).strip()
        if head:
            name = self._ask("symbolic-ref", "--quiet", "--short", "HEAD", check=False).strip()
            found[name or "HEAD"] = head
        listed = self._ask(
            "for-each-ref",
            "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname)",
        )
        refs = []
        for row in listed.splitlines():
            kind, name, peeled, target, ref = row.split(" ", 4)
            commit = name if kind == "commit" else target if peeled == "commit" else ""
            if not commit:
                self.odd.append(_short(ref))
            if commit and ref != "refs/stash":
                refs.append((_rank(ref), _short(ref), commit))
        for _, ref, commit in sorted(refs):
            found.setdefault(ref, commit)
        stashes = self._ask("log", "-g", "--format=%H %P", "refs/stash", "--", check=False)
        if not stashes.strip():  # A clone of all refs has no list of them.
            stashes = self._ask("log", "-1", "--format=%H %P", "refs/stash", "--", check=False)
        for number, row in enumerate(stashes.splitlines()):
            # A stash is a commit; beside its base it has the index and what was not tracked as parents.
            stash, *parents = row.split()
            for place, commit in enumerate((stash, *parents[1:])):
                found[f"stash@{{{number}}}" + (f"^{place + 1}" if place else "")] = commit
        return found

    def staged(self) -> dict[str, str]:
        """Give the files in the index by their path."""
        rows = self._ask("ls-files", "-s", "-z", check=False).split("\0")
        named = (row.partition("\t") for row in rows if row)
        return {path: head.split()[1] for head, _, path in named if not head.startswith(_SUBMODULE)}

    def trees(
        self, tips: dict[str, str], excludes: Callable[[str], bool]
    ) -> Iterator[tuple[str, str, str, str]]:
        """
        Walk what the tips hold, each folder at each path once.

        Yields
        ------
        tip, mode, object, path : str
            Of each file, for the first tip that has it, and of each submodule.
        """
        seen: set[tuple[str, str]] = set()
        with _Objects(self._command("cat-file", "--batch")) as objects:
            for tip, commit in tips.items():
                waiting = [(f"{commit}^{{tree}}", "")]
                while waiting:
                    name, folder = waiting.pop()
                    content = objects.read(name)
                    for mode, oid, entry in _entries(content):
                        path = f"{folder}{entry}"
                        if (oid, path) in seen or excludes(path):
                            continue
                        seen.add((oid, path))
                        if mode == _FOLDER:
                            waiting.append((oid, f"{path}/"))
                        else:
                            yield tip, mode, oid, path

    def history(
        self, tips: dict[str, str], excludes: Callable[[str], bool]
    ) -> tuple[dict[str, str], dict[str, Last]]:
        """
        Walk all commits behind the tips.

        Returns
        -------
        files : dict of str to str
            A path of each file that any commit brought in, by its object.
        last : dict of str to Last
            By object, where it was last there before a commit changed or removed it.
        """
        listed = self._ask(
            "rev-list", "--parents", "--timestamp", "--stdin", text="\n".join(tips.values()) + "\n"
        )
        dates: dict[str, int] = {}
        pairs: list[tuple[str, str]] = []
        for row in listed.splitlines():
            stamp, commit, *parents = row.split()
            dates[commit] = int(stamp)
            pairs += [(commit, parent) for parent in parents] or [(commit, "")]
        files: dict[str, str] = {}
        last: dict[str, Last] = {}
        lines = "".join(f"{commit} {parent}".rstrip() + "\n" for commit, parent in pairs)
        changes = self._ask(
            "diff-tree", "--stdin", "--root", "--always", "-r", "--raw", "--no-renames",
            "--no-abbrev", "-z", "--no-ext-diff", text=lines,
        )  # fmt: skip
        fields = iter(changes.split("\0"))
        place = -1
        for field in fields:
            if not field.startswith(":"):
                place += bool(field)
                continue
            path = next(fields)
            if excludes(path):
                continue
            old_mode, new_mode, old, new, _ = field[1:].split(" ", 4)
            if new_mode != _SUBMODULE and not set(new) <= _NO_OBJECT:
                files.setdefault(new, path)
            if old_mode != _SUBMODULE and not set(old) <= _NO_OBJECT:
                commit = pairs[place][1]
                moment = min(dates.get(commit, -1), _LAST_MOMENT)
                known = last.get(old)
                if moment >= 0 and (known is None or moment > known.date.timestamp()):
                    date = dt.datetime.fromtimestamp(moment, dt.UTC)
                    last[old] = Last(path, commit, date)
        return files, last

    def texts(self, files: Iterable[tuple[str, str]], coverage: Coverage) -> Iterator[Text]:
        """
        Read files by their objects.

        Parameters
        ----------
        files : iterable of object and name
            The name stands in the result.
        coverage : Coverage
        """
        wanted = list(files)
        with tempfile.TemporaryFile() as names:
            names.write("".join(f"{oid}\n" for oid, _ in wanted).encode())
            names.seek(0)
            with _Objects(self._command("cat-file", "--batch", "--buffer"), names) as objects:
                for _, name in wanted:
                    content = objects.next()
                    if content is None:
                        coverage.fail(name, "missing from this clone")
                    else:
                        yield from texts_of(content, name, coverage)

    def _command(self, *arguments: str) -> list[str]:
        return ["git", *_SAFE, "-C", self._inside, *arguments]

    def _ask(self, *arguments: str, text: str | None = None, check: bool = True) -> str:
        done = subprocess.run(  # noqa: S603
            self._command(*arguments),
            input=None if text is None else text.encode(),
            stdin=subprocess.DEVNULL if text is None else None,
            capture_output=True,
            env=_environment(),
        )
        if done.returncode and check:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise PicoraError(f"git cannot read {self._inside!r}: {said or 'it gave no reason'}")
        return done.stdout.decode("utf-8", "replace")


def _environment() -> dict[str, str]:
    """Give the environment without what a hook of another repository put there."""
    own = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return own | _ENVIRONMENT


def _rank(ref: str) -> int:
    kinds = ("refs/heads/", "refs/remotes/", "refs/tags/")
    return next((n for n, kind in enumerate(kinds) if ref.startswith(kind)), len(kinds))


def _short(ref: str) -> str:
    for kind in ("refs/heads/", "refs/remotes/", "refs/tags/", "refs/"):
        if ref.startswith(kind):
            return ref.removeprefix(kind)
    return ref


def _entries(tree: bytes) -> Iterator[tuple[str, str, str]]:
    """Read a tree object: mode, object and name of each entry."""
    # 20 bytes of SHA-1, or 32 of SHA-256: only one of the two fits the whole.
    for size in (20, 32):
        found, place = [], 0
        while place < len(tree):
            end = tree.find(b"\0", place)
            mode, blank, name = tree[place:end].partition(b" ")
            if end < 0 or end + size >= len(tree) + 1 or not blank or not mode.isdigit():
                break
            oid = tree[end + 1 : end + 1 + size].hex()
            found.append((mode.decode(), oid, name.decode("utf-8", "replace")))
            place = end + 1 + size
        else:
            yield from found
            return


class _Objects:
    """A running ``git cat-file``."""

    def __init__(self, command: list[str], names: IO[bytes] | None = None) -> None:
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=subprocess.PIPE if names is None else names,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self._in = self._process.stdin
        self._out = cast(IO[bytes], self._process.stdout)
        self._open: _Content | None = None

    def __enter__(self) -> _Objects:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        if self._in is not None:
            self._in.close()
        self._out.close()
        self._process.wait()

    def read(self, name: str) -> bytes:
        """Ask for one object; empty where it is missing."""
        asked = cast(IO[bytes], self._in)
        asked.write(name.encode() + b"\n")
        asked.flush()
        content = self.next()
        return b"" if content is None else content.read()

    def next(self) -> IO[bytes] | None:
        """Give the next object that was asked for; None for one that is missing."""
        if self._open is not None:
            self._open.drain()
        head = self._out.readline().split()
        if len(head) != 3:
            self._open = None
            return None
        self._open = _Content(self._out, int(head[2]))
        if self._open.left > _IN_MEMORY:
            return cast(IO[bytes], self._open)
        return io.BytesIO(self._open.read())


class _Content:
    """One object in the stream of many."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self.left = stream, size

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(data)
        return data

    def drain(self) -> None:
        while self.left and self.read(1 << 20):
            pass
        self._stream.read(1)
