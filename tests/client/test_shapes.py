"""Pages and images decoded: both wire shapes, odd fields, and pages that are none."""

import datetime as dt
import json
import re

import pytest

from picora_analytics.client.bodies import decode_object
from picora_analytics.client.shapes import decode_image, decode_listing, decode_page
from picora_analytics.errors import ResponseFormatError

NOW = dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)
WHERE = "GET /v1/images at api.picora.com"
URL = "https://img.picora.com/aB3dE5fG7hJ.webp"
# The seed document's own shape, and the newer one, of one image.
SEED = {
    "id": "aB3dE5fG7hJ",
    "url": URL,
    "filename": "roof.png",
    "size": 48211,
    "width": 800,
    "height": 600,
    "is_public": True,
    "tags": ["house"],
    "created_at": "2026-02-01T09:30:00.000Z",
}
CURRENT = {
    "id": "aB3dE5fG7hJ",
    "userId": "u_21_characters_long_",
    "url": URL,
    "filename": "roof.png",
    "title": None,
    "mimeType": "image/png",
    "sizeBytes": 48211,
    "width": None,
    "height": None,
    "isPublic": True,
    "tags": ["house"],
    "createdAt": "2026-02-01T09:30:00Z",
    "updatedAt": "2026-02-03T10:00:00Z",
}


def page_of(data):
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return decode_page(body, server_time=NOW, where=WHERE)


def refuses(data, message):
    with pytest.raises(ResponseFormatError, match=f"^{re.escape(message)}$"):
        page_of(data)


def listing(*images, **rest):
    return {"success": True, "data": {"images": list(images), "nextCursor": None, **rest}}


def test_the_seed_documents_example_is_read():
    page = page_of({"success": True, "data": {"items": [SEED], "nextCursor": None, "total": 1}})

    (image,) = page.images
    assert (page.total, page.next_cursor, page.unreadable) == (1, None, {})
    assert (image.size_bytes, image.is_public, image.tags) == (48211, True, ("house",))
    assert image.created_at == dt.datetime(2026, 2, 1, 9, 30, tzinfo=dt.UTC)
    assert (image.updated_at, image.mime_type, image.title) == (None, None, None)


def test_the_newer_documents_example_is_read():
    page = page_of(listing(CURRENT))

    (image,) = page.images
    assert (page.total, page.unreadable) == (None, {})
    assert (image.size_bytes, image.is_public, image.mime_type) == (48211, True, "image/png")
    assert image.created_at == dt.datetime(2026, 2, 1, 9, 30, tzinfo=dt.UTC)
    assert image.updated_at == dt.datetime(2026, 2, 3, 10, tzinfo=dt.UTC)
    assert (image.width, image.height) == (None, None)


def test_both_spellings_may_be_mixed_on_one_page():
    mixed = {
        "id": "b",
        "url": URL,
        "sizeBytes": 7,
        "is_public": False,
        "createdAt": "2026-02-01T00:00:00Z",
    }

    images = page_of(listing(SEED, CURRENT, mixed)).images

    assert [image.size_bytes for image in images] == [48211, 48211, 7]
    assert [image.is_public for image in images] == [True, True, False]
    assert [image.created_at.year for image in images] == [2026] * 3


def test_absent_null_and_empty_tags_stay_different():
    silent, null, none = ({"id": name, "url": URL} for name in "abc")
    null["tags"], none["tags"] = None, []

    page = page_of(listing(silent, null, none))

    assert [image.tags for image in page.images] == [None, None, ()]
    assert page.unreadable == {}


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        pytest.param("sizeBytes", -1, "size_bytes", id="negative size"),
        pytest.param("sizeBytes", 2**63 + 1, "size_bytes", id="size beyond 64 bits"),
        pytest.param("sizeBytes", 10**30, "size_bytes", id="size beyond all bits"),
        pytest.param("size", "48 KB", "size_bytes", id="size as text"),
        pytest.param("size", 1.5, "size_bytes", id="half a byte"),
        pytest.param("size", True, "size_bytes", id="size true"),
        pytest.param("width", -5, "width", id="negative width"),
        pytest.param("width", 2**31, "width", id="absurd width"),
        pytest.param("height", "600px", "height", id="height as text"),
        pytest.param("createdAt", "2026-02-01T09:30:00", "created_at", id="date without a zone"),
        pytest.param("created_at", "0001-01-01T00:00:00Z", "created_at", id="year 1"),
        pytest.param("created_at", "1970-01-01T00:00:00Z", "created_at", id="the epoch"),
        pytest.param("updatedAt", "9999-12-31T23:59:59Z", "updated_at", id="year 9999"),
        pytest.param("updatedAt", "yesterday", "updated_at", id="nonsense for a date"),
        pytest.param("createdAt", 1769938200, "created_at", id="date as a number"),
        pytest.param("tags", ["ok", 7], "tags", id="a number among tags"),
        pytest.param("tags", ["ok", None], "tags", id="null among tags"),
        pytest.param("tags", "ok", "tags", id="tags as text"),
        pytest.param("isPublic", "yes", "is_public", id="visibility in words"),
        pytest.param("is_public", 1, "is_public", id="visibility as a number"),
        pytest.param("filename", 5, "filename", id="a number for a name"),
        pytest.param("title", {"en": "Roof"}, "title", id="an object for a title"),
        pytest.param("mimeType", ["image/png"], "mime_type", id="a list for a type"),
        pytest.param("filename", "cut emoji \ud83d", "filename", id="half a surrogate pair"),
        pytest.param("tags", ["ok", "\ud83d"], "tags", id="half a surrogate pair in a tag"),
    ],
)
def test_a_field_that_cannot_be_read_is_missing_and_counted(field, value, column):
    page = page_of(listing({"id": "a", "url": URL, field: value}, CURRENT))

    assert [image.id for image in page.images] == ["a", "aB3dE5fG7hJ"]
    assert getattr(page.images[0], column) is None
    assert page.images[1].size_bytes == 48211
    assert page.unreadable == {column: 1}


@pytest.mark.parametrize("field", sorted((set(CURRENT) | set(SEED)) - {"id", "url"}))
def test_a_null_is_missing_and_not_counted(field):
    page = page_of(listing({"id": "a", "url": URL, field: None}))

    assert [image.id for image in page.images] == ["a"]
    assert page.unreadable == {}


def test_a_width_of_zero_is_missing():
    assert page_of(listing({**SEED, "width": 0})).images[0].width is None


def test_unknown_fields_are_ignored():
    page = page_of(
        listing({**CURRENT, "blurhash": {"x": [1]}, "kbId": None}, hasMore=False, extra=1)
    )

    assert page.images == page_of(listing(CURRENT)).images
    assert page.unreadable == {}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"success": True, "data": [SEED]}, id="data is a bare list"),
        pytest.param([SEED], id="the whole body is a list"),
        pytest.param({"items": [SEED]}, id="no envelope"),
        pytest.param(
            {"data": {"items": None, "images": [SEED]}}, id="items is null, images is not"
        ),
        pytest.param({"data": {"items": [SEED], "nextCursor": ""}}, id="an empty cursor"),
        pytest.param({"data": {"items": [SEED]}}, id="no cursor"),
        pytest.param({"data": {"items": [SEED], "nextCursor": None}}, id="a null cursor"),
    ],
)
def test_these_are_a_last_page_of_one_image(data):
    page = page_of(data)

    assert [image.id for image in page.images] == ["aB3dE5fG7hJ"]
    assert page.next_cursor is None


def test_a_number_for_a_cursor_refuses_the_page():
    message = f"{WHERE}: nextCursor is int, not text; the rest of the library cannot be asked for."

    with pytest.raises(ResponseFormatError, match=f"^{re.escape(message)}$"):
        page_of(listing(CURRENT, nextCursor=7))


@pytest.mark.parametrize("total", ["twelve", -1, True, 1.5])
def test_a_total_that_is_no_count_is_counted_as_unreadable(total):
    page = page_of(listing(CURRENT, total=total))

    assert (page.total, page.unreadable) == (None, {"total": 1})


@pytest.mark.parametrize(
    "image",
    [
        pytest.param({"url": URL}, id="no id"),
        pytest.param({"id": "", "url": URL}, id="an empty id"),
        pytest.param({"id": 5, "url": URL}, id="a number for an id"),
        pytest.param({"id": "a\ud83d", "url": URL}, id="an id that is no text"),
        pytest.param({"id": "a"}, id="no URL"),
        pytest.param({"id": "a", "url": ""}, id="an empty URL"),
        pytest.param({"id": "a", "url": None}, id="a null URL"),
        pytest.param("a", id="an id alone"),
        pytest.param(None, id="null"),
    ],
)
def test_an_image_without_id_or_url_refuses_the_page(image):
    message = (
        f"{WHERE} answered an image without an id or a URL; it cannot be told from others, so "
        "the page was not taken."
    )

    with pytest.raises(ResponseFormatError, match=f"^{re.escape(message)}$"):
        page_of(listing(CURRENT, image))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(
            {"data": {"pictures": [], "total": 0}}, "['pictures', 'total']", id="other keys"
        ),
        pytest.param({"data": None}, "NoneType", id="null"),
        pytest.param({"data": {"items": {}}}, "['items']", id="items is no list"),
        pytest.param("hello", "str", id="a text"),
    ],
)
def test_a_page_with_neither_items_nor_images_is_never_an_empty_library(data, found):
    message = (
        f"{WHERE} answered neither 'items' nor 'images' but {found}; an unknown page is not an "
        "empty library, so nothing was taken from it."
    )

    refuses(data, message)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"<!DOCTYPE html><title>Sign in", "an HTML page", id="a login page"),
        pytest.param(b'{"data": {"items": [', "no JSON", id="cut off"),
        pytest.param(b'{"data": {"items": [], "total": NaN}}', "no JSON", id="not a number"),
        pytest.param(b"", "no JSON", id="nothing"),
        pytest.param(b"\xff\xfe", "no JSON", id="no text"),
        pytest.param(b"[" * 100_000, "no JSON", id="endless nesting"),
    ],
)
def test_a_body_that_is_no_json_says_so(body, kind):
    message = (
        f"{WHERE} answered {kind} where JSON was expected; is the base URL that of Picora's API, "
        "and is no proxy or login page in between?"
    )

    refuses(body, message)


ROW = json.dumps(CURRENT)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f'{{"data": {{"images": [{ROW}], "images": [], "nextCursor": "c"}}}}', "'images'"),
        (
            f'{{"data": {{"items": [{ROW}], "nextCursor": "c", "nextCursor": null}}}}',
            "'nextCursor'",
        ),
        (f'{{"data": {{"images": [{ROW}]}}, "data": {{"images": []}}}}', "'data'"),
        (f'{{"data": {{"images": [{ROW}], "images": [], "total": "odd"}}}}', "'images'"),
    ],
)
def test_a_page_that_says_a_thing_twice_is_not_read(body, said):
    message = f"{WHERE} answered JSON that says {said} twice; nothing was taken from it."

    refuses(body.encode(), message)


@pytest.mark.parametrize("rows", [[CURRENT], []])
def test_an_answer_that_says_it_failed_is_no_page_whatever_its_status(rows):
    page = {"success": False, "error": "database timeout", "data": {"images": rows}}
    message = (
        f"{WHERE} answered that it failed, though with the status of a success: 'database timeout'; "
        "nothing was taken from it."
    )

    refuses(page, message)


@pytest.mark.parametrize(
    "page",
    [
        pytest.param({"data": [CURRENT], "nextCursor": "c", "total": 7}, id="around a bare list"),
        pytest.param({"data": {"images": [CURRENT], "total": 7}, "nextCursor": "c"}, id="around"),
        pytest.param({"data": {"images": [CURRENT], "next_cursor": "c", "total": 7}}, id="snake"),
        pytest.param({"data": {"images": [CURRENT], "nextCursor": "c", "total": "7"}}, id="text"),
        pytest.param(
            {"data": {"images": [CURRENT], "nextCursor": None, "next_cursor": "c", "total": 7}},
            id="beside a null",
        ),
        pytest.param(
            {"data": {"images": [CURRENT], "nextCursor": None}, "nextCursor": "c", "total": 7},
            id="around a null",
        ),
        pytest.param(
            {"data": {"images": [CURRENT], "pagination": {"nextCursor": "c", "total": 7}}},
            id="in a part of its own",
        ),
        pytest.param({"data": [CURRENT], "meta": {"next_cursor": "c", "total": 7}}, id="meta"),
        pytest.param({"data": {"images": [CURRENT], "nextCursor": "c", "total": 7.0}}, id="float"),
    ],
)
def test_what_is_said_of_further_pages_is_heard_in_other_places_and_forms(page):
    found = page_of(page)

    assert (len(found.images), found.next_cursor, found.total) == (1, "c", 7)
    assert found.unreadable == {}


@pytest.mark.parametrize(
    ("said", "more"),
    [(1, True), ("true", True), (True, True), (0, False), ("false", False), (None, False)],
)
@pytest.mark.parametrize("name", ["hasMore", "has_more"])
def test_more_is_heard_in_every_form(said, more, name):
    body = json.dumps({"data": {"images": [CURRENT], "nextCursor": None, name: said}}).encode()

    assert decode_listing(body, server_time=NOW, where=WHERE).has_more is more


def test_a_page_that_tells_of_two_next_pages_is_refused():
    with pytest.raises(ResponseFormatError, match="told of two different next pages"):
        page_of({"data": {"images": [CURRENT], "nextCursor": "a"}, "nextCursor": "b"})


def test_a_page_with_both_arrays_is_refused():
    with pytest.raises(ResponseFormatError, match="answered both 'items' and 'images'"):
        page_of({"data": {"items": [], "images": [CURRENT]}})
    assert len(page_of({"data": {"items": [CURRENT], "images": [CURRENT]}}).images) == 1
    assert len(page_of({"data": {"items": None, "images": [CURRENT]}}).images) == 1


def test_tags_may_be_called_like_what_an_answer_is_made_of():
    tags = ["images", "items", "nextCursor", "images"]

    page = page_of({"data": {"images": [{**CURRENT, "tags": tags}], "nextCursor": "c"}})

    assert (page.images[0].tags, page.next_cursor) == (tuple(tags), "c")


def test_an_answer_that_must_be_an_object_and_is_none_says_so():
    message = (
        "W answered list where an object was expected; this may be another version of the API."
    )

    with pytest.raises(ResponseFormatError, match=f"^{re.escape(message)}$"):
        decode_object(b'{"data": []}', where="W")


def test_one_image_is_read_leniently_too():
    image = decode_image(json.dumps({"data": {**CURRENT, "width": "wide"}}).encode(), where="W")

    assert (image.id, image.width, image.size_bytes) == ("aB3dE5fG7hJ", None, 48211)
