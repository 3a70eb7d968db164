"""A plan as a page with pictures, for those who own the content and have neither Python nor a key."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import pandas as pd

from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.cleanup.plan.preview import look_twice, preview_facts
from picora_analytics.files import write_atomic
from picora_analytics.pictures.thumbnails import Thumbnail, Thumbnails
from picora_analytics.progress import Progress, progress_for
from picora_analytics.report.templates import template
from picora_analytics.text import plural, shorten, visible
from picora_analytics.times import day, day_and_time
from picora_analytics.units import format_bytes

__all__ = ["write_review_page"]

MOST = 1000  # Pictures on one page: about 8 MB.
TWICE = 24
_BOX = (240, 180)  # Pixels of an embedded picture.
_QUALITY = 72
_NAME = 60
_LOCK = "M5 11h14v9H5zM8 11V8a4 4 0 018 0v3"
_BROKEN = "M4 5h16v8l-4-3-4 4-3-3-5 5zM4 19h16v-2"


def write_review_page(
    plan: Plan,
    path: Path,
    table: str,
    *,
    pictures_at: str | None = None,
    progress: Progress | bool | None = None,
) -> tuple[Path, int]:
    """
    Write a plan as one file with its pictures in it, to be sent to people.

    Public pictures alone are fetched, without a key, and embedded small; a private one is a lock with its size. No
    address is in the page, and it asks for nothing.

    Parameters
    ----------
    plan : Plan
    path : Path
    table : str
        The name of the CSV file that goes with it, whose rows the page names.
    pictures_at : str, optional
        Where a demo serves its pictures now; that of the plan has ended with its command.
    progress : Progress or bool, optional

    Returns
    -------
    (Path, int)
        The file, and how many of its pictures came.
    """
    images = plan.images.iloc[:MOST]
    there = images
    if pictures_at is not None:
        there = images.assign(url=f"{pictures_at}/" + images["url"].str.rpartition("/")[2])
    pictures = _fetched(there, plan.library["demo"], progress)
    facts = preview_facts(plan)
    noted, n_noted = look_twice(images, TWICE)
    notes = dict(noted)
    tiles = [
        _tile(row, str(image_id), image, pictures.get(str(image_id)), notes.get(row, ""))
        for row, (image_id, image) in enumerate(images.iterrows())
    ]
    n = facts["n"]
    page = template("review.html.j2").render(
        title=f"{n:,} picture{' is' if n == 1 else 's are'} to be deleted. "
        f"{'Is it' if n == 1 else 'Are any'} still needed?",
        demo=plan.library["demo"],
        size=facts["frees"],
        unsized=facts["unsized"],
        why=facts["why"],
        library=facts["library"].replace(" (yours, not the demo)", ""),
        made_at=facts["made_at"],
        until=day_and_time(plan.expires_at),
        table=visible(table),
        reasons=plan.images["reason"].nunique() > 1,
        twice=[tiles[row] for row, _ in noted],
        n_twice=n_noted,
        n=f"{len(images):,}",
        images=tiles,
        rest=f"{n - len(images):,}" if n > len(images) else "",
        lock=_LOCK,
        broken=_BROKEN,
    )
    write_atomic(path, lambda file: file.write_text(page, encoding="utf-8"))
    return path, len(pictures)


def _fetched(images: pd.DataFrame, demo: bool, progress: Progress | bool | None) -> dict[str, str]:
    """Fetch the public pictures, and give each as a data address."""
    public = images[images["is_public"].fillna(False)]
    found: dict[str, str] = {}
    show = progress_for(progress, "Fetching pictures")
    n_done = 0

    def take(image_id: str, picture: Thumbnail | None) -> None:
        nonlocal n_done
        n_done += 1
        uri = None if picture is None else _embedded(picture)
        if uri is not None:
            found[image_id] = uri
        show.update(n_done, len(public))

    if len(public):
        Thumbnails(demo=demo).fetch(public, take)
    show.finish(f"{len(found):,} of {plural(len(public), 'public picture')} came")
    return found


def _embedded(picture: Thumbnail) -> str | None:
    """Make a picture small, as what every mail program and browser shows."""
    from PIL import Image

    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(picture.data), formats=[picture.format.upper()]) as opened:
            opened.thumbnail(_BOX)
            clear = "A" in opened.getbands() or "transparency" in opened.info
            kind = "png" if clear else "jpeg"
            if clear:
                opened.convert("RGBA").quantize(64).save(out, "PNG", optimize=True)
            else:
                opened.convert("RGB").save(out, "JPEG", quality=_QUALITY, optimize=True)
    except Exception:  # Pillow's readers raise whatever a broken file makes them.
        return None
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode('ascii')}"


def _tile(
    row: int, image_id: str, image: pd.Series[Any], uri: str | None, note: str
) -> dict[str, Any]:
    size, public = image["size_bytes"], image["is_public"]
    shown = "unknown size" if pd.isna(size) else format_bytes(int(size))
    private = pd.isna(public) or not public
    uploaded = image["created_at"]
    return {
        "row": f"{row + 2:,}",  # The first row of the table has the titles.
        "id": shorten(image_id, _NAME),
        "name": "(no name)" if pd.isna(image["filename"]) else shorten(image["filename"], _NAME),
        "meta": shown + ("" if pd.isna(uploaded) else f", uploaded {day(uploaded)}"),
        "reason": visible(image["reason"]),
        "note": note.partition(";")[0],
        "uri": uri,
        "private": private,
        "why": f"private, {shown}" if private else "no picture came",
    }
