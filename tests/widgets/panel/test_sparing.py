"""The panel protects as a plan does: what it says will be spared is what its plan spares."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import picora_analytics as pic
from picora_analytics.widgets.panel.session import CleanupSession

N = 12
IDS = [f"i{i:010d}" for i in range(N)]


@pytest.fixture(scope="module")
def library(make_images):
    """Give images some of which no plan takes, and contents that two or three of them share."""
    return make_images(
        id=IDS,
        size_bytes=[2**i for i in range(N)],
        tags=[("keep",) if i == 3 else None if i == 4 else ("cat",) for i in range(N)],
        created_at=[None if i == 7 else f"2020-01-{30 - 2 * i:02}" for i in range(N)],
        updated_at=["2026-11-01" if i == 5 else "2020-02-01" for i in range(N)],
        content_hash=[*"aabbb", None, None, *"cca", None, "d"],
    )


PROTECTIONS = {
    "nothing": lambda images: None,
    "a tag": lambda images: "keep",
    "ids": lambda images: images.index[[0, 8]],
    "a mask": lambda images: pic.rules.larger_than(images, 1000),
    "all of them": lambda images: ["keep", images.index[[0]], pic.rules.larger_than(images, 1000)],
}


@pytest.mark.parametrize("protect", PROTECTIONS.values(), ids=PROTECTIONS)
@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    chosen=st.sets(st.sampled_from(IDS)),
    # What is protected, and what is selected here at least, was not deleted.
    gone=st.sets(st.sampled_from(IDS[1:3] + IDS[5:])),
)
@pytest.mark.slow
def test_what_is_said_to_be_spared_is_spared(library, protect, chosen, gone):
    session = CleanupSession(library, protect=protect(library))
    session.selection.remove(gone)
    session.select(chosen - gone | {IDS[0]})

    plan = session.make_plan("a test")

    spared = session.spared
    assert spared.n_images == len(plan.spared)
    assert spared.size_bytes == plan.spared["size_bytes"].sum()
    assert session.selected.n_images == len(plan.spared) + len(plan.images)


@pytest.mark.parametrize(
    ("protect", "message"),
    [
        pytest.param("keeep", "did you mean 'keep'", id="a tag misspelt"),
        pytest.param(pd.Index(["elsewhere"]), "elsewhere", id="an id of another library"),
        pytest.param(
            pd.Series(True, index=["elsewhere"]), "protect", id="a mask of another library"
        ),
    ],
)
def test_a_protection_that_fits_nothing_is_refused_at_once(library, protect, message):
    with pytest.raises(pic.PlanError, match=re.escape(message)):
        CleanupSession(library, protect=protect)


def test_the_protected_stay_protected_after_a_deletion(library):
    session = CleanupSession(library, protect=[library.index[[1, 2]], "keep"])
    session.selection.remove(["i0000000000"])
    session.select(["i0000000001", "i0000000003", "i0000000008"])

    plan = session.make_plan("a test")

    assert list(plan.images.index) == ["i0000000008"]
    assert plan.protected_tags == ("keep",)


def test_decisions_are_heeded(library):
    decisions = pd.DataFrame({"id": ["i0000000008"], "decision": ["keep"], "until": [None]})
    session = CleanupSession(library, decisions=decisions)
    session.select(["i0000000008", "i0000000010"])

    assert session.spared.n_images == 1
    assert list(session.make_plan("a test").images.index) == ["i0000000010"]
    assert session.plan_code("a test") == (
        'plan = pic.plan_deletion(images, mask, reason="a test", decisions=decisions)'
    )


def test_what_was_hidden_and_nobody_looked_for_since_is_refused_by_the_plan_alone(library):
    images = library.assign(is_public=pd.Series(False, library.index, dtype="boolean"))
    images["updated_at"] = images["created_at"]
    decisions = pd.DataFrame(
        {
            "id": [IDS[8]],
            "decision": ["hidden"],
            "until": ["2026-10-01"],
            "decided_at": ["2026-09-01T00:00:00Z"],
        }
    )
    session = CleanupSession(images, decisions=decisions)
    session.select([IDS[8], IDS[10]])

    with pytest.raises(pic.PlanError, match="nobody looked for references to them"):
        session.make_plan("a test")
    session.select(IDS[8], selected=False)
    assert list(session.make_plan("a test").images.index) == [IDS[10]]
