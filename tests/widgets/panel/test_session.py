"""The state of a cleanup, against a set of ids and against the rules themselves."""

import datetime as dt
import re

import pandas as pd
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import picora_analytics as pic
from picora_analytics import rules
from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.widgets.gallery.orders import ORDERS
from picora_analytics.widgets.panel.choosing import Stage
from picora_analytics.widgets.panel.session import CleanupSession, needed_text


@pytest.fixture
def library(make_images):
    """Give 40 images, i0000000000 and so on: even ones tagged, sizes rising, one edited lately."""
    n = 40
    return make_images(
        size_bytes=[(i + 1) * 1000 for i in range(n)],
        tags=[("cat",) if i % 2 == 0 else () for i in range(n - 1)] + [None],
        is_public=[i % 5 != 0 for i in range(n)],
        created_at=[f"2020-01-{i % 28 + 1:02}" for i in range(n)],
        updated_at=["2026-11-01" if i == 1 else f"2020-01-{i % 28 + 1:02}" for i in range(n)],
    )


def _receipt(plan, **outcomes):
    rows = [(one, outcomes.get(one, "deleted"), "") for one in plan.images.index]
    return DeletionReceipt(
        outcomes=pd.DataFrame(rows, columns=["id", "outcome", "reason"], dtype=object),
        dry_run=False,
        confirmation=plan.confirmation,
        library=plan.library,
        size_bytes=0,
        finished_at=dt.datetime.now(dt.UTC),
    )


def test_filters_are_combined_by_and_and_say_the_line_that_does_the_same(library):
    session = CleanupSession(library)
    images = library

    session.filters = {
        "older_than": 730,
        "untagged": True,
        "larger_than": "10 KiB",
        "private": True,
    }
    session.select_matching()

    scope = {"pic": pic, "images": images}
    code = session.filter_code()
    mask = eval(code.removeprefix("mask = "), scope)
    assert code == (
        'mask = pic.rules.older_than(images, days=730) & pic.rules.larger_than(images, "10 KiB") & '
        "pic.rules.untagged(images) & pic.rules.private(images)"
    )
    assert session.mask.tolist() == mask.fillna(False).tolist()
    assert session.matching.n_images == 3


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        pytest.param({}, lambda images: images["size_bytes"] > 0, id="none"),
        pytest.param({"tagged": ("cat",)}, lambda i: rules.tagged(i, "cat"), id="tag"),
        pytest.param(
            {"uploaded_before": dt.date(2020, 1, 9)},
            lambda i: rules.uploaded_before(i, "2020-01-09"),
            id="date",
        ),
        pytest.param({"duplicated": True}, rules.duplicated, id="duplicated"),
        pytest.param({"untagged": True}, rules.untagged, id="untagged"),
        pytest.param({"oversized": 900}, lambda i: rules.oversized(i, 900), id="oversized"),
        pytest.param({"private": True}, rules.private, id="private"),
        pytest.param({"public": True}, lambda i: i["is_public"], id="public"),
        pytest.param(
            {"tagged_all": ("cat", "dog")},
            lambda i: rules.tagged(i, "cat") & rules.tagged(i, "dog"),
            id="all tags",
        ),
        pytest.param({"not_tagged": ("cat",)}, lambda i: ~rules.tagged(i, "cat"), id="no tag"),
        pytest.param(
            {"formats": ("image/png", "image/gif")},
            lambda i: i["mime_type"].isin(["image/png", "image/gif"]),
            id="formats",
        ),
        pytest.param({"up_to_pixels": 900}, lambda i: ~rules.oversized(i, 900), id="at most"),
        pytest.param(
            {"uploaded_since": dt.date(2020, 1, 9)},
            lambda i: i["created_at"] >= "2020-01-09",
            id="since",
        ),
    ],
)
def test_each_filter_is_its_rule(library, filters, expected):
    kinds = ("image/png", "image/gif", "image/svg+xml", None)
    library = library.assign(
        size_bytes=[(i // 2 + 1) * 2000 for i in range(len(library))],
        content_hash=[f"{i // 2:064x}" for i in range(len(library))],
        mime_type=pd.Series(
            [kinds[i % 4] for i in range(len(library))], library.index, dtype="str"
        ),
        width=pd.array([100 * (i // 2) or None for i in range(len(library))], dtype="Int64"),
        tags=[row and (*row, "dog") if i % 4 else row for i, row in enumerate(library["tags"])],
    )
    session = CleanupSession(library)

    session.filters = filters
    session.select_matching()

    mask = expected(library).fillna(False)
    assert session.mask.tolist() == mask.tolist()
    assert 0 < mask.sum() < len(library) or not filters
    for name, value in filters.items():
        assert session.count(name, value) == mask.sum()
    typed = eval(session.filter_code()[7:], {"pic": pic, "pd": pd, "images": library})
    assert typed.fillna(False).tolist() == mask.tolist()
    assert session.matching.size_bytes == library["size_bytes"][mask].sum()


def test_absurd_sizes_add_up(make_images):
    session = CleanupSession(make_images(size_bytes=[2**62, 2**62, 2**62, None, 7]))
    session.select_matching()

    assert session.matching.size_bytes == session.selected.size_bytes == 3 * 2**62 + 7


def test_what_a_rule_cannot_tell_is_counted_and_not_selected(library):
    session = CleanupSession(library)

    session.filters = {"untagged": True}
    session.select_matching()

    assert session.matching.unknown == 1
    assert not session.is_selected("i0000000039")


@pytest.mark.parametrize(
    ("filters", "problem"),
    [
        ({"larger_than": "5 pounds"}, "“5 pounds” is not a size. Write it like 5 MiB."),
        ({"larger_than": ""}, "“” is not a size. Write it like 5 MiB."),
        ({"larger_than": "-1"}, "“-1” is not a size. Write it like 5 MiB."),
        ({"uploaded_before": None}, "“” is not a date. Pick one, such as 2024-01-31."),
        ({"older_than": -1}, "“-1” is not a number of days. Write it like 730."),
    ],
)
def test_a_filter_that_cannot_be_read_matches_nothing_and_stops_the_plan(library, filters, problem):
    session = CleanupSession(library)
    session.select("i0000000003")
    session.make_plan("a test")

    session.filters = {"untagged": True, **filters}
    session.select_matching()

    assert session.problems == {next(iter(filters)): problem}
    assert session.count(*next(iter(filters.items()))) is None
    assert (session.matching.n_images, session.matching.unknown) == (0, 0)
    assert not eval(session.filter_code()[7:], {"pd": pd, "images": library}).any()
    assert list(session.mask[session.mask].index) == ["i0000000003"]
    assert session.plan is None
    with pytest.raises(pic.PlanError, match=f"^A filter cannot be read: {re.escape(problem)}$"):
        session.make_plan("a test")
    session.filters = {"untagged": True}
    assert session.make_plan("a test").images.index.tolist() == ["i0000000003"]


def test_tags_and_formats_come_with_their_counts_most_frequent_first(make_images):
    images = make_images(
        tags=[("a", "b"), ("b",), (), None],
        mime_type=["image/png", "image/gif", "image/png", None],
    )

    assert CleanupSession(images).count_values() == {
        "tags": [("b", 2), ("a", 1)],
        "formats": [("image/png", 2), ("image/gif", 1)],
    }


def test_the_list_of_what_is_selected_keeps_what_is_deselected_until_it_is_listed_anew(library):
    session = CleanupSession(library)
    session.select(["i0000000003", "i0000000005"])
    session.show_selected()

    session.select("i0000000003", False)

    assert session.selection.matching.sum() == 2
    session.show_selected()
    assert session.selection.matching.sum() == 1
    session.filters = {}
    assert session.selection.matching.sum() == 40


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(lambda s: s.select_matching(), "", id="all matching"),
        pytest.param(
            lambda s: (s.select_matching(), s.select("i0000000001", False)),
            '; mask[["i0000000001"]] = False',
            id="one less",
        ),
        pytest.param(
            lambda s: (s.select_matching(), s.select("i0000000002")),
            '; mask[["i0000000002"]] = True',
            id="one more",
        ),
        pytest.param(lambda s: s.select("i0000000001"), None, id="another choice"),
    ],
)
def test_the_selection_says_its_line_of_python(library, change, code):
    session = CleanupSession(library)
    session.filters = {"untagged": True}

    change(session)

    rules_only = "mask = pic.rules.untagged(images)"
    assert session.selection_code() == ("mask = panel.mask" if code is None else rules_only + code)
    if code is not None:
        scope = {"pic": pic, "images": library}
        exec(session.selection_code(), scope)
        assert scope["mask"].fillna(False).tolist() == session.mask.tolist()


def test_what_was_decided_is_a_filter_where_there_are_decisions(library):
    decisions = pd.DataFrame({"id": library.index[:2], "decision": ["delete", "keep"]})
    session = CleanupSession(library, decisions=decisions)

    session.filters = {"decided": "delete"}

    assert session.filter_code() == 'mask = pic.rules.decided(images, decisions, "delete")'
    session.select_matching()
    assert list(session.mask[session.mask].index) == [library.index[0]]
    session = CleanupSession(library)
    session.filters = {"decided": "delete"}
    assert session.problems == {
        "decided": 'There are no decisions. Make the panel with decisions="decisions.csv".'
    }


def test_what_will_be_spared_is_what_the_plan_spares(library):
    session = CleanupSession(library)
    session.select(["i0000000001", "i0000000003"])

    plan = session.make_plan("a test")

    assert session.spared.n_images == len(plan.spared) == 1
    assert list(plan.images.index) == ["i0000000003"]


@pytest.mark.slow
def test_a_frame_that_cannot_feed_a_plan_is_refused_at_once(library):
    library.attrs["picora"]["status"] = "partial"

    with pytest.raises(pic.PlanError, match=r"plan from that\.$"):
        CleanupSession(library)


@pytest.mark.parametrize("images", [None, pd.DataFrame({"a": [1]})])
def test_what_is_no_library_is_refused(images):
    with pytest.raises(pic.PlanError):
        CleanupSession(images)


def test_nothing_selected_is_no_plan(library):
    with pytest.raises(pic.PlanError, match=r"^Nothing is selected; choose some images first\.$"):
        CleanupSession(library).make_plan("a test")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda s: s.select("i0000000009"), id="one more"),
        pytest.param(lambda s: s.select("i0000000003", False), id="one less"),
        pytest.param(lambda s: s.select_none(), id="none"),
        pytest.param(lambda s: s.select_matching(), id="all"),
    ],
)
def test_a_changed_selection_voids_the_plan(library, change):
    session = CleanupSession(library)
    session.select(["i0000000003", "i0000000005"])
    plan = session.make_plan("a test")

    change(session)

    assert session.plan is None
    with pytest.raises(
        pic.PlanError, match=r"^There is no plan of this selection; press Review first\.$"
    ):
        session.begin(needed_text(plan), None)


def test_the_same_selection_again_keeps_the_plan(library):
    session = CleanupSession(library)
    session.select("i0000000003")
    plan = session.make_plan("a test")

    session.select("i0000000003")
    session.filters = {"private": True}

    assert session.plan is plan


@pytest.mark.parametrize(
    ("n", "backup", "looked", "needed"),
    [
        pytest.param(2, False, True, "delete 2", id="without a backup"),
        pytest.param(2, True, False, "delete 2", id="where nobody looked"),
        pytest.param(2, True, True, "2", id="few, with a backup, looked for"),
        pytest.param(8, True, True, "delete 8", id="over a tenth"),
    ],
)
def test_what_must_be_typed(library, n, backup, looked, needed):
    plan = pic.plan_deletion(library, list(library.index[:n]), reason="a test")

    assert needed_text(plan, backup=backup, looked=looked) == needed


@pytest.mark.parametrize(
    "typed", ["", " ", "2", "delete 3", "delete", "DELETE 2", "y", "delete 2 "[::-1]]
)
def test_another_text_says_what_was_typed_and_what_is_needed(library, typed):
    session = CleanupSession(library)
    session.select(["i0000000003", "i0000000005"])
    session.make_plan("a test")
    said = f'"{typed.strip()}"' if typed.strip() else "nothing"

    with pytest.raises(
        pic.ConfirmationError,
        match=rf'^You typed {re.escape(said)}; type "delete 2"\. Nothing was deleted\.$',
    ):
        session.begin(typed, None)

    assert session.stage is Stage.PLANNED


def test_a_folder_or_the_tick_is_needed_as_well(library):
    session = CleanupSession(library)
    session.select("i0000000003")
    session.make_plan("a test")

    with pytest.raises(pic.ConfirmationError, match=r"cannot come back\. Nothing was deleted\.$"):
        session.begin("delete 1", " ")

    assert session.stage is Stage.PLANNED
    assert session.begin("delete 1", "kept/") is session.plan


def test_a_refused_plan_cannot_begin(library):
    session = CleanupSession(library)
    session.select(list(library.index[2:30]))
    session.make_plan("too much")

    with pytest.raises(pic.PlanError, match=r"^The plan is refused: .*max_fraction=0\.25\.$"):
        session.begin("delete 28", None)


def test_a_plan_begins_once_and_nothing_changes_while_it_runs(library):
    session = CleanupSession(library)
    session.select("i0000000003")
    plan = session.make_plan("a test")

    assert session.begin(" delete 1 ", None) is plan

    with pytest.raises(pic.PlanError, match=r"^This plan is being carried out already\.$"):
        session.begin("delete 1", None)
    for change in (session.select_none, lambda: session.make_plan("again")):
        with pytest.raises(pic.PlanError, match=r"wait for its receipt, or cancel it\.$"):
            change()


def test_what_is_gone_leaves_list_selection_and_shares_but_not_the_mask(library):
    session = CleanupSession(library)
    session.select(["i0000000003", "i0000000005", "i0000000007"])
    plan = session.make_plan("a test")
    session.begin("delete 3", None)

    session.finish(_receipt(plan, i0000000005="failed", i0000000007="already gone"))

    assert list(session.images.index) == list(library.index.drop(["i0000000003", "i0000000007"]))
    assert len(session.selection.listed) == 38
    assert session.mask[session.mask].index.tolist() == ["i0000000005"]
    assert session.mask.index.equals(library.index)
    assert session.library["n_images"] == 38
    assert session.library["size_bytes"] == library["size_bytes"].sum() - 4000 - 8000
    assert library.attrs["picora"]["n_images"] == 40
    assert session.plan is None
    assert session.make_plan("again").images.index.tolist() == ["i0000000005"]


def test_a_run_that_ended_in_an_error_needs_another_plan(library):
    session = CleanupSession(library)
    session.select("i0000000003")
    session.make_plan("a test")
    session.begin("delete 1", None)

    session.finish(None)

    assert session.stage is Stage.CHOOSING
    assert session.plan is None
    assert session.is_selected("i0000000003")


class AgainstASet(RuleBasedStateMachine):
    """Any sequence of gestures leaves the selection that a set of ids would have."""

    make_images = None

    @initialize()
    def start(self):
        self.images = type(self).make_images(
            tags=[("cat",) if i % 3 else () for i in range(60)],
            is_public=[i % 4 > 0 for i in range(60)],
        )
        self.session = CleanupSession(self.images)
        self.selected, self.gone, self.only = set(), set(), None

    def _matching(self):
        if self.only is not None:
            return self.only - self.gone
        rows = pd.Series(True, self.images.index)
        filters = self.session.filters
        if "tagged" in filters:
            rows &= self.images["tags"].map(bool)
        if "untagged" in filters:
            rows &= ~self.images["tags"].map(bool)
        if "private" in filters:
            rows &= ~self.images["is_public"].astype(bool)
        return set(self.images.index[rows]) - self.gone

    @rule(tag=st.booleans(), untagged=st.booleans(), private=st.booleans())
    def filter(self, tag, untagged, private):
        wanted = {"tagged": ("cat",) if tag else (), "untagged": untagged, "private": private}
        self.session.filters = {name: value for name, value in wanted.items() if value}
        self.only = None

    @rule(places=st.lists(st.integers(0, 59), max_size=5), on=st.booleans())
    def tick(self, places, on):
        ids = [self.images.index[place] for place in places]
        self.session.select(ids, on)
        self.selected = (self.selected | set(ids) if on else self.selected - set(ids)) - self.gone

    @rule()
    def all_matching(self):
        self.session.select_matching()
        self.selected |= self._matching()

    @rule()
    def none(self):
        self.session.select_none()
        self.selected = set()

    @rule(only=st.booleans())
    def look(self, only):
        self.session.show_selected(only)
        self.only = set(self.selected) if only else None

    @rule(order=st.sampled_from(sorted(ORDERS)))
    def sort(self, order):
        self.session.selection.sort(order)

    @rule(part=st.integers(1, 4))
    def delete(self, part):
        if not self.selected:
            return
        plan = self.session.make_plan("a test")
        if plan.refusals:
            return
        self.session.begin(needed_text(plan), None)
        kept = dict.fromkeys(sorted(plan.images.index)[::part][1:], "kept")
        self.session.finish(_receipt(plan, **kept))
        self.gone |= set(plan.images.index) - set(kept)
        self.only = None
        self.selected -= self.gone

    @invariant()
    def the_session_agrees(self):
        mask = self.session.mask
        assert set(mask.index[mask]) == self.selected
        assert self.session.selected.n_images == len(self.selected)
        assert self.session.matching.n_images == len(self._matching())
        listed = self.images.index[self.session.selection.listed]
        assert set(listed) == self._matching()
        if self.session.plan is not None:
            assert set(self.session.plan.images.index) == self.selected


@pytest.mark.slow
def test_any_gestures_give_the_selection_a_set_would_have(make_images):
    AgainstASet.make_images = staticmethod(make_images)
    machine = AgainstASet.TestCase
    machine.settings = settings(
        max_examples=25, stateful_step_count=15, deadline=None, derandomize=True
    )

    machine().runTest()


def test_after_a_month_was_deleted_the_next_one_waits(make_images):
    images = make_images(created_at=["2020-01-01", "2020-01-31", "2020-02-01", None] * 3)
    session = CleanupSession(images)
    session.select_matching()
    opened = []
    for _ in range(3):
        session.open_month()
        opened.append((session.months.name, session.selected.n_images))
        session.finish(_receipt(session.make_plan("a test")))
        assert (session.matching.n_images, session.selected.n_images) == (0, 0)

    assert opened == [("February 2020", 3), ("January 2020", 6), ("without a date", 3)]
    session.filters = {}
    assert session.months is None
