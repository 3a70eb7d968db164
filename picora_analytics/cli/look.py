"""Commands that look: check, load."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from picora_analytics.cli.common import (
    end,
    load_library,
    parsed,
    quiet_option,
    refuse_suffix,
    refuse_unheard,
    say,
    with_client,
    write_rows,
)
from picora_analytics.cli.completing import tags
from picora_analytics.cli.documents import json_option, print_facts, rows_of
from picora_analytics.cli.tables import show_tables
from picora_analytics.cli.values import FilePath, OutputPath
from picora_analytics.cli.words import in_shell_words
from picora_analytics.text import plural

if TYPE_CHECKING:
    import pandas as pd

    from picora_analytics.client import Client

__all__ = ["check", "load"]


@click.command()
@json_option
@with_client
def check(client: Client, as_json: bool) -> None:
    """Test the key and the address, and say what this server answers."""
    credentials, usage = client.verify(), client.usage()
    first = next(client.iter_pages(page_size=1))
    single = _single(client, first.images[0].id if first.images else None)
    facts = {
        "base_url": client.base_url,
        "demo": client.demo,
        "account": client.account(),
        "plan": credentials.plan if credentials else None,
        "n_images": usage.n_images if usage else first.total,
        "size_bytes": usage.size_bytes if usage else None,
        "quota_bytes": usage.quota_bytes if usage else None,
        "tells_account": credentials is not None,
        "tells_usage": usage is not None,
        "single_image": single,
    }
    if as_json:
        print_facts("check", facts)
    else:
        _show_check(facts)


def _single(client: Client, image_id: str | None) -> str:
    """Try the call for one image."""
    from picora_analytics import APIError, NotFoundError, StatusError

    if image_id is None:
        return "not tried, the library is empty"
    try:
        client.get_image(image_id)
    except NotFoundError:
        return "not known here"
    except StatusError as error:
        return f"refused ({error.status_code})"
    except APIError:
        return "not readable here"
    return "yes"


def _show_check(facts: dict[str, Any]) -> None:
    from picora_analytics.text import visible
    from picora_analytics.units import format_bytes

    plan = f", plan {visible(facts['plan'])}" if facts["plan"] else ""
    counted, stored = facts["n_images"], facts["size_bytes"]
    for label, text in (
        ("Address", facts["base_url"] + (" (the DEMO)" if facts["demo"] else "")),
        ("Key", f"accepted, account {facts['account'][:8]}{plan}"),
        (
            "Library",
            ("not counted by the service" if counted is None else plural(counted, "image"))
            + ("" if stored is None else f", {format_bytes(stored)}")
            + " by the service's own count",
        ),
        ("Whose key", "told" if facts["tells_account"] else "not told here"),
        ("Usage", "told" if facts["tells_usage"] else "not told to this key"),
        (
            "One image",
            {"yes": "can be asked for"}.get(facts["single_image"], facts["single_image"]),
        ),
        ("Deleting", "not tried: a missing delete scope shows only at the first deletion"),
    ):
        say(f"{label:<10} {text}")


@click.command()
@click.option(
    "--tag", shell_complete=tags, help="Only images having exactly this tag; not remembered."
)
@click.option(
    "--refresh", type=click.Choice(["auto", "full", "never"]), default="auto", show_default=True
)
@click.option("--store", type=FilePath(file_okay=False), help="Remember in this folder.")
@click.option(
    "-o",
    "--output",
    type=OutputPath(),
    help="Write the rows: .csv (safe for spreadsheets) or .parquet.",
)
@click.option(
    "--public-only",
    is_flag=True,
    help="Write no private image, and of the others only id, url and is_public: for a repository or CI.",
)
@json_option
@quiet_option
@with_client
def load(
    client: Client,
    as_json: bool,
    quiet: bool,
    tag: str | None,
    refresh: Any,
    store: str | None,
    output: str | None,
    public_only: bool,
) -> None:
    """Load the whole library, remember it, and show what is in it."""
    if public_only and not output:
        raise click.UsageError("--public-only is about the rows that --output writes; give both.")
    refuse_suffix(output, ".csv", ".parquet")
    if tag is not None and refresh == "never":
        raise click.UsageError("--tag is not remembered, so --refresh never has nothing to give.")
    if tag is not None:
        refuse_unheard(["store"], "is for the whole library; what --tag loads is not remembered.")
    parsed(lambda wanted: client.iter_pages(tag=wanted), tag)
    images = load_library(client, tag=tag, refresh=refresh, store=store, quiet=quiet)
    if tag is not None and images.empty:
        say(_no_such_tag(client, tag, store), err=True)
    left_out = ""
    if output:
        rows = images
        if public_only:
            known = images["is_public"].fillna(False).astype(bool)
            rows = images.loc[known, ["url", "is_public"]]
        write_rows(rows, Path(output))
        if public_only:
            left_out = f", without {len(images) - len(rows):,} that are not public"
    if as_json:
        print_facts("load", _loaded(images, output))
    elif not quiet:
        show_tables(images)
        if output:
            say(f"\nWritten    {output}{left_out}")
    end()


def _loaded(images: pd.DataFrame, output: str | None) -> dict[str, Any]:
    """Say what is in the library, as the tables do, but all of it."""
    from picora_analytics import summarize_ages, summarize_formats, summarize_tags

    return {
        "library": dict(images.attrs["picora"]),
        "by_tag": rows_of(summarize_tags(images)[["tag", "n_images", "size_bytes"]]),
        "n_untagged": int((images["tags"].map(lambda row: row == ())).sum()),
        "by_format": rows_of(summarize_formats(images)[["mime_type", "n_images", "size_bytes"]]),
        "by_age": rows_of(summarize_ages(images)[["age", "n_images", "size_bytes"]]),
        "written": output,
    }


def _no_such_tag(client: Client, tag: str, store: str | None) -> str:
    """Say that no image has a tag, and which is nearest of those remembered, else of the newest images."""
    from picora_analytics import PicoraError, SnapshotStore, rules
    from picora_analytics.analysis.matching import nearest
    from picora_analytics.text import shorten

    try:
        rules.tagged(SnapshotStore.of(client, store or "default").load(), tag)
    except (PicoraError, OSError):
        pass
    except ValueError as error:
        return in_shell_words(error)
    said = f"No image has exactly the tag {tag!r}."
    with contextlib.suppress(PicoraError):
        newest = next(client.iter_pages()).images
        there = sorted({one for image in newest for one in image.tags or ()})
        near = ", ".join(repr(shorten(one, 60)) for one in nearest(tag, there, 3))
        said += f" Nearest among the newest {plural(len(newest), 'image')}: {near}." if near else ""
    return f"{said} `picora-analytics load` shows the tags there are."
