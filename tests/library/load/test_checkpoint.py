"""A load that was cut short goes on from its checkpoint, or refuses one that is not its own."""

import datetime as dt
import errno
import itertools
import json
import os
import random
import re
import warnings

import pytest
from filelock import FileLock
from kills import ONE, SEVERAL, kill_and_go_on, nursery
from mortal import Disk
from pandas.testing import assert_frame_equal
from steps import at_step

from picora_analytics import (
    DemoServer,
    IncompleteLoadError,
    SnapshotError,
    SnapshotStore,
    load_images,
)
from picora_analytics.library.load.checkpoint import NAME, Checkpoint, Origin, SavedPage
from picora_analytics.library.load.planning import Split

NOW = dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)
OURS = Origin(account="me", base_url="https://a", demo_session="", started_at=NOW)
PAGE = SavedPage(0, NOW, b'{"data": {"items": [],\n "nextCursor": null}}')
CUT = Split(1, 0, dt.date(2026, 1, 31))


class Seen:
    def __init__(self):
        self.calls = []

    def update(self, done, total):
        self.calls.append(done)

    def wait(self, reason):
        self.calls.append(reason)

    def finish(self, text):
        self.calls.append(text)


def load(client, folder, **options):
    return load_images(client, **{"store": folder, "progress": False, **options})


def interrupt(serve, folder, n_images=450, after=3, **options):
    """Break a load off after some pages."""
    server, client = serve(n_images, max_wait=0.01, **options)
    server.fail("GET", "/v1/images", skip=after, status=500)
    with pytest.raises(IncompleteLoadError) as caught:
        load(client, folder)
    server.clear_faults()
    return server, client, caught.value


def listed(server):
    return [seen for seen in server.requests if seen.path == "/v1/images" and seen.status == 200]


# The file


def test_what_is_written_is_read_again_in_order(tmp_path):
    first = Checkpoint.open(tmp_path, OURS)
    assert list(first.entries()) == []
    for entry in (PAGE, CUT, PAGE):
        first.add(entry)
    first.close()

    again = Checkpoint.open(tmp_path, OURS)
    line = SavedPage(0, NOW, PAGE.answer.replace(b"\n", b" "))
    assert list(again.entries()) == [line, CUT, line]
    assert all(json.loads(one) for one in again.path.read_bytes().splitlines())
    assert again.path.stat().st_mode & 0o777 == 0o600
    again.remove()
    assert not again.path.exists()


def _written(folder):
    checkpoint = Checkpoint.open(folder, OURS)
    list(checkpoint.entries())
    checkpoint.add(PAGE)
    checkpoint.add(CUT)
    checkpoint.close()
    return checkpoint.path


@pytest.mark.slow
def test_cut_off_at_any_byte_it_gives_the_whole_lines_and_takes_more(tmp_path):
    whole = _written(tmp_path).read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == 10]

    for size in range(len(whole)):
        (tmp_path / NAME).write_bytes(whole[:size])
        checkpoint = Checkpoint.open(tmp_path, OURS)
        assert len(list(checkpoint.entries())) == max(0, sum(end <= size for end in ends) - 1)
        checkpoint.add(CUT)
        checkpoint.close()
        again = Checkpoint.open(tmp_path, OURS)
        assert list(again.entries())[-1] == CUT
        again.close()


def test_a_line_changed_in_the_middle_is_refused(tmp_path):
    path = _written(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"nextCursor"', b'"nextcursor"'))
    checkpoint = Checkpoint.open(tmp_path, OURS)

    with pytest.raises(
        SnapshotError,
        match=rf"^The checkpoint {re.escape(str(path))} is damaged in the middle, so the load does not go on from it\. "
        r'Delete that file, or load with refresh="full", and the library is read from the beginning\.$',
    ):
        list(checkpoint.entries())
    checkpoint.close()


@pytest.mark.parametrize(
    ("other", "why"),
    [
        pytest.param({"account": "you"}, "is of another account or host", id="account"),
        pytest.param({"base_url": "https://b"}, "is of another account or host", id="host"),
        pytest.param({"format": 2}, "is of another kind", id="format"),
        pytest.param({"scope": "tag=x"}, "is of another kind", id="scope"),
    ],
)
def test_a_checkpoint_of_another_is_refused_and_left_alone(tmp_path, other, why):
    facts = {name: getattr(OURS, name) for name in OURS.__struct_fields__} | other
    Checkpoint.open(tmp_path, Origin(**facts)).close()
    before = (tmp_path / NAME).read_bytes()

    with pytest.raises(SnapshotError, match=re.escape(why)):
        Checkpoint.open(tmp_path, OURS)
    assert (tmp_path / NAME).read_bytes() == before
    Checkpoint.open(tmp_path, OURS, afresh=True).close()
    assert (tmp_path / NAME).read_bytes() != before


def test_a_first_line_that_is_none_is_refused(tmp_path):
    (tmp_path / NAME).write_bytes(b'{"checkpoint": {}}\n')

    with pytest.raises(SnapshotError, match="is damaged, or of another version of this package"):
        Checkpoint.open(tmp_path, OURS)


def test_a_checkpoint_older_than_a_day_starts_anew_and_says_so(tmp_path):
    _written(tmp_path)
    late = Origin(
        account="me", base_url="https://a", demo_session="", started_at=NOW + dt.timedelta(hours=25)
    )

    checkpoint = Checkpoint.open(tmp_path, late)

    assert list(checkpoint.entries()) == []
    assert checkpoint.notes == [
        "an interrupted load of 2026-11-23 14:00 UTC is too old to go on from; starting over"
    ]
    checkpoint.close()


# Loads


def test_a_load_goes_on_after_the_pages_it_has_and_says_so(serve, tmp_path):
    server, client, error = interrupt(serve, tmp_path)
    before, seen = len(listed(server)), Seen()
    images = load(client, tmp_path, progress=seen)

    assert str(error).endswith("for looking only; the next load goes on from there.")
    assert len(images) == 450
    assert seen.calls[0] == "resumed after page 3"
    assert "; resumed after page 3; read " in seen.calls[-1]
    assert len(listed(server)) - before == 3  # Two pages, and the newest again.
    assert not (tmp_path / NAME).exists()


def test_a_full_refresh_starts_anew(serve, tmp_path):
    server, client, _ = interrupt(serve, tmp_path)
    before = len(listed(server))

    assert len(load(client, tmp_path, refresh="full")) == 450
    assert len(listed(server)) - before == 6


def test_what_a_full_refresh_left_is_not_promised_to_go_on(serve, tmp_path):
    server, client = serve(450, max_wait=0.01)
    load(client, tmp_path)
    server.fail("GET", "/v1/images", skip=3, status=500)

    with pytest.raises(
        IncompleteLoadError, match=r"for looking only; load again for a whole frame\.$"
    ):
        load(client, tmp_path, refresh="full")


@pytest.mark.slow
def test_a_refresh_discards_what_an_older_load_left(serve, tmp_path):
    server, client = serve(0, max_wait=0.01)
    server.add(250, data=b"x")
    load(client, tmp_path)
    server.fail("GET", "/v1/images", skip=2, status=500)
    with pytest.raises(IncompleteLoadError) as caught:
        load(client, tmp_path, refresh="full")
    server.clear_faults()
    gone = caught.value.images.index[5]
    server.remove(gone)
    assert gone not in load(client, tmp_path).index  # Through the feed.
    server.fail("GET", "/v1/sync/state", status=404)

    images = load(client, tmp_path)

    assert gone not in images.index
    assert len(images) == 249


def test_what_was_uploaded_and_deleted_between_kill_and_resume_is_noticed(serve, tmp_path):
    server, client, error = interrupt(serve, tmp_path, shape="seed")
    new = [image.id for image in server.add(2)]
    server.remove(error.images.index[5])

    images = load(client, tmp_path)

    assert set(new) <= set(images.index)
    assert len(images) == 452
    changed = images.attrs["picora"]["checks"]["changed_while_reading"]
    assert (changed["uploaded"], changed["deleted"], changed["edited"]) == (2, 1, 0)


def test_a_second_loader_loads_on_its_own(serve, tmp_path):
    server, client = serve(250)
    with FileLock(tmp_path / ".checkpoint.lock"):
        images = load(client, tmp_path)

    assert len(images) == 250
    assert not (tmp_path / NAME).exists()


def test_a_checkpoint_refused_is_refused_before_anything_is_listed(serve, tmp_path):
    server, client, _ = interrupt(serve, tmp_path)
    file = tmp_path / NAME
    file.write_bytes(file.read_bytes().replace(b"127.0.0.1", b"127.0.0.9", 1))
    before = len(listed(server))

    with pytest.raises(SnapshotError, match="damaged, or of another version"):
        load(client, tmp_path)
    assert len(listed(server)) == before


def test_a_listing_that_breaks_leaves_no_checkpoint_to_break_at_again(serve, tmp_path):
    server, client = serve(450)
    server.fail(
        "GET",
        "/v1/images",
        skip=1,
        body=lambda a: {"data": {**a["data"], "hasMore": True, "nextCursor": None}},
    )

    with pytest.raises(
        IncompleteLoadError,
        match=r"^The listing breaks off: page 2 says that more follows, and gives no cursor\. The 200 images read so "
        r"far are in this error's \.images, for looking only; load again for a whole frame\.$",
    ):
        load(client, tmp_path)
    assert not (tmp_path / NAME).exists()
    assert len(load(client, tmp_path)) == 450


def test_a_full_disk_costs_the_checkpoint_and_not_the_load(serve, tmp_path):
    resource = pytest.importorskip("resource")
    _, client = serve(450)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    seen = Seen()

    def shrink(done, total):
        # From the second page on no file grows; then there is room again for the snapshot.
        room = (tmp_path / NAME).stat().st_size + 1_000 if done == 100 else before[0]
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))

    seen.update = shrink
    try:
        with pytest.warns(
            UserWarning,
            match=r"^The load goes on, but from here on it could not be resumed: .* cannot be written \(.*\)\. Choose "
            r"another folder with store=\.$",
        ):
            images = load(client, tmp_path, progress=seen)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert len(images) == 450
    assert images.attrs["picora"]["status"] == "complete"


# Ctrl-C and a power cut, at every step


class PowerCutError(BaseException):
    """What only `finally` sees."""


@pytest.mark.parametrize("ends", [KeyboardInterrupt, PowerCutError])
@pytest.mark.slow
def test_broken_off_at_any_step_a_load_goes_on_to_the_exact_library(
    serve, tmp_path, ends, monkeypatch
):
    server, client = serve(250, seed_only=True, rate_scale=100)
    whole = load(client, None)
    fsync, n_listed = os.fsync, len(listed(server))
    for step in itertools.count():
        folder = tmp_path / str(step)
        folder.mkdir()
        disk = Disk(folder)

        def end(disk=disk):
            if ends is PowerCutError:
                disk.fail()
            raise ends

        monkeypatch.setattr(os, "fsync", disk.fsync)
        try:
            with at_step(step, end):
                load(client, folder)
            break  # The step after the last.
        except ends:
            saved = SnapshotStore(folder).versions()
        finally:
            monkeypatch.setattr(os, "fsync", fsync)

        images = load(client, folder)

        assert_frame_equal(images, whole)
        assert images.attrs["picora"]["status"] == "complete"
        assert len(SnapshotStore(folder).versions()) == 1
        assert not list(folder.glob("checkpoint*"))
        # Three pages and the newest one again; a page and that one may be asked for twice.
        asked, n_listed = len(listed(server)) - n_listed, len(listed(server))
        assert asked <= 6 or saved
    assert step > 15


@pytest.mark.slow
def test_a_disk_that_fails_at_any_step_costs_no_image(serve, tmp_path):
    _, client = serve(250, seed_only=True, rate_scale=100)
    whole = load(client, None)

    def fail():
        if steps[-1] not in ("send", "recv"):
            raise OSError(errno.EIO, "Input/output error")

    for step in itertools.count():
        folder = tmp_path / str(step)
        with warnings.catch_warnings(record=True) as said, at_step(step, fail) as steps:
            warnings.simplefilter("always")
            images = load(client, folder)

        assert_frame_equal(images, whole)
        assert not list(folder.glob("checkpoint*"))
        if "send" in steps[:step] and steps[step:] and steps[step] not in ("send", "recv"):
            assert re.search("cannot be written|not remembered", str(said[0].message))
        assert_frame_equal(load(client, folder), whole)
        if len(steps) <= step:
            break
    assert step > 15


# kill -9


@pytest.fixture(scope="module")
def mother():
    with nursery() as process:
        yield process


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="needs fork and SIGKILL")
@pytest.mark.parametrize("options", [ONE, SEVERAL], ids=["one chain", "several chains"])
@pytest.mark.slow
def test_killed_at_any_moment_a_load_goes_on_to_the_exact_library(mother, options, tmp_path):
    rng = random.Random(5)
    with DemoServer(**options) as server:
        for number in range(5):
            after = rng.randrange(1, options["n_images"] // 100 + 1)
            outcome = kill_and_go_on(
                server, mother, tmp_path / str(number), after, rng.uniform(0, 0.02)
            )

            assert outcome["exact"], f"killed after {after} pages"
            assert outcome["status"] == "complete"
            assert outcome["again"] <= outcome["chains"] + 1
            assert outcome["left"] == []


@pytest.mark.slow
def test_a_cursor_that_expired_meanwhile_costs_its_window_alone(serve, tmp_path):
    server, client, _ = interrupt(serve, tmp_path, n_images=950, after=6)
    server.fail("GET", "/v1/images", status=410)
    before = len(listed(server))

    images = load(client, tmp_path)

    assert len(images) == 950
    assert images.index.is_unique
    assert list(images["created_at"]) == sorted(images["created_at"], reverse=True)
    assert len(listed(server)) - before < 10
