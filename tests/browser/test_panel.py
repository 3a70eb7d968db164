"""The cleanup panel, used by hand in a real JupyterLab."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

import picora_analytics as pic
from picora_analytics import DemoServer

pytestmark = pytest.mark.browser

README = Path(__file__).parents[2] / "README.md"
PANEL = "panel = CleanupPanel(images, client)\npanel"


@pytest.fixture
def service():
    with DemoServer(n_images=120) as server:
        yield server


@pytest.fixture
def open_panel(open_notebook, service):
    """Give what opens a notebook with a panel over the library, changed first by a line of Python."""

    def open_(*more, **options):
        notebook = open_notebook([_connect(service), PANEL, *more], **options)
        notebook.run_all()
        expect(notebook.page.locator(".picora-panel")).to_be_visible()
        # A card's own tick stands behind its picture: the list is painted.
        expect(notebook.page.locator(".picora-card input:visible")).to_have_count(24)
        return notebook

    return open_


def _connect(service):
    return (
        "import os\nimport picora_analytics as pic\n"
        "from picora_analytics.widgets import CleanupPanel\n"
        f'client = pic.Client(os.environ["TEST_PICORA_KEY"], "{service.url}")\n'
        "images = pic.load_images(client, store=None, progress=False)\n"
    )


def _button(page, name):
    return page.locator(".picora-panel").get_by_role("button", name=name, exact=True)


def _choose(page, n=None):
    """Select n images, or all that the filters match, and plan."""
    if n is None:
        _button(page, "Select all matching").click()
    else:
        page.get_by_label(
            "Untagged"
        ).check()  # Three of the largest hold over a quarter of all bytes.
        expect(page.get_by_text("Matching: 16 of 120")).to_be_visible()
        for i in range(n):
            page.locator(".picora-card input").nth(i).check()
        expect(page.get_by_text(f"{n} images selected")).to_be_visible()
    page.get_by_placeholder("Why may these go?").fill("never tagged")
    _button(page, "Plan").click()
    expect(page.locator(".picora-confirm")).to_be_visible()


def _too_wide(page):
    """Give the beginnings of what is wider than its place."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.picora-panel, .picora-panel .widget-html-content')]
        .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText.slice(0, 80))"""
    )


def _untagged(page):
    """Filter, and wait until the ticks are those of the images listed now."""
    page.get_by_label("Untagged").check()
    expect(page.get_by_text("Matching: 16 of 120")).to_be_visible()
    expect(page.locator(".picora-card:visible")).to_have_count(16)
    expect(page.locator(".picora-card").nth(15)).to_contain_text("160.6 KiB")
    # The pictures come last, after the ticks are in their places.
    expect(page.locator(".picora-card img:visible")).to_have_count(13)


def _deleting(service):
    return [one for one in service.requests if one.method != "GET"]


def test_the_whole_journey(open_panel, service, find_barriers, tmp_path):
    notebook = open_panel()
    page = notebook.page
    page.keyboard.press("Control+b")  # More room: the file browser goes.
    tags = page.get_by_label("Tag", exact=True).locator("option:checked")
    expect(tags).to_have_text("any tags, or none")
    images = page.locator(".picora-card img:visible")
    expect(images.nth(14)).to_be_visible()
    for loaded in images.evaluate_all("all => all.map(one => one.src.startsWith('blob:'))"):
        assert loaded

    page.get_by_label("Older than, in days").check()
    expect(page.get_by_text(re.compile(r"Matching: 90 of 120"))).to_be_visible()
    page.get_by_label("Untagged").check()
    page.get_by_label("Older than, in days").uncheck()
    expect(page.get_by_text("Matching: 16 of 120")).to_be_visible()
    page.get_by_label("Untagged").uncheck()
    _button(page, "Next").click()
    expect(page.get_by_text("page 2 of 5")).to_be_visible()
    _untagged(page)
    expect(page.get_by_text("page 1 of 1")).to_be_visible()
    _button(page, "Select all matching").click()
    expect(page.get_by_text("16 images selected")).to_be_visible()
    left_out = page.locator(".picora-card input").nth(2)
    left_out.uncheck()
    expect(page.get_by_text("15 images selected")).to_be_visible()
    page.screenshot(path=tmp_path / "list.png")

    title = page.locator(".picora-caption").nth(2).get_attribute("title")
    expected = _plan_in_python(service, title[-12:-1])  # "Screenshot.png (0bf1Zgs_V1t)"
    page.get_by_placeholder("Why may these go?").fill("never tagged")
    _button(page, "Plan").click()
    heading = page.locator(".picora-confirm h3")
    expect(heading).to_contain_text("Delete 14 images for ever?")
    planned = re.search(
        r'confirm="(14-[0-9a-f]{12})"', page.locator(".picora-confirm code").last.inner_text()
    )
    assert planned
    expect(page.locator(".picora-confirm button").first).to_be_focused()
    page.set_viewport_size({"width": 900, "height": 1400})
    page.screenshot(path=tmp_path / "plan.png")
    assert _too_wide(page) == []
    assert find_barriers(page, ".picora-panel") == []

    field = page.locator(".picora-confirm input[type=text]")
    field.fill("14")
    _button(page, "Delete for ever").click()
    expect(page.locator(".picora-error")).to_have_text(
        'You typed "14"; to delete these images type "delete 14". Nothing was deleted.'
    )
    assert _deleting(service) == []

    field.fill("delete 14")
    page.get_by_label("No backup: these images cannot come back").check()
    _button(page, "Delete for ever").click()
    receipt = page.get_by_text(re.compile(rf"RECEIPT of plan {planned[1]}: 14 images deleted"))
    expect(receipt).to_be_visible()
    expect(_button(page, "Done")).to_be_focused()
    page.screenshot(path=tmp_path / "receipt.png")

    gone = {one.id for one in service.deleted}
    assert planned[1] == expected.confirmation
    assert gone == set(expected.images.index)
    assert gone == {one for request in _deleting(service) for one in request.ids}
    expect(page.get_by_text("Matching: 2 of 106")).to_be_visible()
    expect(page.locator(".picora-card:visible")).to_have_count(2)
    assert notebook.errors() == []
    assert notebook.own_console_errors == []
    assert notebook.hosts == {notebook.lab.url.removeprefix("http://")}
    assert service.api_key not in page.content()


def _plan_in_python(service, left_out):
    """Make the plan that the panel should have made, with the lines that it shows."""
    with pic.Client(service.api_key, service.url) as client:
        images = pic.load_images(client, store=None, progress=False)
    mask = pic.rules.untagged(images)
    mask[[left_out]] = False
    return pic.plan_deletion(images, mask, reason="never tagged")


def test_keys_stay_in_the_panel_space_ticks_and_enter_alone_keeps_everything(open_panel, service):
    page = open_panel().page
    _untagged(page)
    tick = page.locator(".picora-card input").nth(1)
    tick.focus()
    for key in "abddx":  # Commands of the notebook: new cell above, below, delete the cell, cut it.
        page.keyboard.press(key)
    page.keyboard.press("Space")
    expect(page.get_by_text("1 image selected")).to_be_visible()
    expect(tick).to_be_focused()
    assert page.locator(".jp-CodeCell").count() == 2

    _choose(page, 3)
    expect(page.locator(".picora-confirm button").first).to_be_focused()

    page.keyboard.press("Enter")

    expect(page.get_by_text("Nothing was deleted; the selection is as it was.")).to_be_visible()
    expect(page.locator(".picora-confirm")).to_be_hidden()
    expect(_button(page, "Plan")).to_be_focused()
    _button(page, "Plan").click()
    field = page.locator(".picora-confirm input[type=text]")
    field.fill("delete 3")
    page.get_by_label("No backup: these images cannot come back").check()
    field.press("Enter")
    field.fill("delete 4")  # Whatever Enter had sent went before this.
    _button(page, "Delete for ever").click()
    expect(page.locator(".picora-error")).to_contain_text('You typed "delete 4"')
    expect(page.locator(".picora-confirm")).to_be_visible()
    assert _deleting(service) == []


def test_an_unreadable_field_says_so_beside_itself(open_panel, find_barriers, tmp_path):
    page = open_panel(width=900).page
    page.get_by_label("Larger than").check()
    expect(page.get_by_text(re.compile(r"Matching: [1-9]\d? of 120"))).to_be_visible()

    page.get_by_label("Size", exact=True).fill("5 pounds")
    page.keyboard.press("Tab")

    problem = page.locator(".picora-filters").get_by_role("alert")
    expect(problem).to_have_text("“5 pounds” is not a size; write it like 5 MiB.")
    expect(page.get_by_text("Matching: 0 of 120")).to_be_visible()
    expect(_button(page, "Select all matching")).to_be_disabled()
    page.screenshot(path=tmp_path / "unreadable.png")
    assert _too_wide(page) == []
    assert find_barriers(page, ".picora-panel") == []
    page.get_by_label("Uploaded before").check()
    page.get_by_label("Day", exact=True).fill("")
    expect(page.locator(".picora-filters").get_by_role("alert")).to_have_count(2)


def test_the_panel_makes_the_plan_of_the_readme(open_notebook, keep_picture):
    written = re.search(r'confirm="(\d+-[0-9a-f]+)"', README.read_text(encoding="utf-8"))
    notebook = open_notebook(
        [
            "import picora_analytics as pic\nclient = pic.connect()\n"
            "images = pic.load_images(client, progress=False)",
            "pic.CleanupPanel(images, client)",
        ],
        width=1500,
        height=1400,
    )
    notebook.run_all()
    page = notebook.page
    panel = page.locator(".picora-panel")
    expect(panel.locator(".picora-card input:visible")).to_have_count(24)
    page.get_by_label("Older than, in days").check()
    page.get_by_label("Untagged").check()
    expect(panel).to_contain_text("Matching: 52 of 1,200")
    page.get_by_placeholder("Why may these go?").fill("two years old and never tagged")
    _button(page, "Select all matching").click()
    expect(panel).to_contain_text("47 would go, 5 spared")
    expect(panel.locator(".picora-card.picora-selected:visible")).to_have_count(24)
    expect(panel.locator(".picora-card img:visible").nth(15)).to_be_visible()
    keep_picture(panel, "panel.png")

    _button(page, "Plan").click()

    expect(page.locator(".picora-confirm code").last).to_contain_text(written[0])
    assert notebook.errors() == []


@pytest.fixture
def dark(lab):
    """Give JupyterLab its dark theme."""
    path = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
    lab.ask("PUT", path, {"raw": '{"theme": "JupyterLab Dark"}'})
    yield
    lab.ask("PUT", path, {"raw": "{}"})


def test_hostile_names_are_dead_text(
    dark, open_panel, service, hostile_names, find_barriers, tmp_path
):
    for name in hostile_names:
        service.add(1, filename=name, title=name, tags=(name, "hostile"))
    notebook = open_panel(
        f'chosen = pic.rules.tagged(images, "hostile")\n'
        f"plan = pic.plan_deletion(images, chosen, reason={hostile_names[1]!r})\nplan",
        "plan.dry_run(client)",
        "pic.StorageReport(images)",
        width=900,
        height=1400,
    )
    page = notebook.page
    page.get_by_label("Tag", exact=True).select_option("hostile (7)")
    expect(page.get_by_text("Matching: 7 of 127")).to_be_visible()
    _button(page, "Select all matching").click()
    page.get_by_placeholder("Why may these go?").fill(hostile_names[1])
    _button(page, "Plan").click()
    expect(page.locator(".picora-plan").first).to_contain_text("<img src=x onerror=")
    expect(page.locator(".picora-confirm")).to_be_visible()
    page.screenshot(path=tmp_path / "dark.png")

    assert _too_wide(page) == []
    assert find_barriers(page, ".picora-panel") == []
    assert notebook.errors() == []
    assert "7 images would be deleted" in notebook.output(3).inner_text()
    for name in hostile_names[:5]:
        assert name in notebook.output(2).inner_text()
    assert page.evaluate("window.__xss") is None
    assert page.locator(".picora-panel img:not([src^='blob:']):visible").count() == 0
    assert page.locator(".picora-panel mjx-container, .picora-panel a").count() == 0
    live = "a[href^='javascript'], [onerror], img[src='x'], mjx-container"
    assert page.locator(".jp-OutputArea").locator(live).count() == 0
    assert notebook.hosts == {notebook.lab.url.removeprefix("http://")}
