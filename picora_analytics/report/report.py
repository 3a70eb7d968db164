"""StorageReport: one set of facts, shown as HTML, Markdown, JSON, text and a table of findings."""

from __future__ import annotations

import copy
import decimal
import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from markupsafe import Markup, escape

from picora_analytics.analysis.decided import Decisions
from picora_analytics.analysis.everyday import check_columns, check_pandas
from picora_analytics.analysis.forecast import quota_of
from picora_analytics.analysis.shown import Summary
from picora_analytics.files import write_atomic, write_csv
from picora_analytics.library.frame import STR, facts_of, sums_dtype
from picora_analytics.references.found import References
from picora_analytics.report.answers import full_tables
from picora_analytics.report.chapters import is_number, shown, titles
from picora_analytics.report.drawings import charts
from picora_analytics.report.facts import READS, Asked, gather
from picora_analytics.report.layout import (
    bar_sentence,
    finding_noun,
    first_screen,
    header,
    known,
    other_findings,
)
from picora_analytics.report.markdown import markdown, plain
from picora_analytics.report.metrics import metrics
from picora_analytics.report.pictures import embedded
from picora_analytics.report.writing import as_html, as_text, fill, look_up, written

if TYPE_CHECKING:  # Facts need no HTTP.
    from picora_analytics.client.client import Client

__all__ = ["StorageReport"]

_FINDINGS: dict[str, Any] = {
    "group": STR,
    "text": STR,
    "n_images": "int64",
    "size_bytes": "Int64",
    "could_save_low_bytes": "Int64",
    "could_save_bytes": "Int64",
    "sure": STR,
    "code": STR,
}


class StorageReport:
    """
    Say what fills a library, what one could do about it, and what is worth knowing.

    Everything shown is in :attr:`facts`; HTML, Markdown, JSON and text are made from them. The
    time of the report is the moment of the load, so the same images give the same report. File
    names and tags, also of private images, are in it; addresses of images are not.

    A part of a library, a load that ended early or one of a single tag is reported as such, and
    without a share of the quota.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        As made by :func:`load_images`.
    quota : int or str, optional
        The storage of the plan: bytes, or text such as ``"5 GiB"``; by default what the service told the load. Read
        exactly: ``"5 GB"`` is less, and the report asks whether that was meant.
    previous : DataFrame, optional
        An earlier load of the same account and scope, to say what came and went since.
    snapshots : DataFrame, optional
        What :meth:`SnapshotStore.totals` gives: with half a year of them the forecast counts what was deleted too.
    references : References, optional
        Of :func:`find_references`: what is old and was not found in one's own pages is a finding then.
    decisions : path or DataFrame, optional
        As :func:`read_decisions` reads it: what was decided to be kept is no finding.
    client : Client, optional
        Asked for the quota, where neither `quota` nor the load tells it. With it the page shows some pictures, small
        and public ones only: what is private stays a lock.
    code : {"shell", "python"}, optional
        Show with each finding the line that gives its rows, or the command that plans for them.

    Raises
    ------
    SchemaError
        If a column is missing, or `previous` cannot be compared: it is of another account or
        scope, or one of the two is not whole.
    ValueError
        If `quota` cannot be read, or `previous` is the later of the two.

    Examples
    --------
    >>> images = make_images(size_bytes=[900, 50, 50], created_at=["2020-01-01", "2026-01-01", None])
    >>> report = StorageReport(images, quota=2000)
    >>> report.findings()[["text", "n_images"]]
                                                 text  n_images
    number
    1                 Probably the same picture twice         1
    2       Uploaded over two years ago, never tagged         1
    >>> report.facts["quota"]["used_share"]
    0.5
    """

    def __init__(
        self,
        images: pd.DataFrame,
        *,
        quota: int | str | None = None,
        previous: pd.DataFrame | None = None,
        snapshots: pd.DataFrame | None = None,
        references: References | None = None,
        decisions: Decisions | None = None,
        client: Client | None = None,
        code: Literal["shell", "python"] | None = None,
    ) -> None:
        if code not in (None, "shell", "python"):
            raise ValueError(
                f"code={code!r} is unknown: choose 'shell', 'python', or None for no code."
            )
        for name, frame in (("images", images), ("previous", previous), ("snapshots", snapshots)):
            if frame is not None or name == "images":
                check_pandas(frame, "StorageReport", name)
        check_columns([*images.columns, str(images.index.name)], READS, "StorageReport")
        self._images = images.copy(deep=False)
        if quota is None and client is not None and quota_of(facts_of(images), None) is None:
            usage = client.usage()
            quota = usage.quota_bytes if usage else None
        self._previous, self._client = previous, client
        asked = Asked(quota, previous, snapshots, references, decisions, code)
        self._facts = gather(images, asked)

    @property
    def facts(self) -> dict[str, Any]:
        """All that the report says, as plain values: a copy."""
        return copy.deepcopy(self._facts)

    def findings(self) -> pd.DataFrame:
        """
        Give what to look at first.

        Returns
        -------
        DataFrame of shape (up to 7, 8), indexed by ``number``
            ``group`` (``could do`` or ``worth knowing``), ``text``, ``n_images``, ``size_bytes``
            these images hold (missing where no size is known), ``could_save_low_bytes`` and
            ``could_save_bytes`` (estimates, at least and at most; mostly missing), ``sure``: what the
            statement rests on, and ``code``: the line of `code`, missing unless asked for; in Python
            it gives the rows, with ``images`` and ``pic`` at hand.
        """
        rows = self._facts["findings"]
        index = pd.Index([row["number"] for row in rows], dtype="int64", name="number")
        columns: dict[str, Any] = {
            name: pd.array(cells, dtype=sums_dtype(cells, dtype) if dtype == "Int64" else dtype)
            for name, dtype in _FINDINGS.items()
            for cells in [[row[name] for row in rows]]
        }
        return Summary(columns, index=index)

    def to_html(self) -> str:
        """
        Make one page: no script, no network, charts inside; light, dark and on paper.

        Each number stands in an element whose ``data-fact`` names its place in :attr:`facts`.
        """
        return self._render(page=True, pictures=self._pictures, charts=charts(self._facts))

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """
        Write the page to a file, whole or not at all, readable for its owner only.

        Parameters
        ----------
        path : path-like
            Replaced if it exists; its folder must exist.

        Returns
        -------
        Path
            Where it was written.
        """
        target, page = Path(path).expanduser(), self.to_html().encode()
        write_atomic(target, lambda temporary: temporary.write_bytes(page))
        return target

    def to_markdown(self) -> str:
        """Make Markdown (GitHub's, with tables), as for the summary of a CI job; without charts."""
        return markdown(self._facts)

    def to_json(self) -> str:
        """
        Make JSON: :attr:`facts` as they are.

        ``format`` and ``version`` come first; another version may mean other names. Keys ending in
        ``_bytes`` are bytes, in ``_share`` 0 to 1, in ``_at`` instants in UTC; null is unknown. Its JSON Schema is in
        the package: ``schemas/report.schema.json``, beside those of plans, receipts and references.
        """
        # Escaped to ASCII: what strangers named their files cannot harm a terminal or an editor.
        return json.dumps(self._facts, indent=2, allow_nan=False) + "\n"

    def to_metrics(self) -> str:
        """
        Make OpenMetrics text, as for the textfile collector of Prometheus's node exporter.

        Gauges named ``picora_...``, each a number of :attr:`facts`; the unknown is left out, and so are names and tags.
        """
        return metrics(self._facts)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Every summary of the report in full, by name; the page shows the first rows of the long ones."""
        found = full_tables(self._images, self._previous)
        piles = [
            {key: value for key, value in pile.items() if key not in ("card", "code", "pictures")}
            for pile in self._facts["piles"]
        ]
        if piles:
            found["piles"] = pd.DataFrame(piles).convert_dtypes()
        if self._facts["forecast"]:
            found["forecast"] = pd.DataFrame(self._facts["forecast"]["weeks"]).convert_dtypes()
        return found

    def write_tables(self, folder: str | os.PathLike[str]) -> Path:
        """
        Write every table as CSV (safe for spreadsheets) and as Parquet, for others' programs.

        Parameters
        ----------
        folder : path-like
            Made if need be. Files of the same names are replaced.

        Returns
        -------
        Path
            The folder.
        """
        target = Path(folder).expanduser()
        target.mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            write_csv(table, target / f"{name}.csv")
            stored = _storable(table)
            write_atomic(
                target / f"{name}.parquet", functools.partial(stored.to_parquet, index=False)
            )
        return target

    @functools.cached_property
    def _pictures(self) -> dict[str, str] | None:
        return None if self._client is None else embedded(self._images, self._facts)

    def _render(self, *, page: bool, pictures: dict[str, str] | None, **more: Any) -> str:
        from picora_analytics.report.templates import template  # Facts need no template.

        facts = self._facts
        fact = functools.partial(as_html, facts)
        library = facts["library"]
        loaded_at = (
            written("library.loaded_at", library["loaded_at"]) if library["loaded_at"] else ""
        )
        whose = "DEMO" if library["demo"] else library["account"]
        return template("report.html.j2").render(
            facts,
            page=page,
            pictures=pictures,
            fact=fact,
            say=lambda sentence: Markup(fill(sentence, fact, escape)),  # noqa: S704 - both escape
            look_up=functools.partial(look_up, facts),
            is_number=is_number,
            finding_noun=finding_noun,
            title=" · ".join(filter(None, ["Picora storage report", whose, loaded_at])),
            header=header(facts),
            screen=first_screen(facts),
            known=known(facts),
            bar_looks=_looks(facts),
            bar_label=fill(bar_sentence(facts), functools.partial(as_text, facts)),
            places=other_findings(facts),
            sections=shown(facts),
            titles=titles(facts),
            **more,
        )

    def _repr_html_(self) -> str:
        return self._render(page=False, pictures=None)

    def __repr__(self) -> str:
        return plain(self._facts)


def _storable(table: pd.DataFrame) -> pd.DataFrame:
    """Give sums that 64 bits do not hold as decimals, which Parquet has."""
    wide: dict[str, Any] = {
        str(name): cells.map(decimal.Decimal, na_action="ignore")
        for name, cells in table.items()
        if cells.dtype == object and cells.map(lambda cell: isinstance(cell, int)).any()
    }
    return table.assign(**wide)


def _looks(facts: dict[str, Any]) -> list[str]:
    """Give the class of each part of the bar: what stays, the piles in their order, what is free."""
    parts = facts["bar"]["parts"] if facts["bar"] else []
    return [
        "k0" if one["part"] == "stays" else "kf" if one["part"] == "free" else f"k{i}"
        for i, one in enumerate(parts)
    ]
