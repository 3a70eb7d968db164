"""The cleanup panel: choose among pictures, review, delete, and read the receipt, within one box of constant height."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd

from picora_analytics.analysis.decided import Decisions
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.sparing import plannable
from picora_analytics.client.client import Client
from picora_analytics.errors import PicoraError
from picora_analytics.pictures.signing import Signing
from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.references.found import References
from picora_analytics.text import plural
from picora_analytics.widgets.gallery.keys import KeyGuard
from picora_analytics.widgets.panel.basic_gallery import BasicGallery
from picora_analytics.widgets.panel.embedded import EmbeddedGallery
from picora_analytics.widgets.panel.filters import Filters
from picora_analytics.widgets.panel.header import Header
from picora_analytics.widgets.panel.html import Act, alert, button, html, markup, style, toggle
from picora_analytics.widgets.panel.modes import Modes
from picora_analytics.widgets.panel.piles import Piles
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["CleanupPanel"]

MANY = 20_000  # Images that take so long to count that their first pictures would come late.
UNSEEN = 10.0  # Seconds after which a panel counts that nobody looks at.

_IN_MARIMO = """<p><b>CleanupPanel is made of ipywidgets, which marimo does not show.</b> The same works here in three
cells:</p>
<pre>gallery = pic.ImageGallery(images, client)    # choose
plan = pic.plan_deletion(images, gallery.mask, reason="...")    # what would go
pic.ImageGallery(plan, client)    # look at each of them again</pre>
<p><code>plan</code> as the last line of a cell shows what it would delete and how. The panel itself opens in
JupyterLab, Notebook 7 and Voila.</p>"""


class CleanupPanel:
    """
    Clean up with the mouse: choose among the pictures, review, confirm, delete.

    Piles and filters make the list, the pictures are chosen by mouse or keyboard, and *Review* shows what would go.
    Nothing is deleted without a review that was in sight, the text typed that it asks for, and either a folder for the
    backup or a word that there is none. A selection that changes voids the plan. Behind ``‹›`` stands the line of
    Python that does the same. The panel has one height; its middle scrolls.

    A panel shows a deletion of the same account that runs or was interrupted, whichever panel began it. Small pictures
    are fetched by the kernel, private ones through signed addresses where the key may sign.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it, or some of its rows: the whole library, read within 24 hours.
    client : Client
        Of the same account.
    free : int or str, optional
        The goal: bytes to free, or text such as ``"30 MiB"``. It can be written in the panel, too.
    references : References, optional
        Of :func:`find_references`; what they found is spared, and what not all could be looked at for.
    decisions : path or DataFrame, optional
        What was decided before, as :func:`plan_deletion` takes it. What is decided in the panel is written to the
        path; without one it is held in :attr:`decisions`.
    protect : optional
        What plans must spare, as :func:`plan_deletion` takes it.

    Attributes
    ----------
    widget : ipywidgets.VBox
        The panel itself, to be put into a layout of your own.

    Raises
    ------
    PlanError
        If the frame cannot feed a plan, or protection or decisions cannot be read.
    TypeError
        If `client` is not a Client.

    Examples
    --------
    >>> with pic.DemoServer(n_images=40) as demo, pic.Client(demo.api_key, demo.url) as client:
    ...     images = pic.load_images(client, store=None, progress=False)
    ...     panel = CleanupPanel(images, client, free="10 MiB")
    ...     panel
    CleanupPanel(40 images, 0 selected, DEMO)
    >>> panel.mask.sum()
    np.int64(0)
    """

    def __init__(
        self,
        images: pd.DataFrame,
        client: Client,
        *,
        free: int | str | None = None,
        references: References | None = None,
        decisions: Decisions | None = None,
        protect: Any = None,
    ) -> None:
        if not isinstance(client, Client):
            raise TypeError(
                f"client is a {type(client).__name__}; give the Client that the images were loaded with."
            )
        plannable(images, "CleanupPanel")
        self._session = session = CleanupSession(
            images, free=free, protect=protect, decisions=decisions, references=references
        )
        # Handlers run on a second thread of the kernel, deletion, counting and pictures on others.
        self._lock = threading.RLock()
        self._painting = False
        self._counting = False
        self._guard = KeyGuard(layout=widgets.Layout(display="none"))
        self._message = html()
        self._message.add_class("pc-message")
        self._say("")
        self._header = Header(self._do, self._gesture(self._on_suggest))
        demo = session.library["demo"]
        self._piles = Piles(Thumbnails(demo=demo), self._do, self._lock)
        self._filters = Filters(session, self._do, lambda _, text: self._gallery.search(text))
        self._gallery = EmbeddedGallery(session, client, self._lock, _Host(self))
        self._gallery.observe(lambda _: self._do(CleanupSession.changed), "changes")
        self._plain: BasicGallery | None = None
        self._pictures = widgets.Box([_instead(self._gesture(self._on_plain)), self._gallery])
        self._pictures.add_class("pc-pictures")
        self._choosing = widgets.Box(
            [self._header.box, self._piles.box, self._filters.box, self._message, self._pictures]
        )
        self._choosing.add_class("pc-choosing")
        self._modes = Modes(
            session,
            client,
            thumbnails=Thumbnails(demo=demo, sign=Signing(client)),
            do=self._do,
            lock=self._lock,
            paint=self._paint,
            chosen=self._focus,
        )
        self.widget = widgets.VBox(
            [style(), self._guard, self._modes.banner.box, self._choosing, self._modes.box]
        )
        for name in ("picora-panel", "pg"):
            self.widget.add_class(name)
        self._paint()
        self._modes.look_for_begun()

    def __repr__(self) -> str:
        with self._lock:
            n, chosen = len(self._session.images), self._session.selected.n_images
            stamp = ", DEMO" if self._session.library["demo"] else ""
        return f"CleanupPanel({plural(n, 'image')}, {chosen:,} selected{stamp})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widget._repr_mimebundle_(**options) or {}
        # What is left in a saved notebook, where no kernel runs.
        saved = markup(
            "<p><code>{panel}</code>: run this cell again to work with it.</p>", panel=self
        )
        return bundle | {"text/plain": repr(self), "text/html": saved}

    def _mime_(self) -> tuple[str, str]:
        """Say what to use in marimo, which shows no ipywidgets: what asks for this is marimo alone."""
        return "text/html", _IN_MARIMO

    @property
    def mask(self) -> pd.Series[Any]:
        """The selection now: a boolean Series over the ids of the frame that was given."""
        with self._lock:
            return self._session.mask.copy()

    @property
    def plan(self) -> DeletionPlan | None:
        """The plan of this selection, once one was made; None as soon as the selection changes."""
        with self._lock:
            return self._session.plan

    @property
    def receipt(self) -> DeletionReceipt | None:
        """The receipt of the last deletion."""
        with self._lock:
            return self._session.receipt

    @property
    def decisions(self) -> pd.DataFrame | None:
        """What was decided before and here; None if nothing was. ``pic.write_decisions`` keeps it."""
        with self._lock:
            table = self._session.decided
            return None if table is None else table.copy()

    # Gestures

    def _do(self, act: Act) -> None:
        """Run a gesture: one at a time, deaf to our own painting, and every error shown in the panel."""
        with self._lock:
            if self._painting:
                return
            self._say("")
            self._guarded(lambda: act(self._session))
            self._guarded(self._paint)

    def _gesture(self, act: Act) -> Callable[[], None]:
        return lambda: self._do(act)

    def _guarded(self, act: Callable[[], object]) -> None:
        """Show an error that would otherwise appear in another cell, or nowhere."""
        try:
            act()
        except Exception as error:
            self._show_error(error)

    def _show_error(self, error: Exception) -> None:
        known = isinstance(error, PicoraError | ValueError)
        self._say(str(error) if known else f"{type(error).__name__}: {error}")

    def _say(self, text: str) -> None:
        with self._lock:
            toggle(self._message, bool(text))
            self._message.value = alert(text) if text else ""

    def _focus(self) -> None:
        """Go back to where the review began."""
        if self._plain is None:
            self._gallery.focus("review")
        else:
            self._plain.review.focus()

    def _on_plain(self, session: CleanupSession) -> None:
        """Show pages of plain widgets in place of the gallery."""
        review = self._gesture(self._on_review)
        demo = session.library["demo"]
        self._plain = BasicGallery(demo, self._do, self._lock, self._show_error, review)
        self._pictures.children = [self._plain.box]

    def _on_suggest(self, session: CleanupSession) -> None:
        session.suggest_rest()

    def _on_review(self, session: CleanupSession) -> None:
        try:
            self._modes.begin_review(session, session.reason())
        except PicoraError as error:
            if self._plain is not None:
                raise
            self._gallery.complain(str(error))

    def _on_press(self, session: CleanupSession, name: str) -> None:
        """Do what a button in the list offers."""
        values = dict(session.filters)
        if name == "unreadable":
            session.filters = {one: values[one] for one in values if one not in session.problems}
        elif name == "search":
            self._gallery.search("")
        elif name == "last" and values:
            values.popitem()
            session.filters = values
        elif name == "last" and session.pile is not None:
            session.open_pile(session.pile.name)
        elif name == "undo":
            session.selection.undo()
            session.changed()
            session.show_selected(False)
        elif name == "months":
            session.open_month()
        elif name in ("all", "selected"):
            session.show_selected(name == "selected")

    # Painting

    def _paint(self) -> None:
        """Bring every part in line with the session."""
        with self._lock:
            before, self._painting = self._painting, True
            try:
                session = self._session
                self._header.paint(session)
                self._piles.paint(session)
                self._filters.paint(session, self._gallery.searched)
                self._gallery.paint()
                if self._plain is not None:
                    self._plain.paint(session)
                self._modes.paint(session)
                choosing = self._modes.mode == "choose"
                toggle(self._choosing, choosing)
                toggle(self._modes.box, not choosing)
                self._guard.mode = self._modes.mode
            finally:
                self._painting = before
            if session.candidates is None and not self._counting:
                self._counting = True
                threading.Thread(target=self._count, name="picora-counts", daemon=True).start()

    def _count(self) -> None:
        """Sort into piles and count for each filter, in the background: the pictures do not wait for it."""
        session, version = self._session, -1
        if len(session.selection.images) > MANY:
            self._gallery.pictured.wait(UNSEEN)
        try:
            while version != session.version:
                with self._lock:
                    version, count = session.version, session.counting()
                candidates = count()
                with self._lock:
                    if version == session.version:
                        session.take_candidates(candidates)
                        self._paint()
            session.values = session.count_values()
            for name, chip in self._filters.chips.items():
                with self._lock:
                    session.count(name, chip.value)
            with self._lock:
                self._paint()
            self._piles.fetch(session, lambda: version == session.version)
        except Exception as error:
            self._show_error(error)
        finally:
            self._counting = False


def _instead(show: Callable[[], None]) -> widgets.VBox:
    """Say what helps where the gallery does not appear; its page part hides this."""
    text = markup("<p>The pictures did not load: the page part of anywidget is missing here.</p>")
    box = widgets.VBox([html(text), button("Show plain pages instead", show)])
    box.add_class("pc-instead")
    return box


class _Host:
    """What the gallery may ask of its panel."""

    def __init__(self, panel: CleanupPanel) -> None:
        self._panel = panel

    def review(self) -> None:
        """Lead to the review."""
        self._panel._do(self._panel._on_review)

    def press(self, name: str) -> None:
        """Do what a button in the list says."""
        self._panel._do(lambda session: self._panel._on_press(session, name))

    def decided(self) -> None:
        """Count anew."""
        self._panel._do(lambda _: None)
