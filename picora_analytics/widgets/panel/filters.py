"""The filters: a search and a chip for each rule that the analysis names, with the field for its value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, get_args

import ipywidgets as widgets

from picora_analytics.analysis.criteria import Decision
from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.text import shorten
from picora_analytics.times import parse_instant
from picora_analytics.widgets.panel.filtering import FILTERS, SEVERAL, Filter, kind_of, words_of
from picora_analytics.widgets.panel.header import wrong
from picora_analytics.widgets.panel.html import Do, button, html, label, markup, on_change, toggle
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["Filters"]

MOST_VALUES = 500  # A longer menu is no help; rarer tags are for Python.
_FIRST = ("older_than", "untagged", "not_found_in", "larger_than", "private")
_KINDS = {
    kind: place
    for place, kind in enumerate(
        ("tags", "formats", "date", "pixels", "flag", "decision", "hidden")
    )
}
_ASKED = {
    "older_than": "Older than, in days",
    "hidden_for": "Hidden for, in days",
    "decided": "Decided",
    "larger_than": "Larger than",
    "uploaded_before": "Uploaded before",
    "uploaded_since": "Uploaded since",
    "oversized": "The longer edge over, in pixels",
    "up_to_pixels": "The longer edge at most, in pixels",
    "tagged": "Having one of the tags",
    "tagged_all": "Having all of the tags",
    "not_tagged": "Having none of the tags",
    "formats": "Of one of the formats",
}


class Filters:
    """
    A search, chips, and more of them behind a button; in a narrow panel all stand behind one.

    Parameters
    ----------
    session : CleanupSession
    do : callable
        Runs a gesture.
    search : callable
        Given the text to search for.
    """

    def __init__(
        self, session: CleanupSession, do: Do, search: Callable[[CleanupSession, str], None]
    ) -> None:
        self._do = do
        self.search = widgets.Text(
            placeholder="Name, tag or id", description="Search", tooltip="Search"
        )
        self.search.add_class("pc-search")
        on_change(lambda: do(lambda session: search(session, self.search.value)), self.search)
        year = parse_instant(session.library["loaded_at"]).year
        self.chips = {name: Chip(one, year, self) for name, one in FILTERS.items()}
        first = [self.chips[name].box for name in _FIRST]
        more = [chip for name, chip in self.chips.items() if name not in _FIRST]
        rest = [chip.box for chip in sorted(more, key=lambda one: _KINDS.get(one.filter.kind, -1))]
        self.more = widgets.ToggleButton(description="More", tooltip="More filters")
        self.more.add_class("pc-chip-button")
        self.more.add_class("pc-filter-sign")
        self.fold = widgets.ToggleButton(description="Filters", tooltip="Filters")
        self.fold.add_class("pc-chip-button")
        self.fold.add_class("pc-fold")
        self.fold.add_class("pc-filter-sign")
        self._done = button("Done", lambda: do(lambda _: self.close()))
        self._done.add_class("pc-close")
        rest_box = widgets.Box(rest)
        rest_box.add_class("pc-rest-chips")
        self.pop = widgets.VBox([rest_box, self._done])
        self.pop.add_class("pc-pop")
        self.pop.add_class("pc-more-pop")
        for one in (self.more, self.fold):
            on_change(lambda: do(lambda _: None), one)
        self.row = widgets.Box([*first, self.more, self.pop])
        self.row.add_class("pc-chips")
        self.box = widgets.Box([self.search, self.fold, self.row])
        self.box.add_class("pc-filters")

    def apply(self, session: CleanupSession) -> None:
        """Look by the chips that are on."""
        session.filters = {name: chip.value for name, chip in self.chips.items() if chip.on.value}

    def close(self, but: Chip | None = None) -> None:
        """Close what is open, except what cannot be read."""
        for chip in self.chips.values():
            if chip is not but:
                chip.is_open = False
        if but is None:
            self.more.value = self.fold.value = False

    def paint(self, session: CleanupSession, searched: str) -> None:
        """Show which filters are on, their counts, and beside each field why it cannot be read."""
        for name, chip in self.chips.items():
            chip.offer(session)
            chip.paint(session, name in session.filters)
        if self.search.value.strip() != searched:
            self.search.value = searched
        on = list(session.filters)
        behind = [name for name in on if name not in _FIRST]
        self.more.description = f"More {len(behind)}" if behind else "More"
        self.fold.description = f"Filters {len(on)}" if on else "Filters"
        toggle(self.box, session.only, "pc-idle", present=True)
        trouble = any(name in session.problems for name in behind)
        toggle(self.pop, self.more.value or trouble)
        toggle(self.row, self.fold.value, "pc-unfolded", present=True)
        toggle(self.more, bool(behind), "pc-on", present=True)
        toggle(self.fold, bool(on), "pc-on", present=True)
        toggle(self.fold, bool(session.problems), "pc-bad", present=True)


class Chip:
    """One filter: switched on and off, and what opens the field for its value if it asks for one."""

    def __init__(self, filter_: Filter, year: int, filters: Filters) -> None:
        do = filters._do
        self.filter, self.field, self.is_open = filter_, _field(filter_, year), False
        self.on = widgets.ToggleButton(tooltip=filter_.help)
        self.on.add_class("pc-chip-button")
        self.problem = html()
        on_change(lambda: do(lambda session: self._switch(session, filters)), self.on)
        parts: list[widgets.Widget] = [self.on]
        self.pop = widgets.VBox()
        self.pop.add_class("pc-pop")
        inside: list[widgets.Widget] = [self.problem]
        if self.field is not None:
            self.edit = button("▾", lambda: do(lambda _: self._open(filters)))
            self.edit.tooltip = f"Change: {_ASKED[filter_.name].lower()}"
            self.edit.add_class("pc-edit")
            parts.append(self.edit)
            self.field.add_class("pc-field")
            on_change(lambda: do(lambda session: self._change(session, filters)), self.field)
            inside = [
                html(markup("<div>{asked}</div>", asked=_ASKED[filter_.name])),
                self.field,
                self.problem,
            ]
        close = button("Done", lambda: do(lambda _: self._close()))
        close.add_class("pc-close")
        self.pop.children = [*inside, close]
        self.box = widgets.Box([*parts, self.pop])
        self.box.add_class("pc-chip")

    @property
    def value(self) -> Any:
        """What the rule is given."""
        return True if self.field is None else self.field.value

    def _open(self, filters: Filters) -> None:
        self.is_open = not self.is_open
        filters.close(self)

    def _close(self) -> None:
        self.is_open = False

    def _switch(self, session: CleanupSession, filters: Filters) -> None:
        if self.on.value and not self._is_given:
            self.on.value, self.is_open = False, True
            filters.close(self)
            return
        # Of several values, one may want to choose another yet.
        self.is_open = self.is_open and self.on.value and self.filter.kind in SEVERAL
        filters.apply(session)

    def _change(self, session: CleanupSession, filters: Filters) -> None:
        """Look by another value; who writes one wants it."""
        self.on.value = self._is_given
        filters.apply(session)

    @property
    def _is_given(self) -> bool:
        """Whether it has a value, as without tags there is nothing to look by."""
        return bool(self.value) or self.filter.kind not in SEVERAL

    def offer(self, session: CleanupSession) -> None:
        """Fill the menu with the values there are, and stay at those that are chosen."""
        if self.field is None or self.filter.kind not in SEVERAL:
            return
        write = kind_of if self.filter.kind == "formats" else lambda tag: shorten(tag, 28)
        values = session.values.get(self.filter.kind, [])[:MOST_VALUES]
        chosen, there = self.field.value, {value for value, _ in values}
        values += [(value, 0) for value in chosen if value not in there]
        options = tuple((f"{write(value)} ({n:,})", value) for value, n in values)
        if self.field.options != options:
            self.field.options, self.field.value = options, chosen

    def paint(self, session: CleanupSession, on: bool) -> None:
        """Show what it lets through by itself."""
        name, problem = self.filter.name, session.problems.get(self.filter.name)
        n = session.counted(name, self.value) if self._is_given else None
        # By the space before it the page knows a count, and mutes it.
        count = "" if n is None else f"\N{EN SPACE}{n:,}"
        self.on.description = label(words_of(name, self.value), 40) + (" ?" if problem else count)
        self.on.value = on
        for one in (self.on, self.box):
            toggle(one, problem is not None, "pc-bad", present=True)
        toggle(self.box, on, "pc-on", present=True)
        if self.field is not None:
            toggle(self.field, problem is not None, "pc-bad", present=True)
        toggle(self.problem, problem is not None)
        self.problem.value = wrong(problem or "")
        toggle(self.pop, self.is_open or problem is not None)


def _field(filter_: Filter, year: int) -> widgets.ValueWidget | None:
    """Make the field of a filter's value, with a plausible one in it."""
    kind = filter_.kind
    if kind in ("days", "hidden"):
        days = 730 if kind == "days" else 30
        return widgets.BoundedIntText(days, min=0, max=36500, description="Days")
    if kind == "pixels":
        pixels = 256 if filter_.turned else MAX_EDGE
        return widgets.BoundedIntText(pixels, min=1, max=100_000, description="Pixels")
    if kind == "decision":
        return widgets.Dropdown(options=get_args(Decision), value="delete", description="Decision")
    if kind == "size":
        return widgets.Text("5 MiB", continuous_update=False, description="Size")
    if kind == "date":
        return widgets.DatePicker(value=dt.date(year, 1, 1), description="Day")
    if kind in SEVERAL:
        name = "Tags" if kind == "tags" else "Formats"
        return widgets.SelectMultiple(options=(), rows=6, description=name)
    return None
