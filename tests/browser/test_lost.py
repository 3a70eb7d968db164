"""Three ways to lose a running deletion from sight: each ends in a panel that shows it."""

import contextlib
import os
import re
import threading
import time

import pytest
from playwright.sync_api import expect

from picora_analytics import DemoServer

pytestmark = pytest.mark.browser

CONNECT = """import os
from pathlib import Path
import picora_analytics as pic
Path("kernel.pid").write_text(str(os.getpid()))
client = pic.Client(os.environ["TEST_PICORA_KEY"], "{url}", timeout=120)
"""
PANEL = """images = pic.load_images(client, store=None, progress=False)
small = images["is_public"] & (images["size_bytes"] < 200_000)
chosen = pic.plan_deletion(images, small, reason="x").images.index[:5]
panel = pic.CleanupPanel(images, client)
panel"""
REVIEW = """if len(images) == 120 and panel._modes.job is None:
    panel._do(lambda session: session.select(chosen))
    panel._do(lambda session: panel._modes.begin_review(session, "a test"))"""


def _run(notebook, cell):
    ran = notebook.page.locator(".jp-CodeCell").nth(cell)
    prompt = ran.locator(".jp-InputPrompt")
    before = prompt.inner_text()
    ran.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Enter")
    # Until it is done, an earlier panel may stand there, and goes with all that is clicked in it.
    expect(prompt).not_to_have_text(before)
    expect(prompt).to_have_text(re.compile(r"\[\d+\]:"))
    notebook.page.locator(".pm-banner:visible").wait_for()


def _wait_for_the_end_of(pid):
    """Wait until a process is gone: a kernel that restarts may go on for seconds."""
    until = time.monotonic() + 60
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(0.05)
        raise AssertionError(f"process {pid} is still there")


def test_a_deletion_is_never_lost_from_sight(open_notebook, find_barriers, tmp_path):
    arrived, goes_on = threading.Event(), threading.Event()
    with DemoServer(n_images=120, rate_scale=None, seed_only=True) as service:
        service.fail(
            "DELETE",
            "/v1/images/*",
            skip=2,
            times=None,
            meanwhile=lambda: (arrived.set(), goes_on.wait(120)),
        )
        notebook = open_notebook([CONNECT.format(url=service.url), PANEL, REVIEW])
        page = notebook.page
        notebook.run_all()
        review = page.locator(".pm-review:visible")
        expect(review.get_by_role("button", name="Keep all 5")).to_be_focused()
        assert find_barriers(page, ".picora-panel") == []
        box = page.locator(".picora-panel").bounding_box()
        review.get_by_label("No backup").check()
        expect(review).to_contain_text("Nothing brings these 5 back.")
        red = review.get_by_role("button", name="Delete 5 for ever")
        field = review.get_by_label("What to type")
        field.fill("5")
        expect(review.get_by_role("alert")).to_have_text("Without a backup; type: delete 5")
        expect(red).to_be_disabled()
        field.fill("delete 5")
        expect(red).to_be_enabled()
        field.press("Enter")
        expect(review).to_be_visible()
        assert service.deleted == []
        red.click()
        stop = page.get_by_role("button", name="Stop after this batch")
        expect(stop).to_be_focused()
        assert arrived.wait(120)
        expect(page.locator(".pm-steps")).to_contain_text("2 of 5")
        page.screenshot(path=tmp_path / "running.png")
        assert page.locator(".picora-panel").bounding_box()["height"] == box["height"]

        _run(notebook, 1)  # The cell is run again: another panel.
        banner = page.locator(".pm-banner:visible")
        expect(banner).to_contain_text(re.compile(r"A deletion is running: 2 of 5\."))
        banner.get_by_role("button", name="Show it").click()
        expect(stop).to_be_visible()

        notebook.page.keyboard.press("Control+s")
        page.reload()  # The tab is closed, and opened again.
        page.locator(".jp-NotebookPanel-toolbar").wait_for()
        notebook.wait_for_kernel()
        # On a slow machine JupyterLab gives up finding the widgets again; whoever runs the cell has a panel.
        _run(notebook, 1)
        expect(banner).to_contain_text(re.compile(r"A deletion is running: 2 of 5\."))
        banner.get_by_role("button", name="Show it").click()
        expect(page.locator(".pm-steps")).to_contain_text("2 of 5")
        expect(stop).to_be_visible()

        page.get_by_role("menuitem", name="Kernel", exact=True).click()
        page.get_by_role("menuitem", name="Restart Kernel…").click()
        page.locator(".jp-Dialog .jp-mod-accept").click()
        dead = page.locator(".pm-dead-banner:visible")
        expect(dead).to_contain_text("No kernel answers.")
        page.screenshot(path=tmp_path / "no kernel.png")
        assert page.locator(".picora-panel .pm-modes").evaluate("one => one.inert")
        _wait_for_the_end_of(int((notebook.path.parent / "kernel.pid").read_text()))
        goes_on.set()
        service.clear_faults()
        notebook.wait_for_kernel()
        notebook.run_all()
        expect(dead).to_have_count(0)
        expect(banner).to_contain_text(
            re.compile(
                r"A deletion stopped half-way on .*: [2-4] of 5 pictures are gone, \d (was|were) not touched"
            )
        )
        page.screenshot(path=tmp_path / "interrupted.png")
        assert find_barriers(page, ".picora-panel") == []

        banner.get_by_role("button", name="Look, then resume").click()
        expect(page.get_by_role("heading", name="Resume the deletion?")).to_be_visible()
        resume = page.locator(".pm-review:visible")
        needed = resume.locator(".pm-ask b").inner_text()
        page.screenshot(path=tmp_path / "resume.png")
        resume.get_by_label("What to type").fill(needed)
        resume.get_by_role("button", name="Delete the").click()
        expect(page.get_by_role("button", name="Choose more")).to_be_focused()
        expect(page.locator(".pm-receipt:visible")).to_contain_text("5 pictures are gone")
        page.screenshot(path=tmp_path / "receipt.png")
        assert len(service.deleted) == 5
        assert find_barriers(page, ".picora-panel") == []
        assert service.api_key not in page.content()
        assert notebook.errors() == []
