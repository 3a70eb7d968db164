"""The library as the running service holds it: sorted, counted, and open to change."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from picora_analytics.demo.image import NOW, DemoImage, milliseconds

GIB = 2**30

Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Deletion:
    """One image gone: which, when by the demo clock (ms), and ``"api"`` or ``"other user"``."""

    id: str
    deleted_at: int
    by: str
    image: DemoImage


class LibraryState:
    """
    All images of the demo account, in the orders its answers need.

    The clock stands still until something changes; each change is one millisecond later
    than the one before, the finest time the API writes. Methods may be called from any
    thread.
    """

    def __init__(self, images: list[DemoImage]) -> None:
        self.lock = threading.RLock()
        self.now = milliseconds(NOW)
        self.images = {image.id: image for image in images}
        self.deleted: list[Deletion] = []
        self.size_bytes = sum(image.size_bytes for image in images)
        self._by_creation = sorted((image.created_at, image.id) for image in images)
        self._by_update = sorted((image.updated_at, image.id) for image in images)
        self._tombstones: dict[Key, Deletion] = {}

    def tick(self) -> int:
        """Move the clock by a millisecond and tell the time."""
        with self.lock:
            self.now += 1
            return self.now

    def add(self, image: DemoImage) -> DemoImage:
        """Add a new image."""
        with self.lock:
            if image.id in self.images:
                raise ValueError(f"the demo library already has an image {image.id!r}")
            self.images[image.id] = image
            self.size_bytes += image.size_bytes
            insort(self._by_creation, (image.created_at, image.id))
            insort(self._by_update, (image.updated_at, image.id))
            return image

    def edit(self, image_id: str, **changes: Any) -> DemoImage:
        """Change fields of an image and move its update time."""
        with self.lock:
            old = self.images[image_id]
            new = replace(old, **{"updated_at": self.tick(), **changes})
            self.images[image_id] = new
            self.size_bytes += new.size_bytes - old.size_bytes
            self._drop(self._by_update, (old.updated_at, image_id))
            insort(self._by_update, (new.updated_at, image_id))
            if new.created_at != old.created_at:
                self._drop(self._by_creation, (old.created_at, image_id))
                insort(self._by_creation, (new.created_at, image_id))
            return new

    def remove(self, image_id: str, by: str) -> None:
        """Delete an image; the change feed keeps a tombstone."""
        with self.lock:
            image = self.images.pop(image_id)
            self.size_bytes -= image.size_bytes
            self._drop(self._by_creation, (image.created_at, image_id))
            self._drop(self._by_update, (image.updated_at, image_id))
            deletion = Deletion(image_id, self.tick(), by, image)
            self.deleted.append(deletion)
            self._tombstones[deletion.deleted_at, image_id] = deletion
            insort(self._by_update, (deletion.deleted_at, image_id))

    def older_than(self, key: Key | None) -> Iterator[DemoImage]:
        """Images newest first, those strictly before a (created_at, id) only."""
        keys = self._by_creation
        end = len(keys) if key is None else bisect_left(keys, key)
        for index in range(end - 1, -1, -1):
            yield self.images[keys[index][1]]

    def changes_after(self, key: Key | None, limit: int) -> list[DemoImage | Deletion]:
        """Up to ``limit`` changes by (updated_at, id), oldest first, strictly after a key."""
        start = 0 if key is None else bisect_right(self._by_update, key)
        keys = self._by_update[start : start + limit]
        return [self._tombstones.get(key) or self.images[key[1]] for key in keys]

    @staticmethod
    def _drop(keys: list[Key], key: Key) -> None:
        del keys[bisect_left(keys, key)]


def quota_for(size_bytes: int) -> int:
    """The smallest plan that holds the library."""
    for quota in (GIB * 3 // 2, 5 * GIB, 50 * GIB, 500 * GIB):
        if size_bytes <= quota:
            return quota
    return 2 * size_bytes
