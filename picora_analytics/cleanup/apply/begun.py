"""The deletions of an account that were begun and not ended, wherever their journals are."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from picora_analytics.cleanup.apply.journal import Past, read_journal
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.places import journal_paths
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.plan.deeds import DELETE
from picora_analytics.cleanup.plan.document import plan_from
from picora_analytics.cleanup.plan.model import STANDING_ORDER, Plan
from picora_analytics.client.client import Client
from picora_analytics.errors import PicoraError
from picora_analytics.library.frame import Facts

__all__ = ["Begun", "BegunDeletions", "begun_deletions", "read_begun"]

_END = b'{"line":"end"'
_TAIL = 4096  # Bytes at the end of a journal that hold its last line, if that says that it ended.


@dataclasses.dataclass(frozen=True)
class Begun:
    """A deletion that was begun: its journal, its plan, and what the journal says of it."""

    path: Path
    plan: Plan
    past: Past

    @cached_property
    def done(self) -> list[str]:
        """The images that are gone."""
        settled = (DELETE.done, "already gone")
        said = self.past.outcomes
        return [one for one in self.plan.states if said.get(one, ("",))[0] in settled]

    @cached_property
    def left(self) -> list[str]:
        """The images that are not known to be gone."""
        done = set(self.done)
        return [one for one in self.plan.states if one not in done]

    def receipt(self) -> DeletionReceipt:
        """Give the receipt so far."""
        ledger = Ledger(self.plan, self.path, self.past, self.past.backup)
        made = ledger.receipt("not tried: the deletion was interrupted")
        return dataclasses.replace(made, journal=self.path, finished_at=self.past.last_at)


class BegunDeletions(NamedTuple):
    """Those that can be resumed, the latest first, and why other journals cannot be read."""

    found: list[Begun]
    problems: list[str]


def begun_deletions(library: Facts, client: Client) -> BegunDeletions:
    """Find the deletions of an account that were begun and can be resumed."""
    found, problems = [], []
    for path in journal_paths(library, client):
        try:
            begun = None if _has_ended(path) else read_begun(path)
        except PicoraError as error:
            problems.append(str(error))
            continue
        if begun is not None and begun.plan.library["account"] == library["account"]:
            found.append(begun)
    return BegunDeletions(sorted(found, key=lambda one: one.past.last_at, reverse=True), problems)


def read_begun(path: Path) -> Begun | None:
    """
    Read the journal of a deletion that can be resumed.

    None if nothing was sent, it has ended, is of another deed, or of a policy, which goes on by being run again.

    Raises
    ------
    JournalError, PlanError
        If it, or the plan in it, cannot be read.
    """
    past = read_journal(path)
    if past is None or past.ended_at is not None or not past.intents:
        return None
    plan = plan_from(past.plan, f"The plan in the journal {path}", None)
    resumable = plan.deed is DELETE and STANDING_ORDER not in plan.protection
    return Begun(path, plan, past) if resumable else None


def _has_ended(path: Path) -> bool:
    """Tell by the last line alone whether a journal says that its plan was carried out."""
    try:
        with path.open("rb") as file:
            file.seek(max(path.stat().st_size - _TAIL, 0))
            lines = file.read().splitlines()
    except OSError:
        return False  # Reading it whole says why.
    return bool(lines) and lines[-1].startswith(_END)
