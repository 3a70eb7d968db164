"""A panel used without a browser: widgets are set and clicked as the page would."""

from __future__ import annotations

import threading
import time

import pytest

from picora_analytics.widgets import CleanupPanel

BACKGROUND = ("picora-counts", "picora-thumbnails", "picora-begun", "picora-look")


class Hands:
    """What a person does with a panel."""

    def until(self, true, seconds=60):
        """Wait for something that other threads do."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end
            time.sleep(0.01)

    def settle(self, *names):
        """Wait until threads are done: by default counts, pictures of piles and looks in the background."""
        own = names or BACKGROUND
        self.until(lambda: not [one for one in threading.enumerate() if one.name in own])

    def review(self, images, client, chosen, **options):
        """Open a panel, choose images, and review them."""
        panel = CleanupPanel(images, client, **options)
        panel._do(lambda session: session.select(chosen))
        panel._do(lambda session: panel._modes.begin_review(session, "a test"))
        self.settle()
        return panel

    def confirm(self, panel, folder=None):
        """Say where the backup goes, type what is asked for, and press the red button."""
        review = panel._modes.review
        review.choice.value = review.choice.options[folder is None]
        review.folder.value = "" if folder is None else str(folder)
        review.confirm.typed.value = review.confirm.question.needed
        assert not review.confirm.do.disabled
        review.confirm.do.click()

    def end(self, panel):
        """Wait for the receipt, and give it."""
        self.until(lambda: panel._modes.job is not None and panel._modes.job.ended)
        self.settle("picora-deletion")
        self.settle()
        return panel.receipt

    def shown(self, widget):
        """Tell whether a part of the panel is in sight, as far as it says itself."""
        return "picora-hidden" not in widget._dom_classes


@pytest.fixture
def hands():
    return Hands()
