"""The images read so far, each once: columns of decoded pages, packed into Arrow as they come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.library.frame import SCHEMA, Tags
from picora_analytics.library.rows import Columns, table_of

__all__ = ["CollectedRows"]

# Rows become Arrow arrays so many at a time: Python objects are four times as large, arrays of one page slow.
BATCH = 1_000
# No chain: rows that were held already when the newest pages were read again, kept only to be compared.
AGAIN = -2

# Tags are held as numbers of the different rows of tags: the frame wants equal ones shared, and so it is lean.
NUMBERED = SCHEMA.set(SCHEMA.names.index("tags"), pa.field("tags", pa.int32()))
# An address may be signed anew with each answer: that is no contradiction.
COMPARED = [name for name in NUMBERED.names if name not in ("id", "url", "updated_at")]


class CollectedRows:
    """
    The images read so far, by the chain that brought them, and at the end each once.

    Two chains meet in rows that both have read; each keeps them until the end, for the other may be dropped.
    Of two copies of an image the one with the later ``updated_at`` counts, in the place of the first. Where both are
    of the same time, or of none, and differ, nobody knows: what differs is missing, and counted.

    Attributes
    ----------
    n_newer : int
        Copies that were newer than the first.
    n_contradicting : int
        Images whose copies differ; known from :meth:`table` on.
    contradicted : dict of str to int
        The same by column.
    """

    def __init__(self) -> None:
        self.n_newer = 0
        self.n_contradicting = 0
        self.contradicted: dict[str, int] = {}
        self._updated: dict[str, dt.datetime | None] = {}
        self._tags: dict[Tags, int] = {}
        self._words: dict[str, str] = {}
        self._newer: dict[str, dict[str, Any]] = {}
        self._copies: dict[str, int] = {}  # Beyond the first.
        self._waiting: dict[int, Columns] = {}
        self._parts: dict[int, list[pa.Table]] = {}

    def __len__(self) -> int:
        return len(self._updated)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._updated

    def n_new(self, ids: list[str]) -> int:
        """Count the different ids that are not held."""
        return len(set(ids).difference(self._updated))

    def add(self, chain: int, columns: Columns, *, only_new: bool = False) -> None:
        """Take the rows of a page; with `only_new` those alone that are not held yet, and newer copies of others."""
        columns = {**columns, "tags": self._numbers(columns["tags"])}
        ids, updated, held = columns["id"], columns["updated_at"], self._updated
        if held.keys().isdisjoint(ids) and len(set(ids)) == len(ids):  # Nearly always.
            held.update(zip(ids, updated, strict=True))
        else:
            new = self._compare(columns)
            if only_new:
                self._wait(AGAIN, _where(columns, [not one for one in new]))
                columns = _where(columns, new)
            else:
                for one in compress(ids, [not one for one in new]):
                    self._copies[one] = self._copies.get(one, 0) + 1
        self._wait(chain, columns)

    def _wait(self, chain: int, columns: Columns) -> None:
        """Keep rows until there are enough of them to be packed."""
        if not columns["id"]:
            return
        waiting = self._waiting.setdefault(chain, {name: [] for name in columns})
        for name, values in columns.items():
            waiting[name] += values
        if len(waiting["id"]) >= BATCH:
            self._pack(chain)

    def _compare(self, columns: Columns) -> list[bool]:
        """Tell which rows are new, and keep aside those that are newer than what is held."""
        new = []
        for at, (image_id, updated) in enumerate(
            zip(columns["id"], columns["updated_at"], strict=True)
        ):
            new.append(image_id not in self._updated)
            if new[-1]:
                self._updated[image_id] = updated
            elif updated is not None and _older(self._updated[image_id], updated):
                self._updated[image_id] = updated
                self._newer[image_id] = {name: values[at] for name, values in columns.items()}
                self.n_newer += 1
        return new

    def _numbers(self, rows: list[Tags]) -> list[int]:
        """Number the different rows of tags, their words shared."""
        numbers, share = self._tags, self._words.setdefault
        found = []
        for tags in rows:
            number = numbers.get(tags)
            if number is None:
                if tags is not None:
                    tags = tuple(map(share, tags, tags))
                number = numbers[tags] = len(numbers)
            found.append(number)
        return found

    def drop(self, chains: set[int]) -> None:
        """Forget what some chains brought."""
        self._waiting.pop(AGAIN, None)
        self._parts.pop(AGAIN, None)
        for chain in chains:
            self._pack(chain)
            for part in self._parts.pop(chain, []):
                for image_id in part["id"].to_pylist():
                    if n_more := self._copies.pop(image_id, 0):
                        if n_more > 1:
                            self._copies[image_id] = n_more - 1
                    else:
                        del self._updated[image_id]
                        self._newer.pop(image_id, None)

    def table(self, order: list[int]) -> tuple[pa.Table, list[Tags]]:
        """Give the rows, chain after chain, and what the numbers of their tags stand for; nothing is held then."""
        for chain in (*order, AGAIN):
            self._pack(chain)
        parts = [part for chain in order for part in self._parts.pop(chain, [])]
        again = self._parts.pop(AGAIN, [])
        self._updated = {}
        copies: list[pa.Table] = []
        if self._copies or again:
            repeated = {*self._copies, *(one for part in again for one in part["id"].to_pylist())}
            parts, copies = _each_once(parts, repeated) if parts else (parts, [])
        table = pa.concat_tables(parts) if parts else NUMBERED.empty_table()
        if self._newer:
            table = self._with_newer(table)
        differ = _contradictions([*copies, *again], list(self._tags))
        return (self._without(table, differ) if differ else table), list(self._tags)

    def _without(self, table: pa.Table, differ: dict[str, set[str]]) -> pa.Table:
        """Drop the values of which nobody knows which is true."""
        self.n_contradicting = len(set().union(*differ.values()))
        self.contradicted = {name: len(ids) for name, ids in differ.items()}
        unknown_tags = self._numbers([None])[0]
        for name, ids in differ.items():
            at = table.schema.get_field_index(name)
            kind = NUMBERED.field(name).type
            rows = pc.is_in(table["id"], value_set=pa.array(sorted(ids), pa.string()))
            unknown = pa.scalar(unknown_tags if name == "tags" else None, kind)
            table = table.set_column(
                at, NUMBERED.field(name), pc.if_else(rows, unknown, table[name])
            )
        return table

    def _pack(self, chain: int) -> None:
        columns = self._waiting.pop(chain, None)
        if columns:
            self._parts.setdefault(chain, []).append(table_of(columns, NUMBERED))

    def _with_newer(self, table: pa.Table) -> pa.Table:
        rows = list(self._newer.values())
        newer = table_of({name: [row[name] for row in rows] for name in rows[0]}, NUMBERED)
        at = pc.index_in(table["id"], value_set=newer["id"].combine_chunks())
        here = pa.array(range(table.num_rows), pa.int64())
        there = pc.add(at.cast(pa.int64()), table.num_rows)
        return pa.concat_tables([table, newer]).take(pc.coalesce(there, here))


def _older(held: dt.datetime | None, other: dt.datetime) -> bool:
    return held is None or held < other


def _where(columns: Columns, rows: list[bool]) -> Columns:
    return {name: list(compress(values, rows)) for name, values in columns.items()}


def _each_once(
    parts: list[pa.Table], repeated: Collection[str]
) -> tuple[list[pa.Table], list[pa.Table]]:
    """Leave the first of the rows of each image; give also all rows of those that are repeated."""
    kept, copies = [], []
    seen: set[str] = set()
    ids = pa.concat_tables(parts)["id"]
    among = pc.is_in(ids, value_set=pa.array(repeated, pa.string())).to_numpy()
    for part, own in zip(
        parts, np.split(among, np.cumsum(list(map(len, parts)))[:-1]), strict=True
    ):
        rows = np.flatnonzero(own)
        if len(rows):
            copies.append(part.take(rows))
            first = np.ones(len(part), dtype=bool)
            for row, one in zip(rows, copies[-1]["id"].to_pylist(), strict=True):
                first[row] = one not in seen
                seen.add(one)
            part = part if first.all() else part.filter(pa.array(first))
        kept.append(part)
    return kept, copies


def _contradictions(copies: list[pa.Table], tags: list[Tags]) -> dict[str, set[str]]:
    """Find the images whose latest copies differ, by the column in which they do."""
    latest: dict[str, list[dict[str, Any]]] = {}
    for row in _unequal(pa.concat_tables(copies)).to_pylist() if copies else ():
        own = tags[row["tags"]]
        row["tags"] = None if own is None else frozenset(own)
        held = latest.setdefault(row["id"], [row])
        if held[0] is row:
            continue
        if row["updated_at"] == held[0]["updated_at"]:
            held.append(row)
        elif row["updated_at"] is not None and _older(held[0]["updated_at"], row["updated_at"]):
            latest[row["id"]] = [row]
    found: dict[str, set[str]] = {}
    for image_id, rows in latest.items():
        for name in COMPARED:
            if len({row[name] for row in rows} - {None}) > 1:
                found.setdefault(name, set()).add(image_id)
    return found


def _unequal(copies: pa.Table) -> pa.Table:
    """Leave the images of which not all rows are the same, which hardly one is."""
    ids = _codes(copies["id"])
    first = np.empty(ids.max(initial=-1) + 1, dtype=np.int64)
    first[ids[::-1]] = np.arange(len(ids))[::-1]
    differs = np.zeros(len(first), dtype=bool)
    for name in (*COMPARED, "updated_at"):
        codes = _codes(copies[name])
        differs[ids[codes != codes[first][ids]]] = True
    return copies.filter(pa.array(differs[ids]))


def _codes(column: pa.ChunkedArray) -> npt.NDArray[np.int32]:
    """Number the different values of a column, the missing one too."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    codes: npt.NDArray[np.int32] = encoded.indices.to_numpy()
    return codes
