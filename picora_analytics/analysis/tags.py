"""Tags: how many images and bytes each has."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import narwhals.stable.v2 as nw

from picora_analytics.analysis.counting import COUNTS, SIZE, count, largest_first
from picora_analytics.analysis.question import By, FrameT, explode_tags, question

__all__ = ["summarize_tags"]


@question(
    "tags",
    "size_bytes",
    answers={"tag": "str", **COUNTS, "shared_size_bytes": "float64"},
)
def summarize_tags(images: FrameT, *, by: By | None = None) -> FrameT:
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
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (n_tags, 4)
        ``tag``, ``n_images``, ``size_bytes`` and ``shared_size_bytes``, largest ``size_bytes``
        first. A tag given twice to one image counts once.

    Raises
    ------
    SchemaError
        If ``tags`` or ``size_bytes`` is missing.

    Examples
    --------
    >>> images = make_images(tags=[("cat", "red"), ("cat",), ()], size_bytes=[700, 300, 50])
    >>> summarize_tags(images)
       tag  n_images size_bytes shared_size_bytes
    0  cat         2     1000 B             650 B
    1  red         1      700 B             350 B
    """
    one_tag_each = explode_tags(images).rename({"tags": "tag"})
    shared = one_tag_each.with_columns(shared=SIZE / nw.col("n_tags"))
    table = count(shared, "tag", shared=nw.col("shared").sum())
    known = nw.when(~SIZE.is_null()).then(nw.col("shared"))
    return largest_first(table.with_columns(shared_size_bytes=known), "tag")
