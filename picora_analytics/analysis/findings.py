"""What stands out in a library, in a few sentences with a number each."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from picora_analytics.analysis import rules
from picora_analytics.analysis.sizes import summarize_concentration

__all__ = ["Finding", "find_notable"]

_SAME = ["size_bytes", "width", "height", "mime_type"]


class Finding(NamedTuple):
    """
    One thing that stands out.

    Attributes
    ----------
    text : str
    n_images : int
    size_bytes : int
        Bytes these images hold now; not what could be saved.
    """

    text: str
    n_images: int
    size_bytes: int


def find_notable(images: pd.DataFrame) -> list[Finding]:
    """
    Find what stands out; only what can be told from the listing.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it; its ``loaded_at`` is the day ages are counted from.

    Returns
    -------
    list of Finding
        Nothing is listed that no image shows.

    Examples
    --------
    >>> images = make_images(size_bytes=[900, 50, 50], width=[4000, 800, 800], filename=["a", "b", "c"])
    >>> for finding in find_notable(images):
    ...     print(finding.n_images, finding.text)
    1 Half of the storage is in 1 image (33 %)
    1 Over 2560 px on the longer edge
    1 Same bytes, pixels and type as another image: look whether it is a copy
    """
    if images.empty:
        return []
    found = []
    half = int(summarize_concentration(images)["n50"].iloc[0] or 0)
    if half:
        largest = images["size_bytes"].nlargest(half)
        plural = "image" if half == 1 else "images"
        share = f"{100 * half / len(images):.0f} %"
        found.append(
            Finding(
                f"Half of the storage is in {half:,} {plural} ({share})", half, int(largest.sum())
            )
        )
    forgotten = rules.older_than(images, days=730) & rules.untagged(images)
    known = images[_SAME].notna().all(axis="columns")
    for text, mask in (
        ("Over 2560 px on the longer edge", rules.oversized(images)),
        ("Over two years old, never tagged", forgotten),
        (
            "Same bytes, pixels and type as another image: look whether it is a copy",
            images.duplicated(_SAME) & known,
        ),
    ):
        rows = images[mask.fillna(False)]
        if len(rows):
            found.append(Finding(text, len(rows), int(rows["size_bytes"].sum())))
    return found
