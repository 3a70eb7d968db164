"""A folder of copies says whose it is, and its manifest is read anew when it was written."""

import datetime as dt
import re

import pytest

from picora_analytics.cleanup.backup.folder import (
    LONGEST,
    BackupFolder,
    Proof,
    backup_name,
    why_stale,
)
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import BackupError

NOW = dt.datetime(2026, 11, 23, 14, tzinfo=dt.UTC)
OWNER = {"account": "0123456789abcdef", "base_url": "https://api.picora.com", "demo": False}
DEMO = {"account": "0123456789abcdef", "base_url": "http://127.0.0.1:1", "demo": True}


def _proof(one="a", file="picora-a.png", **fields):
    image = ImageRecord(id=one, url=f"https://img.picora.com/{one}.png", size_bytes=5)
    return Proof(
        **{
            "file": file,
            "sha256": "0" * 64,
            "size_bytes": 5,
            "copied_at": NOW,
            "image": image,
            **fields,
        }
    )


def _begun(folder, owner=OWNER):
    made = BackupFolder(folder, **owner)
    with made.lock():
        made.begin()
    return made


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(OWNER, OWNER, id="the same"),
        pytest.param(DEMO, DEMO | {"base_url": "http://127.0.0.1:2"}, id="the demo's next port"),
    ],
)
def test_a_folder_goes_on_for_its_own_account(tmp_path, first, second):
    _begun(tmp_path, first).add(_proof())

    assert _begun(tmp_path, second).proofs() == {"a": _proof()}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(OWNER, OWNER | {"account": "another"}, id="another account"),
        pytest.param(OWNER, OWNER | {"base_url": "https://api.picora.me"}, id="another host"),
        pytest.param(OWNER, OWNER | {"base_url": "http://127.0.0.1:1", "demo": True}, id="a demo"),
        pytest.param(DEMO, OWNER, id="the demo's"),
        pytest.param(DEMO, DEMO | {"account": "another"}, id="another demo"),
    ],
)
def test_a_folder_of_another_account_is_refused_at_once(tmp_path, first, second):
    _begun(tmp_path, first)

    with pytest.raises(BackupError, match=r"Give another folder\.$"):
        _begun(tmp_path, second)


def test_the_last_proof_of_an_image_counts_and_is_seen_as_soon_as_it_is_written(tmp_path):
    folder = _begun(tmp_path)
    folder.add(_proof())
    before = folder.proofs()
    folder.add(_proof(file="picora-b.png"))

    assert before["a"].file == "picora-a.png"
    assert folder.proofs() == {"a": _proof(file="picora-b.png")}
    assert folder.proofs() == BackupFolder(tmp_path, **OWNER).proofs()


def test_what_is_done_to_the_proofs_that_were_read_changes_nothing(tmp_path):
    folder = _begun(tmp_path)
    folder.add(_proof())
    folder.proofs().clear()
    folder.proofs().clear()

    assert list(folder.proofs()) == ["a"]


@pytest.mark.parametrize(
    "file",
    ["../a.png", "picora-/../../a.png", "a.png", "", "picora-a.exe", "picora-a", "picora-..png"],
)
def test_a_proof_that_leads_out_of_the_folder_is_none(tmp_path, file):
    folder = _begun(tmp_path)
    folder.add(_proof(file=file))

    assert folder.proofs() == {}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda line: line.replace(b"14:00:00Z", b"14:00:00"), id="a time of no zone"),
        pytest.param(lambda line: line.replace(b'"size_bytes":5', b'"size_bytes":-5'), id="size"),
        pytest.param(lambda line: line.replace(b"picora-a", b"picora-\xff"), id="no text"),
        pytest.param(lambda line: b"[" * 100_000, id="deep"),
        pytest.param(lambda line: b"null", id="nothing"),
        pytest.param(lambda line: line[:-9], id="cut off"),
    ],
)
def test_a_line_that_somebody_wrote_is_a_proof_or_none(tmp_path, change):
    folder = _begun(tmp_path)
    folder.add(_proof())
    manifest = tmp_path / "copies.ndjson"
    header, line = manifest.read_bytes().splitlines()
    assert change(line) != line
    manifest.write_bytes(b"\n".join([header, change(line), b""]))

    assert BackupFolder(tmp_path, **OWNER).proofs() == {}


@pytest.mark.slow
def test_a_manifest_of_one_endless_line_is_not_read_whole(tmp_path):
    folder = _begun(tmp_path)
    with (tmp_path / "copies.ndjson").open("ab") as file:
        file.truncate(3 * LONGEST)

    with pytest.raises(BackupError, match=r"a line of it is longer than [\d,]+ bytes\.$"):
        BackupFolder(tmp_path, **OWNER).proofs()
    assert folder.path == tmp_path


def test_a_proof_is_good_for_fourteen_days_to_the_second():
    image = _proof().image
    later = dt.timedelta(days=14)

    assert why_stale(_proof(), image, NOW + later) is None
    assert why_stale(_proof(), image, NOW - later) is None
    for beyond in (later + dt.timedelta(seconds=1), -later - dt.timedelta(seconds=1)):
        said = why_stale(_proof(), image, NOW + beyond)
        assert said == "it was copied more than 14 days ago"


def test_a_long_id_is_cut_in_the_name_and_kept_apart_by_its_digest():
    one, other = (backup_name("i" * 30 + end, "0" * 64, "png") for end in "ab")

    assert re.fullmatch(r"picora-i{24}-[0-9a-f]{12}\.png", one)
    assert one != other


def test_a_proof_is_added_to_a_folder_that_was_begun(tmp_path):
    with pytest.raises(ValueError, match=r"^The manifest was not opened\.$"):
        BackupFolder(tmp_path, **OWNER).add(_proof())

    assert list(tmp_path.iterdir()) == []
