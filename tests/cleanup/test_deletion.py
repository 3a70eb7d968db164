"""A plan holds what was chosen, spares what is in doubt, and reads a choice strictly."""

import dataclasses
import datetime as dt
import json
import re

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import picora_analytics as pic
from picora_analytics import PlanError, plan_deletion
from picora_analytics.cleanup.deletion import plan_withholding
from picora_analytics.cleanup.plan.document import digest, to_document
from picora_analytics.cleanup.plan.sparing import make_caps

HOSTILE = ["<img src=x onerror=alert(1)>", "a\x1b[31mred", "photo\u202egnp.exe", "=1+1", "$x$"]


def _plan(images, choice, **options):
    return plan_deletion(images, choice, reason="a test", **{"max_fraction": 1, **options})


@pytest.fixture
def images(make_images):
    return make_images(
        id=["a", "b", "-c", "_d", "e"],
        size_bytes=[700, 300, 50, 40, None],
        tags=[("cat", "keep"), ("cat",), (), None, ("dog",)],
        created_at=["2020-01-01"] * 5,
        updated_at=["2020-01-01", "2026-11-01", "2020-01-01", None, "2020-05-01"],
    )


def test_what_a_rule_cannot_tell_is_spared_as_unknown(images):
    plan = _plan(images, pic.rules.untagged(images) | pic.rules.larger_than(images, 100))

    assert set(plan.images.index) == {"a", "-c"}
    assert plan.spared["reason"].to_dict() == {
        "_d": "unknown: the rule cannot tell",
        "b": "edited in the last 90 days",
    } | ({"e": "unknown: the rule cannot tell"})


def test_an_image_named_by_its_id_is_taken_although_it_was_edited_lately(images):
    assert list(_plan(images, ["b"]).images.index) == ["b"]


@pytest.mark.parametrize(
    ("protect", "spared"),
    [
        pytest.param("keep", {"a": "protected by the tag 'keep'"}, id="a tag"),
        pytest.param(["keep", "dog"], {"a": "", "e": ""}, id="tags"),
        pytest.param(pd.Index(["-c"]), {"-c": "protected"}, id="ids"),
        pytest.param(lambda i: i["size_bytes"] > 500, {"a": "protected"}, id="a mask"),
    ],
)
def test_what_is_protected_is_spared_and_so_is_what_nobody_can_tell(images, protect, spared):
    shield = protect(images) if callable(protect) else protect

    plan = _plan(images, list(images.index), protect=shield)

    assert set(spared) <= set(plan.spared.index)
    for one, reason in spared.items():
        assert reason in plan.spared.loc[one, "reason"]
    by_tag = isinstance(protect, str | list)
    assert ("_d" in plan.spared.index) is by_tag  # Its tags are unknown.


def test_a_mistyped_tag_protects_nothing_and_says_so(images):
    with pytest.raises(
        PlanError, match=r"did you mean 'keep'\? Ids are given as pd\.Index\(\[\.\.\.\]\)\.$"
    ):
        _plan(images, ["a"], protect="kepe")


def test_a_part_of_the_library_is_measured_against_the_whole(images):
    plan = plan_deletion(images[images["size_bytes"] > 100], ["a", "b"], reason="a test")

    assert any(
        "40 % of the images are more than max_fraction=0.25" in text for text in plan.refusals
    )


def test_a_reason_must_say_something(images):
    with pytest.raises(PlanError, match=r"write why these images may go\.$"):
        plan_deletion(images, ["a"], reason=" ")


def test_without_takes_images_out_and_changes_the_phrase(images):
    plan = _plan(images, ["a", "b", "-c"])

    smaller = plan.without("a", ["-c"])

    assert list(smaller.images.index) == ["b"]
    assert set(smaller.spared["reason"]) == {"taken out by you"}
    assert smaller.confirmation.startswith("1-")
    assert smaller.fingerprint != plan.fingerprint
    with pytest.raises(PlanError, match=r"look at plan\.images\.$"):
        plan.without("e")


@pytest.mark.parametrize(
    "change",
    [
        {"filename": ["other.png", "b.png"]},
        {"url": ["https://img.picora.com/other.png", "https://img.picora.com/b.png"]},
        {"mime_type": ["image/svg+xml", "image/png"]},
        {"size_bytes": [701, 300]},
        {"width": [801, 800]},
        {"height": [None, 600]},
        {"created_at": ["2025-12-31", "2026-01-01"]},
        {"updated_at": ["2026-01-02", "2026-01-01"]},
        {"is_public": [False, True]},
        {"is_public": [None, True]},
        {"tags": [("x",), ()]},
        {"tags": [None, ()]},
        {"content_hash": ["x", None]},
    ],
    ids=str,
)
def test_the_fingerprint_covers_every_field_a_deletion_rests_on(make_images, change):
    base = {"size_bytes": [700, 300], "tags": [(), ()]}
    before = _plan(make_images(**base), ["a", "b"])

    after = _plan(make_images(**(base | change)), ["a", "b"])

    assert before.confirmation != after.confirmation


@pytest.mark.parametrize(
    "change",
    [
        {"caps": pic.cleanup.Caps(None, None, 0.5)},
        {"caps": pic.cleanup.Caps(9, None, 1.0)},
        {"caps": pic.cleanup.Caps(None, 10**9, 1.0)},
        {"protected_tags": ("keep",)},
        {"protection": ("decisions: 1 of 1 entry matches 1 image",)},
        {"duplicates": {"a": "b"}},
        {"made_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_phrase_covers_what_else_was_decided(images, change):
    plan = _plan(images, ["a"])

    assert dataclasses.replace(plan, **change).confirmation != plan.confirmation
    assert re.fullmatch(r"1-[0-9a-f]{12}", plan.confirmation)


def test_the_phrase_is_for_the_day_that_the_plan_expires(images):
    plan = _plan(images, ["a"])
    made = dt.datetime(2026, 1, 1, 1, tzinfo=dt.UTC)
    phrases = [
        dataclasses.replace(plan, made_at=made + dt.timedelta(hours=hours)).confirmation
        for hours in (0, 22, 23)
    ]

    assert phrases[0] == phrases[1] != phrases[2]


def test_the_fingerprint_covers_account_and_host_but_not_order_or_titles(make_images):
    images = make_images(size_bytes=[1, 2])
    plan = _plan(images, ["a", "b"])
    other = make_images(size_bytes=[1, 2], title=["t", None])[::-1]
    assert _plan(other, ["b", "a"]).fingerprint == plan.fingerprint

    for fact in ({"account": "f" * 16}, {"base_url": "https://api.picora.me"}):
        other.attrs["picora"] |= fact
        assert _plan(other, ["a", "b"]).fingerprint != plan.fingerprint


def test_the_demos_phrase_depends_on_neither_port_nor_day(make_images):
    phrases = set()
    for port in (1, 2):
        images = make_images(url=[f"http://127.0.0.1:{port}/{name}.png" for name in "abc"])
        images.attrs["picora"] |= {"demo": True, "base_url": f"http://127.0.0.1:{port}"}
        plan = _plan(images, ["a"])
        day = plan.made_at - dt.timedelta(days=port)
        phrases.add(dataclasses.replace(plan, made_at=day).confirmation)

    assert len(phrases) == 1


def test_a_saved_plan_reads_back_equal(images, tmp_path):
    plan = _plan(images, list(images.index), protect="keep", max_bytes="1 GiB")

    read = pic.read_plan(plan.save(tmp_path / "plan.json"))

    assert_frame_equal(read.images, plan.images)
    assert_frame_equal(read.spared, plan.spared)
    assert (read.confirmation, read.caps, read.protected_tags) == (
        plan.confirmation,
        plan.caps,
        plan.protected_tags,
    )
    assert read.made_at == plan.made_at
    assert repr(read) == repr(plan)


@pytest.mark.parametrize(
    ("spoil", "end"),
    [
        pytest.param(
            lambda text: text.replace('"a test"', '"mine"'), "and save that.", id="edited"
        ),
        pytest.param(lambda text: text[:200], "from the frame it came from.", id="cut off"),
        pytest.param(lambda text: "{}", "a file that plan.save wrote.", id="no plan"),
        pytest.param(
            lambda text: text.replace('"version": 2', '"version": 9'),
            "or plan again.",
            id="another version",
        ),
    ],
)
def test_a_plan_file_that_is_not_as_saved_is_refused(images, tmp_path, spoil, end):
    path = _plan(images, ["a"]).save(tmp_path / "plan.json")
    path.write_text(spoil(path.read_text()))

    with pytest.raises(PlanError, match=f"{re.escape(end)}$"):
        pic.read_plan(path)


def test_a_missing_plan_file_is_named(tmp_path):
    with pytest.raises(PlanError, match=r"cannot be read: No such file or directory\.$"):
        pic.read_plan(tmp_path / "none.json")


def _redated(plan, days, path):
    moved = dataclasses.replace(plan, made_at=plan.made_at + dt.timedelta(days=days))
    return pic.read_plan(moved.save(path))


def test_an_expired_plan_is_refused(images, tmp_path):
    old = _redated(_plan(images, ["a"]), -15, tmp_path / "plan.json")

    assert "plan again" in old.refusals[-1]


@pytest.mark.parametrize("days", [0.01, 1, 13, 365 * 5])
def test_a_plan_from_the_future_is_refused(images, tmp_path, days):
    ahead = _redated(_plan(images, ["a"]), days, tmp_path / "plan.json")

    (refusal,) = ahead.refusals
    assert refusal.endswith("lies ahead of this machine's clock; check the clock, and plan again")
    assert refusal.kind == "date"


def test_clocks_of_two_machines_may_differ_by_minutes(images, tmp_path):
    assert not _redated(_plan(images, ["a"]), 2 / 1440, tmp_path / "plan.json").refusals


@pytest.mark.parametrize(
    "edit",
    [
        {"caps": {"max_images": None, "max_bytes": None, "max_fraction": 1.0}},
        {"protected_tags": []},
        {"protection": []},
        {"made_at": "2036-01-01T00:00:00+00:00"},
        {"duplicates": {"c": "a"}},
        {"library": {"base_url": "https://api.picora.me"}},
    ],
    ids=lambda edit: next(iter(edit)),
)
def test_an_edited_file_does_not_fit_its_phrase_even_with_a_digest_made_for_it(
    images, tmp_path, edit
):
    plan = _plan(images, ["a"], protect=["dog"], max_images=5, max_fraction=0.5)
    path = plan.save(tmp_path / "plan.json")
    document = json.loads(path.read_text())
    for name, value in edit.items():
        document[name] = document[name] | value if name == "library" else value
    document["digest"] = digest(document)
    path.write_text(json.dumps(document))

    with pytest.raises(PlanError, match=r"does not fit its own phrase; plan again\.$"):
        pic.read_plan(path)


def test_a_plan_is_good_for_fourteen_days_and_says_until_when(images):
    made_at = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    old = dataclasses.replace(_plan(images, ["a"]), made_at=made_at)

    assert old.expires_at == dt.datetime(2026, 1, 15, 12, tzinfo=dt.UTC)
    assert old.refusals == ["the plan expired on 2026-01-15 12:00 UTC; plan again"]
    assert to_document(old)["expires_at"] == "2026-01-15T12:00:00+00:00"


def test_an_empty_plan_says_so_before_all_else(images):
    empty = dataclasses.replace(
        _plan(images, []), made_at=dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    )

    assert empty.refusals == [
        "the plan is empty: no image was chosen, or all were spared",
        "the plan expired on 2026-01-15 12:00 UTC; plan again",
    ]


def test_an_image_of_unknown_size_counts_as_an_image_and_as_no_bytes(images):
    assert _plan(images, ["a", "e"]).amount(["a", "e"]) == (2, 700, 1)


def test_a_plan_shows_its_phrase_in_a_notebook(images):
    plan = _plan(images, ["a"])

    assert plan.confirmation in plan._repr_html_()
    assert len(plan.fingerprint) == len(to_document(plan)["digest"]) == 32


def test_the_csv_of_a_plan_lists_all_tags_and_leaves_unknown_ones_empty(images, tmp_path):
    _plan(images, ["a", "_d"]).to_csv(tmp_path / "plan.csv")

    rows = pd.read_csv(tmp_path / "plan.csv", dtype=str, index_col="id")
    assert rows.loc["a", "tags"] == "cat, keep"
    assert pd.isna(rows.loc["_d", "tags"])


def test_the_csv_of_a_plan_runs_in_no_spreadsheet(make_images, tmp_path):
    images = make_images(id=["-a", "=b", "c"], filename=["=1+1", "@x", "fine"], tags=[("+t",)] * 3)

    _plan(images, list(images.index)).to_csv(tmp_path / "plan.csv")

    rows = pd.read_csv(tmp_path / "plan.csv", dtype=str)
    assert rows["id"].tolist() == ["'-a", "'=b", "c"]
    assert rows["filename"].tolist() == ["'=1+1", "'@x", "fine"]
    assert set(rows["tags"]) == {"'+t"}


def test_names_that_ask_for_a_second_look_are_named(make_images):
    names = ["header-spring.png", "og-image.png", "IMG_20140607_1.jpg", "logout.png", "x1999.png"]

    shown = repr(_plan(make_images(filename=names), list("abcde")))

    assert "LOOK TWICE (3)" in shown
    assert "its name says header" in shown
    assert "dated 2014 in its name" in shown


@pytest.mark.parametrize(("chosen", "others"), [(["a", "-c"], 3), (["a", "b", "-c", "_d", "e"], 0)])
def test_a_plan_knows_how_many_images_stay(images, chosen, others):
    assert _plan(images, chosen).n_others == others


# Each deed of a plan does its own work, and gives what it says.


@pytest.fixture
def demo():
    with (
        pic.DemoServer(n_images=12, rate_scale=None) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        yield client, _plan(*_first_of(client))


def _first_of(client):
    images = pic.load_images(client, store=None, progress=False)
    public = images["is_public"].fillna(False).astype(bool)
    return images, list(images.index[public][:2])


def test_hiding_gives_a_receipt_and_keeps_its_journal_beside_the_plan(demo, tmp_path):
    client, plan = demo
    plan.save(tmp_path / "plan.json")
    saved = pic.read_plan(tmp_path / "plan.json")

    rehearsed = saved.hide(client)
    receipt = saved.hide(client, str(rehearsed.confirmation), progress=False)

    assert (rehearsed.counts, receipt.counts) == ({"would hide": 2}, {"hidden": 2})
    assert receipt.journal is not None
    assert receipt.journal.parent == tmp_path


def test_backing_up_gives_its_proofs_and_is_for_the_own_account(demo, tmp_path):
    client, plan = demo

    backup = plan.back_up(client, tmp_path / "kept", progress=False)

    assert set(backup.proofs) == set(plan.images.index)
    with (
        pic.DemoServer(n_images=1, user_id="somebody-else-0123456") as other,
        pic.Client(other.api_key, other.url) as stranger,
        pytest.raises(PlanError, match=r"or plan again\.$"),
    ):
        plan.back_up(stranger, tmp_path / "others", progress=False)
    assert not (tmp_path / "others").exists()


def test_a_duplicate_hands_its_tags_on_unless_it_is_told_not_to(make_images):
    images = make_images(
        tags=[(), ("roof",), (), ("dawn",)],
        content_hash=["x", "x", "y", "y"],
        created_at=["2020-01-01", "2021-01-01", "2020-01-01", "2021-01-01"],
    )
    suggested = pic.suggest(images, pile="duplicates")
    caps = make_caps(None, None, 1)

    for plan in (
        plan_deletion(images, suggested, max_fraction=1),
        plan_withholding(
            images, suggested, (), reason=None, protect=None, decisions=None, caps=caps
        ),
    ):
        assert {one: own.tags for one, own in plan.handed.items()} == {
            "b": ("roof",),
            "d": ("dawn",),
        }
    without = plan_deletion(images, suggested, max_fraction=1, inherit=False)
    assert dict(without.handed) == {}
    assert without.copies == without.duplicates == {"b": "a", "d": "c"}
    assert without.to_document() == to_document(without)
