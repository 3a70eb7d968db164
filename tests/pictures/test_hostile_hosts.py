"""Picture hosts that mean harm: pictures of billions of pixels, hosts that drip or never answer."""

import io
import signal
import socket
import struct
import subprocess
import sys
import threading
import zlib

import pytest
from PIL import Image

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.pictures.thumbnails import MAX_PIXELS, Thumbnails, small_picture

LARGE = 40_000


def _picture(kind):
    data = io.BytesIO()
    Image.new("RGB", (16, 12), "teal").save(data, kind, lossless=True)
    return data.getvalue()


def _large_png():
    data = bytearray(_picture("png"))
    data[16:24] = struct.pack(">II", LARGE, LARGE)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return data


def _large_jpeg():
    data = bytearray(_picture("jpeg"))
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", LARGE, LARGE)
    return data


def _large_gif():
    data = bytearray(_picture("gif"))
    data[6:10] = struct.pack("<HH", LARGE, LARGE)
    return data


def _large_gif_frame():
    """A small screen with a large first frame: browsers grow the screen."""
    data = bytearray(_picture("gif"))
    place = data.index(b"\x2c\0\0\0\0") + 5
    data[place : place + 4] = struct.pack("<HH", LARGE, LARGE)
    return data


def _large_webp():
    data = bytearray(_picture("webp"))
    place = data.index(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", data, place)
    side = 16_383
    struct.pack_into("<I", data, place, bits & ~0xFFFFFFF | side | side << 14)
    return data


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_a_small_picture_is_taken(kind):
    data = _picture(kind)

    assert small_picture(data) == (data, kind)


@pytest.mark.parametrize(
    "make", [_large_png, _large_jpeg, _large_gif, _large_gif_frame, _large_webp]
)
def test_a_picture_of_too_many_pixels_is_refused_whatever_the_listing_says(make):
    assert small_picture(bytes(make())) is None


def test_just_enough_pixels_are_taken():
    data = bytearray(_picture("gif"))
    data[6:10] = struct.pack("<HH", 8000, MAX_PIXELS // 8000)
    assert small_picture(bytes(data)) is not None

    data[6:10] = struct.pack("<HH", 8000, MAX_PIXELS // 8000 + 1)
    assert small_picture(bytes(data)) is None


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
@pytest.mark.parametrize("length", [0, 4, 8, 12, 20, 30])
def test_a_picture_cut_in_its_head_is_none_and_raises_nothing(kind, length):
    assert small_picture(_picture(kind)[:length]) is None


class Host(threading.Thread):
    """Accepts whatever comes and never gives a whole answer; with `drip`, a byte now and then."""

    def __init__(self, start: bytes = b"", drip: bytes = b""):
        super().__init__(daemon=True)
        self.begin, self.drip = start, drip
        self.asked, self.closing = threading.Event(), threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.socket.close()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                connection.recv(65536)
                self.asked.set()
                connection.sendall(self.begin)
                while not self.closing.wait(0.1):
                    connection.sendall(self.drip)
            except OSError:
                pass


HOSTS = [
    pytest.param(b"", b"", id="never answers"),
    pytest.param(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"a", id="drips its head"),
    pytest.param(
        b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\n\x89PNG\r\n\x1a\n",
        b"a",
        id="drips its body",
    ),
]
# What is asked for with the text here is on its way when it is told to end.
CHILD = """
import os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
import picora_analytics as pic
from picora_analytics.pictures.thumbnails import Thumbnails
key, url, port, how = sys.argv[1:]
client = pic.Client(key, url)
images = pic.load_images(client, store=None, progress=False)
images["url"] = [f"http://127.0.0.1:{port}/{i}.png" for i in range(len(images))]
if how == "panel":
    panel = pic.CleanupPanel(images, client)
    print("ready", flush=True)
    sys.stdin.readline()
else:
    print("ready", flush=True)
    try:
        Thumbnails(demo=True).fetch(images, lambda *_: None)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
"""


@pytest.fixture
def child(tmp_path):
    """Give what starts a Python that fetches pictures from a host, and waits until the host was asked."""
    started = []

    def start(service, host, how):
        command = [sys.executable, "-c", CHILD, service.api_key, service.url, str(host.port), how]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        assert host.asked.wait(120)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(("begin", "drip"), HOSTS[1:])
@pytest.mark.slow
def test_python_does_not_wait_at_exit_for_pictures_on_their_way(child, begin, drip):
    with DemoServer(n_images=40) as service, Host(begin, drip) as host:
        process = child(service, host, "panel")

        # A picture that drips is given up after 15 seconds; that a slow machine ends late is no fault.
        _, complaints = process.communicate("\n", timeout=12)

    assert process.returncode == 0
    assert complaints == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
@pytest.mark.parametrize(("begin", "drip"), HOSTS)
@pytest.mark.slow
def test_ctrl_c_ends_a_fetch_at_once(child, begin, drip):
    with DemoServer(n_images=40) as service, Host(begin, drip) as host:
        process = child(service, host, "fetch")
        process.send_signal(signal.SIGINT)

        # Four at once, 5 seconds each at least: to wait for all would take half a minute.
        shown, complaints = process.communicate(timeout=12)

    assert (shown, complaints, process.returncode) == ("interrupted\n", "", 0)


@pytest.mark.parametrize(("begin", "drip"), HOSTS)
def test_a_page_turned_away_from_is_waited_for_no_longer(begin, drip):
    with DemoServer(n_images=40) as service, Host(begin, drip) as host:
        with pic.Client(service.api_key, service.url) as client:
            images = pic.load_images(client, store=None, progress=False)
        images["url"] = [f"http://127.0.0.1:{host.port}/{i}.png" for i in range(len(images))]
        fetcher = Thumbnails(demo=True)
        fetch = threading.Thread(
            target=fetcher.fetch,
            args=(images, lambda *_: None, lambda: not host.asked.is_set()),
            daemon=True,
        )
        fetch.start()
        fetch.join(12)

        assert not fetch.is_alive()
        # Nobody knows yet whether there is a picture: the next page asks again.
        public = images.index[images["is_public"]]
        assert fetcher.remembered(public) == {}
