"""Is an uploaded image as the old one was? Compared field by field; nothing is sent."""

from __future__ import annotations

from typing import Any

from picora_analytics.cleanup.backup.folder import Proof
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.text import plural, visible

__all__ = ["differs", "looks_like_upload", "wanted_fields", "what_is_lost"]


def wanted_fields(image: ImageRecord) -> dict[str, Any]:
    """Give the fields that an image should have again, as far as they are known."""
    wanted: dict[str, Any] = {"is_public": image.is_public is True}
    if image.tags is not None:
        wanted["tags"] = list(image.tags)
    if image.title:
        wanted["title"] = image.title
    return wanted


def differs(found: Any, wanted: Any) -> bool:
    """Compare a field with what it should be; the order of tags does not matter."""
    if isinstance(wanted, list):
        return found is None or sorted(found) != sorted(wanted)
    return bool(found != wanted)


def looks_like_upload(image: ImageRecord, proof: Proof) -> bool:
    """Tell whether an image looks exactly like an upload of this file whose answer was lost."""
    old = proof.image
    return not (
        image.title
        or image.filename != (old.filename or proof.file)
        or differs(image.tags, list(old.tags or ()))
        or image.is_public is not (old.is_public is True)
    )


def what_is_lost(proof: Proof, image: ImageRecord) -> list[str]:
    """List what is not as it was, old and new."""
    wanted = {"filename": proof.image.filename or proof.file, **wanted_fields(proof.image)}
    lost = [
        f"its {name} was {_shown(value)} and is {_shown(getattr(image, name))}"
        for name, value in wanted.items()
        if differs(getattr(image, name), value)
    ]
    if image.size_bytes not in (None, proof.size_bytes):
        lost.append(f"it had {plural(proof.size_bytes, 'byte')} and has {image.size_bytes:,}")
    if proof.image.is_public is None:
        lost.append("nobody knows whether it was public, so it is private now")
    return lost


def _shown(value: Any) -> str:
    """Show a field as a literal of a bounded length: names and tags are whatever somebody typed."""
    return visible(repr(value), 200)
