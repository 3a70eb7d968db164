"""Files far heavier than others of their format."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import narwhals.stable.v2 as nw

from picora_analytics.analysis.counting import SIZE
from picora_analytics.analysis.question import By, FrameT, question

__all__ = ["summarize_heavy"]

# What is smaller is nowhere heavy, however small its like are.
_LEAST = 1_000_000
# Tukey's far-out fence, over the logarithms: sizes of files are nearly log-normal.
_RANGES = 3


@question(
    "id",
    "filename",
    "mime_type",
    "size_bytes",
    "width",
    "height",
    answers={
        "id": "str",
        "filename": "str",
        "mime_type": "str",
        "size_bytes": "Int64",
        "width": "Int64",
        "height": "Int64",
        "times_median": "float64",
    },
)
def summarize_heavy(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    List the files that are far heavier than others of their format.

    Heavy is over 1 MB, and over the upper quartile by three times the range between the quartiles, both of the
    logarithms of the sizes of that format. In a library of few files, or of alike ones, none may be.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``id``, ``filename``, ``mime_type``, ``size_bytes``,
        ``width`` and ``height``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (n_heavy, 7)
        These columns and ``times_median``, the size over the median size of the format; largest first, equal sizes
        by ``id``.

    Raises
    ------
    SchemaError
        If one of these columns is missing.

    Examples
    --------
    >>> images = make_images(size_bytes=[90_000, 100_000, 110_000, 100_000, 9_000_000])
    >>> summarize_heavy(images)[["id", "size_bytes", "times_median"]]
      id size_bytes  times_median
    0  e    8.6 MiB          90.0
    """
    size, log = SIZE.cast(nw.Float64), nw.col("log")
    # Empty files have no logarithm, and are no measure of others.
    known = images.filter(SIZE > 0).with_columns(
        log=size.log(10), format=nw.col("mime_type").fill_null("")
    )
    formats = (
        known.with_columns(size=size)
        .group_by("format")
        .agg(
            low=log.quantile(0.25, "linear"),
            high=log.quantile(0.75, "linear"),
            median=nw.col("size").quantile(0.5, "linear"),
        )
    )
    marked = known.filter(SIZE > _LEAST).join(formats, on="format")
    fence = nw.col("high") + _RANGES * (nw.col("high") - nw.col("low"))
    heavy = marked.filter(log > fence).with_columns(times_median=size / nw.col("median"))
    return heavy.sort("size_bytes", "id", descending=[True, False])
