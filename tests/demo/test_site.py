"""The demo's blog: pages with pictures of the library and a history, the same from the same seed."""

import subprocess

import pytest

from picora_analytics.demo import DemoServer


def git(folder, *words):
    return subprocess.run(
        ["git", *words], cwd=folder, check=True, capture_output=True, text=True
    ).stdout


def pages(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.parts
    }


@pytest.fixture(scope="module")
def blog(tmp_path_factory):
    server = DemoServer()
    return server, server.write_site(tmp_path_factory.mktemp("blog"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_pages_and_commits_whatever_git_is_told(
    blog, tmp_path, monkeypatch
):
    _, first = blog
    settings = tmp_path / "settings"
    settings.write_text("[user]\nname = other\n[commit]\ngpgsign = true\n[core]\nautocrlf = true\n")
    for name, text in (
        ("GIT_CONFIG_GLOBAL", str(settings)),
        ("GIT_AUTHOR_DATE", "1 +0000"),
        ("GIT_DIR", str(tmp_path / "elsewhere")),
    ):
        monkeypatch.setenv(name, text)

    second = DemoServer().write_site(tmp_path / "again")
    another = DemoServer(seed=8).write_site(tmp_path / "another")

    for name in ("GIT_CONFIG_GLOBAL", "GIT_AUTHOR_DATE", "GIT_DIR"):
        monkeypatch.delenv(name)
    assert pages(second.folder) == pages(first.folder) != pages(another.folder)
    refs = git(first.folder, "show-ref", "--heads")
    assert refs.count("\n") == len(first.branches) == 2
    assert git(second.folder, "show-ref", "--heads") == refs
    assert git(first.folder, "status", "--porcelain") == ""
    assert first.note == ""


def test_it_says_how_many_pages_and_pictures_it_holds(blog):
    server, site = blog
    whole = "".join(pages(site.folder).values())

    assert site.n_pages == len(pages(site.folder)) > 30
    assert site.n_images == sum(one in whole for one in server.images) > 100
    assert all(image.is_public for one, image in server.images.items() if one in whole)


@pytest.mark.slow
def test_some_pictures_are_on_the_old_branch_or_in_the_history_only(blog):
    server, site = blog
    here = "".join(pages(site.folder).values())
    on_branch = here + git(site.folder, "show", "old-design:design/style.css")
    ever = git(site.folder, "log", "--all", "-p")

    of_branch = {one for one in server.images if one in on_branch and one not in here}
    past = {one for one in server.images if one in ever and one not in on_branch}

    assert len(of_branch) == len(past) == 4
    assert all(server.images[one].tags == () for one in of_branch | past)


def test_a_folder_with_the_same_pages_is_left_and_any_other_refused(tmp_path):
    server = DemoServer(60)
    first = server.write_site(tmp_path / "blog")
    head = git(first.folder, "rev-parse", "HEAD")

    assert server.write_site(tmp_path / "blog") == first
    assert git(first.folder, "rev-parse", "HEAD") == head
    (tmp_path / "blog/index.md").write_text("mine")
    with pytest.raises(FileExistsError, match=r"holds other files; .* a folder of its own\.$"):
        server.write_site(tmp_path / "blog")
    assert (tmp_path / "blog/index.md").read_text() == "mine"


def test_without_git_it_is_the_pages_only_and_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    site = DemoServer(60).write_site(tmp_path / "blog")

    assert site.note == "there is no git on this machine, so these are pages without a history"
    assert site.branches == ()
    assert site.n_pages == len(pages(site.folder))


@pytest.mark.parametrize("n_images", [0, 1, 7])
def test_a_small_library_has_a_blog_too(tmp_path, n_images):
    site = DemoServer(n_images).write_site(tmp_path)

    assert site.n_images <= n_images
    assert git(tmp_path, "log", "--oneline").count("\n") >= 3
