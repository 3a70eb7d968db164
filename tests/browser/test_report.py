"""The storage report, opened as a file in a real browser."""

import pytest

import picora_analytics as pic

pytestmark = pytest.mark.browser

WIDTHS, SCHEMES = (1280, 700, 400), ("light", "dark")
A4 = {"width": 703, "height": 1000}  # Inside margins of 12 mm, in CSS pixels.


@pytest.fixture(scope="module")
def demo_report(tmp_path_factory):
    """A report with all there is to say: pages that were searched, an earlier load, pictures, a private one new."""
    folder = tmp_path_factory.mktemp("demo")
    with pic.DemoServer() as server, pic.Client(server.api_key, server.url) as client:
        for _ in range(2):  # The second time reads the content of each image from the change feed.
            images = pic.load_images(client, store=folder / "store", progress=False)
        new = images.sort_values("created_at").index[-8:]
        images.loc[new[-1], "is_public"] = False
        before = images.drop(index=new)
        before.attrs["picora"] |= {"loaded_at": "2026-11-16T14:00:00Z", "n_images": len(before)}
        pages = server.write_site(folder / "site").folder
        references = pic.find_references(images, pages, progress=False)
        report = pic.StorageReport(
            images, previous=before, references=references, client=client, code="python"
        )
        return report.write_html(folder / "report.html")


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory, hostile_names):
    with pic.DemoServer(n_images=0) as server:
        for name in hostile_names:
            server.add(2, filename=name, title=name, tags=(name,))
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
    report = pic.StorageReport(images, quota="1 GiB", code="python")
    return report.write_html(tmp_path_factory.mktemp("hostile") / "report.html")


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
    assert len(shown) == (0 if name == "hostile_report" else 19) and all(shown)
    assert page.said == []


@pytest.mark.parametrize("name", ["demo_report", "hostile_report"])
def test_each_width_has_one_drawing_of_each_chart_with_letters_to_read_and_nothing_cut(
    open_report, request, name
):
    page = open_report(request.getfixturevalue(name))
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    aside = (
        "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel)"
    )
    for width in (1280, 1100, 1099, 700, 680, 679, 400):
        page.set_viewport_size({"width": width, "height": 900})
        seen = page.locator("figure").evaluate_all(
            "all => all.map(one => [...one.querySelectorAll('svg')].filter(svg => svg.clientWidth).length)"
        )
        assert seen and set(seen) == {1}, width
        # A letter's height as drawn, and texts that stick out of their drawing.
        small, cut = page.evaluate(
            """() => {
                const drawn = [...document.querySelectorAll('figure svg')].filter(svg => svg.clientWidth);
                const texts = drawn.flatMap(svg => [...svg.querySelectorAll('text')].map(text => [svg, text]));
                const scale = svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
                const size = ([svg, text]) => parseFloat(getComputedStyle(text).fontSize) * scale(svg);
                const out = ([svg, text]) => {
                    const [a, b] = [svg.getBoundingClientRect(), text.getBoundingClientRect()];
                    return b.left < a.left - 1 || b.right > a.right + 1;
                };
                return [Math.min(...texts.map(size)), texts.filter(out).map(([, text]) => text.textContent)];
            }"""
        )
        assert small >= 12, width
        assert cut == [], width
        assert page.locator(".scroll").evaluate_all(aside) == [], width


def test_a_private_picture_is_a_lock(open_report, demo_report):
    page = open_report(demo_report)

    assert page.get_by_role("img", name="private", exact=True).count() == 1
    assert page.locator(".new li", has_text=", private").locator("img").count() == 0


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
    # The tables that are folded on the screen stand open on paper; lines of Python are of no use there.
    tall = "all => all.map(one => one.getBoundingClientRect().height)"
    assert min(page.locator("details table").evaluate_all(tall)) > 0
    assert set(page.locator("details code").evaluate_all(tall)) == {0}
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_hostile_names_are_dead_text_in_the_report(open_report, hostile_report, hostile_names):
    page = open_report(hostile_report)

    for name in hostile_names[:5]:  # The long ones are shortened.
        # Two files, a tag, and its bar at each width.
        assert page.get_by_text(name, exact=True).count() >= 3, name
    assert page.evaluate("[document.scripts.length, window.__xss ?? null]") == [0, None]
    assert page.locator("a, iframe, object, form, math, img:not([src^='data:'])").count() == 0
    assert page.said == []


def test_the_first_screen_of_the_report_as_the_readme_shows_it(
    open_report, demo_report, keep_picture
):
    page = open_report(demo_report, 1184)
    chart = page.locator("figure").first.bounding_box()

    keep_picture(page.locator("body"), "report.png", height=chart["y"] + chart["height"] + 12)
    assert page.locator(".hero, .bar, .act, .know").count() == 6
    assert page.locator(".know").bounding_box()["y"] < 700
