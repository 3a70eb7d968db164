"""What was hidden first is deleted only after it waited, was looked for again, and can still be fetched."""

import dataclasses
import datetime as dt

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer, PlanError, plan_deletion
from picora_analytics.references.found import table

HIDDEN_AT = "2026-10-01T12:00:00Z"


def looked(images, day, problem=None):
    """Give what a search of a day found: nothing."""
    rows = [("site/", 1, 1, None, problem)]
    return pic.References(
        found=table("found", []),
        found_before=table("found_before", []),
        dangling=table("dangling", []),
        coverage=table("coverage", rows),
        ids=pd.Index(images.index),
        scanned_at=dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC),
        account=None,
        sources=("site/",),
    )


@pytest.fixture
def images(make_images):
    """Six that were hidden: left alone, tagged since, shown again, waiting, and two more; and one that is public."""
    return make_images(
        id=["alone", "tagged", "shown", "waits", "later", "never"],
        is_public=[False, False, True, False, False, True],
        created_at=["2020-01-01"] * 6,
        updated_at=[HIDDEN_AT, "2026-10-09", "2026-10-08", HIDDEN_AT, HIDDEN_AT, "2020-01-01"],
        size_bytes=[100, 200, 300, 400, 500, 600],
    )


@pytest.fixture
def decisions():
    rows = {
        "id": ["alone", "tagged", "shown", "waits", "later"],
        "decision": ["hidden"] * 5,
        "decided_at": [HIDDEN_AT] * 5,
        "until": ["", "", "", "2027-03-01", "2026-11-20"],
    }
    return pd.DataFrame(rows)


@pytest.mark.slow
def test_hidden_images_need_a_search_after_their_waiting_time(images, decisions):
    mask = pic.rules.hidden_for(images, 30, decisions)
    assert list(mask.index[mask]) == ["alone", "later"]
    # The 30 days of one end on 31 October, the other's day is 20 November.
    searches = [
        None,
        looked(images, "2026-10-30"),
        looked(images, "2026-11-19"),
        looked(images, "2026-11-22", "denied"),
        looked(images[1:], "2026-11-22"),
        [looked(images, "2026-11-19"), "alone"],
    ]
    for choice, said in ((mask, None), (mask, decisions), (images["size_bytes"] > 0, decisions)):
        for protect in searches[: 5 if said is None else 6]:
            with pytest.raises(PlanError, match=r"hidden first, such as '.*it must be complete\.$"):
                plan_deletion(images, choice & True, reason="x", protect=protect, decisions=said)
    with pytest.raises(
        PlanError, match=r"takes 1 image hidden first, such as 'later'.* 20 Nov 2026"
    ):
        plan_deletion(images, mask, reason="x", protect=looked(images, "2026-11-19"))
    with pytest.raises(PlanError, match="hidden first"):
        plan_deletion(images, ["alone"], reason="x", decisions=decisions)
    longer = pic.rules.hidden_for(images, 50, decisions)
    with pytest.raises(PlanError, match=r"ended on 20 Nov 2026, 12:00 UTC"):
        plan_deletion(images, longer, reason="x", protect=looked(images, "2026-11-20"))

    plan = plan_deletion(
        images,
        images["size_bytes"] > 0,
        reason="x",
        protect=looked(images, "2026-11-21"),
        decisions=decisions,
    )

    # Our own hiding is no edit, although it lies within the last 90 days; what others did since is.
    assert list(plan.images.index) == ["alone", "later", "never"]
    assert plan.hidden == ("alone", "later")
    assert plan.spared["reason"].to_dict() == {
        "tagged": "hidden before, and edited or shown again since",
        "shown": "hidden before, and edited or shown again since",
        "waits": "hidden, waiting until 2027-03-01",
    }
    assert dataclasses.replace(plan, hidden=("alone",)).confirmation != plan.confirmation
    assert plan.without("alone").hidden == ("later",)
    by_rule = plan_deletion(images, mask, reason="x", protect=looked(images, "2026-11-21"))
    assert by_rule.hidden == ("alone", "later")


def test_a_hidden_image_is_not_suggested_before_it_was_looked_for(images, decisions):
    def suggested(references):
        found = pic.suggest(
            images, pile="old-not-found", references=references, decisions=decisions
        )
        return set(found.index)

    for one in images.index:
        images.at[one, "tags"] = ("x",)
    assert suggested(looked(images, "2026-11-19")) == {"alone", "never"}
    assert suggested(looked(images, "2026-11-21")) == {"alone", "later", "never"}


@pytest.mark.slow
def test_a_saved_plan_remembers_what_was_hidden(images, decisions, tmp_path):
    mask = pic.rules.hidden_for(images, 30, decisions)
    plan = plan_deletion(images, mask, reason="x", protect=looked(images, "2026-11-21"))

    assert pic.read_plan(plan.save(tmp_path / "plan.json")).hidden == plan.hidden


@pytest.fixture
def waited(tmp_path):
    """Hide two images with proved copies, and let 40 days pass."""
    with (
        DemoServer(20, rate_scale=None) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        images = pic.load_images(client, store=None, progress=False)
        ids = list(images.index[images["is_public"]][:2])
        plan = plan_deletion(images, ids, reason="x", max_fraction=1)
        plan.back_up(client, tmp_path / "kept", progress=False)
        phrase = str(plan.hide(client).confirmation)
        path = tmp_path / "decisions.csv"
        plan.hide(client, confirm=phrase, decisions=path, progress=False)
        service.advance(40 * 86400)

        def again():
            for _ in range(2):  # The second load reads the content from the change feed.
                images = pic.load_images(client, store=tmp_path / "store", progress=False)
            mask = pic.rules.hidden_for(images, 30, path)
            protect = looked(images, "2027-01-01")
            return plan_deletion(
                images, mask, reason="x", protect=protect, decisions=path, max_fraction=1
            )

        yield service, client, again


@pytest.mark.parametrize(("grants", "backup"), [(True, False), (False, False), (False, True)])
@pytest.mark.slow
def test_what_can_no_longer_be_fetched_is_deleted_only_with_a_proved_copy(
    waited, typed, tmp_path, grants, backup
):
    service, client, again = waited
    plan = again()
    assert len(plan.hidden) == 2
    if not grants:
        service.fail("POST", "*/sign", times=None, status=403)

    folder = tmp_path / "kept" if backup else None
    receipt = plan.apply(client, confirm=typed(plan), backup=folder, progress=False)

    if grants or backup:
        assert receipt.counts == {"deleted": 2}
    else:
        assert receipt.counts == {"kept": 2}
        assert "neither a backup nor a signed address" in receipt.outcomes["reason"][0]
        assert not service.deleted
