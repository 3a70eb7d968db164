"""Step 1: a tick for each rule, made from the rules that the analysis names."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import ipywidgets as widgets

from picora_analytics.analysis.criteria import RULES, Decision, Rule
from picora_analytics.text import shorten
from picora_analytics.times import parse_instant
from picora_analytics.units import format_bytes
from picora_analytics.widgets.panel.html import (
    Do,
    alert,
    code,
    fill,
    html,
    markup,
    on_change,
    row,
    step,
    toggle,
)
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["FilterStep"]

MAX_TAGS = 500  # A longer menu is no help; rarer tags are for Python.
_NAMES = {
    "older_than": "Older than, in days",
    "oversized": "Over 2560 pixels",
    "hidden_for": "Hidden for, in days",
}


class FilterStep:
    """The rules, each with how many images it matches by itself, and what they match together."""

    def __init__(self, session: CleanupSession, do: Do) -> None:
        tags, year = session.tags(), parse_instant(session.library["loaded_at"]).year
        self.filters = {rule.name: _Filter(rule, _field(rule, tags, year)) for rule in RULES}
        for each in self.filters.values():
            on_change(lambda: do(self._apply), *each.controls)
        grid = widgets.Box([each.box for each in self.filters.values()])
        grid.add_class("picora-filters")
        self.code, self.count = html(), html()
        self.box = step(1, "Filter", self.code, grid, self.count)

    def _apply(self, session: CleanupSession) -> None:
        session.filters = {
            name: each.value for name, each in self.filters.items() if each.is_ticked
        }

    def paint(self, session: CleanupSession) -> None:
        """Show the counts, and beside each field why it cannot be read."""
        for name, each in self.filters.items():
            each.paint(session)
            problem = session.problems.get(name)
            toggle(each.problem, problem is not None)
            each.problem.value = "" if problem is None else alert(problem)
        self.code.value = code(session.filter_code())
        matching = session.matching
        self.count.value = markup(
            "<p>Matching: <strong>{n}</strong> of {all} images, {size}{unknown}</p>",
            n=f"{matching.n_images:,}",
            all=f"{len(session.images):,}",
            size=format_bytes(matching.size_bytes),
            unknown=f"; of {matching.unknown:,} more the rules cannot tell"
            if matching.unknown
            else "",
        )


class _Filter:
    """One rule: its tick, the field for its value if it asks for one, and what is wrong with that."""

    def __init__(self, rule: Rule, field: widgets.ValueWidget | None) -> None:
        self.rule, self.field = rule, field
        self.tick = widgets.Checkbox(indent=False, layout=fill())
        # No tag or one: the menu is its own tick.
        self.controls = [
            part for part in (None if rule.kind == "tags" else self.tick, field) if part is not None
        ]
        for part in self.controls:
            part.tooltip = rule.help
        self.problem = html()
        self.box = row(*self.controls, self.problem)

    @property
    def is_ticked(self) -> bool:
        """Whether the rule counts."""
        return bool(self.value if self.rule.kind == "tags" else self.tick.value)

    @property
    def value(self) -> Any:
        """What the rule is given."""
        return True if self.field is None else self.field.value

    def paint(self, session: CleanupSession) -> None:
        """Count what the rule matches by itself."""
        if self.rule.kind != "tags":
            name = self.rule.name
            n = session.count(name, self.value)
            shown = _NAMES.get(name) or name.replace("_", " ").capitalize()
            self.tick.description = f"{shown} ({'?' if n is None else f'{n:,}'})"


def _field(rule: Rule, tags: list[tuple[str, int]], year: int) -> widgets.ValueWidget | None:
    """Make the field of a rule's value, with a plausible one in it."""
    # A label of no width: the tick before it says the same, but screen readers need one for each.
    hidden = {"description_width": "0px"}
    narrow = widgets.Layout(width="80px")
    if rule.kind == "days":
        return widgets.BoundedIntText(
            730, min=0, max=36500, description="Days", style=hidden, layout=narrow
        )
    if rule.kind == "hidden":
        return widgets.BoundedIntText(
            30, min=0, max=36500, description="Days", style=hidden, layout=narrow
        )
    if rule.kind == "decision":
        return widgets.Dropdown(
            options=get_args(Decision),
            value="delete",
            description="Decision",
            style=hidden,
            layout=widgets.Layout(width="130px"),
        )
    if rule.kind == "size":
        return widgets.Text(
            "5 MiB", continuous_update=False, description="Size", style=hidden, layout=narrow
        )
    if rule.kind == "date":
        return widgets.DatePicker(
            value=dt.date(year, 1, 1),
            description="Day",
            style=hidden,
            layout=widgets.Layout(width="130px"),
        )
    if rule.kind == "tags":
        # With None as its value ipywidgets would show an empty menu.
        named = [(f"{shorten(tag, 28)} ({n:,})", (tag,)) for tag, n in tags[:MAX_TAGS]]
        return widgets.Dropdown(
            options=[("any tags, or none", ()), *named],
            description="Tag",
            layout=widgets.Layout(width="auto", flex="1 1 auto"),
            style={"description_width": "initial"},
        )
    return None
