"""Plant a fault in a copy of the package, and see whether random histories or kills find it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]


class Planted(NamedTuple):
    """A fault: one text of one file in the place of another, and what must find it."""

    name: str
    file: str
    old: str
    new: str
    finder: str


HISTORIES = "prove.prove_deletions --quick"
KILLS = "prove.prove_kills --every 2"
FAULTS = [
    Planted("the drift check is dropped", "cleanup/guard.py", "changes = drift(old, new)", "changes: list[str] = []", HISTORIES),
    Planted("the protected tags are not read again", "cleanup/guard.py", "protected_by(new.tags, tags),", '"",', HISTORIES),
    Planted("nothing is synced to disk", "files.py", "os.fsync(file.fileno())", "pass", KILLS),
    Planted("the intent is written after the request", "cleanup/sending.py", "        self._ledger.intend(ids)\n        try:", "        try:", HISTORIES),
]


def plant(fault: Planted, home: Path) -> Path:
    """Copy the package with the fault in it; give the folder to import it from."""
    import picora_analytics

    source = Path(picora_analytics.__file__).parent
    shutil.copytree(source, home / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    path = home / source.name / fault.file
    text = path.read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.name}: {fault.file} has moved on"
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")
    return home


def find(fault: Planted | None) -> str:
    """Run the finder against the faulty copy; give what it said, empty where it found nothing."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        home = plant(fault, Path(name)) if fault else TESTS.parent
        finder = fault.finder if fault else HISTORIES
        done = subprocess.run(
            [sys.executable, "-m", *finder.split()],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(home), str(TESTS)])},
            cwd=name,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stderr.strip().splitlines()
        return (lines[-1] if lines else f"exit {done.returncode}") if done.returncode else ""
