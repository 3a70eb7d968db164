"""What kind: shapes, tags, formats and visibility."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import narwhals as nw

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
from picora_analytics.analysis.question import FrameT, explode_tags, question

__all__ = [
    "MAX_EDGE",
    "summarize_dimensions",
    "summarize_formats",
    "summarize_tags",
    "summarize_visibility",
]

# WordPress scales what is longer down to this since 5.3 (filter big_image_size_threshold).
MAX_EDGE = 2560

# Width over height. The common shapes are met within 3 %: cameras crop and editors round. Where
# two rows hold, the later one counts.
_BOUNDS = {
    "other landscape": (1, math.inf),
    "other portrait": (0, 1),
    "square": (0.95, 1.05),
    "panorama": (math.nextafter(2.5, 3), math.inf),
    "tall strip": (0, math.nextafter(1 / 2.5, 0)),
    **{
        f"{name} {wide}:{high}": (0.97 * wide / high, 1.03 * wide / high)
        for name, wide, high in [
            ("landscape", 4, 3),
            ("landscape", 3, 2),
            ("landscape", 16, 9),
            ("portrait", 3, 4),
            ("portrait", 2, 3),
            ("portrait", 9, 16),
        ]
    },
}
SHAPES = (*_BOUNDS, UNKNOWN)


@question(
    "size_bytes",
    "width",
    "height",
    answers={
        "aspect": "str",
        **COUNTS,
        "median_megapixels": "float64",
        "n_oversized": "int64",
    },
)
def summarize_dimensions(images: FrameT, *, max_edge: int = MAX_EDGE) -> FrameT:
    """
    Count images and bytes per shape, and how many are larger than a page shows.

    SVGs, and images the service has not measured, have no pixel size: they are in the row
    ``unknown``. Only what is known to be oversized counts as oversized.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``size_bytes``, ``width``, ``height``.
    max_edge : int
        Images whose longer edge has more pixels count as oversized. 2560 is where WordPress
        begins to scale down.

    Returns
    -------
    same type as ``images``, of shape (n_shapes, 5)
        ``aspect`` (``square`` is 0.95 to 1.05; ``landscape 4:3``, ``3:2`` and ``16:9`` and their
        portrait twins within 3 %; ``panorama`` wider than 2.5; ``tall strip`` its twin; the rest
        ``other landscape`` and ``other portrait``), ``n_images``, ``size_bytes``,
        ``median_megapixels`` and ``n_oversized``; largest ``size_bytes`` first.

    Raises
    ------
    SchemaError
        If one of these columns is missing.

    Examples
    --------
    >>> images = make_images(
    ...     width=[4000, 800, 500], height=[3000, 600, 500], size_bytes=[900, 100, 50]
    ... )
    >>> summarize_dimensions(images)
              aspect  n_images  size_bytes  median_megapixels  n_oversized
    0  landscape 4:3         2        1000               6.24            1
    1         square         1          50               0.25            0
    """
    pixels = WIDTH.cast(nw.Float64) * HEIGHT
    over = nw.max_horizontal("width", "height") > max_edge
    shaped = images.with_columns(
        ratio=nw.when(measured()).then(WIDTH / HEIGHT),
        megapixels=nw.when(measured()).then(pixels / 1e6),
        oversized=over.fill_null(False).cast(nw.Int64),
    )
    table = count(
        shaped.with_columns(shape=_shape_of(nw.col("ratio"))),
        "shape",
        median_megapixels=nw.col("megapixels").median(),
        n_oversized=nw.col("oversized").sum(),
    )
    return largest_first(table.with_columns(aspect=labelled("shape", SHAPES)), "aspect")


@question(
    "tags",
    "size_bytes",
    answers={"tag": "str", **COUNTS, "shared_size_bytes": "float64"},
)
def summarize_tags(images: FrameT) -> FrameT:
    """
    Count images and bytes per tag.

    An image with three tags counts under each of the three, so ``size_bytes`` adds up to more
    than the library. ``shared_size_bytes`` gives each tag a third of it, and does add up: with the
    images that have no tag it is the library. Images without tags, or whose tags are not known,
    are left out.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``tags`` and ``size_bytes``.

    Returns
    -------
    same type as ``images``, of shape (n_tags, 4)
        ``tag``, ``n_images``, ``size_bytes`` and ``shared_size_bytes``, largest ``size_bytes``
        first. A tag said twice of one image counts once.

    Raises
    ------
    SchemaError
        If ``tags`` or ``size_bytes`` is missing.

    Examples
    --------
    >>> images = make_images(tags=[("cat", "red"), ("cat",), ()], size_bytes=[700, 300, 50])
    >>> summarize_tags(images)
       tag  n_images  size_bytes  shared_size_bytes
    0  cat         2        1000              650.0
    1  red         1         700              350.0
    """
    one_tag_each = explode_tags(images).rename({"tags": "tag"})
    shared = one_tag_each.with_columns(shared=SIZE / nw.col("n_tags"))
    table = count(shared, "tag", shared=nw.col("shared").sum())
    known = nw.when(~SIZE.is_null()).then(nw.col("shared"))
    return largest_first(table.with_columns(shared_size_bytes=known), "tag")


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
def summarize_formats(images: FrameT) -> FrameT:
    """
    Count images and bytes per format, and what a pixel costs in each.

    ``bytes_per_pixel`` is of the images whose size and pixels are both known; an SVG has none.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``mime_type``, ``size_bytes``,
        ``width`` and ``height``.

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
       mime_type  n_images  size_bytes  size_share
    0  image/png         2         900         0.9
    1    unknown         1         100         0.1
    """
    both = measured() & ~SIZE.is_null()
    weighed = images.with_columns(
        mime_type=nw.col("mime_type").fill_null(UNKNOWN),
        pixels=nw.when(both).then(WIDTH.cast(nw.Float64) * HEIGHT),
        weighed=nw.when(both).then(SIZE.cast(nw.Float64)),
    )
    table = count(
        weighed,
        "mime_type",
        median_size_bytes=SIZE.median(),
        pixels=nw.col("pixels").sum(),
        weighed=nw.col("weighed").sum(),
    ).with_columns(bytes_per_pixel=share(nw.col("weighed"), nw.col("pixels")))
    return largest_first(with_shares(table, images), "mime_type")


@question("is_public", "size_bytes", answers={"visibility": "str", **COUNTS, **SHARES})
def summarize_visibility(images: FrameT) -> FrameT:
    """
    Count images and bytes that are public, private, or of unknown visibility.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``is_public`` and ``size_bytes``.

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
      visibility  n_images  size_bytes  image_share  size_share
    0     public         2         750     0.666667        0.75
    1    unknown         1         250     0.333333        0.25
    """
    public = nw.col("is_public")
    place = nw.when(public.is_null()).then(nw.lit(2)).otherwise((~public).cast(nw.Int64))
    table = count(images.with_columns(place=place), "place").sort("place")
    visibility = labelled("place", ("public", "private", UNKNOWN))
    return with_shares(table.with_columns(visibility=visibility), images)


def _shape_of(ratio: nw.Expr) -> nw.Expr:
    """Give the place in SHAPES of each width over height."""
    place: nw.Expr = nw.when(ratio.is_null()).then(nw.lit(len(SHAPES) - 1)).otherwise(nw.lit(0))
    for index, (low, high) in enumerate(_BOUNDS.values()):
        place = nw.when(ratio.is_between(low, high)).then(nw.lit(index)).otherwise(place)
    return place
