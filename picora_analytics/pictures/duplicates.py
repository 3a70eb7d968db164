"""Duplicates, with what the service knows of the content: the feed tells it, the listing does not."""

from __future__ import annotations

from typing import Any, Self

import pandas as pd

from picora_analytics.analysis.decided import Decisions
from picora_analytics.analysis.duplicates import group_duplicates
from picora_analytics.analysis.everyday import check_pandas
from picora_analytics.client.client import Client
from picora_analytics.client.feed import read_changes
from picora_analytics.library.frame import STR
from picora_analytics.library.refresh.refreshing import sha256_in
from picora_analytics.pictures.accounts import check_account
from picora_analytics.progress import Progress, notice, progress_for
from picora_analytics.references.found import References
from picora_analytics.text import plural

__all__ = ["find_duplicates", "images_of"]

_ATTR = "picora_duplicates"


class _Riding(dict[str, Any]):
    """
    The images of the groups, riding along in ``attrs`` for who wants to look at them.

    pandas copies attrs with each step and writes them to Parquet; a copy is the same object, and a file holds an
    empty one.
    """

    images: pd.DataFrame

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def images_of(duplicates: pd.DataFrame) -> pd.DataFrame | None:
    """Give the rows of the frame that duplicates were found in; None where they no longer know."""
    riding = duplicates.attrs.get(_ATTR)
    return riding.images if isinstance(riding, _Riding) else None


def find_duplicates(
    images: pd.DataFrame,
    client: Client | None = None,
    *,
    references: References | None = None,
    decisions: Decisions | None = None,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """
    Find images that are the same picture, and say which one of each group should stay.

    Only *exact* groups are certain, and only these ever lead to a plan; *likely* ones have the same number of bytes,
    pixels and type, and are for looking. One image of each group stays: one that is referenced before one that was
    decided to be kept, before a public one, before the oldest upload, whose address is the one in old posts. Every
    other address may be in use as well.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    client : Client, optional
        Of the same account: where the content of an image is not known, the change feed is asked, 500 images a page.
    references : References, optional
        Of :func:`find_references`.
    decisions : path or DataFrame, optional
        As :func:`read_decisions` reads it. What it calls *not duplicates* is never put together.
    progress : Progress or bool, optional
        As for :func:`load_images`; False also leaves out the line that says that content was never read.

    Returns
    -------
    DataFrame
        ``group`` (int), ``id``, ``kind`` (*exact* or *likely*), ``kept`` (bool) and ``why``; exact groups first,
        those that waste most first, and in each the image that stays first. ``attrs["n_unknown"]`` counts the images
        whose content is not known.

    Raises
    ------
    PlanError
        If client or references are of another account, or decisions cannot be read.
    SchemaError
        If a column is missing.
    APIError
        If the feed cannot be read to its end.

    Examples
    --------
    >>> images = make_images(
    ...     content_hash=["f00", "f00", "ba4"],
    ...     created_at=["2026-02-01", "2026-01-01", "2026-01-01"],
    ... )
    >>> find_duplicates(images)[["group", "id", "kind", "kept", "why"]]
       group id   kind   kept                       why
    0      0  b  exact   True  stays: the oldest upload
    1      0  a  exact  False         same content as b
    """
    check_pandas(images, "find_duplicates")
    unknown = pd.Series(None, index=images.index, dtype=STR)
    hashes = images.get("content_hash", unknown)
    if client is not None and hashes.isna().any():
        hashes = hashes.fillna(_told_by_feed(images, client, progress))
    found = group_duplicates(images, hashes=hashes, references=references, decisions=decisions)
    n_unknown = found.attrs["n_unknown"]
    if images.index.name == "id" and images.index.is_unique:
        riding = found.attrs[_ATTR] = _Riding()
        riding.images = images.loc[images.index.isin(found["id"])]
    if n_unknown and progress is not False:
        cure = (
            "Picora did not tell, or told one hash for files of different sizes"
            if client is not None
            else "type pic.find_duplicates(images, client) to ask Picora"
        )
        notice(
            f"Of {n_unknown:,} of {plural(len(images), 'image')} it is not known which are the same file, so their "
            f"duplicates can only be likely; {cure}."
        )
    return found


def _told_by_feed(
    images: pd.DataFrame, client: Client, progress: Progress | bool | None
) -> pd.Series[Any]:
    """Read the content of the images from the feed, as far as it speaks of the images as they were loaded."""
    check_account(images, client, "find_duplicates")
    show = progress_for(progress, "Reading content")
    told: dict[str, tuple[Any, str | None]] = {}
    pages = read_changes(client)
    with client.reporting(show.wait):
        for page in pages or ():
            for change in page.changes:
                told[change.id] = (change.updated_at, sha256_in(change.content_hash))
            show.update(len(told), len(images))
    show.finish(
        f"Asked which of {plural(len(told), 'image')} are the same file"
        if pages is not None
        else "This service does not tell which images are the same file"
    )
    # An image that was edited since may be another file by now.
    hashes = [
        found[1] if (found := told.get(one)) is not None and found[0] == edited else None
        for one, edited in zip(images.index.tolist(), images["updated_at"].tolist(), strict=True)
    ]
    return pd.Series(hashes, index=images.index, dtype=STR)
