"""Libraries that change while they are read, and services that do not keep to their own rules."""

import threading

import pandas as pd
import pytest

from picora_analytics import Client, DemoServer, IncompleteLoadError, StatusError, load_images

# Pages that take longer than the service's pace, so that several chains are worth it.
SLOW = {"rate_scale": 10, "latency": 0.04}


def load(client, **options):
    return load_images(client, **{"store": None, "progress": False, **options})


def newest_first(server):
    made = sorted(server.images.values(), key=lambda one: (one.created_at, one.id), reverse=True)
    return [image.id for image in made]


def dates(server):
    return {seen.query.get("end_date") for seen in server.requests if seen.path == "/v1/images"}


class Acting:
    """Do something when so many images were read."""

    def __init__(self, do, at=200):
        self.do, self.at, self.text = do, at, ""

    def update(self, done, total):
        if self.do is not None and done >= self.at:
            do, self.do = self.do, None
            do()

    def wait(self, reason):
        pass

    def finish(self, text):
        self.text = text


# Several chains on a real service


@pytest.mark.parametrize("zone", [0, -12, 9])
@pytest.mark.parametrize("shape", ["current", "seed"])
@pytest.mark.slow
def test_several_chains_give_exactly_the_library(zone, shape):
    with DemoServer(2_900, service_time_zone=zone, shape=shape, **SLOW) as server:
        with Client(server.api_key, server.url) as client:
            images = load(client)

        assert list(images.index) == newest_first(server)
        assert len(dates(server)) > 2
        assert images.attrs["picora"]["checks"]["repeated"] == 0
        assert not [seen for seen in server.requests if seen.status == 429]


@pytest.mark.parametrize("seed_only", [True, False])
@pytest.mark.slow
def test_dates_ignored_or_refused_cost_two_requests_and_no_image(seed_only):
    with DemoServer(2_900, seed_only=seed_only, shape="seed", **SLOW) as server:
        refuse = None if seed_only else 422
        with Client(server.api_key, server.url) as client:
            if refuse:
                # The first page passes, and the first dated one is refused.
                server.fail("GET", "/v1/images", skip=1, status=refuse)
            images = load(client)

        assert list(images.index) == newest_first(server)
        if seed_only:
            assert len(dates(server)) == 2
            assert len([seen for seen in server.requests if seen.path == "/v1/images"]) <= 32


@pytest.mark.slow
def test_an_interrupt_of_several_chains_answers_at_once():
    def interrupt():
        raise KeyboardInterrupt

    with DemoServer(2_900, **SLOW) as server, Client(server.api_key, server.url) as client:
        seen = Acting(interrupt, at=900)
        with pytest.raises(KeyboardInterrupt):
            load(client, progress=seen)

        assert seen.text.startswith("Stopped after ")
        assert not [
            one for one in threading.enumerate() if one.name == "picora-load" and not one.daemon
        ]


# Libraries that change meanwhile


@pytest.mark.parametrize("shape", ["seed", "current"])
def test_uploads_meanwhile_are_found_at_the_end(serve, shape):
    server, client = serve(450, shape=shape)
    progress = Acting(lambda: server.add(130))

    images = load(client, progress=progress)

    assert list(images.index) == newest_first(server)
    changed = images.attrs["picora"]["checks"]["changed_while_reading"]
    assert changed["uploaded"] == 130
    assert changed["deleted"] == (0 if shape == "seed" else None)
    assert pd.Timestamp(changed["from"]) <= pd.Timestamp(changed["to"])
    assert "; meanwhile 130 uploaded; read" in progress.text


@pytest.mark.parametrize("which", [0, 150, 199, 200, 449])
def test_deletions_meanwhile_are_counted_and_leave_the_load_complete(serve, which):
    server, client = serve(450, shape="seed")
    one = newest_first(server)[which]

    images = load(client, progress=Acting(lambda: server.remove(one)))

    facts = images.attrs["picora"]
    assert facts["status"] == "complete"
    assert set(images.index) - set(server.images) <= {one}
    assert set(server.images) <= set(images.index)
    assert facts["checks"]["changed_while_reading"]["deleted"] == 1
    assert facts["total"] == 449


def test_an_edit_meanwhile_is_taken_from_the_newest_page(serve):
    server, client = serve(250)
    first = newest_first(server)[3]

    images = load(client, progress=Acting(lambda: server.edit(first, title="Now this")))

    assert images.loc[first, "title"] == "Now this"
    assert images.attrs["picora"]["checks"]["changed_while_reading"]["edited"] == 1
    assert "conflicting" not in images.attrs["picora"]["checks"]


def test_two_versions_of_an_image_on_two_pages_are_flagged(serve):
    server, client = serve(250)
    kept = {}

    def keep(answer):
        kept["one"] = answer["data"]["images"][7]
        return answer

    def repeat(answer):
        newer = {**kept["one"], "title": "newer", "updatedAt": "2026-11-23T13:59:59Z"}
        answer["data"]["images"].append(newer)
        return answer

    server.fail("GET", "/v1/images", body=keep)
    server.fail("GET", "/v1/images", skip=1, body=repeat)

    images = load(client)

    assert len(images) == 250
    assert images["title"].iloc[7] == "newer"
    assert images.attrs["picora"]["checks"]["conflicting"] == 1


def test_images_short_of_the_total_without_a_deletion_are_partial(serve):
    server, client = serve(450, shape="seed")

    def lose(answer):
        answer["data"]["items"] = answer["data"]["items"][:-20]
        return answer

    server.fail("GET", "/v1/images", skip=2, body=lose)

    with pytest.raises(
        IncompleteLoadError,
        match=r"^The service counts 450 images, but its listing held 430 in 5 pages; ",
    ):
        load(client)


# Emptiness


@pytest.mark.slow
def test_an_empty_library_that_was_not_empty_is_looked_at_twice(serve, tmp_path):
    server, client = serve(250)
    load(client, store=tmp_path)
    server.fail("GET", "/v1/images", body='{"data": {"images": []}}')

    assert len(load(client, store=tmp_path, refresh="full")) == 250


def test_an_emptied_library_is_empty_after_the_second_look_and_the_last(serve, tmp_path):
    server, client = serve(3)
    load(client, store=tmp_path)
    for one in list(server.images):
        server.remove(one)
    before = len(server.requests)

    images = load(client, store=tmp_path, refresh="full")

    assert len(images) == 0
    assert images.attrs["picora"]["status"] == "complete"
    assert len([one for one in server.requests[before:] if one.path == "/v1/images"]) == 3


def test_an_empty_page_in_the_middle_is_asked_for_again(serve):
    server, client = serve(450)
    server.fail("GET", "/v1/images", skip=2, body='{"data": {"images": []}}')

    assert len(load(client)) == 450


def test_cursors_that_expire_again_and_again_end_the_load(serve):
    server, client = serve(450)
    server.fail("GET", "/v1/images", skip=1, times=None, status=410)

    with pytest.raises(
        IncompleteLoadError, match=r"page 2 never came\. .* answered 410 "
    ) as caught:
        load(client)
    assert isinstance(caught.value.__cause__, StatusError)
