"""After Ctrl-C: what is kept, and the line that goes on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from picora_analytics.cli.words import typed_again

__all__ = ["what_is_kept"]

_KEPT = {
    "backup": "The copies that were proved stay in the folder and are used again.",
    "restore": "What was uploaded is noted in the folder and is not sent again.",
    "repoint": "Each file is written whole or not at all.",
    "scan": "Nothing was written.",
    "demo": "The invented library is gone.",
}


def what_is_kept(words: Sequence[str], stopped: BaseException | None) -> str:
    """Say what a command that was stopped leaves behind, and what to type next."""
    name = next((word for word in words if not word.startswith("-")), "")
    receipt = getattr(stopped, "receipt", None)
    notes = getattr(stopped, "__notes__", [])
    again = typed_again(words)
    if name == "apply" and receipt is not None:
        journal = getattr(receipt, "journal", None)
        plan = next(
            (word for word in words[1:] if word.lower().endswith((".json", ".ndjson"))), None
        )
        file = journal if plan is None else plan
        kept = "What was sent is in the journal; the receipt is above."
        again = shlex.join(["picora-analytics", "apply", str(file), "--resume"])
    elif name == "apply":
        kept = "Nothing was deleted."
    else:
        kept = " ".join(notes) or _KEPT.get(name, "Nothing was changed.")
    return f"Stopped. {kept} Go on: {again}"
