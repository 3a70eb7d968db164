"""Addresses in a listing that lead to this machine or its network: no picture is ever asked for there."""

import socket
import threading

import pytest

from picora_analytics.pictures.thumbnails import Thumbnails, request_urls

SPELLINGS = [
    "127.0.0.1",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0x7f000001",
    "017700000001",
    "2130706433",
    "0.0.0.0",
    "0",
    "localhost",
    "LocalHost.",
    "x.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "10.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "3232235777",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fc00::1]",
    "[fd12:3456::1]",
    "[fec0::1]",
    "[::ffff:10.0.0.1]",
    "[ff02::1]",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "printer.local",
    "router.lan",
    "nas.home.arpa",
    "metadata.google.internal",
    "intranet",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11",
    "\u2460\u2461\u2466.0.0.1",
    "127\u30020\u30020\u30021",
    "127.0.0.1.",
]


@pytest.mark.parametrize("port", ["", ":8443"])
@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_an_inside_address_is_asked(make_images, host, port):
    for url in (
        f"https://{host}{port}/a.png",
        f"http://{host}{port}/a.png",
        f"https://{host}{port}",
    ):
        assert request_urls(make_images(url=[url]).iloc[0], demo=False) == []


@pytest.mark.parametrize("host", ["192.168.1.1", "[fe80::1]", "169.254.169.254", "printer.local"])
def test_the_demo_asks_for_nothing_but_its_own(make_images, host):
    for scheme in ("http", "https"):
        row = make_images(url=[f"{scheme}://{host}/a.png"]).iloc[0]
        assert request_urls(row, demo=True) == []


@pytest.mark.parametrize("host", ["img.picora.com", "cdn.example.org", "93.184.215.14"])
def test_outside_addresses_are_asked(make_images, host):
    assert len(request_urls(make_images(url=[f"https://{host}/a.png"]).iloc[0], demo=False)) == 2


@pytest.fixture
def listener():
    """Listen on an address of this machine, and tell whether somebody came."""
    came = threading.Event()

    def accept():
        try:
            while True:
                server.accept()[0].close()
                came.set()
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1], came


@pytest.mark.parametrize("inside", ["127.0.0.1", "10.0.0.7", "::1", "fe80::1", "::ffff:127.0.0.1"])
@pytest.mark.slow
def test_a_name_that_resolves_inside_is_not_connected_to(
    make_images, listener, monkeypatch, inside
):
    port, came = listener
    asked = []

    def resolve(host, number, *args, **options):
        asked.append(host)
        family = socket.AF_INET6 if ":" in inside else socket.AF_INET
        place = (inside, number, 0, 0) if ":" in inside else (inside, number)
        return [(family, socket.SOCK_STREAM, 6, "", place)]

    # The name service is the network's: no name of ours leads inside.
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    rows = make_images(url=[f"https://pictures.example.com:{port}/a.png"])
    found = {}

    Thumbnails(demo=False).fetch(rows, found.__setitem__)

    assert found == {"a": None}
    assert set(asked) == {"pictures.example.com"}
    assert not came.wait(0.2)
