"""The report as Markdown and as plain text: the first screen in both, the tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picora_analytics.report.layout import (
    GROUPS,
    Table,
    fill,
    finding_noun,
    finding_sentence,
    header,
    is_number,
    overview,
    shown,
)
from picora_analytics.report.writing import as_markdown, look_up, written
from picora_analytics.text import pad, shorten

__all__ = ["finding_line", "markdown", "plain"]


def markdown(facts: dict[str, Any]) -> str:
    """Write the report in GitHub's Markdown."""

    def say(sentence: str) -> str:
        return fill(sentence, lambda path: as_markdown(facts, path))

    demo = "DEMO: " if facts["library"]["demo"] else ""
    lines = [f"# {demo}Picora storage report", "", say(" · ".join(header(facts)))]
    for place in range(len(facts["caveats"])):
        lines += ["", f"> **Not the whole library.** {say(f'{{caveats.{place}}}')}"]
    lines.append("")
    lines += [f"- {say(line)}" for line in overview(facts).values()]
    if facts["quota"] is not None and facts["quota"]["note"]:
        lines.append(f"- {say('{quota.note}')}")
    for group, title in GROUPS.items():
        found = [i for i, row in enumerate(facts["findings"]) if row["group"] == group]
        if found:
            lines += ["", f"## {title}", ""]
        for i in found:
            # The code holds no stranger's text: a fence is enough.
            code = facts["findings"][i]["code"]
            lines += [say(finding_sentence(facts, i)), ""]
            if code is not None:
                language = "sh" if code.startswith("picora-analytics ") else "python"
                lines += [f"   ```{language}", f"   {code}", "   ```", ""]
        if found and group == "could do" and facts["without"] is not None:
            lines.append(say("Without all of {without.numbers}: {without.used_share} full."))
    if not facts["findings"]:
        lines += ["", "Nothing stands out."]
    lines += ["", say("{not_known}")]
    for section in shown(facts):
        lines += ["", f"## {section.title}"]
        if section.lead and look_up(facts, section.when):
            lines += ["", say(section.lead)]
        for table in section.tables:
            lines += _table(facts, table)
    for name, title in (("notes", "Data notes"), ("definitions", "Definitions")):
        if facts[name]:
            lines += ["", f"## {title}", ""]
            lines += [f"- {as_markdown(facts, f'{name}.{i}')}" for i in range(len(facts[name]))]
    return "\n".join(lines) + "\n"


def _table(facts: dict[str, Any], table: Table) -> list[str]:
    rows = look_up(facts, table.path)
    if not rows:
        return []
    lines = [
        "",
        f"**{table.caption}**",
        "",
        f"| {' | '.join(head for head, _ in table.columns)} |",
        f"| {' | '.join('---:' if is_number(key) else '---' for _, key in table.columns)} |",
    ]
    for i in range(len(rows)):
        cells = [as_markdown(facts, f"{table.path}.{i}.{key}") for _, key in table.columns]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def finding_line(row: Mapping[Any, Any], columns: int) -> str:
    """Write a finding as a line of text, its own words in a number of columns."""
    size = written("size_bytes", row["size_bytes"])
    return (
        f"{row['number']}  {pad(shorten(row['text'], columns), columns)} {row['n_images']:>6,} "
        f"{finding_noun(row):<6} {size:>11}"
    )


def plain(facts: dict[str, Any]) -> str:
    """Write the first screen as text."""

    def say(sentence: str) -> str:
        return fill(sentence, lambda path: written(path, look_up(facts, path)))

    demo = "DEMO · " if facts["library"]["demo"] else ""
    lines = [f"{demo}Picora storage report   {say(' · '.join(header(facts)))}"]
    lines += [f"  {text}" for text in facts["caveats"]]
    lines += ["", *(f"  {say(line)}" for line in overview(facts).values())]
    if facts["quota"] is not None and facts["quota"]["note"]:
        lines.append(f"  {facts['quota']['note']}")
    width = max((len(row["text"]) for row in facts["findings"]), default=0)
    for group, title in GROUPS.items():
        found = [row for row in facts["findings"] if row["group"] == group]
        if found:
            lines += ["", f"  {title}"]
        lines += [f"  {finding_line(row, width)}" for row in found]
    if not facts["findings"]:
        lines += ["", "  Nothing stands out."]
    lines += [
        "",
        f"  {facts['not_known']}",
        "  Rows: report.findings()   Page: report.write_html(path)",
    ]
    return "\n".join(lines)
