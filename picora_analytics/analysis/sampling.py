"""Which images to try a saving on, and what a tried sample says of the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["NOTHING", "Estimate", "Stratum", "estimate", "strata_of"]

Floats = npt.NDArray[np.float64]

# Of each kind at least so many are tried: fewer say nothing about the spread.
_LEAST, _FEWEST, _RESAMPLED = 6, 3, 2000
# In each stratum some stand by for a picture that does not come.
_SPARE = 3
# The 95th percentile of the normal distribution: a 90 % interval has 5 % on either side.
_Z = 1.645


class Stratum(NamedTuple):
    """
    Images of one kind, format and size, of which one is tried.

    Attributes
    ----------
    flag : str
    rows : tuple of int
        The one that was drawn, then those that stand by; places in the frame.
    certain : bool
        Whether it stands for itself alone, being as large as whole strata of others.
    """

    flag: str
    rows: tuple[int, ...]
    certain: bool


class Estimate(NamedTuple):
    """Bytes that could be saved: a 90 % interval and its middle."""

    low: float
    likely: float
    high: float


NOTHING = Estimate(0.0, 0.0, 0.0)


def strata_of(rows: pd.DataFrame, n: int, random: np.random.Generator) -> list[Stratum]:
    """
    Cut flagged images into strata of equal bytes by format and size, and draw one of each by its bytes.

    Parameters
    ----------
    rows : DataFrame
        ``flag``, ``mime_type`` and ``size_bytes`` (known, above 0).
    n : int
        How many to draw in all, shared out by the bytes of each kind.
    random : Generator

    Returns
    -------
    list of Stratum
        Up to `n`, and at most 6 of each kind where `n` is smaller than that takes.
    """
    found: list[Stratum] = []
    kinds = rows.groupby("flag", sort=False)["size_bytes"].agg(["sum", "size"])
    for flag, take in _shared_out(kinds, n).items():
        part = rows[rows["flag"] == flag].sort_values(["mime_type", "size_bytes"], kind="stable")
        found += _strata(
            str(flag), part.index.to_numpy(), part["size_bytes"].to_numpy("float64"), take, random
        )
    return found


def _shared_out(kinds: pd.DataFrame, n: int) -> dict[Any, int]:
    """Share a number of draws out by bytes, so that each kind gets a few, and none more than it has."""
    least = kinds["size"].clip(upper=min(_LEAST, max(n // max(len(kinds), 1), 1)))
    left = max(n - int(least.sum()), 0)
    share = kinds["sum"] / max(float(kinds["sum"].sum()), 1.0)
    more = np.floor(share.to_numpy("float64") * left + 0.5).astype(int)
    taken = np.minimum(least.to_numpy() + more, kinds["size"].to_numpy())
    # Rounding, and kinds that have fewer, leave some over or take too many.
    while taken.sum() > n and taken.max() > 1:
        taken[taken.argmax()] -= 1
    for place in np.argsort(-share.to_numpy(), kind="stable"):
        taken[place] += min(
            max(n - int(taken.sum()), 0), int(kinds["size"].iloc[place]) - int(taken[place])
        )
    return dict(zip(kinds.index, map(int, taken), strict=True))


def _strata(
    flag: str, places: npt.NDArray[np.int64], sizes: Floats, take: int, random: np.random.Generator
) -> list[Stratum]:
    if take >= len(places):
        return [Stratum(flag, (int(place),), True) for place in places]
    certain = np.zeros(len(places), dtype=bool)
    while True:  # What holds a whole stratum's bytes is drawn for sure; the strata of the rest become smaller.
        n = take - int(certain.sum())
        if n <= 0:
            break
        more = ~certain & (sizes >= sizes[~certain].sum() / n)
        if not more.any():
            break
        certain |= more
    found = [Stratum(flag, (int(place),), True) for place in places[certain][:take]]
    rest, weights = places[~certain], sizes[~certain]
    n = take - len(found)
    if n <= 0 or not len(rest):
        return found
    ends = np.cumsum(weights)
    for number in range(n):
        low, high = ends[-1] * number / n, ends[-1] * (number + 1) / n
        drawn = np.searchsorted(ends, random.uniform(low, high, _SPARE), side="right")
        some = dict.fromkeys(np.minimum(drawn, len(rest) - 1).tolist())
        found.append(Stratum(flag, tuple(int(rest[one]) for one in some), False))
    return found


def estimate(
    saved: Sequence[float],
    size_bytes: Sequence[float],
    certain: Sequence[bool],
    total: float,
    random: np.random.Generator,
) -> Estimate | None:
    """
    Say what could be saved of all bytes, from what was saved of those that were tried.

    The share that is saved of a picture drawn by its bytes is, in the mean, that of all bytes. Its spread comes from
    2,000 bootstrap samples, widened as Student's t is where few were tried.

    Parameters
    ----------
    saved, size_bytes : sequence of float
        Of each that was tried.
    certain : sequence of bool
        Whether it stands for itself alone.
    total : float
        Bytes of all that these stand for.
    random : Generator

    Returns
    -------
    Estimate or None
        None where too few were tried to say anything.

    Examples
    --------
    >>> estimate([50.0] * 9, [100.0] * 9, [False] * 9, 2000.0, np.random.default_rng(0))
    Estimate(low=1000.0, likely=1000.0, high=1000.0)
    >>> estimate([30.0], [100.0], [True], 100.0, np.random.default_rng(0))
    Estimate(low=30.0, likely=30.0, high=30.0)
    """
    sure, all_saved, sizes = (
        np.asarray(certain, dtype=bool),
        np.asarray(saved, "float64"),
        np.asarray(size_bytes, "float64"),
    )
    known, rest = float(all_saved[sure].sum()), max(total - float(sizes[sure].sum()), 0.0)
    ratios = all_saved[~sure] / sizes[~sure]
    if rest <= 0 and sure.any():
        return Estimate(known, known, known)
    if (
        len(ratios) < _FEWEST
    ):  # Then those that stand for themselves say something of the others as well.
        ratios = all_saved / sizes
    n = len(ratios)
    if n < _FEWEST:
        return None
    mean = float(ratios.mean())
    means = random.choice(ratios, (_RESAMPLED, n)).mean(axis=1)
    # A sample of n spreads less than what it was drawn from, and its spread is itself uncertain.
    wider = _student(n - 1) / _Z * np.sqrt(n / (n - 1))
    low, high = (mean + wider * (float(np.quantile(means, part)) - mean) for part in (0.05, 0.95))
    return Estimate(*(float(known + rest * min(max(one, 0.0), 1.0)) for one in (low, mean, high)))


def _student(degrees: int) -> float:
    """Give the 95th percentile of Student's t (Abramowitz and Stegun 26.7.5, good to 1 % from 2 degrees on)."""
    z, d = _Z, float(degrees)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + terms[0] / d + terms[1] / d**2 + terms[2] / d**3
