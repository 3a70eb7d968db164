"""The dry run: what a plan would do to the library as it is now. Only reads are sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from picora_analytics.cleanup.apply.lookup import Lookout, Sight
from picora_analytics.cleanup.apply.receipt import DeletionReceipt, make_receipt
from picora_analytics.cleanup.plan.guard import Verdict, verdicts
from picora_analytics.client.client import Client
from picora_analytics.errors import PlanError
from picora_analytics.text import visible

if TYPE_CHECKING:
    from picora_analytics.cleanup.deletion import DeletionPlan

__all__ = ["refuse_other_account", "rehearse", "today"]


def rehearse(plan: DeletionPlan, client: Client) -> DeletionReceipt:
    """Give the receipt as it would be now."""
    refuse_other_account(plan, client)
    lookout = Lookout(client, plan.library["n_images"], plan.n_others)
    sight = lookout.look({*plan.states, *plan.copies.values()})
    found = today(plan, sight)
    going = plan.amount(one for one, verdict in found.items() if verdict.word == "delete")
    refusals = dict.fromkeys([*plan.refusals, *plan.caps.breaches(going, sight.library)])
    why = "the plan is refused: " + "; ".join(refusals)
    words = {"delete": ("kept", why) if refusals else ("would delete", "")}
    outcomes = {one: words.get(verdict.word, tuple(verdict)) for one, verdict in found.items()}
    return make_receipt(plan, outcomes, dry_run=True, complete=not refusals)


def today(plan: DeletionPlan, sight: Sight) -> dict[str, Verdict]:
    """Decide about each planned image by what is there now."""
    return verdicts(plan.states, sight.states, plan.protected_tags, plan.copies)


def refuse_other_account(plan: DeletionPlan, client: Client) -> None:
    """
    Check that a client belongs to the plan's library.

    Raises
    ------
    PlanError
        If it does not.
    """
    library, account = plan.library, client.account()
    same_host = library["base_url"] == client.base_url or (library["demo"] and client.demo)
    if account != library["account"] or not same_host:
        raise PlanError(
            f"This plan is for account {library['account'][:8]} on {visible(library['base_url'])}; the client "
            f"reads account {account[:8]} on {client.base_url}. Connect to the plan's account, or plan anew."
        )
