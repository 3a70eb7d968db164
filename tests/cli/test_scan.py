"""The command scan: for people, for CI, and for the plan that comes after."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import picora_analytics as pic
from picora_analytics import DemoServer

ROOT = Path(__file__).parents[2]
IDS = ["aB3dE5fG7hJ", "bB3dE5fG7hJ", "cB3dE5fG7hJ", "dB3dE5fG7hJ"]
HOST = "https://img.picora.com/"


@pytest.fixture
def site(tmp_path):
    """Give a folder with two images in use of the four that ids.csv names."""
    rows = "".join(f"{one},{HOST}{one}.png,True\n" for one in IDS)
    (tmp_path / "ids.csv").write_text(f"id,url,is_public\n{rows}")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.md").write_text(f"![a]({HOST}{IDS[0]}.png)\n{IDS[1]}\n")
    return tmp_path / "site"


OPTIONS = ("scan", "site", "--ids", "ids.csv", "--baseline", "base.jsonl")


@pytest.mark.slow
def test_a_baseline_makes_day_one_green_and_only_news_red(run, site):
    (site / "old.md").write_text(f"{HOST}oldOLDoldOL.png")

    first = run(*OPTIONS, "--max-dangling", "0", "--fail-on-new-orphans")
    assert (first.returncode, "with 3 findings; commit it" in first.stdout) == (0, True)
    again = run(*OPTIONS, "--max-dangling", "0", "--fail-on-new-orphans")
    assert again.returncode == 0

    (site / "a.md").write_text(
        f"![a]({HOST}newNEWnewNE.png)\n{IDS[1]} {HOST}{IDS[1].upper()}.png\n"
    )
    done = run(*OPTIONS, "--max-dangling", "0", "--fail-on-new-orphans", "--annotations")

    assert done.returncode == 3
    assert f"a.md:1  {HOST}newNEWnewNE.png" in done.stdout
    assert f"{IDS[1].upper()}.png  (nearest id: {IDS[1]})" in done.stdout
    assert re.search(
        rf"Not found in these files \(1 new public image, 2 known\)\n  {IDS[0]}", done.stdout
    )
    assert done.stdout.count("::error file=site/a.md,line=") == 2
    assert f"::warning title=Not found in these files::{IDS[0]}" in done.stdout
    assert "oldOLD" not in done.stdout.partition("Dangling")[2]
    assert run(*OPTIONS, "--max-dangling", "2").returncode == 0


@pytest.mark.parametrize("quiet", [(), ("--quiet",), ("--json",)], ids=" ".join)
def test_a_baseline_that_was_not_there_is_said_where_a_threshold_was_given(run, site, quiet):
    (site / "old.md").write_text(f"{HOST}oldOLDoldOL.png")

    first, again = (run(*OPTIONS, "--max-dangling", "0", *quiet) for _ in range(2))
    updated = run(*OPTIONS, "--max-dangling", "0", "--update-baseline", *quiet)

    said = (
        "There was no baseline 'base.jsonl': a new one holds 3 findings, so none counts as new and no threshold "
        "was crossed.\n"
    )
    assert [one.returncode for one in (first, again, updated)] == [0, 0, 0]
    assert [said in one.stderr for one in (first, again, updated)] == [True, False, False]


@pytest.mark.parametrize("address", ["http://[::1", "https://host:port/", "HTTP://xn--a/"])
def test_a_mistyped_address_is_wrong_usage_before_a_library_is_loaded(run, site, address):
    done = run("scan", "site", address)  # Without a key nothing is loaded.

    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{address}' is not an address that can be read" in done.stderr


def test_what_is_not_found_adds_up(run, site):
    ids = (site.parent / "ids.csv").read_text()
    (site.parent / "ids.csv").write_text(ids.replace(f"{IDS[3]}.png,True", f"{IDS[3]}.png,False"))
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for text in (f"{IDS[2]}\n", "\n"):
        (site / "old.md").write_text(text)
        for words in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "x")):
            subprocess.run(["git", *words], cwd=site, check=True)

    done = run("scan", "site", "--git", "site", "--ids", "ids.csv")

    assert "\n2 found, 1 found before, 1 not found in these files\n" in done.stdout
    assert (
        f"\nNot found in these files (1 public image; 1 of them found before)\n  {IDS[2]}"
        in done.stdout
    )
    assert "\n1 more image not found, private or perhaps so, and not named here\n" in done.stdout


def test_an_address_in_two_places_is_one_address_in_two_places(run, site):
    (site / "old.md").write_text(f"{HOST}oldOLDoldOL.png\n{HOST}oldOLDoldOL.png")

    done = run("scan", "site", "--ids", "ids.csv")

    assert "\n1 address leads to no image\n" in done.stdout
    assert "\nDangling: these addresses lead to no image (2 places)\n" in done.stdout


def test_lines_of_the_baseline_that_are_no_longer_true_are_counted(run, site):
    (site / "old.md").write_text(f"{HOST}oldOLDoldOL.png")
    run(*OPTIONS)
    (site / "old.md").write_text(f"{IDS[2]}")

    done = run(*OPTIONS)

    assert done.returncode == 0
    assert "2 lines of the baseline no longer true; --update-baseline drops them" in done.stdout
    run(*OPTIONS, "--update-baseline")
    lines = Path("base.jsonl").read_text().splitlines()
    assert lines == [json.dumps({"id": IDS[3], "kind": "orphan"}, separators=(",", ":"))]


def test_the_files_of_the_check_are_not_looked_into(run, site, tmp_path):
    for name in ("ids.csv",):
        (tmp_path / name).rename(site / name)
    files = ("--ids", "site/ids.csv", "--baseline", "site/base.jsonl", "--json", "site/r.json")
    options = ("scan", "site", *files, "--markdown", "site/r.md", "--fail-on-new-orphans")

    assert run(*options).returncode == 0
    done = run(*options)

    assert done.returncode == 0
    assert "2 found, 2 not found in these files" in done.stdout


def test_what_cannot_be_looked_at_exits_with_4_until_it_is_excluded(run, site):
    (site / "a.pdf").write_bytes(b"%PDF-1.7")

    done = run(*OPTIONS)
    assert done.returncode == 4
    assert "could not look: site/a.pdf, a PDF" in done.stdout
    assert "--exclude" in done.stderr
    assert run(*OPTIONS, "--exclude", "*.pdf", "--update-baseline").returncode == 0


def test_a_private_image_is_named_nowhere(run, site, tmp_path):
    rows = "".join(f"{one},{one != IDS[3]}\n" for one in IDS)
    (tmp_path / "ids.csv").write_text(f"id,is_public\n{rows}")
    (site / "b.md").write_text(f"{HOST}{IDS[3].upper()}.png")

    done = run(*OPTIONS, "--annotations", "--markdown", "r.md")
    again = run("scan", "site", "--ids", "ids.csv", "--annotations")

    texts = (done.stdout, again.stdout, Path("r.md").read_text(), Path("base.jsonl").read_text())
    assert not any(IDS[3] in text for text in texts)


def test_an_id_that_stands_twice_is_private_if_one_row_says_so(run, site, tmp_path):
    (tmp_path / "ids.csv").write_text(
        f"id,filename,is_public\n{IDS[3]},a,True\n{IDS[3]},a,False\n{IDS[0]},b,True\n"
    )

    done = run("scan", "site", "--ids", "ids.csv")

    assert done.returncode == 0, done.stderr
    assert IDS[3] not in done.stdout


def test_an_incomplete_scan_drops_nothing_from_the_baseline(run, site):
    run(*OPTIONS)
    before = Path("base.jsonl").read_text()
    (site / "a.pdf").write_bytes(b"%PDF-1.7")

    assert run(*OPTIONS, "--update-baseline").returncode == 4
    assert Path("base.jsonl").read_text() == before


def test_names_of_strangers_are_dead_in_every_form(run, tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    name = "x,y::error::`|<b>\x1b[31m\u202e.md"
    (folder / name).write_text(f"{HOST}goneGONEgon.png")
    (tmp_path / "ids.csv").write_text(f"id,filename\n{IDS[0]},=1+1`|<img src=x>\n")

    done = run("scan", "site", "--ids", "ids.csv", "--annotations", "--markdown", "r.md")

    shown = done.stdout + Path("r.md").read_text()
    assert "\x1b" not in shown and "\u202e" not in shown
    annotation = next(line for line in done.stdout.splitlines() if line.startswith("::error file="))
    assert annotation.count("::") == 2
    rows = [line for line in Path("r.md").read_text().splitlines() if line.startswith("| `")]
    assert all(row.count("|") == 4 and row.count("`") % 2 == 0 for row in rows)


def test_a_bare_list_of_ids_names_the_images(run, site):
    (site.parent / "list.txt").write_text("".join(f"{one}\n" for one in IDS))

    done = run("scan", "site", "--ids", "list.txt")

    assert "Looked for 4 images" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("scan",), "Say where to look"),
        (("scan", "missing"), "There is no file or folder 'missing'"),
        (("scan", "site", "--update-baseline"), "needs --baseline"),
        (("scan", "site", "--ids", "empty.csv"), "holds no id"),
        (
            ("scan", "site", "--ids", "names.csv"),
            "--ids 'names.csv' holds no id: the first is 'a.png'.",
        ),
        (("scan", "site", "--ids", "ids.csv", "--demo"), "two libraries"),
        (("scan", "site", "--ids", "missing.csv"), "does not exist"),
        (("load", "--public-only", "--demo"), "give both"),
        (("plan", "--not-found-in", "--reason", "x", "--demo"), "needs --references"),
    ],
)
def test_a_wrong_call_exits_with_2(run, site, tmp_path, arguments, said):
    (tmp_path / "empty.csv").write_text("id\n")
    (tmp_path / "names.csv").write_text("a.png\nb.png\n")

    done = run(*arguments)

    assert done.returncode == 2
    assert said in re.sub(r"\s+", " ", done.stderr)


def test_a_broken_baseline_is_refused(run, site, tmp_path):
    (tmp_path / "base.jsonl").write_text('{"kind":"orphan","id":"x"}\nno json\n')

    done = run(*OPTIONS)

    assert done.returncode == 1
    assert "line 2, is not a finding" in done.stderr


@pytest.mark.slow
def test_a_plan_spares_what_a_scan_found(run, tmp_path):
    with DemoServer(n_images=60, rate_scale=None) as server:
        with pic.Client(server.api_key, server.url) as client:
            images = pic.load_images(client, store=None, progress=False)
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "a.md").write_text(f"{images.index[0]}\n")

        written = run("load", "-o", "ids.csv", "--public-only", server=server)
        scanned = run("scan", "site", "--json", "refs.json", server=server)
        rule = ("--older-than", "1", "--not-found-in", "--reason", "x", "--max-fraction", "1")
        planned = run("plan", *rule, "--references", "refs.json", "-o", "plan.json", server=server)

    assert written.returncode == scanned.returncode == planned.returncode == 0, planned.stderr
    table = Path("ids.csv").read_text(encoding="utf-8-sig").splitlines()
    assert table[0] == "id,url,is_public"
    assert len(table) - 1 == int(images["is_public"].sum())
    assert (
        '\nNext       picora-analytics plan --free "30 MiB" --references refs.json'
        in scanned.stdout
    )
    assert "STILL USED?  looked for 60 images in 1 file" in planned.stdout
    assert images.index[0] not in pic.read_plan("plan.json").images.index


@pytest.mark.slow
def test_the_line_to_type_next_works_as_it_stands(run, site):
    scanned = run("scan", "site", "--demo", "--json", "refs.json")
    words = shlex.split(scanned.stdout.partition("\nNext       picora-analytics ")[2])

    planned = run(*words)

    assert planned.returncode == 0, planned.stdout
    assert len(pic.read_plan("plan.json").images)


@pytest.fixture
def bash(tmp_path, site):
    """Give what runs a script by bash in a repository that holds the site, its ids and a baseline."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "picora-analytics"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error -m picora_analytics "$@"\n')
    command.chmod(0o755)
    folder = tmp_path / "repository"
    folder.mkdir()
    site.rename(folder / "site")
    (tmp_path / "ids.csv").rename(folder / "picora-ids.csv")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "x.pdf").write_bytes(b"%PDF")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PICORA_")}

    def run(script, **environ):
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=folder,
            env=kept
            | {
                "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(Path(pic.__file__).parents[1]),
                "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            }
            | environ,
            capture_output=True,
            text=True,
        )

    run.folder = folder
    return run


def recipe():
    page = (ROOT / "docs" / "references.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    return [block.strip() for block in blocks if "scan" in block]


@pytest.mark.skipif(os.name != "posix", reason="the page is for a POSIX shell")
@pytest.mark.slow
def test_the_recipe_of_the_page_is_green_on_day_one_and_red_on_news(bash):
    make, check = recipe()

    assert bash(make).returncode == 0
    assert bash(check).returncode == 0
    (bash.folder / "site" / "b.md").write_text(f"{HOST}goneGONEgon.png")
    done = bash(check)
    assert done.returncode == 3, done.stderr
    assert "site/b.md:1" in done.stdout


@pytest.mark.skipif(os.name != "posix", reason="runs bash")
@pytest.mark.slow
def test_the_steps_of_the_action_are_run_by_bash(bash, tmp_path):
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    install, step = action["runs"]["steps"]
    assert "pip install" in install["run"]
    given = {name: value["default"] for name, value in action["inputs"].items()}
    given |= {"exclude": ".venv/**\n*.zip\n", "sources": "site"}
    environ = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda match: given[match[1]], value)
        for name, value in step["env"].items()
    }

    missing = bash(step["run"], **environ)
    assert missing.returncode == 2 and "There is no baseline" in missing.stdout
    assert bash(recipe()[0]).returncode == 0
    assert bash(step["run"], **environ).returncode == 0
    (bash.folder / "site" / "b.md").write_text(f"{HOST}goneGONEgon.png")
    done = bash(step["run"], **environ)

    assert done.returncode == 3, done.stderr
    assert "::error file=site/b.md,line=1,title=No such image::" in done.stdout
    assert f"`{HOST}goneGONEgon.png`" in (tmp_path / "summary.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="runs bash")
@pytest.mark.slow
def test_the_hook_of_pre_commit_is_run_by_bash(bash):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    command = f"{hook['entry']} {shlex.join(hook['args'])} --exclude .venv"

    assert bash(command).returncode == 0
    assert bash(command).returncode == 0
    (bash.folder / "site" / "b.md").write_text(f"{HOST}goneGONEgon.png")
    assert bash(command).returncode == 3


def test_a_folder_that_is_no_repository_is_wrong_usage_before_anything_is_asked(run, tmp_path):
    (tmp_path / "site").mkdir()

    with DemoServer(n_images=3) as server:
        done = run("scan", "site", "--git", "site", server=server)

        assert done.returncode == 2, done.stderr
        assert "--git 'site': " in done.stderr and "not a git repository" in done.stderr
        assert not server.requests
