"""The images read so far, each once: columns of decoded pages, packed into Arrow as they come."""

from __future__ import annotations

import datetime as dt
import itertools
from itertools import compress
from typing import Any

import numpy as np
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
        self._ids: set[str] = set()
        self._tags: dict[Tags, int] = {}
        self._words: dict[str, str] = {}
        self._newer: dict[str, dict[str, Any]] = {}
        self._copies: dict[str, int] = {}  # Beyond the first.
        self._waiting: dict[int, Columns] = {}
        self._parts: dict[int, list[pa.Table]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, image_id: str) -> bool:
        return image_id in self._ids

    def n_new(self, ids: list[str]) -> int:
        """Count the different ids that are not held."""
        return len(set(ids) - self._ids)

    def add(self, chain: int, columns: Columns, *, only_new: bool = False) -> None:
        """Take the rows of a page; with `only_new` those alone that are not held yet, and newer copies of others."""
        columns = {**columns, "tags": self._numbers(columns["tags"])}
        ids = columns["id"]
        if self._ids.isdisjoint(ids) and len(set(ids)) == len(ids):  # Nearly always.
            self._ids.update(ids)
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
        held = self._edited(self._ids.intersection(columns["id"]))
        for at, (image_id, updated) in enumerate(
            zip(columns["id"], columns["updated_at"], strict=True)
        ):
            new.append(image_id not in held)
            if new[-1]:
                held[image_id] = updated
            elif updated is not None and _older(held[image_id], updated):
                held[image_id] = updated
                self._newer[image_id] = {name: values[at] for name, values in columns.items()}
                self.n_newer += 1
        self._ids.update(held)
        return new

    def _edited(self, ids: set[str]) -> dict[str, dt.datetime | None]:
        """Look up the latest edit of images that are held: rare enough not to keep the times of all beside the rows."""
        wanted = pa.array(ids, pa.string())
        found: dict[str, dt.datetime | None] = dict.fromkeys(ids)
        parts = [
            part.select(["id", "updated_at"]).filter(pc.is_in(part["id"], value_set=wanted))
            for part in itertools.chain.from_iterable(self._parts.values())
        ]
        read = [part.to_pydict() for part in parts if len(part)]
        for rows in (*read, *self._waiting.values()):
            for image_id, updated in zip(rows["id"], rows["updated_at"], strict=True):
                if image_id in ids and updated is not None and _older(found[image_id], updated):
                    found[image_id] = updated
        return found | {one: self._newer[one]["updated_at"] for one in ids & self._newer.keys()}

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
                        self._ids.remove(image_id)
                        self._newer.pop(image_id, None)

    def table(self, order: list[int]) -> tuple[pa.Table, list[Tags]]:
        """Give the rows, chain after chain, and what the numbers of their tags stand for; nothing is held then."""
        order = [*order, AGAIN]
        for chain in order:
            self._pack(chain)
        compared = bool(self._copies) or AGAIN in self._parts
        parts = [part for chain in order for part in self._parts.pop(chain, [])]
        self._ids = set()
        table = pa.concat_tables(parts) if parts else NUMBERED.empty_table()
        copies = None
        if compared:
            table, copies = _each_once(table)
        if self._newer:
            table = self._with_newer(table)
        differ = _contradictions(copies, list(self._tags)) if copies else {}
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


def _each_once(table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Leave the first of the rows of each image; give also all rows of those that have more."""
    codes = table["id"].combine_chunks().dictionary_encode().indices.to_numpy()
    places = np.empty(codes.max(initial=-1) + 1, dtype=np.int64)
    places[codes[::-1]] = np.arange(len(codes))[::-1]
    first = np.zeros(len(table), dtype=bool)
    first[places] = True
    return table.filter(pa.array(first)), table.filter(pa.array(np.bincount(codes)[codes] > 1))


def _contradictions(copies: pa.Table, tags: list[Tags]) -> dict[str, set[str]]:
    """Find the images whose latest copies differ, by the column in which they do."""
    # An address may be signed anew with each answer: that is no contradiction.
    compared = [name for name in NUMBERED.names if name not in ("id", "url", "updated_at")]
    latest: dict[str, list[dict[str, Any]]] = {}
    for row in copies.to_pylist():
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
        for name in compared:
            if len({row[name] for row in rows} - {None}) > 1:
                found.setdefault(name, set()).add(image_id)
    return found
