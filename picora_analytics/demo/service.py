"""
The calls of the Picora API, answered from the demo library.

Paths, bounds, fields and status codes follow Picora's OpenAPI document 0.7.0 and, for the
two oldest calls, the Images API page (``shape="seed"``). Where both are silent, the answer
is ours and said so at the spot.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import json
import math
import random
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import Response

from picora_analytics.demo import pictures
from picora_analytics.demo.answers import (
    Problem,
    answer,
    not_found,
    read_cursor,
    read_date,
    read_int,
    read_object,
    read_tags,
    success,
    timestamp,
    write_cursor,
)
from picora_analytics.demo.image import ID_ALPHABET, DemoImage, moment_of
from picora_analytics.demo.limits import RateLimits
from picora_analytics.demo.routing import Account, Call, Handler, Router
from picora_analytics.demo.state import Deletion, LibraryState

# Upload page: at most 50 MB, SVG 2 MB.
_MAX_UPLOAD, _MAX_SVG = 50 * 2**20, 2 * 2**20


class Service(Router):
    """Answers requests to the API port."""

    def __init__(self, state: LibraryState, account: Account, limits: RateLimits | None) -> None:
        super().__init__(state, account, limits)
        self._rng = random.Random(0x1D5)  # noqa: S311  ids of invented pictures
        one, sign = r"/v1/images/([^/]+)", r"/v1/images/([^/]+)/sign"
        read, write, delete = "images:read", "images:write", "images:delete"
        # Tiers and scopes: OpenAPI x-rate-limit-tier and x-required-scope, in the key page's words.
        table: list[tuple[str, str, str | None, str | None, Handler]] = [
            ("GET", "/v1/images", "read", read, self.list_images),
            ("DELETE", one, "mutation", delete, self.delete_image),
        ]
        if not account.seed_only:
            table += [
                ("GET", one, "read", read, self.get_image),
                ("PATCH", one, "mutation", write, self.edit_image),
                ("DELETE", "/v1/images", "mutation", delete, self.delete_images),
                ("POST", "/v1/images", "upload", write, self.upload_image),
                ("POST", sign, "upload", write, self.sign_image),
                ("DELETE", "/v1/media", "mutation", delete, self.delete_media),
                ("GET", "/v1/sync/state", "read", read, self.list_changes),
                ("GET", "/v1/auth/verify", "read", None, self.verify),
                ("GET", "/v1/user/me/usage", "read", "usage:read", self.usage),
                ("GET", "/v1/user/me/rate-limits", None, "usage:read", self.rate_limits),
                ("GET", "/health", None, None, self.health),
            ]
        for method, path, tier, scope, handler in table:
            self.route(method, path, tier, scope, handler)

    async def list_images(self, request: Request, call: Call) -> Response:
        """Answer ``GET /v1/images``."""
        query = request.query_params
        limit = read_int(query.get("limit"), "limit", 1, 100, default=20)
        after = read_cursor(query.get("cursor"), "createdAt", 422)
        tag = query.get("tag")
        first, last = dt.date.min, dt.date.max
        if not self.account.seed_only:
            first = read_date(query.get("start_date"), "start_date", first)
            last = read_date(query.get("end_date"), "end_date", last)
        dated = (first, last) != (dt.date.min, dt.date.max)
        page: list[DemoImage] = []
        more = False
        with self.state.lock:
            for image in self.state.older_than(after):
                if tag is not None and tag not in image.tags:
                    continue
                if dated:
                    day = (moment_of(image.created_at) + self.account.time_zone).date()
                    if day < first:
                        break
                    if day > last:
                        continue
                if more := len(page) == limit:
                    break
                page.append(image)
            total = len(self.state.images)
        cursor = write_cursor("createdAt", page[-1].created_at, page[-1].id) if more else None
        records = [self.record(image) for image in page]
        if self.account.shape == "current":
            return success({"images": records, "nextCursor": cursor})
        extra = {"total": total} if self.account.total else {}
        return success({"items": records, "nextCursor": cursor, **extra})

    async def get_image(self, request: Request, call: Call) -> Response:
        """Answer ``GET /v1/images/{id}``."""
        return success(self.record(self._find(request)))

    async def list_changes(self, request: Request, call: Call) -> Response:
        """Answer ``GET /v1/sync/state``; malformed values are 400 here, not 422."""
        query = request.query_params
        kind = query.get("type", "all")
        if kind not in ("image", "video", "audio", "all"):
            raise Problem(400, "type: must be image, video, audio or all")
        limit = read_int(query.get("limit"), "limit", 1, 500, default=100, status=400)
        after = read_cursor(query.get("since"), "ts", 400)
        with self.state.lock:
            found = self.state.changes_after(after, limit + 1) if kind in ("image", "all") else []
        page, more = found[:limit], len(found) > limit
        changes = await asyncio.to_thread(lambda: [self._change(change) for change in page])
        last = page[-1] if page else None
        cursor = write_cursor("ts", _changed_at(last), last.id) if more and last else None
        return success({"changes": changes, "nextCursor": cursor, "hasMore": more})

    def _change(self, change: DemoImage | Deletion) -> dict[str, Any]:
        event = {"type": "image", "id": change.id, "updatedAt": timestamp(_changed_at(change))}
        if isinstance(change, Deletion):
            return {"op": "delete", **event}
        return {
            "op": "upsert",
            **event,
            "url": self.url(change),
            "contentHash": pictures.content_hash(change),
            "sizeBytes": change.size_bytes,
            "mimeType": change.mime_type,
            "filename": change.filename,
            "isPublic": change.is_public,
        }

    async def verify(self, request: Request, call: Call) -> Response:
        """Answer ``GET /v1/auth/verify``."""
        return success(
            {
                "valid": True,
                "userId": self.account.user_id,
                "plan": "pro",
                "authType": "apiKey",
                "apiKeyId": "k_demo0key0of0picora01",
            }
        )

    async def usage(self, request: Request, call: Call) -> Response:
        """Answer ``GET /v1/user/me/usage``; ``planLimits`` is known from the desktop client."""
        with self.state.lock:
            images = list(self.state.images.values())
            now, stored = self.state.now, self.state.size_bytes
        today = moment_of(now).replace(hour=0, minute=0, second=0, microsecond=0)
        day, month = (int(t.timestamp() * 1000) for t in (today, today.replace(day=1)))
        public = sum(image.is_public for image in images)
        return success(
            {
                "plan": "pro",
                "images": {
                    "storageUsed": stored,
                    "bandwidthUsed": stored // 3,
                    "uploadCountToday": sum(image.created_at >= day for image in images),
                    "uploadCountMonth": sum(image.created_at >= month for image in images),
                    "totalCount": len(images),
                    "publicCount": public,
                    "privateCount": len(images) - public,
                },
                "videos": {"storageUsed": 0, "bandwidthUsed": 0},
                "planLimits": {
                    "imgStorageBytes": self.account.quota_bytes,
                    "imgUploadMonth": 50_000,
                },
                "updatedAt": timestamp(now),
            }
        )

    async def rate_limits(self, request: Request, call: Call) -> Response:
        """Answer ``GET /v1/user/me/rate-limits``, which is free."""
        status = (self.limits or RateLimits()).status()
        return success(
            {
                tier: {
                    "limit": verdict.limit,
                    "remaining": verdict.remaining,
                    "resetSeconds": math.ceil(verdict.reset),
                    "resetAt": timestamp(self.state.now + math.ceil(verdict.reset) * 1000),
                }
                for tier, verdict in status.items()
            }
        )

    async def health(self, request: Request, call: Call) -> Response:
        """Answer ``GET /health``, which has no envelope."""
        features = {"kb": False, "mediaListingV2": True}
        body = {"ok": True, "ts": timestamp(self.state.now), "version": "demo"}
        return answer({**body, "features": features})

    async def edit_image(self, request: Request, call: Call) -> Response:
        """Answer ``PATCH /v1/images/{id}``; tags are replaced as a whole."""
        image = self._find(request)
        body = await read_object(request)
        changes: dict[str, Any] = {}
        if "title" in body:
            if not isinstance(body["title"], str):
                raise Problem(422, "Validation error: title must be a string")
            changes["title"] = body["title"]
        if "tags" in body:
            changes["tags"] = read_tags(body["tags"])
        if "is_public" in body:
            if not isinstance(body["is_public"], bool):
                raise Problem(422, "Validation error: is_public must be a boolean")
            changes["is_public"] = body["is_public"]
        with self.state.lock:
            if image.id not in self.state.images:
                raise not_found()
            return success(self.record(self.state.edit(image.id, **changes)))

    async def delete_image(self, request: Request, call: Call) -> Response:
        """Answer ``DELETE /v1/images/{id}``: 204 in the seed's shape, else 200."""
        image = self._find(request)
        call.ids = self._delete([image.id])
        if not call.ids:
            raise not_found()
        return Response(status_code=204) if self.account.shape == "seed" else success(None)

    async def delete_images(self, request: Request, call: Call) -> Response:
        """Answer ``DELETE /v1/images``: counts only, never which."""
        ids = (await read_object(request)).get("ids")
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            raise Problem(422, "Validation error: ids must be a list of strings")
        if not 1 <= len(ids) <= 50:
            raise Problem(422, "Validation error: ids must hold 1 to 50 ids")
        call.ids = self._delete(ids)
        return success({"deleted": len(call.ids), "failed": len(ids) - len(call.ids)})

    async def delete_media(self, request: Request, call: Call) -> Response:
        """Answer ``DELETE /v1/media``: one result per id."""
        items = (await read_object(request)).get("items")
        if not isinstance(items, list) or not 1 <= len(items) <= 100:
            raise Problem(422, "Validation error: items must hold 1 to 100 items")
        for item in items:
            if not isinstance(item, dict) or not isinstance(item.get("id"), str):
                raise Problem(422, "Validation error: each item needs an id and a type")
            if item.get("type") not in ("image", "video", "audio"):
                raise Problem(422, "Validation error: type must be image, video or audio")
        deleted, failed = [], []
        for item in items:
            if item["type"] == "image" and self._delete([item["id"]]):
                deleted.append(item["id"])
            else:
                failed.append({"id": item["id"], "type": item["type"], "reason": "Not found"})
        call.ids = tuple(deleted)
        return success({"deleted": deleted, "failed": failed})

    def _delete(self, ids: list[str]) -> tuple[str, ...]:
        """Delete what is there and return it; a repeated id counts as failed the second time."""
        done = []
        with self.state.lock:
            for image_id in ids:
                if image_id in self.state.images:
                    self.state.remove(image_id, by="api")
                    done.append(image_id)
        return tuple(done)

    async def upload_image(self, request: Request, call: Call) -> Response:
        """Answer ``POST /v1/images``; the same bytes again give the image that has them."""
        try:
            async with request.form(max_part_size=_MAX_UPLOAD + 1) as form:
                file, tags, public = (
                    form.get("file"),
                    form.get("tags"),
                    form.get("isPublic", "true"),
                )
                if not isinstance(file, UploadFile):
                    raise Problem(422, "Validation error: file is required")
                data, filename = await file.read(), file.filename or "untitled"
        except MultiPartException as error:
            raise Problem(422, f"Validation error: {error.message}") from None
        try:
            labels = read_tags(json.loads(tags) if isinstance(tags, str) and tags else [])
        except ValueError:
            raise Problem(422, "Validation error: tags must be a JSON array") from None
        if public not in ("true", "false"):
            raise Problem(422, "Validation error: isPublic must be true or false")
        image, is_new = await asyncio.to_thread(
            self.store, data, filename, labels, public == "true"
        )
        headers = {} if is_new else {"x-picora-duplicate": "true"}
        return success(self.record(image), 201, headers)

    def store(
        self, data: bytes, filename: str, tags: tuple[str, ...], is_public: bool
    ) -> tuple[DemoImage, bool]:
        """Add a file to the library; return its image and whether it is a new one."""
        kind = pictures.identify(data)
        if kind is None or len(data) > (_MAX_SVG if kind[0] == "svg" else _MAX_UPLOAD):
            raise Problem(422, "Validation error: not an image Picora accepts, or too large")
        extension, pixels = kind
        digest = hashlib.sha256(data).hexdigest()
        with self.state.lock:
            same_size = [i for i in self.state.images.values() if i.size_bytes == len(data)]
        for candidate in same_size:
            if candidate.extension == extension and pictures.content_hash(candidate) == digest:
                return candidate, False
        with self.state.lock:
            if self.state.size_bytes + len(data) > self.account.quota_bytes:
                raise Problem(
                    403,
                    "Quota exceeded: img_storage",
                    code="QUOTA_EXCEEDED",
                    meta={"type": "img_storage"},
                )
            while (new_id := "".join(self._rng.choices(ID_ALPHABET, k=11))) in self.state.images:
                pass
            now = self.state.tick()
            image = DemoImage(
                id=new_id,
                filename=filename,
                title=None,
                extension=extension,
                size_bytes=len(data),
                pixels=pixels,
                has_dimensions=extension != "svg",
                is_public=is_public,
                tags=tags,
                created_at=now,
                updated_at=now,
                scene="upload",
                artwork=0,
                data=data,
            )
            return self.state.add(image), True

    async def sign_image(self, request: Request, call: Call) -> Response:
        """Answer ``POST /v1/images/{id}/sign``; the expiry counts from the demo's clock."""
        image = self._find(request)
        body = await read_object(request) if await request.body() else {}
        seconds = body.get("expSeconds", 3600)
        whole = type(seconds) in (int, float) and seconds == int(
            seconds
        )  # 60.0 is an integer in JSON.
        if not whole or not 1 <= seconds <= 86_400:
            raise Problem(422, "Validation error: expSeconds must be 1 to 86400")
        expires = self.state.now // 1000 + int(seconds)
        url = f"{self.url(image)}?exp={expires}&sig={self.signature(image.id, expires)}"
        at = timestamp(expires * 1000)
        return success({"signedUrl": url, "expiresAt": at, "exp": expires})

    def signature(self, image_id: str, expires: int) -> str:
        """Sign an image id and an expiry with a secret of this account."""
        secret = hashlib.sha256(b"picora demo urls" + self.account.api_key.encode()).digest()
        return hmac.new(secret, f"{image_id}.{expires}".encode(), "sha256").hexdigest()

    def url(self, image: DemoImage) -> str:
        """Return the public address of an image."""
        return f"{self.account.pictures_url}/{image.id}.{image.extension}"

    def record(self, image: DemoImage) -> dict[str, Any]:
        """Write an image as one JSON object in the account's shape."""
        created = timestamp(image.created_at)
        shared = {"id": image.id, "url": self.url(image), "filename": image.filename}
        if self.account.shape == "seed":
            return {
                **shared,
                "size": image.size_bytes,
                "width": image.width,
                "height": image.height,
                "is_public": image.is_public,
                "tags": image.tags,
                "created_at": created,
            }
        return {
            **shared,
            "userId": self.account.user_id,
            "title": image.title,
            "mimeType": image.mime_type,
            "sizeBytes": image.size_bytes,
            "width": image.width,
            "height": image.height,
            "isPublic": image.is_public,
            "tags": image.tags,
            "createdAt": created,
            "updatedAt": timestamp(image.updated_at),
        }

    def _find(self, request: Request) -> DemoImage:
        image = self.state.images.get(request.path_params["id"])
        if image is None:
            raise not_found()
        return image


def _changed_at(change: DemoImage | Deletion | None) -> int:
    if change is None:
        return 0
    return change.deleted_at if isinstance(change, Deletion) else change.updated_at
