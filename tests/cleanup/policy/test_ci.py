"""Where nobody watches: no phrase confirms itself, and nothing vanishes unsaid."""

import datetime as dt

import pytest

from picora_analytics import ConfirmationError, PlanError, plan_deletion
from picora_analytics.cleanup.policy.ci import (
    read_phrase,
    refuse_inside_workspace,
    refuse_same_job,
    refuse_unmounted,
    vanishing,
    workspace_of,
)

CI = {"CI": "true"}


@pytest.fixture
def plan(make_images):
    return plan_deletion(make_images(), ["a"], reason="test", max_fraction=1)


def test_in_ci_a_plan_of_the_same_job_is_refused_and_the_recipes_are_named(plan):
    with pytest.raises(
        ConfirmationError, match=r"--confirm-file; .* --standing-order\. .* give --min-age\.$"
    ):
        refuse_same_job(plan, dt.timedelta(hours=1), CI, plan.made_at + dt.timedelta(minutes=59))


@pytest.mark.parametrize(
    ("environ", "minutes", "min_age"),
    [
        pytest.param(CI, 60, 60, id="old enough"),
        pytest.param({}, 0, 60, id="a person's own machine"),
        pytest.param(CI, 0, 0, id="said aloud"),
    ],
)
def test_else_it_is_accepted(plan, environ, minutes, min_age):
    now = plan.made_at + dt.timedelta(minutes=minutes)

    assert refuse_same_job(plan, dt.timedelta(minutes=min_age), environ, now) is None


@pytest.mark.parametrize(
    "content", ["1-abc", "\ufeff1-abc\r\n", "# approved by us\n\n  1-abc  \n", "1-abc\n# fine\n"]
)
def test_the_phrase_is_the_one_line_of_a_file(tmp_path, content):
    path = tmp_path / "approved.txt"
    path.write_text(content, encoding="utf-8")

    assert read_phrase(path) == "1-abc"


@pytest.mark.parametrize("content", ["", "# 1-abc\n", "1-abc\n2-def\n"])
def test_a_file_without_one_phrase_confirms_nothing(tmp_path, content):
    path = tmp_path / "approved.txt"
    path.write_text(content)

    with pytest.raises(ConfirmationError, match=r"into it, alone\.$"):
        read_phrase(path)


def test_a_file_that_cannot_be_read_confirms_nothing(tmp_path):
    (tmp_path / "bytes").write_bytes(b"\xff")

    for name in ("none", "bytes"):
        with pytest.raises(ConfirmationError, match=r"^The phrase cannot be read from "):
            read_phrase(tmp_path / name)


def test_a_checkout_is_found_by_its_variable_or_its_git_folder(tmp_path):
    (tmp_path / "repo" / ".git").mkdir(parents=True)

    assert workspace_of(tmp_path / "repo" / "kept", {}) == tmp_path / "repo"
    assert workspace_of(tmp_path / "other", {}) is None
    assert workspace_of(tmp_path / "other" / "kept", {"GITHUB_WORKSPACE": str(tmp_path)}) == (
        tmp_path
    )


def test_copies_inside_a_checkout_are_refused(tmp_path):
    (tmp_path / ".git").mkdir()

    with pytest.raises(PlanError, match=r"such as a mounted disk\.$"):
        refuse_inside_workspace(tmp_path / "kept", {})

    assert refuse_inside_workspace(tmp_path.parent / "elsewhere", {}) is None


def test_what_would_vanish_with_the_runner_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = {"the journal": tmp_path / "plan.json", "the copies": tmp_path.parents[-1] / "mnt"}

    said = vanishing(places, CI)

    assert said.startswith(f"CI: the journal ({tmp_path / 'plan.json'}) would vanish")
    assert said.endswith("or name a folder that outlives the job.")
    assert "the copies" not in said
    assert vanishing(places, {}) == ""
    assert vanishing({"the copies": places["the copies"]}, CI) == ""


@pytest.mark.parametrize(
    ("there", "folder", "made"),
    [
        pytest.param("mnt", "mnt/usb/picora/kept", False, id="its disk is away"),
        pytest.param("mnt", "mnt/kept", False, id="beside the disks"),
        pytest.param("mnt/usb", "mnt/usb/kept", False, id="where a disk is mounted, when it is"),
        pytest.param("mnt/usb/kept", "mnt/usb/kept", True, id="there already"),
        pytest.param("home", "home/kept", True, id="beside what is there"),
        pytest.param("home", "home/a/kept", False, id="its parent is not there"),
    ],
)
def test_an_unattended_run_does_not_invent_the_folder_of_an_absent_disk(
    tmp_path, there, folder, made
):
    (tmp_path / there).mkdir(parents=True)

    if made:
        refuse_unmounted(tmp_path / folder, [str(tmp_path / "mnt")])
    else:
        with pytest.raises(
            PlanError, match=r"the disk may not be mounted\. .* Nothing was deleted\.$"
        ):
            refuse_unmounted(tmp_path / folder, [str(tmp_path / "mnt")])
    assert [path.name for path in tmp_path.iterdir()] == [there.split("/")[0]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_phrase_is_read_as_windows_writes_it(tmp_path, encoding):
    (tmp_path / "approved.txt").write_bytes("37-2e7d2c03a41f\r\n".encode(encoding))

    assert read_phrase(tmp_path / "approved.txt") == "37-2e7d2c03a41f"
