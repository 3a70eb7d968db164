from __future__ import annotations

import hashlib
import io
from collections import defaultdict

import httpx
import pytest
from PIL import Image

from picora_analytics.demo.library import make_library, smallest_file
from picora_analytics.demo.pictures import file_bytes


@pytest.fixture(scope="module")
def library():
    return make_library(1200, seed=7)


def decode(data):
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        return opened.copy(), Image.MIME[opened.format]


@pytest.fixture
def one(serve):
    """A server with one public picture of 1600 x 1067 pixels, its address, and a caller."""
    server, caller = serve(40)
    image = next(i for i in server.images.values() if i.is_public and i.pixels == (1600, 1067))
    return server, caller, f"{server.pictures_url}/{image.id}.{image.extension}"


def test_every_size_of_the_library_leaves_room_for_its_drawing(library):
    for image in library:
        assert image.size_bytes >= smallest_file(image.extension, image.pixels) or (
            image.extension == "svg"
        )
        assert image.extension != "webp" or image.size_bytes % 2 == 0


@pytest.mark.slow
def test_files_of_every_format_and_scene_are_what_the_listing_says(library):
    samples = defaultdict(list)
    for image in library:
        samples[image.extension, image.scene].append(image)

    for images in samples.values():
        for image in sorted(images, key=lambda i: i.pixels)[:: max(1, len(images) // 4)][:4]:
            data = file_bytes(image)
            assert len(data) == image.size_bytes, image
            if image.extension == "svg":
                assert data.startswith(b"<svg") and data.endswith(b"</svg>\n")
            else:
                picture, mime_type = decode(data)
                assert (picture.size, mime_type) == (image.pixels, image.mime_type)


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "gif", "svg"])
@pytest.mark.slow
def test_padding_fits_any_gap_to_the_byte(library, extension):
    from dataclasses import replace

    image = min(
        (i for i in library if i.extension == extension), key=lambda i: i.pixels[0] * i.pixels[1]
    )
    step = 2 if extension == "webp" else 1
    start = smallest_file(extension, image.pixels) // 2 * 2
    gaps = [*range(start, start + 300, step), start + 65_536, start + 131_076, start + 131_080]

    for size in gaps:
        data = file_bytes(replace(image, size_bytes=size))
        assert len(data) == size
        if extension != "svg":
            assert decode(data)[0].size == image.pixels


def test_exact_copies_have_the_same_bytes_and_other_pictures_differ(library):
    groups = defaultdict(list)
    for image in library:
        groups[image.artwork, image.pixels, image.extension, image.size_bytes].append(image)
    one, other = next(images for images in groups.values() if len(images) == 2)

    assert one.id != other.id
    assert file_bytes(one) == file_bytes(other)
    assert file_bytes(one) != file_bytes(library[0])


def test_the_content_hash_of_the_feed_is_the_sha256_of_the_file(serve):
    server, caller = serve(12)

    changes = caller.get("/v1/sync/state").json()["data"]["changes"]

    for change in changes:
        data = server.picture(change["id"])
        assert change["contentHash"] == hashlib.sha256(data).hexdigest()
        assert change["sizeBytes"] == len(data)


def test_a_public_picture_is_served_without_a_key(one):
    server, _, url = one

    answer = httpx.get(url)

    image = server.images[url.rsplit("/", 1)[1].split(".")[0]]
    assert answer.headers["content-type"] == image.mime_type
    assert answer.headers["cache-control"] == "public, max-age=31536000"
    assert answer.content == server.picture(image.id)


@pytest.mark.slow
def test_a_deleted_picture_and_a_wrong_extension_answer_404(one):
    server, caller, url = one

    assert httpx.get(url + "x").status_code == 404
    caller.delete("/v1/images/" + url.rsplit("/", 1)[1].split(".")[0])
    assert httpx.get(url).status_code == 404


@pytest.mark.parametrize(
    ("query", "size", "mime_type"),
    [
        ("w=160&fmt=webp", (160, 107), "image/webp"),
        ("h=100&fmt=png", (150, 100), "image/png"),
        ("w=4096&fmt=jpeg", (1600, 1067), "image/jpeg"),
        ("w=200&h=200&fmt=jpeg", (200, 133), "image/jpeg"),
        ("w=200&h=200&fit=contain&fmt=jpeg", (200, 200), "image/jpeg"),
        ("w=200&h=200&fit=cover&fmt=jpeg&q=10", (200, 200), "image/jpeg"),
        ("w=200&h=90&fit=fill&fmt=png", (200, 90), "image/png"),
        ("w=200&h=200&fit=outside&fmt=png", (300, 200), "image/png"),
        ("h=100&w=300&fmt=avif", (150, 100), "image/avif"),
    ],
)
def test_processing_follows_its_parameters(one, query, size, mime_type):
    answer = httpx.get(f"{one[2]}?{query}")

    picture, decoded_type = decode(answer.content)
    assert answer.headers["content-type"] == decoded_type == mime_type
    assert picture.size == size


@pytest.mark.parametrize(
    "query",
    ["w=0", "w=4097", "h=-1", "w=ten", "fit=crop", "fmt=gif", "q=0", "q=101", "width=3", "wm=1"],
)
def test_any_other_parameter_answers_400(one, query):
    answer = httpx.get(f"{one[2]}?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_IMAGE_PARAMS")


def test_an_uploaded_picture_can_be_processed_too(serve):
    server, _ = serve(0)
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "red").save(buffer, "PNG")
    image = server.upload(buffer.getvalue(), "red.png")

    answer = httpx.get(f"{server.pictures_url}/{image.id}.png?w=30&fmt=png")

    assert decode(answer.content)[0].getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.slow
def test_a_private_picture_opens_by_its_signed_url_until_it_expires(one):
    server, caller, url = one
    image_id = url.rsplit("/", 1)[1].split(".")[0]
    server.edit(image_id, is_public=False)

    signed = caller.post(f"/v1/images/{image_id}/sign", json={"expSeconds": 60}).json()["data"]

    assert signed["expiresAt"] == "2026-11-23T14:01:00.000Z"
    assert httpx.get(url).status_code == 403
    assert caller.get(url).status_code == 403  # the API key opens nothing here
    assert httpx.get(signed["signedUrl"]).content == server.picture(image_id)
    assert httpx.get(signed["signedUrl"] + "&w=100&fmt=webp").status_code == 200
    assert httpx.get(signed["signedUrl"].replace("sig=", "sig=0")).status_code == 403
    assert httpx.get(signed["signedUrl"].replace("exp=17", "exp=18")).status_code == 403
    server.advance(61)
    assert httpx.get(signed["signedUrl"]).status_code == 403


def test_a_picture_still_in_processing_is_a_picture_all_the_same(serve):
    server, _ = serve(5)
    image = next(i for i in server.images.values() if i.extension == "jpg")
    server.edit(image.id, has_dimensions=False, is_public=True)

    answer = httpx.get(f"{server.pictures_url}/{image.id}.jpg")

    assert server.images[image.id].width is None
    assert decode(answer.content)[0].size == image.pixels


@pytest.mark.slow
def test_a_screen_of_thumbnails_comes_whole(serve):
    server, _ = serve(60)
    images = [i for i in server.images.values() if i.is_public and i.extension != "svg"][:24]

    with httpx.Client() as caller:
        for image in images:
            url = f"{server.pictures_url}/{image.id}.{image.extension}?w=160&fmt=webp"
            answer = caller.get(url)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
