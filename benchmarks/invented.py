"""
A large invented library, each image rendered once, so that an answer is a slice of bytes.

About 340 bytes of JSON an image as the API document describes it, up to 8 tags each from 300 (Zipf), three years up to
the moment it is made, a fifth of the times tied to a whole minute; `skew` is the part uploaded within one week.
"""

from __future__ import annotations

import base64
import bisect
import datetime as dt
import hashlib
import itertools
import json
import random
import string
import time
from typing import Any

DAY = 86_400_000  # Times are Unix milliseconds, as Picora's answers go.
YEARS = 3 * 365 * DAY
TAGS = [
    f"{word}-{number}"
    for number in range(30)
    for word in (
        "cat",
        "roof",
        "sale",
        "menu",
        "team",
        "logo",
        "map",
        "ui",
        "blog",
        "hero",
        "beta",
        "doc",
        "old",
        "new",
        "red",
    )
]
RANKS = list(itertools.accumulate(1 / rank for rank in range(1, len(TAGS) + 1)))
KINDS = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "svg": "image/svg+xml",
}
ALPHABET = string.ascii_letters + string.digits + "-_"


class Library:
    """Images as rendered bytes, in the order of their upload."""

    def __init__(self, n_images: int, skew: float, shape: str, seed: int = 7) -> None:
        self.shape = shape
        self._rng = random.Random(seed)
        now = int(time.time()) * 1000
        self.rows: dict[str, bytes] = {}
        self._uploaded: dict[str, int] = {}
        self._updated: dict[str, tuple[int, str]] = {}  # With the kind of change: upsert or delete.
        for _ in range(n_images):
            age = self._rng.random() * YEARS
            if self._rng.random() < skew:
                age = 365 * DAY + self._rng.random() * 7 * DAY
            created = now - 60_000 - int(age)
            if self._rng.random() < 0.2:
                created -= created % 60_000
            edited = created + int(self._rng.random() * (now - created))
            self._add(created, edited if self._rng.random() < 0.1 else created)
        self._index()

    def _add(self, created: int, updated: int) -> None:
        rng = self._rng
        name = "".join(rng.choices(ALPHABET, k=11))
        kind = rng.choices(list(KINDS), (50, 25, 15, 5, 5))[0]
        width, height = rng.choice(
            ((1920, 1080), (1200, 800), (4032, 3024), (800, 800), (None, None))
        )
        tags = list(dict.fromkeys(rng.choices(TAGS, cum_weights=RANKS, k=rng.randrange(9))))
        image: dict[str, Any] = {
            "id": name,
            "userId": "u_bench_0000000000000",
            "url": f"https://media.picora.me/{name}.{kind}",
            "filename": f"IMG_{rng.randrange(10_000):04}.{kind}",
            "title": f"Picture {rng.randrange(1000)}" if rng.random() < 0.3 else None,
            "mimeType": KINDS[kind],
            "sizeBytes": int(rng.lognormvariate(12.5, 1.2)),
            "width": width,
            "height": height,
            "isPublic": rng.random() < 0.8,
            "tags": tags,
            "createdAt": _iso(created),
            "updatedAt": _iso(updated),
        }
        if self.shape == "seed":
            for new, old in (
                ("sizeBytes", "size"),
                ("isPublic", "is_public"),
                ("createdAt", "created_at"),
            ):
                image[old] = image.pop(new)
            for missing in ("userId", "title", "mimeType", "updatedAt"):
                del image[missing]
        self.rows[name] = to_json(image)
        self._uploaded[name] = created
        self._updated[name] = (updated, "upsert")

    def _index(self) -> None:
        self.listed = sorted((created, name) for name, created in self._uploaded.items())
        self.changed = sorted(
            (updated, name, what) for name, (updated, what) in self._updated.items()
        )

    def change(self, uploads: int, edits: int, deletes: int) -> None:
        """Go on living: new images, other tags and deletions, all of this moment."""
        now = int(time.time() * 1000)
        chosen = self._rng.sample(list(self.rows), edits + deletes)
        for name in chosen[:edits]:
            image = json.loads(self.rows[name])
            image |= {"tags": ["edited"], "updatedAt": _iso(now)}
            self.rows[name] = to_json(image)
            self._updated[name] = (now, "upsert")
        for name in chosen[edits:]:
            del self.rows[name], self._uploaded[name]
            self._updated[name] = (now, "delete")
        for _ in range(uploads):
            self._add(now, now)
        self._index()

    def page(self, query: dict[str, str], total: bool) -> bytes:
        """Answer ``GET /v1/images``: newest upload first, whole UTC days where dates are given."""
        low, high = 0, len(self.listed)
        if "start_date" in query:
            low = bisect.bisect_left(self.listed, (_midnight(query["start_date"]),))
        if "end_date" in query:
            high = bisect.bisect_left(self.listed, (_midnight(query["end_date"]) + DAY,))
        if cursor := query.get("cursor"):
            high = min(high, bisect.bisect_left(self.listed, _read_cursor(cursor)))
        start = max(low, high - int(query.get("limit", 20)))
        names = [name for _, name in reversed(self.listed[start:high])]
        cursor = _cursor(self.listed[start]) if start > low else None
        return b'{"success":true,"data":{"%s":[%s],"nextCursor":%s%s}}' % (
            b"items" if self.shape == "seed" else b"images",
            b",".join(map(self.rows.__getitem__, names)),
            json.dumps(cursor).encode(),
            b',"total":%d' % len(self.rows) if total else b"",
        )

    def changes(self, query: dict[str, str]) -> bytes:
        """Answer ``GET /v1/sync/state``: oldest change first."""
        since = _read_cursor(query["since"]) if query.get("since") else (0, "")
        start = bisect.bisect_right(self.changed, (*since, "~"))
        page = self.changed[start : start + int(query.get("limit", 100))]
        more = start + len(page) < len(self.changed)
        events: list[dict[str, Any]] = []
        for updated, name, what in page:
            event = {"op": what, "type": "image", "id": name, "updatedAt": _iso(updated)}
            if what == "upsert":
                image = json.loads(self.rows[name])
                event |= {
                    field: image[field]
                    for field in ("url", "sizeBytes", "mimeType", "filename", "isPublic")
                }
                event["contentHash"] = hashlib.sha256(name.encode()).hexdigest()
            events.append(event)
        cursor = _cursor(page[-1][:2]) if more else None
        return to_json(
            {"success": True, "data": {"changes": events, "nextCursor": cursor, "hasMore": more}}
        )


def to_json(value: Any) -> bytes:
    """Render as an answer's body."""
    return json.dumps(value, separators=(",", ":")).encode()


def _iso(moment: int) -> str:
    return (
        dt.datetime.fromtimestamp(moment / 1000, dt.UTC).isoformat(timespec="milliseconds")[:-6]
        + "Z"
    )


def _midnight(day: str) -> int:
    return int(dt.datetime.fromisoformat(f"{day}T00:00Z").timestamp()) * 1000


def _cursor(key: tuple[int, str]) -> str:
    return base64.urlsafe_b64encode(to_json(key)).decode()


def _read_cursor(cursor: str) -> tuple[int, str]:
    moment, name = json.loads(base64.urlsafe_b64decode(cursor))
    return moment, name
