"""A change of lines as the patch that ``git apply`` takes, byte for byte."""

from __future__ import annotations

__all__ = ["file_patch"]

CONTEXT = 3
_SHORT = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


def file_patch(name: bytes, old: bytes, new: bytes) -> bytes:
    r"""
    Give the patch of a file whose lines are as many as before.

    Examples
    --------
    >>> print(file_patch(b"a b.md", b"one\ntwo", b"one\n2").decode())
    diff --git a/a b.md b/a b.md
    --- a/a b.md
    +++ b/a b.md
    @@ -1,2 +1,2 @@
     one
    -two
    \ No newline at end of file
    +2
    \ No newline at end of file
    <BLANKLINE>
    """
    before, after = _lines(old), _lines(new)
    changed = [i for i, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    a, b = _quoted(b"a/" + name), _quoted(b"b/" + name)
    # A blank would end the name, but for a tab after it.
    tab = b"\t" if b" " in name and not a.startswith(b'"') else b""
    parts = [b"diff --git %s %s\n--- %s%s\n+++ %s%s\n" % (a, b, a, tab, b, tab)]
    for first, last in _hunks(changed, len(before)):
        count = last - first
        parts.append(b"@@ -%d,%d +%d,%d @@\n" % (first + 1, count, first + 1, count))
        i = first
        while i < last:
            if before[i] == after[i]:
                parts.append(_marked(b" ", before[i]))
                i += 1
                continue
            end = next((j for j in range(i, last) if before[j] == after[j]), last)
            parts += [_marked(b"-", line) for line in before[i:end]]
            parts += [_marked(b"+", line) for line in after[i:end]]
            i = end
    return b"".join(parts)


def _lines(data: bytes) -> list[bytes]:
    """Split at line feeds alone, as git does."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _marked(sign: bytes, line: bytes) -> bytes:
    return (
        sign + line if line.endswith(b"\n") else sign + line + b"\n\\ No newline at end of file\n"
    )


def _hunks(changed: list[int], n_lines: int) -> list[tuple[int, int]]:
    hunks: list[tuple[int, int]] = []
    for i in changed:
        first, last = max(0, i - CONTEXT), min(n_lines, i + CONTEXT + 1)
        if hunks and first <= hunks[-1][1]:
            first = hunks.pop()[0]
        hunks.append((first, last))
    return hunks


def _quoted(name: bytes) -> bytes:
    """Write a path as git does: in quotes with octal numbers, if it holds more than printable ASCII."""
    if all(32 <= byte < 127 and byte not in (34, 92) for byte in name):
        return name
    shown = (
        f"\\{_SHORT[byte]}"
        if byte in _SHORT
        else chr(byte)
        if 32 <= byte < 127
        else f"\\{byte:03o}"
        for byte in name
    )
    return b'"%s"' % "".join(shown).encode("ascii")
