"""The dry run: what a plan would do to the library as it is now. Only reads are sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from picora_analytics.cleanup.apply.lookup import Current, Lookup
from picora_analytics.cleanup.apply.receipt import DeletionReceipt, make_receipt
from picora_analytics.cleanup.plan.deeds import HIDE
from picora_analytics.cleanup.plan.guard import State, Verdict, hideable, verdicts
from picora_analytics.cleanup.plan.model import Plan, clock_refusals, refuse_other_account
from picora_analytics.client.client import Client
from picora_analytics.client.pacing import PER_MINUTE
from picora_analytics.text import about, plural

__all__ = ["decide", "dry_run", "what_it_takes"]


def dry_run(plan: Plan, client: Client, keep: Mapping[str, str] | None = None) -> DeletionReceipt:
    """Give the receipt as it would be now; `keep` are images to keep, and why."""
    refuse_other_account(plan, client)
    current = _lookup(plan, client).look(_looked_at(plan))
    found = decide(plan, current, plan.states, keep)
    going = plan.amount(
        image_id for image_id, verdict in found.items() if verdict.action == "delete"
    )
    refusals = dict.fromkeys(
        [*clock_refusals(client), *plan.refusals, *plan.caps.breaches(going, current.library)]
    )
    why = "the plan is refused: " + "; ".join(map(str, refusals))
    ended = {"delete": ("kept", why) if refusals else (plan.deed.would, "")}
    outcomes = {
        image_id: ended.get(verdict.action, tuple(verdict)) for image_id, verdict in found.items()
    }
    return make_receipt(plan, outcomes, dry_run=True, complete=not refusals)


def what_it_takes(plan: Plan, client: Client) -> str:
    """Say, before a dry run, what is asked for it and how long that takes."""
    requests = _lookup(plan, client).n_requests(len(_looked_at(plan)))
    seconds = requests * 60 / PER_MINUTE["read"]
    return (
        f"Looking at {plural(len(plan.images), 'image')} as they are now: {plural(requests, 'reading request')}, "
        f"{about(seconds)} at Picora's documented pace"
    )


def _lookup(plan: Plan, client: Client) -> Lookup:
    return Lookup(client, plan.library["n_images"], plan.n_others)


def _looked_at(plan: Plan) -> set[str]:
    return {*plan.states, *plan.duplicates.values()}


def decide(
    plan: Plan,
    current: Current,
    ids: Iterable[str],
    keep: Mapping[str, str] | None = None,
    staying: Mapping[str, State] | None = None,
) -> dict[str, Verdict]:
    """Decide about planned images by what is there now; `staying` is what the duplicates that stay should be like."""
    planned = {image_id: plan.states[image_id] for image_id in ids}
    staying = plan.staying_states if staying is None else staying
    found = verdicts(planned, current.states, plan.protected_tags, plan.duplicates, staying)
    if plan.deed is HIDE:
        found = {one: hideable(said, current.states.get(one)) for one, said in found.items()}
    for one, why in (keep or {}).items():
        if one in found and found[one].action == "delete":
            found[one] = Verdict("kept", why)
    return found
