"""What the Tab key gives: commands, options, files, snapshots that are there, and tags that are safe to run."""

import subprocess
import sys

import pytest

import picora_analytics as pic

VARIABLE = "_PICORA_ANALYTICS_COMPLETE"
TAGS = ("blog", "bl\u00fcte", "$(touch ran)", "two words", "-o", "a;b", "bl\nog", "b:l")


@pytest.fixture(scope="module")
def stores(make_images, tmp_path_factory):
    """A folder with two snapshots of one account."""
    folder = tmp_path_factory.mktemp("stores")
    store = pic.SnapshotStore(folder / "snapshots" / "one")
    for n in (2, 3):
        store.save(make_images(tags=[TAGS, ("shop",), None][:n]))
    return folder


@pytest.fixture
def completed(run, stores):
    """Complete a line as the script of a shell asks for it; a part of a word is behind the last blank."""

    def command(line, shell="bash"):
        done = run(
            COMP_WORDS=f"picora-analytics {line}",
            COMP_CWORD=str(len(line.split(" "))),
            PICORA_DATA_DIR=str(stores),
            **{VARIABLE: f"{shell}_complete"},
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [one for one in done.stdout.splitlines() if one]

    return command


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(
            "re", ["plain,repoint", "plain,report", "plain,restore", "plain,review"], id="commands"
        ),
        pytest.param("load --ref", ["plain,--refresh"], id="options"),
        pytest.param("load --refresh n", ["plain,never"], id="values"),
        pytest.param("apply pl", ["file,pl"], id="files"),
        pytest.param("scan --git ", ["dir,"], id="folders"),
        pytest.param("scan si", ["file,si"], id="sources"),
        pytest.param("plan --tagged bl", ["plain,blog", "plain,bl\u00fcte"], id="tags"),
        pytest.param("load --tag s", ["plain,shop"], id="one tag"),
        pytest.param("plan --store none --protect ", [], id="tags of a store that is not there"),
        pytest.param("plan --demo --protect ", [], id="tags of the demo"),
        pytest.param("diff ol", ["file,ol"], id="a file to compare"),
    ],
)
def test_a_line_is_completed(completed, line, found):
    assert completed(line) == found


def test_snapshots_are_completed_by_version_and_by_day(completed, stores):
    versions = pic.SnapshotStore(stores / "snapshots" / "one").versions()
    year = versions[0][:2]

    assert completed(f"diff {year}") == [f"plain,{one}" for one in reversed(versions)]
    assert completed("diff latest pre", "zsh") == ["plain", "previous", "_"]
    day = f"{versions[0][:4]}-{versions[0][4:6]}-{versions[0][6:8]}"
    assert completed(f"report --since {year}")[-1] == f"plain,{day}"
    # Of two accounts, nobody knows which is meant.
    pic.SnapshotStore(stores / "snapshots" / "two").folder.mkdir()
    assert completed(f"diff {year}") == [f"file,{year}"]
    (stores / "snapshots" / "two").rmdir()


@pytest.mark.slow
def test_a_real_bash_completes_and_runs_nothing(stores, tmp_path):
    program = tmp_path / "bin" / "picora-analytics"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m picora_analytics "$@"\n')
    program.chmod(0o755)
    script = f"""
eval "$({VARIABLE}=bash_source picora-analytics)"
complete -p picora-analytics
COMP_WORDS=(picora-analytics plan --protect '') COMP_CWORD=3
_picora_analytics_completion picora-analytics
printf '%s|' "${{COMPREPLY[@]}}"
"""

    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env={"PATH": f"{program.parent}:/usr/bin:/bin", "PICORA_DATA_DIR": str(stores)}
        | {"PYTHONPATH": ":".join(sys.path), "LC_ALL": "C.UTF-8"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.stderr == ""
    registered, words = done.stdout.splitlines()
    assert registered.endswith("-F _picora_analytics_completion picora-analytics")
    assert words == "blog|bl\u00fcte|shop|"
    assert [one.name for one in tmp_path.iterdir()] == ["bin"]
