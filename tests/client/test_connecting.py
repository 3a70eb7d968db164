"""`connect`: a key, a prompt, the demo for a person, and an error for a script."""

import os
import pty
import re
import select
import subprocess
import sys
import time

import pytest

from picora_analytics import AuthenticationError, connect

CANARY = "sk_live_CANARY0typed0at0the0prompt000"
NOTICE = (
    "DEMO: no PICORA_API_KEY is set, so this is an invented library on this machine; nothing "
    "leaves it. For your own: set PICORA_API_KEY and start again, or pic.connect(ask=True)."
)


@pytest.fixture
def python():
    def run(script, *options, **environment):
        env = {
            name: value
            for name, value in os.environ.items()
            if name != "CI" and not name.startswith("PICORA_")
        }
        return subprocess.run(
            [sys.executable, "-W", "error", *options],
            input=script,
            capture_output=True,
            text=True,
            env={**env, **environment},
            timeout=60,
        )

    return run


def test_a_key_is_used_as_it_is_given(serve):
    server, _ = serve(2)

    with connect(server.api_key, base_url=server.url) as client:
        assert client.verify() is not None


def test_a_script_without_a_key_gets_an_error_and_no_demo():
    with pytest.raises(
        AuthenticationError,
        match=r"picora_analytics\.DemoServer\(\) plays Picora on this machine\.$",
    ):
        connect()


@pytest.mark.slow
def test_a_person_without_a_key_gets_the_demo_and_is_told_so(python):
    done = python(
        "import picora_analytics as pic\n"
        "client = pic.connect()\n"
        "print('READ', len(pic.load_images(client, progress=False)), client.demo)\n",
        "-i",
    )

    assert "READ 1200 True" in done.stdout
    assert done.stderr.count(NOTICE) == 1
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


@pytest.mark.slow
def test_in_ci_nobody_gets_the_demo_unasked(python):
    code = "import picora_analytics as pic\nprint('DEMO', pic.connect().demo_session != '')\n"

    assert "AuthenticationError: No API key" in python(code, "-i", CI="true").stderr
    assert "DEMO" in python(code, CI="true", PICORA_DEMO="1").stdout
    assert "AuthenticationError: No API key" in python(code, "-i", CI="1", PICORA_DEMO="0").stderr


@pytest.mark.parametrize(
    ("call", "environment", "message"),
    [
        pytest.param(
            "connect('')",
            {},
            "The API key in api_key is empty; give a key such as",
            id="an empty key",
        ),
        pytest.param(
            "connect()",
            {"PICORA_API_KEY": ""},
            "The API key in PICORA_API_KEY is empty; give a key such as",
            id="an empty key in the environment",
        ),
        pytest.param(
            "connect(base_url='https://api.picora.me')",
            {},
            "No API key: set PICORA_API_KEY",
            id="a base URL",
        ),
        pytest.param(
            "connect()",
            {"PICORA_BASE_URL": "https://api.picora.me"},
            "No API key: set PICORA_API_KEY",
            id="a base URL in the environment",
        ),
    ],
)
@pytest.mark.slow
def test_what_is_given_but_incomplete_is_an_error_for_a_person_too(
    python, call, environment, message
):
    done = python(f"import picora_analytics as pic\nclient = pic.{call}\n", "-i", **environment)

    assert f"AuthenticationError: {message}" in done.stderr
    assert "DEMO" not in done.stderr


def typed_at_a_prompt(code, *typed):
    """Run Python at a terminal of its own and type there; give all that the terminal showed."""
    child, terminal = pty.fork()
    if child == 0:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PICORA_")}
        os.execve(sys.executable, [sys.executable, "-c", code], env)
    shown, end, lines = b"", time.monotonic() + 60, list(typed)
    while time.monotonic() < end:
        if lines and b": " in shown:
            os.write(terminal, lines.pop(0).encode() + b"\n")
        if not select.select([terminal], [], [], 0.5)[0]:
            continue
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when the child is gone.
            break
        if not part:
            break
        shown += part
    os.waitpid(child, 0)
    os.close(terminal)
    return shown.decode()


@pytest.mark.slow
def test_a_key_typed_at_the_prompt_is_not_echoed():
    shown = typed_at_a_prompt(
        "import picora_analytics as pic\n"
        "client = pic.connect(ask=True, base_url='http://127.0.0.1:9')\n"
        "print('READ', len(client._connection.secret.reveal()), client)",
        CANARY,
    )

    assert "Picora API key: " in shown
    assert f"READ {len(CANARY)} Client(base_url='http://127.0.0.1:9')" in shown
    assert CANARY not in shown


@pytest.mark.slow
def test_an_empty_line_at_the_prompt_is_an_error():
    shown = typed_at_a_prompt("import picora_analytics as pic\npic.connect(ask=True)", "")

    assert re.search(
        r"AuthenticationError: The API key in api_key is empty; .* 32 characters\.", shown
    )


def test_nobody_is_asked_where_a_key_is_set(serve, monkeypatch):
    server, _ = serve(1)
    monkeypatch.setenv("PICORA_API_KEY", server.api_key)

    with connect(base_url=server.url, ask=True) as client:
        assert client.verify() is not None
