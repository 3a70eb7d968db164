"""Sums of sizes are exact on every engine, also where 64 bits would wrap around."""

import datetime as dt
import decimal
import functools
import itertools

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings, strategies as st

import picora_analytics as pic
from picora_analytics.analysis.findings import list_findings
from picora_analytics.library.frame import total_bytes

LARGEST = 2**63 - 1
SIZES = {
    "three halves": [2**62] * 3 + [7],
    "two of the largest": [LARGEST, LARGEST, 5, None],
    "just too many": [2**62, 2**62, None, 0],
    "just enough": [2**62, 2**62 - 1, None, 0],
    "one of the largest": [LARGEST],
    "hundreds": [LARGEST] * 300,
}


@pytest.fixture(params=SIZES, ids=str)
def sizes(request):
    return SIZES[request.param]


@pytest.fixture
def images(make_images, sizes):
    return make_images(
        id=[f"i{n}" for n in range(len(sizes))],
        size_bytes=sizes,
        tags=[("a", "b")] * len(sizes),
        created_at=[dt.datetime(2026, 1, 1) + dt.timedelta(hours=n) for n in range(len(sizes))],
    )


def whole(answer):
    """Give any engine's answer as rows of plain values."""
    if isinstance(answer, pd.DataFrame):
        rows = answer.to_dict("records")
    elif isinstance(answer, pl.DataFrame | pl.LazyFrame):
        rows = answer.lazy().collect().to_dicts()
    elif hasattr(answer, "to_pylist"):
        rows = answer.to_pylist()
    else:
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]
    return [
        {
            name: int(cell)
            if isinstance(cell, decimal.Decimal)
            else None
            if pd.isna(cell)
            else cell
            for name, cell in row.items()
        }
        for row in rows
    ]


ENGINES = ["pandas", "DuckDB", "polars", "polars, lazy", "Arrow"]


QUESTIONS = [
    pic.summarize_library,
    pic.summarize_sizes,
    pic.summarize_tags,
    pic.summarize_formats,
    pic.summarize_visibility,
    pic.summarize_dimensions,
    pic.summarize_growth,
    pic.summarize_concentration,
    functools.partial(pic.summarize_ages, now="2026-12-01"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.slow
def test_no_engine_wraps_around(images, sizes, engines, engine):
    asked = images if engine == "pandas" else engines[engine](images)
    true = sum(size for size in sizes if size is not None)

    for question in QUESTIONS:
        rows = whole(question(asked))

        found = [row["size_bytes"] for row in rows if row["size_bytes"] is not None]
        if "tag" in rows[0]:
            assert found == [true, true], question
        else:
            assert sum(found) == true, question
        if "total_size_bytes" in rows[0]:
            assert rows[-1]["total_size_bytes"] == true, question
            assert [
                row["total_size_bytes"] for row in rows if row["size_bytes"] is not None
            ] == list(itertools.accumulate(found)), question
        if rows[0].get("size_share") is not None:
            assert sum(row["size_share"] or 0 for row in rows) == pytest.approx(1), question


def test_a_sum_that_fits_has_the_everyday_dtype(make_images):
    answer = pic.summarize_library(make_images(size_bytes=[2**62, 2**62 - 1]))

    assert str(answer["size_bytes"].dtype) == "Int64"


@given(st.lists(st.none() | st.integers(0, LARGEST), max_size=30))
def test_a_total_is_what_python_adds_up(sizes):
    known = [size for size in sizes if size is not None]

    assert total_bytes(pd.Series(sizes, dtype="Int64")) == sum(known)
    assert total_bytes(pd.Series(sizes, dtype="int64[pyarrow]")) == sum(known)


ROWS = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(0, LARGEST) | st.just(LARGEST), min_size=1
)


@settings(deadline=None, max_examples=30)
@given(before=ROWS, after=ROWS)
@pytest.mark.slow
def test_a_comparison_adds_up(make_images, before, after):
    old, new = (
        make_images(id=list(rows), size_bytes=list(rows.values()), tags=[("x",)] * len(rows))
        for rows in (before, after)
    )

    difference = pic.compare_snapshots(old, new)

    net = sum(after.values()) - sum(before.values())
    assert difference.net_bytes == difference.by_format["net_bytes"].sum() == net
    assert difference.by_tag["net_bytes"].sum() == net
    assert repr(difference)


@pytest.mark.slow
def test_findings_and_report_add_up_and_are_drawn(images, sizes, tmp_path):
    true = sum(size for size in sizes if size is not None)
    before = images.copy()
    before.attrs["picora"] = images.attrs["picora"] | {"loaded_at": "2026-11-01T00:00:00Z"}

    report = pic.StorageReport(images, quota="5 GiB", previous=before)

    assert report.facts["totals"]["size_bytes"] == true
    assert report.facts["since"]["net_bytes"] == 0
    assert all((found.size_bytes or 0) >= 0 for found in list_findings(images))
    assert "-" not in report.facts["growth"]["by_year"][0]["period"]
    assert report.to_html() and report.to_json() and report.to_markdown() and repr(report)
    assert len(report.findings()) == len(report.facts["findings"])
    growth = pd.read_parquet(report.write_tables(tmp_path) / "growth.parquet")
    assert growth["total_size_bytes"].iat[-1] == true


@pytest.mark.slow
def test_piles_portions_and_suggestions_add_up(make_images, sizes):
    true = sum(size for size in sizes if size is not None)
    images = make_images(
        id=[f"i{n}" for n in range(len(sizes))],
        size_bytes=sizes,
        created_at=[f"{1950 + n % 60}-{1 + n // 60}-01" for n in range(len(sizes))],
    )

    assert pic.summarize_candidates(images)["size_bytes"].sum() == true
    assert pic.suggest(images, free=true).attrs["picora_suggestion"]["shortfall_bytes"] == 0
    assert len(pic.suggest(images, free=max(sizes, key=lambda size: size or 0))) == 1
    plan = pic.plan_deletion(images, list(images.index), reason="all")
    assert plan.portions("pile")["size_bytes"].sum() == true
