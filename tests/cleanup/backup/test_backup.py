"""Copies: the very bytes, each proved, under safe names; what cannot be proved is kept, with its reason."""

import datetime as dt
import hashlib
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import Future

import pandas as pd
import pytest
from hypothesis import given, strategies as st
from PIL import Image

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.backup import download as downloading
from picora_analytics.cleanup.backup.backup import BackupRun, back_up, backed_up_pictures
from picora_analytics.cleanup.backup.download import why_not_the_original
from picora_analytics.cleanup.backup.folder import BackupFolder, Proof, backup_name, why_stale
from picora_analytics.client.pictures import PictureError, picture_web, stream_picture
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.progress import progress_for

SVG = (
    b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'><rect width='1' height='1'/></svg>"
)


def drawn(kind, color="red", **options):
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), color).save(buffer, kind, **options)
    return buffer.getvalue()


def animated():
    buffer = io.BytesIO()
    frames = [Image.new("P", (9, 9), n) for n in range(4)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


EVERY_FORMAT = {
    "photo.jpg": drawn("JPEG"),
    "shot.png": drawn("PNG"),
    "moving.gif": animated(),
    "small.webp": drawn("WEBP"),
    "new.avif": drawn("AVIF"),
    "mark.svg": SVG,
}


@pytest.fixture
def service():
    """A library of one upload of every format, public, and one of each that is private."""
    with DemoServer(n_images=0, rate_scale=500) as server:
        for name, data in EVERY_FORMAT.items():
            server.upload(data, name)
        private = {**EVERY_FORMAT, "photo.jpg": drawn("JPEG", "blue"), "mark.svg": SVG + b"\n"}
        for name in ("photo.jpg", "mark.svg"):
            server.upload(private[name], name, is_public=False)
        yield server


@pytest.fixture
def images(client):
    return pic.load_images(client, store=None, progress=False)


def copied(images, client, folder, **options):
    facts = images.attrs["picora"]
    return back_up(images, facts, client, folder, progress=False, **options)


def picked(images, name, public=True):
    chosen = images[(images["filename"] == name) & (images["is_public"] == public)]
    return str(chosen.index[0])


def asked(service):
    return [request for request in service.requests if request.port == "pictures"]


def hashes(service):
    return {one: hashlib.sha256(service.picture(one)).hexdigest() for one in service.images}


def test_every_format_is_copied_byte_for_byte(service, client, images, tmp_path):
    backup = copied(images, client, tmp_path / "kept")

    assert backup.failed == {}
    assert {one: proof.sha256 for one, proof in backup.proofs.items()} == hashes(service)
    for one, proof in backup.proofs.items():
        assert (tmp_path / "kept" / proof.file).read_bytes() == service.picture(one)
        assert proof.file.endswith(f".{service.images[one].extension}")
    assert backup.recheck(images.index) == {}
    assert all(request.query.keys() <= {"exp", "sig"} for request in asked(service))


@pytest.mark.slow
def test_a_plan_backs_up_its_images_and_deletes_nothing(tmp_path):
    with DemoServer(n_images=40) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        plan = pic.plan_deletion(images, list(images.index[:5]), reason="a test")

        backup = plan.back_up(client, tmp_path / "kept", progress=False)

        assert set(backup.proofs) == set(plan.images.index)
        assert len(server.images) == 40
        assert repr(backup).startswith("DEMO  COPIES in ")
        assert "5 of 5 images proved" in repr(backup)
        assert "addresses, upload dates and view counts cannot come back" in backup._repr_html_()


@pytest.mark.slow
def test_pictures_are_copied_from_where_they_are_by_now(tmp_path):
    with DemoServer(n_images=8) as before, pic.Client(before.api_key, before.url) as client:
        images = pic.load_images(client, store=None, progress=False)

    with DemoServer(n_images=8) as now, pic.Client(now.api_key, now.url) as client:
        backup = copied(images, client, tmp_path / "kept")

        assert backup.failed == {}
        assert {one: proof.sha256 for one, proof in backup.proofs.items()} == hashes(now)


@pytest.mark.slow
def test_a_host_that_is_down_is_not_looked_up_for_each_picture(service, client, tmp_path):
    for number in range(20):
        service.upload(drawn("PNG", (number, 0, 0)), f"{number}.png")
    images = pic.load_images(client, store=None, progress=False)
    public = images[images["is_public"]]
    for one in public.index:
        service.fail("GET", f"/{one}.*", times=None, status=404)

    backup = copied(images, client, tmp_path / "kept")

    assert set(backup.failed) == set(public.index)
    looked_up = [seen for seen in service.requests if seen.path.startswith("/v1/images/")]
    # Some are under way at once when the third answer comes.
    assert 3 <= sum(seen.method == "GET" for seen in looked_up) < len(public)


def test_a_plan_of_another_account_is_not_copied(images, tmp_path):
    plan = pic.plan_deletion(images, list(images.index[:1]), reason="a test")

    with (
        DemoServer(n_images=1, user_id="somebody-else-0123456") as other,
        pic.Client(other.api_key, other.url) as stranger,
        pytest.raises(pic.PlanError, match=r"or plan again\.$"),
    ):
        plan.back_up(stranger, tmp_path / "kept")

    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param({"status": 404}, "127.0.0.1 answered 404", id="gone"),
        pytest.param({"cut": 40}, "no whole answer (RemoteProtocolError", id="cut off"),
        pytest.param({"status": 503}, "127.0.0.1 answered 503", id="down"),
        pytest.param({"drop": True}, "no whole answer (RemoteProtocolError", id="hung up"),
        pytest.param(
            {"status": 302, "headers": {"location": "https://evil.example/x"}},
            "127.0.0.1 answered 302, a redirect, which was not followed",
            id="redirect",
        ),
        pytest.param({"body": b"<html>a login page</html>"}, "the listing says", id="a page"),
        pytest.param({"body": drawn("JPEG")}, "the listing says", id="another picture"),
        pytest.param({"body": b""}, "the listing says", id="nothing"),
        pytest.param(
            {"headers": {"content-encoding": "gzip"}},
            "127.0.0.1 sent it compressed, though the file as it is was asked for",
            id="compressed",
        ),
        pytest.param(
            {"status": 202, "headers": {"retry-after": "0.05"}, "body": drawn("PNG")},
            "still in the archive after 7 tries",
            id="archive placeholder",
        ),
    ],
)
@pytest.mark.slow
def test_a_picture_that_cannot_be_proved_fails_alone(
    service, client, images, tmp_path, fault, reason
):
    bad = picked(images, "shot.png")
    service.fail("GET", f"/{bad}.*", times=None, **fault)

    backup = copied(images, client, tmp_path)

    assert set(backup.failed) == {bad}
    assert backup.failed[bad].startswith(reason)
    assert set(backup.proofs) == set(images.index) - {bad}
    assert set(backup.recheck(images.index)) == {bad}
    assert len(list(tmp_path.glob("picora-*"))) == len(images) - 1
    assert list(tmp_path.glob(".picora-*")) == []


def test_bytes_of_the_right_length_that_are_no_picture_prove_nothing(
    service, client, images, tmp_path
):
    bad = picked(images, "photo.jpg")
    whole = service.picture(bad)
    service.fail("GET", f"/{bad}.*", body=whole[:200] + bytes(len(whole) - 200))

    backup = copied(images, client, tmp_path)

    assert list(backup.failed) == [bad]
    assert backup.failed[bad].startswith("it cannot be decoded (")


@pytest.mark.slow
def test_bytes_that_do_not_fit_the_content_hash_prove_nothing(client, images, tmp_path):
    bad = picked(images, "shot.png")
    images.loc[bad, "content_hash"] = "0" * 64

    backup = copied(images, client, tmp_path)

    assert backup.failed == {bad: "its bytes are not those of its content hash"}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"status": 500, "times": 2}, id="twice down"),
        pytest.param({"drop": True}, id="once hung up"),
        pytest.param({"cut": 30}, id="once cut off"),
        pytest.param({"status": 429, "headers": {"retry-after": "0.05"}}, id="once too fast"),
        pytest.param({"status": 202, "headers": {"retry-after": "0.05"}}, id="once archived"),
    ],
)
@pytest.mark.slow
def test_a_passing_fault_is_waited_out(service, client, images, tmp_path, fault):
    service.fail("GET", "/*.png", **fault)

    assert copied(images, client, tmp_path).failed == {}


def test_private_pictures_come_by_a_signed_address_that_is_not_kept(
    service, client, images, tmp_path
):
    private = images.index[~images["is_public"]]

    backup = copied(images.loc[private], client, tmp_path)

    assert set(backup.proofs) == set(private)
    signed = [request for request in service.requests if request.path.endswith("/sign")]
    assert len(signed) == len(private) == 2
    text = (tmp_path / "copies.ndjson").read_text()
    assert "sig=" not in text
    assert service.api_key not in text


def test_a_picture_that_only_some_sites_may_show_comes_by_a_signed_address(
    service, client, images, tmp_path
):
    one = picked(images, "small.webp")
    service.fail("GET", f"/{one}.*", status=403)

    assert one in copied(images.loc[[one]], client, tmp_path).proofs


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        pytest.param(
            {"scopes": ("images:read",)},
            "this key is not granted signed addresses (403)",
            id="no scope",
        ),
        pytest.param({"seed_only": True}, "no signed address was given (404)", id="seed only"),
    ],
)
def test_private_pictures_without_a_signed_address_are_kept(tmp_path, options, reason):
    with DemoServer(n_images=40, rate_scale=500, **options) as server:
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            private = images.index[~images["is_public"]]

            backup = copied(images.loc[private], client, tmp_path)

    assert set(backup.failed) == set(private)
    assert backup.proofs == {}
    assert reason in backup.failed.values()
    asked_for = [request for request in server.requests if request.path.endswith("/sign")]
    assert len(asked_for) <= downloading.MAX_DOUBTS


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param({"status": 403}, "and this key is not granted signed", id="no scope"),
        pytest.param(
            {"status": 405}, "and this server gives no signed addresses (405)", id="no route"
        ),
        pytest.param({"status": 404}, "and no signed address was given (404)", id="no image"),
        pytest.param({"status": 500, "times": None}, "answered 500", id="down"),
        pytest.param({"body": b"{}", "times": None}, "answered no signedUrl.", id="no address"),
    ],
)
@pytest.mark.slow
def test_a_refused_picture_without_a_signed_address_is_kept_with_both_reasons(
    service, client, images, tmp_path, fault, reason
):
    one = picked(images, "small.webp")
    service.fail("GET", f"/{one}.*", times=None, status=403)
    service.fail("POST", "*/sign", **fault)

    failed = copied(images.loc[[one]], client, tmp_path).failed

    assert reason in failed[one]


@pytest.mark.slow
def test_a_signing_route_that_fails_once_is_asked_again(service, client, images, tmp_path):
    service.fail("POST", "*/sign", status=502)

    assert copied(images[~images["is_public"]], client, tmp_path).failed == {}


@pytest.mark.slow
def test_cancelling_ends_a_long_wait_for_a_signed_address(service, client, images, tmp_path):
    service.fail("POST", "*/sign", times=None, status=429, headers={"retry-after": "500"})

    def cancelled():
        return any(request.status == 429 for request in service.requests)

    backup = copied(images[~images["is_public"]], client, tmp_path, cancelled=cancelled)

    assert "not tried: stopped" in backup.failed.values()
    assert backup.proofs == {}


def test_cancelling_does_not_wait_for_a_download_that_does_not_end(client, images, tmp_path):
    folder = BackupFolder.of(tmp_path, images.attrs["picora"])
    run = BackupRun(client, folder, {}, progress_for(False, ""), lambda: True, 1)
    endless = Future()

    archived, _ = run._collect({endless: ImageRecord(id="a", url="u")}, 0)

    assert run.failed == {"a": "stopped before it was proved"}
    assert (archived, run.proofs) == ([], {})


def test_a_folder_that_vanishes_fails_the_copy(client, images, tmp_path):
    downloader = downloading.Downloader(
        client, BackupFolder.of(tmp_path / "gone", images.attrs["picora"])
    )

    with pytest.raises(
        downloading.NoProofError, match=r"^the copy cannot be written \(No such file"
    ):
        downloader.back_up(ImageRecord(id="a", url="u"), None)

    downloader.close()


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        pytest.param(10**18, "the disk is full", id="more than the disk has"),
        pytest.param(
            64 * 2**20 + 1,
            "67,108,865 bytes are more than the 67,108,864 that are fetched",
            id="more than Picora takes",
        ),
    ],
)
def test_a_picture_too_large_is_not_asked_for(service, client, images, tmp_path, size, reason):
    downloader = downloading.Downloader(client, BackupFolder.of(tmp_path, images.attrs["picora"]))

    with pytest.raises(downloading.NoProofError, match=f"^{reason}$"):
        downloader.back_up(
            ImageRecord(id="a", url=f"{service.pictures_url}/a.png", size_bytes=size), None
        )

    downloader.close()
    assert asked(service) == []


def test_a_picture_that_does_not_end_is_cut_off(service, client, tmp_path):
    service.upload(SVG.replace(b"/></svg>", b"/><!--" + b" " * 70_000 + b"--></svg>"), "long.svg")
    images = pic.load_images(client, store=None, progress=False)
    one = picked(images, "long.svg")

    backup = copied(images.loc[[one]].assign(size_bytes=10), client, tmp_path)

    assert backup.failed == {one: "more than 65,546 bytes came"}


def test_a_picture_that_comes_too_slowly_is_given_up(service, images):
    with (
        picture_web(local=True, timeout=5) as web,
        pytest.raises(PictureError, match=r"^it was not there within 0 seconds$"),
    ):
        stream_picture(web, images["url"].iloc[-1], bytes, max_bytes=10**6, patience=0)


def test_the_picture_host_never_sees_the_key(client, images, tmp_path):
    seen = []

    def answer(sock):
        with sock.accept()[0] as connection:
            seen.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as sock:
        spy = threading.Thread(target=answer, args=(sock,), daemon=True)
        spy.start()
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/a.png"
        copied(images[images["is_public"]].head(1).assign(url=url), client, tmp_path)
        spy.join(60)

    assert seen[0].startswith(b"GET /a.png HTTP/1.1\r\n")
    for word in (b"authorization", b"cookie", b"sk_live"):
        assert word not in seen[0].lower()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("http://img.picora.com/a.png", id="unencrypted"),
        pytest.param("https://user:secret@img.picora.com/a.png", id="with a password"),
        pytest.param("file:///etc/passwd", id="a file"),
        pytest.param("https:///a.png", id="no host"),
        pytest.param("http://127.0.0.1:port/a.png", id="no address"),
    ],
)
def test_only_honest_addresses_are_asked(client, images, tmp_path, url):
    row = images[images["is_public"]].head(1).assign(url=url)

    failed = copied(row, client, tmp_path).failed

    assert list(failed.values()) == [
        "its address is not asked: it is neither https nor this machine's"
    ]


HOSTILE = [
    "../../x.png",
    "CON.png",
    "a" * 300 + ".png",
    "nul\0.png",
    "line\nbreak.png",
    "photo\u202egnp.exe",
    "=HYPERLINK('x').png",
    "<script>.png",
]


def test_file_names_are_safe_whatever_the_pictures_are_called(tmp_path):
    with DemoServer(n_images=0, rate_scale=500) as server:
        for number, name in enumerate([*HOSTILE, "twice.png", "twice.png"]):
            server.upload(drawn("PNG", (number, 0, 0)), name)
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            backup = copied(images, client, tmp_path / "kept")

        assert backup.failed == {}
        assert {proof.image.filename for proof in backup.proofs.values()} >= set(HOSTILE)
        assert {path.name for path in (tmp_path / "kept").glob("[!.]*")} == {
            "copies.ndjson",
            "metadata.csv",
            *(proof.file for proof in backup.proofs.values()),
        }
        assert [path.name for path in tmp_path.iterdir()] == ["kept"]


@given(
    one=st.text(min_size=1),
    other=st.text(min_size=1),
    content=st.sampled_from(["0" * 64, "1" * 64]),
)
def test_a_copys_name_is_safe_on_every_file_system_and_its_own(one, other, content):
    name = backup_name(one, content, "png")

    assert name.startswith("picora-")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.")
    assert len(name) < 60
    if one != other:
        assert name.casefold() != backup_name(other, content, "png").casefold()


def test_ids_that_differ_only_in_case_have_names_of_their_own():
    names = {backup_name(one, "0" * 64, "png").casefold() for one in ("aBcDeFgHiJk", "AbCdEfGhIjK")}

    assert len(names) == 2


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
@pytest.mark.slow
def test_the_folder_and_its_files_are_for_their_owner_alone(client, images, tmp_path):
    copied(images, client, tmp_path / "kept")

    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "kept").iterdir()}
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    assert modes == {0o600}
    table = pd.read_csv(tmp_path / "kept" / "metadata.csv")
    assert table.columns[:2].tolist() == ["file_name", "id"]
    assert all((tmp_path / "kept" / name).is_file() for name in table["file_name"])
    assert len(table) == len(list((tmp_path / "kept").glob("picora-*.*")))


@pytest.mark.slow
def test_proofs_that_hold_are_reused_and_damaged_ones_made_anew(service, client, images, tmp_path):
    first = copied(images, client, tmp_path)
    gone, altered, *_ = first.proofs
    (tmp_path / first.proofs[gone].file).unlink()
    path = tmp_path / first.proofs[altered].file
    path.write_bytes(b"x" + path.read_bytes()[1:])
    assert first.recheck(images.index) == {
        gone: "its copy is gone or cannot be read",
        altered: "its copy was altered",
    }
    before = len(asked(service))

    again = copied(images, client, tmp_path)

    assert {request.path[1:12] for request in asked(service)[before:]} == {gone, altered}
    assert again.n_reused == len(images) - 2
    assert {one: proof.sha256 for one, proof in again.proofs.items()} == hashes(service)
    assert again.recheck(images.index) == {}


def test_nothing_is_fetched_where_all_is_proved(service, client, images, tmp_path):
    first = copied(images, client, tmp_path)
    before = len(asked(service))

    again = copied(images, client, tmp_path)

    assert len(asked(service)) == before
    assert again.proofs == first.proofs
    assert again.recheck(["unplanned"]) == {"unplanned": "no copy was made"}


def test_a_copy_that_does_not_fit_a_content_hash_told_later_is_not_reused(client, images, tmp_path):
    copied(images, client, tmp_path)
    one = picked(images, "shot.png")
    images.loc[one, "content_hash"] = "0" * 64

    again = copied(images, client, tmp_path)

    assert again.failed == {one: "its bytes are not those of its content hash"}


@pytest.mark.slow
def test_an_image_changed_since_is_copied_anew(service, client, images, tmp_path):
    copied(images, client, tmp_path)
    one = picked(images, "shot.png")
    service.edit(one, tags=["fresh"])
    before = len(asked(service))

    now = pic.load_images(client, store=None, progress=False)
    backup = copied(now, client, tmp_path)

    assert [request.path[1:12] for request in asked(service)[before:]] == [one]
    assert backup.proofs[one].image.tags == ("fresh",)


def test_a_copy_that_still_fits_is_of_the_image_as_it_is_now(service, client, images, tmp_path):
    one = picked(images, "shot.png")
    copied(images, client, tmp_path)
    before = len(asked(service))
    edited = {"is_public": False, "tags": ("family",), "title": "not for you", "filename": "b.png"}
    now = images.copy()
    for name, value in edited.items():
        now.at[one, name] = value

    again = copied(now, client, tmp_path)
    hidden = copied(now.assign(is_public=True), client, tmp_path)
    kept = copied(now, client, tmp_path, hidden=[one])

    assert len(asked(service)) == before
    told = again.proofs[one].image
    assert {name: getattr(told, name) for name in edited} == edited
    assert hidden.proofs[one].image.is_public is kept.proofs[one].image.is_public is True
    folder = BackupFolder.of(tmp_path, images.attrs["picora"])
    assert folder.proofs()[one].image == kept.proofs[one].image


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, None, id="as it was"),
        pytest.param({"size_bytes": 8}, "its size is no longer the copied one", id="size"),
        pytest.param(
            {"updated_at": dt.datetime(2026, 5, 1, tzinfo=dt.UTC)},
            "it was changed since it was copied",
            id="update time",
        ),
    ],
)
def test_a_proof_is_of_one_state_and_expires(change, reason):
    now = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    facts = {"id": "a", "url": "u", "size_bytes": 7}
    proof = Proof(
        file="picora-a", sha256="0", size_bytes=7, copied_at=now, image=ImageRecord(**facts)
    )
    image = ImageRecord(**{**facts, **change})

    assert why_stale(proof, image, now) == reason
    late = why_stale(proof, ImageRecord(**facts), now + dt.timedelta(days=14, seconds=1))
    assert late == "it was copied more than 14 days ago"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param((7, 7, 7, "ab"), None, id="all fits"),
        pytest.param((7, None, 7, None), None, id="only the listing tells"),
        pytest.param((7, 7, None, None), None, id="only the answer tells"),
        pytest.param((6, 7, 7, None), "6 of 7 bytes came", id="short"),
        pytest.param((8, 8, 7, None), "the listing says 7 bytes, and 8 came", id="longer"),
        pytest.param(
            (7, None, None, "ab"),
            "neither the listing nor the answer says how long it is",
            id="nobody tells",
        ),
        pytest.param(
            (7, 7, 7, "cd"), "its bytes are not those of its content hash", id="other bytes"
        ),
    ],
)
def test_bytes_are_the_original_only_where_everything_told_fits(facts, reason):
    size, promised, told, content_hash = facts

    assert why_not_the_original(size, "ab", promised, told, content_hash) == reason


def test_a_folder_holds_copies_of_one_account(client, images, tmp_path):
    copied(images, client, tmp_path)

    with (
        DemoServer(n_images=2, user_id="somebody-else-0123456") as other,
        pic.Client(other.api_key, other.url) as stranger,
    ):
        theirs = pic.load_images(stranger, store=None, progress=False)
        with pytest.raises(pic.BackupError, match=r"Give another folder\.$"):
            copied(theirs, stranger, tmp_path)

        assert asked(other) == []


@pytest.mark.slow
def test_a_folder_that_is_held_is_refused(client, images, tmp_path):
    class Again:
        def __init__(self):
            self.errors = []

        def update(self, done, total):
            try:
                copied(images, client, tmp_path)
            except pic.LockedError as error:
                self.errors.append(str(error))

        def wait(self, reason): ...

        def finish(self, text): ...

    second = Again()

    back_up(images, images.attrs["picora"], client, tmp_path, progress=second)

    assert second.errors and second.errors[0].endswith("wait until it has ended.")


def test_a_disk_without_the_room_is_refused_before_anything_is_fetched(
    service, client, images, tmp_path
):
    huge = images.assign(size_bytes=images["size_bytes"] * 0 + 10**15)

    with pytest.raises(pic.BackupError, match=r"Nothing was fetched\.$"):
        copied(huge, client, tmp_path)

    assert asked(service) == []


def test_a_folder_that_cannot_be_made_is_refused(client, images, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(pic.BackupError, match=r"cannot be used: .*\.$"):
        copied(images, client, tmp_path / "file" / "kept")


@pytest.mark.parametrize("name", ["copies.ndjson", ".picora-x.part"])
def test_a_folder_where_a_file_of_ours_is_a_folder_is_refused(client, images, tmp_path, name):
    (tmp_path / name).mkdir()

    with pytest.raises(pic.BackupError, match=r"cannot be used: .*\.$"):
        copied(images, client, tmp_path)


def test_progress_says_first_what_is_needed_and_last_what_stands(client, images, tmp_path):
    said = []

    class Show:
        def update(self, done, total):
            said.append((done, total))

        def wait(self, reason):
            said.append(reason)

        def finish(self, text):
            said.append(text)

    back_up(images, images.attrs["picora"], client, tmp_path, progress=Show())

    assert said[0].startswith("downloading ") and "this month's image bandwidth" in said[0]
    assert said[-2] == (8, 8)
    assert "8 of 8 images proved" in said[-1]


@pytest.mark.slow
def test_cancelling_keeps_what_is_proved(service, client, images, tmp_path):
    def cancelled():
        return len(list(tmp_path.glob("picora-*"))) >= 2

    backup = copied(images, client, tmp_path, cancelled=cancelled)

    assert 2 <= len(backup.proofs) < len(images)
    assert set(backup.proofs) | set(backup.failed) == set(images.index)
    assert backup.recheck(backup.proofs) == {}
    assert copied(images, client, tmp_path).n_reused == len(backup.proofs)


@pytest.mark.slow
def test_a_torn_or_foreign_line_of_the_manifest_is_no_proof(client, images, tmp_path):
    first = copied(images, client, tmp_path)
    manifest = tmp_path / "copies.ndjson"
    lines = manifest.read_bytes().splitlines()
    climbing = json.loads(lines[2])
    climbing["file"] = "../outside.png"
    lines[1], lines[2] = lines[1][:50], json.dumps(climbing).encode()
    manifest.write_bytes(b"\n".join(lines)[:-20])

    again = copied(images, client, tmp_path)

    assert again.n_reused == len(images) - 3
    assert again.failed == {}
    assert set(again.proofs) == set(first.proofs)


@pytest.mark.parametrize("content", [b"", b"{}\n", b'{"format": "something else"}\n'])
def test_a_manifest_that_says_not_whose_it_is_is_refused(client, images, tmp_path, content):
    (tmp_path / "copies.ndjson").write_bytes(content)

    with pytest.raises(pic.BackupError, match=r"or a new one\.$"):
        copied(images, client, tmp_path)


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # A run in the background inherits none.
import picora_analytics as pic
from picora_analytics.cleanup.backup.backup import back_up
url, key, folder = sys.argv[1:]
with pic.Client(key, url) as client:
    images = pic.load_images(client, store=None, progress=False)
    if {limit}:
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    try:
        backup = back_up(images, images.attrs["picora"], client, folder, progress=False)
        print(sorted(set(backup.failed.values())), len(backup.proofs), len(backup.failed))
    except KeyboardInterrupt:
        print("interrupted")
"""


def started(server, folder, limit=0):
    return subprocess.Popen(
        [
            *(sys.executable, "-W", "error", "-c", SCRIPT.format(limit=limit)),
            *(server.url, server.api_key, str(folder)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(os.name != "posix", reason="file size limits are POSIX")
@pytest.mark.slow
def test_a_full_disk_fails_what_does_not_fit_and_nothing_else(tmp_path):
    with DemoServer(n_images=12, rate_scale=500) as server:
        sizes = sorted(image.size_bytes for image in server.images.values())
        done = started(server, tmp_path, limit=sizes[6])
        out, err = done.communicate(timeout=60)

    assert out == "['the copy cannot be written (File too large)'] 7 5\n", err
    assert len(list(tmp_path.glob("picora-*"))) == 7
    assert list(tmp_path.glob(".picora-*")) == []


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
@pytest.mark.parametrize("word", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_was(service, client, images, tmp_path, word):
    service.fail("GET", "/*.*", skip=4, times=None, delay=30)
    run = started(service, tmp_path)
    manifest = tmp_path / "copies.ndjson"
    until = time.monotonic() + 60
    while not manifest.exists() or manifest.read_bytes().count(b"\n") < 5:
        assert time.monotonic() < until and run.poll() is None, run.communicate()
        time.sleep(0.02)
    run.send_signal(word)
    if word == signal.SIGKILL:
        run.communicate(timeout=60)
    else:
        assert run.stdout.readline() == "interrupted\n"
        run.kill()
        run.communicate(timeout=60)
    service.clear_faults()
    before = len(asked(service))

    backup = copied(images, client, tmp_path)

    assert backup.failed == {}
    assert backup.n_reused == 4
    assert len(asked(service)) - before == len(images) - 4
    assert {one: proof.sha256 for one, proof in backup.proofs.items()} == hashes(service)
    assert list(tmp_path.glob(".picora-*")) == []


def test_the_files_of_a_backup_are_read_as_far_as_they_are_there_and_small(
    images, client, tmp_path
):
    few = images[images["is_public"].fillna(False).astype(bool)].head(3)
    backup = copied(few, client, tmp_path / "kept")
    one, other, large = few.index
    (tmp_path / "kept" / backup.proofs[other].file).unlink()
    facts, most = images.attrs["picora"], backup.proofs[one].size_bytes

    def read(ids, most):
        return dict(backed_up_pictures(facts, tmp_path / "kept", ids, most))

    whole = (tmp_path / "kept" / backup.proofs[one].file).read_bytes()
    assert read([one, other, "nobody's"], most) == {one: whole}
    assert read([one], most - 1) == {}
    assert set(read([one, large], 2**40)) == {one, large}
