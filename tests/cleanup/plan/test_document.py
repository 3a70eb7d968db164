"""A saved plan reads back whole and unedited, or not at all."""

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pandas.testing import assert_frame_equal

from picora_analytics import PlanError, plan_deletion, read_plan, rules
from picora_analytics.cleanup.plan.deeds import HIDE
from picora_analytics.cleanup.plan.document import digest, plan_from, save_plan, to_document
from picora_analytics.cleanup.plan.handing import Handed


def plan(images, choice, **options):
    return plan_deletion(images, choice, **{"reason": "test", "max_fraction": 1, **options})


def _leaves(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
    else:
        yield path


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.slow
def test_no_value_of_a_saved_plan_can_be_edited(make_images, tmp_path, data):
    images = make_images(tags=[("x",), (), None, ("keep",)])
    file = plan(images, images.index, protect="keep").save(tmp_path / "plan.json")
    document = json.loads(file.read_text())
    path = data.draw(st.sampled_from(list(_leaves(document))))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    old = inner[path[-1]]
    inner[path[-1]] = data.draw(
        st.sampled_from([None, 1, 0.5, "x", [], True, f"{old}x"]).filter(
            lambda new: new != old or type(new) is not type(old)
        )
    )
    file.write_text(json.dumps(document))

    with pytest.raises(PlanError, match=r"\.$"):
        read_plan(file)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
@pytest.mark.slow
def test_no_part_of_a_saved_plan_is_a_plan(make_images, tmp_path, data):
    file = plan(make_images(), ["a", "b"]).save(tmp_path / "plan.json")
    whole = file.read_bytes()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 3))])

    with pytest.raises(PlanError, match=r"save it again from the frame it came from\.$"):
        read_plan(file)


def test_a_plan_can_be_saved_read_and_saved_again(make_images, tmp_path):
    images = make_images(
        filename=["a\x1b", None, "=c", "d"],
        tags=[("x",), (), None, ("keep",)],
        size_bytes=[1, None, 3, 4],
    )
    made = plan(images, images.index, protect="keep", max_bytes="1 GiB", max_images=9)
    first = made.save(tmp_path / "one.json").read_bytes()

    again = read_plan(tmp_path / "one.json").save(tmp_path / "two.json").read_bytes()

    assert again == first


@pytest.mark.parametrize(
    ("spoil", "end"),
    [
        pytest.param({"images": None}, r"lacks a part \(.*\); plan again\.$", id="no images"),
        pytest.param({"made_at": "long ago"}, r"lacks a part \(.*\); plan again\.$", id="no date"),
        pytest.param(
            {"duplicates": {"a": 1}}, r"lacks a part \(.*\); plan again\.$", id="odd copies"
        ),
        pytest.param(
            {"confirmation": "2-00000000"},
            r"does not fit its own phrase; plan again\.$",
            id="another phrase",
        ),
    ],
)
def test_a_plan_whose_digest_was_made_to_fit_must_still_be_one(make_images, tmp_path, spoil, end):
    file = plan(make_images(), ["a", "b"]).save(tmp_path / "plan.json")
    document = json.loads(file.read_text()) | spoil
    document["digest"] = digest(document)
    file.write_text(json.dumps(document))

    with pytest.raises(PlanError, match=end):
        read_plan(file)


def test_the_copies_that_are_to_stay_are_saved_with_the_plan(make_images, tmp_path):
    images = make_images(
        content_hash=["x", "x", "x"], created_at=["2020-01-01", "2021-01-01", "2022-01-01"]
    )
    made = plan(images, rules.duplicated(images))

    back = read_plan(made.save(tmp_path / "plan.json"))

    assert back.duplicates == made.duplicates == {"b": "a", "c": "a"}
    assert back.without("b").duplicates == {"c": "a"}


def test_a_plan_of_nothing_can_be_saved_and_read(make_images, tmp_path):
    made = plan(make_images(), [])

    back = read_plan(made.save(tmp_path / "plan.json"))

    assert_frame_equal(back.images, made.images)
    assert_frame_equal(back.spared, made.spared)
    assert back.confirmation == made.confirmation


@pytest.fixture
def full(make_images, looked):
    """A plan of which no part is empty."""
    images = make_images(
        id=["a", "b", "c", "d"],
        tags=[(), ("roof", "dawn"), ("keep",), ()],
        title=["Roof at dawn", None, None, None],
        content_hash=["x", "x", None, None],
        created_at=["2021-01-01", "2020-01-01", None, "2022-01-01"],
    )
    made = plan(
        images, rules.duplicated(images), protect=[looked(found=("d",)), "keep"], max_images=3
    )
    return dataclasses.replace(made, hidden=("a",), handed={"b": Handed(("dawn",), "Roof at dawn")})


def test_a_document_has_these_names(full):
    document = to_document(full)

    assert list(document) == [
        "format", "version", "deed", "confirmation", "fingerprint", "reason", "made_at", "expires_at", "library",
        "protected_tags", "caps", "protection", "searched", "hidden", "handed", "duplicates", "staying", "images",
        "spared", "digest",
    ]  # fmt: skip
    assert document["deed"] == "delete"
    assert document["fingerprint"] == full.fingerprint
    assert document["hidden"] == ["a"]
    assert document["handed"] == {"b": [["dawn"], "Roof at dawn"]}
    assert document["searched"] == list(full.searched) != []


@pytest.mark.parametrize("part", ["hidden", "handed", "searched", "protection", "protected_tags"])
def test_every_part_of_a_plan_is_read_back(full, tmp_path, part):
    back = read_plan(save_plan(full, tmp_path / "plan.json"))

    assert getattr(back, part) == getattr(full, part)
    assert getattr(full, part)


def test_a_plan_saved_before_there_were_these_parts_is_read(make_images, tmp_path):
    made = plan(make_images(), ["a"])
    document = to_document(made)
    for part in ("deed", "searched", "hidden", "handed"):
        del document[part]
    document["digest"] = digest(document)
    (tmp_path / "plan.json").write_text(json.dumps(document))

    back = read_plan(tmp_path / "plan.json")

    assert (back.searched, back.hidden, back.handed) == ((), (), {})
    assert back.confirmation == made.confirmation
    assert list(back.images.index) == ["a"]


def test_what_is_missing_is_not_in_a_file_and_all_else_is(make_images, tmp_path):
    images = make_images(filename=["roof.png", None], size_bytes=[0, None], tags=[(), None])
    first, second = to_document(plan(images, ["a", "b"]))["images"]

    assert None not in [*first.values(), *second.values()]
    assert first.keys() - second.keys() == {"filename", "size_bytes", "tags"}
    assert (first["size_bytes"], first["tags"]) == (0, ())
    assert '"version": 2' in plan(images, ["a"]).save(tmp_path / "plan.json").read_text()


def test_a_plan_for_hiding_is_none_for_deleting(make_images, tmp_path):
    made = dataclasses.replace(plan(make_images(), ["a"]), deed=HIDE)
    file = save_plan(made, tmp_path / "hide.json")

    with pytest.raises(PlanError) as refused:
        read_plan(file)

    assert str(refused.value) == (
        f"The plan {str(file)!r} is of a hiding, {made.confirmation!r}; give the deletion plan that it was made of."
    )
    assert plan_from(json.loads(file.read_text()), "It", None).deed is HIDE
