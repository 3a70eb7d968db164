"""The cleanup panel: filters, pictures, preview, confirmation, progress and receipt."""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
import pandas as pd

from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import carry_out
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.client.client import Client
from picora_analytics.errors import PicoraError
from picora_analytics.pictures.thumbnails import Thumbnail, Thumbnails, placeholder
from picora_analytics.text import shorten, visible
from picora_analytics.units import format_bytes, format_share
from picora_analytics.widgets.gallery.keys import KeyGuard
from picora_analytics.widgets.panel.session import (
    ORDERS,
    PAGE_SIZE,
    CleanupSession,
    Filters,
    Stage,
    Tally,
    literal,
    needed_text,
)

__all__ = ["CleanupPanel"]

UPDATE_EVERY = 0.1  # Seconds between two states of the progress bar.
MAX_TAGS = 500  # A longer menu is no help; rarer tags are for Python.
# JupyterLab typesets what stands between dollars, or behind a backslash, in labels.
_NO_MATHS = str.maketrans({"$": "\N{FULLWIDTH DOLLAR SIGN}", "\\": "\N{FULLWIDTH REVERSE SOLIDUS}"})

_STYLE = """<style>
.picora-panel { border: 1px solid var(--jp-border-color1, #bdbdbd); border-radius: 3px; padding: 12px 16px;
  color: var(--jp-ui-font-color1, CanvasText); background: var(--jp-layout-color0, Canvas);
  max-width: 1180px; container-type: inline-size; }
.picora-panel .picora-hidden { display: none; }
.picora-panel .widget-html, .picora-panel .widget-html-content { height: auto; line-height: 1.45;
  min-width: 0; overflow-wrap: anywhere; color: inherit; }
.picora-panel .widget-html-content { overflow-x: auto; width: 100%; }
.picora-panel h3 { margin: 14px 0 2px; font-size: 1.1em; line-height: 1.4; font-weight: 600; }
.picora-panel p { margin: 4px 0; }
.picora-panel ul { margin: 2px 0 4px; padding-left: 1.6em; }
.picora-panel table { border-collapse: collapse; font-size: inherit; }
.picora-panel th, .picora-panel td { padding: 1px 10px 1px 0; vertical-align: top; font-weight: inherit; }
.picora-panel th { color: var(--jp-ui-font-color2, inherit); white-space: nowrap; }
.picora-panel code, .picora-panel pre { font-family: var(--jp-code-font-family, monospace); font-size: .92em;
  color: inherit; background: none; }
.picora-panel pre { white-space: pre-wrap; }
.picora-code { display: block; padding: 3px 8px; margin: 2px 0 6px; border-radius: 2px;
  border-left: 3px solid var(--jp-border-color1, #bdbdbd);
  background: var(--jp-layout-color2, rgba(128, 128, 128, .12)); }
.picora-stamp { padding: 0 7px; margin-right: 6px; border: 2px solid var(--jp-warn-color0, #b45309);
  border-radius: 3px; font-weight: 700; }
.picora-error { padding: 6px 10px; border-left: 4px solid var(--jp-error-color1, #b91c1c);
  background: var(--jp-layout-color2, rgba(128, 128, 128, .12)); }
.picora-soft { color: var(--jp-ui-font-color2, inherit); }
.picora-panel .picora-filters { display: grid; width: 100%;
  grid-template-columns: repeat(auto-fill, minmax(min(270px, 100%), 1fr)); gap: 2px 16px; }
.picora-panel .picora-grid { display: grid; width: 100%; max-height: 560px; overflow-y: auto;
  overscroll-behavior: contain; grid-template-columns: repeat(auto-fill, minmax(136px, 1fr)); gap: 6px;
  grid-auto-rows: max-content; align-content: start; padding: 2px; }
.picora-panel .picora-card { border: 1px solid var(--jp-border-color2, #e0e0e0); border-radius: 3px; padding: 5px;
  margin: 0; min-width: 0; overflow: hidden; }
.picora-panel .picora-card.picora-selected { border-color: var(--jp-brand-color1, #1976d2);
  box-shadow: 0 0 0 1px var(--jp-brand-color1, #1976d2); background: var(--jp-layout-color2, transparent); }
.picora-panel .picora-card img { width: 100%; height: 92px; flex: 0 0 92px; object-fit: contain; margin: 0;
  background: var(--jp-layout-color1, transparent); }
.picora-panel .picora-card .widget-html { margin: 0; width: 100%; flex: none; }
.picora-panel .picora-card .widget-checkbox { width: 100%; margin: 0; height: 26px; }
.picora-panel .picora-card .widget-checkbox label { width: 100%; }
.picora-panel .picora-card .widget-checkbox span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.picora-none { display: flex; align-items: center; justify-content: center; text-align: center;
  box-sizing: border-box; height: 92px; border: 1px dashed var(--jp-border-color1, #bdbdbd);
  color: var(--jp-ui-font-color2, inherit); }
.picora-caption { font-size: .88em; line-height: 1.3; white-space: nowrap; overflow: hidden; text-overflow: ellipsis;
  color: var(--jp-ui-font-color2, inherit); }
.picora-panel .picora-look { flex: 1 1 420px; min-width: 0; }
.picora-panel .picora-side { flex: 1 1 250px; max-width: 330px; min-width: 0; padding-left: 14px;
  border-left: 1px solid var(--jp-border-color2, #e0e0e0); }
.picora-panel .picora-confirm { border: 2px solid var(--jp-error-color1, #b91c1c); border-radius: 3px;
  padding: 2px 14px 10px; margin-top: 8px; }
.picora-panel .picora-big { font-size: 1.25em; font-weight: 600; }
.picora-panel button:focus-visible, .picora-panel input:focus-visible, .picora-panel select:focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2); outline-offset: 1px; }
@container (max-width: 640px) { .picora-panel .picora-side { max-width: none; border-left: none; padding-left: 2px; } }
</style>"""


def markup(template: str, /, **values: object) -> str:
    """Fill values into HTML of our own, each made visible and escaped: the one way for text to get there."""
    return template.format(**{name: html.escape(visible(text)) for name, text in values.items()})


def label(text: object, columns: int) -> str:
    """Shorten strangers' text for a description, where JupyterLab would typeset formulas."""
    return shorten(text, columns).translate(_NO_MATHS)


class CleanupPanel:
    """
    Clean up with the mouse: choose, look, plan, confirm, delete.

    Nothing is deleted without a plan that was shown, the text typed that it asks for, and a tick that no copies
    are kept. A selection that changes voids the plan. Each step shows the line of Python that does the same.
    Small pictures are fetched by the kernel, of public images only.

    Parameters
    ----------
    images : DataFrame
        As :func:`load_images` made it, or some of its rows: the whole library, read within 24 hours.
    client : Client
        Of the same account.

    Attributes
    ----------
    widget : ipywidgets.VBox
        The panel itself, to be put into a layout of your own.

    Raises
    ------
    PlanError
        If the frame cannot feed a plan.
    TypeError
        If `client` is no client.

    Examples
    --------
    >>> with pic.DemoServer(n_images=40) as demo, pic.Client(demo.api_key, demo.url) as client:
    ...     images = pic.load_images(client, store=None, progress=False)
    ...     panel = CleanupPanel(images, client)
    ...     panel
    CleanupPanel(40 images, 0 selected, DEMO)
    >>> panel.mask.sum()
    np.int64(0)
    """

    def __init__(self, images: pd.DataFrame, client: Client) -> None:
        if not isinstance(client, Client):
            raise TypeError(
                f"client is a {type(client).__name__}; give the Client that the images were loaded with."
            )
        self._session = CleanupSession(images)
        self._client = client
        self._thumbnails = Thumbnails(demo=self._session.library["demo"])
        # Handlers run on a second thread of the kernel, deletion and pictures on others.
        self._lock = threading.RLock()
        self._painting = False
        self._cancelled = threading.Event()
        # What is painted now, so that only what changed is painted again.
        self._shown_ids: list[str] = []
        self._previewed: DeletionPlan | None = None
        self._receipted: DeletionReceipt | None = None
        self._put_away: DeletionReceipt | None = None
        self._build()
        self._paint()

    def __repr__(self) -> str:
        with self._lock:
            n, chosen = len(self._session.images), self._session.selected.n_images
            stamp = ", DEMO" if self._session.library["demo"] else ""
        return f"CleanupPanel({n:,} images, {chosen:,} selected{stamp})"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = self.widget._repr_mimebundle_(**options) or {}
        # What is left in a saved notebook, where no kernel runs.
        saved = markup(
            "<p><code>{panel}</code>: run this cell again to work with it.</p>", panel=self
        )
        return bundle | {"text/plain": repr(self), "text/html": saved}

    @property
    def mask(self) -> pd.Series[Any]:
        """The selection now: a boolean Series over the ids of the frame that was given."""
        with self._lock:
            return self._session.mask.copy()

    @property
    def plan(self) -> DeletionPlan | None:
        """The plan of this selection, once one was made; None as soon as the selection changes."""
        with self._lock:
            return self._session.plan

    @property
    def receipt(self) -> DeletionReceipt | None:
        """The receipt of the last deletion."""
        with self._lock:
            return self._session.receipt

    # What there is to see

    def _build(self) -> None:
        """Make every widget once; later only their values change."""
        self._message = _html()
        self._build_filters()
        self._build_list()
        self._build_side()
        self._build_confirm()
        self._build_progress()
        self._receipt = _html()
        self._done = self._button("Done", self._on_done)
        self._done.tooltip = "Put the receipt away; panel.receipt keeps it"
        self._receipt_step = _step("6  Receipt", self._receipt, self._done)
        look = widgets.VBox([self._list_head, self._pager, self._grid])
        look.add_class("picora-look")
        columns = widgets.HBox([look, self._side], layout=widgets.Layout(flex_flow="row wrap"))
        self.widget = widgets.VBox(
            [
                widgets.HTML(_STYLE, layout=widgets.Layout(display="none")),
                KeyGuard(layout=widgets.Layout(display="none")),
                self._title(),
                _step("1  Filter", self._filter_code, self._filters, self._filter_count),
                columns,
                self._plan_step,
                self._message,
                self._copies_step,
                self._confirm_step,
                self._progress_step,
                self._receipt_step,
            ],
            layout=widgets.Layout(overflow="hidden"),
        )
        self.widget.add_class("picora-panel")

    def _title(self) -> widgets.HTML:
        library = self._session.library
        if library["demo"]:
            return _html(
                markup(
                    '<p><span class="picora-stamp">DEMO</span>an invented library on this machine; nothing here '
                    "is yours</p>"
                )
            )
        return _html(
            markup(
                "<p>Account {account} on {host}</p>",
                account=library["account"][:8],
                host=library["base_url"],
            )
        )

    def _build_filters(self) -> None:
        # A label of no width: the tick before it says the same, but screen readers need one for each.
        named = {"description_width": "0px"}
        self._older = _tick("")
        self._days = widgets.BoundedIntText(730, min=0, max=36500, description="Days", style=named)
        self._larger = _tick("")
        self._than = widgets.Text("5 MiB", continuous_update=False, description="Size", style=named)
        self._untagged, self._oversized, self._private = _tick(""), _tick(""), _tick("")
        tags = self._session.tags()
        # No tag or one: with None as its value ipywidgets would show an empty menu.
        options = [
            ("any tags, or none", ()),
            *((f"{shorten(tag, 28)} ({n:,})", (tag,)) for tag, n in tags[:MAX_TAGS]),
        ]
        self._tag = widgets.Dropdown(
            options=options,
            description="Tag",
            layout=_fill(),
            style={"description_width": "initial"},
        )
        self._days.layout = self._than.layout = widgets.Layout(width="80px")
        for control, hint in (
            (self._older, "Uploaded longer ago than this; old is not unused"),
            (self._days, "Days since the upload"),
            (self._untagged, "Known to have no tag"),
            (self._tag, "The most frequent tags first"),
            (self._larger, "The file is larger than this"),
            (self._than, "A size such as 5 MiB"),
            (self._oversized, "The longer edge is over 2560 pixels"),
            (self._private, "Private, or visibility unknown"),
        ):
            control.tooltip = hint
            control.observe(self._handle(self._change_filters), "value")
        self._filters = widgets.Box(
            [
                _row(self._older, self._days),
                self._untagged,
                self._tag,
                _row(self._larger, self._than),
                self._oversized,
                self._private,
            ]
        )
        self._filters.add_class("picora-filters")
        self._filter_code, self._filter_count = _html(), _html()

    def _build_list(self) -> None:
        self._list_head = _html()
        self._select_all = self._button("Select all matching", self._on_select_all)
        self._select_none = self._button("Select none", self._on_select_none)
        self._only = widgets.ToggleButton(
            description="Selected only", tooltip="List the selection, whatever the filters say"
        )
        self._order = widgets.Dropdown(
            options=list(ORDERS),
            description="Order",
            style={"description_width": "initial"},
            tooltip="Order of the list",
        )
        self._previous = self._button("Previous", lambda: self._turn(-1))
        self._next = self._button("Next", lambda: self._turn(1))
        self._page_text = _html()
        for control in (self._only, self._order):
            control.observe(self._handle(self._change_list), "value")
            control.layout.width = "auto"
        self._pager = widgets.VBox(
            [
                _row(self._select_all, self._select_none, self._only),
                _row(self._order, self._previous, self._page_text, self._next),
            ]
        )
        self._cards = [_Card() for _ in range(PAGE_SIZE)]
        self._grid = widgets.Box([card.box for card in self._cards])
        self._grid.add_class("picora-grid")

    def _build_side(self) -> None:
        self._dry_run = _html()
        self._reason = widgets.Text(
            description="Reason",
            style={"description_width": "initial"},
            placeholder="Why may these go?",
            tooltip="Stands in the plan and in the receipt",
            layout=_fill(),
        )
        self._reason.observe(self._handle(self._change_reason), "value")
        self._plan_button = self._button("Plan", self._on_plan, button_style="primary")
        self._plan_button.layout.align_self = "stretch"
        self._plan_button.tooltip = "Show what deleting these would mean; nothing is sent"
        self._plan_code = _html()
        self._side = widgets.VBox(
            [
                self._dry_run,
                self._reason,
                self._plan_button,
                self._plan_code,
            ]
        )
        self._side.add_class("picora-side")
        self._preview = _html()
        self._plan_step = widgets.VBox([self._preview], layout=_fill())

    def _build_confirm(self) -> None:
        self._confirm_text = _html()
        self._typed = widgets.Text(
            description="Type here",
            style={"description_width": "initial"},
            tooltip="Type exactly what is asked for; pressing Enter here does nothing",
            layout=widgets.Layout(width="260px"),
        )
        self._folder = widgets.Text(
            value="kept/",
            description="Copies go to",
            style={"description_width": "initial"},
            tooltip="A folder; an image whose copy cannot be proved is kept",
            layout=widgets.Layout(width="260px"),
        )
        self._no_copies = widgets.Checkbox(
            description="No copies: these images cannot come back", indent=False, layout=_fill()
        )
        for part in (self._folder, self._no_copies):
            part.observe(self._handle(lambda: None), "value")  # What must be typed depends on it.
        self._copies_step = widgets.VBox([self._folder, self._no_copies])
        self._keep = self._button("Cancel", self._on_keep)
        self._keep.tooltip = "Keep all images"
        self._delete = self._button("Delete for ever", self._on_delete, button_style="danger")
        self._confirm_code = _html()
        self._confirm_step = widgets.VBox(
            [
                self._confirm_text,
                self._typed,
                widgets.HBox([self._keep, self._delete]),
                self._confirm_code,
            ]
        )
        self._confirm_step.add_class("picora-confirm")

    def _build_progress(self) -> None:
        self._bar = widgets.IntProgress(description="Deleting", layout=_fill())
        self._progress_text = _html()
        self._stop = self._button("Cancel", self._on_stop)
        self._stop.tooltip = "Stop before the next batch; what was not tried is kept"
        self._progress_step = _step("5  Delete", self._bar, self._progress_text, self._stop)

    def _button(
        self, text: str, act: Callable[[], None], *, button_style: str = ""
    ) -> widgets.Button:
        button = widgets.Button(
            description=text,
            tooltip=text,
            button_style=button_style,
            layout=widgets.Layout(width="auto", align_self="flex-start"),
        )
        button.on_click(self._handle(act))
        return button

    # What happens

    def _handle(self, act: Callable[[], None]) -> Callable[[Any], None]:
        """Make a handler: one at a time, deaf to our own painting, and every error shown in the panel."""

        def handler(_: Any) -> None:
            with self._lock:
                if self._painting:
                    return
                self._message.value = ""
                self._guarded(act)
                self._guarded(self._paint)

        return handler

    def _guarded(self, act: Callable[[], None]) -> None:
        """Show an error where it would else appear in another cell, or nowhere."""
        try:
            act()
        except Exception as error:
            self._show_error(error)

    def _show_error(self, error: Exception) -> None:
        known = isinstance(error, PicoraError | ValueError)
        text = str(error) if known else f"{type(error).__name__}: {error}"
        self._message.value = markup(
            '<div class="picora-error" role="alert">{text}</div>', text=text
        )

    def _change_filters(self) -> None:
        self._session.filters = self._wanted_filters()

    def _wanted_filters(self) -> Filters:
        return Filters(
            older_than=self._days.value if self._older.value else None,
            untagged=self._untagged.value,
            tag=next(iter(self._tag.value), None),
            larger_than=self._than.value if self._larger.value else None,
            oversized=self._oversized.value,
            private=self._private.value,
        )

    def _change_list(self) -> None:
        if self._session.only_selected != self._only.value:
            self._session.only_selected = self._only.value
        if self._session.order != self._order.value:
            self._session.order = self._order.value

    def _change_reason(self) -> None:
        plan = self._session.plan
        if plan is not None and plan.reason != self._reason.value.strip():
            self._session.void()

    def _turn(self, pages: int) -> None:
        self._session.page += pages

    def _on_select_all(self) -> None:
        self._session.select_matching()

    def _on_select_none(self) -> None:
        self._session.select_none()

    def _on_plan(self) -> None:
        plan = self._session.make_plan(self._reason.value)
        self._typed.value, self._no_copies.value = "", False
        self._paint()
        if not plan.refusals:
            self._keep.focus()

    def _on_keep(self) -> None:
        self._session.void()
        self._typed.value = ""
        self._paint()
        self._plan_button.focus()
        self._message.value = (
            '<div role="status">Nothing was deleted; the selection is as it was.</div>'
        )

    def _on_done(self) -> None:
        self._put_away = self._session.receipt
        self._paint()
        self._select_none.focus()

    def _on_stop(self) -> None:
        self._cancelled.set()
        self._progress_text.value = "<p>Stopping before the next batch …</p>"

    def _on_delete(self) -> None:
        no_copies, folder = self._no_copies.value, self._folder.value.strip()
        plan = self._session.begin(self._typed.value, no_copies=no_copies, folder=folder)
        backup = None if no_copies else folder
        self._typed.value, self._no_copies.value = "", False
        self._cancelled.clear()
        self._bar.value, self._bar.max = 0, max(len(plan.images), 1)
        self._progress_text.value = "<p>Reading the library again …</p>"
        self._paint()
        self._stop.focus()
        threading.Thread(
            target=self._carry_out, args=(plan, backup), name="picora-deletion", daemon=True
        ).start()

    def _carry_out(self, plan: DeletionPlan, backup: str | None) -> None:
        """Delete in the background: an interrupt of the kernel would not stop a handler, its Cancel does."""
        receipt: DeletionReceipt | None = None
        failure: Exception | None = None
        try:
            receipt = carry_out(
                plan,
                self._client,
                backup=backup,
                progress=_PanelProgress(self._show_progress),
                cancelled=self._cancelled.is_set,
            )
        except Exception as error:
            failure, receipt = error, getattr(error, "receipt", None)
        with self._lock:
            self._session.finish(receipt)
            if failure is not None:
                self._show_error(failure)
            self._guarded(self._paint)
            if receipt is not None:
                self._done.focus()  # The panel is shorter now; this scrolls to what counts.

    def _show_progress(self, done: int | None, text: str) -> None:
        with self._lock:
            if done is not None:
                self._bar.value = done
            self._progress_text.value = markup("<p>{text}</p>", text=text)

    # Painting

    def _paint(self) -> None:
        """Bring every widget in line with the session."""
        self._painting = True
        try:
            self._paint_filters()
            self._paint_list()
            self._paint_side()
            self._paint_plan()
        finally:
            self._painting = False

    def _paint_filters(self) -> None:
        session = self._session
        for control, text, alone in (
            (self._older, "Older than, in days", Filters(older_than=self._days.value)),
            (self._untagged, "Untagged", Filters(untagged=True)),
            (self._larger, "Larger than", Filters(larger_than=self._than.value)),
            (self._oversized, "Over 2560 pixels", Filters(oversized=True)),
            (self._private, "Private", Filters(private=True)),
        ):
            try:
                control.description = f"{text} ({session.count(alone):,})"
            except ValueError:  # Said once it is ticked.
                control.description = f"{text} (?)"
        self._filter_code.value = _code(session.filter_code())
        unknown = session.matching.unknown
        self._filter_count.value = markup(
            "<p>Matching: <strong>{n}</strong> of {all} images, {size}{unknown}</p>",
            n=f"{session.matching.n_images:,}",
            all=f"{len(session.images):,}",
            size=format_bytes(session.matching.size_bytes),
            unknown=f"; of {unknown:,} more the rules cannot tell" if unknown else "",
        )

    def _paint_list(self) -> None:
        session = self._session
        rows = session.rows()
        ids = [str(one) for one in rows.index]
        self._list_head.value = "<h3>2&ensp;Look</h3>" + _code(session.selection_code())
        self._page_text.value = markup(
            "<span>page {page} of {pages}</span>", page=session.page + 1, pages=session.n_pages
        )
        busy = session.stage is Stage.DELETING
        self._previous.disabled = session.page == 0
        self._next.disabled = session.page + 1 >= session.n_pages
        self._select_all.disabled = self._select_none.disabled = busy
        if ids != self._shown_ids:
            self._shown_ids = ids
            self._paint_cards(rows)
        for card, one in zip(self._cards, ids, strict=False):
            card.mark(session.is_selected(one), busy)

    def _paint_cards(self, rows: pd.DataFrame) -> None:
        known = self._thumbnails.remembered(rows.index)
        for card in self._cards[len(rows) :]:
            card.clear()
        for card, (one, row) in zip(self._cards, rows.iterrows(), strict=False):
            card.show(str(one), row, self._handle_tick)
            card.picture(known.get(str(one)))
        missing = rows.loc[[one for one in rows.index if one not in known]]
        if len(missing):
            threading.Thread(
                target=self._fetch, args=(missing, self._shown_ids), name="picora-page", daemon=True
            ).start()

    def _fetch(self, rows: pd.DataFrame, ids: list[str]) -> None:
        try:
            self._thumbnails.fetch(
                rows,
                lambda one, picture: self._show_picture(ids, one, picture),
                lambda: ids is self._shown_ids,
            )
        except Exception as error:
            with self._lock:
                self._show_error(error)

    def _show_picture(self, ids: list[str], one: str, picture: Thumbnail | None) -> None:
        with self._lock:
            if ids is self._shown_ids:
                self._cards[ids.index(one)].picture(picture)

    def _handle_tick(self, image_id: str, box: widgets.Checkbox) -> None:
        self._handle(lambda: self._session.select(image_id, box.value))(None)

    def _paint_side(self) -> None:
        session = self._session
        library, chosen, spared = session.library, session.selected, session.spared
        elsewhere = session.n_selected_elsewhere
        self._dry_run.value = markup(
            '<h3>3&ensp;Plan, a dry run</h3><p class="picora-big">{n} selected</p><p>{size}, {share} of the storage<br>'
            "{images} of the images<br>{going} would go, {spared} spared{elsewhere}</p>"
            '<p class="picora-soft">Nothing has been sent.</p>',
            n=_images(chosen),
            size=format_bytes(chosen.size_bytes),
            share=format_share(chosen.size_bytes, library["size_bytes"]),
            images=format_share(chosen.n_images, library["n_images"]),
            going=f"{chosen.n_images - spared.n_images:,}",
            spared=f"{spared.n_images:,}",
            elsewhere=f"; {elsewhere:,} not among the filtered" if elsewhere else "",
        )
        reason = literal(self._reason.value.strip() or "…")
        self._plan_code.value = _code(f"plan = pic.plan_deletion(images, mask, reason={reason})")
        self._plan_button.disabled = session.stage is Stage.DELETING or not chosen.n_images

    def _paint_plan(self) -> None:
        session = self._session
        plan = session.plan
        _toggle(self._plan_step, plan is not None)
        asking = session.stage is Stage.PLANNED and plan is not None and not plan.refusals
        _toggle(self._copies_step, asking)
        _toggle(self._confirm_step, asking)
        _toggle(self._progress_step, session.stage is Stage.DELETING)
        receipt = session.receipt
        _toggle(self._receipt_step, receipt is not None and receipt is not self._put_away)
        if plan is not None and plan is not self._previewed:
            self._previewed = plan
            self._preview.value = plan._repr_html_()  # Its template escapes every value.
        if plan is not None:
            n = len(plan.images)
            copies = not self._no_copies.value
            backup = literal(self._folder.value.strip()) if copies else "None"
            self._confirm_text.value = markup(
                '<h3 role="heading">4&ensp;Delete {n} image{s} for ever?</h3>'
                "<p>Type <code><strong>{needed}</strong></code>, say above where copies go or that none are kept, "
                "then press the red button. Enter alone keeps everything.</p>",
                n=f"{n:,}",
                s="" if n == 1 else "s",
                needed=needed_text(plan, copies=copies),
            )
            self._confirm_code.value = _code(
                f'plan.apply(client, confirm="{plan.confirmation}", backup={backup})'
            )
        if receipt is not None and receipt is not self._receipted:
            self._receipted = receipt
            self._receipt.value = (  # Its template escapes every value, too.
                receipt._repr_html_()
                + _code('receipt = panel.receipt; receipt.write("receipt.csv")')
            )


class _Card:
    """One image in the list: its picture or a placeholder, a caption, and a tick."""

    def __init__(self) -> None:
        self.image = widgets.Image()  # No tooltip: its view fails on one (ipywidgets 8.1.9).
        self.text = _html()
        self.box = widgets.VBox([self.image, self.text])
        self.box.add_class("picora-card")
        self.tick: widgets.Checkbox | None = None
        self._caption = self._none = ""

    def show(
        self, image_id: str, row: pd.Series[Any], on_tick: Callable[[str, widgets.Checkbox], None]
    ) -> None:
        """Show another image, with a tick of its own: a late click on the old one must not fall on this one."""
        old = self.tick
        name = "(no name)" if pd.isna(row["filename"]) else row["filename"]
        tick = widgets.Checkbox(description=label(name, 34), indent=False)
        tick.observe(lambda _: on_tick(image_id, tick), "value")
        self.tick = tick
        self.box.children = (self.image, self.text, tick)
        if old is not None:
            old.close()
        day = "date unknown" if pd.isna(row["created_at"]) else f"{row['created_at']:%d %b %Y}"
        self._none = markup('<div class="picora-none">{text}</div>', text=placeholder(row))
        size = "" if pd.isna(row["size_bytes"]) else f"{format_bytes(int(row['size_bytes']))} · "
        self._caption = markup(
            '<div class="picora-caption" title="{name} ({id})">{size}{day}</div>',
            name=shorten(name, 120),
            id=image_id,
            size=size,
            day=day,
        )
        _toggle(self.box, True)

    def picture(self, picture: Thumbnail | None) -> None:
        """Show a picture, or the placeholder."""
        _toggle(self.image, picture is not None)
        self.text.value = self._caption if picture is not None else self._none + self._caption
        if picture is not None:
            self.image.format, self.image.value = picture.format, picture.data

    def mark(self, selected: bool, busy: bool) -> None:
        """Show whether it is selected, by the tick and by the frame."""
        if self.tick is not None:
            self.tick.value, self.tick.disabled = selected, busy
        _toggle(self.box, selected, "picora-selected", present=True)

    def clear(self) -> None:
        """Show nothing."""
        _toggle(self.box, False)


class _PanelProgress:
    """Progress for the panel, at most ten states a second and the last one always."""

    def __init__(self, show: Callable[[int | None, str], None]) -> None:
        self._show = show
        self._last = 0.0

    def update(self, done: int, total: int | None) -> None:
        """Move the bar."""
        now = time.monotonic()
        if now - self._last >= UPDATE_EVERY or done == total:
            self._last = now
            self._show(done, f"{done:,}" if total is None else f"{done:,} of {total:,}")

    def wait(self, reason: str) -> None:
        """Say why nothing happens."""
        self._show(None, reason)

    def finish(self, text: str) -> None:
        """Leave the last line."""
        self._show(None, text)


def _html(value: str = "") -> widgets.HTML:
    return widgets.HTML(value, layout=_fill())


def _row(*children: widgets.Widget) -> widgets.HBox:
    return widgets.HBox(children, layout=widgets.Layout(flex_flow="row wrap", align_items="center"))


def _fill() -> widgets.Layout:
    return widgets.Layout(width="auto")


def _tick(description: str) -> widgets.Checkbox:
    return widgets.Checkbox(description=description, indent=False, layout=_fill())


def _code(line: str) -> str:
    return markup('<code class="picora-code">{line}</code>', line=line)


def _images(tally: Tally) -> str:
    return f"{tally.n_images:,} image{'' if tally.n_images == 1 else 's'}"


def _step(title: str, *children: widgets.Widget) -> widgets.VBox:
    number, _, name = title.partition("  ")
    head = _html(markup("<h3>{number}&ensp;{name}</h3>", number=number, name=name))
    return widgets.VBox([head, *children], layout=_fill())


def _toggle(
    widget: widgets.DOMWidget, on: bool, name: str = "picora-hidden", *, present: bool = False
) -> None:
    """Put a class on a widget or take it off; by default the one that hides it."""
    (widget.add_class if on is present else widget.remove_class)(name)
