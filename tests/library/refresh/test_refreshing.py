"""A refresh gives what a full load would, with few requests, or makes way for a full load."""

import base64
import datetime as dt
import itertools
import random

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pandas.testing import assert_frame_equal

from picora_analytics import SnapshotStore, TransportError, load_images
from picora_analytics.demo import pictures
from picora_analytics.library.refresh import refreshing
from picora_analytics.library.snapshot_file import FeedPosition
from picora_analytics.progress import Silent

# The demo's own cursor for the very beginning.
START = base64.urlsafe_b64encode(b'{"ts": 0, "id": ""}').decode()
NUMBERS = itertools.count()


def load(client, store, **options):
    return load_images(client, **{"store": store, "progress": False, **options})


def without_hash(images):
    return images.drop(columns="content_hash")


def asked(server, since=0):
    return [seen.path for seen in server.requests[since:]]


def refreshed(images):
    return images.attrs["picora"]["checks"].get("refreshed")


def counts(images):
    return {name: refreshed(images)[name] for name in ("added", "edited", "deleted")}


def assert_whole(server, client, images):
    """Compare with a full load, hashes with the pictures themselves."""
    assert_frame_equal(without_hash(images), without_hash(load(client, None)))
    now = server.images
    assert images["content_hash"].to_dict() == {
        one: pictures.content_hash(now[one]) for one in images.index
    }
    facts = images.attrs["picora"]
    assert facts["status"] == "complete"
    assert facts["n_images"] == facts["total"] == len(now)
    assert facts["size_bytes"] == sum(image.size_bytes for image in now.values())


@pytest.fixture
def library(serve, tmp_path):
    """Give a demo of 130 images, its client, and a store that remembers it."""
    server, client = serve(130)
    load(client, tmp_path / "store")
    return server, client, tmp_path / "store"


@pytest.mark.slow
def test_nothing_changed_takes_two_requests_and_makes_no_second_version(library):
    server, client, store = library
    load(client, store)
    before = len(server.requests)

    images = load(client, store)

    assert asked(server, before) == ["/v1/sync/state", "/v1/user/me/usage"]
    assert counts(images) == {"added": 0, "edited": 0, "deleted": 0}
    assert len(SnapshotStore(store).versions()) == 1
    assert_whole(server, client, images)


class Steps(Silent):
    def __init__(self):
        self.steps = []

    def begin(self, step):
        self.steps.append(step)


@pytest.mark.parametrize("shape", ["current", "seed"])
def test_the_first_refresh_reads_hashes_and_calls_nothing_edited(serve, tmp_path, shape):
    """The older shape lists no update times; that no image has one is no edit of any."""
    server, client = serve(130, shape=shape)
    load(client, tmp_path)
    before, show = len(server.requests), Steps()

    images = load(client, tmp_path, progress=show)

    assert counts(images) == {"added": 0, "edited": 0, "deleted": 0}
    assert show.steps == ["Reading the hashes of all images, once"]
    assert asked(server, before) == ["/v1/sync/state", "/v1/user/me/usage"]
    assert images["content_hash"].notna().all()
    assert len(SnapshotStore(tmp_path).versions()) == 1

    server.advance(60)
    old = list(server.images)
    server.edit(old[3], tags=("another",))
    server.add(2)
    show.steps.clear()
    images = load(client, tmp_path, progress=show)
    assert counts(images) == {"added": 2, "edited": 1, "deleted": 0}
    assert show.steps == ["Reading changes", "Reading new uploads", "Reading what was edited"]
    assert images.loc[old[3], "tags"] == ("another",)


@pytest.mark.slow
def test_when_it_was_seen_last_is_remembered_though_nothing_changed(library):
    server, client, store = library
    server.advance(3600)

    images = load(client, store)

    remembered = load(client, store, refresh="never")
    assert remembered.attrs == images.attrs
    assert images.attrs["picora"]["loaded_at"] == "2026-11-23T15:00:00Z"


@pytest.mark.slow
def test_uploads_edits_and_deletions_of_others_are_seen(library):
    server, client, store = library
    old = list(server.images)
    added = server.add(3, tags=("new", "=hostile<b>"))
    server.edit(old[5], tags=["edited"], title="another", is_public=False)
    server.remove(old[9])

    images = load(client, store)

    assert counts(images) == {"added": 3, "edited": 1, "deleted": 1}
    assert set(images.index[:3]) == {image.id for image in added}
    assert images.loc[old[5], "tags"] == ("edited",)
    assert_whole(server, client, images)
    assert_frame_equal(load(client, store, refresh="never"), images)
    assert len(SnapshotStore(store).versions()) == 2


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), amounts=st.lists(st.integers(0, 30), min_size=9, max_size=9))
@pytest.mark.slow
def test_whatever_others_did_a_refresh_equals_a_full_load(library, seed, amounts):
    server, client, store = library
    chance = random.Random(seed)

    for add, edit, remove in zip(*[iter(amounts)] * 3, strict=True):
        steps = ["add"] * (add // 3) + ["edit"] * edit + ["remove"] * remove
        chance.shuffle(steps)
        for step in steps:
            ids = list(server.images)
            if step == "add":
                tags = chance.sample(["a", "b", "c"], chance.randint(0, 3))
                # One library for all examples: no id comes twice, and none in the order of the others.
                server.add(
                    1, id=f"n{next(NUMBERS) * 2_654_435_761 % 2**40:010x}", tags=tags, data=b"x"
                )
            elif ids and step == "edit":
                server.edit(chance.choice(ids), tags=[str(chance.random())], title="t")
            elif ids:
                server.remove(chance.choice(ids))

        images = load(client, store)

        assert refreshed(images)
        assert_whole(server, client, images)


@pytest.mark.slow
def test_a_library_of_several_feed_pages_is_walked_whole_once(serve, tmp_path):
    server, client = serve(1100)
    for image in server.images.values():  # Hashes of real pictures would take half a minute.
        server.edit(image.id, data=image.id.encode(), updated_at=image.updated_at)
    load(client, tmp_path)
    before = len(server.requests)

    load(client, tmp_path)
    first = asked(server, before)
    load(client, tmp_path)
    second = asked(server, before + len(first))

    assert first.count("/v1/sync/state") == 3
    assert second == ["/v1/sync/state", "/v1/user/me/usage"]


@pytest.mark.slow
def test_fifty_uploads_ten_edits_and_twenty_deletions_take_few_requests(serve, tmp_path):
    server, client = serve(1100)
    for image in server.images.values():
        server.edit(image.id, data=image.id.encode(), updated_at=image.updated_at)
    load(client, tmp_path)
    load(client, tmp_path)
    chance = random.Random(3)
    ids = chance.sample(list(server.images), 30)
    server.add(50, data=b"x")
    for one in ids[:10]:
        server.edit(one, tags=["edited"])
    for one in ids[10:]:
        server.remove(one)
    before = len(server.requests)

    images = load(client, tmp_path)

    assert len(asked(server, before)) <= 14  # And one in a new session, for whose key it is.
    assert counts(images) == {"added": 50, "edited": 10, "deleted": 20}
    assert_whole(server, client, images)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 422, 501])
@pytest.mark.slow
def test_without_a_feed_the_library_is_listed_anew(library, status):
    server, client, store = library
    server.edit(next(iter(server.images)), tags=["edited"])
    server.fail("GET", "/v1/sync/state", times=None, status=status)
    client._connection.waits.max_wait = 0.3

    images = load(client, store)

    assert refreshed(images) is None
    assert_frame_equal(images, load(client, None))


def test_a_server_of_the_two_oldest_calls_is_listed_anew(serve, tmp_path):
    server, client = serve(120, seed_only=True)
    load(client, tmp_path)
    server.remove(next(iter(server.images)))

    images = load(client, tmp_path)

    assert refreshed(images) is None
    assert len(images) == 119


@pytest.mark.parametrize(
    ("bend", "path"),
    [
        pytest.param(lambda data: {"changes": "none"}, "/v1/sync/state", id="no list of changes"),
        pytest.param(
            lambda data: {**data, "hasMore": True, "nextCursor": None},
            "/v1/sync/state",
            id="more without a cursor",
        ),
        pytest.param(
            lambda data: {**data, "hasMore": True, "nextCursor": START},
            "/v1/sync/state",
            id="a circle",
        ),
        pytest.param(
            lambda data: {**data, "changes": data["changes"][1:]},
            "/v1/sync/state",
            id="silent about an image",
        ),
        pytest.param(
            lambda data: {**data, "images": {"totalCount": 4}}, "/v1/user/me/usage", id="a count"
        ),
    ],
)
@pytest.mark.slow
def test_what_does_not_add_up_makes_way_for_a_full_load(library, bend, path):
    server, client, store = library
    server.fail(
        "GET", path, times=None, body=lambda answer: {**answer, "data": bend(answer["data"])}
    )

    images = load(client, store)

    assert refreshed(images) is None
    assert_frame_equal(images, load(client, None))


@pytest.mark.slow
def test_a_feed_without_an_end_makes_way_for_a_full_load(library):
    server, client, store = library
    numbers = itertools.count(1)

    def more(answer):
        cursor = base64.urlsafe_b64encode(b'{"ts": 0, "id": "%d"}' % next(numbers)).decode()
        answer["data"] |= {"hasMore": True, "nextCursor": cursor}
        return answer

    server.fail("GET", "/v1/sync/state", times=None, body=more)

    images = load(client, store)

    assert refreshed(images) is None
    assert next(numbers) < 60
    assert_frame_equal(images, load(client, None))


@pytest.mark.slow
def test_an_image_that_the_feed_knows_and_nobody_finds_makes_way_for_a_full_load(library):
    server, client, store = library
    load(client, store)
    ghost = {"op": "upsert", "type": "image", "id": "ghost", "updatedAt": "2026-11-23T14:00:00Z"}
    server.fail(
        "GET",
        "/v1/sync/state",
        times=None,
        body=lambda answer: (
            answer | {"data": answer["data"] | {"changes": [*answer["data"]["changes"], ghost]}}
        ),
    )

    images = load(client, store)

    assert refreshed(images) is None
    assert "ghost" not in images.index
    assert len(images) == 130
    # Not there, says a route that never answered: it may not exist, so it is not asked again.
    assert asked(server).count("/v1/images/ghost") == 1


@pytest.mark.slow
def test_an_image_deleted_while_it_was_to_be_read_again_is_gone(library):
    server, client, store = library
    load(client, store)
    by_age = sorted(server.images, key=lambda one: server.images[one].created_at)
    first, second = by_age[0], by_age[-1]  # Too far apart to be listed together.
    server.edit(first, title="one")
    server.edit(second, title="two")
    # The answer about the first comes late: by then the second is gone.
    server.fail("GET", f"/v1/images/{first}", body=lambda answer: server.remove(second) or answer)

    images = load(client, store)

    assert counts(images) == {"added": 0, "edited": 1, "deleted": 1}
    assert_whole(server, client, images)


@pytest.mark.slow
def test_an_answer_older_than_the_feed_is_not_taken_for_the_image_as_it_is(library):
    server, client, store = library
    load(client, store)
    one = next(iter(server.images))
    stale = {"title": "old", "updatedAt": "2020-01-01T00:00:00Z"}
    server.edit(one, title="new")
    server.fail(
        "GET", f"/v1/images/{one}", body=lambda answer: answer | {"data": answer["data"] | stale}
    )

    images = load(client, store)

    assert images.loc[one, "title"] == "new"
    assert_whole(server, client, images)


@pytest.mark.slow
def test_what_comes_while_a_refresh_runs_is_read_after_it(library):
    server, client, store = library
    load(client, store)
    server.add(1)
    server.fail("GET", "/v1/user/me/usage", body=lambda answer: server.add(2) and answer)
    server.fail("GET", "/v1/images", body=lambda answer: server.add(4) and answer)

    images = load(client, store)

    assert counts(images)["added"] == 7
    assert_whole(server, client, images)


@pytest.mark.slow
def test_without_a_count_the_feed_is_walked_until_it_is_silent(library):
    server, client, store = library
    server.fail("GET", "/v1/user/me/usage", times=None, status=403)
    load(client, store)
    server.add(1)
    server.fail("GET", "/v1/images", body=lambda answer: server.add(1) and answer)
    before = len(server.requests)

    images = load(client, store)

    assert asked(server, before).count("/v1/sync/state") == 3
    assert images.attrs["picora"]["total"] is None
    assert_frame_equal(without_hash(images), without_hash(load(client, None)))


@pytest.mark.slow
def test_a_service_that_does_not_count_is_asked_once(library):
    server, client, store = library
    server.fail("GET", "/v1/user/me/usage", times=None, status=404)
    load(client, store)
    server.add(1)
    before = len(server.requests)

    images = load(client, store)

    assert asked(server, before) == ["/v1/sync/state", "/v1/images", "/v1/sync/state"]
    assert counts(images)["added"] == 1


@pytest.mark.parametrize("clock", ["the service's", "this machine's"])
@pytest.mark.slow
def test_a_library_seen_over_29_days_ago_is_listed_anew(library, clock):
    server, client, store = library
    if clock == "the service's":
        server.advance(29 * 86_400)
    else:
        kept = SnapshotStore(store)
        images = kept.load()
        old = pd.Timestamp.now("UTC") - dt.timedelta(days=29)
        images.attrs["picora"]["read_at"] = old.isoformat()
        kept.save(images, version=kept.versions()[-1])

    assert refreshed(load(client, store)) is None
    assert refreshed(load(client, store))


def test_a_damaged_snapshot_makes_way_for_a_full_load(library):
    _server, client, store = library
    kept = SnapshotStore(store)
    (store / f"{kept.versions()[-1]}.parquet").write_bytes(b"")

    assert refreshing.refreshed(client, kept, Silent()) is None


def test_two_demos_do_not_share_what_is_remembered(serve):
    _, one = serve(20, seed=1)
    _, other = serve(20, seed=2)

    first, second = load(one, "default"), load(other, "default")

    assert set(first.index).isdisjoint(second.index)
    assert set(load(other, "default", refresh="never").index) == set(second.index)
    assert set(load(one, "default", refresh="never").index) == set(first.index)


@pytest.mark.parametrize(("run", "is_read_on"), [("this", True), ("another", False)])
@pytest.mark.slow
def test_a_cursor_is_read_on_in_the_run_of_the_demo_that_gave_it(library, run, is_read_on):
    _server, client, store = library
    kept = SnapshotStore(store)
    session = client.demo_session if run == "this" else "0123abcd"
    kept.save(kept.load(), feed=FeedPosition(START, session), version=kept.versions()[-1])

    images = load(client, store)

    assert bool(refreshed(images)) is is_read_on


def test_a_service_that_cannot_be_reached_is_an_error_and_nothing_is_forgotten(library):
    server, client, store = library
    kept = load(client, store, refresh="never")
    server.fail("GET", "/v1/sync/state", times=None, drop=True)
    client._connection.waits.max_wait = 0.3

    with pytest.raises(TransportError):
        load(client, store)

    assert_frame_equal(load(client, store, refresh="never"), kept)


def test_a_refresh_says_what_it_did_in_one_line(library):
    server, client, store = library
    server.remove(next(iter(server.images)))

    class Lines(list):
        update = wait = lambda self, *values: None
        finish = list.append

    said = Lines()
    load(client, store, progress=said)

    assert len(said) == 1
    assert said[0].startswith(
        "Up to date: 0 added, 0 edited, 1 deleted since 2026-11-23 14:00 UTC; "
        "129 images as counted by the service, "
    )
