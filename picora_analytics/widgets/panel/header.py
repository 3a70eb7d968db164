"""The head of the panel: whose library, how full it is and would be, and the goal."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
from markupsafe import Markup

from picora_analytics.text import plural
from picora_analytics.times import day_and_time, parse_instant
from picora_analytics.units import format_bytes
from picora_analytics.widgets.panel.html import (
    Do,
    button,
    html,
    markup,
    on_change,
    sign,
    toggle,
)
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["Header"]


class Header:
    """
    Who, the meter, and the goal with what suggests the rest.

    Parameters
    ----------
    do : callable
        Runs a gesture.
    suggest : callable
        Suggests what is missing to the goal.
    """

    def __init__(self, do: Do, suggest: Callable[[], None]) -> None:
        self.who, self.meter = html(), html()
        self.free = widgets.Text(
            description="Free",
            placeholder="30 MiB",
            tooltip="How much storage to free",
            continuous_update=False,
        )
        self.free.add_class("pc-field")
        on_change(lambda: do(lambda session: session.set_goal(self.free.value)), self.free)
        self.sum, self.end, self.bar, self.problem = html(), html(), html(), html()
        self.suggest = button(
            "Suggest the rest", suggest, tooltip="Adds what would be missed least, up to the goal"
        )
        self.suggest.add_class("pc-link")
        self.ask = button("Set a goal", lambda: do(lambda _: self._ask()))
        self.ask.tooltip = "How much storage to free"
        self.ask.add_class("pc-link")
        self._asked = False
        line = widgets.HBox([self.free, self.sum, self.suggest, self.end, self.ask])
        line.add_class("pc-goal-line")
        goal = widgets.VBox([line, self.bar, self.problem])
        goal.add_class("pc-goal")
        self.box = widgets.Box([self.who, self.meter, goal])
        self.box.add_class("pc-head")

    def _ask(self) -> None:
        self._asked = True
        toggle(self.free, True)
        self.free.focus()

    def paint(self, session: CleanupSession) -> None:
        """Show the library, what would be free, and how near the goal is."""
        library, going = session.library, session.going
        account = "" if library["demo"] else f"account {library['account'][:8]} · "
        self.who.value = markup(
            '<div class="pc-who"><div class="pc-name">{stamp}{n}</div>'
            '<div class="pg-mut" title="{host}">{account}read {read} · complete</div></div>',
            stamp=Markup('<span class="pg-stamp">DEMO</span>') if library["demo"] else "",
            n=plural(library["n_images"], "image"),
            host="an invented library on this machine" if library["demo"] else library["base_url"],
            account=account,
            read=day_and_time(parse_instant(library["loaded_at"])),
        )
        self.meter.value = _meter(session)
        self._paint_goal(session, going.size_bytes)

    def _paint_goal(self, session: CleanupSession, size: int) -> None:
        goal = session.goal
        if self.free.value != goal.text:
            self.free.value = goal.text
        self.sum.value = markup(
            '<b>{size}</b> <span class="pg-mut">selected</span>', size=format_bytes(size)
        )
        # Without a goal there is no field, which would look as if one were set.
        shown = self._asked or bool(goal.text)
        toggle(self.free, shown)
        toggle(self.sum, shown)
        toggle(self.ask, not shown)
        toggle(self.free, bool(goal.problem), "pc-bad", present=True)
        toggle(self.problem, bool(goal.problem))
        self.problem.value = wrong(goal.problem)
        wanted = goal.wanted
        reached = wanted is not None and size >= wanted
        asks = wanted is not None and not reached and not session.shortfall
        toggle(self.suggest, asks)
        self.suggest.disabled = session.candidates is None
        toggle(self.end, reached or session.shortfall)
        self.end.value = (
            markup('<span class="pc-enough">{sign}enough</span>', sign=sign("check"))
            if reached
            else markup(
                '<span class="pc-short" role="status">{size} is all that can go safely.</span>',
                size=format_bytes(size),
            )
        )
        share = 100 if reached else 100 * size / wanted if wanted else 0
        self.bar.value = markup(
            '<div class="pc-bar" role="meter" aria-label="Goal" aria-valuemin="0" aria-valuemax="100" '
            'aria-valuenow="{now}"><i class="pc-chosen" style="width:{width}%"></i></div>',
            now=f"{share:.0f}",
            width=f"{share:.2f}",
        )
        toggle(self.bar, wanted is not None)


def wrong(text: str) -> Markup:
    """Say under a field why it cannot be read."""
    return markup(
        '<div class="pc-wrong" role="alert">{sign}<span>{text}</span></div>',
        sign=sign("warn"),
        text=text,
    )


def _meter(session: CleanupSession) -> Markup:
    """Draw how full the storage is, and what of it is selected; without a quota there is no bar."""
    library = session.library
    usage = library.get("usage")
    known = None if usage is None else usage["size_bytes"]
    used = library["size_bytes"] if known is None else known
    quota = None if usage is None else usage["quota_bytes"]
    if not quota:
        return markup(
            '<div class="pc-meter"><div class="pc-line-1"><b>{used}</b></div></div>',
            used=format_bytes(used),
        )
    going = min(session.going.size_bytes, used)
    before, after = 100 * used / quota, 100 * (used - going) / quota
    return markup(
        '<div class="pc-meter"><div class="pc-line-1"><b>{used}</b><span class="pg-mut">of {quota}</span>'
        '<span class="pc-right"><span class="pg-mut">{before} % →</span> <b>{after} %</b></span></div>'
        '<div class="pc-bar" role="meter" aria-label="Storage used" aria-valuemin="0" aria-valuemax="100" '
        'aria-valuenow="{now}"><i class="pc-used" style="width:{left}%"></i>'
        '<i class="pc-goes" style="width:{width}%"></i></div></div>',
        used=format_bytes(used),
        quota=format_bytes(quota),
        before=f"{before:.0f}",
        after=f"{after:.0f}",
        now=f"{min(before, 100):.0f}",
        left=f"{min(after, 100):.2f}",
        width=f"{max(min(before, 100) - after, 0):.2f}",
    )
