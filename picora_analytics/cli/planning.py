"""The command plan."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from picora_analytics.analysis.criteria import RULES, Criteria, Decision
from picora_analytics.cli.choosing import (
    choice_options,
    chosen,
    refuse_unclear,
    refuse_unknown_tags,
    reviewed,
)
from picora_analytics.cli.common import (
    THRESHOLD,
    end,
    load_library,
    parsed,
    quiet_option,
    refresh_option,
    refuse_missing,
    refuse_suffix,
    refuse_unknown,
    say,
    typed_demo,
    warn_of_loss,
    with_client,
)
from picora_analytics.cli.completing import tags
from picora_analytics.cli.documents import json_option, print_json
from picora_analytics.cli.receipts import say_what_it_takes
from picora_analytics.cli.values import DATE, DAYS, FRACTION, FilePath, OutputPath
from picora_analytics.cli.words import in_shell_words, to_type
from picora_analytics.text import plural

if TYPE_CHECKING:
    from picora_analytics.cleanup import DeletionPlan
    from picora_analytics.client import Client
    from picora_analytics.references import References

__all__ = ["plan"]

_VALUES: dict[str, dict[str, Any]] = {
    "days": {"type": DAYS, "metavar": "DAYS"},
    "date": {"type": DATE, "metavar": "DATE"},
    "size": {"metavar": "SIZE"},
    "tags": {"multiple": True, "metavar": "TAG", "shell_complete": tags},
    "flag": {"is_flag": True},
    "references": {"is_flag": True},
    "decision": {"type": click.Choice(get_args(Decision))},
    "hidden": {"type": DAYS, "metavar": "DAYS"},
}


def _rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for each rule there is; it gets them filled in, as `criteria`."""

    @functools.wraps(command)
    def wrapper(*args: Any, **options: Any) -> Any:
        given = {rule.name: options.pop(rule.name) for rule in RULES}
        return command(*args, criteria=Criteria(**given), **options)

    for rule in reversed(RULES):
        text = rule.help if rule.kind != "tags" else f"{rule.help} Repeatable."
        name = f"--{rule.name.replace('_', '-')}"
        wrapper = click.option(name, rule.name, help=text, **_VALUES[rule.kind])(wrapper)
    return wrapper


@click.command()
@_rule_options
@choice_options
@click.option("--reason", help="Why these images may go; needed with rules.")
@click.option(
    "--protect",
    multiple=True,
    metavar="TAG",
    shell_complete=tags,
    help="Keep images having this tag; repeatable.",
)
@click.option(
    "--references",
    type=FilePath(dir_okay=False),
    help="Keep what a search found in use: the JSON of the command scan.",
)
@click.option("--decisions", type=FilePath(dir_okay=False), help="CSV of earlier decisions.")
@click.option("--max-images", type=click.IntRange(0), help="At most so many images.")
@click.option("--max-bytes", metavar="SIZE", help="At most so many bytes.")
@click.option(
    "--max-fraction",
    type=FRACTION,
    default=0.25,
    show_default=True,
    help="Of images and of bytes: 0.25 is a quarter.",
)
@click.option(
    "--inherit/--no-inherit",
    default=True,
    help="Whether a duplicate that stays gets the tags and title of those that go.",
)
@click.option("-o", "--output", type=OutputPath(), help="Save the plan for review, as JSON.")
@click.option(
    "--csv",
    "csv_path",
    type=OutputPath(),
    help="Also write the rows as CSV, for a review: see --from.",
)
@refresh_option
@click.option(
    "--store", type=FilePath(file_okay=False), help="Remember the library in this folder."
)
@json_option
@quiet_option
@with_client
def plan(
    client: Client,
    criteria: Criteria,
    output: str | None,
    csv_path: str | None,
    store: str | None,
    as_json: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """
    Plan a cleanup and rehearse it; nothing is deleted.

    An image must meet every rule given. Instead of rules, --free and --free-to take what would be missed least, --pile
    one pile of it, and --from the rows that are left of a review in a spreadsheet; what protects, and caps, may be
    given anew with it.

    Exit codes: 0 planned, also where nothing is to be deleted; 1 error; 2 wrong usage or no key; 3 the plan would be
    refused, as over its caps; 4 the library was read or remembered only in part; 130 stopped by Ctrl-C.
    """
    refuse_unclear(criteria, options)
    _refuse_unreadable(criteria, output, csv_path, options)
    references = _references(options["references"])
    if options["review"] is not None:
        made = reviewed(options, references, as_json=as_json, quiet=quiet)
    else:
        made = _planned(client, criteria, store, options, references, quiet=quiet)
    # Saved before printed: a pipe that ends early loses nothing.
    written = _written(made, output, csv_path)
    if as_json:
        from picora_analytics.cleanup.plan.document import to_document

        print_json(to_document(made))
    if (as_json or quiet) and len(made.images):
        for refusal in made.refusals:
            say(in_shell_words(f"picora-analytics: refused as it stands: {refusal}"), err=True)
    if not (as_json or quiet):
        _show(client, made, output, csv_path or options["review"], written)
    end(THRESHOLD if len(made.images) and made.refusals else 0)


def _show(
    client: Client,
    made: DeletionPlan,
    output: str | None,
    table: str | None,
    written: Sequence[Path],
) -> None:
    """Print the preview and a rehearsal of it."""
    text = in_shell_words(repr(made))
    say(to_type(text, sys.argv[1:], output, table, demo=typed_demo()))
    if len(made.images):
        say_what_it_takes(made, client)
        say(f"\n{in_shell_words(repr(made.dry_run(client)))}")
    for path in written:
        say(f"\nWritten    {path}")
    if not len(made.images):
        say("Nothing to delete.")


def _written(made: DeletionPlan, output: str | None, csv_path: str | None) -> list[Path]:
    written = [made.save(output)] if output else []
    if csv_path:
        from picora_analytics.cleanup.plan.review import write_review

        written.append(write_review(made, Path(csv_path)))
    return written


# What stands in every preview and receipt, for each image: a line, not an essay.
_LONGEST_REASON = 500


def _refuse_unreadable(
    criteria: Criteria, output: str | None, csv_path: str | None, options: dict[str, Any]
) -> None:
    """Refuse, before anything is read, values, files and names that would fail later."""
    from picora_analytics.units import parse_storage

    refuse_suffix(output, ".json")
    refuse_suffix(csv_path, ".csv", option="--csv")
    reason = options["reason"]
    if reason is not None and (len(reason) > _LONGEST_REASON or not reason.strip()):
        raise click.UsageError(
            f"--reason holds {plural(len(reason), 'character')}; say why in 1 to {_LONGEST_REASON}."
        )
    for name in ("max_bytes", "free"):
        if options[name] is not None:
            parsed(parse_storage, options[name], f"--{name.replace('_', '-')}")
    if criteria.larger_than is not None:
        parsed(parse_storage, criteria.larger_than, "--larger-than")
    goal = options["free_to"]
    if goal is not None and not re.fullmatch(r"\s*(100|\d{1,2})(\.\d+)?\s*%\s*", goal):
        parsed(parse_storage, goal, "--free-to")
    refuse_missing({"--references": options["references"], "--from": options["review"]})
    if options["review"] is None:  # Of a review, decisions may be noted in a new file.
        refuse_missing({"--decisions": options["decisions"]})
    if options["pile"] is not None:
        from picora_analytics.analysis.piles import PILES

        names = [one.name for one in PILES]
        refuse_unknown("--pile", [options["pile"]], names, f"the piles {', '.join(names)}")


def _references(path: str | None) -> References | None:
    if path is None:
        return None
    from picora_analytics import read_references

    return read_references(path)


def _planned(
    client: Client,
    criteria: Criteria,
    store: str | None,
    options: dict[str, Any],
    references: References | None,
    *,
    quiet: bool,
) -> DeletionPlan:
    """Load the library, and plan what the options choose of it."""
    from picora_analytics.cleanup.deletion import plan_withholding
    from picora_analytics.cleanup.plan.sparing import make_caps

    if options["decisions"]:
        from picora_analytics import read_decisions

        read_decisions(
            options["decisions"]
        )  # What is wrong with it is said before anything is asked for.
    if store is None and not client.demo:
        from picora_analytics.files import data_folder

        warn_of_loss({"the snapshots": data_folder()})
    images = load_library(client, store=store, refresh=options["refresh"], recent=True, quiet=quiet)
    refuse_unknown_tags(images, criteria.tagged, options["protect"])
    arguments = {"protect": None, "decisions": None}
    arguments |= chosen(images, criteria, options, references)
    return plan_withholding(
        images,
        **arguments,
        withheld=criteria.tagged,
        reason=options["reason"],
        caps=make_caps(options["max_images"], options["max_bytes"], options["max_fraction"]),
        inherit=options["inherit"],
    )
