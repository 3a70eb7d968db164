"""What a person chose, read strictly: never all by accident, never by position, never from silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from pandas.api.types import is_bool_dtype

from picora_analytics.analysis.matching import Images, nearest
from picora_analytics.cleanup.plan.columns import Bools, among, cells
from picora_analytics.cleanup.plan.guard import shown_literal
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import facts_of
from picora_analytics.references.found import COULD_NOT_LOOK, FOUND, References
from picora_analytics.text import folded, plural, visible

__all__ = ["Choice", "Protection", "chosen_ids", "protection"]

Choice: TypeAlias = "pd.Series[Any] | pd.Index[Any] | list[str] | Mapping[str, Any]"


class Chosen(NamedTuple):
    """Which rows of the frame a choice takes, and of which it cannot tell."""

    yes: Bools
    unknown: Bools
    by_rule: bool  # A mask is a rule; ids were named one by one.


class Protection(NamedTuple):
    """
    What must not be touched, and what was matched, in lines: tags are looked up again when a plan is applied.

    Where someone looked for references, `used` and `not_looked` are what that spares, and `searched` says in lines
    where and when.
    """

    tags: tuple[str, ...]
    yes: Bools
    unknown: Bools
    lines: tuple[str, ...]
    used: Bools
    not_looked: Bools
    searched: tuple[str, ...]


def chosen_ids(images: pd.DataFrame, choice: Any, name: str = "choice") -> Chosen:
    """
    Read a choice of images.

    Parameters
    ----------
    images : DataFrame
        Indexed by id.
    choice : boolean Series, Index or list of ids
        A Series must speak of exactly the frame's ids, in any order; NA means that the rule cannot tell.
    name : str
        The argument's name, for messages.

    Raises
    ------
    PlanError
        If it is anything else; the message shows the line to type.
    """
    if isinstance(choice, pd.Series):
        cure = f"Make the mask from the frame you pass, or type {name}={name}.reindex(images.index, fill_value=False)."
        return _from_mask(images, choice, name, cure)
    ids = _listed(choice, name)
    _refuse_repeated(pd.Index(ids, dtype=object), name, f"pd.Index({name}).unique()")
    yes = among(images.index, ids)
    if yes.sum() < len(ids):
        foreign = pd.Index(ids, dtype=object)[~among(pd.Index(ids, dtype=object), images.index)]
        raise PlanError(
            f"{name} holds {plural(len(foreign), 'id')} that this frame does not have, first "
            f"{foreign[0]!r}; ids are case-sensitive. To leave them out, type "
            f"{name}=images.index.intersection(list({name}))."
        )
    return Chosen(yes, np.zeros(len(images), dtype=bool), by_rule=False)


def _listed(choice: Any, name: str) -> list[str]:
    """Read a list of ids; PlanError for anything else."""
    if isinstance(choice, pd.DataFrame):
        raise PlanError(f"{name} is a DataFrame; to take its rows, type {name}={name}.index.")
    if isinstance(choice, np.ndarray | ExtensionArray) and is_bool_dtype(choice.dtype):
        raise PlanError(
            f"{name} is a bare boolean array, which matches by position and not by image; type "
            f"{name}=pd.Series({name}, index=images.index)."
        )
    if choice is None or isinstance(choice, str | bytes | bool):
        raise PlanError(
            f"{name}={choice!r} chooses nothing; give a boolean Series over images, or a list of ids "
            f"such as {name}=['aB3dE5fG7hJ']."
        )
    if not isinstance(choice, pd.Index | list | tuple | set | frozenset | np.ndarray):
        raise PlanError(
            f"{name} is a {type(choice).__name__}; give a boolean Series over images, or a list of ids."
        )
    ids = cells(choice) if isinstance(choice, pd.Index) else list(choice)
    if ids and all(isinstance(image_id, bool | np.bool_) for image_id in ids):
        raise PlanError(
            f"{name} is a list of true and false, which matches by position and not by image; type "
            f"{name}=pd.Series({name}, index=images.index)."
        )
    wrong = [image_id for image_id in ids if not isinstance(image_id, str)]
    if wrong:
        raise PlanError(
            f"{name} holds {wrong[0]!r} ({type(wrong[0]).__name__}), which is not an id; ids are text, such "
            "as 'aB3dE5fG7hJ'."
        )
    return ids


def _from_mask(images: pd.DataFrame, mask: pd.Series[Any], name: str, cure: str) -> Chosen:
    """Read a mask over exactly the frame's ids; `cure` is the advice if it is over others."""
    if not is_bool_dtype(mask.dtype):
        values = mask.dropna()
        # Gaps turn a mask into 1.0 and 0.0.
        if len(values) and values.isin([True, False]).all():
            hint = f"type {name}={name}.astype('boolean')"
        elif len(values) and values.map(lambda value: isinstance(value, str)).all():
            hint = f"for these ids, type {name}=pd.Index({name})"
        else:
            hint = "write a comparison, such as images['size_bytes'] > 5_000_000"
        raise PlanError(
            f"{name} is a Series of {mask.dtype} with {plural(int(mask.isna().sum()), 'gap')}, not of true and "
            f"false; {hint}."
        )
    _refuse_repeated(mask.index, name, f"{name}[~{name}.index.duplicated()]")
    _refuse_other_load(images, mask, name)
    if mask.index.equals(images.index):
        aligned = mask.astype("boolean")
    else:
        foreign = mask.index.difference(images.index)
        missing = images.index.difference(mask.index)
        if len(foreign) or len(missing):
            raise PlanError(
                f"{name} speaks of other images than this frame: {len(foreign)} it does not have, and "
                f"{len(missing)} of its own are not mentioned. {cure}"
            )
        aligned = mask.reindex(images.index).astype("boolean")
    yes = aligned.fillna(False).to_numpy(dtype=bool)
    return Chosen(yes, aligned.isna().to_numpy(dtype=bool), by_rule=True)


def _refuse_other_load(images: pd.DataFrame, mask: pd.Series[Any], name: str) -> None:
    """Refuse a mask that says that it tells of another load: what was true of an image then may not be now."""
    own, other = facts_of(images), mask.attrs.get("picora")
    if own is None or not isinstance(other, dict):
        return
    if all(other.get(key, own[key]) == own[key] for key in ("account", "loaded_at", "read_at")):
        return
    raise PlanError(
        f"{name} was made from another load, of {visible(str(other.get('read_at'))[:16])} UTC, and this frame is of "
        f"{own['read_at'][:16]} UTC; what it says of an image may have changed since. Make the mask from the frame "
        f"you pass; to narrow that by this one, type {name}.attrs.clear() and then {name}=mask & {name}."
    )


def _refuse_repeated(ids: pd.Index[Any], name: str, cure: str) -> None:
    if not ids.is_unique:
        twice = ids[ids.duplicated()][0]
        raise PlanError(
            f"{name} names the image {twice!r} twice; look why, then type {name}={cure}."
        )


def protection(images: pd.DataFrame, protect: Any) -> Protection:
    """
    Read what must not be touched; spellings that look alike protect as well.

    Parameters
    ----------
    images : DataFrame
    protect : str, boolean Series, Index of ids, References, or a list of these; None for nothing
        Text is the name of a tag, or else an id, an address or a file name. What a list names and the frame does
        not have is counted in the lines.

    Raises
    ------
    PlanError
        If a tag or a whole list matches nothing: a mistyped protection protects nothing.
    """
    parts = protect if isinstance(protect, list | tuple | set | frozenset) else [protect]
    known = Images(images)
    tags: dict[str, None] = {}
    ids: set[str] = set()
    yes, unknown, used, not_looked = (np.zeros(len(images), dtype=bool) for _ in range(4))
    lines: list[str] = []
    searched: list[str] = []
    for number, part in enumerate(parts):
        name = "protect" if parts is not protect else f"protect[{number}]"
        if part is None:
            if protect is not None:
                raise PlanError("protect holds None, which names nothing; leave it out.")
        elif isinstance(part, str):
            found, line = _tag(images, known, part)
            tags |= dict.fromkeys([part] if found is None else [])
            ids |= found or set()
            lines.append(line)
        elif isinstance(part, References):
            facts = facts_of(images)
            part.refuse_other_account(None if facts is None else facts["account"])
            status = part.status(images.index).to_numpy(dtype=object)
            used |= status == FOUND
            not_looked |= status == COULD_NOT_LOOK
            lines.append(_references_line(status))
            searched += part.summary()
        elif isinstance(part, pd.Series):
            chosen = _from_mask(images, part, name, "Make the mask from the frame you pass.")
            yes, unknown = yes | chosen.yes, unknown | chosen.unknown
            lines.append(f"{name}: a rule that holds for {plural(int(chosen.yes.sum()), 'image')}")
        else:
            matched = known.match(_listed(part, name))
            lines.append(matched.line(name, known))
            if matched.unmatched and not matched.ids:
                raise PlanError(
                    f"{lines[-1]}. Nothing would be protected by it; look where the list comes from."
                )
            ids |= matched.ids
    return Protection(
        tuple(tags),
        yes | among(images.index, ids),
        unknown,
        tuple(lines),
        used,
        not_looked,
        tuple(searched),
    )


def _references_line(status: Any) -> str:
    """Count what references protect; without dates and paths, so that the phrase of a plan can be said again."""
    n_used, n_unknown = int((status == FOUND).sum()), int((status == COULD_NOT_LOOK).sum())
    line = f"references: {plural(n_used, 'image')} found in use"
    return line + (f", and {n_unknown:,} for which not all could be looked at" if n_unknown else "")


def _tag(images: pd.DataFrame, known: Images, tag: str) -> tuple[set[str] | None, str]:
    """Count what a tag protects; where no tag is like it, give the ids that the text names otherwise."""
    shown = shown_literal(tag)
    # Only text is a tag: other shapes of a cell are checked by the frame itself.
    codes, rows = pd.factorize(images["tags"].to_numpy(dtype=object), use_na_sentinel=False)
    tags = {one for row in rows if isinstance(row, tuple) for one in row}
    wanted = folded(tag)
    like = sorted(one for one in tags if one != tag and folded(one) == wanted)
    if tag in tags or like:
        spellings = {tag, *like}
        hit = np.array([isinstance(row, tuple) and not spellings.isdisjoint(row) for row in rows])
        n = int(hit[codes].sum())
        others = f", {', '.join(map(shown_literal, like[:3]))} included" if like else ""
        return None, f"the tag {shown}: {plural(n, 'image')}{others}"
    matched = known.match([tag])
    if matched.ids:
        return (
            matched.ids,
            f"{shown}: {plural(len(matched.ids), 'image')} of this id, address or file name",
        )
    near = nearest(tag, sorted(tags), 3)
    hint = (
        f"did you mean {' or '.join(map(shown_literal, near))}?" if near else "no tag is like it."
    )
    raise PlanError(
        f"protect={shown} is a tag no image of this frame has, so it would protect nothing; {hint} "
        "Ids are given as pd.Index([...])."
    )
