"""The panel without a browser: widgets are set and clicked as the page would."""

import re
import time

import ipywidgets as widgets
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.analysis.criteria import RULES, Criteria
from picora_analytics.widgets import CleanupPanel

HOSTILE = '<img src=x onerror="window.__xss=1">\'{0}{name}$x^2$\u202egnp.png'


@pytest.fixture
def service():
    with DemoServer(n_images=120, rate_scale=50) as server:
        yield server


@pytest.fixture
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


@pytest.fixture
def panel(client):
    return CleanupPanel(pic.load_images(client, store=None, progress=False), client)


def _until(true, seconds=10):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def _pictures(panel):
    return [card.image for card in panel._look.cards if _shown(card.box) and _shown(card.image)]


def _widgets(widget):
    return [widget, *(one for child in getattr(widget, "children", ()) for one in _widgets(child))]


def _tick(panel, name):
    return panel._filters.filters[name].tick


def _field(panel, name):
    return panel._filters.filters[name].field


def _shown(widget):
    return "picora-hidden" not in widget._dom_classes


def _plan(panel, n=5):
    _tick(panel, "untagged").value = True
    for card in panel._look.cards[:n]:
        card.tick.value = True
    panel._plan.reason.value = "a test"
    panel._plan.button.click()
    return panel.plan


def _type(panel, text, tick=True):
    panel._confirm.typed.value, panel._confirm.no_backup.value = text, tick
    panel._confirm.delete.click()


def _changing(service):
    return [one for one in service.requests if one.method != "GET"]


@pytest.mark.slow
def test_the_whole_journey_deletes_exactly_the_plan(service, panel):
    before = set(service.images)
    _tick(panel, "untagged").value = True
    panel._look.select_all.click()
    panel._look.cards[0].tick.value = False
    left_out = panel._look.shown[0]
    panel._plan.reason.value = "never tagged"
    panel._plan.button.click()
    plan = panel.plan

    assert left_out not in plan.images.index
    assert plan.reason == "never tagged"
    assert _shown(panel._confirm.box)
    assert _changing(service) == []

    _type(panel, f"delete {len(plan.images)}")
    _until(lambda: panel.receipt is not None)

    assert panel.receipt.counts == {"deleted": len(plan.images)}
    assert sorted(one.id for one in service.deleted) == sorted(plan.images.index)
    assert set(service.images) == before - set(plan.images.index)
    assert f"{len(plan.images)} images deleted" in panel._receipt.text.value
    assert not set(panel._look.shown) & set(plan.images.index)
    assert panel.plan is None
    assert not _shown(panel._confirm.box)
    assert not _shown(panel._progress.box)
    assert _shown(panel._receipt.box)
    panel._receipt.done.click()
    assert not _shown(panel._receipt.box)
    assert panel.receipt is not None


@pytest.mark.parametrize(
    ("typed", "tick"),
    [
        pytest.param("", True, id="nothing"),
        pytest.param("5", True, id="the count alone"),
        pytest.param("delete 6", True, id="another count"),
        pytest.param("delete 5", False, id="no tick"),
    ],
)
@pytest.mark.slow
def test_without_text_and_tick_nothing_is_sent(service, panel, typed, tick):
    _plan(panel)
    sent = len(service.requests)

    _type(panel, typed, tick)

    assert "Nothing was deleted." in panel._message.value
    assert [one for one in service.requests[sent:] if one.port == "api"] == []
    assert _shown(panel._confirm.box)


@pytest.mark.slow
def test_a_wrong_text_says_both(panel):
    _plan(panel)

    _type(panel, "delete five")

    assert "You typed &#34;delete five&#34;" in panel._message.value
    assert "type &#34;delete 5&#34;" in panel._message.value


@pytest.mark.slow
def test_delete_without_a_plan_does_nothing(service, panel):
    panel._look.cards[0].tick.value = True
    _type(panel, "delete 1")

    assert "press Plan first" in panel._message.value
    assert _changing(service) == []


@pytest.mark.slow
def test_cancel_keeps_everything_and_a_new_plan_must_be_made(service, panel):
    _plan(panel)

    panel._confirm.keep.click()
    _type(panel, "delete 5")

    assert panel.plan is None
    assert panel.mask.sum() == 5
    assert _changing(service) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda p: setattr(p._look.cards[9].tick, "value", True), id="one more"),
        pytest.param(lambda p: p._look.select_none.click(), id="none"),
        pytest.param(lambda p: setattr(p._plan.reason, "value", "another"), id="another reason"),
    ],
)
@pytest.mark.slow
def test_a_change_voids_the_plan_and_hides_the_confirmation(panel, change):
    _plan(panel)

    change(panel)

    assert panel.plan is None
    assert not _shown(panel._confirm.box)
    assert not _shown(panel._plan.box)


@pytest.mark.slow
def test_after_a_change_the_new_plan_asks_anew(service, panel):
    _plan(panel)
    panel._confirm.typed.value, panel._confirm.no_backup.value = "delete 5", True
    panel._look.cards[5].tick.value = True
    panel._plan.button.click()

    assert panel._confirm.typed.value == ""
    assert panel._confirm.no_backup.value is False
    _type(panel, "delete 5")
    assert "type &#34;delete 6&#34;" in panel._message.value
    assert _changing(service) == []


@pytest.mark.slow
def test_a_refused_plan_shows_why_and_no_delete_button(service, panel):
    panel._look.select_all.click()
    panel._plan.reason.value = "all of it"
    panel._plan.button.click()

    assert "max_fraction=0.25" in panel._plan.preview.value
    assert not _shown(panel._confirm.box)
    _type(panel, f"delete {len(panel.plan.images)}")
    assert "The plan is refused" in panel._message.value
    assert _changing(service) == []


@pytest.mark.slow
def test_a_plan_needs_a_reason(panel):
    panel._look.cards[0].tick.value = True
    panel._plan.button.click()

    assert "says nothing" in panel._message.value
    assert panel.plan is None


@pytest.mark.slow
def test_stop_keeps_what_was_not_tried():
    with DemoServer(n_images=120, seed_only=True, rate_scale=50) as service:
        with pic.Client(service.api_key, service.url) as client:
            panel = CleanupPanel(pic.load_images(client, store=None, progress=False), client)
            plan = _plan(panel, 10)
            service.fail("DELETE", "*", times=None, delay=0.1)
            _type(panel, "delete 10")
            _until(lambda: len(service.deleted) >= 2)

            panel._progress.stop.click()
            _until(lambda: panel.receipt is not None)

        counts = panel.receipt.counts
        assert counts["kept"] > 0
        assert counts["deleted"] == len(service.deleted) == 10 - counts["kept"]
        assert set(panel.mask[panel.mask].index) == set(plan.images.index) & set(service.images)


@pytest.mark.slow
def test_a_key_that_may_not_delete_stops_with_a_message_and_a_receipt():
    with DemoServer(n_images=120, scopes=("images:read", "usage:read")) as service:
        with pic.Client(service.api_key, service.url) as client:
            panel = CleanupPanel(pic.load_images(client, store=None, progress=False), client)
            _plan(panel)
            _type(panel, "delete 5")
            _until(lambda: panel.receipt is not None)
            _until(lambda: panel._message.value)

        assert panel.receipt.counts == {"failed": 5}
        assert "403" in panel._message.value
        assert panel.mask.sum() == 5
        assert len(service.images) == 120
        assert service.api_key not in panel._message.value


@pytest.mark.slow
def test_an_image_that_changed_meanwhile_is_kept_and_stays_selected(service, panel):
    plan = _plan(panel)
    edited = plan.images.index[0]
    service.edit(edited, tags=["needed"])

    _type(panel, "delete 5")
    _until(lambda: panel.receipt is not None)

    assert panel.receipt.counts == {"deleted": 4, "kept": 1}
    assert edited in service.images
    assert list(panel.mask[panel.mask].index) == [edited]


@pytest.mark.slow
def test_the_bar_moves_at_most_ten_times_a_second_and_to_the_end():
    with DemoServer(n_images=120, seed_only=True, rate_scale=50) as service:
        with pic.Client(service.api_key, service.url) as client:
            panel = CleanupPanel(pic.load_images(client, store=None, progress=False), client)
            states = []
            panel._progress.bar.observe(
                lambda change: states.append((time.monotonic(), change.new)), "value"
            )
            _plan(panel, 16)
            began = time.monotonic()
            _type(panel, "delete 16")
            _until(lambda: panel.receipt is not None)

        assert states[-1][1] == 16
        assert len(states) <= 10 * (time.monotonic() - began) + 2


@pytest.mark.slow
def test_pages_filters_and_order_change_the_list_and_not_the_selection(panel):
    panel._look.cards[0].tick.value = True
    first = list(panel._look.shown)

    panel._look.next.click()
    second = list(panel._look.shown)
    panel._look.order.value = "oldest first"

    assert not set(first) & set(second)
    assert panel.mask[panel.mask].index.tolist() == [first[0]]
    panel._look.only_selected.value = True
    assert panel._look.shown == [first[0]]
    assert panel._look.cards[0].tick.value is True
    assert not _shown(panel._look.cards[1].box)


@pytest.mark.slow
def test_a_late_tick_of_a_page_gone_by_falls_on_no_other_image(panel):
    old, shown = panel._look.cards[0].tick, panel._look.shown[0]
    panel._look.next.click()

    old.value = True

    assert panel.mask[panel.mask].index.isin([shown]).all()


@pytest.mark.slow
def test_counts_stand_at_each_filter(panel):
    images = panel._session.images

    assert _tick(panel, "untagged").description == f"Untagged ({pic.rules.untagged(images).sum()})"
    _field(panel, "older_than").value = 365
    n = pic.rules.older_than(images, 365).sum()
    assert _tick(panel, "older_than").description == f"Older than, in days ({n})"


@pytest.mark.slow
def test_every_rule_is_a_filter_that_selects_what_the_rule_does(panel):
    assert list(panel._filters.filters) == [rule.name for rule in RULES]
    for rule in RULES:
        if rule.kind == "tags":
            continue
        _tick(panel, rule.name).value = True
        if rule.name in ("duplicated", "not_found_in", "decided", "hidden_for"):
            # Nobody read the hashes, looked for references or gave decisions: it says so beside the tick, and
            # matches nothing.
            assert _shown(panel._filters.filters[rule.name].problem)
            assert panel._session.matching.n_images == 0
            _tick(panel, rule.name).value = False
            continue
        mask = Criteria(**panel._session.filters).mask(panel._session.images).fillna(False)
        assert panel._session.matching.n_images == mask.sum()
        assert f"pic.rules.{rule.name}(images" in panel._filters.code.value
        _tick(panel, rule.name).value = False


@pytest.mark.slow
def test_an_unreadable_field_says_so_beside_itself_and_stops_the_plan(service, panel):
    plan = _plan(panel)
    size = panel._filters.filters["larger_than"]

    size.field.value = "5 pounds"
    assert size.tick.description == "Larger than (?)"
    assert not _shown(size.problem)
    assert panel.plan is plan

    size.tick.value = True
    assert _shown(size.problem)
    assert "“5 pounds” is not a size; write it like 5 MiB." in size.problem.value
    assert "Matching: <strong>0</strong>" in panel._filters.count.value
    assert panel.plan is None
    assert panel._plan.button.disabled
    assert panel._look.select_all.disabled
    assert panel.mask.sum() == 5

    panel._look.select_all.click()
    panel._plan.button.click()
    assert panel.mask.sum() == 5
    assert panel.plan is None
    assert _shown(size.problem)

    size.field.value = "5 MiB"
    assert not _shown(size.problem)
    panel._plan.button.click()
    assert len(panel.plan.images) == 5


@pytest.mark.slow
def test_public_thumbnails_appear_and_private_ones_are_words(service, panel):
    _until(lambda: len(_pictures(panel)) >= 15)
    _tick(panel, "private").value = True
    time.sleep(0.2)

    assert _pictures(panel) == []
    assert all("private" in card.text.value for card in panel._look.cards if _shown(card.box))
    private = {one.id for one in service.images.values() if not one.is_public}
    asked = {one.path for one in service.requests if one.port == "pictures"}
    assert not [path for path in asked if path[1:].split(".")[0] in private]


@pytest.mark.slow
def test_hostile_names_are_dead_text_everywhere(client, make_images):
    images = pic.load_images(client, store=None, progress=False)
    images["filename"] = HOSTILE
    images["tags"] = [(HOSTILE,) if i % 2 else () for i in range(len(images))]
    panel = CleanupPanel(images, client)
    _field(panel, "tagged").value = (HOSTILE,)
    for card in panel._look.cards[:5]:
        card.tick.value = True
    panel._plan.reason.value = HOSTILE
    panel._plan.button.click()
    _tick(panel, "larger_than").value, _field(panel, "larger_than").value = True, HOSTILE

    texts = [one.value for one in _widgets(panel.widget) if isinstance(one, widgets.HTML)]
    assert sum("&lt;img src=x" in text for text in texts) >= 4
    assert not [text for text in texts if "<img" in text or "\u202e" in text]
    assert "$" not in panel._look.cards[0].tick.description
    assert not panel._look.cards[0].tick.description_allow_html


@pytest.mark.slow
def test_the_key_and_addresses_are_in_no_widget(service, panel):
    _plan(panel)
    _until(lambda: len(_pictures(panel)) >= 5)

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
def test_a_demo_is_stamped_and_an_account_is_not(panel, client, make_images):
    stamps = [one for one in panel.widget.children if "DEMO" in getattr(one, "value", "")]
    other = CleanupPanel(make_images(is_public=[False] * 3), client)

    assert len(stamps) == 1
    assert "DEMO" not in repr(other)
    assert "Account 01234567 on https://api.picora.com" in "".join(
        getattr(one, "value", "") for one in other.widget.children
    )


@pytest.mark.slow
def test_each_step_says_its_line_of_python(panel):
    plan = _plan(panel)
    code = re.compile(r'<code class="picora-code">(.*?)</code>')
    lines = [
        code.search(one.value)[1]
        for one in (panel._filters.code, panel._look.head, panel._plan.code, panel._confirm.code)
    ]

    assert lines[0] == "mask = pic.rules.untagged(images)"
    assert lines[1] == "mask = panel.mask"
    assert lines[2] == "plan = pic.plan_deletion(images, mask, reason=&#34;a test&#34;)"
    assert f"{plan.confirmation}&#34;, backup=&#34;kept/&#34;)" in lines[3]


@pytest.mark.slow
def test_what_must_be_typed_depends_on_the_backup(panel):
    plan = _plan(panel)
    assert "<strong>5</strong>" in panel._confirm.text.value

    panel._confirm.no_backup.value = True

    assert "<strong>delete 5</strong>" in panel._confirm.text.value
    assert f"{plan.confirmation}&#34;, backup=None)" in panel._confirm.code.value


@pytest.mark.slow
def test_without_a_folder_or_the_tick_nothing_goes(service, panel):
    _plan(panel)
    panel._confirm.folder.value = " "

    _type(panel, "5", tick=False)

    assert "Name a folder for the backup" in panel._message.value
    assert _changing(service) == []


def test_what_is_no_client_is_refused(make_images):
    with pytest.raises(TypeError, match=r"^client is a str; .* loaded with\.$"):
        CleanupPanel(make_images(), "sk")


@pytest.mark.slow
def test_an_unforeseen_error_is_shown_in_the_panel_and_goes_with_the_next_gesture(panel):
    panel._do(lambda _: 1 / 0)

    assert "ZeroDivisionError: division by zero" in panel._message.value
    panel._look.next.click()
    assert panel._message.value == ""
