"""Findings: what one could do in a library, and what is worth knowing, in a sentence with a number each."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.analysis import rules
from picora_analytics.analysis.criteria import Criteria
from picora_analytics.analysis.decided import Decisions, standing
from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.analysis.question import read_pandas
from picora_analytics.analysis.savings import FLOOR, LEAST_POWER
from picora_analytics.analysis.sizes import summarize_concentration
from picora_analytics.analysis.uploads import summarize_growth
from picora_analytics.library.frame import facts_of, total_bytes
from picora_analytics.references.found import References
from picora_analytics.text import plural
from picora_analytics.times import day
from picora_analytics.units import format_bytes

__all__ = ["Finding", "list_findings"]

_SAME = ["size_bytes", "width", "height", "mime_type"]

Mask = npt.NDArray[np.bool_]

OLD_DAYS, NEW_DAYS = 730, 30
# More than this share of the uploads in one week, of at least this many images: perhaps a move from elsewhere.
MOVE_SHARE, _MOVE_IMAGES = 0.4, 20
# Half of the bytes in at most this part of the images is worth a line.
_FEW = 0.25
# A part of the listed bytes below which the service's own count is near enough.
_UNEXPLAINED, MIB = 0.005, 1024**2


Group = Literal["could do", "worth knowing"]


class _Statement(NamedTuple):
    """What a finding says, whatever its numbers."""

    kind: str
    group: Group
    text: str
    sure: str
    code: str
    shell: str | None = None


class Finding(NamedTuple):
    """
    What one may do about some images, or should know of them, and the line of Python that gives them.

    Attributes
    ----------
    kind : str
        A name that stays, for programs.
    group : {"could do", "worth knowing"}
    text : str
    sure : str
        What the statement rests on.
    code : str
        Python that gives these rows, with ``images`` and ``pic`` at hand.
    shell : str or None
        The command that plans for them, where there is one.
    n_images : int
    size_bytes : int or None
        Bytes these images hold now; None where no size is known.
    could_save_low_bytes, could_save_bytes : int or None
        Estimated bytes that smaller copies would save at least, and at most; None where that is not the question.
    rows : array of bool
        True for these images, in the order of the frame.
    """

    kind: str
    group: Group
    text: str
    sure: str
    code: str
    shell: str | None
    n_images: int
    size_bytes: int | None
    could_save_low_bytes: int | None
    could_save_bytes: int | None
    rows: Mask


def list_findings(
    images: pd.DataFrame,
    most: int = 7,
    *,
    references: References | None = None,
    decisions: Decisions | None = None,
) -> list[Finding]:
    """
    Find what one could do, by how little it would be missed, and then what is worth knowing.

    Only what the listing tells: which images are viewed or embedded is not in it. Where the frame
    does not know when it was loaded, nothing is said about age.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``; ages are counted from its ``loaded_at``.
    most : int
        Maximum number of findings.
    references : References, optional
        Of a search in a user's own pages.
    decisions : path or DataFrame, optional
        What was decided to be kept is no finding.

    Returns
    -------
    list of Finding
        None of them without an image.

    Raises
    ------
    SchemaError
        If a column is missing.

    Examples
    --------
    >>> images = make_images(size_bytes=[900, 50, 50], created_at=["2020-01-01", "2026-01-01", None])
    >>> for finding in list_findings(images):
    ...     print(finding.n_images, finding.kind, "-", finding.text)
    1 likely copies - Probably the same picture twice
    1 old and untagged - Uploaded over two years ago, never tagged
    """
    if images.empty:
        return []
    facts = facts_of(images)
    dated = facts is not None and bool(facts["loaded_at"])
    found = [
        *_duplicates(images),
        *_likely_duplicates(images),
        *(_old(images) if dated else []),
        *(_old_not_found(images, references) if dated and references is not None else []),
        *_too_large(images),
        *_unexplained(images),
        *_concentrated(images),
        *_one_week(images),
        *(_new_untagged(images) if dated else []),
        *_private(images),
    ]
    return _without_kept(images, found, decisions)[:most]


def _without_kept(
    images: pd.DataFrame, found: list[Finding], decisions: Decisions | None
) -> list[Finding]:
    """Leave out of what one could do whatever was decided to be kept, now or for later."""
    if decisions is None:
        return found
    kept = [one for one, word in standing(images, decisions).of.items() if word != "delete"]
    stays: Mask = np.asarray(read_pandas(images, ["id"], "list_findings")["id"].isin(kept))
    left = []
    for one in found:
        if one.group != "could do" or not (one.rows & stays).any():
            left.append(one)
            continue
        statement = _Statement(*one[:6])
        code = f"{one.code}.drop(kept, errors='ignore')"
        left += _finding(images, statement._replace(code=code), one.rows & ~stays)
    return left


def _old_not_found(images: pd.DataFrame, references: References) -> list[Finding]:
    criteria = Criteria(older_than=OLD_DAYS, not_found_in=True)
    n_files = int(references.coverage["n_files"].sum())
    statement = _Statement(
        "old and not found",
        "could do",
        "Uploaded over two years ago, not found in your pages",
        f"look first: {plural(n_files, 'file')} {'was' if n_files == 1 else 'were'} read, no more",
        f"images[{criteria.code()}]",
    )
    return _finding(images, statement, criteria.mask(images, references))


def _unexplained(images: pd.DataFrame) -> list[Finding]:
    """Say where the service counts more bytes than its list shows."""
    facts: dict[str, Any] = dict(facts_of(images) or {})
    counted = (facts.get("usage") or {}).get("size_bytes")
    whole = facts.get("scope") == "library" and facts.get("n_images") == len(images)
    if not whole or not counted or facts.get("status") != "complete":
        return []
    sizes = read_pandas(images, ["size_bytes"], "list_findings")["size_bytes"]
    listed = total_bytes(sizes)
    if abs(counted - listed) < max(_UNEXPLAINED * listed, MIB):
        return []
    more = "more" if counted > listed else "less"
    statement = _Statement(
        "unexplained bytes",
        "worth knowing",
        f"The service counts {format_bytes(counted)}: {format_bytes(abs(counted - listed))} {more} than its list shows",
        "not explained",
        "images",
    )
    return _finding(images, statement, np.ones(len(images), dtype=bool))


def _finding(
    images: pd.DataFrame,
    statement: _Statement,
    mask: pd.Series[Any] | Mask,
    could_save: tuple[int | None, int | None] = (None, None),
) -> list[Finding]:
    """Count the rows that a statement is about; without such a row there is no finding."""
    rows: Mask = np.asarray(mask.fillna(False) if isinstance(mask, pd.Series) else mask, dtype=bool)
    n = int(rows.sum())
    if not n:
        return []
    sizes = read_pandas(images, ["size_bytes"], "list_findings")["size_bytes"][rows]
    size = total_bytes(sizes) if sizes.notna().any() else None
    return [Finding(*statement, n, size, *could_save, rows)]


def _duplicates(images: pd.DataFrame) -> list[Finding]:
    if "content_hash" not in images or not images["content_hash"].notna().any():
        return []
    statement = _Statement(
        "copies",
        "could do",
        "Same picture twice",
        "sure: same content; the oldest is not counted, but each address may be in use",
        "images[pic.rules.duplicated(images)]",
        'picora-analytics plan --duplicated --reason "same picture twice"',
    )
    return _finding(images, statement, rules.duplicated(images))


def _likely_duplicates(images: pd.DataFrame) -> list[Finding]:
    rows = read_pandas(images, ["id", "created_at", *_SAME], "list_findings")
    hashed: Mask = np.zeros(len(images), dtype=bool)
    if "content_hash" in images.columns:
        hashes = read_pandas(images, ["content_hash"], "list_findings")["content_hash"]
        hashed = hashes.notna().to_numpy(dtype=bool)
    known = rows[_SAME].notna().all(axis="columns").to_numpy(dtype=bool) & ~hashed
    alike = rows[known]
    alike = alike[alike.duplicated(_SAME, keep=False)]  # Sorting a million ids takes seconds.
    by_upload = alike.sort_values(["created_at", "id"])
    later = by_upload.duplicated(_SAME).reindex(rows.index, fill_value=False)
    some = 'images[images["content_hash"].isna()]' if hashed.any() else "images"
    keys = ", ".join(f'"{name}"' for name in _SAME)
    numbers = f'{some}.sort_values(["created_at", "id"]).groupby([{keys}]).cumcount()'
    if hashed.any():
        numbers += ".reindex(images.index)"
    statement = _Statement(
        "likely copies",
        "could do",
        "Probably the same picture twice",
        "likely: same number of bytes, pixels and type; look first",
        f"images.loc[{numbers} > 0]",
    )
    return _finding(images, statement, later.to_numpy(dtype=bool))


def _old(images: pd.DataFrame) -> list[Finding]:
    criteria = Criteria(older_than=OLD_DAYS, untagged=True)
    statement = _Statement(
        "old and untagged",
        "could do",
        "Uploaded over two years ago, never tagged",
        "dates and tags are sure; whether a page shows them is not known",
        f"images[{criteria.code()}]",
        f'picora-analytics plan --older-than {OLD_DAYS} --untagged --reason "old, never tagged"',
    )
    return _finding(images, statement, criteria.mask(images))


def _too_large(images: pd.DataFrame) -> list[Finding]:
    rows = read_pandas(images, ["width", "height", "size_bytes"], "list_findings")
    edge = rows[["width", "height"]].max(axis="columns").astype("Float64")
    share = (MAX_EDGE / edge) ** 2
    high = rows["size_bytes"] * (1 - share)
    low = rows["size_bytes"] * (1 - share**LEAST_POWER)
    mask = rules.oversized(images)
    worth = mask.fillna(False).to_numpy(dtype=bool) & (high >= FLOOR).fillna(False).to_numpy(bool)
    saves = (int(low[worth].sum()), int(high[worth].sum())) if worth.any() else (None, None)
    statement = _Statement(
        "oversized",
        "could do",
        f"Over {MAX_EDGE} px on the longer edge",
        "pixels are sure, what it saves is an estimate; a smaller copy has a new address",
        "images[pic.rules.oversized(images)]",
        'picora-analytics plan --oversized --reason "to be uploaded smaller"',
    )
    return _finding(images, statement, mask, saves)


def _concentrated(images: pd.DataFrame) -> list[Finding]:
    half = int(summarize_concentration(images)["n50"].iloc[0] or 0)
    if not 0 < half <= _FEW * len(images):
        return []
    sizes = read_pandas(images, ["size_bytes"], "list_findings")["size_bytes"]
    mask = sizes.index.isin(sizes.dropna().nlargest(half).index)
    statement = _Statement(
        "half of the storage",
        "worth knowing",
        "The largest files: half of the storage",
        "sure: added up",
        f'images.nlargest({half}, "size_bytes")',
    )
    return _finding(images, statement, mask)


def _one_week(images: pd.DataFrame) -> list[Finding]:
    weeks = summarize_growth(images, freq="week")
    if len(images) < _MOVE_IMAGES or weeks.empty:
        return []
    fullest = weeks.iloc[int(weeks["n_images"].argmax())]
    if fullest["n_images"] <= MOVE_SHARE * len(images):
        return []
    first = fullest["period"]
    end = first + pd.Timedelta(days=7)
    uploaded = read_pandas(images, ["created_at"], "list_findings")["created_at"]
    mask = (uploaded >= first.tz_localize(None)) & (uploaded < end.tz_localize(None))
    statement = _Statement(
        "one week",
        "worth knowing",
        f"Uploaded in one week, from {day(first)} on: perhaps a move, and their upload age says little",
        "dates are sure, the move is a guess",
        f'images[images["created_at"].between("{first:%Y-%m-%d}", "{end:%Y-%m-%d}", inclusive="left")]',
    )
    return _finding(images, statement, mask)


def _new_untagged(images: pd.DataFrame) -> list[Finding]:
    statement = _Statement(
        "new and untagged",
        "worth knowing",
        f"Uploaded in the last {NEW_DAYS} days, not tagged yet",
        "sure: dates and tags",
        f"images[pic.rules.untagged(images) & ~pic.rules.older_than(images, days={NEW_DAYS})]",
    )
    mask = rules.untagged(images) & ~rules.older_than(images, days=NEW_DAYS)
    return _finding(images, statement, mask)


def _private(images: pd.DataFrame) -> list[Finding]:
    public = read_pandas(images, ["is_public"], "list_findings")["is_public"]
    unknown = int(public.isna().sum())
    statement = _Statement(
        "private",
        "worth knowing",
        "Private, or may be" if unknown else "Private",
        f"of {unknown:,} the service did not say" if unknown else "sure: as the service says",
        "images[pic.rules.private(images).fillna(True)]"
        if unknown
        else "images[pic.rules.private(images)]",
    )
    return _finding(images, statement, rules.private(images).fillna(True))
