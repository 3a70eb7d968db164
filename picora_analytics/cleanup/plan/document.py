"""Read a saved plan back, whole and unedited or not at all."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa

from picora_analytics.cleanup.deletion import DeletionPlan, digest
from picora_analytics.cleanup.plan.guard import Caps
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import SCHEMA, Facts, frame_from_table

__all__ = ["read_plan"]


def read_plan(path: str | os.PathLike[str]) -> DeletionPlan:
    """
    Read a plan that :meth:`DeletionPlan.save` wrote.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    DeletionPlan
        With the phrase it had.

    Raises
    ------
    PlanError
        If the file is missing, no plan, of another version, cut off or edited. To leave images out, read the
        plan and use :meth:`DeletionPlan.without`.
    """
    source = Path(path)
    try:
        document = msgspec.json.decode(source.read_bytes())
    except OSError as error:
        raise PlanError(f"The plan {str(path)!r} cannot be read: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise PlanError(
            f"The plan {str(path)!r} is cut off or no JSON; save it again from the frame it came from."
        ) from None
    return plan_from(document, f"The plan {str(path)!r}", source)


def plan_from(document: Any, name: str, path: Path | None) -> DeletionPlan:
    """
    Make the plan of a document, whole and unedited.

    Parameters
    ----------
    document : object
        As :meth:`DeletionPlan.to_document` gives it.
    name : str
        What it is called in messages.
    path : Path or None
        The file it is kept in, if it is a plan's own.
    """
    if not isinstance(document, dict) or document.get("format") != "picora-analytics deletion plan":
        raise PlanError(f"{name} is no deletion plan; give a file that plan.save wrote.")
    if document.get("version") != 1:
        raise PlanError(
            f"{name} has version {document.get('version')!r}, and this program reads version 1; "
            "use the program's version that wrote it, or plan anew."
        )
    if document.get("digest") != digest(document):
        raise PlanError(
            f"{name} was edited after it was saved: its digest does not fit. To take images out, "
            "use read_plan(...).without(ids) on an unedited file and save that."
        )
    try:
        plan = _plan(document, path)
    except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
        raise PlanError(f"{name} lacks a part ({error}); plan anew.") from error
    if plan.confirmation != document.get("confirmation"):
        raise PlanError(f"{name} does not fit its own phrase; plan anew.")
    return plan


def _plan(document: dict[str, Any], path: Path | None) -> DeletionPlan:
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
    return DeletionPlan(
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
        copies=msgspec.convert(document["copies"], dict[str, str]),
        path=path,
    )
