"""The storage report, opened as a file in a real browser."""

import pytest

import picora_analytics as pic

pytestmark = pytest.mark.browser

WIDTHS, SCHEMES = (1280, 400), ("light", "dark")
A4 = {"width": 688, "height": 1000}  # Inside margins of 14 mm, in CSS pixels.


def _write(folder, server, code=None):
    with pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        quota = client.usage().quota_bytes
    return pic.StorageReport(images, quota=quota, code=code).write_html(folder / "report.html")


@pytest.fixture(scope="module")
def demo_report(tmp_path_factory):
    with pic.DemoServer() as server:
        return _write(tmp_path_factory.mktemp("demo"), server)


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory, hostile_names):
    with pic.DemoServer(n_images=0) as server:
        for name in hostile_names:
            server.add(2, filename=name, title=name, tags=(name,))
        return _write(tmp_path_factory.mktemp("hostile"), server, code="python")


@pytest.fixture
def open_report(browser):
    """Give what opens a report; `page.said` is what the console said and what else was asked for."""
    contexts = []

    def open_(path, width=1280, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda one: page.said.append(one.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda one: page.said.append(one.url) if _is_asked(one.url) else None)
        page.goto(path.as_uri())
        page.said.remove(path.as_uri())
        return page

    yield open_
    for context in contexts:
        context.close()


def _is_asked(url):
    return not url.startswith("data:")


def _overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("name", ["demo_report", "hostile_report"])
def test_the_report_fits_its_window_asks_for_nothing_and_leaves_the_console_empty(
    open_report, request, name
):
    page = open_report(request.getfixturevalue(name))
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert _overflow(page) <= 0, (scheme, width)

    shown = page.locator("img").evaluate_all("all => all.map(one => one.naturalWidth > 0)")
    assert shown and all(shown)
    assert page.said == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_everybody_can_read_the_report(open_report, demo_report, find_barriers, width, scheme):
    page = open_report(demo_report, width, scheme)
    for row in page.locator("summary").all():
        row.click()  # The lines of Python are read, too.

    assert find_barriers(page) == []


def test_the_dark_report_is_dark_and_the_light_one_light(open_report, hostile_report):
    page = open_report(hostile_report)
    lights = []
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        color = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lights.append(sum(int(part) for part in color[4:-1].split(",")))

    assert lights[0] == 3 * 255
    assert lights[1] < 3 * 64


def test_on_paper_the_report_is_light_whole_and_not_cut_off(open_report, hostile_report):
    page = open_report(hostile_report, scheme="dark")
    page.set_viewport_size(A4)
    page.emulate_media(media="print")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert _overflow(page) <= 0
    cut = "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
    assert page.locator(".scroll").evaluate_all(cut) == 0
    # What is folded on the screen stands open on paper.
    heights = page.locator("details code").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect().height)"
    )
    assert heights and min(heights) > 0
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_hostile_names_are_dead_text_in_the_report(open_report, hostile_report, hostile_names):
    page = open_report(hostile_report)

    for name in hostile_names[:5]:  # The long ones are shortened.
        assert page.get_by_text(name, exact=True).count() == 3, name  # Two files and a tag.
    assert page.evaluate("[document.scripts.length, window.__xss ?? null]") == [0, None]
    assert page.locator("a, iframe, object, form, math, img:not([src^='data:'])").count() == 0
    assert page.said == []


def test_the_first_screen_of_the_report_as_the_readme_shows_it(
    open_report, demo_report, keep_picture
):
    page = open_report(demo_report, 1100)
    last = page.locator(".caveat.quiet")

    assert last.inner_text().startswith("Not known: which images are viewed or embedded.")
    bottom = last.bounding_box()
    keep_picture(page.locator("body"), "report.png", height=bottom["y"] + bottom["height"] + 16)
    assert page.locator("header, .meter, .findings").count() == 4
    assert bottom["y"] < 1000
