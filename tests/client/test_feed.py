"""The change feed read page by page, to its end or to an error."""

import datetime as dt

import pytest

from picora_analytics import AuthenticationError, ResponseFormatError
from picora_analytics.client.feed import read_changes

DATE = "Mon, 23 Nov 2026 14:00:00 GMT"


def change(one="a", **fields):
    return {
        "op": "upsert",
        "type": "image",
        "id": one,
        "updatedAt": "2026-11-23T14:00:00Z",
    } | fields


@pytest.fixture
def feed(raw, http, connect_to):
    """Give what answers with pages of the feed, and a client that asks for them."""

    def start(*pages, **answer):
        server = raw(
            *(http({"success": True, "data": page}, date=DATE, **answer) for page in pages)
        )
        return server, connect_to(server.url, max_wait=0.3)

    return start


def page(*changes, cursor=None, **fields):
    return {"changes": list(changes), "nextCursor": cursor, **fields}


def test_pages_are_followed_and_the_last_cursor_that_was_given_is_kept(feed):
    server, client = feed(
        page(change("a", contentHash="h", sizeBytes=3, new={"x": 1}), cursor="c1", hasMore=True),
        page(change("b", op="delete"), cursor="c2", hasMore=True),
        page(change("c", updatedAt="2026-11-23T14:00:00.123Z"), hasMore=False),
    )

    pages = list(read_changes(client, "c0"))

    assert [[(found.id, found.op) for found in one.changes] for one in pages] == [
        [("a", "upsert")],
        [("b", "delete")],
        [("c", "upsert")],
    ]
    assert [one.cursor for one in pages] == ["c1", "c2", "c2"]
    assert pages[0].changes[0].content_hash == "h"
    assert pages[2].changes[0].updated_at.microsecond == 123_000
    assert pages[0].server_time == dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)
    asked = [line.split(b" ")[1].decode() for line in server.asked]
    assert asked == [
        f"/v1/sync/state?type=image&limit=500&since={cursor}" for cursor in ("c0", "c1", "c2")
    ]


def test_a_library_under_one_page_never_gets_a_cursor(feed):
    server, client = feed(page(change()))

    pages = list(read_changes(client))

    assert [one.cursor for one in pages] == [""]
    assert b"since" not in server.asked[0].split(b"\r\n")[0]


def test_a_cursor_at_the_end_is_kept_and_not_followed(feed):
    server, client = feed(page(change(), cursor="end", hasMore=False))

    assert [one.cursor for one in read_changes(client)] == ["end"]
    assert len(server.asked) == 1


def test_other_media_are_left_out_whatever_befell_them(feed):
    _, client = feed(page(change("v", type="video", op="transcode"), change("a")))

    (found,) = read_changes(client)

    assert [one.id for one in found.changes] == ["a"]


def test_a_name_cut_in_an_emoji_is_no_fault_of_the_event(feed):
    _, client = feed(page(change("a", filename="\ud83d")))

    (found,) = read_changes(client)

    assert [one.id for one in found.changes] == ["a"]


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        pytest.param([page(change(op="moved"))], "cannot be known from it.", id="an unknown kind"),
        pytest.param(
            [page(change(), hasMore=True)], "cannot be known from it.", id="more but no cursor"
        ),
        pytest.param([{"images": []}], "nothing was taken from it.", id="no changes"),
        pytest.param(
            [page({"op": "upsert"})], "nothing was taken from it.", id="an event cut short"
        ),
        pytest.param(
            [page(change(updatedAt="2026-11-23"))], "nothing was taken from it.", id="no time zone"
        ),
        pytest.param(
            [page(change("\ud83d"))], "nothing was taken from it.", id="an id that is no text"
        ),
        pytest.param(
            [page(change(), cursor="c")], "turns in circles; it was left.", id="one cursor for ever"
        ),
        pytest.param(
            [page(cursor=f"c{n}") for n in range(9)],
            "turns in circles; it was left.",
            id="nothing for ever",
        ),
    ],
)
def test_what_is_no_feed_is_an_error(feed, answer, end):
    _, client = feed(*answer)

    with pytest.raises(ResponseFormatError, match=f"{end}$"):
        list(read_changes(client))


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "404 Not Found", "405 No", "422 No", "400 Bad"]
)
def test_a_server_without_a_feed_is_told_from_an_empty_feed(feed, status):
    _, client = feed(page(), status=status)

    assert read_changes(client) is None


def test_a_refused_key_is_an_error(raw, http, connect_to):
    server = raw(http({"success": False, "error": "no"}, "401 Unauthorized"))

    with pytest.raises(AuthenticationError):
        read_changes(connect_to(server.url))


def test_a_page_that_says_twice_where_to_go_on_is_an_error(raw, http, connect_to):
    body = b'{"data": {"changes": [], "nextCursor": "c1", "nextCursor": null, "hasMore": false}}'
    client = connect_to(raw(http(body, date=DATE)).url, max_wait=0.3)

    with pytest.raises(ResponseFormatError, match="says 'nextCursor' twice"):
        list(read_changes(client, "c0"))
