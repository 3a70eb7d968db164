"""A search for references as tests make it up."""

import datetime as dt

import pandas as pd
import pytest

from picora_analytics.references.found import References, table

IDS = [*"abcdefghijklmnopqrstuvwxyz", *(f"i{n}" for n in range(30))]


def _looked(found=(), before=None, unlooked=(), complete=True, account="0123456789abcdef"):
    dates = pd.to_datetime(pd.Series(before or {}, dtype=object), utc=True)
    problem = None if complete else "permission denied"
    return References(
        found=table("found", [(one, "a.md", 1, one) for one in found]),
        found_before=table(
            "found_before", [(one, "a.md", "f00", day) for one, day in dates.items()]
        ),
        dangling=table("dangling", []),
        coverage=table("coverage", [("a.md", 1, 1, None, problem)]),
        ids=pd.Index([one for one in IDS if one not in unlooked]),
        scanned_at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
        account=account,
        sources=("a.md",),
    )


@pytest.fixture(scope="session")
def looked():
    """Give what makes a search of what was found, found before and not looked for."""
    return _looked
