"""A content hash in capitals is the same hash; what is not hexadecimal keeps its case: two files never become one."""

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics.library.frame import spelled_one_way

HEX = st.text("0123456789abcdefABCDEF", min_size=1, max_size=70)


@given(hashes=st.lists(HEX | st.none()))
def test_hexadecimal_is_spelled_in_lower_case(hashes):
    lower = [None if one is None else one.lower() for one in hashes]
    column = pa.chunked_array([pa.array(hashes, pa.string())])

    assert spelled_one_way(column).to_pylist() == lower
    series = spelled_one_way(pd.Series(hashes, dtype=object, name="content_hash"))
    assert [None if pd.isna(one) else one for one in series] == lower
    assert series.name == "content_hash"


@pytest.mark.parametrize("text", ["sha256-AbC=", "AbCg", "", "AB CD", "Ａ"])
def test_anything_else_stays_as_it_is(text):
    assert spelled_one_way(pa.chunked_array([[text]])).to_pylist() == [text]


def test_nothing_told_stays_untold():
    untold = pd.Series([None, None], ["a", "b"], dtype=float)

    assert spelled_one_way(untold) is untold


def test_duplicates_are_found_and_their_last_copy_is_spared_in_any_case(make_images):
    images = make_images(
        id=["a", "b", "c", "d"],
        content_hash=["ABC1", "abc1", "aBC1", "ff"],
        created_at=["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"],
    )

    found = pic.rules.duplicated(images)
    plan = pic.plan_deletion(images, images["content_hash"] != "ff", reason="x", max_fraction=1)

    assert found.tolist() == [False, True, True, False]
    assert len(plan.images) == 2
    assert len(plan.spared) == 1
