"""The pieces every step is made of; text gets into HTML through :func:`markup` alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
from markupsafe import Markup

from picora_analytics.text import shorten
from picora_analytics.widgets.markup import markup
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = [
    "Do",
    "alert",
    "button",
    "code",
    "html",
    "label",
    "markup",
    "on_change",
    "row",
    "step",
    "style",
]

Act = Callable[[CleanupSession], object]
Do = Callable[[Act], None]
"""Runs a gesture on the session and paints what changed; each step is given one."""

# JupyterLab typesets what stands between dollars, or behind a backslash, in labels.
_NO_MATHS = str.maketrans({"$": "\N{FULLWIDTH DOLLAR SIGN}", "\\": "\N{FULLWIDTH REVERSE SOLIDUS}"})


def style() -> widgets.HTML:
    """Give the panel's style sheet."""
    css = Path(__file__).with_name("panel.css").read_text(encoding="utf-8")
    # A file of our own, where quotes and > are meant.
    sheet = Markup("<style>{}</style>").format(Markup(css))  # noqa: S704
    return widgets.HTML(sheet, layout=widgets.Layout(display="none"))


def label(text: object, columns: int) -> str:
    """Shorten strangers' text for a description, where JupyterLab would typeset formulas."""
    return shorten(text, columns).translate(_NO_MATHS)


def code(line: str) -> Markup:
    """Show a line of Python."""
    return markup('<code class="picora-code">{line}</code>', line=line)


def alert(text: str) -> Markup:
    """Show what is wrong."""
    return markup('<div class="picora-error" role="alert">{text}</div>', text=text)


def html(value: str = "") -> widgets.HTML:
    """Make a place for HTML."""
    return widgets.HTML(value, layout=fill())


def fill() -> widgets.Layout:
    """Let a widget be as wide as its place."""
    return widgets.Layout(width="auto")


def row(*children: widgets.Widget) -> widgets.HBox:
    """Put widgets side by side, wrapping where the panel is narrow."""
    return widgets.HBox(children, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))


def step(number: int, name: str, *children: widgets.Widget) -> widgets.VBox:
    """Put a numbered heading over widgets."""
    return widgets.VBox([html(heading(number, name)), *children], layout=fill())


def heading(number: int, name: str) -> Markup:
    """Write the heading of a step."""
    return markup("<h3>{number}&ensp;{name}</h3>", number=number, name=name)


def button(
    text: str, act: Callable[[], None], *, tooltip: str = "", button_style: str = ""
) -> widgets.Button:
    """Make a button."""
    made = widgets.Button(
        description=text,
        tooltip=tooltip or text,
        button_style=button_style,
        layout=widgets.Layout(width="auto", align_self="flex-start"),
    )
    made.on_click(lambda _: act())
    return made


def on_change(act: Callable[[], None], *controls: widgets.ValueWidget) -> None:
    """Act whenever the value of one of some controls changes."""
    for control in controls:
        control.observe(lambda _: act(), "value")


def toggle(
    widget: widgets.DOMWidget, on: bool, name: str = "picora-hidden", *, present: bool = False
) -> None:
    """Put a class on a widget or take it off; by default the one that hides it."""
    (widget.add_class if on is present else widget.remove_class)(name)
