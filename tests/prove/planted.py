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

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


JUDGES = ("AssertionError: ", "model.WrongError: ", "FAILED ")


class Planted(NamedTuple):
    """A fault: one text of one file in the place of another, and what must find it."""

    name: str
    file: str
    old: str
    new: str
    finder: str


MODEL = "deletions.py --model 120 --inside 0 --sockets 0"
HISTORIES = "deletions.py --model 0 --inside 150 --sockets 0"
SOCKETS = "deletions.py --model 0 --inside 0 --sockets 60"
KILLS = "deaths.py --every 2"
# Tests of one file, where a fault needs no long count.
HIDING = "tests/cleanup/apply/test_hiding.py"
EVIDENCE = "tests/cleanup/apply/test_evidence.py"
INHERITING = "tests/cleanup/apply/test_inheriting.py"
FAULTS = [
    Planted(
        "the drift check is dropped",
        "cleanup/plan/guard.py",
        "    changes = drift(old, new)\n",
        "    changes: list[str] = []\n",
        MODEL,
    ),
    Planted(
        "nothing is synced to disk",
        "lines.py",
        "                _write(file, written)\n                os.fsync(file.fileno())\n",
        "                _write(file, written)\n",
        KILLS,
    ),
    Planted(
        "a 404 is believed of a call the service does not know",
        "cleanup/apply/lookup.py",
        "            if self._states([self._client.get_image(known.id)]) != self._states([known]):\n",
        "            if False:\n",
        HISTORIES,
    ),
    Planted(
        "the intent is not written before the request",
        "cleanup/apply/batch.py",
        "        self._ledger.intend(ids)\n",
        "        self._ledger._sent = True\n",
        MODEL,
    ),
    Planted(
        "what has a lost answer is sent again, unseen",
        "cleanup/apply/batch.py",
        "            there = self._lookup.look(\n",
        "            there = (lambda _: self._plan)(\n",
        MODEL,
    ),
    Planted(
        "no copies are made, although they are asked for",
        "cleanup/apply/run.py",
        "        if folder is None or not self._waiting:\n",
        "        if True:\n",
        SOCKETS,
    ),
    Planted(
        "what is old by any clock is not looked at again",
        "cleanup/apply/freshness.py",
        "        self._stale |= _apart(self._last, now) > self.pause or _apart(self._began, now) > self._age\n",
        "",
        MODEL,
    ),
    Planted(
        "nothing is looked at again after a backup",
        "cleanup/apply/run.py",
        "        self._freshness.spoil()\n        failed = self._backup.failed\n",
        "        failed = self._backup.failed\n",
        SOCKETS,
    ),
    Planted(
        "nothing is looked at again after tags were handed on",
        "cleanup/apply/run.py",
        "        self._drop(failed)\n"
        "        # That takes long, and whoever edits images meanwhile is heard.\n"
        "        self._freshness.spoil()\n",
        "        self._drop(failed)\n",
        INHERITING,
    ),
    Planted(
        "an owner's own hiding is taken for ours",
        "cleanup/apply/ledger.py",
        "        return sent is not None and (moment or now()) - sent <= LATE\n",
        "        return sent is not None\n",
        HIDING,
    ),
    Planted(
        "a protected tag protects in one spelling only",
        "cleanup/plan/guard.py",
        "        found = sorted(tag for tag in row if folded(tag) in self._wanted)\n",
        "        found = sorted(set(row).intersection(self._wanted.values()))\n",
        HISTORIES,
    ),
    Planted(
        "the fingerprint in a journal is not compared",
        "cleanup/apply/start.py",
        '    return bool(past.plan.get("fingerprint") == plan.fingerprint)\n',
        "    return True\n",
        HISTORIES,
    ),
    Planted(
        "pixels are not compared",
        "cleanup/plan/guard.py",
        '        unknown = name == "hash" and None in (before, now)\n',
        '        unknown = name in ("hash", "width", "height")\n',
        MODEL,
    ),
    Planted(
        "a gateway's 404 is believed",
        "cleanup/apply/batch.py",
        "                else (result.word, result.reason)\n"
        "                for image_id, result in found.items()\n"
        '                if result.word in ("deleted", "failed")\n',
        '                else ("already gone" if result.word == "gone" else result.word, "")\n'
        "                for image_id, result in found.items()\n"
        '                if result.word in ("deleted", "failed", "gone")\n',
        EVIDENCE,
    ),
    Planted(
        "the deed is left out of the fingerprint",
        "cleanup/plan/model.py",
        "    if deed is DELETE:\n        return digest\n",
        "    if True:\n        return digest\n",
        HIDING,
    ),
    Planted(
        "hiding forgets its journal",
        "cleanup/apply/visibility.py",
        "        self._ledger.intend([image_id])\n        sent = False\n",
        "        sent = False\n",
        HIDING,
    ),
    Planted(
        "tags that are there are not taken along",
        "cleanup/apply/inheriting.py",
        '{"tags": [*has, *missing]}',
        '{"tags": missing}',
        INHERITING,
    ),
    Planted(
        "the phrase is not compared",
        "cleanup/apply/start.py",
        "    if given != plan.confirmation:\n",
        "    if not isinstance(given, str):\n",
        HISTORIES,
    ),
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


def find(fault: Planted) -> str:
    """Run the finder against the faulty copy; give what it said, empty where it found nothing."""
    with tempfile.TemporaryDirectory(prefix="planted-") as name:
        home = plant(fault, Path(name))
        script, *options = fault.finder.split()
        command = [sys.executable, HERE / script, *options]
        if script.startswith("tests/"):
            command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
            command += ["--rootdir", ROOT, "-c", ROOT / "pyproject.toml", ROOT / script]
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(home)},
            cwd=name,
            capture_output=True,
            text=True,
            check=False,
        )
        # A judge's word, not a copy that cannot even be imported.
        lines = [*done.stderr.splitlines(), *done.stdout.splitlines()]
        said = [line for line in lines if line.startswith(JUDGES)]
        return said[-1][:100] if done.returncode and said else ""


def main() -> None:
    """Print what found each fault; a fault that nothing finds is a failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="", help="only faults whose name holds this")
    wanted = parser.parse_args().name
    missed = []
    for fault in FAULTS:
        if wanted in fault.name:
            said = find(fault)
            print(f"{fault.name}: {said or 'NOT FOUND'}", flush=True)
            missed += [] if said else [fault.name]
    if missed:
        raise SystemExit(f"not found: {missed}")


if __name__ == "__main__":
    main()
