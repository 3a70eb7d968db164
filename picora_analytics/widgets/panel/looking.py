"""Where nobody has looked in one's pages yet: a folder to look in, from within the review."""

from __future__ import annotations

import threading
from pathlib import Path

import ipywidgets as widgets
import pandas as pd

from picora_analytics.analysis.criteria import literal
from picora_analytics.errors import PicoraError
from picora_analytics.references.found import References
from picora_analytics.references.search import find_references
from picora_analytics.widgets.panel.header import wrong
from picora_analytics.widgets.panel.html import Do, button, html, markup, on_change, toggle
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["LookBox"]


class LookBox:
    """
    A field for the folder, and what looks there while everything else goes on.

    Parameters
    ----------
    do : callable
        Runs a gesture, and paints.
    """

    def __init__(self, do: Do) -> None:
        self._do = do
        self.folder = widgets.Text(
            placeholder="Folder, such as blog/", description="Folder of your pages"
        )
        self.start = button("Look there", lambda: do(self._look))
        self.start.add_class("pm-line")
        self.ask = button("Choose a folder", lambda: do(lambda _: self._ask()))
        self.ask.add_class("pm-link")
        self.said = html()
        on_change(lambda: do(lambda _: self._say("")), self.folder)
        self._row = widgets.HBox([self.folder, self.start])
        self._row.add_class("pm-row")
        toggle(self._row, False)
        self.box = widgets.VBox([self.ask, self._row, self.said])
        self.box.add_class("pm-look")

    def paint(self, session: CleanupSession) -> None:
        """Show it until somebody has looked."""
        toggle(self.box, session.references is None)

    def _ask(self) -> None:
        toggle(self.ask, False)
        toggle(self._row, True)
        self.folder.focus()

    def _say(self, text: str) -> None:
        self.said.value = wrong(text) if text else ""

    def _look(self, session: CleanupSession) -> None:
        folder = self.folder.value.strip()
        if not folder:
            self._say("Name the folder that holds your pages.")
            return
        self.start.disabled = True
        self.said.value = markup('<span class="pg-mut" role="status">Looking …</span>')
        threading.Thread(
            target=self._search, args=(session.images, folder), name="picora-look", daemon=True
        ).start()

    def _search(self, images: pd.DataFrame, folder: str) -> None:
        try:
            found = find_references(images, Path(folder).expanduser(), progress=False)
        except Exception as error:
            known = isinstance(error, PicoraError | ValueError | OSError)
            text = str(error) if known else f"{type(error).__name__}: {error}"
            self._do(lambda _: self._end(text))
        else:
            self._do(lambda session: self._take(session, found, folder))

    def _end(self, text: str) -> None:
        self.start.disabled = False
        self._say(text)

    def _take(self, session: CleanupSession, found: References, folder: str) -> None:
        self._end("")
        line = f"references = pic.find_references(images, {literal(folder)})"
        session.take_references(found, line)
