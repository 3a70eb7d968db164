"""A standing order deletes what its policy allows, and refuses when any of its conditions is missing."""

import datetime as dt
import re

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer, PlanError
from picora_analytics.cleanup.policy.follow import follow_policy
from picora_analytics.cleanup.policy.policy import earlier_sightings, read_policy, standing_plan

POLICY = """
reason = "two years old and never tagged"
expires = 2027-06-30
protect = ["keep"]
sightings = 2
sightings_apart = "7d"

[rule]
older_than = 730
untagged = true

[references]
file = "used.csv"
max_age = "2d"

[caps]
max_images = 500
max_bytes = "1 GiB"

[backup]
folder = "kept"
"""
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


@pytest.fixture
def write(tmp_path):
    def policy(text=POLICY):
        path = tmp_path / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return policy


@pytest.fixture
def library(make_images):
    """Give five images: three are old and untagged, one of them in use; one is protected, one young."""
    return make_images(
        tags=[(), (), (), ("keep",), ()],
        created_at=["2020-01-01"] * 4 + ["2026-11-01"],
        size_bytes=[1, 1, 1, 1, 1000],
    )


def test_a_policy_is_read_with_its_small_default_share(write):
    policy = read_policy(write())

    assert policy.expires == dt.date(2027, 6, 30)
    assert policy.caps.max_fraction == 0.02
    assert policy.apart == dt.timedelta(days=7)
    assert policy.protect == ("keep",)


@pytest.mark.parametrize(
    "part",
    [
        *("reason", "expires", "protect", "sightings", "sightings_apart"),
        *("file", "max_age", "max_images", "max_bytes", "folder"),
    ],
)
def test_a_policy_that_lacks_a_part_is_refused_by_its_name(write, part):
    lines = [line for line in POLICY.splitlines() if not line.startswith(f"{part} =")]

    with pytest.raises(
        PlanError, match=rf"cannot be followed: .*\b{part} (in \[\w+\] )?is missing; give .*\.$"
    ):
        read_policy(write("\n".join(lines)))


@pytest.mark.parametrize("table", ["rule", "references", "caps", "backup"])
def test_a_policy_that_lacks_a_table_is_refused_by_its_name(write, table):
    parts = POLICY.split("\n\n")

    with pytest.raises(
        PlanError, match=rf"cannot be followed: the table \[{table}\] is missing\.$"
    ):
        read_policy(write("\n\n".join(part for part in parts if f"[{table}]" not in part)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sightings = 2", "sightings = 1", "sightings"),
        ('"7d"', '"soon"', "is not a duration"),
        ('"2d"', '"2 weeks"', "is not a duration"),
        ('"1 GiB"', '"much"', "max_bytes"),
        ("untagged = true", "useless = true", "useless"),
        ("older_than = 730\nuntagged = true", "", "a plan never means all images"),
        ("max_images = 500", "max_images = -1", "max_images"),
        ("max_images = 500", "max_images = 500\nmax_fraction = 2", "max_fraction"),
        ("[rule]", "[rule", "Expected"),
    ],
)
def test_a_policy_that_cannot_be_followed_says_where(write, old, new, said):
    with pytest.raises(PlanError, match=said):
        read_policy(write(POLICY.replace(old, new)))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "older_than = 730",
            'older_than = "soon"',
            "older_than in [rule] is 'soon'; give a number of days, such as 730",
        ),
        (
            "untagged = true",
            "untaged = true",
            "'untaged' is no key of [rule]; did you mean 'untagged'?",
        ),
        ("untagged = true", "zzz = 1", "'zzz' is no key of [rule], whose keys are older_than, "),
        (
            "[rule]",
            "decided = 1\n[rule]",
            "'decided' is no key of the policy; did you mean 'decisions'?",
        ),
        (
            'folder = "kept"',
            'folder = "kept"\ndecisions = "d.csv"',
            "'decisions' is no key of [backup]; it stands before the first table",
        ),
        ('["keep"]', '"keep"', "protect is 'keep'; give a list of tags, such as [\"keep\"]"),
        ('["keep"]', "[1]", 'protect is [1]; give a list of tags, such as ["keep"]'),
        ("2027-06-30", '"June"', "expires is 'June'; give a day, such as 2027-01-31"),
        (
            "max_images = 500",
            "max_images = -1",
            "max_images in [caps] is -1; give a whole number from 0 on",
        ),
        (
            "untagged = true",
            'decided = "gone"',
            "decided in [rule] is 'gone'; give one of 'keep', 'delete'",
        ),
        ("[rule]", "backup = 1\n[rule]", "the table [backup] is 1"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said_in_its_own_words(write, old, new, said):
    text = POLICY.replace(old, new)
    text = text.replace('[backup]\nfolder = "kept"', "") if "backup = 1" in new else text
    path = write(text)

    with pytest.raises(
        PlanError, match=rf"^The policy {str(path)!r} cannot be followed: {re.escape(said)}"
    ):
        read_policy(path)


def test_a_missing_policy_is_named(tmp_path):
    with pytest.raises(PlanError, match=r"^The policy .* cannot be followed: "):
        read_policy(tmp_path / "none.toml")


def test_an_image_must_meet_every_rule(write, make_images):
    images = make_images(
        tags=[("a",), ("a",), ("b",)], size_bytes=[10, 99, 99], is_public=[False, False, False]
    )
    rule = (
        '[rule]\ntagged = ["a"]\nlarger_than = "50 B"\nprivate = true\nuploaded_before = 2027-01-01'
    )
    policy = read_policy(write(POLICY.replace("[rule]\nolder_than = 730\nuntagged = true", rule)))

    assert policy.rule.mask(images).tolist() == [False, True, False]


def test_only_what_met_the_rule_each_time_and_is_not_in_use_is_planned(write, library):
    policy = read_policy(write())
    earlier = library.drop("b")  # So nobody saw it then.

    plan = standing_plan(policy, library, [earlier], ["c", "elsewhere"], NOW.date())

    assert list(plan.images.index) == ["a"]
    assert list(plan.spared.index) == ["c"]
    assert plan.protected_tags == ("keep",)
    assert plan.refusals == ["20 % of the images are more than max_fraction=0.02"]


def test_a_rule_may_ask_for_decisions_and_what_they_keep_is_spared(write, library):
    wished = POLICY.replace("untagged = true", 'decided = "delete"')
    with pytest.raises(
        PlanError, match=r"decided in its \[rule\] needs decisions; .* first table\.$"
    ):
        read_policy(write(wished))
    policy = read_policy(write(f'decisions = "decisions.csv"\n{wished}'))
    decisions = pd.DataFrame(
        {"id": ["a", "b", "b"], "decision": ["delete", "delete", "keep"], "until": [""] * 3}
    )

    plan = standing_plan(policy, library, [library], ["c"], NOW.date(), decisions=decisions)
    every = standing_plan(
        read_policy(write()), library, [library], ["c"], NOW.date(), decisions=decisions
    )

    assert list(plan.images.index) == ["a"]
    assert every.spared["reason"].to_dict()["b"] == "on your keep list"


def test_an_expired_policy_plans_nothing(write, library):
    policy = read_policy(write())

    with pytest.raises(PlanError, match=r"^The policy expired on 2027-06-30; .* renew it\.$"):
        standing_plan(policy, library, [library], ["c"], dt.date(2027, 7, 1))


def test_a_tag_that_an_earlier_sighting_did_not_have_is_said(write, library, make_images):
    text = POLICY.replace("older_than = 730\nuntagged = true", 'tagged = ["keep"]')
    policy = read_policy(write(text))

    with pytest.raises(PlanError, match=r"^The policy's \[rule\] cannot be applied: No image has"):
        standing_plan(policy, library, [make_images()], ["c"], NOW.date())


@pytest.mark.parametrize(
    ("days", "sightings", "found"),
    [
        pytest.param([8], 2, [8], id="one, long ago"),
        pytest.param([7], 2, [7], id="just far enough"),
        pytest.param([6], 2, None, id="too near"),
        pytest.param([], 2, None, id="none"),
        pytest.param([30, 20, 9, 3], 2, [9], id="the nearest that is far enough"),
        pytest.param([30, 20, 9, 3], 3, [9, 20], id="two, far from each other"),
        pytest.param([10, 9, 8], 3, None, id="near each other"),
    ],
)
def test_sightings_must_be_far_enough_from_each_other(
    write, tmp_path, library, days, sightings, found
):
    policy = read_policy(write(POLICY.replace("sightings = 2", f"sightings = {sightings}")))
    store = pic.SnapshotStore(tmp_path / "store")
    for ago in days:
        moment = (NOW - dt.timedelta(days=ago)).isoformat().replace("+00:00", "Z")
        library.attrs["picora"] = {
            **library.attrs["picora"],
            "read_at": moment,
            "loaded_at": moment,
        }
        store.save(library)

    if found is None:
        with pytest.raises(PlanError, match=r"Load regularly into the same store\.$"):
            earlier_sightings(policy, store, NOW)
        return
    frames = earlier_sightings(policy, store, NOW)

    ages = [(NOW - pd.Timestamp(frame.attrs["picora"]["read_at"])).days for frame in frames]
    assert ages == found


@pytest.mark.parametrize("known_by", ["loaded_at", "checks"])
@pytest.mark.parametrize(
    ("off", "counts"),
    [
        pytest.param(dt.timedelta(hours=23), True, id="hours"),
        pytest.param(dt.timedelta(days=400), False, id="behind"),
        pytest.param(dt.timedelta(days=-3), False, id="ahead"),
    ],
)
def test_what_a_wrong_clock_dated_is_no_sighting(write, tmp_path, library, off, counts, known_by):
    moment = NOW - dt.timedelta(days=8)
    facts = library.attrs["picora"]
    own, told = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (moment, moment + off))
    loaded_at = told if known_by == "loaded_at" else own
    checks = {**facts["checks"], **({} if known_by == "loaded_at" else {"service_time": told})}
    library.attrs["picora"] = {
        **facts,
        "read_at": own,
        "loaded_at": loaded_at,
        "checks": checks,
        "demo": False,
    }
    store = pic.SnapshotStore(tmp_path / "store")
    store.save(library)

    if counts:
        assert len(earlier_sightings(read_policy(write()), store, NOW)) == 1
        return
    with pytest.raises(PlanError, match=r"clock was wrong: 2026-11-16 12:00, by the service 202"):
        earlier_sightings(read_policy(write()), store, NOW)


@pytest.mark.parametrize(
    ("early", "enough"),
    [
        pytest.param(dt.timedelta(seconds=1), True, id="a second"),
        pytest.param(dt.timedelta(hours=3), True, id="three hours"),
        pytest.param(dt.timedelta(hours=4), False, id="four hours"),
        pytest.param(dt.timedelta(days=1), False, id="a day"),
    ],
)
def test_a_weekly_job_may_start_a_little_early(write, make_images, tmp_path, early, enough):
    store = pic.SnapshotStore(tmp_path / "store")
    images = make_images()
    seen = NOW - dt.timedelta(days=7) + early
    moment = seen.isoformat().replace("+00:00", "Z")
    images.attrs["picora"] |= {"read_at": moment, "loaded_at": moment}
    store.save(images)

    if enough:
        assert len(earlier_sightings(read_policy(write()), store, NOW)) == 1
    else:
        with pytest.raises(PlanError, match="each 7 days"):
            earlier_sightings(read_policy(write()), store, NOW)


def _found(ids):
    return f"# found {dt.datetime.now(dt.UTC).isoformat()}\n" + "\n".join(ids)


def test_a_standing_order_is_refused_until_there_are_two_sightings(write, tmp_path):
    path = write(POLICY.replace('protect = ["keep"]', "protect = []"))
    with (
        DemoServer(n_images=60) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        (tmp_path / "used.csv").write_text(_found(list(service.images)[:3]))

        with pytest.raises(PlanError, match=r"Load regularly into the same store\.$"):
            follow_policy(client, path, store=tmp_path / "store", environ={})

    assert {request.method for request in service.requests} == {"GET"}


def test_a_standing_order_that_finds_nothing_deletes_nothing(write, tmp_path):
    text = POLICY.replace('protect = ["keep"]', "protect = []").replace('"7d"', '"0"')
    path = write(text.replace("older_than = 730", "older_than = 99999"))
    with (
        DemoServer(n_images=60) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        (tmp_path / "used.csv").write_text(_found(list(service.images)[:3]))
        pic.load_images(client, store=tmp_path / "store", progress=False)

        plan, receipt = follow_policy(client, path, store=tmp_path / "store", environ={})

    assert receipt is None
    assert len(plan.images) == 0


def test_a_standing_order_does_not_keep_its_copies_in_a_checkout(write, tmp_path):
    with (
        DemoServer(n_images=3) as service,
        pic.Client(service.api_key, service.url) as client,
        pytest.raises(PlanError, match=r"such as a mounted disk\.$"),
    ):
        follow_policy(client, write(), environ={"CI_PROJECT_DIR": str(tmp_path)})

    assert service.requests == []


def test_a_key_that_reads_like_a_place_is_no_key_either(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('reason = "r"\nexpires = 2030-01-01\n"`x` - at `$.y`" = 1\n')

    with pytest.raises(PlanError, match="is no key of"):
        read_policy(path)
