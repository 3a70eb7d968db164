"""The pure decisions: caps, drift, protection, last copies, when to stop."""

import datetime as dt
import re

import pytest
from hypothesis import given, strategies as st

from picora_analytics import plan_deletion
from picora_analytics.cleanup.plan.guard import (
    Amount,
    Caps,
    ProtectedTags,
    State,
    Verdict,
    drift,
    hideable,
    last_duplicates,
    only_visibility,
    should_stop,
    states_of,
    verdicts,
)


def plan(images, choice, **options):
    return plan_deletion(images, choice, **{"reason": "test", "max_fraction": 1, **options})


@given(n=st.integers(0, 1000), part=st.integers(0, 1000), percent=st.integers(0, 100))
def test_a_share_is_refused_exactly_when_it_is_larger(n, part, percent):
    part = min(part, n)
    found = Caps(None, None, percent / 100).breaches(Amount(part, part), Amount(n, n))

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

    refusals = plan(images, ["a", "b", "c"], **caps).refusals

    assert refusals == messages
    assert {refusal.kind for refusal in refusals} <= {"cap"}


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


def test_an_image_of_unknown_size_may_be_larger_than_any_number_of_bytes_allowed():
    caps = Caps(None, 1000, 1.0)

    assert caps.breaches(Amount(2, 900, n_unsized=1), Amount(9, 9000)) == [
        "1 image of unknown size may be more than max_bytes=1000 B"
    ]
    assert caps.breaches(Amount(2, 900), Amount(9, 9000)) == []


def test_one_image_is_one_too_many():
    (refusal,) = Caps(0, None, 1.0).breaches(Amount(1, 900), Amount(9, 9000))

    assert refusal == "1 image is more than max_images=0"


def test_any_share_of_an_empty_library_is_too_much():
    assert len(Caps(None, None, 1.0).breaches(Amount(1, 1), Amount(0, 0))) == 2
    assert Caps(None, None, 0.0).breaches(Amount(0, 0), Amount(0, 0)) == []


NEW_YEAR = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STATE = State(
    filename="a.png",
    url="https://img.picora.com/a.png",
    mime_type="image/png",
    size_bytes=1,
    width=80,
    height=60,
    created_at=NEW_YEAR,
    updated_at=NEW_YEAR,
    is_public=True,
    tags=("x",),
    content_hash=None,
)
LATER = NEW_YEAR + dt.timedelta(days=1)
MOMENTS = st.sampled_from([None, NEW_YEAR, NEW_YEAR + dt.timedelta(microseconds=1)])
STATES = st.builds(
    State,
    filename=st.sampled_from([None, "a.png", "A.png"]),
    url=st.sampled_from(["https://img.picora.com/a.png", "https://img.picora.com/a.svg"]),
    mime_type=st.sampled_from([None, "image/png", "image/svg+xml"]),
    size_bytes=st.sampled_from([None, 0, 1, 2]),
    width=st.sampled_from([None, 80, 81]),
    height=st.sampled_from([None, 60, 61]),
    created_at=MOMENTS,
    updated_at=MOMENTS,
    is_public=st.sampled_from([None, True, False]),
    tags=st.sampled_from([None, (), ("a",), ("a", "b"), ("b", "a")]),
    content_hash=st.sampled_from([None, "X", "Y"]),
)
WORDS = {
    "filename": "name",
    "url": "address",
    "mime_type": "type",
    "size_bytes": "size",
    "width": "width",
    "height": "height",
    "created_at": "upload time",
    "updated_at": "update time",
    "is_public": "visibility",
    "tags": "tags",
    "content_hash": "hash",
    "title": "title",
}


@given(old=STATES, new=STATES)
def test_drift_is_found_in_each_field_a_plan_holds_and_in_no_other(old, new):
    differing = []
    for field, word in WORDS.items():
        before, now = getattr(old, field), getattr(new, field)
        if field == "tags" and before and now:
            before, now = set(before), set(now)
        # Only the change feed tells a hash, and not every answer a title: silence is no change.
        unknown = field == "content_hash" and None in (before, now)
        unknown |= field == "title" and not now
        differing += [word] if before != now and not unknown else []

    changes = drift(old, new)

    assert len(changes) == len(differing)
    for change, word in zip(changes, differing, strict=True):
        assert change.startswith(f"{word} ")
        assert " → " in change


@pytest.mark.parametrize("field", WORDS)
def test_a_change_of_any_one_field_keeps_an_image(field):
    other = {
        "tags": ("y",),
        "is_public": False,
        "created_at": NEW_YEAR.replace(year=2025),
        "updated_at": NEW_YEAR.replace(year=2027),
        "size_bytes": 2,
        "width": 81,
        "height": 61,
    }.get(field, "other")
    planned = STATE._replace(content_hash="X")

    found = verdicts({"a": planned}, {"a": planned._replace(**{field: other})}, (), {})

    assert found["a"].action == "kept"
    assert found["a"].reason.startswith(f"changed since the plan: {WORDS[field]} ")


@pytest.mark.parametrize(
    ("field", "old", "new", "said"),
    [
        ("tags", (), ("<b>\x1b", "x"), "tags none → <b>\N{REPLACEMENT CHARACTER}, x"),
        ("tags", None, (), "tags unknown → none"),
        ("size_bytes", 1, None, "size 1 → unknown"),
        ("is_public", True, False, "visibility True → False"),
        (
            "updated_at",
            NEW_YEAR,
            NEW_YEAR.replace(year=2027),
            "update time 2026-01-01T00:00:00+00:00 → 2027-01-01T00:00:00+00:00",
        ),
    ],
)
def test_drift_is_said_from_old_to_new(field, old, new, said):
    assert drift(STATE._replace(**{field: old}), STATE._replace(**{field: new})) == [said]


def test_a_row_of_a_frame_has_the_state_the_service_described(make_images):
    images = make_images(
        size_bytes=[5, None],
        is_public=[None, False],
        tags=[("t",), None],
        width=[None, 3],
        content_hash=["X", None],
    )
    states = states_of(images)
    rest = {
        name: states["a"]._asdict()[name]
        for name in ("filename", "url", "mime_type", "height", "created_at", "updated_at")
    }

    assert states["a"] == State(
        **rest, size_bytes=5, width=None, is_public=None, tags=("t",), content_hash="X"
    )
    assert (states["b"].size_bytes, states["b"].width) == (None, 3)
    assert (states["b"].is_public, states["b"].tags, states["b"].content_hash) == (
        False,
        None,
        None,
    )
    assert states["b"].created_at == NEW_YEAR


def test_the_port_of_a_demo_is_no_part_of_an_address(make_images):
    images = make_images(url=["http://127.0.0.1:81/a.png", "http://127.0.0.1:82/a.png"])

    here, there = states_of(images, demo=True).values()

    assert here.url == there.url == "/a.png"


@pytest.mark.parametrize(
    ("now", "tags", "copies", "expected"),
    [
        pytest.param({"a": STATE}, (), {}, ("delete", ""), id="as it was"),
        pytest.param({}, (), {}, ("already gone", ""), id="gone"),
        pytest.param({}, ("x",), {"a": "b"}, ("already gone", ""), id="gone, whatever else"),
        pytest.param(
            {"a": STATE}, ("w", "x"), {}, ("kept", "protected by the tag 'x'"), id="protected"
        ),
        pytest.param({"a": STATE}, ("xx",), {}, ("delete", ""), id="another tag is protected"),
        pytest.param(
            {"a": STATE},
            ("X ",),
            {},
            ("kept", "protected by the tag 'x', which is like 'X '"),
            id="a tag is protected in another spelling",
        ),
        pytest.param(
            {"a": STATE._replace(size_bytes=2)},
            (),
            {},
            ("kept", "changed since the plan: size 1 → 2"),
            id="changed",
        ),
        pytest.param(
            {"a": STATE._replace(tags=None)},
            ("x",),
            {},
            (
                "kept",
                "unknown: its tags, and a tag is protected; changed since the plan: tags x → unknown",
            ),
            id="nobody knows its tags",
        ),
        pytest.param(
            {"a": STATE},
            (),
            {"a": "b"},
            ("kept", "the copy that was to stay is gone, so this is the last one"),
            id="its copy is gone",
        ),
        pytest.param(
            {"a": STATE, "b": STATE._replace(size_bytes=2)},
            (),
            {"a": "b"},
            (
                "kept",
                "the copy that was to stay has another size by now, so this may be the last one",
            ),
            id="its copy is another file by now",
        ),
        pytest.param(
            {"a": STATE, "b": STATE._replace(width=81)},
            (),
            {"a": "b"},
            (
                "kept",
                "the copy that was to stay has other pixels by now, so this may be the last one",
            ),
            id="its copy has other pixels by now",
        ),
        pytest.param(
            {"a": STATE, "b": STATE._replace(tags=())},
            (),
            {"a": "b"},
            ("delete", ""),
            id="its copy is there, and edited",
        ),
    ],
)
def test_an_image_goes_only_if_nothing_speaks_for_it(now, tags, copies, expected):
    assert verdicts({"a": STATE}, now, tags, copies) == {"a": expected}


@given(
    planned=st.dictionaries(st.sampled_from("abcdef"), STATES),
    now=st.dictionaries(st.sampled_from("abcdef"), STATES),
    tags=st.sets(st.sampled_from("ab")),
)
def test_what_goes_is_there_unchanged_and_unprotected(planned, now, tags):
    found = verdicts(planned, now, tags, {})

    assert set(found) == set(planned)
    for one, (word, reason) in found.items():
        assert (word == "already gone") is (one not in now)
        assert (word == "kept") is bool(reason)
        if word == "delete":
            assert drift(planned[one], now[one]) == []
            assert not tags or (now[one].tags is not None and not tags & {*now[one].tags})


def test_without_protected_tags_unknown_tags_protect_nothing():
    assert ProtectedTags(()).why(None) == ""


CONTENTS = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from("XYZ"))
IDS = st.sets(st.sampled_from("abcdefgh"))


@pytest.mark.parametrize(
    ("changes", "safe"),
    [
        pytest.param({}, True, id="as it was"),
        pytest.param({"tags": ("new",), "updated_at": LATER}, True, id="tagged"),
        pytest.param({"filename": "new.png", "updated_at": LATER}, True, id="renamed"),
        pytest.param({"is_public": None, "updated_at": LATER}, False, id="hidden"),
        pytest.param({"updated_at": LATER}, False, id="changed, nobody knows how"),
        pytest.param({"url": "https://x/new.gif"}, False, id="another address"),
        pytest.param({"mime_type": "image/x-new"}, False, id="another type"),
        pytest.param({"created_at": LATER}, False, id="uploaded anew under its id"),
        pytest.param({"width": 12345}, False, id="other pixels"),
        pytest.param({"size_bytes": 12345}, False, id="another size"),
        pytest.param({"tags": ("new",), "mime_type": "image/x-new"}, False, id="both"),
    ],
)
def test_the_copy_that_stays_must_be_what_it_was(changes, safe):
    now = {"a": STATE, "b": STATE._replace(**changes)}

    found = verdicts({"a": STATE}, now, (), {"a": "b"}, {"b": STATE})

    assert found["a"].action == ("delete" if safe else "kept")
    assert safe or "the copy that was to stay" in found["a"].reason


@pytest.mark.parametrize(
    ("going", "planned", "now", "kept"),
    [
        (True, True, False, True),
        (True, True, None, True),
        (True, True, True, False),
        (True, False, False, False),
        (False, True, False, False),
    ],
)
def test_a_public_image_stays_where_its_copy_is_not_public_any_more(going, planned, now, kept):
    image = STATE._replace(is_public=going)
    stayed, stays = (STATE._replace(is_public=public) for public in (planned, now))

    found = verdicts({"a": image}, {"a": image, "b": stays}, (), {"a": "b"}, {"b": stayed})

    said = "the copy that was to stay is not public any more, and this one is"
    assert found["a"] == (Verdict("kept", said) if kept else Verdict("delete"))


@pytest.mark.parametrize(
    ("verdict", "public", "expected"),
    [
        (Verdict("delete"), True, Verdict("delete")),
        (Verdict("delete"), False, Verdict("kept", "private already")),
        (Verdict("delete"), None, Verdict("kept", "unknown: whether it is public")),
        (Verdict("kept", "protected"), False, Verdict("kept", "protected")),
        (Verdict("already gone"), None, Verdict("already gone")),
    ],
)
def test_only_what_is_public_is_hidden(verdict, public, expected):
    assert hideable(verdict, STATE._replace(is_public=public)) == expected
    assert hideable(Verdict("delete"), None) == Verdict("delete")


@pytest.mark.parametrize(
    ("changes", "alone"),
    [
        ({"is_public": False, "updated_at": LATER}, True),
        ({}, True),
        ({"is_public": False, "tags": ("new",)}, False),
        ({"size_bytes": 12345}, False),
    ],
)
def test_an_edit_of_the_visibility_alone_is_told_from_others(changes, alone):
    assert only_visibility(STATE, STATE._replace(**changes)) is alone


def test_what_an_older_plan_does_not_hold_of_the_copy_that_stays_is_not_compared():
    stayed = State._make(None for _ in State._fields)

    found = verdicts({"a": STATE}, {"a": STATE, "b": STATE}, (), {"a": "b"}, {"b": stayed})

    assert found["a"].action == "delete"


@given(contents=CONTENTS, taken=IDS, by_rule=IDS)
def test_one_image_of_each_content_always_survives_the_rules(contents, taken, by_rule):
    spared, duplicates = last_duplicates(contents, taken=taken, by_rule=by_rule)

    assert set(spared) <= taken & by_rule
    left = set(contents) - (taken - set(spared))
    for content in set(contents.values()):
        group = {one for one in contents if contents[one] == content}
        if len(group) > 1 and group & by_rule:
            assert group & left
        if len(group) == 1 or group - taken or not group & by_rule:
            assert not group & set(spared)
    for one, stays in duplicates.items():
        assert one in taken
        assert stays in left
        assert contents[one] == contents[stays]


def test_the_first_of_a_content_is_the_one_that_stays():
    contents = {"old": "X", "new": "X", "newest": "X"}

    spared, duplicates = last_duplicates(contents, taken=set(contents), by_rule=set(contents))

    assert list(spared) == ["old"]
    assert duplicates == {"new": "old", "newest": "old"}


@pytest.mark.parametrize(
    ("outcomes", "stops"),
    [
        pytest.param(["failed"] * 49, False, id="too few to tell"),
        pytest.param(["failed"] * 50, True, id="all of enough"),
        pytest.param(["unknown"] * 5 + ["deleted"] * 95, False, id="just one in twenty"),
        pytest.param(["unknown"] * 3 + ["failed"] * 3 + ["deleted"] * 94, True, id="one more"),
        pytest.param(["already gone"] * 60 + ["kept"] * 60, False, id="gone and kept are fine"),
        pytest.param([], False, id="nothing tried"),
    ],
)
def test_a_run_stops_when_too_large_a_share_goes_wrong(outcomes, stops):
    assert bool(should_stop(outcomes)) is stops


def test_a_stop_says_how_much_went_wrong():
    assert should_stop(["failed"] * 10 + ["deleted"] * 90) == (
        "10 of the 100 images tried failed or are unknown"
    )
