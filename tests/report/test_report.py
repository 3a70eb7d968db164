"""The report says one set of numbers in every form, and nothing in it is alive."""

import html.parser
import json
import re

import msgspec
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from prometheus_client.openmetrics import parser as openmetrics

import picora_analytics as pic
from picora_analytics.errors import SchemaError
from picora_analytics.report import StorageReport
from picora_analytics.report.writing import look_up, markdown_text, written

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "a|b`c`[d](javascript:e)",
    "photo\u202egnp.exe",
    "line\n# break",
    "\x1b[31mred",
    "{{ 7*7 }} {% raw %} {totals.n_images}",
    "$x^2$ *bold* _it_ ~~no~~",
    "https://evil.example/a www.evil.example @someone",
    "=HYPERLINK(1)",
    "x" * 250,
    "产品图片 \U0001f600",
]
SHAPES = ["demo", "nothing", "one", "all missing", "hostile"]


@pytest.fixture(scope="module")
def demo_images():
    with pic.DemoServer() as server, pic.Client(server.api_key, server.url) as client:
        return pic.load_images(client, store=None, progress=False)


@pytest.fixture(scope="module")
def reports(make_images, demo_images):
    """Make each report once, as drawing takes its time."""
    missing = ("filename", "size_bytes", "width", "height", "is_public", "tags", "mime_type")
    hostile = make_images(
        filename=HOSTILE,
        title=HOSTILE,
        mime_type=HOSTILE,
        tags=[(name,) for name in HOSTILE],
        size_bytes=[1000 * (i + 1) for i in range(len(HOSTILE))],
    )
    hostile.attrs["picora"] |= {"base_url": "https://<b>|x.example"}
    frames = {
        "demo": demo_images,
        "nothing": make_images(tags=[]),
        "one": make_images(tags=[()]),
        "all missing": make_images(
            **{name: [None, None] for name in missing}, created_at=[None, None]
        ),
        "hostile": hostile,
    }
    made = {
        name: StorageReport(frame, quota="1.5 GiB", code="python") for name, frame in frames.items()
    }
    return {name: (report, report.to_html()) for name, report in made.items()}


@pytest.fixture(params=SHAPES)
def report_and_page(request, reports):
    return reports[request.param]


class _Page(html.parser.HTMLParser):
    """Reads a page: its tags and attributes, each fact with its text, and the text outside facts."""

    void = frozenset({"meta", "link", "img", "br"})

    def __init__(self, page):
        super().__init__()
        self.open, self.elements, self.facts, self.outside, self.ticks = [], [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        fact = dict(attrs).get("data-fact")
        if fact:
            form = dict(attrs).get("data-form")
            path = f"{fact}:{form}" if form else fact
            self.facts.append([path, dict(attrs).get("value"), ""])
        if tag not in self.void:
            self.open.append((tag, fact, dict(attrs).get("class")))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][1]:
            self.facts[-1][2] += data
        elif self.open and self.open[-1][2] == "tick":
            self.ticks.append(data)
        elif not {"style", "title"} & {tag for tag, *_ in self.open}:
            self.outside.append(data)


@pytest.mark.slow
def test_every_number_of_the_page_is_in_the_json_and_equal(report_and_page):
    report, page = report_and_page
    said = json.loads(report.to_json())
    read = _Page(page)

    assert len(read.facts) > 10
    for path, value, text in read.facts:
        fact = look_up(said, path.partition(":")[0])
        if value is None or isinstance(fact, str):
            assert value in (None, fact)
            start, *cut = text.split("…")
            assert text == written(path, fact) or (cut and str(fact).startswith(start)), path
        else:
            assert value == ("" if fact is None else str(fact)), path
            assert text == written(path, fact), path
    assert re.findall(r"\d", " ".join(read.outside)) == []
    # What else has digits are the scales of the chart of growth.
    assert all(re.fullmatch(r"[\d,.]+|[KMGT]?i?B|\w{3} \d{4}", tick) for tick in read.ticks)


def test_every_number_of_the_markdown_is_on_the_page(report_and_page):
    report, page = report_and_page
    unescaped = re.sub(r"\\([^\w\s])", r"\1", report.to_markdown())
    numbers = set(re.findall(r"\d[\d,.]*\d|\d", html.unescape(unescaped)))
    shown = " ".join(text for _, _, text in _Page(page).facts)

    assert numbers <= set(re.findall(r"\d[\d,.]*\d|\d", shown))


def test_the_page_has_no_script_no_address_and_no_handler(report_and_page):
    report, page = report_and_page
    read = _Page(page)

    assert {tag for tag, _ in read.elements} <= {
        *("html", "head", "meta", "link", "title", "style", "body", "main", "header", "section"),
        *("h1", "h2", "p", "ul", "ol", "li", "div", "span", "strong", "details", "summary", "pre"),
        *("code", "data", "bdi", "figure", "img", "table", "caption", "thead", "tbody"),
        *("tr", "th", "td", "article", "h3", "b", "i", "small"),
        *("svg", "path", "rect", "line", "circle", "text", "tspan"),
    }
    for tag, attributes in read.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "action", "srcset"):
            assert attributes.get(name, "data:").startswith("data:")
        if tag == "img":
            assert attributes["alt"].strip(" .")
    assert "img.picora.com" not in page + report.to_markdown() + report.to_json()
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert len(page) < 1_500_000


def test_every_metric_is_a_number_of_the_json(report_and_page):
    report, _ = report_and_page
    said = json.loads(report.to_json())
    text = report.to_metrics()
    families = {one.name: one for one in openmetrics.text_string_to_metric_families(text)}

    def at(name, **labels):
        return [
            one.value
            for one in families[name].samples
            if labels.items() <= one.labels.items() and one.name == name
        ]

    assert {one.type for one in families.values()} == {"gauge"}
    assert at("picora_images") == [said["totals"]["n_images"]]
    assert at("picora_could_save_bytes", bound="low") == [said["savings_in_all"]["low_bytes"]]
    if said["totals"]["size_bytes"] is not None:
        assert at("picora_storage_bytes") == [said["totals"]["size_bytes"]]
        assert at("picora_quota_used_ratio") == [said["quota"]["used_share"]]
    for pile in said["piles"]:
        assert at("picora_pile", pile=pile["pile"]) == [pile["n_images"]]
    # Whatever else there is stands in the JSON as well: a number, or an instant.
    known = set(_numbers(said))
    for family in families.values():
        assert all(one.value in known for one in family.samples), family.name
    assert not any(name in text for name in HOSTILE)


def _numbers(value):
    """Give every number of a document, and every instant in seconds."""
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _numbers(one)
    elif isinstance(value, int | float):
        yield value
    elif isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d(T[\d:]+Z)?", value):
        yield pd.to_datetime(value, utc=True).timestamp()


def test_no_form_calls_an_image_unused(report_and_page):
    report, page = report_and_page

    for text in (page, report.to_markdown(), report.to_json(), repr(report), report._repr_html_()):
        assert "unused" not in text.lower().replace("old is not unused", "")


def test_the_json_has_a_version_and_round_trips(report_and_page):
    report, _ = report_and_page
    text = report.to_json()

    assert text.isascii()
    assert json.loads(text) == msgspec.json.decode(text) == report.facts
    assert list(report.facts)[:2] == ["format", "version"]
    assert (report.facts["format"], report.facts["version"]) == (
        "picora-analytics storage report",
        1,
    )


def test_each_finding_says_how_many_rows_its_line_gives(report_and_page):
    report, _ = report_and_page
    found = report.findings()

    assert len(found) <= 7
    for _, row in found.iterrows():
        rows = eval(row["code"], {"images": report._images, "pic": pic})
        assert len(rows) == row["n_images"]
        assert pd.isna(row["size_bytes"]) or rows["size_bytes"].sum() == row["size_bytes"]


def test_the_findings_have_the_same_columns_without_any(reports):
    full, empty = (reports[name][0].findings() for name in ("demo", "nothing"))

    assert list(full.index) == [1, 2, 3, 4, 5, 6]
    assert (full.index.name, empty.index.name) == ("number", "number")
    pd.testing.assert_series_equal(full.dtypes, empty.dtypes)
    assert len(empty) == 0


@pytest.fixture
def worked(make_images):
    """Make six images whose findings can be told by hand; the load was on 23 Nov 2026."""
    return make_images(
        size_bytes=[100_000, 400, 400, 200, 300, 500],
        width=[5120, 800, 800, None, 640, 640],
        height=[2560, 600, 600, None, 480, 480],
        tags=[("a",), ("a",), ("b",), (), (), None],
        is_public=[True, True, False, True, True, True],
        created_at=[*["2026-01-01"] * 3, "2024-11-01", "2026-11-20", "2024-01-01"],
    )


@pytest.mark.slow
def test_findings_are_as_worked_out_by_hand(worked):
    found = StorageReport(worked).findings()

    assert found[["group", "text", "n_images", "size_bytes"]].to_numpy().tolist() == [
        ["could do", "Probably the same picture twice", 1, 400],
        ["could do", "Uploaded over two years ago, never tagged", 1, 200],
        ["could do", "Over 2560 px on the longer edge", 1, 100_000],
        ["worth knowing", "The largest files: half of the storage", 1, 100_000],
        ["worth knowing", "Uploaded in the last 30 days, not tagged yet", 1, 300],
        ["worth knowing", "Private", 1, 400],
    ]
    # Half the edge is a quarter of the pixels.
    assert found["could_save_bytes"].tolist() == [pd.NA, pd.NA, 75_000, *[pd.NA] * 3]
    # Fewer pixels hold more detail each: three quarters of the power, 100,000 * (1 - 0.25 ** 0.75).
    assert found["could_save_low_bytes"].tolist() == [pd.NA, pd.NA, 64_644, *[pd.NA] * 3]


@pytest.mark.slow
def test_equal_content_is_sure_where_the_service_told_it(make_images):
    images = make_images(
        content_hash=["f", "f", "e", None, None],
        created_at=["2026-02-01", "2026-01-01", "2026-01-01", "2026-01-01", "2026-01-02"],
        is_public=[True] * 5,
    )

    found = StorageReport(images, code="python").findings()

    assert found["text"].tolist() == ["Same picture twice", "Probably the same picture twice"]
    rows = [list(eval(code, {"images": images, "pic": pic}).index) for code in found["code"]]
    assert rows == [["a"], ["e"]]  # The oldest of equals is never the copy.


@pytest.mark.slow
def test_a_week_with_most_of_the_uploads_is_perhaps_a_move(make_images):
    days = ["2025-03-11"] * 9 + ["2025-03-16"] + ["2024-01-01"] * 5 + ["2023-01-01"] * 5
    images = make_images(created_at=days, tags=[("a",)] * 20, size_bytes=range(1, 21))

    found = StorageReport(images, code="python").findings()

    assert found["text"].tolist() == [
        "Uploaded in one week, from 10 Mar 2025 on: perhaps a move, and their upload age says little"
    ]
    assert found["n_images"].tolist() == [10]
    assert len(eval(found["code"].iloc[0], {"images": images})) == 10


@pytest.mark.slow
def test_at_most_seven_findings_are_given(make_images):
    n = 40
    images = make_images(
        size_bytes=[1_000_000, *[10] * (n - 1)],
        width=[4000, *[800] * (n - 1)],
        content_hash=[*[None] * (n - 2), "f", "f"],
        created_at=["2026-11-20", "2026-11-20", *["2020-01-01"] * (n - 2)],
        is_public=[False] * n,
    )

    found = StorageReport(images).findings()

    assert len(found) == 7
    assert found["group"].tolist() == ["could do"] * 4 + ["worth knowing"] * 3


@pytest.mark.slow
def test_the_share_of_the_quota_and_what_is_left_are_said(worked):
    report = StorageReport(worked, quota=203_600)

    assert report.facts["quota"] == {
        "size_bytes": 203_600,
        "used_share": 0.5,
        "free_bytes": 101_800,
        "over_bytes": 0,
        "at_least": False,
        "note": None,
    }
    assert report.facts["without"] == {
        "freed_bytes": 200,
        "used_share": 101_600 / 203_600,
    }
    assert "**50 % full · 99.4 of 198.8 KiB**\n- " in report.to_markdown()
    assert "99.4 KiB free" in report.to_markdown()
    assert "Without the first: 50 % full." in report.to_markdown()
    parts = [(part["part"], part["size_bytes"]) for part in report.facts["bar"]["parts"]]
    assert parts == [("stays", 101_600), ("old-untagged", 200), ("free", 101_800)]


@pytest.mark.slow
def test_a_library_over_its_quota_says_by_how_much(make_images):
    report = StorageReport(make_images(size_bytes=[3000]), quota=2000)

    assert report.facts["quota"]["over_bytes"] == 1000
    for text in ("150 % full", "The quota is used up", "1000 B over"):
        assert text in report.to_markdown()
    assert report.facts["bar"]["quota_share"] == 2 / 3
    assert 'class="limit"' in report._repr_html_()


@pytest.mark.slow
def test_without_a_quota_the_report_says_what_to_give(worked):
    report = StorageReport(worked)

    assert report.facts["quota"] is None
    for text in (report.to_markdown(), repr(report), report._repr_html_()):
        assert "Give quota= to see how long the space lasts" in text
        assert "full" not in re.sub(r"(?s)<style>.*</style>|<[^>]*>", "", text).split("What")[0]


@pytest.mark.parametrize(
    ("quota", "meant"),
    [
        pytest.param("5 GB", "5 GiB", id="5 GB"),
        pytest.param(5_000_000_000, "5 GiB", id="as a number"),
        pytest.param("100 MB", "100 MiB", id="100 MB"),
    ],
)
@pytest.mark.slow
def test_a_decimal_quota_like_a_plan_is_read_exactly_and_asked_about(make_images, quota, meant):
    report = StorageReport(make_images(), quota=quota)

    assert report.facts["quota"]["note"].endswith(f"bytes: did you mean {meant}?")
    assert report.facts["quota"]["used_share"] == 3000 / report.facts["quota"]["size_bytes"]
    for text in (report.to_markdown(), repr(report), report._repr_html_()):
        assert f"did you mean {meant}?" in text


@pytest.mark.parametrize("quota", ["5 GiB", 0])
@pytest.mark.slow
def test_other_quotas_are_not_asked_about(make_images, quota):
    assert StorageReport(make_images(), quota=quota).facts["quota"]["note"] is None


def test_a_quota_that_is_no_size_is_an_error(make_images):
    with pytest.raises(ValueError, match=r"^quota='much' is not a size: give whole bytes, .*\.$"):
        StorageReport(make_images(), quota="much")


@pytest.mark.slow
def test_a_part_of_a_library_says_so_and_has_no_share_of_the_quota(worked):
    report = StorageReport(worked[worked["size_bytes"] > 250], quota="5 GiB")

    assert report.facts["caveats"] == [
        "These are 5 of the 6 images that were loaded: a part, not the library."
    ]
    assert _no_share(report)


@pytest.mark.slow
def test_a_tag_or_a_load_that_ended_early_says_so_and_has_no_share(make_images):
    tag, early = make_images(), make_images()
    tag.attrs["picora"] |= {"scope": "tag=cat"}
    early.attrs["picora"] |= {"status": "partial"}

    reports = [StorageReport(images, quota="5 GiB") for images in (tag, early)]

    assert [report.facts["caveats"] for report in reports] == [
        ["Only the images of tag=cat were loaded: a part, not the library."],
        ["The load ended early: images are missing here."],
    ]
    assert all(map(_no_share, reports))


@pytest.mark.slow
def test_images_that_do_not_say_where_they_are_from_have_no_share_and_no_ages(make_images):
    images = make_images(size_bytes=[700, 300])
    images.attrs.clear()

    report = StorageReport(images, quota="5 GiB")

    assert report.facts["caveats"][0].startswith("These images do not say where they come from")
    assert report.facts["ages"] == []
    assert "Since the upload" not in report.to_markdown()
    assert 'id="ages"' not in report.to_html()
    assert _no_share(report)


def _no_share(report):
    facts = report.facts
    texts = (report.to_markdown(), repr(report), report._repr_html_())
    return (
        facts["library"]["whole"] is False
        and facts["quota"]["used_share"] is None
        and facts["without"] is None
        and all(facts["caveats"][0].split(":")[0] in text.replace("\\", "") for text in texts)
        and facts["bar"] is None
        and not any("% full" in text or 'class="bar"' in text for text in texts)
    )


def _earlier(images, **facts):
    before = images.copy()
    before.attrs["picora"] = images.attrs["picora"] | {
        "loaded_at": "2026-11-16T10:00:00Z",
        "n_images": len(images),
        **facts,
    }
    return before


@pytest.mark.slow
def test_what_came_and_went_since_an_earlier_load_is_counted_by_id(make_images):
    before = _earlier(make_images(id=["a", "b", "x"], size_bytes=[100, 200, 50]))
    images = make_images(id=["b", "a", "c", "d"], size_bytes=[200, 100, 3000, 20])

    report = StorageReport(images, previous=before)

    since = report.facts["since"]
    assert [row["id"] for row in since.pop("newest")] == ["c", "d"]
    assert since == {
        "loaded_at": "2026-11-16T10:00:00Z",
        "n_days": 7,
        "n_added": 2,
        "n_removed": 1,
        "net_bytes": 2970,
        "size_bytes_before": 350,
        "before_share": None,
        "untagged_net_bytes": 2970,
        "text": "+2 images, -1, +2.9 KiB",
    }
    for text in (repr(report), report.to_markdown()):
        assert "+2 images, -1, +2.9 KiB since 16 Nov 2026" in text
    assert "Since last week: +2.9 KiB" in re.sub(r"<.*?>", "", report.to_html())


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        pytest.param(
            {"account": "f" * 16},
            r"^previous is of account ffffffff and images of 01234567; "
            r"compare two frames of one library\.$",
            id="another account",
        ),
        pytest.param(
            {"scope": "tag=cat"},
            r"^previous is of tag=cat and images of library: one of them is not the same whole, .* removed\.$",
            id="another scope",
        ),
        pytest.param(
            {"n_images": 9},
            r"^Only whole libraries are compared: previous holds 3 of 9 rows \(complete\); what it lacks would look "
            r"removed\.$",
            id="a part",
        ),
        pytest.param(
            {"status": "partial"},
            r"^Only whole .* previous holds 3 of 3 rows \(partial\); .*\.$",
            id="partial",
        ),
    ],
)
def test_a_previous_load_that_cannot_be_compared_is_an_error(make_images, facts, message):
    with pytest.raises(SchemaError, match=message):
        StorageReport(make_images(), previous=_earlier(make_images(), **facts))


def test_a_previous_load_must_be_the_earlier_one(make_images):
    with pytest.raises(
        ValueError, match=r"^previous was loaded at 2026-12-01.* other way round\.$"
    ):
        StorageReport(
            make_images(), previous=_earlier(make_images(), loaded_at="2026-12-01T00:00:00Z")
        )


def test_what_is_no_frame_is_an_error(make_images):
    with pytest.raises(TypeError, match=r"^StorageReport takes a pandas DataFrame for images, "):
        StorageReport([1, 2])
    with pytest.raises(TypeError, match=r"for previous, .*; this is str\.$"):
        StorageReport(make_images(), previous="yesterday")


def test_hostile_names_are_dead_text_on_the_page(reports):
    report, page = reports["hostile"]
    read = _Page(page)

    assert {"script"}.isdisjoint(tag for tag, _ in read.elements)
    names = [row["filename"] for row in report.facts["largest"]]
    shown = {text for path, _, text in read.facts if path.endswith(".filename")}
    assert {name for name in names if len(name) < 60} | {f"{'x' * 30}…{'x' * 29}"} == shown
    for char in "\u202e\x1b":
        assert char not in page + repr(report) + report.to_markdown() + report._repr_html_()
    assert "{{ 7*7 }}" in page


def test_hostile_names_are_dead_text_in_markdown(reports):
    markdown = reports["hostile"][0].to_markdown()

    assert not re.search(r"<(?!br)", markdown.replace("&lt;", ""))
    for live in ("<script", "](", "https://", "@someone", "www.evil", "^2$ *", "\n# break"):
        assert live not in markdown
    rows = [line for line in markdown.splitlines() if line.startswith("| ")]
    tables = markdown.split("**The largest files**")[1].split("##")[0].strip().splitlines()
    pipes = {len(re.findall(r"(?<!\\)\|", line)) for line in tables}
    assert pipes == {8}
    assert len(tables) == 2 + len(HOSTILE) and rows


def test_hostile_names_stay_dead_when_a_markdown_reader_reads_them(reports):
    mistune = pytest.importorskip("mistune")
    read = mistune.create_markdown(escape=False, plugins=["table", "strikethrough", "url", "math"])
    page = read(reports["hostile"][0].to_markdown())

    tags = set(re.findall(r"<(/?[a-zA-Z0-9]+)", page))
    live = {tag.strip("/") for tag in tags}
    assert live <= {
        *("h1", "h2", "p", "ul", "ol", "li", "blockquote", "strong", "table", "thead", "tbody"),
        *("tr", "th", "td", "code", "pre"),
    }
    assert "*bold* _it_ ~~no~~" in html.unescape(page)


FLOODS = ["n" * 3_000_000, "a" + "\u0301" * 200_000, "\u200d" * 1_000_000, "|" * 500_000]


@pytest.mark.parametrize("text", FLOODS, ids=["letters", "accents", "joiners", "bars"])
@pytest.mark.slow
def test_a_flood_in_a_name_a_tag_or_a_type_is_shown_short(make_images, text):
    images = make_images(
        filename=[text] * 3, title=[text] * 3, tags=[(text, f"{text}b")] * 3, mime_type=[text] * 3
    )
    images.attrs["picora"] |= {"base_url": f"https://{text}.example"}

    report = StorageReport(images, quota="5 GiB")

    assert len(repr(report)) < 10_000
    assert len(report.to_markdown()) < 30_000
    assert len(report.to_json()) < 200_000  # With escapes, a character takes six.
    assert len(report._repr_html_()) < 60_000
    assert len(re.sub(r"data:image/png;base64,[^\"]*", "", report.to_html())) < 150_000


# What GitHub and others make a link of in running text, each alone and between other text.
LINKS = [
    *("victim@evil.example", "a.b+c-d@evil-site.co.uk", "mailto:a@b.example", "xmpp:a@b.example/x"),
    *(
        "www.evil.example",
        "_www.evil.example_",
        "WWW.9gag.com",
        "www.roof.png",
        "xwww.www.evil.example",
    ),
    *("http://a.example", "HTTPS://evil.example", "ftp://x.example/a", "xhttps://evil.example"),
    *("<a@b.example>", "<http://x.example>", "[a](http://x.example)", "[x]: http://a.example"),
    *("a\\@b.example", "\\www.x.example", "https:\\//x.example", "evil.com", "roof.png.zip"),
    *("@octocat", "@someone/team", "#12", "GH-12", "octocat/hello#1"),
]
AROUND = ["{}", "mail {} now.png", "x{}", "{}x", "({})", "*{}*", '"{}"', "{},{}", "a|{}"]


def _linked(page):
    return re.findall(r"<a\b[^>]*>|<img\b[^>]*>", page)


def _mentions(page):
    """Find what GitHub's second pass links: names and numbers in the text that is shown."""
    text = html.unescape(re.sub(r"<[^>]+>", "", page))
    return re.findall(r"(?:^|\W)@[a-z\d]|(?:^|\W|\w)#\d|\bGH-\d", text, re.IGNORECASE)


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("name", LINKS)
def test_no_name_becomes_a_link(name, around):
    cmarkgfm = pytest.importorskip("cmarkgfm")
    text = markdown_text(around.replace("{}", name))

    for block in (text, f"- {text}", f"**{text}**", f"| a |\n|---|\n| {text} |"):
        page = cmarkgfm.github_flavored_markdown_to_html(block)
        assert _linked(page) == []
        assert _mentions(page) == []


@given(
    st.lists(
        st.sampled_from([*"@.:/\\_-#[]()<>! a1", "www", "http", "mailto", "b.example", "evil"]),
        max_size=14,
    ).map("".join)
)
@pytest.mark.slow
def test_no_made_up_name_becomes_a_link(name):
    cmarkgfm = pytest.importorskip("cmarkgfm")

    page = cmarkgfm.github_flavored_markdown_to_html(markdown_text(name))

    assert _linked(page) == []
    assert _mentions(page) == []


@pytest.mark.slow
def test_missing_sizes_make_the_total_a_lower_bound(make_images):
    report = StorageReport(make_images(size_bytes=[1024, None]), quota=2048)

    assert "At least 50 % full · 1.0 of 2.0 KiB" in report.to_markdown()
    assert report.facts["notes"] == [
        "1 of 2 images have no known size and are left out of every sum of bytes."
    ]


def test_images_of_which_nothing_is_known_are_not_said_to_hold_nothing(reports):
    report, page = reports["all missing"]

    assert report.facts["totals"]["size_bytes"] is None
    assert "Size unknown" in page
    assert "0 B" not in report.to_markdown()
    assert report.facts["quota"]["used_share"] is None
    assert len(report.facts["notes"]) == 5


def test_a_library_without_images_still_has_a_report(reports):
    report, page = reports["nothing"]

    assert "Nothing stands out." in page
    assert "0 images" in re.sub(r"<.*?>", "", page)
    assert "<img" not in page


@pytest.mark.slow
def test_a_frame_that_pandas_read_from_parquet_gives_the_same_report(
    reports, demo_images, tmp_path
):
    report, page = reports["demo"]
    demo_images.to_parquet(tmp_path / "images.parquet")
    again = StorageReport(
        pd.read_parquet(tmp_path / "images.parquet"), quota="1.5 GiB", code="python"
    )

    assert again.facts == report.facts
    assert again.to_html() == page


def test_the_demo_is_stamped_in_every_form(reports):
    report, page = reports["demo"]

    assert ">DEMO<" in page and ">DEMO<" in report._repr_html_()
    assert report.to_markdown().startswith("# DEMO: ")
    assert repr(report).startswith("DEMO ")
    assert report.facts["library"]["demo"] is True


def test_the_page_is_written_whole_and_for_its_owner(reports, tmp_path):
    report, page = reports["demo"]
    path = tmp_path / "report.html"
    path.write_text("an older one")

    assert report.write_html(path) == path

    assert path.read_text(encoding="utf-8") == page
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.slow
def test_the_page_takes_no_style_from_the_caller(reports, make_images):
    from matplotlib import pyplot as plt

    _, page = reports["one"]
    open_figures = plt.get_fignums()

    with plt.style.context("dark_background"):
        dark = StorageReport(make_images(tags=[()]), quota="1.5 GiB").to_html()

    assert dark == page
    assert plt.get_fignums() == open_figures


def test_showing_a_report_in_a_notebook_is_light_and_scoped(reports):
    report, _ = reports["demo"]
    shown = report._repr_html_()

    assert len(shown) < 20_000
    assert "data:image" not in shown and "<html" not in shown
    for rule in re.findall(r"^([^@{}\n]+)\{", shown, re.MULTILINE):
        for selector in re.split(r",(?![^(]*\))", rule):
            assert selector.strip().startswith(".picora-report")


@pytest.mark.slow
def test_the_facts_given_are_a_copy(make_images):
    report = StorageReport(make_images())

    report.facts["totals"]["n_images"] = 7

    assert report.facts["totals"]["n_images"] == 3


@pytest.mark.slow
def test_how_long_the_space_lasts_is_said_and_code_only_where_it_is_asked_for(
    make_images, tmp_path
):
    weeks = pd.date_range("2026-11-23T13:00Z", periods=60, freq="-7D")
    images = make_images(
        id=[f"i{n}" for n in range(60)], created_at=list(weeks), size_bytes=[1000] * 60
    )
    images.attrs["picora"]["usage"] = {"size_bytes": 60_000, "quota_bytes": 65_000}

    report = StorageReport(images)

    # 5,000 bytes at 1,000 a week, as ever: five weeks after 23 November.
    assert report.facts["quota"]["size_bytes"] == 65_000
    assert report.facts["forecast"]["full_early_at"] == "2026-12-28"
    assert (
        "Full around 28 Dec 2026, so long the space lasts at the pace of its own past"
        in report.to_markdown()
    )
    assert report.findings()["code"].isna().all()
    assert "picora-analytics plan" not in report.to_markdown()
    assert set(StorageReport(images, code="python").findings()["code"].str[:6]) == {"images"}
    with pytest.raises(
        ValueError, match=r"^code='sql' is unknown: choose 'shell', 'python', or None"
    ):
        StorageReport(images, code="sql")
    folder = report.write_tables(tmp_path / "tables")
    assert {path.stem for path in folder.glob("*.csv")} == set(report.tables)
    assert len(pd.read_parquet(folder / "forecast.parquet")) == len(
        report.facts["forecast"]["weeks"]
    )
    assert pd.read_parquet(folder / "sizes.parquet")["n_images"].tolist() == [60]


@pytest.mark.slow
def test_the_page_holds_small_public_pictures_and_asks_for_no_private_one(make_images):
    with pic.DemoServer(n_images=15) as server, pic.Client(server.api_key, server.url) as client:
        images = pic.load_images(client, store=None, progress=False)
        old = pd.Timestamp("2020-01-01", tz="UTC")
        images["created_at"] = images["updated_at"] = old
        images["tags"] = pd.Series([()] * len(images), images.index, dtype=object)
        images["is_public"] = [True, True, False, *[None] * 12]
        report = StorageReport(images, client=client)
        pages = [report.to_html(), report.to_html()]
        asked = [one.path for one in server.requests if one.port == "pictures"]

    (pile,) = report.facts["piles"]
    public = set(images.index[:2])
    assert {row["id"] for row in pile["pictures"] if row["is_public"]} == public
    # Asked for once, however often the page is made, and nothing else.
    assert len(asked) == 2 and all(any(one in path for one in public) for path in asked)
    assert pages[0] == pages[1]
    assert len(re.findall(r'<img class="shot" src="data:image/webp;base64,', pages[0])) == 2
    locks = re.findall(r'class="shot no" role="img" aria-label="([\w ]+)"', pages[0])
    assert len(locks) == 2 and set(locks) <= {"private", "perhaps private"}
    assert "data:image" not in StorageReport(images).to_html()


@pytest.mark.slow
def test_a_pile_of_unknown_size_is_not_said_to_hold_nothing(make_images, tmp_path):
    images = make_images(
        size_bytes=[None, 500], created_at=["2020-01-01", "2026-11-01"], tags=[(), ("a",)]
    )

    report = StorageReport(images, quota=1000)

    parts = [(one["part"], one["size_bytes"]) for one in report.facts["bar"]["parts"]]
    assert parts == [("stays", 500), ("old-untagged", None), ("free", 500)]
    assert "old, no tag unknown" in re.sub(r"<.*?>", "", report.to_html())
    assert report.facts["without"] is None
    table = pd.read_parquet(report.write_tables(tmp_path) / "piles.parquet")
    assert table[["pile", "n_images"]].to_numpy().tolist() == [["old-untagged", 1]]
    assert table["size_bytes"].isna().all()
