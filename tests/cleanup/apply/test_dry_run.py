"""A dry run sends only reads and says what would happen to each image."""

import json
import re

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer


@pytest.fixture(params=["current", "seed", "seed-only"])
def service(request):
    shape = {"current": {}, "seed": {"shape": "seed"}, "seed-only": {"seed_only": True}}
    with DemoServer(n_images=130, **shape[request.param]) as server:
        yield server


@pytest.fixture
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


def _plan(client, **options):
    images = pic.load_images(client, store=None, progress=False)
    return pic.plan_deletion(images, list(images.index[:20]), reason="a test", **options)


def test_a_dry_run_sends_only_reads(service, client):
    receipt = _plan(client).dry_run(client)

    assert receipt.counts == {"would delete": 20}
    assert receipt.dry_run
    assert {request.method for request in service.requests} == {"GET"}
    assert len(service.images) == 130


def test_what_changed_since_is_kept_with_old_and_new(service, client):
    plan = _plan(client)
    gone, edited, *_ = plan.images.index
    service.remove(gone)
    service.edit(edited, tags=["fresh"], is_public=not service.images[edited].is_public)

    outcomes = plan.dry_run(client).outcomes.set_index("id")

    assert outcomes.loc[gone, "outcome"] == "already gone"
    assert outcomes.loc[edited, "outcome"] == "kept"
    assert re.search(
        r"^changed since the plan: .*visibility .* → .*", outcomes.loc[edited, "reason"]
    )
    assert "→ fresh" in outcomes.loc[edited, "reason"]
    assert list(outcomes.index) == list(plan.images.index)


def test_a_plan_over_its_caps_would_delete_nothing(service, client):
    receipt = _plan(client, max_images=3).dry_run(client)

    assert receipt.counts == {"kept": 20}
    assert "more than max_images=3" in receipt.outcomes["reason"].iloc[0]


def test_another_account_is_refused(service, client):
    plan = _plan(client)

    with (
        DemoServer(n_images=3, user_id="somebody-else-0123456") as other,
        pic.Client(other.api_key, other.url) as stranger,
        pytest.raises(pic.PlanError, match=r"or plan again\.$"),
    ):
        plan.dry_run(stranger)


def test_a_library_read_in_part_gives_no_receipt(service, client):
    plan = _plan(client)
    service.fail("GET", "/v1/images", skip=1, times=None, status=403)

    with pytest.raises(pic.IncompleteLoadError):
        plan.dry_run(client)


def test_a_receipt_is_written_as_json_and_as_a_safe_table(service, client, tmp_path):
    receipt = _plan(client).dry_run(client)

    document = json.loads(receipt.write(tmp_path / "r.json").read_text())
    table = pd.read_csv(receipt.write(tmp_path / "r.csv"), dtype=str)

    assert document["dry_run"] is True
    assert document["counts"] == {"would delete": 20}
    assert [row["id"] for row in document["outcomes"]] == list(receipt.outcomes["id"])
    assert not table["id"].str.startswith(("-", "=", "+", "@")).any()
    assert "would delete" in receipt._repr_html_()
