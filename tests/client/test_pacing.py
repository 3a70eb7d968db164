"""Pacing: never more than the limits allow, and no slower than they ask."""

import pytest
from hypothesis import given, strategies as st

from picora_analytics import load_images
from picora_analytics.client.pacing import Pacer


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def run(pacer, clock, n, tier="read"):
    """Start n requests as early as the pacer lets them; give when each started."""
    starts = []
    while len(starts) < n:
        wait = pacer.delay(tier)
        if wait == 0:
            starts.append(clock.now)
            pacer.lost(tier)  # It ends at once, and tells nothing.
        clock.now += wait
    return starts


def answer(limit=None, remaining=None, reset=None, prefix=""):
    named = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"{prefix}ratelimit-{k}": str(v) for k, v in named.items() if v is not None}


def per_second(starts):
    """Give the steady pace, the burst left out."""
    later = starts[len(starts) // 2 :]
    return (len(later) - 1) / (later[-1] - later[0])


def test_the_documented_pace_is_used_up_and_not_passed():
    clock = Clock()

    starts = run(Pacer(clock), clock, 300)

    assert 20 <= sum(start == 1000 for start in starts) <= 30
    assert 9.9 < per_second(starts) < 10


@given(
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=150),
    scale=st.sampled_from([0.1, 1, 10]),
    tier=st.sampled_from(["read", "mutation"]),
)
def test_no_window_ever_holds_more_than_the_burst_and_the_rate(gaps, scale, tier):
    per_minute, burst = {"read": (600, 30), "mutation": (120, 10)}[tier]
    clock = Clock()
    pacer = Pacer(clock)
    pacer.correct(tier, answer(round(per_minute * scale), 5, 30), wall=0)

    starts = []
    for gap in gaps:
        clock.now += gap if gap > 0.5 else 0
        starts += run(pacer, clock, 1, tier)

    rate = per_minute * scale / 60
    allowed = burst * min(scale, 1)
    for i, first in enumerate(starts):
        for j in range(i, len(starts)):
            assert j - i + 1 <= max(allowed, 1) + rate * (starts[j] - first) + 1e-6


def test_a_tenfold_account_is_read_tenfold():
    clock = Clock()
    pacer = Pacer(clock)
    pacer.correct("read", answer(6000, 5999, 59), wall=0)

    starts = run(pacer, clock, 6000)

    assert 99 < per_second(starts) < 100


def test_a_smaller_limit_slows_down_and_a_later_larger_one_speeds_up_again():
    clock = Clock()
    pacer = Pacer(clock)

    pacer.delay("read")
    pacer.correct("read", answer(60, 59, 59), wall=0)
    slow = run(pacer, clock, 20)
    pacer.correct("read", answer(600, 579, 39), wall=0)
    fast = run(pacer, clock, 200)

    assert sum(start == slow[0] for start in slow) <= 3
    assert 0.9 < per_second(slow) < 1
    assert 9.9 < per_second(fast) < 10


@pytest.mark.parametrize(
    ("headers", "wall"),
    [
        pytest.param(answer(600, 0, 20), 0, id="seconds"),
        pytest.param(
            answer(600, 0, 1_800_000_020), 1_800_000_000, id="Unix time by the server's clock"
        ),
        pytest.param(answer(600, 0, 20, prefix="x-"), 0, id="the older header names"),
        pytest.param(answer("600;w=60", 0, "20, 3600"), 0, id="with parameters"),
    ],
)
def test_an_empty_remainder_pauses_until_the_reset_and_allows_no_burst_then(headers, wall):
    clock = Clock()
    pacer = Pacer(clock)
    pacer.correct("read", headers, wall)

    starts = run(pacer, clock, 3)

    assert starts[0] == pytest.approx(1020)
    assert starts[2] - starts[0] == pytest.approx(0.2, abs=0.01)


def test_a_reset_in_the_past_is_no_pause():
    clock = Clock()
    pacer = Pacer(clock)
    pacer.correct("read", answer(600, 0, 1_700_000_000), wall=1_800_000_000)

    assert pacer.delay("read") == 0


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        pytest.param({}, 5000, id="the documented hour"),
        pytest.param(answer(5000, 4000, 3000), 5000, id="the documented hour, advertised"),
        pytest.param(answer(200, 150, 3000), 200, id="a smaller hour, known by its late reset"),
        pytest.param(answer(7000, 6000), 7000, id="a larger hour, known by its size"),
    ],
)
def test_an_hour_holds_no_more_than_its_ceiling(headers, allowed):
    clock = Clock()
    pacer = Pacer(clock)
    pacer.correct("read", headers, wall=0)

    starts = run(pacer, clock, allowed + 1)

    assert starts[allowed - 1] - starts[0] < 3600 <= starts[allowed] - starts[0]


def test_a_minute_that_resets_a_second_late_is_not_taken_for_an_hour():
    clock = Clock()
    pacer = Pacer(clock)
    pacer.correct("read", answer(600, 599, 61), wall=0)

    starts = run(pacer, clock, 1200)

    assert starts[-1] - starts[0] < 130


@pytest.mark.parametrize("limit", ["nan", "inf", "-5", "0", "1e400", "many", "", "9" * 500])
def test_a_limit_that_is_no_number_changes_nothing(limit):
    clock = Clock()
    pacer = Pacer(clock)
    pacer.correct("read", answer(limit, "nan", "inf"), wall=0)

    assert 9.9 < per_second(run(pacer, clock, 300)) < 10


def test_before_the_first_answer_one_request_goes_alone():
    clock = Clock()
    pacer = Pacer(clock)

    first, second = pacer.delay("read"), pacer.delay("read")
    pacer.correct("read", answer(600, 599, 60), wall=0)
    third = pacer.delay("read")

    assert first == 0 < second
    assert third == 0


def test_an_answer_without_headers_is_an_answer():
    clock = Clock()
    pacer = Pacer(clock)
    pacer.delay("read")

    pacer.correct("read", {}, wall=0)

    assert [pacer.delay("read") for _ in range(3)] == [0, 0, 0]


def test_a_unix_reset_of_an_answer_without_a_date_is_no_pause():
    pacer = Pacer(Clock())

    pacer.correct("read", answer(600, 0, 1_800_000_020), wall=None)

    assert pacer.delay("read") == 0


def test_a_header_that_is_no_number_leaves_the_word_to_the_other_family():
    clock = Clock()
    pacer = Pacer(clock)

    pacer.correct("read", answer("x", "", "soon") | answer(6000, 5999, 59, prefix="x-"), wall=0)

    assert 99 < per_second(run(pacer, clock, 600)) < 100


def test_an_hour_used_up_by_others_stops_every_tier():
    pacer = Pacer(Clock())

    pacer.correct("read", answer(5000, 0, 1800), wall=0)

    assert [pacer.delay(tier) for tier in ("read", "mutation", "upload")] == [1800] * 3


@pytest.mark.parametrize(("tier", "burst"), [("read", 30), ("mutation", 10), ("upload", 5)])
def test_after_a_sleep_no_more_than_the_burst_goes_out_at_once(tier, burst):
    clock = Clock()
    pacer = Pacer(clock)
    run(pacer, clock, 50, tier)
    clock.now += 3600

    starts = run(pacer, clock, 50, tier)

    assert sum(start - starts[0] < 1e-6 for start in starts) == burst - 2


def test_after_a_refusal_the_pace_is_halved_and_grows_back_within_two_minutes():
    clock = Clock()
    pacer = Pacer(clock)
    run(pacer, clock, 100)
    refused_at = clock.now
    pacer.refuse("read", 5)
    pacer.refuse("read", 5)  # Of the same moment: another thread's.

    starts = [start - refused_at for start in run(pacer, clock, 1500)]

    assert 5 <= starts[0] < 5.5
    assert 45 <= sum(5 <= start < 15 for start in starts) <= 60
    assert sum(115 <= start < 125 for start in starts) >= 90


def test_many_refusals_slow_down_to_a_tenth_and_that_grows_back_as_well():
    clock = Clock()
    pacer = Pacer(clock)
    for _ in range(20):
        run(pacer, clock, 1)
        pacer.refuse("read", 1)
    refused_at = clock.now

    starts = [start - refused_at for start in run(pacer, clock, 1500)]

    assert 8 <= sum(start < 10 for start in starts) <= 18
    assert sum(115 <= start < 125 for start in starts) >= 90


def test_a_refusal_stops_its_own_tier_only():
    clock = Clock()
    pacer = Pacer(clock)
    pacer.refuse("read", 7)

    assert pacer.delay("read") == pytest.approx(7)
    assert pacer.delay("mutation") == 0


@pytest.mark.parametrize(
    ("n_images", "scale"),
    [
        pytest.param(6500, 2.0, id="65 pages at twice the limits"),
        pytest.param(500, 0.1, id="5 pages at a tenth of them"),
    ],
)
@pytest.mark.slow
def test_a_real_load_is_never_refused(serve, n_images, scale):
    server, client = serve(n_images, rate_scale=scale, max_wait=60)

    images = load_images(client, store=None, progress=False)

    assert len(images) == n_images
    assert [seen for seen in server.requests if seen.status == 429] == []
