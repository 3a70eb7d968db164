"""Edited images are read again with the fewest requests, and none is left out."""

import datetime as dt

import pytest
from hypothesis import given, strategies as st

from picora_analytics.library.refresh.edits import plan_edits

DAY = dt.date(2026, 3, 1)


def day(n):
    return DAY + dt.timedelta(days=n)


def test_a_few_edits_are_read_one_by_one():
    uploads = {day(n): 90 for n in range(400)}

    assert plan_edits({"a": day(3), "b": day(300)}, uploads) == (["a", "b"], [])


def test_many_edits_of_a_few_days_are_listed_a_day_wider():
    uploads = {day(n): 90 for n in range(400)}
    edited = {str(n): day(100 + n % 2) for n in range(20)}

    # Four days of 90 images are four pages.
    assert plan_edits(edited, uploads) == ([], [(day(99), day(102), 4)])


def test_many_edits_all_over_the_years_are_one_listing():
    uploads = {day(10 * n): 1 for n in range(50)}

    singles, windows = plan_edits({str(n): day(10 * n) for n in range(50)}, uploads)

    assert (singles, windows) == ([], [(day(-1), day(491), 1)])


def test_an_edit_without_an_upload_time_is_read_by_itself():
    assert plan_edits({"a": None}, {}) == (["a"], [])
    assert plan_edits({}, {}) == ([], [])


@given(
    edits=st.dictionaries(st.text(max_size=3), st.none() | st.integers(0, 60).map(day)),
    uploads=st.dictionaries(st.integers(-5, 65).map(day), st.integers(1, 300)),
)
@pytest.mark.slow
def test_each_edit_is_read_and_no_plan_takes_more_than_one_by_one(edits, uploads):
    singles, windows = plan_edits(edits, uploads)

    for one, uploaded in edits.items():
        widened = uploaded is not None and any(
            first < uploaded < last for first, last, _ in windows
        )
        assert (one in singles) or widened
    assert len(set(singles)) == len(singles)
    assert len(singles) + sum(n_pages for _, _, n_pages in windows) <= len(edits)
    for first, last, n_pages in windows:
        n_images = sum(n for when, n in uploads.items() if first <= when <= last)
        assert 100 * (n_pages - 1) < max(n_images, 1) <= 100 * n_pages
