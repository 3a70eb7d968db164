"""What may go wrong during a deletion, and that it is never told better than it is."""

import json

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.apply.lookup import Lookup
from picora_analytics.cleanup.apply.start import carry_out
from picora_analytics.client.pacing import seconds_needed
from picora_analytics.text import about


@pytest.fixture
def current():
    with DemoServer(n_images=130, rate_scale=1000) as server:
        yield server


@pytest.fixture
def reader(current):
    with pic.Client(current.api_key, current.url) as made:
        yield made


@pytest.fixture
def apply(typed):
    def run(plan, client, **options):
        options = {"backup": None, "progress": False} | options
        return plan.apply(client, confirm=typed(plan), **options)

    return run


def _says(deleted=(), failed=()):
    data = {"deleted": [*deleted], "failed": [*failed]}
    return {"status": 200, "body": json.dumps({"success": True, "data": data})}


# What a batch may answer


@pytest.mark.slow
def test_ids_out_of_order_and_twice_are_matched_by_id(current, reader, make_plan, apply, gone):
    plan = make_plan(reader)

    def bend(answer):
        deleted = answer["data"]["deleted"]
        answer["data"]["deleted"] = [*reversed(deleted), deleted[0]]
        return answer

    current.fail("DELETE", "/v1/media", body=bend)

    assert apply(plan, reader).counts == {"deleted": 7}
    assert sorted(gone(current)) == sorted(plan.images.index)


@pytest.mark.slow
def test_an_empty_answer_proves_nothing_and_the_images_are_looked_up(
    current, reader, make_plan, apply, gone, changing
):
    plan = make_plan(reader)
    current.fail("DELETE", "/v1/media", **_says())

    assert apply(plan, reader).counts == {"deleted": 7}
    assert len(changing(current)) == 2
    assert sorted(gone(current)) == sorted(plan.images.index)


@pytest.mark.slow
def test_an_answer_about_a_strange_image_leaves_the_batch_unknown_and_stops(
    current, reader, make_plan, apply, changing, tmp_path
):
    plan = make_plan(reader, 110)
    current.fail(
        "DELETE",
        "/v1/media",
        after=True,
        body=lambda answer: {
            "success": True,
            "data": {"deleted": [*answer["data"]["deleted"], "notOursAtAl"], "failed": []},
        },
    )

    with pytest.raises(
        pic.ResponseFormatError, match=r"was not asked for; the run stops here\.$"
    ) as stopped:
        apply(plan, reader, journal=tmp_path / "j.ndjson")

    assert stopped.value.receipt.counts == {"kept": 10, "unknown": 100}
    assert len(changing(current)) == 1
    receipt = pic.resume_deletion(reader, tmp_path / "j.ndjson", progress=False)
    assert receipt.counts == {"deleted": 110}


@pytest.mark.parametrize("status", [409, 423])
@pytest.mark.slow
def test_an_image_that_is_held_fails_and_the_others_go_on(
    service, client, make_plan, apply, status
):
    plan = make_plan(client)
    held = plan.images.index[2]
    service.fail("DELETE", "/v1/media", status=405, times=None)
    service.fail("DELETE", f"/v1/images/{held}", status=status, times=None)

    receipt = apply(plan, client)

    assert receipt.counts == {"deleted": 6, "failed": 1}
    assert f"answered {status}" in receipt.outcomes.set_index("id").loc[held, "reason"]
    assert receipt.complete


@pytest.mark.slow
def test_an_image_the_service_calls_failed_although_it_is_there_is_not_sent_again(
    current, reader, make_plan, apply, changing
):
    plan = make_plan(reader)
    failed = [{"id": one, "type": "image", "reason": "storage fault"} for one in plan.images.index]
    current.fail("DELETE", "/v1/media", **_says(failed=failed))

    receipt = apply(plan, reader)

    assert receipt.counts == {"failed": 7}
    assert set(receipt.outcomes["reason"]) == {"still there: storage fault"}
    assert len(changing(current)) == 1


# Reported, and yet


@pytest.mark.slow
def test_an_image_reported_deleted_and_still_listed_is_unknown(
    current, reader, make_plan, apply, tmp_path
):
    plan = make_plan(reader)
    current.fail("DELETE", "/v1/media", **_says(deleted=plan.images.index))

    receipt = apply(plan, reader, journal=tmp_path / "j.ndjson")

    assert receipt.counts == {"unknown": 7}
    assert set(receipt.outcomes["reason"]) == {"reported deleted, still visible"}
    assert receipt.size_bytes == 0
    assert not receipt.complete
    again = pic.resume_deletion(reader, tmp_path / "j.ndjson", progress=False)
    assert again.counts == {"deleted": 7}


@pytest.mark.slow
def test_a_receipt_says_that_the_service_was_asked_afterwards(current, reader, make_plan, apply):
    receipt = apply(make_plan(reader), reader)

    assert "looked at again: 7 of 7 are gone" in receipt.notes
    assert any(note.startswith("the service counted ") for note in receipt.notes)
    assert current.images.keys() == set(pic.load_images(reader, progress=False).index)


@pytest.mark.slow
def test_what_could_not_be_looked_at_again_says_so(service, client, make_plan, apply, gone):
    plan = make_plan(client)
    one_look = sum(seen.path == "/v1/images" for seen in service.requests)  # The plan's own.
    service.fail("GET", "/v1/images", times=None, status=403, skip=one_look)

    receipt = apply(plan, client)

    assert receipt.counts == {"deleted": 7}
    assert any(note.startswith("not looked at again afterwards: ") for note in receipt.notes)


@pytest.mark.slow
def test_an_empty_listing_does_not_prove_that_lost_requests_deleted(
    service, client, make_plan, apply, gone
):
    plan = make_plan(client)
    one_look = sum(seen.path == "/v1/images" for seen in service.requests)  # The plan's own.
    service.fail("DELETE", "/v1/*", times=None, status=500)
    nothing = '{"data": {"items": [], "nextCursor": null}}'
    service.fail("GET", "/v1/images", skip=one_look, times=None, body=nothing)

    receipt = apply(plan, client)

    assert receipt.counts == {"unknown": 7}
    assert gone(service) == []


@pytest.mark.slow
def test_a_remembered_library_is_brought_up_to_date(current, reader, make_plan, apply):
    plan = make_plan(reader)
    pic.load_images(reader, progress=False)

    apply(plan, reader)

    remembered = pic.load_images(reader, refresh="never")
    assert set(remembered.index) == set(current.images)


@pytest.mark.slow
def test_a_library_nobody_remembers_is_not_remembered_by_a_deletion(make_plan, apply):
    with (
        DemoServer(n_images=30, user_id="nobody-remembers-0001") as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        apply(make_plan(client), client)

        with pytest.raises(pic.SnapshotError):
            pic.load_images(client, refresh="never")


# Too much goes wrong


@pytest.mark.slow
def test_a_run_stops_when_too_many_images_fail(
    current, reader, make_plan, apply, changing, tmp_path
):
    plan = make_plan(reader, 120)
    failed = [
        {"id": one, "type": "image", "reason": "storage fault"} for one in plan.images.index[:6]
    ]
    current.fail("DELETE", "/v1/media", **_says(plan.images.index[6:100], failed))

    receipt = apply(plan, reader, journal=tmp_path / "j.ndjson")

    assert len(changing(current)) == 1
    assert receipt.counts["failed"] == 6
    assert set(receipt.outcomes.tail(20)["outcome"]) == {"kept"}
    assert (
        "stopped, because 6 of the 100 images tried failed or are unknown; the rest was not tried"
        in receipt.notes
    )
    assert not receipt.complete


@pytest.mark.slow
def test_a_batch_refused_by_the_rate_limit_for_longer_than_we_wait_was_not_tried(
    current, make_plan, apply, gone, tmp_path
):
    with pic.Client(current.api_key, current.url, max_wait=5) as client:
        plan = make_plan(client, 110)
        current.fail("DELETE", "/v1/media", skip=1, status=429, headers={"Retry-After": "3000"})

        with pytest.raises(pic.RateLimitError) as stopped:
            apply(plan, client, journal=tmp_path / "j.ndjson")

    assert stopped.value.receipt.counts == {"deleted": 100, "kept": 10}
    with pic.Client(current.api_key, current.url) as client:
        receipt = pic.resume_deletion(client, tmp_path / "j.ndjson", progress=False)
    assert receipt.counts == {"deleted": 110}
    assert len(gone(current)) == len(set(gone(current))) == 110


@pytest.mark.slow
def test_an_image_that_changed_while_its_answer_was_lost_is_not_sent_again(
    current, reader, make_plan, apply, changing
):
    plan = make_plan(reader)
    edited = plan.images.index[0]

    def edit_while_it_is_listed(answer):
        current.edit(edited, tags=["needed"])
        for image in answer["data"]["items"]:
            if image["id"] == edited:
                image["tags"] = ["needed"]
        return answer

    current.fail("DELETE", "/v1/media", status=500)
    current.fail("GET", "/v1/images", skip=2, body=edit_while_it_is_listed)

    receipt = apply(plan, reader)

    ended = receipt.outcomes.set_index("id")
    assert receipt.counts == {"deleted": 6, "kept": 1}
    assert "→ needed" in ended.loc[edited, "reason"]
    assert edited in current.images


# Protection, caps and copies on fresh numbers


@pytest.mark.slow
def test_a_tag_that_is_protected_is_read_again_before_anything_goes(
    service, client, make_plan, apply, gone
):
    service.edit(list(service.images)[0], tags=["pinned"])
    plan = make_plan(client, protect="pinned")
    newly = plan.images.index[1]
    service.edit(newly, tags=["pinned", "more"])

    receipt = apply(plan, client)

    reason = receipt.outcomes.set_index("id").loc[newly, "reason"]
    assert reason.startswith("protected by the tag 'pinned'; changed since the plan: ")
    assert receipt.counts == {"deleted": 6, "kept": 1}
    assert newly not in gone(service)


@pytest.mark.slow
def test_a_plan_is_refused_before_the_first_request_if_its_caps_break(
    service, client, make_plan, apply, changing
):
    plan = make_plan(client, 25, max_fraction=0.5)
    for one in list(set(service.images) - set(plan.images.index))[20:]:
        service.remove(one)

    rehearsed = plan.dry_run(client)
    with pytest.raises(pic.UnsafePlanError, match=r"of the images are more than max_fraction=0\.5"):
        apply(plan, client)

    assert rehearsed.counts == {"kept": 25}
    assert not rehearsed.complete
    assert changing(service) == []


def test_copies_that_are_not_said_how_are_refused_before_the_first_request(
    service, client, make_plan, changing, typed
):
    plan = make_plan(client)

    with pytest.raises(pic.BackupError, match=r"may be lost for ever\.$"):
        plan.apply(client, confirm=typed(plan))

    assert changing(service) == []


@pytest.mark.slow
def test_the_journal_of_another_plan_is_not_written_to(
    service, client, make_plan, apply, changing, tmp_path
):
    journal = tmp_path / "j.ndjson"
    apply(make_plan(client, 2), client, journal=journal)
    sent = len(changing(service))

    with pytest.raises(
        pic.JournalError,
        match=r"is of another plan, '2-.*'; this one is '3-.*'\. Give journal= another place\.$",
    ):
        apply(make_plan(client, 3), client, journal=journal)

    assert len(changing(service)) == sent


# The cheapest look that can be believed


@pytest.fixture(scope="module")
def large():
    with DemoServer(n_images=600, rate_scale=1000) as server:
        yield server


@pytest.mark.slow
def test_a_few_images_of_a_large_library_are_read_one_by_one(large):
    with pic.Client(large.api_key, large.url) as client:
        ids = list(large.images)[:2]
        before = len(large.requests)

        current = Lookup(client, 700).look([*ids, "AAAAAAAAAAA"])
        few = large.requests[before:]
        listed = Lookup(client, 600).look(list(large.images)[:30])

    assert set(current.states) == set(ids)
    assert current.library.n_images == 600
    assert current.library.size_bytes == listed.library.size_bytes
    assert [request.path.rpartition("/")[2] for request in few][-3:] == [*ids, "AAAAAAAAAAA"]
    assert len(few) == 6
    assert current.listing is None
    assert listed.listing is not None


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"seed_only": True}, id="the seed's routes only"),
        pytest.param({"scopes": ("images:read",)}, id="no usage for this key"),
    ],
)
@pytest.mark.slow
def test_where_single_reads_cannot_be_believed_the_library_is_listed(options):
    with (
        DemoServer(n_images=600, rate_scale=1000, **options) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        ids = list(server.images)[:2]
        lookup = Lookup(client, 600)

        seen = [lookup.look([*ids, "AAAAAAAAAAA"]) for _ in range(2)]

    assert [set(current.states) for current in seen] == [set(ids)] * 2
    assert all(current.listing is not None for current in seen)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 404, "times": None}, id="every image is said to be gone"),
        pytest.param(
            {
                "body": lambda answer: {**answer, "data": {**answer["data"], "id": "notAskedFor"}},
                "skip": 1,
                "times": None,
            },
            id="another image is answered",
        ),
        pytest.param({"status": 403, "skip": 1}, id="one image is refused"),
        pytest.param(
            {"body": lambda answer: {**answer, "data": {**answer["data"], "tags": None}}},
            id="the route says less than the listing",
        ),
    ],
)
def test_single_reads_that_contradict_are_not_believed(large, fault):
    large.fail("GET", "/v1/images/*", **fault)
    try:
        with pic.Client(large.api_key, large.url) as client:
            ids = list(large.images)[:2]

            current = Lookup(client, 600).look(ids)
    finally:
        large.clear_faults()

    assert set(current.states) == set(ids)
    assert current.listing is not None


@pytest.mark.slow
def test_a_library_said_to_be_empty_stops_the_run_before_anything_is_sent(make_plan, apply):
    with (
        DemoServer(n_images=600, rate_scale=1000) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        plan = make_plan(client, 1)
        for one in list(server.images):
            server.remove(one)

        with pytest.raises(
            pic.IncompleteLoadError, match=r"lists no image at all, where 599 .* Try again later\.$"
        ):
            apply(plan, client)

        assert {seen.method for seen in server.requests} == {"GET"}


@pytest.mark.slow
def test_a_few_images_of_a_large_library_are_deleted_without_listing_it(make_plan, apply, gone):
    with (
        DemoServer(n_images=600, rate_scale=1000) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        plan = make_plan(client, 1)
        before = len(server.requests)

        receipt = apply(plan, client)
        sent = server.requests[before:]

    assert receipt.counts == {"deleted": 1}
    assert gone(server) == list(plan.images.index)
    assert sum(request.path == "/v1/images" for request in sent) == 2


# The time it takes


@pytest.mark.parametrize(
    ("requests", "seconds"),
    [(1, 0), (10, 0), (100, 45), (5000, 2495), (5001, 3600.5), (10_000, 3600 + 2500)],
)
def test_the_time_needed_is_that_of_the_documented_budgets(requests, seconds):
    assert seconds_needed(requests) == seconds


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "about 1 s"),
        (45, "about 45 s"),
        (100, "about 2 min"),
        (5300, "about 88 min"),
        (6100, "about 1 h 42 min"),
    ],
)
def test_a_time_is_said_roughly(seconds, said):
    assert about(seconds) == said


class Heard:
    """A progress that remembers what it was told."""

    def __init__(self):
        self.said = []

    def update(self, done, total):
        self.said.append(f"{done} of {total}")

    def wait(self, reason):
        self.said.append(reason)

    def finish(self, text):
        self.said.append(text)


@pytest.mark.slow
def test_the_time_needed_is_said_before_the_first_request(current, reader, make_plan, changing):
    plan = make_plan(reader, 120)
    heard = Heard()

    carry_out(
        plan,
        reader,
        backup=None,
        progress=heard,
        cancelled=lambda: any("deleting request" in text for text in heard.said),
    )

    assert "120 images to go by 2 deleting requests, about 1 s at Picora's documented pace" in (
        heard.said
    )


@pytest.mark.slow
def test_single_calls_say_that_they_take_longer(service, client, make_plan):
    heard = Heard()
    service.fail("DELETE", "/v1/media", status=405, times=None)

    carry_out(make_plan(client), client, backup=None, progress=heard)

    assert any(text.startswith("this server knows no batches: 7 images") for text in heard.said)
    assert "7 of 7" in heard.said


# Only reads


@pytest.mark.slow
def test_previews_and_rehearsals_send_only_reads(service, client, make_plan, tmp_path):
    plan = make_plan(client)

    repr(plan), plan._repr_html_(), plan.refusals
    plan.save(tmp_path / "plan.json")
    plan.to_csv(tmp_path / "plan.csv")
    plan.apply(client)
    plan.without(plan.images.index[0]).dry_run(client)

    assert {request.method for request in service.requests} == {"GET"}
    assert len(service.images) == 250
