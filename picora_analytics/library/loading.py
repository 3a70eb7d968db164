"""`load_images`: the whole library, or an error that says what is missing."""

from __future__ import annotations

import datetime as dt
import mimetypes
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

import pandas as pd
import pyarrow as pa

from picora_analytics.client.client import Client
from picora_analytics.client.shapes import ImageRecord, Page
from picora_analytics.errors import APIError, IncompleteLoadError, SnapshotError
from picora_analytics.files import data_folder, session_folder
from picora_analytics.library.frame import SCHEMA, Facts, frame_from_table
from picora_analytics.library.snapshots import SnapshotStore
from picora_analytics.progress import Progress, progress_for
from picora_analytics.units import format_bytes

__all__ = ["load_images"]

# Rows become Arrow arrays in batches: Python objects of 100,000 images are four times as large.
BATCH = 10_000
# Listings that claim more yet bring nothing new, page after page, never end.
MAX_BARREN_PAGES = 3
_KEPT = "The {:,} images read so far are in this error's .images, for looking only; load again for a whole frame."


def load_images(
    client: Client,
    *,
    tag: str | None = None,
    store: str | os.PathLike[str] | None = "default",
    refresh: Literal["auto", "full", "never"] = "auto",
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """
    Load the whole library into one DataFrame, one row per image, newest upload first.

    The frame remembers where it comes from in ``images.attrs["picora"]``. Ages count from the service's own
    time of this load, not from when a question is asked.

    Parameters
    ----------
    client : Client
        Only reads are sent.
    tag : str, optional
        Only images having exactly this tag. Such a frame is not the library: it is not remembered, and no
        deletion can be planned from it.
    store : str, path or None
        Where to remember the library between sessions: ``"default"`` is the platform's user-data folder (a
        temporary one for the demo), None remembers nothing.
    refresh : {"auto", "full", "never"}
        ``"never"`` gives what was last remembered and sends no listing; otherwise the library is listed anew.
    progress : Progress or bool, optional
        False for silence, an object of your own, or None to suit the place.

    Returns
    -------
    DataFrame of shape (n_images, 12)
        Indexed by ``id`` (str). ``filename``, ``title``, ``url``, ``mime_type`` (str), ``size_bytes``, ``width``,
        ``height`` (Int64; bytes, pixels), ``is_public`` (boolean), ``tags`` (tuples of str; ``()`` has no tags, None is
        unknown), ``created_at``, ``updated_at`` (datetime64[us, UTC]), ``content_hash`` (str). What the service did not
        say, or what cannot be read, is missing.

    Raises
    ------
    IncompleteLoadError
        If the library could not be read whole; what was read is in ``.images``, with status ``"partial"``.
    APIError
        If not even the first page could be read.
    SnapshotError
        If ``refresh="never"`` and nothing is remembered.

    Examples
    --------
    >>> with pic.DemoServer(n_images=250) as demo, pic.Client(demo.api_key, demo.url) as client:
    ...     images = load_images(client, progress=False)
    >>> len(images), images.attrs["picora"]["status"]
    (250, 'complete')
    """
    if refresh not in ("auto", "full", "never"):
        raise ValueError(f"refresh={refresh!r} is none of 'auto', 'full' and 'never'.")
    if tag is not None and refresh == "never":
        raise ValueError("A load by tag is not remembered, so refresh='never' has nothing to give.")
    pages = client.iter_pages(tag=tag)
    account = client.account()
    remembered = None if tag is not None else _store(store, account, client.demo)
    if refresh == "never":
        if remembered is None:
            raise SnapshotError("refresh='never' needs a store, and store=None remembers nothing.")
        return remembered.load()

    show = progress_for(progress, "Loading")
    reading = _Reading()
    problem: IncompleteLoadError | APIError | KeyboardInterrupt | None = None
    with client.reporting(show.wait):
        try:
            for page in _checked(pages, reading):
                reading.take(page)
                show.update(reading.n_images, reading.total if tag is None else None)
        except (IncompleteLoadError, APIError, KeyboardInterrupt) as error:
            problem = error
    if problem is not None and reading.n_pages == 0:
        show.finish(f"Loading failed: {type(problem).__name__}")
        raise problem
    problem = problem or (_short_load(reading) if tag is None else None)
    facts = reading.facts(client, account, tag, complete=problem is None)
    images = frame_from_table(reading.table(), facts)
    if problem is not None:
        show.finish(
            f"Partial: {len(images):,} images of {reading.n_pages:,} pages, then {type(problem).__name__}"
        )
        if isinstance(problem, KeyboardInterrupt):
            raise problem
        what = str(problem)
        if isinstance(problem, APIError):
            what = (
                f"The library was not read whole: page {reading.n_pages + 1} never came. {problem}"
            )
        raise IncompleteLoadError(f"{what} {_KEPT.format(len(images))}", images=images) from problem
    if remembered is not None:
        try:
            remembered.save(images)
        except OSError as error:  # An hour of reading is not thrown away for a full disk.
            warnings.warn(
                f"The library was read whole, but not remembered in {remembered.folder}: {error}. "
                "Choose another folder with store=, or store=None.",
                stacklevel=2,
            )
    show.finish(_verdict(facts))
    return images


class _Reading:
    """What has been read so far."""

    def __init__(self) -> None:
        self.n_pages = 0
        self.n_images = 0
        self.total: int | None = None
        self.unreadable: dict[str, int] = {}
        self.repeated = 0
        self._first_time: dt.datetime | None = None
        self._seen: dict[str, ImageRecord] = {}

    def take(self, page: Page) -> None:
        self.n_pages += 1
        self._first_time = self._first_time or page.server_time
        self.total = page.total if page.total is not None else self.total
        for name, count in page.unreadable.items():
            self.unreadable[name] = self.unreadable.get(name, 0) + count
        for image in page.images:
            before = self._seen.get(image.id)
            if before is not None:
                self.repeated += 1
                if _as_new(before, image):
                    continue
            self._seen[image.id] = image
        self.n_images = len(self._seen)

    def new_ids(self, page: Page) -> bool:
        return any(image.id not in self._seen for image in page.images)

    def table(self) -> pa.Table:
        rows = list(self._seen.values())
        parts = [_table(rows[start : start + BATCH]) for start in range(0, len(rows), BATCH)]
        return pa.concat_tables(parts) if parts else SCHEMA.empty_table()

    def facts(self, client: Client, account: str, tag: str | None, *, complete: bool) -> Facts:
        sizes = [image.size_bytes or 0 for image in self._seen.values()]
        return {
            "account": account,
            "base_url": client.base_url,
            "demo": client.demo,
            "scope": "library" if tag is None else f"tag={tag}",
            "loaded_at": _iso(self._first_time or dt.datetime.now(dt.UTC)),
            "read_at": _iso(dt.datetime.now(dt.UTC)),
            "status": "complete" if complete else "partial",
            "n_images": len(self._seen),
            "size_bytes": sum(sizes),
            "total": self.total if tag is None else None,
            "checks": {
                "n_pages": self.n_pages,
                "repeated": self.repeated,
                "unreadable": self.unreadable,
            },
        }


def _as_new(kept: ImageRecord, other: ImageRecord) -> bool:
    """Tell whether the copy that is held is at least as new as another one."""
    if other.updated_at is None:
        return True
    return kept.updated_at is not None and kept.updated_at >= other.updated_at


def _checked(pages: Iterator[Page], reading: _Reading) -> Iterator[Page]:
    """Pass pages on, and stop a listing that turns in circles."""
    cursors: dict[str, int] = {}
    barren = 0
    for number, page in enumerate(pages, start=1):
        barren = 0 if reading.new_ids(page) else barren + 1
        yield page
        cursor = page.next_cursor
        if cursor is None:
            continue
        problem = None
        if cursor in cursors:
            problem = f"page {number} points back to where page {cursors[cursor]} pointed"
        elif barren >= MAX_BARREN_PAGES:
            problem = (
                f"pages {number - barren + 1} to {number} brought nothing new and still claim more"
            )
        if problem is not None:
            raise IncompleteLoadError(
                f"The listing turns in circles: {problem}.", images=pd.DataFrame()
            )
        cursors[cursor] = number


def _short_load(reading: _Reading) -> IncompleteLoadError | None:
    total = reading.total
    if total is None or total == reading.n_images:
        return None
    return IncompleteLoadError(
        f"The service counts {total:,} images, but its listing held {reading.n_images:,} in "
        f"{reading.n_pages:,} pages; images may have been uploaded or deleted meanwhile.",
        images=pd.DataFrame(),
    )


def snapshots_of(client: Client, store: str | os.PathLike[str] = "default") -> SnapshotStore:
    """
    Give the store in which a client's library is remembered.

    Raises
    ------
    SnapshotError
        If the folder holds snapshots of another account.
    """
    return cast(SnapshotStore, _store(store, client.account(), client.demo))


def _store(store: str | os.PathLike[str] | None, account: str, demo: bool) -> SnapshotStore | None:
    if store is None:
        return None
    if store != "default":
        chosen = SnapshotStore(store)
        chosen.refuse_other_account(account)
        return chosen
    # The demo is invented anew in each session, so what is remembered of it ends with the session.
    folder = session_folder() if demo else data_folder()
    return SnapshotStore(folder / "snapshots" / account)


def _verdict(facts: Facts) -> str:
    n, total = facts["n_images"], facts["total"]
    counted = f" = {total:,} counted by the service" if total is not None else ""
    text = (
        f"Complete: {n:,} rows = {n:,} different ids{counted}, {format_bytes(facts['size_bytes'])}"
    )
    unreadable = facts["checks"]["unreadable"]
    if unreadable:
        text += "; not readable: " + ", ".join(
            f"{count} {name}" for name, count in sorted(unreadable.items())
        )
    return f"{text}; read {facts['loaded_at'][:16].replace('T', ' ')} UTC"


def _table(images: list[ImageRecord]) -> pa.Table:
    columns: dict[str, list[Any]] = {
        name: [getattr(image, name) for image in images]
        for name in SCHEMA.names
        if name != "content_hash"
    }
    columns["mime_type"] = [image.mime_type or _mime_type(image) for image in images]
    columns["content_hash"] = [None] * len(images)  # Only the change feed tells it.
    return pa.table(columns, schema=SCHEMA)


# The formats Picora stores (docs, upload page); the standard library knows some only on some platforms.
_MIME_TYPES = {
    ".webp": "image/webp",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".svg": "image/svg+xml",
}


def _mime_type(image: ImageRecord) -> str | None:
    """Fall back to the URL's extension, then to the file name's: the URL names what is stored."""
    for name in (urlsplit(image.url).path, image.filename or ""):
        suffix = Path(name).suffix.lower()
        kind = _MIME_TYPES.get(suffix) or mimetypes.types_map.get(suffix)
        if kind is not None and kind.startswith("image/"):
            return kind
    return None


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
