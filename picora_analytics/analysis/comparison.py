"""What changed between two frames of one library."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd

from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import COLUMNS, facts_of
from picora_analytics.text import visible
from picora_analytics.units import format_bytes

__all__ = ["SnapshotDiff", "compare_snapshots"]

# An address moves with the service, and only a change feed tells a hash: neither is an edit.
_COMPARED = [name for name in COLUMNS if name not in ("url", "content_hash", "updated_at")]


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SnapshotDiff:
    """
    What changed between two frames, matched by id.

    Attributes
    ----------
    added, removed : DataFrame
        Rows of the new and of the old frame.
    changed : DataFrame
        Rows of the new frame with ``columns``: a tuple of the names that differ.
    replaced : DataFrame of shape (n, 2)
        ``old_id`` and ``new_id`` where a removed and an added image share file name, size and pixels: probably
        the same picture uploaded again.
    net_bytes : int
        Bytes of the new frame less those of the old one, as far as sizes are known.
    """

    added: pd.DataFrame
    removed: pd.DataFrame
    changed: pd.DataFrame
    replaced: pd.DataFrame
    net_bytes: int

    def __bool__(self) -> bool:
        return bool(len(self.added) or len(self.removed) or len(self.changed))

    def __repr__(self) -> str:
        sign = "+" if self.net_bytes > 0 else ""
        lines = [
            f"{len(self.added):,} added, {len(self.removed):,} removed, {len(self.changed):,} changed, "
            f"{len(self.replaced):,} replaced, {sign}{format_bytes(self.net_bytes)}"
        ]
        for word, rows in (
            ("added", self.added),
            ("removed", self.removed),
            ("changed", self.changed),
        ):
            for one, row in rows.head(5).iterrows():
                what = f"  ({', '.join(row['columns'])})" if word == "changed" else ""
                name = "" if pd.isna(row["filename"]) else visible(row["filename"])
                lines.append(f"  {word:<8} {visible(one)}  {name}{what}")
            if len(rows) > 5:
                lines.append(f"  {word:<8} and {len(rows) - 5:,} more")
        return "\n".join(lines)


def compare_snapshots(old: pd.DataFrame, new: pd.DataFrame) -> SnapshotDiff:
    """
    Compare two frames of the same library.

    Parameters
    ----------
    old, new : DataFrame
        As :func:`load_images` or :meth:`SnapshotStore.load` made them.

    Returns
    -------
    SnapshotDiff

    Raises
    ------
    SchemaError
        If one of them is partial, of a tag only, or of another account: what is missing would look removed.

    Examples
    --------
    >>> old = make_images(size_bytes=[700, 300])
    >>> new = make_images(id=["b", "c"], size_bytes=[300, 50], tags=[("kept",), ()])
    >>> difference = compare_snapshots(old, new)
    >>> list(difference.added.index), list(difference.removed.index), difference.net_bytes
    (['c'], ['a'], -650)
    >>> difference.changed["columns"].to_dict()
    {'b': ('tags',)}
    """
    _check_comparable(old, new)
    added = new[~new.index.isin(old.index)]
    removed = old[~old.index.isin(new.index)]
    both = new.index[new.index.isin(old.index)]
    differs = pd.DataFrame(
        {name: _differs(old.loc[both, name], new.loc[both, name]) for name in _COMPARED}, index=both
    )
    touched = differs.any(axis="columns")
    names = [tuple(differs.columns[row]) for row in differs[touched].to_numpy(dtype=bool)]
    rows = new.loc[both[touched]]
    return SnapshotDiff(
        added=added,
        removed=removed,
        changed=rows.assign(columns=pd.Series(names, rows.index, dtype=object)),
        replaced=_replaced(removed, added),
        net_bytes=int(new["size_bytes"].sum()) - int(old["size_bytes"].sum()),
    )


def _check_comparable(old: pd.DataFrame, new: pd.DataFrame) -> None:
    facts = []
    for name, frame in (("old", old), ("new", new)):
        found = facts_of(frame)
        if found is None or frame.index.name != "id":
            raise SchemaError(
                f"{name} does not say which library it is; pass a frame that load_images made."
            )
        if (
            found["status"] != "complete"
            or found["scope"] != "library"
            or len(frame) != found["n_images"]
        ):
            raise SchemaError(
                f"{name} is not a whole library ({len(frame)} of {found['n_images']} rows, {found['scope']}, "
                f"{found['status']}); what it lacks would look removed."
            )
        facts.append(found)
    if facts[0]["account"] != facts[1]["account"]:
        raise SchemaError(
            f"old is of account {facts[0]['account'][:8]} and new of {facts[1]['account'][:8]}; "
            "compare two frames of one library."
        )


def _differs(old: pd.Series[Any], new: pd.Series[Any]) -> Any:
    if old.name == "tags":
        return [
            (one is None) != (other is None) or (one is not None and set(one) != set(other))
            for one, other in zip(old, new, strict=True)
        ]
    same = (old == new).fillna(False).to_numpy(dtype=bool)
    return ~(same | (old.isna() & new.isna()).to_numpy(dtype=bool))


def _replaced(removed: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    keys = ["filename", "size_bytes", "width", "height"]
    before, after = (
        rows[rows["filename"].notna() & rows["size_bytes"].notna()]
        .reset_index()[["id", *keys]]
        .drop_duplicates(keys)
        for rows in (removed, added)
    )
    pairs = before.merge(after, on=keys, suffixes=("_old", "_new"))
    return pd.DataFrame({"old_id": pairs["id_old"], "new_id": pairs["id_new"]})
