"""The gallery used by mouse, keyboard and touch in a real browser, with its real kernel side, without a notebook."""

import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import expect

import picora_analytics as pic
from picora_analytics import DemoServer, ImageGallery
from picora_analytics.library.frame import STR

pytestmark = pytest.mark.browser

MANY = 1_000_000


@pytest.fixture(scope="module")
def demo():
    """A library with its pictures: the service, its client and the frame."""
    with DemoServer(n_images=120) as server, pic.Client(server.api_key, server.url) as client:
        yield server, client, pic.load_images(client, store=None, progress=False)


@pytest.fixture(scope="module")
def million():
    """A frame of a million images, as listed: the newest first."""
    uploaded = np.datetime64("2026-11-01", "us") - np.arange(MANY) * np.timedelta64(300, "s")
    return pd.DataFrame(
        {
            "filename": pd.array([f"{one:07d}.jpg" for one in range(MANY)], dtype=STR),
            "url": pd.array(["javascript:alert(1)"] * MANY, dtype=STR),
            "mime_type": pd.array(["image/jpeg"] * MANY, dtype=STR),
            "size_bytes": pd.array(np.arange(MANY) % 1000, dtype="Int64"),
            "width": pd.array([None] * MANY, dtype="Int64"),
            "height": pd.array([None] * MANY, dtype="Int64"),
            "is_public": pd.array([True] * MANY, dtype="boolean"),
            "created_at": pd.Series(uploaded).dt.tz_localize("UTC").array,
        },
        index=pd.Index([f"i{one:07d}" for one in range(MANY)], name="id", dtype=STR),
    )


def _text(hosted, text):
    expect(hosted.page.locator(".pg-sum")).to_contain_text(text)


def test_mouse_and_keyboard_choose_what_they_point_at(host, demo):
    _, client, images = demo
    one = host(lambda: ImageGallery(images, client))
    page, gallery, cells = one.page, one.gallery, one.cells
    ids = images.index[gallery._session.selection.listed].tolist()

    cells.nth(1).click()
    _text(one, "1 selected")
    cells.nth(6).click(modifiers=["Shift"])
    _text(one, "6 selected")
    assert sorted(gallery.selected) == sorted(ids[1:7])
    cells.nth(3).click()  # Taken out, and a stretch from there takes out, too.
    cells.nth(5).click(modifiers=["Shift"])
    _text(one, "3 selected")
    assert sorted(gallery.selected) == sorted([ids[1], ids[2], ids[6]])
    page.keyboard.press("Control+z")
    _text(one, "5 selected")
    expect(cells.nth(5)).to_have_attribute(
        "aria-selected", "true"
    )  # The marks come from the kernel.

    page.keyboard.press("Control+a")
    _text(one, "120 selected")
    page.keyboard.press("Control+i")
    _text(one, "Nothing selected")
    page.keyboard.press("Control+Home")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    _text(one, "7 selected")
    assert sorted(gallery.selected) == sorted(ids[:7])
    expect(cells.nth(6)).to_be_focused()
    expect(page.locator(".pg-live")).to_contain_text("7 selected")
    page.keyboard.press("Escape")
    assert gallery.n_selected == 7
    page.keyboard.press("Escape")
    _text(one, "Nothing selected")

    page.get_by_role("button", name="Stretch").click()  # Without a modifier key, as by touch.
    cells.nth(0).click()
    cells.nth(3).click()
    _text(one, "4 selected")
    page.get_by_role("button", name="Invert").click()
    _text(one, "116 selected")
    page.get_by_role("button", name="Undo the last selection").click()
    _text(one, "4 selected")


def test_a_choice_survives_order_search_and_python(host, demo):
    _, client, images = demo
    one = host(lambda: ImageGallery(images, client))
    page, gallery = one.page, one.gallery
    one.cells.nth(0).click()
    _text(one, "1 selected")
    (chosen,) = gallery.selected

    page.get_by_label("Order").select_option("Largest first")
    expect(page.locator(".pg-nm").first).to_have_text(
        images.sort_values("size_bytes", ascending=False, kind="stable")["filename"].iat[0]
    )
    assert list(gallery.selected) == [chosen]
    page.get_by_label("Search").fill("screenshot")
    expect(page.locator(".pg-count")).to_contain_text("of 120")
    n = gallery.view["total"]
    assert 0 < n < 120
    page.get_by_role("button", name=re.compile("Select all")).click()
    _text(one, f"{n + (chosen not in images.index[gallery._session.selection.listed])} selected")
    page.get_by_label("Search").fill("no such name")
    expect(page.locator(".pg-empty")).to_have_text("Nothing here has “no such name”.")
    _text(one, "not in this list")
    page.get_by_label("Search").fill("")
    expect(page.locator(".pg-count")).to_contain_text("120 images")

    shown = images.index[gallery._session.selection.listed]
    gallery.select([shown[2]])
    expect(one.cells.nth(2)).to_have_attribute("aria-selected", "true")
    expect(page.locator('.pg-c[aria-selected="true"]')).to_have_count(1)


def test_a_million_rows_scroll_to_their_end_and_are_chosen_in_one_message(host, million):
    one = host(lambda: ImageGallery(million))
    page = one.page
    page.locator(".pg-c").first.focus()
    columns = int(page.locator(".pg-grid").get_attribute("aria-colcount"))

    page.keyboard.press("Control+End")
    expect(page.locator(":focus")).to_contain_text("0999999.jpg")
    box = page.locator(".pg-box")
    assert box.evaluate("one => one.scrollHeight") <= 8_000_000
    page.keyboard.press("Control+Home")
    expect(page.locator(":focus")).to_contain_text("0000000.jpg")

    # Small steps move as far as they say, though the whole is many times as high as its box.
    page.get_by_label("Go to").fill("#500001")
    page.keyboard.press("Enter")
    expect(page.locator(":focus")).to_contain_text("0500000.jpg")
    page.get_by_label("Go to").fill("soon")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text(
        "“soon” is no place of this list; write 2023-05."
    )
    page.locator(".pg-c").first.focus()
    page.keyboard.press("Control+Home")
    expect(page.locator(":focus")).to_contain_text("0000000.jpg")
    page.mouse.move(400, 400)
    for _ in range(12):
        page.mouse.wheel(0, 250)
    # Between rows are 6 pixels.
    page.wait_for_function(
        """() => { const row = document.querySelector('.pg-r'), box = document.querySelector('.pg-box');
        const { height, top } = row.getBoundingClientRect();
        const at = (row.ariaRowIndex - 1) * (height + 6) - (top - box.getBoundingClientRect().top);
        return Math.abs(at - 3000) < 2; }"""
    )

    before = len(one.said)
    heard = len(one.heard)
    page.get_by_role("button", name="Select all 1,000,000").click()
    _text(one, "1,000,000 selected")
    operations = [said for said in one.said[before:] if said["type"] == "sel"]
    answers = [heard for heard in one.heard[heard:] if heard["method"] == "update"]
    assert len(operations) == len(answers) == 1
    assert len(str(operations)) + len(str(answers)) < 800
    assert one.gallery.mask.all()

    # One stray click must not choose a library: without its "yes", nothing changes.
    page.get_by_role("button", name="Clear").click()
    _text(one, "Nothing selected")
    page.locator(".pg-box").evaluate("one => { one.scrollTop = 0 }")
    expect(page.locator(".pg-nm").first).to_have_text("0000000.jpg")
    one.cells.first.click()
    page.keyboard.press("Control+Shift+End")
    expect(page.locator(".pg-ask")).to_contain_text("This stretch has 1,000,000 images.")
    _text(one, "1 selected")
    page.get_by_role("button", name="No", exact=True).click()
    expect(page.locator(".pg-ask")).to_be_hidden()
    assert one.gallery.n_selected == 1 and columns > 1


def test_pictures_come_with_honest_gaps_and_the_key_never(host, demo):
    server, client, images = demo
    rows = pd.concat([images[images["is_public"]].head(3), images[~images["is_public"]].head(1)])
    rows.attrs = images.attrs
    server.fail("GET", f"/{rows.index[1]}.*", times=None, status=404)
    server.fail("GET", f"/{rows.index[2]}.*", times=None, body=b"<svg onload='x()'/>")
    one = host(lambda: ImageGallery(rows))

    gaps = one.page.locator(".pg-gap:visible")
    expect(gaps).to_have_count(3)
    assert sorted(gaps.all_inner_texts()) == [
        "no picture came", "no picture came (404)", "private, not readable",
    ]  # fmt: skip
    image = one.page.locator(".pg-c img")
    expect(image).to_have_count(1)
    assert image.get_attribute("src").startswith("blob:")
    server.clear_faults()

    # With a key that may sign, a private picture comes by way of the kernel.
    signed = host(lambda: ImageGallery(rows.tail(1), client))
    expect(signed.page.locator(".pg-c img")).to_have_count(1)
    everything = str([one.heard, signed.heard, signed.said]) + signed.page.content()
    assert server.api_key not in everything
    assert "sig=" not in everything


def test_hostile_names_are_text_everywhere(host, make_images, hostile_names):
    images = make_images(
        filename=hostile_names, title=hostile_names, tags=[(one,) for one in hostile_names],
        content_hash=["f0"] * len(hostile_names),
    )  # fmt: skip
    one = host(lambda: ImageGallery(images))
    expect(one.page.locator(".pg-nm").first).not_to_be_empty()
    one.page.get_by_label("As a list").click()
    expect(one.page.locator(".pg-l-name").nth(1)).not_to_be_empty()
    one.page.get_by_label("Search").fill("<script>")
    expect(one.page.locator(".pg-count")).to_contain_text("1 of 7")
    one.page.locator(".pg-lr").first.click()
    one.page.keyboard.press("Enter")
    expect(one.page.locator(".pg-insp h3")).to_have_text("<script>window.__xss=1</script>")
    found = pic.find_duplicates(images, progress=False)
    compared = host(lambda: ImageGallery(found))
    expect(compared.page.locator(".pg-side")).to_have_count(7)

    for shown in (one, compared):
        assert shown.page.evaluate("window.__xss") is None
        assert shown.page.locator("#host script, #host img[onerror]").count() == 0


def test_large_list_and_comparison_by_keyboard(host, demo):
    _, client, images = demo
    one = host(lambda: ImageGallery(images, client), width=1124)
    page = one.page
    page.locator(".pg-c").nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pg-det")).to_contain_text("3 of 120")
    expect(page.locator(".pg-large img")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pg-det")).to_contain_text("4 of 120")
    page.get_by_role("button", name="Select", exact=True).click()
    _text(one, "1 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".pg-det")).to_be_hidden()
    page.get_by_label("As a list").click()
    page.get_by_role("button", name="Size").click()
    expect(page.get_by_role("columnheader", name="Size")).to_have_attribute(
        "aria-sort", "descending"
    )
    assert one.gallery.view["order"] == "largest first"
    page.keyboard.press("Tab")

    found = pic.find_duplicates(images, client, progress=False)
    compared = host(lambda: ImageGallery(found, client))
    n, groups = compared.gallery.n_selected, compared.gallery.view["groups"]
    page = compared.page
    expect(page.locator(".pg-cmp")).to_contain_text(f"Group 1 of {groups}")
    expect(page.locator(".pg-side.pg-goes")).to_have_count(1)
    page.keyboard.press("2")
    expect(page.locator(".pg-side.pg-keep")).to_have_count(2)
    assert compared.gallery.n_selected == n - 1
    page.get_by_role("button", name="Keep only this one").nth(1).click()
    expect(page.locator(".pg-side").first).to_have_class(re.compile("pg-goes"))
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="100 %")).to_have_attribute("aria-pressed", "true")
    _zoom(page)
    if groups > 1:
        page.keyboard.press("ArrowRight")
        expect(page.locator(".pg-cmp")).to_contain_text(f"Group 2 of {groups}")
    page.keyboard.press("Escape")
    expect(page.locator(".pg-cmp")).to_be_hidden()


def _zoom(page):
    """Go nearer by key, button and wheel, and move what is shown: every picture of a group shows the same part."""
    shown = page.locator(".pg-side img")

    def place():
        (same,) = shown.evaluate_all(
            """all => [...new Set(all.map(one => {
                const { a, e, f } = new DOMMatrix(getComputedStyle(one).transform);
                return [a, e, f].map(part => part.toFixed(2)).join(" ");
            }))]"""
        )
        return [float(part) for part in same.split()]

    expect(shown).to_have_count(2)
    page.keyboard.press("z")
    assert place() == [1, 0, 0]
    page.keyboard.press("+")
    page.get_by_role("button", name="Nearer").click()
    assert place() == [1.56, 0, 0]
    box = page.locator(".pg-side .pg-pic").first.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -100)
    expect(shown.first).to_have_attribute("style", re.compile(r"scale\(1\.95"))
    nearer, right, _ = place()
    # What was under the pointer at the left, 0.18 of the picture, is there still.
    whole = nearer * box["width"]
    assert (whole - box["width"]) / 2 - right == pytest.approx(0.18 * whole, abs=3)
    page.mouse.down()
    page.mouse.move(box["x"] + 42, box["y"] + box["height"] / 2 + 30)
    page.mouse.up()
    assert place() == [nearer, pytest.approx(right + 40, abs=1), pytest.approx(30, abs=1)]
    for _ in range(4):
        page.keyboard.press("-")
    assert place() == [1, 0, 0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("theme", "width", "picture"),
    [("light", 1124, "gallery.png"), ("dark", 724, "gallery-dark.png")],
    ids=["light and wide", "dark and narrow"],
)
def test_the_gallery_of_the_readme_keeps_nobody_out_and_clips_nothing(
    host, demo, find_barriers, keep_picture, tmp_path, theme, width, picture
):
    _, client, images = demo
    used = [f"![a picture](https://img.picora.com/{one}.png)\n" for one in images.index[::4]]
    (tmp_path / "index.md").write_text("".join(used), encoding="utf-8")
    found = pic.find_references(images, tmp_path, progress=False)
    dark = theme == "dark"
    one = host(lambda: ImageGallery(images, client, references=found), width=width, dark=dark)
    page = one.page
    expect(page.locator(".pg-pic.pg-wait:visible")).to_have_count(0)
    for place in (1, 3, 4):
        one.cells.nth(place).click()
    _text(one, "3 selected")
    _text(one, "1 would be spared")
    page.mouse.move(1, 1)
    keep_picture(page.locator(".pg"), picture)
    assert find_barriers(page, "#host") == []
    page.get_by_label("As a list").click()
    expect(page.locator(".pg-lr").first).to_be_visible()
    assert find_barriers(page, "#host") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".pg-lr .pg-lck").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pg-large img, .pg-large .pg-gap")).to_be_visible()
    assert find_barriers(page, "#host") == []


def test_a_second_view_shows_the_same_and_one_that_ends_leaves_nothing_behind(host, demo):
    _, client, images = demo
    one = host(lambda: ImageGallery(images, client))
    expect(one.page.locator(".pg-c img").first).to_be_visible()
    address = one.page.locator(".pg-c img").first.get_attribute("src")
    one.cells.nth(1).click()
    _text(one, "1 selected")

    one.page.evaluate("window.again()")
    second = one.page.locator("#again .pg-c")
    expect(second.nth(1)).to_have_attribute("aria-selected", "true")
    second.nth(2).click()
    expect(one.page.locator("#host .pg-c").nth(2)).to_have_attribute("aria-selected", "true")

    one.page.evaluate("window.abort.abort()")

    assert one.page.locator("#host").inner_html() == one.page.locator("#again").inner_html() == ""
    expect(one.page.locator("body")).to_be_visible()
    assert one.said[-1]["type"] == "bye"
    gone = one.page.evaluate("address => fetch(address).then(() => false, () => true)", address)
    assert gone
    one.errors.clear()  # The browser writes of the address that is gone.
