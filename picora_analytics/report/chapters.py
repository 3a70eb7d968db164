"""The chapters of a report: their order, tables and titles; numbers come in by the path of their fact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from picora_analytics.report.answers import headline
from picora_analytics.report.writing import look_up

__all__ = ["SECTIONS", "Section", "Table", "is_number", "shown", "titles"]

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

_IMAGES, _STORAGE = ("Images", "n_images"), ("Storage", "size_bytes")
_SHARES = (("Of all images", "image_share"), ("Of all storage", "size_share"))


class Table(NamedTuple):
    """Rows of facts: where they are, and what stands over which of their keys."""

    path: str
    caption: str
    columns: tuple[tuple[str, str], ...]


class Section(NamedTuple):
    """A chapter; its title is an answer where there is one, and `lead` stands above it unless `when` is 0."""

    key: str
    name: str
    lead: str
    when: str
    tables: tuple[Table, ...]


SECTIONS = (
    Section(
        "growth",
        "Growth",
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
        "changes",
        "Since the earlier load",
        "",
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
        "references",
        "In your pages",
        "Images found: {references.n_found}; only in earlier versions: {references.n_found_before}; nowhere: "
        "{references.n_not_found}; not looked for: {references.n_not_looked}. Addresses that lead to no image: "
        "{references.n_dangling}.",
        "references",
        (),
    ),
    Section(
        "concentration",
        "Where the bytes are",
        "Half of the storage is in {concentration.n50} of {concentration.n_images} images of known size, "
        "four fifths in {concentration.n80}, nine tenths in {concentration.n90}. The largest tenth of "
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
        "Since the upload, counted from {library.loaded_at}. An old image may be the one most looked at.",
        "library.loaded_at",
        (Table("ages", "By age", (("Age", "age"), _IMAGES, _STORAGE, *_SHARES)),),
    ),
    Section(
        "tags",
        "Tags",
        "Different tags: {n_tags}. Images without any: {totals.n_untagged}. The rows add up to more "
        "than the library, as an image counts under each of its tags.",
        "n_tags",
        (Table("tags", "The tags that hold most", (("Tag", "tag"), _IMAGES, _STORAGE)),),
    ),
    Section(
        "duplicates",
        "Duplicates",
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
        "visibility",
        "Visibility",
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
        or (not section.tables and look_up(facts, section.when))
    ]


def is_number(key: str) -> bool:
    """Tell whether a column is of numbers, which stand to the right."""
    return key not in _TEXTS


def titles(facts: dict[str, Any]) -> dict[str, str]:
    """Give each chapter's answer as its title: a sentence with paths; its name alone where nothing is known."""
    found = {section.key: section.name for section in SECTIONS}
    # Of a part of a library, shares are still of the whole, and would mislead here.
    answers = _ANSWERS if facts["library"]["whole"] else _ANSWERS | _OF_A_PART
    for key, (ask, answer) in answers.items():
        if ask(facts):
            found[key] = f"{found[key]}: {answer}"
    for key, path, noun in _COUNTED:
        if _known(path)(facts) and look_up(facts, path) == 1:
            found[key] = found[key].replace(f" {noun}s", f" {noun}")
    if facts["forecast"]:
        told = headline(facts["forecast"], over=bool(facts["quota"]["over_bytes"]))
        found["growth"] = f"Growth: {told[:1].lower()}{told[1:]}"
    for i, row in enumerate(facts["names"]):
        if row["name_kind"] == "descriptive":
            found["names"] += (
                f": {{names.{i}.n_images}} of {{totals.n_images}} names are descriptive"
            )
    if facts["since"]:
        week = facts["since"]["n_days"] == _WEEK
        found["changes"] = (
            f"Since {'last week' if week else '{since.loaded_at}'}: {{since.net_bytes}}"
        )
    return found


def _known(path: str) -> Callable[[dict[str, Any]], bool]:
    """Give what tells whether a fact is there, and is not 0."""

    def ask(facts: dict[str, Any]) -> bool:
        try:
            return bool(look_up(facts, path))
        except (IndexError, KeyError, TypeError):
            return False

    return ask


_WEEK = 7
# The nouns in an answer that follow a count.
_COUNTED = (
    ("concentration", "concentration.n_images", "image"),
    ("dimensions", "oversized.n_images", "image"),
    ("references", "references.n_files", "file"),
)
# When a chapter has an answer, and which.
_ANSWERS: dict[str, tuple[Callable[[dict[str, Any]], bool], str]] = {
    "growth": (
        _known("growth.by_month.0.total_size_bytes"),
        "{totals.size_bytes} since {totals.first_upload}",
    ),
    "concentration": (
        _known("concentration.n50"),
        "half is in {concentration.n50} of {concentration.n_images} images",
    ),
    "formats": (
        _known("formats.0.size_share"),
        "{formats.0.mime_type} holds {formats.0.size_share}",
    ),
    "dimensions": (
        _known("oversized.n_images"),
        "{oversized.n_images} images over {oversized.max_edge} px",
    ),
    "ages": (_known("old.size_share"), "{old.size_share} of the storage is over two years old"),
    "tags": (_known("tags.0.size_bytes"), "{tags.0.tag} holds most, {tags.0.size_bytes}"),
    "duplicates": (
        _known("duplicates.0.n_extra"),
        "{duplicates.0.n_extra} {duplicates.0.kind}, {duplicates.0.extra_size_bytes}",
    ),
    "savings": (
        _known("savings_in_all.high_bytes"),
        "{savings_in_all.low_bytes} to {savings_in_all.high_bytes}",
    ),
    "visibility": (
        _known("visibility.0.n_images"),
        "{visibility.0.n_images} {visibility.0.visibility}",
    ),
    "references": (
        _known("references.n_found"),
        "{references.n_found} found in {references.n_files} files",
    ),
}
_OF_A_PART = {
    "formats": (
        _known("formats.0.size_bytes"),
        "{formats.0.mime_type} holds most, {formats.0.size_bytes}",
    ),
    "ages": (_known("old.size_bytes"), "{old.size_bytes} over two years old"),
}
