"""What happens where there is no browser."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        pytest.param(None, "skipped", id="with a person: skipped"),
        pytest.param("true", "error", id="under CI: a failure"),
    ],
)
def test_a_missing_browser_is_said_and_how_to_get_one(ci, outcome, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"PICORA_BROWSER": str(tmp_path / "chromium")} | ({"CI": ci} if ci else {})

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider"),
            *("--basetemp", tmp_path / "run", HERE / "test_report.py", "-k", "dark_report_is_dark"),
        ],
        env=environment,
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert f"1 {outcome}" in done.stdout
    assert "name one in PICORA_BROWSER, or install Debian's with" in done.stdout
    assert (done.returncode == 0) is (ci is None)
