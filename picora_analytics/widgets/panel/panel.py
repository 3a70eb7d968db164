"""The cleanup panel: filters, pictures, preview, confirmation, progress and receipt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd

from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.client.client import Client
from picora_analytics.errors import PicoraError
from picora_analytics.pictures.signing import Signing
from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.references.found import References
from picora_analytics.widgets.gallery.keys import KeyGuard
from picora_analytics.widgets.panel.basic_gallery import BasicGallery
from picora_analytics.widgets.panel.filters import FilterStep
from picora_analytics.widgets.panel.html import Act, alert, html, markup, style, toggle
from picora_analytics.widgets.panel.modes import Modes
from picora_analytics.widgets.panel.plan import PlanStep
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["CleanupPanel"]


class CleanupPanel:
    """
    Clean up with the mouse: choose, look, plan, confirm, delete.

    Nothing is deleted without a plan that was shown, the text typed that it asks for, and either a folder for the
    backup or a tick that there is none. A selection that changes voids the plan. Each step shows the line of Python
    that does the same. Small pictures are fetched by the kernel, of public images only.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it, or some of its rows: the whole library, read within 24 hours.
    client : Client
        Of the same account.
    protect, decisions : optional
        What plans must spare, as :func:`plan_deletion` takes it.
    references : References, optional
        Of :func:`find_references`; what they found is spared, and what not all could be looked at for.

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
    ...     panel = CleanupPanel(images, client)
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
        protect: Any = None,
        decisions: Any = None,
        references: References | None = None,
    ) -> None:
        if not isinstance(client, Client):
            raise TypeError(
                f"client is a {type(client).__name__}; give the Client that the images were loaded with."
            )
        self._session = session = CleanupSession(
            images, protect=protect, decisions=decisions, references=references
        )
        self._client = client
        # Handlers run on a second thread of the kernel, deletion and pictures on others.
        self._lock = threading.RLock()
        self._painting = False
        self._message = html()
        self._filters = FilterStep(session, self._do)
        self._look = BasicGallery(session.library["demo"], self._do, self._lock, self._show_error)
        self._plan = PlanStep(self._do, self._gesture(self._on_plan))
        self._modes = Modes(
            session,
            client,
            thumbnails=Thumbnails(demo=session.library["demo"], sign=Signing(client)),
            do=self._do,
            lock=self._lock,
            paint=self._paint,
            chosen=lambda: self._plan.button.focus(),
        )
        self._guard = KeyGuard(layout=widgets.Layout(display="none"))
        columns = widgets.HBox(
            [self._look.box, self._plan.side], layout=widgets.Layout(flex_flow="row wrap")
        )
        self._choosing = widgets.VBox(
            [html(_title(session)), self._filters.box, columns, self._message]
        )
        self.widget = widgets.VBox(
            [
                style(),
                self._guard,
                self._modes.banner.box,
                self._choosing,
                self._modes.box,
            ],
            layout=widgets.Layout(overflow="hidden"),
        )
        for name in ("picora-panel", "pg"):
            self.widget.add_class(name)
        self._paint()
        self._modes.look_for_begun()

    def __repr__(self) -> str:
        with self._lock:
            n, chosen = len(self._session.images), self._session.selected.n_images
            stamp = ", DEMO" if self._session.library["demo"] else ""
        return f"CleanupPanel({n:,} images, {chosen:,} selected{stamp})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widget._repr_mimebundle_(**options) or {}
        # What is left in a saved notebook, where no kernel runs.
        saved = markup(
            "<p><code>{panel}</code>: run this cell again to work with it.</p>", panel=self
        )
        return bundle | {"text/plain": repr(self), "text/html": saved}

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

    def _do(self, act: Act) -> None:
        """Run a gesture: one at a time, deaf to our own painting, and every error shown in the panel."""
        with self._lock:
            if self._painting:
                return
            self._message.value = ""
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
        text = str(error) if known else f"{type(error).__name__}: {error}"
        with self._lock:
            self._message.value = alert(text)

    def _paint(self) -> None:
        """Bring every step in line with the session."""
        self._painting = True
        try:
            for part in (self._filters, self._look, self._plan, self._modes):
                part.paint(self._session)
            choosing = self._modes.mode == "choose"
            toggle(self._choosing, choosing)
            toggle(self._modes.box, not choosing)
            self._guard.mode = self._modes.mode
        finally:
            self._painting = False

    def _on_plan(self, session: CleanupSession) -> None:
        self._modes.begin_review(session, self._plan.reason.value)


def _title(session: CleanupSession) -> str:
    library = session.library
    if library["demo"]:
        return markup(
            '<p><span class="picora-stamp">DEMO</span>an invented library on this machine; nothing here is yours</p>'
        )
    return markup(
        "<p>Account {account} on {host}</p>",
        account=library["account"][:8],
        host=library["base_url"],
    )
