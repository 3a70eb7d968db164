"""
Where the ranges of `summarize_savings` come from: what encoding anew keeps, by format and bytes per pixel.

    python benchmarks/savings_factors.py            # 900 pictures of one kind, 650 of another; 15 minutes
    python benchmarks/savings_factors.py 0.1        # a tenth of them

The first kind is drawn here, the second as in `savings.py`, which judges the ranges on pictures of another seed. The
last line tries ranges of one half of all these pictures on the other half, twenty times.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
import savings
from PIL import Image, ImageDraw, ImageFilter

from picora_analytics.analysis.savings import BYTES_PER_PIXEL, FLOOR
from picora_analytics.pictures.reencoding import reencoded_size

# No picture here is larger.
MAX_EDGE = 2000
# A range holds this part of the pictures of a class: of a format, from so many bytes per pixel on.
HELD, HELD_OF_HEAVY = 0.9, 0.95
HEAVY = {
    ("image/png", 0.0),
    ("image/png", 0.4),
    ("image/png", 0.8),
    ("image/png", 1.6),
    ("image/jpeg", 0.6),
}
CLASSES = {
    "image/jpeg": (0.0, 0.2, 0.3, 0.45, 0.6),
    "image/png": (0.0, 0.4, 0.8, 1.6),
    "image/webp": (0.0, 0.4),
}


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


def drawn(scale: float) -> Iterator[tuple[bytes, str, tuple[int, int]]]:
    """Draw the pictures of both kinds."""
    random = np.random.default_rng(101)
    yield from (encoded(random) for _ in range(round(900 * scale)))
    for seed, n in ((202, 350), (303, 300)):
        random = np.random.default_rng(seed)
        yield from (savings.encoded(number, random) for number in range(round(n * scale)))


def measured(files: Iterable[tuple[bytes, str, tuple[int, int]]]) -> pd.DataFrame:
    """Encode pictures anew: the class of each, the part of its bytes that is kept, and of that a smaller copy's."""
    rows = []
    for data, mime_type, (wide, high) in files:
        per_pixel = len(data) / (wide * high)
        copy, edge = reencoded_size(data, MAX_EDGE), int(0.8 * max(wide, high))
        begins = max(edge for edge in CLASSES[mime_type] if edge <= per_pixel)
        flagged = len(data) - BYTES_PER_PIXEL * wide * high > FLOOR
        smaller = reencoded_size(data, edge) / copy / 0.64
        rows.append((mime_type, begins, min(copy / len(data), 1.0), smaller, len(data), flagged))
    names = ["mime_type", "begins", "kept", "smaller", "size_bytes", "flagged"]
    return pd.DataFrame(rows, columns=names)


def narrowest(kept: pd.Series, part: float) -> tuple[float, float]:
    """Give the narrowest range that holds this part."""
    ordered = np.sort(kept.to_numpy())
    n = int(np.ceil(part * len(ordered)))
    first = int(np.argmin(ordered[n - 1 :] - ordered[: len(ordered) - n + 1]))
    return float(ordered[first]), float(ordered[first + n - 1])


def ranges(table: pd.DataFrame) -> dict[tuple[str, float], tuple[float, float]]:
    """Give the range of each class."""
    groups = table.groupby(["mime_type", "begins"])["kept"]
    return {key: narrowest(kept, HELD_OF_HEAVY if key in HEAVY else HELD) for key, kept in groups}


def held(learned: pd.DataFrame, others: pd.DataFrame) -> tuple[float, float]:
    """Give the part of other flagged bytes that the ranges hold, and the median width of a range."""
    found, rows = ranges(learned), others[others["flagged"]]
    keys = zip(rows["mime_type"], rows["begins"], strict=True)
    least, most = np.transpose([found.get(key, (0.0, 1.0)) for key in keys])
    inside = rows["kept"].between(least, most)
    return float(np.average(inside, weights=rows["size_bytes"])), float(np.median(most - least))


def main() -> None:
    """Print the ranges, and what those of one half hold of the other."""
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    table = measured(drawn(scale))
    n = table.groupby(["mime_type", "begins"]).size()
    print("| format | bytes per pixel from | pictures | keeps least | keeps most |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for key, (least, most) in ranges(table).items():
        print(f"| {key[0]} | {key[1]} | {n[key]} | {least:.2f} | {most:.2f} |")
    first = round(900 * scale)
    finest = [some.quantile(0.05) for some in (table["smaller"][:first], table["smaller"][first:])]
    print(
        f"\nOf 0.8 of the edge, 19 in 20 copies of the first kind keep {finest[0]:.2f} or more of their bytes per"
    )
    print(f"pixel, of the second kind {finest[1]:.2f}.")
    random = np.random.default_rng(5)
    cuts = [random.random(len(table)) < 0.5 for _ in range(20)]
    part, width = np.mean([held(table[cut], table[~cut]) for cut in cuts], axis=0)
    print(f"Of the other half, {part:.0%} of the bytes held, median width {width:.2f}.")


if __name__ == "__main__":
    main()
