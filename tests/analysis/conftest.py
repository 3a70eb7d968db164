"""Ways to ask the same question of another engine."""

from __future__ import annotations

import ast
import datetime as dt
import functools
import inspect
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal

import picora_analytics as pic
from picora_analytics import analysis
from picora_analytics.library import frame

if find_spec("duckdb"):  # The lane for Spark has neither.
    import duckdb
    import ibis
    import polars as pl

# PySpark has a lane of its own: make test-spark.
collect_ignore = [] if find_spec("pyspark") else ["test_spark.py"]

# Under these options every engine can answer; without an entry, a question is asked as it is.
_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "summarize_ages": [{"now": "2026-11-23"}],
    "summarize_changes": [{"by": by} for by in ("tag", "format", "month")],
    "summarize_growth": [{"freq": freq} for freq in ("day", "week", "month", "year")],
    "summarize_largest": [{"top": 7}],
    "summarize_savings": [{}, {"max_edge": 900}],
    "forecast_storage": [
        {"now": "2026-11-23", "quota": "900 TiB"},
        {"now": "2018-11-04T02:29:59.999999"},
    ],
}
# What needs all that a load tells, or an index of ids: of pandas only, and says so.
PANDAS_ONLY = ("compare_snapshots", "summarize_candidates")
# All questions there are, as the package lists them: a new one is asked without being written down here.
QUESTIONS = sorted(
    (
        {name for name in pic.__all__ if name.startswith("summarize_")}
        | {name for name in analysis.__all__ if inspect.isfunction(getattr(analysis, name))}
    )
    - set(PANDAS_ONLY)
)
ASKED: list[tuple[str, dict[str, Any]]] = [
    (name, options) for name in QUESTIONS for options in _OPTIONS.get(name, [{}])
]


@pytest.fixture(scope="session")
def new_york() -> Iterator[duckdb.DuckDBPyConnection]:
    """Give a DuckDB session far from UTC, where 1 January begins five hours late."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'America/New_York'")
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def engines(
    new_york: duckdb.DuckDBPyConnection, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Callable[[pd.DataFrame], Any]]:
    """Give, by name, what turns a pandas frame into another engine's."""
    as_table = frame.table_from_frame
    sao_paulo = ibis.duckdb.connect()
    sao_paulo.raw_sql("SET TimeZone = 'America/Sao_Paulo'")

    def in_ibis(images: pd.DataFrame) -> Any:
        path = tmp_path_factory.mktemp("ibis") / "images.parquet"
        pq.write_table(as_table(images), path)
        return sao_paulo.read_parquet(path)

    return {
        "Ibis": in_ibis,
        "DuckDB": lambda images: new_york.from_arrow(as_table(images)),
        "polars": lambda images: pl.DataFrame(pl.from_arrow(as_table(images))),
        "polars, lazy": lambda images: pl.DataFrame(pl.from_arrow(as_table(images))).lazy(),
        "Arrow": as_table,
    }


@pytest.fixture(scope="session")
def as_pandas() -> Callable[[Any], pd.DataFrame]:
    """Give what reads any engine's answer into everyday pandas."""

    def read(answer: Any) -> pd.DataFrame:
        if isinstance(answer, pd.DataFrame):
            return answer
        if hasattr(answer, "collect") and not hasattr(answer, "toArrow"):  # polars, lazy
            answer = answer.collect()
        ways = ("to_arrow_table", "to_pyarrow", "to_arrow", "toArrow")
        way = next((name for name in ways if hasattr(answer, name)), None)
        table = answer if way is None else getattr(answer, way)()
        kinds = {pa.int64(): pd.Int64Dtype(), pa.string(): frame.STR, pa.large_string(): frame.STR}
        read = table.to_pandas(types_mapper=kinds.get)
        for name in read.select_dtypes("datetimetz"):
            read[name] = read[name].dt.tz_convert("UTC").astype("datetime64[us, UTC]")
        return read

    return read


@pytest.fixture(scope="session")
def run_blocks() -> Callable[[bool, dict[str, Any]], list[Any]]:
    """Give what runs the blocks of docs/engines.md, those of Spark or the others, and gives what each line answered."""
    text = Path(pic.__file__).parents[1].joinpath("docs", "engines.md").read_text("utf-8")
    blocks = re.findall(r"(<!-- spark -->\n)?```python\n(.*?)```", text, re.DOTALL)

    def run(spark: bool, known: dict[str, Any]) -> list[Any]:
        found = []
        for statement in ast.parse(
            "".join(code for mark, code in blocks if bool(mark) == spark)
        ).body:
            if isinstance(statement, ast.Expr):
                found.append(eval(ast.unparse(statement), known))
            else:
                exec(ast.unparse(statement), known)
        return found

    return run


@pytest.fixture(scope="session")
def questions() -> list[str]:
    """Give the names of all questions that any engine is asked."""
    return QUESTIONS


@pytest.fixture(scope="session", params=PANDAS_ONLY)
def pandas_only(request: pytest.FixtureRequest) -> str:
    """Give the name of each question for pandas alone."""
    return str(request.param)


@pytest.fixture(scope="session")
def check_all(as_pandas: Callable[[Any], pd.DataFrame]) -> Callable[..., None]:
    """Give what asks all questions of another engine's frame, and compares with pandas."""

    told: dict[int, tuple[Any, ...]] = {}  # What pandas says of a library, for all engines.

    def ask_all(images: Any, earlier: Any) -> Iterator[Any]:
        for name, options in ASKED:
            both = (earlier, images) if name == "summarize_changes" else (images,)
            yield getattr(pic, name)(*both, **options)

    def check(give: Callable[[pd.DataFrame], Any], images: pd.DataFrame) -> None:
        if id(images) not in told:
            silent = images.copy(deep=False)
            silent.attrs = {}  # Other engines do not carry the load's own numbers.
            earlier = _earlier(silent)
            told[id(images)] = images, silent, earlier, list(ask_all(silent, earlier))
        _, silent, earlier, expected = told[id(images)]
        answers = ask_all(give(silent), give(earlier))
        for (name, options), found, here in zip(ASKED, answers, expected, strict=True):
            read = as_pandas(found)
            assert read.attrs == here.attrs
            assert_frame_equal(
                read, pd.DataFrame(here), check_dtype=False, rtol=1e-9, obj=f"{name}{options}"
            )

    return check


def _earlier(images: pd.DataFrame) -> pd.DataFrame:
    """Give the library before some came, some went and some were tagged."""
    before = images.iloc[len(images) // 10 :].copy()
    place = before.columns.get_loc("tags")
    for row in range(0, len(before), 7):
        before.iat[row, place] = ("before",)
    return before


@pytest.fixture(scope="session")
def messy(make_images: Callable[..., pd.DataFrame]) -> Callable[[int], pd.DataFrame]:
    """Give what makes a library with all there is to stumble over: gaps, ties, zeros, odd names, old dates."""

    @functools.cache
    def library(n: int) -> pd.DataFrame:
        random = np.random.default_rng(5)

        def some(values: list[Any]) -> list[Any]:
            drawn = [values[place] for place in random.integers(0, len(values), n)]
            gaps = random.random(n) < 0.15
            return [None if gap else value for gap, value in zip(gaps, drawn, strict=True)]

        start = dt.datetime(2019, 1, 1, tzinfo=dt.UTC)
        return make_images(
            size_bytes=some([0, 5, 5, 10240, 102400, 2**20, 2**40, 123_456_789]),
            tags=some([(), ("a",), ("a", "B"), ("ü", "a", "ü"), ("产品",), ("b", " a"), *TAGS]),
            width=some([1, 100, 1000, 2560, 2561, 4000]),
            height=some([1, 100, 900, 2560, 3000]),
            is_public=some([True, False]),
            mime_type=some(["image/png", "IMAGE/JPG; q=1", "image/jpeg", "image/x-png", ""]),
            created_at=some([start + dt.timedelta(hours=631 * k) for k in range(110)]),
            filename=some(NAMES),
            content_hash=some(["f00", "F00", "ba4", "not-hex", "", *map(str, range(100, 180))]),
        )

    return library


@pytest.fixture(scope="session")
def edges(make_images: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """
    Give 500 uploads at the edges of days, weeks, months, years and classes of age.

    Among them midnights that São Paulo skipped and hours that it had twice, and edges in Shanghai. Sizes, pixels and
    names are at the edges of their classes.
    """
    days = [dt.date(2017, 10, 15), dt.date(2018, 2, 18), dt.date(2018, 11, 4), dt.date(2019, 2, 17)]
    days += [dt.date(2026, 1, 1), dt.date(2026, 1, 4), dt.date(2026, 1, 5), dt.date(2024, 2, 29)]
    ages = (0, -1, 31, 91, 366, 731, 1827)
    days += [dt.date(2026, 11, 23) - dt.timedelta(days=n) for n in ages]
    hours = (-3, 0, 2, 3, 16)  # 16:00 is midnight in Shanghai, 3:00 (then 2:00) in São Paulo.
    second, micro = dt.timedelta(seconds=1), dt.timedelta(microseconds=1)
    found = [
        dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(hours=hour) + step
        for day in days
        for hour in hours
        for step in (-second, -micro, 0 * second, micro, second, 1800 * second, -1800 * second)
    ]
    found = found[:500]

    def in_turn(*values: Any) -> list[Any]:
        return [values[n % len(values)] for n in range(len(found))]

    ends = (10240, 102_400, 2**20, 2 * 2**20, 5 * 2**20, 10 * 2**20, 1_000_000, 2**53)
    return make_images(
        created_at=found,
        size_bytes=in_turn(0, 1, *(end + step for end in ends for step in (-1, 0, 1)), 4096, 77),
        width=in_turn(0, 1, 1050, 1051, 2500, 2501, 2560, 2561, 3000, 10**9, None),
        height=in_turn(1000, 1000, 2000, 1000, 2560, 4000, 9 * 10**9),
        mime_type=in_turn("image/gif", "image/webp", "image/jpeg", "image/svg+xml", "image/tiff"),
        tags=in_turn(*TAGS),
        filename=in_turn(*NAMES),
        content_hash=in_turn(*(f"{n:x}" for n in range(97)), *(f"{n:X}" for n in range(30)), None),
    )


TAGS: list[tuple[str, ...]] = [
    *((), ("",), (" ",), ("red shoe",), ("Red-Shoe", "red_shoe"), ("shoe", "shoes"), ("Straße",)),
    *(("STRASSE",), ("caf\u00e9",), ("cafe\u0301",), ("kitchen", "kitchne"), ("2025", "2026")),
    *(("x" * 70,), ("x" * 70 + "s",), ("a,b", 'a"b', "a'b"), ("a\nb",), ("🙂",), ("ﬁsh", "fish")),
]
NAMES: list[str] = [
    *(
        "IMG_2041.JPG",
        "img 2041.jpeg",
        "Screenshot 1.png",
        "SCREEN-SHOT.PNG",
        "Bildschirmfoto 3.png",
    ),
    *(
        "СНИМОК ЭКРАНА.png",
        "снимок экрана 2.png",
        "SKÆRMBILLEDE.png",
        "ekran GÖRÜNTÜSÜ.png",
        "截屏.webp",
    ),
    *(
        "Pasted image 2026.png",
        "UNTITLED-1.gif",
        "image (3).png",
        "Image.PNG",
        "SANS TITRE.tiff",
        "无标题.jpg",
    ),
    *(
        "550e8400-e29b-41d4-a716-446655440000.png",
        "DEADBEEFDEADBEEF.jpg",
        "20260102_030405.jpg",
        "123.45",
    ),
    *(
        "price-list.png",
        "a.jpg.png",
        "no ending",
        "",
        " ",
        "\t\n",
        "\u00a0",
        "\u3000",
        "x.png\n",
        "x.JPG ",
    ),
    *(
        "a'b.png",
        'a"b.png',
        "a\\b.png",
        "%_.png",
        "naïve.PNG",
        "CAPTURE D’ÉCRAN.png",
        "capture d'Écran.png",
    ),
]
