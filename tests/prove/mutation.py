"""Mutation testing of what decides about a deletion: how many small faults of a module do its own tests find?"""

from __future__ import annotations

import argparse
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import pkgutil
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

from mutants import Mutant, mutants_of

import picora_analytics

PACKAGE = Path(picora_analytics.__file__).parent
ROOT = PACKAGE.parent
# What decides without I/O, and the tests that are about it.
SUBJECTS = {
    "plan.guard": ["plan/test_guard"],
    "apply.journal": ["apply/test_journal"],
    "plan.sparing": [
        "plan/test_sparing",
        "plan/test_guard",
        "test_deletion",
        "plan/test_choice",
        "plan/test_protection",
        "plan/test_hidden",
    ],
    "plan.model": ["plan/test_model", "test_deletion", "plan/test_document", "plan/test_guard"],
    "deletion": ["test_deletion", "plan/test_choice", "apply/test_dry_run", "apply/test_apply"],
    "plan.document": ["plan/test_document", "test_deletion"],
    "plan.choice": ["plan/test_choice", "plan/test_sparing", "plan/test_protection"],
    "backup.folder": ["backup/test_folder"],
}
LONGEST = 90  # Seconds; a mutant that goes round for ever is found as well.


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import a mutant in the place of its module."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._module:
            return None
        where = str(PACKAGE.parent / f"{fullname.replace('.', '/')}.py")
        return importlib.util.spec_from_file_location(fullname, where, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, module.__name__, "exec"), module.__dict__)


def _source(name: str) -> Path:
    return PACKAGE / "cleanup" / f"{name.replace('.', '/')}.py"


def survives(name: str, mutant: Mutant | None) -> bool:
    """Run a module's tests against a mutant, in a program forked from this one."""
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        signal.alarm(LONGEST)
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        tempfile.tempdir = None
        if mutant is not None:
            module = f"picora_analytics.cleanup.{name}"
            sys.meta_path.insert(0, _Mutated(module, mutant.source))
        import pytest

        tests = [str(ROOT / "tests" / "cleanup" / f"{one}.py") for one in SUBJECTS[name]]
        tests.append(str(_source(name)))
        os.chdir(os.environ["TMPDIR"])  # What a mutant writes to a wrong place is cleared away.
        code = pytest.main(
            ["-x", "-q", "-p", "no:cacheprovider", "--assert=plain", "--hypothesis-seed=1", *tests]
        )
        os._exit(int(code))
    _, status = os.waitpid(child, 0)
    return status == 0


def main() -> None:
    """Print the share found of each module and every survivor; less than nine in ten is a failure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=list(SUBJECTS), metavar="module")
    parser.add_argument("--share", type=float, default=1.0, help="try only so many, drawn")
    given = parser.parse_args()
    _import_all_but_the_subject()
    worst = 1.0
    with tempfile.TemporaryDirectory(prefix="mutants-") as home:
        os.environ["TMPDIR"] = home
        for name in given.modules:
            began = time.monotonic()
            assert survives(name, None), f"the tests of {name} fail by themselves"
            mutants = list(mutants_of(_source(name).read_text("utf-8")))
            tried = random.Random(1).sample(mutants, round(given.share * len(mutants)))
            left = [one for one in sorted(tried) if _tidy(home) and survives(name, one)]
            found = 1 - len(left) / len(tried)
            worst = min(worst, found)
            print(
                f"{name}: {len(tried) - len(left)} of {len(tried)} mutants found ({found:.1%}), "
                f"{time.monotonic() - began:.0f} s",
                flush=True,
            )
            for one in left:
                print(f"    line {one.line}: {one.what}", flush=True)
    if worst < 0.9:
        raise SystemExit(f"only {worst:.1%} found")


def _tidy(home: str) -> bool:
    """Clear away what the last run left."""
    for path in Path(home).iterdir():
        shutil.rmtree(path, ignore_errors=True)
    return True


def _import_all_but_the_subject() -> None:
    """Import once what every run needs, so that each takes a fraction of a second to start."""
    for name in ("hypothesis", "jinja2", "pandas", "pyarrow", "pytest", "uvicorn", "starlette"):
        importlib.import_module(name)
    for part in ("client", "demo", "library", "analysis"):
        package = importlib.import_module(f"picora_analytics.{part}")
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.rpartition(".")[2].startswith("_"):
                importlib.import_module(found.name)
    assert not any(name.startswith("picora_analytics.cleanup") for name in sys.modules)


if __name__ == "__main__":
    main()
