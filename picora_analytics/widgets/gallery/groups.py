"""Groups of duplicates side by side: what differs between them, which one stays, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from picora_analytics.text import plural, visible
from picora_analytics.widgets.gallery.cells import Cells
from picora_analytics.widgets.gallery.orders import Ints

__all__ = ["Groups"]

MOST = 12  # Side by side; what is over stays in the list.
_KINDS = {
    "exact": "same content, byte for byte",
    "likely": "same number of bytes, same pixels and type; look at both",
}
_ALWAYS = ("Uploaded", "Size", "Pixels", "Tags", "Seen by")


class Groups:
    """
    The groups that :func:`find_duplicates` found, over the rows of a frame.

    Parameters
    ----------
    duplicates : DataFrame
        ``group``, ``id``, ``kind``, ``kept`` and ``why``.
    images : DataFrame
        Indexed by id; holds every image of a group.
    """

    def __init__(self, duplicates: pd.DataFrame, images: pd.DataFrame) -> None:
        self._table = duplicates.reset_index(drop=True)
        self._at = images.index.get_indexer(pd.Index(self._table["id"]))
        numbers = self._table["group"].to_numpy(dtype=np.int64)
        self._starts = np.flatnonzero(np.diff(numbers, prepend=-1))

    def __len__(self) -> int:
        return len(self._starts)

    @property
    def order(self) -> Ints:
        """All rows of the frame that are in a group, group after group, those that stay first."""
        return self._at.astype(np.int64)

    @property
    def going(self) -> Ints:
        """The rows that are certain duplicates of one that stays."""
        table = self._table
        certain = (table["kind"] == "exact") & ~table["kept"].astype(bool)
        return self._at[certain.to_numpy(dtype=bool)].astype(np.int64)

    def _part(self, n: int) -> slice:
        stop = self._starts[n + 1] if n + 1 < len(self) else len(self._table)
        return slice(int(self._starts[n]), min(int(stop), int(self._starts[n]) + MOST))

    def rows(self, n: int) -> Ints:
        """Give the rows of one group, counted from 0, at most twelve."""
        return self._at[self._part(n)].astype(np.int64)

    def describe(self, n: int, cells: Cells) -> dict[str, Any]:
        """Say what a group is, and of each of its images what differs from the others."""
        table = self._table.iloc[self._part(n)]
        details = [cells.detail(row) for row in self.rows(n).tolist()]
        members = []
        names = [*_ALWAYS, "In your pages"]
        facts = [dict(one["facts"]) | {"In your pages": one["status"]} for one in details]
        different = {name for name in names if len({one[name] for one in facts}) > 1}
        for detail, fact, kept, why in zip(
            details, facts, table["kept"].tolist(), table["why"].tolist(), strict=True
        ):
            members.append(
                {
                    "name": detail["name"],
                    "kept": bool(kept),
                    "why": visible(why, 120).removeprefix("stays: "),
                    "facts": [[name, fact[name], name in different] for name in names],
                }
            )
        kind = str(table["kind"].iat[0])
        rest = (self._starts[n + 1] if n + 1 < len(self) else len(self._table)) - self._starts[n]
        more = int(rest) - len(members)
        return {
            "of": len(self),
            "kind": _KINDS.get(kind, kind),
            "certain": kind == "exact",
            "members": members,
            "more": f"{plural(more, 'more image')} in the list" if more > 0 else "",
        }
