"""The notebooks we ship, run in a real JupyterLab."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_01_explore_runs_from_top_to_bottom(open_notebook, tmp_path):
    notebook = open_notebook(NOTEBOOKS / "01_explore.ipynb", height=2000)

    notebook.run_all(timeout=90)

    expect(notebook.page.get_by_text("Complete: 1,200 rows").first).to_be_visible()
    notebook.page.screenshot(path=tmp_path / "explore.png")
    assert notebook.errors() == []
    assert notebook.own_console_errors == []
    assert notebook.hosts == {notebook.lab.url.removeprefix("http://")}
