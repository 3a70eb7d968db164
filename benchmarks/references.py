"""Finding ids in text beside plain `re` and a set, by CPU in one run: reading and decoding are included."""

from __future__ import annotations

import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path
from pydoc_data.topics import topics

import pandas as pd

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
RUNS = re.compile(r"[A-Za-z0-9_-]{11,}")


def make_ids(n: int, rng: random.Random) -> list[str]:
    return ["".join(rng.choices(ALPHABET, k=11)) for _ in range(n)]


def english() -> list[str]:
    """Give the words of the Python language reference, each as often as it stands there."""
    text = " ".join(topics.values())
    return [word for word in text.split() if re.fullmatch(r"[A-Za-z][A-Za-z'-]*[.,;:]?", word)]


def write_corpus(
    folder: Path, ids: list[str], rng: random.Random, n_bytes: int, kind: str
) -> set[str]:
    """Write pages of prose, or of prose with embedded pictures, that use some of the ids."""
    words = english()
    forms = (
        "![a picture](https://img.picora.com/{}.png)",
        '{{"src": "https:\\/\\/img.picora.com\\/{}.webp"}}',
        "https%3A%2F%2Fimg.picora.com%2F{}.jpg",
    )
    used: set[str] = set()
    written = number = 0
    while written < n_bytes:
        parts = []
        for _ in range(40):
            parts += [" ".join(rng.choices(words, k=12)) for _ in range(14)]
            if rng.random() < 0.3:
                image_id = rng.choice(ids)
                used.add(image_id)
                parts.append(rng.choice(forms).format(image_id))
            if kind == "base64":
                parts.append("data:image/png;base64," + b64encode(rng.randbytes(6000)).decode())
        text = "\n".join(parts).encode()
        (folder / f"page-{number}.md").write_bytes(text)
        written += len(text)
        number += 1
    return used


def by_re(folder: Path, ids: set[str]) -> set[str]:
    found = set()
    for path in sorted(folder.iterdir()):
        for run in RUNS.findall(path.read_text("utf-8")):
            for start in range(len(run) - 10):
                token = run[start : start + 11]
                if token in ids:
                    found.add(token)
    return found


def scan(n_bytes: int) -> None:
    import picora_analytics as pic

    rng = random.Random(7)
    ids = make_ids(100_000, rng)
    index = pd.Index(ids)
    for kind, bar in (("prose", 6.0), ("base64", 3.0)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            used = write_corpus(folder, ids, rng, n_bytes, kind)
            pic.find_references(
                index[:10], folder, progress=False
            )  # Everything imported and in memory.
            begun = time.process_time()
            references = pic.find_references(index, folder, progress=False)
            ours = time.process_time() - begun
            begun = time.process_time()
            theirs_found = by_re(folder, set(ids))
            theirs = time.process_time() - begun
        found = set(references.found["id"])
        assert used == found == theirs_found, "not the same set"
        print(
            f"{kind:<8} {n_bytes / 1e6:.0f} MB  ours {ours:.2f} s CPU, re and a set {theirs:.2f} s: "
            f"{theirs / ours:.1f} x (bar {bar:g})"
        )


def memory(n_bytes: int) -> None:
    """Say how much memory a scan takes over the interpreter that imported everything, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        rng = random.Random(7)
        ids = make_ids(100_000, rng)
        write_corpus(Path(name), ids, rng, 20_000_000, "prose")
        page = b"".join(path.read_bytes() for path in sorted(Path(name).iterdir()))
        for path in Path(name).iterdir():
            path.unlink()
        with (Path(name) / "big.sql").open("wb") as file:
            for _ in range(n_bytes // len(page)):
                file.write(page)
        (Path(name) / "ids").with_suffix(".list").write_text("\n".join(ids))
        code = (
            "import resource, sys, pandas as pd, picora_analytics as pic\n"
            "from pathlib import Path\n"
            "folder = Path(sys.argv[1])\n"
            "ids = pd.Index((folder / 'ids.list').read_text().split())\n"
            "pic.find_references(ids[:10], folder / 'ids.list', progress=False)\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "pic.find_references(ids, folder / 'big.sql', progress=False)\n"
            "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "print(f'memory   {(after - before) / 1024:.0f} MiB over the interpreter (bar 150)')\n"
        )
        print(
            subprocess.run(
                [sys.executable, "-c", code, name], check=True, capture_output=True, text=True
            ).stdout,
            end="",
        )


def git(folder: Path, *arguments: str, text: str | None = None) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def cpu() -> float:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def history(n_commits: int) -> None:
    """Compare a repository's whole history with the same scanner fed by `git cat-file --batch` alone."""
    import picora_analytics as pic
    from picora_analytics.references.scanning import HOSTS, Scanner
    from picora_analytics.references.sources import Text

    rng = random.Random(7)
    ids = make_ids(100_000, rng)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        git(folder, "init", "-q", "-b", "main")
        stream = []
        pages = [[f"page {n}"] for n in range(200)]
        for commit in range(n_commits):
            stream.append(
                f"commit refs/heads/main\ncommitter A <a@example.com> {1_600_000_000 + commit * 3600} +0000\n"
                f"data 1\nx\n"
            )
            for n in rng.sample(range(200), 2):
                pages[n].append(
                    f"![p](https://img.picora.com/{rng.choice(ids)}.png) " + "lorem ipsum " * 20
                )
                del pages[n][1 : max(1, len(pages[n]) - 30)]
                text = "\n".join(pages[n])
                stream.append(
                    f"M 100644 inline docs/{n // 20}/page-{n}.md\ndata {len(text)}\n{text}\n"
                )
        git(folder, "fast-import", "--quiet", text="".join(stream))
        git(folder, "checkout", "-q", "main")
        index = pd.Index(ids)
        pic.find_references(index[:10], folder / ".git" / "HEAD", progress=False)
        begun = cpu()
        references = pic.find_references(index, git=folder, progress=False)
        ours = cpu() - begun
        begun = cpu()
        listed = subprocess.Popen(
            [
                "git",
                "-C",
                name,
                "cat-file",
                "--batch",
                "--batch-all-objects",
                "--unordered",
                "--buffer",
            ],
            stdout=subprocess.PIPE,
        )
        chunks = iter(lambda: listed.stdout.read(1 << 20), b"")
        found = {
            place.image_id
            for place in Scanner(ids, HOSTS).scan([Text("all", chunks)])
            if hasattr(place, "image_id")
        }
        listed.wait()
        theirs = cpu() - begun
    ours_found = set(references.found["id"]) | set(references.found_before["id"])
    assert ours_found == found, "not the same set"
    print(
        f"history  {n_commits:,} commits  ours {ours:.2f} s CPU, cat-file through the scanner {theirs:.2f} s: "
        f"{ours / theirs:.2f} x (bar 2)"
    )


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 48_000_000
    scan(size)
    history(3000)
    memory(1_000_000_000)
