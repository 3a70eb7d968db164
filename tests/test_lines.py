"""One append-only file of lines: whole lines or an error, and nobody else's."""

import os
import stat
import threading

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from picora_analytics.lines import ForeignWriteError, LineFile, LongLineError, read_lines

LONGEST = 100
QUICK = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def lines(path):
    return list(read_lines(path, longest=LONGEST))


def add(path, content):
    with path.open("ab") as file:
        file.write(content)


def test_lines_are_read_back_as_they_were_appended(tmp_path):
    path = tmp_path / "lines"
    file = LineFile.create(path, b"one")
    file.append(b"")
    file.append(b"\r\x85 three")

    assert lines(path) == [b"one", b"", b"\r\x85 three"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_begun_once(tmp_path):
    LineFile.create(tmp_path / "lines", b"one")

    with pytest.raises(FileExistsError):
        LineFile.create(tmp_path / "lines", b"other")

    assert lines(tmp_path / "lines") == [b"one"]


def test_of_many_that_begin_a_file_at_once_one_does(tmp_path):
    path, start, made = tmp_path / "lines", threading.Barrier(8), []

    def begin(name):
        start.wait()
        try:
            LineFile.create(path, name)
        except FileExistsError:
            return
        made.append(name)

    threads = [threading.Thread(target=begin, args=[b"%d" % n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert lines(path) == made
    assert len(made) == 1


@QUICK
@given(data=st.data())
@pytest.mark.slow
def test_cut_off_anywhere_it_gives_the_whole_lines_and_takes_more(tmp_path, data):
    path = tmp_path / "lines"
    written = data.draw(st.lists(st.binary(max_size=90).filter(lambda line: b"\n" not in line)))
    whole = b"".join(line + b"\n" for line in written)
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    n = whole[:cut].count(b"\n")

    assert lines(path) == written[:n]
    LineFile.open(path).append(b"more")
    assert lines(path) == [*written[:n], b"more"]


def test_the_end_of_a_very_long_torn_line_is_found(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\n" + b"x" * 200_000)

    LineFile.open(path).append(b"two")

    assert path.read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda path: add(path, b"theirs\n"), id="a line more"),
        pytest.param(lambda path: add(path, b"th"), id="a part of a line more"),
        pytest.param(lambda path: os.truncate(path, 4), id="a line less"),
        pytest.param(lambda path: path.write_bytes(b"one\nTWO\n"), id="another of the same length"),
    ],
)
def test_a_file_that_somebody_else_wrote_takes_no_line(tmp_path, meanwhile):
    path = tmp_path / "lines"
    file = LineFile.create(path, b"one")
    file.append(b"two")
    meanwhile(path)
    before = path.read_bytes()

    for _ in range(2):
        with pytest.raises(ForeignWriteError, match=r"another program wrote to it meanwhile$"):
            file.append(b"three")

    assert path.read_bytes() == before


def test_a_file_that_went_on_since_it_was_read_is_not_cut(tmp_path):
    path = tmp_path / "lines"
    file = LineFile.create(path, b"one")
    size = path.stat().st_size
    file.append(b"two")

    with pytest.raises(ForeignWriteError):
        LineFile.open(path, size)

    assert lines(path) == [b"one", b"two"]


def test_a_file_that_is_lost_is_not_begun_again(tmp_path):
    file = LineFile.create(tmp_path / "lines", b"one")
    (tmp_path / "lines").unlink()

    with pytest.raises(FileNotFoundError):
        file.append(b"two")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("room", [0, 1, 40, 99])
def test_a_disk_that_fills_in_mid_line_raises_and_leaves_no_half_line(tmp_path, room):
    resource = pytest.importorskip("resource")
    path = tmp_path / "lines"
    file = LineFile.create(path, b"one")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4 + room, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            file.append(b"x" * 99)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert path.read_bytes() == b"one\n"
    file.append(b"two")
    assert lines(path) == [b"one", b"two"]


def test_a_line_as_long_as_any_is_read(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"x" * LONGEST + b"\nz\n")

    assert lines(path) == [b"x" * LONGEST, b"z"]


@pytest.mark.parametrize("end", [b"\n", b"x", b"x" * 10_000_000])
def test_no_more_is_read_of_a_line_than_any_can_hold(tmp_path, end):
    path = tmp_path / "lines"
    path.write_bytes(b"one\n" + b"x" * (LONGEST + 1) + end)
    found = read_lines(path, longest=LONGEST)

    assert next(found) == b"one"
    with pytest.raises(LongLineError, match=r"a line of it is longer than 100 bytes$"):
        next(found)
