import os
import signal
import subprocess
import sys

import pytest

from picora_analytics.cli.main import main

# In the background of a shell, Ctrl-C is ignored from the start; whoever tests it takes it back.
COMMAND = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from picora_analytics.cli.main import main
main()
"""


@pytest.fixture
def run(tmp_path):
    def command(*arguments, server=None, columns=80, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PICORA_")}
        env.pop("CI", None)  # What differs there is said by the tests that are about it.
        env |= {"PICORA_DATA_DIR": str(tmp_path / "data"), "COLUMNS": str(columns)}
        if server is not None:
            env |= {"PICORA_API_KEY": server.api_key, "PICORA_BASE_URL": server.url}
        env |= environment
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "picora_analytics", *arguments],
            capture_output=True,
            text=True,
            encoding=environment.get("PYTHONIOENCODING", "utf-8"),
            cwd=tmp_path,
            env=env,
            timeout=600,
        )

    return command


@pytest.fixture
def start(tmp_path):
    """Start the command as a process that can be interrupted."""
    started = []

    def command(*arguments, server):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PICORA_") and k != "CI"}
        env |= {"PICORA_DATA_DIR": str(tmp_path / "data"), "PICORA_API_KEY": server.api_key}
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=env | {"PICORA_BASE_URL": server.url},
        )
        started.append(process)
        return process

    yield command
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate()


@pytest.fixture
def here(tmp_path, monkeypatch, capfd):
    """Run the command in this process, which is faster: its code, what it printed, and what it complained of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PICORA_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("CI", raising=False)

    def command(*arguments, server=None, key=None):
        for name, value in (
            ("PICORA_API_KEY", key or (server and server.api_key)),
            ("PICORA_BASE_URL", server and server.url),
        ):
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(sys, "argv", ["picora-analytics", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Done(ended.value.code or 0, out, err)

    return command


class Done:
    def __init__(self, returncode, stdout, stderr):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr
