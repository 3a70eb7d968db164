"""Whole means whole: what an answer says of itself, of more, or twice and differently, in whatever words."""

import datetime as dt
import json

import pytest
from hypothesis import given, strategies as st

from picora_analytics import ResponseFormatError
from picora_analytics.client.feed import read_changes
from picora_analytics.client.paging import head_says_more, parts_of, parts_say_more
from picora_analytics.client.shapes import decode_image, decode_listing

NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
ROW = {
    "id": "aB3dE5fG7hJ",
    "userId": "u",
    "url": "https://img.picora.com/a.png",
    "filename": "a.png",
    "title": None,
    "mimeType": "image/png",
    "sizeBytes": 5,
    "width": 2,
    "height": 3,
    "isPublic": True,
    "tags": ["keep"],
    "createdAt": "2026-02-01T09:30:00Z",
    "updatedAt": "2026-02-03T10:00:00Z",
}
PAGE = {"images": [ROW], "nextCursor": None}
CHANGES = {"changes": [], "nextCursor": None}


def decode(body, **options):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return decode_listing(body, server_time=NOW, where="GET /v1/images", **options)


def told(row, *more):
    """Give a page of one row that says more behind what it said."""
    text = json.dumps(row)[:-1] + "".join(f", {said}" for said in more) + "}"
    return f'{{"success": true, "data": {{"images": [{text}], "nextCursor": null}}}}'.encode()


@pytest.mark.parametrize("status", ["201 C", "202 A", "203 N", "206 P", "207 M", "226 I"])
def test_a_partial_status_is_no_whole_answer(raw, http, connect_to, status):
    client = connect_to(raw(http({"success": True, "data": PAGE}, status)).url, max_wait=0.01)

    with pytest.raises(ResponseFormatError, match=r"which is not a whole answer; nothing was "):
        list(client.iter_pages())


HEADS = [
    {"link": '</v1/images?cursor=2>; rel="next"'},
    {"link": "</v1/images?cursor=2>; rel=next"},
    {"link": "<a>; rel=prev, <b>; title=\"a, b; c\"; REL='prefetch NEXT'"},
    {"link": '</v1/images>; rel="first", </v1/images?page=2>; rel="next"; type="x"'},
    {"x-next-page": "2"},
    {"x-next-cursor": "abc"},
    {"x-has-more": "true"},
    {"content-range": "items 0-99/250"},
    {"content-range": "images 0-99/*"},
]


@pytest.mark.parametrize("head", HEADS, ids=str)
def test_a_head_that_tells_of_more_is_heard(raw, http, connect_to, head):
    named = {name.replace("-", "_"): value for name, value in head.items()}
    for page, call in ((PAGE, lambda client: list(client.iter_pages())), (CHANGES, read_changes)):
        client = connect_to(raw(http({"success": True, "data": page}, **named)).url)

        with pytest.raises(ResponseFormatError, match="more"):
            call(client)


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"link": ""},
        {"link": '</next>; rel="prev"'},
        {"link": '<https://docs.picora.com/next>; rel="help"; title="next steps"'},
        {"x-next-page": ""},
        {"x-has-more": "false"},
        {"content-range": "items 0-99/100"},
        # Longer than any number of images, and than what Python makes a number of.
        {"content-range": f"items {'1' * 60_000}"},
        {"content-range": f"items 0-{'9' * 5_000}/{'9' * 5_000}"},
    ],
    ids=str,
)
def test_a_head_that_tells_of_no_more_is_none(head):
    assert not head_says_more(head)


@pytest.mark.parametrize(
    ("head", "body", "total"),
    [
        ({"x_total_count": "500"}, {}, 500),
        ({"x_total": "1,000"}, {"total": 20}, 1000),
        ({"x_total_count": "20"}, {"total": 500}, 500),
        ({"x_total_count": "many"}, {"total": 20}, 20),
        ({"x_total_count": "9" * 5_000}, {}, None),
        ({}, {}, None),
    ],
    ids=str,
)
def test_a_total_in_the_head_counts_like_one_beside_the_rows(
    raw, http, connect_to, head, body, total
):
    client = connect_to(raw(http({"success": True, "data": PAGE | body}, **head)).url)

    assert next(client.iter_pages()).total == total


PARTS = [
    {"pageInfo": {"hasNextPage": True, "endCursor": "x"}},
    {"page_info": {"has_next_page": True}},
    {"links": {"next": "/v1/images?cursor=2"}},
    {"_links": {"self": {"href": "a"}, "next": {"href": "b"}}},
    {"links": [{"rel": "self", "href": "a"}, {"rel": "next", "href": "b"}]},
    {"meta": {"pagination": {"links": {"next": "b"}}}},
    {"meta": {"currentPage": 1, "totalPages": 3}},
    {"page": {"page": 1, "pages": "2"}},
    {"pagination": {"has_next": "true"}},
    {"paging": {"next": "b"}},
    {"nextPageToken": "x"},
    {"next_token": "x"},
    {"nextLink": "x"},
    {"@odata.nextLink": "x"},
    {"next": "/v1/images?page=2"},
    {"nextOffset": 100},
    {"continuation": "x"},
    {"continuationToken": "x"},
    {"isTruncated": True},
    {"IsTruncated": "true"},
    {"truncated": 1},
    {"partial": True},
    {"incomplete_results": True},
    {"timed_out": True},
    {"last": False},
    {"isLastPage": "false"},
    {"complete": False},
    {"done": False},
]


@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("beside", [True, False], ids=["beside the rows", "around them"])
def test_an_answer_that_tells_of_more_in_any_words_is_not_the_last(part, beside):
    answer = {"data": PAGE | part} if beside else {"data": PAGE} | part

    with pytest.raises(ResponseFormatError, match="more images follow, and gives no cursor"):
        decode(answer)


@pytest.mark.parametrize(
    "part",
    [
        {"pageInfo": {"hasNextPage": False, "endCursor": "x"}},
        {"links": {"next": None, "prev": "a"}},
        {"links": [{"rel": "prev", "href": "a"}]},
        {"meta": {"currentPage": 3, "totalPages": 3}},
        {"page": {"page": 0, "pages": 1}},
        {"isTruncated": False},
        {"last": True},
        {"next": ""},
        {"nextOffset": -1},
        {"requestId": "r", "took": 5},
        {"quota": {"total": 5_000_000_000, "next": "pro"}},
    ],
    ids=str,
)
def test_an_answer_that_tells_of_no_more_is_the_last(part):
    listing = decode({"data": PAGE | part})

    assert (listing.next_cursor, listing.has_more, listing.total) == (None, False, None)


@pytest.mark.parametrize(
    ("part", "total"),
    [
        ({"total": 20, "meta": {"total": 500}}, 500),
        ({"total": 500, "totalCount": 20}, 500),
        ({"meta": {"total": {"value": 500, "relation": "eq"}}}, 500),
        ({"total": "1,000"}, 1000),
        ({"total": "12 500"}, 12_500),
        ({"total": "500+"}, 500),
        ({"total": "many"}, None),
        ({"total": "1,00"}, None),
        ({"total": None, "count": 1}, None),
    ],
    ids=str,
)
def test_of_several_totals_the_largest_counts(part, total):
    assert decode({"data": PAGE | part}).total == total


@pytest.mark.parametrize("part", PARTS, ids=str)
def test_with_a_cursor_it_goes_on_whatever_else_is_said(part):
    assert decode({"data": PAGE | {"nextCursor": "c"} | part}).next_cursor == "c"


def test_a_bare_list_is_no_library_where_it_is_empty_or_full():
    with pytest.raises(ResponseFormatError, match="but an empty list; an unknown page is not an"):
        decode([])
    with pytest.raises(ResponseFormatError, match="more images follow"):
        decode([ROW | {"id": f"{at}"} for at in range(100)])
    assert decode([ROW]).columns["id"] == ["aB3dE5fG7hJ"]


def test_pages_that_turn_in_circles_are_left(raw, http, connect_to):
    pages = [http({"data": PAGE | {"nextCursor": cursor}}) for cursor in ("a", "b", "a")]

    with pytest.raises(ResponseFormatError, match="the listing turns in circles; it was left"):
        list(connect_to(raw(*pages).url).iter_pages())


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists) | st.text())
@pytest.mark.slow
def test_any_value_of_a_part_is_borne(value):
    names = ("next", "links", "page", "hasNextPage", "last", "rel")
    answer = dict.fromkeys(names, value) | {"meta": {"totalPages": value, "page": value}}

    assert parts_say_more(parts_of(answer, value)) in (True, False)


# A row that says a thing twice

OTHERS = {
    "filename": '"filename": "b.png"',
    "mimeType": '"mimeType": "image/gif"',
    "sizeBytes": '"sizeBytes": 6',
    "width": '"width": 7',
    "height": '"height": null',
    "isPublic": '"isPublic": false',
    "tags": '"tags": []',
    "createdAt": '"createdAt": "2015-01-01T00:00:00Z"',
    "updatedAt": '"updatedAt": "2015-01-01T00:00:00Z"',
}
COLUMNS = {
    "mimeType": "mime_type",
    "sizeBytes": "size_bytes",
    "isPublic": "is_public",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}
# Behind it, so that the number of its quotes, names or colons would be that of an honest row.
DISGUISES = [
    pytest.param({}, "{}", id="plain"),
    pytest.param({}, "{} ", id="a blank"),
    pytest.param({"title": 'a \\" b'}, "{}", id="quotes in a title"),
    pytest.param({"title": "\\"}, "{}", id="a backslash"),
    pytest.param({"userId": 5}, "{}", id="a field with fewer quotes"),
    pytest.param({"more": "?"}, "{}", id="an unknown field"),
]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize(("row", "form"), DISGUISES)
def test_a_field_said_twice_and_differently_is_unknown_and_counted(name, row, form):
    listing = decode(told(ROW | row, form.format(OTHERS[name])))

    column = COLUMNS.get(name, name)
    assert listing.columns[column] == [None]
    assert listing.unreadable == {column: 1}


@pytest.mark.parametrize("name", OTHERS)
def test_a_name_spelled_with_escapes_is_the_same_name(name):
    escaped = (
        f'"\\u{ord(name[0]):04x}{name[1:]}"' + OTHERS[name].partition('"')[2].partition('"')[2]
    )

    assert decode(told(ROW, escaped)).unreadable == {COLUMNS.get(name, name): 1}


@pytest.mark.parametrize("name", [name for name in ROW if name != "title"])
def test_a_field_said_twice_alike_is_known(name):
    again = json.dumps({name: ROW[name]})[1:-1]

    listing = decode(told(ROW, again))

    assert listing.unreadable == {}
    assert listing.columns == decode({"data": PAGE}).columns


@pytest.mark.parametrize(
    ("spelling", "column"),
    [
        ('"is_public": false', "is_public"),
        ('"size": 6', "size_bytes"),
        ('"created_at": "2015-01-01T00:00:00Z"', "created_at"),
        ('"updated_at": "2015-01-01T00:00:00Z"', "updated_at"),
    ],
)
def test_two_spellings_that_contradict_each_other_are_unknown(spelling, column):
    listing = decode(told(ROW, spelling))
    image = decode_image(
        json.dumps({"data": ROW | json.loads(f"{{{spelling}}}")}).encode(), where="GET"
    )

    assert (listing.columns[column], listing.unreadable) == ([None], {column: 1})
    assert getattr(image, column) is None


def test_two_spellings_that_agree_are_known():
    row = ROW | {"is_public": True, "size": 5, "created_at": "2026-02-01T10:30:00+01:00"}

    listing = decode({"data": PAGE | {"images": [row]}})

    assert listing.unreadable == {}
    assert listing.columns == decode({"data": PAGE}).columns


@pytest.mark.parametrize("name", ["id", "url"])
def test_two_ids_or_addresses_refuse_the_page(name):
    with pytest.raises(ResponseFormatError, match="an image without an id or a URL"):
        decode(told(ROW, f'"{name}": "https://img.picora.com/b"'))


def test_an_event_of_two_kinds_is_no_event(raw, http, connect_to):
    event = '"type": "image", "id": "a", "updatedAt": "2026-11-01T00:00:00Z", "op": "delete"'
    body = f'{{"data": {{"changes": [{{{event}, "op": "upsert"}}], "nextCursor": null}}}}'

    with pytest.raises(ResponseFormatError, match="answered no page of changes"):
        read_changes(connect_to(raw(http(body.encode())).url, max_wait=0.01))
