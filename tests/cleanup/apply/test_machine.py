"""Random histories of a library and its cleanup, judged by the service's own log after every step."""

import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from planted import FAULTS as PLANTED, find
from world import COPY_FAULTS, EDITS, FAULTS, World

some = st.integers(0, 60)


class Cleanup(RuleBasedStateMachine):
    """Those who edit, and one who cleans up, in any order."""

    seed_only = False

    @initialize(
        # From some hundreds on, a few images are looked at one by one instead of by listing all.
        n_images=st.sampled_from([25, 25, 25, 130, 700]),
        single_reads=st.booleans(),
        seed=st.integers(1, 3),
        shape=st.sampled_from(["current", "seed"]),
    )
    def begin(self, n_images, seed, shape, single_reads):
        self.home = tempfile.TemporaryDirectory(prefix="history-")
        self.world = World(
            Path(self.home.name),
            n_images=n_images,
            seed=seed,
            seed_only=self.seed_only,
            shape=shape,
            single_reads=single_reads,
        )
        self.world.load()
        self.world.plan(seed, 3 if n_images == 700 else 8)

    def teardown(self):
        if hasattr(self, "world"):
            try:
                self.world.settle()
            finally:
                self.world.close()
                self.home.cleanup()

    @rule(which=some, how=st.sampled_from(EDITS))
    def somebody_edits(self, which, how):
        self.world.edit(which, how)

    @rule(which=some)
    def somebody_deletes(self, which):
        self.world.remove(which)

    @rule(n=st.integers(1, 3))
    def somebody_uploads(self, n):
        self.world.upload(n)

    @rule()
    def load(self):
        self.world.load()

    @rule(
        start=some,
        count=st.sampled_from([1, 2, 3, 7, 16]),
        stale=st.booleans(),
        by=st.sampled_from(["ids", "mask", "reasons"]),
        protect=st.sampled_from([None, None, "tag", "ids"]),
    )
    def plan(self, start, count, stale, by, protect):
        self.world.plan(start, count, stale=stale, by=by, protect=protect)

    @rule(which=some, through_a_file=st.booleans())
    def review(self, which, through_a_file):
        self.world.review(which, through_a_file=through_a_file)

    @rule(which=some)
    def dry_run(self, which):
        self.world.dry_run(which)

    @rule(which=some, phrase=st.sampled_from(["", "y", "another plan's", "8-00000000"]))
    def apply_with_a_wrong_phrase(self, which, phrase):
        self.world.apply_unapproved(which, phrase)

    @rule(which=some)
    def apply(self, which):
        self.world.apply(which)

    @rule(which=some, kind=st.sampled_from(FAULTS), skip=st.integers(0, 3))
    def apply_under_a_fault(self, which, kind, skip):
        self.world.fault(kind, skip)
        self.world.apply(which)

    @rule(
        which=some,
        kind=st.sampled_from([None, "done, no answer", *COPY_FAULTS]),
        step=st.sampled_from([None, None, 8, 20]),
    )
    def apply_with_copies(self, which, kind, step):
        if kind is not None:
            self.world.fault(kind)
        self.world.apply(which, copies=True, dies_at=step)

    @rule(which=some, what=st.sampled_from(["protected while copying", "the machine sleeps"]))
    def apply_meanwhile(self, which, what):
        self.world.apply_meanwhile(what, which)

    @rule(which=st.integers(0, 400))
    def apply_while_the_disk_fills(self, which):
        self.world.apply_meanwhile("the disk fills", which)

    @rule(start=some, count=st.sampled_from([1, 3, 7]))
    def plan_into_the_same_file(self, start, count):
        self.world.replan(start, count)

    @rule(kind=st.sampled_from(FAULTS), skip=st.integers(0, 3))
    def load_under_a_fault(self, kind, skip):
        self.world.fault(kind, skip)
        self.world.load()

    @rule(which=some, step=st.integers(0, 30))
    def die_while_applying(self, which, step):
        self.world.apply(which, dies_at=step)

    @precondition(lambda self: any(one.begun for one in self.world.reviewed))
    @rule(which=some, kind=st.sampled_from([None, *FAULTS]), step=st.sampled_from([None, 1, 4, 9]))
    def resume(self, which, kind, step):
        if kind is not None:
            self.world.fault(kind)
        self.world.resume(which, dies_at=step)


class SeedOnlyCleanup(Cleanup):
    """The same on a service that knows two calls: list, and delete one."""

    seed_only = True


HISTORIES = settings(
    stateful_step_count=12,
    derandomize=True,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


class FewHistories(Cleanup):
    """For a first look."""


TestFewHistories = FewHistories.TestCase
TestFewHistories.settings = settings(HISTORIES, max_examples=4)
TestHistories = pytest.mark.slow(Cleanup.TestCase)
TestHistories.settings = settings(HISTORIES, max_examples=10)
TestSeedOnlyHistories = pytest.mark.slow(SeedOnlyCleanup.TestCase)
TestSeedOnlyHistories.settings = settings(HISTORIES, max_examples=8)


# All of them have their turn in `make prove`; here the quickest to be found.
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("the intent is not written before the request", r"I3: a request without its line"),
    ],
)
def test_a_planted_fault_is_found(name, said):
    fault = next(one for one in PLANTED if one.name == name)

    assert re.search(said, find(fault))
