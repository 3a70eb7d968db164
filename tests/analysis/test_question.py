"""The door: any engine's frame in, the same engine's answer out, everyday dtypes on both sides."""

import json
import re

import duckdb
import ibis
import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

import picora_analytics as pic
from picora_analytics.analysis.question import question
from picora_analytics.library import frame


@question("id", answers={"id": "str"})
def list_ids(images):
    return images.select("id")


def test_the_answer_is_of_the_callers_engine(make_images, engines):
    images = make_images(tags=[("cat",)])

    kinds = {name: type(pic.summarize_tags(give(images))) for name, give in engines.items()}

    assert kinds == {
        "Ibis": ibis.Table,
        "DuckDB": duckdb.DuckDBPyRelation,
        "polars": pl.DataFrame,
        "polars, lazy": pl.LazyFrame,
        "Arrow": pa.Table,
    }


def test_duckdb_sums_are_whole_numbers_and_no_hugeints(make_images, engines):
    relation = pic.summarize_growth(engines["DuckDB"](make_images()))

    assert list(map(str, relation.types)) == [
        "TIMESTAMP WITH TIME ZONE",
        "BIGINT",
        "BIGINT",
        "BIGINT",
        "BIGINT",
    ]


def test_pandas_answers_have_everyday_dtypes_and_a_plain_index(make_images):
    answer = pic.summarize_growth(make_images())

    assert answer.dtypes.map(str).tolist() == [
        "datetime64[us, UTC]",
        "int64",
        "Int64",
        "int64",
        "Int64",
    ]
    assert answer.index.equals(pd.RangeIndex(1))
    assert answer.attrs == {}


@pytest.mark.parametrize("engine", ["DuckDB", "polars", "polars, lazy", "Arrow"])
def test_months_are_utc_months_whatever_the_session_says(engine, make_images, engines, as_pandas):
    # In New York, where the DuckDB session is, the second one is still in December.
    images = make_images(created_at=["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z"])

    growth = as_pandas(pic.summarize_growth(engines[engine](images)))

    assert growth["period"].dt.strftime("%Y-%m-%d").tolist() == ["2025-12-01", "2026-01-01"]


def test_instants_of_other_zones_and_of_none_are_taken_as_utc(make_images):
    images = make_images(created_at=["2026-01-01T03:00:00Z"])
    new_york = images.assign(created_at=images["created_at"].dt.tz_convert("America/New_York"))
    naive = images.assign(created_at=images["created_at"].dt.tz_localize(None))

    assert_frame_equal(pic.summarize_growth(new_york), pic.summarize_growth(images))
    assert_frame_equal(pic.summarize_growth(naive), pic.summarize_growth(images))


@pytest.mark.parametrize(
    "cell", [tuple, list, lambda tags: np.array(tags, dtype=object)], ids=["tuple", "list", "array"]
)
def test_tags_may_be_tuples_lists_or_arrays(make_images, cell):
    images = make_images(tags=[("cat", "red"), (), None])
    images["tags"] = pd.Series(
        [None if tags is None else cell(tags) for tags in images["tags"]],
        index=images.index,
        dtype=object,
    )

    assert pic.summarize_tags(images)["tag"].tolist() == ["cat", "red"]


@pytest.mark.parametrize("engine", ["pandas", "DuckDB", "polars", "Arrow"])
def test_a_repeated_tag_counts_once_on_every_engine(engine, make_images, engines, as_pandas):
    images = make_images(tags=[("b", "a", "b"), None, (), ("b",)], size_bytes=[100, 1, 1, 50])

    given = images if engine == "pandas" else engines[engine](images)
    tags = as_pandas(pic.summarize_tags(given))

    assert tags.to_numpy().tolist() == [["b", 2, 150, 100.0], ["a", 1, 100, 50.0]]


@pytest.mark.parametrize("engine", ["pandas", "DuckDB", "polars", "polars, lazy", "Arrow"])
@pytest.mark.slow
def test_a_type_of_many_spellings_is_one_on_every_engine(engine, make_images, engines, as_pandas):
    images = make_images(
        mime_type=["image/jpeg", "IMAGE/JPG", "image/pjpeg; q=1", "image/x-odd", None, " ; "],
        filename=["a.jpg"] * 6,
        size_bytes=[5_000_000] * 6,
        width=[100] * 6,
    )
    images["mime_type"] = images["mime_type"].astype(object)
    there = engines[engine](images) if engine != "pandas" else images

    formats = as_pandas(pic.summarize_formats(there)).set_index("mime_type")["n_images"]
    savings = as_pandas(pic.summarize_savings(there)).set_index("flag")["n_images"]
    names = as_pandas(pic.summarize_names(there))

    assert formats.to_dict() == {"image/jpeg": 3, "image/x-odd": 1, "unknown": 2}
    assert savings["inefficient format"] == 3
    assert names["n_other_format"].sum() == 1
    assert as_pandas(pic.summarize_library(there))["n_formats"].tolist() == [2]


def test_missing_tags_may_be_nan_as_after_a_reindex(make_images):
    images = make_images(tags=[("cat",), ()]).reindex(["a", "b", "z"])

    row = pic.summarize_library(images).iloc[0]

    assert (row["n_untagged"], row["n_tags_unknown"], row["n_without_size"]) == (1, 1, 1)


@pytest.mark.slow
def test_a_csv_file_read_by_plain_pandas_works(make_images, tmp_path):
    images = make_images(
        size_bytes=[700, None, 5], is_public=[True, None, False], tags=[("a", "b, 'c'"), None, ()]
    )
    images.to_csv(tmp_path / "images.csv")
    read = pd.read_csv(tmp_path / "images.csv")
    read.attrs = images.attrs

    for name in ("sizes", "visibility", "growth", "formats", "largest", "ages", "tags", "library"):
        summarize = getattr(pic, f"summarize_{name}")
        assert_frame_equal(summarize(read), summarize(images))
    # What the command writes holds tags as words; the message gives the line that reads them.
    words = read.assign(tags=["a, b", None, None])
    with pytest.raises(pic.SchemaError, match=r"After pd\.read_csv, type .*makes it\.$") as caught:
        pic.summarize_tags(words)
    line = str(caught.value).partition("type ")[2].partition("]; ")[0] + "]"
    exec(line, {"images": words})
    assert pic.summarize_tags(words)["tag"].tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        pytest.param("size_bytes", ["1.5 MB"], "'size_bytes' as whole numbers", id="size as text"),
        pytest.param("size_bytes", [1.5], "'size_bytes' as whole numbers", id="half a byte"),
        pytest.param("created_at", [1.7e9], "'created_at' as instants", id="date as number"),
        pytest.param("created_at", ["soon"], "'created_at' as instants", id="date as words"),
        pytest.param("tags", ["cat"], "'tags' as one tuple of text per image", id="tags as text"),
        pytest.param("tags", [("cat", 3)], "'tags' as one tuple of text", id="tag as number"),
        pytest.param("is_public", ["yes"], "'is_public' as True or False", id="yes as text"),
    ],
)
def test_a_column_that_holds_something_else_is_named(make_images, column, values, words):
    images = make_images(tags=[()])
    images[column] = pd.Series(values, index=images.index, dtype=object)

    with pytest.raises(pic.SchemaError, match=rf"{words}.* this frame holds object there\. .*\.$"):
        pic.summarize_library(images)


def test_text_where_another_engine_should_hold_instants_is_named(new_york):
    relation = new_york.sql("SELECT 'soon' AS created_at, 1 AS size_bytes")

    with pytest.raises(pic.SchemaError, match=r"'created_at' as instants.*holds String there"):
        pic.summarize_growth(relation)


@pytest.mark.slow
def test_columns_that_never_held_a_value_are_read(make_images):
    images = make_images(tags=[None, None], size_bytes=[None, None], created_at=[None, None])
    bare = images.astype(object).where(images.notna(), None)

    for name in ("library", "tags", "growth", "sizes"):
        summarize = getattr(pic, f"summarize_{name}")
        assert_frame_equal(summarize(bare), summarize(images))
    table = pa.table({"tags": pa.nulls(2), "size_bytes": pa.nulls(2)})
    assert pic.summarize_tags(pl.DataFrame(pl.from_arrow(table))).shape == (0, 4)


def test_categories_are_text(make_images):
    images = make_images(mime_type=["image/png", "image/png", None])

    few = images.assign(mime_type=images["mime_type"].astype("category"))

    assert_frame_equal(pic.summarize_formats(few), pic.summarize_formats(images))


def test_the_id_may_be_the_index_or_a_column(make_images):
    images = make_images(tags=[(), ()])

    assert list_ids(images)["id"].tolist() == ["a", "b"]
    assert list_ids(images.reset_index())["id"].tolist() == ["a", "b"]
    with pytest.raises(pic.SchemaError, match=r"^list_ids needs the column 'id'"):
        list_ids(images.reset_index(drop=True))


def test_several_missing_columns_are_all_named(make_images):
    images = make_images().drop(columns=["width", "height"])

    with pytest.raises(
        pic.SchemaError,
        match=re.escape(
            "summarize_dimensions needs the columns 'width' and 'height', which this frame does "
            "not have. Pass a frame as load_images makes it, or keep 'size_bytes', 'width' and "
            "'height' when you choose columns."
        )
        + "$",
    ) as caught:
        pic.summarize_dimensions(images)
    assert isinstance(caught.value, ValueError)


def test_the_question_never_changes_the_frame(make_images):
    images = make_images(tags=[("a", "a"), None])
    before = images.copy(deep=True)

    pic.summarize_tags(images)
    pic.summarize_library(images)

    assert_frame_equal(images, before)
    assert images.attrs == before.attrs


def test_a_question_keeps_its_name_and_may_be_asked_by_keyword(make_images):
    assert pic.summarize_tags.__name__ == "summarize_tags"
    assert len(pic.summarize_largest(images=make_images(), top=1)) == 1


def test_odd_column_names_of_a_relation_do_no_harm(new_york):
    relation = new_york.sql("""SELECT 'x' AS "od""d", 'i' AS id""")

    assert list_ids(relation).fetchall() == [("i",)]


def test_a_question_of_ones_own_gets_naive_utc_and_lists(make_images):
    seen = {}

    @question("tags", "created_at", answers={"n": "int64"})
    def look(images):
        seen.update(images.collect_schema())
        return images.select(n=nw.len())

    look(make_images())

    assert seen == {"tags": nw.List(nw.String()), "created_at": nw.Datetime("us")}


@pytest.mark.parametrize("engine", ["DuckDB", "polars", "polars, lazy", "Arrow", "Ibis"])
@pytest.mark.slow
def test_every_question_has_one_answer_on_every_engine(engine, messy, edges, engines, check_all):
    for images in (messy(0), messy(300), edges):
        check_all(engines[engine], images)


def test_weeks_begin_on_monday(make_images):
    # 2026-01-04 is a Sunday.
    images = make_images(created_at=["2026-01-04T23:59:59Z", "2026-01-05", "2025-12-29"])

    weeks = pic.summarize_growth(images, freq="week")

    assert weeks["period"].dt.strftime("%Y-%m-%d").tolist() == ["2025-12-29", "2026-01-05"]
    assert weeks["n_images"].tolist() == [2, 1]


def test_an_unknown_period_is_named(make_images):
    with pytest.raises(
        ValueError,
        match=r"^freq='quarter' is unknown: choose 'day', 'week', 'month' or 'year'\.$",
    ):
        pic.summarize_growth(make_images(), freq="quarter")


@pytest.mark.parametrize(
    ("uploaded", "age"),
    [
        pytest.param("2026-11-23T14:00:00Z", "0 - 30 days", id="now"),
        pytest.param("2026-11-24T13:59:59Z", "0 - 30 days", id="a clock a little ahead"),
        pytest.param("2026-11-24T14:00:01Z", "in the future", id="more than a day ahead"),
        pytest.param("2026-10-23T14:00:01Z", "0 - 30 days", id="30 days, 24 hours less a second"),
        pytest.param("2026-10-23T14:00:00Z", "31 - 90 days", id="31 days"),
        pytest.param("2026-08-24T14:00:00Z", "91 - 365 days", id="91 days"),
        pytest.param("2025-11-22T14:00:00Z", "1 - 2 years", id="366 days"),
        pytest.param("2024-11-22T14:00:00Z", "2 - 5 years", id="731 days"),
        pytest.param("2021-11-22T14:00:00Z", "over 5 years", id="1827 days"),
        pytest.param(None, "unknown", id="no date"),
    ],
)
def test_an_age_falls_into_its_class_to_the_second(make_images, uploaded, age):
    assert pic.summarize_ages(make_images(created_at=[uploaded]))["age"].tolist() == [age]


@pytest.mark.parametrize(
    ("size", "size_range"),
    [
        (0, "< 10 KiB"),
        (10 * 1024 - 1, "< 10 KiB"),
        (10 * 1024, "10 - 100 KiB"),
        (100 * 1024, "100 KiB - 1 MiB"),
        (1024**2, "1 - 2 MiB"),
        (2 * 1024**2, "2 - 5 MiB"),
        (5 * 1024**2, "5 - 10 MiB"),
        (10 * 1024**2, "10 MiB and more"),
        (None, "unknown"),
    ],
)
def test_a_size_falls_into_its_class_to_the_byte(make_images, size, size_range):
    assert pic.summarize_sizes(make_images(size_bytes=[size]))["size_range"].tolist() == [
        size_range
    ]


@pytest.mark.parametrize(
    ("width", "height", "aspect"),
    [
        (1000, 1000, "square"),
        (1050, 1000, "square"),
        (1051, 1000, "other landscape"),
        (4000, 3000, "landscape 4:3"),
        (6000, 4000, "landscape 3:2"),
        (1366, 768, "landscape 16:9"),
        (3000, 4000, "portrait 3:4"),
        (4000, 6000, "portrait 2:3"),
        (1080, 1920, "portrait 9:16"),
        (1170, 2532, "other portrait"),
        (2500, 1000, "other landscape"),
        (2501, 1000, "panorama"),
        (1000, 2500, "other portrait"),
        (1000, 2501, "tall strip"),
        (800, None, "unknown"),
        (800, 0, "unknown"),
    ],
)
def test_a_shape_is_told_by_width_over_height(make_images, width, height, aspect):
    shapes = pic.summarize_dimensions(make_images(width=[width], height=[height]))

    assert shapes["aspect"].tolist() == [aspect]


def test_bytes_nobody_knows_are_missing_and_not_zero(make_images):
    images = make_images(size_bytes=[None, None, 5], tags=[("a",), ("a", "b"), ("b",)])

    tags = pic.summarize_tags(images)

    assert tags["tag"].tolist() == ["b", "a"]
    assert tags["size_bytes"].tolist() == [5, pd.NA]
    assert tags["shared_size_bytes"].isna().tolist() == [False, True]
    assert pic.summarize_library(images.head(2))["size_bytes"].isna().all()
    assert pic.summarize_library(images.head(0))["size_bytes"].tolist() == [0]


def test_percentiles_lie_between_the_sizes(make_images):
    row = pic.summarize_library(make_images(size_bytes=list(range(0, 101, 10)))).iloc[0]

    assert (row["median_size_bytes"], row["p90_size_bytes"], row["p99_size_bytes"]) == (50, 90, 99)


def test_the_top_shares_round_up_to_a_whole_image(make_images):
    # 11 images: the top tenth is two of them, the top hundredth one.
    row = pic.summarize_concentration(make_images(size_bytes=[30, 20] + [5] * 9 + [5])).iloc[0]

    assert row["top1_share"] == 30 / 100
    assert row["top10_share"] == 50 / 100


def test_where_there_are_no_bytes_shares_are_missing(make_images):
    row = pic.summarize_concentration(make_images(size_bytes=[0, 0])).iloc[0]

    assert row[["top1_share", "top10_share", "gini"]].isna().all()
    assert (row["n50"], row["n90"]) == (0, 0)
    assert pic.summarize_sizes(make_images(size_bytes=[0]))["size_share"].isna().all()


def test_a_negative_top_is_named(make_images):
    with pytest.raises(ValueError, match=r"^top=-1 is negative: .* 0 or more\.$"):
        pic.summarize_largest(make_images(), top=-1)


def test_a_snapshot_schema_is_what_the_engines_were_given(make_images, engines):
    assert engines["Arrow"](make_images()).schema.equals(frame.SCHEMA)


def test_tables_of_several_accounts_are_each_of_their_own_load(make_images):
    parts = []
    for account, day, n in (("1" * 16, "2026-11-20", 2), ("2" * 16, "2025-11-20", 3)):
        images = make_images(created_at=["2025-01-01"] * n).reset_index()
        told = {"account": account, "loaded_at": pd.Timestamp(day, tz="UTC"), "library_images": n}
        parts.append(pa.Table.from_pandas(images.assign(**told, library_bytes=1000 * n)))
    metadata = {
        b"picora": json.dumps({"loaded_at": "2026-11-20T00:00:00Z", "n_images": 2}).encode()
    }
    both = pa.concat_tables(part.replace_schema_metadata(metadata) for part in parts)

    shares = pic.summarize_visibility(both, by="account").to_pandas()
    ages = pic.summarize_ages(both, by="account").to_pandas()

    assert shares["image_share"].tolist() == [1.0, 1.0]
    assert ages["age"].tolist() == ["1 - 2 years", "91 - 365 days"]
