"""Send one batch and settle it: what is not known is looked up, and nothing is sent again unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.lookup import Lookout
from picora_analytics.cleanup.plan import guard
from picora_analytics.client import changes
from picora_analytics.client.changes import BatchUnknownError, Result
from picora_analytics.client.client import Client
from picora_analytics.errors import (
    AuthenticationError,
    PermissionDeniedError,
    PicoraError,
    RateLimitError,
)

if TYPE_CHECKING:
    from picora_analytics.cleanup.deletion import DeletionPlan

__all__ = ["LOST", "Sender"]

# A lost answer is looked up; an image that is still there is tried so often in all.
MAX_TRIES = 3
LOST = ("deleted", "the answer was lost; it is gone now")
GONE = ("already gone", "when it was to be deleted")


class Sender:
    """
    Send deleting requests, in batches as long as the server knows them.

    Parameters
    ----------
    plan : DeletionPlan
    client : Client
    lookout : Lookout
    ledger : Ledger
    """

    def __init__(
        self, plan: DeletionPlan, client: Client, lookout: Lookout, ledger: Ledger
    ) -> None:
        self._plan, self._client, self._lookout, self._ledger = plan, client, lookout, ledger
        self.size = changes.MAX_BATCH

    def settle(self, ids: list[str]) -> None:
        """
        Give each image an outcome: send, look up what is not known, send again what is there unchanged.

        Raises
        ------
        BatchUnknownError
            If the server knows no batches; `size` is 1 from then on.
        AuthenticationError, PermissionDeniedError, RateLimitError, ResponseFormatError
            If the run must stop.
        """
        reasons: dict[str, str] = {}
        for _ in range(MAX_TRIES):
            found = self._send(ids)
            settled = {
                one: self._outcome(one, result)
                for one, result in found.items()
                if result.word in ("deleted", "gone", "failed")
            }
            self._ledger.keep(settled)
            open_ids = [one for one in ids if one not in settled]
            if not open_ids:
                return
            reasons |= {one: found[one].reason for one in open_ids}
            refused = {one for one in open_ids if found[one].word == "refused"}
            self._ledger.lost |= set(open_ids) - refused
            ids = self._look_up(open_ids, refused, reasons)
            if not ids:
                return
        self._ledger.keep(
            {one: ("failed", f"still there after {MAX_TRIES} tries: {reasons[one]}") for one in ids}
        )

    def _send(self, ids: list[str]) -> dict[str, Result]:
        self._ledger.intend(ids)
        try:
            if self.size > 1:
                found = changes.delete_batch(self._client, ids)
            else:
                found = {one: changes.delete_one(self._client, one) for one in ids}
        except BatchUnknownError:
            self._ledger.withdraw(ids)  # No route took the request, so nothing was done.
            self.size = 1
            raise
        except (AuthenticationError, PermissionDeniedError) as error:
            self._ledger.keep(dict.fromkeys(ids, ("failed", str(error))))
            raise
        except RateLimitError as error:
            self._ledger.keep(dict.fromkeys(ids, ("kept", f"not tried: {error}")))
            raise
        self._ledger.tried |= set(ids)
        return found

    def _outcome(self, one: str, result: Result) -> tuple[str, str]:
        """Say what an answer means for an image; after a lost answer, gone means that we did it."""
        if result.word == "gone":
            return LOST if one in self._ledger.lost else GONE
        return result.word, result.reason

    def _look_up(self, ids: list[str], refused: set[str], reasons: dict[str, str]) -> list[str]:
        """Settle what is gone, changed, or cannot be looked up; give back what may be sent again."""
        copies = self._plan.copies
        try:
            there = self._lookout.look(
                {*ids, *(copies[one] for one in ids if one in copies)}
            ).states
        except PicoraError as error:
            self._ledger.keep(
                {one: ("unknown", f"{reasons[one]} Looking it up failed: {error}") for one in ids}
            )
            return []
        planned = {one: self._plan.states[one] for one in ids}
        found = guard.verdicts(planned, there, self._plan.protected_tags, copies)
        settled: dict[str, tuple[str, str]] = {}
        for one, verdict in found.items():
            if verdict.word == "kept":
                settled[one] = ("kept", verdict.reason)
            elif verdict.word == "already gone":
                # A refused one was gone before, unless an earlier request of ours explains it.
                settled[one] = GONE if one in refused - self._ledger.lost else LOST
            elif one in refused:
                settled[one] = ("failed", reasons[one])
        self._ledger.keep(settled)
        return [one for one in ids if one not in settled]
