"""What grew between two loads: by tag, by format, by month of upload."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import narwhals.stable.v2 as nw
import pandas as pd

from picora_analytics.analysis.comparison import comparable
from picora_analytics.analysis.counting import SIZE, UNKNOWN
from picora_analytics.analysis.question import (
    FrameT,
    Kind,
    enter,
    explode_tags,
    question,
    summed,
)
from picora_analytics.library.frame import facts_of

__all__ = ["summarize_changes"]

By = Literal["tag", "format", "month"]

_COUNTED = (
    "n_images_before",
    "n_images",
    "net_images",
    "size_bytes_before",
    "size_bytes",
    "net_bytes",
)
_KEYS: dict[str, tuple[str, str, Kind]] = {
    "tag": ("tags", "tag", "str"),
    "format": ("mime_type", "mime_type", "str"),
    "month": ("created_at", "month", "datetime"),
}


def summarize_changes(old: FrameT, new: FrameT, *, by: By = "tag") -> FrameT:
    """
    Say what grew and what shrank between two loads of a library.

    Rows in which nothing changed are left out. By format and by month the changes add up to the difference of the
    two libraries; by tag they do not, as an image counts under each of its tags, and one without tags under none.
    An image that was tagged or edited since counts as gone from one row and come to another. There is no
    ``by="account"``: of frames of several accounts, compare one account's rows at a time.

    Parameters
    ----------
    old, new : DataFrame or relation of shape (n_images, ...)
        One row per image, both of one engine (of DuckDB: of one connection). Two pandas frames from ``load_images``
        must be whole libraries of one account. Reads ``size_bytes``, and ``tags``, ``mime_type`` or ``created_at``.
    by : {"tag", "format", "month"}
        Months are those of the upload, UTC.

    Returns
    -------
    same type as ``old``, of shape (n_changed, 7)
        ``tag``, ``mime_type`` (``unknown`` where missing) or ``month`` (its first instant, UTC; missing where the day
        of upload is not known); ``n_images_before``, ``n_images`` and ``net_images``; ``size_bytes_before``,
        ``size_bytes`` and ``net_bytes``, as far as sizes are known. Months in their order, otherwise what grew most
        first and what shrank most last.

    Raises
    ------
    SchemaError
        If a column is missing, or the two frames are not of one whole library.
    TypeError
        If the two are not of one engine.
    ValueError
        If `by` is not one of the three.

    Examples
    --------
    >>> old = make_images(tags=[("cat",), ("red",)], size_bytes=[700, 300])
    >>> new = make_images(tags=[("cat",), ("cat",), ("red",)], size_bytes=[700, 50, 300])
    >>> summarize_changes(old, new)[["tag", "n_images", "net_images", "net_bytes"]]
       tag  n_images  net_images net_bytes
    0  cat         2           1      50 B
    """
    if by not in _KEYS:
        raise ValueError(f"by={by!r} is unknown: choose 'tag', 'format' or 'month'.")
    if isinstance(old, pd.DataFrame) and isinstance(new, pd.DataFrame):
        if facts_of(old) and facts_of(new):
            comparable(old, new)
    elif type(old) is not type(new):
        raise TypeError(
            f"summarize_changes compares two frames of one engine; these are {type(old).__name__} and "
            f"{type(new).__name__}."
        )
    return _QUESTIONS[by](old, new)


def _asked(by: str) -> Callable[[Any, Any], Any]:
    column, key, kind = _KEYS[by]
    answers: dict[str, Kind] = {key: kind, **dict.fromkeys(_COUNTED, "Int64")}
    answers |= {name: "int64" for name in _COUNTED if "images" in name}

    @question(column, "size_bytes", answers=answers)
    def summarize_changes(old: Any, new: Any) -> Any:
        there = enter(new, [column, "size_bytes"], "summarize_changes")
        sides = [_counted(old, by, "before"), _counted(there, by, "now")]
        sums = (
            nw.concat(sides)
            .group_by(key)
            .agg(
                **{
                    name: nw.col(name).sum()
                    for name in ("n_images_before", "n_images_now", "before", "now")
                }
            )
        )
        table = sums.with_columns(
            n_images=nw.col("n_images_now"),
            net_images=nw.col("n_images_now") - nw.col("n_images_before"),
            size_bytes_before=nw.col("before"),
            size_bytes=nw.col("now"),
            net_bytes=nw.col("now") - nw.col("before"),
        )
        changed = table.filter((nw.col("net_images") != 0) | (nw.col("net_bytes") != 0))
        if by == "month":
            return changed.sort(key, nulls_last=True)
        return changed.sort("net_bytes", "net_images", key, descending=[True, True, False])

    return summarize_changes


def _counted(images: nw.LazyFrame[Any], by: str, side: str) -> Any:
    """Count one side: its own columns, and zeros for the other's."""
    column, key, _ = _KEYS[by]
    sizes = images.with_columns(size=nw.when(~SIZE.is_null()).then(summed(images)).otherwise(0))
    if by == "tag":
        rows = explode_tags(sizes).rename({column: key})
    elif by == "format":
        rows = sizes.with_columns(nw.col(column).fill_null(UNKNOWN).alias(key))
    else:
        rows = sizes.with_columns(nw.col(column).dt.truncate("1mo").alias(key))
    other = "now" if side == "before" else "before"
    table = rows.group_by(key).agg(n=nw.len(), size=nw.col("size").sum())
    table = table.with_columns(nw.col("n").cast(nw.Int64))  # polars counts in unsigned numbers
    counts = {f"n_images_{side}": nw.col("n"), side: nw.col("size")}
    zeros = {f"n_images_{other}": nw.col("n") - nw.col("n"), other: nw.col("size") - nw.col("size")}
    both = table.with_columns(**counts, **zeros)
    return both.select(key, "n_images_before", "n_images_now", "before", "now")


_QUESTIONS = {by: _asked(by) for by in _KEYS}
