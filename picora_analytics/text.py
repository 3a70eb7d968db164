"""
Strangers' text made safe to show.

File names, titles and tags come from whoever uploaded the picture. They are kept as they are in
the frame; each place that shows them passes them through one function of this module. HTML needs
:func:`visible` and the template's autoescape.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence

__all__ = [
    "about",
    "csv_safe",
    "folded",
    "folded_all",
    "pad",
    "plain_text",
    "plural",
    "shorten",
    "visible",
    "width",
]

_ELLIPSIS, _MARK = "…", "\N{REPLACEMENT CHARACTER}"
_JOINERS = "\u200c\u200d"  # Persian words and joined emoji need them.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
# Letters, symbols and marks by their category, and yet drawn as nothing at all.
_BLANKS = "\u115f\u1160\u3164\uffa0\u2800"
_IGNORED = re.compile("[\u034f\u17b4\u17b5\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
# Of strangers' text, no more is ever shown: a page of the listing may hold megabytes of it.
_LONGEST = 1000
# Accents on one letter: Hebrew and Tibetan need fewer, and a million of them are one column wide.
_STACKED = 8


def visible(text: object, longest: int = _LONGEST) -> str:
    r"""
    Replace what cannot be seen, or would move the cursor or the reading order, by a mark.

    A text of more than `longest` characters loses its middle, and a letter what is over eight accents.

    Examples
    --------
    >>> visible("photo\u202egnp.exe"), visible("a\x1b[31mb\nc")
    ('photo�gnp.exe', 'a�[31mb�c')
    >>> visible("n" * 3_000_000, 7)
    'nnn…nnn'
    """
    whole = str(text)
    if len(whole) > longest:
        half = max(longest - 1, 0) // 2
        whole = whole[: max(longest - 1, 0) - half] + _ELLIPSIS + whole[len(whole) - half :]
    if whole.isascii() and whole.isprintable():
        return whole
    shown, stacked = [], 0
    for char in whole:
        kind = unicodedata.category(char)
        stacked = stacked + 1 if kind in ("Mn", "Me") or char in _JOINERS else 0
        unseen = (kind in _UNSEEN and char not in _JOINERS) or char in _BLANKS
        shown.append(_MARK if unseen or stacked > _STACKED else char)
    return "".join(shown)


# What editors make of quotes and dashes, and the dot that Turkish has on its capital I or lacks on the small one.
_TYPOGRAPHY = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u02bc\u02b9\u2032\u00b4`"), "'"),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb"), '"'),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"), "-"),
    0x131: "i",
    0x307: None,
}
_SEPARATORS = dict.fromkeys(map(ord, " _#-"), None)


def folded(text: str) -> str:
    r"""
    Fold a text so that spellings which look alike are equal: for protecting images, never for choosing them.

    Unicode's compatible forms, upper and lower case, blanks, hyphens and underscores, the sign before a tag,
    invisible characters, and what editors make of quotes and dashes make no difference.

    Examples
    --------
    >>> folded("Cafe\u0301 ") == folded("\u200bcafé"), folded("To do")
    (True, 'todo')
    >>> folded("#don\u2019t_delete") == folded("Don't delete")
    True
    """
    if not (text.isascii() and text.isprintable()):
        # What is invisible may keep a letter from its accent, and folding may bring either back.
        for _ in range(2):
            text = unicodedata.normalize("NFKC", _without_unseen(text).casefold())
            text = text.translate(_TYPOGRAPHY)
        return _without_unseen(text).translate(_SEPARATORS)
    return text.casefold().translate(_TYPOGRAPHY).translate(_SEPARATORS)


def folded_all(texts: Sequence[str]) -> list[str]:
    """Fold many texts: those of plain letters all at once, which takes a tenth of the time."""
    plain = [text.isascii() and text.isprintable() for text in texts]
    joined = "\n".join(itertools.compress(texts, plain))
    found = iter(joined.casefold().translate(_TYPOGRAPHY).translate(_SEPARATORS).split("\n"))
    return [
        next(found) if simple else folded(text) for text, simple in zip(texts, plain, strict=True)
    ]


def _without_unseen(text: str) -> str:
    kept = (
        char
        for char in _IGNORED.sub("", unicodedata.normalize("NFKC", text))
        if not char.isspace() and char not in _BLANKS and unicodedata.category(char) not in _UNSEEN
    )
    return "".join(kept)


def width(text: str) -> int:
    """
    Count the terminal columns of a text: most Chinese characters take two.

    Examples
    --------
    >>> width("产品"), width("tag")
    (4, 3)
    """
    if text.isascii() and text.isprintable():
        return len(text)
    from wcwidth import wcswidth  # Its tables take a third of what --help takes.

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
    if isinstance(text, str) and len(text) <= columns and text.isascii() and text.isprintable():
        return text  # As nearly all are, and many are shortened.
    # Nine characters a column: each letter with all the accents that `visible` leaves it.
    whole = visible(text, min(_LONGEST, (columns + 1) * (_STACKED + 1)))
    if width(whole) <= columns:
        return whole
    half = max(columns - 1, 0) // 2
    rest = max(columns - 1, 0) - half
    head = whole[: _fitting(whole, rest)].rstrip()
    tail = whole[len(whole) - _fitting(whole[::-1], half) :]
    return f"{head}{_ELLIPSIS}{tail}"


def _fitting(text: str, columns: int) -> int:
    """Count the characters from the left that fit; a joined emoji counts by its parts, which is never less."""
    from wcwidth import wcwidth

    for place, char in enumerate(text):
        columns -= 1 if char == "\ufe0f" else max(wcwidth(char), 0)  # It may widen the one before.
        if columns < 0:
            return place
    return len(text)


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
    >>> plural(1, "image"), plural(1200, "image"), plural(2, "copy")
    ('1 image', '1,200 images', '2 copies')
    """
    if n == 1:
        return f"1 {noun}"
    many = re.sub("(?<![aeiou])y$", "ie", noun)
    return f"{n:,} {many}{'es' if noun.endswith('s') else 's'}"


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


# Where a cell may begin, in the eyes of a reader that splits at another separator or knows no quotes.
_CELL = re.compile(
    r"""^(?=[\t\r\n'])|(?:^|(?<=[,;|\t\r\n]))(?=(?:(?![\t\r\n])[\s"])*[=+\-@\uff1d\uff0b\uff0d\uff20])"""
)


def csv_safe(text: object) -> object:
    """
    Keep a spreadsheet from running a cell: what would begin like a formula gets an apostrophe before it.

    That is the text itself, and each part of it that another program takes for a cell: where lists are
    separated by semicolons, as in most of Europe, Excel splits there. Source: OWASP, CSV injection. Other values
    pass unchanged.

    Examples
    --------
    >>> csv_safe('=HYPERLINK("x")'), csv_safe("-aT40cZpLq8"), csv_safe("roof.png"), csv_safe(7)
    ('\\'=HYPERLINK("x")', "'-aT40cZpLq8", 'roof.png', 7)
    >>> csv_safe("roof; =1+1;.png")
    "roof;' =1+1;.png"
    """
    return _CELL.sub("'", text) if isinstance(text, str) else text
