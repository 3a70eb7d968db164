"""Messages in shell words: what the package says in Python is said here as what one types in a shell."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Sequence

__all__ = ["PYTHON", "in_shell_words", "to_type", "typed_again"]

_PLAN_AGAIN = "Type the command `picora-analytics plan` again"
# In order; each is one way in which messages of the package tell what to type in Python.
_WORDS: tuple[tuple[str, str], ...] = (
    (r"Type (picora-analytics apply .* --resume) to go on", r"Type: \1, to go on"),
    (r"resume_deletion\(client, [^)]*\)|resume_deletion", "picora-analytics apply PLAN.JSON --resume"),
    (r"Type images = (?:pic\.)?load_images\(client\)(?: once more)?, (?:and plan from that|which does)",
     "Type: picora-analytics load --refresh full"),
    (r", or look at pic\.find_duplicates\(images, client\)", ""),
    (r"load the library with refresh='full',? and plan again from that",
     "type: picora-analytics load --refresh full, and plan again"),
    (r"load with refresh=\"full\"", "type: picora-analytics load --refresh full"),
    (r"(?:pic\.)?load_images\(client(?:, store=\.\.\.)?\)", "`picora-analytics load`"),
    (r"(?:Choose another folder|Give it another place) with store=(?:, or store=None)?", "Choose another folder with --store DIR"),
    (r"refresh=['\"](\w+)['\"]", r"--refresh \1"),
    (r"Give journal= another place", "Give the plan another file name"),
    (r"Type plan\.without\([^\n]*?\)|To leave images out, use plan\.without\(\.\.\.\); for others, plan again",
     "To leave images out, plan with --csv, strike rows out, and plan --from that file"),
    (r"use read_plan\(\.\.\.\)\.without\(ids\) on an unedited file and save that", "plan with --csv, and plan --from that file"),
    (r"plan again with protect=find_references\(images, \"site/\"\)",
     "picora-analytics scan site/ --json refs.json, and plan with --references refs.json"),
    (r"(?m)^  Fewer       plan = plan\.without\([^\n]*\)$", "  Fewer       plan with --csv plan.csv, strike rows out, then: plan --from plan.csv"),
    (r"(?m)^  Rehearse    plan\.dry_run\(client\)$", "  Rehearse    picora-analytics apply plan.json"),
    (r"(?m)^  Review      plan\.save\(\"plan\.json\"\), plan\.to_csv\(\"plan\.csv\"\)$", "  Review      plan with -o plan.json --csv plan.csv"),
    (r"(?m)^  Delete      plan\.apply\(client, confirm=\"([^\"]+)\", backup=\"kept/\"\)$",
     r"  Delete      picora-analytics apply plan.json --confirm \1 --backup kept/"),
    (r"(?m)^  Or hide     plan\.hide\(client, confirm=\"([^\"]+)\"\)$",
     r"  Or hide     picora-analytics hide plan.json --confirm \1"),
    (r"backup=None: these images cannot come back", "With --no-backup these images cannot come back"),
    (r"backup=\"kept/\"", "--backup kept/"),
    (r"max_fraction=1\b", "--max-fraction 1"),
    (r"\bmax_(images|bytes|fraction)=", r"--max-\1 "),
    (r"(?<![-\w])(confirm|protect)=('[^']*'|\"[^\"]*\"|(?= is))", r"--\1 \2"),
    (r"\bpass a frame that load_images made\b", "give a snapshot, or a .parquet that `picora-analytics load -o` wrote"),
    (r"\bgive a file that plan\.save wrote\b", "give a file that `picora-analytics plan -o` wrote"),
    (r"\bsave it again from the frame it came from\b", "plan again"),
    (r"\bgive a file that References\.write wrote\b", "give a file that `picora-analytics scan --json` wrote"),
    (r"\bthat back_up made\b", "that `picora-analytics backup` made"),
    (r"\bthe receipt of plan\.hide \(itself, or the \.json that it wrote\)", "the receipt that `picora-analytics hide -o` wrote"),
    (r"\bThis frame (?=says that it was read|was read)", "This library "),
    (r"\b([Pp])ass (?:the frame|it) as load_images made it\b", "give what `picora-analytics load -o` wrote"),
    (r"\bPass a frame as load_images makes it, or keep [^\n]* when you choose columns", "Load the library again"),
    (r"\bwhat load_images puts there\b", "what a load puts there"),
    (r"; look at plan\.images\b", ""),
    (r"(?m)     all: plan\.\w+$", "     all: in plan.json, by plan -o"),
    (r"\bof this frame has\b", "of the library has"),
    (r" Ids are given as pd\.Index\(\[\.\.\.\]\)\.", ""),
    (r" See summarize_tags\(images\)\.", " `picora-analytics load` shows the tags there are."),
    (r"Type references = pic\.find_references\(images, \.\.\.\) with every place where they may stand, and plan with "
     r"protect=references; it must be complete",
     "Type: picora-analytics scan, with every place where they may stand and --json refs.json, and plan with "
     "--references refs.json; it must be complete"),
    (r"; look at plan\.portions\([^)]*\)", ""),
    (r"\bunhide_images shows\b", "`picora-analytics unhide` shows"),
    (r"(?<=: )pic\.repoint\(receipt\.mapping, \"site/\"\)", "picora-analytics repoint"),
    (r" of a duplicate: receipt\.inherited", " of a duplicate"),
    (r"\bplan\.hide\b", "picora-analytics hide"),
    (r"\bunhide_images\b", "picora-analytics unhide"),
    (r"\bversion=(?='|\"| is no)", ""),
    (r"\bone of its versions\(\)", "one that `picora-analytics snapshots` lists"),
    (r"(?<![-\w])(git|addresses)=(?=[ ,]|$)", r"--\1"),
    (r"(?<![-\w])decisions=(?='|\"|$| cannot)", "decisions "),
    (r"\bthe client reads account\b", "this key is of account"),
    (r"(?<=\. )Connect to (?=the plan's account\b)", "Use a key of "),
    (r"(?<=; )connect to (?=that account\b)", "use a key of "),
    (r"Give quota= to see", "Give --quota to see"),
    (r"\bthan old=(?=\d)", "than --old "),
    (r"\bfree_to=(?=['\"]| is)", "--free-to "),
    (r"\btag=(?='')", "--tag "),
    (r"\bLoad them once more, which does", "`picora-analytics load` once more does"),
    (r"\blonger than max_wait=(\S+) seconds\. Try again then, or give Client a larger max_wait\b",
     r"longer than the \1 seconds that are waited. Try again then"),
    (r"\bmax_wait=(\S+) seconds does not reach that far", r"no more than \1 seconds are waited"),
    (r"\bTry again then, or give Client a larger max_wait\b", "Try again then"),
    (r"\bbase_url=(?=['\"])", "PICORA_BASE_URL="),
    (r"; give the key first: Client\(api_key, base_url\)", "; give the key, and the address in PICORA_BASE_URL"),
    (r"\bGive backup= a folder", "Give --backup DIR"),
    (r"\bnow='[^']*'", "another library"),
    (r"are in this error's \.images, for looking only; load again for a whole frame", "are not kept; the same command begins anew"),
    (r"are in this error's \.images, for looking only; the next load goes on from there", "are kept for a day; the same command goes on from there"),
    (r"the next load goes on from there", "the same command goes on from there"),
    (r"load again for a whole frame", "the same command begins anew"),
    (r"or pic\.connect\(ask=True\)", "or give --demo"),
    (r", or try picora_analytics\.connect\(ask=True\); without an account, picora_analytics\.DemoServer\(\) plays Picora on "
     r"this machine\.", "."),
    (r"(?<= kept in )(\S+); restore_images uploads", r"\1; `picora-analytics restore \1` uploads"),
    (r"\brestore_images(?:\(client, folder\))? uploads", "`picora-analytics restore` uploads"),
    (r"Type suggestion = pic\.suggest\(images, \.\.\.\) again, from the images you pass", _PLAN_AGAIN),
)  # fmt: skip
# A path as `repr` writes it, in either sort of quotes.
_RESUME = re.compile(r"""resume_deletion\(client, ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\)""")
# So wide is the name of a line to type in a preview, with the blanks around it.
_HEAD = 14
_RULES = [(re.compile(pattern), said) for pattern, said in _WORDS]

PYTHON = re.compile(
    r"\bpic\.|\bplan\.(?:save|to_csv|without|dry_run|apply|hide|images|portions?|decided|inherits|spared|duplicates)\b|\bReferences\.|\bload_images\b|\bback_up\b|client\)|\bClient\b|\w+_\w+\(|(?<![-\w])(?:store|refresh|confirm|backup|journal|protect|quota|progress|git|addresses|decisions|version|old|free|free_to|pile|tag|max_wait|base_url)=|\bversions\(\)"
)
"""What only Python understands: a message in the shell holds none of it."""


def in_shell_words(text: object) -> str:
    """
    Say a message of the package in words of the shell.

    Examples
    --------
    >>> print(in_shell_words("There are no snapshots in kept; load_images(client) makes the first."))
    There are no snapshots in kept; `picora-analytics load` makes the first.
    >>> path = "it's/j.ndjson"
    >>> print(in_shell_words(f"Type resume_deletion(client, {path!r}) to go on with it."))
    Type: picora-analytics apply 'it'"'"'s/j.ndjson' --resume, to go on with it.
    """
    said = _RESUME.sub(_resume, str(text))
    for pattern, words in _RULES:
        said = pattern.sub(words, said)
    return said


def _resume(found: re.Match[str]) -> str:
    """Quote a path for the shell that a message holds as Python writes it."""
    return f"picora-analytics apply {shlex.quote(ast.literal_eval(found[1]))} --resume"


def to_type(
    text: str, words: Sequence[str], plan_file: str | None, table: str | None, *, demo: bool
) -> str:
    """
    Complete the lines to type of a preview: with what was typed, the plan's own files, and --demo where it is of the demo.

    `words` are what was typed, and `table` is the file of rows that can be struck out, if there is one.
    """
    flag, again = " --demo" * demo, typed_again(words)
    lines = []
    for line in text.split("\n"):
        head = line[:_HEAD]
        if head == "  Fewer       ":
            rows = table or "plan.csv"
            lines += [] if table else [f"{head}{again} --csv {rows}"]
            left = shlex.join(
                ["picora-analytics", "plan", "--from", rows, "-o", plan_file or "plan.json"]
            )
            lines.append(
                f"{head if table else ' ' * _HEAD}strike rows out of {rows}, then: {left}{flag}"
            )
        elif head == "  Review      ":
            page = ["picora-analytics", "review", plan_file or "", "-o", "review.html"]
            lines.append(head + (shlex.join(page) + flag if plan_file else f"{again} -o plan.json"))
        elif head not in ("  Rehearse    ", "  Delete      ", "  Or hide     "):
            lines.append(line)
        elif plan_file:
            lines.append(line.replace(" plan.json", f" {shlex.quote(plan_file)}") + flag)
        # A plan that is not saved cannot be typed on: what saves it is in the line for a review.
    return "\n".join(lines)


def typed_again(words: Sequence[str]) -> str:
    """Give the line to type for the same command once more."""
    return shlex.join(["picora-analytics", *words])
