"""Charts of a report as bars that lie down: a name, a bar, and what it stands for."""

from __future__ import annotations

from typing import Any, NamedTuple

from markupsafe import Markup

from picora_analytics.report.svg import LETTER, Drawing, drawn, room
from picora_analytics.report.writing import as_text, fill

__all__ = ["Bar", "bar_chart", "bars_of", "change_bars", "concentration_bars", "saving_bars"]

_ROW, _THICK, _GAP = 32, 20, 10
# Of more rows the table says the rest.
_MOST = 12
# Narrower drawings leave out what stands behind the main number.
_WIDE = 500


class Bar(NamedTuple):
    """
    One bar.

    Attributes
    ----------
    label, text, note : str
        Sentences with paths: what it is, how much, and what else there is room for on a wide drawing.
    value : float or None
        Its length; None is unknown, and has no bar.
    sure : float or None
        How much of it is certain, where that is less.
    """

    label: str
    value: float | None
    text: str
    note: str = ""
    sure: float | None = None


def bars_of(facts: dict[str, Any], path: str, label: str, value: str = "size_bytes") -> list[Bar]:
    """Make bars of rows of facts, each with its images beside it."""
    return [
        Bar(
            f"{{{path}.{i}.{label}}}",
            row[value],
            f"{{{path}.{i}.{value}}}",
            f" · {{{path}.{i}.n_images}} image{'' if row['n_images'] == 1 else 's'}",
        )
        for i, row in enumerate(facts[path][:_MOST])
    ]


def concentration_bars(facts: dict[str, Any]) -> list[Bar]:
    """Show how few images hold half of the storage, and how many the rest."""
    rows = facts["concentration"]
    parts = (
        ("half of it", "n50"),
        ("four fifths", "n80"),
        ("nine tenths", "n90"),
        ("all", "n_images"),
    )
    return [
        Bar(
            name,
            rows[key],
            f"{{concentration.{key}}}",
            " of the largest images",
        )
        for name, key in parts
        if rows[key] is not None
    ]


def saving_bars(facts: dict[str, Any]) -> list[Bar]:
    """Show what could be saved: filled as far as it is at least, and open up to the most."""
    return [
        Bar(
            f"{{savings.{i}.flag}}",
            row["high_bytes"],
            f"{{savings.{i}.low_bytes}} to {{savings.{i}.high_bytes}}"
            if row["low_bytes"] != row["high_bytes"]
            else f"{{savings.{i}.high_bytes}}",
            f" · {{savings.{i}.n_images}} images",
            row["low_bytes"],
        )
        for i, row in enumerate(facts["savings"])
        if row["high_bytes"]
    ]


def change_bars(facts: dict[str, Any]) -> list[Bar]:
    """Show what each tag, and what has none, gained or lost, the most first."""
    bars = bars_of(facts, "changes_by_tag", "tag", "net_bytes")
    bare = facts["since"]["untagged_net_bytes"] if facts["since"] else 0
    if bare:
        bars.append(Bar("(no tag)", bare, "{since.untagged_net_bytes}"))
    bars = [bar for bar in bars if bar.value]
    return sorted(bars, key=lambda bar: -(bar.value or 0))


def bar_chart(facts: dict[str, Any], bars: list[Bar], label: str) -> Markup:
    """
    Draw bars; those below zero lie to the left of it, and are hollow.

    Parameters
    ----------
    facts : dict
    bars : list of Bar
        Without any, nothing is drawn.
    label : str
        What the chart shows, for whoever cannot see it.
    """
    if not bars:
        return Markup("")
    said = [f"{_plain(facts, bar.label)} {_plain(facts, bar.text)}" for bar in bars]
    return drawn(facts, lambda drawing: _draw(drawing, bars), f"{label}: {', '.join(said)}.")


def _plain(facts: dict[str, Any], sentence: str) -> str:
    return fill(sentence, lambda path: as_text(facts, path))


def _draw(drawing: Drawing, bars: list[Bar]) -> None:
    facts, wide = drawing.facts, drawing.width >= _WIDE
    columns = int(drawing.width * (0.26 if wide else 0.3) / LETTER)
    names = [min(room(_plain(facts, bar.label)), columns) for bar in bars]
    texts = [room(_plain(facts, bar.text + (bar.note if wide else ""))) for bar in bars]
    left = max(names) * LETTER + 14
    space = max(drawing.width - left - max(texts) * LETTER - _GAP, 30)
    values = [float(bar.value or 0) for bar in bars]
    below, above = -min(0.0, *values), max(0.0, *values)
    scale = space / ((below + above) or 1)
    zero = left + below * scale
    drawing.height = len(bars) * _ROW
    for row, (bar, value) in enumerate(zip(bars, values, strict=True)):
        y = row * _ROW + (_ROW - _THICK) / 2
        drawing.text(left - 14, y + 15, bar.label, "name", "end", columns)
        long = abs(value) * scale
        if value < 0:
            drawing.rect(zero - long, y, long, _THICK, "loss")
        elif bar.sure is not None and bar.sure < value:
            drawing.rect(zero, y, long, _THICK, "maybe")
            drawing.rect(zero, y, bar.sure * scale, _THICK, "gain")
        elif value:
            drawing.rect(zero, y, max(long, 1.5), _THICK, "gain")
        drawing.text(
            zero + max(value, 0) * scale + _GAP, y + 15, bar.text + (bar.note if wide else "")
        )
    drawing.line(zero, 0, zero, drawing.height, "axis")
