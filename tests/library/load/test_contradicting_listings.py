"""A listing that says two things of one image is not believed in what differs."""

import json

import pytest

from picora_analytics import load_images

SPELLINGS = {
    "filename": ("filename", "a.png", "b.png"),
    "size_bytes": ("sizeBytes", 1, 2),
    "width": ("width", 10, 20),
    "is_public": ("isPublic", True, False),
    "tags": ("tags", ["keep"], []),
    "mime_type": ("mimeType", "image/png", "image/gif"),
    "created_at": ("createdAt", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"),
}


def image(image_id, **fields):
    at = {"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-04T00:00:00Z"}
    return {"id": image_id, "url": f"https://img.picora.com/{image_id}", "tags": [], **at, **fields}


def answer(images, cursor=None):
    return json.dumps({"success": True, "data": {"images": images, "nextCursor": cursor}})


def listed(serve, *pages):
    """Load a library that is listed on these pages; the first is read again at the end."""
    server, client = serve(0, scopes=("images:read",))
    for number, images in enumerate(pages):
        cursor = f"c{number}" if number < len(pages) - 1 else None
        server.fail("GET", "/v1/images", body=answer(images, cursor))
    server.fail("GET", "/v1/images", times=None, body=answer(pages[0], "c0"))
    return load_images(client, store=None, progress=False)


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("apart", [False, True], ids=["on one page", "on two pages"])
@pytest.mark.parametrize("other_way", [False, True])
def test_what_two_copies_of_one_time_say_differently_is_missing(serve, name, apart, other_way):
    field, *values = SPELLINGS[name]
    first, second = (image("x", **{field: value}) for value in values[:: -1 if other_way else 1])
    pages = [[first], [image("y"), second]] if apart else [[first, second, image("y")]]

    images = listed(serve, *pages)

    assert sorted(images.index) == ["x", "y"]
    assert images.isna().loc["x", name]
    checks = images.attrs["picora"]["checks"]
    assert checks["contradicting"] == 1
    assert checks["unreadable"] == {name: 1}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"url": "https://img.picora.com/x?signature=2"}, id="an address signed anew"),
        pytest.param({"tags": ["b", "a"]}, id="tags in another order"),
        pytest.param({"mimeType": "IMAGE/PNG"}, id="a type spelled otherwise"),
        pytest.param({"width": None}, id="silence"),
    ],
)
def test_what_means_the_same_is_no_contradiction(serve, change):
    one = image("x", tags=["a", "b"], mimeType="image/png", width=3)

    images = listed(serve, [one], [image("y"), {**one, **change}])

    assert "contradicting" not in images.attrs["picora"]["checks"]
    assert images.loc["x", "tags"] == ("a", "b")
    assert images.loc["x", "width"] == 3


@pytest.mark.parametrize("newer_first", [False, True])
def test_of_two_times_the_newer_counts(serve, newer_first):
    old = image("x", tags=["old"])
    new = image("x", tags=["new"], updatedAt="2026-01-05T00:00:00Z")
    first, second = (new, old) if newer_first else (old, new)

    images = listed(serve, [first], [image("y"), second])

    assert images.loc["x", "tags"] == ("new",)
    assert "contradicting" not in images.attrs["picora"]["checks"]


def test_what_the_newest_pages_say_differently_when_read_again_is_missing(serve):
    server, client = serve(0, scopes=("images:read",))
    before = {**image("x", tags=[]), "updatedAt": None}  # As services of the older shape answer.
    server.fail("GET", "/v1/images", body=answer([before], "c0"))
    server.fail("GET", "/v1/images", body=answer([image("y")]))
    server.fail("GET", "/v1/images", body=answer([{**before, "tags": ["keep"]}], "c0"))

    images = load_images(client, store=None, progress=False)

    assert list(images.index) == ["x", "y"]
    assert images["tags"].to_dict() == {"x": None, "y": ()}
    assert images.attrs["picora"]["checks"]["unreadable"] == {"tags": 1}
