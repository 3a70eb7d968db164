"""Strangers' names on charts: drawable with the fonts there are, short, told in words as well."""

import logging
import os
import subprocess
import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest
from matplotlib import font_manager
from matplotlib.colors import to_hex

import picora_analytics as pic
from picora_analytics.charts.drawing import BLUE, unit_of
from picora_analytics.charts.fonts import families, readable


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("roof.png", "roof.png", id="plain"),
        pytest.param("$x$", r"\$x\$", id="formula"),
        pytest.param("photo\u202egnp.exe", "photo�gnp.exe", id="turned around"),
        pytest.param("a\nb\x1b[0m", "a�b�[0m", id="line break and escape"),
        pytest.param("\U0001f984!", "�!", id="no font has a unicorn"),
        pytest.param("a\u0e31b", "ab", id="a mark no font has"),
        pytest.param("  ", "(blank)", id="blanks only"),
        pytest.param("", "(blank)", id="nothing"),
        pytest.param("é ß Ж λ", "é ß Ж λ", id="letters DejaVu has"),
    ],
)
def test_a_name_is_made_drawable(name, shown):
    assert readable(name) == shown


def test_a_long_name_loses_its_middle():
    assert readable("a" * 100 + ".png", 12) == "aaaaaa…a.png"


@pytest.mark.slow
def test_every_character_that_is_shown_is_in_a_font_that_is_used():
    fonts = [
        font_manager.get_font(font_manager.findfont(font_manager.FontProperties(family=[name])))
        for name in families()
    ]
    everything = "".join(map(chr, [*range(0xA1, 0x600), *range(0x4E00, 0x4E20), 0x1F600, 0x10FFFD]))

    shown = [readable(everything[at : at + 100], 10_000) for at in range(0, len(everything), 100)]
    for char in "".join(shown).replace("\\", ""):
        assert any(ord(char) in font.get_charmap() for font in fonts), hex(ord(char))


def test_the_font_of_the_caller_comes_first():
    with mpl.rc_context({"font.family": ["DejaVu Serif"]}):
        assert families()[0] == "DejaVu Serif"
        assert readable("roof") == "roof"


@pytest.mark.slow
def test_drawing_asks_for_no_font_that_is_not_there(make_images, caplog):
    with caplog.at_level(logging.WARNING, logger="matplotlib"):
        pic.plot_tags(make_images(tags=[("产品", "\U0001f984"), ("roof",)])).figure.canvas.draw()

    assert not [record for record in caplog.records if "not found" in record.getMessage()]


@pytest.mark.slow
def test_what_is_given_goes_to_the_artist(make_images):
    images = make_images(width=[10, 20], height=[10, 20], created_at=["2026-01-01", "2026-02-01"])

    assert to_hex(pic.plot_tags(make_images(tags=[("a",)]), color="red").patches[0].get_fc()) == (
        "#ff0000"
    )
    assert pic.plot_growth(images, linestyle="--").lines[0].get_linestyle() == "--"
    assert len(pic.plot_sizes(make_images(size_bytes=[1, 9]), bins=[1, 5, 10]).patches) == 2
    assert pic.plot_dimensions(images, alpha=0.25).collections[0].get_alpha() == 0.25
    assert to_hex(pic.plot_formats(images).patches[0].get_fc()) == BLUE.lower()


def test_the_label_says_in_words_what_the_picture_shows(make_images):
    ax = pic.plot_tags(make_images(tags=[("$cat",), ("red",)], size_bytes=[2048, 1024]))

    assert ax.get_label() == "Storage by tag. $cat 2.0 KiB, red 1.0 KiB."
    assert ax.get_figure().get_label() == ax.get_label()


@pytest.mark.slow
def test_a_figure_of_several_charts_keeps_a_label_for_each(make_images):
    figure, (left, right) = plt.subplots(1, 2)
    images = make_images(tags=[("a",)])

    pic.plot_tags(images, ax=left)
    pic.plot_formats(images, ax=right)

    assert left.get_label() == "Storage by tag. a 1000 B."
    assert right.get_label() == "Storage by format. PNG 1000 B."


def test_sizes_count_every_image_once(make_images):
    ax = pic.plot_sizes(make_images(size_bytes=[0, 1, 1023, 1024, 5_000_000, None]))

    assert sum(bar.get_height() for bar in ax.patches) == 4
    assert ax.get_xlabel() == "File size (2 empty or unknown left out)"
    assert ax.get_title() == "Images by file size, half over 1.0 KiB (dashed)"


def test_growth_ends_at_the_whole(make_images):
    images = make_images(created_at=["2026-01-05", "2026-03-01"], size_bytes=[1024, 3072])

    ax = pic.plot_growth(images)

    assert ax.lines[0].get_ydata().tolist() == [0, 1, 4]
    assert ax.get_ylabel() == "Storage (line, KiB)"
    bars = ax.get_figure().axes[1].patches
    assert [float(bar.get_height()) for bar in bars] == [1, 1]
    assert [round(float(bar.get_width())) for bar in bars] == [31, 31]


def test_concentration_marks_the_images_that_hold_half(make_images):
    ax = pic.plot_concentration(make_images(size_bytes=[600, 200, 100, 100]))

    assert [text.get_text() for text in ax.texts] == ["1 holds 50 %", "2 hold 80 %"]
    assert ax.lines[1].get_ydata().tolist() == [0, 0.6, 0.8, 0.9, 1]


def test_bars_of_unknown_size_say_so(make_images):
    ax = pic.plot_formats(make_images(mime_type=["image/png", None], size_bytes=[1024, None]))

    assert [text.get_text() for text in ax.texts] == ["1 image", "1 image, size unknown"]


def test_what_is_too_large_has_a_marker_of_its_own(make_images):
    ax = pic.plot_dimensions(make_images(width=[4000, 800, 800], height=[100, 100, 100]))

    fine, over = ax.collections
    assert (len(fine.get_offsets()), len(over.get_offsets())) == (1, 1)
    assert fine.get_paths()[0].vertices.shape != over.get_paths()[0].vertices.shape
    assert fine.get_sizes()[0] == pytest.approx(over.get_sizes()[0] * 2**0.5)


@pytest.mark.slow
def test_the_overview_says_whose_library_it_is_and_stamps_a_demo(make_images):
    images = make_images(size_bytes=[1024])
    images.attrs["picora"]["demo"] = True

    figure = pic.plot_overview(images)

    assert figure.get_suptitle() == "DEMO library: 1 image, 1.0 KiB"
    assert figure.get_label().startswith("DEMO library: 1 image, 1.0 KiB. Growth, surviving")


@pytest.mark.parametrize(
    ("largest", "unit"),
    [(0, "bytes"), (1023, "bytes"), (1024, "KiB"), (5 * 1024**3, "GiB"), (float("nan"), "bytes")],
)
def test_the_unit_fits_the_largest(largest, unit):
    assert unit_of(largest)[0] == unit


@pytest.mark.slow
def test_no_chart_touches_the_settings_of_the_caller(make_images):
    before = dict(mpl.rcParams)

    pic.plot_overview(make_images(tags=[("a",)]))

    assert dict(mpl.rcParams) == before


def test_what_is_no_frame_is_a_type_error():
    with pytest.raises(
        TypeError, match=r"^plot_tags takes a pandas DataFrame, .*; this is list\.$"
    ):
        pic.plot_tags([1])


@pytest.mark.slow
def test_a_chart_of_long_names_is_told_in_few_words(make_images):
    names = ["n" * 3_000_000, "a" + "\u0301" * 200_000, "\u200d" * 1_000_000]

    ax = pic.plot_tags(make_images(tags=[(name,) for name in names]))

    assert all(len(label.get_text()) < 300 for label in ax.get_yticklabels())
    assert len(ax.get_label()) < 1500


LATE = """
import os, pathlib, sys
WEIGHT = int(sys.argv[1])
from matplotlib import font_manager  # Writes its cache.
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

pen = TTGlyphPen(None)
for step, at in enumerate([(0, 0), (0, 900), (900, 900), (900, 0)]):
    pen.lineTo(at) if step else pen.moveTo(at)
pen.closePath()
font = FontBuilder(1000, isTTF=True)
font.setupGlyphOrder([".notdef", "product"])
font.setupCharacterMap({0x13080: "product"})
font.setupGlyf({".notdef": pen.glyph(), "product": pen.glyph()})
font.setupHorizontalMetrics({".notdef": (1000, 0), "product": (1000, 0)})
font.setupHorizontalHeader(ascent=900, descent=-100)
font.setupNameTable({"familyName": "Late", "styleName": "Regular", "psName": "Late"})
font.setupOS2(sTypoAscender=900, usWeightClass=WEIGHT)
font.setupPost()
folder = pathlib.Path.home() / ".fonts"
folder.mkdir()
font.save(folder / "late.ttf")

import warnings
warnings.simplefilter("error")
from picora_analytics.charts.fonts import families, find_fonts, readable
find_fonts(["\U00013080"])
assert "Late" not in {one.name for one in font_manager._load_fontmanager(try_read_cache=True).ttflist}
print(families()[-1], readable("\U00013080"))
from matplotlib import pyplot as plt
plt.text(0, 0, readable("\U00013080"), family=families())
plt.savefig("drawn.png")
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="fonts of a person lie elsewhere")
@pytest.mark.parametrize("weight", [400, 500])
def test_a_font_installed_after_matplotlibs_cache_is_found(tmp_path, weight):
    pytest.importorskip("fontTools")
    own = {"HOME": str(tmp_path), "MPLCONFIGDIR": str(tmp_path), "MPLBACKEND": "Agg"}
    environment = os.environ | own | {"PYTHONUTF8": "1"}
    environment.pop("XDG_DATA_HOME", None)

    done = subprocess.run(
        [sys.executable, "-c", LATE, str(weight)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == "Late \U00013080\n"
    assert "findfont" not in done.stderr  # Not even where it has no regular weight.


def test_names_that_no_font_draws_are_told_in_words_and_counted_below(make_images):
    ax = pic.plot_tags(make_images(tags=[("\U00013080 eye", "roof")]))

    assert "No font here draws \U00013080 eye." in ax.get_label()
    assert "1 name without a font" in ax.get_xlabel().replace("\n", " ")
    assert "font" not in pic.plot_tags(make_images(tags=[("roof",)])).get_xlabel()


def test_marks_show_the_bytes_shared_among_tags(make_images):
    ax = pic.plot_tags(make_images(tags=[("a", "b"), ("a",)], size_bytes=[2048, 1024]))

    (marks,) = ax.lines
    assert marks.get_xdata().tolist() == [2.0, 1.0]
