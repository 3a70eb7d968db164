"""How far a running deletion is: a bar for each thing that happens, in their order, and the pictures themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import ipywidgets as widgets
from markupsafe import Markup

from picora_analytics.cleanup.plan.deeds import DELETE
from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.text import about
from picora_analytics.widgets.panel.facts import bar, stamp
from picora_analytics.widgets.panel.html import button, html, markup, sign, toggle
from picora_analytics.widgets.panel.running import Job
from picora_analytics.widgets.panel.tiles import Tiles

__all__ = ["MOST_SHOWN", "ProgressStep", "marks_of"]

MOST_SHOWN = 200  # Of more images than this, the last that were done are shown.
REFRESHED = 1.0  # Seconds between two such lists.

_TITLES = {
    "backed up": "Backing up",
    "deleted": "Deleting",
    "gone": "Looking whether they are gone",
}
_NAMES = {"backed up": "Backup", "deleted": "Deleted", "gone": "Seen to be gone"}
_SIGNS = {"backed up": "down", "deleted": "trash", "gone": "eye"}
_MARKS = {"backed up": "t", "deleted": "g", "gone": "g", "kept": "x", "failed": "x", "unknown": "x"}


def marks_of(job: Job, ids: Iterable[str]) -> dict[str, str]:
    """Give the marks of images, by what became of them."""
    return {
        one: "n" if one in job.now else _MARKS.get(job.step_of.get(one, ""), " ") for one in ids
    }


class ProgressStep:
    """Stands in the panel while a deletion runs that this process began."""

    def __init__(self, thumbnails: Thumbnails, stop: Callable[[], None]) -> None:
        self._job: Job | None = None
        self._listed = 0.0
        self._title, self._note, self._steps, self._foot = html(), html(), html(), html()
        self.map = Tiles(thumbnails, "map")
        self.stop = button("Stop", stop, tooltip="What was not tried is kept")
        self.stop.add_class("pm-line")
        top = widgets.HBox([self._title, self._note])
        top.add_class("pm-top")
        middle = widgets.VBox([self._steps, self.map])
        middle.add_class("pm-middle")
        foot = widgets.HBox([self._foot, self.stop])
        foot.add_class("pm-foot")
        self.box = widgets.VBox([top, middle, foot])
        self.box.add_class("pm-mode")

    def focus(self) -> None:
        """Focus what stops it."""
        self.stop.focus()

    def paint(self, job: Job | None) -> None:
        """Show how far a job is; nothing without one, or once it has ended."""
        shown = job is not None and not job.ended
        toggle(self.box, shown)
        if job is None or not shown:
            return
        self._show_pictures(job)
        hiding = job.deed is not DELETE
        title = "Stopping …" if job.cancelled else "Hiding" if hiding else _TITLES[job.current]
        self._title.value = markup(
            '<h2 role="heading" aria-level="2">{title} {stamp}</h2>',
            title=title,
            stamp=stamp(job.library),
        )
        left = job.seconds_left()
        note = job.why if left is None else f"{about(left)} to go"
        self._note.value = markup('<span class="pg-mut" role="status">{text}</span>', text=note)
        names = ["deleted"] if hiding else ["deleted", "gone"]
        names = [*(["backed up"] if job.backup is not None else []), *names]
        self._steps.value = markup(
            '<div class="pm-steps">{steps}</div>',
            steps=Markup("").join(_step(job, name) for name in names),
        )
        backing = job.current == "backed up"
        if backing:
            foot = "Nothing is deleted before its backup is proved."
        else:
            foot = "This goes on when you close the tab; while the kernel runs, any panel shows it."
        self._foot.value = markup('<span class="pg-mut">{text}</span>', text=foot)
        self.stop.description = "Stop, delete nothing" if backing else "Stop after this batch"
        self.stop.disabled = job.cancelled

    def _show_pictures(self, job: Job) -> None:
        few = len(job.images) <= MOST_SHOWN
        if job is not self._job:
            self._job, self._listed = job, 0.0
            self.map.show(job.images.iloc[: MOST_SHOWN if few else 0], label="Their pictures")
        if not few and job.latest and time.monotonic() - self._listed > REFRESHED:
            self._listed = time.monotonic()
            rows = job.images.loc[list(dict.fromkeys(reversed(job.latest)))]
            self.map.show(rows, label="The last that were done")
        self.map.mark(marks_of(job, self.map.ids))


def _step(job: Job, name: str) -> Markup:
    counts, total = job.counts(), len(job.images)
    n, due = counts[name], total - counts["stays"]
    done = n >= due
    state = "pm-done" if done else "pm-now" if name == job.current else ""
    word = "Hidden" if job.deed is not DELETE else _NAMES[name]
    return markup(
        '<div class="pm-step {state}"><div class="pm-two"><span>{sign} <b>{word}</b></span>'
        "<span>{n} of {due}</span></div>{bar}</div>",
        state=state,
        sign=sign("check" if done else _SIGNS[name]),
        word=word,
        n=f"{n:,}",
        due=f"{due:,}",
        bar=bar(f"{word}: {n:,} of {due:,}", due, ("k" if done else "g", n)),
    )
