"""What stands above everything: a deletion that runs or was interrupted, and a kernel that does not answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets
from markupsafe import Markup

from picora_analytics.cleanup.apply.begun import Begun
from picora_analytics.cleanup.apply.places import Holder
from picora_analytics.text import plural
from picora_analytics.times import day_and_time
from picora_analytics.widgets.panel.facts import bar
from picora_analytics.widgets.panel.html import button, html, markup, sign, toggle
from picora_analytics.widgets.panel.running import Job

__all__ = ["Banner"]


class Banner:
    """
    Names what was begun and not ended; nothing opens by itself.

    Parameters
    ----------
    show, look : callable
        Show the job of this process; look again at what runs elsewhere.
    receipt, leave, resume : callable
        Given a deletion that was interrupted.
    """

    def __init__(
        self,
        *,
        show: Callable[[], None],
        look: Callable[[], None],
        receipt: Callable[[Begun], None],
        leave: Callable[[Begun], None],
        resume: Callable[[Begun], None],
    ) -> None:
        self._show, self._look = show, look
        self._receipt, self._leave, self._resume = receipt, leave, resume
        # Shown by the page alone, once no kernel answers.
        self._dead = html(
            markup(
                '<div class="pm-banner pm-dead-banner" role="alert">{sign}<div><b>No kernel answers.</b> This is a '
                "picture of the panel: nothing you press is kept. Run the cell again; a deletion that was under way "
                "is then shown here.</div></div>",
                sign=sign("plug"),
            )
        )
        self._dead.add_class("pm-if-dead")
        self._rows = widgets.VBox()
        self._rows.add_class("pm-banners")
        self._running: widgets.HTML | None = None
        self._painted: object = None
        self._said = html()
        self.box = widgets.VBox([self._dead, self._said, self._rows])
        self.box.add_class("pm-alive")

    def say(self, text: str, *, problem: bool = True) -> None:
        """Say something above everything; an empty text takes it back."""
        kind, name = ("pm-warn", "warn") if problem else ("pm-run", "clock")
        said = markup(
            '<div class="pm-banner {kind}">{text}</div>',
            kind=kind,
            text=_banner(name, markup("{text}", text=text)),
        )
        self._said.value = said if text else ""

    @property
    def rows(self) -> list[widgets.HBox]:
        """A row for each deletion that runs or was interrupted."""
        return list(self._rows.children)

    def paint(
        self,
        job: Job | None = None,
        holder: Holder | None = None,
        begun: Sequence[Begun] = (),
        problems: Sequence[str] = (),
    ) -> None:
        """Show a job of this process that is not in sight, a run elsewhere, and what was interrupted."""
        running = job is not None and not job.ended
        # A row is made anew only when it says something else: a button may be pressed at any moment.
        others = (None, ()) if running else (holder, tuple(begun))
        state = (job if running else None, *others, tuple(problems))
        if state != self._painted:
            self._painted = state
            rows = [self._job_row()] if running else []
            if holder is not None and not running:
                rows.append(self._holder_row(holder, begun))
            elif not running:
                rows += [self._begun_row(one) for one in begun]
            rows += [_row("pm-warn", "warn", markup("{text}", text=text)) for text in problems]
            self._rows.children = rows
        if running and job is not None and self._running is not None:
            n, total = job.counts()["deleted"], len(job.images)
            self._running.value = _running(
                markup(
                    "<b>A deletion is running</b>: {n} of {total}. It goes on, whatever cell is run.",
                    n=f"{n:,}",
                    total=f"{total:,}",
                ),
                n,
                total,
            )
        toggle(self._rows, bool(self._rows.children))

    def _job_row(self) -> widgets.HBox:
        row = _row("pm-run", "clock", markup(""), button("Show it", self._show))
        self._running = row.children[0]
        return row

    def _holder_row(self, holder: Holder, begun: Sequence[Begun]) -> widgets.HBox:
        own = next((one for one in begun if str(one.path) == holder.journal), None)
        n = 0 if own is None else len(own.done)
        text = markup(
            "<b>A {deed} is running</b> in {where}, begun {since}: {n} of {total}. Only there it can be cancelled.",
            deed={"delete": "deletion", "hide": "hiding"}.get(holder.deed, "change"),
            where=holder.where,
            since=day_and_time(holder.since),
            n=f"{n:,}",
            total=f"{holder.n_images:,}",
        )
        row = _row("pm-run", "clock", text, button("Look again", self._look))
        row.children[0].value = _running(text, n, holder.n_images)
        return row

    def _begun_row(self, begun: Begun) -> widgets.HBox:
        done, left, doubt = len(begun.done), len(begun.left), len(begun.past.open_ids)
        more = (
            f"; {doubt:,} {'is' if doubt == 1 else 'are'} in doubt, and looked up first"
            if doubt
            else ""
        )
        text = markup(
            "<b>A deletion stopped half-way</b> on {when}: {done} of {total} {are} gone, "
            "{left} {were} not touched{more}.",
            when=day_and_time(begun.past.last_at),
            done=f"{done:,}",
            total=plural(len(begun.plan.images), "picture"),
            are="is" if done == 1 else "are",
            left=f"{left - doubt:,}",
            were="was" if left - doubt == 1 else "were",
            more=more,
        )
        resume = button("Look, then resume", lambda: self._resume(begun))
        resume.add_class("pm-go")
        leave = button(
            f"Leave the {left:,}",
            lambda: self._leave(begun),
            tooltip="End it here: nothing more is deleted",
        )
        leave.add_class("pm-line")
        so_far = button("Receipt so far", lambda: self._receipt(begun))
        return _row("pm-warn", "warn", text, so_far, leave, resume)


def _row(kind: str, name: str, text: Markup, *buttons: widgets.Button) -> widgets.HBox:
    words = html(_banner(name, text))
    words.add_class("pm-banner-words")
    row = widgets.HBox([words, *buttons])
    row.add_class("pm-banner")
    row.add_class(kind)
    return row


def _banner(name: str, text: Markup) -> Markup:
    return markup(
        '<div class="pm-says">{sign}<div role="status">{text}</div></div>',
        sign=sign(name),
        text=text,
    )


def _running(text: Markup, n: int, total: int) -> Markup:
    return _banner("clock", text) + bar(f"{n:,} of {total:,}", total, ("g", n))
