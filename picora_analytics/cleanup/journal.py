"""The journal of an apply: what was about to be sent, before it was; what came of it, after."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from picora_analytics.errors import JournalError
from picora_analytics.files import append_line

__all__ = ["Journal", "Past", "read_journal"]


class Past(msgspec.Struct, frozen=True):
    """
    What a journal says.

    Attributes
    ----------
    confirmation, fingerprint : str
        Of the plan.
    began_at : datetime
    ended_at : datetime or None
        None for a run that was interrupted.
    intents : set of str
        Ids a deleting request was about to be sent for.
    outcomes : dict of str to (outcome, reason)
        The last one of each id.
    """

    confirmation: str
    fingerprint: str
    began_at: dt.datetime
    ended_at: dt.datetime | None
    intents: set[str]
    outcomes: dict[str, tuple[str, str]]


class Journal:
    """
    Append lines that are on disk before the next step is taken.

    Parameters
    ----------
    path : Path
        Made with its folder; an existing journal is never overwritten.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, plan: Mapping[str, Any]) -> None:
        """
        Write the plan, whole, as the first line.

        Raises
        ------
        JournalError
            If it cannot be written: no journal, no deletion.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600, exist_ok=False)
        except OSError as error:
            raise JournalError(
                f"The journal {self.path} cannot be made ({error.strerror}); without one nothing is deleted."
            ) from error
        self._write({"line": "plan", "plan": plan})

    def intend(self, ids: Sequence[str]) -> None:
        """Write which ids the next request will delete."""
        self._write({"line": "intent", "ids": list(ids)})

    def record(self, outcomes: Mapping[str, tuple[str, str]]) -> None:
        """Write what came of them."""
        self._write({"line": "outcome", "outcomes": dict(outcomes)})

    def end(self) -> None:
        """Write that the run came to its end."""
        self._write({"line": "end"})

    def _write(self, line: dict[str, Any]) -> None:
        line["at"] = dt.datetime.now(dt.UTC).isoformat()
        try:
            append_line(self.path, msgspec.json.encode(line))
        except OSError as error:
            raise JournalError(
                f"The journal {self.path} cannot be written ({error.strerror}); the run stops here, because "
                "without a journal nothing is deleted."
            ) from error


def read_journal(path: Path) -> Past | None:
    """
    Read a journal; a last line that was cut off by a crash is left out.

    Returns
    -------
    Past or None
        None where there is no journal.

    Raises
    ------
    JournalError
        If anything but its last line cannot be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(f"The journal {path} cannot be read: {error.strerror}.") from error
    lines = list(_lines(content, path))
    try:
        plan = lines[0]["plan"]
        return Past(
            confirmation=plan["confirmation"],
            fingerprint=plan["fingerprint"],
            began_at=dt.datetime.fromisoformat(lines[0]["at"]),
            ended_at=next(
                (dt.datetime.fromisoformat(x["at"]) for x in lines if x["line"] == "end"), None
            ),
            intents={one for x in lines if x["line"] == "intent" for one in x["ids"]},
            outcomes={
                one: (outcome, reason)
                for x in lines
                if x["line"] == "outcome"
                for one, (outcome, reason) in x["outcomes"].items()
            },
        )
    except (IndexError, KeyError, TypeError, ValueError):
        raise _damaged(path) from None


def _lines(content: bytes, path: Path) -> Iterator[dict[str, Any]]:
    complete, _, torn = content.rpartition(b"\n")
    for line in complete.splitlines():
        try:
            yield msgspec.json.decode(line, type=dict[str, Any])
        except msgspec.DecodeError:
            raise _damaged(path) from None
    with contextlib.suppress(msgspec.DecodeError):  # Written whole but for its line end.
        if torn:
            yield msgspec.json.decode(torn, type=dict[str, Any])


def _damaged(path: Path) -> JournalError:
    return JournalError(
        f"The journal {path} is damaged, so it is not known what was deleted. Keep it, load the library with "
        "refresh='full', and plan again from that."
    )
