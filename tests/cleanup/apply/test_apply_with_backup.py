"""No proved copy, no deletion: what an apply does with the folder it is given."""

import datetime as dt

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.policy.follow import follow_policy

pytest.importorskip("picora_analytics.cleanup.backup.restore", reason="copies are not in this tree")


@pytest.fixture
def service():
    with DemoServer(n_images=130, rate_scale=1000) as server:
        yield server


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "kept"


def _picture(images, one):
    return "/" + images.loc[one, "url"].split("/", 3)[3].split("?")[0]


@pytest.mark.slow
def test_an_image_whose_copy_cannot_be_made_is_kept(service, client, make_plan, typed, kept, gone):
    plan = make_plan(client)
    lost = plan.images.index[2]
    service.fail("GET", _picture(plan.images, lost), status=404, times=None)

    receipt = plan.apply(client, confirm=typed(plan), backup=kept, progress=False)

    assert receipt.counts == {"deleted": 6, "kept": 1}
    assert receipt.outcomes.set_index("id").loc[lost, "reason"].startswith("no copy: ")
    assert lost not in gone(service)
    assert any(note.startswith("copies were kept in ") for note in receipt.notes)
    back = pic.restore_images(client, kept)
    assert set(back.loc[back["outcome"] == "restored", "old_id"]) == set(gone(service))


class Spoil:
    """A progress that alters a copy when the first deleting request is announced."""

    def __init__(self, folder):
        self.folder, self.spoiled = folder, None

    def update(self, done, total):
        """Hear nothing."""

    def wait(self, reason):
        if "deleting request" in reason and self.spoiled is None:
            self.spoiled = sorted(self.folder.glob("picora-*"))[0]
            self.spoiled.write_bytes(b"x" * self.spoiled.stat().st_size)

    def finish(self, text):
        """Hear nothing."""


@pytest.mark.slow
def test_a_copy_altered_between_its_proof_and_the_deletion_proves_nothing(
    service, client, make_plan, typed, kept, gone
):
    plan = make_plan(client)
    spoil = Spoil(kept)

    receipt = plan.apply(client, confirm=typed(plan), backup=kept, progress=spoil)

    assert receipt.counts == {"deleted": 6, "kept": 1}
    reasons = set(receipt.outcomes["reason"]) - {""}
    assert [reason.startswith("its copy does not hold: ") for reason in reasons] == [True]
    still = receipt.outcomes.loc[receipt.outcomes["outcome"] == "kept", "id"].iloc[0]
    assert still in spoil.spoiled.name
    assert still in service.images


class SpoilManifest(Spoil):
    """A progress that spoils the manifest when the first deleting request is announced."""

    def __init__(self, folder, spoil):
        super().__init__(folder)
        self.spoil = spoil

    def wait(self, reason):
        if "deleting request" in reason:
            self.spoil(self.folder / "copies.ndjson")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        pytest.param(lambda file: file.unlink(), "has no readable copies.ndjson", id="gone"),
        pytest.param(
            lambda file: file.write_text(file.read_text().splitlines()[0] + "\n"),
            "copies.ndjson does not list its copy any more",
            id="emptied",
        ),
    ],
)
@pytest.mark.slow
def test_a_copy_that_nobody_could_restore_proves_nothing(
    service, client, make_plan, typed, kept, gone, spoil, why
):
    plan = make_plan(client)

    receipt = plan.apply(
        client, confirm=typed(plan), backup=kept, progress=SpoilManifest(kept, spoil)
    )

    assert receipt.counts == {"kept": 7}
    assert gone(service) == []
    assert all(why in reason for reason in receipt.outcomes["reason"])


@pytest.mark.slow
def test_resuming_uses_the_folder_that_was_said_then(
    service, client, make_plan, typed, kept, tmp_path
):
    plan = make_plan(client)
    service.fail("DELETE", "/v1/media", status=403)
    journal = tmp_path / "j.ndjson"
    with pytest.raises(pic.PermissionDeniedError):
        plan.apply(client, confirm=typed(plan), backup=kept, journal=journal, progress=False)

    receipt = pic.resume_deletion(client, journal, progress=False)

    assert receipt.counts == {"deleted": 7}
    assert f"copies were kept in {kept}" in repr(receipt)


POLICY = """
reason = "old and never tagged"
expires = 2999-01-01
protect = []
sightings = 2
sightings_apart = "0"
rule = { older_than = 730, untagged = true }
references = { file = "used.txt", max_age = "1d" }
caps = { max_images = 500, max_bytes = "1 GiB", max_fraction = 0.2 }
backup = { folder = "kept" }
"""


def test_a_standing_order_deletes_what_it_allows_and_keeps_its_copies(
    service, client, kept, tmp_path, gone
):
    images = pic.load_images(client, store=tmp_path / "store", progress=False)
    old = pic.rules.older_than(images, 730) & pic.rules.untagged(images)
    chosen = set(pic.plan_deletion(images, old, reason="a test").images.index)
    used = min(chosen)
    found = dt.datetime.now(dt.UTC).isoformat()
    (tmp_path / "used.txt").write_text(f"# found {found}\n{used}\n")
    (tmp_path / "policy.toml").write_text(POLICY)

    plan, receipt = follow_policy(
        client, tmp_path / "policy.toml", store=tmp_path / "store", environ={}
    )

    assert set(gone(service)) == chosen - {used}
    assert receipt.counts == {"deleted": len(chosen) - 1}
    assert (kept / f"{plan.confirmation}.journal.ndjson").exists()
