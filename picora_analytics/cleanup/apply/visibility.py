"""Hide images, or show again what was hidden: one request each, and each is looked at before it counts as done."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import NamedTuple

import pandas as pd

from picora_analytics.cleanup.apply.edits import give_back, lost_by
from picora_analytics.cleanup.apply.freshness import Freshness, StaleError
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.lookup import Current, Lookup
from picora_analytics.cleanup.apply.run import Run
from picora_analytics.cleanup.plan.deeds import SHOW
from picora_analytics.cleanup.plan.guard import State, drift, only_visibility, shown_literal
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client import changes
from picora_analytics.client.answers import is_lost
from picora_analytics.client.client import Client
from picora_analytics.client.retrying import StoppedError
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import (
    APIError,
    AuthenticationError,
    PermissionDeniedError,
    PicoraError,
    RateLimitError,
    StatusError,
)
from picora_analytics.times import format_instant

__all__ = ["VisibilityRun"]

MAX_TRIES = 3
# OpenAPI 0.7.0: is_public, although answers say isPublic; the vendor's own desktop client sends the latter.
_SPELLINGS = ("is_public", "isPublic")
_WORDS = {False: "private", True: "public"}


class _Answer(NamedTuple):
    """What an answer says: the image as it is now, or why nobody knows; and whether it was refused for good."""

    image: ImageRecord | None
    reason: str = ""
    refused: bool = False
    no_route: bool = False


class _Sender:
    """Set the visibility of images, one by one; the attributes are those of a sender of deletions."""

    noun = "request"
    size = 1

    def __init__(
        self, plan: Plan, client: Client, lookup: Lookup, ledger: Ledger, freshness: Freshness
    ) -> None:
        self._plan, self._client, self._lookup, self._ledger = plan, client, lookup, ledger
        self._freshness = freshness
        self._public = plan.deed is SHOW
        self._spelling = 0
        self._read_one = False

    def settle(self, ids: list[str]) -> None:
        """
        Give each image an outcome.

        Raises
        ------
        PicoraError
            If this service cannot change images; nothing was done.
        StaleError
            If so much time passed before a request that everything must be looked at again; it was not sent.
        AuthenticationError, PermissionDeniedError, RateLimitError
            If the run must stop.
        """
        for image_id in ids:
            self._settle(image_id)

    def _settle(self, image_id: str) -> None:
        planned, spelling = self._plan.states[image_id], self._spelling
        word, why = "unknown", ""
        for _ in range(MAX_TRIES):
            answer = self._send(image_id, _SPELLINGS[spelling])
            word, why = "unknown", answer.reason
            if answer.image is not None:
                told = answer.image.updated_at
                if answer.image.id == image_id and answer.image.is_public is self._public:
                    self._spelling = spelling
                    # An answer may still hold the old time; the look at the end then tells it.
                    done = {image_id: (self._plan.deed.done, "")}
                    self._ledger.record(
                        done, {image_id: None if told == planned.updated_at else told}
                    )
                    self._check_kept(image_id, answer.image)
                    return
                if answer.image.id == image_id:
                    word, why = (
                        "failed",
                        f"the service took it, and it is not {_WORDS[self._public]}",
                    )
                    # That edit was our own.
                    planned = planned._replace(updated_at=told or planned.updated_at)
                else:
                    why = f"the service answered about another image, {shown_literal(answer.image.id)}"
                    self._ledger.lost.add(image_id)
                    self._ledger.accepted.add(image_id)
                spelling = 1 - spelling
            if self._look_up(image_id, planned, answer, why):
                return
        self._ledger.record({image_id: (word, f"after {MAX_TRIES} tries: {why}")})

    def _check_kept(self, image_id: str, answer: ImageRecord) -> None:
        """Stop, and give back, where an edit took tags or a title along; the first image is read for that as well."""
        title = self._plan.images["title"][image_id]
        before = (self._plan.states[image_id].tags, None if pd.isna(title) else str(title))
        lost = lost_by(*before, answer, whole=False)
        if not lost and not self._read_one:
            self._read_one = True
            with contextlib.suppress(APIError):  # Not every service shows single images.
                lost = lost_by(*before, self._client.get_image(image_id), whole=True)
        if lost:
            back = give_back(self._client, image_id, *before, self._public)
            raise PicoraError(
                f"This service took more along than the visibility of image {image_id}: {' and '.join(lost)}; {back}. "
                "It may be that somebody else edited it in that moment. No other image was sent."
            )

    def _send(self, image_id: str, field: str) -> _Answer:
        self._ledger.intend([image_id])
        sent = False

        def fresh() -> None:
            nonlocal sent
            self._freshness.require()
            sent = True

        try:
            image = changes.edit(self._client, image_id, {field: self._public}, fresh)
        except StaleError:
            self._ledger.withdraw([image_id])
            raise
        except StoppedError:
            if not sent:
                self._ledger.withdraw([image_id])
            raise
        except (AuthenticationError, PermissionDeniedError) as error:
            self._ledger.record(self._ledger.refused([image_id], "failed", str(error)))
            raise
        except RateLimitError as error:
            self._ledger.record(self._ledger.refused([image_id], "kept", f"not tried: {error}"))
            raise
        except APIError as error:
            return self._unclear(image_id, error)
        finally:
            self._freshness.check()  # The machine may have slept meanwhile.
        self._freshness.done()
        self._ledger.tried.add(image_id)
        return _Answer(image)

    def _unclear(self, image_id: str, error: APIError) -> _Answer:
        self._ledger.tried.add(image_id)
        status = error.status_code if isinstance(error, StatusError) else None
        if status in (404, 405, 501):
            return _Answer(None, str(error), no_route=True)
        if is_lost(error):
            self._ledger.lost.add(image_id)
            self._ledger.accepted.add(image_id)
            return _Answer(None, str(error))
        return _Answer(None, str(error), refused=True)

    def _look_up(self, image_id: str, planned: State, answer: _Answer, why: str) -> bool:
        """Settle an image by what is there now; False if it may be tried again."""
        try:
            now = self._lookup.look([image_id]).states.get(image_id)
        except PicoraError as error:
            self._ledger.record({image_id: ("unknown", f"{why} Looking it up failed: {error}")})
            return True
        if now is None:
            self._ledger.record({image_id: ("already gone", "when its turn came")})
        elif now.is_public is self._public and only_visibility(planned, now):
            self._ledger.record(*settled(self._plan, self._ledger, image_id, planned, now))
        elif changes_ := drift(planned, now):
            self._ledger.record({image_id: changed(changes_, now.is_public is self._public)})
        elif answer.no_route:
            self._ledger.withdraw([image_id])
            raise PicoraError(
                "Not available here: this service does not change images "
                f"({why.removesuffix('.')}). No image was {self._plan.deed.done} by this request; on Picora's own page "
                "it can be done by hand."
            )
        elif answer.refused:
            self._ledger.record(self._ledger.refused([image_id], "failed", why))
        else:
            return False
        return True


def settled(
    plan: Plan, ledger: Ledger, image_id: str, planned: State, now: State
) -> tuple[dict[str, tuple[str, str]], dict[str, dt.datetime | None]]:
    """Give the outcome of an image that is as wanted after an answer was lost, and its update time if that is ours."""
    word = _WORDS[plan.deed is SHOW]
    edited = None if now.updated_at == planned.updated_at else now.updated_at
    if ledger.may_be_ours(image_id, edited):
        done = (plan.deed.done, f"the answer was lost; it is {word} now")
        return {image_id: done}, {image_id: now.updated_at}
    when = "at a time nobody knows" if edited is None else f"at {format_instant(edited)}"
    why = (
        f"it is {word} now, made so {when}, too long after our request to be sure that it was ours"
    )
    return {image_id: ("unknown", why)}, {}


def changed(changes_: list[str], as_wanted: bool) -> tuple[str, str]:
    """Give the outcome of an image that somebody else changed while a request about it was under way."""
    what = "; ".join(changes_)
    if as_wanted:  # Whose deed it is, nobody can tell.
        return "unknown", f"perhaps done, and changed by somebody else as well: {what}"
    return "kept", f"changed since the plan: {what}"


class VisibilityRun(Run):
    """One run that hides the images of a plan, or shows them again."""

    _sender: _Sender  # type: ignore[assignment]

    @property
    def _public(self) -> bool:
        return self._plan.deed is SHOW

    def _make_sender(self) -> _Sender:  # type: ignore[override]
        return _Sender(self._plan, self._client, self._lookup, self._ledger, self._freshness)

    def _settle_lost(self, ids: list[str], current: Current) -> list[str]:
        as_wanted = {
            one
            for one in ids
            if one in current.states and current.states[one].is_public is self._public
        }
        lost = self._ledger.settle(ids, set(ids) - as_wanted)
        self._settle_done(lost, current)
        return lost

    def _settle_done(self, ids: list[str], current: Current) -> None:
        """Write down what became of images that are as wanted now, after a request whose answer was lost."""
        for one in ids:
            planned, now = self._plan.states[one], current.states[one]
            if only_visibility(planned, now):
                self._ledger.record(*settled(self._plan, self._ledger, one, planned, now))
            else:
                self._ledger.record({one: changed(drift(planned, now), True)})

    def verify(self) -> None:
        """Look whether what was reported done is so, and bring the newest snapshot up to date."""
        ids, late = self._ledger.deleted, self._ledger.late
        if not ids and not late:
            return
        current = self._look_again([*ids, *late], lambda seen: not self._undone(ids, seen))
        if current is None:
            return
        as_wanted = [
            one
            for one in late
            if (now := current.states.get(one)) and now.is_public is self._public
        ]
        self._settle_done(as_wanted, current)
        undone = self._undone(ids, current)
        why = f"reported {self._plan.deed.done}, and not {_WORDS[self._public]}"
        self._ledger.record(dict.fromkeys(undone, ("unknown", why)))
        for one in set(ids).difference(undone, self._ledger.times):
            now = current.states.get(one)
            if now is not None and only_visibility(self._plan.states[one], now):
                self._ledger.record({one: self._ledger.outcomes[one]}, {one: now.updated_at})
        n = len(ids) - len(undone)
        self.notes.append(f"looked at again: {n:,} of {len(ids):,} are {_WORDS[self._public]}")
        self._remember(current)

    def _undone(self, ids: list[str], current: Current) -> list[str]:
        """List the images that are not as they were reported, and that nobody changed since."""
        return [
            one
            for one in ids
            if (now := current.states.get(one)) is not None
            and now.is_public is not self._public
            and now.updated_at
            in (None, self._ledger.times.get(one), self._plan.states[one].updated_at)
        ]
