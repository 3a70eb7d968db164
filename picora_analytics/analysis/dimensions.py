"""Shapes: aspect, pixels, and what is larger than a page shows."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import narwhals.stable.v2 as nw

from picora_analytics.analysis.counting import (
    COUNTS,
    HEIGHT,
    UNKNOWN,
    WIDTH,
    count,
    labelled,
    largest_first,
    measured,
)
from picora_analytics.analysis.engines import in_arrow, out_of_arrow
from picora_analytics.analysis.question import By, FrameT, question

__all__ = ["MAX_EDGE", "SHAPES", "summarize_dimensions"]

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
def summarize_dimensions(
    images: FrameT, *, max_edge: int = MAX_EDGE, by: By | None = None
) -> FrameT:
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
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

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
              aspect  n_images size_bytes  median_megapixels  n_oversized
    0  landscape 4:3         2     1000 B               6.24            1
    1         square         1       50 B               0.25            0
    """
    pixels = WIDTH.cast(nw.Float64) * HEIGHT
    over = nw.max_horizontal("width", "height") > max_edge
    shaped = in_arrow(images).with_columns(
        ratio=nw.when(measured()).then(WIDTH / HEIGHT),
        megapixels=nw.when(measured()).then(pixels / 1e6),
        oversized=over.fill_null(False).cast(nw.Int64),
    )
    table = count(
        out_of_arrow(shaped.with_columns(shape=_shape_of(nw.col("ratio")))),
        "shape",
        median_megapixels=nw.col("megapixels").median(),
        n_oversized=nw.col("oversized").sum(),
    )
    return largest_first(in_arrow(table).with_columns(aspect=labelled("shape", SHAPES)), "aspect")


def _shape_of(ratio: nw.Expr) -> nw.Expr:
    """Give the place in SHAPES of each width over height."""
    place: nw.Expr = nw.when(ratio.is_null()).then(nw.lit(len(SHAPES) - 1)).otherwise(nw.lit(0))
    for index, (low, high) in enumerate(_BOUNDS.values()):
        place = nw.when(ratio.is_between(low, high)).then(nw.lit(index)).otherwise(place)
    return place
