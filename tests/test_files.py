"""Our own files: whole or not at all, for their owner's eyes, and where a person expects them."""

import csv
import io
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, strategies as st

import picora_analytics as pic
from picora_analytics.cleanup.apply.evidence import read_evidence
from picora_analytics.cleanup.plan.document import digest
from picora_analytics.cleanup.policy.ci import read_phrase
from picora_analytics.cleanup.policy.policy import read_policy
from picora_analytics.files import (
    data_folder,
    read_text,
    session_folder,
    table_rows,
    write_atomic,
    write_csv,
)


def test_a_file_is_there_whole_and_for_its_owner_only(tmp_path):
    file = tmp_path / "a.json"

    write_atomic(file, lambda temporary: temporary.write_bytes(b"new"))

    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_was_there_is_replaced_and_made_private(tmp_path):
    file = tmp_path / "a.json"
    file.write_text("old, and longer than the new one")
    file.chmod(0o644)

    write_atomic(file, lambda temporary: temporary.write_bytes(b"new"))

    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_a_write_that_fails_leaves_what_was_there_and_nothing_else(tmp_path, error):
    file = tmp_path / "a.json"
    file.write_text("old")

    def fail(temporary):
        temporary.write_text("half")
        raise error

    with pytest.raises(error):
        write_atomic(file, fail)

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


KILLED = """
import os, sys
from pathlib import Path
from picora_analytics.files import write_atomic

def half(temporary):
    with temporary.open("wb") as file:
        file.write(b"half")
        file.flush()
        os._exit(9)

write_atomic(Path(sys.argv[1]), half)
"""


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_write_that_is_killed_leaves_no_half_file(tmp_path, before):
    file = tmp_path / "a.parquet"
    if before is not None:
        file.write_bytes(before)

    done = subprocess.run([sys.executable, "-c", KILLED, file], timeout=60)

    assert done.returncode == 9
    assert (file.read_bytes() if file.exists() else None) == before
    assert [path for path in tmp_path.glob("*.parquet") if path != file] == []


def test_a_long_name_in_any_script_can_be_written(tmp_path):
    file = tmp_path / ("产" * 80 + ".json")

    write_atomic(file, lambda temporary: temporary.write_bytes(b"x"))

    assert file.read_bytes() == b"x"


def test_a_file_that_must_be_new_replaces_none(tmp_path):
    file = tmp_path / "a.json"
    file.write_text("old")

    with pytest.raises(FileExistsError):
        write_atomic(file, lambda temporary: temporary.write_bytes(b"new"), exclusive=True)

    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_data_folder_is_the_one_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PICORA_DATA_DIR", str(tmp_path))

    assert data_folder() == tmp_path


def test_else_the_data_folder_is_the_platforms(tmp_path, monkeypatch):
    monkeypatch.delenv("PICORA_DATA_DIR")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    assert data_folder().name == "picora_analytics"
    assert tmp_path in data_folder().parents


def test_the_folder_of_a_session_ends_with_it():
    code = "from picora_analytics.files import session_folder as f; print(f()); assert f() is f()"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    folder = Path(done.stdout.strip())
    assert done.returncode == 0, done.stderr
    assert folder.name.startswith("picora-demo-")
    assert not folder.exists()
    assert session_folder() == session_folder()
    assert os.access(session_folder(), os.W_OK)


@pytest.mark.parametrize("read", [pic.read_plan, pic.read_decisions, read_policy, read_phrase])
def test_a_missing_file_says_its_path_once(tmp_path, read):
    path = tmp_path / "nowhere"

    with pytest.raises(pic.PicoraError, match=r"No such file or directory") as caught:
        read(path)

    assert str(caught.value).count(str(path)) == 1


@pytest.mark.parametrize("text", ["[", '{"format":' + "[" * 200_000, "a = " + "[" * 5000])
@pytest.mark.parametrize("read", [pic.read_plan, pic.read_references, read_evidence, read_policy])
def test_a_file_nested_beyond_measure_is_refused_as_any_that_is_cut_off(tmp_path, read, text):
    path = tmp_path / "deep.json"
    path.write_text(text)

    with pytest.raises(pic.PicoraError, match=r"cut off or not JSON|cannot be followed"):
        read(path)


@pytest.mark.parametrize(
    "spoil",
    [{"outcomes": None}, {"outcomes": [{}]}, {"library": {}}, {"finished_at": "soon"}],
    ids=lambda spoil: str(spoil)[:16],
)
def test_a_receipt_whose_digest_was_made_to_fit_must_still_be_one(tmp_path, spoil):
    good = {"format": "picora-analytics deletion receipt", "deed": "hide", "outcomes": []}
    good |= {"library": {"account": "ab"}, "finished_at": "2026-11-28T00:00:00Z"}
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(good | spoil | {"digest": digest(good | spoil)}))

    with pytest.raises(pic.PlanError, match=r"^The receipt .* lacks a part "):
        read_evidence(path)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"]
)
@given(text=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff")))
@example(text="")
@example(text="é")
def test_text_is_read_in_whatever_a_shell_or_editor_wrote(tmp_path_factory, encoding, text):
    text = f"id,{text}"  # Every such file begins with a plain letter.
    file = tmp_path_factory.mktemp("text") / "file"
    file.write_bytes(text.encode(encoding))

    assert read_text(file) == text


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "file").write_text("here")

    assert read_text("~/file") == "here"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@given(
    st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2))
)
def test_a_table_is_split_as_it_was_written(separator, rows):
    rows = [["id", "decision"], *([cell.replace("\x00", "") for cell in row] for row in rows)]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator).writerows(rows)

    assert table_rows(file.getvalue()) == rows


def test_no_cell_and_no_title_of_a_written_table_runs(tmp_path):
    frame = pd.DataFrame({"=id": ["-a", "b;=1+1"], "tags": [("x", "=y"), ()], "n": [-1, 2]})

    write_csv(frame, tmp_path / "a.csv")

    rows = table_rows(read_text(tmp_path / "a.csv"))
    assert rows == [["'=id", "tags", "n"], ["'-a", "x,' =y", "-1"], ["b;'=1+1", "", "2"]]


def test_a_table_is_read_as_it_was_written_whatever_ends_a_line_in_a_cell(tmp_path):
    names = ["roof\rtop.png", "\r", "a\r\nb", "\n", "c\x0b\u2028d", "plain"]

    write_csv(pd.DataFrame({"id": list("abcdef"), "filename": names}), tmp_path / "a.csv")

    (title, *rows) = table_rows(read_text(tmp_path / "a.csv"))
    assert title == ["id", "filename"]
    assert [row[1].removeprefix("'") for row in rows] == names
    assert (tmp_path / "a.csv").read_bytes().endswith(b"\nf,plain\n")
