"""What the service counts as used, beside what its list adds up to."""

from __future__ import annotations

import pandas as pd

from picora_analytics.analysis.question import read_pandas
from picora_analytics.client.client import Client, Usage
from picora_analytics.errors import SchemaError
from picora_analytics.library.frame import STR, Facts, sums_dtype, total_bytes
from picora_analytics.pictures.accounts import check_account
from picora_analytics.text import plural
from picora_analytics.times import day_and_time, parse_instant

__all__ = ["reconcile_usage"]

_COLUMNS = {
    "quantity": STR,
    "service": "Int64",
    "listed": "Int64",
    "difference": "Int64",
    "share": "Float64",
    "note": STR,
}


def reconcile_usage(images: pd.DataFrame, client: Client) -> pd.DataFrame:
    """
    Compare what the service counts as used with what its list adds up to.

    The service is asked now, the list is of the load: what came and went between is part of the difference. Nothing
    that is counted, yet not listed, can be found by its id; support can be asked with these two numbers.

    Parameters
    ----------
    images : DataFrame of shape (n_images, ...)
        The whole library, as made by ``load_images``. Reads ``size_bytes``.
    client : Client
        Of the same account.

    Returns
    -------
    DataFrame of shape (2, 6)
        One row for ``images`` and one for ``bytes`` (``quantity``): ``service``, what the service counts; ``listed``;
        ``difference``, service less listed; ``share``, the difference over what is listed; and ``note``, what is known
        of where it may come from. Missing where the service does not say.

    Raises
    ------
    PlanError
        If the client is of another account.
    SchemaError
        If these are not all images of one load, or ``size_bytes`` is missing.
    APIError
        If the service cannot be asked.

    Examples
    --------
    >>> from picora_analytics import Client, DemoServer, load_images
    >>> with DemoServer(n_images=60) as server, Client(server.api_key, server.url) as client:
    ...     images = load_images(client, store=None, progress=False)
    ...     used = reconcile_usage(images, client)
    >>> used[["quantity", "service", "listed", "difference"]]
      quantity   service    listed  difference
    0   images        60        60           0
    1    bytes  70276573  70276573           0
    """
    sizes = read_pandas(images, ["size_bytes"], "reconcile_usage")["size_bytes"]
    facts = check_account(images, client, "reconcile_usage")
    if facts is None or facts["scope"] != "library" or facts["n_images"] != len(images):
        raise SchemaError(
            f"reconcile_usage needs all images of one load, and these are {_what(images, facts)}. "
            "Type images = pic.load_images(client), and pass these as they are."
        )
    usage = client.usage() or Usage()
    unknown = int(sizes.isna().sum())
    rows = []
    for quantity, service, listed in (
        ("images", usage.n_images, len(images)),
        ("bytes", usage.size_bytes, total_bytes(sizes)),
    ):
        apart = None if service is None else service - listed
        share = None if apart is None or not listed else apart / listed
        lacking = unknown if quantity == "bytes" else 0
        rows.append((quantity, service, listed, apart, share, _note(apart, lacking, facts)))
    table = pd.DataFrame(rows, columns=list(_COLUMNS), dtype=object)
    exact = {name: sums_dtype(table[name], "Int64") for name in ("service", "listed", "difference")}
    return table.astype(_COLUMNS | exact)


def _what(images: pd.DataFrame, facts: Facts | None) -> str:
    if facts is None:
        return "of an unknown load"
    if facts["scope"] != "library":
        return f"of {facts['scope']} only"
    return f"{len(images):,} of {facts['n_images']:,}"


def _note(apart: int | None, unknown: int, facts: Facts) -> str:
    """Say what may be behind a difference, of what is known."""
    if apart is None:
        return "the service does not tell this key"
    if not apart:
        return "the same"
    known = [f"{plural(unknown, 'image')} of unknown size not added up"] * bool(unknown)
    if facts["status"] != "complete":
        known.append("the list was not read whole")
    loaded = day_and_time(parse_instant(facts["loaded_at"]))
    since = f"uploads and deletions since the load ({loaded}, the service's clock)"
    return "; ".join([*known, f"or {since}" if known else f"{since}, or not explained"])
