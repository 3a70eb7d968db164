"""
The invented picture library of the demo service, as plain data.

Nothing here is drawn or sent. The same seed and number of images give the same
library for ever, and the clock it is dated by stands still.
"""

from __future__ import annotations

import datetime as dt
import random
from bisect import bisect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from picora_analytics.demo.image import ID_ALPHABET, NOW, DemoImage, milliseconds, moment_of

_FIRST = dt.datetime(2019, 3, 12, 8, 41, 7, 250_000, tzinfo=dt.UTC)
_LAST = dt.datetime(2026, 11, 20, 16, 22, 51, 804_000, tzinfo=dt.UTC)
_DAY = 86_400_000


def smallest_file(extension: str, pixels: tuple[int, int]) -> int:
    """
    Bytes that any drawing of this format and these pixels is sure to fit in.

    The sizes of the library stay above it, so that a file can always be padded to the
    size the listing gives. Measured on the drawings of :mod:`~picora_analytics.demo.pictures`.
    """
    area = pixels[0] * pixels[1]
    base, per_pixel = {
        "jpg": (16_000, 0.045),
        "png": (14_000, 0.025),
        "webp": (8_000, 0.035),
        "gif": (8_000, 0.06),
        "svg": (6_000, 0.0),
    }[extension]
    return int(base + per_pixel * area)


_NOW_MS, _FIRST_MS, _LAST_MS = map(milliseconds, (NOW, _FIRST, _LAST))
_MOVE_MS = milliseconds(dt.datetime(2021, 3, 1, 9, tzinfo=dt.UTC))
_FORGOTTEN_MS = milliseconds(dt.datetime(2020, 5, 4, 8, tzinfo=dt.UTC))


@dataclass(frozen=True, slots=True)
class _Sort:
    """A sort of picture people keep: how often, how it looks, how it is named and tagged."""

    weight: float
    scene: str
    extensions: tuple[str, ...]
    shapes: tuple[tuple[int, int], ...]
    bytes_per_pixel: float
    tags: tuple[str, ...]
    name: Callable[[random.Random, dt.datetime, str], str]


_WORDS = (
    "harbour", "meadow", "old-town", "ridge", "morning", "snow", "lake", "market", "garden",
    "bridge", "kitchen", "workshop", "roof", "autumn", "pines", "coast", "valley", "tram",
    "lamp", "mug", "notebook", "chair", "backpack", "kettle", "茶壶", "山谷", "海边", "秋天",
)  # fmt: skip
_TAGS = (
    "blog", "screenshot", "产品", "风景", "docs", "release-notes", "team", "header", "roof",
    "旅行", "tutorial", "house", "截图", "newsletter", "logo", "food", "diagram", "event", "夏日",
    "garden", "press", "draft", "recipe", "icon", "Team",
)  # fmt: skip
_TAG_STEPS = tuple(accumulate(1 / (rank + 1) for rank in range(len(_TAGS))))


def _camera(rng: random.Random, day: dt.datetime, ext: str) -> str:
    if rng.random() < 0.5:
        return f"IMG_{rng.randrange(1000, 9999)}.{ext}"
    return f"IMG_{day:%Y%m%d}_{rng.randrange(1, 9)}.{ext}"


def _words(rng: random.Random, day: dt.datetime, ext: str) -> str:
    return f"{rng.choice(_WORDS)}-{rng.choice(_WORDS)}-{rng.randrange(1, 60)}.{ext}"


def _shot(rng: random.Random, day: dt.datetime, ext: str) -> str:
    hour, minute = rng.randrange(8, 19), rng.randrange(60)
    return f"Screenshot {day:%Y-%m-%d} at {hour:02}.{minute:02}.{ext}"


def _numbered(stem: str) -> Callable[[random.Random, dt.datetime, str], str]:
    return lambda rng, day, ext: f"{stem}-{rng.randrange(1, 400)}.{ext}"


_PHOTO = (
    (1600, 1067), (1200, 800), (1920, 1080), (1280, 960), (1080, 1350), (1000, 667), (800, 600),
    (1024, 683), (1200, 900), (900, 1200),
)  # fmt: skip
_WIDE = ((4032, 3024), (3000, 2000), (2880, 1800), (3264, 2448), (2592, 1728), (3840, 2160))
_SCREEN = ((1440, 900), (1280, 800), (1920, 1080), (1366, 768), (1024, 640), (1170, 1540))
_MOSTLY_JPG = ("jpg", "jpg", "jpg", "jpg", "webp")

_SORTS = (
    _Sort(30, "landscape", _MOSTLY_JPG, _PHOTO, 0.42, ("blog", "风景", "旅行", "夏日"), _camera),
    _Sort(14, "still", _MOSTLY_JPG, _PHOTO, 0.40, ("产品", "blog", "food", "recipe"), _words),
    _Sort(17, "window", ("png", "png", "png", "webp"), _SCREEN, 0.55,
          ("screenshot", "截图", "tutorial", "release-notes"), _shot),
    _Sort(10, "chart", ("png", "png", "webp"), ((1200, 675), (1000, 700), (1400, 800), (800, 500)),
          0.33, ("docs", "diagram", "newsletter"), _numbered("figure")),
    _Sort(5, "portrait", ("jpg", "webp"), ((800, 800), (600, 750), (1000, 1000)), 0.4,
          ("team", "press", "Team"), _numbered("portrait")),
    _Sort(5, "banner", ("jpg", "png", "webp"), ((1920, 640), (1600, 500), (1200, 630)), 0.6,
          ("header", "blog", "newsletter"), _numbered("header")),
    _Sort(3, "mark", ("svg",), ((480, 480), (640, 320)), 0.2, ("logo", "icon", "docs"),
          _numbered("mark")),
    _Sort(1.5, "chart", ("gif",), ((640, 400), (480, 320)), 1.8, ("release-notes", "tutorial"),
          _numbered("steps")),
)  # fmt: skip
_SORT_STEPS = tuple(accumulate(sort.weight for sort in _SORTS))

_HOSTILE_NAMES = (
    "<img src=x onerror=alert(1)>.png",
    "$\\frac{1}{0}$.png",
    '=HYPERLINK("http://x","y").png',
    "+1.png",
    "-rf.png",
    "photo\u202egnp.exe",
    "\N{PILE OF POO}\N{FAMILY} party.png",
    "very-" + "long-" * 48 + "name.png",
    "\x1b[31mred.png",
    "../../etc/passwd",
    "CON.jpg",
    "two\nlines.png",
    "@SUM(A1:A9).csv.png",
    "</script><script>alert(1)</script>.png",
)
_HOSTILE_TAGS = ("<b>bold</b>", "$x^2$", "=1+1", "-1", "@cmd", "\N{SPARKLES}\N{CAT FACE}")

# Shares of the library; the default of 1,200 images makes 126, 52, 110, 20 and 15 of them.
_MOVED, _FORGOTTEN, _PASTED, _COPIES, _RESIZED = 0.105, 52 / 1200, 0.092, 20 / 1200, 15 / 1200
_WIDE_SHARE = 0.085
_MEAN_SIZE = 1_172_000  # 1,200 images are then 87 % of 1.5 GiB
_YEARS = (60, 72, 118, 140, 152, 170, 290, 252)  # uploads by year, 2019 to 2026


def make_library(n_images: int, seed: int) -> list[DemoImage]:
    """
    Invent a library.

    Parameters
    ----------
    n_images : int
        How many; 0 is an empty library.
    seed : int
        Another seed, another library.

    Returns
    -------
    list of DemoImage
        Oldest upload first.

    Examples
    --------
    >>> [image.filename for image in make_library(2, seed=7)] == [
    ...     image.filename for image in make_library(2, seed=7)
    ... ]
    True
    """
    rng = random.Random(seed)  # noqa: S311  invented pictures, not secrets
    images = list(_invent(rng, n_images))
    _pin_ends(images)
    _add_copies(rng, images)
    _scale_sizes(images)
    _add_hostile_texts(rng, images)
    images.sort(key=lambda image: (image.created_at, image.id))
    return images


def _invent(rng: random.Random, n: int) -> Iterator[DemoImage]:
    """All images before the touches that look at several of them at once."""
    bursts = _bursts(rng, max(1, n // 6))
    moved, forgotten, pasted = (round(n * share) for share in (_MOVED, _FORGOTTEN, _PASTED))
    ids: set[str] = set()
    for index in range(n):
        while (image_id := "".join(rng.choices(ID_ALPHABET, k=11))) in ids:
            pass
        ids.add(image_id)
        if index < moved:
            yield _moved_image(rng, image_id)
        elif index < moved + forgotten:
            yield _forgotten_image(rng, image_id, index - moved)
        elif index < moved + forgotten + pasted:
            yield _pasted_image(rng, image_id, index)
        else:
            yield _usual_image(rng, image_id, bursts)


def _bursts(rng: random.Random, n: int) -> list[int]:
    """Moments at which people sat down to upload: working hours, more of them each year."""
    years = rng.choices(range(2019, 2027), weights=_YEARS, k=n)
    found = []
    for year in years:
        start = max(dt.datetime(year, 1, 1, tzinfo=dt.UTC), _FIRST)
        end = min(dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC), _LAST)
        day = start + dt.timedelta(days=rng.randrange((end - start).days))
        found.append(milliseconds(day) // _DAY * _DAY + rng.randrange(7 * 3_600_000, 68_400_000))
    return found


def _usual_image(rng: random.Random, image_id: str, bursts: list[int]) -> DemoImage:
    sort = _SORTS[_pick(rng, _SORT_STEPS)]
    created = rng.choice(bursts) + int(rng.expovariate(1 / 400_000))
    created = min(max(created, _FIRST_MS), _LAST_MS)
    extension = rng.choice(sort.extensions)
    pixels = rng.choice(sort.shapes)
    if sort.scene in ("landscape", "window", "still") and extension != "webp":
        pixels = rng.choice(_WIDE) if rng.random() < _WIDE_SHARE * 1.85 else pixels
    if extension == "webp":
        pixels = (pixels[0] * 2 // 3, pixels[1] * 2 // 3)  # what blogs make of them
    tags = [rng.choice(sort.tags)]
    while rng.random() < 0.28 and len(tags) < 4:
        tag = _TAGS[_pick(rng, _TAG_STEPS)]
        tags += [tag] if tag not in tags else []
    # A WebP often began as something else: the service converts, the file name stays.
    named = "jpg" if extension == "webp" and rng.random() < 0.5 else extension
    name = sort.name(rng, moment_of(created), named)
    image = _image(rng, image_id, name, extension, pixels, sort, created, tuple(tags))
    age = _NOW_MS - created
    edits: dict[str, Any] = {}
    if rng.random() < 0.08:
        edits["title"] = name.rsplit(".", 1)[0].replace("-", " ").capitalize()
    if rng.random() < 0.14:
        edits["updated_at"] = created + int(age * rng.random() ** 3)
    if extension != "svg" and age < 21 * _DAY and rng.random() < 0.5:
        edits["has_dimensions"] = False  # still in processing
    return replace(image, **edits) if edits else image


def _moved_image(rng: random.Random, image_id: str) -> DemoImage:
    """An image that came from another host in the first week of March 2021."""
    # Whole seconds and few of them: many uploads share an instant, as a script makes them.
    created = _MOVE_MS + rng.randrange(7) * _DAY + rng.randrange(24) * 1_000
    taken = dt.datetime(2012, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=rng.randrange(3_300))
    pixels = rng.choice(_WIDE) if rng.random() < 0.1 else rng.choice(_PHOTO)
    name = f"IMG_{taken:%Y%m%d}_{rng.randrange(1, 9)}.jpg"
    tags = rng.choice((("blog",), ("blog", "风景"), ("风景",), ("旅行",), ("house", "roof")))
    return _image(rng, image_id, name, "jpg", pixels, _SORTS[0], created, tags)


def _forgotten_image(rng: random.Random, image_id: str, index: int) -> DemoImage:
    """An old image that nobody tagged; one in ten was touched again lately."""
    created = _FORGOTTEN_MS + rng.randrange(
        1_600 * _DAY
    )  # up to the autumn of 2024: over 730 days old
    screenshots = _SORTS[2]
    names = {0: "header-spring.png", 1: "og-image-about.png", 2: "IMG_20140607_1.jpg"}
    name = names.get(index) or _shot(rng, moment_of(created), "png")
    if index == 3:
        created = milliseconds(dt.datetime(2022, 5, 11, 9, 14, 33, tzinfo=dt.UTC))
        name = "Screenshot 2022-05-11 at 09.14.png"
    sort = {0: _SORTS[5], 1: _SORTS[5], 2: _SORTS[0]}.get(index, screenshots)
    pixels = sort.shapes[index % len(sort.shapes)]
    image = _image(rng, image_id, name, name[-3:], pixels, sort, created, ())
    if index % 10 == 4:
        image = replace(image, updated_at=_NOW_MS - rng.randrange(4 * _DAY, 80 * _DAY))
    return image


def _pasted_image(rng: random.Random, image_id: str, index: int) -> DemoImage:
    """An image an editor uploaded by itself in the last eighteen months, never tagged."""
    created = _LAST_MS - rng.randrange(_DAY, 540 * _DAY)
    sort = _SORTS[2] if rng.random() < 0.7 else _SORTS[3]
    name = f"pasted-image-{index}.png"
    return _image(rng, image_id, name, "png", rng.choice(sort.shapes), sort, created, ())


def _image(
    rng: random.Random,
    image_id: str,
    name: str,
    extension: str,
    pixels: tuple[int, int],
    sort: _Sort,
    created: int,
    tags: tuple[str, ...],
) -> DemoImage:
    """Fill in what all sorts of images share; the size is log-normal around the pixels."""
    size = pixels[0] * pixels[1] * sort.bytes_per_pixel * rng.lognormvariate(0, 0.75)
    if rng.random() < 0.02:
        size *= 2 + rng.paretovariate(1.3)  # the few that somebody exported at full quality
    if extension == "svg":
        size = rng.lognormvariate(10, 0.9)
    return DemoImage(
        id=image_id,
        filename=name,
        title=None,
        extension=extension,
        size_bytes=int(size),
        pixels=pixels,
        has_dimensions=extension != "svg",
        is_public=rng.random() >= 0.12,
        tags=tags,
        created_at=created,
        updated_at=created,
        scene=sort.scene,
        artwork=rng.getrandbits(48),
    )


def _pin_ends(images: list[DemoImage]) -> None:
    """Put the last two images at the very ends of the time line."""
    for place, moment in ((-1, _LAST), (-2, _FIRST)):
        if len(images) >= -place:
            instant = milliseconds(moment)
            images[place] = replace(
                images[place],
                created_at=instant,
                updated_at=instant,
                has_dimensions=images[place].extension != "svg",
                tags=images[place].tags or ("blog",),
            )


def _add_hostile_texts(rng: random.Random, images: list[DemoImage]) -> None:
    """Names and tags that break whatever trusts them, on tagged images only."""
    tagged = [index for index, image in enumerate(images) if image.tags]
    for index, name in zip(_sample(rng, tagged, 20), _HOSTILE_NAMES, strict=False):
        images[index] = replace(images[index], filename=name)
    for index, tag in zip(_sample(rng, tagged, 40), _HOSTILE_TAGS, strict=False):
        images[index] = replace(images[index], tags=(*images[index].tags, tag))


def _sample(rng: random.Random, places: list[int], one_in: int) -> list[int]:
    return rng.sample(places, len(places) // one_in)


def _scale_sizes(images: list[DemoImage]) -> None:
    """Stretch all sizes to the mean of the library, within what can be drawn and uploaded."""
    total = sum(image.size_bytes for image in images)
    factor = _MEAN_SIZE * len(images) / total if total else 1.0
    for index, image in enumerate(images):
        scaled = int(image.size_bytes * (1 if image.extension == "svg" else factor))
        lowest = smallest_file(image.extension, image.pixels) + image.artwork % 997
        highest = 1_900_000 if image.extension == "svg" else 48_000_000  # docs: 2 MB and 50 MB
        size = min(max(scaled, lowest), highest)
        size += size % 2 if image.extension == "webp" else 0  # a RIFF file has an even length
        images[index] = replace(image, size_bytes=size)


def _add_copies(rng: random.Random, images: list[DemoImage]) -> None:
    """Turn some later images into exact or smaller copies of earlier ones."""
    n = len(images)
    usual = [i for i in range(round(n * (_MOVED + _FORGOTTEN + _PASTED)), n - 2) if images[i].tags]
    rasters = [i for i in usual if images[i].extension in ("jpg", "png")]
    n_copies, n_resized = round(n * _COPIES), round(n * _RESIZED)
    chosen = rng.sample(rasters, min(2 * (n_copies + n_resized), len(rasters) // 2 * 2))
    for place, (one, other) in enumerate(zip(chosen[::2], chosen[1::2], strict=True)):
        first, second = sorted((one, other), key=lambda i: images[i].created_at)
        original = images[first]
        stem, _, ending = original.filename.rpartition(".")
        copy = replace(
            images[second],
            extension=original.extension,
            scene=original.scene,
            artwork=original.artwork,
            pixels=original.pixels,
            has_dimensions=original.has_dimensions,
            size_bytes=original.size_bytes,
            filename=original.filename if place % 2 else f"{stem} (1).{ending}",
        )
        if place >= n_copies:
            pixels = (original.pixels[0] // 2, original.pixels[1] // 2)
            size = original.size_bytes * 3 // 10
            name = f"{stem}-{pixels[0]}x{pixels[1]}.{ending}"
            copy = replace(copy, pixels=pixels, size_bytes=size, filename=name)
        images[second] = copy


def _pick(rng: random.Random, steps: tuple[float, ...]) -> int:
    return bisect(steps, rng.random() * steps[-1], 0, len(steps) - 1)
