"""How large: the library, its classes of file size, and the few files that hold most of it."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from picora_analytics.analysis.counting import (
    COUNTS,
    SHARES,
    SIZE,
    UNKNOWN,
    count,
    how_many,
    labelled,
    measured,
    missing_unless_known,
    place_of,
    share,
    with_shares,
)
from picora_analytics.analysis.engines import in_arrow, is_duckdb, ranked_on_duckdb, with_quantiles
from picora_analytics.analysis.question import By, FrameT, Kind, question, summed
from picora_analytics.library.frame import total_bytes

__all__ = [
    "LARGEST",
    "SIZE_RANGES",
    "summarize_concentration",
    "summarize_largest",
    "summarize_library",
    "summarize_sizes",
]

KIB, MIB = 1024, 1024**2

# Each class ends below its number; the last has no end.
_SIZE_CLASSES = [
    (10 * KIB, "< 10 KiB"),
    (100 * KIB, "10 - 100 KiB"),
    (MIB, "100 KiB - 1 MiB"),
    (2 * MIB, "1 - 2 MiB"),
    (5 * MIB, "2 - 5 MiB"),
    (10 * MIB, "5 - 10 MiB"),
    (None, "10 MiB and more"),
]
SIZE_RANGES = (*(label for _, label in _SIZE_CLASSES), UNKNOWN)


@question(
    "size_bytes",
    "mime_type",
    "width",
    "height",
    "is_public",
    "tags",
    "created_at",
    answers={
        **COUNTS,
        "mean_size_bytes": "float64",
        "median_size_bytes": "float64",
        "p90_size_bytes": "float64",
        "p99_size_bytes": "float64",
        "max_size_bytes": "Int64",
        "first_upload": "datetime",
        "last_upload": "datetime",
        "n_formats": "int64",
        "n_public": "int64",
        "n_private": "int64",
        "n_visibility_unknown": "int64",
        "n_untagged": "int64",
        "n_tags_unknown": "int64",
        "n_without_dimensions": "int64",
        "n_without_size": "int64",
        "n_without_upload_date": "int64",
    },
)
def summarize_library(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    Say in one row how large a library is and what is not known of it.

    Sizes that are missing are left out of the sum and of the mean; they are counted in
    ``n_without_size``. When none is known, ``size_bytes`` is missing, not 0.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``size_bytes``, ``mime_type``,
        ``width``, ``height``, ``is_public``, ``tags`` and ``created_at``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of one row
        ``n_images``, ``size_bytes``; ``mean_``, ``median_``, ``p90_``, ``p99_`` and
        ``max_size_bytes`` (quantiles interpolated); ``first_upload`` and ``last_upload`` (UTC);
        ``n_formats``; ``n_public``, ``n_private``, ``n_visibility_unknown``; ``n_untagged`` (known
        to have no tag) and ``n_tags_unknown``; ``n_without_dimensions``, ``n_without_size`` and
        ``n_without_upload_date``.

    Raises
    ------
    SchemaError
        If one of these columns is missing.

    Examples
    --------
    >>> images = make_images(size_bytes=[700, 300, None], tags=[("cat",), (), None])
    >>> library = summarize_library(images)
    >>> library[["n_images", "size_bytes", "mean_size_bytes", "n_untagged", "n_without_size"]]
       n_images size_bytes mean_size_bytes  n_untagged  n_without_size
    0         3     1000 B           500 B           1               1
    """
    images = in_arrow(images)
    public, formats = nw.col("is_public"), nw.col("mime_type")
    n_tags = nw.col("tags").list.len()
    row = with_quantiles(
        images,
        "size_bytes",
        {"median_size_bytes": 0.5, "p90_size_bytes": 0.9, "p99_size_bytes": 0.99},
        n_images=nw.len(),
        size_bytes=summed(images).sum(),
        n_sizes=SIZE.count(),
        max_size_bytes=SIZE.max(),
        first_upload=nw.col("created_at").min(),
        last_upload=nw.col("created_at").max(),
        n_formats=formats.n_unique(),
        n_without_format=how_many(formats.is_null()),
        n_public=how_many(public),
        n_private=how_many(~public),
        n_visibility_unknown=how_many(public.is_null()),
        n_untagged=how_many(n_tags == 0),
        n_tags_unknown=how_many(nw.col("tags").is_null()),
        n_without_dimensions=how_many(~measured()),
        n_without_size=how_many(SIZE.is_null()),
        n_without_upload_date=how_many(nw.col("created_at").is_null()),
    )
    # A missing format counts as one more; of no images DuckDB counts NULL.
    n_formats = nw.col("n_formats") - (nw.col("n_without_format") > 0).cast(nw.Int64)
    n_formats = nw.when(nw.col("n_images") > 0).then(n_formats).otherwise(nw.lit(0))
    # Not as a mean: beside a number of different values, DuckDB 2.0 keeps all rows for one.
    mean = share(SIZE.cast(nw.Float64), nw.col("n_sizes"))
    return missing_unless_known(row.with_columns(n_formats=n_formats, mean_size_bytes=mean))


@question("size_bytes", answers={"size_range": "str", **COUNTS, **SHARES})
def summarize_sizes(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    Count images and bytes per class of file size, smallest first.

    A few large files often hold most of the bytes: compare the two shares. Classes without
    images are left out; images of unknown size are in the row ``unknown``.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``size_bytes``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (n_classes, 5)
        ``size_range`` (its lower bound included), ``n_images``, ``size_bytes``, and
        ``image_share`` and ``size_share`` (0 to 1) of the library the images were loaded from.

    Raises
    ------
    SchemaError
        If ``size_bytes`` is missing.

    Examples
    --------
    >>> images = make_images(size_bytes=[6_000, 2_000, 2_000_000, None])
    >>> summarize_sizes(images)[["size_range", "n_images", "size_bytes", "image_share"]]
      size_range  n_images size_bytes  image_share
    0   < 10 KiB         2    7.8 KiB         0.50
    1  1 - 2 MiB         1    1.9 MiB         0.25
    2    unknown         1       <NA>         0.25
    """
    below = [edge > SIZE for edge, _ in _SIZE_CLASSES if edge is not None]
    classed = in_arrow(images).with_columns(place=place_of(SIZE, below))
    table = count(classed, "place").sort("place")
    return with_shares(table.with_columns(size_range=labelled("place", SIZE_RANGES)), images)


@question(
    "size_bytes",
    answers={
        **COUNTS,
        "n50": "int64",
        "n80": "int64",
        "n90": "int64",
        "top1_share": "float64",
        "top10_share": "float64",
        "gini": "float64",
    },
)
def summarize_concentration(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    Say how few images hold most of the bytes.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``size_bytes``; images of unknown size
        are left out.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of one row
        ``n_images`` and ``size_bytes`` (of known size); ``n50``, ``n80`` and ``n90``, the fewest
        images that hold at least 50, 80 and 90 % of the bytes; ``top1_share`` and ``top10_share``,
        the share (0 to 1) of the largest 1 % and 10 % of the images, rounded up to a whole image;
        ``gini``, 0 where all are equally large, near 1 where one holds all. Shares and ``gini`` are
        missing where there are no bytes.

    Raises
    ------
    SchemaError
        If ``size_bytes`` is missing.

    Examples
    --------
    >>> images = make_images(size_bytes=[600, 200, 100, 100])
    >>> summarize_concentration(images)[["n_images", "n50", "n80", "top10_share", "gini"]]
       n_images  n50  n80  top10_share  gini
    0         4    1    2          0.6   0.4
    """
    native = images.to_native()
    row = _ranked_in_pandas(native) if isinstance(native, pd.DataFrame) else _ranked(images)
    n, size = nw.col("n_images"), SIZE.cast(nw.Float64)
    # The sum of i * b_i over ascending sizes is the sum of the running totals over descending ones.
    return row.with_columns(
        top1_share=share(nw.col("top1"), size),
        top10_share=share(nw.col("top10"), size),
        gini=share(2 * nw.col("held") - (n + 1) * size, n * size),
    )


_PARTS, _TOPS = {"n50": 50, "n80": 80, "n90": 90}, {"top1": 100, "top10": 10}


def _ranked(images: Any) -> Any:
    """Rank by size and add up from the largest; the number and total first, for a window would hold all rows."""
    known = images.drop_nulls("size_bytes")
    size = SIZE.cast(nw.Float64)
    exact = is_duckdb(known)
    told = known.select(n=nw.len(), total=(summed(images) if exact else size).sum())
    n, total = (number or 0 for number in told.collect().row(0))
    n, total = int(n), int(total) if exact else float(total)
    if exact:
        return ranked_on_duckdb(known, n, int(total), _PARTS, _TOPS)
    ranked = known.with_columns(minus=-size, one=nw.lit(1)).with_columns(
        place=nw.col("one").cum_sum().over(order_by="minus"),
        left=nw.col("minus").cum_sum().over(order_by="minus"),
    )
    before = -nw.col("left") - size
    return ranked.select(
        n_images=nw.len(),
        size_bytes=summed(images).sum().fill_null(0),
        held=-nw.col("left").sum(),
        **{
            name: (100 * before < percent * total).cast(nw.Int64).sum().fill_null(0)
            for name, percent in _PARTS.items()
        },
        **{
            name: nw.when(nw.col("place") <= -(-n // one_in)).then(size).sum()
            for name, one_in in _TOPS.items()
        },
    )


def _ranked_in_pandas(native: pd.DataFrame) -> Any:
    """Do the same with NumPy, 30 times as fast as ranks and windows of pandas."""
    column = native["size_bytes"].dropna()
    sizes = np.sort(column.to_numpy("int64"))[::-1]
    total = total_bytes(column)
    held = np.cumsum(sizes, dtype=np.int64 if total < 2**63 else np.float64)
    n = len(sizes)
    row: dict[str, Any] = {"n_images": n, "size_bytes": total, "held": held.sum(dtype=np.float64)}
    for name, percent in _PARTS.items():
        row[name] = np.searchsorted(held - sizes, -(-percent * total // 100), side="left")
    for name, one_in in _TOPS.items():
        row[name] = float(held[-(-n // one_in) - 1]) if n else 0.0
    return nw.from_native(pd.DataFrame([row])).lazy()


LARGEST: dict[str, Kind] = {
    "id": "str",
    "filename": "str",
    "size_bytes": "Int64",
    "width": "Int64",
    "height": "Int64",
    "mime_type": "str",
    "created_at": "datetime",
}


@question(*LARGEST, answers=LARGEST)
def summarize_largest(images: FrameT, top: int = 20, *, by: By | None = None) -> FrameT:
    """
    List the largest files.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``id``, ``filename``, ``size_bytes``,
        ``width``, ``height``, ``mime_type`` and ``created_at``.
    top : int
        Maximum number of rows.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (up to `top`, 7)
        These columns, largest first, equal sizes by ``id``. Images of unknown size are left out.

    Raises
    ------
    SchemaError
        If one of these columns is missing.
    ValueError
        If `top` is negative.

    Examples
    --------
    >>> images = make_images(size_bytes=[100, 900, 900])
    >>> summarize_largest(images, top=2)[["id", "filename", "size_bytes"]]
      id filename size_bytes
    0  b    b.png      900 B
    1  c    c.png      900 B
    """
    if top < 0:
        raise ValueError(f"top={top!r} is negative: say how many rows to list, 0 or more.")
    # Not narwhals' top_k: on DuckDB it looks the relation up in the default connection (2.29).
    known = _candidates(images, top).drop_nulls("size_bytes")
    return known.sort("size_bytes", "id", descending=[True, False]).head(top)


def _candidates(images: Any, top: int) -> Any:
    """Leave out, in pandas, what is smaller than the smallest listed: sorting a million rows takes a second."""
    native = images.to_native()
    if not isinstance(native, pd.DataFrame) or not 0 < top < len(native):
        return images
    sizes = native["size_bytes"].to_numpy("int64", na_value=-1)
    least = np.partition(sizes, len(sizes) - top)[len(sizes) - top]
    return nw.from_native(native.iloc[np.flatnonzero(sizes >= max(least, 0))]).lazy()
