"""Review, progress, receipt, resume and banner: what they say, and that nothing goes without what was typed."""

import re
import threading
from pathlib import Path

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.apply.start import carry_out
from picora_analytics.widgets import CleanupPanel
from picora_analytics.widgets.panel.progress import MOST_SHOWN
from picora_analytics.widgets.panel.running import LATEST, Job


@pytest.fixture
def service():
    with DemoServer(n_images=120, rate_scale=None) as server:
        yield server


@pytest.fixture
def client(service):
    with pic.Client(service.api_key, service.url) as made:
        yield made


@pytest.fixture
def images(client):
    return pic.load_images(client, store=None, progress=False)


@pytest.fixture
def small(images):
    """Public images that a plan takes, and all of them less than a tenth of the library."""
    mask = images["is_public"] & (images["size_bytes"] < 200_000)
    return list(pic.plan_deletion(images, mask, reason="x").images.index[:4])


def _changing(service):
    return [one for one in service.requests if one.method != "GET"]


def _text(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html.value).split())


def _banners(panel):
    return [_text(row.children[0]) for row in panel._modes.banner.rows]


def _press(row, name):
    (button,) = [one for one in row.children[1:] if one.description.startswith(name)]
    button.click()


@pytest.mark.slow
def test_the_whole_way_with_a_backup_and_back(hands, service, client, images, small, tmp_path):
    panel = hands.review(images, client, small)
    review, receipt = panel._modes.review, panel._modes.receipt
    assert "Delete 4 pictures for ever?" in review.title.value
    assert review.confirm.out.description == "Keep all 4"
    assert _text(review._cost).endswith("to delete; you can stop between batches.")
    assert not hands.shown(panel._choosing)
    plan = panel.plan

    hands.confirm(panel, tmp_path / "kept")
    made = hands.end(panel)
    panel._modes.on_job(panel._modes.job)  # Told again, as by the thread that looks now and then.

    assert made.counts == {"deleted": 4}
    assert made.confirmation == plan.confirmation
    assert sorted(one.id for one in service.deleted) == sorted(small)
    assert panel._modes.mode == "receipt"
    facts = _text(receipt._facts)
    assert "4 deleted , and seen to be gone" in facts
    assert "4 backed up in" in facts
    assert "as the service counts" in facts
    assert set(receipt.map.marks) == {"g"}
    assert not hands.shown(receipt._stays)

    receipt.upload.click()
    assert "Upload 4 files" in receipt._asked.value
    assert [one for one in _changing(service) if one.method == "POST"] == []
    receipt.really.click()
    hands.until(lambda: "pic.repoint" in receipt.said.value)

    said = _text(receipt.said)
    assert said.startswith("4 restored")
    table = pd.read_csv(tmp_path / "kept" / "restored.csv")
    for old, new in zip(table["old_url"], table["new_url"], strict=True):
        assert old in said
        assert new in said
    receipt.done.click()
    assert panel._modes.mode == "choose"
    assert panel.receipt is made


@pytest.mark.slow
def test_the_red_button_is_off_until_the_text_fits(hands, service, client, images, small):
    panel = hands.review(images, client, small)
    confirm, review = panel._modes.review.confirm, panel._modes.review
    assert confirm.question.needed == "delete 4"
    for text in ("", " ", "4", "delete", "delete 5", "DELETE 4", "delete 44"):
        confirm.typed.value = text
        assert confirm.do.disabled, text
    confirm.typed.value = "4"
    assert _text(confirm.problem) == "Nobody has looked; type: delete 4"
    review.choice.value = review.choice.options[1]
    assert _text(confirm.problem) == "Without a backup; type: delete 4"
    assert "Nothing brings these 4 back." in confirm.facts.value
    confirm.typed.value = " delete 4 "
    assert not confirm.do.disabled
    assert confirm.problem.value == ""
    review.choice.value = review.choice.options[0]
    review.folder.value = " "
    confirm.typed.value = "delete 4"
    confirm.do.click()
    assert "Name a folder for the backup" in confirm.problem.value
    confirm.out.click()
    assert panel._modes.mode == "choose"
    assert panel.mask[panel.mask].index.tolist() == [one for one in images.index if one in small]
    assert _changing(service) == []


@pytest.mark.slow
def test_the_number_is_enough_where_somebody_looked_and_there_is_a_backup(
    hands, client, images, small, tmp_path
):
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.md").write_text("nothing\n")
    references = pic.find_references(images, site, progress=False)

    panel = hands.review(images, client, small, references=references)

    review = panel._modes.review
    assert review.confirm.question.needed == "4"
    assert "Not in your pages" in review._verdict.value
    assert "1 file of" in _text(review._verdict)
    review.choice.value = review.choice.options[1]
    assert review.confirm.question.needed == "delete 4"


@pytest.mark.slow
def test_an_image_is_kept_from_the_review(hands, client, images):
    named = images.index[images["filename"].str.contains("header|logo|og-image", na=False)]
    others = images.index[images["is_public"] & (images["size_bytes"] < 200_000)][:3]
    plan = pic.plan_deletion(images, list(named) + list(others), reason="x")
    panel = hands.review(images, client, list(plan.images.index))
    large = panel._modes.review.large
    kept, n = large.ids[0], len(panel.plan.images)
    assert "its name says" in large.tiles["cells"][0]["note"]

    large._on_message(large, {"type": "press", "rev": large.tiles["rev"] - 1, "place": 0}, [])
    assert len(panel.plan.images) == n  # Of a list that is gone.
    large._on_message(large, {"type": "press", "rev": large.tiles["rev"], "place": 0}, [])

    assert len(panel.plan.images) == n - 1
    assert kept not in panel.plan.images.index
    assert not panel.mask[kept]
    assert panel._modes.mode == "review"
    assert panel._modes.review.confirm.question.needed.endswith(str(n - 1))


@pytest.mark.slow
def test_hiding_asks_for_its_own_number_and_can_be_undone(
    hands, service, client, images, small, tmp_path
):
    path = tmp_path / "decisions.csv"
    pic.write_decisions(pd.DataFrame({"id": [], "decision": []}), path)
    panel = hands.review(images, client, small, decisions=path)
    confirm = panel._modes.review.confirm
    confirm.other.click()
    assert "Hide 4 pictures?" in panel._modes.review.title.value
    assert (confirm.question.needed, confirm.question.does) == ("4", "Hide 4")
    assert not hands.shown(panel._modes.review._backup)
    confirm.typed.value = "4"
    confirm.do.click()
    made = hands.end(panel)

    assert made.counts == {"hidden": 4}
    assert not any(service.images[one].is_public for one in small)
    assert service.deleted == []
    assert "No storage is freed" in panel._modes.receipt._facts.value
    assert set(pic.read_decisions(tmp_path / "decisions.csv")["decision"]) == {"hidden"}
    asked = pic.unhide_images(client, panel.receipt)
    assert asked.counts == {"would show again": 4}


@pytest.mark.slow
def test_hiding_is_not_offered_again_where_the_service_cannot(hands):
    with (
        DemoServer(n_images=60, rate_scale=None, seed_only=True) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        images = pic.load_images(client, store=None, progress=False)
        chosen = list(images.index[images["is_public"] & (images["size_bytes"] < 200_000)][:2])
        panel = hands.review(images, client, chosen)
        confirm = panel._modes.review.confirm
        assert hands.shown(confirm.other)
        confirm.other.click()
        confirm.typed.value = "2"
        confirm.do.click()
        hands.end(panel)

        assert panel._modes.mode in ("review", "receipt")
        assert not panel._session.can_hide
        said = confirm.problem.value + panel._modes.receipt.said.value
        assert "Not available here" in said


@pytest.mark.slow
def test_a_second_panel_shows_what_runs_and_can_stop_it(
    hands, service, client, images, small, tmp_path
):
    panel = hands.review(images, client, small)
    arrived, goes_on = threading.Event(), threading.Event()
    service.fail("GET", "/*.*", times=None, meanwhile=lambda: (arrived.set(), goes_on.wait(120)))
    hands.confirm(panel, tmp_path / "kept")
    assert arrived.wait(120)
    assert panel._modes.mode == "progress"
    assert panel._modes.progress.stop.description == "Stop, delete nothing"

    second = CleanupPanel(images, client)

    assert second._modes.mode == "choose"
    (said,) = _banners(second)
    assert said.startswith("A deletion is running : 0 of 4.")
    # Who holds the lock is known a little later: a button that is pressed meanwhile must not be replaced.
    hands.until(lambda: second._modes._holder is not None)
    banner, job = second._modes.banner, second._modes.job
    banner.paint(job)
    (row,) = banner.rows
    banner.paint(job, second._modes._holder)
    assert banner.rows == [row]
    _press(row, "Show it")
    assert second._modes.mode == "progress"
    second._modes.progress.stop.click()
    hands.until(lambda: panel._modes.job.ended)
    goes_on.set()
    hands.end(panel)

    assert {one._modes.mode for one in (panel, second)} == {"receipt"}
    assert panel.receipt.counts == {"kept": 4}
    assert _banners(second) == []
    assert _changing(service) == []


@pytest.mark.slow
def test_what_runs_elsewhere_is_named_and_cannot_be_stopped_here(
    hands, service, client, images, small
):
    plan = pic.plan_deletion(images, small, reason="in a cell")
    arrived, goes_on = threading.Event(), threading.Event()
    service.fail("DELETE", "/v1/media", meanwhile=lambda: (arrived.set(), goes_on.wait(120)))
    run = threading.Thread(
        target=lambda: carry_out(plan, client, backup=None, progress=False), daemon=True
    )
    run.start()
    assert arrived.wait(120)
    panel = CleanupPanel(images, client)
    hands.settle()

    (row,) = panel._modes.banner.rows

    assert "A deletion is running in this notebook" in _text(row.children[0])
    assert [one.description for one in row.children[1:]] == ["Look again"]
    goes_on.set()
    run.join(120)
    _press(row, "Look again")
    hands.settle()
    assert _banners(panel) == []


class _Stop:
    def __init__(self):
        self.n = 0

    def update(self, done, total): ...

    def wait(self, reason): ...

    def finish(self, text): ...

    def follow(self, step, ids):
        self.n += len(ids) * (step == "deleted")


@pytest.fixture
def interrupted(hands, tmp_path):
    """Give a library in which two of five images of a plan are gone, its journal beside the plan's file."""
    with (
        DemoServer(n_images=120, rate_scale=None, seed_only=True) as service,
        pic.Client(service.api_key, service.url) as client,
    ):
        images = pic.load_images(client, store=None, progress=False)
        mask = images["is_public"] & (images["size_bytes"] < 200_000)
        chosen = list(pic.plan_deletion(images, mask, reason="x").images.index[:5])
        plan = pic.plan_deletion(images, chosen, reason="a test").save(tmp_path / "plan.json")
        stop = _Stop()
        carry_out(
            pic.read_plan(plan), client, backup=None, progress=stop, cancelled=lambda: stop.n >= 2
        )
        images = pic.load_images(client, store=None, progress=False)
        yield service, client, images, [one for one in chosen if one in images.index]


@pytest.mark.slow
def test_an_interrupted_deletion_is_named_and_resumed_after_a_look(hands, interrupted):
    service, client, images, left = interrupted
    kept = pd.DataFrame({"id": left[:1], "decision": ["keep"]})
    panel = CleanupPanel(images, client, decisions=kept)
    hands.settle()
    n_before = len(service.deleted)
    (said,) = _banners(panel)
    assert "2 of 5 pictures are gone, 3 were not touched." in said
    assert [one.description for one in panel._modes.banner.rows[0].children[1:]] == [
        "Receipt so far",
        "Leave the 3",
        "Look, then resume",
    ]

    _press(panel._modes.banner.rows[0], "Look, then resume")
    hands.settle()

    resume = panel._modes.resume
    assert panel._modes.mode == "resume"
    assert resume.left.ids == left[1:]
    assert resume.kept.ids == left[:1]
    assert "keep" in resume.kept.tiles["cells"][0]["note"]
    assert "2 are gone" in _text(resume._gone)
    assert resume.needed == "delete 2"
    resume.confirm.do.click()  # A page may send a click for a button that is off.
    assert len(service.deleted) == n_before
    assert "Nothing more was deleted." in resume.confirm.problem.value
    resume.confirm.typed.value = "delete 2"
    resume.confirm.do.click()
    made = hands.end(panel)

    assert made.counts == {"deleted": 4, "kept": 1}
    assert left[0] in service.images
    assert panel._modes.mode == "receipt"
    assert panel._modes.receipt.stayed.ids == left[:1]
    assert _banners(panel) == []


@pytest.mark.slow
def test_what_was_shown_as_staying_stays_when_the_rest_goes_on(hands, interrupted):
    service, client, images, left = interrupted
    before = service.images[left[0]]
    service.edit(left[0], tags=["x"])
    panel = CleanupPanel(images, client)
    hands.settle()
    _press(panel._modes.banner.rows[0], "Look, then resume")
    hands.settle()
    resume = panel._modes.resume
    assert resume.kept.ids == left[:1]
    service.edit(left[0], tags=before.tags, updated_at=before.updated_at)  # All is as planned.

    resume.confirm.typed.value = resume.needed
    resume.confirm.do.click()
    made = hands.end(panel)

    assert made.counts == {"deleted": 4, "kept": 1}
    assert left[0] in service.images
    assert "tags" in made.outcomes.set_index("id")["reason"][left[0]]


@pytest.mark.slow
def test_an_interrupted_deletion_is_left_where_it_is(hands, interrupted):
    service, client, images, left = interrupted
    panel = CleanupPanel(images, client)
    hands.settle()
    _press(panel._modes.banner.rows[0], "Receipt so far")
    assert panel._modes.mode == "receipt"
    assert "2 deleted" in _text(panel._modes.receipt._facts)
    panel._modes.receipt.done.click()
    n_before = len(service.deleted)

    _press(panel._modes.banner.rows[0], "Leave the 3")
    made = hands.end(panel)

    assert made.counts == {"deleted": 2, "kept": 3}
    assert made.complete
    assert len(service.deleted) == n_before
    panel._modes.receipt.done.click()
    assert _banners(panel) == []
    assert set(left) <= set(service.images)


@pytest.mark.slow
def test_a_refusal_stands_over_the_question_and_the_review_stays(
    hands, service, client, images, small, tmp_path
):
    file = tmp_path / "not a folder"
    file.write_text("x")
    panel = hands.review(images, client, small)

    hands.confirm(panel, file)
    hands.end(panel)

    assert panel._modes.mode == "review"
    assert str(file) in panel._modes.review.confirm.problem.value
    assert panel.plan is not None
    assert _changing(service) == []


@pytest.mark.slow
def test_what_stays_is_shown_with_its_reason_and_can_be_tried_again(
    hands, service, client, images, small, tmp_path
):
    panel = hands.review(images, client, small)
    path = images.at[small[0], "url"].rpartition("/")[2]
    service.fail("GET", f"/{path}", times=None, status=404)
    hands.confirm(panel, tmp_path / "kept")
    made = hands.end(panel)
    receipt = panel._modes.receipt
    assert made.counts == {"deleted": 3, "kept": 1}
    assert receipt.stayed.ids == small[:1]
    assert receipt.stayed.tiles["cells"][0]["note"].startswith("no copy")
    assert "x" in receipt.map.marks

    service.clear_faults()
    receipt.again.click()
    hands.settle()

    assert panel._modes.mode == "resume"
    assert panel._modes.resume.left.ids == small[:1]


@pytest.mark.slow
def test_the_receipt_is_saved_where_it_says(hands, client, images, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = hands.review(images, client, small)
    hands.confirm(panel)
    made = hands.end(panel)

    panel._modes.receipt.save.click()

    path = tmp_path / f"receipt-{made.confirmation}.json"
    assert str(path) in panel._modes.receipt.said.value
    assert path.is_file()
    assert "these pictures cannot come back" in _text(panel._modes.receipt._facts)
    assert not hands.shown(panel._modes.receipt.upload)


@pytest.mark.slow
def test_a_review_can_look_in_a_folder_that_nobody_looked_in(
    hands, service, client, images, small, tmp_path
):
    (tmp_path / "post.md").write_text(f"![](https://img.picora.com/{small[0]}.png)")
    panel = hands.review(images, client, small)
    review = panel._modes.review
    look = review.look
    assert hands.shown(look.ask)
    look.ask.click()
    look.start.click()
    assert "Name the folder that holds your pages." in _text(look.said)
    look.folder.value = str(tmp_path / "elsewhere")
    look.start.click()
    hands.until(lambda: not look.start.disabled)
    assert "elsewhere" in _text(look.said)
    assert review.confirm.question.needed == "delete 4"

    look.folder.value = str(tmp_path)
    look.start.click()
    hands.until(lambda: not hands.shown(look.box))
    hands.settle()

    assert "Not in your pages" in review._verdict.value
    assert sorted(panel.plan.images.index) == sorted(small[1:])
    assert review.confirm.question.needed == "3"
    assert "1 spared" in _text(review._spared)
    assert f"references = pic.find_references(images, &#34;{tmp_path}&#34;)" in review.code.value
    assert "protect=references" in _text(review.code)
    badge = panel._gallery._session.evidence.badge(images.index.get_loc(small[0]))
    assert badge.text == "1 page"
    assert _changing(service) == []


def test_of_many_images_the_last_are_shown(hands, client, images):
    library = images.attrs["picora"]
    ids = [f"image{n:06}" for n in range(MOST_SHOWN + 100)]
    rows = pd.concat([images] * 3)[: len(ids)].set_axis(pd.Index(ids, dtype=images.index.dtype))
    job = Job(library, rows, lambda *_: None, backup="kept/")
    progress = CleanupPanel(images, client)._modes.progress
    hands.settle()
    progress.paint(job)
    assert progress.map.ids == []

    job.follow("backed up", ids[:60])
    progress.paint(job)

    assert progress.map.ids == ids[59:19:-1]
    assert len(progress.map.ids) == LATEST
    assert set(progress.map.marks) == {"t"}
    assert job.counts() == {"backed up": 60, "deleted": 0, "gone": 0, "stays": 0}
    assert "60 of 300" in _text(progress._steps)
    job.follow("kept", ids[60:])
    job.follow("deleted", ids[:60])
    assert (job.current, job.counts()["backed up"]) == ("gone", 60)


@pytest.mark.slow
def test_no_picture_or_key_is_in_what_a_notebook_saves(hands, service, client, images, small):
    panel = hands.review(images, client, small)
    small_tiles = panel._modes.review.small
    state = repr({name: small_tiles.get_state(name) for name in small_tiles.keys if name != "_esm"})
    assert "RIFF" not in state
    assert service.api_key not in state
    assert "?sig" not in state
    script = Path(pic.__file__).parent / "widgets" / "panel" / "tiles.js"
    assert "innerHTML" not in script.read_text()
