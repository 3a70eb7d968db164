"""What a summary shows, and that its columns are numbers all the same."""

from __future__ import annotations

import pandas as pd

import picora_analytics as pic

MIB = 1024**2


def test_bytes_are_shown_in_units_wherever_a_summary_is_shown_and_are_numbers_in_its_columns(
    make_images,
):
    names = [f"<b>{number}</b>" for number in range(100)]
    images = make_images(tags=[(name,) for name in names], size_bytes=[450 * MIB, *[700] * 99])
    tags = pic.summarize_tags(images)

    for shown in (tags, tags.head(2), tags[["tag", "size_bytes"]], tags[tags["size_bytes"] > MIB]):
        assert "450.0 MiB" in repr(shown) and "450.0 MiB" in shown._repr_html_()
        assert "e+08" not in repr(shown) and "<b>" not in shown._repr_html_()
    assert repr(tags).count("700 B") == tags._repr_html_().count("700 B") == 18
    assert tags["shared_size_bytes"].max() == 450 * MIB and tags["size_bytes"].dtype == "Int64"
    # A count or a quotient under the name of bytes is none.
    for made in (tags.groupby("n_images").count(), tags[["size_bytes"]] / MIB, tags.isna()):
        assert type(made) is pd.DataFrame
