"""A proof fits everything that was told: width, height, type, length, hash; a body that came for many proves none."""

import datetime as dt
import hashlib
import io
import struct
import threading

import pytest
from PIL import Image

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.backup import decoding
from picora_analytics.cleanup.backup.backup import back_up, records_of
from picora_analytics.cleanup.backup.decoding import (
    DecodeError,
    Picture,
    decode_picture,
)
from picora_analytics.cleanup.backup.folder import Proof, why_stale
from picora_analytics.client.shapes import ImageRecord
from picora_analytics.library.media_types import picture_type

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def drawn(kind="PNG", size=(8, 6), color="red", **options):
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, kind, **options)
    return buffer.getvalue()


def backed_up(images, client, folder, **options):
    return back_up(images, images.attrs["picora"], client, folder, progress=False, **options)


@pytest.fixture
def service():
    with DemoServer(n_images=0, rate_scale=500) as server:
        for number in range(4):
            server.upload(drawn(size=(80, 60), color=(number, 0, 0)), f"{number}.png")
        yield server


@pytest.fixture
def images(client):
    return pic.load_images(client, store=None, progress=False)


UNSIZED = {"size_bytes": None}


@pytest.mark.parametrize(
    ("listed", "body", "reason"),
    [
        pytest.param(
            UNSIZED, drawn(), "the listing says 80 x 60 pixels, and 8 x 6 came", id="tiny"
        ),
        pytest.param(
            UNSIZED,
            drawn(size=(40, 30)),
            "the listing says 80 x 60 pixels, and 40 x 30 came",
            id="half as wide",
        ),
        pytest.param(
            UNSIZED,
            drawn(size=(60, 80)),
            "the listing says 80 x 60 pixels, and 60 x 80 came",
            id="on its side, and nothing says so",
        ),
        pytest.param(
            UNSIZED | {"height": None},
            drawn(size=(79, 60)),
            "the listing says 80 x ? pixels, and 79 x 60 came",
            id="only the width told",
        ),
        pytest.param(
            UNSIZED,
            drawn("WEBP", size=(80, 60)),
            "the listing says image/png, the bytes are image/webp",
            id="another type",
        ),
        pytest.param(
            UNSIZED | {"mime_type": "image/heic"},
            drawn(size=(80, 60)),
            "the listing says image/heic, the bytes are image/png",
            id="for a type not known here",
        ),
        pytest.param(
            UNSIZED | {"content_hash": "AB" * 32},
            drawn(size=(80, 60)),
            "its bytes are not those of its content hash",
            id="another hash",
        ),
        pytest.param(
            {"size_bytes": 1234},
            drawn(size=(80, 60)),
            "the listing says 1,234 bytes",
            id="another length",
        ),
    ],
)
def test_a_body_that_does_not_fit_what_was_told_is_no_proof(
    service, client, images, tmp_path, listed, body, reason
):
    bad = images.index[0]
    for column, value in listed.items():
        images.loc[bad, column] = value
    service.fail("GET", f"/{bad}.*", times=None, body=body)

    backup = backed_up(images, client, tmp_path)

    assert list(backup.failed) == [bad]
    assert backup.failed[bad].startswith(reason)
    assert set(backup.proofs) == set(images.index) - {bad}
    assert set(backup.recheck(images.index)) == {bad}


@pytest.mark.parametrize(
    ("kind", "orientation", "listed"),
    [
        pytest.param("JPEG", 6, (80, 60), id="as stored"),
        pytest.param("JPEG", 6, (60, 80), id="as shown"),
        pytest.param("JPEG", 8, (60, None), id="as shown, only the width"),
        pytest.param("WEBP", 5, (60, 80), id="WebP as shown"),
        pytest.param("PNG", None, (None, None), id="nothing told"),
    ],
)
def test_a_picture_stored_on_its_side_fits_in_either_direction(tmp_path, kind, orientation, listed):
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    path = tmp_path / "x"
    path.write_bytes(drawn(kind, (80, 60), exif=exif))

    assert decode_picture(path, None).why_not(*listed) is None


def test_a_picture_of_no_pixels_fits_any():
    assert Picture("svg").why_not(10, 20) is None


def test_one_body_for_many_images_is_no_proof_where_no_size_tells_them_apart(
    service, client, images, tmp_path
):
    images["size_bytes"] = None
    images[["width", "height"]] = None
    placeholder = drawn(color="gray")
    for image_id in images.index[:3]:
        service.fail("GET", f"/{image_id}.*", times=None, body=placeholder)

    backup = backed_up(images, client, tmp_path)

    assert set(backup.failed) == set(images.index[:3])
    assert set(backup.failed.values()) == {
        "the same bytes came for 2 other images, and the listing tells no size to compare them with"
    }
    # Nor a week later, one by one.
    again = backed_up(images.iloc[:1], client, tmp_path)
    assert list(again.failed) == [images.index[0]]
    assert again.recheck(images.index[:1]) == again.failed


@pytest.mark.parametrize("told", ["size", "hash"])
def test_true_duplicates_are_proved_where_size_or_hash_is_told(
    service, client, images, tmp_path, told
):
    one, other = images.index[:2]
    data = service.picture(one)
    service.edit(other, data=data, size_bytes=len(data))
    images["size_bytes"] = len(data) if told == "size" else None
    if told == "hash":
        images["content_hash"] = hashlib.sha256(data).hexdigest().upper()

    backup = backed_up(images.loc[[one, other]], client, tmp_path)

    assert backup.failed == {}
    assert backed_up(images.loc[[one, other]], client, tmp_path).n_reused == 2


@pytest.mark.parametrize(
    ("spelled", "same"),
    [
        pytest.param("IMAGE/PNG", "image/png", id="capitals"),
        pytest.param(" image/jpg ; q=1", "image/jpeg", id="blanks and a parameter"),
        pytest.param("image/x-png", "image/png", id="x-"),
        pytest.param("image/svg", "image/svg+xml", id="svg"),
        pytest.param("image/vnd.mozilla.apng", "image/png", id="moving png"),
        pytest.param("image/*", None, id="any picture"),
        pytest.param("image/", None, id="half a type"),
        pytest.param("binary/octet-stream", None, id="bytes"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="missing"),
    ],
)
def test_a_type_has_many_spellings_and_some_say_nothing(spelled, same):
    assert picture_type(spelled) == same


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({}, None, id="as it was"),
        pytest.param({"mime_type": "Image/X-PNG"}, None, id="type spelled differently"),
        pytest.param({"url": "https://elsewhere"}, None, id="moved"),
        pytest.param({"width": 81}, "its width and height are no longer", id="width"),
        pytest.param({"height": None}, "its width and height are no longer", id="height"),
        pytest.param({"mime_type": "image/gif"}, "its type is no longer", id="type"),
    ],
)
def test_a_proof_is_of_all_that_was_told_then(change, reason):
    facts = {"id": "a", "url": "u", "size_bytes": 7, "width": 80, "height": 60}
    facts["mime_type"] = "image/png"
    proof = Proof(
        file="picora-a.png",
        sha256="0",
        size_bytes=7,
        copied_at=NOW,
        image=ImageRecord(**facts),
        pixels=(80, 60),
    )

    found = why_stale(proof, ImageRecord(**facts | change), NOW)

    assert found is None if reason is None else found.startswith(reason)


@pytest.mark.slow
def test_a_proof_of_before_that_compared_no_pixels_is_made_again(client, images, tmp_path):
    first = backed_up(images, client, tmp_path)
    manifest = tmp_path / "copies.ndjson"
    manifest.write_bytes(manifest.read_bytes().replace(b'"pixels":[80,60]', b'"more":0'))

    again = backed_up(images, client, tmp_path)

    assert (first.n_reused, again.n_reused, again.failed) == (0, 0, {})
    assert backed_up(images, client, tmp_path).n_reused == len(images)


def gif(n_frames):
    head = b"GIF89a" + struct.pack("<HH", 1, 1) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    return head + b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0" * n_frames + b";"


def test_of_many_frames_a_bounded_number_is_decoded(tmp_path):
    path = tmp_path / "x.gif"
    path.write_bytes(gif(decoding.MAX_FRAMES * 50))
    asked = []

    assert decode_picture(path, "image/gif", lambda: bool(asked.append(1))).pixels == (1, 1)
    assert len(asked) == decoding.MAX_FRAMES


def test_decoding_ends_between_frames_and_while_others_decode(tmp_path):
    path = tmp_path / "x.gif"
    path.write_bytes(gif(1_000))
    asked = []

    def stopped():
        asked.append(1)
        return len(asked) > 3

    with pytest.raises(DecodeError, match=r"^stopped before it was proved$"):
        decode_picture(path, None, stopped)
    assert len(asked) == 4
    with (
        decoding._turn(lambda: False),
        decoding._turn(lambda: False),
        pytest.raises(DecodeError, match=r"^stopped before it was proved$"),
    ):
        decode_picture(path, None, lambda: True)


def test_cancelling_waits_for_no_host_and_nothing_is_written_afterwards(
    service, client, images, tmp_path
):
    service.fail("GET", "/*.png", times=None, delay=2.0)
    asked = []

    backup = backed_up(
        images, client, tmp_path, cancelled=lambda: bool(asked.append(1) or len(asked) > 12)
    )
    ended = sorted(path.name for path in tmp_path.glob("picora-*"))
    for thread in threading.enumerate():
        if thread.name == "picora-backup":
            thread.join(60)

    assert set(backup.failed) == set(images.index)
    assert set(backup.failed.values()) <= {
        "stopped",
        "not tried: stopped",
        "stopped before it was proved",
    }
    assert sorted(path.name for path in tmp_path.glob("picora-*")) == ended == []
    assert (tmp_path / "copies.ndjson").read_bytes().count(b"\n") == 1


def test_checking_what_is_there_ends_when_cancelled(client, images, tmp_path):
    backed_up(images, client, tmp_path)

    backup = backed_up(images, client, tmp_path, cancelled=lambda: True)

    assert backup.proofs == {}
    assert set(backup.failed.values()) == {"not tried: stopped"}


def test_records_are_made_of_rows_as_they_were(make_images):
    images = make_images(
        id=["a", "b"],
        tags=[("x", "y"), None],
        size_bytes=[7, None],
        is_public=[None, True],
        created_at=["2026-01-02T03:04:05.000006Z", None],
    )

    one, other = records_of(images)

    assert (one.id, one.tags, one.size_bytes, one.is_public) == ("a", ("x", "y"), 7, None)
    assert one.created_at == dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    assert type(one.created_at) is dt.datetime and type(one.size_bytes) is int
    assert (other.tags, other.size_bytes, other.is_public, other.created_at) == (
        None,
        None,
        True,
        None,
    )


@pytest.mark.slow
def test_the_home_folder_is_meant_by_a_tilde(client, images, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()

    backup = backed_up(images, client, "~/kept")

    assert backup.folder == tmp_path / "home" / "kept"
    assert list(pic.restore_images(client, "~/kept", progress=False)["outcome"]) == [
        "already there"
    ] * len(images)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    with pytest.raises(pic.BackupError, match=r"^The folder '~nobody-here/kept' cannot be used: "):
        backed_up(images, client, "~nobody-here/kept")
