"""
Strangers' text made safe to show.

File names, titles and tags come from whoever uploaded the picture. They are kept as they are in
the frame; each place that shows them passes them through one function of this module. HTML needs
:func:`visible` and the template's autoescape.
"""

from __future__ import annotations

import unicodedata

from wcwidth import wcswidth

__all__ = ["about", "csv_safe", "pad", "plain_text", "plural", "shorten", "visible", "width"]

_ELLIPSIS = "…"
_JOINERS = "\u200c\u200d"  # Persian words and joined emoji need them.


def visible(text: object) -> str:
    r"""
    Replace what cannot be seen, or would move the cursor or the reading order, by a mark.

    Examples
    --------
    >>> visible("photo\u202egnp.exe"), visible("a\x1b[31mb\nc")
    ('photo�gnp.exe', 'a�[31mb�c')
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
        and char not in _JOINERS
        else char
        for char in str(text)
    )


def width(text: str) -> int:
    """
    Count the terminal columns of a text: most Chinese characters take two.

    Examples
    --------
    >>> width("产品"), width("tag")
    (4, 3)
    """
    columns: int = wcswidth(text)
    return columns if columns >= 0 else len(text)


def shorten(text: object, columns: int) -> str:
    """
    Make a text visible and cut its middle out until it fits.

    The end of a file name says as much as its start, so the middle goes.

    Examples
    --------
    >>> shorten("Screenshot 2022-05-11 at 09.14.png", 20)
    'Screenshot…09.14.png'
    """
    whole = visible(text)
    if width(whole) <= columns:
        return whole
    half = max(columns - 1, 0) // 2
    rest = max(columns - 1, 0) - half
    head, tail = whole[:rest], whole[len(whole) - half :]
    while width(head) > rest:
        head = head[:-1]
    while width(tail) > half:
        tail = tail[1:]
    return f"{head.rstrip()}{_ELLIPSIS}{tail}"


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Fill a text with blanks up to a number of terminal columns; `right` aligns it to the right."""
    blanks = " " * max(columns - width(text), 0)
    return blanks + text if right else text + blanks


def plain_text(text: object, columns: int = 40) -> str:
    r"""
    Make a text safe for matplotlib, where ``$`` would start a formula.

    Examples
    --------
    >>> print(plain_text("$x^2$"))
    \$x^2\$
    """
    return shorten(text, columns).replace("$", r"\$")


def plural(n: int, noun: str) -> str:
    """
    Count things in words.

    Examples
    --------
    >>> plural(1, "image"), plural(1200, "image")
    ('1 image', '1,200 images')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def about(seconds: float) -> str:
    """
    Round a duration for people.

    Examples
    --------
    >>> about(0.2), about(300), about(9000)
    ('about 1 s', 'about 5 min', 'about 2 h 30 min')
    """
    if seconds < 90:
        return f"about {max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes // 60} h {minutes % 60} min"


def csv_safe(text: object) -> object:
    """
    Keep a spreadsheet from running a cell: a text that begins like a formula gets an apostrophe.

    Source: OWASP, CSV injection. Other values pass unchanged.

    Examples
    --------
    >>> csv_safe('=HYPERLINK("x")'), csv_safe("-aT40cZpLq8"), csv_safe("roof.png"), csv_safe(7)
    ('\\'=HYPERLINK("x")', "'-aT40cZpLq8", 'roof.png', 7)
    """
    if isinstance(text, str) and text.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "'")):
        return f"'{text}"
    return text
