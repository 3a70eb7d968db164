"""What was begun and not ended is found again, wherever its journal is, looked at anew, and ended either way."""

import dataclasses
import os
import threading

import msgspec
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.apply.begun import begun_deletions
from picora_analytics.cleanup.apply.places import holder_of, journals
from picora_analytics.cleanup.apply.start import carry_out, look_again
from picora_analytics.cleanup.plan.model import STANDING_ORDER


@pytest.fixture
def service():
    with DemoServer(n_images=60, rate_scale=1000, seed_only=True) as server:
        yield server


@pytest.fixture
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


class _Stop:
    """A progress that asks to stop once some images are deleted."""

    def __init__(self, after):
        self.after, self.n = after, 0

    def update(self, done, total): ...

    def wait(self, reason): ...

    def finish(self, text): ...

    def follow(self, step, ids):
        self.n += len(ids) * (step == "deleted")

    def stopped(self):
        return self.n >= self.after


def _plan(client, n=5, path=None):
    images = pic.load_images(client, store=None, progress=False)
    small = list(images.index[images["is_public"] & (images["size_bytes"] < 300_000)][:n])
    plan = pic.plan_deletion(images, small, reason="a test")
    return plan if path is None else pic.read_plan(plan.save(path))


def _interrupted(client, plan, after=2):
    stop = _Stop(after)
    return carry_out(plan, client, backup=None, progress=stop, cancelled=stop.stopped)


def test_an_interrupted_policy_is_run_again_and_not_resumed(client):
    plan = dataclasses.replace(_plan(client), protection=(STANDING_ORDER,))

    receipt = _interrupted(client, plan)

    assert receipt.counts == {"deleted": 2, "kept": 3}
    assert begun_deletions(plan.library, client) == ([], [])


@pytest.mark.parametrize("beside", [False, True], ids=["user-data folder", "beside a plan"])
@pytest.mark.slow
def test_it_is_found_by_its_account(client, tmp_path, beside):
    plan = _plan(client, path=tmp_path / "plan.json" if beside else None)
    assert begun_deletions(plan.library, client).found == []

    receipt = _interrupted(client, plan)

    (begun,) = begun_deletions(plan.library, client).found
    assert begun.path == receipt.journal
    assert (tmp_path in begun.path.parents) is beside
    assert [len(begun.done), len(begun.left)] == [2, 3]
    assert begun.receipt().counts == {"deleted": 2, "kept": 3}
    pic.resume_deletion(client, begun.path, progress=False)
    assert begun_deletions(plan.library, client) == ([], [])


@pytest.mark.slow
def test_a_damaged_journal_is_named_and_hides_no_other(client, tmp_path):
    plan = _plan(client, path=tmp_path / "plan.json")
    receipt = _interrupted(client, plan)
    broken = journals(plan.library, client) / "broken.ndjson"
    broken.write_text('{"line":"plan"}\n')

    begun, problems = begun_deletions(plan.library, client)

    assert [one.path for one in begun] == [receipt.journal]
    assert len(problems) == 1
    assert "broken.ndjson is damaged" in problems[0]


@pytest.mark.slow
def test_the_look_sends_nothing_and_says_what_a_resume_would_do(service, client):
    plan = _plan(client)
    receipt = _interrupted(client, plan)
    written = receipt.journal.read_bytes()
    left = [one for one in plan.images.index if one in service.images]
    service.edit(left[0], filename="renamed.png")
    changing = [one for one in service.requests if one.method != "GET"]

    looked = look_again(client, receipt.journal, keep={left[1]: "decided: keep"})

    assert looked.dry_run
    assert looked.counts == {"would delete": 1, "deleted": 2, "kept": 2}
    reasons = looked.outcomes.set_index("id")["reason"]
    assert reasons[left[1]] == "decided: keep"
    assert "renamed.png" in reasons[left[0]]
    assert receipt.journal.read_bytes() == written
    assert [one for one in service.requests if one.method != "GET"] == changing


@pytest.mark.slow
def test_what_is_to_be_kept_besides_ends_the_deletion_there(service, client):
    plan = _plan(client)
    receipt = _interrupted(client, plan)
    (begun,) = begun_deletions(plan.library, client).found

    ended = pic.resume_deletion(
        client, receipt.journal, progress=False, keep=dict.fromkeys(begun.left, "left by you")
    )

    assert ended.complete
    assert ended.counts == {"deleted": 2, "kept": 3}
    assert set(begun.left) <= set(service.images)
    assert begun_deletions(plan.library, client).found == []


def test_who_holds_the_account_is_told_and_a_note_left_behind_is_not_believed(service, client):
    plan = _plan(client)
    arrived, goes_on = threading.Event(), threading.Event()
    service.fail("DELETE", "/v1/images/*", meanwhile=lambda: (arrived.set(), goes_on.wait(120)))
    run = threading.Thread(
        target=lambda: carry_out(plan, client, backup=None, progress=False), daemon=True
    )
    run.start()
    assert arrived.wait(120)

    holder = holder_of(plan.library, client)

    assert (holder.pid, holder.n_images, holder.where) == (os.getpid(), 5, "this notebook")
    goes_on.set()
    run.join(120)
    assert holder_of(plan.library, client) is None
    (lock,) = journals(plan.library, client).parents[1].glob("locks/*.lock")
    lock.with_suffix(".holder").write_bytes(msgspec.json.encode(holder))  # As after a kill.
    assert holder_of(plan.library, client) is None
