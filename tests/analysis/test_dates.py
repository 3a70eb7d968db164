"""Instants as people give them."""

import datetime as dt

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics.analysis.dates import instant


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("2026-01-31", id="text"),
        pytest.param(" 2026-01-31T00:00:00Z ", id="text with a zone"),
        pytest.param("2026-01-31T02:00+02:00", id="text of another zone"),
        pytest.param(dt.date(2026, 1, 31), id="date"),
        pytest.param(dt.datetime(2026, 1, 31), id="datetime without a zone"),
        pytest.param(pd.Timestamp("2026-01-31", tz="UTC"), id="Timestamp"),
        pytest.param(
            pd.Timestamp("2026-01-31T08:00", tz="Asia/Shanghai"), id="Timestamp elsewhere"
        ),
    ],
)
def test_an_instant_is_read_as_utc(given):
    assert instant(given, "date") == dt.datetime(2026, 1, 31, tzinfo=dt.UTC)


@pytest.mark.parametrize("given", ["", "now", "today", "31.01.2026", "2026-02-30", pd.NaT])
def test_what_is_no_date_is_named(given):
    with pytest.raises(ValueError, match=r"is not a date: give text such as .* or a datetime\.$"):
        instant(given, "date")


@pytest.mark.parametrize("given", [None, 20260131, 3.5, True])
def test_what_could_never_be_a_date_is_a_type_error(given):
    with pytest.raises(TypeError, match=r"is not a date: give text such as .* or a datetime\.$"):
        instant(given, "now")


@pytest.mark.parametrize("ask", [pic.summarize_ages, pic.forecast_storage])
@pytest.mark.parametrize("now", ["9999-12-31", "0001-01-01"])
def test_ages_are_not_counted_from_an_end_of_the_calendar(make_images, ask, now):
    with pytest.raises(ValueError, match=rf"^now='{now}' is too near an end of the calendar"):
        ask(make_images(), now=now)


def test_snapshots_that_are_no_frame_are_a_type_error(make_images):
    with pytest.raises(
        TypeError, match=r"^snapshots is a list; .*SnapshotStore\.totals\(\) gives\.$"
    ):
        pic.forecast_storage(make_images(), snapshots=[1])
