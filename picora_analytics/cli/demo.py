"""Commands that need no account: demo, lab."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from picora_analytics.cli.common import say
from picora_analytics.cli.tables import head, meter, show_dry_run, show_findings, show_tables
from picora_analytics.cli.values import FilePath

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.client import Client
    from picora_analytics.demo import DemoServer
    from picora_analytics.report import StorageReport


__all__ = ["demo", "lab"]


FOLDER = "picora-notebooks"
NEXT = """\
 make lab      the same in JupyterLab; after a pip install: picora-analytics lab
 The whole preview of that plan, and a file to review:
   {command} plan --demo --older-than 730 --untagged --reason "forgotten" -o plan.json
 Your own library (a key that only reads is enough until the day you delete):
   export PICORA_API_KEY=sk_live_...   &&   {command} check"""


@click.command()
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[FOLDER] [-- OPTIONS]")
def lab(words: Sequence[str]) -> None:
    """
    Open the notebooks in JupyterLab, as copies in FOLDER.

    The folder is picora-notebooks unless given. A notebook that is already there is left as it is. Options for
    JupyterLab go after `--`.
    """
    # A folder's name does not begin with a dash here: click does not say on which side of `--` a word stood.
    folder, options = FOLDER, list(words)
    if options and not options[0].startswith("-"):
        folder = options.pop(0)
    from importlib.util import find_spec

    if find_spec("jupyterlab") is None:
        raise click.ClickException("JupyterLab is not installed; type: pip install jupyterlab")
    target = Path(folder).expanduser()
    target.mkdir(parents=True, exist_ok=True)
    for source in _notebooks():
        if not (target / source.name).exists():
            shutil.copyfile(source, target / source.name)
    say(f"Notebooks in {target.resolve()}; end JupyterLab with Ctrl-C.")
    command = [sys.executable, "-m", "jupyterlab", *options]
    sys.exit(subprocess.run(command, cwd=target, check=False).returncode)  # noqa: S603


def _notebooks() -> list[Path]:
    """Find the notebooks: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).parents[1]
    found: list[Path] = []
    for folder in (here / "notebooks", here.parent / "notebooks"):
        found = found or sorted(folder.glob("0*.ipynb"))
    return found


@click.command(short_help="Show it all on an invented library; no account needed.")
@click.option(
    "-o",
    "--output",
    type=FilePath(file_okay=False),
    default=".",
    help="Folder for picora-overview.png and picora-report.html.",
)
@click.option(
    "--site",
    type=FilePath(file_okay=False),
    metavar="DIR",
    help="Only write the blog of the invented library, to look for references in.",
)
def demo(output: str, site: str | None) -> None:
    """Show it all on an invented library on this machine: no account, nothing leaves it, nothing is deleted."""
    from picora_analytics import Client, DemoServer

    if site is not None:
        _write_site(DemoServer(), site)
        return
    started = time.monotonic()
    with DemoServer() as server, Client(server.api_key, server.url) as client:
        head(
            "Picora Analytics demo",
            "1,200 invented pictures on 127.0.0.1; no account, nothing leaves this machine\n",
        )
        images, storage = _tour(client)
        sent = [record.method for record in server.requests]
    deleting = sent.count("DELETE")
    say(f" Sent        {len(sent) - deleting} reading requests, {deleting} deleting requests\n")
    picture = Path(output) / "picora-overview.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    _draw(images, picture)
    page = picture.with_name("picora-report.html")
    storage.write_html(page)
    head("PICTURE", f"{picture}   ({picture.stat().st_size // 1024} KiB, six charts)")
    size_kib = page.stat().st_size // 1024
    head("REPORT", f"{page}   (open it in a browser; {size_kib} KiB, no network needed)\n")
    head("NEXT")
    say(NEXT.format(command=_as_typed()))
    say(f" Done in {time.monotonic() - started:.1f} s.")


def _write_site(server: DemoServer, folder: str) -> None:
    """Write the blog, and say what it holds and what it is for."""
    from picora_analytics.text import plural

    try:
        site = server.write_site(folder)
    except FileExistsError as error:
        raise click.ClickException(str(error)) from error
    history = f"git branches {' and '.join(site.branches)}" if site.branches else site.note
    pictures = plural(site.n_images, "picture")
    head("SITE", f"{folder}   {site.n_pages} pages with {pictures} of the demo; {history}")
    git = f" --git {shlex.quote(folder)}" if site.branches else ""
    command = f"{_as_typed()} scan {shlex.quote(folder)}{git} --demo --json refs.json"
    head("NEXT", f"{command}   (where each picture is used)")


def _tour(client: Client) -> tuple[pd.DataFrame, StorageReport]:
    """Print what the library holds, what stands out, and what a plan would do."""
    from picora_analytics import StorageReport, load_images, plan_deletion, rules
    from picora_analytics.library.frame import total_bytes
    from picora_analytics.times import day
    from picora_analytics.units import format_bytes

    images = load_images(client)
    usage = client.usage()
    first, last = images["created_at"].min(), images["created_at"].max()
    size = total_bytes(images["size_bytes"])
    say("")
    head(
        "LIBRARY",
        f"{len(images):,} images   {format_bytes(size)}   {day(first)} to {day(last)}",
    )
    if usage and usage.quota_bytes:
        head("QUOTA", meter(size, usage.quota_bytes))
    say("")
    storage = StorageReport(images, quota=usage.quota_bytes if usage else None)
    show_findings(storage.findings())
    say("")
    show_tables(images)
    mask = rules.older_than(images, days=730) & rules.untagged(images)
    made = plan_deletion(images, mask, reason="over two years old and never tagged")
    say("")
    show_dry_run(made, made.dry_run(client))
    return images, storage


def _as_typed() -> str:
    """Give this command as a person can type it here: from a checkout's environment it is not on the PATH."""
    if shutil.which("picora-analytics"):
        return "picora-analytics"
    command, here = Path(sys.executable).with_name("picora-analytics"), Path.cwd()
    if not command.exists():
        return "python -m picora_analytics"
    path = str(command.relative_to(here) if command.is_relative_to(here) else command)
    return subprocess.list2cmdline([path]) if os.name == "nt" else shlex.quote(path)


def _draw(images: pd.DataFrame, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")  # A command draws into a file; no window, whatever the machine has.
    from picora_analytics import plot_overview

    plot_overview(images).savefig(path, dpi=110)
