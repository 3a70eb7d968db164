"""The words of a report's first screen, once for every form; numbers come in by the path of their fact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from picora_analytics.report.answers import ground, headline
from picora_analytics.report.writing import written

__all__ = [
    "Known",
    "Screen",
    "bar_sentence",
    "finding_noun",
    "finding_sentence",
    "first_screen",
    "header",
    "known",
    "other_findings",
    "pile_sentence",
]

# Findings that a pile says better: what was edited lately, say, is in none.
_PILED = ("copies", "old and untagged", "old and not found")
# What is said in three words each, the first of these that there are.
_MOST_KNOWN = 3


def header(facts: dict[str, Any]) -> list[str]:
    """Say whose library this is, and when and how it was read: sentences with paths."""
    library = facts["library"]
    if library["status"] is None:
        return ["a table that does not say whose images these are"]
    account = "account {library.account}"
    parts = ["an invented library on this machine" if library["demo"] else account]
    parts += [] if library["demo"] else ["{library.host}"]
    parts += ["{library.loaded_at}"] if library["loaded_at"] else []
    return [*parts, f"{_images(facts)}, {{library.status}}"]


def _images(facts: dict[str, Any]) -> str:
    return "{totals.n_images} image" + ("" if facts["totals"]["n_images"] == 1 else "s")


class Screen(NamedTuple):
    """
    The first lines: sentences with paths.

    Attributes
    ----------
    full, small : str
        How full it is, and what of what.
    till, ground : str
        How long the space lasts, and what that rests on; empty where nothing can be said.
    room : str
        What is free, or over.
    """

    full: str
    small: str
    till: str
    ground: str
    room: str


def first_screen(facts: dict[str, Any]) -> Screen:
    """Say how full the storage is, and how long it lasts."""
    quota, totals, forecast = facts["quota"], facts["totals"], facts["forecast"]
    images = _images(facts)
    least = "at least " if totals["n_without_size"] else ""
    unknown = totals["size_bytes"] is None
    storage = "Size unknown" if unknown else f"{least.capitalize()}{{totals.size_bytes}}"
    if quota is None:
        return Screen(storage, images, "", "{quota_hint}", "")
    if quota["used_share"] is None:
        why = "this is not the whole library" if facts["caveats"] else "no size is known"
        if not unknown and not facts["caveats"]:
            why = "it is nothing"
        return Screen(
            storage, images, "", f"Quota {{quota.size_bytes}}; no share of it, as {why}.", ""
        )
    over = bool(quota["over_bytes"])
    said = (
        Screen("", "", headline(forecast, over=over), ground(forecast, over=over), "")
        if forecast
        else Screen("", "", "The quota is used up" if over else "", "", "")
    )
    if not totals["n_images"]:
        said = said._replace(till="No images yet", ground="")
    return said._replace(
        full=f"{least.capitalize()}{{quota.used_share}} full",
        small=_of_quota(facts),
        room="{quota.over_bytes} over" if over else "{quota.free_bytes} free",
    )


def _of_quota(facts: dict[str, Any]) -> str:
    """Say both sizes, their unit once where it is one."""
    both = facts["totals"]["size_bytes"], facts["quota"]["size_bytes"]
    used, limit = (written("size_bytes", size).partition(" ")[2] for size in both)
    return f"{{totals.size_bytes{':bare' if used == limit else ''}}} of {{quota.size_bytes}}"


def bar_sentence(facts: dict[str, Any]) -> str:
    """Say what the parts of the bar are: a sentence with paths."""
    if facts["bar"] is None:
        return ""
    parts = [
        f"{{bar.parts.{i}.size_bytes}} {{bar.parts.{i}.short}}"
        for i in range(len(facts["bar"]["parts"]))
    ]
    return f"Of {{bar.whole_bytes}}: {', '.join(parts)}"


class Known(NamedTuple):
    """One thing worth knowing: in three words, and the rest of the sentence, both with paths."""

    short: str
    rest: str


def known(facts: dict[str, Any]) -> list[Known]:
    """Give up to three things worth knowing."""
    found = []
    for place, row in enumerate(facts["findings"]):
        at, one = f"findings.{place}", row["n_images"] == 1
        n, size = f"{{{at}.n_images}}", f"{{{at}.size_bytes}}"
        said = {
            "half of the storage": Known(f"{n} hold{'s' * one} half", f"of the storage, {size}."),
            "oversized": Known(
                f"{n} {'is' if one else 'are'} over {{oversized.max_edge}} px",
                f"smaller files would save {{{at}.could_save_low_bytes}} to {{{at}.could_save_bytes}}, at new "
                "addresses."
                if row["could_save_bytes"]
                else "smaller files would save little.",
            ),
            "likely copies": Known(
                f"{n} probably there twice", f"{size} more than needed; look first."
            ),
            "unexplained bytes": Known("More is counted than listed", f"{{{at}.text}}."),
            "one week": Known(f"{n} came in one week", "perhaps a move: their age says little."),
            "private": Known(f"{n} {'is' if one else 'are'} private", f"{size}; {{{at}.sure}}."),
            "new and untagged": Known(f"{n} new without a tag", f"{size} so far."),
        }.get(row["kind"])
        if said is not None:
            found.append((_KINDS.index(row["kind"]), said))
    if facts["references"] is not None:
        found.append((2, _referenced(facts["references"])))
    return [said for _, said in sorted(found, key=lambda one: one[0])[:_MOST_KNOWN]]


# The order in which things are said in short, if there is room for three.
_KINDS = (
    "half of the storage",
    "oversized",
    "references",
    "likely copies",
    "unexplained bytes",
    "one week",
    "private",
    "new and untagged",
)


def _referenced(references: dict[str, Any]) -> Known:
    files = "file" if references["n_files"] == 1 else "files"
    verb = "is" if references["n_found"] == 1 else "are"
    return Known(
        f"{{references.n_found}} {verb} in your pages",
        f"of the {{references.n_files}} {files} read. Who else shows an image is not known.",
    )


def pile_sentence(facts: dict[str, Any], place: int) -> str:
    """Say a pile in a sentence with paths."""
    at = f"piles.{place}"
    return (
        f"**{{{at}.title}}** · {{{at}.n_images}} {finding_noun(facts['piles'][place])} · "
        f"{{{at}.size_bytes}} · {{{at}.certainty}}"
    )


def other_findings(facts: dict[str, Any]) -> list[int]:
    """Give the places of the findings that no pile says better."""
    piled = _PILED if facts["piles"] else ()
    return [i for i, row in enumerate(facts["findings"]) if row["kind"] not in piled]


def finding_noun(row: Mapping[Any, Any]) -> str:
    """Give the noun for the images of a finding."""
    return "image" if row["n_images"] == 1 else "images"


def finding_sentence(facts: dict[str, Any], place: int) -> str:
    """Say a finding in a sentence with paths."""
    at, row = f"findings.{place}", facts["findings"][place]
    save = ""
    if row["could_save_bytes"]:
        save = f"; could save {{{at}.could_save_low_bytes}} to {{{at}.could_save_bytes}}"
    return (
        f"**{{{at}.text}}** · {{{at}.n_images}} {finding_noun(row)} · "
        f"{{{at}.size_bytes}} · {{{at}.sure}}{save}"
    )
