"""The journal of a run: what was about to be sent, before it was; what came of it, after."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from picora_analytics.errors import JournalError
from picora_analytics.lines import ForeignWriteError, LineFile, LongLineError, read_lines
from picora_analytics.times import format_instant, now

__all__ = ["Journal", "Past", "read_journal"]

_CHAIN = b',"chain":"'
_TAIL = len(_CHAIN) + 32 + len(b'"}')
# The first line holds the plan: at most about a kilobyte for each of a million images.
_LONGEST = 1024**3


class Past(msgspec.Struct, frozen=True):
    """
    What a journal records.

    Attributes
    ----------
    plan : dict
        The plan, as it was confirmed.
    backup : str or None
        Where the files are backed up, by the run that wrote last.
    began_at : datetime
    ended_at : datetime or None
        None if the plan was not carried out to its end.
    intents : set of str
        Ids a deleting request was about to be sent for.
    outcomes : dict of str to (outcome, reason)
        The last one of each id; none if a later request was about to be sent.
    times : dict of str to datetime
        The service's update time of each image right after it was hidden or shown again.
    heirs : dict of str to datetime or None
        The images that were about to inherit tags or a title, and their update time right after that.
    sent : dict of str to datetime
        When the last request about each image was about to be sent.
    last_at : datetime
        When the last line was written.
    chain : str
        The digest that the next line continues.
    size : int
        Bytes up to the end of the last whole line.
    """

    plan: dict[str, Any]
    backup: str | None
    began_at: dt.datetime
    ended_at: dt.datetime | None
    intents: set[str]
    outcomes: dict[str, tuple[str, str]]
    times: dict[str, dt.datetime]
    heirs: dict[str, dt.datetime | None]
    sent: dict[str, dt.datetime]
    last_at: dt.datetime
    chain: str
    size: int

    @property
    def open_ids(self) -> set[str]:
        """Ids whose request has no known outcome."""
        return {
            image_id
            for image_id in self.intents
            if self.outcomes.get(image_id, ("unknown",))[0] == "unknown"
        }


class _Line(msgspec.Struct):
    """Any line; each kind uses its own fields."""

    line: str
    at: dt.datetime
    plan: dict[str, Any] | None = None
    backup: str | None = None
    ids: list[str] = []
    outcomes: dict[str, tuple[str, str]] = {}
    times: dict[str, dt.datetime] = {}
    heirs: dict[str, dt.datetime | None] = {}


class Journal:
    """
    Append lines that are on disk before the next step is taken, each with a digest over all before it.

    Made by :meth:`begin` or :meth:`reopen`.
    """

    def __init__(self, file: LineFile, chain: str) -> None:
        self._file, self._chain = file, chain

    @classmethod
    def begin(cls, path: Path, plan: Mapping[str, Any], backup: str | None) -> Journal:
        """
        Make a journal whose first line holds the plan, and so the deed; it is there with that line or not at all.

        Raises
        ------
        JournalError
            If there is one, or none can be written: no journal, no deletion.
        """
        line, chain = _chained("", {"line": "plan", "plan": plan, "backup": backup})
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            return cls(LineFile.create(path, line), chain)
        except OSError as error:
            if isinstance(error, FileExistsError) and path.is_file():
                raise JournalError(
                    f"The journal {path} was begun by another run meanwhile; nothing was sent by this one."
                ) from None
            raise JournalError(
                f"The journal {path} cannot be made ({error.strerror}); without one nothing is deleted."
            ) from error

    @classmethod
    def reopen(cls, path: Path, past: Past, backup: str | None) -> Journal:
        """Resume a journal: cut off what a crash left half-written, and record that a run resumes it."""
        try:
            journal = cls(LineFile.open(path, past.size), past.chain)
        except OSError as error:
            raise _unwritable(path, error) from error
        journal._write({"line": "resume", "backup": backup})
        return journal

    def intend(self, ids: Sequence[str]) -> None:
        """Write which ids the next request is about."""
        self._write({"line": "intent", "ids": list(ids)})

    def record(
        self,
        outcomes: Mapping[str, tuple[str, str]],
        times: Mapping[str, dt.datetime] | None = None,
    ) -> None:
        """Write what came of them, and the update times that this gave them."""
        told = {one: format_instant(moment) for one, moment in (times or {}).items()}
        line = {"line": "outcome", "outcomes": dict(outcomes)}
        self._write(line | ({"times": told} if told else {}))

    def inherit(self, image_id: str, moment: dt.datetime | None = None) -> None:
        """Write that an image is about to inherit; then, its update time right after that."""
        told = None if moment is None else format_instant(moment)
        self._write({"line": "inherit", "heirs": {image_id: told}})

    def end(self) -> None:
        """Write that the plan was carried out to its end."""
        self._write({"line": "end"})

    def _write(self, fields: dict[str, Any]) -> None:
        line, chain = _chained(self._chain, fields)
        try:
            self._file.append(line)
        except OSError as error:
            raise _unwritable(self._file.path, error) from error
        self._chain = chain


def _unwritable(path: Path, error: OSError) -> JournalError:
    if isinstance(error, ForeignWriteError):
        return JournalError(
            f"The journal {path} was written by somebody else meanwhile; the run stops here."
        )
    return JournalError(
        f"The journal {path} cannot be written ({error.strerror}); the run stops here, because "
        "without a journal nothing is deleted."
    )


def _chained(before: str, fields: dict[str, Any]) -> tuple[bytes, str]:
    """Make a line that ends in the digest of itself and of the chain before it."""
    body = msgspec.json.encode({**fields, "at": format_instant(now())})
    chain = _digest(before, body)
    return body[:-1] + _CHAIN + chain.encode() + b'"}', chain


def _digest(before: str, body: bytes) -> str:
    return hashlib.blake2b(before.encode() + body, digest_size=16).hexdigest()


def read_journal(path: Path) -> Past | None:
    """
    Read a journal; a last line that was cut off by a crash is left out.

    Such a line never led to a request: that is only sent once its intent is on disk, whole.

    Returns
    -------
    Past or None
        None if there is no journal.

    Raises
    ------
    JournalError
        If any other line cannot be read, does not continue the one before it, or names an image the plan
        does not hold.
    """
    chain, size, lines = "", 0, []
    try:
        for raw in read_lines(path, longest=_LONGEST):
            body = raw[:-_TAIL] + b"}"
            chain = _digest(chain, body)
            if raw[-_TAIL:] != _CHAIN + chain.encode() + b'"}':
                raise _damaged(path)
            lines.append(msgspec.json.decode(body, type=_Line))
            size += len(raw) + 1
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, LongLineError):
        raise _damaged(path) from None
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be read: {error.strerror}.") from error
    return _past(lines, chain, size, path)


def _past(lines: list[_Line], chain: str, size: int, path: Path) -> Past:
    if not lines or lines[0].plan is None:
        raise _damaged(path)
    plan, backup = lines[0].plan, lines[0].backup
    try:
        planned = {image["id"] for image in plan["images"]}
    except (KeyError, TypeError):
        raise _damaged(path) from None
    sent: dict[str, dt.datetime] = {}
    outcomes: dict[str, tuple[str, str]] = {}
    times: dict[str, dt.datetime] = {}
    heirs: dict[str, dt.datetime | None] = {}
    for line in lines[1:]:
        foreign = {*line.ids, *line.outcomes, *line.times} - planned
        if foreign:
            raise JournalError(
                f"The journal {path} names the image {min(foreign)!r}, which its plan does not hold; nothing is "
                "sent. Keep it, load the library with refresh='full', and plan again from that."
            )
        if line.line == "resume":
            backup = line.backup
        for image_id in line.ids:
            sent[image_id] = line.at
            outcomes.pop(image_id, None)
        outcomes |= line.outcomes
        times |= line.times
        heirs |= line.heirs
    last = lines[-1]
    return Past(
        plan=plan,
        backup=backup,
        began_at=lines[0].at,
        ended_at=last.at if last.line == "end" else None,
        intents=set(sent),
        outcomes=outcomes,
        times=times,
        heirs=heirs,
        sent=sent,
        last_at=last.at,
        chain=chain,
        size=size,
    )


def _damaged(path: Path) -> JournalError:
    return JournalError(
        f"The journal {path} is damaged, so it is not known what was deleted. Keep it, load the library with "
        "refresh='full', and plan again from that."
    )
