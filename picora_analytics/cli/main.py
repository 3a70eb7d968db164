"""The command: parse, call the public API, print. The only file that prints or exits."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics import __version__
from picora_analytics.errors import IncompleteLoadError, PicoraError

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.cleanup import DeletionPlan, DeletionReceipt
    from picora_analytics.client import Client
    from picora_analytics.library import SnapshotStore
    from picora_analytics.report import StorageReport

# Everything else is imported inside the commands: `--help` must answer at once, not after pandas.

__all__ = ["main"]

ERROR, USAGE, THRESHOLD, PARTIAL = 1, 2, 3, 4
_WIDE = 110  # Columns from which three tables stand side by side.


def main() -> None:
    """Run the command, and turn our errors into exit codes."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # An old code page shows a ? rather than a traceback.
            stream.reconfigure(errors="replace")
    try:
        cli(prog_name="picora-analytics", color=False if os.environ.get("NO_COLOR") else None)
    except IncompleteLoadError as error:
        _fail(error, PARTIAL)
    except (PicoraError, ValueError, OSError) as error:
        _fail(error, ERROR)


def _fail(error: BaseException, code: int) -> None:
    click.echo(f"picora-analytics: {error}", err=True)
    sys.exit(code)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="picora-analytics")
def cli() -> None:
    """
    Look at, understand and safely clean up a Picora image library.

    The key is read from PICORA_API_KEY, the address from PICORA_BASE_URL. Without an account, start with
    `picora-analytics demo`.

    Exit codes: 0 done, 1 error, 2 wrong usage or no key, 3 a threshold was crossed, 4 the library was
    read, or a plan carried out, only in part.
    """


class _Output(click.Path):
    """A file to be written; that its folder is missing is said before anything is loaded for it."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        folder = Path(value).parent
        if value != "-" and not folder.is_dir():
            self.fail(f"There is no folder {str(folder)!r} to write {value!r} into.", param, ctx)
        return super().convert(value, param, ctx)


def _with_client(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its client: the person's own, or with --demo an invented library."""

    @click.option("--demo", is_flag=True, help="Use an invented library on this machine.")
    @functools.wraps(command)
    def wrapper(*args: Any, demo: bool, **kwargs: Any) -> Any:
        from picora_analytics import AuthenticationError, Client, DemoServer

        if demo:
            with DemoServer() as server, Client(server.api_key, server.url) as client:
                return command(client, *args, **kwargs)
        try:
            client = Client()
        except (AuthenticationError, ValueError) as error:
            raise click.UsageError(f"{error} Or try --demo.") from error
        with client:
            return command(client, *args, **kwargs)

    return wrapper


@cli.command()
@_with_client
def check(client: Client) -> None:
    """Test the key and the address, and say what this server answers."""
    from picora_analytics import APIError, NotFoundError, StatusError
    from picora_analytics.text import visible
    from picora_analytics.units import format_bytes

    credentials, usage = client.verify(), client.usage()
    first = next(client.iter_pages(page_size=1))
    single = "not tried, the library is empty"
    if first.images:
        try:
            client.get_image(first.images[0].id)
            single = "yes"
        except NotFoundError:
            single = "not known here"
        except StatusError as error:
            single = f"refused ({error.status_code})"
        except APIError:
            single = "not readable here"
    plan = f", plan {visible(credentials.plan)}" if credentials and credentials.plan else ""
    counted = usage.n_images if usage else first.total
    stored = usage.size_bytes if usage else None
    for label, text in (
        ("Address", client.base_url + (" (the DEMO)" if client.demo else "")),
        ("Key", f"accepted, account {client.account()[:8]}{plan}"),
        (
            "Library",
            ("not counted by the service" if counted is None else f"{counted:,} images")
            + ("" if stored is None else f", {format_bytes(stored)}")
            + " by the service's own count",
        ),
        ("Whose key", "yes" if credentials else "not told here"),
        ("Usage", "yes" if usage else "not told to this key"),
        ("One image", single),
        ("Deleting", "not tried: a missing delete scope shows only at the first deletion"),
    ):
        click.echo(f"{label:<10} {text}")


@cli.command()
@click.option("--tag", help="Only images having exactly this tag; not remembered.")
@click.option(
    "--refresh", type=click.Choice(["auto", "full", "never"]), default="auto", show_default=True
)
@click.option("--store", type=click.Path(file_okay=False), help="Remember in this folder.")
@click.option(
    "-o",
    "--output",
    type=_Output(),
    help="Write the rows: .csv (safe for spreadsheets) or .parquet.",
)
@_with_client
def load(
    client: Client, tag: str | None, refresh: Any, store: str | None, output: str | None
) -> None:
    """Load the whole library, remember it, and show what is in it."""
    if output and Path(output).suffix.lower() not in (".csv", ".parquet"):
        raise click.UsageError(f"--output {output!r} ends neither in .csv nor in .parquet.")
    images = _load(client, tag=tag, refresh=refresh, store=store)
    if tag is not None and images.empty:
        click.echo(f"No image has exactly the tag {tag!r}.", err=True)
    _show_tables(images)
    if output:
        _write_rows(images, Path(output))
        click.echo(f"\nWritten    {output}")


def _load(client: Client, **options: Any) -> pd.DataFrame:
    from picora_analytics import load_images

    options["store"] = options.get("store") or "default"
    return load_images(client, **options)


def _write_rows(images: pd.DataFrame, path: Path) -> None:
    from picora_analytics.files import write_atomic, write_csv

    if path.suffix.lower() == ".parquet":
        write_atomic(path, images.to_parquet)
    else:
        write_csv(images.reset_index(), path)


@cli.command()
@click.option(
    "--older-than", type=float, metavar="DAYS", help="Uploaded more than so many days ago."
)
@click.option("--uploaded-before", metavar="DATE", help="Uploaded before a day, YYYY-MM-DD (UTC).")
@click.option("--larger-than", metavar="SIZE", help="For example '5 MiB'.")
@click.option("--untagged", is_flag=True, help="Known to have no tags.")
@click.option(
    "--tagged", multiple=True, metavar="TAG", help="Having one of these tags; repeatable."
)
@click.option("--private", is_flag=True, help="Not public.")
@click.option("--oversized", is_flag=True, help="Over 2560 px on the longer edge.")
@click.option("--reason", required=True, help="Why these images may go.")
@click.option(
    "--protect", multiple=True, metavar="TAG", help="Keep images having this tag; repeatable."
)
@click.option("--decisions", type=click.Path(dir_okay=False), help="CSV of earlier decisions.")
@click.option("--max-images", type=int, help="At most so many images.")
@click.option("--max-bytes", metavar="SIZE", help="At most so many bytes.")
@click.option(
    "--max-fraction", type=float, default=0.25, show_default=True, help="Of images and of bytes."
)
@click.option("-o", "--output", type=_Output(), help="Save the plan for review, as JSON.")
@click.option("--csv", "csv_path", type=_Output(), help="Also write the rows as CSV.")
@click.option(
    "--store", type=click.Path(file_okay=False), help="Remember the library in this folder."
)
@_with_client
def plan(
    client: Client, output: str | None, csv_path: str | None, store: str | None, **options: Any
) -> None:
    """
    Plan a cleanup and rehearse it; nothing is deleted.

    An image must meet every rule given. At least one is needed.
    """
    masks = _masks(options)
    if not masks:
        raise click.UsageError(
            "Give at least one rule, such as --older-than 730; a plan never means all images."
        )
    from picora_analytics import plan_deletion

    if store is None and not client.demo:
        from picora_analytics.files import data_folder

        _warn_of_loss({"the snapshots": data_folder()})
    images = _load(client, store=store)
    mask = functools.reduce(lambda one, other: one & other, (make(images) for make in masks))
    kept = ("reason", "decisions", "max_images", "max_bytes", "max_fraction")
    made = plan_deletion(
        images,
        mask,
        protect=list(options["protect"]) or None,
        **{name: options[name] for name in kept},
    )
    click.echo(repr(made))
    if len(made.images):
        click.echo(f"\n{made.dry_run(client)!r}")
    for path, write in ((output, made.save), (csv_path, made.to_csv)):
        if path:
            click.echo(f"\nWritten    {write(path)}")
    if made.refusals:
        sys.exit(THRESHOLD)


def _masks(options: dict[str, Any]) -> list[Callable[[pd.DataFrame], pd.Series[Any]]]:
    def rule(name: str, *args: Any) -> Callable[[pd.DataFrame], pd.Series[Any]]:
        def apply(images: pd.DataFrame) -> pd.Series[Any]:
            from picora_analytics import rules

            mask: pd.Series[Any] = getattr(rules, name)(images, *args)
            return mask

        return apply

    valued = [
        rule(name, options[name])
        for name in ("older_than", "uploaded_before", "larger_than")
        if options[name] is not None
    ]
    flags = [rule(name) for name in ("untagged", "private", "oversized") if options[name]]
    return valued + flags + ([rule("tagged", *options["tagged"])] if options["tagged"] else [])


@cli.command(short_help="Copy the files of a saved plan and prove each copy.")
@click.argument("plan_file", type=click.Path(dir_okay=False), metavar="PLAN.JSON")
@click.argument("folder", type=click.Path(file_okay=False))
@_with_client
def backup(client: Client, plan_file: str, folder: str) -> None:
    """
    Copy the original files of a saved plan into FOLDER and prove each copy; nothing is deleted.

    Copies already there are checked again and reused. The downloads count towards the month's image bandwidth.
    """
    from picora_analytics import read_plan

    made = read_plan(plan_file).back_up(client, folder)
    click.echo(repr(made))
    if made.failed:
        sys.exit(PARTIAL)


@cli.command(short_help="Upload copies again, under new addresses.")
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--id", "ids", multiple=True, metavar="ID", help="Only this image; repeatable.")
@click.option(
    "-o",
    "--output",
    type=_Output(),
    help="Write old and new ids and addresses and every outcome, as CSV.",
)
@_with_client
def restore(client: Client, folder: str, ids: Sequence[str], output: str | None) -> None:
    """
    Upload the copies in FOLDER again, under new addresses and with a new date.

    Images still in the library are not sent. A second call goes on where the first ended.
    FOLDER/restored.csv holds old and new addresses, for a search and replace.
    """
    from picora_analytics import restore_images
    from picora_analytics.files import write_csv
    from picora_analytics.text import visible

    rows = restore_images(client, folder, list(ids) or None)
    for row in rows[rows["reason"] != ""].itertuples(index=False):
        click.echo(visible(f"{row.old_id}  {row.outcome}: {row.reason}"))
    for outcome, n in rows["outcome"].value_counts().items():
        click.echo(f"{n:>8,}  {outcome}")
    if output:
        write_csv(rows, Path(output))
        click.echo(f"\nWritten    {output}")
    if not {"failed", "unknown"}.isdisjoint(rows["outcome"]):
        sys.exit(PARTIAL)


@cli.command()
@click.argument("plan_file", type=click.Path(dir_okay=False), metavar="PLAN.JSON", required=False)
@click.option(
    "--confirm", metavar="PHRASE", help="The phrase of the preview, typed. Without it: a dry run."
)
@click.option(
    "--confirm-file",
    type=click.Path(dir_okay=False),
    help="A text file with the phrase that was approved.",
)
@click.option(
    "--backup", type=click.Path(file_okay=False), metavar="DIR", help="Keep copies here first."
)
@click.option("--no-backup", is_flag=True, help="Say that these images may be lost for ever.")
@click.option("--resume", is_flag=True, help="Go on with an apply that was interrupted.")
@click.option(
    "--min-age",
    default="1h",
    show_default=True,
    help="In CI, how old a plan must be before its phrase is accepted.",
)
@click.option(
    "--standing-order",
    type=click.Path(dir_okay=False),
    metavar="POLICY.TOML",
    help="Instead of a plan and its phrase: a policy, for jobs that nobody watches.",
)
@click.option(
    "--store", type=click.Path(file_okay=False), help="With --standing-order: the snapshots."
)
@click.option("-o", "--output", type=_Output(), help="Write the receipt: .json or .csv.")
@_with_client
def apply(
    client: Client,
    plan_file: str | None,
    standing_order: str | None,
    store: str | None,
    output: str | None,
    **said: Any,
) -> None:
    """
    Carry out a saved plan: delete exactly its images, for ever.

    Without --confirm it is a dry run that only reads. The journal is kept beside the plan. Nothing is ever asked
    for: what is not said here does not happen.

    Exit codes: 0 each image was deleted, already gone or kept; 1 refused, or stopped by an error; 2 wrong usage;
    3 a dry run of a plan that would be refused; 4 some failed or are unknown, or the plan was not carried out
    to its end.
    """
    if (plan_file is None) == (standing_order is None):
        raise click.UsageError("Give either a plan, or --standing-order with a policy.")
    try:
        if standing_order is not None:
            receipt = _follow(client, standing_order, store)
        else:
            receipt = _apply(client, str(plan_file), **said)
    except PicoraError as error:
        if error.receipt is not None:
            _give_receipt(error.receipt, output)
        raise
    if receipt is None:
        return
    _give_receipt(receipt, output)
    if receipt.dry_run:
        sys.exit(0 if receipt.complete else THRESHOLD)
    if not receipt.complete or not {"failed", "unknown"}.isdisjoint(receipt.counts):
        sys.exit(PARTIAL)


def _apply(
    client: Client,
    plan_file: str,
    *,
    confirm: str | None,
    confirm_file: str | None,
    backup: str | None,
    no_backup: bool,
    resume: bool,
    min_age: str,
) -> DeletionReceipt:
    import datetime as dt

    from picora_analytics import read_plan, resume_deletion
    from picora_analytics.cleanup.policy.ci import read_phrase, refuse_same_job
    from picora_analytics.units import parse_duration

    made = read_plan(plan_file)
    if confirm is not None and confirm_file is not None:
        raise click.UsageError("Give --confirm or --confirm-file, not both.")
    if confirm_file is not None:
        confirm = read_phrase(Path(confirm_file))
    if backup is not None and no_backup:
        raise click.UsageError("Give --backup or --no-backup, not both.")
    places = {"the journal": Path(plan_file).with_suffix(".journal.ndjson")}
    if backup is not None:
        places["the copies"] = Path(backup)
    if resume:
        _warn_of_loss(places)
        kept: dict[str, Any] = {"backup": backup} if backup or no_backup else {}
        return resume_deletion(client, made, **kept)
    if confirm is None:
        return made.dry_run(client)
    if backup is None and not no_backup:
        raise click.UsageError(
            f"Say --backup DIR to keep copies first, or --no-backup if these {len(made.images):,} images may be "
            "lost for ever."
        )
    refuse_same_job(made, parse_duration(min_age, "--min-age"), os.environ, dt.datetime.now(dt.UTC))
    _warn_of_loss(places)
    return made.apply(client, confirm=confirm, backup=backup)


def _follow(client: Client, policy: str, store: str | None) -> DeletionReceipt | None:
    from picora_analytics.cleanup.policy.follow import follow_policy

    made, receipt = follow_policy(client, policy, store=store or "default")
    click.echo(repr(made))
    return receipt


def _warn_of_loss(places: dict[str, Path]) -> None:
    from picora_analytics.cleanup.policy.ci import vanishing

    if warning := vanishing(places, os.environ):
        click.echo(warning, err=True)


def _give_receipt(receipt: DeletionReceipt, output: str | None) -> None:
    click.echo(repr(receipt))
    if output:
        click.echo(f"\nWritten    {receipt.write(output)}")


@cli.command()
@click.option(
    "-o",
    "--output",
    "outputs",
    type=_Output(),
    multiple=True,
    default=["picora-report.html"],
    show_default=True,
    help="A .html, .md or .json file; repeatable; - is standard output, as Markdown.",
)
@click.option(
    "--quota",
    metavar="SIZE",
    help="The plan's storage, for example '5 GiB'; default: what the service says.",
)
@click.option(
    "--fail-over", metavar="PERCENT", help="Exit with 3 above this share of the quota, such as 90%."
)
@click.option(
    "--store", type=click.Path(file_okay=False), help="Remember the library in this folder."
)
@_with_client
def report(
    client: Client,
    outputs: Sequence[str],
    quota: str | None,
    fail_over: str | None,
    store: str | None,
) -> None:
    """Write the storage report, for people, CI and cron."""
    limit = _percent(fail_over)
    unknown = [
        path for path in outputs if path != "-" and Path(path).suffix.lower() not in _REPORTS
    ]
    if unknown:
        raise click.UsageError(f"--output {unknown[0]!r} ends in none of {', '.join(_REPORTS)}.")
    from picora_analytics import StorageReport
    from picora_analytics.units import parse_bytes

    usage = None if quota else client.usage()
    known = parse_bytes(quota, "quota") if quota else usage.quota_bytes if usage else None
    if limit is not None and known is None:
        raise click.UsageError("--fail-over needs --quota: this server does not tell it.")
    images = _load(client, store=store)
    made = StorageReport(images, quota=quota or known)
    for path in outputs:
        if path == "-":
            click.echo(made.to_markdown())
        else:
            _write_report(made, Path(path))
            click.echo(f"Written    {path}", err=True)
    if limit is not None and known and int(images["size_bytes"].sum()) > limit * known:
        sys.exit(THRESHOLD)


_REPORTS = (".html", ".md", ".json")


def _write_report(made: StorageReport, path: Path) -> None:
    if path.suffix.lower() == ".html":
        made.write_html(path)
        return
    from picora_analytics.files import write_atomic

    text = made.to_markdown() if path.suffix.lower() == ".md" else made.to_json()
    write_atomic(path, lambda file: file.write_text(text, encoding="utf-8"))


def _percent(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        share = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        share = -1.0
    if not 0 < share <= 10:
        raise click.UsageError(f"--fail-over {text!r} is not a share such as 90%.")
    return share


_IN_STORE = click.option(
    "--store",
    type=click.Path(file_okay=False),
    help="The folder of snapshots; with it, no key is needed.",
)
_OF_DEMO = click.option("--demo", is_flag=True, help="Use an invented library on this machine.")


@cli.command(short_help="List what is remembered of the library.")
@_IN_STORE
@click.option("--prune", type=click.IntRange(1), metavar="N", help="Delete all but N of them.")
@_OF_DEMO
def snapshots(store: str | None, prune: int | None, demo: bool) -> None:
    """
    List what is remembered of the library: version, images, size, and when it was last seen so (UTC).

    A load that finds nothing changed makes no new version. Beyond the number kept, the older ones of a day
    go first, then the oldest.
    """
    from picora_analytics import SnapshotError, SnapshotStore
    from picora_analytics.units import format_bytes

    kept = SnapshotStore(store) if store else _default_store(demo=demo)
    versions = kept.versions()
    if prune is not None and versions:
        gone = kept.prune(prune, account=kept.about(versions[-1])["account"])
        click.echo(f"Deleted    {len(gone)} of {len(versions)} snapshots", err=True)
    for version in kept.versions():
        try:
            facts = kept.about(version)
        except SnapshotError:
            click.echo(f"{version}  damaged or no snapshot")
            continue
        seen = facts["read_at"][:16].replace("T", " ")
        click.echo(
            f"{version}  {facts['n_images']:>9,} images {format_bytes(facts['size_bytes']):>11}  {seen}"
        )
    if versions:
        click.echo(f"At most {kept.keep} are kept in {kept.folder}", err=True)
    else:
        click.echo(
            f"Nothing is remembered yet; `picora-analytics load` makes the first snapshot.{_forgets(kept)}",
            err=True,
        )


def _forgets(kept: SnapshotStore) -> str:
    from picora_analytics.files import session_folder

    demo = session_folder() in kept.folder.parents
    return " A demo is forgotten with the command; give each --store DIR." if demo else ""


@_with_client
def _default_store(client: Client) -> SnapshotStore:
    from picora_analytics.library.load.loading import snapshots_of

    return snapshots_of(client)


@cli.command()
@click.argument("old", default="previous")
@click.argument("new", default="latest")
@_IN_STORE
@_OF_DEMO
def diff(old: str, new: str, store: str | None, demo: bool) -> None:
    """
    Show what changed between two snapshots.

    OLD and NEW are versions as `snapshots` lists them, days (YYYY-MM-DD), `latest`, `previous` (the one
    before the latest), or files that end in .parquet.
    """
    from picora_analytics import SnapshotStore, compare_snapshots
    from picora_analytics.library.snapshots import load_file

    kept: SnapshotStore | None = None
    frames = []
    for name in (old, new):
        if name.lower().endswith(".parquet"):
            frames.append(load_file(name))
            continue
        kept = kept or (SnapshotStore(store) if store else _default_store(demo=demo))
        versions = kept.versions()
        if name == "previous" and len(versions) < 2:
            there = (
                "One snapshot is there, and a load that finds nothing changed makes no second."
                if versions
                else "Nothing is remembered yet."
            )
            raise click.ClickException(
                f"{there} Load again later, and compare then.{_forgets(kept)}"
            )
        frames.append(kept.load(versions[-2] if name == "previous" else name))
    click.echo(repr(compare_snapshots(*frames)))


@cli.command()
@click.argument("folder", type=click.Path(file_okay=False), default="picora-notebooks")
@click.argument("jupyter_options", nargs=-1, type=click.UNPROCESSED)
def lab(folder: str, jupyter_options: Sequence[str]) -> None:
    """
    Open the notebooks in JupyterLab, as copies in FOLDER.

    A notebook that is already there is left as it is. Options for JupyterLab go after `--`.
    """
    from importlib.util import find_spec

    if find_spec("jupyterlab") is None:
        raise click.ClickException("JupyterLab is not installed; type: pip install jupyterlab")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for source in _notebooks():
        if not (target / source.name).exists():
            shutil.copyfile(source, target / source.name)
    click.echo(f"Notebooks in {target.resolve()}; end JupyterLab with Ctrl-C.")
    command = [sys.executable, "-m", "jupyterlab", *jupyter_options]
    sys.exit(subprocess.run(command, cwd=target, check=False).returncode)  # noqa: S603


def _notebooks() -> list[Path]:
    """Find the notebooks: inside the installed package, or beside it in a checkout."""
    here = Path(__file__).parents[1]
    found: list[Path] = []
    for folder in (here / "notebooks", here.parent / "notebooks"):
        found = found or sorted(folder.glob("0*.ipynb"))
    return found


@cli.command(short_help="Show it all on an invented library; no account needed.")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    default=".",
    help="Folder for picora-overview.png and picora-report.html.",
)
def demo(output: str) -> None:
    """Show it all on an invented library on this machine: no account, nothing leaves it, nothing is deleted."""
    from picora_analytics import Client, DemoServer
    from picora_analytics.units import format_bytes

    started = time.monotonic()
    with DemoServer() as server, Client(server.api_key, server.url) as client:
        _head(
            "Picora Analytics demo",
            "1,200 invented pictures on 127.0.0.1; no account, nothing leaves this machine\n",
        )
        from picora_analytics import StorageReport, load_images, plan_deletion, rules

        images = load_images(client)
        usage = client.usage()
        first, last = images["created_at"].min(), images["created_at"].max()
        size = int(images["size_bytes"].sum())
        click.echo("")
        _head(
            "LIBRARY",
            f"{len(images):,} images   {format_bytes(size)}   {first.day} {first:%b %Y} to {last.day} {last:%b %Y}",
        )
        if usage and usage.quota_bytes:
            _head("QUOTA", _meter(size, usage.quota_bytes))
        click.echo("")
        storage = StorageReport(images, quota=usage.quota_bytes if usage else None)
        _show_findings(storage.findings())
        click.echo("")
        _show_tables(images)

        mask = rules.older_than(images, days=730) & rules.untagged(images)
        made = plan_deletion(images, mask, reason="over two years old and never tagged")
        click.echo("")
        _show_dry_run(made, made.dry_run(client))
        sent = [record.method for record in server.requests]
        deleting = sent.count("DELETE")
    click.echo(
        f" Sent        {len(sent) - deleting} reading requests, {deleting} deleting requests\n"
    )
    picture = Path(output) / "picora-overview.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    _draw(images, picture)
    page = picture.with_name("picora-report.html")
    storage.write_html(page)
    _head("PICTURE", f"{picture}   ({picture.stat().st_size // 1024} KiB, six charts)")
    size_kib = page.stat().st_size // 1024
    _head("REPORT", f"{page}   (open it in a browser; {size_kib} KiB, no network needed)\n")
    _head("NEXT")
    command = _as_typed()
    for line in (
        "make lab      the same in JupyterLab; after a pip install: picora-analytics lab",
        "The whole preview of that plan, and a file to review:",
        f'  {command} plan --demo --older-than 730 --untagged --reason "forgotten" -o plan.json',
        "Your own library (a key that only reads is enough until the day you delete):",
        f"  export PICORA_API_KEY=sk_live_...   &&   {command} check",
    ):
        click.echo(f" {line}")
    click.echo(f" Done in {time.monotonic() - started:.1f} s.")


def _as_typed() -> str:
    """Give this command as a person can type it here: from a checkout's environment it is not on the PATH."""
    if shutil.which("picora-analytics"):
        return "picora-analytics"
    command, here = Path(sys.executable).with_name("picora-analytics"), Path.cwd()
    if not command.exists():
        return "python -m picora_analytics"
    return str(command.relative_to(here) if command.is_relative_to(here) else command)


def _head(word: str, text: str = "") -> None:
    click.echo(f"{click.style(word, bold=True)}{' ' * max(11 - len(word), 3)}{text}".rstrip(" "))


def _meter(size: int, quota: int, columns: int = 30) -> str:
    from picora_analytics.units import format_bytes, format_share

    full = min(round(columns * size / quota), columns)
    block, blank = ("█", "░") if "utf" in (sys.stdout.encoding or "").lower() else ("#", ".")
    return f"{block * full}{blank * (columns - full)}  {format_share(size, quota)} of {format_bytes(quota)}"


def _show_findings(found: pd.DataFrame) -> None:
    from pandas import isna

    from picora_analytics.text import pad, shorten
    from picora_analytics.units import format_bytes

    _head("WHAT STANDS OUT")
    for number, row in found.iterrows():
        size = "unknown" if isna(row["size_bytes"]) else format_bytes(int(row["size_bytes"]))
        noun = "image" if row["n_images"] == 1 else "images"
        click.echo(
            f" {number}  {pad(shorten(row['text'], 48), 48)} {row['n_images']:>6,} {noun:<6} {size:>11}"
        )


def _show_dry_run(made: DeletionPlan, receipt: DeletionReceipt) -> None:
    from picora_analytics.cleanup.plan.preview import preview_facts
    from picora_analytics.units import format_bytes, format_share

    _head("DRY RUN", f'"{made.reason}"         nothing is deleted')
    facts = preview_facts(made)
    spared = ", ".join(f"{n} {text}" for n, text in facts["spared"])
    n = receipt.counts.get("would delete", 0)
    share = format_share(receipt.size_bytes, made.library["size_bytes"])
    click.echo(f" {n} images   {format_bytes(receipt.size_bytes)}   {share} of storage")
    if facts["n_spared"]:
        click.echo(
            f" Spared      {facts['n_spared']} of {facts['n_spared'] + facts['n']}: {spared}"
        )
    for row in facts["look_twice"][:3]:
        click.echo(f" Look twice  {row['filename']} ({row['note']})")


def _show_tables(images: pd.DataFrame) -> None:
    """Show what is where, side by side where the terminal is wide enough."""
    from picora_analytics import summarize_ages, summarize_formats, summarize_tags

    tags = summarize_tags(images)
    untagged = images[images["tags"].map(lambda row: row == ())]
    by_tag = [*tags.head(3).itertuples(index=False, name=None)]
    if len(untagged):
        by_tag.append(("(no tag)", len(untagged), int(untagged["size_bytes"].sum())))
    tables = [
        _table("BY TAG", [row[:3] for row in by_tag]),
        _table("BY TYPE", _rows(summarize_formats(images), "mime_type")),
        _table("BY AGE", _rows(summarize_ages(images), "age")),
    ]
    columns = shutil.get_terminal_size((80, 24)).columns
    if columns >= _WIDE:
        height = max(map(len, tables))
        filled = [table + [" " * len(table[0])] * (height - len(table)) for table in tables]
        lines = ["   ".join(parts) for parts in zip(*filled, strict=True)]
    else:
        lines = [line for table in tables for line in (*table, "")][:-1]
    for line in lines:
        click.echo(f" {line}".rstrip())
    more = len(tags) - 3
    if more > 0:
        click.echo(f" Images with several tags count under each; {more} more tags.")


def _rows(summary: pd.DataFrame, key: str) -> list[tuple[Any, ...]]:
    rows = summary[summary["n_images"] > 0][[key, "n_images", "size_bytes"]]
    return [*rows.head(6).itertuples(index=False, name=None)]


def _table(head: str, rows: Sequence[tuple[Any, ...]]) -> list[str]:
    from pandas import isna

    from picora_analytics.text import pad, shorten
    from picora_analytics.units import format_bytes

    lines = [f"{head:<16}{'images':>7} {'storage':>10}"]
    for name, n, size in rows:
        label = pad(shorten(str(name).removeprefix("image/"), 15), 16)
        stored = "unknown" if isna(size) else format_bytes(int(size))
        lines.append(f"{label}{n:>7,} {stored:>10}")
    return lines


def _draw(images: pd.DataFrame, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")  # A command draws into a file; no window, whatever the machine has.
    from picora_analytics import plot_overview

    plot_overview(images).savefig(path, dpi=110)
