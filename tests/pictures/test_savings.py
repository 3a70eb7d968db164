"""Savings measured on a sample: what is tried, what is said, and what cannot be tried."""

import io

import numpy as np
import pytest
from PIL import Image

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.analysis.sampling import estimate, strata_of
from picora_analytics.analysis.savings import flagged_rows
from picora_analytics.pictures.reencoding import UntriedError, reencoded_size


@pytest.fixture(scope="module")
def demo():
    with DemoServer(n_images=120) as server, pic.Client(server.api_key, server.url) as client:
        yield server, client, pic.load_images(client, store=None, progress=False)


@pytest.fixture(scope="module")
def measured(demo):
    _, client, images = demo
    return pic.measure_savings(images, client, n=12, progress=False)


def drawn(kind, size=(900, 700), **options):
    """Draw noise that is smooth enough to be a picture."""
    noise = np.random.default_rng(1).integers(0, 255, (size[1] // 20, size[0] // 20, 3))
    picture = Image.fromarray(noise.astype("uint8")).resize(size, Image.Resampling.BICUBIC)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def asked(server):
    return [request.path for request in server.requests if request.port == "pictures"]


@pytest.mark.slow
def test_a_sample_of_public_pictures_is_tried_and_the_rest_is_inferred(demo, measured):
    server, _, images = demo
    estimated = pic.summarize_savings(images)

    flagged = flagged_rows(images, 2560, "x")["flag"]
    assert (
        dict(zip(measured["flag"], measured["n_images"], strict=True))
        == flagged.value_counts().to_dict()
    )
    assert set(measured["flag"]) <= set(estimated["flag"])
    assert (measured["low_bytes"] <= measured["high_bytes"]).all()
    assert (measured["high_bytes"] <= measured["size_bytes"]).all()
    tried = measured.attrs["tried"]
    assert len(asked(server)) == len(tried) <= 12
    assert images.loc[[one["id"] for one in tried], "is_public"].all()
    n_measured = measured["n_measured"].sum()
    assert 0 < n_measured == len([one for one in tried if one["problem"] is None])


@pytest.mark.slow
def test_measured_rows_take_the_place_of_estimates(demo, measured):
    images = demo[2]

    table = pic.summarize_savings(images, measured=measured)

    part = table[table["flag"].isin(measured["flag"])].reset_index(drop=True)
    for name in ("flag", "evidence", "n_images", "low_bytes", "high_bytes"):
        assert part[name].tolist() == measured[name].tolist()
    others = pic.summarize_savings(images)
    left_out = ["oversized", "inefficient format", "weak compression", "large GIF"]
    assert set(table["flag"]) - set(part["flag"]) == set(others["flag"]) - set(left_out)
    low, high = measured["low_bytes"].sum(), measured["high_bytes"].sum()
    assert pic.plot_savings(images, measured=measured).get_title().startswith("Could save ")
    assert low <= high


@pytest.mark.slow
def test_pictures_that_do_not_come_leave_the_estimate(demo):
    server, client, images = demo
    before = len(asked(server))
    server.fail("GET", "/*.*", times=None, status=404)
    try:
        table = pic.measure_savings(images, client, n=6, progress=False)
    finally:
        server.clear_faults()

    assert len(asked(server)) > before
    assert table["n_measured"].eq(0).all()
    assert table["evidence"].eq("estimated: 0 images could be tried, too few").all()
    assert table["likely_bytes"].isna().all()
    assert all("404" in one["problem"] for one in table.attrs["tried"])
    whole = pic.summarize_savings(images).set_index("flag")["high_bytes"]
    flags = ["oversized", "inefficient format", "weak compression", "large GIF"]
    assert table["high_bytes"].sum() == whole.reindex(flags).sum()


@pytest.mark.slow
def test_an_empty_library_has_nothing_to_measure(demo):
    _, client, images = demo

    table = pic.measure_savings(images.head(0), client, progress=False)

    assert table.empty
    assert table.attrs["tried"] == []
    assert str(table.dtypes["low_bytes"]) == "int64"


@pytest.mark.slow
def test_what_is_no_sample_and_no_account_of_ours_is_refused(demo, make_images):
    _, client, images = demo
    with pytest.raises(
        ValueError, match=r"^n=0 is not a number of pictures to try: give 1 or more\.$"
    ):
        pic.measure_savings(images, client, n=0)
    with pytest.raises(pic.PlanError, match=r"connect to the images' own account\.$"):
        pic.measure_savings(make_images(), client)
    with pytest.raises(pic.SchemaError, match=r"^measured lacks the columns \['flag', "):
        pic.summarize_savings(images, measured=images)


@pytest.mark.slow
def test_pictures_are_scaled_down_before_they_are_encoded():
    whole = drawn("JPEG", (3000, 2000), quality=95)

    assert reencoded_size(whole, 1000) < reencoded_size(whole, 2560) / 2


def test_flat_pictures_stay_lossless_and_small():
    flat = io.BytesIO()
    Image.new("P", (800, 600), 3).save(flat, "PNG")

    assert reencoded_size(flat.getvalue(), 2560) < 1000


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(
            b"<svg/>", r"^it cannot be decoded \(UnidentifiedImageError\)$", id="no picture"
        ),
        pytest.param(
            drawn("JPEG")[:2000], r"^it cannot be decoded \(OSError\)$", id="half a picture"
        ),
    ],
)
def test_what_cannot_be_decoded_says_so(data, why):
    with pytest.raises(UntriedError, match=why):
        reencoded_size(data, 2560)


@pytest.mark.slow
def test_animations_are_tried_up_to_a_number_of_frames():
    frames = [Image.new("RGB", (40, 40), (n * 7 % 255, 0, 0)) for n in range(600)]
    few, many = io.BytesIO(), io.BytesIO()
    frames[0].save(few, "GIF", save_all=True, append_images=frames[1:5])
    frames[0].save(many, "GIF", save_all=True, append_images=frames[1:])

    assert 0 < reencoded_size(few.getvalue(), 2560) < len(few.getvalue()) * 2
    with pytest.raises(UntriedError, match=r"^over 500 frames are too many to try$"):
        reencoded_size(many.getvalue(), 2560)


@pytest.mark.slow
def test_every_kind_gets_a_few_draws_and_no_image_is_drawn_twice(demo):
    rows = flagged_rows(demo[2], 2560, "x")
    rows = rows[rows["flag"].notna()]

    strata = strata_of(rows, 20, np.random.default_rng(3))

    assert len(strata) <= 20
    assert {one.flag for one in strata} == set(rows["flag"])
    firsts = [one.rows[0] for one in strata]
    assert all(rows.loc[place, "flag"] == one.flag for one in strata for place in one.rows)
    assert len(set(firsts)) >= len(firsts) - 2  # Neighbouring strata may share a large one.
    everything = strata_of(rows, len(rows), np.random.default_rng(3))
    assert sorted(one.rows[0] for one in everything) == rows.index.tolist()


@pytest.mark.slow
def test_an_interval_holds_the_truth_about_nine_times_in_ten():
    random = np.random.default_rng(5)
    held = []
    for _ in range(300):
        ratios = random.beta(2, 2, 12)
        found = estimate(ratios * 100, [100.0] * 12, [False] * 12, 1000.0, random)
        held.append(found.low <= 500 <= found.high)

    assert 0.86 <= np.mean(held) <= 0.96
