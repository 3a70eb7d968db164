"""Merge a remembered table and fresh rows into the table that a full load would give."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.client.shapes import ImageRecord
from picora_analytics.library.frame import spelled_one_way
from picora_analytics.library.rows import table_of

__all__ = ["merged", "n_edited"]


def merged(
    table: pa.Table,
    where: Mapping[str, int],
    read: Mapping[str, ImageRecord],
    top: Sequence[str],
    gone: Collection[str],
    hashes: Mapping[str, str],
) -> pa.Table:
    """
    Merge changes into a remembered table.

    Parameters
    ----------
    table : Table
        Newest upload first.
    where : mapping of str to int
        The row of each of its images.
    read : mapping of str to ImageRecord
        Images that are new or changed, as they are now.
    top : sequence of str
        The new ones among them in the order in which the service lists them.
    gone : collection of str
        Images deleted since.
    hashes : mapping of str to str
        Content hashes from the feed.

    Returns
    -------
    Table
        New images first, changed ones in their old place. New images that ``top`` does not have are put
        where their upload times belong.
    """
    loose = read.keys() - where.keys() - set(top)
    new = [*loose, *(image_id for image_id in top if image_id in read)]
    edited = [image_id for image_id in read if image_id in where]
    stays = np.ones(len(table), dtype=bool)
    stays[[where[image_id] for image_id in gone if image_id in where]] = False
    if new or edited or not stays.all():
        rows = np.arange(len(table))
        rows[[where[image_id] for image_id in edited]] = (
            len(table) + len(new) + np.arange(len(edited))
        )
        order = np.concatenate([len(table) + np.arange(len(new)), rows[stays]])
        fresh = _fresh([read[image_id] for image_id in (*new, *edited)])
        table = pa.concat_tables([table, fresh]).take(pa.array(order))
    if hashes:
        table = _with_hashes(table, hashes)
    return table.sort_by([("created_at", "descending")]) if loose else table


def n_edited(table: pa.Table, where: Mapping[str, int], read: Mapping[str, ImageRecord]) -> int:
    """Count the images read again that are not as they were; an address moves with the service, and is no edit."""
    known = [image_id for image_id in read if image_id in where]
    if not known:
        return 0
    fresh = _fresh([read[image_id] for image_id in known])
    names = [name for name in fresh.column_names if name not in ("url", "content_hash")]
    before = table.select(names).take(pa.array([where[image_id] for image_id in known]))
    pairs = zip(before.to_pylist(), fresh.select(names).to_pylist(), strict=True)
    return sum(_differs(old, new) for old, new in pairs)


def _differs(old: dict[str, Any], new: dict[str, Any]) -> bool:
    told_now = ("updated_at",) if old["updated_at"] is None else ()
    return any(old[name] != new[name] for name in old if name not in told_now)


def _fresh(images: list[ImageRecord]) -> pa.Table:
    """Make rows of images as they are now; what changed may be the file, so no old hash is theirs."""
    columns = {
        name: [getattr(image, name) for image in images] for name in ImageRecord.__struct_fields__
    }
    return table_of(columns)


def _with_hashes(table: pa.Table, hashes: Mapping[str, str]) -> pa.Table:
    at = pc.index_in(table["id"].combine_chunks(), value_set=pa.array(hashes.keys(), pa.string()))
    told = pa.array(hashes.values(), pa.string()).take(at)
    column = spelled_one_way(pc.coalesce(told, table["content_hash"].combine_chunks()))
    number = table.schema.get_field_index("content_hash")
    return table.set_column(number, table.schema.field(number), column)
