"""What decisions say of these images today: keep wins over everything, and doubt chooses nothing."""

from __future__ import annotations

import datetime as dt
import itertools
import math
import os
import re
from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from picora_analytics.analysis.dates import days_before, now_of
from picora_analytics.analysis.masks import three_valued
from picora_analytics.analysis.matching import Images
from picora_analytics.analysis.question import read_pandas
from picora_analytics.decisions import DECISIONS, NOT_DUPLICATES, decision_table
from picora_analytics.library.frame import facts_of
from picora_analytics.text import csv_safe, shorten
from picora_analytics.times import parse_instant

__all__ = [
    "HIDDEN_DAYS",
    "WAITED",
    "Decisions",
    "Standing",
    "Waited",
    "decided",
    "hidden_for",
    "standing",
    "waited_of",
]

Decisions: TypeAlias = "str | os.PathLike[str] | pd.DataFrame"

# Under this name a mask of hidden images says in its attrs until when each had to wait.
WAITED = "picora_waited"
# A hidden image waits so long, unless its `until` says otherwise.
HIDDEN_DAYS = 30
# The most careful first.
_RANKS = ("keep", "hidden", "later", "delete")
_SHOWN = 5


class Waited(dict[str, dt.datetime]):
    """When the waiting time of each hidden image ended; pandas copies attrs with each step, and this is not copied."""

    def __deepcopy__(self, memo: Any) -> Waited:
        return self


class Standing(NamedTuple):
    """
    What decisions say today.

    Attributes
    ----------
    spared : dict of str to str
        Why each id is spared, also where a row names it by address, file name or in another spelling; what matches no
        image stands as it was written.
    of : dict of str to str
        The decision that stands on each id: *keep*, *hidden*, *later* or *delete*.
    doubtful : set of str
        Ids of rows that do not fit the image they name, or name it only nearly; these choose nothing.
    hidden_since : dict of str to datetime
        When each was hidden, as far as it is told.
    pairs : set of frozenset
        Images that are no duplicates of each other.
    lines : list of str
        What a person should look at, named by its line.
    hidden_until : dict of str to date
        When the waiting time of each hidden image ends, or ended.
    entries : dict of str to None
        What the rows that spare call their images, as written.
    """

    spared: dict[str, str]
    of: dict[str, str]
    doubtful: set[str]
    hidden_since: dict[str, dt.datetime]
    pairs: set[frozenset[str]]
    lines: list[str]
    hidden_until: dict[str, dt.date]
    entries: dict[str, None]


def standing(images: pd.DataFrame, decisions: Decisions | None) -> Standing:
    """
    Tell what decisions say of images on the day of their load.

    A row whose file name or address is not that of its id, as after a column was sorted alone, chooses nothing: both
    images that it may mean are spared. A row spares whatever its id may mean, be it an address, a file name or another
    spelling; a wish to delete is heard for the very id alone.

    Raises
    ------
    PlanError
        If the decisions cannot be read.
    """
    found = Standing({}, {}, set(), {}, set(), [], {}, {})
    if decisions is None:
        return found
    table = decision_table(decisions)
    facts = facts_of(images)
    today = now_of(facts, None, "decisions").date()
    told: dict[str, list[_Said]] = {}
    fits = _Fits(images)
    for line, *row in table.reset_index().itertuples(index=False, name=None):
        cells = dict(zip(table.columns, row, strict=True))
        meant = fits.meant_instead(cells)
        if meant is not None:
            _doubt(found, fits, cells["id"], meant, line)
        elif cells["decision"] == NOT_DUPLICATES:
            pairs = itertools.product(*(fits.named(cells[name])[0] for name in ("id", "other_id")))
            found.pairs.update(frozenset(pair) for pair in pairs if pair[0] != pair[1])
        else:
            for image_id, said in _said_of(found, fits, cells, today, line).items():
                told.setdefault(image_id, []).extend(said)
    for image_id, said in told.items():
        if said:
            _settle(found, image_id, said)
    if len(found.lines) > _SHOWN:
        found.lines[_SHOWN:] = [f"decisions: {len(found.lines) - _SHOWN:,} more such lines"]
    return found


_DOUBTFUL = "a decision that does not fit its image"


def _doubt(found: Standing, fits: _Fits, entry: str, meant: list[str], line: int) -> None:
    """Let a row that does not fit its image choose nothing, and spare whatever it may mean."""
    named, _ = fits.named(entry)
    found.doubtful.update(named)
    found.spared.update(dict.fromkeys([*named, *meant], _DOUBTFUL))
    found.entries.update(dict.fromkeys([entry, *meant]))
    found.lines.append(
        f"decisions, line {line}: its file name or address is not that of {shorten(entry, 30)!r}; it chooses nothing, "
        "and what it may mean is kept"
    )


class _Said(NamedTuple):
    """One row that is in force; the first of several that are sorted stands."""

    rank: int
    days_left: float
    word: str
    reason: str
    line: int


def _said_of(
    found: Standing, fits: _Fits, cells: Mapping[str, str], today: dt.date, line: int
) -> dict[str, list[_Said]]:
    """Read a row for each image that it speaks of: a wish for the very id alone, all else for what that may mean."""
    entry = cells["id"]
    if cells["decision"] == "delete":
        return {entry: _in_force(found, cells, today, line)}
    named, exactly = fits.named(entry)
    said = {one: _in_force(found, {**cells, "id": one}, today, line) for one in named}
    if said[entry]:
        found.entries[entry] = None
        found.doubtful.update([] if exactly else named[1:])
    return said


def _in_force(found: Standing, cells: Mapping[str, str], today: dt.date, line: int) -> list[_Said]:
    """Read a row; a day that is over ends what it spared."""
    word, image_id = cells["decision"], cells["id"]
    until = dt.date.fromisoformat(cells["until"]) if cells["until"] else None
    reason = "on your keep list"
    if word == "hidden":
        since = _instant(cells["decided_at"])
        if since is not None:
            found.hidden_since[image_id] = since
            wait = min(dt.timedelta(days=HIDDEN_DAYS), dt.date.max - since.date())
            until = until or since.date() + wait
        if until is not None:
            found.hidden_until[image_id] = max(until, found.hidden_until.get(image_id, until))
        reason = f"hidden, waiting until {until or 'someone says until when'}"
    elif word == "later":
        reason = f"decide later, from {until}"
    left = math.inf if until is None or word == "delete" else (until - today).days
    return [_Said(_RANKS.index(word), -left, word, reason, line)] if left > 0 else []


def _settle(found: Standing, image_id: str, said: list[_Said]) -> None:
    """Let the most careful of the rows of one id stand, and name what contradicts it."""
    stands = min(said)
    found.of[image_id] = stands.word
    if stands.word != "delete":
        found.spared[image_id] = stands.reason
    different = {(one.word, one.days_left): one for one in reversed(said)}
    if len(different) > 1 and {one.word for one in said} != {"hidden", "delete"}:
        rows = sorted(different.values(), key=lambda one: one.line)
        words = " and ".join(f"{one.word} (line {one.line})" for one in rows)
        found.lines.append(
            f"decisions: {shorten(image_id, 30)!r} is said twice, {words}; {stands.word} of line {stands.line} wins"
        )


def _instant(text: str) -> dt.datetime | None:
    try:
        return parse_instant(text) if text else None
    except ValueError:
        return None


class _Fits:
    """Which image the file name and the address of a row belong to."""

    def __init__(self, images: pd.DataFrame) -> None:
        rows = images.reset_index() if images.index.name == "id" else images
        some = [name for name in ("id", "filename", "url") if name in rows.columns]
        self._rows = read_pandas(rows, some, "decisions") if "id" in some else pd.DataFrame()
        named = self._rows.reindex(columns=["id", "filename"]).set_index("id")
        self._images = Images(named)
        self._at: dict[str, int] | None = None
        self._by: dict[str, dict[str, list[str]]] = {}

    def named(self, entry: str) -> tuple[list[str], bool]:
        """Give an entry and the ids that it stands for beside itself, and whether it is, or is made of, just these."""
        matched = self._images.match([entry])
        return [entry, *sorted(matched.ids - {entry})], not matched.near

    def meant_instead(self, cells: Mapping[str, str]) -> list[str] | None:
        """Give the other images that a row may mean; None where it fits its id, or says too little to tell."""
        given = {name: cells[name] for name in ("filename", "url") if cells.get(name)}
        if not given or self._rows.empty:
            return None
        if self._at is None:
            self._at = {one: row for row, one in enumerate(self._rows["id"].tolist())}
        row = self._at.get(cells["id"])
        odd = [
            name
            for name, text in given.items()
            if name in self._rows and (row is None or not _same(self._rows[name].iat[row], text))
        ]
        others = [one for name in odd for one in self._having(name, given[name])]
        # An image that is gone, and nothing else of that name: the row is merely old.
        return None if not odd or (row is None and not others) else others

    def _having(self, name: str, text: str) -> list[str]:
        if name not in self._by:
            groups: dict[str, list[str]] = {}
            for one, own in zip(self._rows["id"].tolist(), self._rows[name].tolist(), strict=True):
                if isinstance(own, str):
                    groups.setdefault(_key(own), []).append(one)
            self._by[name] = groups
        return self._by[name].get(_key(text), [])


def _key(text: str) -> str:
    """
    Fold what spreadsheets and hosts change.

    That is a guarding apostrophe, blanks at the ends, the scheme and the host, and control characters, which
    LibreOffice 7.4 drops.
    """
    plain = re.sub(r"[\x00-\x1f\x7f-\x9f]", "", str(csv_safe(text)))
    return re.sub(r"^[a-z]+://[^/]*", "", plain.strip().lstrip("'"))


def _same(own: Any, text: str) -> bool:
    if not isinstance(own, str):
        return False
    one, other = _key(own), _key(text)
    if one == other:
        return True
    # Excel's code page writes ? for letters it does not have.
    return "?" in other and bool(
        re.fullmatch(".".join(map(re.escape, other.split("?"))), one, re.DOTALL)
    )


def decided(images: pd.DataFrame, decisions: Decisions, decision: str) -> pd.Series[Any]:
    """
    Tell the images of which something was decided that still stands.

    Of an id said twice differently *keep* wins, so that nothing is deleted by mistake, also where it names the image
    by its address or file name. A plan names such lines.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``; days count from its ``loaded_at``.
    decisions : path or DataFrame
        As :func:`read_decisions` reads it.
    decision : {"keep", "delete", "later", "hidden", "not duplicates"}

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` where a row's file name or address is not that of its id, or its id is spelled differently: it
        chooses nothing.

    Raises
    ------
    PlanError
        If the decisions cannot be read.
    ValueError
        If `decision` is none of the five.

    Examples
    --------
    >>> images = make_images()
    >>> decisions = pd.DataFrame({"id": ["a", "b", "b"], "decision": ["delete", "delete", "keep"]})
    >>> decided(images, decisions, "delete").tolist()
    [True, False, False]
    """
    if decision not in DECISIONS:
        raise ValueError(f"decision={decision!r} is none: choose one of {', '.join(DECISIONS)}.")
    ids = read_pandas(images, ["id"], "decided")["id"]
    said = standing(images, decisions)
    wanted = [one for one, word in said.of.items() if word == decision]
    if decision == NOT_DUPLICATES:
        wanted = [one for pair in said.pairs for one in pair]
    return three_valued(
        images, ids.isin(wanted), ids.isin(said.doubtful), f"decided_{decision.replace(' ', '_')}"
    )


def hidden_for(images: pd.DataFrame, days: float, decisions: Decisions) -> pd.Series[Any]:
    """
    Tell the images that were hidden at least `days` ago and have been left alone since.

    What was edited after that, or is public again, was missed by somebody, and is not among them; nor is an image
    that waits until a later day, or that was decided to be kept.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``. Reads ``is_public`` and ``updated_at``.
    days : int or float
        How long they should have been hidden, counted to the moment of the load.
    decisions : path or DataFrame
        As :func:`read_decisions` reads it; its ``decided_at`` says when an image was hidden.

    Returns
    -------
    Series of boolean, aligned to ``images``
        ``<NA>`` for a hidden image of which it is not known when it was hidden, whether it is public, or when it
        was edited.

    Raises
    ------
    PlanError
        If the decisions cannot be read.
    ValueError
        If `days` is not a number of 0 or more.

    Examples
    --------
    >>> images = make_images(is_public=[False, True, False], updated_at=["2026-09-01"] * 3)
    >>> decisions = pd.DataFrame(
    ...     {"id": ["a", "b"], "decision": ["hidden"] * 2, "decided_at": ["2026-09-01T00:00:00Z"] * 2}
    ... )
    >>> hidden_for(images, 30, decisions).tolist()
    [True, False, False]
    """
    if isinstance(days, bool) or not isinstance(days, Real) or not 0 <= days < math.inf:
        raise ValueError(f"days={days!r} is not a time: give a number of days, 0 or more.")
    rows = read_pandas(images, ["id", "is_public", "updated_at"], "hidden_for")
    table = decision_table(decisions)
    said = standing(images, table)
    hidden = rows["id"].isin(table.loc[table["decision"] == "hidden", "id"].tolist()).to_numpy()
    waiting = rows["id"].isin(list(said.spared)).to_numpy()
    naive = {one: since.replace(tzinfo=None) for one, since in said.hidden_since.items()}
    since = pd.Series(list(map(naive.get, rows["id"])), dtype="datetime64[us]")
    edge = days_before(now_of(facts_of(images), None, "hidden_for"), days).replace(tzinfo=None)
    public = rows["is_public"].fillna(False).to_numpy(dtype=bool)
    edited = (rows["updated_at"] > since).to_numpy(dtype=bool)
    no = ~hidden | waiting | public | edited | (since > edge).to_numpy(dtype=bool)
    unknown = rows["is_public"].isna() | rows["updated_at"].isna() | since.isna()
    doubt = unknown.to_numpy(dtype=bool) | rows["id"].isin(said.doubtful).to_numpy()
    mask = three_valued(images, ~no, ~no & np.asarray(doubt), f"hidden_for_{days:g}_days")
    waited = dt.timedelta(days=float(days))
    mask.attrs[WAITED] = Waited(
        {
            one: max(_midnight(said.hidden_until[one]), said.hidden_since[one] + waited)
            for one in rows["id"][~no & ~np.asarray(doubt)]
        }
    )
    return mask


def waited_of(said: Standing) -> Waited:
    """Give the images whose waiting time is over, by when it ended."""
    return Waited(
        {
            one: _midnight(until)
            for one, until in said.hidden_until.items()
            if one not in said.spared
        }
    )


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=dt.UTC)
