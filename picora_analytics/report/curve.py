"""The chart of growth: what came and is still there, how it may go on, and when it meets the quota."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

from markupsafe import Markup

from picora_analytics.report.svg import LETTER, Drawing, drawn, round_steps
from picora_analytics.report.writing import as_text, fill
from picora_analytics.text import width
from picora_analytics.times import parse_instant
from picora_analytics.units import KIB

__all__ = ["growth_chart"]

_NARROW = 500
# A narrow drawing shows the last years only, as the ones to come are what matters.
_LAST_YEARS = dt.timedelta(days=5 * 365)
# Pixels between two lines that have no room for a text, and what the texts of today and of a month take.
_CLOSE, _TODAY, _NOTE = 22, 130, 210
_TOP, _BOTTOM, _LEFT, _RIGHT = 62, 30, 46, 16


class _Frame(NamedTuple):
    """Where instants and bytes lie on a drawing."""

    first: dt.datetime
    last: dt.datetime
    most: float
    width: float
    height: float

    def x(self, moment: dt.datetime) -> float:
        return _LEFT + (moment - self.first) / (self.last - self.first) * (
            self.width - _LEFT - _RIGHT
        )

    def y(self, size: float) -> float:
        return self.height - _BOTTOM - size / self.most * (self.height - _BOTTOM - _TOP)


def growth_chart(facts: dict[str, Any]) -> Markup:
    """Draw the growth; nothing without upload dates or the moment of the load."""
    if not facts["growth"]["by_month"] or not facts["library"]["loaded_at"]:
        return Markup("")
    return drawn(facts, _draw, fill(_sentence(facts), lambda path: as_text(facts, path)))


def _sentence(facts: dict[str, Any]) -> str:
    months, forecast = facts["growth"]["by_month"], facts["forecast"]
    parts = [
        "The images that are still there grew from {growth.by_month.0.total_size_bytes} in "
        f"{{growth.by_month.0.period:month}} to {{growth.by_month.{len(months) - 1}.total_size_bytes}} today."
    ]
    if _whole(facts):
        parts.append("The quota is {quota.size_bytes}.")
    if forecast and forecast["full_early_at"] and forecast["full_late_at"]:
        parts.append(
            "It is reached between {forecast.full_early_at:month} and {forecast.full_late_at:month}."
        )
    return " ".join(parts)


def _whole(facts: dict[str, Any]) -> bool:
    """Tell whether the quota may stand beside these images: of a part of a library it would say nothing."""
    return facts["quota"] is not None and facts["quota"]["used_share"] is not None


def _draw(drawing: Drawing) -> None:
    facts = drawing.facts
    drawing.height = 340 if drawing.width > _NARROW else 270
    now = parse_instant(facts["library"]["loaded_at"])
    past = _past(facts, now)
    weeks = facts["forecast"]["weeks"] if facts["forecast"] else []
    last = max([now, *(parse_instant(row["at"]) for row in weeks)])
    first = min(past[0][0], now - dt.timedelta(days=31))
    if drawing.width <= _NARROW:
        first = max(first, now - _LAST_YEARS)
    limit = facts["quota"]["size_bytes"] if _whole(facts) else 0
    ahead = max((row["high_bytes"] or row["likely_bytes"] or 0 for row in weeks), default=0)
    most = max(past[-1][1], limit, min(ahead, 1.25 * limit) if limit else ahead, 1)
    frame = _Frame(first, last, most, drawing.width, drawing.height)
    _scales(drawing, frame, limit)
    _past_line(drawing, frame, past, now)
    _month(drawing, frame)
    if weeks:
        _ahead(drawing, frame, weeks)
    _quota(drawing, frame, limit)
    _today(drawing, frame, now, past[-1][1], limit)


def _past(facts: dict[str, Any], now: dt.datetime) -> list[tuple[dt.datetime, float]]:
    """Give the steps of the past: the end of each month, and what there was by then; the last one is now."""
    rows = facts["growth"]["by_month"]
    found = [(parse_instant(f"{rows[0]['period']}-01"), 0.0)]
    for row in rows:
        begin = parse_instant(f"{row['period']}-01")
        end = (begin + dt.timedelta(days=31)).replace(day=1) if begin.year < 9999 else now
        found.append((min(end, now), float(row["total_size_bytes"] or 0)))
    return [*found, (now, found[-1][1])]


def _scales(drawing: Drawing, frame: _Frame, limit: int) -> None:
    power = 0
    while power < 4 and frame.most >= KIB ** (power + 1):
        power += 1
    unit = KIB**power
    right = drawing.width - _RIGHT
    for step in round_steps(frame.most / unit, 4 if drawing.width > _NARROW else 3):
        y = frame.y(step * unit)
        if limit and step and abs(y - frame.y(limit)) < 16:
            continue  # The quota stands there.
        drawing.line(_LEFT, y, right, y, "grid")
        drawing.tick(_LEFT - 8, y + 4, f"{step:,g}", "end")
    drawing.tick(_LEFT - 8, 26, ("B", "KiB", "MiB", "GiB", "TiB")[power], "end")
    for moment, text in _dates(frame):
        x = frame.x(moment)
        drawing.line(x, frame.y(0), x, frame.y(0) + 4, "axis")
        drawing.tick(x, frame.y(0) + 20, text)


def _dates(frame: _Frame) -> list[tuple[dt.datetime, str]]:
    """Give the dates of the scale: years, or months where there are few of them."""
    n = max(int((frame.width - _LEFT - _RIGHT) / 90), 2)
    years = frame.last.year - frame.first.year
    if years >= 2:
        step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000) if years / s <= n)
        whole = range(frame.first.year // step * step, frame.last.year + 1, step)
        found = [(dt.datetime(year, 1, 1, tzinfo=dt.UTC), f"{year}") for year in whole if year > 0]
    else:
        months = range(
            frame.first.year * 12 + frame.first.month - 1, frame.last.year * 12 + frame.last.month
        )
        step = next(s for s in (1, 2, 3, 6, 12) if len(months) / s <= n)
        days = [dt.datetime(m // 12, m % 12 + 1, 1, tzinfo=dt.UTC) for m in months if m % step == 0]
        found = [(day, f"{day:%b %Y}") for day in days]
    inside = frame.width - _RIGHT - 8
    return [one for one in found if frame.first <= one[0] and frame.x(one[0]) <= inside]


def _past_line(
    drawing: Drawing, frame: _Frame, past: list[tuple[dt.datetime, float]], now: dt.datetime
) -> None:
    size = max((size for moment, size in past if moment <= frame.first), default=0.0)
    x = frame.x(frame.first)
    line = f"M{x:.1f},{frame.y(size):.1f}"
    for moment, size in past:
        if moment > frame.first:
            line += f"H{frame.x(moment):.1f}V{frame.y(size):.1f}"
    drawing.path(f"{line}V{frame.y(0):.1f}H{x:.1f}Z", "area")
    drawing.path(line, "past")


def _ahead(drawing: Drawing, frame: _Frame, weeks: list[dict[str, Any]]) -> None:
    # Beyond the top of the drawing a line goes on outside of it.
    most = frame.most * 1.06

    def points(key: str) -> list[str]:
        return [
            f"{frame.x(parse_instant(row['at'])):.1f},{frame.y(min(row[key], most)):.1f}"
            for row in weeks
            if row[key] is not None
        ]

    high = points("high_bytes")
    if high:
        drawing.path(f"M{' L'.join([*high, *points('low_bytes')[::-1]])}Z", "band")
    drawing.path(f"M{' L'.join(points('likely_bytes'))}", "ahead")


def _quota(drawing: Drawing, frame: _Frame, limit: int) -> None:
    if not limit:
        return
    y, forecast = frame.y(limit), drawing.facts["forecast"]
    drawing.line(_LEFT, y, drawing.width - _RIGHT, y, "quota")
    drawing.text(_LEFT + 4, y - 8, "quota {quota.size_bytes}", "red")
    early, late = (forecast and forecast[f"full_{name}_at"] for name in ("early", "late"))
    if not early:
        return
    right = drawing.width - _RIGHT
    x1 = min(frame.x(parse_instant(early)), right)
    x2 = min(frame.x(parse_instant(late)), right) if late else right
    drawing.line(x1, y, max(x2, x1 + 0.1), y, "crossing")
    text = "{forecast.full_early_at:month}" + (
        " to {forecast.full_late_at:month}" if late else " or later"
    )
    half = width(fill(text, lambda path: as_text(drawing.facts, path))) * LETTER / 2
    middle = (x1 + x2) / 2
    drawing.line(middle, 30, middle, y - 6, "lead")
    drawing.text(min(middle, drawing.width - half - 4), 24, text, "red", "middle")


def _today(drawing: Drawing, frame: _Frame, now: dt.datetime, size: float, limit: int) -> None:
    """Name what there is now: above the line, or where the quota is too near, below it."""
    x, y = frame.x(now), frame.y(size)
    drawing.dot(x, y, "now")
    text = (
        f"{{growth.by_month.{len(drawing.facts['growth']['by_month']) - 1}.total_size_bytes}} today"
    )
    if x - _LEFT < _TODAY:
        drawing.text(x + 10, y + 22 if y < frame.y(0) - 30 else y - 12, text, "blue")
    elif not limit or not 0 <= y - frame.y(limit) < _CLOSE:
        drawing.text(x - 10, y - 9, text, "blue", "end")
    elif drawing.width - x > _TODAY:
        drawing.text(x + 10, y + 22, text, "blue")
    else:
        drawing.text(x - 4, y + 30, text, "blue", "end")


def _month(drawing: Drawing, frame: _Frame) -> None:
    """Name the month that stands out: below its step, or left of it, where there is room for it."""
    month = drawing.facts["growth"]["fullest_month"]
    if month is None or drawing.width <= _NARROW:
        return
    begin = parse_instant(f"{month['period']}-01")
    x, y = frame.x(begin), frame.y(month["total_size_bytes"] or 0)
    right = frame.x(begin + dt.timedelta(days=45))
    if y + 47 <= frame.y(0) and right < drawing.width - _NOTE:
        x, y, anchor = right, y + 24, "start"
    elif x - _LEFT > _NOTE:
        x, y, anchor = x - 6, y - 22, "end"
    else:
        return
    noun = "image" if month["n_images"] == 1 else "images"
    drawing.text(x, y, "{growth.fullest_month.period:month}", "name strong", anchor)
    drawing.text(
        x, y + 17, f"{{growth.fullest_month.n_images}} {noun} in one month", "halo", anchor
    )
