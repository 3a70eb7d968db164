"""Whole columns say the same as cell by cell."""

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from picora_analytics.cleanup.plan.columns import among, cells, iso_texts

MOMENTS = st.none() | st.datetimes(
    dt.datetime(1680, 1, 1), dt.datetime(2260, 1, 1), timezones=st.just(dt.UTC)
)


@given(st.lists(MOMENTS | MOMENTS.map(lambda m: m and m.replace(microsecond=0)), max_size=9))
def test_instants_are_written_as_python_writes_them(moments):
    column = pd.Series(moments, dtype="datetime64[us, UTC]")

    assert iso_texts(column) == [None if m is None else m.isoformat() for m in moments]
    assert cells(column) == moments


@given(st.lists(st.text(), unique=True, max_size=9), st.lists(st.text(), max_size=9))
@pytest.mark.parametrize("dtype", ["str", "object"])
@pytest.mark.slow
def test_wanted_ids_are_found(dtype, ids, wanted):
    index = pd.Index(ids, dtype=dtype)

    assert among(index, wanted).tolist() == [one in wanted for one in ids]
    assert among(index, pd.Index(wanted, dtype=dtype)).tolist() == [one in wanted for one in ids]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pd.Series([1, None, 3], dtype="Int64"), [1, None, 3]),
        (pd.Series([True, None], dtype="boolean"), [True, None]),
        (pd.Series(["a", None], dtype="str"), ["a", None]),
        (pd.Series([("x",), None, ()], dtype=object), [("x",), None, ()]),
        (pd.Index(["a", "b"]), ["a", "b"]),
    ],
)
def test_cells_are_plain_values(column, values):
    found = cells(column)

    assert found == values
    assert [type(one) for one in found] == [type(one) for one in values]
