"""A run fails if the key it used stands in anything it printed, raised or left behind."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CLEAN = "pass"
PRINTED = "from picora_analytics.demo.server import DEMO_KEY; print(DEMO_KEY)"
LEFT_BEHIND = """
import subprocess, sys
from picora_analytics.demo.server import DEMO_KEY
code = "import pathlib, sys, tempfile; pathlib.Path(tempfile.mkdtemp(), 'a.ipynb').write_text(sys.argv[1])"
subprocess.run([sys.executable, "-c", code, f"Bearer {DEMO_KEY}"], check=True)
"""


@pytest.mark.parametrize(
    ("body", "leaks"),
    [
        pytest.param(CLEAN, 0, id="clean"),
        pytest.param(PRINTED, 1, id="printed", marks=pytest.mark.slow),
        pytest.param(LEFT_BEHIND, 1, id="left behind by a program", marks=pytest.mark.slow),
    ],
)
def test_a_leaked_key_fails_the_run_whichever_worker_leaked_it(body, leaks, tmp_path):
    shutil.copy(ROOT / "conftest.py", tmp_path)
    lines = "\n".join(f"    {line}" for line in body.strip().splitlines())
    (tmp_path / "test_it.py").write_text(f"def test_it():\n{lines}\n")

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "1", "--rootdir", tmp_path, tmp_path],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=_plain_environment(),
    )

    assert "1 passed" in run.stdout, run.stdout + run.stderr
    assert run.stdout.count("THE KEY OF THIS RUN STANDS IN") == leaks
    assert run.returncode == leaks


def _plain_environment():
    """Give the environment without what this run's own conftest and xdist put there."""
    own = ("PICORA_", "PYTEST_", "TMPDIR")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}
