"""Savings, measured: a sample of the pictures themselves is encoded anew."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.analysis.question import read_pandas
from picora_analytics.analysis.sampling import NOTHING, Stratum, estimate, strata_of
from picora_analytics.analysis.savings import REENCODED, flagged_rows
from picora_analytics.analysis.shown import Summary
from picora_analytics.client.client import Client
from picora_analytics.client.pictures import (
    PictureError,
    PictureWeb,
    picture_url,
    picture_web,
    stream_picture,
)
from picora_analytics.library.frame import STR, sums_dtype, total_bytes
from picora_analytics.pictures.accounts import check_account
from picora_analytics.pictures.reencoding import MAX_PIXELS, UntriedError, reencoded_size
from picora_analytics.progress import Progress, progress_for
from picora_analytics.text import plural
from picora_analytics.units import format_bytes

__all__ = ["measure_savings"]

TIMEOUT = 10.0  # Seconds that a host may be silent,
PATIENCE = 120.0  # and for one picture in all.
MAX_BYTES = 200 * 2**20
_COLUMNS = {
    "flag": STR,
    "evidence": STR,
    "n_images": "int64",
    "size_bytes": "int64",
    "low_bytes": "int64",
    "likely_bytes": "Int64",
    "high_bytes": "int64",
    "n_measured": "int64",
}


class _Tried(NamedTuple):
    """What came of one picture: its bytes and what of them would be saved, or why it could not be tried."""

    id: str
    flag: str
    size_bytes: int
    saved_bytes: int
    problem: str | None
    certain: bool


def measure_savings(
    images: pd.DataFrame,
    client: Client,
    *,
    n: int = 50,
    max_edge: int = MAX_EDGE,
    seed: int = 0,
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """
    Measure what smaller copies would save, on a sample of the pictures: up to `n` are downloaded and encoded anew.

    Downloads count as this month's image bandwidth. Nothing is stored, on Picora or on this machine. The sample is of
    the public images that :func:`summarize_savings` flags, by format and size, the larger ones more often; private
    ones are taken to be alike. Each picture is scaled down to `max_edge` and encoded as WebP of quality 80, lossless
    where it has up to 256 colors. A smaller copy has a new address.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by ``load_images``.
    client : Client
        Of the same account.
    n : int
        How many pictures to try at most. More make the ranges narrower, by half with four times as many.
    max_edge : int
        As for :func:`summarize_savings`.
    seed : int
        Another one draws another sample.
    progress : Progress or bool, optional
        As for :func:`load_images`.

    Returns
    -------
    DataFrame of shape (up to 4, 8)
        ``flag`` (``oversized``, ``inefficient format``, ``weak compression``, ``large GIF``; each image counts under
        the first that holds), ``evidence`` (*measured on 12 images*; *estimated* where too few could be tried),
        ``n_images`` and ``size_bytes`` that are flagged, ``low_bytes``, ``likely_bytes`` and ``high_bytes`` that could
        be saved, a 90 % interval and its middle, and ``n_measured``. ``attrs["tried"]`` lists each picture: ``id``,
        ``flag``, ``size_bytes``, ``saved_bytes``, ``problem`` and whether it was ``certain`` to be tried. The frame
        goes into :func:`summarize_savings` and :func:`plot_savings` as ``measured``.

    Raises
    ------
    PlanError
        If the client is of another account.
    SchemaError
        If a column is missing.
    ValueError
        If `n` or `max_edge` is not above 0.

    Examples
    --------
    >>> from picora_analytics import Client, DemoServer, load_images
    >>> with DemoServer(n_images=60) as server, Client(server.api_key, server.url) as client:
    ...     images = load_images(client, store=None, progress=False)
    ...     measured = measure_savings(images, client, n=8, progress=False)
    >>> measured.columns.tolist()[:3], int(measured["n_measured"].sum()) <= 8
    (['flag', 'evidence', 'n_images'], True)
    """
    if not n > 0:
        raise ValueError(f"n={n!r} is not a number of pictures to try: give 1 or more.")
    rows = flagged_rows(images, max_edge, "measure_savings")
    check_account(images, client, "measure_savings")
    told = read_pandas(images, ["id", "url", "is_public", "width", "height"], "measure_savings")
    few_pixels = told["width"].astype("Float64") * told["height"] <= MAX_PIXELS
    within = few_pixels & (rows["size_bytes"] <= MAX_BYTES)
    rows = rows.assign(
        id=told["id"], url=told["url"], can=(told["is_public"] & within).fillna(False)
    )
    rows = rows[rows["flag"].notna()]
    random = np.random.default_rng(seed)
    strata = strata_of(rows[rows["can"]], n, random)
    show = progress_for(progress, "Trying pictures")
    tried: dict[str, _Tried] = {}
    measured = []
    with picture_web(local=client.demo, timeout=TIMEOUT) as web:
        for done, stratum in enumerate(strata):
            show.update(done, len(strata))
            measured += _try_one(web, rows, stratum, max_edge, tried, local=client.demo)
    read = sum(one.size_bytes for one in tried.values())
    n_read = sum(one.problem is None for one in tried.values())
    drawn = ". The demo's files are drawings with padding: nearly all of it is saved" * client.demo
    show.finish(f"Encoded {plural(n_read, 'picture')} anew, {format_bytes(read)} read{drawn}")
    table = []
    for flag in REENCODED:
        part = rows[rows["flag"] == flag]
        if len(part):
            table.append(_row(flag, part, [one for one in measured if one.flag == flag], random))
    exact = {
        name: sums_dtype(row[name] for row in table)
        for name in ("size_bytes", "low_bytes", "high_bytes")
    }
    answer = Summary(pd.DataFrame(table, columns=list(_COLUMNS)).astype(_COLUMNS | exact))
    answer.attrs["tried"] = [one._asdict() for one in tried.values()]
    return answer


def _try_one(
    web: PictureWeb,
    rows: pd.DataFrame,
    stratum: Stratum,
    max_edge: int,
    tried: dict[str, _Tried],
    *,
    local: bool,
) -> list[_Tried]:
    """Try the picture that was drawn; where it does not come, those that stand by. Neighbors may draw the same."""
    for place in stratum.rows:
        row = rows.loc[place]
        name = str(row["id"])
        if name in tried:
            if tried[name].problem is None:
                return [tried[name]]
            continue
        size, saved, problem = 0, 0, None
        try:
            data = _fetched(web, str(row["url"]), local=local)
            size = len(data)
            saved = max(size - reencoded_size(data, max_edge), 0)
        except (PictureError, UntriedError) as error:
            problem = str(error)
        tried[name] = _Tried(name, stratum.flag, size, saved, problem, stratum.certain)
        if problem is None:
            return [tried[name]]
    return []


def _fetched(web: PictureWeb, address: str, *, local: bool) -> bytes:
    url = picture_url(address, local=local)
    if url is None or (url.scheme == "http") != local:
        raise PictureError("its address is odd")
    data = bytearray()
    promised = stream_picture(web, url, data.extend, max_bytes=MAX_BYTES, patience=PATIENCE)
    if promised is not None and promised != len(data):
        raise PictureError(f"{len(data):,} of {plural(promised, 'byte')} came")
    return bytes(data)


def _row(
    flag: str, part: pd.DataFrame, tried: list[_Tried], random: np.random.Generator
) -> dict[str, Any]:
    """Say what one kind of image could save: what could be asked for by the sample, and the others as if alike."""
    sizes, saved, certain = (
        [getattr(one, name) for one in tried] for name in ("size_bytes", "saved_bytes", "certain")
    )
    asked, others = (total_bytes(part["size_bytes"][part["can"] == can]) for can in (True, False))
    found = estimate(saved, sizes, certain, asked, random)
    alike = estimate(saved, sizes, [False] * len(tried), others, random) if others else NOTHING
    told = {"flag": flag, "n_images": len(part), "size_bytes": asked + others}
    if found is None or alike is None:
        low, high = total_bytes(part["low"]), total_bytes(part["high"])
        evidence = f"estimated: {plural(len(tried), 'image')} could be tried, too few"
        return {**told, "evidence": evidence, "low_bytes": low, "high_bytes": high, "n_measured": 0}
    low, likely, high = (round(one + other) for one, other in zip(found, alike, strict=True))
    spread = {"low_bytes": low, "likely_bytes": likely, "high_bytes": high}
    evidence = f"measured on {plural(len(tried), 'image')}"
    return {**told, **spread, "evidence": evidence, "n_measured": len(tried)}
