"""
Rules: which images? One three-valued answer per image, to combine with ``&``, ``|`` and ``~``.

True and False are answers about what is known; ``<NA>`` means that the rule cannot tell. So neither
``~tagged(images, "keep")`` nor ``~(a & b)`` turns silence into evidence, and a plan spares what
is unknown.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from picora_analytics.analysis.content import contents, several
from picora_analytics.analysis.dates import Instant, days_before, instant, now_of
from picora_analytics.analysis.decided import decided, hidden_for
from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.analysis.masks import TAGGED, three_valued
from picora_analytics.analysis.question import read_pandas, tag_lists
from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import facts_of
from picora_analytics.references.found import COULD_NOT_LOOK, NOT_FOUND, References
from picora_analytics.text import folded, shorten
from picora_analytics.units import parse_storage

__all__ = [
    "decided",
    "duplicated",
    "hidden_for",
    "larger_than",
    "not_found_in",
    "older_than",
    "oversized",
    "private",
    "tagged",
    "untagged",
    "uploaded_before",
]


# Columns of a tag in a message, and letters of it that are compared with others.
_SHOWN, _COMPARED = 60, 100


def older_than(images: pd.DataFrame, days: float, *, now: Instant | None = None) -> pd.Series[Any]:
    """
    Tell the images uploaded more than `days` ago.

    This is the age of the upload. Old is not unused: the pictures of a much-read post are old.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``created_at``.
    days : int or float
        An image is older when more than this many days of 24 hours have passed.
    now : str, date or datetime, optional
        The instant ages count from; by default the moment of the load, not the clock's.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the upload date is missing.

    Raises
    ------
    SchemaError
        If ``created_at`` is missing, or `now` is not given and the images do not know it.
    TypeError
        If ``images`` is not a pandas DataFrame.
    ValueError
        If `days` is not a number of 0 or more.

    Examples
    --------
    >>> images = make_images(created_at=["2026-01-01", "2026-06-30", None])
    >>> older_than(images, 30, now="2026-07-04")
    id
    a     True
    b    False
    c     <NA>
    Name: older_than_30_days, dtype: boolean
    """
    if isinstance(days, bool) or not isinstance(days, Real) or not 0 <= days < math.inf:
        raise ValueError(f"days={days!r} is not an age: give a number of days, 0 or more.")
    uploaded = read_pandas(images, ["created_at"], "older_than")["created_at"]
    moment = now_of(facts_of(images), now, "older_than")
    edge = days_before(moment, days)
    return _before(images, uploaded, edge, f"older_than_{days:g}_days")


def uploaded_before(images: pd.DataFrame, date: Instant) -> pd.Series[Any]:
    """
    Tell the images uploaded before a date.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``created_at``.
    date : str, date or datetime
        ``"2022-01-01"`` is its first instant, which is not before itself. Without a zone it is UTC.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the upload date is missing.

    Raises
    ------
    SchemaError
        If ``created_at`` is missing.
    TypeError
        If ``images`` is not a pandas DataFrame, or `date` neither text nor a date.
    ValueError
        If `date` cannot be read.

    Examples
    --------
    >>> images = make_images(created_at=["2021-12-31", "2022-01-01", None])
    >>> uploaded_before(images, "2022-01-01").tolist()
    [True, False, <NA>]
    """
    uploaded = read_pandas(images, ["created_at"], "uploaded_before")["created_at"]
    edge = instant(date, "date")
    return _before(images, uploaded, edge, f"uploaded_before_{edge:%Y_%m_%d}")


def larger_than(images: pd.DataFrame, size: int | str) -> pd.Series[Any]:
    """
    Tell the images whose file is larger than a size.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``size_bytes``.
    size : int or str
        Bytes, or text such as ``"5 MiB"``. A file of exactly this size is not larger.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the size is missing.

    Raises
    ------
    SchemaError
        If ``size_bytes`` is missing.
    TypeError
        If ``images`` is not a pandas DataFrame.
    ValueError
        If `size` cannot be read.

    Examples
    --------
    >>> larger_than(make_images(size_bytes=[2048, 1024, None]), "1 KiB").tolist()
    [True, False, <NA>]
    """
    sizes = read_pandas(images, ["size_bytes"], "larger_than")["size_bytes"]
    limit = parse_storage(size)
    larger = (sizes > limit).fillna(False)
    return three_valued(images, larger, sizes.isna(), f"larger_than_{limit}_bytes")


def untagged(images: pd.DataFrame) -> pd.Series[Any]:
    """
    Tell the images that are known to have no tag.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``tags``.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the service did not say which tags an image has.

    Raises
    ------
    SchemaError
        If ``tags`` is missing.
    TypeError
        If ``images`` is not a pandas DataFrame.

    Examples
    --------
    >>> untagged(make_images(tags=[("cat",), (), None])).tolist()
    [False, True, <NA>]
    """
    lists = tag_lists(images, "untagged")
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(False)
    return three_valued(images, lengths == 0, lists.is_null(), "untagged")


def tagged(images: pd.DataFrame, *tags: str) -> pd.Series[Any]:
    """
    Tell the images that have one of these tags, or several.

    A tag that no image has is an error, because ``~tagged(images, "kepe")`` would otherwise be the
    whole library.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``tags``.
    *tags : str
        Tags exactly as they are written, upper and lower case.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the service did not say which tags an image has.

    Raises
    ------
    SchemaError
        If ``tags`` is missing.
    TypeError
        If ``images`` is not a pandas DataFrame, or a tag is not text.
    ValueError
        If no tag is given, or an image is there and none has the tag.

    Examples
    --------
    >>> images = make_images(tags=[("cat", "red"), ("dog",), (), None])
    >>> tagged(images, "cat", "dog").tolist()
    [True, True, False, <NA>]
    """
    lists = tag_lists(images, "tagged")
    if not tags:
        raise ValueError("tagged() was given no tag: name one, as in tagged(images, 'keep').")
    for tag in tags:
        if not isinstance(tag, str):
            raise TypeError(f"A tag is text; {tag!r} is {type(tag).__name__}.")
    encoded = pc.list_flatten(lists).dictionary_encode()
    known = encoded.dictionary.to_pylist()
    for tag in tags:
        if tag not in known and len(images):
            raise ValueError(_no_such_tag(tag, known))
    wanted = [place for place, tag in enumerate(known) if tag in tags]
    rows = pc.list_parent_indices(lists).to_numpy(False)
    found = np.zeros(len(images), dtype=bool)
    found[rows[np.isin(encoded.indices.to_numpy(False), wanted)]] = True
    mask = three_valued(
        images,
        found,
        lists.is_null(),
        f"tagged_{'_or_'.join(shorten(tag, _SHOWN) for tag in tags)}",
    )
    mask.attrs[TAGGED] = list(tags)
    return mask


def private(images: pd.DataFrame) -> pd.Series[Any]:
    """
    Tell the images that are known to be private.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``is_public``.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the service did not say.

    Raises
    ------
    SchemaError
        If ``is_public`` is missing.
    TypeError
        If ``images`` is not a pandas DataFrame.

    Examples
    --------
    >>> private(make_images(is_public=[True, False, None])).tolist()
    [False, True, <NA>]
    """
    public = read_pandas(images, ["is_public"], "private")["is_public"]
    return three_valued(images, ~public.fillna(True), public.isna(), "private")


def oversized(images: pd.DataFrame, max_edge: int = MAX_EDGE) -> pd.Series[Any]:
    """
    Tell the images whose longer edge has more pixels than a page shows.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``width`` and ``height``.
    max_edge : int
        Pixels. 2560 is where WordPress begins to scale down.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the pixels are missing, as of SVGs, unless the one edge that is known is
        over the limit already.

    Raises
    ------
    SchemaError
        If ``width`` or ``height`` is missing.
    TypeError
        If ``images`` is not a pandas DataFrame.
    ValueError
        If `max_edge` is not a whole number above 0.

    Examples
    --------
    >>> oversized(make_images(width=[4000, 2560, None], height=[3000, 1440, None])).tolist()
    [True, False, <NA>]
    """
    if isinstance(max_edge, bool) or not isinstance(max_edge, int | np.integer) or max_edge <= 0:
        raise ValueError(f"max_edge={max_edge!r} is not a length: give whole pixels above 0.")
    edges = read_pandas(images, ["width", "height"], "oversized")
    over = (edges > max_edge).fillna(False).any(axis="columns")
    unknown = (edges.fillna(0) <= 0).any(axis="columns")  # A width of 0 is unknown.
    return three_valued(images, over, unknown & ~over, f"oversized_over_{max_edge}_px")


def duplicated(images: pd.DataFrame) -> pd.Series[Any]:
    """
    Tell the images whose very content was uploaded earlier.

    Of equal files the oldest upload is not a duplicate: its address is the one in old posts. But
    the other addresses may be in use as well.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``content_hash`` and ``created_at``, and ``size_bytes`` where it is
        there: a hash of images of different sizes is not of their content.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where the content is not known, and for a copy without an upload date. Equal upload
        times count by ``id``.

    Raises
    ------
    SchemaError
        If ``created_at`` is missing, the index is not ``id``, or the content of no image is known:
        the message shows the line that reads it.
    TypeError
        If ``images`` is not a pandas DataFrame.

    Examples
    --------
    >>> images = make_images(
    ...     content_hash=["f00", "f00", None], created_at=["2026-02-01", "2026-01-01", "2026-01-01"]
    ... )
    >>> duplicated(images).tolist()
    [True, False, <NA>]
    """
    rows = read_pandas(images, ["id", "created_at"], "duplicated")
    told = [name for name in ("content_hash", "size_bytes") if name in images.columns]
    facts = read_pandas(images, told, "duplicated")
    hashed = "content_hash" in facts and facts["content_hash"].notna().any()
    if len(rows) and not hashed:
        raise SchemaError(
            "Which of these images are the same file is not known yet: a first load does not ask. Type images = "
            "pic.load_images(client) once more, which does, or look at pic.find_duplicates(images, client)."
        )
    rows["content"] = contents(facts) if hashed else -1
    copied = several(rows["content"].to_numpy())
    by_upload = rows[copied].sort_values(["created_at", "id"])
    later = by_upload.duplicated("content").reindex(rows.index, fill_value=False)
    unknown = (rows["content"] < 0) | (copied & rows["created_at"].isna())
    return three_valued(images, later, unknown, "duplicated")


def not_found_in(images: pd.DataFrame, references: References) -> pd.Series[Any]:
    """
    Tell the images that references were looked for and not found; that is not "unused".

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    references : References
        Of :func:`find_references`.

    Returns
    -------
    Series of boolean, aligned to ``images``
        False for what was found, in the history of a repository as well; ``<NA>`` where not everything could be
        looked at, and for images that were not looked for.

    Raises
    ------
    PlanError
        If the references are of another account.
    TypeError
        If ``images`` is not a pandas DataFrame, or ``references`` are no :class:`References`.
    """
    if not isinstance(references, References):
        raise TypeError(
            f"references is a {type(references).__name__}; look for them with "
            'references = find_references(images, "site/").'
        )
    read_pandas(images, ["id"], "not_found_in")
    facts = facts_of(images)
    references.refuse_other_account(None if facts is None else facts["account"])
    status = references.status(images.index)
    return three_valued(
        images, status == NOT_FOUND, status == COULD_NOT_LOOK, "not_found_in_references"
    )


def _before(
    images: pd.DataFrame, uploaded: pd.Series[Any], edge: dt.datetime, name: str
) -> pd.Series[Any]:
    naive = edge.astimezone(dt.UTC).replace(tzinfo=None)
    return three_valued(images, uploaded < naive, uploaded.isna(), name)


def _no_such_tag(tag: str, known: Sequence[str]) -> str:
    by_folded = {folded(other[:_COMPARED]): other for other in reversed(known)}
    near = difflib.get_close_matches(folded(tag[:_COMPARED]), by_folded, n=3)
    shown = [repr(shorten(by_folded[key], _SHOWN)) for key in near]
    hint = f"Nearest: {', '.join(shown)}." if near else "See summarize_tags(images)."
    return f"No image has the tag {shorten(tag, _SHOWN)!r}. {hint}"


def __getattr__(name: str) -> Any:
    if name in ("unused", "used", "orphaned"):
        raise AttributeError(
            f"There is no rules.{name}: nobody can know that. Look where images are used with "
            'references = pic.find_references(images, "site/", git="."), and choose with '
            "rules.not_found_in(images, references), or spare what is found with protect=references."
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
