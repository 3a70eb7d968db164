"""What a duplicate that goes hands on to the one that stays: its tags, and its title where that has none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from picora_analytics.analysis.content import contents, several
from picora_analytics.analysis.masks import TAGGED
from picora_analytics.cleanup.plan.columns import Bools, among, cells
from picora_analytics.cleanup.plan.guard import shown_literal

__all__ = ["Handed", "chosen_by", "hand_on", "inherits_frame", "unfit"]


class Handed(NamedTuple):
    """What one image hands on: tags the other lacks, and a title if the other has none."""

    tags: tuple[str, ...]
    title: str | None


def chosen_by(images: pd.DataFrame, choice: object) -> set[str]:
    """
    Give the tags by which images seem to be chosen: those of :func:`rules.tagged`, and those that all of a rule share.

    pandas keeps what a mask carries of the left one of two, so that the mask itself is asked as well. One of images
    that were chosen one by one carries nothing.
    """
    found: set[str] = set()
    for part in choice.values() if isinstance(choice, Mapping) else [choice]:
        if not isinstance(part, pd.Series) or not pd.api.types.is_bool_dtype(part.dtype):
            continue
        if "picora" not in part.attrs:
            continue
        found |= set(part.attrs.get(TAGGED, ()))
        rows = images["tags"][among(images.index, part.index[part.fillna(False).to_numpy(bool)])]
        if len(rows) > 1:
            found |= set.intersection(*({*tags} if tags else set() for tags in set(rows)))
    return found


def hand_on(
    images: pd.DataFrame, duplicates: Mapping[str, str], withheld: Collection[str]
) -> tuple[dict[str, Handed], dict[str, str]]:
    """
    Decide what each duplicate that goes hands on.

    Parameters
    ----------
    images : DataFrame
    duplicates : mapping of id to id
        Which image stays for one that goes.
    withheld : collection of str
        Tags by which images are chosen to be deleted: handed on, they would take the other with them.

    Returns
    -------
    handed : dict of id to Handed
        Of those that hand on anything.
    spared : dict of id to str
        Those that cannot be handed on from, and why.
    """
    ids = {*duplicates, *duplicates.values()}
    rows = images[among(images.index, ids)]
    facts = zip(cells(rows["is_public"]), cells(rows["tags"]), cells(rows["title"]), strict=True)
    known = dict(zip(cells(rows.index), facts, strict=True))
    handed: dict[str, Handed] = {}
    spared: dict[str, str] = {}
    for goes, stays in duplicates.items():
        (public, tags, title), (stays_public, has, named) = known[goes], known[stays]
        more = tuple(
            tag
            for tag in dict.fromkeys(tags or ())
            if tag not in withheld and tag not in (has or ())
        )
        if public and not stays_public:
            spared[goes] = (
                f"public, and its duplicate that would stay, {shown_literal(stays)}, is not"
            )
        elif more and has is None:
            spared[goes] = (
                f"its duplicate that would stay, {shown_literal(stays)}, has unknown tags"
            )
        elif more or (title and not named):
            handed[goes] = Handed(more, None if named else title or None)
    return handed, spared


def unfit(images: pd.DataFrame, proposed: Bools) -> Bools:
    """Tell which proposed images a plan would spare after all, whichever others of the same content it takes."""
    codes = contents(images)
    shared = several(codes)
    found = np.zeros(len(images), dtype=bool)
    if not shared.any():
        return found
    groups = codes[shared]

    def somewhere(rows: Bools) -> Bools:
        """Tell of each image that has duplicates whether one of its content is among some rows."""
        return np.asarray((np.bincount(groups, weights=rows[shared]) > 0)[groups])

    public = images["is_public"].fillna(False).to_numpy(dtype=bool)
    tags, rows = pd.factorize(images["tags"].to_numpy(dtype=object), use_na_sentinel=False)
    untold = np.array([not isinstance(row, tuple) for row in rows], dtype=bool)[tags]
    tagged = np.array([isinstance(row, tuple) and len(row) > 0 for row in rows], dtype=bool)[tags]
    alone = somewhere(~public & ~proposed) & ~somewhere(public & ~proposed)
    found[shared] = (public[shared] & alone) | (tagged[shared] & somewhere(untold))
    return found & proposed


def inherits_frame(duplicates: Mapping[str, str], handed: Mapping[str, Handed]) -> pd.DataFrame:
    """Make a row of each image that inherits: its id, the tags added, and its title (None: as it is)."""
    found: dict[str, Handed] = {}
    for goes, own in handed.items():
        stays = duplicates[goes]
        before = found.get(stays, Handed((), None))
        tags = tuple(dict.fromkeys((*before.tags, *own.tags)))
        found[stays] = Handed(tags, before.title or own.title)
    rows = [(stays, *own) for stays, own in found.items()]
    return pd.DataFrame(rows, columns=["id", "tags_added", "title"], dtype=object)
