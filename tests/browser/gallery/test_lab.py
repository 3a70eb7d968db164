"""In a real JupyterLab: keys stay in the gallery, a busy kernel does not stop it, a saved notebook tells nothing."""

import re

import pytest
from playwright.sync_api import expect

from picora_analytics import DemoServer
from picora_analytics.demo.server import DEMO_KEY

pytestmark = pytest.mark.browser


@pytest.fixture
def service():
    with DemoServer(n_images=120) as server:
        yield server


def _connect(service):
    return (
        "import os, time\nimport picora_analytics as pic\n"
        f'client = pic.Client(os.environ["TEST_PICORA_KEY"], "{service.url}")\n'
        "images = pic.load_images(client, store=None, progress=False)\n"
    )


def _run(page, cell):
    """Run one cell by its number, and no other."""
    page.locator(".jp-CodeCell .jp-Editor").nth(cell).click()
    page.keyboard.press("Control+Enter")


@pytest.mark.slow
def test_choosing_in_a_notebook(open_notebook, service, tmp_path):
    notebook = open_notebook(
        [
            _connect(service),
            "gallery = pic.ImageGallery(images, client)\ngallery",
            "print(len(gallery.selected), 'chosen of', len(gallery.mask))",
            "time.sleep(600)",
        ]
    )
    page = notebook.page
    for cell in (0, 1):
        _run(page, cell)
    expect(page.locator(".pg-c img").first).to_be_visible(timeout=60_000)
    expect(page.locator(".picora-static")).to_be_hidden()
    page.locator(".pg-c").first.click()
    for key in "abddxyz":
        page.keyboard.press(key)
    page.keyboard.press("Control+a")
    expect(page.locator(".pg-sum")).to_contain_text("120 selected")
    expect(page.locator(".jp-CodeCell")).to_have_count(4)
    page.locator(".pg-c").nth(1).click()
    expect(page.locator(".pg-sum")).to_contain_text("119 selected")
    _run(page, 2)
    expect(notebook.output(2)).to_contain_text("119 chosen of 120")

    page.screenshot(path=tmp_path / "lab.png")

    # While a cell runs, the gallery goes on.
    _run(page, 3)
    expect(page.locator(".jp-CodeCell .jp-InputPrompt").nth(3)).to_have_text("[*]:")
    page.locator(".pg-c").nth(2).click()
    expect(page.locator(".pg-sum")).to_contain_text("118 selected")
    page.locator(".pg-search input").fill("screenshot")
    expect(page.locator(".pg-count")).to_contain_text("of 120")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Interrupt the kernel").click()
    expect(page.locator(".jp-CodeCell .jp-InputPrompt").nth(3)).to_have_text("[4]:")

    # Shown again, there is one view of it, and the choice is as it was.
    _run(page, 1)
    expect(page.locator(".pg-sum")).to_contain_text("Nothing selected")
    expect(page.locator(".pg")).to_have_count(1)
    assert notebook.own_console_errors == []


@pytest.mark.slow
def test_a_saved_notebook_keeps_public_pictures_only(open_notebook, service):
    import nbformat
    from nbconvert import HTMLExporter

    notebook = open_notebook(
        [
            _connect(service) + "images = images.sort_values('is_public', kind='stable')",
            "rows = images.groupby('is_public').head(3)\nrows.attrs = images.attrs\n"
            "gallery = pic.ImageGallery(rows, client)\ngallery",
        ]
    )
    notebook.run_all()
    page = notebook.page
    expect(page.locator(".pg-pic.pg-wait:visible")).to_have_count(0)
    expect(page.locator(".pg-c img")).to_have_count(
        6
    )  # The private ones, too: here, they may be seen.
    preview = page.locator(".picora-static img")
    expect(preview).to_have_count(3)  # In the output that is hidden now.
    page.keyboard.press("Control+s")
    expect(page.locator(".jp-mod-dirty")).to_have_count(0)

    text = notebook.path.read_text(encoding="utf-8")
    exported, _ = HTMLExporter().from_notebook_node(nbformat.reads(text, as_version=4))
    for secret in (DEMO_KEY, "sig=", "exp="):
        assert secret not in text
    assert len(text) < 64 * 1024
    assert text.count("data:image/") == 3
    assert "A saved picture of the gallery." in exported
    assert len(re.findall("private, not saved here", exported)) == 3
    assert "127.0.0.1" not in exported.partition("A saved picture")[2]
