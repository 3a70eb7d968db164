"""The order and words of a report, once for every form; numbers come in by the path of their fact."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from picora_analytics.report.answers import forecast_sentence
from picora_analytics.report.writing import look_up

__all__ = [
    "GROUPS",
    "SECTIONS",
    "Section",
    "Table",
    "fill",
    "finding_noun",
    "finding_sentence",
    "header",
    "is_number",
    "overview",
    "shown",
]

_TEXTS = (
    "period",
    "size_range",
    "filename",
    "id",
    "mime_type",
    "uploaded_at",
    "aspect",
    "age",
    "tag",
    "visibility",
    "kind",
    "flag",
    "evidence",
    "name_kind",
    "suggested",
    "why",
    "month",
)
GROUPS = {
    "could do": "What you could do, by how little you would miss",
    "worth knowing": "Worth knowing",
}

_IMAGES, _STORAGE = ("Images", "n_images"), ("Storage", "size_bytes")
_SHARES = (("Of all images", "image_share"), ("Of all storage", "size_share"))


class Table(NamedTuple):
    """Rows of facts: where they are, and what stands over which of their keys."""

    path: str
    caption: str
    columns: tuple[tuple[str, str], ...]


class Section(NamedTuple):
    """A part of the report; `picture` names a chart, `lead` stands above it unless `when` is 0."""

    key: str
    title: str
    picture: str | None
    lead: str
    when: str
    tables: tuple[Table, ...]


SECTIONS = (
    Section(
        "growth",
        "Growth",
        "growth",
        "Images that are still there, by the day of their upload: from {totals.first_upload} to "
        "{totals.last_upload}.",
        "totals.last_upload",
        (
            Table(
                "growth.by_year",
                "By year of upload",
                (
                    ("Year", "period"),
                    _IMAGES,
                    _STORAGE,
                    ("Images in all", "total_images"),
                    ("Storage in all", "total_size_bytes"),
                ),
            ),
        ),
    ),
    Section(
        "concentration",
        "Where the bytes are",
        "concentration",
        "{concentration.n50} of {concentration.n_images} images of known size hold half of the storage, "
        "{concentration.n80} hold four fifths, {concentration.n90} nine tenths. The largest tenth of "
        "the images holds {concentration.top10_share}.",
        "concentration.n50",
        (
            Table(
                "sizes", "By size of file", (("Size", "size_range"), _IMAGES, _STORAGE, *_SHARES)
            ),
            Table(
                "largest",
                "The largest files",
                (
                    ("File", "filename"),
                    ("Id", "id"),
                    ("Storage", "size_bytes"),
                    ("Width", "width"),
                    ("Height", "height"),
                    ("Type", "mime_type"),
                    ("Uploaded", "uploaded_at"),
                ),
            ),
        ),
    ),
    Section(
        "formats",
        "Types",
        "formats",
        "Different types: {n_formats}. What holds most comes first.",
        "n_formats",
        (
            Table(
                "formats",
                "By type",
                (
                    ("Type", "mime_type"),
                    _IMAGES,
                    _STORAGE,
                    *_SHARES,
                    ("Median file", "median_size_bytes"),
                    ("Bytes per pixel", "bytes_per_pixel"),
                ),
            ),
        ),
    ),
    Section(
        "dimensions",
        "Dimensions",
        "dimensions",
        "",
        "n_formats",
        (
            Table(
                "dimensions",
                "By shape",
                (
                    ("Shape", "aspect"),
                    _IMAGES,
                    _STORAGE,
                    ("Median megapixels", "median_megapixels"),
                    ("Oversized", "n_oversized"),
                ),
            ),
        ),
    ),
    Section(
        "ages",
        "Age",
        "ages",
        "Since the upload, counted from {library.loaded_at}. An old image may be the one most looked at.",
        "library.loaded_at",
        (Table("ages", "By age", (("Age", "age"), _IMAGES, _STORAGE, *_SHARES)),),
    ),
    Section(
        "tags",
        "Tags",
        "tags",
        "Different tags: {n_tags}. Images without any: {totals.n_untagged}. The rows add up to more "
        "than the library, as an image counts under each of its tags.",
        "n_tags",
        (Table("tags", "The tags that hold most", (("Tag", "tag"), _IMAGES, _STORAGE)),),
    ),
    Section(
        "duplicates",
        "Duplicates",
        None,
        "Sure only where the service told the content; likely ones have the same bytes, pixels and type.",
        "n_formats",
        (
            Table(
                "duplicates",
                "Images that are there more than once",
                (
                    ("Kind", "kind"),
                    ("Groups", "n_groups"),
                    _IMAGES,
                    _STORAGE,
                    ("Beyond the first", "n_extra"),
                    ("They hold", "extra_size_bytes"),
                ),
            ),
        ),
    ),
    Section(
        "savings",
        "Savings",
        "savings",
        "Estimates, from low to high. Each step counts only what those before it leave, so that they add up.",
        "n_formats",
        (
            Table(
                "savings",
                "What could be saved",
                (
                    ("What", "flag"),
                    ("How sure", "evidence"),
                    _IMAGES,
                    _STORAGE,
                    ("At least", "low_bytes"),
                    ("At most", "high_bytes"),
                    ("Alone at most", "alone_bytes"),
                ),
            ),
        ),
    ),
    Section(
        "names",
        "Names and tags",
        None,
        "",
        "n_formats",
        (
            Table(
                "names",
                "By what file names look like",
                (
                    ("Kind", "name_kind"),
                    _IMAGES,
                    _STORAGE,
                    ("Other format than the name says", "n_other_format"),
                ),
            ),
            Table(
                "tag_hygiene",
                "Tags that seem to mean the same",
                (("Tag", "tag"), _IMAGES, ("Suggested", "suggested"), ("Why", "why")),
            ),
        ),
    ),
    Section(
        "changes",
        "Since the earlier load",
        None,
        "{since.text} since {since.loaded_at}",
        "since",
        tuple(
            Table(
                f"changes_by_{by}",
                f"By {by}",
                (
                    (head, key),
                    ("Images before", "n_images_before"),
                    ("Now", "n_images"),
                    ("Storage now", "size_bytes"),
                    ("Change", "net_bytes"),
                ),
            )
            for by, head, key in (
                ("tag", "Tag", "tag"),
                ("format", "Type", "mime_type"),
                ("month", "Month of upload", "month"),
            )
        ),
    ),
    Section(
        "visibility",
        "Visibility",
        None,
        "",
        "n_formats",
        (
            Table(
                "visibility",
                "By visibility",
                (("Visibility", "visibility"), _IMAGES, _STORAGE, *_SHARES),
            ),
        ),
    ),
)


def shown(facts: dict[str, Any]) -> list[Section]:
    """Give the sections that have anything to show."""
    return [
        section
        for section in SECTIONS
        if any(look_up(facts, table.path) for table in section.tables)
    ]


def is_number(key: str) -> bool:
    """Tell whether a column is of numbers, which stand to the right."""
    return key not in _TEXTS


def header(facts: dict[str, Any]) -> list[str]:
    """Say whose library this is, and when and how it was read: sentences with paths."""
    library = facts["library"]
    if library["status"] is None:
        return ["a table that does not say whose images these are"]
    account = "account {library.account}"
    parts = ["an invented library on this machine" if library["demo"] else account]
    parts += [] if library["demo"] else ["{library.host}"]
    parts += ["{library.loaded_at}"] if library["loaded_at"] else []
    return [*parts, "{library.status}"]


def overview(facts: dict[str, Any]) -> dict[str, str]:
    """Say how much there is: sentences with paths, by what they are about."""
    quota = facts["quota"]
    least = "at least " if facts["totals"]["n_without_size"] else ""
    unknown = facts["totals"]["size_bytes"] is None
    storage = "size unknown" if unknown else f"{least}{{totals.size_bytes}}"
    lines = {"storage": storage, "images": "{totals.n_images}"}
    lines["images"] += " image" if facts["totals"]["n_images"] == 1 else " images"
    if quota is not None:
        if quota["used_share"] is None:
            lines["quota"] = "quota {quota.size_bytes}"
            if facts["caveats"]:
                lines["quota"] += "; no share of it, as this is not the whole library"
            elif unknown:
                lines["quota"] += "; no share of it, as no size is known"
        else:
            lines["storage"] += " of {quota.size_bytes}"
            lines["quota"] = "{quota.used_share} used, {quota.free_bytes} free"
            if quota["over_bytes"]:
                lines["quota"] = "{quota.used_share} used, {quota.over_bytes} over"
        if facts["forecast"] is not None:
            lines["forecast"] = forecast_sentence(facts["forecast"], over=bool(quota["over_bytes"]))
    else:
        lines["quota"] = "{quota_hint}"
    if facts["since"] is not None:
        lines["since"] = "{since.text} since {since.loaded_at}"
    return lines


def finding_noun(row: Mapping[Any, Any]) -> str:
    """Give the noun for the images of a finding."""
    return "image" if row["n_images"] == 1 else "images"


def finding_sentence(facts: dict[str, Any], place: int) -> str:
    """Say a finding in a sentence with paths."""
    at, row = f"findings.{place}", facts["findings"][place]
    save = f"; could save up to {{{at}.could_save_bytes}}" if row["could_save_bytes"] else ""
    return (
        f"{{{at}.number}}. **{{{at}.text}}** · {{{at}.n_images}} {finding_noun(row)} · "
        f"{{{at}.size_bytes}} · {{{at}.sure}}{save}"
    )


def fill(sentence: str, write: Callable[[str], Any], plain: Callable[[str], Any] = str) -> str:
    """
    Put the facts into a sentence; what stands between them goes through `plain`.

    Examples
    --------
    >>> fill("{n_tags} tags", {"n_tags": "7"}.get)
    '7 tags'
    """
    parts = re.split(r"\{([\w.]+)\}", sentence)
    return "".join(
        str(write(part) if place % 2 else plain(part)) for place, part in enumerate(parts)
    )
