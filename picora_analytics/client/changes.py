"""The calls that change Picora. Only `cleanup/` imports this module; a test keeps it so."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from picora_analytics.client.bodies import decode_object
from picora_analytics.client.client import Client
from picora_analytics.client.connection import Answer, mask
from picora_analytics.client.pacing import Tier
from picora_analytics.client.shapes import ImageRecord, decode_image
from picora_analytics.errors import (
    NotFoundError,
    RateLimitError,
    ResponseFormatError,
    StatusError,
    TransportError,
)

__all__ = [
    "MAX_BATCH",
    "BatchUnknownError",
    "Result",
    "Uploaded",
    "delete_batch",
    "delete_one",
    "edit",
    "sign",
    "upload",
]

MAX_BATCH = 100  # OpenAPI 0.7.0: DELETE /v1/media, maxItems.
# A batch deletes image by image on the server, so it may take long; a cut answer is an unknown one.
PATIENCE = 120.0
# An upload may go over a slow line: so many bytes a second are waited for on top.
SLOW_LINE = 50_000


class Result(NamedTuple):
    """What one answer says of one image: deleted, gone, failed, refused (in a batch) or unknown."""

    word: str
    reason: str = ""


class Uploaded(NamedTuple):
    """The image an upload gave, and whether its bytes were in the library before."""

    image: ImageRecord
    duplicate: bool


class BatchUnknownError(Exception):
    """This server has no batch route; nothing was deleted."""


def delete_one(
    client: Client, image_id: str, before_send: Callable[[], None] | None = None
) -> Result:
    """
    Delete one image; any 2xx is deleted, and no body is read (seed document: 204, empty).

    `before_send` is called after every wait, right before the request; what it raises stops it unsent.

    Raises
    ------
    AuthenticationError, PermissionDeniedError
        At once: the rest would be refused as well.
    """
    try:
        _send(client, "DELETE", _path(image_id), before_send=before_send)
    except NotFoundError:  # The seed document knows this route, so its 404 is about the image.
        return Result("gone")
    except (TransportError, ResponseFormatError) as error:
        return Result("unknown", str(error))
    except StatusError as error:
        if error.status_code in (401, 403, 429):
            raise
        # Below 500 the server refused; from 500 on, and after a time-out, nobody knows what it did first.
        lost = error.status_code >= 500 or error.status_code == 408
        return Result("unknown" if lost else "failed", str(error))
    return Result("deleted")


def delete_batch(
    client: Client, ids: Sequence[str], before_send: Callable[[], None] | None = None
) -> dict[str, Result]:
    """
    Delete up to 100 images by one request, with a result for each id; `before_send` as for one image.

    Returns
    -------
    dict of str to Result
        ``refused`` are those the answer calls failed: look them up, the reason is only for showing. An id
        the answer does not mention is unknown.

    Raises
    ------
    BatchUnknownError
        If this server has no such route (404, 405, 422, 501).
    AuthenticationError, PermissionDeniedError
        At once.
    ResponseFormatError
        If the answer speaks of an id that was not asked for.
    """
    body = {"items": [{"id": one, "type": "image"} for one in ids]}
    try:
        answer = _send(client, "DELETE", "/v1/media", before_send=before_send, json=body)
        data = decode_object(answer.body, where=answer.where)
    except (TransportError, ResponseFormatError) as error:
        return dict.fromkeys(ids, Result("unknown", str(error)))
    except StatusError as error:
        if error.status_code in (404, 405, 422, 501):
            raise BatchUnknownError from error
        if error.status_code in (401, 403, 429):
            raise
        return dict.fromkeys(ids, Result("unknown", str(error)))
    results: dict[str, Result] = {}
    for one in _list(data, "deleted"):
        results[str(one)] = Result("deleted")
    for entry in _list(data, "failed"):
        if isinstance(entry, dict):
            reason = mask(str(entry.get("reason") or "no reason given"))[:200]
            results[str(entry.get("id"))] = Result("refused", reason)
    foreign = set(results) - set(ids)
    if foreign:
        raise ResponseFormatError(
            f"{answer.where} speaks of {min(foreign)[:60]!r}, which was not asked for; the run stops here."
        )
    silent = Result("unknown", "the answer does not mention it")
    return {one: results.get(one, silent) for one in ids}


def sign(client: Client, image_id: str, stop: threading.Event | None = None) -> str:
    """
    Ask for an address that opens a private image for an hour; nothing in the library changes.

    `stop` ends every wait when set, with a :exc:`StoppedError`.

    Raises
    ------
    APIError
        If none was granted: the key lacks the scope (403), or the server has no such route (404, 405, 501).
    """
    answer = _send(client, "POST", f"{_path(image_id)}/sign", tier="upload", stop=stop)
    url = decode_object(answer.body, where=answer.where).get("signedUrl")
    if not isinstance(url, str) or not url:
        raise ResponseFormatError(f"{answer.where} answered no signedUrl.")
    return url


def upload(
    client: Client,
    data: bytes,
    *,
    filename: str,
    mime_type: str,
    tags: Sequence[str],
    is_public: bool,
) -> Uploaded:
    """
    Upload a file, once: after a lost answer nobody knows whether it is there (SDK: never repeated).

    Raises
    ------
    APIError
        Below 500 nothing was stored; else look before sending again.
    """
    # OpenAPI 0.7.0: tags are a JSON text, isPublic is the text true or false.
    fields = {
        "tags": json.dumps(list(tags), ensure_ascii=False),
        "isPublic": "true" if is_public else "false",
    }
    answer = _send(
        client,
        "POST",
        "/v1/images",
        form={"data": fields, "files": {"file": (filename, data, mime_type)}},
        tier="upload",
        timeout=PATIENCE + len(data) / SLOW_LINE,
    )
    return Uploaded(decode_image(answer.body, where=answer.where), answer.duplicate)


def edit(client: Client, image_id: str, changes: dict[str, Any]) -> ImageRecord:
    """
    Set `title`, `tags` (the whole list) or `is_public` of an image (OpenAPI 0.7.0: PATCH, snake_case).

    Raises
    ------
    APIError
        If it was refused, or the answer was lost.
    """
    answer = _send(client, "PATCH", _path(image_id), json=changes)
    return decode_image(answer.body, where=answer.where)


def _path(image_id: str) -> str:
    return f"/v1/images/{quote(image_id, safe='')}"


def _list(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _send(
    client: Client,
    method: str,
    path: str,
    *,
    tier: Tier = "mutation",
    timeout: float = PATIENCE,
    stop: threading.Event | None = None,
    before_send: Callable[[], None] | None = None,
    **body: Any,
) -> Answer:
    """Send one request at the pace of its tier; a 429 did nothing, so only that is sent again."""
    connection = client._connection
    where = f"{method} {path} at {connection.host}"
    deadline = time.monotonic() + connection.max_wait
    while True:
        connection.pace(tier, deadline, where, stop)
        if before_send is not None:
            try:
                before_send()
            except BaseException:
                connection.pacer.lost(tier)
                raise
        try:
            return connection.once(method, path, where, tier=tier, timeout=timeout, **body)
        except RateLimitError as error:
            connection.wait_refused(tier, error, deadline, stop=stop)
