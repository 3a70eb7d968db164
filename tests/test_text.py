"""Strangers' text made safe for a terminal, a chart and a spreadsheet."""

import csv
import io
import unicodedata

import matplotlib.pyplot as plt
import pytest
from hypothesis import example, given, strategies as st

from picora_analytics.text import csv_safe, folded, pad, plain_text, shorten, visible, width

MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("roof.png", "roof.png", id="plain"),
        pytest.param("产品 图 é ñ", "产品 图 é ñ", id="letters of the world"),
        pytest.param("e\u0301", "e\u0301", id="an accent of its own"),
        pytest.param("👩\u200d💻", "👩\u200d💻", id="a joined emoji"),
        pytest.param("a\x1b[2Jb", f"a{MARK}[2Jb", id="clear the screen"),
        pytest.param("a\x9b31mb", f"a{MARK}31mb", id="the one-byte escape"),
        pytest.param(
            "a\r\nb\tc\x00\x7f", f"a{MARK}{MARK}b{MARK}c{MARK}{MARK}", id="control characters"
        ),
        pytest.param("photo\u202egnp.exe", f"photo{MARK}gnp.exe", id="right-to-left override"),
        pytest.param("\u2066a\u2069\u200f\u061c", f"{MARK}a{MARK * 3}", id="isolates and marks"),
        pytest.param(
            "pa\u200by\u00adpal\ufeff", f"pa{MARK}y{MARK}pal{MARK}", id="what has no width"
        ),
        pytest.param("a\u2028b\u2029c", f"a{MARK}b{MARK}c", id="line and paragraph separators"),
        pytest.param("\ud83d", MARK, id="half a surrogate pair"),
        pytest.param("\U000e0041", MARK, id="a tag character"),
        pytest.param(7, "7", id="a number"),
        pytest.param(None, "None", id="nothing"),
    ],
)
def test_what_cannot_be_seen_becomes_a_mark(text, seen):
    assert visible(text) == seen


@given(st.text())
def test_nothing_invisible_is_left_and_all_else_is_kept(text):
    seen = visible(text)

    assert len(seen) == len(text)
    assert all(new in (old, MARK) for old, new in zip(text, seen, strict=True))
    assert not {unicodedata.category(char) for char in seen} & {"Cc", "Cs", "Co", "Zl", "Zp"}
    assert visible(seen) == seen


@pytest.mark.parametrize(
    ("text", "columns"),
    [("", 0), ("tag", 3), ("产品", 4), ("e\u0301", 1), ("👩\u200d💻", 2), ("ｆｕ", 4)],
)
def test_width_counts_terminal_columns(text, columns):
    assert width(text) == columns


@given(st.text(), st.integers(1, 60))
@example("❤\ufe0f" * 40, 7)
@example("👩\u200d💻" * 40, 8)
@example("产" * 40, 2)
@example("e" + "\u0301" * 40, 1)
@example("🇩🇪" * 30, 5)
def test_what_is_shortened_fits_and_what_fits_is_not_shortened(text, columns):
    short = shorten(text, columns)

    assert width(short) <= columns
    if width(visible(text)) <= columns:
        assert short == visible(text)


@pytest.mark.parametrize(
    ("text", "columns", "short"),
    [
        ("Screenshot 2022-05-11 at 09.14.png", 20, "Screenshot…09.14.png"),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abc…fg"),
        ("abcdefg", 2, "a…"),
        ("abcdefg", 1, "…"),
        ("产品产品产品", 7, "产…品"),
    ],
)
def test_the_middle_goes_and_both_ends_stay(text, columns, short):
    assert shorten(text, columns) == short


@given(st.text(max_size=30), st.integers(0, 40), st.booleans())
def test_padding_fills_up_to_the_columns(text, columns, right):
    padded = pad(visible(text), columns, right=right)

    assert width(padded) >= min(columns, width(padded))
    assert padded.strip(" ") == visible(text).strip(" ")
    if width(visible(text)) <= columns and visible(text).isascii():
        assert width(padded) == columns


def test_names_stand_literally_on_a_chart():
    figure, axes = plt.subplots()
    names = ["$x^2$", "a_b$", r"\$1", "<b>", "$$$", "cost: $5 or $6"]

    axes.barh([plain_text(name) for name in names], range(len(names)))
    figure.canvas.draw()  # An open formula raises here.

    shown = [label.get_text().replace(r"\$", "$") for label in axes.get_yticklabels()]
    plt.close(figure)
    assert shown == names


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "'"])
def test_a_cell_that_begins_like_a_formula_gets_an_apostrophe(start):
    assert csv_safe(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize(
    "value", ["roof.png", "a=1", "", 7, -7, 1.5, None, True, ("=a",)], ids=repr
)
def test_other_cells_pass_unchanged(value):
    assert csv_safe(value) == value


FORMULAS = tuple("=+-@＝＋－＠")
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
# Texts that are mostly what a spreadsheet cares about.
CELLS = TEXTS | st.lists(
    st.sampled_from([*"=+-@;,|\t\"'\r\n a1", "\u3000", "＝1", '";=']), max_size=12
).map("".join)


@given(CELLS)
def test_an_apostrophe_taken_off_gives_the_text_back(text):
    file = io.StringIO(newline="")
    csv.writer(file).writerow([csv_safe(text), "end"])

    ((cell, _),) = csv.reader(io.StringIO(file.getvalue(), newline=""))

    assert not cell.startswith((*FORMULAS, "\t", "\r", "\n"))
    if not set(text) & set(",;|\t\r\n"):
        assert cell == text or (cell[0] == "'" and cell[1:] == text)


@pytest.mark.parametrize(
    "separator", [";", ",", "\t", "|"], ids=["semicolon", "comma", "tab", "bar"]
)
@pytest.mark.parametrize(
    "quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_NONE], ids=["quotes", "no quotes"]
)
@given(texts=st.lists(CELLS, min_size=1, max_size=3))
@example(texts=["roof;=1+1;.png"])
@example(texts=['c";=1+1;".png'])
@example(texts=['f;  "=1+1'])
@example(texts=["x,\t=1"])
@example(texts=['"\n;@SUM(1)'])
def test_no_reader_of_a_written_row_sees_a_formula(texts, separator, quoting):
    file = io.StringIO(newline="")
    csv.writer(file).writerow([csv_safe(text) for text in texts])
    lines = io.StringIO(file.getvalue(), newline="")

    for row in csv.reader(lines, delimiter=separator, quoting=quoting):
        for cell in row:
            assert not cell.lstrip(' "\u00a0\u3000').startswith(FORMULAS)


ALIKE = [
    pytest.param("café", "cafe\u0301", id="an accent of its own"),
    pytest.param("café", "CAFÉ", id="capitals"),
    pytest.param("keep", "\u00a0keep \t", id="blanks around"),
    pytest.param("to do", "to\u2003 do", id="other blanks between"),
    pytest.param("keep", "ke\u200bep\ufeff", id="characters without width"),
    pytest.param("keep", "ke\u034fep\ufe0f", id="a joiner of graphemes and a variation"),
    pytest.param("café", "cafe\u200b\u0301", id="an invisible one before the accent"),
    pytest.param("keep", "\u3164keep\u2800", id="fillers and an empty braille cell"),
    pytest.param("keep", "ｋｅｅｐ", id="full width"),
    pytest.param("straße", "STRASSE", id="a sharp s"),
    pytest.param("ﬁne", "fine", id="a ligature"),
    pytest.param("keep", "\u202ekeep\u2069", id="marks of direction"),
    pytest.param("Å", "\u212b", id="the sign of the angstrom"),
    pytest.param("σς", "ΣΣ", id="a final sigma"),
]


@pytest.mark.parametrize(("text", "other"), ALIKE)
def test_spellings_that_look_alike_fold_to_one(text, other):
    assert folded(text) == folded(other)


@pytest.mark.parametrize(("text", "other"), [("keep", "kepe"), ("café", "cafe"), ("a+b", "ab")])
def test_other_words_stay_other_words(text, other):
    assert folded(text) != folded(other)


@given(st.text())
@example("`")
@example("İ\u200b\u0345")
@example("\u3164\u0308ß")
def test_folding_twice_changes_nothing_more(text):
    once = folded(text)

    assert folded(once) == once
    assert folded(f" {text}\u200b") == once


@given(
    st.sampled_from(["a", "\u0301", "\u200d", "\u200b", "产", "\ufe0f", "\x1b", " ", "\u20dd"]),
    st.integers(1, 120),
)
def test_a_flood_of_one_character_is_bounded(char, columns):
    flood = "a" + char * 300_000

    assert len(visible(flood)) <= 1000
    assert len(shorten(flood, columns)) <= 9 * (columns + 1)
    assert width(shorten(flood, columns)) <= columns


@given(TEXTS, st.integers(1, 50))
def test_a_long_text_keeps_both_ends(text, longest):
    seen = visible(text, longest)

    assert len(seen) <= longest
    assert ("…" in seen) or len(seen) == len(text)
