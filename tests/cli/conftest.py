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
def process(tmp_path):
    """Run the command in a process of its own, where that is what is asked."""

    def command(*arguments, server=None, columns=80, **environment):
        env = {k: v for k, v in os.environ.items() if not k.startswith("PICORA_")}
        env.pop("CI", None)  # What differs there is said by the tests that are about it.
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "picora_analytics", *arguments],
            capture_output=True,
            text=True,
            encoding=environment.get("PYTHONIOENCODING", "utf-8"),
            cwd=tmp_path,
            env=env | _settings(tmp_path, server, columns) | environment,
            timeout=600,
        )

    return command


def _settings(folder, server, columns):
    found = {"PICORA_DATA_DIR": str(folder / "data"), "COLUMNS": str(columns)}
    if server is not None:
        found |= {"PICORA_API_KEY": server.api_key, "PICORA_BASE_URL": server.url}
    return found


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
def run(tmp_path, monkeypatch, capfd):
    """Run the command in this process, which is faster: its code, what it printed, and what it complained of."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments, server=None, columns=80, **environment):
        capfd.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            for name in [*os.environ]:
                if name.startswith("PICORA_") or name == "CI":
                    patch.delenv(name)
            for name, value in (_settings(tmp_path, server, columns) | environment).items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["picora-analytics", *map(str, arguments)])
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = capfd.readouterr()
        return Done(ended.value.code or 0, out, err)

    return command


class Done:
    def __init__(self, returncode, stdout, stderr):
        self.returncode, self.stdout, self.stderr = returncode, stdout, stderr
