"""Edited images read again with the fewest requests; decides, and reads nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from picora_analytics.client.client import MAX_PAGE_SIZE

__all__ = ["Window", "plan_edits"]

Window = tuple[dt.date, dt.date, int]
_DAY = dt.timedelta(days=1)


def plan_edits(
    created: Mapping[str, dt.date | None], uploads: Mapping[dt.date, int]
) -> tuple[list[str], list[Window]]:
    """
    Choose how edited images are read again with the fewest requests.

    Parameters
    ----------
    created : mapping of str to date or None
        The UTC day on which each was uploaded, as far as it is known.
    uploads : mapping of date to int
        Images uploaded on each day.

    Returns
    -------
    singles : list of str
        To be read one by one.
    windows : list of (date, date, int)
        Days to be listed, first and last, and how many pages that takes. A day wider on both sides than the
        images need: the service's days may not be UTC days.
    """
    undated = [image_id for image_id, day in created.items() if day is None]
    days: dict[dt.date, list[str]] = {}
    for image_id, day in created.items():
        if day is not None:
            days.setdefault(day, []).append(image_id)
    if not days:
        return undated, []
    singles: list[str] = []
    windows: list[Window] = []
    for run in _runs(sorted(days)):
        ids, window = [image_id for day in run for image_id in days[day]], _window(run, uploads)
        if window[2] < len(ids):
            windows.append(window)
        else:
            singles += ids
    # Many edits all over the years: one listing of them all may be shorter.
    whole = _window(sorted(days), uploads)
    if whole[2] < len(singles) + sum(n_pages for _, _, n_pages in windows):
        singles, windows = [], [whole]
    return undated + singles, windows


def _window(days: list[dt.date], uploads: Mapping[dt.date, int]) -> Window:
    first, last = days[0] - _DAY, days[-1] + _DAY
    n_images = sum(n for day, n in uploads.items() if day is not None and first <= day <= last)
    return first, last, max(-(-n_images // MAX_PAGE_SIZE), 1)


def _runs(days: list[dt.date]) -> Iterator[list[dt.date]]:
    """Put days together whose windows would touch."""
    run: list[dt.date] = []
    for day in days:
        if run and day - run[-1] > 3 * _DAY:
            yield run
            run = []
        run.append(day)
    if run:
        yield run
