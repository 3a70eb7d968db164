"""Goals, piles, decisions and a review in a spreadsheet, as a person types them."""

import csv
import io
import json
import shlex

import pytest

import picora_analytics as pic
from picora_analytics.cli.planning import plan
from picora_analytics.cli.words import PYTHON


@pytest.fixture(scope="module")
def service():
    with pic.DemoServer(200, rate_scale=None) as server:
        yield server


def table(path):
    with io.StringIO(path.read_text(encoding="utf-8-sig"), newline="") as file:
        return list(csv.reader(file))


def write(path, rows, *, encoding="utf-8-sig", separator=","):
    text = io.StringIO()
    csv.writer(text, delimiter=separator, lineterminator="\r\n").writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding, "replace"))


@pytest.mark.slow
def test_a_goal_is_planned_from_the_command(run, service, tmp_path):
    done = run("plan", "--free", "300 KiB", "-o", "plan.json", server=service)

    assert done.returncode == 0, done.stderr
    made = pic.read_plan(tmp_path / "plan.json")
    assert made.reason == "free 300.0 KiB, what would be missed least"
    assert made.size_bytes >= 300 * 1024
    assert made.size_bytes - made.images["size_bytes"].min() < 300 * 1024


@pytest.mark.slow
def test_a_goal_out_of_reach_is_said(run, service):
    done = run(
        "plan", "--free-to", "0%", "--old", "400", "--reason", "the plan is full", server=service
    )

    assert "all that may go is not enough" in done.stderr
    assert "the plan is full" in done.stdout


@pytest.mark.slow
def test_a_part_of_the_quota_is_what_the_load_was_told(run, tmp_path):
    with pic.DemoServer(60, rate_scale=None, quota_bytes=1) as service:
        done = run(
            *("plan", "--free-to", "100%", "-o", "plan.json", "--reason", "x"), server=service
        )

    assert "To free to 100%: " in done.stderr


@pytest.mark.slow
def test_a_pile_is_planned_without_what_was_decided(run, service, tmp_path):
    run("plan", "--pile", "old-untagged", "-o", "all.json", server=service)
    first = pic.read_plan(tmp_path / "all.json").images.index[0]
    noted = run("decide", "decisions.csv", f"--keep={first}", "--by", "mia")

    done = run(
        *("plan", "--pile", "old-untagged", "--decisions", "decisions.csv", "-o", "less.json"),
        server=service,
    )

    assert noted.stdout == "Written    decisions.csv\n       1  keep\n"
    assert done.returncode == 0, done.stderr
    left = set(pic.read_plan(tmp_path / "less.json").images.index)
    assert left == set(pic.read_plan(tmp_path / "all.json").images.index) - {first}


@pytest.mark.slow
def test_what_was_decided_is_planned_by_a_rule(run, service, tmp_path):
    wanted = next(iter(service.images))
    run("decide", "decisions.csv", f"--delete={wanted}")

    done = run(
        *("plan", "--decided", "delete", "--decisions", "decisions.csv", "--reason", "as decided"),
        *("-o", "plan.json"),
        server=service,
    )

    assert done.returncode == 0, done.stderr
    made = pic.read_plan(tmp_path / "plan.json")
    assert [*made.images.index, *made.spared.index] == [wanted]


@pytest.mark.slow
def test_what_a_search_found_is_never_suggested(run, service, tmp_path):
    run("plan", "--pile", "old-untagged", "-o", "all.json", server=service)
    old = pic.read_plan(tmp_path / "all.json").images
    (tmp_path / "site").mkdir()
    (tmp_path / "site/post.md").write_text(f"![]({old['url'].iloc[0]})\n")
    run("scan", "site", "--json", "refs.json", server=service)

    done = run(
        *("plan", "--free", "1 GiB", "--references", "refs.json", "-o", "plan.json"), server=service
    )

    left = pic.read_plan(tmp_path / "plan.json").images
    assert "all that may go is not enough" in done.stderr
    assert set(old.index) - set(left.index) == {old.index[0]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param((), "Give at least one rule", id="nothing"),
        pytest.param(("--untagged",), "Missing option '--reason'", id="a rule without a reason"),
        pytest.param(("--free", "1", "--pile", "old"), "one of --free", id="two goals"),
        pytest.param(
            ("--free", "1", "--untagged"), "Give rules, or one of", id="a goal and a rule"
        ),
        pytest.param(
            ("--untagged", "--reason", "x", "--old", "9"),
            "--old is for --free",
            id="old and a rule",
        ),
        pytest.param(
            ("--hidden-for", "30", "--reason", "x"),
            "--hidden-for needs --decisions",
            id="no decisions",
        ),
    ],
)
def test_what_is_unclear_is_wrong_usage(run, service, arguments, said):
    done = run("plan", *arguments, server=service)

    assert done.returncode == 2
    assert said in done.stderr


# A review


@pytest.fixture
def review(run, service, tmp_path):
    """Write a plan's rows for a review, and give the file."""
    run("plan", "--pile", "old-untagged", "--csv", "review.csv", server=service)
    return tmp_path / "review.csv"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.slow
def test_lines_struck_out_are_kept(run, service, review, tmp_path, encoding, separator):
    head, first, second, *rest = table(review)
    write(review, [head, second, *rest], encoding=encoding, separator=separator)

    done = run(
        *("plan", "--from", "review.csv", "--decisions", "decisions.csv", "-o", "plan.json"),
        server=service,
    )

    assert done.returncode == 0, done.stderr
    made = pic.read_plan(tmp_path / "plan.json")
    ids = [row[0].removeprefix("'") for row in (first, second, *rest)]
    assert sorted(made.images.index) == sorted(ids[1:])
    assert made.spared.loc[ids[0], "reason"] == "taken out by you"
    decided = pic.read_decisions(tmp_path / "decisions.csv")
    assert decided[["id", "decision"]].values.tolist() == [[ids[0], "keep"]]


@pytest.mark.slow
def test_a_column_sorted_alone_keeps_what_it_confuses_and_names_the_line(
    run, service, review, tmp_path
):
    head, *rows = table(review)
    ids = [row[0] for row in rows]
    write(review, [head, *([one, *row[1:]] for one, row in zip(ids[::-1], rows, strict=True))])

    done = run("plan", "--from", "review.csv", "-o", "plan.json", server=service)

    assert "review.csv, line 2: its file name or address is not that of" in done.stderr
    middle = {ids[len(ids) // 2].removeprefix("'")} if len(ids) % 2 else set()
    assert set(pic.read_plan(tmp_path / "plan.json").images.index) == middle


@pytest.mark.slow
def test_a_word_of_a_reviewer_in_a_column_of_decisions_is_not_passed_over(run, service, review):
    head, *rows = table(review)
    write(review, [[*head, "Decision"], [*rows[0], "keep"], *([*row, ""] for row in rows[1:])])

    done = run("plan", "--from", "review.csv", server=service)

    assert done.returncode == 1
    assert "row 2: its column 'decision' says 'keep'" in done.stderr


@pytest.mark.slow
def test_an_id_that_was_not_shown_is_refused(run, service, review):
    head, *rows = table(review)
    write(review, [head, *rows, ["aB3dE5fG7hJ", *rows[0][1:]]])

    done = run("plan", "--from", "review.csv", server=service)

    assert done.returncode == 1
    assert (
        f"row {len(rows) + 2}: 'aB3dE5fG7hJ' was not shown there; rows may be struck out, not added."
        in done.stderr
    )


@pytest.mark.slow
def test_what_is_left_of_a_review_is_protected_anew(run, service, review, tmp_path):
    head, struck, kept, named, used, *rest = table(review)
    write(review, [head, kept, named, used, *rest])
    kept, named, used = (row[0].removeprefix("'") for row in (kept, named, used))
    run("decide", "decisions.csv", f"--keep={kept}")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/post.md").write_text(f"![](https://img.example/{used}.png)\n")
    run("scan", "site", "--json", "refs.json", server=service)

    done = run(
        *("plan", "--from", "review.csv", "--decisions", "decisions.csv", "--protect", named),
        *("--references", "refs.json", "--max-images", "1", "--json", "-o", "plan.json"),
        server=service,
    )

    assert done.returncode == 3, done.stderr
    made = pic.read_plan(tmp_path / "plan.json")
    assert json.loads(done.stdout)["confirmation"] == made.confirmation
    assert "Struck out: 1 image" in done.stderr
    assert sorted(made.images.index) == sorted(row[0].removeprefix("'") for row in rest)
    assert made.spared["reason"][[kept, named, used]].tolist() == [
        "on your keep list",
        "protected",
        "still used: found by the references",
    ]
    assert (made.caps.max_images, made.caps.max_fraction) == (1, 0.25)
    assert made.protected_tags == (named,)
    assert f"{len(rest)} images are more than max_images=1" in map(str, made.refusals)


HEARD_WITH_A_REVIEW = {
    *("review", "protect", "references", "decisions", "max_images", "max_bytes", "max_fraction"),
    *("output", "csv_path", "as_json", "quiet", "demo", "help"),
}


@pytest.mark.parametrize(
    "option",
    [one for one in plan.params if one.name not in HEARD_WITH_A_REVIEW],
    ids=lambda option: option.name,
)
def test_a_review_refuses_what_it_does_not_hear(run, tmp_path, option):
    (tmp_path / "review.csv").write_text("id\n")
    value = [] if option.is_flag else [getattr(option.type, "choices", ["2020-01-01"])[0]]
    value = ["1"] if option.type.name == "number" else value

    done = run("plan", "--from", "review.csv", option.opts[0], *value, PICORA_API_KEY="x")

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(
        ("Error: Give rules, or one of", f"Error: {option.opts[0]} is for ")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("decide", "d.csv", "--by", "mia"), id="decide without an image"),
        pytest.param(
            ("decide", "d.csv", "--delete", "a", "--until", "2030-01-01"), id="a wish with a day"
        ),
        pytest.param(("review", "d.csv", "--decisions", "e.csv", "--by", "pile"), id="a table, by"),
        pytest.param(
            ("review", "d.csv", "--decisions", "e.csv", "-o", "page.html"), id="a table, to a page"
        ),
        pytest.param(("review", "p.json", "-o", "page.html", "--by", "pile"), id="a page of all"),
        pytest.param(("load", "--tag", "cat", "--store", "kept"), id="a load by tag"),
        pytest.param(("scan", ".", "--ids", "d.csv", "--store", "kept"), id="a scan by ids"),
        pytest.param(("apply", "p.json", "--resume", "--min-age", "2h"), id="a resume"),
        pytest.param(
            ("apply", "--standing-order", "d.csv", "--min-age", "2h"), id="a standing order"
        ),
    ],
)
def test_what_a_form_of_a_command_does_not_hear_is_refused(run, tmp_path, arguments):
    (tmp_path / "d.csv").write_text("id,decision\na,keep\n")
    (tmp_path / "p.json").write_text("{}")

    done = run(*arguments, PICORA_API_KEY="x")

    assert done.returncode == 2
    assert any(f"Error: {one} " in done.stderr for one in (*arguments, "--output"))


def test_a_review_without_its_plan_is_refused(run, service, tmp_path):
    (tmp_path / "review.csv").write_text("id\nx\n")

    done = run("plan", "--from", "review.csv", server=service)

    assert done.returncode == 1
    assert "There is no 'review.csv.plan.json' beside 'review.csv'" in done.stderr


# Decide


def test_decisions_are_noted_one_after_the_other(run, tmp_path):
    run("decide", "d.csv", "--keep=-T40cZpLq8x", "--note", "=the logo")
    b, c = "bbbbbbbbbbb", "ccccccccccc"
    run("decide", "d.csv", "--later", b, "--until", "2027-01-31", "--delete", c)
    done = run("decide", "d.csv", "--not-duplicates", b, c)

    found = pic.read_decisions(tmp_path / "d.csv")
    assert found[["id", "decision", "other_id", "until", "note"]].values.tolist() == [
        ["-T40cZpLq8x", "keep", "", "", "=the logo"],
        [c, "delete", "", "", ""],
        [b, "later", "", "2027-01-31", ""],
        [b, "not duplicates", c, "", ""],
    ]
    assert done.stdout.splitlines()[1:] == [
        "       1  keep", "       1  delete", "       1  later", "       1  not duplicates",
    ]  # fmt: skip


def test_an_id_is_one_and_the_nearest_that_is_remembered_is_named(run, make_images, tmp_path):
    images = make_images(id=["aB3dE5fG7hJ", "odd"], filename=["hero.png", "other.png"])
    pic.SnapshotStore(tmp_path / "data" / "snapshots" / "one").save(images)

    named = run("decide", "d.csv", "--keep", "hero.png")
    wrong = run("decide", "d.csv", "--delete", "aB3dE5fG7h")
    assert (named.returncode, wrong.returncode) == (2, 2)
    assert "--keep 'hero.png' is no id: that is 11 letters, digits, - or _" in named.stderr
    assert "lists them. Nearest: 'aB3dE5fG7hJ'." in named.stderr
    assert "Nearest: 'aB3dE5fG7hJ'." in wrong.stderr
    assert not (tmp_path / "d.csv").exists()

    nearly = run("decide", "d.csv", "--keep", "aB3dE5fG7hj", "--keep", "odd", "--keep=-T40cZpLq8x")
    assert nearly.returncode == 0
    assert nearly.stderr.splitlines() == [
        "'aB3dE5fG7hj' is not in the library as it was remembered last. Nearest: 'aB3dE5fG7hJ'."
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(("--later", "b"), 2, "--later needs --until", id="no day"),
        pytest.param((), 2, "there is no file 'none.csv'", id="no file"),
        pytest.param(
            ("--not-duplicates", "a", "a"), 2, "needs two images, and both are 'a'", id="not a pair"
        ),
    ],
)
def test_what_cannot_be_noted_is_said(run, arguments, code, said):
    done = run("decide", "none.csv", *arguments)

    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_what_a_goal_out_of_reach_needs_is_said_in_shell_words(run):
    with pic.DemoServer(n_images=40) as server:
        done = run("plan", "--free", "500 GiB", server=server)

    assert "A smaller age than --old 730 lets more images be old" in done.stderr
    assert not PYTHON.search(done.stderr)


@pytest.mark.slow
def test_the_lines_of_a_preview_for_fewer_images_and_for_a_review_work_as_they_stand(run, tmp_path):
    def typed(done, start):
        (line,) = [one for one in done.stdout.splitlines() if one.startswith(start)]
        return shlex.split(line.partition("picora-analytics ")[2])

    planned = run("plan", "--free", "30 MiB", "--demo")
    table = run(*typed(planned, "  Fewer       "))
    lines = (tmp_path / "plan.csv").read_text(encoding="utf-8-sig").splitlines(keepends=True)
    (tmp_path / "plan.csv").write_text("".join(lines[:-1]), encoding="utf-8")
    fewer = run(*typed(table, "  Fewer       strike rows out of plan.csv, then: "))
    saved = run(*typed(planned, "  Review      "))
    reviewed = run(*typed(saved, "  Review      "))

    assert [one.returncode for one in (planned, table, fewer, saved, reviewed)] == [0] * 5
    assert f"DELETE {len(lines) - 2} IMAGES" in fewer.stdout
    assert (tmp_path / "review.html").exists()
