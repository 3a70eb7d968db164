"""Step 3: what deleting the selection would mean, the reason for it, and the plan."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from picora_analytics.text import plural
from picora_analytics.units import format_bytes, format_share
from picora_analytics.widgets.panel.html import (
    Do,
    button,
    code,
    fill,
    heading,
    html,
    markup,
    on_change,
)
from picora_analytics.widgets.panel.session import CleanupSession, Stage

__all__ = ["PlanStep"]


class PlanStep:
    """The selection in numbers beside the list, and below it the plan made of it."""

    def __init__(self, do: Do, plan: Callable[[], None]) -> None:
        self._summary, self.code = html(), html()
        self.reason = widgets.Text(
            description="Reason",
            style={"description_width": "initial"},
            placeholder="Why may these go?",
            tooltip="Stands in the plan and in the receipt",
            layout=fill(),
        )
        on_change(lambda: do(self._void), self.reason)
        self.button = button(
            "Plan",
            plan,
            tooltip="Show what deleting these would mean; nothing is sent",
            button_style="primary",
        )
        self.button.layout.align_self = "stretch"
        self.side = widgets.VBox([self._summary, self.reason, self.button, self.code])
        self.side.add_class("picora-side")

    def _void(self, session: CleanupSession) -> None:
        if session.plan is not None and session.plan.reason != self.reason.value.strip():
            session.void()

    def paint(self, session: CleanupSession) -> None:
        """Show the numbers of the selection, and its plan if there is one."""
        library, chosen, spared = session.library, session.selected, session.spared
        elsewhere = session.n_selected_elsewhere
        self._summary.value = heading(3, "Plan, a dry run") + markup(
            '<p class="picora-big">{n} selected</p><p>{size}, {share} of the storage<br>'
            "{images} of the images<br>{going} would go, {spared} spared{elsewhere}</p>"
            '<p class="picora-soft">Nothing has been sent.</p>',
            n=plural(chosen.n_images, "image"),
            size=format_bytes(chosen.size_bytes),
            share=format_share(chosen.size_bytes, library["size_bytes"]),
            images=format_share(chosen.n_images, library["n_images"]),
            going=f"{chosen.n_images - spared.n_images:,}",
            spared=f"{spared.n_images:,}",
            elsewhere=f"; {elsewhere:,} not among the filtered" if elsewhere else "",
        )
        self.code.value = code(session.plan_code(self.reason.value.strip() or "…"))
        self.button.disabled = (
            session.stage is Stage.DELETING or not chosen.n_images or bool(session.problems)
        )
