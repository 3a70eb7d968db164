"""
Piles, suggestions and duplicates on 100,000 and 1,000,000 images: CPU seconds, and how they grow.

``python benchmarks/choosing.py`` measures both; every image has a hash, one in ten is in use, and a thousand were
decided of. Ends with an error where 100,000 take longer than is asked for, or ten times as many over fifteen times as
long.
"""

from __future__ import annotations

import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from plans import library

import picora_analytics as pic

SIZES = (100_000, 1_000_000)
# Seconds that 100,000 images may take, and how much longer ten times as many.
AT_MOST = {"summarize_candidates": 2, "suggest": 3, "find_duplicates": 1}
GROWTH = 15
CALLS: dict[str, Callable[..., object]] = {
    "summarize_candidates": pic.summarize_candidates,
    "suggest": functools.partial(pic.suggest, free_to="50%"),
    "find_duplicates": pic.find_duplicates,
}


def given(n: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Give a library of real-looking ids, what a search found of it, and what was decided."""
    images = library(n, hashes=True)
    numbers = pd.Series(np.arange(n)).astype(str).str.zfill(10)
    images = images.set_axis(pd.Index("i" + numbers.array, dtype=images.index.dtype, name="id"))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "used.md").write_text("\n".join(images.index[::10]), encoding="utf-8")
        references = pic.find_references(images, folder, progress=False)
    some = images.index[5 :: n // 1000]
    decisions = pd.DataFrame({"id": some, "decision": "keep"})
    decisions.loc[decisions.index[::2], "decision"] = "delete"
    return images, {"references": references, "decisions": decisions}


def measure(call: Callable[[], object], repeat: int = 3) -> tuple[float, float]:
    """Give the medians of CPU and of wall seconds, once warm."""
    found = []
    for _ in range(repeat + 1):
        began, cpu = time.perf_counter(), time.process_time()
        call()
        found.append((time.process_time() - cpu, time.perf_counter() - began))
    cpu_seconds, wall = zip(*found[1:], strict=True)
    return statistics.median(cpu_seconds), statistics.median(wall)


def main() -> int:
    """Measure all three on each size."""
    taken: dict[str, list[float]] = {name: [] for name in AT_MOST}
    print(f"{'':24}{'images':>10}{'CPU s':>8}{'wall s':>8}   at most")
    for n in SIZES:
        images, evidence = given(n)
        size = images.attrs["picora"]["size_bytes"]
        images.attrs["picora"] |= {"usage": {"size_bytes": size, "quota_bytes": size}}
        for name, function in CALLS.items():
            cpu, wall = measure(functools.partial(function, images, **evidence))
            taken[name].append(cpu)
            bar = f"{AT_MOST[name]} s" if n == SIZES[0] else ""
            print(f"{name:24}{n:>10,}{cpu:>8.2f}{wall:>8.2f}   {bar}", flush=True)
    missed = []
    for name, (small, large) in taken.items():
        print(f"{name:24} ten times the images take {large / small:.1f} times as long")
        missed += [name] if small > AT_MOST[name] or large > GROWTH * small else []
    if missed:
        print(f"MISSED: {', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
