"""Pages of pictures made of plain widgets: for where the gallery's own page part cannot be loaded."""

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
from picora_analytics.widgets.panel.choosing import Stage
from picora_analytics.widgets.panel.html import Do, button, html, label, markup, on_change, toggle
from picora_analytics.widgets.panel.saying import bar_of
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["PAGE_SIZE", "BasicGallery"]

PAGE_SIZE = 24


class BasicGallery:
    """
    The list of images, a page at a time, with what selects, turns and orders, and the bar.

    Pictures arrive on threads of their own; `lock` is the one that gestures hold, `failed` is given what went wrong
    there, and `review` leads to the review.
    """

    def __init__(
        self,
        demo: bool,
        do: Do,
        lock: threading.RLock,
        failed: Callable[[Exception], None],
        review: Callable[[], None],
    ) -> None:
        self._thumbnails = Thumbnails(demo=demo)
        self._do, self._lock, self._failed = do, lock, failed
        # What is painted now, so that only what changed is painted again.
        self.shown: list[str] = []
        self.page = 0
        self._revision = -1
        self._count, self._page, self._bar, self._refusal = html(), html(), html(), html()
        self.select_all = button("Select all", lambda: do(CleanupSession.select_matching))
        self.order = widgets.Dropdown(
            options=list(ORDERS), value="newest first", description="Order", tooltip="Order"
        )
        on_change(lambda: do(lambda session: session.selection.sort(self.order.value)), self.order)
        self.previous = button("Previous", lambda: do(lambda _: self._turn(-1)))
        self.next = button("Next", lambda: do(lambda _: self._turn(1)))
        head = widgets.HBox(
            [self._count, self.select_all, self.previous, self._page, self.next, self.order]
        )
        head.add_class("pc-plain-line")
        self.cards = [_Card() for _ in range(PAGE_SIZE)]
        grid = widgets.Box([card.box for card in self.cards])
        grid.add_class("pc-plain-grid")
        self.clear = button("Clear", lambda: do(CleanupSession.select_none))
        self.review = button("Review", review)
        self.review.add_class("pc-go")
        bar = widgets.HBox([self._bar, self.clear, self.review])
        bar.add_class("pc-plain-bar")
        self.box = widgets.VBox([head, grid, self._refusal, bar])
        self.box.add_class("pc-plain")

    def _turn(self, pages: int) -> None:
        self.page += pages

    def paint(self, session: CleanupSession) -> None:
        """Show the page, and what is selected."""
        selection, busy = session.selection, session.stage is Stage.DELETING
        if self._revision != selection.revision:
            self._revision, self.page = selection.revision, 0
        n_pages = max(-(-len(selection.listed) // PAGE_SIZE), 1)
        self.page = max(0, min(self.page, n_pages - 1))
        start = self.page * PAGE_SIZE
        rows = selection.images.iloc[selection.listed[start : start + PAGE_SIZE]]
        ids = [str(image_id) for image_id in rows.index]
        matching = session.matching
        self._count.value = markup(
            "<span><b>{n}</b> of {all} · {size}</span>",
            n=f"{matching.n_images:,}",
            all=f"{len(session.images):,}",
            size=format_bytes(matching.size_bytes),
        )
        self._page.value = markup("<span>page {n} of {all}</span>", n=self.page + 1, all=n_pages)
        self.previous.disabled, self.next.disabled = self.page == 0, self.page + 1 >= n_pages
        may = session.pile is None or session.pile.may_go
        self.select_all.disabled = busy or bool(session.problems) or not may
        self._paint_bar(session)
        if ids != self.shown:
            self.shown = ids
            self._show(rows)
        for card, image_id in zip(self.cards, ids, strict=False):
            card.mark(session.is_selected(image_id), busy)

    def _paint_bar(self, session: CleanupSession) -> None:
        said = bar_of(session, "")
        n = session.selected.n_images
        self._bar.value = markup(
            '<div class="pg-sum"><b>{text}</b><span class="pg-mut">{more}</span></div>',
            text=f"{n:,} selected {said['size']}" if n else "Nothing selected",
            more=said["more"],
        )
        self._refusal.value = markup('<div role="alert">{text}</div>', text=said["refusal"])
        toggle(self._refusal, bool(said["refusal"]))
        self.review.description, self.review.disabled = said["review"], not said["ready"]
        self.clear.disabled = not n

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
        self.box.add_class("pc-card")
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
        self._none = markup('<div class="pc-no-picture">{text}</div>', text=placeholder(image))
        self._caption = markup(
            '<div class="pc-caption" title="{name} ({id})">{size}{day}</div>',
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
        toggle(self.box, selected, "pc-chosen-card", present=True)

    def clear(self) -> None:
        """Show nothing."""
        toggle(self.box, False)
