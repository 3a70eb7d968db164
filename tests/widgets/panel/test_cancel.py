"""Cancel ends a deletion at once, wherever an answer does not come, and what was under way can be resumed."""

import threading
import time

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.widgets import CleanupPanel
from picora_analytics.widgets.panel.session import Stage, needed_text

SILENCE = 20.0  # Seconds that an answer would take.


def _until(true, seconds):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def _panel(client, n):
    images = pic.load_images(client, store=None, progress=False)
    panel = CleanupPanel(images, client)
    small = images["is_public"] & (images["size_bytes"] < 200_000)
    chosen = pic.plan_deletion(images, small, reason="x").images.index[:n]
    panel._do(lambda session: session.select(chosen))
    panel._plan.reason.value = "a test"
    panel._plan.button.click()
    return panel, set(chosen)


def _begin(panel, folder=None):
    panel._confirm.no_backup.value = folder is None
    panel._confirm.folder.value = str(folder)
    panel._confirm.typed.value = needed_text(panel.plan, backup=folder is not None)
    panel._confirm.delete.click()


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
def test_cancel_ends_at_once_and_leaves_nothing_behind(tmp_path, silent, seed_only, outcomes):
    arrived, goes_on = threading.Event(), threading.Event()
    with DemoServer(n_images=60, seed_only=seed_only, rate_scale=None) as service:
        with pic.Client(service.api_key, service.url) as client:
            panel, chosen = _panel(client, 4)
            _until(lambda: not _fetching(), 60)
            service.fail(
                *silent, times=None, meanwhile=lambda: (arrived.set(), goes_on.wait(SILENCE))
            )
            _begin(panel, tmp_path / "kept" if silent[1] == "/*.*" else None)
            assert arrived.wait(60)

            panel._progress.stop.click()
            _until(lambda: panel._session.stage is not Stage.DELETING, 3)

            receipt = panel.receipt
            assert set(receipt.counts) == outcomes
            assert not receipt.complete
            assert set(panel.mask[panel.mask].index) == chosen
            assert panel._message.value == ""
            service.clear_faults()
            goes_on.set()
            if "unknown" in outcomes:
                again = pic.resume_deletion(client, receipt.journal)
                assert again.counts == {"deleted": 4}
                assert sorted(one.id for one in service.deleted) == sorted(chosen)


def _fetching():
    return [one for one in threading.enumerate() if one.name == "picora-thumbnails"]
