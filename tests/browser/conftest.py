"""A real browser, a real JupyterLab, and notebooks typed into it."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    expect,
    sync_playwright,
)

from picora_analytics.demo.server import DEMO_KEY

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KEY_NAME = "TEST_PICORA_KEY"
"""The environment variable in which kernels find the demo's key: it must not stand in a cell."""
PATIENCE = 90
"""Seconds until what has not come is a fault: a kernel on a slow machine takes its time."""
MISSING = "No browser was found: name one in PICORA_BROWSER, or install Debian's with `sudo apt install chromium`."


def find_browser() -> str:
    """Give the first browser that starts and tells its version; without one skip the test, in CI fail."""
    named = os.environ.get("PICORA_BROWSER")
    for name in [named] if named else NAMES:
        path = shutil.which(name)
        if path is None:
            continue
        try:
            done = subprocess.run([path, "--version"], capture_output=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return path
    end = pytest.fail if os.environ.get("CI") else pytest.skip
    raise end.Exception(MISSING)


@pytest.fixture(scope="session", name="find_browser")
def _find_browser() -> Callable[[], str]:
    return find_browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the browser once."""
    path = find_browser()
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS, headless=True)
        yield started
        started.close()


@pytest.fixture(scope="session")
def hostile_names() -> tuple[str, ...]:
    """Names that would set `window.__xss`, each in its way, and two that would burst a table."""
    return (
        "<script>window.__xss=1</script>",
        '"><img src=x onerror="window.__xss=1">',
        "$\\href{javascript:window.__xss=1}{x}$",
        "[x](javascript:window.__xss=1) `'{{0}}",
        r"\(\href{javascript:__xss=1}{x}\) \[y\]",
        "x" * 250,
        "a" + "\u0301" * 300,
    )


@pytest.fixture
def find_barriers() -> Callable[..., list[str]]:
    """Give what lists, by axe-core, whatever keeps people from reading a page or a part of it."""

    def find(page: Page, part: str | None = None) -> list[str]:
        found = Axe().run(page, part, {"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{rule['id']}: {node['target']} {node['failureSummary']}"
            for rule in found
            for node in rule["nodes"]
        ]

    return find


@pytest.fixture
def keep_picture(tmp_path: Path) -> Callable[..., None]:
    """Give what takes a picture, into the folder PICORA_SCREENSHOTS or one that is thrown away."""
    folder = Path(os.environ.get("PICORA_SCREENSHOTS", tmp_path))

    def keep(shown: Locator, name: str, height: float | None = None) -> None:
        taken = Image.open(io.BytesIO(shown.screenshot(animations="disabled")))
        box = (0, 0, taken.width, int(height or taken.height))
        taken.convert("RGB").crop(box).save(folder / name, optimize=True)

    return keep


@dataclass
class Lab:
    """A JupyterLab server, private in all it reads and writes."""

    url: str
    token: str
    folder: Path

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call its REST API."""
        answer = httpx.request(
            method,
            f"{self.url}{path}",
            json=body,
            headers={"Authorization": f"token {self.token}"},
            timeout=60,
            trust_env=False,
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None


@contextlib.contextmanager
def _serving(home: Path, *words: str, **environment: str) -> Iterator[str]:
    """Run `python -m WORDS --port=...`, private in all it reads and writes, and give its address once it listens."""
    places = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "PICORA_DATA_DIR": "picora",
        "XDG_CONFIG_HOME": "config",
        "XDG_CACHE_HOME": "cache",
        "XDG_STATE_HOME": "state",
    }
    private = {
        name: value
        for name, value in os.environ.items()
        if name != "CI" and not name.startswith(("JUPYTER", "PICORA_"))
    } | {name: str(home / place) for name, place in places.items()}
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    log = home / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *words, f"--port={port}"],
            env=private | {KEY_NAME: DEMO_KEY} | environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=home,
        )
    try:
        # On a machine that does much else, importing a server takes half a minute.
        until = time.monotonic() + 180
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(f"{words[0]} did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.fixture(scope="session")
def serving() -> Callable[..., contextlib.AbstractContextManager[str]]:
    """Give what runs a server of notebooks in a folder, and gives its address."""
    return _serving


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab once, on a free port and with a token nobody knows."""
    home = tmp_path_factory.mktemp("lab")
    folder = home / "notebooks"
    folder.mkdir()
    token = secrets.token_hex(16)
    settings = home / "config" / "labconfig"
    settings.mkdir(parents=True)
    (settings / "page_config.json").write_text(
        '{"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": true}}'
    )
    words = (
        "jupyterlab",
        "--no-browser",
        "--ServerApp.port_retries=0",
        f"--ServerApp.token={token}",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.extension_manager=readonly",
        "--allow-root",
    )
    with _serving(home, *words) as url:
        yield Lab(url, token, folder)


@dataclass
class Notebook:
    """A notebook open in the browser."""

    page: Page
    lab: Lab
    path: Path
    requested: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)

    def wait_for_kernel(self, *, timeout: float = PATIENCE) -> None:
        """Wait until the server and the page agree on an idle kernel; before that, Run asks for one."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            states = [
                one["kernel"]["execution_state"] for one in self.lab.ask("GET", "/api/sessions")
            ]
            if states == ["idle"]:
                break
            self.page.wait_for_timeout(50)  # The page must go on while we ask the server.
        self.page.locator("#jp-bottom-panel, #jp-main-statusbar").get_by_text("| Idle").wait_for()

    def run_all(self, *, timeout: float = PATIENCE) -> None:
        """Run all cells, and wait until the last one is done."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.idle(timeout=timeout)

    def idle(self, *, timeout: float = PATIENCE) -> None:
        """Wait until no cell runs or waits."""
        self.page.wait_for_function(
            """() => {
                const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
                return prompts.length && prompts.every(one => /\\d/.test(one.textContent));
            }""",
            timeout=timeout * 1000,
        )

    def errors(self) -> list[str]:
        """Give what cells wrote to standard error, tracebacks among it."""
        kinds = "application/vnd.jupyter.error", "application/vnd.jupyter.stderr"
        found = [self.page.locator(f'[data-mime-type="{kind}"]') for kind in kinds]
        return [text for one in found for text in one.all_inner_texts()]

    def output(self, number: int) -> Locator:
        """Give the outputs of a code cell, counted from 0."""
        return self.page.locator(".jp-CodeCell").nth(number).locator(".jp-OutputArea-output")

    @property
    def hosts(self) -> set[str]:
        """The hosts and ports the page asked anything of; blobs are its own."""
        return {
            httpx.URL(url).netloc.decode()
            for url in self.requested
            if not url.startswith(("blob:", "data:"))
        }

    @property
    def own_console_errors(self) -> list[str]:
        """What the page's console says about us."""
        return [
            text for text in self.console if "picora" in text.lower() or "widget" in text.lower()
        ]


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give one context for all tests: JupyterLab's scripts are read once."""
    made = browser.new_context()
    made.set_default_timeout(PATIENCE * 1000)
    yield made
    made.close()


@pytest.fixture
def open_notebook(
    lab: Lab, context: BrowserContext, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Any]:
    """Give what opens a notebook, by its cells or from a file; a failed test leaves a picture."""
    opened: list[Notebook] = []

    def open_(cells: list[str] | Path, *, width: int = 1200, height: int = 1000) -> Notebook:
        import nbformat  # Here, for it takes seconds: other workers need not wait for it.

        path = lab.folder / f"{request.node.name.partition('[')[0][:60]}.ipynb"
        if isinstance(cells, Path):
            made = nbformat.read(cells, as_version=4)
            for cell in made.cells:  # What is seen later must come from this run.
                if cell.cell_type == "code":
                    cell.outputs, cell.execution_count = [], None
        else:
            made = nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
                metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
            )
        nbformat.write(made, path)
        for session in lab.ask("GET", "/api/sessions"):
            lab.ask("DELETE", f"/api/sessions/{session['id']}")
        notebook = Notebook(context.new_page(), lab, path)
        opened.append(notebook)
        notebook.page.set_viewport_size({"width": width, "height": height})
        notebook.page.on("request", lambda one: notebook.requested.append(one.url))
        notebook.page.on(
            "console",
            lambda one: notebook.console.append(one.text) if one.type == "error" else None,
        )
        notebook.page.on("pageerror", lambda error: notebook.console.append(f"picora? {error}"))
        notebook.page.goto(
            f"{lab.url}/lab/workspaces/{secrets.token_hex(4)}/tree/{path.name}?token={lab.token}"
        )
        notebook.page.locator(".jp-NotebookPanel-toolbar").wait_for()
        notebook.wait_for_kernel()
        return notebook

    yield open_
    failed = getattr(request.node, "failed_call", False)
    for number, notebook in enumerate(opened):
        if failed:
            notebook.page.screenshot(path=tmp_path / f"failed-{number}.png")
        notebook.page.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Tell the fixtures whether the test failed."""
    report = yield
    if report.when == "call":
        item.failed_call = report.failed  # type: ignore[attr-defined]
    return report
