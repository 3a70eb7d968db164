"""A search as a check: what is new since a baseline, shown as text, Markdown and annotations of GitHub."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any, NamedTuple

import msgspec
import pandas as pd

from picora_analytics.errors import PicoraError
from picora_analytics.files import read_text, reason_of, write_atomic
from picora_analytics.references.found import FOUND_BEFORE, NOT_FOUND, References
from picora_analytics.text import plural, shorten, visible

__all__ = [
    "Check",
    "Finding",
    "as_annotations",
    "as_markdown",
    "as_text",
    "check_references",
    "read_baseline",
    "write_baseline",
]

DANGLING, ORPHAN = "dangling", "orphan"
_SHOWN = {DANGLING: 100, ORPHAN: 10}  # Findings of a kind that are listed; the JSON has all.
_WIDE = 100


class Finding(NamedTuple):
    """
    An address that leads to no image, or a public image that was not found.

    What a baseline remembers is `kind`, `what` and `source`: lines move.
    """

    kind: str
    what: str
    source: str = ""
    line: int = 0
    note: str = ""

    @property
    def key(self) -> str:
        """One line of a baseline."""
        name = "address" if self.kind == DANGLING else "id"
        parts = {"kind": self.kind, name: self.what, "source": self.source}
        kept = {key: value for key, value in parts.items() if value}
        return msgspec.json.encode(kept, order="sorted").decode()


@dataclasses.dataclass(frozen=True)
class Check:
    """
    What a search found, beside a baseline.

    Attributes
    ----------
    new, known : list of Finding
        Not in the baseline, and in it.
    stale : int
        Lines of the baseline that are no longer true.
    n_private : int
        Images that were not found and are not known to be public; they are never named.
    references : References
    """

    new: list[Finding]
    known: list[Finding]
    stale: int
    n_private: int
    references: References

    @property
    def findings(self) -> list[Finding]:
        """All of them."""
        return [*self.new, *self.known]

    def of(self, kind: str) -> list[Finding]:
        """Give the new findings of a kind."""
        return [finding for finding in self.new if finding.kind == kind]

    def baseline(self) -> str:
        """Write all findings as a baseline: sorted JSON lines."""
        keys = sorted({finding.key for finding in self.findings})
        return "".join(f"{key}\n" for key in keys)


def check_references(
    references: References, images: pd.DataFrame, baseline: Iterable[str] = ()
) -> Check:
    """
    Compare a search with a baseline.

    Parameters
    ----------
    references : References
    images : DataFrame indexed by id
        With ``is_public`` and perhaps ``filename``: only what is known to be public is named.
    baseline : iterable of str
        Lines of :meth:`Check.baseline`.
    """
    is_public = images["is_public"].fillna(False).astype(bool)
    public = set(images.index[is_public])
    rows = references.dangling
    found = [
        Finding(
            DANGLING,
            visible(address),
            _posix(source),
            line,
            f"nearest id: {nearest}" if isinstance(nearest, str) and nearest in public else "",
        )
        for address, source, line, nearest in zip(
            *(rows[name].tolist() for name in ("address", "source", "line", "nearest")), strict=True
        )
        # A private image in another case would be named by that.
        if not isinstance(nearest, str)
        or nearest in public
        or nearest.lower() not in address.lower()
    ]
    status = references.status(images.index)
    orphans = status.index[status.isin([NOT_FOUND, FOUND_BEFORE])]
    before = references.found_before.set_index("id")
    found += [
        Finding(ORPHAN, str(image_id), note=_note(str(image_id), images, before))
        for image_id in orphans
        if image_id in public
    ]
    old = set(baseline)
    keys = {finding.key for finding in found}
    return Check(
        new=[finding for finding in found if finding.key not in old],
        known=[finding for finding in found if finding.key in old],
        # Where not everything could be looked at, nobody knows what is no longer true.
        stale=len(old - keys) if references.complete else 0,
        n_private=sum(image_id not in public for image_id in orphans),
        references=references,
    )


def _note(image_id: str, images: pd.DataFrame, before: pd.DataFrame) -> str:
    notes = []
    if "filename" in images.columns and not pd.isna(images["filename"][image_id]):
        notes.append(shorten(images["filename"][image_id], 40))
    if image_id in before.index:
        last = before.loc[image_id]
        path = shorten(last["source"], 50)
        notes.append(f"last in {path}, {last['commit'][:10]} of {last['date']:%Y-%m-%d}")
    return ", ".join(notes)


def _posix(source: str) -> str:
    return PureWindowsPath(source).as_posix() if "\\" in source and "://" not in source else source


def read_baseline(path: Path) -> list[str]:
    """Read a baseline; PicoraError if it cannot be read, or a line is none of a baseline's."""
    try:
        lines = [line for line in read_text(path).split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        raise PicoraError(
            f"The baseline {str(path)!r} cannot be read: {reason_of(error)}."
        ) from None
    keys = []
    for number, line in enumerate(lines, 1):
        try:
            row: Any = msgspec.json.decode(line)
            keys.append(msgspec.json.encode(row, order="sorted").decode())
            known = row["kind"] in (DANGLING, ORPHAN)
        except (msgspec.DecodeError, KeyError, TypeError, RecursionError):
            known = False
        if not known:
            raise PicoraError(
                f"The baseline {str(path)!r}, line {number}, is not a finding: {shorten(line, 60)!r}. Make it again "
                "with --update-baseline."
            )
    return keys


def write_baseline(check: Check, path: Path, before: Sequence[str] = ()) -> None:
    """Write all findings as the baseline; where not all could be looked at, images known before stay in it."""
    lines = set(check.baseline().splitlines())
    if not check.references.complete:
        lines |= {line for line in before if f'"kind":"{ORPHAN}"' in line}
    text = "".join(f"{line}\n" for line in sorted(lines))
    write_atomic(path, lambda file: file.write_text(text, encoding="utf-8"))


_TITLES = {
    DANGLING: ("Dangling: these addresses lead to no image", "address"),
    ORPHAN: ("Not found in these files", "image"),
}


def _counted(check: Check, kind: str) -> str:
    known = sum(finding.kind == kind for finding in check.known)
    new = len(check.of(kind))
    # One address may stand in many places, and of the images that were not found only public ones are listed.
    noun = "place" if kind == DANGLING else "public image"
    text = f"{plural(new, f'new {noun}')}, {known:,} known" if known else plural(new, noun)
    found_before = set(check.references.found_before["id"])
    n = sum(one.kind == ORPHAN == kind and one.what in found_before for one in check.findings)
    return f"{text}; {n:,} of them found before" if n else text


def as_text(check: Check) -> str:
    """Show a check in a terminal."""
    lines = [
        line[:1].upper() + line[1:] if not n else line
        for n, line in enumerate(check.references.summary())
    ]
    for kind, (title, _) in _TITLES.items():
        findings = check.of(kind)
        if not findings and not any(one.kind == kind for one in check.known):
            continue
        lines += ["", f"{title} ({_counted(check, kind)})"]
        lines += [f"  {_line(finding)}" for finding in findings[: _SHOWN[kind]]]
        lines += [f"  and {len(findings) - _SHOWN[kind]:,} more"] * (len(findings) > _SHOWN[kind])
    return "\n".join([*lines, *_footer(check)])


def _line(finding: Finding) -> str:
    place = f"{shorten(finding.source, _WIDE)}:{finding.line}  " if finding.source else ""
    note = f"  ({finding.note})" if finding.note else ""
    # At the beginning of a line, two colons would be a command to GitHub's runner.
    line = f"{place}{shorten(finding.what, _WIDE)}{note}".replace("##[", "# #[")
    return f"./{line}" if line.startswith("::") else line


def _footer(check: Check) -> Sequence[str]:
    lines = []
    if check.n_private:
        lines.append(
            f"{plural(check.n_private, 'more image')} not found, private or perhaps so, and not named here"
        )
    if check.stale:
        lines.append(
            f"{plural(check.stale, 'line')} of the baseline no longer true; --update-baseline drops them"
        )
    return ["", *lines] if lines else []


def as_markdown(check: Check) -> str:
    """Show a check as Markdown in which no stranger's text is alive."""
    lines = ["## Images in use", "", *(f"- {_dead(line)}" for line in check.references.summary())]
    for kind, (title, head) in _TITLES.items():
        findings = check.of(kind)
        lines += ["", f"### {title} ({_counted(check, kind)})", ""]
        if findings:
            lines += [f"| {head} | where | note |", "| --- | --- | --- |"]
        for finding in findings[: _SHOWN[kind]]:
            place = f"{finding.source}:{finding.line}" if finding.source else ""
            cells = (finding.what, place, finding.note)
            lines.append(f"| {' | '.join(map(_dead, cells))} |")
        lines += ["", f"and {len(findings) - _SHOWN[kind]:,} more"] * (len(findings) > _SHOWN[kind])
    lines += [f"\n{_dead(line)}" for line in _footer(check) if line]
    return "\n".join(lines) + "\n"


def _dead(text: str) -> str:
    """Write a text as code that nothing in it can end."""
    shown = shorten(text, 2 * _WIDE).replace("|", "\N{BROKEN BAR}").replace("`", "\N{PRIME}")
    return f"`{shown}`" if shown else ""


def as_annotations(check: Check) -> str:
    """Write the new findings as GitHub's workflow commands: errors beside the lines they are about."""
    lines = []
    for finding in check.of(DANGLING):
        note = f" ({finding.note})" if finding.note else ""
        where = f" file={_property(finding.source)},line={finding.line}," if finding.line else " "
        lines.append(
            f"::error{where}title=No such image::{_message(shorten(finding.what, _WIDE) + note)}"
        )
    for finding in check.of(ORPHAN):
        note = f" ({finding.note})" if finding.note else ""
        lines.append(f"::warning title=Not found in these files::{_message(finding.what + note)}")
    return "\n".join(lines)


def _message(text: str) -> str:
    return text.replace("##[", "# #[").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(visible(text)).replace(":", "%3A").replace(",", "%2C")
