"""
Plans, previews, files and comparisons beside hand-written pandas: user CPU seconds, both in one process and one run.

By hand means the same answer without what makes it safe: nothing is checked, nothing is protected. The library is the
demo's, repeated with other ids, names, sizes and times until it is large enough; one content in twenty is there twice.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import math
import resource
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import picora_analytics as pic
from picora_analytics.cleanup.plan.preview import PROMINENT, YEAR

DISTINCT = 10_000  # Images of the demo; more take long to invent, and are no more different.


class Row(NamedTuple):
    """What is measured: the package's way, the way by hand, and what is asked for at most."""

    name: str
    ours: Callable[[Any], object]
    by_hand: Callable[[Any], object]
    times: float = math.inf
    seconds: float = math.inf
    # Makes what both ways get, anew for each run: what is worked out once is not remembered.
    given: Callable[[], Any] = lambda: None


def library(n: int, *, hashes: bool) -> pd.DataFrame:
    """Give a library of so many images, as `load_images` makes it."""
    with (
        pic.DemoServer(min(n, DISTINCT), rate_scale=None) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        few = pic.load_images(client, store=None, progress=False)
    rng = np.random.default_rng(7)
    images = few.iloc[np.arange(n) % len(few)]
    numbers = pd.Series(np.arange(n)).astype(str).array
    images = images.set_axis(pd.Index("i" + numbers, dtype=few.index.dtype, name="id"))
    images["filename"] = numbers + "-" + images["filename"].array
    images["size_bytes"] += rng.integers(0, 50_000, n)
    images["created_at"] -= pd.to_timedelta(rng.integers(0, 3 * 365 * 86_400, n), unit="s")
    images["updated_at"] = images["created_at"]
    images = images.sort_values("created_at", ascending=False)
    if hashes:
        content = rng.permutation(np.where(rng.random(n) < 0.95, np.arange(n), np.arange(n) // 2))
        digits = [hashlib.sha256(b"%d" % one).hexdigest() for one in content.tolist()]
        images["content_hash"] = pd.Series(digits, images.index, dtype=few["url"].dtype)
    facts = few.attrs["picora"] | {"n_images": n, "total": n}
    images.attrs["picora"] = facts | {"size_bytes": int(images["size_bytes"].sum())}
    return images


def quarter(images: pd.DataFrame) -> pd.Index:
    """Choose a quarter, spread over the whole."""
    return images.index[::4]


def plan_of(images: pd.DataFrame) -> pic.DeletionPlan:
    """Plan the deletion of a quarter, as a user would."""
    return pic.plan_deletion(images, quarter(images), reason="a measurement", max_fraction=1)


# By hand


def hand_plan(images: pd.DataFrame) -> object:
    """Choose, add up, and see which contents would be lost with every copy."""
    ids = quarter(images)
    chosen = images.loc[ids]
    totals = len(chosen) / len(images), chosen["size_bytes"].sum() / images["size_bytes"].sum()
    lost: object = None
    if images["content_hash"].notna().any():
        copies = images["content_hash"].value_counts()
        there = chosen["content_hash"].value_counts()
        stays = images.drop(ids).drop_duplicates("content_hash").reset_index()
        lost = there[there == copies.reindex(there.index)]
        chosen = chosen.merge(stays[["id", "content_hash"]], on="content_hash", how="left")
    return chosen, totals, lost


def hand_states(images: pd.DataFrame) -> object:
    """Give what an image must still be when it is deleted, by id."""
    names = ["filename", "url", "mime_type", "size_bytes", "is_public", "tags", "updated_at"]
    return dict(zip(images.index, images[names].itertuples(index=False), strict=True))


def hand_fingerprint(images: pd.DataFrame) -> str:
    """Digest all that is planned."""
    return hashlib.sha256(images.sort_index().to_json(orient="split").encode()).hexdigest()


def hand_facts(images: pd.DataFrame) -> dict[str, object]:
    """Work out what a preview says: the same counts, names that speak for themselves, and some rows."""
    sizes, years, names = images["size_bytes"], images["created_at"].dt.year, images["filename"]
    words = names.str.lower().str.extract(PROMINENT)["word"].notna()
    dated = names.str.lower().str.extract(YEAR)["year"].astype("Float64")
    speaking = words | (dated < years).fillna(False)
    return {
        "sum": (len(images), sizes.sum(), sizes.isna().sum()),
        "years": sizes.groupby(years).agg(["size", "sum"]),
        "types": sizes.groupby(images["mime_type"], dropna=False).agg(["size", "sum"]),
        "public": images["is_public"].value_counts(dropna=False),
        "span": (images["created_at"].min(), images["created_at"].max()),
        "reasons": images["reason"].value_counts(),
        "speaking": (int(speaking.sum()), images[speaking].head(8)),
        "largest": images.nlargest(3, "size_bytes"),
        "drawn": images.sample(3, random_state=1),
    }


def hand_preview(images: pd.DataFrame) -> object:
    """Say it as text."""
    return "\n".join(f"{name}: {fact}" for name, fact in hand_facts(images).items())


def hand_html(images: pd.DataFrame) -> str:
    """Say it as HTML."""
    return "".join(
        fact.to_html() if isinstance(fact, pd.DataFrame) else f"<p>{name}: {fact}</p>"
        for name, fact in hand_facts(images).items()
    )


def hand_save(images: pd.DataFrame) -> bytes:
    """Write what is planned as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.json")
        images.reset_index().to_json(path, orient="records", date_format="iso")
        return path.read_bytes()


def hand_read(text: bytes) -> pd.DataFrame:
    """Read it."""
    return pd.read_json(io.BytesIO(text), convert_dates=["created_at", "updated_at"])


def hand_compare(both: tuple[pd.DataFrame, pd.DataFrame]) -> object:
    """See what came, what went, and what changed."""
    old, new = both
    added, removed = new[~new.index.isin(old.index)], old[~old.index.isin(new.index)]
    stayed = new.index[new.index.isin(old.index)]
    before, after = old.loc[stayed], new.loc[stayed]
    changed = pd.DataFrame(
        {
            name: (before[name] != after[name]) & (before[name].notna() | after[name].notna())
            for name in ("filename", "title", "size_bytes", "width", "height", "is_public", "tags")
        }
    )
    return added, removed, changed[changed.any(axis="columns")]


# Ours


def save(plan: pic.DeletionPlan) -> bytes:
    """Save a plan, and give what was written."""
    with tempfile.TemporaryDirectory() as folder:
        return plan.save(Path(folder, "plan.json")).read_bytes()


def read(text: bytes) -> pic.DeletionPlan:
    """Read a plan."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "plan.json")
        path.write_bytes(text)
        return pic.read_plan(path)


def later(images: pd.DataFrame) -> pd.DataFrame:
    """Let the library live on: some go, some come, some get another tag."""
    new = images.iloc[len(images) // 50 :].copy()
    come = images.iloc[: len(images) // 100]
    come = come.set_axis(pd.Index("n" + come.index.array, name="id"))
    edited = np.flatnonzero(np.arange(len(new)) % 100 == 0)
    tags = new["tags"].to_numpy(dtype=object).copy()
    tags[edited] = [("edited",)] * len(edited)
    new["tags"] = pd.Series(tags, new.index, dtype=object)
    new = pd.concat([come, new])
    size = int(new["size_bytes"].sum())
    new.attrs["picora"] = images.attrs["picora"] | {"n_images": len(new), "size_bytes": size}
    return new


def rows(n: int) -> list[Row]:
    """Give what is measured, on libraries of n images and of a tenth of that."""
    large, hashed = library(n, hashes=False), library(n, hashes=True)
    small = hashed.iloc[:: max(1, len(hashed) // (n // 10))].copy()
    size = int(small["size_bytes"].sum())
    small.attrs["picora"] = hashed.attrs["picora"] | {"n_images": len(small), "size_bytes": size}
    both = large, later(large)
    planned = plan_of(large)
    part = small.loc[quarter(small)].assign(reason="a test")

    def anew() -> pic.DeletionPlan:
        return dataclasses.replace(plan_of(small))

    def with_phrase() -> pic.DeletionPlan:
        """The fingerprint, which has a row of its own, is worked out already."""
        plan = anew()
        assert plan.fingerprint
        return plan

    def both_ways(ours: Callable[[Any], object], hand: Callable[[Any], object]) -> Any:
        return ours, lambda _: hand(part)

    text, text_by_hand = save(anew()), hand_save(part)
    a, b = f"{n:,}", f"{len(small):,}"
    chosen = large.loc[quarter(large)]
    return [
        Row(f"`compare_snapshots`, {a}", lambda _: pic.compare_snapshots(*both), lambda _: hand_compare(both),
            seconds=6 * n / 1_000_000),
        Row(f"`plan_deletion` of a quarter, {a}", lambda _: plan_of(large), lambda _: hand_plan(large),
            8, 4 * n / 1_000_000),
        Row(f"the same with hashes, {a}", lambda _: plan_of(hashed), lambda _: hand_plan(hashed), 1.5),
        Row(f"`states`, {a}", lambda plan: plan.states, lambda _: hand_states(chosen), 2,
            given=lambda: dataclasses.replace(planned)),
        Row(f"`fingerprint`, {b}", *both_ways(lambda plan: plan.fingerprint, hand_fingerprint), 1, given=anew),
        Row(f"preview as text, {b}", *both_ways(repr, hand_preview), 1, given=with_phrase),
        Row(f"preview as HTML, {b}", *both_ways(lambda plan: plan._repr_html_(), hand_html), 2, given=with_phrase),
        Row(f"`save`, {b}", *both_ways(save, hand_save), 1, given=anew),
        Row(f"`read_plan`, {b}", lambda _: read(text), lambda _: hand_read(text_by_hand), 2.5),
    ]  # fmt: skip


def seconds(function: Callable[[Any], object], given: Callable[[], Any], repeat: int) -> float:
    """Give the median of the user CPU seconds, once warm."""
    found = []
    for _ in range(repeat + 1):
        argument = given()
        began = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        function(argument)
        found.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - began)
    return statistics.median(found[1:])


def measure(n: int, repeat: int) -> list[list[object]]:
    """Measure all rows: name, seconds of both, their ratio, what is asked for, and whether it is met."""
    found: list[list[object]] = []
    for row in rows(n):
        ours = seconds(row.ours, row.given, repeat)
        hand = seconds(row.by_hand, row.given, repeat)
        bars = [f"{row.times:g} x"] if row.times < math.inf else []
        bars += [f"{row.seconds:g} s"] if row.seconds < math.inf else []
        met = ours <= row.seconds and ours <= row.times * hand
        figures = [f"{ours:.2f}", f"{hand:.2f}", f"{ours / max(hand, 0.001):.2f} x"]
        found.append([row.name, *figures, ", ".join(bars), "yes" if met else "**no**"])
    return found
