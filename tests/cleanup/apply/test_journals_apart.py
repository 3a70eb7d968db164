"""A journal belongs to one plan: never shared by a name, never resumed for another, never made twice."""

import dataclasses

import pytest
from mortal import Mortals
from world import World

import picora_analytics as pic
from picora_analytics import DemoServer, JournalError
from picora_analytics.cleanup.apply.journal import Journal, read_journal
from picora_analytics.cleanup.apply.start import journal_path
from picora_analytics.cleanup.plan.document import to_document


@pytest.fixture
def service():
    with DemoServer(60, shape="seed", seed_only=True, rate_scale=1000) as server:
        yield server


def saved(plan, path):
    return pic.read_plan(plan.save(path))


@pytest.mark.slow
def test_next_weeks_plan_in_the_same_file_has_a_journal_of_its_own(
    service, client, make_plan, typed, tmp_path
):
    receipts = []
    for n in (3, 4, 5):
        plan = saved(make_plan(client, n), tmp_path / "plan.json")
        receipts.append(plan.apply(client, typed(plan), backup=None, progress=False))

    assert [receipt.counts for receipt in receipts] == [{"deleted": n} for n in (3, 4, 5)]
    assert len({receipt.journal for receipt in receipts}) == 3
    assert receipts[0].journal == tmp_path / "plan.journal.ndjson"
    assert len(service.deleted) == 12


@pytest.mark.slow
def test_a_plan_carried_out_is_known_by_its_file_though_others_came_after(
    service, client, make_plan, typed, tmp_path
):
    first = make_plan(client, 3)
    for plan in (
        saved(first, tmp_path / "plan.json"),
        saved(make_plan(client, 5), tmp_path / "plan.json"),
    ):
        plan.apply(client, typed(plan), backup=None, progress=False)
    again = saved(first, tmp_path / "plan.json")

    receipt = again.apply(client, typed(again), backup=None, progress=False)

    assert "nothing was sent now" in repr(receipt)
    assert receipt.counts == {"deleted": 3}


@pytest.mark.parametrize("names", [("plan.json", "plan.txt"), ("a.b.json", "a.b.plan")])
@pytest.mark.slow
def test_names_that_differ_after_the_last_dot_share_no_journal(
    client, service, make_plan, typed, tmp_path, names
):
    plans = [
        saved(make_plan(client, n), tmp_path / name) for n, name in zip((2, 3), names, strict=True)
    ]

    journals = []
    for plan in plans:
        journals.append(plan.apply(client, typed(plan), backup=None, progress=False).journal)

    assert len(set(journals)) == 2
    for journal, plan in zip(journals, plans, strict=True):
        assert read_journal(journal).plan["fingerprint"] == plan.fingerprint


@pytest.fixture
def stopped(service, client, make_plan, typed, tmp_path):
    """Stop a plan after two of its images."""
    plan = saved(make_plan(client, 6), tmp_path / "plan.json")
    service.fail("DELETE", "/v1/images/*", skip=2, status=401)
    with pytest.raises(pic.AuthenticationError):
        plan.apply(client, typed(plan), backup=None, progress=False)
    service.clear_faults()
    return plan


def smaller(plan):
    return plan.without(plan.images.index[-1])


def with_caps(plan):
    return dataclasses.replace(plan, caps=pic.cleanup.Caps(99, None, 1.0))


@pytest.mark.parametrize("another", [smaller, with_caps])
@pytest.mark.slow
def test_another_plan_is_not_resumed_by_the_file_it_was_saved_into(
    service, client, stopped, tmp_path, another
):
    other = saved(another(stopped), tmp_path / "plan.json")
    deleted = len(service.deleted)

    with pytest.raises(JournalError, match=r"Nothing is sent\. .* by path\.$") as refused:
        pic.resume_deletion(client, other, progress=False)

    assert stopped.confirmation in str(refused.value)
    assert other.confirmation in str(refused.value)
    assert len(service.deleted) == deleted


@pytest.mark.slow
def test_the_plan_itself_is_resumed_though_another_took_its_file(
    service, client, stopped, make_plan, typed, tmp_path
):
    images = pic.load_images(client, store=None, progress=False)
    rest = images.index.difference(stopped.images.index)[:2]
    other = saved(pic.plan_deletion(images, rest, reason="x"), tmp_path / "plan.json")
    done = other.apply(client, typed(other), backup=None, progress=False)

    receipt = pic.resume_deletion(client, stopped, progress=False)

    assert done.counts == {"deleted": 2}
    assert receipt.confirmation == stopped.confirmation
    assert receipt.counts == {"deleted": 6}


def test_a_journal_that_nobody_confirmed_resumes_nothing(service, client, make_plan, tmp_path):
    plan = make_plan(client, 3)
    Journal.begin(tmp_path / "j.ndjson", to_document(plan), None)

    with pytest.raises(JournalError, match=r"nothing to resume; apply the plan with its phrase\.$"):
        pic.resume_deletion(client, tmp_path / "j.ndjson", progress=False)

    assert not service.deleted


def test_plans_that_are_not_saved_have_journals_by_their_fingerprint(client, make_plan):
    plans = [make_plan(client, n) for n in (2, 3)]

    paths = {journal_path(plan, client, "default") for plan in plans}

    assert {path.stem for path in paths} == {plan.fingerprint for plan in plans}


@pytest.mark.parametrize("seed_only", [False, True])
@pytest.mark.slow
def test_two_machines_with_one_plan_delete_each_image_once_and_keep_one_journal(
    tmp_path, seed_only
):
    world = World(tmp_path, n_images=30, seed_only=seed_only)
    try:
        world.load()
        world.plan(0, 9)
        with Mortals(world.service.api_key) as mortals:
            world.apply_meanwhile("another machine", 0, mortals)
        target = world.reviewed[-1]

        assert world.steps["apply, another machine: JournalError"] == 1
        past = read_journal(target.journal)
        assert past.ended_at is not None
        assert set(past.outcomes) == target.ids == {gone.id for gone in world.service.deleted}
    finally:
        world.close()
