"""Bytes and durations in and out: ``"5 GiB"`` to a number, a number to ``"4.71 GiB"``, ``"7d"`` to a timedelta."""

from __future__ import annotations

import datetime as dt
import re
from fractions import Fraction
from numbers import Integral

from picora_analytics.text import plural

__all__ = [
    "exact_bytes",
    "format_bytes",
    "format_share",
    "parse_bytes",
    "parse_duration",
    "parse_storage",
]

KIB, MIB, GIB = 1024, 1024**2, 1024**3

_UNITS = {"": 1, "b": 1, "byte": 1, "bytes": 1}
for _power, _letter in enumerate("kmgt", start=1):
    _UNITS[f"{_letter}b"] = 1000**_power
    _UNITS[f"{_letter}ib"] = 1024**_power

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LONGEST = 500_000 * 86400  # So long before now there is still a year to name.
# No picture and no plan is this small.
_NO_UNIT = 100
_SIZE = re.compile(r"\s*(\d+(?:[._]\d+)*)\s*([A-Za-z]*)\s*", re.ASCII)


def parse_bytes(size: int | str, name: str = "size") -> int:
    """
    Read a size in bytes, decimal and binary units each taken exactly.

    Parameters
    ----------
    size : int or str
        A number of bytes, or a number with a unit: ``"5 GiB"`` is 5 x 1024**3, ``"5 GB"`` is 5 x 1000**3.
    name : str
        The argument's name, for the message.

    Returns
    -------
    int
        Bytes, rounded to a whole one.

    Raises
    ------
    ValueError
        If it is negative or cannot be read.

    Examples
    --------
    >>> parse_bytes("1.5 GiB"), parse_bytes("5 GB"), parse_bytes(700)
    (1610612736, 5000000000, 700)
    """
    if isinstance(size, Integral) and not isinstance(size, bool) and size >= 0:
        return int(size)
    if isinstance(size, str) and (match := _SIZE.fullmatch(size)):
        number, unit = match[1].replace("_", ""), match[2].lower()
        if unit in _UNITS and number.count(".") <= 1:
            return round(Fraction(number) * _UNITS[unit])
    decimal = ", with a dot before decimals: '1.5 GiB'" if "," in str(size) else ""
    raise ValueError(
        f"{name}={size!r} is not a size: give whole bytes, or text such as '5 GiB' (1024**3) "
        f"or '5 GB' (1000**3){decimal}."
    )


def parse_storage(size: int | str, name: str = "size") -> int:
    """
    Read a size as :func:`parse_bytes` does, but ask for the unit of a small bare number: 5 bytes are hardly meant.

    Raises
    ------
    ValueError
        If it cannot be read, or is a number below 100, or a fraction, without a unit.

    Examples
    --------
    >>> parse_storage("5 GiB"), parse_storage("5 B"), parse_storage(0)
    (5368709120, 5, 0)
    """
    found = parse_bytes(size, name)
    number = str(size).strip()
    bare = not isinstance(size, str) or not number[-1].isalpha()
    if bare and (0 < found < _NO_UNIT or "." in number):
        raise ValueError(
            f"{name}={size!r} is {plural(found, 'byte')}: give the unit, such as {name}='{number} MiB' or "
            f"'{number} GiB'; '{found} B' if bytes are meant."
        )
    return found


def exact_bytes(size: int) -> str:
    """
    Write a size for people that is read back as it is.

    Examples
    --------
    >>> exact_bytes(30 * 1024**2), exact_bytes(52_480_000)
    ('30.0 MiB', '52480000 B')
    """
    shown = format_bytes(size)
    return shown if parse_bytes(shown) == size else f"{size} B"


def format_bytes(size: float) -> str:
    """
    Write a size for people, in binary units with their IEC names.

    Picora counts its plans in binary units, so a 5 GiB plan is full at exactly ``"5.00 GiB"``.

    Parameters
    ----------
    size : int or float
        Bytes; may be negative, for a change.

    Returns
    -------
    str
        One decimal up to MiB, two from GiB on.

    Examples
    --------
    >>> format_bytes(48), format_bytes(222_717_542), format_bytes(5 * 1024**3)
    ('48 B', '212.4 MiB', '5.00 GiB')
    """
    sign, rest = ("-" if round(size) < 0 else ""), abs(size)
    if round(rest) < KIB:
        return f"{sign}{rest:.0f} B"
    for unit, places in (("KiB", 1), ("MiB", 1), ("GiB", 2)):
        rest /= 1024
        if round(rest, places) < 1024:
            return f"{sign}{rest:.{places}f} {unit}"
    return f"{sign}{rest / 1024:,.2f} TiB"


def format_share(part: float, whole: float) -> str:
    """
    Write a share in per cent, never rounding something to nothing nor a part to the whole.

    Parameters
    ----------
    part, whole : int or float
        In the same unit.

    Returns
    -------
    str
        ``"-"`` where the whole is nothing.

    Examples
    --------
    >>> format_share(37, 3012), format_share(1, 30000), format_share(94, 100), format_share(0, 0)
    ('1.2 %', '< 0.1 %', '94 %', '-')
    """
    if whole <= 0:
        return "-"
    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"
    if 99.5 <= percent < 100:
        return "> 99 %"
    return f"{percent:.1f} %" if 0 < percent < 9.95 else f"{percent:.0f} %"


def parse_duration(text: str, name: str) -> dt.timedelta:
    """
    Read a duration such as ``"90m"``, ``"1h"`` or ``"7 days"``; ``"0"`` is no time at all.

    Parameters
    ----------
    text : str
    name : str
        The argument's name, for the message.

    Raises
    ------
    ValueError
        If it is not a duration, or one of over 500,000 days.

    Examples
    --------
    >>> print(parse_duration("90m", "min_age"))
    1:30:00
    """
    match = re.fullmatch(
        r"(\d{1,6})\s*(s|m|h|d|seconds?|minutes?|hours?|days?)", str(text).strip(), re.IGNORECASE
    )
    seconds = int(match[1]) * _SECONDS[match[2][0].lower()] if match else 0
    if seconds > _LONGEST:
        raise ValueError(f"{name}={text!r} reaches out of the calendar: give at most 500000d.")
    if match:
        return dt.timedelta(seconds=seconds)
    if str(text).strip() == "0":
        return dt.timedelta(0)
    raise ValueError(f"{name}={text!r} is not a duration such as '90m', '1h' or '7d'.")
