"""What is too much for one review, gone through month by month."""

from __future__ import annotations

import numpy as np
import pandas as pd

from picora_analytics.widgets.gallery.selection import Bools

__all__ = ["Months"]


class Months:
    """
    The months of some images by their uploads, the newest first; what has no date comes last.

    Parameters
    ----------
    images : DataFrame
    rows : array of bool
        Which of its rows to go through.

    Examples
    --------
    >>> images = make_images(created_at=["2026-02-03", "2026-01-31", None, "2026-02-01"])
    >>> months = Months(images, np.array([True, True, True, False]))
    >>> months.name, months.rows.tolist(), len(months)
    ('February 2026', [True, False, False, False], 3)
    >>> months.next()
    >>> months.name, months.rows.tolist()
    ('January 2026', [False, True, False, False])
    """

    def __init__(self, images: pd.DataFrame, rows: Bools) -> None:
        self._month = images["created_at"].to_numpy("datetime64[M]")
        self._rows = rows.copy()
        known = np.unique(self._month[rows & ~np.isnat(self._month)])[::-1]
        undated = (rows & np.isnat(self._month)).any()
        self._all = [*known, np.datetime64("NaT")] if undated else [*known]
        self.place = 0

    def __len__(self) -> int:
        return len(self._all)

    @property
    def name(self) -> str:
        """The month that is open, in words."""
        month = self._all[self.place]
        return "without a date" if np.isnat(month) else f"{pd.Timestamp(month):%B %Y}"

    @property
    def rows(self) -> Bools:
        """What was uploaded in it."""
        month = self._all[self.place]
        there: Bools = np.isnat(self._month) if np.isnat(month) else self._month == month
        return self._rows & there

    def next(self) -> None:
        """Open the one before it in time."""
        self.place += 1
