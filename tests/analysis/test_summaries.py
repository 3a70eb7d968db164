"""Summaries: worked out by hand, equal on every engine, the same dtypes for any library."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal

import picora_analytics as pic

# Piles are for plans: they need the facts of a load, which only its own frame carries. Changes are of two frames.
OTHERS = ("summarize_candidates", "summarize_changes")
SUMMARIES = [name for name in pic.__all__ if name.startswith("summarize_") and name not in OTHERS]


@pytest.fixture(scope="session")
def messy(make_images):
    """Four images, one thing missing in each but the first."""
    return make_images(
        tags=[("cat", "red"), ("cat",), (), None],
        size_bytes=[700, 300, 50, None],
        width=[4000, 800, None, 800],
        height=[1000, 800, None, 600],
        is_public=[True, False, None, True],
        mime_type=["image/png", "image/jpeg", None, "image/png"],
        created_at=["2026-11-20", "2024-01-01", None, "2020-02-01"],
    )


def test_the_library_in_one_row(messy):
    row = pic.summarize_library(messy).iloc[0]

    assert row["n_images"] == 4
    assert row["size_bytes"] == 1050
    assert row["mean_size_bytes"] == 350  # of the three whose size is known
    assert row["median_size_bytes"] == 300
    assert row["max_size_bytes"] == 700
    assert row["first_upload"] == pd.Timestamp("2020-02-01", tz="UTC")
    assert (row["n_public"], row["n_private"], row["n_visibility_unknown"]) == (2, 1, 1)
    assert (row["n_untagged"], row["n_tags_unknown"]) == (1, 1)
    assert (row["n_without_dimensions"], row["n_without_size"]) == (1, 1)


def test_tags_count_an_image_under_each_and_share_its_bytes(messy):
    tags = pic.summarize_tags(messy)

    assert list(tags.columns) == ["tag", "n_images", "size_bytes", "shared_size_bytes"]
    assert tags.to_numpy().tolist() == [["cat", 2, 1000, 650.0], ["red", 1, 700, 350.0]]


def test_a_tag_said_twice_counts_once(make_images):
    tags = pic.summarize_tags(make_images(tags=[("a", "a", "b")], size_bytes=[100]))

    assert tags.to_numpy().tolist() == [["a", 1, 100, 50.0], ["b", 1, 100, 50.0]]


def test_formats_know_bytes_per_pixel_only_where_pixels_are_known(messy):
    formats = pic.summarize_formats(messy).set_index("mime_type")

    assert formats.loc["image/png", "n_images"] == 2
    assert formats.loc["image/png", "bytes_per_pixel"] == pytest.approx(700 / 4_000_000)
    assert formats.loc["image/jpeg", "bytes_per_pixel"] == pytest.approx(300 / 640_000)
    assert np.isnan(formats.loc["unknown", "bytes_per_pixel"])


def test_dimensions_by_shape_with_those_nobody_measured(messy):
    shapes = pic.summarize_dimensions(messy).set_index("aspect")

    assert shapes["n_images"].to_dict() == {
        "panorama": 1,
        "square": 1,
        "unknown": 1,
        "landscape 4:3": 1,
    }
    assert shapes.loc["panorama", "n_oversized"] == 1
    assert shapes.loc["landscape 4:3", "median_megapixels"] == pytest.approx(0.48)


def test_visibility_has_an_unknown_row(messy):
    rows = pic.summarize_visibility(messy)

    assert rows.set_index("visibility")["n_images"].to_dict() == {
        "public": 2,
        "private": 1,
        "unknown": 1,
    }


def test_ages_count_from_the_load_and_not_from_the_clock(messy):
    ages = pic.summarize_ages(messy).set_index("age")["n_images"]

    # Loaded on 2026-11-23: 3 days, almost three years, almost seven, and no date.
    assert ages.to_dict() == {"0 - 30 days": 1, "2 - 5 years": 1, "over 5 years": 1, "unknown": 1}


def test_ages_need_a_day_to_count_from(messy):
    silent = messy.copy()
    silent.attrs.clear()

    with pytest.raises(pic.SchemaError, match=r"Pass it: now='2026-11-23'\.$"):
        pic.summarize_ages(silent)

    assert len(pic.summarize_ages(silent, now="2026-11-23")) == 4


def test_growth_adds_up_month_by_month(messy):
    growth = pic.summarize_growth(messy)

    assert growth["period"].dt.strftime("%Y-%m-%d").tolist() == [
        "2020-02-01",
        "2024-01-01",
        "2026-11-01",
    ]
    assert growth["total_images"].tolist() == [1, 2, 3]
    assert growth["total_size_bytes"].tolist() == [0, 300, 1000]


def test_concentration_by_hand(messy):
    row = pic.summarize_concentration(messy).iloc[0]

    # 700 of 1050 is over half; 1000 of 1050 is over 80 and 90 %. Gini over 50, 300, 700:
    # 2 (50 + 600 + 2100) / (3 x 1050) - 4/3.
    assert (row["n50"], row["n80"], row["n90"]) == (1, 2, 2)
    assert row["gini"] == pytest.approx(5500 / 3150 - 4 / 3)


def test_equal_sizes_are_not_concentrated_at_all(make_images):
    assert pic.summarize_concentration(make_images(size_bytes=[5] * 4)).iloc[0]["gini"] == 0


def test_largest_breaks_ties_by_id_and_leaves_unknown_sizes_out(make_images):
    images = make_images(id=["c", "a", "b", "d"], size_bytes=[5, 5, None, 9])

    assert pic.summarize_largest(images)["id"].tolist() == ["d", "a", "c"]
    assert pic.summarize_largest(images, top=2)["id"].tolist() == ["d", "a"]


def test_sizes_fall_into_classes_with_unknown_apart(messy):
    sizes = pic.summarize_sizes(messy)

    assert sizes["size_range"].tolist() == ["< 10 KiB", "unknown"]
    assert sizes["n_images"].tolist() == [3, 1]


def test_shares_of_a_subset_are_of_the_load(messy):
    share = pic.summarize_formats(messy[messy["mime_type"] == "image/png"]).iloc[0]

    assert share["image_share"] == 2 / 4
    assert share["size_share"] == 700 / 1050


@pytest.mark.parametrize("engine", ["DuckDB", "polars", "polars, lazy"])
@pytest.mark.parametrize("name", SUMMARIES)
def test_every_engine_gives_the_same_answer(name, engine, messy, engines, as_pandas):
    summarize = getattr(pic, name)
    options = {"now": "2026-11-23T14:00:00Z"} if name == "summarize_ages" else {}

    here = summarize(messy, **options)
    there = as_pandas(summarize(engines[engine](messy), **options))

    assert_frame_equal(
        here.astype(object).where(here.notna(), None),
        there[list(here.columns)].astype(object).where(there.notna(), None),
        check_dtype=False,
        rtol=1e-9,
    )


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.slow
def test_dtypes_are_the_same_for_any_library(name, make_images, messy):
    summarize = getattr(pic, name)
    empty = make_images(tags=[])
    missing = make_images(
        **{
            column: [None]
            for column in ("filename", "size_bytes", "width", "height", "is_public", "tags")
        },
        mime_type=[None],
        created_at=[None],
    )

    usual = summarize(messy).dtypes.to_dict()

    assert summarize(empty).dtypes.to_dict() == usual
    assert summarize(missing).dtypes.to_dict() == usual
    assert summarize(messy.head(1)).dtypes.to_dict() == usual


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_frame_that_was_saved_and_read_back_gives_the_same(name, messy, tmp_path):
    messy.to_parquet(tmp_path / "kept.parquet")
    read = pd.read_parquet(tmp_path / "kept.parquet")

    assert_frame_equal(getattr(pic, name)(read), getattr(pic, name)(messy))


@pytest.mark.parametrize("name", SUMMARIES)
def test_a_missing_column_is_named(name, messy):
    with pytest.raises(
        pic.SchemaError,
        match=rf"^{name} needs the column.* which this frame does not have\. .*\.$",
    ):
        getattr(pic, name)(messy[["title"]].reset_index(drop=True))


@pytest.mark.parametrize("name", SUMMARIES)
def test_what_is_no_frame_is_a_type_error(name):
    with pytest.raises(TypeError, match=r"this is list\.$"):
        getattr(pic, name)([1, 2])


TAGS = st.none() | st.lists(st.sampled_from("abcd"), max_size=3).map(tuple)
LIBRARY = st.lists(
    st.tuples(TAGS, st.none() | st.integers(0, 10**10), st.none() | st.integers(1, 9000)),
    min_size=1,
    max_size=12,
)


@given(LIBRARY)
@settings(deadline=None, max_examples=20)
@pytest.mark.slow
def test_the_books_balance(make_images, rows):
    tags, sizes, widths = zip(*rows, strict=True)
    images = make_images(tags=list(tags), size_bytes=list(sizes), width=list(widths))
    known = sum(size or 0 for size in sizes)

    shared = pic.summarize_tags(images)["shared_size_bytes"].sum()
    rest = sum(size or 0 for tag, size in zip(tags, sizes, strict=True) if not tag)

    assert shared + rest == pytest.approx(known)
    for name in ("sizes", "dimensions", "formats", "visibility", "ages"):
        table = getattr(pic, f"summarize_{name}")(images)
        assert table["n_images"].sum() == len(rows), name
        assert table["size_bytes"].sum() == known, name
    assert pic.summarize_growth(images)["total_images"].iloc[-1] == len(rows)
    assert 0 <= pic.summarize_concentration(images)["gini"].fillna(0).iloc[0] < 1


@pytest.mark.slow
def test_findings_say_only_what_some_image_shows(make_images):
    from picora_analytics.analysis.findings import list_findings

    assert list_findings(make_images(tags=[])) == []
    assert list_findings(make_images(filename=["a"])) == []
    found = list_findings(make_images(filename=["a"], is_public=[False]))
    assert [(one.text, one.n_images, one.size_bytes) for one in found] == [("Private", 1, 1000)]
