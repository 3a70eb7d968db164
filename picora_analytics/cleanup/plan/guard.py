"""What may be done with each planned image: decisions on plain values, with no I/O and no clock."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from picora_analytics.client.shapes import ImageRecord
from picora_analytics.text import visible
from picora_analytics.units import format_bytes, format_share

__all__ = [
    "Amount",
    "Caps",
    "State",
    "Verdict",
    "drift",
    "last_copies",
    "protected_by",
    "should_stop",
    "state_of",
    "states_of",
    "verdicts",
]

# From so many tried images on, a run stops when more than this share of them failed or is unknown.
ENOUGH = 50
ERROR_SHARE = 0.05


class State(NamedTuple):
    """What must stay the same between a plan and its deletion; None is what the service does not say."""

    size_bytes: int | None
    created_at: dt.datetime | None
    updated_at: dt.datetime | None
    is_public: bool | None
    tags: tuple[str, ...] | None


_WORDS = State("size", "upload time", "update time", "visibility", "tags")  # type: ignore[arg-type]


def state_of(record: ImageRecord) -> State:
    """Give the state of an image the service described."""
    return State(*(getattr(record, name) for name in State._fields))


def states_of(images: pd.DataFrame) -> dict[str, State]:
    """Give the state of each row of a frame, by id."""
    columns = [images[name] for name in State._fields]
    return {
        str(one): State(
            None if pd.isna(size) else int(size),
            None if pd.isna(created) else created.to_pydatetime(),
            None if pd.isna(updated) else updated.to_pydatetime(),
            None if pd.isna(public) else bool(public),
            tags,
        )
        for one, size, created, updated, public, tags in zip(images.index, *columns, strict=True)
    }


def drift(old: State, new: State) -> list[str]:
    """Say what changed in an image since it was planned, old to new."""
    changes = []
    for word, before, now in zip(_WORDS, old, new, strict=True):
        if _unordered(before) != _unordered(now):
            changes.append(f"{word} {_shown(before)} → {_shown(now)}")
    return changes


def _unordered(value: Any) -> Any:
    return frozenset(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, tuple):
        return visible(", ".join(value)) or "none"
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)


def protected_by(row: tuple[str, ...] | None, tags: Collection[str]) -> str:
    """Say why protected tags keep an image; empty where they do not."""
    if not tags:
        return ""
    if row is None:
        return "unknown: its tags, and a tag is protected"
    found = set(tags).intersection(row)
    return f"protected by the tag {min(found)!r}" if found else ""


class Verdict(NamedTuple):
    """What is to be done with one image: ``delete``, ``already gone`` or ``kept``."""

    word: str
    reason: str = ""


def verdicts(
    planned: Mapping[str, State],
    now: Mapping[str, State],
    protected_tags: Collection[str],
    copies: Mapping[str, str],
) -> dict[str, Verdict]:
    """
    Decide about each planned image by what is there now.

    Parameters
    ----------
    planned : mapping of id to State
    now : mapping of id to State
        Of the planned images and their copies, as far as they are there.
    protected_tags : collection of str
        Compared with the tags of now.
    copies : mapping of id to id
        Which image stays as the copy of a planned one.
    """
    return {
        one: _verdict(old, now.get(one), protected_tags, now.get(copies.get(one, one)))
        for one, old in planned.items()
    }


def _verdict(old: State, new: State | None, tags: Collection[str], copy: State | None) -> Verdict:
    if new is None:
        return Verdict("already gone")
    changes = drift(old, new)
    reasons = [
        protected_by(new.tags, tags),
        f"changed since the plan: {'; '.join(changes)}" if changes else "",
        _without_copy(new, copy),
    ]
    said = "; ".join(filter(None, reasons))
    return Verdict("kept", said) if said else Verdict("delete")


def _without_copy(new: State, copy: State | None) -> str:
    """Say why the image that was to stay is no copy any more; its length is all that is told of its content."""
    if copy is None:
        return "the copy that was to stay is gone, so this is the last one"
    if copy.size_bytes != new.size_bytes:
        return "the copy that was to stay has another size by now, so this may be the last one"
    return ""


def last_copies(
    contents: Mapping[str, str], *, taken: Collection[str], by_rule: Collection[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """
    See to it that no rule takes all images of one content.

    Parameters
    ----------
    contents : mapping of id to content
        Of all images whose content is known; what is to stay first comes first.
    taken : collection of ids
        What the plan would take.
    by_rule : collection of ids
        Those that nobody named one by one.

    Returns
    -------
    spared : dict of id to reason
        One of each content that would else be lost.
    copies : dict of id to id
        For every other image a rule takes: the one that stays.
    """
    groups: dict[str, list[str]] = {}
    for one, content in contents.items():
        groups.setdefault(content, []).append(one)
    spared: dict[str, str] = {}
    copies: dict[str, str] = {}
    for group in groups.values():
        stays = next((one for one in group if one not in taken), None)
        if stays is None and len(group) > 1:
            stays = next((one for one in group if one in by_rule), None)
            if stays is not None:
                spared[stays] = "the last copy: the plan takes the others of the same content"
        if stays is not None:
            losing = [one for one in group if one in taken and one in by_rule and one != stays]
            copies |= dict.fromkeys(losing, stays)
    return spared, copies


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

    def breaches(self, taken: Amount, library: Amount) -> list[str]:
        """Say which caps an amount would break in a library."""
        n_images, size_bytes, n_unsized = taken
        found = []
        if self.max_images is not None and n_images > self.max_images:
            found.append(f"{n_images:,} images are more than max_images={self.max_images:,}")
        if self.max_bytes is not None:
            limit = f"max_bytes={format_bytes(self.max_bytes)}"
            if size_bytes > self.max_bytes:
                found.append(f"{format_bytes(size_bytes)} are more than {limit}")
            elif n_unsized:
                found.append(f"{n_unsized:,} images of unknown size may be more than {limit}")
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
        return found


def should_stop(outcomes: Iterable[str]) -> str:
    """Say why a run must not go on; empty where it may. `outcomes` are those of the images tried so far."""
    tried = list(outcomes)
    bad = sum(outcome in ("failed", "unknown") for outcome in tried)
    if len(tried) < ENOUGH or bad <= ERROR_SHARE * len(tried):
        return ""
    return f"{bad:,} of the {len(tried):,} images tried failed or are unknown"
