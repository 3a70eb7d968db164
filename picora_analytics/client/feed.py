"""
The change feed: what happened to the library since a cursor (OpenAPI: ``GET /v1/sync/state``).

Events lack tags, titles, dimensions and upload times, so they tell which images to read again, not
what they are. The route is newer than the two oldest calls; a server may not have it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from picora_analytics.client.answers import Answer
from picora_analytics.client.bodies import data_of, decode_answer
from picora_analytics.client.client import Client, connection_of
from picora_analytics.client.masking import mask
from picora_analytics.client.paging import has_more, next_cursor, parts_of, parts_say_more
from picora_analytics.client.rows import Name, Time
from picora_analytics.errors import ResponseFormatError, StatusError

__all__ = ["Change", "ChangePage", "read_changes"]

PATH = "/v1/sync/state"
# OpenAPI: at most 500 a page, 100 when not said.
PAGE_SIZE = 500
# What a server without a feed, or one that cannot read our cursor, answers.
_NO_FEED = (400, 403, 404, 405, 422, 501)
# Pages that claim more and bring nothing, one after another, never end.
_MAX_EMPTY = 3


class Change(Struct, frozen=True, gc=False, rename="camel"):
    """
    The last thing that happened to one image.

    Attributes
    ----------
    id : str
    op : str
        ``"upsert"`` (uploaded or edited) or ``"delete"``.
    updated_at : datetime
        When, UTC.
    content_hash : str or None
        The service's hash of the file, if it told one.
    """

    type: str
    id: Name
    op: str
    updated_at: Time
    content_hash: str | None = None


class _Page(Struct, rename="camel"):
    changes: list[Change]
    next_cursor: str | None = None
    has_more: bool | None = None


class _Plain(_Page, rename="camel", forbid_unknown_fields=True):
    """A page as documented; anything else beside the changes is looked at more closely."""


class _Envelope(Struct, forbid_unknown_fields=True):
    data: _Plain
    success: Literal[True] | UnsetType = UNSET  # Anything else is no success.
    error: UnsetType | None = UNSET


class ChangePage(Struct, frozen=True):
    """
    One page of the feed.

    Attributes
    ----------
    changes : list of Change
        Of images only, oldest first.
    cursor : str
        From where to read on later: the last cursor the feed gave that was not null.
    server_time : datetime
        The answer's own ``Date``, UTC.
    """

    changes: list[Change]
    cursor: str
    server_time: dt.datetime


_PAGES = msgspec.json.Decoder(_Envelope)


def read_changes(client: Client, cursor: str = "") -> Iterator[ChangePage] | None:
    """
    Read the feed from a cursor to its end.

    At the end the feed gives no cursor, so the last page is read again the next time: events may repeat.

    Parameters
    ----------
    client : Client
    cursor : str
        A page's ``cursor``; empty for all there is. Deletions are kept for 30 days only.

    Returns
    -------
    iterator of ChangePage, or None
        At least one page; None where the server has no feed, or does not know the cursor any more.

    Raises
    ------
    ResponseFormatError
        If a page is no page of changes, or the feed turns in circles.
    APIError
        If a page could not be read in the end.
    """
    try:
        first = _read(client, cursor)
    except StatusError as error:
        if error.status_code in _NO_FEED:
            return None
        raise
    return _walk(client, cursor, first)


def _walk(client: Client, cursor: str, page: tuple[_Page, dt.datetime]) -> Iterator[ChangePage]:
    seen, empty = {cursor}, 0
    while True:
        found, server_time = page
        following = found.next_cursor or None
        cursor = following or cursor
        yield ChangePage(
            [change for change in found.changes if change.type == "image"], cursor, server_time
        )
        if following is None or found.has_more is False:
            return
        empty = 0 if found.changes else empty + 1
        if following in seen or empty == _MAX_EMPTY:
            raise ResponseFormatError(
                f"GET {PATH}: the change feed claims more and turns in circles; it was left."
            )
        seen.add(following)
        page = _read(client, following)


def _read(client: Client, cursor: str) -> tuple[_Page, dt.datetime]:
    params = {"type": "image", "limit": PAGE_SIZE} | ({"since": cursor} if cursor else {})
    return connection_of(client).get(PATH, _decode, params)


def _decode(answer: Answer) -> tuple[_Page, dt.datetime]:
    page: _Page | None = None
    more = answer.more
    with contextlib.suppress(ValueError, RecursionError):
        found = _PAGES.decode(answer.body).data
        page = found if _says_once(answer.body, len(found.changes)) else None
    if page is None:
        whole = decode_answer(answer.body, where=answer.where)
        data = data_of(whole)
        try:  # Takes half a surrogate pair in a field that is not read here, as decode_answer does.
            page = msgspec.convert(data, _Page)
            msgspec.json.encode(page)
        except (msgspec.ValidationError, UnicodeEncodeError) as error:
            raise ResponseFormatError(
                f"{answer.where} answered no page of changes ({mask(str(error), 200)}); nothing was taken from it."
            ) from None
        parts = parts_of(whole, data)
        page.next_cursor = next_cursor(parts, answer.where)
        more |= has_more(parts) or parts_say_more(parts)
    more |= page.has_more is True
    odd = {change.op for change in page.changes if change.type == "image"} - {"upsert", "delete"}
    if odd or (more and not page.next_cursor):
        what = (
            f"changes of the kind {mask(min(odd), 40)!r}" if odd else "more changes but no cursor"
        )
        raise ResponseFormatError(
            f"{answer.where} told of {what}; what became of the library cannot be known from it."
        )
    return page, answer.server_time


def _says_once(body: bytes, n_changes: int) -> bool:
    """Whether what is read of a page stands in it as often as it should."""
    fields = (b'"id"', b'"op"', b'"type"', b'"updatedAt"')
    around = (b'"data"', b'"changes"', b'"nextCursor"', b'"hasMore"', b'"success"')
    return all(body.count(name) == n_changes for name in fields) and all(
        body.count(name) <= 1 for name in around
    )
