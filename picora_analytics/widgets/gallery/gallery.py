"""The gallery: pictures of a library, a plan or duplicates, to look at and to choose."""

from __future__ import annotations

import contextlib
import secrets
import threading
from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import pandas as pd
import traitlets

from picora_analytics.analysis.decided import Decisions
from picora_analytics.client.client import Client
from picora_analytics.errors import PicoraError
from picora_analytics.pictures.signing import Signing
from picora_analytics.pictures.thumbnails import Thumbnail, Thumbnails
from picora_analytics.progress import is_watched
from picora_analytics.references.found import References
from picora_analytics.text import plural
from picora_analytics.widgets.gallery import messages
from picora_analytics.widgets.gallery.loading import Loader, Picture, Wanted
from picora_analytics.widgets.gallery.opening import Opened, open_images
from picora_analytics.widgets.gallery.script import script
from picora_analytics.widgets.gallery.selection import Bools
from picora_analytics.widgets.gallery.session import FIRST, Answer, GallerySession
from picora_analytics.widgets.gallery.static import PREVIEWED, preview

__all__ = ["ImageGallery"]

_HERE = Path(__file__).parent
# One module without imports, since a widget brings one; the last part exports it.
_SCRIPTS = (
    "texts.js",
    "scroll.js",
    "picture.js",
    "protocol.js",
    "cells.js",
    "rail.js",
    "detail.js",
    "compare.js",
    "gestures.js",
    "controls.js",
    "gallery.js",
    "render.js",
)

PATIENCE = 20.0  # Seconds for the first pictures where no page asks for more.

_CODE = {
    "browse": 'plan = pic.plan_deletion(images, gallery.mask, reason="...")',
    "review": "smaller = plan.without(gallery.mask.index[~gallery.mask])",
    "compare": 'plan = pic.plan_deletion(images, gallery.selected, reason="duplicates")',
}


class ImageGallery(anywidget.AnyWidget):
    """
    Look at pictures in a notebook and choose some, by mouse or keyboard.

    It never deletes: it yields a mask. What is chosen is chosen by id, through any order, search, refresh or
    deletion; images that the list does not show stay chosen, and are counted aloud. A million images open as fast as
    a thousand: the kernel holds the list, and the page only what is on the screen.

    Small pictures are fetched by the kernel, without the key. Private ones are fetched, through a signed address, only
    where a client is given whose key may sign, at most 30 a minute. A saved notebook keeps six public pictures at
    most.

    Parameters
    ----------
    images : DataFrame, DeletionPlan or duplicates
        As :func:`load_images` made it, or some of its rows. A plan opens as a review, with everything chosen and what
        should be looked at twice first. What :func:`find_duplicates` gives opens as a comparison, with the certain
        duplicates chosen.
    client : Client, optional
        Of the same account.
    references : References, optional
        Of :func:`find_references`: where each image is used.
    decisions : path or DataFrame, optional
        As :func:`read_decisions` reads it.

    Attributes
    ----------
    n_selected : int
        How many images are chosen.
    changes : int
        Grows with each change of the choice: ``gallery.observe(act, "changes")``.

    Raises
    ------
    TypeError
        If it is no frame and no plan, or `client` is no Client.
    SchemaError
        If a column is missing, an id stands twice, or duplicates no longer know their images.
    PlanError
        If references are of another account, or decisions cannot be read.

    Examples
    --------
    >>> gallery = ImageGallery(make_images(size_bytes=[700, 300]))
    >>> gallery.select(["b"])
    >>> gallery
    ImageGallery(2 images, 1 selected)
    >>> gallery.mask.tolist(), list(gallery.selected)
    ([False, True], ['b'])
    """

    _esm = script(*(_HERE / name for name in _SCRIPTS))
    _css = _HERE / "gallery.css"

    proto = traitlets.Int(messages.PROTOCOL).tag(sync=True)
    mode = traitlets.Unicode("browse").tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)
    view = traitlets.Dict().tag(sync=True)
    first = traitlets.Dict().tag(sync=True)
    choice = traitlets.Dict().tag(sync=True)
    n_selected = traitlets.Int(0)
    changes = traitlets.Int(0)

    def __init__(
        self,
        images: Any,
        client: Client | None = None,
        *,
        references: References | None = None,
        decisions: Decisions | None = None,
    ) -> None:
        if client is not None and not isinstance(client, Client):
            raise TypeError(
                f"client is a {type(client).__name__}; give the Client that the images were loaded with."
            )
        opened = open_images(images, references, decisions)
        self._given = references, decisions
        self._begin(opened, client, self._session_of(opened))

    @staticmethod
    def _session_of(opened: Opened) -> GallerySession:
        session = GallerySession(
            opened.images, opened.evidence, orders=opened.orders, groups=opened.groups
        )
        if opened.chosen is not None:
            session.selection.chosen[opened.chosen] = True
        return session

    def _begin(self, opened: Opened, client: Client | None, session: GallerySession) -> None:
        # Messages are handled on a second thread of the kernel, and pictures come from others.
        self._lock = threading.RLock()
        self._session = session
        sign = None if client is None else Signing(client)
        self._loader = Loader(Thumbnails(demo=opened.demo, sign=sign), self._deliver)
        self._opened = opened
        self._shown: Any = None
        self._previewed: dict[int, Thumbnail] = {}
        super().__init__(
            mode=opened.mode,
            facts=_facts(opened),
            view=self._view(),
            first=session.first(),
            choice=self._choice(),
        )
        self.n_selected = self.choice["n"]
        self.on_msg(self._on_message)

    def __repr__(self) -> str:
        with self._lock:
            n, chosen = len(self._session.selection.images), self.n_selected
        stamp = ", DEMO" if self._opened.demo else ""
        return f"ImageGallery({plural(n, 'image')}, {chosen:,} selected{stamp})"

    # What a cell of Python does

    @property
    def mask(self) -> pd.Series[Any]:
        """What is chosen: a boolean Series over the ids of the frame."""
        with self._lock:
            return self._session.selection.mask

    @property
    def selected(self) -> pd.Index[Any]:
        """The ids of what is chosen, in the order of the frame."""
        with self._lock:
            selection = self._session.selection
            ids: pd.Index[Any] = selection.images.index[selection.chosen]
            return ids

    def select(self, mask: Any) -> None:
        """
        Choose exactly these images, instead of what was chosen before.

        Parameters
        ----------
        mask : Series of bool, or ids
            A Series by id, where a missing value is not chosen, or a list or Index of ids.

        Raises
        ------
        KeyError
            If an id is not in the gallery.
        TypeError
            If it is a Series of something else.
        """
        with self._lock:
            self._session.selection.choose(self._rows(mask))
            self._publish(Answer(chosen=True))

    def show(self, mask: Any = None) -> None:
        """
        List some images only; what is chosen stays chosen.

        Parameters
        ----------
        mask : Series of bool, or ids, optional
            As for :meth:`select`; by default everything is listed again.
        """
        with self._lock:
            self._session.selection.show(None if mask is None else self._rows(mask))
            self._session.relist()
            self._publish(Answer(listed=True))

    def refresh(self, images: pd.DataFrame) -> None:
        """
        Show the library as it was read anew: what was chosen stays chosen by id, and new images are not.

        Parameters
        ----------
        images : DataFrame
            As the gallery was made with.
        """
        opened = open_images(images, *self._given)
        with self._lock:
            self._session.refresh(opened.images, opened.evidence)
            self._opened = opened
            self._publish(Answer(listed=True))

    def remove(self, ids: Any) -> None:
        """
        Take out images that were deleted.

        Parameters
        ----------
        ids : iterable of str
        """
        with self._lock:
            self._session.selection.remove(ids)
            self._session.relist()
            self._publish(Answer(listed=True))

    def _rows(self, mask: Any) -> Bools:
        """Read a mask or ids as rows of the frame."""
        index = self._session.selection.images.index
        if isinstance(mask, pd.Series):
            if not pd.api.types.is_bool_dtype(mask.dtype):
                raise TypeError(
                    f"mask is a Series of {mask.dtype}; give a boolean Series by id, such as "
                    "pic.rules.untagged(images), or a list of ids."
                )
            mask = mask.index[mask.fillna(False).to_numpy(dtype=bool)]
        wanted = pd.Index([mask] if isinstance(mask, str) else mask, dtype=object)
        places = index.get_indexer(wanted)
        if (places < 0).any():
            raise KeyError(
                f"{wanted[int(np.argmin(places))]!r} is not among the {plural(len(index), 'image')} of this gallery."
            )
        rows = np.zeros(len(index), dtype=bool)
        rows[places] = True
        return rows

    # What a page does

    def _on_message(self, _: Any, content: Any, buffers: Any) -> None:
        """Answer a page; an error raised here would land in whichever cell ran last."""
        number = content.get("id", 0) if isinstance(content, dict) else 0
        try:
            self._answer(messages.read(content))
        except Exception as error:
            text = str(error) if isinstance(error, PicoraError) else type(error).__name__
            self.send(
                {"type": "error", "id": number if isinstance(number, int) else 0, "text": text}
            )

    def _answer(self, message: messages.Message) -> None:
        if isinstance(message, messages.Thumbs | messages.Look):
            self._want(message)
        elif isinstance(message, messages.Bye):
            self._loader.want([])
            self._loader.want([], large=True)
        else:
            with self._lock:
                self._publish(self._session.answer(message))

    def _view(self) -> dict[str, Any]:
        return self._session.view()

    def _choice(self) -> dict[str, Any]:
        return self._session.choice()

    def _want(self, message: messages.Thumbs | messages.Look) -> None:
        large = isinstance(message, messages.Look)
        places = message.places
        with self._lock:
            selection = self._session.selection
            if message.rev != selection.revision:
                return
            rows = [(place, self._session.row(place)) for place in places]
            wanted = [
                Wanted(
                    message.rev,
                    place,
                    str(selection.images.index[row]),
                    selection.images.iloc[row],
                    large,
                )
                for place, row in rows
                if row is not None
            ]
        self._loader.want(wanted, large=large)

    def _publish(self, answer: Answer) -> None:
        """Send an answer, and what has changed as one update."""
        if answer.content is not None:
            self.send(answer.content, list(answer.buffers) or None)
        if not answer.listed and not answer.chosen:
            return
        session = self._session
        with self.hold_sync():
            if answer.listed:
                self.view, self.first = self._view(), session.first()
            self.choice = self._choice()
        self.n_selected = self.choice["n"]
        self.changes = self.choice["seq"]

    def _deliver(self, batch: list[Picture]) -> None:
        """Send pictures that arrived, from the loader's thread."""
        small = [one for one in batch if not one.wanted.large]
        for large in (one for one in batch if one.wanted.large):
            self._send_pictures("picture", [large])
        if small:
            self._send_pictures("thumbs", small)
            self._keep_for_preview(small)

    def _send_pictures(self, kind: str, batch: list[Picture]) -> None:
        found = [one.picture for one in batch]
        content = {
            "type": kind,
            "rev": batch[0].wanted.revision,
            "places": [one.wanted.place for one in batch],
            "kinds": ["" if one is None else one.format for one in found],
            "sizes": [0 if one is None else len(one.data) for one in found],
            "why": [one.why for one in batch],
        }
        self.send(content, [b"".join(one.data for one in found if one is not None)])

    # What a saved notebook keeps

    def _ipython_display_(self, **options: Any) -> None:
        from IPython.display import HTML, display

        # An output of its own: in one with the widget, nbconvert and trusted notebooks would show neither.
        self._shown = display(HTML(self._preview()), display_id=True)  # type: ignore[no-untyped-call]
        bundle: Any = self._repr_mimebundle_()
        if bundle is not None:
            display(bundle[0], metadata=bundle[1], raw=True)  # type: ignore[no-untyped-call]
        # A page asks for them, too; where there is none, as in nbconvert, nobody else would.
        public = [
            place for place, seen in enumerate(self._first_cells()["seen"]) if seen == "public"
        ]
        self._want(messages.Thumbs(proto=1, rev=self.view["rev"], places=public))
        if not is_watched():  # What comes after a cell's end is lost then.
            self._loader.wait(PATIENCE)

    def _first_cells(self) -> dict[str, list[Any]]:
        return self._session.cells.block(self._session.selection.listed[:PREVIEWED])

    def _preview(self) -> str:
        facts, cells = self.facts, self._first_cells()
        return preview(facts["static"], facts["title"], facts["stamp"], cells, self._previewed)

    def _keep_for_preview(self, batch: list[Picture]) -> None:
        if self._shown is None or len(self._previewed) >= PREVIEWED:
            return
        new = {
            one.wanted.place: one.picture
            for one in batch
            if one.picture is not None and one.wanted.place < PREVIEWED and one.wanted.revision == 1
        }
        if not new:
            return
        from IPython.display import HTML

        with (
            self._lock,
            contextlib.suppress(Exception),
        ):  # The cell may be gone, or be another front end's.
            self._previewed |= new
            self._shown.update(HTML(self._preview()))  # type: ignore[no-untyped-call]


def _facts(opened: Opened) -> dict[str, Any]:
    """Give what does not change while the gallery is open."""
    return {
        "title": opened.title,
        "stamp": "DEMO" if opened.demo else "",
        "more": list(opened.facts),
        "code": _CODE[opened.mode],
        "first": FIRST,
        "static": f"picora-static-{secrets.token_hex(4)}",
    }
