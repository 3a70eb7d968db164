"""
Where the factors of `summarize_savings` come from: what encoding anew leaves, by format and bytes per pixel.

    python benchmarks/savings_factors.py            # 600 pictures, about five minutes

Pictures are drawn in other ways, with another seed and other settings than those of `savings.py`, which judges the
ranges: what is fitted here is not tried here.
"""

from __future__ import annotations

import io
import sys

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFilter

from picora_analytics.pictures.reencoding import reencoded_size

MAX_EDGE = 2000


def landscape(wide: int, high: int, random: np.random.Generator) -> Image.Image:
    """Lay slow gradients, blurred shapes and finer and finer noise over one another, and blur parts, as a lens does."""
    total = np.zeros((high, wide, 3))
    weight = random.uniform(0.4, 0.95)
    for octave in range(2, 10):
        rows, columns = max(high >> (9 - octave), 2), max(wide >> (9 - octave), 2)
        small = random.normal(0, 1, (rows, columns, 1)) + random.normal(0, 0.25, (rows, columns, 3))
        planes = [
            np.asarray(
                Image.fromarray(small[..., i].astype("float32")).resize(
                    (wide, high), Image.Resampling.BICUBIC
                )
            )
            for i in range(3)
        ]
        total += np.stack(planes, axis=-1) * weight**octave
    total = (total - total.mean()) / total.std() * random.uniform(30, 60) + random.uniform(90, 160)
    picture = Image.fromarray(np.clip(total, 0, 255).astype("uint8"))
    pen = ImageDraw.Draw(picture)
    for _ in range(random.integers(3, 25)):
        x, y, r = random.integers(0, wide), random.integers(0, high), random.integers(10, 220)
        pen.ellipse(
            [x - r, y - r, x + r, y + r], fill=tuple(int(c) for c in random.integers(0, 256, 3))
        )
    if random.random() < 0.5:
        blurred = picture.filter(ImageFilter.GaussianBlur(float(random.uniform(1, 5))))
        mask = Image.new("L", picture.size, 0)
        edge = int(wide * random.uniform(0.2, 0.8))
        ImageDraw.Draw(mask).rectangle([0, 0, edge, high], fill=255)
        picture = Image.composite(blurred, picture, mask)
    grain = random.normal(
        0, random.choice([0.5, 2, 5, 9, 14]), (high, wide, 3 if random.random() < 0.5 else 1)
    )
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype("uint8"))


def page(wide: int, high: int, random: np.random.Generator) -> Image.Image:
    """Draw a window with columns of smooth letters, a chart, and often a photograph in it."""
    picture = Image.new("RGB", (wide, high), tuple(int(c) for c in random.integers(215, 256, 3)))
    pen = ImageDraw.Draw(picture)
    pen.rectangle([0, 0, wide, 40], fill=tuple(int(c) for c in random.integers(0, 200, 3)))
    size = int(random.integers(11, 20))
    for y in range(60, high, int(size * random.uniform(1.2, 4))):
        words = " ".join(
            "".join(chr(97 + c) for c in random.integers(0, 26, n))
            for n in random.integers(2, 10, 14)
        )
        pen.text(
            (20 + 20 * int(random.integers(0, 3)), y), words, fill=(40, 40, 50), font_size=size
        )
    points = [(x, int(high / 2 + random.normal(0, high / 12))) for x in range(0, wide, 12)]
    pen.line(points, fill=(30, 90, 200), width=3)
    if random.random() < 0.5:
        share = random.uniform(0.2, 0.6)
        inside = landscape(max(int(wide * share), 32), max(int(high * share), 32), random)
        picture.paste(inside, (wide // 4, high // 4))
    return picture


def encoded(random: np.random.Generator) -> tuple[bytes, str, tuple[int, int]]:
    """Give the file, type and pixels of a picture."""
    wide = int(random.integers(320, 1500))
    high = int(wide * random.uniform(0.5, 1.2))
    photo = random.random() < 0.6
    picture = (landscape if photo else page)(wide, high, random)
    form = str(
        random.choice(["JPEG", "PNG", "WEBP"], p=[0.5, 0.3, 0.2] if photo else [0.3, 0.5, 0.2])
    )
    options: dict[str, object] = {"quality": int(random.integers(60, 99))}
    if form == "JPEG":
        options |= {
            "subsampling": int(random.choice([0, 2])),
            "progressive": bool(random.random() < 0.5),
        }
    if form == "PNG":
        options = {"optimize": bool(random.random() < 0.5)}
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue(), f"image/{form.lower()}", picture.size


def measured(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Encode pictures anew: the bytes per pixel before, and the part of the bytes that is left."""
    rows = []
    for _ in range(n):
        data, mime_type, (wide, high) = encoded(random)
        left = min(reencoded_size(data, MAX_EDGE), len(data))
        rows.append((mime_type, len(data), len(data) / (wide * high), left / len(data)))
    return pd.DataFrame(rows, columns=["mime_type", "size_bytes", "per_pixel", "left"])


def main() -> None:
    """Print the quantiles of what is left."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 600
    table = measured(n, np.random.default_rng(20_261))
    table = table[table["per_pixel"] > 0.2]
    bins = pd.cut(table["per_pixel"], [0.2, 0.4, 0.8, 1.6, np.inf])
    grouped = table.groupby(["mime_type", bins], observed=True)["left"]
    print("| format | bytes per pixel | pictures | 2 % | 10 % | half | 90 % | 98 % |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for (mime_type, where), left in grouped:
        cells = [f"{left.quantile(share):.2f}" for share in (0.02, 0.1, 0.5, 0.9, 0.98)]
        print(f"| {mime_type} | {where} | {len(left)} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
