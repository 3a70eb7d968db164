"""What goes beside the plan is noticed: at once where the service counts, else when the end is verified."""

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer


@pytest.fixture
def server():
    with DemoServer(130, rate_scale=None) as server:
        yield server


@pytest.fixture
def client(server):
    with pic.Client(server.api_key, server.url) as client:
        yield client


def planned(client, n, **options):
    images = pic.load_images(client, store=None, progress=False)
    return pic.plan_deletion(images, list(images.index[:n]), reason="x", **options)


def test_a_deletion_that_takes_others_along_stops(client, server, typed, tmp_path):
    plan = planned(client, 110, max_fraction=1)
    other = next(one for one in server.images if one not in plan.images.index)
    assert other not in plan.images.index
    server.fail("DELETE", "/v1/media", meanwhile=lambda: server.remove(other))

    receipt = plan.apply(client, typed(plan), backup=None, journal=tmp_path / "j", progress=False)

    assert receipt.counts == {"deleted": 100, "kept": 10}
    assert not receipt.complete
    assert "1 image fewer than this run deleted" in receipt.notes[0]
    assert any(
        f"not in the plan went meanwhile, whoever deleted them, such as {other!r}" in note
        for note in receipt.notes
    )
