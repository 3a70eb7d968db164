"""What came of a deletion: three facts, what was freed, what stayed and why, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from markupsafe import Markup

from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.plan.deeds import DEEDS, DELETE
from picora_analytics.pictures.thumbnails import Thumbnails
from picora_analytics.text import plural
from picora_analytics.times import day_and_time
from picora_analytics.units import format_bytes, format_share
from picora_analytics.widgets.panel.facts import bar, stamp, used_of
from picora_analytics.widgets.panel.html import alert, button, code, html, markup, sign, toggle
from picora_analytics.widgets.panel.progress import MOST_SHOWN, marks_of
from picora_analytics.widgets.panel.running import Job
from picora_analytics.widgets.panel.tiles import Tiles

__all__ = ["ReceiptStep"]

_STAYED = ("kept", "failed", "unknown")
STAYING = 6  # Those that stayed and are shown with their reason; the receipt names all.
ADDRESSES = 5


class ReceiptStep:
    """
    The receipt of the last deletion, until more is chosen.

    Parameters
    ----------
    thumbnails : Thumbnails
    done, again, upload : callable
        Choose more; try what stayed again; upload the backup again.
    """

    def __init__(
        self,
        thumbnails: Thumbnails,
        *,
        done: Callable[[], None],
        again: Callable[[], None],
        upload: Callable[[], None],
    ) -> None:
        self._shown: DeletionReceipt | None = None
        self._job: Job | None = None
        self._title, self._note, self._facts = html(), html(), html()
        self._stayed, self.stayed = html(), Tiles(thumbnails, "rows")
        self.again = button("Look, then try again", again)
        self.again.add_class("pm-line")
        self._stays = widgets.VBox([self._stayed, self.stayed, self.again])
        self._stays.add_class("pm-stays")
        self.map = Tiles(thumbnails, "map")
        self.said = html()
        self.done = button("Choose more", done)
        self.done.add_class("pm-go")
        self.save = button("Save receipt", self._save, tooltip="Write it beside the notebook")
        self.upload = button("Upload backup again …", self._ask_upload, icon="undo")
        self.upload.add_class("pm-line")
        self._asked = html()
        self.really = button("Upload", upload)
        self.really.add_class("pm-line")
        self.rather_not = button("Leave it", lambda: toggle(self.asking, False))
        self.asking = widgets.HBox([self._asked, self.rather_not, self.really])
        self.asking.add_class("pm-asking")
        toggle(self.asking, False)
        top = widgets.HBox([self._title, self._note])
        top.add_class("pm-top")
        middle = widgets.VBox([self._facts, self._stays, self.map])
        middle.add_class("pm-middle")
        foot = widgets.HBox([self.upload, self.save, self.done])
        foot.add_class("pm-foot")
        self.box = widgets.VBox([top, middle, self.said, self.asking, foot])
        self.box.add_class("pm-mode")
        self.box.add_class("pm-receipt")

    def focus(self) -> None:
        """Focus the way on."""
        self.done.focus()

    def paint(self, receipt: DeletionReceipt | None, job: Job | None) -> None:
        """Show a receipt, with the pictures of the job it is of where there was one."""
        toggle(self.box, receipt is not None)
        if receipt is None or (receipt is self._shown and job is self._job):
            return
        self._shown, self._job = receipt, job
        self.said.value = ""
        toggle(self.asking, False)
        deed = DEEDS[receipt.deed]
        n = receipt.counts.get(deed.done, 0) + receipt.counts.get("already gone", 0)
        word = "gone" if deed is DELETE else deed.done
        title = (
            f"{plural(n, 'picture')} {'is' if n == 1 else 'are'} {word}"
            if n
            else f"Nothing was {deed.done}"
        )
        self._title.value = markup(
            '<h2 role="heading" aria-level="2">{title} {stamp}</h2>',
            title=title,
            stamp=stamp(receipt.library),  # type: ignore[arg-type]
        )
        self._note.value = markup(
            '<span class="pg-mut">{when}</span>', when=day_and_time(receipt.finished_at)
        )
        self._facts.value = _facts(receipt, job)
        self._show_pictures(receipt, job)
        backed = deed is DELETE and job is not None and job.backup is not None
        toggle(self.upload, backed and bool(self.deleted))

    @property
    def deleted(self) -> list[str]:
        """The images that the receipt says were deleted."""
        if self._shown is None:
            return []
        rows = self._shown.outcomes
        return [str(one) for one in rows.loc[rows["outcome"] == DELETE.done, "id"]]

    @property
    def backup(self) -> str | None:
        """The folder of their backup."""
        return None if self._job is None else self._job.backup

    def _show_pictures(self, receipt: DeletionReceipt, job: Job | None) -> None:
        images = pd.DataFrame() if job is None else job.images
        outcomes = receipt.outcomes.set_index("id")
        stayed = outcomes[outcomes["outcome"].isin(_STAYED)]
        toggle(self._stays, len(stayed) > 0)
        toggle(self.again, len(stayed) > 0 and job is not None)
        if len(stayed):
            n = len(stayed)
            first = stayed.iloc[:STAYING]
            rest = n - len(first)
            self._stayed.value = markup(
                '<h3 class="pm-h" role="heading" aria-level="3">{n} {stay}</h3>{more}',
                n=f"{n:,}",
                stay="stays" if n == 1 else "stay",
                more=markup(
                    '<span class="pg-mut">the first {m}; all: <code>panel.receipt.outcomes</code></span>',
                    m=STAYING,
                )
                if rest
                else Markup(""),
            )
            rows = images.loc[[one for one in first.index if one in images.index]]
            notes = {
                str(one): str(first["reason"][one] or first["outcome"][one]) for one in rows.index
            }
            self.stayed.show(rows, notes=notes, label="What stays, and why")
        self.map.show(
            images.iloc[:MOST_SHOWN], label="Their pictures", more=max(len(images) - MOST_SHOWN, 0)
        )
        if job is not None:
            self.map.mark(marks_of(job, self.map.ids))

    def _save(self) -> None:
        receipt = self._shown
        if receipt is None:
            return
        path = Path(f"receipt-{receipt.confirmation}.json")
        try:
            receipt.write(path)
        except OSError as error:
            self.say(alert(f"The receipt could not be written to {path.absolute()}: {error}"))
        else:
            self.say(
                markup(
                    '<div role="status">Written: <code>{path}</code></div>', path=path.absolute()
                )
            )

    def say(self, text: Markup) -> None:
        """Say something above the buttons."""
        self.said.value = text

    def _ask_upload(self) -> None:
        n = len(self.deleted)
        self._asked.value = markup(
            "Upload {files} of <code>{folder}</code>? Each gets a new address; the old ones stay broken until your "
            "pages name the new ones. Upload dates and view counts do not come back.",
            files=plural(n, "file"),
            folder=self.backup,
        )
        self.really.description = f"Upload {n:,}"
        toggle(self.asking, True)
        self.rather_not.focus()

    def uploading(self, text: str) -> None:
        """Say how far an upload is."""
        toggle(self.asking, False)
        self.upload.disabled = True
        self.say(markup('<div role="status">{text}</div>', text=text))

    def failed(self, text: str) -> None:
        """Say why nothing was uploaded."""
        self.upload.disabled = False
        self.say(alert(text))

    def uploaded(self, table: pd.DataFrame) -> None:
        """Show old and new addresses, and how pages are pointed to them."""
        self.upload.disabled = False
        moved = table[table["new_url"].notna() & (table["old_url"] != table["new_url"])]
        counts = ", ".join(f"{n:,} {word}" for word, n in table["outcome"].value_counts().items())
        rows = Markup("").join(
            markup("<tr><td>{old}</td><td>→ {new}</td></tr>", old=old, new=new)
            for old, new in zip(
                moved["old_url"][:ADDRESSES], moved["new_url"][:ADDRESSES], strict=True
            )
        )
        rest = max(len(moved) - ADDRESSES, 0)
        where = f"{(self.backup or '').rstrip('/')}/restored.csv"
        failed = table[~table["outcome"].isin(["restored", "already there"])]
        why = Markup("").join(
            markup("<li>{name}: {why}</li>", name=one, why=reason or outcome)
            for one, outcome, reason in zip(
                failed["old_id"][:ADDRESSES], failed["outcome"], failed["reason"], strict=False
            )
        )
        self.say(
            markup(
                '<div role="status"><b>{counts}</b> {rest}</div><table>{rows}</table><ul>{why}</ul>{code}',
                counts=counts,
                rest=f"The first {ADDRESSES}; all: {where}" if rest else "",
                rows=rows,
                why=why,
                code=code(f'pic.repoint({where!r}, "site/")  # shows the change; .write() makes it')
                if len(moved)
                else "",
            )
        )


def _facts(receipt: DeletionReceipt, job: Job | None) -> Markup:
    deed = DEEDS[receipt.deed]
    n = receipt.counts.get(deed.done, 0)
    seen = job is not None and n > 0 and job.counts()["gone"] >= n
    lines = [(f"{n:,} {deed.done}", ", and seen to be gone" if seen else "")]
    gone = receipt.counts.get("already gone", 0)
    lines += [(f"{gone:,} already gone", " before this run")] if gone else []
    if deed is DELETE and job is not None:
        if job.backup is None:
            lines.append(("No backup", ": these pictures cannot come back"))
        else:
            lines.append((f"{n:,} backed up", f" in {job.backup}, each file proved"))
    if job is not None:
        spared = job.n_spared
        was = "was" if spared == 1 else "were"
        what = f"{spared:,} {was} spared" if spared else "Nothing else"
        lines.append((what, ", and nothing else was touched" if spared else " was touched"))
    facts = Markup("").join(
        markup(
            '<div class="pm-tick">{sign}<span><b>{what}</b>{more}</span></div>',
            sign=sign("check"),
            what=what,
            more=more,
        )
        for what, more in lines
    )
    return markup(
        '<div class="pm-halves"><div class="pm-ticks">{facts}</div><div>{freed}</div></div>',
        facts=facts,
        freed=_freed(receipt, job),
    )


def _freed(receipt: DeletionReceipt, job: Job | None) -> Markup:
    if DEEDS[receipt.deed] is not DELETE:
        return markup(
            "<b>No storage is freed.</b> The same addresses open again with {code}",
            code=code("pic.unhide_images(client, panel.receipt)"),
        )
    before, quota = used_of(receipt.library)  # type: ignore[arg-type]
    told = None if job is None or job.usage is None else job.usage.size_bytes
    after = before - receipt.size_bytes if told is None else told
    of = f" of {format_bytes(quota)}" if quota else ""
    count = f"{format_bytes(after)}{of}" + (
        ", as the service counts" if told is not None else ", by this load"
    )
    shares = (
        markup(
            "{before} → <b>{after}</b>",
            before=format_share(before, quota),
            after=format_share(after, quota),
        )
        if quota
        else Markup("")
    )
    return markup(
        '<div><span class="pm-big">{size}</span> <span class="pg-mut">freed</span></div>'
        '<div class="pm-two"><span>{count}</span><span class="pg-mut pm-end">{shares}</span></div>{bar}',
        size=format_bytes(receipt.size_bytes),
        count=count,
        shares=shares,
        bar=bar("Storage in use now", quota or before, ("u", after), ("f", max(before - after, 0))),
    )
