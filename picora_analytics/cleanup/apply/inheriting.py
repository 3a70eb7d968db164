"""Before a duplicate is deleted, the one that stays gets its tags and title; where that fails, both are kept."""

from __future__ import annotations

from picora_analytics.cleanup.apply.edits import give_back, lost_by
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.plan.guard import shown_literal
from picora_analytics.cleanup.plan.handing import inherits_frame
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client import changes
from picora_analytics.client.answers import is_lost
from picora_analytics.client.client import Client
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import (
    APIError,
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    StatusError,
)

__all__ = ["Heirs"]

# An edit of somebody else's between reading and writing is met by reading again.
ROUNDS = 3


class Heirs:
    """
    Hand tags and titles on, one image at a time: read, changed, read back.

    Picora replaces the whole list of tags and knows no condition, so what somebody writes in the moment between our
    reading and our writing cannot be seen; all else is.
    """

    def __init__(self, plan: Plan, client: Client, ledger: Ledger) -> None:
        self._plan, self._client, self._ledger = plan, client, ledger
        self._not_available = ""

    def settle(self, ids: list[str]) -> dict[str, str]:
        """
        Hand on what images have to; return those that must be kept, and why.

        Raises
        ------
        AuthenticationError, PermissionDeniedError, RateLimitError
            If the run must stop.
        """
        handed = {one: self._plan.handed[one] for one in ids if one in self._plan.handed}
        rows = inherits_frame(self._plan.duplicates, handed)
        why = {
            stays: self._hand_on(stays, tags, title)
            for stays, tags, title in rows.itertuples(index=False, name=None)
        }
        return {
            one: f"not handed on to its duplicate {shown_literal(stays)}: {why[stays]}"
            for one in handed
            if why[stays := self._plan.duplicates[one]]
        }

    def _hand_on(self, stays: str, tags: tuple[str, ...], title: str | None) -> str:
        """Bring an image to have these tags and a title; explain why it could not be done, empty if it was."""
        why, before = self._not_available, None
        for _ in range(ROUNDS if not why else 0):
            try:
                now = self._client.get_image(stays)
            except NotFoundError:
                return "it is not there, or this service does not show single images"
            except (AuthenticationError, RateLimitError):
                raise
            except APIError as error:
                return str(error)
            if now.id != stays or now.tags is None:
                return "the service does not tell its tags"
            before = before or now
            # What it had before our first edit is never given up for what it inherits.
            wanted = _lacking(now, (*(before.tags or ()), *tags), before.title or title)
            if not wanted:
                self._ledger.inherited(stays, now.updated_at)
                return ""
            why = self._edit(stays, wanted)
            if why and not why.startswith("lost: "):
                return why
        return why or self._not_kept(stays, before)

    def _not_kept(self, stays: str, before: ImageRecord | None) -> str:
        """Explain that the service took the edits and the image has not got them; what it had is given back."""
        why = f"after {ROUNDS} tries it still lacks some of them"
        try:
            now = self._client.get_image(stays)
        except APIError as error:
            return f"{why}; it could not be looked at again: {error}"
        lost = [] if before is None else lost_by(before.tags, before.title, now, whole=True)
        if before is None or not lost:
            return why
        back = give_back(self._client, stays, before.tags, before.title, None)
        return f"{why}, and lost {' and '.join(lost)} of its own; {back}"

    def _edit(self, stays: str, wanted: dict[str, object]) -> str:
        self._ledger.inherits(stays)
        try:
            changes.edit(self._client, stays, wanted)
        except (AuthenticationError, PermissionDeniedError, RateLimitError):
            raise
        except APIError as error:
            status = error.status_code if isinstance(error, StatusError) else None
            if status in (404, 405, 501):
                self._not_available = f"Not available here: {error}"
                return self._not_available
            return f"lost: {error}" if is_lost(error) else str(error)
        return ""


def _lacking(now: ImageRecord, tags: tuple[str, ...], title: str | None) -> dict[str, object]:
    """Give what is to be changed; the list of tags is replaced as a whole, so all that is there now comes along."""
    has = now.tags or ()
    missing = [tag for tag in dict.fromkeys(tags) if tag not in has]
    wanted: dict[str, object] = {"tags": [*has, *missing]} if missing else {}
    return wanted | ({"title": title} if title and not now.title else {})
