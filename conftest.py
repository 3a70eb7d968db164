"""Isolation for every test, the search for the key at the end, and the helpers that doctests and tests share."""

from __future__ import annotations

import os
import tempfile

# Before anything is imported: nothing of the person's own may be read or written by a test, and all that a run
# leaves behind lies in one folder, which xdist's workers and every program a test starts share.
for _name in ("PICORA_API_KEY", "PICORA_BASE_URL"):
    os.environ.pop(_name, None)
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ["TMPDIR"] = os.environ["PICORA_TEST_HOME"] = tempfile.mkdtemp(prefix="picora-test-")
HOME = tempfile.tempdir = os.environ["PICORA_TEST_HOME"]
os.environ["PICORA_DATA_DIR"] = tempfile.mkdtemp(prefix="data-")
os.environ["MPLBACKEND"] = "Agg"

import datetime as dt  # noqa: E402
import shutil  # noqa: E402
import signal  # noqa: E402
from collections.abc import Callable, Iterable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

from picora_analytics.library import frame  # noqa: E402

# No test is about how long an example takes: other work may share the machine.
# `make prove` looks far longer for counter-examples, by --hypothesis-profile=prove.
settings.register_profile("picora", deadline=None, max_examples=25)
settings.register_profile("prove", deadline=None, max_examples=300)
settings.load_profile("picora")

# A shell starts what runs in the background deaf to Ctrl-C, and some tests press it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LOADED_AT = "2026-11-23T14:00:00Z"


def _make_images(**columns: Any) -> pd.DataFrame:
    """Make a valid frame; what is not given is plausible, and ids are a, b, c, ..."""
    n = len(next(iter(columns.values()))) if columns else 3
    uploaded = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    names = columns.get("id") or [chr(ord("a") + i) if n <= 26 else f"i{i:010d}" for i in range(n)]
    values: dict[str, Any] = {
        "id": names,
        "filename": [f"{name}.png" for name in names],
        "title": [None] * n,
        "url": [f"https://img.picora.com/{name}.png" for name in names],
        "mime_type": ["image/png"] * n,
        "size_bytes": [1000] * n,
        "width": [800] * n,
        "height": [600] * n,
        "is_public": [True] * n,
        "tags": [()] * n,
        "created_at": [uploaded] * n,
        "content_hash": [None] * n,
    }
    values |= columns
    for name in ("created_at", "updated_at"):
        if name in values:
            values[name] = [
                None if pd.isna(value) else _utc(value)  # type: ignore[call-overload]
                for value in values[name]
            ]
    values.setdefault("updated_at", values["created_at"])
    table = pa.table({name: list(values[name]) for name in frame.SCHEMA.names}, schema=frame.SCHEMA)
    sizes = [size for size in values["size_bytes"] if size is not None]
    facts: frame.Facts = {
        "account": "0123456789abcdef",
        "base_url": "https://api.picora.com",
        "demo": False,
        "scope": "library",
        "loaded_at": LOADED_AT,
        "read_at": dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z"),
        "status": "complete",
        "n_images": n,
        "size_bytes": sum(sizes),
        "total": n,
        "checks": {},
    }
    return frame.frame_from_table(table, facts)


def _utc(value: Any) -> pd.Timestamp:
    stamp = pd.Timestamp(value)
    return stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")


@pytest.fixture(scope="session")
def make_images() -> Callable[..., pd.DataFrame]:
    """Give the maker of small valid frames."""
    return _make_images


@pytest.fixture(autouse=True)
def _doctest_names(doctest_namespace: dict[str, Any]) -> None:
    import picora_analytics as pic

    doctest_namespace["make_images"] = _make_images
    doctest_namespace["pic"] = pic


# Tests that share what takes long to make, such as a JupyterLab, by the beginning of their ids.
_TOGETHER = {
    "tests/browser/test_panel.py": "JupyterLab",
    "tests/browser/test_notebooks.py": "JupyterLab",
    "tests/browser/gallery/test_lab.py": "JupyterLab",
    "tests/browser/": "Chromium",
    "tests/report/test_report.py": "reports",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep tests that share something in one worker; xdist's own groups need the ids of an older pytest."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            group = (name for begin, name in _TOGETHER.items() if nodeid.startswith(begin))
            return next(group, nodeid)

    return Together(config, log)


_PRINTED: set[str] = set()
_SKIPPED: list[str] = []
_COMPLAINTS: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep all that a test printed, logged or raised; xdist brings its workers' reports here too."""
    if report.skipped and "browser" in report.keywords:
        _SKIPPED.append(report.nodeid)
    _PRINTED.update(content for _, content in report.sections if content)
    if report.longrepr is not None:
        _PRINTED.add(str(report.longrepr))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run if the demo's key stands in what it left, or if CI skipped a browser test."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    from picora_analytics.demo.server import DEMO_KEY

    left = [text.replace(DEMO_KEY, "<key>")[:200] for text in _PRINTED if DEMO_KEY in text]
    names = ("notebooks", "docs", ".pytest_cache", ".hypothesis")
    left += files_holding(DEMO_KEY, [HOME, *(session.config.rootpath / name for name in names)])
    _COMPLAINTS.extend(f"THE KEY OF THIS RUN STANDS IN: {place}" for place in left)
    if os.environ.get("CI"):
        _COMPLAINTS.extend(f"SKIPPED IN CI FOR WANT OF A BROWSER: {name}" for name in _SKIPPED)
    if _COMPLAINTS:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif session.exitstatus == pytest.ExitCode.OK:
        shutil.rmtree(HOME, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what the run is failed for."""
    for complaint in _COMPLAINTS:
        terminalreporter.write_line(complaint, red=True)


def files_holding(needle: str, folders: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Give the files below some folders that hold a text."""
    found = []
    for folder in folders:
        for path in Path(folder).rglob("*"):
            if path.is_file() and not path.is_symlink() and needle.encode() in path.read_bytes():
                found.append(str(path))
    return found
