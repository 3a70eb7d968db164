"""A long plan looked through in portions, from day to day; what nobody looked at is kept."""

import csv
import io

import pandas as pd
import pytest

import picora_analytics as pic


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
    assert run("review", "plan.json", *decisions, "--portion", "1999-01").returncode == 1
