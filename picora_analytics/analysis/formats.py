"""Formats and visibility."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import narwhals.stable.v2 as nw

from picora_analytics.analysis.counting import (
    COUNTS,
    HEIGHT,
    SHARES,
    SIZE,
    UNKNOWN,
    WIDTH,
    count,
    labelled,
    largest_first,
    measured,
    share,
    with_shares,
)
from picora_analytics.analysis.engines import in_arrow, out_of_arrow
from picora_analytics.analysis.question import By, FrameT, question

__all__ = ["summarize_formats", "summarize_visibility"]


@question(
    "mime_type",
    "size_bytes",
    "width",
    "height",
    answers={
        "mime_type": "str",
        **COUNTS,
        **SHARES,
        "median_size_bytes": "float64",
        "bytes_per_pixel": "float64",
    },
)
def summarize_formats(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    Count images and bytes per format, and what a pixel costs in each.

    ``bytes_per_pixel`` is of the images whose size and pixels are both known; an SVG has none.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``mime_type``, ``size_bytes``,
        ``width`` and ``height``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (n_formats, 7)
        ``mime_type`` (``unknown`` where missing), ``n_images``, ``size_bytes``, ``image_share``
        and ``size_share`` (0 to 1) of the library the images were loaded from,
        ``median_size_bytes`` and ``bytes_per_pixel``; largest ``size_bytes`` first.

    Raises
    ------
    SchemaError
        If one of these columns is missing.

    Examples
    --------
    >>> images = make_images(mime_type=["image/png", "image/png", None], size_bytes=[600, 300, 100])
    >>> summarize_formats(images)[["mime_type", "n_images", "size_bytes", "size_share"]]
       mime_type  n_images size_bytes  size_share
    0  image/png         2      900 B         0.9
    1    unknown         1      100 B         0.1
    """
    both = measured() & ~SIZE.is_null()
    weighed = in_arrow(images).with_columns(
        mime_type=nw.col("mime_type").fill_null(UNKNOWN),
        pixels=nw.when(both).then(WIDTH.cast(nw.Float64) * HEIGHT),
        weighed=nw.when(both).then(SIZE.cast(nw.Float64)),
    )
    table = count(
        out_of_arrow(weighed),
        "mime_type",
        median_size_bytes=SIZE.median(),
        pixels=nw.col("pixels").sum(),
        weighed=nw.col("weighed").sum(),
    ).with_columns(bytes_per_pixel=share(nw.col("weighed"), nw.col("pixels")))
    return largest_first(with_shares(in_arrow(table), images), "mime_type")


@question("is_public", "size_bytes", answers={"visibility": "str", **COUNTS, **SHARES})
def summarize_visibility(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    Count images and bytes that are public, private, or of unknown visibility.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``is_public`` and ``size_bytes``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of up to three rows
        ``visibility`` (``public``, ``private``, ``unknown``, in this order), ``n_images``,
        ``size_bytes``, and ``image_share`` and ``size_share`` (0 to 1) of the library the images
        were loaded from.

    Raises
    ------
    SchemaError
        If ``is_public`` or ``size_bytes`` is missing.

    Examples
    --------
    >>> images = make_images(is_public=[True, True, None], size_bytes=[500, 250, 250])
    >>> summarize_visibility(images)
      visibility  n_images size_bytes  image_share  size_share
    0     public         2      750 B     0.666667        0.75
    1    unknown         1      250 B     0.333333        0.25
    """
    public = nw.col("is_public")
    place = nw.when(public.is_null()).then(nw.lit(2)).otherwise((~public).cast(nw.Int64))
    table = count(in_arrow(images).with_columns(place=place), "place").sort("place")
    visibility = labelled("place", ("public", "private", UNKNOWN))
    return with_shares(table.with_columns(visibility=visibility), images)
