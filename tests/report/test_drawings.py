"""The report's own charts: what is drawn is what the facts say, at every width."""

import re
import xml.etree.ElementTree as ET

import pandas as pd
import pytest

from picora_analytics.report import StorageReport
from picora_analytics.report.bars import Bar, bar_chart
from picora_analytics.report.drawings import charts
from picora_analytics.report.svg import WIDTHS, cut, room


def _drawings(markup):
    """Parse the drawings of a chart, by their width."""
    root = ET.fromstring(f"<div>{markup}</div>")
    return {int(svg.get("class")[1:]): svg for svg in root}


def _of(svg, tag, look):
    return [one for one in svg.iter(tag) if look in (one.get("class") or "").split()]


def test_bars_are_as_long_as_their_values_at_every_width():
    facts = {"rows": [{"name": "a", "n": 300}, {"name": "b", "n": 100}, {"name": "c", "n": 0}]}
    bars = [
        Bar(f"{{rows.{i}.name}}", row["n"], f"{{rows.{i}.n}}")
        for i, row in enumerate(facts["rows"])
    ]
    unknown = Bar("none", None, "unknown")

    found = _drawings(bar_chart(facts, [*bars, unknown], "Numbers"))

    assert tuple(found) == WIDTHS
    for width, svg in found.items():
        long, short = (float(rect.get("width")) for rect in svg.iter("rect"))  # Of 0 there is none.
        assert long == pytest.approx(3 * short, abs=0.2)
        assert long > width / 4
        assert svg.get("role") == "img"
        assert svg.get("aria-label") == "Numbers: a 300, b 100, c 0, none unknown."


def test_what_shrank_lies_left_of_zero_and_is_hollow_and_what_is_unsure_is_open(make_images):
    facts = {"rows": [{"n": 50}, {"n": -100}]}
    bars = [
        Bar("grew", 50, "{rows.0.n}"),
        Bar("shrank", -100, "{rows.1.n}"),
        Bar("may", 80, "x", sure=20.0),
    ]

    for svg in _drawings(bar_chart(facts, bars, "Changes")).values():
        (zero,) = (float(line.get("x1")) for line in _of(svg, "line", "axis"))
        grew, sure = _of(svg, "rect", "gain")
        (shrank,), (may,) = _of(svg, "rect", "loss"), _of(svg, "rect", "maybe")
        assert float(grew.get("x")) == zero == float(may.get("x"))
        assert float(shrank.get("x")) + float(shrank.get("width")) == pytest.approx(zero, abs=0.2)
        assert float(may.get("width")) == pytest.approx(4 * float(sure.get("width")), abs=0.4)


@pytest.mark.parametrize(
    "text", ["截图" * 30, "W" * 90, "<img src=x>" * 9, "\ufffd" * 50, "roof.png", ""]
)
def test_a_name_is_cut_to_its_room(text):
    for columns in (3, 13, 35):
        assert room(cut(text, columns)) <= columns
    assert cut("roof.png", 13) == "roof.png"


def _weekly(make_images, sizes, **facts):
    n = len(sizes)
    weeks = pd.date_range("2026-11-23T13:00Z", periods=n, freq="-7D")
    images = make_images(id=[f"i{k}" for k in range(n)], created_at=list(weeks), size_bytes=sizes)
    images.attrs["picora"] |= facts
    return images


def _growth(report):
    return _drawings(charts(report.facts)["growth"])


@pytest.mark.slow
def test_growth_meets_the_quota_on_the_day_that_is_forecast(make_images):
    report = StorageReport(_weekly(make_images, [1000] * 400), quota=420_000)

    for width, svg in _growth(report).items():
        (line,), (crossing,) = _of(svg, "line", "quota"), _of(svg, "line", "crossing")
        assert line.get("y1") == crossing.get("y1")
        (now,) = svg.iter("circle")
        # The dashed line passes through the middle of what is marked, on the line of the quota.
        points = re.findall(r"([\d.]+),([\d.]+)", _of(svg, "path", "ahead")[0].get("d"))
        at = [float(x) for x, y in points if float(y) <= float(line.get("y1")) + 0.5]
        assert at[0] == pytest.approx(float(crossing.get("x1")), abs=6), width
        assert float(points[0][0]) == pytest.approx(float(now.get("cx")), abs=0.1)
        assert "".join(_of(svg, "text", "red")[0].itertext()) == "quota 410.2 KiB"


@pytest.mark.slow
def test_a_narrow_drawing_shows_the_last_five_years_from_what_there_was(make_images):
    found = _growth(StorageReport(_weekly(make_images, [1000] * 500)))

    lows = {}
    for width, svg in found.items():
        start = _of(svg, "path", "past")[0].get("d")
        zero = max(float(line.get("y1")) for line in _of(svg, "line", "grid"))
        lows[width] = zero - float(re.match(r"M[\d.]+,([\d.]+)", start)[1])
    assert lows[1120] == pytest.approx(0, abs=0.2)
    assert lows[368] > 50


@pytest.mark.slow
def test_growth_is_in_steps_and_ends_with_all_there_is(make_images):
    report = StorageReport(_weekly(make_images, [1000] * 60))

    (last,) = {svg.findall(".//text[@class='blue']")[0][0].text for svg in _growth(report).values()}
    assert last == "58.6 KiB"
    for svg in _growth(report).values():
        assert not re.search(r"[LC]", _of(svg, "path", "past")[0].get("d"))


@pytest.mark.slow
def test_a_part_of_a_library_stands_beside_no_quota(make_images):
    images = _weekly(make_images, [1000] * 60)

    whole, part = (
        _growth(StorageReport(one, quota="70 KiB"))[1120] for one in (images, images[9:])
    )

    assert _of(whole, "line", "quota") and not _of(part, "line", "quota")
    assert (
        "quota" in whole.get("aria-label").lower() and "quota" not in part.get("aria-label").lower()
    )


@pytest.mark.parametrize("day", ["0001-01-01", "1970-01-01", "2026-11-23", "9999-12-30"])
@pytest.mark.slow
def test_odd_upload_dates_are_drawn_within_the_drawing(make_images, day):
    images = make_images(created_at=[day, "2026-01-01", None])

    for width, svg in _growth(StorageReport(images, quota="1 MiB")).items():
        numbers = re.findall(r"-?[\d.]+", " ".join(one.get("d") for one in svg.iter("path")))
        assert all(-1 <= float(number) <= width for number in numbers)
        assert len(_of(svg, "text", "tick")) < 25
