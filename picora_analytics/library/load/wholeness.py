"""Whether a listing is the whole library: held against what the service counts elsewhere and what was remembered."""

from __future__ import annotations

import contextlib

from picora_analytics.client.client import Client, Usage
from picora_analytics.errors import APIError, NotFoundError, SnapshotError
from picora_analytics.library.load.planning import BrokenListing
from picora_analytics.library.load.state import LoadState
from picora_analytics.library.snapshot_file import Snapshot
from picora_analytics.library.snapshots import SnapshotStore
from picora_analytics.text import plural

__all__ = ["Wholeness", "remembered_count"]

# A listing may be this many images short of what is known otherwise: counts lag behind.
FEW = 20
# Of the images that are remembered and were not listed, so many are asked for one by one.
LOOKED_FOR = 10
# A listing longer than this is compared with the service's count while it is read.
LONG = 2_000


class Wholeness:
    """
    Doubts a listing that is far shorter or far longer than what is known of the library.

    Parameters
    ----------
    client : Client
    state : LoadState
        The load as it goes.
    store : SnapshotStore or None
        Where the library was remembered.

    Attributes
    ----------
    n_looked_for : int
        How many images that were remembered and not listed are really gone: they were asked for one by one.
    usage : Usage or None
        What the service counted when it was last asked.
    """

    def __init__(self, client: Client, state: LoadState, store: SnapshotStore | None) -> None:
        self._client, self._state, self._store = client, state, store
        self._longest: float = LONG
        self.n_looked_for = 0
        self.usage: Usage | None = None

    def check_length(self) -> None:
        """
        Check a listing while it is read.

        Raises
        ------
        BrokenListing
            If it holds far more images than the service counts: it may never end.
        """
        n = self._state.n_images
        if n <= self._longest:
            return
        counted = self.counted()
        # Twice as many are no sign of a fault: the count may lag behind a large upload.
        self._longest = float("inf") if counted is None else 2 * counted + LONG
        if counted is not None and n > self._longest:
            raise BrokenListing(
                f"The listing does not end: {n:,} images so far, where the service counts {counted:,} elsewhere."
            )

    def check_end(self) -> None:
        """
        Check a listing that came to its end.

        Raises
        ------
        BrokenListing
            If it is far shorter than the library, as far as anybody knows.
        """
        n, counted, kept = self._state.n_images, self.counted(), self._remembered()
        short = counted is not None and _far_below(n, counted)
        known = f"the service counts {counted:,} elsewhere" if short else ""
        if kept is not None and _far_below(n, len(kept.table)):
            there = self._still_there(kept)
            # A count may lag behind deletions, which explain it if it is no larger than what was remembered.
            if there == 0 and not (short and _far_below(len(kept.table), counted or 0)):
                return
            known = known or f"{len(kept.table):,} were remembered"
            if there is None:
                known += ", and the missing ones could not be asked for one by one"
            elif there:
                known += f", and {there} of the {LOOKED_FOR} missing ones that were asked for are still there"
        elif not short:
            return
        raise BrokenListing(
            f"The listing held {plural(n, 'image')}, but {known}; it may have broken off without saying so."
        )

    def counted(self) -> int | None:
        """Ask how many images the service counts elsewhere."""
        with contextlib.suppress(APIError):
            self.usage = self._client.usage()
            return self.usage.n_images if self.usage is not None else None
        return None

    def _remembered(self) -> Snapshot | None:
        """Read what was remembered of this library, if the listing is far shorter."""
        if not _far_below(self._state.n_images, remembered_count(self._store)):
            return None
        try:
            kept = self._store.read() if self._store is not None else None
        except SnapshotError:
            return None  # Damaged, so nobody knows.
        here = kept is not None and kept.facts["base_url"] == self._client.base_url
        return kept if here else None

    def _still_there(self, kept: Snapshot) -> int | None:
        """Ask for some of the missing images; None where the service does not answer for single ones."""
        listed: list[str] = []
        missing: list[str] = []
        for image_id in kept.table["id"].to_pylist():
            (listed if self._state.holds(image_id) else missing).append(image_id)
        last = len(missing) - 1
        # Spread over all ages, the oldest included: a listing that breaks off lacks those.
        asked = [missing[last * i // (LOOKED_FOR - 1)] for i in range(LOOKED_FOR)]
        try:
            if listed and not self._exists(listed[0]):
                return None
            there = sum(map(self._exists, asked))
        except (APIError, ValueError):
            return None
        self.n_looked_for = LOOKED_FOR if there == 0 else 0
        return there

    def _exists(self, image_id: str) -> bool:
        try:
            return self._client.get_image(image_id).id == image_id
        except NotFoundError:
            return False


def remembered_count(store: SnapshotStore | None) -> int:
    """Give how many images were remembered last."""
    versions = store.versions() if store is not None else []
    if store is None or not versions:
        return 0
    try:
        return store.about(versions[-1])["n_images"]
    except SnapshotError:
        return 1  # There was a library; the file that knew how large is damaged.


def _far_below(n: int, known: int) -> bool:
    return n < known - max(FEW, known // 10)
