"""Two frames of one library: what came, what went, what changed."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from picora_analytics import SchemaError, compare_snapshots


def test_added_removed_and_changed_are_told_apart(make_images):
    old = make_images(id=["a", "b", "c"], size_bytes=[700, 300, None], tags=[("x",), (), None])
    new = make_images(id=["b", "c", "d"], size_bytes=[300, None, 50], tags=[("y",), None, ()])

    difference = compare_snapshots(old, new)

    assert list(difference.added.index) == ["d"]
    assert list(difference.removed.index) == ["a"]
    assert difference.changed["columns"].to_dict() == {"b": ("tags",)}
    assert difference.net_bytes == 350 - 1000
    assert repr(difference).startswith("1 added, 1 removed, 1 changed, 0 replaced, -650 B")


def test_unknown_tags_and_no_tags_are_different(make_images):
    difference = compare_snapshots(make_images(tags=[None]), make_images(tags=[()]))

    assert difference.changed["columns"].to_dict() == {"a": ("tags",)}


def test_the_order_of_tags_is_no_change(make_images):
    difference = compare_snapshots(make_images(tags=[("x", "y")]), make_images(tags=[("y", "x")]))

    assert not difference


def test_a_picture_uploaded_again_is_a_replacement(make_images):
    old = make_images(id=["a"], filename=["roof.png"])
    new = make_images(id=["b"], filename=["roof.png"])

    difference = compare_snapshots(old, new)

    assert difference.replaced.to_dict("records") == [{"old_id": "a", "new_id": "b"}]


def test_hostile_names_are_dead_in_the_text(make_images):
    old, new = make_images(tags=[]), make_images(filename=["a\x1b[31m\nb\u202e"])

    assert not re.search("[\x1b\u202e]", repr(compare_snapshots(old, new)))


@pytest.mark.parametrize(
    ("bend", "end"),
    [
        pytest.param(
            lambda frame: frame.attrs["picora"].update(status="partial"),
            "what it lacks would look removed.",
            id="partial",
        ),
        pytest.param(
            lambda frame: frame.attrs["picora"].update(scope="tag=x"),
            "what it lacks would look removed.",
            id="a tag",
        ),
        pytest.param(
            lambda frame: frame.attrs["picora"].update(n_images=9),
            "what it lacks would look removed.",
            id="a subset",
        ),
        pytest.param(
            lambda frame: frame.attrs.clear(), "that load_images made.", id="silent about itself"
        ),
        pytest.param(
            lambda frame: frame.attrs["picora"].update(account="fedcba9876543210"),
            "compare two frames of one library.",
            id="another account",
        ),
    ],
)
def test_frames_that_cannot_be_compared_are_refused(make_images, bend, end):
    old, new = make_images(), make_images()
    bend(old)

    with pytest.raises(SchemaError, match=f"{re.escape(end)}$"):
        compare_snapshots(old, new)


ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**9) | st.none(), max_size=8)


@settings(deadline=None, max_examples=40)
@given(before=ROWS, after=ROWS)
def test_the_books_balance(make_images, before, after):
    old, new = (
        make_images(id=list(rows), size_bytes=list(rows.values()), tags=[()] * len(rows))
        if rows
        else make_images(tags=[])
        for rows in (before, after)
    )

    difference = compare_snapshots(old, new)

    assert set(difference.added.index) == set(after) - set(before)
    assert set(difference.removed.index) == set(before) - set(after)
    assert set(difference.changed.index) == {
        one for one in set(before) & set(after) if before[one] != after[one]
    }
    assert difference.net_bytes == sum(v or 0 for v in after.values()) - sum(
        v or 0 for v in before.values()
    )


@settings(deadline=None, max_examples=40)
@given(rows=ROWS)
def test_a_library_compared_with_itself_has_not_changed(make_images, rows):
    frame = (
        make_images(id=list(rows), size_bytes=list(rows.values())) if rows else make_images(tags=[])
    )

    difference = compare_snapshots(frame, frame)

    assert not difference
    assert difference.net_bytes == 0
    assert isinstance(difference.added, pd.DataFrame)
