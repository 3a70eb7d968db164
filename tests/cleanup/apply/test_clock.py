"""Where this machine's clock is not the service's, no date is believed and nothing is deleted."""

import datetime as dt
from email.utils import format_datetime

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer, PlanError
from picora_analytics.times import now


@pytest.mark.parametrize(
    ("off", "right"),
    [
        pytest.param(dt.timedelta(0), True, id="none"),
        pytest.param(dt.timedelta(hours=23), True, id="hours ahead"),
        pytest.param(dt.timedelta(hours=-23), True, id="hours behind"),
        pytest.param(dt.timedelta(days=21), False, id="weeks ahead"),
        pytest.param(dt.timedelta(days=-400), False, id="a year behind"),
    ],
)
def test_a_clock_over_a_day_off_deletes_nothing_and_both_times_are_named(
    make_plan, typed, off, right
):
    date = now().replace(microsecond=0) + off
    head = {"Server": "other", "Date": format_datetime(date, usegmt=True)}
    with (
        DemoServer(30, rate_scale=1000) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        for method in ("GET", "DELETE"):
            server.fail(method, "/v1/*", times=None, headers=head)
        plan = make_plan(client, 2)

        rehearsed = plan.dry_run(client)
        if right:
            receipt = plan.apply(client, typed(plan), backup=None, progress=False)
        else:
            with pytest.raises(PlanError) as refused:
                plan.apply(client, typed(plan), backup=None, progress=False)
        gone = len(server.deleted)

    assert set(rehearsed.counts) == ({"would delete"} if right else {"kept"})
    if right:
        assert receipt.counts == {"deleted": 2}
    else:
        assert f"the service's {date:%Y-%m-%d %H:%M} UTC" in str(refused.value)
        assert f"this machine's clock says {now():%Y-%m-%d}" in str(refused.value)
        assert gone == 0
