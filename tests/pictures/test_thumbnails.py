"""Small pictures: only public ones, never with the key, and only what a page may be given."""

import io
import socket
import threading

import pytest
from PIL import Image

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.pictures import thumbnails
from picora_analytics.pictures.thumbnails import (
    Thumbnail,
    Thumbnails,
    kind_of,
    placeholder,
    request_urls,
    shrunk,
)


@pytest.fixture
def service():
    with DemoServer(n_images=40) as server:
        yield server


@pytest.fixture
def images(service):
    with pic.Client(service.api_key, service.url) as client:
        return pic.load_images(client, store=None, progress=False)


def _fetched(rows, fetcher=None):
    found = {}
    (fetcher or Thumbnails(demo=True)).fetch(rows, found.__setitem__)
    return found


def _asked(service):
    return [request for request in service.requests if request.port == "pictures"]


@pytest.mark.slow
def test_public_pictures_come_small_and_without_the_key(service, images):
    public = images[images["is_public"]]

    found = _fetched(public)

    assert set(found) == set(public.index)
    assert {one.format for one in found.values()} == {"webp"}
    assert max(len(one.data) for one in found.values()) < 60_000
    assert {tuple(one.query.items()) for one in _asked(service)} == {
        (("w", "320"), ("h", "240"), ("fit", "inside"), ("fmt", "webp"))
    }


def test_the_picture_host_never_sees_the_key(images):
    seen = []

    class Spy(threading.Thread):
        def __init__(self, sock):
            super().__init__(daemon=True)
            self.sock = sock

        def run(self):
            with self.sock.accept()[0] as connection:
                seen.append(connection.recv(65536))
                connection.sendall(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )

    with socket.create_server(("127.0.0.1", 0)) as sock:
        spy = Spy(sock)
        spy.start()
        rows = (
            images[images["is_public"]]
            .head(1)
            .assign(url=f"http://127.0.0.1:{sock.getsockname()[1]}/a.png", size_bytes=10**9)
        )
        found = _fetched(rows)
        spy.join(60)

    assert list(found.values()) == [None]
    assert b"GET /a.png?w=320&h=240&fit=inside&fmt=webp" in seen[0]
    for word in (b"authorization", b"cookie", b"sk_live"):
        assert word not in seen[0].lower()


def test_private_pictures_are_not_asked_for(service, images):
    private = images[~images["is_public"]]

    found = _fetched(private)

    assert len(found) > 0
    assert set(found.values()) == {None}
    assert _asked(service) == []
    assert placeholder(private.iloc[0]).endswith("· private")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", id="svg"),
        pytest.param(b"<html><script>x()</script>", id="html"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"x" * thumbnails.MAX_BYTES, id="too large"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + b"x" * 100, id="a signature and nothing behind it"),
    ],
)
def test_what_is_no_small_picture_is_refused(service, images, body):
    service.fail("GET", "/*", times=None, body=body)

    assert set(_fetched(images[images["is_public"]].head(3)).values()) == {None}


def test_a_host_that_cannot_process_gives_the_small_file_as_it_is(service, images):
    row = images[images["is_public"] & (images["mime_type"] == "image/png")]
    row = row[row["size_bytes"] < thumbnails.MAX_BYTES].head(1)
    service.fail("GET", "/*", status=400)

    (found,) = _fetched(row).values()

    assert found is not None and found.format == "png"
    assert [one.query for one in _asked(service)] == [
        {"w": "320", "h": "240", "fit": "inside", "fmt": "webp"},
        {},
    ]


@pytest.mark.parametrize(
    ("fault"),
    [
        pytest.param({"drop": True}, id="dropped"),
        pytest.param({"cut": 20}, id="cut off"),
        pytest.param(
            {"status": 302, "headers": {"location": "http://127.0.0.1:9/x"}}, id="redirect"
        ),
        pytest.param({"status": 500}, id="error"),
    ],
)
def test_a_picture_that_does_not_come_is_no_picture(service, images, fault):
    service.fail("GET", "/*", times=None, **fault)

    assert set(_fetched(images[images["is_public"]].head(2)).values()) == {None}


def test_pictures_are_fetched_once(service, images):
    fetcher, rows = Thumbnails(demo=True), images[images["is_public"]].head(5)

    _fetched(rows, fetcher)
    sent = len(service.requests)
    again = _fetched(rows, fetcher)

    assert len(service.requests) == sent
    assert fetcher.remembered(images.index) == again


def test_pictures_nobody_looks_at_any_more_are_not_fetched(service, images):
    Thumbnails(demo=True).fetch(images, print, wanted=lambda: False)

    assert _asked(service) == []


@pytest.mark.parametrize(
    ("url", "demo", "n_urls"),
    [
        pytest.param("https://img.picora.com/a.png", False, 2, id="ordinary"),
        pytest.param("https://img.picora.com/a.png?v=2", False, 1, id="query of its own"),
        pytest.param("http://img.picora.com/a.png", False, 0, id="not encrypted"),
        pytest.param("http://127.0.0.1:8080/a.png", False, 0, id="this machine, not the demo"),
        pytest.param("http://127.0.0.1:8080/a.png", True, 2, id="the demo"),
        pytest.param("https://img.picora.com/a.png", True, 0, id="elsewhere, in the demo"),
        pytest.param("file:///etc/passwd", False, 0, id="a file"),
        pytest.param("javascript:alert(1)", False, 0, id="a script"),
        pytest.param("//img.picora.com/a.png", False, 0, id="no scheme"),
        pytest.param("https://me:pw@img.picora.com/a.png", False, 0, id="with a password"),
        pytest.param("https://img.picora.com:port/a.png", False, 0, id="no address"),
    ],
)
def test_only_honest_addresses_are_asked(make_images, url, demo, n_urls):
    row = make_images(url=[url]).iloc[0]

    assert len(request_urls(row, demo=demo)) == n_urls


@pytest.mark.parametrize(
    "change", [{"size_bytes": [10**7]}, {"width": [30_000], "height": [30_000]}, {"width": [None]}]
)
def test_a_large_file_or_picture_is_never_sent_as_it_is(make_images, change):
    row = make_images(**change).iloc[0]

    assert request_urls(row, demo=False) == [
        "https://img.picora.com/a.png?w=320&h=240&fit=inside&fmt=webp"
    ]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"<?xml", None),
    ],
)
def test_kinds_are_known_by_their_first_bytes(start, kind):
    assert kind_of(start) == kind


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"mime_type": ["image/svg+xml"], "is_public": [False]}, "SVG · private"),
        ({"mime_type": [None], "is_public": [None]}, "unknown type · perhaps private"),
        ({"mime_type": ["image/\u202epng"]}, "\N{REPLACEMENT CHARACTER}png"),
    ],
)
def test_a_placeholder_says_what_is_not_shown(make_images, columns, text):
    assert placeholder(make_images(**columns).iloc[0]) == text


def test_a_small_picture_made_anew_says_nothing_of_where_it_was_taken():
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"  # The hemisphere of the GPS position.
    exif[0x010F] = "a camera"
    file = io.BytesIO()
    Image.new("RGB", (1000, 500), "red").save(file, "JPEG", exif=exif, comment=b"at home")
    assert b"a camera" in file.getvalue() and b"at home" in file.getvalue()

    made = shrunk(Thumbnail(file.getvalue(), "jpeg"))

    assert made.format == "webp"
    with Image.open(io.BytesIO(made.data)) as picture:
        assert picture.size == (320, 160)
        assert not picture.getexif() and "exif" not in picture.info
    assert b"a camera" not in made.data and b"at home" not in made.data
