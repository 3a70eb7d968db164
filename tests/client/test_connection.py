"""Every way an answer can fail, the retries, and the key that stays where it belongs."""

import contextlib
import datetime as dt
import email.utils
import gzip
import json
import os
import pickle
import re
import signal
import socket
import threading
import time
import traceback
import warnings

import httpx
import pytest

from picora_analytics import (
    APIError,
    AuthenticationError,
    Client,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    ResponseFormatError,
    StatusError,
    TransportError,
)
from picora_analytics.client.keys import read_base_url
from picora_analytics.client.masking import mask
from picora_analytics.client.proxies import proxy_for

CANARY = "sk_live_CANARY0canary0CANARY0canary00"
EMPTY = {"success": True, "data": {"images": [], "nextCursor": None}}


def exactly(text):
    return f"^{re.escape(text)}$"


def listing(client):
    return [image for page in client.iter_pages() for image in page.images]


# Keys that cannot be one


@pytest.mark.parametrize(
    ("key", "message"),
    [
        pytest.param(
            "",
            "The API key in api_key is empty; give a key such as sk_live_ + 32 characters.",
            id="empty",
        ),
        pytest.param(
            " \n",
            "The API key in api_key is empty; give a key such as sk_live_ + 32 characters.",
            id="blank",
        ),
        *(
            pytest.param(
                key,
                f"The API key in api_key ({len(key.strip())} characters) holds blanks, line breaks or characters "
                "no key has; copy it anew from Picora's dashboard.",
                id=name,
            )
            for key, name in [
                (f"{CANARY} x", "a blank inside"),
                (f"{CANARY}\r\nX-Evil: 1", "a line break inside"),
                (f"{CANARY}é", "not ASCII"),
                (f"{CANARY}\x00", "a control character"),
            ]
        ),
    ],
)
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key, message):
    with pytest.raises(AuthenticationError, match=exactly(message)) as caught:
        Client(key, "https://api.picora.com")

    assert (caught.value.status_code, caught.value.code) == (401, "UNAUTHORIZED")
    assert CANARY not in str(caught.value)


def test_no_key_at_all_says_what_to_do(monkeypatch):
    monkeypatch.delenv("PICORA_API_KEY", raising=False)

    with pytest.raises(
        AuthenticationError,
        match=exactly(
            "No API key: set PICORA_API_KEY, or try picora_analytics.connect(ask=True); without an "
            "account, picora_analytics.DemoServer() plays Picora on this machine."
        ),
    ):
        Client()


def test_an_empty_key_in_the_environment_is_named_as_such(monkeypatch):
    monkeypatch.setenv("PICORA_API_KEY", "  ")

    with pytest.raises(
        AuthenticationError,
        match=exactly(
            "The API key in PICORA_API_KEY is empty; give a key such as sk_live_ + 32 characters."
        ),
    ):
        Client()


def test_a_key_of_another_type_is_a_type_error():
    with pytest.raises(TypeError, match=exactly("api_key must be text, not bytes.")):
        Client(b"sk_live_x")


def test_blanks_around_a_key_are_taken_off(raw, http, connect_to):
    server = raw(http(EMPTY))

    listing(connect_to(server.url, f"  {CANARY}\n"))

    assert f"\r\nauthorization: bearer {CANARY.lower()}\r\n" in server.asked[0].decode().lower()


# Base URLs


@pytest.mark.parametrize("ending", ["", "/", "/v1", "/v1/", "/v1/images", "/v1/images/", "//"])
def test_a_base_url_may_hold_part_of_the_path(serve, connect_to, ending):
    server, _ = serve(2)

    client = connect_to(server.url + ending, server.api_key)

    assert len(listing(client)) == 2
    assert client.base_url == server.url


def test_a_base_url_is_written_in_one_way():
    assert str(read_base_url(" https://API.Picora.COM:443/v1 ")) == "https://api.picora.com"
    assert str(read_base_url("https://gate.example/picora/v1/")) == "https://gate.example/picora"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("picora", "picora", id="a word"),
        pytest.param("api.picora.com", "api.picora.com", id="no scheme"),
        pytest.param("ftp://api.picora.com", "ftp://api.picora.com", id="another scheme"),
        pytest.param("https://", "https://", id="no host"),
        pytest.param("https://a b", "https://a b", id="a blank"),
        pytest.param("https://xn--a/", "https://xn--a/", id="a broken name"),
        pytest.param("https://x:99999999", "https://x:99999999", id="an impossible port"),
        pytest.param("https://x?y=1", "https://x?y=1", id="a query"),
        pytest.param("https://x#y", "https://x#y", id="a fragment"),
        pytest.param(f"https://me:{CANARY}@x", "…@x", id="a password"),
        pytest.param(f"https://x?key={CANARY}", "https://x?key=<key>", id="a key in the query"),
        pytest.param(f"https://x/{CANARY}", "https://x/<key>", id="a key in the path"),
    ],
)
def test_a_base_url_that_is_none_is_refused(url, shown):
    with pytest.raises(
        ValueError,
        match=exactly(
            f"base_url={shown!r} is not the address of an API; give for example "
            "'https://api.picora.com'."
        ),
    ):
        Client(CANARY, url)


def test_plain_http_is_for_this_machine_only():
    with pytest.raises(
        ValueError,
        match=exactly(
            "base_url='http://api.picora.com' would send the key unencrypted; use https (http works on "
            "this machine only)."
        ),
    ):
        Client(CANARY, "http://api.picora.com/v1")


def test_a_base_url_of_another_type_is_a_type_error():
    with pytest.raises(TypeError, match=exactly("base_url must be text, not int.")):
        Client(CANARY, 80)


@pytest.mark.parametrize("name", ["timeout", "max_wait"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "30", None])
def test_seconds_that_are_none_are_refused(name, seconds):
    with pytest.raises(
        ValueError, match=exactly(f"{name}={seconds!r} is not a number of seconds above 0.")
    ):
        Client(CANARY, **{name: seconds})


# Statuses

OTHERS = "https://api.picora.com, https://api.picora.me, https://api.picora.cn"
HINTS = {
    401: " Check PICORA_API_KEY (keys are revoked within seconds, and access tokens live 15 minutes); or the "
    f"account lives on another deployment: set PICORA_BASE_URL to one of {OTHERS}.",
    403: " The key may lack the scope for this call; see its scopes on Picora's key page.",
}


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        pytest.param(400, StatusError, "BAD_REQUEST", id="400"),
        pytest.param(401, AuthenticationError, "UNAUTHORIZED", id="401"),
        pytest.param(402, StatusError, "BAD_REQUEST", id="402"),
        pytest.param(403, PermissionDeniedError, "FORBIDDEN", id="403"),
        pytest.param(404, NotFoundError, "NOT_FOUND", id="404"),
        pytest.param(409, StatusError, "CONFLICT", id="409"),
        pytest.param(422, StatusError, "VALIDATION_ERROR", id="422"),
        pytest.param(451, StatusError, "BAD_REQUEST", id="451"),
    ],
)
def test_a_refusal_is_an_error_of_its_own_kind_and_is_not_repeated(serve, status, kind, code):
    server, client = serve()
    server.fail("GET", "/v1/images", status=status)
    text = f"GET /v1/images at 127.0.0.1 answered {status} {code}: Scripted fault.{HINTS.get(status, '')}"

    with pytest.raises(StatusError, match=exactly(text)) as caught:
        listing(client)

    assert type(caught.value) is kind
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert caught.value.request_id == "demo-00000001"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        pytest.param('{"success": false, "error": "No."}', "NOT_FOUND", ": No.", id="the seed's"),
        pytest.param(
            '{"success": false, "error": "No", "code": "GONE_1", "meta": {"x": 1}}',
            "GONE_1",
            ": No.",
            id="with code and meta",
        ),
        pytest.param(
            '{"error": "invalid_grant", "error_description": "Too old"}',
            "NOT_FOUND",
            ": Too old.",
            id="OAuth's",
        ),
        pytest.param(
            '{"error": {"code": "NESTED", "message": "Deep", "plan": "pro"}}',
            "NESTED",
            ": Deep.",
            id="nested",
        ),
        pytest.param('{"error": {}}', "NOT_FOUND", ".", id="nested, and empty"),
        pytest.param('{"error": 5, "code": 7}', "NOT_FOUND", ": 5.", id="numbers"),
        pytest.param('{"error": "' + "x" * 500 + '"}', "NOT_FOUND", f": {'x' * 200}.", id="long"),
        pytest.param(
            '{"error": "\\u001b[2Ja\\nb\\u202e", "code": "\\u001b[31mX"}',
            "NOT_FOUND",
            ":  [2Ja b .",
            id="with escape sequences",
        ),
    ],
)
def test_each_shape_of_error_body_is_understood(serve, body, code, said):
    server, client = serve()
    server.fail("GET", "/v1/images", status=404, body=body)

    with pytest.raises(
        NotFoundError, match=exactly(f"GET /v1/images at 127.0.0.1 answered 404 {code}{said}")
    ) as caught:
        listing(client)

    assert caught.value.code == code


# Passing faults

GOOD_AFTER = [
    pytest.param({"status": 408}, id="408"),
    pytest.param({"status": 500}, id="500"),
    pytest.param({"status": 503, "body": "<html>"}, id="503 from a proxy"),
    pytest.param({"drop": True}, id="no answer"),
    pytest.param({"cut": 0}, id="cut before the body"),
    pytest.param({"cut": 40}, id="cut in the body"),
    pytest.param({"body": "<html>maintenance</html>"}, id="HTML under 200"),
    pytest.param({"body": '{"data": {"images": ['}, id="truncated JSON under 200"),
    pytest.param(
        {"body": '{"data": {"images": [], "nextCursor": NaN}}'}, id="a number that is none"
    ),
    pytest.param(
        {"body": '{"data": {"images": [], "nextCursor": "c", "nextCursor": null}}'},
        id="a cursor said twice",
    ),
    pytest.param({"body": b"\xef\xbb\xbf"}, id="nothing but a byte order mark under 200"),
    pytest.param({"status": 429, "headers": {"Retry-After": "0"}}, id="429, at once"),
    pytest.param(
        {"status": 429, "headers": {"Retry-After": "0.3"}}, id="429 with part of a second"
    ),
]


@pytest.mark.parametrize("fault", GOOD_AFTER)
@pytest.mark.slow
def test_a_passing_fault_is_survived(serve, fault):
    server, client = serve(3)
    server.fail("GET", "/v1/images", **fault)

    images = listing(client)

    assert len(images) == 3
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "head",
    [
        pytest.param({"content_type": "text/html"}, id="as HTML"),
        pytest.param({"content_type": "application/octet-stream"}, id="as bytes"),
        pytest.param({}, id="as nothing"),
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_a_page_is_read_whatever_it_is_called(raw, http, connect_to, head, mark):
    image = {"id": "aB3dE5fG7hJ", "url": "https://img.picora.com/a.png"}
    page = json.dumps({"data": {"images": [image], "nextCursor": None}}).encode()
    server = raw(http(mark + page, **head))

    assert [image.id for image in listing(connect_to(server.url))] == ["aB3dE5fG7hJ"]


@pytest.mark.parametrize(
    ("retry_after", "least"),
    [
        pytest.param("1", 1.0, id="seconds"),
        pytest.param("Mon, 23 Nov 2026 14:00:01 GMT", 1.0, id="a date, by the service's clock"),
        pytest.param("Mon, 23 Nov 2020 14:00:00 GMT", 1.0, id="a date long past"),
        pytest.param("soon", 1.0, id="garbage"),
        pytest.param("-7", 1.0, id="negative"),
        pytest.param(None, 1.0, id="nothing"),
    ],
)
@pytest.mark.slow
def test_a_429_is_waited_out_for_as_long_as_it_asks(serve, retry_after, least):
    server, client = serve(3)
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    server.fail("GET", "/v1/images", status=429, headers=headers)

    assert len(listing(client)) == 3

    refused, good = server.requests
    assert good.received_at - refused.received_at >= least


@pytest.mark.parametrize("status", [408, 500, 503])
@pytest.mark.slow
def test_a_failure_is_repeated_after_as_long_as_it_asks(serve, status):
    server, client = serve(3)
    server.fail("GET", "/v1/images", status=status, headers={"Retry-After": "1"})

    assert len(listing(client)) == 3

    failed, good = server.requests
    assert good.received_at - failed.received_at >= 1.0


def test_a_failure_that_asks_to_wait_beyond_max_wait_stops_at_once(serve):
    server, client = serve(max_wait=5)
    server.fail("GET", "/v1/images", status=503, headers={"Retry-After": "60"})

    with pytest.raises(StatusError, match=r"fault\. It asks to wait 60 seconds\.$") as caught:
        listing(client)

    assert caught.value.retry_after == 60
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        pytest.param("1000000", 1e6, id="a million seconds"),
        pytest.param("9" * 400, 366 * 86400, id="more than a number holds"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 366 * 86400, id="the end of time"),
        pytest.param("Mon, 23 Nov 2026 15:00:00 GMT", 3600, id="an hour, as a date"),
    ],
)
def test_a_wait_beyond_max_wait_stops_at_once_and_says_until_when(serve, retry_after, seconds):
    server, client = serve(max_wait=5)
    server.fail("GET", "/v1/images", status=429, headers={"Retry-After": retry_after})

    with pytest.raises(
        RateLimitError,
        match=r"^GET /v1/images at 127\.0\.0\.1 answered 429 RATE_LIMITED: Scripted fault\. "
        r"It asks to wait until [\d: -]+; max_wait=5 seconds does not reach that far\. "
        r"Try again then, or give Client a larger max_wait\.$",
    ) as caught:
        listing(client)

    assert caught.value.retry_after == seconds
    assert caught.value.request_id == "demo-00000001"
    assert len(server.requests) == 1


@pytest.mark.slow
def test_endless_429_ends_and_does_not_blame_max_wait(serve):
    server, client = serve(max_wait=60)
    server.fail("GET", "/v1/images", times=None, status=429, headers={"Retry-After": "0"})

    with pytest.raises(
        RateLimitError,
        match=r"Scripted fault\. It asks to wait until [\d:]+; it said so 5 times in a row\. Try again then\.$",
    ):
        listing(client)

    assert len(server.requests) == 5


def test_an_allowance_used_up_by_others_stops_before_the_request(serve):
    server, client = serve(max_wait=5)
    spent = {"RateLimit-Limit": "600", "RateLimit-Remaining": "0", "RateLimit-Reset": "59"}
    server.fail("GET", "/v1/auth/verify", headers=spent)
    client.verify()

    with pytest.raises(
        RateLimitError,
        match=r"^GET /v1/images at 127\.0\.0\.1: the key's allowance is used up until [\d:]+, longer than "
        r"max_wait=5 seconds\. Try again then, or give Client a larger max_wait\.$",
    ) as caught:
        listing(client)

    assert 55 < caught.value.retry_after <= 59
    assert len(server.requests) == 1


@pytest.mark.slow
def test_a_server_that_always_fails_is_given_up(serve):
    server, client = serve(max_wait=2)
    server.fail("GET", "/v1/images", times=None, status=502)

    with pytest.raises(
        StatusError,
        match=exactly("GET /v1/images at 127.0.0.1 answered 502 INTERNAL: Scripted fault."),
    ):
        listing(client)

    assert 2 <= len(server.requests) <= 5


def test_a_body_that_always_is_a_page_is_given_up(serve):
    server, client = serve(max_wait=0.5)
    server.fail("GET", "/v1/images", times=None, body="<html>")

    with pytest.raises(ResponseFormatError, match=r"no proxy or login page in between\?$"):
        listing(client)


def test_a_page_of_another_api_is_not_asked_for_again(serve):
    server, client = serve()
    server.fail("GET", "/v1/images", body='{"data": {"photos": []}}')

    with pytest.raises(ResponseFormatError, match=r"so nothing was taken from it\.$"):
        listing(client)

    assert len(server.requests) == 1


@pytest.mark.slow
def test_waits_of_over_two_seconds_are_shown_with_their_reason(serve):
    server, client = serve(1)
    server.fail("GET", "/v1/images", status=429, headers={"Retry-After": "2.1"})
    shown = []

    with client.reporting(shown.append):
        listing(client)

    (text,) = shown
    assert re.fullmatch(r"Picora asks to slow down \(429\), until \d\d:\d\d:\d\d", text)


# No answer


def test_a_closed_port_is_a_transport_error_that_names_the_address(connect_to):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    with pytest.raises(
        TransportError,
        match=rf"^GET /v1/images at 127\.0\.0\.1 got no answer \(ConnectError: .*refused\)\. "
        rf"Check the network and the base URL 'http://127\.0\.0\.1:{port}'\.$",
    ):
        listing(connect_to(f"http://127.0.0.1:{port}", max_wait=0.3))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort", id="a cut body"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
            id="a bad archive",
        ),
    ],
)
def test_an_answer_that_is_no_http_is_a_transport_error(raw, connect_to, answer):
    server = raw(answer)

    with pytest.raises(TransportError, match=r"Check the network and the base URL '.*'\.$"):
        listing(connect_to(server.url, max_wait=0.3))


HEAD = b"HTTP/1.1 200 OK\r\nx-padding: " + b"." * 1000 + b"\r\ncontent-length: 1000\r\n\r\n"


@pytest.mark.parametrize("at_once", [0, len(HEAD)], ids=["the head", "the body"])
@pytest.mark.slow
def test_a_slow_answer_ends_with_the_timeout_although_each_byte_comes_in_time(connect_to, at_once):
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(HEAD[:at_once])
                for byte in HEAD[at_once:] + b" " * 999:
                    if done.wait(0.05):
                        return
                    connection.sendall(bytes([byte]))

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        client = connect_to(
            f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.3, max_wait=0.01
        )

        with pytest.raises(
            TransportError,
            match=exactly(
                "GET /v1/images at 127.0.0.1 got no answer (ReadTimeout: timed out). "
                f"Check the network and the base URL '{client.base_url}'."
            ),
        ):
            listing(client)

        done.set()
        thread.join()


@pytest.fixture
def silent_resolver(monkeypatch):
    """Give an event until which no name is looked up, as where the resolver does not answer."""
    asked, answered, lookup = threading.Event(), threading.Event(), socket.getaddrinfo

    def wait(*args, **options):
        asked.set()
        try:
            answered.wait()
        except KeyboardInterrupt:  # The C library would go on all the same.
            raise AssertionError("Ctrl-C came to the lookup, which does not hear it") from None
        return lookup(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", wait)
    yield asked, answered
    answered.set()
    for thread in threading.enumerate():
        if thread.name == "picora-connect":
            thread.join()


@pytest.mark.slow
def test_a_name_that_is_not_found_out_ends_with_the_timeout(silent_resolver, connect_to):
    _, answered = silent_resolver
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = connect_to(
            f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.3, max_wait=0.01
        )

        with pytest.raises(TransportError, match="ConnectTimeout: timed out"):
            listing(client)

        answered.set()
        late, _ = server.accept()
        with late:
            assert late.recv(65536) == b""  # The connection that came too late is closed unused.


def test_ctrl_c_is_heard_while_a_name_is_looked_up(silent_resolver, connect_to):
    asked, _ = silent_resolver
    client = connect_to("http://127.0.0.1:9")

    def interrupt():
        asked.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        listing(client)
    thread.join()


@pytest.mark.slow
def test_an_answer_without_end_is_cut_off(raw, http, connect_to):
    bomb = gzip.compress(b" " * (65 * 1024**2), 1)
    server = raw(http(bomb, content_encoding="gzip"))

    with pytest.raises(
        TransportError,
        match=exactly("GET /v1/images at 127.0.0.1 sent more than 64 MiB; it was cut off."),
    ):
        listing(connect_to(server.url, max_wait=0.05))


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br"])
def test_an_encoding_that_was_not_asked_for_is_not_read(raw, http, connect_to, encoding):
    bomb = gzip.compress(gzip.compress(b" " * (8 * 1024**2)))
    server = raw(http(bomb, content_encoding=encoding))

    with pytest.raises(TransportError, match=f"in the encoding '{encoding}', which was not asked"):
        listing(connect_to(server.url, max_wait=0.05))


def test_an_encoding_does_not_hide_what_a_status_says(raw, http, connect_to):
    server = raw(http(b"odd", status="401 Unauthorized", content_encoding="br"))

    with pytest.raises(StatusError, match=" answered 401 with no text, which is not Picora's"):
        listing(connect_to(server.url))
    assert len(server.asked) == 1


def test_after_a_fork_each_process_has_connections_of_its_own(http, connect_to):
    connections = []
    page = http({"data": {"images": [], "nextCursor": None}}, connection="keep-alive")

    def serve(connection):
        with connection:
            while connection.recv(65536):
                connection.sendall(page)

    def accept():
        while True:
            try:
                connections.append(server.accept()[0])
            except OSError:
                return
            threading.Thread(target=serve, args=(connections[-1],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        client = connect_to(f"http://127.0.0.1:{server.getsockname()[1]}")
        listing(client)
        listing(client)
        assert len(connections) == 1

        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # Python 3.12: of forks with threads.
            child = os.fork()
        if child == 0:
            try:
                listing(client)
            finally:
                os._exit(0)
        os.waitpid(child, 0)

        listing(client)
        assert len(connections) == 2
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


# Redirects


@pytest.mark.parametrize("status", [300, 302, 304])
def test_what_leads_nowhere_is_no_redirect(serve, status):
    server, client = serve()
    server.fail("GET", "/v1/images", status=status, body=b"")

    with pytest.raises(
        StatusError,
        match=exactly(f"GET /v1/images at 127.0.0.1 answered {status} UNEXPECTED."),
    ):
        listing(client)

    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_not_followed_and_the_key_does_not_travel(raw, http, connect_to, status):
    other = raw(http(EMPTY))
    first = raw(
        http(b"", status, location=f"{other.url}/v1/images".replace("127.0.0.1", "localhost"))
    )

    with pytest.raises(
        ResponseFormatError,
        match=exactly(
            "GET /v1/images at 127.0.0.1 answered with a redirect to localhost; it was not followed, because the "
            "key belongs to this host alone. If the API has moved, set PICORA_BASE_URL."
        ),
    ):
        listing(connect_to(first.url))

    assert len(first.asked) == 1
    assert other.asked == []


def test_a_redirect_to_another_port_of_the_same_host_is_not_followed(raw, http, connect_to):
    other = raw(http(EMPTY))
    first = raw(http(b"", "302 Found", location=f"{other.url}/v1/images"))

    with pytest.raises(
        ResponseFormatError, match=r"a redirect to 127\.0\.0\.1; it was not followed"
    ):
        listing(connect_to(first.url))

    assert other.asked == []


def test_a_redirect_in_a_circle_is_asked_once(raw, http, connect_to):
    server = raw(http(b"", "302 Found", location="/v1/images"))

    with pytest.raises(ResponseFormatError, match="it was not followed"):
        listing(connect_to(server.url))

    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("location", "named"),
    [
        pytest.param("/login", "127.0.0.1", id="relative"),
        pytest.param("", "127.0.0.1", id="empty"),
    ],
)
def test_a_redirect_to_an_odd_place_is_named_all_the_same(raw, http, connect_to, location, named):
    server = raw(http(b"", "302 Found", location=location))

    with pytest.raises(
        ResponseFormatError, match=rf"a redirect to {named}; .* set PICORA_BASE_URL\.$"
    ):
        listing(connect_to(server.url))


def test_the_key_is_given_to_its_own_host_only(serve):
    server, client = serve()
    other, _ = serve()

    aside = f"@{other.url.removeprefix('http://')}/v1/images"

    with pytest.raises(APIError):
        client._connection.once("GET", aside, "GET aside", tier="read")

    assert other.requests == []


@pytest.mark.parametrize(
    ("address", "proxy"),
    [
        pytest.param("https://api.picora.com", "http://proxy.test:3128", id="through the proxy"),
        pytest.param("https://picora.inside.test", None, id="an exception to it"),
        pytest.param("http://127.0.0.1:8000", None, id="this machine"),
    ],
)
def test_the_proxy_of_the_environment_is_used_but_on_this_machine(monkeypatch, address, proxy):
    monkeypatch.setenv("https_proxy", "proxy.test:3128")
    monkeypatch.setenv("http_proxy", "proxy.test:3128")
    monkeypatch.setenv("no_proxy", "inside.test")

    assert proxy_for(httpx.URL(address)) == proxy


# The key stays inside


def everything_said(error):
    """Give all that an exception can show: messages, chain, and the local variables of every frame."""
    texts = [repr(error), str(error), *traceback.format_exception(error)]
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    seen = [error]
    while seen[-1].__cause__ or seen[-1].__context__:
        seen.append(seen[-1].__cause__ or seen[-1].__context__)
    texts += [f"{one!r} {one.args} {vars(one)}" for one in seen]
    return "\n".join([*texts, *told.format()])


def failing(client, call=listing):
    with pytest.raises((APIError, KeyboardInterrupt)) as caught:
        call(client)
    # The frames of this file hold the client, not the key; pytest's own come first.
    return everything_said(caught.value)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            ("401 Unauthorized", f'{{"error": "bad key {CANARY}, Bearer {CANARY}"}}'.encode()),
            id="a 401 that echoes the key",
        ),
        pytest.param(
            ("400 Bad", f'{{"error": "no", "code": "{CANARY}"}}'.encode()),
            id="a code that is the key",
        ),
        pytest.param(
            ("500 Oops", f"<pre>Authorization: Bearer {CANARY}".encode()), id="a debug page"
        ),
        pytest.param(
            ("200 OK", f"<pre>Authorization: Bearer {CANARY}".encode()), id="one under 200"
        ),
        pytest.param(
            ("200 OK", f'{{"data": {{"{CANARY}": 1}}}}'.encode()),
            id="an odd page that holds the key",
        ),
        pytest.param(("302 Found", b""), id="a redirect whose address holds the key"),
    ],
)
def test_an_answer_that_echoes_the_key_does_not_show_it(raw, http, connect_to, answer):
    status, body = answer
    server = raw(
        http(body, status, location=f"https://{CANARY.lower().replace('_', '-')}/?k={CANARY}")
    )
    client = connect_to(server.url, CANARY, max_wait=0.1)

    said = failing(client)

    assert CANARY.encode() in server.asked[0]
    assert CANARY not in said


def test_a_token_that_does_not_look_like_a_key_is_masked_as_well(raw, http, connect_to):
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl"
    server = raw(http({"error": f"token {token} expired"}, "401 Unauthorized"))

    said = failing(connect_to(server.url, token))

    assert "token <key> expired" in said
    assert token not in said


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="no answer"),
        pytest.param(b"nonsense\r\n\r\n", id="no HTTP"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 4\r\n\r\nnope",
            id="a bad archive",
        ),
    ],
)
def test_no_frame_of_a_failed_connection_shows_the_key(raw, connect_to, answer):
    server = raw(answer)

    said = failing(connect_to(server.url, CANARY, max_wait=0.05))

    assert CANARY.encode() in server.asked[0]
    assert CANARY not in said
    # Not one frame of theirs is left: what their locals show differs from version to version.
    assert not re.search(r"site-packages/(httpx|httpcore|h11)", said)


def test_no_frame_of_a_refused_connection_shows_the_key(connect_to):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    assert CANARY not in failing(connect_to(f"http://127.0.0.1:{port}", CANARY, max_wait=0.05))


def test_no_frame_of_an_interrupted_request_shows_the_key(connect_to):
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def interrupt_when_asked():
            connection, _ = silent.accept()
            connection.recv(65536)
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            connection.recv(1)
            connection.close()

        thread = threading.Thread(target=interrupt_when_asked, daemon=True)
        thread.start()
        client = connect_to(f"http://127.0.0.1:{silent.getsockname()[1]}", CANARY)

        said = failing(client)
        client.close()
        thread.join()

    assert "KeyboardInterrupt" in said
    assert CANARY not in said


def test_neither_repr_nor_attributes_show_the_key(connect_to):
    client = connect_to("https://api.picora.com", CANARY)

    shown = [repr(client), str(client), repr(vars(client)), repr(vars(client._connection))]

    assert repr(client) == "Client(base_url='https://api.picora.com')"
    assert CANARY not in "".join(shown)


def test_a_client_is_not_pickled(connect_to):
    client = connect_to("https://api.picora.com", CANARY)

    with pytest.raises(
        TypeError,
        match=exactly("A Picora key is not written to a file; make the Client anew from the key."),
    ) as caught:
        pickle.dumps(client)

    assert CANARY not in everything_said(caught.value)


def test_masking_takes_out_keys_and_what_moves_a_cursor():
    assert mask(f"a {CANARY} b bearer abc.def \x1b[2J\u202e") == "a <key> b <key>  [2J "


def test_the_clock_of_a_load_is_the_services_own(serve):
    server, client = serve(1)
    server.fail("GET", "/v1/images", headers={"Date": "Tue, 24 Nov 2026 00:00:00 GMT"})

    (page,) = client.iter_pages()

    assert page.server_time == dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def test_a_clock_days_ahead_makes_no_image_old(serve):
    server, client = serve(1)
    server.fail(
        "GET", "/v1/images", headers={"Server": "other", "Date": "Fri, 31 Dec 9999 23:59:59 GMT"}
    )
    before = time.time()

    (page,) = client.iter_pages()

    assert before - 1 <= page.server_time.timestamp() <= time.time() + 1


@pytest.mark.parametrize(
    "location", ["http://[::1", "//" + "x" * 70_000, "http://a:99999999/", "http://xn--a/"]
)
def test_a_redirect_to_no_address_is_an_error_of_ours(serve, location):
    server, client = serve(1)
    server.fail("GET", "/v1/images", status=302, headers={"Location": location}, times=None)

    with pytest.raises((ResponseFormatError, TransportError)):
        list(client.iter_pages())


@pytest.mark.parametrize(
    "date",
    [
        "",
        "nonsense",
        "99 Foo 2026",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
    ],
)
def test_without_a_readable_date_this_machines_clock_counts(serve, date):
    server, client = serve(1)
    server.fail("GET", "/v1/images", headers={"Date": date})
    before = time.time()

    (page,) = client.iter_pages()

    assert before - 1 <= page.server_time.timestamp() <= time.time() + 1
    assert email.utils.format_datetime(page.server_time)


def test_a_key_in_the_name_of_a_request_is_not_kept(serve):
    server, client = serve()
    server.fail("GET", "/v1/images", status=400, headers={"X-Request-Id": CANARY})

    with pytest.raises(StatusError) as caught:
        listing(client)

    assert caught.value.request_id == "<key>"
