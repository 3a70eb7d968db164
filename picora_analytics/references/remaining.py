"""Which old ids are still found in a file after it was rewritten, as a search for references would find them."""

from __future__ import annotations

import io
from collections.abc import Collection

from picora_analytics.references import scanning
from picora_analytics.references.coverage import Coverage
from picora_analytics.references.rewriting import Place
from picora_analytics.references.sources import texts_of

__all__ = ["remaining"]


def remaining(data: bytes, scanner: scanning.Scanner, named: Collection[Place]) -> list[Place]:
    """
    Find the old ids in what a file will hold, but for the places that are named already.

    Parameters
    ----------
    data : bytes
        The file as it will be, or the archive.
    scanner : Scanner
        For the old ids.
    named : collection of Place
        What :func:`rewrite` says of the file.
    """
    known = {(place.line, place.old) for place in named if place.left}
    found: dict[Place, None] = {}
    for one in scanner.scan(texts_of(io.BytesIO(data), "", Coverage(""))):
        if not isinstance(one, scanning.Place) or not one.exact:
            continue
        member = one.source.removeprefix("!")
        line = 0 if member else one.line
        why = (
            f"it stands in {member!r} of an archive"
            if member
            else "it is escaped in a way that is not written anew"
        )
        if (line, one.image_id) not in known and (0, one.image_id) not in known:
            found[Place(line, one.image_id, why)] = None
    return list(found)
