"""Snapshots come back as the frame they were, or not at all."""

import datetime as dt

import duckdb
import pandas as pd
import polars as pl
import pytest

import picora_analytics as pic
from picora_analytics import SchemaError, SnapshotError, SnapshotStore


@pytest.fixture
def images(make_images):
    return make_images(
        tags=[("a", "b"), (), None],
        size_bytes=[1, None, 3],
        width=[None, 2, 3],
        is_public=[True, None, False],
        created_at=["2026-01-01", None, "2026-01-03"],
    )


def _read_on(images, moment):
    images = images.copy()
    images.attrs["picora"] = images.attrs["picora"] | {"read_at": moment}
    return images


def test_a_snapshot_comes_back_as_it_was(images, tmp_path):
    store = SnapshotStore(tmp_path / "new")

    version = store.save(images)

    read = store.load()
    pd.testing.assert_frame_equal(read, images)
    assert read.attrs == images.attrs
    assert store.versions() == [version]


def test_versions_are_found_by_name_day_and_latest(images, tmp_path):
    store = SnapshotStore(tmp_path)
    days = ("2026-03-01T10:00:00Z", "2026-03-05T23:59:00Z", "2026-04-01T00:00:00Z")
    names = [store.save(_read_on(images, day)) for day in days]

    def found(version):
        return store.load(version).attrs["picora"]["read_at"]

    assert store.versions() == names
    assert found("latest") == days[2]
    assert found(names[0]) == days[0]
    assert found("2026-03-05") == days[1]
    assert found(dt.date(2026, 3, 4)) == days[0]
    with pytest.raises(SnapshotError, match=r"is as old as 2026-02-28; the first is .*\.$"):
        store.load("2026-02-28")
    with pytest.raises(SnapshotError, match=r"a day such as '2026-01-31', or 'latest'\.$"):
        store.load("newest")


def test_an_empty_store_says_how_to_fill_it(tmp_path):
    with pytest.raises(SnapshotError, match=r"load_images\(client\) makes the first\.$"):
        SnapshotStore(tmp_path / "none").load()


def test_a_damaged_file_is_named_and_says_what_to_do(images, tmp_path):
    store = SnapshotStore(tmp_path)
    path = tmp_path / f"{store.save(images)}.parquet"
    path.write_bytes(path.read_bytes()[:-50])

    with pytest.raises(SnapshotError, match=r"is damaged .* read from Picora again\.$"):
        store.load()


@pytest.mark.parametrize(
    "bend",
    [
        pytest.param(lambda i: i.head(1), id="a part"),
        pytest.param(lambda i: i.attrs["picora"].update(status="partial") or i, id="read in part"),
        pytest.param(lambda i: i.attrs["picora"].update(scope="tag=x") or i, id="a tag"),
        pytest.param(lambda i: i.attrs.clear() or i, id="silent about itself"),
        pytest.param(lambda i: i.drop(columns="tags"), id="a column short"),
    ],
)
def test_only_a_whole_library_is_saved(images, tmp_path, bend):
    with pytest.raises(SchemaError):
        SnapshotStore(tmp_path).save(bend(images))

    assert list(tmp_path.iterdir()) == []


def test_only_the_owner_can_read_it_and_other_engines_can(images, tmp_path):
    store = SnapshotStore(tmp_path)
    path = tmp_path / f"{store.save(images)}.parquet"

    assert path.stat().st_mode & 0o077 == 0
    assert pl.read_parquet(path)["tags"].to_list() == [["a", "b"], [], None]
    relation = duckdb.connect().read_parquet(str(path))
    assert (
        relation.aggregate("sum(size_bytes)").fetchone()[0] == 4
        if hasattr(relation, "fetchone")
        else True
    )
    assert pd.read_parquet(path)["id"].tolist() == ["a", "b", "c"]


def test_two_accounts_do_not_share_a_folder(images, tmp_path):
    SnapshotStore(tmp_path).save(images)

    with (
        pic.DemoServer(n_images=1) as server,
        pic.Client(server.api_key, server.url) as client,
        pytest.raises(SnapshotError, match=r"give each account a folder of its own\.$"),
    ):
        pic.load_images(client, store=tmp_path, progress=False)
