"""Commands that clean up: plan, backup, restore, apply."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from picora_analytics.analysis.criteria import RULES, Criteria, Decision
from picora_analytics.cli.choosing import choice_options, chosen, refuse_unclear, reviewed
from picora_analytics.cli.common import (
    PARTIAL,
    THRESHOLD,
    FilePath,
    OutputPath,
    end,
    load_library,
    parsed,
    quiet_option,
    refresh_option,
    refuse_suffix,
    say,
    warn_of_loss,
    with_client,
)
from picora_analytics.cli.receipts import end_with, with_receipt
from picora_analytics.cli.words import in_shell_words

if TYPE_CHECKING:
    from picora_analytics.cleanup import DeletionPlan, DeletionReceipt
    from picora_analytics.client import Client

__all__ = ["apply", "backup", "plan", "restore"]

_VALUES: dict[str, dict[str, Any]] = {
    "days": {"type": click.FloatRange(min=0), "metavar": "DAYS"},
    "date": {"type": click.DateTime(["%Y-%m-%d"]), "metavar": "DATE"},
    "size": {"metavar": "SIZE"},
    "tags": {"multiple": True, "metavar": "TAG"},
    "flag": {"is_flag": True},
    "references": {"is_flag": True},
    "decision": {"type": click.Choice(get_args(Decision))},
    "hidden": {"type": click.FloatRange(min=0), "metavar": "DAYS"},
}


def _rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for each rule there is; it gets them filled in, as `criteria`."""

    @functools.wraps(command)
    def wrapper(*args: Any, **options: Any) -> Any:
        given = {rule.name: options.pop(rule.name) for rule in RULES}
        if given["uploaded_before"] is not None:
            given["uploaded_before"] = given["uploaded_before"].date()
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
    "--protect", multiple=True, metavar="TAG", help="Keep images having this tag; repeatable."
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
    type=click.FloatRange(0, 1, min_open=True),
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
@quiet_option
@with_client
def plan(
    client: Client,
    criteria: Criteria,
    output: str | None,
    csv_path: str | None,
    store: str | None,
    quiet: bool,
    **options: Any,
) -> None:
    """
    Plan a cleanup and rehearse it; nothing is deleted.

    An image must meet every rule given. Instead of rules, --free and --free-to take what would be missed least, --pile
    one pile of it, and --from the rows that are left of a review in a spreadsheet.

    Exit codes: 0 planned, also where nothing is to be deleted; 1 error; 2 wrong usage or no key; 3 the plan would be
    refused, as over its caps; 4 the library was read or remembered only in part; 130 stopped by Ctrl-C.
    """
    refuse_unclear(criteria, options)
    _refuse_unreadable(criteria, output, csv_path, options)
    if options["review"] is not None:
        made = reviewed(options["review"], options["decisions"])
    else:
        made = _planned(client, criteria, store, options, quiet=quiet)
    written = _written(
        made, output, csv_path
    )  # Saved before printed: a pipe that ends early loses nothing.
    if not quiet:
        say(in_shell_words(repr(made)))
    if len(made.images):
        rehearsed = made.dry_run(client)
        if not quiet:
            say(f"\n{in_shell_words(repr(rehearsed))}")
    for path in written:
        say(f"\nWritten    {path}")
    if not len(made.images):
        say("Nothing to delete.")
        end()
    elif made.refusals:
        sys.exit(THRESHOLD)
    end()


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
    from picora_analytics.units import parse_bytes

    refuse_suffix(output, ".json")
    refuse_suffix(csv_path, ".csv", option="--csv")
    reason = options["reason"]
    if reason is not None and (len(reason) > _LONGEST_REASON or not reason.strip()):
        raise click.UsageError(
            f"--reason holds {len(reason):,} characters; say why in 1 to {_LONGEST_REASON}."
        )
    for name in ("max_bytes", "free"):
        if options[name] is not None:
            parsed(parse_bytes, options[name], f"--{name.replace('_', '-')}")
    if criteria.larger_than is not None:
        parsed(parse_bytes, criteria.larger_than, "--larger-than")
    goal = options["free_to"]
    if goal is not None and not re.fullmatch(r"\s*(100|\d{1,2})(\.\d+)?\s*%\s*", goal):
        parsed(parse_bytes, goal, "--free-to")
    if options["references"] and not Path(options["references"]).is_file():
        raise click.UsageError(f"--references: there is no file {options['references']!r}.")


def _planned(
    client: Client,
    criteria: Criteria,
    store: str | None,
    options: dict[str, Any],
    *,
    quiet: bool,
) -> DeletionPlan:
    """Load the library, and plan what the options choose of it."""
    from picora_analytics.cleanup.deletion import plan_withholding
    from picora_analytics.cleanup.plan.sparing import make_caps

    if store is None and not client.demo:
        from picora_analytics.files import data_folder

        warn_of_loss({"the snapshots": data_folder()})
    images = load_library(client, store=store, refresh=options["refresh"], recent=True, quiet=quiet)
    references = None
    if options["references"]:
        from picora_analytics import read_references

        references = read_references(options["references"])
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


@click.command(short_help="Copy the files of a saved plan and prove each copy.")
@click.argument("plan_file", type=FilePath(dir_okay=False), metavar="PLAN.JSON")
@click.argument("folder", type=FilePath(file_okay=False))
@with_client
def backup(client: Client, plan_file: str, folder: str) -> None:
    """
    Copy the original files of a saved plan into FOLDER and prove each copy; nothing is deleted.

    Copies already there are checked again and reused. The downloads count towards the month's image bandwidth.
    """
    from picora_analytics import read_plan

    made = read_plan(plan_file).back_up(client, folder)
    say(repr(made))
    if made.failed:
        sys.exit(PARTIAL)


@click.command(short_help="Upload copies again, under new addresses.")
@click.argument("folder", type=FilePath(file_okay=False))
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this image; repeatable.")
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    help="Write old and new ids and addresses and every outcome, as CSV.",
)
@with_client
def restore(client: Client, folder: str, ids: Sequence[str], output: str | None) -> None:
    """
    Upload the copies in FOLDER again, under new addresses and with a new date.

    Images still in the library are not sent. A second call goes on where the first ended.
    FOLDER/restored.csv holds old and new addresses, for a search and replace.
    """
    from picora_analytics import restore_images
    from picora_analytics.files import write_csv
    from picora_analytics.text import visible

    refuse_suffix(output, ".csv")
    rows = restore_images(client, folder, list(ids) or None)
    if output:
        write_csv(rows, Path(output))
    for row in rows[rows["reason"] != ""].itertuples(index=False):
        say(visible(f"{row.old_id}  {row.outcome}: {row.reason}", 2000))
    for outcome, n in rows["outcome"].value_counts().items():
        say(f"{n:>8,}  {outcome}")
    if output:
        say(f"\nWritten    {output}")
    if not {"failed", "unknown"}.isdisjoint(rows["outcome"]):
        sys.exit(PARTIAL)


@click.command()
@click.argument("plan_file", type=FilePath(dir_okay=False), metavar="PLAN.JSON", required=False)
@click.option(
    "--confirm", metavar="PHRASE", help="The phrase of the preview, typed. Without it: a dry run."
)
@click.option(
    "--confirm-file",
    type=FilePath(dir_okay=False),
    help="A text file with the phrase that was approved.",
)
@click.option(
    "--backup", type=FilePath(file_okay=False), metavar="DIR", help="Keep copies here first."
)
@click.option("--no-backup", is_flag=True, help="Say that these images may be lost for ever.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with an apply that was interrupted; a journal may be given instead of its plan.",
)
@click.option(
    "--min-age",
    default="1h",
    show_default=True,
    help="In CI, how old a plan must be before its phrase is accepted.",
)
@click.option(
    "--standing-order",
    type=FilePath(dir_okay=False),
    metavar="POLICY.TOML",
    help="Instead of a plan and its phrase: a policy, for jobs that nobody watches.",
)
@click.option(
    "--store", type=FilePath(file_okay=False), help="With --standing-order: the snapshots."
)
@click.option("-o", "--output", type=OutputPath(), help="Write the receipt: .json or .csv.")
@with_client
def apply(
    client: Client,
    plan_file: str | None,
    standing_order: str | None,
    store: str | None,
    output: str | None,
    **said: Any,
) -> None:
    """
    Carry out a saved plan: delete exactly its images, for ever.

    Without --confirm it is a dry run that only reads. The journal is kept beside the plan. Nothing is ever asked
    for: what is not said here does not happen.

    Exit codes: 0 each image was deleted, already gone or kept; 1 refused, or stopped by an error; 2 wrong usage;
    3 a dry run of a plan that would be refused; 4 some failed or are unknown, or the plan was not carried out
    to its end.
    """
    _refuse_contradictions(plan_file, standing_order, store, said)
    refuse_suffix(output, ".json", ".csv")
    _refuse_min_age(said["min_age"])

    def run() -> DeletionReceipt | None:
        if standing_order is not None:
            return _follow(client, standing_order, store)
        if said["resume"]:
            return _resume(client, Path(str(plan_file)), **said)
        return _apply(client, Path(str(plan_file)), **said)

    end_with(with_receipt(run, output))


def _refuse_contradictions(
    plan_file: str | None, policy: str | None, store: str | None, said: dict[str, Any]
) -> None:
    """Refuse, as wrong usage, what cannot be meant together: nothing that was typed is left unheard."""
    if (plan_file is None) == (policy is None):
        raise click.UsageError("Give either a plan, or --standing-order with a policy.")
    if policy is not None:
        unheard = [
            name
            for name in ("confirm", "confirm_file", "backup", "no_backup", "resume")
            if said[name]
        ]
        if unheard:
            name = f"--{unheard[0].replace('_', '-')}"
            raise click.UsageError(
                f"{name} is for a plan; with --standing-order the policy says it all."
            )
    elif store is not None:
        raise click.UsageError("--store is for --standing-order; a plan holds its own images.")
    if said["confirm"] is not None and said["confirm_file"] is not None:
        raise click.UsageError("Give --confirm or --confirm-file, not both.")
    if said["backup"] is not None and said["no_backup"]:
        raise click.UsageError("Give --backup or --no-backup, not both.")


def _refuse_min_age(text: str) -> None:
    from picora_analytics.units import parse_duration

    parsed(parse_duration, text, "--min-age")


def _phrase(confirm: str | None, confirm_file: str | None) -> str | None:
    from picora_analytics.cleanup.policy.ci import read_phrase

    return confirm if confirm_file is None else read_phrase(Path(confirm_file))


def _resume(
    client: Client,
    path: Path,
    *,
    confirm: str | None,
    confirm_file: str | None,
    backup: str | None,
    no_backup: bool,
    **_: Any,
) -> DeletionReceipt:
    """Go on with a plan, or with the plan of a journal; a phrase is not needed, and minded where it is given."""
    from picora_analytics import read_plan, resume_deletion
    from picora_analytics.cleanup.apply.start import check_phrase, journal_path

    kept: dict[str, Any] = {"backup": backup} if backup or no_backup else {}
    phrase = _phrase(confirm, confirm_file)
    if path.suffix.lower() == ".ndjson":
        if phrase is not None:
            raise click.UsageError(
                "A phrase is for a plan; a journal holds the one that was given."
            )
        _warn(path, backup)
        return resume_deletion(client, path, **kept)
    made = read_plan(path)
    if phrase is not None:
        check_phrase(made, phrase)
    _warn(journal_path(made, client, "default"), backup)
    return resume_deletion(client, made, **kept)


def _apply(
    client: Client,
    path: Path,
    *,
    confirm: str | None,
    confirm_file: str | None,
    backup: str | None,
    no_backup: bool,
    min_age: str,
    **_: Any,
) -> DeletionReceipt:
    """Carry a plan out, or rehearse it where no phrase is given."""
    from picora_analytics import read_plan
    from picora_analytics.cleanup.apply.start import check_phrase, journal_path
    from picora_analytics.cleanup.policy.ci import refuse_same_job, refuse_unmounted
    from picora_analytics.times import now
    from picora_analytics.units import parse_duration

    made = read_plan(path)
    phrase = _phrase(confirm, confirm_file)
    if phrase is None:
        return made.dry_run(client)
    if backup is None and not no_backup:
        raise click.UsageError(
            f"Say --backup DIR to keep copies first, or --no-backup if these {len(made.images):,} images may be "
            "lost for ever."
        )
    check_phrase(made, phrase)
    if confirm_file is not None and backup is not None:
        refuse_unmounted(Path(backup))
    refuse_same_job(made, parse_duration(min_age, "--min-age"), os.environ, now())
    _warn(journal_path(made, client, "default"), backup)
    return made.apply(client, confirm=phrase, backup=backup)


def _warn(journal: Path, backup: str | None) -> None:
    places = {"the journal": journal}
    if backup is not None:
        places["the copies"] = Path(backup)
    warn_of_loss(places)


def _follow(client: Client, policy: str, store: str | None) -> DeletionReceipt | None:
    from picora_analytics.cleanup.policy.follow import follow_policy

    made, receipt = follow_policy(client, policy, store=store or "default")
    say(repr(made))
    return receipt
