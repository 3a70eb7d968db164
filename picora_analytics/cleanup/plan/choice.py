"""What a person chose, read strictly: never all by accident, never by position, never from silence."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from pandas.api.extensions import ExtensionArray
from pandas.api.types import is_bool_dtype

from picora_analytics.errors import PlanError

__all__ = ["Choice", "Protection", "chosen_ids", "protection"]

Choice: TypeAlias = "pd.Series[Any] | pd.Index[Any] | list[str] | Mapping[str, Any]"


class Chosen(NamedTuple):
    """Ids by what the choice says of them."""

    yes: pd.Index[Any]
    unknown: pd.Index[Any]
    by_rule: bool  # A mask is a rule; ids are images somebody named.


class Protection(NamedTuple):
    """What must not be touched: tags are looked up again when a plan is applied."""

    tags: tuple[str, ...]
    ids: pd.Index[Any]
    unknown: pd.Index[Any]


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
    nothing = images.index[:0]
    if isinstance(choice, pd.Series):
        return _from_mask(images, choice, name)
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
    ids = list(choice)
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
    _refuse_repeated(pd.Index(ids, dtype=object), name, f"pd.Index({name}).unique()")
    foreign = [image_id for image_id in ids if image_id not in images.index]
    if foreign:
        raise PlanError(
            f"{name} holds {len(foreign)} id{'s' * (len(foreign) > 1)} that this frame does not have, first "
            f"{foreign[0]!r}; ids are case-sensitive. To leave them out, type "
            f"{name}=images.index.intersection(list({name}))."
        )
    return Chosen(images.index[images.index.isin(ids)], nothing, by_rule=False)


def _from_mask(images: pd.DataFrame, mask: pd.Series[Any], name: str) -> Chosen:
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
            f"{name} is a Series of {mask.dtype} with {int(mask.isna().sum())} gaps, not of true and "
            f"false; {hint}."
        )
    _refuse_repeated(mask.index, name, f"{name}[~{name}.index.duplicated()]")
    foreign = mask.index.difference(images.index)
    missing = images.index.difference(mask.index)
    if len(foreign) or len(missing):
        raise PlanError(
            f"{name} speaks of other images than this frame: {len(foreign)} it does not have, and "
            f"{len(missing)} of its own are not mentioned. Make the mask from the frame you pass, or type "
            f"{name}={name}.reindex(images.index, fill_value=False)."
        )
    aligned = mask.reindex(images.index).astype("boolean")
    return Chosen(
        images.index[aligned.fillna(False).to_numpy(dtype=bool)],
        images.index[aligned.isna().to_numpy(dtype=bool)],
        by_rule=True,
    )


def _refuse_repeated(ids: pd.Index[Any], name: str, cure: str) -> None:
    if not ids.is_unique:
        twice = ids[ids.duplicated()][0]
        raise PlanError(
            f"{name} names the image {twice!r} twice; look why, then type {name}={cure}."
        )


def protection(images: pd.DataFrame, protect: Any) -> Protection:
    """
    Read what must not be touched.

    Parameters
    ----------
    images : DataFrame
    protect : str, boolean Series, Index of ids, or a list of these; None for nothing
        Text is the name of a tag.

    Raises
    ------
    PlanError
        If a tag matches nothing: a mistyped protection protects nothing.
    """
    nothing = images.index[:0]
    parts = protect if isinstance(protect, list | tuple | set | frozenset) else [protect]
    tags: list[str] = []
    ids, unknown = nothing, nothing
    for number, part in enumerate(parts):
        if part is None:
            if protect is not None:
                raise PlanError("protect holds None, which names nothing; leave it out.")
        elif isinstance(part, str):
            tags.append(part)
        else:
            name = "protect" if parts is not protect else f"protect[{number}]"
            chosen = chosen_ids(images, part, name)
            ids = ids.union(chosen.yes, sort=False)
            unknown = unknown.union(chosen.unknown, sort=False)
    if tags:
        # Only text is a tag: other shapes of a cell are checked by the frame itself.
        known = {tag for row in images["tags"] if row is not None for tag in row}
        for tag in tags:
            if tag not in known:
                near = difflib.get_close_matches(tag, sorted(known), n=3, cutoff=0.5)
                hint = (
                    f"did you mean {' or '.join(map(repr, near))}?"
                    if near
                    else "no tag is like it."
                )
                raise PlanError(
                    f"protect={tag!r} is a tag no image of this frame has, so it would protect nothing; {hint} "
                    "Ids are given as pd.Index([...])."
                )
    return Protection(tuple(dict.fromkeys(tags)), ids, unknown)
