"""What could be saved, from low to high, each byte once."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import pandas as pd
import pyarrow as pa

from picora_analytics.analysis.counting import COUNTS, HEIGHT, SIZE, WIDTH, measured
from picora_analytics.analysis.dimensions import MAX_EDGE
from picora_analytics.analysis.engines import in_arrow
from picora_analytics.analysis.everyday import pandas_of
from picora_analytics.analysis.question import By, FrameT, Kind, question, read_pandas, summed
from picora_analytics.analysis.repeats import REPEAT_COLUMNS, with_repeats
from picora_analytics.analysis.small import answered, rows_of
from picora_analytics.errors import SchemaError

__all__ = [
    "BYTES_PER_PIXEL",
    "FLOOR",
    "LEAST_POWER",
    "REENCODED",
    "check_edge",
    "flagged_rows",
    "summarize_savings",
]

# Bytes per pixel above which a picture is flagged, and the bytes below which nothing is listed
# (Lighthouse until 2025: modern-image-formats, uses-optimized-images).
BYTES_PER_PIXEL, FLOOR = 0.20, 4096


class _Copy(NamedTuple):
    """What a WebP copy keeps of the bytes, at least and at most, from so many bytes per pixel on."""

    per_pixel: float
    keeps_least: float
    keeps_most: float


# The narrowest ranges that hold nine in ten of the pictures of each class that were encoded anew, 19 in 20 of the PNGs
# and of the heaviest JPEGs, which have most of the bytes; all made up, of two kinds (benchmarks/savings_factors.py).
# That of the heaviest PNGs is wider by a hundredth on either side: a single one can be a tenth of a library.
_PNG = (
    _Copy(0.0, 0.27, 0.62),
    _Copy(0.4, 0.04, 0.53),
    _Copy(0.8, 0.01, 0.24),
    _Copy(1.6, 0.03, 0.18),
)
_COPIES = {
    "image/jpeg": (
        _Copy(0.0, 0.37, 1.0),
        _Copy(0.2, 0.45, 1.0),
        _Copy(0.3, 0.40, 1.0),
        _Copy(0.45, 0.36, 0.86),
        _Copy(0.6, 0.19, 0.63),
    ),
    "image/webp": (_Copy(0.0, 0.52, 1.0), _Copy(0.4, 0.38, 0.83)),
    **dict.fromkeys(("image/png", "image/bmp", "image/tiff"), _PNG),
}
# A little smaller, a picture loses its finest detail, and with it up to this much of a copy's bytes.
_FINEST = 0.15
_OLD = [name for name in _COPIES if name != "image/webp"]
# Above this a GIF as a video saves 29.1 * log10(bytes) - 100.7 per cent (Lighthouse, fitted on 1,000 GIFs).
_GIF_FLOOR, _GIF_MOST = 100 * 1024, 0.95
# Fewer pixels hold more detail each: bytes shrink at least with this power of the pixels (HTTP Archive,
# bits per pixel by megapixels, 2024).
LEAST_POWER = 0.75
# More than any file: keeps sums of absurd sizes within 64 bits.
_MOST = float(2**53)


class _Step(NamedTuple):
    """One way to save: its name, what the estimate rests on, its rows and columns, and its rows if it were alone."""

    flag: str
    evidence: str
    rows: str
    columns: str | None
    alone: str


_PER_PIXEL = "estimated from bytes per pixel"
_STEPS = (
    _Step("exact duplicates", "same content", "is_repeat", "repeat", "is_repeat"),
    _Step("oversized", "estimated from pixels", "is_over", "over", "over"),
    _Step("inefficient format", _PER_PIXEL, "is_old_format", "format", "old_format"),
    _Step("weak compression", _PER_PIXEL, "is_weak", "format", "weak"),
    _Step("large GIF", "estimated from size", "is_gif", "format", "gif"),
    _Step("likely duplicates", "look first", "is_likely", None, "is_likely"),
    _Step("not judged", "size, pixels or raster format not known", "is_unknown", None, "no_row"),
)
# What another copy of the same picture saves.
_ANEW = _STEPS[1:5]
REENCODED = tuple(step.flag for step in _ANEW)
_ANSWERS: dict[str, Kind] = {
    "flag": "str",
    "evidence": "str",
    **COUNTS,
    "low_bytes": "int64",
    "high_bytes": "int64",
    "alone_bytes": "int64",
}


@question(*REPEAT_COLUMNS, answers=_ANSWERS, of_one=("measured",))
def summarize_savings(
    images: FrameT,
    *,
    max_edge: int = MAX_EDGE,
    measured: pd.DataFrame | None = None,
    by: By | None = None,
) -> FrameT:
    """
    Estimate what could be saved, from low to high: duplicates, then pixels, then formats.

    Each step counts only the bytes that those before it leave, so ``low_bytes`` and ``high_bytes`` add up;
    ``alone_bytes`` is what the step could save at most if it were the only one. A smaller copy has a new address,
    and every deleted duplicate had one. ``measure_savings`` tries it on a sample of the pictures themselves.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``id``, ``size_bytes``, ``width``, ``height``,
        ``mime_type``, ``is_public``, ``created_at`` and ``content_hash``.
    max_edge : int
        Images whose longer edge has more pixels count as oversized.
    measured : DataFrame, optional
        Of :func:`measure_savings` for the same images: its rows take the place of what is estimated here. Not
        together with `by`.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of up to seven rows
        ``flag``, ``evidence``, ``n_images`` and ``size_bytes`` that are flagged, and ``low_bytes``, ``high_bytes``
        and ``alone_bytes`` that could be saved. Flags, in this order: ``exact duplicates`` (all but one of each);
        ``oversized``; ``inefficient format`` (JPEG, PNG, BMP or TIFF of over 0.20 bytes per pixel);
        ``weak compression`` (WebP of as much); ``large GIF`` (over 100 KiB, as a video); and, which save nothing
        here, ``likely duplicates`` and ``not judged``. Flags without images have no row. A smaller copy of what is
        oversized is encoded anew as well: what that saves is in the row of its format.

    Raises
    ------
    SchemaError
        If one of these columns is missing.
    ValueError
        If `max_edge` is not above 0, or `measured` is given together with `by`.

    Examples
    --------
    >>> images = make_images(mime_type=["image/jpeg"], size_bytes=[1_000_000], width=[1000], height=[2000])
    >>> summarize_savings(images)[["flag", "low_bytes", "high_bytes"]]
                     flag  low_bytes high_bytes
    0  inefficient format  136.7 KiB  625.0 KiB
    """
    check_edge(max_edge)
    flagged = _flagged(images, max_edge)
    sums: dict[str, nw.Expr] = {}
    for step in _STEPS:
        here = nw.col(step.rows)
        sums[f"n {step.flag}"] = here.cast(nw.Int64).sum()
        if step not in _ANEW:  # Of what is encoded anew, all sizes are known.
            sums[f"known {step.flag}"] = (here & ~SIZE.is_null()).cast(nw.Int64).sum()
        sums[f"size {step.flag}"] = nw.when(here).then(summed(images)).sum()
        if step.columns is not None:
            for part in ("low", "high"):
                saved = nw.when(here).then(nw.col(f"{step.columns}_{part}"))
                sums[f"{part} {step.flag}"] = saved.sum()
        alone = nw.col(f"{step.columns or 'repeat'}_alone")
        sums[f"alone {step.flag}"] = nw.when(nw.col(step.alone)).then(alone).sum()
    (row,) = rows_of(flagged.select(**sums))
    answers = [_answer(step, row) for step in _STEPS if row[f"n {step.flag}"]]
    if measured is not None:
        answers = _with_measured(answers, measured)
    return answered(answers, images, _ANSWERS)


def check_edge(max_edge: int) -> None:
    """Raise ValueError for what is not a length."""
    if not max_edge > 0:
        raise ValueError(f"max_edge={max_edge!r} is not a length: give whole pixels above 0.")


def flagged_rows(images: pd.DataFrame, max_edge: int, caller: str) -> pd.DataFrame:
    """
    Give of each image what it is flagged for first, besides being a duplicate, and its estimates in bytes.

    Row by row: ``flag`` (missing where there is none), ``mime_type``, ``size_bytes``, ``low`` and ``high``.
    """
    check_edge(max_edge)
    rows = read_pandas(images, REPEAT_COLUMNS, caller).assign(row=range(len(images)))
    found = _flagged(nw.from_native(rows).lazy(), max_edge).collect().to_native()
    flagged = pandas_of(found) if isinstance(found, pa.Table) else found
    flagged = flagged.sort_values("row", ignore_index=True)
    flag = pd.Series(pd.NA, index=flagged.index, dtype=object)
    low, high = (pd.Series(0, index=flagged.index, dtype="int64") for _ in range(2))
    for step in _ANEW:
        here = flagged[step.rows].fillna(False).astype(bool)
        flag = flag.mask(here & flag.isna(), step.flag)
        low += flagged[f"{step.columns}_low"].where(here, 0)
        high += flagged[f"{step.columns}_high"].where(here, 0)
    return pd.DataFrame(
        {
            "flag": flag,
            "mime_type": flagged["mime_type"],
            "size_bytes": flagged["size_bytes"],
            "low": low,
            "high": high,
        }
    )


def _with_measured(answers: list[dict[str, Any]], measured: pd.DataFrame) -> list[dict[str, Any]]:
    """Put the rows of a measured sample where the estimates of the same images are."""
    missing = [name for name in _ANSWERS if name not in measured.columns and name != "alone_bytes"]
    if missing:
        raise SchemaError(f"measured lacks the columns {missing}: pass what measure_savings gives.")
    rows = [
        {"flag": row["flag"], "evidence": row["evidence"], "alone_bytes": int(row["high_bytes"])}
        | {name: int(row[name]) for name in ("n_images", "size_bytes", "low_bytes", "high_bytes")}
        for row in measured.to_dict("records")
    ]
    place = sum(1 for one in answers if one["flag"] == _STEPS[0].flag)
    others = [one for one in answers if one["flag"] not in REENCODED]
    return [*others[:place], *rows, *others[place:]]


def _answer(step: _Step, row: dict[str, Any]) -> dict[str, Any]:
    size = row[f"size {step.flag}"] if row.get(f"known {step.flag}", True) else None
    parts = {f"{p}_bytes": row.get(f"{p} {step.flag}") or 0 for p in ("low", "high", "alone")}
    counts = {"n_images": row[f"n {step.flag}"], "size_bytes": size}
    return {"flag": step.flag, "evidence": step.evidence, **counts, **parts}


def _flagged(images: nw.LazyFrame[Any], max_edge: int) -> nw.LazyFrame[Any]:
    """Add to each row what it is flagged for and the bytes of each step, in whole bytes."""
    mime, extra = nw.col("mime_type"), nw.col("extra")
    raster = mime.is_in([*_COPIES, "image/gif", "image/avif", "image/heic"])
    # In floats: pixels of absurd widths overflow 64 bits.
    size = nw.when(~SIZE.is_null()).then(nw.min_horizontal(SIZE.cast(nw.Float64), nw.lit(_MOST)))
    rows = in_arrow(with_repeats(images)).with_columns(
        bytes=size,
        pixels=nw.when(measured()).then(WIDTH.cast(nw.Float64) * HEIGHT.cast(nw.Float64)),
        scale=max_edge / nw.max_horizontal("width", "height").cast(nw.Float64),
    )
    judged = raster.fill_null(False) & ~SIZE.is_null() & measured()
    repeat = nw.col("exact") & extra
    rows = rows.with_columns(
        judged=judged,
        is_repeat=repeat,
        is_likely=nw.col("likely") & extra,
        is_unknown=~judged & ~repeat,
        no_row=nw.lit(False),
        **dict.fromkeys(("repeat_low", "repeat_high", "repeat_alone"), _whole(nw.col("bytes"))),
        share=nw.when(judged & (nw.col("scale") < 1)).then(nw.col("scale") ** 2).otherwise(1.0),
    )
    return _with_formats(_with_pixels(rows))


def _with_pixels(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add what fewer pixels would save, and what is left of bytes and pixels."""
    share, size = nw.col("share"), nw.col("bytes")
    high = size * (1 - share)
    over = nw.col("judged") & (share < 1) & (high >= FLOOR)
    rows = rows.with_columns(over=over, over_alone=_whole(high))
    stays = ~nw.col("is_repeat")
    rows = rows.with_columns(
        is_over=nw.col("over") & stays, share=nw.when(over).then(share).otherwise(1.0)
    )
    return rows.with_columns(
        over_high=_whole(size * (1 - share)),
        over_low=_whole(size * (1 - share**LEAST_POWER)),
        left_high=size * share,
        left_low=size * share**LEAST_POWER,
        left_pixels=nw.col("pixels") * share,
    )


def _with_formats(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add what another format or compression would save of the bytes that are left."""
    mime = nw.col("mime_type")
    rows = rows.with_columns(
        old=mime.is_in(_OLD).fill_null(False),
        webp=(mime == "image/webp").fill_null(False),
        animated=(mime == "image/gif").fill_null(False),
        per_pixel=(nw.col("bytes") / nw.col("pixels")).fill_null(0.0),
    )
    finest = nw.when(nw.col("over")).then(nw.lit(1 - _FINEST)).otherwise(nw.lit(1.0))
    rows = _with_classes(rows).with_columns(keeps_least=nw.col("keeps_least") * finest)
    still, left = nw.col("old") | nw.col("webp"), nw.col("left_high")
    # What is made smaller is encoded anew, however few bytes its pixels have.
    heavy = (left - BYTES_PER_PIXEL * nw.col("left_pixels") > FLOOR).fill_null(False)
    rows = rows.with_columns(heavy=still & heavy, anew=still & (heavy | nw.col("over")))
    rows = rows.with_columns(
        format_high=_whole(_most(left)), format_alone=_whole(_most(nw.col("bytes")))
    )
    low = _whole(nw.col("left_low") * (1 - nw.col("keeps_most")))
    judged = nw.col("judged")
    worth = judged & ~nw.col("is_repeat") & (nw.col("format_high") > 0)
    return rows.with_columns(
        format_low=nw.when(nw.col("anew"))
        .then(nw.min_horizontal(low, nw.col("format_high")))
        .otherwise(nw.lit(0)),
        is_old_format=worth & nw.col("old"),
        is_weak=worth & nw.col("webp"),
        is_gif=worth & nw.col("animated"),
        old_format=judged & nw.col("old"),
        weak=judged & nw.col("webp"),
        gif=judged & nw.col("animated"),
    )


def _with_classes(rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add what a copy keeps by format and bytes per pixel: all of it, where no copy is thought of."""
    native = rows.to_native()
    if isinstance(native, pa.Table):
        return nw.from_native(_with_classes_of_arrow(native)).lazy()
    least: nw.Expr = nw.lit(1.0)
    most: nw.Expr = nw.lit(1.0)
    # Format by format: engines then look at the classes of an image's own one alone.
    for mime, copies in reversed(_COPIES.items()):
        own = nw.col("mime_type") == mime
        least = nw.when(own).then(_by_class(copies, "keeps_least")).otherwise(least)
        most = nw.when(own).then(_by_class(copies, "keeps_most")).otherwise(most)
    return rows.with_columns(keeps_least=least, keeps_most=most)


def _by_class(copies: Sequence[_Copy], name: str) -> nw.Expr:
    """Give what is kept by the highest class that is reached."""
    kept: nw.Expr = nw.lit(getattr(copies[0], name))
    for one in copies[1:]:
        reached = nw.col("per_pixel") >= one.per_pixel
        kept = nw.when(reached).then(nw.lit(getattr(one, name))).otherwise(kept)
    return kept


def _with_classes_of_arrow(rows: pa.Table) -> pa.Table:
    """Do the same with NumPy, in a tenth of the time."""
    codes, mimes = pd.factorize(rows["mime_type"].to_pandas())
    per_pixel = rows["per_pixel"].to_numpy()
    kept = np.ones((2, len(rows)))
    for code, mime in enumerate(mimes):
        if mime in _COPIES:
            edges, *shares = np.transpose(_COPIES[mime])
            here = codes == code
            kept[:, here] = np.array(shares)[
                :, np.searchsorted(edges, per_pixel[here], "right") - 1
            ]
    for name, share in zip(("keeps_least", "keeps_most"), kept, strict=True):
        rows = rows.append_column(name, pa.array(share))
    return rows


def _most(size: nw.Expr) -> nw.Expr:
    """Estimate what encoding anew saves at most, 0 where that is not worth a line."""
    percent = 29.1 * nw.when(size > _GIF_FLOOR).then(size).otherwise(_GIF_FLOOR).log(10) - 100.7
    video = nw.when(nw.col("animated") & (size > _GIF_FLOOR)).then(
        size * nw.min_horizontal(percent / 100, nw.lit(_GIF_MOST))
    )
    copy = nw.when(nw.col("anew")).then(size * (1 - nw.col("keeps_least")))
    found = nw.coalesce(copy, video, nw.lit(0.0))
    return nw.when(found > FLOOR).then(found).otherwise(0.0)


def _whole(size: nw.Expr) -> nw.Expr:
    # Engines differ in the last bit, and estimates are often whole: not floor alone.
    return (size.fill_null(0.0) + 0.5).floor().cast(nw.Int64)
