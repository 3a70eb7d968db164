"""Snapshots come back as the frame they were, or not at all."""

import datetime as dt
import os

import duckdb
import pandas as pd
import polars as pl
import pytest

import picora_analytics as pic
from picora_analytics import SchemaError, SnapshotError, SnapshotStore
from picora_analytics.library.snapshot_file import (
    FeedPosition,
    load_file,
    read_snapshot,
    write_snapshot,
)
from picora_analytics.library.snapshots import remember


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
        pytest.param(lambda i: i.iloc[[0, 1, 1]], id="an image twice"),
        pytest.param(lambda i: i.rename(index={"a": None}), id="an image without an id"),
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


DAYS = ["2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"]
DAYS += ["2026-03-03T10:00:00Z", "2026-03-03T10:00:01Z"]


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        pytest.param(5, [0, 1, 2, 3, 4], id="all"),
        pytest.param(4, [0, 2, 3, 4], id="without the oldest that its own day replaces"),
        pytest.param(3, [0, 2, 4], id="one a day"),
        pytest.param(1, [4], id="the latest"),
    ],
)
def test_only_so_many_versions_are_kept(images, tmp_path, keep, left):
    every = SnapshotStore(tmp_path / "all", keep=9)
    names = [every.save(_read_on(images, day)) for day in DAYS]
    store = SnapshotStore(tmp_path / "some", keep=keep)

    for day in DAYS:
        store.save(_read_on(images, day))

    assert store.versions() == [names[number] for number in left]


def test_what_is_no_snapshot_of_this_account_is_never_deleted(images, tmp_path):
    store = SnapshotStore(tmp_path, keep=1)
    other = images.copy()
    other.attrs["picora"] = images.attrs["picora"] | {
        "account": "f" * 16,
        "read_at": "2026-01-01T00:00:00Z",
    }
    foreign = [store.save(other)]
    foreign += ["20260102T000000.000000Z", "20260103T000000.000000Z"]
    (tmp_path / f"{foreign[1]}.parquet").write_bytes(b"damaged")
    images.to_parquet(tmp_path / f"{foreign[2]}.parquet")

    store.save(_read_on(images, DAYS[0]))
    last = store.save(_read_on(images, DAYS[1]))

    assert store.versions() == [*foreign, last]


def test_an_empty_path_is_not_taken_for_the_current_folder(serve, tmp_path, monkeypatch):
    _, client = serve(1)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ValueError, match=r"^'' names no folder .* or '\.' for the current one\.$"):
        pic.load_images(client, store="", progress=False)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("keep", [0, -1, 2.5, True, None])
def test_a_store_that_would_keep_nothing_is_refused(tmp_path, keep):
    with pytest.raises(ValueError, match=r"is not a number of snapshots; at least 1 is kept\.$"):
        SnapshotStore(tmp_path, keep=keep)


def test_the_feed_position_is_in_the_file_and_not_in_the_frame(images, tmp_path):
    store = SnapshotStore(tmp_path)

    store.save(images, feed=FeedPosition("cursor-1", "demo"))

    assert store.read().feed == FeedPosition("cursor-1", "demo")
    assert "cursor-1" not in str(store.load().attrs)


def test_a_full_disk_is_a_warning_and_not_the_end_of_a_load(images, tmp_path):
    (tmp_path / "file").write_text("no folder")

    with pytest.warns(UserWarning, match=r"not remembered .* or store=None\.$"):
        remember(SnapshotStore(tmp_path / "file" / "store"), images)


def test_a_folder_that_the_system_refuses_is_a_warning_as_well(images):
    with pytest.warns(UserWarning, match=r"not remembered .* or store=None\.$"):
        remember(SnapshotStore("no\0folder"), images)


def test_a_folder_whose_name_is_not_utf_8_holds_snapshots_too(tmp_path, serve):
    _, client = serve(3)
    folder = tmp_path / os.fsdecode(b"\xff")

    images = pic.load_images(client, store=folder, progress=False)

    store = SnapshotStore(folder)
    (version,) = store.versions()
    assert store.about(version)["n_images"] == 3
    pd.testing.assert_frame_equal(store.load(), images)
    pd.testing.assert_frame_equal(load_file(folder / f"{version}.parquet"), images)


def test_a_file_from_anywhere_is_loaded(images, tmp_path):
    store = SnapshotStore(tmp_path)
    (tmp_path / f"{store.save(images)}.parquet").rename(tmp_path / "march.parquet")
    images.to_parquet(tmp_path / "plain.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"x")

    pd.testing.assert_frame_equal(load_file(tmp_path / "march.parquet"), images)
    assert load_file(tmp_path / "plain.parquet").attrs == images.attrs
    with pytest.raises(SnapshotError, match=r"is damaged .* read from Picora again\.$"):
        load_file(tmp_path / "broken.parquet")
    with pytest.raises(SnapshotError, match=r"^There is no file .*none\.parquet\.$"):
        load_file(tmp_path / "none.parquet")


def test_the_last_save_is_the_latest_even_after_a_clock_that_was_ahead(images, tmp_path):
    store = SnapshotStore(tmp_path, keep=2)
    ahead = store.save(_read_on(images, "2099-12-31T23:59:59.999999Z"))
    today = [store.save(_read_on(images, day)) for day in DAYS[:2]]

    assert ahead == "20991231T235959.999999Z"
    assert today == ["21000101T000000.000000Z", "21000101T000000.000001Z"]
    assert store.versions()[-1] == today[-1]
    assert store.load().attrs["picora"]["read_at"] == DAYS[1]


@pytest.mark.parametrize("moment", ["soon", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("name", ["loaded_at", "read_at"])
def test_a_moment_that_nobody_can_count_from_is_damage(images, tmp_path, name, moment):
    store = SnapshotStore(tmp_path)
    version = store.save(images)
    path = tmp_path / f"{version}.parquet"
    snapshot = read_snapshot(path)
    write_snapshot(snapshot.table, {**snapshot.facts, name: moment}, None, path)

    for read in (store.load, store.about):
        with pytest.raises(SnapshotError, match=rf"{version}.parquet is damaged \(ValueError\);"):
            read(version)


def test_a_moment_without_a_zone_is_utc_in_all_that_reads_it(images, tmp_path):
    store = SnapshotStore(tmp_path)
    version = store.save(images)
    path = tmp_path / f"{version}.parquet"
    snapshot = read_snapshot(path)
    naive = {"loaded_at": "2026-11-01T21:00:00", "read_at": "2026-11-01T21:00:00"}
    write_snapshot(snapshot.table, {**snapshot.facts, **naive}, None, path)
    store.save(_read_on(images, DAYS[0]))

    assert len(store.totals()) == 2
    assert store.load(version).attrs["picora"]["read_at"] == "2026-11-01T21:00:00Z"


def test_a_file_named_by_digits_that_are_no_date_is_somebody_elses(images, tmp_path):
    store = SnapshotStore(tmp_path)
    version = store.save(images)
    (tmp_path / "20251399T256199.000000Z.parquet").write_bytes(b"x")

    assert store.versions() == [version]
