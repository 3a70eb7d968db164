"""Duplicates: exact by content, likely by size; one of each group stays, for a reason that is said."""

import itertools

import pandas as pd
import pytest
from hypothesis import given, strategies as st

import picora_analytics as pic


def groups(found, kind):
    rows = found[found["kind"] == kind]
    return [
        (rows["id"][rows["group"] == n][rows["kept"]].item(), set(rows["id"][rows["group"] == n]))
        for n in rows["group"].unique()
    ]


def find(images, **options):
    return pic.find_duplicates(images, progress=False, **options)


def test_equal_content_is_exact_and_equal_size_is_only_likely(make_images):
    images = make_images(
        id=list("abcdef"),
        content_hash=["f0", "F0", "aa", "bb", None, None],
        size_bytes=[10, 10, 20, 20, 30, 30],
    )

    found = find(images)

    assert groups(found, "exact") == [("a", {"a", "b"})]
    # c and d have the same size, and another content.
    assert groups(found, "likely") == [("e", {"e", "f"})]
    assert found["why"].tolist() == [
        "stays: first by id",
        "same content as a",
        "stays: first by id",
        "same number of bytes, same pixels and type; look at both: e",
    ]
    assert found.attrs["n_unknown"] == 2


def test_what_lacks_a_size_or_pixels_is_not_likely(make_images):
    images = make_images(size_bytes=[10, 10, None], width=[None, None, 5], height=[1, 1, 5])

    assert find(images).empty


@pytest.mark.parametrize(
    ("stays", "why", "options"),
    [
        pytest.param("b", "stays: the oldest upload", {}, id="the oldest"),
        pytest.param("c", "stays: public", {"public": "c"}, id="public"),
        pytest.param(
            "a", "stays: you decided to keep it", {"public": "c", "keep": "a"}, id="decided"
        ),
        pytest.param(
            "d", "stays: referenced", {"public": "c", "keep": "a", "found": "d"}, id="referenced"
        ),
    ],
)
def test_the_one_that_stays_says_why(make_images, looked, stays, why, options):
    images = make_images(
        id=list("abcd"),
        content_hash=["f0"] * 4,
        created_at=["2026-02-02", "2026-01-01", "2026-02-03", "2026-02-04"],
        is_public=[one == options.get("public") for one in "abcd"],
    )
    keep = [options["keep"]] if "keep" in options else []

    found = find(
        images,
        references=looked(found=tuple(options.get("found", ()))),
        decisions=pd.DataFrame({"id": keep, "decision": ["keep"] * len(keep)}),
    )

    kept = found[found["kept"]]
    assert (kept["id"].item(), kept["why"].item()) == (stays, why)


def test_what_is_referenced_beside_the_one_that_stays_is_said(make_images, looked):
    images = make_images(id=list("ab"), content_hash=["f0", "f0"])

    found = find(images, references=looked(found=("a", "b")))

    assert found["why"].tolist() == ["stays: first by id", "same content as a; referenced as well"]


def test_what_was_decided_to_be_no_duplicates_is_never_together(make_images):
    images = make_images(id=list("abcd"), content_hash=["f0"] * 4)
    decisions = pd.DataFrame(
        {"id": ["a", "d"], "decision": ["not duplicates"] * 2, "other_id": ["c", "a"]}
    )

    found = find(images, decisions=decisions)

    assert groups(found, "exact") == [("a", {"a", "b"}), ("c", {"c", "d"})]


HASHES = st.sampled_from([None, "f0", "F0", "aa"])


@given(
    rows=st.lists(
        st.tuples(HASHES, st.sampled_from([None, 5, 6]), st.booleans(), st.integers(1, 3)),
        min_size=1,
        max_size=7,
    ),
    pairs=st.sets(st.frozensets(st.sampled_from("abcdefg"), min_size=2, max_size=2), max_size=3),
)
@pytest.mark.slow
def test_groups_are_what_each_pair_of_images_says(make_images, rows, pairs):
    hashes, sizes, public, days = zip(*rows, strict=True)
    images = make_images(
        content_hash=hashes,
        size_bytes=sizes,
        is_public=public,
        created_at=[f"2026-01-0{n}" for n in days],
    )
    decisions = pd.DataFrame(
        [{"id": min(p), "decision": "not duplicates", "other_id": max(p)} for p in pairs],
        columns=["id", "decision", "other_id"],
    )

    found = find(images, decisions=decisions)

    sizes_of = {}
    for one, size in zip(hashes, sizes, strict=True):
        sizes_of.setdefault(one and one.lower(), set()).add(size)
    content = {
        # The same file has one size.
        one: h.lower() if h and len(sizes_of[h.lower()] - {None}) <= 1 else None
        for one, h in zip(images.index, hashes, strict=True)
    }
    exact = groups(found, "exact")
    together = {frozenset(p) for _, ids in exact for p in itertools.combinations(ids, 2)}
    for kept, ids in exact:
        assert len({content[one] for one in ids}) == 1 and content[kept]
        assert all(frozenset((kept, one)) not in pairs for one in ids)
    same = {
        frozenset(p)
        for p in itertools.combinations(images.index, 2)
        if content[p[0]] and content[p[0]] == content[p[1]]
    }
    assert together <= same
    if not pairs:
        assert together == same
    for _, ids in groups(found, "likely"):
        known = [content[one] for one in ids if content[one]]
        assert len(known) <= 1
        assert len({images.loc[one, "size_bytes"] for one in ids}) == 1
    assert found.groupby("group")["kept"].sum().eq(1).all()
    assert not found["id"].duplicated().any()


def test_nothing_is_found_in_an_empty_library(make_images):
    found = find(make_images(id=[]))

    assert list(found.columns) == ["group", "id", "kind", "kept", "why"]
    assert found.dtypes.astype(str)[["group", "kept"]].tolist() == ["int64", "boolean"]


def test_content_that_was_never_read_is_said_with_the_line_that_reads_it(make_images, capsys):
    pic.find_duplicates(make_images())

    assert capsys.readouterr().err == (
        "Of 3 of 3 images it is not known which are the same file, so their duplicates can only be likely; type "
        "pic.find_duplicates(images, client) to ask Picora.\n"
    )


def test_the_rule_names_the_line_that_reads_content(make_images):
    with pytest.raises(
        pic.SchemaError, match=r"Type images = pic\.load_images\(client\) once more"
    ):
        pic.rules.duplicated(make_images())


# With the service


@pytest.fixture
def client():
    with (
        pic.DemoServer(300, rate_scale=None) as server,
        pic.Client(server.api_key, server.url) as made,
    ):
        made.server = server
        yield made


@pytest.mark.slow
def test_on_day_one_the_feed_tells_content(client):
    images = pic.load_images(client, store=None, progress=False)
    assert images["content_hash"].isna().all()
    n_before = len(client.server.requests)

    found = pic.find_duplicates(images, client, progress=False)

    asked = {request.path.partition("?")[0] for request in client.server.requests[n_before:]}
    assert asked <= {"/v1/sync/state", "/v1/auth/verify"}
    assert found.attrs["n_unknown"] == 0
    exact = found[found["kind"] == "exact"]
    assert len(exact) and set(found["kind"]) == {"exact"}
    # The demo's own sizes: equal content has equal size, whatever hash it tells.
    sizes = images["size_bytes"]
    assert all(sizes[rows["id"]].nunique() == 1 for _, rows in exact.groupby("group"))


def test_a_service_without_a_feed_leaves_content_unknown():
    with (
        pic.DemoServer(60, seed_only=True, rate_scale=None) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        images = pic.load_images(client, store=None, progress=False)

        found = pic.find_duplicates(images, client, progress=False)

    assert found.attrs["n_unknown"] == len(images)
    assert not (found["kind"] == "exact").any()


def test_the_feed_of_another_account_is_not_asked(client, make_images):
    with pytest.raises(
        pic.PlanError, match=r"^These images are of account 01234567, and the client"
    ):
        pic.find_duplicates(make_images(), client)
