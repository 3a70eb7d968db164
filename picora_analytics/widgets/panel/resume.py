"""A deletion that was interrupted, reviewed before it goes on: what is left is looked at again, and asked anew."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
from markupsafe import Markup

from picora_analytics.cleanup.apply.begun import Begun
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.plan.deeds import DELETE
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.text import plural
from picora_analytics.times import day_and_time
from picora_analytics.widgets.panel.confirm import ConfirmBox, Question
from picora_analytics.widgets.panel.facts import losses, says, stamp, verdict
from picora_analytics.widgets.panel.html import button, code, html, markup, toggle
from picora_analytics.widgets.panel.review import why_more
from picora_analytics.widgets.panel.session import CleanupSession, needed_text
from picora_analytics.widgets.panel.tiles import Tiles

__all__ = ["ResumeStep"]

LEFT, GONE, KEPT = 200, 60, 6


class ResumeStep:
    """
    Stands in the panel while an interrupted deletion is reviewed.

    Parameters
    ----------
    thumbnails : Thumbnails
    back, go_on, leave, receipt : callable
        Back to choosing; delete the rest; end it here; show the receipt so far.
    """

    def __init__(
        self,
        thumbnails: Thumbnails,
        *,
        back: Callable[[], None],
        go_on: Callable[[], None],
        leave: Callable[[], None],
        receipt: Callable[[], None],
    ) -> None:
        self.begun: Begun | None = None
        self.plan: Plan | None = None
        self._title, self._note = html(), html()
        self.back = button("", back, tooltip="Back to choosing", icon="chevron-left")
        top = widgets.HBox([self.back, self._title, self._note])
        top.add_class("pm-top")
        self._left, self.left = html(), Tiles(thumbnails, "small")
        self._kept, self.kept = html(), Tiles(thumbnails, "rows")
        self._gone, self.gone = html(), Tiles(thumbnails, "small")
        left = widgets.VBox([self._left, self.left, self._kept, self.kept, self._gone, self.gone])
        left.add_class("pm-left")
        self._why, self._looked, self._verdict, self._code = html(), html(), html(), html()
        parts = [
            widgets.VBox([one]) for one in (self._why, self._looked, self._verdict, self._code)
        ]
        for part in parts:
            part.add_class("pm-part")
        facts = widgets.VBox(parts)
        facts.add_class("pm-facts")
        self.confirm = ConfirmBox(go_on, leave, receipt)
        right = widgets.VBox([facts, self.confirm.box])
        right.add_class("pm-right")
        body = widgets.HBox([left, right])
        body.add_class("pm-body")
        self.box = widgets.VBox([top, body])
        self.box.add_class("pm-mode")
        self.box.add_class("pm-review")
        toggle(self.box, False)

    def focus(self) -> None:
        """Focus the way out."""
        self.confirm.out.focus()

    @property
    def needed(self) -> str:
        """What must be typed; empty where nothing can be deleted."""
        return self.confirm.question.needed

    def close(self) -> None:
        """Put it away."""
        self.begun = self.plan = None
        self.confirm.clear()
        toggle(self.box, False)

    def open(
        self,
        session: CleanupSession,
        begun: Begun,
        looked: DeletionReceipt | None,
        refused: str = "",
    ) -> None:
        """Show what is left as it was just looked at; without a look, why it is refused."""
        self.begun = begun
        self.confirm.clear()
        images = begun.plan.images
        outcomes = (
            {}
            if looked is None
            else dict(zip(looked.outcomes["id"], looked.outcomes["outcome"], strict=True))
        )
        going = [one for one in begun.left if outcomes.get(one) == DELETE.would]
        gone = [
            one for one in images.index if outcomes.get(one) in ("deleted", "already gone")
        ] or begun.done
        kept = (
            []
            if looked is None
            else [one for one in begun.left if outcomes.get(one) in ("kept", "unknown")]
        )
        out = set(going)
        self.plan = plan = begun.plan.without([one for one in images.index if one not in out])
        toggle(self.box, True)
        self._title.value = markup(
            '<h2 role="heading" aria-level="2">Resume the deletion? {stamp}</h2>',
            stamp=stamp(begun.plan.library),
        )
        self._note.value = markup(
            '<span class="pg-mut">stopped {when}</span>', when=day_and_time(begun.past.last_at)
        )
        backup = begun.past.backup
        self._left.value = _head(
            f"{len(going):,} would go", "as they were planned, nothing about them has changed"
        )
        self.left.show(
            images.loc[going[:LEFT]], label="What would go", more=max(len(going) - LEFT, 0)
        )
        reasons = (
            {}
            if looked is None
            else dict(zip(looked.outcomes["id"], looked.outcomes["reason"], strict=True))
        )
        toggle(self._kept, bool(kept))
        toggle(self.kept, bool(kept))
        self._kept.value = _head(
            f"{len(kept):,} {'stays' if len(kept) == 1 else 'stay'}",
            f"the first {KEPT}" if len(kept) > KEPT else "",
        )
        self.kept.show(
            images.loc[kept[:KEPT]],
            notes={one: str(reasons[one]) for one in kept[:KEPT]},
            label="What stays, and why",
        )
        self._gone.value = _head(
            f"{len(gone):,} {'is' if len(gone) == 1 else 'are'} gone",
            f"backup in {backup}" if backup else "without a backup",
        )
        self.gone.show(images.loc[gone[:GONE]], label="What is gone", more=max(len(gone) - GONE, 0))
        self.gone.mark(dict.fromkeys(map(str, gone), "g"))
        self._say(session, begun, plan, looked, refused)

    def _say(
        self,
        session: CleanupSession,
        begun: Begun,
        plan: Plan,
        looked: DeletionReceipt | None,
        refused: str,
    ) -> None:
        n = len(plan.images)
        doubt = len(begun.past.open_ids)
        text = (
            f"{plural(doubt, 'picture')} may or may not have gone then; that was looked up."
            if doubt
            else "The journal is complete: no picture is in doubt."
        )
        self._why.value = says("plug", "It stopped half-way", markup("{text}", text=text))
        self._code.value = code(f"pic.resume_deletion(client, {str(begun.path)!r})")
        left = len(begun.left)
        if looked is None:
            self._looked.value = says(
                "warn", "It cannot be resumed", markup("{text}", text=refused)
            )
        else:
            same = f"{n:,} of {left:,} {'is' if left == 1 else 'are'} as planned and may go."
            self._looked.value = says(
                "shield", "Looked again just now", markup("{text}", text=same), safe=True
            )
        self._verdict.value = verdict(plan.images, session.references) if n else ""
        backup = begun.past.backup is not None
        known = session.has_looked(plan.images.index)
        if n:
            why = "" if backup else "Without a backup"
            why = why or ("" if known else why_more(session))
            question = Question(
                needed_text(plan, backup=backup, looked=known),
                "to delete the rest",
                f"Delete the {n:,}",
                f"Leave the {left:,}",
                "Receipt so far",
                why,
            )
            facts = losses(plan, backup=backup)
        else:
            question = Question("", "", "Delete the rest", f"Leave the {left:,}", "Receipt so far")
            facts = markup("<div>Nothing is left that may go.</div>")
        self.confirm.ask(question, facts)
        for part in (self.confirm.label, self.confirm.typed, self.confirm.do):
            toggle(part, n > 0)


def _head(title: str, more: str) -> Markup:
    return markup(
        '<h3 class="pm-h" role="heading" aria-level="3">{title} <span class="pg-mut">{more}</span></h3>',
        title=title,
        more=more,
    )
