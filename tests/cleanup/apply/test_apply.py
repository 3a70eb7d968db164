"""Apply deletes exactly the plan, judged by the service's own log, and nothing in doubt."""

import json
import re

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.apply.start import carry_out, locked


def _plan(client, choice=None, **options):
    images = pic.load_images(client, store=None, progress=False)
    ids = list(images.index[:7]) if choice is None else choice(images)
    return pic.plan_deletion(images, ids, reason="a test", **options)


def _typed(plan):
    """Give the phrase as a person would have read it off the preview."""
    return re.search(r'confirm="([^"]+)"', repr(plan))[1]


def _gone(service):
    return [one.id for one in service.deleted]


def _deleting(service):
    return [request for request in service.requests if request.method != "GET"]


@pytest.mark.slow
def test_the_right_phrase_deletes_exactly_the_plan(service, client):
    plan = _plan(client, lambda images: list(images.index[::2]), max_fraction=1)
    before = set(service.images)

    receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert receipt.counts == {"deleted": 125}
    assert sorted(_gone(service)) == sorted(plan.images.index)
    assert set(service.images) == before - set(plan.images.index)
    assert not receipt.dry_run
    assert receipt.size_bytes == plan.size_bytes
    assert "no copies were kept: these images cannot come back" in repr(receipt)


@pytest.mark.slow
def test_blanks_around_the_phrase_do_not_matter(service, client):
    plan = _plan(client)

    assert plan.apply(
        client, confirm=f"  {_typed(plan)}\n", backup=None, progress=False
    ).counts == {"deleted": 7}


@pytest.mark.parametrize("phrase", ["", "y", "7", "7-00000000", 7, True])
def test_a_wrong_phrase_sends_nothing_at_all(service, client, phrase):
    plan = _plan(client)
    sent = len(service.requests)

    with pytest.raises(
        pic.ConfirmationError, match=r"Look at the plan again before you confirm it\.$"
    ):
        plan.apply(client, confirm=phrase, backup=None)

    assert len(service.requests) == sent


@pytest.mark.slow
def test_no_phrase_is_a_dry_run(service, client):
    receipt = _plan(client).apply(client)

    assert receipt.dry_run
    assert receipt.counts == {"would delete": 7}
    assert _deleting(service) == []


def test_backup_must_be_said(service, client):
    plan = _plan(client)

    with pytest.raises(pic.BackupError, match=r"may be lost for ever\.$"):
        plan.apply(client, confirm=_typed(plan))

    assert _deleting(service) == []


@pytest.mark.slow
def test_what_changed_is_kept_with_old_and_new_and_the_rest_goes(service, client):
    plan = _plan(client)
    retagged, hidden, replaced = plan.images.index[1:4]
    service.edit(retagged, tags=["needed"])
    service.edit(hidden, is_public=not service.images[hidden].is_public)
    size = service.images[replaced].size_bytes
    service.edit(replaced, size_bytes=size + 1)

    receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    ended = receipt.outcomes.set_index("id")
    assert receipt.counts == {"deleted": 4, "kept": 3}
    assert re.search(r"changed since the plan: .*tags .* → needed", ended.loc[retagged, "reason"])
    assert re.search(r"visibility (True → False|False → True)", ended.loc[hidden, "reason"])
    assert f"size {size} → {size + 1}" in ended.loc[replaced, "reason"]
    assert set(_gone(service)) == set(plan.images.index) - {retagged, hidden, replaced}


@pytest.mark.slow
def test_another_account_deletes_nothing(service, client):
    plan = _plan(client)

    with (
        DemoServer(
            n_images=250,
            user_id="somebody-else-0123456",
            api_key="sk_live_test" + "1" * 28,
            seed_only=_single(service),
        ) as other,
        pic.Client(other.api_key, other.url) as stranger,
    ):
        with pytest.raises(pic.PlanError, match=r"or plan again\.$"):
            plan.apply(stranger, confirm=_typed(plan), backup=None)

        assert _deleting(other) == []


def test_a_partial_library_deletes_nothing(service, client):
    plan = _plan(client)
    service.fail("GET", "/v1/images", skip=1, times=None, status=403)

    with pytest.raises(pic.IncompleteLoadError, match=r"load again for a whole frame\.$"):
        plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert _deleting(service) == []


@pytest.mark.slow
def test_caps_are_checked_on_the_fresh_numbers(service, client):
    plan = _plan(client, lambda images: list(images.index[:60]), max_fraction=0.25)
    assert plan.refusals == []
    for one in list(service.images)[100:200]:
        if one not in plan.images.index:
            service.remove(one)

    with pytest.raises(
        pic.UnsafePlanError,
        match=r"is refused and nothing is deleted: .* more than max_fraction=0\.25\.$",
    ):
        plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert _deleting(service) == []


def test_an_empty_plan_is_refused(service, client):
    plan = _plan(client, lambda images: [])

    with pytest.raises(pic.PlanError, match=r"no image was chosen, or all were spared\.$"):
        plan.apply(client, confirm=f"0-{plan.fingerprint[:12]}", backup=None)

    assert _deleting(service) == []


@pytest.mark.parametrize(
    "loss",
    [
        pytest.param({"drop": True, "after": True}, id="deleted, no answer"),
        pytest.param({"drop": True}, id="not deleted, no answer"),
        pytest.param({"status": 500, "after": True}, id="deleted, 500"),
        pytest.param({"status": 504}, id="not deleted, 504"),
        pytest.param({"status": 200, "body": "{broken", "after": True}, id="deleted, unreadable"),
    ],
)
@pytest.mark.slow
def test_a_lost_answer_is_looked_up_and_the_receipt_equals_the_services_log(service, client, loss):
    plan = _plan(client)
    service.fail("DELETE", "/v1/*", skip=1 if _single(service) else 0, **loss)

    receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    ended = receipt.outcomes.set_index("id")["outcome"]
    gone = set(ended.index[ended.isin(["deleted", "already gone"])])
    assert gone == set(_gone(service)) == set(plan.images.index) - set(service.images)
    assert len(_gone(service)) == len(set(_gone(service)))
    assert gone == set(plan.images.index)


def _single(service):
    with pic.Client(service.api_key, service.url) as asker:
        return asker.verify() is None


def test_a_batch_that_fails_in_part_is_reported_id_by_id():
    with (
        DemoServer(n_images=30, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = _plan(client, max_fraction=1)
        stuck, silent, *_ = plan.images.index

        def bend(answer):
            deleted = [one for one in answer["data"]["deleted"] if one not in (stuck, silent)]
            failed = [{"id": stuck, "type": "image", "reason": "storage \x1b[31mfault"}]
            answer["data"] = {"deleted": deleted, "failed": failed}
            return answer

        service.fail("DELETE", "/v1/media", body=bend)
        receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    ended = receipt.outcomes.set_index("id")
    # The demo really deleted all: what the answer called failed is looked up, and is gone.
    assert ended.loc[stuck, "outcome"] == "already gone"
    assert ended.loc[silent, "outcome"] == "deleted"
    assert ended.loc[silent, "reason"] == "the answer was lost; it is gone now"
    assert receipt.counts == {"deleted": 6, "already gone": 1}


@pytest.mark.slow
def test_an_image_the_service_will_not_delete_fails_with_its_reason():
    with (
        DemoServer(n_images=30, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = _plan(client, max_fraction=1)
        ids = list(plan.images.index)
        failed = [{"id": one, "type": "image", "reason": "storage \x1b[31mfault"} for one in ids]
        service.fail(
            "DELETE",
            "/v1/media",
            status=200,
            body=lambda _: {"success": True, "data": {"deleted": [], "failed": failed}},
            times=1,
        )
        service.fail("DELETE", "/v1/media", times=None, status=500)
        kept = set(service.images)
        receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)
        really = set(service.images)

    ended = receipt.outcomes.set_index("id")["outcome"]
    assert set(ended.index[ended == "already gone"]) == kept - really
    assert "\x1b" not in repr(receipt) + "".join(receipt.outcomes["reason"])


def test_an_answer_that_speaks_of_another_id_stops_the_run():
    with (
        DemoServer(n_images=30, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = _plan(client, max_fraction=1)
        service.fail(
            "DELETE",
            "/v1/media",
            status=200,
            body='{"success": true, "data": {"deleted": ["notOursAtAl"], "failed": []}}',
        )

        with pytest.raises(
            pic.ResponseFormatError, match=r"was not asked for; the run stops here\.$"
        ) as stopped:
            plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert sum(stopped.value.receipt.counts.values()) == 7


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(401, "AuthenticationError", id="revoked"),
        pytest.param(403, "PermissionDeniedError", id="no delete scope"),
    ],
)
@pytest.mark.slow
def test_a_refused_key_stops_the_run_with_a_receipt(service, client, status, kind):
    plan = _plan(client)
    service.fail("DELETE", "/v1/images/*", times=None, status=status)
    service.fail("DELETE", "/v1/media", times=None, status=status)
    sent = len(_deleting(service))

    with pytest.raises(getattr(pic, kind)) as stopped:
        plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    counts = stopped.value.receipt.counts
    assert sum(counts.values()) == 7
    assert set(counts) <= {"failed", "kept"}
    assert len(_deleting(service)) - sent == 1
    assert _gone(service) == []


def test_a_key_without_the_delete_scope_deletes_nothing():
    with (
        DemoServer(n_images=30, scopes=("images:read", "usage:read")) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = _plan(client, max_fraction=1)

        with pytest.raises(pic.PermissionDeniedError, match=r"on Picora's key page\.$"):
            plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

        assert _gone(service) == []


@pytest.mark.parametrize("status", [404, 405, 422, 501])
def test_a_server_without_batches_gets_single_calls(status):
    with DemoServer(n_images=30, rate_scale=1000) as service:
        with pic.Client(service.api_key, service.url) as client:
            plan = _plan(client, max_fraction=1)
            service.fail("DELETE", "/v1/media", times=None, status=status)
            receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

        assert receipt.counts == {"deleted": 7}
        singles = [one for one in _deleting(service) if one.path != "/v1/media"]
        assert len(singles) == 7
        assert sorted(_gone(service)) == sorted(plan.images.index)


@pytest.mark.slow
def test_what_somebody_else_deleted_is_already_gone(service, client):
    plan = _plan(client)
    service.remove(plan.images.index[0])

    receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert receipt.counts == {"deleted": 6, "already gone": 1}


@pytest.mark.slow
def test_a_plan_carried_out_before_answers_from_its_journal_and_sends_nothing(service, client):
    plan = _plan(client)
    first = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)
    sent = len(service.requests)

    again = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert len(service.requests) == sent
    assert again.counts == first.counts
    assert "carried out before, on " in repr(again)
    assert "nothing was sent now" in repr(again)


@pytest.mark.slow
def test_every_deleted_id_has_a_line_written_before_the_request(service, client, tmp_path):

    plan = _plan(client)
    journal = tmp_path / "plan.journal.ndjson"

    plan.apply(client, confirm=_typed(plan), backup=None, journal=journal, progress=False)

    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert lines[0]["line"] == "plan"
    assert lines[0]["plan"]["fingerprint"] == plan.fingerprint
    assert lines[-1]["line"] == "end"
    intended = {one for line in lines if line["line"] == "intent" for one in line["ids"]}
    assert intended == set(_gone(service))
    assert journal.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_an_interrupted_plan_says_so_and_sends_nothing(service, client, tmp_path):
    plan = _plan(client)
    journal = tmp_path / "j.ndjson"
    plan.apply(client, confirm=_typed(plan), backup=None, journal=journal, progress=False)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]) + lines[2][:20])  # As a crash leaves it.
    sent = len(_deleting(service))

    with pytest.raises(pic.JournalError, match=r"and interrupted: .* to go on with it\.$"):
        plan.apply(client, confirm=_typed(plan), backup=None, journal=journal)

    assert len(_deleting(service)) == sent


class PressCtrlC:
    """A progress that interrupts once something was deleted."""

    def update(self, done, total):
        if done:
            raise KeyboardInterrupt

    def wait(self, reason):
        """Hear nothing."""

    def finish(self, text):
        """Hear nothing."""


@pytest.mark.slow
def test_ctrl_c_after_the_first_batch_carries_the_receipt(service, client):
    plan = _plan(client)

    with pytest.raises(KeyboardInterrupt) as stopped:
        plan.apply(client, confirm=_typed(plan), backup=None, progress=PressCtrlC())

    assert stopped.value.receipt.counts["deleted"] == len(_gone(service)) > 0


@pytest.mark.slow
def test_a_journal_that_nothing_was_sent_by_is_gone_on_with(service, client, tmp_path):
    journal, no_folder = tmp_path / "j.ndjson", tmp_path / "file"
    no_folder.write_text("no folder")
    plan = _plan(client)
    with pytest.raises(pic.BackupError):
        plan.apply(client, confirm=_typed(plan), backup=no_folder, journal=journal, progress=False)
    begun = journal.read_bytes()

    receipt = plan.apply(client, _typed(plan), backup=None, journal=journal, progress=False)

    assert receipt.counts == {"deleted": len(plan.images)}
    assert journal.read_bytes().startswith(begun)


@pytest.mark.slow
def test_no_plan_takes_the_journal_of_another_even_if_nothing_was_sent_by_it(
    service, client, tmp_path
):
    journal, no_folder = tmp_path / "j.ndjson", tmp_path / "file"
    no_folder.write_text("no folder")
    first = _plan(client)
    with pytest.raises(pic.BackupError):
        first.apply(
            client, confirm=_typed(first), backup=no_folder, journal=journal, progress=False
        )
    begun = journal.read_bytes()
    images = pic.load_images(client, store=None, progress=False)
    second = pic.plan_deletion(images, first.images.index, reason="again", max_images=9)

    with pytest.raises(pic.JournalError, match=first.confirmation) as refused:
        second.apply(client, confirm=_typed(second), backup=None, journal=journal, progress=False)

    assert second.confirmation in str(refused.value)
    assert journal.read_bytes() == begun
    assert _deleting(service) == []


@pytest.mark.parametrize("seed_only", [False, True])
def test_an_empty_listing_is_looked_at_twice_before_images_are_gone(seed_only):
    with (
        DemoServer(n_images=30, seed_only=seed_only, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = _plan(client)
        service.fail("GET", "/v1/images", body='{"images": [], "nextCursor": null}')

        receipt = plan.dry_run(client)

        assert receipt.counts == {"would delete": len(plan.images)}


def test_without_a_journal_nothing_is_deleted(service, client, tmp_path):
    plan = _plan(client)
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(pic.JournalError):
        plan.apply(
            client,
            confirm=_typed(plan),
            backup=None,
            journal=tmp_path / "file" / "j.ndjson",
            progress=False,
        )

    assert _deleting(service) == []


@pytest.mark.slow
def test_the_journal_of_a_saved_plan_is_beside_it(service, client, tmp_path):
    plan = pic.read_plan(_plan(client).save(tmp_path / "plan.json"))

    plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert (tmp_path / "plan.journal.ndjson").exists()


def test_a_second_run_on_the_same_account_is_locked_out(service, client, tmp_path):
    plan = _plan(client)

    with (
        locked(plan, client, tmp_path / "journal"),
        pytest.raises(pic.LockedError, match=r"wait until it has ended\.$"),
    ):
        plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert _deleting(service) == []


def test_cancelling_keeps_the_rest():
    with DemoServer(n_images=30, rate_scale=1000, seed_only=True) as service:
        with pic.Client(service.api_key, service.url) as client:
            plan = _plan(client, max_fraction=1)
            receipt = carry_out(
                plan,
                client,
                backup=None,
                progress=False,
                cancelled=lambda: len(service.deleted) >= 3,
            )

    assert receipt.counts == {"deleted": 3, "kept": 4}
    assert set(receipt.outcomes["reason"]) == {"", "not tried: cancelled"}


@pytest.mark.slow
def test_a_refusal_by_the_rate_limit_is_waited_for_and_nothing_is_sent_twice(service, client):
    plan = _plan(client)
    service.fail("DELETE", "/v1/*", skip=1, status=429, headers={"Retry-After": "1"})

    receipt = plan.apply(client, confirm=_typed(plan), backup=None, progress=False)

    assert receipt.counts == {"deleted": 7}
    assert len(_gone(service)) == 7


@pytest.mark.parametrize("backup", [None, "kept"])
def test_where_nothing_is_gone_no_copy_and_no_loss_is_claimed(service, client, tmp_path, backup):
    plan = _plan(client)
    for one in plan.images.index:
        service.edit(one, filename=f"new-{one}.png")

    receipt = plan.apply(
        client, confirm=_typed(plan), backup=backup and tmp_path / backup, progress=False
    )

    assert receipt.counts == {"kept": 7}
    assert "copies were kept" not in repr(receipt)
