"""The command as schedules use it: what is wrong is said before anything is read, what is kept is kept."""

import json
import re
import sys

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer, SnapshotStore
from picora_analytics.cli.words import PYTHON, in_shell_words

PLAN = ("plan", "--untagged", "--reason", "x")
# Arguments, and what the last line names.
WRONG = [
    (("report", "--quota", "5 gigs"), "--quota='5 gigs' is not a size"),
    (("report", "--quota", "0"), "--quota 0 is no quota"),
    (
        ("report", "--fail-over", "0.9"),
        "--fail-over '0.9' is no share of the quota: give 1% to 100%",
    ),
    (("report", "--fail-over", "900%"), "--fail-over '900%' is no share"),
    (("report", "--fail-over", "most"), "--fail-over 'most' is no share"),
    (("report", "--since", "last week"), "--since 'last week' is none of 7d, a date"),
    (("report", "--since", "2099-01-31"), "--since 2099-01-31 lies ahead; give a day that is past"),
    (("diff", "2099-01-31"), "OLD 2099-01-31 lies ahead; give a day that is past, or latest"),
    (("diff", "latest", "2099-01-31"), "NEW 2099-01-31 lies ahead"),
    (("report", "--refresh", "often"), "'often' is not one of 'auto', 'full', 'never'"),
    (("scan", "http://[::1"), "'http://[::1' is not an address that can be read"),
    (("report", "-o", "r.pdf"), "'r.pdf' ends in none of .html, .md, .json"),
    (("report", "-o", "none/r.md"), "There is no folder 'none' to write 'none/r.md' into"),
    ((*PLAN, "--max-bytes", "2 lots"), "--max-bytes='2 lots' is not a size"),
    ((*PLAN, "--max-fraction", "25"), "'25' is no part of the whole: give 0.25 or 25%"),
    ((*PLAN, "--max-fraction", "0%"), "'0%' is no part of the whole"),
    ((*PLAN, "--max-images", "-1"), "-1 is not in the range"),
    ((*PLAN, "--larger-than", "big"), "--larger-than='big' is not a size"),
    (("plan", "--free", "much"), "--free='much' is not a size"),
    (("plan", "--free-to", "120%"), "--free-to='120%' is not a size"),
    (("plan", "--uploaded-before", "soon", "--reason", "x"), "'soon' is no day; give year"),
    (("plan", "--uploaded-before", "1.2.2026", "--reason", "x"), "day, such as 2026-01-31"),
    (("plan", "--older-than", "1y", "--reason", "x"), "'1y' is no number of days, such as 365"),
    (("decide", "d.csv", "--keep", "a", "--until", "2020-01-01"), "2020-01-01 is past"),
    (("plan", "--untagged", "--reason", "x" * 501), "--reason holds 501 characters"),
    (("plan", "--untagged", "--reason", " "), "--reason holds 1 character;"),
    ((*PLAN, "--references", "none.json"), "there is no file 'none.json'"),
    ((*PLAN, "-o", "plan.txt"), "--output 'plan.txt' does not end in .json"),
    ((*PLAN, "--csv", "plan.xlsx"), "--csv 'plan.xlsx' does not end in .csv"),
    (("load", "-o", "rows.xlsx"), "'rows.xlsx' ends neither in .csv nor in .parquet"),
    (("load", "--tag", "a", "--refresh", "never"), "--tag is not remembered"),
    (
        ("apply", "plan.json", "-o", "receipt.txt"),
        "'receipt.txt' ends neither in .json nor in .csv",
    ),
    (("apply", "plan.json", "--min-age", "soon"), "--min-age='soon' is not a duration"),
    (("restore", "kept", "-o", "rows.json"), "'rows.json' does not end in .csv"),
    (("plan", "--pile", "olds"), "--pile 'olds' is none of the piles duplicates, "),
    (("plan", "--older-than", "nan", "--reason", "x"), "'nan' is no number of days"),
    (("plan", "--older-than", "1e300", "--reason", "x"), "'1e300' is no number of days"),
    (("plan", "--free", "1 GB", "--old", "inf"), "'inf' is no number of days"),
    ((*PLAN, "--max-fraction", "nan"), "'nan' is no part of the whole"),
    ((*PLAN, "--decisions", "none.csv"), "--decisions: there is no file 'none.csv'"),
    (("plan", "--from", "none.csv"), "--from: there is no file 'none.csv'"),
    (("report", "--since", "99999999d"), "--since='99999999d' is not a duration"),
    (("report", "--since", "999999d"), "--since='999999d' reaches out of the calendar"),
    (("report", "--json", "-o", "-"), "Only one of --json, --output - and --metrics -"),
    (("load", "--tag", ""), "--tag '' is no tag"),
    (("load", "-o", "-"), "- is standard output, and this is a file"),
    (("load", "--store", sys.executable), "is a file"),
    (("apply", "none.json"), "PLAN.JSON: there is no file 'none.json'"),
    (("apply", "--standing-order", "none.toml"), "--standing-order: there is no file 'none.toml'"),
    (
        ("apply", sys.executable, "--confirm-file", "none"),
        "--confirm-file: there is no file 'none'",
    ),
    (("hide", "none.json"), "PLAN.JSON: there is no file 'none.json'"),
    (("hide", "plan.json", "-o", "r.txt"), "'r.txt' ends neither in .json nor in .csv"),
    (("unhide", "none.json"), "RECEIPT: there is no file 'none.json'"),
    (("backup", "none.json", "kept"), "PLAN.JSON: there is no file 'none.json'"),
    (("restore", "none"), "FOLDER: there is no folder 'none'"),
    (("restore", "."), "FOLDER: '.' holds no copies.ndjson, so no copies"),
    (("review", "none.json", "--decisions", "d.csv"), "there is no file 'none.json'"),
    (("decide", "none.csv"), "DECISIONS.CSV: there is no file 'none.csv'"),
    (("decide", "d.csv", "--keep", ""), "--keep '' is no id: that is 11 letters, digits, - or _"),
    (("decide", "d.csv", "--not-duplicates", "a", "a"), "both are 'a'"),
    (("diff", "none.parquet"), "OLD: there is no file 'none.parquet'"),
    (("scan", "none"), "There is no file or folder 'none'"),
    (("snapshots", "--prune", "0"), "0 is not in the range"),
]


# No command can give what these refuse.
UNHEARD = (
    "Say one goal",
    "pile= is none that may go",
    "backup= must be said together with",
    " is there already, and these decisions were not read from it",
    "refresh= is none of",
    "refresh='never' needs a store",
    "There is nowhere to look",
)


@pytest.fixture(scope="module")
def server():
    with DemoServer(n_images=40, rate_scale=None) as server:
        yield server


def asked(server, start=0):
    return [seen.path for seen in server.requests[start:]]


def test_wrong_calls_are_refused_before_anything_is_read(run, server, tmp_path):
    before = len(server.requests)
    for arguments, words in WRONG:
        done = run(*arguments, server=server)
        message = " ".join(done.stderr.split())
        assert (done.returncode, words in message) == (2, True), (arguments, message)
        assert message[-1] in ".:)'", message
        assert not PYTHON.search(message), message
    assert len(server.requests) == before
    assert list(tmp_path.iterdir()) == []


KNOWN = [
    (
        ("plan", "--tagged", "bloog", "--reason", "x"),
        "No image has the tag 'bloog'. Nearest: 'blog'",
    ),
    ((*PLAN, "--protect", "bloog"), "--protect 'bloog' is a tag no image of the library has"),
    (("restore", "kept", "--id", "{near}"), "is none of the copies in kept. Nearest: '{id}'"),
    (
        ("unhide", "hidden.json", "--id", "{near}"),
        "is none of the images in hidden.json. Nearest",
    ),
    (
        ("review", "plan.json", "--decisions", "d.csv", "--portion", "1999-01"),
        "'1999-01' is none of",
    ),
]


def test_a_name_of_nothing_is_wrong_usage_and_the_nearest_is_named(run, server, tmp_path):
    with pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        known = images.index[images["is_public"]][0]
        plan = pic.plan_deletion(images, [known], reason="x")
        plan.save(tmp_path / "plan.json")
    assert run("backup", "plan.json", "kept", server=server).returncode == 0
    confirm = ("--confirm", plan.hiding_confirmation, "-o", "hidden.json")
    assert run("hide", "plan.json", *confirm, server=server).returncode == 0
    near = known[:-1] + ("a" if known[-1] != "a" else "b")

    for arguments, words in KNOWN:
        done = run(*(one.format(near=near) for one in arguments), server=server)
        assert done.returncode == 2, done.stderr
        assert words.format(id=known) in done.stderr
        assert done.stdout == ""
    loaded = run("load", "--tag", "bloog", "--json", server=server)
    assert loaded.returncode == 0  # A question that is answered with no image.
    assert loaded.stderr.endswith("No image has the tag 'bloog'. Nearest: 'blog', 'logo'.\n")


def test_of_a_tag_that_no_image_has_the_nearest_is_named_though_nothing_is_remembered(run):
    with DemoServer(n_images=40) as server:
        done = run("load", "--tag", "bloog", server=server)

    assert done.returncode == 0
    assert (
        "No image has exactly the tag 'bloog'. Nearest among the newest 40 images: 'blog'"
        in done.stderr
    )


def test_files_that_say_something_else_are_refused_before_anything_is_asked(run, server, tmp_path):
    (tmp_path / "odd.json").write_text("{}")
    before = len(server.requests)

    for arguments in (
        ("apply", "odd.json"),
        ("hide", "odd.json"),
        ("unhide", "odd.json"),
        ("apply", "--standing-order", "odd.json"),
        (*PLAN, "--decisions", "odd.json"),
        (*PLAN, "--references", "odd.json"),
        ("report", "--decisions", "odd.json"),
        ("report", "--references", "odd.json"),
    ):
        assert run(*arguments, server=server).returncode == 1
    for arguments in (("apply", "odd.json"), ("hide", "odd.json")):
        done = run(*arguments, "-o", "odd.json", server=server)
        assert (done.returncode, "is the file that is read" in done.stderr) == (2, True)
    assert len(server.requests) == before
    assert (tmp_path / "odd.json").read_text() == "{}"


@pytest.mark.slow
def test_a_weekly_job_reads_once(run, server):
    store = ("--store", "kept")
    first = len(server.requests)
    assert run("load", *store, "-q", server=server).returncode == 0
    pages = asked(server, first).count("/v1/images")
    before = len(server.requests)
    report = run("report", *store, "--since", "latest", "-o", "r.md", server=server)
    planned = run(*PLAN, *store, "--max-fraction", "1", "-o", "p.json", server=server)
    listed = [path for path in asked(server, before) if path == "/v1/images"]

    assert (report.returncode, planned.returncode) == (0, 0), planned.stderr
    assert pages >= 1
    # Only the rehearsal of the plan looks again.
    report_only = len(server.requests)
    run("report", *store, "-o", "r.md", server=server)
    assert "/v1/images" not in asked(server, report_only)
    assert len(listed) <= pages
    full = len(server.requests)
    run("report", *store, "--refresh", "full", "-o", "r.md", server=server)
    assert "/v1/images" in asked(server, full)


@pytest.mark.slow
def test_a_threshold_is_named_with_its_value(run, server):
    done = run("report", "--quota", "1 MiB", "--fail-over", "90%", "-o", "r.md", server=server)

    assert done.returncode == 3
    assert re.search(r"--fail-over 90% was crossed: [\d,]+ % in use, .* of 1\.0 MiB\.", done.stderr)
    assert "picora-analytics plan --pile duplicates" in done.stderr


@pytest.mark.slow
def test_a_threshold_goes_by_what_the_service_counts_and_is_not_passed_unseen(run):
    def counts(answer):
        answer["data"]["images"]["storageUsed"] = 990
        answer["data"]["planLimits"]["imgStorageBytes"] = 1000
        return answer

    def without_sizes(answer):
        for image in answer["data"]["images"]:
            del image["sizeBytes"]
        return answer

    asked = ("report", "--fail-over", "90%", "-o", "r.md", "--refresh", "full")
    with DemoServer(n_images=3, rate_scale=None) as own:
        own.fail("GET", "/v1/images", times=None, body=without_sizes)
        own.fail("GET", "/v1/user/me/usage", times=None, body=counts)
        told = run(*asked, server=own)
        own.clear_faults()
        own.fail("GET", "/v1/images", times=None, body=without_sizes)
        own.fail("GET", "/v1/user/me/usage", times=None, status=403)
        untold = run(*asked, "--quota", "1 GiB", server=own)

    assert told.returncode == 3
    assert "--fail-over 90% was crossed: 99 % in use, 990 B of 1000 B." in told.stderr
    assert untold.returncode == 4
    assert "may have been crossed: 0 % in use, 0 B of 1.00 GiB, without 3 images" in untold.stderr


@pytest.mark.slow
def test_a_report_prints_the_meter_the_growth_and_the_first_findings(run, server, tmp_path):
    with DemoServer(n_images=60, rate_scale=None) as own:
        none = run("report", "--store", "kept", "--since", "7d", "-o", "r.html", server=own)
        store = SnapshotStore(tmp_path / "kept")
        older = tmp_path / "kept" / "20200101T000000.000000Z.parquet"
        store.path().rename(older)
        own.remove(next(iter(own.images)))
        since = ("--since", "7d", "--refresh", "full")
        later = run("report", "--store", "kept", *since, "-o", "r.html", server=own)
        facts = run("report", "--store", "kept", "--json", "-o", "r.md", server=own)

    assert none.returncode == 0 and "no growth this time" in none.stderr
    assert none.stdout.startswith("STORAGE") and "WHAT STANDS OUT" in none.stdout
    assert "+0 images, -1" in later.stdout
    assert json.loads(facts.stdout)["totals"]["n_images"] == 59
    assert facts.stderr == ""


def test_nothing_to_delete_is_a_success(run, server, tmp_path):
    done = run("plan", "--larger-than", "1 TiB", "--reason", "x", "-o", "p.json", server=server)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Nothing to delete.\n")
    assert "REFUSED" not in done.stdout
    assert (tmp_path / "p.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev/full")
def test_a_store_that_cannot_remember_is_in_part_and_in_shell_words(run, server, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept").chmod(0o500)
    import os

    if os.geteuid() == 0:  # The superuser writes everywhere but where a file stands for a folder.
        (tmp_path / "kept").rmdir()
        (tmp_path / "above").write_text("")
        folder = "above/kept"
    else:
        folder = "kept"
    done = run("load", "--store", folder, server=server)

    assert done.returncode in (1, 4), done.stderr
    assert "Errno" not in done.stderr
    assert not PYTHON.search(done.stderr), done.stderr


@pytest.mark.slow
def test_what_is_saved_is_saved_before_a_pipe_ends(run, tmp_path):
    import os
    import subprocess

    command = f"{sys.executable} -m picora_analytics plan --demo --untagged --reason x --max-fraction 1 -o p.json"
    environment = {**os.environ, "PICORA_DATA_DIR": str(tmp_path / "data")}
    shell = f"set -o pipefail; {command} | head -1"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=tmp_path, env=environment, capture_output=True, text=True
    )

    assert json.loads((tmp_path / "p.json").read_text())
    assert "Broken pipe" not in done.stderr and "Traceback" not in done.stderr
    assert done.returncode == 0


def test_every_help_ends_with_the_exit_codes(run):
    from picora_analytics.cli.main import cli

    for name in ("", *cli.commands):
        done = run(*filter(None, [name]), "--help")
        assert "Exit codes" in done.stdout, name
        assert "130" in " ".join(done.stdout.split()), name


# Said in notebooks, by Python alone, or by a part that only the command uses.
PYTHON_ONLY = ("widgets", "demo", "charts", "report", "cli")
SHELL_ONLY = ("cli", "cleanup/policy/ci.py", "references/checking.py")
TELLING = {"wait", "finish", "notice", "warn", "add_note", "begin"}
SHELL = re.compile(r"picora-analytics [a-z]|(?<![-\w])--[a-z]")


def messages():
    """Give every text of the package that is raised or shown, with its place and the error it is of."""
    import ast
    from pathlib import Path

    import picora_analytics

    root = Path(picora_analytics.__file__).parent
    for path in sorted(root.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            target = node.exc if isinstance(node, ast.Raise) else None
            if isinstance(node, ast.Call):
                called = getattr(node.func, "attr", getattr(node.func, "id", None))
                target = node if called in TELLING else None
            if target is None:
                continue
            text = "".join(
                part.value
                for part in ast.walk(target)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            )
            yield path.relative_to(root).as_posix(), ast.unparse(target).partition("(")[0], text


@pytest.mark.slow
def test_messages_of_the_package_are_said_in_shell_words():
    """Reads every text of the package that tells what to type, and says it as the shell would."""
    found = [
        f"{place}: {in_shell_words(text)}"
        for place, name, text in messages()
        if not place.startswith(PYTHON_ONLY)
        and name not in ("TypeError", "AttributeError")
        and not text.startswith(UNHEARD)
        and PYTHON.search(in_shell_words(text))
    ]
    assert not found, chr(10).join(found)


@pytest.mark.slow
def test_no_message_of_the_package_speaks_as_if_to_a_shell():
    found = [
        f"{place}: {text}"
        for place, _, text in messages()
        if not place.startswith(SHELL_ONLY) and SHELL.search(text)
    ]
    assert not found, chr(10).join(found)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no bash")
def test_the_steps_of_the_workflow_post_the_report_week_after_week(tmp_path):
    """Bash runs the steps as a runner does, with nothing kept but the snapshots."""
    import os
    import shutil
    import subprocess
    from pathlib import Path

    import yaml

    text = (Path(__file__).parents[2] / "docs" / "storage-report.yml").read_text(encoding="utf-8")
    steps = {step["name"]: step for step in yaml.safe_load(text)["jobs"]["report"]["steps"][1:]}
    command = tmp_path / "bin" / "picora-analytics"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m picora_analytics "$@"\n')
    command.chmod(0o755)
    (tmp_path / "snapshots").mkdir()
    with DemoServer(n_images=30, rate_scale=None) as server:
        environment = {
            **os.environ,
            "PATH": f"{command.parent}:{os.environ['PATH']}",
            "PICORA_API_KEY": server.api_key,
            "PICORA_BASE_URL": server.url,
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        }
        for week in range(2):
            runner = tmp_path / f"runner{week}"
            runner.mkdir()
            shutil.move(tmp_path / "snapshots", runner / "snapshots")
            environment["PICORA_DATA_DIR"] = str(runner / "data")
            for name in ("Report", "Show"):
                done = subprocess.run(
                    ["bash", "-e", "-o", "pipefail", "-c", steps[name]["run"]],
                    cwd=runner, env=environment, capture_output=True, text=True,
                )  # fmt: skip
                assert done.returncode == 0, done.stderr
            shutil.move(runner / "snapshots", tmp_path / "snapshots")
            for kept in (tmp_path / "snapshots").glob("*.parquet"):  # A week goes by.
                kept.rename(kept.with_name("20200101T000000.000000Z.parquet"))
            summary = (tmp_path / "summary.md").read_text()

    assert summary.count("Picora storage report") == 2
    assert "no growth this time" not in done.stderr
