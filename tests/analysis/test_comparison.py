"""Two frames of one library: what came, what went, what changed."""

import io
import re

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from picora_analytics import SchemaError, compare_snapshots


def test_added_removed_and_changed_are_told_apart(make_images):
    old = make_images(id=["a", "b", "c"], size_bytes=[700, 300, None], tags=[("x",), (), None])
    new = make_images(id=["b", "c", "d"], size_bytes=[300, None, 50], tags=[("y",), None, ()])

    difference = compare_snapshots(old, new)

    assert list(difference.added.index) == ["d"]
    assert list(difference.removed.index) == ["a"]
    assert difference.changed["columns"].to_dict() == {"b": ("tags",)}
    assert difference.net_bytes == 350 - 1000
    assert repr(difference).startswith("1 added, 1 removed, 1 changed, 0 replaced, -650 B")


def test_unknown_tags_and_no_tags_are_different(make_images):
    difference = compare_snapshots(make_images(tags=[None]), make_images(tags=[()]))

    assert difference.changed["columns"].to_dict() == {"a": ("tags",)}


def test_tags_that_are_no_tags_count_as_unknown(make_images):
    old, new = make_images(tags=[("x",), None, ()]), make_images().assign(tags=float("nan"))

    difference = compare_snapshots(old, new)

    assert difference.changed["columns"].to_dict() == {"a": ("tags",), "c": ("tags",)}
    assert difference.by_tag.to_numpy().tolist() == [["x", 0, 0, -1000]]


def test_the_order_of_tags_is_no_change(make_images):
    difference = compare_snapshots(make_images(tags=[("x", "y")]), make_images(tags=[("y", "x")]))

    assert not difference


def test_a_picture_uploaded_again_is_a_replacement(make_images):
    old = make_images(id=["a"], filename=["roof.png"])
    new = make_images(id=["b"], filename=["roof.png"])

    difference = compare_snapshots(old, new)

    assert difference.replaced.to_dict("records") == [
        {"old_id": "a", "new_id": "b", "evidence": "same name, size and pixels"}
    ]
    assert len(difference.added) == len(difference.removed) == 1


def test_the_same_content_under_another_name_is_a_replacement(make_images):
    old = make_images(id=["a", "b"], content_hash=["h1", "h2"])
    new = make_images(id=["c", "d"], content_hash=["h1", "h3"], filename=["x.png", "b.png"])

    replaced = compare_snapshots(old, new).replaced

    # b.png was uploaded again with other content: the hashes know it is another picture.
    assert replaced.to_numpy().tolist() == [["a", "c", "same content"]]


def test_copies_are_paired_one_to_one(make_images):
    old = make_images(id=["a", "b", "c"], filename=["x.png"] * 3, width=[None] * 3)
    new = make_images(id=["d", "e"], filename=["x.png"] * 2, width=[None] * 2)

    replaced = compare_snapshots(old, new).replaced

    assert replaced["old_id"].is_unique
    assert replaced["new_id"].tolist() == ["d", "e"]


@pytest.mark.parametrize("size", [None, 1000], ids=["no size", "no name"])
def test_images_without_a_name_or_a_size_replace_nothing(make_images, size):
    same = {"filename": [None if size else "roof.png"], "size_bytes": [size]}

    difference = compare_snapshots(make_images(id=["a"], **same), make_images(id=["b"], **same))

    assert len(difference.replaced) == 0


def test_another_address_alone_is_no_change(make_images):
    new = make_images(
        url=[f"https://media.picora.me/{one}.png" for one in "abc"],
        content_hash=["h"] * 3,
        updated_at=["2026-11-01"] * 3,
    )

    assert not compare_snapshots(make_images(), new)


def test_what_grew_is_told_by_tag_and_by_format(make_images):
    old = make_images(
        id=["a", "b", "c"],
        tags=[("x",), ("x", "y"), None],
        size_bytes=[100, 20, 3],
        mime_type=["image/png", "image/png", None],
    )
    new = make_images(
        id=["b", "c", "d", "e"],
        tags=[("z",), None, ("x", "z"), ()],
        size_bytes=[20, 3, 1000, None],
        mime_type=["image/png", None, "image/gif", None],
    )

    difference = compare_snapshots(old, new)

    # The columns are: added, removed, net bytes. b lost x and y, and gained z.
    assert difference.by_tag.to_numpy().tolist() == [
        ["z", 1, 0, 1020],
        ["x", 1, 1, 1000 - 100 - 20],
        ["y", 0, 0, -20],
    ]
    assert difference.by_format.astype(object).where(
        lambda c: c.notna(), None
    ).to_numpy().tolist() == [
        ["image/gif", 1, 0, 1000],
        ["image/png", 0, 1, -100],
        [None, 1, 0, 0],
    ]
    assert repr(difference).endswith("mostly tag z +1020 B, type image/gif +1000 B")


HOSTILE = "<img src=x onerror=alert(1)>&amp;\x1b[31m\nb\u202e.png"


def test_hostile_names_and_tags_are_dead_in_both_summaries(make_images):
    new = make_images(id=["<b>"], filename=[HOSTILE], tags=[("<script>",)], mime_type=["<i>"])

    difference = compare_snapshots(make_images(tags=[]), new)

    text, page = repr(difference), difference._repr_html_()
    assert not re.search("[\x1b\u202e]", text + page)
    assert set(re.findall("<(\\w+)", page)) == {
        "div",
        "strong",
        "br",
        "table",
        "tbody",
        "tr",
        "td",
        "bdi",
    }
    assert "&lt;script&gt;" in page
    assert "&lt;img src=x" in page


def test_the_summary_names_the_counts_the_times_and_the_first_five(make_images):
    old = make_images(size_bytes=[1, 2, 3])
    new = make_images(size_bytes=[1, 2, 4, *range(10, 17)])
    old.attrs["picora"]["loaded_at"] = "2026-11-16T09:30:00Z"

    lines = repr(compare_snapshots(old, new)).splitlines()

    assert lines[0] == "7 added, 0 removed, 1 changed, 0 replaced, +92 B"
    assert lines[1] == "between 2026-11-16 09:30 and 2026-11-23 14:00 UTC"
    assert [line.split() for line in lines[2:4]] == [
        ["added", "d", "d.png", "10", "B"],
        ["added", "e", "e.png", "11", "B"],
    ]
    assert lines[7].split() == ["added", "and", "2", "more"]
    assert lines[8].split() == ["changed", "c", "c.png", "size_bytes"]


def test_two_loads_of_one_tag_are_compared(make_images):
    old, new = make_images(id=["a"]), make_images(id=["b"])
    for frame in (old, new):
        frame.attrs["picora"]["scope"] = "tag=x"

    assert list(compare_snapshots(old, new).added.index) == ["b"]


def test_two_partial_frames_are_both_named(make_images):
    with pytest.raises(
        SchemaError,
        match=r"^Only whole libraries are compared: old holds 1 of 3 rows \(complete\) and new holds 2 of 3 rows "
        r"\(complete\); what it lacks would look removed\.$",
    ):
        compare_snapshots(make_images().head(1), make_images().head(2))


@pytest.mark.parametrize(
    ("bend", "end"),
    [
        pytest.param(
            lambda frame: frame.attrs["picora"].update(status="partial"),
            "what it lacks would look removed.",
            id="partial",
        ),
        pytest.param(
            lambda frame: frame.attrs["picora"].update(scope="tag=x"),
            "what it lacks would look removed.",
            id="a tag",
        ),
        pytest.param(
            lambda frame: frame.attrs["picora"].update(n_images=9),
            "what it lacks would look removed.",
            id="a subset",
        ),
        pytest.param(
            lambda frame: frame.attrs.clear(), "that load_images made.", id="silent about itself"
        ),
        pytest.param(
            lambda frame: frame.attrs["picora"].update(account="fedcba9876543210"),
            "compare two frames of one library.",
            id="another account",
        ),
    ],
)
def test_frames_that_cannot_be_compared_are_refused(make_images, bend, end):
    old, new = make_images(), make_images()
    bend(old)

    with pytest.raises(SchemaError, match=f"{re.escape(end)}$"):
        compare_snapshots(old, new)


@pytest.mark.parametrize(
    ("bend", "message"),
    [
        pytest.param(
            lambda frame: frame.iloc[[0, 1, 1]],
            "new holds b more than once; pass a frame with each image once.",
            id="an image twice",
        ),
        pytest.param(
            lambda frame: frame.drop(columns=["tags", "content_hash"]),
            "new lacks the columns ['tags', 'content_hash']; pass a frame that load_images made.",
            id="two columns short",
        ),
    ],
)
def test_a_frame_of_another_shape_is_refused(make_images, bend, message):
    with pytest.raises(SchemaError, match=f"^{re.escape(message)}$"):
        compare_snapshots(make_images(), bend(make_images()))


@pytest.mark.parametrize("backend", ["pyarrow", "numpy_nullable", None])
@pytest.mark.slow
def test_a_frame_that_plain_pandas_read_back_compares_as_equal(make_images, backend):
    images = make_images(
        tags=[("x", "y"), (), None],
        size_bytes=[1, None, 3],
        is_public=[True, None, False],
        created_at=["2026-01-01", None, "2026-01-03"],
        content_hash=["h", None, None],
    )
    buffer = io.BytesIO()
    images.to_parquet(buffer)
    options = {} if backend is None else {"dtype_backend": backend}
    other = pd.read_parquet(io.BytesIO(buffer.getvalue()), **options)

    assert not compare_snapshots(images, other)
    assert not compare_snapshots(other, images)
    changed = compare_snapshots(images, other.assign(size_bytes=other["size_bytes"] * 2))
    assert changed.changed["columns"].tolist() == [("size_bytes",), ("size_bytes",)]
    assert changed.net_bytes == changed.by_format["net_bytes"].sum() == 4


LONG = ["n" * 3_000_000, "a" + "\u0301" * 200_000, "\u200d" * 1_000_000, "\u202e" * 500_000]


@pytest.mark.parametrize("text", LONG, ids=["letters", "accents", "joiners", "directions"])
@pytest.mark.slow
def test_a_long_name_tag_or_type_is_shown_short(make_images, text):
    new = make_images(filename=[text], tags=[(text,)], mime_type=[text], id=[text[:500_000]])

    difference = compare_snapshots(make_images(tags=[]), new)

    assert len(repr(difference)) < 3_000
    assert len(difference._repr_html_()) < 3_000


ROWS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 10**9) | st.none(), max_size=8)


@given(before=ROWS, after=ROWS)
@pytest.mark.slow
def test_the_books_balance(make_images, before, after):
    old, new = (
        make_images(id=list(rows), size_bytes=list(rows.values()), tags=[()] * len(rows))
        if rows
        else make_images(tags=[])
        for rows in (before, after)
    )

    difference = compare_snapshots(old, new)

    assert set(difference.added.index) == set(after) - set(before)
    assert set(difference.removed.index) == set(before) - set(after)
    assert set(difference.changed.index) == {
        one for one in set(before) & set(after) if before[one] != after[one]
    }
    net = sum(v or 0 for v in after.values()) - sum(v or 0 for v in before.values())
    assert difference.net_bytes == difference.by_format["net_bytes"].sum() == net
    assert difference.by_format["n_added"].sum() == len(difference.added)
    assert difference.by_format["n_removed"].sum() == len(difference.removed)


@given(rows=ROWS)
@pytest.mark.slow
def test_a_library_compared_with_itself_has_not_changed(make_images, rows):
    frame = (
        make_images(id=list(rows), size_bytes=list(rows.values())) if rows else make_images(tags=[])
    )

    difference = compare_snapshots(frame, frame)

    assert not difference
    assert difference.net_bytes == 0
    assert isinstance(difference.added, pd.DataFrame)
