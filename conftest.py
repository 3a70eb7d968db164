"""Isolation for every test, and the helpers that doctests and tests share."""

from __future__ import annotations

import os
import tempfile

# Before anything is imported: nothing of the person's own may be read or written by a test.
for _name in ("PICORA_API_KEY", "PICORA_BASE_URL"):
    os.environ.pop(_name, None)
os.environ["PICORA_DATA_DIR"] = tempfile.mkdtemp(prefix="picora-test-data-")
os.environ["MPLBACKEND"] = "Agg"

import datetime as dt  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
import pytest  # noqa: E402

from picora_analytics.library import frame  # noqa: E402

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


_PRINTED: list[str] = []
_SKIPPED: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep all that a test printed, logged or raised, and what was skipped, for the last tests of a run."""
    if report.skipped and "browser" in report.keywords:
        _SKIPPED.append(report.nodeid)
    _PRINTED.extend(content for _, content in report.sections if content)
    if report.longrepr is not None:
        _PRINTED.append(str(report.longrepr))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the search for the key last."""
    items.sort(key=lambda item: item.path.name == "test_zz_canary.py")


@pytest.fixture
def everything_printed() -> list[str]:
    """Give what all tests so far printed, logged and raised."""
    return _PRINTED


@pytest.fixture
def skipped_browser_tests() -> list[str]:
    """Give the names of the browser tests that were skipped so far."""
    return _SKIPPED
