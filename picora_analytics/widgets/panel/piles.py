"""The piles of what may go: a card with four pictures for each, which opens it as the list."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import numpy as np
import pandas as pd

from picora_analytics.cleanup.plan.candidates import CandidatePile
from picora_analytics.pictures.thumbnails import Thumbnail, Thumbnails
from picora_analytics.text import plural
from picora_analytics.units import format_bytes
from picora_analytics.widgets.gallery.selection import Bools
from picora_analytics.widgets.panel.html import Do, html, markup, on_change, sign, toggle
from picora_analytics.widgets.panel.saying import pile_title
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["Piles"]

STRIP = 4


class Piles:
    """
    The cards, as soon as the piles are counted.

    Parameters
    ----------
    thumbnails : Thumbnails
        Without a way to sign: private pictures are in no strip.
    do : callable
        Runs a gesture.
    lock : RLock
        The panel's, for pictures that come from threads.
    """

    def __init__(self, thumbnails: Thumbnails, do: Do, lock: threading.RLock) -> None:
        self._thumbnails, self._do, self._lock = thumbnails, do, lock
        self.cards: dict[str, Card] = {}
        self._none = html()
        self._none.add_class("pc-none")
        self.box = widgets.HBox([self._none])
        self.box.add_class("pc-piles")

    def paint(self, session: CleanupSession) -> None:
        """Show the piles that there are."""
        self._none.value = markup(
            '<div class="pg-mut" role="status">{text}</div>',
            text="Counting what may go …"
            if session.candidates is None
            else "Nothing here is a duplicate, old or oversized: choose by what you see.",
        )
        names = [pile.name for pile in session.piles]
        if names != list(self.cards):
            self.cards = {name: self.cards.get(name) or Card(name, self._do) for name in names}
            self.box.children = [card.box for card in self.cards.values()] or [self._none]
        for number, pile in enumerate(session.piles, 1):
            self.cards[pile.name].paint(session, pile, number)

    def fetch(self, session: CleanupSession, wanted: Callable[[], bool]) -> None:
        """Fetch the pictures of the strips that are not shown yet; returns when they are there."""
        with self._lock:
            images, there = session.selection.images, session.selection.there
            strips = {
                pile.name: _first(pile.rows & there, images["is_public"], images["size_bytes"])
                for pile in session.piles
            }
            cards = {name: card for name, card in self.cards.items() if name in strips}
        for name, rows in strips.items():
            card = cards.get(name)
            ids = [str(images.index[row]) for row in rows]
            if card is None or card.shown == ids:
                continue
            card.shown = ids
            with self._lock:
                for image in card.strip[len(ids) :]:
                    toggle(image, False)

            def show(image_id: str, picture: Thumbnail | None, card: Card = card) -> None:
                with self._lock:
                    card.picture(image_id, picture)

            self._thumbnails.fetch(images.iloc[rows], show, wanted)


def _first(rows: Bools, public: pd.Series[Any], sizes: pd.Series[Any]) -> list[int]:
    """Choose the largest public images of a pile."""
    found = np.flatnonzero(rows & public.fillna(False).to_numpy(dtype=bool))
    largest = sizes.iloc[found].fillna(0).to_numpy(dtype=np.int64)
    return [int(found[place]) for place in np.argsort(-largest, kind="stable")[:STRIP]]


class Card:
    """One pile: its strip, its words, and a button over all of it."""

    def __init__(self, name: str, do: Do) -> None:
        self.name = name
        self.shown: list[str] = []
        self.strip = [widgets.Image() for _ in range(STRIP)]
        for image in self.strip:
            toggle(image, False)
        strip = widgets.HBox(self.strip)
        strip.add_class("pc-strip")
        self.text = html()
        self.open = widgets.ToggleButton()
        self.open.add_class("pc-over")
        on_change(lambda: do(lambda session: session.open_pile(name)), self.open)
        self.box = widgets.VBox([strip, self.text, self.open])
        self.box.add_class("pc-pile")

    def picture(self, image_id: str, picture: Thumbnail | None) -> None:
        """Put a picture into its place."""
        if image_id not in self.shown:
            return
        image = self.strip[self.shown.index(image_id)]
        toggle(image, picture is not None)
        if picture is not None:
            image.format, image.value = picture.format, picture.data

    def paint(self, session: CleanupSession, pile: CandidatePile, number: int) -> None:
        """Show its numbers, and how many of it are selected."""
        there = pile.rows & session.selection.there
        tally = session.selection.tally(there)
        chosen = int((there & session.selection.chosen).sum())
        title, (mark, sure, kind) = pile_title(pile.name), _sure(pile)
        some = f"{chosen:,} of {tally.n_images:,}" if chosen else ""
        self.text.value = markup(
            '{some}<div class="pc-pile-text" title="{why}; {certainty}"><div class="pc-pile-name">{number}&ensp;{title}'
            '</div><div class="pc-pile-facts"><span>{n} · <b>{size}</b></span><span class="pc-sure {kind}">{sign}{sure}'
            "</span></div></div>",
            some=markup(
                '<span class="pg-tag pc-some">{sign}{text}</span>', sign=sign("check"), text=some
            )
            if some
            else "",
            why=pile.why,
            certainty=pile.certainty,
            number=number,
            title=title,
            n=f"{tally.n_images:,}",
            size=format_bytes(tally.size_bytes),
            sign=sign(mark),
            sure=sure,
            kind=kind,
        )
        is_open = session.pile is not None and session.pile.name == pile.name
        facts = f"{plural(tally.n_images, 'image')}, {format_bytes(tally.size_bytes)}, {sure}"
        self.open.description = f"{title}: {facts}"
        self.open.tooltip = f"{pile.why}; {pile.certainty}"
        self.open.value = is_open
        toggle(self.box, is_open, "pc-open", present=True)


def _sure(pile: CandidatePile) -> tuple[str, str, str]:
    """Say how sure it is that these may go: a sign, words and the class of their colour."""
    if not pile.may_go:
        return "eye", "only to look", "pc-no"
    if pile.certainty.startswith("sure"):
        return "check", "same content", "pc-yes"
    return "eye", "look first", "pc-eye"
