"""The review: the pictures that would go, what is known of them, and the question, all in sight at once."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
import numpy as np
import pandas as pd
from markupsafe import Markup

from picora_analytics.analysis.criteria import literal
from picora_analytics.cleanup.deletion import DeletionPlan
from picora_analytics.cleanup.plan.preview import look_twice, time_to_delete
from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.text import plural
from picora_analytics.units import format_bytes
from picora_analytics.widgets.gallery.orders import in_order
from picora_analytics.widgets.panel.choosing import Stage
from picora_analytics.widgets.panel.confirm import ConfirmBox, Question
from picora_analytics.widgets.panel.facts import (
    frees,
    losses,
    reasons,
    says,
    stamp,
    uploaded,
    verdict,
)
from picora_analytics.widgets.panel.html import Do, button, code, html, markup, on_change, toggle
from picora_analytics.widgets.panel.looking import LookBox
from picora_analytics.widgets.panel.session import CleanupSession, needed_text
from picora_analytics.widgets.panel.tiles import Tiles

__all__ = ["ReviewStep", "why_more"]

LARGE, SMALL, ALL = (
    12,
    60,
    600,
)  # Pictures to look at twice, others at first, and others when all are asked for.
SPARED = 5
FOLDER, NONE = "Backup first, in", "No backup"


class ReviewStep:
    """
    Stands in the panel while a plan waits for its confirmation.

    Parameters
    ----------
    do : callable
        Runs a gesture, and paints.
    thumbnails : Thumbnails
    back, delete, hide : callable
        Leave everything; delete; hide instead.
    keep : callable
        Given the id of an image to take out of the plan.
    """

    def __init__(
        self,
        do: Do,
        thumbnails: Thumbnails,
        *,
        back: Callable[[], None],
        delete: Callable[[], None],
        hide: Callable[[], None],
        keep: Callable[[str], None],
    ) -> None:
        self._plan: DeletionPlan | None = None
        self._all = self._hiding = False
        self._delete, self._hide = delete, hide
        self.title, self.note = html(), html()
        self.back = button("", back, tooltip="Back to choosing", icon="chevron-left")
        self.python = button("‹›", self._toggle_code, tooltip="The same in Python")
        self.code = html()
        toggle(self.code, False)
        top = widgets.HBox([self.back, self.title, self.note, self.python])
        top.add_class("pm-top")
        self.box = widgets.VBox([top, self._make_body(do, thumbnails, keep, back), self.code])
        self.box.add_class("pm-mode")
        self.box.add_class("pm-review")

    def _make_body(
        self,
        do: Do,
        thumbnails: Thumbnails,
        keep: Callable[[str], None],
        back: Callable[[], None],
    ) -> widgets.HBox:
        self._twice, self._rest = html(), html()
        self.large = Tiles(thumbnails, "large", press=keep)
        self.small = Tiles(thumbnails, "small")
        self.see_all = button("See all", lambda: do(self._see_all))
        self.see_all.add_class("pm-link")
        heading = widgets.HBox([self._rest, self.see_all])
        heading.add_class("pm-heading")
        self.strip, self._spared = Tiles(thumbnails, "strip"), html()
        self.look_spared = button("Look", lambda: do(self._see_spared))
        self.look_spared.add_class("pm-link")
        self.spared = widgets.HBox([self.strip, self._spared, self.look_spared])
        self.spared.add_class("pm-spared")
        self._reasons = html()
        toggle(self._reasons, False)
        left = widgets.VBox(
            [self._twice, self.large, heading, self.small, self.spared, self._reasons]
        )
        left.add_class("pm-left")
        right = widgets.VBox([*self._make_facts(do), self._make_question(do, back)])
        right.add_class("pm-right")
        body = widgets.HBox([left, right])
        body.add_class("pm-body")
        return body

    def _make_facts(self, do: Do) -> list[widgets.Widget]:
        self._frees, self._years, self._verdict = html(), html(), html()
        self.look = LookBox(do)
        self._freed = widgets.VBox([self._frees])
        self.reason = widgets.Text(
            description="Why", tooltip="Stands in the plan and in the receipt"
        )
        self.reason.add_class("pm-why")
        on_change(lambda: do(self._rewrite), self.reason)
        self.choice = widgets.RadioButtons(
            options=[FOLDER, NONE], description="Backup", tooltip="Whether files are kept"
        )
        self.folder = widgets.Text(value="kept/", description="Folder for the backup")
        self._cost = html()
        on_change(lambda: do(lambda _: self.confirm.say("")), self.choice, self.folder)
        choices = widgets.Box([self.choice, self.folder, html("they cannot come back")])
        choices.add_class("pm-choices")
        self._backup = widgets.VBox([choices, self._cost])
        parts = {
            "pm-frees": self._freed,
            "pm-reason": widgets.VBox([self.reason]),
            "pm-uploaded": widgets.VBox([self._years]),
            "pm-verdict": widgets.VBox([self._verdict, self.look.box]),
            "pm-backup": self._backup,
        }
        for name, part in parts.items():
            part.add_class("pm-part")
            part.add_class(name)
        facts = widgets.VBox(list(parts.values()))
        facts.add_class("pm-facts")
        return [facts]

    def _make_question(self, do: Do, back: Callable[[], None]) -> widgets.VBox:
        self.confirm = ConfirmBox(self._act, back, lambda: do(self._swap))
        return self.confirm.box

    # Gestures of the review's own

    def _toggle_code(self) -> None:
        toggle(self.code, "picora-hidden" in self.code._dom_classes)

    def _act(self) -> None:
        (self._hide if self._hiding else self._delete)()

    def _swap(self, _: CleanupSession) -> None:
        self._hiding = not self._hiding

    def _see_all(self, _: CleanupSession) -> None:
        self._all = True
        if self._plan is not None:
            self._show_pictures(self._plan)

    def _see_spared(self, _: CleanupSession) -> None:
        toggle(self._reasons, "picora-hidden" in self._reasons._dom_classes)

    def _rewrite(self, session: CleanupSession) -> None:
        """Plan again for another reason; a plan without one is none."""
        plan, reason = session.plan, self.reason.value.strip()
        if plan is not None and reason and reason != plan.reason:
            session.make_plan(reason)

    # What the panel asks

    @property
    def backup(self) -> str | None:
        """The folder for the backup; None if the person said that there is none."""
        return None if self.choice.value == NONE else self.folder.value.strip()

    @property
    def hiding(self) -> bool:
        """Whether it is about hiding."""
        return self._hiding

    def begin(self, plan: DeletionPlan) -> None:
        """Start a review afresh: nothing typed, nothing said about a backup."""
        self.confirm.clear()
        self._all = self._hiding = False
        self.choice.value = FOLDER
        self.reason.value = plan.reason

    def focus(self) -> None:
        """Focus the way out."""
        self.confirm.out.focus()

    # Painting

    def paint(self, session: CleanupSession) -> None:
        """Show the plan, if one waits."""
        plan = session.plan
        asking = session.stage is Stage.PLANNED and plan is not None
        toggle(self.box, asking)
        if plan is None or not asking:
            return
        n, verb = len(plan.images), "Hide" if self._hiding else "Delete"
        if self._hiding:
            n = int(plan.images["is_public"].fillna(False).sum())
        end = "?" if self._hiding else " for ever?"
        self.title.value = markup(
            '<h2 role="heading" aria-level="2">{verb} {n}{end} {stamp}</h2>',
            verb=verb,
            n=plural(n, "picture"),
            end=end,
            stamp=stamp(session.library),
        )
        self.note.value = markup('<span class="pg-mut">nothing has been sent</span>')
        if plan is not self._plan:
            self._plan = plan
            self._show_pictures(plan)
            self._show_facts(session, plan)
        self._ask(session, plan, n)
        backup = "None" if self.backup is None else literal(self.backup)
        made = map(code, session.plan_code(plan.reason).splitlines())
        self.code.value = Markup("").join(made) + code(
            f'plan.hide(client, confirm="{plan.hiding_confirmation}")'
            if self._hiding
            else f'plan.apply(client, confirm="{plan.confirmation}", backup={backup})'
        )

    def _show_pictures(self, plan: DeletionPlan) -> None:
        images = plan.images
        noted, n_noted = look_twice(images, LARGE)
        rows = [row for row, _ in noted]
        notes = {str(images.index[row]): note.partition(";")[0] for row, note in noted}
        self._twice.value = _heading("Look twice", f"{n_noted:,}")
        toggle(self._twice, bool(noted))
        toggle(self.large, bool(noted))
        self.large.show(
            images.iloc[rows], notes=notes, label="Pictures to look at twice", press="Keep it"
        )
        order = in_order(images, "largest first")
        others = order[~np.isin(order, rows)]
        most = ALL if self._all else SMALL
        title = f"The other {len(others):,}" if noted else plural(len(others), "picture")
        self._rest.value = _heading(title, "largest first")
        self.small.show(
            images.iloc[others[:most]],
            label="The other pictures",
            more=max(len(others) - most, 0),
        )
        toggle(self._rest, len(others) > 0)
        toggle(self.see_all, len(others) > most and not self._all)

    def _show_facts(self, session: CleanupSession, plan: DeletionPlan) -> None:
        images = plan.images
        self._frees.value = frees(
            plan.size_bytes, int(images["size_bytes"].isna().sum()), session.library
        )
        self._years.value = uploaded(images)
        self._verdict.value = verdict(images, session.references)
        self.look.paint(session)
        spared = plan.spared
        toggle(self.spared, len(spared) > 0)
        self.strip.show(_rows_of(session.images, spared.index[:SPARED]), label="Spared")
        self._spared.value = markup(
            '<div class="pm-spared-words"><b>{n} spared</b><br><span class="pg-mut">{why}</span></div>',
            n=f"{len(spared):,}",
            why=reasons(spared),
        )
        lines = Markup("").join(
            markup("<li>{name}: {why}</li>", name=name, why=why)
            for name, why in zip(
                spared["filename"].fillna("(no name)")[:SMALL],
                spared["reason"][:SMALL],
                strict=True,
            )
        )
        rest = max(len(spared) - SMALL, 0)
        more = markup("<li>and {n} more: <code>plan.spared</code></li>", n=f"{rest:,}")
        self._reasons.value = markup(
            "<ul>{lines}{more}</ul>", lines=lines, more=more if rest else ""
        )
        if self.reason.value.strip() != plan.reason:
            self.reason.value = plan.reason

    def _ask(self, session: CleanupSession, plan: DeletionPlan, n: int) -> None:
        refused = [str(one) for one in plan.refusals]
        toggle(self._backup, not refused and not self._hiding)
        toggle(self._freed, not self._hiding)
        if refused:
            self._refuse(refused)
            return
        toggle(self.confirm.typed, True)
        toggle(self.confirm.do, True)
        backup, looked = self.backup is not None, session.has_looked(plan.images.index)
        out = f"Keep all {len(plan.images):,}" if len(plan.images) > 1 else "Keep it"
        if self._hiding:
            question = Question(f"{n}", "to hide", f"Hide {n:,}", out, "Delete instead", calm=True)
            text = (
                "Visitors see a broken picture until they are shown again, at the same addresses. No storage is freed, "
                "and what is private already stays as it is."
            )
            self.confirm.ask(question, markup("<div>{text}</div>", text=text))
            return
        public = int(plan.images["is_public"].fillna(False).sum())
        other = "Hide instead, can be undone" if public and session.can_hide else ""
        why = "" if backup else "Without a backup"
        why = why or ("" if looked else why_more(session))
        needed = needed_text(plan, backup=backup, looked=looked)
        question = Question(needed, "to delete", f"Delete {n:,} for ever", out, other, why)
        self.confirm.ask(question, losses(plan, backup=backup))
        takes = f"{time_to_delete(n)} to delete; you can stop between batches."
        first = f"{format_bytes(plan.size_bytes)} to download first, then "
        text = first + takes if backup else takes.capitalize()
        self._cost.value = markup('<span class="pg-mut">{text}</span>', text=text)
        self.folder.disabled = not backup

    def _refuse(self, refused: list[str]) -> None:
        """Say instead of the question why this plan may not be carried out."""
        self.confirm.ask(Question("", "", "", "Back to choosing"), Markup(""))
        self.confirm.label.value = ""
        toggle(self.confirm.typed, False)
        toggle(self.confirm.do, False)
        self.confirm.facts.value = says(
            "warn", "This plan is refused", markup("{text}.", text="; ".join(refused))
        )


def why_more(session: CleanupSession) -> str:
    """Say why more than the number is asked for where not every image was looked for."""
    return "Nobody has looked" if session.references is None else "Not all could be looked at"


def _heading(title: str, more: str) -> Markup:
    return markup(
        '<h3 class="pm-h" role="heading" aria-level="3">{title} <span class="pg-mut">{more}</span></h3>',
        title=title,
        more=more,
    )


def _rows_of(images: pd.DataFrame, ids: pd.Index) -> pd.DataFrame:
    """Give the rows of ids, as far as they are there."""
    return images.loc[[one for one in ids if one in images.index]]
