"""
The images of an answer, row by row, turned into columns.

The seed document and the newer OpenAPI file spell the same fields differently, and a live answer may mix them, so
every field is read in either spelling. Unknown fields are ignored. A field that cannot be read, is said twice
differently, or contradicts its other spelling is missing and is counted.
"""

from __future__ import annotations

import datetime as dt
import operator
import re
from collections.abc import Callable
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, Meta, Struct, UnsetType

from picora_analytics.client.bodies import CONFLICT, repeats
from picora_analytics.errors import ResponseFormatError

__all__ = ["Count", "Name", "Rows", "Time", "documented", "finish", "lenient", "whole"]

Bytes = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Pixels = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(min_length=1)]
# The API always answers in UTC and says so; a time without a zone would be a guess.
Time = Annotated[dt.datetime, Meta(tz=True)]

# Years outside are some program's "never" (0001, 1970, 9999); as a date it would make an image the oldest.
_YEARS = frozenset(range(1990, 2200))
# What each column of the frame is called in an answer, in the newer document and in the seed.
SPELLED = {
    "id": ("id",),
    "url": ("url",),
    "filename": ("filename",),
    "title": ("title",),
    "mime_type": ("mimeType",),
    "size_bytes": ("sizeBytes", "size"),
    "width": ("width",),
    "height": ("height",),
    "is_public": ("isPublic", "is_public"),
    "tags": ("tags",),
    "created_at": ("createdAt", "created_at"),
    "updated_at": ("updatedAt", "updated_at"),
}


# Nothing in it can point back, so no cycle: the garbage collector need not walk through a page of them.
class _Current(Struct, gc=False, forbid_unknown_fields=True):
    """An image as OpenAPI 0.7.0 has it, every field there."""

    id: Name
    url: Name
    userId: str  # noqa: N815
    filename: str | None
    title: str | None
    mimeType: str | None  # noqa: N815
    sizeBytes: Bytes | None  # noqa: N815
    width: Pixels | None
    height: Pixels | None
    isPublic: bool | None  # noqa: N815
    tags: tuple[str, ...] | None
    createdAt: Time | None  # noqa: N815
    updatedAt: Time | None  # noqa: N815


class _Seed(Struct, gc=False, forbid_unknown_fields=True):
    """An image as the seed document has it, every field there."""

    id: Name
    url: Name
    filename: str | None
    size: Bytes | None
    width: Pixels | None
    height: Pixels | None
    is_public: bool | None
    tags: tuple[str, ...] | None
    created_at: Time | None


class _Wire(Struct, gc=False):
    """An image in both spellings at once, with anything else beside them."""

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


Row = TypeVar("Row", _Current, _Seed, _Wire)


class Rows(Struct, Generic[Row], forbid_unknown_fields=True):
    """The rows of a page and what stands beside them, as documented; anything else is looked at more closely."""

    items: list[Row] | UnsetType = UNSET
    images: list[Row] | UnsetType = UNSET
    nextCursor: str | UnsetType | None = UNSET  # noqa: N815
    total: Count | UnsetType | None = UNSET
    hasMore: bool | UnsetType | None = UNSET  # noqa: N815

    def __post_init__(self) -> None:
        if (self.items is UNSET) == (self.images is UNSET):
            raise ValueError("either items or images")

    @property
    def rows(self) -> list[Any]:
        """The images, whatever they are called."""
        return self.images if self.items is UNSET else self.items  # type: ignore[return-value]


class _Envelope(Struct, Generic[Row], forbid_unknown_fields=True):
    data: Rows[Row]
    success: Literal[True] | UnsetType = UNSET  # Anything else is no success.
    error: UnsetType | None = UNSET


Reader = dict[str, tuple[Callable[[Any], Any], ...]]
_REQUIRED = ("id", "url")
_FIELDS = {
    field.name: field.type for field in msgspec.structs.fields(_Wire) if field.name not in _REQUIRED
}
_COLUMN = {name: column for column, names in SPELLED.items() for name in names}


def _reader(kind: type[Struct]) -> Reader:
    """Give for each column the fields of a kind of row that it is read from."""
    fields = {field.name for field in msgspec.structs.fields(kind)}
    return {
        column: tuple(operator.attrgetter(name) for name in names if name in fields)
        for column, names in SPELLED.items()
    }


_DOCUMENTED = tuple(
    (msgspec.json.Decoder(envelope), _reader(kind), len(msgspec.structs.fields(kind)))
    for envelope, kind in ((_Envelope[_Current], _Current), (_Envelope[_Seed], _Seed))
)
_QUOTED = re.compile(rb'\\(?:"|u0022)')
_N_CURRENT = len(msgspec.structs.fields(_Current))
_PAGES = msgspec.json.Decoder(_Envelope[_Wire])
_WIRE = _reader(_Wire)


def documented(
    body: bytes, unreadable: dict[str, int]
) -> tuple[Rows[Any], dict[str, list[Any]]] | None:
    """Decode a page that is as documented, and says nothing twice; None for any other."""
    for decoder, reader, n_fields in _DOCUMENTED:
        try:
            envelope: Any = decoder.decode(body)
        except (ValueError, RecursionError):  # A text that is not UTF-8 is a UnicodeDecodeError.
            continue
        page = envelope.data
        columns = _read(page.rows, reader)
        # All fields are known, and none is missing; of what is said twice the last was taken, so the quotes of
        # the first are more than there should be.
        n_quotes = np.count_nonzero(np.frombuffer(body, np.uint8) == ord('"'))
        once = n_quotes == 2 * (_n_texts(envelope) + _n_row_texts(columns, n_fields))
        quoted = b"\\" in body and _QUOTED.search(body) is not None
        return (page, columns) if (once and not quoted) or not repeats(body) else None
    try:
        page = _PAGES.decode(body).data
    except (ValueError, RecursionError):
        return None
    return None if repeats(body) else (page, _read(page.rows, _WIRE, unreadable))


def _n_texts(envelope: Any) -> int:
    """Count the texts of an answer that are not in a row, names included."""
    around = [envelope.success, envelope.error, *msgspec.structs.astuple(envelope.data)]
    named = sum(value is not UNSET for value in around) + 1
    return named + isinstance(envelope.data.nextCursor, str)


def _n_row_texts(columns: dict[str, list[Any]], n_fields: int) -> int:
    """Count the texts of documented rows, names included."""
    n = len(columns["id"])
    optional = ("filename", "title", "mime_type", "created_at", "updated_at")
    texts = sum(n - columns[name].count(None) for name in optional)
    tags = sum(map(len, filter(None, columns["tags"])))
    always = 3 if n_fields == _N_CURRENT else 2  # Id, address, and in the newer document the owner.
    return n * (n_fields + always) + texts + tags


def lenient(rows: list[Any], unreadable: dict[str, int], where: str) -> dict[str, list[Any]]:
    """
    Read rows field by field, and count the fields that cannot be read.

    Raises
    ------
    ResponseFormatError
        If an image lacks its id or URL.
    """
    return _read([_lenient(row, unreadable, where) for row in rows], _WIRE, unreadable)


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
            value = msgspec.convert(whole(row[name]), kind)
        except (msgspec.ValidationError, ValueError):
            bad.add(_COLUMN.get(name, name))
            continue
        if _is_text(value):
            setattr(wire, name, value)
        else:
            bad.add(_COLUMN.get(name, name))
    for name in bad:
        # What one spelling says is not believed where the other cannot be read.
        for spelled in (spelled for spelled in _FIELDS if _COLUMN.get(spelled, spelled) == name):
            setattr(wire, spelled, None)
        unreadable[name] = unreadable.get(name, 0) + 1
    return wire


def _is_text(value: Any) -> bool:
    """Whether texts have a UTF-8 form, which half a surrogate pair has not; other values have."""
    texts = value if isinstance(value, tuple) else (value,)
    return all(text.isascii() or _encodes(text) for text in texts if isinstance(text, str))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole(value: Any) -> Any:
    """Turn a whole number that is written as a float into one: 48211.0 is 48211 in JSON."""
    exact = type(value) is float and value.is_integer() and abs(value) <= 2**53
    return int(value) if exact else value


def _read(
    rows: list[Any], reader: Reader, unreadable: dict[str, int] | None = None
) -> dict[str, list[Any]]:
    """Turn rows into columns; of two spellings the one that was said, and neither where they contradict each other."""
    columns = {}
    for name, fields in reader.items():
        found = [list(map(get, rows)) for get in fields] or [[None] * len(rows)]
        if len(found) > 1:
            # One spelling is the rule, on a page and in a library.
            found = [column for column in found if column.count(None) < len(rows)] or found[:1]
        if len(found) > 1:
            found = [list(map(_either, *found))]
            for at in [at for at, value in enumerate(found[0]) if value is CONFLICT]:
                found[0][at] = None
                if unreadable is not None:
                    unreadable[name] = unreadable.get(name, 0) + 1
        columns[name] = found[0]
    return columns


def _either(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return one if one == other else CONFLICT


def finish(columns: dict[str, list[Any]], unreadable: dict[str, int]) -> dict[str, list[Any]]:
    """Drop from columns what cannot be right, and count it."""
    for name in ("created_at", "updated_at"):
        column = columns[name]
        if {time.year for time in column if time is not None} <= _YEARS:
            continue
        for at, time in enumerate(column):
            if time is not None and time.year not in _YEARS:
                column[at] = None
                unreadable[name] = unreadable.get(name, 0) + 1
    for name in ("width", "height"):
        if 0 in columns[name]:
            columns[name] = [pixels or None for pixels in columns[name]]
    return columns
