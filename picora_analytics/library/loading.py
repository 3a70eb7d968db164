"""`load_images`: the whole library, or an error that says what is missing."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from typing import Literal, cast

import pandas as pd
import pyarrow as pa

from picora_analytics.client.client import Client
from picora_analytics.client.shapes import ImageRecord, Page
from picora_analytics.errors import APIError, IncompleteLoadError, SnapshotError
from picora_analytics.files import data_folder, session_folder
from picora_analytics.library.frame import SCHEMA, Facts, frame_from_table
from picora_analytics.library.refreshing import refreshed
from picora_analytics.library.rows import table_of
from picora_analytics.library.snapshots import SnapshotStore, remember
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
        ``"auto"`` reads only what changed since the library was last remembered, where the service has a change
        feed; without one, and with ``"full"``, the library is listed anew. ``"never"`` gives what was last
        remembered and asks only whose key it is.
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
    remembered = None if tag is not None else _store(store, account, client)
    if refresh == "never":
        if remembered is None:
            raise SnapshotError("refresh='never' needs a store, and store=None remembers nothing.")
        return remembered.load()

    show = progress_for(progress, "Loading")
    if refresh == "auto" and remembered is not None:
        images = refreshed(client, remembered, show)
        if images is not None:
            return images
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
        remember(remembered, images)
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
        parts = [
            table_of(
                {
                    name: [getattr(row, name) for row in batch]
                    for name in ImageRecord.__struct_fields__
                }
            )
            for start in range(0, len(rows), BATCH)
            if (batch := rows[start : start + BATCH])
        ]
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
    return cast(SnapshotStore, _store(store, client.account(), client))


def _store(
    store: str | os.PathLike[str] | None, account: str, client: Client
) -> SnapshotStore | None:
    if store is None:
        return None
    if store != "default":
        chosen = SnapshotStore(store)
        chosen.refuse_other_account(account)
        return chosen
    # Each demo is a library of its own under the same account, and ends with this session.
    folder = session_folder() / client.demo_session if client.demo else data_folder()
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


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
