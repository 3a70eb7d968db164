"""Cancel ends a deletion at once, wherever an answer does not come, and what was under way can be resumed."""

import threading

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

SILENCE = 20.0  # Seconds that an answer would take.


def _panel(hands, client, n):
    images = pic.load_images(client, store=None, progress=False)
    small = images["is_public"] & (images["size_bytes"] < 200_000)
    chosen = pic.plan_deletion(images, small, reason="x").images.index[:n]
    return hands.review(images, client, chosen), set(chosen)


@pytest.mark.parametrize(
    ("silent", "seed_only", "outcomes"),
    [
        pytest.param(("GET", "/*.*"), False, {"kept"}, id="the host of the pictures"),
        pytest.param(("GET", "/v1/images*"), False, {"kept"}, id="a single read"),
        pytest.param(("GET", "/v1/images"), True, {"kept"}, id="the listing"),
        pytest.param(("DELETE", "/v1/media"), False, {"unknown"}, id="a batch"),
        pytest.param(("DELETE", "/v1/images/*"), True, {"unknown", "kept"}, id="a single deletion"),
    ],
)
def test_cancel_ends_at_once_and_leaves_nothing_behind(
    tmp_path, hands, silent, seed_only, outcomes
):
    arrived, goes_on = threading.Event(), threading.Event()
    with DemoServer(n_images=60, seed_only=seed_only, rate_scale=None) as service:
        with pic.Client(service.api_key, service.url) as client:
            panel, chosen = _panel(hands, client, 4)
            service.fail(
                *silent, times=None, meanwhile=lambda: (arrived.set(), goes_on.wait(SILENCE))
            )
            hands.confirm(panel, tmp_path / "kept" if silent[1] == "/*.*" else None)
            assert arrived.wait(60)
            shown = panel._modes.progress.map
            if silent in (("GET", "/*.*"), ("DELETE", "/v1/media")):
                hands.until(lambda: shown.marks == "nnnn")  # All four are waited for.

            panel._modes.progress.stop.click()
            hands.until(lambda: panel._modes.job.ended, 3)
            hands.settle()

            receipt = panel.receipt
            assert set(receipt.counts) == outcomes
            assert not receipt.complete
            assert set(panel.mask[panel.mask].index) == chosen
            assert panel._modes.mode == "receipt"
            assert panel._modes.receipt.said.value == ""
            service.clear_faults()
            goes_on.set()
            if "unknown" in outcomes:
                again = pic.resume_deletion(client, receipt.journal)
                assert again.counts == {"deleted": 4}
                assert sorted(one.id for one in service.deleted) == sorted(chosen)
