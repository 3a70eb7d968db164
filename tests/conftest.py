"""A search for references as tests make it up: four words, and when something was last found."""

import datetime as dt
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest


@dataclass(frozen=True, eq=False)
class Looked:
    """What stands in for References."""

    found: tuple = ()
    before: dict = field(default_factory=dict)
    unlooked: tuple = ()
    complete: bool = True
    account: str | None = "0123456789abcdef"
    scanned_at: dt.datetime = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)

    @property
    def found_before(self):
        dates = pd.to_datetime(list(self.before.values()), utc=True)
        return pd.DataFrame(
            {"id": list(self.before), "source": "a.md", "commit": "f00", "date": dates}
        )

    def status(self, images):
        index = images.index if isinstance(images, pd.DataFrame) else images
        words = np.full(len(index), "not found", dtype=object)
        words[index.isin(self.before)] = "found before"
        words[index.isin(self.unlooked) | (not self.complete)] = "could not look"
        words[index.isin(self.found)] = "found"
        return pd.Series(words, index=index)


@pytest.fixture(scope="session")
def looked():
    """Give the maker of searches."""
    return Looked
