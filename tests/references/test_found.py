import json

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import rules
from picora_analytics.cleanup.plan.document import digest

IDS = [f"{n}bcdefghij{n}" for n in range(6)]


@pytest.fixture
def images(make_images):
    return make_images(id=IDS)


@pytest.fixture
def references(images, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.md").write_text(
        f"{IDS[0]} <script>alert(1)</script>\n{IDS[1]}\x1b[31m\n"
    )
    return pic.find_references(images.iloc[:5], tmp_path / "site", progress=False)


def test_an_image_that_was_not_looked_for_could_not_be_looked_at(references, images):
    assert references.status(images).tolist() == ["found"] * 2 + ["not found"] * 3 + [
        "could not look"
    ]
    assert references.status(images.index[::-1]).index.equals(images.index[::-1])


def test_the_rule_has_three_answers(references, images):
    assert rules.not_found_in(images, references).tolist() == [
        False,
        False,
        True,
        True,
        True,
        pd.NA,
    ]


def test_nobody_knows_what_is_unused():
    with pytest.raises(AttributeError, match=r"find_references\(images"):
        _ = rules.unused


def test_they_survive_a_file(references, images, tmp_path):
    read = pic.read_references(references.write(tmp_path / "r.json"))

    assert repr(read) == repr(references)
    for name in ("found", "found_before", "dangling", "coverage"):
        pd.testing.assert_frame_equal(getattr(read, name), getattr(references, name))
    assert read.status(images).equals(references.status(images))
    assert (read.account, read.complete) == (images.attrs["picora"]["account"], True)


def test_an_edited_cut_or_foreign_file_is_refused(references, tmp_path):
    path = references.write(tmp_path / "r.json")
    whole = path.read_text()
    document = json.loads(whole)
    for text, said in (
        (json.dumps(document | {"ids": document["ids"][:2]}), "digest"),
        (json.dumps(document | {"scanned_at": "2027-01-01T00:00:00Z"}), "digest"),
        (whole[:-40], "cut off"),
        (json.dumps({"format": "x"}), "no references"),
        (json.dumps(document | {"version": 9}), "version 9"),
    ):
        path.write_text(text)
        with pytest.raises(pic.PicoraError, match=said):
            pic.read_references(path)
    with pytest.raises(pic.PicoraError, match="No such file"):
        pic.read_references(tmp_path / "missing.json")


def test_another_account_is_refused_wherever_they_are_used(references, images):
    images.attrs["picora"] = images.attrs["picora"] | {"account": "fedcba9876543210"}

    for use in (
        lambda: rules.not_found_in(images, references),
        lambda: pic.plan_deletion(images, images["size_bytes"] > 0, reason="x", protect=references),
    ):
        with pytest.raises(pic.PlanError, match="look for references to this one"):
            use()


@pytest.mark.slow
def test_the_preview_says_what_was_searched_and_found(references, images, tmp_path):
    plan = pic.plan_deletion(
        images, images["size_bytes"] > 0, reason="x", protect=references, max_fraction=1
    )

    for text in (repr(plan), plan._repr_html_()):
        assert "looked for 5 images in 1 file" in text
        assert (
            "references: 2 images found in use, and 1 for which not all could be looked at" in text
        )
        assert "Nobody has looked" not in text
    assert pic.read_plan(plan.save(tmp_path / "p.json")).searched == plan.searched
    assert plan.spared["reason"].value_counts().to_dict() == {
        "still used: found by the references": 2,
        "could not look everywhere for references": 1,
    }


def test_strangers_texts_are_dead(references):
    html = references._repr_html_()

    assert "<script>" not in html
    assert "\x1b" not in repr(references) + "".join(references.found["text"])


def test_nowhere_to_look_and_nothing_there_are_errors(images, tmp_path):
    with pytest.raises(ValueError, match="nowhere to look"):
        pic.find_references(images)
    with pytest.raises(ValueError, match="no file or folder"):
        pic.find_references(images, tmp_path / "missing", progress=False)


def test_an_id_that_is_none_could_not_be_looked_for(tmp_path):
    (tmp_path / "a.md").write_text(IDS[0])
    ids = pd.Index([IDS[0], "short"])

    references = pic.find_references(ids, tmp_path, progress=False)

    assert references.status(ids).tolist() == ["found", "could not look"]
    assert not references.complete


@pytest.mark.parametrize(
    "spoil",
    [
        {"found": None},
        {"found": [1]},
        {"ids": [1, 2]},
        {"scanned_at": "soon"},
        {"account": 5},
        {"sources": None},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_references_whose_digest_was_made_to_fit_must_still_be_some(references, tmp_path, spoil):
    path = references.write(tmp_path / "r.json")
    document = json.loads(path.read_text()) | spoil
    path.write_text(json.dumps(document | {"digest": digest(document)}))

    with pytest.raises(pic.PicoraError, match=r"lack a part \(.*\); look for references again\.$"):
        pic.read_references(path)
