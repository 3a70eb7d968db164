"""Step 2: a page of pictures to look at and tick."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd

from picora_analytics.pictures.thumbnails import Thumbnail, Thumbnails, placeholder
from picora_analytics.text import shorten
from picora_analytics.times import day
from picora_analytics.units import format_bytes
from picora_analytics.widgets.gallery.orders import ORDERS
from picora_analytics.widgets.panel.html import (
    Do,
    button,
    code,
    heading,
    html,
    label,
    markup,
    on_change,
    row,
    toggle,
)
from picora_analytics.widgets.panel.session import PAGE_SIZE, CleanupSession, Stage

__all__ = ["BasicGallery"]


class BasicGallery:
    """
    The list of images, a page at a time, with the buttons that turn, order and select.

    Pictures arrive on threads of their own; `lock` is the one that gestures hold, and `failed` is given what went
    wrong there.
    """

    def __init__(
        self, demo: bool, do: Do, lock: threading.RLock, failed: Callable[[Exception], None]
    ) -> None:
        self._thumbnails = Thumbnails(demo=demo)
        self._do, self._lock, self._failed = do, lock, failed
        # What is painted now, so that only what changed is painted again.
        self.shown: list[str] = []
        self.head = html()
        self.select_all = button("Select all matching", lambda: do(CleanupSession.select_matching))
        self.select_none = button("Select none", lambda: do(CleanupSession.select_none))
        self.only_selected = widgets.ToggleButton(
            description="Selected only", tooltip="List the selection, whatever the filters say"
        )
        self.order = widgets.Dropdown(
            options=list(ORDERS),
            description="Order",
            style={"description_width": "initial"},
            tooltip="Order of the list",
        )
        self.previous = button("Previous", lambda: do(lambda session: session.turn(-1)))
        self.next = button("Next", lambda: do(lambda session: session.turn(1)))
        self._page = html()
        on_change(lambda: do(self._arrange), self.only_selected, self.order)
        self.only_selected.layout.width = self.order.layout.width = "auto"
        pager = widgets.VBox(
            [
                row(self.select_all, self.select_none, self.only_selected),
                row(self.order, self.previous, self._page, self.next),
            ]
        )
        self.cards = [_Card() for _ in range(PAGE_SIZE)]
        grid = widgets.Box([card.box for card in self.cards])
        grid.add_class("picora-grid")
        self.box = widgets.VBox([self.head, pager, grid])
        self.box.add_class("picora-look")

    def _arrange(self, session: CleanupSession) -> None:
        if session.only_selected != self.only_selected.value:
            session.only_selected = self.only_selected.value
        if session.order != self.order.value:
            session.order = self.order.value

    def paint(self, session: CleanupSession) -> None:
        """Show the page that the session is on."""
        rows = session.rows()
        ids = [str(image_id) for image_id in rows.index]
        self.head.value = heading(2, "Look") + code(session.selection_code())
        self._page.value = markup(
            "<span>page {page} of {pages}</span>", page=session.page + 1, pages=session.n_pages
        )
        busy = session.stage is Stage.DELETING
        self.previous.disabled = session.page == 0
        self.next.disabled = session.page + 1 >= session.n_pages
        self.select_all.disabled = busy or bool(session.problems)
        self.select_none.disabled = busy
        if ids != self.shown:
            self.shown = ids
            self._show(rows)
        for card, image_id in zip(self.cards, ids, strict=False):
            card.mark(session.is_selected(image_id), busy)

    def _show(self, rows: pd.DataFrame) -> None:
        known = self._thumbnails.remembered(rows.index)
        for card in self.cards[len(rows) :]:
            card.clear()
        for card, (image_id, image) in zip(self.cards, rows.iterrows(), strict=False):
            card.show(str(image_id), image, self._tick)
            card.picture(known.get(str(image_id)))
        missing = rows.loc[[image_id for image_id in rows.index if image_id not in known]]
        if len(missing):
            threading.Thread(
                target=self._fetch, args=(missing, self.shown), name="picora-page", daemon=True
            ).start()

    def _tick(self, image_id: str, box: widgets.Checkbox) -> None:
        self._do(lambda session: session.select(image_id, box.value))

    def _fetch(self, rows: pd.DataFrame, ids: list[str]) -> None:
        def show(image_id: str, picture: Thumbnail | None) -> None:
            with self._lock:
                if ids is self.shown:
                    self.cards[ids.index(image_id)].picture(picture)

        try:
            self._thumbnails.fetch(rows, show, lambda: ids is self.shown)
        except Exception as error:
            self._failed(error)


class _Card:
    """One image in the list: its picture or a placeholder, a caption, and a tick."""

    def __init__(self) -> None:
        self.image = widgets.Image()  # No tooltip: its view fails on one (ipywidgets 8.1.9).
        self.text = html()
        self.box = widgets.VBox([self.image, self.text])
        self.box.add_class("picora-card")
        self.tick: widgets.Checkbox | None = None
        self._caption = self._none = markup("")

    def show(
        self, image_id: str, image: pd.Series[Any], on_tick: Callable[[str, widgets.Checkbox], None]
    ) -> None:
        """Show another image, with a tick of its own: a late click on the old one must not fall on this one."""
        old = self.tick
        name = "(no name)" if pd.isna(image["filename"]) else image["filename"]
        tick = widgets.Checkbox(description=label(name, 34), indent=False)
        on_change(lambda: on_tick(image_id, tick), tick)
        self.tick = tick
        self.box.children = (self.image, self.text, tick)
        if old is not None:
            old.close()
        size = (
            "" if pd.isna(image["size_bytes"]) else f"{format_bytes(int(image['size_bytes']))} · "
        )
        uploaded = image["created_at"]
        self._none = markup('<div class="picora-none">{text}</div>', text=placeholder(image))
        self._caption = markup(
            '<div class="picora-caption" title="{name} ({id})">{size}{day}</div>',
            name=shorten(name, 120),
            id=shorten(image_id, 40),
            size=size,
            day="date unknown" if pd.isna(uploaded) else day(uploaded),
        )
        toggle(self.box, True)

    def picture(self, picture: Thumbnail | None) -> None:
        """Show a picture, or the placeholder."""
        toggle(self.image, picture is not None)
        self.text.value = self._caption if picture is not None else self._none + self._caption
        if picture is not None:
            self.image.format, self.image.value = picture.format, picture.data

    def mark(self, selected: bool, busy: bool) -> None:
        """Show whether it is selected, by the tick and by the frame."""
        if self.tick is not None:
            self.tick.value, self.tick.disabled = selected, busy
        toggle(self.box, selected, "picora-selected", present=True)

    def clear(self) -> None:
        """Show nothing."""
        toggle(self.box, False)
