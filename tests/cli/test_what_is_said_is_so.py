"""Exit codes and refusals of apply: what was not done whole is not a success, and nothing typed is unheard."""

import itertools
import shutil

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer


@pytest.fixture
def plan(run, tmp_path):
    with DemoServer(n_images=60, rate_scale=None) as server:
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            public = images[images["is_public"] == True]  # noqa: E712 (It is three-valued.)
            made = pic.plan_deletion(images, list(public.index[:5]), reason="x", max_fraction=1)
            made.save(tmp_path / "plan.json")
        yield made, server


def no_pictures(server):
    server.fail("GET", "/*.*", times=None, status=403)
    server.fail("POST", "/v1/images/*/sign", times=None, status=403)


def one_picture_less(server):
    server.fail("GET", "/*.*", times=1, status=403)
    server.fail("POST", "/v1/images/*/sign", times=None, status=403)


def nothing_goes(server):
    body = '{"success": true, "data": {"deleted": [], "failed": []}}'
    server.fail("DELETE", "/v1/media", times=None, status=200, body=body)


def answers_are_lost(server):
    server.fail("DELETE", "/v1/media", times=None, status=500)


@pytest.mark.parametrize(
    ("fault", "backup"),
    [
        pytest.param(no_pictures, True, id="nothing was copied"),
        pytest.param(one_picture_less, True, id="one was not copied"),
        pytest.param(nothing_goes, False, id="nothing goes"),
        pytest.param(nothing_goes, True, id="nothing goes, though copied"),
        pytest.param(answers_are_lost, False, id="answers are lost"),
    ],
)
@pytest.mark.slow
def test_what_was_carried_out_in_part_exits_with_4_each_time(run, plan, fault, backup):
    made, server = plan
    fault(server)
    said = ("apply", "plan.json", "--confirm", made.confirmation)
    said += ("--backup", "kept") if backup else ("--no-backup",)

    first = run(*said, server=server)
    assert first.returncode in (1, 4), first.stdout
    assert run(*said, server=server).returncode in (1, 4)

    server.clear_faults()
    resumed = run("apply", "plan.json", "--resume", server=server)
    if resumed.returncode == 1:  # Nothing had been sent, so the phrase is asked for again.
        resumed = run(*said, server=server)
    # What had failed for good is not tried again, and is no success the next time either.
    done = {image.id for image in server.deleted} == set(made.images.index)
    assert resumed.returncode == (0 if done else 4)


@pytest.mark.slow
def test_what_a_colleague_protected_is_kept_and_that_is_a_success(run, plan):
    made, server = plan
    server.edit(made.images.index[0], title="still needed")

    done = run("apply", "plan.json", "--confirm", made.confirmation, "--no-backup", server=server)

    assert done.returncode == 0, done.stderr
    assert [len(server.deleted), made.images.index[0] in server.images] == [4, True]


PLAN_ONLY = [
    ("--confirm", "5-0123456789ab"),
    ("--confirm-file", "approved.txt"),
    ("--backup", "kept"),
    ("--no-backup",),
    ("--resume",),
]


@pytest.mark.parametrize("said", PLAN_ONLY, ids=lambda said: said[0])
def test_what_a_standing_order_would_not_hear_is_refused(run, plan, said):
    done = run("apply", "--standing-order", "policy.toml", *said, server=plan[1])

    assert done.returncode == 2
    assert f"{said[0]} is for a plan" in done.stderr


def test_a_store_beside_a_plan_is_refused(run, plan):
    assert run("apply", "plan.json", "--store", "kept", server=plan[1]).returncode == 2


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("wrong", ["5-000000000000", "y", "", " "])
@pytest.mark.slow
def test_a_phrase_of_another_plan_sends_nothing(run, plan, wrong, resume):
    made, server = plan
    server.fail("DELETE", "/v1/media", times=1, status=403)
    right = ("apply", "plan.json", "--no-backup", "--confirm", made.confirmation)
    run(*right, server=server)

    said = ("apply", "plan.json", "--no-backup", "--confirm", wrong)
    done = run(*said, *(("--resume",) if resume else ()), server=server)

    assert done.returncode == 1
    assert made.confirmation in done.stderr
    assert server.deleted == []


NAMES = ["plan.json", "plan.2026-11.json", "plan.2026-12.json", "plan", "plan.tar.gz", "план.json"]


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.combinations_with_replacement(NAMES, 2))
)
@pytest.mark.slow
def test_two_plans_never_share_a_journal(run, plan, tmp_path, first, second):
    """The second is stopped in the middle; each is resumed with its own images, and no others."""
    made, server = plan
    shutil.move(tmp_path / "plan.json", tmp_path / first)
    confirm = ("--confirm", made.confirmation, "--no-backup")
    assert run("apply", first, *confirm, server=server).returncode == 0
    assert run("load", server=server).returncode == 0
    with pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        other = pic.plan_deletion(images, list(images.index[-4:]), reason="y", max_fraction=1)
        other.save(tmp_path / second)
    server.fail("DELETE", "/v1/media", times=1, status=401)
    stopped = run("apply", second, "--confirm", other.confirmation, "--no-backup", server=server)
    assert stopped.returncode == 1, stopped.stderr

    (tmp_path / "elsewhere").mkdir()
    resumed = run("apply", f"elsewhere/../{second}", "--resume", server=server)

    assert resumed.returncode == 0, resumed.stderr
    assert f"RECEIPT of plan {other.confirmation}: 4 images deleted" in resumed.stdout
    gone = [image.id for image in server.deleted]
    assert sorted(gone) == sorted([*made.images.index, *other.images.index])
    again = run("apply", second, "--confirm", other.confirmation, "--no-backup", server=server)
    assert (again.returncode, "carried out before" in again.stdout) == (0, True)


@pytest.mark.slow
def test_a_plan_made_anew_over_one_that_was_interrupted(run, plan, tmp_path):
    """The new file is not resumed as the old plan; the old one goes on by its journal, if someone says so."""
    made, server = plan
    server.fail("DELETE", "/v1/media", times=1, status=401)
    confirm = ("--confirm", made.confirmation, "--no-backup")
    assert run("apply", "plan.json", *confirm, server=server).returncode == 1
    with pic.Client(server.api_key, server.url) as client:
        fewer = pic.read_plan(tmp_path / "plan.json").without([made.images.index[0]])
        fewer.save(tmp_path / "plan.json")
        assert client.account() == made.library["account"]

    refused = run("apply", "plan.json", "--resume", server=server)
    assert refused.returncode == 1
    assert made.confirmation in refused.stderr
    assert fewer.confirmation in refused.stderr
    assert server.deleted == []

    phrase = ("--confirm", made.confirmation)
    assert run("apply", "plan.journal.ndjson", "--resume", *phrase, server=server).returncode == 2
    done = run("apply", "plan.journal.ndjson", "--resume", server=server)
    assert done.returncode == 0, done.stderr
    assert {image.id for image in server.deleted} == set(made.images.index)


def test_where_copies_are_the_line_to_type_names_them():
    from picora_analytics.cli.words import in_shell_words

    note = "copies were kept in kept/; restore_images uploads them again, under new addresses"
    assert in_shell_words(note) == (
        "copies were kept in kept/; `picora-analytics restore kept/` uploads them again, under new addresses"
    )
