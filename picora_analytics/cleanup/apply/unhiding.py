"""Show images again that we hid: no other image is ever made public."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, cast

import pandas as pd

from picora_analytics.cleanup.apply.dry_run import dry_run
from picora_analytics.cleanup.apply.evidence import Hidden, read_evidence
from picora_analytics.cleanup.apply.journal import read_journal
from picora_analytics.cleanup.apply.places import journals
from picora_analytics.cleanup.apply.receipt import DeletionReceipt, make_receipt
from picora_analytics.cleanup.apply.start import carry_out, check_phrase
from picora_analytics.cleanup.plan.columns import among, cells
from picora_analytics.cleanup.plan.deeds import SHOW
from picora_analytics.cleanup.plan.document import plan_from
from picora_analytics.cleanup.plan.guard import Caps
from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.client.client import Client, check_client
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import COLUMNS, Facts, facts_of
from picora_analytics.library.load.loading import load_images
from picora_analytics.progress import Progress
from picora_analytics.text import shorten, visible
from picora_analytics.times import format_instant, now

__all__ = ["unhide_images"]

_PHRASE = re.compile(r"show-[0-9]+-[0-9a-f]{12}")


def unhide_images(
    client: Client,
    receipt: DeletionReceipt | str | os.PathLike[str] | pd.DataFrame,
    confirm: str | None = None,
    *,
    ids: Iterable[str] | None = None,
    progress: Progress | bool | None = None,
) -> DeletionReceipt:
    """
    Show images again that :meth:`DeletionPlan.hide` hid, at the same addresses; without `confirm` this is a dry run.

    Nothing else is ever made public: an image must be named by a receipt, a journal or a decision of the hiding, and
    have been public before. What was edited since, or made public by somebody, is left as it is.

    Parameters
    ----------
    client : Client
        Of the same account, with a key that may change images.
    receipt : DeletionReceipt, path or DataFrame
        The receipt of the hiding (itself, or the JSON that it wrote), its journal, or the decisions it was noted in.
    confirm : str, optional
        The phrase of the dry run's receipt, typed as a literal; it begins with ``show-``. Given again after an
        interruption, it goes on.
    ids : list of str, optional
        Only these; default: all that were hidden.
    progress : Progress or bool, optional
        As for :func:`load_images`.

    Returns
    -------
    DeletionReceipt
        ``would show again`` and the ``confirmation`` to type; then ``shown again``.

    Raises
    ------
    PlanError
        If nothing proves that an image was hidden by us, or it is another account's.
    ConfirmationError
        If the phrase is for other images.
    PicoraError
        Beginning with "Not available here" where the service does not change images.
    """
    check_client(client, "unhide_images")
    hidden = read_evidence(receipt)
    account = client.account()
    if hidden.account not in (None, account):
        raise PlanError(
            f"This hiding was of account {visible(str(hidden.account)[:8])}, and the client reads account "
            f"{account[:8]}; connect to that account."
        )
    hidden = _only(hidden, ids)
    listing = load_images(client, store=None, progress=False)
    plan = None if confirm is None else _interrupted(confirm, hidden, listing, client)
    others = _others(hidden, listing, _shown_since(hidden, listing, client))
    if plan is None:
        plan = _plan(hidden, listing, others)
    others = {one: said for one, said in others.items() if one not in plan.images.index}
    if not len(plan.images):  # There is nothing to ask for.
        return _with(make_receipt(plan, {}, dry_run=confirm is None), others)
    if confirm is None:
        return _with(dry_run(plan, client), others)
    check_phrase(plan, confirm)
    try:
        made = carry_out(plan, client, backup=None, progress=progress)
    except BaseException as error:
        stopped: DeletionReceipt | None = getattr(error, "receipt", None)
        if stopped is not None:
            error.receipt = _with(stopped, others)  # type: ignore[attr-defined]
        raise
    return _with(made, others)


def _only(hidden: Hidden, ids: Iterable[str] | None) -> Hidden:
    """Take some of the images; PlanError by name for one that nothing proves."""
    if ids is None:
        return hidden
    wanted = [ids] if isinstance(ids, str) else list(ids)
    for one in wanted:
        if one not in hidden.at:
            why = hidden.unproved.get(one, "it is not among those that were hidden")
            raise PlanError(
                f"{shorten(one, 60)!r} is not shown: {why}. Only what we hid, and was public before, is shown again; "
                "any other image is for Picora's own page."
            )
    return hidden._replace(at={one: hidden.at[one] for one in wanted}, unproved={})


def _shown_since(hidden: Hidden, listing: pd.DataFrame, client: Client) -> dict[str, dt.datetime]:
    """Tell which images this machine showed again after their hiding, and when: who hid them then, nobody knows."""
    found: dict[str, dt.datetime] = {}
    for path in journals(cast(Any, facts_of(listing)), client).glob("show-*.ndjson"):
        past = read_journal(path)
        for one, (word, _) in (past.outcomes if past is not None else {}).items():
            if past is None or word != SHOW.done or one not in hidden.at:
                continue
            # A decision holds no time of this machine; there an update time that stood still tells nothing.
            told = past.times.get(one) in (None, hidden.at[one])
            if (
                told
                if hidden.done_at is None
                else past.sent.get(one, past.last_at) > hidden.done_at
            ):
                found[one] = past.last_at
    return found


def _others(
    hidden: Hidden, listing: pd.DataFrame, shown: Mapping[str, dt.datetime]
) -> dict[str, tuple[str, str]]:
    """Tell what becomes of images that are not to be shown, and why."""
    found = {one: ("kept", f"not shown: {why}") for one, why in hidden.unproved.items()}
    rows = listing[among(listing.index, hidden.at)]
    facts = zip(cells(rows.index), cells(rows["is_public"]), cells(rows["updated_at"]), strict=True)
    known = {one: (public, edited) for one, public, edited in facts}
    for one, at in hidden.at.items():
        if one not in known:
            found[one] = ("already gone", "")
            continue
        public, edited = known[one]
        if public is not False:
            what = "public already" if public else "unknown: whether it is public"
            found[one] = ("kept", what)
        elif one in shown:
            found[one] = ("kept", _used_up(shown[one]))
        elif why := _edited(at, edited, hidden.exact):
            found[one] = ("kept", why)
    return found


def _used_up(moment: dt.datetime) -> str:
    return (
        f"shown again by us at {format_instant(moment)}, and what proves its hiding is of before that; who made it "
        "private again is not known: look at it, and show it on Picora's own page"
    )


def _edited(at: dt.datetime | None, edited: dt.datetime | None, exact: bool) -> str:
    """Explain why an image is not as the hiding left it, as far as its update time tells."""
    if edited is None or at is None or edited == at or (edited < at and not exact):
        return ""
    if edited < at:
        return f"its decision of {format_instant(at)} is of no hiding: it was last changed at {format_instant(edited)}"
    return (
        f"changed since it was hidden ({format_instant(at)} → {format_instant(edited)}); whoever did that may want it "
        "private: look at it, and show it on Picora's own page"
    )


def _plan(hidden: Hidden, listing: pd.DataFrame, others: Iterable[str]) -> Plan:
    """Plan what is shown: as it is now, which is as the hiding left it."""
    wanted = set(hidden.at) - set(others)
    rows = listing.loc[among(listing.index, wanted), list(COLUMNS)]
    return Plan(
        images=rows.assign(reason=pd.Series("hidden before", rows.index, dtype=object)),
        spared=pd.DataFrame({"filename": [], "size_bytes": [], "reason": []}, rows.index[:0]),
        reason="shown again",
        library=cast(Facts, facts_of(listing)),
        protected_tags=(),
        caps=Caps(None, None, 1.0),
        made_at=now(),
        deed=SHOW,
    )


def _interrupted(
    confirm: object, hidden: Hidden, listing: pd.DataFrame, client: Client
) -> Plan | None:
    """Give the plan of an interrupted run under the same phrase, which may have shown a part of its images."""
    phrase = confirm.strip() if isinstance(confirm, str) else ""
    if not _PHRASE.fullmatch(phrase):
        return None
    path = journals(cast(Any, facts_of(listing)), client) / f"{phrase}.ndjson"
    past = read_journal(path)
    if past is None or past.ended_at is not None:
        return None
    plan = plan_from(past.plan, f"The plan in the journal {path}", None)
    return plan if plan.deed is SHOW and set(plan.images.index) <= set(hidden.at) else None


def _with(receipt: DeletionReceipt, others: dict[str, tuple[str, str]]) -> DeletionReceipt:
    """Add what was left as it is."""
    rows = pd.DataFrame(
        [(one, *said) for one, said in others.items()],
        columns=["id", "outcome", "reason"],
        dtype=object,
    )
    table = pd.concat([receipt.outcomes, rows], ignore_index=True)
    return dataclasses.replace(receipt, outcomes=table)
