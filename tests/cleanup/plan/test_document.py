"""A saved plan reads back whole and unedited, or not at all."""

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from pandas.testing import assert_frame_equal

from picora_analytics import PlanError, plan_deletion, read_plan, rules
from picora_analytics.cleanup.plan.document import digest


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
