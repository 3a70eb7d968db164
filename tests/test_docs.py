"""What the documents show is what happens."""

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE",
        "docs/design.md",
    )
]
BLOCK = re.compile(r"```(\w+)\n(.*?)```(?:\n+```text\n(.*?)```)?", re.DOTALL)


EVENING = "## Free 30 MiB without breaking a post\n"


def _blocks(language, *, evening=False):
    """Give the blocks of the README, of the evening it tells or of the rest."""
    text = ROOT.joinpath("README.md").read_text(encoding="utf-8")
    before, told = text.split(EVENING)
    told, after = told.split("\n## ", 1)
    text = told if evening else before + after
    return [(code, output) for found, code, output in BLOCK.findall(text) if found == language]


def _write_site(folder):
    """Make the two pages that the README looks into."""
    folder.mkdir()
    address = "https://img.picora.com/{}.png"
    (folder / "index.md").write_text(
        f"# Welcome\n\n![Pricing]({address.format('gNQB6t8_buY')})\n", encoding="utf-8"
    )
    (folder / "about.html").write_text(
        f"<img src='{address.format('Ob9Na95OvXq')}'>\n<img src='{address.format('goneGONEgon')}'>\n",
        encoding="utf-8",
    )


@pytest.mark.slow
def test_the_readme_session_gives_the_output_it_shows(tmp_path):
    _write_site(tmp_path / "site")

    _type(_blocks("python"), tmp_path)


@pytest.mark.slow
def test_the_evening_of_the_readme_takes_six_cells_and_breaks_no_post(tmp_path):
    blocks = _blocks("python", evening=True)
    assert len(blocks) <= 6

    _type(blocks, tmp_path)

    gone = [path.name[7:18] for path in (tmp_path / "kept").glob("picora-*")]
    assert len(gone) == 3
    _assert_no_post_uses(gone, tmp_path / "blog")


@pytest.mark.slow
def test_the_evening_of_the_readme_takes_six_lines_of_a_shell(tmp_path):
    ((text, _),) = _blocks("sh", evening=True)
    lines = text.splitlines()
    assert len(lines) <= 6
    environment = {name: value for name, value in os.environ.items() if name != "CI"}

    for line in lines:
        command, *words = shlex.split(line, comments=True)
        assert command == "picora-analytics"
        done = subprocess.run(
            [sys.executable, "-m", "picora_analytics", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"

    assert "3 images deleted, 36.8 MiB" in done.stdout
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    _assert_no_post_uses([row["id"] for row in plan["images"]], tmp_path / "blog")


def _assert_no_post_uses(gone, blog):
    """Look for ids by a search of its own, in the pages and in all that was ever committed."""
    assert gone
    ever = subprocess.run(
        ["git", "log", "--all", "-p"], cwd=blog, capture_output=True, text=True, check=True
    ).stdout
    pages = "".join(
        path.read_text(encoding="utf-8")
        for path in blog.glob("**/*.*")
        if path.is_file() and ".git" not in path.parts
    )
    assert [one for one in gone if one in pages or one in ever] == []


def _type(blocks, folder):
    """Type blocks at a real prompt, and compare what each gives with what is shown of it."""
    mark = "--- next block ---"
    script = "\n".join(f"{code}\nprint({mark!r})\n" for code, _ in blocks)

    # A newcomer without a key gets the demo at a prompt.
    done = subprocess.run(
        [sys.executable, "-i", "-q", "-c", ""],
        input=script,
        capture_output=True,
        text=True,
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "CI"}
        | {"MPLBACKEND": "Agg", "COLUMNS": "80"},
        timeout=120,
        check=True,
    )

    assert "Traceback" not in done.stderr
    seen = done.stdout.split(f"{mark}\n")
    assert len(seen) == len(blocks) + 1
    check = doctest.OutputChecker().check_output
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    for (code, wanted), got in zip(blocks, seen, strict=False):
        if wanted:
            assert check(wanted, got, flags), f"{code}\nshows\n{wanted}\nbut gives\n{got}"


@pytest.mark.slow
def test_the_scan_of_the_readme_gives_the_output_it_shows(tmp_path):
    ((command, shown),) = [(code, text) for code, text in _blocks("sh") if " scan site/" in code]
    _write_site(tmp_path / "site")

    done = subprocess.run(
        [sys.executable, "-m", *command.replace("picora-analytics", "picora_analytics").split()],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )

    got = done.stdout.partition("\n\nWritten")[0]
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(shown, got, flags), got


def test_the_readme_session_names_the_commands_that_exist():
    makefile = ROOT.joinpath("Makefile").read_text(encoding="utf-8")
    for document in DOCUMENTS:
        for target in re.findall(
            r"(?m)(?:`|^)make ([a-z-]+)", document.read_text(encoding="utf-8")
        ):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), (document.name, target)


def test_links_and_pictures_of_the_documents_exist():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert document.parent.joinpath(target).exists(), (document.name, target)


def test_contributing_gives_a_reason_for_each_dependency():
    import tomllib

    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[<>=\[]", text)[0] for text in project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        names += [re.split(r"[<>=\[]", text)[0] for text in extra]
    reasons = ROOT.joinpath("CONTRIBUTING.md").read_text(encoding="utf-8").lower()

    missing = [name for name in set(names) - {"picora-analytics"} if f"`{name}`" not in reasons]

    assert missing == []


def test_nothing_in_the_tree_passes_a_plans_own_phrase_on():
    # In pieces, so that this file is not its own finding.
    shortcut = "confirm=" + "plan.confirmation"
    found = []
    for path in _tracked():
        if path.suffix in (".py", ".md", ".ipynb", ".yml", ".toml", ".sh", ""):
            text = path.read_text(encoding="utf-8", errors="ignore")
            found += [path.name] if shortcut in text.replace(" ", "") else []

    assert found == []


def _tracked():
    if shutil.which("git") is None or not ROOT.joinpath(".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and ROOT.joinpath(name).is_file()]


def test_the_files_that_the_design_names_exist():
    text = ROOT.joinpath("docs/design.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_/]+\.py)`", text)

    assert len(named) > 40
    assert [name for name in named if not _exists(name)] == []


def _exists(name):
    folders = ["picora_analytics", ".", "picora_analytics/cleanup"]
    return any(ROOT.joinpath(folder, name).exists() for folder in folders)
