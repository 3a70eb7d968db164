"""Plans as files: written with a digest over all of it, read whole and unedited or not at all."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa

from picora_analytics.cleanup.plan.columns import cells, iso_texts
from picora_analytics.cleanup.plan.deeds import DEEDS, DELETE
from picora_analytics.cleanup.plan.guard import Caps
from picora_analytics.cleanup.plan.handing import Handed
from picora_analytics.cleanup.plan.model import Plan, staying_rows
from picora_analytics.errors import PlanError
from picora_analytics.files import read_json, write_atomic
from picora_analytics.library.frame import COLUMNS, SCHEMA, Facts, frame_from_table
from picora_analytics.times import parse_instant

__all__ = ["digest", "load_plan", "plan_from", "save_plan", "to_document"]

# 2: the phrase stands for more than the rows, and has 12 digits.
VERSION = 2


def save_plan(plan: Plan, path: Path) -> Path:
    """Write a plan as readable JSON, and give the path back."""
    text = msgspec.json.format(msgspec.json.encode(to_document(plan)), indent=1)
    write_atomic(path, lambda temporary: temporary.write_bytes(text + b"\n"))
    return path


def to_document(plan: Plan) -> dict[str, Any]:
    """Give the plan as plain values, with a digest over all of it."""
    document = {
        "format": "picora-analytics deletion plan",
        "version": VERSION,
        "deed": plan.deed.name,
        "confirmation": plan.confirmation,
        "fingerprint": plan.fingerprint,
        "reason": plan.reason,
        "made_at": plan.made_at.isoformat(),
        "expires_at": plan.expires_at.isoformat(),
        "library": dict(plan.library),
        "protected_tags": list(plan.protected_tags),
        "caps": dataclasses.asdict(plan.caps),
        "protection": list(plan.protection),
        "searched": list(plan.searched),
        "hidden": list(plan.hidden),
        "handed": {one: [list(own.tags), own.title] for one, own in plan.handed.items()},
        "duplicates": dict(plan.duplicates),
        "staying": _records(plan.staying),
        "images": _records(plan.images),
        "spared": _records(plan.spared),
    }
    document["digest"] = digest(document)
    return document


def digest(document: Mapping[str, Any]) -> str:
    """Digest a plan document, its own digest left out."""
    rest = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.blake2b(msgspec.json.encode(rest, order="sorted"), digest_size=16).hexdigest()


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Give rows as plain values, without the missing ones."""
    named: list[tuple[Any, Any]] = [("id", frame.index), *frame.items()]
    columns = {
        str(name): iso_texts(column)
        if isinstance(column.dtype, pd.DatetimeTZDtype)
        else cells(column)
        for name, column in named
    }
    if not any(None in values for values in columns.values()):
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return [
        {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        for row in zip(*columns.values(), strict=True)
    ]


def load_plan(path: Path) -> Plan:
    """Read a plan's file; PlanError if it is missing, not a plan, of another version, cut off or edited."""
    try:
        document = read_json(path)
    except OSError as error:
        raise PlanError(f"The plan {str(path)!r} cannot be read: {error.strerror}.") from error
    except ValueError:
        raise PlanError(
            f"The plan {str(path)!r} is cut off or not JSON; save it again from the frame it came from."
        ) from None
    plan = plan_from(document, f"The plan {str(path)!r}", path)
    if plan.deed is not DELETE:
        raise PlanError(
            f"The plan {str(path)!r} is of {plan.deed.of}, {plan.confirmation!r}; give the deletion plan that it was "
            "made of."
        )
    return plan


def plan_from(document: Any, name: str, path: Path | None) -> Plan:
    """
    Make the plan of a document, whole and unedited.

    Parameters
    ----------
    document : object
        As :func:`to_document` gives it.
    name : str
        What messages call it.
    path : Path or None
        The file it is kept in, if it has one of its own.
    """
    if not isinstance(document, dict) or document.get("format") != "picora-analytics deletion plan":
        raise PlanError(f"{name} is not a deletion plan; give a file that plan.save wrote.")
    if document.get("version") != VERSION:
        raise PlanError(
            f"{name} has version {document.get('version')!r}, and this program reads version {VERSION}; "
            "use the program's version that wrote it, or plan again."
        )
    if document.get("digest") != digest(document):
        raise PlanError(
            f"{name} was edited after it was saved: its digest does not fit. To take images out, "
            "use read_plan(...).without(ids) on an unedited file and save that."
        )
    try:
        plan = _plan(document, path)
    except (AttributeError, KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise PlanError(f"{name} lacks a part ({error}); plan again.") from error
    if plan.confirmation != document.get("confirmation"):
        raise PlanError(f"{name} does not fit its own phrase; plan again.")
    return plan


def _plan(document: dict[str, Any], path: Path | None) -> Plan:
    library = msgspec.convert(document["library"], Facts)
    return Plan(
        images=_rows(document["images"], SCHEMA.names, library),
        spared=_rows(document["spared"], ["filename", "size_bytes"], library),
        reason=document["reason"],
        library=library,
        protected_tags=tuple(msgspec.convert(document["protected_tags"], list[str])),
        caps=Caps(**document["caps"]),
        made_at=parse_instant(document["made_at"]),
        duplicates=msgspec.convert(document["duplicates"], dict[str, str]),
        staying=_rows(
            document["staying"], [str(name) for name in staying_rows(None)], library, reason=False
        ),
        protection=tuple(msgspec.convert(document["protection"], list[str])),
        searched=tuple(msgspec.convert(document.get("searched", []), list[str])),
        hidden=tuple(msgspec.convert(document.get("hidden", []), list[str])),
        handed={
            one: Handed(tuple(msgspec.convert(tags, list[str])), msgspec.convert(title, str | None))
            for one, (tags, title) in document.get("handed", {}).items()
        },
        deed=DEEDS[document.get("deed", DELETE.name)],
        path=path,
    )


def _rows(
    records: list[dict[str, Any]], names: list[str], library: Facts, *, reason: bool = True
) -> pd.DataFrame:
    """Make a frame of records: the named columns, and a reason each."""
    nothing = [None] * len(records)
    columns: dict[str, list[Any]] = {}
    for field in SCHEMA:
        values = [record.get(field.name) for record in records]
        if pa.types.is_timestamp(field.type):
            values = [
                None if value is None else dt.datetime.fromisoformat(value) for value in values
            ]
        columns[field.name] = values if field.name in ("id", *names) else nothing
    frame = frame_from_table(pa.table(columns, schema=SCHEMA), library)
    frame = frame[[name for name in COLUMNS if name in names]]
    if reason:
        reasons = [record["reason"] for record in records]
        frame = frame.assign(reason=pd.Series(reasons, frame.index, dtype=object))
    return frame
