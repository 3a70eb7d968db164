"""Each call of the demo service against Picora's documents, written down here by hand."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image


def validate(answer, schema):
    import jsonschema  # Here, for it takes seconds: other workers need not wait for it.

    jsonschema.validate(answer, schema)


TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$"}
TEXT, INT, BOOL = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
OPTIONAL_INT, OPTIONAL_TEXT = {"type": ["integer", "null"]}, {"type": ["string", "null"]}
TEXTS = {"type": "array", "items": TEXT}


def obj(**fields: Any) -> dict[str, Any]:
    """An object that must have these fields; others may come with them."""
    return {"type": "object", "required": list(fields), "properties": fields}


def envelope(data: Any) -> dict[str, Any]:
    return {**obj(success={"const": True}, data=data), "additionalProperties": False}


# OpenAPI 0.7.0: components.schemas.Image
IMAGE = obj(
    id={"type": "string", "pattern": "^[A-Za-z0-9_-]{11}$"},
    userId={"type": "string", "minLength": 21, "maxLength": 21},
    url={"type": "string", "pattern": r"^http.*/[A-Za-z0-9_-]{11}\.[a-z]+$"},
    filename=TEXT,
    title=OPTIONAL_TEXT,
    mimeType={"type": "string", "pattern": "^image/"},
    sizeBytes=INT,
    width=OPTIONAL_INT,
    height=OPTIONAL_INT,
    tags=TEXTS,
    isPublic=BOOL,
    createdAt=TIME,
    updatedAt=TIME,
)
LIMIT = obj(limit=INT, remaining=INT, resetSeconds=INT, resetAt=TIME)
CHANGE = {
    "oneOf": [
        obj(
            op={"const": "upsert"},
            type={"const": "image"},
            id=TEXT,
            updatedAt=TIME,
            url=TEXT,
            contentHash={"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"},
            sizeBytes=INT,
            mimeType=TEXT,
            filename=TEXT,
            isPublic=BOOL,
        ),
        obj(op={"const": "delete"}, type={"const": "image"}, id=TEXT, updatedAt=TIME),
    ]
}
MEDIA_RESULT = obj(
    deleted=TEXTS, failed={"type": "array", "items": obj(id=TEXT, type=TEXT, reason=TEXT)}
)
USAGE = obj(
    plan={"enum": ["none", "trial", "pro", "pro_plus"]},
    images=obj(
        storageUsed=INT,
        bandwidthUsed=INT,
        uploadCountToday=INT,
        uploadCountMonth=INT,
        totalCount=INT,
    ),
    videos=obj(storageUsed=INT, bandwidthUsed=INT),
    planLimits=obj(imgStorageBytes=INT),
)
VERIFY = obj(valid={"const": True}, userId=TEXT, plan=TEXT, authType={"const": "apiKey"})
ID = "{id}"

# method, path, query, JSON body, status, schema of the body
CURRENT = [
    ("GET", "/v1/images", {"limit": 5}, None, 200,
     envelope(obj(images={"type": "array", "items": IMAGE, "minItems": 5}, nextCursor=TEXT))),
    ("GET", "/v1/images", {"limit": 100}, None, 200,
     envelope(obj(images={"type": "array", "items": IMAGE}, nextCursor={"type": "null"}))),
    ("GET", f"/v1/images/{ID}", {}, None, 200, envelope(IMAGE)),
    ("PATCH", f"/v1/images/{ID}", {}, {"title": "夏日", "tags": ["a"], "is_public": False}, 200,
     envelope(IMAGE)),
    ("DELETE", f"/v1/images/{ID}", {}, None, 200, envelope({"type": "null"})),
    ("DELETE", "/v1/images", {}, {"ids": [ID, "absent00000"]}, 200,
     envelope(obj(deleted={"const": 1}, failed={"const": 1}))),
    ("POST", f"/v1/images/{ID}/sign", {}, {"expSeconds": 60}, 200,
     envelope(obj(signedUrl={"type": "string", "pattern": r"\?.*sig="}, expiresAt=TIME, exp=INT))),
    ("POST", f"/v1/images/{ID}/sign", {}, None, 200, envelope(obj(signedUrl=TEXT, exp=INT))),
    ("DELETE", "/v1/media", {},
     {"items": [{"id": ID, "type": "image"}, {"id": "x" * 21, "type": "video"}]}, 200,
     envelope(MEDIA_RESULT)),
    ("GET", "/v1/sync/state", {"limit": 3}, None, 200,
     envelope(obj(changes={"type": "array", "items": CHANGE, "minItems": 3, "maxItems": 3},
                  nextCursor=TEXT, hasMore={"const": True}))),
    ("GET", "/v1/auth/verify", {}, None, 200, envelope(VERIFY)),
    ("GET", "/v1/user/me/usage", {}, None, 200, envelope(USAGE)),
    ("GET", "/v1/user/me/rate-limits", {}, None, 200,
     envelope(obj(read=LIMIT, upload=LIMIT, mutation=LIMIT, hourly=LIMIT))),
    ("GET", "/health", {}, None, 200, obj(ok={"const": True}, ts=TIME, version=TEXT)),
]  # fmt: skip
ERROR = obj(success={"const": False}, error=TEXT, code=TEXT)


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "status", "schema"),
    [pytest.param(*row, id=f"{row[0]} {row[1]} {row[2] or ''}") for row in CURRENT],
)
def test_each_call_answers_as_the_openapi_document_says(
    serve, method, path, query, body, status, schema
):
    server, caller = serve(12)
    image_id = list(server.images)[3]
    sent = None if body is None else json.loads(json.dumps(body).replace(ID, image_id))

    answer = caller.request(method, path.replace(ID, image_id), params=query, json=sent)

    assert answer.status_code == status
    validate(answer.json(), schema)


def test_an_upload_answers_201_with_the_new_image(serve):
    server, caller = serve(2)
    buffer = io.BytesIO()
    Image.new("RGB", (12, 8), "teal").save(buffer, "PNG")

    answer = caller.post(
        "/v1/images",
        files={"file": ("teal.png", buffer.getvalue())},
        data={"tags": '["roof", "2026"]', "isPublic": "false"},
    )

    assert answer.status_code == 201
    validate(answer.json(), envelope(IMAGE))
    record = answer.json()["data"]
    assert {
        key: record[key] for key in ("filename", "mimeType", "sizeBytes", "width", "height")
    } == {
        "filename": "teal.png",
        "mimeType": "image/png",
        "sizeBytes": len(buffer.getvalue()),
        "width": 12,
        "height": 8,
    }
    assert (record["tags"], record["isPublic"]) == (["roof", "2026"], False)
    assert server.images[record["id"]].data == buffer.getvalue()


def test_the_seed_shape_has_the_fields_of_the_seed_example_and_no_others(serve):
    server, caller = serve(5, shape="seed")

    answer = caller.get("/v1/images").json()

    # Images API page: the example of the list call, field by field.
    item = {
        **obj(
            id=TEXT,
            url=TEXT,
            filename=TEXT,
            size=INT,
            width=OPTIONAL_INT,
            height=OPTIONAL_INT,
            is_public=BOOL,
            tags=TEXTS,
            created_at={"type": "string", "pattern": r"T\d\d:\d\d:\d\d\.\d{3}Z$"},
        ),
        "additionalProperties": False,
    }
    page = obj(items={"type": "array", "items": item}, nextCursor={"type": "null"}, total=INT)
    validate(answer, envelope({**page, "additionalProperties": False}))
    assert answer["data"]["total"] == 5
    assert len(answer["data"]["items"]) == 5


def test_the_seed_total_counts_the_whole_library_even_under_a_tag(serve):
    server, caller = serve(60, shape="seed")

    data = caller.get("/v1/images", params={"tag": "blog", "limit": 100}).json()["data"]

    assert data["total"] == 60
    assert 0 < len(data["items"]) < 60


def test_the_seed_shape_can_leave_out_the_total(serve):
    _, caller = serve(3, shape="seed", total=False)

    assert "total" not in caller.get("/v1/images").json()["data"]


@pytest.mark.parametrize("options", [{"shape": "seed"}, {"seed_only": True}], ids=str)
def test_a_delete_in_the_seed_shape_answers_204_without_a_body(serve, options):
    server, caller = serve(3, **options)
    image_id = next(iter(server.images))

    answer = caller.delete(f"/v1/images/{image_id}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert image_id not in server.images


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/images/{id}"),
        ("PATCH", "/v1/images/{id}"),
        ("DELETE", "/v1/images"),
        ("DELETE", "/v1/media"),
        ("POST", "/v1/images"),
        ("GET", "/v1/sync/state"),
        ("GET", "/v1/auth/verify"),
        ("GET", "/v1/user/me/usage"),
        ("GET", "/v1/whatever"),
    ],
)
def test_a_seed_only_service_answers_unknown_routes_like_a_missing_image(serve, method, path):
    server, caller = serve(3, seed_only=True)
    missing = caller.delete("/v1/images/absent00000")

    answer = caller.request(method, path.replace("{id}", next(iter(server.images))))

    assert (answer.status_code, answer.json()) == (404, missing.json())
    validate(answer.json(), ERROR)


def test_a_seed_only_service_ignores_the_dates_it_does_not_know(serve):
    _, caller = serve(30, seed_only=True)

    assert len(caller.list_ids(start_date="2030-01-01", end_date="nonsense")) == 30
