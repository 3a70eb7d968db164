"""
How often the forecast's range holds the truth, and how wide it is, on libraries that are made up.

    python benchmarks/forecasts.py            # 400 libraries of each kind, about a minute
"""

from __future__ import annotations

import sys

import numpy as np

from picora_analytics.analysis.forecast import outlook

YEARS, HORIZONS = (1, 2, 3, 5), (8, 26)
KINDS = ("steady", "bursty", "seasonal", "growing", "stopped")


def weekly_bytes(kind: str, n_past: int, n: int, random: np.random.Generator) -> np.ndarray:
    """Make up the bytes of each week: a number of uploads, and a log-normal size for each."""
    week = np.arange(n)
    mean = np.full(n, 20.0)
    if kind == "seasonal":
        mean *= 1 + 0.5 * np.sin(2 * np.pi * (week / 52 + random.random()))
    if kind == "growing":
        mean *= 1 + 0.02 * week
    uploads = random.poisson(mean)
    if kind == "bursty":
        uploads = random.negative_binomial(0.5, 0.5 / 20.5, n)
    if kind == "stopped":
        uploads[n_past - random.integers(0, min(80, n_past - 13)) :] = 0
    return np.array([random.lognormal(12.5, 1.0, count).sum() for count in uploads])


def measure(kind: str, years: int, times: int, random: np.random.Generator) -> list[str]:
    """Give the cells of a row: answered, covered or refused, and the median of high over low."""
    n_past = 52 * years
    held: dict[int, list[bool]] = {weeks: [] for weeks in HORIZONS}
    ratios: dict[int, list[float]] = {weeks: [] for weeks in HORIZONS}
    for _ in range(times):
        library = weekly_bytes(kind, n_past, n_past + max(HORIZONS), random)
        seen = outlook(library[:n_past])
        for weeks in HORIZONS:
            if seen.reason is not None or len(seen.low) < weeks:
                continue
            low, high = seen.low[weeks - 1], seen.high[weeks - 1]
            held[weeks].append(bool(low <= library[n_past : n_past + weeks].sum() <= high))
            ratios[weeks].append(high / low)
    cells = [kind, str(years)]
    for weeks in HORIZONS:
        n = len(held[weeks])
        good = (sum(held[weeks]) + times - n) / times
        width = f"{np.median(ratios[weeks]):.2f}" if n else "-"
        covered = f"{np.mean(held[weeks]):.0%}" if n else "-"
        cells += [f"{n / times:.0%}", covered, f"{good:.0%}", width]
    return cells


def main() -> None:
    """Print the table."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    heads = [
        f"{what}, {weeks} weeks"
        for weeks in HORIZONS
        for what in ("answered", "held", "held or refused", "high/low")
    ]
    print("| library | years |", " | ".join(heads), "|")
    print("| --- | --- |" + " ---: |" * len(heads))
    random = np.random.default_rng(7)
    for kind in KINDS:
        for years in YEARS:
            print("|", " | ".join(measure(kind, years, times, random)), "|")


if __name__ == "__main__":
    main()
