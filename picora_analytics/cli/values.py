"""What options and arguments take: paths, numbers, days; each says what it wants in the words of the shell."""

from __future__ import annotations

import datetime as dt
import math
import os
from pathlib import Path
from typing import Any

import click

__all__ = ["DATE", "DAYS", "FRACTION", "FilePath", "OutputPath"]


class FilePath(click.Path):
    """A path whose ``~`` is the home folder: shells leave that of ``--store=~/kept`` as it is, and cron any."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Expand the path, then check it."""
        path = os.path.expanduser(value)  # noqa: PTH111 (Path would forget a slash at the end.)
        if path.startswith("~"):
            self.fail(
                f"There is no home folder for {value!r}; for a name like that, type ./ before it.",
                param,
                ctx,
            )
        return super().convert(path, param, ctx)


class OutputPath(FilePath):
    """An output path; a folder that is missing or cannot be written is reported before anything is loaded."""

    def __init__(self, *, dash: bool = False) -> None:
        super().__init__(dir_okay=False, writable=True)
        self._dash = dash

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """Check the folder; ``-`` is standard output where there is something to print."""
        if value == "-":
            if not self._dash:
                self.fail("- is standard output, and this is a file; give it a name.", param, ctx)
            return value
        path = super().convert(value, param, ctx)
        folder = Path(path).parent
        if not folder.is_dir():
            self.fail(f"There is no folder {str(folder)!r} to write {value!r} into.", param, ctx)
        if not os.access(folder, os.W_OK):
            self.fail(f"The folder {str(folder)!r} cannot be written.", param, ctx)
        return path


class _Number(click.ParamType):  # type: ignore[type-arg]  # Older releases of click take none.
    """A number from 0 on, written as a person would: the unit may stand behind it."""

    name = "number"

    def __init__(self, unit: str, scale: float, most: float, wanted: str, *, zero: bool) -> None:
        self._unit, self._scale, self._most = unit, scale, most
        self._wanted, self._zero = wanted, zero

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        """Read the number, whatever stands before its unit."""
        if isinstance(value, int | float):  # Not typed.
            return value
        text = str(value).strip()
        number = text.removesuffix(self._unit)
        scale = self._scale if number != text else 1
        try:
            found = float(number) * scale
        except ValueError:
            found = math.nan
        if not 0 <= found <= self._most or (not found and not self._zero):
            self.fail(f"{value!r} is {self._wanted}", param, ctx)
        return found


class _Date(click.ParamType):  # type: ignore[type-arg]
    """A day of the calendar."""

    name = "date"

    def convert(self, value: Any, param: Any, ctx: Any) -> dt.date:
        """Read it in the one form that means the same everywhere."""
        if isinstance(value, dt.date):
            return value
        try:
            return dt.datetime.strptime(str(value).strip(), "%Y-%m-%d").date()
        except ValueError:
            return self.fail(
                f"{value!r} is no day; give year, month and day, such as 2026-01-31.", param, ctx
            )


# More days reach back before there was a calendar.
DAYS = _Number("d", 1, 500_000, "no number of days, such as 365.", zero=True)
FRACTION = _Number(
    "%", 0.01, 1, "no part of the whole: give 0.25 or 25% for a quarter.", zero=False
)
DATE = _Date()
