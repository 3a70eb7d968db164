"""Duplicates, counted on any engine: which images are one too many, and what they hold."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd

from picora_analytics.analysis.content import contents, several
from picora_analytics.analysis.counting import COUNTS, SIZE, UNKNOWN, count, labelled
from picora_analytics.analysis.decided import standing
from picora_analytics.analysis.duplicates import alikes, keeping_order
from picora_analytics.analysis.looked import words_of
from picora_analytics.analysis.question import By, FrameT, question, summed

__all__ = ["REPEAT_COLUMNS", "summarize_duplicates", "with_repeats"]

REPEAT_COLUMNS = (
    "id",
    "size_bytes",
    "width",
    "height",
    "mime_type",
    "is_public",
    "created_at",
    "content_hash",
)
_ALIKE = ("size_bytes", "width", "height", "mime_type")
_ORDER = ("is_hidden", "is_undated", "created_at", "id")


def with_repeats(images: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """
    Add, inside a question, ``exact`` and ``likely`` (in a group of duplicates) and ``extra`` (not its first).

    First is what find_duplicates keeps where nobody looked or decided: a public image before a private one, then
    the oldest upload, then by id.
    """
    native = images.to_native()
    if isinstance(native, pd.DataFrame):
        return nw.from_native(_with_repeats_of_pandas(native)).lazy()
    content, spelled = nw.col("content"), nw.col("content_hash")
    # Few are not in lower case, and only those are held against the pattern.
    other = (spelled.str.to_lowercase() != spelled) & spelled.str.contains("^[0-9A-Fa-f]+$")
    numbered = images.with_columns(
        content=nw.when(other).then(spelled.str.to_lowercase()).otherwise(spelled),
        is_hidden=(~nw.col("is_public").fill_null(False)).cast(nw.Int64),
        is_undated=nw.col("created_at").is_null().cast(nw.Int64),
    ).with_columns(
        n_same=content.count().over("content"),
        least=nw.col("size_bytes").min().over("content"),
        most=nw.col("size_bytes").max().over("content"),
        place=nw.col("id").cum_count().over("content", order_by=_ORDER),
    )
    # As `contents` has it: what differs in size is not of one content, whatever its hash.
    differ = nw.col("least") < nw.col("most")
    sure = numbered.with_columns(
        content=nw.when(~differ.fill_null(False)).then(content),
        n_same=nw.when(~differ.fill_null(False)).then(nw.col("n_same")).otherwise(nw.lit(0)),
    )
    # All that is asked of those alike stands in one turn, for each turn of windows puts all rows in order.
    counted = sure.with_columns(unread=content.is_null().cast(nw.Int64)).with_columns(
        n_like=nw.col("id").count().over(*_ALIKE),
        n_read=content.count().over(*_ALIKE),
        most_same=nw.col("n_same").max().over(*_ALIKE),
        like_place=nw.col("id").cum_count().over(*_ALIKE, order_by=_ORDER),
        unread_place=nw.col("unread").cum_sum().over(*_ALIKE, order_by=_ORDER),
    )
    # Images of which both contents are known have their answer; one of them may be like those of unknown content.
    one_read = (nw.col("n_read") == 1) & (nw.col("most_same") == 1)
    both_unread = (nw.col("unread") == 1) & (nw.col("n_like") - nw.col("n_read") > 1)
    known = ~nw.any_horizontal(*(nw.col(name).is_null() for name in _ALIKE), ignore_nulls=False)
    judged = counted.with_columns(
        exact=(~content.is_null() & (nw.col("n_same") > 1)).fill_null(False),
        likely=known & nw.when(one_read).then(nw.col("n_like") > 1).otherwise(both_unread),
        likely_place=nw.when(one_read).then("like_place").otherwise("unread_place"),
    )
    place = nw.when(nw.col("exact")).then(nw.col("place")).otherwise(nw.col("likely_place"))
    return judged.with_columns(extra=(nw.col("exact") | nw.col("likely")) & (place > 1))


def _with_repeats_of_pandas(images: pd.DataFrame) -> pd.DataFrame:
    """Answer the same with the codes of find_duplicates: few rows are in a group, and only those are put in order."""
    codes = contents(images)
    alike = alikes(images, codes)
    exact, likely = several(codes), several(alike)
    groups = np.where(exact, codes, alike + codes.max(initial=-1) + 1)
    repeated = np.flatnonzero(exact | likely)
    some = images.take(repeated).reset_index(drop=True)
    order, _ = keeping_order(some, words_of(some, None), standing(some, None))
    in_order = repeated[order]
    extra = np.zeros(len(images), dtype=bool)
    extra[in_order] = pd.Series(groups[in_order]).duplicated().to_numpy()
    content = images["content_hash"].where(codes >= 0)
    return images.assign(content=content, exact=exact, likely=likely, extra=extra)


@question(
    *REPEAT_COLUMNS,
    answers={
        "kind": "str",
        "n_groups": "int64",
        **COUNTS,
        "n_extra": "int64",
        "extra_size_bytes": "Int64",
    },
)
def summarize_duplicates(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    Count the images that are there more than once, and what all but one of each hold.

    The listing tells no content: until the change feed was read, duplicates can only be likely, from the same
    number of bytes, pixels and type. ``find_duplicates`` names the groups and says which image should stay.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``id``, ``size_bytes``, ``width``, ``height``,
        ``mime_type``, ``is_public``, ``created_at`` and ``content_hash``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of up to three rows
        ``kind`` (``exact``: same content; ``likely``: look first; ``unknown``: the content was never read, and
        nothing looks like it), ``n_groups``, ``n_images``, ``size_bytes``, and ``n_extra`` and
        ``extra_size_bytes``, of all but one image of each group. Images that are there once have no row.

    Raises
    ------
    SchemaError
        If one of these columns is missing.

    Examples
    --------
    >>> images = make_images(content_hash=["f00", "F00", "ba4"], size_bytes=[700, 700, 50])
    >>> summarize_duplicates(images)
        kind  n_groups  n_images size_bytes  n_extra extra_size_bytes
    0  exact         1         2    1.4 KiB        1            700 B
    """
    extra = nw.col("extra")
    place = (
        nw.when(nw.col("exact"))
        .then(nw.lit(0))
        .when(nw.col("likely"))
        .then(nw.lit(1))
        .otherwise(nw.lit(2))
    )
    rows = with_repeats(images).with_columns(kind_place=place)
    told = rows.filter((nw.col("kind_place") < 2) | nw.col("content").is_null())
    table = count(
        told.with_columns(
            extra_size=nw.when(extra).then(summed(images)), n_extra=extra.cast(nw.Int64)
        ),
        "kind_place",
        n_extra=nw.col("n_extra").sum(),
        extra_size_bytes=nw.col("extra_size").sum(),
    ).sort("kind_place")
    in_groups = nw.col("kind_place") < 2
    return table.with_columns(
        kind=labelled("kind_place", ("exact", "likely", UNKNOWN)),
        n_groups=nw.when(in_groups)
        .then(nw.col("n_images") - nw.col("n_extra"))
        .otherwise(nw.lit(0)),
        extra_size_bytes=nw.when(~SIZE.is_null()).then(nw.col("extra_size_bytes")),
    )
