"""Is an uploaded copy as the image was? Compared field by field; nothing is sent."""

from __future__ import annotations

from typing import Any

from picora_analytics.cleanup.backup.folder import Proof
from picora_analytics.client.shapes import ImageRecord

__all__ = ["differs", "looks_like_upload", "what_is_lost", "wishes_of"]


def wishes_of(image: ImageRecord) -> dict[str, Any]:
    """Give what an image shall have again, as far as it is known."""
    wishes: dict[str, Any] = {"is_public": image.is_public is True}
    if image.tags is not None:
        wishes["tags"] = list(image.tags)
    if image.title:
        wishes["title"] = image.title
    return wishes


def differs(found: Any, wish: Any) -> bool:
    """Compare a field with what it shall be; the order of tags says nothing."""
    if isinstance(wish, list):
        return found is None or sorted(found) != sorted(wish)
    return bool(found != wish)


def looks_like_upload(image: ImageRecord, proof: Proof) -> bool:
    """Tell whether an image looks exactly like an upload of this copy whose answer was lost."""
    old = proof.image
    return not (
        image.title
        or image.filename != (old.filename or proof.file)
        or differs(image.tags, list(old.tags or ()))
        or image.is_public is not (old.is_public is True)
    )


def what_is_lost(proof: Proof, image: ImageRecord) -> list[str]:
    """Say what is not as it was, old and new."""
    wishes = {"filename": proof.image.filename or proof.file, **wishes_of(proof.image)}
    lost = [
        f"its {name} was {value!r} and is {getattr(image, name)!r}"
        for name, value in wishes.items()
        if differs(getattr(image, name), value)
    ]
    if image.size_bytes not in (None, proof.size_bytes):
        lost.append(f"it had {proof.size_bytes:,} bytes and has {image.size_bytes:,}")
    if proof.image.is_public is None:
        lost.append("nobody knows whether it was public, so it is private now")
    return lost
