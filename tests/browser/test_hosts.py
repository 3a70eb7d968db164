"""Gallery and panel where there is no JupyterLab: each in its real server, or in a page like it, in a real browser."""

import re
import secrets
import shlex
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from picora_analytics import DemoServer

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
CONNECT = """import os
import picora_analytics as pic
client = pic.Client(os.environ["TEST_PICORA_KEY"], os.environ["TEST_PICORA_URL"])
images = pic.load_images(client, store=None, progress=False)
"""


@pytest.fixture
def service():
    with DemoServer(n_images=120) as server:
        yield server


@pytest.fixture
def page(context):
    """A page that reaches this machine alone; at its end, no error of ours."""
    page, errors = context.new_page(), []
    page.set_viewport_size({"width": 1200, "height": 1000})
    # Voila's template asks for signs of a public network.
    page.route(
        lambda url: not re.match(r"(http://127\.0\.0\.1:|blob:|data:)", url),
        lambda one: one.abort(),
    )
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    yield page
    page.close()
    # Notebook 7 has errors of its own; our module comes from a blob, or from a file of marimo's.
    assert [error for error in errors if "blob:" in error or "@file" in error] == []


def _choose_two(page):
    """Choose two pictures of the first gallery in the page, by mouse and by keyboard."""
    gallery = page.locator(".pg").first
    expect(gallery.locator(".pg-c img").first).to_be_visible()
    gallery.locator(".pg-c").first.click()
    expect(gallery.locator(".pg-sum")).to_contain_text("1 selected")
    for key in ("ArrowRight", "Space"):
        page.keyboard.press(key)
    expect(gallery.locator(".pg-sum")).to_contain_text("2 selected")


def test_gallery_and_panel_in_notebook_7(serving, page, service, tmp_path):
    import nbformat

    cells = (CONNECT, "gallery = pic.ImageGallery(images, client)\ngallery")
    asking = "print(len(gallery.selected), 'chosen of', len(gallery.mask))"
    panel = "pic.CleanupPanel(images, client)"
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in (*cells, asking, panel)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(made, tmp_path / "gallery.ipynb")
    token = secrets.token_hex(16)
    words = (
        *("--no-browser", "--allow-root", "--ServerApp.port_retries=0"),
        *(f"--ServerApp.token={token}", "--JupyterNotebookApp.expose_app_in_browser=True"),
    )
    with serving(tmp_path, "notebook", *words, TEST_PICORA_URL=service.url) as url:
        page.goto(f"{url}/notebooks/gallery.ipynb?token={token}")
        page.wait_for_function(
            """() => {
                const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
                return kernel?.connectionStatus === "connected" && kernel.status === "idle";
            }"""
        )
        page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")

        _choose_two(page)
        for key in ("a", "b", "x"):  # Commands of the notebook: new cells, and the cell goes.
            page.keyboard.press(key)
            expect(page.locator(".pg-c").nth(1)).to_be_focused()
            expect(page.locator(".jp-CodeCell")).to_have_count(4)
        page.locator(".jp-CodeCell .jp-Editor").nth(2).click()
        page.keyboard.press("Control+Enter")

        expect(page.locator(".jp-CodeCell").nth(2)).to_contain_text("2 chosen of 120")
        expect(page.locator(".picora-static").first).to_be_hidden()
        page.screenshot(path=tmp_path / "notebook.png")
        _delete_two(page, service, tmp_path)


def _delete_two(page, service, tmp_path):
    """Choose, review and delete two pictures in the page's panel, among keys that are commands of the notebook."""
    panel = page.locator(".picora-panel")
    panel.scroll_into_view_if_needed()
    chip = panel.get_by_role("button", name=re.compile(r"^Untagged \d+"))
    chip.focus()
    for key in "abddx":
        page.keyboard.press(key)
    page.keyboard.press("Space")
    expect(panel.locator(".pg-count")).to_contain_text("of 120")
    for number in range(2):
        panel.locator(".pg-c:visible").nth(number).click()
    panel.get_by_role("button", name="Review 2", exact=True).click()
    expect(panel.get_by_role("button", name="Keep all 2", exact=True)).to_be_focused()
    page.screenshot(path=tmp_path / "notebook-review.png")
    panel.get_by_label("No backup").check()
    panel.locator(".pm-typed input").fill("delete 2")
    panel.locator(".pm-do").click()
    expect(panel.get_by_role("button", name="Choose more", exact=True)).to_be_visible()
    assert len(service.deleted) == 2
    expect(page.locator(".jp-CodeCell")).to_have_count(4)


def test_the_panel_as_a_page_of_its_own_by_voila(serving, page, tmp_path):
    """With the command of the README, in a folder with the notebooks."""
    lines = re.findall(r"(?m)^.*\bvoila notebooks/.*$", (ROOT / "README.md").read_text("utf-8"))
    (words,) = (shlex.split(line, comments=True) for line in lines)
    assert words[:2] == ["PICORA_DEMO=1", "voila"]
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    with serving(tmp_path, *words[1:], "--no-browser", PICORA_DEMO="1") as url:
        page.goto(url)
        panel = page.locator(".picora-panel")
        _choose_two(page)
        panel.get_by_role("button", name="Review 2", exact=True).click()
        expect(panel.get_by_role("button", name="Keep all 2", exact=True)).to_be_focused()
        page.screenshot(path=tmp_path / "voila.png")

        # Where the page part of anywidget cannot be had, as in VS Code without a network, plain pages serve.
        page.route(re.compile("labextensions/anywidget/"), lambda one: one.abort())
        page.goto(url)
        expect(panel.get_by_text("The pictures did not load")).to_be_visible()
        panel.get_by_role("button", name="Show plain pages instead").click()
        panel.get_by_role("checkbox").first.check()
        expect(panel.get_by_role("button", name="Review 1", exact=True)).to_be_enabled()
        page.screenshot(path=tmp_path / "plain.png")


MARIMO = """import marimo
app = marimo.App(width="full")

@app.cell
def _():
    import os
    import marimo as mo
    import picora_analytics as pic
    client = pic.Client(os.environ["TEST_PICORA_KEY"], os.environ["TEST_PICORA_URL"])
    images = pic.load_images(client, store=None, progress=False)
    return client, images, mo, pic

@app.cell
def _(client, images, mo, pic):
    gallery = pic.ImageGallery(images, client)
    changes, note = mo.state(0)
    gallery.observe(lambda change: note(change.new), "changes")
    gallery
    return changes, gallery

@app.cell
def _(changes, gallery, images, pic):
    changes()
    plan = pic.plan_deletion(images, gallery.mask, reason="a test") if gallery.n_selected else None
    plan
    return (plan,)

@app.cell
def _(client, images, pic):
    pic.ImageGallery(pic.plan_deletion(images, images.index[:9], reason="a test"), client)
    return

@app.cell
def _(client, images, pic):
    pic.CleanupPanel(images, client)
    return

if __name__ == "__main__":
    app.run()
"""


def test_the_gallery_in_marimo_and_what_to_use_instead_of_the_panel(
    serving, page, service, tmp_path
):
    (tmp_path / "app.py").write_text(MARIMO, encoding="utf-8")
    words = ("run", "app.py", "--headless", "--no-token", "--host=127.0.0.1")
    with serving(tmp_path, "marimo", *words, TEST_PICORA_URL=service.url) as url:
        page.goto(url)
        _choose_two(page)
        # What is chosen has run the cell that asks for it.
        expect(page.get_by_text(re.compile(r"DELETE [12] IMAGES? FOR EVER"))).to_be_visible()
        review = page.locator(".pg").nth(1)
        expect(review.locator(".pg-c img").first).to_be_visible()
        expect(review.locator(".pg-sum")).to_contain_text(re.compile(r"[1-9] selected"))
        expect(page.get_by_text("ipywidgets, which marimo does not show")).to_be_visible()
        page.screenshot(path=tmp_path / "marimo.png", full_page=True)
