"""What a panel needs of the page around it."""

from __future__ import annotations

from pathlib import Path

import anywidget

__all__ = ["Page"]

_HERE = Path(__file__).parent


class Page(anywidget.AnyWidget):
    """
    Keep the keys of the element around it, Tab and save excepted, from the notebook, and know its theme.

    Its element is the nearest one with the class ``picora-panel``. Measured in JupyterLab 4.6: with a button
    in focus, `d d` deleted the cell of the panel; with this, nothing happens.
    """

    _esm = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (_HERE.parent / "gallery" / "texts.js", _HERE / "page.js")
    )

    def to_top(self) -> None:
        """Bring the panel's beginning into sight."""
        self.send({"type": "top"})
