"""The last question before something is sent: facts, a text to type, a red button, and the way out in focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import ipywidgets as widgets
from markupsafe import Markup

from picora_analytics.widgets.panel.html import button, html, markup, on_change, sign, toggle

__all__ = ["ConfirmBox", "Question"]


class Question(NamedTuple):
    """
    What is asked.

    Attributes
    ----------
    needed : str
        What must be typed.
    to : str
        What that does, as in "to delete".
    does : str
        The text of the red button.
    out : str
        The text of the button that leaves everything.
    other : str
        The text of the other way; empty for none.
    why : str
        Where more than the number is asked for: why.
    calm : bool
        Whether it can be undone, so that the button is not red.
    """

    needed: str
    to: str
    does: str
    out: str
    other: str = ""
    why: str = ""
    calm: bool = False


class ConfirmBox:
    """
    A field, the button that it switches on, the way out, and another way.

    Enter in the field does nothing, and the kernel alone switches the button on, so that it is off while it is busy.
    """

    def __init__(
        self, do: Callable[[], None], out: Callable[[], None], other: Callable[[], None]
    ) -> None:
        self.question = Question("", "", "", "")
        self.facts, self.label, self.problem = html(), html(), html()
        self.typed = widgets.Text(
            description="What to type", tooltip="Type exactly what is asked for; Enter does nothing"
        )
        self.typed.add_class("pm-typed")
        self.do = button("Delete", do, icon="trash")
        self.out = button("Keep all", out)
        self.other = button("Hide instead", other)
        self.do.add_class("pm-do")
        self.out.add_class("pm-line")
        self.other.add_class("pm-link")
        self._said = ""
        on_change(lambda: self.say(""), self.typed)
        row = widgets.HBox([self.typed, self.do])
        row.add_class("pm-row")
        ends = widgets.HBox([self.out, self.other])
        ends.add_class("pm-ends")
        self.box = widgets.VBox([self.facts, self.label, row, self.problem, ends])
        self.box.add_class("pm-confirm")

    def ask(self, question: Question, facts: Markup) -> None:
        """Show a question; what was typed for another is taken back."""
        if question[:3] != self.question[:3]:
            self.typed.value = self._said = ""
        self.question = question
        self.facts.value = facts
        self.label.value = markup(
            '<span class="pm-ask">Type <b>{needed}</b> {to}</span>',
            needed=question.needed,
            to=question.to,
        )
        self.do.description, self.out.description = question.does, question.out
        self.other.description = question.other or "Hide instead"
        toggle(self.other, bool(question.other))
        toggle(self.box, question.calm, "pm-calm", present=True)
        self.do.icon = "eye-slash" if question.calm else "trash"
        self._judge()

    def _judge(self) -> None:
        needed, typed = self.question.needed, self.typed.value.strip()
        self.do.disabled = not needed or typed != needed
        wrong = bool(typed) and not needed.startswith(typed)
        toggle(self.typed, wrong, "pm-bad", present=True)
        why = f"{self.question.why}; type" if self.question.why else "Type"
        text = f"{why}: {needed}" if wrong else self._said
        said = markup(
            '<div class="pm-error" role="alert">{sign}<span>{text}</span></div>',
            sign=sign("warn"),
            text=text,
        )
        self.problem.value = said if text else ""

    def say(self, text: str) -> None:
        """Say under the field what is wrong, until something else is typed or asked; an empty text takes it back."""
        self._said = text
        self._judge()

    def clear(self) -> None:
        """Take back what was typed and said."""
        self.typed.value = ""
        self.say("")
