"""A panel of many images: what takes long comes after the first pictures."""

import threading

import numpy as np
import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.widgets import CleanupPanel
from picora_analytics.widgets.panel.panel import MANY


@pytest.mark.slow
def test_the_first_pictures_do_not_wait_for_counts(hands):
    with DemoServer(120, rate_scale=None) as server, pic.Client(server.api_key, server.url) as one:
        few = pic.load_images(one, store=None, progress=False)
        ids = pd.Index([f"i{n}" for n in range(MANY + 1)], dtype=few.index.dtype, name="id")
        images = few.iloc[np.arange(len(ids)) % len(few)].set_axis(ids)
        images.attrs["picora"] = few.attrs["picora"] | {"n_images": len(ids)}
        panel = CleanupPanel(images, one, free="1 MiB")
        gallery = panel._gallery

        (counting,) = (one for one in threading.enumerate() if one.name == "picora-counts")
        counting.join(0.5)  # Far longer than counting these takes.
        assert panel._session.candidates is None
        assert panel._header.suggest.disabled
        gallery._on_message(None, {"proto": 1, "type": "thumbs", "rev": 1, "places": [0, 1, 2]}, [])
        hands.until(gallery.pictured.is_set)
        hands.until(lambda: not panel._counting)

        assert panel._session.candidates is not None
        assert not panel._header.suggest.disabled
