"""The key is nowhere: in no local of a frame, no cause, no log line, no echo in any encoding, no token in a text."""

import base64
import html
import io
import json
import logging
import re
import subprocess
import sys
import traceback
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics.client import keys
from picora_analytics.client.feed import read_changes
from picora_analytics.client.keys import Secret
from picora_analytics.client.masking import mask

KEY = "sk_live_" + "Zq7" * 10 + "xY"
TOKEN = "eyJhbGciOiJIUzI1NiJ9." + "QmFyZg" * 8 + "." + "c2lnbmF0" * 5
OTHER = "Custom0key9" * 3  # No key of Picora's looks like this.
SECRETS = [pytest.param(KEY, id="key"), pytest.param(TOKEN, id="token")]


def shape_of(text):
    """Give a text without what may stand between the characters of an echo, in small letters."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def holds(text, secret, length=14):
    """Whether a text holds so many characters of a secret in a row."""
    return any(secret[at : at + length] in text for at in range(len(secret) - length + 1))


def percent(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


def escaped(text):
    return "".join(f"\\u{ord(char):04X}" for char in text)


ECHOES = [
    pytest.param(lambda key: key, id="as it is"),
    pytest.param(str.upper, id="in capitals"),
    pytest.param(str.lower, id="in small letters"),
    pytest.param(lambda key: key[:20], id="cut behind"),
    pytest.param(lambda key: key[-20:], id="cut before"),
    pytest.param(lambda key: f"{key[:-9]}***", id="starred"),
    pytest.param(percent, id="percent"),
    pytest.param(lambda key: quote(percent(key)), id="percent, twice"),
    pytest.param(escaped, id="escaped"),
    pytest.param(lambda key: "".join(f"\\x{ord(char):02x}" for char in key), id="as Python has it"),
    pytest.param(lambda key: "".join(f"\\{ord(char):03o}" for char in key), id="octal"),
    pytest.param(lambda key: "".join(f"&#{ord(char)};" for char in key), id="HTML"),
    pytest.param(lambda key: html.escape(escaped(key)), id="escaped in HTML"),
    pytest.param(lambda key: base64.b64encode(key.encode()).decode(), id="base64"),
    pytest.param(lambda key: base64.b64encode(f"a{key}".encode()).decode(), id="base64, moved"),
    pytest.param(
        lambda key: base64.urlsafe_b64encode(f"Bearer {key}".encode()).decode(), id="header"
    ),
    pytest.param(lambda key: key.encode().hex(), id="hex"),
    pytest.param(lambda key: key.encode().hex(":").upper(), id="hex with colons"),
    pytest.param(lambda key: "\u200b".join(key), id="with invisible blanks"),
    pytest.param("\n".join, id="in a column"),
    pytest.param(lambda key: "".join(chr(ord(c) + 0xFEE0) for c in key), id="full width"),
    pytest.param(lambda key: json.dumps(json.dumps(key)), id="JSON in JSON"),
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("echo", ECHOES)
def test_no_echo_of_a_key_passes_the_mask(secret, echo):
    used = Secret.read(secret)
    said = echo(secret)

    shown = mask(f"the key {said} is wrong")

    assert shown != f"the key {said} is wrong"
    assert "<key>" in shown
    assert not holds(shape_of(shown), shape_of(secret))
    del used


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("echo", ECHOES)
def test_no_echo_of_a_key_reaches_an_error(raw, http, connect_to, secret, echo):
    said = echo(secret)
    answers = [
        http({"success": False, "error": f"bad {said}", "code": secret[:60]}, "422 No"),
        http({"success": False, "error": said}),
        http({"data": {said: 1}}),
        http({"data": {"images": [], "nextCursor": "a", "next_cursor": said}}),
    ]
    for answer in answers:
        client = connect_to(raw(answer).url, secret, max_wait=0.01)

        with pytest.raises(pic.APIError) as caught:
            list(client.iter_pages())

        text = "".join(traceback.format_exception(caught.value)) + repr(vars(caught.value))
        assert not holds(shape_of(text), shape_of(secret)), text


@given(st.text(), st.text(), st.integers(0, 60), st.integers(12, 60))
def test_a_piece_of_a_key_is_hidden_wherever_it_stands(before, after, start, length):
    used = Secret.read(TOKEN)
    piece = TOKEN[start : start + length]

    assert piece not in mask(f"{before}{piece}{after}", None)
    del used


@given(st.text())
def test_other_texts_stay_as_they_are(text):
    used = Secret.read(KEY)

    shown = mask(text, None)

    assert shown == "".join(char if char.isprintable() else " " for char in text)
    del used


def test_a_short_test_key_takes_no_words_out_of_an_answer():
    used = Secret.read("image")

    assert mask("no such image") == "no such image"
    assert used.scrub(b"image") == b"image"


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("write", [lambda key: key, escaped], ids=["as it is", "escaped"])
def test_a_key_in_the_data_is_taken_out(raw, http, connect_to, secret, write):
    row = {"id": "ID", "url": "https://img.picora.com/a?k=ID", "filename": "ID", "tags": ["ID"]}
    page = json.dumps({"data": {"images": [row], "nextCursor": None}}).replace("ID", write(secret))

    (page,) = connect_to(raw(http(page.encode())).url, secret).iter_pages()

    assert secret not in repr(page)
    assert page.images[0].tags == ("<key>",)


HEADS = [
    pytest.param(b"HTTP/1.1 %s\r\n\r\n", id="status line"),
    pytest.param(b"HTTP/1.1 200 %s\r\ncontent-length: 2\r\n\r\n{}", id="reason"),
    pytest.param(b"HTTP/1.1 200 OK\r\n%s\r\n\r\n", id="broken head"),
    pytest.param(b"HTTP/1.1 200 OK\r\nx-echo: %s\r\ncontent-length: 2\r\n\r\n{}", id="head"),
    pytest.param(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%s\r\n", id="chunk"),
    pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: %s\r\n\r\n", id="length"),
    pytest.param(b"HTTP/1.1 302 Found\r\nlocation: https://%s/\r\n\r\n", id="redirect"),
    pytest.param(b"HTTP/1.1 200 OK\r\ncontent-encoding: br, %s\r\n\r\n", id="encoding"),
    pytest.param(
        b'HTTP/1.1 422 No\r\nx-request-id: %s\r\ncontent-length: 13\r\n\r\n{"error": "x"}', id="id"
    ),
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("answer", HEADS)
def test_no_echo_in_a_head_is_raised_chained_or_logged(raw, connect_to, secret, answer):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        client = connect_to(raw(answer % secret.encode()).url, secret, max_wait=0.01)
        with pytest.raises(pic.APIError) as caught:
            list(client.iter_pages())
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    seen, error = [], caught.value
    while error is not None:
        seen += [str(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__
    seen += [written.getvalue(), *traceback.format_exception(caught.value)]
    assert (
        "receive_response_headers" in written.getvalue()
    )  # The line that would show it was written.
    assert not holds("\n".join(seen), secret)


def locals_shown(call):
    """Give the locals of all our frames of what a call raises, as a verbose traceback shows them."""
    try:
        call()
    except BaseException as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        frames = [frame for frame in told.stack if "picora_analytics" in frame.filename]
        assert frames
        return "\n".join(f"{frame.name}: {frame.locals}" for frame in frames)
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("key", "options"),
    [
        pytest.param(KEY, {"base_url": "http://picora.example"}, id="a wrong address"),
        pytest.param(KEY, {"base_url": 5}, id="no address"),
        pytest.param(KEY, {"timeout": 0}, id="a wrong time"),
        pytest.param(f"{KEY} x", {}, id="a blank in the key"),
        pytest.param(f"{KEY}\u200b", {}, id="an invisible blank"),
        pytest.param(KEY.encode(), {}, id="bytes"),
        pytest.param([KEY], {}, id="a list"),
        pytest.param(KEY, {"base_url": KEY}, id="the key as address"),
        pytest.param("https://api.picora.com", {"base_url": KEY}, id="swapped"),
        pytest.param("https://api.picora.com", {"base_url": OTHER}, id="swapped, of another form"),
        pytest.param(KEY, {"base_url": [KEY]}, id="a list as address"),
        pytest.param(KEY, {"base_url": f"https://api.picora.com/?key={KEY}"}, id="in the address"),
        pytest.param(KEY, {"timeout": KEY}, id="as time"),
        pytest.param(KEY, {"max_wait": (OTHER, KEY)}, id="as time to wait"),
    ],
)
@pytest.mark.parametrize("make", [pic.Client, pic.connect])
def test_no_frame_of_a_client_that_cannot_be_made_shows_the_key(make, key, options, monkeypatch):
    if make is pic.connect and "base_url" not in options and options:
        options = {"base_url": "ftp://x"}
    monkeypatch.setenv("NO_COLOR", "1")
    given_away = locals_shown(lambda: make(key, **options))
    ours = [line for line in given_away.splitlines() if not line.startswith("<lambda>")]
    assert KEY not in "\n".join(ours)
    assert OTHER not in "\n".join(ours)
    if isinstance(key, str):
        monkeypatch.setenv("PICORA_API_KEY", key)
        assert KEY not in locals_shown(lambda: make(**options))


@pytest.mark.parametrize("url", [None, "https://api.picora.me"])
def test_an_address_that_was_given_as_the_key_is_no_secret_afterwards(url, monkeypatch):
    monkeypatch.delenv("PICORA_BASE_URL", raising=False)
    with pytest.raises(pic.AuthenticationError, match="is an address") as held:
        pic.Client(url or "https://api.picora.com", KEY)

    # A notebook keeps the last error, with all that its frames hold.
    with pic.Client(KEY, url) as client:
        assert client.base_url == url or url is None
    assert held.tb is not None


def test_no_frame_shows_an_echo_in_the_body_of_a_refusal(raw, connect_to):
    echo = base64.b64encode(KEY.encode())
    body = b'{"error": "bad key %s, %s"}' % (echo, KEY[:24].encode())
    head = b"HTTP/1.1 401 No\r\ncontent-length: %d\r\n\r\n" % len(body)
    client = connect_to(raw(head + body).url, KEY)

    shown = locals_shown(client.verify)

    assert echo.decode()[:20] not in shown and KEY[:24] not in shown


@pytest.mark.slow
def test_no_frame_shows_a_key_typed_at_the_prompt(monkeypatch):
    monkeypatch.delenv("PICORA_API_KEY", raising=False)
    code = f"""
import getpass, sys, traceback
getpass.getpass = lambda prompt="": {KEY[:20]!r} + {KEY[20:]!r}
import picora_analytics as pic
try:
    pic.connect(ask=True, base_url="http://picora.example")
except ValueError as error:
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    print(*told.format())
"""

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "secret = <key>" in run.stdout
    assert KEY not in run.stdout


def test_a_client_that_could_not_be_made_has_a_repr():
    assert repr(object.__new__(pic.Client)) == "Client(…)"


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda client: client.verify(), id="verify"),
        pytest.param(lambda client: client.account(), id="account"),
        pytest.param(lambda client: client.get_image("a"), id="an image"),
        pytest.param(lambda client: list(read_changes(client)), id="the feed"),
    ],
)
@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 500 No\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nx"])
def test_no_frame_of_a_failing_call_shows_the_key(raw, connect_to, call, answer):
    client = connect_to(raw(answer).url, KEY, max_wait=0.01)

    assert KEY not in locals_shown(lambda: call(client))


def test_neither_attributes_nor_repr_of_a_secret_show_it():
    secret = Secret.read(KEY)

    shown = [repr(secret), *(repr(getattr(secret, name)) for name in keys.Secret.__slots__[1:])]

    assert KEY not in "".join(shown)
    assert secret.reveal() == KEY
