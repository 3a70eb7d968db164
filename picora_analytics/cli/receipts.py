"""What the commands that change Picora share: a receipt in any case, and the exit code that fits it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from picora_analytics.cli.common import PARTIAL, THRESHOLD, say
from picora_analytics.cli.documents import print_json
from picora_analytics.cli.words import in_shell_words

if TYPE_CHECKING:
    from picora_analytics.cleanup import DeletionReceipt
    from picora_analytics.cleanup.plan.model import Plan
    from picora_analytics.client import Client

__all__ = ["end_with", "say_what_it_takes", "with_receipt"]


def with_receipt(
    run: Callable[[], DeletionReceipt],
    output: str | None,
    *,
    as_json: bool = False,
    quiet: bool = False,
    source: str | None = None,
) -> DeletionReceipt:
    """
    Run something, and show its receipt; Ctrl-C and a full disk have one as well, whoever wanted quiet.

    `source` is the file from which it goes on after Ctrl-C.
    """
    try:
        receipt = run()
    except BaseException as error:
        stopped: DeletionReceipt | None = getattr(error, "receipt", None)
        if stopped is not None:
            error.source = source  # type: ignore[attr-defined]
            try:
                _give(stopped, output, as_json=as_json)
            except OSError as unwritten:
                say(f"The receipt could not be written: {unwritten}", err=True)
        raise
    try:
        _give(receipt, output, as_json=as_json, quiet=quiet and not _code(receipt))
    except KeyboardInterrupt as late:
        late.receipt, late.source = receipt, source  # type: ignore[attr-defined]
        raise
    return receipt


def _give(
    receipt: DeletionReceipt, output: str | None, *, as_json: bool, quiet: bool = False
) -> None:
    path = receipt.write(output) if output else None
    if as_json:
        print_json(receipt.to_document())
    elif not quiet:
        say(in_shell_words(repr(receipt)))
        if path is not None:
            say(f"\nWritten    {path}")


def say_what_it_takes(plan: Plan, client: Client) -> None:
    """Say before a dry run, which looks at each image, what that takes; nothing where nothing is to be looked at."""
    from picora_analytics.cleanup.apply.dry_run import what_it_takes

    if len(plan.images):
        say(what_it_takes(plan, client), err=True)


def end_with(receipt: DeletionReceipt) -> None:
    """Exit with the code that fits a receipt."""
    if _code(receipt):
        sys.exit(_code(receipt))


def _code(receipt: DeletionReceipt) -> int:
    if receipt.dry_run:
        return 0 if receipt.complete else THRESHOLD
    in_part = not receipt.complete or not {"failed", "unknown"}.isdisjoint(receipt.counts)
    return PARTIAL if in_part else 0
