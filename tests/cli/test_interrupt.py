"""Ctrl-C ends each command at once, whatever it waits for, and what was done by then is told."""

import json
import signal
import sys
import threading
import time

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")

HELD = 120.0  # Seconds for which the service holds an answer back.
AT_ONCE = 20.0  # Seconds to end in; one is aimed at, and a busy machine is slower.


@pytest.fixture
def plan(run, tmp_path):
    with DemoServer(n_images=300, rate_scale=None) as server:
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            made = pic.plan_deletion(images, list(images.index[:12]), reason="x")
            made.save(tmp_path / "plan.json")
        yield made, server


def interrupt(process, ready):
    """Send Ctrl-C once the command is where it should be; give what it printed."""
    until = time.monotonic() + 60
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=AT_ONCE)


def asked(server, path):
    before = len(server.requests)
    return lambda: any(seen.path.startswith(path) for seen in server.requests[before:])


@pytest.mark.parametrize(
    ("arguments", "held", "reached"),
    [
        pytest.param(("check",), "/v1/images", "/v1/", id="check"),
        pytest.param(("load",), "/v1/images", "/v1/", id="load"),
        pytest.param(("report",), "/v1/images", "/v1/", id="report"),
        pytest.param(
            ("plan", "--untagged", "--reason", "x"), "/v1/images", "/v1/auth/verify", id="plan"
        ),
        pytest.param(("apply", "plan.json"), "/v1/images", "/v1/auth/verify", id="dry run"),
    ],
)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"delay": HELD}, id="silent"),
        pytest.param({"status": 429, "headers": {"Retry-After": "60"}}, id="told to wait"),
        pytest.param({"status": 503, "headers": {"Retry-After": "60"}}, id="out of order"),
    ],
)
def test_commands_that_read_end_at_once(start, plan, arguments, held, reached, fault):
    _, server = plan
    server.fail("GET", held, times=None, **fault)
    ready = asked(server, reached)

    process = start(*arguments, server=server)
    out, err = interrupt(process, ready)

    assert process.returncode == 130, out + err
    assert "picora-analytics: Stopped. " in err and " Go on: picora-analytics " in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("backup", "plan.json", "kept"), id="backup"),
        pytest.param(("apply", "plan.json", "--confirm", "PHRASE", "--backup", "kept"), id="apply"),
    ],
)
@pytest.mark.slow
def test_copying_from_a_silent_host_ends_at_once(start, plan, tmp_path, arguments):
    made, server = plan
    server.fail("GET", "/*.*", skip=3, times=None, delay=HELD)
    manifest = tmp_path / "kept" / "copies.ndjson"

    process = start(
        *(made.confirmation if word == "PHRASE" else word for word in arguments), server=server
    )
    out, err = interrupt(process, lambda: manifest.exists() and b"sha256" in manifest.read_bytes())

    assert process.returncode == 130, out + err
    assert "picora-analytics: Stopped. " in err and " Go on: picora-analytics " in err
    assert server.deleted == []


@pytest.mark.slow
def test_an_interrupted_apply_gives_its_receipt_and_goes_on(start, run, plan, tmp_path):
    made, server = plan
    asked_for, answered = threading.Event(), threading.Event()

    def hold():
        asked_for.set()
        answered.wait()

    server.fail("DELETE", "/v1/media", status=503, meanwhile=hold)

    process = start(
        *("apply", "plan.json", "--confirm", made.confirmation, "--no-backup", "-o", "r.json"),
        server=server,
    )
    try:
        out, err = interrupt(process, asked_for.is_set)
    finally:
        answered.set()

    assert process.returncode == 130, out + err
    assert err.endswith("Go on: picora-analytics apply plan.json --resume\n"), err
    assert "RECEIPT of plan" in out
    assert "12  unknown" in out
    receipt = json.loads((tmp_path / "r.json").read_text())
    assert receipt["counts"] == {"unknown": 12}
    assert receipt["complete"] is False

    server.clear_faults()
    assert run("apply", "plan.json", "--resume", server=server).returncode == 0
    assert {image.id for image in server.deleted} == set(made.images.index)


@pytest.mark.slow
def test_restoring_ends_at_once(start, run, plan):
    made, server = plan
    assert run("backup", "plan.json", "kept", server=server).returncode == 0
    for one in made.images.index:
        server.remove(one)
    server.fail("POST", "*", times=None, delay=HELD)
    ready = asked(server, "/v1/images")

    process = start("restore", "kept", server=server)
    out, err = interrupt(process, ready)

    assert process.returncode == 130, out + err
    assert "picora-analytics: Stopped. " in err and " Go on: picora-analytics " in err
