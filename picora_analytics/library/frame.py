"""The frame: one row per image, its columns and dtypes, and the facts it carries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.errors import SchemaError

if TYPE_CHECKING:  # HTTP takes a quarter of a second to import, and who has a frame needs none.
    from picora_analytics.client.client import Usage

__all__ = [
    "COLUMNS",
    "FACT_COLUMNS",
    "Facts",
    "Used",
    "among",
    "as_loaded",
    "facts_of",
    "frame_from_table",
    "spelled_one_way",
    "sums_dtype",
    "table_from_frame",
    "total_bytes",
    "usage_facts",
]

# pandas 3's `str`, under 2.2 by its older name: NaN for missing, in Arrow's memory.
STR = (
    pd.StringDtype(na_value=np.nan)
    if int(pd.__version__.split(".")[0]) >= 3
    else pd.StringDtype("pyarrow_numpy")  # type: ignore[call-overload,unused-ignore]
)

_TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("filename", pa.string()),
        ("title", pa.string()),
        ("url", pa.string()),
        ("mime_type", pa.string()),
        ("size_bytes", pa.int64()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("is_public", pa.bool_()),
        ("tags", pa.list_(pa.string())),
        ("created_at", _TIME),
        ("updated_at", _TIME),
        ("content_hash", pa.string()),
    ]
)
COLUMNS = tuple(SCHEMA.names[1:])
"""The columns of the frame, in order; ``id`` is its index."""

FACT_COLUMNS = ("account", "loaded_at", "library_images", "library_bytes")
"""What a row says of its load, for engines whose frames carry no facts: whose, when, and how large it was."""

_PANDAS = {pa.string(): STR, pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}


Tags = tuple[str, ...] | None


class Used(TypedDict):
    """Bytes in use and the bytes that may be, each None where the service did not tell it."""

    size_bytes: int | None
    quota_bytes: int | None


class _Always(TypedDict):
    account: str
    base_url: str
    demo: bool
    scope: str
    loaded_at: str
    read_at: str
    status: Literal["complete", "partial"]
    n_images: int
    size_bytes: int
    total: int | None
    checks: dict[str, Any]


class Facts(_Always, total=False):
    """
    What ``images.attrs["picora"]`` says of a load; plain JSON, so that it survives Parquet.

    ``usage`` is there only where the service answered with it.
    """

    usage: Used


def frame_from_table(
    table: pa.Table, facts: Facts | None = None, different: Sequence[Tags] | None = None
) -> pd.DataFrame:
    """
    Make the frame from an Arrow table of :data:`SCHEMA`, or of one whose ``tags`` are numbers of `different` rows.

    Tags become tuples, equal tuples shared: `drop_duplicates`, `nunique` and `to_parquet` need
    hashable rows that a file format knows, and Arrow lists fail all three (pandas 3.1).
    """
    if different is None:
        rows = _shared_tuples(table["tags"])
    else:
        known = np.empty(len(different), dtype=object)
        known[:] = different
        rows = known[table["tags"].to_numpy()]
    tags = pd.Series(rows, dtype=object)
    frame = cast(
        pd.DataFrame,
        table.drop_columns(["tags"]).to_pandas(types_mapper=_PANDAS.get, ignore_metadata=True),
    )
    frame.insert(SCHEMA.names.index("tags"), "tags", tags)
    frame = frame.set_index("id")
    if facts is not None:
        frame.attrs["picora"] = dict(facts)
    return frame


def as_loaded(images: pd.DataFrame) -> bool:
    """Tell whether every column holds what a load puts there, so that nothing needs to be converted."""
    kinds = frame_from_table(SCHEMA.empty_table()).dtypes
    if (
        images.index.name != "id"
        or images.index.dtype != STR
        or not set(kinds.index) <= set(images)
    ):
        return False
    if not images[list(kinds.index)].dtypes.equals(kinds):
        return False
    try:
        different = set(images["tags"].tolist())
    except TypeError:  # Lists and arrays have no hash.
        return False
    return all(
        tags is None or (type(tags) is tuple and all(type(tag) is str for tag in tags))
        for tags in different
    )


def _shared_tuples(column: pa.ChunkedArray) -> Any:
    """Make one tuple of each different row of tags: a million small lists one by one take seconds."""
    lists = column.combine_chunks()
    flat = pc.list_flatten(lists).dictionary_encode()
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    # A row written as the numbers of its tags, so that no tag can hold the separator.
    numbers = flat.indices.fill_null(-1)
    written = pa.ListArray.from_arrays(pa.array(offsets), numbers.cast(pa.string()))
    codes = pc.binary_join(written, ",").dictionary_encode().indices.to_numpy()
    first = np.zeros(codes.max(initial=-1) + 1, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    words = np.array([*flat.dictionary.to_pylist(), None], dtype=object)
    tags = words[numbers.to_numpy()].tolist()
    tuples = np.empty(len(first), dtype=object)
    spans = zip(offsets[first].tolist(), offsets[first + 1].tolist(), strict=True)
    for number, (start, stop) in enumerate(spans):
        tuples[number] = tuple(tags[start:stop])
    rows = tuples[codes]
    rows[lists.is_null().to_numpy(zero_copy_only=False)] = None  # Those have no numbers, like `()`.
    return rows


def table_from_frame(images: pd.DataFrame) -> pa.Table:
    """
    Make the Arrow table of :data:`SCHEMA` from a frame, for storing.

    Raises
    ------
    SchemaError
        If the frame has not the columns of a loaded library, or a column holds something else.
    """
    missing = [name for name in COLUMNS if name not in images.columns]
    if images.index.name != "id" or missing:
        lacks = f"the columns {missing}" if missing else "the index 'id'"
        raise SchemaError(
            f"This frame lacks {lacks} of a loaded library; pass the frame as load_images made it."
        )
    arrays: list[Any] = []
    for field in SCHEMA:
        values: Any = images.index if field.name == "id" else images[field.name]
        try:
            if field.name == "tags":
                array = _tag_lists(values, field.type)
            else:  # Of a Series, Arrow would ask for an attribute, and for that pandas hashes all ids.
                array = pa.Array.from_pandas(values.array, type=field.type)
        except (pa.ArrowException, TypeError, ValueError) as error:
            raise SchemaError(
                f"The column {field.name!r} does not hold what load_images puts there ({error}); explode and "
                "astype change it. Pass the frame as load_images made it."
            ) from error
        arrays.append(array)
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _tag_lists(tags: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    try:  # Rows with equal tags become one list, taken as often as it is needed.
        codes, different = pd.factorize(tags.to_numpy(dtype=object))
    except TypeError:  # Arrays, as plain pandas reads them from Parquet, have no hash.
        return pa.array(map(_plain_tags, tags), kind)
    lists = pa.array([one if type(one) is tuple else _plain_tags(one) for one in different], kind)
    return lists.take(pa.array(codes, mask=codes < 0))


def _plain_tags(tags: Any) -> list[str] | None:
    """Read one cell of `tags`: a tuple, or the array that plain pandas makes of it in Parquet."""
    if isinstance(tags, str):  # Would be taken for a list of its letters.
        raise TypeError(f"{tags!r} is text, not a tuple of tags")
    return list(tags) if isinstance(tags, Sequence | np.ndarray) else None


def total_bytes(sizes: pd.Series[Any] | pa.ChunkedArray) -> int:
    """
    Add up the sizes that are known, exactly: in 64 bits, two absurd ones would come out as a small or negative sum.

    Examples
    --------
    >>> total_bytes(pd.Series([2**62, None, 2**62, 2**62, 7], dtype="Int64")) == 3 * 2**62 + 7
    True
    """
    if isinstance(sizes, pa.ChunkedArray):
        known = sizes.drop_null().to_numpy()
    else:
        known = sizes.dropna().to_numpy(dtype="int64")
    return (int((known >> 32).sum()) << 32) + int((known & 0xFFFFFFFF).sum())


def sums_dtype(sums: Iterable[Any], kind: str = "int64") -> Any:
    """Give the dtype of a column of sums: `kind` where 64 bits are enough, else whole numbers of Python."""
    return kind if all(pd.isna(one) or -(2**63) <= one < 2**63 for one in sums) else object


def spelled_one_way(hashes: pa.ChunkedArray | pd.Series[Any]) -> Any:
    """Give content hashes in one spelling: hexadecimal digits in lower case, anything else as it is."""
    if isinstance(hashes, pd.Series):
        if not hashes.notna().any():
            return hashes
        column = pa.chunked_array([pa.array(hashes, pa.string(), from_pandas=True)])
        return pd.Series(spelled_one_way(column).to_pandas(), name=hashes.name).set_axis(
            hashes.index
        )
    lower = pc.utf8_lower(hashes)
    if lower.equals(hashes):  # As nearly always, and ten times as fast.
        return hashes
    return pc.if_else(pc.match_substring_regex(hashes, "^[0-9A-Fa-f]+$"), lower, hashes)


def usage_facts(usage: Usage | None) -> Facts:
    """Give what a service told of its storage as a fact of a load; nothing where it told nothing."""
    if usage is None or (usage.size_bytes is None and usage.quota_bytes is None):
        return cast(Facts, {})
    told: Used = {"size_bytes": usage.size_bytes, "quota_bytes": usage.quota_bytes}
    return cast(Facts, {"usage": told})


def among(ids: pd.Index[Any], wanted: Iterable[str]) -> npt.NDArray[np.bool_]:
    """Tell of each id whether it is wanted; pandas' own `isin` takes ten times as long."""
    if not isinstance(ids.dtype, pd.StringDtype) and ids.dtype != object:
        return np.zeros(len(ids), dtype=bool)  # Numbers are no ids.
    values = _texts(wanted)
    if not len(values):
        return np.zeros(len(ids), dtype=bool)
    found = pc.is_in(_texts(ids), value_set=values)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def _texts(values: Iterable[Any]) -> pa.Array:
    if isinstance(values, pd.Index) and values.dtype != object:
        found = pa.array(values.array, pa.string())
        return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return pa.array(values.tolist() if isinstance(values, pd.Index) else list(values), pa.string())


def facts_of(images: pd.DataFrame) -> Facts | None:
    """Give the facts a frame carries, or None where it is silent about itself."""
    facts = images.attrs.get("picora")
    known = isinstance(facts, dict) and facts.keys() >= Facts.__required_keys__
    return cast(Facts, facts) if known else None
