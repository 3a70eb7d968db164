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
    "sign",
    "step",
    "style",
]

Act = Callable[[CleanupSession], object]
Do = Callable[[Act], None]
"""Runs a gesture on the session and paints what changed; each step is given one."""

# JupyterLab typesets what stands between dollars, or behind a backslash, in labels.
_NO_MATHS = str.maketrans({"$": "\N{FULLWIDTH DOLLAR SIGN}", "\\": "\N{FULLWIDTH REVERSE SOLIDUS}"})


_SIGNS = {
    "check": "M5 12.500l4.500 4.500L19 7.500",
    "clock": "M20.500 12a8.500 8.500 0 11-17 0 8.500 8.500 0 0117 0zM12 7v5l3.500 2",
    "down": "M12 4v11M7 11l5 5 5-5M5 20h14",
    "eye": "M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM14.800 12a2.800 2.800 0 11-5.600 0 2.800 2.800 0 015.600 0z",  # noqa: E501
    "eyeoff": "M4 4l16 16M9.500 5.800A9 9 0 0112 5.500c6 0 9.500 6.500 9.500 6.500a17 17 0 01-3 3.600M6 7.600A17 17 0 002.500 12S6 18.500 12 18.500a9 9 0 003.500-.7",  # noqa: E501
    "help": "M21 12a9 9 0 11-18 0 9 9 0 0118 0zM9.500 9.500a2.500 2.500 0 114 2c-1 .7-1.500 1.200-1.500 2.200M12 17v.1",
    "plug": "M9 3v5M15 3v5M6 8h12v3a6 6 0 01-12 0zM12 17v4",
    "shield": "M12 3l7.500 3v5.500c0 4.500-3.200 8-7.500 9.500-4.300-1.500-7.500-5-7.500-9.500V6zM8.500 12l2.500 2.500 4.500-5",  # noqa: E501
    "trash": "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13",
    "warn": "M12 4l9 16H3zM12 10v4.500M12 17.200v.1",
}  # fmt: skip


def sign(name: str) -> Markup:
    """Draw a sign beside words that say the same."""
    return markup(
        '<svg class="pg-i" viewBox="0 0 24 24" aria-hidden="true"><path d="{path}"/></svg>',
        path=_SIGNS[name],
    )


def style() -> widgets.HTML:
    """Give the panel's style sheet; greys and colours are the gallery's."""
    here = Path(__file__).parent
    files = (here.parent / "gallery" / "gallery.css", here / "panel.css", here / "modes.css")
    css = "\n".join(file.read_text(encoding="utf-8") for file in files)
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
    text: str,
    act: Callable[[], None],
    *,
    tooltip: str = "",
    button_style: str = "",
    icon: str = "",
) -> widgets.Button:
    """Make a button."""
    made = widgets.Button(
        description=text,
        tooltip=tooltip or text,
        button_style=button_style,
        icon=icon,
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
