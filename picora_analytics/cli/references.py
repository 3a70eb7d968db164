"""The command scan."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from picora_analytics.cli.common import (
    PARTIAL,
    THRESHOLD,
    load_library,
    of_demo,
    parsed,
    quiet_option,
    refuse_unheard,
    say,
)
from picora_analytics.cli.completing import files
from picora_analytics.cli.documents import print_json
from picora_analytics.cli.values import FilePath, OutputPath
from picora_analytics.errors import PicoraError
from picora_analytics.files import expanded
from picora_analytics.text import plural, shorten, visible

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.references.checking import Check

__all__ = ["scan"]


@click.command(short_help="Look where images are used, for people and CI.")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...", shell_complete=files)
@click.option(
    "--git", type=FilePath(file_okay=False, exists=True), help="A repository, with its history."
)
@click.option(
    "--addresses", type=FilePath(dir_okay=False, exists=True), help="A list of addresses or ids."
)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Need not be looked at; repeatable.")
@click.option(
    "--ids",
    type=FilePath(dir_okay=False, exists=True),
    help="Needs no key: the images, as `load -o ids.csv --public-only` wrote them.",
)
@click.option(
    "--json",
    "json_path",
    type=OutputPath(dash=True),
    is_flag=False,
    flag_value="-",
    help="Save what was found, for plan --references; without a name (or -) it is all that is printed.",
)
@click.option(
    "--markdown",
    "markdown_path",
    type=OutputPath(dash=True),
    help="Write the result as Markdown; - prints it.",
)
@click.option(
    "--annotations", is_flag=True, help="Also print the new findings as GitHub's annotations."
)
@click.option(
    "--baseline", type=OutputPath(), help="What is known; made where it does not exist yet."
)
@click.option(
    "--update-baseline", is_flag=True, help="Write the baseline anew; then nothing is new."
)
@click.option(
    "--max-dangling",
    type=click.IntRange(0),
    help="Exit with 3 above so many new places with an address that leads to no image.",
)
@click.option(
    "--fail-on-new-orphans", is_flag=True, help="Exit with 3 if a public image is newly not found."
)
@click.option(
    "--store", type=FilePath(file_okay=False), help="Remember the library in this folder."
)
@quiet_option
@of_demo
def scan(
    sources: Sequence[str],
    git: str | None,
    addresses: str | None,
    exclude: Sequence[str],
    ids: str | None,
    json_path: str | None,
    markdown_path: str | None,
    annotations: bool,
    baseline: str | None,
    update_baseline: bool,
    max_dangling: int | None,
    fail_on_new_orphans: bool,
    store: str | None,
    quiet: bool,
    demo: bool,
) -> None:
    """
    Look where images are used: in files, folders, and the pages of a sitemap or address.

    Shows the images that were not found in them, and the addresses in them that lead to no image. Exits with 3
    above a threshold, and with 4 where something could not be looked at.
    """
    if not sources and git is None and addresses is None:
        raise click.UsageError("Say where to look: a folder, an address, --git or --addresses.")
    if git is not None:
        _refuse_no_repository(Path(git))
    if update_baseline and baseline is None:
        raise click.UsageError("--update-baseline needs --baseline FILE.")
    for source in sources:
        if not source.lower().startswith(("http://", "https://")) and not expanded(source).exists():
            raise click.UsageError(f"There is no file or folder {source!r}.")
    if ids is not None and demo:
        raise click.UsageError("--ids and --demo are two libraries; give one of them.")
    if ids is not None:
        refuse_unheard(["store"], "remembers a library that is read; with --ids none is.")
    if json_path == "-" and (annotations or markdown_path == "-"):
        raise click.UsageError("--json prints nothing else; give it a file, or leave the others.")
    from picora_analytics.references import checking
    from picora_analytics.references.pages import read_address
    from picora_analytics.references.search import find_references

    for source in sources:
        if source.lower().startswith(("http://", "https://")):
            parsed(read_address, source)
    path = None if baseline is None else Path(baseline)
    known = checking.read_baseline(path) if path is not None and path.exists() else []
    images = _read_ids(Path(ids)) if ids is not None else _load(demo=demo, store=store, quiet=quiet)
    # The files of the check itself name images that no page uses.
    own = [file for file in (ids, json_path, markdown_path, baseline) if file and file != "-"]
    folders = [*map(Path, sources), *([_top(Path(git))] if git else [])]
    exclude = [*exclude, *_patterns(own, folders)]
    references = find_references(
        images,
        *sources,
        git=git,
        addresses=addresses,
        exclude=exclude,
        progress=False if quiet else None,
    )
    check = checking.check_references(references, images, known)
    if json_path and json_path != "-":
        references.write(json_path)
    if markdown_path and markdown_path != "-":
        from picora_analytics.files import write_atomic

        write_atomic(
            Path(markdown_path),
            lambda file: file.write_text(checking.as_markdown(check), encoding="utf-8"),
        )
    fresh = path is not None and (update_baseline or not path.exists())
    if fresh and path is not None:
        checking.write_baseline(check, path, known)
    dangling, orphans = len(check.of(checking.DANGLING)), len(check.of(checking.ORPHAN))
    crossed = []
    if max_dangling is not None and dangling > max_dangling:
        places = plural(dangling, "new place")
        crossed.append(
            f"{places} with an address that leads to no image, --max-dangling {max_dangling}"
        )
    if fail_on_new_orphans and orphans:
        crossed.append(f"{plural(orphans, 'new image')} not found, --fail-on-new-orphans")
    code = THRESHOLD if not fresh and crossed else 0
    code = code or (0 if references.complete else PARTIAL)
    if json_path == "-":
        print_json(references.to_document())
    else:
        _show(check, markdown_path, annotations=annotations and not fresh, quiet=quiet and not code)
        if not quiet:
            _show_written(check, baseline if fresh else None, json_path, demo=demo)
    if fresh and not update_baseline and (max_dangling is not None or fail_on_new_orphans):
        say(
            f"There was no baseline {baseline!r}: a new one holds {plural(len(check.findings), 'finding')}, so "
            "none counts as new and no threshold was crossed.",
            err=True,
        )
    if code == THRESHOLD:
        say(f"Exit 3: {'; '.join(crossed)}.", err=True)
    if code == PARTIAL:
        say(
            "Not everything could be looked at, so nothing counts as not found. --exclude what need not be.",
            err=True,
        )
    if code:
        sys.exit(code)


def _show(check: Check, markdown_path: str | None, *, annotations: bool, quiet: bool) -> None:
    """Print what was found: as a text, or as what was asked for."""
    from picora_analytics.references import checking

    if markdown_path == "-":
        say(checking.as_markdown(check))
    elif not quiet:
        say(checking.as_text(check))
    if annotations and check.new:
        say(checking.as_annotations(check))


def _show_written(check: Check, baseline: str | None, json_path: str | None, *, demo: bool) -> None:
    if baseline:
        say(
            f"\nWritten    {baseline}, with {plural(len(check.findings), 'finding')}; commit it, and only what is new "
            "counts from now on."
        )
    if json_path:
        say(
            f"\nWritten    {json_path}\n"
            f'Next       picora-analytics plan --free "30 MiB" --references {shlex.quote(json_path)} -o plan.json'
            + " --demo"
            * demo
        )


def _load(*, demo: bool, store: str | None, quiet: bool) -> pd.DataFrame:
    from picora_analytics.cli.common import with_client

    found: list[pd.DataFrame] = []
    with_client(lambda client: found.append(load_library(client, store=store, quiet=quiet)))(
        demo=demo
    )
    return found[0]


def _top(folder: Path) -> Path:
    """Give the top of a working tree."""
    folder = expanded(folder).resolve()
    return next((path for path in (folder, *folder.parents) if (path / ".git").exists()), folder)


def _patterns(files: Sequence[str], folders: Sequence[Path]) -> list[str]:
    """Write patterns that leave out files, in whichever folder they lie."""
    found = []
    for folder in (expanded(folder).resolve() for folder in folders):
        for file in files:
            path = expanded(file).resolve()
            if path.is_relative_to(folder) and path != folder:
                inside = path.relative_to(folder).as_posix()
                found.append("/" + re.sub(r"([\\*?\[\]!#\s])", r"\\\1", inside))
    return found


def _read_ids(path: Path) -> pd.DataFrame:
    """Read a table with a column id, and perhaps url and is_public, or a bare list of ids."""
    import pandas as pd

    from picora_analytics.files import read_text, reason_of, table_rows
    from picora_analytics.library.frame import STR

    try:
        if path.suffix.lower() == ".parquet":
            images = pd.read_parquet(path)
            images = images if images.index.name == "id" else images.set_index("id")
        else:
            head, *rows = table_rows(read_text(path)) or [[]]
            if "id" not in head:
                head, rows = ["id"], [[row[0]] for row in (head, *rows) if row]
            table = pd.DataFrame([row for row in rows if any(row)], columns=head)
            images = table.assign(id=table["id"].str.removeprefix("'")).set_index("id")
    except (OSError, ValueError, KeyError) as error:
        raise click.UsageError(f"--ids {str(path)!r} cannot be read: {reason_of(error)}.") from None
    if not images.index.astype(str).str.fullmatch(r"[A-Za-z0-9_-]{11}").any():
        first = f": the first is {shorten(images.index[0], 40)!r}" if len(images) else ""
        raise click.UsageError(
            f"--ids {str(path)!r} holds no id{first}. An id is 11 letters, digits, - or _; give what `picora-analytics "
            "load -o ids.csv --public-only` wrote, or a list of ids, one a line."
        )
    public = images.get("is_public")
    is_public = True if public is None else public.astype(str).str.lower().eq("true")
    kept = [name for name in ("url", "filename") if name in images]
    table = images[kept].astype(dict.fromkeys(kept, STR)).assign(is_public=is_public)
    # Of an id that stands there twice, a private row counts.
    table = table.sort_values("is_public", kind="stable")
    return table[~table.index.duplicated()]


def _refuse_no_repository(folder: Path) -> None:
    from picora_analytics.references.history import Repository

    try:
        Repository(folder)
    except PicoraError as error:
        raise click.UsageError(f"--git {str(folder)!r}: {visible(str(error))}") from None
