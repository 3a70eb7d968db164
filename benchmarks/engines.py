"""
Summaries of a very large library on DuckDB, beside SQL by hand for the same answer: CPU seconds and peak memory.

Both read one Parquet file, as an export is; each summary and each way has a process of its own, with the same imports.
CPU is user and system time of all threads, the best of three runs; the peak is above what the process held before. Both
answers are compared. By hand nothing is checked: no types, no other spelling of a media type, no sum beyond 64 bits.

    python benchmarks/engines.py              # 10,000,000 images, five minutes, 1 GB of disk
    python benchmarks/engines.py 200000 tags  # smaller, or some summaries alone
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import duckdb
import pandas as pd

import picora_analytics as pic
from picora_analytics.analysis.names import ENDINGS, KINDS
from picora_analytics.analysis.savings import _COPIES

EACH, OVER_ALL, MORE_MB = 1.5, 1.15, 200
PLANNING = 0.1  # Seconds that any question may take, however few rows there are.
NOW = "2026-11-23"

LIBRARY = """
COPY (
    WITH numbered AS (
        SELECT range AS i, CASE WHEN hash(range * 3) % 1000 < 50 THEN range // 3 ELSE range END AS content
        FROM range({n})
    ), drawn AS (
        -- What is of the bytes is drawn by content: the same bytes have one size, and one number of pixels.
        SELECT i, content, hash(i) % 1000 AS a, hash(content + 7) % 1000 AS b, hash(content) % 1000 AS c,
            hash(content * 3 + 1) % 1000000007 / 1000000007 AS u
        FROM numbered
    )
    SELECT printf('i%012d', i) AS id,
        CASE WHEN a < 300 THEN printf('IMG_%04d.jpg', i % 10000) WHEN a < 400 THEN printf('Screenshot %d.png', i)
            WHEN a < 450 THEN printf('%s.webp', md5(i::VARCHAR))
            ELSE printf('price list %d-%d.png', b, i) END AS filename,
        NULL::VARCHAR AS title, printf('https://img.picora.com/%d.png', i) AS url,
        CASE WHEN b < 550 THEN 'image/jpeg' WHEN b < 850 THEN 'image/png' WHEN b < 950 THEN 'image/webp'
            WHEN b < 980 THEN 'image/gif' WHEN b < 995 THEN 'image/svg+xml' END AS mime_type,
        CASE WHEN c <> 500 THEN exp(9 + 7 * u)::BIGINT END AS size_bytes,
        CASE WHEN b < 980 THEN 200 + 20 * (c % 220) END AS width,
        CASE WHEN b < 980 THEN 150 + 20 * (b % 200) END AS height,
        CASE WHEN a < 900 THEN true WHEN a < 990 THEN false END AS is_public,
        CASE WHEN b = 1 THEN NULL ELSE list_transform(range((a % 4)::BIGINT),
            lambda k: 'tag' || ((hash(i * 5 + k) % 2000) * (hash(i + k) % 2000) // 2000)) END AS tags,
        TIMESTAMPTZ '2026-11-22 00:00:00+00' - to_seconds((hash(i + 1) % 157680000)::BIGINT) AS created_at,
        created_at AS updated_at,
        CASE WHEN a < 950 THEN md5(content::VARCHAR) END AS content_hash
    FROM drawn
) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
"""


def _text(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"


_SHARE = "n / sum(n) OVER (), s / sum(s) OVER ()"
_SIZE_CLASS = """
    CASE WHEN size_bytes IS NULL THEN 7 WHEN size_bytes < 10240 THEN 0 WHEN size_bytes < 102400 THEN 1
        WHEN size_bytes < 1048576 THEN 2 WHEN size_bytes < 2097152 THEN 3 WHEN size_bytes < 5242880 THEN 4
        WHEN size_bytes < 10485760 THEN 5 ELSE 6 END"""
_AGE_CLASS = "CASE WHEN created_at IS NULL THEN 7 " + " ".join(
    f"WHEN created_at > TIMESTAMPTZ '{NOW} 00:00:00+00' - INTERVAL '{days} days' THEN {place}"
    for place, days in enumerate((-1, 31, 91, 366, 731, 1827))
) + " ELSE 6 END"  # fmt: skip
_SHAPE = """
    CASE WHEN width > 0 AND height > 0 THEN CASE
        WHEN width / height BETWEEN 0.97 * 9 / 16 AND 1.03 * 9 / 16 THEN 'portrait 9:16'
        WHEN width / height BETWEEN 0.97 * 2 / 3 AND 1.03 * 2 / 3 THEN 'portrait 2:3'
        WHEN width / height BETWEEN 0.97 * 3 / 4 AND 1.03 * 3 / 4 THEN 'portrait 3:4'
        WHEN width / height BETWEEN 0.97 * 16 / 9 AND 1.03 * 16 / 9 THEN 'landscape 16:9'
        WHEN width / height BETWEEN 0.97 * 3 / 2 AND 1.03 * 3 / 2 THEN 'landscape 3:2'
        WHEN width / height BETWEEN 0.97 * 4 / 3 AND 1.03 * 4 / 3 THEN 'landscape 4:3'
        WHEN width / height < 0.4 THEN 'tall strip' WHEN width / height > 2.5 THEN 'panorama'
        WHEN width / height BETWEEN 0.95 AND 1.05 THEN 'square'
        WHEN width / height < 1 THEN 'other portrait' ELSE 'other landscape' END ELSE 'unknown' END"""
# The same guesses: what is measured is how they are asked.
_NAME_KIND = (
    "CASE WHEN filename IS NULL OR trim(filename) = '' THEN 5 "
    + " ".join(
        f"WHEN regexp_matches(filename, {_text(pattern)}) THEN {place}"
        for place, pattern in enumerate(KINDS.values())
    )
    + " ELSE 4 END"
)
_OTHER_FORMAT = " OR ".join(
    f"(mime_type <> '{kind}' AND regexp_matches(filename, {_text(pattern)}))"
    for kind, pattern in ENDINGS.items()
)
_FIRST = "(NOT coalesce(is_public, false), created_at IS NULL, created_at, id)"
_EXPLODED = """
    SELECT size_bytes, len(distinct_tags) AS n_tags, unnest(distinct_tags) AS tag
    FROM (SELECT size_bytes, list_distinct(tags) AS distinct_tags FROM images)"""

# The same numbers, in the order of the columns of the answer.
# A hash of different sizes is not of the content.
_CHECKED = """wrong AS (
            SELECT lower(content_hash) AS content FROM images WHERE content_hash IS NOT NULL
            GROUP BY content HAVING min(size_bytes) < max(size_bytes)
        ), checked AS (
            SELECT * REPLACE (
                CASE WHEN lower(content_hash) NOT IN (SELECT content FROM wrong) THEN content_hash END AS content_hash)
            FROM images
        )"""
# Those that are probably alike: their contents were never read, or one of two was.
_ALIKE = f"""hashed AS (
            SELECT any_value(lower(content_hash)) AS content, (size_bytes, width, height, mime_type) AS key
            FROM checked WHERE content_hash IS NOT NULL GROUP BY key HAVING count(*) = 1
        ), single AS (
            SELECT key FROM hashed WHERE content IN (
                SELECT lower(content_hash) FROM checked GROUP BY lower(content_hash) HAVING count(*) = 1)
        ), alike AS (
            SELECT (size_bytes, width, height, mime_type) AS key, count(*) AS n, sum(size_bytes) AS s,
                arg_min(size_bytes, {_FIRST}) AS first
            FROM checked
            WHERE (content_hash IS NULL OR (size_bytes, width, height, mime_type) IN (SELECT key FROM single))
                AND size_bytes IS NOT NULL AND width IS NOT NULL AND height IS NOT NULL AND mime_type IS NOT NULL
            GROUP BY size_bytes, width, height, mime_type
            HAVING count(*) > 1
        )"""
# What a WebP copy keeps, and what encoding anew saves at most.
_KEEPS = ", ".join(
    "CASE "
    + " ".join(
        f"WHEN mime_type = '{mime}' AND per_pixel >= {one.per_pixel} THEN {getattr(one, name)}"
        for mime, copies in _COPIES.items()
        for one in reversed(copies)
    )
    + f" ELSE 1 END{finest} AS {short}"
    for name, short, finest in (
        ("keeps_least", "least_kept", " * CASE WHEN over THEN 0.85 ELSE 1 END"),
        ("keeps_most", "most", ""),
    )
)
_VIDEO = "{0} * least((29.1 * log10(greatest({0}, 102400)) - 100.7) / 100, 0.95)"
_SAVED = f"""coalesce(CASE WHEN anew THEN {{0}} * (1 - least_kept)
    WHEN mime_type = 'image/gif' AND {{0}} > 102400 THEN {_VIDEO} END, 0)"""
_MOST = f"CASE WHEN {_SAVED} > 4096 THEN {_SAVED} ELSE 0 END"
# Rows, what is saved at least and at most, the rows if it were alone, and what is saved then.
_WHOLE = "floor(bytes + 0.5)::BIGINT"
_STEPS = (
    ("twice", _WHOLE, _WHOLE, "twice", _WHOLE),
    (
        "over AND NOT twice",
        "floor(bytes * (1 - share ** 0.75) + 0.5)::BIGINT",
        "floor(bytes * (1 - share) + 0.5)::BIGINT",
        "over",
        "floor(bytes * (1 - smaller) + 0.5)::BIGINT",
    ),
    *(
        (f"worth AND {kind}", "low", "high", f"judged AND {kind}", "alone")
        for kind in ("old", "webp", "mime_type = 'image/gif'")
    ),
)


def _saved(rows: str, low: str, high: str, alone: str, most: str) -> str:
    number = next(n for n, step in enumerate(_STEPS) if step[0] == rows)
    sums = [
        f"sum({what}) FILTER ({where})"
        for what, where in ((low, rows), (high, rows), (most, alone))
    ]
    return (
        f"struct_pack(n := count(*) FILTER ({rows}), s := sum(size_bytes) FILTER ({rows}), "
        f"low := {sums[0]}, high := {sums[1]}, alone := {sums[2]}) AS s{number}"
    )


HAND = {
    "library": """
        SELECT count(*), sum(size_bytes), avg(size_bytes), quantile_cont(size_bytes, [0.5, 0.9, 0.99]), max(size_bytes),
            min(created_at), max(created_at), count(DISTINCT mime_type), count(*) FILTER (is_public),
            count(*) FILTER (NOT is_public), count(*) FILTER (is_public IS NULL), count(*) FILTER (len(tags) = 0),
            count(*) FILTER (tags IS NULL), count(*) FILTER (NOT coalesce(width > 0 AND height > 0, false)),
            count(*) FILTER (size_bytes IS NULL), count(*) FILTER (created_at IS NULL)
        FROM images""",
    "sizes": f"""
        SELECT n, s, {_SHARE} FROM (
            SELECT {_SIZE_CLASS} AS place, count(*) AS n, sum(size_bytes) AS s FROM images GROUP BY place)
        ORDER BY place""",
    "dimensions": f"""
        SELECT {_SHAPE} AS aspect, count(*), sum(size_bytes) AS s, median(width::DOUBLE * height / 1e6),
            count(*) FILTER (greatest(width, height) > 2560)
        FROM images GROUP BY aspect ORDER BY s DESC""",
    "tags": f"""
        SELECT tag, count(*), sum(size_bytes) AS s, sum(size_bytes / n_tags) FROM ({_EXPLODED})
        GROUP BY tag ORDER BY s DESC, tag""",
    "formats": f"""
        SELECT mime_type, n, s, {_SHARE}, m, w / p FROM (
            SELECT coalesce(mime_type, 'unknown') AS mime_type, count(*) AS n, sum(size_bytes) AS s,
                median(size_bytes) AS m,
                sum(size_bytes) FILTER (width > 0 AND height > 0) AS w,
                sum(width::DOUBLE * height) FILTER (size_bytes IS NOT NULL AND width > 0 AND height > 0) AS p
            FROM images GROUP BY ALL)
        ORDER BY s DESC""",
    "visibility": f"""
        SELECT n, s, {_SHARE} FROM (
            SELECT is_public, count(*) AS n, sum(size_bytes) AS s FROM images GROUP BY is_public)
        ORDER BY is_public DESC NULLS LAST""",
    "ages": f"""
        SELECT n, s, {_SHARE} FROM (
            SELECT {_AGE_CLASS} AS place, count(*) AS n, sum(size_bytes) AS s FROM images GROUP BY place)
        ORDER BY place""",
    "growth": """
        SELECT *, sum(n) OVER (ORDER BY month), sum(s) OVER (ORDER BY month) FROM (
            SELECT date_trunc('month', created_at AT TIME ZONE 'UTC') AS month, count(*) AS n, sum(size_bytes) AS s
            FROM images WHERE created_at IS NOT NULL GROUP BY month)
        ORDER BY month""",
    "concentration": """
        WITH ranked AS (
            SELECT size_bytes AS b, row_number() OVER by_size AS k, sum(size_bytes) OVER by_size AS held
            FROM images WHERE size_bytes IS NOT NULL
            WINDOW by_size AS (ORDER BY size_bytes DESC ROWS UNBOUNDED PRECEDING)
        ), whole AS (SELECT count(size_bytes) AS n, sum(size_bytes) AS s FROM images)
        SELECT any_value(n), any_value(s), count(*) FILTER (held - b < 0.5 * s), count(*) FILTER (held - b < 0.8 * s),
            count(*) FILTER (held - b < 0.9 * s), sum(b) FILTER (k <= ceil(n / 100)) / any_value(s),
            sum(b) FILTER (k <= ceil(n / 10)) / any_value(s),
            (2 * sum(held::DOUBLE) - (any_value(n) + 1) * any_value(s)) / (any_value(n)::DOUBLE * any_value(s))
        FROM ranked, whole""",
    "largest": """
        SELECT id, filename, size_bytes, width, height, mime_type, created_at FROM images WHERE size_bytes IS NOT NULL
        ORDER BY size_bytes DESC, id LIMIT 20""",
    "names": f"""
        SELECT n, s, {_SHARE}, other FROM (
            SELECT {_NAME_KIND} AS place, count(*) AS n, sum(size_bytes) AS s,
                count(*) FILTER ({_OTHER_FORMAT}) AS other
            FROM images GROUP BY place)
        ORDER BY place""",
    "heavy": """
        WITH format AS (
            SELECT mime_type, quantile_cont(log10(size_bytes), [0.25, 0.75]) AS q, median(size_bytes) AS m
            FROM images WHERE size_bytes > 0 GROUP BY mime_type
        )
        SELECT id, filename, images.mime_type, size_bytes, width, height, size_bytes / m FROM images
        JOIN format ON images.mime_type IS NOT DISTINCT FROM format.mime_type
        WHERE size_bytes > 1000000 AND log10(size_bytes) > q[2] + 3 * (q[2] - q[1])
        ORDER BY size_bytes DESC, id""",
    "duplicates": f"""
        WITH {_CHECKED}, content AS (
            SELECT lower(content_hash) AS content, count(*) AS n, sum(size_bytes) AS s,
                arg_min_null(size_bytes, {_FIRST}) AS first
            FROM checked WHERE content_hash IS NOT NULL GROUP BY content
        ), {_ALIKE}
        SELECT count(*), sum(n)::BIGINT, sum(s), sum(n)::BIGINT - count(*), sum(s) - sum(first) FROM content WHERE n > 1
        UNION ALL SELECT count(*), sum(n)::BIGINT, sum(s), sum(n)::BIGINT - count(*), sum(s) - sum(first) FROM alike
            HAVING count(*) > 0
        UNION ALL SELECT 0, count(*), sum(size_bytes), 0, 0 FROM checked WHERE content_hash IS NULL
            AND ((size_bytes, width, height, mime_type) IN (SELECT key FROM alike)) IS NOT TRUE""",
    "savings": f"""
        WITH {_CHECKED}, firsts AS (
            SELECT lower(content_hash) AS content, arg_min(id, {_FIRST}) AS stays
            FROM checked WHERE content_hash IS NOT NULL GROUP BY content HAVING count(*) > 1
        ), {_ALIKE}, read AS (
            SELECT mime_type, size_bytes, size_bytes::DOUBLE AS bytes, 2560 / greatest(width, height) AS scale,
                CASE WHEN width > 0 AND height > 0 THEN width::DOUBLE * height END AS pixels,
                coalesce(id <> stays, false) AS twice,
                coalesce(mime_type IN ('image/jpeg', 'image/png', 'image/webp', 'image/gif'), false)
                    AND bytes IS NOT NULL AND pixels IS NOT NULL AS judged,
                coalesce(mime_type IN ('image/jpeg', 'image/png'), false) AS old,
                coalesce(mime_type = 'image/webp', false) AS webp,
                CASE WHEN judged AND scale < 1 THEN scale * scale ELSE 1 END AS smaller,
                judged AND smaller < 1 AND bytes * (1 - smaller) >= 4096 AS over,
                CASE WHEN over THEN smaller ELSE 1 END AS share, coalesce(bytes / pixels, 0) AS per_pixel,
                {_KEEPS}
            FROM checked LEFT JOIN firsts ON lower(content_hash) = content
        ), encoded AS (
            SELECT *, bytes * share AS rest,
                (old OR webp) AND (over OR coalesce(rest - 0.2 * pixels * share > 4096, false)) AS anew,
                floor({_MOST.format("rest")} + 0.5)::BIGINT AS high,
                floor({_MOST.format("bytes")} + 0.5)::BIGINT AS alone,
                CASE WHEN anew THEN least(floor(coalesce(bytes * share ** 0.75 * (1 - most), 0) + 0.5)::BIGINT, high)
                    ELSE 0 END AS low,
                judged AND NOT twice AND high > 0 AS worth
            FROM read
        ), summed AS MATERIALIZED (
            SELECT {", ".join(_saved(*step) for step in _STEPS)},
                count(*) FILTER (NOT judged AND NOT twice) AS unknown,
                sum(size_bytes) FILTER (NOT judged AND NOT twice) AS unknown_size
            FROM encoded
        )
        {" UNION ALL ".join(f"SELECT unnest(s{n}, recursive := true) FROM summed" for n in range(len(_STEPS)))}
        UNION ALL SELECT sum(n)::BIGINT - count(*), sum(s) - sum(first), 0, 0, sum(s) - sum(first) FROM alike
            HAVING count(*) > 0
        UNION ALL SELECT unknown, unknown_size, 0, 0, 0 FROM summed""",
    "tag_hygiene": """
        WITH counted AS (
            SELECT tag, count(*) AS n, sum(size_bytes) AS s,
                regexp_replace(lower(nfc_normalize(tag)), '[ _-]', '', 'g') AS spelled
            FROM (SELECT size_bytes, unnest(list_distinct(tags)) AS tag FROM images) GROUP BY tag
        )
        SELECT n, s FROM counted WHERE spelled IN (SELECT spelled FROM counted GROUP BY spelled HAVING count(*) > 1)""",
    "changes": """
        WITH before AS (SELECT tag, count(*) AS n, sum(size_bytes) AS s FROM (
            SELECT size_bytes, unnest(list_distinct(tags)) AS tag FROM images WHERE id > 'i000000001') GROUP BY tag),
        after AS (SELECT tag, count(*) AS n, sum(size_bytes) AS s FROM (
            SELECT size_bytes, unnest(list_distinct(tags)) AS tag FROM images) GROUP BY tag)
        SELECT tag, before.n, after.n, after.n - before.n AS net, before.s, after.s, after.s - before.s AS bytes
        FROM after LEFT JOIN before USING (tag) WHERE net <> 0 OR bytes <> 0 ORDER BY bytes DESC, net DESC, tag""",
}


def ours(name: str, images: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """Ask the package."""
    if name == "changes":
        return pic.summarize_changes(images.filter("id > 'i000000001'"), images)
    options = {"now": NOW} if name == "ages" else {}
    return getattr(pic, f"summarize_{name}")(images, **options)


def one(path: str, name: str, way: str, repeat: int) -> dict[str, object]:
    """Measure one way in this process: best CPU seconds, peak memory above the start, and the answer."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.read_parquet(path).create_view("images")
    pic.summarize_largest(connection.sql("SELECT * FROM images LIMIT 1")).fetchall()  # Imports.
    floor = _resident()
    with Watch() as watch:
        found, rows = [], []
        for _ in range(repeat):
            began = time.process_time()
            relation = (
                connection.sql(HAND[name])
                if way == "hand"
                else ours(name, connection.view("images"))
            )
            rows = relation.fetchall()
            found.append(time.process_time() - began)
    numbers = [cell for row in rows for cell in _flat(row) if isinstance(cell, int | float)]
    return {"cpu": min(found), "peak_mb": watch.peak - floor, "numbers": numbers}


def _flat(row: object) -> list[object]:
    if isinstance(row, list | tuple):
        return [cell for part in row for cell in _flat(part)]
    return [float(row) if hasattr(row, "as_tuple") else row]


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Watch:
    """Looks at the memory of this process a hundred times a second."""

    def __enter__(self) -> Watch:
        self.peak, self._done = _resident(), threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._done.wait(0.01):
            self.peak = max(self.peak, _resident())

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="?", type=int, default=10_000_000)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(HAND)}")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(*options.one, options.repeat)))
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        path = str(Path(folder, "images.parquet"))
        duckdb.sql(LIBRARY.format(n=options.images, path=path))
        names = options.names or list(HAND)
        rows = [_row(path, name, options.repeat) for name in names]
    table = pd.DataFrame(rows).set_index("summary")
    print(f"{options.images:,} images on DuckDB {duckdb.__version__}, best of {options.repeat}.\n")
    print(_markdown(table))
    ours_all, hand_all = table["ours"].sum(), table["hand"].sum()
    print(f"\nOver all: {ours_all / hand_all:.2f} x, at most {OVER_ALL} x.")
    enough = OVER_ALL * hand_all + PLANNING * len(table)
    if ours_all > enough or not table["met"].all():
        raise SystemExit(1)


def _row(path: str, name: str, repeat: int) -> dict[str, object]:
    both = {}
    for way in ("hand", "ours"):
        words = [sys.executable, __file__, "--repeat", str(repeat), "--one", path, name, way]
        done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
        both[way] = json.loads(done.stdout)
    hand, mine = both["hand"], both["ours"]
    same = len(hand["numbers"]) == len(mine["numbers"]) and all(
        math.isclose(a, b, rel_tol=1e-9)
        for a, b in zip(hand["numbers"], mine["numbers"], strict=True)
    )
    if not same:
        raise SystemExit(f"{name} differs: {hand['numbers'][:60]} by hand, {mine['numbers'][:60]}")
    met = mine["cpu"] <= EACH * hand["cpu"] + PLANNING and mine["peak_mb"] <= max(
        2 * hand["peak_mb"], hand["peak_mb"] + MORE_MB
    )
    figures = f"{mine['cpu']:.2f} s, {hand['cpu']:.2f} by hand, {mine['peak_mb']:.0f} and {hand['peak_mb']:.0f} MB"
    print(f"{name}: {figures}", file=sys.stderr, flush=True)
    return {
        "summary": name,
        "ours": mine["cpu"],
        "hand": hand["cpu"],
        "ratio": mine["cpu"] / hand["cpu"],
        "ours_mb": mine["peak_mb"],
        "hand_mb": hand["peak_mb"],
        "met": met,
    }


def _markdown(table: pd.DataFrame) -> str:
    lines = ["| summary | CPU s | by hand | ratio | peak MB | by hand | met |", "|" + " --- |" * 7]
    for name, row in table.iterrows():
        figures = [f"{row['ours']:.2f}", f"{row['hand']:.2f}", f"{row['ratio']:.2f} x"]
        figures += [
            f"{row['ours_mb']:.0f}",
            f"{row['hand_mb']:.0f}",
            "yes" if row["met"] else "**no**",
        ]
        lines.append(f"| {' | '.join([f'`{name}`', *figures])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
