"""Private pictures: a signed address for each, sparingly, and none where the key may not sign."""

import threading

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.pictures import signing
from picora_analytics.pictures.signing import Signing
from picora_analytics.pictures.thumbnails import MAX_BYTES, Thumbnails
from picora_analytics.widgets.gallery.loading import Loader, Wanted


@pytest.fixture(scope="module")
def library():
    with DemoServer(n_images=60) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        yield server, client, images[~images["is_public"] & (images["size_bytes"] < 2**20)]


def _signed(server):
    return [one for one in server.requests if one.path.endswith("/sign")]


def _wanted():
    return False


def test_a_private_picture_comes_small_and_its_address_is_asked_for_once(library):
    server, client, private = library
    large = private[private["size_bytes"] > MAX_BYTES].head(1)
    thumbnails = Thumbnails(demo=True, sign=Signing(client))
    n = len(_signed(server))

    with thumbnails.web() as web:
        image_id, row = str(large.index[0]), large.iloc[0]
        small = thumbnails.get(web, image_id, row, _wanted)
        whole = thumbnails.look(web, image_id, row, _wanted)

    # The service makes small versions of public files only: this one was made here.
    assert small is not None and small.format == "webp" and len(small.data) < MAX_BYTES
    assert whole is not None and len(whole.data) == row["size_bytes"]
    assert len(_signed(server)) == n + 1


@pytest.mark.parametrize(
    ("status", "asked"),
    [(401, 1), (403, 1), (405, 1), (404, signing.MISSING_IN_A_ROW)],
)
@pytest.mark.slow
def test_a_key_that_may_not_sign_is_refused_once(library, status, asked):
    server, client, private = library
    signs, n = Signing(client), len(_signed(server))
    server.fail("POST", "/v1/images/*/sign", times=None, status=status)
    try:
        assert not any(signs(str(one), _wanted) for one in [*private.index, "another", "one more"])
    finally:
        server.clear_faults()

    assert signs.refused
    assert len(_signed(server)) == n + asked


def test_no_more_than_half_of_what_the_service_grants_is_asked_for(library):
    server, client, private = library
    signs, n = Signing(client), len(_signed(server))
    signs._asked.extend([signing.time.monotonic()] * signing.A_MINUTE)

    given_up = threading.Event()
    threading.Timer(0.2, given_up.set).start()
    assert signs(str(private.index[0]), given_up.is_set) is None

    assert len(_signed(server)) == n


def test_what_is_looked_at_now_comes_and_what_was_before_does_not(library):
    server, client, private = library
    images = pic.load_images(client, store=None, progress=False)
    public = images[images["is_public"]]
    got, arrived = [], threading.Event()

    def deliver(batch):
        got.extend(batch)
        if len(got) >= 3:
            arrived.set()

    def wanted(rows, revision):
        return [Wanted(revision, i, str(one), rows.loc[one]) for i, one in enumerate(rows.index)]

    loader = Loader(Thumbnails(demo=True), deliver)
    with loader._thumbnails._lock:  # Nothing can be finished before the second list is there.
        loader.want(wanted(public.iloc[:20], 1))
        loader.want(wanted(public.iloc[20:23], 2))
    assert arrived.wait(60)
    loader.close()

    assert {(one.wanted.revision, one.wanted.place) for one in got} == {(2, 0), (2, 1), (2, 2)}
    assert all(one.picture is not None for one in got)
    n = len(server.requests)
    loader.want(wanted(public, 3))
    assert len(server.requests) == n


def test_pictures_that_are_long_in_coming_are_handed_on_all_the_same(library):
    _, client, _ = library
    images = pic.load_images(client, store=None, progress=False)
    rows = images[images["is_public"]].head(3)
    got, arrived = [], threading.Event()

    def deliver(batch):
        got.extend(batch)
        if len(got) == 3:
            arrived.set()

    loader = Loader(Thumbnails(demo=True), deliver, idle=0.01)
    with loader._thumbnails._lock:  # Nothing can be finished for thirty times as long.
        loader.want([Wanted(1, i, str(one), rows.loc[one]) for i, one in enumerate(rows.index)])
        assert not arrived.wait(0.3)

    assert arrived.wait(60)
    assert all(one.picture is not None for one in got)
    loader.close()
