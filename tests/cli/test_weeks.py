"""Both recipes of docs/unattended.md for weeks (four in `make prove`), in the shell, under the same file names."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.cleanup.policy.policy import read_policy

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="the clock is moved by LD_PRELOAD"
)

HOUR, DAY = 3600, 86_400
WEEKS = int(os.environ.get("PICORA_WEEKS", "3"))
RULE = ("--older-than", "730", "--untagged", "--reason", "forgotten")
POLICY = """
reason = "screenshots nobody tagged in two years"
expires = 2027-06-30
protect = ["keep"]
sightings = 2
sightings_apart = "7d"

[rule]
older_than = 730
untagged = true

[references]
file = "used.csv"
max_age = "2d"

[caps]
max_images = 500
max_bytes = "1 GiB"
max_fraction = 0.5

[backup]
folder = "kept"
"""


class Weeks:
    """A library, a folder, and a clock that both the service and the command go by."""

    def __init__(self, server, run, folder):
        self.server, self.folder, self._run = server, folder, run
        self._clock = folder / "clock"
        self._library = folder / "clock.so"
        source = Path(__file__).with_name("clock.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", self._library, source], check=True)
        server.add(1, tags=("keep",))

    def run(self, *arguments):
        """Run the command at the service's own time, in CI."""
        moved = round(self.server.now.timestamp() - time.time())
        self._clock.write_bytes(moved.to_bytes(8, sys.byteorder, signed=True))
        return self._run(
            *arguments,
            server=self.server,
            CI="true",
            LD_PRELOAD=str(self._library),
            MOVED_CLOCK=str(self._clock),
        )

    def forget(self, n, tags=()):
        """Let images come of age that were uploaded two years ago."""
        then = round((self.server.now.timestamp() - 731 * DAY) * 1000)
        return [
            image.id for image in self.server.add(n, tags=tags, created_at=then, updated_at=then)
        ]

    def gone(self):
        return {image.id for image in self.server.deleted}


@pytest.fixture
def weeks(process, tmp_path):
    with DemoServer(n_images=200, rate_scale=None) as server:
        yield Weeks(server, process, tmp_path)


def ok(done, code=0):
    assert done.returncode == code, done.stdout + done.stderr
    return done


def assert_copied(folder, ids):
    lines = [json.loads(line) for line in (folder / "copies.ndjson").read_text().splitlines()]
    copies = {line["image"]["id"]: line for line in lines[1:]}
    assert set(copies) >= ids
    for one in ids:
        content = (folder / copies[one]["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == copies[one]["sha256"]


def test_the_policy_of_the_page_can_be_followed(tmp_path):
    (tmp_path / "policy.toml").write_text(POLICY)

    assert read_policy(tmp_path / "policy.toml").sightings == 2


@pytest.mark.slow
def test_reviewed_for_weeks(weeks):
    folder = weeks.folder
    (folder / "decisions.csv").write_text("id,decision\n")
    phrases = []
    for week in range(WEEKS):
        wanted = weeks.forget(3)
        before = weeks.gone()
        plan = ("plan", *RULE, "--decisions", "decisions.csv", "--store", "snapshots/")
        plan += ("-o", "plan.json", "--csv", "plan.csv")
        ok(weeks.run(*plan))
        ok(weeks.run("apply", "plan.json"))
        with (folder / "decisions.csv").open("a") as file:
            file.write(f"{wanted[0]},keep\n")
        ok(weeks.run(*plan))
        made = pic.read_plan(folder / "plan.json")
        (folder / "approved.txt").write_text(made.confirmation + "\n")
        apply = ("apply", "plan.json", "--confirm-file", "approved.txt", "--backup", "kept")
        apply += ("-o", "receipt.json")

        too_early = ok(weeks.run(*apply), 1)
        assert "use --standing-order" in too_early.stderr
        assert weeks.gone() == before
        weeks.server.advance(2 * HOUR)
        if week == 1:  # The picture host is down, and the job is started again.
            weeks.server.fail("GET", "/*.*", times=None, status=403)
            weeks.server.fail("POST", "/v1/images/*/sign", times=None, status=403)
            ok(weeks.run(*apply), 4)
            assert weeks.gone() == before
            weeks.server.clear_faults()
        if week == 2:  # The key was exchanged meanwhile, and the job goes on.
            weeks.server.fail("DELETE", "/v1/media", times=1, status=401)
            ok(weeks.run(*apply), 1)
            assert weeks.gone() == before
            apply = ("apply", "plan.json", "--resume", "-o", "receipt.json")
        ok(weeks.run(*apply))

        taken = weeks.gone() - before
        assert taken == set(made.images.index)
        assert taken >= set(wanted[1:])
        assert wanted[0] in weeks.server.images
        assert_copied(folder / "kept", taken)
        receipt = json.loads((folder / "receipt.json").read_text())
        assert receipt["complete"] is True
        assert receipt["confirmation"] == made.confirmation
        phrases.append(made.confirmation)
        weeks.server.advance(7 * DAY - 2 * HOUR)

    journals = [path.read_text() for path in folder.glob("plan*.journal.ndjson")]
    for phrase in phrases:
        assert sum(f'"confirmation":"{phrase}"' in text for text in journals) == 1
    assert len(set(phrases)) == WEEKS


@pytest.mark.slow
def test_a_standing_order_for_weeks(weeks):
    folder = weeks.folder
    (folder / "policy.toml").write_text(POLICY)
    (folder / "kept").mkdir()
    order = ("apply", "--standing-order", "policy.toml", "--store", "snapshots", "-o", "r.json")
    seen, last = [], []
    for week in range(WEEKS):
        fresh = weeks.forget(2)
        used = weeks.forget(1)
        seen = [*seen, *used]
        (folder / "used.csv").write_text(
            f"# found {weeks.server.now:%Y-%m-%dT%H:%M:%SZ}\n" + "\n".join(seen) + "\n"
        )
        before = weeks.gone()
        ok(weeks.run("load", "--store", "snapshots"))
        if week == 0:
            assert "needs 2 snapshots" in ok(weeks.run(*order), 1).stderr
            assert weeks.gone() == before
        else:
            if week == 2:  # The picture host is down for a day, and the job runs again the next.
                weeks.server.fail("GET", "/*.*", times=None, status=403)
                weeks.server.fail("POST", "/v1/images/*/sign", times=None, status=403)
                ok(weeks.run(*order), 4)
                assert weeks.gone() == before
                weeks.server.clear_faults()
            done = ok(weeks.run(*order))
            taken = weeks.gone() - before
            assert taken >= set(last)
            assert not taken & {*fresh, *seen}
            assert_copied(folder / "kept", taken)
            assert re.search(rf"RECEIPT of plan .*: {len(taken)} images deleted", done.stdout)
            assert weeks.run(*order).returncode == 0  # A job that is run twice finds nothing.
            assert weeks.gone() == before | taken
        last = fresh
        weeks.server.advance(7 * DAY - 60 * week)  # No schedule is kept to the second.
