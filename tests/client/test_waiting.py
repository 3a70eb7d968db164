"""Waits that end when they should: Ctrl-C, a stop, a budget of repeats; and two processes with one key."""

import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from picora_analytics import RateLimitError, StatusError, TransportError
from picora_analytics.client.retrying import RetryBudget, StoppedError

SPENT = {"RateLimit-Limit": "600", "RateLimit-Remaining": "0", "RateLimit-Reset": "59"}
LONG_WAITS = [
    pytest.param({"headers": SPENT}, id="for the pacer"),
    pytest.param({"status": 429, "headers": {"Retry-After": "59"}}, id="as a 429 asks"),
]


def body(answer):
    return answer.body


def ask_twice(client, **options):
    for _ in range(2):
        client._connection.get("/v1/images", body, **options)


@pytest.mark.parametrize("fault", LONG_WAITS)
def test_ctrl_c_ends_a_wait_within_a_second(serve, fault):
    server, client = serve(max_wait=100)
    server.fail("GET", "/v1/images", **fault)
    sent = []

    def interrupt(text):
        def send():
            sent.append(time.monotonic())
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

        threading.Timer(0.05, send).start()

    with client.reporting(interrupt), pytest.raises(KeyboardInterrupt):
        ask_twice(client)

    assert time.monotonic() - sent[0] < 1
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", LONG_WAITS)
def test_a_stop_ends_a_wait_of_every_thread(serve, fault):
    server, client = serve(max_wait=100)
    server.fail("GET", "/v1/images", **fault)
    stop, shown, ends = threading.Event(), threading.Event(), []

    def work():
        try:
            ask_twice(client, stop=stop)
        except StoppedError as error:
            ends.append(error)

    with client.reporting(lambda text: shown.set()):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        shown.wait(60)
        stop.set()
        for thread in threads:
            thread.join(60)

    assert len(ends) == 3


@pytest.mark.slow
def test_threads_that_wait_for_one_moment_say_so_once(serve):
    server, client = serve(max_wait=100)
    server.fail("GET", "/v1/images", headers={**SPENT, "RateLimit-Reset": "3"})
    shown = []

    with client.reporting(shown.append):
        client._connection.get("/v1/images", body)
        threads = [threading.Thread(target=ask_twice, args=(client,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    (text,) = shown
    assert re.fullmatch(r"staying within Picora's rate limit, until \d\d:\d\d:\d\d", text)


@pytest.mark.slow
def test_two_that_listen_on_one_client_are_both_told_until_each_leaves(serve):
    server, client = serve(1, max_wait=100)
    first, second = [], []
    one, other = client.reporting(first.append), client.reporting(second.append)
    one.__enter__()
    other.__enter__()

    told = []
    for leave in (one, other):
        server.fail("GET", "/v1/images", status=429, headers={"Retry-After": "2.1"})
        client._connection.get("/v1/images", body)
        told.append((len(first), len(second)))
        leave.__exit__(None, None, None)

    assert told == [(1, 1), (1, 2)]
    assert client._connection.waits.listeners == []


@pytest.mark.slow
def test_reads_that_share_a_budget_share_its_repeats(serve):
    server, client = serve()
    server.fail("GET", "/v1/images", times=None, status=503)
    budget = RetryBudget(retries=2)

    for _ in range(2):
        with pytest.raises(StatusError):
            client._connection.get("/v1/images", body, budget=budget)

    assert budget.used == 2
    assert len(server.requests) == 3 + 1


@pytest.mark.slow
def test_a_budget_bounds_the_time_of_all_pauses_as_well(serve):
    server, client = serve(max_wait=60)
    server.fail("GET", "/v1/images", times=None, status=429, headers={"Retry-After": "0.4"})

    with pytest.raises(RateLimitError, match=r"after 1 repeats the patience for this load is used"):
        client._connection.get("/v1/images", body, budget=RetryBudget(seconds=0.5))

    assert len(server.requests) == 2


@pytest.mark.slow
def test_fifty_refusals_without_a_word_end_in_finite_time(serve):
    server, client = serve(max_wait=3)
    server.fail("GET", "/v1/images", times=50, status=429)

    with pytest.raises(
        RateLimitError, match=r"Try again then, or give Client a larger max_wait\.$"
    ):
        client._connection.get("/v1/images", body, budget=RetryBudget())

    assert 2 <= len(server.requests) <= 4


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_key_revoked_in_the_middle_stops_at_once(serve, status):
    server, client = serve(5)
    server.fail("GET", "/v1/images", skip=2, times=None, status=status)
    pages = client.iter_pages(page_size=1)
    read = [next(pages), next(pages)]

    with pytest.raises(StatusError):
        next(pages)

    assert [len(page.images) for page in read] == [1, 1]
    assert len(server.requests) == 3


@pytest.mark.slow
def test_a_certificate_that_is_not_trusted_is_not_asked_for_again(connect_to, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handshakes, received = [], []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve_tls():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                handshakes.append(1)
                try:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        received.append(secure.recv(65536))
                except OSError:
                    pass

        thread = threading.Thread(target=serve_tls, daemon=True)
        thread.start()
        client = connect_to(f"https://127.0.0.1:{server.getsockname()[1]}")

        with pytest.raises(
            TransportError, match=r"certificate is not accepted, so the key was not"
        ):
            client._connection.get("/v1/images", body)

        server.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert len(handshakes) == 1
    assert b"".join(received) == b""


def test_an_announced_body_beyond_the_ceiling_is_not_read(raw, connect_to):
    server = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 2000000000\r\n\r\n{")

    with pytest.raises(TransportError, match=r"sent more than 64 MiB; it was cut off\.$"):
        connect_to(server.url, max_wait=0.05)._connection.get("/v1/images", body)


@pytest.mark.slow
def test_round_trips_are_measured_without_the_waits(serve):
    server, client = serve(latency=0.05)
    server.fail("GET", "/v1/images", status=429, headers={"Retry-After": "0.5"})
    before = client._connection.round_trip

    client._connection.get("/v1/images", body)

    assert before is None
    assert 0.05 <= client._connection.round_trip < 0.4


LOAD = """
import sys
from picora_analytics import Client
with Client(sys.argv[1], sys.argv[2]) as client:
    ids = [image.id for page in client.iter_pages(page_size=10) for image in page.images]
print(len(ids), len(set(ids)))
"""


@pytest.mark.slow
def test_two_processes_with_one_key_stay_inside_the_limit_and_both_complete(serve):
    server, _ = serve(800, rate_scale=2)

    loads = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD, server.api_key, server.url],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [load.communicate(timeout=60)[0] for load in loads]

    assert told == ["800 800\n"] * 2
    seen = server.requests
    assert [request.status for request in seen] == [200] * 160
    moments = sorted(request.received_at for request in seen)
    rate, burst = 2 * 600 / 60, 2 * 30
    for i, first in enumerate(moments):
        for j in range(i, len(moments)):
            # One more: a request is noted before its turn at the bucket.
            assert j - i + 1 <= burst + rate * (moments[j] - first) + 1
