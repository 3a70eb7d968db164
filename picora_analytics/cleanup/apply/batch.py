"""Send one batch and settle it: what is not known is looked up, and nothing is sent again unseen."""

from __future__ import annotations

from collections.abc import Collection

from picora_analytics.cleanup.apply.freshness import Freshness, StaleError
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.lookup import Lookup
from picora_analytics.cleanup.plan import guard
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client import changes
from picora_analytics.client.changes import BatchUnknownError, Result
from picora_analytics.client.client import Client
from picora_analytics.client.retrying import StoppedError
from picora_analytics.errors import (
    AuthenticationError,
    PermissionDeniedError,
    PicoraError,
    RateLimitError,
)

__all__ = ["LOST", "Sender"]

# A lost answer is looked up; an image that is still there is tried this many times in all.
MAX_TRIES = 3
LOST = ("deleted", "the answer was lost; it is gone now")
REFUSED = ("deleted", "the request for its batch was refused, and it is gone now")
GONE = ("already gone", "when it was to be deleted")
NO_SUCH_IMAGE = "the service answered that there is no such image"


class Sender:
    """
    Send deleting requests, in batches as long as the server knows them.

    Parameters
    ----------
    plan : Plan
    client : Client
    lookup : Lookup
    ledger : Ledger
    freshness : Freshness

    Attributes
    ----------
    size : int
        How many images a request takes.
    """

    noun = "deleting request"

    def __init__(
        self, plan: Plan, client: Client, lookup: Lookup, ledger: Ledger, freshness: Freshness
    ) -> None:
        self._plan, self._client, self._lookup, self._ledger = plan, client, lookup, ledger
        self._freshness = freshness
        self.size = changes.MAX_BATCH
        # What was sent in the batch that the server refused as such, until it is known what came of it.
        self._batch: set[str] = set()
        self._may_be_done = False

    def settle(self, ids: list[str]) -> None:
        """
        Give each image an outcome: send, look up what is not known, send again what is there unchanged.

        Raises
        ------
        BatchUnknownError
            If the server knows no batches; `size` is 1 from then on.
        StaleError
            If so much time passed before a request that everything must be looked at again; it was not sent.
        AuthenticationError, PermissionDeniedError, RateLimitError, ResponseFormatError
            If the run must stop.
        """
        reasons: dict[str, str] = {}
        for _ in range(MAX_TRIES):
            found = self._send(ids)
            settled = {
                image_id: self._ledger.failed(image_id, result.reason)
                if result.word == "failed"
                else (result.word, result.reason)
                for image_id, result in found.items()
                if result.word in ("deleted", "failed")
            }
            self._ledger.record(settled)
            open_ids = [image_id for image_id in ids if image_id not in settled]
            if not open_ids:
                return
            reasons |= {image_id: found[image_id].reason or NO_SUCH_IMAGE for image_id in open_ids}
            refused = {image_id for image_id in open_ids if found[image_id].word != "unknown"}
            self._ledger.lost |= set(open_ids) - refused
            self._ledger.accepted |= set(open_ids) - refused
            ids = self._look_up(open_ids, refused, reasons)
            if not ids:
                return
        # A service that accepts now may delete later, and a request cut off in between may go on.
        self._ledger.record(
            {
                image_id: ("unknown", f"still there after {MAX_TRIES} tries: {reasons[image_id]}")
                for image_id in ids
            }
        )

    def _send(self, ids: list[str]) -> dict[str, Result]:
        self._ledger.intend(ids)
        sent = False

        def fresh() -> None:
            nonlocal sent
            self._freshness.require()
            sent = True

        try:
            if self.size > 1:
                found = changes.delete_batch(self._client, ids, fresh)
            else:
                found = {
                    image_id: changes.delete_one(self._client, image_id, fresh) for image_id in ids
                }
        except StaleError:
            self._ledger.withdraw(ids)
            raise
        except StoppedError:
            if not sent:
                self._ledger.withdraw(ids)
            raise
        except BatchUnknownError as error:
            self.size = 1
            self._batch, self._may_be_done = set(ids), error.may_be_done
            if error.may_be_done:  # A part may be done, so what is found gone is our own deed.
                self._ledger.lost |= set(ids)
            else:
                self._ledger.withdraw(ids)
            raise
        except (AuthenticationError, PermissionDeniedError) as error:
            self._ledger.record(self._stopped(ids, "failed", str(error)))
            raise
        except RateLimitError as error:
            self._ledger.record(self._stopped(ids, "kept", f"not tried: {error}"))
            raise
        finally:
            self._freshness.check()  # The machine may have slept meanwhile.
        if any(result.word == "deleted" for result in found.values()):
            self._freshness.done()
        self._ledger.tried |= set(ids)
        return found

    def _stopped(self, ids: list[str], word: str, reason: str) -> dict[str, tuple[str, str]]:
        """Give the outcomes where the run must stop: not known of what the batch before may have done."""
        doubtful = self._batch.intersection(ids) if self._may_be_done else ()
        late = ("unknown", f"the request for its batch may have been carried out; {reason}")
        return self._ledger.refused(ids, word, reason) | dict.fromkeys(doubtful, late)

    def _settle_refused_batch(self, there: Collection[str]) -> dict[str, tuple[str, str]]:
        """Tell once what a batch did before it was refused: what goes later, goes for another reason."""
        gone = self._batch - set(there) - self._ledger.outcomes.keys()
        # Whoever knows no batches does nothing with one; that most of it is gone is no coincidence, though.
        ours = self._may_be_done or 2 * len(gone) >= len(self._batch)
        earlier = self._ledger.lost if not self._may_be_done else set()
        self._batch = set()
        return {one: LOST if one in earlier else REFUSED if ours else GONE for one in gone}

    def _look_up(self, ids: list[str], refused: set[str], reasons: dict[str, str]) -> list[str]:
        """Settle what is gone, changed, or cannot be looked up; return what may be sent again."""
        duplicates = self._plan.duplicates
        batch = self._batch if self._batch & refused else set()
        try:
            there = self._lookup.look(
                {*ids, *batch, *(duplicates[one] for one in ids if one in duplicates)}
            ).states
        except PicoraError as error:
            self._ledger.record(
                {
                    image_id: ("unknown", f"{reasons[image_id]} Looking it up failed: {error}")
                    for image_id in ids
                }
            )
            return []
        planned = {image_id: self._plan.states[image_id] for image_id in ids}
        staying = self._ledger.staying(there)
        found = guard.verdicts(planned, there, self._plan.protected_tags, duplicates, staying)
        settled = self._settle_refused_batch(there) if batch else {}
        for image_id, verdict in found.items():
            if verdict.action == "kept":
                settled[image_id] = self._ledger.kept(image_id, verdict.reason)
            elif verdict.action == "already gone":
                # A refused one was gone before, unless an earlier request of ours explains it.
                word = GONE if image_id in refused - self._ledger.lost else LOST
                settled.setdefault(image_id, word)
            elif image_id in refused:
                settled[image_id] = self._ledger.failed(
                    image_id, f"still there: {reasons[image_id]}"
                )
        if GONE in settled.values():
            self._freshness.spoil()  # Somebody else deletes as well: one look settles the others.
        self._ledger.record(settled)
        return [image_id for image_id in ids if image_id not in settled]
