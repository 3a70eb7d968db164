"""Nothing slow lies between the last look at an image and the request that deletes it, by any clock."""

import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.apply.freshness import AGE, PAUSE, Freshness, StaleError
from picora_analytics.cleanup.apply.ledger import Ledger
from picora_analytics.cleanup.apply.run import Run
from picora_analytics.client import changes
from picora_analytics.progress import progress_for

CLOCKS = ("monotonic", "wall", "boot", "service")


class Clocks:
    """Clocks that stand still until they are moved."""

    def __init__(self):
        self.now = dict.fromkeys(CLOCKS, 1e9)

    def __call__(self):
        return dict(self.now)

    def move(self, name, seconds):
        self.now[name] += seconds


@given(
    st.lists(
        st.tuples(st.sampled_from(CLOCKS), st.floats(-500, 500), st.booleans()),
        max_size=12,
    )
)
def test_a_look_is_too_old_after_a_pause_or_its_age_by_any_one_clock(moves):
    clocks = Clocks()
    freshness = Freshness(None, clocks=clocks)
    began = last = clocks()
    stale = False

    for name, seconds, carried_out in moves:
        clocks.move(name, seconds)
        stale |= any(abs(clocks.now[one] - last[one]) > PAUSE for one in CLOCKS)
        stale |= any(abs(clocks.now[one] - began[one]) > AGE for one in CLOCKS)
        if carried_out:
            freshness.done()
            last = clocks()
        assert freshness.check() is stale

    if stale:
        with pytest.raises(StaleError):
            freshness.require()
    freshness.renew(clocks())
    assert not freshness.check()


def test_refusals_do_not_keep_a_look_fresh():
    clocks = Clocks()
    freshness = Freshness(None, clocks=clocks)

    clocks.move("monotonic", 45)
    freshness.require()
    clocks.move("monotonic", 45)

    with pytest.raises(StaleError):
        freshness.require()


def test_a_connection_that_takes_long_to_be_made_is_not_sent_over_after_all():
    class NotNowError(Exception):
        pass

    asked = []

    def check():
        # Asked before connecting and once connected: the second time it is too late.
        asked.append(len(server.requests))
        if len(asked) == 2:
            raise NotNowError

    with (
        DemoServer(3, rate_scale=1000) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        with pytest.raises(NotNowError):
            changes.delete_batch(client, list(server.images), check)
        assert asked == [0, 0]
        assert server.requests == []

        found = changes.delete_one(client, next(iter(server.images)), check)
        assert found.word == "deleted"
        assert asked == [0, 0, 0, 0]


@pytest.mark.parametrize("name", CLOCKS)
def test_a_service_that_told_no_time_yet_is_no_clock(name):
    clocks = Clocks()
    del clocks.now["service"]
    freshness = Freshness(None, clocks=clocks)

    clocks.now["service"] = 5.0

    assert not freshness.check()


@pytest.fixture(params=[pytest.param(False, id="batches"), pytest.param(True, id="single calls")])
def server(request):
    with DemoServer(130, shape="seed", seed_only=request.param, rate_scale=1000) as made:
        yield made


@pytest.fixture
def client(server):
    with pic.Client(server.api_key, server.url) as made:
        yield made


class Hook:
    """A progress that does something once, at the first word of deleting or the first file."""

    def __init__(self, act, *, at="deleting request"):
        self._act, self._at = act, at

    def _do(self):
        act, self._act = self._act, None
        if act is not None:
            act()

    def update(self, done, total):
        """Act, if it is about updates."""
        if self._at == "update":
            self._do()

    def wait(self, reason):
        """Act, if it says what the hook waits for."""
        if self._at in reason:
            self._do()

    def finish(self, text):
        """Hear nothing."""


def run_of(plan, client, path, clocks, show=None):
    show = show or progress_for(False, "Deleting")
    ledger = Ledger(plan, path, None, None)
    freshness = Freshness(client, clocks=clocks)
    return ledger, Run(plan, client, ledger, show, lambda: False, freshness=freshness)


# Each of these is a reason to keep an image, and only a look can tell.
EDITS = {
    "a protected tag": {"tags": ["keep"]},
    "a protected tag in another spelling": {"tags": [" KEEP\u200b"]},
    "another name": {"filename": "logo-of-the-shop.svg"},
    "another visibility": {"is_public": False},
    "another size": {"size_bytes": 1},
    "other pixels": {"pixels": (4321, 99), "has_dimensions": True},
    "another type and address": {"extension": "gif"},
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("name", CLOCKS)
@pytest.mark.slow
def test_what_was_edited_while_the_machine_slept_is_kept(
    server, client, make_plan, tmp_path, name, edit
):
    server.edit(list(server.images)[-1], tags=["keep"])
    plan = make_plan(
        client, choice=lambda images: list(images.index[images["is_public"]][:5]), protect="keep"
    )
    late = plan.images.index[-1]
    clocks = Clocks()
    ledger, run = run_of(plan, client, tmp_path / "j.ndjson", clocks)

    run.look()
    clocks.move(name, 8 * 3600)
    server.edit(late, **edit)
    run.delete()

    assert ledger.outcomes[late][0] == "kept"
    assert late in server.images
    assert len(ledger.deleted) == len(plan.images) - 1 >= 3


@pytest.mark.parametrize("name", CLOCKS)
@pytest.mark.slow
def test_a_sleep_during_a_request_is_noticed_before_the_next(
    server, client, make_plan, tmp_path, name
):
    plan = make_plan(client, 120)
    late = plan.images.index[-1]
    clocks = Clocks()

    def sleep():
        clocks.move(name, 3600)
        server.edit(late, tags=["needed"])

    ledger, run = run_of(plan, client, tmp_path / "j.ndjson", clocks, Hook(sleep, at="update"))

    run.look()
    run.delete()

    assert ledger.outcomes[late][0] == "kept"
    assert len(ledger.deleted) == 119


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.slow
def test_what_was_edited_while_files_were_fetched_is_kept(make_plan, typed, tmp_path, edit):
    with (
        DemoServer(130, rate_scale=1000) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        server.edit(list(server.images)[-1], tags=["keep"])
        plan = make_plan(client, 6, protect="keep")
        late = plan.images.index[-1]
        hook = Hook(lambda: server.edit(late, **edit), at="update")

        receipt = plan.apply(client, typed(plan), backup=tmp_path / "kept", progress=hook)

        assert late in server.images
    assert receipt.counts == {"deleted": len(plan.images) - 1, "kept": 1}


def looks_before_deletes(server, before):
    """Tell of each deleting request whether anything was read since the one before."""
    found, looked = [], False
    for request in server.requests[before:]:
        if request.method == "DELETE":
            found.append(looked)
            looked = False
        looked |= request.method == "GET" and request.path.startswith("/v1/images")
    return found


@pytest.mark.slow
def test_the_run_of_its_own_requests_is_not_slow(server, client, make_plan, tmp_path):
    plan = make_plan(client, 110)
    before = len(server.requests)
    _, run = run_of(plan, client, tmp_path / "j.ndjson", Clocks())

    run.look()
    run.delete()

    looked = looks_before_deletes(server, before)
    assert looked[0] and not any(looked[1:])


@pytest.mark.slow
def test_a_request_that_had_to_wait_is_not_sent_before_another_look(
    server, client, make_plan, tmp_path
):
    plan = make_plan(client, 3)
    server.fail("DELETE", "/v1/*", status=429, headers={"Retry-After": "0"})
    before = len(server.requests)

    def clocks():
        waits = sum(request.status == 429 for request in server.requests)
        return dict.fromkeys(CLOCKS, 1e9 + 61.0 * waits)

    ledger, run = run_of(plan, client, tmp_path / "j.ndjson", clocks)
    run.look()
    run.delete()

    assert looks_before_deletes(server, before)[:2] == [True, True]
    assert len(ledger.deleted) == 3


@pytest.mark.slow
def test_a_service_that_makes_us_wait_each_time_is_left_alone(server, client, make_plan, tmp_path):
    plan = make_plan(client, 3)
    server.fail("DELETE", "/v1/*", times=None, status=429, headers={"Retry-After": "0"})

    def clocks():
        waits = sum(request.status == 429 for request in server.requests)
        return dict.fromkeys(CLOCKS, 1e9 + 61.0 * waits)

    ledger, run = run_of(plan, client, tmp_path / "j.ndjson", clocks)
    run.look()
    run.delete()

    assert (
        run.notes[0]
        == "stopped, because the service asked to wait again and again; the rest was not tried"
    )
    assert ledger.open_ids == list(plan.images.index)
    assert len(server.images) == 130


@pytest.mark.slow
def test_where_a_look_takes_longer_than_it_is_believed_each_batch_has_its_own(make_plan, tmp_path):
    with (
        DemoServer(600, rate_scale=1000) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        server.fail("DELETE", "/v1/media", times=None, status=404)
        plan = make_plan(client, 12)
        late = plan.images.index[-1]
        before = len(server.requests)

        def clocks():
            pages = sum(request.path == "/v1/images" for request in server.requests)
            return dict.fromkeys(CLOCKS, 1e9 + 15.0 * pages)

        hook = Hook(lambda: server.edit(late, tags=["needed"]), at="update")
        ledger, run = run_of(plan, client, tmp_path / "j.ndjson", clocks, hook)
        run.look()
        run.delete()

        assert ledger.outcomes[late][0] == "kept"
        assert len(ledger.deleted) == 11
        seen = server.requests[before:]
    for place, request in enumerate(seen):
        if request.method == "DELETE" and request.path != "/v1/media":
            own = [one.path for one in seen[place - 4 : place] if one.method == "GET"]
            assert request.path in own


@pytest.mark.slow
def test_what_is_edited_while_the_machine_sleeps_during_look_after_look_is_kept(
    client, server, make_plan, tmp_path
):
    plan = make_plan(client, 3)
    edited = plan.images.index[0]
    before = sum(request.path == "/v1/images" for request in server.requests)

    def clocks():
        # Two pages and the newest once more are a look; somebody edits when the fifth has ended.
        pages = sum(request.path == "/v1/images" for request in server.requests) - before
        if pages == 15 and server.images[edited].tags != ("keep",):
            server.edit(edited, tags=["keep"])
        return dict.fromkeys(CLOCKS, 1e9) | {"wall": 1e9 + 8 * 3600 * min(pages, 15)}

    ledger, run = run_of(plan, client, tmp_path / "j.ndjson", clocks)
    run.look()
    run.delete()

    assert [outcome for outcome, _ in ledger.outcomes.values()] == ["kept", "deleted", "deleted"]


@pytest.mark.slow
def test_a_library_that_shrinks_meanwhile_is_held_against_the_caps_again(
    server, client, make_plan, tmp_path
):
    plan = make_plan(client, 30, max_fraction=0.3)
    clocks = Clocks()
    _, run = run_of(plan, client, tmp_path / "j.ndjson", clocks)
    run.look()
    for one in list(server.images):
        if one not in plan.images.index and len(server.images) > 60:
            server.remove(one)
    clocks.move("wall", 3600)

    with pytest.raises(pic.UnsafePlanError, match=r"50 % of the images are more than"):
        run.delete()

    assert all(gone.by != "api" for gone in server.deleted)
