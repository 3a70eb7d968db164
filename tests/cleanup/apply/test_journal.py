"""A journal says what was about to be sent, and nothing in it can change unnoticed."""

import datetime as dt
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from picora_analytics import JournalError, plan_deletion
from picora_analytics.cleanup.apply.journal import Journal, read_journal
from picora_analytics.cleanup.plan.document import to_document
from picora_analytics.lines import LineFile

QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def document(make_images):
    plan = plan_deletion(make_images(), ["a", "b", "c"], reason="test", max_fraction=1)
    return to_document(plan)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plan.journal.ndjson"


def _written(path, document):
    path.unlink(missing_ok=True)
    journal = Journal.begin(path, document, "kept/")
    journal.intend(["a", "b"])
    journal.record({"a": ("deleted", "")})
    return journal


def test_what_was_written_is_read_back(path, document):
    _written(path, document).record({"b": ("unknown", "no answer")})

    past = read_journal(path)

    assert past.plan == json.loads(json.dumps(document))
    assert past.backup == "kept/"
    assert past.intents == {"a", "b"}
    assert past.outcomes == {"a": ("deleted", ""), "b": ("unknown", "no answer")}
    assert past.open_ids == {"b"}
    assert past.ended_at is None
    assert path.stat().st_mode & 0o077 == 0
    assert all(json.loads(line)["at"] for line in path.read_text().splitlines())


def test_update_times_and_heirs_are_read_back(path, document):
    moment = dt.datetime(2026, 11, 23, 14, 0, 0, 123_000, tzinfo=dt.UTC)
    journal = _written(path, document)
    journal.record({"b": ("hidden", "")}, {"b": moment})
    journal.inherit("x")
    journal.inherit("y")
    journal.inherit("y", moment)

    past = read_journal(path)

    assert past.times == {"b": moment}
    assert past.heirs == {"x": None, "y": moment}
    assert set(past.sent) == {"a", "b"} and past.began_at <= past.sent["a"] <= past.last_at
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    words = ["plan", "intent", "outcome", "outcome", *["inherit"] * 3]
    assert [line["line"] for line in lines] == words
    assert ["times" in line for line in lines[2:4]] == [False, True]


def test_a_later_intent_makes_an_image_open_again(path, document):
    journal = _written(path, document)
    journal.record({"b": ("kept", "not tried")})
    assert read_journal(path).open_ids == set()

    journal.intend(["b"])

    assert read_journal(path).open_ids == {"b"}


def test_only_a_last_line_that_says_so_ends_a_journal(path, document):
    journal = _written(path, document)
    journal.end()
    assert read_journal(path).ended_at is not None

    Journal.reopen(path, read_journal(path), None)

    assert read_journal(path).ended_at is None
    assert read_journal(path).backup is None


def test_no_journal_is_no_past(path):
    assert read_journal(path) is None


@QUICK
@given(data=st.data())
@pytest.mark.slow
def test_a_cut_anywhere_leaves_the_lines_before_it(path, document, data):
    _written(path, document)
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    cut = data.draw(st.integers(first, len(whole)))
    path.write_bytes(whole[:cut])

    past = read_journal(path)
    journal = Journal.reopen(path, past, None)
    journal.record({"c": ("kept", "x")})

    lines = whole[:cut].count(b"\n") - 1
    assert past.intents == ({"a", "b"} if lines >= 1 else set())
    assert past.outcomes == ({"a": ("deleted", "")} if lines >= 2 else {})
    assert read_journal(path).outcomes == past.outcomes | {"c": ("kept", "x")}


@QUICK
@given(data=st.data())
@pytest.mark.slow
def test_no_bit_of_a_whole_line_can_flip_unnoticed(path, document, data):
    _written(path, document)
    whole = bytearray(path.read_bytes())
    # The very last byte is a line end: without it the line counts as cut off, and is left out.
    where = data.draw(st.integers(0, len(whole) - 2))
    whole[where] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(whole)

    with pytest.raises(JournalError, match=r"is damaged, .* plan again from that\.$"):
        read_journal(path)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda lines: [], id="nothing"),
        pytest.param(lambda lines: lines[1:], id="its first line is lost"),
        pytest.param(lambda lines: [lines[0], lines[2]], id="a line is lost"),
        pytest.param(lambda lines: [lines[0], lines[2], lines[1]], id="lines changed places"),
        pytest.param(lambda lines: [*lines, lines[2]], id="a line twice"),
        pytest.param(lambda lines: [*lines, b"{}\n"], id="a line of somebody else"),
        pytest.param(lambda lines: [b"\xff\xfe\n"], id="no text"),
    ],
)
def test_lines_that_do_not_go_on_from_each_other_stop_everything(path, document, spoil):
    _written(path, document)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(spoil(lines)))

    with pytest.raises(JournalError, match=r"is damaged, .* plan again from that\.$"):
        read_journal(path)


def test_a_journal_that_names_another_image_than_its_plan_stops_everything(path, document):
    _written(path, document).intend(["stranger"])

    with pytest.raises(JournalError, match=r"names the image 'stranger', which its plan does not"):
        read_journal(path)


def test_a_first_line_without_a_plan_is_no_journal(path):
    Journal.begin(path, {"images": [{}]}, None)
    with pytest.raises(JournalError, match=r"is damaged"):
        read_journal(path)

    path.unlink()
    Journal.begin(path, None, None)
    with pytest.raises(JournalError, match=r"is damaged"):
        read_journal(path)


def test_whole_lines_of_another_kind_are_no_journal(path, document):
    journal = _written(path, document)
    journal._write({"line": "intent", "ids": "a"})

    with pytest.raises(JournalError, match=r"is damaged"):
        read_journal(path)


def test_two_writers_are_noticed_by_the_second_to_write(path, document):
    one = _written(path, document)
    other = Journal.reopen(path, read_journal(path), None)
    other.intend(["c"])

    with pytest.raises(
        JournalError, match=r"written by somebody else meanwhile; the run stops here\.$"
    ):
        one.intend(["c"])

    assert read_journal(path).intents == {"a", "b", "c"}


def test_a_journal_that_is_lost_during_a_run_stops_it(path, document):
    journal = _written(path, document)
    path.unlink()

    with pytest.raises(JournalError, match=r"without a journal nothing is deleted\.$"):
        journal.intend(["c"])


def test_a_journal_that_another_run_made_meanwhile_is_left_alone(path, document):
    _written(path, document)
    before = path.read_bytes()

    with pytest.raises(
        JournalError, match=r"by another run meanwhile; nothing was sent by this one"
    ):
        Journal.begin(path, document, None)

    assert path.read_bytes() == before


def test_a_journal_in_no_folder_cannot_be_made(tmp_path, document):
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError, match=r"without one nothing is deleted\.$"):
        Journal.begin(tmp_path / "file" / "j.ndjson", document, None)


def test_a_journal_that_cannot_be_read_or_reopened_is_named(tmp_path, path, document):
    with pytest.raises(JournalError, match=r"cannot be read: Is a directory\.$"):
        read_journal(tmp_path)

    _written(path, document)
    past = read_journal(path)
    path.unlink()
    with pytest.raises(JournalError, match=r"without a journal nothing is deleted\.$"):
        Journal.reopen(path, past, None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_stops_the_run(path):
    path.symlink_to("/dev/full")

    with pytest.raises(JournalError, match=r"No space left on device\); the run stops here"):
        Journal(LineFile(path, 0), "").intend(["c"])


def test_a_journal_that_cannot_be_gone_on_with_stops_the_run(path, document):
    _written(path, document)
    past = read_journal(path)
    path.unlink()
    path.mkdir()

    with pytest.raises(JournalError, match=r"cannot be written .* nothing is deleted\.$"):
        Journal.reopen(path, past, None)


def test_a_journal_is_begun_once_whoever_comes_second(path, document):
    _written(path, document)
    before = path.read_bytes()

    with pytest.raises(JournalError, match=r"begun by another run meanwhile; nothing was sent by"):
        Journal.begin(path, document, None)

    assert path.read_bytes() == before


def test_a_journal_that_went_on_since_it_was_read_is_not_cut(path, document):
    journal = _written(path, document)
    past = read_journal(path)
    journal.intend(["c"])

    with pytest.raises(JournalError, match=r"written by somebody else meanwhile"):
        Journal.reopen(path, past, None)

    assert read_journal(path).intents == {"a", "b", "c"}


@pytest.mark.parametrize("room", [0, 1, 60, 150])
def test_a_disk_that_fills_in_mid_line_stops_the_run_and_keeps_what_was_written(
    path, document, room
):
    resource = pytest.importorskip("resource")
    journal = _written(path, document)
    whole = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + room, before[1]))
    try:
        with pytest.raises(JournalError, match=r"without a journal nothing is deleted\.$"):
            journal.intend(["c"] * 40)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert path.read_bytes() == whole
    Journal.reopen(path, read_journal(path), None).intend(["c"])
    assert read_journal(path).intents == {"a", "b", "c"}
