"""One measured load: the service in a process of its own, the program in another, and the figures of both."""

from __future__ import annotations

import contextlib
import json
import math
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BURST, PER_SECOND = 30, 10  # What the documented limit lets through: 600 a minute, 30 at once.
FREE = 800  # The limit times this is none, and what a client still believes.
Run = dict[str, Any]


class Service:
    """The loopback service in a process of its own."""

    def __init__(self, images: int, *, skew: float = 0.0, totals: bool = False) -> None:
        shape = "seed" if totals else "current"  # The older document has totals, the newer has not.
        options = {"--images": images, "--skew": skew, "--shape": shape}
        words = [str(word) for pair in options.items() for word in pair]
        command = [sys.executable, str(HERE / "service.py"), *words]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self._process.stdout.readline().strip()
        self._totals = totals

    def __enter__(self) -> Service:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def ask(self, query: str = "") -> dict[str, int]:
        """Give what was counted, before the query changed anything."""
        with urllib.request.urlopen(f"{self.url}/bench?{query}") as answer:
            return json.load(answer)

    def set(self, *, latency: float = 0.0, scale: float = FREE) -> None:
        """Set latency and limit in fast motion: the limit times `scale`, the latency through it."""
        slow = latency / scale if scale < FREE else latency
        self.ask(f"set=1&scale={scale}&latency={slow}&total={int(self._totals)}")


def command(program: str, service: Service, store: str | None = None) -> list[str]:
    """Give the command that loads once."""
    words = [sys.executable, str(HERE / "rivals.py"), program, service.url]
    return words + (["--store", store] if store else [])


def load(program: str, service: Service, store: str | None = None, **settings: float) -> Run:
    """Load once in a new process, and check that nothing is missing."""
    service.set(**settings)
    done = subprocess.run(
        command(program, service, store), stdout=subprocess.PIPE, text=True, check=True
    )
    run = json.loads(done.stdout.splitlines()[-1]) | service.ask()
    if run["error"] is None and run["rows"] != run["images"]:
        raise SystemExit(f"{program} gave {run['rows']} rows of {run['images']} images: {run}")
    if program == "picora" and run["error"] is not None:
        raise SystemExit(f"load_images failed: {run}")
    return run


def median(runs: list[Run]) -> Run:
    """Give the median of each figure."""
    numbers = [name for name, value in runs[0].items() if isinstance(value, int | float)]
    return runs[0] | {name: statistics.median(run[name] for run in runs) for name in numbers}


@contextlib.contextmanager
def folder() -> Iterator[str]:
    """Make a folder that goes away again."""
    with tempfile.TemporaryDirectory(prefix="bench-") as path:
        yield path


def remembered(service: Service, **settings: float) -> Run:
    """Load once, into a new store."""
    with folder() as store:
        return load("picora", service, store, **settings)


def floor(n_images: int, scale: float = 1.0) -> float:
    """Give the seconds that the limit alone takes."""
    return max(math.ceil(n_images / 100) - BURST, 0) / (PER_SECOND * scale)
