"""Read what is on the service now, by the fewest requests that can be believed. Only reads are sent."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple, cast

import pandas as pd

from picora_analytics.cleanup.plan.columns import among
from picora_analytics.cleanup.plan.guard import Amount, State, states_of
from picora_analytics.client.client import MAX_PAGE_SIZE, Client
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import (
    IncompleteLoadError,
    NotFoundError,
    ResponseFormatError,
    StatusError,
)
from picora_analytics.library.frame import Facts, facts_of, frame_from_table
from picora_analytics.library.load.loading import load_images
from picora_analytics.library.rows import table_of

__all__ = ["Current", "Lookup"]


class Current(NamedTuple):
    """What was read: the wanted images that exist, how large the library is, and its listing if there was one."""

    states: dict[str, State]
    library: Amount
    listing: pd.DataFrame | None


class Lookup:
    """
    Read the current state of some images: one by one, or by listing the library, whichever takes fewer requests.

    Parameters
    ----------
    client : Client
    n_images : int
        How many images the library has, about.
    n_others : int
        How many of them are not to be deleted: a listing without any image is no evidence while there are some.
    """

    def __init__(self, client: Client, n_images: int, n_others: int = 0) -> None:
        self._client = client
        self._n_images, self._n_others = n_images, n_others
        self._single_reads = True

    def reads_singly(self, n: int) -> bool:
        """Tell whether so few images are read one by one, as far as is known."""
        # One page, the usage, and one image that is there: what single reads need besides themselves.
        return self._single_reads and n + 3 < -(-self._n_images // MAX_PAGE_SIZE)

    def n_requests(self, n: int) -> int:
        """Give how many requests it takes, about, to look at so many images."""
        pages = -(-self._n_images // MAX_PAGE_SIZE)
        return n + 3 if self.reads_singly(n) else max(pages, 1)

    def look(self, ids: Collection[str]) -> Current:
        """
        Look at images.

        Raises
        ------
        IncompleteLoadError
            If the library had to be listed, and could not be read whole, or was said to be empty.
        """
        if self.reads_singly(len(ids)):
            seen = self._one_by_one(ids)
            if seen is not None:
                return seen
            self._single_reads = False
        listing = self._list()
        if not len(listing) and self._n_others:
            raise IncompleteLoadError(
                f"The service lists no image at all, where {self._n_others:,} should stay beside the planned ones; "
                "that is no proof that the planned ones are gone. Try again later.",
                images=listing,
            )
        facts = cast(Facts, facts_of(listing))
        self._n_images = facts["n_images"]
        states = states_of(listing[among(listing.index, ids)], demo=self._client.demo)
        return Current(states, Amount(facts["n_images"], facts["size_bytes"]), listing)

    def _list(self) -> pd.DataFrame:
        """List the library; that it is empty is confirmed by a second listing."""
        try:
            listing = load_images(self._client, store=None, progress=False)
        except IncompleteLoadError as error:
            if len(error.images):
                raise
        else:
            if len(listing):
                return listing
        return load_images(self._client, store=None, progress=False)

    def _one_by_one(self, ids: Collection[str]) -> Current | None:
        """Read images singly; None where that cannot be believed: the seed document does not know the route."""
        found: list[ImageRecord] = []
        try:
            page = next(self._client.iter_pages(page_size=1))
            usage = self._client.usage()
            if usage is None or usage.n_images is None or usage.size_bytes is None:
                return None
            if page.total not in (None, usage.n_images) or not page.images:
                return None
            # A 404 is about an image only where this route has answered 200, and a difference counts only where
            # the route agrees with the listing that the plan was made from.
            known = page.images[0]
            if self._states([self._client.get_image(known.id)]) != self._states([known]):
                return None
            for image_id in ids:
                try:
                    record = self._client.get_image(image_id)
                except NotFoundError:
                    continue
                if record.id != image_id:
                    return None
                found.append(record)
        except (StatusError, ResponseFormatError):
            return None
        return Current(self._states(found), Amount(usage.n_images, usage.size_bytes), None)

    def _states(self, records: list[ImageRecord]) -> dict[str, State]:
        """Give the states of single records as a frame would have them: a missing type is derived there."""
        columns = {
            name: [getattr(record, name) for record in records]
            for name in ImageRecord.__struct_fields__
        }
        return states_of(frame_from_table(table_of(columns)), demo=self._client.demo)
