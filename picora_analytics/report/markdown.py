"""The report as Markdown and as plain text: the first screen in both, the tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picora_analytics.report.chapters import Table, is_number, shown, titles
from picora_analytics.report.layout import (
    finding_noun,
    finding_sentence,
    first_screen,
    header,
    other_findings,
    pile_sentence,
)
from picora_analytics.report.writing import as_markdown, as_text, fill, look_up, written
from picora_analytics.text import pad, shorten

__all__ = ["finding_line", "markdown", "plain", "text_line"]


def markdown(facts: dict[str, Any]) -> str:
    """Write the report in GitHub's Markdown."""

    def say(sentence: str) -> str:
        return fill(sentence, lambda path: as_markdown(facts, path))

    demo = "DEMO: " if facts["library"]["demo"] else ""
    lines = [f"# {demo}Picora storage report", "", say(" · ".join(header(facts)))]
    for place in range(len(facts["caveats"])):
        lines += ["", f"> **Not the whole library.** {say(f'{{caveats.{place}}}')}"]
    first, *rest = _overview(facts)
    lines += ["", f"**{say(first)}**", *(f"- {say(line)}" for line in rest)]
    cards = [i for i, pile in enumerate(facts["piles"]) if pile["card"]]
    if facts["piles"]:
        lines += ["", "## What could go, least missed first", ""]
        for i, pile in enumerate(facts["piles"]):
            lines += [say(f"{i + 1}. {pile_sentence(facts, i)}"), "", *_code(pile["code"])]
    if facts["without"] is not None:
        which = "the first" if len(cards) == 1 else f"the first {('two', 'three')[len(cards) - 2]}"
        lines.append(say(f"Without {which}: {{without.used_share}} full."))
    if others := other_findings(facts):
        lines += ["", "## What stands out", ""]
        for i in others:
            lines += [
                say(f"- {finding_sentence(facts, i)}"),
                "",
                *_code(facts["findings"][i]["code"]),
            ]
    if not facts["findings"] and not facts["piles"]:
        lines += ["", "Nothing stands out."]
    lines += ["", say("{not_known}")]
    answers = titles(facts)
    for section in shown(facts):
        lines += ["", f"## {say(answers[section.key])}"]
        if section.lead and look_up(facts, section.when):
            lines += ["", say(section.lead)]
        for table in section.tables:
            lines += _table(facts, table)
    for name, title in (("notes", "Data notes"), ("definitions", "Definitions")):
        if facts[name]:
            lines += ["", f"## {title}", ""]
            lines += [f"- {as_markdown(facts, f'{name}.{i}')}" for i in range(len(facts[name]))]
    return "\n".join(lines) + "\n"


def _overview(facts: dict[str, Any]) -> list[str]:
    """Give the first screen, line by line: sentences with paths."""
    screen = first_screen(facts)
    lines = [f"{screen.full} · {screen.small}"]
    lines += [", ".join(filter(None, [screen.till, screen.ground]))] if screen.till else []
    lines += [screen.ground] if screen.ground and not screen.till else []
    lines += [screen.room] if screen.room else []
    if facts["since"] is not None:
        lines.append("{since.text} since {since.loaded_at}")
    lines += ["{quota.note}"] if facts["quota"] is not None and facts["quota"]["note"] else []
    return lines


def _code(code: str | None) -> list[str]:
    """Fence a line of code, which holds no stranger's text."""
    if code is None:
        return []
    language = "sh" if code.startswith("picora-analytics ") else "python"
    return [f"   ```{language}", f"   {code}", "   ```", ""]


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
    return text_line(f"{row['number']}", row["text"], row, columns)


def text_line(number: str, text: str, row: Mapping[Any, Any], columns: int) -> str:
    """Write a number of images as a line of text, what they are in a number of columns."""
    size = written("size_bytes", row["size_bytes"])
    return (
        f"{number}  {pad(shorten(text, columns), columns)} {row['n_images']:>6,} "
        f"{finding_noun(row):<6} {size:>11}"
    )


def plain(facts: dict[str, Any]) -> str:
    """Write the first screen as text."""

    def say(sentence: str) -> str:
        return fill(sentence, lambda path: as_text(facts, path))

    demo = "DEMO · " if facts["library"]["demo"] else ""
    lines = [f"{demo}Picora storage report   {say(' · '.join(header(facts)))}"]
    lines += [f"  NOT THE WHOLE LIBRARY. {text}" for text in facts["caveats"]]
    lines += ["", *(f"  {say(line)}" for line in _overview(facts))]
    others = [facts["findings"][i] for i in other_findings(facts)]
    texts = [*(pile["title"] for pile in facts["piles"]), *(row["text"] for row in others)]
    width = max(map(len, texts), default=0)
    if facts["piles"]:
        lines += ["", "  What could go, least missed first"]
    lines += [
        f"  {text_line(str(i), pile['title'], pile, width)}   {pile['certainty']}"
        for i, pile in enumerate(facts["piles"], start=1)
    ]
    if others:
        lines += ["", "  What stands out"]
    lines += [f"  {text_line('·', row['text'], row, width)}" for row in others]
    if not texts:
        lines += ["", "  Nothing stands out."]
    lines += [
        "",
        f"  {facts['not_known']}",
        "  Rows: report.findings()   Page: report.write_html(path)",
    ]
    return "\n".join(lines)
