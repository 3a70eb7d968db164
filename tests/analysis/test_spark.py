"""Real PySpark, in a session of São Paulo and a process of Shanghai: the lane of make test-spark."""

import itertools
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

import picora_analytics as pic
from picora_analytics import SnapshotStore, export_snapshots
from picora_analytics.library import frame


@pytest.fixture(scope="module")
def spark():
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "America/Sao_Paulo")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.adaptive.enabled", "false")  # A stage more for each shuffle.
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def given(spark, tmp_path):
    numbers = itertools.count()

    def read(images):
        path = str(tmp_path / f"{next(numbers)}.parquet")
        pq.write_table(frame.table_from_frame(images), path)
        return spark.read.parquet(path)

    return read


def test_every_question_has_one_answer_on_spark(messy, edges, given, check_all):
    # Together, because Spark takes its seconds for each question and not for rows.
    both = pd.concat([messy(300), edges])

    check_all(given, both.set_axis(pd.Index([f"i{n:03}" for n in range(len(both))], name="id")))


def test_a_library_without_images_is_answered(messy, given, as_pandas):
    there = given(messy(0))

    assert as_pandas(pic.summarize_library(there))["n_images"].tolist() == [0]
    for ask in (pic.summarize_tags, pic.summarize_savings, pic.summarize_heavy):
        assert as_pandas(ask(there)).empty


def test_sums_beyond_64_bits_are_exact(make_images, given, as_pandas):
    images = make_images(size_bytes=[2**62] * 3 + [7])

    sums = as_pandas(pic.summarize_sizes(given(images)))

    assert [int(size) for size in sums["size_bytes"]] == [7, 3 * 2**62]


def test_exported_accounts_are_told_apart(make_images, spark, tmp_path, as_pandas):
    stores = []
    for n in (2, 3):
        images = make_images(size_bytes=[100] * n)
        images.attrs["picora"]["account"] = f"account{n}"
        stores.append(SnapshotStore(tmp_path / str(n)))
        stores[-1].save(images)
    export_snapshots(stores, tmp_path / "all")
    there = spark.read.parquet(str(tmp_path / "all"))

    rows = as_pandas(pic.summarize_sizes(there.filter("id != 'a'"), by="account"))

    assert rows["account"].tolist() == ["account2", "account3"]
    assert rows["image_share"].tolist() == pytest.approx([1 / 2, 2 / 3])


def test_every_line_of_the_document_runs(
    make_images, spark, tmp_path, monkeypatch, capsys, run_blocks
):
    monkeypatch.chdir(tmp_path)
    # Spark's own process stays where it began; its files know another place to look from.
    hadoop = spark._jvm.org.apache.hadoop.fs
    files = hadoop.FileSystem.get(spark._jsc.hadoopConfiguration())
    files.setWorkingDirectory(hadoop.Path(str(tmp_path)))
    Path("kept").mkdir()
    Path("kept", "metadata.csv").write_text('file_name,id\n"a ""b"".png",a\n', "utf-8")
    store = SnapshotStore("snapshots")
    store.save(make_images(tags=[("cat",), (), ("cat", "red")]))
    known = {"pic": pic, "spark": spark, "store": store}

    found = run_blocks(True, known)

    assert capsys.readouterr().out.count("|") > 20  # Two tables were shown.
    assert found[-1].collect()[0]["file_name"] == 'a "b".png'
