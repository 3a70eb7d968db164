"""
When the words of a chart are fitted: in each drawing, by the layout engine of its figure, which runs first.

How wide words are, and how much room there is, is known only then. The engine sets them smaller, breaks, shortens or
leaves them out, and lays out once more.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import (
    ConstrainedLayoutEngine,
    LayoutEngine,
    PlaceHolderLayoutEngine,
    TightLayoutEngine,
)
from matplotlib.text import Text

from picora_analytics.charts.fitting import (
    Fitter,
    Heads,
    Names,
    Ticks,
    keep_title_within,
    labels_of,
    twins,
)

__all__ = ["fit_words"]

# Words and layout are fitted to each other so often at most; the layout has the last word.
_ROUNDS = 6
_OURS = "_picora_words"


def fit_words(ax: Axes, *fitters: Fitter) -> None:
    """Fit the words of a chart now, and again whenever its figure is drawn."""
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    ticks = [Ticks(axis, axis.get_major_locator()) for axis in _numbered(ax, fitters)]
    vars(ax)[_OURS] = [*fitters, *ticks, Heads(ax)]
    _fit(ax)
    engine = figure.get_layout_engine()
    if not isinstance(engine, _Fitting):
        figure.set_layout_engine(_fitting_like(engine, figure))


def _fit(ax: Axes) -> None:
    for fitter in vars(ax)[_OURS]:
        fitter.fit(ax)


def _numbered(ax: Axes, fitters: tuple[Fitter, ...]) -> Iterator[Any]:
    """Give the axes whose ticks are numbers or dates: not those of names."""
    if ax.xaxis.get_ticklabels() or len(ax.get_xticks()):
        yield ax.xaxis
    if not any(isinstance(one, Names) for one in fitters):
        yield from (one.yaxis for one in twins(ax))


class _Fitting(LayoutEngine):
    """What a layout engine of ours does beside its layout."""

    def execute(self, fig: Figure) -> None:
        """Lay out, fit the words into that, and lay out around them."""
        renderer = cast(Any, fig)._get_renderer()
        for text in fig.findobj(
            Text
        ):  # Else each measures itself by the resolution it was drawn in last.
            text.get_window_extent(renderer)
        with warnings.catch_warnings():
            # Of words that do not fit yet.
            warnings.simplefilter("ignore", UserWarning)
            self.arrange(fig)
        ours = [ax for ax in fig.axes if _OURS in vars(ax)]
        for _ in range(_ROUNDS):  # What was made smaller leaves the charts more room, and so on.
            before = _looks(ours)
            for ax in ours:
                _fit(ax)
            if _looks(ours) == before:
                break
            self.arrange(fig)
        for ax in ours:  # The last layout may have moved the axes.
            keep_title_within(ax)

    def arrange(self, fig: Figure) -> None:
        """Lay out as the caller asked for."""
        super().execute(fig)


def _looks(charts: list[Axes]) -> list[tuple[str, float]]:
    """Give all that the layout depends on: words and their sizes."""
    beside = [
        text
        for ax in charts
        for one in twins(ax)
        for axis in (one.xaxis, one.yaxis)
        for text in (axis.label, *labels_of(axis))
    ]
    texts = [*beside, *(ax.title for ax in charts)]
    return [(text.get_text(), float(text.get_fontsize())) for text in texts]


class _Constrained(_Fitting, ConstrainedLayoutEngine):
    pass


class _Tight(_Fitting, TightLayoutEngine):
    pass


class _Still(_Fitting, PlaceHolderLayoutEngine):
    pass


class _Own(_Fitting, TightLayoutEngine):
    """
    For a figure whose caller asked for no layout: as constrained, until somebody adjusts it.

    It is a kind of tight layout, as only that lets a caller go on with ``tight_layout`` and ``subplots_adjust``.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self._began = _margins(figure)

    def arrange(self, fig: Figure) -> None:
        """Lay out, if there are subplots to lay out."""
        if _margins(fig) == self._began and any(ax.get_subplotspec() for ax in fig.axes):
            ConstrainedLayoutEngine().execute(fig)


def _margins(figure: Figure) -> tuple[float, ...]:
    pars: Any = figure.subplotpars
    return (pars.left, pars.right, pars.bottom, pars.top, pars.wspace, pars.hspace)


def _fitting_like(engine: LayoutEngine | None, figure: Figure) -> LayoutEngine:
    """Give an engine that lays out as this one does."""
    if engine is None:
        return _Own(figure)
    if isinstance(engine, ConstrainedLayoutEngine):
        return _Constrained(**engine.get(), compress=bool(vars(engine).get("_compress")))
    if isinstance(engine, TightLayoutEngine):
        return _Tight(**engine.get())
    if isinstance(engine, PlaceHolderLayoutEngine):
        return _Still(engine.adjust_compatible, engine.colorbar_gridspec)
    return engine  # A kind of the caller's own; the words were fitted once.
