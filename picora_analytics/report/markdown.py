"""The report as Markdown and as plain text: the first screen in both, the tables in Markdown."""

from __future__ import annotations

from typing import Any

from picora_analytics.report.layout import GROUPS, Table, fill, header, is_number, overview, shown
from picora_analytics.report.writing import as_markdown, look_up, written
from picora_analytics.text import pad

__all__ = ["markdown", "plain"]


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
            at = f"findings.{i}"
            lines.append(
                say(
                    f"{{{at}.number}}. **{{{at}.text}}** · {{{at}.n_images}} "
                    f"{_images(facts['findings'][i])} · {{{at}.size_bytes}} · {{{at}.sure}}"
                    + (
                        f"; could save up to {{{at}.could_save_bytes}}"
                        if facts["findings"][i]["could_save_bytes"]
                        else ""
                    )
                )
            )
            # The code holds no stranger's text: a fence is enough.
            lines += ["", "   ```python", f"   {facts['findings'][i]['code']}", "   ```", ""]
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


def _images(row: dict[str, Any]) -> str:
    return "image" if row["n_images"] == 1 else "images"


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
        for row in found:
            count = f"{row['n_images']:,} {_images(row)}"
            size = written("size_bytes", row["size_bytes"])
            lines.append(
                f"  {row['number']}  {pad(row['text'], width)}  {pad(count, 12, right=True)}  "
                f"{pad(size, 10, right=True)}"
            )
    if not facts["findings"]:
        lines += ["", "  Nothing stands out."]
    lines += [
        "",
        f"  {facts['not_known']}",
        "  Rows: report.findings()   Page: report.write_html(path)",
    ]
    return "\n".join(lines)
