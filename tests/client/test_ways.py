"""Two spellings of one value, and ways of the world: proxies, certificates, heads sent twice, bytes in other forms."""

import gzip
import json
import zlib

import httpx
import pytest
from hypothesis import given, strategies as st

from picora_analytics import Client, ResponseFormatError, TransportError
from picora_analytics.client.changes import delete_one
from picora_analytics.client.client import image_path
from picora_analytics.client.proxies import proxy_for
from picora_analytics.client.retrying import retry_after

KEY = "sk_live_" + "a" * 32
PICORA = httpx.URL("https://api.picora.com")
ROW = {"id": "aB3dE5fG7hJ", "url": "https://img.picora.com/a.png"}
VARIABLES = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]


@pytest.fixture
def plain_environment(monkeypatch):
    """Take every proxy and certificate out of the environment."""
    for name in [*VARIABLES, "http_proxy", "HTTP_PROXY", "no_proxy", "NO_PROXY"]:
        monkeypatch.delenv(name, raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("socks5://me:Pa5s@127.0.0.1:9", "pip install socksio"),
        ("socks5h://me:Pa5s@127.0.0.1:9", "pip install socksio"),
        ("socks://me:Pa5s@127.0.0.1:9", "its kind is none of http://"),
        ("socks4://me:Pa5s@127.0.0.1:9", "its kind is none of http://"),
        ("ftp://me:Pa5s@127.0.0.1:9", "its kind is none of http://"),
        ("http://me:Pa5s#word@127.0.0.1:9", "must be percent-encoded"),
        ("http://me:Pa5s?word@127.0.0.1:9", "must be percent-encoded"),
        ("http://me:12/Pa5s@127.0.0.1:9", "must be percent-encoded"),
        ("http://me:Pa5s word@127.0.0.1:9", "must be percent-encoded"),
        ("me:Pa5s#word@127.0.0.1:9", "must be percent-encoded"),
        ("http://me:Pa5s@[127.0.0.1:9", "no address of the form"),
        ("http://me:Pa5s@127.0.0.1:Pa5s", "no address of the form"),
        ("http://me:Pa5s@127.0.0.1:99999", "no address of the form"),
        ("http://me:Pa5s@", "no address of the form"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_refused_by_its_variables_name(
    plain_environment, variable, value, why
):
    plain_environment.setenv(variable, value)

    with pytest.raises(TransportError, match=f"^The proxy in {variable} cannot .*{why}") as caught:
        Client(KEY)

    assert "Pa5s" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("value", "proxy"),
    [
        ("127.0.0.1:3128", "http://127.0.0.1:3128"),
        ("http://127.0.0.1:3128/", "http://127.0.0.1:3128/"),
        ("http://me:Pa5s%23word@proxy.example:3128", "http://me:Pa5s%23word@proxy.example:3128"),
        ("https://proxy.example", "https://proxy.example"),
        ("HTTP://proxy.example:1", "HTTP://proxy.example:1"),
    ],
)
def test_a_usual_proxy_is_used(plain_environment, value, proxy):
    plain_environment.setenv("https_proxy", value)

    assert proxy_for(PICORA) == proxy
    Client(KEY).close()


def test_a_broken_proxy_does_not_matter_to_this_machine_or_an_exception(plain_environment):
    plain_environment.setenv("ALL_PROXY", "socks://nowhere")
    plain_environment.setenv("no_proxy", "picora.com")

    Client(KEY, "http://127.0.0.1:9").close()
    Client(KEY).close()


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----"])
def test_certificates_that_cannot_be_read_are_refused_by_their_variables_name(
    plain_environment, tmp_path, content
):
    path = tmp_path / "Pa5s.pem"
    if content is not None:
        path.write_bytes(content)
    plain_environment.setenv("SSL_CERT_FILE", str(path))

    with pytest.raises(TransportError, match="SSL_CERT_FILE names no certificates that") as caught:
        Client(KEY)

    assert "Pa5s" not in str(caught.value)


DATE = "Tue, 03 Nov 2026 14:00:00 GMT"
IN_A_MINUTE = "Tue, 03 Nov 2026 14:01:00 GMT"


@pytest.mark.parametrize(
    ("lines", "seconds"),
    [
        (["6"], 6),
        (["6, 6"], 6),
        (["6", "6"], 6),
        (["2,6"], 6),
        (["6", "2"], 6),
        ([" 6 "], 6),
        ([IN_A_MINUTE], 60),
        ([IN_A_MINUTE, IN_A_MINUTE], 60),
        ([f"{IN_A_MINUTE}, {IN_A_MINUTE}"], 60),
        ([f"6, {IN_A_MINUTE}"], 60),
        (["Tuesday, 03-Nov-26 14:01:00 GMT"], 60),
        (["soon"], 1),
        ([""], 1),
        (["-5"], 1),
        (["6, soon"], 6),
    ],
)
def test_a_pause_asked_for_twice_is_waited_once_and_the_longest(lines, seconds):
    headers = httpx.Headers([("date", DATE), *(("retry-after", line) for line in lines)])

    assert retry_after(headers) == seconds


@given(st.lists(st.text(st.characters(max_codepoint=255)), max_size=3))
def test_any_pause_is_a_pause(lines):
    headers = httpx.Headers([("retry-after", line.encode("latin-1")) for line in lines])

    assert 0 < retry_after(headers) <= 366 * 86400


# Bodies in other forms

PLAIN = json.dumps({"success": True, "data": ROW}).encode()


def raw_deflate(data):
    made = zlib.compressobj(wbits=-15)
    return made.compress(data) + made.flush()


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        pytest.param(gzip.compress(PLAIN), "gzip", id="gzip"),
        pytest.param(gzip.compress(PLAIN), "GZip", id="in capitals"),
        pytest.param(gzip.compress(PLAIN), "x-gzip", id="its old name"),
        pytest.param(gzip.compress(PLAIN[:9]) + gzip.compress(PLAIN[9:]), "gzip", id="two members"),
        pytest.param(
            b"".join(gzip.compress(PLAIN[at : at + 1]) for at in range(len(PLAIN))),
            "gzip",
            id="a member for each byte",
        ),
        pytest.param(gzip.compress(PLAIN) + gzip.compress(b""), "gzip", id="an empty member"),
        pytest.param(gzip.compress(PLAIN) + b"\0" * 600, "gzip", id="padded"),
        pytest.param(
            gzip.compress(PLAIN[:9]) + b"\0" * 9 + gzip.compress(PLAIN[9:]), "gzip", id="between"
        ),
        pytest.param(gzip.compress(PLAIN) + b"\r\n", "gzip", id="a line end behind"),
        pytest.param(zlib.compress(PLAIN), "deflate", id="deflate"),
        pytest.param(raw_deflate(PLAIN), "deflate", id="deflate without a head"),
        pytest.param(PLAIN, "identity", id="as it is"),
        pytest.param(PLAIN, "aws-chunked", id="an encoding of the way"),
        pytest.param(PLAIN, "", id="none"),
        pytest.param(b"\xef\xbb\xbf" + PLAIN, "", id="a byte order mark"),
    ],
)
def test_a_body_is_read_in_each_form(raw, http, connect_to, body, encoding):
    client = connect_to(raw(http(body, content_encoding=encoding)).url)

    assert client.get_image("a").id == "aB3dE5fG7hJ"


def test_an_encoding_that_server_and_proxy_both_name_is_one(raw, http, connect_to):
    answer = http(gzip.compress(PLAIN), content_encoding="gzip")
    twice = answer.replace(b"content-encoding", b"content-encoding: gzip\r\ncontent-encoding", 1)

    assert connect_to(raw(twice).url).get_image("a").id == "aB3dE5fG7hJ"


@pytest.mark.parametrize(
    "whole", [gzip.compress(PLAIN), zlib.compress(PLAIN)], ids=["gzip", "zlib"]
)
def test_a_compressed_body_that_was_cut_is_no_body(raw, http, connect_to, whole):
    encoding = "gzip" if whole[:2] == b"\x1f\x8b" else "deflate"
    for length in (1, len(whole) // 2, len(whole) - 1):
        client = connect_to(raw(http(whole[:length], content_encoding=encoding)).url, max_wait=0.01)

        with pytest.raises(TransportError, match="DecodingError"):
            client.get_image("a")


@pytest.mark.parametrize("name", ["filename", "title", "mimeType"])
@pytest.mark.parametrize("bad", [b"caf\xe9", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\\ud83d"])
def test_a_text_that_is_not_utf8_costs_that_text_alone(raw, http, connect_to, name, bad):
    row = json.dumps({**ROW, "sizeBytes": 7, name: "BAD"}).encode().replace(b"BAD", bad)
    page = b'{"data": {"images": [%s], "nextCursor": null}}' % row

    (page,) = connect_to(raw(http(page)).url, max_wait=0.01).iter_pages()

    (image,) = page.images
    assert (image.size_bytes, image.filename, image.title, image.mime_type) == (7, *[None] * 3)
    assert list(page.unreadable.values()) == [1]


@pytest.mark.parametrize(
    ("number", "size"),
    [
        ("48211.0", 48211),
        ("4.8211e4", 48211),
        ("48211.000", 48211),
        ("0.0", 0),
        ("9007199254740992.0", 2**53),
        ("48211.5", None),
        ("-1.0", None),
        ("1e300", None),
        ("1e999", None),
        ("9" * 5000, None),
    ],
)
def test_a_whole_number_is_one_however_it_is_written(raw, http, connect_to, number, size):
    row = json.dumps({**ROW, "sizeBytes": "N"}).replace('"N"', number)
    usage = f'{{"images": {{"totalCount": {number if len(number) < 40 else 1e300}}}}}'

    image = connect_to(raw(http(f'{{"data": {row}}}'.encode())).url).get_image("a")
    counted = connect_to(raw(http(f'{{"data": {usage}}}'.encode())).url).usage()

    assert image.size_bytes == size
    assert counted.n_images == size


# Ids in a path

LEAVING = [
    ".",
    "..",
    "../me",
    "a/..",
    "a/../b",
    "..\\me",
    "%2e",
    "%2E%2e",
    "..%2fme",
    "%252e%252e",
    "",
]


@pytest.mark.parametrize("image_id", LEAVING)
def test_an_id_that_would_leave_its_path_is_not_sent(raw, connect_to, image_id):
    server = raw(b"")
    client = connect_to(server.url)

    result = delete_one(client, image_id)
    with pytest.raises((ResponseFormatError, ValueError)):
        client.get_image(image_id)

    assert (result.word, server.asked) == ("failed", [])
    assert "was not sent in an address" in result.reason


@given(st.text(min_size=1))
def test_no_id_leads_to_another_path(image_id):
    try:
        path = image_path(image_id)
    except ResponseFormatError:
        return
    assert path.startswith("/v1/images/")
    assert path.isascii()
    assert "/" not in path.removeprefix("/v1/images/")
    assert path.rpartition("/")[2] not in ("", ".", "..")
