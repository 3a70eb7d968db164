"""A long plan looked at in portions, month by month or pile by pile: what was not seen is kept."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.analysis.decided import standing
from picora_analytics.cleanup.plan.columns import Bools, among
from picora_analytics.library.frame import STR, sums_dtype, total_bytes

__all__ = ["decided_in", "labels", "portions_of", "wished"]

Decisions = str | os.PathLike[str] | pd.DataFrame
UNKNOWN = "unknown"


def labels(images: pd.DataFrame, by: str) -> pd.Series[Any]:
    """
    Give the portion of each image.

    Raises
    ------
    ValueError
        If `by` is neither ``month`` nor ``pile``.
    """
    if by == "pile":
        return images["reason"].astype(object)
    if by == "month":
        months: pd.Series[Any] = images["created_at"].dt.strftime("%Y-%m").astype(object)
        return months.fillna(UNKNOWN)
    raise ValueError(f"by={by!r} is no way to part a plan: say month or pile.")


def decided_in(images: pd.DataFrame, decisions: Decisions | None) -> Bools:
    """Tell the images of which something was decided that still stands; *later* comes back on its day."""
    return among(images.index, standing(images, decisions).of)


def wished(images: pd.DataFrame, decisions: Decisions) -> Bools:
    """Tell the images that were seen and are wished to be deleted; doubt wishes nothing."""
    said = standing(images, decisions)
    ids = [one for one, word in said.of.items() if word == "delete" and one not in said.spared]
    return among(images.index, ids)


def portions_of(images: pd.DataFrame, by: str, decisions: Decisions | None) -> pd.DataFrame:
    """Count the images of each portion, and those of which something was decided."""
    names, seen = labels(images, by), decided_in(images, decisions)
    order = sorted(names.unique()) if by == "month" else list(names.unique())
    rows = [
        (name, int(own.sum()), total_bytes(images["size_bytes"][own]), int((own & seen).sum()))
        for name in order
        for own in [np.asarray(names == name)]
    ]
    kinds = {"portion": STR, "n_images": "int64", "size_bytes": "int64", "n_decided": "int64"}
    kinds["size_bytes"] = sums_dtype(size for _, _, size, _ in rows)
    return pd.DataFrame(rows, columns=list(kinds)).astype(kinds)  # type: ignore[arg-type,unused-ignore]
