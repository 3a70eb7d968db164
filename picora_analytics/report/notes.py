"""What a report says about its own numbers: what is missing, what is unknown, and what words mean."""

from __future__ import annotations

from typing import Any

import pandas as pd

from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.library.frame import Facts
from picora_analytics.text import plural, visible

__all__ = ["DEFINITIONS", "NOT_KNOWN", "caveats", "data_notes"]

NOT_KNOWN = "Not known: which images are viewed or embedded. The list does not say it."
DEFINITIONS = (
    "KiB, MiB and GiB are binary (1 GiB is 1024 x 1024 x 1024 bytes), as Picora counts its plans.",
    "Ages count from the moment of the load, and are of the upload, not of the picture: after a move "
    "from another host everything is new.",
    "Growth is of the images that are still there; what was deleted since is in no list.",
    "Copies: equal content where the service told its hash, the oldest upload not counted; else only "
    "equal bytes, pixels and type, which is likely and no proof.",
    f"Over {MAX_EDGE} px: there WordPress begins to scale down. What it could save is the share of "
    "pixels beyond it, at most.",
    "An image with three tags counts under each of the three, so the rows of tags add up to more "
    "than the library.",
    "Untagged means known to have no tag. Unknown visibility is treated as private.",
    "Weeks begin on Monday; weeks, months and years are UTC.",
)


def caveats(images: pd.DataFrame, about: Facts | None) -> list[str]:
    """Say why these images are not the whole library; nothing if they are."""
    if about is None:
        return [
            "These images do not say where they come from or when they were read: no share of the "
            "quota and no ages. Pass the frame as load_images made it."
        ]
    found = []
    n, whole = len(images), about["n_images"]
    if n != whole:
        found.append(
            f"These are {n:,} of the {plural(whole, 'image')} that were loaded: a part, not the library."
        )
    if about["scope"] != "library":
        found.append(
            f"Only the images of {visible(about['scope'])} were loaded: a part, not the library."
        )
    if about["status"] != "complete":
        found.append("The load ended early: images are missing here.")
    return found


def data_notes(totals: dict[str, Any], about: Facts | None, *, dated: bool) -> list[str]:
    """Say what is unknown for how many images, and what that means for the numbers."""
    n_images = totals["n_images"]

    def of(name: str) -> str:
        n = totals[name]
        return "" if not n else f"{n:,} of {n_images:,} images" if n != n_images else "All images"

    found = [
        f"{who} {what}"
        for who, what in (
            (of("n_without_size"), "have no known size and are left out of every sum of bytes."),
            (of("n_without_dimensions"), "have no known width and height, as SVGs have none."),
            (
                of("n_tags_unknown"),
                "have tags that the service did not say; none counts as untagged.",
            ),
            (of("n_visibility_unknown"), "have an unknown visibility."),
            (of("n_without_upload_date"), "have no upload date and are left out of growth."),
        )
        if who
    ]
    if about is not None:
        unreadable = about["checks"].get("unreadable") or {}
        if isinstance(unreadable, dict):
            for field, n in sorted(unreadable.items()):
                found.append(
                    f"{visible(field)} could not be read of {plural(n, 'row')} and is missing there."
                )
        if n := about["checks"].get("repeated"):
            found.append(f"{plural(n, 'row')} came twice and count{'s' * (n == 1)} once.")
    if not dated:
        found.append("The moment of the load is not known, so nothing is said about ages.")
    return found
