"""A hash that images of different sizes are said to have tells nothing: they are not the same file."""

import duckdb
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic
from picora_analytics.analysis.content import contents

ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "A", "b", None]),
        st.sampled_from([1, 2, None]),
    ),
    max_size=12,
)


def frame(rows):
    told = pd.DataFrame(rows, columns=["content_hash", "size_bytes"])
    return told.astype({"content_hash": object, "size_bytes": "Int64"})


@given(rows=ROWS)
def test_images_are_of_one_content_if_no_two_of_their_hash_differ(rows):
    numbers = contents(frame(rows)).tolist()

    for one, (told, _) in zip(numbers, rows, strict=True):
        sizes = {size for other, size in rows if told and other and other.lower() == told.lower()}
        assert (one == -1) == (told is None or len(sizes - {None}) > 1)
    known = {(row[0].lower(), one) for row, one in zip(rows, numbers, strict=True) if one >= 0}
    assert len(known) == len({told for told, _ in known}) == len({one for _, one in known})


@pytest.fixture
def images(make_images):
    """Give a true pair, and three images of different size that one hash is told for."""
    return make_images(
        id=["true1", "true2", "wrong1", "wrong2", "wrong3"],
        content_hash=["aa", "aa", "ff", "ff", "ff"],
        size_bytes=[700, 700, 10, 20, 30],
        created_at=["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04", "2020-01-05"],
        updated_at=["2020-02-01"] * 5,
        tags=[("x",), ("y",), ("z",), (), ()],
    )


def test_no_rule_pile_or_group_takes_them_for_duplicates(images):
    found = pic.find_duplicates(images, progress=False)
    duplicated = pic.rules.duplicated(images)
    piles = pic.summarize_candidates(images).set_index("pile")

    assert set(found["id"]) == {"true1", "true2"}
    assert found.attrs["n_unknown"] == 3
    assert duplicated.isna().tolist() == [False, False, True, True, True]
    assert piles.loc["duplicates", "n_images"] == 1


@pytest.mark.parametrize("engine", ["pandas", "duckdb"])
def test_they_are_not_counted_as_duplicates(images, engine):
    asked = images if engine == "pandas" else duckdb.from_df(images.reset_index())

    counted = pic.summarize_duplicates(asked)

    counted = counted if engine == "pandas" else counted.df()
    exact = counted[counted["kind"] == "exact"].iloc[0]
    assert (exact["n_groups"], exact["n_images"], exact["n_extra"]) == (1, 2, 1)


def test_a_plan_of_them_still_leaves_one_but_hands_nothing_on(images):
    wrong = images.index.str.startswith("wrong")
    plan = pic.plan_deletion(
        images, pd.Series(wrong, images.index), reason="x", max_fraction=1, inherit=True
    )

    assert len(plan.images) == 2
    assert plan.spared["reason"].str.contains("last copy").tolist() == [True]
    assert len(plan.inherits) == 0


def test_a_new_upload_of_another_size_is_not_the_removed_file(make_images):
    old = make_images(id=["old"], content_hash=["aa"], size_bytes=[10], filename=["a.png"])
    new = make_images(id=["new"], content_hash=["aa"], size_bytes=[11], filename=["b.png"])

    assert pic.compare_snapshots(old, new).replaced.empty
