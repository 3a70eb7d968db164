"""The command repoint: shown first, written when told."""

OLD, NEW = "aB3dE5fG7hJ", "kL9mN1pQ3rS"


def _prepared(tmp_path):
    site = tmp_path / "my site"
    site.mkdir()
    (site / "page.md").write_text(f"![](https://img.picora.com/{OLD}.png)\n")
    (tmp_path / "map.csv").write_text(f"old,new\n{OLD},{NEW}\n")
    return site / "page.md"


def test_without_write_the_diff_and_the_line_to_type_are_shown(run, tmp_path):
    page = _prepared(tmp_path)

    done = run("repoint", "map.csv", "my site", "--no-check")

    assert done.returncode == 0
    assert done.stdout.startswith("diff --git a/page.md b/page.md\n")
    assert f"+![](https://img.picora.com/{NEW}.png)\n" in done.stdout
    assert "1 place in 1 file to repoint; nothing is written before --write." in done.stderr
    assert "picora-analytics repoint map.csv 'my site' --write --no-check\n" in done.stderr
    assert OLD in page.read_text()


def test_with_write_the_file_is_changed_and_the_way_back_is_said(run, tmp_path):
    page = _prepared(tmp_path)

    done = run("repoint", "map.csv", "my site", "--no-check", "--write")

    assert done.returncode == 0
    assert NEW in page.read_text()
    assert "git apply -R" in done.stdout and (tmp_path / "my site.repoint.patch").exists()


def test_a_map_that_cannot_be_used_is_wrong_usage(run, tmp_path):
    _prepared(tmp_path)
    (tmp_path / "map.csv").write_text("from,to\n")

    done = run("repoint", "map.csv", "my site")

    assert done.returncode == 2
    assert "needs old and new" in done.stderr


def test_a_refusal_speaks_in_words_of_the_shell(run, tmp_path):
    page = _prepared(tmp_path)
    page.write_text(OLD)

    done = run("repoint", "map.csv", "my site")

    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("or --no-check.")
