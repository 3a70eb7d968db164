"""What a page may say to the gallery; what cannot be read as one of these is answered with an error."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from picora_analytics.errors import PicoraError

__all__ = [
    "PROTOCOL",
    "Bye",
    "Decide",
    "Find",
    "Go",
    "Group",
    "Hello",
    "Look",
    "Marks",
    "Message",
    "Open",
    "Press",
    "ProtocolError",
    "Review",
    "Rows",
    "Select",
    "Sort",
    "Thumbs",
    "read",
]

PROTOCOL = 1
BLOCK = 240  # Rows of one answer.
WANTED = 240  # Pictures of one request.

Place = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class ProtocolError(PicoraError):
    """A message that no page of ours sends; an answer says so, and nothing is done."""


class _Said(msgspec.Struct, tag_field="type", kw_only=True, frozen=True):
    proto: Literal[1]
    id: Count = 0


class _OfList(_Said, kw_only=True, frozen=True):
    """It names places, which belong to one list."""

    rev: Count


class Hello(_Said, tag="hello", frozen=True):
    """A view is there."""


class Bye(_Said, tag="bye", frozen=True):
    """A view is gone."""


class Rows(_OfList, tag="rows", kw_only=True, frozen=True):
    """Asks for the cells from one place up to another, which is not included."""

    a: Place
    b: Place


class Marks(_OfList, tag="marks", kw_only=True, frozen=True):
    """Asks which images of a stretch are chosen."""

    a: Place
    b: Place


class Thumbs(_OfList, tag="thumbs", kw_only=True, frozen=True):
    """Names the pictures that are looked at now; the newest list replaces the one before."""

    places: Annotated[list[Place], msgspec.Meta(max_length=WANTED)]


class Select(_OfList, tag="sel", kw_only=True, frozen=True):
    """Changes what is chosen, by an operation: `set` and `clear` take a stretch, both ends included."""

    op: Literal["set", "clear", "toggle", "all", "none", "invert", "undo"]
    a: Place = 0
    b: Place = 0


class Open(_OfList, tag="open", kw_only=True, frozen=True):
    """Asks for everything that is known of one image."""

    place: Place


class Look(_OfList, tag="look", kw_only=True, frozen=True):
    """Names the large pictures that are looked at now."""

    places: Annotated[list[Place], msgspec.Meta(max_length=16)]


class Group(_OfList, tag="group", kw_only=True, frozen=True):
    """Asks for one group of duplicates."""

    n: Place


class Find(_Said, tag="find", kw_only=True, frozen=True):
    """Searches; an empty text ends the search."""

    text: Annotated[str, msgspec.Meta(max_length=500)]


class Sort(_Said, tag="sort", kw_only=True, frozen=True):
    """Lists in another order."""

    order: Annotated[str, msgspec.Meta(max_length=40)]


class Go(_OfList, tag="go", kw_only=True, frozen=True):
    """Asks for the place of a month, a size, a name or a number."""

    text: Annotated[str, msgspec.Meta(max_length=200)]


class Review(_Said, tag="review", frozen=True):
    """Asks to review what is chosen, which a panel around the gallery does."""


class Press(_Said, tag="press", kw_only=True, frozen=True):
    """Presses what a panel put into the head of the list or into an empty one."""

    name: Annotated[str, msgspec.Meta(max_length=40)]


class Decide(_OfList, tag="decide", kw_only=True, frozen=True):
    """Decides of one image; an empty word takes back what was decided here."""

    place: Place
    word: Literal["keep", "delete", "later", ""]


Message = (
    Decide
    | Press
    | Review
    | Go
    | Hello
    | Bye
    | Rows
    | Marks
    | Thumbs
    | Select
    | Open
    | Look
    | Group
    | Find
    | Sort
)


def read(content: Any) -> Message:
    """
    Read what a page said; it is not trusted.

    Raises
    ------
    ProtocolError
    """
    try:
        message: Message = msgspec.convert(content, Message)
    except msgspec.ValidationError as error:
        raise ProtocolError(
            f"The page sent what the gallery does not understand: {error}."
        ) from None
    if isinstance(message, Rows | Marks) and message.b - message.a > BLOCK:
        raise ProtocolError(f"The page asked for more than {BLOCK} rows at once.")
    return message
