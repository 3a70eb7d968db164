"""What may be done with each planned image: decisions on plain values, with no I/O and no clock."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, Self

import pandas as pd

from picora_analytics.cleanup.plan.columns import cells
from picora_analytics.text import folded, plural, shorten
from picora_analytics.units import format_bytes, format_share

__all__ = [
    "Amount",
    "Caps",
    "ProtectedTags",
    "Refusal",
    "State",
    "Verdict",
    "drift",
    "hideable",
    "last_duplicates",
    "only_visibility",
    "paths_of",
    "should_stop",
    "shown_literal",
    "states_of",
    "verdicts",
]

# Once this many images were tried, a run stops when more than this share of them failed or is unknown.
ENOUGH = 50
ERROR_SHARE = 0.05


class State(NamedTuple):
    """What must stay the same between a plan and its deletion; None is what the service does not say."""

    filename: str | None
    url: str | None
    mime_type: str | None
    size_bytes: int | None
    width: int | None
    height: int | None
    created_at: dt.datetime | None
    updated_at: dt.datetime | None
    is_public: bool | None
    tags: tuple[str, ...] | None
    content_hash: str | None
    title: str | None = None


_NAMES = (
    *("name", "address", "type", "size", "width", "height", "upload time", "update time"),
    *("visibility", "tags", "hash", "title"),
)


def states_of(images: pd.DataFrame, *, demo: bool = False) -> dict[str, State]:
    """Give the state of each row of a frame, by id; a demo's port says nothing, so addresses lose their host."""
    # Of what stays, no title is kept: it may be handed one.
    untold = [None] * len(images)
    columns = {
        name: cells(images[name]) if name in images.columns else untold for name in State._fields
    }
    if demo:
        columns["url"] = cells(paths_of(images["url"]))
    return dict(zip(cells(images.index), map(State, *columns.values()), strict=True))


def paths_of(addresses: pd.Series[Any]) -> pd.Series[Any]:
    """Cut the scheme and the host off addresses."""
    return addresses.str.replace(r"^[a-z]+://[^/]*", "", regex=True)


def drift(old: State, new: State) -> list[str]:
    """List what changed in an image since it was planned, old to new."""
    if old == new:
        return []
    changes = []
    for name, before, now in zip(_NAMES, old, new, strict=True):
        # Only the change feed tells hashes, and not every answer titles, so not every look knows one.
        unknown = (name == "hash" and None in (before, now)) or (name == "title" and not now)
        if not unknown and _unordered(before) != _unordered(now):
            changes.append(f"{name} {_shown(before)} → {_shown(now)}")
    return changes


def _unordered(value: Any) -> Any:
    return frozenset(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, tuple):
        return shorten(", ".join(value), 60) or "none"
    return value.isoformat() if isinstance(value, dt.datetime) else shorten(value, 60)


class ProtectedTags:
    """Tags that protect, whatever their spelling: folded ones are compared, so that a near match protects too."""

    def __init__(self, tags: Collection[str]) -> None:
        self._wanted = {folded(tag): tag for tag in reversed(list(tags))}
        self._known: dict[tuple[str, ...] | None, str] = {}

    def why(self, row: tuple[str, ...] | None) -> str:
        """Explain why an image with these tags is kept; empty if it is not."""
        if not self._wanted:
            return ""
        if row not in self._known:
            self._known[row] = self._why(row)
        return self._known[row]

    def _why(self, row: tuple[str, ...] | None) -> str:
        if row is None:
            return "unknown: its tags, and a tag is protected"
        found = sorted(tag for tag in row if folded(tag) in self._wanted)
        if not found:
            return ""
        wanted = self._wanted[folded(found[0])]
        like = "" if found[0] == wanted else f", which is like {shown_literal(wanted)}"
        return f"protected by the tag {shown_literal(found[0])}{like}"


def shown_literal(text: str) -> str:
    """Quote a stranger's text for a message, bounded."""
    return repr(shorten(text, 60))


class Verdict(NamedTuple):
    """What to do with one image: ``delete``, ``already gone`` or ``kept``."""

    action: str
    reason: str = ""


def verdicts(
    planned: Mapping[str, State],
    now: Mapping[str, State],
    protected_tags: Collection[str],
    duplicates: Mapping[str, str],
    staying: Mapping[str, State] | None = None,
) -> dict[str, Verdict]:
    """
    Decide about each planned image by its current state.

    Parameters
    ----------
    planned : mapping of id to State
    now : mapping of id to State
        Of the planned images and their duplicates, as far as they still exist.
    protected_tags : collection of str
        Compared with the current tags.
    duplicates : mapping of id to id
        Which image stays as the duplicate of a planned one.
    staying : mapping of id to State, optional
        What those that stay were like when it was planned.
    """
    tags = ProtectedTags(protected_tags)
    staying = staying or {}
    return {
        image_id: _verdict(old, now.get(image_id), tags, now.get(stays), staying.get(stays))
        for image_id, old in planned.items()
        for stays in [duplicates.get(image_id, image_id)]
    }


def hideable(verdict: Verdict, now: State | None) -> Verdict:
    """Keep what is private already, or may be: it would be taken for an image of our own hiding."""
    if verdict.action != "delete" or now is None or now.is_public:
        return verdict
    return Verdict("kept", _NOT_PUBLIC[now.is_public])


_NOT_PUBLIC = {False: "private already", None: "unknown: whether it is public"}


def only_visibility(old: State, new: State) -> bool:
    """Tell whether nothing but the visibility, and the update time with it, differs."""
    return not drift(old._replace(is_public=new.is_public, updated_at=new.updated_at), new)


def _verdict(
    old: State,
    new: State | None,
    tags: ProtectedTags,
    duplicate: State | None,
    stayed: State | None,
) -> Verdict:
    if new is None:
        return Verdict("already gone")
    changes = drift(old, new)
    reasons = [
        tags.why(new.tags),
        f"changed since the plan: {'; '.join(changes)}" if changes else "",
        _without_duplicate(new, duplicate, stayed),
        _without_address(new, duplicate, stayed),
    ]
    why = "; ".join(filter(None, reasons))
    return Verdict("kept", why) if why else Verdict("delete")


def _without_duplicate(new: State, duplicate: State | None, stayed: State | None) -> str:
    """Explain why the image that was to stay is no duplicate any more, as far as a look can tell."""
    if duplicate is None:
        return "the copy that was to stay is gone, so this is the last one"
    if duplicate.size_bytes != new.size_bytes:
        return "the copy that was to stay has another size by now, so this may be the last one"
    if (duplicate.width, duplicate.height) != (new.width, new.height):
        return "the copy that was to stay has other pixels by now, so this may be the last one"
    if stayed is not None and (changes := _replaced(stayed, duplicate)):
        return f"the copy that was to stay was changed ({changes}), so this may be the last one"
    return ""


def _without_address(new: State, duplicate: State | None, stayed: State | None) -> str:
    """Explain why visitors would lose a public image: the one that was to stay for them is not public any more."""
    if duplicate is None or stayed is None or duplicate.is_public or not stayed.is_public:
        return ""
    return (
        "the copy that was to stay is not public any more, and this one is" if new.is_public else ""
    )


def _replaced(old: State, new: State) -> str:
    """List what may mean that another file is there; a new tag, name or visibility explains an update time."""
    # An older plan holds only a part of what stays.
    known = State._make(now if then is None else then for then, now in zip(old, new, strict=True))
    same = (known.filename, known.tags, known.is_public) == (new.filename, new.tags, new.is_public)
    known = known._replace(filename=new.filename, tags=new.tags, is_public=new.is_public)
    return "; ".join(drift(known if same else known._replace(updated_at=new.updated_at), new))


def last_duplicates(
    contents: Mapping[str, str], *, taken: Collection[str], by_rule: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """
    Keep rules from taking every image of one content.

    Parameters
    ----------
    contents : mapping of id to content
        Of all images whose content is known; the one to keep comes first.
    taken : collection of ids
        What the plan would take.
    by_rule : collection of ids
        Those that were not named one by one.

    Returns
    -------
    spared : dict of id to reason
        One image of each content that would otherwise be lost.
    duplicates : dict of id to id
        For every other image taken, by a rule or by name: the one that stays, if any does.
    """
    groups: dict[str, list[str]] = {}
    for image_id, content in contents.items():
        groups.setdefault(content, []).append(image_id)
    spared: dict[str, str] = {}
    duplicates: dict[str, str] = {}
    for group in groups.values():
        stays = next((image_id for image_id in group if image_id not in taken), None)
        if stays is None and len(group) > 1:
            stays = next((image_id for image_id in group if image_id in by_rule), None)
            if stays is not None:
                spared[stays] = "the last copy: the plan takes the others of the same content"
        if stays is not None:
            leaving = (image_id for image_id in group if image_id in taken)
            duplicates |= {image_id: stays for image_id in leaving if image_id != stays}
    return spared, duplicates


class Refusal(str):
    """Why a plan is not carried out, in words and by its kind: ``empty``, ``date`` or ``cap``."""

    kind: str

    def __new__(cls, kind: str, text: str) -> Self:
        """Make one of a kind."""
        made = super().__new__(cls, text)
        made.kind = kind
        return made


class Amount(NamedTuple):
    """A number of images, their bytes as far as known, and how many are of unknown size."""

    n_images: int
    size_bytes: int
    n_unsized: int = 0


@dataclasses.dataclass(frozen=True)
class Caps:
    """
    How much a plan may take at most.

    Attributes
    ----------
    max_images : int or None
    max_bytes : int or None
    max_fraction : float
        Of the library's images, and of its bytes.
    """

    max_images: int | None
    max_bytes: int | None
    max_fraction: float

    def breaches(self, taken: Amount, library: Amount) -> list[Refusal]:
        """List the caps an amount would break in a library."""
        n_images, size_bytes, n_unsized = taken
        found = []
        if self.max_images is not None and n_images > self.max_images:
            are = "is" if n_images == 1 else "are"
            found.append(
                f"{plural(n_images, 'image')} {are} more than max_images={self.max_images:,}"
            )
        if self.max_bytes is not None:
            limit = f"max_bytes={format_bytes(self.max_bytes)}"
            if size_bytes > self.max_bytes:
                found.append(f"{format_bytes(size_bytes)} are more than {limit}")
            elif n_unsized:
                found.append(
                    f"{plural(n_unsized, 'image')} of unknown size may be more than {limit}"
                )
        for part, whole, what in (
            (n_images, library.n_images, "the images"),
            (size_bytes, library.size_bytes, "the bytes"),
        ):
            # A quotient: 0.29 * 100 is less than 29.
            if part and (not whole or part / whole > self.max_fraction):
                found.append(
                    f"{format_share(part, whole)} of {what} are more than "
                    f"max_fraction={self.max_fraction:g}"
                )
        return [Refusal("cap", text) for text in found]


def should_stop(outcomes: Iterable[str]) -> str:
    """Explain why a run must stop; empty if it may go on. `outcomes` are those of the images tried so far."""
    tried = list(outcomes)
    bad = sum(outcome in ("failed", "unknown") for outcome in tried)
    if len(tried) < ENOUGH or bad <= ERROR_SHARE * len(tried):
        return ""
    return f"{bad:,} of the {len(tried):,} images tried failed or are unknown"
