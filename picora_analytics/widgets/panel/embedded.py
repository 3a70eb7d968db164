"""The gallery within a panel: its list, its choice and its bar say what the panel knows, and its buttons lead there."""

from __future__ import annotations

import threading
from typing import Any, Protocol

from picora_analytics.client.client import Client
from picora_analytics.errors import PicoraError
from picora_analytics.text import plural
from picora_analytics.widgets.gallery import messages
from picora_analytics.widgets.gallery.cells import Cells, Evidence, Withheld
from picora_analytics.widgets.gallery.gallery import ImageGallery
from picora_analytics.widgets.gallery.loading import Picture
from picora_analytics.widgets.gallery.opening import Opened
from picora_analytics.widgets.gallery.session import Answer, GallerySession
from picora_analytics.widgets.panel.choosing import Stage
from picora_analytics.widgets.panel.saying import bar_of, view_of
from picora_analytics.widgets.panel.session import CleanupSession

__all__ = ["EmbeddedGallery"]


class Host(Protocol):
    """The panel, as its gallery knows it."""

    def review(self) -> None:
        """Lead to the review."""

    def press(self, name: str) -> None:
        """Do what a button in the list says."""

    def decided(self) -> None:
        """Take note that something was decided."""


class EmbeddedGallery(ImageGallery):
    """
    The pictures of a cleanup.

    Parameters
    ----------
    session : CleanupSession
        Its selection is the gallery's.
    client : Client
    lock : RLock
        The panel's: gestures of both run one at a time.
    host : Host

    Attributes
    ----------
    pictured : threading.Event
        Set once the first pictures that the page asked for are there.
    """

    def __init__(
        self, session: CleanupSession, client: Client, lock: threading.RLock, host: Host
    ) -> None:
        self._cleanup, self._host = session, host
        self._problem = ""
        self.pictured = threading.Event()
        images = session.selection.images
        evidence = self._evidence()
        opened = Opened(
            "browse", images, evidence, session.library["demo"], plural(len(images), "image")
        )
        self._given = session.references, session.decisions
        own = GallerySession(images, evidence, selection=session.selection)
        self._begin(opened, client, own)
        self._lock = lock
        self.facts = self.facts | {"panel": True}

    def _evidence(self) -> Evidence:
        session = self._cleanup
        withheld = Withheld(session.always_spared, session.would_spare)
        return Evidence(
            session.selection.images, session.references, session.decided, withheld=withheld
        )

    def paint(self) -> None:
        """Bring the page in line with the panel's session."""
        with self._lock:
            if self._given[0] is not self._cleanup.references:
                self._given = self._cleanup.references, self._cleanup.decisions
                self.redecide()
            listed = self.view["rev"] != self._cleanup.selection.revision
            if listed:
                self._session.relist()
            listed = listed or self._view() != self.view
            if listed or self._bar() != self._bar_shown:
                self._publish(Answer(listed=listed, chosen=True))

    def _deliver(self, batch: list[Picture]) -> None:
        super()._deliver(batch)
        if self._loader.idle:
            self.pictured.set()

    def search(self, text: str) -> None:
        """List what has every word of a text."""
        with self._lock:
            if text.strip() != self._session.text:
                self._session.find(text)
                self._publish(Answer(listed=True))

    @property
    def searched(self) -> str:
        """What is searched for."""
        return self._session.text

    def redecide(self) -> None:
        """Take what was decided meanwhile into the cells."""
        with self._lock:
            evidence = self._evidence()
            self._session.evidence = evidence
            self._session.cells = Cells(self._session.selection.images, evidence)

    def _view(self) -> dict[str, Any]:
        whole = self._session.view()
        return whole | view_of(self._cleanup, whole, self._session.text)

    def _bar(self) -> dict[str, Any]:
        return bar_of(self._cleanup, self._problem)

    def _choice(self) -> dict[str, Any]:
        self._bar_shown = self._bar()
        return self._session.choice() | self._bar_shown

    def focus(self, what: str = "") -> None:
        """Put the focus onto the review's button, or back onto the pictures."""
        self.send({"type": "focus", "rev": self.view["rev"], "what": what})

    def complain(self, text: str) -> None:
        """Say above the bar what is wrong with the review that was asked for, until the choice changes."""
        with self._lock:
            self._problem = text
            self._publish(Answer(chosen=True))

    def _answer(self, message: messages.Message) -> None:
        busy = self._cleanup.stage is Stage.DELETING
        if isinstance(message, messages.Review):
            self._host.review()
        elif isinstance(message, messages.Press):
            self._host.press(message.name)
        elif isinstance(message, messages.Select) and busy:
            raise messages.ProtocolError("A deletion is running; wait for its receipt.")
        elif isinstance(message, messages.Decide):
            with self._lock:
                self._decide(message)
        elif isinstance(message, messages.Open):
            with self._lock:
                self._publish(self._detail(message))
        else:
            if isinstance(message, messages.Select):
                self._problem = ""
            super()._answer(message)

    def _decide(self, message: messages.Decide) -> None:
        row = self._session.row(message.place)
        if row is None or message.rev != self._session.selection.revision:
            return
        image_id = str(self._session.selection.images.index[row])
        problem = ""
        try:
            self._cleanup.decide([image_id], message.word or None)
        except (PicoraError, OSError) as error:
            problem = str(error)
        else:
            self.redecide()
        block = messages.Rows(proto=1, rev=message.rev, a=message.place, b=message.place + 1)
        self._publish(self._session.answer(block))
        opened = messages.Open(proto=1, rev=message.rev, place=message.place)
        self._publish(self._detail(opened, problem))
        self._host.decided()

    def _detail(self, message: messages.Open, problem: str = "") -> Answer:
        answer = self._session.answer(message)
        row = self._session.row(message.place)
        if answer.content is None or row is None:
            return answer
        image_id = str(self._session.selection.images.index[row])
        more = {"own": self._cleanup.decision_of(image_id), "problem": problem}
        return answer._replace(content=answer.content | more)
