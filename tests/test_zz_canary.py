"""The last test of a run: the key that the whole run used stands in nothing the run left behind."""

import os
from pathlib import Path

import pytest

from picora_analytics import DemoServer

ROOT = Path(__file__).parents[1]


def _files_holding(needle, folders):
    found = []
    for folder in folders:
        for path in Path(folder).rglob("*"):
            if path.is_file() and not path.is_symlink() and needle in path.read_bytes():
                found.append(path)
    return found


def test_the_search_finds_a_key_that_was_left_behind(tmp_path):
    # Not the canary itself: this file is part of what is searched.
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.ipynb").write_bytes(b'{"text": "Bearer sk_live_planted"}')

    assert _files_holding(b"sk_live_planted", [tmp_path]) == [tmp_path / "deep" / "a.ipynb"]


def test_the_key_of_this_run_occurs_in_no_output_file_log_notebook_or_traceback(
    tmp_path_factory, everything_printed
):
    canary = DemoServer(n_images=0).api_key
    places = [
        tmp_path_factory.getbasetemp(),
        os.environ["PICORA_DATA_DIR"],
        *(ROOT / name for name in ("notebooks", ".pytest_cache", ".hypothesis", "docs")),
    ]

    assert [text for text in everything_printed if canary in text] == []
    assert _files_holding(canary.encode(), places) == []


@pytest.mark.skipif(os.environ.get("CI") is None, reason="only a whole run has output to search")
def test_the_whole_run_was_watched(everything_printed, request):
    assert request.session.testscollected > 300
    assert request.session.items[-1].path.name == Path(__file__).name


@pytest.mark.skipif(os.environ.get("CI") is None, reason="without CI a browser may be missing")
def test_no_browser_test_was_skipped(skipped_browser_tests):
    assert skipped_browser_tests == []
