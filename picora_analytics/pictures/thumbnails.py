"""
Small pictures for a list, fetched by the kernel and never by the page.

The key is not known here: pictures live on other hosts. Private pictures are not fetched at all, since
notebooks are saved and shared.
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
from picora_analytics.text import shorten

__all__ = ["Thumbnail", "Thumbnails", "kind_of", "placeholder", "request_urls"]

WIDTH = 160  # Pixels.
MAX_BYTES = 300 * 1024
MAX_PIXELS = 40_000_000  # A small file may unpack to gigabytes.
REMEMBERED = 600
AT_ONCE = 4
TIMEOUT = 5.0  # Seconds for each step of one request,
PATIENCE = 15.0  # and for the whole of it.
WAKE = 0.2  # Between two looks whether Ctrl-C was pressed, which on Windows does not wake a waiting thread.


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


def request_urls(row: pd.Series[Any], *, demo: bool) -> list[str]:
    """
    Give the addresses to try for the picture of an image, in order; none for one that is not public.

    The first asks for a small version; the second is the file as it is, if that is small itself.

    Parameters
    ----------
    row : Series
        Of the frame.
    demo : bool
        Whether pictures come from this machine; else its own addresses are refused.
    """
    if pd.isna(row["is_public"]) or not row["is_public"]:
        return []
    url = picture_url(str(row["url"]), local=demo)
    if url is None or (url.scheme == "http") != demo:
        return []
    size, width, height = row["size_bytes"], row["width"], row["height"]
    small_file = not pd.isna(size) and size <= MAX_BYTES
    few_pixels = (
        not pd.isna(width) and not pd.isna(height) and int(width) * int(height) <= MAX_PIXELS
    )
    found = [] if url.query else [str(url.copy_merge_params({"w": WIDTH, "fmt": "webp"}))]
    return found + ([str(url)] if small_file and few_pixels else [])


def placeholder(row: pd.Series[Any]) -> str:
    """Describe in words what is not shown."""
    kind = "" if pd.isna(row["mime_type"]) else str(row["mime_type"])
    name = kind.removeprefix("image/").removesuffix("+xml")
    text = shorten(name, 20).upper() or "unknown type"
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
    """

    def __init__(self, *, demo: bool) -> None:
        self._demo = demo
        self._known: OrderedDict[str, Thumbnail | None] = OrderedDict()
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
                        show(image_id, self._get(web, image_id, row, stopped))
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

    def _get(
        self, web: PictureWeb, image_id: str, row: pd.Series[Any], stopped: Callable[[], bool]
    ) -> Thumbnail | None:
        with self._lock:
            if image_id in self._known:
                self._known.move_to_end(image_id)
                return self._known[image_id]
        urls = request_urls(row, demo=self._demo)
        found = next(filter(None, (_download(web, url, stopped) for url in urls)), None)
        if found is None and stopped():
            return None  # Perhaps there is one: the next to ask finds out.
        with self._lock:
            self._known[image_id] = found
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return found


def _download(web: PictureWeb, url: str, stopped: Callable[[], bool]) -> Thumbnail | None:
    data = bytearray()
    try:
        if stopped():
            return None
        stream_picture(
            web, url, data.extend, max_bytes=MAX_BYTES, patience=PATIENCE, stopped=stopped
        )
    except PictureError:
        return None
    return small_picture(bytes(data))
