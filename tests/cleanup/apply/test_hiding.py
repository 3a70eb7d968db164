"""Hiding comes before deleting: the same plan, another phrase, and a way back that shows only what we hid."""

import dataclasses
import json
import re

import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st
from steps import at_step

import picora_analytics as pic
from picora_analytics import DemoServer, PlanError, unhide_images
from picora_analytics.cleanup.apply.journal import Journal, read_journal
from picora_analytics.cleanup.plan.document import to_document


@pytest.fixture
def service():
    with DemoServer(40, rate_scale=None) as made:
        yield made


@pytest.fixture
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


@pytest.fixture
def plan(client, service):
    """Plan five public images and a private one."""
    images = pic.load_images(client, store=None, progress=False)
    public = images["is_public"].fillna(False).astype(bool)
    ids = [*images.index[public][:5], images.index[~public][0]]
    return pic.plan_deletion(images, ids, reason="a test", max_fraction=1)


@pytest.fixture
def public(plan):
    return [str(one) for one in plan.images.index[plan.images["is_public"]]]


@pytest.fixture
def private(plan):
    (one,) = plan.images.index[~plan.images["is_public"]]
    return str(one)


@pytest.fixture
def hide(client, tmp_path):
    def run(plan, **options):
        phrase = plan.hide(client).confirmation
        options = {"journal": tmp_path / "hide.ndjson", "progress": False} | options
        return plan.hide(client, confirm=str(phrase), **options)

    return run


def show(client, evidence, **options):
    phrase = unhide_images(client, evidence, **options).confirmation
    return unhide_images(client, evidence, confirm=str(phrase), progress=False, **options)


def patches(service):
    return [seen.path.rpartition("/")[2] for seen in service.requests if seen.method == "PATCH"]


def shapes(service):
    """Give all that the service knows of its images, but their update times."""
    return {one: dataclasses.replace(image, updated_at=0) for one, image in service.images.items()}


@pytest.mark.slow
def test_hide_and_unhide_leave_the_library_as_it_was(
    service, client, plan, public, private, hide, tmp_path
):
    before = shapes(service)

    rehearsed = plan.hide(client)
    assert patches(service) == []
    assert rehearsed.counts == {"would hide": 5, "kept": 1}
    assert rehearsed.confirmation == plan.hiding_confirmation
    assert re.fullmatch(r"hide-6-[0-9a-f]{12}", plan.hiding_confirmation)

    receipt = hide(plan, decisions=tmp_path / "decisions.csv")
    assert receipt.counts == {"hidden": 5, "kept": 1}
    rows = receipt.outcomes.set_index("id")
    assert rows.loc[private, "reason"] == "private already"
    assert {one for one, image in service.images.items() if not image.is_public} >= set(rows.index)
    assert sorted(patches(service)) == sorted(public)
    assert not service.deleted
    told = {one: int(moment.timestamp() * 1000) for one, moment in receipt.hidden_at.items()}
    # By the service's own clock, which is another year's than this machine's.
    assert told == {one: service.images[one].updated_at for one in public}

    noted = pic.read_decisions(tmp_path / "decisions.csv")
    assert list(noted["id"]) == public
    images = pic.load_images(client, store=None, progress=False)
    assert not pic.rules.hidden_for(images, 0, noted).any()
    images.attrs["picora"]["loaded_at"] = "2026-12-30T00:00:00Z"
    waited = pic.rules.hidden_for(images, 30, noted)
    assert list(waited.index[waited.fillna(False)]) == [one for one in images.index if one in told]

    written = receipt.write(tmp_path / "receipt.json")
    sources = [receipt, written, receipt.journal, tmp_path / "decisions.csv", noted]
    phrases = {unhide_images(client, source).confirmation for source in sources}
    assert len(phrases) == 1
    assert phrases.pop().startswith("show-5-")
    assert show(client, written).counts == {"shown again": 5}
    assert shapes(service) == before
    assert unhide_images(client, written).counts == {"kept": 5}


@pytest.mark.slow
def test_a_phrase_and_a_journal_are_for_one_deed(service, client, plan, hide, typed, tmp_path):
    journal = tmp_path / "hide.ndjson"
    digits = plan.hiding_confirmation.removeprefix("hide-")
    assert (
        digits != plan.confirmation
    )  # The deed is in the fingerprint, not in the first letters alone.
    for phrase in (plan.hiding_confirmation, digits):
        with pytest.raises(
            pic.ConfirmationError, match=rf"this one is {plan.confirmation!r}\. Look"
        ):
            plan.apply(client, confirm=phrase, backup=None, journal=journal)
    for phrase in (typed(plan), digits, f"show-{digits}"):
        with pytest.raises(pic.ConfirmationError, match=r"this one is 'hide-6-.* confirm it\.$"):
            plan.hide(client, confirm=phrase, journal=journal)
    with pytest.raises(pic.ConfirmationError, match=r"is for a hiding; this one is"):
        plan.apply(client, confirm=plan.hiding_confirmation, backup=None)

    receipt = hide(plan)
    assert json.loads(journal.read_bytes().splitlines()[0])["plan"]["deed"] == "hide"
    with pytest.raises(pic.JournalError, match=r"is of a hiding, 'hide-6-.*Give journal= another"):
        plan.apply(client, confirm=typed(plan), backup=None, journal=journal)
    with pytest.raises(
        pic.JournalError, match=r"is of a hiding, .* deletes nothing; .* its phrase\.$"
    ):
        pic.resume_deletion(client, journal)
    document = json.loads(journal.read_bytes().splitlines()[0])["plan"]
    (tmp_path / "plan.json").write_text(json.dumps(document))
    with pytest.raises(PlanError, match=r"is of a hiding, .* made of\.$"):
        pic.read_plan(tmp_path / "plan.json")

    # In its usual place the deletion finds no journal of the hiding either, and keeps what changed.
    deleted = plan.apply(client, confirm=typed(plan), backup=None, progress=False)
    assert deleted.counts == {"deleted": 1, "kept": 5}
    with pytest.raises(pic.JournalError, match=r"is of a deletion, '6-"):
        plan.hide(client, confirm=receipt.confirmation, journal=deleted.journal)
    with pytest.raises(PlanError, match=r"is of a deletion, so it proves nothing"):
        unhide_images(client, deleted.journal)
    with pytest.raises(PlanError, match=r"^This receipt is not of a hiding"):
        unhide_images(client, deleted)


@pytest.mark.slow
def test_what_changed_or_is_kept_by_a_decision_is_not_hidden(
    service, client, plan, public, private, hide, tmp_path
):
    tagged, gone, hidden, kept, waiting = public
    service.edit(tagged, tags=["needed"])
    service.remove(gone)
    service.edit(hidden, is_public=False)
    decided = pd.DataFrame({"id": [kept, waiting], "decision": ["keep", "delete"]})
    path = pic.write_decisions(decided, tmp_path / "decisions.csv")

    receipt = hide(plan, decisions=path)

    assert receipt.counts == {"hidden": 1, "already gone": 1, "kept": 4}
    assert patches(service) == [waiting]
    assert receipt.outcomes.set_index("id")["reason"][kept] == "on your keep list"
    assert list(pic.read_decisions(path)["decision"]) == ["keep", "delete", "hidden"]
    with pytest.raises(PlanError, match=r"give a path such as 'decisions\.csv'\.$"):
        plan.hide(client, decisions=decided)


@pytest.mark.parametrize("answer", [404, 405, 501, "seed"])
@pytest.mark.slow
def test_a_service_that_changes_no_images_is_named_and_nothing_is_noted(answer, tmp_path):
    with (
        DemoServer(30, rate_scale=None, seed_only=answer == "seed") as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        if answer != "seed":
            service.fail("PATCH", times=None, status=answer)
        images = pic.load_images(client, store=None, progress=False)
        ids = images.index[images["is_public"]][:3]
        plan = pic.plan_deletion(images, ids, reason="x", max_fraction=1)

        with pytest.raises(pic.PicoraError, match=r"^Not available here: .* by hand\.$") as refused:
            plan.hide(
                client,
                confirm=str(plan.hide(client).confirmation),
                decisions=tmp_path / "decisions.csv",
                journal=tmp_path / "j.ndjson",
                progress=False,
            )

        assert refused.value.receipt.counts == {"kept": 3}
        assert not (tmp_path / "decisions.csv").exists()
        assert "hidden" not in {
            word for word, _ in read_journal(tmp_path / "j.ndjson").outcomes.values()
        }
        assert all(service.images[one].is_public for one in ids)


@pytest.mark.slow
def test_lost_ignored_and_refused_answers_are_told_apart(
    service, client, plan, public, private, hide
):
    lost, before, ignored, refused, fine = public
    service.fail("PATCH", f"*/{lost}", drop=True, after=True)
    service.fail("PATCH", f"*/{before}", drop=True)
    for _ in range(3):
        service.fail(
            "PATCH", f"*/{ignored}", body=json.dumps({"data": {"id": ignored, "url": "u"}})
        )
    service.fail("PATCH", f"*/{refused}", status=409)

    rows = hide(plan).outcomes.set_index("id")

    assert rows.loc[lost, "reason"] == "the answer was lost; it is private now"
    assert rows["outcome"].to_dict() == {
        lost: "hidden",
        before: "hidden",
        ignored: "failed",
        refused: "failed",
        fine: "hidden",
        private: "kept",
    }
    assert rows.loc[lost, "hidden_at"].value // 10**6 == service.images[lost].updated_at
    assert rows["hidden_at"].notna().sum() == 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_change_images_stops_the_run(service, client, plan, hide, status):
    service.fail("PATCH", status=status)

    with pytest.raises((pic.AuthenticationError, pic.PermissionDeniedError)) as stopped:
        hide(plan)

    assert stopped.value.receipt.counts == {"failed": 1, "kept": 5}
    assert len(patches(service)) == 1


@pytest.mark.slow
def test_an_answer_with_the_old_time_is_not_believed(service, client, plan, public, private, hide):
    def stale(answer):
        answer["data"]["updatedAt"] = old[answer["data"]["id"]]
        return answer

    old = {
        one: moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        for one, moment in plan.images["updated_at"].items()
    }
    service.fail("PATCH", times=None, body=stale)

    told = hide(plan).hidden_at

    assert {one: int(moment.timestamp() * 1000) for one, moment in told.items()} == {
        one: service.images[one].updated_at for one in public
    }


@pytest.mark.slow
def test_only_what_we_hid_and_nobody_touched_since_is_shown(
    service, client, plan, public, private, hide, tmp_path
):
    receipt = hide(plan, decisions=tmp_path / "decisions.csv")
    shown, edited, again, gone, left = public
    service.edit(shown, is_public=True)
    service.edit(edited, is_public=True)
    service.edit(edited, is_public=False)  # Somebody wants it private.
    service.edit(again, tags=["x"])
    service.remove(gone)

    with pytest.raises(PlanError, match=rf"^'{private}' is not shown: .* Picora's own page\.$"):
        unhide_images(client, receipt, ids=[left, private])
    with pytest.raises(
        PlanError, match=r"^A list does not prove what was hidden; give the receipt"
    ):
        unhide_images(client, [left])
    by_hand = pic.read_decisions(tmp_path / "decisions.csv")
    by_hand.loc[len(by_hand) + 2] = ""
    by_hand.iloc[-1, :2] = [private, "hidden"]
    rehearsed = unhide_images(client, by_hand).outcomes.set_index("id")
    assert rehearsed.loc[private, "reason"].startswith(
        "not shown: its decision does not say 'public before'"
    )
    n = len(patches(service))

    ended = show(client, receipt).outcomes.set_index("id")

    assert ended["outcome"].to_dict() == {
        left: "shown again",
        shown: "kept",
        edited: "kept",
        again: "kept",
        gone: "already gone",
    }
    assert ended.loc[edited, "reason"].startswith(
        "changed since it was hidden (2026-11-23T14:00:00.00"
    )
    assert patches(service)[n:] == [left]
    edited_file = receipt.write(tmp_path / "r.json")
    edited_file.write_text(edited_file.read_text().replace(left, private))
    with pytest.raises(
        PlanError, match=r"was edited, so it proves nothing any more; give its journal\.$"
    ):
        unhide_images(client, edited_file)


@pytest.mark.slow
def test_unhide_asks_for_its_own_phrase_and_its_own_account(service, client, plan, hide, tmp_path):
    receipt = hide(plan)
    for phrase in (receipt.confirmation, "show-5-000000000000", plan.hiding_confirmation):
        with pytest.raises(pic.ConfirmationError, match=r"this one is 'show-5-"):
            unhide_images(client, receipt, confirm=phrase)
    with (
        DemoServer(3, user_id="somebody-else-0123456") as other,
        pic.Client(other.api_key, other.url) as stranger,
        pytest.raises(PlanError, match=r"connect to that account\.$"),
    ):
        unhide_images(stranger, receipt)


class Death(BaseException):
    pass


def _die():
    raise Death


@pytest.fixture(scope="module")
def mended():
    """A service whose library is as it was after each example."""
    with (
        DemoServer(8, rate_scale=None) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        yield service, client


@pytest.mark.parametrize(("step", "other_step"), [(4, 19), (11, 25)])
@pytest.mark.slow
def test_killed_at_a_step_it_goes_on_and_the_way_back_is_whole(mended, step, other_step):
    _live_and_die(*mended, step, other_step)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 30), st.integers(0, 30))
def test_killed_at_any_step_it_goes_on_and_the_way_back_is_whole(mended, step, other_step):
    _live_and_die(*mended, step, other_step)


def _live_and_die(service, client, step, other_step):
    """Die right before a step on disk or on the wire; then type the same again."""
    before = shapes(service)
    images = pic.load_images(client, store=None, progress=False)
    plan = pic.plan_deletion(images, list(images.index[:3]), reason="x", max_fraction=1)
    public = [one for one in plan.images.index if service.images[one].is_public]
    phrase = str(plan.hide(client).confirmation)

    def hide():
        return plan.hide(client, confirm=phrase, progress=False)

    hidden = _die_and_go_on(hide, step)
    assert hidden.counts.get("hidden", 0) == len(public)
    assert set(hidden.hidden_at) == set(public)
    assert not any(service.images[one].is_public for one in public)
    again = str(unhide_images(client, hidden).confirmation)
    shown = _die_and_go_on(
        lambda: unhide_images(client, hidden, confirm=again, progress=False), other_step
    )

    assert shown.counts.get("shown again", 0) == len(public)
    assert shapes(service) == before
    assert hide().counts == hidden.counts  # It was carried out before; nothing is sent.
    assert shapes(service) == before


def _die_and_go_on(run, step):
    try:
        with at_step(step, _die):
            return run()
    except Death:
        ended = run()
        assert ended.complete
        return ended


def test_an_image_that_a_colleague_shows_between_a_death_and_the_next_run_is_spared(
    service, client, plan, public, hide, tmp_path
):
    journal = tmp_path / "hide.ndjson"
    shown, edited = public[:2]
    # Their requests were under way when the run died.
    log = Journal.begin(journal, to_document(plan.as_hiding()), None)
    for one in (shown, edited):
        log.intend([one])
        service.edit(one, is_public=False)
    service.edit(shown, is_public=True)
    service.edit(edited, tags=["x"])

    receipt = hide(plan)

    rows = receipt.outcomes.set_index("id")
    # The request of a moment ago may still be carried out, so that nobody knows.
    assert rows.loc[shown, "outcome"] == "unknown"
    assert "may still be carried out; changed since the plan" in rows.loc[shown, "reason"]
    assert rows.loc[edited, "outcome"] == "unknown"
    assert rows.loc[edited, "reason"].startswith(
        "perhaps done, and changed by somebody else as well"
    )
    assert service.images[shown].is_public
    assert set(receipt.hidden_at) == set(public[2:])
    assert not receipt.complete


def test_the_preview_says_what_visitors_see_meanwhile(plan, public):
    for shown in (repr(plan), plan._repr_html_()):
        assert "5 public images can be private for some weeks" in shown
        assert f'plan.hide(client, confirm="{plan.hiding_confirmation}")' in shown.replace(
            "&#34;", '"'
        )
    private = plan.without(public)
    assert "HIDE FIRST" not in repr(private)
    assert "plan.hide" not in repr(private) + private._repr_html_()


def test_a_phrase_hides_and_shows_anew_where_no_time_tells_that_it_was_undone(
    service, client, plan, public, hide
):
    """A service whose update times do not follow the visibility makes every round look alike."""
    times = {one: service.images[one].updated_at for one in public}

    def reset():
        for one, moment in times.items():
            service.edit(one, updated_at=moment)

    for _ in range(2):
        hidden = hide(plan)
        reset()
        assert hidden.counts == {"hidden": 5, "kept": 1}
        assert not any(service.images[one].is_public for one in public)
        shown = show(client, hidden, ids=public)
        reset()
        assert shown.counts == {"shown again": 5}
        assert all(service.images[one].is_public for one in public)


@pytest.mark.parametrize("how", ["the answer", "a look"])
def test_where_an_edit_takes_tags_along_the_first_image_gets_them_back_and_is_the_last(
    service, client, how, tmp_path
):
    images = pic.load_images(client, store=None, progress=False)
    ids = list(images.index[images["is_public"].fillna(False)][:4])
    for one in ids:
        service.edit(one, tags=["mine"], title="A title")
    images = pic.load_images(client, store=None, progress=False)
    plan = pic.plan_deletion(images, ids, reason="x", max_fraction=1)
    phrase = str(plan.hide(client).confirmation)
    first = next(iter(plan.images.index))
    if how == "the answer":

        def bare(answer):
            service.edit(first, tags=[], title=None)
            return {"data": answer["data"] | {"tags": [], "title": None}}

        service.fail("PATCH", body=bare)
    else:
        service.fail(
            "GET", f"*/{first}", meanwhile=lambda: service.edit(first, tags=[], title=None)
        )

    with pytest.raises(pic.PicoraError, match=r"took more along .* it has that back") as stopped:
        plan.hide(client, confirm=phrase, journal=tmp_path / "j.ndjson", progress=False)

    assert set(patches(service)) == {first}
    assert stopped.value.receipt.counts == {"hidden": 1, "kept": 3}
    image = service.images[first]
    assert (image.tags, image.title, image.is_public) == (("mine",), "A title", False)


def test_an_image_that_its_owner_hid_long_after_our_request_is_never_shown_by_us(
    service, client, plan, public, hide, tmp_path
):
    journal = tmp_path / "hide.ndjson"
    log = Journal.begin(journal, to_document(plan.as_hiding()), None)
    log.intend(public[:1])  # The run died before the request was sent.
    later = int(pd.Timestamp.now("UTC").timestamp() * 1000) + 10 * 60_000
    service.edit(public[0], is_public=False, updated_at=later)

    receipt = hide(plan)

    row = receipt.outcomes.set_index("id").loc[public[0]]
    assert row["outcome"] == "unknown" and "too long after our request" in row["reason"]
    shown = show(client, receipt)
    assert shown.counts["shown again"] == 4
    assert not service.images[public[0]].is_public


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_decisions_that_cannot_be_written_lose_no_receipt(
    service, client, plan, public, hide, tmp_path, when
):
    path = tmp_path / "notes" / "decisions.csv"
    if when == "meanwhile":
        path.parent.mkdir()
        service.fail("PATCH", meanwhile=lambda: path.write_text("id,decision\nabc,kepp\n"))

    with pytest.raises(PlanError) as failed:
        hide(plan, decisions=path)

    if when == "before":
        assert "nothing is hidden" in str(failed.value) and patches(service) == []
        return
    assert failed.value.receipt.counts == {"hidden": 5, "kept": 1}
    assert f"could not be noted in {path}" in str(failed.value)
    path.unlink()
    assert hide(plan, decisions=path).counts == {"hidden": 5, "kept": 1}
    assert set(pic.read_decisions(path)["id"]) == set(public)


@pytest.mark.parametrize("kind", ["receipt", "decisions"])
def test_what_we_showed_again_is_not_shown_by_the_same_evidence_once_its_owner_hid_it(
    service, client, plan, public, hide, tmp_path, kind
):
    """Where no update time follows the visibility, only our own journal tells the owner's hiding from ours."""
    path = tmp_path / "decisions.csv"
    hidden = hide(plan, decisions=path)
    evidence = hidden if kind == "receipt" else path
    times = {one: service.images[one].updated_at for one in public}
    service.fail("PATCH", times=None, body=lambda answer: _without_time(service, times, answer))
    assert show(client, evidence).counts["shown again"] == 5
    service.clear_faults()
    service.edit(public[0], is_public=False, updated_at=times[public[0]])

    again = unhide_images(client, evidence)

    assert "would show again" not in again.counts
    assert "shown again by us at" in again.outcomes.set_index("id")["reason"][public[0]]


def _without_time(service, times, answer):
    one = answer["data"]["id"]
    service.edit(one, updated_at=times[one])
    return answer | {"data": {k: v for k, v in answer["data"].items() if k != "updatedAt"}}


@pytest.mark.parametrize("how", ["accepted", "another image"])
def test_an_answer_that_leaves_open_what_was_done_is_no_failure(
    service, client, plan, public, hide, how
):
    one = public[0]
    if how == "accepted":
        body = json.dumps({"data": {"id": one, "url": "https://x/y.png", "isPublic": True}})
        service.fail("PATCH", f"*/{one}", times=None, status=202, body=body)
    else:
        body = json.dumps({"data": {"id": public[1], "url": "https://x/y.png", "isPublic": False}})
        service.fail("PATCH", f"*/{one}", times=None, status=200, body=body)

    receipt = hide(plan)

    assert receipt.outcomes.set_index("id")["outcome"][one] == "unknown"
    assert not receipt.complete
