"""Which images hold the same bytes, as their hashes say and their sizes do not contradict."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.library.frame import spelled_one_way

__all__ = ["Ints", "contents", "of_one_size", "same_hash", "several"]

Ints = npt.NDArray[np.int64]


def contents(images: pd.DataFrame, hashes: pd.Series[Any] | None = None) -> Ints:
    """
    Number the contents of images: equal numbers for equal content, -1 where it is not known.

    A hash that images of different sizes are said to have is wrong for some of them, no one knows which: the
    content of none of them is known.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
    hashes : Series of str, optional
        The hash of each image, row by row; by default ``content_hash``.
    """
    return of_one_size(same_hash(images["content_hash"] if hashes is None else hashes), images)


def of_one_size(codes: Ints, images: pd.DataFrame) -> Ints:
    """Give the codes of :func:`same_hash`, -1 for those that images of different sizes share."""
    rows = np.flatnonzero(several(codes))
    if not len(rows) or "size_bytes" not in images.columns:
        return codes
    differ = images["size_bytes"].take(rows).groupby(codes[rows]).nunique() > 1
    return np.where(np.isin(codes, differ.index[differ]), -1, codes)


def same_hash(hashes: pd.Series[Any]) -> Ints:
    """Number hashes as they are told: equal numbers for equal hashes, -1 where there is none."""
    return np.asarray(pd.factorize(spelled_one_way(hashes))[0], dtype=np.int64)


def several(codes: Ints) -> npt.NDArray[np.bool_]:
    """Tell the rows whose code another row has as well; -1 is no code."""
    return (codes >= 0) & (np.bincount(codes + 1)[codes + 1] > 1)
