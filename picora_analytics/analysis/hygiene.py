"""Tags that seem to mean the same."""
# Outside, FrameT is the caller's own frame; inside, `question` has made it a narwhals frame.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from picora_analytics.analysis.counting import COUNTS, count
from picora_analytics.analysis.question import By, FrameT, Kind, explode_tags, question
from picora_analytics.analysis.small import answered, rows_of
from picora_analytics.text import folded

__all__ = ["summarize_tag_hygiene"]

# Shorter words have neighbors that mean something else: "cat" and "car".
_SHORTEST = 5
_LONGEST = 64  # Letters of a word that may be misspelled: the work grows with their square.
# Beyond this many different tags nobody reads a list of spelling mistakes.
_MOST = 20_000
# So many words one letter apart are a series, and none of them misspelled.
_SERIES = 40
_SPELLING, _PLURAL, _LETTER = (
    "same but for spelling",
    "perhaps singular and plural",
    "one letter differs, or two are swapped",
)
_ANSWERS: dict[str, Kind] = {
    "group": "int64",
    "tag": "str",
    **COUNTS,
    "suggested": "str",
    "why": "str",
}


@question("tags", "size_bytes", answers=_ANSWERS)
def summarize_tag_hygiene(images: FrameT, *, by: By | None = None) -> FrameT:
    """
    List tags that seem to mean the same: other case, blanks or accents' form; plurals; one letter.

    Suggestions only. The tag that most images have is suggested for its group.

    Parameters
    ----------
    images : DataFrame or relation of shape (n_images, ...)
        One row per image, as made by ``load_images``. Reads ``tags`` and ``size_bytes``.
    by : "account", optional
        Ask for each account in turn, and put ``account`` in front: for frames of several.

    Returns
    -------
    same type as ``images``, of shape (n_tags_in_question, 6)
        ``group`` (int), ``tag``, ``n_images``, ``size_bytes``, ``suggested``, and ``why``: ``same but for spelling``
        (equal without case, blanks, ``-`` and ``_``, in one Unicode form), ``perhaps singular and plural`` (ends in
        s or es), or ``one letter differs, or two are swapped`` (of five or more); empty for the suggested tag itself.
        The surest groups come first, then those of most images.

    Raises
    ------
    SchemaError
        If ``tags`` or ``size_bytes`` is missing.

    Examples
    --------
    >>> images = make_images(tags=[("Red Shoe",), ("red-shoe",), ("red-shoe", "blue")])
    >>> summarize_tag_hygiene(images)[["tag", "n_images", "suggested", "why"]]
            tag  n_images suggested                    why
    0  red-shoe         2  red-shoe
    1  Red Shoe         1  red-shoe  same but for spelling
    """
    tags = rows_of(count(explode_tags(images).rename({"tags": "tag"}), "tag"))
    counted = {row["tag"]: row for row in tags}
    groups = sorted(_groups(counted), key=lambda group: (_rank(group), -_weight(group, counted)))
    rows = []
    for number, group in enumerate(groups):
        suggested = next(iter(group))
        rows += [
            {**counted[tag], "group": number, "suggested": suggested, "why": why}
            for tag, why in group.items()
        ]
    answer = [{name: row[name] for name in _ANSWERS} for row in rows]
    return answered(answer, images, _ANSWERS)


def _rank(group: dict[str, str]) -> int:
    return max((_SPELLING, _PLURAL, _LETTER).index(why) for why in group.values() if why)


def _weight(group: dict[str, str], counted: dict[str, dict[str, Any]]) -> int:
    return sum(counted[tag]["n_images"] for tag in group)


def _groups(counted: dict[str, dict[str, Any]]) -> Iterator[dict[str, str]]:
    """Give each group as the reason of each tag, the suggested one first."""
    spellings: defaultdict[str, list[str]] = defaultdict(list)
    for tag in sorted(counted, key=lambda tag: (-counted[tag]["n_images"], tag)):
        # A tag of signs alone has nothing to compare.
        spellings[folded(tag) or tag].append(tag)
    near = _near(spellings) if len(spellings) <= _MOST else {}
    taken: set[str] = set()
    for key, tags in spellings.items():
        if key in taken:
            continue
        members = dict.fromkeys(tags, _SPELLING)
        taken.add(key)
        for other, why in near.get(key, {}).items():
            if other not in taken:
                taken.add(other)
                members |= dict.fromkeys(spellings[other], why)
        members[tags[0]] = ""
        if len(members) > 1:
            yield members


def _near(keys: Iterable[str]) -> dict[str, dict[str, str]]:
    """Give for each spelling those that are near it, and why."""
    known = set(keys)
    near: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def pair(one: str, other: str, why: str) -> None:
        near[one].setdefault(other, why)
        near[other].setdefault(one, why)

    for key in sorted(known):
        for ending in ("s", "es"):
            if len(key) > 2 and key + ending in known:
                pair(key, key + ending, _PLURAL)
    # Two words one letter apart are equal without one letter of each, at the same place or one beside it.
    without: defaultdict[str, set[str]] = defaultdict(set)
    for key in known:
        # Numbers are not misspelled: 2025 is another year than 2026.
        if _SHORTEST <= len(key) <= _LONGEST and not any(map(str.isdigit, key)):
            for place in range(len(key)):
                without[key[:place] + key[place + 1 :]].add(key)
            without[key].add(key)
    for words in without.values():
        if len(words) > _SERIES:
            continue
        for one, other in itertools.combinations(sorted(words), 2):
            if _one_apart(one, other):
                pair(one, other, _LETTER)
    return near


def _one_apart(one: str, other: str) -> bool:
    """Tell whether one letter was changed, added or left out, or two beside each other were swapped."""
    if len(one) == len(other):
        differ = [place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(differ) == 1:
            return True
        first, last = differ[0], differ[-1]
        return (
            len(differ) == 2
            and last == first + 1
            and one[first : last + 1] == other[last] + other[first]
        )
    short, long = sorted((one, other), key=len)
    return any(long[:place] + long[place + 1 :] == short for place in range(len(long)))
