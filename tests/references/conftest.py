import os
import subprocess

import pytest


@pytest.fixture
def git(tmp_path):
    """Give what calls git in a repository of its own, as nobody in particular, at a day that can be set."""
    folder = tmp_path / "repository"
    folder.mkdir()

    def run(*arguments, day=1, cwd=folder, text=None):
        moment = f"{1_700_000_000 + 86_400 * day} +0000"
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env |= {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.com",
            "GIT_AUTHOR_DATE": moment,
            "GIT_COMMITTER_DATE": moment,
        }
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=cwd, env=env, input=text, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run.folder = folder
    run("init", "-q", "-b", "main")
    return run
