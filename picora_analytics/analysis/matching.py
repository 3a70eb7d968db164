"""Find the images that entries of a list mean: for protecting them, never for choosing them."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple
from urllib.parse import unquote

import pandas as pd

from picora_analytics.text import folded, folded_all, plural, shorten

__all__ = ["Images", "Matched", "nearest"]

_SHOWN = 3  # Entries that are named; the others are counted.
_LIKELY = 2000  # Candidates compared letter by letter.
_LONGEST = 200  # Letters of an entry that are compared.
_QUOTES = "\"'`<>()[]{},; \t\u00a0"


class Matched(NamedTuple):
    """
    What a list of entries means in a library.

    Attributes
    ----------
    ids : set of str
        Every image an entry may mean.
    n_exact : int
        Entries that are an id, or an address or file name made of one.
    near : list of str
        Entries that name an image only in another spelling, or by its file name.
    unmatched : list of str
        Entries that match nothing.
    """

    ids: set[str]
    n_exact: int
    near: list[str]
    unmatched: list[str]

    def line(self, name: str, images: Images) -> str:
        """Count the entries of a list for a person, and name the first that match nothing."""
        matched = self.n_exact + len(self.near)
        n = matched + len(self.unmatched)
        verb = "matches" if 1 in (matched, n) else "match"
        text = (
            f"{name}: {matched:,} of {plural(n, 'entry')} {verb} {plural(len(self.ids), 'image')}"
        )
        if self.near:
            text += f"; {len(self.near):,} only nearly, such as {_shown(self.near[0])}"
        if self.unmatched:
            shown = [
                _shown(entry) + (f" (nearest {_shown(like)})" if like else "")
                for entry in self.unmatched[:_SHOWN]
                for like in [images.nearest(entry)]
            ]
            more = "" if len(self.unmatched) <= _SHOWN else ", ..."
            n = len(self.unmatched)
            text += f"; {n:,} match{'es' * (n == 1)} nothing: {', '.join(shown)}{more}"
        return text


def _shown(text: str) -> str:
    return repr(shorten(text, 60))


class Images:
    """The ids and file names of a frame, to be looked up as people and programs write them."""

    def __init__(self, images: pd.DataFrame) -> None:
        self._images = images

    @cached_property
    def _ids(self) -> set[str]:
        return set(self._images.index.tolist())

    @cached_property
    def _by_folded_id(self) -> dict[str, list[str]]:
        ids = self._images.index.tolist()
        return _grouped(ids, ids)

    @cached_property
    def _by_folded_name(self) -> dict[str, list[str]]:
        return _grouped(self._images["filename"].tolist(), self._images.index.tolist())

    def match(self, entries: Sequence[str]) -> Matched:
        """Find the images that entries mean; each entry counts once, however often it is there."""
        ids: set[str] = set()
        n_exact, near, unmatched = 0, [], []
        for entry in dict.fromkeys(entries):
            if entry in self._ids:
                ids.add(entry)
                n_exact += 1
                continue
            parts = _parts(entry)
            exact = self._ids.intersection(parts)
            like = exact or {one for part in parts for one in self._like(part)}
            ids |= like
            n_exact += bool(exact)
            if not like:
                unmatched.append(entry)
            elif not exact:
                near.append(entry)
        return Matched(ids, n_exact, near, unmatched)

    def _like(self, part: str) -> list[str]:
        key = folded(part)
        return [*self._by_folded_id.get(key, ()), *self._by_folded_name.get(key, ())]

    def nearest(self, entry: str) -> str:
        """Give the id or file name most like an entry; empty if none is."""
        keys = [key for key in map(folded, _parts(entry)) if key][:_SHOWN]
        heads, tails = {key[:3] for key in keys}, {key[-3:] for key in keys}
        known = {**self._by_folded_name, **self._by_folded_id}
        likely = (other for other in known if other[:3] in heads or other[-3:] in tails)
        candidates = list(itertools.islice(likely, _LIKELY))
        found = [near for key in keys for near in nearest(key[:_LONGEST], candidates)]
        if not found:
            return ""
        if found[0] in self._by_folded_id:
            return self._by_folded_id[found[0]][0]
        name = self._images["filename"].get(self._by_folded_name[found[0]][0])
        return str(name)


def _grouped(texts: list[Any], ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    named = [
        (text, one) for text, one in zip(texts, ids, strict=True) if isinstance(text, str) and text
    ]
    for key, (_, one) in zip(folded_all([text for text, _ in named]), named, strict=True):
        found.setdefault(key, []).append(one)
    return found


def _parts(entry: str) -> list[str]:
    """Take an entry apart: as it stands, without quotes, the parts of an address, and whatever looks like an id."""
    found: list[str] = []
    for text in dict.fromkeys((entry, unquote(entry))):
        bare = text.strip().strip(_QUOTES)
        # An address may have a query behind it, and a width after that as in `srcset`.
        path = re.split(r"[?#\s]", bare, maxsplit=1)[0]
        found += [text, bare, path]
        for segment in path.replace("\\", "/").split("/"):
            found += [segment, segment.rpartition(".")[0], segment.partition(".")[0]]
        found += re.findall(r"[\w-]+", text)
    return [part for part in dict.fromkeys(found) if part]


def nearest(text: str, known: Sequence[Any], n: int = 1) -> list[str]:
    """Give the texts most like another, the best first."""
    return difflib.get_close_matches(text, known, n=n, cutoff=0.5)
