"""A listing that breaks off or never ends, without saying so, is not taken for the whole library."""

import json

import pytest

from picora_analytics import IncompleteLoadError, load_images


def broken_off(real):
    """End the listing after its first page, as if nothing were missing."""
    real["data"]["nextCursor"] = None
    return real


def endless_page(number):
    """Give a page of images that nobody uploaded, which points to a next one."""
    images = [
        {
            "id": f"e{100 * number + i:010d}",
            "url": "https://img.picora.com/e.png",
            "created_at": f"2026-01-01T00:{59 - number:02d}:00Z",
        }
        for i in range(100)
    ]
    data = {"items": images, "nextCursor": f"c{number}", "total": 300}
    return json.dumps({"success": True, "data": data})


USAGE = ("images:read", "usage:read")


@pytest.mark.parametrize(
    ("scopes", "remembered", "whole"),
    [
        pytest.param(USAGE, True, "the service counts 400 elsewhere", id="usage and memory"),
        pytest.param(USAGE, False, "the service counts 400 elsewhere", id="usage alone"),
        pytest.param(("images:read",), False, None, id="nobody knows better"),
    ],
)
def test_a_listing_far_below_what_is_known_is_partial(serve, tmp_path, scopes, remembered, whole):
    server, client = serve(400, scopes=scopes)
    if remembered:
        load_images(client, store=tmp_path, progress=False)
    server.fail("GET", "/v1/images", times=None, body=broken_off)

    if whole is None:
        assert len(load_images(client, store=tmp_path, refresh="full", progress=False)) == 100
        return
    with pytest.raises(IncompleteLoadError, match=whole) as caught:
        load_images(client, store=tmp_path, refresh="full", progress=False)

    assert caught.value.images.attrs["picora"]["status"] == "partial"


def test_without_a_count_a_great_loss_is_believed_when_it_is_seen_twice(serve, tmp_path):
    server, client = serve(400, scopes=("images:read", "images:delete"))
    images = load_images(client, store=tmp_path, progress=False)
    server.fail("GET", "/v1/images", times=1, body=broken_off)
    with pytest.raises(IncompleteLoadError, match="400 were remembered"):
        load_images(client, store=tmp_path, refresh="full", progress=False)
    for image_id in images.index[:300]:
        server.remove(image_id)

    fewer = load_images(client, store=tmp_path, refresh="full", progress=False)

    assert len(fewer) == 100
    assert fewer.attrs["picora"]["checks"]["listed_twice"]


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
