"""Snapshot files under stress: any library comes back, and any damage is named."""

import datetime as dt
import re

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pandas.testing import assert_frame_equal

from picora_analytics import SchemaError, SnapshotError, SnapshotStore
from picora_analytics.library.frame import SCHEMA

TAGS = [("cat", "red"), (), None, ("a, b", "'", '"', "产品")]


@pytest.fixture
def store(tmp_path):
    return SnapshotStore(tmp_path / "snapshots")


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.lists(st.text(max_size=5), max_size=3).map(tuple),
            st.none() | st.integers(0, 2**63 - 1),
            st.none() | st.booleans(),
            st.none() | st.text(max_size=9),
            st.none() | st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2199, 1, 1)),
        ),
        min_size=1,
        max_size=6,
    )
)
@pytest.mark.slow
def test_any_library_comes_back(store, make_images, rows):
    tags, sizes, public, names, times = map(list, zip(*rows, strict=True))
    images = make_images(
        tags=tags, size_bytes=sizes, is_public=public, filename=names, created_at=times
    )

    assert_frame_equal(store.load(store.save(images)), images)


@pytest.mark.parametrize("n", [0, 1])
def test_a_library_of_hardly_anything_comes_back(store, make_images, n):
    images = make_images(size_bytes=[5] * n)

    store.save(images)

    assert_frame_equal(store.load(), images)


def test_a_frame_that_plain_pandas_read_back_is_saved_the_same(store, make_images, tmp_path):
    images = make_images(tags=TAGS)
    images.to_parquet(tmp_path / "a.parquet")

    store.save(pd.read_parquet(tmp_path / "a.parquet"))

    assert_frame_equal(store.load(), images)


def test_other_engines_read_lists_times_and_gaps(store, make_images):
    images = make_images(tags=TAGS, size_bytes=[1, None, 3, 4])
    file = store.folder / f"{store.save(images)}.parquet"

    frame = pl.read_parquet(file)
    rows = duckdb.execute("SELECT tags, size_bytes FROM read_parquet(?)", [str(file)]).fetchall()

    lists = [None if tags is None else list(tags) for tags in TAGS]
    assert frame["tags"].to_list() == lists
    assert frame.schema["tags"] == pl.List(pl.String)
    assert frame.schema["created_at"] == pl.Datetime("us", "UTC")
    assert frame["id"].to_list() == list(images.index)
    assert rows == list(zip(lists, [1, None, 3, 4], strict=True))


@pytest.mark.parametrize(
    "version", ["yesterday", "2026", "01.02.2026", "2026-1-1", "", 5, None, "20260101T1000"]
)
def test_what_is_no_version_is_refused_and_not_guessed(store, make_images, version):
    name = store.save(make_images())

    with pytest.raises(
        SnapshotError,
        match="^"
        + re.escape(
            f"version={version!r} is no snapshot in {store.folder}; it holds {name} to {name}. Give one of its "
            "versions(), a day such as '2026-01-31', or 'latest'."
        )
        + "$",
    ):
        store.load(version)


def test_a_day_before_the_first_version_is_named(store, make_images):
    name = store.save(make_images())

    with pytest.raises(
        SnapshotError,
        match=rf"^No snapshot in {re.escape(str(store.folder))} is as old as 2020-12-31; the first is {name}\.$",
    ):
        store.load("2020-12-31")


def _damage(file, how):
    if how == "cut off":
        file.write_bytes(file.read_bytes()[:-200])
    elif how == "empty":
        file.write_bytes(b"")
    elif how == "text":
        file.write_text("id,tags\na,b\n")
    elif how == "overwritten":
        whole = bytearray(file.read_bytes())
        whole[4:400] = b"\xff" * 396
        file.write_bytes(bytes(whole))
    elif how == "foreign":
        pq.write_table(pa.table({"id": ["a"]}), file)
    elif how == "odd facts":
        pq.write_table(SCHEMA.empty_table().replace_schema_metadata({b"picora": b"[1]"}), file)
    elif how == "lacks a row":
        pq.write_table(pq.read_table(file).slice(1), file)
    elif how == "lacks a column":
        pq.write_table(pq.read_table(file).drop_columns(["tags"]), file)


@pytest.mark.parametrize(
    "how",
    [
        "cut off",
        "empty",
        "text",
        "overwritten",
        "foreign",
        "odd facts",
        "lacks a column",
        "lacks a row",
    ],
)
def test_a_damaged_or_foreign_file_is_named(store, make_images, how):
    file = store.folder / f"{store.save(make_images())}.parquet"
    _damage(file, how)

    with pytest.raises(
        SnapshotError,
        match=rf"^The snapshot {re.escape(str(file))} is damaged \(\w+\); delete that file, and the library is read "
        r"from Picora again\.$",
    ):
        store.load()


@pytest.mark.parametrize("how", ["cut off", "empty", "text", "foreign", "odd facts"])
def test_a_damaged_file_is_named_when_its_account_is_looked_at(store, make_images, how):
    _damage(store.folder / f"{store.save(make_images())}.parquet", how)

    with pytest.raises(SnapshotError, match=r"the library is read from Picora again\.$"):
        store.refuse_other_account("0123456789abcdef")


def test_other_files_in_the_folder_are_no_versions(store, make_images):
    version = store.save(make_images())
    (store.folder / "notes.parquet").write_text("x")
    (store.folder / f".{version}.parquet.x1y2z3").write_text("half")

    assert store.versions() == [version]
    assert len(store.load()) == 3


def test_a_frame_that_is_silent_about_itself_is_not_saved(store, make_images):
    images = make_images()
    images.attrs.clear()

    with pytest.raises(
        SchemaError,
        match=r"^This frame does not say where it comes from; pass it as load_images made it\.$",
    ):
        store.save(images)


def test_a_frame_whose_tags_were_exploded_row_for_row_is_not_saved(store, make_images):
    images = make_images(tags=[("cat",), ("dog",), ()]).explode("tags")

    with pytest.raises(SchemaError, match=r"^The column 'tags' .* as load_images made it\.$"):
        store.save(images)

    assert store.versions() == []


def test_an_older_reading_saved_again_stays_the_older_one(store, make_images):
    older, newer = make_images(size_bytes=[1, 2]), make_images(size_bytes=[1, 2, 3])
    older.attrs["picora"]["read_at"] = "2026-11-01T00:00:00Z"
    newer.attrs["picora"]["read_at"] = "2026-11-02T00:00:00Z"
    for images in (older, newer, older):
        store.save(images)

    assert len(store.versions()) == 2
    assert_frame_equal(store.load(), newer)
