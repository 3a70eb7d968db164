"""
Picora's answers decoded: both wire shapes in, one record out.

The seed document and the newer OpenAPI file spell the same fields differently, and a live answer
may mix them, so every field is read in either spelling on every page. Unknown fields are ignored.
A field that cannot be read is missing and is counted; only `id` and `url` are required.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from picora_analytics.client.bodies import data_of, decode_answer, decode_data, refuse_repeated
from picora_analytics.errors import ResponseFormatError

__all__ = [
    "ImageRecord",
    "Listing",
    "Page",
    "decode_image",
    "decode_listing",
    "decode_page",
]

Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Pixels = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1)]
# The API always answers in UTC and says so; a time without a zone would be a guess.
Time = Annotated[dt.datetime, Meta(tz=True)]


# Years outside are some program's "never" (0001, 1970, 9999); as a date it would make an image the oldest.
YEARS = range(1990, 2200)


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


# Nothing in it can point back, so no cycle: the garbage collector need not walk through a page of them.
class _Wire(Struct, gc=False):
    """An image in both spellings at once (the sheet of differences: seed, OpenAPI 0.7.0)."""

    id: Name
    url: Name
    filename: str | None = None
    title: str | None = None
    mimeType: str | None = None  # noqa: N815
    sizeBytes: Bytes | None = None  # noqa: N815
    size: Bytes | None = None
    width: Pixels | None = None
    height: Pixels | None = None
    isPublic: bool | None = None  # noqa: N815
    is_public: bool | None = None
    tags: tuple[str, ...] | None = None
    createdAt: Time | None = None  # noqa: N815
    created_at: Time | None = None
    updatedAt: Time | None = None  # noqa: N815
    updated_at: Time | None = None


class _Elsewhere(Struct, kw_only=True):
    """Where other APIs tell of further pages."""

    next_cursor: Any = UNSET
    has_more: Any = UNSET
    pagination: Any = UNSET
    meta: Any = UNSET
    page: Any = UNSET

    def is_silent(self) -> bool:
        return (
            self.next_cursor is UNSET
            and self.has_more is UNSET
            and self.pagination is UNSET
            and self.meta is UNSET
            and self.page is UNSET
        )


class _Listing(_Elsewhere):
    items: list[_Wire] | UnsetType = UNSET
    images: list[_Wire] | UnsetType = UNSET
    nextCursor: str | None = None  # noqa: N815
    total: Count | None = None
    hasMore: bool | None = None  # noqa: N815


class _Envelope(_Elsewhere):
    data: _Listing
    success: bool | None = None
    nextCursor: Any = UNSET  # noqa: N815
    hasMore: Any = UNSET  # noqa: N815

    def is_plain(self) -> bool:
        """Tell whether what it says of further pages stands where the documents have it, and once."""
        one = (self.data.items is UNSET) != (self.data.images is UNSET)
        around = self.nextCursor is UNSET and self.hasMore is UNSET and self.is_silent()
        return one and around and self.data.is_silent() and self.success is not False


_PAGES = msgspec.json.Decoder(_Envelope)
_REQUIRED = ("id", "url")
_FIELDS = {
    field.name: field.type for field in msgspec.structs.fields(_Wire) if field.name not in _REQUIRED
}
# What a field is called in the frame, for the count of unreadable ones.
_COLUMN = {
    "mimeType": "mime_type",
    "sizeBytes": "size_bytes",
    "size": "size_bytes",
    "isPublic": "is_public",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}


def decode_page(body: bytes, *, server_time: dt.datetime, where: str) -> Page:
    """
    Decode one page of ``GET /v1/images`` to records; see :func:`decode_listing`.

    Raises
    ------
    ResponseFormatError
        If it is no listing.
    """
    listing = decode_listing(body, server_time=server_time, where=where)
    return Page(
        images=_records(listing.columns),
        next_cursor=listing.next_cursor,
        total=listing.total,
        unreadable=listing.unreadable,
        server_time=server_time,
    )


def decode_listing(body: bytes, *, server_time: dt.datetime, where: str) -> Listing:
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

    Raises
    ------
    ResponseFormatError
        If it is not JSON, has neither ``items`` nor ``images``, or an image lacks its id or URL.
        An unknown page is never an empty library.
    """
    unreadable: dict[str, int] = {}
    try:  # The usual case: the whole page is valid.
        envelope = _PAGES.decode(body)
        if not envelope.is_plain():
            raise msgspec.ValidationError
        listing = envelope.data
        rows: list[Any] = listing.images if listing.items is UNSET else listing.items  # type: ignore[assignment]
        rows_key = b'"images"' if listing.items is UNSET else b'"items"'
        refuse_repeated(body, (rows_key, b'"nextCursor"'), where=where)
        next_cursor, total, more = listing.nextCursor, listing.total, listing.hasMore
    except (msgspec.DecodeError, RecursionError):  # Not as documented somewhere: field by field.
        answer = decode_answer(body, where=where)
        data = data_of(answer)
        refuse_repeated(body, (b'"items"', b'"images"', b'"nextCursor"'), where=where)
        rows = [_lenient(row, unreadable, where) for row in _rows(data, where)]
        places = _places(answer, data)
        next_cursor = _next_cursor(places, where)
        more = any(
            place.get(name) not in (None, False) and str(place[name]).lower() != "false"
            for place in places
            for name in ("hasMore", "has_more")
        )
        totals = [place["total"] for place in places if place.get("total") is not None]
        try:
            total = msgspec.convert(totals[0] if totals else None, Count | None, strict=False)
        except msgspec.ValidationError:
            unreadable["total"] = unreadable.get("total", 0) + 1
            total = None
    return Listing(
        columns=_columns(rows, unreadable),
        next_cursor=next_cursor or None,  # An empty string is the first page again.
        total=total,
        has_more=bool(more),
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
    wire = _lenient(decode_data(body, where=where), {}, where)
    return _records(_columns([wire], {}))[0]


def _places(answer: Any, data: Any) -> list[dict[str, Any]]:
    """Give the places where further pages may be told of: beside the rows, around them, and in a part of their own."""
    beside = [place for place in (data, answer) if isinstance(place, dict)]
    parts = [place.get(name) for place in beside for name in ("pagination", "meta", "page")]
    return beside + [part for part in parts if isinstance(part, dict)]


def _next_cursor(places: list[dict[str, Any]], where: str) -> str | None:
    names = ("nextCursor", "next_cursor")
    # An empty string is the first page again.
    told = [place[name] for place in places for name in names if place.get(name) not in (None, "")]
    if any(not isinstance(cursor, str) for cursor in told):
        kind = next(type(cursor).__name__ for cursor in told if not isinstance(cursor, str))
        raise ResponseFormatError(
            f"{where}: nextCursor is {kind}, not text; the rest of the library cannot be asked for."
        )
    if len(set(told)) > 1:
        raise ResponseFormatError(
            f"{where} told of two different next pages; where the library goes on nobody can tell."
        )
    return told[0] if told else None


def _rows(data: Any, where: str) -> list[Any]:
    rows = data
    if isinstance(data, dict):
        rows = data.get("images") if data.get("items") is None else data["items"]
        if data.get("images") not in (None, rows):
            raise ResponseFormatError(
                f"{where} answered both 'items' and 'images'; which of them is the library nobody can tell."
            )
    if isinstance(rows, list):
        return rows
    found = sorted(data) if isinstance(data, dict) else type(data).__name__
    raise ResponseFormatError(
        f"{where} answered neither 'items' nor 'images' but {found}; an unknown page is not an "
        "empty library, so nothing was taken from it."
    )


def _lenient(row: Any, unreadable: dict[str, int], where: str) -> _Wire:
    if not isinstance(row, dict) or not all(
        isinstance(row.get(name), str) and row[name] and _is_text(row[name]) for name in _REQUIRED
    ):
        raise ResponseFormatError(
            f"{where} answered an image without an id or a URL; it cannot be told from others, so "
            "the page was not taken."
        )
    wire = _Wire(row["id"], row["url"])
    bad: set[str] = set()
    for name, kind in _FIELDS.items():
        if row.get(name) is None:
            continue
        try:
            value = msgspec.convert(row[name], kind)
        except msgspec.ValidationError:
            bad.add(_COLUMN.get(name, name))
            continue
        if _is_text(value):
            setattr(wire, name, value)
        else:
            bad.add(_COLUMN.get(name, name))
    for name in bad:
        unreadable[name] = unreadable.get(name, 0) + 1
    return wire


def _is_text(value: Any) -> bool:
    """Tell whether texts have a UTF-8 form, which half a surrogate pair has not; other values have."""
    texts = value if isinstance(value, tuple) else (value,)
    return all(text.isascii() or _encodes(text) for text in texts if isinstance(text, str))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _columns(rows: list[_Wire], unreadable: dict[str, int]) -> dict[str, list[Any]]:
    """Turn rows into columns, of two spellings of a field the one that was said."""
    times = {
        "created_at": [row.createdAt or row.created_at for row in rows],
        "updated_at": [row.updatedAt or row.updated_at for row in rows],
    }
    for name, column in times.items():
        for at, time in enumerate(column):
            if time is not None and time.year not in YEARS:
                column[at] = None
                unreadable[name] = unreadable.get(name, 0) + 1
    return {
        "id": [row.id for row in rows],
        "url": [row.url for row in rows],
        "filename": [row.filename for row in rows],
        "title": [row.title for row in rows],
        "mime_type": [row.mimeType for row in rows],
        "size_bytes": [row.size if row.sizeBytes is None else row.sizeBytes for row in rows],
        "width": [row.width or None for row in rows],
        "height": [row.height or None for row in rows],
        "is_public": [row.is_public if row.isPublic is None else row.isPublic for row in rows],
        "tags": [row.tags for row in rows],
        **times,
    }


def _records(columns: dict[str, list[Any]]) -> list[ImageRecord]:
    return [
        ImageRecord(**dict(zip(columns, row, strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]
