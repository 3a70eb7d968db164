"""A folder of copies says whose it is, and its manifest is read anew when it was written."""

import csv
import datetime as dt
import os
import re

import msgspec
import pytest

from picora_analytics.cleanup.backup.folder import (
    LONGEST,
    BackupFolder,
    Proof,
    as_now,
    backup_name,
    copied_ids,
    hash_of,
    why_stale,
)
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.errors import BackupError, LockedError

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


WIDE = {"width": 30, "height": 20}


@pytest.mark.parametrize(
    ("then", "now", "fields", "said"),
    [
        pytest.param({}, {"size_bytes": 6}, {}, "its size is no longer the copied one", id="size"),
        pytest.param(
            {}, {"updated_at": NOW}, {}, "it was changed since it was copied", id="edited"
        ),
        pytest.param(
            {"mime_type": "image/png"},
            {"mime_type": "image/webp"},
            {},
            "its type is no longer the copied one",
            id="type",
        ),
        pytest.param(
            {"mime_type": "image/jpg"}, {"mime_type": "image/jpeg"}, {}, None, id="the same type"
        ),
        pytest.param(
            WIDE,
            WIDE | {"width": 31},
            {"pixels": (30, 20)},
            "its width and height are no longer the copied ones",
            id="wider",
        ),
        pytest.param(
            WIDE, WIDE, {}, "its copy was not compared with its width and height", id="not compared"
        ),
        pytest.param(WIDE, WIDE, {"pixels": (30, 20)}, None, id="compared"),
        pytest.param(WIDE, WIDE, {"file": "picora-a.svg"}, None, id="a drawing has no pixels"),
    ],
)
def test_a_proof_is_of_what_the_service_told_then(then, now, fields, said):
    proof = _proof(image=_image(**then), **fields)

    assert why_stale(proof, _image(**now), NOW) == said


def _image(**fields):
    told = {"id": "a", "url": "https://img.picora.com/a.png", "size_bytes": 5}
    return ImageRecord(**(told | fields))


def test_hiding_and_waiting_make_no_proof_stale():
    changed = _image(updated_at=NOW)
    much_later = NOW + dt.timedelta(days=60)

    assert why_stale(_proof(), changed, much_later, hidden=True) is None
    assert why_stale(_proof(), _image(size_bytes=6), much_later, hidden=True) is not None


def test_a_folder_names_the_images_it_has_and_a_missing_one_none(tmp_path):
    folder = _begun(tmp_path / "kept")
    for one in ("a", "b", "a"):
        folder.add(_proof(one))

    assert copied_ids(tmp_path / "kept") == ["a", "b"]
    assert copied_ids(tmp_path / "nowhere") == []


def test_a_file_is_a_folder_for_no_copies(tmp_path):
    (tmp_path / "kept").write_text("mine")

    with pytest.raises(BackupError, match=r"^The folder '.*kept' cannot be used: File exists\.$"):
        _begun(tmp_path / "kept")
    with pytest.raises(BackupError, match=r"^The folder '~nobody-here/x' cannot be used: "):
        BackupFolder(tmp_path.__class__("~nobody-here/x"), **OWNER)


def test_one_run_holds_a_folder_and_it_is_made_with_those_above_it(tmp_path):
    first, second = (BackupFolder(tmp_path / "new" / "kept", **OWNER) for _ in range(2))

    with first.lock(), pytest.raises(LockedError, match=r"^Another run holds the folder '.*kept'"):
        second.lock()

    assert (tmp_path / "new" / "kept").stat().st_mode & 0o777 == 0o700


def test_what_a_killed_run_left_is_dropped_and_all_else_stays(tmp_path):
    folder = _begun(tmp_path)
    for name in (".picora-a.png.part", "picora-a.png", "mine.part"):
        (tmp_path / name).write_text("x")

    _begun(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} - {".lock"} == {
        "copies.ndjson",
        "picora-a.png",
        "mine.part",
    }
    assert folder.path == tmp_path


def test_the_table_lists_the_files_that_are_there_with_what_was_told(tmp_path):
    folder = _begun(tmp_path)
    for one, tags in (("a", ["roof", "dawn, red"]), ("b", None), ("c", []), ("gone", None)):
        folder.add(_proof(one, f"picora-{one}.png", image=_image(id=one, tags=tags, **WIDE)))
    for one in "abc":
        (tmp_path / f"picora-{one}.png").write_bytes(b"x")

    folder.write_table()

    with (tmp_path / "metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:2] == ["file_name", "id"]
    assert [(row["file_name"], row["tags"], row["width"]) for row in rows] == [
        ("picora-a.png", "roof, dawn, red", "30"),
        ("picora-b.png", "", "30"),
        ("picora-c.png", "", "30"),
    ]


@pytest.mark.parametrize("content", [b"", b"\n", b"nothing\n", b'{"format": "another"}\n'])
def test_a_manifest_that_does_not_say_whose_it_is_is_refused(tmp_path, content):
    (tmp_path / "copies.ndjson").write_bytes(content)

    with pytest.raises(BackupError, match=r"has no readable copies\.ndjson of version 1"):
        BackupFolder(tmp_path, **OWNER).proofs()


def test_a_folder_without_a_manifest_is_refused_until_it_is_begun(tmp_path):
    with pytest.raises(BackupError, match=r"has no readable copies\.ndjson of version 1"):
        BackupFolder(tmp_path, **OWNER).proofs()
    assert _begun(tmp_path).proofs() == {}


def test_what_somebody_else_writes_is_seen(tmp_path):
    folder = _begun(tmp_path)
    assert folder.proofs() == {}
    _begun(tmp_path).add(_proof())
    assert list(folder.proofs()) == ["a"]
    line = msgspec.json.encode(_proof("b"))
    with (tmp_path / "copies.ndjson").open("ab") as file:
        file.write(line + b"\n")

    assert list(folder.proofs()) == ["a", "b"]
    os.truncate(tmp_path / "copies.ndjson", 0)
    with pytest.raises(BackupError, match=r"has no readable"):
        folder.proofs()


def test_a_line_may_be_as_long_as_an_answer_of_the_service():
    assert LONGEST == 68_157_440  # 65 MiB: 64 for the answer, and what is around it.


def test_the_hash_of_a_file_is_of_its_bytes_and_of_none_none(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")

    # The example of FIPS 180-2.
    assert hash_of(tmp_path / "a") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert hash_of(tmp_path / "b") is None


def test_a_folder_of_a_library_is_its_accounts(tmp_path, make_images):
    facts = make_images().attrs["picora"]

    with BackupFolder.of(tmp_path, facts).lock():
        BackupFolder.of(tmp_path, facts).begin()

    header = msgspec.json.decode((tmp_path / "copies.ndjson").read_bytes().splitlines()[0])
    assert header == {
        "format": "picora-analytics copies",
        "version": 1,
        "account": facts["account"],
        "base_url": facts["base_url"],
        "demo": facts["demo"],
    }


def test_a_lock_is_for_the_owner_alone_and_is_not_waited_for(tmp_path):
    with BackupFolder(tmp_path, **OWNER).lock() as held:
        assert (tmp_path / ".lock").stat().st_mode & 0o777 == 0o600
        assert held.timeout == 0


def test_a_manifest_that_cannot_be_opened_is_said(tmp_path):
    (tmp_path / "copies.ndjson").mkdir()

    with pytest.raises(BackupError, match=r"^The folder '.*' cannot be used: Is a directory\.$"):
        _begun(tmp_path)


def test_a_long_manifest_is_read_once_until_it_is_written(tmp_path):
    folder = _begun(tmp_path)
    folder.add(_proof())
    first = folder.proofs()["a"]

    assert folder.proofs()["a"] is first
    folder.add(_proof("b"))
    assert folder.proofs()["a"] is not first


@pytest.mark.parametrize(
    ("now", "url"),
    [
        pytest.param("https://x/a.png?signed=2", "https://x/a.png?signed=1", id="signed anew"),
        pytest.param("https://x/b.png?signed=2", "https://x/b.png?signed=2", id="moved"),
    ],
)
def test_a_copied_image_is_described_as_it_is_now(now, url):
    before = ImageRecord(id="a", url="https://x/a.png?signed=1", title="A", tags=("x",))

    told = as_now(before, ImageRecord(id="a", url=now, tags=("y",), is_public=False), hidden=False)

    assert told == ImageRecord(id="a", url=url, title="A", tags=("y",), is_public=False)
