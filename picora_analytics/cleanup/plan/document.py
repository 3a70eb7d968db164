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

from picora_analytics.cleanup.plan.guard import Caps
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.errors import PlanError
from picora_analytics.files import write_atomic
from picora_analytics.library.frame import SCHEMA, Facts, frame_from_table

__all__ = ["digest", "load_plan", "plan_from", "save_plan", "to_document"]


def save_plan(plan: Plan, path: Path) -> Path:
    """Write a plan as readable JSON, and give the path back."""
    text = msgspec.json.format(msgspec.json.encode(to_document(plan)), indent=1)
    write_atomic(path, lambda temporary: temporary.write_bytes(text + b"\n"))
    return path


def to_document(plan: Plan) -> dict[str, Any]:
    """Give the plan as plain values, with a digest over all of it."""
    document = {
        "format": "picora-analytics deletion plan",
        "version": 1,
        "confirmation": plan.confirmation,
        "fingerprint": plan.fingerprint,
        "reason": plan.reason,
        "made_at": plan.made_at.isoformat(),
        "expires_at": plan.expires_at.isoformat(),
        "library": dict(plan.library),
        "protected_tags": list(plan.protected_tags),
        "caps": dataclasses.asdict(plan.caps),
        "copies": dict(plan.duplicates),
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
    plain = frame.reset_index().astype(object)
    return [
        {
            str(name): value.isoformat() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
            if isinstance(value, tuple) or not pd.isna(value)
        }
        for row in plain.to_dict("records")
    ]


def load_plan(path: Path) -> Plan:
    """Read a plan's file; PlanError if it is missing, not a plan, of another version, cut off or edited."""
    try:
        document = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise PlanError(f"The plan {str(path)!r} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise PlanError(
            f"The plan {str(path)!r} is cut off or not JSON; save it again from the frame it came from."
        ) from None
    return plan_from(document, f"The plan {str(path)!r}", path)


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
    if document.get("version") != 1:
        raise PlanError(
            f"{name} has version {document.get('version')!r}, and this program reads version 1; "
            "use the program's version that wrote it, or plan again."
        )
    if document.get("digest") != digest(document):
        raise PlanError(
            f"{name} was edited after it was saved: its digest does not fit. To take images out, "
            "use read_plan(...).without(ids) on an unedited file and save that."
        )
    try:
        plan = _plan(document, path)
    except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise PlanError(f"{name} lacks a part ({error}); plan again.") from error
    if plan.confirmation != document.get("confirmation"):
        raise PlanError(f"{name} does not fit its own phrase; plan again.")
    return plan


def _plan(document: dict[str, Any], path: Path | None) -> Plan:
    rows = document["images"]
    columns: dict[str, list[Any]] = {}
    for field in SCHEMA:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_timestamp(field.type):
            values = [None if value is None else pd.Timestamp(value) for value in values]
        columns[field.name] = values
    library = msgspec.convert(document["library"], Facts)
    images = frame_from_table(pa.table(columns, schema=SCHEMA), library)
    reasons = [row["reason"] for row in rows]
    spared = frame_from_table(
        pa.table(
            {
                field.name: [row.get(field.name) for row in document["spared"]]
                if field.name in ("id", "filename", "size_bytes")
                else [None] * len(document["spared"])
                for field in SCHEMA
            },
            schema=SCHEMA,
        ),
        library,
    )[["filename", "size_bytes"]]
    return Plan(
        images=images.assign(reason=pd.Series(reasons, images.index, dtype=object)),
        spared=spared.assign(
            reason=pd.Series(
                [row["reason"] for row in document["spared"]], spared.index, dtype=object
            )
        ),
        reason=document["reason"],
        library=library,
        protected_tags=tuple(document["protected_tags"]),
        caps=Caps(**document["caps"]),
        made_at=dt.datetime.fromisoformat(document["made_at"]),
        duplicates=msgspec.convert(document["copies"], dict[str, str]),
        path=path,
    )
