"""What became of each image of a plan so far, in memory and in the journal alike."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from picora_analytics.cleanup.apply.journal import Journal, Past
from picora_analytics.cleanup.apply.receipt import DeletionReceipt, make_receipt
from picora_analytics.cleanup.plan.deeds import DELETE
from picora_analytics.cleanup.plan.document import to_document
from picora_analytics.cleanup.plan.guard import State
from picora_analytics.cleanup.plan.model import STANDING_ORDER, Plan
from picora_analytics.client.changes import PATIENCE
from picora_analytics.text import visible
from picora_analytics.times import now

__all__ = ["LATE", "Ledger", "backup_notes"]

# So long after it was sent (our own patience with an answer), a request that did nothing will do nothing any more.
LATE = dt.timedelta(seconds=PATIENCE)


class Ledger:
    """
    What became of each image of a plan; every entry is in the journal before anything else happens.

    Parameters
    ----------
    plan : Plan
    path : Path
        Of the journal.
    past : Past or None
        What the journal says of earlier runs.
    backup : str or None
        Where the files are backed up.

    Attributes
    ----------
    outcomes : dict of id to (outcome, reason)
    times : dict of id to datetime
        The service's update time of each image that was hidden or shown again, right after that.
    tried : set of ids
        Those that this run sent a request for, whether its answer came or was lost.
    lost : set of ids
        Those that a request was sent for whose answer nobody read.
    told : callable
        Given the ids of each entry once it is written.
    accepted : set of ids
        Those of this run, or of one just before: the service may carry such a request out later, so that they are
        still there settles nothing.
    """

    def __init__(self, plan: Plan, path: Path, past: Past | None, backup: str | None) -> None:
        self._plan, self._path, self._past, self._backup = plan, path, past, backup
        self._log: Journal | None = None
        before = past.outcomes if past and past.intents else {}
        # Only what is settled for good is taken over; the rest is decided again.
        self.outcomes = {
            image_id: outcome
            for image_id, outcome in before.items()
            if outcome[0] in (plan.deed.done, "already gone")
        }
        self.times = dict(past.times) if past else {}
        self._heirs = dict(past.heirs) if past else {}
        self.tried: set[str] = set()
        self.told: Callable[[Iterable[str]], object] = lambda _: None
        self._sent_at = dict(past.sent) if past else {}
        self._in_flight = past.open_ids if past else set()
        self.lost = set(self._in_flight)
        self.accepted = self._in_flight.copy() if _is_young(past) else set()
        self._sent = bool(past and past.intents)
        self._ended = False

    @property
    def sent(self) -> bool:
        """Whether a changing request may have been sent, now or by an earlier run."""
        return self._sent

    @property
    def open_ids(self) -> list[str]:
        """The images without an outcome."""
        return [image_id for image_id in self._plan.states if image_id not in self.outcomes]

    @property
    def deleted(self) -> list[str]:
        """The images that were deleted (hidden, shown again), by this run or before."""
        done = self._plan.deed.done
        return [image_id for image_id, (outcome, _) in self.outcomes.items() if outcome == done]

    @property
    def late(self) -> list[str]:
        """The images whose outcome is unknown because an answer was lost."""
        return [one for one in sorted(self.lost) if self.outcomes.get(one, ("",))[0] == "unknown"]

    def open(self) -> None:
        """Begin the journal, or reopen it; without one nothing may be sent."""
        if self._log is not None:
            return
        # Recorded whole, so that a resume from another folder goes on with the same one.
        backup = self._backup and str(Path(self._backup).expanduser().absolute())
        if self._past is None:
            self._log = Journal.begin(self._path, to_document(self._plan), backup)
        else:
            self._log = Journal.reopen(self._path, self._past, backup)
        if self.outcomes:
            self._log.record(self.outcomes, self.times)

    def may_be_ours(self, image_id: str, moment: dt.datetime | None) -> bool:
        """Tell whether an edit of then (None: of now) may be a request of ours, by when that was sent."""
        sent = self._sent_at.get(image_id)
        return sent is not None and (moment or now()) - sent <= LATE

    def intend(self, ids: Iterable[str]) -> None:
        """Write down which images the next request is about."""
        self.open()
        if self._log is not None:
            self._log.intend(list(ids))
        self._sent = True
        self._sent_at |= dict.fromkeys(ids, now())
        self._in_flight |= set(ids)

    def record(
        self,
        outcomes: Mapping[str, tuple[str, str]],
        times: Mapping[str, dt.datetime | None] | None = None,
    ) -> None:
        """Write down what became of images, and the update times that this gave them as far as they are told."""
        if outcomes:
            told = {one: moment for one, moment in (times or {}).items() if moment is not None}
            self.outcomes |= outcomes
            self.times |= told
            self._in_flight -= set(outcomes)
            if self._log is not None:
                self._log.record(outcomes, told)
            self.told(outcomes)

    def kept(self, image_id: str, reason: str) -> tuple[str, str]:
        """Give the outcome of an image that is not to go: not known while an earlier request may still take it."""
        return self.refused([image_id], "kept", reason)[image_id]

    def failed(self, image_id: str, reason: str) -> tuple[str, str]:
        """Give the outcome of an image whose deletion failed: not known while an earlier request may succeed."""
        return self.refused([image_id], "failed", reason)[image_id]

    def refused(self, ids: Iterable[str], word: str, reason: str) -> dict[str, tuple[str, str]]:
        """Give the outcomes of images a request did nothing to: not known where an earlier one may still do it."""
        late = ("unknown", f"an earlier request may still be carried out; {reason}")
        return {one: late if one in self.accepted else (word, reason) for one in ids}

    def inherits(self, image_id: str) -> None:
        """Write down that an image that stays is about to get tags or a title."""
        self.open()
        self._heirs[image_id] = None
        if self._log is not None:
            self._log.inherit(image_id)

    def inherited(self, image_id: str, moment: dt.datetime | None) -> None:
        """Write down that it has them, and its update time."""
        if image_id in self._heirs:
            self._heirs[image_id] = moment
            if self._log is not None:
                self._log.inherit(image_id, moment)

    def staying(self, now: Mapping[str, State]) -> dict[str, State]:
        """Give the states of the duplicates that stay, as planned and as our own edits of tags and title left them."""
        found = dict(self._plan.staying_states)
        for one, moment in self._heirs.items():
            if one in found and one in now and moment in (None, now[one].updated_at):
                found[one] = found[one]._replace(tags=now[one].tags, updated_at=now[one].updated_at)
        return found

    def withdraw(self, ids: Iterable[str]) -> None:
        """Write down that nothing was done with images after all; they have no outcome yet."""
        if self._log is not None:
            self._log.record(self.refused(ids, "kept", "not tried"))
        self._in_flight -= set(ids)
        self.tried -= set(ids)

    def settle(self, looked_at: Iterable[str], there: Collection[str]) -> list[str]:
        """List the images of lost answers that are gone now; what was looked at is no longer in flight."""
        self._in_flight -= set(looked_at)
        unsettled = self.lost - self.outcomes.keys()
        return sorted(unsettled.intersection(looked_at).difference(there))

    def end(self, whole: bool) -> None:
        """Close the journal if each image has a known outcome, and the run did the `whole` of what was asked."""
        unknown = any(outcome == "unknown" for outcome, _ in self.outcomes.values())
        self._ended = whole and not unknown and not self.open_ids
        # A plan of which nothing was ever sent was not carried out: it may be confirmed again.
        if self._ended and self._sent and self._log is not None:
            self._log.end()

    def receipt(self, untried: str, notes: Iterable[str] = ()) -> DeletionReceipt:
        """Give one outcome for each image; `untried` is the reason of those that were not reached."""
        unread = ("unknown", "the run ended before its answer was read")
        rest = {
            image_id: unread if image_id in self._in_flight else self.kept(image_id, untried)
            for image_id in self.open_ids
        }
        outcomes = rest | self.outcomes
        lines = [*notes, *backup_notes(self._plan, outcomes, self._backup)]
        if self._sent and not self._ended:
            again = self._plan.deed is not DELETE or STANDING_ORDER in self._plan.protection
            on = "type the same again" if again else f"resume_deletion(client, {str(self._path)!r})"
            lines.append(f"to go on with the rest: {on}")
        return make_receipt(
            self._plan,
            outcomes,
            times=self.times,
            notes=tuple(lines),
            journal=None if self._log is None else self._path,
            complete=self._ended,
        )


def _is_young(past: Past | None) -> bool:
    """Tell whether the last request of earlier runs may still be carried out; a clock set back tells nothing."""
    return past is not None and bool(past.sent) and now() - max(past.sent.values()) < LATE


def backup_notes(
    plan: Plan, outcomes: Mapping[str, tuple[str, str]], backup: str | None
) -> list[str]:
    """Tell for a receipt where the backup of what is gone is; nothing where nothing is."""
    gone = any(word in (DELETE.done, "unknown") for word, _ in outcomes.values())
    if plan.deed is not DELETE or not gone:
        return []
    if backup is None:
        return ["no copies were kept: these images cannot come back"]
    return [
        f"copies were kept in {visible(backup)}; restore_images uploads them again, under new addresses"
    ]
