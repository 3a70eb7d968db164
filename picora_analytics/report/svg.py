"""
Drawings of a report: inline SVG with real text, made of facts alone.

The page's own fonts draw the text, so Chinese, Arabic and emoji need none in Python; its colours are the page's
variables, so light and dark need one drawing. Each chart is drawn at several widths, of which the page shows the one
that fits: text is never scaled below what can be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

from picora_analytics.report.writing import as_text, fill, look_up
from picora_analytics.text import shorten, width

__all__ = ["LETTER", "WIDTHS", "Drawing", "cut", "drawn", "room", "round_steps"]

# What the widths of a window get: see the style sheet.
WIDTHS = (1120, 660, 368)
# Pixels that a column of text takes at the size of the drawings' letters, a little more than most fonts need.
LETTER = 8.3
# Letters and signs that take half as much again.
_WIDE = "mwMWOQ@%&<>=+~#"


class Drawing:
    """One drawing of a chart: shapes and texts, in pixels from the top left."""

    def __init__(self, facts: dict[str, Any], width: int) -> None:
        self.facts, self.width = facts, width
        self.height = 0.0
        self._parts: list[Markup] = []

    def rect(self, x: float, y: float, width: float, height: float, look: str) -> None:
        """Draw a box; `look` is a class of the style sheet."""
        self._parts.append(
            Markup(
                '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="3" class="{}"/>'
            ).format(x, y, max(width, 0), height, look)
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, look: str) -> None:
        """Draw a straight line."""
        self._parts.append(
            Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>').format(
                x1, y1, x2, y2, look
            )
        )

    def path(self, steps: str, look: str) -> None:
        """Draw a path."""
        self._parts.append(Markup('<path d="{}" class="{}"/>').format(steps, look))

    def dot(self, x: float, y: float, look: str) -> None:
        """Draw a dot."""
        self._parts.append(
            Markup('<circle cx="{:.1f}" cy="{:.1f}" r="5" class="{}"/>').format(x, y, look)
        )

    def tick(self, x: float, y: float, text: str, anchor: str = "middle") -> None:
        """Write a number of a scale, which is no fact."""
        self._parts.append(
            Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="tick">{}</text>').format(
                x, y, anchor, text
            )
        )

    def text(
        self,
        x: float,
        y: float,
        sentence: str,
        look: str = "",
        anchor: str = "start",
        columns: int = 0,
    ) -> None:
        """Write a sentence with paths of facts; `columns` is the most that fits, by its middle cut out."""
        parts = fill(sentence, lambda path: self._fact(path, columns), escape)
        self._parts.append(
            Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>').format(
                x,
                y,
                anchor,
                look,
                Markup(parts),  # noqa: S704 - both are escaped
            )
        )

    def _fact(self, path: str, columns: int) -> Markup:
        place, _, form = path.partition(":")
        value, text = look_up(self.facts, place), as_text(self.facts, path)
        known = (
            Markup("")
            if isinstance(value, str)
            else Markup(' value="{}"').format("" if value is None else value)
        )
        return Markup('<tspan data-fact="{}"{}{}>{}</tspan>').format(
            place,
            Markup(' data-form="{}"').format(form) if form else Markup(""),
            known,
            cut(text, columns) if columns else text,
        )

    def markup(self, label: str) -> Markup:
        """Give the element, which reads as one picture with a sentence."""
        return Markup(
            '<svg class="w{}" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>'
        ).format(self.width, self.width, self.height, label, Markup("").join(self._parts))


def room(text: str) -> float:
    """Guess on the safe side how many columns a text takes in a page's font."""
    wide = sum(text.count(char) for char in _WIDE)
    return width(text) + 0.4 * wide + text.count("\N{REPLACEMENT CHARACTER}")


def cut(text: str, columns: int) -> str:
    """Cut the middle out of a text until it fits."""
    for n in range(columns, 1, -1):
        if room(short := shorten(text, n)) <= columns:
            return short
    return shorten(text, 1)


def drawn(facts: dict[str, Any], draw: Callable[[Drawing], None], label: str) -> Markup:
    """Draw a chart at each width."""
    found = []
    for one in WIDTHS:
        drawing = Drawing(facts, one)
        draw(drawing)
        found.append(drawing.markup(label))
    return Markup("").join(found)


def round_steps(most: float, n: int) -> list[float]:
    """
    Give about `n` round numbers from 0 up to the most.

    Examples
    --------
    >>> round_steps(1.7, 4), round_steps(0, 4)
    ([0.0, 0.5, 1.0, 1.5], [0.0])
    """
    if not most > 0:
        return [0.0]
    rough = most / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * part for part in (1, 2, 5, 10) if power * part >= rough * 0.999)
    return [round(step * i, 12) for i in range(int(most / step + 1e-9) + 1)]
