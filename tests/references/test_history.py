"""The history of a repository, against a walk of its own that reads every tree of every commit."""

import os
import random
import shutil

import pandas as pd
import pytest

import picora_analytics as pic

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

IDS = [f"{n:04d}-image_" for n in range(120)]
COMMITS = int(os.environ.get("PICORA_COMMITS", "40"))


def scan(git, **options):
    return pic.find_references(pd.Index(IDS), git=git.folder, progress=False, **options)


def words(references):
    return dict(zip(IDS, references.status(pd.Index(IDS)), strict=True))


def walk(git):
    """Tell by reading all trees: the ids at the tips, and of the others the newest commit that holds each."""
    tips = set(git("for-each-ref", "--format=%(objectname)").split())
    stash = git("stash", "list", "--format=%H").split()
    parents = [one for commit in stash for one in git("rev-parse", f"{commit}^@").split()[1:]]
    commits = git(
        "rev-list", "--all", *stash, *parents, "--format=%ct", "--no-commit-header"
    ).split()
    listed = git("log", "--all", *stash, *parents, "--format=%H %ct").splitlines()
    texts, now, last = {}, set(), {}
    assert len(listed) <= len(commits) + 99
    for row in listed:
        commit, stamp = row.split()
        found = set()
        for entry in git("ls-tree", "-r", commit).splitlines():
            head, path = entry.split("\t")
            oid = head.split()[2]
            if oid not in texts:
                content = git("cat-file", "-p", oid)
                texts[oid] = {one for one in IDS if one in content}
            found |= {(one, path) for one in texts[oid]}
        if commit in tips or commit in stash or commit in parents:
            now |= {one for one, _ in found}
        for one, path in found:
            last.setdefault(one, {}).setdefault(int(stamp), set()).add((commit, path))
    return now, last


@pytest.mark.slow
def test_each_image_against_a_walk_of_its_own(git):
    rng = random.Random(7)
    folder = git.folder
    branches = ["main"]
    day = 0
    for number in range(COMMITS):
        day += 1
        if number % 10 == 5 and len(branches) < 6:
            branches.append(f"branch-{number}")
            git("checkout", "-q", "-b", branches[-1])
        elif number and number % 4 == 0:
            git("checkout", "-q", rng.choice(branches))
        pages = sorted(folder.glob("*/*.md"))
        what = rng.random()
        if pages and what < 0.2:
            rng.choice(pages).unlink()
        elif pages and what < 0.35:
            rng.choice(pages).rename(pages[0].parent / f"renamed-{number}.md")
        elif pages and what < 0.7:
            rng.choice(pages).write_text(f"edited {number} {rng.choice(IDS)}\n")
        else:
            (folder / f"d{number % 3}").mkdir(exist_ok=True)
            (folder / f"d{number % 3}" / f"p{number}.md").write_text(
                f"![x]({rng.choice(IDS)}.png)\n"
            )
        git("add", "-A", day=day)
        git("commit", "-q", "--allow-empty", "-m", f"commit {number}", day=day)
        if number == 30:
            git("tag", "-a", "v1", "-m", "a tag", day=day)
            git("tag", "light")
    git("checkout", "-q", "main")
    git("merge", "-q", "--no-edit", "-s", "ours", branches[1], day=day + 1)
    (folder / "stashed.md").write_text(f"{IDS[0]}\n")
    git("stash", "push", "-q", "-u", day=day + 2)
    (folder / "untracked.md").write_text(f"{IDS[1]}\n")
    (folder / "staged.md").write_text(f"{IDS[2]}\n")
    git("add", "staged.md")
    (folder / "staged.md").unlink()

    references = scan(git)

    now, last = walk(git)
    now |= {IDS[1], IDS[2]}
    assert references.complete
    said = words(references)
    for one in IDS:
        expected = "found" if one in now else "found before" if one in last else "not found"
        assert said[one] == expected, one
    before = references.found_before
    assert set(before["id"]) == {one for one in last if one not in now}
    assert len(before) > 5
    for one, source, commit, date in before.itertuples(index=False):
        newest = max(last[one])
        assert (commit, source) in last[one][newest]
        assert int(date.timestamp()) == newest
    for one, source, *_ in references.found.itertuples(index=False):
        if ":" in source and not source.startswith("index:"):
            assert one in git("show", source)


def test_found_on_any_branch_tag_or_stash_protects(git):
    (git.folder / "a.md").write_text("nothing")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    for number, branch in enumerate(("feature", "release")):
        git("checkout", "-q", "-b", branch, "main")
        (git.folder / "b.md").write_text(IDS[number])
        git("add", "-A")
        git("commit", "-q", "-m", branch)
    git("tag", "v1", "release")
    git("checkout", "-q", "main")
    git("branch", "-q", "-D", "release")

    found = scan(git).found

    assert found[["id", "source"]].values.tolist() == [
        [IDS[0], "feature:b.md"],
        [IDS[1], "v1:b.md"],
    ]


def test_a_shallow_clone_is_not_the_history(git, tmp_path):
    for number in range(3):
        (git.folder / "a.md").write_text(IDS[number])
        git("add", "-A")
        git("commit", "-q", "-m", "x", day=number)
    git("clone", "-q", "--depth", "1", git.folder.as_uri(), tmp_path / "shallow", cwd=tmp_path)

    references = pic.find_references(pd.Index(IDS), git=tmp_path / "shallow", progress=False)

    assert not references.complete
    assert "shallow clone" in references.problems()[0]
    assert set(references.status(pd.Index(IDS))) == {"found", "could not look"}


def test_a_bare_repository_is_read_by_its_branches(git, tmp_path):
    (git.folder / "a.md").write_text(IDS[0])
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    git("clone", "-q", "--bare", git.folder.as_uri(), tmp_path / "bare", cwd=tmp_path)

    references = pic.find_references(pd.Index(IDS), git=tmp_path / "bare", progress=False)

    assert references.complete
    assert references.found["source"].tolist() == ["main:a.md"]


@pytest.mark.slow
def test_a_submodule_is_looked_into_or_missed_aloud(git, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    git("init", "-q", "-b", "main", cwd=other)
    (other / "b.md").write_text(IDS[1])
    git("add", "-A", cwd=other)
    git("commit", "-q", "-m", "x", cwd=other)
    (git.folder / "a.md").write_text(IDS[0])
    git("submodule", "--quiet", "add", other.as_uri(), "parts")
    git("add", "-A")
    git("commit", "-q", "-m", "x")

    assert set(scan(git).found["id"]) == set(IDS[:2])
    assert scan(git).complete

    git("clone", "-q", git.folder.as_uri(), tmp_path / "clone", cwd=tmp_path)
    references = pic.find_references(pd.Index(IDS), git=tmp_path / "clone", progress=False)
    assert not references.complete
    assert "submodule" in references.problems()[0]


def test_what_is_excluded_is_excluded_in_the_past_as_well(git):
    (git.folder / "a.pdf").write_bytes(b"%PDF-1.7")
    (git.folder / "a.md").write_text(IDS[0])
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    git("rm", "-q", "a.pdf")
    git("commit", "-q", "-m", "y", day=2)

    references = scan(git)
    assert not references.complete
    assert "a.pdf in" in references.problems()[0]
    assert scan(git, exclude=["*.pdf"]).complete


@pytest.mark.parametrize("excluded", ["a", "b"])
def test_what_is_excluded_hides_nothing_of_another_path(git, excluded):
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("checkout", "-q", "-b", "other")
    for name in "ab":
        (git.folder / name).mkdir()
        (git.folder / name / "u.md").write_text(IDS[0])
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    git("checkout", "-q", "main")
    (git.folder / "some.md").write_text("text")

    assert words(scan(git, exclude=[f"{excluded}/**"]))[IDS[0]] == "found"


def test_what_moved_to_where_nobody_looks_was_found_before(git):
    (git.folder / "b").mkdir()
    (git.folder / "b" / "u.md").write_text(IDS[0])
    (git.folder / "some.md").write_text("text")
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    (git.folder / "b").rename(git.folder / "a")
    git("add", "-A")
    git("commit", "-q", "-m", "y", day=2)

    assert words(scan(git, exclude=["a/**"]))[IDS[0]] == "found before"


def test_another_working_tree_and_a_stash_without_its_list_count(git, tmp_path):
    (git.folder / "some.md").write_text("text")
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    git("worktree", "add", "-q", "--detach", tmp_path / "other")
    (tmp_path / "other" / "u.md").write_text(IDS[0])
    git("add", "-A", cwd=tmp_path / "other")
    git("commit", "-q", "-m", "y", cwd=tmp_path / "other")
    (git.folder / "some.md").write_text(IDS[1])
    git("stash", "-q")
    shutil.rmtree(git.folder / ".git" / "logs")

    said = words(scan(git))

    assert (said[IDS[0]], said[IDS[1]]) == ("found", "found")


@pytest.mark.parametrize("broken", ["a tag of a file", "a ref that is none"])
def test_a_ref_that_is_not_looked_into_turns_the_answer(git, broken):
    (git.folder / "some.md").write_text("text")
    git("add", "-A")
    git("commit", "-q", "-m", "x")
    if broken == "a tag of a file":
        git("tag", "blob", git("hash-object", "-w", "some.md"))
    else:
        (git.folder / ".git" / "refs" / "heads" / "x").write_text("junk\n")

    assert not scan(git).complete


def test_a_stranger_s_repository_runs_nothing(git, tmp_path):
    trap = tmp_path / "trap"
    for name in (
        "core.fsmonitor",
        "core.sshCommand",
        "diff.external",
        "core.pager",
        "filter.x.smudge",
    ):
        git("config", name, f"touch {trap}")
    (git.folder / ".gitattributes").write_text("* filter=x diff=x\n")
    git("config", "diff.x.textconv", f"touch {trap}; cat")
    (git.folder / "a.md").write_text(IDS[0])
    git("-c", "core.fsmonitor=false", "-c", "filter.x.smudge=cat", "add", "-A")
    git("-c", "core.fsmonitor=false", "commit", "-q", "-m", "x")
    trap.unlink(missing_ok=True)

    assert scan(git).complete
    assert not trap.exists()


def test_a_folder_that_is_no_repository_is_an_error(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(pic.PicoraError, match=r"git cannot read .*x'"):
        pic.find_references(pd.Index(IDS), git=tmp_path / "x", progress=False)


def test_without_git_there_is_an_error_that_says_so(git, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pic.PicoraError, match="needs the command git"):
        scan(git)


def test_a_repository_without_a_commit_is_read_as_files(git):
    (git.folder / "a.md").write_text(IDS[0])

    assert words(scan(git))[IDS[0]] == "found"
