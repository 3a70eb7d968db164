"""The few pictures that stand in a report itself: public ones only, small, and without what cameras wrote into them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from picora_analytics.pictures.thumbnails import Thumbnail

__all__ = ["embedded"]


def embedded(images: pd.DataFrame, facts: dict[str, Any]) -> dict[str, str]:
    """
    Fetch the pictures of the piles and of what is new.

    Returns
    -------
    dict of str to str
        The address that holds the picture, by id. What is private, or has no picture, has none.
    """
    # Not at the top: a report without pictures needs no HTTP.
    from picora_analytics.pictures.thumbnails import Thumbnails, shrunk

    rows = [row for pile in facts["piles"] for row in pile["pictures"]]
    rows += facts["since"]["newest"] if facts["since"] else []
    public = list(dict.fromkeys(row["id"] for row in rows if row["is_public"]))
    found: dict[str, Thumbnail] = {}

    def keep(image_id: str, picture: Thumbnail | None) -> None:
        if picture is not None and (small := shrunk(picture)) is not None:
            found[image_id] = small

    wanted = images[images.index.isin(public) & ~images.index.duplicated()]
    if len(wanted):
        Thumbnails(demo=bool(facts["library"]["demo"])).fetch(wanted, keep)
    return {
        one: f"data:image/webp;base64,{base64.b64encode(found[one].data).decode('ascii')}"
        for one in public
        if one in found
    }
