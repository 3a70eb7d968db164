"""Images and client must be of one account."""

from __future__ import annotations

import pandas as pd

from picora_analytics.client.client import Client, check_client
from picora_analytics.errors import PlanError
from picora_analytics.library.frame import Facts, facts_of

__all__ = ["check_account"]


def check_account(images: pd.DataFrame, client: Client, caller: str) -> Facts | None:
    """
    Give what is known of the load.

    Raises
    ------
    PlanError
        If the client reads another account.
    TypeError
        If it is no client.
    """
    check_client(client, caller)
    facts = facts_of(images)
    if facts is not None and client.account() != facts["account"]:
        raise PlanError(
            f"These images are of account {facts['account'][:8]}, and the client reads account "
            f"{client.account()[:8]}; connect to the images' own account."
        )
    return facts
