"""
How fast gallery and panel open and answer with a thousand, a hundred thousand and a million images.

In a page that hosts it as the tests do (Chromium, the real module, the real kernel side), without a notebook around it:
what JupyterLab adds is the same for all sizes. Pictures come from this machine, each after 15 milliseconds. All sizes
in one run, one after the other and round again; read ratios.
Beside it, what the usual ways take (pip install itables).

    python benchmarks/gallery.py [--repeat 5] [--images 1000 100000 1000000]
"""

from __future__ import annotations

import argparse
import importlib.util
import io
import json
import multiprocessing
import random
import shutil
import statistics
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd
from ipywidgets.embed import dependency_state, embed_data
from itables import to_html_datatable
from PIL import Image
from plans import library
from playwright.sync_api import sync_playwright

from picora_analytics import CleanupPanel, Client, ImageGallery

TESTS = Path(__file__).parents[1] / "tests" / "browser" / "gallery" / "conftest.py"
PAINTED = """() => new Promise((done) => {
    const look = () => document.querySelector('.pg-nm')?.textContent ? done(performance.now())
        : requestAnimationFrame(look);
    look();
})"""
PICTURED = """() => { const all = [...document.querySelectorAll('.pg-c:not([hidden])')];
    return all.length && all.every(one => one.querySelector('.pg-nm').textContent && one.querySelector('img')); }"""
JUMP = """where => { const box = document.querySelector('.pg-box');
    for (const one of document.querySelectorAll('.pg-c'))
        one.querySelector('img')?.setAttribute('data-old', one.dataset.place);
    box.scrollTop = where * box.scrollHeight; }"""
MOVED = """() => [...document.querySelectorAll('.pg-c')].every(one =>
    one.querySelector('img')?.dataset.old !== one.dataset.place)"""


def hosting() -> Any:
    """Load what the tests host a gallery with."""
    spec = importlib.util.spec_from_file_location("hosting", TESTS)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.modules["hosting"] = module
    spec.loader.exec_module(module)  # type: ignore[union-attr]
    return module


def picture() -> bytes:
    """Draw a picture of 8 KB."""
    noise = np.random.default_rng(1).integers(0, 255, (60, 80, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((320, 240)).save(file, "webp", quality=70)
    return file.getvalue()


class Source(ThreadingHTTPServer):
    """Pictures, each after 15 milliseconds."""

    request_queue_size = 64  # A short queue would look like a slow gallery.
    daemon_threads = True

    def __init__(self) -> None:
        self.picture = picture()
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the system holds the picture back for 40 ms until the headers are acknowledged.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        time.sleep(0.015)
        self.send_response(200)
        self.send_header("Content-Type", "image/webp")
        self.send_header("Content-Length", str(len(self.server.picture)))
        self.end_headers()
        self.wfile.write(self.server.picture)

    def log_message(self, *_: object) -> None:
        pass


def serve(told: Any) -> None:
    """Serve pictures, in a process of their own as any host's are, and tell the port."""
    source = Source()
    told.send(source.server_address[1])
    source.serve_forever()


def make(n: int, port: int) -> pd.DataFrame:
    """Make a library of n images, the newest first, all public and at the source."""
    images = library(n, hashes=False)
    address = f"http://127.0.0.1:{port}/"
    images["url"] = (address + images.index.to_series() + ".webp").astype(images["url"].dtype)
    images["is_public"] = pd.array([True] * n, dtype="boolean")
    assert images.index.is_unique  # As a load has looked already.
    return images


def measure(browser: Any, host: Any, images: pd.DataFrame) -> dict[str, float]:
    """Open a gallery once and use it; times in milliseconds, sizes in bytes."""
    page = browser.new_page(viewport={"width": 1124, "height": 920})
    found: dict[str, float] = {}
    start = time.perf_counter()
    hosted = host(page, lambda: ImageGallery(images))
    page.evaluate(PAINTED)
    found["open: made, shown, first names painted"] = since(start)
    page.wait_for_function(PICTURED)
    found["open: first pictures"] = since(start)
    before = heap(page)

    clicks = [
        timed(page, lambda: page.evaluate("document.querySelector('.pg-c').click()"), text)
        for text in ("1 selected", "Nothing selected") * 3
    ]
    found["click to the kernel's count"] = statistics.median(clicks)
    said, heard = len(hosted.said), len(hosted.heard)
    found["select all to the kernel's count"] = timed(
        page, lambda: page.keyboard.press("Control+a"), f"{len(images):,} selected"
    )
    # Of all that travels; a message's frame in Jupyter adds some 350 bytes to each.
    found["select all, bytes both ways"] = len(json.dumps(hosted.said[said:])) + len(
        json.dumps(hosted.heard[heard:])
    )
    jumps = []
    for number in range(15):
        start = time.perf_counter()
        page.evaluate(JUMP, 0.5 * random.random() + 0.5 * (number % 2 == 0))
        page.wait_for_function(MOVED)
        page.wait_for_function(PICTURED)
        jumps.append(since(start))
    found["jump to a random place, all pictures shown"] = statistics.median(jumps)
    found["heap added by the tour, MB"] = heap(page) - before
    page.close()
    return found


def measure_panel(browser: Any, host: Any, images: pd.DataFrame) -> dict[str, float]:
    """Make a panel and show its pictures; its header is painted when it is made. Then count and choose."""
    page = browser.new_page(viewport={"width": 1124, "height": 920})
    client = Client("sk_live_none", "http://127.0.0.1:9")
    made: list[CleanupPanel] = []

    def make_panel() -> ImageGallery:
        made.append(CleanupPanel(images, client, free="30 MiB"))
        found["panel: made, the header painted"] = since(start)
        early["piles"] = len(made[0]._session.piles)
        early["suggests"] = not made[0]._header.suggest.disabled
        return made[0]._gallery

    found: dict[str, float] = {}
    early: dict[str, int] = {}
    start = time.perf_counter()
    host(page, make_panel)
    page.wait_for_function(PICTURED)
    found["panel: first pictures"] = since(start)
    (panel,) = made
    # What is not counted yet offers nothing to choose from.
    assert panel._session.candidates is not None or early == {"piles": 0, "suggests": False}
    while panel._counting:
        time.sleep(0.02)
    found["panel: piles and counts"] = since(start)
    clicks = []
    click = "document.querySelectorAll('.pg-c')[7].click()"
    for text in ("1 selected", "Nothing selected") * 3:
        clicks.append(timed(page, lambda: page.evaluate(click), text))
    found["panel: click to its bar and header"] = statistics.median(clicks)
    page.close()
    return found


def rivals(n: int, port: int) -> list[tuple[str, float, float]]:
    """Give what the usual ways take in the kernel, and in bytes to the page, for n images."""
    images, found = make(n, port), []

    def widget_boxes() -> int:
        """One Image and one Checkbox each, as one would write it by hand."""
        parts: list[Any] = []
        pictures = [picture()] * n
        for name, data in zip(images["filename"], pictures, strict=True):
            parts.append(
                widgets.VBox(
                    [
                        widgets.Image(value=data, format="webp"),
                        widgets.Checkbox(description=str(name)),
                    ]
                )
            )
        box = widgets.HBox(parts)
        embedded = embed_data([box], state=dependency_state([box]))
        return len(json.dumps(embedded["manager_state"]))

    def table() -> int:
        return len(to_html_datatable(images.assign(tags=images["tags"].map(str)), maxBytes=0))

    def gallery() -> int:
        one = ImageGallery(images)
        state = {key: value for key, value in one.get_state().items() if key != "layout"}
        return len(json.dumps(state, default=str))

    for name, act in (
        ("HBox of Image and Checkbox", widget_boxes),
        ("itables", table),
        ("ImageGallery", gallery),
    ):
        if name.startswith("HBox") and n > 10_000:
            continue  # Some 70 KB and six models each.
        start = time.perf_counter()
        size = act()
        found.append((name, since(start), size))
    return found


def since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


def heap(page: Any) -> float:
    """Give the megabytes of the page's own heap, after what is garbage has gone."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used / 2**20


def timed(page: Any, act: Any, text: str) -> float:
    start = time.perf_counter()
    act()
    page.wait_for_function(
        "text => document.querySelector('.pg-sum').textContent.includes(text)", arg=text
    )
    return since(start)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--images", type=int, nargs="+", default=[1000, 100_000, 1_000_000])
    parser.add_argument("--browser", default="chromium")
    options = parser.parse_args()
    module = hosting()
    port, told = multiprocessing.Pipe(duplex=False)
    multiprocessing.get_context("spawn").Process(target=serve, args=(told,), daemon=True).start()
    source = port.recv()
    frames = {n: make(n, source) for n in options.images}
    path = shutil.which(options.browser)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        runs: dict[int, list[dict[str, float]]] = {n: [] for n in frames}
        for _ in range(options.repeat + 1):
            for n, images in frames.items():
                found = measure(browser, module._host, images)
                runs[n].append(found | measure_panel(browser, module._host, images))
                print(f"{n:,}: {runs[n][-1]}", file=sys.stderr, flush=True)
        browser.close()
    print(f"| median of {options.repeat} | " + " | ".join(f"{n:,}" for n in frames) + " |")
    print("| --- |" + " --- |" * len(frames))
    for name in runs[options.images[0]][0]:
        # The first round warms up.
        values = [statistics.median(run[name] for run in runs[n][1:]) for n in frames]
        shown = [f"{value:,.0f} ({value / max(values[0], 0.1):.2f} x)" for value in values]
        print(f"| {name} | " + " | ".join(shown) + " |")
    print(
        "\n| the usual ways | images | ms in the kernel | bytes to the page |\n| --- | ---: | ---: | ---: |"
    )
    for n in (1000, 100_000):
        for name, taken, size in rivals(n, source):
            print(f"| {name} | {n:,} | {taken:,.0f} | {size:,} |")


if __name__ == "__main__":
    main()
