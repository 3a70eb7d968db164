"""What an answer says of an image is believed only where Picora itself can have said it, and is looked up else."""

import json

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.client import changes

HTML = "<html><head><title>404 Not Found</title></head><body>nginx</body></html>"
NOT_FOUND = {
    "Picora's own words": (
        json.dumps({"success": False, "error": "x", "code": "NOT_FOUND"}),
        "application/json",
    ),
    "another JSON": (json.dumps({"message": "no route"}), "application/json"),
    "a page": (HTML, "text/html"),
    "text": ("404 page not found", "text/plain"),
    "nothing": ("", "text/plain"),
}


@pytest.fixture(params=[False, True], ids=["batches refused", "the seed's routes"])
def service(request):
    with DemoServer(130, shape="seed", seed_only=request.param, rate_scale=1000) as server:
        server.fail("DELETE", "/v1/media", times=None, status=404)
        yield server


@pytest.mark.parametrize(("body", "kind"), NOT_FOUND.values(), ids=NOT_FOUND)
@pytest.mark.slow
def test_a_404_while_the_image_is_listed_is_no_proof_that_it_is_gone(
    service, client, make_plan, typed, body, kind
):
    plan = make_plan(client, 5)
    service.fail(
        "DELETE", "/v1/images/*", times=None, status=404, body=body, headers={"content-type": kind}
    )

    receipt = plan.apply(client, typed(plan), backup=None, progress=False)

    assert set(receipt.counts) <= {"failed", "unknown"}
    assert set(plan.images.index) <= set(service.images)


@pytest.mark.slow
def test_a_404_of_an_image_that_is_gone_is_found_out_and_the_others_go_on(
    service, client, make_plan, typed
):
    plan = make_plan(client, 5)
    first = plan.images.index[0]

    def meanwhile(answer):
        service.remove(first)
        return answer

    service.fail("GET", "/v1/user/me/usage", body=meanwhile)

    receipt = plan.apply(client, typed(plan), backup=None, progress=False)

    # A batch was refused as a route before, which does nothing.
    assert any(request.path == "/v1/media" for request in service.requests)
    assert receipt.counts == {"deleted": 4, "already gone": 1}
    assert receipt.complete


@pytest.mark.parametrize("when", ["with the batch", "between single requests"])
@pytest.mark.parametrize("n_gone", [1, 3])
@pytest.mark.slow
def test_what_others_delete_in_the_same_seconds_is_not_our_deed_where_there_are_no_batches(
    make_plan, typed, tmp_path, when, n_gone
):
    with (
        DemoServer(40, seed_only=True, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = make_plan(client, 8)
        theirs = list(plan.images.index)[-n_gone:]

        def meanwhile():
            for one in theirs:
                service.remove(one)

        path = "/v1/media" if when == "with the batch" else "/v1/images/*"
        service.fail("DELETE", path, meanwhile=meanwhile)

        receipt = plan.apply(
            client, typed(plan), backup=None, journal=tmp_path / "j", progress=False
        )

    assert receipt.counts == {"deleted": 8 - n_gone, "already gone": n_gone}
    assert set(receipt.outcomes.loc[receipt.outcomes["outcome"] == "already gone", "id"]) == {
        *theirs
    }
    assert "the answer was lost" not in " ".join(receipt.outcomes["reason"])


def test_a_batch_that_was_refused_as_a_route_but_took_most_is_our_own_deed(make_plan, typed):
    with (
        DemoServer(40, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = make_plan(client, 6)
        service.fail("DELETE", "/v1/media", status=404, body='{"message": "no"}', after=True)

        receipt = plan.apply(client, typed(plan), backup=None, progress=False)

    assert receipt.counts == {"deleted": 6}
    assert set(receipt.outcomes["reason"]) == {
        "the request for its batch was refused, and it is gone now"
    }


@pytest.mark.parametrize("status", [404, 405, 422, 501])
@pytest.mark.parametrize("n_done", [1, 4, 6])
@pytest.mark.slow
def test_what_a_batch_did_before_it_was_refused_as_a_route_is_our_own_deed(
    make_plan, typed, status, n_done
):
    with (
        DemoServer(130, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = make_plan(client, 6)

        def halfway(answer):
            for one in list(plan.images.index)[:n_done]:
                service.remove(one)
            return json.dumps({"success": False, "error": "items[4]: malformed"})

        service.fail("DELETE", "/v1/media", status=status, body=halfway)

        receipt = plan.apply(client, typed(plan), backup=None, progress=False)

        assert not set(plan.images.index) & set(service.images)
    assert receipt.counts == {"deleted": 6}


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.slow
def test_a_batch_that_a_gateway_answered_for_may_be_our_own_deed(
    make_plan, typed, tmp_path, status
):
    page = "<html><h1>Not Found</h1></html>"
    with (
        DemoServer(130, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = make_plan(client, 6)
        service.fail("DELETE", "/v1/media", status=status, body=page, after=True)
        service.fail("DELETE", "/v1/images/*", status=401)
        with pytest.raises(pic.AuthenticationError) as stopped:
            plan.apply(client, typed(plan), backup=None, journal=tmp_path / "j", progress=False)
        after = pic.resume_deletion(client, tmp_path / "j", progress=False)

    assert stopped.value.receipt.counts == {"unknown": 6}
    assert after.counts == {"deleted": 6}


@pytest.mark.slow
def test_where_the_look_after_a_404_fails_the_outcome_is_unknown_and_nothing_is_complete(
    service, client, make_plan, typed, tmp_path
):
    plan = make_plan(client, 2)
    service.fail("DELETE", "/v1/images/*", times=None, status=404)
    service.fail("GET", "/v1/images", skip=3, times=None, status=400)

    receipt = plan.apply(client, typed(plan), backup=None, journal=tmp_path / "j", progress=False)

    assert receipt.counts == {"unknown": 2}
    assert not receipt.complete


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
@pytest.mark.parametrize("after", [True, False], ids=["done", "not done"])
@pytest.mark.slow
def test_a_lost_answer_is_unknown_until_it_is_looked_up(
    service, client, make_plan, typed, status, after
):
    plan = make_plan(client, 3)
    service.fail("DELETE", "/v1/images/*", status=status, after=after)

    receipt = plan.apply(client, typed(plan), backup=None, progress=False)

    assert receipt.counts == {"deleted": 3}
    assert len(service.deleted) == 3
    lost = (receipt.outcomes["reason"] == "the answer was lost; it is gone now").sum()
    assert lost == (1 if after else 0)


@pytest.mark.slow
def test_what_could_not_be_verified_is_not_complete_and_a_resume_verifies_it(
    service, client, make_plan, typed, tmp_path
):
    plan = make_plan(client, 3)
    journal = tmp_path / "j.ndjson"
    service.fail("GET", "/v1/images", skip=3, times=None, status=400)

    first = plan.apply(client, typed(plan), backup=None, journal=journal, progress=False)
    service.clear_faults()
    service.fail("DELETE", "/v1/media", times=None, status=404)
    second = pic.resume_deletion(client, journal, progress=False)

    assert first.counts == second.counts == {"deleted": 3}
    assert not first.complete
    assert any(note.startswith("not looked at again afterwards") for note in first.notes)
    assert second.complete
    assert "looked at again: 3 of 3 are gone" in second.notes


@pytest.mark.parametrize("status", [202, 504])
@pytest.mark.parametrize("edited", [True, False], ids=["edited meanwhile", "as it was"])
@pytest.mark.slow
def test_what_may_be_carried_out_later_is_unknown_and_never_kept(
    service, client, make_plan, typed, status, edited
):
    plan = make_plan(client, 2)

    def meanwhile(answer):
        if edited:
            service.edit(plan.images.index[0], tags=["keep"])
        return answer

    for path in ("/v1/media", "/v1/images/*"):
        service.fail("DELETE", path, times=None, status=status, body=meanwhile)

    receipt = plan.apply(client, typed(plan), backup=None, progress=False)

    assert receipt.counts == {"unknown": 2}
    assert not receipt.complete


@pytest.mark.parametrize(
    "tail", ["/", ";v=1", "\0", " ", "/.", "?x", "%2F", "#a", "é", "\n", "..", "\\", "\ud800"]
)
def test_an_id_that_a_gateway_may_read_as_another_is_never_sent_in_an_address(tail):
    with (
        DemoServer(3, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        found = changes.delete_one(client, next(iter(service.images)) + tail)

        assert service.requests == []
    assert found.word == "failed"
    assert "was not sent" in found.reason
