"""Evidence comes from Picora or from nowhere: what something in between says is about neither key nor image."""

import itertools
import json

import pytest

from picora_analytics import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    ResponseFormatError,
    StatusError,
)
from picora_analytics.client.answers import GatewayError
from picora_analytics.client.changes import BatchUnknownError, delete_batch, delete_one
from picora_analytics.client.feed import read_changes

ROW = {"id": "aB3dE5fG7hJ", "url": "https://img.picora.com/a.png"}
GATEWAYS = [
    pytest.param(b"<html><title>404</title></html>", "an HTML page", id="HTML"),
    pytest.param(b"\n\n  <!DOCTYPE html>", "an HTML page", id="HTML after blanks"),
    pytest.param(b"no healthy upstream", "other text", id="text"),
    pytest.param(b"", "no text", id="nothing"),
    pytest.param(b" \r\n", "no text", id="blanks"),
    pytest.param(b"[]", "JSON", id="a list"),
    pytest.param(b'{"message": "no Route matched"}', "JSON", id="another's JSON"),
    pytest.param(b'{"error": null}', "JSON", id="an error that is none"),
    pytest.param(b'{"success": true, "data": null}', "JSON", id="a success"),
    pytest.param(b"\xff\xfe\x00", "other text", id="bytes"),
]
STATUSES = {
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    410: "410 Gone",
    423: "423 Locked",
}


@pytest.mark.parametrize(("body", "kind"), GATEWAYS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_gateways_refusal_is_about_neither_the_key_nor_an_image(
    raw, http, connect_to, status, body, kind
):
    client = connect_to(raw(http(body, STATUSES[status])).url)

    with pytest.raises(GatewayError, match=f" answered {status} with {kind}, which is not ") as no:
        client.get_image("aB3dE5fG7hJ")

    assert not isinstance(no.value, NotFoundError | AuthenticationError | PermissionDeniedError)
    assert no.value.status_code == status


@pytest.mark.parametrize(("body", "kind"), GATEWAYS)
@pytest.mark.parametrize("status", STATUSES)
def test_a_gateways_refusal_leaves_open_what_was_deleted(raw, http, connect_to, status, body, kind):
    client = connect_to(raw(http(body, STATUSES[status])).url)

    assert delete_one(client, "aB3dE5fG7hJ").word == "unknown"
    if status == 404:  # Whoever says so, no route took the request.
        with pytest.raises(BatchUnknownError):
            delete_batch(client, ["aB3dE5fG7hJ"])
    else:
        assert delete_batch(client, ["aB3dE5fG7hJ"])["aB3dE5fG7hJ"].word == "unknown"


@pytest.mark.parametrize(
    ("status", "error", "word"),
    [
        ("401 No", AuthenticationError, None),
        ("403 No", PermissionDeniedError, None),
        ("404 No", NotFoundError, "gone"),
        ("409 No", StatusError, "failed"),
    ],
)
@pytest.mark.parametrize(
    "body", [{"success": False, "error": "no"}, {"error": {"code": "X"}}, {"success": False}]
)
def test_picoras_own_refusal_counts(raw, http, connect_to, status, error, word, body):
    client = connect_to(raw(http(body, status)).url)

    with pytest.raises(error):
        client.get_image("aB3dE5fG7hJ")
    if word is None:
        with pytest.raises(error):
            delete_one(client, "aB3dE5fG7hJ")
    else:
        assert delete_one(client, "aB3dE5fG7hJ").word == word


@pytest.mark.parametrize("status", ["408 T", "425 E", "444 N", "460 C", "499 C", "500 I", "504 T"])
@pytest.mark.parametrize("body", [b"", {"success": False, "error": "timed out"}])
def test_a_request_that_was_cut_off_may_have_been_carried_out(raw, http, connect_to, status, body):
    client = connect_to(raw(http(body, status)).url)

    assert delete_one(client, "a").word == "unknown"
    assert delete_batch(client, ["a"])["a"].word == "unknown"


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        pytest.param("204 No Content", b"", "deleted", id="the seed's"),
        pytest.param("200 OK", {"success": True, "data": None}, "deleted", id="OpenAPI's"),
        pytest.param("200 OK", b"", "deleted", id="without a word"),
        pytest.param("200 OK", b"<html>Sign in</html>", "unknown", id="a login page"),
        pytest.param("200 OK", {"success": False, "error": "locked"}, "unknown", id="a failure"),
        pytest.param("200 OK", {"data": None, "errors": ["x"]}, "unknown", id="errors beside"),
        pytest.param("202 Accepted", {"success": True}, "unknown", id="accepted"),
        pytest.param("206 Partial", {"success": True}, "unknown", id="in part"),
        pytest.param("207 Multi", {"success": True}, "unknown", id="of several parts"),
    ],
)
def test_an_image_is_deleted_where_the_answer_does_not_say_otherwise(
    raw, http, connect_to, status, body, word
):
    assert delete_one(connect_to(raw(http(body, status)).url), "a").word == word


UNTRUE = [False, None, 0, 1, "true", "false", "error", "", [], {}]
FILLED = ["timed out", {"message": "x"}, ["x"], {"code": 1}, True, 7]
FAILURES = [
    *({"success": said, "data": {"images": []}} for said in UNTRUE),
    *({"success": said, "error": "x", "data": {"images": [ROW]}} for said in UNTRUE),
    *({"error": said, "data": {"items": [ROW], "nextCursor": None}} for said in FILLED),
    *({"success": True, "errors": said, "data": {"images": [ROW]}} for said in FILLED),
    *({"items": [], "error": said} for said in FILLED),
    *({"success": True, "data": {"images": [], "error": said}} for said in FILLED),
    {"success": True, "data": {"images": [], "success": False}},
    {"ok": False, "data": {"images": []}},
    {"status": "error", "data": {"images": []}},
    {"status": "partial", "data": {"images": [ROW]}},
]


@pytest.mark.parametrize("answer", FAILURES, ids=json.dumps)
def test_a_success_that_says_it_failed_is_no_library(raw, http, connect_to, answer):
    client = connect_to(raw(http(answer)).url, max_wait=0.01)

    with pytest.raises(ResponseFormatError, match="that it failed, though with the status of a"):
        list(client.iter_pages())


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda client: client.get_image("a"), id="an image"),
        pytest.param(lambda client: client.verify(), id="verify"),
        pytest.param(lambda client: client.usage(), id="usage"),
        pytest.param(lambda client: read_changes(client), id="the feed"),
    ],
)
@pytest.mark.parametrize(
    "said", [{"success": None}, {"success": "true"}, {"error": "x"}, {"errors": [{}]}]
)
def test_no_other_call_believes_a_failure_under_200(raw, http, connect_to, call, said):
    data = {**ROW, "userId": "u", "images": {}, "changes": [], "nextCursor": None}
    client = connect_to(raw(http({"data": data, **said})).url, max_wait=0.01)

    with pytest.raises(ResponseFormatError, match="that it failed"):
        call(client)


@pytest.mark.parametrize("said", [{}, {"success": True}, {"error": None}, {"error": ""}])
@pytest.mark.parametrize("more", [{}, {"errors": []}, {"requestId": "r-1"}])
def test_an_error_that_is_empty_is_none(raw, http, connect_to, said, more):
    page = {"data": {"images": [ROW], "nextCursor": None}, **said, **more}

    (page,) = connect_to(raw(http(page)).url).iter_pages()

    assert [image.id for image in page.images] == ["aB3dE5fG7hJ"]


@pytest.mark.parametrize("status", ["403 Forbidden", "401 Unauthorized"])
def test_a_gateway_does_not_turn_an_account_into_another(raw, http, connect_to, status):
    client = connect_to(raw(http(b"<html>", status)).url)

    for ask in (client.verify, client.usage, client.account):
        with pytest.raises(GatewayError):
            ask()


@pytest.mark.parametrize("status", ["404 Not Found", "405 Method Not Allowed"])
def test_a_server_without_a_route_may_say_so_in_any_words(raw, http, connect_to, status):
    client = connect_to(raw(http(b"Cannot GET /v1/auth/verify", status)).url)

    assert client.verify() is None
    assert client.usage() is None


HUGE = "x" * 3_000_000


@pytest.mark.parametrize(
    ("status", "body"),
    list(
        itertools.chain(
            (("400 No", {"error": said}) for said in (HUGE, [HUGE], {"message": HUGE})),
            (("200 OK", {"success": False, "error": said}) for said in (HUGE, {HUGE: HUGE})),
            (("200 OK", {"data": said}) for said in ({HUGE: 1}, dict.fromkeys(HUGE[:9] + "y", 1))),
            [("200 OK", {"data": {f"{at}": 1 for at in range(50_000)}}), ("403 No", HUGE)],
        )
    ),
    ids=lambda value: str(value)[:30],
)
def test_no_message_is_longer_than_a_screen(raw, http, connect_to, status, body):
    client = connect_to(raw(http(body, status)).url, max_wait=0.01)

    with pytest.raises((StatusError, ResponseFormatError)) as caught:
        list(client.iter_pages())

    assert len(str(caught.value)) < 1000


def test_an_id_of_megabytes_in_a_batch_answer_is_cut(raw, http, connect_to):
    answer = {"data": {"deleted": [HUGE], "failed": []}}

    with pytest.raises(ResponseFormatError, match=r"^.{0,400}was not asked for"):
        delete_batch(connect_to(raw(http(answer)).url), ["a"])
