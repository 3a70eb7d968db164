"""The panel without a browser: widgets are set and clicked, and its gallery is spoken to, as the page would."""

import re
import time

import ipywidgets as widgets
import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.analysis.criteria import RULES, Criteria
from picora_analytics.units import format_bytes
from picora_analytics.widgets import CleanupPanel
from picora_analytics.widgets.panel.choosing import Stage

HOSTILE = '<img src=x onerror="window.__xss=1">\'{0}{name}$x^2$\u202egnp.png'
pytestmark = pytest.mark.slow


@pytest.fixture
def service():
    with DemoServer(n_images=120, rate_scale=50) as server:
        yield server


@pytest.fixture
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


@pytest.fixture
def images(client):
    return pic.load_images(client, store=None, progress=False)


@pytest.fixture
def make_panel(images, client):
    """Give what makes a panel, and waits until it has counted."""

    def make(frame=images, **options):
        panel = CleanupPanel(frame, client, **options)
        _until(lambda: not panel._counting)
        return panel

    return make


@pytest.fixture
def panel(make_panel):
    return make_panel()


def _until(true, seconds=20):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def _widgets(widget):
    return [widget, *(one for child in getattr(widget, "children", ()) for one in _widgets(child))]


def _shown(widget):
    return "picora-hidden" not in widget._dom_classes


def _chip(panel, name):
    return panel._filters.chips[name]


def _say(panel, kind, **rest):
    """Say what the gallery's page would say."""
    gallery, sent = panel._gallery, []
    whole = {"proto": 1, "type": kind, **rest}
    if kind in ("sel", "open", "decide", "rows"):
        whole["rev"] = gallery.view["rev"]
    send, gallery.send = gallery.send, lambda content, buffers=None: sent.append(content)
    try:
        gallery._on_message(None, whole, [])
    finally:
        gallery.send = send
    return sent


def _choose(panel, n):
    _say(panel, "sel", op="set", a=0, b=n - 1)


def _changing(service):
    return [one for one in service.requests if one.method != "GET"]


@pytest.mark.slow
def test_what_is_chosen_in_the_gallery_is_what_the_review_plans(service, panel, images):
    _chip(panel, "untagged").on.value = True
    _say(panel, "sel", op="all")
    _say(panel, "sel", op="toggle", a=2)

    _say(panel, "review")

    mask = pic.rules.untagged(images)
    mask[panel._gallery._session.selection.images.index[panel._session.selection.listed[2]]] = False
    expected = pic.plan_deletion(images, mask, reason=panel.plan.reason)
    assert panel.plan.confirmation == expected.confirmation
    assert panel.plan.reason == "untagged"
    assert panel._modes.mode == "review"
    assert not _shown(panel._choosing)
    assert panel.mask.equals(mask.fillna(False).rename("selected"))
    assert _changing(service) == []


@pytest.mark.slow
def test_a_changed_selection_ends_the_review(panel):
    _choose(panel, 3)
    _say(panel, "review")

    _say(panel, "sel", op="toggle", a=5)

    assert panel.plan is None
    assert panel._modes.mode == "choose"
    assert _shown(panel._choosing)


@pytest.mark.slow
def test_orders_searches_and_filters_change_the_list_and_not_the_selection(panel):
    _choose(panel, 2)
    chosen = set(panel.mask[panel.mask].index)

    _say(panel, "sort", order="largest first")
    panel._filters.search.value = "png"
    _chip(panel, "private").on.value = True

    assert set(panel.mask[panel.mask].index) == chosen
    assert panel._gallery.choice["n"] == 2
    listed = panel._gallery._session.selection.listed
    names = panel._session.images["filename"].iloc[listed]
    assert names.str.contains("png", case=False).mean() > 0.5
    _say(panel, "press", name="search")
    assert panel._filters.search.value == ""


@pytest.mark.slow
def test_the_bar_counts_what_would_go(make_panel, images):
    kept = pd.DataFrame({"id": images.index[:1], "decision": ["keep"]})
    panel = make_panel(decisions=kept)
    panel._gallery.select(list(images.index[:3]))

    bar = panel._gallery.choice
    sizes = images["size_bytes"].iloc[1:3].sum()
    assert (bar["text"], bar["review"], bar["ready"]) == ("3 selected", "Review 2", True)
    assert bar["size"] == format_bytes(int(sizes))
    assert bar["more"].startswith("1 spared: on your keep list · ")
    assert f"<b>{bar['size']}</b>" in panel._header.sum.value


@pytest.mark.slow
def test_too_much_is_said_on_the_bar_and_not_reviewed(service, panel):
    _say(panel, "sel", op="all")

    bar = panel._gallery.choice
    assert re.fullmatch(
        r"\d+ images are \d+ % of the library\. One review takes a quarter at most: choose fewer, or go month by "
        r"month\.",
        bar["refusal"],
    )
    assert bar["ready"] is False
    _say(panel, "sel", op="none")
    assert panel._gallery.choice["refusal"] == ""
    assert _changing(service) == []


@pytest.mark.slow
def test_what_is_too_much_is_reviewed_month_by_month(service, panel, images):
    _say(panel, "sel", op="all")
    assert panel._gallery.choice["way"] == ["months", "Month by month"]
    by_month = images.groupby(images["created_at"].dt.strftime("%B %Y"), sort=False).groups
    months = images["created_at"].sort_values(ascending=False).dt.strftime("%B %Y").unique()

    for number, month in enumerate(months[:2], 1):
        _say(panel, "press", name="months")

        assert set(panel.mask[panel.mask].index) == set(by_month[month])
        view = panel._gallery.view
        assert view["total"] == len(by_month[month])
        assert view["of"].endswith(f" · {month}, month {number} of {len(months)}")
        assert view["press"] == ["months", "Next month"]
        assert (panel._gallery.choice["way"], panel._gallery.choice["refusal"]) == (None, "")

    _say(panel, "sel", op="undo")
    assert set(panel.mask[panel.mask].index) == set(by_month[months[0]])
    _say(panel, "press", name="all")
    assert panel._gallery.view["total"] == 120
    assert panel._session.months is None
    assert _changing(service) == []


@pytest.mark.slow
def test_a_review_that_cannot_be_made_says_so_on_the_bar_until_the_choice_changes(panel):
    _say(panel, "review")

    assert panel._gallery.choice["refusal"] == "Nothing is selected; choose some images first."
    assert panel._modes.mode == "choose"
    _choose(panel, 1)
    assert panel._gallery.choice["refusal"] == ""


@pytest.mark.slow
def test_counts_stand_at_each_filter(panel, images):
    n = int(pic.rules.untagged(images).fillna(False).sum())
    assert _chip(panel, "untagged").on.description == f"Untagged\N{EN SPACE}{n}"

    _chip(panel, "older_than").field.value = 365

    n = int(pic.rules.older_than(images, 365).fillna(False).sum())
    assert _chip(panel, "older_than").on.description == f"Over 1 year\N{EN SPACE}{n}"
    assert panel._session.matching.n_images == n


@pytest.mark.slow
def test_every_rule_is_a_filter_that_lists_what_the_rule_does(panel, images):
    assert list(panel._filters.chips)[: len(RULES)] == [rule.name for rule in RULES]
    for rule in RULES:
        chip = _chip(panel, rule.name)
        if rule.kind == "tags":
            chip.on.value = True
            assert (chip.on.value, _shown(chip.pop)) == (False, True)  # Which tag, it asks.
            chip.field.value = (chip.field.options[0][1],)
        else:
            chip.on.value = True
        if rule.name in ("duplicated", "not_found_in", "decided", "hidden_for"):
            # Nobody read the hashes, looked for references or gave decisions.
            assert _shown(chip.pop)
            assert _shown(chip.problem)
            assert panel._session.matching.n_images == 0
        else:
            mask = Criteria(**panel._session.filters).mask(images).fillna(False)
            assert panel._session.matching.n_images == mask.sum()
            assert f"pic.rules.{rule.name}(images" in panel._session.filter_code()
        chip.on.value = False
    assert panel._session.filters == {}


@pytest.mark.slow
def test_an_unreadable_field_says_so_beside_itself_lists_nothing_and_stops_the_review(panel):
    _choose(panel, 5)
    size = _chip(panel, "larger_than")

    size.field.value = "5 pounds"

    assert _shown(size.pop)
    assert "“5 pounds” is not a size. Write it like 5 MiB." in size.problem.value
    assert size.on.description == "Over 5 pounds ?"
    view, bar = panel._gallery.view, panel._gallery.choice
    assert (view["total"], view["count"], view["all"]) == (0, "No list", False)
    assert view["empty"]["title"] == "One filter cannot be read"
    assert view["empty"]["text"] == "Your 5 images stay selected."
    assert (bar["n"], bar["ready"]) == (5, False)
    size._close()
    _say(panel, "sel", op="all")
    assert panel.mask.sum() == 5
    assert _shown(size.pop)  # It stays until its cause is gone.

    _say(panel, "press", name="unreadable")

    assert not _shown(size.problem)
    assert panel._gallery.view["total"] == 120
    assert panel._gallery.choice["ready"] is True


@pytest.mark.slow
def test_an_empty_list_offers_to_take_the_last_filter_off(panel):
    _chip(panel, "private").on.value = True
    _chip(panel, "tagged").field.value = (_chip(panel, "tagged").field.options[-1][1],)
    panel._filters.search.value = "nothing is called so"

    assert panel._gallery.view["empty"]["press"] == ["search", "Search no more"]
    _say(panel, "press", name="search")
    _say(panel, "press", name="last")
    assert len(panel._session.filters) == 1


@pytest.mark.slow
def test_piles_are_those_of_the_summary_and_open_as_the_list(panel, images):
    expected = pic.summarize_candidates(images).set_index("pile")["n_images"].to_dict()
    assert {pile.name: int(pile.rows.sum()) for pile in panel._session.piles} == expected

    for name, n in expected.items():
        card = panel._piles.cards[name]
        card.open.value = True
        view = panel._gallery.view
        assert view["count"] == f"{n:,}"
        assert view["all"] is (name not in ("oversized", "perhaps moved"))
        assert name == "oversized" or view["of"].endswith(panel._session.pile.why)
        card.open.value = False
    assert panel._gallery.view["total"] == 120


@pytest.mark.slow
def test_strips_show_public_pictures_only(service, panel):
    cards = panel._piles.cards.values()
    _until(lambda: all(any(_shown(image) for image in card.strip) for card in cards))

    private = {one.id for one in service.images.values() if not one.is_public}
    assert not private & {one for card in cards for one in card.shown}


@pytest.mark.slow
def test_the_rest_is_suggested_up_to_the_goal_and_taken_back(make_panel, images):
    panel = make_panel(free="3 MiB")
    assert panel._header.free.value == "3 MiB"
    assert _shown(panel._header.suggest)

    panel._header.suggest.click()

    expected = pic.suggest(images, "3 MiB")
    assert set(panel.mask[panel.mask].index) == set(expected.index)
    assert "enough" in panel._header.end.value
    assert not _shown(panel._header.suggest)
    assert panel._gallery.view["total"] == len(expected)
    assert panel._gallery.view["of"].startswith("suggested, the least missed first: ")
    _say(panel, "press", name="undo")
    assert panel.mask.sum() == 0
    assert panel._gallery.view["total"] == 120


@pytest.mark.slow
def test_a_goal_out_of_reach_and_one_that_cannot_be_read_say_so(make_panel):
    panel = make_panel(free="900 GiB")
    panel._header.suggest.click()
    assert "is all that can go safely." in panel._header.end.value
    assert _shown(panel._header.end)

    chosen = panel.mask.sum()
    panel._header.free.value = "much"

    assert "“much” is not a size. Write it like 30 MiB." in panel._header.problem.value
    assert not _shown(panel._header.suggest)
    assert panel.mask.sum() == chosen
    panel._header.free.value = ""
    assert not _shown(
        panel._header.free
    )  # No field where there is no goal, until one is asked for.
    panel._header.ask.click()
    assert _shown(panel._header.free) and not _shown(panel._header.ask)
    assert not _shown(panel._header.problem)


@pytest.mark.slow
def test_keep_is_written_heeded_and_taken_back(make_panel, images, tmp_path):
    path = tmp_path / "decisions.csv"
    pic.write_decisions(
        pd.DataFrame({"id": images.index[-1:], "decision": ["later"], "until": ["2030-01-01"]}),
        path,
    )
    panel = make_panel(decisions=path)
    _choose(panel, 2)
    first = str(panel._session.images.index[panel._session.selection.listed[0]])

    _, detail = _say(panel, "decide", place=0, word="keep")

    assert (detail["own"], detail["problem"], detail["badge"]) == ("keep", "", ["pin", "kept"])
    assert pic.read_decisions(path).set_index("id")["decision"].to_dict()[first] == "keep"
    assert panel._gallery.choice["review"] == "Review 1"
    _, detail = _say(panel, "decide", place=0, word="")
    assert detail["own"] == ""
    assert first not in set(pic.read_decisions(path)["id"])
    assert panel._gallery.choice["review"] == "Review 2"

    path.write_text("id,decision\nx", encoding="utf-8")
    _, detail = _say(panel, "decide", place=0, word="later")
    assert "cannot be read" in detail["problem"]
    assert detail["own"] == ""


@pytest.mark.slow
def test_without_a_file_decisions_are_held_in_memory(panel, tmp_path):
    assert panel.decisions is None
    _say(panel, "decide", place=0, word="delete")

    assert panel.decisions["decision"].tolist() == ["delete"]
    assert "decisions=panel.decisions" in panel._session.plan_code("x")
    pic.write_decisions(panel.decisions, tmp_path / "kept.csv")
    _chip(panel, "decided").on.value = True
    assert panel._gallery.view["total"] == 1


@pytest.mark.slow
def test_nothing_is_chosen_while_a_deletion_runs(panel):
    _choose(panel, 1)
    panel._session.stage = Stage.DELETING

    answers = _say(panel, "sel", op="all")

    assert answers[0]["type"] == "error"
    assert panel.mask.sum() == 1


@pytest.mark.slow
def test_hostile_names_are_dead_text_everywhere(images, make_panel):
    frame = images.assign(filename=HOSTILE)
    frame["tags"] = pd.Series([(HOSTILE,) if i % 2 else () for i in range(len(frame))], frame.index)
    panel = make_panel(frame)
    _chip(panel, "tagged").field.value = (HOSTILE,)
    panel._on_plain(panel._session)
    _chip(panel, "larger_than").field.value = HOSTILE
    panel._header.free.value = HOSTILE
    texts = [one.value for one in _widgets(panel.widget) if isinstance(one, widgets.HTML)]

    assert sum("&lt;img src=x" in text for text in texts) >= 2
    assert not [text for text in texts if "<img" in text or "\u202e" in text]
    assert "$" not in _chip(panel, "tagged").on.description


@pytest.mark.slow
def test_the_key_and_addresses_are_in_no_widget(service, panel):
    _choose(panel, 5)
    _say(panel, "review")

    for widget in _widgets(panel.widget):
        state = repr(widget.get_state())
        assert service.api_key not in state
        assert "127.0.0.1" not in state
    for text in panel._repr_mimebundle_().values():
        assert service.api_key not in repr(text)


@pytest.mark.slow
def test_the_static_form_is_short(panel):
    bundle = panel._repr_mimebundle_()

    assert bundle["text/plain"] == repr(panel) == "CleanupPanel(120 images, 0 selected, DEMO)"
    assert len(bundle["text/html"]) < 200
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.slow
def test_the_head_names_the_account_or_the_demo_and_how_full_it_is(panel, client, make_images):
    usage = {"size_bytes": 900 * 2**20, "quota_bytes": 2**30}
    frame = make_images(is_public=[False] * 3, size_bytes=[100 * 2**20] * 3)
    frame.attrs["picora"]["usage"] = usage
    other = CleanupPanel(frame, client)
    other._do(lambda session: session.select(frame.index[:1]))

    assert ">DEMO<" in panel._header.who.value
    assert ">DEMO<" not in other._header.who.value
    assert "account 01234567" in other._header.who.value
    assert 'title="https://api.picora.com"' in other._header.who.value
    assert re.search(r"88 % →</span> <b>78 %</b>", other._header.meter.value)


@pytest.mark.slow
def test_plain_pages_choose_in_the_same_selection(panel):
    panel._gesture(panel._on_plain)()
    plain = panel._plain
    first = list(plain.shown)

    plain.cards[0].tick.value = True
    old = plain.cards[1].tick
    plain.next.click()
    old.value = True  # Late, of a page that is gone.

    assert plain.page == 1
    assert not set(first) & set(plain.shown)
    assert set(panel.mask[panel.mask].index) <= set(first[:2])
    assert panel.mask[first[0]]
    _chip(panel, "private").on.value = True
    assert plain.page == 0
    assert all("private" in card.text.value for card in plain.cards if _shown(card.box))
    plain.order.value = "oldest first"
    plain.review.click()
    assert panel._modes.mode == "review"


def test_what_is_no_client_is_refused(make_images):
    with pytest.raises(TypeError, match=r"^client is a str; .* loaded with\.$"):
        CleanupPanel(make_images(), "sk")


@pytest.mark.slow
def test_an_unforeseen_error_is_shown_in_the_panel_and_goes_with_the_next_gesture(panel):
    panel._do(lambda _: 1 / 0)

    assert "ZeroDivisionError: division by zero" in panel._message.value
    _choose(panel, 1)
    assert panel._message.value == ""


@pytest.mark.parametrize("free", [30 * 2**20, 52_480_000, 12_345_678, 5_444_444_444, 0, 1])
def test_a_goal_in_bytes_is_the_goal(make_panel, free):
    panel = make_panel(free=free)

    assert panel._session.goal.wanted == free
