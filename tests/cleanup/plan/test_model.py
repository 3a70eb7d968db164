"""A plan as a value: what its phrase stands for, what speaks against it, and smaller plans of it."""

import dataclasses
import datetime as dt
import hashlib
import json

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import PlanError, plan_deletion
from picora_analytics.cleanup.plan.deeds import HIDE, SHOW
from picora_analytics.cleanup.plan.guard import Amount, Caps, State
from picora_analytics.cleanup.plan.handing import Handed
from picora_analytics.cleanup.plan.model import (
    Plan,
    clock_refusals,
    refuse_other_account,
    spared_rows,
    staying_rows,
)

MADE_AT = dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)


@pytest.fixture
def images(make_images):
    return make_images(
        id=["b", "a", "c"],
        filename=["roof.png", None, "dawn.png"],
        size_bytes=[700, None, 50],
        tags=[("x", "b"), (), None],
        created_at=["2026-01-05", "2026-02-07", None],
    )


@pytest.fixture
def made(images):
    return plan_deletion(images, ["b", "a"], reason="test", max_fraction=1)


def digest(value):
    """Digest compact JSON, by Python's own writer."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_a_phrase_is_the_digest_of_what_it_stands_for(images, made):
    plan = dataclasses.replace(
        made,
        made_at=MADE_AT,
        caps=Caps(5, None, 0.5),
        protected_tags=("keep", "dawn"),
        protection=("the tag 'keep': 1 image",),
        duplicates={"b": "z", "a": "z"},
        hidden=("a",),
        handed={"b": Handed(("x",), "Roof")},
    )
    facts = images.attrs["picora"]
    cells = images.loc[["a", "b"]]
    written = [
        [one, *(_plain(name, cells.loc[one, name]) for name in State._fields if name != "title")]
        for one in ("a", "b")
    ]
    head = [
        [facts["account"], facts["base_url"]],
        ["delete", "2026-12-07"],
        [5, None, 0.5],
        [["dawn", "keep"], ["the tag 'keep': 1 image"]],
        [["a", "z"], ["b", "z"]],
        ["hidden", "a"],
        ["handed", ["b", [["x"], "Roof"]]],
    ]

    assert plan.fingerprint == digest([*head, *written])
    assert plan.confirmation == f"2-{plan.fingerprint[:12]}"
    bare = dataclasses.replace(plan, hidden=(), handed={})
    assert bare.fingerprint == digest([*head[:5], *written])


def _plain(name, value):
    if name == "tags":
        return None if value is None else sorted(value)
    if pd.isna(value):
        return None
    return (
        value.isoformat()
        if isinstance(value, pd.Timestamp)
        else getattr(value, "item", lambda: value)()
    )


def test_a_phrase_of_the_demo_is_good_on_any_day_port_and_host(make_images):
    def phrase(port, demo, day=MADE_AT):
        frame = make_images(url=[f"http://127.0.0.1:{port}/{one}.png" for one in "abc"])
        frame.attrs["picora"] |= {"demo": demo, "base_url": f"http://127.0.0.1:{port}"}
        plan = plan_deletion(frame, ["a"], reason="test", max_fraction=1)
        return dataclasses.replace(plan, made_at=day).confirmation

    later = MADE_AT + dt.timedelta(days=1)
    assert phrase(1, True) == phrase(2, True, later)
    assert len({phrase(1, False), phrase(2, False), phrase(1, False, later), phrase(1, True)}) == 4


def test_each_deed_has_a_phrase_of_its_own(made):
    hiding, showing = (dataclasses.replace(made, deed=deed) for deed in (HIDE, SHOW))
    tomorrow = dataclasses.replace(showing, made_at=made.made_at + dt.timedelta(days=1))

    assert made.as_hiding().confirmation == hiding.confirmation == made.hiding_confirmation
    assert hiding.hiding_confirmation != hiding.confirmation.replace("hide-", "")
    assert hiding.confirmation.startswith("hide-2-")
    assert showing.confirmation.startswith("show-2-")
    # What is shown again was hidden at a moment that each row holds.
    assert showing.confirmation == tomorrow.confirmation
    assert dataclasses.replace(tomorrow, deed=HIDE).confirmation != hiding.confirmation
    assert (
        hiding.fingerprint
        == hashlib.blake2b(f"hide {made.fingerprint}".encode(), digest_size=16).hexdigest()
    )


def test_a_plan_counts_its_images_and_their_bytes(made):
    assert made.amount(["b", "a"]) == Amount(2, 700, 1)
    assert made.amount([]) == Amount(0, 0, 0)
    assert made.size_bytes == 700
    assert made.n_others == 1
    assert dataclasses.replace(made, library=made.library | {"n_images": 1}).n_others == 0
    assert made.expires_at - made.made_at == dt.timedelta(days=14)
    assert list(made.states) == ["b", "a"]
    assert made.states["b"].size_bytes == 700


def _kinds(plan):
    return [refusal.kind for refusal in plan.refusals]


def test_a_plan_says_what_is_against_it(made):
    def dated(**ago):
        return dataclasses.replace(made, made_at=dt.datetime.now(dt.UTC) - dt.timedelta(**ago))

    assert _kinds(made) == []
    assert _kinds(dated(days=13, hours=23)) == []
    (expired,) = dated(days=14, minutes=1).refusals
    assert expired.kind == "date"
    assert f"the plan expired on {dt.datetime.now(dt.UTC):%Y-%m-%d}" in expired
    assert expired.endswith(" UTC; plan again")
    assert _kinds(dated(minutes=-4)) == []
    future = dated(minutes=-6)
    (ahead,) = future.refusals
    assert ahead.kind == "date"
    assert ahead == (
        f"the plan is dated {future.made_at:%Y-%m-%d %H:%M} UTC, which lies ahead of this machine's clock; check the "
        "clock, and plan again"
    )
    empty = made.without("a", "b")
    assert empty.refusals[0] == "the plan is empty: no image was chosen, or all were spared"
    assert _kinds(empty) == ["empty"]
    old = dataclasses.replace(empty, made_at=MADE_AT - dt.timedelta(days=90))
    assert _kinds(old) == ["empty", "date"]
    assert _kinds(dataclasses.replace(made, caps=Caps(1, 699, 1.0))) != []


def test_a_smaller_plan_forgets_what_was_of_the_others(make_images):
    images = make_images(
        id=["a", "b", "c", "d"], content_hash=["x", "x", "y", "y"], created_at=["2020-01-01"] * 4
    )
    made = plan_deletion(images, pic.suggest(images, pile="duplicates"), max_fraction=1)
    made = dataclasses.replace(
        made, hidden=("b", "d"), handed={"b": Handed(("x",), None), "d": Handed((), "D")}
    )
    assert made.duplicates == {"b": "a", "d": "c"}

    less = made.without(["b"])

    assert list(less.images.index) == ["d"]
    assert (less.duplicates, less.hidden) == ({"d": "c"}, ("d",))
    assert less.handed == {"d": Handed((), "D")}
    assert list(less.staying.index) == ["c"]
    assert list(less.staying_states) == ["c"]
    assert less.spared["reason"].to_dict() == {"b": "taken out by you"}
    assert less.inherits.to_dict("list") == {"id": ["c"], "tags_added": [()], "title": ["D"]}
    assert made.without().confirmation == made.confirmation
    with pytest.raises(
        PlanError, match=r"^'z' is not in this plan of 2 images; look at plan\.images"
    ):
        made.without("d", iter(["z"]))


DECISIONS = pd.DataFrame({"id": ["a", "b"], "decision": ["delete", "keep"]})


def test_a_plan_is_parted_by_month_and_by_reason(images):
    made = plan_deletion(images, {"old": ["b", "c"], "dark": ["a"]}, reason="test", max_fraction=1)

    by_month = made.portions(decisions=DECISIONS)
    assert by_month.to_dict("list") == {
        "portion": ["2026-01", "2026-02", "unknown"],
        "n_images": [1, 1, 1],
        "size_bytes": [700, 0, 50],
        "n_decided": [1, 1, 0],
    }
    assert made.portions("pile").set_index("portion")["n_images"].to_dict() == {"old": 2, "dark": 1}
    assert list(made.portion("2026-01").images.index) == ["b"]
    assert list(made.portion("old", "pile").images.index) == ["b", "c"]
    assert list(made.portion("old", "pile", decisions=DECISIONS).images.index) == ["c"]
    with pytest.raises(
        PlanError,
        match=r"^'2026-03' is no portion of this plan; look at plan\.portions\('month'\)\.$",
    ):
        made.portion("2026-03")
    assert list(made.decided(DECISIONS).images.index) == ["a"]


def test_a_plan_is_for_its_own_account_and_host(make_images):
    with (
        pic.DemoServer(n_images=3) as server,
        pic.DemoServer(n_images=3, user_id="somebody-else-0123456") as other,
        pic.Client(server.api_key, server.url) as client,
        pic.Client(other.api_key, other.url) as stranger,
    ):
        images = pic.load_images(client, store=None, progress=False)
        made = plan_deletion(images, [], reason="test")
        assert isinstance(made, Plan)
        refuse_other_account(made, client)
        moved = dataclasses.replace(made, library=made.library | {"base_url": "http://127.0.0.1:1"})
        refuse_other_account(moved, client)  # The demo's next port.
        account = made.library["account"]
        for plan, asked in (
            (made, stranger),
            (dataclasses.replace(moved, library=moved.library | {"demo": False}), client),
        ):
            with pytest.raises(
                PlanError, match=rf"^This plan is for account {account[:8]} on http"
            ):
                refuse_other_account(plan, asked)
        with pytest.raises(TypeError, match="A plan"):
            refuse_other_account(made, "a key")


class _Told:
    """A client as far as its clock goes."""

    def __init__(self, wrong_clock):
        self.wrong_clock = wrong_clock


def test_a_clock_that_is_not_the_services_is_refused():
    assert clock_refusals(_Told(None)) == []
    (refusal,) = clock_refusals(_Told((MADE_AT, MADE_AT + dt.timedelta(days=400))))
    assert refusal.kind == "date"
    assert refusal.startswith(
        "this machine's clock says 2027-12-28 14:00 UTC and the service's 2026-11-23 14:00 UTC, so how old"
    )


def test_rows_that_are_spared_and_that_stay_have_few_columns(images):
    spared = spared_rows(images, "kept")
    assert list(spared.columns) == ["filename", "size_bytes", "reason"]
    assert list(spared["reason"]) == ["kept"] * 3
    assert list(spared_rows(images, ["x", "y", "z"])["reason"]) == ["x", "y", "z"]
    assert set(staying_rows(images).columns) == {*State._fields} - {"title"}
    assert len(staying_rows(None)) == 0
    assert set(staying_rows(None).columns) == {*State._fields} - {"title"}
