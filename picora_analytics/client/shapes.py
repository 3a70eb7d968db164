"""
Picora's answers decoded: both wire shapes in, one record out.

The seed document and the newer OpenAPI file spell the same fields differently, and a live answer
may mix them; both are read on every page. Where an answer may say that it is not all, or not true,
it is heard.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
from msgspec import Struct

from picora_analytics.client.bodies import data_of, decode_answer, decode_data
from picora_analytics.client.masking import mask
from picora_analytics.client.paging import (
    has_more,
    next_cursor,
    parts_of,
    parts_say_more,
    totals_of,
)
from picora_analytics.client.rows import Count, documented, finish, lenient, whole
from picora_analytics.errors import ResponseFormatError

__all__ = [
    "ImageRecord",
    "Listing",
    "Page",
    "decode_image",
    "decode_listing",
    "decode_page",
]

# A page holds at most so many images; one that is full and can say nothing of a next one is not the last.
FULL = 100
NO_CURSOR = (
    "{where} says that more images follow, and gives no cursor; the rest cannot be asked for."
)


class ImageRecord(Struct, frozen=True, kw_only=True):
    """
    One image as the service described it; None is what it did not say.

    Attributes
    ----------
    id, url : str
        The only two every image has.
    filename, title, mime_type : str or None
        ``mime_type`` is the service's own word; the frame falls back to the name's extension.
    size_bytes : int or None
        Bytes.
    width, height : int or None
        Pixels; never 0.
    is_public : bool or None
    tags : tuple of str, or None
        ``()`` has no tags; None means that the service was silent.
    created_at, updated_at : datetime or None
        UTC.
    """

    id: str
    url: str
    filename: str | None = None
    title: str | None = None
    mime_type: str | None = None
    size_bytes: int | None = None
    width: int | None = None
    height: int | None = None
    is_public: bool | None = None
    tags: tuple[str, ...] | None = None
    created_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None


class Page(Struct, frozen=True, kw_only=True):
    """
    One page of a listing.

    Attributes
    ----------
    images : list of ImageRecord
        Newest upload first.
    next_cursor : str or None
        None on the last page.
    total : int or None
        Images in the whole library, never of a filtered listing; None where the service does not count.
    unreadable : dict of str to int
        How many images of this page had a field that could not be read, by field.
    server_time : datetime
        The answer's own ``Date``, UTC.
    """

    images: list[ImageRecord]
    next_cursor: str | None
    total: int | None
    unreadable: dict[str, int]
    server_time: dt.datetime


class Listing(Struct, frozen=True, kw_only=True):
    """
    One page of a listing, column by column: a Python object for each image would be most of a load's work.

    Attributes
    ----------
    columns : dict of str to list
        By the fields of :class:`ImageRecord`, in its order.
    next_cursor, total, unreadable, server_time
        As in :class:`Page`.
    has_more : bool
        Whether the answer says in so many words that it is not the last one.
    """

    columns: dict[str, list[Any]]
    next_cursor: str | None
    total: int | None
    has_more: bool
    unreadable: dict[str, int]
    server_time: dt.datetime


def decode_page(
    body: bytes,
    *,
    server_time: dt.datetime,
    where: str,
    more: bool = False,
    total: int | None = None,
) -> Page:
    """
    Decode one page of ``GET /v1/images`` to records; see :func:`decode_listing`.

    Raises
    ------
    ResponseFormatError
        If it is no listing, or says that more follows and not where.
    """
    listing = decode_listing(body, server_time=server_time, where=where, more=more, total=total)
    if listing.has_more and listing.next_cursor is None:
        raise ResponseFormatError(NO_CURSOR.format(where=where))
    return Page(
        images=_records(listing.columns),
        next_cursor=listing.next_cursor,
        total=listing.total,
        unreadable=listing.unreadable,
        server_time=server_time,
    )


def decode_listing(
    body: bytes,
    *,
    server_time: dt.datetime,
    where: str,
    more: bool = False,
    total: int | None = None,
) -> Listing:
    """
    Decode one page of ``GET /v1/images`` to columns.

    Parameters
    ----------
    body : bytes
        The answer as it came.
    server_time : datetime
        The answer's Date.
    where : str
        Names the call in messages.
    more : bool
        Whether the head of the answer says that more follows.
    total : int or None
        How many images there are by that head; of several totals the largest counts.

    Raises
    ------
    ResponseFormatError
        If it is not JSON, says that it failed, has neither ``items`` nor ``images``, or an image lacks its id or
        URL. An unknown page is never an empty library.
    """
    unreadable: dict[str, int] = {}
    known = documented(body, unreadable)
    if known is not None:
        page, columns = known
        cursor, told, says_more = page.nextCursor, [page.total], page.hasMore is True
    else:  # Not as documented somewhere: field by field.
        answer = decode_answer(body, where=where)
        data = data_of(answer)
        rows = _rows(answer, data, where)
        columns = lenient(rows, unreadable, where)
        parts = parts_of(answer, data)
        cursor, says_more = next_cursor(parts, where), has_more(parts)
        more = more or parts_say_more(parts) or (isinstance(answer, list) and len(rows) >= FULL)
        told = [_count(one, unreadable) for one in totals_of(parts)]
    # An empty string is the first page again.
    cursor = cursor if isinstance(cursor, str) and cursor else None
    if more and cursor is None:
        raise ResponseFormatError(NO_CURSOR.format(where=where))
    return Listing(
        columns=finish(columns, unreadable),
        next_cursor=cursor,
        total=max((one for one in (*told, total) if isinstance(one, int)), default=None),
        has_more=says_more,
        unreadable=unreadable,
        server_time=server_time,
    )


def decode_image(body: bytes, *, where: str) -> ImageRecord:
    """
    Decode the image of ``GET /v1/images/{id}``.

    Raises
    ------
    ResponseFormatError
        If there is no image in the answer.
    """
    unreadable: dict[str, int] = {}
    columns = lenient([decode_data(body, where=where)], unreadable, where)
    return _records(finish(columns, unreadable))[0]


def _count(value: Any, unreadable: dict[str, int]) -> int | None:
    try:
        return msgspec.convert(whole(value), Count | None, strict=False)
    except (msgspec.ValidationError, ValueError):
        unreadable["total"] = unreadable.get("total", 0) + 1
        return None


def _rows(answer: Any, data: Any, where: str) -> list[Any]:
    rows = data
    if isinstance(data, dict):
        rows = data.get("images") if data.get("items") is None else data["items"]
        if data.get("images") not in (None, rows):
            raise ResponseFormatError(
                f"{where} answered both 'items' and 'images'; which of them is the library nobody can tell."
            )
    if isinstance(rows, list) and (rows or isinstance(answer, dict)):
        return rows
    if isinstance(data, dict):
        names = sorted(data)[:5] + ["…"] * (len(data) > 5)
        found = str([mask(name, 40) for name in names])
    else:
        found = "an empty list" if rows == [] else type(data).__name__
    raise ResponseFormatError(
        f"{where} answered neither 'items' nor 'images' but {found}; an unknown page is not an "
        "empty library, so nothing was taken from it."
    )


def _records(columns: dict[str, list[Any]]) -> list[ImageRecord]:
    return [
        ImageRecord(**dict(zip(columns, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]
