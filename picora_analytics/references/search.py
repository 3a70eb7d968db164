"""Look for the images of a library in files, pages and history."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from picora_analytics import times
from picora_analytics.files import expanded
from picora_analytics.library.frame import STR, facts_of
from picora_analytics.progress import Progress, progress_for
from picora_analytics.references.coverage import Coverage
from picora_analytics.references.found import References, table
from picora_analytics.references.history import Repository
from picora_analytics.references.pages import read_address
from picora_analytics.references.scanning import Address, Place, Scanner, host_paths
from picora_analytics.references.sources import Text, shown_path, texts_in
from picora_analytics.references.tokens import are_ids
from picora_analytics.references.web import site_texts
from picora_analytics.text import plural, shorten

__all__ = ["find_references"]

PLACES = 20  # Of one image that are kept.
DANGLING = 10_000
NEAREST_FOR = 1000  # Addresses that are compared letter by letter.

Source = str | os.PathLike[str]


def find_references(
    images: pd.DataFrame | pd.Index[Any],
    *sources: Source,
    git: Source | None = None,
    addresses: Source | None = None,
    exclude: Iterable[str] = (),
    progress: Progress | bool | None = None,
) -> References:
    r"""
    Look where images are used: in files, in the pages of a site, and in the history of a repository.

    An image is recognized by its id alone, so escaping, ``srcset``, custom domains and processing parameters make no
    difference. An id in another case counts as found, since it may be meant.

    Parameters
    ----------
    images : DataFrame indexed by id, or Index of ids
        As made by ``load_images``.
    *sources : path or str
        Files, folders, or ``http(s)://`` addresses of a page or a sitemap, whose pages on the same host are read; one
        that leads elsewhere could not be looked at. Archives and office documents are looked into.
    git : path, optional
        A repository: its working tree, index, stashes, all branches and tags, and their history. What only the
        history holds is *found before*.
    addresses : path, optional
        A file that lists addresses or ids.
    exclude : iterable of str
        Patterns as in .gitignore, from each source's folder, for what need not be looked at. Nothing else is left
        out, except files that hold no text: pictures, video, sound and fonts. All of it is counted.
    progress : Progress or bool, optional
        As for ``load_images``.

    Returns
    -------
    References
        ``.complete`` is False, and nothing is *not found*, where anything could not be looked at, such as a PDF.

    Raises
    ------
    ValueError
        If no source is given, one does not exist, or an address is none.
    PicoraError
        If `git` is no repository, or there is no git command.
    """
    exclude = [exclude] if isinstance(exclude, str) else list(exclude)
    given = [_name(source) for source in sources]
    given += [f"git {_name(git)}"] if git is not None else []
    given += [_name(addresses)] if addresses is not None else []
    if not given:
        raise ValueError(
            "There is nowhere to look: give a folder, a page, git= or addresses=, such as "
            'find_references(images, "site/").'
        )
    if isinstance(images, str) or not pd.api.types.is_list_like(images):
        raise TypeError(
            "find_references takes a DataFrame, as load_images makes it, or an Index of ids; "
            f"this is {type(images).__name__}."
        )
    for source in filter(_is_web, sources):
        read_address(str(source))
    scanned_at = times.now()
    ids = pd.Index(images.index if isinstance(images, pd.DataFrame) else images, dtype=STR)
    ids = ids.unique().rename("id")
    known = ids[are_ids(ids)].tolist()
    collected = _Collected(images, known)
    shown = progress_for(progress, "Looking for references")
    repository = None if git is None else Repository(_existing(git))
    covered: list[Coverage] = []
    for source in sources:
        if repository is not None and _same(source, repository):
            continue  # It is read as the repository's working tree.
        covered.append(coverage := Coverage(_name(source), exclude))
        collected.scan(_counted(_texts(source, coverage), covered, shown), coverage)
    if addresses is not None:
        covered.append(coverage := Coverage(_name(addresses), exclude))
        collected.scan(texts_in(_existing(addresses), coverage), coverage)
    if repository is not None:
        covered += collected.scan_repository(repository, exclude, covered, shown)
    for coverage in covered:
        if not (coverage.n_files or coverage.failed or coverage.optional):
            coverage.fail(coverage.source, "no text in it, so it proves nothing")
    if len(known) < len(ids):
        strange = ids[~are_ids(ids)][0]
        covered[0].fail(
            shorten(strange, 40), "not an id of 11 characters, so it cannot be looked for"
        )
    shown.finish(
        f"Looked for {plural(len(known), 'image')} in "
        f"{plural(sum(coverage.n_files for coverage in covered), 'file')}"
    )
    facts = facts_of(images) if isinstance(images, pd.DataFrame) else None
    return References(
        **collected.tables(),
        coverage=table("coverage", [row for coverage in covered for row in coverage.rows()]),
        ids=pd.Index(known, dtype=STR, name="id"),
        scanned_at=scanned_at,
        account=None if facts is None else facts["account"],
        sources=tuple(given),
    )


def _existing(source: Source) -> Path:
    path = expanded(source)
    if not path.exists():
        raise ValueError(f"There is no file or folder {str(source)!r} to look into.")
    return path


def _name(source: Source) -> str:
    return str(source) if _is_web(source) else shown_path(Path(source))


def _is_web(source: Source) -> bool:
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def _same(source: Source, repository: Repository) -> bool:
    return not _is_web(source) and expanded(source).resolve() == repository.folder.resolve()


def _texts(source: Source, coverage: Coverage) -> Iterator[Text]:
    if _is_web(source):
        return site_texts(str(source), coverage)
    return texts_in(_existing(source), coverage)


def _counted(texts: Iterable[Text], covered: list[Coverage], progress: Progress) -> Iterator[Text]:
    for text in texts:
        progress.update(sum(coverage.n_files for coverage in covered), None)
        yield text


class _Collected:
    """What was found so far."""

    def __init__(self, images: pd.DataFrame | pd.Index[Any], ids: list[str]) -> None:
        urls = (
            images["url"].dropna() if isinstance(images, pd.DataFrame) and "url" in images else ()
        )
        self._scanner = Scanner(ids, host_paths(map(str, urls)))
        self._ids = ids
        self._n_places: Counter[str] = Counter()
        self._places: dict[tuple[str, str, int], str] = {}
        self._before: dict[str, tuple[str, str, Any]] = {}
        self._dangling: dict[tuple[str, str, int], Address] = {}

    def scan(self, texts: Iterable[Text], coverage: Coverage, *, elsewhere: bool = False) -> None:
        """Keep what is found in texts; of those `elsewhere`, only images that were not found so far."""
        known = set(self._n_places) if elsewhere else set()
        for found in self._scanner.scan(texts):
            if isinstance(found, Place):
                key = (found.image_id, found.source, found.line)
                if found.image_id in known:
                    continue
                if self._n_places[found.image_id] < PLACES and key not in self._places:
                    self._n_places[found.image_id] += 1
                    self._places[key] = found.text
            elif not elsewhere:
                self._keep(found, coverage)

    def _keep(self, found: Address, coverage: Coverage) -> None:
        key = (found.token, found.source, found.line)
        if key not in self._dangling and len(self._dangling) >= DANGLING:
            coverage.fail(found.source, f"more than {DANGLING:,} addresses that lead to no image")
        elif key not in self._dangling or len(found.address) > len(self._dangling[key].address):
            self._dangling[key] = found

    def scan_repository(
        self, repository: Repository, exclude: list[str], covered: list[Coverage], shown: Progress
    ) -> list[Coverage]:
        """Keep what a repository holds now, and what only its history holds."""
        now = Coverage(shown_path(repository.folder), exclude)
        own = [*covered, now]
        for problem in repository.problems():
            now.fail(now.source, problem)
        if not repository.bare:
            self.scan(_counted(texts_in(repository.folder, now), own, shown), now)
        tips = repository.tips()
        for ref in repository.odd:
            now.fail(ref, "a tag of something else than a commit, which is not looked into")
        files = {
            oid: f"index:{path}"
            for path, oid in repository.staged().items()
            if not now.excludes(path)
        }
        for tip, mode, oid, path in repository.trees(tips, now.excludes):
            if mode != "160000":
                files.setdefault(oid, f"{tip}:{path}")
            elif not now.excludes(f"{path}/") and (
                repository.bare or not (repository.folder / path / ".git").exists()
            ):
                now.fail(
                    f"{tip}:{path}", "a submodule that is not here; run git submodule update --init"
                )
        self.scan(
            _counted(repository.texts(files.items(), now), own, shown),
            now,
            elsewhere=not repository.bare,
        )
        past = Coverage(f"{now.source}, history", exclude, optional=True)
        brought, last = repository.history(tips, past.excludes)
        gone = {oid: path for oid, path in brought.items() if oid not in files}
        self._scan_history(repository, gone, last, past, [*own, past], shown)
        return [now, past] if gone else [now]

    def _scan_history(
        self,
        repository: Repository,
        gone: Mapping[str, str],
        last: Mapping[str, Any],
        past: Coverage,
        own: list[Coverage],
        shown: Progress,
    ) -> None:
        listed = ((oid, oid) for oid in gone)
        for found in self._scanner.scan(_counted(repository.texts(listed, past), own, shown)):
            if not isinstance(found, Place):
                continue  # An address that dangles in the past harms no page.
            oid = found.source.partition("!")[0]
            seen = last.get(oid)
            known = self._before.get(found.image_id)
            if seen is not None and (known is None or seen.date > known[2]):
                self._before[found.image_id] = (seen.path, seen.commit, seen.date)
        past.failed = {
            f"{gone[oid]} in {last[oid].commit[:12]}" if oid in last else name: why
            for name, why in past.failed.items()
            for oid in [name.partition("!")[0]]
        }

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the frames of :class:`References`."""
        found = [(one, source, line, text) for (one, source, line), text in self._places.items()]
        now = {row[0] for row in found}
        before = [(one, *where) for one, where in sorted(self._before.items()) if one not in now]
        nearest = self._nearest()
        dangling = [
            (one.address, one.source, one.line, nearest.get(one.token))
            for one in self._dangling.values()
        ]
        safe = [(one, source, line, shorten(text, 80)) for one, source, line, text in found]
        return {
            "found": table("found", safe),
            "found_before": table("found_before", before),
            "dangling": table("dangling", dangling),
        }

    def _nearest(self) -> dict[str, str]:
        """Find for tokens that are no image the id most like each."""
        found = {one.token: one.like[0] for one in self._dangling.values() if one.like}
        left = [one.token for one in self._dangling.values() if one.token not in found]
        left = list(dict.fromkeys(left))[:NEAREST_FOR]
        heads: dict[str, list[str]] = {token[:3].lower(): [] for token in left}
        tails: dict[str, list[str]] = {token[-3:].lower(): [] for token in left}
        for image_id in self._ids if left else ():
            for parts, part in ((heads, image_id[:3].lower()), (tails, image_id[-3:].lower())):
                if part in parts:
                    parts[part].append(image_id)
        for token in left:
            likely = heads[token[:3].lower()] + tails[token[-3:].lower()]
            close = difflib.get_close_matches(token, likely[:2000], n=1, cutoff=0.7)
            if close:
                found[token] = close[0]
        return found
