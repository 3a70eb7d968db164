"""`load_images`: the whole library, or an error naming what is missing."""

from __future__ import annotations

import contextlib
import os
import threading
import warnings
from typing import Any, Literal

import pandas as pd
import pyarrow as pa

from picora_analytics.client.answers import Answer
from picora_analytics.client.client import MAX_PAGE_SIZE, Client, check_client, connection_of
from picora_analytics.client.retrying import RetryBudget
from picora_analytics.client.shapes import decode_listing
from picora_analytics.errors import APIError, IncompleteLoadError, SnapshotError
from picora_analytics.files import reason_of
from picora_analytics.library.frame import Facts, frame_from_table, total_bytes, usage_facts
from picora_analytics.library.load.checkpoint import Checkpoint, Origin, SavedPage
from picora_analytics.library.load.fetching import Fetched, Workers, carry_out, replay
from picora_analytics.library.load.planning import BrokenListing, PageRequest, Split
from picora_analytics.library.load.splitting import Pace
from picora_analytics.library.load.state import LoadState
from picora_analytics.library.load.wholeness import Wholeness, remembered_count
from picora_analytics.library.refresh.refreshing import refreshed
from picora_analytics.library.snapshots import SnapshotStore, remember
from picora_analytics.progress import Progress, Silent, begin, progress_for
from picora_analytics.text import plural
from picora_analytics.times import format_instant, now
from picora_analytics.units import format_bytes

__all__ = ["load_images"]

_KEPT = "The {:,} images read so far are in this error's .images, for looking only; {}."
_NEVER_ASKED = -1
_AGAIN, _GOES_ON = "load again for a whole frame", "the next load goes on from there"


def load_images(
    client: Client,
    *,
    tag: str | None = None,
    store: str | os.PathLike[str] | None = "default",
    refresh: Literal["auto", "full", "never"] = "auto",
    progress: Progress | bool | None = None,
) -> pd.DataFrame:
    """
    Load the whole library into one DataFrame, one row per image, newest upload first.

    The frame remembers where it comes from in ``images.attrs["picora"]``. Ages count from the service's own
    time of this load, not from when a question is asked. A load that was cut short, by Ctrl-C or a lost network
    or a killed process, goes on where it stood when it is called again within a day; its pages are kept beside
    the snapshots until then.

    Parameters
    ----------
    client : Client
        Only reads are sent.
    tag : str, optional
        Only images having exactly this tag. Such a frame is not the library: it is not remembered, and no
        deletion can be planned from it.
    store : str, path or None
        Where to remember the library between sessions: ``"default"`` is the platform's user-data folder (a
        temporary one for the demo), None remembers nothing.
    refresh : {"auto", "full", "never"}
        ``"auto"`` reads only what changed since the library was last remembered, where the service has a change
        feed; without one, and with ``"full"``, the library is listed afresh. ``"never"`` gives what was last
        remembered and asks only whose key it is.
    progress : Progress or bool, optional
        False for silence, an object of your own, or None to suit the place.

    Returns
    -------
    DataFrame of shape (n_images, 12)
        Indexed by ``id`` (str). ``filename``, ``title``, ``url``, ``mime_type`` (str), ``size_bytes``, ``width``,
        ``height`` (Int64; bytes, pixels), ``is_public`` (boolean), ``tags`` (tuples of str; ``()`` has no tags, None is
        unknown), ``created_at``, ``updated_at`` (datetime64[us, UTC]), ``content_hash`` (str). What the service did not
        say, or what cannot be read, is missing.

    Raises
    ------
    IncompleteLoadError
        If the library could not be read whole; what was read is in ``.images``, with status ``"partial"``.
    APIError
        If not even the first page could be read.
    SnapshotError
        If ``refresh="never"`` and nothing is remembered, or what an interrupted load left is damaged or of
        another account.

    Examples
    --------
    >>> with pic.DemoServer(n_images=250) as demo, pic.Client(demo.api_key, demo.url) as client:
    ...     images = load_images(client, progress=False)
    >>> len(images), images.attrs["picora"]["status"]
    (250, 'complete')
    """
    if refresh not in ("auto", "full", "never"):
        raise ValueError(f"refresh={refresh!r} is none of 'auto', 'full' and 'never'.")
    if tag is not None and refresh == "never":
        raise ValueError("A load by tag is not remembered, so refresh='never' has nothing to give.")
    check_client(client, "load_images")
    client.iter_pages(tag=tag)  # Raises if the tag is invalid.
    show = progress_for(progress, "Loading")
    with client.reporting(show.wait):
        account = client.account()
    remembered = None if tag is not None or store is None else SnapshotStore.of(client, store)
    if refresh == "never":
        return _remembered(remembered, show)
    if refresh == "auto" and remembered is not None:
        images = refreshed(client, remembered, show)
        if images is not None:
            Checkpoint.discard(remembered.folder)
            return images
        begin(show, "Loading")
    load = _Load(client, account, tag, remembered, show, afresh=refresh == "full")
    try:
        images = load.run()
    finally:
        load.close()
    if remembered is not None:
        remember(remembered, images)
    load.close(finished=True)
    show.finish(_verdict(images.attrs["picora"], load.resumed))
    return images


def _remembered(store: SnapshotStore | None, show: Progress) -> pd.DataFrame:
    """Give what was last remembered."""
    if store is None:
        raise SnapshotError("refresh='never' needs a store, and store=None remembers nothing.")
    images = store.load()
    facts = images.attrs["picora"]
    show.finish(
        f"As remembered: {plural(len(images), 'image')}, {format_bytes(facts['size_bytes'])}; "
        f"read {_minute(facts['loaded_at'])} UTC, not since"
    )
    return images


class _Load:
    """One full load: its state, its checkpoint, and what is said of it."""

    def __init__(
        self,
        client: Client,
        account: str,
        tag: str | None,
        remembered: SnapshotStore | None,
        show: Progress,
        *,
        afresh: bool,
    ) -> None:
        self._client, self._account, self._tag, self._show = client, account, tag, show
        self._store = remembered
        self._state = LoadState(whole=tag is None, expected=self._expected)
        self._workers = Workers(self._fetch)
        self._budget = RetryBudget()
        self._started = now()
        self._checkpoint: Checkpoint | None = None
        self._writable, self._afresh = True, afresh
        self._counted: int | None = _NEVER_ASKED
        self.resumed = 0
        self._wholeness = Wholeness(client, self._state, remembered)
        if remembered is not None:
            self._open(remembered, afresh=afresh)

    def run(self) -> pd.DataFrame:
        """
        Read the library.

        Raises
        ------
        APIError, IncompleteLoadError, KeyboardInterrupt
        """
        client, state, show = self._client, self._state, self._show
        problem: BrokenListing | APIError | KeyboardInterrupt | None = None
        with client.reporting(show.wait):
            try:
                if self._checkpoint is not None:
                    self._replay(self._checkpoint)
                carry_out(state, self._workers, self._pace, record=self, read=self._shown)
                self._check_end()
            except (BrokenListing, APIError, KeyboardInterrupt) as error:
                problem = error
            except SnapshotError:
                show.finish("Loading failed: SnapshotError")
                raise
        if problem is not None and state.n_pages == 0:
            show.finish(f"Loading failed: {type(problem).__name__}")
            raise problem
        if isinstance(problem, BrokenListing) and self._checkpoint is not None:
            self._checkpoint.remove()  # Gone on from, it would break at the same page.
            self._checkpoint = None
        table, tags = state.table()
        checks = state.checks()
        if self._wholeness.n_looked_for:
            checks["looked_for"] = self._wholeness.n_looked_for
        if client.wrong_clock is not None:
            checks["service_time"] = format_instant(client.wrong_clock[0])
        facts = self._facts(table, checks, complete=problem is None)
        images = frame_from_table(table, facts, tags)
        if problem is None:
            return images
        goes_on = self._checkpoint is not None and self._writable and not self._afresh
        advice = _GOES_ON if goes_on else _AGAIN
        read = f"{plural(len(images), 'image')} of {plural(state.n_pages, 'page')}"
        if isinstance(problem, KeyboardInterrupt):
            show.finish(f"Stopped after {read}; {advice}")
            problem.add_note(
                f"The {read} that were read are kept for a day."
                if goes_on
                else "What was read is not kept."
            )
            raise problem
        name = (
            "IncompleteLoadError" if isinstance(problem, BrokenListing) else type(problem).__name__
        )
        show.finish(f"Partial: {read}, then {name}")
        what = str(problem)
        if isinstance(problem, APIError):
            what = f"The library was not read whole: page {state.n_pages + 1} never came. {problem}"
        raise IncompleteLoadError(
            f"{what} {_KEPT.format(len(images), advice)}", images=images
        ) from (problem if isinstance(problem, APIError) else None)

    def close(self, *, finished: bool = False) -> None:
        """Stop, and let go of the checkpoint; it stays for the next load unless this one is finished."""
        self._workers.stop()
        if self._checkpoint is None:
            return
        if finished:
            self._checkpoint.remove()
            self._checkpoint = None
        else:
            self._checkpoint.close()

    def _fetch(self, request: PageRequest, stop: threading.Event) -> Fetched:
        params: dict[str, Any] = {"limit": MAX_PAGE_SIZE}
        if self._tag is not None:
            params["tag"] = self._tag
        if request.end_date is not None:
            params["end_date"] = request.end_date.isoformat()
        if request.cursor is not None:
            params["cursor"] = request.cursor
        return connection_of(self._client).get(
            "/v1/images", _fetched, params, budget=self._budget, stop=stop
        )

    def _pace(self) -> Pace:
        connection = connection_of(self._client)
        return Pace(connection.round_trip, connection.waits.usual, connection.interval)

    def _shown(self) -> None:
        state = self._state
        self._show.update(state.n_images, state.total or self._about())
        if self._tag is None:
            self._wholeness.check_length()

    def _about(self) -> int | None:
        """Tell how many images there are, about, where the listing does not: asked once, and only to be shown."""
        if self._tag is not None or isinstance(self._show, Silent):
            return None
        if self._counted == _NEVER_ASKED:
            more = not self._state.done and self._state.n_images >= MAX_PAGE_SIZE
            self._counted = self._wholeness.counted() if more else None
        return self._counted

    def _check_end(self) -> None:
        state = self._state
        counted = state.missing()
        if counted is not None:
            raise BrokenListing(
                f"The service counts {plural(counted, 'image')}, but its listing held {state.n_images:,} in "
                f"{plural(state.n_pages, 'page')}; images may have been uploaded or deleted meanwhile."
            )
        if self._tag is None:
            self._wholeness.check_end()

    def add(self, entry: SavedPage | Split) -> None:
        """Record a page or a split; a full disk costs the checkpoint, not the load."""
        if self._checkpoint is None or not self._writable:
            return
        try:
            self._checkpoint.add(entry)
        except OSError as error:
            warnings.warn(
                f"The load goes on, but from here on it could not be resumed: {self._checkpoint.path} cannot be "
                f"written ({reason_of(error)}). Choose another folder with store=.",
                stacklevel=6,
            )
            # What it holds serves a later load, unless this one comes to its end.
            self._writable = False

    def _open(self, remembered: SnapshotStore, *, afresh: bool) -> None:
        origin = Origin(
            account=self._account,
            base_url=self._client.base_url,
            demo_session=self._client.demo_session,
            started_at=self._started,
        )
        # Where nothing can be written, the warning comes with the snapshot, which cannot either.
        with contextlib.suppress(OSError):
            self._checkpoint = Checkpoint.open(remembered.folder, origin, afresh=afresh)

    def _replay(self, checkpoint: Checkpoint) -> None:
        """Go on from where an interrupted load stood."""
        replay(checkpoint.entries(), self._state)
        self.resumed = self._state.n_pages
        self._started = checkpoint.origin.started_at
        for note in checkpoint.notes:
            self._show.wait(note)
        if self.resumed:
            self._show.wait(f"resumed after page {self.resumed:,}")

    def _expected(self) -> int:
        """Tell how many images there should be, where the listing seems empty."""
        remembered = remembered_count(self._store)
        if remembered or self._tag is not None:
            return remembered
        return self._wholeness.counted() or 0

    def _facts(self, table: pa.Table, checks: dict[str, Any], *, complete: bool) -> Facts:
        client, state = self._client, self._state
        return {
            "account": self._account,
            "base_url": client.base_url,
            "demo": client.demo,
            "scope": "library" if self._tag is None else f"tag={self._tag}",
            "loaded_at": format_instant(state.first_time or now()),
            "read_at": format_instant(self._started),
            "status": "complete" if complete else "partial",
            "n_images": table.num_rows,
            "size_bytes": total_bytes(table["size_bytes"]),
            "total": state.total,
            "checks": checks,
            **usage_facts(self._wholeness.usage),
        }


def _fetched(answer: Answer) -> Fetched:
    listing = decode_listing(
        answer.body,
        server_time=answer.server_time,
        where=answer.where,
        more=answer.more,
        total=answer.total,
    )
    return Fetched(listing, answer.body)


def _verdict(facts: Facts, resumed: int = 0) -> str:
    n, total, checks = facts["n_images"], facts["total"], facts["checks"]
    text = f"Complete: {plural(n, 'row')} = {plural(n, 'different id')}"
    if total == n:
        text += f" = {total:,} counted by the service"
    text += f", {format_bytes(facts['size_bytes'])}"
    if total is not None and total != n:
        text += f"; the service counts {total:,} by now"
    changed = checks.get("changed_while_reading", {})
    told = [f"{changed[name]:,} {name}" for name in _CHANGES if changed.get(name)]
    if told:
        text += f"; meanwhile {', '.join(told)}"
    if checks.get("looked_for"):
        text += f"; far more were remembered: {checks['looked_for']} of the others were asked for and are gone"
    if checks.get("conflicting"):
        text += f"; {checks['conflicting']:,} came in two versions, the newer was taken"
    if checks.get("contradicting"):
        text += f"; {checks['contradicting']:,} came in two versions of the same time, and what differs is missing"
    unreadable = checks["unreadable"]
    if unreadable:
        text += "; not readable: " + ", ".join(
            f"{count} {name}" for name, count in sorted(unreadable.items())
        )
    if resumed:
        text += f"; resumed after page {resumed:,}"
    # Its clock stands still, and the pages around this line go by this machine's.
    clock = " by the clock of the demo" if facts["demo"] else ""
    return f"{text}; read {_minute(facts['loaded_at'])} UTC{clock}"


_CHANGES = ("uploaded", "edited", "deleted")


def _minute(instant: str) -> str:
    """Cut an instant in UTC to its minute: ``2026-11-23 14:02``."""
    return instant[:16].replace("T", " ")
