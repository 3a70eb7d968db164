"""After Ctrl-C: what is kept, and the line that goes on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from picora_analytics.cli.words import typed_again

__all__ = ["what_is_kept"]

_WHOLE = "A file is written whole or not at all."
_KEPT = {
    "load": f"Nothing was changed on Picora. {_WHOLE}",
    "report": f"Nothing was changed on Picora. {_WHOLE}",
    "plan": f"Nothing was changed on Picora. {_WHOLE}",
    "backup": "The copies that were proved stay in the folder and are used again.",
    "restore": "What was uploaded is noted in the folder and is not sent again.",
    "repoint": _WHOLE,
    "scan": _WHOLE,
    "review": _WHOLE,
    "decide": _WHOLE,
    "snapshots": "What is remembered is there whole or not at all.",
    "apply": "Nothing was deleted.",
    "hide": "Nothing was hidden.",
    "unhide": "Nothing was shown.",
    "demo": "The invented library is gone.",
}


def what_is_kept(words: Sequence[str], stopped: BaseException | None) -> str:
    """Say what a command that was stopped leaves behind, and what to type next."""
    name = next((word for word in words if not word.startswith("-")), "")
    receipt = getattr(stopped, "receipt", None)
    again = typed_again(words)
    kept = " ".join(getattr(stopped, "__notes__", [])) or _KEPT.get(name, "Nothing was changed.")
    if receipt is not None and not receipt.dry_run:
        kept = "What was sent is in the journal; the receipt is above."
        # What hides or shows goes on by its phrase, a policy by itself, and a deletion by its plan or journal.
        if name == "apply" and not any(word.startswith("--standing-order") for word in words):
            file = getattr(stopped, "source", None) or receipt.journal
            again = shlex.join(["picora-analytics", "apply", str(file), "--resume"])
    return f"Stopped. {kept} Go on: {again}"
