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


def test_03_guided_cleanup_run_again_after_all_is_over_sends_nothing_and_says_what_was_done(
    open_notebook,
):
    notebook = open_notebook(NOTEBOOKS / "03_guided_cleanup.ipynb", height=2000)
    notebook.run_all(timeout=90)
    deleting = notebook.page.locator(".jp-CodeCell", has_text="receipt = plan.apply")
    expect(deleting).to_contain_text("images deleted")
    before = deleting.locator(".jp-InputPrompt").inner_text()

    # By now the client is closed and the service gone: whatever was sent would be an error.
    deleting.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")

    expect(deleting.locator(".jp-InputPrompt")).not_to_have_text(before)
    expect(deleting).to_contain_text("nothing was sent now")
    assert notebook.errors() == []
    assert notebook.own_console_errors == []
