"""
Prove at length that copies come back: 500 images of every format, byte for byte, through kills.

Run by `make prove`; prints its figures, and ends with an error where one is not as promised.
"""

import argparse
import hashlib
import io
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

import picora_analytics as pic
from picora_analytics.cleanup.backup.backup import back_up

KINDS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "WEBP": "webp", "AVIF": "avif"}
WORK = """
import sys
import picora_analytics as pic
from picora_analytics.cleanup.backup.backup import back_up
what, url, key, folder = sys.argv[1:]
with pic.Client(key, url) as client:
    images = pic.load_images(client, store=None, progress=False)
    if what == "copy":
        back_up(images, images.attrs["picora"], client, folder, progress=False)
    else:
        pic.restore_images(client, folder, progress=False)
"""


def fill(server: pic.DemoServer, n: int) -> None:
    """Add pictures of every format, each with bytes of its own, every fifth private."""
    rng = random.Random(5)
    for number in range(n):
        name = f"../{number}\n=<b>.{'svg' if number % 6 == 5 else 'png'}"
        if number % 6 == 5:
            data = f"<svg xmlns='http://www.w3.org/2000/svg'><g id='n{number}'/></svg>".encode()
        else:
            buffer = io.BytesIO()
            color = tuple(rng.randrange(256) for _ in range(3))
            picture = Image.new("RGB", (16 + number % 64, 16 + number // 64), color)
            picture.save(buffer, list(KINDS)[number % 6])
            data = buffer.getvalue()
        made = server.upload(data, name, tags=[f"t{number % 7}"], is_public=number % 5 != 0)
        if number % 4 == 0:
            server.edit(made.id, title=f"Picture {number}")


def killed(server: pic.DemoServer, what: str, folder: Path, n: int, rng: random.Random) -> int:
    """Start the work again and again, kill it at a moment drawn by chance, until a run ends by itself."""
    kills = 0
    while True:
        command = [sys.executable, "-c", WORK, what, server.url, server.api_key, str(folder)]
        run = subprocess.Popen(command)
        try:
            run.wait(rng.uniform(1.5, 4.0) if kills < n else 600)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
            run.wait()
            kills += 1
            continue
        assert run.returncode == 0, run.returncode
        return kills


def main() -> None:
    """Copy, delete, restore, compare."""
    options = argparse.ArgumentParser()
    options.add_argument("--images", type=int, default=500)
    options.add_argument("--kills", type=int, default=6)
    chosen = options.parse_args()
    rng, started = random.Random(1), time.monotonic()
    with (
        tempfile.TemporaryDirectory() as home,
        pic.DemoServer(n_images=chosen.images * 2 // 5, rate_scale=1000) as server,
        pic.Client(server.api_key, server.url) as client,
    ):
        fill(server, chosen.images - len(server.images))
        folder, before = Path(home) / "kept", server.images
        digests = {one: hashlib.sha256(server.picture(one)).hexdigest() for one in before}
        images = pic.load_images(client, store=None, progress=False)
        kills = killed(server, "copy", folder, chosen.kills, rng)
        backup = back_up(images, images.attrs["picora"], client, folder, progress=False)
        assert {one: proof.sha256 for one, proof in backup.proofs.items()} == digests
        for one in before:
            server.remove(one)
        kills += killed(server, "restore", folder, chosen.kills, rng)
        rows = pic.restore_images(client, folder, progress=False)

        assert set(rows["old_id"]) == set(before)
        assert set(rows["outcome"]) <= {"restored", "already there"}
        again = {
            row.old_id: hashlib.sha256(server.picture(row.new_id)).hexdigest()
            for row in rows.itertuples()
        }
        assert again == digests
        assert len(server.images) == len(set(digests.values()))
        lost = 0
        for row in rows[rows["outcome"] == "restored"].itertuples():
            old, new = before[row.old_id], server.images[row.new_id]
            lost += any(
                getattr(old, name) != getattr(new, name) for name in ("title", "tags", "is_public")
            )
        assert lost == 0
        formats = sorted({image.extension for image in before.values()})
        pictures = [request for request in server.requests if request.port == "pictures"]
        print(
            f"copies: {len(before):,} images ({', '.join(formats)}; "
            f"{sum(not image.is_public for image in before.values()):,} private), {kills} kills: "
            f"{len(again):,} of {len(digests):,} byte for byte, {len(rows):,} of {len(before):,} mapped, "
            f"{(rows['outcome'] == 'restored').sum():,} restored and "
            f"{(rows['outcome'] == 'already there').sum():,} given by their twin, "
            f"{lost} without title, tags or visibility, {len(pictures):,} downloads, "
            f"{time.monotonic() - started:.0f} s"
        )


if __name__ == "__main__":
    main()
