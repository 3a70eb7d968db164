"""Commands for the step before a deletion: hide, and unhide."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from picora_analytics.cli.common import (
    quiet_option,
    refuse_missing,
    refuse_same_file,
    refuse_suffix,
    refuse_unknown,
    say,
    typed_demo,
    with_client,
)
from picora_analytics.cli.documents import json_option
from picora_analytics.cli.receipts import end_with, say_what_it_takes, with_receipt
from picora_analytics.cli.values import FilePath, OutputPath

if TYPE_CHECKING:
    from picora_analytics.client import Client

__all__ = ["hide", "unhide"]


@click.command(short_help="Make the images of a saved plan private for now; nothing is deleted.")
@click.argument("plan_file", type=FilePath(dir_okay=False), metavar="PLAN.JSON")
@click.option(
    "--confirm", metavar="PHRASE", help="The phrase hide-… of the dry run. Without it: a dry run."
)
@click.option(
    "--decisions",
    type=OutputPath(),
    help="Note here what was hidden; what it says is to be kept stays public.",
)
@click.option("-o", "--output", type=OutputPath(), help="Write the receipt: .json or .csv.")
@json_option
@quiet_option
@with_client
def hide(
    client: Client,
    plan_file: str,
    confirm: str | None,
    decisions: str | None,
    output: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """
    Make the public images of a saved plan private, under the same addresses; nothing is deleted.

    Visitors see a broken picture until unhide shows it again. Without --confirm it is a dry run that only reads. After
    an interruption, the same command goes on.

    Exit codes: 0 each image was hidden, already private or kept; 1 refused, or stopped by an error; 2 wrong usage;
    3 a dry run of what would be refused; 4 some failed or are unknown, or not all was carried out; 130 stopped by
    Ctrl-C.
    """
    _refuse_files(output, "PLAN.JSON", plan_file)
    from picora_analytics import read_plan

    made = read_plan(plan_file)
    progress = False if quiet else None
    if confirm is None and not quiet:
        say_what_it_takes(made, client)
    receipt = with_receipt(
        lambda: made.hide(client, confirm=confirm, decisions=decisions, progress=progress),
        output,
        as_json=as_json,
        quiet=quiet,
    )
    if "would hide" in receipt.counts and not (quiet or as_json):
        notes = f" --decisions {shlex.quote(decisions)}" if decisions else ""
        say(
            f"\nTo hide    picora-analytics hide {shlex.quote(plan_file)} --confirm {receipt.confirmation}{notes}"
            + " --demo" * typed_demo()
        )
    if "hidden" in receipt.counts and receipt.journal is not None and not (quiet or as_json):
        shown = f"picora-analytics unhide {shlex.quote(str(receipt.journal))}"
        say(f"\nTo show again: {shown}" + " --demo" * typed_demo())
    end_with(receipt)


@click.command(short_help="Show images again that hide made private.")
@click.argument("evidence", type=FilePath(dir_okay=False), metavar="RECEIPT")
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this image; repeatable.")
@click.option(
    "--confirm", metavar="PHRASE", help="The phrase show-… of the dry run. Without it: a dry run."
)
@click.option("-o", "--output", type=OutputPath(), help="Write the receipt: .json or .csv.")
@json_option
@quiet_option
@with_client
def unhide(
    client: Client,
    evidence: str,
    ids: Sequence[str],
    confirm: str | None,
    output: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """
    Show images again that hide made private, at the same addresses.

    RECEIPT is what hide wrote (its .json, its journal, or the decisions.csv); no other image is ever made public. What
    was changed since it was hidden is left as it is.

    Exit codes: 0 each image was shown again, already public or kept; 1 refused, or stopped by an error; 2 wrong usage;
    3 a dry run of what would be refused; 4 some failed or are unknown, or not all was carried out; 130 stopped by
    Ctrl-C.
    """
    _refuse_files(output, "RECEIPT", evidence)
    from picora_analytics import unhide_images
    from picora_analytics.cleanup.apply.evidence import read_evidence

    if ids:
        hidden = read_evidence(evidence)
        named = [*hidden.at, *hidden.unproved]
        refuse_unknown("--id", ids, named, f"the images in {evidence}")
    chosen, progress = list(ids) or None, False if quiet else None
    receipt = with_receipt(
        lambda: unhide_images(client, evidence, confirm=confirm, ids=chosen, progress=progress),
        output,
        as_json=as_json,
        quiet=quiet,
    )
    if "would show again" in receipt.counts and not (quiet or as_json):
        some = "".join(f" --id={shlex.quote(one)}" for one in ids)
        say(
            f"\nTo show    picora-analytics unhide {shlex.quote(evidence)}{some} --confirm {receipt.confirmation}"
        )
    end_with(receipt)


def _refuse_files(output: str | None, name: str, source: str) -> None:
    if output is not None:
        refuse_suffix(output, ".json", ".csv")
    refuse_missing({name: source})
    refuse_same_file(output, source)
