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
HEIGHT = 856  # Of a window that is high enough.


@pytest.fixture
def service():
    with DemoServer(n_images=120) as server:
        yield server


@pytest.fixture
def open_panel(open_notebook, service):
    """Give what opens a notebook with a panel over the library, changed first by a line of Python."""

    def open_(*more, **options):
        notebook = open_notebook([_connect(service), PANEL, *more], **options)
        page = notebook.page
        if "width" not in options:
            page.keyboard.press("Control+b")  # More room: the file browser goes.
        notebook.run_all()
        expect(page.locator(".picora-panel")).to_be_visible()
        expect(page.locator(".pg-c img").nth(3)).to_be_visible()
        expect(page.locator(".pc-chips")).to_contain_text(re.compile(r"Untagged \d+"))
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


_chip = _button


def _count(page):
    return page.locator(".pg-count")


def _height(page):
    return page.locator(".picora-panel").evaluate("one => one.offsetHeight")


def _too_wide(page):
    """Give the beginnings of what is wider than its place."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.picora-panel, .picora-panel .widget-html-content')]
        .filter(one => one.offsetWidth && one.scrollWidth > one.clientWidth + 1)
        .map(one => one.innerText.slice(0, 80))"""
    )


def _untagged(page, n=None):
    """List what is untagged, and choose the first ones or all."""
    _chip(page, "Untagged 16").click()
    expect(_count(page)).to_contain_text("16 of 120")
    if n is None:
        _button(page, "Select all 16").click()
    else:
        for i in range(n):
            page.locator(".pg-c:visible").nth(i).click()
        expect(page.locator(".pg-sum")).to_contain_text(f"{n} selected")


def _deleting(service):
    """Give what was sent that changes something: a signed address, for a private picture, does not."""
    reads = [one.method == "GET" or one.path.endswith("/sign") for one in service.requests]
    return [one for one, read in zip(service.requests, reads, strict=True) if not read]


def test_the_whole_journey(open_panel, service, find_barriers, tmp_path):
    notebook = open_panel()
    page = notebook.page
    for loaded in page.locator(".pg-c img").evaluate_all(
        "all => all.map(one => one.src.startsWith('blob:'))"
    ):
        assert loaded
    assert _height(page) == HEIGHT
    assert find_barriers(page, ".picora-panel") == []

    _chip(page, "Over 2 years 90").click()
    expect(_count(page)).to_contain_text("90 of 120")
    _chip(page, "Over 2 years 90").click()
    _untagged(page)
    left_out = page.locator(".pg-c:visible").nth(2)
    left_out.hover()
    left_out.locator(".pg-open").click()
    page.get_by_text("Last edit").wait_for()
    image_id = page.locator(".pg-det .pg-dl dd").last.inner_text()
    page.screenshot(path=tmp_path / "detail.png")
    assert _height(page) == HEIGHT
    _button(page, "Selected").click()
    _button(page, "Back").click()
    expect(page.locator(".pg-sum")).to_contain_text("15 selected")
    page.screenshot(path=tmp_path / "list.png")

    expected = _plan_in_python(service, image_id)
    _button(page, f"Review {len(expected.images)}").click()
    n = len(expected.images)
    expect(page.get_by_role("heading", name=re.compile(f"Delete {n} "))).to_be_visible()
    out = _button(page, f"Keep all {n}")
    expect(out).to_be_focused()
    assert _height(page) == HEIGHT
    page.screenshot(path=tmp_path / "review.png")
    assert _too_wide(page) == []
    assert find_barriers(page, ".picora-panel") == []
    _button(page, "‹›").click()
    code = page.locator(".pm-review .picora-code").filter(has_text="plan.apply")
    expect(code).to_be_visible()
    planned = re.search(r'confirm="(\d+-[0-9a-f]{12})"', code.inner_text())
    assert planned is not None
    assert planned[1] == expected.confirmation

    red, field = page.locator(".pm-do"), page.locator(".pm-typed input")
    field.fill(f"{n}")
    page.get_by_label("No backup").check()
    expect(red).to_be_disabled()
    field.fill("delete 13")
    expect(page.locator(".pm-error")).to_have_text(f"Without a backup; type: delete {n}")
    field.press("Enter")
    field.fill(f"delete {n}")
    expect(red).to_be_enabled()
    assert _deleting(service) == []

    red.click()
    expect(_button(page, "Choose more")).to_be_visible()
    page.screenshot(path=tmp_path / "receipt.png")
    assert _height(page) == HEIGHT

    gone = {one.id for one in service.deleted}
    assert gone == set(expected.images.index)
    assert gone == {one for request in _deleting(service) for one in request.ids}
    _button(page, "Choose more").click()
    expect(_count(page)).to_contain_text(f"{16 - n} of {120 - n}")
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
    return pic.plan_deletion(images, mask, reason="untagged")


def test_a_deletion_by_keyboard_alone_and_enter_alone_keeps_everything(open_panel, service):
    page = open_panel().page
    _chip(page, "Untagged 16").focus()
    for key in "abddx":  # Commands of the notebook: new cell above, below, delete the cell, cut it.
        page.keyboard.press(key)
    page.keyboard.press("Space")
    expect(_count(page)).to_contain_text("16 of 120")
    assert page.locator(".jp-CodeCell").count() == 2
    page.locator(".pg-grid").focus()
    page.locator(".pg-c").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator(".pg-sum")).to_contain_text("3 selected")
    page.keyboard.press("Delete")
    expect(_button(page, "Keep all 3")).to_be_focused()

    page.keyboard.press("Enter")

    expect(_button(page, "Review 3")).to_be_focused()
    assert _deleting(service) == []
    page.keyboard.press("Enter")
    expect(_button(page, "Keep all 3")).to_be_focused()
    page.get_by_label("No backup").focus()
    page.keyboard.press("Space")
    page.locator(".pm-typed input").focus()
    page.keyboard.type("delete 3")
    page.keyboard.press("Enter")
    expect(page.locator(".pm-do")).to_be_enabled()
    assert _deleting(service) == []
    page.keyboard.press("Tab")
    expect(page.locator(".pm-do")).to_be_focused()
    page.keyboard.press("Enter")
    expect(_button(page, "Choose more")).to_be_focused()
    assert len(service.deleted) == 3


def test_an_unreadable_field_says_so_beside_itself(open_panel, find_barriers, tmp_path):
    page = open_panel(width=900).page
    _button(page, "Filters").click()
    _chip(page, "Change: larger than").first.click()
    page.get_by_label("Size", exact=True).fill("5 pounds")
    page.keyboard.press("Tab")

    problem = page.locator(".pc-filters").get_by_role("alert").filter(visible=True)
    expect(problem).to_have_text("“5 pounds” is not a size. Write it like 5 MiB.")
    expect(_count(page)).to_contain_text("No list")
    expect(_button(page, "Select all")).to_be_disabled()
    page.screenshot(path=tmp_path / "unreadable.png")
    assert _height(page) == HEIGHT
    assert _too_wide(page) == []
    assert find_barriers(page, ".picora-panel") == []
    page.locator(".pc-fold").click()
    _button(page, "Take that filter off").click()
    expect(_count(page)).to_contain_text("120 images")


def _open_readme(open_notebook):
    """Choose what the README plans, in a panel of its own."""
    notebook = open_notebook(
        [
            "import picora_analytics as pic\nclient = pic.connect()\n"
            "images = pic.load_images(client, progress=False)",
            'pic.CleanupPanel(images, client, free="100 MiB")',
        ],
        width=1500,
        height=1100,
    )
    notebook.run_all()
    page = notebook.page
    panel = page.locator(".picora-panel")
    expect(panel.locator(".pg-c img").nth(10)).to_be_visible(timeout=60_000)
    _chip(page, "Over 2 years 753").click()
    _chip(page, "Untagged 162").click()
    expect(_count(page)).to_contain_text("52 of 1,200")
    _button(page, "Select all 52").click()
    expect(_button(page, "Review 47")).to_be_enabled()
    expect(panel).to_contain_text("5 spared")
    return notebook, panel


def test_the_panel_makes_the_plan_of_the_readme(open_notebook, keep_picture, lab, request):
    written = re.search(r'confirm="(\d+-[0-9a-f]+)"', README.read_text(encoding="utf-8"))
    notebook, panel = _open_readme(open_notebook)
    page = notebook.page
    expect(panel.locator(".pc-strip img:visible").nth(7)).to_be_visible()
    expect(panel.locator(".pg-c img").nth(10)).to_be_visible(timeout=60_000)
    page.mouse.move(0, 0)
    keep_picture(panel, "panel.png")
    _button(page, "Review 47").click()
    page.get_by_label("Why").fill("two years old and never tagged")
    page.keyboard.press("Tab")
    _button(page, "‹›").click()
    expect(page.locator(".pm-review")).to_contain_text(written[0])
    assert notebook.errors() == []

    request.getfixturevalue("dark")
    notebook, panel = _open_readme(open_notebook)
    _button(notebook.page, "Review 47").click()
    expect(panel.locator(".pm-review img:visible").nth(20)).to_be_visible()
    notebook.page.mouse.move(0, 0)
    keep_picture(panel, "panel-review-dark.png")


def _set_theme(lab, name):
    path = "/lab/api/settings/@jupyterlab/apputils-extension:themes"
    lab.ask("PUT", path, {"raw": f'{{"theme": "{name}"}}' if name else "{}"})


@pytest.fixture
def dark(lab):
    """Give JupyterLab its dark theme."""
    _set_theme(lab, "JupyterLab Dark")
    yield
    _set_theme(lab, "")


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
    _button(page, "Filters").click()
    _chip(page, "More").click()
    _chip(page, "Tag").click()
    page.get_by_label("Tags", exact=True).filter(visible=True).select_option("hostile (7)")
    expect(_count(page)).to_contain_text("7 of 127")
    page.locator(".pc-name").click()  # Beside the chips, which are closed by that.
    expect(page.locator(".pc-unfolded")).to_have_count(0)
    _button(page, "Select all 7").click()
    _button(page, "Review 7").click()
    page.get_by_label("Why").fill(hostile_names[1])
    page.keyboard.press("Tab")
    expect(page.get_by_role("heading", name=re.compile("Delete 7 "))).to_be_visible()
    expect(page.locator(".pm-review")).to_be_visible()
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
