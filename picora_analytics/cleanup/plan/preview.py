"""The preview of a plan: one set of facts, shown as text and as HTML."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client.changes import MAX_BATCH
from picora_analytics.client.client import MAX_PAGE_SIZE
from picora_analytics.client.pacing import seconds_needed
from picora_analytics.text import about, pad, plural, shorten, visible
from picora_analytics.units import format_bytes, format_share

__all__ = ["preview_facts", "preview_html", "preview_text"]

_NAME = 44  # Columns for a file name.
_ALL_UNDER = 10  # Fewer images than this are all listed.
_LOOK_TWICE = 8
# Names of pictures that a site shows in one prominent place.
_PROMINENT = re.compile(
    r"(?<![a-z])(header|hero|banner|logo|favicon|og[-_ ]?image|avatar|cover|background|icon)(?![a-z])"
)
_YEAR = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:(?=[-_.]?[01]\d[-_.]?[0-3]\d(?!\d))|(?=[-_.][01]\d(?!\d)))"
)

_HTML = jinja2.Environment(
    autoescape=True, loader=jinja2.FileSystemLoader(Path(__file__).parent), trim_blocks=True
).get_template("preview.html.j2")


def preview_facts(plan: Plan) -> dict[str, Any]:
    """
    Work out the facts of a preview.

    Strangers' text is made visible here, and escaped where it is shown.
    """
    images, library = plan.images, plan.library
    n = len(images)
    size, whole = plan.size_bytes, library["size_bytes"]
    return {
        "n": n,
        "title": f"DELETE {n:,} IMAGE{'' if n == 1 else 'S'} FOR EVER?"
        if n
        else "NOTHING TO DELETE",
        "stamp": "DEMO · " if library["demo"] else "",
        "made_at": f"{plan.made_at:%d %b %Y, %H:%M} UTC",
        "library": "the DEMO, an invented library on this machine"
        if library["demo"]
        else f"account {library['account'][:8]} on {visible(library['base_url'])} (yours, not the demo)",
        "read": f"complete, read {pd.Timestamp(library['read_at']):%d %b %Y, %H:%M} UTC",
        "why": visible(plan.reason),
        "frees": format_bytes(size),
        "before": format_bytes(whole),
        "after": format_bytes(whole - size),
        "share": f"{n:,} of {library['n_images']:,} images ({format_share(n, library['n_images'])})",
        "size_share": format_share(size, whole),
        "refusals": [refusal.text for refusal in plan.refusals],
        "unsized": int(images["size_bytes"].isna().sum()),
        "by_year": _counts(images, _years(images)),
        "by_type": _counts(
            images, images["mime_type"].map(_kind, na_action="ignore").fillna("unknown")
        ),
        "public": int((images["is_public"] == True).sum()),  # noqa: E712 - NA is neither
        "private": int((images["is_public"] == False).sum()),  # noqa: E712
        "oldest": _day(images["created_at"].min()) if n else "",
        "newest": _day(images["created_at"].max()) if n else "",
        "look_twice": _look_twice(images),
        "rows": _sample(images, plan.fingerprint) if n else [],
        "all_listed": n < _ALL_UNDER,
        "reasons": _reasons(images),
        "n_spared": len(plan.spared),
        "spared": _reasons(plan.spared),
        "example": _example(plan),
        "confirmation": plan.confirmation,
        "requests": plural(-(-n // MAX_BATCH), "deleting request"),
        "reads": plural(min(-(-max(library["n_images"], 1) // MAX_PAGE_SIZE), n + 3), "read"),
        "time": about(seconds_needed(-(-n // MAX_BATCH))),
        "time_single": about(seconds_needed(n)),
    }


def _years(images: pd.DataFrame) -> pd.Series[Any]:
    years: pd.Series[Any] = images["created_at"].dt.year.astype("Int64").astype("string")
    return years.fillna("unknown")


def _counts(images: pd.DataFrame, key: pd.Series[Any]) -> list[tuple[str, int, str]]:
    grouped = images["size_bytes"].groupby(key.to_numpy(dtype=object))
    table = pd.DataFrame({"n": grouped.size(), "size": grouped.sum()})
    return [
        (visible(name), int(n), format_bytes(int(size)))
        for name, n, size in table.itertuples(name=None)
    ]


def _kind(mime_type: str) -> str:
    return mime_type.removeprefix("image/").removesuffix("+xml").upper()


def _day(moment: Any) -> str:
    return "unknown" if pd.isna(moment) else f"{moment.day} {moment:%b %Y}"


def _look_twice(images: pd.DataFrame) -> list[dict[str, str]]:
    found = []
    for image_id, name, uploaded in zip(
        images.index, images["filename"], images["created_at"].dt.year, strict=True
    ):
        note = "" if pd.isna(name) else _note(name.lower(), uploaded)
        if note:
            found.append(_row(str(image_id), images.loc[image_id]) | {"note": note})
    return found


def _note(name: str, uploaded: float) -> str:
    if match := _PROMINENT.search(name):
        return f"its name says {match[1]}"
    year = _YEAR.search(name)
    if year and int(year[1]) < uploaded:  # Never true of a missing year.
        return f"dated {year[1]} in its name; perhaps the only copy"
    return ""


def _row(image_id: str, row: pd.Series[Any]) -> dict[str, str]:
    size, width, height, public = row["size_bytes"], row["width"], row["height"], row["is_public"]
    return {
        "id": visible(image_id),
        "filename": "(no name)" if pd.isna(row["filename"]) else shorten(row["filename"], _NAME),
        "size": "unknown" if pd.isna(size) else format_bytes(int(size)),
        "pixels": "no pixel size"
        if pd.isna(width) or pd.isna(height)
        else f"{int(width)} x {int(height)}",
        "visibility": "unknown" if pd.isna(public) else "public" if public else "private",
    }


def _sample(images: pd.DataFrame, fingerprint: str) -> list[dict[str, str]]:
    """Pick the three largest and three at random, so that a wrong image is met; the draw repeats."""
    ranked = images.sort_values("size_bytes", ascending=False, kind="stable", na_position="last")
    if len(ranked) >= _ALL_UNDER:
        drawn = random.Random(fingerprint).sample(range(3, len(ranked)), 3)  # noqa: S311
        ranked = ranked.iloc[[0, 1, 2, *sorted(drawn)]]
    return [_row(str(image_id), row) for image_id, row in ranked.iterrows()]


def _reasons(rows: pd.DataFrame) -> list[tuple[int, str]]:
    return [(int(n), visible(text)) for text, n in rows["reason"].value_counts().items()]


def _example(plan: Plan) -> str:
    return visible(plan.images.index[0]) if len(plan.images) else ""


def preview_html(plan: Plan) -> str:
    """Show a preview as HTML; the template escapes every value."""
    facts = preview_facts(plan)
    return _HTML.render(
        facts, look_more=max(len(facts["look_twice"]) - _LOOK_TWICE, 0), look_max=_LOOK_TWICE
    )


def preview_text(plan: Plan) -> str:
    """Show a preview as plain text."""
    facts = preview_facts(plan)
    lines = [*_summary(facts), *_images(facts), *_why(facts)]
    if facts["n"]:
        lines += [*_warnings(facts), *_next_steps(facts)]
    return "\n".join(line.rstrip() for line in lines)


def _summary(facts: dict[str, Any]) -> list[str]:
    lines = [
        f"{facts['stamp']}{facts['title']}   nothing has been sent · preview of {facts['made_at']}",
        "",
        f"  library   {facts['library']}   {facts['read']}",
        f'  why       "{facts["why"]}"',
        f"  frees     {facts['frees']}   {facts['before']} -> {facts['after']} "
        f"({facts['size_share']} of the storage)   {facts['share']}",
    ]
    if facts["unsized"]:
        lines.append(f"            and {facts['unsized']:,} images of unknown size")
    if facts["refusals"]:
        lines += ["", "  REFUSED AS IT STANDS", *(f"    {text}" for text in facts["refusals"])]
    return lines


def _images(facts: dict[str, Any]) -> list[str]:
    lines = ["", *_side_by_side(facts)] if facts["n"] else []
    if facts["look_twice"]:
        shown = facts["look_twice"][:_LOOK_TWICE]
        lines += ["", f"  LOOK TWICE ({len(facts['look_twice']):,})"]
        lines += [_line(row, row["visibility"], row["note"]) for row in shown]
        if len(facts["look_twice"]) > len(shown):
            lines.append(f"    and {len(facts['look_twice']) - len(shown):,} more")
    if facts["rows"]:
        heading = (
            "ALL OF THEM"
            if facts["all_listed"]
            else f"LARGEST (3 of {facts['n']:,}) AND THREE DRAWN BY CHANCE     all: plan.images"
        )
        lines += ["", f"  {heading}", *(_line(row, row["pixels"]) for row in facts["rows"])]
    return lines


def _why(facts: dict[str, Any]) -> list[str]:
    lines = []
    if len(facts["reasons"]) > 1:
        lines += ["", "  REASONS", *(f"    {n:>6,}  {text}" for n, text in facts["reasons"])]
    if facts["n_spared"]:
        lines += [
            "",
            f"  SPARED FROM YOUR CHOICE ({facts['n_spared']:,} of {facts['n_spared'] + facts['n']:,})"
            "     all: plan.spared",
            *(f"    {n:>6,}  {text}" for n, text in facts["spared"]),
        ]
    return lines


def _warnings(facts: dict[str, Any]) -> list[str]:
    return [
        "",
        "  STILL USED?  Nobody has looked. Picora does not record what is used, and an old picture is not an",
        "               unused one: search your site for the ids before you delete.",
        "",
        f"  CANNOT BE UNDONE   {facts['public']:,} public addresses will show a broken picture wherever they "
        "stand.",
        "                     A copy can be uploaded again, but under a new address and with a new date.",
        "",
        f'  COPIES             backup="kept/" downloads {facts["frees"]} first, from this month\'s '
        "bandwidth; an image",
        "                     whose copy cannot be proved is kept. backup=None: these images cannot come back.",
        "",
        f"  TAKES              {facts['reads']} and {facts['requests']}, {facts['time']}; one request per image",
        f"                     where the server knows no batches, {facts['time_single']}. Downloads come on top.",
    ]


def _next_steps(facts: dict[str, Any]) -> list[str]:
    return [
        "",
        f'  Fewer       plan = plan.without("{facts["example"]}")',
        "  Rehearse    plan.dry_run(client)",
        '  Review      plan.save("plan.json"), plan.to_csv("plan.csv")',
        f'  Delete      plan.apply(client, confirm="{facts["confirmation"]}", backup="kept/")',
    ]


def _line(row: dict[str, str], *rest: str) -> str:
    name = pad(row["filename"], _NAME)
    return "  ".join(["  ", pad(row["id"], 11), name, pad(row["size"], 10, right=True), *rest])


def _side_by_side(facts: dict[str, Any]) -> list[str]:
    years, kinds = facts["by_year"], facts["by_type"]
    notes = [
        f"{facts['public']:,} public, {facts['private']:,} private",
        f"oldest {facts['oldest']}",
        f"newest {facts['newest']}",
    ]
    lines = []
    for i in range(max(len(years), len(kinds), len(notes))):
        left = _cell(years, i)
        middle = _cell(kinds, i)
        heads = ("uploaded", "type") if i == 0 else ("", "")
        note = notes[i] if i < len(notes) else ""
        lines.append(f"  {heads[0]:<9} {left}   {heads[1]:<5} {middle}   {note}")
    return lines


def _cell(rows: list[tuple[str, int, str]], i: int) -> str:
    if i >= len(rows):
        return " " * 26
    name, n, size = rows[i]
    return f"{pad(shorten(name, 8), 8)} {n:>6,} {size:>10}"
