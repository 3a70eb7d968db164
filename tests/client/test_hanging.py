"""Nothing hangs: drips, silent addresses, heads that close a client for years, and stops that nobody hears."""

import contextlib
import itertools
import signal
import socket
import threading

import pytest

from picora_analytics import TransportError
from picora_analytics.client.pacing import Pacer
from picora_analytics.client.pictures import PictureError, picture_web, stream_picture
from picora_analytics.client.retrying import StoppedError

PICTURE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


@pytest.fixture
def dripping():
    """Give what starts a server that sends some bytes, and then the same byte again and again."""
    done = threading.Event()
    threads = []
    with contextlib.ExitStack() as stack:

        def start(head, byte):
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def drip():
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(head)
                    while not done.wait(0.05):
                        connection.sendall(byte)

            threads.append(threading.Thread(target=drip, daemon=True))
            threads[-1].start()
            return f"http://127.0.0.1:{server.getsockname()[1]}"

        yield start
        done.set()
        for thread in threads:
            thread.join()


DRIPS = [
    pytest.param(b"", b"", id="nothing at all"),
    pytest.param(b"HTTP/1.1 200 OK\r\nx-drip: ", b"a", id="a head"),
    pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", b"a", id="a body"),
    pytest.param(b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n", b"", id="half a body"),
    pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="go on, go on"),
]


@pytest.mark.parametrize(("head", "byte"), DRIPS)
@pytest.mark.slow
def test_a_picture_that_drips_ends_with_its_patience(dripping, head, byte):
    url = dripping(head, byte)

    with (
        picture_web(local=True, timeout=60) as web,
        pytest.raises(PictureError, match=r"^it was not there within 0\.4 seconds$"),
    ):
        stream_picture(web, f"{url}/a.png", len, max_bytes=10**6, patience=0.4)


@pytest.mark.parametrize(("head", "byte"), DRIPS)
def test_a_picture_that_drips_is_stopped_at_once(dripping, head, byte):
    url, asked = dripping(head, byte), itertools.count()

    with (
        picture_web(local=True, timeout=60) as web,
        pytest.raises(PictureError, match=r"^stopped$"),
    ):
        # Asked a few times, it says yes: long before the host's time is up.
        stream_picture(
            web, f"{url}/a.png", len, max_bytes=10**6, patience=60, stopped=lambda: next(asked) > 3
        )

    assert next(asked) < 60


@pytest.mark.parametrize(("head", "byte"), DRIPS)
@pytest.mark.slow
def test_a_read_that_drips_hears_a_stop(dripping, connect_to, head, byte):
    client = connect_to(dripping(head, byte), timeout=60)
    stop = threading.Event()
    timer = threading.Timer(0.3, stop.set)
    timer.start()

    with pytest.raises(StoppedError):
        client._image("a", stop)

    timer.join()


@pytest.mark.parametrize(("head", "byte"), DRIPS)
@pytest.mark.slow
def test_a_read_that_drips_hears_ctrl_c(dripping, connect_to, head, byte):
    client = connect_to(dripping(head, byte), timeout=60)
    main = threading.main_thread().ident
    timer = threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT))
    timer.start()

    with pytest.raises(KeyboardInterrupt):
        client.get_image("a")

    timer.join()


# A host with several addresses


@pytest.fixture
def addresses(monkeypatch):
    """Give a list to put the addresses of localhost into."""
    found, real = [], socket.getaddrinfo

    def look_up(host, port, *rest, **options):
        if host != "localhost":
            return real(host, port, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return found


@pytest.fixture
def silent():
    """Give what makes a port of an address silent: its queue is full, so that what comes is dropped."""
    with contextlib.ExitStack() as stack:

        def fill(address, port):
            hole = stack.enter_context(socket.socket())
            hole.bind((address, port))
            hole.listen(0)
            for _ in range(8):
                knock = stack.enter_context(socket.socket())
                knock.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    knock.connect((address, port))

        yield fill


@pytest.mark.parametrize(
    "order",
    [
        pytest.param(["silent", "there"], id="the first silent"),
        pytest.param(["silent", "silent", "there"], id="two silent"),
        pytest.param(["refusing", "there"], id="the first refusing"),
        pytest.param(["refusing", "silent", "there"], id="refusing, silent"),
        pytest.param(["there", "silent"], id="the first there"),
        pytest.param(["there", "there"], id="said twice"),
    ],
)
def test_a_host_is_reached_by_whichever_of_its_addresses_answers(
    raw, connect_to, http, addresses, silent, order
):
    row = {"id": "a", "url": "https://img.picora.com/a"}
    server = raw(http({"success": True, "data": row}))
    for number, kind in enumerate(order, 2):
        address = "127.0.0.1" if kind == "there" else f"127.0.0.{number}"
        if kind == "silent":
            silent(address, server.port)
        addresses.append(address)

    # Less than the timeout of one address: none may be waited for alone.
    client = connect_to(f"http://localhost:{server.port}", timeout=10, max_wait=0.01)

    assert client.get_image("a").id == "a"


@pytest.mark.parametrize(
    ("kinds", "said"),
    [(["refusing", "refusing"], "ConnectError"), (["silent", "refusing"], "ConnectTimeout")],
)
def test_a_host_of_which_no_address_answers_is_given_up_in_time(
    connect_to, addresses, silent, kinds, said
):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for number, kind in enumerate(kinds, 2):
        if kind == "silent":
            silent(f"127.0.0.{number}", port)
        addresses.append(f"127.0.0.{number}")
    client = connect_to(f"http://localhost:{port}", timeout=0.5, max_wait=0.01)

    with pytest.raises(TransportError, match=said):
        client.get_image("a")


@pytest.mark.slow
def test_a_connection_that_lost_the_race_is_closed(raw, connect_to, http, addresses, silent):
    server = raw(http({"success": True, "data": {"id": "a", "url": "https://x.example/a"}}))
    silent("127.0.0.2", server.port)
    addresses += ["127.0.0.2", "127.0.0.1"]

    connect_to(f"http://localhost:{server.port}", timeout=3, max_wait=0.01).get_image("a")

    for thread in threading.enumerate():
        if thread.name == "picora-connect":
            thread.join()
    assert server.asked


# Heads that would close a client for long

NEVER = ["3691", "86400", "999999999", "4102444800", "99999999999", "1e99", "-1", "nan"]


class Time:
    """A clock that stands until it is moved."""

    now = 1000.0

    def __call__(self):
        return self.now


@pytest.mark.parametrize("reset", NEVER)
@pytest.mark.parametrize("family", ["ratelimit-", "x-ratelimit-"])
@pytest.mark.parametrize("limit", ["5000", "600", "0", "0.000001", "1", "999999999999", "x"])
@pytest.mark.parametrize("remaining", ["0", "1"])
def test_no_head_closes_a_client_for_longer_than_a_window(family, limit, remaining, reset):
    clock = Time()
    pacer = Pacer(clock)
    assert pacer.delay("read") == 0
    told = {"limit": limit, "remaining": remaining, "reset": reset}

    pacer.correct("read", {family + name: value for name, value in told.items()}, 1_764_000_000.0)

    waited, steps = 0.0, 0
    while (wait := pacer.delay("read")) > 0:
        waited, steps = waited + wait, steps + 1
        clock.now += wait
        assert steps < 100
    assert waited <= 3600


@pytest.mark.parametrize("seconds", [3601, 10**9, 366 * 86400.0])
def test_a_refusal_of_years_is_asked_again_after_an_hour(seconds):
    clock = Time()
    pacer = Pacer(clock)

    pacer.refuse("read", seconds)

    assert 0 < pacer.delay("read") <= 3660


def test_a_client_goes_on_after_a_head_of_centuries(raw, http, connect_to):
    page = {"success": True, "data": {"id": "a", "url": "https://img.picora.com/a"}}
    heads = {"ratelimit_limit": "5000", "ratelimit_remaining": "0", "ratelimit_reset": "999999999"}
    client = connect_to(raw(http(page, **heads), http(page)).url, max_wait=5)

    assert [client.get_image("a").id for _ in range(2)] == ["a", "a"]


@pytest.mark.slow
def test_a_deadline_is_kept_although_the_answer_never_pauses(connect_to):
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def flood():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
                while not done.is_set():
                    connection.sendall(b"1\r\n \r\n")

        thread = threading.Thread(target=flood, daemon=True)
        thread.start()
        client = connect_to(
            f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.4, max_wait=0.01
        )
        with pytest.raises(TransportError):
            client.get_image("a")
        client.close()
        done.set()
        thread.join()
