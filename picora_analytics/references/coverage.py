"""What a search looked at, what it left out and why, and what it could not look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pathspec

__all__ = ["Coverage"]


class Coverage:
    """
    Count what is looked at in one source.

    Parameters
    ----------
    source : str
        As it was given.
    exclude : iterable of str
        Patterns as in .gitignore; what they leave out is counted as skipped.
    optional : bool
        Whether it may hold no text at all, as the history of a young repository.
    """

    def __init__(self, source: str, exclude: Iterable[str] = (), *, optional: bool = False) -> None:
        self.source, self.optional = source, optional
        patterns = list(exclude)
        self._exclude = pathspec.GitIgnoreSpec.from_lines(patterns) if patterns else None
        self.n_files = self.n_bytes = 0
        self.failed: dict[str, str] = {}
        self._skipped: dict[str, Counter[str]] = {}

    def excludes(self, path: str) -> bool:
        """Whether a path within the source, with ``/`` at the end of a folder, need not be looked at."""
        return self._exclude is not None and self._exclude.match_file(path)

    def look(self, n_bytes: int) -> None:
        """Count a text that was read."""
        self.n_files += 1
        self.n_bytes += n_bytes

    def skip(self, why: str, n_bytes: int) -> None:
        """Count a file that holds no addresses, or that was excluded."""
        self._skipped.setdefault(why, Counter()).update(files=1, bytes=n_bytes)

    def fail(self, name: str, why: str) -> None:
        """Note what could not be looked at: from now on nothing is *not found*."""
        self.failed.setdefault(name, why)

    def rows(self) -> Iterable[tuple[str, int, int, str | None, str | None]]:
        """Give the rows of :attr:`References.coverage` for this source."""
        yield self.source, self.n_files, self.n_bytes, None, None
        for why, counts in sorted(self._skipped.items()):
            yield self.source, counts["files"], counts["bytes"], why, None
        for name, why in sorted(self.failed.items()):
            yield name, 1, 0, None, why
