"""Pictures never lead inside: no address of this machine or its network, however it is spelled or resolved."""

import contextlib
import ipaddress
import socket
import threading

import pytest
from hypothesis import given, strategies as st

from picora_analytics import DemoServer
from picora_analytics.client.addresses import is_inside, leads_inside
from picora_analytics.client.pictures import (
    PictureError,
    picture_url,
    picture_web,
    stream_picture,
)

INSIDE = ["127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.9", "192.168.1.1"]
INSIDE += [
    "169.254.169.254",
    "100.64.0.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
]
PUBLIC = ["93.184.215.14", "8.8.8.8", "1.1.1.1", "172.32.0.1", "11.0.0.1"]


def spellings(address):
    """Give the ways in which browsers and C libraries let one write an IPv4 address."""
    number = int(ipaddress.IPv4Address(address))
    a, b, c, d = address.split(".")
    low = number & 0xFFFFFF
    return [
        address,
        f"{address}.",
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{low}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"0x{int(a):x}.{low}",
        ".".join(f"0{int(part):o}" for part in (a, b, c, d)),
        ".".join(f"0x{int(part):X}" for part in (a, b, c, d)),
        f"[::ffff:{address}]",
        f"[::FFFF:{number >> 16:x}:{number & 0xFFFF:x}]",
        f"[0:0:0:0:0:ffff:{address}]",
        f"[::{address}]",
        f"[64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}]",
        f"[2002:{number >> 16:x}:{number & 0xFFFF:x}::1]",
    ]


@pytest.mark.parametrize("address", INSIDE)
@pytest.mark.parametrize("local", [False, True])
def test_no_spelling_of_an_inside_address_is_asked(address, local):
    asked = [
        host
        for host in spellings(address)
        if picture_url(f"https://{host}/x.png", local=local) is not None
    ]

    assert asked == (["127.0.0.1"] if local and address == "127.0.0.1" else [])


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_asked_however_it_is_spelled(address):
    hosts = [
        host for host in spellings(address) if not host.startswith(("[2002:", f"[::{address}"))
    ]

    assert [host for host in hosts if leads_inside(host.strip("[]"))] == []


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "a.localhost", "ip6-localhost", "printer.local"),
        *(
            "nas.lan",
            "db.internal",
            "router.home.arpa",
            "x.localdomain",
            "intranet",
            "[::1]",
            "[::]",
        ),
        *("[fe80::1]", "[fe80::1%25eth0]", "[fc00::1]", "[fd12::1]", "[ff02::1]", "[fec0::1]"),
        *("[2001:db8::1]", "[0:0:0:0:0:0:0:1]", "127。0。0。1", "１２７.0.0.1", "1.2.3.4.5"),
    ],
)
def test_no_inside_name_is_asked(host):
    assert picture_url(f"https://{host}/x.png", local=False) is None


@pytest.mark.parametrize(
    "host", ["img.picora.com", "localhost.example.com", "10.example.com", "local.picora.me"]
)
def test_a_public_name_is_asked(host):
    assert picture_url(f"https://{host}/x.png", local=False) is not None


@given(st.ip_addresses())
def test_an_address_is_inside_unless_the_internet_knows_it(address):
    if not address.is_global or address.is_multicast:
        assert is_inside(str(address))
    if isinstance(address, ipaddress.IPv4Address):
        assert is_inside(f"::ffff:{address}") == is_inside(str(address))


@pytest.fixture
def names(monkeypatch):
    """Give a table of names, each with the addresses that it resolves to, one answer after the other."""
    table, real = {}, socket.getaddrinfo

    def look_up(host, port, *rest, **options):
        if host not in table:
            return real(host, port, *rest, **options)
        answers = table[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return table


def fetch(url, **options):
    data = bytearray()
    with picture_web(local=False, timeout=5) as web:
        stream_picture(web, url, data.extend, max_bytes=10**6, patience=5, **options)
    return bytes(data)


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([["127.0.0.1"]], id="loopback"),
        pytest.param([["127.8.8.8", "10.0.0.1"]], id="loopback and private"),
        pytest.param([["0.0.0.0"]], id="unspecified"),
    ],
)
@pytest.mark.slow
def test_a_name_that_resolves_to_the_inside_is_not_connected_to(names, answers):
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(0.3)
        names["img.evil.example"] = answers
        url = picture_url(f"https://img.evil.example:{server.getsockname()[1]}/a", local=False)

        with pytest.raises(
            PictureError, match=r"not asked: img\.evil\.example is an address"
        ) as no:
            fetch(url)

        assert not no.value.passing
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.slow
def test_a_name_that_resolves_to_something_else_the_second_time_is_not_connected_to(names):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        port = server.getsockname()[1]
        names["img.evil.example"] = [["93.184.215.14"], ["127.0.0.1"]]
        first = socket.getaddrinfo("img.evil.example", port)

        with pytest.raises(PictureError, match="not asked"):
            fetch(f"https://img.evil.example:{port}/a")

        assert not is_inside(first[0][4][0])
        with pytest.raises(TimeoutError):
            server.accept()


def test_the_demos_own_pictures_are_fetched():
    with DemoServer(1) as demo:
        url = picture_url(f"{demo.url}/nothing.png", local=True)
        with (
            picture_web(local=True, timeout=5) as web,
            pytest.raises(PictureError, match=r"127\.0\.0\.1 answered 401"),
        ):
            stream_picture(web, url, len, max_bytes=10, patience=5)


def test_a_proxy_may_be_inside(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        asked = []

        def answer():
            connection, _ = proxy.accept()
            with connection, contextlib.suppress(OSError):
                asked.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 403 No\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.getsockname()[1]}")

        with pytest.raises(PictureError, match="ProxyError"):
            fetch("https://img.picora.com/a.png")

        thread.join()
        assert asked[0].startswith(b"CONNECT img.picora.com:443 ")
