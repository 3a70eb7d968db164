"""
A report beside pandas by hand, at 100,000 and 1,000,000 images: CPU seconds, and what memory it needs on top.

    python benchmarks/report.py                 # both sizes, some minutes
    python benchmarks/report.py 100000          # one size

Both sides run in this process and this run, in turns, after one turn to warm up. By hand is what `summaries.py` says.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import pandas as pd
from plans import library
from summaries import hand_report

import picora_analytics as pic

SIZES = (100_000, 1_000_000)

# Linux forgets the highest peak so far when 5 is written; what the report is given is read before that.
_PEAK = """
import gc, sys
from pathlib import Path
import pandas as pd, picora_analytics as pic
def held(name):
    status = Path("/proc/self/status").read_text()
    return int(status.partition(name + ":")[2].split()[0])
images = pd.read_pickle(sys.argv[1])
pic.StorageReport(images.head(1000), quota="500 GiB")
gc.collect()
Path("/proc/self/clear_refs").write_text("5")
before = held("VmRSS")
pic.StorageReport(images, quota="500 GiB")
print((held("VmHWM") - before) / 1024)
"""


def cpu(function: Callable[[], object]) -> float:
    """Give the CPU seconds of one call, user's and system's."""
    began = time.process_time()
    function()
    return time.process_time() - began


def turn(images: pd.DataFrame) -> tuple[float, float]:
    """Give what both sides take."""
    ours = cpu(lambda: pic.StorageReport(images, quota="500 GiB"))
    return ours, cpu(lambda: hand_report(images))


def megabytes(images: pd.DataFrame, folder: str) -> float:
    """Give by how much a report raises the peak of a process that holds the images."""
    path = f"{folder}/images.pickle"
    images.to_pickle(path)
    done = subprocess.run([sys.executable, "-c", _PEAK, path], check=True, capture_output=True)
    return float(done.stdout)


def main() -> None:
    """Print a row for each size, with and without contents."""
    sizes = [int(text) for text in sys.argv[1:]] or SIZES
    print("| images | contents | report, CPU s | by hand, CPU s | ratio | MB on top |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for n in sizes:
        for hashes in (True, False):
            images = library(n, hashes=hashes)
            turns = [turn(images) for _ in range(4)][1:]
            ours, hand = (statistics.median(side) for side in zip(*turns, strict=True))
            with tempfile.TemporaryDirectory() as folder:
                more = megabytes(images, folder)
            read = "read" if hashes else "unknown"
            print(
                f"| {n:,} | {read} | {ours:.2f} | {hand:.2f} | {ours / hand:.2f} x | {more:.0f} |"
            )


if __name__ == "__main__":
    main()
