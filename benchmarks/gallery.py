"""
How fast the gallery opens and answers with a thousand, a hundred thousand and a million images.

In a page that hosts it as the tests do (Chromium, the real module, the real kernel side), without a notebook around it:
what JupyterLab adds is the same for all sizes. All sizes in one run, one after the other and round again; read ratios.

    python benchmarks/gallery.py [--repeat 5] [--images 1000 100000 1000000]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from playwright.sync_api import sync_playwright

from picora_analytics import ImageGallery
from picora_analytics.library.frame import STR

TESTS = Path(__file__).parents[1] / "tests" / "browser" / "gallery" / "conftest.py"
PAINTED = """() => new Promise((done) => {
    const look = () => document.querySelector('.pg-nm')?.textContent ? done(performance.now())
        : requestAnimationFrame(look);
    look();
})"""


def hosting() -> Any:
    """Load what the tests host a gallery with."""
    spec = importlib.util.spec_from_file_location("hosting", TESTS)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    import sys

    sys.modules["hosting"] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def make(n: int) -> pd.DataFrame:
    """Make a frame of n images, the newest first, as the service lists them."""
    rng = np.random.default_rng(1)
    uploaded = np.datetime64("2026-11-01", "us") - np.arange(n) * np.timedelta64(300, "s")
    ids = [f"i{one:010d}" for one in range(n)]
    images = pd.DataFrame(
        {
            "filename": pd.array([f"IMG_{one:07d}.jpg" for one in range(n)], dtype=STR),
            "url": pd.array([f"https://img.picora.com/{one}.jpg" for one in ids], dtype=STR),
            "mime_type": pd.array(["image/jpeg"] * n, dtype=STR),
            "size_bytes": pd.array(rng.integers(1000, 5_000_000, n), dtype="Int64"),
            "width": pd.array([1200] * n, dtype="Int64"),
            "height": pd.array([900] * n, dtype="Int64"),
            "is_public": pd.array([False] * n, dtype="boolean"),
            "created_at": pd.Series(uploaded).dt.tz_localize("UTC").array,
        },
        index=pd.Index(ids, name="id", dtype=STR),
    )
    assert images.index.is_unique  # As a load has looked already.
    return images


def measure(browser: Any, host: Any, images: pd.DataFrame) -> dict[str, float]:
    """Open a gallery once and use it; times in milliseconds, sizes in bytes."""
    page = browser.new_page(viewport={"width": 1124, "height": 920})
    found: dict[str, float] = {}
    start = time.perf_counter()
    hosted = host(page, lambda: ImageGallery(images))
    page.evaluate(PAINTED)
    found["open: made, shown, first names painted"] = (time.perf_counter() - start) * 1000

    def until(text: str) -> None:
        page.wait_for_function(
            "text => document.querySelector('.pg-sum').textContent.includes(text)", arg=text
        )

    def timed(act: Any, text: str) -> float:
        start = time.perf_counter()
        act()
        until(text)
        return (time.perf_counter() - start) * 1000

    clicks = [
        timed(lambda: page.evaluate("document.querySelector('.pg-c').click()"), text)
        for text in ("1 selected", "Nothing selected") * 3
    ]
    found["click to the kernel's count"] = statistics.median(clicks)
    said, heard = len(hosted.said), len(hosted.heard)
    found["select all to the kernel's count"] = timed(
        lambda: page.keyboard.press("Control+a"), f"{len(images):,} selected"
    )
    # Of all that travels; a message's frame in Jupyter adds some 350 bytes to each.
    found["select all, bytes both ways"] = len(json.dumps(hosted.said[said:])) + len(
        json.dumps(hosted.heard[heard:])
    )
    jumps = []
    for _ in range(5):
        where = random.random()
        start = time.perf_counter()
        page.evaluate(
            "where => { const box = document.querySelector('.pg-box'); box.scrollTop = where * box.scrollHeight; }",
            where,
        )
        page.wait_for_function(
            """() => [...document.querySelectorAll('.pg-c:not([hidden]) .pg-nm')].every(one => one.textContent)"""
        )
        jumps.append((time.perf_counter() - start) * 1000)
    found["jump to a random place, names shown"] = statistics.median(jumps)
    page.close()
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 100_000, 1_000_000])
    parser.add_argument("--browser", default="chromium")
    options = parser.parse_args()
    module = hosting()
    frames = {n: make(n) for n in options.images}
    with sync_playwright() as playwright:
        import shutil

        path = shutil.which(options.browser)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        runs: dict[int, list[dict[str, float]]] = {n: [] for n in frames}
        for _ in range(options.repeat + 1):
            for n, images in frames.items():
                runs[n].append(measure(browser, module._host, images))
        browser.close()
    print(f"| median of {options.repeat} | " + " | ".join(f"{n:,}" for n in frames) + " |")
    print("| --- |" + " --- |" * len(frames))
    for name in runs[options.images[0]][0]:
        # The first round warms up.
        values = [statistics.median(run[name] for run in runs[n][1:]) for n in frames]
        shown = [f"{value:,.0f} ({value / values[0]:.2f} x)" for value in values]
        print(f"| {name} | " + " | ".join(shown) + " |")


if __name__ == "__main__":
    main()
