"""Measure how near a large deletion comes to the least time that Picora's rate limits allow."""

from __future__ import annotations

import argparse
import tempfile
import time
from bisect import bisect_right
from pathlib import Path
from typing import Any

import picora_analytics as pic
from picora_analytics import DemoServer

# Calls a second, and at once, by tier (OpenAPI: "Rate Limiting").
PACE = {"read": (10.0, 30), "mutation": (2.0, 10)}
# Reads that a look takes beside the listing.
FEW = 6


def main() -> None:
    """Print figures, and fail where one is not as promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    given = parser.parse_args()
    batches(given.images)
    singles()


def batches(n_planned: int, n_others: int = 2_000) -> None:
    """Delete by the hundred at the documented pace; the looks before and after are counted."""
    requests, wall, receipt = _measure(DemoServer(n_planned + n_others), n_planned)
    deleting = [one for one in requests if one.method == "DELETE"]
    first, last = deleting[0].received_at, deleting[-1].received_at
    reads = [one.received_at for one in requests if one.tier == "read"]
    n_before = sum(at < first for at in reads)
    n_between = sum(first < at < last for at in reads)
    n_after = sum(at > last for at in reads)
    floor = sum(_least("read", n) for n in (n_before, n_after)) + _least("mutation", len(deleting))
    print(
        f"{n_planned:,} images by {len(deleting)} deleting requests, {n_before} reads before, {n_between} between, "
        f"{n_after} after: {wall:.1f} s, {wall / floor:.3f} of the floor of {floor:.1f} s; "
        f"{_refused(requests)} refusals"
    )
    assert receipt.counts == {"deleted": n_planned}
    assert len(deleting) <= -(-n_planned // 100)
    # One listing each, and a few requests beside it: the key, the count, the newest page once more.
    assert n_before <= -(-(n_planned + n_others) // 100) + FEW
    assert n_between <= FEW  # While nothing was slow, no look is repeated.
    assert n_after <= -(-n_others // 100) + FEW
    assert _refused(requests) == 0
    assert wall <= 1.06 * floor


def singles(n_planned: int = 1_500, scale: float = 10.0) -> None:
    """Delete one by one, where the service knows nothing else, on an account with tenfold limits."""
    server = DemoServer(n_planned + 500, seed_only=True, rate_scale=scale)
    requests, wall, receipt = _measure(server, n_planned)
    times = [one.received_at for one in requests if one.tier == "mutation"]
    most = max(bisect_right(times, start + 60) - i for i, start in enumerate(times))
    pace, burst = PACE["mutation"]
    allowed = (pace * 60 + burst) * scale
    print(
        f"{n_planned:,} images by {len(times):,} single calls on a seed-only service: {wall:.1f} s, at most {most:,} "
        f"in any 60 s where {allowed:,.0f} are allowed; {_refused(requests)} refusals"
    )
    assert receipt.counts == {"deleted": n_planned}
    assert _refused(requests) == 0
    assert most <= allowed


def _measure(server: DemoServer, n_planned: int) -> tuple[list[Any], float, pic.DeletionReceipt]:
    with (
        server,
        tempfile.TemporaryDirectory() as folder,
        pic.Client(server.api_key, server.url) as client,
    ):
        images = pic.load_images(client, store=None, progress=False)
        plan = pic.plan_deletion(
            images, list(images.index[:n_planned]), reason="a measurement", max_fraction=1
        )
        phrase = plan.confirmation
        time.sleep(5)  # All allowances are full again.
        before = len(server.requests)
        began = time.monotonic()
        receipt = plan.apply(
            client, phrase, backup=None, journal=Path(folder, "journal"), progress=False
        )
        wall = time.monotonic() - began
        return server.requests[before:], wall, receipt


def _least(tier: str, n_requests: int) -> float:
    pace, burst = PACE[tier]
    return max(0, n_requests - burst) / pace


def _refused(requests: list[Any]) -> int:
    return sum(one.status == 429 for one in requests)


if __name__ == "__main__":
    main()
