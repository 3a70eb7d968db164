"""Steps 5 and 6: how far the deletion is, and its receipt."""

from __future__ import annotations

import time
from collections.abc import Callable

import ipywidgets as widgets
from markupsafe import Markup

from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.widgets.panel.html import button, code, fill, html, markup, step, toggle
from picora_analytics.widgets.panel.session import CleanupSession, Stage

__all__ = ["PanelProgress", "ProgressStep", "ReceiptStep"]

UPDATE_EVERY = 0.1  # Seconds between two states of the progress bar.


class ProgressStep:
    """The bar of a running deletion, and the button that stops it."""

    def __init__(self, stop: Callable[[], None]) -> None:
        self.bar = widgets.IntProgress(description="Deleting", layout=fill())
        self._text = html()
        self.stop = button(
            "Cancel", stop, tooltip="Stop before the next batch; what was not tried is kept"
        )
        self.box = step(5, "Delete", self.bar, self._text, self.stop)

    def begin(self, n_images: int) -> None:
        """Start at nothing done."""
        self.bar.value, self.bar.max = 0, max(n_images, 1)
        self.show(None, "Reading the library again …")

    def show(self, done: int | None, text: str) -> None:
        """Move the bar, unless `done` is None, and say what is going on."""
        if done is not None:
            self.bar.value = done
        self._text.value = markup("<p>{text}</p>", text=text)

    def paint(self, session: CleanupSession) -> None:
        """Stand there while a deletion runs."""
        toggle(self.box, session.stage is Stage.DELETING)


class ReceiptStep:
    """The last receipt, until it is put away."""

    def __init__(self, done: Callable[[], None]) -> None:
        self.text = html()
        self._shown: DeletionReceipt | None = None
        self._put_away: DeletionReceipt | None = None
        self.done = button("Done", done, tooltip="Put the receipt away; panel.receipt keeps it")
        self.box = step(6, "Receipt", self.text, self.done)

    def put_away(self, session: CleanupSession) -> None:
        """Hide the receipt, which the session keeps."""
        self._put_away = session.receipt

    def paint(self, session: CleanupSession) -> None:
        """Show the receipt if there is one."""
        receipt = session.receipt
        toggle(self.box, receipt is not None and receipt is not self._put_away)
        if receipt is not None and receipt is not self._shown:
            self._shown = receipt
            # Its template escapes every value.
            whole = Markup(receipt._repr_html_())  # noqa: S704
            self.text.value = whole + code('receipt = panel.receipt; receipt.write("receipt.csv")')


class PanelProgress:
    """Progress for the panel, at most ten states a second and the last one always."""

    def __init__(self, show: Callable[[int | None, str], None]) -> None:
        self._show = show
        self._last = 0.0

    def update(self, done: int, total: int | None) -> None:
        """Move the bar."""
        now = time.monotonic()
        if now - self._last >= UPDATE_EVERY or done == total:
            self._last = now
            self._show(done, f"{done:,}" if total is None else f"{done:,} of {total:,}")

    def wait(self, reason: str) -> None:
        """Say why nothing happens."""
        self._show(None, reason)

    def finish(self, text: str) -> None:
        """Leave the last line."""
        self._show(None, text)
