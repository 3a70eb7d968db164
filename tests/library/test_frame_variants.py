"""One library in the dtypes of many readers: each is stored and compared as the frame it was."""

import io

import pandas as pd
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

from picora_analytics import SchemaError, SnapshotStore, compare_snapshots
from picora_analytics.library.frame import frame_from_table, table_from_frame

TEXTS = ["filename", "title", "url", "mime_type", "content_hash"]
NUMBERS = ["size_bytes", "width", "height"]
TIMES = ["created_at", "updated_at"]


def through_parquet(images, **options):
    buffer = io.BytesIO()
    images.to_parquet(buffer)
    return pd.read_parquet(io.BytesIO(buffer.getvalue()), **options)


def typed(columns, dtype):
    return lambda images: images.astype(dict.fromkeys(columns, dtype))


def tags_as(make):
    def change(images):
        tags = [None if tags is None else make(tags) for tags in images["tags"]]
        return images.assign(tags=pd.Series(tags, images.index, dtype=object))

    return change


def indexed(dtype):
    return lambda images: images.set_axis(images.index.astype(dtype).rename("id"))


VARIANTS = {
    "plain pandas": through_parquet,
    "pyarrow dtypes": lambda images: through_parquet(images, dtype_backend="pyarrow"),
    "nullable dtypes": lambda images: through_parquet(images, dtype_backend="numpy_nullable"),
    "convert_dtypes": lambda images: images.convert_dtypes(dtype_backend="pyarrow"),
    "a pickle": lambda images: pd.read_pickle(_pickled(images)),
    "Python's own strings": typed(TEXTS, "string[python]"),
    "Arrow's strings": typed(TEXTS, "string[pyarrow]"),
    "large strings": typed(TEXTS, pd.ArrowDtype(pa.large_string())),
    "objects": typed([*TEXTS, *NUMBERS, "is_public"], object),
    "categories": typed(["mime_type", "filename"], "category"),
    "floats": typed(NUMBERS, "Float64"),
    "floats with NaN": typed(NUMBERS, "float64"),
    "small integers": typed(NUMBERS, "Int32"),
    "unsigned integers": typed(NUMBERS, "UInt64"),
    "nanoseconds": typed(TIMES, "datetime64[ns, UTC]"),
    "another time zone": typed(TIMES, "datetime64[us, Asia/Shanghai]"),
    "Arrow's times": typed(TIMES, pd.ArrowDtype(pa.timestamp("ns", "UTC"))),
    "lists of tags": tags_as(list),
    "arrays of tags": tags_as(lambda tags: pd.array(list(tags), dtype=object).to_numpy()),
    "object ids": indexed(object),
    "Arrow's ids": indexed(pd.ArrowDtype(pa.string())),
}


def _pickled(images):
    buffer = io.BytesIO()
    images.to_pickle(buffer)
    return io.BytesIO(buffer.getvalue())


@pytest.fixture
def images(make_images):
    return make_images(
        filename=["a.png", "b.png", None],
        mime_type=["image/png", "image/webp", None],
        size_bytes=[700, None, 50],
        width=[800, None, 1],
        is_public=[True, False, None],
        tags=[("cat", "red"), (), None],
        created_at=["2026-01-01", None, "2150-03-01T23:59:59.999999"],
        content_hash=["ab", None, None],
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_a_frame_of_other_dtypes_is_stored_as_it_was(images, tmp_path, name):
    other = VARIANTS[name](images)

    assert_frame_equal(frame_from_table(table_from_frame(other)), images, check_flags=False)
    store = SnapshotStore(tmp_path)
    store.save(other)
    assert_frame_equal(store.load(), images)


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("other_way", [False, True])
def test_a_frame_of_other_dtypes_compares_as_equal(images, name, other_way):
    both = images, VARIANTS[name](images)

    difference = compare_snapshots(*(both[::-1] if other_way else both))

    assert not difference, repr(difference)
    assert difference.net_bytes == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda images: images.assign(size_bytes=[1.5, 2, 3]), id="half a byte"),
        pytest.param(lambda images: images.assign(tags="cat"), id="a text for tags"),
        pytest.param(lambda images: images.assign(is_public="yes"), id="a word for a boolean"),
        pytest.param(lambda images: images.assign(created_at="soon"), id="a word for a time"),
        pytest.param(lambda images: images.reset_index(), id="no index"),
    ],
)
def test_a_frame_that_holds_something_else_is_not_stored(images, change):
    with pytest.raises(SchemaError):
        table_from_frame(change(images))
