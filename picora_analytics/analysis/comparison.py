"""What changed between two frames of one library."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup, escape

from picora_analytics.analysis.everyday import check_pandas
from picora_analytics.analysis.question import read_pandas
from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import (
    COLUMNS,
    Facts,
    facts_of,
    spelled_one_way,
    sums_dtype,
    total_bytes,
)
from picora_analytics.text import shorten, visible
from picora_analytics.units import format_bytes

__all__ = ["SnapshotDiff", "compare_snapshots"]

Mask = npt.NDArray[np.bool_]

# An address moves with the service, and only a change feed tells a hash: neither is an edit.
_COMPARED = [name for name in COLUMNS if name not in ("url", "content_hash", "updated_at")]
# In the summary: rows of each kind, and columns of a name.
_SHOWN, _NAME = 5, 40
_HALF = 2**32


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SnapshotDiff:
    """
    What changed between two frames, matched by id; true if anything was added, removed or changed.

    Attributes
    ----------
    added, removed : DataFrame
        Rows of the new and of the old frame.
    changed : DataFrame
        Rows of the new frame with ``columns``: a tuple of the names that differ. A new address alone is
        no change.
    replaced : DataFrame of shape (n, 3)
        ``old_id``, ``new_id`` and ``evidence`` of removed images whose content was added under a new id:
        ``"same content"`` where both hashes are known, else ``"same name, size and pixels"``. These count
        under added and removed as well.
    by_tag, by_format : DataFrame of shape (n, 4)
        ``tag`` or ``mime_type`` (missing where unknown), ``n_added``, ``n_removed``, and ``net_bytes``: the
        bytes under it now minus those before, edits and new tags included; the largest change first. An
        image with three tags counts under each of the three.
    net_bytes : int
        Bytes of the new frame minus those of the old one, as far as sizes are known.
    since, until : str
        When the old and the new library were read, by the service's clock.
    """

    added: pd.DataFrame
    removed: pd.DataFrame
    changed: pd.DataFrame
    replaced: pd.DataFrame
    by_tag: pd.DataFrame
    by_format: pd.DataFrame
    net_bytes: int
    since: str
    until: str

    def __bool__(self) -> bool:
        return bool(len(self.added) or len(self.removed) or len(self.changed))

    def __repr__(self) -> str:
        facts = self._shown()
        lines = [facts["headline"], facts["when"]]
        lines += [
            f"  {status:<8} {row}" for status, rows in facts["rows"] for row in map("  ".join, rows)
        ]
        lines += [f"  {facts['most']}"] if facts["most"] else []
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        facts = self._shown()
        head = [Markup("<strong>{}</strong>").format(facts["headline"])]
        head += [escape(line) for line in (facts["when"], facts["most"]) if line]
        cell = Markup("<td style='text-align: left'><bdi>{}</bdi></td>")
        rows = [
            Markup("<tr>{}</tr>").format(Markup("").join(map(cell.format, [status, *texts])))
            for status, samples in facts["rows"]
            for texts in samples
        ]
        page = Markup("<div>{}<table><tbody>{}</tbody></table></div>")
        return str(page.format(Markup("<br>").join(head), Markup("").join(rows)))

    def _shown(self) -> dict[str, Any]:
        """Work out what both summaries say, with strangers' text made visible."""
        parts = {"added": self.added, "removed": self.removed, "changed": self.changed}
        counts = [f"{len(rows):,} {status}" for status, rows in parts.items()]
        counts.append(f"{len(self.replaced):,} replaced")
        return {
            "headline": f"{', '.join(counts)}, {_signed(self.net_bytes)}",
            "when": f"between {_minute(self.since)} and {_minute(self.until)} UTC",
            "rows": [(status, _sample(rows)) for status, rows in parts.items() if len(rows)],
            "most": self._most(),
        }

    def _most(self) -> str:
        tops = [
            f"{label} {shorten(counts.iloc[0, 0], _NAME)} {_signed(counts['net_bytes'].iloc[0])}"
            for label, counts in (("tag", self.by_tag), ("type", self.by_format))
            if len(counts) and counts["net_bytes"].iloc[0]
        ]
        return f"mostly {', '.join(tops)}" if tops else ""


def compare_snapshots(old: pd.DataFrame, new: pd.DataFrame) -> SnapshotDiff:
    """
    Compare two frames of the same library.

    Parameters
    ----------
    old, new : DataFrame
        As made by :func:`load_images` or :meth:`SnapshotStore.load`: both whole libraries, or both of the
        same tag.

    Returns
    -------
    SnapshotDiff

    Raises
    ------
    SchemaError
        If one of them is only a part, lacks a column or repeats an id, or they are of different accounts or
        tags: what is missing would look removed.
    TypeError
        If they are not of pandas; ``summarize_changes`` takes frames of other engines.

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
    for frame in (old, new):
        check_pandas(frame, "compare_snapshots")
    before, after = comparable(old, new)
    came, went = came_and_went(old, new)
    added, removed = new[came], old[went]
    second = new[~came]
    first = old.iloc[old.index.get_indexer(second.index)]
    names, rows = _changes(first, second)
    parts = [(added, "n_added", 1), (removed, "n_removed", -1)]
    parts += [(second[rows], "", 1), (first[rows], "", -1)]  # Counted by their bytes alone.
    changed = second[rows]
    return SnapshotDiff(
        added=added,
        removed=removed,
        changed=changed.assign(columns=pd.Series(names, changed.index, dtype=object)),
        replaced=_replaced(removed, added),
        by_tag=_net(parts, "tags", "tag"),
        by_format=_net(parts, "mime_type", "mime_type"),
        net_bytes=total_bytes(new["size_bytes"]) - total_bytes(old["size_bytes"]),
        since=before["loaded_at"],
        until=after["loaded_at"],
    )


def comparable(
    old: pd.DataFrame, new: pd.DataFrame, names: tuple[str, str] = ("old", "new")
) -> tuple[Facts, Facts]:
    """
    Give the facts of two frames of one library; `names` are the arguments that a message speaks of.

    Raises
    ------
    SchemaError
        If they cannot be compared.
    """
    one, other = (_facts(frame, name) for frame, name in zip((old, new), names, strict=True))
    parts = [
        f"{name} holds {len(frame):,} of {facts['n_images']:,} rows ({visible(facts['status'])})"
        for name, frame, facts in zip(names, (old, new), (one, other), strict=True)
        if facts["status"] != "complete" or len(frame) != facts["n_images"]
    ]
    if parts:
        raise SchemaError(
            f"Only whole libraries are compared: {' and '.join(parts)}; what it lacks would look removed."
        )
    if one["account"] != other["account"]:
        raise SchemaError(
            f"{names[0]} is of account {one['account'][:8]} and {names[1]} of {other['account'][:8]}; "
            "compare two frames of one library."
        )
    if one["scope"] != other["scope"]:
        raise SchemaError(
            f"{names[0]} is of {visible(one['scope'])} and {names[1]} of {visible(other['scope'])}: one of them is "
            "not the same whole, and what it lacks would look removed."
        )
    return one, other


def _facts(frame: pd.DataFrame, name: str) -> Facts:
    facts = facts_of(frame)
    if facts is None or frame.index.name != "id":
        raise SchemaError(
            f"{name} does not say which library it is; pass a frame that load_images made."
        )
    missing = [column for column in (*_COMPARED, "content_hash") if column not in frame.columns]
    if missing:
        raise SchemaError(
            f"{name} lacks the columns {missing}; pass a frame that load_images made."
        )
    if not frame.index.is_unique:
        again = frame.index[frame.index.duplicated()][0]
        raise SchemaError(
            f"{name} holds {shorten(again, _NAME)} more than once; pass a frame with each image once."
        )
    return facts


def came_and_went(old: pd.DataFrame, new: pd.DataFrame) -> tuple[Mask, Mask]:
    """Tell which rows of `new` are not in `old`, and which of `old` are not in `new`."""
    places = old.index.get_indexer(new.index)  # Index.isin makes one scalar per id (pandas 3.1).
    went = np.ones(len(old), dtype=bool)
    went[places[places >= 0]] = False
    return places < 0, went


def _changes(old: pd.DataFrame, new: pd.DataFrame) -> tuple[list[tuple[str, ...]], Mask]:
    """Name the columns that differ in each row that changed, and tell which rows those are."""
    plain = [name for name in _COMPARED if name != "tags"]
    first, second = (read_pandas(frame, plain, "compare_snapshots") for frame in (old, new))
    differs: dict[str, Mask] = {}
    for name in _COMPARED:
        if name == "tags":
            differs[name] = _tags_differ(*(f[name].to_numpy(dtype=object) for f in (old, new)))
        else:
            same = (first[name] == second[name]).fillna(False).to_numpy(dtype=bool)
            missing = first[name].isna() & second[name].isna()
            differs[name] = ~(same | missing.to_numpy(dtype=bool))
    rows: Mask = np.logical_or.reduce(list(differs.values()))
    touched = np.column_stack([column[rows] for column in differs.values()]).tolist()
    names = [tuple(itertools.compress(_COMPARED, row)) for row in touched]
    return names, rows


def _tags_differ(old: Any, new: Any) -> Mask:
    """Compare rows of tags as sets; rows with equal tags share one set, and most need none."""
    try:
        codes, different = pd.factorize(np.concatenate([old, new]), use_na_sentinel=False)
    except TypeError:  # Arrays, as plain pandas reads them from Parquet, have no hash.
        pairs = zip(old, new, strict=True)
        return np.array(
            [_tag_set(before) != _tag_set(after) for before, after in pairs], dtype=bool
        )
    sets = [_tag_set(tags) for tags in different]
    before, after = codes[: len(old)], codes[len(old) :]
    differ: Mask = before != after
    for row in np.flatnonzero(differ).tolist():
        differ[row] = sets[before[row]] != sets[after[row]]
    return differ


def _tag_set(tags: Any) -> set[str] | None:
    return set(tags) if pd.api.types.is_list_like(tags) else None


def _replaced(removed: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    """Pair removed and added images of the same content, each at most once."""
    removed, added = (
        rows.assign(content_hash=spelled_one_way(rows["content_hash"])) for rows in (removed, added)
    )
    sure = _pairs(removed, added, ["content_hash"])
    sure = sure[~_of_two_sizes(removed.loc[sure["old_id"]], added.loc[sure["new_id"]])]
    rest = removed.drop(sure["old_id"]), added.drop(sure["new_id"])
    likely = _pairs(*rest, ["filename", "size_bytes"], ["width", "height"])
    # Two known hashes that differ are two files, whatever they are called.
    hashes = (
        removed["content_hash"].loc[likely["old_id"]],
        added["content_hash"].loc[likely["new_id"]],
    )
    differ = hashes[0].notna().to_numpy() & hashes[1].notna().to_numpy()
    likely = likely[~differ]
    return pd.concat(
        [
            sure.assign(evidence="same content"),
            likely.assign(evidence="same name, size and pixels"),
        ],
        ignore_index=True,
    )


def _of_two_sizes(old: pd.DataFrame, new: pd.DataFrame) -> Mask:
    """Tell the pairs of different sizes, which the same content cannot be."""
    before, after = (rows["size_bytes"].reset_index(drop=True) for rows in (old, new))
    differ: Mask = (before != after).fillna(False).to_numpy(dtype=bool)
    return differ


def _pairs(
    removed: pd.DataFrame, added: pd.DataFrame, known: list[str], alike: Sequence[str] = ()
) -> pd.DataFrame:
    """Pair rows equal in the columns `known`, which must be there, and `alike`; equal rows one to one."""
    keys, sides = [*known, *alike], []
    for name, rows in (("old_id", removed), ("new_id", added)):
        side = rows.loc[rows[known].notna().all(axis="columns"), keys]
        side = side.assign(number=side.groupby(keys, dropna=False, observed=True).cumcount())
        sides.append(side.rename_axis(name).reset_index())
    return sides[0].merge(sides[1], on=[*keys, "number"])[["old_id", "new_id"]]


def _net(parts: Sequence[tuple[pd.DataFrame, str, int]], column: str, name: str) -> pd.DataFrame:
    """Add up what came and went by the values of a column."""
    rows = []
    for frame, counted, sign in parts:
        sizes = frame["size_bytes"].fillna(0).astype("int64") * sign
        row = pd.DataFrame({name: frame[column].astype(object)})
        row["high"], row["low"] = sizes // _HALF, sizes % _HALF
        for count in ("n_added", "n_removed"):
            row[count] = int(count == counted)
        rows.append(row.explode(name).dropna(subset=name) if column == "tags" else row)
    groups = pd.concat(rows).groupby(name, dropna=False, observed=True)
    sums = groups[["n_added", "n_removed", "high", "low"]].sum()
    net = [high * _HALF + low for high, low in zip(sums.pop("high"), sums.pop("low"), strict=True)]
    sums["net_bytes"] = pd.Series(net, sums.index, dtype=sums_dtype(net))
    sums = sums[(sums != 0).any(axis="columns")]  # An edit that moved nothing.
    return sums.sort_values(
        "net_bytes", key=lambda sizes: -sizes.abs(), kind="stable"
    ).reset_index()


def _sample(rows: pd.DataFrame) -> list[list[str]]:
    """Show the first rows: id, file name, and what changed or the size."""
    shown = [
        [
            shorten(image_id, _NAME),
            "" if pd.isna(row["filename"]) else shorten(row["filename"], _NAME),
            ", ".join(row["columns"])
            if "columns" in row
            else ("" if pd.isna(row["size_bytes"]) else format_bytes(row["size_bytes"])),
        ]
        for image_id, row in rows.head(_SHOWN).iterrows()
    ]
    more = len(rows) - len(shown)
    return shown + ([[f"and {more:,} more"]] if more else [])


def _signed(size: int) -> str:
    return ("+" if size > 0 else "") + format_bytes(size)


def _minute(instant: str) -> str:
    return instant[:16].replace("T", " ")
