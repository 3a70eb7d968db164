"""`load_images`: exactly the library, by the service's own truth, or an error with what was read."""

import io
import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, strategies as st
from pandas.testing import assert_frame_equal

from picora_analytics import (
    AuthenticationError,
    Client,
    DemoServer,
    IncompleteLoadError,
    NotFoundError,
    PermissionDeniedError,
    ResponseFormatError,
    SnapshotError,
    SnapshotStore,
    StatusError,
    TransportError,
    load_images,
)
from picora_analytics.progress import Lines

SHAPES = [
    pytest.param({}, id="current shape"),
    pytest.param({"shape": "seed"}, id="seed shape"),
    pytest.param({"seed_only": True}, id="seed only"),
    pytest.param({"seed_only": True, "total": False}, id="seed only, no total"),
]


def load(client, **options):
    return load_images(client, **{"store": None, "progress": False, **options})


def truth(server, ids, *, seed_shape):
    """Write the frame down from the service's own state, by other means than the loader's."""
    made = [server.images[one] for one in ids]
    rows = {
        "filename": [image.filename for image in made],
        "title": [None if seed_shape else image.title for image in made],
        "url": [f"{server.pictures_url}/{image.id}.{image.extension}" for image in made],
        "mime_type": [image.mime_type for image in made],
        "size_bytes": [image.size_bytes for image in made],
        "width": [image.width for image in made],
        "height": [image.height for image in made],
        "is_public": [image.is_public for image in made],
        "tags": [image.tags for image in made],
        "created_at": [image.created_at for image in made],
        "updated_at": [None if seed_shape else image.updated_at for image in made],
        "content_hash": [None] * len(made),
    }
    return {
        name: [None if _missing(value) else value for value in values]
        for name, values in rows.items()
    }


def plain(images):
    """Give a frame's columns as plain lists, times in milliseconds."""
    columns = {}
    for name in images.columns:
        values = [None if _missing(value) else value for value in images[name]]
        if name.endswith("_at"):
            epoch = pd.Timestamp(0, tz="UTC")
            values = [
                None if value is None else (value - epoch) // pd.Timedelta(milliseconds=1)
                for value in values
            ]
        columns[name] = values
    return columns


def _missing(value):
    return value is None or (not isinstance(value, tuple) and bool(pd.isna(value)))


@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("n_images", [0, 1, 100, 101, 230])
def test_a_load_is_exactly_the_library(serve, options, n_images):
    server, client = serve(n_images, **options)

    images = load(client)

    newest_first = sorted(
        server.images.values(), key=lambda image: (image.created_at, image.id), reverse=True
    )
    assert list(images.index) == [image.id for image in newest_first]
    seed_shape = bool(options)
    assert plain(images) == truth(server, images.index, seed_shape=seed_shape)


@pytest.mark.parametrize("options", SHAPES)
def test_a_load_sends_nothing_but_reads(serve, options):
    server, client = serve(120, **options)

    load(client)

    assert {seen.method for seen in server.requests} == {"GET"}
    paths = {seen.path for seen in server.requests}
    assert paths <= {"/v1/images", "/v1/auth/verify", "/v1/user/me/usage"}


def test_the_facts_say_where_the_frame_comes_from(serve):
    server, client = serve(130, seed_only=True)

    images = load(client)

    facts = dict(images.attrs["picora"])
    read_at = pd.Timestamp(facts.pop("read_at"))
    assert abs(pd.Timestamp.now("UTC") - read_at) < pd.Timedelta(minutes=1)
    assert facts == {
        "account": client.account(),
        "base_url": server.url,
        "demo": True,
        "scope": "library",
        "loaded_at": "2026-11-23T14:00:00Z",
        "status": "complete",
        "n_images": 130,
        "size_bytes": sum(image.size_bytes for image in server.images.values()),
        "total": 130,
        "checks": {"n_pages": 2, "repeated": 0, "unreadable": {}},
    }


def test_ids_that_look_like_options_and_formulas_are_ids(serve):
    server, client = serve(2)
    odd = ["-aT40cZpLq8", "_aT40cZpLq8", "--help00000", "AbCdEfGhIjK", "abcdefghijk", "00000000001"]
    for number, one in enumerate(odd):
        image = next(iter(server.images.values()))
        server._state.add(replace(image, id=one, created_at=image.created_at + number + 1))

    images = load(client)

    assert set(odd) <= set(images.index)
    assert images.loc["-aT40cZpLq8", "url"].endswith("/-aT40cZpLq8." + image.extension)


@pytest.mark.parametrize("options", SHAPES)
def test_a_load_by_tag_is_of_that_tag_and_says_so(serve, options):
    server, client = serve(300, **options)
    counts = pd.Series(
        [tag for image in server.images.values() for tag in image.tags]
    ).value_counts()
    tag = counts.index[0]

    images = load(client, tag=tag)

    assert set(images.index) == {one for one, image in server.images.items() if tag in image.tags}
    assert images.attrs["picora"]["scope"] == f"tag={tag}"
    assert images.attrs["picora"]["status"] == "complete"
    assert images.attrs["picora"]["total"] is None


def test_a_tag_nobody_has_gives_an_empty_frame_of_the_usual_columns(serve):
    _, client = serve(5)

    images = load(client, tag="nobody has this")

    assert_frame_equal(images, load(client).iloc[:0])


def test_the_type_falls_back_to_the_url_and_then_to_the_name(serve):
    server, client = serve(7)

    def strip(answer):
        for record, (url, name) in zip(
            answer["data"]["images"],
            [
                ("https://x/a.webp?w=1", "a.png"),
                ("https://x/a", "a.PNG"),
                ("https://x/a.svg", None),
                ("https://x/a.exe", "a.txt"),
                ("https://x/a.avif", "a.html"),
                ("https://x/a.heic", ""),
                ("https://[x/a.gif#b.png", None),
            ],
            strict=True,
        ):
            record.update(url=url, filename=name)
            del record["mimeType"]
        return answer

    server.fail("GET", "/v1/images", body=strip)

    types = load(client)["mime_type"]

    assert [None if pd.isna(one) else one for one in types] == [
        "image/webp",
        "image/png",
        "image/svg+xml",
        None,
        "image/avif",
        "image/heic",
        "image/gif",
    ]


# Odd fields


@pytest.mark.parametrize(
    ("field", "value", "column"),
    [
        pytest.param("sizeBytes", -5, "size_bytes", id="negative size"),
        pytest.param("sizeBytes", 2**63 + 1, "size_bytes", id="size beyond 64 bits"),
        pytest.param("createdAt", "2026-01-01T00:00:00", "created_at", id="date without a zone"),
        pytest.param("createdAt", "0001-01-01T00:00:00Z", "created_at", id="year 1"),
        pytest.param("updatedAt", "9999-12-31T23:59:59.999Z", "updated_at", id="year 9999"),
        pytest.param("tags", ["a", 1], "tags", id="a number among tags"),
        pytest.param("isPublic", "yes", "is_public", id="visibility in words"),
    ],
)
def test_an_odd_field_costs_that_field_and_no_row(serve, field, value, column):
    server, client = serve(90)
    good = load(client)

    def spoil(answer):
        answer["data"]["images"][1][field] = value
        return answer

    server.fail("GET", "/v1/images", body=spoil)
    images = load(client)

    assert images.attrs["picora"]["checks"]["unreadable"] == {column: 1}
    assert images.attrs["picora"]["status"] == "complete"
    assert _missing(images[column].iloc[1])
    rest = images.index != images.index[1]
    assert_frame_equal(images[rest], good[rest])
    assert images.dtypes.equals(good.dtypes)


def test_absent_null_and_empty_tags_stay_different_in_the_frame(serve):
    server, client = serve(3)

    def silence(answer):
        first, second, third = answer["data"]["images"]
        del first["tags"]
        second["tags"], third["tags"] = None, []
        return answer

    server.fail("GET", "/v1/images", body=silence)

    assert list(load(client)["tags"]) == [None, None, ()]


@pytest.mark.parametrize(
    "field",
    [
        "filename",
        "title",
        "mimeType",
        "sizeBytes",
        "width",
        "isPublic",
        "tags",
        "createdAt",
        "updatedAt",
    ],
)
@pytest.mark.parametrize("how", ["null", "absent"])
def test_any_field_may_be_missing_everywhere(serve, field, how):
    server, client = serve(4)

    def silence(answer):
        for record in answer["data"]["images"]:
            if how == "null":
                record[field] = None
            else:
                del record[field]
        return answer

    before = load(client)
    server.fail("GET", "/v1/images", body=silence)
    images = load(client)

    assert images.dtypes.equals(before.dtypes)
    assert len(images) == 4
    assert images.attrs["picora"]["checks"]["unreadable"] == {}


# Listings that do not end well

KEPT = " images read so far are in this error's .images, for looking only; load again for a whole frame."


@pytest.mark.slow
def test_what_the_service_counts_of_the_storage_is_a_fact_and_is_remembered(serve, tmp_path):
    server, client = serve(130)
    options = {"store": tmp_path, "progress": False}
    stored = sum(image.size_bytes for image in server.images.values())

    first = load_images(client, **options)
    asked = [seen.path for seen in server.requests].count("/v1/user/me/usage")
    server.remove(first.index[0])
    remembered = load_images(client, refresh="never", **options)
    refreshed = load_images(client, **options)

    assert first.attrs["picora"]["usage"] == {
        "size_bytes": stored,
        "quota_bytes": server.quota_bytes,
    }
    assert asked == 1
    assert remembered.attrs == first.attrs
    stored -= int(first["size_bytes"].iloc[0])
    assert refreshed.attrs["picora"]["usage"] == {
        "size_bytes": stored,
        "quota_bytes": server.quota_bytes,
    }
    assert refreshed.attrs["picora"]["checks"]["refreshed"]["deleted"] == 1
    # What a service refuses is no fact, and what it told before is none any more.
    server.fail("GET", "/v1/user/me/usage", times=None, status=403)
    assert "usage" not in load_images(client, **options).attrs["picora"]


def turn(cursors):
    """Give each page the next of some cursors."""
    pages = iter(range(10**6))

    def bend(answer):
        answer["data"]["nextCursor"] = cursors(next(pages))
        return answer

    return bend


def test_an_empty_cursor_is_the_end(serve):
    server, client = serve(250, scopes=("images:read",))  # Told the usage, a load would doubt it.
    server.fail("GET", "/v1/images", body=turn(lambda n: ""))

    assert len(load(client)) == 100


def _real_cursors(server, client):
    return [page.next_cursor for page in client.iter_pages()][:-1]


def test_the_same_cursor_twice_is_a_circle(serve):
    server, client = serve(450)
    first = _real_cursors(server, client)[0]
    server.fail("GET", "/v1/images", times=None, body=turn(lambda n: first))

    with pytest.raises(
        IncompleteLoadError,
        match=re.escape(
            "The listing turns in circles: page 2 points back to where page 1 pointed. The 200"
            + KEPT
        )
        + "$",
    ) as caught:
        load(client)

    partial = caught.value.images
    assert len(partial) == 200
    assert partial.attrs["picora"]["status"] == "partial"
    assert partial.attrs["picora"]["n_images"] == 200


@pytest.mark.slow
def test_a_cycle_of_three_is_a_circle(serve):
    server, client = serve(450)
    cursors = _real_cursors(server, client)
    server.fail("GET", "/v1/images", times=None, body=turn(lambda n: cursors[n % 3]))

    with pytest.raises(
        IncompleteLoadError,
        match=re.escape(
            "The listing turns in circles: page 4 points back to where page 1 pointed. The 400"
            + KEPT
        )
        + "$",
    ):
        load(client)


@pytest.mark.parametrize("barren", [1, 2, 3, 4])
def test_three_pages_that_bring_nothing_and_claim_more_are_a_circle(serve, barren):
    server, client = serve(150)
    second = _real_cursors(server, client)[0]
    for number in range(1, barren + 1):
        cursor = second if number == barren else f"c{number}"
        body = json.dumps({"data": {"images": [], "nextCursor": cursor}})
        server.fail("GET", "/v1/images", body=body)

    if barren < 3:
        assert len(load(client)) == 150  # The newest page, read again, shows what was left out.
        return
    with pytest.raises(
        IncompleteLoadError,
        match=re.escape(
            "The listing turns in circles: pages 1 to 3 brought nothing new and still claim more. The 0"
            + KEPT
        )
        + "$",
    ):
        load(client)


def test_a_total_that_is_not_reached_makes_it_partial(serve):
    server, client = serve(120, shape="seed")

    def lose(answer):
        answer["data"]["items"] = answer["data"]["items"][:-7]
        return answer

    server.fail("GET", "/v1/images", times=1, body=lose)
    server.fail("GET", "/v1/images", skip=1, body=lose)

    with pytest.raises(
        IncompleteLoadError,
        match=re.escape(
            "The service counts 120 images, but its listing held 113 in 2 pages; images may have been uploaded or "
            "deleted meanwhile. The 113" + KEPT
        )
        + "$",
    ) as caught:
        load(client)

    assert caught.value.images.attrs["picora"]["status"] == "partial"
    assert caught.value.images.attrs["picora"]["total"] == 120


@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        pytest.param("2026-11-01T00:00:00Z", "new", id="the repeat is newer"),
        pytest.param("2001-01-01T00:00:00Z", "old", id="the repeat is older"),
        pytest.param(None, "old", id="the repeat has no date"),
    ],
)
def test_of_two_versions_of_an_image_the_newest_counts(serve, newer, expected):
    server, client = serve(3)

    def repeat(answer):
        first = answer["data"]["images"][0]
        first.update(filename="old", updatedAt="2026-10-01T00:00:00Z")
        answer["data"]["images"].append({**first, "filename": "new", "updatedAt": newer})
        return answer

    server.fail("GET", "/v1/images", body=repeat)

    images = load(client)

    assert len(images) == 3
    assert images["filename"].iloc[0] == expected
    assert images.attrs["picora"]["checks"]["repeated"] == 1


@pytest.mark.parametrize(
    ("fault", "cause", "says"),
    [
        pytest.param(
            {"status": 500}, StatusError, r"answered 500 INTERNAL: Scripted fault\.", id="500"
        ),
        pytest.param({"status": 403}, PermissionDeniedError, r"on Picora's key page\.", id="403"),
        pytest.param(
            {"status": 401}, AuthenticationError, r"picora\.cn\.", id="a key revoked meanwhile"
        ),
        pytest.param({"drop": True}, TransportError, r"the base URL '.*'\.", id="no answer"),
        pytest.param({"cut": 9}, TransportError, r"the base URL '.*'\.", id="cut off"),
        pytest.param({"body": "<html>"}, ResponseFormatError, r"in between\?", id="a proxy's page"),
        pytest.param(
            {"body": "{}"}, ResponseFormatError, r"nothing was taken from it\.", id="no listing"
        ),
    ],
)
def test_a_page_that_never_comes_leaves_what_was_read(serve, fault, cause, says):
    server, client = serve(250, max_wait=0.1)
    server.fail("GET", "/v1/images", skip=2, times=None, **fault)

    with pytest.raises(
        IncompleteLoadError,
        match=rf"^The library was not read whole: page 3 never came\. GET /v1/images at 127\.0\.0\.1 .*{says} "
        r"The 200" + re.escape(KEPT) + "$",
    ) as caught:
        load(client)

    assert isinstance(caught.value.__cause__, cause)
    assert len(caught.value.images) == 200
    assert caught.value.images.attrs["picora"]["status"] == "partial"


@pytest.mark.parametrize("path", ["/v1/images", "/v1/auth/verify"])
def test_a_first_answer_that_fails_is_the_api_error_itself(serve, path):
    server, client = serve(3)
    server.fail("GET", path, status=401)

    with pytest.raises(AuthenticationError, match=r"to one of .*https://api\.picora\.cn\.$"):
        load(client)


def test_a_first_page_that_is_not_there_is_a_not_found_error(serve):
    server, client = serve(3)
    server.fail("GET", "/v1/images", status=404)

    with pytest.raises(
        NotFoundError,
        match=r"^GET /v1/images at 127\.0\.0\.1 answered 404 NOT_FOUND: Scripted fault\.$",
    ):
        load(client)


@pytest.fixture(scope="module")
def known():
    with DemoServer(250, rate_scale=None, shape="seed") as server:
        with Client(server.api_key, server.url) as client:
            ids = list(load(client).index)
        yield server, ids


@given(data=st.data())
@pytest.mark.slow
def test_whatever_one_page_answers_a_complete_frame_is_the_truth(known, data):
    server, ids = known
    skip = data.draw(st.integers(0, 2))
    bodies = ["", "{", "null", "[7]", '{"data":{"items":{}}}', "<html>"]
    # An empty library with no total is a true answer, unless a page before it told the total.
    bodies += ['{"data":{"items":[]}}', "[]"] * (skip > 0)
    fault = data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "status": st.sampled_from([400, 403, 404, 500, 503]),
                "body": st.sampled_from(bodies),
                "cut": st.integers(0, 5000),
            },
        )
    )
    server.clear_faults()
    server.fail("GET", "/v1/images", skip=skip, **fault)

    with Client(server.api_key, server.url, max_wait=0.01) as client:
        try:
            images = load(client)
        except IncompleteLoadError as error:
            assert error.images.attrs["picora"]["status"] == "partial"
            assert list(error.images.index) == ids[: len(error.images)]
        except (StatusError, ResponseFormatError, TransportError):
            assert skip == 0
        else:
            assert list(images.index) == ids


# Remembering


def test_a_load_is_remembered_and_given_again_without_a_listing(serve, tmp_path):
    server, client = serve(120)
    first = load(client, store=tmp_path / "here")
    server.remove(first.index[0])
    before = len(server.requests)

    again = load(client, store=tmp_path / "here", refresh="never")

    assert_frame_equal(again, first)
    assert again.attrs["picora"] == first.attrs["picora"]
    assert [seen.path for seen in server.requests[before:]] == []


def test_the_demo_is_remembered_outside_the_users_folder(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("PICORA_DATA_DIR", str(tmp_path))
    _, client = serve(3, user_id="another-demo")

    first = load(client, store="default")
    again = load(client, store="default", refresh="never")

    assert_frame_equal(again, first)
    assert list(tmp_path.iterdir()) == []


def test_a_real_library_is_remembered_in_the_users_folder_by_account(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("PICORA_DATA_DIR", str(tmp_path))
    server, client = serve(3)
    server.fail("GET", times=None, headers={"Server": "picora"})

    load(client, store="default")

    (file,) = tmp_path.rglob("*.parquet")
    assert file.parent == tmp_path / "snapshots" / client.account()


def test_store_none_writes_nothing(serve, tmp_path, monkeypatch):
    monkeypatch.setenv("PICORA_DATA_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    server, client = serve(3)
    server.fail("GET", times=None, headers={"Server": "picora"})

    load(client, store=None)

    assert list(tmp_path.iterdir()) == []


def test_nothing_remembered_is_an_error_that_says_how_to_begin(serve, tmp_path):
    _, client = serve(3)

    with pytest.raises(
        SnapshotError,
        match=rf"^There are no snapshots in {re.escape(str(tmp_path))}; load_images\(client\) makes the first\.$",
    ):
        load(client, store=tmp_path, refresh="never")
    with pytest.raises(
        SnapshotError,
        match=r"^refresh='never' needs a store, and store=None remembers nothing\.$",
    ):
        load(client, store=None, refresh="never")


def test_a_folder_of_another_account_is_refused_before_anything_is_listed(serve, tmp_path):
    _, one = serve(3, user_id="someone")
    server, other = serve(3, user_id="someone-else")
    load(one, store=tmp_path)

    with pytest.raises(
        SnapshotError,
        match=rf"^{re.escape(str(tmp_path))} holds snapshots of another account; give each account a folder of its "
        r"own\.$",
    ):
        load(other, store=tmp_path)

    assert [seen.path for seen in server.requests] == ["/v1/auth/verify"]


def test_a_damaged_snapshot_in_the_folder_is_named(serve, tmp_path):
    _, client = serve(3)
    load(client, store=tmp_path)
    (file,) = tmp_path.glob("*.parquet")
    file.write_bytes(file.read_bytes()[:100])

    with pytest.raises(
        SnapshotError,
        match=rf"^The snapshot {re.escape(str(file))} is damaged \(\w+\); delete that file, and the library is read "
        r"from Picora again\.$",
    ):
        load(client, store=tmp_path)


def test_a_load_that_cannot_be_remembered_is_not_thrown_away(serve, tmp_path):
    _, client = serve(3)
    (tmp_path / "file").write_text("in the way")

    with pytest.warns(
        UserWarning,
        match=r"^The library was read whole, but not remembered in .*: .*\. Choose another folder with store=, or "
        r"store=None\.$",
    ):
        images = load(client, store=tmp_path / "file" / "sub")

    assert len(images) == 3


@pytest.mark.parametrize("tagged", [True, False])
def test_only_whole_libraries_are_remembered(serve, tmp_path, tagged):
    server, client = serve(150)
    if tagged:
        load(client, store=tmp_path, tag=next(t for i in server.images.values() for t in i.tags))
        assert list(tmp_path.iterdir()) == []
    else:
        server.fail("GET", "/v1/images", skip=1, status=404)
        with pytest.raises(IncompleteLoadError):
            load(client, store=tmp_path)

    assert SnapshotStore(tmp_path).versions() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"refresh": "now"}, "refresh='now' is none of 'auto', 'full' and 'never'.", id="refresh"
        ),
        pytest.param(
            {"tag": "x", "refresh": "never"},
            "A load by tag is not remembered, so refresh='never' has nothing to give.",
            id="a tag, remembered",
        ),
        pytest.param(
            {"tag": ""}, "tag='' is no tag; leave it out for the whole library.", id="an empty tag"
        ),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(serve, options, message):
    server, client = serve()

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        load(client, **options)

    assert server.requests == []


# What a person sees


class Seen:
    def __init__(self):
        self.calls = []

    def update(self, done, total):
        self.calls.append((done, total))

    def wait(self, reason):
        self.calls.append(reason)

    def finish(self, text):
        self.calls.append(text)


@pytest.mark.parametrize("shape", ["seed", "current"])
def test_progress_counts_images_and_ends_with_the_verdict(serve, shape):
    server, client = serve(250, shape=shape)
    size = f"{sum(i.size_bytes for i in server.images.values()) / 2**20:.1f} MiB"
    seen = Seen()

    load(client, progress=seen)

    # Where the listing tells no total, the service is asked once how many there are.
    assert seen.calls[:-1] == [(100, 250), (200, 250), (250, 250)]
    counted = " = 250 counted by the service" if shape == "seed" else ""
    assert seen.calls[-1] == (
        f"Complete: 250 rows = 250 different ids{counted}, {size}; read 2026-11-23 14:00 UTC by the clock of the demo"
    )


@pytest.mark.parametrize("n_images", [100, 250])
def test_how_many_there_are_is_asked_only_to_be_shown(serve, n_images):
    server, client = serve(n_images)
    load(client, progress=False)
    unseen = [one.path for one in server.requests]

    load(client, progress=Seen())

    more = [one.path for one in server.requests][len(unseen) :].count("/v1/user/me/usage")
    assert more - unseen.count("/v1/user/me/usage") == (n_images > 100)


def test_the_verdict_names_what_was_not_readable(serve):
    server, client = serve(3)

    def spoil(answer):
        for record in answer["data"]["images"]:
            record["width"] = "wide"
        answer["data"]["images"][0]["tags"] = 5
        return answer

    server.fail("GET", "/v1/images", body=spoil)
    seen = Seen()

    load(client, progress=seen)

    assert "; not readable: 1 tags, 3 width; read" in seen.calls[-1]


@pytest.mark.parametrize(
    ("fault", "last"),
    [
        pytest.param({"status": 404}, "Loading failed: NotFoundError", id="at once"),
        pytest.param(
            {"status": 404, "skip": 1},
            "Partial: 100 images of 1 page, then NotFoundError",
            id="in the middle",
        ),
        pytest.param(
            {"body": lambda a: {"data": {**a["data"], "total": 999}}, "skip": 2},
            "Partial: 250 images of 3 pages, then IncompleteLoadError",
            id="short of the total",
        ),
    ],
)
def test_progress_ends_when_the_load_fails(serve, fault, last):
    server, client = serve(250, shape="seed")
    server.fail("GET", "/v1/images", **fault)
    seen = Seen()

    with pytest.raises((NotFoundError, IncompleteLoadError)):
        load(client, progress=seen)

    assert seen.calls[-1] == last


@pytest.mark.slow
def test_a_long_wait_is_shown_and_waited_out(serve):
    server, client = serve(2)
    server.fail("GET", "/v1/images", status=429, headers={"Retry-After": "2.2"})
    stream = io.StringIO()

    load(client, progress=Lines("Loading", stream))

    first, last = stream.getvalue().splitlines()
    assert re.fullmatch(r"Loading: Picora asks to slow down \(429\), until \d\d:\d\d:\d\d", first)
    assert last.startswith("Complete: 2 rows")


def test_what_is_only_remembered_says_when_it_was_read(serve, tmp_path):
    _, client = serve(3)
    load(client, store=tmp_path)
    seen = Seen()

    load(client, store=tmp_path, refresh="never", progress=seen)

    (said,) = seen.calls
    assert re.fullmatch(r"As remembered: 3 images, .*; read 2026-11-23 14:00 UTC, not since", said)


def test_what_is_no_client_is_named_by_its_type_and_never_shown():
    with pytest.raises(TypeError, match=r"^load_images needs a Client, .* of the type str\.$"):
        load_images("sk_live_" + "a" * 32)


def test_an_interrupted_load_stops_and_says_what_was_read(serve):
    _, client = serve(250)
    seen = Seen()

    def interrupt(done, total):
        raise KeyboardInterrupt

    seen.update = interrupt

    with pytest.raises(KeyboardInterrupt):
        load(client, progress=seen)

    assert seen.calls == ["Stopped after 100 images of 1 page; load again for a whole frame"]
