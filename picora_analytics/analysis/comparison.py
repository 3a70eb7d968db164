"""What changed between two frames of one library."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Sequence
from typing import Any

import pandas as pd

from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import COLUMNS, Facts, facts_of
from picora_analytics.text import shorten, visible
from picora_analytics.units import format_bytes

__all__ = ["SnapshotDiff", "compare_snapshots"]

# An address moves with the service, and only a change feed tells a hash: neither is an edit.
_COMPARED = [name for name in COLUMNS if name not in ("url", "content_hash", "updated_at")]
_SHOWN = 5  # Rows of each kind in the summary.


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SnapshotDiff:
    """
    What changed between two frames, matched by id.

    It is true where anything was added, removed or changed.

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
        bytes under it now less those before, edits and new tags included; the largest change first. An
        image with three tags counts under each of the three.
    net_bytes : int
        Bytes of the new frame less those of the old one, as far as sizes are known.
    since, until : str
        When the old and the new library were read, by the service's time.
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
            f"  {word:<8} {row}" for word, rows in facts["rows"] for row in map("  ".join, rows)
        ]
        lines += [f"  {facts['most']}"] if facts["most"] else []
        return "\n".join(line.rstrip() for line in lines)

    def _repr_html_(self) -> str:
        facts = self._shown()
        head = [f"<strong>{html.escape(facts['headline'])}</strong>"]
        head += [html.escape(line) for line in (facts["when"], facts["most"]) if line]
        cells = [
            "".join(
                f"<td style='text-align: left'><bdi>{html.escape(text)}</bdi></td>" for text in row
            )
            for word, rows in facts["rows"]
            for row in ([word, *texts] for texts in rows)
        ]
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        return f"<div>{'<br>'.join(head)}<table><tbody>{body}</tbody></table></div>"

    def _shown(self) -> dict[str, Any]:
        """Work out what both summaries say, with strangers' text made visible."""
        counts = [
            f"{len(rows):,} {word}"
            for word, rows in (
                ("added", self.added),
                ("removed", self.removed),
                ("changed", self.changed),
                ("replaced", self.replaced),
            )
        ]
        return {
            "headline": f"{', '.join(counts)}, {_signed(self.net_bytes)}",
            "when": f"between {_minute(self.since)} and {_minute(self.until)} UTC",
            "rows": [
                (word, _sample(rows))
                for word, rows in (
                    ("added", self.added),
                    ("removed", self.removed),
                    ("changed", self.changed),
                )
                if len(rows)
            ],
            "most": self._most(),
        }

    def _most(self) -> str:
        tops = [
            f"{label} {visible(counts.iloc[0, 0])} {_signed(counts['net_bytes'].iloc[0])}"
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
        As :func:`load_images` or :meth:`SnapshotStore.load` made them: both whole libraries, or both of the
        same tag.

    Returns
    -------
    SnapshotDiff

    Raises
    ------
    SchemaError
        If one of them is a part only, lacks a column or repeats an id, or they are of different accounts or
        tags: what is missing would look removed.

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
    before, after = _comparable(old, new)
    added = new[~new.index.isin(old.index)]
    removed = old[~old.index.isin(new.index)]
    both = new.index[new.index.isin(old.index)]
    first, second = old.loc[both], new.loc[both]
    differs = pd.DataFrame({name: _differs(first[name], second[name]) for name in _COMPARED}, both)
    touched = differs.any(axis="columns")
    names = [tuple(differs.columns[row]) for row in differs[touched].to_numpy(dtype=bool)]
    rows = second[touched]
    parts = [(added, "n_added", 1), (removed, "n_removed", -1)]
    parts += [(rows, "", 1), (first[touched], "", -1)]  # Counted by its bytes alone.
    return SnapshotDiff(
        added=added,
        removed=removed,
        changed=rows.assign(columns=pd.Series(names, rows.index, dtype=object)),
        replaced=_replaced(removed, added),
        by_tag=_net(parts, "tags", "tag"),
        by_format=_net(parts, "mime_type", "mime_type"),
        net_bytes=int(new["size_bytes"].sum()) - int(old["size_bytes"].sum()),
        since=before["loaded_at"],
        until=after["loaded_at"],
    )


def _comparable(old: pd.DataFrame, new: pd.DataFrame) -> tuple[Facts, Facts]:
    facts, parts = [], []
    for name, frame in (("old", old), ("new", new)):
        found = facts_of(frame)
        if found is None or frame.index.name != "id":
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
                f"{name} holds {visible(again)} more than once; pass a frame with each image once."
            )
        if found["status"] != "complete" or len(frame) != found["n_images"]:
            parts.append(
                f"{name} holds {len(frame)} of {found['n_images']} rows ({found['status']})"
            )
        facts.append(found)
    if parts:
        raise SchemaError(
            f"Only whole libraries are compared: {' and '.join(parts)}; what it lacks would look removed."
        )
    one, other = facts
    if one["account"] != other["account"]:
        raise SchemaError(
            f"old is of account {one['account'][:8]} and new of {other['account'][:8]}; "
            "compare two frames of one library."
        )
    if one["scope"] != other["scope"]:
        raise SchemaError(
            f"old is of {visible(one['scope'])} and new of {visible(other['scope'])}: one of them is not the "
            "same whole, and what it lacks would look removed."
        )
    return one, other


def _differs(old: pd.Series[Any], new: pd.Series[Any]) -> Any:
    if old.name == "tags":
        return [
            one is not other and _tag_set(one) != _tag_set(other)
            for one, other in zip(old, new, strict=True)
        ]
    same = (old == new).fillna(False).to_numpy(dtype=bool)
    return ~(same | (old.isna() & new.isna()).to_numpy(dtype=bool))


def _tag_set(tags: Any) -> set[str] | None:
    return set(tags) if pd.api.types.is_list_like(tags) else None


def _replaced(removed: pd.DataFrame, added: pd.DataFrame) -> pd.DataFrame:
    """Pair removed and added images of the same content, each at most once."""
    sure = _pairs(removed, added, ["content_hash"])
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


def _pairs(
    removed: pd.DataFrame, added: pd.DataFrame, known: list[str], alike: Sequence[str] = ()
) -> pd.DataFrame:
    """Pair rows equal in the columns `known`, which must be there, and `alike`; copies one to one."""
    keys, sides = [*known, *alike], []
    for name, rows in (("old_id", removed), ("new_id", added)):
        side = rows.loc[rows[known].notna().all(axis="columns"), keys]
        side = side.assign(number=side.groupby(keys, dropna=False).cumcount())
        sides.append(side.rename_axis(name).reset_index())
    return sides[0].merge(sides[1], on=[*keys, "number"])[["old_id", "new_id"]]


def _net(parts: Sequence[tuple[pd.DataFrame, str, int]], column: str, name: str) -> pd.DataFrame:
    """Add up what came and went by the values of a column."""
    rows = []
    for frame, counted, sign in parts:
        sizes = frame["size_bytes"].fillna(0).astype("int64") * sign
        row = pd.DataFrame({name: frame[column].astype(object), "net_bytes": sizes})
        for count in ("n_added", "n_removed"):
            row[count] = int(count == counted)
        rows.append(row.explode(name).dropna(subset=name) if column == "tags" else row)
    groups = pd.concat(rows).groupby(name, dropna=False)
    sums = groups[["n_added", "n_removed", "net_bytes"]].sum()
    sums = sums[(sums != 0).any(axis="columns")]  # An edit that moved nothing.
    return sums.sort_values(
        "net_bytes", key=lambda sizes: -sizes.abs(), kind="stable"
    ).reset_index()


def _sample(rows: pd.DataFrame) -> list[list[str]]:
    """Show the first rows: id, file name, and what changed or the size."""
    shown = [
        [
            visible(one),
            "" if pd.isna(row["filename"]) else shorten(row["filename"], 40),
            ", ".join(row["columns"])
            if "columns" in row
            else ("" if pd.isna(row["size_bytes"]) else format_bytes(row["size_bytes"])),
        ]
        for one, row in rows.head(_SHOWN).iterrows()
    ]
    more = len(rows) - len(shown)
    return shown + ([[f"and {more:,} more"]] if more else [])


def _signed(size: int) -> str:
    return ("+" if size > 0 else "") + format_bytes(size)


def _minute(instant: str) -> str:
    return instant[:16].replace("T", " ")
