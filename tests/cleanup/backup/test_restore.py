"""Copies uploaded again: byte for byte, each once, with a whole mapping of old and new."""

import csv
import datetime as dt
import io
import json
import os

import pytest
from PIL import Image

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.backup.backup import back_up
from picora_analytics.cleanup.backup.folder import Proof
from picora_analytics.cleanup.backup.restore_journal import Outcome, RestoreJournal
from picora_analytics.cleanup.backup.restored import wanted_fields, what_is_lost
from picora_analytics.client.shapes import ImageRecord

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='1' height='1'/></svg>"


def drawn(kind, color):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), color).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def service():
    with DemoServer(n_images=0, rate_scale=1000) as server:
        one = server.upload(drawn("PNG", "red"), "one.png", tags=["a", "产品"])
        server.edit(one.id, title="The first <b>")
        server.upload(drawn("JPEG", "blue"), "../two.jpg", is_public=False)
        server.upload(SVG, "=three.svg", tags=["b"])
        yield server


@pytest.fixture
def kept(service, client, tmp_path):
    """Copies of the three, which are then gone from the library."""
    images = pic.load_images(client, store=None, progress=False)
    back_up(images, images.attrs["picora"], client, tmp_path, progress=False)
    for one in service.images:
        service.remove(one)
    return tmp_path


@pytest.fixture
def before(service, kept):
    return {gone.id: gone.image for gone in service.deleted}


def restored(client, folder, *args):
    return pic.restore_images(client, folder, *args, progress=False)


def uploads(service):
    return [r for r in service.requests if (r.method, r.path) == ("POST", "/v1/images")]


def named(before, name):
    return next(one for one, image in before.items() if image.filename == name)


@pytest.mark.slow
def test_everything_comes_back_but_address_and_date(service, client, before, kept):
    rows = restored(client, kept)

    assert list(rows["outcome"]) == ["restored"] * 3
    assert list(rows["reason"]) == [""] * 3
    assert set(rows["old_id"]) == set(before)
    assert set(rows["new_id"]) == set(service.images)
    for row in rows.itertuples():
        old, new = before[row.old_id], service.images[row.new_id]
        assert service.picture(row.new_id) == old.data
        for name in ("filename", "title", "tags", "is_public", "mime_type"):
            assert getattr(new, name) == getattr(old, name)
        assert row.new_url.endswith(f"/{row.new_id}.{new.extension}")
        assert row.old_url.endswith(f"/{row.old_id}.{old.extension}")


@pytest.mark.slow
def test_old_and_new_addresses_are_a_table_for_search_and_replace(client, kept):
    rows = restored(client, kept)

    with (kept / "restored.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == ["old_url", "new_url"]
    assert sorted(map(tuple, table[1:])) == sorted(
        zip(rows["old_url"], rows["new_url"], strict=True)
    )


@pytest.mark.slow
def test_a_second_call_sends_no_upload_and_says_the_same(service, client, kept):
    first = restored(client, kept)
    n = len(uploads(service))

    again = restored(client, kept)

    assert again.equals(first)
    assert len(uploads(service)) == n == 3
    assert len(service.images) == 3


@pytest.mark.slow
def test_only_the_images_asked_for_are_uploaded(service, client, before, kept):
    one = named(before, "one.png")

    rows = restored(client, kept, one)

    assert list(rows["old_id"]) == [one]
    assert len(service.images) == 1


def test_an_image_that_has_no_copy_is_refused(service, client, kept):
    with pytest.raises(pic.BackupError, match=r"^'nope' is not among the 3 .* nothing was sent\.$"):
        restored(client, kept, ["nope"])

    assert uploads(service) == []


def test_images_still_in_the_library_are_not_sent(service, client, tmp_path):
    images = pic.load_images(client, store=None, progress=False)
    back_up(images, images.attrs["picora"], client, tmp_path, progress=False)

    rows = restored(client, tmp_path)

    assert list(rows["outcome"]) == ["already there"] * 3
    assert list(rows["new_id"]) == list(rows["old_id"])
    assert uploads(service) == []
    assert (tmp_path / "restored.csv").read_text() == "old_url,new_url\n"


def test_a_duplicate_answer_gives_the_image_that_has_the_bytes(service, client, before, kept):
    one = named(before, "one.png")
    twin = service.upload(before[one].data, "twin.png", tags=["theirs"])

    row = restored(client, kept, [one]).iloc[0]

    assert (row["outcome"], row["new_id"]) == ("already there", twin.id)
    assert row["reason"] == ("the library has the same bytes already; that image was left as it is")
    assert service.images[twin.id] == twin


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500}, id="500 after it was stored"),
        pytest.param({"drop": True}, id="no answer"),
        pytest.param({"body": b"{"}, id="half an answer"),
    ],
)
@pytest.mark.slow
def test_a_lost_answer_is_looked_for_by_bytes_and_nothing_sent_twice(
    service, client, before, kept, fault
):
    service.fail("POST", "/v1/images", after=True, **fault)

    rows = restored(client, kept)

    assert list(rows["outcome"]) == ["restored"] * 3
    assert len(uploads(service)) == 3
    for row in rows.itertuples():
        assert service.picture(row.new_id) == before[row.old_id].data
        assert service.images[row.new_id].title == before[row.old_id].title


@pytest.mark.slow
def test_an_upload_nobody_knows_of_is_unknown_and_tried_again_by_the_next_call(
    service, client, kept
):
    service.fail("POST", "/v1/images", status=502)

    first = restored(client, kept)
    again = restored(client, kept)

    assert sorted(first["outcome"]) == ["restored", "restored", "unknown"]
    assert first["reason"].str.endswith("It is not in the library yet; call again.").sum() == 1
    assert list(again["outcome"]) == ["restored"] * 3
    assert len(service.images) == 3


@pytest.mark.slow
def test_a_run_that_was_killed_after_the_upload_finds_it_and_goes_on(service, client, before, kept):
    one = named(before, "one.png")
    RestoreJournal(kept, client_session(client)).intend(one)
    new = service.upload(before[one].data, "one.png", tags=before[one].tags)

    row = restored(client, kept, [one]).iloc[0]

    assert (row["outcome"], row["new_id"], row["reason"]) == ("restored", new.id, "")
    assert service.images[new.id].title == "The first <b>"
    assert uploads(service) == []


@pytest.mark.slow
def test_a_run_that_was_killed_before_the_upload_sends_it(service, client, before, kept):
    one = named(before, "one.png")
    RestoreJournal(kept, client_session(client)).intend(one)
    service.add(1, size_bytes=len(before[one].data) + 40_000)

    assert list(restored(client, kept, [one])["outcome"]) == ["restored"]
    assert len(uploads(service)) == 1


def client_session(client):
    client.verify()
    return client.demo_session


@pytest.mark.slow
def test_three_lost_answers_in_a_row_end_the_run(service, client, tmp_path):
    for color in range(5):
        service.upload(drawn("PNG", (color, 0, 0)), f"{color}.png")
    images = pic.load_images(client, store=None, progress=False)
    back_up(images, images.attrs["picora"], client, tmp_path, progress=False)
    for one in service.images:
        service.remove(one)
    service.fail("POST", "/v1/images", times=None, status=503)

    rows = restored(client, tmp_path)

    assert list(rows["outcome"]) == ["unknown"] * 3 + ["failed"] * 5
    assert set(rows["reason"][3:]) == {"not tried: 3 answers in a row were lost"}
    assert len(uploads(service)) == 3


@pytest.mark.slow
def test_a_full_quota_stops_and_what_is_back_stays_told(service, client, kept):
    service.fail(
        "POST",
        "/v1/images",
        skip=1,
        status=403,
        body=b'{"success": false, "error": "Quota exceeded", "code": "QUOTA_EXCEEDED"}',
    )

    with pytest.raises(pic.PermissionDeniedError, match=r"call again for the rest\.$") as caught:
        restored(client, kept)

    assert caught.value.code == "QUOTA_EXCEEDED"
    assert "1 restored, 1 failed of 3 copies so far" in str(caught.value)
    assert len(uploads(service)) == 2
    assert len((kept / "restored.csv").read_text().splitlines()) == 2
    assert list(restored(client, kept)["outcome"]) == ["restored"] * 3


def test_a_key_that_may_not_upload_is_told_at_once(service, client, kept):
    service.fail("POST", "/v1/images", status=401)

    with pytest.raises(pic.AuthenticationError, match=r"call again for the rest\.$"):
        restored(client, kept)

    assert service.images == {}


@pytest.mark.slow
def test_a_server_that_takes_no_uploads_says_so(tmp_path):
    with DemoServer(n_images=4, seed_only=True) as server:
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            public = images[images["is_public"]]
            back_up(public, images.attrs["picora"], client, tmp_path, progress=False)
            server.remove(public.index[0])

            with pytest.raises(
                pic.BackupError, match=r"^This server takes no uploads .*by hand\.$"
            ):
                restored(client, tmp_path)


def test_another_accounts_copies_are_refused(kept):
    with (
        DemoServer(n_images=1, user_id="somebody-else-0123456") as other,
        pic.Client(other.api_key, other.url) as stranger,
        pytest.raises(pic.BackupError, match=r"Give another folder\.$"),
    ):
        restored(stranger, kept)

    assert uploads(other) == []


def test_a_folder_without_copies_is_refused_and_not_made(client, tmp_path):
    with pytest.raises(pic.BackupError, match=r"or a new one\.$"):
        restored(client, tmp_path / "nothing")

    assert not (tmp_path / "nothing").exists()


def test_an_altered_copy_is_not_uploaded_and_others_are(service, client, before, kept):
    altered = next(kept.glob("picora-*.png"))
    altered.write_bytes(altered.read_bytes() + b"x")
    next(kept.glob("picora-*.svg")).unlink()

    rows = restored(client, kept).set_index("old_id")

    for name in ("one.png", "=three.svg"):
        assert rows.loc[named(before, name), "outcome"] == "failed"
        assert rows.loc[named(before, name), "reason"] == "its copy is gone or was altered"
    assert sorted(rows["outcome"]) == ["failed", "failed", "restored"]
    assert len(service.images) == 1


@pytest.mark.slow
def test_a_refused_file_fails_alone(service, client, kept):
    service.fail("POST", "/v1/images", status=422)

    assert sorted(restored(client, kept)["outcome"]) == ["failed", "restored", "restored"]
    assert list(restored(client, kept)["outcome"]) == ["restored"] * 3


@pytest.mark.slow
def test_an_upload_that_the_service_does_not_have_is_not_restored(service, client, kept):
    answer = {"id": "newNEWnew00", "url": f"{service.url}/newNEWnew00.png"}
    service.fail("POST", "/v1/images", status=201, body=json.dumps({"data": answer}))

    rows = restored(client, kept)

    (row,) = rows[rows["outcome"] == "unknown"].itertuples()
    assert row.reason.endswith("has no image of that id")
    assert "newNEWnew00" not in (kept / "restored.csv").read_text()
    assert sorted(restored(client, kept)["outcome"]) == ["restored"] * 3


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.slow
def test_a_gateway_that_answers_for_an_upload_is_looked_behind(service, client, kept, stored):
    page = "<html><h1>Not Found</h1></html>"
    service.fail("POST", "/v1/images", status=404, body=page, after=stored)

    if stored:
        assert list(restored(client, kept)["outcome"]) == ["restored"] * 3
        assert len(uploads(service)) == 3
    else:
        with pytest.raises(pic.BackupError, match="takes no uploads"):
            restored(client, kept)
    assert sorted(restored(client, kept)["outcome"]) == ["restored"] * 3
    assert len(service.images) == 3


def test_a_refused_title_is_said(service, client, before, kept):
    service.fail("PATCH", "*", status=422)

    row = restored(client, kept, named(before, "one.png")).iloc[0]

    assert row["outcome"] == "restored"
    assert "answered 422" in row["reason"]
    assert row["reason"].endswith("its title was 'The first <b>' and is None")


@pytest.mark.slow
def test_copies_are_uploaded_at_the_pace_of_uploads(service, client, kept):
    restored(client, kept)

    assert {request.tier for request in uploads(service)} == {"upload"}
    assert 429 not in {request.status for request in service.requests}


def test_what_did_not_come_back_as_it_was_is_said_field_by_field():
    old = ImageRecord(id="a", url="u", filename="a.png", tags=("x", "y"), is_public=None)
    proof = Proof(
        file="picora-a.png",
        sha256="0",
        size_bytes=7,
        copied_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        image=old,
    )
    new = ImageRecord(id="b", url="v", filename="b.png", tags=("y",), is_public=True, size_bytes=6)

    assert what_is_lost(proof, new) == [
        "its filename was 'a.png' and is 'b.png'",
        "its is_public was False and is True",
        "its tags was ['x', 'y'] and is ('y',)",
        "it had 7 bytes and has 6",
        "nobody knows whether it was public, so it is private now",
    ]


def test_the_journal_of_another_demo_and_torn_lines_say_nothing(tmp_path):
    done = Outcome("restored", "new", "https://x/new.png")
    RestoreJournal(tmp_path, "other").record("a", done)
    log = RestoreJournal(tmp_path, "this")
    log.intend("b")
    log.record("c", done)
    with (tmp_path / "restored.ndjson").open("ab") as file:
        file.write(b'{"id": "d", "sess')

    assert log.past() == {"b": None, "c": done}


def test_a_journal_that_cannot_be_read_stops_before_the_upload(service, client, kept):
    (kept / "restored.ndjson").mkdir()

    with pytest.raises(pic.JournalError, match=r"might be uploaded twice\.$"):
        restored(client, kept)

    assert uploads(service) == []


@pytest.mark.skipif(os.name != "posix", reason="links are POSIX")
def test_a_journal_that_cannot_be_made_stops_before_the_upload(service, client, kept):
    (kept / "restored.ndjson").symlink_to(kept / "no such folder" / "x")

    with pytest.raises(pic.JournalError, match=r"might be uploaded twice\.$"):
        restored(client, kept)

    assert uploads(service) == []


def test_another_upload_of_the_same_size_is_not_taken_for_the_lost_one(
    service, client, before, kept
):
    one = named(before, "=three.svg")
    other = before[one].data.replace(b"width='1'", b"width='2'")
    assert len(other) == before[one].size_bytes
    service.add(1)

    def meanwhile(answer):
        service.upload(other, "=three.svg", tags=["b"])
        service.upload(other + b"<!-- -->", "=three.svg", tags=["b"])
        return answer

    service.fail("POST", "/v1/images", after=True, status=500, body=meanwhile)

    row = restored(client, kept, one).iloc[0]

    assert row["outcome"] == "restored"
    assert service.picture(row["new_id"]) == before[one].data
    assert len(service.images) == 4


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        pytest.param("/v1/images", {"skip": 1, "status": 403}, id="the listing"),
        pytest.param("/*.png", {"status": 404}, id="the picture"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_looked_for_is_unknown_and_found_by_the_next_call(
    service, client, before, kept, path, fault
):
    one = named(before, "one.png")
    service.fail("POST", "/v1/images", after=True, drop=True)
    service.fail("GET", path, **fault)

    first = restored(client, kept, one).iloc[0]
    again = restored(client, kept, one).iloc[0]

    assert (first["outcome"], first["new_id"]) == ("unknown", None)
    assert (again["outcome"], again["new_id"]) == ("restored", next(iter(service.images)))
    assert len(uploads(service)) == 1


def test_an_image_there_with_other_bytes_does_not_stand_for_its_copy(service, client, tmp_path):
    images = pic.load_images(client, store=None, progress=False)
    back_up(images, images.attrs["picora"], client, tmp_path, progress=False)
    changed = service.upload(drawn("PNG", "red"))
    service.edit(changed.id, data=drawn("PNG", "red") + b"more", size_bytes=changed.size_bytes + 4)

    row = restored(client, tmp_path, changed.id).iloc[0]

    assert row["outcome"] == "restored"
    assert row["new_id"] != row["old_id"]


def test_silence_about_tags_is_no_wish_for_none():
    assert wanted_fields(ImageRecord(id="a", url="u", is_public=True)) == {"is_public": True}


@pytest.mark.slow
def test_a_private_picture_is_private_from_its_upload_on(service, client, before, kept):
    service.fail("PATCH", "*", times=None, status=422)

    row = restored(client, kept, named(before, "../two.jpg")).iloc[0]

    assert row["outcome"] == "restored"
    assert service.images[row["new_id"]].is_public is False


# What is said is so


@pytest.fixture
def library(service, client):
    """Give pictures of one a day, the newest first in the listing, and one whose date nobody knows."""
    for one in service.images:
        service.remove(one)
    for number in (3, 1, 4, 0, 2):
        made = service.upload(drawn("PNG", (number, 9, 9)), f"{number}.png")
        service.edit(made.id, created_at=made.created_at - (9 - number) * 86_400_000_000)
    return pic.load_images(client, store=None, progress=False)


@pytest.mark.slow
def test_the_oldest_is_uploaded_first_and_what_has_no_date_last(service, client, library, tmp_path):
    undated = library.index[library["filename"] == "4.png"][0]
    library.loc[undated, "created_at"] = None
    back_up(library, library.attrs["picora"], client, tmp_path, progress=False)
    for one in library.index:
        service.remove(one)

    rows = restored(client, tmp_path)

    names = [service.images[new].filename for new in rows["new_id"]]
    assert names == ["0.png", "1.png", "2.png", "3.png", "4.png"]
    new = sorted(service.images.values(), key=lambda image: image.created_at)
    assert [image.filename for image in new] == names


@pytest.mark.slow
def test_twins_come_back_as_one_image_at_the_place_of_the_older(service, client, tmp_path):
    data = drawn("PNG", "red")
    (one,) = (image.id for image in service.images.values() if image.filename == "one.png")
    twin = service.upload(drawn("PNG", "pink"), "twin.png")
    service.edit(twin.id, data=data, size_bytes=len(data))
    images = pic.load_images(client, store=None, progress=False)
    back_up(images, images.attrs["picora"], client, tmp_path, progress=False)
    for image_id in images.index:
        service.remove(image_id)

    rows = restored(client, tmp_path).set_index("old_id")

    assert rows.loc[one, "new_id"] == rows.loc[twin.id, "new_id"]
    assert rows.loc[[one, twin.id], "outcome"].tolist() == ["restored", "already there"]


@pytest.mark.parametrize("n_gone", [1, 3])
@pytest.mark.slow
def test_what_was_restored_and_is_gone_again_is_uploaded_again(service, client, kept, n_gone):
    first = restored(client, kept)
    gone = list(first["new_id"][:n_gone])
    for one in gone:
        service.remove(one)

    again = restored(client, kept)

    assert list(again["outcome"]) == ["restored"] * 3
    assert set(again["new_id"]) == set(service.images)
    assert set(again["new_id"][n_gone:]) == set(first["new_id"][n_gone:])
    addresses = (kept / "restored.csv").read_text()
    assert not any(one in addresses for one in gone)
    assert len(uploads(service)) == 3 + n_gone


@pytest.mark.slow
def test_the_table_leads_to_what_is_there_alone(service, client, kept):
    first = restored(client, kept).set_index("old_id")
    gone, other, _ = first.index
    service.remove(first.loc[gone, "new_id"])

    restored(client, kept, other)

    addresses = (kept / "restored.csv").read_text()
    assert first.loc[gone, "new_url"] not in addresses
    assert first.loc[other, "new_url"] in addresses
    assert addresses.count("\n") == 3


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        pytest.param(None, "restored", id="not listed yet"),
        pytest.param({"status": 403}, "unknown", id="nobody says"),
    ],
)
@pytest.mark.slow
def test_what_is_not_listed_is_asked_for_before_it_is_uploaded_again(
    service, client, kept, fault, outcome
):
    new = restored(client, kept)["new_id"][0]

    def without(answer):
        rows = answer["data"]["images"]
        answer["data"]["images"] = [row for row in rows if row["id"] != new]
        return answer

    service.fail("GET", "/v1/images", times=None, body=without)
    if fault:
        service.fail("GET", f"/v1/images/{new}", times=None, **fault)

    again = restored(client, kept)

    assert list(again["outcome"]) == [outcome, "restored", "restored"]
    assert len(uploads(service)) == 3


@pytest.mark.parametrize("status", [408, 500, 504])
@pytest.mark.slow
def test_a_lost_answer_is_no_refusal(service, client, kept, status):
    service.fail("POST", "/v1/images", after=True, status=status)

    assert list(restored(client, kept)["outcome"]) == ["restored"] * 3
    assert len(service.images) == 3


def test_what_did_not_come_back_is_shown_in_bounds_and_without_escapes():
    old = ImageRecord(id="a", url="u", filename="n" * 3_000_000, title="\x1b[31m\u202e", tags=())
    new = ImageRecord(id="b", url="v", filename="b.png", tags=("t" * 3_000_000,), is_public=False)
    proof = Proof(
        file="picora-a.png",
        sha256="0",
        size_bytes=7,
        copied_at=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        image=old,
    )

    said = "; ".join(what_is_lost(proof, new))

    assert len(said) < 2_000
    assert said.isprintable()
