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

from picora_analytics.cleanup.plan.deeds import DEEDS, DELETE, HIDE, SHOW
from picora_analytics.cleanup.plan.document import digest
from picora_analytics.cleanup.plan.handing import inherits_frame
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.files import write_atomic, write_csv
from picora_analytics.text import plural, visible
from picora_analytics.times import format_instant, now
from picora_analytics.units import format_bytes

__all__ = ["FORMAT", "OUTCOMES", "DeletionReceipt", "make_receipt"]

OUTCOMES = (
    *(word for deed in DEEDS.values() for word in (deed.would, deed.done)),
    *("already gone", "kept", "failed", "unknown"),
)
FORMAT = "picora-analytics deletion receipt"

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
        ``id``, ``outcome`` (would delete, deleted, already gone, kept, failed or unknown) and ``reason``. Of a hiding,
        the outcomes are would hide and hidden, and ``hidden_at`` is the service's update time right after that; of
        :func:`unhide_images`, would show again and shown again.
    dry_run : bool
        Whether nothing but reads was sent.
    confirmation : str
        The phrase of the plan.
    library : dict
        Whose images these are.
    size_bytes : int
        Bytes of the images deleted (hidden, shown again), or that would be.
    finished_at : datetime
        By this machine's clock.
    notes : tuple of str
        What else must be known of it.
    journal : Path or None
        Where each step was written down.
    complete : bool
        Whether the plan was carried out to its end (in a dry run: would not be refused); what is left can be
        resumed from the journal.
    deed : str
        ``delete``, ``hide`` or ``show``.
    inherited : DataFrame
        What the duplicates that stay got, or would: rows of ``plan.inherits``.
    mapping : dict of str to str
        The address of each deleted duplicate, and of the one that stays: for :func:`repoint`.
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
    deed: str = "delete"
    inherited: pd.DataFrame = dataclasses.field(default_factory=lambda: inherits_frame({}, {}))
    mapping: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many images ended in each outcome; the sum is the plan."""
        counted = self.outcomes["outcome"].value_counts()
        return {name: int(counted[name]) for name in OUTCOMES if name in counted}

    @property
    def hidden_at(self) -> dict[str, dt.datetime | None]:
        """When each image was hidden, by the service's own update time; empty for any other deed."""
        if "hidden_at" not in self.outcomes:
            return {}
        rows = self.outcomes[self.outcomes["outcome"] == HIDE.done]
        return {
            one: None if pd.isna(moment) else moment.to_pydatetime()
            for one, moment in zip(rows["id"], rows["hidden_at"], strict=True)
        }

    def __repr__(self) -> str:
        lines = [self._title(), f"  {self._where()}"]
        lines += [f"  {n:>8,}  {outcome}" for outcome, n in self.counts.items()]
        lines += [f"            {n:,}: {text}" for text, n in self._reasons()]
        lines += [f"  {visible(note)}" for note in self._notes()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _HTML.render(
            title=self._title(),
            library=self._where(),
            counts=list(self.counts.items()),
            reasons=self._reasons(),
            notes=[visible(note) for note in self._notes()],
        )

    def _notes(self) -> list[str]:
        lines = list(self.notes)
        if len(self.inherited):
            verb = "would get" if self.dry_run else "got"
            what = f"{plural(len(self.inherited), 'image')} {verb} tags or a title"
            lines.append(f"{what} of a duplicate: receipt.inherited")
        if self.mapping and not self.dry_run:
            lines.append(
                f"{plural(len(self.mapping), 'deleted image')} had a duplicate that stays; where the old addresses "
                'stand: pic.repoint(receipt.mapping, "site/")'
            )
        return lines

    def _title(self) -> str:
        stamp = "DEMO  " if self.library["demo"] else ""
        deed, size = DEEDS[self.deed], format_bytes(self.size_bytes)
        of = {HIDE: "hiding", SHOW: "showing"}.get(deed, "plan")
        if self.dry_run:
            n = self.counts.get(deed.would, 0)
            return (
                f"{stamp}DRY RUN of {of} {self.confirmation}: {plural(n, 'image')} would be {deed.done}, {size}; "
                f"nothing was {deed.done}"
            )
        n = self.counts.get(deed.done, 0)
        return (
            f"{stamp}RECEIPT of {of} {self.confirmation}: {plural(n, 'image')} {deed.done}, {size}"
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

    def _rows(self) -> list[dict[str, Any]]:
        """Give the outcomes as plain values, without the times that nobody told."""
        return [
            {
                str(name): format_instant(value) if isinstance(value, dt.datetime) else value
                for name, value in row.items()
                if not (name == "hidden_at" and pd.isna(value))
            }
            for row in self.outcomes.to_dict("records")
        ]

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
            text = msgspec.json.format(msgspec.json.encode(self.to_document()), indent=1)
            write_atomic(target, lambda file: file.write_bytes(text + b"\n"))
        return target

    def to_document(self) -> dict[str, Any]:
        """Give the receipt as plain values, with a digest over all of it: what :meth:`write` writes as JSON."""
        document = {
            "format": FORMAT,
            "version": 1,
            "deed": self.deed,
            "dry_run": self.dry_run,
            "confirmation": self.confirmation,
            "finished_at": self.finished_at.isoformat(),
            "size_bytes": self.size_bytes,
            "counts": self.counts,
            "complete": self.complete,
            "notes": list(self.notes),
            "journal": None if self.journal is None else str(self.journal),
            "library": dict(self.library),
            "inherited": self.inherited.to_dict("records"),
            "mapping": dict(self.mapping),
            "outcomes": self._rows(),
        }
        document["digest"] = digest(document)
        return document


def make_receipt(
    plan: Plan,
    outcomes: Mapping[str, tuple[str, ...]],
    *,
    dry_run: bool = False,
    finished_at: dt.datetime | None = None,
    times: Mapping[str, dt.datetime] | None = None,
    **facts: Any,
) -> DeletionReceipt:
    """Make the receipt of a plan: a row for each of its images, in its order; `finished_at` is now unless given."""
    rows = [(image_id, *outcomes[image_id]) for image_id in plan.states]
    table = pd.DataFrame(rows, columns=["id", "outcome", "reason"], dtype=object)
    if plan.deed is HIDE:
        done = table["outcome"] == HIDE.done
        told = [(times or {}).get(one) for one in table["id"]]
        hidden_at = pd.Series(told, table.index, dtype="datetime64[us, UTC]")
        table["hidden_at"] = hidden_at.where(done)
    wanted = plan.deed.would if dry_run else plan.deed.done
    gone = [image_id for image_id, outcome, _ in rows if outcome == wanted]
    pairs = {one: plan.duplicates[one] for one in gone if one in plan.duplicates}
    pairs = pairs if plan.deed is DELETE else {}
    addresses = plan.staying["url"].to_dict()
    return DeletionReceipt(
        outcomes=table,
        dry_run=dry_run,
        confirmation=plan.confirmation,
        library=plan.library,
        size_bytes=plan.amount(gone).size_bytes,
        finished_at=finished_at or now(),
        deed=plan.deed.name,
        inherited=inherits_frame(
            pairs, {one: own for one, own in plan.handed.items() if one in pairs}
        ),
        mapping={
            plan.images["url"][one]: addresses[stays]
            for one, stays in pairs.items()
            if stays in addresses
        },
        **facts,
    )
