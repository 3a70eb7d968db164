"""
Summaries, rules, the report and cold starts beside pandas by hand: user CPU seconds, both in one run.

By hand means the same numbers without what a summary promises: nothing is checked, a repeated tag counts twice, unknown
sizes count as 0 bytes. Cold is a whole process, beside one that only imports what nobody can do without.
"""

from __future__ import annotations

import io
import math
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from plans import Row, library, seconds

import picora_analytics as pic
from picora_analytics.analysis.names import KINDS
from picora_analytics.analysis.rules import duplicated, oversized
from picora_analytics.analysis.savings import _COPIES

ENDS = [-1, 10 * 1024, 100 * 1024, 1024**2, 2 * 1024**2, 5 * 1024**2, 10 * 1024**2, math.inf]
AGES = [-math.inf, 0, 30, 90, 365, 730, 1826, math.inf]
COUNTS = {"n_images": ("size_bytes", "size"), "size_bytes": ("size_bytes", "sum")}


# By hand


def hand_library(images: pd.DataFrame) -> object:
    sizes, uploaded = images["size_bytes"], images["created_at"]
    lengths = images["tags"].map(len, na_action="ignore")
    return (
        *(len(images), sizes.sum(), sizes.mean(), sizes.quantile([0.5, 0.9, 0.99]), sizes.max()),
        *(uploaded.min(), uploaded.max(), images["mime_type"].nunique(), (lengths == 0).sum()),
        *(images["is_public"].value_counts(dropna=False), images.isna().sum()),
    )


def hand_sizes(images: pd.DataFrame) -> object:
    table = images.groupby(pd.cut(images["size_bytes"], ENDS), observed=True).agg(**COUNTS)
    return table.assign(share=table["size_bytes"] / table["size_bytes"].sum())


def hand_dimensions(images: pd.DataFrame) -> object:
    ratio = images["width"] / images["height"]
    edges = [
        0,
        0.4,
        0.546,
        0.58,
        0.65,
        0.69,
        0.73,
        0.77,
        0.95,
        1.05,
        1.3,
        1.37,
        1.46,
        1.54,
        1.72,
        1.83,
        2.5,
        99,
    ]
    shaped = images.assign(
        pixels=images["width"] * images["height"] / 1e6,
        over=images[["width", "height"]].max(axis="columns") > 2560,
    )
    more = {"median": ("pixels", "median"), "n_oversized": ("over", "sum")}
    return shaped.groupby(pd.cut(ratio, edges), observed=True, dropna=False).agg(**COUNTS, **more)


def hand_tags(images: pd.DataFrame) -> object:
    n_tags = images["tags"].map(len, na_action="ignore")
    shared = images[["tags", "size_bytes"]].assign(shared=images["size_bytes"] / n_tags)
    table = shared.explode("tags").groupby("tags").agg(**COUNTS, shared=("shared", "sum"))
    return table.sort_values("size_bytes", ascending=False)


def hand_formats(images: pd.DataFrame) -> object:
    pixels = images.assign(pixels=images["width"] * images["height"])
    more = {"median": ("size_bytes", "median"), "pixels": ("pixels", "sum")}
    table = pixels.groupby("mime_type", dropna=False).agg(**COUNTS, **more)
    return table.assign(cost=table["size_bytes"] / table["pixels"])


def hand_visibility(images: pd.DataFrame) -> object:
    return images.groupby("is_public", dropna=False).agg(**COUNTS)


def hand_ages(images: pd.DataFrame) -> object:
    days = (images["created_at"].max() - images["created_at"]).dt.days
    return images.groupby(pd.cut(days, AGES), observed=True).agg(**COUNTS)


def hand_growth(images: pd.DataFrame) -> object:
    months = images["created_at"].dt.tz_localize(None).dt.to_period("M")
    table = images.groupby(months).agg(**COUNTS)
    return table.join(table.cumsum(), rsuffix="_total")


def hand_concentration(images: pd.DataFrame) -> object:
    sizes = np.sort(images["size_bytes"].dropna().to_numpy("int64"))[::-1]
    held, n = np.cumsum(sizes), len(sizes)
    needed = np.searchsorted(held, held[-1] * np.array([0.5, 0.8, 0.9])) + 1
    return needed, held[-(-n // 100) - 1], held[-(-n // 10) - 1], 2 * held.sum() / (n * held[-1])


def hand_largest(images: pd.DataFrame) -> object:
    return images.nlargest(20, "size_bytes")


HAND: dict[str, Callable[[pd.DataFrame], object]] = {
    name.removeprefix("hand_"): value
    for name, value in list(globals().items())
    if name.startswith("hand_")
}
RULES: dict[str, tuple[Callable[[Any], object], Callable[[Any], object]]] = {
    "older_than": (
        lambda i: pic.rules.older_than(i, 730),
        lambda i: i["created_at"] < i["created_at"].max() - pd.Timedelta(days=730),
    ),
    "larger_than": (
        lambda i: pic.rules.larger_than(i, "5 MiB"),
        lambda i: i["size_bytes"] > 5 * 1024**2,
    ),
    "untagged": (pic.rules.untagged, lambda i: i["tags"].map(len, na_action="ignore") == 0),
    "tagged": (
        lambda i: pic.rules.tagged(i, "blog"),
        lambda i: i["tags"].map(lambda tags: "blog" in tags, na_action="ignore"),
    ),
    "private": (pic.rules.private, lambda i: ~i["is_public"]),
    "oversized": (oversized, lambda i: (i["width"] > 2560) | (i["height"] > 2560)),
    "duplicated": (
        duplicated,
        lambda i: i["content_hash"].duplicated() & i["content_hash"].notna(),
    ),
}


def names_by_hand(images: pd.DataFrame) -> object:
    """Guess from the names, with the same patterns."""
    names, kind = images["filename"], pd.Series(4, index=images.index)
    for place, pattern in reversed(list(enumerate(KINDS.values()))):
        found = names.str.contains(pattern.removeprefix("(?i)"), case=False).fillna(False)
        kind[found] = place
    ending = names.str.extract(r"\.([a-z0-9]+)$", expand=False).replace("jpg", "jpeg")
    other = ending != images["mime_type"].str.removeprefix("image/")
    return images.assign(other=other).groupby(kind).agg(**COUNTS, n_other=("other", "sum"))


def duplicates_by_hand(images: pd.DataFrame) -> object:
    """Find what is there twice: for certain, and by size, pixels and type."""
    by_upload = images[~images["is_public"].isna()].sort_values(["created_at"])
    exact = by_upload["content_hash"].duplicated() & by_upload["content_hash"].notna()
    unread = by_upload[by_upload["content_hash"].isna()]
    alike = unread.duplicated(["size_bytes", "width", "height", "mime_type"])
    groups = by_upload.loc[exact, "content_hash"].nunique()
    return exact, alike, groups, by_upload["size_bytes"][exact].sum()


def savings_by_hand(images: pd.DataFrame, again: pd.Series) -> object:
    """Estimate what smaller and newer copies would save, beside exact duplicates."""
    size, wide, high = (
        images[name].to_numpy("float64", na_value=np.nan)
        for name in ("size_bytes", "width", "height")
    )
    again = again.reindex(images.index, fill_value=False).to_numpy()
    share = np.minimum(2560 / np.fmax(wide, high), 1) ** 2
    over = (size * (1 - share) >= 4096) & ~again
    share = np.where(over, share, 1.0)
    left, pixels, low_left = size * share, wide * high * share, size * share**0.75
    rows = [
        ("twice", size[again].sum(), size[again].sum()),
        ("over", (size - low_left)[over].sum(), (size - left)[over].sum()),
    ]
    for mime_type, copies in _COPIES.items():
        here = (images["mime_type"] == mime_type).to_numpy() & ~again
        heavy = here & (left - 0.2 * pixels > 4096)
        edges, least, most = np.transpose(copies)
        place = np.searchsorted(edges, left[heavy] / pixels[heavy], side="right") - 1
        low, high = low_left[heavy] * (1 - most[place]), left[heavy] * (1 - least[place])
        rows.append((mime_type, low.sum(), high.sum()))
    gif = (images["mime_type"] == "image/gif").to_numpy() & (left > 102_400) & ~again
    return [*rows, ("gif", 0, (left[gif] * (29.1 * np.log10(left[gif]) - 100.7) / 100).sum())]


def spellings_by_hand(images: pd.DataFrame) -> object:
    """Group tags that differ in case only."""
    tags = images["tags"].explode().dropna().value_counts()
    return tags.groupby(tags.index.str.casefold()).agg(["size", "sum"]).query("size > 1")


def forecast_by_hand(images: pd.DataFrame) -> object:
    """Carry the last weeks forward, and try the same in the past, horizon by horizon."""
    ages = (images["created_at"].max() - images["created_at"]).dt.days // 7
    weekly = images["size_bytes"].groupby(ages).sum().reindex(range(ages.max() + 1), fill_value=0)
    total = np.concatenate([[0], weekly.to_numpy("float64")[::-1].cumsum()])
    found, n = [], len(total) - 1
    for weeks in range(1, min(n - 24, 156) + 1):
        for window in (13, 52):
            origins = np.arange(window, n - weeks + 1)
            if len(origins) < 12:
                continue
            told = (total[origins] - total[origins - window]) / window * weeks
            error = np.abs(np.log((total[origins + weeks] - total[origins] + 1) / (told + 1)))
            found.append(np.quantile(error, 0.88))
    return found


def piles_by_hand(images: pd.DataFrame, again: pd.Series) -> object:
    """Sort what may go into piles, and name the largest of each."""
    old = images["created_at"] < images["created_at"].max() - pd.Timedelta(days=730)
    untagged = images["tags"].map(len, na_action="ignore") == 0
    again = again.reindex(images.index, fill_value=False)
    piles = [again, old & untagged & ~again, old & ~untagged & ~again]
    return [
        (n.sum(), images["size_bytes"][n].sum(), images[n].nlargest(4, "size_bytes")) for n in piles
    ]


def hand_report(images: pd.DataFrame) -> object:
    """Give by hand the numbers of a report and its findings, each once."""
    found = [ask(images) for ask in HAND.values()]
    exact, *alike = duplicates_by_hand(images)
    weeks = images["created_at"].dt.tz_localize(None).dt.to_period("W").value_counts()
    years = images.groupby(images["created_at"].dt.year).agg(**COUNTS)
    rest = [names_by_hand(images), spellings_by_hand(images), forecast_by_hand(images)]
    rest += [savings_by_hand(images, exact), piles_by_hand(images, exact)]
    findings = [
        (rows.sum(), images["size_bytes"][rows.fillna(False).astype(bool)].sum())
        for rows in (hand(images) for _, hand in RULES.values())
    ]
    return found, alike, weeks, years, rest, findings


def hand_page(images: pd.DataFrame) -> object:
    """Draw by hand what a report shows."""
    from matplotlib import pyplot as plt

    tables = [hand_growth(images), hand_formats(images), hand_ages(images), hand_tags(images)]
    pictures = []
    for table in (*tables, hand_dimensions(images), None):
        figure, ax = plt.subplots(figsize=(5.4, 3.6), layout="constrained")
        if table is None:
            held = np.cumsum(np.sort(images["size_bytes"].dropna().to_numpy("int64"))[::-1])
            ax.plot(held)
        else:
            ax.bar(range(len(table[:40])), table["size_bytes"].astype("float64")[:40])
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=144)
        plt.close(figure)
        pictures.append(file.getvalue())
    return pictures


def write(report: pic.StorageReport) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return report.write_html(Path(folder, "report.html")).read_bytes()


def rows(n: int) -> list[Row]:
    """Give what is measured, on a library of n images."""
    images = library(n, hashes=True)
    found = [
        Row(f"`summarize_{name}`", (lambda _, name=name: getattr(pic, f"summarize_{name}")(images)),
            (lambda _, hand=hand: hand(images)), *((1.5, 0.05) if name in ("concentration", "largest") else (3, 0.3)))
        for name, hand in HAND.items()
    ]  # fmt: skip
    found += [
        Row(f"`rules.{name}`", lambda _, ask=ask: ask(images), lambda _, hand=hand: hand(images), 2, 0.05)
        for name, (ask, hand) in RULES.items()
    ]  # fmt: skip
    return [
        *found,
        Row("`StorageReport()`", lambda _: pic.StorageReport(images), lambda _: hand_report(images), 1.5),
        Row("`write_html`", write, lambda _: hand_page(images), 1.5, given=lambda: pic.StorageReport(images)),
    ]  # fmt: skip


# Cold: a whole process each.

_MADE = "import pandas; images = pandas.read_parquet({path!r}); images.attrs = {attrs!r}\n"
_COLD = [
    ("first summary", "import picora_analytics as pic; pic.summarize_sizes(images)", _MADE, 1.2),
    ("`StorageReport`, not drawn", "import picora_analytics as pic; pic.StorageReport(images)", _MADE, 1.8),
]  # fmt: skip


def cold(repeat: int) -> list[list[object]]:
    """Measure first calls beside what they cannot do without."""
    found: list[list[object]] = []
    images = library(1000, hashes=False)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "images.parquet"))
        images.to_parquet(path)
        for name, ours, made, at_most in _COLD:
            made = made.format(path=path, attrs=images.attrs)
            found.append(_cold_row(name, made + ours, made, at_most, repeat))
    command = "from picora_analytics.cli.main import cli; cli(['--help'], standalone_mode=False)"
    found.append(_cold_row("`--help`", command, "import click", 1.5, repeat))
    return found


def _cold_row(name: str, ours: str, hand: str, at_most: float, repeat: int) -> list[object]:
    each = [(_process(ours), _process(hand)) for _ in range(max(repeat, 3) + 1)]
    mine, theirs = (statistics.median(times) for times in zip(*each[1:], strict=True))
    met = "yes" if mine <= at_most * theirs else "**no**"
    figures = [f"{mine:.2f}", f"{theirs:.2f}", f"{mine / theirs:.2f} x", f"{at_most:g} x", met]
    return [f"cold: {name}", *figures]


def _process(code: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def measure(n: int, repeat: int) -> list[list[object]]:
    """Measure all rows: name, seconds of both, their ratio, what is asked for, and whether it is met."""
    found: list[list[object]] = []
    for row in rows(n):
        ours, hand = (seconds(way, row.given, repeat) for way in (row.ours, row.by_hand))
        enough = row.seconds if row.seconds < math.inf else 0.0  # Of small things either will do.
        met = ours <= max(enough, row.times * hand)
        bars = f"{row.times:g} x" + (f" or {row.seconds:g} s" if row.seconds < math.inf else "")
        figures = [f"{ours:.3f}", f"{hand:.3f}", f"{ours / max(hand, 0.001):.2f} x"]
        found.append([row.name, *figures, bars, "yes" if met else "**no**"])
    return [*found, *cold(repeat)]
