"""What a review says beside the pictures, as HTML: what is freed, from which years, and whether anyone has looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from picora_analytics.cleanup.plan.model import Plan
from picora_analytics.library.frame import Facts
from picora_analytics.references.found import COULD_NOT_LOOK, References
from picora_analytics.text import plural, shorten
from picora_analytics.units import format_bytes, format_share
from picora_analytics.widgets.panel.html import markup, sign

__all__ = ["bar", "frees", "losses", "reasons", "says", "stamp", "uploaded", "used_of", "verdict"]

MOST_YEARS = 6
_SOURCES = 2


def stamp(library: Facts) -> Markup:
    """Mark what is invented."""
    return Markup('<span class="pg-stamp">DEMO</span>') if library["demo"] else Markup("")


def used_of(library: Facts) -> tuple[int, int | None]:
    """Give the bytes in use and those that may be; the latter None where the service does not tell."""
    usage = library.get("usage")
    if usage is None:
        return library["size_bytes"], None
    used = usage["size_bytes"]
    return (library["size_bytes"] if used is None else used), usage["quota_bytes"]


def bar(label: str, total: float, *parts: tuple[str, float]) -> Markup:
    """Draw parts of a whole: `u` used, `s` what would go, `f` what was freed, `g` how far something is."""
    pieces = Markup("").join(
        markup(
            '<i class="pm-{kind}" style="width:{width}%"></i>',
            kind=kind,
            width=f"{min(100 * part / total, 100) if total else 0:.2f}",
        )
        for kind, part in parts
    )
    return markup(
        '<div class="pm-bar" role="img" aria-label="{label}">{pieces}</div>',
        label=label,
        pieces=pieces,
    )


def frees(size: int, unsized: int, library: Facts) -> Markup:
    """Say how much storage images hold, and what is left in use without them."""
    used, quota = used_of(library)
    after = max(used - size, 0)
    if quota:
        shares = format_share(used, quota), format_share(after, quota)
        change = markup(
            "{before} → <b>{after}</b> of {quota}",
            before=shares[0],
            after=shares[1],
            quota=format_bytes(quota),
        )
        label = f"Storage in use: {shares[0]}, then {shares[1]}"
    else:
        change = markup(
            "{before} → <b>{after}</b>", before=format_bytes(used), after=format_bytes(after)
        )
        label = f"Storage in use: {format_bytes(used)}, then {format_bytes(after)}"
    more = markup("<div>and {n} of unknown size</div>", n=plural(unsized, "image"))
    return markup(
        '<div class="pm-two"><div><div class="pg-mut">Frees</div><div class="pm-big">{size}</div></div>'
        '<div class="pg-mut pm-end">{change}</div></div>{bar}{more}',
        size=format_bytes(size),
        change=change,
        bar=bar(label, quota or used, ("u", after), ("s", used - after)),
        more=more if unsized else Markup(""),
    )


def uploaded(images: pd.DataFrame) -> Markup:
    """Show from which years images are, and who sees them."""
    public = int(images["is_public"].fillna(False).sum())
    seen = f"{public:,} public, {len(images) - public:,} private" if len(images) else ""
    years = images["created_at"].dt.year.dropna().astype(int).value_counts().sort_index()
    counted = [(str(year), int(n)) for year, n in years.items()]
    if len(counted) > MOST_YEARS:
        early, counted = counted[: 1 - MOST_YEARS], counted[1 - MOST_YEARS :]
        counted.insert(0, (f"to {early[-1][0]}", sum(n for _, n in early)))
    unknown = len(images) - sum(n for _, n in counted)
    counted += [("unknown", unknown)] if unknown else []
    most = max((n for _, n in counted), default=1)
    bars = Markup("").join(
        markup(
            '<div>{n}<i style="height:{height}px"></i>{year}</div>',
            n=f"{n:,}",
            height=max(round(20 * n / most), 2),
            year=year,
        )
        for year, n in counted
    )
    return markup(
        '<div class="pm-two"><span class="pg-mut">Uploaded</span><span class="pm-end">{seen}</span></div>'
        '<div class="pm-years" role="img" aria-label="Uploaded in {words}">{bars}</div>',
        seen=seen,
        words=", ".join(f"{year}: {n:,}" for year, n in counted),
        bars=bars,
    )


def verdict(images: pd.DataFrame, references: References | None) -> Markup:
    """Say whether these images are known to be used."""
    if references is None:
        return says(
            "help",
            "Nobody has looked in your pages",
            markup("An old picture is not an unused one."),
        )
    coverage = references.coverage
    n_files = int(coverage.loc[coverage["skipped"].isna(), "n_files"].sum())
    if not references.complete:
        which = "; ".join(references.problems())
        return says(
            "warn",
            "Could not look everywhere",
            markup(
                "Something of {files} could not be read, so “not found” proves nothing. "
                '<details><summary class="pm-link">Which?</summary>{which}</details>',
                files=plural(n_files, "file"),
                which=which,
            ),
        )
    unseen = int((references.status(images) == COULD_NOT_LOOK).sum())
    if unseen:
        text = f"{plural(unseen, 'image')} came after the look of {references.scanned_at:%d %b %Y}."
        return says("warn", "Not all were looked for", markup("{text}", text=text))
    read = coverage.loc[coverage["skipped"].isna() & coverage["problem"].isna(), "source"]
    names = [shorten(one, 40) for one in read.unique()]
    of = ", ".join(names[:_SOURCES]) + (
        f" and {len(names) - _SOURCES} more" if names[_SOURCES:] else ""
    )
    text = f"{plural(n_files, 'file')} of {of}, all read. Other sites were not looked at."
    return says("shield", "Not in your pages", markup("{text}", text=text), safe=True)


def says(name: str, what: str, more: Markup, *, safe: bool = False) -> Markup:
    """Put a sign before a short statement and what it rests on."""
    return markup(
        '<div class="pm-says {kind}">{sign}<div><b>{what}</b><div class="pg-mut">{more}</div></div></div>',
        kind="pm-ok" if safe else "pm-open",
        sign=sign(name),
        what=what,
        more=more,
    )


def reasons(rows: pd.DataFrame, most: int = 3) -> str:
    """Count rows by their reason, in words."""
    counted: Sequence[tuple[Any, int]] = list(rows["reason"].value_counts().items())
    parts = [f"{n:,} {shorten(why, 60)}" for why, n in counted[:most]]
    rest = sum(int(n) for _, n in counted[most:])
    return ", ".join(parts + ([f"{rest:,} for other reasons"] if rest else []))


def losses(plan: Plan, *, backup: bool) -> Markup:
    """Say what becomes of addresses and files."""
    public = int(plan.images["is_public"].fillna(False).sum())
    broken = f"{plural(public, 'public address')} will show a broken picture. " if public else ""
    back = (
        "What is backed up can be uploaded again, under a new address."
        if backup
        else f"Nothing brings {'this one' if len(plan.images) == 1 else f'these {len(plan.images):,}'} back."
    )
    return markup("<div>{text}</div>", text=broken + back)
