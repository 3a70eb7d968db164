"""What a gallery opens: a library to browse, a plan to review, or duplicates to compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from picora_analytics.analysis.decided import Decisions
from picora_analytics.analysis.question import read_pandas
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.preview import look_twice
from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import STR, facts_of
from picora_analytics.pictures.duplicates import images_of
from picora_analytics.references.found import References
from picora_analytics.text import plural
from picora_analytics.units import format_bytes
from picora_analytics.widgets.gallery.cells import Badge, Evidence
from picora_analytics.widgets.gallery.groups import Groups
from picora_analytics.widgets.gallery.orders import Ints, in_order

__all__ = ["Opened", "open_images"]

_READ = [
    "id",
    "filename",
    "url",
    "mime_type",
    "size_bytes",
    "width",
    "height",
    "is_public",
    "created_at",
]
_DUPLICATES = {"group", "id", "kind", "kept", "why"}
MOST_NOTED = 60


class Opened(NamedTuple):
    """What the gallery is of, and how it begins."""

    mode: str
    images: pd.DataFrame
    evidence: Evidence
    demo: bool
    title: str
    orders: Mapping[str, Ints] = {}
    groups: Groups | None = None
    chosen: Ints | None = None
    facts: tuple[str, ...] = ()


def open_images(
    given: Any, references: References | None = None, decisions: Decisions | None = None
) -> Opened:
    """
    Look at what was given, and check that it can be shown.

    Raises
    ------
    TypeError
        If it is no frame and no plan.
    SchemaError
        If a column is missing, or duplicates no longer know their images.
    PlanError
        If references are of another account, or decisions cannot be read.
    """
    if isinstance(given, DeletionPlan):
        return _plan(given, references, decisions)
    if isinstance(given, pd.DataFrame) and set(given.columns) >= _DUPLICATES:
        return _duplicates(given, references, decisions)
    images = _checked(given)
    facts = facts_of(images)
    evidence = Evidence(images, references, decisions)
    demo = facts is not None and facts["demo"]
    return Opened("browse", images, evidence, demo, plural(len(images), "image"))


def _checked(images: Any) -> pd.DataFrame:
    """Check columns and dtypes; give the frame indexed by id."""
    if isinstance(images, pd.DataFrame) and "id" in images.columns:
        images = images.set_index("id")
    if not isinstance(images, pd.DataFrame) or not _as_loaded(images):
        read = read_pandas(images, _READ, "ImageGallery")
        read["created_at"] = read["created_at"].dt.tz_localize("UTC")
        rest = [name for name in _READ if name != "id"]
        typed: pd.DataFrame = images.assign(**{name: read[name].array for name in rest})
        return typed
    read_pandas(images.iloc[:0], _READ, "ImageGallery")  # Its dtypes say what a million values are.
    return images


def _as_loaded(images: pd.DataFrame) -> bool:
    """Tell whether every column has the dtype that a load gives it, and not one that people or files put there."""
    kinds = {name: pd.Int64Dtype() for name in ("size_bytes", "width", "height")}
    own = {name: images[name].dtype for name in _READ if name in images and name != "created_at"}
    dates = images.dtypes.get("created_at")
    return all(
        kind == kinds.get(name, pd.BooleanDtype() if name == "is_public" else STR)
        for name, kind in own.items()
    ) and (dates is None or isinstance(dates, pd.DatetimeTZDtype))


def _plan(plan: DeletionPlan, references: References | None, decisions: Decisions | None) -> Opened:
    """Review a plan: everything is chosen, and what should be looked at twice comes first."""
    images = plan.images
    noted, _ = look_twice(images, MOST_NOTED)
    notes = {str(images.index[row]): Badge("warn", _short(note)) for row, note in noted}
    for image_id, stays in plan.duplicates.items():
        notes.setdefault(image_id, Badge("copy", f"duplicate of {stays}"))
    first = np.array([row for row, _ in noted], dtype=np.int64)
    rest = in_order(images, "largest first")
    order = np.concatenate([first, rest[~np.isin(rest, first)]])
    facts = [f"{plural(len(noted), 'image')} to look at twice"] if noted else []
    facts += [f"{len(plan.spared):,} spared"] if len(plan.spared) else []
    facts += [str(one) for one in plan.refusals]
    return Opened(
        mode="review",
        images=images,
        evidence=Evidence(images, references, decisions, notes=notes),
        demo=plan.library["demo"],
        title=f"Delete {plural(len(images), 'image')}, {format_bytes(plan.size_bytes)}?",
        orders={"look twice first": order} if len(images) else {},
        chosen=np.arange(len(images), dtype=np.int64),
        facts=tuple(facts),
    )


def _short(note: str) -> str:
    """Fit a note into a badge."""
    return note.replace("its name says", "named").partition(" in its name")[0]


def _duplicates(
    duplicates: pd.DataFrame, references: References | None, decisions: Decisions | None
) -> Opened:
    """Compare duplicates: certain ones of an image that stays are chosen."""
    known = images_of(duplicates)
    ids = pd.Index(duplicates["id"])
    if known is None or not ids.isin(known.index).all():
        raise SchemaError(
            "These duplicates do not know their images, as after reading them from a file; make them again: "
            "pic.ImageGallery(pic.find_duplicates(images, client), client)."
        )
    images = _checked(known.loc[ids.drop_duplicates()])
    groups = Groups(duplicates, images)
    facts = facts_of(images)
    notes = {
        str(one): Badge("shield", "stays") if kept else Badge("copy", f"{kind} duplicate")
        for one, kept, kind in zip(ids, duplicates["kept"], duplicates["kind"], strict=True)
    }
    return Opened(
        mode="compare",
        images=images,
        evidence=Evidence(images, references, decisions, notes=notes),
        demo=facts is not None and facts["demo"],
        title=plural(len(groups), "group") + " of duplicates",
        orders={"group by group": groups.order},
        groups=groups,
        chosen=groups.going,
    )
