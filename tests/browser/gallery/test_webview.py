"""The gallery in a page like the one that shows a notebook's outputs in VS Code, without a network."""

import pytest
from playwright.sync_api import expect

import picora_analytics as pic
from picora_analytics import DemoServer, ImageGallery

pytestmark = pytest.mark.browser


def test_in_a_webview_the_gallery_works_or_a_message_stands(host, tmp_path):
    with DemoServer(n_images=40) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        asked = []

        def make():
            return ImageGallery(images, client)

        one = host(make, webview="plain")
        one.page.on("request", lambda request: asked.append(request.url))
        view = one.page.frame_locator("iframe")
        expect(view.locator(".pg-c img").first).to_be_visible()
        view.locator(".pg-c").first.click()
        one.page.keyboard.press("ArrowRight")
        one.page.keyboard.press("Space")
        expect(view.locator(".pg-sum")).to_contain_text("2 selected")
        expect(view.locator(".pg.pg-dark")).to_be_visible()
        expect(view.locator(".pg-root")).to_have_css("background-color", "rgb(30, 30, 30)")
        expect(view.locator(".picora-static")).to_be_hidden()
        assert one.gallery.n_selected == 2
        one.page.screenshot(path=tmp_path / "webview.png")

        # Where the module is refused, what was there before it stays, and says what helps.
        two = host(make, webview="strict")
        assert "import" in two.refused
        view = two.page.frame_locator("iframe")
        expect(view.locator(".pg")).to_have_count(0)
        expect(view.locator(".picora-static")).to_contain_text(
            "this front end could not load the widget"
        )
        two.page.screenshot(path=tmp_path / "refused.png")
    assert [url for url in asked if not url.startswith("blob:")] == []
