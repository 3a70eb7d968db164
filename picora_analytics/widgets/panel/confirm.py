"""Step 4: the question, the text to type, and where a backup goes."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from picora_analytics.analysis.criteria import literal
from picora_analytics.text import plural
from picora_analytics.widgets.panel.html import (
    Do,
    button,
    code,
    fill,
    html,
    markup,
    on_change,
    toggle,
)
from picora_analytics.widgets.panel.session import CleanupSession, Stage, needed_text

__all__ = ["ConfirmStep"]


class ConfirmStep:
    """Shown while a plan that may be carried out waits for its confirmation."""

    def __init__(self, do: Do, keep: Callable[[], None], delete: Callable[[], None]) -> None:
        self.text, self.code = html(), html()
        self.typed = widgets.Text(
            description="Type here",
            style={"description_width": "initial"},
            tooltip="Type exactly what is asked for; pressing Enter here does nothing",
            layout=widgets.Layout(width="260px"),
        )
        self.folder = widgets.Text(
            value="kept/",
            description="Backup goes to",
            style={"description_width": "initial"},
            tooltip="A folder; an image whose backup cannot be proved is kept",
            layout=widgets.Layout(width="260px"),
        )
        self.no_backup = widgets.Checkbox(
            description="No backup: these images cannot come back", indent=False, layout=fill()
        )
        # What must be typed depends on these; painting is all there is to do.
        on_change(lambda: do(lambda _: None), self.folder, self.no_backup)
        self.keep = button("Cancel", keep, tooltip="Keep all images")
        self.delete = button("Delete for ever", delete, button_style="danger")
        question = widgets.VBox(
            [self.text, self.typed, widgets.HBox([self.keep, self.delete]), self.code]
        )
        question.add_class("picora-confirm")
        self.box = widgets.VBox(
            [widgets.VBox([self.folder, self.no_backup]), question], layout=fill()
        )

    @property
    def backup(self) -> str | None:
        """The folder for the backup; None if the person ticked that there is none."""
        return None if self.no_backup.value else self.folder.value.strip()

    def clear(self) -> None:
        """Take back what was typed and ticked: each plan is asked for by itself."""
        self.typed.value, self.no_backup.value = "", False

    def paint(self, session: CleanupSession) -> None:
        """Ask about the plan."""
        plan = session.plan
        asking = session.stage is Stage.PLANNED and plan is not None and not plan.refusals
        toggle(self.box, asking)
        if plan is None:
            return
        self.text.value = markup(
            '<h3 role="heading">4&ensp;Delete {images} for ever?</h3>'
            "<p>Type <code><strong>{needed}</strong></code>, say above where the backup goes or that there is "
            "none, then press the red button. Enter alone keeps everything.</p>",
            images=plural(len(plan.images), "image"),
            needed=needed_text(plan, backup=self.backup is not None),
        )
        backup = "None" if self.backup is None else literal(self.backup)
        self.code.value = code(
            f'plan.apply(client, confirm="{plan.confirmation}", backup={backup})'
        )
