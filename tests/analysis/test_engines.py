"""Facts travel with the rows, whichever engine reads them."""

import importlib
import inspect
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import picora_analytics as pic
from picora_analytics.analysis import question

duckdb = pytest.importorskip("duckdb")


@pytest.fixture
def store(make_images, tmp_path):
    images = make_images(size_bytes=[600, 300, 100], created_at=["2026-11-01", "2025-01-01", None])
    store = pic.SnapshotStore(tmp_path / "odd [name] *")
    store.save(images)
    return store


@pytest.mark.slow
def test_a_part_of_a_scan_knows_ages_and_shares_of_its_library(store, as_pandas):
    part = store.load().iloc[:2]
    keeps = {
        "polars": lambda frame: frame.filter(pl.col("size_bytes") > 200),
        "duckdb": lambda relation: relation.filter("size_bytes > 200"),
        "pyarrow": lambda table: table.slice(0, 2),
        "pandas": lambda images: images[images["size_bytes"] > 200],
    }

    for engine, keep in keeps.items():
        there = keep(store.scan(engine=engine, facts=True))
        for ask in (pic.summarize_ages, pic.summarize_sizes):
            found = as_pandas(ask(there))
            assert_frame_equal(found, pd.DataFrame(ask(part)), check_dtype=False, obj=engine)
    assert pic.summarize_sizes(part)["size_share"].tolist() == [0.9]


@pytest.mark.slow
def test_facts_lie_in_the_file_for_plain_pandas_and_arrow(store):
    read = pd.read_parquet(store.path())
    table = pq.read_table(store.path())

    assert read.attrs["picora"] == store.load().attrs["picora"]
    assert pic.summarize_ages(read)["n_images"].tolist() == [1, 1, 1]
    assert pic.summarize_ages(table).column("n_images").to_pylist() == [1, 1, 1]
    assert pic.summarize_ages(store.scan(engine="pyarrow")).num_rows == 3


def test_what_speaks_arrows_stream_protocol_comes_in(store):
    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return pq.read_table(store.path()).__arrow_c_stream__(requested_schema)

    for given in (Stream(), pq.ParquetFile(store.path()).schema_arrow.empty_table().to_reader()):
        answer = pic.summarize_sizes(given)
        assert isinstance(answer, pa.Table)
    assert pic.summarize_tags(Stream()).num_rows == 0
    with pytest.raises(TypeError, match=r"gives Arrow; this is list\.$"):
        pic.summarize_sizes([1])


def test_an_unknown_engine_is_named(store):
    with pytest.raises(ValueError, match=r"^engine='dask' is unknown: choose 'pandas', "):
        store.scan(engine="dask")


@pytest.fixture
def accounts(make_images, tmp_path):
    """Export two accounts, of 2 and 3 images; the second was loaded a year later."""
    stores = []
    for n, year in ((2, 2025), (3, 2026)):
        images = make_images(size_bytes=[100] * n, created_at=["2024-12-31"] * n, tags=[("t",)] * n)
        told = images.attrs["picora"]
        images.attrs["picora"] = told | {
            "account": f"{n}" * 16,
            "loaded_at": f"{year}-01-15T00:00:00Z",
        }
        stores.append(pic.SnapshotStore(tmp_path / str(n)))
        stores[-1].save(images)
    older = pic.SnapshotStore(tmp_path / "older")
    first = stores[0].load().iloc[:1]
    older_facts = first.attrs["picora"] | {"n_images": 1, "size_bytes": 100}
    first.attrs["picora"] = older_facts | {"read_at": "2020-01-01T00:00:00Z"}
    older.save(first)
    written = pic.export_snapshots([*stores, older.folder], tmp_path / "all")
    assert [path.parent.name for path in written] == ["account=" + "2" * 16, "account=" + "3" * 16]
    return tmp_path / "all"


@pytest.mark.slow
def test_each_account_is_asked_for_itself(accounts, as_pandas):
    pattern = str(accounts / "*" / "*.parquet")
    relation = duckdb.read_parquet(pattern, hive_partitioning=True)
    given = {
        "DuckDB": relation.filter("id <> 'a'"),
        "polars, lazy": pl.scan_parquet(pattern, hive_partitioning=True).filter(
            pl.col("id") != "a"
        ),
        "polars": pl.read_parquet(pattern, hive_partitioning=True).filter(pl.col("id") != "a"),
        "Arrow": pa.table(relation.filter("id <> 'a'").to_arrow_table()),
    }
    given["pandas"] = given["Arrow"].to_pandas()
    for engine, frame in given.items():
        ages = as_pandas(pic.summarize_ages(frame, by="account"))
        assert ages["account"].tolist() == ["2" * 16, "3" * 16], engine
        assert ages["age"].tolist() == ["0 - 30 days", "1 - 2 years"], engine
        assert ages["image_share"].tolist() == pytest.approx([1 / 2, 2 / 3]), engine
        # Of both together: when the last was loaded, and of all 5 images.
        both = as_pandas(pic.summarize_ages(frame))
        assert (both["age"].tolist(), both["image_share"].tolist()) == (["1 - 2 years"], [3 / 5])
        largest = as_pandas(pic.summarize_largest(frame, top=1, by="account"))
        assert largest["id"].tolist() == ["b", "b"]
        assert len(as_pandas(pic.summarize_concentration(frame, by="account"))) == 2


@pytest.mark.slow
def test_every_question_can_be_asked_by_account(accounts, questions, as_pandas):
    pattern = str(accounts / "*" / "*.parquet")
    relation = duckdb.read_parquet(pattern, hive_partitioning=True)
    arrow = relation.to_arrow_table()

    for name in questions:
        ask = getattr(pic, name)
        if "'account'" in str(inspect.signature(ask, eval_str=True).parameters.get("by")):
            whole = as_pandas(ask(relation, by="account"))
            parts = {n: as_pandas(ask(relation.filter(f"account = {n * 16}"))) for n in "23"}
            expected = pd.concat([part.assign(account=n * 16) for n, part in parts.items()])
            assert_frame_equal(
                whole, expected[whole.columns].reset_index(drop=True), check_dtype=False, obj=name
            )
            assert_frame_equal(as_pandas(ask(arrow, by="account")), whole, check_dtype=False)
        else:  # One is of two frames; the other gives no row for each of several things.
            assert name in ("summarize_changes", "forecast_storage")


def test_a_measured_sample_is_of_one_account(make_images):
    with pytest.raises(
        ValueError, match=r"^measured= is of one account: leave by='account' out\.$"
    ):
        pic.summarize_savings(make_images(), by="account", measured=pd.DataFrame())


def test_shares_of_rows_that_do_not_know_their_library_are_said_to_be_so(store, capsys):
    question._notice_once.cache_clear()

    pic.summarize_sizes(store.scan(engine="polars", facts=True))
    pic.summarize_tags(store.scan(engine="polars"))
    pic.summarize_sizes(store.scan(engine="pyarrow"))
    assert capsys.readouterr().err == ""
    pic.summarize_sizes(store.scan(engine="duckdb"))
    pic.summarize_ages(store.scan(engine="polars"), now="2026-11-23")
    assert capsys.readouterr().err.startswith("Shares are of the rows given, for this frame ")


@pytest.mark.parametrize("engine", ["polars", "duckdb", "pyarrow"])
def test_what_pandas_alone_answers_says_how_a_library_comes_there(store, engine, pandas_only):
    there = store.scan(engine=engine)
    ask = getattr(pic, pandas_only)

    with pytest.raises(
        TypeError,
        match=rf"^{pandas_only} takes a pandas DataFrame, as load_images makes it; this is \w+ of {engine}\. "
        r"Type images = SnapshotStore\(folder\)\.load\(\), which gives it in pandas\.$",
    ):
        ask(there, there) if pandas_only == "compare_snapshots" else ask(there)


def test_a_loaded_frame_is_of_one_account_and_others_must_say_it(make_images):
    images = make_images()

    assert pic.summarize_tags(images, by="account").columns[0] == "account"
    assert pic.summarize_sizes(images, by="account")["account"].tolist() == ["0123456789abcdef"]
    with pytest.raises(
        pic.SchemaError, match=r"^summarize_sizes needs the column 'account' for by="
    ):
        pic.summarize_sizes(pl.DataFrame({"size_bytes": [1]}), by="account")
    with pytest.raises(ValueError, match=r"^by='tag' is unknown: choose 'account'"):
        pic.summarize_sizes(images, by="tag")


def test_a_store_without_snapshots_exports_nothing(make_images, tmp_path):
    full = pic.SnapshotStore(tmp_path / "full")
    full.save(make_images())

    with pytest.raises(pic.SnapshotError, match=r"^There are no snapshots in .*none"):
        pic.export_snapshots([full, tmp_path / "none"], tmp_path / "all")
    assert not (tmp_path / "all").exists()


@pytest.mark.slow
def test_every_line_of_the_document_runs(make_images, tmp_path, monkeypatch, run_blocks):
    ibis, *_ = map(importlib.import_module, ("ibis", "pyarrow.csv", "pyarrow.dataset"))
    monkeypatch.chdir(tmp_path)
    for folder, account in (("snapshots", "one"), ("stores/blog", "one"), ("stores/shop", "two")):
        images = make_images(tags=[("cat",), (), ("cat", "red")])
        images.attrs["picora"]["account"] = account
        pic.SnapshotStore(folder).save(images)
    Path("kept").mkdir()
    Path("kept", "metadata.csv").write_text("file_name,id,tags\na.png,a,\"('x',)\"\n", "utf-8")
    known = {"pic": pic, "pd": pd, "pl": pl, "duckdb": duckdb, "pyarrow": pa, "ibis": ibis}

    found = run_blocks(False, known)

    assert [len(answer) for answer in found] == [2] * 10 + [1] * 5
