"""
Measure the loader beside what a user would use instead, on one loopback service, and print the tables.

Every load runs in a process of its own. Read ratios, not absolutes: they are taken inside one run on one machine.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from harness import Run, Service, command, floor, folder, load, median, remembered
from rivals import KEY

HERE = Path(__file__).parent
NAMES = {
    "ten_lines": "httpx + json_normalize, ten lines",
    "requests_session": "requests.Session + json_normalize",
    "dlt_rest": "dlt REST source → DuckDB → frame",
    "picora": "`load_images`",
}


def table(head: str, rows: list[list[object]]) -> str:
    """Render as Markdown."""
    lines = [head.split(" | "), ["---"] * (head.count("|") + 1), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def times(value: float, base: float) -> str:
    return f"{value / base:.2f} x" if base else "-"


def extra(run: Run) -> str:
    pages = math.ceil(run["images"] / 100)
    return f"{run['requests']:.0f} ({run['requests'] / pages - 1:+.1%})"


def ms(latency: float) -> str:
    return f"{latency * 1000:.0f} ms"


# The parts; each gives a table.


def client(options: argparse.Namespace) -> str:
    """Cost at the client: no latency, no limit."""
    with Service(options.images) as service:
        found: dict[str, list[Run]] = {}
        for _ in range(
            options.repeat
        ):  # In turns, so that other work on the machine meets all alike.
            for program in ("ten_lines", "requests_session", "picora"):
                found.setdefault(NAMES[program], []).append(load(program, service))
            found.setdefault(f"{NAMES['picora']}, with a store", []).append(remembered(service))
        found[NAMES["dlt_rest"]] = [load("dlt_rest", service)]
    runs = {name: median(each) for name, each in found.items()}
    one = runs[NAMES["ten_lines"]]
    rows = [
        [
            name,
            *(times(run[key], one[key]) for key in ("wall", "cpu", "peak_mb", "bytes_per_row")),
            f"{run['cpu']:.2f} s, {run['peak_mb']:.0f} MB, {run['bytes_per_row']:.0f} bytes a row",
            f"{run['requests']:.0f}",
        ]
        for name, run in runs.items()
    ]
    head = "program | wall | CPU | peak memory | frame | CPU, peak, frame absolute | requests"
    return f"{options.images:,} images, no latency, no limit; ten lines = 1.\n\n{table(head, rows)}"


def limit(options: argparse.Namespace) -> str:
    """All programs under the documented limit, at three round trips."""
    rows = []
    # Refusals come only once the burst is used up, which takes longer where the round trip is short.
    for latency, largest in ((0.05, 20_000), (0.2, 10_000), (0.5, 10_000)):
        n = min(options.images, largest)
        with Service(n) as service:
            for program in ("ten_lines", "requests_session", "dlt_rest", "picora"):
                run = load(program, service, latency=latency, scale=1)
                wall = times(run["wall"], floor(n))
                if run["error"]:
                    wall = f"died on request {run['requests']} ({run['error']})"
                rows.append(
                    [ms(latency), f"{n:,}", NAMES[program], wall, extra(run), run["refusals"]]
                )
    head = "round trip | images | program | wall / floor | requests | refused"
    return f"600 requests a minute, in real time.\n\n{table(head, rows)}"


def chains(options: argparse.Namespace) -> str:
    """Ours against the limit's floor, in fast motion."""
    base = floor(options.images, options.scale)
    rows = []
    for skew in (0.0, 0.6):
        for totals in (False, True):
            with Service(options.images, skew=skew, totals=totals) as service:
                for latency in (0.05, 0.2, 0.5):
                    settings = {"latency": latency, "scale": options.scale}
                    run = median(
                        [load("picora", service, **settings) for _ in range(options.repeat)]
                    )
                    rows.append(
                        [
                            ms(latency),
                            "60 % in a week" if skew else "even",
                            "with" if totals else "without",
                            times(run["wall"], base),
                            extra(run),
                            run["refusals"],
                        ]
                    )
    head = "round trip | library | totals | wall / floor | requests | refused"
    return (
        f"{options.images:,} images, limit x {options.scale:g} and round trips / {options.scale:g}; "
        f"the floor is {base:.1f} s.\n\n{table(head, sorted(rows, key=lambda row: int(row[0].split()[0])))}"
    )


def sessions(options: argparse.Namespace) -> str:
    """The first session and later ones, in real time."""
    n = options.images
    rows, walls = [], []
    with Service(n) as service, folder() as store:
        for name, change in (
            ("first load", ""),
            ("second: the feed is walked once", ""),
            ("third: nothing changed", ""),
            ("fourth: 50 uploads, 10 edits, 20 deletions", "change=50,10,20"),
            ("fifth: nothing changed", ""),
        ):
            service.ask(change)
            run = load("picora", service, store, latency=0.05, scale=1)
            walls.append(run["wall"])
            share = f"1/{walls[0] / run['wall']:.0f}"
            rows.append([name, f"{run['wall']:.2f}", share, run["requests"], run["refusals"]])
    head = "session | wall s | of the first | requests | refused"
    return (
        f"{n:,} images, 50 ms, 600 requests a minute, in real time, with a store; the floor of the first "
        f"is {floor(n):.1f} s, so it took {times(walls[0], floor(n))}.\n\n{table(head, rows)}"
    )


def resume(options: argparse.Namespace) -> str:
    """A load that is killed, and called again."""
    settings = {"latency": 0.2, "scale": options.scale}
    with Service(options.images) as service:
        whole = remembered(service, **settings)
        rows = [["not killed", "-", whole["requests"], "-", f"{whole['wall']:.1f}"]]
        for part in (0.25, 0.5, 0.9):
            with folder() as store:
                service.set(**settings)
                goal = part * whole["requests"]
                victim = subprocess.Popen(
                    command("picora", service, store), stdout=subprocess.DEVNULL
                )
                while service.ask()["requests"] < goal and victim.poll() is None:
                    time.sleep(0.05)
                victim.kill()
                victim.wait()
                before = service.ask()["requests"]
                run = load("picora", service, store, **settings)
            again = before + run["requests"] - whole["requests"]
            name = f"killed (-9) at {part:.0%}"
            rows.append([name, before, run["requests"], again, f"{run['wall']:.1f}"])
    head = "load | requests until killed | requests after | asked again | wall s after"
    return (
        f"{options.images:,} images, 200 ms, limit x {options.scale:g} and round trip / {options.scale:g}. "
        f"Asked again counts the second check of the key too.\n\n{table(head, rows)}"
    )


def snapshots(options: argparse.Namespace) -> str:
    """Writing and reading a snapshot of a large library."""
    import picora_analytics as pic

    n = options.snapshot_images
    with Service(n) as service, folder() as store, pic.Client(KEY, service.url) as reader:
        service.set()
        images = pic.load_images(reader, store=None, progress=False)
        writes, reads = [], []
        for number in range(options.repeat):
            kept = pic.SnapshotStore(Path(store, str(number)))
            start = time.perf_counter()
            kept.save(images)
            writes.append(time.perf_counter() - start)
            start = time.perf_counter()
            back = kept.load()
            reads.append(time.perf_counter() - start)
        size = sum(path.stat().st_size for path in kept.folder.glob("*.parquet"))
        if not back.equals(images):
            raise SystemExit("The snapshot came back as another frame.")
    megabytes = f"{size / 1e6:.0f}"
    row = [f"{statistics.median(writes):.2f}", f"{statistics.median(reads):.2f}", megabytes]
    return f"{n:,} rows, warm disk.\n\n{table('write s | read to the frame s | MB', [row])}"


def plans(options: argparse.Namespace) -> str:
    """Plans, previews, files and comparisons beside pandas by hand."""
    from plans import measure

    head = "what | CPU s | by hand | ratio | at most | met"
    return (
        f"User CPU seconds, warm; the library holds {options.snapshot_images:,} images, the small one a tenth.\n\n"
        + table(head, measure(options.snapshot_images, options.repeat))
    )


def summaries(options: argparse.Namespace) -> str:
    """Summaries, rules, the report and cold starts beside pandas by hand."""
    from summaries import measure

    head = "what | CPU s | by hand | ratio | at most | met"
    return (
        f"User CPU seconds, warm but for the last rows; {options.snapshot_images:,} images.\n\n"
        + table(head, measure(options.snapshot_images, options.repeat))
    )


PARTS: dict[str, Callable[[argparse.Namespace], str]] = {
    part.__name__: part
    for part in (client, limit, chains, sessions, resume, snapshots, plans, summaries)
}


def conditions(repeat: int) -> str:
    packages = ("pandas", "pyarrow", "httpx", "msgspec", "requests", "dlt")
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in packages if find_spec(name)
    )
    return (
        f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}, {versions}; "
        + ("one run each." if repeat == 1 else f"median of {repeat} where repeated.")
    )


def main() -> None:
    """Measure the parts named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--snapshot-images", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--scale", type=float, default=4, help="of the limit, in fast motion")
    parser.add_argument("--write", action="store_true", help="put the tables into README.md")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"{', '.join(unknown)}: none of {', '.join(PARTS)}")
    readme = HERE / "README.md"
    for name in options.parts or PARTS:
        text = f"{PARTS[name](options)}\n\n{conditions(options.repeat)}"
        print(f"\n## {name}\n\n{text}", flush=True)
        if options.write:
            before = readme.read_text(encoding="utf-8")
            block = f"<!-- {name} -->\n{text}\n<!-- end -->"
            start, _, rest = before.partition(f"<!-- {name} -->\n")
            readme.write_text(
                f"{start}{block}{rest.partition('<!-- end -->')[2]}", encoding="utf-8"
            )


if __name__ == "__main__":
    main()
