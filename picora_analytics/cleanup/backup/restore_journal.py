"""The journal of a restore: which file was about to be uploaded, and what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from picora_analytics.cleanup.backup.folder import LONGEST, decoded
from picora_analytics.errors import JournalError
from picora_analytics.lines import LineFile, read_lines

__all__ = ["Outcome", "RestoreJournal", "Status"]

JOURNAL = "restored.ndjson"
Status = Literal["restored", "already there", "failed", "unknown"]


class Outcome(msgspec.Struct, frozen=True):
    """
    What came of one file.

    Attributes
    ----------
    status : str
        restored, already there, failed or unknown; "word" in the file.
    new_id, new_url : str or None
        Of the image that has the bytes now.
    reason : str
    """

    status: Status = msgspec.field(name="word")
    new_id: str | None = None
    new_url: str | None = None
    reason: str = ""


class _Line(msgspec.Struct, frozen=True):
    id: str
    session: str  # Each demo is another library under the same account.
    outcome: Outcome | None = None


class RestoreJournal:
    """
    Lines that are on disk before the next step is taken, in the backup folder.

    Parameters
    ----------
    folder : Path
    session : str
        Of the demo; empty for Picora itself.
    """

    def __init__(self, folder: Path, session: str) -> None:
        self._path, self._session = folder / JOURNAL, session
        self._lines: LineFile | None = None

    def intend(self, image_id: str) -> None:
        """Write that a file is about to be uploaded."""
        self._write(_Line(image_id, self._session))

    def record(self, image_id: str, outcome: Outcome) -> None:
        """Write what came of it."""
        self._write(_Line(image_id, self._session, outcome))

    def past(self) -> dict[str, Outcome | None]:
        """Give the last line of each image: its outcome, or None if the upload's answer is unknown."""
        found: dict[str, Outcome | None] = {}
        try:
            for line in read_lines(self._path, longest=LONGEST):
                try:
                    read = msgspec.convert(decoded(line), _Line)
                except msgspec.ValidationError:
                    continue  # Cut off before it was on disk, so nothing was sent after it.
                if read.session == self._session:
                    found[read.id] = read.outcome
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._unusable("read", error) from error
        return found

    def _write(self, line: _Line) -> None:
        content = msgspec.json.encode(line)
        try:
            if self._lines is None:
                if not self._path.exists():
                    self._lines = LineFile.create(self._path, content)
                    return
                self._lines = LineFile.open(self._path)
            self._lines.append(content)
        except OSError as error:
            raise self._unusable("written", error) from error

    def _unusable(self, verb: str, error: OSError) -> JournalError:
        return JournalError(
            f"The journal {str(self._path)!r} cannot be {verb} ({error.strerror}); the run stops here, because "
            "without a journal an image might be uploaded twice."
        )
