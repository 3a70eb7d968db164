"""A long plan reviewed in portions: one goes out as a table, and what comes back of it is noted."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import refuse_missing, refuse_unheard, refuse_unknown, say
from picora_analytics.cli.documents import json_option, print_facts, rows_of
from picora_analytics.cli.values import FilePath, OutputPath
from picora_analytics.text import plural

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.cleanup.plan.model import Plan

__all__ = ["review"]

_PAGES = (".html", ".htm")
_NOTHING: dict[str, Any] = {
    "portions": [],
    "next": None,
    "written": [],
    "n_pictures": None,
    "counts": {},
}
# For machines, and for people.
Said = tuple[dict[str, Any], list[str]]


@click.command(short_help="Look through a saved plan in portions, and note what was decided.")
@click.argument("file", type=FilePath(dir_okay=False), metavar="PLAN.JSON|REVIEW.CSV")
@click.option(
    "--decisions",
    type=OutputPath(),
    help="The CSV that remembers what was decided; made where there is none. A page needs none.",
)
@click.option(
    "--by",
    type=click.Choice(["month", "pile"]),
    default="month",
    show_default=True,
    help="Portions.",
)
@click.option("--portion", metavar="NAME", help="This one; default: the first not decided whole.")
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    help="Write what is open of it here, as CSV; as a page with pictures where the name ends in .html.",
)
@click.option("--demo", is_flag=True, help="The page's pictures are those of the invented library.")
@json_option
def review(
    file: str,
    decisions: str | None,
    by: str,
    portion: str | None,
    output: str | None,
    demo: bool,
    as_json: bool,
) -> None:
    """
    Look through a saved plan month by month or pile by pile, and go on where you stopped.

    With a plan, the portions are counted, and with -o the next one is written as a table. Strike out the lines of what
    should stay, and give the table back: these are noted as keep, the others as delete. A wish alone deletes nothing:
    plan --decided delete takes what was wished, and what nobody looked at is kept. No key is needed.

    \b
    With -o review.html, for people who have neither: one page with the pictures, to be sent
    together with review.csv, written beside it. Public pictures alone are fetched.
    """
    refuse_missing({"PLAN.JSON|REVIEW.CSV": file})
    comes_back = file.lower().endswith(".csv")
    page = None if output is None or Path(output).suffix.lower() not in _PAGES else Path(output)
    if decisions is None and (comes_back or page is None):
        raise click.UsageError(
            "Missing option '--decisions'; only a page (-o review.html) needs none."
        )
    if comes_back:
        refuse_unheard(
            ("by", "portion", "output", "demo"), "is for a plan; a table that came back is noted."
        )
    elif page is None:
        refuse_unheard(["demo"], "is for the pictures of a page (-o review.html).")
    elif portion is None:
        refuse_unheard(["by"], "says what --portion is of; without that, the page shows all.")
    if comes_back:
        facts, lines = _take_back(Path(file), str(decisions))
    elif page is not None:
        facts, lines = _write_page(Path(file), decisions, by, portion, page, demo=demo)
    else:
        facts, lines = _hand_out(Path(file), str(decisions), by, portion, output)
    if as_json:
        print_facts("review", _NOTHING | facts)
    else:
        say("\n".join(lines))


def _write_page(
    file: Path, decisions: str | None, by: str, portion: str | None, page: Path, *, demo: bool
) -> Said:
    from picora_analytics import DemoServer, read_plan
    from picora_analytics.cleanup.plan.review import write_review
    from picora_analytics.report.review import write_review_page

    plan: Plan = read_plan(file)
    if demo and not plan.library["demo"]:
        raise click.UsageError(f"{str(file)!r} is no plan of the demo; leave --demo out.")
    earlier = decisions if decisions is not None and Path(decisions).exists() else None
    if portion is not None:
        _refuse_no_portion(plan, portion, by)
        plan = plan.portion(portion, by, decisions=earlier)
    table = page.with_suffix(".csv")
    # The page first: where that fails, no table is left alone.
    with DemoServer() if demo else contextlib.nullcontext() as server:
        at = None if server is None else server.pictures_url
        _, n_pictures = write_review_page(plan, page, table.name, pictures_at=at)
    write_review(plan, table)
    images = plural(len(plan.images), "image").partition(" ")[2]
    lines = [f"{len(plan.images):>8,}  {images}, {n_pictures:,} with a picture"]
    if plan.library["demo"] and not n_pictures:
        lines.append("The demo of this plan has ended; with --demo the page has its pictures.")
    noted = shlex.quote(decisions or "decisions.csv")
    lines += [
        f"Send       {page} and {table}",
        f"Keep       {table}.plan.json beside {table.name}: it says what was shown",
        f"Then       picora-analytics review {shlex.quote(str(table))} --decisions {noted}",
    ]
    written = [str(page), str(table), f"{table}.plan.json"]
    return {"written": written, "n_pictures": n_pictures}, lines


def _hand_out(file: Path, decisions: str, by: str, portion: str | None, output: str | None) -> Said:
    from picora_analytics import read_plan
    from picora_analytics.cleanup.plan.review import write_review
    from picora_analytics.units import format_bytes

    plan = read_plan(file)
    earlier = decisions if Path(decisions).exists() else None
    table = plan.portions(by, decisions=earlier)
    if portion is not None:
        _refuse_no_portion(plan, portion, by)
    facts: dict[str, Any] = {"portions": rows_of(table)}
    lines = []
    for name, n, size, n_decided in table.to_numpy().tolist():
        state = "decided" if n_decided == n else f"{n_decided:,} decided"
        lines.append(f"{n:>8,}  {format_bytes(size):>10}  {name}  ({state})")
    opened = table[table["n_decided"] < table["n_images"]]
    if not len(opened):
        return facts, [
            *lines,
            "\nAll of it was looked at. To plan what was wished: picora-analytics plan --decided delete --decisions "
            f"{shlex.quote(decisions)} --reason WHY",
        ]
    name = portion if portion is not None else str(opened["portion"].iloc[0])
    part = plan.portion(name, by, decisions=earlier)
    lines.append(
        f"\nNext       {name}: {plural(len(part.images), 'image')}, {format_bytes(part.size_bytes)}"
    )
    if output:
        written = write_review(part, Path(output))
        facts["written"] = [str(written), f"{written}.plan.json"]
        lines.append(f"Written    {written}")
    return facts | {"next": name}, lines


def _refuse_no_portion(plan: Plan, portion: str, by: str) -> None:
    names = plan.portions(by)["portion"].tolist()
    refuse_unknown("--portion", [portion], names, "the portions of this plan")


def _take_back(file: Path, decisions: str) -> Said:
    from picora_analytics.cleanup.plan.review import read_review
    from picora_analytics.decisions import add_decisions
    from picora_analytics.times import format_instant, now

    found = read_review(file)
    for line in found.lines:
        say(line, err=True)
    said = format_instant(now().replace(microsecond=0))
    kept, wished = found.struck, found.plan.images
    add_decisions(decisions, [*_rows(kept, "keep", said), *_rows(wished, "delete", said)])
    counts = {"keep": len(kept), "delete": len(wished)}
    return {"written": [decisions], "counts": counts}, [
        f"Keep       {plural(len(kept), 'image')}",
        f"Delete     {plural(len(wished), 'image')}, a wish that deletes nothing",
        f"Written    {decisions}",
    ]


def _rows(images: pd.DataFrame, decision: str, said: str) -> list[dict[str, str]]:
    names = images[["filename", "url"]].fillna("").astype(str)
    return [
        {"id": str(one), "decision": decision, "decided_at": said, "filename": name, "url": url}
        for one, (name, url) in zip(names.index, names.to_numpy().tolist(), strict=True)
    ]
