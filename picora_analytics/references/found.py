"""What a search for references found: a value with four words for an image, saved and read back whole."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import html
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from picora_analytics.errors import PicoraError, PlanError
from picora_analytics.files import read_json, reason_of, write_atomic
from picora_analytics.library.frame import STR, among
from picora_analytics.text import plural, shorten, visible
from picora_analytics.times import day_and_time, format_instant, parse_instant
from picora_analytics.units import format_bytes

__all__ = ["COULD_NOT_LOOK", "FOUND", "FOUND_BEFORE", "NOT_FOUND", "References", "read_references"]

FOUND, FOUND_BEFORE, NOT_FOUND = "found", "found before", "not found"
COULD_NOT_LOOK = "could not look"
WORDS = (FOUND, FOUND_BEFORE, NOT_FOUND, COULD_NOT_LOOK)

FORMAT, VERSION = "picora-analytics references", 1
_SHOWN = 5
_COLUMNS: dict[str, dict[str, Any]] = {
    "found": {"id": STR, "source": STR, "line": "int64", "text": STR},
    "found_before": {"id": STR, "source": STR, "commit": STR, "date": "datetime64[us, UTC]"},
    "dangling": {"address": STR, "source": STR, "line": "int64", "nearest": STR},
    "coverage": {
        "source": STR, "n_files": "int64", "n_bytes": "int64", "skipped": STR, "problem": STR,
    },
}  # fmt: skip


def table(name: str, rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Make one of the frames of :class:`References`."""
    columns = _COLUMNS[name]
    return pd.DataFrame(rows, columns=list(columns)).astype(columns)


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class References:
    """
    Where the images of a library are used, as far as anyone looked.

    There are four words for an image: *found*, *found before* (only in the history of a Git repository),
    *not found* (in these files, which is not "unused"), and *could not look* (it was not found, and something could
    not be read). Made by :func:`find_references` or :func:`read_references`.

    Attributes
    ----------
    found : DataFrame
        ``id``, ``source`` (a path, a page, or ``branch:path``), ``line`` (from 1) and ``text`` (at most 80
        characters); of each image the first 20 places.
    found_before : DataFrame
        ``id``, ``source`` (the last path), ``commit`` (the newest that holds it) and ``date``.
    dangling : DataFrame
        ``address``, ``source``, ``line`` and ``nearest``: addresses on Picora's hosts that lead to no image, and ids
        written in another case, with the id most like it.
    coverage : DataFrame
        ``source``, ``n_files``, ``n_bytes``; ``skipped`` says why files were left out, ``problem`` why one could not
        be looked at.
    ids : Index
        The images that were looked for.
    scanned_at : datetime
        When the search began.
    account : str or None
        Whose library it is; None when made from bare ids.
    sources : tuple of str
        As they were given.
    """

    found: pd.DataFrame
    found_before: pd.DataFrame
    dangling: pd.DataFrame
    coverage: pd.DataFrame
    ids: pd.Index[Any]
    scanned_at: dt.datetime
    account: str | None
    sources: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everything could be looked at."""
        return not self.coverage["problem"].notna().any()

    def status(self, images: pd.DataFrame | pd.Index[Any]) -> pd.Series[Any]:
        """
        Tell what is known of images.

        Parameters
        ----------
        images : DataFrame indexed by id, or Index of ids

        Returns
        -------
        Series of str, by id
            ``found``, ``found before``, ``not found`` or ``could not look``. An image that was not looked for, such
            as one uploaded since, is ``could not look``.
        """
        ids = images.index if isinstance(images, pd.DataFrame) else images
        words = np.full(len(ids), COULD_NOT_LOOK, dtype=object)
        if self.complete:
            words[among(ids, self.ids)] = NOT_FOUND
            words[among(ids, pd.Index(self.found_before["id"]))] = FOUND_BEFORE
        words[among(ids, self._found_ids)] = FOUND
        return pd.Series(words, index=ids, name="status", dtype=STR)

    @cached_property
    def _found_ids(self) -> pd.Index[Any]:
        ids: pd.Index[Any] = pd.Index(self.found["id"].unique())
        return ids

    @property
    def counts(self) -> dict[str, int]:
        """How many images each of the four words is true of."""
        counted = self.status(self.ids).value_counts()
        return {word: int(counted.get(word, 0)) for word in WORDS}

    def refuse_other_account(self, account: str | None) -> None:
        """Raise PlanError if these are of another account."""
        if self.account is not None and account is not None and self.account != account:
            raise PlanError(
                f"These references are of account {visible(self.account[:8])}, and this library is of "
                f"{visible(account[:8])}; look for references to this one."
            )

    @property
    def n_files(self) -> int:
        """How many files were read; what was skipped or could not be looked at is none."""
        return int(self._looked_at()["n_files"].sum())

    def _looked_at(self) -> pd.DataFrame:
        return self.coverage[self.coverage["skipped"].isna() & self.coverage["problem"].isna()]

    def summary(self) -> list[str]:
        """Say in lines what was looked at, what was left out, what could not be looked at, and what was found."""
        looked = self._looked_at()
        lines = [
            f"looked for {plural(len(self.ids), 'image')} in {plural(self.n_files, 'file')}, "
            f"{format_bytes(int(looked['n_bytes'].sum()))}, on {day_and_time(self.scanned_at)}",
            *(
                f"{shorten(source, 60)}: {plural(n_files, 'file')}, {format_bytes(n_bytes)}"
                for source, n_files, n_bytes in _cells(looked, "source", "n_files", "n_bytes")
            ),
        ]
        skipped = (
            self.coverage[self.coverage["skipped"].notna()].groupby("skipped")["n_files"].sum()
        )
        if len(skipped):
            lines.append("skipped: " + ", ".join(f"{why} ({n:,})" for why, n in skipped.items()))
        counts = self.counts
        words = {NOT_FOUND: "not found in these files"}
        lines.append(
            ", ".join(f"{counts[word]:,} {words.get(word, word)}" for word in WORDS if counts[word])
            or "no image to look for"
        )
        lines += [f"could not look: {text}" for text in self.problems()]
        if len(self.dangling):
            n = self.dangling["address"].nunique()
            lines.append(f"{n:,} {'address leads' if n == 1 else 'addresses lead'} to no image")
        return lines

    def problems(self, n: int = _SHOWN) -> list[str]:
        """Name the first things that could not be looked at, with their reason."""
        failed = self.coverage[self.coverage["problem"].notna()]
        lines = [
            f"{shorten(row.source, 60)}, {shorten(row.problem, 80)}"
            for row in failed[:n].itertuples()
        ]
        return [*lines, f"and {len(failed) - n:,} more"] if len(failed) > n else lines

    def __repr__(self) -> str:
        head = (
            "References" if self.complete else "References, INCOMPLETE: nothing counts as not found"
        )
        return "\n".join([head, *(f"  {line}" for line in self.summary())])

    def _repr_html_(self) -> str:
        head, *lines = repr(self).split("\n")
        items = "".join(f"<li><bdi>{html.escape(line.strip())}</bdi></li>" for line in lines)
        return (
            f'<div class="tex2jax_ignore mathjax_ignore"><strong>{html.escape(head)}</strong>'
            f"<ul>{items}</ul></div>"
        )

    def write(self, path: str | os.PathLike[str]) -> Path:
        """
        Save them as JSON, with a digest over all of it.

        The file names strangers' files and texts, and ids of private images: keep it as private as the library.
        """
        text = msgspec.json.format(msgspec.json.encode(self.to_document()), indent=1) + b"\n"
        target = Path(path).expanduser()
        write_atomic(target, lambda temporary: temporary.write_bytes(text))
        return target

    def to_document(self) -> dict[str, Any]:
        """Give them as plain values, with a digest over all of it: what :meth:`write` saves."""
        document: dict[str, Any] = {
            "format": FORMAT,
            "version": VERSION,
            "account": self.account,
            "scanned_at": format_instant(self.scanned_at),
            "complete": self.complete,
            "counts": self.counts,
            "sources": list(self.sources),
            "coverage": _records(self.coverage),
            "dangling": _records(self.dangling),
            "found": _records(self.found),
            "found_before": _records(self.found_before),
            "ids": self.ids.tolist(),
        }
        document["digest"] = _digest(document)
        return document


def read_references(path: str | os.PathLike[str]) -> References:
    """
    Read what :meth:`References.write` saved.

    Parameters
    ----------
    path : path

    Raises
    ------
    PicoraError
        If the file is missing, cut, edited, of another version, or no references.
    """
    name = f"The references {os.fspath(path)!r}"
    try:
        document = read_json(path)
    except OSError as error:
        raise PicoraError(f"{name} cannot be read: {reason_of(error)}.") from None
    except ValueError:
        raise PicoraError(f"{name} are cut off or not JSON; look for references again.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise PicoraError(f"{name} are no references; give a file that References.write wrote.")
    if document.get("version") != VERSION:
        raise PicoraError(
            f"{name} have version {document.get('version')!r}, and this program reads version {VERSION}; look for "
            "references again."
        )
    if document.get("digest") != _digest(document):
        raise PicoraError(
            f"{name} were edited after they were saved, or are cut: their digest does not fit. Look for references "
            "again."
        )
    try:
        return _from(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise PicoraError(f"{name} lack a part ({error}); look for references again.") from error


def _from(document: dict[str, Any]) -> References:
    tables = {
        part: table(part, [tuple(map(row.get, columns)) for row in document[part]])
        for part, columns in _COLUMNS.items()
    }
    return References(
        **tables,
        ids=pd.Index(msgspec.convert(document["ids"], list[str]), dtype=STR, name="id"),
        scanned_at=parse_instant(document["scanned_at"]),
        account=msgspec.convert(document["account"], str | None),
        sources=tuple(msgspec.convert(document["sources"], list[str])),
    )


def _cells(frame: pd.DataFrame, *names: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[name].tolist() for name in names), strict=True)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {
            str(name): format_instant(value) if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
            if not pd.isna(value)
        }
        for row in frame.to_dict("records")
    ]


def _digest(document: dict[str, Any]) -> str:
    rest = {key: value for key, value in document.items() if key != "digest"}
    return hashlib.blake2b(msgspec.json.encode(rest, order="sorted"), digest_size=16).hexdigest()
