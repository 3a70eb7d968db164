"""The frame: its dtypes whatever is missing, and everyday pandas on it."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from picora_analytics import SchemaError
from picora_analytics.library.frame import (
    COLUMNS,
    SCHEMA,
    STR,
    as_loaded,
    facts_of,
    frame_from_table,
    table_from_frame,
)

DTYPES = {
    "filename": STR,
    "title": STR,
    "url": STR,
    "mime_type": STR,
    "size_bytes": pd.Int64Dtype(),
    "width": pd.Int64Dtype(),
    "height": pd.Int64Dtype(),
    "is_public": pd.BooleanDtype(),
    "tags": np.dtype(object),
    "created_at": pd.DatetimeTZDtype("us", "UTC"),
    "updated_at": pd.DatetimeTZDtype("us", "UTC"),
    "content_hash": STR,
}


def frame_of(n, **columns):
    values = {name: columns.get(name, [None] * n) for name in SCHEMA.names}
    return frame_from_table(pa.table(values, schema=SCHEMA))


@pytest.fixture
def images(make_images):
    return make_images(
        filename=["a.png", "b.png", None],
        size_bytes=[700, None, 50],
        width=[800, None, 1],
        is_public=[True, False, None],
        tags=[("cat", "red"), (), None],
        created_at=["2026-01-01", None, "2026-03-01"],
    )


def test_the_columns_are_the_documented_ones_in_order():
    assert tuple(DTYPES) == COLUMNS


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(frame_of(0), id="empty"),
        pytest.param(frame_of(1, id=["a"], url=["u"]), id="one row, all missing"),
        pytest.param(frame_of(3, id=list("abc"), url=list("uvw")), id="three rows, all missing"),
        pytest.param(frame_of(1, id=["a"], tags=[["x"]], size_bytes=[1], width=[2]), id="one row"),
    ],
)
def test_the_dtypes_do_not_depend_on_what_is_there(frame):
    assert frame.dtypes.to_dict() == DTYPES
    assert (frame.index.name, frame.index.dtype) == ("id", STR)
    assert list(frame.columns) == list(COLUMNS)


def test_missing_values_are_missing_and_not_zero_or_empty():
    row = frame_of(1, id=["a"], url=["u"]).iloc[0]

    assert row.drop(["url", "tags"]).isna().all()
    assert row["tags"] is None


def test_absent_and_empty_tags_stay_different_and_equal_ones_are_shared(make_images):
    tags = make_images(tags=[None, (), ("a", "b"), ("a", "b")])["tags"]

    assert list(tags) == [None, (), ("a", "b"), ("a", "b")]
    assert tags.iloc[2] is tags.iloc[3]


def test_the_table_and_the_frame_are_each_others_way_back(images):
    table = table_from_frame(images)

    assert table.schema == SCHEMA
    assert_frame_equal(frame_from_table(table), images)


# Everyday pandas


def test_drop_duplicates_describe_and_nunique_work(images):
    twice = pd.concat([images, images])

    assert len(twice.drop_duplicates()) == 3
    assert images.describe(include="all").loc["count", "size_bytes"] == 2
    assert images.nunique()["tags"] == 2


@pytest.mark.parametrize("n", [0, 1])
def test_describe_works_on_hardly_anything(n):
    frame = frame_of(n, **({"id": ["a"], "url": ["u"]} if n else {}))

    assert "size_bytes" in frame.describe(include="all")
    assert len(frame.drop_duplicates()) == n


def test_explode_gives_a_row_per_tag(images):
    assert list(images.explode("tags")["tags"].dropna()) == ["cat", "red"]


def test_query_sort_values_and_groupby_work(images):
    assert list(images.query("size_bytes > 100").index) == ["a"]
    assert list(images.sort_values("size_bytes").index) == ["c", "a", "b"]
    assert images.groupby("mime_type")["size_bytes"].sum().to_dict() == {"image/png": 750}


def test_to_csv_writes_what_it_holds(images):
    text = images.to_csv()

    assert text.splitlines()[0] == "id," + ",".join(COLUMNS)
    assert (
        "a,a.png,,https://img.picora.com/a.png,image/png,700,800,600,True,\"('cat', 'red')\","
        in text
    )


def test_parquet_by_plain_pandas_and_back_is_the_same_library(images, tmp_path):
    images.to_parquet(tmp_path / "a.parquet")

    back = pd.read_parquet(tmp_path / "a.parquet")

    assert_frame_equal(frame_from_table(table_from_frame(back)), images)
    assert facts_of(back) == facts_of(images)


@pytest.mark.parametrize("engine", ["duckdb", "polars"])
def test_other_engines_read_that_parquet_too(images, tmp_path, engine):
    module = pytest.importorskip(engine)
    images.to_parquet(tmp_path / "a.parquet")

    read = module.read_parquet(str(tmp_path / "a.parquet"))

    tags = (
        read["tags"].to_list()
        if engine == "polars"
        else [r[0] for r in read.project("tags").fetchall()]
    )
    assert tags == [["cat", "red"], [], None]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda frame: frame[frame["size_bytes"].gt(100).fillna(False)], id="a mask"),
        pytest.param(lambda frame: frame.query("size_bytes > 100"), id="query"),
        pytest.param(lambda frame: frame.sort_values("size_bytes"), id="sort_values"),
        pytest.param(lambda frame: frame.assign(x=1), id="assign"),
        pytest.param(lambda frame: frame.head(1), id="head"),
        pytest.param(lambda frame: frame.explode("tags"), id="explode"),
        pytest.param(lambda frame: frame[["size_bytes"]], id="some columns"),
        pytest.param(lambda frame: frame.copy(), id="copy"),
    ],
)
def test_the_facts_survive(images, change):
    assert facts_of(change(images)) == images.attrs["picora"]


def test_a_merged_frame_is_silent_about_itself(images):
    other = pd.DataFrame({"views": [1]}, index=pd.Index(["a"], name="id"))

    assert facts_of(images.merge(other, on="id")) is None


@pytest.mark.parametrize("facts", [None, 5, {}, {"status": "complete"}])
def test_facts_of_another_kind_are_no_facts(images, facts):
    images.attrs["picora"] = facts

    assert facts_of(images) is None


# What is no frame of ours


def test_a_frame_without_a_column_is_refused(images):
    with pytest.raises(
        SchemaError,
        match=r"^This frame lacks the columns \['url', 'tags'\] of a loaded library; pass the frame as "
        r"load_images made it\.$",
    ) as caught:
        table_from_frame(images.drop(columns=["url", "tags"]))

    assert isinstance(caught.value, ValueError)


def test_a_frame_without_its_index_is_refused(images):
    with pytest.raises(
        SchemaError,
        match=r"^This frame lacks the index 'id' of a loaded library; pass the frame as load_images made it\.$",
    ):
        table_from_frame(images.reset_index())


@pytest.mark.parametrize(
    ("column", "values"),
    [
        pytest.param("tags", ["cat", "dog", None], id="tags that were exploded"),
        pytest.param("tags", [("cat", 7), (), None], id="a number among tags"),
        pytest.param("size_bytes", ["big", "small", "x"], id="sizes in words"),
        pytest.param("size_bytes", [1.5, 2.0, 3.0], id="sizes in halves"),
        pytest.param("created_at", ["soon", "x", "y"], id="dates in words"),
    ],
)
def test_a_column_that_holds_something_else_is_refused(images, column, values):
    changed = images.assign(**{column: pd.Series(values, images.index)})

    with pytest.raises(
        SchemaError,
        match=rf"^The column '{column}' does not hold what load_images puts there \((?s:.*)\); explode and astype "
        + re.escape("change it. Pass the frame as load_images made it.")
        + "$",
    ):
        table_from_frame(changed)


def test_making_a_table_leaves_the_frame_as_lean_as_it_was(make_images):
    images = make_images(size_bytes=range(2_000))
    before = images.memory_usage(deep=True)

    table_from_frame(images)

    pd.testing.assert_series_equal(images.memory_usage(deep=True), before)


@pytest.mark.parametrize(
    "tags",
    [
        pytest.param(["cat"], id="lists"),
        pytest.param(np.array(["cat"]), id="arrays, as plain pandas reads them"),
        pytest.param("cat", id="text"),
        pytest.param((1,), id="numbers"),
        pytest.param(float("nan"), id="gaps"),
    ],
)
def test_a_frame_is_as_loaded_only_with_tuples_of_texts_for_tags(images, tags):
    assert as_loaded(images)
    assert as_loaded(images.iloc[:0].assign(own=1))
    changed = pd.Series([tags] * len(images), images.index, dtype=object)
    assert not as_loaded(images.assign(tags=changed))
    assert not as_loaded(images.astype({"size_bytes": "float64"}))
    assert not as_loaded(images.reset_index())
