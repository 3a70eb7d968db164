"""A plan holds what was chosen, spares what is in doubt, and reads a choice strictly."""

import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal

import picora_analytics as pic
from picora_analytics import PlanError, plan_deletion

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


@pytest.mark.parametrize(
    "choice",
    [
        pytest.param(lambda i: ["a", "-c"], id="a list"),
        pytest.param(lambda i: pd.Index(["-c", "a"]), id="an Index"),
        pytest.param(lambda i: ("a", "-c"), id="a tuple"),
        pytest.param(lambda i: {"a", "-c"}, id="a set"),
        pytest.param(lambda i: i[i.index.isin(["a", "-c"])].index, id="rows' index"),
        pytest.param(
            lambda i: pd.Series(i.index.isin(["a", "-c"]), index=i.index)[::-1],
            id="a mask in another order",
        ),
        pytest.param(lambda i: {"first": ["a"], "second": ["-c"]}, id="a mapping"),
    ],
)
def test_each_kind_of_choice_means_the_same_images(images, choice):
    plan = _plan(images, choice(images))

    assert list(plan.images.index) == ["a", "-c"]
    assert plan.size_bytes == 750
    assert len(plan.spared) == 0


def test_a_mapping_gives_each_row_its_reasons(images):
    plan = _plan(images, {"large": ["a", "b"], "odd": ["b"]})

    assert plan.images["reason"].to_dict() == {"a": "large", "b": "large; odd"}


@pytest.mark.parametrize(
    ("choice", "end"),
    [
        pytest.param(
            lambda i: np.array([True] * 5),
            "type choice=pd.Series(choice, index=images.index).",
            id="a bare boolean array",
        ),
        pytest.param(
            lambda i: [True, False, True, False, True],
            "type choice=pd.Series(choice, index=images.index).",
            id="a list of true and false",
        ),
        pytest.param(
            lambda i: pd.Series([True, None, False, True, True], i.index, dtype=object),
            "type choice=choice.astype('boolean').",
            id="an object mask with gaps",
        ),
        pytest.param(
            lambda i: pd.Series([1.0, 0.0, np.nan, 1.0, 0.0], i.index),
            "type choice=choice.astype('boolean').",
            id="a float mask with gaps",
        ),
        pytest.param(
            lambda i: ["a", "A"],
            "choice=images.index.intersection(list(choice)).",
            id="a foreign id",
        ),
        pytest.param(
            lambda i: ["a", "a"], "type choice=pd.Index(choice).unique().", id="an id twice"
        ),
        pytest.param(lambda i: [1.0, 2.0], "such as 'aB3dE5fG7hJ'.", id="ids as floats"),
        pytest.param(lambda i: i, "type choice=choice.index.", id="a DataFrame"),
        pytest.param(lambda i: None, "choice=['aB3dE5fG7hJ'].", id="None"),
        pytest.param(lambda i: "a", "choice=['aB3dE5fG7hJ'].", id="one id as text"),
        pytest.param(lambda i: "", "choice=['aB3dE5fG7hJ'].", id="empty text"),
        pytest.param(lambda i: True, "choice=['aB3dE5fG7hJ'].", id="True"),
        pytest.param(lambda i: 7, "or a list of ids.", id="a number"),
        pytest.param(
            lambda i: pd.Series([True], index=["a"]),
            "choice=choice.reindex(images.index, fill_value=False).",
            id="a mask of a part",
        ),
        pytest.param(
            lambda i: pd.Series([True] * 6, index=[*i.index, "zz"]),
            "choice=choice.reindex(images.index, fill_value=False).",
            id="a mask of another frame",
        ),
        pytest.param(
            lambda i: pd.Series([True] * 6, index=[*i.index, "a"]),
            "type choice=choice[~choice.index.duplicated()].",
            id="a mask that names an image twice",
        ),
        pytest.param(lambda i: {}, "give {'reason': mask}.", id="an empty mapping"),
        pytest.param(lambda i: {"": ["a"]}, "give {'reason': mask}.", id="an empty reason"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_line_to_type(images, choice, end):
    wrong = choice(images)

    with pytest.raises(PlanError, match=f"{re.escape(end)}$") as refused:
        _plan(images, wrong)

    if line := re.search(r"type choice=(.*)\.$", str(refused.value)):
        cured = eval(line[1], {"pd": pd, "images": images, "choice": wrong})
        if not isinstance(wrong, pd.DataFrame) and len(line[1]) < 80:
            _plan(images, cured)  # The line that is shown really works.


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


@pytest.mark.parametrize(
    ("bend", "end"),
    [
        pytest.param({"status": "partial"}, "and plan from that.", id="partial"),
        pytest.param({"scope": "tag=cat"}, "mask = rules.tagged(images, ...).", id="a tag only"),
        pytest.param({"read_at": "2026-01-01T00:00:00Z"}, "and plan from that.", id="stale"),
        pytest.param({"n_images": 3}, "and plan from that.", id="more rows than the library"),
        pytest.param(None, "keep the merged frame for choosing ids.", id="silent about itself"),
    ],
)
def test_a_frame_that_cannot_feed_a_plan_is_refused_with_the_way_out(images, bend, end):
    if bend is None:
        images.attrs.clear()
    else:
        images.attrs["picora"] |= bend

    with pytest.raises(PlanError, match=f"load_images.*{re.escape(end)}$"):
        _plan(images, ["a"])


def test_an_exploded_frame_is_refused(images):
    with pytest.raises(PlanError, match=r"and plan from that\.$"):
        _plan(images.explode("tags"), ["a"])


def test_a_part_of_the_library_is_measured_against_the_whole(images):
    plan = plan_deletion(images[images["size_bytes"] > 100], ["a", "b"], reason="a test")

    assert any(
        "40 % of the images are more than max_fraction=0.25" in text for text in plan.refusals
    )


@pytest.mark.parametrize(
    ("caps", "refused"),
    [
        pytest.param({"max_images": 2}, False, id="as many images as allowed"),
        pytest.param({"max_images": 1}, True, id="one image more"),
        pytest.param({"max_images": 0}, True, id="none allowed"),
        pytest.param({"max_bytes": 750}, False, id="as many bytes as allowed"),
        pytest.param({"max_bytes": 749}, True, id="one byte more"),
        pytest.param({"max_bytes": "1 KiB"}, False, id="bytes as text"),
        pytest.param({"max_fraction": 750 / 1090}, False, id="just the share of bytes"),
        pytest.param({"max_fraction": 0.5}, True, id="a share of bytes, not of images"),
    ],
)
def test_caps_refuse_from_one_image_or_byte_above(images, caps, refused):
    plan = _plan(images, ["a", "-c"], **caps)

    assert bool(plan.refusals) is refused
    assert ("REFUSED AS IT STANDS" in repr(plan)) is refused


@pytest.mark.parametrize(
    "options",
    [{"max_images": -1}, {"max_images": 1.5}, {"max_bytes": "much"}, {"max_fraction": 2}],
)
def test_caps_that_cannot_be_read_are_value_errors(images, options):
    name, value = next(iter(options.items()))

    with pytest.raises(ValueError, match=re.escape(f"{name}={value!r}")):
        _plan(images, ["a"], **options)


def test_a_reason_must_say_something(images):
    with pytest.raises(PlanError, match=r"write why these images may go\.$"):
        plan_deletion(images, ["a"], reason=" ")


def test_decisions_are_kept_from_a_file_a_spreadsheet_went_through(images, tmp_path):
    path = tmp_path / "decisions.csv"
    path.write_text(
        "\ufeffid,decision,until\na,keep,\n'-c,later,2027-01-01\nb,later,2026-01-01\ne,delete,\n",
        encoding="utf-8",
    )

    plan = _plan(images, list(images.index), decisions=path)

    assert plan.spared["reason"].to_dict() == {
        "a": "on your keep list",
        "-c": "decide later, from 2027-01-01",
    }
    assert set(plan.images.index) == {"b", "_d", "e"}


@pytest.mark.parametrize(
    ("content", "end"),
    [
        pytest.param("id,decision\na,maybe\n", "later needs until=YYYY-MM-DD.", id="a word"),
        pytest.param("id,decision\na,later\n", "later needs until=YYYY-MM-DD.", id="no day"),
        pytest.param(
            "id,decision,until\na,keep,soon\n", "later needs until=YYYY-MM-DD.", id="no date"
        ),
        pytest.param("name\na\n", "it needs 'id' and 'decision'.", id="columns"),
    ],
)
def test_decisions_that_cannot_be_read_are_refused(images, tmp_path, content, end):
    path = tmp_path / "decisions.csv"
    path.write_text(content)

    with pytest.raises(PlanError, match=f"{re.escape(end)}$"):
        _plan(images, ["a"], decisions=path)


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
        {"size_bytes": [701, 300]},
        {"updated_at": ["2026-01-02", "2026-01-01"]},
        {"is_public": [False, True]},
        {"is_public": [None, True]},
        {"tags": [("x",), ()]},
        {"tags": [None, ()]},
    ],
    ids=str,
)
def test_the_fingerprint_covers_what_a_deletion_rests_on(make_images, change):
    base = {"size_bytes": [700, 300], "tags": [(), ()]}
    before = _plan(make_images(**base), ["a", "b"])

    after = _plan(make_images(**(base | change)), ["a", "b"])

    assert before.fingerprint != after.fingerprint


def test_the_fingerprint_covers_account_and_host_but_not_order_or_names(make_images):
    images = make_images(size_bytes=[1, 2])
    plan = _plan(images, ["a", "b"])
    other = make_images(size_bytes=[1, 2], filename=["x", "y"], title=["t", None])[::-1]
    assert _plan(other, ["b", "a"]).fingerprint == plan.fingerprint

    for fact in ({"account": "f" * 16}, {"base_url": "https://api.picora.me"}):
        other.attrs["picora"] |= fact
        assert _plan(other, ["a", "b"]).fingerprint != plan.fingerprint


def test_the_demos_phrase_does_not_depend_on_its_port(make_images):
    phrases = set()
    for port in (1, 2):
        images = make_images()
        images.attrs["picora"] |= {"demo": True, "base_url": f"http://127.0.0.1:{port}"}
        phrases.add(_plan(images, ["a"]).confirmation)

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
            lambda text: text.replace('"version": 1', '"version": 9'),
            "or plan anew.",
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


def test_an_expired_plan_is_refused(images, tmp_path):
    path = _plan(images, ["a"]).save(tmp_path / "plan.json")
    from picora_analytics.cleanup.plan import digest

    document = json.loads(path.read_text())
    document["made_at"] = (dt.datetime.now(dt.UTC) - dt.timedelta(days=15)).isoformat()
    document["digest"] = digest(document)
    path.write_text(json.dumps(document))

    assert "plan again" in pic.read_plan(path).refusals[-1]


def test_the_csv_of_a_plan_runs_in_no_spreadsheet(make_images, tmp_path):
    images = make_images(id=["-a", "=b", "c"], filename=["=1+1", "@x", "fine"], tags=[("+t",)] * 3)

    _plan(images, list(images.index)).to_csv(tmp_path / "plan.csv")

    rows = pd.read_csv(tmp_path / "plan.csv", dtype=str)
    assert rows["id"].tolist() == ["'-a", "'=b", "c"]
    assert rows["filename"].tolist() == ["'=1+1", "'@x", "fine"]
    assert set(rows["tags"]) == {"'+t"}


@pytest.mark.parametrize("n", [0, 1, 9, 10, 200])
def test_a_preview_is_shown_for_any_number_of_images(make_images, n):
    images = make_images(tags=[()] * 250)

    plan = _plan(images, list(images.index[:n]))

    shown = repr(plan)
    assert (f"DELETE {n} IMAGE" in shown) is (n > 0)
    assert f"{n} of 250 images" in shown
    assert (plan.confirmation in shown) is (n > 0)
    html = plan._repr_html_()
    assert f"{n} of 250 images" in html
    assert html.count("<tr>") == html.count("</tr>")


def test_strangers_names_are_dead_text_in_both_previews(make_images):
    images = make_images(filename=HOSTILE, tags=[()] * 5)
    plan = plan_deletion(images, list(images.index), reason="<b>\x1b[1m", max_fraction=1)

    assert not re.search("[\x1b\u202e]", repr(plan) + plan._repr_html_())
    assert "<img" not in plan._repr_html_()
    assert "<b>" not in plan._repr_html_()


def test_names_that_ask_for_a_second_look_are_named(make_images):
    names = ["header-spring.png", "og-image.png", "IMG_20140607_1.jpg", "logout.png", "x1999.png"]

    shown = repr(_plan(make_images(filename=names), list("abcde")))

    assert "LOOK TWICE (3)" in shown
    assert "its name says header" in shown
    assert "dated 2014 in its name" in shown


MASK = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=10)


@given(choice=MASK, shield=st.data())
@settings(deadline=None, max_examples=60)
def test_planned_and_spared_are_the_choice_and_nothing_else(make_images, choice, shield):
    images = make_images(tags=[()] * len(choice))
    mask = pd.Series(choice, images.index, dtype="boolean")
    protect = pd.Series(
        shield.draw(
            st.lists(
                st.sampled_from([True, False, None]), min_size=len(choice), max_size=len(choice)
            )
        ),
        images.index,
        dtype="boolean",
    )

    plan = _plan(images, mask, protect=protect)

    asked = set(images.index[mask.fillna(True)])
    assert set(plan.images.index) | set(plan.spared.index) == asked
    assert not set(plan.images.index) & set(plan.spared.index)
    assert set(plan.images.index) == set(images.index[mask.fillna(False) & ~protect.fillna(True)])
