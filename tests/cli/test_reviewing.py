"""A long plan looked through in portions, from day to day; what nobody looked at is kept."""

import csv
import io

import pandas as pd
import pytest

import picora_analytics as pic

HOSTILE = '"><img src=x onerror="window.__xss=1">{{7*7}}.png'


@pytest.fixture
def plan(make_images):
    images = make_images(
        id=["a", "b", "-c", "d", "e"],
        created_at=["2020-02-01", "2020-01-09", "2020-01-31", None, "2020-02-29"],
        size_bytes=[1, 2, 4, 8, 16],
    )
    return pic.plan_deletion(
        images, {"old": ["a", "b", "d"], "copies": ["-c", "e"]}, reason="x", max_fraction=1
    )


def test_portions_add_up_and_hold_what_is_open(plan):
    months = plan.portions()
    assert months.to_numpy().tolist() == [
        ["2020-01", 2, 6, 0],
        ["2020-02", 2, 17, 0],
        ["unknown", 1, 8, 0],
    ]
    assert plan.portions("pile").to_numpy().tolist() == [["old", 3, 11, 0], ["copies", 2, 20, 0]]
    decided = pd.DataFrame(
        {
            "id": ["a", "b", "-c", "d"],
            "decision": ["keep", "delete", "later", "later"],
            "until": ["", "", "2020-01-01", "2030-01-01"],
        }
    )
    # What was put off comes back on its day.
    assert plan.portions(decisions=decided)["n_decided"].tolist() == [1, 1, 1]
    assert list(plan.portion("2020-01", decisions=decided).images.index) == ["-c"]
    assert list(plan.portion("copies", "pile").images.index) == ["-c", "e"]
    # Unseen means keep.
    assert list(plan.decided(decided).images.index) == ["b"]
    with pytest.raises(pic.PlanError, match=r"look at plan\.portions\('month'\)\.$"):
        plan.portion("2020-03")
    with pytest.raises(ValueError, match=r"say month or pile\.$"):
        plan.portions("tag")


@pytest.mark.slow
def test_a_review_goes_on_where_it_stopped(run, plan, tmp_path):
    plan.save(tmp_path / "plan.json")
    decisions = ("--decisions", "d.csv")

    first = run("review", "plan.json", *decisions, "-o", "part.csv")
    assert first.returncode == 0, first.stderr
    assert "Next       2020-01: 2 images, 6 B" in first.stdout
    rows = list(csv.reader(io.StringIO((tmp_path / "part.csv").read_text("utf-8-sig"))))
    kept = [row for row in rows if row[0] != "b"]
    text = io.StringIO()
    csv.writer(text).writerows(kept)
    (tmp_path / "part.csv").write_text(text.getvalue(), "utf-8-sig")
    back = run("review", "part.csv", *decisions)

    assert back.returncode == 0, back.stderr
    noted = pic.read_decisions(tmp_path / "d.csv").set_index("id")["decision"].to_dict()
    assert noted == {"b": "keep", "-c": "delete"}
    again = run("review", "plan.json", *decisions, "--by", "month")
    assert "2020-01  (decided)" in again.stdout
    assert "Next       2020-02: 2 images, 17 B" in again.stdout
    assert list(plan.decided(tmp_path / "d.csv").images.index) == ["-c"]
    assert run("review", "plan.json", *decisions, "--portion", "1999-01").returncode == 2


@pytest.mark.slow
def test_a_plan_becomes_a_page_with_pictures_for_people_without_python(run, tmp_path):
    with pic.DemoServer(n_images=60, rate_scale=None) as service:
        service.add(1, filename=HOSTILE, title=HOSTILE, is_public=True, tags=())
        with pic.Client(service.api_key, service.url) as client:
            images = pic.load_images(client, store=None, progress=False)
            private = list(images.index[~images["is_public"]][:2])
            public = list(images.index[images["is_public"] & (images["size_bytes"] < 200_000)][:5])
            named = list(images.index[images["filename"] == HOSTILE])
            plan = pic.plan_deletion(
                images, {"old": public + named, "copies": private}, reason=HOSTILE, max_fraction=1
            )
        plan.save(tmp_path / "plan.json")
        before = len(service.requests)

        done = run("review", "plan.json", "-o", "review.html")

        assert done.returncode == 0, done.stderr
        asked = [one.path for one in service.requests[before:]]
    page = (tmp_path / "review.html").read_text("utf-8")
    rows = pd.read_csv(tmp_path / "review.csv")
    assert list(rows["id"].str.removeprefix("'")) == list(plan.images.index)
    assert f"{len(plan.images)} pictures are to be deleted. Are any still needed?" in page
    assert "DEMO" in page
    assert page.count("<img ") == page.count('src="data:image/')
    assert page.count('loading="lazy"') >= len(public)
    for number, image_id in enumerate(plan.images.index, start=2):
        part = page.split(f'id="row-{number}"')[1].partition("</li>")[0]
        assert image_id in part
        assert ("data:image" in part) is (image_id in public + named)
        assert ("private, " in part) is (image_id in private)
        assert not any(image_id in path for path in asked if image_id in private)
    assert "<script" not in page.lower()
    assert HOSTILE not in page
    assert service.api_key not in page
    assert service.url not in page
    assert "review.csv" in done.stdout
    # Somebody strikes out a row, and sends the table back.
    lines = (tmp_path / "review.csv").read_text("utf-8-sig").splitlines(keepends=True)
    (tmp_path / "review.csv").write_text("".join(lines[:1] + lines[2:]), "utf-8-sig")
    back = run("review", "review.csv", "--decisions", "decisions.csv")
    assert back.returncode == 0, back.stderr
    said = pic.read_decisions(tmp_path / "decisions.csv").set_index("id")["decision"]
    assert said[plan.images.index[0]] == "keep"
    assert (said == "delete").sum() == len(plan.images) - 1


@pytest.mark.slow
def test_a_page_is_made_where_no_picture_comes(run, plan, tmp_path):
    plan.save(tmp_path / "plan.json")

    done = run("review", "plan.json", "-o", "for Ann.html", "--portion", "copies", "--by", "pile")

    assert done.returncode == 0, done.stderr
    page = (tmp_path / "for Ann.html").read_text("utf-8")
    assert "2 pictures are to be deleted" in page
    assert page.count("no picture came") + page.count("private, ") == 2
    assert "'for Ann.csv' --decisions" in done.stdout
    assert run("review", "plan.json", "-o", "part.csv").returncode == 2
    assert run("review", "for Ann.csv", "-o", "again.html").returncode == 2
    assert not (tmp_path / "None").exists()
    assert "is no plan of the demo" in run("review", "plan.json", "-o", "a.html", "--demo").stderr
    assert run("review", "plan.json").returncode == 2


@pytest.mark.slow
def test_a_page_has_the_pictures_of_a_demo_that_has_ended(run, tmp_path):
    rule = ("--older-than", "730", "--untagged", "--reason", "old")
    assert run("plan", "--demo", *rule, "-o", "plan.json").returncode == 0

    without = run("review", "plan.json", "-o", "page.html")
    done = run("review", "plan.json", "-o", "page.html", "--demo")

    assert (
        "0 with a picture\nThe demo of this plan has ended; with --demo the page" in without.stdout
    )
    assert "47  images, 41 with a picture\nSend" in done.stdout
