"""Whatever public function is given something else than images or a client, its error says which one was called."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib import pyplot as plt

import picora_analytics as pic
from picora_analytics import rules

NAMES = [name for name in dir(pic) if name.startswith(("summarize_", "plot_"))]
MORE = {
    "older_than": [30],
    "uploaded_before": ["2026-01-01"],
    "larger_than": ["1 MiB"],
    "tagged": ["cat"],
    "decided": [pd.DataFrame({"id": [], "decision": []}), "keep"],
    "hidden_for": [30, pd.DataFrame({"id": [], "decision": []})],
}
RULES = [name for name in rules.__all__ if name != "not_found_in"]


@pytest.mark.parametrize("wrong", [None, ["a"], "images.csv", pd.DataFrame()], ids=repr)
def test_the_function_that_was_called_is_named(make_images, wrong, tmp_path):
    client = pic.Client("sk_live_0123456789abcdef", "http://127.0.0.1:9")
    calls: dict[str, Any] = {name: getattr(pic, name) for name in [*NAMES, "StorageReport"]}
    calls |= {
        name: lambda i, name=name: getattr(pic, name)(i, i) for name in NAMES if "changes" in name
    }
    calls |= {
        name: lambda i, name=name: getattr(rules, name)(i, *MORE.get(name, [])) for name in RULES
    }
    calls |= {
        "forecast_storage": pic.forecast_storage,
        "plan_deletion": lambda i: pic.plan_deletion(i, []),
        "suggest": lambda i: pic.suggest(i, free="1 MiB"),
        "find_duplicates": pic.find_duplicates,
        "measure_savings": lambda i: pic.measure_savings(i, client),
        "reconcile_usage": lambda i: pic.reconcile_usage(i, client),
        "ImageGallery": pic.ImageGallery,
        "CleanupPanel": lambda i: pic.CleanupPanel(i, client),
        # No client.
        "load_images": pic.load_images,
        "restore_images": lambda c: pic.restore_images(c, tmp_path),
        "unhide_images": lambda c: pic.unhide_images(c, tmp_path),
        "SnapshotStore.of": pic.SnapshotStore.of,
    }

    figures = plt.get_fignums()
    for name, call in calls.items():
        with pytest.raises((TypeError, ValueError, pic.PicoraError), match=rf"^{name}\b"):
            call(wrong)
    assert plt.get_fignums() == figures  # None was begun for nothing.
