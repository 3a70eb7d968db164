"""Answers worth acting on: worked out by hand, and equal on every engine."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from pandas.testing import assert_frame_equal

import picora_analytics as pic
from picora_analytics.analysis.duplicates import group_duplicates

MB = 1_000_000


@pytest.fixture(scope="module")
def everywhere(engines, as_pandas):
    """Give what asks a question of every engine, holds the answers against each other and gives pandas' own."""

    def ask(question, images, *more, **options):
        here = question(images, *more, **options)
        for name, give in engines.items():
            there = question(give(images), *(give(one) for one in more), **options)
            assert_frame_equal(
                here.astype(object).where(here.notna(), None),
                (read := as_pandas(there)).astype(object).where(read.notna(), None),
                check_dtype=False,
                rtol=1e-9,
                obj=name,
            )
        return here

    return ask


def _records(table, *columns):
    return [tuple(row) for row in table[list(columns)].itertuples(index=False)]


@pytest.mark.slow
def test_duplicates_by_hand(make_images, everywhere):
    images = make_images(
        # a, b and c are one content; d and e may be; f is alone; g is unknown and like nothing.
        content_hash=["f00", "F00", "f00", None, None, "ba4", None],
        size_bytes=[700, 700, 700, 50, 50, 50, None],
        width=[800, 800, 800, 640, 640, 320, 640],
    )

    table = everywhere(pic.summarize_duplicates, images)

    assert table.to_dict("split")["data"] == [
        ["exact", 1, 3, 2100, 2, 1400],
        ["likely", 1, 2, 100, 1, 50],
        ["unknown", 0, 1, None, 0, None],
    ]


HASHES = st.sampled_from([None, "f00", "F00", "ba4", "c0ffee"])


@given(st.lists(st.tuples(HASHES, st.sampled_from([None, 1, 2])), min_size=1, max_size=9))
@pytest.mark.slow
def test_duplicates_are_those_that_are_grouped(make_images, rows):
    hashes, sizes = zip(*rows, strict=True)
    images = make_images(content_hash=list(hashes), size_bytes=list(sizes))

    groups = group_duplicates(images, hashes=images["content_hash"])
    counted = pic.summarize_duplicates(images).set_index("kind")

    for kind, group in groups.groupby("kind"):
        extra = group.loc[~group["kept"].astype(bool), "id"]
        row = counted.loc[kind]
        assert (row["n_images"], row["n_extra"]) == (len(group), len(extra))
        if pd.notna(row["size_bytes"]):
            assert row["extra_size_bytes"] == images.loc[extra, "size_bytes"].sum()
    assert set(groups["kind"]) == set(counted.index) - {"unknown"}


@pytest.mark.slow
def test_savings_by_hand(make_images, everywhere):
    images = make_images(
        # a and b are one content; c is twice too wide; d a heavy PNG; e a heavy WebP; f a large GIF;
        # g and h are small enough; i has no pixels; j may be d again.
        content_hash=["f00", "f00", *[None] * 8],
        size_bytes=[9 * MB, 9 * MB, 4 * MB, MB, MB, MB, 400_000, 30_000, 500_000, MB],
        mime_type=["image/avif"] * 2
        + ["image/jpeg", "image/png", "image/webp", "image/gif", "image/jpeg", "image/png"]
        + ["image/svg+xml", "image/png"],
        width=[2560, 2560, 5120, 1000, 1000, 1000, 2000, 380, None, 1000],
        height=[2000, 2000, 2000, 1000, 1000, 1000, 1000, 350, None, 1000],
    )

    table = everywhere(pic.summarize_savings, images)

    # c: a quarter of its pixels stays. High: 3 MB; low: 4 MB * (1 - 0.25^0.75) = 2.585786 MB. Left are 1 to 1.414214
    # MB. A WebP copy keeps 40 to 100 % of a JPEG of 0.39 bytes per pixel, of a smaller one 34 % at least; 1 to 24 % of
    # a PNG of 1 (d and j), 38 to 83 % of a WebP of 1. f: 29.1 * 6 - 100.7 = 73.9 %.
    assert table.drop(columns="evidence").to_dict("split")["data"] == [
        ["exact duplicates", 1, 9 * MB, 9 * MB, 9 * MB, 9 * MB],
        ["oversized", 1, 4 * MB, 2_585_786, 3 * MB, 3 * MB],
        ["inefficient format", 3, 6 * MB, 1_520_000, 660_000 + 1_980_000, 2_640_000 + 1_980_000],
        ["weak compression", 1, MB, 170_000, 620_000, 620_000],
        ["large GIF", 1, MB, 0, 739_000, 739_000],
        ["likely duplicates", 1, MB, 0, 0, MB],
        ["not judged", 1, 500_000, 0, 0, 0],
    ]


@pytest.mark.slow
def test_savings_below_the_floor_are_none(make_images):
    # 10,000 pixels at 0.20 bytes are 2,000 bytes: one more byte than 4,096 is listed.
    size = 2000 + 4096
    images = make_images(size_bytes=[size, size + 1], width=[100] * 2, height=[100] * 2)

    assert pic.summarize_savings(images)["n_images"].tolist() == [1]


SIDES = st.none() | st.sampled_from([0, 1, 900, 2560, 2561, 6000, 2**62])
FORMATS = st.sampled_from(
    ["image/jpeg", "image/png", "image/webp", "image/gif", "image/svg+xml", None]
)
SIZES = st.none() | st.integers(0, 10**7) | st.just(2**63 - 1)


@given(st.lists(st.tuples(HASHES, SIZES, SIDES, SIDES, FORMATS), min_size=1, max_size=9))
@pytest.mark.slow
def test_no_byte_is_saved_twice(make_images, rows):
    hashes, sizes, widths, heights, formats = (list(column) for column in zip(*rows, strict=True))
    images = make_images(
        content_hash=hashes, size_bytes=sizes, width=widths, height=heights, mime_type=formats
    )

    table = pic.summarize_savings(images)

    known = sum(size or 0 for size in sizes)
    assert (table["low_bytes"] >= 0).all()
    assert table["low_bytes"].sum() <= table["high_bytes"].sum() <= known
    assert (table["high_bytes"] <= table["alone_bytes"]).all()
    flagged = [0 if pd.isna(size) else size for size in table["size_bytes"]]
    assert (table["high_bytes"] <= pd.Series(flagged, dtype=object)).all()


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("screenshot", ["Screen Shot 2026-01-02 at 10.00.00.png", "Bildschirmfoto 1.png", "截屏1.png"]),
        ("pasted", ["image.png", "Image (3).PNG", "Pasted image 20260102.png", "untitled-1.webp", "未命名.png"]),
        ("camera", ["IMG_2041.jpg", "DSC01234.JPG", "PXL_20260102_101010.jpg", "20260102_101010.jpg"]),
        ("code", ["6f1e-not", "3fa85f64-5717-4562-b3fc-2c963f66afa6.png", "9e107d9d372bb6826bd81d3542a419d6.jpg"]),
        ("descriptive", ["price-list.png", "img_of_a_cat.png", "image of 2026.png", "Ünïcode $x$.png"]),
        ("unknown", ["", "  ", None]),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_a_name_is_of_its_kind(make_images, everywhere, kind, names):
    if kind == "code":
        names = names[1:]
    table = everywhere(pic.summarize_names, make_images(filename=names))

    assert _records(table, "name_kind", "n_images") == [(kind, len(names))]


@pytest.mark.slow
def test_a_name_may_say_another_format(make_images, everywhere):
    images = make_images(
        filename=["a.jpg", "b.JPEG", "c.png", "d.webp", "e", None],
        mime_type=["image/png", "image/jpeg", None, "image/jpeg", "image/png", "image/png"],
    )

    assert everywhere(pic.summarize_names, images)["n_other_format"].sum() == 2


@pytest.mark.slow
def test_tags_that_seem_to_mean_the_same_by_hand(make_images, everywhere):
    tags = [
        "Red Shoe",
        "red-shoe",
        "red-shoe",
        "RED_SHOE",
        "shoe",
        "shoes",
        "prodcut",
        "product",
        "product",
    ]
    tags += ["cat", "car", "2025", "2026", "blue"]
    images = make_images(tags=[(tag,) for tag in tags], size_bytes=[10] * len(tags))

    table = everywhere(pic.summarize_tag_hygiene, images)

    assert _records(table, "group", "tag", "n_images", "size_bytes", "suggested", "why") == [
        (0, "red-shoe", 2, 20, "red-shoe", ""),
        (0, "RED_SHOE", 1, 10, "red-shoe", "same but for spelling"),
        (0, "Red Shoe", 1, 10, "red-shoe", "same but for spelling"),
        (1, "shoe", 1, 10, "shoe", ""),
        (1, "shoes", 1, 10, "shoe", "perhaps singular and plural"),
        (2, "product", 2, 20, "product", ""),
        (2, "prodcut", 1, 10, "product", "one letter differs, or two are swapped"),
    ]  # fmt: skip


@pytest.mark.slow
def test_what_is_heavy_is_so_among_its_own_format(make_images, everywhere):
    # The PNGs are 1 to 4 MB; over JPEGs of 0.1 MB each of them would be far out.
    images = make_images(
        mime_type=["image/jpeg"] * 6 + ["image/png"] * 4,
        size_bytes=[90_000, 100_000, 100_000, 110_000, 3 * MB, 0, MB, 2 * MB, 3 * MB, 4 * MB],
    )

    table = everywhere(pic.summarize_heavy, images)

    assert _records(table, "id", "size_bytes", "times_median") == [("e", 3 * MB, 30.0)]


def _two_loads(make_images):
    old = make_images(
        tags=[("cat", "red"), ("red",), None, ("gone",)],
        size_bytes=[700, 300, None, 5],
        mime_type=["image/png", "image/png", None, "image/gif"],
        created_at=["2026-01-31T23:59:59Z", "2026-02-01", None, "2026-02-02"],
    )
    new = make_images(
        id=["a", "b", "c", "e"],
        tags=[("cat",), ("red",), None, ("cat", "red")],
        size_bytes=[700, 300, None, 50],
        mime_type=["image/png", "image/png", "image/webp", "image/png"],
        created_at=["2026-01-31T23:59:59Z", "2026-02-01", None, "2026-03-01"],
    )
    return old, new


@pytest.mark.slow
def test_changes_by_tag_by_hand(make_images, everywhere):
    table = everywhere(pic.summarize_changes, *_two_loads(make_images))

    assert table.to_dict("split")["data"] == [
        ["cat", 1, 2, 1, 700, 750, 50],
        ["gone", 1, 0, -1, 5, 0, -5],
        ["red", 2, 2, 0, 1000, 350, -650],
    ]


@pytest.mark.slow
def test_changes_by_format_and_month_add_up_to_the_difference(make_images, everywhere):
    old, new = _two_loads(make_images)

    formats = everywhere(pic.summarize_changes, old, new, by="format")
    months = everywhere(pic.summarize_changes, old, new, by="month")

    assert _records(formats, "mime_type", "net_images", "net_bytes") == [
        ("image/png", 1, 50),
        ("image/webp", 1, 0),
        ("unknown", -1, 0),
        ("image/gif", -1, -5),
    ]
    assert months["month"].dt.strftime("%Y-%m").tolist() == ["2026-02", "2026-03"]
    assert months["net_bytes"].tolist() == [-5, 50]


def test_changes_are_refused_where_what_is_not_there_would_look_gone(make_images, engines):
    old, new = _two_loads(make_images)

    with pytest.raises(
        pic.SchemaError, match=r"^Only whole libraries are compared: new holds 2 of 4"
    ):
        pic.summarize_changes(old, new.head(2))
    with pytest.raises(TypeError, match=r"^summarize_changes compares two frames of one engine; "):
        pic.summarize_changes(old, engines["polars"](new))
    with pytest.raises(
        ValueError, match=r"^by='year' is unknown: choose 'tag', 'format' or 'month'\.$"
    ):
        pic.summarize_changes(old, new, by="year")
    with pytest.raises(TypeError, match=r"^summarize_changes takes a DataFrame.*this is list\.$"):
        pic.summarize_changes([1], [2])


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), SIZES), max_size=6),
    st.lists(st.tuples(st.sampled_from("abc"), SIZES), max_size=6),
)
@pytest.mark.slow
def test_changes_are_the_difference_of_totals(make_images, before, after):
    old, new = (
        make_images(
            id=[f"i{n}" for n in range(len(rows))],
            mime_type=[f"image/{name}" for name, _ in rows],
            size_bytes=[size for _, size in rows],
        )
        for rows in (before, after)
    )
    net = sum(size or 0 for _, size in after) - sum(size or 0 for _, size in before)

    for by in ("format", "month"):
        table = pic.summarize_changes(old, new, by=by)
        assert sum(table["net_bytes"].tolist()) == net
        assert table["net_images"].sum() == len(after) - len(before)


WEEK = pd.Timedelta(days=7)


def _weekly(make_images, sizes):
    """Make a library of one upload a week, the last one an hour before the load."""
    last = pd.Timestamp("2026-11-23T13:00Z")
    days = [last - WEEK * age for age in reversed(range(len(sizes)))]
    return make_images(
        id=[f"i{n}" for n in range(len(sizes))], created_at=days, size_bytes=list(sizes)
    )


def test_a_forecast_by_hand(make_images):
    # 60 weeks of 90 and 110 in turn: 6,000 bytes, the last 13 weeks hold 1,310, eight past weeks always 800.
    forecast = pic.forecast_storage(_weekly(make_images, [90, 110] * 30), quota="6500 B")

    row = forecast.set_index("week").loc[8]
    pace = (7 * 110 + 6 * 90) / 13
    assert row["likely_bytes"] == 6000 + round(8 * pace)
    # Every origin erred by the same: 8 weeks bring 800, and the rule says 8 * pace or 8 * (200 - pace). A small share
    # of the mean, 2 % of 8 weeks at 100, is added to both sides; 40 origins hold (40 + 7) / 8 independent times.
    error = max(abs(np.log(816 / (8 * p + 16))) for p in (pace, 200 - pace)) * (1 + 8 / 47)
    assert row["high_bytes"] == 6000 + round(8 * pace * np.exp(error))
    assert row["low_bytes"] == 6000 + round(8 * pace * np.exp(-error))
    assert row["at"] == pd.Timestamp("2027-01-18T14:00Z")
    said = forecast.attrs["forecast"]
    assert said["early"] <= said["likely"] == "2026-12-28" <= said["late"]
    assert (said["quota_bytes"], said["weekly_bytes"], said["reason"]) == (6500, round(pace), None)


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ([100] * 31, "a range needs 32 weeks of uploads, and these are 31"),
        ([100] * 50 + [0] * 3, "nothing came for 3 weeks, longer than ever before"),
        ([10**5] * 20 + [1] * 20 + [10**5] * 15, "uploads were too uneven to give a range"),
        ([0] * 39 + [5], "a range needs uploads in 12 weeks, and they came in 1"),
    ],
)
def test_a_past_that_says_too_little_gives_no_range(make_images, sizes, reason):
    forecast = pic.forecast_storage(_weekly(make_images, sizes), quota=10**9)

    assert forecast.attrs["forecast"]["reason"] == reason
    assert forecast["low_bytes"].iloc[1:].isna().all()
    assert forecast["likely_bytes"].notna().all()
    assert (forecast.attrs["forecast"]["early"], forecast.attrs["forecast"]["late"]) == (None, None)


def test_a_forecast_takes_the_quota_the_service_told(make_images):
    images = _weekly(make_images, [100] * 60)
    images.attrs["picora"]["usage"] = {"size_bytes": 6000, "quota_bytes": 6250}

    said = pic.forecast_storage(images).attrs["forecast"]

    # 250 bytes at 100 a week: two and a half weeks after 23 November, 14:00.
    assert (said["quota_bytes"], said["likely"]) == (6250, "2026-12-11")
    full = pic.forecast_storage(images, quota=5000).attrs["forecast"]
    assert full["early"] == full["late"] == "2026-11-23"


def test_a_forecast_goes_by_uploads_where_snapshots_lie_far_apart(make_images):
    weeks = pd.date_range("2026-11-23T13:00Z", periods=60, freq="-7D")
    images = make_images(created_at=list(weeks), size_bytes=[100] * 60)
    totals = pd.DataFrame({"loaded_at": weeks[[52, 0]], "size_bytes": [0, 2600]})

    seen = pic.forecast_storage(images, snapshots=totals)

    assert seen.attrs["forecast"]["weekly_bytes"] == 100


def test_a_year_of_bursts_gives_no_range(make_images):
    weeks = pd.date_range("2026-11-23T13:00Z", periods=60, freq="-7D")
    images = make_images(
        created_at=list(weeks), size_bytes=[9000 if n % 6 == 0 else 1 for n in range(60)]
    )

    reason = pic.forecast_storage(images).attrs["forecast"]["reason"]

    assert reason.startswith("uploads came in bursts, of which ")


def test_a_forecast_from_snapshots_counts_what_was_deleted(make_images, tmp_path):
    images = _weekly(make_images, [100] * 60)
    days = [pd.Timestamp("2026-11-23T14:00Z") - WEEK * age for age in reversed(range(41))]
    totals = pd.DataFrame({"loaded_at": days, "size_bytes": range(2000, 4050, 50)})

    seen = pic.forecast_storage(images, snapshots=totals)

    assert seen.attrs["forecast"]["weekly_bytes"] == 50
    assert seen.attrs["forecast"]["basis"] == "what came and went between snapshots"
    short = pic.forecast_storage(images, snapshots=totals.tail(20))
    assert short.attrs["forecast"]["weekly_bytes"] == 100
    with pytest.raises(pic.SchemaError, match=r"pass what SnapshotStore\.totals\(\) gives\.$"):
        pic.forecast_storage(images, snapshots=totals[["loaded_at"]])


@pytest.mark.parametrize(
    "columns",
    [
        {"id": []},
        {"created_at": [None, None]},
        {"size_bytes": [None, None]},
        {"size_bytes": [0, 0]},
        {"size_bytes": [2**63 - 1] * 3},
        {"created_at": ["1700-01-01", "2262-01-01"]},
    ],
)
def test_a_forecast_of_any_library_answers(make_images, columns):
    forecast = pic.forecast_storage(make_images(**columns), quota="5 GiB")

    assert forecast.attrs["forecast"]["reason"] is not None
    assert list(forecast) == ["week", "at", "low_bytes", "likely_bytes", "high_bytes"]


def test_a_series_of_tags_takes_no_time_and_holds_no_misspelling(make_images):
    letters = [chr(0x4E00 + n) for n in range(4000)]
    images = make_images(tags=[tuple(f"photo{letter}" for letter in letters), ("garden", "gardne")])

    found = pic.summarize_tag_hygiene(images)

    assert set(found["tag"]) == {"garden", "gardne"}
