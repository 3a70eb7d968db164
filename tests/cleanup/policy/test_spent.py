"""The caps of a standing order hold for a week, however often it runs."""

import datetime as dt

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer, PlanError, UnsafePlanError, plan_deletion
from picora_analytics.cleanup.apply.journal import Journal
from picora_analytics.cleanup.plan.document import to_document
from picora_analytics.cleanup.plan.guard import Amount
from picora_analytics.cleanup.policy.follow import follow_policy
from picora_analytics.cleanup.policy.spent import refuse_over_the_week, spent

DAY = dt.timedelta(days=1)
POLICY = """
reason = "forgotten"
expires = {expires}
protect = []
sightings = 2
sightings_apart = "0"
rule = {{ uploaded_before = "2100-01-01", tagged = ["old"] }}
references = {{ file = "used.csv", max_age = "2d" }}
caps = {{ max_images = 5, max_bytes = "1 GiB", max_fraction = 0.5 }}
backup = {{ folder = "kept" }}
"""


@pytest.fixture
def journal(make_images, tmp_path):
    """Write the journal of a run: what it deleted, what was kept, and what is open."""

    def write(name, reason="forgotten", deleted=(), kept=(), unknown=(), open_=(), cut=False):
        images = make_images(size_bytes=[1, 10, 100, 1000, None])
        plan = plan_deletion(images, list("abcde"), reason=reason, max_fraction=1)
        path = tmp_path / f"{name}.journal.ndjson"
        log = Journal.begin(path, to_document(plan), None)
        log.intend([*deleted, *kept, *unknown, *open_])
        words = {"deleted": deleted, "kept": kept, "unknown": unknown}
        log.record({one: (word, "") for word, ids in words.items() for one in ids})
        if cut:
            path.write_bytes(path.read_bytes()[:-30] + b"\n")
        return images.attrs["picora"]["account"]

    return write


def test_what_was_or_may_have_been_deleted_in_the_week_counts(journal, tmp_path):
    account = journal("one", deleted="ab", kept="d", unknown="c", open_="e")
    journal("two", deleted="a")
    journal("another policy's", reason="too large", deleted="d")
    now = dt.datetime.now(dt.UTC)

    all_of_it = Amount(5, 112, 1)
    assert spent(tmp_path, " forgotten ", account, now) == all_of_it
    assert spent(tmp_path, "forgotten", account, now + 6.8 * DAY) == all_of_it
    assert spent(tmp_path, "forgotten", account, now - 9 * DAY) == all_of_it  # A clock set back.
    # A weekly job that starts a little early does not count the one before.
    assert spent(tmp_path, "forgotten", account, now + 6.9 * DAY) == (0, 0, 0)
    assert spent(tmp_path, "forgotten", "another account", now) == (0, 0, 0)
    assert spent(tmp_path / "not there", "forgotten", account, now) == (0, 0, 0)


def test_a_journal_that_cannot_be_read_may_hold_anything(journal, tmp_path):
    account = journal("one", deleted="a", cut=True)

    with pytest.raises(pic.JournalError, match="is damaged"):
        spent(tmp_path, "forgotten", account, dt.datetime.now(dt.UTC))


@pytest.mark.parametrize(
    ("caps", "before", "said"),
    [
        ({"max_images": 3}, Amount(1, 0), None),
        ({"max_images": 3}, Amount(2, 0), "4 images are more than max_images=3"),
        ({"max_bytes": 10}, Amount(1, 8), None),
        ({"max_bytes": 10}, Amount(1, 9), "11 B are more than max_bytes=10 B"),
        ({"max_bytes": 10}, Amount(1, 0, 1), "1 image of unknown size may be more than"),
        # Of the library as it was before: 4 of 8 images, 5 of 9.
        ({"max_fraction": 0.5}, Amount(2, 2), None),
        ({"max_fraction": 0.5}, Amount(3, 3), "of the images are more than max_fraction=0.5"),
        # What a plan alone breaks is refused by the apply itself.
        ({"max_images": 1}, Amount(0, 0), None),
    ],
)
def test_a_plan_and_what_went_before_keep_within_the_caps_together(make_images, caps, before, said):
    images = make_images(size_bytes=[1] * 6)
    plan = plan_deletion(images, ["a", "b"], reason="forgotten", **{"max_fraction": 1} | caps)

    if said is None:
        refuse_over_the_week(plan, before)
    else:
        with pytest.raises(UnsafePlanError, match=said):
            refuse_over_the_week(plan, before)


@pytest.mark.slow
def test_a_policy_that_runs_every_day_deletes_no_more_than_in_one_run_of_the_week(tmp_path):
    (tmp_path / "kept").mkdir()
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.format(expires=(dt.date.today() + 99 * DAY).isoformat()))
    with (
        DemoServer(n_images=60, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        used = f"# found {dt.datetime.now(dt.UTC).isoformat()}\n{next(iter(service.images))}\n"
        (tmp_path / "used.csv").write_text(used)
        there = list(service.images.items())[1:]
        runs = []
        for n in (3, 2, 1):
            for image_id, image in [there.pop() for _ in range(n)]:
                # Not edited lately: the upload is what changed it last.
                service.edit(image_id, tags=("old",), updated_at=image.updated_at)
            pic.load_images(client, store=tmp_path / "store", refresh="full", progress=False)
            try:
                _, receipt = follow_policy(client, policy, store=tmp_path / "store", environ={})
                runs.append(receipt.counts)
            except UnsafePlanError as error:
                runs.append(str(error))

        assert len(service.deleted) == 5
    assert runs[:2] == [{"deleted": 3}, {"deleted": 2}]
    assert "5 images" in runs[2] and "6 images are more than max_images=5" in runs[2]


@pytest.mark.slow
@pytest.mark.parametrize("changed", [False, True], ids=["as it was", "decided since"])
def test_an_interrupted_order_is_run_again_and_never_resumed(tmp_path, changed):
    (tmp_path / "kept").mkdir()
    policy = tmp_path / "policy.toml"
    expires = (dt.date.today() + 99 * DAY).isoformat()
    policy.write_text('decisions = "decisions.csv"\n' + POLICY.format(expires=expires))
    (tmp_path / "decisions.csv").write_text("id,decision\n")
    with (
        DemoServer(n_images=60, rate_scale=1000) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        first, *_, one, other = service.images
        (tmp_path / "used.csv").write_text(
            f"# found {dt.datetime.now(dt.UTC).isoformat()}\n{first}\n"
        )
        for image_id in (one, other):
            service.edit(image_id, tags=("old",), updated_at=service.images[image_id].updated_at)
        pic.load_images(client, store=tmp_path / "store", refresh="full", progress=False)
        service.fail("DELETE", "*", status=401, times=1)
        service.fail("POST", "*delete*", status=401, times=1)
        with pytest.raises(pic.AuthenticationError) as stopped:
            follow_policy(client, policy, store=tmp_path / "store", environ={}, progress=False)
        assert "type the same again" in repr(stopped.value.receipt)
        (journal,) = (tmp_path / "kept").glob("*.journal.ndjson")
        if changed:
            (tmp_path / "decisions.csv").write_text(f"id,decision\n{one},keep\n")

        with pytest.raises(PlanError, match=r"is of a standing order, .* Run the policy again"):
            pic.resume_deletion(client, journal)
        _, receipt = follow_policy(
            client, policy, store=tmp_path / "store", environ={}, progress=False
        )

        assert receipt.counts["deleted"] == 1 if changed else 2
        assert {image.id for image in service.deleted} == ({other} if changed else {one, other})
