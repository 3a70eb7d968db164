from __future__ import annotations

import base64
import json

import httpx
import pytest

# Authentication, scopes, errors


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="missing"),
        pytest.param("Bearer", id="empty"),
        pytest.param("Bearer sk_live_unknown", id="unknown"),
        pytest.param("Basic {key}", id="other scheme"),
        pytest.param("{key}", id="no scheme"),
    ],
)
def test_a_call_without_the_right_key_answers_401(serve, header):
    server, _ = serve(1)
    headers = {} if header is None else {"Authorization": header.format(key=server.api_key)}

    answer = httpx.get(f"{server.url}/v1/images", headers=headers)

    assert answer.status_code == 401
    assert answer.json() == {"success": False, "error": "Unauthorized", "code": "UNAUTHORIZED"}
    assert not server.requests[-1].authorized


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/images", "images:read"),
        ("GET", "/v1/images/x", "images:read"),
        ("GET", "/v1/sync/state", "images:read"),
        ("PATCH", "/v1/images/x", "images:write"),
        ("POST", "/v1/images", "images:write"),
        ("POST", "/v1/images/x/sign", "images:write"),
        ("DELETE", "/v1/images/x", "images:delete"),
        ("DELETE", "/v1/images", "images:delete"),
        ("DELETE", "/v1/media", "images:delete"),
        ("GET", "/v1/user/me/usage", "usage:read"),
    ],
)
def test_a_key_without_the_scope_of_a_call_answers_403(serve, method, path, scope):
    scopes = {"images:read", "images:write", "images:delete", "usage:read"} - {scope}
    server, caller = serve(3, scopes=scopes)

    answer = caller.request(method, path)

    assert answer.status_code == 403
    assert answer.json()["code"] == "FORBIDDEN"
    assert scope in answer.json()["error"]
    assert len(server.images) == 3


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": base64.b64encode(b"[1]").decode()}, "cursor"),
        ({"start_date": "2026-02-30"}, "start_date"),
        ({"end_date": "23.11.2026"}, "end_date"),
    ],
    ids=str,
)
def test_a_list_call_out_of_bounds_answers_422(serve, query, word):
    _, caller = serve(3)

    answer = caller.get("/v1/images", params=query)

    assert answer.status_code == 422
    assert answer.json()["code"] == "VALIDATION_ERROR"
    assert word in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/v1/images/{id}", {"title": 3}),
        ("PATCH", "/v1/images/{id}", {"tags": "a"}),
        ("PATCH", "/v1/images/{id}", {"tags": [1]}),
        ("PATCH", "/v1/images/{id}", {"is_public": "false"}),
        ("PATCH", "/v1/images/{id}", [1]),
        ("DELETE", "/v1/images", {"ids": []}),
        ("DELETE", "/v1/images", {"ids": ["x"] * 51}),
        ("DELETE", "/v1/images", {}),
        ("DELETE", "/v1/media", {"items": []}),
        ("DELETE", "/v1/media", {"items": [{"id": "x", "type": "image"}] * 101}),
        ("DELETE", "/v1/media", {"items": [{"id": "x"}]}),
        ("POST", "/v1/images/{id}/sign", {"expSeconds": 0}),
        ("POST", "/v1/images/{id}/sign", {"expSeconds": 86_401}),
        ("POST", "/v1/images/{id}/sign", {"expSeconds": True}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_malformed_body_answers_422_and_changes_nothing(serve, method, path, body):
    server, caller = serve(3)
    before = server.images

    answer = caller.request(method, path.replace("{id}", next(iter(before))), json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "VALIDATION_ERROR")
    assert server.images == before


@pytest.mark.parametrize("query", [{"limit": 501}, {"limit": 0}, {"since": "x"}, {"type": "cat"}])
def test_a_malformed_feed_call_answers_400(serve, query):
    _, caller = serve(1)

    assert caller.get("/v1/sync/state", params=query).status_code == 400


def test_a_missing_image_answers_404_on_every_single_call(serve):
    _, caller = serve(1)
    calls = [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/sign")]

    answers = [caller.request(m, f"/v1/images/absent00000{end}", json={}) for m, end in calls]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert {answer.json()["code"] for answer in answers} == {"NOT_FOUND"}


def test_an_unknown_route_answers_404_and_a_wrong_method_405(serve):
    _, caller = serve(1)

    assert caller.get("/v2/images").status_code == 404
    assert caller.put("/v1/images").status_code == 405


def test_every_answer_carries_the_standing_clock_and_a_request_id_of_its_own(serve):
    server, caller = serve(2)

    answers = [
        caller.get("/v1/images"),
        caller.get("/v1/images/absent00000"),
        caller.get("/health"),
    ]

    assert {answer.headers["date"] for answer in answers} == {"Mon, 23 Nov 2026 14:00:00 GMT"}
    assert {answer.headers["server"].split("/")[0] for answer in answers} == {"picora-demo"}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


# Listing


def test_pages_follow_each_other_newest_first_without_gap_or_repeat(serve):
    server, caller = serve(250)

    expected = sorted(server.images.values(), key=lambda i: (i.created_at, i.id), reverse=True)
    assert caller.list_ids(limit=7) == [image.id for image in expected]
    assert len({image.created_at for image in expected}) < 250  # some share an instant


def test_the_default_page_holds_twenty_and_unknown_parameters_are_ignored(serve):
    _, caller = serve(30)

    data = caller.get("/v1/images", params={"offset": 5, "sort": "size"}).json()["data"]

    assert len(data["images"]) == 20


def test_paging_is_exact_while_others_upload_and_delete(serve):
    server, caller = serve(90)
    order = caller.list_ids()
    first = caller.get("/v1/images", params={"limit": 30}).json()["data"]

    server.add(5)
    for gone in (order[3], order[29], order[40]):  # 29 is the image the cursor names
        server.remove(gone)
    rest, cursor = [], first["nextCursor"]
    while cursor:
        data = caller.get("/v1/images", params={"limit": 30, "cursor": cursor}).json()["data"]
        rest += [record["id"] for record in data["images"]]
        cursor = data["nextCursor"]

    assert rest == [image_id for image_id in order[30:] if image_id != order[40]]


def test_a_tag_selects_exactly_and_case_counts(serve):
    server, caller = serve(300)

    for tag in ("风景", "team", "Team", "tea", "-1"):
        expected = {i.id for i in server.images.values() if tag in i.tags}
        assert set(caller.list_ids(tag=tag)) == expected


@pytest.mark.slow
def test_dates_are_inclusive_on_both_sides(serve):
    server, caller = serve(300)
    images = sorted(server.images.values(), key=lambda i: i.created_at)
    low, high = (f"{server.images[i.id].created_at}" for i in (images[50], images[200]))

    def day(image_id):
        return caller.get(f"/v1/images/{image_id}").json()["data"]["createdAt"][:10]

    low, high = day(images[50].id), day(images[200].id)
    expected = {i.id for i in images if low <= day(i.id) <= high}

    assert set(caller.list_ids(start_date=low, end_date=high)) == expected
    assert {images[50].id, images[200].id} <= expected


def test_days_may_belong_to_another_time_zone(serve):
    server, caller = serve(1, service_time_zone=8)
    image_id = next(iter(server.images))
    server.edit(image_id, created_at=1_790_802_000_000)  # 2026-09-30 21:00 UTC

    assert caller.list_ids(start_date="2026-10-01", end_date="2026-10-01") == [image_id]
    assert caller.list_ids(start_date="2026-09-30", end_date="2026-09-30") == []


def test_a_library_may_be_empty(serve):
    _, caller = serve(0)

    assert caller.get("/v1/images").json()["data"] == {"images": [], "nextCursor": None}
    assert caller.get("/v1/sync/state").json()["data"]["changes"] == []
    assert caller.get("/v1/user/me/usage").json()["data"]["images"]["totalCount"] == 0


# Changing


def test_an_edit_replaces_the_tags_and_moves_the_update_time_only(serve):
    server, caller = serve(3)
    image_id = list(server.images)[1]
    before = caller.get(f"/v1/images/{image_id}").json()["data"]

    after = caller.patch(f"/v1/images/{image_id}", json={"tags": ["new"]}).json()["data"]

    assert after == {**before, "tags": ["new"], "updatedAt": "2026-11-23T14:00:00.001Z"}
    assert caller.get(f"/v1/images/{image_id}").json()["data"] == after


def test_a_deleted_image_is_gone_and_the_second_delete_answers_404(serve):
    server, caller = serve(3)
    image_id = list(server.images)[0]

    assert caller.delete(f"/v1/images/{image_id}").json() == {"success": True, "data": None}
    assert caller.delete(f"/v1/images/{image_id}").status_code == 404
    assert [(gone.id, gone.by) for gone in server.deleted] == [(image_id, "api")]
    assert [seen.ids for seen in server.requests] == [(image_id,), ()]


def test_a_batch_delete_counts_what_it_deleted_and_what_not(serve):
    server, caller = serve(5)
    ids = list(server.images)

    answer = caller.delete_json("/v1/images", {"ids": [ids[0], "absent00000", ids[1], ids[0]]})

    assert answer.json()["data"] == {"deleted": 2, "failed": 2}
    assert set(server.images) == set(ids[2:])


def test_a_media_delete_reports_each_id_with_its_reason(serve):
    server, caller = serve(3)
    first = next(iter(server.images))
    items = [{"id": first, "type": "image"}, {"id": "absent00000", "type": "image"}]

    data = caller.delete_json("/v1/media", {"items": items}).json()["data"]

    assert data["deleted"] == [first]
    assert data["failed"] == [{"id": "absent00000", "type": "image", "reason": "Not found"}]


def test_usage_follows_every_deletion(serve):
    server, caller = serve(10)
    gone = list(server.images.values())[4]
    before = caller.get("/v1/user/me/usage").json()["data"]["images"]
    caller.delete(f"/v1/images/{gone.id}")

    after = caller.get("/v1/user/me/usage").json()["data"]["images"]

    assert before["storageUsed"] - after["storageUsed"] == gone.size_bytes
    assert after["totalCount"] == 9
    assert after["storageUsed"] == sum(image.size_bytes for image in server.images.values())


# Uploads


def test_the_same_bytes_again_give_the_image_that_has_them(serve):
    server, caller = serve(20)
    image = next(i for i in server.images.values() if i.extension == "png")

    answer = caller.post("/v1/images", files={"file": ("again.png", server.picture(image.id))})

    assert answer.headers["x-picora-duplicate"] == "true"
    assert answer.json()["data"]["id"] == image.id
    assert len(server.images) == 20


def test_the_bytes_of_a_deleted_image_become_a_new_image(serve):
    server, caller = serve(20)
    image = next(i for i in server.images.values() if i.extension == "jpg")
    data = server.picture(image.id)
    caller.delete(f"/v1/images/{image.id}")

    answer = caller.post("/v1/images", files={"file": (image.filename, data)})

    record = answer.json()["data"]
    assert (answer.status_code, "x-picora-duplicate" in answer.headers) == (201, False)
    assert record["id"] != image.id
    assert (record["width"], record["height"]) == image.pixels
    assert httpx.get(record["url"]).content == data


@pytest.mark.parametrize(
    ("files", "data"),
    [
        pytest.param({"file": ("a.png", b"no picture")}, {}, id="not a picture"),
        pytest.param({"other": ("a.png", b"x")}, {}, id="no file"),
        pytest.param({"file": ("a.svg", b"<svg></svg>")}, {"tags": "a,b"}, id="tags not JSON"),
        pytest.param({"file": ("a.svg", b"<svg></svg>")}, {"isPublic": "no"}, id="odd visibility"),
    ],
)
def test_a_bad_upload_answers_422(serve, files, data):
    server, caller = serve(1)

    answer = caller.post("/v1/images", files=files, data=data)

    assert (answer.status_code, len(server.images)) == (422, 1)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        pytest.param("multipart/form-data", b"x", id="no boundary"),
        pytest.param("multipart/form-data; boundary=b", b"--c\r\n\r\n", id="another boundary"),
        pytest.param("multipart/form-data; boundary=b", b"--b\r\nno colon\r\n\r\n", id="no header"),
    ],
)
def test_a_malformed_upload_answers_422(serve, kind, body):
    _, caller = serve(1)

    answer = caller.post("/v1/images", content=body, headers={"content-type": kind})

    assert answer.status_code == 422
    assert answer.json()["code"] == "VALIDATION_ERROR"


def test_cursors_of_the_official_examples_are_read(serve):
    _, caller = serve(40)
    listing = "eyJpZCI6IlhLOU1SMlBRN3ZCIiwiY3JlYXRlZEF0IjoiMjAyNi0wMy0xMCJ9"
    feed = "eyJ0cyI6IjIwMjYtMDUtMTBUMDA6MDA6MDAuMDAwWiIsImlkIjoiYWJjMTIzNDV4eXoifQ=="

    images = caller.get("/v1/images", params={"cursor": listing}).json()["data"]["images"]
    changes = caller.get("/v1/sync/state", params={"since": feed}).json()["data"]["changes"]

    assert images and all(image["createdAt"] < "2026-03-10" for image in images)
    assert changes and all(change["updatedAt"] > "2026-05-10" for change in changes)


def test_another_method_is_told_which_are_allowed(serve):
    _, caller = serve(1)

    answer = caller.request("TRACE", "/v1/images")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, DELETE, POST"


def test_whole_seconds_may_be_written_as_a_float(serve):
    server, caller = serve(1)
    address = f"/v1/images/{next(iter(server.images))}/sign"

    assert caller.post(address, json={"expSeconds": 60.0}).status_code == 200
    assert caller.post(address, json={"expSeconds": 60.5}).status_code == 422


def test_an_upload_over_the_quota_answers_403(serve):
    _, caller = serve(0, quota_bytes=10)

    answer = caller.post("/v1/images", files={"file": ("a.svg", b"<svg></svg>")})

    assert answer.status_code == 403
    assert answer.json()["code"] == "QUOTA_EXCEEDED"
    assert answer.json()["meta"] == {"type": "img_storage"}


# The change feed


def read_feed(caller, since="", limit=500):
    changes = []
    while since is not None:
        query = {"since": since, "limit": limit, "type": "image"}
        data = caller.get("/v1/sync/state", params=query).json()["data"]
        assert data["hasMore"] == (data["nextCursor"] is not None)
        changes += data["changes"]
        since = data["nextCursor"]
    return changes


@pytest.mark.slow
def test_the_feed_holds_every_image_once_in_order_of_update(serve):
    server, caller = serve(40)

    changes = read_feed(caller, limit=9)

    expected = sorted(server.images.values(), key=lambda i: (i.updated_at, i.id))
    assert [change["id"] for change in changes] == [image.id for image in expected]


@pytest.mark.slow
def test_the_feed_goes_on_with_edits_uploads_and_deletions(serve):
    server, caller = serve(30)
    cursor = caller.get("/v1/sync/state", params={"limit": 29}).json()["data"]["nextCursor"]
    edited, gone = list(server.images)[3:5]
    server.edit(edited, tags=["x"])
    (new,) = server.add(tags=("new",))
    caller.delete(f"/v1/images/{gone}")

    changes = read_feed(caller, cursor)[-3:]

    assert [(c["op"], c["id"]) for c in changes] == [
        ("upsert", edited), ("upsert", new.id), ("delete", gone),
    ]  # fmt: skip
    assert [c["updatedAt"][-5:] for c in changes] == [".001Z"[-5:], ".002Z", ".003Z"]


def test_the_feed_has_no_videos(serve):
    _, caller = serve(3)

    data = caller.get("/v1/sync/state", params={"type": "video"}).json()["data"]

    assert data == {"changes": [], "nextCursor": None, "hasMore": False}


def test_cursors_are_base64_json_as_in_the_official_example(serve):
    _, caller = serve(3)

    cursor = caller.get("/v1/images", params={"limit": 1}).json()["data"]["nextCursor"]

    assert set(json.loads(base64.b64decode(cursor))) == {"createdAt", "id"}


# Limits


def test_answers_carry_both_header_families_with_the_same_numbers(serve):
    _, caller = serve(1, rate_scale=1.0)

    headers = caller.get("/v1/images").headers

    for family in ("ratelimit", "x-ratelimit"):
        assert (headers[f"{family}-limit"], headers[f"{family}-remaining"]) == ("600", "599")
    assert int(headers["ratelimit-reset"]) <= 60
    assert int(headers["x-ratelimit-reset"]) > 1_000_000_000


@pytest.mark.parametrize(
    ("method", "path", "burst"),
    [("GET", "/v1/images", 30), ("DELETE", "/v1/images/x", 10), ("POST", "/v1/images/x/sign", 5)],
)
def test_calls_beyond_the_burst_answer_429_with_the_seconds_to_wait(serve, method, path, burst):
    _, caller = serve(1, rate_scale=1.0)

    answers = [caller.request(method, path) for _ in range(burst * 2)]

    statuses = [answer.status_code for answer in answers]
    assert 429 not in statuses[:burst]
    refused = answers[statuses.index(429)]
    wait = int(refused.headers["retry-after"])
    assert wait >= 1
    assert refused.json()["code"] == "RATE_LIMITED"
    assert refused.json()["meta"] == {"retryAfterSec": wait}
    assert refused.headers["ratelimit-remaining"] == "0"


def test_the_scale_multiplies_the_limits_as_for_an_admin(serve):
    _, caller = serve(1, rate_scale=10)

    answers = [caller.get("/v1/images") for _ in range(60)]

    assert {answer.status_code for answer in answers} == {200}
    assert answers[0].headers["ratelimit-limit"] == "6000"


def test_the_hour_has_a_ceiling_for_all_calls_together(serve):
    _, caller = serve(1, rate_scale=0.002)  # ten an hour, a burst of one

    statuses = []
    for path, method in [("/v1/images", "GET"), ("/v1/images/x", "DELETE")] * 2:
        answer = caller.request(method, path)
        statuses.append(answer.status_code)
    data = caller.get("/v1/user/me/rate-limits").json()["data"]

    assert statuses == [200, 404, 429, 429]
    assert data["hourly"]["limit"] == 10
    assert data["hourly"]["remaining"] == 8


def test_asking_for_the_limits_is_free(serve):
    _, caller = serve(1, rate_scale=1.0)
    caller.get("/v1/images")

    seen = [caller.get("/v1/user/me/rate-limits").json()["data"]["read"] for _ in range(50)]

    assert {limit["remaining"] for limit in seen} == {599}


def test_limits_can_be_off(serve):
    _, caller = serve(1, rate_scale=None)

    answers = [caller.get("/v1/images") for _ in range(80)]

    assert {answer.status_code for answer in answers} == {200}
    assert "ratelimit-limit" not in answers[0].headers
