"""What the commands that change Picora share: a receipt in any case, and the exit code that fits it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from picora_analytics.cli.common import PARTIAL, THRESHOLD, say
from picora_analytics.cli.words import in_shell_words

if TYPE_CHECKING:
    from picora_analytics.cleanup import DeletionReceipt

__all__ = ["end_with", "with_receipt"]


def with_receipt(
    run: Callable[[], DeletionReceipt | None], output: str | None
) -> DeletionReceipt | None:
    """Run something, and show its receipt; Ctrl-C and a full disk have one as well."""
    try:
        receipt = run()
    except BaseException as error:
        stopped: DeletionReceipt | None = getattr(error, "receipt", None)
        if stopped is not None:
            try:
                _give(stopped, output)
            except OSError as unwritten:
                say(f"The receipt could not be written: {unwritten}", err=True)
        raise
    if receipt is not None:
        _give(receipt, output)
    return receipt


def _give(receipt: DeletionReceipt, output: str | None) -> None:
    path = receipt.write(output) if output else None
    say(in_shell_words(repr(receipt)))
    if path is not None:
        say(f"\nWritten    {path}")


def end_with(receipt: DeletionReceipt | None) -> None:
    """Exit with the code that fits a receipt; without one nothing was to be done."""
    if receipt is None:
        return
    if receipt.dry_run:
        sys.exit(0 if receipt.complete else THRESHOLD)
    if not receipt.complete or not {"failed", "unknown"}.isdisjoint(receipt.counts):
        sys.exit(PARTIAL)
