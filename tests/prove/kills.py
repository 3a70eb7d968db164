"""Real loads killed with SIGKILL at drawn moments, and gone on with. `make prove` runs 50, the tests 10."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from picora_analytics import Client, DemoServer, load_images
from picora_analytics.library.load.checkpoint import Checkpoint, Origin
from picora_analytics.library.load.fetching import replay
from picora_analytics.library.load.state import LoadState

# Forks once for each load: importing pandas each time would take longer than all the rest.
NURSERY = """
import os, sys
import pyarrow.parquet
from picora_analytics import Client, load_images
from picora_analytics.library.load import loading
from picora_analytics.library.refresh import refreshing
for line in sys.stdin:
    url, key, folder = line.split()
    pid = os.fork()
    if pid == 0:
        with Client(key, url) as client:
            load_images(client, store=folder, progress=False)
        os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("gone", flush=True)
"""


@contextmanager
def nursery() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.stdin.close()


def listed(server: DemoServer) -> list[tuple[str | None, str | None]]:
    """Give the pages asked for so far, by cursor and date."""
    return [
        (seen.query.get("cursor"), seen.query.get("end_date"))
        for seen in server.requests
        if seen.path == "/v1/images"
    ]


def open_chains(server: DemoServer, folder: Path) -> int:
    """Count the chains that a killed load was state, by its checkpoint; 0 where it has none."""
    if not (folder / "checkpoint.ndjson").exists():
        return 0
    with Client(server.api_key, server.url) as client:
        origin = Origin(
            account=client.account(),
            base_url=client.base_url,
            demo_session=client.demo_session,
            started_at=dt.datetime.now(dt.UTC),
        )
    checkpoint = Checkpoint.open(folder, origin)
    assert checkpoint is not None
    state = LoadState()
    replay(checkpoint.entries(), state)
    checkpoint.close()
    return sum(not chain.done for chain in state.planner.chains)


def kill_and_go_on(server: DemoServer, mother, folder: Path, after: int, pause: float) -> dict:
    """Kill a load after so many pages asked for and a moment; give how the next one went."""
    before = len(listed(server))
    mother.stdin.write(f"{server.url} {server.api_key} {folder}\n")
    mother.stdin.flush()
    pid = int(mother.stdout.readline())
    deadline = time.monotonic() + 60
    while len(listed(server)) < before + after and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(pause)
    os.kill(pid, signal.SIGKILL)
    mother.stdout.readline()
    chains = open_chains(server, folder)
    with Client(server.api_key, server.url) as client:
        images = load_images(client, store=folder, progress=False)
    asked = listed(server)[before:]
    newest_first = sorted(
        server.images.values(), key=lambda image: (image.created_at, image.id), reverse=True
    )
    return {
        "exact": list(images.index) == [image.id for image in newest_first],
        "status": images.attrs["picora"]["status"],
        # The newest page is read again at the end of each load, by intent.
        "again": len(asked) - len(set(asked)) - 1,
        "chains": chains,
        "left": [path.name for path in folder.glob("checkpoint*")],
    }


# One chain, and several: pages that take longer than the pace allows.
ONE = {"n_images": 1_500, "rate_scale": None, "latency": 0.01}
SEVERAL = {"n_images": 5_000, "rate_scale": 10, "latency": 0.04}


def main(n: int) -> int:
    rng = random.Random(20)
    bad = 0
    most = [(0, 0), (0, 0)]
    with nursery() as mother, tempfile.TemporaryDirectory() as base:
        for kind, options in enumerate((ONE, SEVERAL)):
            with DemoServer(**options) as server:
                for number in range(n // 2):
                    folder = Path(base) / f"{kind}-{number}"
                    after = rng.randrange(1, options["n_images"] // 100 + 1)
                    outcome = kill_and_go_on(server, mother, folder, after, rng.uniform(0, 0.02))
                    good = outcome["exact"] and outcome["status"] == "complete"
                    good &= outcome["again"] <= outcome["chains"] + 1 and not outcome["left"]
                    most[kind] = max(most[kind], (outcome["again"], outcome["chains"]))
                    bad += not good
                    if not good:
                        print(f"killed after {after} pages: {outcome}")
    told = [f"{again} where {chains} chains were under way" for again, chains in most]
    print(f"{n} loads killed: {bad} wrong; most pages asked again: {told[0]}, {told[1]}")
    return bad


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    raise SystemExit(bool(main(parser.parse_args().kills)))
