"""What keeps a plan honest: the frame it comes from, its caps, its file, and its preview's sums."""

import datetime as dt
import json
import re

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pandas.testing import assert_frame_equal

from picora_analytics import PlanError, plan_deletion, read_plan
from picora_analytics.cleanup.plan import Caps
from picora_analytics.cleanup.rehearsal import drift

AGAIN = "Type images = load_images(client), and plan from that"


def plan(images, choice, **options):
    return plan_deletion(images, choice, **{"reason": "test", "max_fraction": 1, **options})


# The frame


def _facts(images, **facts):
    images.attrs["picora"] = {**images.attrs["picora"], **facts}
    return images


def _hours_ago(hours):
    return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda i: None, f"images is a NoneType, not a DataFrame. {AGAIN}.", id="nothing"
        ),
        pytest.param(
            lambda i: i["size_bytes"],
            f"images is a Series, not a DataFrame. {AGAIN}.",
            id="a column",
        ),
        pytest.param(
            lambda i: i.merge(pd.DataFrame({"v": [1]}, index=pd.Index(["a"], name="id")), on="id"),
            "This frame does not say which library it is (merge and read_csv drop that), so nothing can be planned "
            f"from it. {AGAIN}; keep the merged frame for choosing ids.",
            id="merged",
        ),
        pytest.param(
            lambda i: i.reset_index(),
            "This frame does not say which library it is (merge and read_csv drop that), so nothing can be planned "
            f"from it. {AGAIN}; keep the merged frame for choosing ids.",
            id="without its index",
        ),
        pytest.param(
            lambda i: i[["size_bytes", "url"]].assign(filename="x"),
            "This frame lacks ['title', 'mime_type', 'width', 'height', 'is_public', 'tags', 'created_at', "
            f"'updated_at', 'content_hash'], which a plan records. {AGAIN}.",
            id="some columns",
        ),
        pytest.param(
            lambda i: _facts(i, status="partial"),
            "This frame is partial: the library was not read whole, and what is missing in it may only be unread. "
            f"{AGAIN}.",
            id="partial",
        ),
        pytest.param(
            lambda i: _facts(i, scope="tag=cat"),
            f"This frame holds tag=cat only; shares and caps need the whole library. {AGAIN} with mask = "
            "rules.tagged(images, ...).",
            id="of a tag",
        ),
        pytest.param(
            lambda i: pd.concat([i, i]),
            f"This frame has 6 rows of 3 images (explode and concat repeat rows). {AGAIN}.",
            id="repeated",
        ),
        pytest.param(
            lambda i: i.explode("tags"),
            f"This frame has 4 rows of 3 images (explode and concat repeat rows). {AGAIN}.",
            id="exploded",
        ),
        pytest.param(
            lambda i: _facts(i, n_images=2),
            f"This frame has 3 rows of 3 images (explode and concat repeat rows). {AGAIN}.",
            id="more rows than images",
        ),
    ],
)
def test_a_frame_that_cannot_feed_a_plan_is_refused(make_images, spoil, message):
    images = spoil(make_images(tags=[("a", "b"), (), None]))

    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        plan(images, ["a"])


@pytest.mark.parametrize("hours", [25, 24 * 365, -25])
def test_a_frame_of_another_day_is_refused(make_images, hours):
    images = _facts(make_images(), read_at=_hours_ago(hours))

    with pytest.raises(
        PlanError,
        match=rf"^This frame was read {hours} hours ago, at \d{{4}}-\d\d-\d\dT\d\d:\d\d UTC; a plan needs one of the "
        rf"last 24 hours\. {re.escape(AGAIN)}\.$",
    ):
        plan(images, ["a"])


def test_a_frame_of_this_morning_is_not(make_images):
    assert len(plan(_facts(make_images(), read_at=_hours_ago(23)), ["a"]).images) == 1


def test_tags_that_were_exploded_row_for_row_cannot_hide_a_protection(make_images):
    # One tag each: as many rows as images, but the tags are text now, and text holds letters, not tags.
    images = make_images(tags=[("keep",), ("keep",), ("x",)])

    with pytest.raises(
        PlanError, match=r"^The column 'tags' .* Pass the frame as load_images made it\.$"
    ):
        plan(images.explode("tags"), ["a", "b"], protect="keep")


def test_a_frame_that_plain_pandas_read_back_gives_the_same_plan(make_images, tmp_path):
    images = make_images(tags=[("keep", "x"), (), None], size_bytes=[1, None, 3])
    images.to_parquet(tmp_path / "a.parquet")
    back = pd.read_parquet(tmp_path / "a.parquet")

    made, again = (plan(frame, images.index, protect="keep") for frame in (images, back))

    assert_frame_equal(again.images, made.images)
    assert_frame_equal(again.spared, made.spared)
    assert again.fingerprint == made.fingerprint
    assert read_plan(again.save(tmp_path / "plan.json")).fingerprint == made.fingerprint


def test_columns_of_ones_own_do_not_disturb_a_plan(make_images):
    images = make_images().assign(views=[1, 2, 3], reason="mine")

    made = plan(images, images["views"] > 1)

    assert list(made.images["reason"]) == ["test", "test"]
    assert "views" not in made.images


def test_some_rows_of_the_library_do_and_shares_are_still_of_the_whole(make_images):
    images = make_images(size_bytes=[100] * 10)

    made = plan(images.head(4), ["a"], max_fraction=0.1)

    assert made.refusals == []


@pytest.mark.parametrize(
    ("edited", "spared"),
    [
        pytest.param("2026-11-20", True, id="last week"),
        pytest.param("2026-08-25T15:00:00Z", True, id="just within 90 days"),
        pytest.param("2026-08-25T13:00:00Z", False, id="just before"),
        pytest.param("2027-01-01", True, id="by a clock ahead"),
        pytest.param("2020-01-01", False, id="when it was uploaded"),
        pytest.param(None, False, id="nobody knows"),
    ],
)
def test_what_was_edited_lately_is_spared_from_a_rule_but_not_when_named(
    make_images, edited, spared
):
    images = make_images(created_at=["2020-01-01"], updated_at=[edited])
    everything = pd.Series(True, images.index)

    by_rule, by_name, by_both = (
        plan(images, choice) for choice in (everything, ["a"], {"old": everything, "mine": ["a"]})
    )

    assert by_rule.spared["reason"].to_list() == ["edited in the last 90 days"] * spared
    assert list(by_name.images.index) == list(by_both.images.index) == ["a"]


def test_a_reason_is_kept_without_the_blanks_around_it(make_images):
    made = plan(make_images(), ["a"], reason=" too old \n")

    assert made.reason == made.images["reason"].iloc[0] == "too old"


# Caps


@settings(max_examples=200, deadline=None)
@given(n=st.integers(0, 1000), part=st.integers(0, 1000), percent=st.integers(0, 100))
def test_a_share_is_refused_exactly_when_it_is_larger(n, part, percent):
    part = min(part, n)
    facts = {"n_images": n, "size_bytes": n}

    found = Caps(None, None, percent / 100).breaches(part, part, facts)

    assert bool(found) is (100 * part > percent * n)
    assert len(found) in (0, 2)


@pytest.mark.parametrize(
    ("caps", "messages"),
    [
        pytest.param({"max_images": 3}, [], id="as many as allowed"),
        pytest.param({"max_images": 2}, ["3 images are more than max_images=2"], id="one more"),
        pytest.param({"max_images": 0}, ["3 images are more than max_images=0"], id="none allowed"),
        pytest.param({"max_bytes": 3000}, [], id="as many bytes as allowed"),
        pytest.param(
            {"max_bytes": "2.9 KB"}, ["2.9 KiB are more than max_bytes=2.8 KiB"], id="more bytes"
        ),
        pytest.param(
            {"max_bytes": 0}, ["2.9 KiB are more than max_bytes=0 B"], id="no bytes allowed"
        ),
        pytest.param({"max_fraction": 0.75}, [], id="as large a share as allowed"),
        pytest.param(
            {"max_fraction": 0.74},
            [
                "75 % of the images are more than max_fraction=0.74",
                "75 % of the bytes are more than max_fraction=0.74",
            ],
            id="a larger share",
        ),
    ],
)
def test_a_cap_is_broken_from_one_above(make_images, caps, messages):
    images = make_images(size_bytes=[1000] * 4)

    assert plan(images, ["a", "b", "c"], **caps).refusals == messages


@pytest.mark.parametrize(
    ("caps", "message"),
    [
        *(
            pytest.param(
                {"max_images": value},
                f"max_images={value!r} is not a whole number of images.",
                id=f"images {value}",
            )
            for value in (-1, 1.5, True, "5")
        ),
        *(
            pytest.param(
                {"max_fraction": value},
                f"max_fraction={value!r} is not a share between 0 and 1.",
                id=f"share {value}",
            )
            for value in (-0.1, 25, True, "25 %", None, float("nan"))
        ),
        pytest.param(
            {"max_bytes": "lots"},
            "max_bytes='lots' is not a size: give whole bytes, or text such as '5 GiB' (1024**3) or '5 GB' (1000**3).",
            id="bytes in words",
        ),
    ],
)
def test_a_cap_that_is_none_is_refused(make_images, caps, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plan(make_images(), ["a"], **caps)


# The file


def _leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield path


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_value_of_a_saved_plan_can_be_edited(make_images, tmp_path, data):
    images = make_images(tags=[("x",), (), None, ("keep",)])
    file = plan(images, images.index, protect="keep").save(tmp_path / "plan.json")
    document = json.loads(file.read_text())
    path = data.draw(st.sampled_from(list(_leaves(document))))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    old = inner[path[-1]]
    inner[path[-1]] = data.draw(
        st.sampled_from([None, 1, 0.5, "x", [], True, f"{old}x"]).filter(
            lambda new: new != old or type(new) is not type(old)
        )
    )
    file.write_text(json.dumps(document))

    with pytest.raises(PlanError, match=r"\.$"):
        read_plan(file)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_part_of_a_saved_plan_is_a_plan(make_images, tmp_path, data):
    file = plan(make_images(), ["a", "b"]).save(tmp_path / "plan.json")
    whole = file.read_bytes()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 3))])

    with pytest.raises(PlanError, match=r"save it again from the frame it came from\.$"):
        read_plan(file)


def test_a_plan_can_be_saved_read_and_saved_again(make_images, tmp_path):
    images = make_images(
        filename=["a\x1b", None, "=c", "d"],
        tags=[("x",), (), None, ("keep",)],
        size_bytes=[1, None, 3, 4],
    )
    made = plan(images, images.index, protect="keep", max_bytes="1 GiB", max_images=9)
    first = made.save(tmp_path / "one.json").read_bytes()

    again = read_plan(tmp_path / "one.json").save(tmp_path / "two.json").read_bytes()

    assert again == first


def test_a_plan_of_nothing_can_be_saved_and_read(make_images, tmp_path):
    made = plan(make_images(), [])

    back = read_plan(made.save(tmp_path / "plan.json"))

    assert_frame_equal(back.images, made.images)
    assert_frame_equal(back.spared, made.spared)
    assert back.confirmation == made.confirmation


# Drift


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_drift_is_found_in_each_compared_field_and_in_no_other(make_images, data):
    def draw():
        return {
            "size_bytes": [data.draw(st.sampled_from([None, 1, 2]))],
            "is_public": [data.draw(st.sampled_from([None, True, False]))],
            "updated_at": [data.draw(st.sampled_from([None, "2026-01-01", "2026-01-02"]))],
            "tags": [data.draw(st.sampled_from([None, (), ("a",), ("a", "b"), ("b", "a")]))],
            "filename": [data.draw(st.sampled_from([None, "x", "y"]))],
            "title": [data.draw(st.sampled_from([None, "x"]))],
        }

    old, new = draw(), draw()

    changes = drift(make_images(**old).iloc[0], make_images(**new).iloc[0])

    def same(name):
        one, other = old[name][0], new[name][0]
        if name == "tags" and one and other:
            return set(one) == set(other)
        return one == other

    words = {
        "size_bytes": "size",
        "updated_at": "update time",
        "is_public": "visibility",
        "tags": "tags",
    }
    expected = [word for name, word in words.items() if not same(name)]
    assert [change.split(" ")[0] for change in changes] == [word.split()[0] for word in expected]
    assert all("→" in change for change in changes)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            {"tags": [()]},
            {"tags": [("<b>\x1b", "x")]},
            "tags none → <b>\N{REPLACEMENT CHARACTER}, x",
        ),
        ({"tags": [None]}, {"tags": [()]}, "tags unknown → none"),
        ({"size_bytes": [1]}, {"size_bytes": [None]}, "size 1 → unknown"),
        ({"is_public": [True]}, {"is_public": [False]}, "visibility True → False"),
    ],
)
def test_drift_is_said_from_old_to_new(make_images, old, new, said):
    assert drift(make_images(**old).iloc[0], make_images(**new).iloc[0]) == [said]


# The preview


@pytest.mark.parametrize("n", [0, 1, 9, 10, 500])
def test_the_numbers_of_a_preview_add_up(make_images, n):
    total = n + 7
    images = make_images(
        size_bytes=[None if i % 5 == 4 else 2**20 for i in range(total)],
        is_public=[(True, False, None)[i % 3] for i in range(total)],
        mime_type=[("image/png", "image/svg+xml", None)[i % 3] for i in range(total)],
        created_at=[None if i % 7 == 6 else f"20{20 + i % 5}-05-01" for i in range(total)],
        updated_at=[None] * total,
    )
    made = plan(images, images.index[:n])

    text, page = repr(made), made._repr_html_()

    unsized = int(made.images["size_bytes"].isna().sum())
    public, private = (int((made.images["is_public"] == value).sum()) for value in (True, False))
    for shown in (text, page):
        assert f"{n - unsized}.0 MiB" in shown or n == unsized
        assert f"{n} of {total} images" in shown
        assert (f"{public} public, {private} private" in shown) is (n > 0)
    assert ("of unknown size" in text) is ("of unknown size" in page) is (unsized > 0)
    for head in ("uploaded", "type"):
        rows = re.search(rf">{head}</th>(.*?)</table>", page, re.DOTALL)
        counts = re.findall(r">([\d,]+)</td><td[^>]*>([\d.]+) (?:MiB|B)<", rows[1] if rows else "")
        assert sum(int(count) for count, _ in counts) == n
        assert sum(float(size) for _, size in counts) == n - unsized
    listed = re.findall(
        r"^     *(\w+)  +\S+\.png +[\d.]+ MiB|^     *(\w+)  +\S+ +unknown", text, re.MULTILINE
    )
    assert len(listed) == (n if n < 10 else 6)
    assert {one or other for one, other in listed} <= set(made.images.index)


def test_a_preview_repeats_itself(make_images):
    images = make_images(size_bytes=list(range(200)))
    made = plan(images, images.index[:50])

    assert repr(made) == repr(made)
    assert made._repr_html_() == made._repr_html_()


HOSTILE = [
    "<img src=x onerror=alert(1)>.png",
    "</pre><script>alert(1)</script>",
    "\x1b[2J\x1b]0;owned\x07",
    "photo\u202egnp.exe",
    '" onmouseover="alert(1)',
    "{{ 7 * 7 }}",
    "a\r\nForged line",
    "header<b>2014-05-05.png",
]


def test_hostile_text_is_dead_wherever_a_preview_shows_it(make_images):
    n = len(HOSTILE)
    images = make_images(
        id=[f"{i}{name}" for i, name in enumerate(HOSTILE)],
        filename=HOSTILE,
        mime_type=HOSTILE,
        tags=[(name,) for name in HOSTILE],
        size_bytes=[1] * n,
    )
    by_reason = {name: [one] for name, one in zip(HOSTILE, images.index, strict=True)}
    made = plan(images, by_reason, reason=HOSTILE[0], protect=HOSTILE[3])

    text, page = repr(made), made._repr_html_()

    for shown in (text, page):
        assert not set(shown) & set("\x1b\x07\r\u202e")
        assert not re.search(r"^Forged", shown, re.MULTILINE)
    assert not re.search(r"<(img|script|b)\b", page)
    assert "&lt;img src=x" in page
    assert "{{ 7 * 7 }}" in page
    assert '" onmouseover' not in page
