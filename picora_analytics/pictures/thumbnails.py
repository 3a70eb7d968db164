"""
Pictures for a list and for a look, fetched by the kernel and never by the page.

The key is not known here: pictures live on other hosts. Private pictures are fetched only where a signed address is
given for each, as notebooks are saved and shared.
"""

from __future__ import annotations

import contextlib
import io
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pandas as pd

from picora_analytics.client.pictures import (
    PictureError,
    PictureWeb,
    picture_url,
    picture_web,
    stream_picture,
)
from picora_analytics.library.media_types import format_name, media_type
from picora_analytics.text import shorten

__all__ = ["Sign", "Thumbnail", "Thumbnails", "kind_of", "placeholder", "request_urls", "shrunk"]

# One set of parameters for all lists: each new one makes the service store another variant (docs, image processing).
SMALL: dict[str, str | int] = {"w": 320, "h": 240, "fit": "inside", "fmt": "webp"}
LARGE: dict[str, str | int] = {"w": 1600, "h": 1600, "fit": "inside", "fmt": "webp"}
MAX_BYTES = 300 * 1024
MAX_LARGE_BYTES = (
    4 * 2**20
)  # Of one picture to look at, and of a private one, which comes as it is.
MAX_PIXELS = 40_000_000  # A small file may unpack to gigabytes.
REMEMBERED = 600
AT_ONCE = 4
TIMEOUT = 10.0  # Seconds for each step of one request,
PATIENCE = 15.0  # and for the whole of it.
WAKE = 0.2  # Between two looks whether Ctrl-C was pressed, which on Windows does not wake a waiting thread.

Sign = Callable[[str, Callable[[], bool]], str | None]


class Thumbnail(NamedTuple):
    """Bytes, and what they are: webp, png, jpeg or gif."""

    data: bytes
    format: str


def kind_of(data: bytes) -> str | None:
    """
    Tell a format by its first bytes; None for anything a page should not be given, including SVG.

    Examples
    --------
    >>> kind_of(bytes.fromhex("89504e470d0a1a0a")), kind_of(b"<svg onload='x()'>")
    ('png', None)
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    return None


def small_picture(data: bytes) -> Thumbnail | None:
    """Take bytes for a picture if their header says a format and a size fit for a page; nothing is decoded."""
    # Pillow takes a while to import, and a panel of private pictures never needs it.
    from PIL import Image

    kind = kind_of(data)
    if kind is None:
        return None
    Image.init()
    try:
        # Not Image.open: that warns in the notebook about what is refused here anyway.
        with Image.OPEN[kind.upper()][0](io.BytesIO(data), "") as picture:
            width, height = picture.size
    except Exception:  # Pillow's readers raise whatever a broken file makes them.
        return None
    return Thumbnail(data, kind) if width * height <= MAX_PIXELS else None


def request_urls(row: pd.Series[Any], *, demo: bool, large: bool = False) -> list[str]:
    """
    Give the addresses to try for the picture of an image, in order; none for one that is not public.

    For a list, a small version comes before the file as it is; for a look it is the other way round, since only the
    file shows every pixel. The file is not asked for where it is too large.

    Parameters
    ----------
    row : Series
        Of the frame.
    demo : bool
        Whether pictures come from this machine; else its own addresses are refused.
    large : bool
        Whether it is for a look.
    """
    if pd.isna(row["is_public"]) or not row["is_public"]:
        return []
    url = picture_url(str(row["url"]), local=demo)
    if url is None or (url.scheme == "http") != demo:
        return []
    found = [] if url.query else [str(url.copy_merge_params(LARGE if large else SMALL))]
    whole = [str(url)] if _fits(row, MAX_LARGE_BYTES if large else MAX_BYTES) else []
    return whole + found if large else found + whole


def _fits(row: pd.Series[Any], most: int) -> bool:
    """Tell whether the file itself may be asked for."""
    size, width, height = row["size_bytes"], row["width"], row["height"]
    few_pixels = (
        not pd.isna(width) and not pd.isna(height) and int(width) * int(height) <= MAX_PIXELS
    )
    return not pd.isna(size) and size <= most and few_pixels


def placeholder(row: pd.Series[Any]) -> str:
    """Describe in words what is not shown."""
    kind = "" if pd.isna(row["mime_type"]) else format_name(str(row["mime_type"]))
    text = shorten(kind.removeprefix("image/"), 20) or "unknown type"
    public = row["is_public"]
    if pd.isna(public):
        return f"{text} · perhaps private"
    return text if public else f"{text} · private"


class Thumbnails:
    """
    Fetch and remember small pictures.

    Parameters
    ----------
    demo : bool
        Whether they come from this machine.
    sign : callable, optional
        Given the id of a private image and what tells whether the picture is no longer wanted; gives an address that
        opens it for a while, or None. Without it private pictures are not fetched.
    """

    def __init__(self, *, demo: bool, sign: Sign | None = None) -> None:
        self._demo, self._sign = demo, sign
        self._known: OrderedDict[str, Thumbnail | None] = OrderedDict()
        self._why: dict[str, str] = {}
        self._lock = threading.Lock()

    def fetch(
        self,
        rows: pd.DataFrame,
        show: Callable[[str, Thumbnail | None], None],
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """
        Fetch the pictures of some rows, a few at a time; returns when all are there, given up or no longer wanted.

        Parameters
        ----------
        rows : DataFrame
        show : callable
            Given id and picture, or None where there is none to show; called from several threads.
        wanted : callable
            Asked all the time.
        """
        waiting: queue.SimpleQueue[tuple[str, pd.Series[Any]]] = queue.SimpleQueue()
        for image_id, row in rows.iterrows():
            waiting.put((str(image_id), row))
        failed: list[Exception] = []
        left = threading.Event()

        def stopped() -> bool:
            return left.is_set() or not wanted()

        def work() -> None:
            with contextlib.suppress(queue.Empty):
                while not stopped():
                    image_id, row = waiting.get_nowait()
                    try:
                        show(image_id, self.get(web, image_id, row, stopped))
                    except Exception as error:
                        failed.append(error)

        # Made for one page and closed with it, so that nothing stays open behind a forgotten panel. Not a pool of
        # concurrent.futures: Python waits for its threads at exit, however slowly a host drips.
        with picture_web(local=self._demo, timeout=TIMEOUT) as web:
            workers = [
                threading.Thread(target=work, name="picora-thumbnails", daemon=True)
                for _ in range(min(AT_ONCE, len(rows)))
            ]
            for worker in workers:
                worker.start()
            try:
                for worker in workers:
                    while worker.is_alive() and not stopped():
                        worker.join(WAKE)
            finally:
                left.set()
        if failed and wanted():
            raise failed[0]

    def remembered(self, ids: Iterable[str]) -> dict[str, Thumbnail | None]:
        """Give what was fetched before; None stands for a picture that cannot be shown."""
        with self._lock:
            return {image_id: self._known[image_id] for image_id in ids if image_id in self._known}

    def put(self, image_id: str, data: bytes) -> None:
        """Remember the picture in a file's bytes, as of an image that is gone and was backed up."""
        whole = small_picture(data)
        found = None if whole is None else shrunk(whole)
        if found is not None:
            with self._lock:
                self._known[image_id] = found

    def why_not(self, image_id: str) -> str:
        """Say why there is no picture of an image that was asked for."""
        with self._lock:
            return self._why.get(image_id, "no picture came")

    def web(self) -> PictureWeb:
        """Open connections for :meth:`get`; close them after use."""
        return picture_web(local=self._demo, timeout=TIMEOUT)

    def get(
        self, web: PictureWeb, image_id: str, row: pd.Series[Any], stopped: Callable[[], bool]
    ) -> Thumbnail | None:
        """Give the small picture of one image, remembered or fetched; None where there is none to show."""
        with self._lock:
            if image_id in self._known:
                self._known.move_to_end(image_id)
                return self._known[image_id]
        found = self._fetched(web, image_id, row, stopped, large=False)
        if found is None and stopped():
            return None  # Perhaps there is one: the next to ask finds out.
        with self._lock:
            self._known[image_id] = found
            while len(self._known) > REMEMBERED:
                self._why.pop(self._known.popitem(last=False)[0], None)
        return found

    def look(
        self, web: PictureWeb, image_id: str, row: pd.Series[Any], stopped: Callable[[], bool]
    ) -> Thumbnail | None:
        """Fetch a large picture of one image; it is not remembered."""
        return self._fetched(web, image_id, row, stopped, large=True)

    def _fetched(
        self,
        web: PictureWeb,
        image_id: str,
        row: pd.Series[Any],
        stopped: Callable[[], bool],
        *,
        large: bool,
    ) -> Thumbnail | None:
        public = row["is_public"]
        private = not pd.isna(public) and not public
        most = MAX_LARGE_BYTES if large or private else MAX_BYTES
        try:
            urls = request_urls(row, demo=self._demo, large=large)
            if private:
                urls = self._signed(image_id, row, stopped)
            elif not urls:
                raise _UnshownError("perhaps private" if pd.isna(public) else "its address is odd")
            found = _first(web, urls, stopped, most)
        except PictureError as error:
            with self._lock:
                self._why[image_id] = _why(row, error)
            return None
        return found if large or len(found.data) <= MAX_BYTES else shrunk(found)

    def _signed(self, image_id: str, row: pd.Series[Any], stopped: Callable[[], bool]) -> list[str]:
        """Ask for an address that opens a private image, if its file may be asked for at all."""
        if self._sign is None:
            raise _UnshownError("private, not readable")
        if not _fits(row, MAX_LARGE_BYTES):
            raise _UnshownError("private, too large to show")
        url = picture_url(self._sign(image_id, stopped) or "", local=self._demo)
        if url is None or (url.scheme == "http") != self._demo:
            raise _UnshownError("private, not readable")
        return [str(url)]


class _UnshownError(PictureError):
    """A picture that is not asked for; the message stands in its place."""


def _why(row: pd.Series[Any], error: PictureError) -> str:
    """Say in the place of a picture why there is none."""
    if isinstance(error, _UnshownError):
        return str(error)
    if media_type(str(row["mime_type"])) == "image/svg+xml":
        return "SVG, not drawn"
    return "no picture came" + (f" ({error.status})" if error.status not in (None, 200) else "")


def shrunk(whole: Thumbnail) -> Thumbnail | None:
    """Make a small picture of a file that came as it is, since only the service makes small ones of public files."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(whole.data), formats=[whole.format.upper()]) as picture:
            picture.thumbnail((int(SMALL["w"]), int(SMALL["h"])))
            out = io.BytesIO()
            picture.convert("RGBA" if "A" in picture.getbands() else "RGB").save(out, "WEBP")
    except Exception:  # Pillow's readers raise whatever a broken file makes them.
        return None
    return Thumbnail(out.getvalue(), "webp")


def _first(web: PictureWeb, urls: list[str], stopped: Callable[[], bool], most: int) -> Thumbnail:
    """Give the picture behind the first address that has one."""
    failure = PictureError("no picture came")
    for url in urls:
        data = bytearray()
        try:
            if stopped():
                raise PictureError("stopped")
            stream_picture(
                web, url, data.extend, max_bytes=most, patience=PATIENCE, stopped=stopped
            )
        except PictureError as error:
            failure = error
            continue
        if (found := small_picture(bytes(data))) is not None:
            return found
    raise failure
