"""What a panel needs of the page: its keys stay in it, and it says so when no kernel answers any more."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets

from picora_analytics.widgets.gallery.script import script

__all__ = ["KeyGuard"]

_HERE = Path(__file__).parent


class KeyGuard(anywidget.AnyWidget):
    """
    Keep the keys of the element around it, Tab and save excepted, from the notebook.

    Its element is the nearest one with the class ``picora-panel``. Measured in JupyterLab 4.6: with a tick
    box in focus, `d d` deleted the cell of the panel; with this, nothing happens.

    It also tells screen readers to pass over the pictures there, as the tick below each says its name:
    ipywidgets' Image has no alternative text. It gives the panel the dark colours where the theme is dark, and once
    its kernel is gone, it makes everything inert but what says so. When the mode changes, the panel's top is shown.
    """

    _esm = script(_HERE / "texts.js", _HERE / "keys.js")

    mode = traitlets.Unicode("choose").tag(sync=True)
