"""Files of our own: where they live, and how they are written so that none is ever half there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs

__all__ = ["data_folder", "write_atomic"]


def data_folder() -> Path:
    """Give the folder for what is remembered: `PICORA_DATA_DIR`, else the platform's user-data folder."""
    named = os.environ.get("PICORA_DATA_DIR")
    return (
        Path(named) if named else platformdirs.user_data_path("picora_analytics", appauthor=False)
    )


def write_atomic(path: Path, write: Callable[[Path], object]) -> None:
    """
    Write a file so that it is there whole or not at all, for its owner's eyes only (mode 0600).

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder must exist.
    write : callable
        Gets the path of an empty temporary file in the same folder and fills it.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    temporary = Path(name)
    try:
        write(temporary)
        os.fsync(descriptor)
        os.close(descriptor)
        descriptor = -1
        temporary.replace(path)
    finally:
        if descriptor >= 0:
            os.close(descriptor)
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the platform can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
