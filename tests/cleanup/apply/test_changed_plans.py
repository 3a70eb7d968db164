"""A phrase fits what its preview showed, though a frame can be changed in place after it."""

import pytest

import picora_analytics as pic
from picora_analytics import PlanError
from picora_analytics.errors import ConfirmationError

# pandas 3.1 will do without, and people do it still.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")
CHANGED = r"^The plan was changed after its phrase was read, .* for others, plan again\.$"


def _swap(plan, images):
    plan.images.rename(index={plan.images.index[0]: images.index[-1]}, inplace=True)


def _drop(plan, images):
    plan.images.drop(index=plan.images.index[0], inplace=True)


def _blur(plan, images):
    plan.images["filename"] = plan.images["filename"].iloc[0]


def _forget_duplicates(plan, images):
    plan.duplicates[plan.images.index[0]] = images.index[-1]


@pytest.mark.parametrize("change", [_swap, _blur, _forget_duplicates])
@pytest.mark.slow
def test_a_plan_changed_in_place_is_refused_under_its_old_phrase(
    service, client, make_plan, typed, changing, change
):
    images = pic.load_images(client, store=None, progress=False)
    plan = make_plan(client)
    phrase = typed(plan)
    change(plan, images)

    with pytest.raises(PlanError, match=CHANGED):
        plan.apply(client, phrase, backup=None, progress=False)

    assert changing(service) == []


def test_rows_that_are_gone_from_a_plan_are_not_in_its_phrase(
    service, client, make_plan, typed, changing
):
    plan = make_plan(client)
    phrase = typed(plan)
    _drop(plan, None)

    with pytest.raises(ConfirmationError, match=r"is for another plan"):
        plan.apply(client, phrase, backup=None, progress=False)

    assert changing(service) == []


@pytest.mark.slow
def test_a_plan_changed_after_its_rehearsal_is_refused_as_well(
    service, client, make_plan, typed, changing
):
    plan = make_plan(client, 3)
    plan.dry_run(client)
    _drop(plan, None)

    with pytest.raises(PlanError, match=CHANGED):
        plan.apply(client, typed(plan), backup=None, progress=False)

    assert changing(service) == []
