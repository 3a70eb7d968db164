"""The command apply: a saved plan, an interrupted one, or a standing order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import (
    parsed,
    quiet_option,
    refuse_missing,
    refuse_same_file,
    refuse_suffix,
    refuse_unheard,
    say,
    warn_of_loss,
    with_client,
)
from picora_analytics.cli.documents import json_option
from picora_analytics.cli.receipts import end_with, say_what_it_takes, with_receipt
from picora_analytics.cli.values import FilePath, OutputPath
from picora_analytics.text import plural

if TYPE_CHECKING:
    from picora_analytics.cleanup import DeletionReceipt
    from picora_analytics.client import Client

__all__ = ["apply"]


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
@json_option
@quiet_option
@with_client
def apply(
    client: Client,
    plan_file: str | None,
    standing_order: str | None,
    store: str | None,
    output: str | None,
    as_json: bool,
    **said: Any,
) -> None:
    """
    Carry out a saved plan: delete exactly its images, for ever.

    Without --confirm it is a dry run that only reads. The journal is kept beside the plan. Nothing is ever asked
    for: what is not said here does not happen.

    Exit codes: 0 each image was deleted, already gone or kept; 1 refused, or stopped by an error; 2 wrong usage;
    3 a dry run of a plan that would be refused; 4 some failed or are unknown, or the plan was not carried out
    to its end; 130 stopped by Ctrl-C.
    """
    _refuse_contradictions(plan_file, standing_order, store, said)
    refuse_suffix(output, ".json", ".csv")
    refuse_same_file(output, plan_file or standing_order)
    _refuse_min_age(said["min_age"])
    refuse_missing(
        {
            "PLAN.JSON": plan_file,
            "--standing-order": standing_order,
            "--confirm-file": said["confirm_file"],
        }
    )
    quiet = bool(said["quiet"])

    def run() -> DeletionReceipt:
        if standing_order is not None:
            return _follow(client, standing_order, store, shown=not (as_json or quiet), quiet=quiet)
        if said["resume"]:
            return _resume(client, Path(str(plan_file)), **said)
        return _apply(client, Path(str(plan_file)), **said)

    end_with(with_receipt(run, output, as_json=as_json, quiet=quiet, source=plan_file))


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
        refuse_unheard(["min_age"], "is about a phrase; with --standing-order none is given.")
    elif store is not None:
        raise click.UsageError("--store is for --standing-order; a plan holds its own images.")
    if said["resume"]:
        refuse_unheard(["min_age"], "is for a plan that was not begun; --resume goes on with one.")
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
    quiet: bool,
    **_: Any,
) -> DeletionReceipt:
    """Go on with a plan, or with the plan of a journal; a phrase is not needed, and minded where it is given."""
    from picora_analytics import read_plan, resume_deletion
    from picora_analytics.cleanup.apply.start import check_phrase, journal_path

    kept: dict[str, Any] = {"progress": False if quiet else None}
    if backup or no_backup:
        kept["backup"] = backup
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
    quiet: bool,
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
        if not quiet:
            say_what_it_takes(made, client)
        return made.dry_run(client)
    if backup is None and not no_backup:
        raise click.UsageError(
            f"Say --backup DIR to keep copies first, or --no-backup if the {plural(len(made.images), 'image')} of the "
            "plan may be lost for ever."
        )
    check_phrase(made, phrase)
    if confirm_file is not None and backup is not None:
        refuse_unmounted(Path(backup))
    refuse_same_job(made, parse_duration(min_age, "--min-age"), os.environ, now())
    _warn(journal_path(made, client, "default"), backup)
    return made.apply(client, confirm=phrase, backup=backup, progress=False if quiet else None)


def _warn(journal: Path, backup: str | None) -> None:
    places = {"the journal": journal}
    if backup is not None:
        places["the copies"] = Path(backup)
    warn_of_loss(places)


def _follow(
    client: Client, policy: str, store: str | None, *, shown: bool, quiet: bool
) -> DeletionReceipt:
    from picora_analytics.cleanup.apply.receipt import make_receipt
    from picora_analytics.cleanup.policy.follow import follow_policy

    made, receipt = follow_policy(
        client, policy, store=store or "default", progress=False if quiet else None
    )
    if shown:
        say(repr(made))
    # Whoever waits for a receipt gets one, rather than last week's.
    return make_receipt(made, {}, notes=("nothing to delete",)) if receipt is None else receipt
