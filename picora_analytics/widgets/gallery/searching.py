"""Looking for words in the names, titles, tags and ids of images."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.widgets.gallery.selection import Bools

__all__ = ["having"]

_TEXTS = ("filename", "title")
MOST_WORDS = 8


def having(images: pd.DataFrame, text: str) -> Bools:
    """
    Tell which images have every word of a text in their name, title, tags or id; an empty text is in all.

    Case and Unicode's compatible forms make no difference. It is no pattern: a dot is a dot.

    Examples
    --------
    >>> having(make_images(filename=["Roof.png", "cat.gif"], tags=[("house",), ()]), "ROOF house")
    array([ True, False])
    """
    found = np.ones(len(images), dtype=bool)
    words = unicodedata.normalize("NFKC", text).casefold().split()[:MOST_WORDS]
    if not words or not len(images):
        return found
    texts = [_normal(pa.array(images.index.array, pa.string()))]
    texts += [
        _normal(pa.array(images[name].array, pa.string(), from_pandas=True))
        for name in _TEXTS
        if name in images
    ]
    codes, tags = _tags(images)
    for word in words:
        own = np.zeros(len(images), dtype=bool)
        for column in texts:
            own |= pc.fill_null(pc.match_substring(column, word), False).to_numpy(
                zero_copy_only=False
            )
        if len(tags):
            with_word = np.array([word in tag for tag in tags] + [False])
            own |= with_word[codes]
        found &= own
    return found


def _normal(column: Any) -> Any:
    return pc.utf8_lower(pc.utf8_normalize(column, "NFKC"))


def _tags(images: pd.DataFrame) -> tuple[Any, list[str]]:
    """Give the number of each row's tags, -1 for none, and what stands behind the numbers, as one text each."""
    if "tags" not in images:
        return np.array([], dtype=np.int64), []
    column = images["tags"].to_numpy(dtype=object)
    try:
        codes, different = pd.factorize(column)
    except TypeError:  # Arrays, as plain pandas reads them from Parquet.
        codes, different = pd.factorize(
            np.fromiter((_tuple(one) for one in column), dtype=object, count=len(column))
        )
    texts = ["\n".join(map(str, one)) if isinstance(one, tuple) else "" for one in different]
    return codes, [unicodedata.normalize("NFKC", one).casefold() for one in texts]


def _tuple(tags: Any) -> Any:
    return tuple(tags) if isinstance(tags, np.ndarray | list | tuple) else None
