"""Which images may go with the least regret: piles to look at, and a suggestion that reaches a goal."""

from __future__ import annotations

import os
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from picora_analytics.analysis.decided import standing
from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.analysis.everyday import check_pandas
from picora_analytics.analysis.piles import OLD_DAYS, PILES, Piles, sort_into_piles
from picora_analytics.analysis.shown import Summary
from picora_analytics.cleanup.plan.columns import Bools
from picora_analytics.cleanup.plan.handing import unfit
from picora_analytics.cleanup.plan.sparing import first_form, plannable, shielded
from picora_analytics.cleanup.plan.suggestion import Goal, Riding, suggestion_frame
from picora_analytics.errors import PlanError, SchemaError
from picora_analytics.library.frame import STR, Facts, Used, facts_of, sums_dtype, total_bytes
from picora_analytics.progress import notice
from picora_analytics.references.found import References
from picora_analytics.text import plural
from picora_analytics.times import day
from picora_analytics.units import format_bytes, parse_bytes, parse_storage

__all__ = [
    "CandidatePile",
    "Candidates",
    "Sorting",
    "find_candidates",
    "suggest",
    "summarize_candidates",
]

_NEVER_READ = (
    "Which of these images are the same file is not known yet: a first load does not ask. Load them once more, which "
    "does"
)

Decisions = str | os.PathLike[str] | pd.DataFrame
Sizes = npt.NDArray[Any]  # int64, or whole numbers of Python where their sum needs more.


class Candidates(NamedTuple):
    """A pile with its rows: why they may go, how sure that is, and the lines that select them (none for looking)."""

    name: str
    rows: Bools
    why: str
    certainty: str
    python: str
    shell: str

    @property
    def n_images(self) -> int:
        """How many images are in it."""
        return int(self.rows.sum())


def summarize_candidates(
    images: pd.DataFrame,
    *,
    references: References | None = None,
    decisions: Decisions | None = None,
    old: float = OLD_DAYS,
) -> pd.DataFrame:
    """
    Sort what may go into piles, those first that would be missed least.

    An image is in its first pile only. What was decided to be kept, was edited in the last 90 days, is found by the
    references, or could not be looked for is in none; nor is the one of equal images that stays. Uploads that look
    like a move from another host have no age that means anything: they and oversized images are rows for looking,
    without a line that plans them.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``; ages are counted from its ``loaded_at``.
    references : References, optional
        Of :func:`find_references`.
    decisions : path or DataFrame, optional
        As :func:`read_decisions` reads it.
    old : int or float
        Days since the upload from which an image is old.

    Returns
    -------
    DataFrame
        ``pile``, ``n_images``, ``size_bytes``, ``why``, ``certainty``, ``python`` and ``shell`` (the lines that
        select it); piles without images are left out.

    Raises
    ------
    SchemaError
        If the frame is not one of ``load_images``.
    TypeError
        If it is not of pandas.
    PlanError
        If references are of another account, or decisions cannot be read.

    Examples
    --------
    >>> images = make_images(
    ...     created_at=["2020-01-01", "2020-01-01", "2026-01-01"], tags=[(), ("cat",), ()]
    ... )
    >>> piles = summarize_candidates(images)
    >>> piles[["pile", "n_images", "size_bytes", "why"]]
               pile  n_images size_bytes                   why
    0  old-untagged         1     1000 B  old and never tagged
    1           old         1     1000 B                   old
    >>> piles["shell"].iat[0]
    'picora-analytics plan --pile old-untagged'
    """
    found = find_candidates(images, references, decisions, old)
    sizes = images["size_bytes"]
    table = [(one.name, one.n_images, total_bytes(sizes[one.rows]), *one[2:]) for one in found]
    names = ["pile", "n_images", "size_bytes", "why", "certainty", "python", "shell"]
    sums = sums_dtype(size for _, _, size, *_ in table)
    kinds = dict.fromkeys(names, STR) | {"n_images": "int64", "size_bytes": sums}
    return Summary(pd.DataFrame(table, columns=names).astype(kinds))  # type: ignore[arg-type,unused-ignore]


def find_candidates(
    images: pd.DataFrame,
    references: References | None,
    decisions: Decisions | None,
    old: float = OLD_DAYS,
) -> list[Candidates]:
    """Sort what may go into piles, as :func:`summarize_candidates` does, and tell which rows are in each."""
    check_pandas(images, "summarize_candidates")
    facts = facts_of(images)
    if facts is None:
        raise SchemaError(
            "summarize_candidates must know which library it is, and this frame does not say so (merge and read_csv "
            "drop that). Type images = pic.load_images(client), and summarize that."
        )
    images = first_form(images, facts)
    piles = _sorted(images, facts, references, decisions, None, old)
    found = []
    for number, pile in enumerate(PILES):
        lines = _lines(pile.name, references, decisions, old)
        found.append(
            Candidates(pile.name, piles.number == number, pile.why, pile.certainty, *lines)
        )
    found += _for_looking(piles, len(images))
    return [one for one in found if one.rows.any()]


def _lines(
    pile: str, references: References | None, decisions: Decisions | None, old: float
) -> tuple[str, str]:
    """Write the lines of Python and of a shell that select a pile."""
    python, shell = f'pic.suggest(images, pile="{pile}"', f"picora-analytics plan --pile {pile}"
    if old != OLD_DAYS:
        python, shell = f"{python}, old={old:g}", f"{shell} --old {old:g}"
    if references is not None:
        python, shell = f"{python}, references=references", f"{shell} --references refs.json"
    if decisions is not None:
        python, shell = f"{python}, decisions=decisions", f"{shell} --decisions decisions.csv"
    return f"{python})", shell


def _for_looking(piles: Piles, n_images: int) -> list[Candidates]:
    """Give what is never chosen here."""
    rows = []
    week = piles.weeks
    if week is not None:
        text = (
            f"{week.n_images:,} of {n_images:,} came between {day(week.first)} and {day(week.last)}, probably a move: "
            "upload age says little for them"
        )
        python = f'images[images["created_at"].between("{week.first.isoformat()}Z", "{week.last.isoformat()}Z")]'
        rows.append(
            Candidates("perhaps moved", piles.moved, text, "a guess; for looking", python, "")
        )
    text = f"over {MAX_EDGE} px on the longer edge"
    python = "images[pic.rules.oversized(images)]"
    rows.append(
        Candidates(
            "oversized",
            piles.oversized,
            text,
            "pixels are sure; for looking, a smaller copy has a new address",
            python,
            "",
        )
    )
    return rows


def suggest(
    images: pd.DataFrame,
    free: int | str | None = None,
    *,
    free_to: int | str | None = None,
    pile: str | None = None,
    old: float = OLD_DAYS,
    references: References | None = None,
    decisions: Decisions | None = None,
    protect: Any = None,
) -> pd.DataFrame:
    """
    Suggest which images may go to reach a goal: those that would be missed least, and as few as that takes.

    Nothing is sent. Piles are taken in the order of :func:`summarize_candidates`, and of the last one the largest
    images. Where all of it does not reach the goal, a line says how far it falls short and what would help.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it: complete, the whole library, read within 24 hours.
    free : int or str, optional
        Bytes to free, or text such as ``"30 MiB"``.
    free_to : int or str, optional
        Bytes that may stay in use, text such as ``"4 GiB"``, or a part of the quota, such as ``"80%"``, where the
        service tells it. One of `free`, `free_to` and `pile` must be given.
    pile : str, optional
        All of one pile, by its name in :func:`summarize_candidates`.
    old : int or float
        Days since the upload from which an image is old.
    references, decisions : optional
        As for :func:`summarize_candidates`.
    protect : optional
        As for :func:`plan_deletion`.

    Returns
    -------
    DataFrame
        Indexed by ``id``: ``pile``, ``reason`` and ``size_bytes``. :func:`plan_deletion` takes it as its choice, with
        the references, decisions and protection that it was made with; rows may be dropped, not added.

    Raises
    ------
    PlanError
        If the frame cannot feed a plan, references are of another account, or the protection or decisions cannot be
        read.
    ValueError
        If not exactly one goal is given, or it cannot be read.

    Examples
    --------
    >>> images = make_images(
    ...     created_at=["2020-01-01", "2020-01-01", "2026-01-01"], size_bytes=[700, 300, 50]
    ... )
    >>> suggest(images, free=500)[["pile", "size_bytes"]]
                pile size_bytes
    id
    a   old-untagged      700 B
    """
    if sum(one is not None for one in (free, free_to, pile)) != 1:
        raise ValueError(
            'Say one goal: free="30 MiB", free_to="80%", or pile="duplicates", a pile of summarize_candidates.'
        )
    names = [one.name for one in PILES]
    if pile is not None and pile not in names:
        raise ValueError(f"pile={pile!r} is none that may go: choose one of {', '.join(names)}.")
    facts = plannable(images, "suggest")
    images = first_form(images, facts)
    piles = _sorted(images, facts, references, decisions, protect, old)
    sizes = _sizes(images)
    if pile is not None:
        rows = np.flatnonzero(piles.number == names.index(pile))
        goal = Goal(f"the pile {pile}", 0, 0)
    else:
        wanted, words = _goal(free, free_to, facts)
        rows = _fewest(piles.number, sizes, wanted)
        goal = Goal(words, wanted, max(0, wanted - int(sizes[rows].sum())))
    lines = []
    if goal.shortfall:
        lines = [_short(goal, rows, sizes), *_help(piles, sizes, references, old)]
    if (lines or pile == "duplicates") and images["content_hash"].isna().all() and len(images):
        lines.append(f"{'  ' if lines else ''}{_NEVER_READ}")
    if lines:
        notice("\n".join(lines))
    riding = Riding.of(facts, goal, images.index[rows], references, decisions, protect)
    pile_names, reasons = (
        np.array(column, dtype=object) for column in zip(*[one[:2] for one in PILES], strict=True)
    )
    number = piles.number[rows]
    return suggestion_frame(images.iloc[rows], pile_names[number], reasons[number], riding)


class CandidatePile(NamedTuple):
    """A pile, its rows, and whether these may go or are for looking only."""

    name: str
    why: str
    certainty: str
    rows: Bools
    may_go: bool


class Sorting:
    """
    Images sorted into piles as :func:`summarize_candidates` and :func:`suggest` sort them, by the rows of the frame.

    Raises
    ------
    PlanError
        If the frame cannot feed a plan, or references, decisions or protection cannot be read.
    """

    def __init__(
        self,
        images: pd.DataFrame,
        *,
        references: References | None = None,
        decisions: Decisions | None = None,
        protect: Any = None,
    ) -> None:
        facts = plannable(images, "CleanupPanel")
        images = first_form(images, facts)
        self._sorted = _sorted(images, facts, references, decisions, protect, OLD_DAYS)
        self._sizes = _sizes(images)

    def piles(self) -> list[CandidatePile]:
        """Give the piles that hold something, those first that would be missed least, and what is for looking."""
        may_go = [
            CandidatePile(*pile, self._sorted.number == number, True)
            for number, pile in enumerate(PILES)
        ]
        looking = [
            CandidatePile(name, why, certainty, rows, False)
            for name, rows, why, certainty, *_ in _for_looking(self._sorted, len(self._sizes))
        ]
        return [pile for pile in (*may_go, *looking) if pile.rows.any()]

    def fewest(self, wanted: int, without: Bools) -> Bools:
        """Choose the rows that free so many bytes, beside those that are chosen already."""
        number = np.where(without, -1, self._sorted.number)
        rows = np.zeros(len(number), dtype=bool)
        rows[_fewest(number, self._sizes, wanted)] = True
        return rows


def _sorted(
    images: pd.DataFrame,
    facts: Facts,
    references: References | None,
    decisions: Decisions | None,
    protect: Any,
    old: float,
) -> Piles:
    spared = shielded(images, facts, protect, decisions, references)
    piles = sort_into_piles(images, spared, standing(images, decisions), references, old)
    piles.number[unfit(images, piles.number >= 0)] = -1
    return piles


def _sizes(images: pd.DataFrame) -> Sizes:
    known = images["size_bytes"].fillna(0)
    return known.to_numpy(dtype=sums_dtype([total_bytes(known)]))


def _bytes(size: int | str, name: str) -> int:
    """Read a size; who types a small number as text means another unit than bytes."""
    return parse_storage(size, name) if isinstance(size, str) else parse_bytes(size, name)


def _goal(free: int | str | None, free_to: int | str | None, facts: Facts) -> tuple[int, str]:
    """Give the bytes to free, and the goal in words."""
    if free is not None:
        wanted = _bytes(free, "free")
        return wanted, f"free {format_bytes(wanted)}"
    usage = facts.get("usage", Used(size_bytes=None, quota_bytes=None))
    text = str(free_to).strip()
    if text.endswith("%"):
        quota = usage["quota_bytes"]
        if not quota:
            raise PlanError(
                f"free_to={free_to!r} is a part of the quota, which the service did not tell; say the bytes that may "
                'stay in use, such as free_to="4 GiB".'
            )
        try:
            share = float(text[:-1])
        except ValueError:
            share = -1
        if not 0 <= share <= 100:
            raise ValueError(f'free_to={free_to!r} is no part: give 0% to 100%, such as "80%".')
        stays = int(quota * share / 100)
    else:
        stays = _bytes(cast(Any, free_to), "free_to")
    used = facts["size_bytes"] if usage["size_bytes"] is None else usage["size_bytes"]
    return max(0, used - stays), f"free to {text}: {format_bytes(max(0, used - stays))}"


def _fewest(number: npt.NDArray[np.int8], sizes: Sizes, wanted: int) -> npt.NDArray[np.int64]:
    """
    Choose the rows that reach a goal: whole piles in their order, of the last one the largest images.

    Then what is not needed for it stays after all: of the later piles first, and of these the smallest.
    """
    may = np.flatnonzero((number >= 0) & (sizes > 0))
    order = may[np.lexsort((may, -sizes[may], number[may]))]
    sums = np.cumsum(sizes[order])
    n = int(np.searchsorted(sums, wanted)) + 1 if wanted > 0 else 0
    taken = order[:n]
    surplus = int(sums[min(n, len(sums)) - 1]) - wanted if n and len(sums) else 0
    if surplus <= 0:
        return np.asarray(taken, dtype=np.int64)
    stays = np.zeros(len(sizes), dtype=bool)
    for pile in range(len(PILES) - 1, -1, -1):
        own = taken[number[taken] == pile][::-1]
        given_back = own[np.cumsum(sizes[own]) <= surplus]
        stays[given_back] = True
        surplus -= int(sizes[given_back].sum())
    return np.asarray(taken[~stays[taken]], dtype=np.int64)


def _short(goal: Goal, rows: npt.NDArray[np.int64], sizes: Sizes) -> str:
    return (
        f"To {goal.words}, all that may go is not enough: {plural(len(rows), 'image')} of "
        f"{format_bytes(int(sizes[rows].sum()))}, {format_bytes(goal.shortfall)} short."
    )


class _Cure(NamedTuple):
    rows: Bools
    text: str


def _help(piles: Piles, sizes: Sizes, references: References | None, old: float) -> list[str]:
    """Say what would bring the goal nearer."""
    cures = [
        _Cure(piles.unlooked, "could not be looked for: look for references where that failed"),
        _Cure(piles.moved, "came in one week, probably a move: look at these yourself"),
        _Cure(piles.oversized, f"over {MAX_EDGE} px: smaller copies need less"),
    ]
    lines = [
        f"  {plural(int(rows.sum()), 'image')} of {format_bytes(int(sizes[rows].sum()))} {text}"
        for rows, text in cures
        if rows.any()
    ]
    if old > 0:
        lines.append(f"  A smaller age than old={old:g} lets more images be old")
    if references is not None and not references.complete:
        lines.append("  The references are incomplete: not everything could be looked at")
    return lines
