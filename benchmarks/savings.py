"""
Whether the range of `summarize_savings` and the interval of `measure_savings` hold what re-encoding really saves.

    python benchmarks/savings.py            # 200 pictures encoded twice, 150 samples of them; minutes

Pictures are made up: noise as rough as photographs are, drawings of few colors, and pictures of a screen, in the
formats, qualities and sizes that people upload. The truth is what :func:`reencoded_size` saves of each.
"""

from __future__ import annotations

import io
import sys

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from picora_analytics.analysis.sampling import estimate, strata_of
from picora_analytics.analysis.savings import REENCODED, flagged_rows
from picora_analytics.pictures.reencoding import reencoded_size

# Half of all lengths, and a quarter of the time.
MAX_EDGE = 1280
KINDS = ("photo", "drawing", "screen")


def photograph(wide: int, high: int, random: np.random.Generator) -> Image.Image:
    """Draw noise whose spectrum falls with frequency as that of photographs, smoother or rougher."""
    steep = random.uniform(1.0, 1.5)
    rows, columns = np.fft.fftfreq(high)[:, None], np.fft.rfftfreq(wide)[None, :]
    fall = np.maximum(np.hypot(rows, columns), 1 / max(wide, high)) ** -steep
    light = [np.fft.irfft2(np.fft.rfft2(random.normal(size=(high, wide))) * fall, s=(high, wide))]
    light += [light[0] * 0.7 + 0.3 * np.roll(light[0], 40 * n, axis=1) for n in (1, 2)]
    planes = [(one - one.mean()) / one.std() * 48 + 128 for one in light]
    grain = random.normal(0, random.uniform(0, 4), (high, wide, 1))
    return Image.fromarray(np.clip(np.stack(planes, axis=-1) + grain, 0, 255).astype("uint8"))


def drawing(wide: int, high: int, random: np.random.Generator, *, screen: bool) -> Image.Image:
    """Draw boxes, lines and words; on a screen they lie over a slow gradient."""
    picture = Image.new("RGB", (wide, high), "white")
    if screen:
        ramp = np.linspace(200, 250, wide).astype("uint8")
        picture = Image.fromarray(np.repeat(np.tile(ramp, (high, 1))[:, :, None], 3, axis=2))
    pen = ImageDraw.Draw(picture)
    for _ in range(60):
        x, y = random.integers(0, wide), random.integers(0, high)
        color = tuple(int(c) for c in random.integers(0, 4, 3) * 80)
        pen.rectangle(
            [x, y, x + random.integers(5, 200), y + random.integers(2, 60)], outline=color
        )
        pen.text((x, y), "storage by tag and month", fill=color)
    return picture


def encoded(number: int, random: np.random.Generator) -> tuple[bytes, str, tuple[int, int]]:
    """Give the file, type and pixels of one picture, as people upload them."""
    kind = KINDS[random.choice(3, p=[0.65, 0.15, 0.2])]
    wide = int(random.choice([400, 600, 800, 1000, 1600], p=[0.25, 0.3, 0.2, 0.15, 0.1]))
    high = int(wide * random.choice([0.66, 0.75, 0.56]))
    if kind == "photo":
        picture = photograph(wide, high, random)
        form = random.choice(["JPEG", "PNG", "WEBP"], p=[0.7, 0.15, 0.15])
    else:
        picture = drawing(wide, high, random, screen=kind == "screen")
        form = random.choice(["PNG", "JPEG", "WEBP"], p=[0.7, 0.2, 0.1])
    out = io.BytesIO()
    options = {"compress_level": 4} if form == "PNG" else {"quality": int(random.integers(70, 97))}
    picture.save(out, form, **options)
    return out.getvalue(), f"image/{form.lower()}", picture.size


def corpus(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Make up a library, with what re-encoding saves of each picture as ``saved``."""
    rows = []
    for number in range(n):
        data, mime_type, (wide, high) = encoded(number, random)
        saved = max(len(data) - reencoded_size(data, MAX_EDGE), 0)
        rows.append((f"p{number:010}", len(data), wide, high, mime_type, saved))
    names = ["id", "size_bytes", "width", "height", "mime_type", "saved"]
    table = pd.DataFrame(rows, columns=names).set_index("id")
    day = pd.Timestamp("2026-01-01", tz="UTC")
    return table.assign(is_public=True, created_at=day, content_hash=None)


def ranges(images: pd.DataFrame) -> pd.DataFrame:
    """Print how often, by bytes, the estimated range holds the truth, and how wide it is."""
    rows = flagged_rows(images, MAX_EDGE, "benchmark").assign(saved=images["saved"].to_numpy())
    rows = rows[rows["flag"].notna()].astype({"size_bytes": "float64"})
    print("| flag | pictures | bytes held | median width / bytes | low | true | high |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for flag in [*REENCODED, "all"]:
        part = rows if flag == "all" else rows[rows["flag"] == flag]
        if part.empty:
            continue
        size = part["size_bytes"]
        held = (part["low"] <= part["saved"]) & (part["saved"] <= part["high"])
        width = ((part["high"] - part["low"]) / size).median()
        shares = [f"{part[name].sum() / size.sum():.0%}" for name in ("low", "saved", "high")]
        cells = [flag, f"{len(part)}", f"{size[held].sum() / size.sum():.0%}", f"{width:.2f}"]
        print("|", " | ".join([*cells, *shares]), "|")
    return rows


def samples(rows: pd.DataFrame, times: int, random: np.random.Generator) -> None:
    """Print how often the 90 % interval of a sample holds the truth."""
    print("\n| n | intervals | held | median width / bytes |\n| ---: | ---: | ---: | ---: |")
    for n in (30, 50):
        held, widths = [], []
        for _ in range(times):
            strata = strata_of(rows, n, random)
            for flag in rows["flag"].unique():
                part = rows[rows["flag"] == flag]
                drawn = [one for one in strata if one.flag == flag]
                some = rows.loc[[one.rows[0] for one in drawn]]
                sure = [one.certain for one in drawn]
                total = float(part["size_bytes"].sum())
                found = estimate(some["saved"], some["size_bytes"], sure, total, random)
                if found is not None and not all(sure):
                    held.append(found.low <= part["saved"].sum() <= found.high)
                    widths.append((found.high - found.low) / total)
        print(f"| {n} | {len(held):,} | {np.mean(held):.0%} | {np.median(widths):.2f} |")


def main() -> None:
    """Print both tables."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    random = np.random.default_rng(20_263)  # Others than savings_factors.py has.
    rows = ranges(corpus(n, random))
    samples(rows, 150, random)


if __name__ == "__main__":
    main()
