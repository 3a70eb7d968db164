"""Choosing: goals and piles as options of plan, a review in a spreadsheet, and decide."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import given, parsed, refuse_unheard, say
from picora_analytics.cli.completing import names_remembered
from picora_analytics.cli.documents import json_option, print_facts
from picora_analytics.cli.values import DATE, DAYS, FilePath, OutputPath
from picora_analytics.cli.words import in_shell_words
from picora_analytics.times import now

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.analysis.criteria import Criteria
    from picora_analytics.cleanup import DeletionPlan
    from picora_analytics.references import References

__all__ = [
    "choice_options",
    "chosen",
    "decide",
    "refuse_unclear",
    "refuse_unknown_tags",
    "reviewed",
]

_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_OPTIONS = (
    click.option("--free", metavar="SIZE", help="Free so much, by what would be missed least."),
    click.option(
        "--free-to",
        metavar="SIZE",
        help="Free until so much is in use: a size, or a part of the quota such as 80%.",
    ),
    click.option("--pile", metavar="NAME", help="One pile of what may go, such as duplicates."),
    click.option("--old", type=DAYS, metavar="DAYS", help="What old means."),
    click.option(
        "--from",
        "review",
        type=FilePath(dir_okay=False),
        metavar="CSV",
        help="Rows that --csv wrote, some struck out: these are kept, and noted in --decisions.",
    ),
)


def choice_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give plan its options that choose without a rule."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def refuse_unclear(criteria: Criteria, options: dict[str, Any]) -> None:
    """Refuse, as wrong usage, what chooses nothing, or in two ways at once."""
    goals = [name for name in ("free", "free_to", "pile", "review") if options[name] is not None]
    ways = len(goals) + bool(criteria.given())
    if not ways:
        raise click.UsageError(
            "Give at least one rule, such as --older-than 730, or --free, --free-to or --pile; a plan never means all "
            "images."
        )
    if ways > 1:
        raise click.UsageError("Give rules, or one of --free, --free-to, --pile and --from.")
    if options["old"] is not None and not {"free", "free_to", "pile"}.intersection(goals):
        raise click.UsageError("--old is for --free, --free-to and --pile; a rule is --older-than.")
    if criteria.not_found_in and not options["references"]:
        raise click.UsageError("--not-found-in needs --references, the JSON of the command scan.")
    for rule in criteria.given():
        if rule.kind in ("decision", "hidden") and not options["decisions"]:
            name = f"--{rule.name.replace('_', '-')}"
            raise click.UsageError(f"{name} needs --decisions, the CSV of the command decide.")
    if options["review"] is not None:
        refuse_unheard(
            ("reason", "inherit", "refresh", "store"),
            "is for a new plan; --from takes what is left of one that was made before.",
        )
    if not goals and not options["reason"]:
        raise click.UsageError("Missing option '--reason': why may these images go?")


def chosen(
    images: pd.DataFrame,
    criteria: Criteria,
    options: dict[str, Any],
    references: References | None = None,
) -> dict[str, Any]:
    """Give the choice, what protects and what was decided, as `plan_deletion` takes them."""
    protect = list(options["protect"]) or None
    if criteria.given():
        looked = [] if references is None else [references]
        return {
            "choice": criteria.mask(images, references, options["decisions"]),
            "protect": [*options["protect"], *looked] or None,
            "decisions": options["decisions"],
        }
    from picora_analytics import suggest

    goal = {name: options[name] for name in ("free", "free_to", "pile", "old")}
    goal = {name: value for name, value in goal.items() if value is not None}
    decisions = options["decisions"]
    told = io.StringIO()
    with contextlib.redirect_stderr(told):
        # What it is made with rides along.
        choice = suggest(
            images, **goal, protect=protect, decisions=decisions, references=references
        )
    if told.getvalue():
        say(in_shell_words(told.getvalue().rstrip("\n")), err=True)
    return {"choice": choice}


def refuse_unknown_tags(
    images: pd.DataFrame, tagged: Sequence[str], protect: Sequence[str]
) -> None:
    """Refuse, as wrong usage, a tag that no image has: a word typed wrongly chooses nothing, or protects nothing."""
    from picora_analytics.analysis import rules
    from picora_analytics.cleanup.plan.choice import protection

    if tagged:
        parsed(lambda tags: rules.tagged(images, *tags), tagged)
    if protect:
        parsed(lambda tags: protection(images, list(tags)), protect)


def reviewed(
    options: dict[str, Any], references: References | None, *, as_json: bool, quiet: bool
) -> DeletionPlan:
    """
    Read a review, say what was struck out, and note it as kept where there is a file for that.

    Of what is left, more may be kept by what protects, and the caps are those that were given.
    """
    from picora_analytics.cleanup import DeletionPlan
    from picora_analytics.cleanup.plan.review import read_review
    from picora_analytics.cleanup.plan.sparing import make_caps, tightened
    from picora_analytics.text import plural

    found = read_review(Path(options["review"]))
    for line in found.lines:
        say(line, err=True)
    if not quiet:
        say(f"Struck out: {plural(len(found.struck), 'image')}\n", err=as_json)
    decisions = options["decisions"]
    if decisions is not None and len(found.struck):
        names = found.struck[["filename", "url"]].fillna("").astype(str)
        rows = [
            {"id": str(one), "decision": "keep", "filename": name, "url": url}
            for one, (name, url) in zip(names.index, names.to_numpy().tolist(), strict=True)
        ]
        _note(Path(decisions), rows)
    caps = dataclasses.asdict(found.plan.caps)
    caps |= {name: options[name] for name in caps if given(name)}
    left = tightened(
        found.plan,
        protect=options["protect"],
        references=references,
        decisions=decisions if decisions is not None and Path(decisions).exists() else None,
        caps=make_caps(**caps),
    )
    return DeletionPlan.of(left)


def _note(file: Path, rows: list[dict[str, str]]) -> Path:
    """Add rows to a file of decisions, which is made where there is none."""
    from picora_analytics.decisions import add_decisions
    from picora_analytics.times import format_instant, now

    decided_at = format_instant(now().replace(microsecond=0))
    return add_decisions(file, [row | {"decided_at": decided_at} for row in rows])


def _look_at_ids(decisions: Mapping[str, str]) -> None:
    """Refuse, as wrong usage, what has not the form of an id; and where another is nearly the same, name it."""
    from picora_analytics.analysis.matching import Images
    from picora_analytics.text import shorten

    images = Images(names_remembered())
    for one, decision in decisions.items():
        found = images.match([one]).ids
        if one in found:
            continue
        near = sorted(found)[:3] or [images.nearest(one)]
        named = f" Nearest: {', '.join(repr(shorten(like, 60)) for like in near)}." * any(near)
        if not _ID.fullmatch(one):
            raise click.UsageError(
                f"--{decision.replace(' ', '-')} {shorten(one, 60)!r} is no id: that is 11 letters, digits, - or _, as "
                f"`picora-analytics load -o images.csv` lists them.{named}"
            )
        if named:
            say(f"{one!r} is not in the library as it was remembered last.{named}", err=True)


@click.command(short_help="Note what was decided about images, in a CSV file.")
@click.argument("file", type=OutputPath(), metavar="DECISIONS.CSV")
@click.option("--keep", multiple=True, metavar="ID", help="Never suggest it again; repeatable.")
@click.option("--delete", multiple=True, metavar="ID", help="A wish, which deletes nothing.")
@click.option("--later", multiple=True, metavar="ID", help="Ask again on the day of --until.")
@click.option(
    "--not-duplicates", multiple=True, nargs=2, metavar="ID ID", help="Two images; repeatable."
)
@click.option("--until", type=DATE, metavar="DATE", help="How long it stands.")
@click.option("--by", default="", help="Who decided.")
@click.option("--note", default="", help="Why.")
@json_option
def decide(file: str, until: Any, by: str, note: str, as_json: bool, **said: Any) -> None:
    """
    Note what was decided about images; plan, report and panel mind it.

    The file is a table for people, Git and spreadsheets. An id that begins with a dash is given as --keep=ID.
    Without an id, the decisions are counted.
    """
    more, day = {"by": by, "note": note}, until.isoformat() if until else ""
    rows = [
        # A wish to delete does not end.
        {"id": one, "decision": word, "until": day if word != "delete" else ""} | more
        for word in ("keep", "delete", "later")
        for one in said[word]
    ]
    rows += [
        {"id": one, "decision": "not duplicates", "other_id": other} | more
        for one, other in said["not_duplicates"]
    ]
    if not rows:
        refuse_unheard(("until", "by", "note"), "is about an image; give --keep ID or another.")
    if not (said["keep"] or said["later"]):
        refuse_unheard(["until"], "is for --keep and --later; nothing else ends by itself.")
    # Somewhere it is still yesterday.
    if until is not None and until < now().date() - dt.timedelta(days=1):
        raise click.UsageError(f"--until {until} is past, so the decision would not stand at all.")
    if said["later"] and not until:
        raise click.UsageError("--later needs --until, the day to ask again.")
    for row in rows:
        if row["id"] == row.get("other_id"):
            raise click.UsageError(
                f"--not-duplicates needs two images, and both are {row['id']!r}."
            )
    if rows:
        _look_at_ids(
            {
                row[name]: row["decision"]
                for row in rows
                for name in ("id", "other_id")
                if name in row
            }
        )
    if not rows and not Path(file).exists():
        raise click.UsageError(
            f"DECISIONS.CSV: there is no file {file!r}; with --keep ID or another it is made."
        )
    written = _note(Path(file), rows) if rows else None
    from picora_analytics.decisions import read_decisions

    counts = read_decisions(file)["decision"].value_counts(sort=False)
    if as_json:
        told = {str(word): int(n) for word, n in counts.items()}
        print_facts("decide", {"file": file, "n_noted": len(rows), "counts": told})
        return
    if written:
        say(f"Written    {written}")
    for word, n in counts.items():
        say(f"{n:>8,}  {word}")
