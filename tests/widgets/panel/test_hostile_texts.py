"""Whatever strangers call their images, the panel shows it as text, and never much of it."""

import ast
import html.parser
import re
import time

import ipywidgets as widgets
import pytest

import picora_analytics as pic
from picora_analytics.text import width
from picora_analytics.widgets import CleanupPanel

TEXTS = {
    "html": '"><img src=x onerror="window.x=1"><script>x()</script>',
    "attribute": "' onmouseover='x()' title=\" onfocus=\"x()",
    "entities": "&lt;b&gt; &amp;amp; &#60;script&#62;",
    "template": "{0} {text} {{ 7 * 7 }} {% raw %} %s ${x}",
    "maths": r"$\href{javascript:x()}{y}$ \(x\) \[y\] $$z$$ \begin{x}",
    "markdown": "[x](javascript:x()) ![](http://example.com/x.png) `x`",
    "code": '"); import os; os.remove("x") #\n\'\\',
    "direction": "\u202egnp.\u2066x\u2069\u200f",
    "invisible": "\u200b\u00ad\u3164\ufeff\u2060\U000e0041",
    "controls": "\x00\x1b[31m\r\n\t\x7f\x85",
    "marks": "a" + "\u0301" * 100_000,
    "joined": "\U0001f468\u200d" * 20_000,
    "megabytes": "n" * 2_000_000,
    "wide": "\u732b" * 100_000,
}
TAGS = {"div", "p", "span", "h3", "br", "code", "strong", "bdi", "ul", "li", "pre"}
TAGS |= {"table", "thead", "tbody", "tr", "th", "td"}
TAGS |= {"b", "i", "h2", "svg", "path"}
ATTRIBUTES = {"class", "style", "title", "role", "viewbox", "d"}
ATTRIBUTES |= {
    f"aria-{name}" for name in ("hidden", "label", "level", "valuemin", "valuemax", "valuenow")
}


@pytest.fixture(scope="module")
def client():
    with pic.DemoServer(n_images=20) as server, pic.Client(server.api_key, server.url) as made:
        yield made


@pytest.fixture(scope="module", params=TEXTS)
def text(request):
    return TEXTS[request.param]


@pytest.fixture(scope="module")
def panel(client, make_images, text):
    """Make a panel of images that bear a text wherever strangers may put one, and plan one of them."""
    n = 30
    ids = [f"i{i:010d}" for i in range(n)]
    images = make_images(
        id=[ids[0] + text, *ids[1:]],
        filename=[text + ".png", *(["a.png"] * (n - 2)), None],
        title=[text] * n,
        mime_type=["image/" + text] * n,
        url=["https://img.picora.com/a.png"] * n,
        tags=[(text,)] * n,
        is_public=[False] * n,  # Nobody is asked for pictures.
        size_bytes=[10**9, *([1000] * (n - 1))],
    )
    images.attrs["picora"]["base_url"] = "https://" + text
    panel = CleanupPanel(images, client, free=text)
    end = time.monotonic() + 20
    while panel._counting:
        assert time.monotonic() < end
        time.sleep(0.01)
    chips = panel._filters.chips
    chips["tagged"].field.value = (text,)
    chips["larger_than"].field.value = text
    panel._gesture(panel._on_plain)()
    panel._show_error(ValueError(text))
    panel._plain._failed(ValueError(text))
    chips["larger_than"].on.value = False
    panel._plain.cards[0].tick.value = True
    panel._do(lambda session: panel._modes.begin_review(session, text + "."))
    return panel


def _widgets(widget):
    return [widget, *(one for child in getattr(widget, "children", ()) for one in _widgets(child))]


class Reader(html.parser.HTMLParser):
    """Collects what a page would make of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.slow
def test_it_is_dead_and_short_in_every_widget(panel, text):
    assert panel.plan is not None

    for widget in _widgets(panel.widget):
        if isinstance(widget, widgets.HTML) and "<style>" not in widget.value:
            found = Reader(widget.value)
            assert found.tags <= TAGS
            assert found.attributes <= ATTRIBUTES
            assert len(widget.value) < 60_000
            assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\x1b\x00]", widget.value)
            assert not re.search("\u0301{9}", widget.value)
        state = widget.get_state()
        for name in ("description", "tooltip", "placeholder"):
            shown = state.get(name) or ""
            assert width(shown) <= 80
            assert len(shown) < 800
            assert "$" not in shown
            assert "\\" not in shown
        assert not state.get("description_allow_html")
        for option in state.get("_options_labels", ()):
            assert len(option) < 400
    assert len(panel._plain.cards[0].text.value) < 4000


def test_what_is_shown_to_paste_holds_it_as_a_literal(panel, text):
    session = panel._session
    session.filters = {
        "tagged": (text,),
        "untagged": True,
    }  # Matches nothing: the selection is one more.

    lines = [session.plan_code(text), session.filter_code(), session.selection_code()]

    literals = {
        node.value
        for line in lines
        for node in ast.walk(ast.parse(line))
        if isinstance(node, ast.Constant)
    }
    assert literals == {text, "i0000000000" + text, True}
    assert all(line.isprintable() for line in lines)
    scope = {"pic": pic, "images": session.images}
    exec(lines[2], scope)
    found = scope["mask"].fillna(False)
    assert found[found].index.tolist() == ["i0000000000" + text]
