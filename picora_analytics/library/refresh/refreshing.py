"""
The library as it is now, from what was remembered and what the change feed tells.

The feed says which images came, changed and went. Uploads are listed from the top, edits are read one
by one or by their days, whichever takes fewer requests. Whatever does not add up means a full load.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import re
from collections.abc import Set
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.client.client import MAX_PAGE_SIZE, Client, Usage, connection_of
from picora_analytics.client.feed import Change, read_changes
from picora_analytics.client.shapes import ImageRecord, Page, decode_page
from picora_analytics.errors import (
    APIError,
    AuthenticationError,
    NotFoundError,
    RateLimitError,
    ResponseFormatError,
    SnapshotError,
    StatusError,
)
from picora_analytics.library.frame import Facts, frame_from_table, total_bytes, usage_facts
from picora_analytics.library.refresh.edits import plan_edits
from picora_analytics.library.refresh.merging import merged, n_edited
from picora_analytics.library.rows import microseconds
from picora_analytics.library.snapshot_file import FeedPosition, Snapshot
from picora_analytics.library.snapshots import SnapshotStore, remember
from picora_analytics.progress import Progress, begin
from picora_analytics.text import plural
from picora_analytics.times import format_instant, now, parse_instant
from picora_analytics.units import format_bytes

__all__ = ["refreshed", "sha256_in"]

# OpenAPI: deletions stay in the feed for 30 days; a day less, for clocks and for the time a refresh takes.
TOMBSTONES = dt.timedelta(days=29)
# Changes that come while a refresh runs are read after it, so many times at most.
ROUNDS = 4
_OF_NOTHING = hashlib.sha256().hexdigest()
# So many requests are always worth it: a refresh keeps the hashes that a full load does not know.
_FEW = 20


class _CannotTellError(Exception):
    """What was read does not add up to the library as it is: load it anew."""


def refreshed(client: Client, store: SnapshotStore, show: Progress) -> pd.DataFrame | None:
    """
    Bring the library that was remembered last up to date through the change feed, and remember it.

    Parameters
    ----------
    client : Client
    store : SnapshotStore
    show : Progress
        Finished only if a frame is returned, or an error ends it.

    Returns
    -------
    DataFrame or None
        What a full load would give, with ``content_hash`` where the feed tells it. None where a full load is
        needed: nothing of this account and address is remembered, the server has no feed, the feed forgets
        deletions before the library was seen last, or what it tells does not add up.

    Raises
    ------
    APIError
        If the service cannot be reached, refuses the key, or asks to wait too long.
    """
    try:
        kept = store.read()
    except SnapshotError:  # None yet, or damaged: a full load makes a good one.
        return None
    if not _is_usable(kept, client):
        return None
    refresh = _Refresh(client, kept, show)
    try:
        with client.reporting(show.wait):
            refresh.run()
    except (_CannotTellError, StatusError, ResponseFormatError) as error:
        if not isinstance(error, AuthenticationError | RateLimitError):
            return None
        show.finish(f"Refreshing failed: {type(error).__name__}")
        raise
    except (APIError, KeyboardInterrupt) as error:
        show.finish(f"Refreshing failed: {type(error).__name__}")
        raise
    table = merged(
        kept.table, refresh.where, refresh.read, refresh.top, refresh.gone, refresh.hashes
    )
    facts = refresh.facts(table)
    images = frame_from_table(table, facts)
    remember(
        store,
        images,
        feed=FeedPosition(refresh.cursor, client.demo_session),
        version=None if refresh.n_changes else kept.version,
    )
    show.finish(refresh.verdict(facts))
    return images


def _is_usable(kept: Snapshot, client: Client) -> bool:
    facts, feed = kept.facts, kept.feed
    return (
        facts["account"] == client.account()
        and facts["base_url"] == client.base_url
        and (feed is None or feed.demo_session == client.demo_session)
        and now() - parse_instant(facts["read_at"]) < TOMBSTONES
    )


def sha256_in(text: str | None) -> str | None:
    """Give a content hash in lower case; None for a placeholder, which would make strangers equal."""
    found = (text or "").strip().lower()
    known = re.fullmatch("[0-9a-f]{64}", found) and len(set(found)) > 1 and found != _OF_NOTHING
    return found if known else None


class _Refresh:
    """What is known so far of the library as it is now."""

    def __init__(self, client: Client, kept: Snapshot, show: Progress) -> None:
        self.client, self.kept, self.show = client, kept, show
        self.cursor = kept.feed.cursor if kept.feed else ""
        self.n_requests = 0
        self.where = {image_id: row for row, image_id in enumerate(kept.table["id"].to_pylist())}
        self._updated = kept.table["updated_at"].cast(pa.int64()).to_pylist()
        self._created = kept.table["created_at"]
        self._loaded_at = parse_instant(kept.facts["loaded_at"])
        # Changed or new, and not read yet as it is since then; in the feed's order.
        self._wanted: dict[str, dt.datetime] = {}
        self.read: dict[str, ImageRecord] = {}
        self.top: list[str] = []
        self.gone: set[str] = set()
        self.hashes: dict[str, str] = {}
        self._single_answers = False
        self._server_time: dt.datetime | None = None
        self._usage: Usage | None = None

    def run(self) -> None:
        """Read until the feed brings nothing that is not known, or the service counts what is known."""
        # A refresh that was told nothing asked for it in vain: not again until the next full load.
        facts = self.kept.facts
        counts = self.kept.feed is None or facts["total"] is not None or "usage" in facts
        for _ in range(ROUNDS):
            news = self._take_changes()
            if self._wanted:
                self._read_wanted()
            if self._wanted:
                continue  # Went away meanwhile, as the feed must tell, or is nowhere.
            self._usage = self.client.usage() if counts else None
            self.n_requests += counts
            counts = self._usage is not None
            if self._count == len(self) or (self._count is None and not news):
                return
        raise _CannotTellError

    @property
    def _count(self) -> int | None:
        """What the service counts."""
        return self._usage.n_images if self._usage else None

    def __len__(self) -> int:
        new = sum(image_id not in self.where for image_id in self.read)
        return len(self.where) + new - sum(image_id in self.where for image_id in self.gone)

    def _take_changes(self) -> bool:
        """Walk the feed to its end; tell whether it brought anything."""
        pages = read_changes(self.client, self.cursor)
        self.n_requests += 1
        if pages is None:
            raise _CannotTellError
        whole, news = self.cursor == "", False
        # The first time each image is named, and none is changed by that.
        first = self.kept.feed is None
        begin(self.show, "Reading the hashes of all images, once" if first else "Reading changes")
        told: set[str] = set()
        for number, page in enumerate(pages):
            self.n_requests += number > 0
            self._check_cost(number - _FEW)  # An endless feed included.
            if self._server_time is None:
                self._server_time = page.server_time
                if page.server_time - parse_instant(self.kept.facts["loaded_at"]) >= TOMBSTONES:
                    raise _CannotTellError
            self.cursor = page.cursor
            for change in page.changes:
                news |= self._take(change)
            if whole:
                told.update(change.id for change in page.changes)
                self.show.update(len(told), len(self.where))
        if whole and not self.where.keys() <= told | self.read.keys() | self.gone:
            raise _CannotTellError  # A feed silent about images we know would be silent when they go.
        return news

    def _take(self, change: Change) -> bool:
        image_id = change.id
        if change.op == "delete":
            news = image_id not in self.gone and (image_id in self.where or image_id in self.read)
            self.gone.add(image_id)
            self._wanted.pop(image_id, None)
            self.read.pop(image_id, None)
            return news
        self.gone.discard(image_id)
        self.hashes.pop(image_id, None)
        if content_hash := sha256_in(change.content_hash):
            self.hashes[image_id] = content_hash
        row = self.where.get(image_id)
        if image_id in self.read:
            same = self.read[image_id].updated_at == change.updated_at
        else:
            same = row is not None and self._is_read(row, change.updated_at)
        if not same:
            self._wanted[image_id] = change.updated_at
        return not same

    def _is_read(self, row: int, updated_at: dt.datetime) -> bool:
        """Tell whether a row is of that update or a later one, as far as it is known."""
        known = self._updated[row]
        # Where the listing tells no update time, what was changed before it was read is in it.
        return updated_at < self._loaded_at if known is None else known == microseconds(updated_at)

    def _read_wanted(self) -> None:
        if any(image_id not in self.where for image_id in self._wanted):
            self._read_top()
        edited = {
            image_id: self._created_on(image_id)
            for image_id in self._wanted
            if image_id in self.where
        }
        if edited:
            begin(self.show, "Reading what was edited")
        singles, windows = plan_edits(edited, self._uploads())
        self._check_cost(len(singles) + sum(n_pages for _, _, n_pages in windows))
        for first, last, n_pages in windows:
            self._read_window(first, last, n_pages)
        self._check_cost(len(self._wanted))
        wanted = list(self._wanted)
        for number, image_id in enumerate(wanted, start=1):
            self._read_single(image_id)
            self.show.update(number, len(wanted))

    def _check_cost(self, n_requests: int) -> None:
        if n_requests > max(-(-len(self.where) // MAX_PAGE_SIZE), _FEW):
            raise _CannotTellError  # To list everything is cheaper.

    def _read_top(self) -> None:
        """List from the newest upload down to the first image that was remembered."""
        begin(self.show, "Reading new uploads")
        top: dict[str, None] = {}
        for page in self.client.iter_pages():
            self.n_requests += 1
            ids = [image.id for image in page.images]
            new = {
                image_id for image_id in ids if image_id not in self.where and image_id not in top
            }
            self._take_page(page, new | self._wanted.keys())
            top |= dict.fromkeys(image_id for image_id in ids if image_id in new)
            self.show.update(len(top), None)
            if not new or any(image_id in self.where for image_id in ids):
                break
        self.top = list(top)

    def _read_window(self, first: dt.date, last: dt.date, n_pages: int) -> None:
        """List the uploads of some days; a server that ignores dates shows other images, and is left."""
        params: dict[str, Any] = {"limit": MAX_PAGE_SIZE}
        params |= {"start_date": first.isoformat(), "end_date": last.isoformat()}
        for _ in range(n_pages + 1):
            page = connection_of(self.client).get("/v1/images", _decode, params)
            self.n_requests += 1
            self._take_page(page, set(self._wanted))
            if page.next_cursor is None:
                return
            params["cursor"] = page.next_cursor

    def _take_page(self, page: Page, ids: Set[str]) -> None:
        for image in page.images:
            if image.id in ids:
                self._accept(image)

    def _accept(self, image: ImageRecord) -> None:
        since = self._wanted.get(image.id)
        late = since is not None and image.updated_at is not None and image.updated_at < since
        if late or image.id in self.gone:  # The feed knows more: it decides, or nobody does.
            return
        self.read[image.id] = image
        self._wanted.pop(image.id, None)

    def _read_single(self, image_id: str) -> None:
        self.n_requests += 1
        try:
            image = self.client.get_image(image_id)
        except (NotFoundError, ValueError):
            if not self._single_answers:  # Perhaps a server without this route.
                raise _CannotTellError from None
            return  # Stays wanted: the feed must tell that it is gone.
        self._single_answers = True
        if image.id == image_id:
            self._accept(image)

    def _created_on(self, image_id: str) -> dt.date | None:
        created = self._created[self.where[image_id]].as_py()
        return None if created is None else created.date()

    def _uploads(self) -> dict[dt.date, int]:
        """Count the remembered images by the day of their upload."""
        rows = pc.value_counts(self._created.cast(pa.date32())).to_pylist()
        return {row["values"]: row["counts"] for row in rows}

    @property
    def n_changes(self) -> int:
        """Images that came, changed or went."""
        return sum(self.counts().values())

    def counts(self) -> dict[str, int]:
        """Count what came, changed and went."""
        known = [image_id for image_id in self.read if image_id in self.where]
        return {
            "added": len(self.read) - len(known),
            "edited": self._edited,
            "deleted": sum(image_id in self.where for image_id in self.gone),
        }

    @functools.cached_property
    def _edited(self) -> int:
        """Count the images that are not as they were: one that was only read again is no edit. Asked at the end."""
        return n_edited(self.kept.table, self.where, self.read)

    def facts(self, table: pa.Table) -> Facts:
        """Say what the result is, and how it came about."""
        wrong = self.client.wrong_clock
        before = self.kept.facts
        kept = {name: found for name, found in before["checks"].items() if name != "service_time"}
        rest = cast(Facts, {name: fact for name, fact in before.items() if name != "usage"})
        return {
            **rest,
            **usage_facts(self._usage),
            "loaded_at": format_instant(self._server_time or now()),
            "read_at": format_instant(now()),
            "status": "complete",
            "n_images": len(self),
            "size_bytes": total_bytes(table["size_bytes"]),
            "total": self._count,
            "checks": {
                **kept,  # Of the load that read most of the rows.
                **({"service_time": format_instant(wrong[0])} if wrong else {}),
                "refreshed": {
                    **self.counts(),
                    "n_requests": self.n_requests,
                    "since": before["loaded_at"],
                },
            },
        }

    def verdict(self, facts: Facts) -> str:
        """Say it in one line."""
        counts = self.counts()
        counted = " as counted by the service" if self._count is not None else ""
        return (
            f"Up to date: {counts['added']:,} added, {counts['edited']:,} edited, {counts['deleted']:,} deleted "
            f"since {facts['checks']['refreshed']['since'][:16].replace('T', ' ')} UTC; "
            f"{plural(facts['n_images'], 'image')}{counted}, {format_bytes(facts['size_bytes'])}; "
            f"{plural(self.n_requests, 'request')}"
        )


def _decode(answer: Any) -> Page:
    return decode_page(
        answer.body,
        server_time=answer.server_time,
        where=answer.where,
        more=answer.more,
        total=answer.total,
    )
