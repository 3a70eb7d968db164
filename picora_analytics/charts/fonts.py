"""Fonts for strangers' names: whatever is installed at this moment, whether or not matplotlib's cache knows it."""

from __future__ import annotations

import dataclasses
import functools
import unicodedata
from collections.abc import Iterable, Sequence

import matplotlib as mpl
from matplotlib import font_manager

from picora_analytics.text import plain_text, shorten, visible

__all__ = ["families", "find_fonts", "readable", "undrawable"]

# For names in Chinese, Japanese and Korean, by system; the first ones installed are used.
_CJK = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Heiti SC",
    "Microsoft YaHei",
    "SimHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Droid Sans Fallback",
)
_PLACEHOLDER = "\N{REPLACEMENT CHARACTER}"  # DejaVu Sans has it, and matplotlib brings DejaVu Sans
# Of a designer's thousands of fonts, so many are looked into.
_MOST_FILES = 600
# Families that were found to have characters no other one has, in the order they were found.
_found: list[str] = []


def families() -> list[str]:
    """Give the fonts that names of strangers are drawn with: the caller's, then fallbacks."""
    own = mpl.rcParams["font.family"]
    installed = {font.name for font in font_manager.fontManager.ttflist}
    fallback = [name for name in _CJK if name in installed]
    for name in (*fallback, *_found):
        _regular(name)
    return [*([own] if isinstance(own, str) else own), "DejaVu Sans", *fallback, *_found]


@functools.cache
def _regular(family: str) -> None:
    """Let a family that has no regular weight be drawn as it is: matplotlib logs a warning for each text otherwise."""
    known = font_manager.fontManager.ttflist
    own = [font for font in known if font.name == family]
    weights = {font_manager.weight_dict.get(str(font.weight), font.weight) for font in own}
    if own and 400 not in weights:
        known.append(dataclasses.replace(own[0], weight=400))


def find_fonts(names: Iterable[object]) -> None:
    """Look among all fonts there are, on disk now, for those that have the characters of names that none so far has."""
    missing = {ord(char) for name in names for char in undrawable(name)}
    for path in _files() if missing else ():
        has = missing & _charmap(path)
        if has and (family := _added(path)) is not None:
            _found.append(family)
            missing -= has
        if not missing:
            return


def undrawable(name: object) -> str:
    """Give the characters of a name that no font draws; what only modifies another counts for nothing."""
    drawable = _drawable(tuple(families()))
    return "".join(
        char
        for char in visible(name)
        if ord(char) not in drawable and unicodedata.category(char) not in ("Mn", "Me", "Cf")
    )


def readable(text: object, columns: int = 32) -> str:
    r"""
    Make a stranger's text drawable by matplotlib: short, no formula, no missing glyph.

    Examples
    --------
    >>> print(readable("$x$ \N{PRIVATE USE ONE}"))
    \$x\$ �
    """
    drawable = _drawable(tuple(families()))
    clear = "".join(
        char if ord(char) in drawable else _PLACEHOLDER
        for char in visible(text)
        # What joins or modifies an emoji has no width of its own.
        if ord(char) in drawable or unicodedata.category(char) not in ("Mn", "Me", "Cf")
    )
    if not clear.strip():
        return "(blank)"
    # Where formulas are switched off, a backslash would be drawn.
    return (
        plain_text(clear, columns) if mpl.rcParams["text.parse_math"] else shorten(clear, columns)
    )


def _files() -> Sequence[str]:
    """List the files of fonts, those that matplotlib knows first."""
    # Matplotlib's last resort has every character, and draws each as a box.
    known = [f.fname for f in font_manager.fontManager.ttflist if "Last Resort" not in f.name]
    others = [path for path in sorted(font_manager.findSystemFonts()) if "LastResort" not in path]
    return list(dict.fromkeys([*known, *others]))[:_MOST_FILES]


@functools.lru_cache(maxsize=_MOST_FILES)
def _charmap(path: str) -> frozenset[int]:
    try:
        return frozenset(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError, ValueError):  # A file that is no font, or gone.
        return frozenset()


def _added(path: str) -> str | None:
    """Make a font known to matplotlib, for this process; None for one it cannot draw with, as of bitmaps."""
    for font in font_manager.fontManager.ttflist:
        if font.fname == path:
            return font.name
    try:
        font_manager.fontManager.addfont(path)
    except (OSError, RuntimeError, ValueError, NotImplementedError):
        return None
    return font_manager.fontManager.ttflist[-1].name


@functools.lru_cache(maxsize=8)
def _drawable(names: tuple[str, ...]) -> frozenset[int]:
    fonts = [font_manager.FontProperties(family=[name]) for name in names]
    paths = {font_manager.findfont(font) for font in fonts}
    return frozenset().union(*(_charmap(path) for path in paths))
