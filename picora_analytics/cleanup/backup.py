"""Copies of images, kept and proved before they are deleted."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

import pandas as pd

from picora_analytics.client.client import Client
from picora_analytics.errors import BackupError
from picora_analytics.library.frame import Facts
from picora_analytics.progress import Progress

__all__ = ["Backup", "back_up"]


class Backup(NamedTuple):
    """Which images have a proved copy, and why others have none."""

    proofs: dict[str, Any]
    failed: dict[str, str]

    def recheck(self, ids: Collection[str]) -> dict[str, str]:
        """Say which proofs no longer hold, and why."""
        return {one: "it has no copy" for one in ids if one not in self.proofs}


def back_up(
    images: pd.DataFrame,
    library: Facts,
    client: Client,
    folder: str | os.PathLike[str],
    *,
    progress: Progress | bool | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Backup:
    """Keep copies of images in a folder."""
    raise BackupError(f"backup={folder!r}: copies cannot be kept yet; say backup=None.")
