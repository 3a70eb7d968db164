"""Charts say what the summaries say, and no text is clipped, overlaps or becomes a formula."""

import datetime as dt
import itertools

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import picora_analytics as pic
from picora_analytics import DemoServer
from picora_analytics.charts.colors import background, contrast

OTHERS = ("plot_overview", "plot_changes")  # A figure, and one of two libraries.
PLOTS = [name for name in pic.__all__ if name.startswith("plot_") and name not in OTHERS]
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    r"$\frac{1}{0}$",
    "one $ alone",
    r"\$ and \alpha",
    "photo\u202egnp.exe",
    "\U0001f600 smile",
    "产品图片",
    "x" * 250,
    "line\nbreak",
    "\x1b[31mred",
]


@pytest.fixture(scope="module")
def demo_images():
    with DemoServer() as server, pic.Client(server.api_key, server.url) as client:
        return pic.load_images(client, store=None, progress=False)


@pytest.fixture
def library(request, make_images, demo_images):
    if request.param == "the demo":
        return demo_images
    if request.param == "hostile names":
        return make_images(
            filename=HOSTILE,
            title=HOSTILE,
            mime_type=HOSTILE,
            tags=[(name,) for name in HOSTILE],
            size_bytes=[1000 * (i + 1) for i in range(len(HOSTILE))],
        )
    if request.param == "all missing":
        names = ("filename", "size_bytes", "width", "height", "is_public", "tags", "mime_type")
        return make_images(**{name: [None, None] for name in names}, created_at=[None, None])
    return make_images(tags=[()] * int(request.param.split()[0]))


LIBRARIES = pytest.mark.parametrize(
    "library",
    ["the demo", "1 image", "0 images", "hostile names", "all missing"],
    indirect=True,
)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def _texts(figure):
    figure.canvas.draw()
    renderer = figure.canvas.get_renderer()
    shown = [
        text
        for text in figure.findobj(plt.Text)
        if text.get_visible() and text.get_text().strip() and text.get_window_extent(renderer).width
    ]
    return [(text, text.get_window_extent(renderer)) for text in shown]


def _drawn_labels(axis):
    """Give the tick labels inside the view: matplotlib keeps others, and draws none of those."""
    low, high = sorted(axis.get_view_interval())
    if not axis.get_visible():
        return []
    return [
        label
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if label.get_visible() and label.get_text() and low <= tick.get_loc() <= high
    ]


def _words(figure):
    """Give all that is written on a figure, with its box: not the labels that matplotlib keeps and does not draw."""
    figure.canvas.draw()
    undrawn = {
        text
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for text in axis.findobj(plt.Text)
        if text not in (axis.label, axis.offsetText) and text not in _drawn_labels(axis)
    }
    return [(text, box) for text, box in _texts(figure) if text not in undrawn]


def _assert_tidy(figure):
    page = figure.bbox
    words = _words(figure)
    for text, box in words:
        inside = page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1
        assert inside and page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, text.get_text()
    for (one, box), (other, beside) in itertools.combinations(words, 2):
        touching = box.shrunk(0.98, 0.9).overlaps(beside.shrunk(0.98, 0.9))
        assert not touching, f"{one.get_text()!r} lies over {other.get_text()!r}"


@LIBRARIES
@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.slow
def test_a_chart_is_tidy_for_any_library(name, library):
    ax = getattr(pic, name)(library)

    _assert_tidy(ax.figure)
    assert ax.get_title() or ax.texts


@LIBRARIES
@pytest.mark.slow
def test_the_overview_is_tidy_for_any_library(library):
    figure = pic.plot_overview(library)

    assert len(figure.axes) >= 6
    _assert_tidy(figure)


@pytest.mark.parametrize("library", ["hostile names"], indirect=True)
@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.slow
def test_strangers_text_is_never_a_formula_nor_moves_the_line(name, library):
    ax = getattr(pic, name)(library)

    for text, _ in _texts(ax.figure):
        shown = text.get_text()
        assert not any(char in shown for char in "\x1b\u202e")
        # An unescaped pair of dollars would start mathtext.
        if text.get_parse_math():
            assert shown.replace(r"\$", "").count("$") == 0
        assert len(shown) < 120


@pytest.mark.parametrize("name", PLOTS)
def test_a_chart_draws_into_the_axes_it_is_given_and_nowhere_else(name, make_images):
    figure, ax = plt.subplots(layout="constrained")

    assert getattr(pic, name)(make_images(), ax=ax) is ax
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("library", ["0 images"], indirect=True)
@pytest.mark.parametrize("name", PLOTS)
def test_an_empty_library_says_so(name, library):
    ax = getattr(pic, name)(library)

    assert any("No images" in text.get_text() for text, _ in _texts(ax.figure))


def test_bars_are_as_long_as_the_numbers(make_images):
    mib = 1024**2
    images = make_images(
        tags=[("a",), ("a", "b"), ()], size_bytes=[3 * mib, mib, mib], filename=["x", "y", "z"]
    )

    ax = pic.plot_tags(images)

    lengths = {
        label.get_text(): bar.get_width()
        for label, bar in zip(ax.get_yticklabels(), ax.patches, strict=False)
    }
    assert lengths == {"a": 4, "b": 1}
    assert "MiB" in ax.get_xlabel()


def test_concentration_says_how_few_hold_half(make_images):
    ax = pic.plot_concentration(make_images(size_bytes=[70, 20, 10]))

    assert "1 of 3" in ax.get_title()


def test_growth_owns_up_to_what_it_hides(make_images):
    assert "surviving images only" in pic.plot_growth(make_images()).get_title()


def test_dimensions_count_those_beyond_the_guide(make_images):
    ax = pic.plot_dimensions(make_images(width=[4000, 800, None], height=[100, 100, None]))

    assert "1 of 2" in ax.get_title()


@pytest.mark.slow
def test_storage_stands_level_where_nothing_was_uploaded(make_images):
    images = make_images(created_at=["2020-01-05", "2026-01-20"], size_bytes=[1 << 20, 1 << 20])

    drawn = pic.plot_growth(images).lines[0].get_path().vertices

    years = {2021: 1.0, 2025: 1.0}
    for year, total in years.items():
        at = mdates.date2num(dt.datetime(year, 6, 1))
        assert np.interp(at, drawn[:, 0], drawn[:, 1]) == pytest.approx(total)


def test_a_dollar_has_no_backslash_where_formulas_are_off(make_images):
    with plt.rc_context({"text.parse_math": False}):
        label = pic.plot_tags(make_images(tags=[("under $5",)])).get_yticklabels()[0]

    assert label.get_text() == "under $5"


@pytest.mark.parametrize("style", ["default", "dark_background", "ggplot", "Solarize_Light2"])
@pytest.mark.slow
def test_words_and_shapes_are_seen_in_any_style(make_images, style):
    images = make_images(tags=[("a",), (), ()], width=[10, 4000, 300])
    with plt.style.context(style):
        drawn = [pic.plot_tags(images), pic.plot_dimensions(images), pic.plot_growth(images)]
        drawn += [pic.plot_tags(make_images(tags=[()])), pic.plot_concentration(images)]

    for ax in drawn:
        behind = background(ax)
        own = [text for text in ax.texts if text.get_text()]
        assert all(
            contrast(text.get_color(), behind) >= 4.5
            for text in own
            if "hold" not in text.get_text()
        )
        assert all(contrast(line.get_color(), behind) >= 3 for line in ax.lines)
        assert all(contrast(bar.get_facecolor(), behind) >= 3 for bar in ax.patches)


@pytest.mark.slow
def test_sizes_of_nothing_are_known(make_images):
    for plot in (pic.plot_sizes, pic.plot_concentration):
        assert [text.get_text() for text in plot(make_images(size_bytes=[0, 0])).texts] == [
            "2 files, all empty"
        ]
        assert plot(make_images(size_bytes=[None])).texts[0].get_text() == "No sizes known"


def test_areas_add_up_to_the_library(make_images):
    images = make_images(
        tags=[("a", "b"), ("a",), (), None],
        size_bytes=[400, 300, 200, 100],
        mime_type=["image/png"] * 3 + [None],
    )

    ax = pic.plot_treemap(images)

    areas = [patch.get_width() * patch.get_height() for patch in ax.patches]
    # PNG: a 300 + 200, no tag 200, b 200; unknown: no tag 100.
    assert sorted(round(area * 1000) for area in areas) == [100, 200, 200, 500]
    assert ax.get_title() == "Where the storage is, by format and tag"


def test_each_color_of_the_areas_is_named_though_no_tag_has_room_beside_it(make_images):
    tags = ["screenshot", "release-notes", "tutorial", "newsletter", "header", "blog"]
    images = make_images(
        tags=[("a",), ("b",), *((tag,) for tag in tags)],
        size_bytes=[8000, 5000, 300, 300, 150, 150, 75, 75],
        mime_type=["image/jpeg", "image/png", *["image/webp"] * len(tags)],
    )

    ax = pic.plot_treemap(images)

    ax.figure.canvas.draw()
    seen = [text.get_text() for text in ax.texts if text.get_visible()]
    assert seen[:3] == ["JPEG a", "PNG b", "WebP"]


def test_a_name_that_no_font_draws_is_counted_once(make_images):
    name = "\U00013080 eye"
    images = make_images(tags=[(name,), (name,)], mime_type=["image/png", "image/webp"])

    ax = pic.plot_treemap(images)

    assert ax.get_label().count(name) == 1
    assert ax.get_xlabel() == "1 name without a font"


@pytest.mark.slow
def test_changes_are_filled_where_they_grew_and_hollow_where_they_shrank(make_images):
    old = make_images(tags=[("gone",), ("here",)], size_bytes=[2048, 1024])
    new = make_images(id=["b", "c"], tags=[("here",), ("here",)], size_bytes=[1024, 5120])

    ax = pic.plot_changes(old, new)

    assert [(bar.get_width(), bar.get_facecolor()[3]) for bar in ax.patches] == [(5, 1), (-2, 0)]
    assert ax.get_title() == "+3.0 KiB since then"
    assert pic.plot_changes(old, old).texts[0].get_text() == "Nothing changed"


@pytest.mark.slow
def test_the_waterfall_ends_where_the_savings_do(make_images):
    images = make_images(
        size_bytes=[1 << 20], mime_type=["image/jpeg"], width=[1000], height=[1000]
    )

    ax = pic.plot_savings(images)

    today, step, left = ax.patches
    # A copy of a JPEG with more than 0.6 bytes per pixel keeps 63 % at most, and 19 % at least.
    assert (today.get_width(), left.get_width()) == pytest.approx((1, 0.63))
    assert step.get_x() + step.get_width() == today.get_width()
    assert [float(x) for x in ax.lines[-1].get_xdata()] == pytest.approx([0.19, 0.63], abs=1e-6)


def _draw(name, images, ax):
    if name == "plot_changes":
        before = images.head(0)
        before.attrs["picora"] = images.attrs["picora"] | {
            "n_images": 0,
            "size_bytes": 0,
            "total": 0,
        }
        return pic.plot_changes(before, images, ax=ax)
    return getattr(pic, name)(images, ax=ax, **({"quota": "2 GiB"} if "fore" in name else {}))


@pytest.mark.parametrize("name", [*PLOTS, "plot_changes"])
@pytest.mark.slow
def test_the_smallest_chart_is_tidy_with_hostile_names_and_formulas_off(name, make_images):
    images = make_images(
        filename=HOSTILE * 2,
        mime_type=HOSTILE * 2,
        tags=[(name, "a tag of two hands") for name in HOSTILE * 2],
        size_bytes=[10 ** (n // 3) * 7 for n in range(20)],
        width=[10 * 2**n for n in range(10)] * 2,
        created_at=[f"2026-{1 + n // 2:02}-07" for n in range(20)],
    )
    with plt.rc_context({"text.parse_math": False, "figure.figsize": (3, 2.5)}):
        figure, ax = plt.subplots()
        _draw(name, images, ax)
        _assert_tidy(figure)


@pytest.mark.slow
@pytest.mark.parametrize("dpi", [72, 100, 150])
def test_the_smallest_chart_of_the_demo_is_tidy(demo_images, dpi):
    for name in [*PLOTS, "plot_changes"]:
        figure, ax = plt.subplots(figsize=(3, 2.5), dpi=dpi)
        _draw(name, demo_images, ax)
        _assert_tidy(figure)
        plt.close(figure)


@pytest.mark.slow
@pytest.mark.parametrize("layout", [None, "constrained"])
@pytest.mark.parametrize(
    ("style", "size"), [("dark_background", (6.4, 4.8)), ("ggplot", (9, 6))], ids=["dark", "gray"]
)
def test_charts_in_a_grid_are_tidy(demo_images, style, size, layout):
    names = [*PLOTS, "plot_changes"]
    for four in (names[:4], names[4:8], names[8:12], names[-4:], names[::4][:4], names[1::4][:4]):
        with plt.style.context(style):
            figure, panels = plt.subplots(2, 2, figsize=size, layout=layout)
            for name, ax in zip(four, panels.flat, strict=True):
                _draw(name, demo_images, ax)
            figure.set_dpi(130)  # As saving does, after the words were measured once.
            _assert_tidy(figure)
        plt.close(figure)


@pytest.mark.slow
def test_words_fit_again_when_the_figure_gets_smaller(make_images):
    ax = pic.plot_concentration(make_images(size_bytes=[600, 200, 100, 100]))
    ax.set_ylabel(
        "A label of the caller's own, which is rather long for the height of a small chart"
    )

    ax.figure.set_size_inches(3, 2.5)

    _assert_tidy(ax.figure)
    assert ax.get_title().replace("\n", " ") == "1 of 4 images holds half of the storage"
    ax.figure.set_size_inches(12, 9)
    _assert_tidy(ax.figure)
    assert "\n" not in ax.get_title() + ax.get_ylabel()


@pytest.mark.parametrize("arrange", ["tight_layout", "subplots_adjust"])
def test_a_caller_may_arrange_the_figure_afterwards(make_images, arrange):
    figure, ax = plt.subplots()
    pic.plot_tags(make_images(tags=[("a",)]), ax=ax)

    getattr(figure, arrange)(**({"left": 0.4} if arrange == "subplots_adjust" else {}))

    figure.canvas.draw()
    if arrange == "subplots_adjust":
        assert ax.get_position().x0 == pytest.approx(0.4)


def test_a_small_chart_has_fewer_bars_and_says_so(make_images):
    images = make_images(tags=[(f"tag {n}",) for n in range(40)])
    figure, ax = plt.subplots(figsize=(3, 2.5))

    pic.plot_tags(images, ax=ax)

    n = len(ax.patches)
    assert n < 20
    assert ax.get_title().replace("\n", " ") == f"Storage by tag, top {n} of 40"


@pytest.mark.parametrize("name", [name for name in pic.__all__ if name.startswith("plot_")])
def test_an_error_names_the_chart_that_was_asked_for(name):
    frames = [pd.DataFrame({"x": [1]})] * (2 if name == "plot_changes" else 1)

    with pytest.raises(pic.SchemaError, match=rf"^{name} needs the column"):
        getattr(pic, name)(*frames)


@pytest.mark.slow
def test_growth_is_drawn_to_both_ends_of_the_calendar(make_images):
    days = [dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, tzinfo=dt.UTC)]

    ax = pic.plot_growth(make_images(created_at=days))
    ax.figure.canvas.draw()

    assert ax.lines[0].get_ydata()[-1] > ax.lines[0].get_ydata()[1] > 0


@pytest.mark.parametrize("plot", [pic.plot_ages, pic.plot_forecast, pic.plot_overview])
def test_where_the_images_do_not_know_when_they_were_loaded_the_line_of_the_error_helps(
    make_images, plot
):
    images = make_images()
    images.attrs = {}

    with pytest.raises(pic.SchemaError, match=r"Pass it: now='2026-11-23'\.$"):
        plot(images)
    assert plot(images, now="2026-11-23")
