"""Both recipes of docs/unattended.md, as they are typed there, week after week under the same file names."""

import datetime as dt
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer

PAGE = (Path(__file__).parents[3] / "docs" / "unattended.md").read_text(encoding="utf-8")
REVIEWED, STANDING = PAGE.split("## Reviewed", 1)[1].split("## Standing order")
WEEK = dt.timedelta(days=7)
LONG_AGO = 1_600_000_000_000  # Of the service's clock, in ms: in 2020.


def _blocks(text, language):
    found = re.findall(rf"^( *)```{language}\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    return [re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


@pytest.fixture
def service():
    """Give a library without an old untagged image, and with every tag that the policy protects."""
    with DemoServer(n_images=500, rate_scale=None) as server:
        for place, (image_id, image) in enumerate(server.images.items()):
            if not image.tags or place < 2:
                tags = (("keep", "logo")[place],) if place < 2 else ("x",)
                server.edit(image_id, tags=tags, updated_at=image.updated_at)
        yield server


@pytest.fixture
def shell(service, tmp_path):
    """Give what runs a block of the page in a POSIX shell, with its disk under the test's own folder."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "picora-analytics"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error -m picora_analytics "$@"\n')
    command.chmod(0o755)
    (tmp_path / "mnt" / "disk").mkdir(parents=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PICORA_")}
    environ = kept | {
        "PATH": f"{command.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(Path(pic.__file__).parents[1]),
        "PICORA_DATA_DIR": str(tmp_path / "data"),
        "PICORA_API_KEY": service.api_key,
        "PICORA_BASE_URL": service.url,
    }
    environ.pop("CI", None)

    def run(block):
        return subprocess.run(
            ["sh", "-e", "-c", block.replace("/mnt/", f"{tmp_path}/mnt/")],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def test_each_block_of_the_page_can_be_read_by_the_shell():
    blocks = [*_blocks(REVIEWED, "sh"), *_blocks(STANDING, "sh")]

    assert len(blocks) == 3
    for block in blocks:
        subprocess.run(["sh", "-n", "-c", block], check=True)


def _forgotten(service, n):
    """Let images appear that were uploaded long ago and never tagged or touched."""
    added = service.add(n, tags=(), created_at=LONG_AGO, updated_at=LONG_AGO, is_public=True)
    return [image.id for image in added]


def _a_week_later(store):
    """Make every snapshot a week older, as a week makes them."""
    old = pic.SnapshotStore(store)
    frames = [old.load(version) for version in old.versions()]
    for path in store.glob("*.parquet"):
        path.unlink()
    for frame in frames:
        facts = frame.attrs["picora"]
        for name in ("read_at", "loaded_at"):
            moment = dt.datetime.fromisoformat(facts[name]) - WEEK
            frame.attrs["picora"] = frame.attrs["picora"] | {
                name: moment.isoformat().replace("+00:00", "Z")
            }
        pic.SnapshotStore(store).save(frame)


def _gone(service):
    return {deletion.id for deletion in service.deleted}


@pytest.mark.skipif(os.name != "posix", reason="the page is for a POSIX shell")
@pytest.mark.slow
def test_the_reviewed_recipe_runs_week_after_week(service, shell, tmp_path):
    plan, carry_out = _blocks(REVIEWED, "sh")
    (tmp_path / "decisions.csv").write_text("id,decision\n")
    kept, expected = [], set()

    for week in (1, 2):
        new = _forgotten(service, 4)
        first = shell(plan)
        assert first.returncode == 0, first.stdout + first.stderr
        phrase = pic.read_plan(tmp_path / "plan.json").confirmation
        if week % 2:
            # One is to be kept, so the first job plans again, under the same names.
            with (tmp_path / "decisions.csv").open("a") as file:
                file.write(f"{new[0]},keep\n")
            kept.append(new.pop(0))
            first = shell(plan)
            assert first.returncode == 0, first.stderr
            refused, phrase = phrase, pic.read_plan(tmp_path / "plan.json").confirmation
            assert refused != phrase
        assert phrase in first.stdout
        assert _gone(service) == expected
        (tmp_path / "approved.txt").write_text(f"# reviewed\n{phrase}\n")

        done = shell(carry_out)

        expected |= set(new)
        assert done.returncode == 0, done.stdout + done.stderr
        assert _gone(service) == expected
        receipt = json.loads((tmp_path / "receipt.json").read_text())
        assert {row["outcome"] for row in receipt["outcomes"]} == {"deleted"}
        assert len(list(tmp_path.glob("plan*.journal.ndjson"))) == week
        _a_week_later(tmp_path / "snapshots")

    # Typed once more, it answers from its journal.
    again = shell(carry_out)
    assert again.returncode == 0 and "carried out before" in again.stdout, again.stderr
    assert set(kept) <= set(service.images)
    names = {path.name for path in (tmp_path / "mnt" / "disk" / "kept").iterdir()}
    assert all(any(one in name for name in names) for one in expected if not one.startswith("-"))


@pytest.mark.skipif(os.name != "posix", reason="the page is for a POSIX shell")
@pytest.mark.slow
def test_the_standing_order_runs_week_after_week(service, shell, tmp_path):
    (weekly,) = _blocks(STANDING, "sh")
    (policy,) = _blocks(STANDING, "toml")
    (tmp_path / "policy.toml").write_text(policy.replace("/mnt/", f"{tmp_path}/mnt/"))
    (tmp_path / "mnt" / "snapshots").mkdir()
    found = list(service.images)[:30]
    expected, seen = set(), []

    for week in (1, 2, 3):
        new = _forgotten(service, 4)
        found.append(new[0])  # One of them is on a page.
        address = f"![roof](https://img.picora.com/{new[0]}.png)"
        lines = [f"# found {dt.datetime.now(dt.UTC).isoformat()}", *found[:-1], address]
        (tmp_path / "used.csv").write_text("\n".join(lines))

        done = shell(weekly)

        said = done.stdout + done.stderr
        if week == 1:
            assert done.returncode == 1, said
            assert "The policy needs 2 snapshots" in said
        else:
            assert done.returncode == 0, said
            expected |= set(seen)
        assert _gone(service) == expected, said
        seen = new[1:]
        _a_week_later(tmp_path / "mnt" / "snapshots")

    journals = list((tmp_path / "mnt" / "disk" / "kept").glob("*.journal.ndjson"))
    assert len(journals) == 2

    # The disk is away: nothing is deleted, and no folder is made for it.
    (tmp_path / "mnt" / "disk").rename(tmp_path / "away")
    done = shell(weekly)
    assert done.returncode == 1
    assert "the disk may not be mounted" in done.stderr
    assert not (tmp_path / "mnt" / "disk").exists()
    assert _gone(service) == expected
