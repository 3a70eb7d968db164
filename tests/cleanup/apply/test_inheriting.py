"""A duplicate that goes hands its tags and title on first; where that fails, both are kept."""

import dataclasses

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import picora_analytics as pic
from picora_analytics import DemoServer, plan_deletion
from picora_analytics.cleanup.apply.journal import Journal, read_journal
from picora_analytics.cleanup.deletion import plan_withholding
from picora_analytics.cleanup.plan.document import to_document
from picora_analytics.cleanup.plan.guard import Caps

TAGS = ("roof", "house", "夏日", "a, b")


@pytest.fixture(scope="module")
def service():
    with DemoServer(12, rate_scale=None) as made:
        yield made


@pytest.fixture(scope="module")
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


@pytest.fixture
def pairs(service, client):
    """Make three pairs of equal public images; each older one stays and lacks what the newer one has."""

    def make(**fields):
        service.clear_faults()
        ids = [one.id for one in service.add(6, is_public=True, tags=("x",), size_bytes=5000)]
        old, new = ids[:3], ids[3:]
        for one in old:
            service.edit(one, tags=["old"], extension="png", pixels=(9, 9), created_at=1)
        for one in new:
            service.edit(one, **{"tags": ["old", "new"], "title": "A title"} | fields)
            service.edit(one, extension="png", pixels=(9, 9))
        images = pic.load_images(client, store=None, progress=False)
        for number, pair in enumerate(zip(old, new, strict=True)):
            images.loc[list(pair), "content_hash"] = f"{number}" * 64
        return images, old, new

    return make


def planned(images, new, **options):
    return plan_deletion(images, list(new), reason="copies", max_fraction=1, **options)


def apply(client, plan, typed, tmp_path, **options):
    options = {"backup": None, "journal": tmp_path / "j.ndjson", "progress": False} | options
    return plan.apply(client, confirm=typed(plan), **options)


@pytest.mark.slow
def test_tags_and_title_are_handed_on_and_then_the_duplicate_goes(
    service, client, pairs, typed, tmp_path
):
    images, old, new = pairs()
    plan = planned(images, new)

    assert plan.inherits.to_dict("list") == {
        "id": old,
        "tags_added": [("new",)] * 3,
        "title": ["A title"] * 3,
    }
    for shown in (repr(plan), plan._repr_html_()):
        assert f"{old[0]}  gets the tags new and the title A title" in shown
    assert dataclasses.replace(plan, handed={}).confirmation != plan.confirmation
    assert dataclasses.replace(plan, handed={}).duplicates == plan.duplicates
    read = pic.read_plan(plan.save(tmp_path / "plan.json"))
    assert read.confirmation == plan.confirmation
    pd.testing.assert_frame_equal(read.inherits, plan.inherits)
    assert list(plan.without(new[0]).inherits["id"]) == old[1:]
    assert len(plan.dry_run(client).inherited) == 3
    n = len(service.requests)

    receipt = apply(client, plan, typed, tmp_path)

    assert receipt.counts == {"deleted": 3}
    for one in old:
        assert service.images[one].tags == ("old", "new")
        assert service.images[one].title == "A title"
    sent = [seen.method for seen in service.requests[n:] if seen.method != "GET"]
    assert sent == ["PATCH"] * 3 + ["DELETE"]
    assert list(receipt.inherited["id"]) == old
    assert receipt.mapping == {
        images["url"][goes]: images["url"][stays] for goes, stays in zip(new, old, strict=True)
    }
    assert 'pic.repoint(receipt.mapping, "site/")' in repr(receipt)
    page = tmp_path / "site" / "page.md"
    page.parent.mkdir()
    page.write_text(f"![]({images['url'][new[0]]})")
    pic.repoint(receipt.mapping, page.parent).write()
    assert page.read_text() == f"![]({images['url'][old[0]]})"


@pytest.mark.slow
def test_inheriting_is_left_out_where_it_is_not_wanted(client, service, pairs, typed, tmp_path):
    images, old, new = pairs()
    plan = planned(images, new, inherit=False)

    assert plan.inherits.empty
    assert list(plan.inherits.columns) == ["id", "tags_added", "title"]
    assert apply(client, plan, typed, tmp_path).counts == {"deleted": 3}
    assert service.images[old[0]].tags == ("old",)


def test_a_tag_by_which_images_are_deleted_is_not_handed_on(pairs):
    images, _, new = pairs()
    mask = pic.rules.tagged(images, "new")

    plan = plan_withholding(
        images, mask, ("new",), reason="x", protect=None, decisions=None, caps=Caps(None, None, 1)
    )

    assert set(plan.inherits["tags_added"]) <= {()}
    assert set(new) & set(plan.images.index) | set(plan.spared.index) >= set(new)


@pytest.mark.parametrize(
    ("goes", "stays", "spared"),
    [(True, False, True), (True, None, True), (False, True, False), (False, False, False)],
)
def test_a_public_image_is_not_deleted_for_a_private_duplicate(make_images, goes, stays, spared):
    images = make_images(
        content_hash=["f", "f", "e"], is_public=[goes, stays, True], tags=[("t",), (), ()]
    )

    plan = planned(images, ["a"])

    assert ("a" in plan.spared.index) is spared
    if spared:
        assert (
            plan.spared["reason"]["a"] == "public, and its duplicate that would stay, 'b', is not"
        )
    # Of two that a rule takes, the public one stays, although it is the newer one.
    both = make_images(
        content_hash=["f", "f"],
        is_public=[False, True],
        created_at=["2020-01-01", "2021-01-01"],
        tags=[("t",), ()],
    )
    made = plan_deletion(both, both["size_bytes"] > 0, reason="x", max_fraction=1)
    assert list(made.images.index) == ["a"]
    assert made.inherits["tags_added"].tolist() == [("t",)]


def test_unknown_tags_are_not_replaced(make_images):
    images = make_images(content_hash=["f", "f", "e"], tags=[("t",), None, ()])

    plan = planned(images, ["a"])

    assert plan.spared["reason"]["a"] == "its duplicate that would stay, 'b', has unknown tags"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"method": "PATCH", "status": 405}, "Not available here"),
        ({"method": "PATCH", "status": 404}, "Not available here"),
        ({"method": "PATCH", "status": 422}, "422"),
        ({"method": "PATCH", "drop": True}, "lost"),
        ({"method": "GET", "path_pattern": "/v1/images/*", "status": 404}, "it is not there"),
        ({"method": "PATCH", "body": lambda answer: answer}, ""),
    ],
)
@pytest.mark.slow
def test_where_it_fails_nothing_of_the_pair_is_deleted(
    service, client, pairs, typed, tmp_path, fault, said
):
    images, old, new = pairs()
    plan = planned(images, new)
    service.fail(times=None, **fault)

    receipt = apply(client, plan, typed, tmp_path)

    if said:
        assert receipt.counts == {"kept": 3}
        assert said in receipt.outcomes["reason"][0]
        assert receipt.mapping == {}
        assert {*old, *new} <= set(service.images)
    else:
        assert receipt.counts == {"deleted": 3}
    service.clear_faults()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("status", "error"), [(401, pic.AuthenticationError), (403, pic.PermissionDeniedError)]
)
def test_a_key_that_may_not_edit_stops_the_run_at_the_first(
    service, client, pairs, typed, tmp_path, status, error
):
    images, old, new = pairs()
    plan = planned(images, new)
    phrase, n_before = typed(plan), len(service.requests)
    service.fail("PATCH", times=None, status=status)

    with pytest.raises(error):
        plan.apply(client, confirm=phrase, backup=None, journal=tmp_path / "j", progress=False)

    assert [seen.method for seen in service.requests[n_before:]].count("PATCH") == 1
    assert {*old, *new} <= set(service.images)
    service.clear_faults()


@pytest.mark.slow
def test_our_own_edit_is_no_drift_not_even_after_a_death(service, client, pairs, typed, tmp_path):
    images, old, new = pairs(tags=["old"])  # Only a title is handed on, which no look compares.
    plan = planned(images, new)
    log = Journal.begin(tmp_path / "j.ndjson", to_document(plan), None)
    log.inherit(old[0])
    moment = pd.Timestamp(service.edit(old[0], title="A title").updated_at, unit="ms", tz="UTC")
    log.inherit(old[0], moment.to_pydatetime())
    log.inherit(old[1])
    service.edit(old[1], title="A title")  # The run died before it heard of it.
    log.intend([new[2]])
    service.edit(old[2], artwork=7)  # Nothing of ours.

    receipt = pic.resume_deletion(client, tmp_path / "j.ndjson", progress=False)

    outcomes = receipt.outcomes.set_index("id")["outcome"].to_dict()
    # Of the last one, the request of a moment ago may still be carried out.
    assert outcomes == {new[0]: "deleted", new[1]: "deleted", new[2]: "unknown"}
    assert new[2] in service.images
    assert set(read_journal(tmp_path / "j.ndjson").heirs) == {old[0], old[1]}


@pytest.mark.slow
def test_a_duplicate_that_was_made_private_meanwhile_does_not_stay_for_a_public_one(
    service, client, pairs, typed, tmp_path
):
    images, old, new = pairs(tags=["old"], title=None)
    plan = planned(images, new)
    service.edit(old[0], is_public=False)

    receipt = apply(client, plan, typed, tmp_path)

    assert receipt.counts == {"deleted": 2, "kept": 1}
    assert new[0] in service.images


edits = st.lists(
    st.tuples(
        # A moment before our own writing cannot be seen by anybody; every other one is tried.
        st.sampled_from([("GET", 0), ("GET", 1), ("GET", 2), ("DELETE", 0)]),
        st.sampled_from(["old", "new"]),
        st.lists(st.sampled_from(TAGS), max_size=3, unique=True),
        st.booleans(),
    ),
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_tag_is_lost_and_nothing_is_published_whoever_edits_meanwhile(service, client, data):
    """Others replace tags and visibility around our requests; the judge is what they asked for last."""
    service.clear_faults()
    sample = st.lists(st.sampled_from(TAGS), max_size=3, unique=True)
    first, second = [one.id for one in service.add(2, size_bytes=5000)]
    for one in (first, second):
        public = data.draw(st.booleans())
        service.edit(
            one,
            tags=data.draw(sample),
            is_public=public,
            extension="png",
            pixels=(9, 9),
            title=None,
        )
    images = pic.load_images(client, store=None, progress=False)
    images.loc[[first, second], "content_hash"] = "f" * 64
    plan = planned(images, [second])
    if not len(plan.images):
        assert service.images[second].is_public and not service.images[first].is_public
        return
    wanted = {first: set(service.images[first].tags), second: set(service.images[second].tags)}
    public = {one: service.images[one].is_public for one in (first, second)}

    def meddle(which, tags, shown):
        one = {"old": first, "new": second}[which]
        if one in service.images:
            # They add to what they see, as a person does, and may hide what is public.
            wanted[one] = {*service.images[one].tags, *tags}
            public[one] = public[one] and shown
            service.edit(one, tags=list(wanted[one]), is_public=public[one])

    for (method, skip), *edit in data.draw(edits):
        path = f"*/{first}" if method != "DELETE" else "*"
        service.fail(method, path, skip=skip, meanwhile=lambda edit=edit: meddle(*edit))

    phrase = str(plan.dry_run(client).confirmation)
    receipt = plan.apply(client, confirm=phrase, backup=None, progress=False)

    assert not {"failed", "unknown"} & set(receipt.counts)
    left = service.images
    assert set(left[first].tags) >= wanted[first]
    for one in {first, second} & set(left):
        assert left[one].is_public is public[one]
    if second not in left:
        assert {gone.id for gone in service.deleted if gone.by == "api"} >= {second}
        assert set(left[first].tags) >= set(plan.images["tags"][second])
    service.clear_faults()


@pytest.mark.slow
@pytest.mark.parametrize(
    "meddled",
    [
        pytest.param(("new", {"tags": ["old", "new", "keep"]}), id="what goes gets protected"),
        pytest.param(("new", {"size_bytes": 7}), id="what goes is replaced"),
        pytest.param(("old", {"is_public": False}), id="what stays is hidden"),
        pytest.param(("old", {"size_bytes": 7}), id="what stays is replaced"),
    ],
)
def test_what_is_edited_while_tags_are_handed_on_is_looked_at_before_anything_goes(
    service, client, pairs, typed, tmp_path, meddled
):
    images, old, new = pairs()
    plan = planned(images, new)
    which, changes = meddled
    one = {"old": old, "new": new}[which][0]
    # The last image that inherits is read: the first pair has had its turn, and nothing is deleted yet.
    service.fail("GET", f"*/{old[2]}", meanwhile=lambda: service.edit(one, **changes))

    receipt = apply(client, plan, typed, tmp_path)

    assert receipt.counts == {"deleted": 2, "kept": 1}
    assert {*old, new[0]} <= set(service.images)


@pytest.mark.slow
def test_a_service_that_keeps_a_few_tags_only_costs_an_image_none_of_its_own(
    service, client, pairs, typed, tmp_path
):
    images, old, new = pairs(tags=["a", "b", "c"])
    own = ("old", "older", "oldest")
    service.edit(old[0], tags=own)
    plan = planned(images, new)

    def keep_three():
        service.edit(old[0], tags=service.images[old[0]].tags[-3:])

    service.fail("GET", f"*/{old[0]}", times=None, meanwhile=keep_three)

    receipt = apply(client, plan, typed, tmp_path)

    row = receipt.outcomes.set_index("id").loc[new[0]]
    assert row["outcome"] == "kept" and row["reason"].endswith("; it has that back")
    assert "lost 3 tags (old, older, oldest) of its own" in row["reason"]
    assert service.images[old[0]].tags == own
    assert receipt.counts == {"deleted": 2, "kept": 1}


@pytest.mark.slow
def test_a_request_is_not_repeated_for_a_public_image_whose_duplicate_was_hidden_meanwhile(
    service, client, pairs, typed, tmp_path
):
    images, old, new = pairs(tags=["old"], title=None)
    plan = planned(images, new)
    service.fail(
        "DELETE", status=503, meanwhile=lambda: service.edit(old[0], is_public=False)
    )  # Nothing was done.

    receipt = apply(client, plan, typed, tmp_path)

    assert new[0] in service.images
    assert receipt.counts == {
        "deleted": 2,
        "unknown": 1,
    }  # The first request may be carried out yet.


@pytest.mark.parametrize(
    "narrowed", [lambda tagged, rest: tagged, lambda tagged, rest: rest & tagged]
)
def test_what_chose_an_image_is_not_handed_on_so_that_the_next_run_spares_the_other(
    make_images, narrowed
):
    images = make_images(
        tags=[("old",), ("old", "new", "other"), ("old",), ("old", "new")],
        size_bytes=[9, 9, 8, 8],
        width=[3] * 4,
        height=[3] * 4,
        content_hash=["f" * 64, "f" * 64, "e" * 64, "e" * 64],
    )
    mask = narrowed(pic.rules.tagged(images, "new"), pic.rules.larger_than(images, "1 B"))

    plan = plan_deletion(images, {"a reason": mask}, reason="x", max_fraction=1)

    assert list(plan.images.index) == ["b", "d"]
    assert plan.inherits.set_index("id")["tags_added"].to_dict() == {"a": ("other",)}
    by_eye = pd.Series(mask.to_numpy(bool), mask.index)
    handed = plan_deletion(images, by_eye, reason="x", max_fraction=1).inherits["tags_added"]
    assert handed.tolist() == [("new", "other"), ("new",)]
