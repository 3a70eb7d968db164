from __future__ import annotations

import contextlib
import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest

from picora_analytics.demo import DemoServer

# Its life


@pytest.mark.slow
def test_the_server_is_there_when_start_returns_and_gone_when_stop_returns():
    before = threading.active_count()
    server = DemoServer(3).start()
    urls = (server.url, server.pictures_url)

    assert all(httpx.get(f"{url}/health").status_code in (200, 404) for url in urls)
    server.stop()

    assert threading.active_count() == before
    for url in urls:
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)


def test_stop_closes_connections_whose_answer_is_still_to_come(serve):
    server, _ = serve(1, latency=60)
    port = int(server.url.rsplit(":", 1)[1])
    socks = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(5)]
    for sock in socks[:4]:
        sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")

    server.stop()

    for sock in socks:
        with sock, contextlib.suppress(ConnectionResetError):  # Closed either way.
            assert sock.recv(10) == b""


@pytest.mark.slow
def test_a_server_can_be_stopped_twice_and_started_again():
    server = DemoServer(2)
    for _ in range(2):
        with server:
            assert httpx.get(f"{server.url}/health").status_code == 200
        server.stop()


def test_a_running_server_cannot_be_started_again(serve):
    server, _ = serve(1)

    with pytest.raises(RuntimeError, match=r"the demo server runs already$"):
        server.start()


def test_a_busy_port_is_a_clear_error(serve):
    server, _ = serve(1)
    port = int(server.url.rsplit(":", 1)[1])

    with pytest.raises(OSError, match=rf"port {port} of 127.0.0.1 cannot be used: .*in use$"):
        DemoServer(1, port=port).start()
    with pytest.raises(OSError, match=r"cannot be used"):
        DemoServer(1, pictures_port=port).start()


def test_a_server_without_an_address_says_so():
    with pytest.raises(RuntimeError, match=r"no address yet: call start\(\) or use `with`$"):
        _ = DemoServer(1).url


def test_it_listens_on_the_loopback_interface_only(serve):
    server, _ = serve(1)

    assert server.url.startswith("http://127.0.0.1:")
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as sock:
        assert sock.getpeername()[0] == "127.0.0.1"


def test_neither_repr_nor_log_shows_the_key(serve):
    server, caller = serve(1)
    caller.get("/v1/images")

    assert server.api_key not in f"{server!r} {server.requests} {vars(server)['_account']!r}"
    assert re.fullmatch(r"sk_live_demo[A-Za-z0-9]{28}", server.api_key)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": "old"}, r"shape must be 'current' or 'seed', not 'old'$"),
        ({"n_images": -1}, r"n_images must not be negative, but is -1$"),
    ],
)
def test_a_wrong_option_is_a_value_error(options, message):
    with pytest.raises(ValueError, match=message):
        DemoServer(**options)


def test_the_log_tells_who_asked_what_and_when(serve):
    server, caller = serve(2)
    caller.get("/v1/images", params={"limit": 2, "tag": "风景"})
    httpx.get(f"{server.pictures_url}/absent.png?w=1")

    first, second = server.requests

    assert (first.method, first.path, first.query) == (
        "GET", "/v1/images", {"limit": "2", "tag": "风景"},
    )  # fmt: skip
    assert (first.status, first.authorized, first.tier, first.port) == (200, True, "read", "api")
    assert (second.status, second.authorized, second.port) == (404, False, "pictures")
    assert first.received_at < second.received_at <= time.monotonic()


def test_latency_delays_answers(serve):
    server, caller = serve(1, latency=0.1)

    started = time.perf_counter()
    threads = [threading.Thread(target=caller.get, args=("/health",)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert time.perf_counter() - started >= 0.1


# The other user


def test_another_user_changes_the_library_without_http_or_log(serve):
    server, caller = serve(3)
    edited, gone, _ = server.images
    server.edit(edited, tags=["theirs"], title="T", is_public=False)
    server.remove(gone)
    (new,) = server.add(tags=("fresh",))

    assert server.requests == []
    record = caller.get(f"/v1/images/{edited}").json()["data"]
    assert (record["tags"], record["title"], record["isPublic"]) == (["theirs"], "T", False)
    assert caller.list_ids()[0] == new.id
    assert gone not in caller.list_ids()
    assert [(deletion.id, deletion.by) for deletion in server.deleted] == [(gone, "other user")]


def test_another_user_uploads_after_deleting(serve):
    server, _ = serve(3)
    before = list(server.images)

    (first,) = server.add()
    server.remove(before[0])
    (second,) = server.add()

    assert list(server.images) == [*before[1:], first.id, second.id]


def test_changes_have_strictly_increasing_times(serve):
    server, _ = serve(5)
    ids = list(server.images)

    times = [server.edit(image_id, title="x").updated_at for image_id in ids]
    times += [image.updated_at for image in server.add(3)]

    assert times == sorted(set(times))
    assert times[0] == 1_795_442_400_001


def test_a_file_that_is_no_picture_cannot_be_uploaded(serve):
    server, _ = serve(0)

    with pytest.raises(ValueError, match=r"not an image Picora accepts, or too large$"):
        server.upload(b"text")


def test_the_clock_does_not_run_backwards(serve):
    server, _ = serve(0)

    with pytest.raises(ValueError, match=r"only moves forward$"):
        server.advance(-1)


# Faults


def test_a_status_takes_the_place_of_the_call(serve):
    server, caller = serve(2)
    image_id = next(iter(server.images))
    server.fail("DELETE", "/v1/images/*", status=429, headers={"Retry-After": "7"})

    first, second = (caller.delete(f"/v1/images/{image_id}") for _ in range(2))

    assert (first.status_code, first.headers["retry-after"]) == (429, "7")
    assert second.status_code == 200


def test_a_fault_after_the_call_hides_what_really_happened(serve):
    server, caller = serve(2)
    image_id = next(iter(server.images))
    server.fail("DELETE", after=True, status=500)

    answer = caller.delete(f"/v1/images/{image_id}")

    assert answer.status_code == 500
    assert image_id not in server.images
    assert (server.requests[-1].status, server.requests[-1].ids) == (500, (image_id,))


def test_a_dropped_call_has_no_answer_and_did_nothing(serve):
    server, caller = serve(2)
    image_id = next(iter(server.images))
    server.fail(drop=True)

    with pytest.raises(httpx.RemoteProtocolError):
        caller.delete(f"/v1/images/{image_id}")

    assert image_id in server.images
    assert server.requests[-1].status == 0


def test_an_answer_dropped_after_the_call_was_lost_on_the_way(serve):
    server, caller = serve(2)
    image_id = next(iter(server.images))
    server.fail(drop=True, after=True)

    with pytest.raises(httpx.RemoteProtocolError):
        caller.delete(f"/v1/images/{image_id}")

    assert image_id not in server.images


def test_a_cut_body_ends_in_the_middle(serve):
    server, caller = serve(30)
    server.fail(cut=100)

    with (
        pytest.raises(httpx.RemoteProtocolError, match=r"received 100 bytes"),
        caller.stream("GET", "/v1/images") as answer,
    ):
        answer.read()

    assert caller.get("/v1/images").status_code == 200


def test_a_body_takes_the_place_of_the_answer(serve):
    server, caller = serve(1)
    server.fail(status=200, body="<html>busy</html>", headers={"Content-Type": "text/html"})
    server.fail(body=gzip.compress(b'{"data": 1}'), headers={"Content-Encoding": "gzip"})

    html, zipped = caller.get("/v1/images"), caller.get("/v1/images")

    assert (html.text, html.headers["content-type"]) == ("<html>busy</html>", "text/html")
    assert zipped.json() == {"data": 1}


def test_a_callable_bends_the_real_answer(serve):
    server, caller = serve(3)

    def without_tags(answer):
        for record in answer["data"]["images"]:
            del record["tags"]
        return answer

    server.fail("GET", "/v1/images", body=without_tags)

    bent, whole = (caller.get("/v1/images").json()["data"]["images"] for _ in range(2))

    assert [{**record, "tags": None} for record in bent] == [
        {**record, "tags": None} for record in whole
    ]
    assert "tags" not in bent[0]


def test_a_delay_keeps_the_answer_back(serve):
    server, caller = serve(1)
    server.fail(delay=0.15)

    started = time.perf_counter()
    answer = caller.get("/v1/images")

    assert time.perf_counter() - started >= 0.15
    assert answer.status_code == 200


def test_faults_wait_their_turn_and_end_after_their_times(serve):
    server, caller = serve(1)
    server.fail("GET", "/v1/images", skip=1, times=2, status=500)
    server.fail("*", "/v1/images", status=503)

    statuses = [caller.get("/v1/images").status_code for _ in range(5)]

    assert statuses == [200, 500, 500, 503, 200]


def test_a_fault_without_end_lasts_until_it_is_cleared(serve):
    server, caller = serve(1)
    server.fail(times=None, status=500)

    assert {caller.get("/health").status_code for _ in range(5)} == {500}
    server.clear_faults()
    assert caller.get("/health").status_code == 200


@pytest.mark.slow
def test_faults_reach_the_pictures_too(serve):
    server, _ = serve(10)
    image = next(i for i in server.images.values() if i.is_public)
    server.fail("GET", f"/{image.id}.*", status=404)

    url = f"{server.pictures_url}/{image.id}.{image.extension}"

    assert [httpx.get(url).status_code for _ in range(2)] == [404, 200]


def test_another_user_acts_while_a_picture_is_fetched(serve):
    server, caller = serve(10)
    image = next(i for i in server.images.values() if i.is_public)
    server.fail("GET", f"/{image.id}.*", meanwhile=lambda: server.edit(image.id, tags=["keep"]))

    picture = httpx.get(f"{server.pictures_url}/{image.id}.{image.extension}")

    assert picture.content == server.picture(image.id)
    assert caller.get(f"/v1/images/{image.id}").json()["data"]["tags"] == ["keep"]


def test_another_user_is_faster_than_the_call_that_has_arrived(serve):
    server, caller = serve(3)
    first, second, _ = server.images
    server.fail("DELETE", "/v1/media", meanwhile=lambda: server.remove(first))
    items = [{"id": image_id, "type": "image"} for image_id in (first, second)]

    data = caller.request("DELETE", "/v1/media", json={"items": items}).json()["data"]

    assert data["deleted"] == [second]
    assert [failed["id"] for failed in data["failed"]] == [first]


# Alone


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_the_module_serves_alone_until_it_is_interrupted(stop_signal):
    command = [sys.executable, "-m", "picora_analytics.demo", "--port", "0", "--n-images", "4"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(6)]
        url = re.search(r"PICORA_BASE_URL=(\S+)", "".join(lines))[1]
        key = re.search(r"PICORA_API_KEY=(\S+)", "".join(lines))[1]

        answer = httpx.get(f"{url}/v1/images", headers={"Authorization": f"Bearer {key}"})
        os.kill(process.pid, stop_signal)

        assert len(answer.json()["data"]["images"]) == 4
        assert process.wait(60) == 0


@pytest.mark.slow
def test_the_module_says_when_its_port_is_busy(serve):
    server, _ = serve(1)
    port = server.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "picora_analytics.demo", "--port", port]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 1
    assert done.stderr == f"port {port} of 127.0.0.1 cannot be used: Address already in use\n"


@pytest.mark.parametrize("port", ["99999", "-1"])
@pytest.mark.slow
def test_the_module_refuses_what_cannot_be_a_port(port):
    command = [sys.executable, "-m", "picora_analytics.demo", "--port", port]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 2
    assert done.stderr.endswith(f"port must be between 0 and 65535, but is {port}\n")


@pytest.mark.slow
def test_importing_the_demo_loads_nothing_else_of_ours_and_no_pillow():
    code = (
        "import sys, picora_analytics.demo\n"
        "print(sorted(m for m in sys.modules if m.startswith('picora_analytics.')"
        " and not m.startswith('picora_analytics.demo')), 'PIL' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[] False\n"
