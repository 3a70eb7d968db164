"""A receipt: one outcome for each planned image."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import msgspec
import pandas as pd

from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.files import write_atomic, write_csv
from picora_analytics.text import visible
from picora_analytics.times import now
from picora_analytics.units import format_bytes

__all__ = ["OUTCOMES", "DeletionReceipt", "make_receipt"]

OUTCOMES = ("would delete", "deleted", "already gone", "kept", "failed", "unknown")

_HTML = jinja2.Environment(autoescape=True).from_string(
    """<div class="tex2jax_ignore mathjax_ignore" style="max-width: 60em">
<p><strong>{{ title }}</strong><br>{{ library }}</p>
<table><thead><tr><th>outcome</th><th style="text-align: right">images</th></tr></thead><tbody>
{% for outcome, n in counts %}<tr><td>{{ outcome }}</td><td style="text-align: right">{{ "{:,}".format(n) }}</td></tr>
{% endfor %}</tbody></table>
{% if reasons %}<ul>{% for text, n in reasons %}<li>{{ "{:,}".format(n) }}: {{ text }}</li>{% endfor %}</ul>{% endif %}
{% for note in notes %}<p>{{ note[:1] | upper }}{{ note[1:] }}.</p>{% endfor %}
<p>One row per image: <code>receipt.outcomes</code></p></div>"""
)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class DeletionReceipt:
    """
    What happened, or in a dry run would happen, to each planned image.

    Attributes
    ----------
    outcomes : DataFrame of shape (n_planned, 3)
        ``id``, ``outcome`` (would delete, deleted, already gone, kept, failed or unknown) and ``reason``.
    dry_run : bool
        Whether nothing but reads was sent.
    confirmation : str
        The phrase of the plan.
    library : dict
        Whose images these are.
    size_bytes : int
        Bytes of the images deleted, or that would be.
    finished_at : datetime
        By this machine's clock.
    notes : tuple of str
        What else must be known of it.
    journal : Path or None
        Where each step was written down.
    complete : bool
        Whether the plan was carried out to its end (in a dry run: would not be refused); what is left can be
        resumed from the journal.
    """

    outcomes: pd.DataFrame
    dry_run: bool
    confirmation: str
    library: Mapping[str, Any]
    size_bytes: int
    finished_at: dt.datetime
    notes: tuple[str, ...] = ()
    journal: Path | None = None
    complete: bool = True

    @property
    def counts(self) -> dict[str, int]:
        """How many images ended in each outcome; the sum is the plan."""
        counted = self.outcomes["outcome"].value_counts()
        return {name: int(counted[name]) for name in OUTCOMES if name in counted}

    def __repr__(self) -> str:
        lines = [self._title(), f"  {self._where()}"]
        lines += [f"  {n:>8,}  {outcome}" for outcome, n in self.counts.items()]
        lines += [f"            {n:,}: {text}" for text, n in self._reasons()]
        lines += [f"  {visible(note)}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _HTML.render(
            title=self._title(),
            library=self._where(),
            counts=list(self.counts.items()),
            reasons=self._reasons(),
            notes=[visible(note) for note in self.notes],
        )

    def _title(self) -> str:
        stamp = "DEMO  " if self.library["demo"] else ""
        if self.dry_run:
            n = self.counts.get("would delete", 0)
            return (
                f"{stamp}DRY RUN of plan {self.confirmation}: {n:,} images would be deleted, "
                f"{format_bytes(self.size_bytes)}; nothing was deleted"
            )
        n = self.counts.get("deleted", 0)
        return (
            f"{stamp}RECEIPT of plan {self.confirmation}: {n:,} images deleted, "
            f"{format_bytes(self.size_bytes)}"
        )

    def _where(self) -> str:
        when = f"{self.finished_at:%Y-%m-%d %H:%M} UTC"
        if self.library["demo"]:
            return f"the DEMO, an invented library on this machine, {when}"
        return f"account {visible(self.library['account'][:8])} on {visible(self.library['base_url'])}, {when}"

    def _reasons(self) -> list[tuple[str, int]]:
        reasons = self.outcomes["reason"]
        counted = reasons[reasons != ""].value_counts()
        return [(visible(text), int(n)) for text, n in counted.head(8).items()]

    def write(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the receipt: as CSV where the name ends in ``.csv`` (safe for spreadsheets), else as JSON.

        Returns
        -------
        Path
        """
        target = Path(path).expanduser()
        if target.suffix.lower() == ".csv":
            write_csv(self.outcomes, target)
        else:
            document = {
                "format": "picora-analytics deletion receipt",
                "version": 1,
                "dry_run": self.dry_run,
                "confirmation": self.confirmation,
                "finished_at": self.finished_at.isoformat(),
                "size_bytes": self.size_bytes,
                "counts": self.counts,
                "complete": self.complete,
                "notes": list(self.notes),
                "journal": None if self.journal is None else str(self.journal),
                "library": dict(self.library),
                "outcomes": self.outcomes.to_dict("records"),
            }
            text = msgspec.json.format(msgspec.json.encode(document), indent=1)
            write_atomic(target, lambda file: file.write_bytes(text + b"\n"))
        return target


def make_receipt(
    plan: Plan,
    outcomes: Mapping[str, tuple[str, ...]],
    *,
    dry_run: bool = False,
    finished_at: dt.datetime | None = None,
    **facts: Any,
) -> DeletionReceipt:
    """Make the receipt of a plan: a row for each of its images, in its order; `finished_at` is now unless given."""
    rows = [(image_id, *outcomes[image_id]) for image_id in plan.states]
    wanted = "would delete" if dry_run else "deleted"
    gone = [image_id for image_id, outcome, _ in rows if outcome == wanted]
    return DeletionReceipt(
        outcomes=pd.DataFrame(rows, columns=["id", "outcome", "reason"], dtype=object),
        dry_run=dry_run,
        confirmation=plan.confirmation,
        library=plan.library,
        size_bytes=plan.amount(gone).size_bytes,
        finished_at=finished_at or now(),
        **facts,
    )
