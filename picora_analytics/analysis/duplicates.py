"""Which images are the same picture, and which of them should stay."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.analysis.content import Ints, contents, several
from picora_analytics.analysis.decided import Decisions, Standing, standing
from picora_analytics.analysis.looked import words_of
from picora_analytics.analysis.question import read_pandas
from picora_analytics.library.frame import STR
from picora_analytics.references.found import FOUND, FOUND_BEFORE, References

__all__ = ["alikes", "group_duplicates", "keeping_order"]

_READ = ["id", "size_bytes", "width", "height", "mime_type", "is_public", "created_at"]
_ALIKE = ["size_bytes", "width", "height", "mime_type"]
# Why one image of a group stays rather than the next one: the first in which they differ.
_REASONS = ("referenced", "you decided to keep it", "public", "the oldest upload", "first by id")


def keeping_order(
    rows: pd.DataFrame, words: npt.NDArray[np.object_], said: Standing
) -> tuple[Ints, pd.DataFrame]:
    """
    Give the rows with those first that should rather stay, and the keys that say so, smallest first.

    Parameters
    ----------
    rows : DataFrame
        ``id``, ``is_public`` and ``created_at``, by row number.
    words : array of str
        What a search for references says of each.
    said : Standing
    """
    kept = [one for one, word in said.of.items() if word != "delete"]
    unwanted = [one for one, word in said.of.items() if word == "delete"]
    ids = rows["id"]
    uploaded = rows["created_at"].to_numpy("datetime64[us]").astype("int64")
    keys = pd.DataFrame(
        {
            "referenced": np.select([words == FOUND, words == FOUND_BEFORE], [0, 1], 2),
            "decided": np.select([ids.isin(kept), ids.isin(unwanted)], [0, 2], 1),
            "public": ~rows["is_public"].fillna(False).to_numpy(dtype=bool),
            "created_at": np.where(rows["created_at"].isna(), np.iinfo("int64").max, uploaded),
        }
    )
    by_id = np.argsort(ids.to_numpy(dtype=object), kind="stable")
    keys["id"] = 0
    keys.loc[by_id, "id"] = np.arange(len(rows))
    order = np.lexsort(keys[keys.columns[::-1]].to_numpy(dtype=np.int64).T)
    return np.asarray(order, dtype=np.int64), keys


def group_duplicates(
    images: pd.DataFrame,
    *,
    hashes: pd.Series[Any],
    references: References | None = None,
    decisions: Decisions | None = None,
) -> pd.DataFrame:
    """
    Group images that are, or may be, the same picture; :func:`find_duplicates` documents the answer.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
    hashes : Series of str
        The content of each image, row by row.
    references : References, optional
    decisions : path or DataFrame, optional
    """
    rows = read_pandas(images, _READ, "find_duplicates")
    codes = contents(rows, hashes)
    said = standing(images, decisions)
    words = words_of(images, references)
    order, keys = keeping_order(rows, words, said)
    parts = [
        _table(kind, *_parted(_groups(own, order), own, rows["id"], said), rows, keys, words)
        for kind, own in (("exact", codes), ("likely", alikes(rows, codes)))
    ]
    table = pd.concat(parts, ignore_index=True)
    n_exact = parts[0]["group"].max() + 1 if len(parts[0]) else 0
    table.loc[table["kind"] == "likely", "group"] += n_exact
    table = table.astype({"group": "int64", "id": STR, "kind": STR, "kept": "boolean", "why": STR})
    table.attrs["n_unknown"] = int((codes < 0).sum())
    return table


def alikes(rows: pd.DataFrame, codes: Ints) -> Ints:
    """Number what is alike in size, pixels and type, -1 where content tells more, or too little is known."""
    known = rows[_ALIKE].notna().all(axis="columns").to_numpy(dtype=bool)
    alike = np.full(len(rows), -1, dtype=np.int64)
    # Few sizes occur twice: grouping by four columns is for those that do.
    known = known & rows["size_bytes"].duplicated(keep=False).to_numpy()
    if not known.any():
        return alike
    alike[known] = rows.loc[known].groupby(_ALIKE, sort=False).ngroup().to_numpy()
    # Images of which both contents are known have their answer; one of them may be like those of unknown content.
    counts = np.bincount(codes[codes >= 0], minlength=int(codes.max(initial=-1)) + 1)
    hashed = known & (codes >= 0)
    n_contents = np.bincount(alike[hashed], minlength=int(alike.max(initial=-1)) + 1)
    single = hashed.copy()
    single[hashed] = (n_contents[alike[hashed]] == 1) & (counts[codes[hashed]] == 1)
    alike[hashed & ~single] = -1
    return alike


def _groups(codes: Ints, order: Ints) -> Ints:
    """Give the rows that share a code, group after group, and in each those first that should rather stay."""
    grouped = order[several(codes)[order]]
    return grouped[np.argsort(codes[grouped], kind="stable")]


def _parted(flat: Ints, codes: Ints, ids: pd.Series[Any], said: Standing) -> tuple[Ints, Ints]:
    """
    Give rows and the number of their group, taking apart what somebody said are no duplicates.

    Of each group, none may be said to be no duplicate of the image that stays.
    """
    numbers = codes[flat]
    if not said.pairs or not len(flat):
        return flat, numbers
    paired = ids.isin(set().union(*said.pairs)).to_numpy()
    touched = np.isin(numbers, numbers[paired[flat]])
    parts, labels, label = [flat[~touched]], [numbers[~touched]], int(codes.max()) + 1
    for number in np.unique(numbers[touched]):
        rest: list[int] = flat[numbers == number].tolist()
        while len(rest) > 1:
            stays = ids.iat[rest[0]]
            apart = [row for row in rest[1:] if frozenset((stays, ids.iat[row])) in said.pairs]
            own = [row for row in rest if row not in apart]
            if len(own) > 1:
                parts.append(np.array(own, dtype=np.int64))
                labels.append(np.full(len(own), label, dtype=np.int64))
                label += 1
            rest = apart
    return np.concatenate(parts), np.concatenate(labels)


def _table(
    kind: str,
    flat: Ints,
    numbers: Ints,
    rows: pd.DataFrame,
    keys: pd.DataFrame,
    words: npt.NDArray[np.object_],
) -> pd.DataFrame:
    """Make a row of each image, the groups that waste most first."""
    if not len(flat):
        return pd.DataFrame(columns=["group", "id", "kind", "kept", "why"], dtype=object)
    sizes = rows["size_bytes"].fillna(0).to_numpy(dtype=np.float64)
    starts = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    lengths = np.diff(starts, append=len(flat))
    waste = np.add.reduceat(sizes[flat], starts) - sizes[flat[starts]]
    by_waste = np.lexsort((keys["id"].to_numpy()[flat[starts]], -waste))
    places = np.empty_like(by_waste)
    places[by_waste] = np.arange(len(by_waste))
    groups = np.repeat(places, lengths)
    kept = np.zeros(len(flat), dtype=bool)
    kept[starts] = True
    in_order = np.argsort(groups, kind="stable")
    flat, kept, groups = flat[in_order], kept[in_order], groups[in_order]
    first = np.flatnonzero(kept)
    ids = rows["id"].to_numpy(dtype=object)
    stays = ids[flat[first]][groups]
    why = np.array(_why(kind, stays, words[flat]), dtype=object)
    values = keys.to_numpy(dtype=np.int64)
    differs = (values[flat[first]] != values[flat[first + 1]]).argmax(axis=1)
    why[kept] = np.array([f"stays: {reason}" for reason in _REASONS], dtype=object)[differs]
    return pd.DataFrame({"group": groups, "id": ids[flat], "kind": kind, "kept": kept, "why": why})


def _why(kind: str, stays: npt.NDArray[np.object_], words: npt.NDArray[np.object_]) -> list[str]:
    """Say of each image whose duplicate it is."""
    alike = (
        "same content as"
        if kind == "exact"
        else "same number of bytes, same pixels and type; look at both:"
    )
    return [
        f"{alike} {one}{'; referenced as well' if word == FOUND else ''}"
        for one, word in zip(stays.tolist(), words.tolist(), strict=True)
    ]
