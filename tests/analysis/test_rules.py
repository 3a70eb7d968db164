"""Rules are three-valued: yes, no, or cannot tell."""

import re

import pandas as pd
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics import rules


def _values(mask):
    assert mask.dtype == "boolean"
    return [None if pd.isna(value) else bool(value) for value in mask]


@pytest.fixture
def images(make_images):
    return make_images(
        id=["new", "old", "undated", "edge"],
        created_at=["2026-11-01", "2020-01-01", None, "2026-11-13T14:00:00Z"],
        size_bytes=[10, 2_000_000, None, 1024],
        tags=[("keep", "x"), (), None, ("y",)],
        is_public=[True, False, None, True],
        width=[4000, 100, None, 2560],
        height=[100, 100, None, 2560],
        content_hash=["h", "h", None, "other"],
    )


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        # Loaded on 2026-11-23 at 14:00: the last is exactly ten days old, which is not more.
        pytest.param(lambda i: rules.older_than(i, 10), [True, True, None, False], id="older"),
        pytest.param(
            lambda i: rules.older_than(i, 10, now="2020-01-02"),
            [False, False, None, False],
            id="older, counted from another day",
        ),
        pytest.param(
            lambda i: rules.uploaded_before(i, "2026-11-01"),
            [False, True, None, False],
            id="before a day",
        ),
        pytest.param(
            lambda i: rules.larger_than(i, "1 KiB"), [False, True, None, False], id="larger"
        ),
        pytest.param(rules.untagged, [False, True, None, False], id="untagged"),
        pytest.param(
            lambda i: rules.tagged(i, "keep", "y"), [True, False, None, True], id="tagged"
        ),
        pytest.param(rules.private, [False, True, None, False], id="private"),
        pytest.param(rules.oversized, [True, False, None, False], id="oversized"),
        pytest.param(
            lambda i: rules.duplicated(i[["created_at", "content_hash"]]),
            [True, False, None, False],
            id="a copy of an older one",
        ),
    ],
)
def test_a_rule_answers_yes_no_or_cannot_tell(images, ask, answer):
    mask = ask(images)

    assert _values(mask) == answer
    assert mask.index.equals(images.index)


def test_silence_never_becomes_evidence(images):
    assert _values(~rules.tagged(images, "keep"))[2] is None
    assert _values(~(rules.untagged(images) & rules.older_than(images, 10)))[2] is None


def test_the_oldest_copy_is_the_one_that_stays(make_images):
    images = make_images(
        created_at=["2024-01-01", "2020-01-01", "2024-01-01"], content_hash=["h", "h", "h"]
    )

    assert _values(rules.duplicated(images)) == [True, False, True]


def test_rules_answer_for_an_empty_library(make_images):
    empty = make_images(tags=[])

    for ask in (rules.untagged, rules.private, rules.oversized, rules.duplicated):
        assert _values(ask(empty)) == []
    assert _values(rules.older_than(empty, 1)) == []
    assert _values(rules.tagged(empty, "any")) == []


@pytest.mark.parametrize(
    ("ask", "end"),
    [
        pytest.param(lambda i: rules.older_than(i, -1), "a number of days, 0 or more.", id="days"),
        pytest.param(
            lambda i: rules.older_than(i, True), "a number of days, 0 or more.", id="bool"
        ),
        pytest.param(lambda i: rules.older_than(i, 10**7), "give fewer.", id="too many days"),
        pytest.param(lambda i: rules.larger_than(i, "5 gigs"), "(1000**3).", id="size"),
        pytest.param(lambda i: rules.tagged(i), "tagged(images, 'keep').", id="no tag"),
        pytest.param(lambda i: rules.oversized(i, 0), "give whole pixels above 0.", id="edge"),
    ],
)
def test_a_wrong_value_is_named(images, ask, end):
    with pytest.raises(ValueError, match=f"{re.escape(end)}$"):
        ask(images)


def test_a_day_that_is_none_is_named_with_its_value(images):
    with pytest.raises(ValueError, match=r"^date='next week' is not a date: .*\.$"):
        rules.uploaded_before(images, "next week")


def test_a_mistyped_tag_names_the_nearest(images):
    with pytest.raises(ValueError, match=r"'kep'.*'keep'"):
        rules.tagged(images, "kep")


def test_an_age_needs_a_day_to_count_from(images):
    images.attrs.clear()

    with pytest.raises(pic.SchemaError, match=r"Pass it: now='2026-11-23'\.$"):
        rules.older_than(images, 10)


def test_a_missing_column_is_named(images):
    with pytest.raises(pic.SchemaError, match=r"^untagged needs the column 'tags'.*\.$"):
        rules.untagged(images.drop(columns="tags"))


@given(st.lists(st.none() | st.lists(st.sampled_from("ab"), max_size=2).map(tuple), max_size=8))
@pytest.mark.slow
def test_tagged_and_untagged_never_both_hold_and_are_silent_together(make_images, tags):
    images = make_images(tags=[*tags, ("a",)])

    none, some = rules.untagged(images), rules.tagged(images, "a")

    assert not (none & some).fillna(False).any()
    assert none.isna().equals(some.isna())
    assert none.isna().tolist() == [row is None for row in [*tags, ("a",)]]
