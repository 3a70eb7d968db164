"""Pacing in simulated time: alone, with threads, and with other programs on the same key."""

import heapq
import itertools
import math
import random

import pytest
from hypothesis import given, settings, strategies as st

from picora_analytics.client.pacing import Pacer

RATE, BURST, MINUTE = 10.0, 30, 60.0


class Bucket:
    """A service whose tier is a bucket, and whose headers count the minute (as the demo's)."""

    def __init__(self):
        self.tokens, self.at = float(BURST), 0.0
        self.began, self.used = -math.inf, 0

    def ask(self, now):
        """Give the Retry-After of a refusal, or the headers of an answer."""
        self.tokens, self.at = min(BURST, self.tokens + (now - self.at) * RATE), now
        if now - self.began >= MINUTE:
            self.began, self.used = now, 0
        if self.tokens < 1:
            return math.ceil((1 - self.tokens) / RATE), {}
        self.tokens -= 1
        return None, self._headers(now)

    def _headers(self, now):
        self.used += 1
        return {
            "ratelimit-limit": f"{RATE * MINUTE:.0f}",
            "ratelimit-remaining": f"{max(0, RATE * MINUTE - self.used):.0f}",
            "ratelimit-reset": f"{math.ceil(MINUTE - (now - self.began))}",
        }


class FixedWindow(Bucket):
    """A service that allows so many a minute, and begins to count anew with the next one."""

    def ask(self, now):
        if now - self.began >= MINUTE:
            self.began, self.used = now, 0
        if self.used >= RATE * MINUTE:
            return math.ceil(MINUTE - (now - self.began)), {}
        return None, self._headers(now)


class SlidingWindow(Bucket):
    """A service that looks back a minute from each request."""

    def __init__(self):
        self.log = []

    def ask(self, now):
        self.log = [moment for moment in self.log if moment > now - MINUTE]
        if len(self.log) >= RATE * MINUTE:
            return math.ceil(self.log[0] + MINUTE - now), {}
        self.log.append(now)
        self.began, self.used = self.log[0], len(self.log) - 1
        return None, self._headers(now)


class Program:
    """A load of so many requests by so many threads, each waiting for its answer; with a pacer of its own."""

    def __init__(self, n, *, threads=1, rtt=0.05, start=0.0):
        self.n, self.threads, self.rtt, self.start = n, threads, rtt, start
        self.sent = self.done = self.refused = 0
        self.answered_at = []


def simulate(service, *programs, seed=0):
    """Run programs against a service; give the moments at which it was asked."""
    chance, number, queue, asked, now = random.Random(seed), itertools.count(), [], [], 0.0

    def later(moment, step, program, *told):
        heapq.heappush(queue, (moment, next(number), step, program, told))

    def way(program):
        return program.rtt / 2 * chance.uniform(0.7, 1.3)

    for program in programs:
        program.pacer = Pacer(lambda: now)
        for _ in range(program.threads):
            later(program.start, "want", program)
    while queue:
        now, _, step, program, told = heapq.heappop(queue)
        if step == "want" and program.sent < program.n:
            wait = program.pacer.delay("read")
            program.sent += wait == 0
            if wait > 0:
                later(now + min(wait, 0.2), "want", program)
            else:
                later(now + way(program), "arrive", program)
        elif step == "arrive":
            asked.append(now)
            later(now + way(program), "answer", program, *service.ask(now))
        elif step == "answer":
            refused, headers = told
            if refused is not None:
                program.sent, program.refused = program.sent - 1, program.refused + 1
                program.pacer.lost("read")
                program.pacer.refuse("read", refused)
            else:
                program.done += 1
                program.answered_at.append(now)
                program.pacer.correct("read", headers, wall=0.0)
            later(now, "want", program)
    return asked


def most_in_a_minute(moments):
    moments = sorted(moments)
    return max(
        sum(first <= moment < first + MINUTE for moment in moments[i : i + 800])
        for i, first in enumerate(moments)
    )


@pytest.mark.parametrize("service", [Bucket, FixedWindow])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    n=st.integers(300, 1000),
    rtt=st.sampled_from([0.01, 0.05]),
    threads=st.sampled_from([1, 8]),
    seed=st.integers(0, 99),
)
@pytest.mark.slow
def test_a_load_alone_is_never_refused_and_ends_within_three_percent_of_the_floor(
    service, n, rtt, threads, seed
):
    load = Program(n, rtt=rtt, threads=threads)

    simulate(service(), load, seed=seed)

    # The headers speak of 600 a minute; who believes them asks for the 601st in the next one.
    minutes, rest = divmod(n - 1, RATE * MINUTE)
    floor = max((n - BURST) / RATE, MINUTE * minutes + min(rest, BURST) * rtt / threads)
    assert (load.done, load.refused) == (n, 0)
    assert load.answered_at[-1] <= floor * 1.03 + 0.5


@settings(max_examples=8, deadline=None, derandomize=True)
@given(rtt=st.sampled_from([0.2, 0.5]), seed=st.integers(0, 99))
@pytest.mark.slow
def test_eight_threads_far_away_are_never_refused_although_requests_overtake(rtt, seed):
    load = Program(600, rtt=rtt, threads=8)

    simulate(Bucket(), load, seed=seed)

    assert (load.done, load.refused) == (600, 0)
    assert load.answered_at[-1] <= (600 - BURST) / RATE * 1.05


@settings(max_examples=8, deadline=None, derandomize=True)
@given(rtt=st.sampled_from([0.01, 0.05]), threads=st.sampled_from([1, 4]), seed=st.integers(0, 99))
@pytest.mark.slow
def test_a_minute_that_slides_is_kept_as_well(rtt, threads, seed):
    load = Program(900, rtt=rtt, threads=threads)

    asked = simulate(SlidingWindow(), load, seed=seed)

    assert (load.done, load.refused) == (900, 0)
    assert most_in_a_minute(asked) <= RATE * MINUTE
    assert load.answered_at[-1] <= (900 - BURST) / RATE * 1.10


@pytest.mark.parametrize("service", [Bucket, FixedWindow])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    start=st.floats(0, 70),
    second=st.integers(50, 500),
    rtt=st.sampled_from([0.01, 0.05]),
    seed=st.integers(0, 99),
)
@pytest.mark.slow
def test_two_loads_on_one_key_stay_inside_the_limit_and_both_complete(
    service, start, second, rtt, seed
):
    loads = Program(800, rtt=rtt), Program(second, rtt=rtt, start=start)

    asked = simulate(service(), *loads, seed=seed)

    assert [load.done for load in loads] == [800, second]
    # Who begins in a minute that is used up already cannot know before it has asked.
    assert sum(load.refused for load in loads) <= (service is FixedWindow)
    assert most_in_a_minute(asked) <= RATE * MINUTE + BURST
    last = max(load.answered_at[-1] for load in loads)
    assert last <= max((800 + second) / RATE * 1.05, start + second / RATE * 2 + 5)


def test_two_loads_share_alike_and_who_is_left_has_the_whole_pace_again():
    first, second = Program(1500), Program(400, start=40.0)

    simulate(Bucket(), first, second)

    end = second.answered_at[-1]
    during = sum(50 <= moment < end for moment in first.answered_at)
    beside = sum(50 <= moment < end for moment in second.answered_at)
    after = sum(end + 5 <= moment < end + 25 for moment in first.answered_at)
    assert 0.6 < during / beside < 1.6
    assert after >= 0.95 * 20 * RATE


def test_three_loads_on_one_key_complete_without_a_refusal():
    loads = [Program(400, start=start) for start in (0.0, 10.0, 20.0)]

    simulate(Bucket(), *loads)

    assert [(load.done, load.refused) for load in loads] == [(400, 0)] * 3
    assert max(load.answered_at[-1] for load in loads) <= (1200 - BURST) / RATE * 1.05


def test_a_program_that_starts_where_little_is_left_does_not_spend_a_burst():
    others = Bucket()
    for _ in range(30):
        others.ask(0.0)
    load = Program(20, start=0.1, rtt=0.01, threads=8)

    simulate(others, load)

    assert load.refused == 0
