"""What an edit must leave alone: tags and title that an image had before, whatever the service makes of a PATCH."""

from __future__ import annotations

from collections.abc import Collection

from picora_analytics.client import changes
from picora_analytics.client.client import Client
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import APIError
from picora_analytics.text import plural, shorten

__all__ = ["give_back", "lost_by"]


def lost_by(
    tags: Collection[str] | None, title: str | None, now: ImageRecord, *, whole: bool
) -> list[str]:
    """
    Say what an image lacks now of the tags and the title that it should have.

    Parameters
    ----------
    tags : collection of str or None
    title : str or None
    now : ImageRecord
    whole : bool
        Whether a title that is not told is none: so of an image that was read, not of an answer to an edit.
    """
    gone = [] if now.tags is None else [tag for tag in tags or () if tag not in now.tags]
    found = [f"{plural(len(gone), 'tag')} ({shorten(', '.join(gone), 60)})"] if gone else []
    if title and now.title != title and (whole or now.title is not None):
        found.append(f"its title ({shorten(title, 60)})")
    return found


def give_back(
    client: Client,
    image_id: str,
    tags: Collection[str] | None,
    title: str | None,
    is_public: bool | None,
) -> str:
    """Write tags, title and visibility of before, and say whether the image has them now."""
    wanted = {"tags": None if tags is None else list(tags), "title": title, "is_public": is_public}
    try:
        changes.edit(client, image_id, {key: one for key, one in wanted.items() if one is not None})
        left = lost_by(tags, title, client.get_image(image_id), whole=True)
    except APIError as error:
        return f"giving it back failed: {error}"
    return f"it still lacks {' and '.join(left)}" if left else "it has that back"
