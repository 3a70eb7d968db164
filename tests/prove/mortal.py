"""A program that applies a plan and is killed on the way: kill -9, or the power fails."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from steps import at_step

# Past any step there is: such a run ends by itself.
NEVER = 10**6


class Mortals:
    """
    Start such programs; each is forked from one that has everything imported.

    Use it in a ``with`` statement. `key` goes through the environment, as a person's does.
    """

    def __init__(self, key: str) -> None:
        self._home = (
            tempfile.TemporaryDirectory()
        )  # They are another machine: its locks are its own.
        self._parent = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PICORA_API_KEY": key,
                "PICORA_DATA_DIR": self._home.name,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
        )

    def __enter__(self) -> Mortals:
        return self

    def __exit__(self, *_: object) -> None:
        self._parent.communicate(timeout=60)
        self._home.cleanup()

    def run(self, **job: Any) -> tuple[bool, int]:
        """
        Run one program.

        Parameters
        ----------
        url : str
        plan : str
            A saved plan, to be applied; or None, to resume the journal.
        phrase, journal : str
        step : int
            It is killed right before this step.
        power : bool
            Whether what was not yet synced to disk is lost with it.

        Returns
        -------
        died : bool
        steps : int
            How many steps it took.
        """
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(job).encode() + b"\n")
        self._parent.stdin.flush()
        status, steps = json.loads(self._parent.stdout.readline())
        assert status in (0, -signal.SIGKILL), f"it ended by itself with {status}"
        return status != 0, steps


class Disk:
    """A disk that forgets what was not synced, when the power fails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._really = os.fsync
        self._sizes = {path.stat().st_ino: path.stat().st_size for path in folder.iterdir()}
        self._names = {path.name for path in folder.iterdir()}

    def fsync(self, descriptor: int) -> None:
        self._really(descriptor)
        found = os.fstat(descriptor)
        if not stat.S_ISDIR(found.st_mode):
            self._sizes[found.st_ino] = found.st_size
        elif found.st_ino == self._folder.stat().st_ino:
            self._names = {path.name for path in self._folder.iterdir()}

    def fail(self) -> None:
        for path in list(self._folder.iterdir()):
            if path.name in self._names:
                os.truncate(path, min(path.stat().st_size, self._sizes.get(path.stat().st_ino, 0)))
            else:
                path.unlink()


def _live(job: dict[str, Any], report: int) -> None:
    import picora_analytics as pic

    disk = Disk(Path(job["journal"]).parent)
    if job["power"]:
        os.fsync = disk.fsync

    def die() -> None:
        os.write(report, str(job["step"]).encode())
        if job["power"]:
            disk.fail()
        os.kill(os.getpid(), signal.SIGKILL)

    options = {"progress": False}
    with pic.Client(base_url=job["url"], max_wait=20) as client:
        plan = pic.read_plan(job["plan"]) if job["plan"] else None
        with at_step(job["step"], die) as steps:
            if plan is None:
                pic.resume_deletion(client, job["journal"], **options)
            else:
                plan.apply(client, job["phrase"], backup=None, journal=job["journal"], **options)
    os.write(report, str(len(steps)).encode())


def _main() -> None:
    import picora_analytics as pic

    for name in ("Client", "resume_deletion", "read_plan", "load_images"):
        getattr(pic, name)  # The public names are imported late.
    for line in sys.stdin:
        reading, report = os.pipe()
        child = os.fork()
        if not child:
            try:
                _live(json.loads(line), report)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        os.close(report)
        _, status = os.waitpid(child, 0)
        steps = int(os.read(reading, 20) or b"-1")
        os.close(reading)
        print(json.dumps([os.waitstatus_to_exitcode(status), steps]), flush=True)


if __name__ == "__main__":
    _main()
