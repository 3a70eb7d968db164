"""Piles of images that may go, by how little they would be missed; each image is in its first pile only."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.analysis import rules
from picora_analytics.analysis.content import contents, several
from picora_analytics.analysis.dates import now_of
from picora_analytics.analysis.decided import Standing
from picora_analytics.analysis.duplicates import keeping_order
from picora_analytics.analysis.looked import NOBODY_LOOKED, last_found, words_of
from picora_analytics.analysis.names import SCREENSHOT
from picora_analytics.analysis.question import read_pandas
from picora_analytics.library.frame import facts_of
from picora_analytics.references.found import COULD_NOT_LOOK, FOUND_BEFORE, NOT_FOUND, References

__all__ = ["OLD_DAYS", "PILES", "Pile", "Piles", "Week", "sort_into_piles"]

OLD_DAYS = 730
# What was last found in history longer ago than this may have been taken off a page for good.
_LONG_AGO = dt.timedelta(days=365)
# More than this share of the uploads within one week, of at least this many images: perhaps a move from elsewhere.
_MOVE_SHARE, _MOVE_IMAGES = 0.4, 20
_WEEK = np.timedelta64(7, "D")
Bools = npt.NDArray[np.bool_]


class Pile(NamedTuple):
    """What a pile holds: its name, why these may go, and how sure that is."""

    name: str
    why: str
    certainty: str


PILES = (
    Pile(
        "duplicates",
        "an exact duplicate of an image that stays",
        "sure: same content; each address may be in use",
    ),
    Pile(
        "never-found",
        "old, a screenshot or never tagged, and found nowhere",
        "likely: everything named was looked at, its history too",
    ),
    Pile(
        "found-before",
        "taken off the last page over a year ago",
        "likely: found in history only",
    ),
    Pile("old-not-found", "old, and found nowhere", "fair: everything named was looked at"),
    Pile("old-untagged", "old and never tagged", "nobody looked where it is used"),
    Pile("old", "old", "nobody looked where it is used; old is not unused"),
)


class Week(NamedTuple):
    """Uploads that came within one week or more, which look like a move from another host."""

    n_images: int
    first: pd.Timestamp
    last: pd.Timestamp


class Piles(NamedTuple):
    """
    Which image is in which pile, row by row.

    Attributes
    ----------
    number : array of int
        Of :data:`PILES`, -1 for none.
    moved : array of bool
        Old by its upload only, which looks like a move; for looking.
    oversized : array of bool
        In no pile, and larger than a page shows; for looking.
    unlooked : array of bool
        In no pile because not everything could be looked at.
    weeks : Week or None
    """

    number: npt.NDArray[np.int8]
    moved: Bools
    oversized: Bools
    unlooked: Bools
    weeks: Week | None


def sort_into_piles(
    images: pd.DataFrame, spared: Bools, said: Standing, references: References | None, old: float
) -> Piles:
    """
    Sort images into piles.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``, indexed by id.
    spared : array of bool
        Rows that are in no pile, such as what is protected or was edited lately.
    said : Standing
        What was decided.
    references : References or None
    old : int or float
        Days since the upload.
    """
    words = words_of(images, references)
    uploaded = read_pandas(images, ["created_at"], "summarize_candidates")["created_at"]
    burst, weeks = _burst(uploaded)
    is_old = _sure(rules.older_than(images, old))
    untagged = _sure(rules.untagged(images))
    duplicate, stays = _duplicates(images, words, said)
    free = ~spared & ~stays
    aged, looked = is_old & ~burst, words == NOT_FOUND
    alone = words == NOBODY_LOOKED
    before = words == FOUND_BEFORE
    if references is not None and before.any():
        edge = now_of(facts_of(images), None, "summarize_candidates").replace(tzinfo=None)
        before &= (last_found(images, references) < edge - _LONG_AGO).to_numpy(dtype=bool)
    piles = [
        duplicate & (looked | alone),
        aged & looked & (untagged | _screenshots(images)),
        before,
        aged & looked,
        aged & alone & untagged,
        aged & alone,
    ]
    number = np.select(piles, range(len(piles)), -1).astype(np.int8)
    number[~free] = -1
    rest = number < 0
    return Piles(
        number,
        rest & free & is_old & burst & (looked | alone),
        rest & _sure(rules.oversized(images)),
        rest & free & (words == COULD_NOT_LOOK) & is_old,
        weeks,
    )


def _sure(mask: pd.Series[Any]) -> Bools:
    return mask.fillna(False).to_numpy(dtype=bool)


def _duplicates(
    images: pd.DataFrame, words: npt.NDArray[np.object_], said: Standing
) -> tuple[Bools, Bools]:
    """Tell which rows are duplicates of one that stays, and which stay; nobody loses a public address for a private."""
    rows = read_pandas(
        images,
        ["id", "is_public", "created_at", "content_hash", "size_bytes"],
        "summarize_candidates",
    )
    codes = contents(rows)
    duplicate, stays = (np.zeros(len(rows), dtype=bool) for _ in range(2))
    repeated = np.flatnonzero(several(codes))
    if not len(repeated):
        return duplicate, stays
    order, _ = keeping_order(rows.take(repeated).reset_index(drop=True), words[repeated], said)
    order = repeated[order]
    by_content = order[np.argsort(codes[order], kind="stable")]
    begins = np.diff(codes[by_content], prepend=-1) != 0
    stays[by_content[begins]] = True
    keeper = np.full(len(rows), -1)
    keeper[by_content] = by_content[
        np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
    ]
    duplicate[repeated] = ~stays[repeated]
    public, private = _sure(rows["is_public"]), _sure(~rows["is_public"])
    duplicate &= private | public[keeper]
    paired = rows["id"].isin(set().union(*said.pairs)).to_numpy() if said.pairs else stays
    ids = rows["id"]
    for row in np.flatnonzero(duplicate & paired).tolist():
        duplicate[row] = frozenset((ids.iat[row], ids.iat[keeper[row]])) not in said.pairs
    return duplicate, stays


def _screenshots(images: pd.DataFrame) -> Bools:
    names = read_pandas(images, ["filename"], "summarize_candidates")["filename"]
    texts = pa.array(names, pa.string(), from_pandas=True)
    found = pc.match_substring_regex(texts, SCREENSHOT, ignore_case=True).fill_null(False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _burst(uploaded: pd.Series[Any]) -> tuple[Bools, Week | None]:
    """Find the uploads of any seven days that hold a large share of all."""
    burst = np.zeros(len(uploaded), dtype=bool)
    known = uploaded.notna().to_numpy(dtype=bool)
    times = np.sort(uploaded[known].to_numpy("datetime64[us]"))
    if len(times) < _MOVE_IMAGES:
        return burst, None
    ends = np.searchsorted(times, times + _WEEK)
    full = ends - np.arange(len(times)) > _MOVE_SHARE * len(uploaded)
    if not full.any():
        return burst, None
    edges = np.zeros(len(times) + 1, dtype=np.int64)
    np.add.at(edges, np.flatnonzero(full), 1)
    np.add.at(edges, ends[full], -1)
    inside = np.cumsum(edges[:-1]) > 0
    # Of equal times all are in, or none.
    wanted = np.unique(times[inside])
    burst[known] = np.isin(uploaded[known].to_numpy("datetime64[us]"), wanted)
    return burst, Week(int(burst.sum()), pd.Timestamp(wanted[0]), pd.Timestamp(wanted[-1]))
