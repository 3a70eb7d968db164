"""The calls that change Picora. Only `cleanup/` imports this module; a test keeps it so."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from picora_analytics.client.answers import GatewayError, is_lost
from picora_analytics.client.bodies import decode_answer, decode_object
from picora_analytics.client.client import Client, connection_of, image_path
from picora_analytics.client.masking import mask
from picora_analytics.client.shapes import ImageRecord, decode_image
from picora_analytics.errors import APIError, NotFoundError, ResponseFormatError, StatusError

__all__ = [
    "MAX_BATCH",
    "BatchUnknownError",
    "Result",
    "Uploaded",
    "delete_batch",
    "delete_one",
    "edit",
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
    """
    This server seems to have no batch route; whether it carried out a part is to be looked up.

    Attributes
    ----------
    may_be_done : bool
        Whether its answer speaks of single items, so that it may have begun with the others, or comes from
        something in between, so that it may have done all of it.
    """

    def __init__(self, *, may_be_done: bool = False) -> None:
        super().__init__()
        self.may_be_done = may_be_done


def delete_one(
    client: Client, image_id: str, before_send: Callable[[], None] | None = None
) -> Result:
    """
    Delete one image: 204, or 200 with a body that does not say otherwise, is deleted (seed document: 204, empty).

    `before_send` is called after every wait, right before the request; what it raises stops it unsent.

    Raises
    ------
    AuthenticationError, PermissionDeniedError
        At once: the rest would be refused as well.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]+", image_id):
        return Result(
            "failed",
            f"the id {mask(image_id, 40)!r} holds what no id of Picora's holds, and a gateway might read it as another "
            "image's; it was not sent in an address. Delete it on Picora's own page.",
        )
    path = image_path(image_id)
    try:
        answer = connection_of(client).send(
            "DELETE", path, tier="mutation", timeout=PATIENCE, before_send=before_send
        )
        if answer.body.strip():
            decode_answer(answer.body, where=answer.where)
    except NotFoundError:  # The seed document knows this route, so its 404 is about the image.
        return Result("gone")
    except APIError as error:
        if is_lost(error):
            return Result("unknown", str(error))
        if isinstance(error, StatusError) and error.status_code in (401, 403, 429):
            raise
        return Result("failed", str(error))
    if answer.status not in (200, 204):
        return Result("unknown", f"{answer.where} answered {answer.status}, which leaves it open")
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
        answer = connection_of(client).send(
            "DELETE",
            "/v1/media",
            tier="mutation",
            timeout=PATIENCE,
            before_send=before_send,
            json=body,
        )
        if answer.status != 200:
            raise ResponseFormatError(
                f"{answer.where} answered {answer.status}, which leaves it open what was deleted."
            )
        data = decode_object(answer.body, where=answer.where)
    except StatusError as error:
        if error.status_code in (404, 405, 501) or (
            error.status_code == 422 and not isinstance(error, GatewayError)
        ):
            may_be_done = (
                error.status_code in (422, 501)
                or "item" in str(error).lower()
                or isinstance(error, GatewayError)
            )
            raise BatchUnknownError(may_be_done=may_be_done) from error
        if error.status_code in (401, 403, 429) and not isinstance(error, GatewayError):
            raise
        return dict.fromkeys(ids, Result("unknown", str(error)))
    except APIError as error:
        return dict.fromkeys(ids, Result("unknown", str(error)))
    results: dict[str, Result] = {}
    for one in _list(data, "deleted"):
        results[str(one)] = Result("deleted")
    for entry in _list(data, "failed"):
        if isinstance(entry, dict):
            reason = mask(str(entry.get("reason") or "no reason given"), 200)
            results[str(entry.get("id"))] = Result("refused", reason)
    foreign = set(results) - set(ids)
    if foreign:
        raise ResponseFormatError(
            f"{answer.where} speaks of {mask(min(foreign), 80)!r}, which was not asked for; the run stops here."
        )
    silent = Result("unknown", "the answer does not mention it")
    return {one: results.get(one, silent) for one in ids}


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
    answer = connection_of(client).send(
        "POST",
        "/v1/images",
        form={"data": fields, "files": {"file": (filename, data, mime_type)}},
        tier="upload",
        timeout=PATIENCE + len(data) / SLOW_LINE,
    )
    return Uploaded(decode_image(answer.body, where=answer.where), answer.duplicate)


def edit(
    client: Client,
    image_id: str,
    changes: dict[str, Any],
    before_send: Callable[[], None] | None = None,
) -> ImageRecord:
    """
    Set `title`, `tags` (the whole list) or `is_public` of an image (OpenAPI 0.7.0: PATCH, snake_case).

    `before_send` is called after every wait, right before the request; what it raises stops it unsent.

    Raises
    ------
    APIError
        If it was refused, or the answer was lost.
    """
    answer = connection_of(client).send(
        "PATCH",
        image_path(image_id),
        tier="mutation",
        timeout=PATIENCE,
        before_send=before_send,
        json=changes,
    )
    if answer.status != 200:
        raise ResponseFormatError(
            f"{answer.where} answered {answer.status}, which leaves it open what was changed."
        )
    return decode_image(answer.body, where=answer.where)


def _list(data: dict[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []
