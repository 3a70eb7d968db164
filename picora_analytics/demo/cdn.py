"""The second port of the demo: pictures by address, processed by query, private by signature."""

from __future__ import annotations

import asyncio
import hmac
import re
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from picora_analytics.demo import pictures
from picora_analytics.demo.answers import Problem
from picora_analytics.demo.image import MIME_TYPES
from picora_analytics.demo.routing import Call
from picora_analytics.demo.service import Service

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

# Docs, image processing: w and h 1 to 4096, q 1 to 100 (default 85), anything else is 400.
_FORMATS = {"webp": "webp", "jpeg": "jpg", "png": "png", "avif": "avif"}
_FITS = ("cover", "contain", "fill", "inside", "outside")


class PictureService:
    """Answers requests to the picture port."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def answer(self, request: Request, call: Call) -> Response:
        """Answer one request."""
        try:
            return await self._answer(request, call)
        except Problem as problem:
            return problem.response

    async def _answer(self, request: Request, call: Call) -> Response:
        if request.method != "GET":
            raise Problem(405, "Method not allowed")
        image_id, _, extension = request.url.path.removeprefix("/").rpartition(".")
        image = self._service.state.images.get(image_id)
        if image is None or image.extension != extension:
            raise Problem(404, "Image not found")
        query = request.query_params
        if not image.is_public:
            self._check_signature(image.id, query)
            call.authorized = True
        change = _read_change(query)
        if change is None:
            body = await asyncio.to_thread(pictures.file_bytes, image)
            served = image.extension
        else:
            body, served = await asyncio.to_thread(pictures.processed, image, change)
        headers = {"cache-control": "public, max-age=31536000" if image.is_public else "no-store"}
        return Response(body, 200, headers, media_type=MIME_TYPES[served])

    def _check_signature(self, image_id: str, query: QueryParams) -> None:
        # OpenAPI, Image.isPublic: the address of a private image answers 403.
        text, given = query.get("exp", ""), query.get("sig", "")
        if not re.fullmatch(r"[0-9]{1,12}", text):
            raise Problem(403, "This image is private")
        expected = self._service.signature(image_id, int(text))
        if not hmac.compare_digest(given.encode(), expected.encode()):
            raise Problem(403, "The signature does not fit")
        if int(text) * 1000 <= self._service.state.now:
            raise Problem(403, "The signed URL has expired")


def _read_change(query: QueryParams) -> pictures.Change | None:
    """Read the processing wished for; None for the file as it is."""
    wished = {name: value for name, value in query.multi_items() if name not in ("sig", "exp")}
    if not wished:
        return None
    for name, value in wished.items():
        highest = {"w": 4096, "h": 4096, "q": 100}.get(name)
        if highest is not None:
            fine = re.fullmatch(r"[0-9]{1,4}", value) and 1 <= int(value) <= highest
        else:
            fine = value in {"fit": _FITS, "fmt": _FORMATS}.get(name, ())
        if not fine:
            raise _bad_params(name)
    extension = _FORMATS.get(wished.get("fmt", ""))
    if extension == "avif" and not pictures.knows_avif():
        raise _bad_params("fmt")
    return pictures.Change(
        width=int(wished["w"]) if "w" in wished else None,
        height=int(wished["h"]) if "h" in wished else None,
        fit=wished.get("fit", "inside"),
        extension=extension,
        quality=int(wished.get("q", 85)),
    )


def _bad_params(name: str) -> Problem:
    return Problem(400, f"Invalid image parameter: {name}", code="INVALID_IMAGE_PARAMS")
