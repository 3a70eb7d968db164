"""An interrupted deletion goes on: nothing twice, nothing beyond the plan, everything checked again."""

import dataclasses
import datetime as dt
import threading

import pytest
from ageing import age

import picora_analytics as pic
from picora_analytics import DemoServer, resume_deletion
from picora_analytics.cleanup.apply.journal import Journal, read_journal
from picora_analytics.cleanup.apply.start import carry_out
from picora_analytics.cleanup.plan.document import to_document


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "j.ndjson"


@pytest.fixture
def interrupted(client, make_plan, journal):
    """Begin a plan and leave it as a crash would: `gone` were deleted, and nobody wrote it down."""

    def make(service, n=7, gone=2, intended=4, **options):
        plan = make_plan(client, n, **options)
        ids = list(plan.images.index)
        log = Journal.begin(journal, to_document(plan), None)
        log.intend(ids[:intended])
        for one in ids[:gone]:
            service.remove(one)
        return plan

    return make


@pytest.mark.slow
def test_what_was_left_open_is_looked_up_and_the_rest_is_deleted(
    service, client, interrupted, journal, gone, changing
):
    plan = interrupted(service)

    receipt = resume_deletion(client, journal, progress=False)

    ended = receipt.outcomes.set_index("id")
    ids = list(plan.images.index)
    assert receipt.counts == {"deleted": 7}
    assert set(ended.loc[ids[:2], "reason"]) == {"the answer was lost; it is gone now"}
    assert sorted(gone(service)) == sorted(ids)
    assert receipt.complete
    assert receipt.size_bytes == plan.size_bytes
    assert read_journal(journal).ended_at is not None
    again = {request.path.rpartition("/")[2] for request in changing(service)}
    assert not again & set(ids[:2])


@pytest.mark.slow
def test_a_plan_carried_out_answers_and_sends_nothing(
    service, client, make_plan, typed, journal, changing
):
    plan = make_plan(client)
    first = plan.apply(client, confirm=typed(plan), backup=None, journal=journal, progress=False)
    sent = len(changing(service))

    again = resume_deletion(client, journal)

    assert again.counts == first.counts
    assert len(changing(service)) == sent
    assert "nothing was sent now" in repr(again)


@pytest.mark.slow
def test_apply_names_the_way_on_and_a_plan_finds_its_journal(
    service, client, make_plan, typed, tmp_path, changing
):
    plan = pic.read_plan(make_plan(client).save(tmp_path / "plan.json"))
    log = Journal.begin(tmp_path / "plan.journal.ndjson", to_document(plan), None)
    log.intend(list(plan.images.index[:2]))

    with pytest.raises(
        pic.JournalError,
        match=r"2 were being deleted\. .*resume_deletion\(client, '.*plan\.journal",
    ):
        plan.apply(client, confirm=typed(plan), backup=None, progress=False)
    assert changing(service) == []

    assert resume_deletion(client, plan, progress=False).counts == {"deleted": 7}


@pytest.mark.slow
def test_a_line_that_a_crash_cut_off_does_no_harm(service, client, interrupted, journal, gone):
    plan = interrupted(service, gone=0)
    with journal.open("ab") as file:
        file.write(journal.read_bytes().splitlines()[-1][:20])

    receipt = resume_deletion(client, journal, progress=False)

    assert receipt.counts == {"deleted": 7}
    assert sorted(gone(service)) == sorted(plan.images.index)
    assert read_journal(journal).ended_at is not None


@pytest.mark.slow
def test_a_journal_without_an_intent_resumes_nothing_and_the_phrase_goes_on(
    service, client, interrupted, journal, typed, changing
):
    plan = interrupted(service, gone=0)
    whole = journal.read_bytes()
    journal.write_bytes(whole[: whole.index(b"\n") + 20])

    with pytest.raises(
        pic.JournalError,
        match=rf"'{plan.confirmation}' says that nothing was sent, .* its phrase\.$",
    ):
        resume_deletion(client, journal, progress=False)
    assert changing(service) == []

    receipt = plan.apply(client, typed(plan), backup=None, journal=journal, progress=False)
    assert receipt.counts == {"deleted": 7}


# A request of which nobody read the answer may be carried out after the look that found its image in place.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("ago", "word"), [(0, "unknown"), (119, "unknown"), (-600, "unknown"), (130, "kept")]
)
def test_what_changed_meanwhile_is_kept_once_no_earlier_request_can_take_it(
    service, client, interrupted, journal, gone, ago, word
):
    plan = interrupted(service)
    age(journal, dt.timedelta(seconds=ago))
    open_one, waiting = plan.images.index[3], plan.images.index[6]
    for one in (open_one, waiting):
        service.edit(one, tags=["needed"])

    receipt = resume_deletion(client, journal, progress=False)

    outcomes = receipt.outcomes.set_index("id")["outcome"]
    assert (outcomes[open_one], outcomes[waiting]) == (word, "kept")
    assert receipt.counts["deleted"] == 5
    assert receipt.complete is (word == "kept")
    assert not {open_one, waiting} & set(gone(service))


def test_a_request_that_is_carried_out_during_the_resume_is_found_out(make_plan, journal, tmp_path):
    with (
        DemoServer(60, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        plan = make_plan(client, 7)
        late = plan.images.index[3]
        Journal.begin(journal, to_document(plan), None).intend(list(plan.images.index[:4]))
        service.edit(late, tags=["needed"])

        def meanwhile(answer):
            service.remove(late)
            return answer

        service.fail("DELETE", "/v1/media", body=meanwhile)
        receipt = resume_deletion(client, journal, progress=False)

    assert receipt.counts == {"deleted": 7}
    assert receipt.complete


@pytest.mark.slow
def test_an_expired_plan_is_settled_but_goes_no_further(
    service, client, make_plan, journal, changing
):
    plan = make_plan(client)
    old = dataclasses.replace(plan, made_at=plan.made_at - dt.timedelta(days=15))
    Journal.begin(journal, to_document(old), None).intend(list(plan.images.index[:2]))
    service.remove(plan.images.index[0])

    with pytest.raises(
        pic.PlanError, match=r"refused and nothing more is deleted: the plan expired on"
    ) as refused:
        resume_deletion(client, journal, progress=False)

    assert changing(service) == []
    assert refused.value.receipt.counts == {"deleted": 1, "unknown": 1, "kept": 5}
    assert read_journal(journal).open_ids == {plan.images.index[1]}


@pytest.mark.slow
def test_the_caps_count_what_was_deleted_before(service, client, interrupted, journal, changing):
    plan = interrupted(service, n=60, gone=30, intended=40, max_fraction=0.25)
    for one in list(set(service.images) - set(plan.images.index))[:60]:
        service.remove(one)

    with pytest.raises(pic.UnsafePlanError, match=r"more than max_fraction=0\.25\.$"):
        resume_deletion(client, journal, progress=False)

    assert changing(service) == []


@pytest.mark.slow
def test_another_accounts_journal_is_refused(service, client, interrupted, journal):
    interrupted(service)

    with (
        DemoServer(n_images=3, user_id="somebody-else-0123456") as other,
        pic.Client(other.api_key, other.url) as stranger,
        pytest.raises(pic.PlanError, match=r"or plan again\.$"),
    ):
        resume_deletion(stranger, journal)


def test_a_journal_that_is_not_there_is_named(client, journal):
    with pytest.raises(pic.JournalError, match=r"^There is no journal .* plan again from that\.$"):
        resume_deletion(client, journal)


@pytest.mark.slow
def test_a_run_that_stopped_at_a_refused_key_goes_on_with_a_better_one(
    service, client, make_plan, typed, journal, gone
):
    plan = make_plan(client)
    service.fail("DELETE", "/v1/*", times=1, status=403)
    with pytest.raises(pic.PermissionDeniedError) as stopped:
        plan.apply(client, confirm=typed(plan), backup=None, journal=journal, progress=False)
    assert "resume_deletion(client, " in repr(stopped.value.receipt)
    assert not stopped.value.receipt.complete

    receipt = resume_deletion(client, journal, progress=False)

    assert receipt.counts == {"deleted": 7}
    assert sorted(gone(service)) == sorted(plan.images.index)


@pytest.mark.slow
def test_a_cancelled_run_goes_on_where_it_was(service, client, make_plan, journal, gone):
    plan = make_plan(client, 120)
    service.fail("DELETE", "/v1/media", status=405, times=None)
    first = carry_out(
        plan,
        client,
        backup=None,
        journal=journal,
        progress=False,
        cancelled=lambda: len(service.deleted) >= 3,
    )
    assert first.counts == {"deleted": 3, "kept": 117}
    assert not first.complete

    receipt = resume_deletion(client, journal, progress=False)

    assert receipt.counts == {"deleted": 120}
    assert len(gone(service)) == len(set(gone(service))) == 120


@pytest.mark.slow
def test_a_run_cancelled_before_its_first_request_was_never_carried_out(
    service, client, make_plan, typed, journal
):
    plan = make_plan(client)
    nothing = carry_out(
        plan, client, backup=None, journal=journal, progress=False, cancelled=lambda: True
    )
    assert nothing.counts == {"kept": 7}

    receipt = plan.apply(client, confirm=typed(plan), backup=None, journal=journal, progress=False)

    assert receipt.counts == {"deleted": 7}


@pytest.mark.slow
def test_an_unknown_outcome_becomes_known(service, client, make_plan, typed, journal, gone):
    plan = make_plan(client)
    one_look = sum(seen.path == "/v1/images" for seen in service.requests)  # The plan's own.
    single = client.verify() is None
    service.fail("DELETE", "/v1/*", drop=True, after=True, skip=1 if single else 0)
    # One look before the deletion; then looking up fails, until the faults are cleared.
    service.fail("GET", "/v1/images", times=None, status=403, skip=one_look)
    first = plan.apply(client, confirm=typed(plan), backup=None, journal=journal, progress=False)
    assert "unknown" in first.counts
    assert not first.complete
    service.clear_faults()

    receipt = resume_deletion(client, journal, progress=False)

    assert receipt.counts == {"deleted": 7}
    assert len(gone(service)) == len(set(gone(service))) == 7


@pytest.mark.slow
def test_two_at_once_cannot_resume_the_same_journal(service, client, interrupted, journal, gone):
    plan = interrupted(service, gone=0)
    ended = []

    def run():
        with pic.Client(service.api_key, service.url) as own:
            try:
                ended.append(resume_deletion(own, journal, progress=False).counts)
            except pic.LockedError:
                ended.append("locked")

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {"deleted": 7} in ended
    assert all(end in ({"deleted": 7}, "locked") for end in ended)
    assert sorted(gone(service)) == sorted(plan.images.index)
