"""A content hash proves that two files are equal, so one that is none, or of an older file, is never kept."""

import hashlib

import pytest

from picora_analytics import load_images
from picora_analytics.library.refresh.refreshing import sha256_in

GOOD = hashlib.sha256(b"a picture").hexdigest()


def load(client, store):
    return load_images(client, store=store, progress=False)


def _tells(content_hash, image_ids=None):
    """Make the feed tell this hash of some images, or of all."""

    def bend(answer):
        for change in answer["data"]["changes"]:
            if image_ids is None or change["id"] in image_ids:
                change["contentHash"] = content_hash
        return answer

    return bend


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("pending", id="a word"),
        pytest.param("", id="nothing"),
        pytest.param("0" * 64, id="zeros"),
        pytest.param("f" * 64, id="ones"),
        pytest.param(hashlib.sha256(b"").hexdigest(), id="the hash of nothing"),
        pytest.param(GOOD[:40], id="cut off"),
        pytest.param(f"{GOOD}{GOOD}", id="too long"),
        pytest.param("g" + GOOD[1:], id="not hexadecimal"),
    ],
)
def test_a_placeholder_is_no_hash_and_makes_no_duplicates(serve, tmp_path, text):
    server, client = serve(30)
    load(client, tmp_path)
    server.fail("GET", "/v1/sync/state", times=None, body=_tells(text))

    images = load(client, tmp_path)

    assert images["content_hash"].isna().all()
    assert sha256_in(text) is None


def test_a_hash_has_one_spelling(serve, tmp_path):
    server, client = serve(5)
    load(client, tmp_path)
    server.fail("GET", "/v1/sync/state", body=_tells(f" {GOOD.upper()} "))

    assert set(load(client, tmp_path)["content_hash"]) == {GOOD}


@pytest.mark.parametrize("said", [None, "pending"])
def test_an_edited_image_does_not_keep_the_hash_of_its_former_file(serve, tmp_path, said):
    server, client = serve(30)
    for _ in range(2):
        before = load(client, tmp_path)
    edited, *others = server.images
    server.edit(edited, title="another file")
    server.fail("GET", "/v1/sync/state", times=None, body=_tells(said, {edited}))

    images = load(client, tmp_path)

    assert before["content_hash"].notna().all()
    assert images["content_hash"].isna().to_dict() == {
        image_id: image_id == edited for image_id in images.index
    }
    assert images.loc[others, "content_hash"].equals(before.loc[others, "content_hash"])
