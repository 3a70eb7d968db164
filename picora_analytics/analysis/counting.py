"""How summaries count: unknown bytes stay missing, and shares are of the whole load."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals.stable.v2 as nw

from picora_analytics.analysis.engines import with_totals
from picora_analytics.analysis.question import Kind, library_numbers, summed

UNKNOWN = "unknown"
SIZE, WIDTH, HEIGHT = nw.col("size_bytes"), nw.col("width"), nw.col("height")

COUNTS: dict[str, Kind] = {"n_images": "int64", "size_bytes": "Int64"}
SHARES: dict[str, Kind] = {"image_share": "float64", "size_share": "float64"}


def measured() -> nw.Expr:
    """Tell the images whose pixels are known; a width of 0 is unknown."""
    return ((WIDTH > 0) & (HEIGHT > 0)).fill_null(False)


def count(images: Any, key: str, **more: nw.Expr) -> Any:
    """Count images and bytes per value of a column, with `more` columns."""
    table = images.group_by(key).agg(
        n_images=nw.len(), size_bytes=summed(images).sum(), n_sizes=SIZE.count(), **more
    )
    return missing_unless_known(table)


def missing_unless_known(table: Any) -> Any:
    """Make a sum missing, instead of 0 bytes, where no size is known."""
    known = (nw.col("n_sizes") > 0) | (nw.col("n_images") == 0)
    return table.with_columns(size_bytes=nw.when(known).then(SIZE))


def largest_first(table: Any, key: str) -> Any:
    """Sort by bytes, equal ones by name, unknown ones last."""
    return table.sort("size_bytes", key, descending=[True, False], nulls_last=True)


def labelled(column: str, labels: Sequence[str]) -> nw.Expr:
    """Replace each whole number of a column by its label."""
    written: nw.Expr = nw.lit(labels[-1])
    for place, label in reversed(list(enumerate(labels[:-1]))):
        written = nw.when(nw.col(column) == place).then(nw.lit(label)).otherwise(written)
    return written


def how_many(condition: nw.Expr) -> nw.Expr:
    """Count the rows of which a condition is known to hold; Spark adds up no booleans."""
    return condition.cast(nw.Int64).sum()


def place_of(column: nw.Expr, below: Sequence[nw.Expr]) -> nw.Expr:
    """Number each value by the first condition that holds, then the rest, then what is not known."""
    place: nw.Expr = nw.lit(len(below))
    for number, holds in reversed(list(enumerate(below))):
        place = nw.when(holds).then(nw.lit(number)).otherwise(place)
    return nw.when(column.is_null()).then(nw.lit(len(below) + 1)).otherwise(place)


def share(part: nw.Expr, whole: nw.Expr) -> nw.Expr:
    """Divide; missing where there is nothing to divide by."""
    return nw.when(whole > 0).then(part / whole)


def with_shares(table: Any, images: Any) -> Any:
    """Add the share of the load that each row is: a subset still knows the numbers of its load."""
    numbers = library_numbers()
    if numbers is not None:
        n_images, size_bytes = map(nw.lit, numbers)
        whole = table.with_columns(all_images=n_images, all_bytes=size_bytes)
    else:
        whole = with_totals(table, {"all_images": "n_images", "all_bytes": "size_bytes"})
    return whole.with_columns(
        image_share=share(nw.col("n_images"), nw.col("all_images")),
        size_share=share(SIZE, nw.col("all_bytes")),
    )
