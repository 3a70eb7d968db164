"""The plan of a load, by itself and by simulated loads on a service in memory."""

import datetime as dt
import random

import pytest
from simulation import SHAPES, World, draw, simulate, times_of

from picora_analytics.library.load.planning import BrokenListing, PageRequest, Planner, Split
from picora_analytics.library.load.splitting import Pace, next_split
from picora_analytics.library.load.state import LoadState

NOON = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)
SLOW = Pace(round_trip=0.3, waiting=0.0, interval=0.1)


def at(days):
    return NOON - dt.timedelta(days)


def page(planner, chain, days, cursor, n_new=None):
    """Let a page come whose images were uploaded so many days ago."""
    ids = [str(one) for one in days]
    n_new = len(ids) if n_new is None else n_new
    return planner.took(chain, ids, [at(one) for one in days], cursor, n_new=n_new)


def spread(first, last, n=100):
    return [first + (last - first) * i / (n - 1) for i in range(n)]


# One chain


def test_a_load_begins_with_one_page_and_follows_its_cursor():
    planner = Planner()

    assert planner.requests() == [PageRequest(0, None, None)]
    assert planner.requests() == []  # It is under way.
    page(planner, 0, [1, 2], "next")
    assert planner.requests() == [PageRequest(0, "next", None)]
    page(planner, 0, [3], None)
    assert planner.requests() == [] and planner.done


@pytest.mark.parametrize(
    "pace",
    [
        pytest.param(Pace(None), id="nothing measured"),
        pytest.param(Pace(0.1, 0.0, 0.1), id="as fast as the limit"),
        pytest.param(Pace(0.3, 0.2, 0.1), id="the pacer makes requests wait"),
        pytest.param(Pace(0.015, 0.0, 0.0001), id="no limit and next to no way"),
    ],
)
def test_one_chain_stays_alone_where_more_would_not_be_faster(pace):
    planner = Planner()
    page(planner, 0, spread(0, 1), "next")

    assert next_split(planner, pace) is None
    assert next_split(planner, SLOW) is not None


def test_nothing_is_cut_where_less_than_2000_images_are_left():
    planner = Planner()
    planner.total = 2_099
    page(planner, 0, spread(0, 1), "next")
    planner.total = 2_000

    assert next_split(planner, SLOW) is None


# Cuts


def test_the_owner_stops_at_the_first_row_of_the_new_chain_wherever_the_days_begin():
    planner = Planner()
    page(planner, 0, spread(0, 2), "a")
    planner.split(Split(1, 0, at(4).date()))
    page(planner, 1, [4.2, 6], "b")  # The service's day began a little earlier than UTC's.

    page(planner, 0, [3, 4.1], "c")
    assert PageRequest(0, "c", None) in planner.requests()
    page(planner, 0, [4.15, 4.2], "d")

    assert [chain.done for chain in planner.chains] == [True, False]


def test_the_bound_moves_at_the_cut_and_not_when_the_new_chain_answers():
    planner = Planner()
    page(planner, 0, [1, 2], "a")
    planner.split(Split(1, 0, at(4).date()))
    page(planner, 0, [3, 5], "b")

    assert planner.requests() == [PageRequest(1, None, at(4).date())]


def test_an_empty_half_only_moves_the_boundary():
    planner = Planner()
    page(planner, 0, spread(0, 1), "a")
    first = next_split(planner, SLOW)
    planner.split(first)
    kept = planner.took(first.chain, [], [], None, n_new=0)
    second = next_split(planner, SLOW)

    assert not kept
    assert [chain.number for chain in planner.chains] == [0]
    assert second is None or second.end_date > first.end_date


def test_one_day_is_not_cut():
    planner = Planner()
    planner.total = 50_000
    page(planner, 0, spread(0, 0.01), "a")
    probe = next_split(planner, SLOW)
    planner.split(probe)
    planner.took(probe.chain, [], [], None, n_new=0)

    assert probe.end_date < at(0.01).date()
    while (cut := next_split(planner, SLOW)) is not None:
        assert cut.end_date < at(0.01).date()
        planner.split(cut)
        planner.took(cut.chain, [], [], None, n_new=0)


# Windows that are none


@pytest.mark.parametrize(
    "days",
    [
        pytest.param([0.0, 0.5], id="dates ignored"),
        pytest.param([5, 4], id="not newest first"),
    ],
)
def test_a_window_that_is_none_is_dropped_and_one_chain_does_it_all(days):
    planner = Planner()
    page(planner, 0, spread(0, 2), "a")
    planner.split(Split(1, 0, at(4).date()))

    assert not page(planner, 1, days, "b")
    assert planner.dropped == {1}
    assert planner.requests() == [PageRequest(0, "a", None)]
    assert next_split(planner, SLOW) is None


def test_refused_dates_leave_one_chain():
    planner = Planner()
    page(planner, 0, spread(0, 2), "a")
    planner.split(Split(1, 0, at(4).date()))

    assert planner.refused(PageRequest(1, None, at(4).date())) is None
    assert not planner.windows
    assert planner.requests() == [PageRequest(0, "a", None)]


def test_an_image_without_a_date_ends_windows():
    planner = Planner()
    page(planner, 0, spread(0, 2), "a")
    planner.split(Split(1, 0, at(4).date()))
    planner.took(0, ["x"], [None], "b", n_new=1)

    assert not planner.windows
    assert [chain.number for chain in planner.chains] == [0]


def test_an_image_that_a_window_should_have_listed_ends_windows():
    planner = Planner()
    page(planner, 0, spread(0, 2), "a")
    planner.split(Split(1, 0, at(4).date()))
    page(planner, 1, [5, 6, 7], "b")
    planner.took(0, ["hidden"], [at(5.5)], "c", n_new=1)

    assert [chain.number for chain in planner.chains] == [0]
    assert not planner.windows


# Cursors that expire


def test_an_expired_cursor_restarts_only_its_window_and_drops_nothing():
    planner = Planner()
    page(planner, 0, spread(0, 2), "a")
    planner.split(Split(1, 0, at(4).date()))
    page(planner, 1, [5, 6], "b")
    cut = planner.refused(PageRequest(1, "b", at(4).date()))
    planner.split(cut)

    assert cut == Split(2, 1, at(5).date(), restart=True)  # A day later than its last row.
    assert PageRequest(2, None, at(5).date()) in planner.requests()
    assert [chain.number for chain in planner.chains] == [0, 1, 2]


def test_cursors_that_keep_expiring_end_the_load():
    planner = Planner(windows=False)
    page(planner, 0, [1, 2], "a")
    number = 0
    for _ in range(3):
        cut = planner.refused(PageRequest(number, "a", None))
        planner.split(cut)
        number = cut.chain
        page(planner, number, [1, 2], f"a{number}", n_new=0)

    assert planner.refused(PageRequest(number, "a", None)) is None


def test_a_restart_may_read_again_all_that_was_read():
    planner = Planner(windows=False)
    for number in range(6):
        page(planner, 0, [number], f"p{number}")
    planner.split(planner.refused(PageRequest(0, "p5", None)))
    for number in range(6):
        page(planner, 1, [number], f"q{number}", n_new=0)
    for number in range(2):
        page(planner, 1, [5], f"r{number}", n_new=0)

    with pytest.raises(
        BrokenListing, match=r"^The listing turns in circles: pages .* claim more\.$"
    ):
        page(planner, 1, [5], "s", n_new=0)


# Whole loads, simulated


@pytest.mark.parametrize("part", range(4))
@pytest.mark.slow
def test_simulated_loads_are_complete_or_say_that_they_are_not(tmp_path, part):
    ends = []
    for seed in range(50_000 + part * 40, 50_040 + part * 40):
        world, options = draw(seed, most=3_000)
        outcome = simulate(world, tmp_path, **options)
        ends.append(outcome.complete)
        assert outcome.wrong == "", f"seed {seed}"

    assert sum(ends) > 0.9 * len(ends)


@pytest.mark.parametrize("seed", [33896, 39284])
@pytest.mark.slow
def test_one_chain_that_reads_all_again_is_not_taken_for_a_circle(seed, tmp_path):
    world, options = draw(seed)
    world.odd.clear()

    outcome = simulate(world, tmp_path, **options | {"jitter": 0.3})

    assert "circles" not in outcome.why


@pytest.mark.parametrize("seed", [70198, 86207, 86229])
@pytest.mark.slow
def test_rows_that_two_chains_read_stay_where_the_windows_are_dropped(seed, tmp_path):
    world, options = draw(seed)  # An image without a time is met while the chains share a seam.

    outcome = simulate(world, tmp_path, **options)

    assert (outcome.complete, outcome.wrong) == (True, "")


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [-12, 5.5, 14])
@pytest.mark.slow
def test_days_that_are_not_utc_days_lose_nothing(shape, shift):
    world = World(times_of(shape, 4_000, random.Random(3)), page_size=20, shift=shift)

    outcome = simulate(world, None, seed=3, trip=0.5)

    assert (outcome.complete, outcome.wrong) == (True, "")


class LateBound(Planner):
    """A planner whose owners stop at the midnight they guessed, not at the first row of the new chain."""

    def _close(self):
        for chain in self.chains:
            older = chain.older
            if older is not None and older.end_date and chain.last is not None:
                midnight = dt.datetime.combine(older.end_date, dt.time(), dt.UTC)
                chain.done = chain.done or chain.last < midnight + dt.timedelta(1)

    def _contradicts(self, chain, ids, times):
        return False


class NoHead(LoadState):
    """A reading that does not look at the newest page again."""

    def _take_page(self, number, listing):
        super()._take_page(number, listing)
        self.done = self.planner.done


@pytest.mark.slow
def test_the_simulation_catches_a_wrong_bound():
    def make():
        state = LoadState()
        state.planner = LateBound()
        return state

    found = [
        simulate(
            World(times_of("even", 4_000, random.Random(seed), 0.1), page_size=20, shift=9),
            None,
            seed=seed,
            trip=0.5,
            make=make,
        ).wrong
        for seed in range(3)
    ]

    assert any("lost" in one for one in found)


def test_the_simulation_catches_that_the_newest_page_is_not_read_again():
    changes = [(0.5 + i / 10, "upload") for i in range(20)]
    world = World(times_of("even", 600, random.Random(1)), page_size=20, changes=changes)

    good = simulate(world, None, seed=1, trip=0.2)
    world = World(times_of("even", 600, random.Random(1)), page_size=20, changes=changes)
    bad = simulate(world, None, seed=1, trip=0.2, make=NoHead)

    assert (good.complete, good.wrong) == (True, "")
    assert bad.complete
    assert "lost" in bad.wrong


def test_one_wrong_time_at_the_foot_of_a_page_ends_no_chain(tmp_path):
    world, options = draw(
        95721
    )  # It is older than the first row of the next chain, which is pages away.

    outcome = simulate(world, tmp_path, **options)

    assert (outcome.complete, outcome.wrong) == (True, "")
