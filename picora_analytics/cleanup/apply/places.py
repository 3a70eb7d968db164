"""Where journals and locks are: an account's own folder, and a note of each journal that is kept elsewhere."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client.client import Client
from picora_analytics.errors import JournalError, LockedError
from picora_analytics.files import data_folder, reason_of, session_folder, write_atomic
from picora_analytics.library.frame import Facts
from picora_analytics.text import visible
from picora_analytics.times import now

__all__ = ["Holder", "holder_of", "journal_paths", "journals", "locked", "note_place"]

DEMO_ENDS = 7 * 86400  # Seconds after which nobody comes back to a demo.
_PLACE = ".place"  # Of a file that names a journal kept elsewhere, as beside a saved plan.


class Holder(msgspec.Struct, frozen=True):
    """Which run changes an account now: its process, host and journal, since when, and of how many images."""

    pid: int
    host: str
    since: dt.datetime
    journal: str
    n_images: int
    deed: str

    @property
    def where(self) -> str:
        """Say where it runs."""
        if self.host != socket.gethostname():
            return f"process {self.pid} on {visible(self.host, 60)}"
        return "this notebook" if self.pid == os.getpid() else f"process {self.pid} on this machine"


def journals(library: Facts, client: Client) -> Path:
    """Give the folder in which the journals of an account are kept."""
    return _home(library, client) / "journals" / library["account"]


def note_place(journal: Path, library: Facts, client: Client) -> None:
    """
    Note a journal that is kept elsewhere, before it is begun, so that its account finds it.

    Raises
    ------
    JournalError
        If it cannot be noted.
    """
    folder, whole = journals(library, client), journal.expanduser().absolute()
    if whole.parent == folder.absolute():
        return
    name = hashlib.blake2b(os.fsencode(whole), digest_size=16).hexdigest()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomic(folder / f"{name}{_PLACE}", lambda file: file.write_bytes(os.fsencode(whole)))
    except OSError as error:
        raise JournalError(
            f"The place of the journal {journal} cannot be noted in {folder} ({reason_of(error)}); without that "
            "nothing is deleted."
        ) from error


def journal_paths(library: Facts, client: Client) -> list[Path]:
    """List the journals of an account, those kept elsewhere among them as far as they are there."""
    folder = journals(library, client)
    found = set(folder.glob("*.ndjson"))
    for note in folder.glob(f"*{_PLACE}"):
        with contextlib.suppress(OSError, ValueError):
            path = Path(os.fsdecode(note.read_bytes()))
            found |= {path} if path.is_file() else set()
    return sorted(found)


@contextlib.contextmanager
def locked(plan: Plan, client: Client, journal: Path) -> Iterator[None]:
    """Lock an account, so that one run at a time changes it; LockedError if another run holds it."""
    lock, note = _lock(plan.library, client)
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run is changing account {visible(plan.library['account'][:8])}; wait until it has ended."
        ) from None
    holder = Holder(
        os.getpid(), socket.gethostname(), now(), str(journal), len(plan.images), plan.deed.name
    )
    try:
        with contextlib.suppress(
            OSError
        ):  # Who holds it is told for people; the lock is what counts.
            write_atomic(note, lambda file: file.write_bytes(msgspec.json.encode(holder)))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def holder_of(library: Facts, client: Client) -> Holder | None:
    """Tell which run changes an account now, in whatever process; None if none does."""
    lock, note = _lock(library, client)
    try:
        holder = msgspec.json.decode(note.read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None
    try:
        with lock:
            return None  # A run that was killed left its note.
    except Timeout:
        return holder


def _lock(library: Facts, client: Client) -> tuple[FileLock, Path]:
    folder = _home(library, client) / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = library["account"]
    return FileLock(folder / f"{name}.lock", timeout=0, mode=0o600), folder / f"{name}.holder"


def _home(library: Facts, client: Client) -> Path:
    """Give the folder of an account; each demo is another library under the same phrases, and has one of its own."""
    if not library["demo"]:
        return data_folder()
    if not client.demo_session:
        return session_folder()
    home = (
        data_folder() / "demo" / client.demo_session
    )  # A kernel may be restarted while its demo goes on.
    if not home.exists():
        for old in home.parent.glob("*"):
            with contextlib.suppress(OSError):
                if time.time() - old.stat().st_mtime > DEMO_ENDS:
                    shutil.rmtree(old, ignore_errors=True)
    return home
