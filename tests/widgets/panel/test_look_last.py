"""A deletion from the panel looks last: what was protected or edited while a backup came is kept."""

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

CHANGES = {
    "tagged as protected": {"tags": ["keep"]},
    "tagged in another spelling": {"tags": [" K\u200beep"]},
    "renamed": {"filename": "logo.png"},
    "made private": {"is_public": False},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seed_only", [True, False], ids=["seed", "current"])
def test_what_changes_while_the_backup_comes_is_kept(tmp_path, hands, change, seed_only):
    with DemoServer(n_images=120, seed_only=seed_only, rate_scale=None) as service:
        marked, *_ = sorted(service.images)
        service.edit(marked, tags=["keep"])
        with pic.Client(service.api_key, service.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            small = images["is_public"] & (images["size_bytes"] < 200_000)
            chosen = pic.plan_deletion(images, small, reason="x", protect="keep").images.index[:3]
            panel = hands.review(images, client, chosen, protect="keep")
            assert len(panel.plan.images) == 3
            # From here on a picture is asked for by the backup alone.
            service.fail("GET", "/*.*", meanwhile=lambda: service.edit(chosen[0], **change))
            hands.confirm(panel, tmp_path / "kept")
            hands.end(panel)

        outcomes = panel.receipt.outcomes.set_index("id")["outcome"]
        assert outcomes.to_dict() == {
            chosen[0]: "kept",
            chosen[1]: "deleted",
            chosen[2]: "deleted",
        }
        assert chosen[0] in service.images
        assert panel.mask[panel.mask].index.tolist() == [chosen[0]]
