"""Which frames may feed a plan, and what is spared from a choice."""

import dataclasses
import datetime as dt
import math
import re

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from picora_analytics import PlanError, plan_deletion, read_plan, rules
from picora_analytics.cleanup.plan.guard import Caps
from picora_analytics.cleanup.plan.sparing import (
    NOT_LOOKED,
    make_caps,
    plannable,
    shielded,
    tightened,
    withheld,
)

AGAIN = "Type images = load_images(client), and plan from that"


def plan(images, choice, **options):
    return plan_deletion(images, choice, **{"reason": "test", "max_fraction": 1, **options})


def _facts(images, **facts):
    images.attrs["picora"] = {**images.attrs["picora"], **facts}
    return images


def _hours_ago(hours):
    return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).isoformat()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda i: None,
            f"plan_deletion takes a pandas DataFrame, and images is a NoneType. {AGAIN}.",
            id="nothing",
        ),
        pytest.param(
            lambda i: i["size_bytes"],
            f"plan_deletion takes a pandas DataFrame, and images is a Series. {AGAIN}.",
            id="a column",
        ),
        pytest.param(
            lambda i: i.merge(pd.DataFrame({"v": [1]}, index=pd.Index(["a"], name="id")), on="id"),
            "plan_deletion must know which library it is, and this frame does not say so (merge and read_csv drop "
            f"that). {AGAIN}; keep the merged frame for choosing ids.",
            id="merged",
        ),
        pytest.param(
            lambda i: i.reset_index(),
            "plan_deletion must know which library it is, and this frame does not say so (merge and read_csv drop "
            f"that). {AGAIN}; keep the merged frame for choosing ids.",
            id="without its index",
        ),
        pytest.param(
            lambda i: i[["size_bytes", "url"]].assign(filename="x"),
            "plan_deletion needs ['title', 'mime_type', 'width', 'height', 'is_public', 'tags', 'created_at', "
            f"'updated_at', 'content_hash'], which this frame lacks. {AGAIN}.",
            id="some columns",
        ),
        pytest.param(
            lambda i: _facts(i, status="partial"),
            "This frame is partial: the library was not read whole, and what is missing in it may only be unread. "
            f"{AGAIN}.",
            id="partial",
        ),
        pytest.param(
            lambda i: _facts(i, scope="tag=cat"),
            f"This frame holds tag=cat only; shares and caps need the whole library. {AGAIN} with mask = "
            "rules.tagged(images, ...).",
            id="of a tag",
        ),
        pytest.param(
            lambda i: pd.concat([i, i]),
            f"This frame has 6 rows of 3 images (explode and concat repeat rows). {AGAIN}.",
            id="repeated",
        ),
        pytest.param(
            lambda i: i.explode("tags"),
            f"This frame has 4 rows of 3 images (explode and concat repeat rows). {AGAIN}.",
            id="exploded",
        ),
        pytest.param(
            lambda i: _facts(i, n_images=2),
            f"This frame has 3 rows of 3 images (explode and concat repeat rows). {AGAIN}.",
            id="more rows than images",
        ),
    ],
)
def test_a_frame_that_cannot_feed_a_plan_is_refused(make_images, spoil, message):
    images = spoil(make_images(tags=[("a", "b"), (), None]))

    with pytest.raises(PlanError, match=f"^{re.escape(message)}$"):
        plan(images, ["a"])


@pytest.mark.parametrize("hours", [25, 24 * 365])
def test_a_frame_of_another_day_is_refused(make_images, hours):
    images = _facts(make_images(), read_at=_hours_ago(hours))

    with pytest.raises(
        PlanError,
        match=rf"^This frame was read {hours} hours ago, at \d{{4}}-\d\d-\d\dT\d\d:\d\d UTC; a plan needs one of the "
        rf"last 24 hours\. {re.escape(AGAIN)}\.$",
    ):
        plan(images, ["a"])


@pytest.mark.parametrize("hours", [-0.2, -25, -24 * 365])
def test_a_frame_from_the_future_is_refused(make_images, hours):
    images = _facts(make_images(), read_at=_hours_ago(hours))

    with pytest.raises(
        PlanError, match=r"lies ahead of this machine's clock; check the clock\. Type"
    ):
        plan(images, ["a"])


def test_a_frame_of_this_morning_is_not(make_images):
    assert len(plan(_facts(make_images(), read_at=_hours_ago(23)), ["a"]).images) == 1


def test_tags_that_were_exploded_row_for_row_cannot_hide_a_protection(make_images):
    # One tag each: as many rows as images, but the tags are text now, and text holds letters, not tags.
    images = make_images(tags=[("keep",), ("keep",), ("x",)])

    with pytest.raises(
        PlanError, match=r"^The column 'tags' .* Pass the frame as load_images made it\.$"
    ):
        plan(images.explode("tags"), ["a", "b"], protect="keep")


def test_a_frame_that_plain_pandas_read_back_gives_the_same_plan(make_images, tmp_path):
    images = make_images(tags=[("keep", "x"), (), None], size_bytes=[1, None, 3])
    images.to_parquet(tmp_path / "a.parquet")
    back = pd.read_parquet(tmp_path / "a.parquet")

    made, again = (plan(frame, images.index, protect="keep") for frame in (images, back))

    assert_frame_equal(again.images, made.images)
    assert_frame_equal(again.spared, made.spared)
    assert again.fingerprint == made.fingerprint
    assert read_plan(again.save(tmp_path / "plan.json")).fingerprint == made.fingerprint


def test_columns_of_ones_own_do_not_disturb_a_plan(make_images):
    images = make_images().assign(views=[1, 2, 3], reason="mine")

    made = plan(images, images["views"] > 1)

    assert list(made.images["reason"]) == ["test", "test"]
    assert "views" not in made.images


def test_some_rows_of_the_library_do_and_shares_are_still_of_the_whole(make_images):
    images = make_images(size_bytes=[100] * 10)

    made = plan(images.head(4), ["a"], max_fraction=0.1)

    assert made.refusals == []


@pytest.mark.parametrize(
    ("edited", "spared"),
    [
        pytest.param("2026-11-20", True, id="last week"),
        pytest.param("2026-08-25T15:00:00Z", True, id="just within 90 days"),
        pytest.param("2026-08-25T13:00:00Z", False, id="just before"),
        pytest.param("2027-01-01", True, id="by a clock ahead"),
        pytest.param("2020-01-01", False, id="when it was uploaded"),
        pytest.param(None, False, id="nobody knows"),
    ],
)
def test_what_was_edited_lately_is_spared_from_a_rule_but_not_when_named(
    make_images, edited, spared
):
    images = make_images(created_at=["2020-01-01"], updated_at=[edited])
    everything = pd.Series(True, images.index)

    by_rule, by_name, by_both = (
        plan(images, choice) for choice in (everything, ["a"], {"old": everything, "mine": ["a"]})
    )

    assert by_rule.spared["reason"].to_list() == ["edited in the last 90 days"] * spared
    assert list(by_name.images.index) == list(by_both.images.index) == ["a"]


def test_a_reason_is_kept_without_the_blanks_around_it(make_images):
    made = plan(make_images(), ["a"], reason=" too old \n")

    assert made.reason == made.images["reason"].iloc[0] == "too old"


COPIES = {
    "content_hash": ["x", "x", "y", "y", None],
    "created_at": ["2020-01-01", "2021-01-01", "2022-01-01", "2020-01-01", "2020-01-01"],
    "tags": [(), (), (), ("t",), ()],
}
LAST = "the last copy: the plan takes the others of the same content"


@pytest.mark.parametrize(
    ("choose", "planned", "spared"),
    [
        pytest.param(lambda i: rules.duplicated(i), "bc", {"e"}, id="copies only"),
        pytest.param(
            lambda i: pd.Series(True, i.index), "bce", {"a", "d"}, id="a rule that takes them all"
        ),
        pytest.param(
            lambda i: {"copies": rules.duplicated(i).fillna(False), "untagged": rules.untagged(i)},
            "bce",
            {"a"},
            id="copies, and a rule that takes the first",
        ),
        pytest.param(lambda i: ["a", "b"], "ab", set(), id="all, by name"),
        pytest.param(
            lambda i: {"mine": ["a"], "copies": rules.duplicated(i).fillna(False)},
            "ac",
            {"b"},
            id="the first by name, the others by a rule",
        ),
    ],
)
def test_no_rule_takes_the_last_copy(make_images, choose, planned, spared):
    images = make_images(**COPIES)

    made = plan(images, choose(images))

    assert "".join(made.images.index) == planned
    assert set(made.spared.index) == spared
    for one in spared - {"e"}:
        assert made.spared.loc[one, "reason"] == LAST


def test_of_what_only_its_copies_condemn_one_is_spared_rather_than_the_original(make_images):
    images = make_images(
        content_hash=["x", "x", None], created_at=["2020-01-01", "2021-01-01", "2020-01-01"]
    )
    copies = rules.duplicated(images).fillna(False)

    made = plan(images, {"copies": copies, "first": pd.Series([True, False, False], images.index)})

    assert list(made.images.index) == ["a"]
    assert list(made.spared.index) == ["b"]
    assert made.duplicates == {"a": "b"}


@pytest.mark.parametrize("word", ["plan", "pile"])
def test_a_frame_is_whole_for_a_plan_up_to_a_day(make_images, word):
    images = _facts(make_images(), read_at=_hours_ago(23.99))

    assert len(plan(images, ["a"], reason=word).images) == 1


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_a_share_is_from_none_to_all(share):
    assert make_caps(None, None, share) == Caps(None, None, float(share))


@pytest.mark.parametrize("share", [-0.01, 1.01, 2, True, "1", None, math.nan])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ValueError, match=r"is not a share between 0 and 1\.$"):
        make_caps(None, None, share)


def test_several_reasons_for_an_image_are_all_in_the_plan(make_images):
    images = make_images()
    first, second = (pd.Series(rows, images.index) for rows in ([True, True, False], [True] * 3))

    made = plan(images, {"dark": first, "old": second})

    assert made.images["reason"].to_dict() == {"a": "dark; old", "b": "dark; old", "c": "old"}


def test_a_private_duplicate_goes_rather_than_the_public_one(make_images):
    images = make_images(
        is_public=[False, True, None, True],
        content_hash=["x", "x", "y", "y"],
        created_at=["2020-01-01", "2021-01-01", "2020-01-01", "2021-01-01"],
    )
    everything = pd.Series(True, images.index)

    assert plan(images, everything).duplicates == {"a": "b", "c": "d"}
    assert plan(images, everything, inherit=False).duplicates == {"b": "a", "d": "c"}


def test_a_content_that_is_there_once_is_no_duplicate(make_images):
    images = make_images(content_hash=["x", "y", "y"], created_at=["2020-01-01"] * 3)

    once = plan(images, pd.Series([True, False, False], images.index))
    both = plan(images, pd.Series([True, True, False], images.index))

    assert (once.duplicates, list(once.images.index)) == ({}, ["a"])
    assert (both.duplicates, list(both.images.index)) == ({"b": "c"}, ["a", "b"])


# What no plan would take, and a plan under more protection.


@pytest.fixture
def several(make_images):
    """Seven images: edited lately, tagged, decided to be kept, named, used, not looked for, and one that may go."""
    return make_images(
        id=["edited", "tagged", "decided", "named", "used", "unlooked", "free"],
        filename=[None, None, None, "roof.png", None, None, None],
        tags=[(), ("keep",), (), (), (), (), ()],
        created_at=["2020-01-01"] * 7,
        updated_at=["2026-11-01", *["2020-01-01"] * 6],
    )


DECISIONS = pd.DataFrame({"id": ["decided"], "decision": ["keep"]})
WHY = {
    "edited": "edited in the last 90 days",
    "tagged": "protected by the tag 'keep'",
    "decided": "on your keep list",
    "named": "protected",
    "used": "still used: found by the references",
    "unlooked": NOT_LOOKED,
}


@pytest.fixture
def search(looked):
    """Look for all but one image."""
    searched = looked(found=("used",))
    ids = pd.Index(["edited", "tagged", "decided", "named", "used", "free"])
    return dataclasses.replace(searched, ids=ids)


def test_what_no_rule_can_take_is_told_with_its_reason(several, search):
    facts = plannable(several, "test")

    spared = withheld(several, facts, ["keep", "roof.png", search], DECISIONS)

    reasons = {one: spared.why(row) for row, one in enumerate(several.index)}
    assert reasons == WHY | {"free": ""}
    assert spared.rows.tolist() == [True] * 6 + [False]
    assert spared.having(NOT_LOOKED).tolist() == [False] * 5 + [True, False]
    assert shielded(several, facts, ["keep", search], DECISIONS).tolist() == [
        *[True] * 3, False, True, True, False,
    ]  # fmt: skip


def test_a_hidden_image_that_nobody_looked_for_is_shielded(several, looked):
    several["is_public"] = False
    several["updated_at"] = several["created_at"]
    hidden = pd.DataFrame(
        {
            "id": ["free"],
            "decision": ["hidden"],
            "decided_at": ["2026-01-01"],
            "until": ["2026-02-01"],
        }
    )
    facts = plannable(several, "test")
    search = dataclasses.replace(looked(), ids=several.index)

    assert several.index[shielded(several, facts, None, hidden)].tolist() == ["free"]
    assert not shielded(several, facts, None, hidden, search).any()
    assert not shielded(several, facts, search, hidden).any()


def test_what_is_left_of_a_plan_minds_more_protection(several, search):
    made = plan(several, list(several.index))
    caps = make_caps(5, "1 MiB", 0.5)

    less = tightened(
        made, protect=["keep", "roof.png", "zz"], references=search, decisions=DECISIONS, caps=caps
    )

    assert list(less.images.index) == ["edited", "free"]
    assert less.spared["reason"].to_dict() == {
        one: why for one, why in WHY.items() if one != "edited"
    }
    assert less.protected_tags == ("keep", "roof.png", "zz")
    assert less.caps == caps
    assert less.protection == (
        "references: 1 image found in use, and 1 for which not all could be looked at",
        "decisions: 1 more image kept",
        "'keep': 1 more image",
        "'roof.png': 1 more image",
        "'zz': 0 more images",
    )
    assert list(less.searched) == search.summary()
    assert less.confirmation != made.confirmation
    again = tightened(less, protect=["keep"], references=None, decisions=None, caps=caps)
    assert list(again.images.index) == list(less.images.index)
    assert len(again.spared) == len(less.spared)
    assert again.protection == (*less.protection, "'keep': 0 more images")
    assert again.protected_tags == less.protected_tags


def test_an_image_hidden_before_is_left_in_a_plan_only_if_somebody_looked(several, looked):
    several["is_public"] = False
    several["updated_at"] = several["created_at"]
    made = plan(several, ["free", "used"])
    hidden = pd.DataFrame(
        {
            "id": ["free"],
            "decision": ["hidden"],
            "decided_at": ["2026-01-01"],
            "until": ["2026-02-01"],
        }
    )
    options = {"protect": [], "decisions": hidden, "caps": made.caps}

    with pytest.raises(PlanError, match=r"takes 1 image hidden first, such as 'free'"):
        tightened(made, references=None, **options)
    with pytest.raises(PlanError, match=r"takes 1 image hidden first, such as 'free'"):
        tightened(made, references=dataclasses.replace(looked(), ids=several.index[:2]), **options)
    search = dataclasses.replace(looked(), ids=several.index)
    assert set(tightened(made, references=search, **options).images.index) == {"free", "used"}
    known = dataclasses.replace(made, hidden=("free",))
    assert len(tightened(known, references=None, **options).images) == 2
