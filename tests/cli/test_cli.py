"""The command as a person, a pipe and cron meet it: output, files and exit codes."""

import re
import shlex
import subprocess
import sys

import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cli.words import PYTHON


@pytest.mark.slow
def test_demo_shows_the_whole_tour_and_deletes_nothing(run, tmp_path):
    done = run("demo")

    assert done.returncode == 0, done.stderr
    for part in (
        "1,200 invented pictures on 127.0.0.1",
        "LIBRARY    1,200 images",
        "QUOTA      ",
        "WHAT STANDS OUT",
        " 1  Probably the same picture twice                      20 images    28.1 MiB\n",
        "BY TAG",
        "BY TYPE",
        "DRY RUN",
        "nothing is deleted",
        "0 deleting requests",
        "make lab",
    ):
        assert part in done.stdout
    assert "Complete: 1,200 rows = 1,200 different ids" in done.stderr
    assert (tmp_path / "picora-overview.png").read_bytes().startswith(b"\x89PNG")
    assert re.search(r"Done in \d+\.\d s\.\n$", done.stdout)
    # What it says to type next can be typed, wherever the command is installed.
    (typed,) = re.findall(r"^ +(\S.*) plan --demo ", done.stdout, re.MULTILINE)
    helped = subprocess.run([*shlex.split(typed), "--help"], capture_output=True, cwd=tmp_path)
    assert helped.returncode == 0


@pytest.mark.slow
def test_decisions_may_be_a_head_alone(run, tmp_path):
    (tmp_path / "decisions.csv").write_text("id,decision\n")

    done = run("plan", "--demo", "--untagged", "--reason", "x", "--decisions", "decisions.csv")

    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_without_a_terminal_there_is_no_bar_and_no_colour(process):
    done = process("load", "--demo")

    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stderr


@pytest.mark.slow
def test_an_old_code_page_gets_plain_characters_instead_of_an_error(process):
    done = process("demo", PYTHONIOENCODING="cp1252")

    assert done.returncode == 0, done.stderr
    assert re.search(r"QUOTA +#+\.+ +\d+ %", done.stdout)


@pytest.mark.parametrize(
    ("columns", "together"),
    [pytest.param(80, False, id="narrow"), pytest.param(120, True, id="wide")],
)
@pytest.mark.slow
def test_the_tables_stand_side_by_side_where_there_is_room(run, columns, together):
    done = run("load", "--demo", columns=columns)

    heads = [line for line in done.stdout.splitlines() if "BY TAG" in line]
    assert ("BY TYPE" in heads[0]) is together
    assert max(len(line) for line in done.stdout.splitlines()) <= columns


@pytest.mark.slow
def test_the_demo_writes_its_site_and_names_the_next_line(run, tmp_path):
    done = run("demo", "--site", "blog")
    again = run("demo", "--site", ".")

    assert done.returncode == 0, done.stderr
    assert "git branches main and old-design" in done.stdout
    assert " scan blog --git blog --demo --json refs.json" in done.stdout
    assert (tmp_path / "blog/index.md").exists()
    assert not (tmp_path / "picora-report.html").exists()
    assert again.returncode == 1
    assert "holds other files" in again.stderr


def test_no_key_is_wrong_usage(run):
    done = run("load")

    assert done.returncode == 2
    assert "No API key: set PICORA_API_KEY" in done.stderr
    assert done.stderr.endswith("Or try --demo.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["nonsense"], id="unknown command"),
        pytest.param(["load", "--refresh", "sometimes", "--demo"], id="unknown choice"),
        pytest.param(["plan", "--demo", "--reason", "x"], id="a plan without a rule"),
        pytest.param(["load", "--demo", "-o", "rows.xlsx"], id="an unknown format"),
        pytest.param(["load", "--demo", "-o", "none/rows.csv"], id="a folder that is not there"),
    ],
)
def test_wrong_usage_exits_with_2(run, arguments):
    assert run(*arguments).returncode == 2


def test_a_refused_key_exits_with_1_and_names_the_other_hosts(run):
    with DemoServer(n_images=1) as server:
        done = run("check", server=server, PICORA_API_KEY="")
        assert done.returncode == 2  # Empty is not refused: nothing was asked.

        server.fail("GET", "/v1/*", times=None, status=401)
        done = run("check", server=server)

    assert done.returncode == 1
    assert "set PICORA_BASE_URL to one of https://api.picora.com, " in done.stderr


def test_a_library_read_in_part_exits_with_4(run):
    with DemoServer(n_images=250) as server:
        server.fail("GET", "/v1/images", skip=1, times=None, status=403)
        done = run("load", server=server)

    assert done.returncode == 4
    assert "page 2 never came" in done.stderr


@pytest.mark.slow
def test_a_plan_over_its_caps_is_shown_and_exits_with_3(run):
    done = run("plan", "--demo", "--untagged", "--max-images", "3", "--reason", "tidy")

    assert done.returncode == 3
    assert "REFUSED AS IT STANDS" in done.stdout
    assert "more than --max-images 3" in done.stdout


def test_check_says_what_the_server_answers(run):
    with DemoServer(n_images=5) as server:
        current = run("check", server=server)
    with DemoServer(n_images=5, seed_only=True) as server:
        seed = run("check", server=server)

    assert "5 images" in current.stdout
    assert re.search(r"One image +can be asked for", current.stdout)
    assert re.search(r"Whose key +not told here", seed.stdout)
    assert re.search(r"Usage +not told to this key", seed.stdout)


@pytest.mark.parametrize("body", ["<html>Sign in</html>", '{"data": 5}'], ids=["HTML", "JSON"])
@pytest.mark.slow
def test_check_goes_on_where_one_image_is_answered_oddly(run, body):
    with DemoServer(n_images=5) as server:
        server.fail("GET", "/v1/images/*", times=None, body=body)
        done = run("check", server=server)

    assert done.returncode == 0, done.stderr
    assert re.search(r"One image +not readable here", done.stdout)


@pytest.mark.slow
def test_load_writes_rows_that_no_spreadsheet_runs(run, tmp_path):
    with DemoServer(n_images=40) as server:
        server.add(1, filename="=1+1.png")
        csv = run("load", "-o", "rows.csv", server=server)
        parquet = run("load", "--store", "kept", "-o", "rows.parquet", server=server)

    assert (csv.returncode, parquet.returncode) == (0, 0), csv.stderr + parquet.stderr
    rows = pd.read_csv(tmp_path / "rows.csv", dtype=str)
    assert len(rows) == 41
    assert "'=1+1.png" in set(rows["filename"])
    assert not rows.map(lambda text: str(text).startswith(("=", "+", "-", "@"))).any(axis=None)
    assert len(pd.read_parquet(tmp_path / "rows.parquet")) == 41
    assert len(list((tmp_path / "kept").glob("*.parquet"))) == 1


@pytest.mark.slow
def test_plan_saves_a_plan_that_reads_back_and_sends_only_reads(run, tmp_path):
    from picora_analytics import read_plan

    with DemoServer(n_images=300) as server:
        done = run(
            *("plan", "--older-than", "730", "--untagged", "--reason", "old", "-o", "plan.json"),
            server=server,
        )
        methods = {request.method for request in server.requests}

    assert done.returncode == 0, done.stderr
    assert methods == {"GET"}
    plan = read_plan(tmp_path / "plan.json")
    assert plan.confirmation in done.stdout
    assert f"{len(plan.images)} images would be deleted" in done.stdout


@pytest.mark.slow
def test_lab_copies_the_notebooks_and_overwrites_none(process, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "01_explore.ipynb").write_text("my own work")

    done = process("lab", "mine", "--", "--version")

    assert done.returncode == 0, done.stderr
    assert re.search(r"\n\d+\.\d+\.\d+", done.stdout)
    assert (mine / "01_explore.ipynb").read_text() == "my own work"
    assert process("lab", "fresh", "--", "--version").returncode == 0
    assert '"cells"' in (tmp_path / "fresh" / "01_explore.ipynb").read_text(encoding="utf-8")


@pytest.mark.slow
def test_options_for_jupyter_are_no_folder(process, tmp_path):
    assert process("lab", "--", "--version").returncode == 0

    assert [path.name for path in tmp_path.iterdir()] == ["picora-notebooks"]


@pytest.mark.slow
def test_version_is_the_packages():
    from picora_analytics import __version__

    done = subprocess.run(
        [sys.executable, "-m", "picora_analytics", "--version"], capture_output=True, text=True
    )

    assert done.stdout.split()[-1] == __version__


def _phrase(done):
    return re.search(r"Delete .* --confirm (\S+)", done.stdout)[1]


@pytest.mark.slow
def test_a_plan_is_applied_from_the_shell_with_its_phrase_and_only_with_it(run, tmp_path):
    with DemoServer(n_images=300) as server:
        planned = run(
            *("plan", "--older-than", "730", "--untagged", "--reason", "old", "-o", "plan.json"),
            server=server,
        )
        rehearsed = run("apply", "plan.json", server=server)
        unsaid = run("apply", "plan.json", "--confirm", _phrase(planned), server=server)
        wrong = run("apply", "plan.json", "--confirm", "1-00000000", "--no-backup", server=server)
        assert server.deleted == []

        done = run(
            *("apply", "plan.json", "--confirm", _phrase(planned), "--no-backup"),
            *("-o", "receipt.json"),
            server=server,
        )
        deleted = {one.id for one in server.deleted}
        again = run(
            *("apply", "plan.json", "--confirm", _phrase(planned), "--no-backup"), server=server
        )

    assert (rehearsed.returncode, unsaid.returncode, wrong.returncode) == (0, 2, 1)
    assert "DRY RUN" in rehearsed.stdout
    assert "is for another plan" in wrong.stderr
    assert done.returncode == 0, done.stderr
    assert f"{len(deleted)} images deleted" in done.stdout
    assert "no copies were kept" in done.stdout
    import json

    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert {row["id"] for row in receipt["outcomes"]} == deleted
    assert (again.returncode, "nothing was sent now" in again.stdout) == (0, True)


PLAN = ("plan", "--older-than", "730", "--untagged", "--reason", "old", "-o", "plan.json")


@pytest.mark.slow
def test_in_ci_a_job_cannot_confirm_its_own_plan_and_hears_what_would_vanish(run, tmp_path):
    with DemoServer(n_images=300) as server:
        planned = run(*PLAN, server=server, CI="true", PICORA_DATA_DIR=str(tmp_path / "data"))
        (tmp_path / "approved.txt").write_text(f"# agreed\n{_phrase(planned)}\n")
        said = ("apply", "plan.json", "--confirm-file", "approved.txt", "--no-backup")

        refused = run(*said, server=server, CI="true")
        assert server.deleted == []
        done = run(*said, "--min-age", "0", server=server, CI="true")

    assert planned.returncode == 0, planned.stderr
    assert "CI: the snapshots (" in planned.stderr
    assert refused.returncode == 1
    assert "use --standing-order" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert "CI: the journal (plan.journal.ndjson) would vanish with this runner." in done.stderr


@pytest.mark.slow
def test_an_interrupted_apply_goes_on_from_the_shell(run, tmp_path):
    with DemoServer(n_images=300) as server:
        planned = run(*PLAN, server=server)
        server.fail("DELETE", "/v1/media", status=403)
        said = ("apply", "plan.json", "--confirm", _phrase(planned), "--no-backup")
        stopped = run(*said, server=server)
        again = run(*said, server=server)
        assert server.deleted == []

        resumed = run("apply", "plan.json", "--resume", server=server)

        assert len(server.deleted) == int(_phrase(planned).partition("-")[0])
    assert (stopped.returncode, again.returncode, resumed.returncode) == (1, 1, 0)
    assert "Type: picora-analytics apply " in again.stderr and "--resume" in again.stderr


@pytest.mark.parametrize(
    ("said", "code", "answer"),
    [
        pytest.param((), 2, "Give either a plan, or --standing-order", id="nothing to apply"),
        pytest.param(
            ("plan.json", "--standing-order", "p.toml"), 2, "Give either a plan", id="both"
        ),
        pytest.param(
            ("plan.json", "--confirm", "x", "--confirm-file", "y"), 2, "not both", id="two phrases"
        ),
        pytest.param(
            ("plan.json", "--backup", "kept", "--no-backup"), 2, "not both", id="copies and none"
        ),
        pytest.param(
            ("--standing-order", "p.toml"), 2, "there is no file 'p.toml'", id="no policy"
        ),
        pytest.param(("plan.json", "--max-images", "1"), 2, "No such option", id="no such option"),
    ],
)
def test_an_apply_that_is_not_clear_is_refused(run, tmp_path, said, code, answer, make_images):
    from picora_analytics import plan_deletion

    plan_deletion(make_images(), ["a"], reason="test").save(tmp_path / "plan.json")

    done = run("apply", *said, "--demo")

    assert done.returncode == code
    assert answer in done.stderr


@pytest.mark.slow
def test_a_dry_run_of_a_plan_that_would_be_refused_exits_with_3(run):
    with DemoServer(n_images=300) as server:
        planned = run(*PLAN, "--max-images", "1", server=server)
        rehearsed = run("apply", "plan.json", server=server)

    assert (planned.returncode, rehearsed.returncode) == (3, 3)


@pytest.mark.slow
def test_an_apply_that_fails_in_part_exits_with_4(run):
    with DemoServer(n_images=300) as server:
        planned = run(*PLAN, server=server)
        server.fail(
            "DELETE",
            "/v1/media",
            status=200,
            body='{"success": true, "data": {"deleted": [], "failed": []}}',
            times=None,
        )
        done = run(
            *("apply", "plan.json", "--confirm", _phrase(planned), "--no-backup"), server=server
        )

    assert done.returncode == 4
    assert "still there after 3 tries" in done.stdout


@pytest.mark.slow
def test_a_key_that_may_not_delete_gets_a_receipt_and_exits_with_1(run):
    with DemoServer(n_images=300, scopes=("images:read",)) as server:
        planned = run(
            *("plan", "--older-than", "730", "--untagged", "--reason", "old", "-o", "plan.json"),
            server=server,
        )
        done = run(
            *("apply", "plan.json", "--confirm", _phrase(planned), "--no-backup"), server=server
        )

    assert done.returncode == 1
    assert "0 images deleted" in done.stdout
    assert "may lack the scope" in done.stderr


@pytest.mark.slow
def test_report_writes_each_format_and_minds_the_threshold(run, tmp_path):
    outputs = ("-o", "r.html", "-o", "r.md", "-o", "r.json", "-o", "-", "--metrics", "r.prom")
    (tmp_path / "a.md").write_text("![](https://cdn.example/R8l4Cdl_Aiu.jpg)")
    (tmp_path / "kept.csv").write_text("id,decision\nR8l4Cdl_Aiu,keep\n")
    pic.find_references(pd.Index(["R8l4Cdl_Aiu"]), tmp_path / "a.md").write(tmp_path / "refs.json")
    known = ("--references", "refs.json", "--decisions", "kept.csv")

    fine = run("report", "--demo", *outputs, "--fail-over", "95%")
    full = run("report", "--demo", "-o", "r.json", "--quota", "1 GiB", "--fail-over", "90%", *known)

    assert fine.returncode == 0, fine.stderr
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "data:image/webp" in page
    assert (tmp_path / "r.prom").read_text().endswith("\n# EOF\n")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").strip() == fine.stdout.strip()
    assert '"version":1' in (tmp_path / "r.json").read_text().replace(" ", "")
    assert '"n_found":1,' in (tmp_path / "r.json").read_text().replace(" ", "")
    assert full.returncode == 3


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["-o", "report.pdf"], id="an unknown format"),
        pytest.param(["--quota", "5 gigs"], id="a quota that cannot be read"),
        pytest.param(["--fail-over", "most"], id="a share that cannot be read"),
    ],
)
def test_report_refuses_what_it_cannot_read(run, arguments, tmp_path):
    done = run("report", "--demo", *arguments)

    assert done.returncode in (1, 2)
    assert repr(arguments[1]) in done.stderr
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.slow
def test_snapshots_and_diff_show_what_changed_between_two_loads(run):
    with DemoServer(n_images=50) as server:
        assert run("snapshots", "--store", "kept", server=server).stdout == ""
        run("load", "--store", "kept", server=server)
        one = run("diff", "--store", "kept", server=server)
        gone = next(iter(server.images))
        server.remove(gone)
        run("load", "--store", "kept", server=server)
        listed = run("snapshots", "--store", "kept", server=server)
        two = run("diff", "--store", "kept", server=server)

    assert one.returncode == 1
    assert one.stderr.endswith(
        "One snapshot is there, and a load that finds nothing changed makes no second. Load again later, and "
        "compare then.\n"
    )
    assert len(listed.stdout.splitlines()) == 2
    assert two.stdout.startswith("0 added, 1 removed, 0 changed, 0 replaced, -")
    assert gone in two.stdout


@pytest.mark.slow
def test_copies_are_made_of_a_plan_and_come_back(run, tmp_path):
    with DemoServer(n_images=120, rate_scale=100) as server:
        planned = run(
            *("plan", "--older-than", "730", "--untagged", "--reason", "old", "-o", "plan.json"),
            server=server,
        )
        made = run("backup", "plan.json", "kept", server=server)
        chosen = pic.read_plan(tmp_path / "plan.json").images.index
        still = run("restore", "kept", server=server)
        for one in chosen:
            server.remove(one)
        one = run("restore", "kept", "--id", chosen[0], server=server)
        back = run("restore", "kept", "-o", "map.csv", server=server)

        assert (planned.returncode, made.returncode, one.returncode, back.returncode) == (0,) * 4, (
            made.stderr + one.stderr + back.stderr
        )
        assert f"{len(chosen)} of {len(chosen)} images proved" in made.stdout
        assert not PYTHON.search(planned.stdout + made.stdout)
        assert still.stdout.splitlines() == [
            f"{len(chosen)} images  already there: it is still in the library",
            f"{len(chosen):>8}  already there",
        ]
        assert len(server.images) == 120
        assert re.search(r"^ +1  restored$", one.stdout, re.MULTILINE)
        assert re.search(rf"^ +{len(chosen)}  restored$", back.stdout, re.MULTILINE)
    rows = pd.read_csv(tmp_path / "map.csv", dtype=str)
    assert list(rows.columns) == ["old_id", "new_id", "old_url", "new_url", "outcome", "reason"]
    assert set(rows["old_id"].str.removeprefix("'")) == set(chosen)


@pytest.mark.slow
def test_copies_that_cannot_be_proved_exit_with_4(run):
    with DemoServer(n_images=120, rate_scale=100) as server:
        run(
            *("plan", "--older-than", "730", "--untagged", "--reason", "old", "-o", "plan.json"),
            server=server,
        )
        server.fail("GET", "/*.*", status=404)
        made = run("backup", "plan.json", "kept", server=server)

    assert made.returncode == 4
    assert "1: 127.0.0.1 answered 404" in made.stdout


@pytest.mark.slow
def test_what_is_remembered_is_listed_compared_and_pruned_without_a_key(run, tmp_path):
    with DemoServer(n_images=20) as server:
        for _ in range(3):
            run("load", "--store", "kept", server=server)
            server.remove(next(iter(server.images)))
    files = sorted((tmp_path / "kept").glob("*.parquet"))
    first, _, last = (file.stem for file in files)

    listed = run("snapshots", "--store", "kept")
    days = run("diff", last[:4] + "-" + last[4:6] + "-" + last[6:8], "--store", "kept")
    versions = run("diff", first, last, "--store", "kept")
    named = run("diff", f"kept/{first}.parquet", f"kept/{last}.parquet")
    pruned = run("snapshots", "--store", "kept", "--prune", "1")

    assert [line.split()[:3] for line in listed.stdout.splitlines()] == [
        [file.stem, n, "images"] for file, n in zip(files, ("20", "19", "18"), strict=True)
    ]
    assert days.stdout.startswith("0 added, 0 removed, 0 changed, 0 replaced, 0 B\n")
    assert f"and latest are one snapshot, {last}: no load that came later" in days.stderr
    assert versions.stderr == ""
    assert versions.stdout.startswith("0 added, 2 removed, ")
    assert named.stdout == versions.stdout
    assert [line.split()[0] for line in pruned.stdout.splitlines()] == [last]
    assert "Deleted    2 of 3 snapshots" in pruned.stderr
    assert sorted((tmp_path / "kept").glob("*.parquet")) == files[2:]


@pytest.mark.slow
def test_written_rows_can_be_compared_with_what_is_remembered(run):
    with DemoServer(n_images=20) as server:
        run("load", "--store", "kept", "-o", "before.parquet", server=server)
        server.add(2, data=b"x")
        run("load", "--store", "kept", server=server)

    done = run("diff", "before.parquet", "latest", "--store", "kept")

    assert done.stdout.startswith("2 added, 0 removed, 0 changed, 0 replaced, +"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "end"),
    [
        pytest.param(
            ["diff", "a.parquet", "b.parquet"],
            2,
            "OLD: there is no file 'a.parquet'.\n",
            id="no file",
        ),
        pytest.param(
            ["diff", "--store", "none"],
            1,
            "Nothing is remembered yet. Load again later, and compare then.\n",
            id="no snapshots",
        ),
        pytest.param(
            ["diff", "2020-01-01", "--store", "none"], 1, "makes the first.\n", id="no such day"
        ),
    ],
)
def test_what_cannot_be_compared_is_said(run, arguments, code, end):
    done = run(*arguments)

    assert done.returncode == code
    assert done.stderr.endswith(end)


@pytest.mark.slow
def test_the_second_load_of_a_command_asks_only_for_what_changed(run):
    with DemoServer(n_images=150) as server:
        run("load", "--store", "kept", server=server)
        run("load", "--store", "kept", server=server)
        before = len(server.requests)
        auto = run("load", "--store", "kept", server=server)
        asked = [seen.path for seen in server.requests[before:]]
        full = run("load", "--store", "kept", "--refresh", "full", server=server)
        last = len(server.requests)
        never = run("load", "--store", "kept", "--refresh", "never", server=server)
        asked_last = [seen.path for seen in server.requests[last:]]

    assert asked == ["/v1/auth/verify", "/v1/sync/state", "/v1/user/me/usage"]
    assert "Up to date: 0 added, 0 edited, 0 deleted since " in auto.stderr
    assert "Complete: 150 rows" in full.stderr
    assert asked_last == ["/v1/auth/verify"]
    assert never.stdout == full.stdout == auto.stdout


def test_each_command_of_the_modules_is_in_the_list_and_the_list_loads_none():
    import importlib
    import pkgutil

    import click

    from picora_analytics import cli as folder
    from picora_analytics.cli.main import cli

    modules = [
        importlib.import_module(f"picora_analytics.cli.{one.name}")
        for one in pkgutil.iter_modules(folder.__path__)
    ]
    written = {
        command.name
        for module in modules
        for command in vars(module).values()
        if isinstance(command, click.Command) and command is not cli
    }
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from picora_analytics.cli.main import cli\n"
            "cli(['--help'], standalone_mode=False)\n"
            "print('picora_analytics.cli.planning' in sys.modules)",
        ],
        capture_output=True,
        text=True,
    )

    assert set(cli.commands) == written == {cli.commands[name].load().name for name in written}
    assert listed.stdout.endswith("False\n")
    assert all(f"\n  {name} " in listed.stdout for name in written)
