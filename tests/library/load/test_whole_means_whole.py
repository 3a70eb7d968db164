"""A listing that breaks off or never ends, without saying so, is not taken for the whole library."""

import json

import pytest

from picora_analytics import IncompleteLoadError, load_images


def broken_off(real, total=None):
    """End the listing after its first page, as if nothing were missing."""
    real["data"] |= {"nextCursor": None, "total": total}
    return real


def counts(n):
    """Count so many images in the usage."""

    def bend(real):
        real["data"]["images"]["totalCount"] = n
        return real

    return bend


def endless_page(number, total=300):
    """Give a page of images that nobody uploaded, which points to a next one."""
    images = [
        {
            "id": f"e{100 * number + i:010d}",
            "url": "https://img.picora.com/e.png",
            "created_at": f"2026-01-01T00:{59 - number:02d}:00Z",
        }
        for i in range(100)
    ]
    data = {"items": images, "nextCursor": f"c{number}", "total": total}
    return json.dumps({"success": True, "data": data})


READ, USAGE = ("images:read",), ("images:read", "usage:read")


@pytest.mark.parametrize("shape", ["current", "seed"])
@pytest.mark.parametrize("total", [None, 100], ids=["no total", "a total of the page alone"])
@pytest.mark.parametrize(
    ("scopes", "remembered", "why"),
    [
        pytest.param(
            USAGE, True, "the service counts 400 elsewhere, and 10 of", id="usage, memory"
        ),
        pytest.param(USAGE, False, "the service counts 400 elsewhere;", id="usage"),
        pytest.param(READ, True, "400 were remembered, and 10 of the 10", id="memory"),
    ],
)
@pytest.mark.slow
def test_a_listing_far_below_what_is_known_is_partial_each_time(
    serve, tmp_path, shape, total, scopes, remembered, why
):
    server, client = serve(400, scopes=scopes, shape=shape)
    if remembered:
        load_images(client, store=tmp_path, progress=False)
    server.fail("GET", "/v1/images", times=None, body=lambda real: broken_off(real, total))

    for _ in range(2):  # A listing that breaks off always does so at the same place.
        with pytest.raises(IncompleteLoadError, match=why) as caught:
            load_images(client, store=tmp_path, refresh="full", progress=False)

        assert caught.value.images.attrs["picora"]["status"] == "partial"
        assert len(caught.value.images) == 100


def test_what_nobody_knows_better_is_believed(serve):
    server, client = serve(400, scopes=READ)
    server.fail("GET", "/v1/images", times=None, body=broken_off)

    assert len(load_images(client, store=None, progress=False)) == 100


@pytest.mark.parametrize("scopes", [READ, USAGE], ids=["no count", "a count"])
@pytest.mark.parametrize("left", [0, 100, 300])
@pytest.mark.slow
def test_a_great_loss_is_believed_when_the_missing_images_are_gone(serve, tmp_path, scopes, left):
    server, client = serve(400, scopes=scopes)
    images = load_images(client, store=tmp_path, progress=False)
    for image_id in images.index[: 400 - left]:
        server.remove(image_id)

    fewer = load_images(client, store=tmp_path, refresh="full", progress=False)

    assert len(fewer) == left
    assert fewer.attrs["picora"]["checks"]["looked_for"] == 10


@pytest.mark.slow
def test_a_count_that_lags_behind_deletions_is_told_from_a_listing_that_broke_off(serve, tmp_path):
    server, client = serve(400)
    images = load_images(client, store=tmp_path, progress=False)
    for image_id in images.index[:300]:
        server.remove(image_id)
    server.fail("GET", "/v1/user/me/usage", times=None, body=counts(400))

    assert len(load_images(client, store=tmp_path, refresh="full", progress=False)) == 100


def test_one_missing_image_that_is_still_there_makes_the_listing_partial(serve, tmp_path):
    server, client = serve(400, scopes=READ)
    images = load_images(client, store=tmp_path, progress=False)
    for image_id in images.index[100:-1]:
        server.remove(image_id)
    server.fail("GET", "/v1/images", times=None, body=broken_off)

    with pytest.raises(IncompleteLoadError, match="400 were remembered, and 1 of the 10"):
        load_images(client, store=tmp_path, refresh="full", progress=False)


@pytest.mark.parametrize("status", [403, 404, 500])
@pytest.mark.slow
def test_missing_images_that_cannot_be_asked_for_are_not_held_to_be_gone(serve, tmp_path, status):
    server, client = serve(400, scopes=READ, max_wait=0.5)
    image_ids = load_images(client, store=tmp_path, progress=False).index
    for image_id in image_ids:
        server.fail("GET", f"/v1/images/{image_id}", times=None, status=status)
    server.fail("GET", "/v1/images", times=None, body=broken_off)

    with pytest.raises(IncompleteLoadError, match="could not be asked for one by one"):
        load_images(client, store=tmp_path, refresh="full", progress=False)


@pytest.mark.parametrize("lost", [0, 20, 40])
def test_a_small_difference_is_no_shortfall(serve, lost):
    server, client = serve(400)

    def short(real):
        if real["data"]["nextCursor"] is None:
            images = real["data"]["images"]
            real["data"]["images"] = images[: len(images) - lost]
        return real

    server.fail("GET", "/v1/images", times=None, body=short)

    assert len(load_images(client, store=None, progress=False)) == 400 - lost


def test_a_listing_that_goes_on_past_the_count_ends_the_load(serve):
    server, client = serve(300, shape="seed")
    for number in range(20):
        server.fail("GET", "/v1/images", body=endless_page(number))

    with pytest.raises(
        IncompleteLoadError, match=r"^The listing does not end: 600 images in 6 pages"
    ):
        load_images(client, store=None, progress=False)


@pytest.mark.parametrize("total", [None, "grows"])
@pytest.mark.slow
def test_a_listing_that_goes_on_past_the_count_of_the_usage_ends_the_load(serve, total):
    server, client = serve(300)
    for number in range(60):
        grown = None if total is None else 100 * number + 200
        server.fail("GET", "/v1/images", body=endless_page(number, grown))

    with pytest.raises(
        IncompleteLoadError, match=r"^The listing does not end: 2,700 images so far"
    ):
        load_images(client, store=None, progress=False)


@pytest.mark.slow
def test_a_count_that_lags_behind_uploads_ends_no_load(serve):
    server, client = serve(2_500)
    server.fail("GET", "/v1/user/me/usage", times=None, body=counts(1_200))

    assert len(load_images(client, store=None, progress=False)) == 2_500
