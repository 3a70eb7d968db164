"""Sizes in and out: each unit taken exactly, and what cannot be read said so."""

import datetime as dt
import math
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from picora_analytics.units import (
    format_bytes,
    format_share,
    parse_bytes,
    parse_duration,
    parse_storage,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("700", 700),
        (" 700 B ", 700),
        ("1 byte", 1),
        ("5 GB", 5 * 1000**3),
        ("5 GiB", 5 * 1024**3),
        ("5gib", 5 * 1024**3),
        ("1.5 MiB", 1_572_864),
        ("0.1 kB", 100),
        ("1_000 KB", 1_000_000),
        ("2 TiB", 2 * 1024**4),
        ("1 TB", 1000**4),
        (np.int64(7), 7),
        (0, 0),
        (2**70, 2**70),
    ],
)
def test_a_size_is_read_exactly(text, size):
    assert parse_bytes(text) == size
    assert type(parse_bytes(text)) is int


@pytest.mark.parametrize(
    "size",
    [
        *(
            "",
            "big",
            "-5 GB",
            "5 XB",
            "5 G",
            "1.2.3 MB",
            "5 GB 3",
            "٣ GB",
            "1e3",
            ".",
            "NaN",
        ),
        *(-1, 1.5, True, None, float("nan"), [5], b"5 GB"),
    ],
    ids=repr,
)
def test_what_is_no_size_is_refused_by_name(size):
    message = (
        f"quota={size!r} is not a size: give whole bytes, or text such as '5 GiB' (1024**3) or '5 GB' "
        "(1000**3)."
    )

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_bytes(size, "quota")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1023.7, "1.0 KiB"),
        (-0.4, "0 B"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (1024**3 - 1, "1.00 GiB"),
        (5 * 1024**3, "5.00 GiB"),
        (1024**4 - 1, "1.00 TiB"),
        (5000 * 1024**4, "5,000.00 TiB"),
        (-1536, "-1.5 KiB"),
        (np.int64(2048), "2.0 KiB"),
        (np.float64(0.0), "0 B"),
    ],
)
def test_a_size_is_written_in_the_largest_unit_that_fits(size, text):
    assert format_bytes(size) == text


@given(st.integers(0, 2**62))
def test_what_is_written_reads_back_as_nearly_the_same(size):
    text = format_bytes(size)
    unit = parse_bytes(f"1 {text.split()[1]}")
    places = len(text.split()[0].partition(".")[2])

    back = parse_bytes(text.replace(",", ""))

    assert abs(back - size) <= Fraction(unit, 2 * 10**places) + 1 + Fraction(size, 10**14)


@given(st.integers(0, 2**60), st.integers(0, 2**60))
def test_a_larger_size_is_never_written_as_a_smaller_one(one, other):
    small, large = sorted((one, other))

    assert parse_bytes(format_bytes(small).replace(",", "")) <= parse_bytes(
        format_bytes(large).replace(",", "")
    )


@given(
    st.integers(0, 10**6),
    st.sampled_from(["", "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"]),
    st.booleans(),
)
def test_upper_and_lower_case_and_blanks_do_not_matter(number, unit, lower):
    unit = unit.lower() if lower else unit
    power = "kmgt".find(unit[:1].lower()) + 1 if len(unit) > 1 else 0

    size = parse_bytes(f"  {number}   {unit} ")

    assert size == number * (1024 if "i" in unit else 1000) ** power


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 0, "-"),
        (5, 0, "-"),
        (0, 10, "0 %"),
        (1, 10**9, "< 0.1 %"),
        (37, 3012, "1.2 %"),
        (1, 10, "10 %"),
        (995, 10000, "10 %"),
        (94, 100, "94 %"),
        (9999, 10000, "> 99 %"),
        (1, 1, "100 %"),
        (3, 2, "150 %"),
    ],
)
def test_a_share_never_rounds_something_to_nothing_nor_a_part_to_the_whole(part, whole, text):
    assert format_share(part, whole) == text


@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_only_nothing_is_zero_and_only_all_is_a_hundred(part, rest):
    text = format_share(part, part + rest)

    assert text not in ("0 %", "0.0 %", "100 %", "-")
    assert math.isclose(
        float(re.sub(r"[^\d.]", "", text)), 100 * part / (part + rest), abs_tol=1.01
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90s", 90), ("90 m", 5400), ("1h", 3600), ("7 days", 604800), ("1 Hour", 3600)],
)
def test_a_duration_is_read(text, seconds):
    assert parse_duration(text, "x") == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "-1h", "1.5h", "1w", "1h 30m"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match=r"^min_age=.* such as '90m', '1h' or '7d'\.$"):
        parse_duration(text, "min_age")


def test_a_duration_beyond_the_calendar_is_refused():
    with pytest.raises(ValueError, match=r"^age='500001d' reaches out .*: give at most 500000d\.$"):
        parse_duration("500001d", "age")


def test_a_small_bare_number_is_asked_for_its_unit():
    for size in (5, "5", 99):
        with pytest.raises(
            ValueError,
            match=rf"^quota={size!r} is {size} bytes: give the unit, .* if bytes are meant\.$",
        ):
            parse_storage(size, "quota")
    assert [parse_storage(size) for size in (0, 100, "5 B", "5 GiB")] == [0, 100, 5, 5 * 1024**3]


@pytest.mark.parametrize("size", ["1.5", " 1.5 ", "1500.5"])
def test_a_fraction_without_a_unit_is_refused(size):
    with pytest.raises(ValueError, match=rf"give the unit, such as size='{size.strip()} MiB'"):
        parse_storage(size)


def test_a_decimal_comma_is_shown_as_a_dot():
    with pytest.raises(ValueError, match=r"with a dot before decimals: '1\.5 GiB'"):
        parse_storage("1,5 GiB")
