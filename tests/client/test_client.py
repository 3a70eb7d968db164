"""The reading client: pages, one image, and what a newer service tells besides."""

import re

import pytest

from picora_analytics import AuthenticationError, Client, NotFoundError, StatusError
from picora_analytics.client import Credentials, Usage


def exactly(text):
    return f"^{re.escape(text)}$"


def test_pages_hold_a_hundred_images_and_follow_the_cursor(serve):
    server, client = serve(230)

    pages = list(client.iter_pages())

    assert [len(page.images) for page in pages] == [100, 100, 30]
    assert pages[-1].next_cursor is None
    assert [seen.query.get("limit") for seen in server.requests] == ["100"] * 3


def test_a_listing_goes_on_from_a_cursor_and_repeats_its_filters(serve):
    server, client = serve(30)
    tag = max((tag for image in server.images.values() for tag in image.tags), key=len)
    first = next(client.iter_pages(tag=tag, page_size=1))

    rest = list(client.iter_pages(tag=tag, cursor=first.next_cursor, page_size=1))

    ids = [image.id for page in [first, *rest] for image in page.images]
    assert sorted(ids) == sorted(one for one, image in server.images.items() if tag in image.tags)
    assert {seen.query["tag"] for seen in server.requests} == {tag}


@pytest.mark.parametrize("page_size", [0, 101, -1, True, 2.5, "20", None])
def test_a_page_size_out_of_bounds_is_refused_before_anything_is_sent(serve, page_size):
    server, client = serve()

    with pytest.raises(
        ValueError, match=exactly(f"page_size={page_size!r} is not between 1 and 100.")
    ):
        client.iter_pages(page_size=page_size)

    assert server.requests == []


def test_a_tag_that_is_none_is_refused(serve):
    _, client = serve()

    with pytest.raises(
        ValueError, match=exactly("tag='' is no tag; leave it out for the whole library.")
    ):
        client.iter_pages(tag="")
    with pytest.raises(TypeError, match=exactly("tag must be the text of one tag, not list.")):
        client.iter_pages(tag=["cat", "dog"])
    with pytest.raises(
        ValueError,
        match=exactly("tag='a\\udcff' holds half a character; give the tag as Picora shows it."),
    ):
        client.iter_pages(tag="a\udcff")


def test_one_image_is_read_by_its_id(serve):
    server, client = serve(3)
    wanted = next(iter(server.images.values()))

    image = client.get_image(wanted.id)

    assert (image.id, image.filename, image.size_bytes) == (
        wanted.id,
        wanted.filename,
        wanted.size_bytes,
    )


@pytest.mark.parametrize(
    "image_id",
    [
        "-aT40cZpLq8",
        "_x",
        "a/b",
        "a b",
        "a%2Fb",
        "a../me",
        "产品",
        "a;b",
        "...",
        "a\x1b[2J",
    ],
)
def test_an_odd_id_travels_as_itself(serve, image_id):
    server, client = serve(1)

    with pytest.raises(NotFoundError):
        client.get_image(image_id)

    (seen,) = server.requests
    assert seen.path in (f"/v1/images/{image_id}", f"/v1/images/{image_id}".replace("%2F", "/"))
    assert seen.query == {}


@pytest.mark.parametrize("image_id", ["a/b", "a%2Fb", "a../me", "a?b", "a#b"])
def test_an_odd_id_is_percent_encoded_on_the_wire(raw, http, connect_to, image_id):
    server = raw(http({"error": "no"}, "404 Not Found"))

    with pytest.raises(NotFoundError, match=r" answered 404 NOT_FOUND: no\.$"):
        connect_to(server.url).get_image(image_id)

    encoded = image_id.replace("%", "%25")
    for char, code in (("/", "%2F"), ("?", "%3F"), ("#", "%23")):
        encoded = encoded.replace(char, code)
    assert server.asked[0].split(b" ")[1] == f"/v1/images/{encoded}".encode()


@pytest.mark.parametrize("image_id", ["", ".", "..", None, 5])
def test_what_cannot_be_an_id_is_not_sent(serve, image_id):
    server, client = serve()

    with pytest.raises(
        ValueError, match=exactly(f"image_id={image_id!r} is not the id of an image.")
    ):
        client.get_image(image_id)

    assert server.requests == []


# What a newer service tells besides


def test_verify_tells_whose_key_it_is(serve):
    _, client = serve(user_id="someone")

    assert client.verify() == Credentials("someone", "pro", "apiKey")


def test_usage_tells_what_the_service_counts(serve):
    server, client = serve(12, quota_bytes=5 * 1024**3)
    stored = sum(image.size_bytes for image in server.images.values())

    assert client.usage() == Usage(12, stored, 5 * 1024**3, "pro")


def test_a_service_of_the_seed_document_tells_neither(serve):
    _, client = serve(seed_only=True)

    assert client.verify() is None
    assert client.usage() is None


@pytest.mark.parametrize("status", [401, 403, 404, 405, 422])
def test_usage_may_be_refused(serve, status):
    server, client = serve()
    server.fail("GET", "/v1/user/me/usage", status=status)

    assert client.usage() is None


@pytest.mark.parametrize("status", [403, 404, 405, 422])
def test_verify_may_be_unknown(serve, status):
    server, client = serve()
    server.fail("GET", "/v1/auth/verify", status=status)

    assert client.verify() is None


def test_a_refused_key_is_an_error_at_verify(serve):
    server, _ = serve()

    with (
        Client("sk_live_wrong", server.url) as client,
        pytest.raises(AuthenticationError, match=r"set PICORA_BASE_URL to one of .*picora\.cn\.$"),
    ):
        client.verify()


def test_a_failing_server_is_an_error_at_usage_too(serve):
    server, client = serve(max_wait=0.05)
    server.fail("GET", "/v1/user/me/usage", status=500, times=None)

    with pytest.raises(StatusError, match=r"answered 500 INTERNAL: Scripted fault\.$"):
        client.usage()


@pytest.mark.parametrize(
    ("data", "usage"),
    [
        pytest.param({}, Usage(), id="nothing"),
        pytest.param(
            {"images": None, "planLimits": None, "plan": None}, Usage(), id="every block null"
        ),
        pytest.param(
            {
                "images": {"totalCount": "7", "storageUsed": -1},
                "planLimits": {"imgStorageBytes": True},
            },
            Usage(),
            id="no counts",
        ),
        pytest.param({"images": [], "plan": 5}, Usage(), id="other types"),
        pytest.param(
            {"images": {"totalCount": 0}, "plan": "trial"}, Usage(0, plan="trial"), id="a zero"
        ),
    ],
)
def test_any_part_of_usage_may_be_missing(serve, data, usage):
    server, client = serve()
    server.fail("GET", "/v1/user/me/usage", body=lambda _: {"success": True, "data": data})

    assert client.usage() == usage


@pytest.mark.parametrize("user_id", [None, "", 7, ["x"]])
def test_verify_without_a_user_tells_nothing(serve, user_id):
    server, client = serve()
    server.fail(
        "GET", "/v1/auth/verify", body=lambda _: {"data": {"valid": True, "userId": user_id}}
    )

    assert client.verify() is None


# Accounts


def test_an_account_is_the_same_under_each_of_its_keys(serve):
    key = "sk_live_another0key0of0the0same0user"
    _, one = serve(1, user_id="someone")
    server, two = serve(1, user_id="someone", api_key=key)

    assert one.account() == two.account()
    assert re.fullmatch("[0-9a-f]{16}", one.account())
    assert server.requests[0].path == "/v1/auth/verify"


def test_another_user_and_another_host_are_other_accounts(serve):
    server, one = serve(1, user_id="someone")
    _, other_user = serve(1, user_id="someone-else")

    with Client(server.api_key, server.url.replace("127.0.0.1", "localhost")) as other_host:
        assert len({one.account(), other_user.account(), other_host.account()}) == 3


def test_where_the_user_is_not_told_the_account_goes_by_the_key(serve):
    first, second = ("sk_live_" + letter * 32 for letter in "ab")
    _, one = serve(1, seed_only=True, api_key=first)
    _, same = serve(1, seed_only=True, api_key=first)
    _, other = serve(1, seed_only=True, api_key=second)
    _, long = serve(1, seed_only=True, api_key="e" * 900)

    accounts = [client.account() for client in (one, same, other, long)]

    assert accounts[0] == accounts[1]
    assert len(set(accounts)) == 3
    assert not any(text in "".join(accounts) for text in ("sk_live", "a" * 8, "b" * 8))


def test_the_account_is_asked_for_once(serve):
    server, client = serve()

    client.account()
    client.account()

    assert len(server.requests) == 1


# Its life


def test_whether_it_is_the_demo_is_known_from_the_first_answer_on(serve):
    server, client = serve()
    before = client.demo

    client.verify()

    assert (before, client.demo) == (False, True)
    assert repr(client) == f"Client(base_url='{server.url}', demo)"


def test_another_server_is_not_the_demo(raw, http, connect_to):
    server = raw(http({"data": {"userId": "x"}}, server="nginx"))
    client = connect_to(server.url)

    client.verify()

    assert not client.demo


def test_the_environment_names_key_and_host(serve, monkeypatch):
    server, _ = serve(2)
    monkeypatch.setenv("PICORA_API_KEY", server.api_key)
    monkeypatch.setenv("PICORA_BASE_URL", server.url + "/v1/")

    with Client() as client:
        assert sum(len(page.images) for page in client.iter_pages()) == 2


def test_without_a_base_url_it_is_the_seed_documents_host(monkeypatch):
    monkeypatch.setenv("PICORA_BASE_URL", "")

    with Client("sk_live_x") as client:
        assert client.base_url == "https://api.picora.com"
