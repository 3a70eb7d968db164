"""The preview of a plan: one set of facts, shown as text and as HTML."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from picora_analytics.cleanup.plan.columns import cells
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client.changes import MAX_BATCH
from picora_analytics.client.client import MAX_PAGE_SIZE
from picora_analytics.client.pacing import seconds_needed
from picora_analytics.library.frame import total_bytes
from picora_analytics.library.media_types import format_name
from picora_analytics.text import about, pad, plural, shorten, visible
from picora_analytics.units import format_bytes, format_share

__all__ = [
    "PROMINENT",
    "YEAR",
    "look_twice",
    "preview_facts",
    "preview_html",
    "preview_text",
    "time_to_delete",
]

_NAME = 44  # Columns for a file name.
_ALL_UNDER = 10  # Fewer images than this are all listed.
_LOOK_TWICE = 8
_TYPE = 24
_LONGEST_LITERAL = 80
_KEYS = 15  # Of years, types and reasons; more are counted together.
# Names of pictures that a site shows in one prominent place, and the year of a date within a name. Arrow's search
# knows no looking around, so the letters beside belong to what is found.
PROMINENT = (
    r"(?:^|[^a-z])"
    r"(?P<word>header|hero|banner|logo|favicon|og[-_ ]?image|avatar|cover|background|icon)"
    r"(?:[^a-z]|$)"
)
YEAR = (
    r"(?:^|[^0-9])(?P<year>(?:19|20)[0-9]{2})"
    r"(?:[-_.]?[01][0-9][-_.]?[0-3][0-9]|[-_.][01][0-9])(?:[^0-9]|$)"
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
    look_twice, n_look_twice = _look_twice(images)
    public = int((images["is_public"] == True).sum())  # noqa: E712 - NA is neither
    return {
        "n": n,
        "title": f"DELETE {n:,} IMAGE{'' if n == 1 else 'S'} FOR EVER?"
        if n
        else "NOTHING TO DELETE",
        "stamp": "DEMO · " if library["demo"] else "",
        "made_at": f"{plan.made_at:%d %b %Y, %H:%M} UTC",
        "library": "the DEMO, an invented library on this machine"
        if library["demo"]
        else f"account {visible(library['account'][:8])} on {visible(library['base_url'])} (yours, not the demo)",
        "read": f"complete, read {pd.Timestamp(library['read_at']):%d %b %Y, %H:%M} UTC",
        "why": visible(plan.reason),
        "frees": format_bytes(size),
        "before": format_bytes(whole),
        "after": format_bytes(whole - size),
        "share": f"{n:,} of {plural(library['n_images'], 'image')} ({format_share(n, library['n_images'])})",
        "size_share": format_share(size, whole),
        # What is empty needs no refusal: the title says that there is nothing to do.
        "refusals": plan.refusals if n else [],
        "empty": "" if n else _empty(len(plan.spared)),
        "unsized": int(images["size_bytes"].isna().sum()),
        "by_year": _counts(images, _years(images)),
        "by_type": _counts(images, _types(images)),
        "public": public,
        "broken": _broken(public),
        "private": int((images["is_public"] == False).sum()),  # noqa: E712
        "oldest": _day(images["created_at"].min()) if n else "",
        "newest": _day(images["created_at"].max()) if n else "",
        "look_twice": look_twice,
        "n_look_twice": n_look_twice,
        "protection": [visible(line) for line in plan.protection],
        "searched": [visible(line) for line in plan.searched],
        "stays": _stays(plan),
        "n_stays": len(plan.duplicates),
        "inherits": _inherits(plan)[:_LOOK_TWICE],
        "n_inherits": len(plan.inherits),
        "rows": _sample(images, plan.fingerprint) if n else [],
        "all_listed": n < _ALL_UNDER,
        "reasons": _reasons(images),
        "n_spared": len(plan.spared),
        "spared": _reasons(plan.spared),
        "example": _example(plan),
        "confirmation": plan.confirmation,
        "hiding_confirmation": plan.hiding_confirmation,
        "requests": plural(-(-n // MAX_BATCH), "deleting request"),
        "reads": plural(min(-(-max(library["n_images"], 1) // MAX_PAGE_SIZE), n + 3), "read"),
        "time": time_to_delete(n),
        "time_single": about(seconds_needed(n)),
    }


def time_to_delete(n: int) -> str:
    """Say how long the deletion of some images takes at Picora's documented pace, downloads apart."""
    return about(seconds_needed(-(-n // MAX_BATCH)))


def _empty(n_spared: int) -> str:
    if not n_spared:
        return "No image was chosen."
    all_of = "The one image" if n_spared == 1 else f"All {n_spared:,} images"
    return f"{all_of} of your choice {'is' if n_spared == 1 else 'are'} spared."


def _broken(public: int) -> str:
    they = "it stands" if public == 1 else "they stand"
    return f"{plural(public, 'public address')} will show a broken picture wherever {they}"


def _years(images: pd.DataFrame) -> pd.Series[Any]:
    years = images["created_at"].dt.year
    names = {year: "unknown" if pd.isna(year) else str(int(year)) for year in years.unique()}
    named: pd.Series[Any] = years.map(names) if names else years.astype(object)
    return named


def _types(images: pd.DataFrame) -> pd.Series[Any]:
    codes, different = pd.factorize(images["mime_type"])
    names = np.array([*map(_type, different), "unknown"], dtype=object)
    return pd.Series(names[codes], images.index, dtype=object)


def _type(mime_type: str) -> str:
    return shorten(format_name(mime_type).removeprefix("image/"), _TYPE)


def _counts(images: pd.DataFrame, key: pd.Series[Any]) -> list[tuple[str, int, str]]:
    """Count images and bytes by a key; of many keys, those with the most images are named."""
    groups = pd.factorize(key.to_numpy(dtype=object), sort=True)
    counts = np.bincount(groups[0], minlength=len(groups[1]))
    named = sorted(np.argsort(-counts, kind="stable")[:_KEYS].tolist())
    places = [(str(groups[1][place]), groups[0] == place) for place in named]
    if len(counts) > _KEYS:
        places.append((f"{len(counts) - _KEYS:,} more", ~np.isin(groups[0], named)))
    sizes = images["size_bytes"]
    return [(name, int(own.sum()), format_bytes(total_bytes(sizes[own]))) for name, own in places]


def _day(moment: Any) -> str:
    return "unknown" if pd.isna(moment) else f"{moment.day} {moment:%b %Y}"


def _look_twice(images: pd.DataFrame) -> tuple[list[dict[str, str]], int]:
    """Describe the first images whose name speaks for them, and count all of these."""
    found, n_found = look_twice(images, _LOOK_TWICE)
    rows = [
        _row(str(images.index[place]), images.iloc[place]) | {"note": note} for place, note in found
    ]
    return rows, n_found


def look_twice(images: pd.DataFrame, most: int) -> tuple[list[tuple[int, str]], int]:
    """Give the first rows whose name speaks for the image, each with what it says, and count all such rows."""
    names = pc.utf8_lower(pa.array(images["filename"].array, pa.string()))
    words = pc.struct_field(pc.extract_regex(names, PROMINENT), "word")
    years = pc.struct_field(pc.extract_regex(names, YEAR), "year").cast(pa.int64())
    uploaded = pa.array(images["created_at"].dt.year.array, pa.int64(), from_pandas=True)
    older = pc.less(years, uploaded).fill_null(False)
    found = np.flatnonzero(pc.or_(words.is_valid(), older).to_numpy(zero_copy_only=False))
    rows = []
    for place in found[:most].tolist():
        word, year = words[place].as_py(), years[place].as_py()
        note = (
            f"dated {year} in its name; perhaps the only copy"
            if word is None
            else f"its name says {word}"
        )
        rows.append((place, note))
    return rows, len(found)


def _row(image_id: str, row: pd.Series[Any]) -> dict[str, str]:
    size, width, height, public = row["size_bytes"], row["width"], row["height"], row["is_public"]
    return {
        "id": shorten(image_id, _NAME),
        "filename": "(no name)" if pd.isna(row["filename"]) else shorten(row["filename"], _NAME),
        "size": "unknown" if pd.isna(size) else format_bytes(int(size)),
        "pixels": "no pixel size"
        if pd.isna(width) or pd.isna(height)
        else f"{int(width)} x {int(height)}",
        "visibility": _visibility(public),
    }


def _visibility(public: Any) -> str:
    return "unknown" if pd.isna(public) else "public" if public else "private"


def _sample(images: pd.DataFrame, fingerprint: str) -> list[dict[str, str]]:
    """Pick the three largest and three at random, so that a wrong image is met; the draw repeats."""
    sizes = images["size_bytes"].reset_index(drop=True)
    order = sizes.sort_values(ascending=False, kind="stable", na_position="last").index
    if len(order) >= _ALL_UNDER:
        drawn = random.Random(fingerprint).sample(range(3, len(order)), 3)  # noqa: S311
        order = order[[0, 1, 2, *sorted(drawn)]]
    return [_row(str(image_id), row) for image_id, row in images.iloc[order].iterrows()]


def _reasons(rows: pd.DataFrame) -> list[tuple[int, str]]:
    """Count rows by reason; beyond a number of reasons, only how many more there are."""
    counted = [(int(n), visible(text)) for text, n in rows["reason"].value_counts().items()]
    rest = counted[_KEYS:]
    more = [(sum(n for n, _ in rest), f"for {plural(len(rest), 'more reason')}")] if rest else []
    return counted[:_KEYS] + more


def _stays(plan: Plan) -> list[str]:
    """Name the first duplicates that stay, before all those whose address opens less than the one that goes."""
    going = dict(zip(cells(plan.images.index), cells(plan.images["is_public"]), strict=True))
    shown = zip(cells(plan.staying["is_public"]), cells(plan.staying["filename"]), strict=True)
    staying = dict(zip(cells(plan.staying.index), shown, strict=True))
    known = [
        (going[goes] is True and staying[stays][0] is not True, goes, stays)
        for goes, stays in plan.duplicates.items()
        if goes in going and stays in staying
    ]
    lines = []
    for worse, goes, stays in sorted(known, key=lambda one: not one[0])[:_LOOK_TWICE]:
        public, name = staying[stays]
        text = f"{visible(stays)}  {shorten(name, _NAME)}  stays ({_visibility(public)}) for {visible(goes)}"
        lost = "; its public address goes" if worse else ""
        lines.append(f"{text} ({_visibility(going[goes])}){lost}")
    return lines


def _inherits(plan: Plan) -> list[str]:
    """Say what the first duplicates that stay get from those that go."""
    lines = []
    rows = plan.inherits.head(_LOOK_TWICE)
    for stays, tags, title in rows.itertuples(index=False, name=None):
        parts = [f"the tags {shorten(', '.join(tags), _NAME)}"] if tags else []
        parts += [f"the title {shorten(title, _NAME)}"] if title else []
        lines.append(f"{visible(stays)}  gets {' and '.join(parts)}")
    return lines


def _example(plan: Plan) -> str:
    """Write the first id as code to paste: as a literal, or by its place where it is too long to be read."""
    first = plan.images.index[0] if len(plan.images) else ""
    if re.fullmatch(r"[\w-]{1,60}", first, re.ASCII):
        return f'"{first}"'
    return repr(first) if len(repr(first)) <= _LONGEST_LITERAL else "plan.images.index[0]"


def preview_html(plan: Plan) -> str:
    """Show a preview as HTML; the template escapes every value."""
    facts = preview_facts(plan)
    return _HTML.render(facts)


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
        lines.append(f"            and {plural(facts['unsized'], 'image')} of unknown size")
    if facts["empty"]:
        lines += ["", f"  {facts['empty']}"]
    if facts["refusals"]:
        lines += ["", "  REFUSED AS IT STANDS", *(f"    {text}" for text in facts["refusals"])]
    return lines


def _images(facts: dict[str, Any]) -> list[str]:
    lines = ["", *_side_by_side(facts)] if facts["n"] else []
    if facts["look_twice"]:
        lines += ["", f"  LOOK TWICE ({facts['n_look_twice']:,})"]
        lines += [_line(row, row["visibility"], row["note"]) for row in facts["look_twice"]]
        lines += _more(facts["n_look_twice"] - len(facts["look_twice"]))
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
    if facts["protection"]:
        lines += ["", "  PROTECTED BY", *(f"    {line}" for line in facts["protection"])]
    if facts["stays"]:
        lines += ["", f"  DUPLICATES THAT STAY ({facts['n_stays']:,})     all: plan.duplicates"]
        lines += [f"    {text}" for text in facts["stays"]]
        lines += _more(facts["n_stays"] - len(facts["stays"]))
    if facts["inherits"]:
        lines += ["", f"  THESE INHERIT FIRST ({facts['n_inherits']:,})     all: plan.inherits"]
        lines += [f"    {text}" for text in facts["inherits"]]
        lines += _more(facts["n_inherits"] - len(facts["inherits"]))
    return lines


def _more(n: int) -> list[str]:
    return [f"    and {n:,} more"] if n > 0 else []


def _warnings(facts: dict[str, Any]) -> list[str]:
    return [
        "",
        *_still_used(facts),
        "",
        f"  CANNOT BE UNDONE   {facts['broken']}.",
        "                     A copy can be uploaded again, but under a new address and with a new date.",
        "",
        *_hide_first(facts),
        f'  COPIES             backup="kept/" downloads {facts["frees"]} first, from this month\'s '
        "bandwidth; an image",
        "                     whose copy cannot be proved is kept. backup=None: these images cannot come back.",
        "",
        f"  TAKES              {facts['reads']} and {facts['requests']}, {facts['time']}; one request per image",
        f"                     where the server knows no batches, {facts['time_single']}. Downloads come on top.",
    ]


def _hide_first(facts: dict[str, Any]) -> list[str]:
    """Say what visitors see of hidden images; of private ones they see nothing now."""
    if not facts["public"]:
        return []
    return [
        f"  HIDE FIRST?        {plural(facts['public'], 'public image')} can be private for some weeks: visitors see a "
        "broken picture,",
        "                     and unhide_images shows it again at the same address. No storage is freed.",
        "",
    ]


def _still_used(facts: dict[str, Any]) -> list[str]:
    if not facts["searched"]:
        return [
            "  STILL USED?  Nobody has looked. Picora does not record what is used, and an old picture is not an",
            '               unused one: plan again with protect=find_references(images, "site/").',
        ]
    lines = facts["searched"]
    return [f"  STILL USED?  {lines[0]}", *(f"               {line}" for line in lines[1:])]


def _next_steps(facts: dict[str, Any]) -> list[str]:
    looking = [
        "",
        f"  Fewer       plan = plan.without({facts['example']})",
        "  Rehearse    plan.dry_run(client)",
        '  Review      plan.save("plan.json"), plan.to_csv("plan.csv")',
    ]
    if facts["refusals"]:
        return looking
    return [
        *looking,
        f'  Delete      plan.apply(client, confirm="{facts["confirmation"]}", backup="kept/")',
        *(
            [f'  Or hide     plan.hide(client, confirm="{facts["hiding_confirmation"]}")']
            if facts["public"]
            else []
        ),
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
