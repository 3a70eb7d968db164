"""HTML of our own with values in it: the one way that strangers' text gets into it."""

from __future__ import annotations

from markupsafe import Markup

from picora_analytics.text import visible

__all__ = ["markup"]


def markup(template: str, /, **values: object) -> Markup:
    """Fill values into HTML of our own, each made visible and escaped unless it is HTML of ours itself."""
    shown = {
        name: value if isinstance(value, Markup) else visible(value)
        for name, value in values.items()
    }
    return Markup(template).format(**shown)  # noqa: S704 - Markup.format escapes the values.
